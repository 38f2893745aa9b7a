"""Watching closely: places, writes behind the engine's back, the origin of nan."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, debug, grad, jacobian, jvp, linearize, no_grad, vjp
from autograd_core.debug import CUTS, NOTES

HERE = Path(__file__).name


def test_a_write_into_a_recorded_array_is_named_with_both_places() -> None:
    w, x = Value([1.0, 2.0], name="w"), np.array([3.0, 4.0])
    with debug():
        loss = (w * x).sum()
        x[0], x[1] = 4.0, 3.0  # the same numbers in other places
        with pytest.raises(
            RuntimeError, match=rf"input 1 of mul, recorded at .*{HERE}:\d+, was .* pass at .*{HERE}:\d+"
        ):
            loss.backward()
        assert w.grad is None
        x[0], x[1] = 3.0, 4.0
        loss.backward()
        w.data[0] = 9.0
        with pytest.raises(RuntimeError, match="input 0 'w' of mul"):
            loss.backward()


def test_grad_is_watched_too() -> None:
    x = np.ones(2)

    def careless(v: Value) -> Value:
        out = np.sum(v * x)
        x[0] = 5.0
        return out

    with debug(), pytest.raises(RuntimeError, match="input 1 of mul"):
        grad(careless)(np.ones(2))


def write(array: np.ndarray) -> None:
    array[0] = 9.0


def written_result() -> None:
    y = np.exp(Value([1.0, 2.0]))
    write(y.data)
    y.sum().backward()


def written_index(index: Any, part: Any) -> None:
    loss = Value(np.ones((10, 10)))[index].sum()
    part[0] = 2
    loss.backward()


def written_before(derivative: Callable[[Any, np.ndarray], Any]) -> None:
    factor = np.ones(2)
    derivative(lambda x: (x * factor, write(factor))[0], factor)


WRITES = {
    "a result": (written_result, "the result of exp"),
    "an index": (lambda: written_index(i := np.array([0, 1]), i), "input 1 of getitem"),
    "a list": (lambda: written_index(i := [0, 1], i), "input 1 of getitem"),
    "an index among others": (lambda: written_index((i := np.array([0, 1]), slice(None)), i), "input 1 of getitem"),
    "jvp": (lambda: written_before(lambda f, a: jvp(f, (np.ones(2),), (np.ones(2),))), "input 1 of mul"),
    "linearize": (lambda: written_before(lambda f, a: linearize(f, np.ones(2))[1](np.ones(2))), "input 1 of mul"),
    "vjp": (lambda: written_before(lambda f, a: vjp(f, np.ones(2))[1](np.ones(2))), "input 1 of mul"),
    "forward": (lambda: written_before(lambda f, a: jacobian(f, mode="forward")(np.ones(2))), "input 1 of mul"),
    "reverse": (lambda: written_before(lambda f, a: jacobian(f, mode="reverse")(np.ones(2))), "input 1 of mul"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_noticed_in_both_modes(name: str) -> None:
    act, what = WRITES[name]
    with debug(), pytest.raises(RuntimeError, match=rf"^{what}, recorded at .*{HERE}:\d+, was written into"):
        act()


def test_a_backward_pass_that_makes_inf_raises_when_it_begins() -> None:
    x = Value([0.0, 4.0], name="x")
    with debug():
        loss = np.sqrt(x).sum()
        with pytest.raises(
            FloatingPointError, match=rf"{HERE}:\d+: on the way back, the derivative of sqrt .* at \(0,\)"
        ):
            loss.backward()
        assert x.grad is None
        with pytest.raises(FloatingPointError, match="on the way back, the derivative of sqrt"):
            grad(np.sqrt)(0.0)
        np.testing.assert_array_equal(grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum())(x.data), [0.0, 0.25])
        np.testing.assert_array_equal(jacobian(np.sqrt, mode="reverse")(np.array([1.0, 4.0])), [[0.5, 0], [0, 0.25]])
    with debug(stop_at_nonfinite=False):
        loss.backward()
    assert np.isinf(x.grad[0])


def test_the_operation_where_nan_begins_raises() -> None:
    x = Value([[1.0, 2.0], [0.0, 4.0]])
    with (
        debug(),
        pytest.raises(
            FloatingPointError, match=rf"{HERE}:\d+: log made -inf at \(1, 0\) out of finite.*between 0 and 4"
        ),
    ):
        np.log(x) * 2.0
    with debug(stop_at_nonfinite=False):
        assert np.isneginf((np.log(x) * 2.0).data[1, 0])
    with debug():
        assert np.isnan((Value(np.nan) * 2.0).data)  # nan was there before


def test_nothing_is_kept_or_watched_afterwards() -> None:
    with debug():
        v = Value(1.0) * 2.0
        with no_grad():
            plain = Value([1.0]) * 2.0
        assert id(v) in NOTES
        assert id(plain) in CUTS
    del v, plain
    gc.collect()
    assert not NOTES
    assert not CUTS
    x = np.ones(2)
    loss = (Value([1.0, 1.0]) * x).sum()
    x[0] = 3.0
    loss.backward()  # what debug() would have refused
