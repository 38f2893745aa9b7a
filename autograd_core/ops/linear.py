"""Maps that are linear in their arrays: sums, shapes, indexing, selection and joining; and products of matrices.

The adjoint of a linear map A is the map Aᵀ with ⟨A x, g⟩ = ⟨x, Aᵀ g⟩, and they come in pairs: the adjoint of a sum is a
broadcast, that of indexing a scatter, that of a transposition the transposition back. Each comment names the partner.
"""

import builtins
import operator
from typing import Any

import numpy as np
from numpy import ndarray

from ..data import dtype_of, ndim_of, shape_of, size_of
from ..op import POWER, PRODUCT, SUM, composed, flat, linear, multilinear, primitive
from ..value import Value

REQUIRED = object()
"""Marks a setting that has no default."""

ROWS = (3, 4)
REDUCTIONS = [
    ([ROWS], dict(axis=None)),
    ([ROWS], dict(axis=0)),
    ([ROWS], dict(axis=-1, keepdims=True)),
    ([(2, 3, 2)], dict(axis=(0, 2))),
    ([()], {}),
]
"""Samples for everything that reduces axes: the shapes of the arrays, and the settings."""

# Sums and broadcasts --------------------------------------------------------------------------------------------------


def keep_axes(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g, reduced from x over `axis`, with the reduced axes back as axes of length 1."""
    if keepdims or axis is None or ndim_of(g) == ndim_of(x):
        return g
    ndim = ndim_of(x)
    reduced = {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return g.reshape(tuple(1 if a in reduced else n for a, n in enumerate(shape_of(x))))


def count(x: Any, axis: Any) -> int:
    """How many elements of x a reduction over `axis` takes together."""
    if axis is None:
        return x.size if hasattr(x, "size") else 1
    shape, n = shape_of(x), 1
    for a in axis if isinstance(axis, tuple) else (axis,):
        n *= shape[a]
    return n


add_up = np.add.reduce


def sum_array(x: Any, axis: Any, keepdims: bool) -> Any:
    if type(x) is ndarray:
        return add_up(x, axis, None, None, keepdims)  # what np.sum does, without its detour
    return np.sum(x, axis=axis, keepdims=keepdims)


def mean_array(x: Any, axis: Any, keepdims: bool) -> Any:
    if type(x) is ndarray and x.size and x.dtype != np.float16:  # NumPy adds float16 up in float32
        return add_up(x, axis, None, None, keepdims) / count(x, axis)
    return np.mean(x, axis=axis, keepdims=keepdims)


def broadcast_array(x: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(x, (float, np.generic, np.ndarray)):
        filled = np.empty(shape, dtype_of(x))
        if filled.size < 16384:  # to fill is then quicker than NumPy's view
            filled.fill(x) if ndim_of(x) == 0 else np.copyto(filled, x)
            return filled
    return np.broadcast_to(x, shape)


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g, reduced from x over `axis`, broadcast back to the shape of x."""
    g = keep_axes(g, x, axis, keepdims)
    return broadcast_to.apply(g, shape_of(x)) if type(g) is Value else broadcast_array(g, shape_of(x))


sum = linear(
    "sum", sum_array, numpy=np.sum, settings=dict(axis=None, keepdims=False), samples=REDUCTIONS,
    text="Σ {x}", tex=r"\textstyle\sum {x}", precedence=PRODUCT,
    adjoints=(spread,),
)  # fmt: skip
mean = linear(
    "mean", mean_array, numpy=np.mean, settings=dict(axis=None, keepdims=False), samples=REDUCTIONS,
    text="mean({x})", tex=r"\operatorname{{mean}}({x})",
    adjoints=(lambda g, x, axis, keepdims: spread(g / count(x, axis), x, axis, keepdims),),
)  # fmt: skip
broadcast_to = linear(  # ↔ sum
    "broadcast_to", broadcast_array, numpy=np.broadcast_to, settings=dict(shape=REQUIRED),
    samples=[([(3, 1)], dict(shape=(2, 3, 4))), ([()], dict(shape=(2, 2)))],
    adjoints=(lambda g, x, shape: sum_to(g, shape_of(x)),),
)  # fmt: skip


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum g over the axes along which an array of `shape` was broadcast: the adjoint of broadcasting."""
    if type(g) is ndarray and g.shape[1:] == shape:
        return add_up(g, 0)  # a bias under a batch
    extra = ndim_of(g) - len(shape)
    grown = shape_of(g)[max(extra, 0) :]
    if extra < 0 or any(n != m and n != 1 for n, m in zip(shape, grown, strict=True)):
        raise ValueError(f"a gradient of shape {shape_of(g)} cannot come from a variable of shape {shape}")
    axes = (*range(extra), *[extra + a for a, n in enumerate(shape) if n == 1 and grown[a] != 1])
    if axes:
        g = sum.apply(g, axes, False)
    return g if shape_of(g) == shape else reshape.apply(g, shape)


# Shape: each of these only moves elements, and its adjoint moves them back ----------------------------------------------

identity = linear("identity", lambda x: x, text="{x}", tex="{x}", samples=[([ROWS], {})], adjoints=(lambda g, x: g,))
reshape = linear(
    "reshape", np.reshape, numpy=np.reshape, settings=dict(shape=REQUIRED),
    samples=[([ROWS], dict(shape=(2, 6))), ([ROWS], dict(shape=-1)), ([()], dict(shape=(1, 1)))],
    adjoints=(lambda g, x, shape: reshape(g, shape_of(x)),),
)  # fmt: skip
transpose = linear(
    "transpose", np.transpose, numpy=np.transpose, settings=dict(axes=None),
    samples=[([ROWS], {}), ([(2, 3, 4)], dict(axes=(1, 2, 0)))],
    text="{x}ᵀ", tex=r"{x}^{{\mathsf T}}", precedence=POWER,
    adjoints=(lambda g, x, axes: transpose(g, None if axes is None else tuple(np.argsort(axes).tolist())),),
)  # fmt: skip
swapaxes = linear(
    "swapaxes", np.swapaxes, numpy=np.swapaxes, settings=dict(axis1=REQUIRED, axis2=REQUIRED),
    samples=[([(2, 3, 4)], dict(axis1=0, axis2=-1))],
    adjoints=(lambda g, x, axis1, axis2: swapaxes(g, axis1, axis2),),
)  # fmt: skip
moveaxis = linear(
    "moveaxis", np.moveaxis, numpy=np.moveaxis, settings=dict(source=REQUIRED, destination=REQUIRED),
    samples=[([(2, 3, 4)], dict(source=0, destination=-1))],
    adjoints=(lambda g, x, source, destination: moveaxis(g, destination, source),),
)  # fmt: skip
squeeze = linear(
    "squeeze", np.squeeze, numpy=np.squeeze, settings=dict(axis=None),
    samples=[([(1, 3, 1)], {}), ([(1, 3, 1)], dict(axis=0))],
    adjoints=(lambda g, x, axis: reshape(g, shape_of(x)),),
)  # fmt: skip
expand_dims = linear(
    "expand_dims", np.expand_dims, numpy=np.expand_dims, settings=dict(axis=REQUIRED),
    samples=[([ROWS], dict(axis=1)), ([ROWS], dict(axis=(0, 3)))],
    adjoints=(lambda g, x, axis: reshape(g, shape_of(x)),),
)  # fmt: skip
flip = linear(
    "flip", np.flip, numpy=np.flip, settings=dict(axis=None), samples=[([ROWS], {}), ([ROWS], dict(axis=1))],
    adjoints=(lambda g, x, axis: flip(g, axis),),
)  # fmt: skip
roll = linear(
    "roll", np.roll, numpy=np.roll, settings=dict(shift=REQUIRED, axis=None),
    samples=[([ROWS], dict(shift=2)), ([ROWS], dict(shift=(1, -1), axis=(0, 1)))],
    adjoints=(lambda g, x, shift, axis: roll(g, tuple(np.negative(shift)) if np.ndim(shift) else -shift, axis),),
)  # fmt: skip
tril = linear(
    "tril", np.tril, numpy=np.tril, settings=dict(k=0), samples=[([ROWS], {}), ([ROWS], dict(k=-1))],
    adjoints=(lambda g, x, k: tril(g, k),),
)  # fmt: skip
triu = linear(
    "triu", np.triu, numpy=np.triu, settings=dict(k=0), samples=[([ROWS], {}), ([ROWS], dict(k=1))],
    adjoints=(lambda g, x, k: triu(g, k),),
)  # fmt: skip


def running_sum(x: Any, axis: int | None) -> Any:
    return np.cumsum(x, axis=axis)


cumsum = linear(  # its adjoint runs from the other end
    "cumsum", running_sum, numpy=np.cumsum, settings=dict(axis=None),
    samples=[([ROWS], dict(axis=1)), ([ROWS], dict(axis=None))],
    adjoints=(lambda g, x, axis: reshape(flip(cumsum(flip(g, axis), axis), axis), shape_of(x)),),
)  # fmt: skip


def cast(x: Any, dtype: Any) -> Any:
    if dtype is float:
        return float(x)  # a Python float, whose precision is weak
    if dtype.kind not in "fc":
        raise TypeError(f"a Value has no derivative as {dtype}; write v.data.astype('{dtype}') for plain data")
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


astype = linear(
    "astype", cast, settings=dict(dtype=REQUIRED), samples=[([ROWS], dict(dtype=np.dtype(np.float64)))],
    adjoints=(lambda g, x, dtype: astype(g, dtype_of(x)),),
)  # fmt: skip

# Complex numbers; gradients are transposes here, and are conjugated once at the leaf -----------------------------------

real = linear("real", np.real, numpy=np.real, samples=[([ROWS], {})], adjoints=(lambda g, x: g,))
imag = linear("imag", np.imag, numpy=np.imag, samples=[([ROWS], {})], adjoints=(lambda g, x: g * -1j,))
conj = linear(
    "conj", np.conjugate, numpy=np.conjugate, samples=[([ROWS], {})], text="{x}*", tex=r"\overline{{{x}}}",
    adjoints=(lambda g, x: conj(g),),
)  # fmt: skip

# Indexing and selection -----------------------------------------------------------------------------------------------


def is_basic(index: Any) -> bool:
    """Whether an index only slices, so that it takes no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (slice, int, np.integer)) and not isinstance(part, bool)
        for part in parts
    )


