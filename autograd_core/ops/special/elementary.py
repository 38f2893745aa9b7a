"""Elementary functions of SciPy: logistic functions, entropies, losses, transformations of data, angles in degrees."""

import math
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...op import POWER, PRODUCT, SUM, UNARY, flat
from ...registry import BY_NUMPY, OPS
from ..elementwise import numpy_base
from ..indexing import choose
from .declare import BOTH, CHANCE, POSITIVE, of_scipy, polynomial

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
of_scipy(  # with s = √(x² + y²): differences of what is nearly equal become quotients
    "pseudo_huber",
    lambda out, x, y: y * (y / np.hypot(x, y)) * (y / (np.hypot(x, y) + x)) ** 2,
    lambda out, x, y: x * (y / np.hypot(x, y)),
    domain=BOTH,
)  # fmt: skip

# Exponentials and logarithms ------------------------------------------------------------------------------------------

of_scipy("exp10", lambda out, x: out * math.log(10), domain=[(-1, 1)], tex="10^{{{x}}}", precedence=POWER)
of_scipy(
    "powm1",
    lambda out, x, y: y * numpy_base(x) ** (y - 1),
    lambda out, x, y: (1 + out) * np.log(x),
    domain=BOTH, tex="{{{x}}}^{{{y}}} - 1", precedence=SUM,
)  # fmt: skip

SERIES = [(k + 1) / math.factorial(k + 2) for k in range(18)]
"""(eˣ - 1) / x = Σ xᵏ / (k + 1)!; these are the coefficients of the derivative."""


def slope_of_exprel(out: Any, x: Any) -> Any:
    """(eˣ - exprel(x)) / x, by the series near 0, where that loses its digits."""
    small = np.abs(x) < 0.7
    u = choose(small, x, 0.0)
    return choose(small, polynomial(SERIES, u), (np.exp(x) - out) / choose(small, 1.0, x))


of_scipy("exprel", slope_of_exprel, domain=[(0.8, 2)], tex=r"\frac{{e^{{{x}}} - 1}}{{{x}}}", precedence=PRODUCT)

LOGARITHM = [(-1) ** k / (k + 1) for k in range(32)]
"""log(1 + u)/u = Σ (-u)ᵏ / (k + 1)."""


def log_quotient(u: Any) -> Any:
    """log(1 + u)/u, which is 1 at 0."""
    small = np.abs(u) < 0.3
    return choose(small, polynomial(LOGARITHM, choose(small, u, 0.0)), np.log1p(u) / choose(small, 1.0, u))


def slope_of_log_quotient(u: Any) -> Any:
    """Its derivative, (1/(1 + u) - log(1 + u)/u) / u."""
    small = np.abs(u) < 0.3
    series = polynomial([k * c for k, c in enumerate(LOGARITHM)][1:], choose(small, u, 0.0))
    return choose(small, series, (1 / (1 + u) - np.log1p(u) / choose(small, 1.0, u)) / choose(small, 1.0, u))


# Transformations to normal data (Box and Cox, *Journal of the Royal Statistical Society* B, 1964), smooth at λ = 0 ----


def slope_of_power(log: Any, y: Any) -> Any:
    """∂/∂λ (uᵏ - 1)/λ at k = λ, which is log(u) exprel(λ log u); given log(u)."""
    return log * log * slope_of_exprel(special.exprel(y * log), y * log)


of_scipy("boxcox", lambda out, x, y: numpy_base(x) ** (y - 1), lambda out, x, y: slope_of_power(np.log(x), y),
         domain=[(2.2, 3), (1, 2)])  # fmt: skip
of_scipy(
    "boxcox1p", lambda out, x, y: numpy_base(1 + x) ** (y - 1), lambda out, x, y: slope_of_power(np.log1p(x), y),
    domain=[(1.2, 2), (1, 2)],
)  # fmt: skip
of_scipy(
    "inv_boxcox",  # exp(x q(λx)), where q(u) = log(1 + u)/u
    lambda out, x, y: out / (1 + y * x),
    lambda out, x, y: out * x * x * slope_of_log_quotient(y * x),
    domain=BOTH,
)  # fmt: skip
of_scipy(
    "inv_boxcox1p",
    lambda out, x, y: (1 + out) / (1 + y * x),
    lambda out, x, y: (1 + out) * x * x * slope_of_log_quotient(y * x),
    domain=BOTH,
)  # fmt: skip

# Angles in degrees ----------------------------------------------------------------------------------------------------

DEGREE = math.pi / 180

of_scipy("cosm1", lambda out, x: -np.sin(x))
of_scipy("sindg", lambda out, x: DEGREE * special.cosdg(x), tex=r"\sin({x}°)")
of_scipy("cosdg", lambda out, x: -DEGREE * special.sindg(x), tex=r"\cos({x}°)")
of_scipy("tandg", lambda out, x: DEGREE * (1 + out * out), tex=r"\tan({x}°)")
of_scipy("cotdg", lambda out, x: -DEGREE * (1 + out * out), domain=[(20, 70)], tex=r"\cot({x}°)")
of_scipy(
    "radian",
    lambda out, x, y, z: DEGREE,
    lambda out, x, y, z: DEGREE / 60,
    lambda out, x, y, z: DEGREE / 3600,
)  # fmt: skip

flat(special.round)

for same, name in ((special.log1p, "log1p"), (special.expm1, "expm1"), (special.exp2, "exp2"), (special.cbrt, "cbrt")):
    BY_NUMPY[same] = OPS[name]
