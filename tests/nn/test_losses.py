"""Losses against their formulas, and what they refuse."""

import re
import subprocess
import sys

import numpy as np
import pytest

from autograd_core import Value, check_gradients, log_softmax, sigmoid, to_python
from nn import (
    accuracy,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    half_mse_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    one_hot,
)

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


@pytest.mark.parametrize("settings", [{}, {"class_weight": [1.0, 3.0, 0.5]}, {"sample_weight": [2.0, 1.0]}])
@pytest.mark.parametrize("target", [np.array([2, 0]), np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])])
def test_an_impossible_class_that_nobody_asks_for_costs_nothing(target, settings):
    finite = np.array([[0.1, -1e300, 1.0], [2.0, -1e300, 0.3]])
    z, masked = Value(finite), Value(np.where(finite < -1e3, -np.inf, finite))
    wanted, found = cross_entropy(z, target, **settings), cross_entropy(masked, target, **settings)
    wanted.backward()
    found.backward()
    assert found.item() == pytest.approx(wanted.item())
    np.testing.assert_allclose(masked.grad, z.grad)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0, 3], "labels of 3 classes are 0 to 2, and there is 3 in row 1"),
        ([-1, 0], "labels of 3 classes are 0 to 2, and there is -1 in row 0"),
        ([0.0, 1.0], "labels are integers, and these have dtype float64"),
        ([0.0, np.nan], "labels are integers, and there is nan in row 1"),
        (["a", "b"], "labels are integers, and these have dtype <U1"),
        ([0, None], "labels are integers, and these have dtype object"),
        ([[0.5, 0.5, 0.0], [1.0, 1.0, 0.0]], "the target's probabilities sum to 2 in row 1, not to 1"),
        ([[0.5, 0.5, 0.0], [np.nan, 1.0, 0.0]], "the target's probabilities sum to nan in row 1, not to 1"),
        ([[0.5, 0.5, 0.0], [-1.0, 1.0, 1.0]], "probability is -1 in row 1, column 0, and none is negative"),
        ([0, 1, 2], r"a target of shape \(3,\) does not fit logits of shape \(2, 3\)"),
        ([[0], [1]], r"give integer labels of shape \(2,\) or probabilities of shape \(2, 3\)"),
    ],
)
def test_cross_entropy_refuses(target, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(Value(PREDICTION), target)


@pytest.mark.parametrize(("shape", "what"), [((), "classes"), ((2, 0), "classes"), ((0, 2), "samples")])
def test_cross_entropy_of_nothing_is_refused(shape, what):
    with pytest.raises(ValueError, match=rf"logits of shape {re.escape(str(shape))} hold no {what}"):
        cross_entropy(Value(np.zeros(shape)), np.zeros(shape[:-1], int))


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.2}, {"sample_weight": np.array([3.0, 1.0])}])
def test_the_gradient_of_probabilities_is_that_of_the_mean_over_samples(settings):
    y = Value([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    cross_entropy(PREDICTION, y, **settings).backward()
    share = settings.get("sample_weight", np.ones(2))[:, None]
    wanted = -(1 - settings.get("label_smoothing", 0.0)) * log_softmax(PREDICTION) * share / share.sum()
    np.testing.assert_allclose(y.grad, wanted)
    with pytest.raises(ValueError, match="sum to 2 in row 0"):
        cross_entropy(PREDICTION, y * 2.0, **settings)


def test_one_hot_rows_are_labels_with_every_setting():
    labels, weights = np.array([2, 0]), np.array([1.0, 4.0])
    for settings in ({"label_smoothing": 0.2}, {"class_weight": [1.0, 2.0, 5.0]}, {"sample_weight": weights}):
        by_label = cross_entropy(PREDICTION, labels, **settings)
        assert cross_entropy(PREDICTION, one_hot(labels, 3), **settings) == pytest.approx(by_label, rel=1e-14)
        if "label_smoothing" not in settings:
            assert nll_loss(log_softmax(PREDICTION), labels, **settings) == pytest.approx(by_label, rel=1e-14)


@pytest.mark.parametrize("settings", [{"class_weight": [1, 2, 3]}, {"label_smoothing": 1.5}])
def test_settings_keep_the_dtype_or_are_refused(settings):
    logits = Value(PREDICTION.astype(np.float32))
    if "label_smoothing" in settings:
        with pytest.raises(ValueError, match=r"label_smoothing=1.5 is a fraction"):
            cross_entropy(logits, [0, 1], **settings)
    else:
        assert cross_entropy(logits, [0, 1], **settings).dtype == np.float32


# Weights --------------------------------------------------------------------------------------------------------------

LABELS = np.array([2, 0])
CHANCES = np.array([[0.2, 0.7, 0.9], [0.5, 0.1, 0.4]])
EVERY_LOSS = {
    mse_loss: (PREDICTION, TARGET),
    half_mse_loss: (PREDICTION, TARGET),
    l1_loss: (PREDICTION, TARGET + 0.1),
    huber_loss: (PREDICTION, TARGET + 0.1),
    binary_cross_entropy: (CHANCES, TARGET),
    binary_cross_entropy_with_logits: (PREDICTION, TARGET),
    cross_entropy: (PREDICTION, LABELS),
    nll_loss: (np.log(CHANCES), LABELS),
}
each_loss = pytest.mark.parametrize("loss", EVERY_LOSS)


@each_loss
def test_a_weight_of_three_is_a_sample_three_times(loss):
    prediction, target = EVERY_LOSS[loss]
    often = loss(
        np.concatenate([prediction, prediction[:1], prediction[:1]]), np.concatenate([target, *[target[:1]] * 2])
    )
    assert loss(prediction, target, sample_weight=[3, 1]) == pytest.approx(often, rel=1e-14)
    assert loss(prediction, target, sample_weight=[2.0, 2.0]) == pytest.approx(loss(prediction, target), rel=1e-14)
    assert loss(prediction, target, sample_weight=[0, 0.5]) == pytest.approx(
        loss(prediction[1:], target[1:]), rel=1e-14
    )


@each_loss
@pytest.mark.parametrize("settings", [{}, {"sample_weight": np.array([3.0, 1.0])}])
def test_gradients_of_every_loss(loss, settings):
    prediction, target = EVERY_LOSS[loss]
    check_gradients(lambda p: loss(p, target, **settings), prediction, order=2)
    if target.dtype.kind == "f":
        inside = target * 0.8 + 0.1
        check_gradients(lambda y: loss(prediction, y, **settings), inside)


@each_loss
@pytest.mark.parametrize("settings", [{}, {"sample_weight": np.array([3.0, 1.0])}])
def test_float32_stays_float32(loss, settings):
    prediction, target = EVERY_LOSS[loss]
    p = Value(prediction.astype(np.float32))
    out = loss(p, target if loss in (cross_entropy, nll_loss) else target.astype(np.float32), **settings)
    out.backward()
    assert out.dtype == np.float32
    assert p.grad.dtype == np.float32


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
@each_loss
def test_float32_stays_float32_with_integers_for_targets(loss, dtype):
    prediction, target = EVERY_LOSS[loss]
    target = np.round(target).astype(dtype if loss not in (cross_entropy, nll_loss) else np.uint8)
    found, wanted = loss(np.float32(prediction), target), loss(prediction, target)
    assert found.dtype == np.float32
    assert found == pytest.approx(wanted, rel=1e-5)


@each_loss
def test_masked_values_are_refused(loss):
    prediction, target = EVERY_LOSS[loss]
    hidden = np.ma.array(target, mask=np.arange(np.size(target)).reshape(np.shape(target)) == 1)
    with pytest.raises(ValueError, match=r"there are masked values: .*x\.filled\(0\.0\)"):
        loss(Value(prediction), hidden)
    assert loss(Value(prediction), np.ma.array(target)).item() == loss(Value(prediction), target).item()


@each_loss
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([1.0, 2.0, 3.0], r"sample_weight has shape \(3,\), and it is one number for each of \(2,\)"),
        ([1.0, -1.0], "sample_weight is -1 in row 1; weights are finite, and not negative"),
        ([np.nan, 1.0], "sample_weight is nan in row 0"),
        ([1.0, np.inf], "sample_weight is inf in row 1"),
        ([0.0, 0.0], "sample_weight is 0 everywhere"),
        (["a", "b"], "sample_weight has dtype <U1"),
    ],
)
def test_wrong_weights_are_refused(loss, wrong, message):
    with pytest.raises(ValueError, match=f"^{loss.__name__}: .*{message}"):
        loss(*EVERY_LOSS[loss], sample_weight=wrong)


