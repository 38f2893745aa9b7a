"""The 1cycle policy: one rise and fall of the learning rate in a whole training."""

import math
from collections.abc import Sequence

from .optim import Optimizer
from .schedules import Formula, at_least_one, cosine, for_each_group, fraction, linear

ANNEAL = {"cos": cosine, "linear": linear}


class OneCycleLR(Formula):
    """Up to max_lr, and down to far less than the beginning; the momentum goes the other way.

    From max_lr / div_factor to max_lr in the first `pct_start` of the steps, and on to max_lr / div_factor /
    final_div_factor in the rest; each way along a half wave of the cosine, or straight. The momentum (Adam's β₁) goes
    from max_momentum to base_momentum and back. Smith, Topin, *Super-convergence: very fast training of neural networks
    using large learning rates*, 2018.

    Parameters
    ----------
    max_lr
        A number, or one for each group.
    total_steps
        How often the optimizer steps in the whole training: epochs times batches. `interval` is "step".

    Raises
    ------
    ValueError
        If a setting is out of range, if the optimizer has no momentum to cycle, or on a step beyond `total_steps`.

    >>> from nn import SGD
    >>> optimizer = SGD([Value(1.0)], lr=1.0, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=5.0, total_steps=10, pct_start=0.3)
    >>> round(optimizer.lr, 6), optimizer.momentum
    (0.2, 0.95)
    >>> schedule.step()
    >>> schedule.step()
    >>> optimizer.lr, optimizer.momentum
    (5.0, 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        super().__init__(optimizer, "step")
        groups = optimizer.param_groups
        self.max_lr = for_each_group("max_lr", max_lr, optimizer)
        if not all(0 < x < math.inf for x in (*self.max_lr, div_factor, final_div_factor)):
            raise ValueError(
                f"max_lr={max_lr}, div_factor={div_factor}, final_div_factor={final_div_factor}: these are positive"
            )
        if anneal_strategy not in ANNEAL:
            raise ValueError(f"anneal_strategy={anneal_strategy!r}: it is one of {', '.join(ANNEAL)}")
        if not 0 <= base_momentum < 1 or not 0 <= max_momentum < 1:
            raise ValueError(f"base_momentum={base_momentum}, max_momentum={max_momentum}: at least 0, less than 1")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start={pct_start}: it is a fraction of the steps, between 0 and 1")
        if cycle_momentum and not groups[0].keys() & {"momentum", "betas"}:
            raise ValueError(f"{type(optimizer).__name__} has no momentum to cycle: write cycle_momentum=False")
        self.total_steps = at_least_one("total_steps", total_steps)
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.momenta = (max_momentum, base_momentum)
        self.factors = (1 / div_factor, 1 / div_factor / final_div_factor)
        self.top = pct_start * total_steps - 1
        self.go_to(0)

    def go_to(self, steps: int) -> None:
        if steps > self.total_steps:
            raise ValueError(f"OneCycleLR: step {steps} of {self.total_steps}; total_steps is epochs times batches")
        super().go_to(steps)
        if self.cycle_momentum:
            high, low = self.momenta
            momentum = self.between(high, low, high, steps)
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, group["betas"][1])
                else:
                    group["momentum"] = momentum

    def rates(self, t: int) -> list[float]:
        first, last = self.factors
        return [self.between(top * first, top, top * last, t) for top in self.max_lr]

    def between(self, start: float, top: float, end: float, t: int) -> float:
        """From start to top, and on to end: where this is at t."""
        anneal = ANNEAL[self.anneal_strategy]
        if t <= self.top:
            return anneal(start, top, fraction(t, self.top))
        return anneal(top, end, fraction(t - self.top, self.total_steps - 1 - self.top))
