"""Walking a graph, without recursion: every reader of graphs goes this way."""

from collections.abc import Collection, Iterable
from typing import Any

from .value import Value


def ancestors(results: Iterable[Any], *, oldest: int = 0, ends: Collection[Value] = frozenset()) -> dict[Value, None]:
    """All Values that results were computed from, and the results themselves, as the keys of a dictionary.

    Values stamped before `oldest` are left out, and so are `ends` (a set or a dictionary) and what is behind them.
    """
    pending = [y for y in results if type(y) is Value and y.stamp >= oldest and y not in ends]
    seen = dict.fromkeys(pending)
    while pending:
        for x in pending.pop().inputs:
            if type(x) is Value and x not in seen and x.stamp >= oldest and x not in ends:
                seen[x] = None
                pending.append(x)
    return seen


def topological(root: Value) -> list[Value]:
    """All Values that a result was computed from, and itself, inputs before results."""
    return sorted(ancestors([root]), key=lambda x: (x.op is not None, x.stamp))  # a leaf may have been rebound since
