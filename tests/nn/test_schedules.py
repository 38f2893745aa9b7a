"""Schedules: what they ask for; PyTorch's rates are in test_golden.py."""

import inspect

import numpy as np
import pytest

from autograd_core import Value
from nn import (
    SGD,
    Adam,
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    RMSprop,
    SequentialLR,
    StepLR,
)
from nn.schedules import Formula


@pytest.fixture
def optimizer():
    return SGD([Value(1.0)], lr=0.5, momentum=0.9)


SCHEDULES = {
    "step": lambda o: StepLR(o, 2),
    "cosine": lambda o: CosineAnnealingLR(o, 10),
    "linear": lambda o: LinearLR(o),
    "one cycle": lambda o: OneCycleLR(o, 1.0, 10),
    "sequence": lambda o: SequentialLR(o, [LinearLR(o), StepLR(o, 2)], [4]),
    "plateau": lambda o: ReduceLROnPlateau(o),
}
each = pytest.mark.parametrize("name", SCHEDULES)


@each
def test_the_interval_says_when_to_step(name, optimizer):
    assert SCHEDULES[name](optimizer).interval == ("step" if name == "one cycle" else "epoch")


def test_the_interval_can_be_chosen(optimizer):
    warmup = LinearLR(optimizer, interval="step")
    rest = CosineAnnealingLR(optimizer, 10, interval="step")
    assert SequentialLR(optimizer, [warmup, rest], [5]).interval == "step"
    assert StepLR(optimizer, 3, interval="step").interval == "step"
    with pytest.raises(ValueError, match="the intervals of the schedules differ: step, epoch"):
        SequentialLR(optimizer, [warmup, StepLR(optimizer, 2)], [5])
    with pytest.raises(ValueError, match="interval='batch': it is one of 'epoch', 'step'"):
        StepLR(optimizer, 3, interval="batch")


@each
@pytest.mark.parametrize("schedule_first", [True, False])
def test_it_goes_on_in_whichever_order_states_are_loaded(name, schedule_first):
    def steps(schedule, n):
        for _ in range(n):
            schedule.step(*[1.0] * (name == "plateau"))
            yield schedule.optimizer.lr, schedule.optimizer.momentum

    def made():
        return SCHEDULES[name](SGD([Value(1.0)], lr=0.5, momentum=0.9))

    schedule = made()
    list(steps(schedule, 5))
    saved, of_optimizer = schedule.state_dict(), schedule.optimizer.state_dict()
    optimizer = SGD([Value(1.0)], lr=0.5, momentum=0.9)
    again = SCHEDULES[name](optimizer) if schedule_first else None
    optimizer.load_state_dict(of_optimizer)
    again = again or SCHEDULES[name](optimizer)
    again.load_state_dict(saved)
    assert (optimizer.lr, optimizer.momentum) == (schedule.optimizer.lr, schedule.optimizer.momentum)
    assert list(steps(again, 5)) == list(steps(schedule, 5))


@each
def test_what_is_no_state_is_refused(name, optimizer):
    schedule = SCHEDULES[name](optimizer)
    with pytest.raises(TypeError, match=r"load_state_dict takes what state_dict\(\) returned, not a NoneType"):
        schedule.load_state_dict(None)
    with pytest.raises(ValueError, match=r"saves .*; this state has wrong"):
        schedule.load_state_dict({"wrong": 1})


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "sequence"])
def test_what_is_no_optimizer_is_refused(name):
    with pytest.raises(TypeError, match="takes an optimizer, not a list"):
        SCHEDULES[name]([Value(1.0)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: StepLR(o, 0), "step_size=0: it is a number of steps, at least 1"),
        (lambda o: StepLR(o, 1, gamma=-0.5), "gamma=-0.5"),
        (lambda o: CosineAnnealingLR(o, 0), "T_max=0"),
        (lambda o: CosineAnnealingLR(o, 5, eta_min=-0.1), "eta_min=-0.1"),
        (lambda o: OneCycleLR(o, 1.0, 10, max_momentum=1.0), "max_momentum=1.0"),
        (lambda o: ReduceLROnPlateau(o, min_lr=-0.1), "min_lr=-0.1"),
        (lambda o: ReduceLROnPlateau(o, patience=-1), "patience=-1"),
        (lambda o: LinearLR(o, total_iters=0), "total_iters=0"),
        (lambda o: LinearLR(o, start_factor=0.0), "start_factor=0.0, end_factor=1.0: factors are between 0 and 1"),
        (lambda o: LinearLR(o, end_factor=2.0), "end_factor=2.0"),
        (lambda o: OneCycleLR(o, 1.0, 0), "total_steps=0"),
        (lambda o: OneCycleLR(o, [1.0, 2.0], 10), "max_lr has 2 rates, and there are 1 groups of parameters"),
        (lambda o: OneCycleLR(o, -1.0, 10), "max_lr=-1.0"),
        (lambda o: OneCycleLR(o, 1.0, 10, pct_start=1.5), "pct_start=1.5"),
        (
            lambda o: OneCycleLR(o, 1.0, 10, anneal_strategy="square"),
            "anneal_strategy='square': it is one of cos, linear",
        ),
        (lambda o: ReduceLROnPlateau(o, mode="least"), "mode='least'"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="less"), "threshold_mode='less'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), "factor=1.0"),
        (lambda o: SequentialLR(o, [], []), "SequentialLR takes schedules of its own optimizer"),
        (lambda o: SequentialLR(o, [ReduceLROnPlateau(o)], []), "and no ReduceLROnPlateau"),
        (lambda o: SequentialLR(o, [StepLR(SGD([Value(1.0)], 1.0), 1)], []), "of its own optimizer"),
        (lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1)], []), r"milestones=\[\]"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [4, 2]), r"milestones=\[4, 2\]: a rising number"),
    ],
)
def test_settings_out_of_range_are_refused(make, message, optimizer):
    with pytest.raises(ValueError, match=message):
        make(optimizer)


