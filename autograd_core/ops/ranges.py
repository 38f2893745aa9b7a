"""Ranges between two numbers that are differentiated, and functions that are applied along axes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import as_array, dtype_of, is_foreign, is_weak, ndim_of, shape_of, size_of
from ..op import composed
from ..value import Value, plain
from .indexing import concatenate, stack
from .linear import converted, cumsum, expand_dims, in_dtype, moveaxis, ravel, reshape
from .running import cumprod

# Ranges ---------------------------------------------------------------------------------------------------------------


def weights(start: Any, stop: Any, num: int, endpoint: bool) -> Any:
    """The numbers from 0 to 1 on an axis before those of the ends, in their dtype."""
    dtypes = [dtype_of(x) for x in (start, stop) if not is_weak(plain(x)) and dtype_of(x).kind in "fc"]
    t = np.linspace(0.0, 1.0, num, endpoint).astype(np.result_type(*dtypes or [float]))
    return t.reshape(-1, *(1,) * max(ndim_of(start), ndim_of(stop)))


def placed(out: Any, dtype: Any, axis: int) -> Any:
    """The result with its first axis where it was asked for."""
    out = out if dtype is None else out.astype(dtype)
    return out if axis == 0 else moveaxis(out, 0, axis)


@composed(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: str | None = None,
) -> Any:  # fmt: skip
    """See `np.linspace`: differentiable in both ends.

    >>> grad(lambda stop: np.sum(np.linspace(0.0, stop, 5)))(1.0)
    2.5
    """
    start, stop = (np.asarray(x) if isinstance(x, list) else x for x in (start, stop))
    t = weights(start, stop, num, endpoint)
    out = placed(start * (1 - t) + stop * t, dtype, axis)
    steps = num - 1 if endpoint else num
    return (out, (stop - start) / (steps if steps > 0 else np.nan)) if retstep else out


@composed(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """See `np.logspace`: differentiable in both ends and in the base."""
    base = base if type(base) is Value or not ndim_of(base) else np.asarray(base)
    start = reshape(start, (1,) * (ndim_of(base) - ndim_of(start)) + shape_of(start))
    return placed(base ** linspace(start, stop, num, endpoint), dtype, axis)


@composed(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:  # fmt: skip
    """See `np.geomspace`, of real numbers: differentiable in both ends."""
    if any(dtype_of(x).kind == "c" for x in (start, stop)):
        raise TypeError("np.geomspace of Values takes real ends: write start * (stop / start) ** np.linspace(0, 1, n)")
    signs = plain(start) * plain(stop)
    if not is_foreign(signs) and np.any(signs <= 0):
        raise ValueError("geomspace: both ends are positive, or both negative")
    return placed(start * (stop / start) ** weights(start, stop, num, endpoint), dtype, axis)


# Along axes -----------------------------------------------------------------------------------------------------------


def cumulated(accumulate: Callable[..., Any], first: float, x: Any, axis: int | None, dtype: Any, initial: bool) -> Any:
    """Running sums or products, perhaps with that of nothing before them."""
    x = np.atleast_1d(x)
    if axis is None:
        if ndim_of(x) != 1:
            raise ValueError("cumulative sums and products of several axes need axis=")
        axis = 0
    out = accumulate(converted(x, dtype), axis=axis)
    if not initial:
        return out
    shape = [1 if k == axis % ndim_of(x) else n for k, n in enumerate(shape_of(x))]
    return concatenate([np.full(shape, first, dtype_of(out)), out], axis)


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @composed(np.cumulative_sum)
    def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
        """See `np.cumulative_sum`."""
        return cumulated(cumsum, 0.0, x, axis, dtype, include_initial)

    @composed(np.cumulative_prod)
    def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
        """See `np.cumulative_prod`."""
        return cumulated(cumprod, 1.0, x, axis, dtype, include_initial)


@composed(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """See `np.lib.stride_tricks.sliding_window_view`: of a Value a copy, in which elements occur repeatedly."""
    places = np.arange(size_of(x)).reshape(shape_of(x))
    return ravel(x)[np.lib.stride_tricks.sliding_window_view(places, window_shape, axis)]


@composed(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """See `np.apply_along_axis`: a function of Values, called for each line of elements."""
    rows = moveaxis(arr, axis, -1)
    rest = shape_of(rows)[:-1]
    parts = [func1d(rows[index], *args, **kwargs) for index in np.ndindex(rest)]
    parts = [as_array(x) for x in parts]
    shape = shape_of(parts[0])
    out = reshape(stack(parts), rest + shape) if any(type(x) is Value for x in parts) else (
        np.reshape(np.stack(parts), rest + shape))  # fmt: skip
    start = axis % ndim_of(arr)
    return np.moveaxis(out, range(len(rest), len(rest) + len(shape)), range(start, start + len(shape)))


@composed(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """See `np.apply_over_axes`: `func(a, axis)` for one axis after the other; each stays, as one of length 1."""
    for axis in np.atleast_1d(axes):
        axis = int(axis) % ndim_of(a)
        out = func(a, axis)
        a = out if ndim_of(out) == ndim_of(a) else expand_dims(out, axis)
    return a


@composed(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb") -> Any:
    """See `np.trim_zeros`, of one axis."""
    if ndim_of(filt) != 1:
        raise TypeError("np.trim_zeros of a Value takes one axis")
    places = np.flatnonzero(plain(filt))
    if not len(places):
        return filt[:0]
    first = places[0] if "f" in trim.lower() else 0
    return filt[first : places[-1] + 1 if "b" in trim.lower() else len(filt)]


@composed(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """See `np.sort_complex`: the elements in order along the last axis, as complex numbers."""
    out = np.sort(a)
    return out if dtype_of(a).kind == "c" else in_dtype(out, np.dtype(complex))