def take_items(x: Any, index: Any) -> Any:
    try:
        return x[index]
    except IndexError as error:
        raise IndexError(f"getitem of shape {shape_of(x)}: {error}") from None


def add_items(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with g added at `index`; items that the index takes several times add up."""
    out = np.zeros_like(g, shape=shape, dtype=dtype_of(g))
    if is_basic(index):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


getitem = linear(
    "getitem", take_items, settings=dict(index=REQUIRED), text="{x}[{index}]", tex="{x}_{{{index}}}",
    samples=[([ROWS], dict(index=1)), ([ROWS], dict(index=(slice(None, None, -2), None, ...))),
             ([ROWS], dict(index=([0, 2, 0], [1, 1, 1]))), ([ROWS], dict(index=np.eye(3, 4, dtype=bool)))],
    adjoints=(lambda g, x, index: scatter_add(g, index, shape_of(x)),),
)  # fmt: skip
scatter_add = linear(  # ↔ getitem
    "scatter_add", add_items, settings=dict(index=REQUIRED, shape=REQUIRED),
    samples=[([(4,)], dict(index=1, shape=ROWS)), ([(3,)], dict(index=([0, 2, 0], [1, 1, 1]), shape=ROWS))],
    adjoints=(lambda g, x, index, shape: getitem(g, index),),
)  # fmt: skip


def choose(condition: Any, x: Any, y: Any) -> Any:
    """`where`, decided at once if the condition is a plain bool."""
    if type(condition) is bool:
        return x if condition else y
    return np.where(condition, x, y)


MASK = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, False]])

where = linear(
    "where", choose, numpy=np.where, samples=[([MASK, ROWS, ROWS], {}), ([MASK, ROWS, (4,)], {})],
    text="{y} if {condition} else {z}", tex=r"\begin{{cases}}{y}&{x}\\{z}&\text{{else}}\end{{cases}}",
    adjoints=(None,
              lambda g, condition, x, y: where(condition, g, 0.0),
              lambda g, condition, x, y: where(condition, 0.0, g)),
)  # fmt: skip

# Joining and splitting ------------------------------------------------------------------------------------------------


def join(*args: Any) -> Any:
    *arrays, axis = args
    return np.concatenate([np.atleast_1d(x) if axis is None else x for x in arrays], axis=axis)


def part(k: int, g: Any, *args: Any) -> Any:
    *arrays, axis = args
    if axis is None:
        start = builtins.sum(size_of(x) for x in arrays[:k])
        return reshape(g[start : start + size_of(arrays[k])], shape_of(arrays[k]))
    start = builtins.sum(shape_of(x)[axis] for x in arrays[:k])
    cut = slice(start, start + shape_of(arrays[k])[axis])
    return g[(slice(None),) * (axis % ndim_of(g)) + (cut,)]


def pile(*args: Any) -> Any:
    *arrays, axis = args
    return np.stack(arrays, axis=axis)


concatenate = linear(
    "concatenate", join, numpy=np.concatenate, variadic=True, settings=dict(axis=0), adjoints=(part,),
    samples=[([(2, 3), (1, 3)], {}), ([(2, 3), (2, 1), (2, 2)], dict(axis=-1)), ([(2, 3), (2,)], dict(axis=None))],
)  # fmt: skip
stack = linear(
    "stack", pile, numpy=np.stack, variadic=True, settings=dict(axis=0),
    samples=[([(2, 3), (2, 3)], {}), ([(2,), (2,), (2,)], dict(axis=-1)), ([(), ()], {})],
    adjoints=(lambda k, g, *args: g[(slice(None),) * (args[-1] % ndim_of(g)) + (k,)],),
)  # fmt: skip


@composed(np.split, np.array_split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """See `np.split`: each part is a slice of the whole."""
    n = shape_of(ary)[axis]
    parts = np.array_split(np.arange(n), indices_or_sections)
    if isinstance(indices_or_sections, int) and n % indices_or_sections:
        raise ValueError(f"split: an axis of length {n} does not divide into {indices_or_sections} equal parts")
    before = (slice(None),) * (axis % ndim_of(ary))
    return [ary[(*before, slice(p[0], p[-1] + 1) if len(p) else slice(0, 0))] for p in parts]


@composed(np.vstack)
def vstack(tup: Any) -> Any:
    """See `np.vstack`."""
    return concatenate([reshape(x, (1, -1)) if ndim_of(x) < 2 else x for x in tup])


@composed(np.hstack)
def hstack(tup: Any) -> Any:
    """See `np.hstack`."""
    return concatenate([reshape(x, -1) if ndim_of(x) == 0 else x for x in tup], 1 if ndim_of(tup[0]) > 1 else 0)


@composed(np.ravel)
def ravel(a: Any) -> Any:
    """See `np.ravel`."""
    return reshape(a, -1)


@composed(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """See `np.diagonal`: the elements a[..., i, i + offset]."""
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = shape_of(a)[-2:]
    i = np.arange(max(0, -offset), max(0, min(rows, columns - offset), -offset))
    return a[..., i, i + offset]


@composed(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """See `np.trace`."""
    return sum(diagonal(a, offset, axis1, axis2), -1)


# Products of matrices -------------------------------------------------------------------------------------------------


def mT(x: Any) -> Any:
    """The transpose of a matrix, or of each matrix of a stack."""
    return x.T if x.ndim == 2 else swapaxes(x, -1, -2)


def left(g: Any, x: Any, y: Any) -> Any:
    """g yᵀ. A vector on either side counts as a matrix of one row or column, which g then lacks."""
    if x.ndim >= 2 <= y.ndim:
        return g @ mT(y)
    if ndim_of(y) == 1:
        return np.multiply(expand_dims(g, -1) if ndim_of(x) > 1 else g, y)
    return reshape(y @ expand_dims(g, -1), shape_of(y)[:-1])


def right(g: Any, x: Any, y: Any) -> Any:
    """xᵀ g, with vectors as in `left`."""
    if x.ndim >= 2 <= y.ndim:
        return mT(x) @ g
    if ndim_of(x) == 1:
        return np.multiply(expand_dims(x, -1), expand_dims(g, -2)) if ndim_of(y) > 1 else np.multiply(g, x)
    return reshape(mT(x) @ expand_dims(g, -1), (*shape_of(x)[:-2], shape_of(x)[-1]))


matmul = multilinear(
    "matmul", operator.matmul, numpy=np.matmul, text="{x} {y}", tex="{x} {y}", precedence=PRODUCT,
    samples=[([(2, 3), (3, 4)], {}), ([(3,), (3,)], {}), ([(3,), (3, 2)], {}), ([(2, 3), (3,)], {}),
             ([(5, 2, 3), (3, 4)], {}), ([(5, 2, 3), (3,)], {}), ([(3,), (5, 3, 2)], {}),
             ([(2, 3), (5, 3, 2)], {})],
    adjoints=(left, right),
)  # fmt: skip
outer = multilinear(
    "outer", np.outer, numpy=np.outer, text="{x} ⊗ {y}", tex=r"{x} \otimes {y}", precedence=PRODUCT,
    samples=[([(3,), (4,)], {}), ([(2, 2), ()], {})],
    adjoints=(lambda g, x, y: reshape(g @ reshape(y, -1), shape_of(x)),
              lambda g, x, y: reshape(reshape(x, -1) @ g, shape_of(y))),
)  # fmt: skip


def multiply_add(x: Any, weight: Any, bias: Any) -> Any:
    out = x @ weight
    if type(out) is type(bias) is ndarray and bias.ndim == 1 and out.dtype is bias.dtype and out.ndim:
        return np.add(out, bias, out)  # no second array
    return out + bias


affine = primitive(
    "affine", multiply_add, text="{x} {y} + {z}", tex="{x} {y} + {z}", precedence=SUM,
    samples=[([(4, 3), (3, 2), (2,)], {}), ([(3,), (3, 2), (2,)], {}), ([(4, 3), (3, 2), ()], {})],
    pullbacks=(lambda g, out, x, weight, bias: g @ weight.T if x.ndim == 2 else left(g, x, weight),
               lambda g, out, x, weight, bias: x.T @ g if x.ndim == 2 else right(g, x, weight),
               lambda g, out, x, weight, bias: g),
    doc="""x W + b, a layer of weights: one op where `x @ weight + bias` records two.

    Shapes: x (n, in) or (in,), weight (in, out), bias (out,) or a scalar.

    >>> affine(np.ones((1, 2)), np.array([[1.0], [2.0]]), np.array([0.5]))
    array([[3.5]])
    """,
)  # fmt: skip


@composed(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """See `np.tensordot`: both arrays as matrices, multiplied, and the result in its shape."""
    if isinstance(axes, int):
        axes = (tuple(range(ndim_of(a) - axes, ndim_of(a))), tuple(range(axes)))
    summed = [tuple(i % ndim_of(x) for i in np.atleast_1d(ax).tolist()) for x, ax in zip((a, b), axes, strict=True)]
    free = [tuple(i for i in range(ndim_of(x)) if i not in s) for x, s in zip((a, b), summed, strict=True)]
    shape = [[shape_of(x)[i] for i in f] for x, f in zip((a, b), free, strict=True)]
    rows = reshape(transpose(a, free[0] + summed[0]), (int(np.prod(shape[0])), -1))
    columns = reshape(transpose(b, summed[1] + free[1]), (-1, int(np.prod(shape[1]))))
    return reshape(rows @ columns, (*shape[0], *shape[1]))


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


# Questions about an array have plain answers -----------------------------------------------------------------------------

flat(
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.result_type, np.iscomplexobj,
    np.isrealobj, np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero, np.all,
    np.any, np.allclose, np.isclose, np.array_equal, np.array_repr, np.array_str, np.array2string, np.searchsorted,
    np.may_share_memory, np.shares_memory, np.lexsort, np.iscomplex, np.isreal,
)  # fmt: skip
