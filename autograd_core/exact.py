"""The backward pass in its general form: it can record itself, and it knows dead branches.

`np.where(x > 0, np.sqrt(x), 0.0)` computes both branches and takes one. On the way back the branch not taken gets the
gradient 0, and at x = 0 the local derivative of the square root is inf: their product is nan, in a branch that the
result does not depend on. So this pass carries, beside the gradient, a mask of what is live. Selections make masks; a
local derivative where the mask is dead is not used at all, and contributes an exact zero. A nan in a live place still
shows.

==========================================  ==========================================================================
an op                                       lets through
==========================================  ==========================================================================
`where`, `x[i]`, `maximum`, `max`, ...      what it selects
any other elementwise op                    the mask as it is
linear, with coefficients that are not < 0  its adjoint of the mask, where that is positive: any live result is enough
multilinear                                 the same, with ones for the other arguments
any other op                                everything: it is live again, if anything of the result is
==========================================  ==========================================================================
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy import ndarray

from .data import NoNumbersError, as_constant, dtype_of, is_foreign, is_weak, shape_of
from .op import ONE, Op
from .ops.indexing import where
from .ops.linear import identity, in_dtype_of, sum_to
from .ops.several import Parts, picked
from .recording import always_recording, told_of_steps
from .trees import flatten
from .value import FAST, Value, leaf, plain

Mask = Any
"""A plain array of bools of the gradient's shape; None if everything is live."""


def pull_back_exactly(
    start: dict[Value, Any],
    *,
    oldest: int = 0,
    record: bool = False,
    keep: bool = False,
    live: Mask = None,
    ends: frozenset[Value] = frozenset(),
) -> dict[Value, Any]:
    """As `pull_back`, with masks.

    Parameters
    ----------
    start, oldest, keep
        As there.
    record
        Feed the rules with the Values themselves, so that the gradient has a graph of its own.
    live
        The mask of the gradients to begin with.
    ends
        Variables that count as leaves although they have inputs: those of a derivative within another.
    """
    found = pull_back_masked(start, oldest=oldest, record=record, keep=keep, live=live, ends=ends)
    return {x: total for x, (total, _) in found.items()}


def pull_back_masked(
    start: dict[Value, Any],
    *,
    oldest: int = 0,
    record: bool = False,
    keep: bool = False,
    live: Mask = None,
    ends: frozenset[Value] = frozenset(),
    watch: Callable[..., None] | None = None,
) -> dict[Value, tuple[Any, Mask]]:
    """As `pull_back_exactly`, each gradient with its mask; `watch(node, g, x, c, total)` is told of every step."""
    watch = watch or told_of_steps()
    adjoint: dict[Value, tuple[Any, Mask]] = {x: (g, live) for x, g in start.items()}
    waiting = [(-x.stamp, x) for x in start if x.op is not None and x not in ends]
    heapify(waiting)
    while waiting:
        node = heappop(waiting)[1]
        g, live = adjoint.pop(node)
        if keep:
            node.grad = g
        for x, c, mask in passed_on(node, g, live, oldest, record):
            if x in adjoint:
                adjoint[x] = added(adjoint[x], (c, mask))
            else:
                inner = x.op is not None and x not in ends
                adjoint[x] = (c if inner or c is not g or type(c) is not ndarray else c.copy()), mask
                if inner:
                    heappush(waiting, (-x.stamp, x))
            if watch is not None:
                watch(node, g, x, c, adjoint[x][0])
    return adjoint


def added(a: tuple[Any, Mask], b: tuple[Any, Mask]) -> tuple[Any, Mask]:
    """Two parts of a gradient together: live is what is live in either."""
    return a[0] + b[0], None if a[1] is None or b[1] is None else a[1] | b[1]


def passed_on(node: Value, g: Any, live: Mask, oldest: int, record: bool) -> list[tuple[Value, Any, Mask]]:
    """What an operation passes on: the inputs that are variables, each with its gradient and the mask of that."""
    op, inputs = node.op, node.inputs
    data = [plain(x) for x in inputs]
    out, args = (node, inputs) if record else (node._held, data)
    found = []
    if type(g) is Parts:
        out = picked(node) if record else node._held
        g = g.filled(out) if op.joint is not None and op.within is None else g.parts
    pairs: Any = None  # of an op whose rule is one for all arguments: each gradient, and its mask if it knows it
    if op.within is not None:
        pairs = op.within(g, live, out, *args)
    elif op.joint is not None:
        try:
            pairs = [c if c is None else (c, None) for c in followed(op.joint, (g, out, *args))]
        except TypeError as error:
            if not record:
                raise
            raise TypeError(
                f"a derivative of the pullback of {op.name} was asked for, and it calls what records nothing: write it "
                "in terms of NumPy's functions, or of other functions with rules of their own"
            ) from error
    for k, (x, rule) in enumerate(zip(inputs, op.each(inputs) if op.variadic else op.rules, strict=False)):
        if type(x) is not Value or x.stamp < oldest or (pairs[k] if pairs is not None else rule) is None:
            continue
        if x.stamp > node.stamp:
            raise changed(node, x)
        mask = passed_mask(op, x, k, rule, live, node._held, data)
        if pairs is not None:
            c, own = pairs[k]
            mask = own if mask is None else mask
        elif op.elementwise:
            try:
                c = g if rule is ONE else g * followed(rule, (out, *args))
            except ArithmeticError:
                c = at_a_pole(rule, g, out, *args)
            if mask is not None:
                c = where(mask, c, 0.0)
        else:
            c = followed(rule, (g, out, *args) if op.uses_out else (g, *args))
        c = fit(c, args[k])
        if mask is not None:
            if shape_of(mask) != x.shape:
                mask = np.greater(sum_to(mask * 1.0, x.shape), 0)
            if op.form in ("multilinear", "primitive"):  # a linear map of zeros is 0
                c = fit(where(mask, c, 0.0), args[k])
        found.append((x, c, mask))
    return found


