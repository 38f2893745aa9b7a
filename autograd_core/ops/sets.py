"""Sets and histograms: the plain data decide what they select or count, and what is selected is differentiated."""

from typing import Any

import numpy as np

from ..op import composed
from ..value import Value, plain
from .functions import bincount
from .indexing import concatenate
from .linear import in_dtype, ravel
from .primitive import max, min
from .ranges import linspace
from .statistics import sort

# Sets -----------------------------------------------------------------------------------------------------------------

UniqueAll: Any = type(np.unique_all(np.zeros(1)))
UniqueCounts: Any = type(np.unique_counts(np.zeros(1)))
UniqueInverse: Any = type(np.unique_inverse(np.zeros(1)))


@composed(np.unique_values)
def unique_values(x: Any) -> Any:
    """See `np.unique_values`: each value is the first of its elements."""
    return np.unique(x, equal_nan=False)


@composed(np.unique_counts)
def unique_counts(x: Any) -> Any:
    """See `np.unique_counts`: the counts are plain."""
    return UniqueCounts(*np.unique(x, return_counts=True, equal_nan=False))


@composed(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    """See `np.unique_inverse`: the indices are plain."""
    return UniqueInverse(*np.unique(x, return_inverse=True, equal_nan=False))


@composed(np.unique_all)
def unique_all(x: Any) -> Any:
    """See `np.unique_all`: indices and counts are plain."""
    return UniqueAll(*np.unique(x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False))


@composed(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """See `np.union1d`: an element of both is that of the first."""
    return np.unique(concatenate([ar1, ar2], None))


@composed(np.intersect1d)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """See `np.intersect1d`: the elements are those of the first."""
    both, first, second = np.intersect1d(plain(ar1), plain(ar2), assume_unique, return_indices=True)
    out = in_dtype(ravel(ar1)[first], both.dtype)
    return (out, first, second) if return_indices else out


@composed(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """See `np.setdiff1d`."""
    x = ravel(ar1) if assume_unique else np.unique(ar1)
    return x[~np.isin(plain(x), plain(ar2))]


@composed(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """See `np.setxor1d`."""
    return sort(concatenate([setdiff1d(ar1, ar2, assume_unique), setdiff1d(ar2, ar1, assume_unique)]))


# Histograms -----------------------------------------------------------------------------------------------------------


@composed(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """See `np.histogram_bin_edges`: without range= they reach from the smallest to the largest element."""
    edges = np.histogram_bin_edges(plain(a), plain(bins), range, plain(weights))
    if not isinstance(bins, (int, np.integer, str)):
        return bins if type(bins) is Value else edges
    if range is not None or not np.size(plain(a)) or np.min(plain(a)) == np.max(plain(a)):
        return edges
    return linspace(min(a), max(a), len(edges))


def density_of(n: Any, edges: list[Any]) -> Any:
    """Counts divided by their sum and by the widths of the bins."""
    out = n / np.sum(n)
    for k, e in enumerate(edges):
        out = out / np.reshape(np.diff(e), [-1 if j == k else 1 for j in np.arange(len(edges))])
    return out


@composed(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None) -> Any:
    """See `np.histogram`: counts are plain; the edges, the weights and with them a density are differentiated."""
    edges = histogram_bin_edges(a, bins, range, weights)
    n = np.histogram(plain(a), plain(edges), weights=plain(weights))[0]
    if type(weights) is Value:
        data, e = np.ravel(plain(a)), plain(edges)
        place = np.where(data == e[-1], len(e) - 2, np.searchsorted(e, data, "right") - 1)  # the last bin is closed
        inside = (data >= e[0]) & (data <= e[-1])
        n = bincount(place[inside], ravel(weights)[inside], len(e) - 1)
    return (density_of(n, [edges]) if density else n), edges


@composed(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> Any:
    """See `np.histogramdd`, without weights that are differentiated."""
    if type(weights) is Value:
        raise TypeError("np.histogramdd and np.histogram2d take no Value as weights=: write np.bincount(bin, weights)")
    columns = list(sample) if isinstance(sample, (list, tuple)) else [np.atleast_2d(sample.T).T[:, k] for k in
               np.arange(np.atleast_2d(plain(sample).T).T.shape[1])]  # fmt: skip
    each = [bins] * len(columns) if isinstance(bins, (int, np.integer)) else bins
    edges = [
        histogram_bin_edges(x, b, None if range is None else range[k])
        for k, (x, b) in enumerate(zip(columns, each, strict=True))
    ]
    data = np.stack([plain(x) for x in columns], 1)
    n = np.histogramdd(data, [plain(e) for e in edges], weights=weights)[0]
    return (density_of(n, edges) if density else n), edges


@composed(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> Any:
    """See `np.histogram2d`, without weights that are differentiated."""
    if not isinstance(bins, (int, np.integer)) and len(bins) not in (1, 2):
        bins = [bins, bins]
    n, edges = histogramdd([x, y], bins, range, density, weights)
    return n, *edges
