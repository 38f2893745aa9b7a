"""LLVM's language as text: its types, its values, and one line for each instruction that is used here.

llvmlite has classes for the whole language, but making and printing their objects takes five times as long.
"""

import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional


class Type:
    """A type: of a number, a pointer or some bytes, or of several of one type side by side."""

    __slots__ = ("count", "scalar", "suffix", "text")

    def __init__(self, text: str, suffix: str = "", element: Optional["Type"] = None, count: int = 1) -> None:
        self.text = text
        self.suffix = suffix
        """What it is called in the names of LLVM's own functions."""
        self.scalar = self if element is None else element
        """The type of each of its numbers."""
        self.count = count

    @property
    def vector(self) -> bool:
        return self.scalar is not self


I1, I8, I16, I32, I64 = (Type(name, name) for name in ("i1", "i8", "i16", "i32", "i64"))
F32, F64 = Type("float", "f32"), Type("double", "f64")
POINTER, VOID = Type("ptr"), Type("void")


@functools.cache
def vector_of(element: Type, count: int) -> Type:
    return Type(f"<{count} x {element.text}>", f"v{count}{element.suffix}", element, count)


@functools.cache
def bytes_of(count: int) -> Type:
    return Type(f"[{count} x i8]")


class Value:
    """What an instruction or a constant gives: how it is written, with its type and without."""

    __slots__ = ("depth", "text", "type", "typed")

    def __init__(self, type: Type, text: str, depth: int = 0) -> None:
        self.type = type
        self.text = text
        self.typed = f"{type.text} {text}"
        self.depth = depth
        """How many loops are around the place where it is computed."""


def digits(t: Type, number: Any) -> str:
    """A number as it is written; real ones by their bits."""
    if t is F64 or t is F32:
        exact = number if t is F64 else struct.unpack("f", struct.pack("f", number))[0]
        return f"0x{struct.pack('>d', exact).hex()}"
    return str(int(number)) if t is not I1 else "true" if number else "false"


def constant(t: Type, number: Any) -> Value:
    """A number, in every lane."""
    text = digits(t.scalar, number)
    return Value(t, f"<{', '.join([f'{t.scalar.text} {text}'] * t.count)}>" if t.vector else text)


def numbers(element: Type, values: Sequence[Any]) -> Value:
    """Numbers side by side."""
    text = ", ".join([f"{element.text} {digits(element, x)}" for x in values])
    return Value(vector_of(element, len(values)), f"<{text}>")


def zero(t: Type) -> Value:
    return Value(t, "zeroinitializer")


def anything(t: Type) -> Value:
    """Numbers that do not matter."""
    return Value(t, "undef")


Operation = Callable[["Builder", Value, Value], Value]
Conversion = Callable[["Builder", Value, Type], Value]
Lines = list[Any]
"""Lines of text, and lists of lines which are completed later."""

ORDER = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


def operation(name: str) -> Operation:
    def write(self: "Builder", x: Value, y: Value) -> Value:
        return self.new(x.type, f"{name} {x.typed}, {y.text}")

    return write


def conversion(name: str) -> Conversion:
    def write(self: "Builder", x: Value, to: Type) -> Value:
        return self.new(to, f"{name} {x.typed} to {to.text}")

    return write


