"""Whether operations are recorded, and who watches: the state behind `no_grad` and `debug`, each thread by itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from typing import Any


class State:
    """Whether any thread has a block open that makes recording special: while there is none, an op looks no further."""

    def __init__(self) -> None:
        self.blocks = 0  # attributes of the instance, not of the class: Python reads them in a third of the time,
        self.special = False  # and a bool needs no test whether it counts as one


class Thread(threading.local):
    """What is special in this thread."""

    pauses = 0
    """How many `no_grad` blocks are open."""

    since = 0
    """The stamp of the first variable of the derivatives that are being taken; 0 if there are none."""

    watchers: tuple[Any, ...] = ()
    """Who is told of every operation, recorded or not (`recorded(node)`, `dropped(op, out, inputs)`), and of every pass
    (`before_pass(start, **settings)`); and if it has a method `pulled(node, g, x, c, total)`, of each step of a pass
    that is recorded.
    """


state = State()
thread = Thread()
_lock = threading.Lock()


def count(by: int) -> None:
    """A block that makes recording special has been opened (1) or closed (-1)."""
    with _lock:
        state.blocks += by
        state.special = state.blocks > 0


def pause(by: int) -> None:
    """Open or close so many blocks that do not record."""
    if by:
        thread.pauses += by
        count(by)


class no_grad(ContextDecorator):
    """Within this block (or decorated function) nothing is recorded, in this thread: results are plain data.

    Blocks may be nested. Other threads record on, and so do `grad` and its kin within the block, whose results are
    plain then. No error is raised by it, and one that passes through it ends it.

    >>> w = Value(3.0)
    >>> with no_grad():
    ...     w * 2.0
    6.0
    """

    def __enter__(self) -> None:
        pause(1)

    def __exit__(self, *error: object) -> None:
        pause(-1)


class always_recording:
    """Within this block operations are recorded even inside of a `no_grad`; it yields whether they were before."""

    def __enter__(self) -> bool:
        self.pauses = thread.pauses
        pause(-self.pauses)
        return not self.pauses

    def __exit__(self, *error: object) -> None:
        pause(self.pauses)


@contextmanager
def watched_by(watcher: Any) -> Iterator[None]:
    """Within this block a watcher is told of all that is recorded and pulled back, in this thread."""
    before = thread.watchers
    thread.watchers = (*before, watcher)
    count(1)
    try:
        yield
    finally:
        thread.watchers = before
        count(-1)


def announce_pass(start: Any, **settings: Any) -> None:
    """Tell the watchers that a pass begins: a backward one with a dictionary of results and their gradients, and with
    the settings of `pull_back_exactly`; a forward one with a list of the results that it goes to.
    """
    if state.special:
        for watcher in thread.watchers:
            watcher.before_pass(start, **settings)


def told_of_steps() -> Callable[..., None] | None:
    """What to call after each step of a pass, if a watcher wants to know."""
    found = [watcher.pulled for watcher in thread.watchers if hasattr(watcher, "pulled")] if state.special else []

    def tell(*step: Any) -> None:
        for told in found:
            told(*step)

    return tell if found else None
