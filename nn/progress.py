"""Progress of a training: a bar where somebody watches, and plain lines in a log file."""

import sys
from importlib.util import find_spec
from typing import Any

from .extras import require

FORMAT = "{desc}: {percentage:3.0f}%|{bar:12}| {elapsed}<{remaining}{postfix}"
LINES = 20
"""About how many lines a long training writes into a log file."""


class Silence:
    """Shows nothing; what shows something has these methods."""

    def batches(self, count: int) -> None:
        """So many more batches have been learnt."""

    def epoch(self, epoch: int, numbers: dict[str, float]) -> None:
        """An epoch is over, with these numbers."""

    def stopped(self, epoch: int, why: str) -> None:
        """The training has been stopped after this epoch, before its last."""

    def close(self) -> None:
        """There is no more to come."""


class Bar(Silence):
    """A bar that moves with each batch: in a terminal or in a notebook, as tqdm finds it."""

    def __init__(self, epochs: int, done: int, batches: int | None, met: int) -> None:
        self.epochs = epochs
        total = None if batches is None else epochs * batches
        tqdm = require("tqdm.auto", extra="learn").tqdm
        title = f"epoch {min(done + 1, epochs)}/{epochs}"
        self.bar = tqdm(total=total, initial=met, dynamic_ncols=True, desc=title, bar_format=FORMAT)

    def batches(self, count: int) -> None:
        self.bar.update(count)

    def epoch(self, epoch: int, numbers: dict[str, float]) -> None:
        self.bar.set_description_str(f"epoch {min(epoch + 1, self.epochs)}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(shown(numbers), refresh=False)

    def stopped(self, epoch: int, why: str) -> None:
        self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)
        self.bar.write(f"stopped: {why}", file=sys.stderr)

    def close(self) -> None:
        self.bar.close()


class Lines(Silence):
    """A line for each epoch, or for every twentieth part of a long training."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.waiting = ""
        """The line of the last epoch, if it has not been written."""

    def epoch(self, epoch: int, numbers: dict[str, float]) -> None:
        self.waiting = f"epoch {epoch:{len(str(self.epochs))}}/{self.epochs}: {shown(numbers)}"
        part = LINES * epoch // self.epochs
        if self.epochs <= LINES or epoch == 1 or part > LINES * (epoch - 1) // self.epochs:
            self.write()

    def write(self) -> None:
        """Write the line of the last epoch."""
        if self.waiting:
            print(self.waiting, file=sys.stderr, flush=True)
        self.waiting = ""

    def stopped(self, epoch: int, why: str) -> None:
        self.write()
        print(f"stopped: {why}", file=sys.stderr, flush=True)


def progress_of(epochs: int, done: int, batches: int | None, met: int) -> Silence:
    """What shows progress well where the standard error goes: a bar where somebody watches, if tqdm is installed; and
    nothing if there is no standard error, as in a program without a console.

    Parameters
    ----------
    epochs, done
        How many there are, and how many are done.
    batches, met
        How many there are in an epoch, if that is known, and how many have been met since the first epoch.
    """
    if sys.stderr is None:
        return Silence()
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return Bar(epochs, done, batches, met) if watched and find_spec("tqdm") else Lines(epochs)


def shown(numbers: dict[str, Any]) -> str:
    """Numbers with their names, for one line."""
    return ", ".join(f"{name.replace('validation_', 'val_')} {number:.4g}" for name, number in numbers.items())
