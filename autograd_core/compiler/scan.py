"""`scan`: a loop that carries a state along. Inside `jit` it is one loop of the program, however many steps it has.

So is its derivative. Write c for the state, x for what a step is given, w for what it takes from around it:

    cₖ₊₁, yₖ = step(cₖ, xₖ; w).

The loop keeps the states that its steps began with. On the way back a second loop goes from the last step to the
first: it computes each step once more, pulls the gradients of cₖ₊₁ and yₖ back to cₖ, xₖ and w, and sums those of w. In
forward mode a second loop pushes tangents on. Both are scans again, with derivatives of their own.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 12.1.
"""

import contextlib
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..apply import record
from ..data import dtype_of, shape_of
from ..exact import pull_back_exactly, renewed
from ..forward import push_forward, zeros
from ..graph import ancestors
from ..op import Op
from ..ops.several import picked
from ..trees import aligned, flatten
from ..value import Value, clock, leaf, plain
from .capture import OutsideValueError, capture, identifier, names_of
from .ir import Loop, Node, topological
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
        If a step changes the structure, a shape or a dtype of the state.
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
            return Differentiable(trace, step, carry, xs, n).recorded()
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


class ComplexResultError(Exception):
    """A step computes complex numbers, whose derivatives are not those of loops of real ones."""


