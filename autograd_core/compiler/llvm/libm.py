"""The functions of C's library of mathematics, for what has no loop of vectors of its own, and for large numbers."""

import ctypes
import functools
import os
from typing import Any

from .code import Code
from .text import F64, anything

NAMES = {
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "exp2": "exp2", "log2": "log2",
    "log10": "log10", "cbrt": "cbrt", "arctan2": "atan2", "fmod": "fmod", "power": "pow",
}  # fmt: skip
"""Ufuncs, and what C calls them; of float32 with an f at the end."""


@functools.cache
def address(op: str, double: bool) -> int | None:
    """Where the function is in this process, if it is there: Python itself computes with this library."""
    if op not in NAMES or os.name != "posix":
        return None
    function = getattr(ctypes.CDLL(None), NAMES[op] + "f" * (not double), None)
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value


def one_by_one(code: Code, op: str, args: list[Any]) -> Any:
    """A function of C's, for each number of a vector."""
    b, t = code.b, args[0].type
    function = address(op, t.scalar is F64)
    assert function is not None
    if not t.vector:
        return b.call_address(function, t, args)
    out = anything(t)
    for k in range(t.count):
        one = b.call_address(function, t.scalar, [b.extract_element(x, k) for x in args])
        out = b.insert_element(out, one, k)
    return out
