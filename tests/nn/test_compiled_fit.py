"""Trainings in machine code: the numbers of uncompiled ones, whatever a step is made of, and what is left when they
stop."""

import functools
import gc
import os
import signal
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import nn
from autograd_core import Value, grad, holding, jit, stop_gradient
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    BatchNorm1d,
    Callback,
    CosineAnnealingLR,
    Dropout,
    Linear,
    Module,
    OneCycleLR,
    ReduceLROnPlateau,
    RMSprop,
    Sequential,
    StepLR,
    accuracy,
    batches,
    cross_entropy,
    fit,
    l2_penalty,
    mse_loss,
)
from nn.recorded import PROGRAMS
from nn.state import State

sys.path.insert(0, str(Path(__file__).parent.parent))
from endurance import digest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
Y = np.tanh(X @ RNG.normal(size=(4, 3)))
LABELS = RNG.integers(0, 3, 200)
WEIGHTS = RNG.random(200)


def network(dtype=np.float64):
    return MLP([4, 8, 3], "tanh", "identity", rng=0, dtype=dtype)


def noisy():
    return Sequential(Linear(4, 8, rng=0), BatchNorm1d(8), np.tanh, Dropout(0.3, rng=3), Linear(8, 3, rng=1))


def train(compiled, make=network, optimizer=lambda p: Adam(p, 0.01), schedule=None, data=(X, Y), **settings):
    """A training of 12 epochs of 9 batches, 108 steps."""
    model = make()
    optimizer = optimizer(model.parameters())
    settings = {"epochs": 12, "batch_size": 24, "rng": 1, "progress": False} | settings
    schedule = schedule(optimizer) if schedule else ()
    history = fit(model, *data, optimizer=optimizer, schedule=schedule, compiled=compiled, **settings)
    return model, optimizer, history


def compare(near=1e-9, **settings):
    """Both ways: the same parameters, buffers, memory and history."""
    (model, optimizer, history), (other, its, found) = train(False, **settings), train(True, **settings)
    pairs = [(model.state_dict(), other.state_dict()), (optimizer.state_dict(), its.state_dict())]
    pairs.append(({**history.to_dict(), "seconds": 0}, {**found.to_dict(), "seconds": 0}))
    for wanted, got in pairs:
        assert list(wanted) == list(got)
        for name, array in wanted.items():
            np.testing.assert_allclose(got[name], array, rtol=near, atol=near, err_msg=name)
    return found


# The same numbers -----------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": lambda p: SGD(p, 0.1),
    "momentum": lambda p: SGD(p, 0.1, momentum=0.9),
    "Nesterov": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: Adam(p, 0.01),
    "Adam, decay": lambda p: Adam(p, 0.01, weight_decay=0.1),
    "AdamW": lambda p: AdamW(p, 0.01, weight_decay=0.1),
    "RMSprop": lambda p: RMSprop(p, 0.01),
    "RMSprop, all": lambda p: RMSprop(p, 0.01, momentum=0.9, centered=True, weight_decay=0.1),
    "groups": lambda p: SGD([{"params": p[:2], "weight_decay": 0.1}, {"params": p[2:], "momentum": 0.5}], 0.01),
}


class Heads(Module):
    """Two results by name, from a table of rows that integers choose."""

    def __init__(self):
        self.rows = Value(np.random.default_rng(0).normal(size=(7, 4)))
        self.heads = {"one": Linear(4, 3, rng=1), "two": Linear(4, 1, rng=2)}

    def forward(self, x):
        chosen = self.rows[x]
        return {name: head(chosen) for name, head in self.heads.items()}


@pytest.mark.parametrize("kind", [dict, list])
def test_results_in_containers_and_integers_that_are_indices(kind):
    class Kind(Heads):
        def forward(self, x):
            found = super().forward(x)
            return found if kind is dict else list(found.values())

    def loss(prediction, target):
        one, two = prediction.values() if kind is dict else prediction
        return mse_loss(one, target) + mse_loss(two, target[:, :1])

    numbers = RNG.integers(0, 7, 200)
    assert compare(make=Kind, data=(numbers, Y), loss=loss, validation_split=0.2).executor == "compiled"
    assert nn.evaluate(Kind(), numbers, Y, loss=loss) > 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name):
    assert compare(optimizer=OPTIMIZERS[name]).executor == "compiled"


