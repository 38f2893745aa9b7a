"""Activations: the functions between the layers. They have no parameters, and act on each element (softmax: each row).

Any other function of a Value can stand in their place: `Sequential(Linear(2, 3), np.sin)`.
"""

from typing import Any

import numpy as np

from autograd_core import relu, sigmoid, softmax, softplus

from .aliases import Function
from .module import Module


class Identity(Module):
    """f(x) = x."""

    def forward(self, x: Any) -> Any:
        return x


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1; σ' = σ (1 - σ).

    >>> Sigmoid()(0.0)
    0.5
    """

    def forward(self, x: Any) -> Any:
        return sigmoid(x)


class Tanh(Module):
    """tanh(x), between -1 and 1; tanh' = 1 - tanh²."""

    def forward(self, x: Any) -> Any:
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0), with the derivative 0 at 0."""

    def forward(self, x: Any) -> Any:
        return relu(x)


class Softplus(Module):
    """log(1 + eˣ), a smooth ReLU; its derivative is σ."""

    def forward(self, x: Any) -> Any:
        return softplus(x)


class Softmax(Module):
    """eˣ / Σ eˣ along the last axis: positive, with the sum 1.

    For training, `cross_entropy` takes the logits, which is the stabler way; this turns them into probabilities.
    """

    def forward(self, x: Any) -> Any:
        return softmax(x)


ACTIVATIONS: dict[str, type[Module]] = {
    "identity": Identity,
    "linear": Identity,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "softplus": Softplus,
    "softmax": Softmax,
}


def activation_of(activation: str | Function) -> Function:
    """An activation by its name; a function is taken as it is.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists them.

    >>> activation_of("relu")
    ReLU()
    """
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        raise ValueError(f"no activation {activation!r}: give a function, or one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[activation]()
