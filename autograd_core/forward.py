"""Forward mode: one loop that pushes tangents from the variables of a graph to its results.

Write ẋ for the tangent of x. The chain rule says  ẏ = Σₖ ∂y/∂xₖ · ẋₖ,  and no op needs a rule of its own for it: the
form of its declaration says what to do (see the table in `op.py`). Of a primitive op the pullback p(g) = Jᵀ g is known.
It is linear in g, and so its own pullback is what is wanted: J ẋ is the gradient of ⟨p(g), ẋ⟩ with respect to g.

Masks of live elements go along as in `exact.py`, so that a tangent that is zero by construction (a unit vector's) stays
an exact zero where a local derivative is inf.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 3.1.
"""

import functools
from typing import Any

import numpy as np

from .data import dtype_of, is_weak, shape_of
from .exact import Mask, at_a_pole, changed, followed, pull_back_exactly
from .graph import ancestors
from .op import ONE, Op
from .ops.indexing import where
from .ops.linear import broadcast_to, in_dtype_of
from .ops.several import picked
from .recording import always_recording
from .value import Value, leaf, plain

Tangent = tuple[Any, Mask]


def push_forward(results: list[Any], tangents: dict[Value, Tangent], *, oldest: int, record: bool = False) -> list[Any]:
    """The tangents of results, given those of variables; zeros for a result that depends on none of them.

    Parameters
    ----------
    tangents
        For each variable its tangent, and the mask of what is live in it, or None.
    oldest, record
        As for `pull_back`.
    """
    known = dict(tangents)
    for node in operations(results, oldest, known):
        uses = [(k, known[x]) for k, x in enumerate(node.inputs) if type(x) is Value and x in known]
        if uses:
            known[node] = pushed(node, uses, record)
    return [known[y][0] if type(y) is Value and y in known else zeros(y) for y in results]


def operations(results: list[Any], oldest: int, ends: dict[Value, Any]) -> list[Value]:
    """The operations that lead from the variables to results, inputs before results."""
    found = [x for x in ancestors(results, oldest=oldest, ends=ends) if x.op is not None]
    for node in found:
        for x in node.inputs:
            if type(x) is Value and x.stamp > node.stamp:
                raise changed(node, x)
    return sorted(found, key=lambda x: x.stamp)


def zeros(x: Any) -> Any:
    """The tangent or gradient of what does not depend."""
    data = plain(x)
    return 0.0 if is_weak(data) or isinstance(data, int) else np.zeros(shape_of(data), dtype_of(data))[()]


def pushed(node: Value, uses: list[tuple[int, Tangent]], record: bool) -> Tangent:
    """The tangent of an operation's result, from those of the inputs that have one."""
    op = node.op
    data = [plain(x) for x in node.inputs]
    out, args = (node, list(node.inputs)) if record else (node._held, data)
    if op.form == "elementwise":
        t, live = pushed_elementwise(op, uses, out, args, node._held, data)
    elif op.form == "linear":
        t = op.apply(*joined(op, {k: t for k, (t, _) in uses}, args, data))
        live = None
        if op.gathers and all(mask is not None for _, (_, mask) in uses):
            live = np.greater(op.apply(*joined(op, {k: mask * 1.0 for k, (_, mask) in uses}, data, data)), 0)
    elif op.form == "multilinear":
        t = total([op.apply(*args[:k], t, *args[k + 1 :]) for k, (t, _) in uses])
        live = None
    elif op.selects:
        chosen = [(k, (where(op.selected(k, node._held, *data), t, 0.0), None)) for k, (t, _) in uses]
        t, live = transposed(node, chosen, args, record), None
    elif op.pushforward is not None:
        tangents = {k: t for k, (t, _) in uses}
        several = picked(node) if record and type(node._held) is tuple else out
        t, live = followed(op.pushforward, (tangents, several, *args)), None
    else:
        t, live = transposed(node, uses, args, record), None
    return (t if type(node._held) is tuple else shaped(t, node)), live


def pushed_elementwise(op: Op, uses: Any, out: Any, args: list[Any], out_data: Any, data: list[Any]) -> Tangent:
    """ẏ = Σₖ ∂y/∂xₖ · ẋₖ, element by element."""
    parts, masks = [], []
    for k, (t, live) in uses:
        rule = op.rules[k]
        try:
            c = t if rule is ONE else followed(rule, (out, *args)) * t
        except ArithmeticError:
            c = at_a_pole(rule, t, out, *args)
        if op.selects:
            chosen = op.selected(k, out_data, *data)
            live = chosen if live is None else live & chosen
        if live is not None:
            c = where(live, c, 0.0)
            live = np.broadcast_to(live, shape_of(out))
        parts.append(c)
        masks.append(live)
    if any(mask is None for mask in masks):
        return total(parts), None
    return total(parts), functools.reduce(np.logical_or, masks)


def joined(op: Op, tangents: dict[int, Any], args: list[Any], data: list[Any]) -> list[Any]:
    """The arguments of a linear op on tangents: zeros for arrays without one; settings and conditions as they are."""
    rules = op.each(tuple(args)) if op.variadic else op.rules
    found = list(args)
    for k, rule in enumerate(rules):
        if rule is not None:
            found[k] = tangents[k] if k in tangents else np.zeros(shape_of(data[k]), dtype_of(data[k]))
    return found


def transposed(node: Value, uses: list[tuple[int, Tangent]], args: list[Any], record: bool) -> Any:
    """J ẋ from the pullback p(g) = Jᵀ g: the gradient of ⟨p(g), ẋ⟩ with respect to g, at any g."""
    op, several = node.op, type(node._held) is tuple
    with always_recording():
        gs = [leaf(np.zeros(shape_of(y), dtype_of(y))[()]) for y in (node._held if several else [node._held])]
        if not record:
            out: Any = node._held
        else:
            out = picked(node) if several else node
        g = gs if several else gs[0]
        if op.joint is not None:
            try:
                pulled = followed(op.joint, (g, out, *args))
            except TypeError as error:
                raise TypeError(
                    f"forward mode of {op.name} cannot be had from its pullback, which calls what records nothing: "
                    "declare it with pushforward= as well"
                ) from error
        else:
            rules = op.each(tuple(args)) if op.variadic else op.rules
            pulled = [rule if rule is None else followed(rule, (g, out, *args)) for rule in rules]
    sums: list[Any] = [y._held for y in gs]
    for k, (t, _) in uses:
        p = pulled[k]
        if type(p) is Value:
            found = pull_back_exactly({p: shaped(t, p)}, oldest=gs[0].stamp, record=record)
            sums = [total([s, found[y]]) if y in found else s for s, y in zip(sums, gs, strict=True)]
    return tuple(sums) if several else sums[0]


def total(parts: list[Any]) -> Any:
    """The sum of some terms."""
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def shaped(t: Any, y: Value) -> Any:
    """A tangent has its result's shape and dtype."""
    return in_dtype_of(t if shape_of(t) == y.shape else broadcast_to.apply(t, y.shape), y)
