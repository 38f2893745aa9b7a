"""Where a program keeps its results: offsets in one block of memory, which results share when their times differ."""

from bisect import insort
from dataclasses import dataclass, field

from ...ops.indexing import add_items
from ..fuse import Kernel, fused, memory_of
from ..ir import ELEMENTWISE, REDUCTIONS, RUNNING, VIEWS, Loop, Node, Program, Slot
from ..parts import joined_along, placed_at
from .mathematics import FUNCTIONS
from .operations import compiles
from .target import target

LINE = 64
"""The bytes of a cache line: every buffer begins at one."""


def lowers(node: Node) -> bool:
    """Whether there is machine code for a node; else NumPy is called."""
    if node.op in ELEMENTWISE:
        return compiles(node)
    if node.op in REDUCTIONS:
        return node.dtype.name in ("float64", "float32", "int64") and node.op in ("sum", "prod", "max", "min")
    if node.op in RUNNING:
        return node.dtype.name in ("float64", "float32", "int64")
    if node.op == "matmul":
        axes = [len(x.shape) for x in node.inputs]
        return node.dtype.name in ("float64", "float32") and (max(axes) <= 2 or min(axes) >= 2)
    if node.op == "gather":
        return is_row_gather(node)
    if node.op == "call":
        return joined_along(node) is not None or placed_at(node) is not None or adds_rows(node)
    return node.op in ("input", "constant", "item", "scan") or node.op in VIEWS


def is_row_gather(node: Node) -> bool:
    """Whether a node is x[index] with one axis of integers, or with one number."""
    if len(node.inputs) != 2 or node.dtype.name not in ("float64", "float32", "int64"):
        return False
    x, index = node.inputs
    skeleton = node.settings[0]
    slot = skeleton[0] if isinstance(skeleton, tuple) and len(skeleton) == 1 else skeleton
    return getattr(slot, "k", None) == 1 and len(index.shape) <= 1 and index.dtype.name in ("int64", "int32") and (
        len(x.shape) >= 1
    )  # fmt: skip


def adds_rows(node: Node) -> bool:
    """Whether a call adds its first input to rows of zeros, by their numbers: the gradient of rows."""
    function, args, _ = node.settings
    if function is not add_items or len(node.inputs) != 2 or node.dtype.name not in ("float64", "float32"):
        return False
    g, index = node.inputs
    slot = args[1][0] if isinstance(args[1], tuple) and len(args[1]) == 1 else args[1]
    rows = len(index.shape) <= 1 and index.dtype.name in ("int64", "int32") and len(node.shape) > 0
    return rows and type(slot) is Slot and g.dtype == node.dtype and g.shape == (*index.shape, *node.shape[1:])


@dataclass
class Layout:
    """The kernels of a program, and the memory that it needs beside its inputs and outputs."""

    program: Program
    kernels: list[Kernel]
    offsets: dict[Node, int] = field(default_factory=dict)
    """Of each result that has a buffer."""

    rooms: dict[Node, int] = field(default_factory=dict)
    """Of the space that a kernel needs while it runs, by its root."""

    loops: dict[Node, "Layout"] = field(default_factory=dict)
    """Of the step of each loop."""

    in_place: dict[Node, set[int]] = field(default_factory=dict)
    """Which arrays of a loop's state are written where the old ones are."""

    items: dict[Node, list[Node]] = field(default_factory=dict)
    """The results that are taken of a node that has several."""

    total: int = 0


