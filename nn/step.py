"""A step of a training: what a batch costs, and what its cost pulls back. Steps that are compiled are recorded from
these lines."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Value, stop_gradient

from .checks import raise_with_layer
from .feed import Batch


class Met(NamedTuple):
    """What a step met in one batch."""

    cost: Any
    """The loss as a graph."""
    weight: Any
    """The weight of the batch in a mean; see `Feed.weight`."""
    samples: int
    prediction: Any
    """Plain data, and what it should have been:"""
    target: Any

    def metrics(self, run: Any) -> list[Any]:
        """The value of each metric."""
        return [one_number(name, metric(self.prediction, self.target)) for name, metric in run.metrics.items()]


def one_number(name: str, found: Any) -> Any:
    """What a metric found, if it is one number."""
    if np.ndim(found):
        raise ValueError(f"the metric {name} has shape {np.shape(found)}, and it is one number: return its mean")
    return found


def passes(run: Any, group: list[Batch]) -> Iterator[Met]:
    """Forward and backward for each of some batches; what was met comes between the two.

    In the end the gradient of their common mean is in the `grad` of the optimizer's parameters.
    """
    run.optimizer.zero_grad()
    total = 0.0
    for batch in group:
        met = forward(run, batch)
        yield met
        met.cost.backward(met.weight if len(group) > 1 else None, keep="leaves")
        total = total + met.weight
    if len(group) > 1:
        for p in run.optimizer.parameters:
            if p.grad is not None:
                p.grad = p.grad * (1 / total)


def forward(run: Any, batch: Batch) -> Met:
    """The cost of a batch."""
    x, y, *weights = batch
    try:
        prediction = run.model(x)
    except (ValueError, TypeError) as error:
        raise_with_layer(run.model, error)
    cost = run.loss(prediction, y, sample_weight=weights[0]) if weights else run.loss(prediction, y)
    if type(cost) is not Value:
        raise TypeError(f"the loss is a {type(cost).__name__}, plain data: nothing in it can be trained")
    if cost.dtype.kind == "c":
        raise TypeError("the loss is complex, and complex numbers have no order: give a real one, such as nn.l1_loss")
    if cost.size != 1:
        raise ValueError(f"the loss has shape {cost.shape}, and it is one number: return its mean, as with .mean()")
    return Met(cost, run.feed.weight(batch), len(x), stop_gradient(prediction), y)
