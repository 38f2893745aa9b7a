"""A function that is being written: vectors, counted loops, and addresses, which are computed outside of loops."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .target import Target
from .text import (
    F32,
    F64,
    I1,
    I8,
    I16,
    I32,
    I64,
    VOID,
    Builder,
    Lines,
    Type,
    Value,
    anything,
    constant,
    numbers,
    vector_of,
    zero,
)

REGISTERS = {"float64": F64, "float32": F32, "int64": I64, "int32": I32, "bool": I1}
"""What holds a number of each dtype while it is computed with."""

MEMORY = {**REGISTERS, "bool": I8}
"""And what it is in memory."""

BAD_INDEX, BAD_COUNT, FAILED = 1, 2, 3
"""What a program returns if an index or a loop's count is out of range, and if a call of NumPy raised; else 0."""

PACKED = {F64: "pd", F32: "ps"}
"""What the processor's instructions on vectors of a type end with."""

CURRENT_ROUNDING = 4
"""As every other operation here rounds."""


def held(lanes: int) -> int:
    """The lanes of the register that so many numbers are held in: the next power of two."""
    return 1 << (lanes - 1).bit_length()


def wide(t: Type, lanes: int) -> Type:
    """The type of so many numbers side by side; of a register's lanes the last may be nobody's."""
    return t if lanes == 1 else vector_of(t, held(lanes))


class Index(NamedTuple):
    """Σ stride · k + constant, where the k are known only when the code runs."""

    terms: tuple[tuple[Value, int], ...]
    constant: int


def index_of(x: Any) -> Index:
    """A number, or a value of the code, as an index."""
    if isinstance(x, Index):
        return x
    return Index((), x) if isinstance(x, int) else Index(((x, 1),), 0)


class Frame(NamedTuple):
    """A loop that is being written."""

    before: Lines
    """The lines ahead of it."""
    known: dict[Any, Value]
    """What has been computed in it, and would be the same again."""


