"""SciPy's special functions on Values: `scipy.special.erf(v)` arrives through NumPy's protocol for ufuncs.

SciPy is an extra. Nothing imports this file until a Value meets a ufunc that has no op yet, while SciPy is loaded.

Source of the derivatives: *NIST Digital Library of Mathematical Functions*, chapters 5 (gamma), 6, 7 (error functions)
and 10 (Bessel functions). For distributions the stable quotients are used: φ(x)/Φ(x) = √(2/π) / erfcx(-x/√2).
"""

import math
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ..data import dtype_of
from ..op import CALL, POWER, PRODUCT, UNARY, Op, composed, elementwise, primitive
from ..registry import BY_NUMPY, OPS
from ..value import Value
from .indexing import choose

ROOT_PI, ROOT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)
POSITIVE, BOTH, CHANCE = [(0.4, 3)], [(0.4, 2), (0.4, 2)], [(0.1, 0.9)]


def of_scipy(name: str, *partials: Any, domain: Any = (), tex: str | None = None, precedence: int = CALL) -> Any:
    """Declare a ufunc of scipy.special by its local derivatives."""
    function = getattr(special, name)
    if tex is None:
        arguments = ", ".join(["{x}", "{y}"][: len(partials)])
        tex = rf"\operatorname{{{{{name.replace('_', ' ')}}}}}({arguments})"
    return elementwise(name, function, numpy=function, partials=partials, domain=domain, tex=tex, precedence=precedence)


# Error functions and the normal distribution --------------------------------------------------------------------------

of_scipy("erf", lambda out, x: 2 / ROOT_PI * np.exp(-x * x))
of_scipy("erfc", lambda out, x: -2 / ROOT_PI * np.exp(-x * x))
of_scipy("erfcx", lambda out, x: 2 * x * out - 2 / ROOT_PI, domain=[(-1.5, -0.4)])
of_scipy("erfi", lambda out, x: 2 / ROOT_PI * np.exp(x * x))
of_scipy("dawsn", lambda out, x: 1 - 2 * x * out)
of_scipy("erfinv", lambda out, x: ROOT_PI / 2 * np.exp(out * out), domain=[(-0.8, 0.8)])
of_scipy("erfcinv", lambda out, x: -ROOT_PI / 2 * np.exp(out * out), domain=[(0.2, 1.8)])
of_scipy("ndtr", lambda out, x: np.exp(-x * x / 2) / ROOT_2PI, tex=r"\Phi({x})")
of_scipy(
    "log_ndtr",
    lambda out, x: math.sqrt(2 / math.pi) / special.erfcx(-x / math.sqrt(2)),
    tex=r"\ln\left(\Phi({x})\right)",
)
of_scipy("ndtri", lambda out, x: ROOT_2PI * np.exp(out * out / 2), domain=CHANCE, tex=r"\Phi^{{-1}}({x})")

# Logistic and entropies -----------------------------------------------------------------------------------------------

of_scipy("expit", lambda out, x: out * (1 - out), tex=r"\sigma({x})")
of_scipy("log_expit", lambda out, x: special.expit(-x), tex=r"\ln\left(\sigma({x})\right)")
of_scipy("logit", lambda out, x: 1 / (x * (1 - x)), domain=CHANCE)
of_scipy(
    "xlogy",
    lambda out, x, y: np.log(choose((x == 0) & (y == 0), 1.0, y)),
    lambda out, x, y: x / choose((x == 0) & (y == 0), 1.0, y),  # 0 log y is 0 for every y
    domain=BOTH, tex=r"{x} \, \ln({y})", precedence=PRODUCT,
)  # fmt: skip
of_scipy(
    "xlog1py",
    lambda out, x, y: np.log1p(choose((x == 0) & (y == -1), 0.0, y)),
    lambda out, x, y: x / (1 + choose((x == 0) & (y == -1), 0.0, y)),
    domain=BOTH, tex=r"{x} \, \ln(1 + {y})", precedence=PRODUCT,
)  # fmt: skip
of_scipy("entr", lambda out, x: -1 - np.log(x), domain=POSITIVE, tex=r"-{x} \, \ln({x})", precedence=UNARY)
of_scipy("rel_entr", lambda out, x, y: 1 + np.log(x / y), lambda out, x, y: -x / y, domain=BOTH)
of_scipy("kl_div", lambda out, x, y: np.log(x / y), lambda out, x, y: 1 - x / y, domain=BOTH)
of_scipy(
    "huber",
    lambda out, x, y: choose(y > x, y - x, choose(y < -x, -y - x, 0.0)),
    lambda out, x, y: choose(y > x, x, choose(y < -x, -x, y)),
    domain=[(0.4, 0.8), (0.9, 2)],
)  # fmt: skip
of_scipy(
    "pseudo_huber",
    lambda out, x, y: 2 * x * (np.hypot(1.0, y / x) - 1) - y * y / (x * np.hypot(1.0, y / x)),
    lambda out, x, y: y / np.hypot(1.0, y / x),
    domain=BOTH,
)  # fmt: skip

