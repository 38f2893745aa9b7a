"""Products of matrices: a tile of the result stays in registers while the sum runs, and leaves through the epilogue.

C[i, j] = f(Σₚ A[i, p] B[p, j]). A tile has a few rows, and a few vectors of columns; each step takes one row of B in
vectors and one number of A for each row, and multiplies and adds. That needs a B whose rows are contiguous:

- if instead the columns of A are contiguous, Cᵀ = Bᵀ Aᵀ is such a product;
- else B is copied once, transposed; the copy is small beside the product.

Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, ACM TOMS 34, 2008; of its blocking small
matrices need only the innermost.
"""

from collections.abc import Callable
from typing import Any

from ..fuse import Kernel
from . import blas
from .code import MEMORY, Code, held
from .kernels import Find, Operands, copy, lanes_for
from .layout import rounded
from .place import Place, contiguous_strides, element, load, store
from .text import I8

TILES = {16: {1: 8, 2: 6, 3: 4}, 32: {1: 14, 2: 8, 3: 5, 4: 4}}
"""Rows of a tile, for so many vectors of columns, that a processor with 16 or 32 registers keeps there; half of 32
are enough: on Zen 4 the end of a tile of 24 took a tenth of the time if it had ten steps, that of one of 16 none."""

NEAR, LARGE, FAR = 1 << 17, 1 << 20, 1 << 23
"""The bytes of a B that stays at hand while it is read for every few rows; of a B so large that copies of what is read
again pay; and of an A whose columns reach over more pages than the processor can address without looking them up.
Measured on Zen 4, where the second cache has 1 << 20 bytes."""

Vectors = list[tuple[int, int]]
"""The vectors that make up the columns of a tile: where each begins, and its lanes."""


def end_of(vectors: Vectors) -> int:
    """How many columns some vectors make up."""
    at, lanes = vectors[-1]
    return at + lanes


def matrices(place: Place, left: bool) -> Place:
    """A vector as a matrix: on the left it is a row, on the right a column."""
    if len(place.shape) == 2:
        return place
    (n,), (s,) = place.shape, place.strides
    shape, strides = ((1, n), (0, s)) if left else ((n, 1), (s, 0))
    return Place(place.pointer, place.offset, strides, shape, place.dtype)


def turned(place: Place) -> Place:
    """The transpose."""
    return Place(place.pointer, place.offset, place.strides[::-1], place.shape[::-1], place.dtype)


def as_matrix(place: Place, shape: tuple[int, int], vectors: tuple[bool, bool]) -> Place:
    """A place of the result's shape, which lacks the axes that a vector stood for, with these axes."""
    strides = list(place.strides)
    if vectors[0]:
        strides.insert(0, 0)
    if vectors[1]:
        strides.append(0)
    return Place(place.pointer, place.offset, (strides[0], strides[1]), shape, place.dtype)


