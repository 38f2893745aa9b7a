"""A whole program in LLVM's language: a function for each kernel, and one that calls them, with loops around them.

Kernels that differ only in where their arrays are, as those of equal layers do, are one function: so a network of a
hundred layers is compiled about as quickly as one of two. The function that calls takes a table of pointers and returns
0, or what went wrong; if there are many calls, they are in functions of some calls each, for LLVM's time grows faster
than a function. What has no machine code calls back into NumPy.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..fuse import Kernel
from ..ir import VIEWS, Loop, Node, scalar_of
from .code import BAD_COUNT, FAILED, MEMORY, Code
from .kernels import copy, fill
from .layout import Layout, adds_rows, lowers, rounded
from .place import Place, contiguous_strides, element, load, viewed, whole
from .products import matmul
from .reductions import reduce
from .regions import in_regions, put_together
from .rows import add_rows, gather
from .running import running
from .text import I8, I32, I64, POINTER, VOID, Value, constant

PART = 64
"""The calls of kernels in a function that only calls."""


class Called:
    """A function that is being written, and the pointers that its call passes on."""

    def __init__(self, around: Code, address: Callable[[Any, int], Any]) -> None:
        self.code = Code(around.target, around.b.declared)
        self.address = address
        """The address, in the code around, so many bytes behind a pointer of the program."""
        self.given: list[Any] = []
        self.inside: dict[Any, Value] = {}

    def parameter(self, pointer: Any, offset: int = 0) -> Any:
        """The address as the function knows it."""
        if (pointer, offset) not in self.inside:
            self.inside[pointer, offset] = Value(POINTER, f"%p{len(self.given)}")
            self.given.append(self.address(pointer, offset))
        return self.inside[pointer, offset]

    def called(self, around: Code, functions: dict[str, str], kind: str) -> None:
        """The end of the function, and its call; one that is there already is called instead."""
        self.code.b.ret()
        name = functions.setdefault(self.code.b.text([*self.inside.values()]), f"{kind}_{len(functions)}")
        around.b.called(f"@{name}", VOID, self.given)


class Writer:
    """Writes the kernels of one program, or of a loop's step."""

    def __init__(self, code: Code, layout: Layout, places: dict[Node, Place], arena: Any, shared: "Shared") -> None:
        self.code = code
        self.layout = layout
        self.places = places
        self.arena = arena
        self.shared = shared
        self.part: Called | None = None
        """The function that calls the next kernels, if there are many."""
        self.calls = 0

    def find(self, node: Node) -> Place:
        """Where a node is."""
        if node in self.places:
            return self.places[node]
        if node.op == "constant":
            place = whole(self.shared.constant(node), node)
        elif node.op in VIEWS:
            below = self.find(node.inputs[0])
            found = viewed(below, node)
            if found is None:  # a reshape of what is not in order: copied, which is rare
                packed = Place(self.shared.extra(below), 0, contiguous_strides(below.shape), below.shape, below.dtype)
                self.copy(below, packed)
                found = viewed(packed, node)
                assert found is not None
            return found
        else:
            place = replace(whole(self.arena, node), offset=self.layout.offsets[node] // node.dtype.itemsize)
        self.places[node] = place
        return place

    def at(self, offset: int) -> Any:
        return self.code.at(self.arena, offset, I8)

    def copy(self, source: Place, target: Place) -> None:
        """Copy an array after the kernels so far: if these are in a function that is called later, within that."""
        if self.part is None:
            copy(self.code, source, target)
            return
        part, offsets = self.part, [p.offset * p.dtype.itemsize for p in (source, target)]
        pointers = [part.parameter(p.pointer, k) for p, k in zip((source, target), offsets, strict=True)]
        copy(part.code, *(replace(p, pointer=q, offset=0) for p, q in zip((source, target), pointers, strict=True)))

    def run(self, outputs: list[Node], targets: list[Place]) -> None:
        """All kernels, with the results where they belong; then those that are copies of something."""
        roots = {kernel.root for kernel in self.layout.kernels}
        items = {item for found in self.layout.items.values() for item in found}
        first: dict[Node, Place] = {}
        for y, target in zip(outputs, targets, strict=True):
            if (y in roots or y in items) and y not in first:
                first[y] = self.places[y] = target
        for kernel in self.layout.kernels:
            self.kernel(kernel)
        self.end_part()
        for y, target in zip(outputs, targets, strict=True):
            if first.get(y) is not target:
                copy_result(self, y, target)

    def kernel(self, kernel: Kernel) -> None:
        lowered = kernel.kind == "elementwise" or (kernel.core is not None and lowers(kernel.core))
        room = self.layout.rooms.get(kernel.root)
        by_rows = kernel.kind == "call" and lowered and adds_rows(kernel.root)
        if lowered and kernel.kind not in ("gather", "scan") and not by_rows:
            self.function(kernel, room)
            return
        self.end_part()
        if not lowered:
            self.call(kernel.root, None if room is None else self.at(room))
        elif kernel.kind == "scan":
            self.scan(kernel.root, self.at(self.layout.rooms[kernel.root]))
        else:
            x, index = map(self.find, kernel.root.inputs)
            (add_rows if by_rows else gather)(self.code, x, index, self.find(kernel.root), self.shared.leave_if)

    def function(self, kernel: Kernel, room: int | None) -> None:
        """A kernel as a function of the pointers that it reads and writes, and its call."""
        if self.part is None and len(self.layout.kernels) > 2 * PART:
            self.part = Called(self.code, self.address)
        part, around = self.part, self.code if self.part is None else self.part.code
        address = self.address if part is None else lambda pointer, k: around.at(part.parameter(pointer), k, I8)
        function = Called(around, address)
        code = function.code

        def find(node: Node) -> Place:
            place = self.find(node)
            offset = place.offset * place.dtype.itemsize
            return replace(place, pointer=function.parameter(place.pointer, offset), offset=0)

        if kernel.kind == "elementwise":
            in_regions(code, kernel, find, find(kernel.root))
        elif kernel.kind == "call":
            put_together(code, kernel, find, find(kernel.root))
        elif kernel.kind == "reduce":
            reduce(code, kernel, find, find(kernel.root))
        elif kernel.kind == "running":
            running(code, kernel, find, find(kernel.root))
        else:
            space = None if room is None else function.parameter(self.arena, room)
            matmul(code, kernel, find, find(kernel.root), space)
        function.called(around, self.shared.functions, kernel.kind)
        self.calls += 1
        if self.calls % PART == 0:
            self.end_part()

    def address(self, pointer: Any, offset: int) -> Any:
        return self.code.at(pointer, offset, I8)

    def end_part(self) -> None:
        """Call the function that calls the last kernels."""
        if self.part is not None:
            self.part.called(self.code, self.shared.functions, "part")
            self.part = None

    # Loops ------------------------------------------------------------------------------------------------------------

    def scan(self, node: Node, room: Any) -> None:
        """The state in memory of its own, and a loop around the step."""
        code, loop = self.code, node.settings[0]
        assert isinstance(loop, Loop)
        layout, in_place = self.layout.loops[node], self.layout.in_place[node]
        items = {item.settings[0]: item for item in self.layout.items.get(node, ())}
        offset = layout.total

        def take(nbytes: int) -> Any:
            nonlocal offset
            begin, offset = offset, offset + rounded(max(nbytes, 1))
            return code.at(room, begin, I8)

        def place_of(k: int, y: Node, shape: tuple[int, ...]) -> Place:
            if k in items:
                return self.find(items[k])
            strides = contiguous_strides(y.shape)  # of an output that nobody takes each step's is written over the last
            return Place(take(y.nbytes), 0, strides if k < loop.carries else (0, *strides), shape, y.dtype)

        outputs = loop.body.outputs
        shapes = [y.shape if k < loop.carries else (loop.length, *y.shape) for k, y in enumerate(outputs)]
        results = [place_of(k, y, shape) for k, (y, shape) in enumerate(zip(outputs, shapes, strict=True))]
        given = [self.find(x) for x in node.inputs]
        stop: Any = loop.length
        if loop.counted:
            stop = load(code, given.pop(), [])
            self.shared.leave_if(code.b.icmp(">", stop, code.index(loop.length), signed=False), BAD_COUNT)
            for target in [self.find(item) for k, item in items.items() if k >= loop.carries]:
                nbytes = math.prod(target.shape) * target.dtype.itemsize  # zeros of any dtype are bytes of zeros
                begin = element(code, target, [0] * len(target.shape))
                fill(code, Place(begin, 0, (1,), (nbytes,), np.dtype(bool)), 0)
        same = loop.carries + loop.arrays
        inner = dict(zip(loop.body.inputs[same:], given[same:], strict=True))
        inner |= dict(zip(loop.body.inputs[: loop.carries], results, strict=False))
        arrays = list(zip(loop.body.inputs[loop.carries : same], given[loop.carries : same], strict=True))
        kept = {m for m in range(loop.carries) if outputs[m] is loop.body.inputs[m]}
        moved = [m for m in range(loop.carries) if m not in in_place | kept]
        old = [element(code, results[m], [0] * len(results[m].shape)) for m in moved]
        new = [take(outputs[m].nbytes) for m in moved]
        if not loop.counted and loop.length % 2:
            old, new = new, old  # so that the last step writes where the results belong
        begins = {m: whole(p, outputs[m]) for m, p in zip(moved, old, strict=True)}
        for m, source in enumerate(given[: loop.carries]):
            copy(code, source, begins.get(m, results[m]))

        def step(k: Any, *pointers: Any) -> list[Any]:
            """One step. What is not updated in place is written beside the old state, and the two change places."""
            before, after = pointers[: len(moved)], pointers[len(moved) :]
            places = inner | {loop.body.inputs[m]: whole(p, outputs[m]) for m, p in zip(moved, before, strict=True)}
            for x, p in arrays:
                first = element(code, p, [k] + [0] * (len(p.shape) - 1))
                places[x] = Place(first, 0, p.strides[1:], p.shape[1:], p.dtype)
            targets = {m: whole(p, outputs[m]) for m, p in zip(moved, after, strict=True)}
            targets |= {m: results[m] for m in in_place}
            for m in range(loop.carries, len(outputs)):
                y = outputs[m]
                targets[m] = whole(element(code, results[m], [k] + [0] * len(y.shape)), y)
            Writer(code, layout, places, room, self.shared).run([outputs[m] for m in targets], [*targets.values()])
            return [*after, *before]

        def step_and_back(k: Any) -> None:
            """A step of a loop of which only the run tells where it ends: then the state is always in one place."""
            step(k, *old, *new)
            for m, p in zip(moved, new, strict=True):
                copy(code, whole(p, outputs[m]), results[m])

        if loop.counted:
            code.loop(stop, step_and_back)
        else:
            code.loop(stop, step, [*old, *new])

    # Calls ------------------------------------------------------------------------------------------------------------

    def call(self, node: Node, room: Any) -> None:
        """NumPy's turn: where its arguments are, and where its results go."""
        code, offset = self.code, 0
        found = []
        for x in node.inputs:
            place = self.find(x)
            if not place.contiguous:
                if x.op in VIEWS:
                    packed = whole(code.at(room, offset, I8), x)
                    offset += rounded(max(x.nbytes, 1))
                else:  # of a loop's step: a row of a view, or a view from around the loop
                    packed = whole(self.shared.extra(place), x)
                copy(code, place, packed)
                place = packed
            found.append(place)
        results = self.layout.items.get(node, [node])
        places = [*found, *[self.find(y) for y in results]]
        self.shared.call(node, [element(code, p, [0] * len(p.shape)) for p in places], list(node.inputs), results)


def copy_result(writer: Writer, y: Node, target: Place) -> None:
    """A result that is an input, a constant, a view or another result."""
    number = scalar_of(y)
    if number is None or y.dtype.name not in MEMORY:
        copy(writer.code, writer.find(y), target)
    else:
        fill(writer.code, target, number)


class Shared:
    """What all parts of a program's function share: its constants, its calls of NumPy, and its way out."""

    def __init__(self, code: Code, pointer: Callable[[int], Any], arena: Any, size: int, host: int) -> None:
        self.code = code
        self.pointer = pointer
        """The pointer to the constant of a number."""
        self.arena = arena
        self.size = size
        """How many bytes of memory the program needs; copies that the plan did not foresee add to it."""
        self.host = host
        self.functions: dict[str, str] = {}
        """The kernels: of each its parameters and body, and its name."""
        self.numbers: dict[Node, int] = {}
        self.calls: list[tuple[Node, list[Node], list[Node]]] = []

    def constant(self, node: Node) -> Any:
        """The pointer to an array that does not change."""
        return self.pointer(self.numbers.setdefault(node, len(self.numbers)))

    def extra(self, place: Place) -> Any:
        """Memory for a copy, beside the plan."""
        begin = self.size
        self.size += rounded(max(1, math.prod(place.shape) * place.dtype.itemsize))
        return self.code.at(self.arena, begin, I8)

    def leave_if(self, condition: Any, outcome: int) -> None:
        """Return at once if something is wrong."""
        b = self.code.b
        away, on = b.label(), b.label()
        b.branch_if(condition, away, on)
        b.begin(away)
        b.ret(constant(I32, outcome))
        b.begin(on)

    def call(self, node: Node, pointers: list[Any], inputs: list[Node], results: list[Node]) -> None:
        """Have NumPy compute a node, which says at the end of the table that it has: Ctrl-C may come ahead of the first
        line of a call, which then returns as if it had been there."""
        b, code = self.code.b, self.code
        with b.in_entry():
            table = b.alloca(POINTER, len(pointers) + 1)
        done = code.at(table, len(pointers), POINTER)
        for k, p in enumerate(pointers):
            b.store(p, code.at(table, k, POINTER))
        b.store(code.index(0), done)
        self.calls.append((node, inputs, results))
        b.call_address(self.host, VOID, [code.index(len(self.calls) - 1), table])
        self.leave_if(b.icmp("==", b.load(I64, done), code.index(0)), FAILED)
