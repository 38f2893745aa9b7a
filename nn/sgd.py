"""Stochastic gradient descent, with momentum or without."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optim import Optimizer, Setting, into


class SGD(Optimizer):
    """Stochastic gradient descent: p ← p - lr · v, where, with gradient ∇,

        g = ∇ + weight_decay · p
        v ← momentum · v + g
        p ← p - lr · v                      or, with Nesterov's momentum,  p ← p - lr · (g + momentum · v)

    as in PyTorch. Sutskever, Martens, Dahl, Hinton, *On the importance of initialization and momentum in deep
    learning*, ICML 2013, use the same with lr inside of v.

    Parameters
    ----------
    parameters
        Leaf Values, such as `model.parameters()`, or groups of them; see `Optimizer`.
    lr
        The learning rate.
    momentum, nesterov, weight_decay
        As above; 0 leaves a term out.

    Raises
    ------
    ValueError
        If there are no parameters, or if a number is out of range.
    TypeError
        If something else than leaf Values is given.

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.8
    """

    momentum = Setting()
    nesterov = Setting()
    weight_decay = Setting()
    remembers = ("velocity",)

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        *,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        if group["nesterov"] and not group["momentum"]:
            raise ValueError("nesterov=True needs a momentum, for example momentum=0.9")

    def numbers(self, group: dict[str, Any], t: int) -> tuple[Any, ...]:
        return group["lr"], group["momentum"] or None, group["nesterov"], group["weight_decay"] or None

    def update(
        self, p: Any, g: Any, memory: dict[str, Any], numbers: tuple[Any, ...], work: Any = None, spare: Any = None
    ) -> Any:
        lr, momentum, nesterov, decay = numbers
        if decay is not None:
            g = np.add(g, np.multiply(p, decay, work), work)
        if momentum is not None:
            v = memory["velocity"]
            v = memory["velocity"] = np.add(np.multiply(v, momentum, into(v)), g, into(v))
            g = np.add(g, np.multiply(v, momentum, spare), spare) if nesterov else v
        return np.subtract(p, np.multiply(g, lr, work), into(p))