def followed(rule: Any, args: tuple[Any, ...]) -> Any:
    """What a rule says; one that decides on numbers, where the compiler records and there are none, is one step."""
    try:
        return rule(*args)
    except NoNumbersError:
        return in_one_step(rule, args)


def in_one_step(rule: Any, args: tuple[Any, ...]) -> Any:
    """What a rule says as one operation, which the compiler records whole; its pullback runs the rule on Values, once
    there are numbers, and so is a step, too, to any order.
    """
    leaves, rebuild = flatten(list(args))
    pack: Any = None

    def forward(*data: Any) -> tuple[Any, ...]:
        nonlocal pack
        results, pack = flatten(rule(*rebuild(list(data))))
        return tuple(results)

    def pullback(g: Any, *data: Any) -> list[Any]:
        with always_recording():
            again = [renewed(x) if type(old) is Value else x for x, old in zip(data, leaves, strict=True)]
            results = forward(*again)
        ends = frozenset([x for x in again if type(x) is Value])
        record = any(type(x) is Value for x in (*g, *data))
        start: dict[Value, Any] = {}
        for y, part in zip(results, g, strict=True):
            if type(y) is Value:
                start[y] = start[y] + part if y in start else part
        found = pull_back_exactly(start, record=record, ends=ends)
        return [found.get(x, np.zeros(x.shape, x.dtype)) if type(x) is Value else None for x in again]

    def joint(g: Any, out: Any, *data: Any) -> Any:
        return followed(pullback, (g, *data))

    vars(forward)["step"] = rule, rebuild  # for who writes it down
    op = Op("step", "primitive", forward, (None,) * len(leaves), joint=joint, registered=False)
    found = picked(op.apply(*leaves))
    return pack(list(found))


def renewed(x: Any) -> Value:
    """A new variable in the place of one, or of its data. It follows from that, if derivatives are recorded, and yet is
    another: the function may reach the same Value from outside, and that part of its gradient goes its own way. And it
    is no leaf, before which masks are left out: what the function selects decides on derivatives before it.
    """
    found: Value = identity.apply(x if type(x) is Value else leaf(x))
    return found


def passed_mask(op: Op, x: Value, k: int, rule: Any, live: Mask, out: Any, data: list[Any]) -> Mask:
    """The mask of the gradient of x, argument k, from that of the result's."""
    if op.form == "linear" and op.gathers:
        if live is None and (not op.selects or x.op is None):  # there is no local derivative before a leaf
            return None
        weight = np.ones(shape_of(out)) if live is None else live * 1.0
        return np.greater(rule(weight, *data), 0)
    if op.selects:
        chosen = op.selected(k, out, *data)
        if live is not None and op.uses_out:  # a reduction: its rule carries the mask to the shape of the input
            live = np.greater(rule(live * 1.0, out, *data), 0)
        return chosen if live is None else live & chosen
    if live is None or op.elementwise:
        return live
    if op.form == "multilinear":
        ones = [np.ones(shape_of(x)) for x in data[: op.arity]]
        return np.greater(rule(live * 1.0, *ones, *data[op.arity :]), 0)
    if isinstance(live, (ndarray, np.bool_)) and not live.any() and type(x._held) is not tuple:
        return np.zeros(x.shape, bool)
    return None


def at_a_pole(rule: Any, g: Any, *args: Any) -> Any:
    """g times a local derivative of Python floats that Python refuses (1 / 0.0), as NumPy has it: inf or nan."""
    return g * rule(*[np.float64(x) if type(x) in FAST else x for x in args])


def fit(c: Any, x: Any) -> Any:
    """A gradient has its variable's shape and dtype: what was broadcast is summed, what was real is real again."""
    if type(c) is Parts:
        return c
    if type(c) is ndarray and type(x) is ndarray and c.dtype is x.dtype:
        return c if c.shape == x.shape else sum_to(c, x.shape)
    return in_dtype_of(c if shape_of(c) == shape_of(x) else sum_to(c, shape_of(x)), x)


def fitted(part: Any, y: Any, kind: str) -> Any:
    """A gradient or tangent that was given, with the shape and dtype of what it belongs to."""
    if type(part) is not Value:
        part = as_constant(part)
    if shape_of(part) != shape_of(y):
        raise ValueError(f"the {kind} has shape {shape_of(part)}, and what it belongs to has {shape_of(y)}")
    if dtype_of(part).kind == "c" != dtype_of(y).kind:
        raise TypeError(f"the {kind} is complex, and what it belongs to is real: take np.real of it")
    if type(part) is Value:
        return part
    if is_foreign(part):
        return part if dtype_of(part) == dtype_of(y) else part.astype(dtype_of(y))
    return float(part) if is_weak(plain(y)) else np.asarray(part).astype(dtype_of(y))[()]


def changed(node: Value, x: Value) -> RuntimeError:
    """The error for data that are no longer those that were recorded."""
    name = f" {x.name!r}" if x.name else ""
    return RuntimeError(
        f"the data of an input{name} of {node.op.name} changed after the operation was recorded, so its derivative "
        "would be wrong: call backward() before the update, or compute the loss again after it"
    )
