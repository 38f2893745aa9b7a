"""What a training leaves behind: numbers for each epoch, to be read, plotted and put into a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from .plots import plot_history

Column = tuple[float, ...]

NORM = "gradient_norm/"
"""The columns of gradient norms begin with this, and go on with the name of the layer."""


class History:
    """The numbers of a training, one for each epoch. It is read by columns, as attributes or in brackets.

    Parameters
    ----------
    columns
        Numbers by name, as `to_dict` gives them.

    >>> history = History({"loss": [0.5, 0.25], "accuracy": [0.8, 0.9], "seconds": [1.0, 1.0]})
    >>> history.loss, history["accuracy"], len(history)
    ((0.5, 0.25), (0.8, 0.9), 2)
    >>> history
    History of 2 epochs in 2.0 s
      loss       0.5 → 0.25
      accuracy   0.8 → 0.9
    """

    def __init__(self, columns: Mapping[str, Sequence[float]] | None = None) -> None:
        self._columns = {name: [float(x) for x in column] for name, column in (columns or {}).items()}
        if len({*map(len, self._columns.values())}) > 1:
            lengths = ", ".join(f"{name} has {len(column)}" for name, column in self._columns.items())
            raise ValueError(f"a history has a number for each epoch in every column, and here {lengths}")
        self.stopped: str | None = None
        """Why the training stopped before its last epoch, if it did."""
        self.executor: str | None = None
        """What took the steps: "compiled", or "eager" and why, or how many of them were compiled."""

    # Columns ----------------------------------------------------------------------------------------------------------

    @property
    def loss(self) -> Column:
        """The mean over the samples as they were met: the parameters improve while an epoch runs."""
        return self._column("loss")

    @property
    def validation_loss(self) -> Column:
        """The loss on the validation data after each epoch; empty if there were none."""
        return self._column("validation_loss")

    @property
    def learning_rate(self) -> Column:
        """The rate of the optimizer's first group, at the end of each epoch."""
        return self._column("learning_rate")

    @property
    def seconds(self) -> Column:
        """How long each epoch took, validation included."""
        return self._column("seconds")

    @property
    def metrics(self) -> dict[str, Column]:
        """The metrics, of training and of validation data, by name."""
        others = ("loss", "validation_loss", "learning_rate", "seconds")
        return {name: tuple(c) for name, c in self._columns.items() if name not in others and not name.startswith(NORM)}

    @property
    def gradient_norm(self) -> dict[str, Column]:
        """By the name of the layer: √(mean of ‖∇‖²) over the steps of each epoch, before any clipping."""
        return {name.removeprefix(NORM): tuple(c) for name, c in self._columns.items() if name.startswith(NORM)}

    def __getitem__(self, name: str) -> Column:
        if name not in self._columns:
            raise KeyError(f"no column {name!r} in the history: there are {', '.join(self._columns) or 'none'}")
        return self._column(name)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def _column(self, name: str) -> Column:
        return tuple(self._columns.get(name, ()))

    def to_dict(self) -> dict[str, list[float]]:
        """A copy, by name of the column: `pandas.DataFrame(history.to_dict())` is a table with a row for each epoch."""
        return {name: list(column) for name, column in self._columns.items()}

    def _append(self, row: Mapping[str, float]) -> None:
        """The numbers of one more epoch; every epoch has the same columns."""
        for name, number in row.items():
            self._columns.setdefault(name, []).append(float(number))

    # Showing it -------------------------------------------------------------------------------------------------------

    def plot(self, figure: Any = None) -> Any:
        """Draw what there is of loss, metrics, learning rate and gradient norms into a Matplotlib Figure.

        Raises
        ------
        ValueError
            If there is no epoch to draw.
        ImportError
            If Matplotlib is not installed (extra `plot`).
        """
        return plot_history(self, figure)

    def __repr__(self) -> str:
        epochs = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        time = f" in {sum(self.seconds):.1f} s" if self.seconds else ""
        stopped = f", stopped: {self.stopped}" if self.stopped else ""
        executor = f", {self.executor}" if self.executor and not self.executor.startswith("eager") else ""
        shown = {name: c for name, c in self._columns.items() if name != "seconds" and not name.startswith(NORM) and c}
        width = max(map(len, shown), default=0) + 2
        lines = [f"\n  {name:{width}} {summary(name, column)}" for name, column in shown.items()]
        return f"History of {epochs}{time}{executor}{stopped}" + "".join(lines)


def summary(name: str, column: Sequence[float]) -> str:
    """The first number and the last, and for a loss the least, if it is neither."""
    if len({*column}) == 1:
        return f"{column[0]:.4g}"
    best = min(column)
    least = f", least {best:.4g} in epoch {column.index(best) + 1}" if name.endswith("loss") else ""
    return f"{column[0]:.4g} → {column[-1]:.4g}" + (least if best not in (column[0], column[-1]) else "")
