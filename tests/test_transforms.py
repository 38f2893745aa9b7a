"""grad, value_and_grad, containers, higher orders, and the numerical check itself."""

import dataclasses
import re
from collections import OrderedDict, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core
from autograd_core import Value, check_gradients, grad, jvp, linearize, sigmoid, stop_gradient, value_and_grad, vjp
from autograd_core.refusals import ELSEWHERE
from autograd_core.trees import flatten


def test_perturbations_are_not_confused() -> None:
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x) * x)(2.0) == 3 * 2.0 * 2.0**2


def test_orders_by_nesting() -> None:
    f: Any = lambda x: np.sin(x) * x**2
    derivatives = [f]
    for _ in range(4):
        derivatives.append(grad(derivatives[-1]))
    x = 0.7
    expected = [
        x**2 * np.sin(x),
        2 * x * np.sin(x) + x**2 * np.cos(x),
        (2 - x**2) * np.sin(x) + 4 * x * np.cos(x),
        (6 - x**2) * np.cos(x) - 6 * x * np.sin(x),
        (x**2 - 12) * np.sin(x) - 8 * x * np.cos(x),
    ]
    for f, value in zip(derivatives, expected, strict=True):
        assert float(f(x)) == pytest.approx(value, rel=1e-12)


def test_the_gradient_is_plain_data_unless_something_outside_needs_it() -> None:
    f = lambda x: np.sum(x**3)
    assert type(grad(f)(np.ones(2))) is np.ndarray
    x = Value([1.0, 2.0])
    g = grad(f)(x)
    assert type(g) is Value
    g.sum().backward()
    np.testing.assert_array_equal(x.grad, 6 * x.data)
    w = Value(2.0)
    slope = grad(lambda x: w * x * x)(3.0)  # depends on w, which the function closes over
    assert type(slope) is Value
    slope.backward()
    assert w.grad == 6.0
    constant = lambda y: value_and_grad(lambda nothing: y * y)({})[0] + vjp(lambda: y * y)[0] + linearize(lambda: y)[0]
    assert grad(constant)(3.0) == 6.0 + 6.0 + 1.0


