"""A loop as one node of a recording: its step is a program of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..trees import aligned, flatten
from .capture import capture, identifier, names_of
from .ir import Loop, Node
from .lowering import cast_node
from .traced import Trace, Traced, item_of


def recorded(trace: Trace, step: Callable[..., Any], carry: Any, xs: Any, n: int, count: Any) -> tuple[Any, Any]:
    """The loop as one node of a recording."""
    state, pack_state = flatten(carry)
    given, rebuild = flatten(xs)
    start = [trace.wrap(trace.node(x), strong(x)) for x in state]
    arrays = [trace.wrap(trace.node(x), strong(x)) for x in given]
    first = [np.asarray(x.value)[0] if n else np.zeros(x.shape[1:], x.dtype)[()] for x in arrays]
    names = [*names_of(carry, "carry"), *names_of(xs, "x")]
    inner, body = capture(step, [pack_state([x.value for x in start]), rebuild(list(first))], names, trace)
    places, out = parted(body.pack(list(range(len(body.kinds)))), carry)
    carries = len(state)
    body.program.outputs[:carries] = [body.program.outputs[k] for k in places]
    check_state(start, body.program.outputs[:carries])
    outer = [own.node for own in (trace.own(Traced(trace, x, None)) for x in inner.lifted)]
    lifted = [identifier(x.label.name) if x.label else f"outer_{k}" for k, x in enumerate(outer)]
    if count is not None and dtype_of(count).kind not in "iub":
        raise TypeError(f"scan: count= is an integer, and it is {dtype_of(count)}")
    counted = [] if count is None else [cast_node(trace.node(count), np.int64)]
    title = getattr(step, "__name__", "step").replace("<lambda>", "step")
    loop = Loop(body.program, carries, len(arrays), n, [*names, *lifted], title, bool(counted))
    whole = Node("scan", [*[x.node for x in (*start, *arrays)], *outer, *counted], (loop,), shape=(), dtype=object)
    results = []
    states = [inner.results[k] for k in places] if n else start
    for k, example in enumerate([*states, *inner.results[carries:]]):  # of the loop's last step those of its first
        value = strong(example) if k < carries else np.array(np.broadcast_to(strong(example), (n, *shape_of(example))))
        results.append(trace.wrap(item_of(whole, k, value), value))
    return pack_state(results[:carries]), flatten(out)[1](results[carries:])


def strong(x: Any) -> Any:
    """The numbers of an example, a Python float as NumPy's."""
    value = np.asarray(x.value if type(x) is Traced else x)
    return value if value.ndim else value[()]


def parted(found: Any, carry: Any) -> tuple[list[Any], Any]:
    """What a step returned: the arrays of the next state, in the order of the state's before, and the output."""
    if not isinstance(found, tuple) or len(found) != 2:
        raise TypeError(f"scan: a step returns a pair, the next state and an output, not a {type(found).__name__}")
    try:
        state = aligned(found[0], like=carry)
        rebuild = flatten(carry)[1]
        if len(flatten(rebuild(state))[0]) != len(state):
            raise TypeError("more than one array in the place of one")
    except TypeError as error:
        raise TypeError(f"scan: a state keeps its structure; a step returned {error}") from None
    return state, found[1]


def check_state(before: list[Any], after: list[Any]) -> None:
    for k, (x, y) in enumerate(zip(before, after, strict=True)):
        if shape_of(x) != shape_of(y) or dtype_of(x) != dtype_of(y):
            raise TypeError(
                f"scan: array {k} of the state goes into a step as {dtype_of(x)} {shape_of(x)} and comes out as "
                f"{dtype_of(y)} {shape_of(y)}: a state keeps its shapes and dtypes; begin with those that it ends with"
            )
