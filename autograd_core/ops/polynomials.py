"""Polynomials by their coefficients, of the highest power first, as NumPy's `poly` functions have them."""

from typing import Any

import numpy as np

from ..data import as_array, dtype_of, ndim_of, shape_of, size_of
from ..op import composed
from ..value import plain
from .eigen import eigvals
from .indexing import concatenate, stack
from .linear import ravel
from .ranges import trim_zeros


def coefficients(p: Any) -> Any:
    """One axis of numbers, of a number or an array."""
    return np.atleast_1d(as_array(p))


@composed(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """See `np.polyval`: Horner's scheme."""
    x = as_array(x)
    out: Any = x * 0
    for k in range(len(p)):
        out = out * x + p[k]
    return out


@composed(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803  NumPy's name
    """See `np.vander`."""
    x = coefficients(x)
    powers = range(shape_of(x)[0] if N is None else N)
    return stack([x**k for k in (powers if increasing else reversed(powers))], -1)


@composed(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """See `np.polyadd`."""
    a1, a2 = coefficients(a1), coefficients(a2)
    size = max(size_of(a1), size_of(a2))
    return lengthened(a1, size) + lengthened(a2, size)


def lengthened(p: Any, size: int) -> Any:
    """With zeros in front, of so many coefficients."""
    return concatenate([np.zeros(size - size_of(p), dtype_of(p)), p]) if size > size_of(p) else p


@composed(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """See `np.polysub`."""
    return polyadd(a1, -coefficients(a2))


@composed(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """See `np.polymul`: without the zeros in front of either."""
    factors = [trim_zeros(p, "f") if np.any(plain(p)) else p[:1] for p in map(coefficients, (a1, a2))]
    return np.convolve(*factors)


@composed(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    """See `np.polydiv`: quotient and remainder, by long division."""
    rest, v = coefficients(u), coefficients(v)
    quotient = []
    while size_of(rest) >= size_of(v):
        factor = rest[0] / v[0]
        quotient.append(factor)
        zeros = np.zeros(size_of(rest) - size_of(v), dtype_of(rest))
        rest = (rest - concatenate([factor * v, zeros]))[1:]
    if not quotient:
        return np.zeros(1, dtype_of(rest)), rest
    while size_of(rest) > 1 and np.isclose(plain(rest)[0], 0, rtol=1e-14):
        rest = rest[1:]
    return stack(quotient), rest if size_of(rest) else np.zeros(1, dtype_of(rest))


@composed(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """See `np.polyder`."""
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1).astype(dtype_of(p))
    return p


@composed(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """See `np.polyint`: differentiable in the constants of integration, too."""
    constants = np.zeros(m) if k is None else coefficients(k)
    if size_of(constants) == 1:
        constants = [constants[0]] * m
    for j in range(m):
        p = concatenate([p / np.arange(len(p), 0, -1).astype(dtype_of(p)), constants[j]], None)
    return p


@composed(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """See `np.polyfit`: the coefficients, differentiable in the points and in the weights."""
    if full or cov:
        raise TypeError("np.polyfit takes no full= or cov= on a Value")
    if w is not None:
        w = as_array(w)
        y = y * (w if ndim_of(y) == 1 else w[:, None])
    rows = vander(x, deg + 1)
    return np.linalg.lstsq(rows if w is None else rows * w[:, None], y, len(x) * 2e-16 if rcond is None else rcond)[0]


@composed(np.roots)
def roots(p: Any) -> Any:
    """See `np.roots`: the eigenvalues of the companion matrix; of equal roots there is no derivative."""
    p = ravel(p)
    places = np.flatnonzero(plain(p))
    if not len(places):
        return p[:0]
    zeros = np.zeros(size_of(p) - 1 - places[-1], dtype_of(p))
    p = p[places[0] : places[-1] + 1]
    if size_of(p) == 1:
        return zeros
    companion = concatenate([(-p[1:] / p[0])[None], np.eye(size_of(p) - 2, size_of(p) - 1, dtype=dtype_of(p))])
    return concatenate([eigvals(companion), zeros])


@composed(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """See `np.poly`: the polynomial with these roots, or the characteristic one of a matrix."""
    zeros = eigvals(seq_of_zeros) if ndim_of(seq_of_zeros) == 2 else ravel(seq_of_zeros)
    out: Any = np.ones(1, dtype_of(zeros))
    for k in range(size_of(zeros)):
        out = np.convolve(out, stack([np.ones((), dtype_of(zeros)), -zeros[k]]))
    data = plain(zeros)
    paired = dtype_of(zeros).kind == "c" and np.all(np.sort(data) == np.sort(np.conj(data)))
    return np.real(out) if paired else out
