"""QR, eigenvalues and singular values: shapes and names as NumPy's, and the policy where a matrix is degenerate.

What the registry generates (`test_ops.py`) tries them at full rank with distinct values, real and complex, in both
modes, to order 2. Where vectors are arbitrary, only what does not depend on the choice has a derivative.
"""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, draw, explain_nonfinite, grad, jvp, why
from autograd_core.op import Op
from autograd_core.ops.several import picked
from autograd_core.registry import OPS

RNG = np.random.default_rng(5)
G = RNG.standard_normal((3, 3))
TURN = np.linalg.qr(RNG.standard_normal((3, 3)))[0]
SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 3)]
REPEATED = {
    "identity": np.eye(3),
    "diagonal": np.diag([1.0, 1.0, 2.0]),
    "turned": TURN @ np.diag([1.0, 1.0, 2.0]) @ TURN.T,
}

Function = Callable[[Any], Any]


def star(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def reduced(a: Any) -> Any:
    return np.linalg.svd(a, full_matrices=False)


def rebuilt(a: Any) -> Any:
    """U diag(S) Vᴴ: the matrix itself."""
    u, s, vh = reduced(a)
    return (u * s[..., None, :]) @ vh


def polar(a: Any) -> Any:
    u, _, vh = reduced(a)
    return u @ vh


def gradient(function: Function, a: Any, weights: Any) -> Any:
    return grad(lambda x: np.sum(np.real(weights * function(x))))(a)


# As NumPy has it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", SHAPES)
def test_results_are_numpys_with_its_names(shape: tuple[int, ...], dtype: Any) -> None:
    a = RNG.standard_normal(shape).astype(dtype)
    square = (a @ star(a)).astype(dtype)
    for function, point in ((np.linalg.qr, a), (reduced, a), (np.linalg.eigh, square), (np.linalg.slogdet, square)):
        expected, found = function(point), function(Value(point))
        assert type(found) is type(expected)
        assert found._fields == expected._fields
        for x, y in zip(expected, found, strict=True):
            data = y.data if type(y) is Value else y
            np.testing.assert_array_equal(data, x)
            assert np.asarray(data).dtype == x.dtype
    v = Value(a)
    np.testing.assert_array_equal(reduced(v).Vh.data, reduced(a).Vh)
    np.testing.assert_array_equal(np.linalg.qr(v).Q.data, np.linalg.qr(a).Q)
    (np.abs(reduced(v).U).sum() + np.abs(np.linalg.qr(v).R).sum()).backward()
    assert v.grad.dtype == dtype
    assert v.grad.shape == shape


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 0)])
def test_empty_matrices(shape: tuple[int, ...]) -> None:
    v = Value(np.zeros(shape))
    total: Any = sum(np.sum(x) for x in (*reduced(v), *np.linalg.qr(v)))
    total.backward()
    assert v.grad.shape == shape


@pytest.mark.parametrize("shape", SHAPES)
def test_other_ways_to_ask(shape: tuple[int, ...]) -> None:
    a = RNG.standard_normal(shape)
    h = RNG.standard_normal((*shape[:-2], 3, 3))
    h = h + star(h)
    check_gradients(lambda x: np.linalg.svd(x, compute_uv=False), a, order=2)
    check_gradients(lambda x: np.linalg.qr(x, mode="r"), a, order=2)
    check_gradients(lambda x: tuple(np.linalg.svd(x + star(x), hermitian=True)), h, order=2)
    check_gradients(lambda x: np.linalg.svd(x + star(x), hermitian=True, compute_uv=False), h, order=2)
    for mine, numpy in zip(np.linalg.svd(Value(h), hermitian=True), np.linalg.svd(h, hermitian=True), strict=True):
        np.testing.assert_allclose(mine.data, numpy, atol=1e-12)
    if shape[-2] <= shape[-1]:
        np.testing.assert_array_equal(np.linalg.qr(Value(a), "complete").Q.data, np.linalg.qr(a, "complete").Q)


def test_what_is_arbitrary_is_refused() -> None:
    tall = Value(np.ones((4, 2)))
    with pytest.raises(TypeError, match="full_matrices=False"):
        np.linalg.svd(tall)
    with pytest.raises(TypeError, match="mode='reduced'"):
        np.linalg.qr(tall, mode="complete")
    with pytest.raises(TypeError, match="mode='reduced' or mode='r'"):
        np.linalg.qr(tall, mode="raw")


def test_one_pullback_sees_all_gradients() -> None:
    """The results are projections of one node, which is visited once."""
    v = Value(G)
    u, s, vh = reduced(v)
    assert u.op.name == s.op.name == vh.op.name == "pick"
    assert u.inputs[0] is s.inputs[0] is vh.inputs[0]
    calls = []
    op: Op = OPS["svd"]
    rule = op.rules[0]
    assert rule is not None
    try:
        op.rules = (lambda *args: calls.append(1) or rule(*args),)  # type: ignore[func-returns-value]
        np.sum(G * ((u * s) @ vh)).backward()
    finally:
        op.rules = (rule,)
    assert len(calls) == 1
    np.testing.assert_allclose(v.grad, G, atol=1e-12)


