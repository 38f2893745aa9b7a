"""Metrics: numbers for people to read, not differentiated."""

from typing import Any

import numpy as np

from autograd_core import stop_gradient

from .aliases import as_array, is_known


def accuracy(prediction: Any, labels: Any) -> Any:
    """The fraction of samples whose largest output is that of the right class.

    Parameters
    ----------
    prediction
        Of shape (n, k): outputs, logits or probabilities for k classes. A single output has no largest: its threshold
        is 0.5 for a probability and 0 for a logit, as in `lambda p, y: np.mean((p > 0.5) == y)`.
    labels
        The classes as integers of shape (n,), or one-hot rows of shape (n, k).

    Raises
    ------
    ValueError
        If the shapes do not fit, if there are no samples, or if there is a single output.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    scores, labels = as_array(stop_gradient(prediction)), as_array(labels)
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"accuracy: labels are the numbers of classes, and these have dtype {labels.dtype}")
    if labels.shape == scores.shape and scores.ndim == 2:
        labels = labels.argmax(axis=1)
    if scores.ndim != 2 or not scores.size or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"accuracy: predictions of shape (n, k) and n labels are needed; the shapes are {scores.shape} and "
            f"{labels.shape}"
        )
    if scores.shape[1] == 1:
        raise ValueError(
            "accuracy: the largest of a single output is always that output; give a metric with its threshold, such as "
            "lambda p, y: np.mean((p > 0.5) == y)"
        )
    fraction = np.mean(scores.argmax(axis=1) == labels)
    return float(fraction) if is_known(fraction) else fraction
