"""Writing LLVM's language: types, constants, vectors and counted loops, over llvmlite's builder."""

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.ir as ir
import numpy as np

from .target import Target

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()
POINTER = ir.PointerType()

REGISTERS = {"float64": F64, "float32": F32, "int64": I64, "int32": I32, "bool": I1}
"""What holds a number of each dtype while it is computed with."""

MEMORY = {**REGISTERS, "bool": I8}
"""And what it is in memory."""

CURRENT_ROUNDING = 4
"""As every other operation here rounds."""


def lanes_of(x: Any) -> int:
    """How many numbers a value holds."""
    return x.type.count if isinstance(x.type, ir.VectorType) else 1


def held(lanes: int) -> int:
    """The lanes of the register that so many numbers are held in: the next power of two."""
    return 1 << (lanes - 1).bit_length()


def wide(t: Any, lanes: int) -> Any:
    """The type of so many numbers side by side; of a register's lanes the last may be nobody's."""
    return t if lanes == 1 else ir.VectorType(t, held(lanes))


class Code:
    """A function that is being written."""

    def __init__(self, module: Any, function: Any, target: Target) -> None:
        self.module = module
        self.function = function
        self.target = target
        self.width = target.width
        self.b = ir.IRBuilder(function.append_basic_block("entry"))

    # Values -----------------------------------------------------------------------------------------------------------

    def index(self, n: int) -> Any:
        return ir.Constant(I64, n)

    def constant(self, dtype: Any, value: Any, lanes: int = 1) -> Any:
        """A number, in every lane."""
        t = REGISTERS[np.dtype(dtype).name]
        number = int(value) if np.dtype(dtype).kind in "ib" else float(value)
        one = ir.Constant(t, number)
        return one if lanes == 1 else ir.Constant(wide(t, lanes), [one] * held(lanes))

    def like(self, x: Any, value: Any) -> Any:
        """A number as x holds them."""
        t = x.type.element if isinstance(x.type, ir.VectorType) else x.type
        lanes = lanes_of(x)
        one = ir.Constant(t, value)
        return one if lanes == 1 else ir.Constant(x.type, [one] * lanes)

    def splat(self, x: Any, lanes: int) -> Any:
        """A number in every lane."""
        if lanes == 1 or lanes_of(x) > 1:
            return x
        t = wide(x.type, lanes)
        first = self.b.insert_element(ir.Constant(t, ir.Undefined), x, ir.Constant(I32, 0))
        return self.shuffled(first, [0] * held(lanes))

    def shuffled(self, x: Any, lanes: Sequence[int]) -> Any:
        """Some lanes of a vector, by their numbers, in this order."""
        numbers = [ir.Constant(I32, k) for k in lanes]
        return self.b.shuffle_vector(x, x, ir.Constant(ir.VectorType(I32, len(lanes)), numbers))

    def transposed(self, rows: list[Any]) -> list[Any]:
        """n vectors of n numbers as the columns of what they were the rows of: halves, quarters, ... change places."""
        n = len(rows)
        h = n // 2
        while h:
            for i in [i for i in range(n) if not i & h]:
                a, b = rows[i], rows[i + h]
                for at, taken in ((i, [k if not k & h else n + k - h for k in range(n)]),
                                  (i + h, [k + h if not k & h else n + k for k in range(n)])):  # fmt: skip
                    numbers = [ir.Constant(I32, k) for k in taken]
                    rows[at] = self.b.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, n), numbers))
            h //= 2
        return rows

    def first(self, lanes: int) -> Any:
        """Which lanes of a register hold the first numbers, and not nobody's."""
        n = held(lanes)
        return ir.Constant(ir.VectorType(I1, n), [ir.Constant(I1, k < lanes) for k in range(n)])

    def call(self, name: str, *args: Any) -> Any:
        """One of LLVM's own functions: fma, sqrt, fabs, floor, ..."""
        t = args[0].type
        scalar = t.element if isinstance(t, ir.VectorType) else t
        suffix = {F64: "f64", F32: "f32"}[scalar]
        full = f"llvm.{name}.{suffix if lanes_of(args[0]) == 1 else f'v{lanes_of(args[0])}{suffix}'}"
        function = self.module.globals.get(full)
        if function is None:
            function = ir.Function(self.module, ir.FunctionType(t, [t] * len(args)), full)
        return self.b.call(function, args)

    def scalef(self, x: Any, n: Any, bits: int) -> Any:
        """x · 2ⁿ by AVX-512's instruction, for vectors of so many bits."""
        name = {F64: "pd", F32: "ps"}[x.type.element]
        mask = ir.IntType(max(8, x.type.count))
        args = [x, n, ir.Constant(x.type, None), ir.Constant(mask, -1)]
        args += [ir.Constant(I32, CURRENT_ROUNDING)] * (bits == 512)
        full = f"llvm.x86.avx512.mask.scalef.{name}.{bits}"
        kind = ir.FunctionType(x.type, [a.type for a in args])
        return self.b.call(self.module.globals.get(full) or ir.Function(self.module, kind, full), args)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x y + z, rounded once."""
        return self.call("fma", x, y, z)

    def halves_added(self, x: Any, add: Callable[[Any, Any], Any]) -> Any:
        """All lanes put together, halves first: an order that never changes."""
        n = lanes_of(x)
        while n > 1 and n % 2 == 0:
            parts = [self.shuffled(x, range(s, s + n // 2)) for s in (0, n // 2)]
            x, n = add(*parts), n // 2
            if n == 1:
                return self.b.extract_element(x, ir.Constant(I32, 0))
        if n == 1 and not isinstance(x.type, ir.VectorType):
            return x
        total = self.b.extract_element(x, ir.Constant(I32, 0))
        for k in range(1, n):
            total = add(total, self.b.extract_element(x, ir.Constant(I32, k)))
        return total

    # Addresses --------------------------------------------------------------------------------------------------------

    def at(self, pointer: Any, offset: Any, t: Any) -> Any:
        """The address of an element."""
        if isinstance(offset, int):
            if offset == 0:
                return pointer
            offset = self.index(offset)
        return self.b.gep(pointer, [offset], source_etype=t)

    def scaled(self, index: Any, stride: int) -> Any:
        """index · stride, of numbers that are known or not."""
        if stride == 0 or (isinstance(index, int) and index == 0):
            return 0
        if isinstance(index, int):
            return index * stride
        return index if stride == 1 else self.b.mul(index, self.index(stride))

    def plus(self, a: Any, b: Any) -> Any:
        """a + b, of numbers that are known or not."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if isinstance(a, int):
            a, b = b, a
        if isinstance(b, int):
            return a if b == 0 else self.b.add(a, self.index(b))
        return self.b.add(a, b)

    def load(self, pointer: Any, t: Any, lanes: int, align: int) -> Any:
        """So many numbers that lie side by side. Nothing beyond them is touched: where the processor has masks, the
        others are masked; else parts of two, four, ... numbers are read one by one."""
        if lanes == held(lanes):
            return self.b.load(pointer, align=align, typ=wide(t, lanes))
        if not self.target.avx512:
            some = self.b.load(pointer, align=align, typ=ir.VectorType(t, lanes))
            return self.shuffled(some, [*range(lanes), *[0] * (held(lanes) - lanes)])
        mask, kind = self.first(lanes), wide(t, lanes)
        function = self.masked("load", kind, kind, [POINTER, I32, mask.type, kind])
        return self.b.call(function, [pointer, ir.Constant(I32, align), mask, ir.Constant(kind, None)])

    def store(self, x: Any, pointer: Any, lanes: int, align: int) -> None:
        """Write the first numbers of a register side by side, and nothing beyond them."""
        if lanes == held(lanes):
            self.b.store(x, pointer, align=align)
        elif not self.target.avx512:
            self.b.store(self.shuffled(x, range(lanes)), pointer, align=align)
        else:
            mask = self.first(lanes)
            function = self.masked("store", x.type, ir.VoidType(), [x.type, POINTER, I32, mask.type])
            self.b.call(function, [x, pointer, ir.Constant(I32, align), mask])

    def masked(self, name: str, kind: Any, result: Any, args: list[Any]) -> Any:
        """LLVM's own functions that leave out lanes."""
        scalar = {F64: "f64", F32: "f32", I64: "i64", I32: "i32", I8: "i8"}[kind.element]
        full = f"llvm.masked.{name}.v{kind.count}{scalar}.p0"
        found = self.module.globals.get(full)
        return found or ir.Function(self.module, ir.FunctionType(result, args), full)

    # Loops ------------------------------------------------------------------------------------------------------------

    def loop(
        self,
        stop: Any,
        body: Callable[..., Any],
        carried: Sequence[Any] = (),
        *,
        start: int = 0,
        step: int = 1,
        unroll: int = 1,
    ) -> list[Any]:
        """`body(k, *carried)` for k from start to stop; the body returns what is carried on to its next turn.

        Up to `unroll` turns are written out one after the other, without a loop. How many turns there are may be known
        only when the code runs, if nothing is carried.
        """
        state = list(carried)
        known = isinstance(stop, int)
        if known:
            turns = max(0, -(-(stop - start) // step))
            if turns == 0:
                return state
            if turns <= max(unroll, 1):
                for k in range(start, start + turns * step, step):
                    state = list(body(k, *state) or ())
                return state
            stop = self.index(start + turns * step)
        before = self.b.block
        head = self.function.append_basic_block("loop")
        after = self.function.append_basic_block("after")
        if known:
            self.b.branch(head)
        else:
            self.b.cbranch(self.b.icmp_signed("<", self.index(start), stop), head, after)
        self.b.position_at_end(head)
        k = self.b.phi(I64, "k")
        phis = [self.b.phi(x.type) for x in state]
        k.add_incoming(self.index(start), before)
        for phi, x in zip(phis, state, strict=True):
            phi.add_incoming(x, before)
        found = list(body(k, *phis) or ())
        following = self.b.add(k, self.index(step), flags=("nuw", "nsw"))
        end = self.b.block
        k.add_incoming(following, end)
        for phi, x in zip(phis, found, strict=True):
            phi.add_incoming(x, end)
        more = self.b.icmp_signed("<", following, stop)
        self.b.cbranch(more, head, after)
        self.b.position_at_end(after)
        return found

    def nest(self, counts: Sequence[int], body: Callable[[list[Any]], None]) -> None:
        """Loops within loops: `body([i, j, ...])`."""

        def inner(known: list[Any]) -> None:
            depth = len(known)
            if depth == len(counts):
                body(known)
            else:
                self.loop(counts[depth], lambda k: inner([*known, k]))

        inner([])
