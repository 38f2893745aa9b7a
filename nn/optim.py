"""Optimizers: they change parameters by their gradients.

Updates are made in place, with a work array for each parameter that is allocated once: a fresh array of the size of a
large weight in every step costs more than the arithmetic, in page faults.
"""

import math
from collections.abc import Iterable

import numpy as np

from autograd_core import Value


class Optimizer:
    """What all optimizers share: the parameters, each once, and the learning rate `lr`, which may be changed."""

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.parameters = list(dict.fromkeys(leaves(parameters)))
        if not self.parameters:
            raise ValueError("there are no parameters to optimize: is the model frozen, or the iterator used up?")
        if not 0 < lr < math.inf:
            raise ValueError(f"lr={lr}: the learning rate is a positive number")
        self.lr = lr
        self.work = [np.empty_like(p.data, subok=False) for p in self.parameters]

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next `backward()` does not add to them."""
        for p in self.parameters:
            p.grad = None


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
        Leaf Values, such as `model.parameters()`. One whose `grad` is None is left as it is.
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

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if not 0 <= momentum < math.inf or not 0 <= weight_decay < math.inf:
            raise ValueError(f"momentum={momentum}, weight_decay={weight_decay}: neither is negative or infinite")
        if nesterov and not momentum:
            raise ValueError("nesterov=True needs a momentum, for example momentum=0.9")
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.velocity = [np.zeros(work.shape, work.dtype) for work in self.work]  # no memory until it is written to
        self.ahead = [np.empty(work.shape, work.dtype) for work in self.work]

    def step(self) -> None:
        lr, momentum, weight_decay = self.lr, self.momentum, self.weight_decay
        for p, work, velocity, ahead in zip(self.parameters, self.work, self.velocity, self.ahead, strict=True):
            g = p.grad
            if g is None:
                continue
            if weight_decay:
                g = np.add(g, np.multiply(p.data, weight_decay, work), work)
            if momentum:
                np.add(np.multiply(velocity, momentum, velocity), g, velocity)
                g = np.add(g, np.multiply(velocity, momentum, ahead), ahead) if self.nesterov else velocity
            np.multiply(g, lr, work)
            p.data -= work if work.ndim else work.item()  # as an item, for a Python float must stay one


def leaves(parameters: Iterable[Value]) -> Iterable[Value]:
    """The parameters, or a TypeError for what is none."""
    if isinstance(parameters, Value):
        raise TypeError("an optimizer takes a list of Values: write [v] for a single one")
    for p in parameters:
        if not isinstance(p, Value) or p.op is not None:
            what = f"the result of {p.op.name}" if isinstance(p, Value) else f"a {type(p).__name__}"
            raise TypeError(f"an optimizer takes Values that are variables, such as model.parameters(), not {what}")
        yield p
