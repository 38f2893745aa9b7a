"""The textbooks' table of one step: its numbers are those of the engine."""

from typing import Any

import numpy as np
import pytest

from autograd_core import explain
from nn import MLP, SGD, Linear, Sequential, explain_training_step, half_mse_loss

X, Y = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, -1.0]]), np.array([[1.0, 0.0], [0.0, 0.5], [1.0, 1.0]])


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("output", [None, "identity", "softmax"])
def test_the_numbers_are_those_of_the_backward_pass(samples: int, output: str | None) -> None:
    x, y = X[:samples], Y[:samples]
    model = MLP([2, 4, 3, 2], output=output, rng=0)
    step = explain_training_step(model, x, y, lr=0.5)
    assert all(p.grad is None for p in model.parameters())
    loss = half_mse_loss(model(x), y)
    loss.backward()
    assert step.loss == pytest.approx(loss.item(), rel=1e-12)
    linears = [layer for layer in model.layers if isinstance(layer, Linear)]
    for layer, linear in zip(step.layers, linears, strict=True):
        np.testing.assert_allclose(layer.weight_gradient, linear.weight.grad, rtol=1e-12)
        np.testing.assert_allclose(layer.bias_gradient, linear.bias.grad, rtol=1e-12)
    before = [p.data.copy() for p in model.parameters()]
    SGD(model.parameters(), lr=0.5).step()
    changes = [c for layer in step.layers for c in (layer.weight_change, layer.bias_change)]
    for p, old, change in zip(model.parameters(), before, changes, strict=True):
        np.testing.assert_allclose(p.data - old, change, rtol=1e-9)


def test_the_recursion_of_the_textbooks() -> None:
    model = MLP([2, 3, 2], rng=1)
    first, last = explain_training_step(model, X[:1], Y[:1], lr=1.0).layers
    np.testing.assert_allclose(last.delta, (last.output - Y[:1]) * last.output * (1 - last.output), rtol=1e-12)
    np.testing.assert_allclose(first.delta, last.delta @ last.weight.T * first.output * (1 - first.output), rtol=1e-12)


def test_it_says_the_same_as_the_derivation() -> None:
    model = MLP([2, 3, 1], rng=2)
    step = explain_training_step(model, X, Y[:, :1], lr=1.0)
    derivation = explain(half_mse_loss(model(X), Y[:, :1]), model)
    np.testing.assert_allclose(step.layers[0].weight_gradient, derivation.gradient["layers.0.weight"], rtol=1e-12)
    assert "δ²" in str(derivation)


def test_a_folded_bias_is_row_0_of_the_weights() -> None:
    model, folded = MLP([2, 3, 2], rng=0), MLP([2, 3, 2], bias="folded", rng=0)
    separate, together = (explain_training_step(m, X, Y, lr=0.5) for m in (model, folded))
    for apart, whole in zip(separate.layers, together.layers, strict=True):
        np.testing.assert_allclose(whole.delta, apart.delta, rtol=1e-12)
        both = np.vstack([apart.bias_gradient, apart.weight_gradient])  # type: ignore[list-item]
        np.testing.assert_allclose(whole.weight_gradient, both, rtol=1e-12)
        assert whole.bias_gradient is None
    text = str(explain_training_step(folded, X[:1], Y[:1], lr=0.5))
    assert "w¹₀₁" in text
    assert "w²₃₂" in text
    assert "b¹" not in text


def test_frozen_weights_do_not_change() -> None:
    model: Any = MLP([2, 1], rng=0)
    model.layers[0].weight = model.layers[0].weight.data
    (layer,) = explain_training_step(model, [0.5, 1.0], [1.0], lr=1.0).layers
    assert not layer.weight_change.any()
    assert layer.bias_change is not None
    assert layer.bias_change.all()


def test_text_and_latex() -> None:
    step = explain_training_step(MLP([2, 2, 1], rng=0), X[:2], Y[:2, :1], lr=0.1)
    text = str(step)
    assert text.count("of sample 2") == 3
    assert "Layer 3, forward and backward" in text
    assert "w¹₂₁" in text
    assert repr(step) == text
    assert "w^{1}_{21}" in step.latex
    assert step._repr_latex_().startswith("$$")
    convert = pytest.importorskip("latex2mathml.converter").convert
    assert convert(step.latex).count("<mtable") >= 4
    assert [f"Layer {k}, forward and backward" in step.latex for k in (2, 3, 4)] == [True, True, False]
    assert "[" not in step.latex.replace(r"\left[", "")  # spaces between rows, which few renderers take


def test_small_numbers_are_written_as_everywhere() -> None:
    model = MLP([1, 1], rng=0)
    model.layers[0].weight.data[:] = 1e-5
    assert "1e−5" in str(explain_training_step(model, [0.5], [0.5], lr=1.0))
    wide = explain_training_step(Sequential(Linear(30, 2, bias=False, rng=0), np.tanh), np.ones(30), [0.0, 0.0], lr=0.1)
    assert "… and 36 more rows" in str(wide)
    assert "w¹₁,₁" in str(wide)


def test_errors() -> None:
    with pytest.raises(TypeError, match="takes an MLP, or a Sequential"):
        explain_training_step(Linear(2, 1), X, Y, lr=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"outputs have shape \(3, 1\), and y has \(3, 2\)"):
        explain_training_step(MLP([2, 1], rng=0), X, Y, lr=1.0)
