"""The backward pass: one loop that pulls a gradient from a result back to the variables it was computed from.

For a result y = f(x₁, x₂, ...) and a loss L, the chain rule says

    ∂L/∂xₖ  =  Σ over every use of xₖ of  ∂L/∂y · ∂y/∂xₖ,

so a Value's gradient is complete once every result that used it has been visited. Stamps grow as a graph is recorded,
and every result is younger than its inputs: visiting the youngest Value first is a reverse topological order, and a
heap of the Values that wait for their turn is all that it takes.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, algorithm 3.3.
"""

from collections import deque
from heapq import heapify, heappop, heappush, heappushpop
from typing import Any

import numpy as np
from numpy import ndarray

from .data import QUIET, dtype_of, is_foreign, is_weak, shape_of, size_of
from .exact import at_a_pole, changed, fit, fitted, passed_on, pull_back_exactly
from .op import FIRST, ONE, SECOND
from .ops.several import Parts
from .recording import announce_pass
from .value import Value


def pull_back(adjoint: dict[Value, Any], *, oldest: int = 0, keep: bool = False) -> dict[Value, Any]:
    """The gradients of some results with respect to the leaves of their graph, as a dictionary.

    This is the quick form of `pull_back_exactly`, whose loop says the same in a dozen lines: read that first.
    Elementwise ops of one and two inputs are written out here, for most of the time of a backward pass goes by in these
    lines. And there are no masks: if the pass went through a selection and a gradient came out as nan, the exact pass
    decides from there on whether that nan is real.

    Parameters
    ----------
    adjoint
        Where the pass begins: results, with the gradient with respect to each. The dictionary is used up, and what is
        in it in the end is returned. So a graph that nobody else holds is freed on the way, and the pass works in the
        memory of what it has left behind.
    oldest
        Values stamped before this belong to somebody else's graph and are constants here.
    keep
        Leave each visited Value's gradient in its `grad`.
    """
    waiting = [(-x.stamp, x) for x in adjoint if x.op is not None]
    if not waiting:
        return adjoint
    heapify(waiting)
    node = heappop(waiting)[1]
    g = adjoint.pop(node)
    own: set[Value] = set()  # the Values whose gradient is an array that was made here and is nowhere else
    selection: dict[Value, Any] | None = None  # the gradients when the pass came to the first selection
    while True:
        if keep:
            node.grad = g
        op, stamp = node.op, node.stamp
        arity = op.unrolled
        if selection is None and op.masks and leaves_out(node):
            selection = {**adjoint, node: g}
            own.clear()
        next_node = None  # the first input that is met for the first time, and its gradient; others wait in the heap
        if arity == 1:
            x = node.first
            if oldest <= x.stamp < stamp:
                (rule,) = op.rules
                a = x._held
                try:
                    c = g * rule(node._held, a)
                except ArithmeticError:
                    c = at_a_pole(rule, g, node._held, a)
                if not (weak := type(c) is float):  # Python floats come of nothing else, and fit
                    c = fit(c, a)
                if x in adjoint:
                    adjoint[x] = adjoint[x] + c if weak else added_to(c, adjoint[x])
                elif x.op is not None:
                    next_node, next_g = x, c
                else:
                    adjoint[x] = c
            elif x.stamp > stamp:
                raise changed(node, x)
        elif arity == 2:
            x, y = node.first, node.second
            rule, rule_y = op.rules
            b = y._held if type(y) is Value else y
            if type(x) is Value:
                a = x._held
                if oldest <= x.stamp < stamp:
                    try:
                        if rule is SECOND:
                            c = g * b if b is not y else scaled(g, b)
                        else:
                            c = g if rule is ONE else g * rule(node._held, a, b)
                    except ArithmeticError:
                        c = at_a_pole(rule, g, node._held, a, b)
                    if not (weak := type(c) is float):
                        c = fit(c, a)
                    if x in adjoint:
                        adjoint[x] = adjoint[x] + c if weak or rule is ONE else added_to(c, adjoint[x])
                    elif x.op is not None:
                        next_node, next_g = x, c
                    else:
                        adjoint[x] = c.copy() if c is g and type(c) is ndarray else c  # a leaf's gradient is its own
                elif x.stamp > stamp:
                    raise changed(node, x)
            else:
                a = x
            if type(y) is Value:
                if oldest <= y.stamp < stamp:
                    try:
                        if rule_y is not FIRST:
                            c = g if rule_y is ONE else g * rule_y(node._held, a, b)
                        elif next_node is y:
                            c = next_g  # of y · y: the same once more
                        else:
                            c = g * a if a is not x else scaled(g, a)
                    except ArithmeticError:
                        c = at_a_pole(rule_y, g, node._held, a, b)
                    if not (weak := type(c) is float):
                        c = fit(c, b)
                    if y in adjoint:
                        adjoint[y] = adjoint[y] + c if weak or rule_y is ONE else added_to(c, adjoint[y])
                    elif y.op is None:
                        adjoint[y] = c.copy() if c is g and type(c) is ndarray else c
                    elif next_node is None:
                        next_node, next_g = y, c
                    elif next_node is y:
                        next_g = next_g + c if weak or rule_y is ONE else added_to(c, next_g)
                    else:
                        adjoint[y] = c
                        heappush(waiting, (-y.stamp, y))
                elif y.stamp > stamp:
                    raise changed(node, y)
        elif op.into is not None and type(node.first[0]) is Value and type(node.first[0]._held) is ndarray:
            x, *settings = node.first
            if oldest <= x.stamp < stamp:
                if x not in own:
                    if x in adjoint:
                        adjoint[x] = np.array(adjoint[x])
                    else:
                        adjoint[x] = np.zeros(x._held.shape, x._held.dtype)
                        if x.op is not None:
                            heappush(waiting, (-x.stamp, x))
                    own.add(x)
                op.into(adjoint[x], g, *settings)
            elif x.stamp > stamp:
                raise changed(node, x)
        else:
            for x, c in pulled(node, g, oldest):
                if x in adjoint:
                    adjoint[x] = adjoint[x] + c
                elif x.op is None:
                    adjoint[x] = c.copy() if c is g and type(c) is ndarray else c
                else:
                    adjoint[x] = c
                    heappush(waiting, (-x.stamp, x))
        if not waiting:
            if next_node is None:
                if selection and any(has_nan(c) for c in adjoint.values()):
                    return pull_back_exactly(selection, oldest=oldest, keep=keep)
                return adjoint
            node, g = next_node, next_g
        elif next_node is None:
            node = heappop(waiting)[1]
            g = adjoint.pop(node)
        else:
            adjoint[next_node] = next_g
            node = heappushpop(waiting, (-next_node.stamp, next_node))[1]
            g = adjoint.pop(node)


