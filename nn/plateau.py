"""A learning rate that falls when a metric stops improving."""

import math
from collections.abc import Sequence
from typing import Any

from autograd_core import stop_gradient

from .optim import Optimizer
from .schedules import Schedule, for_each_group


class ReduceLROnPlateau(Schedule):
    """The rate times `factor` whenever a metric has not improved for more than `patience` epochs.

    Parameters
    ----------
    mode
        "min" if less is better, such as of a loss; "max" if more is.
    factor, min_lr, eps
        The new rate is max(lr · factor, min_lr), where min_lr is a number, or one for each group; a change of less than
        eps is not made.
    patience, cooldown
        How many epochs without improvement are endured, and how many are not counted after a change.
    threshold, threshold_mode
        What counts as an improvement: more than `threshold` times the size of the best ("rel"), or more than
        `threshold` ("abs"). (If the best is negative, "rel" lets PyTorch take what is no better for an improvement.)

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 3.0, 3.0]:
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.5
    """

    counts = ("best", "bad_epochs", "cooldown_left")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(optimizer)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(f"mode={mode!r}, threshold_mode={threshold_mode!r}: these are min or max, and rel or abs")
        if not 0 < factor < 1:
            raise ValueError(f"factor={factor}: the rate is multiplied by a number between 0 and 1")
        self.min_lr = for_each_group("min_lr", min_lr, optimizer)
        if not all(0 <= x < math.inf for x in self.min_lr) or patience < 0 or cooldown < 0:
            raise ValueError(f"min_lr={min_lr}, patience={patience}, cooldown={cooldown}: none of them is negative")
        self.sign = 1.0 if mode == "min" else -1.0
        self.factor, self.eps = factor, eps
        self.patience, self.cooldown = patience, cooldown
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.best: float | None = None
        self.bad_epochs = 0
        self.cooldown_left = 0

    def step(self, metric: Any) -> None:
        """An epoch has passed, after which the metric, a number or a Value, is this."""
        metric = float(stop_gradient(metric))
        if self.better(metric):
            self.best, self.bad_epochs = metric, 0
        else:
            self.bad_epochs += 1
        if self.cooldown_left:
            self.cooldown_left -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lr, strict=True):
                rate = max(group["lr"] * self.factor, least)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate
            self.cooldown_left, self.bad_epochs = self.cooldown, 0

    def better(self, metric: float) -> bool:
        """Whether this is an improvement. NaN is none."""
        if self.best is None:
            return math.isfinite(metric)
        margin = self.threshold * (abs(self.best) if self.threshold_mode == "rel" else 1.0)
        return self.sign * metric < self.sign * self.best - margin
