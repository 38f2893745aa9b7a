"""Watching closely: where each operation was recorded, whether an array was written into since, where nan began.

All of this costs time and memory, so it is done only within `with debug():`.
"""

import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .graph import topological
from .recording import watched_by
from .value import Value, plain

PACKAGE = __file__.removesuffix("debug.py")


class Record(NamedTuple):
    """What is remembered of an operation."""

    where: str
    """File and line of the caller."""

    prints: tuple[int | None, ...]
    """The fingerprint of every array among the inputs."""


class Watcher:
    """The notes on the operations of a `debug` block."""

    def __init__(self, stop_at_nonfinite: bool) -> None:
        self.stop_at_nonfinite = stop_at_nonfinite

    def recorded(self, node: Value) -> None:
        """Take note of an operation; stop at one that makes nan or inf out of finite numbers."""
        where = caller()
        NOTES[id(node)] = Record(where, tuple(map(fingerprint, node.inputs)))
        weakref.finalize(node, NOTES.pop, id(node), None).atexit = False
        if self.stop_at_nonfinite and is_origin(node):
            raise FloatingPointError(f"{where}: {describe_origin(node)}")

    def before_pass(self, root: Any) -> None:
        """See whether an array was written into since an operation took it."""
        for node in topological(root):
            note = NOTES.get(id(node))
            if note is None:
                continue
            for k, (x, before) in enumerate(zip(node.inputs, note.prints, strict=True)):
                if fingerprint(x) != before:
                    name = f" {x.name!r}" if type(x) is Value and x.name else ""
                    raise RuntimeError(
                        f"input {k}{name} of {node.op.name}, recorded at {note.where}, was written into before the "
                        f"backward pass at {caller()}: its derivative would be wrong. Write into a copy, x.copy()"
                    )


NOTES: dict[int, Record] = {}
"""The notes on each operation that is alive, by its identity."""


@contextmanager
def debug(*, stop_at_nonfinite: bool = True) -> Iterator[None]:
    """Within this block every operation of this thread is recorded with file, line, and fingerprints of its inputs.

    A backward pass within it raises if an array that was recorded has been written into. An operation that makes nan or
    inf out of finite numbers raises at once, unless `stop_at_nonfinite=False`.

    Raises
    ------
    RuntimeError
        When a pass begins, if data changed behind the engine's back.
    FloatingPointError
        At the operation where nan or inf begins.

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


def fingerprint(x: Any) -> int | None:
    """A hash of an array's bytes, in which their order counts; None for what is no array."""
    data = plain(x)
    if not isinstance(data, np.ndarray):
        return None
    return hash(data.tobytes())


def is_finite(x: Any) -> bool:
    """Whether an input or result has neither nan nor inf."""
    data = plain(x)
    return not isinstance(data, (float, np.generic, np.ndarray)) or bool(np.all(np.isfinite(data)))


def is_origin(node: Value) -> bool:
    """Whether an operation made nan or inf out of finite numbers."""
    return not is_finite(node) and all(map(is_finite, node.inputs))


def describe_origin(node: Value) -> str:
    """What an operation made of finite numbers, where, and from what."""
    out = np.asarray(node.data)
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0])
    arrays = [np.asarray(plain(x)) for x in node.inputs[: node.op.arity]]
    ranges = " and ".join(f"between {x.min():.4g} and {x.max():.4g}" for x in arrays if x.size)
    place = f" at {index}" if out.shape else ""
    verb = "its input lies" if len(arrays) == 1 else "its inputs lie"
    return f"{node.op.name} made {out[index]:g}{place} out of finite numbers; {verb} {ranges}"
