"""A kind of step that is compiled, and all that the next steps of it are made of: samples, numbers and random draws."""

from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from .aliases import Array
from .feed import Key
from .recorded import Program
from .state import State, UnfitError
from .tape import Draw

CAPACITY, NUMBERS = 4096, 1 << 20
"""How many steps a program takes at most, and how many numbers may be drawn, or samples named, for a call."""


class Found(NamedTuple):
    """What a program computed."""

    steps: int
    """How many it took."""
    state: Any
    costs: Array
    """Of each step and batch; and so are the weights, and each of the metrics."""
    weights: Array
    metrics: list[Array]
    squares: Array
    """The squared norm of the gradient of each parameter, of each step."""

    def first_bad(self) -> int | None:
        """The first step whose loss or gradient is not finite, if there is one."""
        good = np.isfinite(self.costs).all(axis=1) & np.isfinite(self.squares.sum(axis=1))
        return None if good.all() else int(good.argmin())


NOTHING = Found(0, None, np.zeros((0, 1)), np.zeros((0, 1)), [], np.zeros((0, 1)))
"""What is computed of steps that raise an error."""


class Kind:
    """A kind of step: of batches of certain sizes, made of certain numbers; `static` has `float` in their places."""

    def __init__(self, program: Program, sizes: tuple[int, ...], static: list[Any], notes: list[Draw]) -> None:
        self.program = program
        self.sizes = sizes
        self.static = static
        self.notes = notes
        self.limit = 1
        """How many steps the next call takes at most."""
        room = sum(sizes) + sum(int(np.prod(draw.shape)) for draw in notes)
        self.capacity = max(1, min(CAPACITY, NUMBERS // room))
        self.rows = [np.zeros((self.capacity, size), np.int64) for size in sizes]
        self.numbers = np.zeros((self.capacity, sum(item is float for group in static for item in group)))
        self.drawn = [np.zeros((self.capacity, *draw.shape), draw.dtype) for draw in notes]

    @property
    def xs(self) -> Any:
        """What the program takes of each step."""
        return self.rows, self.numbers, self.drawn

    def computed(self, state: State, data: list[Array], chunk: list[list[Key]]) -> Found:
        """What the next steps compute, on the samples of a chunk; nothing changes but the plan."""
        count = self.plan(state.run, chunk)
        new, (met, squares) = self.program.run(state.arrays(), data, self.xs, count)
        costs, weights = (np.stack([batch[k] for batch in met], axis=1)[:count].astype(float) for k in (0, 1))
        metrics = [np.stack(columns, axis=1)[:count] for columns in zip(*[batch[2] for batch in met], strict=True)]
        return Found(count, new, costs, weights, metrics, np.stack(squares, axis=1)[:count])

    def plan(self, run: Any, chunk: list[list[Key]]) -> int:
        """Write down what the steps are made of; returns for how many, for as long as they are of this kind."""
        by_step = [schedule for schedule in run.schedules if schedule.interval == "step"]
        count = len(chunk)
        for array, rows in zip(self.rows, zip(*chunk, strict=True), strict=True):
            array[:count] = rows
        if by_step:
            for k in range(count):
                static, numbers = made_of(run.optimizer, k)
                if static != self.static:
                    return k
                self.numbers[k] = numbers
                self.draw(k)
                for schedule in by_step:
                    schedule.step()
            return count
        self.numbers[:count] = self.rates(run.optimizer, count)
        for k in range(count if self.notes else 0):
            self.draw(k)
        return count

    def rates(self, optimizer: Any, count: int) -> Any:
        """The numbers of the next steps, while nobody changes a setting."""
        if "steps" not in optimizer.remembers:
            return made_of(optimizer, 0)[1]
        columns = []
        for group, members, static in zip(optimizer.param_groups, optimizer.members, self.static, strict=True):
            choose, t = itemgetter(*[k for k, item in enumerate(static) if item is float], 0), steps_of(members) + 1
            columns.append([choose(optimizer.numbers(group, t + k))[:-1] for k in range(count)])
        return np.concatenate(columns, axis=1)

    def draw(self, k: int) -> None:
        """What the layers draw in the k-th step."""
        for note, array in zip(self.notes, self.drawn, strict=True):
            array[k] = note.again()


def made_of(optimizer: Any, ahead: int) -> tuple[list[Any], list[float]]:
    """What a step of each group of an optimizer is made of, so many steps from now: with `float` in the place of every
    number; and these numbers."""
    static, numbers = [], []
    for group, members in zip(optimizer.param_groups, optimizer.members, strict=True):
        found = optimizer.numbers(group, steps_of(members) + 1 + ahead if "steps" in optimizer.remembers else 0)
        static.append([float if is_number(item) else item for item in found])
        numbers += [item for item in found if is_number(item)]
    return static, numbers


def steps_of(members: Any) -> int:
    """How many steps the parameters of a group have taken."""
    t = {memory["steps"] for _, memory, *_ in members if "steps" in memory} or {0}
    if len(t) > 1:
        raise UnfitError("its parameters have taken different numbers of steps")
    found: int = t.pop()
    return found


def is_number(item: Any) -> bool:
    """Whether this is a number, of Python or of NumPy, not True or False."""
    return isinstance(item, (int, float, np.number)) and not isinstance(item, bool)
