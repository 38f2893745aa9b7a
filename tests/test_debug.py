"""Watching closely: places, writes behind the engine's back, the origin of nan."""

import gc
from pathlib import Path

import numpy as np
import pytest

from autograd_core import Value, debug, grad
from autograd_core.debug import NOTES

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
        assert id(v) in NOTES
    del v
    gc.collect()
    assert not NOTES
    x = np.ones(2)
    loss = (Value([1.0, 1.0]) * x).sum()
    x[0] = 3.0
    loss.backward()  # what debug() would have refused
