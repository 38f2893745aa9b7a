"""Losses: one number that says how far a prediction is from its target, to be made small.

Samples are on the first axis. Prediction and target may be Values or plain data; the result of plain data is plain.
"""

from typing import Any

import numpy as np

from autograd_core import Value, log_softmax, mean_squared_error

from .aliases import Array


def mse_loss(prediction: Any, target: Any) -> Any:
    """The mean squared error over all elements, as in PyTorch: 1/N Σ (prediction - target)².

    N counts samples times outputs. With k outputs this is 2/k times `half_mse_loss`.

    Raises
    ------
    ValueError
        If the shapes differ, even if NumPy would broadcast them: an error of shape (n, 1) - (n,) has n² elements. Or
        if there are no elements.

    >>> mse_loss(Value([[1.0, 2.0]]), [[0.0, 0.0]]).item()
    2.5
    """
    return mean_squared_error(*fitting("mse_loss", prediction, target))


def half_mse_loss(prediction: Any, target: Any) -> Any:
    """The textbooks' quadratic cost C = 1/(2n) Σ (prediction - target)²: the sum over outputs, the mean over n samples.

    n is the length of the first axis. Nielsen, *Neural Networks and Deep Learning*, chapter 1, equation 6.

    Raises
    ------
    ValueError
        If the shapes differ, or if there are no elements.

    >>> half_mse_loss(Value([[1.0, 2.0]]), [[0.0, 0.0]]).item()
    2.5
    """
    prediction, target = fitting("half_mse_loss", prediction, target)
    outputs = prediction.size / (len(prediction) if prediction.shape else 1)
    return mean_squared_error(prediction, target) * (outputs / 2)


def cross_entropy(logits: Any, target: Any) -> Any:
    """The mean over samples of -log p(target), where p = softmax(logits) along the last axis.

    Parameters
    ----------
    logits
        Of shape (n, k): any real numbers, for k classes. Not probabilities.
    target
        Integer labels 0, ..., k - 1 of shape (n,), or probabilities (one-hot rows among them) of shape (n, k), for
        which it is -Σ target · log p.

    Raises
    ------
    ValueError
        If the shapes do not fit, if a label is not an integer in range, or if there are no elements.

    >>> cross_entropy(Value([[0.0, 0.0]]), [1]).item()  # log 2
    0.6931471805599453
    """
    logits, target = as_array(logits), as_array(target)
    shape = logits.shape
    if 0 in shape or not shape:
        raise ValueError(f"cross_entropy: logits of shape {shape} hold no classes; their last axis counts them")
    if target.shape == shape:
        return (log_softmax(logits) * target).sum() * (-shape[-1] / logits.size)
    if target.shape != shape[:-1]:
        raise ValueError(
            f"cross_entropy: a target of shape {target.shape} does not fit logits of shape {shape}: "
            f"give integer labels of shape {shape[:-1]} or probabilities of shape {shape}"
        )
    labels = checked_labels(target, shape[-1])
    return -log_softmax(logits)[(*np.indices(labels.shape, sparse=True), labels)].mean()


def checked_labels(given: Any, n_classes: int) -> Array:
    """Labels as an array of integers from 0 to n_classes - 1, or a ValueError."""
    labels: Array = np.asarray(given)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are integers, and these have dtype {labels.dtype}: convert them with .astype(int)")
    if labels.size and not (labels.min() >= 0 and labels.max() < n_classes):
        raise ValueError(
            f"labels of {n_classes} classes are 0 to {n_classes - 1}, and these are {labels.min()} to {labels.max()}"
        )
    return labels


def fitting(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Prediction and target as Values or arrays, if their shapes are equal."""
    prediction, target = as_array(prediction), as_array(target)
    shape = prediction.shape
    if shape != target.shape:
        hint = f": write target.reshape({shape})" if prediction.size == target.size else ""
        raise ValueError(f"{loss}: the prediction has shape {shape}, the target {target.shape}{hint}")
    if 0 in shape:
        raise ValueError(f"{loss}: a prediction of shape {shape} has no elements")
    return prediction, target


def as_array(x: Any) -> Any:
    """A Value or an array; lists and numbers become arrays."""
    return x if type(x) is Value or type(x) is np.ndarray else np.asarray(x)
