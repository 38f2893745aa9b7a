"""Layers, activations and initialisers."""

import math
import re

import numpy as np
import pytest

import nn
from autograd_core import Value, check_gradients, grad, no_grad, sigmoid
from nn import MLP, SGD, Adam, Dropout, Flatten, Linear, Residual, Sequential, mse_loss


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


# The bias as a weight -------------------------------------------------------------------------------------------------


def test_a_folded_bias_is_the_first_row_of_the_weight(x):
    layer = Linear(3, 2, bias="folded", rng=0)
    layer.weight.data[0] = [1.0, 2.0]
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data[1:] + [1.0, 2.0])
    np.testing.assert_array_equal(layer(x).data, layer(Value(x)).data)
    assert layer(np.ones((4, 5, 3))).shape == (4, 5, 2)
    assert layer(np.float32(x)).dtype == np.float64
    assert Linear(3, 2, bias="folded", dtype=np.float32)(np.float32(x)).dtype == np.float32
    assert repr(layer) == "Linear(3, 2, bias='folded')"
    np.testing.assert_array_equal(Linear(3, 2, rng=0).weight.data, layer.weight.data[1:])


@pytest.mark.parametrize("wrong", [np.ones((5, 4)), np.ones(4), np.ones(())])
def test_a_folded_layer_refuses_a_wrong_input(wrong):
    message = f"Linear(3, 2, bias='folded'): an input of shape {wrong.shape} does not fit the weight of shape (4, 2)"
    with pytest.raises(ValueError, match=re.escape(message)):
        Linear(3, 2, bias="folded")(wrong)


@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.01)])
def test_folded_or_not_a_thousand_steps_of_training_are_the_same(optimizer):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 2))
    found = []
    for bias in (True, "folded"):
        model = MLP([3, 5, 2], "tanh", "identity", bias=bias, rng=0)
        training = optimizer(model.parameters())
        for _ in range(1000):
            training.zero_grad()
            loss = mse_loss(model(x), y)
            loss.backward(keep="leaves")
            training.step()
        found.append((model, loss.item()))
    (apart, loss), (folded, same_loss) = found
    assert same_loss == pytest.approx(loss, rel=1e-10)
    for one, other in zip(apart[::2], folded[::2], strict=True):
        np.testing.assert_allclose(other.weight.data, np.vstack([one.bias.data, one.weight.data]), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("bias", ["fold", None, 1])
def test_another_bias_is_refused(bias):
    with pytest.raises(ValueError, match="is neither True, False nor 'folded'"):
        Linear(2, 1, bias=bias)


# Activations ----------------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "identity": lambda x: x,
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations(name, x):
    activation = nn.activations.activation_of(name)
    np.testing.assert_allclose(activation(x), FUNCTIONS[name](x), atol=1e-15)
    np.testing.assert_allclose(activation(Value(x)).data, FUNCTIONS[name](x), atol=1e-15)
    np.testing.assert_array_equal(activation(x.tolist()), activation(x))
    check_gradients(activation, x, order=2)
    assert nn.activations.ACTIVATIONS.keys() == FUNCTIONS.keys()


SHAPED = [nn.LeakyReLU(0.2), nn.ELU(2.0), nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU()]


@pytest.mark.parametrize("activation", SHAPED, ids=repr)
def test_activations_at_their_edges(activation):
    x = Value(np.array([-1e4, -50.0, 0.0, 50.0, 1e4], np.float32))
    out = activation(x)
    out.backward(np.ones(5, np.float32))
    assert out.dtype == x.grad.dtype == np.float32
    assert np.isfinite(out.data).all()
    assert np.isfinite(x.grad).all()
    np.testing.assert_allclose(out.data[2:], [0.0, 50.0, 1e4])
    np.testing.assert_allclose(x.grad[3:], [1.0, 1.0])
    assert activation(np.ones((0, 3))).shape == (0, 3)
    assert np.isnan(activation(np.array([np.nan]))).all()


def test_derivatives_at_0_are_those_from_the_left():
    assert grad(nn.LeakyReLU(0.2))(0.0) == 0.2
    assert grad(nn.ELU(1.0))(0.0) == 1.0
    assert grad(nn.ELU(3.0))(0.0) == 3.0
    assert grad(nn.GELU())(0.0) == grad(nn.GELU("tanh"))(0.0) == grad(nn.SiLU())(0.0) == 0.5


def test_activations_say_what_they_are():
    assert [repr(a) for a in SHAPED] == ["LeakyReLU(0.2)", "ELU(2)", "GELU()", "GELU(approximate='tanh')", "SiLU()"]
    with pytest.raises(ValueError, match="approximate='erf': it is 'none' or 'tanh'"):
        nn.GELU("erf")


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


def test_mlp_with_an_activation_for_each_layer(x):
    model = MLP([3, 4, 5, 2], ["relu", np.sin, "softmax"], rng=0)
    assert [repr(layer) for layer in model[1::2]] == ["ReLU()", "<ufunc 'sin'>", "Softmax()"]
    np.testing.assert_allclose(model(x).data.sum(axis=1), 1.0)
    with pytest.raises(ValueError, match="3 layers have 3 activations, the output's among them; given are"):
        MLP([3, 4, 5, 2], ["relu", "relu"])
    with pytest.raises(ValueError, match="and output='identity'"):
        MLP([3, 4, 5, 2], ["relu", "relu", "relu"], output="identity")


def test_mlp_without_a_bias_and_with_a_folded_one():
    assert [p.name for p in MLP([2, 3, 1], bias=False).parameters()] == ["w¹", "w²"]
    assert [p.shape for p in MLP([2, 3, 1], bias="folded").parameters()] == [(3, 3), (4, 1)]


def test_a_sequential_is_a_sequence(x):
    model = MLP([3, 4, 2], "tanh", rng=0)
    assert len(model) == 4
    assert list(model) == [model[0], model[1], model[2], model[-1]]
    head = model[:2]
    assert type(head) is Sequential
    assert head[0] is model[0]
    np.testing.assert_array_equal(model[2:](head(x)).data, model(x).data)
    with pytest.raises(IndexError):
        model[4]


def test_a_residual_adds_its_input(x):
    inner = Linear(3, 3, rng=0)
    np.testing.assert_array_equal(Residual(inner, np.tanh)(x).data, x + np.tanh(inner(x).data))
    check_gradients(Residual(np.tanh, np.sin), x)
    with pytest.raises(ValueError, match=r"Residual: x of shape \(5, 3\) cannot be added to f\(x\) of shape \(5, 1\)"):
        Residual(Linear(3, 1))(x)


@pytest.mark.parametrize(
    ("shape", "flat"), [((5, 2, 3), (5, 6)), ((5, 4), (5, 4)), ((5,), (5, 1)), ((0, 2, 3), (0, 6))]
)
def test_flatten(shape, flat):
    assert Flatten()(np.ones(shape)).shape == flat
    assert Flatten()(Value(np.ones(shape))).shape == flat


def test_a_scalar_cannot_be_flattened():
    with pytest.raises(ValueError, match="a scalar has no axis of samples"):
        Flatten()(1.0)


# Dropout --------------------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_drops_the_fraction():
    layer = Dropout(0.3, rng=0)
    out = layer(np.ones((400, 500)))
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.005)
    np.testing.assert_allclose(out[out != 0], 1 / 0.7)
    assert not np.array_equal(out, layer(np.ones((400, 500))))


