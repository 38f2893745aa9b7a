"""Watching closely: where each operation was recorded, whether an array was written into since, where nan began.

All of this costs time and memory, so it is done only within `with debug():`.
"""

import sys
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .blocks import block
from .data import QUIET
from .exact import pull_back_masked
from .graph import ancestors
from .recording import watched_by
from .value import Value, plain

PACKAGE = __file__.removesuffix("debug.py")


class Record(NamedTuple):
    """What is remembered of an operation."""

    where: str
    """File and line of the caller."""

    prints: tuple[int | None, ...]
    """The fingerprints of what it took and, last, of its result."""

    node: weakref.ref[Value]


class Cut(NamedTuple):
    """What is remembered of an operation on Values that was not recorded, under `no_grad`."""

    where: str
    name: str
    inputs: tuple[weakref.ref[Value], ...]


class Watcher:
    """The notes on the operations of a `debug` block."""

    def __init__(self, stop_at_nonfinite: bool) -> None:
        self.stop_at_nonfinite = stop_at_nonfinite

    def recorded(self, node: Value) -> None:
        """Take note of an operation; stop at one that makes nan or inf out of finite numbers."""
        where = caller()
        NOTES[id(node)] = Record(where, tuple(map(fingerprint, (*node.inputs, node))), weakref.ref(node))
        weakref.finalize(node, NOTES.pop, id(node), None).atexit = False
        if self.stop_at_nonfinite and is_origin(node):
            raise FloatingPointError(f"{where}: {describe_origin(node)}")

    def dropped(self, op: Any, out: Any, inputs: tuple[Any, ...]) -> None:
        """Take note of an operation whose result is plain, if it is an array, which can be known again."""
        if isinstance(out, np.ndarray):
            CUTS[id(out)] = Cut(caller(), op.name, tuple([weakref.ref(x) for x in inputs if type(x) is Value]))
            weakref.finalize(out, CUTS.pop, id(out), None).atexit = False

    def before_pass(self, start: Any, **settings: Any) -> None:
        """See whether an array was written into since an operation took or made it, and where a backward pass, which
        begins with a dictionary of gradients, makes nan or inf out of finite numbers.
        """
        for node in sorted(ancestors(start), key=lambda x: x.stamp):
            note = NOTES.get(id(node))
            if note is None:
                continue
            for k, (x, before) in enumerate(zip((*node.inputs, node), note.prints, strict=True)):
                if fingerprint(x) != before:
                    name = f" {x.name!r}" if type(x) is Value and x.name else ""
                    what = f"the result{name}" if x is node else f"input {k}{name}"
                    raise RuntimeError(
                        f"{what} of {node.op.name}, recorded at {note.where}, was written into before the "
                        f"pass at {caller()}: its derivative would be wrong. Write into a copy, x.copy()"
                    )
        if self.stop_at_nonfinite and isinstance(start, dict):
            found = first_nonfinite(start, **settings)
            if found is not None:
                raise FloatingPointError(located(found[0]) + describe_backward(*found))


NOTES: dict[int, Record] = {}
"""The notes on each operation that is alive, by its identity."""

CUTS: dict[int, Cut] = {}
"""The notes on each array that is alive and was computed from Values without being recorded, by its identity."""


@block
def debug(*, stop_at_nonfinite: bool = True) -> Iterator[None]:
    """Within this block every operation of this thread is recorded with file, line, and fingerprints of its inputs.

    A pass within it, backward or forward, raises if an array that was recorded has been written into. An operation that
    makes nan or inf out of finite numbers raises at once, forward or on the way back, unless `stop_at_nonfinite=False`.

    Raises
    ------
    RuntimeError
        When a pass begins, if data changed behind the engine's back.
    FloatingPointError
        At the operation where nan or inf begins, or when a backward pass begins in which a derivative is not finite.

    >>> x = Value([0.0, 1.0])
    >>> with debug():
    ...     np.log(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    FloatingPointError: ...: log made -inf at (0,) out of finite numbers; its input lies between 0 and 1
    """
    with np.errstate(all="ignore"), watched_by(Watcher(stop_at_nonfinite)):
        yield


def caller() -> str:
    """The file and line that called into this package."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "the top level"


def located(node: Value) -> str:
    """File and line of an operation, if they are known."""
    note = NOTES.get(id(node))
    return f"{note.where}: " if note is not None else ""


def fingerprint(x: Any) -> int | None:
    """A hash of the bytes of an array, or of the arrays in an index, in which their order counts; else None."""
    data = plain(x)
    if isinstance(data, (list, tuple)):
        return hash(tuple([part if isinstance(part, (int, float)) else fingerprint(part) for part in data]))
    return hash(data.tobytes()) if isinstance(data, np.ndarray) else None


def is_finite(x: Any) -> bool:
    """Whether an input or result has neither nan nor inf; of several results, none of them."""
    data = plain(x)
    if type(data) is tuple and type(x) is Value:
        return all(map(is_finite, data))
    return not isinstance(data, (float, np.generic, np.ndarray)) or bool(np.all(np.isfinite(data)))


def is_origin(node: Value) -> bool:
    """Whether an operation made nan or inf out of finite numbers."""
    return not is_finite(node) and all(map(is_finite, node.inputs))


def describe_origin(node: Value) -> str:
    """What an operation made of finite numbers, where, and from what."""
    results = node.data if type(node.data) is tuple else (node.data,)
    out = next(array for array in map(np.asarray, results) if not is_finite(array))
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0])
    arrays = [np.asarray(plain(x)) for x in node.inputs[: node.op.arity]]
    ends = [(x.min(), x.max()) for x in arrays if x.size]
    ranges = " and ".join(f"at {a:.4g}" if a == b else f"between {a:.4g} and {b:.4g}" for a, b in ends)
    place = f" at {index}" if out.shape else ""
    verb = "its input lies" if len(arrays) == 1 else "its inputs lie"
    lies = f"{verb} {ranges}" if ends else "its input is empty"
    return f"{node.op.name} made {out[index]:g}{place} out of finite numbers; {lies}"


def first_nonfinite(start: dict[Value, Any], **settings: Any) -> tuple[Value, Value, Any] | None:
    """The first operation on the way back whose local derivative makes nan or inf out of finite numbers, the input that
    it is the derivative for, and the gradient that comes out.
    """
    found: list[tuple[Value, Value, Any]] = []

    def watch(node: Value, g: Any, x: Value, c: Any, total: Any) -> None:
        if not found and is_finite(g) and not is_finite(total):
            found.append((node, x, c))

    QUIET.copy().run(pull_back_masked, dict(start), watch=watch, **settings)
    return found[0] if found else None


def describe_backward(node: Value, x: Value, c: Any) -> str:
    """What an operation made of a finite gradient, for which input, where, and at what number."""
    called = x.name or ("a variable" if x.op is None else f"the result of {x.op.name}")
    if is_finite(c):
        return (
            f"on the way back, the gradients that come together at {called}, one of them from {node.op.name}, overflow"
        )
    bad = np.argwhere(~np.isfinite(np.asarray(c)))[0]
    where = f" at {tuple(int(i) for i in bad)}" if np.shape(c) else ""
    return (
        f"on the way back, the derivative of {node.op.name} with respect to {called} is not finite{where}, "
        f"where {called} is {np.asarray(x.data)[tuple(bad)]:.4g}"
    )
