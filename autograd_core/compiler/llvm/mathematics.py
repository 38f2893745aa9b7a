"""Exponentials and logarithms of vectors: range reduction by exact steps, then a polynomial.

Every function of one number here is within 2 units in the last place over its whole domain (`benchmarks/accuracy.py`
measures that against mpmath), and right at ±0, ±inf, nan, denormals and the ends of its range.

Sources: Cody and Waite, *Software Manual for the Elementary Functions*, 1980 (reduction by ln 2 in two parts); Sun's
*fdlibm*, 1993 (the polynomial of the logarithm); Muller, *Elementary Functions*, 3rd ed., 2016.
"""

import math
from collections.abc import Callable
from typing import Any

from .number import Number
from .trigonometry import cos, sin

LN2 = {True: (0.6931471805599453, 2.3190468138462996e-17), False: (0.693147182464599609375, -1.904654299957e-09)}
"""ln 2 as the sum of two numbers, in float64 and in float32."""

EXP = {
    True: (
        0.16666666666666666, 0.04166666666665136, 0.008333333333332155, 0.0013888888905881542, 0.0001984126985433861,
        2.4801536388690766e-05, 2.755728006701698e-06, 2.761380686153829e-07, 2.5095554677111112e-08,
    ),
    False: (0.16666630810836075, 0.04166662186183431, 0.008357204929019698, 0.0013918719669483097),
}  # fmt: skip
"""(eʳ - 1 - r - r²/2) / r³ for |r| ≤ ln 2 / 2: a fit by Chebyshev polynomials; its error is below 0.15 ulp of eʳ."""

EXP_BY_TABLE = {
    True: (
        1.0, 0.5000000000000301, 0.16666666666667257, 0.04166666656939243, 0.008333333318602528, 0.0013889783017677786,
        0.0001984240297286881,
    ),
    False: (1.0, 0.5, 0.1666802614927292, 0.04167063161730766),
}  # fmt: skip
"""(eʳ - 1) / r for |r| ≤ ln 2 / 16: a fit by Lawson's algorithm; its error is below 0.02 ulp of eʳ."""

