"""What one backward pass adds up to at each Value, arrow by arrow; `grad` alone may hold the sum of several passes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data import dtype_of
from ..explain.derivatives import LocalDerivative
from ..explain.phrases import name, partial
from ..value import Value


class Total(NamedTuple):
    """What reached a Value in this pass."""

    gradient: Any
    """The sum, as `grad` would hold it; None if it is not known."""
    partial: dict[int, Any]
    """The sum so far, once an operation (by its identity) has passed its part back; the last one is not in it."""
    largest: float = 0.0
    """The largest number in the sum, which may cancel: what rounding is compared with."""


def totals(operations: Sequence[Value], derivatives: dict[int, list[LocalDerivative]]) -> dict[int, Total]:
    """The sums for each Value that passes went to, by its identity. The last operation passes first."""
    reached: dict[int, list[tuple[int, LocalDerivative]]] = {}
    for node in reversed(operations):
        for d in derivatives[id(node)]:
            reached.setdefault(id(d.source), []).append((id(node), d))
    return {key: total(parts) for key, parts in reached.items()}


def total(parts: list[tuple[int, LocalDerivative]]) -> Total:
    """The sum of what arrives at one Value, part by part."""
    x = parts[0][1].source
    if any(d.passed is None for _, d in parts):
        return Total(None, {})
    sums: list[Any] = []
    with np.errstate(all="ignore"):
        for _, d in parts:
            part = np.conj(d.passed) if x.op is None and dtype_of(x).kind == "c" else d.passed
            sums.append(sums[-1] + part if sums else part)
        if x.grad is not None and np.any(np.isfinite(x.grad) & ~np.isfinite(sums[-1])):
            return Total(None, {})  # it went by a branch that was not taken: what is there is right
    so_far = {key: s for (key, _), s in zip(parts[:-1], sums, strict=False)}
    return Total(sums[-1], so_far, max(largest(d.passed) for _, d in parts))


def differs(grad: Any, reached: Total) -> bool:
    """Whether what `grad` holds is anything but the gradient of this pass, rounding aside."""
    if grad is None:
        return True
    if np.array_equal(grad, reached.gradient):
        return False
    near = min(1e4 * float(np.finfo(np.asarray(grad).dtype).eps), 0.01)
    return not np.allclose(grad, reached.gradient, rtol=near, atol=near * reached.largest, equal_nan=True)


def largest(x: Any) -> float:
    """The largest of the magnitudes that are finite."""
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))


def meaning(root: Value, called: str) -> str:
    """What a gradient in the picture is: a derivative, or, if the pass began with other numbers than 1, a sum."""
    derivative = partial(name(called), name("(this)")).text
    if root.grad is None or (np.size(root.grad) == 1 and np.all(np.asarray(root.grad) == 1)):
        return derivative
    return f"Σ grad({called}) · {derivative}"
