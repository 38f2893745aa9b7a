"""Losses: one number that says how far a prediction is from its target, to be made small.

Samples are on the first axis. Prediction and target may be Values or plain data; the result of plain data is plain.
Targets that are integers are taken in the prediction's dtype. Masked values are refused.

A loss is a mean, and with `sample_weight`, one number w for each sample, the weighted mean Σ w l / Σ w: a sample with
the weight 2 counts as if it were there twice. Names and formulas are those of `torch.nn.functional`, but for what the
weights do: PyTorch's `weight=w` of the classes is `sample_weight=w[labels]` here, and instead of `reduction="sum"` one
multiplies by the number of elements or samples.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import log_softmax, mean_squared_error, stop_gradient

from .aliases import Array, as_array, is_known

# Squares and distances ------------------------------------------------------------------------------------------------


def mse_loss(prediction: Any, target: Any, *, sample_weight: Any = None) -> Any:
    """The mean squared error over all elements, as in PyTorch: 1/N Σ (prediction - target)².

    N counts samples times outputs. With k outputs this is 2/k times `half_mse_loss`.

    Raises
    ------
    ValueError
        If the shapes differ, even if NumPy would broadcast them: an error of shape (n, 1) - (n,) has n² elements. Or
        if there are no elements, or if the weights are not one positive number for each sample.
    TypeError
        If the data are no numbers.

    >>> mse_loss(Value([[1.0, 2.0]]), [[0.0, 0.0]]).item()
    2.5
    >>> mse_loss(Value([[1.0], [2.0]]), [[0.0], [0.0]], sample_weight=[3.0, 1.0]).item()
    1.75
    """
    prediction, target = fitting("mse_loss", prediction, target)
    if sample_weight is None:
        return mean_squared_error(prediction, target)
    return mean("mse_loss", np.square(prediction - target), sample_weight)


def half_mse_loss(prediction: Any, target: Any, *, sample_weight: Any = None) -> Any:
    """The textbooks' quadratic cost C = 1/(2n) Σ (prediction - target)²: the sum over outputs, the mean over n samples.

    n is the length of the first axis. Nielsen, *Neural Networks and Deep Learning*, chapter 1, equation 6.

    Raises
    ------
    ValueError, TypeError
        As for `mse_loss`.

    >>> half_mse_loss(Value([[1.0, 2.0]]), [[0.0, 0.0]]).item()
    2.5
    """
    prediction, target = fitting("half_mse_loss", prediction, target)
    outputs = prediction.size / (len(prediction) if prediction.shape else 1)
    if sample_weight is None:
        mean_square = mean_squared_error(prediction, target)
        return mean_square if outputs == 2 else mean_square * (outputs / 2)
    return mean("half_mse_loss", np.square(prediction - target), sample_weight) * (outputs / 2)


def l1_loss(prediction: Any, target: Any, *, sample_weight: Any = None) -> Any:
    """The mean absolute error over all elements: 1/N Σ |prediction - target|.

    Raises
    ------
    ValueError, TypeError
        As for `mse_loss`.

    >>> l1_loss(Value([[1.0, -2.0]]), [[0.0, 0.0]]).item()
    1.5
    """
    prediction, target = fitting("l1_loss", prediction, target)
    return mean("l1_loss", np.abs(prediction - target), sample_weight)


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, sample_weight: Any = None) -> Any:
    """The mean over all elements of e²/2 where |e| ≤ delta, else delta (|e| - delta/2), with e = prediction - target.

    An outlier's gradient is no larger than delta's. Huber, *Robust estimation of a location parameter*, 1964. PyTorch's
    smooth_l1_loss with beta is `huber_loss(..., delta=beta) / beta`.

    Raises
    ------
    ValueError, TypeError
        As for `mse_loss`, or if delta is not positive.

    >>> huber_loss(Value([0.5, 3.0]), [0.0, 0.0]).item()
    1.3125
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta={delta} is not positive")
    prediction, target = fitting("huber_loss", prediction, target)
    size = np.abs(prediction - target)
    near = np.minimum(size, delta)
    return mean("huber_loss", near * (size - near * 0.5), sample_weight)


