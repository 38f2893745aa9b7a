"""Penalties of weights, and what they have to do with weight decay."""

import numpy as np
import pytest

from autograd_core import Value, latex
from nn import MLP, SGD, BatchNorm1d, Linear, Module, Sequential, l1_penalty, l2_penalty, mse_loss


@pytest.mark.parametrize("bias", [True, False, "folded"])
def test_the_formulas_without_biases(bias):
    model = MLP([3, 4, 2], bias=bias, rng=0)
    plain = [p.data for p in MLP([3, 4, 2], bias=False, rng=0).parameters()]
    for p in model.parameters():
        if p.ndim == 1:
            p.data = p.data + 5.0
        elif bias == "folded":
            p.data[0] = 5.0
    assert l2_penalty(model, 0.3, m=10).item() == pytest.approx(0.3 / 20 * sum((w**2).sum() for w in plain))
    assert l1_penalty(model, 0.3, m=10).item() == pytest.approx(0.3 / 10 * sum(abs(w).sum() for w in plain))
    l2_penalty(model, 0.3, m=10).backward()
    for p in model.parameters():
        w = p.data.copy()
        if bias == "folded":
            w[0] = 0.0
        if p.ndim == 1:
            assert p.grad is None
        else:
            np.testing.assert_allclose(p.grad, 0.3 / 10 * w)


def test_scales_and_frozen_weights_are_left_out():
    model = Sequential(Linear(2, 2, rng=0), BatchNorm1d(2), Linear(2, 2, rng=1))
    model[0].weight = model[0].weight.data
    assert l1_penalty(model, 1.0).item() == pytest.approx(abs(model[2].weight.data).sum())
    assert l2_penalty(Module(), 1.0) == 0.0


def test_the_penalty_reads_as_it_is_written_in_the_textbooks():
    assert latex(l2_penalty(MLP([2, 1], rng=0), 0.1)).text == "0.05·sum((w¹)²)"
    assert latex(l2_penalty(MLP([2, 3, 1], rng=0), 0.1)).text == "0.05·(sum((w¹)²) + sum((w²)²))"


def test_the_penalty_is_weight_decay_of_the_weights_alone():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    by_loss, by_decay = MLP([3, 4, 1], rng=0), MLP([3, 4, 1], rng=0)
    weights = [p for p in by_decay.parameters() if p.ndim == 2]
    biases = [p for p in by_decay.parameters() if p.ndim == 1]
    first = SGD(by_loss.parameters(), lr=0.5)
    second = SGD([{"params": weights, "weight_decay": 0.8 / 20}, {"params": biases}], lr=0.5)
    for _ in range(20):
        for model, optimizer in ((by_loss, first), (by_decay, second)):
            optimizer.zero_grad()
            loss = mse_loss(model(x), y)
            (loss + l2_penalty(model, 0.8, m=20) if model is by_loss else loss).backward()
            optimizer.step()
    for p, q in zip(by_loss.parameters(), by_decay.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)


def test_float32_stays_float32():
    assert l2_penalty(MLP([2, 1], dtype=np.float32), 0.1, m=3).dtype == np.float32


@pytest.mark.parametrize("penalty", [l1_penalty, l2_penalty])
@pytest.mark.parametrize(("strength", "m"), [(-0.1, 1), (float("nan"), 1), (0.1, 0), (0.1, -3)])
def test_numbers_out_of_range_are_refused(penalty, strength, m):
    with pytest.raises(ValueError, match=f"{penalty.__name__}: "):
        penalty(Linear(2, 1), strength, m)


def test_a_weight_that_two_layers_share_counts_once():
    first, second = Linear(2, 2, rng=0), Linear(2, 2, rng=1)
    second.weight = first.weight
    assert l1_penalty(Sequential(first, second), 1.0).item() == pytest.approx(abs(first.weight.data).sum())
    assert isinstance(first.weight, Value)


def test_the_penalty_of_complex_weights_is_real_and_its_gradient_that_of_weight_decay():
    layer = Linear(2, 1, dtype=complex, init=lambda shape, rng: [[3 + 4j], [1j]])
    cost = l2_penalty(layer, 0.5, m=10)
    assert cost.item() == pytest.approx(0.5 / 20 * 26)
    cost.backward()
    np.testing.assert_allclose(layer.weight.grad, 0.5 / 10 * layer.weight.data)
