"""The steps of a training in machine code: as many in a call as fit into a tenth of a second.

The minibatches and the random numbers are those of uncompiled steps, drawn before the call; the state goes into the
program and comes back. What a program cannot do is done without it: a step whose loss or gradient is not finite is
taken again uncompiled, which finds where that began; a model, loss or metric that cannot be recorded, or that computes
anything else when it is compiled, is trained uncompiled.

How the parts fit, in the order in which a training meets them:

1. `executors.py` decides whether a training can be compiled, and whether that is worth it.
2. `Compiled`, here, cuts the steps ahead into chunks of one kind: the same sizes of batches, and the same settings of
   the optimizer but for numbers.
3. For a kind that is new, `trial.py` takes the first steps both ways and compares. While they run uncompiled, `tape.py`
   notes what the layers draw at random.
4. `recorded.py` makes the program: it runs `step.py`, the very lines that uncompiled steps run, on arrays that record,
   with these in the places of parameters, buffers and random numbers. Other trainings of the kind find it there.
5. From then on `kinds.py` writes down what each step of a chunk is made of (which samples, which rates, which random
   numbers) and calls the program with that and with the parameters, buffers and memories that `state.py` lists.
6. `Compiled.settle` puts these back, and counts losses, metrics and gradient norms in the `Run` of `run.py`, as that
   does for its own steps. So histories, schedules and checkpoints are the same; parameters are left without a `grad`.
7. A callback may change anything: in the epoch after it, what is trained is looked up anew and compared again.
"""

from collections.abc import Generator, Iterator
from importlib import metadata
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .aliases import Array
from .feed import Key
from .kinds import NOTHING, Found, Kind, made_of
from .run import SNAPSHOT, Run
from .state import State, UnfitError
from .trial import STEPS, TargetsError, tried

SECONDS = 0.1
"""How long a call may take: Ctrl-C waits for it, and the progress bar."""

SMALL = 1 << 22
"""Data of up to so many bytes are padded, so that data sets of nearly the same length share a program."""


class Step(NamedTuple):
    """A step to be taken."""

    keys: list[Key]
    """Its batches."""
    rows: list[Key]
    """Those of them that have a weight, and so a say."""
    last: bool
    """Whether it is the last of its epoch."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many samples the batches have."""
        return tuple(map(len, self.rows))


