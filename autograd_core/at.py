"""Items of a Value that are replaced: `v.at[index].set(y)` is what `v[index] = y` would be, as a new Value.

An index that takes an item twice is an IndexError, but for `add`, which adds twice: NumPy and JAX keep one of the two.
"""

from typing import Any

import numpy as np

from .data import dtype_of, ndim_of, shape_of
from .registry import OPS


class At:
    """`v.at`, of which `v.at[index]` are items (JAX's spelling)."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __getitem__(self, index: Any) -> "Items":
        return Items(self.x, index)


class Items:
    """`v.at[index]`: the items of a Value, to be replaced in a copy of it."""

    def __init__(self, x: Any, index: Any) -> None:
        self.x = x
        self.index = index

    def set(self, y: Any) -> Any:
        """x with y in place of these items."""
        return OPS["index_set"](self.x, y, index=self.once())

    def add(self, y: Any) -> Any:
        """x with y added to these items, as often as the index takes them."""
        shape = shape_of(self.x[self.index])
        y = OPS["astype"](y, self.x.dtype) if dtype_of(y) != self.x.dtype else y
        y = OPS["broadcast_to"](y, shape=shape) if shape_of(y) != shape else y
        return self.x + OPS["scatter_add"](y, index=self.index, shape=self.x.shape)

    def multiply(self, y: Any) -> Any:
        """x with these items times y."""
        return self.set(self.x[self.index] * y)

    def min(self, y: Any) -> Any:
        """x with the smaller of these items and y."""
        return self.set(OPS["minimum"](self.x[self.index], y))

    def max(self, y: Any) -> Any:
        """x with the larger of these items and y."""
        return self.set(OPS["maximum"](self.x[self.index], y))

    def once(self) -> Any:
        """The index, if it takes no item twice: which of two values stays would be left to chance."""
        if not any(ndim_of(part) for part in (self.index if isinstance(self.index, tuple) else (self.index,))):
            return self.index  # numbers and slices, which may be recorded
        places = np.arange(self.x.size).reshape(self.x.shape)[self.index]
        if np.unique(places).size != places.size:
            raise IndexError("at[index] takes an item twice; only .add(y) is defined then")
        return self.index
