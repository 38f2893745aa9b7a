"""Optimizers that scale each element's step by how large its gradients have been: Adam, AdamW and RMSprop.

They are PyTorch's, to the place of every ε; see `optim.py` for what they share with SGD.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optim import Optimizer, Setting, into


class Adaptive(Optimizer):
    """What these share: the parameters are real, since a gradient's square is compared with 0."""

    eps = Setting()
    weight_decay = Setting()

    def __init__(self, parameters: Iterable[Any], lr: float, **settings: Any) -> None:
        super().__init__(parameters, lr, **settings)
        for p in self.parameters:
            if p.dtype.kind == "c":
                raise TypeError(f"{type(self).__name__} is for real parameters, and one is {p.dtype}: use SGD")


class Adam(Adaptive):
    """Adam, with gradient ∇ and t = 1, 2, ... counting the steps:

        g = ∇ + weight_decay · p
        m ← β₁ m + (1 - β₁) g                    the mean of the gradients
        s ← β₂ s + (1 - β₂) g²                   the mean of their squares
        p ← p - lr · (m / (1 - β₁ᵗ)) / (√(s / (1 - β₂ᵗ)) + eps)

    Kingma, Ba, *Adam: a method for stochastic optimization*, ICLR 2015, algorithm 1. A step moves each element by at
    most about lr, however large its gradient is; the quotients undo that m and s begin at 0.

    Parameters
    ----------
    parameters, lr
        As for `Optimizer`.
    betas
        The pair β₁, β₂.
    eps
        Keeps the quotient finite.
    weight_decay
        As above: a penalty in the gradient. `AdamW` applies it to the parameter instead.

    Raises
    ------
    ValueError
        If there are no parameters, or if a number is out of range.
    TypeError
        If something else than real leaf Values is given.

    >>> w = Value(1.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)  # the first step has the length lr
    0.9
    """

    betas = Setting()
    remembers = ("mean", "square", "steps")
    decoupled = False

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def check(self, group: dict[str, Any]) -> None:
        if np.shape(group["betas"]) != (2,):
            raise ValueError(f"betas={group['betas']}: they are two, such as (0.9, 0.999)")
        super().check(group)
        group["betas"] = tuple(group["betas"])

    def numbers(self, group: dict[str, Any], t: int) -> tuple[Any, ...]:
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        penalty = decay or None if not self.decoupled else None
        kept = 1 - lr * decay if decay and self.decoupled else None
        return (
            penalty, kept, 1 - beta1, beta2, 1 - beta2, 1 / math.sqrt(1 - beta2**t), group["eps"], lr / (1 - beta1**t),
        )  # fmt: skip

    def update(
        self, p: Any, g: Any, memory: dict[str, Any], numbers: tuple[Any, ...], work: Any = None, spare: Any = None
    ) -> Any:
        penalty, kept, new_mean, beta2, new_square, correction, eps, rate = numbers
        mean, square = memory["mean"], memory["square"]
        if kept is not None:
            p = np.multiply(p, kept, into(p))
        if penalty is not None:
            g = np.add(g, np.multiply(p, penalty, spare), spare)
        change = np.multiply(np.subtract(g, mean, work), new_mean, work)
        mean = memory["mean"] = np.add(mean, change, into(mean))
        change = np.multiply(np.multiply(g, g, work), new_square, work)
        square = memory["square"] = np.add(np.multiply(square, beta2, into(square)), change, into(square))
        root = np.multiply(np.sqrt(square, work), correction, work)
        change = np.divide(mean, np.add(root, eps, work), work)
        return np.subtract(p, np.multiply(change, rate, work), into(p))


class AdamW(Adam):
    """Adam with the decay of weights apart from the gradient: p ← (1 - lr · weight_decay) p before each step.

    So the decay of an element does not depend on how large its gradients are. Loshchilov, Hutter, *Decoupled weight
    decay regularization*, ICLR 2019, algorithm 2. The rest is as for `Adam`.

    >>> w = Value(1.0)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = 0.0
    >>> optimizer.step()
    >>> w.data
    0.95
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)


class RMSprop(Adaptive):
    """Steps divided by the root of the mean square of the gradients; with gradient ∇,

        g = ∇ + weight_decay · p
        s ← alpha · s + (1 - alpha) g²           and, if centered, the same mean m of g itself
        v ← momentum · v + g / (√s + eps)        or, centered, √(s - m²) in place of √s
        p ← p - lr · v

    Tieleman, Hinton, *Neural networks for machine learning*, lecture 6.5, 2012; centered: Graves, *Generating sequences
    with recurrent neural networks*, 2013, equations 38 to 41, with eps outside of the root, as in PyTorch.

    Parameters
    ----------
    parameters, lr
        As for `Optimizer`.
    alpha, eps, weight_decay, momentum, centered
        As above.

    Raises
    ------
    ValueError
        If there are no parameters, or if a number is out of range.
    TypeError
        If something else than real leaf Values is given.

    >>> w = Value(1.0)
    >>> optimizer = RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).backward()
    >>> optimizer.step()  # g / √(g² / 4) is 2
    >>> round(w.data, 6)
    0.8
    """

    alpha = Setting()
    momentum = Setting()
    centered = Setting()
    remembers = ("square", "mean", "velocity")

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        settings = dict(alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered)
        super().__init__(parameters, lr, **settings)

    def numbers(self, group: dict[str, Any], t: int) -> tuple[Any, ...]:
        alpha = group["alpha"]
        decay, momentum = group["weight_decay"] or None, group["momentum"] or None
        return group["lr"], alpha, 1 - alpha, group["eps"], decay, momentum, group["centered"]

    def update(
        self, p: Any, g: Any, memory: dict[str, Any], numbers: tuple[Any, ...], work: Any = None, spare: Any = None
    ) -> Any:
        lr, alpha, new, eps, decay, momentum, centered = numbers
        if decay is not None:
            g = np.add(g, np.multiply(p, decay, spare), spare)
        square, change = memory["square"], np.multiply(np.multiply(g, g, work), new, work)
        square = memory["square"] = np.add(np.multiply(square, alpha, into(square)), change, into(square))
        if centered:
            mean, change = memory["mean"], np.multiply(np.subtract(g, memory["mean"], work), new, work)
            mean = memory["mean"] = np.add(mean, change, into(mean))
            square = np.subtract(square, np.multiply(mean, mean, work), work)
        change = np.divide(g, np.add(np.sqrt(square, work), eps, work), work)
        if momentum is not None:
            v = memory["velocity"]
            change = memory["velocity"] = np.add(np.multiply(v, momentum, into(v)), change, into(v))
        return np.subtract(p, np.multiply(change, lr, work), into(p))
