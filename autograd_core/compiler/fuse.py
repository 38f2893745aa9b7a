"""From nodes to kernels: which operations share one loop, so that what passes between them stays in registers.

An elementwise operation whose result only other elementwise operations of its shape read is computed where it is read.
A matrix product or a reduction is the core of its kernel: what follows it element by element is its epilogue, and what
a reduction reads element by element is computed while it reads.

Arrays that are joined, and parts placed among zeros, which gradients of slices are, are computed where other
elementwise operations read them, too: their loop is cut into regions, in each of which a part is there or is not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from .ir import ELEMENTWISE, REDUCTIONS, VIEWS, Node, Program, users_of
from .parts import parts_of

CHEAP = 6
"""An operation with several readers is computed again by each if that costs no more simple operations than this."""

REGIONS, WRITTEN = 125, 3000
"""A loop is cut into so many regions at most, whose code may be so many simple operations."""

Lowers = Callable[[Node], bool]
Cuts = list[set[int]]
"""Where each axis is cut."""

SIMPLE = frozenset((
    "add", "subtract", "multiply", "negative", "absolute", "square", "maximum", "minimum", "where", "astype",
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert",
))  # fmt: skip


@dataclass
class Kernel:
    """One loop nest: what it computes, from what."""

    root: Node
    """The result that it writes."""

    core: Node | None
    """The matrix product, reduction, gather, scan or call that it is built around; None if it is elementwise."""

    body: list[Node]
    """The elementwise operations from the core, or from what is in memory, to the root, in order."""

    prologue: list[Node]
    """The elementwise operations that a reduction reads."""

    reads: list[Node]
    """What it reads from memory, as views of it."""

    @property
    def kind(self) -> str:
        return "elementwise" if self.core is None else "reduce" if self.core.op in REDUCTIONS else self.core.op


def fused(program: Program, lowers: Lowers) -> list[Kernel]:
    """The kernels of a program in an order in which they can run; `lowers` says what can be compiled at all."""
    users = users_of(program)
    order = program.nodes()
    inside = inlined(order, users, set(program.outputs), lowers)
    roots = [n for n in order if n not in inside and n.op not in ("input", "constant", "item") and n.op not in VIEWS]
    return late_results([kernel_of(root, inside, lowers) for root in roots], program.outputs)


def inlined(order: list[Node], users: dict[Node, list[Node]], outputs: set[Node], lowers: Lowers) -> set[Node]:
    """The nodes that are computed where they are read."""
    inside: set[Node] = set()
    cores: dict[Node, Node] = {}
    costs: dict[Node, int] = {}
    cuts: dict[Node, Cuts] = {}
    for node in order:
        if not lowers(node):
            inside.difference_update(node.inputs)
            continue
        with_cores = list(dict.fromkeys(x for x in node.inputs if x in inside and x in cores))
        with_cores.sort(key=lambda x: costs[x])  # of a running sum each term's kernel takes in the sum before it
        for x in with_cores[0 if node.op in REDUCTIONS or node.op not in ELEMENTWISE else 1 :]:
            inside.discard(x)  # a kernel has one core
        if node.op in ELEMENTWISE and with_cores:
            cores[node] = cores[with_cores[0]]
        if node.op in REDUCTIONS or (node.op == "matmul" and len(node.shape) <= 2):
            cores[node] = node
        cut = [x for x in node.inputs if x in inside and x in cuts]
        cost = 1 if node.op in SIMPLE or parts_of(node) else 20
        cost += sum(costs.get(x, 0) for x in dict.fromkeys(node.inputs) if x in inside)
        found = cuts_of(node, [cuts[x] for x in cut])
        count = math.prod(len(c) + 1 for c in found)
        if cut and (node in cores or node.op not in ELEMENTWISE or count > REGIONS or count * cost > WRITTEN):
            inside.difference_update(cut)
            cost -= sum(costs[x] for x in dict.fromkeys(cut))
            cut, found = [], cuts_of(node, [])
        costs[node] = cost
        if cut or parts_of(node):
            cuts[node] = found
        readers = users[node]
        if node in cuts and any(u.op not in ELEMENTWISE for u in readers):
            continue
        if node not in outputs and can_be_inside(node, readers, cores, costs, lowers):
            inside.add(node)
    return inside


def cuts_of(node: Node, inner: list[Cuts]) -> Cuts:
    """Where the loop of a node is cut: at the ends of its parts, and where what it reads is cut."""
    cuts: Cuts = [set().union(*[c[axis] for c in inner]) for axis in range(len(node.shape))]
    for part in parts_of(node) or ():
        for axis, (begin, n) in enumerate(zip(part.first, part.shape, strict=True)):
            cuts[axis] |= {begin, begin + n} - {0, node.shape[axis]}
    return cuts


def can_be_inside(
    node: Node,
    readers: list[Node],
    cores: dict[Node, Node],
    costs: dict[Node, int],
    lowers: Lowers,
) -> bool:
    """Whether a node can be computed by those that read it."""
    if not readers or (node.op not in ELEMENTWISE and node not in cores and not parts_of(node)):
        return False
    for u in readers:
        places = bool(parts_of(u))
        if not lowers(u) or (u.op not in ELEMENTWISE and ((u.op not in REDUCTIONS and not places) or node in cores)):
            return False
        if u.op in ELEMENTWISE and u.shape != node.shape:
            return False
    if len(readers) == 1:
        return True
    return node not in cores and costs[node] * (len(readers) - 1) <= CHEAP


def kernel_of(root: Node, inside: set[Node], lowers: Lowers) -> Kernel:
    """The kernel that computes a root."""
    body, reads = expression(root, inside)
    core = next((n for n in body if n.op not in ELEMENTWISE and not parts_of(n)), None)
    if not lowers(root) or (core is None and root.op not in ELEMENTWISE and not parts_of(root)):
        return Kernel(root, root, [], [], list(dict.fromkeys(root.inputs)))
    if core is None:
        return Kernel(root, None, body, [], reads)
    rest, more = expression(core, inside)
    prologue = [n for n in rest if n is not core]
    epilogue, epilogue_reads = expression(root, inside, stop=core)
    body = [n for n in epilogue if n is not core]
    return Kernel(root, core, body, prologue, list(dict.fromkeys([*more, *epilogue_reads])))


def expression(root: Node, inside: set[Node], stop: Node | None = None) -> tuple[list[Node], list[Node]]:
    """A root and what is computed along with it, in order; and what is read for that."""
    body: list[Node] = []
    reads: dict[Node, None] = {}
    seen: set[Node] = set()
    pending = [(root, False)]
    while pending:
        node, ready = pending.pop()
        if ready:
            body.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        pending.append((node, True))
        if node is stop:
            continue
        for x in reversed(node.inputs):
            if x in inside:
                pending.append((x, False))
            else:
                reads[x] = None
    return body, list(reads)


def late_results(kernels: list[Kernel], outputs: list[Node]) -> list[Kernel]:
    """Kernels whose results nobody here reads come last: a parameter is updated once all have read it."""
    late = set(outputs) - {x for kernel in kernels for x in map(memory_of, kernel.reads)}
    return sorted(kernels, key=lambda kernel: kernel.root in late and kernel.kind != "call")


def memory_of(node: Node) -> Node:
    """The node whose memory a view shows."""
    while node.op in VIEWS:
        node = node.inputs[0]
    return node
