"""Training on all data at once, beside SciPy with a gradient by hand."""

import numpy as np
import pytest

import nn
from autograd_core import Value
from nn import MLP, Linear, minimize_loss, mse_loss

optimize = pytest.importorskip("scipy.optimize")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 1))


def by_hand(v):
    """The mean squared error of a linear model, and its gradient."""
    e = X @ v[:3, None] + v[3] - Y
    return (e * e).mean(), np.append(X.T @ e, e.sum()) * 2 / len(X)


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG", "BFGS"])
def test_the_search_is_scipys(method):
    model = Linear(3, 1, rng=0)
    start = np.append(model.weight.data, model.bias.data)
    expected = optimize.minimize(by_hand, start, jac=True, method=method)
    result = minimize_loss(lambda: mse_loss(model(X), Y), model.parameters(), method=method)
    assert result.nit == expected.nit
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-8)
    np.testing.assert_array_equal(np.append(model.weight.data, model.bias.data), result.x)
    assert mse_loss(model(X), Y).item() == pytest.approx(result.fun)
    np.testing.assert_allclose(
        model(X).data, X @ np.linalg.lstsq(np.c_[X, np.ones(30)], Y)[0][:3] + model.bias.data, atol=1e-4
    )


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG"])
def test_xor_is_learned(method):
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1.0], [1.0], [0.0]])
    model = MLP([2, 4, 1], "tanh", "identity", rng=1)
    result = minimize_loss(lambda: mse_loss(model(x), y), model.parameters(), method=method)
    assert result.success
    np.testing.assert_allclose(model(x).data, y, atol=1e-2)
    assert all(p.grad is None for p in model.parameters())


def test_scalars_and_float32_stay_what_they_are():
    slope, offset = Value(1.0), Value(np.zeros((1,), np.float32))
    minimize_loss(lambda: ((slope * X[:, 0] + offset - Y[:, 0]) ** 2).mean(), [slope, offset])
    assert type(slope.data) is float
    assert offset.dtype == np.float32
    expected = np.polyfit(X[:, 0], Y[:, 0], 1)
    np.testing.assert_allclose([slope.data, offset.data[0]], expected, atol=1e-4)


def test_options_reach_scipy_and_a_parameter_may_be_unused():
    w, unused = Value([5.0, 5.0]), Value([1.0])
    result = minimize_loss(lambda: (w**4).sum(), [w, unused], options={"maxiter": 2})
    assert result.nit == 2
    assert unused.data == 1.0


class InterruptError(Exception):
    pass


def test_whatever_ends_the_search_leaves_the_best_that_was_met():
    w, losses = Value([3.0, -2.0]), []

    def loss():
        if len(losses) == 6:
            raise InterruptError
        losses.append(((w - 1.0) ** 4).sum().item())
        return ((w - 1.0) ** 4).sum()

    with pytest.raises(InterruptError):
        minimize_loss(loss, [w])
    assert ((w.data - 1.0) ** 4).sum() == min(losses) < losses[0]


def test_a_random_loss_is_refused():
    model = nn.Sequential(Linear(3, 8, rng=0), nn.Dropout(0.5, rng=0), Linear(8, 1, rng=0))
    before = [p.data.copy() for p in model.parameters()]
    with pytest.raises(ValueError, match="the loss is random"):
        minimize_loss(lambda: mse_loss(model(X), Y), model.parameters())
    for p, array in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, array)
    assert minimize_loss(lambda: mse_loss(model.eval()(X), Y), model.parameters()).fun < 1.0


@pytest.mark.parametrize(
    ("loss", "parameters", "error", "message"),
    [
        (lambda: 1.0, [Value([1.0])], TypeError, "the loss is a float that does not depend on these parameters"),
        (lambda: Value(1.0), [], ValueError, "no parameters to optimize"),
        (lambda: Value(1.0), Value(1.0), TypeError, r"write \[v\] for a single one"),
        (lambda: Value(1.0), Linear(2, 1), TypeError, r"write model.parameters\(\)"),
        (lambda: Value(float("nan")), [Value([1.0])], ValueError, r"fun\(x0\) is nan"),
    ],
)
def test_what_cannot_be_searched_is_refused(loss, parameters, error, message):
    with pytest.raises(error, match=message):
        minimize_loss(loss, parameters)
