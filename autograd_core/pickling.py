"""Pickling and copying of graphs of any depth.

Python's own pickling follows a graph recursively and gives up at a depth of some hundred. Here a result is written as
the list of its graph, inputs before results: whatever a row refers to has been written before, so nothing is followed.
Each node has one row while a pickle is made, and pickles write an object once, so a node that several results of one
pickle share is shared again when they are read. Leaves are objects of their own, ops are known by their names.
"""

import copyreg
from typing import Any
from weakref import WeakValueDictionary

from .apply import record
from .exact import changed
from .graph import topological
from .recording import thread
from .value import Value, leaf


class Row:
    """An operation in a pickle; it is read as the Value itself."""

    __slots__ = ("__weakref__", "node")

    def __init__(self, node: Value) -> None:
        self.node = node

    def __reduce__(self) -> tuple[Any, ...]:
        node = self.node
        return make_node, (node.op, node._held, tuple(map(row_of, node.inputs)), node.grad, node.name)


ROWS: WeakValueDictionary[Value, Row] = WeakValueDictionary()
"""The row of each operation that is being pickled: a pickler keeps what it has written until it is done."""


def row_of(x: Any) -> Any:
    """The row of an operation; leaves and constants as they are."""
    if type(x) is not Value or x.op is None:
        return x
    for y in x.inputs:
        if type(y) is Value and y.stamp > x.stamp:
            raise changed(x, y)
    return ROWS.setdefault(x, Row(x))


def reduce_value(value: Value) -> tuple[Any, ...]:
    """What `pickle` and `copy` ask a Value for."""
    if value.op is None:
        if 0 < thread.since <= value.stamp:
            raise TypeError(
                "a copy or pickle of a variable whose derivative is being taken would be another variable, and get "
                "nothing of the gradient: write v.copy() for a copy that follows from v, {**params} or list(params) "
                "for a container of the same Values, and v.data for plain data"
            )
        return make_leaf, (value._held, value.grad, value.name)
    return last, (list(map(row_of, topological(value))),)


def make_leaf(data: Any, grad: Any, name: str | None) -> Value:
    x = leaf(data, name)
    x.grad = grad
    return x


def make_node(op: Any, data: Any, inputs: tuple[Any, ...], grad: Any, name: str | None) -> Value:
    x = record(op, data, inputs)
    x.grad, x.name = grad, name
    return x


def last(rows: list[Any]) -> Value:
    """The result, whose graph was read before it; `copy.copy` gives the rows as they are, and gets another node."""
    found = rows[-1]
    if type(found) is Value:
        return found
    node: Value = found.node
    return make_node(node.op, node._held, node.inputs, node.grad, node.name)


copyreg.pickle(Value, reduce_value)
