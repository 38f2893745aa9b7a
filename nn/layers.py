"""Linear layers, and how layers are put together."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from autograd_core import Value, affine

from .activations import activation_of
from .aliases import Array, Function, Seed, as_array
from .init import glorot_uniform
from .module import Module

Initializer = Callable[[tuple[int, int], Seed], Array]
Bias = bool | Literal["folded"]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Linear(Module):
    """z = x @ weight + bias, with x of shape (..., n_in) and z of shape (..., n_out).

    Parameters
    ----------
    n_in, n_out
        The weight has the shape (n_in, n_out), so that a row of x is a sample; the bias has (n_out,) and begins at 0.
    bias
        Whether there is one; or "folded", the form of many textbooks: z = [1, x] @ weight, where the weight has the
        shape (n_in + 1, n_out) and its first row is the bias. Training is the same, to rounding.
    init
        What makes the weight from its shape and `rng`; see `nn.init`. He's suits ReLU.
    rng
        A seed or a generator.
    dtype
        Of the parameters. A float32 layer stays in float32 if its input is float32 too.

    Raises
    ------
    ValueError
        If a number of units is not positive, or if `init` makes another shape; when called, if x does not have n_in
        columns.
    TypeError
        If the dtype is not one of real or complex floats, or if `init` is no function.

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
        bias: Bias = True,
        *,
        init: Initializer = glorot_uniform,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        self.folded = bias == "folded"
        if not self.folded and not isinstance(bias, (bool, np.bool_)):
            raise ValueError(f"Linear: bias={bias!r} is neither True, False nor 'folded'")
        if n_in < 1 or n_out < 1:
            raise ValueError(f"Linear({n_in}, {n_out}): a layer has at least one input and one output")
        if not np.issubdtype(dtype, np.inexact):
            raise TypeError(f"Linear: parameters of dtype {np.dtype(dtype)} have no derivatives; np.float32 ones have")
        weight = initial((n_in, n_out), init, rng, dtype)
        self.weight = Value(np.concatenate([np.zeros((1, n_out), dtype), weight]) if self.folded else weight)
        self.bias = Value(np.zeros(n_out, dtype)) if bias and not self.folded else None

    def forward(self, x: Any) -> Any:
        try:
            if self.bias is not None:
                return affine(x, self.weight, self.bias)
            return (with_ones(x) if self.folded else x) @ self.weight
        except ValueError as error:
            n_in = self.weight.shape[0] - self.folded
            if np.shape(x)[-1:] == (n_in,):
                raise  # the input is not to blame
            raise ValueError(
                f"{self!r}: an input of shape {np.shape(x)} does not fit the weight of shape {self.weight.shape}: "
                f"its last axis is not {n_in}"
            ) from error

    def extra_repr(self) -> str:
        n_in, n_out = self.weight.shape
        bias = ", bias='folded'" if self.folded else ", bias=False" if self.bias is None else ""
        return f"{n_in - self.folded}, {n_out}{bias}"


def initial(shape: tuple[int, int], init: Initializer, rng: Seed, dtype: Any) -> Array:
    """The weight that an initializer makes, if it is one."""
    if not callable(init):
        raise TypeError(f"Linear: init={init!r} is no function of a shape and rng: give one, such as nn.he_normal")
    weight = np.array(init(shape, rng), dtype)
    if weight.shape != shape:
        raise ValueError(f"Linear: init made a weight of shape {weight.shape}, and it is (n_in, n_out), here {shape}")
    return weight


def with_ones(x: Any) -> Any:
    """[1, x]: a first column of ones, whose weights are the bias."""
    x = as_array(x)
    if not x.ndim:
        raise ValueError("a scalar has no columns")
    return np.concatenate([np.ones((*x.shape[:-1], 1), x.dtype), x], axis=-1)


class Flatten(Module):
    """All axes but the first, that of the samples, as one: (n, 28, 28) becomes (n, 784).

    Raises
    ------
    ValueError
        If x is a scalar.

    >>> Flatten()(np.ones((5, 2, 3))).shape
    (5, 6)
    """

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        if not x.ndim:
            raise ValueError("Flatten: a scalar has no axis of samples")
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))


