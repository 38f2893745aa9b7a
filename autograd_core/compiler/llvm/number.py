"""LLVM values with Python's operators, so that mathematics is written as mathematics."""

from typing import Any

from .code import Code, wide
from .text import F64, I32, I64


class Number:
    """A real number or a vector of them, and the code that computes with it."""

    def __init__(self, code: Code, value: Any) -> None:
        self.code = code
        self.value = value

    @property
    def double(self) -> bool:
        """Whether it is float64, not float32."""
        return bool(self.value.type.scalar is F64)

    def new(self, value: Any) -> "Number":
        return Number(self.code, value)

    def lift(self, x: Any) -> Any:
        """A number beside this one, as LLVM has it."""
        return x.value if isinstance(x, Number) else self.code.like(self.value, float(x))

    def __add__(self, other: Any) -> "Number":
        return self.new(self.code.b.fadd(self.value, self.lift(other)))

    def __sub__(self, other: Any) -> "Number":
        return self.new(self.code.b.fsub(self.value, self.lift(other)))

    def __rsub__(self, other: Any) -> "Number":
        return self.new(self.code.b.fsub(self.lift(other), self.value))

    def __mul__(self, other: Any) -> "Number":
        return self.new(self.code.b.fmul(self.value, self.lift(other)))

    def __truediv__(self, other: Any) -> "Number":
        return self.new(self.code.b.fdiv(self.value, self.lift(other)))

    def __rtruediv__(self, other: Any) -> "Number":
        return self.new(self.code.b.fdiv(self.lift(other), self.value))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "Number":
        return self.new(self.code.b.fneg(self.value))

    def __abs__(self) -> "Number":
        return self.new(self.code.call("fabs", self.value))

    def fma(self, y: Any, z: Any) -> "Number":
        """self · y + z, rounded once."""
        return self.new(self.code.fma(self.value, self.lift(y), self.lift(z)))

    def compare(self, how: str, other: Any) -> Any:
        """A comparison that is false where there is a nan; but != is true there."""
        return self.code.b.fcmp(how, self.value, self.lift(other))

    def where(self, condition: Any, other: Any) -> "Number":
        """self where a condition holds, elsewhere the other."""
        return self.new(self.code.b.select(condition, self.value, self.lift(other)))

    def polynomial(self, coefficients: tuple[float, ...]) -> "Number":
        """Σ cₖ xᵏ, as pairs and then by Horner's scheme in x²: half as long a wait as in x, and one product more."""
        terms = [self.new(self.lift(c)) for c in coefficients]
        pairs = [high.fma(self, low) for low, high in zip(terms[::2], terms[1::2], strict=False)]
        total, *rest = (pairs + terms[len(pairs) * 2 :])[::-1]
        square = self * self
        for pair in rest:
            total = total.fma(square, pair)
        return total

    # Bits -------------------------------------------------------------------------------------------------------------

    @property
    def mantissa(self) -> int:
        """The bits of the mantissa."""
        return 52 if self.double else 23

    @property
    def bias(self) -> int:
        """What the exponent's bits are larger than the exponent by."""
        return 1023 if self.double else 127

    def bits(self) -> Any:
        return self.code.b.bitcast(self.value, wide(I64 if self.double else I32, self.value.type.count))

    def of_bits(self, bits: Any) -> "Number":
        return self.new(self.code.b.bitcast(bits, self.value.type))

    def rounded(self, factor: float) -> tuple["Number", Any]:
        """The nearest integer to x · factor, if that is of moderate size, as a real number and as an integer.

        1.5 · 2ᵐ with m mantissa bits is so large that a sum with it keeps no fraction, and holds the integer in its
        last bits.
        """
        magic = self.new(self.lift(1.5 * 2.0**self.mantissa))
        moved = self.fma(factor, magic)
        return moved - magic, self.code.b.sub(moved.bits(), magic.bits())

    def power_of_two(self, n: Any) -> "Number":
        """2ⁿ for integers n in the range of the exponent."""
        b, code = self.code.b, self.code
        return self.of_bits(b.shl(b.add(n, code.like(n, self.bias)), code.like(n, self.mantissa)))

    def scaled(self, n: "Number", integer: Any) -> "Number":
        """self · 2ⁿ, rounded once, where the result may be denormal or infinite; n is given in both forms.

        AVX-512 has an instruction for it; else it is done in two steps, each within the range.
        """
        if self.code.target.avx512 and self.value.type.count * (64 if self.double else 32) >= 128:
            return self.new(self.code.scalef(self.value, n.value))
        b, code = self.code.b, self.code
        offset = 4 * (self.bias + 1)
        half = b.sub(b.lshr(b.add(integer, code.like(integer, offset)), code.like(integer, 1)),
                     code.like(integer, offset // 2))  # fmt: skip
        return self * self.power_of_two(half) * self.power_of_two(b.sub(integer, half))
