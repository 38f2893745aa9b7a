"""Layers, activations and initialisers."""

import math
import re

import numpy as np
import pytest

import nn
from autograd_core import Value, check_gradients, no_grad, sigmoid
from nn import MLP, Linear, Sequential


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(5, 3))


# Linear ---------------------------------------------------------------------------------------------------------------


def test_linear_is_x_times_weight_plus_bias(x):
    layer = Linear(3, 2, rng=0)
    layer.bias.data = [1.0, 2.0]
    expected = x @ layer.weight.data + [1.0, 2.0]
    np.testing.assert_array_equal(layer(x).data, expected)
    np.testing.assert_array_equal(layer(Value(x)).data, expected)
    np.testing.assert_array_equal(layer(x.tolist()).data, expected)
    np.testing.assert_array_equal(layer(x[0]).data, x[0] @ layer.weight.data + [1.0, 2.0])
    assert layer(np.ones((4, 5, 3))).shape == (4, 5, 2)


def test_linear_without_bias(x):
    layer = Linear(3, 2, bias=False, rng=0)
    np.testing.assert_array_equal(layer(x).data, x @ layer.weight.data)
    assert repr(layer) == "Linear(3, 2, bias=False)"
    assert len(layer.parameters()) == 1


def test_gradients_of_linear(x):
    layer = Linear(3, 2, rng=0)

    def output(x, weight, bias):
        layer.weight, layer.bias = weight, bias
        return layer(x)

    check_gradients(output, x, layer.weight.data, layer.bias.data)


def test_linear_under_no_grad_gives_plain_data(x):
    with no_grad():
        assert type(Linear(3, 2, rng=0)(x)) is np.ndarray


WRONG = [np.ones((5, 4)), np.ones(2), np.ones((2, 3, 1)), np.ones(()), Value(np.ones((5, 4)))]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_wrong_input_is_refused_with_the_layer_and_both_shapes(wrong, frozen):
    layer = Linear(3, 2, rng=0)
    if frozen:
        layer.weight = layer.weight.data
    message = f"Linear(3, 2): an input of shape {wrong.shape} does not fit the weight of shape (3, 2): its last axis is"
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(wrong)


def test_the_input_is_not_blamed_for_a_wrong_bias(x):
    layer = Linear(3, 2, rng=0)
    layer.bias = np.zeros(5)
    with pytest.raises(ValueError, match="affine of shapes"):
        layer(x)


@pytest.mark.parametrize("wrong", [None, {"a": 1}, "text"])
@pytest.mark.parametrize("bias", [True, False])
def test_an_input_that_is_no_array_is_refused(wrong, bias):
    with pytest.raises(TypeError):
        Linear(3, 2, bias, rng=0)(wrong)


def test_float32_stays_float32(x):
    model = MLP([3, 4, 2], activation="tanh", rng=0, dtype=np.float32)
    out = model(x.astype(np.float32))
    nn.mse_loss(out, np.zeros((5, 2), np.float32)).backward()
    assert out.dtype == np.float32
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("n_in", "n_out"), [(0, 1), (1, 0), (-1, 2)])
def test_a_layer_has_inputs_and_outputs(n_in, n_out):
    with pytest.raises(ValueError, match="at least one input and one output"):
        Linear(n_in, n_out)


def test_parameters_are_floating():
    with pytest.raises(TypeError, match="parameters of dtype int64 have no derivatives"):
        Linear(2, 2, dtype=np.int64)


# Activations ----------------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "identity": lambda x: x,
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations(name, x):
    activation = nn.activations.activation_of(name)
    np.testing.assert_allclose(activation(x), FUNCTIONS[name](x), atol=1e-15)
    np.testing.assert_allclose(activation(Value(x)).data, FUNCTIONS[name](x), atol=1e-15)
    check_gradients(activation, x)
    assert nn.activations.ACTIVATIONS.keys() == FUNCTIONS.keys()


def test_an_unknown_activation_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"no activation 'rely': give a function, or one of identity, .*relu"):
        MLP([2, 1], activation="rely")


