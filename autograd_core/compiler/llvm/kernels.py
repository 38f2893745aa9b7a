"""Loops over elements, and reductions. The innermost axis runs in vectors, what is left of it in a smaller one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..fuse import Kernel
from ..ir import Node, scalar_of
from .code import MEMORY, Code
from .number import Number
from .operations import compute, maximum, minimum
from .place import Place, broadcast, load, store

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
        values = dict(known)
        for node in body:
            args = []
            for x in node.inputs:
                if x not in values:
                    values[x] = self.read(x, index, lanes, axis)
                args.append(values[x])
            values[node] = compute(self.code, node, args)
        return values[body[-1]]


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

    def piece(index: list[Any], lanes: int) -> None:
        value = operands.evaluate(kernel.body, {}, index, lanes, -1)
        store(code, value, out, index, lanes)

    if not shape:
        piece([], 1)
        return
    code.nest(shape[:-1], lambda outer: in_vectors(code, shape[-1], width, lambda k, lanes: piece([*outer, k], lanes)))


def in_vectors(code: Code, n: int, width: int, piece: Callable[[Any, int], None]) -> None:
    """An axis in steps of a vector's width, and what is left."""
    full = n - n % width
    code.loop(full, lambda k: piece(k, width), step=width)
    if n % width:
        piece(full, n % width)


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
    code.nest(
        shape[:-1],
        lambda outer: in_vectors(
            code,
            shape[-1],
            width,
            lambda k, lanes: store(code, load(code, source, [*outer, k], lanes), target, [*outer, k], lanes),
        ),
    )


# Reductions -----------------------------------------------------------------------------------------------------------


def combine(code: Code, op: str, dtype: Any) -> tuple[float, Callable[[Any, Any], Any]]:
    """What a reduction begins with, and how it puts two results together."""
    if dtype.kind == "i":
        return combine_integers(code, op, dtype)
    pair: dict[str, tuple[float, Any]] = {
        "sum": (0.0, lambda a, b: a + b),
        "prod": (1.0, lambda a, b: a * b),
        "max": (float("-inf"), maximum),
        "min": (float("inf"), minimum),
    }
    start, function = pair[op]
    return start, lambda a, b: function(Number(code, a), Number(code, b)).value


def combine_integers(code: Code, op: str, dtype: Any) -> tuple[int, Callable[[Any, Any], Any]]:
    """The same of integers."""
    b, ends = code.b, np.iinfo(dtype)
    pair: dict[str, tuple[int, Any]] = {
        "sum": (0, b.add),
        "prod": (1, b.mul),
        "max": (ends.min, lambda x, y: b.select(b.icmp_signed(">", x, y), x, y)),
        "min": (ends.max, lambda x, y: b.select(b.icmp_signed("<", x, y), x, y)),
    }
    return pair[op]


