"""Sums, products and extremes along axes, and what is computed along with them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..fuse import Kernel
from ..ir import Node
from .code import Code
from .kernels import Find, Operands, collapsed, in_blocks, lanes_for, restrided
from .number import Number
from .operations import maximum, minimum
from .place import Place, store


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
        "max": (ends.min, lambda x, y: b.select(b.icmp(">", x, y), x, y)),
        "min": (ends.max, lambda x, y: b.select(b.icmp("<", x, y), x, y)),
    }
    return pair[op]


BLOCK = 128
"""So many numbers are added up before their sum is added to a total."""


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
            one_by_one = self.go and self.core.op == "prod" and self.core.dtype.kind == "f"
            self.code.nest(self.stay, self.product if one_by_one else self.row)

    def term(self, index: list[Any], lanes: int, axis: int) -> Any:
        """The elements that are reduced, at an index."""
        if not self.kernel.prologue:
            return self.inner.read(self.core.inputs[0], index, lanes, axis)
        return self.inner.evaluate(self.kernel.prologue, {}, index, lanes, axis)

    def finish(self, total: Any, index: list[Any], lanes: int) -> None:
        if self.kernel.body:
            total = self.outer.evaluate(self.kernel.body, {self.core: total}, index, lanes, -1)
        store(self.code, total, self.out, index, lanes)

    def loop(self, stop: int, body: Callable[..., list[Any]], totals: list[Any], start: int = 0, step: int = 1) -> Any:
        """A loop that carries totals along. A long sum is one of blocks, and these of blocks, so that few roundings add
        up, as in NumPy's."""
        span = BLOCK * step
        if self.core.op != "sum" or self.core.dtype.kind != "f" or stop - start <= span:
            return self.code.loop(stop, body, totals, start=start, step=step)
        full = start + (stop - start) // span * span

        def block(k: Any, *found: Any) -> list[Any]:
            zeros = [self.code.like(t, 0.0) for t in found]
            parts = self.code.loop(span, lambda j, *t: body(self.code.plus(k, j), *t), zeros, step=step)
            return [self.add(t, part) for t, part in zip(found, parts, strict=True)]

        totals = self.loop(full, block, totals, start, span)
        return self.code.loop(stop, body, totals, start=full, step=step)

    def over(self, counts: Sequence[int], known: list[Any], totals: list[Any], step: Callable[..., list[Any]]) -> Any:
        """Loops that carry totals along."""
        if not counts:
            return step(known, totals)
        return self.loop(counts[0], lambda k, *t: self.over(counts[1:], [*known, k], list(t), step), totals)

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

        code.nest(self.stay[:-1], lambda outer: in_blocks(code, self.stay[-1], width, partial(block, outer)))

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
            vectors = self.loop(
                wide,
                lambda k, *t: [
                    self.add(x, self.term([*outer, *known, code.plus(k, v * width)], width, -1))
                    for v, x in enumerate(t)
                ],
                vectors,
                step=4 * width,
            )
            vectors[:1] = self.loop(
                full,
                lambda k, t: [self.add(t, self.term([*outer, *known, k], width, -1))],
                vectors[:1],
                start=wide,
                step=width,
            )
            if n % width:
                rest = self.term([*outer, *known, full], n % width, -1)
                if n % width > 1:
                    rest = code.b.select(code.first(n % width), rest, code.constant(dtype, self.start, n % width))
                single = self.add(single, code.halves_added(rest, self.add))
            return [*vectors, single]

        a, b, c, d, single = self.over(self.go[:-1], [], start, step)
        total = code.halves_added(self.add(self.add(a, b), self.add(c, d)), self.add)
        self.finish(self.add(total, single), outer, 1)

    def product(self, outer: list[Any]) -> None:
        """One row, factor by factor as in NumPy: products of others might be beyond the range where this is not."""
        code, width, n = self.code, self.width, self.go[-1]

        def piece(index: list[Any], total: Any, lanes: int) -> list[Any]:
            factors = self.term([*outer, *index], lanes, -1)
            for k in range(lanes):
                total = self.add(total, factors if lanes == 1 else code.b.extract_element(factors, k))
            return [total]

        def step(known: list[Any], totals: list[Any]) -> list[Any]:
            full = n - n % width
            totals = self.loop(full, lambda k, t: piece([*known, k], t, width), totals, step=width)
            return piece([*known, full], totals[0], n % width) if n % width else totals

        (total,) = self.over(self.go[:-1], [], [code.constant(self.core.dtype, self.start)], step)
        self.finish(total, outer, 1)


def feeds(x: Node, body: Sequence[Node]) -> bool:
    """Whether some operations read a node."""
    return any(x in node.inputs for node in body)


def reduce(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """root[i] = f(Σⱼ x[i, j])"""
    Reduction(code, kernel, find, out).emit()
