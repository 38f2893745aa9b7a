"""From nodes to kernels: which operations share one loop, so that what passes between them stays in registers.

An elementwise operation whose result only other elementwise operations of its shape read is computed where it is read.
A matrix product, a reduction or a running one is the core of its kernel: what follows it element by element is its
epilogue, and what the latter two read element by element is computed while they read.

Arrays that are joined, and parts placed among zeros, which gradients of slices are, are computed where other
elementwise operations read them, too: their loop is cut into regions, in each of which a part is there or is not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from .ir import ELEMENTWISE, REDUCTIONS, RUNNING, VIEWS, Node, Program, users_of
from .parts import cut_at_ends, parts_of

LOOPS = REDUCTIONS | RUNNING
"""What computes the elements that it reads while it reads them."""

CHEAP = 6
"""An operation with several readers is computed again by each if that costs no more simple operations than this."""

REGIONS, WRITTEN = 125, 3000
"""A loop is cut into so many regions at most, whose code may be so many simple operations."""

Lowers = Callable[[Node], bool]
Cuts = list[set[int]]
"""Where each axis is cut, with its ends."""

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
    """The matrix product, reduction, running sum, gather, scan or call that it is built around; None if elementwise."""

    body: list[Node]
    """The elementwise operations from the core, or from what is in memory, to the root, in order."""

    prologue: list[Node]
    """The elementwise operations that a reduction or a running sum reads."""

    reads: list[Node]
    """What it reads from memory, as views of it."""

    @property
    def kind(self) -> str:
        if self.core is None:
            return "elementwise"
        return "reduce" if self.core.op in REDUCTIONS else "running" if self.core.op in RUNNING else self.core.op


def fused(program: Program, lowers: Lowers) -> list[Kernel]:
    """The kernels of a program in an order in which they can run; `lowers` says what can be compiled at all."""
    fusion = Fusion(program, lowers)
    skipped = ("input", "constant", "item", *VIEWS)
    roots = [node for node in fusion.users if node not in fusion.inside and node.op not in skipped]
    return late_results([fusion.kernel(root) for root in roots], program.outputs)


class Fusion:
    """Which nodes of a program are inside: computed where they are read."""

    def __init__(self, program: Program, lowers: Lowers) -> None:
        self.lowers = lowers
        self.users = users_of(program)
        """In order."""
        self.outputs = set(program.outputs)
        self.inside: set[Node] = set()
        self.cores: dict[Node, Node] = {}
        """The matrix product, reduction or running sum that a node is, or is computed after."""
        self.costs: dict[Node, int] = {}
        self.cuts: dict[Node, Cuts] = {}
        """Where the loop is cut that computes a node."""
        calls = [node for node in self.users if node.op == "call" and len(node.inputs) <= REGIONS]
        self.parts = {node: parts for node in calls if (parts := parts_of(node))}
        for node in self.users:
            self.visit(node)

    def visit(self, node: Node) -> None:
        """Decide about a node, and again about its inputs."""
        if not self.lowers(node):
            self.inside.difference_update(node.inputs)
            return
        inputs = list(dict.fromkeys(node.inputs))
        self.with_one_core(node, [x for x in inputs if x in self.inside and x in self.cores])
        self.costs[node] = 1 if node.op in SIMPLE or node in self.parts else 20
        cut = [x for x in inputs if x in self.inside and x in self.cuts]
        if node.op not in ELEMENTWISE or node in self.cores:
            self.inside.difference_update(cut)  # only loops over elements are cut
            cut = []
        cut.sort(key=lambda x: regions(self.cuts[x]))
        while True:
            cuts = self.cuts_of(node, cut)
            cost = self.costs[node] + sum(self.costs[x] for x in inputs if x in self.inside and x in self.costs)
            if not cut or (regions(cuts) <= REGIONS and regions(cuts) * cost <= WRITTEN):
                break
            self.inside.discard(cut.pop())
        self.costs[node] = cost
        if cut or node in self.parts:
            self.cuts[node] = cuts
        if node not in self.outputs and self.can_be_inside(node, self.users[node]):
            self.inside.add(node)

    def with_one_core(self, node: Node, inputs: list[Node]) -> None:
        """Of what a node reads only one may be computed after a core, and only if it can go on from there."""
        inputs.sort(key=lambda x: self.costs[x])  # of a running sum each term's kernel takes in the sum before it
        goes_on = node.op in ELEMENTWISE
        self.inside.difference_update(inputs[goes_on:])
        if goes_on and inputs:
            self.cores[node] = self.cores[inputs[0]]
        if node.op in LOOPS or (node.op == "matmul" and len(node.shape) <= 2):
            self.cores[node] = node

    def cuts_of(self, node: Node, inner: list[Node]) -> Cuts:
        """Where the loop of a node is cut: at the ends of its parts, and where what it reads is cut."""
        cuts: Cuts = [{0, n}.union(*[self.cuts[x][axis] for x in inner]) for axis, n in enumerate(node.shape)]
        cut_at_ends(cuts, self.parts.get(node, []))
        return cuts

    def can_be_inside(self, node: Node, readers: list[Node]) -> bool:
        """Whether a node can be computed by those that read it."""
        cored = node in self.cores
        if not readers or (node.op not in ELEMENTWISE and not cored and node not in self.parts):
            return False
        for u in readers:
            alike = u.op in ELEMENTWISE and u.shape == node.shape
            other = (u.op in LOOPS or u in self.parts) and not cored and node not in self.cuts
            if not self.lowers(u) or not (alike or other):
                return False
        return len(readers) == 1 or (not cored and self.costs[node] * (len(readers) - 1) <= CHEAP)

    def kernel(self, root: Node) -> Kernel:
        """The kernel that computes a root."""
        body, reads = expression(root, self.inside)
        core = next((n for n in body if n.op not in ELEMENTWISE and n not in self.parts), None)
        if not self.lowers(root) or (core is None and root.op not in ELEMENTWISE and root not in self.parts):
            return Kernel(root, root, [], [], list(dict.fromkeys(root.inputs)))
        if core is None:
            return Kernel(root, None, body, [], reads)
        rest, more = expression(core, self.inside)
        prologue = [n for n in rest if n is not core]
        epilogue, epilogue_reads = expression(root, self.inside, stop=core)
        body = [n for n in epilogue if n is not core]
        return Kernel(root, core, body, prologue, list(dict.fromkeys([*more, *epilogue_reads])))


def regions(cuts: Cuts) -> int:
    """Into how many regions a loop is cut."""
    return math.prod(len(axis) - 1 for axis in cuts)


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