def test_wrong_class_weights_are_refused():
    with pytest.raises(ValueError, match=r"class_weight has shape \(2,\), and it is one number for each of \(3,\)"):
        cross_entropy(PREDICTION, LABELS, class_weight=[1.0, 2.0])
    with pytest.raises(ValueError, match="nll_loss: the classes of all these samples have the weight 0"):
        nll_loss(PREDICTION, LABELS, class_weight=[0.0, 1.0, 0.0])


# Two classes and outliers ---------------------------------------------------------------------------------------------


def test_binary_cross_entropy_of_logits_is_that_of_their_sigmoid():
    p = 1 / (1 + np.exp(-PREDICTION))
    assert binary_cross_entropy_with_logits(PREDICTION, TARGET) == pytest.approx(binary_cross_entropy(p, TARGET))


def test_its_source_finds_its_rule_where_nothing_else_has_loaded_it():
    z = Value([0.5, -1.0], name="z")
    cost = binary_cross_entropy(sigmoid(z), [1.0, 0.0])
    program = to_python(cost) + "\nprint(float(program(np.array([0.5, -1.0]))))\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(float(done.stdout), cost.data, rtol=1e-14)


def test_a_wrong_certainty_costs_100_and_has_a_gradient():
    p = Value([1.0, 0.0])
    loss = binary_cross_entropy(p, [0.0, 1.0])
    loss.backward()
    assert loss.item() == pytest.approx(100.0)
    np.testing.assert_allclose(p.grad, [0.5e12, -0.5e12])
    assert binary_cross_entropy(Value(np.float32([0.0])), np.float32([1.0])).item() == 100.0


