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
        """Σ cₖ xᵏ by Horner's scheme: the fewest steps, for others have something to do while one waits."""
        *rest, last = coefficients
        total = self.new(self.lift(last))
        for c in rest[::-1]:
            total = total.fma(self, c)
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

    def magic(self, parts: int = 1) -> "Number":
        """1.5 · 2ᵐ / parts, with m mantissa bits: so large that a sum with it keeps only multiples of 1/parts, and its
        last bits tell how many."""
        return self.new(self.lift(1.5 * 2.0**self.mantissa / parts))

    def rounded(self, factor: float, parts: int = 1) -> tuple["Number", Any]:
        """The multiple of 1/parts nearest to x · factor, if that is of moderate size: as a real number, and as an
        integer of parts, of which only the last 12 bits (9 in float32) are meant."""
        moved = self.fma(factor, self.magic(parts))
        return moved - self.magic(parts), moved.bits()

    def power_of_two(self, n: Any) -> "Number":
        """2ⁿ for integers n in the range of the exponent; of n only the last bits count."""
        b, code = self.code.b, self.code
        return self.of_bits(b.shl(b.add(n, code.like(n, self.bias)), code.like(n, self.mantissa)))

    def scaled(self, n: Any) -> "Number":
        """self · 2ⁿ for rounded integers n, rounded once, where the result may be denormal or infinite: in two steps,
        each within the range."""
        b, code = self.code.b, self.code
        n = b.sub(n, self.magic().bits())
        offset = 4 * (self.bias + 1)
        half = b.sub(b.lshr(b.add(n, code.like(n, offset)), code.like(n, 1)), code.like(n, offset // 2))
        return self * self.power_of_two(half) * self.power_of_two(b.sub(n, half))
