"""Whether operations are recorded, and who watches: the state behind `no_grad` and `debug`, each thread by itself."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from .blocks import block


class State:
    """Whether any thread has a block open that makes recording special: while there is none, an op looks no further."""

    def __init__(self) -> None:
        self.blocks: set[object] = set()  # attributes of the instance, not of the class: Python reads them in a third
        self.special = False  # of the time, and a bool needs no test whether it counts as one


class Thread(threading.local):
    """What is special in this thread."""

    since = 0
    """The stamp of the first variable of the derivatives that are being taken; 0 if there are none."""

    watchers: tuple[Any, ...] = ()
    """Who is told of every operation, recorded or not (`recorded(node)`, `dropped(op, out, inputs)`), and of every pass
    (`before_pass(start, **settings)`); and if it has a method `pulled(node, g, x, c, total)`, of each step of a pass
    that is recorded.
    """

    def __init__(self) -> None:
        self.pauses: set[object] = set()
        """The `no_grad` blocks that are open; generators and tasks may open and close theirs in any order."""


state = State()
thread = Thread()
_lock = threading.RLock()  # the garbage collector may close a block while one is being opened

# What opens and closes a block is written out in both: Python raises Ctrl-C where a function begins, and what a
# function of their own had to undo would stay done.


@block
def no_grad() -> Iterator[None]:
    """Within this block (or decorated function) nothing is recorded, in this thread: results are plain data.

    Blocks may be nested. Other threads record on, and so do `grad` and its kin within the block, whose results are
    plain then. No error is raised by it, and one that passes through it ends it.

    >>> w = Value(3.0)
    >>> with no_grad():
    ...     w * 2.0
    6.0
    """
    mark, pauses = object(), thread.pauses
    try:
        with _lock:
            state.blocks.add(mark)
            state.special = True
        pauses.add(mark)
        yield
    finally:
        pauses.discard(mark)
        with _lock:
            state.blocks.discard(mark)
            state.special = bool(state.blocks)


class always_recording:
    """Within this block operations are recorded even inside of a `no_grad`; it yields whether they were before."""

    def __enter__(self) -> bool:
        self.pauses = thread.pauses
        if self.pauses:
            thread.pauses = set()
        return not self.pauses

    def __exit__(self, *error: object) -> None:
        thread.pauses = self.pauses


@block
def watched_by(watcher: Any) -> Iterator[None]:
    """Within this block a watcher is told of all that is recorded and pulled back, in this thread."""
    mark = object()
    try:
        with _lock:
            state.blocks.add(mark)
            state.special = True
        thread.watchers = (*thread.watchers, watcher)
        yield
    finally:
        thread.watchers = tuple([other for other in thread.watchers if other is not watcher])
        with _lock:
            state.blocks.discard(mark)
            state.special = bool(state.blocks)


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
