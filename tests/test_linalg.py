"""Linear algebra beyond what the registry generates: NumPy's numbers, edges, and the policies for repeated values."""

from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad

RNG = np.random.default_rng(11)
M, N, S = RNG.uniform(-1, 1, (3, 4)), RNG.uniform(-1, 1, (4, 2)), RNG.uniform(-1, 1, (3, 3)) + 2 * np.eye(3)
T = RNG.uniform(-1, 1, (2, 3, 3)) + 2 * np.eye(3)
V = RNG.uniform(-1, 1, 3)

CASES: dict[str, tuple[Any, ...]] = {
    "solve-vector": (np.linalg.solve, S, V),
    "solve-stack-vector": (np.linalg.solve, T, V),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b)[0], N, RNG.uniform(-1, 1, 4)),
    "lstsq-wide": (lambda a, b: np.linalg.lstsq(a, b)[0], N.T, RNG.uniform(-1, 1, (2, 2))),
    "lstsq-residuals": (lambda a, b: np.linalg.lstsq(a, b)[1], N, RNG.uniform(-1, 1, (4, 2))),
    "tensorsolve": (np.linalg.tensorsolve, RNG.uniform(-1, 1, (2, 3, 6)), RNG.uniform(-1, 1, (2, 3))),
    "tensorinv": (lambda a: np.linalg.tensorinv(a, ind=1), RNG.uniform(-1, 1, (6, 2, 3))),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], T),
    "cholesky": (lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2)), T),
    "cholesky-upper": (lambda a: np.linalg.cholesky(a @ a.T, upper=True), S),
    "eigvalsh": (lambda a: np.linalg.eigvalsh(a + np.swapaxes(a, -1, -2)), T),
    "eigh": (lambda a: np.abs(np.linalg.eigh(a + a.T)[1]), S),
    "eigh-function": (lambda a: (lambda w, v: (v * np.exp(w)) @ v.T)(*np.linalg.eigh(a + a.T)), S),
    "lstsq-values": (lambda a, b: np.linalg.lstsq(a, b)[3], N, RNG.uniform(-1, 1, 4)),
    "svdvals": (np.linalg.svdvals, M),
    "svdvals-stack": (np.linalg.svdvals, T),
    **{f"matrix_power-{n}": (lambda a, n=n: np.linalg.matrix_power(a, n), T) for n in (-3, -1, 1, 2, 5)},
    "multi_dot": (lambda a, b, c: np.linalg.multi_dot([a, b, c]), M, N, N.T),
    "multi_dot-vectors": (lambda a, b, c: np.linalg.multi_dot([a, b, c]), V, M, N[:, 0]),
    "multi_dot-2": (lambda a, b: np.linalg.multi_dot([a, b]), M, N),
    "cond-wide": (lambda a: np.linalg.cond(a, 2), M),
    **{f"cond-{p}": (lambda a, p=p: np.linalg.cond(a, p), S) for p in (None, 2, -2, 1, -np.inf, "fro")},
    **{
        f"vector-{p}": (lambda x, p=p: np.linalg.norm(x, p, axis=1, keepdims=True), np.sign(M) * (0.5 + np.abs(M)))
        for p in (None, 1, 2, 3, 0.5, -1, -2.5, np.inf, -np.inf)
    },
    **{
        f"matrix-{p}": (lambda x, p=p: np.linalg.norm(x, p, axis=(0, 2)), np.moveaxis(T, 0, 1))
        for p in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    },
    **{f"wide-{p}": (lambda x, p=p: np.linalg.norm(x, p, keepdims=True), M[:2]) for p in ("nuc", 2, -2)},
    "norm": (np.linalg.norm, T),
    "vector_norm": (lambda x: np.linalg.vector_norm(x, ord=3), T),
    "vector_norm-axes": (lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True), T),
    "matrix_norm": (lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), T),
    "outer": (np.linalg.outer, V, M[0]),
    "matmul": (np.linalg.matmul, M, N),
    "tensordot": (lambda x, y: np.linalg.tensordot(x, y, axes=1), M, N),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_linear_algebra(name: str) -> None:
    function, *args = CASES[name]
    expected = function(*args)
    found = function(*[Value(x) for x in args])
    np.testing.assert_allclose(found.data, expected, rtol=1e-10, atol=1e-12)
    assert found.shape == np.shape(expected)
    check_gradients(function, *args, order=2)
    leaf = Value(args[0].astype(np.float32))
    out = function(leaf, *[x.astype(np.float32) for x in args[1:]])
    assert out.dtype == np.float32
    out.backward(np.ones(out.shape))
    assert leaf.grad.dtype == np.float32


