"""Products of matrices: linear in each factor, so that the gradient of one is a product with the other's transpose.

For C = A B, dC = dA B + A dB, and ⟨G, dC⟩ = ⟨G Bᵀ, dA⟩ + ⟨Aᵀ G, dB⟩ (Giles, *Collected matrix derivative results for
forward and reverse mode algorithmic differentiation*, 2008, section 2.1).
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from ..data import ndim_of, shape_of, size_of
from ..op import ELEMENTS, PRODUCT, SUM, composed, multilinear, primitive
from .linear import reshape, swapaxes, transpose


def product(x: Any, y: Any) -> Any:
    """x @ y. Two plain matrices go to BLAS at once: of small ones NumPy's `matmul` makes twice the time."""
    return x.dot(y) if type(x) is type(y) is ndarray and x.ndim == y.ndim == 2 else x @ y


def mT(x: Any) -> Any:
    """The transpose of a matrix, or of each matrix of a stack."""
    return x.T if x.ndim == 2 else swapaxes(x, -1, -2)


def left(g: Any, x: Any, y: Any) -> Any:
    """g yᵀ. A vector on either side counts as a matrix of one row or column, which g then lacks."""
    if x.ndim >= 2 <= y.ndim:
        return product(g, mT(y))
    if ndim_of(y) == 1:
        return np.multiply(np.expand_dims(g, -1) if ndim_of(x) > 1 else g, y)
    return np.reshape(y @ np.expand_dims(g, -1), shape_of(y)[:-1])


def right(g: Any, x: Any, y: Any) -> Any:
    """xᵀ g, with vectors as in `left`."""
    if x.ndim >= 2 <= y.ndim:
        return product(mT(x), g)
    if ndim_of(x) == 1:
        return np.multiply(np.expand_dims(x, -1), np.expand_dims(g, -2)) if ndim_of(y) > 1 else np.multiply(g, x)
    return np.reshape(mT(x) @ np.expand_dims(g, -1), (*shape_of(x)[:-2], shape_of(x)[-1]))


def matmul_together(k: int, t: Any, x: Any, y: Any) -> Any:
    """The product with each part of t along its first axis in the place of argument k."""
    left, right = (t, y) if k == 0 else (x, t)
    if x.ndim == 1:
        left = left[..., None, :]
    if y.ndim == 1:
        right = right[..., None]
    grown = max(left.ndim + (k == 1), right.ndim + (k == 0))  # the first axis stands before all that are broadcast
    if k == 0:
        left = left.reshape(len(t), *(1,) * (grown - left.ndim), *left.shape[1:])
    else:
        right = right.reshape(len(t), *(1,) * (grown - right.ndim), *right.shape[1:])
    out = left @ right
    out = out[..., 0] if y.ndim == 1 else out
    return out if x.ndim > 1 else out[..., 0] if y.ndim == 1 else out[..., 0, :]


matmul = multilinear(
    "matmul", product, operator="matmul", numpy=np.matmul,
    text="{x} @ {y}", tex=r"{x} \, {y}", precedence=PRODUCT,
    samples=[([(2, 3), (3, 4)], {}), ([(3,), (3,)], {}), ([(3,), (3, 2)], {}), ([(2, 3), (3,)], {}),
             ([(5, 2, 3), (3, 4)], {}), ([(5, 2, 3), (3,)], {}), ([(3,), (5, 3, 2)], {}),
             ([(2, 3), (5, 3, 2)], {})],
    adjoints=(left, right), batched=matmul_together,
)  # fmt: skip
outer = multilinear(
    "outer", np.outer, numpy=np.outer, text="{x} ⊗ {y}", tex=r"{x} \otimes {y}", precedence=ELEMENTS,
    samples=[([(3,), (4,)], {}), ([(2, 2), ()], {})],
    adjoints=(lambda g, x, y: reshape(g @ reshape(y, -1), shape_of(x)),
              lambda g, x, y: reshape(reshape(x, -1) @ g, shape_of(y))),
)  # fmt: skip


def multiply_add(x: Any, weight: Any, bias: Any) -> Any:
    out = product(x, weight)
    if type(out) is type(bias) is ndarray and bias.ndim == 1 and out.dtype is bias.dtype and out.ndim:
        return np.add(out, bias, out)  # no second array
    return out + bias


