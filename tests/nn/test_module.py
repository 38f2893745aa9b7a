"""What a module holds, saves and loads."""

import copy
import pickle
import re

import numpy as np
import pytest

import nn
from autograd_core import Value, grad
from nn import MLP, SGD, Linear, Module, Sequential


class Everything(Module):
    """One of each kind of attribute."""

    def __init__(self):
        self.scale = Value(2.0)
        self.layer = Linear(2, 3, rng=0)
        self.many = [Value([1.0]), Linear(3, 1, bias=False, rng=1)]
        self.pair = (Value([2.0]), 5)
        self.table = {"a": Value([3.0])}
        self.mean = np.zeros(2)
        self.rate = 0.5
        self.title = "no number"
        self.none = None

    def forward(self, x):
        return self.layer(x * self.scale)


NAMES = ["scale", "layer.weight", "layer.bias", "many.0", "many.1.weight", "pair.0", "table.a"]


def test_parameters_are_the_values_in_order_of_assignment():
    model = Everything()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert [p.shape for p in model.parameters()] == [(), (2, 3), (3,), (1,), (3, 1), (1,), (1,)]


def test_state_holds_arrays_too_and_no_settings():
    assert list(Everything().state_dict()) == [*NAMES, "mean"]


def test_a_shared_parameter_counts_once():
    first, second = Linear(2, 2, rng=0), Linear(2, 2, rng=1)
    second.weight = first.weight
    model = Sequential(first, second, first)
    assert [name for name, _ in model.named_parameters()] == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]
    assert list(model.state_dict()) == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]


def test_a_shared_parameter_gets_the_gradients_of_both_uses():
    layer = Linear(2, 2, bias=False, rng=0)
    x = np.array([[1.0, 2.0]])
    Sequential(layer, layer)(x).sum().backward()
    w = layer.weight.data
    np.testing.assert_allclose(layer.weight.grad, grad(lambda w: (x @ w @ w).sum())(w))


def test_a_part_may_know_its_parent():
    parent, part = Linear(2, 1, rng=0), Module()
    parent.part, part.parent = part, parent
    assert [name for name, _ in parent.named_parameters()] == ["weight", "bias"]
    assert "(parent): ..." in repr(parent)


def test_a_computed_value_is_no_parameter():
    layer = Linear(2, 1, rng=0)
    layer.last = layer(np.ones((1, 2)))
    assert len(layer.parameters()) == 2
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_replacing_and_deleting_attributes():
    model = Sequential(Linear(2, 3, rng=0), Linear(3, 1, rng=0))
    model.layers[1] = Linear(3, 2, bias=False, rng=0)
    assert [name for name, _ in model.named_parameters()] == ["layers.0.weight", "layers.0.bias", "layers.1.weight"]
    del model.layers
    assert model.parameters() == []


def test_values_are_named_after_their_attribute_unless_they_have_a_name():
    module = Module()
    module.v, module.w = Value(1.0), Value(2.0, name="mine")
    assert (module.v.name, module.w.name) == ("v", "mine")


def test_calling_a_module_calls_the_forward_of_its_class():
    class Twice(Module):
        def forward(self, x, *, times=2):
            return times * x

    class Thrice(Twice):
        def forward(self, x):
            return 3 * x

    class Mixin:
        def forward(self, x):
            return "mixin"

    class Mixed(Mixin, Twice):
        pass

    class Own(Twice):
        def __call__(self, x):
            return "own"

    assert (Twice()(1), Twice()(1, times=4), Thrice()(1), Mixed()(1), Own()(1)) == (2, 4, 3, "mixin", "own")


def test_a_module_without_forward_says_so():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty computes nothing yet: define its method forward\(self, x\)"):
        Empty()(1.0)


# Freezing -------------------------------------------------------------------------------------------------------------


def test_a_frozen_parameter_is_not_trained_but_saved():
    layer = Linear(2, 3, rng=0)
    x = Value(np.ones((4, 2)))
    before = layer(x).data
    layer.weight = layer.weight.data
    assert [name for name, _ in layer.named_parameters()] == ["bias"]
    assert list(layer.state_dict()) == ["weight", "bias"]
    out = layer(x)
    np.testing.assert_array_equal(out.data, before)
    out.sum().backward()
    np.testing.assert_allclose(x.grad, np.tile(layer.weight.sum(axis=1), (4, 1)))
    np.testing.assert_array_equal(layer.bias.grad, [4.0, 4.0, 4.0])


