"""Indices of known numbers that are evenly spaced in memory, as those of a diagonal are: slices of the axes as one."""

import math
from typing import Any

import numpy as np

from .ir import Shape


def as_slice(index: Any, shape: Shape) -> tuple[Shape, tuple[Any, ...]] | None:
    """For x[..., i, j], with i and j known, the shape in which the axes of i and j are one, and the index of it.

    None if that is no slice; a number that is out of range is for NumPy to refuse.

    >>> i = np.arange(3)
    >>> as_slice((..., i, i + 1), (2, 4, 5))
    ((2, 20), (Ellipsis, slice(1, 14, 6)))
    """
    parts = index if isinstance(index, tuple) else (index,)
    known = parts[1:] if parts and parts[0] is Ellipsis else parts
    count = len(known)
    if not all(isinstance(k, (np.ndarray, list)) for k in known) or not 0 < count <= len(shape):
        return None
    numbers = [np.asarray(k) for k in known]
    if any(k.dtype.kind not in "iu" or k.ndim != 1 or k.shape != numbers[0].shape or not k.size for k in numbers):
        return None
    if known is parts and count < len(shape):
        return None
    sizes = shape[len(shape) - count :]
    if any((k < -n).any() or (k >= n).any() for k, n in zip(numbers, sizes, strict=True)):
        return None
    places = np.ravel_multi_index([k % n for k, n in zip(numbers, sizes, strict=True)], sizes)
    step = int(places[1] - places[0]) if len(places) > 1 else 1
    if step <= 0 or (np.diff(places) != step).any():
        return None
    first, last = int(places[0]), int(places[-1])
    return (*shape[: len(shape) - count], math.prod(sizes)), (Ellipsis, slice(first, last + 1, step))
