"""Which part of a graph a call made: the mark that a module leaves on its result, for drawings.

Not every operation is marked, only results. A call knows the time at which it began, and a node has the stamp of its
own; so the operations of a call are those that are stamped in between, and calls inside of calls are nested intervals.
A mark holds the module and no Value: it adds no cycle to a graph, unless a module itself keeps its result.
"""

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from .value import Value, clock


def drawn_as_one(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose calls drawings show as one card: what `nn.Module` makes of `forward`.

    Drawings show as much of the object as it tells: `named_parameters()` and `named_modules()` yield the dotted names
    of what it holds, as in PyTorch. What is computed, and its derivatives, stay the same. Copied and pickled graphs
    have no marks.

    >>> class Line:
    ...     def __init__(self, slope):
    ...         self.slope = Value(slope)
    ...
    ...     @drawn_as_one
    ...     def __call__(self, x):
    ...         return self.slope * x + 1.0
    >>> f, g, h = Line(2.0), Line(3.0), Line(4.0)
    >>> draw(h(g(f(1.0))), view="model")
    <Drawing of Line → Line → Line: 3 cards, 2 arrows>
    """

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        start = next(clock)
        out = forward(self, *args, **kwargs)
        mark(self, start, out if type(out) in (list, tuple) else (out,))
        return out

    def call_one(self: Any, x: Any) -> Any:  # the common case: to pack arguments would cost as much as the mark
        start = next(clock)
        out = forward(self, x)
        if type(out) is Value:
            if out.stamp > start:
                marks = out._marks  # name and calls at once: by their properties this takes a tenth of a layer's time
                out._marks = (None, (self, start, None)) if marks is None else (marks[0], (self, start, marks[1]))
        elif type(out) in (list, tuple):
            mark(self, start, out)
        return out

    takes = [*inspect.signature(forward).parameters.values()][1:]
    is_simple = [x.name for x in takes] == ["x"] and takes[0].default is Parameter.empty
    return functools.wraps(forward)(call_one if is_simple else call)


def mark(module: Any, start: int, results: Any) -> None:
    """Mark those results that were computed since the call began; one that was only passed on is none of its own."""
    for out in results:
        if type(out) is Value and out.stamp > start:
            out.calls = (module, start, out.calls)


def calls_of(node: Value) -> list[tuple[Any, int]]:
    """The modules whose calls returned this Value, outermost first, and when each call began."""
    found: list[tuple[Any, int]] = []
    at = node.calls
    while at is not None:
        module, start, at = at
        found.append((module, start))
    return found
