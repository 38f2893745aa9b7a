"""Singular values: the decomposition A = U diag(s) Vᴴ, and least squares. `decompositions.py` states the policies.

Source: Townsend, *Differentiating the singular value decomposition*, 2016; Wan and Zhang, *Automatic differentiation
for complex valued SVD*, 2019. With P = Uᴴ dA V the differentials are

    dsᵢ = Re Pᵢᵢ,   dU = U (E + T) + (I - U Uᴴ) dA V diag(s)⁻¹,   dV = V (E - T) + (I - V Vᴴ) dAᴴ U diag(s)⁻¹,

where E divides the Hermitian part of P by the gaps, sⱼ - sᵢ, and T its skew part by the sums, sᵢ + sⱼ.
"""

from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..op import composed, primitive
from ..value import plain
from .arrange import take_along_axis
from .decompositions import (
    ROUNDING,
    eigh,
    eigvalsh,
    equal_values,
    hermitian,
    largest,
    marked,
    on_diagonal,
    over,
    over_gaps,
    real_diagonal,
    shared,
    sizable,
    skew,
    torn,
    undetermined,
)
from .linalg import bar, pinv, star, turned
from .linear import expand_dims, flip, reshape, sum
from .several import picked

SVDResult = type(np.linalg.svd(np.eye(1)))


def zeros_of(s: Any, x: Any) -> Any:
    """Which singular values are 0 within rounding, as plain data."""
    s = plain(s)
    return s <= ROUNDING * max(shape_of(x)[-2:]) * np.finfo(s.dtype).eps * np.max(s, axis=-1, keepdims=True, initial=0)


def stuck(zero: Any, x: Any, vectors: bool) -> Any:
    """Which of the zeros have the derivative 0: all but a single one of a square real matrix whose vectors are used."""
    m, n = shape_of(x)[-2:]
    if not vectors or m != n or dtype_of(x).kind == "c":
        return zero
    return zero & (np.count_nonzero(zero, axis=-1, keepdims=True) > 1)


def over_sums(x: Any, s: Any, zero: Any) -> Any:
    """xᵢⱼ / (sᵢ + sⱼ), and 0 where both are 0."""
    return over(x, expand_dims(s, -2) + expand_dims(s, -1), zero[..., :, None] & zero[..., None, :])


def inverse(s: Any, zero: Any, unknown: Any) -> Any:
    """1 / s as factors of columns; 0 or nan at a zero."""
    return expand_dims(marked(np.logical_not(zero) / (s + zero), unknown), -2)


def svd_pushforward(tangents: Any, out: Any, x: Any, vectors: bool) -> tuple[Any, Any, Any]:
    t = tangents[0]
    u, s, v = out[0], out[1], star(out[2])
    same, zero = equal_values(s, max(shape_of(x)[-2:])), zeros_of(s, x)
    still = stuck(zero, x, vectors)
    p = star(u) @ t @ v
    ds = shared(real_diagonal(p), same) * np.logical_not(still)
    both = zero[..., :, None] & zero[..., None, :] & sizable(skew(p), p)
    e = marked(over_gaps(hermitian(p), s, same), torn(p, same))
    turn = marked(over_sums(skew(p), s, zero), both)
    left, right = t @ v, star(t) @ u
    rest, other = left - u @ (star(u) @ left), right - v @ (star(v) @ right)
    moved = sizable(rest, t).any(-2) | sizable(other, t).any(-2) | sizable(real_diagonal(p)[..., None, :], t)[..., 0, :]
    factors = inverse(s, zero, still & moved)
    return u @ (e + turn) + rest * factors, ds, star(v @ (e - turn) + other * factors)