class Compiled:
    """Takes the steps of a run in machine code.

    Parameters
    ----------
    worth
        The sizes of batches that are worth a program; the other steps are not compiled.
    must
        Whether it is an error that something cannot be compiled.
    across
        Whether a call may go on into the next epoch: nobody looks at the model in between.
    """

    def __init__(self, run: Run, worth: frozenset[tuple[int, ...]], must: bool, across: bool) -> None:
        self.run = run
        self.worth = worth
        self.must = must
        self.across = across
        self.limits: dict[tuple[int, ...], int] = {}
        """How many steps of each kind the next call takes at most."""
        self.unfit: str | None = None
        """Why the steps from here on are not compiled."""
        self.look()

    def look(self) -> None:
        """See what there is to train: what holds parameters and data, and no programs yet."""
        self.state = State(self.run)
        arrays = self.run.feed.arrays  # type: ignore[union-attr]
        self.data = [padded(array) for array in arrays]
        self.weights = arrays[2] if len(arrays) > 2 and not arrays[2].all() else None
        self.kinds: dict[Any, Kind] = {}

    def look_again(self) -> None:
        """The same after a callback, which may have changed anything."""
        try:
            self.look()
        except UnfitError as error:
            self.refuse(error)

    def refuse(self, error: UnfitError) -> None:
        """From here on nothing is compiled; an error if it must be."""
        if self.must and isinstance(error, TargetsError) and error.__cause__:
            raise error.__cause__
        if self.must:
            raise TypeError(f"compiled=True: {error}") from error
        self.unfit = str(error)

    @property
    def name(self) -> str:
        """For checkpoints."""
        return "eager" if self.unfit and not self.run.compiled else f"llvmlite {metadata.version('llvmlite')}"

    def train(self, epochs: int, every: int | None) -> Iterator[int | None]:
        """Train; yields after each call the number of its batches, and None after an epoch. Stops at each `every`."""
        while self.run.epoch < epochs and not self.run.history.stopped:
            if may_change(self.run):
                self.look_again()
            steps = self.ahead(epochs)
            following = next(steps, None)
            if following is None:  # the checkpoint is of after the last step, and of before the end of the epoch
                self.run.end_epoch()
                yield None
            while following is not None:
                chunk, sizes = [following], following.sizes
                room = self.limits.get(sizes, STEPS) if sizes in self.worth and not self.unfit else 1
                if every:
                    room = min(room, every - self.run.steps % every)
                following = next(steps, None)
                while following is not None and len(chunk) < room and following.sizes == sizes:
                    chunk.append(following)
                    following = next(steps, None)
                while chunk:
                    count = yield from self.take(sizes, chunk)
                    chunk = chunk[count:]

    def ahead(self, epochs: int) -> Iterator[Step]:
        """The steps that are still to be taken in this epoch, or also in the next ones."""
        first = self.run.epoch
        for epoch in range(first, epochs if self.across else first + 1):
            groups = self.run.groups(begin=epoch > first)
            keys = next(groups, None)
            while keys is not None:
                following = next(groups, None)
                rows = keys if self.weights is None else [rows for rows in keys if self.weights[rows].any()]
                yield Step(keys, rows, following is None)
                keys = following

    def take(self, sizes: tuple[int, ...], chunk: list[Step]) -> Generator[int | None, None, int]:
        """Take some of the steps, and return how many."""
        if sizes in self.worth and not self.unfit:
            steps, before = self.run.steps, self.state.plan_of()
            try:
                try:
                    found = self.called(sizes, chunk)
                except UnfitError as error:
                    self.refuse(error)
                else:
                    if found.steps:
                        yield from self.settle(found, chunk[: found.steps])
                        return found.steps
            except BaseException:
                if self.run.steps == steps:  # Ctrl-C, and what was planned has not come to pass
                    self.state.undo_plan(before)
                raise
        self.run.step(chunk[0].keys)
        yield len(chunk[0].keys)
        if chunk[0].last:
            self.run.end_epoch()
            yield None
        return 1

    def called(self, sizes: tuple[int, ...], chunk: list[Step]) -> Found:
        """What a call of a program computed: all steps, or those before one that is not finite or raises, or none."""
        run, state = self.run, self.state
        name = sizes, tuple(map(tuple, made_of(run.optimizer, 0)[0]))
        if name not in self.kinds:
            kind = tried(state, self.data, sizes, chunk)
            if kind is None:
                return NOTHING
            self.kinds[name] = kind
        kind, before, begin = self.kinds[name], state.plan_of(), perf_counter()
        try:
            found = kind.computed(state, self.data, [step.rows for step in chunk])
            bad = found.first_bad()
        except Exception as error:
            state.undo_plan(before)
            raise UnfitError(f"a compiled step raised {type(error).__name__}: {error}") from error
        if bad != 0 and (not run.good or bad is not None or run.steps - run.good_step >= SNAPSHOT):
            run.good, run.good_step = run.model.state_dict(), run.steps
        if bad is not None:  # once more, up to there, and the last of it with good weights just before
            state.undo_plan(before)
            count = bad - SNAPSHOT if bad > SNAPSHOT else bad
            return self.called(sizes, chunk[:count]) if count else found._replace(steps=0)
        in_time = int(SECONDS * found.steps / (perf_counter() - begin)) if found.steps else 1
        self.limits[sizes] = max(1, min(kind.capacity, in_time, 8 * found.steps))
        return found

    def settle(self, found: Found, chunk: list[Step]) -> Iterator[int | None]:
        """Take over the state after some steps, and write down what they met, epoch by epoch."""
        run, counted = self.run, [(vars(self.run), "steps", self.run.steps + len(chunk))]
        for _, memory, *_ in self.state.members:
            if "steps" in memory:
                counted.append((memory, "steps", memory["steps"] + len(chunk)))
        self.state.put(found.state, counted)
        run.compiled += len(chunk)
        ends = [k + 1 for k, step in enumerate(chunk) if step.last]
        elapsed = perf_counter() - run.began
        for begin, end in pairwise(dict.fromkeys([0, *ends, len(chunk)])):
            part, samples = slice(begin, end), np.array(chunk[0].sizes, float)
            run.weight = added(run.weight, found.weights[part])
            run.samples += int(samples.sum()) * (end - begin)
            run.sums[0] = added(run.sums[0], found.costs[part] * found.weights[part])
            for k, values in enumerate(found.metrics, start=1):
                run.sums[k] = added(run.sums[k], values[part] * samples)
            run.squares = [added(s, column) for s, column in zip(run.squares, found.squares[part].T, strict=True)]
            batches = sum(len(step.keys) for step in chunk[part])
            run.batch += batches
            yield batches
            if end in ends:
                if len(ends) > 1:  # the time of one call, in equal parts
                    run.began = perf_counter() - elapsed * (end - begin) / len(chunk)
                run.end_epoch()
                yield None


def may_change(run: Run) -> bool:
    """Whether callbacks may change what is trained."""
    return not all(callback.only_looks for callback in run.callbacks)


def padded(array: Array) -> Array:
    """Small data with a length that others share, with zeros at the end, which no batch takes."""
    n = len(array)
    step = 1 << max(n.bit_length() - 3, 0)
    longer = -(-n // step) * step
    if longer == n or array.nbytes > SMALL:
        return array
    return np.concatenate([array, np.zeros((longer - n, *array.shape[1:]), array.dtype)])


def added(total: float, terms: Array) -> float:
    """total + t₁ + t₂ + ..., one after the other: the same to the last bit in how many calls they ever come."""
    return float(np.add.accumulate(np.concatenate([[total], terms.ravel()], dtype=float))[-1])
