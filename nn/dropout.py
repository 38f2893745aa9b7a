"""Dropout: noise that keeps units from relying on each other."""

from typing import Any

import numpy as np

from autograd_core import stop_gradient

from .aliases import Seed, as_array, is_known
from .module import Module


class Dropout(Module):
    """While training each element is set to 0 with probability p, and the others are divided by 1 - p.

    So the mean stays what it is, and in `eval` mode nothing is to be done: that is *inverted* dropout. Srivastava,
    Hinton, Krizhevsky, Sutskever, Salakhutdinov, *Dropout: a simple way to prevent neural networks from overfitting*,
    JMLR 2014.

    Parameters
    ----------
    p
        The probability of an element to be dropped.
    rng
        A seed or a generator; kept as the attribute `rng`, whose state decides what the next batch loses.

    Raises
    ------
    ValueError
        If p is not in [0, 1).
    TypeError
        When called while it is trained and `jit` records, which would keep one mask for all calls.

    >>> layer = Dropout(0.5, rng=0)
    >>> layer([1.0, 1.0, 1.0, 1.0])
    array([2., 2., 2., 0.])
    >>> layer.eval()([1.0, 1.0, 1.0, 1.0])
    array([1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, rng: Seed = None) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p={p} is the probability of being dropped, at least 0 and less than 1")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        if not self.training or not self.p:
            return x
        drawn = self.rng.random(x.shape, np.float32)
        if is_known(drawn) and not is_known(stop_gradient(x)):
            raise TypeError(
                "Dropout: jit would record this one mask for all calls: call model.eval() before, or train with "
                "fit(..., compiled=True), which draws a mask for each step"
            )
        kept = drawn >= self.p
        return x * (kept.astype(np.result_type(x.dtype, np.float16)) * (1 / (1 - self.p)))

    def extra_repr(self) -> str:
        return f"{self.p:g}"
