"""Bessel functions, and those of Kelvin, Struve, Airy and Weber: SciPy's ufuncs. Their order is plain data.

Source of the derivatives: *NIST Digital Library of Mathematical Functions* (DLMF), chapters 9 to 12; the numbers are
those of its equations.
"""

import math
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...op import composed, primitive
from ..indexing import choose
from .declare import POSITIVE, of_scipy, of_several, parameters_first, taking, whole

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

# Of any order: ∂C/∂x is half the sum or the difference of the neighbours, 10.6.1 and 10.29.1 --------------------------

ORDER: dict[str, Any] = dict(v=1.5)
ANY: list[Any] = [(0.4, 3.0)]

of_scipy("jv", lambda out, x, v: (special.jv(v - 1, x) - special.jv(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         tex="J_{{{v}}}({x})")  # fmt: skip
of_scipy("yv", lambda out, x, v: (special.yv(v - 1, x) - special.yv(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         tex="Y_{{{v}}}({x})")  # fmt: skip
of_scipy("iv", lambda out, x, v: (special.iv(v - 1, x) + special.iv(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         tex="I_{{{v}}}({x})")  # fmt: skip
of_scipy("kv", lambda out, x, v: -(special.kv(v - 1, x) + special.kv(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         tex="K_{{{v}}}({x})")  # fmt: skip


def neighbours(function: Any, n: Any, x: Any, sign: int) -> Any:
    """Cₙ₋₁ ± Cₙ₊₁, for a count n that SciPy takes without what is behind the point."""
    return function(whole(n) - 1, x) + sign * function(whole(n) + 1, x)


of_scipy("yn", lambda out, x, n: neighbours(special.yv, n, x, -1) / 2, parameters=dict(n=2), domain=ANY,
         tex="Y_{{{n}}}({x})")  # fmt: skip
of_scipy("kn", lambda out, x, n: -neighbours(special.kv, n, x, 1) / 2, parameters=dict(n=2), domain=ANY,
         tex="K_{{{n}}}({x})")  # fmt: skip

# The same, scaled: by exp(-|Im x|), which is 1 for real x, by exp(-|Re x|) or by exp(x)

of_scipy("jve", lambda out, x, v: (special.jve(v - 1, x) - special.jve(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         real=True)  # fmt: skip
of_scipy("yve", lambda out, x, v: (special.yve(v - 1, x) - special.yve(v + 1, x)) / 2, parameters=ORDER, domain=ANY,
         real=True)  # fmt: skip
of_scipy("ive", lambda out, x, v: (special.ive(v - 1, x) + special.ive(v + 1, x)) / 2 - np.sign(x) * out,
         parameters=ORDER, domain=ANY, real=True)  # fmt: skip
of_scipy("kve", lambda out, x, v: out - (special.kve(v - 1, x) + special.kve(v + 1, x)) / 2, parameters=ORDER,
         domain=ANY)  # fmt: skip


def hankel(name: str, turn: complex) -> None:
    """Hankel's functions, which are complex; those with an e are multiplied by exp(turn · x), 10.6.1."""
    function = getattr(special, name)
    op = primitive(
        name, parameters_first(name, function), numpy=function, settings=dict(v=1.5), domain=ANY,
        samples=[([(3, 4)], {}), ([()], {})],
        text=f"{name}({{v}}, {{x}})", doc=f"See `scipy.special.{name}`: complex.",
        pullbacks=(lambda g, out, x, v: g * ((function(v - 1, x) - function(v + 1, x)) / 2 + turn * out),),
    )  # fmt: skip
    composed(function)(taking(op, name, "v"))


for name, turn in (("hankel1", 0), ("hankel2", 0), ("hankel1e", -1j), ("hankel2e", 1j)):
    hankel(name, turn)

# Struve ---------------------------------------------------------------------------------------------------------------


def struve_term(v: Any, x: Any) -> Any:
    """(x/2)ᵛ / (√π Γ(v + 3/2))."""
    return (x / 2) ** v * special.rgamma(v + 1.5) / math.sqrt(math.pi)


of_scipy(
    "struve",  # 11.4.24
    lambda out, x, v: (special.struve(v - 1, x) - special.struve(v + 1, x) + struve_term(v, x)) / 2,
    parameters=ORDER, domain=ANY, tex=r"\mathbf{{H}}_{{{v}}}({x})",
)  # fmt: skip
of_scipy(
    "modstruve",  # 11.4.26
    lambda out, x, v: (special.modstruve(v - 1, x) + special.modstruve(v + 1, x) + struve_term(v, x)) / 2,
    parameters=ORDER, domain=ANY, tex=r"\mathbf{{L}}_{{{v}}}({x})",
)  # fmt: skip

# Kelvin: ber + i bei and ker + i kei solve x² w'' + x w' = i x² w, 10.61.3 --------------------------------------------

of_scipy("ber", lambda out, x: special.berp(x), domain=POSITIVE)
of_scipy("bei", lambda out, x: special.beip(x), domain=POSITIVE)
of_scipy("ker", lambda out, x: special.kerp(x), domain=POSITIVE)
of_scipy("kei", lambda out, x: special.keip(x), domain=POSITIVE)
of_scipy("berp", lambda out, x: -special.bei(x) - out / x, domain=POSITIVE)
of_scipy("beip", lambda out, x: special.ber(x) - out / x, domain=POSITIVE)
of_scipy("kerp", lambda out, x: -special.kei(x) - out / x, domain=POSITIVE)
of_scipy("keip", lambda out, x: special.ker(x) - out / x, domain=POSITIVE)
of_several("kelvin", lambda outs, x: (outs[2], outs[3], 1j * outs[0] - outs[2] / x, 1j * outs[1] - outs[3] / x),
           domain=POSITIVE)  # fmt: skip

# Airy, w'' = x w, 9.2.1 -----------------------------------------------------------------------------------------------

of_several("airy", lambda outs, x: (outs[1], x * outs[0], outs[3], x * outs[2]))

# Parabolic cylinders: D and V solve w'' = (x²/4 - v - 1/2) w, and W solves w'' = (a - x²/4) w, 12.2.1 -----------------

of_several("pbdv", lambda outs, x, v: (outs[1], (x * x / 4 - v - 0.5) * outs[0]), parameters=ORDER)
of_several("pbvv", lambda outs, x, v: (outs[1], (x * x / 4 - v - 0.5) * outs[0]), parameters=ORDER)
of_several("pbwa", lambda outs, x, a: (outs[1], (a - x * x / 4) * outs[0]), parameters=dict(a=1.5))

# Integrals of these ---------------------------------------------------------------------------------------------------

of_several("iti0k0", lambda outs, x: (special.i0(x), special.k0(x)), domain=POSITIVE)
of_several("itj0y0", lambda outs, x: (special.j0(x), special.y0(x)), domain=POSITIVE)
of_several("it2i0k0", lambda outs, x: ((special.i0(x) - 1) / x, -special.k0(x) / x), domain=POSITIVE)
of_several("it2j0y0", lambda outs, x: ((1 - special.j0(x)) / x, -special.y0(x) / x), domain=POSITIVE)
of_several(  # SciPy's integral is right to 10 digits near 0 and to 6 at 2; the derivative is right everywhere
    "itairy", lambda outs, x: (*special.airy(x)[::2], *special.airy(-x)[::2]), domain=[(0.1, 0.4)]
)
of_scipy("itstruve0", lambda out, x: special.struve(0, x), domain=POSITIVE)
of_scipy("it2struve0", lambda out, x: -special.struve(0, x) / x, domain=POSITIVE)
of_scipy("itmodstruve0", lambda out, x: special.modstruve(0, x), domain=POSITIVE)
