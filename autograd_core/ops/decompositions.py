"""Decompositions of matrices, or of stacks of them: Cholesky, QR, eigenvalues; `singular.py` has singular values.

Each is one op with several results, whose pullback sees the gradients of all of them. A rule is the transpose of the
differential that its docstring derives; with complex matrices the same formulas hold for conjugate transposes Aᴴ.

Sources: Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*, 2008,
section 3; Murray, *Differentiation of the Cholesky decomposition*, 2016; Walter and Lehmann, *Algorithmic
differentiation of linear algebra functions*, 2010 (QR); Townsend, *Differentiating the singular value decomposition*,
2016; Wan and Zhang, *Automatic differentiation for complex valued SVD*, 2019.

**Symmetric matrices.** `cholesky`, `eigvalsh` and `eigh` see (A + Aᴴ) / 2, where NumPy reads one triangle. It is the
same number for a symmetric (Hermitian) A, and the gradient is symmetric.

**Equal values.** Where eigenvalues or singular values are equal within rounding, what depends on the values alone has
the derivative in which equal ones share: it is right for functions that treat them alike, such as Σ f(λ), and for the
largest it is the subgradient of least norm. Their vectors are arbitrary within the space that they span. A gradient is
right if the loss does not depend on that choice, nor on the values themselves (a projector on the space, the factor
U Vᴴ of a polar decomposition). If turning the vectors within their space changes the loss, or the values come in, it is
nan, never an arbitrary number; and so is a tangent of such vectors, for forward mode cannot know what is made of them.

**A singular value 0** has the derivative 0, as a norm has at 0, and its vectors are treated as those of equal values
are. One exception: a square real matrix with a single 0, where `svd` (not `svdvals`) goes on analytically, with the
derivative uᵀ dA v. `qr` of a matrix whose first columns are dependent has no derivative, and its gradient is nan.

**Complex vectors** are determined up to a phase each, on which a loss must not depend.
"""

from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..op import composed, primitive
from ..value import plain
from .indexing import concatenate, diagonal
from .linalg import STACKED, bar, solve_matrix, star, turned
from .linear import expand_dims, tril, triu
from .several import picked

EighResult, QRResult = (type(f(np.eye(1))) for f in (np.linalg.eigh, np.linalg.qr))

ROUNDING = 10.0
"""How many units of rounding a decomposition may be off, for each row of the matrix."""

# Parts of the rules ---------------------------------------------------------------------------------------------------


def hermitian(x: Any) -> Any:
    """(A + Aᴴ) / 2, the symmetric part of a real matrix."""
    return (x + star(x)) / 2


def skew(x: Any) -> Any:
    """(A - Aᴴ) / 2."""
    return (x - star(x)) / 2


def lower_half(x: Any) -> Any:
    """Φ: the lower triangle, its diagonal halved."""
    return (tril(x) + tril(x, -1)) / 2


def on_diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return expand_dims(x, -1) * np.eye(shape_of(x)[-1], dtype=dtype_of(x))


def real_diagonal(x: Any) -> Any:
    """The real part of the diagonal."""
    return np.real(diagonal(x, 0, -2, -1))


def largest(x: Any) -> Any:
    """max |xᵢⱼ| of each matrix, as plain data with both axes kept."""
    return np.max(np.abs(plain(x)), axis=(-2, -1), keepdims=True, initial=0)


def sizable(x: Any, scale: Any) -> Any:
    """Which elements are more than rounding, beside those of `scale`, as plain data."""
    x = plain(x)
    return np.abs(x) > 10 * ROUNDING * shape_of(x)[-1] * np.finfo(x.dtype).eps * largest(scale)


def equal_values(w: Any, size: int) -> Any:
    """Which pairs of values are equal within rounding, for matrices of so many rows or columns."""
    w = plain(w)
    rounding = ROUNDING * size * np.finfo(w.dtype).eps * np.max(np.abs(w), axis=-1, initial=0)
    return (np.abs(w[..., :, None] - w[..., None, :]) <= rounding[..., None, None]) | np.eye(w.shape[-1], dtype=bool)


def distinct(same: Any) -> bool:
    """Whether no two values of any matrix are equal, as is the rule."""
    return bool(np.count_nonzero(same) == np.prod(same.shape[:-1]))


def shared(g: Any, same: Any) -> Any:
    """Equal values share their derivatives equally."""
    if distinct(same):
        return g
    weights = (same / np.sum(same, axis=-1, keepdims=True)).astype(dtype_of(g))
    return (weights @ expand_dims(g, -1))[..., 0]