# What holds whatever the choice of vectors ----------------------------------------------------------------------------


@pytest.mark.parametrize("imaginary", [0.0, 1.0j])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_matrix_made_of_its_factors_has_the_derivative_1(shape: tuple[int, ...], imaginary: complex) -> None:
    a, g = (RNG.standard_normal(shape) + imaginary * RNG.standard_normal(shape) for _ in range(2))
    a = a if imaginary else np.real(a)
    g = g if imaginary else np.real(g)
    for function in (rebuilt, lambda x: np.matmul(*np.linalg.qr(x))):
        np.testing.assert_allclose(gradient(function, a, np.conj(g)), g if not imaginary else np.conj(g), atol=1e-11)
        np.testing.assert_allclose(jvp(function, (a,), (g,))[1], g, atol=1e-11)
        np.testing.assert_allclose(
            jvp(lambda x, f=function: jvp(f, (x,), (g,))[1], (a,), (a,))[1], np.zeros(shape), atol=1e-9
        )
    basis = np.linalg.qr(a)[0]
    np.testing.assert_allclose(jvp(lambda x: star(np.linalg.qr(x)[0]) @ np.linalg.qr(x)[0], (a,), (g,))[1],
                               np.zeros(basis.shape[:-2] + basis.shape[-1:] * 2), atol=1e-12)  # fmt: skip


@pytest.mark.parametrize("name", REPEATED)
def test_functions_of_equal_eigenvalues(name: str) -> None:
    """Σ f(λ) is differentiable, and its gradient is f′(A); the largest shares its gradient among those that tie."""
    a = REPEATED[name]
    w, v = np.linalg.eigh(a)
    slope = (v * np.exp(w)) @ v.T
    for values in (np.linalg.eigvalsh, lambda x: np.linalg.eigh(x).eigenvalues):
        total = lambda x, values=values: np.sum(np.exp(values(x)))
        np.testing.assert_allclose(grad(total)(a), slope, atol=1e-13)
        assert jvp(total, (a,), (G,))[1] == pytest.approx(np.sum(slope * G))
    top = np.isclose(w, w[-1])
    np.testing.assert_allclose(
        grad(lambda x: np.linalg.eigvalsh(x)[-1])(a), v[:, top] @ v[:, top].T / top.sum(), atol=1e-13
    )


@pytest.mark.parametrize("name", ["diagonal", "turned"])
def test_projectors_on_the_space_of_equal_eigenvalues(name: str) -> None:
    a = REPEATED[name]
    onto = lambda x: (lambda v: v[:, :2] @ v[:, :2].T)(np.linalg.eigh(x).eigenvectors)
    other = lambda x: np.eye(3) - (lambda v: v[:, 2:] @ v[:, 2:].T)(np.linalg.eigh(x).eigenvectors)
    check_gradients(onto, a)
    np.testing.assert_allclose(gradient(onto, a, G), gradient(other, a, G), atol=1e-13)
    np.testing.assert_allclose(np.sum(G * jvp(other, (a,), (a @ G,))[1]), np.sum(gradient(onto, a, G) * (a @ G)))
    assert np.isnan(jvp(onto, (a,), (G,))[1]).any()  # forward mode cannot know


def test_the_polar_factor_at_equal_singular_values() -> None:
    check_gradients(polar, TURN)
    check_gradients(polar, np.eye(4)[:, :2])


@pytest.mark.parametrize("name", [*REPEATED, "zero", "rank 1"])
def test_what_depends_on_arbitrary_vectors_is_nan(name: str) -> None:
    """V diag(λ) Vᵀ is A, but where λ repeats its derivative cannot be had from those of λ and V."""
    a = {**REPEATED, "zero": np.zeros((3, 3)), "rank 1": np.diag([0.0, 0.0, 1.0])}[name]
    again = lambda x: (lambda w, v: (v * w) @ v.T)(*np.linalg.eigh(x))
    for function in (again, rebuilt, lambda x: np.linalg.eigh(x).eigenvectors):
        assert np.isnan(gradient(function, a, G)).all()
        assert np.isnan(jvp(function, (a,), (G,))[1]).any()
    for function in (again, rebuilt):
        assert np.isnan(gradient(function, a, np.ones((3, 3)))).all()
    single = lambda x: np.sum(G[:, 0] * np.linalg.eigh(x).eigenvectors[:, 2] ** 2)
    if name not in ("identity", "zero"):
        check_gradients(single, a)
        assert jvp(single, (a,), (G,))[1] == pytest.approx(np.sum(grad(single)(a) * G))