class Sequential(Module):
    """Layers one after the other: each takes the output of the one before it.

    Raises
    ------
    TypeError
        If something is neither a layer nor a function.

    >>> model = Sequential(Linear(4, 3, rng=0), np.tanh, Linear(3, 2, bias=False, rng=1))
    >>> model
    Sequential(
      (layers.0): Linear(4, 3)
      (layers.1): <ufunc 'tanh'>
      (layers.2): Linear(3, 2, bias=False)
    )
    >>> [name for name, _ in model.named_parameters()]
    ['layers.0.weight', 'layers.0.bias', 'layers.2.weight']
    >>> len(model), model[-1], len(model[:2])
    (3, Linear(3, 2, bias=False), 2)
    """

    def __init__(self, *layers: Function) -> None:
        for layer in layers:
            if isinstance(layer, type):
                raise TypeError(
                    f"{type(self).__name__}: {layer.__name__} is a class; a layer of it is {layer.__name__}()"
                )
            if not callable(layer):
                raise TypeError(
                    f"{type(self).__name__} takes layers, or functions, one by one, and a {type(layer).__name__} is "
                    + ("none: write a layer, such as nn.ReLU()" if isinstance(layer, str) else
                       "none: of a list write Sequential(*layers)")
                )  # fmt: skip
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Function]:
        return iter(self.layers)

    def __getitem__(self, k: int | slice) -> Any:
        """A layer, or for a slice a Sequential of these very layers."""
        return Sequential(*self.layers[k]) if isinstance(k, slice) else self.layers[k]


class Residual(Sequential):
    """x + f(x), where f is its layers one after the other: what is learnt is the difference from the input.

    He, Zhang, Ren, Sun, *Deep residual learning for image recognition*, CVPR 2016.

    Raises
    ------
    ValueError
        When called, if f(x) has another shape than x, even if NumPy would broadcast it.

    >>> Residual(Linear(2, 2, rng=0), np.tanh)(np.zeros((1, 2))).data
    array([[0., 0.]])
    """

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        change = super().forward(x)
        if np.shape(change) != x.shape:
            raise ValueError(f"Residual: x of shape {x.shape} cannot be added to f(x) of shape {np.shape(change)}")
        return x + change


class MLP(Sequential):
    """A multi-layer perceptron: z² = x w¹ + b¹, a² = f(z²), z³ = a² w² + b², ...

    The parameters are named as in these equations, for drawings.

    Parameters
    ----------
    sizes
        The number of units in each layer, from the input to the output.
    activation
        The f after every layer but the last: a name (see `nn.activations`), or any function of a Value. Or a list with
        one for each layer, the last among them.
    output
        The one after the last; None stands for the same again, "identity" for none.
    bias, init, rng, dtype
        As for `Linear`.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, if there is no activation of a name, or not one for each layer in a list.
    TypeError
        If the sizes are not in a list.

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
        activation: str | Function | Sequence[str | Function] = "sigmoid",
        output: str | Function | None = None,
        *,
        bias: Bias = True,
        init: Initializer = glorot_uniform,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        if isinstance(sizes, (int, np.integer)):
            raise TypeError(f"MLP({sizes}, ...): the sizes of all layers are in one list, as in MLP([{sizes}, 16, 1])")
        if len(sizes) < 2:
            raise ValueError(f"MLP({list(sizes)}): give the numbers of inputs and of outputs at least, as in [2, 1]")
        rng = np.random.default_rng(rng)
        layers: list[Function] = []
        functions = for_each_layer(activation, output, len(sizes) - 1)
        for k, ((n_in, n_out), function) in enumerate(zip(pairwise(sizes), functions, strict=True), start=1):
            linear = Linear(n_in, n_out, bias, init=init, rng=rng, dtype=dtype)
            linear.weight.name = f"w{k}".translate(SUPERSCRIPTS)
            if linear.bias is not None:
                linear.bias.name = f"b{k}".translate(SUPERSCRIPTS)
            layers += [linear, activation_of(function)]
        super().__init__(*layers)


def for_each_layer(activation: Any, output: Any, n: int) -> list[str | Function]:
    """The activation of each of n layers, as `MLP` is given them."""
    if activation is None:
        raise TypeError("MLP: activation=None: it is a name or a function; 'identity' stands for none")
    if isinstance(activation, str) or callable(activation):
        return [activation] * (n - 1) + [activation if output is None else output]
    if len(activation) != n or output is not None:
        raise ValueError(
            f"MLP: {n} layers have {n} activations, the output's among them; given are {list(activation)}"
            + (f" and output={output!r}" if output is not None else "")
        )
    return list(activation)
