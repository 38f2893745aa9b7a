"""Order and statistics: sorting, quantiles, averages.

Sorting is a permutation that the data choose; where they are not equal it does not change nearby, so its derivative is
that of taking elements. Equal elements keep their order.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..data import as_array, dtype_of, is_foreign, is_weak, ndim_of, shape_of
from ..op import composed
from ..value import Value, plain
from .arrange import take_along_axis
from .indexing import choose
from .linear import broadcast_to, converted, count, in_dtype, ravel, reshape, sum, to_axes
from .matrices import matmul
from .primitive import max, min

Axis = int | tuple[int, ...] | None

# Sorting --------------------------------------------------------------------------------------------------------------


@composed(np.sort)
def sort(a: Any, axis: int | None = -1, kind: str | None = None, order: None = None, *, stable: bool = True) -> Any:
    """See `np.sort`; it is stable always."""
    if order is not None:
        raise TypeError("np.sort takes no order= on a Value: it has no fields")
    if axis is None:
        a, axis = ravel(a), 0
    axis = normalize_axis_index(axis, ndim_of(a))
    return take_along_axis(a, np.argsort(plain(a), axis=axis, stable=True), axis)


@composed(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Any:
    """See `np.partition`."""
    if order is not None:
        raise TypeError("np.partition takes no order= on a Value: it has no fields")
    if axis is None:
        a, axis = ravel(a), 0
    axis = normalize_axis_index(axis, ndim_of(a))
    return take_along_axis(a, np.argpartition(plain(a), kth, axis=axis), axis)


@composed(np.ptp)
def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """See `np.ptp`."""
    return max(a, axis=axis, keepdims=keepdims) - min(a, axis=axis, keepdims=keepdims)


# Quantiles ------------------------------------------------------------------------------------------------------------

CONTINUOUS = {
    "linear": (1.0, 1.0), "weibull": (0.0, 0.0), "hazen": (0.5, 0.5), "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8), "interpolated_inverted_cdf": (0.0, 1.0),
}  # fmt: skip
"""α and β of the sample quantiles of Hyndman and Fan (*The American Statistician*, 1996): the quantile q of n elements
in order is at the place n q + α + q (1 - α - β) - 1, between two elements in proportion."""


def quantiles(a: Any, q: Any, axis: Axis, method: str, keepdims: bool, skip_nan: bool) -> Any:
    """The quantiles of a over `axis`, of all elements or of those that are numbers; q is differentiated, too."""
    axes = normalize_axis_tuple(range(ndim_of(a)) if axis is None else axis, ndim_of(a))
    front = to_axes(a, axes, tuple(range(len(axes))))
    rest = shape_of(front)[len(axes) :]
    rows = sort(reshape(front, (count(a, axes), math.prod(rest))), 0)  # nan is last
    if not count(a, axes):
        rows = np.concatenate([rows, np.full((1, math.prod(rest)), np.nan, dtype_of(a))])  # nan is that of nothing
    data = plain(rows)
    n = np.sum(np.logical_not(np.isnan(data)), axis=0) if skip_nan else np.full(data.shape[1], data.shape[0])
    shape = np.shape(plain(q))
    given, weak = q, type(q) is Value and is_weak(plain(q))
    q = reshape(q, (-1, 1)) if type(q) is Value else np.reshape(np.asarray(q, float), (-1, 1))
    if not is_foreign(plain(q)) and (np.any(plain(q) < 0) or np.any(plain(q) > 1)):
        raise ValueError("quantiles are between 0 and 1, percentiles between 0 and 100")
    if method in ("lower", "higher", "nearest", "midpoint"):
        place = plain(q) * (n - 1)
        below, above = np.floor(place), np.ceil(place)
        if method == "nearest":
            below = above = np.rint(place)
        above = {"lower": below, "higher": above, "nearest": above, "midpoint": above}[method]
        below = above if method == "higher" else below
        part: Any = np.full(place.shape, 0.5)
    elif method in CONTINUOUS:
        alpha, beta = CONTINUOUS[method]
        place = n.astype(dtype_of(q)) * q + (alpha + q * (1 - alpha - beta)) - 1
        below = np.floor(plain(place))
        above, part = below + 1, place - below
    elif method == "median":
        place = plain(q) * (n - 1)
        below, above, part = np.floor(place), np.ceil(place), None
    else:
        raise TypeError(f"quantiles of a Value have no method {method!r}; there are {', '.join(CONTINUOUS)}, "
                        "lower, higher, nearest and midpoint")  # fmt: skip
    whole = type(q) is not Value and np.asarray(given).dtype.kind in "biu"  # then a place is one of an element
    low, high = (np.clip(k, 0, np.maximum(n - 1, 0)).astype(int) for k in (below, above))
    columns = np.arange(data.shape[1])
    x, y = rows[low, columns], rows[high, columns]
    if part is None:
        out = choose(low == high, x, (x + y) / 2)
    else:
        part = in_dtype(part, dtype_of(a)) if weak or type(part) is not Value else part
        away = (y - x) * choose(plain(part) >= 0.5, 1 - part, part)  # of the nearer one, which may be infinite
        alone = (low == high) | (plain(part) == 0) if whole else low == high
        out = choose(alone, x, choose(plain(part) >= 0.5, y - away, x + away))  # inf - inf is nan
    if not skip_nan and (is_foreign(data) or np.isnan(data[-1:]).any()):
        out = np.where(np.isnan(data[-1]), rows[-1], out)  # nan is what comes out, and gets the gradient
    out = reshape(out, shape + rest)
    if keepdims:
        out = reshape(out, shape + tuple(1 if k in axes else m for k, m in enumerate(shape_of(a))))
    return out


def real_numbers(a: Any) -> Any:
    """a, if it is real: as in NumPy, medians are of whatever is sorted, and all other quantiles of real numbers."""
    if dtype_of(a).kind == "c":
        raise TypeError("quantiles are of real numbers, and these are complex: take np.real, np.imag or np.abs before")
    return a


@composed(np.quantile)
def quantile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    """See `np.quantile`."""
    return quantiles(real_numbers(a), q, axis, method, keepdims, False)


@composed(np.percentile)
def percentile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    """See `np.percentile`."""
    return quantiles(real_numbers(a), np.true_divide(q, 100), axis, method, keepdims, False)


@composed(np.median)
def median(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """See `np.median`: of an even number of elements the mean of the two in the middle."""
    return quantiles(a, 0.5, axis, "median", keepdims, False)


@composed(np.nanquantile)
def nanquantile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    """See `np.nanquantile`."""
    return quantiles(real_numbers(a), q, axis, method, keepdims, True)


@composed(np.nanpercentile)
def nanpercentile(a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    """See `np.nanpercentile`."""
    return quantiles(real_numbers(a), np.true_divide(q, 100), axis, method, keepdims, True)


@composed(np.nanmedian)
def nanmedian(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """See `np.nanmedian`."""
    return quantiles(a, 0.5, axis, "median", keepdims, True)


# Averages -------------------------------------------------------------------------------------------------------------


@composed(np.average)
def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:  # fmt: skip
    """See `np.average`: Σ w a / Σ w."""
    if weights is None:
        out, total = np.mean(a, axis=axis, keepdims=keepdims), np.asarray(count(a, axis), dtype_of(a))
    else:
        w = as_array(weights)
        if shape_of(w) != shape_of(a):
            axes = () if axis is None else normalize_axis_tuple(axis, ndim_of(a))
            if shape_of(w) != tuple(shape_of(a)[k] for k in axes):
                raise TypeError(
                    "np.average takes weights of the shape of a, or with axis= of the lengths of those axes"
                )
            lengths = tuple(n if k in axes else 1 for k, n in enumerate(shape_of(a)))
            w = broadcast_to(reshape(np.transpose(w, np.argsort(axes)), lengths), shape_of(a))
        total = sum(w, axis=axis, keepdims=keepdims)
        if not is_foreign(plain(total)) and np.any(plain(total) == 0):
            raise ZeroDivisionError("np.average: the weights sum to 0")
        out = sum(a * w, axis=axis, keepdims=keepdims) / total
        total = in_dtype(total, dtype_of(out))
    return (out, broadcast_to(total, shape_of(out))) if returned else out


@composed(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """See `np.cov`: an observation counts as often as `fweights` say, and as much as `aweights`, differentiated too."""
    x = np.atleast_2d(m)
    x = x if rowvar or ndim_of(m) == 1 else x.T
    if y is not None:
        other = np.atleast_2d(y)
        x = np.concatenate([x, other if rowvar or ndim_of(y) == 1 else other.T])
    x = converted(x, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = [w if type(w) is Value else np.asarray(w, np.real(plain(x)).dtype) for w in (fweights, aweights)
               if w is not None]  # fmt: skip
    if not weights:
        x = x - np.mean(x, axis=1, keepdims=True)
        return np.squeeze(matmul(x, np.conj(x.T)) / float(np.maximum(shape_of(x)[1] - ddof, 0)))
    w = math.prod(weights[1:], start=weights[0])
    n = np.sum(w)
    x = x - np.average(x, axis=1, weights=w, keepdims=True)
    free = n - ddof if aweights is None else n - ddof * np.sum(w * weights[-1]) / n
    return np.squeeze(matmul(x * w, np.conj(x.T)) / np.maximum(free, 0))


@composed(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """See `np.corrcoef`."""
    c = cov(x, y, rowvar, dtype=dtype)
    if ndim_of(c) == 0:
        return c / c
    d = np.sqrt(np.real(np.diagonal(c)))
    return np.clip(c / d[:, None] / d[None, :], -1, 1) if dtype_of(c).kind != "c" else c / d[:, None] / d[None, :]
