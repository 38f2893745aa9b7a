"""Losses against their formulas, and what they refuse."""

import re

import numpy as np
import pytest

from autograd_core import Value, check_gradients
from nn import accuracy, cross_entropy, half_mse_loss, mse_loss, one_hot

PREDICTION = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
TARGET = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
SQUARES = 0 + 4 + 4 + 0.25 + 4 + 0


def test_mse_is_the_mean_over_all_elements():
    loss = mse_loss(Value(PREDICTION), TARGET)
    assert loss.item() == pytest.approx(SQUARES / 6)


def test_half_mse_sums_over_outputs_and_averages_over_samples():
    assert half_mse_loss(Value(PREDICTION), TARGET).item() == pytest.approx(SQUARES / 2 / 2)
    assert half_mse_loss(Value([1.0, 3.0]), [0.0, 0.0]).item() == pytest.approx((1 + 9) / 2 / 2)  # two samples
    assert half_mse_loss(Value(3.0), 1.0).item() == pytest.approx(2.0)


@pytest.mark.parametrize("loss", [mse_loss, half_mse_loss])
def test_gradients_of_the_squared_losses(loss):
    check_gradients(loss, PREDICTION, TARGET)
    p = Value(PREDICTION)
    loss(p, TARGET).backward()
    n = 6 / 2 if loss is mse_loss else 2
    np.testing.assert_allclose(p.grad, (PREDICTION - TARGET) / n)


@pytest.mark.parametrize("loss", [mse_loss, half_mse_loss])
def test_the_target_may_be_a_value_and_the_prediction_plain(loss):
    target = Value(TARGET)
    loss(PREDICTION, target).backward()
    assert target.grad.shape == TARGET.shape
    assert isinstance(loss(PREDICTION, TARGET), np.floating)
    assert loss(PREDICTION.tolist(), TARGET.tolist()) == loss(PREDICTION, TARGET)


@pytest.mark.parametrize("loss", [mse_loss, half_mse_loss])
def test_shapes_that_would_broadcast_are_refused(loss):
    column, row = Value(np.ones((4, 1))), np.ones(4)
    message = f"{loss.__name__}: the prediction has shape (4, 1), the target (4,): write target.reshape((4, 1))"
    with pytest.raises(ValueError, match=re.escape(message)):
        loss(column, row)
    with pytest.raises(ValueError, match=r"prediction has shape \(4, 1\), the target \(3, 1\)$"):
        loss(column, np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"prediction has shape \(4, 1\), the target \(\)$"):
        loss(column, 1.0)


@pytest.mark.parametrize("loss", [mse_loss, half_mse_loss, cross_entropy])
def test_no_elements_are_refused(loss):
    with pytest.raises(ValueError, match=r"of shape \(0, 3\)"):
        loss(Value(np.ones((0, 3))), np.ones((0, 3)))


def test_nan_shows():
    assert np.isnan(mse_loss(Value([np.nan, 1.0]), [0.0, 0.0]).item())


# Cross-entropy --------------------------------------------------------------------------------------------------------


def reference(logits, probabilities):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(probabilities * np.log(p)).sum(axis=1).mean()


def test_cross_entropy_of_labels_one_hot_rows_and_probabilities():
    labels, soft = np.array([2, 0]), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    expected = reference(PREDICTION, one_hot(labels, 3))
    assert cross_entropy(Value(PREDICTION), labels).item() == pytest.approx(expected)
    assert cross_entropy(Value(PREDICTION), one_hot(labels, 3)).item() == pytest.approx(expected)
    assert cross_entropy(Value(PREDICTION), soft).item() == pytest.approx(reference(PREDICTION, soft))
    assert cross_entropy(PREDICTION, [2, 0]) == pytest.approx(expected)


def test_cross_entropy_of_one_sample_and_of_stacks():
    assert cross_entropy(Value([0.0, 0.0]), 1).item() == pytest.approx(np.log(2))
    logits, labels = np.stack([PREDICTION] * 4), np.array([[2, 0]] * 4)
    assert cross_entropy(Value(logits), labels).item() == pytest.approx(cross_entropy(PREDICTION, [2, 0]))
    assert cross_entropy(Value(logits), one_hot(labels, 3)).item() == pytest.approx(cross_entropy(PREDICTION, [2, 0]))


@pytest.mark.parametrize("target", [np.array([2, 0]), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])])
def test_the_gradient_of_cross_entropy_is_softmax_minus_target(target):
    check_gradients(lambda z: cross_entropy(z, target), PREDICTION)
    z = Value(PREDICTION)
    cross_entropy(z, target).backward()
    softmax = np.exp(PREDICTION) / np.exp(PREDICTION).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(z.grad, (softmax - (one_hot(target, 3) if target.ndim == 1 else target)) / 2)


def test_cross_entropy_is_stable():
    z = Value([[1000.0, 0.0], [-1000.0, 0.0]])
    loss = cross_entropy(z, [1, 1])
    loss.backward()
    assert loss.item() == 500.0
    np.testing.assert_allclose(z.grad, [[0.5, -0.5], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0, 3], "labels of 3 classes are 0 to 2, and these are 0 to 3"),
        ([-1, 0], "labels of 3 classes are 0 to 2, and these are -1 to 0"),
        ([0.0, 1.0], "labels are integers, and these have dtype float64"),
        ([0, 1, 2], r"a target of shape \(3,\) does not fit logits of shape \(2, 3\)"),
        ([[0], [1]], r"give integer labels of shape \(2,\) or probabilities of shape \(2, 3\)"),
    ],
)
def test_cross_entropy_refuses(target, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(Value(PREDICTION), target)


def test_cross_entropy_of_a_scalar_is_refused():
    with pytest.raises(ValueError, match=r"logits of shape \(\) hold no classes"):
        cross_entropy(Value(1.0), 0)


# Accuracy -------------------------------------------------------------------------------------------------------------


def test_accuracy_counts_the_largest_outputs():
    assert accuracy(PREDICTION, [2, 2]) == 0.5
    assert accuracy(Value(PREDICTION), one_hot([2, 0], 3)) == 1.0


@pytest.mark.parametrize(
    ("prediction", "labels"), [(PREDICTION, [1]), (PREDICTION, [[2], [0]]), ([1.0, 2.0], [1, 2]), (np.ones((0, 3)), [])]
)
def test_accuracy_refuses_other_shapes(prediction, labels):
    with pytest.raises(ValueError, match=r"predictions of shape \(n, k\) and n labels are needed"):
        accuracy(prediction, labels)
