"""Clipping of gradients; PyTorch's numbers are in test_golden.py."""

import math

import numpy as np
import pytest

from autograd_core import Value
from nn import Linear, clip_grad_norm, clip_grad_value


def parameters(*gradients):
    values = []
    for g in gradients:
        values.append(Value(np.zeros_like(g) if isinstance(g, np.ndarray) else 0.0))
        values[-1].grad = g
    return values


def test_the_norm_is_that_of_all_gradients_together():
    ps = parameters(np.array([3.0, 0.0]), 4.0, None)
    assert clip_grad_norm(ps, 2.5) == 5.0
    np.testing.assert_allclose(ps[0].grad, [1.5, 0.0], rtol=1e-6)
    assert ps[1].grad == pytest.approx(2.0)
    assert type(ps[1].grad) is float
    assert ps[2].grad is None
    assert clip_grad_norm(ps, 2.5, norm_type=math.inf) == pytest.approx(2.0)


def test_small_gradients_are_left_bit_for_bit():
    ps = parameters(np.array([0.1, 0.2]))
    assert clip_grad_norm(ps, 1.0) == pytest.approx(math.hypot(0.1, 0.2))
    clip_grad_value(ps, 1.0)
    assert ps[0].grad.tolist() == [0.1, 0.2]


def test_clipping_is_in_place_and_keeps_the_dtype():
    g = np.array([[3.0, -4.0]], np.float32)
    ps = parameters(g)
    clip_grad_norm(ps, 1.0)
    clip_grad_value(ps, 0.7)
    assert ps[0].grad is g
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, [[0.6, -0.7]], rtol=1e-5)


def test_values_are_bounded():
    ps = parameters(np.array([5.0, -0.1]), -7.0)
    clip_grad_value(ps, 0.5)
    assert ps[0].grad.tolist() == [0.5, -0.1]
    assert ps[1].grad == -0.5
    assert type(ps[1].grad) is float


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_no_number_is_an_error_and_changes_nothing(bad):
    ps = parameters(np.array([3.0]), np.array([bad]))
    with pytest.raises(FloatingPointError, match=r"explain_nonfinite\(loss\) finds where it began"):
        clip_grad_norm(ps, 1.0)
    assert ps[0].grad.tolist() == [3.0]


@pytest.mark.parametrize(("size", "dtype"), [(1e200, float), (1e30, np.float32), (3e37, np.complex64)])
def test_gradients_whose_squares_overflow_are_clipped(size, dtype):
    ps = parameters(np.array([3.0, 0.0], dtype) * dtype(size), np.array([4.0], dtype) * dtype(size))
    assert clip_grad_norm(ps, 1.0) == pytest.approx(5 * size, rel=1e-6)
    np.testing.assert_allclose(ps[0].grad, [0.6, 0.0], rtol=1e-5)
    np.testing.assert_allclose(ps[1].grad, [0.8], rtol=1e-5)


def test_no_gradients_have_the_norm_0():
    assert clip_grad_norm(parameters(None), 1.0) == 0.0


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan])
def test_bounds_are_positive(wrong):
    for call in (
        lambda: clip_grad_norm([], wrong),
        lambda: clip_grad_norm([], 1.0, norm_type=wrong),
        lambda: clip_grad_value([], wrong),
    ):
        with pytest.raises(ValueError, match="positive number"):
            call()


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
@pytest.mark.parametrize("wrong", [Linear(2, 1), Value(1.0)])
def test_a_model_is_not_a_list_of_parameters(clip, wrong):
    with pytest.raises(TypeError, match=r"give a list of parameters, such as model.parameters\(\), not a"):
        clip(wrong, 1.0)
