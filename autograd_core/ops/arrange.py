"""Rearranging elements: taking, repeating, padding, joining. Everything here is indexing, reshaping and concatenation.

A function of NumPy that only moves elements about is, for the derivative, the same function of the elements' positions:
so the positions are computed by NumPy itself on `np.arange(n)`, and one `getitem` does the rest.
"""

import builtins
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..data import as_array, as_constant, dtype_of, ndim_of, shape_of, size_of
from ..op import composed
from ..value import Value, plain
from .indexing import concatenate, diagonal, scatter_add
from .linear import broadcast_to, flip, identity, in_dtype, moveaxis, ravel, reshape, swapaxes

# Taking ---------------------------------------------------------------------------------------------------------------


def along(a: Any, index: Any, axis: int) -> Any:
    """a[..., index, ...] with the index at the given axis."""
    return a[(slice(None),) * (axis % ndim_of(a)) + (index,)]


@composed(np.take)
def take(a: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """See `np.take`."""
    indices = as_constant(plain(indices))
    if not size_of(indices) or dtype_of(indices).kind == "b":  # [] is an array of floats, and True the place 1
        indices = np.asarray(indices, int)
    if axis is None:
        a, axis = ravel(a), 0
    n = shape_of(a)[axis]
    if mode != "raise":
        indices = np.mod(indices, n) if mode == "wrap" else np.clip(indices, 0, n - 1)
    return along(a, indices, axis)


@composed(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """See `np.take_along_axis`."""
    indices = as_constant(plain(indices))
    if axis is None:
        return ravel(arr)[indices]
    if ndim_of(arr) != indices.ndim:
        raise ValueError(f"take_along_axis: {ndim_of(arr)} axes take indices of as many, not {indices.ndim}")
    places: list[Any] = [
        np.arange(n).reshape(tuple(-1 if b == a else 1 for b in range(indices.ndim)))
        for a, n in enumerate(shape_of(arr))
    ]
    places[axis] = indices
    return arr[tuple(places)]


@composed(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """See `np.compress`."""
    return take(a, np.compress(condition := plain(condition), np.arange(np.size(condition))), axis)


@composed(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """See `np.extract`."""
    return ravel(arr)[np.flatnonzero(plain(condition))]


@composed(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """See `np.delete`."""
    if axis is None:
        arr, axis = ravel(arr), 0
    return along(arr, np.delete(np.arange(shape_of(arr)[axis]), obj), axis)


@composed(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """See `np.insert`."""
    values = as_array(values)
    if dtype_of(arr).kind in "fc":
        values = in_dtype(values, dtype_of(arr))
    n, m = size_of(arr), size_of(values)
    places = np.insert(np.arange(n).reshape(shape_of(arr)), obj, np.arange(n, n + m).reshape(shape_of(values)), axis)
    return concatenate([ravel(arr), reshape(values, -1)])[places]


@composed(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True,
) -> Any:  # fmt: skip
    """See `np.unique`: each value is the first of its elements; indices and counts are plain."""
    _, index, inverse, counts = np.unique(
        plain(ar), return_index=True, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan
    )
    parts = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
    wanted = [part for asked, part in parts if asked]
    values = take(ar, index, axis)
    return (values, *wanted) if wanted else values


# Repeating and padding ------------------------------------------------------------------------------------------------


@composed(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """See `np.repeat`."""
    a = ravel(a) if axis is None or not ndim_of(a) else a
    axis = normalize_axis_index(axis or 0, ndim_of(a))
    if size_of(repeats) == 1 and ndim_of(repeats) < 2:  # an axis of copies, made one with that of elements
        shape, k, n = shape_of(a), axis + 1, int(np.reshape(plain(repeats), ()))
        copies = broadcast_to(reshape(a, (*shape[:k], 1, *shape[k:])), (*shape[:k], n, *shape[k:]))
        return reshape(copies, (*shape[: k - 1], n * shape[k - 1], *shape[k:]))
    return along(a, np.repeat(np.arange(shape_of(a)[axis]), plain(repeats)), axis)


@composed(np.tile)
def tile(A: Any, reps: Any) -> Any:  # noqa: N803  NumPy's name
    """See `np.tile`: every axis is one of copies and one of elements, made one again."""
    reps = tuple(np.atleast_1d(plain(reps)).tolist())
    ndim = max(ndim_of(A), len(reps))
    shape = (1,) * (ndim - ndim_of(A)) + shape_of(A)
    reps = (1,) * (ndim - len(reps)) + reps
    apart = [k for n in shape for k in (1, n)]
    full = [k for n, r in zip(shape, reps, strict=True) for k in (r, n)]
    copies = broadcast_to(reshape(A, tuple(apart)), tuple(full))
    return reshape(copies, tuple(n * r for n, r in zip(shape, reps, strict=True)))


@composed(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """See `np.resize`."""
    return ravel(a)[np.resize(np.arange(size_of(a)), new_shape)]


@composed(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **settings: Any) -> Any:
    """See `np.pad`, with the modes constant, edge, reflect, symmetric and wrap."""
    shape = shape_of(array)
    if isinstance(pad_width, dict):
        widths = [(0, 0)] * len(shape)
        for axis, width in pad_width.items():
            widths[axis] = (width, width) if isinstance(width, int) else width
        pad_width = widths
    widths = np.broadcast_to(np.asarray(plain(pad_width)), (len(shape), 2)).tolist()
    if mode != "constant":
        if mode not in ("edge", "reflect", "symmetric", "wrap") or settings.get("reflect_type", "even") != "even":
            raise TypeError("np.pad of a Value takes the modes constant, edge, reflect (even), symmetric (even), wrap")
        for axis, width in enumerate(widths):
            array = along(array, np.pad(np.arange(shape[axis]), width, mode, **settings), axis)
        return array
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))
    full = tuple(before + n + after for (before, after), n in zip(widths, shape, strict=True))
    out = scatter_add(array, inside, full)
    if settings.keys() - {"constant_values"} or type(settings.get("constant_values")) is Value:
        raise TypeError("np.pad of a Value in mode constant takes constant_values=, which is plain data")
    border = np.pad(np.zeros(shape, dtype_of(array)), widths, mode, **settings)
    return out + border if border.any() else out


# Axes -----------------------------------------------------------------------------------------------------------------


@composed(np.fliplr)
def fliplr(m: Any) -> Any:
    """See `np.fliplr`."""
    return flip(m, 1)


@composed(np.flipud)
def flipud(m: Any) -> Any:
    """See `np.flipud`."""
    return flip(m, 0)


@composed(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """See `np.rot90`."""
    first, second = axes
    if (first - second) % ndim_of(m) == 0:
        raise ValueError("rot90: the two axes must be different")
    if k % 2 == 0:
        return flip(m, (first, second)) if k % 4 else identity(m)
    return swapaxes(flip(m, second), first, second) if k % 4 == 1 else flip(swapaxes(m, first, second), second)


@composed(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """See `np.rollaxis`."""
    start = start + ndim_of(a) if start < 0 else start
    return moveaxis(a, axis, start - 1 if start > axis % ndim_of(a) else start)


def each(function: Any) -> Any:
    """A function of one array as NumPy's function of any number of them."""

    def call(*arys: Any) -> Any:  # without `functools.wraps`, which would give it the signature of one array
        parts = tuple([function(as_array(x)) for x in arys])
        return parts[0] if len(parts) == 1 else parts

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


@composed(np.atleast_1d)
@each
def atleast_1d(x: Any) -> Any:
    """See `np.atleast_1d`."""
    return x if ndim_of(x) else reshape(x, (1,))


@composed(np.atleast_2d)
@each
def atleast_2d(x: Any) -> Any:
    """See `np.atleast_2d`."""
    return x if ndim_of(x) >= 2 else reshape(x, (1, -1))


@composed(np.atleast_3d)
@each
def atleast_3d(x: Any) -> Any:
    """See `np.atleast_3d`."""
    return x if ndim_of(x) >= 3 else reshape(x, (*shape_of(x), 1) if ndim_of(x) == 2 else (1, -1, 1))


@composed(np.copy, np.positive)
def copy(a: Any) -> Any:
    """See `np.copy`."""
    return identity(a)


# Joining and splitting ------------------------------------------------------------------------------------------------


@composed(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """See `np.append`."""
    return concatenate([arr, values], axis)


@composed(np.column_stack)
def column_stack(tup: Any) -> Any:
    """See `np.column_stack`."""
    return concatenate([x if np.ndim(x) >= 2 else reshape(x, (-1, 1)) for x in tup], 1)


@composed(np.dstack)
def dstack(tup: Any) -> Any:
    """See `np.dstack`."""
    return concatenate([atleast_3d(as_array(x)) for x in tup], 2)


@composed(np.block)
def block(arrays: Any) -> Any:
    """See `np.block`: the innermost lists are joined along the last axis, the next along the one before."""

    def depth(x: Any) -> int:
        return 1 + max(map(depth, x)) if isinstance(x, list) else 0

    def raised(x: Any, ndim: int) -> Any:
        return reshape(x, (1,) * (ndim - ndim_of(x)) + shape_of(x)) if ndim_of(x) < ndim else x

    def joined(x: Any, axis: int, ndim: int) -> Any:
        if isinstance(x, list):
            return concatenate([joined(y, axis + 1, ndim) for y in x], axis)
        return raised(as_array(x), ndim)

    def widest(x: Any) -> int:
        return max(map(widest, x)) if isinstance(x, list) else np.ndim(x)

    levels = depth(arrays)
    return joined(arrays, -levels, max(levels, widest(arrays)))


@composed(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """See `np.vsplit`."""
    if ndim_of(ary) < 2:
        raise ValueError("vsplit: an array of one axis has no rows to split; use np.split")
    return np.split(ary, indices_or_sections, 0)


@composed(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """See `np.hsplit`."""
    return np.split(ary, indices_or_sections, 1 if ndim_of(ary) > 1 else 0)


@composed(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """See `np.dsplit`."""
    return np.split(ary, indices_or_sections, 2)


if hasattr(np, "unstack"):  # NumPy 2.1

    @composed(np.unstack)
    def unstack(x: Any, /, *, axis: int = 0) -> Any:
        """See `np.unstack`."""
        return tuple(along(x, k, axis) for k in range(shape_of(x)[axis]))


@composed(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> Any:
    """See `np.broadcast_arrays`."""
    shape = np.broadcast_shapes(*[np.shape(plain(x)) for x in args])
    return tuple(broadcast_to(x, shape) for x in args)


@composed(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """See `np.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError("meshgrid: indexing is 'xy' or 'ij'")
    order = [1, 0, *range(2, len(xi))] if indexing == "xy" and len(xi) > 1 else list(range(len(xi)))
    grids = [reshape(x, tuple(-1 if order[k] == a else 1 for a in range(len(xi)))) for k, x in enumerate(xi)]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


# Diagonals ------------------------------------------------------------------------------------------------------------


@composed(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """See `np.diagflat`."""
    v = ravel(v)
    i = np.arange(size_of(v))
    n = size_of(v) + builtins.abs(k)
    return scatter_add(v, (i + max(0, -k), i + max(0, k)), (n, n))


@composed(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """See `np.diag`: a vector becomes a matrix, of a matrix the diagonal is taken."""
    if ndim_of(v) not in (1, 2):
        raise ValueError("diag: input must be 1- or 2-d")
    return diagflat(v, k) if ndim_of(v) == 1 else diagonal(v, k)


@composed(np.linalg.diagonal)
def matrix_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """See `np.linalg.diagonal`."""
    return diagonal(x, offset, -2, -1)
