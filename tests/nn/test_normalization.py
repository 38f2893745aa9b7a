"""Batch normalization where PyTorch's numbers (test_golden.py) do not reach: gradients, edges and errors."""

import numpy as np
import pytest

from autograd_core import Value, check_gradients, no_grad
from nn import SGD, BatchNorm1d, Linear, Sequential, fit, mse_loss


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(6, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, -3.0]


def test_a_batch_comes_out_with_mean_0_and_variance_1(x):
    out = BatchNorm1d(3, eps=0.0)(x).data
    np.testing.assert_allclose(out.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(out.var(axis=0), 1.0)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_orders_1_and_2(x, training):
    layer = BatchNorm1d(3)
    layer.train(training)

    def output(x, weight, bias):
        layer.weight, layer.bias = weight, bias
        return layer(x)

    check_gradients(output, x, np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, 2.0]), order=2, rtol=1e-4, atol=1e-6)


def test_running_averages_are_saved_and_not_trained(x):
    layer = BatchNorm1d(3)
    layer(x)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    twin = BatchNorm1d(3)
    twin.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(twin.eval()(x).data, layer.eval()(x).data)


def test_use_does_not_change_it_and_takes_one_sample(x):
    layer = BatchNorm1d(3).eval()
    before = layer.state_dict()
    assert layer(x[:1]).shape == (1, 3)
    assert layer(np.ones((0, 3))).shape == (0, 3)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_graph_keeps_the_averages_that_it_was_recorded_with(x):
    layer = BatchNorm1d(3).eval()
    v = Value(x)
    loss = (layer(v) ** 2).sum()
    layer.train()(x)
    loss.backward()
    np.testing.assert_allclose(v.grad, 2 * x / (1 + layer.eps))


@pytest.mark.parametrize("n", [0, 1])
def test_a_batch_without_a_variance_is_refused(n):
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match=rf"BatchNorm1d\(3, .*\): a batch of {n} has no variance to train with"):
        layer(np.ones((n, 3)))
    assert not layer.running_mean.any()


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 3, 2), ()])
@pytest.mark.parametrize("training", [True, False])
def test_a_wrong_shape_is_refused(shape, training):
    with pytest.raises(ValueError, match=r"an input of shape .* is not of shape \(n, 3\)"):
        BatchNorm1d(3).train(training)(np.ones(shape))


@pytest.mark.parametrize(
    "settings", [{"num_features": 0}, {"eps": -1.0}, {"momentum": 1.5}, {"momentum": float("nan")}]
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValueError, match="there is at least one feature"):
        BatchNorm1d(**{"num_features": 2} | settings)


def test_it_runs_without_recording_and_in_a_model(x):
    with no_grad():
        assert type(BatchNorm1d(3)(x)) is np.ndarray
    model = Sequential(Linear(3, 4, rng=0), BatchNorm1d(4), np.tanh, Linear(4, 1, rng=1))
    y = x.sum(axis=1, keepdims=True) / 10
    history = fit(model, x, y, optimizer=SGD(model.parameters(), 0.1), epochs=50, batch_size=3, rng=0, progress=False)
    assert mse_loss(model(x), y).item() < history.loss[0] / 5
