"""Penalties: what is added to a loss so that weights stay small. Biases are left out, as in the textbooks.

>>> from nn import MLP, mse_loss
>>> x, y, model = np.ones((4, 2)), np.zeros((4, 1)), MLP([2, 3, 1], rng=0)
>>> cost = mse_loss(model(x), y) + l2_penalty(model, 0.1, m=len(x))
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core import Value

from .aliases import is_known
from .layers import Linear
from .module import Module, contents


def l2_penalty(model: Module, strength: float, m: int = 1) -> Any:
    """λ/(2m) Σ |w|², over all weights of a model; m is the number of samples in the training set, not in a batch.

    Its gradient, λ/m · w, is that of `weight_decay` = λ/m in SGD, which however takes in the biases, unless these are a
    group of their own. Nielsen, *Neural Networks and Deep Learning*, chapter 3, equation 87; ridge regression is
    Hoerl, Kennard, 1970.

    Raises
    ------
    ValueError
        If the strength λ is negative, or m is not positive.

    >>> layer = Linear(2, 1, init=lambda shape, rng: np.full(shape, 3.0))
    >>> l2_penalty(layer, 0.5, m=10).item()
    0.45
    """
    return penalty("l2_penalty", model, squared, strength / 2, m)


def l1_penalty(model: Module, strength: float, m: int = 1) -> Any:
    """λ/m Σ |w|, over all weights of a model, with m as for `l2_penalty`: weights that do not help become 0.

    Nielsen, chapter 3, equation 95; the lasso is Tibshirani, *Regression shrinkage and selection via the lasso*, 1996.

    Raises
    ------
    ValueError
        If the strength λ is negative, or m is not positive.

    >>> layer = Linear(2, 1, init=lambda shape, rng: np.full(shape, -2.0))
    >>> l1_penalty(layer, 0.5, m=10).item()
    0.2
    """
    return penalty("l1_penalty", model, np.abs, strength, m)


def squared(w: Any) -> Any:
    """|w|², also of complex weights."""
    return np.square(np.abs(w) if w.dtype.kind == "c" else w)


def penalty(name: str, model: Module, function: Any, strength: float, m: int) -> Any:
    """strength/m Σ function(w)."""
    if not strength >= 0 or (is_known(m) and not m > 0):
        raise ValueError(f"{name}: the strength is not negative, and m is the number of samples, not {m}")
    sums = [np.sum(function(w)) for w in weights_of(model)]
    return sum(sums[1:], start=sums[0] if sums else 0.0) * (strength / m)  # no "0 +" in the graph


def weights_of(model: Module) -> Iterator[Any]:
    """The parameters with two axes or more, without the bias that may be folded into them."""
    found = [item for _, item in contents(model)]
    folded = {id(part.weight) for part in found if isinstance(part, Linear) and part.folded}
    for p in found:
        if isinstance(p, Value) and len(p.shape) >= 2:
            yield p[1:] if id(p) in folded else p
