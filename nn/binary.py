"""Losses for two classes, each element a target of its own: 0, 1, or a probability between them."""

from typing import Any

import numpy as np

from autograd_core import primitive, sigmoid, softplus, stop_gradient

from .aliases import is_known
from .losses import fitting, mean, place

LEAST = -100.0
"""Logarithms stop here, as in PyTorch: the loss of a wrong certainty is large, not infinite."""


def logarithms(p: Any) -> tuple[Any, Any]:
    """log p and log (1 - p)."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), LEAST), np.maximum(np.log1p(-p), LEAST)


@primitive(
    partials=[
        lambda out, p, y: (p - y) / np.maximum(p * (1 - p), 1e-12),
        lambda out, p, y: np.subtract(*logarithms(p)[::-1]),
    ]
)
def binary_entropy(p: Any, y: Any) -> Any:
    """-(y log p + (1 - y) log(1 - p)), for chances p and y."""
    wrong = (p < 0) | (p > 1)
    if np.any(wrong):
        raise ValueError(
            f"binary_cross_entropy: {place(wrong, p)} is no probability; if these are logits, write "
            "binary_cross_entropy_with_logits"
        )
    check_chances("binary_cross_entropy", y)
    yes, no = logarithms(p)
    return -(y * yes + (1 - y) * no)


@primitive(partials=[lambda out, z, y: sigmoid(z) - y, lambda out, z, y: -z])
def logistic_entropy(z: Any, y: Any) -> Any:
    """The same for p = σ(z): log(1 + eᶻ) - y z."""
    return softplus(z) - y * z


def check_chances(loss: str, y: Any) -> None:
    """A ValueError for a target that is no chance."""
    wrong = ~((y >= 0) & (y <= 1))
    if is_known(wrong) and np.any(wrong):
        raise ValueError(f"{loss}: the target is {place(wrong, y)}, and it is 0, 1, or a probability between them")


def binary_cross_entropy(probability: Any, target: Any, *, sample_weight: Any = None) -> Any:
    """The mean over all elements of -(y log p + (1 - y) log(1 - p)), where p is the predicted probability of y = 1.

    `binary_cross_entropy_with_logits` is the stabler way: a sigmoid that has reached 1 has no derivative to learn from.
    Weights of the classes are those of their samples: `sample_weight=np.where(y == 1, 3.0, 1.0)`.

    Raises
    ------
    ValueError, TypeError
        As for `mse_loss`, or if a probability or target is not between 0 and 1.

    >>> binary_cross_entropy(Value([0.5, 0.5]), [1.0, 0.0]).item()  # log 2
    0.6931471805599453
    """
    p, y = fitting("binary_cross_entropy", probability, target)
    return mean("binary_cross_entropy", binary_entropy(p, y), sample_weight)


def binary_cross_entropy_with_logits(logits: Any, target: Any, *, sample_weight: Any = None) -> Any:
    """The same for p = σ(z), given any real z: the mean over all elements of log(1 + eᶻ) - y z.

    The derivative of an element is σ(z) - y: it does not vanish where the prediction is wrong.

    Raises
    ------
    ValueError, TypeError
        As for `mse_loss`, or if a target is not between 0 and 1.

    >>> binary_cross_entropy_with_logits(Value([1000.0, 0.0]), [1.0, 0.0]).item()  # log(2) / 2
    0.34657359027997264
    """
    z, y = fitting("binary_cross_entropy_with_logits", logits, target)
    check_chances("binary_cross_entropy_with_logits", stop_gradient(y))
    return mean("binary_cross_entropy_with_logits", logistic_entropy(z, y), sample_weight)
