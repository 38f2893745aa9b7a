"""Running sums and products along an axis, recurrences, and what is computed along with them; in NumPy's order."""

from collections.abc import Sequence
from typing import Any

from ..fuse import Kernel
from .code import Code
from .kernels import Find, Operands, collapsed, in_blocks, lanes_for, restrided
from .number import Number
from .place import Place, store
from .reductions import combine
from .text import anything


class Running:
    """A kernel that carries totals along an axis: those of lines side by side at once, for each waits for itself."""

    def __init__(self, code: Code, kernel: Kernel, find: Find, out: Place) -> None:
        core = kernel.core
        assert core is not None
        self.code, self.kernel, self.core = code, kernel, core
        along, self.reverse = core.settings
        self.operands = Operands(code, kernel.reads, find, core.shape)
        places = [out, *self.operands.places.values()]
        rest = [a for a in range(len(core.shape)) if a != along]
        self.n = core.shape[along]
        self.lines, strides = collapsed(
            [core.shape[a] for a in rest], [tuple(p.strides[a] for a in rest) for p in places]
        )
        joined = [(*s, p.strides[along]) for s, p in zip(strides, places, strict=True)]
        self.out, *found = restrided(places, (*self.lines, self.n), joined)
        self.operands.places = dict(zip(self.operands.places, found, strict=True))
        self.across = bool(self.lines) and sum(s[-2] == 1 for s in joined) > sum(s[-1] == 1 for s in joined)
        """Whether vectors are of lines side by side; else they lie along the lines."""
        self.width = lanes_for(code, [kernel.root, *kernel.reads, *kernel.prologue, *kernel.body])
        self.start = {"cumsum": -0.0, "cumprod": 1.0}.get(core.op, 0.0)

    def emit(self) -> None:
        if 0 in (*self.lines, self.n):
            return
        if not self.lines:
            self.along([[]])
            return

        def block(outer: list[Any], k: Any, vectors: int, lanes: int) -> None:
            lines = [[*outer, self.code.plus(k, v * lanes)] for v in range(vectors)]
            if self.across:
                self.side_by_side(lines, lanes)
            else:
                self.along(lines)

        width = self.width if self.across else 1
        self.code.nest(
            self.lines[:-1], lambda outer: in_blocks(self.code, self.lines[-1], width, lambda *b: block(outer, *b))
        )

    def side_by_side(self, lines: Sequence[list[Any]], lanes: int) -> None:
        """Vectors of totals, one for each line."""

        def step(k: Any, *totals: Any) -> list[Any]:
            place = self.place(k, 1)
            found = []
            for line, total in zip(lines, totals, strict=True):
                index = [*line, place]
                found.append(self.following(total, self.terms(index, lanes, -2)))
                self.finish(found[-1], index, lanes, -2)
            return found

        self.code.loop(self.n, step, [self.code.constant(self.core.dtype, self.start, lanes)] * len(lines))

    def along(self, lines: Sequence[list[Any]]) -> None:
        """A total for each line; of a vector one lane goes in after the other."""

        def piece(k: Any, totals: Sequence[Any], lanes: int) -> list[Any]:
            place, after = self.place(k, lanes), []
            for line, total in zip(lines, totals, strict=True):
                index = [*line, place]
                out, total = self.through(self.terms(index, lanes, -1), total, lanes)
                self.finish(out, index, lanes, -1)
                after.append(total)
            return after

        full = self.n - self.n % self.width
        totals = [self.code.constant(self.core.dtype, self.start)] * len(lines)
        totals = self.code.loop(full, lambda k, *t: piece(k, t, self.width), totals, step=self.width)
        if self.n % self.width:
            piece(full, totals, self.n % self.width)

    def place(self, k: Any, lanes: int) -> Any:
        """Where so many elements begin, before which are k."""
        return self.code.plus(self.n - lanes, self.code.scaled(k, -1)) if self.reverse else k

    def terms(self, index: list[Any], lanes: int, axis: int) -> list[Any]:
        """The elements that go into the totals, at an index."""
        values = self.operands.values(self.kernel.prologue, {}, index, lanes, axis)
        return [values[x] if x in values else self.operands.read(x, index, lanes, axis) for x in self.core.inputs]

    def following(self, total: Any, terms: list[Any]) -> Any:
        """The total after the next element."""
        if self.core.op == "recurrence":
            a, b = (Number(self.code, x) for x in terms)
            return (a * Number(self.code, total) + b).value
        _, add = combine(self.code, {"cumsum": "sum", "cumprod": "prod"}[self.core.op], self.core.dtype)
        return add(total, *terms)

    def through(self, terms: list[Any], total: Any, lanes: int) -> tuple[Any, Any]:
        """The totals after each lane, and the last."""
        if lanes == 1:
            total = self.following(total, terms)
            return total, total
        b, out = self.code.b, anything(terms[0].type)
        for k in reversed(range(lanes)) if self.reverse else range(lanes):
            total = self.following(total, [b.extract_element(x, k) for x in terms])
            out = b.insert_element(out, total, k)
        return out, total

    def finish(self, total: Any, index: list[Any], lanes: int, axis: int) -> None:
        if self.kernel.body:
            total = self.operands.evaluate(self.kernel.body, {self.core: total}, index, lanes, axis)
        store(self.code, total, self.out, index, lanes, axis)


def running(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """root[k] = f(Σ_{j ≤ k} x[j])"""
    Running(code, kernel, find, out).emit()