class Reduction:
    """A reduction: its axes sorted into those that stay and those that go."""

    def __init__(self, code: Code, kernel: Kernel, find: Find, out: Place) -> None:
        core = kernel.core
        assert core is not None
        self.code, self.kernel, self.core = code, kernel, core
        x = core.inputs[0]
        axes, keepdims = core.settings
        stay = [a for a in range(len(x.shape)) if a not in axes]
        inner_reads = [x] if not kernel.prologue else [r for r in kernel.reads if feeds(r, kernel.prologue)]
        outer_reads = [r for r in kernel.reads if feeds(r, kernel.body)]
        self.inner = Operands(code, inner_reads, find, x.shape)
        self.outer = Operands(code, outer_reads, find, core.shape)
        inner = list(self.inner.places.values())
        outer = [out, *self.outer.places.values()]
        if keepdims:
            outer = [Place(p.pointer, p.offset, tuple(p.strides[a] for a in stay), (), p.dtype) for p in outer]
        kept = [tuple(p.strides[a] for a in stay) for p in inner] + [p.strides for p in outer]
        self.stay, kept = collapsed([x.shape[a] for a in stay], kept)
        self.go, gone = collapsed([x.shape[a] for a in axes], [tuple(p.strides[a] for a in axes) for p in inner])
        count = len(inner)
        joined = [(*s, *g) for s, g in zip(kept[:count], gone, strict=True)]
        self.inner.places = dict(zip(self.inner.places, restrided(inner, (*self.stay, *self.go), joined), strict=True))
        self.out, *found = restrided(outer, self.stay, kept[count:])
        self.outer.places = dict(zip(self.outer.places, found, strict=True))
        self.width = lanes_for(code, [kernel.root, *kernel.reads, *kernel.prologue, *kernel.body])
        self.start, self.add = combine(code, core.op, core.dtype)

    def emit(self) -> None:
        if 0 in self.stay:
            return
        inner = self.inner.places.values()
        by_column = sum(p.strides[len(self.stay) - 1] == 1 for p in inner) if self.stay else -1
        by_row = sum(p.strides[-1] == 1 for p in inner) if self.go else 0
        if self.stay and (by_column > by_row or not self.go):
            self.columns()
        else:
            self.code.nest(self.stay, self.row)

    def term(self, index: list[Any], lanes: int, axis: int) -> Any:
        """The elements that are reduced, at an index."""
        if not self.kernel.prologue:
            return self.inner.read(self.core.inputs[0], index, lanes, axis)
        return self.inner.evaluate(self.kernel.prologue, {}, index, lanes, axis)

    def finish(self, total: Any, index: list[Any], lanes: int) -> None:
        if self.kernel.body:
            total = self.outer.evaluate(self.kernel.body, {self.core: total}, index, lanes, -1)
        store(self.code, total, self.out, index, lanes)

    def over(self, counts: Sequence[int], known: list[Any], totals: list[Any], step: Callable[..., list[Any]]) -> Any:
        """Loops that carry totals along."""
        if not counts:
            return step(known, totals)
        return self.code.loop(counts[0], lambda k, *t: self.over(counts[1:], [*known, k], list(t), step), totals)

    def columns(self) -> None:
        """Several columns at a time, side by side in vectors."""
        code, width, axis = self.code, self.width, len(self.stay) - 1

        def block(outer: list[Any], k: Any, vectors: int, lanes: int) -> None:
            places = [code.plus(k, v * lanes) for v in range(vectors)]
            start = [code.constant(self.core.dtype, self.start, lanes)] * vectors

            def step(gone: list[Any], totals: list[Any]) -> list[Any]:
                return [
                    self.add(t, self.term([*outer, p, *gone], lanes, axis)) for t, p in zip(totals, places, strict=True)
                ]

            for p, total in zip(places, self.over(self.go, [], start, step), strict=True):
                self.finish(total, [*outer, p], lanes)

        def inner(outer: list[Any]) -> None:
            n, wide = self.stay[-1], 4 * width
            code.loop(n - n % wide, lambda k: block(outer, k, 4, width), step=wide)
            begin = n - n % wide
            if (n - begin) // width:
                block(outer, begin, (n - begin) // width, width)
            if n % width:
                block(outer, n - n % width, 1, n % width)

        code.nest(self.stay[:-1], inner)

    def row(self, outer: list[Any]) -> None:
        """One row, in four vectors of partial results; their order never changes."""
        code, width, dtype = self.code, self.width, self.core.dtype
        if not self.go:
            total = self.add(code.constant(dtype, self.start), self.term(outer, 1, -1))
            self.finish(total, outer, 1)
            return
        n = self.go[-1]
        wide, full = n - n % (4 * width), n - n % width
        start = [code.constant(dtype, self.start, width)] * 4 + [code.constant(dtype, self.start)]

        def step(known: list[Any], totals: list[Any]) -> list[Any]:
            *vectors, single = totals
            vectors = code.loop(
                wide,
                lambda k, *t: [
                    self.add(x, self.term([*outer, *known, code.plus(k, v * width)], width, -1))
                    for v, x in enumerate(t)
                ],
                vectors,
                step=4 * width,
            )
            vectors[:1] = code.loop(
                full,
                lambda k, t: [self.add(t, self.term([*outer, *known, k], width, -1))],
                vectors[:1],
                start=wide,
                step=width,
            )
            if n % width:
                rest = self.term([*outer, *known, full], n % width, -1)
                single = self.add(single, code.halves_added(rest, self.add))
            return [*vectors, single]

        a, b, c, d, single = self.over(self.go[:-1], [], start, step)
        total = code.halves_added(self.add(self.add(a, b), self.add(c, d)), self.add)
        self.finish(self.add(total, single), outer, 1)


def feeds(x: Node, body: Sequence[Node]) -> bool:
    """Whether some operations read a node."""
    return any(x in node.inputs for node in body)


def reduce(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """root[i] = f(Σⱼ x[i, j])"""
    Reduction(code, kernel, find, out).emit()
