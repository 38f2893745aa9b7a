"""Norms of all orders, of vectors and of matrices. At 0 the gradient of a norm is 0, the subgradient of least norm."""

from typing import Any

import numpy as np

from ..data import QUIET, dtype_of, ndim_of, shape_of
from ..op import composed, primitive
from ..value import plain
from .indexing import choose, over_size
from .linalg import bar, inv
from .linear import REDUCTIONS, keep_axes, reshape, sum, to_axes
from .primitive import max, min
from .singular import svdvals

Axis = int | tuple[int, ...] | None


def sum_of_squares(x: Any, axis: Any, keepdims: Any) -> Any:
    """Σ|x|²; of all elements it is one dot product."""
    if axis is None and not keepdims:
        return np.real(np.vdot(x, x))
    return np.sum(np.real(x * np.conj(x)) if np.iscomplexobj(x) else np.square(x), axis=axis, keepdims=keepdims)


def euclid(x: Any, axis: Any, keepdims: bool) -> Any:
    """√Σ|x|², scaled if the squares leave the range of the dtype."""
    total = QUIET.copy().run(sum_of_squares, x, axis, keepdims)
    within = (total > float(np.finfo(dtype_of(total)).tiny) * 1e6) & (total < np.inf)
    if within.all() or np.size(x) == 0:
        return np.sqrt(total)
    return scaled_euclid(x, axis, keepdims)


def scaled_euclid(x: Any, axis: Any, keepdims: bool) -> Any:
    """√Σ|x|² by way of the largest element, so that no square leaves the range of the dtype."""
    size = np.abs(x)
    top = np.max(size, axis=axis, keepdims=True)
    top = np.where((top > 0) & np.isfinite(top), top, 1.0).astype(size.dtype)
    out = np.sqrt(np.sum(np.abs(x / top) ** 2, axis=axis, keepdims=True)) * top
    return out if keepdims else np.squeeze(out, axis=axis)[()]


euclidean_norm = primitive(
    "norm", euclid, settings=dict(axis=None, keepdims=False), samples=REDUCTIONS, tex=r"\left\|{x}\right\|{over}",
    pullbacks=(lambda g, out, x, axis, keepdims: keep_axes(g, x, axis, keepdims)
               * over_size(bar(x), keep_axes(out, x, axis, keepdims)),),
    doc="""√Σ|x|² over `axis` (None: over all), without overflow; its derivative at 0 is 0.

    >>> print(f"{np.linalg.norm(Value([3e200, 4e200])):.3g}")
    5e+200
    """,
)  # fmt: skip


def power_or_zero(x: Any, p: float) -> Any:
    """xᵖ, and 0 where x is 0, with the derivative 0 there."""
    zero = plain(x) == 0
    return choose(zero, 0.0, choose(zero, 1.0, x) ** p)


def of_vectors(x: Any, order: Any, axis: Any, keepdims: Any) -> Any:
    if order is None or order == 2:
        return euclidean_norm(x, axis=axis, keepdims=keepdims)
    if order == 0:
        return np.sum(np.not_equal(plain(x), 0), axis=axis, keepdims=keepdims).astype(np.abs(plain(x)).dtype)
    size = np.abs(x)
    if order == np.inf:
        return max(size, axis=axis, keepdims=keepdims)
    if order == -np.inf:
        return min(size, axis=axis, keepdims=keepdims)
    if order == 1:
        return sum(size, axis=axis, keepdims=keepdims)
    top = np.max(plain(size), axis=axis, keepdims=True, initial=0)  # a constant: the norm is homogeneous
    top = np.where((top > 0) & np.isfinite(top), top, 1.0).astype(plain(size).dtype)
    parts = size / top
    powers = power_or_zero(parts, order) if order > 0 else parts**order
    out = power_or_zero(sum(powers, axis=axis, keepdims=True), 1 / order) * top
    return out if keepdims else reshape(out, shape_of(np.sum(plain(x), axis=axis)))


def of_matrices(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    if order in (None, "fro", "f"):
        return euclidean_norm(x, axis=axes, keepdims=keepdims)
    y = to_axes(x, axes, (-2, -1))
    if order == "nuc":
        out = sum(svdvals(y), axis=-1)
    elif order in (2, -2):
        out = svdvals(y)[..., 0 if order == 2 else -1]
    elif order in (1, -1, np.inf, -np.inf):
        sums = sum(np.abs(y), axis=-2 if order in (1, -1) else -1)
        out = max(sums, axis=-1) if order > 0 else min(sums, axis=-1)
    else:
        raise ValueError(f"norm: a matrix has no norm of order {order!r}")
    if not keepdims:
        return out
    kept = {a % ndim_of(x) for a in axes}
    return reshape(out, tuple(1 if a in kept else n for a, n in enumerate(shape_of(x))))


@composed(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """See `np.linalg.norm`: all orders. Those of singular values are differentiable where these are distinct."""
    if axis is None and (ord is None or (ord in ("f", "fro") and ndim_of(x) == 2) or (ord == 2 and ndim_of(x) == 1)):
        return euclidean_norm(x, axis=None, keepdims=keepdims)
    axes = tuple(range(ndim_of(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: a vector has no norm of order {ord!r}")
        return of_vectors(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return of_matrices(x, ord, (axes[0], axes[1]), keepdims)
    raise ValueError("norm: improper number of dimensions to norm")


@composed(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """See `np.linalg.vector_norm`."""
    return of_vectors(x, ord, axis, keepdims)


@composed(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """See `np.linalg.matrix_norm`."""
    return of_matrices(x, ord, (-2, -1), keepdims)


@composed(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """See `np.linalg.cond`."""
    if p is None or p in (2, -2):
        s = svdvals(x)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    return of_matrices(x, p, (-2, -1), False) * of_matrices(inv(x), p, (-2, -1), False)
