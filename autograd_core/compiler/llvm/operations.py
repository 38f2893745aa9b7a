"""Each elementwise operation, as code for a vector of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ir import Node
from . import libm
from .code import REGISTERS, Code, wide
from .mathematics import FUNCTIONS
from .number import Number

COMPARISONS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}
FLOAT_ARITHMETIC = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
INTEGER_ARITHMETIC = {"add": "add", "subtract": "sub", "multiply": "mul"}
LOGIC = {
    "logical_and": "and_", "logical_or": "or_", "logical_xor": "xor", "bitwise_and": "and_", "bitwise_or": "or_",
    "bitwise_xor": "xor",
}  # fmt: skip
ROUNDING = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint", "sqrt": "sqrt", "absolute": "fabs"}


def compiles(node: Node) -> bool:
    """Whether there is code for an elementwise operation on its dtypes."""
    kinds = {x.dtype.name for x in node.inputs} | {node.dtype.name}
    if not kinds <= REGISTERS.keys():
        return False
    op, read = node.op, node.inputs[0].dtype.kind
    if op in ("where", "astype"):
        return not (op == "astype" and node.dtype.kind == "i" and read == "f")  # C leaves what is out of range open
    if op in COMPARISONS:
        return True
    if op in LOGIC:
        return read == "b" or (read == "f" and op.startswith("logical"))
    if op in ("logical_not", "invert"):
        return op == "logical_not" or read == "b"
    if read == "f":
        op = "fmod" if op == "remainder" else op  # which that is made of
        if op in libm.NAMES:
            return libm.address(op, node.dtype.itemsize == 8) is not None
        return op in FLOAT or op in FLOAT_ARITHMETIC or op in ROUNDING or op in FUNCTIONS
    return read == "i" and op in INTEGER_ARITHMETIC


def compute(code: Code, node: Node, args: list[Any]) -> Any:
    """The value of an operation, given those of its inputs."""
    op, b = node.op, code.b
    kind = node.inputs[0].dtype.kind
    if op == "where":
        return b.select(*args)
    if op == "astype":
        return cast(code, args[0], node.inputs[0].dtype, node.dtype)
    if op in COMPARISONS:
        how = COMPARISONS[op]
        if kind == "f":
            return b.fcmp(how, *args)
        return b.icmp(how, *args, signed=kind != "b")
    if op in LOGIC:
        return getattr(b, LOGIC[op])(*[truth(code, x, kind) for x in args])
    if op in ("logical_not", "invert"):
        return b.not_(truth(code, args[0], kind))
    if kind == "i":
        return getattr(b, INTEGER_ARITHMETIC[op])(*args)
    if op in FLOAT_ARITHMETIC:
        return getattr(b, FLOAT_ARITHMETIC[op])(*args)
    if op in ROUNDING:
        return code.call(ROUNDING[op], args[0])
    if op in libm.NAMES and op not in FUNCTIONS:
        return libm.one_by_one(code, op, args)
    numbers = [Number(code, x) for x in args]
    found = FUNCTIONS[op](*numbers) if op in FUNCTIONS else FLOAT[op](*numbers)
    return found.value if isinstance(found, Number) else found


def truth(code: Code, x: Any, kind: str) -> Any:
    """Whether numbers are not zero."""
    if kind == "b":
        return x
    compare = code.b.fcmp if kind == "f" else code.b.icmp
    return compare("!=", x, code.like(x, 0))


def cast(code: Code, x: Any, old: Any, new: Any) -> Any:
    """Numbers of one dtype as those of another."""
    b, to = code.b, wide(REGISTERS[np.dtype(new).name], x.type.count)
    if old == new:
        return x
    if new.kind == "b":
        return truth(code, x, old.kind)
    if old.kind == "b":
        return b.uitofp(x, to) if new.kind == "f" else b.zext(x, to)
    if old.kind == "i":
        if new.kind == "f":
            return b.sitofp(x, to)
        return b.sext(x, to) if new.itemsize > old.itemsize else b.trunc(x, to)
    return b.fpext(x, to) if new.itemsize > old.itemsize else b.fptrunc(x, to)


def sign(x: Number) -> Number:
    """-1, 0 or 1; nan of nan."""
    zero = x.new(x.lift(0.0))
    one = x.new(x.code.call("copysign", x.lift(1.0), x.value))
    return x.where(x.compare("!=", x), zero.where(x.compare("==", 0.0), one))


def maximum(x: Number, y: Number) -> Number:
    """The larger; nan if either is."""
    return x.where(x.compare("!=", x), x.where(x.compare(">", y), y))


def minimum(x: Number, y: Number) -> Number:
    """The smaller; nan if either is."""
    return x.where(x.compare("!=", x), x.where(x.compare("<", y), y))


def fmax(x: Number, y: Number) -> Number:
    """The larger; of a number and nan the number."""
    return x.where(y.compare("!=", y), y.where(x.compare("!=", x), x.where(x.compare(">=", y), y)))


def fmin(x: Number, y: Number) -> Number:
    """The smaller; of a number and nan the number."""
    return x.where(y.compare("!=", y), y.where(x.compare("!=", x), x.where(x.compare("<=", y), y)))


def hypot(x: Number, y: Number) -> Number:
    """√(x² + y²) as m √(1 + (n/m)²) with m the larger, so that no square overflows; inf beside nan, too."""
    x, y = abs(x), abs(y)
    large, small = x.where(x.compare(">", y), y), y.where(x.compare(">", y), x)
    ratio = (small / large).where(large.compare(">", 0.0), small)
    found = large * x.new(x.code.call("sqrt", ratio.fma(ratio, 1.0).value))
    infinite = x.code.b.or_(x.compare("==", float("inf")), y.compare("==", float("inf")))
    return x.new(x.lift(float("inf"))).where(infinite, found)


def remainder(x: Number, y: Number) -> Number:
    """C's fmod, of the sign of y: Python's and NumPy's x % y."""
    b = x.code.b
    found = x.new(libm.one_by_one(x.code, "fmod", [x.value, y.value]))
    other = b.xor(found.compare("<", 0.0), y.compare("<", 0.0))
    found = (found + y).where(b.and_(other, found.compare("!=", 0.0)), found)
    return x.new(x.code.call("copysign", found.value, y.value)).where(found.compare("==", 0.0), found)


def signbit(x: Number) -> Any:
    bits = x.bits()
    return x.code.b.icmp("<", bits, x.code.like(bits, 0))


FLOAT: dict[str, Callable[..., Any]] = {
    "negative": lambda x: -x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "copysign": lambda x, y: x.new(x.code.call("copysign", x.value, y.value)),
    "sign": sign,
    "maximum": maximum,
    "minimum": minimum,
    "fmax": fmax,
    "fmin": fmin,
    "hypot": hypot,
    "remainder": remainder,
    "isnan": lambda x: x.compare("!=", x),
    "isinf": lambda x: abs(x).compare("==", float("inf")),
    "isfinite": lambda x: abs(x).compare("<", float("inf")),
    "signbit": signbit,
}