SETTINGS = {
    "batch normalization and dropout": {"make": noisy},
    "clipping": {"clip_norm": 0.05, "optimizer": lambda p: SGD(p, 0.1)},
    "accumulation": {"make": noisy, "accumulate": 4},
    "weights": {"sample_weight": WEIGHTS * (WEIGHTS > 0.4), "accumulate": 2},
    "classes, metrics, held out": {
        "data": (X, LABELS), "loss": cross_entropy, "metrics": [accuracy], "validation_split": 0.2,
    },
    "a rate for every step": {"schedule": lambda o: CosineAnnealingLR(o, T_max=50, interval="step")},
    "a rate for every step, which each epoch notes": {
        "schedule": lambda o: CosineAnnealingLR(o, T_max=50, interval="step"), "batch_size": 50, "epochs": 20,
    },
    "rates and momenta": {"schedule": lambda o: OneCycleLR(o, max_lr=0.05, total_steps=108)},
    "rates by the loss": {"schedule": lambda o: ReduceLROnPlateau(o, patience=0, threshold=0.5)},
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_everything_that_a_step_is_made_of(name):
    assert compare(**SETTINGS[name]).executor == "compiled"


def test_float32():
    assert compare(near=1e-4, make=lambda: network(np.float32), clip_norm=0.5).executor == "compiled"


def test_a_penalty_of_the_model_in_the_loss():
    models = []

    def make():
        models.append(network())
        return models[-1]

    compare(make=make, loss=lambda p, t: mse_loss(p, t) + l2_penalty(models[-1], 0.1, m=len(t)))


def test_a_module_with_random_numbers_and_arrays_of_its_own():
    class Noise(Module):
        def __init__(self):
            self.rng = np.random.default_rng(5)
            self.frozen = np.array([1.0, 2.0, 3.0, 4.0])
            self.mean = [np.zeros(4)]

        def forward(self, x):
            x = x + 0.1 * self.rng.normal(size=x.shape) * self.rng.uniform(0.5, 1.0, x.shape)
            self.mean[0] = 0.9 * self.mean[0] + 0.1 * np.mean(nn.module.stop_gradient(x), axis=0)
            return x * self.frozen

    compare(make=lambda: Sequential(Noise(), Linear(4, 3, rng=0)))


def test_a_batch_that_weighs_nothing_is_not_a_step():
    found = compare(sample_weight=np.repeat([1.0, 0.0], 100), batch_size=2, epochs=2)
    assert found.executor.endswith("of 200 steps compiled")


# What cannot be compiled ----------------------------------------------------------------------------------------------


def refuse(reason, **settings):
    """Trained uncompiled, with the reason; an error if it has to be compiled."""
    nn.executors.COMPILING, before = (0.0, 0.0), nn.executors.COMPILING
    try:
        _, _, history = train(None, **settings)
        model, _, _ = train(False, **settings)
        again, _, _ = train(None, **settings)
    finally:
        nn.executors.COMPILING = before
    assert history.executor.startswith("eager: ")
    assert reason in history.executor
    assert digest(again.state_dict()) == digest(model.state_dict())
    with pytest.raises(TypeError, match="compiled=True: "):
        train(True, **settings)


def test_python_that_decides_on_data():
    class Wavering(Linear):
        def forward(self, x):
            z = super().forward(x)
            return z if z.data.sum() > 0 else z * 2.0

    refuse("asks for the numbers of an array", make=lambda: Wavering(4, 3, rng=0))


def test_a_module_that_counts():
    class Counting(Linear):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return super().forward(x)

    refuse("its modules or functions change their attributes", make=lambda: Counting(4, 3, rng=0))


def test_a_loss_with_random_numbers_from_elsewhere():
    def make():
        rng = np.random.default_rng(0)
        losses.append(lambda p, t: mse_loss(p + rng.normal(size=p.shape), t))
        return network()

    losses = []
    make()
    with pytest.raises(TypeError, match="its first steps give other numbers"):
        train(True, loss=losses[0])


def test_a_gradient_that_is_nothing_but_rounding():
    """A bias before a batch normalization has none else, of which Adam makes steps of full length; a running mean that
    follows them makes a difference in use."""

    def make(bias):
        parts = (
            Linear(4, 8, bias, rng=0, dtype="f4"),
            BatchNorm1d(8, dtype="f4"),
            np.tanh,
            Linear(8, 3, rng=1, dtype="f4"),
        )
        return Sequential(*parts)

    refuse("most of all of the parameter layers.0.bias: it is not a function", make=lambda: make(True))
    assert compare(near=1e-3, make=lambda: make(False)).executor == "compiled"


def test_masks_and_counts_among_the_state_of_a_module():
    class Masked(Linear):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            self.mask, self.bytes = np.array([True, False, True]), np.array([200, 3, 9], np.uint8)

        def forward(self, x):
            self.bytes = self.bytes - np.uint8(1)
            return np.where(self.mask, super().forward(x), 0.0)

    assert compare(make=lambda: Masked(4, 3, rng=0)).executor == "compiled"


def test_a_derivative_within_a_model():
    """Its variable is nobody's that was forgotten, and so there is no warning."""

    class Slope(MLP):
        def forward(self, x):
            return super().forward(x) + grad(lambda x: np.sum(super(Slope, self).forward(x) ** 2))(x) @ np.ones((4, 3))

    assert compare(make=lambda: Slope([4, 8, 3], "tanh", "identity", rng=0)).executor == "compiled"


@pytest.mark.parametrize(
    ("layer", "message"),
    [(Dropout(0.5, rng=0), "one mask for all calls"), (BatchNorm1d(4), "averages do not leave a function that jit")],
)
def test_a_function_of_ones_own_is_not_compiled_with_what_changes_from_step_to_step(layer, message):
    before = digest(layer.state_dict())
    for x in (lambda x: x, Value):
        with pytest.raises(TypeError, match=message):
            jit(lambda x, convert=x: np.sum(stop_gradient(layer(convert(x)))))(X)
    assert digest(layer.state_dict()) == before
    layer.eval()

    def used(data, x):
        with holding(layer.parameters(), data):
            return stop_gradient(layer(x))

    data = [p.data for p in layer.parameters()]
    np.testing.assert_allclose(jit(used)(data, X), used(data, X), rtol=1e-12)


def test_metrics_of_other_libraries():
    refuse("asks for the numbers", metrics={"error": lambda p, t: float(np.mean(np.abs(p - t)))})


def test_steps_that_differ_from_one_another():
    def begun(p):
        optimizer = Adam(p, 0.01)
        p[0].grad = np.ones_like(p[0].data)
        optimizer.step()
        return optimizer

    class Holding(Linear):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            self.held = (np.ones(3),)

        def forward(self, x):
            return super().forward(x) * self.held[0]

    refuse("different numbers of steps", optimizer=begun)
    refuse("a plain number while the step is recorded", metrics={"one": lambda p, t: 1.0})
    refuse("an array of its modules is in a tuple", make=lambda: Holding(4, 3, rng=0))


def test_batches_and_optimizers_of_ones_own():
    class Own(SGD):
        def step(self):
            super().step()

    refuse("Own has a step() of its own", optimizer=lambda p: Own(p, 0.1))
    refuse("made on the way", data=(list(batches(X, Y, batch_size=50, rng=0)),))
    refuse("float64 or float32", make=lambda: MLP([4, 8, 3], rng=0, dtype=np.float16), optimizer=lambda p: SGD(p, 0.1))


def test_short_trainings_are_not_compiled():
    _, _, history = train(None)
    assert history.executor == "eager: compiling would take longer than it saves"
    assert "compiled" not in repr(history)
    assert train(False)[2].executor == "eager: compiled=False"
    _, _, history = train(True)
    assert repr(history).split("\n")[0].endswith(", compiled")


def test_without_llvmlite(monkeypatch):
    monkeypatch.setattr(nn.executors, "find_spec", lambda name: None)
    assert train(None)[2].executor == "eager: llvmlite is not installed"
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[fast\]"'):
        train(True)


def raising(*_):
    raise RuntimeError("of one's own")


SPOILT_LABELS = np.where(np.arange(200) == 77, -1, LABELS)
BAD = {
    "a label": (
        {"data": (X, SPOILT_LABELS), "loss": cross_entropy},
        "labels of 3 classes are 0 to 2, and there is -1 in",
    ),
    "targets": ({"data": (X, Y[:, :2])}, r"mse_loss: the prediction has shape \(24, 3\), the target \(24, 2\)"),
    "samples": ({"data": (X[:, :3], Y)}, r"layers.0: Linear\(4, 8\): an input of shape \(24, 3\)"),
    "a loss": ({"loss": raising}, "^of one's own$"),
    "a loss of no variables": ({"loss": lambda p, t: 1.0}, "^the loss is a float, plain data"),
    "a metric": ({"metrics": [raising]}, "^of one's own$"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("compiled", [False, True, None])
def test_what_is_wrong_raises_the_same_error(name, compiled, monkeypatch):
    monkeypatch.setattr(nn.executors, "COMPILING", (0.0, 0.0))
    settings, message = BAD[name]
    kind = RuntimeError if "own" in message else TypeError if "plain data" in message else ValueError
    with pytest.raises(kind, match=message):
        train(compiled, **settings)


def test_a_loss_that_is_not_finite_at_once():
    for compiled in (False, True):
        with (
            pytest.raises(FloatingPointError, match="the loss is inf in epoch 1, after 0 steps") as caught,
            np.errstate(all="ignore"),
        ):
            train(compiled, make=lambda: Linear(4, 3, rng=0), data=(X, Y * 1e200))
        assert caught.value.history is not None


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_a_callback_is_raised_as_it_is(error):
    class Raise(Callback):
        def on_epoch_end(self, run):
            self.model = run.model
            if run.epoch == 3:
                raise error("mine")

    left = []
    for compiled in (False, True):
        raises = Raise()
        with pytest.raises(error, match="mine"):
            train(compiled, callbacks=[raises])
        left.append(raises.model.state_dict())
        assert not raises.model.training
    for name, array in left[0].items():
        np.testing.assert_allclose(left[1][name], array, rtol=1e-9, err_msg=name)


# Callbacks that change what is trained --------------------------------------------------------------------------------


class Net(Module):
    """Everything that a callback might change."""

    def __init__(self):
        self.first, self.drop, self.last = Linear(4, 8, rng=0), Dropout(0.3, rng=3), Linear(8, 3, rng=1)
        self.shape, self.scale = np.tanh, 1.0

    def forward(self, x):
        return self.last(self.drop(self.shape(self.first(x)))) * self.scale


def other_arrays(run):
    run.model.first.weight.data = run.model.first.weight.data * 0.5


def freeze(run):
    run.model.first.weight = run.model.first.weight.data


SURROUNDINGS = {"factor": 1.0}
CHANGES = {
    "a setting of the model": lambda run: setattr(run.model, "scale", 3.0),
    "its function": lambda run: setattr(run.model, "shape", np.sin),
    "the rate of dropout": lambda run: setattr(run.model.drop, "p", 0.6),
    "the mode of a layer": lambda run: run.model.drop.eval(),
    "a layer": lambda run: setattr(run.model, "drop", Dropout(0.1, rng=8)),
    "the numbers of a parameter": lambda run: np.multiply(run.model.first.bias.data, 2.0, run.model.first.bias.data),
    "the array of a parameter": other_arrays,
    "the loss": lambda run: setattr(run, "loss", nn.l1_loss),
    "clipping": lambda run: setattr(run, "clip_norm", 0.01),
    "the rate": lambda run: setattr(run.optimizer, "lr", 0.001),
    "the data": lambda run: np.multiply(run.feed.arrays[0], 0.9, run.feed.arrays[0]),
    "what the loss finds around it": lambda run: SURROUNDINGS.update(factor=2.0),
}


class Change(Callback):
    """Changes something after the third epoch."""

    def __init__(self, change):
        self.change = change

    def on_epoch_end(self, run):
        if run.epoch == 3:
            self.change(run)


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_callback_changes_counts_from_then_on(name):
    def left(compiled, change=CHANGES[name]):
        SURROUNDINGS["factor"] = 1.0
        model, optimizer, history = train(
            compiled, Net, data=(X.copy(), Y), epochs=6, callbacks=[Change(change)],
            loss=lambda p, t: mse_loss(p, t) * SURROUNDINGS["factor"],
        )  # fmt: skip
        assert history.executor == ("compiled" if compiled else "eager: compiled=False")
        return model.state_dict() | optimizer.state_dict()

    wanted, found, unchanged = left(False), left(True), left(True, lambda run: None)
    assert list(found) == list(wanted)
    for key, array in wanted.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-9, atol=1e-12, err_msg=key)
    assert digest(found) != digest(unchanged)


class Weighing:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, p, t):
        return weighed(self, p, t)


def weighed(holder, p, t):
    return cross_entropy(p, t, class_weight=holder.weight)


def around_another(weight):
    def loss(p, t):
        return cross_entropy(p, t, class_weight=weight)

    return lambda p, t: loss(p, t)


HOLDERS = {
    "a partial": lambda weight: functools.partial(cross_entropy, class_weight=weight),
    "a default": lambda weight: lambda p, t, w=weight: cross_entropy(p, t, class_weight=w),
    "a setting": lambda weight: lambda p, t, *, w=weight: cross_entropy(p, t, class_weight=w),
    "a function around a function": around_another,
    "a list in a dict": lambda weight: lambda p, t, d={"w": [weight]}: cross_entropy(p, t, class_weight=d["w"][0]),
    "an object": Weighing,
    "its method": lambda weight: Weighing(weight).__call__,
    "an object that is found": lambda weight: (lambda found: lambda p, t: weighed(found, p, t))(Weighing(weight)),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_program_that_is_kept_is_not_used_when_an_array_around_the_loss_has_changed(name):
    order = np.random.default_rng(1).permutation(len(X))
    labels = LABELS % 2
    labels[order[100:]] = LABELS[order[100:]]  # the last class comes after the steps that are compared
    weight = np.ones(3)
    loss = HOLDERS[name](weight)
    settings = dict(loss=loss, data=(X, labels), epochs=1)
    train(True, **settings)
    weight[2] = 30.0
    for (key, array), wanted in zip(
        train(True, **settings)[0].state_dict().items(), train(False, **settings)[0].state_dict().values(), strict=True
    ):
        np.testing.assert_allclose(array, wanted, rtol=1e-9, err_msg=key)


def test_what_cannot_be_compiled_any_more_goes_on_without(monkeypatch):
    monkeypatch.setattr(nn.executors, "COMPILING", (0.0, 0.0))
    wanted, _, _ = train(False, Net, callbacks=[Change(freeze)])
    found, _, history = train(None, Net, callbacks=[Change(freeze)])
    assert "of 108 steps compiled: one of its parameters does not get a gradient any more" in history.executor
    for name, array in wanted.state_dict().items():
        np.testing.assert_allclose(found.state_dict()[name], array, rtol=1e-9, err_msg=name)
    with pytest.raises(TypeError, match="compiled=True: one of its parameters does not get"):
        train(True, Net, callbacks=[Change(freeze)])


def test_a_callback_that_only_looks_costs_no_comparison(monkeypatch):
    counts = []

    class Looks(Change):
        only_looks = True

    class Once(nn.EarlyStopping):
        def on_epoch_end(self, run):
            super().on_epoch_end(run)

    assert nn.EarlyStopping.only_looks
    assert not Once.only_looks
    before = nn.compiled.tried
    monkeypatch.setattr(nn.compiled, "tried", lambda *args: counts.append(1) or before(*args))
    for callback in (Looks(print), Change(lambda run: None)):
        train(True, epochs=3, callbacks=[callback])
        counts.append(0)
    assert counts == [1, 1, 0, *[1] * 6, 0], "two kinds of steps, once or in each epoch"


def test_losses_that_count():
    class Counting:
        calls = 0

        def __call__(self, p, t):
            self.calls += 1
            return mse_loss(p, t) * (1.0 if self.calls < 50 else 2.0)

    calls = {"number": 0}

    def counting(p, t):
        calls["number"] += 1
        return mse_loss(p, t) * (1.0 if calls["number"] < 50 else 2.0)

    for loss in (Counting(), counting):
        with pytest.raises(TypeError, match="functions change their attributes or variables"):
            train(True, loss=loss)


def test_a_loss_whose_surroundings_are_not_complete():
    def loss(p, t):
        return mse_loss(p, t) if p is not None else later

    assert train(True, loss=loss)[2].executor == "compiled"
    later = 0.0


def test_a_variable_of_nobody():
    factor = nn.module.Value(np.ones(3))

    def loss(p, t):
        return mse_loss(p * factor, t)

    nobody = "a variable .*that is neither the model's nor the optimizer's"
    with pytest.warns(UserWarning, match=nobody), pytest.raises(TypeError, match=nobody):
        train(True, loss=loss)
    assert type(factor.grad) is np.ndarray


# What is left when it stops -------------------------------------------------------------------------------------------


def test_a_loss_that_becomes_nan():
    def wild(p, t):
        return mse_loss(np.log(p * p * 0.0 + 1.0) + np.sqrt(p + 10.0), t)

    texts, weights = [], []
    for compiled in (False, True):
        model = Linear(4, 3, rng=0)
        with pytest.raises(FloatingPointError, match="the loss is nan") as caught, np.errstate(all="ignore"):
            fit(model, X, Y * 1e3, optimizer=SGD(model.parameters(), 0.05), loss=wild, epochs=50, batch_size=100, rng=0,
                compiled=compiled, progress=False)  # fmt: skip
        texts.append(str(caught.value).split("\n")[0])
        weights.append(model.weight.data)
        assert np.isfinite(wild(model(X), Y).data)
        assert not model.training
    assert texts[0] == texts[1]
    assert "sqrt" in texts[0]


def test_a_gradient_that_overflows_only_when_squared_is_no_end():
    found = compare(
        near=1e-4,
        make=lambda: network(np.float32),
        optimizer=lambda p: SGD(p, 1e-22),
        data=(X, Y * np.float32(1e19)),
        epochs=3,
        loss=lambda p, t: ((p - t) * 1e-3 * (p - t)).mean(),
    )
    assert found.executor is not None


def test_ctrl_c_keeps_what_was_learnt():
    model = network()
    before = model.state_dict()
    optimizer = SGD(model.parameters(), 0.01, momentum=0.5)
    fit(model, X, Y, optimizer=optimizer, epochs=2, batch_size=24, compiled=True, progress=False)  # compiles
    done = threading.Event()

    def press():  # again, if a test tool's callback in the garbage collector met the first, which Python drops there
        while not done.wait(0.5):
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    begin = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            fit(model, X, Y, optimizer=optimizer, epochs=10**7, batch_size=24, compiled=True, progress=False)
    finally:
        done.set()
    assert time.perf_counter() - begin < 5
    history = caught.value.history
    assert history.executor == "compiled"
    assert history.loss[-1] < history.loss[0]
    assert mse_loss(model(X), Y).item() < 1.1 * history.loss[-1]
    assert not np.array_equal(before["layers.0.weight"], model.state_dict()["layers.0.weight"])


def test_ctrl_c_before_steps_are_taken_over_leaves_schedule_and_masks_where_they_were(monkeypatch):
    model = Sequential(Linear(4, 6, rng=0), np.tanh, Dropout(0.2, rng=1), Linear(6, 3, rng=2))
    optimizer = Adam(model.parameters())
    schedule = StepLR(optimizer, 1, 0.999, interval="step")
    put, calls = State.put, []

    def interrupted(self, new, others):
        calls.append(others)
        if len(calls) == 3:
            raise KeyboardInterrupt
        put(self, new, others)

    monkeypatch.setattr(State, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(
            model, X, Y, optimizer=optimizer, schedule=schedule, compiled=True, epochs=50, batch_size=25, progress=False
        )
    taken = optimizer.state_dict()["parameters.0.steps"]
    assert 0 < taken == schedule.steps
    assert optimizer.lr == pytest.approx(1e-3 * 0.999**taken)
    masks = Dropout(0.2, rng=1)
    for _ in range(taken):
        masks(np.ones((25, 6)))
    assert model[2].rng.bit_generator.state == masks.rng.bit_generator.state


# Going on -------------------------------------------------------------------------------------------------------------


class StopError(Exception):
    pass


class Stop(Callback):
    """Raises after an epoch, like a process that dies."""

    def __init__(self, epoch):
        self.epoch = epoch

    def state_dict(self):
        return {"epoch": 0}  # so that it is no setting

    def load_state_dict(self, saved):
        pass

    def on_epoch_end(self, run):
        if run.epoch == self.epoch:
            raise StopError


@pytest.mark.parametrize("every", [None, 5, 9])
def test_a_resumed_training_is_the_same_to_the_last_bit(tmp_path, every):
    pytest.importorskip("safetensors")
    settings = {"make": noisy, "clip_norm": 1.0, "metrics": {"size": lambda p, t: np.mean(p * p)}, "every": every}

    def left(compiled, stop, **more):
        model, optimizer, history = train(compiled, callbacks=[Stop(stop)], **settings, **more)
        numbers = {name: column for name, column in history.to_dict().items() if name != "seconds"}
        return digest([model.state_dict(), optimizer.state_dict(), numbers, history.executor])

    expected = left(True, 99)
    with pytest.raises(StopError):
        left(True, 7, checkpoint=tmp_path)
    assert left(None, 99, checkpoint=tmp_path) == expected, "it goes on compiled, as it was"
    with pytest.warns(UserWarning, match="not to the same last bit as it would have:\n  executor: llvmlite .* now"):
        left(False, 99, checkpoint=tmp_path, epochs=13)


def test_a_call_does_not_change_what_is_computed(monkeypatch):
    monkeypatch.setattr(nn.compiled, "SECONDS", 0.0)
    one, its, history = train(True)
    monkeypatch.undo()
    other, others, found = train(True)
    assert digest([one.state_dict(), its.state_dict()]) == digest([other.state_dict(), others.state_dict()])
    assert {**history.to_dict(), "seconds": 0} == {**found.to_dict(), "seconds": 0}


# Programs -------------------------------------------------------------------------------------------------------------


def test_models_of_one_structure_share_a_program_and_keep_nothing_alive():
    PROGRAMS.found.clear()
    model, _, _ = train(True)
    programs = dict(PROGRAMS.found)
    assert len(programs) == 2, "for whole batches and for the rest"
    train(True, data=(X[:199], Y[:199]), batch_size=24)
    train(True, make=lambda: MLP([4, 8, 3], "tanh", "identity", rng=7))
    assert len(PROGRAMS.found) == 3, "only the rest has another size"
    train(True, make=lambda: MLP([4, 8, 3], "sigmoid", "identity", rng=7))
    assert len(PROGRAMS.found) == 5
    train(True, optimizer=lambda p: Adam(p, np.float32(0.01)), schedule=lambda o: StepLR(o, 1, np.float32(0.9)))
    assert len(PROGRAMS.found) == 5, "a rate that is a number of NumPy's is a number"
    alive = weakref.ref(model), weakref.ref(next(iter(programs.values())))
    del model, programs
    PROGRAMS.found.clear()
    gc.collect()
    assert [ref() for ref in alive] == [None, None]


def test_trainings_in_several_threads():
    expected = digest(train(True)[0].state_dict())
    found = []

    def work():
        found.append(digest(train(True)[0].state_dict()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_data_of_the_parameters_stay_where_they_are():
    model = network()
    before = [p.data for p in model.parameters()]
    fit(model, X, Y, optimizer=Adam(model.parameters()), epochs=2, compiled=True, progress=False)
    assert all(p.data is data for p, data in zip(model.parameters(), before, strict=True))
    assert all(p.grad is None for p in model.parameters())
