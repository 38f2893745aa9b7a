"""The derivative of a loop is a loop: what `scan` is in a graph that is recorded inside of `jit`.

Write c for the state, x for what a step is given, w for what it takes from around it:

    cₖ₊₁, yₖ = step(cₖ, xₖ; w).

The loop keeps the states that its steps began with. On the way back a second loop goes from the last step to the
first: it computes each step once more, pulls the gradients of cₖ₊₁ and yₖ back to cₖ, xₖ and w, and sums those of w. In
forward mode a second loop pushes tangents on. Both are scans again, with derivatives of their own.

Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 12.1.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..apply import record
from ..data import dtype_of
from ..exact import pull_back_exactly, renewed
from ..forward import push_forward, zeros
from ..graph import ancestors
from ..op import Op
from ..ops.several import picked
from ..trees import flatten
from ..value import Value, clock, leaf, plain
from .ir import topological
from .loop import parted, recorded
from .traced import Trace, Traced


class ComplexResultError(Exception):
    """A step computes complex numbers, whose derivatives are not those of loops of real ones."""


class Differentiable:
    """A loop as one node of a recording, and as one operation of a graph, whose rules are loops again.

    Its inputs are the state, what steps are given, and the Values that they take from around the loop; its results are
    the last state, the outputs, and the states before each step. Derivatives are those of the real ones.
    """

    def __init__(self, scan: Any, trace: Trace, step: Callable[..., Any], carry: Any, xs: Any, n: int) -> None:
        self.scan, self.step, self.carry, self.length = scan, step, carry, n
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
        pairs = zip((*before, *flatten(x)[0]), self.moves, strict=True)
        leaves = [leaf(v) if moves else v for v, moves in pairs]
        found = self.run(leaves)
        if any(type(y) is Value and is_complex(y) for y in found):
            raise ComplexResultError
        self.outer = taken_from_outside(found, self.since)
        data = [plain(y) for y in found]
        self.constants = constants_of(data)
        states = [v for v in leaves if type(v) is Value][: self.moving]
        behind = [ancestors([y]) for y in found if is_real(y)]
        self.depends = [{k for k, v in enumerate(states) if v in known} for known in behind]
        """The real states that each real result of a step depends on."""
        return self.pack_state(data[: self.states]), [*data[self.states :], *before]

    def recorded(self) -> tuple[Any, Any]:
        """What the loop returns."""
        op = Op("scan", "primitive", self.step, (None,) * (len(self.leaves) + len(self.outer)), within=self.pull_back,
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

    def pull_back(self, g: list[Any], live: Any, out: Any, *args: Any) -> list[Any]:
        """The gradients of the inputs: c̄ₖ, x̄ₖ and a part of w̄ from c̄ₖ₊₁ and ȳₖ, from the last step to the first. A
        result that nothing came back from has None, and so have the states that matter for such results only."""
        before, given = self.taken(out, args)
        states, outputs, kept = self.with_gradient(g)
        further = any(type(x) is Value for x in (*g, *args))  # a derivative of this will be taken

        def step_back(sums: Any, at: Any) -> Any:
            variables, results = self.again(at["before"], at["x"])
            start: dict[Value, Any] = {}
            for k, part in zip((*states, *outputs), (*sums["gradient"], *at["of_out"]), strict=True):
                if type(y := results[k]) is Value:
                    start[y] = start[y] + part if y in start else part
            ends = [*variables, *self.outer]
            found = pull_back_exactly(start, record=further, ends=frozenset(ends))
            pulled = [found[v] if v in found else zeros(v) for v in ends]
            gradient = [pulled[k] for k in states]
            for k, part in zip(kept, at["of_before"], strict=True):
                gradient[states.index(k)] = gradient[states.index(k)] + part
            total = [a + b for a, b in zip(sums["total"], pulled[len(variables) :], strict=True)]
            return {"gradient": gradient, "total": total}, pulled[self.moving : len(variables)]

        begin = {"gradient": [zeros(out[k]) if g[k] is None else g[k] for k in states],
                 "total": [zeros(w) for w in args[len(self.leaves) :]]}  # fmt: skip
        of_before = [g[len(g) - self.moving + k] for k in kept]
        parts = {"before": before, "x": given, "of_out": [g[k] for k in outputs], "of_before": of_before}
        backwards = {name: [x[::-1] for x in part] for name, part in parts.items()}
        sums, of_given = self.scan(step_back, begin, backwards, self.length)
        of_states = dict(zip(states, sums["gradient"], strict=True))
        found = iter([*[of_states.get(k) for k in range(self.moving)], *[x[::-1] for x in of_given]])
        gradients = [*[next(found) if moves else None for moves in self.moves], *sums["total"]]
        return [None if c is None else (c, None) for c in gradients]

    def with_gradient(self, g: list[Any]) -> tuple[list[int], list[int], list[int]]:
        """The states that have a gradient, at some step; the outputs that have; and the states whose values before each
        step have one of their own. All by their numbers among the real results."""
        last = len(g) - self.moving
        outputs = [k for k in range(self.moving, last) if g[k] is not None]
        kept = [k for k in range(self.moving) if g[last + k] is not None]
        states = {k for k in range(self.moving) if g[k] is not None} | set(kept)
        while more := {k for y in (*states, *outputs) for k in self.depends[y]} - states:
            states |= more
        return sorted(states), outputs, kept

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

        end, outs = self.scan(step_on, moving[: self.moving], (before, given, moving[self.moving :]), self.length)
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
