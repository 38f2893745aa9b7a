"""Data sets are arrays with samples on the first axis: splitting, cutting into batches, scaling, encoding labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .aliases import Array, Seed, as_array
from .checks import numbers
from .losses import checked_labels
from .module import Module


def batches(*arrays: Any, batch_size: int, shuffle: bool = True, rng: Seed = None) -> Iterator[tuple[Array, ...]]:
    """Mini-batches of all arrays together, which meet every sample once; the last may be smaller.

    Parameters
    ----------
    arrays
        Data with equally many samples on the first axis.
    batch_size
        How many samples a batch has.
    shuffle, rng
        Whether to take the samples in random order, and the seed or generator for it.

    Raises
    ------
    ValueError
        If the lengths differ, if there are no samples, or if the batch size is not positive.

    >>> [x.tolist() for (x,) in batches([1, 2, 3], batch_size=2, shuffle=False)]
    [[1, 2], [3]]
    """
    data = samples(arrays)
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: a batch has at least one sample")
    n = len(data[0])
    order = np.random.default_rng(rng).permutation(n) if shuffle else np.arange(n)
    return (tuple([array.take(rows, axis=0) for array in data]) for rows in pieces(order, batch_size))


def pieces(order: Array, size: int) -> Iterator[Array]:
    """So many at a time; the last may be fewer."""
    return (order[start : start + size] for start in range(0, len(order), size))


def split(*arrays: Any, fraction: float = 0.2, rng: Seed = None) -> tuple[Array, ...]:
    """Hold out a random fraction of the samples: first the rest and then the held-out part of each array in turn.

    The order is that of scikit-learn's `train_test_split`.

    Raises
    ------
    ValueError
        If the lengths differ, or if one of the parts would be empty.

    >>> x_train, x_test, y_train, y_test = split(np.eye(10), np.arange(10), rng=0)
    >>> x_train.shape, y_test.shape
    ((8, 10), (2,))
    """
    data = samples(arrays)
    n = len(data[0])
    held_out = round(n * fraction)
    if not 0 < held_out < n:
        raise ValueError(f"fraction={fraction} of {n} samples leaves one of the parts empty")
    order = np.random.default_rng(rng).permutation(n)
    return tuple(array[rows] for array in data for rows in (order[held_out:], order[:held_out]))


def one_hot(labels: Any, n_classes: int) -> Array:
    """A row for each label, 1 at its class and 0 elsewhere.

    Raises
    ------
    ValueError
        If a label is not an integer from 0 to n_classes - 1.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = checked_labels(labels, n_classes)
    rows = np.zeros((*labels.shape, n_classes))
    np.put_along_axis(rows, labels[..., None], 1.0, axis=-1)
    return rows


class Standardize(Module):
    """z = (x - mean) / scale: what was fitted on gets the mean 0 and the standard deviation 1 in each column.

    It is a layer without parameters: `Sequential(Standardize(x_train), MLP(...))` takes data as they come, and is saved
    with its mean and scale. Fit it on what is trained on alone, or the test data have told something of themselves.

    Parameters
    ----------
    x
        The data to fit on, of shape (n, ...). A column that is constant is only centred: its scale is 1.

    Raises
    ------
    TypeError
        If the data are no real numbers.
    ValueError
        If there are no samples, or if a number is infinite or NaN; the first is named. When called, if x has other
        columns than what it was fitted on, even if NumPy would broadcast them.

    >>> scaled = Standardize([[0.0, 5.0], [2.0, 5.0]])
    >>> scaled([[0.0, 5.0], [4.0, 6.0]])
    array([[-1.,  0.],
           [ 3.,  1.]])
    >>> scaled.inverse([[3.0, 1.0]])
    array([[4., 6.]])
    """

    mean: Array
    scale: Array

    def __init__(self, x: Any) -> None:
        (data,) = samples((numbers("x", x),))
        if data.dtype.kind == "c":
            raise TypeError(f"Standardize: data of dtype {data.dtype} have no order of size; give real numbers")
        mean, scale = data.mean(axis=0, dtype=np.float64), data.std(axis=0, dtype=np.float64)
        rounding = np.finfo(np.float64).eps * len(data) * np.abs(mean)  # as much as a constant may seem to vary
        dtype = data.dtype if data.dtype.kind == "f" else np.float64
        self.mean, self.scale = (np.asarray(a, dtype) for a in (mean, np.where(scale > rounding, scale, 1.0)))

    def forward(self, x: Any) -> Any:
        return (self.fitting(x) - self.mean) / self.scale

    def inverse(self, z: Any) -> Any:
        """x = z · scale + mean."""
        return self.fitting(z) * self.scale + self.mean

    def fitting(self, x: Any) -> Any:
        """Data with the columns that there are a mean and a scale for, or a ValueError."""
        shape, columns = np.shape(x), self.mean.shape
        if shape[max(len(shape) - len(columns), 0) :] != columns:
            raise ValueError(f"{self!r}: an input of shape {shape} does not have the columns of what it was fitted on")
        return x

    def extra_repr(self) -> str:
        return "×".join(map(str, self.mean.shape))


def samples(arrays: tuple[Any, ...]) -> list[Array]:
    """The arrays, if they have equally many samples and at least one."""
    data = [np.asarray(as_array(array)) for array in arrays]
    shapes = ", ".join(str(array.shape) for array in data)
    if not data or any(array.ndim == 0 for array in data) or len({len(array) for array in data}) > 1:
        raise ValueError(f"arrays with equally many samples on the first axis are needed; the shapes are {shapes}")
    if not len(data[0]):
        raise ValueError(f"there are no samples; the shapes are {shapes}")
    return data