class Builder:
    """Writes a function, instruction after instruction."""

    def __init__(self, declared: dict[str, str]) -> None:
        self.entry: Lines = []
        """The lines ahead of all others: memory on the stack, and what is loaded once."""
        self.lines: Lines = []
        """The lines at whose end is written."""
        self.body = self.lines
        self.depth = 0
        """How many loops are around these lines."""
        self.block = ""
        """The label above them."""
        self.declared = declared
        """The functions of LLVM's own that are called, by name: those of the whole module."""
        self.count = 0
        self.begin(self.label())

    def text(self, parameters: Sequence[Value]) -> str:
        """The function's parameters and body: what stands behind its name."""
        lines = [f"({', '.join([x.typed for x in parameters])}) {{", "entry:"]
        flatten([self.entry, f"  br label %{self.body[0][:-1]}", self.body], lines)
        return "\n".join([*lines, "}", ""])

    @contextmanager
    def placed(self, lines: Lines, depth: int) -> Iterator[None]:
        """Write elsewhere for a while: at the end of lines that run before these."""
        before = self.lines, self.depth
        self.lines, self.depth = lines, depth
        try:
            yield
        finally:
            self.lines, self.depth = before

    def in_entry(self) -> Any:
        return self.placed(self.entry, 0)

    def new(self, type: Type, text: str) -> Value:
        """A new value."""
        self.count += 1
        name = f"%x{self.count}"
        self.lines.append(f"  {name} = {text}")
        return Value(type, name, self.depth)

    # Arithmetic -------------------------------------------------------------------------------------------------------

    fadd, fsub, fmul, fdiv = (operation(name) for name in ("fadd", "fsub", "fmul", "fdiv"))
    add, sub, mul = (operation(name) for name in ("add", "sub", "mul"))
    shl, lshr, ashr = (operation(name) for name in ("shl", "lshr", "ashr"))
    and_, or_, xor = (operation(name) for name in ("and", "or", "xor"))
    bitcast, zext, sext, trunc = (conversion(name) for name in ("bitcast", "zext", "sext", "trunc"))
    uitofp, sitofp, fpext, fptrunc = (conversion(name) for name in ("uitofp", "sitofp", "fpext", "fptrunc"))

    def fneg(self, x: Value) -> Value:
        return self.new(x.type, f"fneg {x.typed}")

    def not_(self, x: Value) -> Value:
        return self.xor(x, constant(x.type, -1))

    def icmp(self, how: str, x: Value, y: Value, *, signed: bool = True) -> Value:
        """A comparison of integers."""
        name = ORDER[how] if how in ("==", "!=") else ("s" if signed else "u") + ORDER[how]
        return self.new(truth_of(x.type), f"icmp {name} {x.typed}, {y.text}")

    def fcmp(self, how: str, x: Value, y: Value) -> Value:
        """A comparison that is false where there is a nan; but != is true there."""
        name = ("u" if how == "!=" else "o") + ORDER[how]
        return self.new(truth_of(x.type), f"fcmp {name} {x.typed}, {y.text}")

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        return self.new(x.type, f"select {condition.typed}, {x.typed}, {y.typed}")

    # Lanes ------------------------------------------------------------------------------------------------------------

    def insert_element(self, x: Value, one: Value, lane: int) -> Value:
        return self.new(x.type, f"insertelement {x.typed}, {one.typed}, i32 {lane}")

    def extract_element(self, x: Value, lane: int) -> Value:
        return self.new(x.type.scalar, f"extractelement {x.typed}, i32 {lane}")

    def shuffle_vector(self, x: Value, y: Value, lanes: Sequence[int]) -> Value:
        """Lanes of x, and as if they came after these lanes of y, by their numbers."""
        t = vector_of(x.type.scalar, len(lanes))
        return self.new(t, f"shufflevector {x.typed}, {y.typed}, {numbers(I32, lanes).typed}")

    # Memory -----------------------------------------------------------------------------------------------------------

    def load(self, t: Type, pointer: Value, align: int = 8) -> Value:
        return self.new(t, f"load {t.text}, {pointer.typed}, align {align}")

    def store(self, x: Value, pointer: Value, align: int = 8) -> None:
        self.lines.append(f"  store {x.typed}, {pointer.typed}, align {align}")

    def gep(self, t: str, pointer: Value, index: Value) -> Value:
        """The address of an element, where elements of a type, given as text, lie side by side."""
        return self.new(POINTER, f"getelementptr {t}, {pointer.typed}, {index.typed}")

    def alloca(self, t: Type, count: int = 1) -> Value:
        return self.new(POINTER, f"alloca {t.text}, i32 {count}")

    # Calls and branches -----------------------------------------------------------------------------------------------

    def call(self, name: str, result: Type, args: Sequence[Value]) -> Value:
        """A function by its name."""
        if name not in self.declared:
            self.declared[name] = f"declare {result.text} @{name}({', '.join([x.type.text for x in args])})"
        return self.called(f"@{name}", result, args)

    def call_address(self, address: int, result: Type, args: Sequence[Value]) -> Value:
        """A function of this process, by its address."""
        return self.called(f"inttoptr (i64 {address} to ptr)", result, args)

    def called(self, function: str, result: Type, args: Sequence[Value]) -> Value:
        text = f"call {result.text} {function}({', '.join([x.typed for x in args])})"
        if result is not VOID:
            return self.new(result, text)
        self.lines.append(f"  {text}")
        return Value(VOID, "")

    def label(self) -> str:
        """A name for a block."""
        self.count += 1
        return f"b{self.count}"

    def begin(self, label: str) -> None:
        """A new block."""
        self.lines.append(f"{label}:")
        self.block = label

    def branch(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")

    def branch_if(self, condition: Value, label: str, other: str) -> None:
        self.lines.append(f"  br {condition.typed}, label %{label}, label %{other}")

    def ret(self, outcome: Value | None = None) -> None:
        self.lines.append(f"  ret {outcome.typed}" if outcome else "  ret void")

    def phi(self, t: Type, first: Value, before: str) -> tuple[Value, Callable[[Value, str], None]]:
        """A value that a loop carries, which begins with what came before it; and what is called at its end with the
        value for the next turn."""
        line: Lines = []
        self.lines.append(line)
        self.count += 1
        value = Value(t, f"%x{self.count}", self.depth)

        def again(following: Value, end: str) -> None:
            line.append(f"  {value.text} = phi {t.text} [ {first.text}, %{before} ], [ {following.text}, %{end} ]")

        return value, again


def truth_of(t: Type) -> Type:
    """The type of a comparison's result."""
    return vector_of(I1, t.count) if t.vector else I1


def flatten(lines: Lines, into: list[str]) -> None:
    """Lines within lists of lines, in order."""
    pending = [iter(lines)]
    while pending:
        for line in pending[-1]:
            if type(line) is list:
                pending.append(iter(line))
                break
            into.append(line)
        else:
            pending.pop()
