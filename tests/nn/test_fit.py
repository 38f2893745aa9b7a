"""What `fit` takes beside x and y, what it refuses, and what is left when it stops."""

import os
import re
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from autograd_core import Value, stop_gradient
from nn import MLP, SGD, Adam, Callback, EarlyStopping, Linear, Module, Sequential, batches, evaluate, fit, mse_loss


@pytest.fixture
def line():
    """Noisy samples of y = x @ (2, -3) + 1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    return x, x @ [[2.0], [-3.0]] + 1.0 + 0.01 * rng.normal(size=(50, 1))


def quietly(model, *data, lr=0.1, **settings):
    return fit(model, *data, **{"optimizer": SGD(model.parameters(), lr), "rng": 0, "progress": False} | settings)


def same(one, other):
    for name, array in one.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name])


# Where batches come from ----------------------------------------------------------------------------------------------


def test_batches_of_an_iterable_are_those_of_arrays(line):
    x, y = line
    model, other = Linear(2, 1, rng=0), Linear(2, 1, rng=0)
    given = list(batches(x, y, batch_size=10, shuffle=False))
    history = quietly(model, given, epochs=3)
    for _ in range(3):
        for x_batch, y_batch in given:
            cost = mse_loss(other(x_batch), y_batch)
            other.zero_grad()
            cost.backward()
            SGD(other.parameters(), 0.1).step()
    same(model, other)
    assert len(history) == 3


def test_a_function_makes_the_batches_of_each_epoch_from_a_generator(line):
    x, y = line
    seen = []

    def make(rng):
        seen.append(rng.random())
        return batches(x, y, batch_size=10, rng=rng)

    model = Linear(2, 1, rng=0)
    assert quietly(model, make, epochs=20).loss[-1] < 0.01
    assert len({*seen}) == 20


def test_batches_may_have_weights(line):
    x, y = line
    w = np.linspace(0.0, 1.0, 50)
    model, other = Linear(2, 1, rng=0), Linear(2, 1, rng=0)
    one = quietly(model, [(x, y, w)], epochs=2)
    two = quietly(other, x, y, sample_weight=w, epochs=2, batch_size=50)
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-12)


def test_an_iterator_is_used_up_after_an_epoch(line):
    once = batches(*line, batch_size=10, rng=0)
    with pytest.raises(ValueError, match="a generator gives its batches once, and epochs=2: give a list, or"):
        quietly(Linear(2, 1, rng=0), once, epochs=2)
    assert len(quietly(Linear(2, 1, rng=0), once, epochs=1)) == 1
    with pytest.raises(ValueError, match="there are no batches"):
        quietly(Linear(2, 1, rng=0), once, epochs=1)
    with pytest.raises(TypeError, match="fit takes x and y, or an iterable of batches"):
        quietly(Linear(2, 1, rng=0), line[0], epochs=1)
    with pytest.raises(TypeError, match=r"a batch is \(x, y\) or \(x, y, sample_weight\), not a ndarray"):
        quietly(Linear(2, 1, rng=0), [line[0]], epochs=1)


# Weights, accumulation, clipping --------------------------------------------------------------------------------------


def test_a_weight_is_a_number_of_copies(line):
    x, y = line
    times = np.arange(50) % 3
    model, other = Linear(2, 1, rng=0), Linear(2, 1, rng=0)
    weighted = quietly(model, x, y, sample_weight=times, epochs=5, batch_size=50)
    copied = quietly(other, np.repeat(x, times, axis=0), np.repeat(y, times, axis=0), epochs=5, batch_size=50)
    np.testing.assert_allclose(weighted.loss, copied.loss, rtol=1e-12)
    np.testing.assert_allclose(model.weight.data, other.weight.data, rtol=1e-12)


def test_a_batch_without_weight_changes_nothing(line):
    x, y = line
    model, other = Linear(2, 1, rng=0), Linear(2, 1, rng=0)
    ones, none = np.ones(50), np.zeros(50)
    one = quietly(model, [(x, y, ones), (x + 1e3, y, none), (x, -y, ones)], epochs=2)
    two = quietly(other, [(x, y, ones), (x, -y, ones)], epochs=2)
    same(model, other)
    assert one.loss == two.loss


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_accumulated_batches_make_one_step_of_a_large_one(line, optimizer):
    x, y = line
    small, large = Linear(2, 1, rng=0), Linear(2, 1, rng=0)
    settings = {"epochs": 4, "rng": 3}
    one = quietly(small, x, y, batch_size=7, accumulate=3, optimizer=optimizer(small.parameters(), 0.1), **settings)
    other = quietly(large, x, y, batch_size=21, optimizer=optimizer(large.parameters(), 0.1), **settings)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)
    np.testing.assert_allclose(small.weight.data, large.weight.data, rtol=1e-12)
    np.testing.assert_allclose(one.gradient_norm["Linear"], other.gradient_norm["Linear"], rtol=1e-12)


def test_clipping_bounds_the_step(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    before = model.state_dict()
    history = quietly(model, x, 1e6 * y, epochs=1, batch_size=50, lr=1.0, clip_norm=0.5)
    step = np.concatenate([(model.state_dict()[name] - before[name]).ravel() for name in before])
    assert np.linalg.norm(step) == pytest.approx(0.5, rel=1e-6)
    assert history.gradient_norm["Linear"][0] > 1e5


# Schedules, metrics, validation ---------------------------------------------------------------------------------------


def test_schedules_step_after_epochs_and_after_steps(line):
    model = Linear(2, 1, rng=0)
    optimizer = SGD(model.parameters(), lr=1.0)
    schedule = nn.StepLR(optimizer, step_size=1, gamma=0.5)
    assert quietly(model, *line, optimizer=optimizer, schedule=schedule, epochs=3).learning_rate == (1.0, 0.5, 0.25)
    optimizer = SGD(model.parameters(), lr=1.0)
    schedule = nn.StepLR(optimizer, step_size=1, gamma=0.5, interval="step")
    quietly(model, *line, optimizer=optimizer, schedule=[schedule], epochs=3, batch_size=25)
    assert optimizer.lr == 0.5**6


def test_a_plateau_is_one_of_the_validation_loss(line):
    model = Linear(2, 1, rng=0)
    optimizer = SGD(model.parameters(), lr=1e-12)
    schedule = nn.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    rates = quietly(model, *line, optimizer=optimizer, schedule=schedule, epochs=6, validation=line).learning_rate
    assert rates[0] == 1e-12
    schedule = nn.ReduceLROnPlateau(optimizer, mode="max")
    with pytest.raises(ValueError, match="mode='min'"):
        quietly(model, *line, optimizer=optimizer, schedule=schedule, epochs=1)
    with pytest.raises(ValueError, match="no schedule of this optimizer"):
        quietly(model, *line, schedule=schedule, epochs=1)


def test_metrics_have_names_in_the_history():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 2))
    labels = (x[:, 0] > 0).astype(int)
    model = MLP([2, 2], activation="identity", rng=0)
    history = quietly(model, x, labels, loss=nn.cross_entropy, epochs=30, metrics=[nn.accuracy], validation_split=0.25)
    assert set(history.metrics) == {"accuracy", "validation_accuracy"}
    assert history["accuracy"][-1] > 0.9
    assert quietly(model, x, labels, loss=nn.cross_entropy, epochs=1, metrics=nn.accuracy)["accuracy"][0] > 0.9
    last = {"right": nn.accuracy, "one": lambda prediction, target: len(target)}
    history = quietly(model, x, labels, loss=nn.cross_entropy, epochs=1, metrics=last, batch_size=40, lr=1e-12)
    assert history["right"] == (pytest.approx(nn.accuracy(model(x), labels)),)
    assert history["one"] == (pytest.approx((40 * 40 + 40 * 40 + 20 * 20) / 100),)
    with pytest.raises(ValueError, match="metrics need a name each"):
        quietly(model, x, labels, epochs=1, metrics=[lambda p, t: 0.0])
    with pytest.raises(ValueError, match="collide"):
        quietly(model, x, labels, epochs=1, metrics={"loss": nn.accuracy})


def test_a_part_set_aside_that_has_no_weight_is_refused_before_the_training(line):
    x, y = line
    held_out = np.random.default_rng(0).permutation(len(x))[: round(len(x) * 0.2)]
    weight = np.ones(len(x))
    weight[held_out] = 0.0
    model = Linear(2, 1, rng=0)
    with pytest.raises(ValueError, match="all samples that were set aside have the weight 0"):
        quietly(model, x, y, epochs=1, validation_split=0.2, sample_weight=weight, rng=0)
    np.testing.assert_array_equal(model.weight.data, Linear(2, 1, rng=0).weight.data)


def test_validation_data_are_set_aside_at_random():
    x = np.arange(20.0)[:, None]
    seen = []

    class Spy(Module):
        def __init__(self):
            self.w = Value([1.0])

        def forward(self, x):
            seen.append((self.training, np.ravel(stop_gradient(x)).tolist()))
            return x * self.w

    quietly(Spy(), x, x, epochs=2, batch_size=4, validation_split=0.2)
    trained = [{*xs} for training, xs in seen if training]
    held_out = [xs for training, xs in seen if not training]
    assert len(trained) == 8
    assert held_out[0] == held_out[1]
    assert set.union(*trained).isdisjoint(held_out[0])
    assert set.union(*trained, held_out[0]) == {*range(20)}
    assert sorted(held_out[0]) != [16.0, 17.0, 18.0, 19.0]
    for wrong in ({"validation_split": 1.0}, {"validation_split": 0.2, "validation": (x, x)}):
        with pytest.raises(ValueError, match="validation_split"):
            quietly(Spy(), x, x, epochs=1, **wrong)
    with pytest.raises(ValueError, match="arrays x and y"):
        quietly(Spy(), [(x, x)], epochs=1, validation_split=0.2)


# Callbacks ------------------------------------------------------------------------------------------------------------


def test_a_callback_may_use_the_model(line):
    """Left in `eval` mode it would learn without dropout from then on."""

    class Look(Callback):
        def on_epoch_end(self, run):
            run.model.eval()(line[0])

    def trained(callbacks):
        model = Sequential(Linear(2, 8, rng=0), nn.Dropout(0.5, rng=0), Linear(8, 1, rng=1))
        quietly(model, *line, epochs=3, callbacks=callbacks)
        return model

    same(trained([Look()]), trained([]))


def test_validation_leaves_each_part_in_its_mode(line):
    model = Sequential(Linear(2, 3, rng=0), nn.BatchNorm1d(3), Linear(3, 1, rng=1))
    model[1].eval()
    evaluate(model, *line)
    assert [part.training for _, part in model.named_modules()] == [True, True, False, True]


def test_early_stopping_restores_the_best_weights(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    seen = {}

    class Keep(Callback):
        def on_epoch_end(self, run):
            seen[run.epoch] = run.model.state_dict()
            if run.epoch >= 5:
                run.optimizer.lr = 1.9  # too much: from here on it gets worse

    stopping = EarlyStopping(patience=3)
    history = quietly(model, x, y, epochs=50, validation=(x, y), callbacks=[Keep(), stopping], batch_size=10)
    best = int(np.argmin(history.validation_loss)) + 1
    assert stopping.best_epoch == best
    assert len(history) == best + 3 < 50
    assert history.stopped == f"validation_loss has not improved since epoch {best}"
    np.testing.assert_array_equal(model.weight.data, seen[best]["weight"])
    assert evaluate(model, x, y) == history.validation_loss[best - 1]


def test_the_best_weights_are_restored_at_the_end_in_any_case(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    history = quietly(model, x, y, epochs=6, lr=0.9, batch_size=10, validation=(x, y), callbacks=[EarlyStopping(100)])
    assert history.stopped is None
    assert evaluate(model, x, y) == min(history.validation_loss)


def test_early_stopping_begins_anew_with_each_training(line):
    """The weights that it restores are never those of a model that it has met before."""
    x, y = line
    stopping, good, bad = EarlyStopping(patience=3, monitor="loss"), Linear(2, 1, rng=0), Linear(2, 1, rng=1)
    quietly(good, x, y, epochs=20, callbacks=stopping)
    history = quietly(bad, x, y + 100.0, epochs=3, lr=1e-3, callbacks=stopping)
    assert (stopping.best_epoch, stopping.best) == (3, history.loss[-1])
    assert evaluate(bad, x, y + 100.0) < history.loss[-1]


def test_early_stopping_asks_for_what_it_needs(line):
    with pytest.raises(KeyError, match="no 'validation_loss' among loss: give validation data"):
        quietly(Linear(2, 1, rng=0), *line, epochs=3, callbacks=[EarlyStopping(2)])
    with pytest.raises(KeyError, match="no 'val_loss' among loss: here it is called 'validation_loss'"):
        quietly(Linear(2, 1, rng=0), *line, epochs=3, callbacks=[EarlyStopping(2, monitor="val_loss")])
    with pytest.raises(ValueError, match="is more of 'validation_accuracy' better"):
        EarlyStopping(2, monitor="validation_accuracy")
    with pytest.raises(ValueError, match="patience=0"):
        EarlyStopping(0)
    with pytest.raises(TypeError, match="a callback is an instance of a subclass of Callback, not a type"):
        quietly(Linear(2, 1, rng=0), *line, epochs=3, callbacks=[EarlyStopping])
    stopping = EarlyStopping(1, monitor="score", mode="max")
    scores = iter([0.1, 0.5, np.nan, 0.9])
    history = quietly(
        Linear(2, 1, rng=0),
        *line,
        epochs=4,
        batch_size=50,
        metrics={"score": lambda p, t: next(scores)},
        callbacks=[stopping],
    )
    assert len(history) == 3
    assert stopping.best == 0.5


# When it stops --------------------------------------------------------------------------------------------------------


class Logarithm(Module):
    """log(w x): nan as soon as w is negative."""

    def __init__(self):
        self.w = Value([1.0])

    def forward(self, x):
        return np.log(x * self.w)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_loss_that_is_nan_stops_with_the_diagnosis_and_the_last_good_weights():
    model = Logarithm()
    x = np.ones((8, 1))
    with pytest.raises(FloatingPointError) as caught:
        quietly(model, x, np.full((8, 1), -10.0), lr=0.1, epochs=50, batch_size=8)
    text = str(caught.value)
    assert "the loss is nan in epoch 2, after 1 steps: log made nan" in text
    assert "again those of after 0 steps, the last known to be good" in text
    np.testing.assert_array_equal(model.w.data, [1.0])
    assert not model.training
    assert len(caught.value.history) == 1


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_rate_that_is_too_high_leaves_finite_weights(line):
    model = Linear(2, 1, rng=0)
    with pytest.raises(FloatingPointError, match="lower the learning rate") as caught:
        quietly(model, *line, lr=1e6, epochs=200)
    assert all(np.isfinite(array).all() for array in model.state_dict().values())
    assert np.isfinite(evaluate(model, *line))
    assert np.isfinite(caught.value.history.loss).all()


class Root(Module):
    """√w: the derivative at 0 is infinite, and the value is not."""

    def __init__(self):
        self.w = Value([0.0])

    def forward(self, x):
        return x * np.sqrt(self.w)


def test_a_gradient_that_is_not_finite_does_not_reach_the_weights():
    model = Root()
    with pytest.raises(FloatingPointError, match=r"the gradient is not finite in epoch 1.*the derivative of sqrt"):
        quietly(model, np.ones((4, 1)), np.ones((4, 1)), epochs=3)
    np.testing.assert_array_equal(model.w.data, [0.0])


def test_large_gradients_of_float32_are_no_error():
    model = Linear(1, 1, rng=0, dtype=np.float32)
    x = np.full((4, 1), 1e10, np.float32)
    history = quietly(model, x, x * np.float32(1e8), epochs=1, lr=1e-30)
    assert history.gradient_norm["Linear"][0] > 1e20


class Interrupt(Callback):
    """Ctrl-C from outside, a little after the end of an epoch."""

    def on_epoch_end(self, run):
        if run.epoch == 3:
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_ctrl_c_keeps_what_was_learnt(line):
    model = Linear(2, 1, rng=0)
    before = evaluate(model, *line)
    with pytest.raises(KeyboardInterrupt) as caught:
        quietly(model, *line, epochs=10**6, callbacks=[Interrupt()], lr=1e-3)
    assert not model.training
    assert len(caught.value.history) >= 3
    assert evaluate(model, *line) < before
    assert "keeps what it has learnt" in caught.value.__notes__[0]


# What is refused ------------------------------------------------------------------------------------------------------


def test_what_is_not_finite_is_named(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    bad = x.copy()
    bad[3, 1] = bad[7, 0] = np.nan
    with pytest.raises(ValueError, match=r"x is nan in row 3, column 1 \(1 more\): remove such rows"):
        quietly(model, bad, y, epochs=1)
    with pytest.raises(ValueError, match="x is nan in row 3, column 1"):
        evaluate(model, bad, y)
    with pytest.raises(ValueError, match="y of validation is inf in row 2, column 0"):
        quietly(model, x, y, epochs=1, validation=(x, np.where(np.arange(50)[:, None] == 2, np.inf, y)))
    with pytest.raises(ValueError, match="x of batch 2 is nan in row 0"):
        quietly(model, [(x, y), (bad[3:], y[3:])], epochs=1)
    with pytest.raises(TypeError, match="x has dtype <U1"):
        quietly(model, [["a", "b"]], [[1.0]], epochs=1)
    with pytest.raises(TypeError, match=r"x is sparse, and arrays are dense: give x\.toarray\(\)"):
        quietly(model, SimpleNamespace(toarray=None), y, epochs=1)
    with pytest.raises(TypeError, match=r"x is a Value, and data are constants: give x\.data"):
        quietly(model, Value(x), y, epochs=1)


def test_the_layer_is_named_that_data_do_not_fit(line):
    x, y = line
    model = Sequential(Linear(2, 4, rng=0), Sequential(np.tanh, Linear(5, 1, rng=0)))
    match = (
        r"layers\.1\.layers\.1: Linear\(5, 1\): an input of shape \(32, 4\) does not fit the weight of shape \(5, 1\)"
    )
    with pytest.raises(ValueError, match=match):
        quietly(model, x, y, epochs=1)
    with pytest.raises(ValueError, match=r"layers\.1\.layers\.1: Linear\(5, 1\): an input of shape \(50, 4\)"):
        evaluate(model, x, y)
    with pytest.raises(ValueError, match=r"the prediction has shape \(32, 1\), the target \(32, 2\)"):
        quietly(Linear(2, 1, rng=0), x, x, epochs=1)


def test_other_misfits(line):
    x, y = line
    model = Linear(2, 1, rng=0)
    with pytest.raises(ValueError, match=r"sample_weight has shape \(49,\): it is one number for each of 50 samples"):
        quietly(model, x, y, sample_weight=np.ones(49), epochs=1)
    with pytest.raises(ValueError, match="weights are not negative"):
        quietly(model, x, y, sample_weight=np.linspace(-1, 1, 50), epochs=1)
    with pytest.raises(ValueError, match=r"batches have weights of their own: \(x, y, sample_weight\)"):
        quietly(model, [(x, y)], sample_weight=np.ones(50), epochs=1)
    with pytest.raises(ValueError, match="sample_weight is 0 everywhere"):
        quietly(model, x, y, sample_weight=np.zeros(50), epochs=1)
    for name, number in (("epochs", 2.5), ("batch_size", "auto"), ("accumulate", 1.5)):
        with pytest.raises(TypeError, match=f"{name}={number!r}: it is an integer"):
            quietly(model, x, y, **{"epochs": 1, name: number})
    with pytest.raises(TypeError, match=r"fit takes a model and its optimizer, .*, not Linear and 'sgd'"):
        quietly(model, x, y, epochs=1, optimizer="sgd")
    with pytest.raises(TypeError, match=r"fit takes a model and its optimizer, .*, not Linear and SGD\(lr=0.1, "):
        fit(Linear, x, y, epochs=1, optimizer=SGD(model.parameters(), 0.1))
    with pytest.raises(ValueError, match=r"the loss has shape \(32, 1\), and it is one number: return its mean"):
        quietly(model, x, y, epochs=1, loss=lambda prediction, target: (prediction - target) ** 2)
    with pytest.raises(ValueError, match=r"the metric right has shape \(32, 1\), and it is one number"):
        quietly(model, x, y, epochs=1, metrics={"right": lambda prediction, target: prediction > 0})
    with pytest.raises(ValueError, match="accumulate=0"):
        quietly(model, x, y, accumulate=0, epochs=1)
    with pytest.raises(TypeError, match=r"validation is a pair \(x, y\)"):
        quietly(model, x, y, validation=x, epochs=1)
    with pytest.raises(TypeError, match="the loss is a float64, plain data"):
        quietly(model, x, y, loss=lambda p, t: np.mean(p.data), epochs=1)


def test_a_float32_model_stays_in_float32(line):
    x, y = line
    seen = set()

    def loss(prediction, target):
        seen.update([prediction.dtype, target.dtype])
        return mse_loss(prediction, target)

    model = MLP([2, 3, 1], "tanh", "identity", rng=0, dtype=np.float32)
    quietly(model, x, y, loss=loss, epochs=2, validation_split=0.2)
    evaluate(model, x, y, loss=loss)
    assert seen == {np.dtype(np.float32)}
    with pytest.raises(ValueError, match="x is inf in row 0, column 0"):
        quietly(model, np.full((4, 2), 1e300), np.ones((4, 1)), epochs=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "mse"}, "loss='mse': it is a function of a prediction and its target, such as nn.cross_entropy"),
        ({"schedule": None}, "schedule=None: it is a Schedule, or a list of them; leave it out for none"),
        ({"callbacks": print}, "callbacks=<built-in function print>: it is a Callback, or a list"),
        ({"metrics": None}, "metrics=None: it is a function, or a list or dict of them"),
        (
            {"metrics": ["accuracy"]},
            "a metric is a function of a prediction and its target, such as nn.accuracy, not 'acc",
        ),
        ({"metrics": "accuracy"}, "such as nn.accuracy, not 'accuracy'"),
        ({"batch_size": None}, "batch_size=None: it is an integer"),
    ],
)
def test_habits_from_elsewhere(line, settings, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        quietly(Linear(2, 1, rng=0), *line, epochs=1, **settings)


def test_a_variable_that_nobody_trains_is_warned_of(line):
    class Hidden(Linear):
        def __init__(self):
            super().__init__(2, 1, rng=0)
            self.others = {Value(2.0, name="scale")}  # a set is not looked into

        def forward(self, x):
            return super().forward(x) * sum(self.others)

    with pytest.warns(UserWarning, match=r"a variable scale of shape \(\) that is neither the model's nor the optim"):
        quietly(Hidden(), *line, epochs=2)


def test_a_layer_that_was_replaced_after_the_optimizer_was_made_is_warned_of(line):
    model = Sequential(Linear(2, 3, rng=0), Linear(3, 1, rng=1))
    optimizer = SGD(model.parameters(), lr=0.1)
    model.layers[1].bias = 0.0  # frozen: that is no mistake
    quietly(model, *line, epochs=1, optimizer=optimizer)
    model.layers[1] = Linear(3, 1, rng=2)
    with pytest.warns(UserWarning, match="the optimizer does not have layers.1.weight, layers.1.bias of this model"):
        quietly(model, *line, epochs=1, optimizer=optimizer)


def test_a_complex_loss_is_refused(line):
    with pytest.raises(TypeError, match="the loss is complex, and complex numbers have no order"):
        quietly(Linear(2, 1, rng=0, dtype=complex), *line, epochs=1)
