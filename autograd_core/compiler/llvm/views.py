"""Views moved to what lies in memory, where they are nothing but other strides.

`(x.T + x.T).T * 2` would be two loops, for the sum would be computed before it is shown transposed. A view of what an
elementwise operation gives is the same operation on views, and a slice of arrays that are joined is a slice of one of
them: so nothing stands between operations that can share a loop.
"""

import dataclasses
from typing import Any

from ..fuse import SIMPLE
from ..ir import ELEMENTWISE, VIEWS, Loop, Node, Program, users_of
from ..parts import by_axis, parts_of
from ..simplify import identity_of

MOVED = frozenset(("reshape", "transpose", "getitem"))
"""The views that show each element at most once."""


def views_first(program: Program) -> Program:
    """The program, also in its loops, with views ahead of elementwise operations."""
    users, outputs = users_of(program), set(program.outputs)
    new: dict[Node, Node] = {}
    free: set[Node] = set()
    shown: dict[tuple[str, str, Node], Node] = {}
    for node in program.nodes():
        inputs = [new[x] for x in node.inputs]
        if node.op in MOVED:
            new[node] = moved(node, inputs[0], free, shown)
        elif node.op == "scan":
            loop: Loop = node.settings[0]
            settings = (dataclasses.replace(loop, body=views_first(loop.body)),)
            new[node] = Node("scan", inputs, settings, shape=node.shape, dtype=node.dtype).instead_of(node)
        else:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            new[node] = node if same else node.like(inputs)
        readers = users[node]
        few = len(readers) == 1 or node.op in SIMPLE
        if node.op in ELEMENTWISE and few and node not in outputs and all(u.op in MOVED for u in readers):
            free.add(new[node])
    return Program([new[x] for x in program.inputs], [new[x] for x in program.outputs])


def moved(view: Node, x: Node, free: set[Node], shown: dict[tuple[str, str, Node], Node]) -> Node:
    """A view of x: of what x is computed from, as far as that is free to be computed in another shape."""
    kind = (view.op, repr(view.settings) + repr(view.shape))
    pending = [x]
    while pending:
        node = pending[-1]
        if (*kind, node) in shown:
            pending.pop()
            continue
        whole = [y for y in node.inputs if y.shape == node.shape and y.size > 1]
        numbers = [y for y in node.inputs if y.size == 1]
        passes = node in free and bool(whole) and len(whole) + len(numbers) == len(node.inputs)
        if view.op == "reshape":
            passes = passes and all(in_order(y, view) for y in whole)
        if not passes:
            shown[*kind, node] = view_of(view, node)
        elif missing := [y for y in whole if (*kind, y) not in shown]:
            pending += missing
            continue
        else:
            inputs = [shown[*kind, y] if y in whole else single(y) for y in node.inputs]
            found = Node(node.op, inputs, node.settings, shape=view.shape, dtype=node.dtype).instead_of(node)
            shown[*kind, node] = found
            free.add(found)
        pending.pop()
    return shown[*kind, x]


def in_order(x: Node, view: Node) -> bool:
    """Whether a reshaped x needs no copy: its elements lie in order, or it is reshaped back."""
    if x.op == "reshape":
        return x.inputs[0].op not in VIEWS or x.inputs[0].shape == view.shape
    return x.op not in VIEWS


def single(x: Node) -> Node:
    """A number, whatever the axes."""
    return x if not x.shape else Node("reshape", [x], shape=(), dtype=x.dtype)


def view_of(view: Node, x: Node) -> Node:
    """A view of x, or what is the same and simpler."""
    found = Node(view.op, [x], view.settings, shape=view.shape, dtype=x.dtype)
    while (simpler := identity_of(found)) is not None:
        found = simpler
    while found.op == "getitem":
        (x,) = found.inputs
        index = by_axis(found.settings[0], len(x.shape))
        if index is None:
            break
        if all(type(k) is slice and k.indices(n) == (0, n, 1) for k, n in zip(index, x.shape, strict=True)):
            return x
        part = of_part(x, index)
        if part is None:
            break
        found = Node("getitem", [part[0]], (part[1],), shape=view.shape, dtype=x.dtype)
    return found


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