affine = primitive(
    "affine", multiply_add, text="{x} @ {y} + {z}", tex=r"{x} \, {y} + {z}", precedence=SUM,
    samples=[([(4, 3), (3, 2), (2,)], {}), ([(3,), (3, 2), (2,)], {}), ([(4, 3), (3, 2), ()], {})],
    pullbacks=(lambda g, out, x, weight, bias: left(g, x, weight),
               lambda g, out, x, weight, bias: right(g, x, weight),
               lambda g, out, x, weight, bias: g),
    batched=lambda k, t, x, weight, bias: t if k == 2 else matmul_together(k, t, x, weight),
    doc="""x W + b, a layer of weights: one op where `x @ weight + bias` records two.

    Shapes: x (..., in), weight (in, out), bias (out,) or a scalar; the result is (..., out). Others are a ValueError,
    unless NumPy's `matmul` and broadcasting take them. With g the gradient of the result, that of x is g Wᵀ, of the
    weight xᵀ g, of the bias the sum of the rows of g. Source: Giles, *Collected matrix derivative results*, 2008,
    section 2.1.

    >>> affine(np.ones((1, 2)), np.array([[1.0], [2.0]]), np.array([0.5]))
    array([[3.5]])
    """,
)  # fmt: skip


def mean_square(x: Any, y: Any) -> Any:
    difference = x - y
    if type(difference) is ndarray and difference.dtype == np.float64:
        flat = difference.ravel()
        return flat.dot(flat) / flat.size
    return np.mean(difference * difference)


def from_mean_square(g: Any, difference: Any) -> Any:
    return difference * (2 * g / size_of(difference))


mean_squared_error = primitive(
    "mean_squared_error", mean_square, text="mean(({x} − {y})²)", tex=r"\overline{{({x} - {y})^2}}",
    samples=[([(4, 3), (4, 3)], {}), ([(4, 3), (3,)], {}), ([(), ()], {})],
    pullbacks=(lambda g, out, x, y: from_mean_square(g, x - y),
               lambda g, out, x, y: from_mean_square(g, y - x)),
    doc="""1/N Σ (x - y)² over all N elements: one op where `np.mean((x - y) ** 2)` records three.

    x and y are real and broadcast against each other, or that is a ValueError; N counts the elements of x - y. The
    result is a number, in their dtype. The gradient of x is 2 (x - y) / N, and that of y its negative. Source: Bishop,
    *Pattern Recognition and Machine Learning*, 2006, section 1.1.

    >>> mean_squared_error([1.0, 2.0], [0.0, 0.0])
    np.float64(2.5)
    """,
)  # fmt: skip


@composed(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """See `np.tensordot`: both arrays as matrices, multiplied, and the result in its shape."""
    if isinstance(axes, int):
        axes = (tuple(range(ndim_of(a) - axes, ndim_of(a))), tuple(range(axes)))
    summed = [tuple(i % ndim_of(x) for i in np.atleast_1d(ax).tolist()) for x, ax in zip((a, b), axes, strict=True)]
    free = [tuple(i for i in range(ndim_of(x)) if i not in s) for x, s in zip((a, b), summed, strict=True)]
    (n, k), (m, j) = ([tuple(shape_of(x)[i] for i in p) for p in parts]
                      for x, parts in zip((a, b), zip(free, summed, strict=True), strict=True))  # fmt: skip
    if k != j:
        raise ValueError(f"tensordot: the axes that are summed have the lengths {k} and {j}")
    rows = arranged(a, free[0] + summed[0], (math.prod(n), math.prod(k)))
    columns = arranged(b, summed[1] + free[1], (math.prod(j), math.prod(m)))
    out = rows @ columns
    return out if shape_of(out) == n + m else reshape(out, n + m)


def arranged(x: Any, order: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """An array with its axes in an order and then in a shape; what it has already is not recorded."""
    x = x if order == tuple(range(ndim_of(x))) else transpose(x, order)
    return x if shape_of(x) == shape else reshape(x, shape)


@composed(np.dot)
def dot(a: Any, b: Any) -> Any:
    """See `np.dot`: the product of scalars, vectors and matrices; for more axes a sum over a's last and b's last but
    one.
    """
    if not ndim_of(a) or not ndim_of(b):
        return np.multiply(a, b)
    return matmul(a, b) if ndim_of(b) <= 2 else tensordot(a, b, (-1, -2))


@composed(np.inner)
def inner(a: Any, b: Any) -> Any:
    """See `np.inner`: a sum over the last axis of both."""
    if not ndim_of(a) or not ndim_of(b):
        return np.multiply(a, b)
    return tensordot(a, b, (-1, -1)) if ndim_of(b) > 1 else matmul(a, b)
