"""SGD against PyTorch's formulas, written out."""

import numpy as np
import pytest

from autograd_core import Value
from nn import SGD, Linear, Optimizer

SETTINGS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 0.1},
    {"momentum": 0.5, "weight_decay": 0.1},
    {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
]


def reference(p, gradient, steps, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    """torch.optim.SGD's algorithm, step by step as its documentation has it."""
    buffer = None
    for _ in range(steps):
        g = gradient(p) + weight_decay * p
        if momentum:
            buffer = g if buffer is None else momentum * buffer + g
            g = g + momentum * buffer if nesterov else buffer
        p = p - lr * g
    return p


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("start", [np.array([[1.0, -2.0], [0.5, 3.0]]), np.array(2.0), np.float64(2.0), 2.0])
def test_sgd_follows_the_formulas(settings, start):
    p = Value(start)
    optimizer = SGD([p], lr=0.1, **settings)
    for _ in range(5):
        optimizer.zero_grad()
        (p * p * p).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.data, reference(start, lambda p: 3 * p * p, 5, 0.1, **settings), rtol=1e-12)
    assert type(p.data) is type(start)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_step_leaves_gradients_alone_and_keeps_the_dtype(settings):
    p = Value(np.array([1.0, 2.0], np.float32))
    optimizer = SGD([p], lr=0.1, **settings)
    for _ in range(2):
        p.grad = np.array([3.0, 4.0], np.float32)
        optimizer.step()
        np.testing.assert_array_equal(p.grad, [3.0, 4.0])
    assert p.dtype == np.float32


def test_a_step_updates_in_place():
    p = Value(np.ones(3))
    array = p.data
    SGD([p], lr=0.5).zero_grad()
    p.grad = np.ones(3)
    SGD([p], lr=0.5).step()
    assert p.data is array
    assert array.tolist() == [0.5, 0.5, 0.5]


def test_the_learning_rate_may_be_changed():
    p = Value(1.0)
    optimizer = SGD([p], lr=1.0)
    optimizer.lr = 0.25
    p.grad = 1.0
    optimizer.step()
    assert p.data == 0.75


def test_the_momentum_may_be_changed():
    p = Value([1.0])
    optimizer = SGD([p], lr=1.0)
    p.grad = np.array([1.0])
    optimizer.step()
    optimizer.momentum = 0.5
    optimizer.step()
    optimizer.step()
    assert p.data == 1.0 - 1.0 - 1.0 - 1.5


def test_a_parameter_without_a_gradient_is_left_as_it_is():
    used, unused = Value([1.0]), Value([1.0])
    optimizer = SGD([used, unused], lr=0.1, momentum=0.9, weight_decay=0.5)
    (used * used).sum().backward()
    optimizer.step()
    assert unused.data == 1.0
    assert used.data != 1.0


def test_a_parameter_given_twice_is_updated_once():
    p = Value(1.0)
    optimizer = SGD([p, p], lr=0.1)
    p.grad = 1.0
    optimizer.step()
    assert p.data == 0.9


def test_an_update_between_the_passes_is_noticed():
    p = Value([1.0, 2.0])
    optimizer = SGD([p], lr=0.1)
    first, second = (p * p).sum(), (p * p * p).sum()
    first.backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed after"):
        second.backward()


def test_zero_grad():
    p = Value(1.0)
    p.grad = 1.0
    SGD([p], lr=0.1).zero_grad()
    assert p.grad is None


def test_a_generator_of_parameters_will_do():
    layer = Linear(2, 1, rng=0)
    assert len(SGD((p for p in layer.parameters()), lr=0.1).parameters) == 2


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "no parameters to optimize"),
        (Value([1.0]), TypeError, r"write \[v\] for a single one"),
        ([np.ones(2)], TypeError, "not a ndarray"),
        ([Value(1.0) * 2.0], TypeError, "not the result of mul"),
        (Linear(2, 1).named_parameters(), TypeError, "not a tuple"),
    ],
)
def test_other_things_than_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        SGD(parameters, lr=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0.0}, "lr=0.0: the learning rate is a positive number"),
        ({"lr": -1.0}, "lr=-1.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"lr": float("inf")}, "lr=inf"),
        ({"lr": 0.1, "momentum": -0.5}, "momentum=-0.5"),
        ({"lr": 0.1, "weight_decay": -0.5}, "weight_decay=-0.5"),
        ({"lr": 0.1, "nesterov": True}, "nesterov=True needs a momentum"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SGD([Value(1.0)], **settings)


def test_an_optimizer_defines_its_step():
    with pytest.raises(NotImplementedError):
        Optimizer([Value(1.0)], lr=0.1).step()
