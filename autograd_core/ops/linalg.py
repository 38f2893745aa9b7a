"""Linear algebra: inverses, determinants, factors, eigenvalues, for one matrix or a stack of them.

Source: Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*, 2008,
sections 2.2 and 3; Murray, *Differentiation of the Cholesky decomposition*, 2016; Golub and Pereyra, *The
differentiation of pseudo-inverses*, 1973. Rules are transposes, as everywhere.

Symmetric matrices: `cholesky`, `eigvalsh` and `eigh` see (A + Aᵀ) / 2, where NumPy reads one triangle. It is the same
number for a symmetric A, and the gradient is symmetric.

Repeated eigenvalues: Σ f(λ) is differentiable there, and its first derivative is right. Eigenvectors of a repeated
eigenvalue have no derivative: the result is nan where a derivative would depend on them, never an arbitrary number.
"""

from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..op import POWER, PRODUCT, Op, composed, primitive
from ..value import plain
from .linear import expand_dims, flip, reshape, sum, swapaxes, tril
from .matrices import outer as outer_product
from .matrices import tensordot

STACKED: list[Any] = [([(3, 3)], {}), ([(2, 2, 2)], {})]


def turned(x: Any) -> Any:
    """The transpose of each matrix."""
    return swapaxes(x, -1, -2)


def real_only(name: str, x: Any) -> None:
    if dtype_of(x).kind == "c":
        raise TypeError(f"np.linalg.{name} of complex matrices is not differentiable here")


# Inverses and solutions -----------------------------------------------------------------------------------------------

inv = primitive(  # d(A⁻¹) = -A⁻¹ dA A⁻¹
    "inv", np.linalg.inv, numpy=np.linalg.inv, samples=STACKED, text="{x}⁻¹", tex="{{{x}}}^{{-1}}", precedence=POWER,
    pullbacks=(lambda g, out, x: -(turned(out) @ g @ turned(out)),),
)  # fmt: skip
solve_matrix: Op = primitive(  # X = A⁻¹ B: gB = A⁻ᵀ g, gA = -gB Xᵀ
    "solve", np.linalg.solve, tex=r"{{{x}}}^{{-1}} \, {y}", precedence=PRODUCT,
    samples=[([(3, 3), (3, 2)], {}), ([(2, 3, 3), (3, 1)], {}), ([(2, 2), (2, 2, 1)], {})],
    pullbacks=(lambda g, out, a, b: -(solve_matrix(turned(a), g) @ turned(out)),
               lambda g, out, a, b: solve_matrix(turned(a), g)),
)  # fmt: skip


