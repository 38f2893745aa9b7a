"""Batch normalization: each feature is shifted and scaled as the batch says."""

from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient

from .aliases import Array, as_array, is_known
from .module import Module


class BatchNorm1d(Module):
    """y = weight · (x - mean) / √(var + eps) + bias, for each feature of x of shape (n, num_features).

    While training, mean and var = 1/n Σ (x - mean)² are those of the batch, the gradient goes through them too, and
    running averages of them are kept; in `eval` mode these are taken:

        running_mean ← (1 - momentum) · running_mean + momentum · mean
        running_var  ← (1 - momentum) · running_var  + momentum · var · n / (n - 1)

    as in PyTorch. Ioffe, Szegedy, *Batch normalization: accelerating deep network training by reducing internal
    covariate shift*, ICML 2015, algorithms 1 and 2.

    Parameters
    ----------
    num_features
        The number of columns of x.
    eps, momentum
        As above.
    dtype
        Of the parameters `weight` and `bias`, which begin at 1 and 0, and of the running averages, which do as well.

    Raises
    ------
    ValueError
        When called, if x does not have the shape (n, num_features), or is a batch of one sample while training.
    TypeError
        When called while it is trained and `jit` records, which would lose the running averages.

    >>> layer = BatchNorm1d(1)
    >>> layer([[1.0], [3.0]]).data.round(4)
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean, layer.running_var
    (array([0.2]), array([1.1]))
    >>> layer.eval()([[0.2]]).data
    array([[0.]])
    """

    weight: Any
    bias: Any
    running_mean: Array
    running_var: Array

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, dtype: Any = np.float64) -> None:
        if num_features < 1 or not eps >= 0 or not 0 <= momentum <= 1:
            raise ValueError(
                f"BatchNorm1d({num_features}, eps={eps}, momentum={momentum}): there is at least one feature, "
                "eps is not negative, and the momentum is between 0 and 1"
            )
        self.eps = eps
        self.momentum = momentum
        self.weight = Value(np.ones(num_features, dtype))
        self.bias = Value(np.zeros(num_features, dtype))
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)

    def forward(self, x: Any) -> Any:
        x = as_array(x)
        if x.ndim != 2 or x.shape[1] != len(self.running_mean):
            raise ValueError(f"{self!r}: an input of shape {x.shape} is not of shape (n, {len(self.running_mean)})")
        if not self.training:
            centred, var = x - self.running_mean, self.running_var
        else:
            if len(x) < 2:
                raise ValueError(
                    f"{self!r}: a batch of {len(x)} has no variance to train with: choose a batch_size that leaves no "
                    "such rest, or call model.eval() to use the running averages"
                )
            mean = np.mean(x, axis=0)
            centred = x - mean
            var = np.mean(np.square(centred), axis=0)
            self.follow(len(x), stop_gradient(mean), stop_gradient(var))
        return centred * (self.weight / np.sqrt(var + self.eps)) + self.bias

    def follow(self, n: int, mean: Array, var: Array) -> None:
        """Let the running averages follow. They are made anew: a graph may still hold the ones before."""
        if is_known(self.running_mean) and not is_known(mean):
            raise TypeError(
                f"{type(self).__name__}: running averages do not leave a function that jit records: call model.eval() "
                "before, or train with fit(..., compiled=True), which carries them along"
            )
        kept, new, dtype = 1 - self.momentum, self.momentum, self.running_mean.dtype
        self.running_mean = (kept * self.running_mean + new * mean).astype(dtype, copy=False)
        self.running_var = (kept * self.running_var + new * n / (n - 1) * var).astype(dtype, copy=False)

    def extra_repr(self) -> str:
        return f"{len(self.running_mean)}, eps={self.eps:g}, momentum={self.momentum:g}"
