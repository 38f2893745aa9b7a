"""Containers of variables: nested lists, tuples, named tuples, dicts and dataclasses, taken apart and put together.

>>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
>>> leaves
[1.0, 2.0, 3.0]
>>> rebuild([10.0, 20.0, 30.0])
{'w': [10.0, 20.0], 'b': 30.0}
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a container in order, and the function that makes an equal container of other leaves.

    Anything that is not a container is a leaf; `None` is an empty container.
    """
    leaves: list[Any] = []
    build = _describe(tree, leaves)

    def rebuild(others: list[Any]) -> Any:
        if len(others) != len(leaves):
            raise ValueError(f"{len(others)} leaves for a container of {len(leaves)}")
        return build(iter(others))

    return leaves, rebuild


def _describe(tree: Any, leaves: list[Any]) -> Callable[[Iterator[Any]], Any]:
    kind = type(tree)
    if tree is None:
        return lambda others: None
    if isinstance(tree, dict):
        parts = {key: _describe(item, leaves) for key, item in tree.items()}
        return lambda others: kind((key, part(others)) for key, part in parts.items())
    if isinstance(tree, (list, tuple)):
        items = [_describe(item, leaves) for item in tree]
        if hasattr(tree, "_fields"):  # a named tuple takes its fields one by one
            return lambda others: kind(*[item(others) for item in items])
        return lambda others: kind([item(others) for item in items])
    if hasattr(kind, "__dataclass_fields__"):
        replace = sys.modules["dataclasses"].replace  # there, or the tree would not be a dataclass
        fields = {name: _describe(getattr(tree, name), leaves) for name in kind.__dataclass_fields__}
        return lambda others: replace(tree, **{name: field(others) for name, field in fields.items()})
    leaves.append(tree)
    return next
