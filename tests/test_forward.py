"""Forward mode, from the same declarations: it agrees with reverse mode, for every op, and in every mixture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from samples import EVERY_SAMPLE, Sample

from autograd_core import Value, checkpoint, grad, hessian, hvp, jacobian, jvp, linearize, no_grad, sigmoid, vjp
from autograd_core.jacobians import rows_are_less
from autograd_core.registry import OPS

each_sample = pytest.mark.parametrize("sample", EVERY_SAMPLE, ids=lambda s: s.label)


def inner(a: Any, b: Any) -> float:
    """⟨a, b⟩, the real part for complex results."""
    return float(np.sum(np.real(np.asarray(a) * np.asarray(b))))


@each_sample
def test_the_modes_are_adjoint(sample: Sample) -> None:
    rng = np.random.default_rng(1)
    tangents = [rng.standard_normal(x.shape) for x in sample.variables]
    value, tangent = jvp(sample.function, sample.variables, tangents)
    same, pullback = vjp(sample.function, *sample.variables)
    np.testing.assert_array_equal(value, same)
    assert np.shape(tangent) == np.shape(value)
    g = rng.standard_normal(np.shape(value))
    gradients = pullback(g)
    right = sum(inner(t, x) for t, x in zip(tangents, gradients, strict=True))
    assert inner(tangent, g) == pytest.approx(right, rel=1e-10, abs=1e-10)


@each_sample
def test_the_taylor_remainder_falls_with_the_square_of_the_step(sample: Sample) -> None:
    rng = np.random.default_rng(2)
    tangents = [rng.standard_normal(x.shape) for x in sample.variables]
    value, tangent = jvp(sample.function, sample.variables, tangents)

    def remainder(h: float) -> float:
        moved = sample.function(*[x + h * t for x, t in zip(sample.variables, tangents, strict=True)])
        return float(np.max(np.abs(moved - value - h * tangent), initial=0.0))

    assert remainder(1e-5) <= 0.02 * remainder(1e-4) + 1e-13


@each_sample
def test_mixed_second_derivatives_agree(sample: Sample) -> None:
    f = lambda *xs: np.sum(np.sin(np.real(sample.function(*xs))))
    rng = np.random.default_rng(3)
    tangents = [rng.standard_normal(x.shape) for x in sample.variables]
    gradient = grad(f, range(len(tangents)))
    _, forward_over_reverse = jvp(gradient, sample.variables, tangents)
    _, pullback = vjp(gradient, *sample.variables)
    reverse_over_reverse = pullback(tuple(tangents))
    reverse_over_forward = grad(lambda *xs: jvp(f, xs, tangents)[1], range(len(tangents)))(*sample.variables)
    for a, b, c in zip(forward_over_reverse, reverse_over_reverse, reverse_over_forward, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(c, b, rtol=1e-9, atol=1e-9)


@each_sample
@pytest.mark.parametrize("dtype", [np.float32])
def test_tangents_keep_the_dtype(sample: Sample, dtype: Any) -> None:
    variables = [x.astype(dtype) for x in sample.variables]
    value, tangent = jvp(sample.function, variables, variables)
    assert tangent.dtype == value.dtype


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians_of_complex_functions(mode: str) -> None:
    j: Any = lambda f: jacobian(f, mode=mode)
    transform = np.fft.fft(np.eye(3))
    np.testing.assert_allclose(j(np.fft.fft)(np.ones(3)), transform, atol=1e-15)  # complex results of real numbers
    np.testing.assert_allclose(j(np.fft.rfft)(np.ones(3)), transform[:2], atol=1e-15)
    assert j(lambda x: x * 1j)(2.0) == 1j
    assert j(lambda x: x * 1j)(np.ones(2, np.float32)).dtype == np.complex64
    z = np.array([1.0 + 2.0j, -0.5j])
    np.testing.assert_allclose(j(np.exp)(z), np.diag(np.exp(z)))
    np.testing.assert_allclose(j(lambda z: np.abs(z) ** 2)(z), np.diag(2 * z.conj()))  # real results, as grad has them
    for f in (np.conj, lambda z: 1j * np.real(z), lambda z: np.array([1.0, 1.0]) * z * np.abs(z)):
        with pytest.raises(ValueError, match="not holomorphic"):
            j(f)(z)
    f = lambda z: np.sum(np.abs(z) ** 2 * np.real(z))
    with pytest.raises(
        ValueError, match=r"of a hessian the gradient, .*hessian\(lambda x, y: f\(x \+ 1j \* y\), \(0, 1\)\)"
    ):
        hessian(f)(z)
    (xx, _), (yx, _) = hessian(lambda x, y: f(x + 1j * y), (0, 1))(z.real, z.imag)
    np.testing.assert_allclose([xx, yx], [np.diag(6 * z.real), np.diag(2 * z.imag)])
    with pytest.raises(TypeError, match=r"the complex derivative of a holomorphic one, jacobian\(f\)"):
        grad(np.exp)(z[0])
    inner = lambda a: np.real(j(lambda x: np.exp(1j * a * x))(1.0))  # d/da Re(i a exp(i a))
    np.testing.assert_allclose(j(inner)(2.0), -np.sin(2.0) - 2.0 * np.cos(2.0))


def test_what_is_complex_belongs_to_nothing_real() -> None:
    with pytest.raises(TypeError, match="the tangent is complex, and what it belongs to is real"):
        jvp(np.sin, (np.ones(2),), (np.ones(2) * 1j,))
    with pytest.raises(TypeError, match="the gradient is complex, and what it belongs to is real"):
        vjp(np.sin, 1.0)[1](1j)


def test_what_is_returned_beside_the_value_is_passed_on() -> None:
    f = lambda x: (x * x, {"twice": x * 2.0, "note": "seen"})
    aux = {"twice": 6.0, "note": "seen"}
    value, pullback, found = vjp(f, 3.0, has_aux=True)
    assert (value, pullback(1.0), found) == (9.0, (6.0,), aux)
    value, push, found = linearize(f, 3.0, has_aux=True)
    assert (value, push(1.0), found) == (9.0, 6.0, aux)
    assert jvp(f, (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, aux)
    assert jacobian(f, has_aux=True)(3.0) == (6.0, aux)
    assert hessian(f, has_aux=True)(3.0) == (2.0, aux)
    assert type(found["twice"]) is float
    assert grad(lambda x: vjp(f, x, has_aux=True)[2]["twice"])(3.0) == 2.0  # also there it is differentiated
    assert grad(lambda x: jacobian(lambda y: (y, x * y), has_aux=True)(x)[1])(3.0) == 6.0
    for function in (lambda g: vjp(g, 1.0, has_aux=True), lambda g: jacobian(g, has_aux=True)(1.0)):
        with pytest.raises(TypeError, match=r"returns a pair \(value, anything\)"):
            function(np.sin)


@pytest.mark.parametrize("take", [
    lambda f: vjp(f, 1.0), lambda f: jvp(f, (1.0,), (1.0,)), lambda f: linearize(f, 1.0), lambda f: jacobian(f)(1.0),
])  # fmt: skip
def test_a_result_that_is_no_number_has_no_derivative(take: Any) -> None:
    for wrong in ("text", {1.0, 2.0}, np.array(["a"]), np.array([None])):
        with pytest.raises(TypeError, match=r"<lambda> returned a \w+, which has no derivative"):
            take(lambda x, wrong=wrong: [x, wrong])


def test_perturbations_are_not_confused() -> None:
    derivative = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]
    assert derivative(lambda x: x * derivative(lambda y: x * y)(x))(3.0) == 6.0
    assert grad(lambda x: x * derivative(lambda y: x * y)(x))(3.0) == 6.0
    assert derivative(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0) == 1.0
    assert derivative(derivative(derivative(lambda x: x**4)))(2.0) == 48.0


def test_containers_and_scalars() -> None:
    f = lambda p: {"y": p["a"] * p["b"], "z": [p["a"] + 1.0]}
    value, tangent = jvp(f, ({"a": 2.0, "b": 3.0},), ({"a": 1.0, "b": 10.0},))
    assert value == {"y": 6.0, "z": [3.0]}
    assert tangent == {"y": 23.0, "z": [1.0]}
    _, pullback = vjp(f, {"a": 2.0, "b": 3.0})
    assert pullback({"y": 1.0, "z": [5.0]}) == ({"a": 8.0, "b": 2.0},)
    assert pullback({"y": 0.0, "z": [1.0]}) == ({"a": 1.0, "b": 0.0},)
    assert jvp(lambda x: 5.0, (1.0,), (1.0,)) == (5.0, 0.0)
    assert type(jvp(lambda x: np.float32(5.0), (1.0,), (1.0,))[1]) is np.float32
    same = lambda x: x  # a tangent or gradient that is given takes the dtype of what it belongs to
    assert type(jvp(same, (1.0,), (np.float32(1.0),))[1]) is float
    assert jvp(same, (np.ones(2, np.float32),), ([1, 2],))[1].dtype == np.float32
    assert vjp(same, np.ones(2, np.float32))[1]([1, 2])[0].dtype == np.float32
    _, push = linearize(lambda x: np.sin(x) * 2.0, np.zeros(3))
    np.testing.assert_array_equal(push(np.arange(3.0)), [0.0, 2.0, 4.0])


@dataclass(frozen=True)
class Layer:
    w: Any
    b: Any


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"the tangent has shape \(3,\), and what it belongs to has \(2,\)"):
        jvp(np.sin, (np.ones(2),), (np.ones(3),))
    with pytest.raises(TypeError, match="here is a tuple of length 2 in the place of a tuple of length 1"):
        jvp(np.sin, (np.ones(2),), (np.ones(2), np.ones(2)))
    _, pullback = vjp(np.sin, np.ones(2))
    with pytest.raises(ValueError, match=r"the gradient has shape \(\)"):
        pullback(1.0)
    with pytest.raises(TypeError, match="cannot be differentiated"):
        jvp(np.sin, (1.0,), ("a",))
    with pytest.raises(ValueError, match="mode='sideways'"):
        jacobian(np.sin, mode="sideways")


def test_data_that_changed_after_recording_are_noticed() -> None:
    w = Value(2.0, name="w")  # which has no tangent, and yet is a factor in one
    _, push = linearize(lambda x: x * w * x, 3.0)
    _, pullback = vjp(lambda x: x * w * x, 3.0)
    w.data = 5.0
    for derivative in (push, pullback):
        with pytest.raises(RuntimeError, match="input 'w' of mul changed after"):
            derivative(1.0)

    def rebinding(x: Any) -> Any:
        y = x * w
        w.data = w.data + 1.0
        return y

    for mode in ("forward", "reverse"):
        with pytest.raises(RuntimeError, match="input 'w' of mul changed after"):
            jacobian(rebinding, mode=mode)(np.ones(2))


def test_a_gradient_or_tangent_that_is_given_may_be_a_variable() -> None:
    assert grad(lambda g: vjp(lambda x: x**2, 3.0)[1](g)[0] ** 2)(2.0) == 2 * 2.0 * 6.0**2
    assert grad(lambda t: linearize(lambda x: x**2, 3.0)[1](t) ** 2)(2.0) == 2 * 2.0 * 6.0**2


def test_poles_have_infinite_derivatives_in_both_modes() -> None:
    assert jvp(np.sqrt, (0.0,), (1.0,)) == (0.0, np.inf)
    assert grad(np.sqrt)(0.0) == np.inf
    for mode in ("forward", "reverse"):
        with np.errstate(divide="ignore"):
            found = jacobian(lambda x: x / 0.0, mode=mode)(np.ones(2))
        np.testing.assert_array_equal(found, [[np.inf, 0.0], [0.0, np.inf]])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(np.diag(hessian(lambda x: np.sum(x * x / 0.0))(np.ones(2))), [np.inf, np.inf])
        assert grad(grad(lambda x: x * x / 0.0))(2.0) == np.inf


def test_jacobians_of_what_does_not_go_all_at_once() -> None:
    vectors = lambda a: np.linalg.eigh(a)[1]
    point = np.array([[2.0, 0.5], [0.5, 3.0]])
    np.testing.assert_allclose(jacobian(vectors, mode="forward")(point), jacobian(vectors, mode="reverse")(point))
    apart, x = (lambda x: x[[0, 1], :, [1, 0]]), np.ones((2, 3, 2))  # NumPy puts the axis of such an index first
    np.testing.assert_array_equal(jacobian(apart, mode="forward")(x), jacobian(apart, mode="reverse")(x))
    for name, setting in (("reshape", [3, 4]), ("reshape", np.array([3, 4])), ("broadcast_to", 12), ("transpose", [0])):
        again, x = (lambda x, name=name, setting=setting: getattr(np, name)(x * x, setting)), np.arange(12.0)
        np.testing.assert_array_equal(jacobian(again, mode="forward")(x), jacobian(again, mode="reverse")(x))
    x = np.linspace(0.0, 1.0, 800)  # its 800 tangents are pushed in two parts
    np.testing.assert_array_equal(jacobian(np.sin, mode="forward")(x), np.diag(np.cos(x)))


def test_tangents_and_gradients_go_by_key_and_by_place() -> None:
    point = {"a": 2.0, "b": [3.0, (np.ones(2), None)]}
    f = lambda p: {"y": p["a"] * p["b"][0], "z": p["b"][1][0] * p["a"]}
    tangent = {"b": (1.0, [np.zeros(2), None]), "a": 5.0}  # the keys in another order, a tuple for a list
    assert jvp(f, (point,), (tangent,))[1]["y"] == 17.0
    assert vjp(f, point)[1]({"z": np.zeros(2), "y": 1.0})[0]["a"] == 3.0
    layer = Layer(2.0, 3.0)
    assert jvp(lambda p: p.w * p.b, (layer,), (Layer(1.0, 10.0),))[1] == 23.0
    for primal, wrong, message in [
        ({"a": 1.0, "b": 2.0}, {"a": 1.0, "c": 2.0}, "a dict with the keys 'a', 'c' in the place of a dict with the"),
        ({"a": 1.0, "b": 2.0}, [1.0, 2.0], "a list of length 2 in the place of a dict with the keys 'a', 'b'"),
        ([1.0, None], [1.0, 2.0], "a float in the place of None"),
        (layer, {"w": 1.0, "b": 1.0}, "in the place of a Layer"),
    ]:
        with pytest.raises(TypeError, match=f"a tangent has the structure of what it belongs to, but.*{message}"):
            jvp(lambda p: 1.0, (primal,), (wrong,))
    with pytest.raises(TypeError, match="a gradient has the structure"):
        vjp(f, point)[1](1.0)


def test_derivatives_of_what_depends_on_the_outside_are_values() -> None:
    w = Value(2.0)
    value, tangent = jvp(lambda x: w * x * x, (3.0,), (1.0,))
    assert type(value) is Value
    assert type(tangent) is Value
    tangent.backward()
    assert w.grad == 6.0
    with no_grad():
        assert type(jvp(lambda x: w * x, (3.0,), (1.0,))[1]) is float
    x = Value(np.array([1.0, 2.0]))
    hvp(lambda x: np.sum(x**3), x, np.array([1.0, 0.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 0.0])


# Jacobians ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_jacobians(mode: str) -> None:
    a = np.arange(6.0).reshape(2, 3)
    j = jacobian(lambda x: np.sin(a @ x), mode=mode)(np.ones(3))
    np.testing.assert_allclose(j, np.cos(a @ np.ones(3))[:, None] * a)
    j = jacobian(lambda x: np.outer(x, x), mode=mode)(np.array([1.0, 2.0]))
    assert j.shape == (2, 2, 2)
    np.testing.assert_array_equal(j[:, :, 0], [[2.0, 2.0], [2.0, 0.0]])
    assert jacobian(lambda x: x**2, mode=mode)(3.0) == 6.0
    np.testing.assert_array_equal(jacobian(lambda x: x * np.ones(2), mode=mode)(3.0), [1.0, 1.0])
    np.testing.assert_array_equal(jacobian(np.sum, mode=mode)(np.ones((2, 2))), np.ones((2, 2)))
    nested = jacobian(lambda x, y: {"p": x * y, "s": y.sum()}, (0, 1), mode=mode)(2.0, np.ones(3))
    np.testing.assert_array_equal(nested["p"][0], [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(nested["p"][1], 2.0 * np.eye(3))
    assert nested["s"][0] == 0.0
    moving, still = jacobian(lambda x: (x * x, np.ones(3)), mode=mode)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(moving, np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(still, np.zeros((3, 2)))
    assert jacobian(np.sin, mode=mode)(np.zeros(0)).shape == (0, 0)
    assert jacobian(np.sin, mode=mode)(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_a_jacobian_has_the_dtype_of_the_argument_in_every_mode(mode: str) -> None:
    cases: list[tuple[Any, Any, Any]] = [
        (lambda x: x @ np.eye(3), np.float32, np.float32), (lambda x: x > 1, np.float32, np.float32),
        (np.argsort, np.float64, np.float64), (lambda x: x * np.complex128(1j), np.float32, np.complex64),
        (np.abs, np.complex64, np.complex64), (lambda x: x.astype(np.float32), np.float64, np.float64),
    ]  # fmt: skip
    for fun, given, expected in cases:
        assert jacobian(fun, mode=mode)(np.array([1.0, 2.0, 3.0], given)).dtype == expected


def test_up_to_twice_as_many_columns_are_computed_together_rather_than_the_rows() -> None:
    a = np.arange(8.0).reshape(2, 4) / 8
    x, s = Value(np.ones(4)), Value(1.0)
    assert not rows_are_less([np.tanh(x)], [x], record=False)
    assert rows_are_less([np.tanh(x)], [x], record=True)  # a recorded pass takes one direction
    assert rows_are_less([np.tanh(a @ x)], [x], record=False)
    assert rows_are_less(
        [np.linalg.inv(np.reshape(x, (2, 2)) + np.eye(2))], [x], record=False
    )  # one by one in either mode
    assert rows_are_less([s * s], [s], record=False)
    assert not rows_are_less([np.outer(x, x)], [x], record=False)


def test_hessians() -> None:
    f = lambda x: np.sum(np.tanh(x) ** 3) + x[0] * x[1] * x[2]
    x = np.array([0.3, -1.0, 2.0])
    h = hessian(f)(x)
    np.testing.assert_allclose(h, h.T, atol=1e-14)
    for other in (
        jacobian(jacobian(f, mode="forward"), mode="forward"),
        jacobian(grad(f), mode="forward"),
        jacobian(jacobian(f, mode="forward"), mode="reverse"),
    ):
        np.testing.assert_allclose(other(x), h, atol=1e-14)
    v = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(hvp(f, x, v), h @ v)
    assert hessian(lambda x: x**3)(2.0) == 12.0
    third = jacobian(hessian(f))(x)
    np.testing.assert_allclose(third, np.transpose(third, (1, 2, 0)), atol=1e-13)


# Dead branches --------------------------------------------------------------------------------------------------------

SAFE_ROOT = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
DEAD = {
    "where and sqrt": (SAFE_ROOT, [0.0, 4.0], [0.0, 0.25]),
    "where and a quotient": (lambda x: np.where(x == 0, 1.0, np.sin(x) / x), [0.0, 2.0], None),
    "clip of a pole": (lambda x: np.clip(np.log(np.abs(x)), -5.0, 5.0), [0.0, 2.0], [0.0, 0.5]),
    "maximum over a pole": (lambda x: np.maximum(np.log(np.abs(x)), 0.5), [0.0, 2.0], [0.0, 0.5]),
    "a matrix product after": (lambda x: np.array([[1.0, 2.0]]) @ SAFE_ROOT(x), [0.0, 4.0], [0.0, 0.5]),
    "a sum after": (lambda x: SAFE_ROOT(x).sum() * np.ones(1), [0.0, 4.0], [0.0, 0.25]),
    "an index after": (lambda x: SAFE_ROOT(x)[[1, 1, 0]], [0.0, 4.0], [0.0, 0.5]),
    "a product after": (lambda x: SAFE_ROOT(x) * 3.0 + x, [0.0, 4.0], [1.0, 1.75]),
    "a mean before": (lambda x: np.where(x[0] > 0, np.sqrt(x[0]), 0.0) + 0.0 * x, [0.0, 4.0], [0.0, 0.0]),
    "the largest": (lambda x: np.max(np.sqrt(x), keepdims=True), [0.0, 4.0], [0.0, 0.25]),
    "an index alone": (lambda x: np.sqrt(x)[1:], [0.0, 4.0], [0.0, 0.25]),
    "an index by a mask": (lambda x: np.sqrt(x)[x.data > 0 if type(x) is Value else x > 0], [0.0, 4.0], [0.0, 0.25]),
    "an index twice": (lambda x: np.sqrt(x)[[1, 1]] ** 2, [-1.0, 4.0], [0.0, 2.0]),
    "items replaced": (lambda x: np.sqrt(x).at[0].set(x[1]), [0.0, 4.0], [0.0, 1.25]),
    "the last in order": (lambda x: np.sort(np.sqrt(x))[-1] * np.ones(1), [0.0, 4.0], [0.0, 0.25]),
    "a median": (lambda x: np.median(np.concatenate([np.sqrt(x), [9.0]])) * np.ones(1), [0.0, 4.0], [0.0, 0.25]),
    "a triangle": (lambda x: np.tril(np.sqrt(x[::-1] * np.ones((2, 1))), -1), [0.0, 4.0], [0.0, 0.25]),
    "a piece": (lambda x: np.piecewise(x, [x > 0], [np.log, 0.0]), [0.0, 4.0], [0.0, 0.25]),
    "a choice": (lambda x: np.select([x > 0], [np.log(x)], 1.0), [0.0, 4.0], [0.0, 0.25]),
    "recomputed": (lambda x: np.where(x > 0, checkpoint(np.sqrt)(x), 0.0), [0.0, 4.0], [0.0, 0.25]),
    "recomputed as a whole": (checkpoint(SAFE_ROOT), [0.0, 4.0], [0.0, 0.25]),
    "recomputed below": (
        lambda x: checkpoint(lambda s: np.where(s > 0, s, 0.0))(np.sqrt(x)), [0.0, 4.0], [0.0, 0.25]
    ),
    "a dead number": (
        lambda x: np.where(x[1] > 5, OPS["logsumexp"](np.log(x)), x[1]) * np.ones(1), [0.0, 4.0], [0.0, 1.0],
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the functions themselves, which NumPy gives, too
@pytest.mark.parametrize("name", DEAD)
def test_dead_branches_contribute_exact_zeros(name: str) -> None:
    f, point, expected = DEAD[name]
    x = np.array(point)
    total = lambda x: np.sum(f(x))
    gradient = grad(total)(x)
    assert np.all(np.isfinite(gradient)), gradient
    if expected is not None:
        np.testing.assert_allclose(gradient, expected)
    variable = Value(x)
    total(variable).backward()
    np.testing.assert_array_equal(variable.grad, gradient)
    units = (np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    np.testing.assert_allclose([jvp(total, (x,), (t,))[1] for t in units], gradient, atol=1e-15)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(jacobian(total, mode=mode)(x), gradient, atol=1e-15)
    second = hessian(total)(x)
    assert np.all(np.isfinite(second)), second
    np.testing.assert_allclose(jacobian(grad(total), mode="reverse")(x), second, atol=1e-14)
    twice = [[jvp(lambda x, s=s: jvp(total, (x,), (s,))[1], (x,), (t,))[1] for s in units] for t in units]
    np.testing.assert_allclose(twice, second, atol=1e-14)
    np.testing.assert_allclose([hvp(total, x, t) for t in units], second, atol=1e-14)


@pytest.mark.parametrize("select", [lambda x: np.fmax(x, np.nan), lambda x: np.fmin(np.float64(np.nan), x)])
def test_a_number_that_is_nan_decides_for_all_elements(select: Any) -> None:
    """The local derivative is then one number, and its mask is that of every element."""
    f, x = (lambda x: np.sum(select(x) * x * x)), np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(jacobian(grad(f), mode="reverse")(x), hessian(f)(x))
    np.testing.assert_array_equal(grad(checkpoint(f))(x), grad(f)(x))


def test_a_tangent_that_is_dead_in_part_meets_one_that_is_not() -> None:
    x, y = np.array([0.0, 4.0]), np.array([1.0, 2.0])
    _, t = jvp(lambda x, y: np.maximum(x, 1.0) * y, (x, y), (np.ones(2), np.full(2, 3.0)))
    np.testing.assert_array_equal(t, [0.0 * 1.0 + 1.0 * 3.0, 1.0 * 2.0 + 4.0 * 3.0])
    f = lambda x: np.imag(np.maximum(x, 1.0) * (1.0 + 2.0j)) ** 2  # a part is live where the whole is
    np.testing.assert_array_equal(jvp(f, (x,), (np.ones(2),))[1], [0.0, 2.0 * (2.0 * 4.0) * 2.0])


def test_unit_vectors_do_not_meet_infinite_derivatives() -> None:
    for mode in ("forward", "reverse"):
        j = jacobian(np.sqrt, mode=mode)(np.array([0.0, 4.0]))
        np.testing.assert_array_equal(j, [[np.inf, 0.0], [0.0, 0.25]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_real_nan_still_shows() -> None:
    assert np.isnan(grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), x * np.nan)))(np.array([4.0, -1.0]))[1])
    assert np.isnan(grad(lambda x: np.sum(np.where(x == x, x * np.log(x), 0.0) * 0.0))(np.array([np.nan, -1.0]))[1])
    assert np.isinf(grad(lambda x: np.sum(np.where(x >= 0, np.sqrt(x), 0.0)))(np.array([0.0]))[0])
    assert np.isinf(grad(lambda x: np.sqrt(x)[0])(np.array([0.0, 4.0]))[0])
    assert np.isnan(grad(lambda x: np.sum(np.sqrt(x)[:1] * 0.0))(np.array([0.0, 4.0]))[0])


def test_a_network_in_both_modes() -> None:
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((3, 4)), "b": rng.standard_normal(4), "v": rng.standard_normal((4, 1))}
    x = rng.standard_normal((5, 3))
    loss = lambda p: np.mean(sigmoid(sigmoid(x @ p["w"] + p["b"]) @ p["v"]) ** 2)
    t = {name: rng.standard_normal(p.shape) for name, p in params.items()}
    g = grad(loss)(params)
    assert jvp(loss, (params,), (t,))[1] == pytest.approx(sum(inner(g[name], t[name]) for name in params))
