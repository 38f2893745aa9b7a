"""Products, running products, recurrences, and differences of neighbours.

The gradient of a product with respect to a factor is the product of all others: out / x where that is a number. Where
0, inf or nan came out, it is what comes before the factor times what comes after it; and of a running product the
latter is a recurrence of first order, whose gradient is one from the other end, too.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..data import QUIET, as_array, dtype_of, holds, ndim_of, shape_of
from ..op import Op, composed, primitive
from .indexing import concatenate
from .linear import REDUCTIONS, ROWS, broadcast_to, flip, keep_axes, moveaxis, ravel, reshape, sum

# Products -------------------------------------------------------------------------------------------------------------


def moved(x: Any, end: float, *, back: bool = False) -> Any:
    """x one step on along its first axis, behind a row of one number; or back, before it."""
    n, *rest = shape_of(x)
    row = np.full((min(n, 1), *rest), end, dtype_of(x))
    return concatenate([x[1:], row] if back else [row, x[:-1]])


def others(out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """For each element the product of all others along the axis: out / x, unless 0, inf or nan came out."""
    good = np.isfinite(out) & np.not_equal(out, 0)
    quotient = keep_axes(out, x, axis, keepdims) / x
    if holds(np.all(good)):
        return quotient
    ndim = len(shape_of(x))
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    front = np.moveaxis(x, axes, range(len(axes)))
    n, rest = math.prod(shape_of(front)[: len(axes)]), shape_of(front)[len(axes) :]
    rows = reshape(front, (n, *rest))
    before = np.cumprod(moved(rows, 1.0), 0)
    after = flip(np.cumprod(flip(moved(rows, 1.0, back=True), 0), 0), 0)
    found = np.moveaxis(reshape(before * after, shape_of(front)), range(len(axes)), axes)
    return np.where(keep_axes(good, x, axis, keepdims), quotient, found)


prod = primitive(
    "prod", lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims), numpy=np.prod,
    settings=dict(axis=None, keepdims=False), samples=REDUCTIONS, tex=r"\prod{over}\left({x}\right)",
    pullbacks=(lambda g, out, x, axis, keepdims:
               keep_axes(g, x, axis, keepdims) * others(out, x, axis, keepdims),),
)  # fmt: skip


SHORT = 16
"""So many elements of a recurrence are computed one by one."""


def recur(a: Any, b: Any, reverse: bool) -> Any:
    """yₖ = aₖ yₖ₋₁ + bₖ. Of a long part at once, as pₖ (y + Σ_{j ≤ k} bⱼ / pⱼ) with the products p of its a's and the y
    before it; where products are 0 or far from 1, of each half by itself."""
    if reverse:
        return recur(a[::-1], b[::-1], False)[::-1]
    out = np.empty(np.shape(b), np.result_type(a, b))
    far = float(np.finfo(out.dtype).max) ** (1 / 3)

    def fill(begin: int, end: int, total: Any) -> Any:
        if end - begin <= SHORT:
            for k in range(begin, end):
                out[k] = total = a[k] * total + b[k]
            return total
        y, p = b[begin:end], QUIET.copy().run(np.cumprod, a[begin:end], 0)
        if np.all((np.abs(p) > 1 / far) & (np.abs(p) < far) & (np.abs(y) < far)):
            out[begin:end] = p * (total + np.cumsum(y / p, 0))
            return out[end - 1]
        middle = (begin + end) // 2
        return fill(middle, end, fill(begin, middle, total))

    fill(0, len(b), 0.0)
    return out


recurrence: Op = primitive(  # its adjoint runs from the other end, and begins with g
    "recurrence", recur, settings=dict(reverse=False),
    samples=[([(4, 2), (4, 2)], {}), ([(4, 2), (4, 2)], dict(reverse=True)), ([(1,), (1,)], {})],
    pullbacks=(lambda g, out, a, b, reverse: back_from(g, a, reverse) * moved(out, 0.0, back=reverse),
               lambda g, out, a, b, reverse: back_from(g, a, reverse)),
    doc="qₖ = xₖ qₖ₋₁ + yₖ along the first axis, with 0 before the first; or from the last one on, qₖ = xₖ qₖ₊₁ + yₖ",
)  # fmt: skip


def back_from(g: Any, a: Any, reverse: bool) -> Any:
    """The gradient of each y of a recurrence: that of its own, and aₖ₊₁ times that of the next."""
    return recurrence(moved(a, 1.0, back=not reverse), g, reverse=not reverse)


def running_adjoint(g: Any, out: Any, x: Any, axis: int | None) -> Any:
    """Σ_{j ≥ i} gⱼ outⱼ / xᵢ; if 0, inf or nan came out, by the recurrence aᵢ = gᵢ + aᵢ₊₁ xᵢ₊₁, gxᵢ = aᵢ outᵢ₋₁."""
    if axis is None:
        return reshape(running_adjoint(reshape(g, -1), out, reshape(x, -1), 0), shape_of(x))
    if holds(np.all(np.isfinite(out) & np.not_equal(out, 0))):
        return flip(np.cumsum(flip(g * out, axis), axis), axis) / x
    g, out, x = (moveaxis(y, axis, 0) for y in (g, out, x))
    return moveaxis(back_from(g, x, False) * moved(out, 1.0), 0, axis)


cumprod = primitive(
    "cumprod", np.cumprod, numpy=np.cumprod, settings=dict(axis=None),
    samples=[([ROWS], dict(axis=1)), ([ROWS], {}), ([(3, 1)], dict(axis=0))], pullbacks=(running_adjoint,),
)  # fmt: skip


# Differences ----------------------------------------------------------------------------------------------------------


def alike(x: Any, a: Any) -> Any:
    """A number or list as an array of the dtype of a; an array or a variable as it is."""
    return as_array(x, dtype_of(a))


@composed(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """See `np.diff`."""
    if n < 0:
        raise ValueError("diff: n must not be negative")
    axis = normalize_axis_index(axis, ndim_of(a))
    parts = [p for p in (prepend, a, append) if p is not None]
    if n and len(parts) > 1:
        one = tuple(1 if k == axis else m for k, m in enumerate(shape_of(a)))
        a = concatenate([p if np.ndim(p) else broadcast_to(alike(p, a), one) for p in parts], axis)
    before = (slice(None),) * axis
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@composed(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """See `np.ediff1d`."""
    parts = [to_begin, diff(ravel(ary)), to_end]
    return concatenate([reshape(alike(p, ary), -1) for p in parts if p is not None])


@composed(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """See `np.trapezoid`: Σ (yᵢ + yᵢ₊₁) / 2 · (xᵢ₊₁ - xᵢ)."""
    y = moveaxis(y, axis, -1)
    if x is not None:
        x = alike(x, y)
        dx = diff(x) if ndim_of(x) == 1 else diff(moveaxis(x, axis, -1))
    return sum((y[..., 1:] + y[..., :-1]) * dx / 2, axis=-1)
