"""Linear layers, and how layers are put together."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_core import Value, affine

from .activations import activation_of
from .aliases import Array, Function, Seed
from .init import glorot_uniform
from .module import Module

Initializer = Callable[[tuple[int, int], Seed], Array]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Linear(Module):
    """z = x @ weight + bias, with x of shape (..., n_in) and z of shape (..., n_out).

    Parameters
    ----------
    n_in, n_out
        The weight has the shape (n_in, n_out), so that a row of x is a sample; the bias has (n_out,) and begins at 0.
    bias
        Whether there is one.
    init
        What makes the weight from its shape and `rng`; see `nn.init`. He's suits ReLU.
    rng
        A seed or a generator.
    dtype
        Of the parameters. A float32 layer stays in float32 if its input is float32 too.

    Raises
    ------
    ValueError
        When called, if x does not have n_in columns.

    >>> layer = Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    >>> layer(np.ones((5, 4)))
    Traceback (most recent call last):
        ...
    ValueError: Linear(3, 2): an input of shape (5, 4) does not fit the weight of shape (3, 2): its last axis is not 3
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        *,
        init: Initializer = glorot_uniform,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        if n_in < 1 or n_out < 1:
            raise ValueError(f"Linear({n_in}, {n_out}): a layer has at least one input and one output")
        if not np.issubdtype(dtype, np.inexact):
            raise TypeError(f"Linear: parameters of dtype {np.dtype(dtype)} have no derivatives; np.float32 ones have")
        self.weight = Value(init((n_in, n_out), rng).astype(dtype))
        self.bias = Value(np.zeros(n_out, dtype)) if bias else None

    def forward(self, x: Any) -> Any:
        try:
            return x @ self.weight if self.bias is None else affine(x, self.weight, self.bias)
        except ValueError as error:
            n_in = self.weight.shape[0]
            if np.shape(x)[-1:] == (n_in,):
                raise  # the input is not to blame
            raise ValueError(
                f"{self!r}: an input of shape {np.shape(x)} does not fit the weight of shape {self.weight.shape}: "
                f"its last axis is not {n_in}"
            ) from error

    def extra_repr(self) -> str:
        n_in, n_out = self.weight.shape
        return f"{n_in}, {n_out}" if self.bias is not None else f"{n_in}, {n_out}, bias=False"


class Sequential(Module):
    """Layers one after the other: each takes the output of the one before it.

    >>> model = Sequential(Linear(4, 3, rng=0), np.tanh, Linear(3, 2, bias=False, rng=1))
    >>> model
    Sequential(
      (layers.0): Linear(4, 3)
      (layers.1): <ufunc 'tanh'>
      (layers.2): Linear(3, 2, bias=False)
    )
    >>> [name for name, _ in model.named_parameters()]
    ['layers.0.weight', 'layers.0.bias', 'layers.2.weight']
    """

    def __init__(self, *layers: Function) -> None:
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """A multi-layer perceptron: z² = x w¹ + b¹, a² = f(z²), z³ = a² w² + b², ...

    The parameters are named as in these equations, for drawings.

    Parameters
    ----------
    sizes
        The number of units in each layer, from the input to the output.
    activation
        The f after every layer but the last: a name (see `nn.activations`), or any function of a Value.
    output
        The one after the last; None stands for the same again, "identity" for none.
    init, rng, dtype
        As for `Linear`.

    >>> model = MLP([2, 3, 1], rng=0)
    >>> model
    MLP(
      (layers.0): Linear(2, 3)
      (layers.1): Sigmoid()
      (layers.2): Linear(3, 1)
      (layers.3): Sigmoid()
    )
    >>> [(p.name, p.shape) for p in model.parameters()]
    [('w¹', (2, 3)), ('b¹', (3,)), ('w²', (3, 1)), ('b²', (1,))]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Function = "sigmoid",
        output: str | Function | None = None,
        *,
        init: Initializer = glorot_uniform,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP({list(sizes)}): give the numbers of inputs and of outputs at least, as in [2, 1]")
        rng = np.random.default_rng(rng)
        layers: list[Function] = []
        for k, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
            linear = Linear(n_in, n_out, init=init, rng=rng, dtype=dtype)
            linear.weight.name = f"w{k}".translate(SUPERSCRIPTS)
            linear.bias.name = f"b{k}".translate(SUPERSCRIPTS)
            layers += [linear, activation_of(activation)]
        if output is not None:
            layers[-1] = activation_of(output)
        super().__init__(*layers)