def test_the_power_0_and_the_norm_of_order_0_are_plain() -> None:
    np.testing.assert_array_equal(np.linalg.matrix_power(Value(S), 0), np.eye(3))
    assert np.linalg.norm(Value([1.0, 0.0, 2.0]), 0) == 2.0
    assert np.linalg.norm(Value([1.0j, 0.0, 2.0]), 0).dtype == np.float64


def test_results_have_numpys_names() -> None:
    w, v = np.linalg.eigh(Value(S + S.T))
    np.testing.assert_allclose((v * w @ v.T).data, S + S.T)
    found = np.linalg.slogdet(Value(S))
    assert found.sign == np.linalg.slogdet(S).sign
    assert type(found.logabsdet) is Value


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 4.0]], np.zeros((2, 2)), np.diag([0.0, 3.0, 5.0]), [[0.0]]])
def test_determinants_of_singular_matrices(matrix: Any) -> None:
    check_gradients(np.linalg.det, np.array(matrix), order=2)


def test_norms_at_zero_have_the_gradient_zero() -> None:
    for p in (None, 1, 2, 3, 1.5):
        np.testing.assert_array_equal(grad(lambda x, p=p: np.linalg.norm(x, p))(np.zeros(3)), np.zeros(3))
    for p in (3, 1.5, 0.5):
        assert np.isfinite(grad(lambda x, p=p: np.linalg.norm(x, p))(np.array([0.0, 2.0]))).all()


def test_norms_do_not_overflow() -> None:
    for scale in (1e200, 1e-200):
        for p in (None, 3):
            gradient = grad(lambda x, p=p: np.linalg.norm(x, p))
            np.testing.assert_allclose(gradient(np.array([3.0, 4.0]) * scale), gradient(np.array([3.0, 4.0])))


def test_norms_of_complex_vectors() -> None:
    for p in (None, 1, 3):
        check_gradients(lambda x, p=p: np.linalg.norm(x * (1 + 2j) + 1j * x[::-1], p), V)


def test_repeated_eigenvalues() -> None:
    """First derivatives of symmetric functions of them exist; a vector's is nan, and never an arbitrary number."""
    a = np.eye(3)
    gradient = grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3))
    np.testing.assert_allclose(gradient(a), 3 * a, atol=1e-14)
    np.testing.assert_allclose(gradient(np.diag([1.0, 1.0, 2.0])), np.diag([3.0, 3.0, 12.0]), atol=1e-14)
    np.testing.assert_allclose(grad(lambda a: np.linalg.norm(a, "nuc"))(a), a, atol=1e-14)
    assert np.isnan(grad(lambda a: np.sum(S * np.linalg.eigh(a)[1]))(a)).all()
    single = grad(lambda a: np.sum(np.linalg.eigh(a)[1][:, 2] ** 2 * V))(np.diag([1.0, 1.0, 2.0]))
    assert np.isfinite(single).all()


def test_what_is_not_supported_raises() -> None:
    with pytest.raises(TypeError):
        np.linalg.pinv(Value(S), hermitian=True)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.inv(Value(np.zeros((2, 2))))
    with pytest.raises(ValueError, match="order"):
        np.linalg.norm(Value(S), 3)
