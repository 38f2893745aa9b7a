"""Ctrl-C: whenever it comes, blocks that were open are closed."""

import contextlib
import inspect
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, debug, holding, no_grad
from autograd_core.recording import state, thread

W = Value(np.ones((2, 2)))
BLOCKS: dict[str, Callable[[], Any]] = {"no_grad": no_grad, "debug": debug, "holding": lambda: holding([W], [0.0])}


def opened() -> tuple[Any, ...]:
    return set(state.blocks), set(thread.pauses), thread.watchers, id(W.data)


def interrupted_at(k: int, fun: Callable[[], None]) -> KeyboardInterrupt | None:
    """Run a function, with Ctrl-C at the k-th call of a function of Python's; closing a generator is none."""
    left = k

    def tracer(frame: Any, event: str, arg: Any) -> None:
        nonlocal left
        left -= not frame.f_code.co_flags & inspect.CO_GENERATOR
        if left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        fun()
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(before)
    return None


def test_a_pause_that_is_interrupted_anywhere_ends() -> None:
    def fun() -> None:
        with no_grad():
            pass

    before, interrupted, caught = opened(), 0, None
    for k in range(1, 100):
        caught = interrupted_at(k, fun)  # kept, as Python keeps the last error of a session
        if caught is None:
            break
        interrupted += 1
        assert opened() == before
    assert interrupted > 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timer")
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_that_is_interrupted_in_a_product_ends(name: str) -> None:
    def multiply_for_ever() -> None:
        a = np.ones((300, 300))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while True:
            with BLOCKS[name]():
                a @ a

    nothing_open = opened()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # which is still alive below
            multiply_for_ever()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert opened() == nothing_open
    assert type(W * 2.0) is Value


def test_blocks_that_are_entered_by_calls() -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        assert type(W * 2.0) is np.ndarray
    assert type(W * 2.0) is Value
    block = no_grad()
    block.__enter__()
    with block, block:
        assert type(W * 2.0) is np.ndarray
    assert type(W * 2.0) is np.ndarray
    type(block).__exit__(block, None, None, None)
    assert type(W * 2.0) is Value


def test_generators_open_and_close_their_blocks_in_any_order() -> None:
    def steps(block: Any) -> Iterator[None]:
        with block:
            yield

    nothing_open = opened()
    for make in (no_grad, debug):
        first, second = steps(make()), steps(make())
        next(first), next(second)
        first.close()
        assert (type(W * 2.0) is np.ndarray) == (make is no_grad)
        second.close()
        assert type(W * 2.0) is Value
        assert opened() == nothing_open
