"""Loops over elements. The innermost axis runs in vectors, what is left of it in a smaller one."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..fuse import Kernel
from ..ir import Node, scalar_of
from .code import MEMORY, Code
from .mathematics import FUNCTIONS
from .operations import compute
from .place import Place, broadcast, element, load, store

TOGETHER = 4
"""The registers that go through an exponential or the like together: while one waits for an instruction's result, the
others use the time. Measured on Zen 4, with its registers and with half of them, half as wide."""

Find = Callable[[Node], Place]
"""Where a node is in memory."""


def lanes_for(code: Code, nodes: Sequence[Node]) -> int:
    """How many numbers a vector takes, when the largest of these dtypes has to fit."""
    return int(code.width // max(n.dtype.itemsize for n in nodes))


class Operands:
    """What a kernel reads, as a loop over a shape sees it."""

    def __init__(self, code: Code, reads: Sequence[Node], find: Find, shape: tuple[int, ...]) -> None:
        self.code = code
        self.numbers = {x: scalar_of(x) for x in reads if scalar_of(x) is not None}
        self.places = {x: broadcast(find(x), shape) for x in reads if x not in self.numbers}
        self.before = {
            x: load(code, Place(p.pointer, p.offset, (), (), p.dtype), [])
            for x, p in self.places.items()
            if not any(p.strides) and p.shape.count(0) == 0
        }
        """Single numbers, read once, ahead of the loops."""

    def read(self, x: Node, index: list[Any], lanes: int, axis: int = -1) -> Any:
        if x in self.numbers:
            return self.code.constant(x.dtype, self.numbers[x], lanes)
        if x in self.before:
            return self.code.splat(self.before[x], lanes)
        return load(self.code, self.places[x], index, lanes, axis)

    def evaluate(self, body: Sequence[Node], known: dict[Node, Any], index: list[Any], lanes: int, axis: int) -> Any:
        """The value of the last of some operations; `known` are those that have been computed."""
        return self.values(body, known, index, lanes, axis)[body[-1]]

    def values(
        self, body: Sequence[Node], known: dict[Node, Any], index: list[Any], lanes: int, axis: int
    ) -> dict[Node, Any]:
        """The values of some operations, and of all that they read."""
        values = dict(known)
        for node in body:
            args = []
            for x in node.inputs:
                if x not in values:
                    values[x] = self.read(x, index, lanes, axis)
                args.append(values[x])
            values[node] = compute(self.code, node, args)
        return values


def collapsed(shape: Sequence[int], strides: list[tuple[int, ...]]) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """The same loops with as few axes as possible: neighbours become one where all arrays step evenly through both."""
    kept: list[int] = []
    steps: list[list[int]] = []  # of each axis, for each array
    for a, n in enumerate(shape):
        if n == 1:
            continue
        step = [s[a] for s in strides]
        if kept and all(before == now * n for before, now in zip(steps[-1], step, strict=True)):
            kept[-1] *= n
            steps[-1] = step
        else:
            kept.append(n)
            steps.append(step)
    return tuple(kept), [tuple(step[k] for step in steps) for k in range(len(strides))]


def restrided(places: list[Place], shape: tuple[int, ...], strides: list[tuple[int, ...]]) -> list[Place]:
    return [Place(p.pointer, p.offset, s, shape, p.dtype) for p, s in zip(places, strides, strict=True)]


def elementwise(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """root[i, j, ...] = f(x[i, j, ...], ...); of a kernel with a core, what follows it."""
    if not kernel.root.size:
        return
    reads = kernel.reads if kernel.core is None else [x for n in kernel.body for x in n.inputs if x not in kernel.body]
    operands = Operands(code, list(dict.fromkeys(reads)), find, kernel.root.shape)
    names = list(operands.places)
    places = [out, *operands.places.values()]
    shape, strides = collapsed(kernel.root.shape, [p.strides for p in places])
    out, *found = restrided(places, shape, strides)
    operands.places = dict(zip(names, found, strict=True))
    width = lanes_for(code, [kernel.root, *kernel.body, *reads])
    together = TOGETHER if any(node.op in FUNCTIONS for node in kernel.body) else 1

    def piece(index: list[Any], lanes: int) -> None:
        value = operands.evaluate(kernel.body, {}, index, lanes, -1)
        store(code, value, out, index, lanes)

    if not shape:
        piece([], 1)
        return

    def line(outer: list[Any]) -> None:
        in_vectors(code, shape[-1], width, lambda k, lanes: piece([*outer, k], lanes), together)

    code.nest(shape[:-1], line)


def in_vectors(code: Code, n: int, width: int, piece: Callable[[Any, int], None], together: int = 1) -> None:
    """An axis in steps of some vectors together, of one vector's width, and what is left."""
    begin = 0
    for step in dict.fromkeys((width * together, width)):
        end = n - (n - begin) % step
        code.loop(end, partial(lambda step, k: piece(k, step), step), start=begin, step=step)
        begin = end
    if begin < n:
        piece(begin, n - begin)


