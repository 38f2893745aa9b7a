"""The training loop, and what it leaves behind."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient

from .aliases import Seed
from .data import batches, samples
from .extras import require
from .losses import mse_loss
from .module import Module
from .optim import Optimizer

Loss = Callable[[Any, Any], Any]


@dataclass
class History:
    """The losses of a training, one for each epoch."""

    loss: list[float] = field(default_factory=list)
    """The mean over the samples as they were met: the parameters improve while an epoch runs."""

    validation_loss: list[float] = field(default_factory=list)
    """The loss on the validation data after each epoch; empty if there were none."""

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the epochs, on a logarithmic scale, into matplotlib's Axes, and return these.

        Raises
        ------
        ImportError
            If matplotlib is not installed (extra `plot`).
        """
        if ax is None:
            _, ax = require("matplotlib.pyplot", extra="plot").subplots()
        for losses, label in ((self.loss, "training"), (self.validation_loss, "validation")):
            if losses:
                ax.plot(range(1, len(losses) + 1), losses, label=label)
        ax.set(xlabel="epoch", ylabel="loss", yscale="log")
        ax.legend()
        return ax


def fit(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss = mse_loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    rng: Seed = None,
    validation: tuple[Any, Any] | None = None,
    progress: bool = True,
) -> History:
    """Train a model on mini-batches in random order. It is left in `eval` mode, ready for use.

    Parameters
    ----------
    model, x, y
        `model(x)` is to come close to y. Samples are on the first axis.
    loss
        `loss(prediction, target)` of a batch: a scalar, the mean over its samples.
    optimizer
        Made with `model.parameters()`.
    epochs, batch_size, rng
        How often each sample is met, how many are met at a time, and the seed or generator for their order.
    validation
        A pair (x, y) of data that are not trained on, whose loss is recorded after each epoch.
    progress
        Whether to show a bar, which needs tqdm (extra `learn`).

    Raises
    ------
    ValueError
        If there are no data or no epochs, if the lengths of x and y differ, or if the optimizer is another model's.
    FloatingPointError
        If the loss becomes infinite or NaN. The parameters are then those that gave it.
    ImportError
        If `progress` is asked for and tqdm is not installed.
    """
    x, y = samples((x, y))
    if epochs < 1:
        raise ValueError(f"epochs={epochs}: train for at least one")
    if {*map(id, optimizer.parameters)}.isdisjoint(map(id, model.parameters())):
        raise ValueError("the optimizer has none of this model's parameters: make it with model.parameters()")
    rng = np.random.default_rng(rng)
    history = History()
    rounds: Any = range(1, epochs + 1)
    if progress:
        rounds = require("tqdm", extra="learn").tqdm(rounds, unit="epoch")
    model.train()
    try:
        for epoch in rounds:
            total = 0.0
            for x_batch, y_batch in batches(x, y, batch_size=batch_size, rng=rng):
                cost = loss(model(x_batch), y_batch)
                value = cost.item()
                if not math.isfinite(value):
                    raise not_finite(value, epoch, x_batch, y_batch)
                optimizer.zero_grad()
                cost.backward(keep="leaves")
                optimizer.step()
                total += value * len(x_batch)
            history.loss.append(total / len(x))
            if validation is not None:
                history.validation_loss.append(evaluate(model, *validation, loss=loss))
            if progress:
                rounds.set_postfix_str(f"loss {history.loss[-1]:.5f}", refresh=False)
    finally:  # an error or Ctrl-C keeps what was learnt
        model.eval()
        if progress:
            rounds.close()
    return history


def evaluate(model: Module, x: Any, y: Any, *, loss: Loss = mse_loss) -> float:
    """The loss of a model on all the data at once, in `eval` mode.

    Raises
    ------
    ValueError
        If there are no data, or if the lengths of x and y differ.
    """
    x, y = samples((x, y))
    training = model.training
    model.eval()
    try:
        return float(stop_gradient(loss(model(Value(x)), y)))  # a Value, for models that write x.relu()
    finally:
        model.train(training)


def not_finite(value: float, epoch: int, *batch: Any) -> FloatingPointError:
    """The error for a loss that is no number, with its likely cause."""
    cause = (
        "lower the learning rate"
        if all(np.isfinite(array).all() for array in batch)
        else "the data hold infinite numbers or NaN; look for them with np.isfinite(x)"
    )
    return FloatingPointError(f"the loss is {value} in epoch {epoch}: {cause}")
