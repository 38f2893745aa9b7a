"""`scan`: a loop that carries a state along. Inside `jit` it is one loop of the program, however many steps it has."""

import contextlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..trees import flatten
from ..value import Value, plain
from .capture import OutsideValueError
from .loop import check_state, parted, recorded, strong
from .loop_derivative import ComplexResultError, Differentiable, is_complex
from .traced import NUMBERS, Trace, Traced, recording


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
        Takes the state and one x, returns the next state, of the same structure, shapes and dtypes, and an output. It
        must do the same whenever it is called: random numbers are among the xs.
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
    The last state, and all outputs, stacked along a new first axis. Inside of `jit` the loop is one of the program, and
    a derivative of it two. Outside, with complex numbers, and where a derivative is taken with a `count`, its steps run
    one by one.

    Raises
    ------
    ValueError
        If the number of steps is not known, if xs differ in length, or if `count` is not from 0 to that number. (From a
        compiled function that is an IndexError.)
    TypeError
        If a step changes the structure, a shape or a dtype of the state; or if inside of `jit` a `count` is an argument
        where a derivative is taken, or with complex numbers.
    RuntimeError
        If a derivative is taken inside of `jit`, and a step has other constants when it is run once more.

    >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    """
    leaves, rebuild = flatten(xs)
    n = steps_of(leaves, length)
    given = [*flatten(carry)[0], *leaves]
    trace = None if any(is_complex(x) for x in given) else recording.trace
    if trace is not None and not any(type(x) is Value for x in given):
        with contextlib.suppress(OutsideValueError):  # a derivative is taken with respect to what a step closes over
            return recorded(trace, step, carry, xs, n, count)
    if trace is not None and count is None:
        with contextlib.suppress(ComplexResultError):
            return Differentiable(scan, trace, step, carry, xs, n).recorded()
    if type(count) is Traced:
        raise TypeError(
            "scan: of complex numbers, and where a derivative is taken, count= is known while jit records: make it "
            "static, jit(f, static_argnums=(1,)), or let each step choose, np.where(k < count, after, before)"
        )
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


def each(function: Callable[[Any], Any], xs: Any) -> Any:
    """function(x) for each x along the first axis of xs, stacked: so a Jacobian has its columns while `jit` records."""
    return scan(lambda _, x: (None, function(x)), None, xs)[1]


Trace.each = staticmethod(each)
