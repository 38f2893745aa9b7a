"""Where the batches of an epoch come from: arrays that are cut up, or somebody's own iterable."""

import hashlib
from collections.abc import Callable, Iterator, Sized
from typing import Any

import numpy as np

from .aliases import Array
from .checks import numbers, weights
from .data import pieces, samples, split

Batch = tuple[Array, ...]
"""x and y, and perhaps the weights of the samples."""

Key = Any
"""What stands for a batch in the order of an epoch: the numbers of its samples, or the batch itself."""


class Feed:
    """What the two share."""

    def weight(self, batch: Batch) -> Any:
        """The weight of a batch in a mean over batches: how many samples, or the sum of their weights."""
        return batch[2].sum() if len(batch) > 2 else len(batch[0])


class Arrays(Feed):
    """Mini-batches of arrays, in random order."""

    def __init__(self, x: Any, y: Any, sample_weight: Any, batch_size: int, precision: Any) -> None:
        self.arrays = list(checked(x, y, sample_weight, precision=precision))
        self.batch_size = batch_size

    @property
    def size(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.arrays[0]) // self.batch_size)

    def epoch(self, rng: np.random.Generator) -> Iterator[Key]:
        """The samples of each batch of one epoch."""
        return pieces(rng.permutation(len(self.arrays[0])), self.batch_size)

    def batch(self, key: Key) -> Batch:
        """The batch of some samples."""
        return tuple([array.take(key, axis=0) for array in self.arrays])

    def set_aside(self, fraction: float, rng: np.random.Generator) -> Batch:
        """Take a random part of the data out, for validation."""
        parts = split(*self.arrays, fraction=fraction, rng=rng)
        if len(parts) > 4 and not parts[5].any():
            raise ValueError(
                "validation_split: all samples that were set aside have the weight 0, so that they say nothing: set "
                "more of them aside, or give validation=(x, y)"
            )
        self.arrays = list(parts[::2])
        return parts[1::2]

    def described(self) -> dict[str, Any]:
        """What a checkpoint says of the data."""
        return {
            "batch_size": self.batch_size,
            **{f"data.{name}": fingerprint(a) for name, a in zip(("x", "y", "weight"), self.arrays, strict=False)},
        }


class Stream(Feed):
    """Batches that somebody else makes: an iterable, or a function that makes one from a generator."""

    def __init__(self, source: Any, epochs: int, precision: Any) -> None:
        if isinstance(source, np.ndarray) or (not callable(source) and not hasattr(source, "__iter__")):
            raise TypeError(f"fit takes x and y, or an iterable of batches (x, y), not a {type(source).__name__}")
        if epochs > 1 and not callable(source) and iter(source) is source:
            raise ValueError(
                f"a {type(source).__name__} gives its batches once, and epochs={epochs}: give a list, or a function "
                "that makes those of an epoch, such as lambda rng: batches(x, y, batch_size=32, rng=rng)"
            )
        self.source: Callable[[Any], Any] = source if callable(source) else lambda rng: source
        self.size = len(source) if isinstance(source, Sized) else None
        self.precision = precision

    def epoch(self, rng: np.random.Generator) -> Iterator[Key]:
        """The batches of one epoch; a function gets a generator of its own, so that it may draw from it at any time."""
        return self.checked(self.source(np.random.default_rng(rng.integers(2**63))))

    def batch(self, key: Key) -> Batch:
        """The batch itself."""
        found: Batch = key
        return found

    def checked(self, given: Any) -> Iterator[Batch]:
        """Batches as arrays, or an error."""
        count = 0
        for count, batch in enumerate(given, start=1):
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                raise TypeError(f"a batch is (x, y) or (x, y, sample_weight), not a {type(batch).__name__}")
            yield checked(*batch, precision=self.precision, of=f" of batch {count}")
        if not count:
            raise ValueError("there are no batches: the iterable is empty, or has been used up")

    def described(self) -> dict[str, Any]:
        """What a checkpoint says of the data: of batches that are not there yet, very little."""
        return {"data": "batches"}


def checked(x: Any, y: Any, sample_weight: Any = None, *, precision: Any = None, of: str = "") -> Batch:
    """The arrays of data or of a batch, if they are numbers and equally many."""
    x, y = samples((numbers(f"x{of}", x, precision), numbers(f"y{of}", y, precision)))
    return (x, y) if sample_weight is None else (x, y, weights(sample_weight, len(x), precision))


def fingerprint(array: Array) -> str:
    """The shape, dtype and a hash of the content."""
    digest = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=8).hexdigest()
    return f"{array.dtype} {array.shape} {digest}"
