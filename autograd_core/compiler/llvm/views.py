"""Views moved to what lies in memory, where they are nothing but other strides.

`(x.T + x.T).T * 2` would be two loops, for the sum would be computed before it is shown transposed. A view of what an
elementwise operation gives is the same operation on views, and a slice of arrays that are joined is a slice of one of
them: so nothing stands between operations that can share a loop.
"""

from typing import Any

from ..fuse import SIMPLE
from ..ir import ELEMENTWISE, VIEWS, Node, Program, users_of, with_body
from ..parts import by_axis, parts_of
from ..simplify import identity_of

MOVED = frozenset(("reshape", "transpose", "getitem"))
"""The views that show each element at most once."""


def views_first(program: Program) -> Program:
    """The program, also in its loops, with views ahead of elementwise operations.

    An array whose parts are taken is not needed; where it turns out that it is needed for something else, too, that is
    done once more, and its parts are taken from it.
    """
    needed: set[Node] = set()
    while True:
        attempt = Attempt(program, needed)
        left = set(attempt.program.nodes())
        again = {old for whole, old in attempt.taken_from.items() if whole in left}
        if not again:
            return attempt.program
        needed |= again


class Attempt:
    """The program made anew, with some results that are put together left whole."""

    def __init__(self, program: Program, needed: set[Node]) -> None:
        users, outputs = users_of(program), set(program.outputs)
        old_free = free(users, outputs)
        new: dict[Node, Node] = {}
        self.free: set[Node] = set()
        """Elementwise operations that nothing needs but views."""
        self.shown: dict[tuple[str, str, Node], Node] = {}
        self.old: dict[Node, Node] = {}
        """Of each result that may be taken apart what it was."""
        self.taken_from: dict[Node, Node] = {}
        """Those that were."""
        for node in users:
            inputs = [new[x] for x in node.inputs]
            if is_only_part(node):
                new[node] = inputs[0]
                continue
            if node.op in MOVED:
                new[node] = self.moved(node, inputs[0])
                continue
            if node.op == "scan":
                found = with_body(node.like(inputs), views_first)
            else:
                same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
                found = node if same else node.like(inputs)
            new[node] = found
            if node in old_free:
                self.free.add(found)
            if node.op == "call" and node not in needed and node not in outputs:
                self.old[found] = node
        self.program = Program([new[x] for x in program.inputs], [new[x] for x in program.outputs])

    def moved(self, view: Node, x: Node) -> Node:
        """A view of x: of what x is computed from, as far as that is free to be computed in another shape."""
        kind = (view.op, repr(view.settings) + repr(view.shape))
        if view.op == "transpose" and self.turned_reads(view, x) > 1:
            return self.view_of(view, x)  # several arrays, and not one, would be read across their rows
        pending = [x]
        while pending:
            node = pending[-1]
            if (*kind, node) in self.shown:
                pending.pop()
                continue
            whole = [y for y in node.inputs if y.shape == node.shape and y.size > 1]
            numbers = [y for y in node.inputs if y.size == 1]
            passes = node in self.free and bool(whole) and len(whole) + len(numbers) == len(node.inputs)
            if not passes or not all(self.can_be_shown(y, view) for y in whole):
                self.shown[*kind, node] = self.view_of(view, node)
            elif missing := [y for y in whole if (*kind, y) not in self.shown]:
                pending += missing
                continue
            else:
                inputs = [self.shown[*kind, y] if y in whole else single(y) for y in node.inputs]
                found = Node(node.op, inputs, node.settings, shape=view.shape, dtype=node.dtype).instead_of(node)
                self.shown[*kind, node] = found
                self.free.add(found)
            pending.pop()
        return self.shown[*kind, x]

    def turned_reads(self, view: Node, x: Node) -> int:
        """How many arrays x is computed from that a transpose would not turn back."""
        seen: set[Node] = set()
        pending, count = [x], 0
        while pending:
            node = pending.pop()
            if node in seen or node.size == 1:
                continue
            seen.add(node)
            if node in self.free:
                pending += node.inputs
            else:
                count += simplest(view, node).op == "transpose"
        return count

    def can_be_shown(self, x: Node, view: Node) -> bool:
        """Whether a view of x does not ask for more than x itself: for a copy, or that x is put together in memory."""
        if x.op == "call":
            index = by_axis(view.settings[0], len(x.shape)) if view.op == "getitem" else None
            return x in self.old and index is not None and of_part(x, index) is not None
        return view.op != "reshape" or in_order(x, view)

    def view_of(self, view: Node, x: Node) -> Node:
        """A view of x, or what is the same and simpler."""
        found = simplest(view, x)
        while found.op == "getitem":
            (x,) = found.inputs
            index = by_axis(found.settings[0], len(x.shape))
            if index is None:
                break
            if all(type(k) is slice and k.indices(n) == (0, n, 1) for k, n in zip(index, x.shape, strict=True)):
                return x
            part = of_part(x, index) if x in self.old else None
            if part is None:
                break
            self.taken_from[x] = self.old[x]
            found = Node("getitem", [part[0]], (part[1],), shape=view.shape, dtype=x.dtype)
        return found


def is_only_part(node: Node) -> bool:
    """Whether a result that is put together is its one part."""
    parts = parts_of(node)
    return parts is not None and len(parts) == 1 and node.inputs[0].shape == node.shape


def free(users: dict[Node, list[Node]], outputs: set[Node]) -> set[Node]:
    """The elementwise operations that are read by one view, also through others; and simple ones that several show."""
    chained: set[Node] = set()
    several: set[Node] = set()
    for node, readers in reversed(users.items()):
        if node.op not in ELEMENTWISE or node in outputs or not readers:
            continue
        if len(readers) == 1 and (readers[0].op in MOVED or readers[0] in chained):
            chained.add(node)
        elif node.op in SIMPLE and all(u.op in MOVED for u in readers):
            several.add(node)
    return chained | several


def in_order(x: Node, view: Node) -> bool:
    """Whether a reshaped x needs no copy: its elements lie in order, or it is reshaped back."""
    if x.op == "reshape":
        return x.inputs[0].op not in VIEWS or x.inputs[0].shape == view.shape
    return x.op not in VIEWS


def simplest(view: Node, x: Node) -> Node:
    """A view of x; if it only turns back what x shows, that."""
    found = Node(view.op, [x], view.settings, shape=view.shape, dtype=x.dtype)
    while (simpler := identity_of(found)) is not None:
        found = simpler
    return found


def single(x: Node) -> Node:
    """A number, whatever the axes."""
    return x if not x.shape else Node("reshape", [x], shape=(), dtype=x.dtype)


def of_part(x: Node, index: list[Any]) -> tuple[Node, tuple[Any, ...]] | None:
    """Which part an index takes from, of a result that is put together, and where; None if it takes from several."""
    spans = [
        range(*k.indices(n)) if type(k) is slice else range(k % n, k % n + 1)
        for k, n in zip(index, x.shape, strict=True)
    ]
    if not all(spans) or any(span.step < 1 for span in spans):
        return None
    for y, part in zip(x.inputs, parts_of(x) or (), strict=False):
        ends = zip(spans, part.first, part.shape, strict=True)
        if not all(begin <= span[0] and span[-1] < begin + n for span, begin, n in ends):
            continue
        if any(type(k) is slice for a, k in enumerate(index) if a not in part.axes):
            return None
        moved = [(index[a], spans[a], part.first[a]) for a in part.axes]
        return y, tuple(
            slice(span[0] - begin, span[-1] + 1 - begin, span.step) if type(k) is slice else span[0] - begin
            for k, span, begin in moved
        )
    return None