LOG = {
    True: (
        6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
        1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
    ),
    False: (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
}  # fmt: skip
"""log(1 + f) = f - f²/2 + s (f²/2 + s² P(s²)) with s = f / (2 + f); fdlibm."""

LOG_LN2 = {True: (6.93147180369123816490e-01, 1.90821492927058770002e-10), False: (6.9313812256e-01, 9.0580006145e-06)}
"""ln 2 with a first part so short that its product with an exponent is exact."""


def scaled_less_one(x: Number) -> tuple[Number, Number]:
    """eˣ - 1 = 2ⁿ (eʳ - 1) + (2ⁿ - 1), where 2ⁿ is in range, and what to add to it, for the terms may cancel.

    x = n ln 2 + r with |r| ≤ ln 2 / 2; eʳ - 1 = r + t, t = r²/2 + r³ P(r) + c, where c is what the rounding of r lost.
    """
    high, low = LN2[x.double]
    n, integer = x.rounded(1 / math.log(2))
    above = (-n).fma(high, x)
    r = (-n).fma(low, above)
    lost = (-n).fma(low, above - r)
    square = r * r
    t = square.fma(r * r.polynomial(EXP[r.double]), square.fma(0.5, lost))
    power = x.power_of_two(integer)
    e, one_less = r + t, power - 1.0
    total = power.fma(e, one_less)
    return total, power.fma(t - (e - r), power.fma(e, one_less - total))


def clamped(x: Number, low: float, high: float) -> Number:
    """x within bounds; nan stays."""
    x = x.new(x.lift(low)).where(x.compare("<", low), x)
    return x.new(x.lift(high)).where(x.compare(">", high), x)


def exp(x: Number) -> Number:
    """eˣ."""
    return exp_of_bounded(clamped(x, *((-746.0, 710.0) if x.double else (-104.0, 89.0))))


def exp_of_negative(x: Number) -> Number:
    """eˣ for x ≤ 0."""
    low = -746.0 if x.double else -104.0
    return exp_of_bounded(x.new(x.lift(low)).where(x.compare("<", low), x))


def exp_of_bounded(x: Number) -> Number:
    """eˣ = 2ⁿ eʳ, and eʳ = 1 + r P(r). With a table n is a multiple of 1/8; so r is smaller, and P shorter."""
    high, low = LN2[x.double]
    table = x.code.target.avx512
    n, bits = x.rounded(1 / math.log(2), 8 if table else 1)
    r = (-n).fma(low, (-n).fma(high, x))
    if not table:
        return r.fma(r.polynomial((1.0, 0.5, *EXP[x.double])), 1.0).scaled(bits)
    power = x.new(x.code.looked_up([2 ** (k / 8) for k in range(8)], bits, x.value.type.scalar))
    e = (power * r).fma(r.polynomial(EXP_BY_TABLE[x.double]), power)
    return x.new(x.code.scalef(e.value, n.value))


def expm1(x: Number) -> Number:
    """eˣ - 1."""
    given = x
    x = clamped(x, *((-40.0, 709.0) if x.double else (-20.0, 88.0)))
    small, lost = scaled_less_one(x)
    small = small + lost
    large = exp(given)
    small = large.where(given.compare(">", 40.0 if x.double else 20.0), small)
    return given.where(given.compare("==", 0.0), small)


def log_parts(x: Number) -> tuple[Number, Number]:
    """x = 2ᵏ (1 + f) with 1 + f between √½ and √2, for positive and normal x: f and k."""
    b, code = x.code.b, x.code
    bits = x.bits()
    root = x.new(x.lift(math.sqrt(0.5))).bits()
    shifted = b.sub(bits, root)
    k = b.ashr(shifted, code.like(bits, x.mantissa)) if not x.double else arithmetic_shift(x, shifted)
    one_plus_f = x.of_bits(b.sub(bits, b.shl(k, code.like(bits, x.mantissa))))
    magic = x.new(x.lift(1.5 * 2.0**x.mantissa))
    return one_plus_f - 1.0, x.of_bits(b.add(k, magic.bits())) - magic


def arithmetic_shift(x: Number, bits: Any) -> Any:
    """Bits shifted right by the mantissa, with their sign; a logical shift is quick where this is not."""
    b, code = x.code.b, x.code
    moved = b.add(bits, code.like(bits, 1 << 62))
    return b.sub(b.lshr(moved, code.like(bits, x.mantissa)), code.like(bits, 1 << (62 - x.mantissa)))


def log_of_normal(x: Number, correction: Number | None = None) -> Number:
    """log x for positive and normal x, plus a small correction."""
    f, k = log_parts(x)
    high, low = LOG_LN2[x.double]
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    tail = s * (half + z * z.polynomial(LOG[x.double])) + k * low
    if correction is not None:
        tail = tail + correction
    return k * high - ((half - tail) - f)


def log(x: Number) -> Number:
    """The natural logarithm."""
    given = x
    tiny = x.compare("<", 2.0**-1022 if x.double else 2.0**-126)
    shift = 54 if x.double else 25
    x = (x * 2.0**shift).where(tiny, x)
    high, _ = LOG_LN2[x.double]
    out = log_of_normal(x)
    low = LOG_LN2[x.double][1]
    out = (out - shift * low - shift * high).where(tiny, out)
    return log_edges(given, out, given)


def log_edges(x: Number, out: Number, beyond: Number) -> Number:
    """A logarithm at 0, below it, at inf and nan."""
    out = x.where(x.compare("==", math.inf), out)
    out = x.new(x.lift(-math.inf)).where(x.compare("==", 0.0), out)
    out = x.new(x.lift(math.nan)).where(x.compare("<", 0.0), out)
    return beyond.where(x.compare("!=", x), out)


def log1p(x: Number) -> Number:
    """log(1 + x): that of the rounded sum u, plus what the rounding lost, (x - (u - 1)) / u."""
    u = x + 1.0
    lost = (x - (u - 1.0)) / u
    small = abs(x).compare("<", 2.0**-60 if x.double else 2.0**-30)
    out = log_of_normal(u, lost)
    out = log_edges(u, out, x)
    return x.where(small, out)


def log1p_of_unit(x: Number) -> Number:
    """log(1 + x) for x between 0 and 1."""
    u = x + 1.0
    return log_of_normal(u, (x - (u - 1.0)) / u)


def sigmoid(x: Number) -> Number:
    """1 / (1 + e⁻ˣ); for negative x as eˣ / (1 + eˣ), where nothing overflows.

    Of the quotient q = p / d, where p is e or 1, the roundings of d = 1 + e and of the division left p - q - q e. That
    would have to be divided by d; but d is near 1 where it counts.
    """
    e = exp_of_negative(-abs(x))
    p = e.where(x.compare("<", 0.0), 1.0)
    q = p / (e + 1.0)
    return q + (-q).fma(e, p - q)


def tanh(x: Number) -> Number:
    """e / (e + 2) with e = e²ˣ - 1, for x > 0; then the sign is put back.

    For small e roundings count: that of e lost ε, and that of d = e + 2 lost δ. To first order the quotient changes by
    (ε (1 - q) - δ q) / d, and 1 / d is (1 - q) / 2.
    """
    size = abs(x) * 2.0
    size = size.new(size.lift(44.0)).where(size.compare(">", 44.0), size)
    e, more = scaled_less_one(size)
    d = e + 2.0
    q = e / d
    lost = (e - (d - 2.0)).where(e.compare("<", 1.0), 0.0)
    rest = 1.0 - q
    out = (rest * 0.5).fma(rest.fma(more, -(q * lost)), q)
    return x.new(x.code.call("copysign", out.value, x.value))


def softplus(x: Number) -> Number:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^-|x|)."""
    out = log1p_of_unit(exp_of_negative(-abs(x)))
    top = x.where(x.compare(">", 0.0), 0.0)
    found = top + out
    return x.where(x.compare("!=", x), found)


def logaddexp(x: Number, y: Number) -> Number:
    """log(eˣ + eʸ) = max(x, y) + log(1 + e^-|x - y|); of equal infinities that. Near 0 the terms cancel, as NumPy's."""
    top = x.where(x.compare(">", y), y)
    found = top + log1p_of_unit(exp_of_negative(-abs(x - y)))
    return (x + math.log(2.0)).where(x.compare("==", y), found)


