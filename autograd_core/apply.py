"""Computing an op and recording what was computed: the node that stands for the result.

A node holds its data, its op and the op's inputs, and a stamp. Most of the time of building a graph of scalars goes by
in the lines that fill these in, so they are written out where a call would cost as much as the rest.
"""

from collections.abc import Callable
from typing import Any

from numpy import float64, ndarray

from .data import operand, recovered
from .recording import state, thread
from .value import FAST, Value, blank, clock


def unary(op: Any) -> Callable[[Any], Any]:
    """The function that computes a unary op on a Value, and records it.

    Each op has its own, bound to it, rather than one that they all share: a graph of scalars is built a fifth faster.
    """
    forward = op.forward

    def operate(x: Any) -> Any:
        try:
            out = forward(x._held)
        except (TypeError, ValueError) as error:
            out = recovered(op, (x._held,), error)
        if state.special:
            return specially(op, out, (x,))
        node = blank()
        node._held = out
        node.op = op
        node.first = x
        node.grad = node._marks = None
        node.stamp = next(clock)
        return node

    operate.__name__, operate.__doc__ = op.name, op.__doc__
    return operate


def binary(op: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The functions that compute a binary op on a Value and an operand, in this order and reflected, and record it."""
    forward, unrolled = op.forward, op.unrolled > 0

    def operate(x: Any, y: Any) -> Any:
        if type(x) is Value:
            a = x._held
        elif type(x) in FAST:
            a = x
        else:
            a = x = operand(x)
            if a is NotImplemented:
                return a
        if type(y) is Value:
            b = y._held
        elif type(y) in FAST:
            b = y
        else:
            b = y = operand(y)
            if b is NotImplemented:
                return b
        try:
            out = forward(a, b)
        except (TypeError, ValueError) as error:
            out = recovered(op, (a, b), error)
        if state.special:
            return specially(op, out, (x, y))
        node = blank()
        node._held = out
        node.op = op
        if unrolled:
            node.first = x
            node.second = y
        else:
            node.first = (x, y)
        node.grad = node._marks = None
        node.stamp = next(clock)
        return node

    return operate, lambda y, x: operate(x, y)


def apply(op: Any, inputs: tuple[Any, ...]) -> Any:
    """Compute an op on any inputs, Values and constants, and record it if there is a Value among them."""
    recorded = False
    data = []
    for x in inputs:
        if type(x) is Value:
            recorded = True
            data.append(x._held)
        else:
            data.append(x)
    try:
        out = op.forward(*data)
    except (TypeError, ValueError) as error:
        out = recovered(op, data, error)
    if type(data[op.leading]) is float and type(out) in (float64, ndarray) and not out.shape:
        weak = out.dtype.kind == "f" and all(type(x) in FAST for x in data[op.leading : len(data) - len(op.settings)])
        out = float(out) if weak else out  # a scalar made from Python floats only stays one
    if not recorded:
        return out
    if state.special:
        return specially(op, out, inputs)
    node = blank()
    node._held = out
    node.op = op
    if op.unrolled:
        node.inputs = inputs
    else:
        node.first = inputs
    node.grad = node._marks = None
    node.stamp = next(clock)
    return node


def record(op: Any, out: Any, inputs: tuple[Any, ...]) -> Value:
    """The node of an operation. The three above have these lines written out, which saves them a call."""
    node = blank()
    node._held = out
    node.op = op
    node.inputs = inputs
    node.grad = node._marks = None
    node.stamp = next(clock)
    return node


def specially(op: Any, out: Any, inputs: tuple[Any, ...]) -> Any:
    """What to do with a result while some thread does not record, or is watched."""
    if thread.pauses:
        for watcher in thread.watchers:
            watcher.dropped(op, out, inputs)
        return out
    node = record(op, out, inputs)
    for watcher in thread.watchers:
        watcher.recorded(node)
    return node