# Classes --------------------------------------------------------------------------------------------------------------


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    label_smoothing: float = 0.0,
    class_weight: Any = None,
    sample_weight: Any = None,
) -> Any:
    """The mean over samples of -log p(target), where p = softmax(logits) along the last axis.

    Parameters
    ----------
    logits
        Of shape (n, k): any real numbers, for k classes. Not probabilities.
    target
        Integer labels 0, ..., k - 1 of shape (n,), or probabilities (one-hot rows among them) of shape (n, k), for
        which it is -Σ target · log p.
    label_smoothing
        ε: the target is (1 - ε) times what it is, plus ε/k for each class. Szegedy, Vanhoucke, Ioffe, Shlens, Wojna,
        *Rethinking the Inception architecture for computer vision*, CVPR 2016, section 7.
    class_weight, sample_weight
        A number for each class, and one for each sample: the mean is weighted by the product of the weight of the
        sample and that of its class. Probabilities count as classes in proportion, so that one-hot rows are what labels
        are; PyTorch divides the sum over rows of probabilities by n, whatever the weights of their classes.

    Raises
    ------
    ValueError
        If the shapes do not fit, if a label is not an integer in range, if a probability is negative or a row of them
        does not sum to 1, if there are no elements, or if weights are negative or all 0.

    >>> cross_entropy(Value([[0.0, 0.0]]), [1]).item()  # log 2
    0.6931471805599453
    >>> round(cross_entropy(Value([[2.0, 0.0], [1.0, 1.0]]), [0, 1], class_weight=[1.0, 3.0]).item(), 6)
    0.551592
    """
    logits, target = with_classes("cross_entropy", logits, target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing={label_smoothing} is a fraction, between 0 and 1")
    return likelihood("cross_entropy", log_softmax(logits), target, label_smoothing, class_weight, sample_weight)


def nll_loss(log_probability: Any, target: Any, *, class_weight: Any = None, sample_weight: Any = None) -> Any:
    """The negative log-likelihood: the mean over samples of -log p(target), given log p of shape (n, k).

    `cross_entropy(z, target)` is `nll_loss(log_softmax(z), target)`; the rest is as there.

    Raises
    ------
    ValueError
        As for `cross_entropy`.

    >>> nll_loss(Value([[-0.5, -1.0]]), [1]).item()
    1.0
    """
    log_probability, target = with_classes("nll_loss", log_probability, target)
    return likelihood("nll_loss", log_probability, target, 0.0, class_weight, sample_weight)


def likelihood(loss: str, log_p: Any, target: Any, smoothing: float, class_weight: Any, sample_weight: Any) -> Any:
    """-Σ weight · target · log p / Σ weight · target, where the first target is smoothed."""
    *samples, k = log_p.shape
    labels = target.ndim < log_p.ndim
    plain = not smoothing and class_weight is None and sample_weight is None
    if plain and labels and is_known(target):  # a gather is quicker than a product, unless it is compiled
        return -log_p[(*np.indices(target.shape, sparse=True), target)].mean()
    dtype = np.result_type(log_p.dtype, np.float16)
    if labels:
        target = (np.arange(k) == target[..., None]).astype(dtype)
    if plain:
        return expected(log_p, target) * (-k / log_p.size)
    total = np.ones(k) if class_weight is None else checked_weights(loss, "class_weight", class_weight, [k])
    if sample_weight is not None:
        total = total * checked_weights(loss, "sample_weight", sample_weight, samples)[..., None]
    total = total.astype(dtype)
    smoothed = target * (1 - smoothing) + smoothing / k
    mass = np.broadcast_to(total, log_p.shape).sum() / k if class_weight is None else (target * total).sum()
    if labels and is_known(mass) and not mass:
        raise ValueError(
            f"{loss}: the classes of all these samples have the weight 0: there is nothing to take the mean of"
        )
    return -expected(log_p, smoothed * total) / mass


def expected(log_p: Any, share: Any) -> Any:
    """Σ share · log p, in which what has no share adds nothing, even if it is impossible: 0 · log 0 = 0."""
    numbers = stop_gradient(log_p)
    if not is_known(numbers) or numbers.min() == -np.inf:
        log_p = np.where(share > 0, log_p, 0)
    return (log_p * share).sum()


def with_classes(loss: str, scores: Any, target: Any) -> tuple[Any, Any]:
    """Scores of classes on the last axis, and checked labels or probabilities."""
    scores, target = as_floats(scores), as_array(target)
    shape = scores.shape
    if 0 in shape or not shape:
        what = "samples" if shape and shape[-1] else "classes; their last axis counts them"
        raise ValueError(f"{loss}: logits of shape {shape} hold no {what}")
    if target.shape == shape:
        chances = stop_gradient(target)
        sums = chances.sum(axis=-1) if is_known(chances) else np.ones(())
        if (wrong := ~(abs(sums - 1) < 1e-3)).any():
            raise ValueError(f"{loss}: the target's probabilities sum to {place(wrong, sums)}, not to 1")
        if is_known(chances) and (wrong := chances < 0).any():
            raise ValueError(f"{loss}: the target's probability is {place(wrong, chances)}, and none is negative")
        return scores, target
    if target.shape != shape[:-1]:
        raise ValueError(
            f"{loss}: a target of shape {target.shape} does not fit logits of shape {shape}: "
            f"give integer labels of shape {shape[:-1]} or probabilities of shape {shape}"
        )
    return scores, checked_labels(target, shape[-1])


def checked_labels(given: Any, n_classes: int) -> Array:
    """Labels as an array of integers from 0 to n_classes - 1, or a ValueError."""
    labels: Array = as_array(given)
    if labels.dtype.kind == "f" and is_known(labels) and np.isnan(labels).any():
        raise ValueError(f"labels are integers, and there is {place(np.isnan(labels), labels)}")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are integers, and these have dtype {labels.dtype}: convert them with .astype(int)")
    if labels.size and is_known(labels) and not (labels.min() >= 0 and labels.max() < n_classes):
        wrong = place((labels < 0) | (labels >= n_classes), labels)
        raise ValueError(f"labels of {n_classes} classes are 0 to {n_classes - 1}, and there is {wrong}")
    return labels


# What the losses share ------------------------------------------------------------------------------------------------


def mean(loss: str, elements: Any, sample_weight: Any) -> Any:
    """The mean of all elements, in which each sample, a place on the first axis, has its weight."""
    if sample_weight is None:
        return elements.mean()
    w = checked_weights(loss, "sample_weight", sample_weight, elements.shape[:1])
    w = w * (w.size / (w.sum() * elements.size))
    return (elements * w.reshape(w.shape + (1,) * (elements.ndim - w.ndim)).astype(elements.dtype)).sum()


def checked_weights(loss: str, name: str, given: Any, shape: Sequence[int]) -> Array:
    """Weights of this shape, none of them negative and not all 0."""
    found = as_array(given)
    if found.shape != tuple(shape):
        raise ValueError(f"{loss}: {name} has shape {found.shape}, and it is one number for each of {tuple(shape)}")
    if found.dtype.kind not in "biuf":
        raise ValueError(f"{loss}: {name} has dtype {found.dtype}, and it is made of numbers")
    if is_known(found):
        wrong = ~((found >= 0) & (found < np.inf))
        if np.any(wrong):
            raise ValueError(f"{loss}: {name} is {place(wrong, found)}; weights are finite, and not negative")
        if not np.any(found):
            raise ValueError(f"{loss}: {name} is 0 everywhere, and there is nothing to take the mean of")
    weights: Array = found.astype(np.float64)
    return weights


def fitting(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Prediction and target as Values or arrays of numbers, if their shapes are equal."""
    prediction, target = as_floats(prediction), as_array(target)
    shape = prediction.shape
    if shape != target.shape:
        hint = f": write target.reshape({shape})" if prediction.size == target.size else ""
        if target.shape == shape[:-1] and not hint:
            hint = f"; of labels it is one_hot(target, {shape[-1]}), and cross_entropy takes them as they are"
        raise ValueError(f"{loss}: the prediction has shape {shape}, the target {target.shape}{hint}")
    if 0 in shape:
        raise ValueError(f"{loss}: a prediction of shape {shape} has no elements")
    if type(target) is np.ndarray and target.dtype.kind not in "biufc":
        raise TypeError(f"{loss}: the target has dtype {target.dtype}, and it is made of numbers")
    if target.dtype.kind in "biu":  # float32 stays float32, and 1 - True is no number
        target = target.astype(prediction.dtype)
    return prediction, target


def as_floats(x: Any) -> Any:
    """A prediction as a Value or array, and integers as floats: 1 - 2 is 255 in bytes, such as those of pictures."""
    x = as_array(x)
    return x.astype(np.float64) if type(x) is np.ndarray and x.dtype.kind in "biu" else x


def place(wrong: Any, data: Any) -> str:
    """The first element that is wrong, and where it is."""
    where = tuple(int(k) for k in np.argwhere(wrong)[0])
    value = data[where] if where else data
    at = f" in row {where[0]}" + "".join(f", column {k}" for k in where[1:2]) if where else ""
    return f"{float(value):g}{at}"