ERF = {
    True: (
        0.12837916709551257, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
        -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
        -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11,
    ),
    False: (
        0.1283791658483509, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412, 0.005189087423433974,
        -0.000801686428716587, 7.875875062685488e-05,
    ),
}  # fmt: skip
"""erf(x) / x - 1 as a polynomial in x², for |x| ≤ 1."""

ERFC = {
    True: (
        0.25539567631050575, -0.4271858474139584, 0.24165819424246648, -0.07897858101573213, 0.003732892404327764,
        0.006997461739200444, -0.0008471432509203844, -0.000981977026567889, 4.355560219515472e-05,
        0.00017436116545392264, 2.7525480361206068e-05, -2.7579864674305787e-05, -1.396807230177146e-05,
        1.392621183618803e-06, 3.789215643758464e-06, 1.1780775215625583e-06, -5.322696855655786e-07,
        -4.215301054238321e-07,
    ),
    False: (
        0.25539567631050575, -0.42718584831165, 0.24165819411285702, -0.07897847314706918, 0.0037329080273491746,
        0.006993954025083926, -0.0008476555786712168, -0.0009395269021825955, 4.9876741933444445e-05,
    ),
}  # fmt: skip
"""erfc(x) eˣ² as a polynomial in (x - 2) / (x + 2), for 1 ≤ x ≤ 6 (4 in float32)."""


def erf(x: Number) -> Number:
    """The error function: up to 1 by its polynomial, from there on as 1 - erfc."""
    size = clamped(abs(x), 0.0, 6.0 if x.double else 4.0)
    near = x.fma((x * x).polynomial(ERF[x.double]), x)
    t = (size - 2.0) / (size + 2.0)
    far = 1.0 - exp_of_negative(-(size * size)) * t.polynomial(ERFC[x.double])
    far = far.new(far.code.call("copysign", far.value, x.value))
    return near.where(size.compare("<", 1.0), far)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": exp, "expm1": expm1, "log": log, "log1p": log1p, "sigmoid": sigmoid, "tanh": tanh, "softplus": softplus,
    "erf": erf, "logaddexp": logaddexp, "sin": sin, "cos": cos,
}  # fmt: skip
