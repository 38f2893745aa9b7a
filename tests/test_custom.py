"""Rules of one's own."""

import pickle
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad, jacobian, jvp, primitive, vjp


@primitive(pullback=lambda g, out, a, b: (-np.outer(s := np.linalg.solve(a.T, g), out), s))
def solve(a: Any, b: Any) -> Any:
    """The solution of a x = b, by code that the engine does not see."""
    return np.linalg.solve(a, b)


@primitive(partials=lambda out, x, *, k: k * x ** (k - 1), check=[np.array([1.0, 2.0])])
def power(x: Any, *, k: int = 2) -> Any:
    return x**k


def test_a_pullback_with_foreign_code_serves_first_derivatives() -> None:
    a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.0, 2.0])
    check_gradients(solve, a, b)
    v = solve(Value(a), b)
    assert repr(v).endswith("op=solve)")
    assert type(solve(a, b)) is np.ndarray
    assert solve.__doc__ is not None


def test_settings_and_orders() -> None:
    assert grad(lambda x: power(x, k=3))(2.0) == 12.0
    assert grad(grad(lambda x: power(x, k=3)))(2.0) == 12.0
    assert jvp(lambda x: power(x, k=3), (2.0,), (1.0,)) == (8.0, 12.0)
    assert pickle.loads(pickle.dumps(power(Value(3.0), k=3))).data == 27.0
    assert pickle.loads(pickle.dumps(power)) is power


def test_none_stands_for_no_dependence() -> None:
    @primitive(pullback=lambda g, out, x, y: (g * 2.0, None), check=[1.0, 3.0])
    def twice(x: Any, y: Any) -> Any:
        return 2.0 * x

    assert grad(twice, (0, 1))(1.0, 1.0) == (2.0, 0.0)
    assert jvp(twice, (1.0, 1.0), (1.0, 1.0)) == (2.0, 2.0)


def test_a_pushforward() -> None:
    seen = []

    @primitive(
        pullback=lambda g, out, x: np.asarray(g) * 3.0,  # np.asarray is what records nothing
        pushforward=lambda tangents, out, x: (seen.append(tangents), tangents[0] * 3.0)[1],
    )
    def triple(x: Any) -> Any:
        return np.asarray(x) * 3.0

    assert jvp(triple, (np.ones(2),), (np.ones(2),))[1].tolist() == [3.0, 3.0]
    assert len(seen) == 1


def test_a_jacobian_goes_the_way_that_is_asked_for_or_the_shorter() -> None:
    taken: list[str] = []

    @primitive(
        pullback=lambda g, out, x: (taken.append("reverse"), g * 3.0)[1],
        pushforward=lambda tangents, out, x: (taken.append("forward"), tangents[0] * 3.0)[1],
    )
    def triple(x: Any) -> Any:
        return x * 3.0

    wide, tall, square = (lambda x: triple(x).sum()), (lambda x: triple(x * np.ones(2))), triple
    for f, x, mode, way in [
        (square, np.ones(2), "reverse", "reverse"), (square, np.ones(2), "forward", "forward"),
        (square, np.ones(2), "auto", "reverse"), (wide, np.ones(2), "auto", "reverse"), (tall, 1.0, "auto", "forward"),
    ]:  # fmt: skip
        taken.clear()
        jacobian(f, mode=mode)(x)
        assert set(taken) == {way}


def test_forward_mode_without_a_pushforward_says_what_is_missing() -> None:
    @primitive(pullback=lambda g, out, x: np.asarray(g) * 3.0)
    def triple(x: Any) -> Any:
        return x * 3.0

    assert grad(lambda x: triple(x).sum())(np.ones(2)).tolist() == [3.0, 3.0]
    with pytest.raises(TypeError, match=r"forward mode of triple.*pushforward="):
        jvp(triple, (np.ones(2),), (np.ones(2),))
    with pytest.raises(TypeError, match="forward mode of triple"):  # so that "forward" is what it says
        jacobian(triple, mode="forward")(np.ones(2))
    np.testing.assert_array_equal(jacobian(triple)(np.ones(2)), np.diag([3.0, 3.0]))


