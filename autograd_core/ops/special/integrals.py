"""Exponential integrals, elliptic integrals and functions, Lambert's function: SciPy's ufuncs.

Source of the derivatives: *NIST Digital Library of Mathematical Functions* (DLMF), chapters 4, 6, 8, 19, 22 and 25; the
numbers are those of its equations.
"""

import math
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...data import dtype_of
from ...op import composed, primitive
from ...value import plain
from ..indexing import choose
from .declare import POSITIVE, of_scipy, of_several, parameters_first, polynomial, whole
from .elementary import log_quotient

# Exponential integrals ------------------------------------------------------------------------------------------------

of_scipy("expi", lambda out, x: np.exp(x) / x, domain=POSITIVE)
of_scipy("exp1", lambda out, x: -np.exp(-x) / x, domain=POSITIVE)  # 6.2.1
of_scipy(
    "expn",  # 8.19.13; E₀(x) = e⁻ˣ/x
    lambda out, x, n: choose(n >= 1, -special.expn(np.maximum(whole(n) - 1, 0), x), -out * (1 + 1 / x)),
    parameters=dict(n=2), domain=POSITIVE, tex="E_{{{n}}}({x})",
)  # fmt: skip


def sinh_quotient(x: Any) -> Any:
    """sinh(x)/x, which is 1 at 0."""
    if dtype_of(x).kind == "c":
        return np.sinc(x * (1j / math.pi))
    return (special.exprel(x) + special.exprel(-x)) / 2


of_several("sici", lambda outs, x: (np.sinc(x / math.pi), np.cos(x) / x), domain=POSITIVE)  # 6.2.9, 6.2.11
of_several("shichi", lambda outs, x: (sinh_quotient(x), np.cosh(x) / x), domain=POSITIVE)  # 6.2.15, 6.2.16
of_scipy("spence", lambda out, x: -log_quotient(x - 1), domain=POSITIVE)  # log(x)/(1 - x), 25.12.2

# Lambert's function: W eʷ = x, so W' = e⁻ʷ/(1 + W), 4.13 --------------------------------------------------------------

of_scipy("wrightomega", lambda out, x: out / (1 + out), tex=r"\omega({x})")  # W(eˣ), 4.13.10
lambert = primitive(
    "lambertw", parameters_first("lambertw", lambda k, tol, x: special._ufuncs._lambertw(x, k, tol)),
    numpy=special._ufuncs._lambertw, settings=dict(k=0, tol=1e-8), domain=POSITIVE,
    samples=[([(3, 4)], {}), ([()], dict(k=-1))], tex="W_{{{k}}}({x})", text="lambertw({x}, {k})",
    pullbacks=(lambda g, out, x, k, tol: g * np.exp(-out) / (1 + out),),
    doc="The branch k of Lambert's function, the inverse of w eʷ, which is complex.",
)  # fmt: skip

# Elliptic integrals ---------------------------------------------------------------------------------------------------

HALVES = [(math.comb(2 * k, k) / 4**k) ** 2 for k in range(1, 26)]
THIRD = [math.pi / 2 * c * 2 * k / (2 * k - 1) for k, c in enumerate(HALVES, 1)]
"""D(m) = (K - E)/m as a series, from 19.5.1 and 19.5.2."""


def elliptic_quotient(first: Any, second: Any, m: Any) -> Any:
    """(K(m) - E(m))/m, which is π/4 at 0 (19.2.6)."""
    small = np.abs(m) < 0.2
    return choose(small, polynomial(THIRD, choose(small, m, 0.0)), (first - second) / choose(small, 1.0, m))


of_scipy(  # 19.4.1
    "ellipk", lambda out, x: (out - elliptic_quotient(out, special.ellipe(x), x)) / (2 * (1 - x)), domain=[(0.3, 0.8)],
    tex="K({x})",
)  # fmt: skip
of_scipy("ellipe", lambda out, x: -elliptic_quotient(special.ellipk(x), out, x) / 2, domain=[(0.3, 0.8)], tex="E({x})")
of_scipy(
    "ellipkm1", lambda out, x: (elliptic_quotient(out, special.ellipe(1 - x), 1 - x) - out) / (2 * x),
    domain=[(0.2, 0.7)], tex="K(1 - {x})",
)  # fmt: skip


@composed(special.agm)
def agm(a: Any, b: Any) -> Any:
    """See `scipy.special.agm`: π/4 (a + b) / K(m) with √m = (a - b)/(a + b) (19.8.5)."""
    total = a + b
    return total * (math.pi / 4) / special.ellipk(((a - b) / total) ** 2)


def incomplete_quotient(first: Any, second: Any, phi: Any, m: Any) -> Any:
    """(F(φ, m) - E(φ, m))/m = ∫ sin²θ/√(1 - m sin²θ) dθ from 0 to φ (19.2.6), for small m by its series."""
    small = np.abs(m) < 0.05
    far = (first - second) / choose(small, 1.0, m)
    if not np.any(plain(small)):
        return far
    sine, cosine, power, u = np.sin(phi), np.cos(phi), phi, choose(small, m, 0.0)
    coefficient, near, factor = 1.0, 0.0, 1.0
    for k in range(1, 14):  # the integral of sin²ᵏ, from that of sin²ᵏ⁻²
        power = ((2 * k - 1) * power - sine ** (2 * k - 1) * cosine) / (2 * k)
        near = near + coefficient * factor * power
        coefficient, factor = coefficient * (2 * k - 1) / (2 * k), factor * u
    return choose(small, near, far)


def slope_in_m(first: Any, phi: Any, m: Any) -> Any:
    """∂F/∂m = (F - D - sin φ cos φ/√(1 - m sin²φ)) / (2 (1 - m)), from 19.4.5."""
    quotient = incomplete_quotient(first, special.ellipeinc(phi, m), phi, m)
    return (first - quotient - np.sin(phi) * np.cos(phi) / root(phi, m)) / (2 * (1 - m))


def root(phi: Any, m: Any) -> Any:
    """√(1 - m sin²φ)."""
    return np.sqrt(1 - m * np.sin(phi) ** 2)


of_scipy(
    "ellipkinc",
    lambda out, x, y: 1 / root(x, y),
    lambda out, x, y: slope_in_m(out, x, y),
    domain=[(-2, 2), (0.2, 0.8)], tex="F({x}, {y})",
)  # fmt: skip
of_scipy(
    "ellipeinc",
    lambda out, x, y: root(x, y),
    lambda out, x, y: -incomplete_quotient(special.ellipkinc(x, y), out, x, y) / 2,  # 19.4.7
    domain=[(-2, 2), (0.2, 0.8)], tex="E({x}, {y})",
)  # fmt: skip


def jacobi_slopes(outs: Any, turn: Any, m: Any, more: Any = 0.0) -> tuple[Any, ...]:
    """Those of sn, cn, dn and the amplitude φ, given that of φ; `more` is ∂m (22.13)."""
    sn, cn, dn, _ = outs
    return cn * turn, -sn * turn, -sn * (2 * m * cn * turn + more * sn) / (2 * dn), turn


of_several(
    "ellipj",  # u = F(φ, m)
    lambda outs, x, y: jacobi_slopes(outs, outs[2], y),
    lambda outs, x, y: jacobi_slopes(outs, -slope_in_m(x, outs[3], y) * outs[2], y, 1.0),
    domain=[(-2, 2), (0.1, 0.9)],
)  # fmt: skip