def leaves_out(node: Value) -> bool:
    """Whether a selection may have left out something that was computed; a linear one of leaves has not."""
    return node.op.form != "linear" or any(type(x) is Value and x.op for x in node.first)


def scaled(g: Any, factor: Any) -> Any:
    """g · factor, a constant. A gradient that is one number everywhere, as those of a sum's terms are, stays one."""
    if type(g) is ndarray and type(factor) is float and g.ndim and g.size and not any(g.strides):
        return np.broadcast_to(g[(0,) * g.ndim] * factor, g.shape)
    return g * factor


def added_to(c: Any, total: Any) -> Any:
    """total + c in the memory of c, which was made for this and is nobody else's."""
    if type(c) is ndarray and c.flags.writeable:
        return np.add(total, c, c)
    return total + c


def has_nan(c: Any) -> bool:
    """Whether a gradient has a nan in it; only nan differs from itself."""
    return bool(np.any(c != c))


def pulled(node: Value, g: Any, oldest: int) -> list[tuple[Value, Any]]:
    """What an operation whose inputs are a tuple passes on: to each that is a variable its gradient along this edge."""
    op, inputs, stamp = node.op, node.first, node.stamp
    out, args = node._held, [x._held if type(x) is Value else x for x in inputs]
    if type(g) is Parts or op.joint is not None:
        return [(x, c) for x, c, _ in passed_on(node, g, None, oldest, record=False)]
    found = []
    for x, a, rule in zip(inputs, args, op.each(inputs) if op.variadic else op.rules):  # noqa: B905  settings follow
        if type(x) is not Value or x.stamp < oldest or rule is None:
            continue
        if x.stamp > stamp:
            raise changed(node, x)
        if op.uses_out:
            c = rule(g, out, *args)
        elif op.elementwise:
            try:
                c = g if rule is ONE else g * rule(out, *args)
            except ArithmeticError:
                c = at_a_pole(rule, g, out, *args)
        else:
            c = rule(g, *args)
        t = type(c)
        if t is not type(a) or (t is ndarray and (c.shape != a.shape or c.dtype is not a.dtype)):
            c = fit(c, a)
        found.append((x, c))
    return found