def test_a_frozen_parameter_is_not_moved_by_an_optimizer_that_holds_the_variable():
    layer = Linear(2, 1, rng=0)
    optimizer = SGD(layer.parameters(), lr=0.1)
    layer(np.ones((1, 2))).backward()
    before = layer.state_dict()["weight"]
    layer.weight = layer.weight.data
    optimizer.step()
    np.testing.assert_array_equal(layer.weight, before)


def test_a_layer_frozen_altogether_gives_plain_data_for_plain_data():
    layer = Linear(2, 3, rng=0)
    layer.weight, layer.bias = layer.weight.data, layer.bias.data
    assert type(layer(np.ones((4, 2)))) is np.ndarray
    assert layer.parameters() == []


def test_frozen_parameters_of_all_kinds_are_saved_and_loaded():
    model, other = Everything(), Everything()
    model.scale = model.scale.data  # a Python float
    model.many[0] = model.many[0].data
    model.layer.weight = model.layer.weight.data
    assert list(model.state_dict()) == [*NAMES, "mean"]
    other.scale.data = 7.0
    other.many[0].data = [8.0]
    other.layer.weight.data = np.ones((2, 3))
    model.load_state_dict(other.state_dict())
    assert (model.scale, model.many[0]) == (7.0, 8.0)
    assert (model.layer.weight == 1.0).all()
    assert model.rate == 0.5


@pytest.mark.parametrize("scalar", [2.0, np.float64(2), np.float32(2), np.array(2.0)])
def test_a_frozen_scalar_is_saved(scalar):
    model = Module()
    model.scale = Value(scalar)
    model.scale = model.scale.data
    assert model.state_dict() == {"scale": 2.0}
    model.load_state_dict({"scale": 3.0})
    assert model.scale == 3.0


@pytest.mark.parametrize("number", [3, True, 3.0, 3j, np.float32(3)])
def test_a_parameter_frozen_by_a_number_is_state_in_its_own_precision(number):
    layer = Linear(2, 1, rng=0, dtype=np.float32)
    layer.bias = number
    np.testing.assert_array_equal(layer.state_dict()["bias"], [number])
    assert layer.bias.shape == (1,), "a number fills it"
    assert layer(np.ones((1, 2), np.float32)).dtype == (np.complex64 if number == 3j else np.float32)


def test_what_would_not_be_found_is_refused():
    with pytest.raises(TypeError, match="Slotted: what is in __slots__ would not be found as a parameter"):

        class Slotted(Module):
            __slots__ = ("weight",)

    class Empty(Module):
        __slots__ = ()

    assert Empty().parameters() == []


@pytest.mark.parametrize("table", [{1: Value(1.0), "1": Value(2.0)}, {"a.b": Value(1.0), "a": {"b": Value(2.0)}}])
def test_two_arrays_of_one_name_are_not_saved_as_one(table):
    model = Module()
    model.table = table
    for method in (model.state_dict, lambda: model.load_state_dict({})):
        with pytest.raises(ValueError, match=r"two arrays of this Module are called 'table\.(1|a\.b)': rename a key"):
            method()


@pytest.mark.parametrize(
    ("name", "write"),
    [("fit", "write nn.fit(model, x, y, "), ("cuda", "all is on the processor"), ("modules", "model.named_modules()")],
)
def test_what_others_call_otherwise_is_said(name, write):
    with pytest.raises(
        AttributeError, match=re.escape(f"'MLP' object has no attribute '{name}' (") + f".*{re.escape(write)}"
    ):
        getattr(MLP([2, 1]), name)
    with pytest.raises(AttributeError, match=r"no attribute 'CrossEntropyLoss' \(write cross_entropy\("):
        nn.CrossEntropyLoss()
    with pytest.raises(AttributeError, match=r"'Conv2d' \(write np.einsum\("):
        nn.Conv2d(1, 8, 3)
    assert not hasattr(nn, "Bilinear")


def test_what_is_elsewhere_may_be_here():
    class Mixin:
        def fit(self):
            return "mixed in"

    class Own(Module, Mixin):
        def predict(self):
            return "own"

    own = Own()
    own.children = [Linear(1, 1)]
    assert (own.fit(), own.predict(), len(own.children), len(own.parameters())) == ("mixed in", "own", 1, 2)
    assert not hasattr(own, "cuda")
    assert not hasattr(Module, "cuda")
    assert not hasattr(Module, "__getattr__")


# Saving and loading ---------------------------------------------------------------------------------------------------


def test_state_goes_from_one_model_to_another():
    a, b = MLP([3, 4, 2], rng=0), MLP([3, 4, 2], rng=1)
    x = np.random.default_rng(2).normal(size=(5, 3))
    assert not np.array_equal(a(x).data, b(x).data)
    b.load_state_dict(a.state_dict())
    np.testing.assert_array_equal(a(x).data, b(x).data)


