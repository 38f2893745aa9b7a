"""Linear algebra: inverses, determinants and products, for one matrix or a stack of them.

Source: Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*, 2008,
section 2.2; Golub and Pereyra, *The differentiation of pseudo-inverses*, 1973. Rules are transposes, as everywhere: of
functions that are analytic, such as the inverse, they hold for complex matrices as they are; where a conjugate occurs,
the rule is that of real matrices with the conjugates of what it multiplies by, and conjugate transposes.
"""

from typing import Any

import numpy as np

from ..data import dtype_of, ndim_of, shape_of
from ..op import POWER, PRODUCT, Op, composed, primitive
from ..registry import FULL
from ..value import plain
from .indexing import diagonal
from .linear import expand_dims, moveaxis, reshape, swapaxes
from .matrices import outer as outer_product
from .matrices import tensordot
from .several import picked

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))

STACKED: list[Any] = [([(3, 3)], {}), ([(2, 2, 2)], {})]


@composed(np.matrix_transpose, np.linalg.matrix_transpose)
def turned(x: Any) -> Any:
    """See `np.matrix_transpose`: the transpose of each matrix."""
    return swapaxes(x, -1, -2)


def bar(x: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    return np.conj(x) if dtype_of(x).kind == "c" else x


def star(x: Any) -> Any:
    """The conjugate transpose of each matrix, Aᴴ."""
    return turned(bar(x))


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
    """dP = -P dA P + P Pᴴ dAᴴ (I - A P) + (I - P A) dAᴴ Pᴴ P, where the rank is constant (Golub and Pereyra)."""
    x, out = bar(x), bar(out)
    gt, pt = star(g), star(out)
    second = (gt - x @ (out @ gt)) @ out @ pt
    third = pt @ out @ gt
    return second + third - (third @ out) @ x - pt @ g @ pt


pinv = primitive(
    "pinv", lambda x, rcond: np.linalg.pinv(x, rcond), numpy=np.linalg.pinv, settings=dict(rcond=None),
    samples=[([(3, 2)], {}), ([(2, 3)], {}), ([(2, 2, 3)], dict(rcond=1e-10))], tex="{{{x}}}^{{+}}", precedence=POWER,
    pullbacks=(pinv_pullback,),
)  # fmt: skip


FULL["pinv"] = lambda a, rcond=None, *, rtol=None: pinv(a, rcond if rtol is None else rtol)  # its name since NumPy 2


@composed(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: tuple[int, ...] | None = None) -> Any:
    """See `np.linalg.tensorsolve`."""
    for axis in axes or ():
        a = moveaxis(a, axis, -1)
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
    return minors * (1.0 - 2.0 * (np.add.outer(np.arange(n), np.arange(n)) % 2)).astype(dtype_of(x))


det = primitive(
    "det", np.linalg.det, numpy=np.linalg.det, samples=STACKED, tex=r"\det({x})",
    pullbacks=(lambda g, out, x: expand_dims(g, (-2, -1)) * cofactors(out, x),),
)  # fmt: skip


def slogdet_pullback(g: Any, out: Any, x: Any) -> Any:
    """d log|det A| = Re tr(A⁻¹ dA), and d sign = i sign Im tr(A⁻¹ dA), which is 0 for a real matrix."""
    total = 0.0 if g[1] is None else g[1]
    if g[0] is not None and dtype_of(x).kind == "c":
        total = total + 1j * np.imag(g[0] * out[0])
    return expand_dims(total, (-2, -1)) * turned(inv(x)) if shape_of(total) else total * turned(inv(x))


sign_and_log = primitive(
    "slogdet", lambda x: tuple(np.linalg.slogdet(x)), samples=STACKED, tex=r"\operatorname{{slogdet}}({x})",
    pullbacks=(slogdet_pullback,),
    doc="The sign of det A and log |det A|, without overflow.",
)  # fmt: skip


@composed(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """See `np.linalg.slogdet`: of a real matrix the sign is plain."""
    sign, logarithm = picked(sign_and_log(a))
    return SlogdetResult(sign if dtype_of(a).kind == "c" else plain(sign), logarithm)


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


@composed(np.linalg.trace)
def matrix_trace(x: Any, /, *, offset: int = 0) -> Any:
    """See `np.linalg.trace`."""
    return np.sum(diagonal(x, offset, -2, -1), -1)


@composed(np.linalg.outer)
def outer(x1: Any, x2: Any, /) -> Any:
    """See `np.linalg.outer`."""
    if ndim_of(x1) != 1 or ndim_of(x2) != 1:
        raise ValueError(f"np.linalg.outer takes vectors, not arrays of shapes {shape_of(x1)} and {shape_of(x2)}")
    return outer_product(x1, x2)


@composed(np.linalg.matmul)
def matmul(x1: Any, x2: Any, /) -> Any:
    """See `np.linalg.matmul`."""
    return np.matmul(x1, x2)


@composed(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """See `np.linalg.tensordot`."""
    return tensordot(x1, x2, axes)