@composed(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """See `np.linalg.solve`: b is one vector, or else matrices."""
    return solve_matrix(a, expand_dims(b, -1))[..., 0] if np.ndim(b) == 1 else solve_matrix(a, b)


def pinv_pullback(g: Any, out: Any, x: Any, rcond: Any) -> Any:
    """dP = -P dA P + P Pᵀ dAᵀ (I - A P) + (I - P A) dAᵀ Pᵀ P, where the rank is constant (Golub and Pereyra)."""
    real_only("pinv", x)
    gt, pt = turned(g), turned(out)
    second = (gt - x @ (out @ gt)) @ out @ pt
    third = pt @ out @ gt
    return second + third - (third @ out) @ x - pt @ g @ pt


pinv = primitive(
    "pinv", lambda x, rcond: np.linalg.pinv(x, rcond), numpy=np.linalg.pinv, settings=dict(rcond=None),
    samples=[([(3, 2)], {}), ([(2, 3)], {}), ([(2, 2, 3)], dict(rcond=1e-10))], tex="{{{x}}}^{{+}}", precedence=POWER,
    pullbacks=(pinv_pullback,),
)  # fmt: skip


@composed(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """See `np.linalg.lstsq`: the solution and the residuals are differentiable; rank and singular values are plain."""
    _, residuals, rank, singular = np.linalg.lstsq(plain(a), plain(b), rcond)
    epsilon = float(np.finfo(dtype_of(plain(a))).eps) if dtype_of(a).kind in "fc" else 2.0**-52
    x = pinv(a, rcond=epsilon * max(shape_of(a)) if rcond is None else rcond) @ b
    if np.size(residuals):
        error = b - a @ x
        residuals = reshape(sum(error * error, axis=0), np.shape(residuals))
    return x, residuals, rank, singular


@composed(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any) -> Any:
    """See `np.linalg.tensorsolve`, without `axes`."""
    n = int(np.prod(shape_of(b)))
    return reshape(solve(reshape(a, (n, -1)), reshape(b, -1)), shape_of(a)[np.ndim(b) :])


@composed(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """See `np.linalg.tensorinv`."""
    shape = shape_of(a)
    return reshape(inv(reshape(a, (int(np.prod(shape[:ind])), -1))), shape[ind:] + shape[:ind])


# Determinants ---------------------------------------------------------------------------------------------------------


def cofactors(out: Any, x: Any) -> Any:
    """The derivatives of det: det(A) A⁻ᵀ, which is right near a singular matrix, too, since the determinant and the
    inverse come from one factorisation. Where det(A) is 0, there are the minors, by determinants of their own.
    """
    n = shape_of(x)[-1]
    if n == 0 or np.all(np.not_equal(plain(out), 0)):
        return turned(inv(x)) * expand_dims(out, (-2, -1))
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], int).reshape(n, n - 1)
    minors = det(x[..., others[:, None, :, None], others[None, :, None, :]])
    return minors * (-1.0) ** np.add.outer(np.arange(n), np.arange(n)).astype(dtype_of(x))


det = primitive(
    "det", np.linalg.det, numpy=np.linalg.det, samples=STACKED, tex=r"\det({x})",
    pullbacks=(lambda g, out, x: expand_dims(g, (-2, -1)) * cofactors(out, x),),
)  # fmt: skip
logabsdet = primitive(
    "logabsdet", lambda x: np.linalg.slogdet(x)[1], samples=STACKED, tex=r"\ln\left|\det({x})\right|", precedence=POWER,
    pullbacks=(lambda g, out, x: expand_dims(g, (-2, -1)) * turned(inv(x)),),
)  # fmt: skip


@composed(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """See `np.linalg.slogdet`: the sign is plain, the logarithm is differentiable."""
    real_only("slogdet", a)
    found = np.linalg.slogdet(plain(a))
    return type(found)(found[0], logabsdet(a))


# Symmetric matrices ---------------------------------------------------------------------------------------------------


def symmetric(x: Any) -> Any:
    return (x + turned(x)) / 2


def lower_half(x: Any) -> Any:
    """Φ: the lower triangle, its diagonal halved."""
    return (tril(x) + tril(x, -1)) / 2


def cholesky_pullback(g: Any, out: Any, x: Any, jitter: float) -> Any:
    """gA = L⁻ᵀ Φ(Lᵀ g) L⁻¹, made symmetric (Murray, equation 10)."""
    real_only("cholesky", x)
    middle = lower_half(turned(out) @ tril(g))
    left = solve_matrix(turned(out), middle)
    return symmetric(turned(solve_matrix(turned(out), turned(left))))


def lower_factor(x: Any, jitter: float) -> Any:
    return np.linalg.cholesky(symmetric(x) + np.asarray(jitter * np.eye(shape_of(x)[-1]), dtype_of(x)))


cholesky_lower = primitive(  # of A + jitter I, which makes a matrix definite that is so but for rounding
    "cholesky", lower_factor, settings=dict(jitter=0.0), tex=r"\operatorname{{chol}}({x})",
    samples=[([(3, 3)], dict(jitter=8.0)), ([(2, 2, 2)], dict(jitter=8.0))], pullbacks=(cholesky_pullback,),
)  # fmt: skip


@composed(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """See `np.linalg.cholesky`."""
    out = cholesky_lower(a)
    return turned(out) if upper else out


def divide_gaps(x: Any, w: Any) -> Any:
    """xᵢⱼ / (wⱼ - wᵢ), 0 on the diagonal. Between equal eigenvalues nan if column i or j of x is not 0, else 0."""
    gaps = w[..., None, :] - w[..., :, None]
    n = gaps.shape[-1]
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None] * n * np.finfo(w.dtype).eps
    same = np.abs(gaps) <= scale
    used = np.any(np.not_equal(x, 0), axis=-2)
    if not used.any():  # forward mode asks for the rule itself
        used = ~used
    unknown = same & (used[..., None, :] | used[..., :, None]) & ~np.eye(n, dtype=bool)
    return np.where(same, np.where(unknown, np.nan, 0.0).astype(w.dtype), x / np.where(same, 1.0, gaps).astype(w.dtype))


def from_gaps(g: Any, out: Any, x: Any, w: Any) -> Any:
    product = g * over_gaps(out, w)
    return sum(product, axis=-1) - sum(product, axis=-2)


over_gaps: Op = primitive(
    "over_gaps", divide_gaps, samples=[([(3, 3), (3,)], {}), ([(2, 2, 2), (2, 2)], {})],
    pullbacks=(lambda g, out, x, w: over_gaps(g, w),
               from_gaps),
    doc="xᵢⱼ / (wⱼ - wᵢ) off the diagonal: what the derivative of eigenvectors is made of.",
)  # fmt: skip


def eigenvectors_pullback(g: Any, out: Any, x: Any) -> Any:
    """gA = V (F ∘ Vᵀ g) Vᵀ with Fᵢⱼ = 1 / (λⱼ - λᵢ), made symmetric (Giles, section 3.1)."""
    real_only("eigh", x)
    return symmetric(out @ over_gaps(turned(out) @ g, eigvalsh_values(x)) @ turned(out))


def eigenvalues_pullback(g: Any, out: Any, x: Any) -> Any:
    """gA = V diag(g) Vᵀ."""
    real_only("eigvalsh", x)
    vectors = eigenvectors(x)
    return (vectors * expand_dims(g, -2)) @ turned(vectors)


eigvalsh_values = primitive(
    "eigvalsh", lambda x: np.linalg.eigvalsh(symmetric(x)), samples=STACKED, tex=r"\lambda({x})",
    pullbacks=(eigenvalues_pullback,),
)  # fmt: skip
eigenvectors = primitive(
    "eigenvectors", lambda x: np.linalg.eigh(symmetric(x))[1], samples=STACKED, pullbacks=(eigenvectors_pullback,),
)  # fmt: skip


@composed(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803  NumPy's name
    """See `np.linalg.eigvalsh`."""
    return eigvalsh_values(a)


@composed(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803  NumPy's name
    """See `np.linalg.eigh`."""
    return type(np.linalg.eigh(np.eye(1)))(eigvalsh_values(a), eigenvectors(a))


@composed(np.linalg.svdvals)
def svdvals(x: Any) -> Any:
    """See `np.linalg.svdvals`: the eigenvalues of [[0, A], [Aᵀ, 0]] are ±σ and zeros, without squaring A."""
    real_only("svdvals", x)
    m, n = shape_of(x)[-2:]
    batch = shape_of(x)[:-2]
    zeros = [np.zeros((*batch, k, k), dtype_of(x)) for k in (m, n)]
    rows = np.concatenate([zeros[0], x], -1), np.concatenate([turned(x), zeros[1]], -1)
    w = eigvalsh_values(np.concatenate(rows, -2))
    return flip(w, -1)[..., : min(m, n)]


# Products -------------------------------------------------------------------------------------------------------------


@composed(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """See `np.linalg.matrix_power`: by squaring; the power 0 is plain."""
    if n == 0:
        return np.broadcast_to(np.eye(shape_of(a)[-1], dtype=dtype_of(a)), shape_of(a)).copy()
    if n < 0:
        a, n = inv(a), -n
    out: Any = None
    while True:
        if n % 2:
            out = a if out is None else out @ a
        n //= 2
        if not n:
            return np.copy(out)
        a = a @ a


@composed(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    """See `np.linalg.multi_dot`: in the order with the fewest multiplications."""
    sizes = [np.shape(plain(x)) for x in arrays]
    n = len(arrays)
    rows = [(1, *s)[-2] if k == 0 else s[0] for k, s in enumerate(sizes)]
    ends = [*rows, sizes[-1][-1] if len(sizes[-1]) > 1 else 1]
    best: dict[tuple[int, int], tuple[int, Any]] = {(k, k): (0, None) for k in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost = [best[i, k][0] + best[k + 1, j][0] + ends[i] * ends[k + 1] * ends[j + 1] for k in range(i, j)]
            best[i, j] = min(cost), i + int(np.argmin(cost))

    def product(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        k = best[i, j][1]
        return np.matmul(product(i, k), product(k + 1, j))

    return product(0, n - 1)


@composed(np.linalg.outer)
def outer(x1: Any, x2: Any, /) -> Any:
    """See `np.linalg.outer`."""
    return outer_product(x1, x2)


@composed(np.linalg.matmul)
def matmul(x1: Any, x2: Any, /) -> Any:
    """See `np.linalg.matmul`."""
    return np.matmul(x1, x2)


@composed(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """See `np.linalg.tensordot`."""
    return tensordot(x1, x2, axes)