def test_the_defaults_are_pytorchs():
    expected = {
        StepLR: dict(gamma=0.1),
        CosineAnnealingLR: dict(eta_min=0.0),
        LinearLR: dict(start_factor=1 / 3, end_factor=1.0, total_iters=5),
        OneCycleLR: dict(
            pct_start=0.3, anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85, max_momentum=0.95,
            div_factor=25.0, final_div_factor=1e4,
        ),
        ReduceLROnPlateau: dict(
            mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8,
        ),
    }  # fmt: skip
    for kind, defaults in expected.items():
        parameters = inspect.signature(kind).parameters.values()
        found = {p.name: p.default for p in parameters if p.default is not p.empty and p.name != "interval"}
        assert found == defaults


def test_a_schedule_defines_its_rate(optimizer):
    with pytest.raises(NotImplementedError, match=r"Formula has no formula: define rate\(self, base, t\)"):
        Formula(optimizer).step()


def test_one_cycle_ends_and_says_so(optimizer):
    schedule = OneCycleLR(optimizer, 1.0, 4)
    for _ in range(4):
        schedule.step()
    assert optimizer.lr == pytest.approx(1.0 / 25 / 1e4)
    with pytest.raises(ValueError, match="step 5 of 4; total_steps is epochs times batches"):
        schedule.step()


@pytest.mark.parametrize("pct_start", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
def test_one_cycle_of_few_steps_stays_between_its_rates(pct_start, anneal_strategy, optimizer):
    for total in (1, 2, 10):
        schedule = OneCycleLR(optimizer, 1.0, total, pct_start, anneal_strategy)
        for _ in range(total):
            assert 0.99 / 25 / 1e4 < optimizer.lr <= 1.0
            assert 0.85 <= optimizer.momentum <= 0.95
            schedule.step()


def test_one_cycle_needs_a_momentum_to_cycle():
    class Plain(SGD):
        def __init__(self, parameters, lr):
            super(SGD, self).__init__(parameters, lr)

        def check(self, group):
            super(SGD, self).check(group)

    optimizer = Plain([Value(1.0)], 0.1)
    with pytest.raises(ValueError, match="Plain has no momentum to cycle: write cycle_momentum=False"):
        OneCycleLR(optimizer, 1.0, 10)
    OneCycleLR(optimizer, 1.0, 10, cycle_momentum=False).step()
    assert RMSprop([Value(1.0)]).momentum == 0.0


def test_schedules_of_one_optimizer_multiply_as_in_pytorch(optimizer):
    warmup, stair = LinearLR(optimizer, 0.2, 1.0, 3), StepLR(optimizer, 2, 0.5)
    rates = []
    for _ in range(5):
        rates.append(optimizer.lr)
        warmup.step()
        stair.step()
    assert rates == pytest.approx([0.5 * x for x in (0.2, 1.4 / 3, 2.2 / 6, 0.5, 0.25)])


@pytest.mark.parametrize(
    ("make", "factors"),
    [
        (lambda o: StepLR(o, 2, 0.5), (1.0, 0.5, 0.5)),
        (lambda o: LinearLR(o, 0.2, 1.0, 4), (0.4, 0.6, 0.8)),
        (lambda o: CosineAnnealingLR(o, 3), (0.75, 0.25, 0.0)),
        (lambda o: SequentialLR(o, [LinearLR(o, 0.5, total_iters=1), StepLR(o, 1, 0.1)], [1]), (1.0, 0.1, 0.01)),
    ],
)
def test_a_rate_that_was_changed_in_between_is_changed_in_proportion(make, factors, optimizer):
    schedule = make(optimizer)
    schedule.step()
    optimizer.lr *= 0.1
    assert optimizer.lr == pytest.approx(0.05 * factors[0])
    for factor in factors[1:]:
        schedule.step()
        assert optimizer.lr == pytest.approx(0.05 * factor)


def test_a_plateau_lowers_what_another_schedule_sets(optimizer):
    warmup, plateau = LinearLR(optimizer, 0.5, 1.0, 2), ReduceLROnPlateau(optimizer, patience=0, factor=0.1)
    for loss in (1.0, 0.5, 0.5, 0.2):
        warmup.step()
        plateau.step(loss)
    assert optimizer.lr == pytest.approx(0.05)


def test_rates_may_be_numpys_and_the_metric_a_value():
    optimizer = Adam([Value(1.0)], lr=np.float64(0.5))
    schedule = ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    for metric in (np.float32(1.0), np.float64(1.0)):
        schedule.step(metric)
    assert optimizer.lr == 0.25
    schedule.step(Value(1.0))
    assert optimizer.lr == 0.125
    with pytest.raises(TypeError):
        schedule.step()


def test_a_least_rate_for_each_group():
    optimizer = SGD([{"params": [Value(1.0)]}, {"params": [Value(2.0)], "lr": 0.5}], lr=1.0)
    schedule = ReduceLROnPlateau(optimizer, patience=0, factor=0.1, min_lr=[0.3, 0.2])
    for _ in range(3):
        schedule.step(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 0.2]
    with pytest.raises(ValueError, match="min_lr has 1 rates, and there are 2 groups"):
        ReduceLROnPlateau(optimizer, min_lr=[0.1])


def test_a_plateau_below_0_is_no_improvement():
    optimizer = SGD([Value(1.0)], lr=1.0)
    schedule = ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    schedule.step(-1.0)
    schedule.step(-0.99999)  # worse, if by less than the threshold
    assert optimizer.lr == 0.5
    schedule.step(-2.0)
    assert optimizer.lr == 0.5
