"""`scan`: a loop that carries a state along. Inside `jit` it is one loop of the program, however many steps it has."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..trees import aligned, flatten
from ..value import Value, plain
from .capture import OutsideValueError, capture, names_of
from .ir import Loop, Node
from .lowering import cast_node
from .traced import NUMBERS, Trace, Traced, item_of, recording


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    count: Any = None,
) -> tuple[Any, Any]:
    """A loop that carries a state: `carry, out = step(carry, x)` for each x of xs; JAX's convention.

    Parameters
    ----------
    step
        Takes the state and one x, returns the next state, of the same structure, shapes and dtypes, and an output.
    carry
        The state to begin with: arrays and containers.
    xs
        Arrays and containers of them, which are taken apart along their first axis; None for a step without an x.
    length
        How many steps; it may be left out if there are xs.
    count
        To take only so many of the steps: an integer, also one that is an argument of a compiled function, which then
        serves any number of steps up to the length. The outputs of the others are zeros.

    Returns
    -------
    The last state, and all outputs, stacked along a new first axis. Outside of `jit`, and where a derivative is taken
    through it, this is a plain loop.

    Raises
    ------
    ValueError
        If the number of steps is not known, if xs differ in length, or if `count` is not from 0 to that number. (From a
        compiled function that is an IndexError.)
    TypeError
        If a step changes the structure, a shape or a dtype of the state.

    >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    """
    leaves, rebuild = flatten(xs)
    n = steps_of(leaves, length)
    trace = recording.trace
    if trace is not None and not any(type(x) is Value for x in (*leaves, *flatten(carry)[0])):
        try:
            return recorded(trace, step, carry, xs, n, count)
        except OutsideValueError:
            pass  # a derivative is being taken through the loop: its steps are recorded one by one
    taken = n if count is None else operator.index(count)
    if not 0 <= taken <= n:
        raise ValueError(f"scan: count={taken} of {n} steps")
    state, pack_state = flatten(carry)
    state = [strong(x) if isinstance(x, NUMBERS) else x for x in state]
    outs = []
    for k in range(max(taken, 1)):  # of no step its outputs count, which are as many zeros as there are steps
        x = [x[k] if n else np.zeros(shape_of(x)[1:], dtype_of(x))[()] for x in leaves]
        after, out = parted(step(pack_state(state), rebuild(x)), carry)
        check_state(state, after)
        parts, pack = flatten(out)
        outs.append(parts)
        state = after if taken else state
    stacked = [np.stack(parts)[:taken] for parts in zip(*outs, strict=True)]
    if taken < n:
        stacked = [np.concatenate([y, np.zeros((n - taken, *y.shape[1:]), y.dtype)]) for y in stacked]
    return pack_state(state), pack(stacked)


def steps_of(leaves: list[Any], length: int | None) -> int:
    """The number of steps."""
    for x in leaves:
        if not np.ndim(plain(x)) if not isinstance(x, Traced) else not x.ndim:
            raise ValueError("scan: xs are arrays, taken apart along their first axis; one of them is a number")
    counts = {len(x) for x in leaves} | ({operator.index(length)} if length is not None else set())
    if min(counts, default=0) < 0:
        raise ValueError(f"scan: length={length}; a loop has no steps, or some")
    if len(counts) != 1:
        found = ", ".join(map(str, sorted(counts))) or "none"
        raise ValueError(f"scan: xs and length= must give one number of steps; they give {found}")
    return counts.pop()


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
    lifted = [f"{name}" for name in (f"outer_{k}" for k in range(len(outer)))]
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