def test_dropout_is_off_in_use_and_at_0(x):
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert repr(Dropout(0.5)) == "Dropout(0.5)"


def test_the_gradient_of_dropout_goes_where_the_signal_went(x):
    check_gradients(lambda x: Dropout(0.5, rng=3)(x), x)
    v = Value(x)
    out = Dropout(0.5, rng=3)(v)
    out.sum().backward()
    np.testing.assert_array_equal(v.grad, np.where(out.data == 0, 0.0, 2.0))


def test_dropout_of_float32_integers_and_single_samples():
    assert Dropout(0.5, rng=0)(np.ones(3, np.float32)).dtype == np.float32
    assert {*Dropout(0.2, rng=0)([1] * 50)} == {0.0, 1.25}
    assert Dropout(0.5, rng=0)(np.ones((1, 1))).shape == (1, 1)


def test_a_generator_is_shared_and_its_state_brings_a_mask_back(x):
    layer = Dropout(0.5, rng=0)
    state = layer.rng.bit_generator.state
    first = layer(x)
    layer.rng.bit_generator.state = state
    np.testing.assert_array_equal(layer(x), first)


@pytest.mark.parametrize("p", [-0.1, 1.0, 2, float("nan")])
def test_a_wrong_probability_is_refused(p):
    with pytest.raises(ValueError, match=f"Dropout: p={p} is the probability of being dropped"):
        Dropout(p)


def test_mlp_names_its_parameters_as_textbooks_do():
    names = [p.name for p in MLP([1] * 12, rng=0).parameters()]
    assert names[:4] == ["w¹", "b¹", "w²", "b²"]
    assert names[-2:] == ["w¹¹", "b¹¹"]


def test_mlp_needs_an_input_and_an_output():
    with pytest.raises(ValueError, match=r"MLP\(\[3\]\): give the numbers of inputs and of outputs"):
        MLP([3])
    with pytest.raises(TypeError, match=r"all layers are in one list, as in MLP\(\[3, 16, 1\]\)"):
        MLP(3, [4, 1])


@pytest.mark.parametrize("wrong", [[Linear(2, 2)], 3, None])
def test_sequential_takes_layers_one_by_one(wrong):
    with pytest.raises(TypeError, match=r"write Sequential\(\*layers\)"):
        Sequential(Linear(2, 2), wrong)


@pytest.mark.parametrize("make", [lambda cls: Sequential(Linear(2, 2), cls), lambda cls: MLP([2, 2], cls)])
def test_a_class_is_no_layer(make):
    """LeakyReLU(x) would be a layer whose slope is x."""
    with pytest.raises(TypeError, match=r"LeakyReLU is a class; a layer of it is LeakyReLU\(\)"):
        make(nn.LeakyReLU)


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


def test_an_initializer_is_a_function_that_makes_the_weights_shape():
    with pytest.raises(
        ValueError, match=r"init made a weight of shape \(3, 2\), and it is \(n_in, n_out\), here \(2, 3\)"
    ):
        Linear(2, 3, init=lambda shape, rng: np.zeros((3, 2)))
    with pytest.raises(TypeError, match="init='he_normal' is no function of a shape and rng"):
        Linear(2, 3, init="he_normal")
    assert Linear(2, 1, init=lambda shape, rng: [[1], [2]]).weight.data.tolist() == [[1.0], [2.0]]