def test_a_small_probability_is_not_lost_beside_1():
    assert binary_cross_entropy(Value([1e-20]), [0.0]).item() == 1e-20


@pytest.mark.parametrize(
    ("loss", "p", "y", "message"),
    [
        (
            binary_cross_entropy,
            [[0.5], [1.5]],
            [[0], [1]],
            "1.5 in row 1, column 0 is no probability; if these are log",
        ),
        (binary_cross_entropy, [0.5, 0.5], [0.0, 2.0], "the target is 2 in row 1, and it is 0, 1, or"),
        (binary_cross_entropy_with_logits, [0.5, 0.5], [-1, 1], "the target is -1 in row 0"),
        (binary_cross_entropy_with_logits, [0.5, 0.5], [1.0, np.nan], "the target is nan in row 1"),
        (binary_cross_entropy_with_logits, 0.5, 7, "the target is 7, and it is"),
    ],
)
def test_what_is_no_probability_is_refused(loss, p, y, message):
    with pytest.raises(ValueError, match=message):
        loss(Value(p), y)


def test_huber_is_half_a_square_near_0_and_a_line_beyond_delta():
    e = Value([0.5, 2.0, -3.0, 2.5, 0.0])
    loss = huber_loss(e, np.zeros(5), delta=2.0)
    loss.backward()
    assert loss.item() == pytest.approx((0.125 + 2.0 + 4.0 + 3.0) / 5)
    np.testing.assert_allclose(e.grad * 5, [0.5, 2.0, -2.0, 2.0, 0.0])
    with pytest.raises(ValueError, match="delta=0 is not positive"):
        huber_loss(e, np.zeros(5), delta=0)


@pytest.mark.parametrize("loss", [loss for loss in EVERY_LOSS if loss not in (cross_entropy, nll_loss)])
def test_what_is_no_number_is_refused(loss):
    with pytest.raises(TypeError, match=f"{loss.__name__}: the target has dtype object, and it is made of numbers"):
        loss(Value([0.5, 0.5]), [0.0, None])
    with pytest.raises(ValueError, match=r"the prediction has shape \(2,\), the target \(2, 1\): write target.reshape"):
        loss(Value([0.5, 0.5]), [[0.0], [1.0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
@pytest.mark.parametrize("loss", [mse_loss, half_mse_loss, l1_loss, huber_loss])
def test_differences_of_bytes_do_not_wrap_around(loss, dtype):
    one, two = np.array([[1, 0, 120]]), np.array([[0, 1, 1]])
    assert loss(one.astype(dtype), two.astype(dtype)) == loss(
        one.astype(dtype).astype(float), two.astype(dtype).astype(float)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
def test_logits_may_be_bytes(dtype):
    logits = np.array([[1, 0, 120], [0, 1, 1]]).astype(dtype)
    for loss in (cross_entropy, nll_loss):
        for target in ([0, 2], one_hot([0, 2], 3)):
            assert loss(logits, target) == loss(logits.astype(float), target)


def test_labels_given_to_a_loss_of_numbers():
    with pytest.raises(ValueError, match=r"the target \(2,\); of labels it is one_hot\(target, 3\), and cross_entropy"):
        mse_loss(PREDICTION, [0, 1])


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


def test_accuracy_refuses_names():
    with pytest.raises(ValueError, match="accuracy: labels are the numbers of classes, and these have dtype <U1"):
        accuracy(PREDICTION, ["2", "2"])


@pytest.mark.parametrize("labels", [[0, 1], [[0], [1]]])
def test_accuracy_refuses_a_single_output_whose_largest_is_itself(labels):
    with pytest.raises(ValueError, match=r"np.mean\(\(p > 0.5\) == y\)"):
        accuracy([[0.9], [0.1]], labels)
