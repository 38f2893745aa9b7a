"""Ops whose result is several arrays: one node holds them all, and a `pick` node projects each.

So the op has one pullback that sees the gradients of all its results at once. That is what decompositions need: the
derivative of an eigenvector divides by the gaps between the eigenvalues.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..op import Op, linear
from ..value import Value, plain


class Parts:
    """The gradient of a result that is several arrays: one for each, None where nothing came back."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = list(parts)

    def __add__(self, other: "Parts") -> "Parts":
        pairs = zip(self.parts, other.parts, strict=True)
        return Parts([b if a is None else a if b is None else a + b for a, b in pairs])

    def filled(self, out: Sequence[Any]) -> list[Any]:
        """The gradients, with zeros for None."""
        return [np.zeros(shape_of(y), dtype_of(y)) if g is None else g for g, y in zip(self.parts, out, strict=True)]


pick: Op = linear(
    "pick",
    lambda parts, index: parts[index],
    settings={"index": None},
    text="{x}[{index}]",
    tex="{{{x}}}_{{[{index}]}}",
    gathers=False,
    samples=[],
    adjoints=(lambda g, parts, index: Parts([g if k == index else None for k in range(len(plain(parts)))]),),
)


def picked(node: Any) -> tuple[Any, ...]:
    """The results of an op that returns several arrays, each as a Value; of plain data as they are."""
    return tuple([pick.apply(node, k) for k in range(len(node._held))]) if type(node) is Value else tuple(node)
