"""Activations: the functions between the layers. They have no parameters, and act on each element (softmax: each row).

Any other function of a Value can stand in their place: `Sequential(Linear(2, 3), np.sin)`.
"""

import math
from typing import Any

import numpy as np

from autograd_core import normal_cdf, relu, sigmoid, softmax, softplus

from .aliases import Function, as_array
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


class LeakyReLU(Module):
    """x where it is positive, else negative_slope · x: a ReLU that never stops to learn. At 0 the derivative is the
    slope.

    Maas, Hannun, Ng, *Rectifier nonlinearities improve neural network acoustic models*, ICML 2013.

    >>> LeakyReLU(0.1)([-1.0, 2.0])
    array([-0.1,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        return np.where(x > 0, x, x * self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope:g}"


class ELU(Module):
    """x where it is positive, else alpha (eˣ - 1). Clevert, Unterthiner, Hochreiter, *Fast and accurate deep network
    learning by exponential linear units (ELUs)*, ICLR 2016.

    >>> ELU()([-1.0, 2.0]).round(4)
    array([-0.6321,  2.    ])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        return np.where(x > 0, x, np.expm1(np.where(x > 0, 0, x)) * self.alpha)  # eˣ of a large x would overflow

    def extra_repr(self) -> str:
        return f"{self.alpha:g}"


class GELU(Module):
    """x Φ(x), where Φ is the distribution function of the normal distribution: x, as far as it is likely to be large.

    `approximate="tanh"` takes x (1 + tanh u) / 2 = x σ(2u) with u = √(2/π) (x + 0.044715 x³) instead, which differs by
    less than 0.0005. Hendrycks, Gimpel, *Gaussian error linear units (GELUs)*, 2016.

    Raises
    ------
    ValueError
        If `approximate` is neither "none" nor "tanh".

    >>> GELU()([-1.0, 2.0]).round(4), GELU(approximate="tanh")([-1.0, 2.0]).round(4)
    (array([-0.1587,  1.9545]), array([-0.1588,  1.9546]))
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate={approximate!r}: it is 'none' or 'tanh'")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        if self.approximate == "none":
            return x * normal_cdf(x)
        scale = 2 * math.sqrt(2 / math.pi)
        return x * sigmoid(x * (x * x * (0.044715 * scale) + scale))

    def extra_repr(self) -> str:
        return "" if self.approximate == "none" else "approximate='tanh'"


class SiLU(Module):
    """x σ(x), also called swish. Elfwing, Uchibe, Doya, *Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning*, 2017.

    >>> SiLU()([0.0, 100.0])
    array([  0., 100.])
    """

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        return x * sigmoid(x)


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
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
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