# Sequential and MLP ---------------------------------------------------------------------------------------------------


def test_sequential_applies_layers_and_functions_in_order(x):
    first, last = Linear(3, 4, rng=0), Linear(4, 2, rng=1)
    model = Sequential(first, np.sin, Sequential(last, nn.Tanh()))
    np.testing.assert_array_equal(model(x).data, np.tanh(last(np.sin(first(x).data)).data))
    assert len(model.parameters()) == 4


@pytest.mark.parametrize("activation", ["sigmoid", sigmoid, nn.Sigmoid()])
def test_mlp_has_its_activation_at_the_output_too(activation, x):
    model = MLP([3, 4, 2], activation, rng=0)
    w1, b1, w2, b2 = (p.data for p in model.parameters())
    np.testing.assert_array_equal(model(x).data, sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2))


@pytest.mark.parametrize("output", ["identity", "linear"])
def test_mlp_with_another_output(output, x):
    model = MLP([3, 4, 2], "relu", output, rng=0, init=nn.he_normal)
    w1, b1, w2, b2 = (p.data for p in model.parameters())
    np.testing.assert_array_equal(model(x).data, np.maximum(x @ w1 + b1, 0) @ w2 + b2)


def test_mlp_names_its_parameters_as_textbooks_do():
    names = [p.name for p in MLP([1] * 12, rng=0).parameters()]
    assert names[:4] == ["w¹", "b¹", "w²", "b²"]
    assert names[-2:] == ["w¹¹", "b¹¹"]


def test_mlp_needs_an_input_and_an_output():
    with pytest.raises(ValueError, match=r"MLP\(\[3\]\): give the numbers of inputs and of outputs"):
        MLP([3])


def test_the_same_seed_gives_the_same_weights_and_a_generator_goes_on():
    def weights(rng):
        return MLP([3, 4, 2], rng=rng).state_dict()["layers.2.weight"]

    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(weights(0), weights(0))
    np.testing.assert_array_equal(weights(0), weights(rng))
    assert not np.array_equal(weights(0), weights(rng))
    assert not np.array_equal(weights(0), weights(1))
    assert not np.array_equal(weights(None), weights(None))


# Initialisers ---------------------------------------------------------------------------------------------------------

N_IN, N_OUT = 300, 200
VARIANCES = {
    "lecun": 1 / N_IN,
    "glorot": 2 / (N_IN + N_OUT),
    "he": 2 / N_IN,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_scales_of_initial_weights(name):
    variance = VARIANCES[name]
    flat = getattr(nn, f"{name}_uniform")((N_IN, N_OUT), 0)
    bell = getattr(nn, f"{name}_normal")((N_IN, N_OUT), 0)
    limit = math.sqrt(3 * variance)
    assert 0.999 * limit < abs(flat).max() <= limit
    for w in (flat, bell):
        assert w.shape == (N_IN, N_OUT)
        assert abs(w.mean()) < 0.02 * math.sqrt(variance)
        assert w.var() == pytest.approx(variance, rel=0.02)
    assert (bell**4).mean() == pytest.approx(3 * variance**2, rel=0.1)  # as of a normal distribution


def test_uniform_normal_and_zeros():
    u, n = nn.uniform((100, 100), 0, low=2.0, high=4.0), nn.normal((100, 100), 0, mean=5.0, std=0.1)
    assert 2.0 <= u.min() < 2.01
    assert 3.99 < u.max() <= 4.0
    assert n.mean() == pytest.approx(5.0, rel=0.01)
    assert n.std() == pytest.approx(0.1, rel=0.05)
    assert not nn.zeros((2, 3)).any()


@pytest.mark.parametrize("shape", [(3,), (2, 0), (2, 3, 4), ()])
def test_the_scale_needs_a_weight_of_two_axes(shape):
    with pytest.raises(ValueError, match=r"a weight's shape \(n_in, n_out\)"):
        nn.glorot_uniform(shape)
