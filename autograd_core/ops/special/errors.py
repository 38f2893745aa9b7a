"""Error functions, and the normal distribution: SciPy's ufuncs.

Source of the derivatives: *NIST Digital Library of Mathematical Functions* (DLMF), chapter 7; the numbers are those of
its equations. For logarithms of probabilities the stable quotient is used: φ(x)/Φ(x) = √(2/π) / erfcx(-x/√2).
"""

import math
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...op import composed, primitive
from ...value import FAST
from .declare import BOTH, CHANCE, of_scipy, of_several, parameters_first

ROOT_PI, ROOT_2, ROOT_2PI = math.sqrt(math.pi), math.sqrt(2), math.sqrt(2 * math.pi)

# Error functions ------------------------------------------------------------------------------------------------------

of_scipy("erf", lambda out, x: 2 / ROOT_PI * np.exp(-x * x))  # 7.2.1
of_scipy("erfc", lambda out, x: -2 / ROOT_PI * np.exp(-x * x))
of_scipy("erfcx", lambda out, x: 2 * x * out - 2 / ROOT_PI, domain=[(-1.5, -0.4)])
of_scipy("erfi", lambda out, x: 2 / ROOT_PI * np.exp(x * x))
of_scipy("dawsn", lambda out, x: 1 - 2 * x * out)  # 7.5.1
of_scipy("erfinv", lambda out, x: ROOT_PI / 2 * np.exp(out * out), domain=[(-0.8, 0.8)])
of_scipy("erfcinv", lambda out, x: -ROOT_PI / 2 * np.exp(out * out), domain=[(0.2, 1.8)])

faddeeva = primitive(
    "wofz", parameters_first("wofz", special.wofz), numpy=special.wofz, tex=r"w({x})",
    samples=[([(3, 4)], {}), ([()], {})],
    pullbacks=(lambda g, out, x: g * (2j / ROOT_PI - 2 * x * out),),  # 7.10.2
    doc="Faddeeva's function w(z) = exp(-z²) erfc(-iz), which is complex.",
)  # fmt: skip


of_several("fresnel", lambda outs, x: (np.sin(x * x * (math.pi / 2)), np.cos(x * x * (math.pi / 2))))  # 7.2.7, 7.2.8


def slope_of_faddeeva(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """z = (x + iγ)/(σ√2), and w'(z)."""
    z = (x + 1j * gamma) / (sigma * ROOT_2)
    return z, 2j / ROOT_PI - 2 * z * special.wofz(z)


of_scipy(
    "voigt_profile",  # Re w(z) / (σ√2π), 7.19.1
    lambda out, x, y, z: np.real(slope_of_faddeeva(x, y, z)[1]) / (y * y * (ROOT_2 * ROOT_2PI)),
    lambda out, x, y, z: -(out + np.real(np.multiply(*slope_of_faddeeva(x, y, z))) / (y * ROOT_2PI)) / y,
    lambda out, x, y, z: -np.imag(slope_of_faddeeva(x, y, z)[1]) / (y * y * (ROOT_2 * ROOT_2PI)),
    domain=[(-2, 2), (0.5, 2), (0.2, 2)],
)  # fmt: skip

# The normal distribution ----------------------------------------------------------------------------------------------

of_scipy("ndtr", lambda out, x: np.exp(-x * x / 2) / ROOT_2PI, tex=r"\Phi({x})")
of_scipy(
    "log_ndtr", lambda out, x: math.sqrt(2 / math.pi) / special.erfcx(-x / ROOT_2), tex=r"\ln\left(\Phi({x})\right)"
)
of_scipy("ndtri", lambda out, x: ROOT_2PI * np.exp(out * out / 2), domain=CHANCE, tex=r"\Phi^{{-1}}({x})")
of_scipy("ndtri_exp", lambda out, x: special.erfcx(-out / ROOT_2) * (ROOT_2PI / 2), domain=[(-3, -0.2)])
of_scipy(
    "owens_t",
    lambda out, x, y: -np.exp(-x * x / 2) * special.erf(x * y / ROOT_2) / (2 * ROOT_2PI),
    lambda out, x, y: np.exp(-x * x * (1 + y * y) / 2) / (2 * math.pi * (1 + y * y)),
    domain=BOTH,
)  # fmt: skip


def normal_quantile(p: Any) -> Any:
    """Φ⁻¹(p): of a Python number a Python number, which does not widen a dtype."""
    return float(special.ndtri(p)) if type(p) in FAST else special.ndtri(p)


@composed(special.nrdtrimn)
def mean_of_normal(p: Any, std: Any, x: Any) -> Any:
    """See `scipy.special.nrdtrimn`: x - σ Φ⁻¹(p)."""
    return x - std * normal_quantile(p)


@composed(special.nrdtrisd)
def deviation_of_normal(mn: Any, p: Any, x: Any) -> Any:
    """See `scipy.special.nrdtrisd`: (x - μ) / Φ⁻¹(p)."""
    return (x - mn) / normal_quantile(p)