def rounded(n: int) -> int:
    return -(-n // LINE) * LINE


def lay_out(program: Program, given: set[Node]) -> Layout:
    """Plan a program; `given` are the nodes whose memory comes from outside."""
    layout = Layout(program, fused(program, lowers))
    for node in program.nodes():
        if node.op == "item":
            layout.items.setdefault(node.inputs[0], []).append(node)
    end = len(layout.kernels)
    last: dict[Node, int] = {}
    for step, kernel in enumerate(layout.kernels):
        for x in kernel.reads:
            last[memory_of(x)] = step
    for y in program.outputs:
        last[memory_of(y)] = end
    space = Space()
    for step, kernel in enumerate(layout.kernels):
        space.release(step)
        for node in layout.items.get(kernel.root, [kernel.root]):
            if node not in given:
                layout.offsets[node] = space.take(node.nbytes, last.get(node, step))
        size = room_for(layout, kernel)
        if size:
            layout.rooms[kernel.root] = space.take(size, step)
    layout.total = space.total
    return layout


class Space:
    """One block of memory, of which parts are taken and released; the first gap that fits is taken."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int, int]] = []  # (begin, end, until), in order
        self.total = 0

    def release(self, step: int) -> None:
        """Give back what was needed before this step only."""
        self.taken = [part for part in self.taken if part[2] >= step]

    def take(self, size: int, until: int) -> int:
        size = max(rounded(size), LINE)
        begin = 0
        for a, b, _ in self.taken:
            if begin + size <= a:
                break
            begin = max(begin, b)
        insort(self.taken, (begin, begin + size, until))
        self.total = max(self.total, begin + size)
        return begin


def product_room(core: Node) -> int:
    """The bytes for copies of what a product reads: one operand, and the widest panel, of four vectors, or block."""
    return max(rounded(x.nbytes) for x in core.inputs) + rounded(core.inputs[0].shape[-1] * 4 * LINE)


def is_large(core: Node) -> bool:
    """Whether a product may be one for BLAS."""
    return core.size * core.inputs[0].shape[-1] >= target().large


def is_long(body: list[Node], core: Node) -> bool:
    """Whether an epilogue is a loop of its own, not a part of every tile: it is much code, or the product is large."""
    if body and is_large(core):
        return True
    return len(body) > 8 or any(node.op in FUNCTIONS for node in body)


def update_of(kernel: Kernel) -> tuple[Node, Node] | None:
    """The rate and the array, if a kernel is array - rate · product."""
    core, body = kernel.core, kernel.body
    if [n.op for n in body] != ["multiply", "subtract"] or core not in body[0].inputs:
        return None
    rate, before = body[0].inputs[body[0].inputs[0] is core], body[1].inputs[0]
    if core is None or rate.shape or before.shape != core.shape or before is body[0]:
        return None
    return rate, before


def small_factor(kernel: Kernel) -> Node | None:
    """Which operand of an update's product is multiplied by the rate instead of the product, for it is far smaller."""
    if kernel.core is None or update_of(kernel) is None:
        return None
    small = min(kernel.core.inputs, key=lambda x: x.size)
    return small if small.size * 16 <= kernel.core.size else None


def room_for(layout: Layout, kernel: Kernel) -> int:
    """The bytes that a kernel needs while it runs."""
    core = kernel.core
    if core is None:
        return 0
    if core.op == "matmul" and lowers(core):
        beside = core if is_long(kernel.body, core) else small_factor(kernel)
        return product_room(core) + (beside.nbytes if beside else 0)
    if core.op == "scan":
        loop: Loop = core.settings[0]
        inside = set(loop.body.inputs)
        body = lay_out(loop.body, inside | set(loop.body.outputs))
        layout.loops[core] = body
        layout.in_place[core] = states_in_place(body, loop)
        return body.total + sum(2 * rounded(max(y.nbytes, 1)) for y in loop.body.outputs)
    return sum(rounded(x.nbytes) + LINE for x in core.inputs if x.op in VIEWS)


def states_in_place(body: Layout, loop: Loop) -> set[int]:
    """The arrays of a state whose next values may be written over the old ones: nothing reads the old ones later, and
    the kernel that writes them reads each element just before."""
    found = set()
    writers = {kernel.root: step for step, kernel in enumerate(body.kernels)}
    outputs = loop.body.outputs
    for k in range(loop.carries):
        old, new = loop.body.inputs[k], outputs[k]
        if new not in writers or outputs.count(new) > 1 or any(memory_of(y) is old for y in outputs):
            continue
        kernel = body.kernels[writers[new]]
        later = any(memory_of(x) is old for other in body.kernels[writers[new] + 1 :] for x in other.reads)
        views = any(memory_of(x) is old and x is not old for x in kernel.reads)
        core = [] if kernel.core is None else [*kernel.core.inputs, *(x for n in kernel.prologue for x in n.inputs)]
        hidden = kernel.root.op in ("scan", "call", "gather") or old in core
        if not later and not views and not hidden and old.shape == new.shape:
            found.add(k)
    return found