def test_several_results_are_values_of_their_own() -> None:
    @primitive(
        pullback=lambda g, out, x, y: (g[0] * y + g[1], g[0] * x - g[1]),
        pushforward=lambda t, out, x, y: (
            (0.0 if t[0] is None else t[0] * y) + (0.0 if t[1] is None else t[1] * x),
            (0.0 if t[0] is None else t[0]) - (0.0 if t[1] is None else t[1]),
        ),
        check=[np.array([1.0, 2.0]), 3.0],
    )
    def product_and_difference(x: Any, y: Any) -> Any:
        return x * y, x - y

    first, second = product_and_difference(Value(2.0), 5.0)
    assert (first.data, second.data) == (10.0, -3.0)
    assert product_and_difference(2.0, 5.0) == (10.0, -3.0)
    assert grad(lambda x: product_and_difference(x, 5.0)[0])(2.0) == 5.0
    f = lambda x, y: product_and_difference(x, y)[0] ** 2 + product_and_difference(x, y)[1]
    check_gradients(f, 2.0, 5.0, order=2)
    assert jvp(product_and_difference, (2.0, 5.0), (1.0, 0.0)) == ((10.0, -3.0), (5.0, 1.0))
    assert pickle.loads(pickle.dumps(second)).data == -3.0


def test_results_are_numbers_that_can_have_a_gradient() -> None:
    """A step with the gradient of a sigmoid, as spiking networks have it: truth values become floats."""

    @primitive(pullback=lambda g, out, x: g * 0.25)
    def step(x: Any) -> Any:
        return x > 0

    for dtype in (np.float32, np.float64):
        x = Value(np.array([-1.0, 2.0], dtype))
        out = step(x)
        assert out.dtype == dtype
        (out * 3.0).sum().backward()
        np.testing.assert_array_equal(x.grad, np.array([0.75, 0.75], dtype))
    assert grad(lambda x: step(x) * 3.0)(2.0) == 0.75
    for bad in ([1.0, 2.0], None, "text"):
        with pytest.raises(TypeError, match=f"lambda> returned a {type(bad).__name__}: return an array"):
            primitive(pullback=lambda g, out, x: g)(lambda x, *, bad=bad: bad)(Value(1.0))


def test_arguments_by_keyword_and_by_default() -> None:
    @primitive(pullback=lambda g, out, x, y, *, k: (g * y * k, g * x * k))
    def product(x: Any, y: Any = 3.0, *, k: float = 1.0) -> Any:
        return x * y * k

    assert grad(product)(2.0) == 3.0
    assert grad(lambda y: product(y=y, x=2.0, k=10.0))(5.0) == 20.0
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        product(y=1.0)
    with pytest.raises(TypeError, match=r"takes \*args or \*\*settings"):
        primitive(pullback=lambda g, out, *xs: xs)(lambda *xs: xs)


def test_what_is_wrong_with_a_declaration() -> None:
    with pytest.raises(TypeError, match="either pullback="):
        primitive()
    with pytest.raises(AssertionError, match="by central differences"):
        primitive(pullback=lambda g, out, x: 3.0 * g * x, check=[2.0])(lambda x: x * x)

    @primitive(pullback=lambda g, out, x, y: g)
    def wrong(x: Any, y: Any) -> Any:
        return x + y

    with pytest.raises(TypeError, match="wrong has 2 arguments, and its rule gave"):
        vjp(wrong, 1.0, 2.0)[1](1.0)


def test_a_second_derivative_through_foreign_code_says_what_is_missing() -> None:
    @primitive(pullback=lambda g, out, x: np.asarray(g) * 3.0 * np.asarray(x) ** 2)
    def cube(x: Any) -> Any:
        return x**3

    total = lambda x: np.sum(cube(x))
    np.testing.assert_array_equal(grad(total)(np.array([1.0, 2.0])), [3.0, 12.0])
    with pytest.raises(
        TypeError, match="a derivative of the pullback of cube was asked for, and it calls what records"
    ):
        grad(lambda x: np.sum(grad(total)(x)))(np.array([1.0, 2.0]))


def test_the_implicit_function_of_a_sparse_linear_system() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    from scipy.sparse.linalg import splu

    n = 30
    laplacian = sparse.diags_array([-1.0, 2.5, -1.0], offsets=[-1, 0, 1], shape=(n, n), format="csc")
    factors = splu(laplacian)

    @primitive(pullback=lambda g, out, b: factors.solve(g, "T"), pushforward=lambda t, out, b: factors.solve(t[0]))
    def solve_sparse(b: Any) -> Any:
        return factors.solve(b)

    b = np.linspace(0.0, 1.0, n)
    check_gradients(lambda b: np.sum(solve_sparse(b) ** 2), b)
    np.testing.assert_allclose(jvp(solve_sparse, (b,), (b,))[1], solve_sparse(b))
