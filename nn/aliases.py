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
    """A Value or an array; lists and numbers become arrays."""
    return x if type(x) is Value or type(x) is np.ndarray else np.asarray(x)