class Differentiable:
    """A loop as one node of a recording, and as one operation of a graph, whose rules are loops again.

    Its inputs are the state, what steps are given, and the Values that they take from around the loop; its results are
    the last state, the outputs, and the states before each step. Derivatives are those of the real ones.
    """

    def __init__(self, trace: Trace, step: Callable[..., Any], carry: Any, xs: Any, n: int) -> None:
        self.step, self.carry, self.length = step, carry, n
        state, self.pack_state = flatten(carry)
        given, self.rebuild = flatten(xs)
        self.leaves = [*state, *given]
        self.states = len(state)
        self.moves = [is_real(x) for x in self.leaves]
        self.moving = sum(self.moves[: self.states])
        self.since = next(clock)
        data = self.pack_state([plain(x) for x in state]), self.rebuild([plain(x) for x in given])
        forward = functools.wraps(step, updated=())(lambda c, x: self.forward(c, x))
        end, outs = recorded(trace, forward, *data, n, None)
        self.results = [*flatten(end)[0], *outs]
        self.reals = [k for k, y in enumerate(self.results) if is_real(y)]

    def run(self, leaves: list[Any]) -> list[Any]:
        """A step: the arrays of the next state and of the output."""
        found = self.step(self.pack_state(leaves[: self.states]), self.rebuild(leaves[self.states :]))
        after, out = parted(found, self.carry)
        parts, self.pack = flatten(out)
        return [*after, *parts]

    def forward(self, c: Any, x: Any) -> Any:
        """A step that returns the state before it, too."""
        before = flatten(c)[0]
        leaves = zip((*before, *flatten(x)[0]), self.moves, strict=True)
        found = self.run([leaf(v) if moves else v for v, moves in leaves])
        if any(type(y) is Value and is_complex(y) for y in found):
            raise ComplexResultError
        self.outer = taken_from_outside(found, self.since)
        data = [plain(y) for y in found]
        self.constants = constants_of(data)
        return self.pack_state(data[: self.states]), [*data[self.states :], *before]

    def recorded(self) -> tuple[Any, Any]:
        """What the loop returns."""
        op = Op("scan", "primitive", self.step, (None,) * (len(self.leaves) + len(self.outer)), joint=self.pull_back,
                pushforward=self.push_forward, registered=False)  # fmt: skip
        node = record(op, tuple([self.results[k] for k in self.reals]), (*self.leaves, *self.outer))
        results = self.with_reals(picked(node))
        return self.pack_state(results[: self.states]), self.pack(results[self.states : -self.states or None])

    def with_reals(self, reals: Any) -> list[Any]:
        """All results, with others in the place of the real ones."""
        results = list(self.results)
        for k, y in zip(self.reals, reals, strict=True):
            results[k] = y
        return results

    def again(self, before: list[Any], x: list[Any]) -> tuple[list[Value], list[Any]]:
        """A step computed once more: its variables, and the real ones of the next state and of the output."""
        leaves = [renewed(v) if moves else v for v, moves in zip((*before, *x), self.moves, strict=True)]
        found = self.run(leaves)
        constants = constants_of([plain(y) for y in found])
        pairs = zip(constants, self.constants, strict=False)
        if len(constants) != len(self.constants) or not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
            raise RuntimeError(
                "scan: a step has other constants when it is run once more for its derivative. It must do the same "
                "whenever it is called: draw random numbers ahead of the loop, and give them to it among the xs"
            )
        return [v for v in leaves if type(v) is Value], [found[k] for k in self.reals if k < len(found)]

    def taken(self, out: Any, args: Any) -> tuple[list[Any], list[Any]]:
        """The states before each step, and what the steps are given."""
        before = self.with_reals(out)[len(self.results) - self.states :]
        return before, list(args[self.states : len(self.leaves)])

    def pull_back(self, g: Any, out: Any, *args: Any) -> list[Any]:
        """The gradients of the inputs: c̄ₖ, x̄ₖ and a part of w̄ from c̄ₖ₊₁ and ȳₖ, from the last step to the first."""
        before, given = self.taken(out, args)
        kept = len(g) - self.moving
        of_before = [] if all(type(x) is np.ndarray and not x.any() for x in g[kept:]) else g[kept:]
        further = any(type(x) is Value for x in (*g, *args))  # a derivative of this will be taken

        def step_back(sums: Any, at: Any) -> Any:
            variables, results = self.again(at["before"], at["x"])
            start: dict[Value, Any] = {}
            for y, part in zip(results, (*sums["gradient"], *at["of_out"]), strict=True):
                if type(y) is Value:
                    start[y] = start[y] + part if y in start else part
            ends = [*variables, *self.outer]
            found = pull_back_exactly(start, record=further, ends=frozenset(ends))
            pulled = [found[v] if v in found else zeros(v) for v in ends]
            gradient = pulled[: self.moving]
            if of_before:
                gradient = [a + b for a, b in zip(gradient, at["of_before"], strict=True)]
            total = [a + b for a, b in zip(sums["total"], pulled[len(variables) :], strict=True)]
            return {"gradient": gradient, "total": total}, pulled[self.moving : len(variables)]

        begin = {"gradient": list(g[: self.moving]), "total": [zeros(w) for w in args[len(self.leaves) :]]}
        parts = {"before": before, "x": given, "of_out": g[self.moving : kept], "of_before": of_before}
        backwards = {name: [x[::-1] for x in part] for name, part in parts.items()}
        sums, of_given = scan(step_back, begin, backwards, self.length)
        pulled = iter([*sums["gradient"], *[x[::-1] for x in of_given]])
        return [*[next(pulled) if moves else None for moves in self.moves], *sums["total"]]

    def push_forward(self, tangents: dict[int, Any], out: Any, *args: Any) -> tuple[Any, ...]:
        """The tangents of the results: ċₖ₊₁ and ẏₖ from ċₖ, ẋₖ and ẇ."""
        before, given = self.taken(out, args)
        each = [tangents[k] if k in tangents else zeros(x) for k, x in enumerate(args)]
        moving = [t for t, moves in zip(each, self.moves, strict=False) if moves]
        of_outer = each[len(self.leaves) :]
        further = any(type(x) is Value for x in (*each, *args))

        def step_on(ts: Any, at: Any) -> Any:
            before, x, of_x = at
            oldest = next(clock)
            variables, results = self.again(before, x)
            ends = zip((*variables, *self.outer), (*ts, *of_x, *of_outer), strict=True)
            pushed = push_forward(results, {v: (t, None) for v, t in ends}, oldest=oldest, record=further)
            return pushed[: self.moving], [*pushed[self.moving :], *ts]

        end, outs = scan(step_on, moving[: self.moving], (before, given, moving[self.moving :]), self.length)
        return (*end, *outs)


def constants_of(arrays: list[Any]) -> list[Any]:
    """The constants that traced arrays were computed from, those of loops as well."""
    found = []
    pending = [x.node for x in arrays if type(x) is Traced]
    while pending:
        nodes, pending = topological(pending), []
        found += [x.settings[0] for x in nodes if x.op == "constant"]
        pending = [y for x in nodes if x.op == "scan" for y in x.settings[0].body.outputs]
    return found


def is_real(x: Any) -> bool:
    return bool(dtype_of(x).kind == "f")


def is_complex(x: Any) -> bool:
    return bool(dtype_of(x).kind == "c")


def taken_from_outside(results: list[Any], since: int) -> list[Value]:
    """The Values of before that were taken to compute results from there on."""
    uses = [*results, *[x for node in ancestors(results, oldest=since) for x in node.inputs]]
    return list(dict.fromkeys(x for x in uses if type(x) is Value and x.stamp < since))


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