def test_arguments() -> None:
    f = lambda a, b, *, c=1.0: a * b * b * c
    assert grad(f)(2.0, 3.0) == 9.0
    assert grad(f, 1)(2.0, 3.0, c=2.0) == 24.0
    assert grad(f, -1)(2.0, 3.0) == 12.0
    assert grad(f, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert grad(f)(2, 3) == 9.0
    assert value_and_grad(f, (0, 1))(2.0, 3.0) == (18.0, (9.0, 12.0))
    assert value_and_grad(lambda x: (x * x, "aux"), has_aux=True)(3.0) == ((9.0, "aux"), 6.0)
    with pytest.raises(TypeError, match="argnums=2, but the function was called with 2 positional"):
        grad(f, 2)(2.0, 3.0)
    assert grad(f).__name__ == f.__name__


class Layer(NamedTuple):
    w: Any
    b: Any


@dataclasses.dataclass
class Model:
    layers: list[Layer]
    scale: float


def test_containers() -> None:
    def loss(model: Model) -> Any:
        x: Any = np.ones((1, 2))
        for layer in model.layers:
            x = sigmoid(x @ layer.w + layer.b)
        return model.scale * x.sum()

    model = Model([Layer(np.ones((2, 2)), np.zeros(2)), Layer(np.ones((2, 1)), np.zeros(1))], 2.0)
    g = grad(loss)(model)
    assert type(g) is Model
    assert type(g.layers[0]) is Layer
    assert g.layers[0].w.shape == (2, 2)
    assert g.scale == pytest.approx(float(loss(model)) / 2.0)
    check_gradients(loss, model, order=2)
    assert grad(lambda p: p["a"] * p["b"][0] + 0.0 * p["b"][1][0])({"a": 2.0, "b": [3.0, (4.0,)]}) == {
        "a": 3.0,
        "b": [2.0, (0.0,)],
    }
    assert grad(lambda p: p[0] * 2.0)((1.0, None)) == (2.0, None)


def test_containers_of_classes_of_their_own() -> None:
    counted = defaultdict(list, a=2.0)
    assert grad(lambda p: p["a"] ** 2)(counted) == {"a": 4.0}
    assert type(grad(lambda p: p["a"] ** 2)(counted)) is defaultdict
    assert list(grad(lambda p: p["a"] * p["b"])(OrderedDict(b=3.0, a=2.0))) == ["b", "a"]

    @dataclasses.dataclass(frozen=True, slots=True)
    class Checked:
        size: Any
        twice: Any = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            assert type(self.size) is float  # the constructor, which a Value would not please, is not called
            object.__setattr__(self, "twice", 2.0 * self.size)

    found = grad(lambda p: p.size**2 * p.twice)(Checked(3.0))
    assert (found.size, found.twice) == (36.0, 9.0)


def test_what_is_returned_beside_the_value_is_plain() -> None:
    (value, aux), _ = value_and_grad(lambda x: (x * x, {"y": [x * 2.0], "model": object}), has_aux=True)(3.0)
    assert (value, aux) == (9.0, {"y": [6.0], "model": object})
    w = Value(2.0)
    (value, aux), _ = value_and_grad(lambda x: (w * x, x * w), has_aux=True)(3.0)
    assert type(value) is type(aux) is Value


def test_flatten_refuses_another_number_of_leaves() -> None:
    _, rebuild = flatten({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="3 leaves for a container of 2"):
        rebuild([1.0, 2.0, 3.0])


def test_what_does_not_depend_has_the_gradient_zero() -> None:
    assert grad(lambda x: 3.0)(2.0) == 0.0
    np.testing.assert_array_equal(grad(lambda x: Value(1.0) * 2.0)(np.ones(2)), [0.0, 0.0])
    assert grad(lambda x, y: x, (0, 1))(1.0, 2.0) == (1.0, 0.0)
    x = np.ones(2, np.float32)
    assert grad(lambda x: 1.0)(x).dtype == np.float32


def test_results_that_are_no_scalar() -> None:
    with pytest.raises(TypeError, match=r"returns a scalar, and <lambda> returned an array of shape \(2,\).*np\.sum"):
        grad(lambda x: x * x)(np.ones(2))
    with pytest.raises(TypeError, match="returned a list"):
        grad(lambda x: [x])(1.0)
    with pytest.raises(TypeError, match=r"<lambda> returned None$"):
        grad(lambda x: None)(1.0)
    with pytest.raises(TypeError, match="cannot be differentiated"):
        grad(lambda x: 1.0)("text")


@pytest.mark.parametrize("fun", [lambda x: x > 1, lambda x: np.allclose(x, 1.0), lambda x: np.any(x > 1)])
@pytest.mark.parametrize("x", [2.0, np.array([2.0])])
def test_a_comparison_is_no_function_to_differentiate(fun: Any, x: Any) -> None:
    with pytest.raises(TypeError, match="returned a bool, which has no derivative"):
        grad(fun)(x)
    assert np.all(grad(lambda x: np.sum(fun(x) * 1.0))(x) == 0)


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_an_array_with_one_element_is_as_good_as_a_scalar(shape: Any) -> None:
    f = lambda x: np.reshape(np.sum(x**3), shape)
    x = np.array([1.0, 2.0])
    value, found = value_and_grad(f)(x)
    np.testing.assert_array_equal(value, np.full(shape, 9.0))
    np.testing.assert_array_equal(found, 3 * x**2)
    np.testing.assert_array_equal(grad(lambda x: grad(f)(x)[:1])(x), [6.0, 0.0])


def test_integer_arguments_become_floats_and_arrays_are_not_changed() -> None:
    x = np.arange(3)
    found = grad(lambda x: np.sum(x * x) / 4.0)(x)
    np.testing.assert_array_equal(found, [0.0, 0.5, 1.0])
    assert (found.dtype, x.dtype.kind) == (np.float64, "i")


def test_the_leaves_of_the_caller_are_left_alone() -> None:
    x = Value(2.0)
    grad(lambda y: y * y * x)(3.0)
    assert x.grad is None


def test_gradients_are_nobody_elses() -> None:
    f = lambda a, b: ((a.reshape(-1) + b.reshape(-1)) * np.arange(4.0)).sum()
    a, b = grad(f, (0, 1))(np.ones((2, 2)), np.ones((2, 2)))
    a *= 0.0
    np.testing.assert_array_equal(b, [[0.0, 1.0], [2.0, 3.0]])
    g = grad(lambda v: v.sum())(np.ones((200, 200)))
    g *= 2.0
    assert g[0, 0] == 2.0


def test_argnums_are_checked_once() -> None:
    f = lambda a, b: a * b
    g = grad(f, (k for k in (0, 1)))
    assert g(2.0, 3.0) == g(2.0, 3.0) == (3.0, 2.0)
    for twice in ((0, 0), (0, -2)):
        with pytest.raises(TypeError, match="names an argument twice"):
            grad(f, twice)(2.0, 3.0)


def test_second_derivatives_of_powers_at_exponent_zero() -> None:
    f = lambda x, y: x**y
    check_gradients(f, 2.0, 0.0, order=2)
    assert grad(lambda y: grad(f)(2.0, y))(0.0) == 0.5


def test_there_must_be_something_to_check() -> None:
    with pytest.raises(ValueError, match="nothing to check"):
        check_gradients(lambda x: None, 2.0)
    with pytest.raises(ValueError, match="nothing to check"):
        check_gradients(lambda x: x, 2.0, order=0)
    check_gradients(lambda v: v.tanh().sum(), np.ones(2), order=2)


def test_an_exception_inside_leaves_the_next_call_right() -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError("broken")

    x = Value(3.0)
    with pytest.raises(RuntimeError, match="broken"):
        grad(broken)(x)
    assert grad(lambda y: y * y)(x).data == 6.0


# The check ------------------------------------------------------------------------------------------------------------


def test_check_gradients_names_what_is_wrong() -> None:
    from autograd_core import stop_gradient

    with pytest.raises(
        AssertionError, match=r"order 1: the derivative with respect to argument 1, element \(0,\), is 0 "
    ):
        check_gradients(lambda a, b: a * stop_gradient(b), 2.0, np.array([3.0]))
    with pytest.raises(AssertionError, match="along random direction"):
        check_gradients(lambda x: np.sum(x * stop_gradient(x)), np.arange(1.0, 1000.0))


def test_check_gradients_of_one_number_tells_its_derivative() -> None:
    with pytest.raises(AssertionError, match=r"a scalar, is 3 by the rules and 6\b"):
        check_gradients(lambda x: x * stop_gradient(x), 3.0)


def test_check_gradients_takes_several_results_and_large_arguments() -> None:
    check_gradients(lambda x, y: {"a": [x @ y, np.sum(x)], "b": y}, np.ones((2, 3)), np.ones((3, 2)), order=2)
    check_gradients(np.tanh, np.linspace(-1, 1, 300), order=2)
    check_gradients(lambda x: x * x, np.float32(1.5))


def test_check_gradients_moves_both_parts_of_complex_arguments() -> None:
    z, w = np.array([1.0 + 2.0j, 0.5 - 0.3j, 2.0j]), 0.4 + 0.1j
    check_gradients(lambda z, w: np.exp(w * z) / z, z, w, order=2)  # complex results, too
    check_gradients(lambda z: np.abs(z) ** 2, z, order=2)  # not holomorphic
    check_gradients(lambda x, w: x * w, z.real, w, order=2)
    check_gradients(lambda z: np.conj(z) * z * z, np.arange(201.0) + 1j)
    with pytest.raises(AssertionError, match=r"the imaginary part of element \(0,\), is 0 by the rules and"):
        check_gradients(lambda z: np.imag(stop_gradient(z)) + np.real(z), z)


def test_something_beside_the_gradient() -> None:
    assert grad(lambda x: (x * x, {"kept": x + 1.0}), has_aux=True)(3.0) == (6.0, {"kept": 4.0})
    assert grad(lambda x: grad(lambda y: (x * y * y, y), has_aux=True)(x)[0])(3.0) == 12.0
    with pytest.raises(TypeError, match="has_aux=True the function returns a pair"):
        grad(lambda x: x * x, has_aux=True)(3.0)


def test_arguments_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(TypeError, match=r"jvp\(f, \(x,\), \(t,\)\)"):
        jvp(np.sin, 1.0, 1.0)
    with pytest.raises(TypeError, match="argnums='x'"):
        grad(np.sin, argnums="x")


@pytest.mark.parametrize(
    ("name", "instead"),
    [("vmap", "jacobian(losses)"), ("jacfwd", 'mode="forward"'), ("custom_vjp", "@primitive"), ("fori_loop", "scan(")],
)
def test_what_has_another_name_elsewhere_says_what_to_write(name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=f"'autograd_core' has no attribute '{name}' .*{re.escape(instead)}"):
        getattr(autograd_core, name)
    assert not any(hasattr(autograd_core, name) for name in ELSEWHERE)
