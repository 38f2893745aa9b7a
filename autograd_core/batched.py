"""Forward mode for many tangents at once: what makes Jacobians and Hessians of small arrays cheap.

A pass of forward mode costs some microseconds an operation, however small the arrays. So the tangents of n directions
go through a graph together, as one array with an axis of length n in front. A partial multiplies all of them at once by
broadcasting; a linear op says with `batched` how it acts on what stands behind the first axis; and what does neither is
asked n times, once for each direction, as `push_forward` would ask it.

There are no masks. A zero of a unit vector that met a local derivative of inf shows as nan, and who asked then goes
through the directions one by one, which is exact; as it does where an op returns several arrays.
"""

from typing import Any

import numpy as np

from .data import dtype_of, shape_of
from .forward import operations, pushed, total
from .op import ONE
from .ops.linear import in_dtype
from .value import Value, plain

MOST = 2**19
"""How many numbers the largest array of tangents may have: more do not fit in a processor's cache."""


def push_together(results: list[Any], variable: Value, tangents: Any, *, oldest: int) -> list[Any] | None:
    """The tangents of results for many tangents of one variable, each with these on its first axis; None if an op on
    the way returns several arrays.
    """
    known = {variable: tangents}
    order = operations(results, oldest, known)
    if any(type(x._held) is tuple for x in order):
        return None
    largest = max([x.size for x in (*order, variable)], default=1)
    step = max(1, MOST // max(1, largest))
    if len(tangents) > step:
        pieces = [
            push_together(results, variable, tangents[k : k + step], oldest=oldest)
            for k in range(0, len(tangents), step)
        ]
        return [np.concatenate(parts) for parts in zip(*filter(None, pieces), strict=True)]
    for node in order:
        uses = [(k, known[x]) for k, x in enumerate(node.inputs) if type(x) is Value and x in known]
        if uses:
            t = ahead(pushed_together(node, uses), len(node.shape))
            known[node] = in_dtype(np.broadcast_to(t, (len(tangents), *node.shape)), node.dtype)
    return [
        known[y] if type(y) is Value and y in known else np.zeros((len(tangents), *shape_of(y)), dtype_of(y))
        for y in results
    ]


def go_together(results: list[Any], variables: list[Value]) -> bool:
    """Whether no op between these variables and results is to be asked for one direction at a time."""
    return all(v.shape for v in variables) and all(
        x.op.form == "elementwise" or (x.op.batched is not None and type(x._held) is not tuple)
        for x in operations(results, variables[0].stamp, dict.fromkeys(variables))
    )


def pushed_together(node: Value, uses: list[tuple[int, Any]]) -> Any:
    """The tangents of an operation's result, from those of its inputs."""
    op = node.op
    data = [plain(x) for x in node.inputs]
    if op.form == "elementwise":
        aligned = [(op.rules[k], ahead(t, len(node.shape))) for k, t in uses]
        return total([t if rule is ONE else rule(node._held, *data) * t for rule, t in aligned])
    if op.batched is not None:
        if op.form == "linear":
            return op.batched(uses[0][1], *data[op.arity :])
        return total([ahead(op.batched(k, t, *data), len(node.shape)) for k, t in uses])
    count = len(uses[0][1])
    return np.stack([pushed(node, [(k, (t[i], None)) for k, t in uses], False)[0] for i in range(count)])


def ahead(t: Any, ndim: int) -> Any:
    """Tangents whose first axis stands before all others of an array of so many axes that they are broadcast with."""
    return t.reshape(len(t), *(1,) * (ndim + 1 - t.ndim), *t.shape[1:])
