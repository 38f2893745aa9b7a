"""The types that many signatures share, and what stands for an array in them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value

Array = np.ndarray[Any, Any]

Seed = int | np.random.Generator | None
"""Where randomness comes from: a seed, a generator that goes on, or None for a different result each time."""

Function = Callable[[Any], Any]
"""A layer or activation: a Module, an op, or any other function of a Value or array."""


def as_array(x: Any) -> Any:
    """A Value or an array, also one that is being recorded; lists and numbers become arrays.

    Raises
    ------
    ValueError
        If there are masked values, whose numbers NumPy would take as if they were not.
    """
    if type(x) is Value or type(x) is np.ndarray:
        return x
    if isinstance(x, np.ndarray) and np.ma.is_masked(x):
        raise ValueError("there are masked values: remove such rows, or fill them in, as with x.filled(0.0)")
    return x if hasattr(x, "__array_function__") and not isinstance(x, np.ndarray) else np.asarray(x)


def is_known(x: Any) -> bool:
    """Whether an array has numbers that can be looked at. While `fit` records a step it has none; what a loss checks of
    them is checked before, of all the data, and again by every step that is not compiled."""
    return isinstance(x, (np.ndarray, np.generic, int, float))
