"""SGD against PyTorch's formulas, written out, and what all optimizers share; PyTorch's numbers: test_golden.py."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

from autograd_core import Value
from nn import MLP, SGD, Adam, AdamW, Linear, Optimizer, RMSprop, mse_loss

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


@pytest.mark.parametrize(
    ("name", "value"), [("lr", -0.1), ("lr", float("nan")), ("momentum", -1), ("weight_decay", -1)]
)
def test_a_setting_is_not_changed_to_what_is_out_of_range(name, value):
    optimizer = SGD([Value(1.0)], lr=0.1)
    with pytest.raises(ValueError, match=f"{name}={value}: it is at least 0"):
        setattr(optimizer, name, value)
    optimizer.lr = 0
    assert optimizer.lr == 0


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


SHARED = Value(1.0)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "no parameters to optimize"),
        (Value([1.0]), TypeError, r"write \[v\] for a single one"),
        ([np.ones(2)], TypeError, "not a ndarray"),
        ([Value(1.0) * 2.0], TypeError, "not the result of mul"),
        (Linear(2, 1).named_parameters(), TypeError, "not a tuple"),
        (Linear(2, 1), TypeError, r"parameters are wanted, not the Linear: write model.parameters\(\)"),
        (MLP([2, 1]), TypeError, r"parameters are wanted, not the MLP: write model.parameters\(\)"),
        ([{"params": Linear(2, 1)}], TypeError, r"parameters are wanted, not the Linear"),
        ([{"params": []}], ValueError, "no parameters to optimize"),
        ([{"params": [Value(1.0)], "rate": 1.0}], TypeError, "is a dict of params, lr, momentum, .*, not params, rate"),
        ([{"lr": 1.0}], TypeError, "a group of parameters is a dict of params, lr"),
        ([{"params": [Value(1.0)]}, Value(1.0)], TypeError, "not a Value"),
        ([{"params": [Value(1.0)], "lr": 0.0}], ValueError, "lr=0.0"),
        ([{"params": [Value(1.0)], "momentum": -1}], ValueError, "momentum=-1"),
        ([{"params": [SHARED]}, {"params": [SHARED]}], ValueError, "a parameter is in two groups"),
        (None, TypeError, "not iterable"),
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


def test_what_stands_in_another_order_elsewhere_is_given_by_name():
    with pytest.raises(TypeError, match="positional"):
        SGD([Value(1.0)], 0.1, 0.9, 0.1)  # PyTorch's fourth is the dampening


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Adam, {"betas": (0.9, 1.0)}, r"betas=\(0.9, 1.0\): it is at least 0, and less than 1"),
        (Adam, {"betas": (-0.1, 0.9)}, r"betas=\(-0.1, 0.9\)"),
        (Adam, {"betas": (0.9,)}, r"betas=\(0.9,\): they are two, such as \(0.9, 0.999\)"),
        (Adam, {"betas": 0.9}, "betas=0.9: they are two"),
        (Adam, {"eps": -1e-8}, "eps=-1e-08"),
        (Adam, {"lr": 0.0}, "lr=0.0"),
        (AdamW, {"weight_decay": float("nan")}, "weight_decay=nan"),
        (RMSprop, {"alpha": 1.5}, "alpha=1.5"),
        (RMSprop, {"momentum": float("inf")}, "momentum=inf"),
    ],
)
def test_numbers_out_of_range_are_refused_by_the_others(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind([Value(1.0)], **settings)


# All of them ----------------------------------------------------------------------------------------------------------

EVERY = [
    lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: Adam(p, lr=0.05, weight_decay=0.01),
    lambda p: AdamW(p, lr=0.05),
    lambda p: RMSprop(p, lr=0.01, momentum=0.5, centered=True, weight_decay=0.01),
]
each_kind = pytest.mark.parametrize("make", EVERY, ids=["SGD", "Adam", "AdamW", "RMSprop"])


@each_kind
@pytest.mark.parametrize("start", [2.0, np.float32(2.0), np.array(2.0), np.full((1, 3), 2.0, np.float32)])
def test_scalars_and_dtypes_stay_what_they_are(make, start):
    p = Value(start)
    optimizer = make([p])
    for _ in range(60):
        optimizer.zero_grad()
        (p * p).sum().backward()
        gradient = np.array(p.grad)
        optimizer.step()
        np.testing.assert_array_equal(p.grad, gradient)
    assert type(p.data) is type(start)
    assert p.dtype == np.asarray(start).dtype
    assert np.all(abs(p.data) < 1.0)


@each_kind
def test_updates_are_made_in_place_and_without_new_arrays(make):
    p = Value(np.ones(200_000))
    optimizer = make([p])
    array, p.grad = p.data, np.ones(200_000)
    for _ in range(2):
        optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert p.data is array
    assert peak < 100_000


@each_kind
def test_gradients_accumulate_over_parts_of_a_batch(make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
    whole, parts = MLP([3, 4, 1], rng=0), MLP([3, 4, 1], rng=0)
    first, second = make(whole.parameters()), make(parts.parameters())
    for _ in range(5):
        first.zero_grad()
        mse_loss(whole(x), y).backward()
        first.step()
        second.zero_grad()
        for rows in np.split(np.arange(12), 4):
            (mse_loss(parts(x[rows]), y[rows]) / 4).backward()
        second.step()
    for p, q in zip(whole.parameters(), parts.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-9)


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSprop])
def test_complex_parameters_are_for_sgd(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__} is for real parameters, and one is complex128: use SGD"):
        kind([Value([1.0 + 2.0j])])


# Groups ---------------------------------------------------------------------------------------------------------------


def test_groups_have_their_own_settings():
    a, b = Value(1.0), Value(1.0)
    optimizer = SGD([{"params": [a], "lr": 0.5}, {"params": (p for p in [b])}], lr=0.1)
    assert [p.name for p in optimizer.parameters] == [None, None]
    a.grad = b.grad = 1.0
    optimizer.step()
    assert (a.data, b.data) == (0.5, 0.9)
    optimizer.param_groups[1]["lr"] = 0.2
    optimizer.step()
    assert (a.data, b.data) == (0.0, pytest.approx(0.7))


def test_an_attribute_is_the_first_groups_and_set_for_all():
    optimizer = SGD([{"params": [Value(1.0)], "lr": 0.5}, {"params": [Value(1.0)]}], lr=0.1)
    assert optimizer.lr == 0.5
    optimizer.lr = 0.3
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 0.3]


def test_the_repr_shows_the_settings_of_each_group():
    optimizer = SGD([{"params": [Value(1.0)], "lr": 0.5}, {"params": [Value(1.0)]}], lr=0.1)
    settings = "momentum=0.0, nesterov=False, weight_decay=0.0"
    assert repr(optimizer) == f"SGD(lr=0.5, {settings} | lr=0.1, {settings})"


# Saving and loading ---------------------------------------------------------------------------------------------------


def test_the_state_is_flat_and_made_of_arrays_and_numbers():
    p, unused = Value([1.0, 2.0]), Value(1.0)
    optimizer = Adam([p, unused], lr=0.1)
    assert sorted(optimizer.state_dict()) == [
        "groups.0.betas", "groups.0.eps", "groups.0.lr", "groups.0.weight_decay",
    ]  # fmt: skip
    p.grad = np.array([1.0, -1.0])
    optimizer.step()
    state = optimizer.state_dict()
    assert state["groups.0.betas"] == [0.9, 0.999]
    assert state["parameters.0.steps"] == 1
    np.testing.assert_allclose(state["parameters.0.mean"], [0.1, -0.1])
    assert not any(name.startswith("parameters.1") for name in state)
    optimizer.load_state_dict({name: item for name, item in state.items() if name.startswith("groups")})
    assert "parameters.0.steps" not in optimizer.state_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"parameters.0.velocity": np.ones(3)},
            r"parameters.0.velocity: saved with shape \(3,\), here it has shape \(2,",
        ),
        (
            {"parameters.0.velocity": np.ones(2, complex)},
            "parameters.0.velocity: saved with dtype complex128, which does not fit in float64",
        ),
        ({"parameters.1.velocity": np.ones(2)}, "parameters.1.velocity: saved, but there is nothing of that name here"),
        ({"parameters.0.mean": np.ones(2)}, "parameters.0.mean: saved, but"),
        ({"groups.1.lr": 0.1}, "groups.1.lr: saved, but"),
        ({"groups.0.lr": "fast"}, "groups.0.lr: saved as 'fast', and here it is 0.1"),
        ({"groups.0.lr": [0.1]}, r"groups.0.lr: saved as \[0.1\], and here it is 0.1"),
        ({"groups.0.lr": None}, "groups.0.lr: saved as None"),
        ({"parameters.0.steps": 3}, "parameters.0.steps: saved, but there is nothing of that name here"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    optimizer = SGD([Value([1.0, 2.0])], lr=0.1, momentum=0.9)
    optimizer.parameters[0].grad = np.ones(2)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="the saved state does not fit this SGD; nothing was loaded:\n  " + message):
        optimizer.load_state_dict(before | {"groups.0.momentum": 0.1} | change)
    after = optimizer.state_dict()
    np.testing.assert_array_equal(after.pop("parameters.0.velocity"), before.pop("parameters.0.velocity"))
    assert after == before


@pytest.mark.parametrize("wrong", [None, [1.0], "text"])
def test_what_is_no_state_is_refused(wrong):
    with pytest.raises(TypeError, match=r"load_state_dict takes what state_dict\(\) returned, not a"):
        SGD([Value(1.0)], lr=0.1).load_state_dict(wrong)


def test_the_state_of_another_kind_is_refused():
    optimizer = Adam([Value(1.0)])
    with pytest.raises(ValueError, match=r"parameters.0.steps: saved as array.*, and here it is 0"):
        optimizer.load_state_dict(optimizer.state_dict() | {"parameters.0.steps": np.ones(2)})
    with pytest.raises(ValueError, match=r"groups.0.betas: saved as 0.9, and here it is \(0.9, 0.999\)"):
        optimizer.load_state_dict(optimizer.state_dict() | {"groups.0.betas": 0.9})
    with pytest.raises(ValueError, match=r"groups.0.betas: missing from the saved state"):
        Adam([Value(1.0)]).load_state_dict(SGD([Value(1.0)], lr=0.1).state_dict())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copied_optimizer_belongs_to_the_copied_model(copied):
    model = Linear(2, 1, rng=0)
    optimizer = Adam(model.parameters())
    twin, its_optimizer = copied((model, optimizer))
    mse_loss(twin(np.ones((3, 2))), np.zeros((3, 1))).backward()
    before = model.weight.data.copy()
    its_optimizer.step()
    np.testing.assert_array_equal(model.weight.data, before)
    assert not np.array_equal(twin.weight.data, before)


def test_the_defaults_are_pytorchs():
    def settings(kind, *args):
        return {name: x for name, x in kind([Value(1.0)], *args).param_groups[0].items() if name != "params"}

    adam = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    assert settings(SGD, 0.1) == dict(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)
    assert settings(Adam) == adam
    assert settings(AdamW) == adam | dict(weight_decay=1e-2)
    assert settings(RMSprop) == dict(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False)


def test_an_optimizer_defines_its_rule():
    w = Value(1.0)
    w.grad = 1.0
    with pytest.raises(NotImplementedError, match=r"Optimizer has no rule: define numbers\(self, group, t\)"):
        Optimizer([w], lr=0.1).step()

    class Half(Optimizer):
        def numbers(self, group, t):
            return ()

    with pytest.raises(NotImplementedError, match=r"Half has no rule: define update\(\)"):
        Half([w], lr=0.1).step()


def test_the_learning_rate_has_one_name():
    optimizer = SGD([Value(1.0)], lr=0.1)
    with pytest.raises(AttributeError, match=r"the setting is called lr here: write optimizer\.lr"):
        optimizer.learning_rate = 0.01
    assert not hasattr(optimizer, "learning_rate")
