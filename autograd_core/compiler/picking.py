"""Elements that are picked by numbers, x[:, i] or x[i, j], as rows: row i with that axis in front, row j of row i.

So machine code need only know rows, and the gradient of these, which puts a row into zeros.
"""

from typing import Any

from ..ops.indexing import add_items
from .ir import Node, Slot
from .parts import by_axis

ALL = slice(None)


def rows_of_picks(node: Node) -> Node | None:
    """The same as rows, if there are other numbers in an index than one in front."""
    if node.op == "gather":
        index, shape = node.settings[0], node.inputs[0].shape
    elif node.op == "call" and node.settings[0] is add_items and type(node.settings[1][0]) is Slot:
        index, shape = node.settings[1][1:3]
    else:
        return None
    parts = [node.inputs[part.k] if type(part) is Slot else part for part in by_axis(index, len(shape)) or ()]
    axes = [a for a, part in enumerate(parts) if type(part) is Node]
    if not axes or any(parts[a].shape or parts[a].dtype.kind != "i" for a in axes):
        return None
    if not all(type(part) in (Node, slice, int) for part in parts):
        return None
    if type(index) is Slot or (axes[0] == 0 and len(index) == 1):
        return None
    axis, first = axes[0], node.inputs[0]
    number, rest = parts.pop(axis), parts
    order = (axis, *[a for a in range(len(shape)) if a != axis])
    turned = tuple(shape[a] for a in order)
    others, skeleton = [x for x in rest if type(x) is Node], []
    for part in rest:
        skeleton.append(Slot(1 + others.index(part)) if type(part) is Node else part)
    whole = all(type(part) is slice and part == ALL for part in rest)
    if node.op == "gather":
        x = Node("transpose", [first], (order,), shape=turned, dtype=node.dtype)
        row = Node("gather", [x, number], (Slot(1),), shape=turned[1:], dtype=node.dtype)
        op = "gather" if others else "getitem"
        return row if whole else Node(op, [row, *others], (tuple(skeleton),), shape=node.shape, dtype=node.dtype)
    if not whole:
        first = added([first, *others], tuple(skeleton), turned[1:], node)
    out = added([first, number], Slot(1), turned, node)
    back = tuple(order.index(a) for a in range(len(shape)))
    return Node("transpose", [out], (back,), shape=node.shape, dtype=node.dtype)


def added(inputs: list[Node], index: Any, shape: tuple[int, ...], like: Node) -> Node:
    """The first input put into zeros of a shape, at an index of the others."""
    return Node("call", inputs, (add_items, (Slot(0), index, shape), {}), shape=shape, dtype=like.dtype)
