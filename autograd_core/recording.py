"""Whether operations are recorded: the state behind `no_grad`, kept for each thread by itself."""

import threading
from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager


class State:
    """How many `no_grad` blocks are open: in all threads, so that an op need not look at its own while this is 0."""

    pauses = 0


class Thread(threading.local):
    """How many are open in this thread."""

    pauses = 0


state = State()
thread = Thread()
_lock = threading.Lock()


def pause(by: int) -> None:
    """Open (1) or close (-1) a block."""
    if by:
        thread.pauses += by
        with _lock:
            state.pauses += by


class no_grad(ContextDecorator):
    """Within this block (or decorated function) nothing is recorded, in this thread: results are plain data.

    >>> w = Value(3.0)
    >>> with no_grad():
    ...     w * 2.0
    6.0
    """

    def __enter__(self) -> None:
        pause(1)

    def __exit__(self, *error: object) -> None:
        pause(-1)


@contextmanager
def always_recording() -> Iterator[bool]:
    """Within this block operations are recorded even inside of a `no_grad`; it yields whether they were before."""
    pauses = thread.pauses
    pause(-pauses)
    try:
        yield not pauses
    finally:
        pause(pauses)
