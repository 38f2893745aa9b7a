"""The same numbers as PyTorch's, to 1e-12: golden/make.py writes them, with torch 2.13.0."""

import json
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import Value

GOLDEN = Path(__file__).parent / "golden"
OPTIMIZERS, SCHEDULES, LAYERS, LOSSES = (
    json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("optimizers", "schedules", "layers", "losses")
)
DATA = {name: OPTIMIZERS.pop(name) for name in ("x", "y", "start")}


def assert_equal(found, expected, **limits):
    np.testing.assert_allclose(found, expected, **{"rtol": 1e-12, "atol": 1e-12} | limits)


def in_pairs(settings):
    return {name: tuple(item) if isinstance(item, list) else item for name, item in settings.items()}


# Optimizers -----------------------------------------------------------------------------------------------------------


class Run:
    """The training of one case, step by step."""

    def __init__(self, case, start=DATA["start"]):
        self.case = case
        self.parameters = [Value(p) for p in start]
        groups = [
            in_pairs(group) | {"params": [self.parameters[k] for k in group["params"]]}
            for group in case.get("groups", [])
        ]
        self.optimizer = getattr(nn, case["name"])(groups or self.parameters, **in_pairs(case["settings"]))
        self.steps = 0

    def step(self):
        w1, b1, w2, b2 = self.parameters
        parts = self.case.get("parts", 1)
        self.optimizer.zero_grad()
        for x, y in zip(np.split(np.array(DATA["x"]), parts), np.split(np.array(DATA["y"]), parts), strict=True):
            (nn.mse_loss(np.tanh(x @ w1 + b1) @ w2 + b2, y) / parts).backward()
        for k, idle in self.case.get("idle", {}).items():
            if self.steps in idle:
                self.parameters[int(k)].grad = None
        if "clip_grad_norm" in self.case:
            nn.clip_grad_norm(self.parameters, **self.case["clip_grad_norm"])
        if "clip_grad_value" in self.case:
            nn.clip_grad_value(self.parameters, **self.case["clip_grad_value"])
        self.optimizer.step()
        self.steps += 1
        return self.all()

    def all(self):
        return np.concatenate([p.data.ravel() for p in self.parameters])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_of_an_optimizer(name):
    run = Run(OPTIMIZERS[name])
    assert len(OPTIMIZERS[name]["after"]) == 10
    for expected in OPTIMIZERS[name]["after"]:
        assert_equal(run.step(), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_optimizer_goes_on_bit_for_bit(name):
    whole, first = Run(OPTIMIZERS[name]), Run(OPTIMIZERS[name])
    for _ in range(10):
        expected = whole.step()
    for _ in range(4):
        first.step()
    saved = first.optimizer.state_dict()
    numbers = json.loads(json.dumps({k: item for k, item in saved.items() if not isinstance(item, np.ndarray)}))
    second = Run(OPTIMIZERS[name], [p.data for p in first.parameters])
    second.optimizer.lr = 5.0  # what is loaded counts
    second.optimizer.load_state_dict(saved | numbers)
    second.steps = 4
    first.step()  # what was saved is a copy
    for _ in range(6):
        found = second.step()
    np.testing.assert_array_equal(found, expected)


# Schedules ------------------------------------------------------------------------------------------------------------


def scheduled(case):
    first, second = Value([0.0]), Value([0.0])
    kind = getattr(nn, case.get("optimizer", "SGD"))
    groups = [{"params": [first]}, {"params": [second], "lr": 0.4}]
    optimizer = kind(groups, lr=0.1, **({} if kind is nn.Adam else {"momentum": 0.6}))
    schedules = [getattr(nn, name)(optimizer, **settings) for name, settings in case["parts"]]
    if "milestones" in case:
        schedules = [nn.SequentialLR(optimizer, schedules, case["milestones"])]
    return optimizer, schedules[0]


def momentum(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_of_a_schedule(name):
    case = SCHEDULES[name]
    optimizer, schedule = scheduled(case)
    for k in range(20):
        assert_equal([group["lr"] for group in optimizer.param_groups], case["lr"][k])
        assert_equal([momentum(group) for group in optimizer.param_groups], case["momentum"][k])
        if k == 7:  # a pause: another optimizer and schedule go on
            saved = json.loads(json.dumps(schedule.state_dict())), optimizer.state_dict()
            optimizer, schedule = scheduled(case)
            schedule.load_state_dict(saved[0])
            optimizer.load_state_dict(saved[1])
        if k < 19:
            schedule.step(*case.get("metrics", [])[k : k + 1])


# Layers and losses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in LAYERS if "out" in LAYERS[name]])
def test_activations_and_their_derivatives(name):
    case = LAYERS[name]
    x = Value(case["x"])
    out = getattr(nn, case["name"])(**case["settings"])(x)
    out.sum().backward()
    assert_equal(out.data, case["out"])
    assert_equal(x.grad, case["grad"])


@pytest.mark.parametrize("name", [name for name in LAYERS if "passes" in LAYERS[name]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_batch_norm_in_training_and_in_use(name, dtype):
    case, limits = LAYERS[name], {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-4}
    layer = nn.BatchNorm1d(3, **case["settings"], dtype=dtype)
    layer.weight.data, layer.bias.data = np.array(case["weight"], dtype), np.array(case["bias"], dtype)
    for step in case["passes"]:
        layer.train(step["training"]).zero_grad()
        x = Value(np.array(step["x"], dtype))
        out = layer(x)
        (out * np.array(step["factors"], dtype)).sum().backward()
        found = {
            "out": out.data, "x_grad": x.grad, "weight_grad": layer.weight.grad, "bias_grad": layer.bias.grad,
            "running_mean": layer.running_mean, "running_var": layer.running_var,
        }  # fmt: skip
        for key, array in found.items():
            assert array.dtype == dtype, key
            assert_equal(array, step[key], **limits)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients(name):
    case = LOSSES[name]
    settings = {("class_weight" if k == "weight" else k): item for k, item in case["settings"].items()}
    p = Value(case["prediction"])
    found = getattr(nn, case["name"])(p, np.array(case["target"]), **settings)
    found.backward()
    assert_equal(found.item(), case["value"])
    assert_equal(p.grad, case["grad"], atol=1e-12 * np.max(np.abs(case["grad"])))
