"""What takes the steps of a training: NumPy, or machine code where that is worth its compiling."""

import math
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice

from .compiled import Compiled, may_change
from .extras import require
from .feed import Arrays
from .optim import Optimizer
from .plateau import ReduceLROnPlateau
from .run import Run
from .state import UnfitError
from .trial import STEPS

COMPILING = (0.15, 0.02)
"""About how many seconds it takes to compile a step, beside so many for each of its parameters."""

SAVED = (20e-6, 20e-6, 7e-13)
"""And how many a compiled step saves, beside so many for each parameter, and for each floating-point operation."""


def told(run: Run, unfit: str | None) -> str:
    """What took the steps of a run, in words."""
    if run.compiled == run.steps and run.steps:
        return "compiled"
    if not run.compiled:
        return f"eager: {unfit}" if unfit else "eager"
    return f"{run.compiled:,} of {run.steps:,} steps compiled" + (f": {unfit}" if unfit else "")


class Eager:
    """Takes the steps of a run as they are written."""

    name = "eager"

    def __init__(self, run: Run, unfit: str) -> None:
        self.run = run
        self.unfit = unfit
        """Why it is not compiled."""

    def train(self, epochs: int, every: int | None) -> Iterator[int | None]:
        """Train; yields after each step the number of its batches, and None after each epoch."""
        while self.run.epoch < epochs and not self.run.history.stopped:
            for keys in self.run.groups():
                self.run.step(keys)
                yield len(keys)
            self.run.end_epoch()
            yield None


def executor(run: Run, compiled: bool | None, then: str | None, watched: bool) -> Eager | Compiled:
    """What takes the steps of a run.

    Parameters
    ----------
    compiled
        Whether it is to be compiled; None leaves the choice to sizes, never to the clock: a training that is resumed
        has to be computed as it was.
    then
        What computed until the checkpoint that the run goes on from, if there is one.
    watched
        Whether the model is looked at after each epoch, by more than the callbacks.

    Raises
    ------
    TypeError
        If it must be compiled and cannot be.
    ImportError
        If it must be compiled, and llvmlite is not installed.
    """
    if compiled is False:
        return Eager(run, "compiled=False")
    if compiled:
        require("llvmlite", extra="fast")
    elif find_spec("llvmlite") is None:
        return Eager(run, "llvmlite is not installed")
    elif then == Eager.name:
        return Eager(run, "its checkpoint was not compiled either")
    try:
        check(run)
        twice = 2 * STEPS if may_change(run) and not math.isinf(run.planned) else 0  # are taken both ways in each epoch
        worth = frozenset(sizes for sizes, steps in kinds(run).items() if is_worth(run, sizes, steps - twice))
        if not worth:
            return Eager(run, "compiling would take longer than it saves")
        return Compiled(run, worth, bool(compiled), across=not watched and not looks(run))
    except UnfitError as error:
        if compiled:
            raise TypeError(f"compiled=True: {error}") from error
        return Eager(run, str(error))


def check(run: Run) -> None:
    """An UnfitError for a run that is not even tried."""
    if not isinstance(run.feed, Arrays):
        raise UnfitError("its batches are made on the way: give x and y")
    if type(run.optimizer).step is not Optimizer.step:
        raise UnfitError(f"{type(run.optimizer).__name__} has a step() of its own, not numbers() and update()")
    if any(isinstance(s, ReduceLROnPlateau) and s.interval == "step" for s in run.schedules):
        raise UnfitError("ReduceLROnPlateau looks at the loss of every step")


def looks(run: Run) -> bool:
    """Whether anything happens after an epoch, a schedule has set the rate that is then written down, or a layer draws
    random numbers, which may come from the same generator as the order of the next epoch."""
    return bool(run.callbacks or run.validation is not None or run.schedules or len(run.generators()) > 1)


def kinds(run: Run) -> Counter[tuple[int, ...]]:
    """How many steps of an epoch have batches of which sizes."""
    assert isinstance(run.feed, Arrays)
    n, size = len(run.feed.arrays[0]), run.feed.batch_size
    sizes = iter([size] * (n // size) + [n % size] * bool(n % size))
    return Counter(iter(lambda: tuple(islice(sizes, run.accumulate)), ()))


def is_worth(run: Run, sizes: tuple[int, ...], steps: int) -> bool:
    """Whether compiling a kind of step takes less time than it saves, by rule of thumb."""
    shapes = [p.shape for p in run.optimizer.parameters]
    flops = 6 * sum(sizes) * sum(math.prod(shape) for shape in shapes if len(shape) > 1)
    cost = COMPILING[0] + COMPILING[1] * len(shapes)
    return steps * run.planned * (SAVED[0] + SAVED[1] * len(shapes) + SAVED[2] * flops) >= cost
