"""Callbacks: what is done after each epoch of a training, by anybody."""

import math
from collections.abc import Mapping
from typing import Any

from .aliases import Array
from .run import Run


class Callback:
    """The base of callbacks: `fit(..., callbacks=[...])` calls their methods with the run.

    A run has the attributes `model`, `optimizer`, `history`, `epoch` (how many are done) and `numbers` (those of the
    last epoch, by name), and a method `stop(why)`, which ends the training after this epoch. A callback may call
    `run.model.eval()` to use the model; the next epoch trains it again.

    >>> class Patience(Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.numbers["loss"] < 0.01:
    ...             run.stop("good enough")
    """

    only_looks = False
    """Whether `on_epoch_end` changes nothing that a step computes, beside settings of the optimizer. After any other,
    compiled training takes the first two steps of an epoch uncompiled too, and compares. It is not inherited by a class
    with an `on_epoch_end` of its own."""

    def __init_subclass__(cls) -> None:
        if "on_epoch_end" in vars(cls):
            cls.only_looks = vars(cls).get("only_looks", False)

    def on_fit_begin(self, run: Run) -> None:
        """A training begins: forget the one before. If it goes on from a checkpoint, `load_state_dict` comes next."""

    def on_epoch_end(self, run: Run) -> None:
        """An epoch is over, and its numbers are in the history."""

    def on_fit_end(self, run: Run) -> None:
        """The training is over, its epochs done or stopped; not called after an error or Ctrl-C."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to hold for this callback: numbers, texts, arrays, and lists and dicts of these."""
        return {}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""


class EarlyStopping(Callback):
    """Stop when a number of the history has not improved for `patience` epochs, and restore the weights of its best.

    They are restored at the end of the training in any case, also if it was not stopped early. Each training begins
    anew. Prechelt, *Early stopping, but when?*, 1998.

    Parameters
    ----------
    patience
        After how many epochs without improvement to stop.
    monitor
        The column of the history to look at, such as "validation_loss" or "validation_accuracy".
    mode
        "min" if less is better, "max" if more is; a loss needs none.
    min_delta
        How much better it has to be to count as an improvement.
    restore
        Whether to restore the weights of the best epoch.

    Raises
    ------
    ValueError
        If a setting is out of range, or if the mode is not said of what is no loss.
    KeyError
        After the first epoch, if the history has no such column.

    Attributes
    ----------
    best, best_epoch
        The best number so far, and the epoch that it is of.
    """

    only_looks = True

    def __init__(
        self,
        patience: int = 10,
        monitor: str = "validation_loss",
        mode: str | None = None,
        min_delta: float = 0.0,
        restore: bool = True,
    ) -> None:
        if mode is None and monitor.endswith("loss"):
            mode = "min"
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: is more of {monitor!r} better? Write mode='max', or else mode='min'")
        if patience < 1 or not 0 <= min_delta < math.inf:
            raise ValueError(f"EarlyStopping: patience={patience} is at least 1, min_delta={min_delta} at least 0")
        self.patience = patience
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.restore = restore
        self.begin()

    def begin(self) -> None:
        """Nothing has been seen yet."""
        self.best: float | None = None
        self.best_epoch = 0
        self.weights: dict[str, Array] = {}

    def on_fit_begin(self, run: Run) -> None:
        self.begin()

    def on_epoch_end(self, run: Run) -> None:
        if self.monitor not in run.numbers:
            hint = ": give validation data" if self.monitor.startswith("validation_") else ""
            if self.monitor.startswith("val_"):
                hint = f": here it is called {self.monitor.replace('val_', 'validation_', 1)!r}"
            raise KeyError(f"EarlyStopping: no {self.monitor!r} among {', '.join(run.numbers)}{hint}")
        value = run.numbers[self.monitor]
        if self.improves(value):
            self.best, self.best_epoch = value, run.epoch
            if self.restore:
                self.weights = run.model.state_dict()
        elif run.epoch - self.best_epoch >= self.patience:
            run.stop(f"{self.monitor} has not improved since epoch {self.best_epoch}")

    def improves(self, value: float) -> bool:
        """Whether this is better than the best so far. NaN is not."""
        sign = 1 if self.mode == "min" else -1
        if self.best is None:
            return not math.isnan(value)
        return sign * value < sign * self.best - self.min_delta

    def on_fit_end(self, run: Run) -> None:
        if self.weights:
            run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch, "weights": self.weights}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        self.best, self.best_epoch, self.weights = saved["best"], saved["best_epoch"], dict(saved["weights"])