def backward(root: Value, gradient: Any = None, *, keep: str = "all") -> None:
    """Add the derivatives of this Value to the `grad` of every leaf of its graph, and set those in between.

    Parameters
    ----------
    gradient
        The gradient with respect to this Value (its *cotangent*), of its shape. A scalar needs none: it is 1.
    keep
        `"all"` leaves the gradients of intermediate Values in their `grad`, for drawings; `"leaves"` frees them on
        the way.

    Raises
    ------
    ValueError
        If this Value is not a scalar and no gradient is given, or one of another shape.
    TypeError
        If the gradient is a Value, or complex while this Value is real.
    RuntimeError
        If the data of an input changed after they were used. The leaves are then as they were, as after any error.

    >>> x = Value([1.0, 2.0])
    >>> (3.0 * x).backward([1.0, 10.0])
    >>> x.grad
    array([ 3., 30.])
    """
    if keep not in ("all", "leaves"):
        raise ValueError(f"keep={keep!r}: it is 'all' or 'leaves'")
    start = {root: cotangent(root, gradient)}
    announce_pass(start)
    pull = pull_back_exactly if is_foreign(root._held) else pull_back
    found = QUIET.copy().run(pull, start, keep=keep == "all")
    totals = [settled(x, c) for x, c in found.items()]
    deque(map(set_grad, found, totals), maxlen=0)  # one call into C: Ctrl-C comes before it or after it


set_grad: Any = Value.__dict__["grad"].__set__
Value.backward = backward


def cotangent(root: Value, gradient: Any) -> Any:
    """The gradient that a pass begins with, checked."""
    data = root._held
    if gradient is None:
        if is_weak(data):
            return 1.0
        if dtype_of(data).kind == "c":
            raise ValueError(
                "backward() of a complex Value needs the gradient with respect to it: take np.real or np.abs first"
            )
        if size_of(data) == 1:
            return one(root)
        raise ValueError(
            f"backward() of a Value of shape {root.shape} needs the gradient with respect to it, of the same shape: "
            "write v.sum().backward(), or v.backward(np.ones(v.shape))"
        )
    if type(gradient) is Value:
        raise TypeError(
            "backward() takes and leaves plain data, which do not depend on a Value: write v.backward(g.data), or take "
            "derivatives of derivatives with the pullback of vjp(f, x), to which g may be a Value"
        )
    return fitted(gradient, root, "gradient")


def one(x: Value) -> Any:
    """The gradient of a single number with respect to itself."""
    data = x._held
    if is_weak(data):
        return 1.0
    return np.ones_like(data) if shape_of(data) else dtype_of(data).type(1)


def owned(c: Any, data: Any) -> Any:
    """A gradient that nobody else holds, writable and contiguous; of an array an array, of a number a number."""
    if type(data) is ndarray:
        if type(c) is not ndarray or c.base is not None or not c.flags.carray:
            return c if is_foreign(c) else np.array(c, order="C")
        return c
    return c[()] if type(c) is ndarray and not c.shape else c


def settled(x: Value, c: Any) -> Any:
    """What a leaf's `grad` becomes: plain data that are its own, writable and contiguous, added to what was there.

    PyTorch's convention for a complex variable is the conjugate, so that x - rate * grad descends.
    """
    data = x._held
    if type(data) is float:
        return c if x.grad is None else x.grad + c
    if data.dtype.kind == "c":
        c = np.conj(c)
    return owned(c if x.grad is None else x.grad + c, data)
