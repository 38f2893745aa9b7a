"""Functions of NumPy that are recorded as others: shifts as slices that are joined, a norm as a sum of squares.

What they give is what NumPy's give, and what is asked for beyond that is left to NumPy.
"""

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..ops.arrange import diag
from ..ops.indexing import add_items, diagonal, is_basic
from ..ops.norms import euclid, scaled_euclid
from ..ops.sums import as_matrices
from .ir import constant
from .lowering import Recording, rule
from .spaced import as_slice
from .traced import Traced, trace_of, untraced


def along(axis: int, part: slice) -> tuple[slice, ...]:
    """The index of a part along an axis."""
    return (*(slice(None),) * axis, part)


def counted(*numbers: Any) -> list[int] | None:
    """Numbers that are known, as integers."""
    try:
        return None if trace_of(numbers) is not None else [operator.index(k) for k in numbers]
    except TypeError:
        return None


@rule(np.flip)
def flip(trace: Recording, m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(m.ndim))]


@rule(np.take)
def take(trace: Recording, a: Any, indices: Any, axis: int | None = None) -> Any:
    if np.asarray(untraced(indices)).dtype.kind not in "iu":
        return NotImplemented
    if axis is None:
        a, axis = np.ravel(a), 0
    return a[(slice(None),) * normalize_axis_index(axis, a.ndim) + (indices,)]


@rule(np.roll)
def roll(trace: Recording, a: Any, shift: Any, axis: Any = None) -> Any:
    known = counted(shift, 0 if axis is None else axis)
    if type(a) is not Traced or known is None or not a.ndim:
        return NotImplemented
    if axis is None:
        return np.reshape(np.roll(np.ravel(a), shift, 0), a.shape)
    axis = normalize_axis_index(known[1], a.ndim)
    k = -known[0] % a.shape[axis] if a.size else 0
    return np.concatenate([a[along(axis, slice(k, None))], a[along(axis, slice(k))]], axis) if k else a


@rule(np.diag)
def of_diagonal(trace: Recording, v: Any, k: Any = 0) -> Any:
    return diag(v, k) if type(v) is Traced and v.dtype.kind == "f" and counted(k) else NotImplemented


