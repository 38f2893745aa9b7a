"""`with` blocks that end, whatever happens: what Ctrl-C must not leave open."""

import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Latest(threading.local):
    """The end of the block that this thread is about to enter."""

    end: Callable[[], Any] | None = None


latest = Latest()


class End:
    """`__exit__` as a new object for each block, which does nothing, but holds the block's generator."""

    def __get__(self, block: "Block[Any] | None", kind: Any) -> Callable[..., None]:
        if block is None:
            return leave  # contextlib.ExitStack calls it with the block
        end = functools.partial(nothing)  # a call into C: of a function, the frame in a traceback holds the function
        latest.end = weakref.ref(end)
        return end


def nothing(*error: object) -> None:
    """The end of a block that its `with` statement ends."""


def leave(block: "Block[Any]", *error: object) -> None:
    """End a block that was entered by a call."""
    block.entered.pop().close()


class Block(ContextDecorator, Generic[T]):
    """What `contextlib.contextmanager` makes of a generator, but its `finally` is sure to come; see `block`.

    Python looks for Ctrl-C where a function begins, so `with manager: y = a @ b`, interrupted in the product, has it
    raised in the manager's `__exit__`, before its first line. What that line would undo stays done. So here the
    generator belongs to the object that the `with` statement has found as `__exit__`, and to nobody else: it is closed
    when the statement lets go of that. Errors that pass through the block end it as if there were none.
    """

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self.begin = begin
        self.entered: list[Any] = []

    def __enter__(self) -> T:
        generator, end = self.begin(), latest.end and latest.end()
        latest.end = None
        if end is None:
            self.entered.append(generator)
        else:
            end.generator = generator
        try:
            return next(generator)
        except BaseException:
            generator.close()  # type: ignore[attr-defined]
            raise

    if TYPE_CHECKING:

        def __exit__(self, *error: object) -> None: ...
    else:
        __exit__ = End()


def block(fun: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
    """A context manager, which is a decorator as well, from a generator function that yields once.

    >>> @block
    ... def loud():
    ...     print("begin")
    ...     try:
    ...         yield
    ...     finally:
    ...         print("end")
    >>> with loud():
    ...     print("within")
    begin
    within
    end
    """

    @functools.wraps(fun)
    def made(*args: P.args, **settings: P.kwargs) -> Block[T]:
        return Block(functools.partial(fun, *args, **settings))

    return made
