"""Sine and cosine of vectors: what is left of x beside a multiple of π/2, then a polynomial; of large x by C's library.

Source: Cody and Waite, *Software Manual for the Elementary Functions*, 1980 (reduction by parts of π/2).
"""

import math
from functools import partial
from typing import Any

from .code import wide
from .libm import one_by_one
from .number import Number
from .text import F64, I1, I32

LIMIT = 1e5
"""Up to here n < 2¹⁶, so that the product of n and the second part of π/2 is exact."""

HALF_PI = (1.5707963267948966, 6.12323399538461e-17, 3.5215598651832e-27)
"""π/2 as the sum of three numbers, the second of 33 bits."""

SIN = {
    True: (
        -0.16666666666666666, 0.008333333333330946, -0.0001984126983675497, 2.755731610068303e-06,
        -2.5051131455427946e-08, 1.591810123027412e-10,
    ),
    False: (-0.166666641831398, 0.008332747966051102, -0.000195878412341699),
}  # fmt: skip
"""(sin r / r - 1) / r² as a polynomial in r² for |r| ≤ π/4; its error is below 0.2 ulp of sin r."""

COS = {
    True: (
        0.041666666666666664, -0.0013888888888887395, 2.4801587298763433e-05, -2.7557317270560326e-07,
        2.0876146024689747e-09, -1.1382614868556325e-11,
    ),
    False: (0.0416666641831398, -0.001388830249197781, 2.454789137118496e-05),
}  # fmt: skip
"""(cos r - 1 + r²/2) / r⁴ as a polynomial in r² for |r| ≤ π/4."""


def reduced(x: Number) -> tuple[Number, Any]:
    """r and n, where x = n π/2 + r with |r| ≤ π/4; of n only the last bits are meant. In float64, of float32, too."""
    b = x.code.b
    given = x if x.double else x.new(b.fpext(x.value, wide(F64, x.value.type.count)))
    n, integer = given.rounded(2 / math.pi)
    high, middle, low = HALF_PI
    above = (-n).fma(high, given)  # exact, for both are multiples of 2⁻⁵²
    if not x.double:
        r = (-n).fma(middle + low, above)
        return x.new(b.fptrunc(r.value, x.value.type)), b.trunc(integer, wide(I32, x.value.type.count))
    next_part = n * middle
    r = above - next_part
    lost = next_part - (above - r)
    return r - n.fma(low, lost), integer


def turned(x: Number, op: str, quarters: int) -> Number:
    """sin(x + quarters · π/2). What the sine and the cosine of one x have in common is computed once."""
    code, b, depth = x.code, x.code.b, x.value.depth
    known: dict[str, Any] = {}

    def compute(part: str) -> Any:
        if not known:
            r, known["n"] = reduced(x)
            z = r * r
            known["sine"] = (r * z).fma(z.polynomial(SIN[x.double]), r).value
            known["cosine"] = z.fma(z.fma(z.polynomial(COS[x.double]), -0.5), 1.0).value
        return known[part]

    sine, cosine, n = (code.once((k, x.value), depth, partial(compute, k)) for k in ("sine", "cosine", "n"))
    n = b.add(n, code.like(n, quarters))
    odd = b.icmp("!=", b.and_(n, code.like(n, 1)), code.like(n, 0))
    found = x.new(b.select(odd, cosine, sine))
    sign = b.shl(b.and_(n, code.like(n, 2)), code.like(n, 62 if x.double else 30))
    found = found.of_bits(b.xor(found.bits(), sign))
    large = abs(x).compare(">=", LIMIT)
    some = large if not x.value.type.vector else b.call(f"llvm.vector.reduce.or.{large.type.suffix}", I1, [large])
    return x.new(code.unless(some, found.value, lambda: b.select(large, one_by_one(code, op, [x.value]), found.value)))


def sin(x: Number) -> Number:
    """The sine; of ±0 that."""
    return x.where(x.compare("==", 0.0), turned(x, "sin", 0))


def cos(x: Number) -> Number:
    """The cosine."""
    return turned(x, "cos", 1)
