"""The training loop on small problems."""

import gc

import numpy as np
import pytest

import nn
from autograd_core import Value, sigmoid
from nn import MLP, SGD, Linear, Module, Sequential, evaluate, fit, half_mse_loss, mse_loss

XOR_X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_Y = np.array([[0.0], [1.0], [1.0], [0.0]])


@pytest.fixture
def line():
    """Noisy samples of y = x @ (2, -3) + 1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    return x, x @ [[2.0], [-3.0]] + 1.0 + 0.01 * rng.normal(size=(50, 1))


def quietly(model, x, y, lr=0.1, **settings):
    return fit(model, x, y, **{"optimizer": SGD(model.parameters(), lr), "rng": 0, "progress": False} | settings)


@pytest.mark.parametrize("seed", range(3))
def test_xor_is_learned(seed):
    model = MLP([2, 8, 1], activation="tanh", output="sigmoid", rng=seed)
    optimizer = SGD(model.parameters(), lr=0.5, momentum=0.9)
    history = fit(model, XOR_X, XOR_Y, optimizer=optimizer, epochs=500, batch_size=4, rng=seed, progress=False)
    assert history.loss[-1] < 0.01
    np.testing.assert_array_equal(model(XOR_X).data > 0.5, XOR_Y == 1.0)


def test_a_line_is_found(line):
    model = Linear(2, 1, rng=0)
    quietly(model, *line, epochs=30, batch_size=10)
    np.testing.assert_allclose(model.weight.data, [[2.0], [-3.0]], atol=0.01)
    np.testing.assert_allclose(model.bias.data, [1.0], atol=0.01)


def test_classes_are_learned_with_cross_entropy():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=90)
    x = rng.normal(size=(90, 2)) * 0.3 + np.array([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])[labels]
    model = MLP([2, 8, 3], activation="relu", output="identity", rng=0, init=nn.he_uniform)
    quietly(model, x, labels, loss=nn.cross_entropy, epochs=30)
    assert nn.accuracy(model(x), labels) == 1.0


def test_the_history_is_the_mean_over_samples():
    x, y = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1))
    model = Linear(1, 1, bias=False, init=lambda shape, rng: np.ones(shape))
    history = quietly(model, x, y, lr=1e-12, epochs=2, batch_size=2, validation=(x[:1], y[:1]))
    assert history.loss == pytest.approx([14 / 3, 14 / 3])
    assert history.validation_loss == pytest.approx([1.0, 1.0])


def test_the_seed_decides_the_training(line):
    def weights(rng):
        model = Linear(2, 1, rng=0)
        quietly(model, *line, epochs=1, rng=rng)
        return model.weight.data.tolist()

    assert weights(1) == weights(1) != weights(2)


def test_lists_will_do():
    model = Linear(1, 1, rng=0)
    assert len(quietly(model, [[1.0], [2.0]], [[2.0], [4.0]], epochs=3).loss) == 3


class Modes(Module):
    """Records the mode that it runs in."""

    def __init__(self):
        self.w = Value([1.0])
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return x * self.w


def test_training_runs_in_train_mode_and_validation_in_eval_mode():
    model = Sequential(Modes())
    x = np.ones((4, 1))
    quietly(model, x, x, epochs=2, batch_size=2, validation=(x, x))
    assert model.layers[0].modes == [True, True, False] * 2
    assert not model.training
    model.train()
    assert evaluate(model, x, x) == pytest.approx(0.0)
    assert model.layers[0].training


def test_evaluate_comes_back_to_train_mode_after_an_error():
    model = Modes()
    with pytest.raises(ValueError, match="mse_loss"):
        evaluate(model, np.ones((2, 1)), np.ones((2, 2)))
    assert model.training


def test_what_cannot_be_trained_on_is_refused(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    with pytest.raises(ValueError, match="equally many samples"):
        quietly(model, x, y[:-1], epochs=1)
    with pytest.raises(ValueError, match="there are no samples"):
        quietly(model, x[:0], y[:0], epochs=1)
    with pytest.raises(ValueError, match="there are no samples"):
        evaluate(model, x[:0], y[:0])
    with pytest.raises(ValueError, match="the optimizer has none of this model's parameters"):
        quietly(model, x, y, epochs=1, optimizer=SGD(Linear(2, 1).parameters(), lr=0.1))
    with pytest.raises(ValueError, match="epochs=0"):
        quietly(model, x, y, epochs=0)
    with pytest.raises(ValueError, match="batch_size=0"):
        quietly(model, x, y, epochs=1, batch_size=0)
    with pytest.raises(ValueError, match=r"the prediction has shape \(32, 1\), the target \(32,\)"):
        quietly(model, x, y.ravel(), epochs=1)


def test_training_leaves_nothing_to_the_cycle_collector():
    model = MLP([2, 3, 1], rng=0)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    gc.collect()
    gc.disable()
    try:
        for _ in range(1000):
            loss = mse_loss(model(XOR_X), XOR_Y)
            optimizer.zero_grad()
            loss.backward(keep="leaves")
            optimizer.step()
        assert gc.collect() == 0
    finally:
        gc.enable()


# A published example --------------------------------------------------------------------------------------------------
# Matt Mazur, A Step by Step Backpropagation Example, 2015: inputs .05 and .10, targets .01 and .99, learning rate 0.5,
# the biases held fixed. In his figures the weights w1..w4 and w5..w8 are numbered by the unit that they lead to.

X, T = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])


@pytest.fixture
def mazur():
    model = MLP([2, 2, 2])
    hidden, output = model.layers[0], model.layers[2]
    hidden.weight.data = np.array([[0.15, 0.20], [0.25, 0.30]]).T
    output.weight.data = np.array([[0.40, 0.45], [0.50, 0.55]]).T
    hidden.bias, output.bias = np.full(2, 0.35), np.full(2, 0.60)
    return model


def test_mazur_both_layers_at_once(mazur):
    optimizer = SGD(mazur.parameters(), lr=0.5)
    errors = []
    for _ in range(10_001):
        error = half_mse_loss(mazur(X), T)
        errors.append(error.item())
        optimizer.zero_grad()
        error.backward(keep="leaves")
        optimizer.step()
    assert errors[0] == pytest.approx(0.298371109, abs=5e-10)
    assert errors[1] == pytest.approx(0.291027774, abs=5e-10)
    assert errors[10_000] == pytest.approx(3.5102e-5, abs=5e-10)


def test_mazur_weights_after_one_update(mazur):
    half_mse_loss(mazur(X), T).backward()
    SGD(mazur.parameters(), lr=0.5).step()
    hidden, output = (p.data.T.ravel() for p in mazur.parameters())
    np.testing.assert_allclose(hidden, [0.149780716, 0.19956143, 0.24975114, 0.29950229], atol=5e-9)
    np.testing.assert_allclose(output, [0.35891648, 0.408666186, 0.511301270, 0.561370121], atol=5e-9)


def test_mazur_one_layer_after_the_other(mazur):
    """His article updates the output weights first, and passes the error of before back through the new ones."""
    hidden, output = mazur.layers[0], mazur.layers[2]
    a = sigmoid(hidden(X))
    z = output(a)
    error = half_mse_loss(sigmoid(z), T)
    error.backward()
    SGD(output.parameters(), lr=0.5).step()
    with pytest.raises(RuntimeError, match=r"an input 'w²' of .* changed after"):
        error.backward()
    hidden.zero_grad()
    a.backward(z.grad @ output.weight.data.T)
    SGD(hidden.parameters(), lr=0.5).step()
    assert half_mse_loss(mazur(X), T).item() == pytest.approx(0.291027924, abs=5e-10)


def test_the_squared_losses_differ_by_a_factor():
    p = Value(np.random.default_rng(0).normal(size=(4, 10)))
    t = np.zeros((4, 10))
    assert mse_loss(p, t).item() == pytest.approx(half_mse_loss(p, t).item() * 2 / 10)