def marked(x: Any, unknown: Any) -> Any:
    """x with nan where it is unknown."""
    if not np.any(unknown):
        return x
    return x + np.where(unknown, np.nan, 0.0).astype(np.finfo(dtype_of(x)).dtype)


def over(x: Any, gaps: Any, closed: Any) -> Any:
    """xᵢⱼ / gapᵢⱼ, and 0 where the gap is closed."""
    return x * (np.logical_not(closed) / (gaps + closed))


def over_gaps(x: Any, w: Any, same: Any) -> Any:
    """xᵢⱼ / (wⱼ - wᵢ), and 0 between equal values."""
    return over(x, expand_dims(w, -2) - expand_dims(w, -1), same)


def undetermined(x: Any, scale: Any, values: Any, same: Any) -> Any:
    """Pairs of equal values with a gradient that depends on the choice of vectors, or on these values as well.

    `x` is what the pullback divides by the gaps, and `values` the gradient with respect to the values.
    """
    pairs = same & ~np.eye(same.shape[-1], dtype=bool)
    if not np.any(pairs):
        return pairs
    unknown = sizable(x, scale)
    if values is not None:
        used = sizable(expand_dims(values, -2), expand_dims(values, -2))
        unknown = unknown | used | np.swapaxes(used, -1, -2)
    return pairs & unknown


def torn(p: Any, same: Any) -> Any:
    """Pairs of equal values that a tangent tears apart: where it is no multiple of the unit matrix."""
    pairs = same & ~np.eye(same.shape[-1], dtype=bool)
    if not np.any(pairs):
        return pairs
    d = real_diagonal(plain(p))
    return pairs & (sizable(p, p) | sizable(d[..., :, None] - d[..., None, :], p))


# Cholesky -------------------------------------------------------------------------------------------------------------


def lower_factor(x: Any, jitter: float) -> Any:
    return np.linalg.cholesky(hermitian(x) + np.asarray(jitter * np.eye(shape_of(x)[-1]), dtype_of(x)))


def cholesky_pullback(g: Any, out: Any, x: Any, jitter: float) -> Any:
    """dL = L Φ(L⁻¹ dA L⁻ᴴ), so gA = L⁻ᴴ Φ(Lᴴ g) L⁻¹, made symmetric (Murray, equation 10)."""
    upper = star(bar(out))
    left = solve_matrix(upper, lower_half(upper @ tril(g)))
    return hermitian(star(solve_matrix(upper, star(left))))


cholesky_lower = primitive(  # of A + jitter I, which makes a matrix definite that is so but for rounding
    "cholesky", lower_factor, settings=dict(jitter=0.0), tex=r"\operatorname{{chol}}({x})",
    samples=[([(3, 3)], dict(jitter=8.0)), ([(2, 2, 2)], dict(jitter=8.0))], pullbacks=(cholesky_pullback,),
)  # fmt: skip


