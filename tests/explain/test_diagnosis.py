"""Where nan comes from, and why a gradient is what it is."""

import numpy as np
import pytest

from autograd_core import Value, debug, explain_nonfinite, stop_gradient, why
from autograd_core.registry import OPS


@pytest.fixture(autouse=True)
def quiet() -> object:
    with np.errstate(all="ignore"):
        yield


def test_the_first_operation_of_the_forward_pass() -> None:
    x = Value([1.0, 800.0], name="x")
    found = explain_nonfinite(np.sum(np.log(1.0 + np.exp(x))))
    assert found.direction == "forward"
    assert found.node is not None
    assert found.node.op.name == "exp"
    assert "exp made inf at (1,)" in found.text
    assert "between 1 and 800" in found.text


def test_the_stable_form_is_named() -> None:
    x = Value([0.0, 0.0], name="x")
    found = explain_nonfinite(np.sqrt(np.sum(x * x)))
    assert found.direction == "backward"
    assert "np.linalg.norm" in found.text
    small = Value([-800.0])
    assert "-softplus(-x)" in explain_nonfinite(np.log(small.sigmoid()).sum()).text
    assert "log_softmax" in explain_nonfinite(np.log(OPS["softmax"](Value([0.0, -800.0]))).sum()).text


def test_the_way_back() -> None:
    x = Value([0.0, 4.0], name="x")
    found = explain_nonfinite(np.sqrt(x).sum())
    assert found.direction == "backward"
    assert "derivative of sqrt with respect to x is not finite at (0,), where x is 0" in found.text
    assert explain_nonfinite(np.where(x.data > 0, np.sqrt(x), 0.0).sum()).text == (
        "everything is finite, forward and backward"
    )


def test_what_was_not_finite_to_begin_with() -> None:
    assert "the data of w are not finite" in explain_nonfinite(Value([np.nan], name="w").sum()).text
    assert "a constant of mul is not finite" in explain_nonfinite((Value([1.0]) * np.array([np.inf])).sum()).text


def test_places_are_known_under_debug() -> None:
    with debug(stop_at_nonfinite=False):
        loss = np.log(Value(0.0)) * 2.0
        assert "test_diagnosis.py:" in explain_nonfinite(loss).text


def test_the_paths_that_carry_most() -> None:
    x, w = Value(3.0, name="x"), Value(2.0, name="w")
    found = why(x, (x * w + x) ** 2)
    assert found.text == "∂loss/∂x = 54 comes along 2 paths:\n  36: x → mul → add → pow\n  18: x → add → pow"
    v = x
    for _ in range(40):
        v = v * 0.5 + v * 0.5
    many = why(x, v, most=3)
    assert f"{2**40} paths" in many.text
    assert many.text.count("→ mul") >= 3
    array = Value([1.0, 2.0], name="a")
    assert "of magnitude 6," in why(array, (array * array).sum()).text


def test_what_cut_it_off() -> None:
    x, y = Value([1.0, 2.0], name="x"), Value([1.0, 1.0], name="y")
    assert "mul took its plain data" in why(x, (y * stop_gradient(x)).sum()).text
    assert "not among the 1 variables" in why(x, y.sum()).text
    assert "under `debug()`" in why(x, y.sum()).text.lower()
    assert "plain data" in why(x, 3.0).text
    with pytest.raises(TypeError, match="explain_nonfinite takes a Value"):
        explain_nonfinite(3.0)