# Gamma and its relatives ----------------------------------------------------------------------------------------------


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
BY_NUMPY[special.loggamma] = OPS["gammaln"]
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

# Exponential integrals and elliptic integrals -------------------------------------------------------------------------

of_scipy("expi", lambda out, x: np.exp(x) / x, domain=POSITIVE)
of_scipy("exp1", lambda out, x: -np.exp(-x) / x, domain=POSITIVE)
of_scipy("exp10", lambda out, x: out * math.log(10), domain=[(-1, 1)], tex="10^{{{x}}}", precedence=POWER)
of_scipy("cosm1", lambda out, x: -np.sin(x))
of_scipy("ellipk", lambda out, x: (special.ellipe(x) / (1 - x) - out) / (2 * x), domain=[(0.2, 0.8)])
of_scipy("ellipe", lambda out, x: (out - special.ellipk(x)) / (2 * x), domain=[(0.2, 0.8)])

SERIES = [(k + 1) / math.factorial(k + 2) for k in range(18)]
"""(eˣ - 1) / x = Σ xᵏ / (k + 1)!; these are the coefficients of the derivative."""


def slope_of_exprel(out: Any, x: Any) -> Any:
    """(eˣ - exprel(x)) / x, by the series near 0, where that loses its digits."""
    small = np.abs(x) < 0.7
    u = choose(small, x, 0.0)
    series: Any = 0.0
    for coefficient in reversed(SERIES):
        series = series * u + coefficient
    return choose(small, series, (np.exp(x) - out) / choose(small, 1.0, x))


of_scipy("exprel", slope_of_exprel, domain=[(0.8, 2)], tex=r"\frac{{e^{{{x}}} - 1}}{{{x}}}", precedence=PRODUCT)

# Bessel functions -----------------------------------------------------------------------------------------------------

of_scipy("j0", lambda out, x: -special.j1(x), tex="J_0({x})")
of_scipy("j1", lambda out, x: (special.j0(x) - special.jv(2, x)) / 2, tex="J_1({x})")
of_scipy("y0", lambda out, x: -special.y1(x), domain=POSITIVE, tex="Y_0({x})")
of_scipy("y1", lambda out, x: special.y0(x) - out / x, domain=POSITIVE, tex="Y_1({x})")
of_scipy("i0", lambda out, x: special.i1(x), tex="I_0({x})")
of_scipy("i1", lambda out, x: (special.i0(x) + special.iv(2, x)) / 2, tex="I_1({x})")
of_scipy("k0", lambda out, x: -special.k1(x), domain=POSITIVE, tex="K_0({x})")
of_scipy("k1", lambda out, x: -special.k0(x) - out / x, domain=POSITIVE, tex="K_1({x})")
of_scipy("i0e", lambda out, x: special.i1e(x) - np.sign(x) * out, domain=POSITIVE)
of_scipy(
    "i1e", lambda out, x: special.i0e(x) - out * np.sign(x) - choose(x == 0, 0.5, out / choose(x == 0, 1.0, x)),
    domain=POSITIVE,
)  # fmt: skip
of_scipy("k0e", lambda out, x: out - special.k1e(x), domain=POSITIVE)
of_scipy("k1e", lambda out, x: out - special.k0e(x) - out / x, domain=POSITIVE)


def bessel(name: str, sign: int) -> None:
    """Jᵥ and Iᵥ with a plain order v: ∂Cᵥ/∂x = (Cᵥ₋₁ ∓ Cᵥ₊₁) / 2."""
    function = getattr(special, name)
    op: Any = primitive(
        name, lambda x, v: np.asarray(function(v, x), dtype_of(x))[()], settings=dict(v=0),
        text=f"{name}({{v}}, {{x}})", samples=[([(3, 4)], dict(v=2)), ([()], dict(v=1))],
        pullbacks=(lambda g, out, x, v: g * (op(x, v=v - 1) + sign * op(x, v=v + 1)) / 2,),
    )  # fmt: skip

    @composed(function)
    def call(v: Any, z: Any) -> Any:
        if type(v) is Value:
            raise TypeError(f"scipy.special.{name} is not differentiable in its order v: pass plain data")
        return op(z, v=v if np.ndim(v) == 0 else np.asarray(v))


bessel("jv", -1)
bessel("iv", 1)

for same, name in ((special.log1p, "log1p"), (special.expm1, "expm1"), (special.exp2, "exp2"), (special.cbrt, "cbrt")):
    BY_NUMPY[same] = OPS[name]