@rule(np.diagonal)
def diagonal_of(trace: Recording, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    known = counted(offset, axis1, axis2)
    return diagonal(a, *known) if type(a) is Traced and known else NotImplemented


@rule(np.trace)
def trace_of_matrix(trace: Recording, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    found = diagonal_of(trace, a, offset, axis1, axis2)
    return found if found is NotImplemented else np.sum(found, axis=-1)


def joining(function: Any) -> None:
    """Arrays one behind the other, in the dtype of the result; those that are known are constants of the program."""

    def join(trace: Recording, arrays: Any, axis: Any = 0) -> Any:
        if counted(axis) is None or not isinstance(arrays, (list, tuple)):
            return NotImplemented
        dtype = np.result_type(*[np.asarray(x) for x in untraced(list(arrays))])
        if dtype.kind not in "fiub":
            return NotImplemented
        parts = [x if type(x) is Traced else trace.wrap(constant(x), np.asarray(x)) for x in arrays]
        parts = [x if x.dtype == dtype else x.astype(dtype) for x in parts]
        return trace.call(function, (parts, operator.index(axis)), {})

    rule(function)(join)


joining(np.concatenate)
joining(np.stack)


@rule(np.std)
def std(trace: Recording, a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    if type(a) is not Traced or a.dtype.kind != "f" or not a.ndim:
        return NotImplemented
    return np.sqrt(np.var(a, axis=axis, ddof=ddof, keepdims=keepdims))


@rule(add_items)
def add_rows(trace: Recording, g: Any, index: Any, shape: Any) -> Any:
    g = g if type(g) is Traced else trace.wrap(constant(g), g)
    if not is_basic(index) and (even := as_slice(index, shape)) is not None:
        return np.reshape(trace.call(add_items, (g, even[1], even[0]), {}), shape)
    return trace.call(add_items, (g, trace.rows(index), shape), {})


@rule(np.repeat)
def repeat(trace: Recording, a: Any, repeats: Any, axis: Any = None) -> Any:
    known = counted(repeats, 0 if axis is None else axis)
    if type(a) is not Traced or known is None or known[0] < 0 or (axis is not None and not a.ndim):
        return NotImplemented
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    shape = list(a.shape)
    wide = np.broadcast_to(np.expand_dims(a, axis + 1), (*shape[: axis + 1], known[0], *shape[axis + 1 :]))
    shape[axis] *= known[0]
    return np.reshape(wide, shape)


@rule(np.pad)
def pad(trace: Recording, array: Any, pad_width: Any, mode: Any = "constant", kwargs: Any = None) -> Any:
    value = (kwargs or {}).get("constant_values", 0)
    if type(array) is not Traced or not array.ndim or mode != "constant" or np.ndim(value):
        return NotImplemented
    if trace_of([pad_width, value]) is not None:
        return NotImplemented
    if isinstance(pad_width, dict) or np.asarray(pad_width).dtype.kind not in "iu" or array.dtype.kind not in "fi":
        return NotImplemented
    widths = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
    if any(n < 0 for pair in widths for n in pair):
        return NotImplemented
    ends = [(begin, begin + n) for (begin, _), n in zip(widths, array.shape, strict=True)]
    shape = tuple(n + sum(pair) for n, pair in zip(array.shape, widths, strict=True))
    index = tuple(slice(*pair) for pair in ends)
    placed = trace.call(add_items, (array, index, shape), {})
    inside = np.zeros(shape, bool)
    inside[index] = True
    return np.where(inside, placed, np.asarray(value, array.dtype)) if value else placed


@rule(np.diff)
def diff(trace: Recording, a: Any, n: Any = 1, axis: Any = -1) -> Any:
    known = counted(n, axis)
    if type(a) is not Traced or known is None or known[0] < 0 or not a.ndim or a.dtype.kind not in "fi":
        return NotImplemented
    axis = normalize_axis_index(known[1], a.ndim)
    for _ in range(known[0]):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(-1))]
    return a


def triangle(function: Any, outside: bool) -> None:
    """What is below a diagonal, or not below the next one."""

    def take(trace: Recording, m: Any, k: Any = 0) -> Any:
        known = counted(k)
        if type(m) is not Traced or known is None or m.ndim < 2:
            return NotImplemented
        rows, columns = m.shape[-2:]
        below = np.tri(rows, columns, known[0] - outside, dtype=bool)
        return np.where(below != outside, m, np.zeros((), m.dtype))

    rule(function)(take)


triangle(np.tril, False)
triangle(np.triu, True)


@rule(np.linalg.norm)
def norm(trace: Recording, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if type(x) is not Traced or x.dtype.kind != "f" or not x.ndim or (axis is not None and counted(axis) is None):
        return NotImplemented
    if ord is not None and not (ord == 2 and (axis is not None or x.ndim == 1)):
        return NotImplemented
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


@rule(euclid)
def scaled_norm(trace: Recording, x: Any, axis: Any, keepdims: Any) -> Any:
    """The engine's, which scales where squares leave the range of the dtype; here it always does."""
    if type(x) is not Traced or x.dtype.kind != "f" or not x.ndim or not x.size:
        return NotImplemented
    return scaled_euclid(x, axis, keepdims)


def of_vectors(function: Any) -> None:
    """The inner product of two vectors; for vdot, of all elements."""

    def multiply(trace: Recording, a: Any, b: Any) -> Any:
        pair = [np.asarray(x) for x in untraced([a, b])]
        if any(x.dtype.kind != "f" or not x.ndim or (x.ndim > 1 and function is np.inner) for x in pair):
            return NotImplemented
        return np.dot(np.ravel(a), np.ravel(b))

    rule(function)(multiply)


of_vectors(np.vdot)
of_vectors(np.inner)


@rule(np.outer)
def outer(trace: Recording, a: Any, b: Any) -> Any:
    return np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1)))


@rule(np.einsum)
def einsum(trace: Recording, operands: Any, optimize: Any = False) -> Any:
    """Of two arrays: their axes in order, what is summed over in one or both of them, as a product of matrices."""
    subscripts, *arrays = operands
    if not isinstance(subscripts, str) or len(arrays) != 2 or "." in subscripts or "->" not in subscripts:
        return NotImplemented
    terms, out = subscripts.replace(" ", "").split("->")
    names = terms.split(",")
    x, y = arrays = [x if type(x) is Traced else np.asarray(x) for x in arrays]
    if [len(name) for name in names] != [x.ndim, y.ndim] or not set(out) <= set(terms):
        return NotImplemented  # NumPy says what is wrong
    if any(len(set(name)) < len(name) for name in (*names, out)) or {x.dtype.kind, y.dtype.kind} != {"f"}:
        return NotImplemented
    sizes = dict(zip("".join(names), (*x.shape, *y.shape), strict=True))
    if any(sizes[k] != n for name, z in zip(names, (x, y), strict=True) for k, n in zip(name, z.shape, strict=True)):
        return NotImplemented  # an axis of length 1 that is stretched
    for n, other in ((0, 1), (1, 0)):  # what concerns one array alone is summed
        alone = tuple(a for a, k in enumerate(names[n]) if k not in names[other] and k not in out)
        arrays[n] = np.sum(arrays[n], axis=alone) if alone else arrays[n]
        names[n] = "".join(k for a, k in enumerate(names[n]) if a not in alone)
    return as_matrices(arrays[0], arrays[1], f"{names[0]},{names[1]}->{out}")
