"""Eigenvalues of general matrices: against central differences, closed forms, and where there is no derivative."""

from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad, jvp

RNG = np.random.default_rng(11)
REAL = RNG.normal(size=(4, 4)) + np.diag([4.0, 2.0, 0.0, -3.0])
TURNING = np.array([[0.3, 2.0, 0.1], [-1.5, 0.2, 0.4], [0.5, 0.1, 2.0]])  # two of its eigenvalues are complex
COMPLEX = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))


def exponential(a: Any) -> Any:
    """exp(A) by its eigenvectors, which depends on no choice of theirs."""
    w, v = np.linalg.eig(a)
    return np.real(v * np.exp(w) @ np.linalg.inv(v))


def directions(a: Any) -> Any:
    """Σ k vₖ vₖᴴ, which depends on the lengths of the eigenvectors but not on their phases."""
    v = np.linalg.eig(a).eigenvectors
    return np.real(v * np.arange(1.0, len(a) + 1) @ np.conj(v.T))


@pytest.mark.parametrize("a", [REAL, TURNING, COMPLEX], ids=["real", "turning", "complex"])
@pytest.mark.parametrize("function", [np.linalg.eigvals, exponential, directions], ids=lambda f: f.__name__)
def test_orders_1_and_2(a: Any, function: Any) -> None:
    expected = function(a)
    np.testing.assert_allclose(function(Value(a)).data, expected, rtol=1e-12, atol=1e-12)
    check_gradients(function, a, order=2)
    check_gradients(lambda x: jvp(function, (x,), (np.ones_like(a),))[1], a)


def test_stacks_and_dtypes() -> None:
    check_gradients(lambda a: np.sum(np.abs(np.linalg.eigvals(a)), axis=-1), np.stack([TURNING, TURNING.T + 1]))
    a = Value(TURNING.astype(np.float32))
    np.sum(np.real(np.linalg.eigvals(a) ** 2)).backward()
    assert a.grad.dtype == np.float32
    np.testing.assert_allclose(a.grad, 2 * TURNING.T, rtol=1e-5, atol=1e-5)


def test_equal_eigenvalues_share_their_derivatives() -> None:
    a = np.diag([2.0, 2.0, 5.0])
    found = grad(lambda a: np.sum(np.real(np.exp(np.linalg.eigvals(a)))))(a)
    np.testing.assert_allclose(found, np.diag(np.exp([2.0, 2.0, 5.0])), atol=1e-12)
    assert np.isnan(grad(lambda a: np.sum(directions(a) * REAL[:3, :3]))(a)).any()


def test_without_a_basis_of_eigenvectors_there_is_no_derivative() -> None:
    jordan = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert np.isnan(grad(lambda a: np.sum(np.real(np.linalg.eigvals(a) ** 2)))(jordan)).all()
    assert np.isnan(jvp(np.linalg.eigvals, (jordan,), (np.ones((2, 2)),))[1]).all()


def test_what_depends_on_phases_is_nan() -> None:
    assert np.isnan(grad(lambda a: np.real(np.linalg.eig(a).eigenvectors[1, 0] * (1 + 1j)))(TURNING)).any()
    check_gradients(lambda a: np.abs(np.linalg.eig(a).eigenvectors), TURNING)


def test_roots_and_characteristic_polynomials() -> None:
    p = np.array([0.0, 2.0, -3.0, 1.5, 4.0, 0.0])
    np.testing.assert_allclose(np.roots(Value(p)).data, np.roots(p), rtol=1e-12)
    inner = lambda q: np.roots(np.concatenate([[0.0], q, [0.0]]))
    check_gradients(inner, p[1:5], order=2)
    check_gradients(np.poly, np.array([1.0, 2.0, -0.5]), order=2)
    np.testing.assert_allclose(np.poly(Value(TURNING)).data, np.poly(TURNING), rtol=1e-12)
    assert np.poly(Value(TURNING)).dtype == np.float64
    check_gradients(np.poly, TURNING, order=2)