class Product:
    """One product and its epilogue."""

    def __init__(self, code: Code, kernel: Kernel, find: Find, out: Place, room: Any) -> None:
        core = kernel.core
        assert core is not None
        self.code, self.kernel, self.core = code, kernel, core
        x, y = core.inputs
        self.a, self.b = matrices(find(x), True), matrices(find(y), False)
        self.operands = Operands(code, [r for r in kernel.reads if self.is_read(r)], find, core.shape)
        shape = (self.a.shape[0], self.b.shape[1])
        vectors = (len(x.shape) == 1, len(y.shape) == 1)
        self.operands.places = {r: as_matrix(p, shape, vectors) for r, p in self.operands.places.items()}
        self.out = as_matrix(out, shape, vectors)
        self.width = lanes_for(code, [core, kernel.root, *kernel.body, *self.operands.places])
        self.tallest = TILES[32 if code.target.avx512 else 16]
        self.room = room
        """Memory for copies: of a whole B, and behind it of what a panel or block reads."""
        self.packs = code.at(room, max(rounded(x.nbytes) for x in core.inputs), I8)

    def is_read(self, r: Any) -> bool:
        return any(r in node.inputs for node in self.kernel.body)

    def turn(self) -> None:
        """Compute Cᵀ = Bᵀ Aᵀ."""
        self.a, self.b = turned(self.b), turned(self.a)
        self.out = turned(self.out)
        self.operands.places = {r: turned(p) for r, p in self.operands.places.items()}

    def emit(self) -> None:
        if 0 in self.out.shape:
            return
        if not self.kernel.body and blas.serves(self.a, self.b, self.out):
            blas.gemm(self.code, self.a, self.b, self.out)
            return
        rows, columns = self.out.shape
        unit = self.b.strides[1] == 1 or (columns == 1 and self.b.shape[0] == 1)
        few = 2 * columns <= self.width and columns < rows
        if few and self.a.strides[0] == 1 and self.out.strides[0] <= columns:
            self.turn()  # the columns of A are contiguous, and the result is one column or a few
        elif not unit and self.a.strides[0] == 1 and self.out.strides[1] != 1:
            self.turn()
        elif not unit or few:
            if columns == 1 or (few and rows >= self.width):
                self.turn()
            self.pack()
        self.tiles()

    def pack(self) -> None:
        """Copy B, so that its rows are contiguous."""
        if self.b.strides[1] == 1 or self.out.shape[0] < 3:
            return  # too few rows read it to pay for a copy
        packed = Place(self.room, 0, contiguous_strides(self.b.shape), self.b.shape, self.b.dtype)
        copy(self.code, self.b, packed)
        self.b = packed

    def tiles(self) -> None:
        """All tiles: panels of columns, and in each blocks of rows; or the other way round, if B stays at hand, or if
        the columns of A are far apart. Where it pays, what every tile of a panel or block reads is copied, to be read
        in order.
        """
        rows, inner = self.a.shape
        size = self.core.dtype.itemsize
        large = inner * self.out.shape[1] * size >= LARGE
        far = self.a.strides[0] == 1 and (large or inner * self.a.strides[1] * size > FAR)
        height = self.height(max(len(vectors) for _, vectors in self.panels()))
        if far and self.out.shape[1] > self.width and self.b.pointer is not self.room:
            self.over_panels(lambda j, vectors: self.copied_panel(j, vectors, self.store_of(j)))
            self.in_blocks(rows, height, self.block)
        elif inner * self.out.shape[1] * size <= NEAR:
            self.in_blocks(rows, height, self.line)
        else:
            self.over_panels(lambda j, vectors: self.panel(j, vectors, copied=large and rows >= 16))

    def height(self, vectors: int) -> int:
        """The rows of a tile: as many as fit, or a few less, so that blocks are equal, or as equal as can be."""
        most = self.tallest[vectors]
        rows = self.a.shape[0]
        even = [r for r in range(most, most // 2, -1) if rows % r == 0]
        return even[0] if even else -(-rows // -(-rows // most))

    def panels(self) -> list[tuple[int, Vectors]]:
        """Where each panel begins, and its vectors: as equal as can be, and so many that a step of a tile, r rows by v
        vectors, loads the least, r + v, for its r v products. What is left of the columns is in a vector that ends with
        them: where it overlaps the one before, of the same panel, both compute the same. A short one beside a single
        vector is a panel of its own: then each number of A is used once, and is an operand in memory, which AVX-512
        spreads at no cost.
        """
        full, rest = divmod(self.out.shape[1], self.width)
        alone = full == 1 and 0 < 2 * rest <= self.width and self.code.target.avx512 and self.out.shape[0] >= self.width
        if alone:
            return [(0, [(0, self.width)]), (self.width, [(0, rest)])]
        count = full + (rest > 0)

        def loads(groups: int) -> float:
            vectors = -(-count // groups)
            return 1 / self.height(vectors) + 1 / vectors

        groups = min((-(-count // most) for most in self.tallest), key=loads)
        panels: list[tuple[int, Vectors]] = []
        begin = 0
        for g in range(groups):
            vectors = [(v * self.width, self.width) for v in range((count + g) // groups)]
            if rest and g == groups - 1:
                at = vectors.pop()[0]
                vectors.append((at + rest - held(rest), held(rest)) if full else (0, rest))
            panels.append((begin, vectors))
            begin += end_of(vectors)
        return panels

    def over_panels(self, visit: Callable[[Any, Vectors], Any]) -> None:
        """`visit(j, vectors)` for all panels, in a loop for those that are equal."""
        panels = self.panels()
        k = 0
        while k < len(panels):
            start, vectors = panels[k]
            same = 1
            while k + same < len(panels) and panels[k + same][1] == vectors:
                same += 1
            step = end_of(vectors)

            def turn(j: Any, vectors: Vectors = vectors) -> None:
                visit(j, vectors)

            self.code.loop(start + same * step, turn, start=start, step=step)
            k += same

    def in_blocks(self, rows: int, tile: int, visit: Callable[[Any, int], None]) -> None:
        """`visit(i, count)` for blocks of so many rows, and what is left."""
        full = rows - rows % tile
        self.code.loop(full, lambda i: visit(i, tile), step=tile)
        if rows % tile:
            visit(full, rows % tile)

    def panel(self, j: Any, vectors: Vectors, *, copied: bool) -> None:
        """Some columns of the result, from a copy of B's or from B itself."""
        b = self.copied_panel(j, vectors, self.packs) if copied and self.b.strides[0] != end_of(vectors) else None
        self.in_blocks(
            self.a.shape[0], self.height(len(vectors)), lambda i, count: self.tile(i, j, count, vectors, b=b)
        )

    def line(self, i: Any, rows: int) -> None:
        """Some rows of the result."""
        self.over_panels(lambda j, vectors: self.tile(i, j, rows, vectors))

    def store_of(self, j: Any) -> Any:
        """Where the copy of the panel that begins at a column is, if all of them are copied."""
        return self.code.at(self.room, self.code.scaled(j, self.b.shape[0]), MEMORY[self.b.dtype.name])

    def copied_panel(self, j: Any, vectors: Vectors, to: Any, *, done: bool = False) -> Place:
        """Some columns of B, row after row."""
        shape = (self.b.shape[0], end_of(vectors))
        panel = Place(to, 0, (shape[1], 1), shape, self.b.dtype)
        if not done:
            copy(self.code, Place(element(self.code, self.b, [0, j]), 0, self.b.strides, shape, self.b.dtype), panel)
        return panel

    def block(self, i: Any, rows: int) -> None:
        """Some rows of the result, from a copy of A's and of the panels of B."""
        shape = (rows, self.a.shape[1])
        a = Place(self.packs, 0, (1, rows), shape, self.a.dtype)
        lines = Place(element(self.code, self.a, [i, 0]), 0, self.a.strides, shape, self.a.dtype)
        copy(self.code, turned(lines), turned(a))
        self.over_panels(
            lambda j, vectors: self.tile(
                i, j, rows, vectors, a=a, b=self.copied_panel(j, vectors, self.store_of(j), done=True)
            )
        )

    def tile(self, i: Any, j: Any, rows: int, vectors: Vectors, a: Place | None = None, b: Place | None = None) -> None:
        """Some rows and vectors of the result; a and b are the copies to read, which begin with the tile."""
        code, dtype = self.code, self.core.dtype
        left, top = (self.a, i) if a is None else (a, 0)
        right, begin = (self.b, j) if b is None else (b, 0)
        start = [code.constant(dtype, 0.0, lanes) for _ in range(rows) for _, lanes in vectors]

        def step(p: Any, *sums: Any) -> list[Any]:
            row = [(load(code, right, [p, code.plus(begin, at)], lanes), lanes) for at, lanes in vectors]
            column = [load(code, left, [code.plus(top, r), p]) for r in range(rows)]
            products = [(code.splat(one, lanes), part) for one in column for part, lanes in row]
            return [code.fma(x, y, total) for (x, y), total in zip(products, sums, strict=True)]

        sums = code.loop(self.a.shape[1], step, start, unroll=4)
        self.leave([([code.plus(i, r), code.plus(j, at)], n) for r in range(rows) for at, n in vectors], sums)

    def leave(self, parts: list[tuple[list[Any], int]], sums: list[Any]) -> None:
        """The epilogue: what follows the product, while it is in registers. All is read before anything is written,
        for vectors overlap, and the result may be where an operand was."""
        if self.kernel.body:
            sums = [
                self.operands.evaluate(self.kernel.body, {self.core: total}, index, lanes, -1)
                for (index, lanes), total in zip(parts, sums, strict=True)
            ]
        for (index, lanes), total in zip(parts, sums, strict=True):
            store(self.code, total, self.out, index, lanes)
