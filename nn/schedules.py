"""Schedules: learning rates that change while a model is trained.

A schedule is made after the optimizer, whose rates it sets at once, and again at each `step()`: once for each epoch or
for each batch, as its `interval` says. The names, arguments and rates are those of `torch.optim.lr_scheduler`. Those
here, and OneCycleLR, are formulas in the number t of steps so far, and in the rate that each group began with. A rate
that something else has changed, by hand or by another schedule, changes in proportion from there: so schedules of one
optimizer multiply.

>>> from nn import SGD
>>> optimizer = SGD([Value(1.0)], lr=1.0)
>>> schedule = StepLR(optimizer, step_size=2, gamma=0.1)
>>> rates = []
>>> for epoch in range(5):
...     rates.append(round(optimizer.lr, 6))
...     schedule.step()
>>> rates
[1.0, 1.0, 0.1, 0.1, 0.01]
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from .module import check_saved
from .optim import Optimizer

INTERVALS = ("epoch", "step")


class Schedule:
    """What schedules share: when to step, and how to go on after a pause.

    Attributes
    ----------
    optimizer
        The one whose rates it sets.
    interval
        "epoch" if `step()` is to be called after each epoch, "step" if after each step of the optimizer.
    """

    counts: tuple[str, ...] = ("steps",)
    """The attributes that change from step to step: what is saved."""

    def __init__(self, optimizer: Optimizer, interval: str = "epoch") -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} takes an optimizer, not a {type(optimizer).__name__}")
        if interval not in INTERVALS:
            raise ValueError(f"interval={interval!r}: it is one of {', '.join(map(repr, INTERVALS))}")
        self.optimizer = optimizer
        self.interval = interval
        self.base: list[float] = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self.steps = 0

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step, as numbers. The rates that it began with are saved by the optimizer."""
        return {name: getattr(self, name) for name in self.counts}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` saved, in a schedule made with the same settings, with the rates of then. Those
        that something else has changed since are in the optimizer's state: load that afterwards.

        Raises
        ------
        TypeError
            If it is no dict.
        ValueError
            If it is another schedule's.
        """
        check_saved(saved)
        if saved.keys() != set(self.counts):
            raise ValueError(f"{type(self).__name__} saves {', '.join(self.counts)}; this state has {', '.join(saved)}")
        for name in self.counts:
            setattr(self, name, saved[name])


class Formula(Schedule):
    """A schedule whose rate is a function of the number of steps."""

    def step(self) -> None:
        """An epoch, or a batch, has passed: set the rates of the next."""
        self.move(self.steps + 1, self.rates(self.steps))

    def move(self, steps: int, before: Sequence[float]) -> None:
        """The same, in proportion to what the rates are now, and would be, if nothing had changed them: `before`."""
        groups = self.optimizer.param_groups
        factors = [group["lr"] / rate if rate else 1.0 for group, rate in zip(groups, before, strict=True)]
        self.go_to(steps)
        for group, factor in zip(groups, factors, strict=True):
            group["lr"] *= factor

    def go_to(self, steps: int) -> None:
        """Set the rates as they are after so many steps."""
        for group, rate in zip(self.optimizer.param_groups, self.rates(steps), strict=True):
            group["lr"] = rate
        self.steps = steps

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        super().load_state_dict(saved)
        self.go_to(self.steps)

    def rates(self, t: int) -> list[float]:
        """The rate of each group after t steps."""
        return [self.rate(base, t) for base in self.base]

    def rate(self, base: float, t: int) -> float:
        """The rate after t steps of a group that began with `base`."""
        raise NotImplementedError(f"{type(self).__name__} has no formula: define rate(self, base, t)")


class StepLR(Formula):
    """lr = base · gamma^⌊t / step_size⌋: a stair.

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0)
    >>> schedule = StepLR(optimizer, step_size=1, gamma=0.5)
    >>> schedule.step()
    >>> optimizer.lr
    0.5
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, *, interval: str = "epoch") -> None:
        super().__init__(optimizer, interval)
        if not 0 < gamma < math.inf:
            raise ValueError(f"gamma={gamma}: the rate is multiplied by a positive number")
        self.step_size = at_least_one("step_size", step_size)
        self.gamma = gamma
        self.move(0, self.base)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class CosineAnnealingLR(Formula):
    """lr = eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2: from the base down to eta_min in T_max steps.

    Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017, equation 5.

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> round(optimizer.lr, 6)
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803  PyTorch's name
        eta_min: float = 0.0,
        *,
        interval: str = "epoch",
    ) -> None:
        super().__init__(optimizer, interval)
        if not 0 <= eta_min < math.inf:
            raise ValueError(f"eta_min={eta_min}: a learning rate is not negative")
        self.T_max = at_least_one("T_max", T_max)
        self.eta_min = eta_min
        self.move(0, self.base)

    def rate(self, base: float, t: int) -> float:
        return cosine(base, self.eta_min, t / self.T_max)


class LinearLR(Formula):
    """lr = base · factor, where the factor goes from start_factor to end_factor in total_iters steps: a warm-up.

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0)
    >>> schedule = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> optimizer.lr
    0.5
    >>> schedule.step()
    >>> optimizer.lr
    0.75
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        *,
        interval: str = "epoch",
    ) -> None:
        super().__init__(optimizer, interval)
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(f"start_factor={start_factor}, end_factor={end_factor}: factors are between 0 and 1")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = at_least_one("total_iters", total_iters)
        self.move(0, self.base)

    def rate(self, base: float, t: int) -> float:
        return base * linear(self.start_factor, self.end_factor, fraction(t, self.total_iters))


class SequentialLR(Formula):
    """One schedule after the other: each begins, at its own step 0, when its milestone is reached.

    A rate that was changed in between stays changed in proportion then, too; PyTorch's begins anew from the first.

    Parameters
    ----------
    optimizer, schedulers
        Schedules of this optimizer, of the same interval; not ReduceLROnPlateau.
    milestones
        After how many steps the second, the third, ... takes over.

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0)
    >>> warmup, rest = LinearLR(optimizer, 0.5, total_iters=2), CosineAnnealingLR(optimizer, T_max=10)
    >>> schedule = SequentialLR(optimizer, [warmup, rest], milestones=[2])
    >>> optimizer.lr
    0.5
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Formula], milestones: Sequence[int]) -> None:
        if not schedulers or not all(isinstance(s, Formula) and s.optimizer is optimizer for s in schedulers):
            raise ValueError("SequentialLR takes schedules of its own optimizer, and no ReduceLROnPlateau")
        if len({s.interval for s in schedulers}) > 1:
            raise ValueError(f"the intervals of the schedules differ: {', '.join(s.interval for s in schedulers)}")
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted({*milestones}):
            raise ValueError(f"milestones={list(milestones)}: a rising number for each schedule but the first")
        super().__init__(optimizer, schedulers[0].interval)
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        self.go_to(0)

    def at(self, steps: int) -> tuple[Formula, int]:
        """The schedule whose turn it is after so many steps, and how many of them are its own."""
        k = bisect_right(self.milestones, steps)
        return self.schedulers[k], steps - (self.milestones[k - 1] if k else 0)

    def go_to(self, steps: int) -> None:
        schedule, own = self.at(steps)
        schedule.go_to(own)
        self.steps = steps

    def rates(self, t: int) -> list[float]:
        schedule, own = self.at(t)
        return schedule.rates(own)


def cosine(start: float, end: float, x: float) -> float:
    """Half a wave from start, at x = 0, to end, at x = 1."""
    return end + (start - end) * (1 + math.cos(math.pi * x)) / 2


def linear(start: float, end: float, x: float) -> float:
    """A straight line from start, at x = 0, to end, at x = 1."""
    return start + (end - start) * x


def fraction(t: float, whole: float) -> float:
    """How much of a way has been gone: at most all of it."""
    return min(t / whole, 1.0) if whole else 1.0


def for_each_group(name: str, rates: float | Sequence[float], optimizer: Optimizer) -> list[float]:
    """A rate for each group of parameters: one for all, or as many as there are groups."""
    groups = len(optimizer.param_groups)
    found = [float(x) for x in rates] if isinstance(rates, Sequence) else [rates] * groups
    if len(found) != groups:
        raise ValueError(f"{name} has {len(found)} rates, and there are {groups} groups of parameters")
    return found


def at_least_one(name: str, value: int) -> int:
    """A number of steps, or a ValueError."""
    if value < 1:
        raise ValueError(f"{name}={value}: it is a number of steps, at least 1")
    return value
