"""Static arguments of a compiled function: those that Python decides on, which are a part of the program."""

import inspect
from collections.abc import Iterable
from typing import Any


def static_arguments(fun: Any, numbers: Iterable[int], names: Iterable[str]) -> tuple[set[int], set[str]]:
    """The static arguments by place and by name: one that may be given either way is in both.

    A TypeError for a name that the function does not have.
    """
    places, by_name = set(numbers), set(names)
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):  # it does not say what it takes
        return places, by_name
    if not any(p.kind is p.VAR_KEYWORD for p in parameters) and (other := by_name - {p.name for p in parameters}):
        raise TypeError(f"jit: {getattr(fun, '__name__', fun)} has no argument {', '.join(sorted(other))} to be static")
    for k, p in enumerate(parameters):
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and (k in places or p.name in by_name):
            places.add(k)
            by_name.add(p.name)
    return places, by_name


def static_key(name: int | str, x: Any) -> Any:
    """A static argument as a part of the key; a TypeError if it cannot be one."""
    try:
        hash(x)
    except TypeError:
        raise TypeError(
            f"jit: the static argument {name} is a {type(x).__name__}, which is not hashable: programs are kept by the "
            "values of static arguments; give a tuple, a string or a number"
        ) from None
    return exactly(x)


def exactly(x: Any) -> Any:
    """A static argument as a key that tells 1, 1.0 and True apart, and 0.0 and -0.0, also in tuples."""
    kind = type(x)
    return (kind, *map(exactly, x)) if isinstance(x, tuple) else (kind, repr(x) if isinstance(x, float) else x)
