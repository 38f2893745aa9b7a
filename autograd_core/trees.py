"""Containers of variables: nested lists, tuples, named tuples, dicts and dataclasses, taken apart and put together.

>>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
>>> leaves
[1.0, 2.0, 3.0]
>>> rebuild([10.0, 20.0, 30.0])
{'w': [10.0, 20.0], 'b': 30.0}
"""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import numpy as np

Rebuild = Callable[[list[Any]], Any]

LEAVES = frozenset((float, np.ndarray))
"""The types of nearly all leaves, so that nothing more is asked of these."""


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


def aligned(tree: Any, like: Any) -> list[Any]:
    """The leaves of a container in the order of those of another, which has to be built alike: of a dict the keys
    count, not their order, and a list stands for a tuple, too.

    >>> aligned({"b": 1.0, "w": [2.0, 3.0]}, like={"w": (0.0, 0.0), "b": 0.0})
    [2.0, 3.0, 1.0]
    """
    if like is None and tree is None:
        return []
    if isinstance(like, dict) and isinstance(tree, dict) and tree.keys() == like.keys():
        return [leaf for key in like for leaf in aligned(tree[key], like[key])]
    if isinstance(like, (list, tuple)) and isinstance(tree, (list, tuple)) and len(tree) == len(like):
        return [leaf for item, other in zip(tree, like, strict=True) for leaf in aligned(item, other)]
    fields = getattr(type(like), "__dataclass_fields__", {})
    if fields and type(tree) is type(like):
        return [leaf for name in fields for leaf in aligned(getattr(tree, name), getattr(like, name))]
    if like is None or fields or isinstance(like, (dict, list, tuple)):
        raise TypeError(f"{_kind(tree)} in the place of {_kind(like)}")
    return [tree]


def _kind(tree: Any) -> str:
    """A container, as an error message names it."""
    if isinstance(tree, dict):
        return f"a dict with the keys {', '.join(map(repr, tree))}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of length {len(tree)}"
    return "None" if tree is None else f"a {type(tree).__name__}"


def _describe(tree: Any, leaves: list[Any]) -> Callable[[Iterator[Any]], Any]:
    kind = type(tree)
    if kind in LEAVES:
        leaves.append(tree)
        return next
    if tree is None:
        return lambda others: None
    if isinstance(tree, dict):
        parts = {key: _describe(item, leaves) for key, item in tree.items()}
        return lambda others: _refilled(tree, {key: part(others) for key, part in parts.items()}, dict.__setitem__)
    if isinstance(tree, (list, tuple)):
        items = [_describe(item, leaves) for item in tree]
        if hasattr(tree, "_fields"):  # a named tuple takes its fields one by one
            return lambda others: kind(*[item(others) for item in items])
        return lambda others: kind([item(others) for item in items])
    if hasattr(kind, "__dataclass_fields__"):
        fields = {name: _describe(getattr(tree, name), leaves) for name in kind.__dataclass_fields__}
        return lambda others: _refilled(tree, {k: field(others) for k, field in fields.items()}, object.__setattr__)
    leaves.append(tree)
    return next


def _refilled(tree: Any, parts: dict[Any, Any], put: Callable[[Any, Any, Any], None]) -> Any:
    """A copy of a container with other parts. Its constructor, which may want something else, is not called."""
    new = copy(tree)
    for key, part in parts.items():
        put(new, key, part)
    return new
