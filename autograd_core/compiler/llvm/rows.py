"""Rows of an array by their numbers, which are checked: those that an index takes, and the gradient of that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .code import BAD_INDEX, Code
from .kernels import copy, fill, in_vectors
from .place import Place, element, load, store
from .text import I64

Leave = Callable[[Any, int], None]
"""What ends the program, with an outcome, if something holds."""


def gather(code: Code, x: Place, index: Place, out: Place, leave_if: Leave) -> None:
    """out[i] = x[index[i]]"""
    index, out = several(index, out)

    def row(i: Any) -> None:
        k = row_number(code, index, i, x.shape[0], leave_if)
        source = Place(element(code, x, [k] + [0] * (len(x.shape) - 1)), 0, x.strides[1:], x.shape[1:], x.dtype)
        first = element(code, out, [i] + [0] * (len(out.shape) - 1))
        copy(code, source, Place(first, 0, out.strides[1:], out.shape[1:], out.dtype))

    code.loop(index.shape[0], row)


def add_rows(code: Code, g: Place, index: Place, out: Place, leave_if: Leave) -> None:
    """out[index[i]] += g[i], one after the other, from zeros."""
    index, g = several(index, g)
    fill(code, out, 0)
    *outer, last = out.shape[1:] or (1,)
    width = code.width // out.dtype.itemsize

    def row(i: Any) -> None:
        k = row_number(code, index, i, out.shape[0], leave_if)

        def add(at: list[Any], j: Any, lanes: int) -> None:
            rest = [*at, j] if len(out.shape) > 1 else []
            total = code.b.fadd(load(code, out, [k, *rest], lanes), load(code, g, [i, *rest], lanes))
            store(code, total, out, [k, *rest], lanes)

        code.nest(outer, lambda at: in_vectors(code, last, width, lambda j, lanes: add(at, j, lanes)))

    code.loop(index.shape[0], row)


def several(index: Place, rows: Place) -> tuple[Place, Place]:
    """An index and the rows that it stands for; of a single number one of each."""
    if index.shape:
        return index, rows
    one = replace(index, strides=(1,), shape=(1,))
    return one, replace(rows, strides=(1, *rows.strides), shape=(1, *rows.shape))


def row_number(code: Code, index: Place, i: Any, n: int, leave_if: Leave) -> Any:
    """The number at a place of an index, from the end if it is negative; one out of range ends the program."""
    b = code.b
    k = load(code, index, [i])
    k = b.sext(k, I64) if k.type is not I64 else k
    k = b.select(b.icmp("<", k, code.index(0)), b.add(k, code.index(n)), k)
    leave_if(b.icmp(">=", k, code.index(n), signed=False), BAD_INDEX)
    return k
