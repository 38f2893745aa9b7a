"""Random numbers of layers, noted and played back.

A layer draws from its own generator while it computes: dropout its mask. A compiled step cannot, so the numbers of each
step are drawn before it, by the same generator and in the same order, and handed in. What is drawn, and in what shapes,
is noted while a step runs uncompiled.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .module import Module, walk

METHODS = (
    "random", "standard_normal", "normal", "uniform", "integers", "standard_exponential", "exponential", "binomial",
    "laplace", "standard_gamma", "gamma", "beta", "poisson", "lognormal",
)  # fmt: skip
"""What can be played back. What else is drawn is not noticed here, but the generator's state will have changed."""


class Draw(NamedTuple):
    """One call of a generator."""

    generator: np.random.Generator
    method: str
    args: tuple[Any, ...]
    settings: dict[str, Any]
    shape: tuple[int, ...]
    dtype: Any

    def again(self) -> Any:
        """The next numbers of the same kind."""
        return getattr(self.generator, self.method)(*self.args, **self.settings)

    def same(self, method: str, args: tuple[Any, ...], settings: dict[str, Any]) -> bool:
        """Whether this is such a call."""
        return repr((self.method, self.args, self.settings)) == repr((method, args, settings))


class Tape(np.random.Generator):
    """Takes a generator's place in a module, with its very state."""

    def __init__(self, generator: np.random.Generator, hear: Callable[..., Any]) -> None:
        super().__init__(generator.bit_generator)
        self.generator = generator
        self.hear = hear


def heard(method: str) -> Callable[..., Any]:
    """The method that asks the tape's listener."""

    def draw(self: Tape, *args: Any, **settings: Any) -> Any:
        return self.hear(self.generator, method, args, settings)

    return draw


for _method in METHODS:
    setattr(Tape, _method, heard(_method))


@contextmanager
def taped(model: Module, hear: Callable[..., Any]) -> Iterator[None]:
    """Tapes in the place of all generators of a model; one that is shared stays shared."""
    tapes: dict[int, Tape] = {}
    replaced = []
    for _, module, _, _ in walk(model):
        if isinstance(module, Module):
            for name, item in vars(module).items():
                if isinstance(item, np.random.Generator):
                    replaced.append((vars(module), name, item))
    try:
        for holder, name, generator in replaced:
            holder[name] = tapes.setdefault(id(generator), Tape(generator, hear))
        yield
    finally:
        for holder, name, generator in replaced:
            holder[name] = generator


@contextmanager
def noting(model: Module) -> Iterator[list[Draw]]:
    """What the layers draw, added to a list as they do."""
    notes: list[Draw] = []

    def hear(generator: np.random.Generator, method: str, args: Any, settings: Any) -> Any:
        found = getattr(generator, method)(*args, **settings)
        notes.append(Draw(generator, method, args, settings, np.shape(found), np.asarray(found).dtype))
        return found

    with taped(model, hear):
        yield notes


@contextmanager
def playing(model: Module, notes: Iterable[Draw], numbers: Iterable[Any]) -> Iterator[None]:
    """Given numbers in the place of those that the layers draw, in the same order.

    Raises
    ------
    TypeError
        If something else is drawn than was noted.
    """
    rest = iter(list(zip(notes, numbers, strict=True)))

    def hear(generator: np.random.Generator, method: str, args: Any, settings: Any) -> Any:
        draw, found = next(rest, (None, None))
        if draw is None or draw.generator is not generator or not draw.same(method, args, settings):
            raise TypeError("its layers do not draw the same kinds of random numbers in every step")
        return found

    with taped(model, hear):
        yield
    if next(rest, None) is not None:
        raise TypeError("its layers do not draw as many random numbers in every step")