def svd_pullback(g: Any, out: Any, x: Any, vectors: bool) -> Any:
    """gA = U N Vᴴ + (I - U Uᴴ) gU diag(s)⁻¹ Vᴴ + U diag(s)⁻¹ gVᴴ (I - V Vᴴ), where N is

    diag(gs), plus the skew part of Uᴴ gU + Vᴴ gV by the gaps, plus that of Uᴴ gU - Vᴴ gV by the sums.
    """
    u, s, v = bar(out[0]), out[1], turned(out[2])
    gu, gs, gv = g[0], g[1], (None if g[2] is None else star(g[2]))
    same, zero = equal_values(s, max(shape_of(x)[-2:])), zeros_of(s, x)
    still = stuck(zero, x, vectors)
    inner: Any = 0.0 if gs is None else on_diagonal(shared(gs, same) * np.logical_not(still))
    if gu is None and gv is None:
        return u @ inner @ star(v)
    mu, mv = (0.0 if part is None else star(basis) @ part for basis, part in ((u, gu), (v, gv)))
    scale = np.maximum(0.0 if gu is None else largest(gu), 0.0 if gv is None else largest(gv))
    by_gaps, by_sums = skew(mu + mv), skew(mu - mv)
    both = zero[..., :, None] & zero[..., None, :] & sizable(by_sums, scale)
    inner = inner + marked(over_gaps(by_gaps, s, same), undetermined(by_gaps, scale, gs, same))
    inner = inner + marked(over_sums(by_sums, s, zero), both)
    used = still & (sizable(gs[..., None, :], gs[..., None, :])[..., 0, :] if gs is not None else False)
    total = u @ marked(inner, on_diagonal(used)) @ star(v)
    if gu is not None:
        rest = gu - u @ mu
        total = total + (rest * inverse(s, zero, still & sizable(rest, gu).any(-2))) @ star(v)
    if gv is not None:
        rest = gv - v @ mv
        total = total + u @ star(rest * inverse(s, zero, still & sizable(rest, gv).any(-2)))
    return total


svd_factors = primitive(
    "svd", lambda x, vectors: tuple(np.linalg.svd(x, full_matrices=False)), settings=dict(vectors=True),
    samples=[([(3, 3)], {}), ([(4, 2)], {}), ([(2, 2, 3)], {}), ([(3, 2)], dict(vectors=False))],
    tex=r"\operatorname{{svd}}({x})", pullbacks=(svd_pullback,), pushforward=svd_pushforward,
    doc="""A = U diag(s) Vᴴ with as many columns in U and V as there are singular values. Equal s share their
    derivatives, and that of a zero is 0; what depends on the choice of their vectors is nan. `vectors=False` says that
    only s will be used.""",
)  # fmt: skip


@composed(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """See `np.linalg.svd`; of a matrix that is not square with `full_matrices=False`.

    >>> u, s, vh = np.linalg.svd(Value([[0.0, 2.0], [1.0, 0.0]]))
    >>> (u * s @ vh).data
    array([[0., 2.],
           [1., 0.]])
    """
    m, n = shape_of(a)[-2:]
    if not compute_uv:
        return flip(np.sort(np.abs(eigvalsh(a)), axis=-1), -1) if hermitian else svdvals(a)
    if hermitian:
        return hermitian_svd(a)
    if full_matrices and m != n:
        raise TypeError(
            f"np.linalg.svd of a {m}×{n} matrix has columns in U or V that are arbitrary, and so have no derivative: "
            "write np.linalg.svd(a, full_matrices=False)"
        )
    return SVDResult(*picked(svd_factors(a)))


def hermitian_svd(a: Any) -> Any:
    """A = V diag(λ) Vᴴ = V diag(|λ|) (V diag(sign λ))ᴴ, the largest |λ| first."""
    w, v = eigh(a)
    sign = np.sign(plain(w))
    order = np.flip(np.argsort(np.abs(plain(w)), axis=-1), -1)
    u = take_along_axis(v, order[..., None, :], -1)
    signs = np.take_along_axis(sign, order, -1)
    return SVDResult(u, take_along_axis(np.abs(w), order, -1), star(u * signs[..., None, :]))


@composed(np.linalg.svdvals)
def svdvals(x: Any) -> Any:
    """See `np.linalg.svdvals`; the derivative of a singular value 0 is 0."""
    return picked(svd_factors(x, vectors=False))[1]


@composed(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """See `np.linalg.lstsq`: solution, residuals and singular values are differentiable, the rank is plain."""
    _, residuals, rank, _ = np.linalg.lstsq(plain(a), plain(b), rcond)
    epsilon = float(np.finfo(dtype_of(plain(a))).eps) if dtype_of(a).kind in "fc" else 2.0**-52
    x = pinv(a, rcond=epsilon * max(shape_of(a)) if rcond is None else rcond) @ b
    if np.size(residuals):
        error = b - a @ x
        residuals = reshape(sum(np.real(error * bar(error)), axis=0), np.shape(residuals))
    return x, residuals, rank, svdvals(a)