# Rank -----------------------------------------------------------------------------------------------------------------

DEFICIENT = {
    "square, rank 2": G[:, :2] @ G[:2],
    "square, rank 1": np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]),
    "tall": np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 2.0]),
    "wide": np.outer([1.0, 2.0], [1.0, 2.0, 3.0]),
    "zero": np.zeros((3, 2)),
}


@pytest.mark.parametrize("imaginary", [0.0, 0.5j])
@pytest.mark.parametrize("name", DEFICIENT)
def test_singular_values_of_deficient_matrices(name: str, imaginary: complex) -> None:
    """Σ s² has the gradient 2 A; of the nuclear norm it is the subgradient of least norm, without the zeros."""
    a = DEFICIENT[name] * (1.0 + imaginary if imaginary else 1.0)
    t = RNG.standard_normal(a.shape)
    u, s, vh = reduced(a)
    for values in (np.linalg.svdvals, lambda x: reduced(x).S):
        square = lambda x, values=values: np.sum(values(x) ** 2)
        np.testing.assert_allclose(grad(square)(a), 2 * np.conj(a), atol=1e-13)
        assert jvp(square, (a,), (t,))[1] == pytest.approx(np.sum(np.real(2 * np.conj(a) * t)))
    nonzero = s > 1e-10
    nuclear = u[:, nonzero] @ vh[nonzero]
    for function in (lambda x: np.linalg.norm(x, "nuc"), lambda x: np.sum(np.linalg.svd(x, compute_uv=False))):
        np.testing.assert_allclose(grad(function)(a), np.conj(nuclear), atol=1e-12)
        assert jvp(function, (a,), (t,))[1] == pytest.approx(np.sum(np.real(np.conj(nuclear) * t)))


@pytest.mark.parametrize("name", DEFICIENT)
def test_factors_of_deficient_matrices(name: str) -> None:
    """One zero of a square real matrix is a value as any other; else its vectors are arbitrary."""
    a = DEFICIENT[name]
    g = RNG.standard_normal(a.shape)
    found, tangent = gradient(rebuilt, a, g), jvp(rebuilt, (a,), (g,))[1]
    if name == "square, rank 2":
        np.testing.assert_allclose(found, g, atol=1e-12)
        np.testing.assert_allclose(tangent, g, atol=1e-12)
    else:
        assert np.isnan(found).all()
        assert np.isnan(tangent).any()
    leading = lambda x: (lambda u, s, vh: (u[:, :1] * s[:1]) @ vh[:1])(*reduced(x))  # the best matrix of rank 1
    if name != "zero":
        check_gradients(leading, a)
        assert np.sum(g * jvp(leading, (a,), (g,))[1]) == pytest.approx(np.sum(g * gradient(leading, a, g)))


def test_qr_of_dependent_columns_is_nan() -> None:
    for a in (np.zeros((3, 2)), np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 1.0, 1.0]])):
        assert np.isnan(grad(lambda x: np.sum(np.linalg.qr(x).Q))(a)).all()
        assert np.isnan(grad(lambda x: np.sum(np.linalg.qr(x).R))(a)).all()
    stack = np.stack([np.eye(2), np.ones((2, 2))])
    found = gradient(lambda x: np.linalg.qr(x).Q, stack, 1.0)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    check_gradients(lambda x: tuple(np.linalg.qr(x)), np.array([[1.0, 2.0, 2.0], [3.0, 1.0, 1.0]]), order=2)  # the last


def test_second_derivatives_at_equal_values_are_nan_and_not_wrong() -> None:
    total = lambda x: np.sum(np.exp(np.linalg.eigvalsh(x)))
    assert np.isnan(jvp(grad(total), (np.eye(3),), (G,))[1]).any()
    trace = lambda x: np.sum(np.linalg.eigvalsh(x))
    np.testing.assert_array_equal(jvp(grad(trace), (np.diag([1.0, 2.0, 3.0]),), (G,))[1], np.zeros((3, 3)))


def test_where_the_nan_came_from_is_said() -> None:
    v = Value(np.eye(3), name="a")
    text = str(explain_nonfinite(np.sum(G * np.linalg.eigh(v).eigenvectors)))
    assert "the derivative of eigh with respect to a is not finite" in text
    assert "np.linalg.eigvalsh" in text


def test_values_of_several_arrays_can_be_drawn_and_explained() -> None:
    v = Value(G, name="a")
    values = np.linalg.svd(v).S
    total = np.sum(values)
    for _ in range(2):
        assert "svd(a)" in draw(total).dot
        total.backward()
    assert len(picked(values.inputs[0])) == 3
    assert "a → svd → pick → sum" in str(why(v, total))
    assert v.grad.shape == pickle.loads(pickle.dumps(total)).inputs[0].inputs[0].inputs[0].grad.shape