def in_blocks(code: Code, n: int, width: int, block: Callable[[Any, int, int], None]) -> None:
    """An axis in `block(k, vectors, lanes)` of four vectors, of those that are left, and of what is left of one."""
    begin = n - n % (4 * width)
    code.loop(begin, lambda k: block(k, 4, width), step=4 * width)
    if (n - begin) // width:
        block(begin, (n - begin) // width, width)
    if n % width:
        block(n - n % width, 1, n % width)


def copy(code: Code, source: Place, target: Place) -> None:
    """target[...] = source[...]"""
    shape, (from_, to) = collapsed(target.shape, [broadcast(source, target.shape).strides, target.strides])
    if 0 in target.shape:
        return
    source = Place(source.pointer, source.offset, from_, shape, source.dtype)
    target = Place(target.pointer, target.offset, to, shape, target.dtype)
    if not shape:
        store(code, load(code, source, []), target, [])
        return
    width = code.width // source.dtype.itemsize if source.dtype.name in MEMORY else 1
    if to[-1] == 1 and len(shape) > 1 and from_[-2] == 1 and 1 < width <= min(shape[-2:]):
        code.nest(shape[:-2], lambda outer: copy_turned(code, source, target, outer, width))
    else:
        code.nest(shape[:-1], lambda outer: copy_line(code, source, target, outer, 0, width))


def fill(code: Code, target: Place, number: Any) -> None:
    """target[...] = number, of a result with memory of its own."""
    size, dtype = math.prod(target.shape), target.dtype
    flat = Place(element(code, target, [0] * len(target.shape)), 0, (1,), (size,), dtype)
    in_vectors(
        code,
        size,
        code.width // dtype.itemsize,
        lambda k, lanes: store(code, code.constant(dtype, number, lanes), flat, [k], lanes),
    )


def copy_line(code: Code, source: Place, target: Place, outer: list[Any], begin: int, width: int) -> None:
    """The last axis, from somewhere on."""

    def piece(k: Any, lanes: int) -> None:
        index = [*outer, code.plus(k, begin)]
        store(code, load(code, source, index, lanes), target, index, lanes)

    in_vectors(code, target.shape[-1] - begin, width, piece)


def copy_turned(code: Code, source: Place, target: Place, outer: list[Any], n: int) -> None:
    """The last two axes, where the source's columns are contiguous and the target's rows: squares of n columns are
    read, turned in registers, and written as n rows. So each line of the cache is met once."""
    rows, columns = target.shape[-2:]
    full_rows, full_columns = rows - rows % n, columns - columns % n

    def square(i: Any, j: Any) -> None:
        lines = [load(code, source, [*outer, i, code.plus(j, k)], n, -2) for k in range(n)]
        for k, line in enumerate(code.transposed(lines)):
            store(code, line, target, [*outer, code.plus(i, k), j], n)

    def band(i: Any) -> None:
        code.loop(full_columns, lambda j: square(i, j), step=n)

    code.loop(full_rows, band, step=n)
    code.loop(full_rows, lambda i: copy_line(code, source, target, [*outer, i], full_columns, n))
    code.loop(rows, lambda i: copy_line(code, source, target, [*outer, i], 0, n), start=full_rows)