@composed(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """See `np.linalg.cholesky`."""
    out = cholesky_lower(a)
    return star(out) if upper else out


# QR -------------------------------------------------------------------------------------------------------------------


def leading(r: Any) -> Any:
    """The square part of R; nan in it if the columns that it stands for are dependent."""
    k = shape_of(r)[-2]
    diagonal_of = np.abs(np.diagonal(plain(r), axis1=-2, axis2=-1))[..., None, :]
    rounding = ROUNDING * max(shape_of(r)[-2:]) * np.finfo(diagonal_of.dtype).eps * largest(r)
    return marked(r[..., :k], np.any(diagonal_of <= rounding, axis=-1, keepdims=True))


def over_upper(x: Any, r: Any) -> Any:
    """X R⁻¹."""
    return turned(solve_matrix(turned(r), turned(x)))


def qr_pushforward(tangents: Any, out: Any, x: Any) -> tuple[Any, Any]:
    """With R₁ the square part of R, A₁ the columns of A that it stands for, and C = Qᴴ dA₁ R₁⁻¹:

    dQ = dA₁ R₁⁻¹ - Q (C - Ω),  dR = Qᴴ dA - Ω R,  where Ω = Φ(C) - Φ(C)ᴴ is what rotates Q.
    """
    q, r = out
    b = over_upper(tangents[0][..., : shape_of(r)[-2]], leading(r))
    c = star(q) @ b
    turn = lower_half(c) - star(lower_half(c))
    return b - q @ (c - turn), triu(star(q) @ tangents[0] - turn @ r)


def qr_pullback(g: Any, out: Any, x: Any) -> Any:
    """gA = Q gR, and for the columns A₁ also ((I - Q Qᴴ) gQ + Q Φ(M - Mᴴ)) R₁⁻ᴴ, where M = Qᴴ gQ - gR Rᴴ."""
    q, r = bar(out[0]), bar(out[1])
    gq, gr = g[0], (None if g[1] is None else triu(g[1]))
    part, total, m = 0.0, 0.0, 0.0
    if gq is not None:
        m = star(q) @ gq
        part = gq - q @ m
    if gr is not None:
        m = m - gr @ star(r)
        total = q @ gr
    part = part + q @ lower_half(m - star(m))
    part = over_upper(part, star(leading(r)))
    rest = shape_of(x)[-1] - shape_of(part)[-1]
    if rest:
        part = concatenate([part, np.zeros((*shape_of(x)[:-1], rest), dtype_of(x))], -1)
    return part + total


qr_factors = primitive(
    "qr", lambda x: tuple(np.linalg.qr(x)), samples=[([(3, 3)], {}), ([(4, 2)], {}), ([(2, 2, 3)], {})],
    tex=r"\operatorname{{qr}}({x})", pullbacks=(qr_pullback,), pushforward=qr_pushforward,
    doc="A = Q R with orthonormal columns Q and an upper triangle R; nan where the first columns are dependent.",
)  # fmt: skip


@composed(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """See `np.linalg.qr`: the modes "reduced" and "r", and "complete" of a matrix that is not tall.

    >>> q, r = np.linalg.qr(Value([[3.0, 1.0], [4.0, 2.0]]))
    >>> (q @ r).data.round(9)
    array([[3., 1.],
           [4., 2.]])
    """
    m, n = shape_of(a)[-2:]
    if mode == "complete" and m > n:
        raise TypeError(
            "np.linalg.qr(mode='complete') of a tall matrix has columns in Q that are arbitrary, and so have no "
            "derivative: write mode='reduced'"
        )
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"np.linalg.qr takes no mode={mode!r} on a Value: write mode='reduced' or mode='r'")
    found = picked(qr_factors(a))
    return found[1] if mode == "r" else QRResult(*found)


# Eigenvalues of symmetric matrices ------------------------------------------------------------------------------------


def eigh_pushforward(tangents: Any, out: Any, x: Any) -> tuple[Any, Any]:
    """With P = Vᴴ dA V: dλᵢ = Pᵢᵢ, and dV = V K with Kᵢⱼ = Pᵢⱼ / (λⱼ - λᵢ) off the diagonal (Giles, section 3.1)."""
    w, v = out
    p = star(v) @ hermitian(tangents[0]) @ v
    same = equal_values(w, shape_of(x)[-1])
    return shared(real_diagonal(p), same), v @ marked(over_gaps(p, w, same), torn(p, same))


def eigh_pullback(g: Any, out: Any, x: Any) -> Any:
    """gA = V (diag gλ + K) Vᴴ with Kᵢⱼ = Sᵢⱼ / (λⱼ - λᵢ), where S is the skew part of Vᴴ gV."""
    w, v = out[0], bar(out[1])
    same = equal_values(w, shape_of(x)[-1])
    inner: Any = 0.0
    if g[0] is not None:
        inner = on_diagonal(shared(g[0], same))
    if g[1] is not None:
        m = star(v) @ g[1]
        inner = inner + marked(over_gaps(skew(m), w, same), undetermined(skew(m), m, g[0], same))
    return hermitian(v @ inner @ star(v))


eigen = primitive(
    "eigh", lambda x: tuple(np.linalg.eigh(hermitian(x))), samples=STACKED, tex=r"\operatorname{{eigh}}({x})",
    pullbacks=(eigh_pullback,), pushforward=eigh_pushforward,
    doc="""A = V diag(λ) Vᴴ of a symmetric or Hermitian matrix. Equal λ share their derivatives; what depends on the
    choice of their vectors is nan.""",
)  # fmt: skip


@composed(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803  NumPy's name
    """See `np.linalg.eigvalsh`."""
    return eigh(a, UPLO)[0]


@composed(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803  NumPy's name
    """See `np.linalg.eigh`.

    >>> w, v = np.linalg.eigh(Value([[2.0, 0.0], [0.0, 3.0]]))
    >>> (v * w @ v.T).data
    array([[2., 0.],
           [0., 3.]])
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError(f"UPLO={UPLO!r}: it is 'L' or 'U'")
    return EighResult(*picked(eigen(a)))
