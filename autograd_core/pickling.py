"""Pickling and copying of graphs of any depth.

Python's own pickling follows a graph recursively and gives up at a depth of some hundred. Here a result is written as
the flat list of its graph, inputs before results, with each op by its name. Leaves are pickled as objects of their own,
so that a leaf which several results of one pickle share is shared again when they are read.
"""

import copyreg
from typing import Any

from .exact import changed
from .graph import topological
from .registry import OPS
from .value import Value, clock, leaf, new

Row = tuple[str, Any, tuple[Any, ...], Any, str | None]
"""An operation: its op's name, its data, its inputs, its gradient and its name."""


class Ref(int):
    """The place of an input in the list."""


def reduce_value(value: Value) -> tuple[Any, ...]:
    """What `pickle` and `copy` ask a Value for."""
    if value.op is None:
        return make_leaf, (value._held, value.grad, value.name)
    order = topological(value)
    for node in order:
        for x in node.inputs:
            if type(x) is Value and x.stamp > node.stamp:
                raise changed(node, x)
    place = {x: Ref(k) for k, x in enumerate(order)}
    rows = [
        x if x.op is None
        else (x.op.key, x._held, tuple([place[i] if type(i) is Value else i for i in x.inputs]), x.grad, x.name)
        for x in order
    ]  # fmt: skip
    return make_graph, (rows,)


def make_leaf(data: Any, grad: Any, name: str | None) -> Value:
    x = leaf(data, name)
    x.grad = grad
    return x


def make_graph(rows: list[Value | Row]) -> Value:
    nodes: list[Value] = []
    for row in rows:
        if type(row) is Value:
            nodes.append(row)
            continue
        op, data, inputs, grad, name = row
        x = new(Value)
        x.op, x._held, x.grad, x.name, x.calls, x.stamp = OPS[op], data, grad, name, None, next(clock)
        x.inputs = tuple([nodes[i] if type(i) is Ref else i for i in inputs])
        nodes.append(x)
    return nodes[-1]


copyreg.pickle(Value, reduce_value)