def test_a_state_dict_is_a_copy():
    layer = Linear(2, 2, rng=0)
    saved = layer.state_dict()
    layer.weight.data -= 1.0
    layer.bias.data -= 1.0
    assert not np.array_equal(saved["weight"], layer.weight.data)
    layer.load_state_dict(saved)
    saved["weight"][:] = 0.0
    assert layer.weight.data.all()


def test_loading_keeps_dtypes_and_kinds_of_scalars():
    model = Module()
    model.weak, model.typed, model.single = Value(1.0), Value(np.float32(1)), Value(np.ones(2, np.float32))
    model.load_state_dict({"weak": 2.0, "typed": 3, "single": [4, 5]})
    assert type(model.weak.data) is float
    assert type(model.typed.data) is np.float32
    assert model.single.dtype == np.float32
    assert (model.weak.data, model.typed.data, model.single.data.tolist()) == (2.0, 3.0, [4.0, 5.0])


def test_values_can_be_loaded():
    a, b = Linear(2, 1, rng=0), Linear(2, 1, rng=1)
    b.load_state_dict(dict(a.named_parameters()))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    a.weight.data -= 1.0
    assert not np.array_equal(a.weight.data, b.weight.data)


def test_another_architecture_is_refused_with_everything_that_is_wrong_and_nothing_is_loaded():
    model = MLP([3, 4, 2], rng=0)
    before = model.state_dict()
    saved = {name: np.full_like(array, 7.0) for name, array in before.items()}
    saved["layers.0.weight"] = np.zeros((3, 5))
    saved["layers.9.weight"] = saved.pop("layers.2.bias")
    saved["layers.0.bias"] = saved["layers.0.bias"] * 1j
    with pytest.raises(ValueError, match="the saved state does not fit this MLP; nothing was loaded") as raised:
        model.load_state_dict(saved)
    assert str(raised.value).splitlines()[1:] == [
        "  layers.0.bias: saved with dtype complex128, which does not fit in float64",
        "  layers.0.weight: saved with shape (3, 5), here it has shape (3, 4)",
        "  layers.2.bias: missing from the saved state",
        "  layers.9.weight: saved, but there is nothing of that name here",
    ]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_read_only_array_is_refused_before_anything_is_loaded():
    layer = Linear(2, 1, rng=0)
    layer.bias = None
    layer.bias = np.broadcast_to(1.0, (1,))
    with pytest.raises(ValueError, match="bias: the array here is read-only"):
        layer.load_state_dict({"weight": np.zeros((2, 1)), "bias": np.zeros(1)})
    assert layer.weight.data.all()


@pytest.mark.parametrize("wrong", [None, [1.0], "weights.safetensors"])
def test_what_is_no_state_is_refused(wrong):
    with pytest.raises(TypeError, match=r"load_state_dict takes what state_dict\(\) returned, not a"):
        Linear(2, 1).load_state_dict(wrong)


def test_loading_between_the_passes_is_noticed():
    layer = Linear(2, 1, rng=0)
    loss = (layer(np.ones((1, 2))) ** 2).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="changed after"):
        loss.backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_models_can_be_copied_and_pickled(copied):
    model = MLP([2, 3, 1], rng=0)
    twin = copied(model)
    x = np.ones((4, 2))
    np.testing.assert_array_equal(model(x).data, twin(x).data)
    twin.layers[0].weight.data -= 1.0
    assert not np.array_equal(model(x).data, twin(x).data)
    assert repr(model) == repr(twin)


# Modes and gradients --------------------------------------------------------------------------------------------------


def test_train_and_eval_reach_all_parts():
    model = Everything()
    assert model.training
    assert model.eval() is model
    assert [m.training for m in (model, model.layer, model.many[1])] == [False, False, False]
    model.train()
    assert [m.training for m in (model, model.layer, model.many[1])] == [True, True, True]


def test_zero_grad():
    model = MLP([2, 3, 1], rng=0)
    model(np.ones((1, 2))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_the_repr_shows_the_parts():
    model = Module()
    model.encoder = MLP([2, 1], activation="tanh", rng=0)
    model.heads = [Linear(1, 1, rng=0), np.sin]
    model.sizes = [2, 1]
    assert repr(model).splitlines() == [
        "Module(",
        "  (encoder): MLP(",
        "    (layers.0): Linear(2, 1)",
        "    (layers.1): Tanh()",
        "  )",
        "  (heads.0): Linear(1, 1)",
        "  (heads.1): <ufunc 'sin'>",
        ")",
    ]