class Code:
    """A function that is being written."""

    def __init__(self, target: Target, declared: dict[str, str]) -> None:
        self.target = target
        self.width = target.width
        self.b = Builder(declared)
        self.frames = [Frame([], {})]
        """The function, and the loops that are around the place where is written."""

    # Values -----------------------------------------------------------------------------------------------------------

    def index(self, n: int) -> Value:
        return constant(I64, n)

    def constant(self, dtype: Any, value: Any, lanes: int = 1) -> Value:
        """A number, in every lane."""
        return constant(wide(REGISTERS[dtype.name], lanes), value)

    def like(self, x: Value, value: Any) -> Value:
        """A number as x holds them."""
        return constant(x.type, value)

    def once(self, key: Any, depth: int, compute: Callable[[], Value]) -> Value:
        """What is computed from values of this depth, if it is not there yet: ahead of the loops that it is the same
        in."""
        depth = min(depth, self.b.depth)
        frame = self.frames[depth]
        found = frame.known.get(key)
        if found is None:
            if depth < self.b.depth:
                with self.b.placed(self.frames[depth + 1].before, depth):
                    found = compute()
            else:
                found = compute()
            frame.known[key] = found
        return found

    def splat(self, x: Value, lanes: int) -> Value:
        """A number in every lane."""
        if lanes == 1 or x.type.vector:
            return x
        return self.once(("splat", x, lanes), x.depth, lambda: self.spread(x, lanes))

    def spread(self, x: Value, lanes: int) -> Value:
        t = wide(x.type, lanes)
        return self.shuffled(self.b.insert_element(anything(t), x, 0), [0] * held(lanes))

    def shuffled(self, x: Value, lanes: Sequence[int]) -> Value:
        """Some lanes of a vector, by their numbers, in this order."""
        return self.b.shuffle_vector(x, anything(x.type), lanes)

    def transposed(self, rows: list[Value]) -> list[Value]:
        """n vectors of n numbers as the columns of what they were the rows of: halves, quarters, ... change places."""
        n = len(rows)
        h = n // 2
        while h:
            for i in [i for i in range(n) if not i & h]:
                a, b = rows[i], rows[i + h]
                rows[i] = self.b.shuffle_vector(a, b, [k if not k & h else n + k - h for k in range(n)])
                rows[i + h] = self.b.shuffle_vector(a, b, [k + h if not k & h else n + k for k in range(n)])
            h //= 2
        return rows

    def first(self, lanes: int) -> Value:
        """Which lanes of a register hold the first numbers, and not nobody's."""
        return numbers(I1, [k < lanes for k in range(held(lanes))])

    def call(self, name: str, *args: Value) -> Value:
        """One of LLVM's own functions: fma, sqrt, fabs, floor, ..."""
        t = args[0].type
        return self.b.call(f"llvm.{name}.{t.suffix}", t, args)

    def scalef(self, x: Value, n: Value) -> Value:
        """x · 2ⁿ, n rounded down, by AVX-512's instruction."""
        lanes = self.lanes(x.type.scalar)
        suffix = f"{PACKED[x.type.scalar]}.{8 * self.width}"
        always = [constant(I8 if lanes <= 8 else I16, -1), *[constant(I32, CURRENT_ROUNDING)] * (self.width == 64)]

        def scaled(x: Value, n: Value) -> Value:
            return self.b.call(f"llvm.x86.avx512.mask.scalef.{suffix}", x.type, [x, n, zero(x.type), *always])

        return self.in_registers(lanes, scaled, x, n)

    def looked_up(self, table: Sequence[float], index: Value, t: Type) -> Value:
        """table[index modulo 8], for a table of 8 numbers and integers of their size, by AVX-512's instruction, which
        looks for an element of two registers."""
        lanes = self.lanes(t)
        twice = [table[k % 8] for k in range(2 * lanes)]
        low, high = numbers(t, twice[:lanes]), numbers(t, twice[lanes:])
        name = f"llvm.x86.avx512.vpermi2var.{PACKED[t]}.{8 * self.width}"
        return self.in_registers(lanes, lambda k: self.b.call(name, low.type, [low, k, high]), index)

    def lanes(self, t: Type) -> int:
        """The numbers in the widest register."""
        return self.width // (8 if t is F64 else 4)

    def in_registers(self, lanes: int, instruction: Callable[..., Value], *args: Value) -> Value:
        """What an instruction on registers of so many lanes makes of vectors with more or fewer, or of numbers."""
        count = args[0].type.count
        if not args[0].type.vector:
            full = [self.b.insert_element(anything(vector_of(x.type, lanes)), x, 0) for x in args]
            return self.b.extract_element(instruction(*full), 0)
        if count <= lanes:
            full = [self.shuffled(x, [*range(count), *[count] * (lanes - count)]) for x in args]
            return self.shuffled(instruction(*full), range(count))
        halves = range(count // 2), range(count // 2, count)
        low, high = (self.in_registers(lanes, instruction, *[self.shuffled(x, half) for x in args]) for half in halves)
        return self.b.shuffle_vector(low, high, range(count))

    def fma(self, x: Value, y: Value, z: Value) -> Value:
        """x y + z, rounded once."""
        return self.call("fma", x, y, z)

    def halves_added(self, x: Value, add: Callable[[Value, Value], Value]) -> Value:
        """All lanes put together, halves first: an order that never changes."""
        n = x.type.count
        while n > 1:
            if n == 2:
                return add(self.b.extract_element(x, 0), self.b.extract_element(x, 1))
            n //= 2
            x = add(self.shuffled(x, range(n)), self.shuffled(x, range(n, 2 * n)))
        return x

    # Addresses --------------------------------------------------------------------------------------------------------

    def at(self, pointer: Value, offset: Any, t: Type) -> Value:
        """The address of an element. What is known ahead of a loop is computed there, and once."""
        terms, rest = index_of(offset)
        for k, stride in sorted(terms, key=lambda term: term[0].depth):
            pointer = self.stepped(pointer, k, stride, t)
        return self.b.gep(t.text, pointer, self.index(rest)) if rest else pointer

    def stepped(self, pointer: Value, k: Value, stride: int, t: Type) -> Value:
        """An address k · stride elements on."""

        def compute() -> Value:
            if stride > 0:
                return self.b.gep(t.text if stride == 1 else f"[{stride} x {t.text}]", pointer, k)
            return self.b.gep(t.text, pointer, self.b.mul(k, self.index(stride)))

        return self.once((pointer, k, stride, t), max(pointer.depth, k.depth), compute)

    def scaled(self, index: Any, stride: int) -> Any:
        """index · stride, of numbers that are known or not."""
        if isinstance(index, int):
            return index * stride
        if stride == 0:
            return 0
        terms, rest = index_of(index)
        return Index(tuple((k, s * stride) for k, s in terms), rest * stride)

    def plus(self, a: Any, b: Any) -> Any:
        """a + b, of numbers that are known or not."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        x, y = index_of(a), index_of(b)
        return Index(x.terms + y.terms, x.constant + y.constant)

    def load(self, pointer: Value, t: Type, lanes: int, align: int) -> Value:
        """So many numbers that lie side by side. Nothing beyond them is touched: where the processor has masks, the
        others are masked; else parts of two, four, ... numbers are read one by one."""
        if lanes == held(lanes):
            return self.b.load(wide(t, lanes), pointer, align)
        if not self.target.avx512:
            some = self.b.load(vector_of(t, lanes), pointer, align)
            return self.shuffled(some, [*range(lanes), *[0] * (held(lanes) - lanes)])
        kind = wide(t, lanes)
        args = [pointer, constant(I32, align), self.first(lanes), zero(kind)]
        return self.b.call(f"llvm.masked.load.{kind.suffix}.p0", kind, args)

    def store(self, x: Value, pointer: Value, lanes: int, align: int) -> None:
        """Write the first numbers of a register side by side, and nothing beyond them."""
        if lanes == held(lanes):
            self.b.store(x, pointer, align)
        elif not self.target.avx512:
            self.b.store(self.shuffled(x, range(lanes)), pointer, align)
        else:
            args = [x, pointer, constant(I32, align), self.first(lanes)]
            self.b.call(f"llvm.masked.store.{x.type.suffix}.p0", VOID, args)

    # Loops ------------------------------------------------------------------------------------------------------------

    def loop(
        self,
        stop: Any,
        body: Callable[..., Any],
        carried: Sequence[Value] = (),
        *,
        start: int = 0,
        step: int = 1,
        unroll: int = 1,
    ) -> list[Value]:
        """`body(k, *carried)` for k from start to stop; the body returns what is carried on to its next turn.

        Up to `unroll` turns are written out one after the other, without a loop. How many turns there are may be known
        only when the code runs, if nothing is carried.
        """
        known = isinstance(stop, int)
        if known:
            turns = max(0, -(-(stop - start) // step))
            if turns <= max(unroll, 1):
                state = list(carried)
                for k in range(start, start + turns * step, step):
                    state = list(body(k, *state) or ())
                return state
            stop = self.index(start + turns * step)
        b, head, after = self.b, self.b.label(), self.b.label()
        frame = Frame([], {})
        b.lines.append(frame.before)
        if known:
            b.branch(head)
        else:
            b.branch_if(b.icmp("<", self.index(start), stop), head, after)
        before = b.block
        b.begin(head)
        self.frames.append(frame)
        b.depth += 1
        counter, next_turn = b.phi(I64, self.index(start), before)
        phis = [b.phi(x.type, x, before) for x in carried]
        found = list(body(counter, *[phi for phi, _ in phis]) or ())
        following = b.new(I64, f"add nuw nsw {counter.typed}, {step}")
        next_turn(following, b.block)
        for (_, again), x in zip(phis, found, strict=True):
            again(x, b.block)
        b.branch_if(b.icmp("<", following, stop), head, after)
        self.frames.pop()
        b.depth -= 1
        for x in found:
            x.depth = min(x.depth, b.depth)  # it is there from now on
        b.begin(after)
        return found

    def unless(self, rare: Value, usual: Value, other: Callable[[], Value]) -> Value:
        """A value; but where something rare holds another, which is computed in a branch of its own."""
        b, away, on, before = self.b, self.b.label(), self.b.label(), self.b.block
        b.branch_if(rare, away, on)
        b.begin(away)
        found, end = other(), b.block
        b.branch(on)
        b.begin(on)
        value, again = b.phi(usual.type, usual, before)
        again(found, end)
        return value

    def nest(self, counts: Sequence[int], body: Callable[[list[Any]], None]) -> None:
        """Loops within loops: `body([i, j, ...])`."""

        def inner(known: list[Any]) -> None:
            depth = len(known)
            if depth == len(counts):
                body(known)
            else:
                self.loop(counts[depth], lambda k: inner([*known, k]))

        inner([])
