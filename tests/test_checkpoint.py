"""Recomputing instead of storing."""

from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, checkpoint, grad, hessian, jvp, no_grad, sigmoid
from autograd_core.graph import topological


def stage(x: Any, w: Any) -> Any:
    return np.tanh(sigmoid(x @ w) * x)


def test_the_gradient_is_that_of_the_function() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((4, 3)), rng.standard_normal((3, 3))
    loss = lambda f: lambda x, w: np.sum(f(f(x, w), w) ** 2)
    for order in (loss(checkpoint(stage)), loss(stage)):
        check_gradients(order, x, w, order=2)
    for a, b in zip(grad(loss(checkpoint(stage)), (0, 1))(x, w), grad(loss(stage), (0, 1))(x, w), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    small = lambda f: lambda v: np.sum(np.sin(f(v, w)) ** 2)
    np.testing.assert_allclose(hessian(small(checkpoint(stage)))(x[0]), hessian(small(stage))(x[0]), atol=1e-12)
    tangents = (np.ones((4, 3)), np.ones((3, 3)))
    np.testing.assert_allclose(jvp(loss(checkpoint(stage)), (x, w), tangents)[1], jvp(loss(stage), (x, w), tangents)[1])


def test_nothing_of_the_graph_is_kept_and_closures_get_their_gradients() -> None:
    w, u = Value([2.0, 3.0]), Value(4.0)
    hidden = u * 2.0
    out = checkpoint(lambda x: {"a": np.exp(np.sin(x) * w) * hidden, "b": x.sum()})(Value([0.1, 0.2]))
    total = out["a"].sum() + out["b"]
    assert {x.op.name for x in topological(total) if x.op is not None} == {"checkpoint", "pick", "sum", "add"}
    total.backward()
    x = np.array([0.1, 0.2])
    np.testing.assert_allclose(w.grad, np.exp(np.sin(x) * w.data) * 8.0 * np.sin(x))
    np.testing.assert_allclose(u.grad, 2.0 * np.exp(np.sin(x) * w.data).sum())


def test_an_argument_that_the_function_reaches_from_outside_too() -> None:
    """f(w) = w · (w²)², recomputed, with w as an argument and w² closed over."""

    def power(w: Any) -> Any:
        square = w * w
        return checkpoint(lambda a: a * square * square)(w)

    for order, expected in enumerate([5 * 3.0**4, 20 * 3.0**3, 60 * 3.0**2], start=1):
        f: Any = power
        for _ in range(order):
            f = grad(f)
        assert f(3.0) == expected
    w = Value(3.0)
    power(w).backward()
    assert w.grad == 405.0
    tangent = lambda x: jvp(power, (x,), (1.0,))[1]
    assert (tangent(3.0), jvp(tangent, (3.0,), (1.0,))[1], grad(tangent)(3.0)) == (405.0, 540.0, 540.0)


def test_plain_arguments_and_blocks_that_do_not_record() -> None:
    f = checkpoint(lambda x, k: {"y": x * k})
    assert f(2.0, 3.0) == {"y": 6.0}
    with no_grad():
        assert f(Value(2.0), 3.0) == {"y": 6.0}


def test_a_function_that_draws_random_numbers_is_found_out() -> None:
    rng = np.random.default_rng(0)
    dropped = checkpoint(lambda x: {"y": x * (rng.random(8) < 0.5), "n": np.nan * x})
    w = Value(np.ones(8))
    with pytest.raises(RuntimeError, match="other results when it was computed again"):
        np.sum(dropped(w)["y"]).backward()
    same = checkpoint(lambda x: {"y": x * np.float32(2.0), "n": np.nan * x, "i": np.inf * x})
    np.testing.assert_array_equal(grad(lambda x: np.sum(same(x)["y"]))(np.ones(3, np.float32)), [2.0] * 3)
