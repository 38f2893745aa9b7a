"""Steps as compiled programs: each is recorded from the very code that runs uncompiled, and kept in the process."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd_core import holding, stop_gradient

from .checks import unknown
from .clip import shrinking
from .state import State, UnfitError
from .step import passes
from .tape import Draw, playing

KEPT = 32
"""How many programs are kept: those that were used last."""


class Program:
    """Many steps of one kind in one call: `state, data, xs, count -> state, met`.

    The xs are, for each step, the samples of its batches, the numbers that it is made of, and what its layers draw.
    """

    def __init__(self) -> None:
        from autograd_core import jit, scan  # the compiler is loaded by who uses it

        self.lock = threading.Lock()
        recorded = self.recorded = SimpleNamespace(step=None)

        def steps(state: Any, data: Any, xs: Any, count: Any) -> Any:
            return scan(lambda state, x: recorded.step(state, data, x), state, xs, count=count)

        self.run = jit(steps, backend="llvm")

    def prepare(self, step: Callable[..., Any], args: Any) -> None:
        """Record the step and compile it for such arguments, if that has not been done."""
        with self.lock:
            self.recorded.step = step
            try:
                self.run.program(*args)
            finally:
                self.recorded.step = None


class Programs:
    """The programs of this process, by what the step is; see `structure`."""

    def __init__(self) -> None:
        self.found: OrderedDict[Any, Program] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Any) -> Program:
        """The program of a key, a new one if there is none."""
        with self.lock:
            program = self.found.setdefault(key, Program())
            self.found.move_to_end(key)
            while len(self.found) > KEPT:
                self.found.popitem(last=False)
            return program

    def drop(self, key: Any) -> None:
        """Forget a program; its machine code is freed with it."""
        with self.lock:
            self.found.pop(key, None)


PROGRAMS = Programs()


def step_of(state: State, static: list[Any], notes: list[Draw]) -> Callable[..., Any]:
    """A step as a function of arrays, to be recorded.

    Parameters
    ----------
    static
        Of each group of the optimizer, what its steps are made of, with a `float` in the place of every number.
    notes
        What the layers draw.
    """
    run, optimizer = state.run, state.run.optimizer
    place_of = {id(p): k for k, p in enumerate(state.leaves)}
    places = [place_of[id(p)] for p in optimizer.parameters]
    groups = [k for k, members in enumerate(optimizer.members) for _ in members]

    def step(arrays: Any, data: Any, x: Any) -> Any:
        leaves, memories, buffers = arrays
        rows, numbers, drawn = x
        with holding(state.leaves, leaves), standing(state, buffers) as slots, playing(run.model, notes, drawn):
            met = []
            for batch in passes(run, [tuple([array[k] for array in data]) for k in rows]):
                if unknown(batch.cost, place_of) is not None:
                    raise UnfitError(
                        "it uses a variable that is neither the model's nor the optimizer's: make it plain data"
                    )  # which would be left with gradients of the recording
                metrics = batch.metrics(run)
                if any(isinstance(metric, (bool, int, float, np.generic)) for metric in metrics):
                    raise UnfitError("one of its metrics is a plain number while the step is recorded")
                met.append((stop_gradient(batch.cost), batch.weight, metrics))
            grads = [p.grad for p in optimizer.parameters]
            after = slots()
        squares = [0.0 if g is None else np.sum(g * g) for g in grads]
        new_leaves, new_memories, parts = list(leaves), [dict(memory) for memory in memories], filled(static, numbers)
        factor = None if run.clip_norm is None else shrinking(np.sqrt(sum(squares)), run.clip_norm)
        for k, (place, group, g) in enumerate(zip(places, groups, grads, strict=True)):
            if g is None:
                continue
            p = leaves[place]
            if factor is not None:
                g = (g * factor).astype(p.dtype)
            made_of = tuple([y.astype(p.dtype) if hasattr(y, "astype") else y for y in parts[group]])
            new_leaves[place] = optimizer.update(p, g, new_memories[k], made_of)
        return (new_leaves, new_memories, after), (met, squares)

    return step


def filled(static: list[Any], numbers: Any) -> list[list[Any]]:
    """What the steps of each group are made of, with the numbers of one step, which are a vector."""
    count = iter(range(numbers.shape[0]))
    return [[numbers[next(count)] if item is float else item for item in group] for group in static]


@contextmanager
def standing(state: State, arrays: list[Any]) -> Iterator[Callable[[], list[Any]]]:
    """Other arrays in a state's slots for a while; gives a function that says what stands there now."""
    before = state.buffers()
    try:
        put(state, arrays)
        yield state.buffers
    finally:
        put(state, before)


def put(state: State, arrays: list[Any]) -> None:
    """Arrays into the slots of a state."""
    for (holder, place), array in zip(state.slots, arrays, strict=True):
        holder[place] = array
