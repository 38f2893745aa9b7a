"""The types that many signatures share."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

Seed = int | np.random.Generator | None
"""Where randomness comes from: a seed, a generator that goes on, or None for a different result each time."""

Function = Callable[[Any], Any]
"""A layer or activation: a Module, an op, or any other function of a Value or array."""
