"""Eigenvalues of any square matrix, real or complex; those of symmetric ones are in `decompositions.py`.

Source: Boeddeker, Hanebrink, Drude, Heymann and Haeb-Umbach, *On the computation of complex-valued gradients with
application to statistically optimum beamforming*, 2017; the vectors have length 1.

A gradient is right if the loss does not depend on what LAPACK chooses: the phase of each vector, and the vectors of
equal eigenvalues within their space. Otherwise it is nan, and so it is for a matrix without a basis of eigenvectors,
whose eigenvalues have no derivative.
"""

from typing import Any

import numpy as np

from ..data import shape_of
from ..op import composed, primitive
from ..value import plain
from .decompositions import (
    equal_values,
    marked,
    on_diagonal,
    over_gaps,
    real_diagonal,
    shared,
    sizable,
    torn,
    undetermined,
)  # fmt: skip
from .indexing import diagonal
from .linalg import STACKED, solve_matrix, star, turned
from .several import picked

EigResult = type(np.linalg.eig(np.eye(1)))


def independent(v: Any) -> Any:
    """The vectors, with nan where they are dependent: the error of the eigenvalues is then the root of rounding."""
    data = plain(v)
    condition = np.linalg.cond(data)[..., None, None]
    return marked(v, ~(condition < 0.1 / np.sqrt(np.finfo(data.dtype).eps)))


def eig_pushforward(tangents: Any, out: Any, x: Any) -> tuple[Any, Any]:
    """With P = V⁻¹ dA V: dλᵢ = Pᵢᵢ, and dV = V (K - Re diag(Vᴴ V K)) with Kᵢⱼ = Pᵢⱼ / (λⱼ - λᵢ) off the diagonal."""
    w, v = out[0], independent(out[1])
    p = solve_matrix(v, tangents[0] @ v)
    same = equal_values(w, shape_of(x)[-1])
    k = marked(over_gaps(p, w, same), torn(p, same))
    return shared(diagonal(p, 0, -2, -1), same), v @ (k - on_diagonal(real_diagonal(star(v) @ v @ k)))


def eig_pullback(g: Any, out: Any, x: Any) -> Any:
    """gA = V⁻ᵀ (diag gλ + S) Vᵀ with Sᵢⱼ = (Mᵢⱼ - Re Mⱼⱼ (Vᴴ V)ⱼᵢ) / (λⱼ - λᵢ), where M = Vᵀ gV."""
    w, v = out[0], independent(out[1])
    same = equal_values(w, shape_of(x)[-1])
    inner: Any = 0.0
    if g[0] is not None:
        inner = on_diagonal(shared(g[0], same))
    if g[1] is not None:
        m = turned(v) @ g[1]
        free = m - turned(star(v) @ v) * real_diagonal(m)[..., None, :]
        inner = inner + marked(over_gaps(free, w, same), undetermined(free, m, g[0], same))
        inner = marked(inner, sizable(np.imag(diagonal(plain(m), 0, -2, -1))[..., None, :], m))  # it turns with a phase
    return solve_matrix(turned(v), inner @ turned(v))


eigen = primitive(
    "eig", lambda x: tuple(np.linalg.eig(x)), samples=STACKED, tex=r"\operatorname{{eig}}({x})",
    pullbacks=(eig_pullback,), pushforward=eig_pushforward,
    doc="""A V = V diag(λ). What depends on the phases of the vectors, or on their choice for equal λ, is nan, and so
    are the derivatives for a matrix that has no basis of eigenvectors.""",
)  # fmt: skip


@composed(np.linalg.eig)
def eig(a: Any) -> Any:
    """See `np.linalg.eig`.

    >>> np.linalg.eig(Value([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues.data
    array([0.+1.j, 0.-1.j])
    """
    return EigResult(*picked(eigen(a)))


@composed(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """See `np.linalg.eigvals`.

    >>> def total(a):
    ...     return np.sum(np.real(np.linalg.eigvals(a) ** 2))  # the trace of A²
    >>> grad(total)(np.array([[1.0, 2.0], [-3.0, 4.0]])).round(9)
    array([[ 2., -6.],
           [ 4.,  8.]])
    """
    return picked(eigen(a))[0]
