"""Running sums and products while `jit` records: one node each, in the direction in which it runs."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..ops.running import recur
from .ir import Node
from .lowering import Recording, cast_node, is_number, rule
from .traced import Traced, untraced


def running(function: Any) -> None:
    def run(trace: Recording, a: Any, axis: Any = None) -> Any:
        if type(a) is not Traced or not is_number(a.value):
            return NotImplemented
        value = function(a.value, axis=axis)
        if axis is None or not a.ndim:
            a, axis = np.reshape(a, (a.size,)), 0
        settings = (normalize_axis_index(axis, a.ndim), False)
        node = Node(function.__name__, [cast_node(a.node, value.dtype)], settings, shape=value.shape, dtype=value.dtype)
        return trace.wrap(node, value)

    rule(function)(run)


running(np.cumsum)
running(np.cumprod)


@rule(recur)
def recurrence(trace: Recording, a: Any, b: Any, reverse: bool) -> Any:
    value = recur(untraced(a), untraced(b), reverse)
    if value.dtype.kind != "f":
        return NotImplemented
    nodes = [cast_node(trace.node(x), value.dtype) for x in (a, b)]
    return trace.wrap(Node("recurrence", nodes, (0, reverse), shape=value.shape, dtype=value.dtype), value)


def turned(node: Node) -> Node | None:
    """What runs over an array that is turned round, and is turned round itself, runs from the last element on."""
    if node.op != "getitem" or node.inputs[0].op not in ("cumsum", "cumprod"):
        return None
    core = node.inputs[0]
    (x,), (axis, reverse) = core.inputs, core.settings
    if x.op != "getitem" or not turns(x, axis) or not turns(node, axis):
        return None
    return Node(core.op, x.inputs, (axis, not reverse), shape=node.shape, dtype=node.dtype)


def turns(node: Node, axis: int) -> bool:
    """Whether a view shows all elements, from the last to the first along one axis."""
    index = node.settings[0] if isinstance(node.settings[0], tuple) else (node.settings[0],)
    if Ellipsis in index or len(index) <= axis or node.shape != node.inputs[0].shape:
        return False
    return all(part == slice(None, None, -1 if k == axis else None) for k, part in enumerate(index))


def alone(node: Node) -> Node | None:
    """A running sum or product of one element is that."""
    if node.op not in ("cumsum", "cumprod") or node.shape[node.settings[0]] > 1:
        return None
    return node.inputs[0]
