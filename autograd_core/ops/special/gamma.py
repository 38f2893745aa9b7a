"""The gamma function and its relatives: SciPy's ufuncs.

Source of the derivatives: *NIST Digital Library of Mathematical Functions* (DLMF), chapters 5, 8 and 25; the numbers
are those of its equations.
"""

from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...data import dtype_of
from ...op import PRODUCT, Op, flat, primitive
from ...registry import BY_NUMPY, OPS
from .declare import BOTH, CHANCE, POSITIVE, of_scipy

# Gamma and beta -------------------------------------------------------------------------------------------------------


def derivative_of_digamma(x: Any, n: int) -> Any:
    return np.asarray(special.polygamma(n, x), dtype_of(x))[()]


polygamma: Op = primitive(
    "polygamma", derivative_of_digamma, settings=dict(n=1), samples=[([(3,)], {}), ([()], dict(n=2))],
    text="polygamma({n}, {x})", tex=r"\psi^{{({n})}}({x})", pullbacks=(lambda g, out, x, n: g * polygamma(x, n=n + 1),),
    doc="The derivative number n ≥ 1 of the digamma function.",
)  # fmt: skip
of_scipy("psi", lambda out, x: polygamma(x), domain=POSITIVE, tex=r"\psi({x})")
BY_NUMPY[special.digamma] = OPS["psi"]
of_scipy("gammaln", lambda out, x: special.psi(x), domain=POSITIVE, tex=r"\ln\left(\Gamma({x})\right)")
of_scipy("loggamma", lambda out, x: special.psi(x), domain=POSITIVE, tex=r"\ln\left(\Gamma({x})\right)")
of_scipy("gamma", lambda out, x: out * special.psi(x), domain=POSITIVE, tex=r"\Gamma({x})")
of_scipy(
    "rgamma",
    lambda out, x: -out * special.psi(x),
    domain=POSITIVE,
    tex=r"\frac{{1}}{{\Gamma({x})}}",
    precedence=PRODUCT,
)
of_scipy(
    "beta",
    lambda out, x, y: out * (special.psi(x) - special.psi(x + y)),
    lambda out, x, y: out * (special.psi(y) - special.psi(x + y)),
    domain=BOTH,
)  # fmt: skip
of_scipy(
    "betaln",
    lambda out, x, y: special.psi(x) - special.psi(x + y),
    lambda out, x, y: special.psi(y) - special.psi(x + y),
    domain=BOTH, tex=r"\ln\left(\mathrm{{B}}({x}, {y})\right)",
)  # fmt: skip
of_scipy(
    "poch",
    lambda out, x, y: out * (special.psi(x + y) - special.psi(x)),
    lambda out, x, y: out * special.psi(x + y),
    domain=BOTH,
)  # fmt: skip
of_scipy(
    "binom",
    lambda out, x, y: out * (special.psi(x + 1) - special.psi(x - y + 1)),
    lambda out, x, y: out * (special.psi(x - y + 1) - special.psi(y + 1)),
    domain=[(2.2, 3.2), (0.4, 1.8)],
)  # fmt: skip

flat(special.gammasgn)

# Incomplete gamma and beta functions, and their inverses --------------------------------------------------------------


def gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ / Γ(a)."""
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b)."""
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


SHAPE: dict[str, Any] = dict(a=2.5)
SHAPES: dict[str, Any] = dict(a=2.5, b=1.5)

of_scipy("gammainc", lambda out, x, a: gamma_density(a, x), parameters=SHAPE, domain=POSITIVE)  # 8.8.13
of_scipy("gammaincc", lambda out, x, a: -gamma_density(a, x), parameters=SHAPE, domain=POSITIVE)  # 8.8.14
of_scipy("gammaincinv", lambda out, x, a: 1 / gamma_density(a, out), parameters=SHAPE, domain=CHANCE)
of_scipy("gammainccinv", lambda out, x, a: -1 / gamma_density(a, out), parameters=SHAPE, domain=CHANCE)
of_scipy("betainc", lambda out, x, a, b: beta_density(a, b, x), parameters=SHAPES, domain=CHANCE)  # 8.17.1
of_scipy("betaincc", lambda out, x, a, b: -beta_density(a, b, x), parameters=SHAPES, domain=CHANCE)
of_scipy("betaincinv", lambda out, x, a, b: 1 / beta_density(a, b, out), parameters=SHAPES, domain=CHANCE)
of_scipy("betainccinv", lambda out, x, a, b: -1 / beta_density(a, b, out), parameters=SHAPES, domain=CHANCE)

# Zeta -----------------------------------------------------------------------------------------------------------------

of_scipy(
    "zeta", lambda out, x, s: -s * special.zeta(s + 1, x),  # 25.11.17
    function=special._ufuncs._zeta, parameters=dict(s=2.5), domain=POSITIVE, tex=r"\zeta({s}, {x})",
)  # fmt: skip
