"""SciPy's optimisers with exact derivatives: the minima are SciPy's, the structures x0's, and the errors clear."""

import builtins
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize as reference

from autograd_core import Value, grad, least_squares, minimize

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


EXACT = {
    "dogleg": {},
    "trust-exact": {"hess": reference.rosen_hess},
    "Newton-CG": {"hessp": reference.rosen_hess_prod},
    "trust-ncg": {"hessp": reference.rosen_hess_prod},
    "trust-krylov": {"hessp": reference.rosen_hess_prod},
    "BFGS": {},
    "CG": {},
    "L-BFGS-B": {},
    "TNC": {},
    "SLSQP": {},
}
"""Methods, with the second derivatives that SciPy brings for this function."""


@pytest.mark.parametrize("method", [m for m in EXACT if m != "dogleg"])
def test_the_search_goes_as_with_derivatives_written_by_hand(method: str) -> None:
    ours = minimize(rosenbrock, START, method=method)
    theirs = reference.minimize(reference.rosen, START, method=method, jac=reference.rosen_der, **EXACT[method])
    assert ours.success
    assert abs(ours.nit - theirs.nit) <= 1
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-3)
    np.testing.assert_allclose(ours.x, 1.0, rtol=1e-3)
    assert ours.jac.shape == START.shape


@pytest.mark.parametrize("method", ["trust-constr", "Nelder-Mead", "Powell", None])
def test_other_methods(method: str | None) -> None:
    result = minimize(rosenbrock, START[:3], method=method)
    np.testing.assert_allclose(result.x, 1.0, rtol=2e-3)
    if method == "trust-constr":
        assert result.nhev  # by products, not by a quasi-Newton update


def test_dogleg_near_the_minimum() -> None:
    result = minimize(lambda x: np.sum(np.cosh(x - 2.0)), np.array([1.0, 3.0]), method="dogleg")
    np.testing.assert_allclose(result.x, 2.0, atol=1e-6)


class Line(NamedTuple):
    slope: Any
    offset: Any


@dataclass
class Layer:
    weight: Any
    bias: Any


def bowl(p: Any) -> Any:
    if isinstance(p, dict):
        return bowl(p["a"]) + 2.0 * bowl(p["b"])
    if isinstance(p, Layer):
        return bowl(p.weight) + 3.0 * bowl(p.bias)
    if isinstance(p, (list, tuple)):
        return sum((k + 1.0) * bowl(x) for k, x in enumerate(p))
    return np.sum(np.cosh(p - 0.5))


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-exact", "trust-krylov", "L-BFGS-B", "Nelder-Mead"])
@pytest.mark.parametrize(
    "x0",
    [
        2.0,
        np.zeros(()),
        np.zeros((2, 2)),
        {"a": 1.0, "b": np.zeros((2, 1))},
        Line(np.ones(2), 0.0),
        Layer(np.ones((1, 2)), np.zeros(1)),
        [np.ones(2), (0.0, {"a": 0.1, "b": 0.2})],
    ],
    ids=["number", "0-d", "matrix", "dict", "named-tuple", "dataclass", "nested"],
)
def test_the_solution_is_built_as_x0(x0: Any, method: str) -> None:
    result = minimize(bowl, x0, method=method)
    check_structure(result.x, x0, 0.5)
    if method != "Nelder-Mead":
        check_structure(result.jac, x0, 0.0)


def check_structure(found: Any, like: Any, number: float) -> None:
    assert type(found) is type(like)
    if isinstance(like, dict):
        assert list(found) == list(like)
        for key in like:
            check_structure(found[key], like[key], number)
    elif isinstance(like, Layer):
        check_structure([found.weight, found.bias], [like.weight, like.bias], number)
    elif isinstance(like, (list, tuple)):
        for a, b in zip(found, like, strict=True):
            check_structure(a, b, number)
    else:
        assert np.shape(found) == np.shape(like)
        np.testing.assert_allclose(found, number, atol=2e-3)


def test_lists_of_numbers_are_arrays_and_other_dtypes_become_float64() -> None:
    for x0 in ([1.3, 0.7], (1.3, 0.7), np.array([1, 0]), np.array([1.3, 0.7], np.float32), Value([1.3, 0.7])):
        result = minimize(rosenbrock, x0)
        assert result.x.dtype == np.float64
        np.testing.assert_allclose(result.x, 1.0, rtol=1e-3)


def test_args_bounds_and_callback() -> None:
    seen: list[Any] = []
    result = minimize(
        lambda p, shift: np.sum((p["x"] - shift) ** 2),
        {"x": np.zeros((1, 2))},
        (np.array([1.0, 3.0]),),
        bounds=[(None, None), (None, 2.0)],
        callback=lambda p: seen.append(p["x"].shape),
    )
    np.testing.assert_allclose(result.x["x"], [[1.0, 2.0]], atol=1e-6)
    assert set(seen) == {(1, 2)}

    def report(intermediate_result: Any) -> None:
        seen.append(intermediate_result.x.shape)

    seen.clear()
    minimize(bowl, np.zeros((3, 1)), callback=report)
    assert set(seen) == {(3, 1)}


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_are_functions_of_what_x0_is(method: str) -> None:
    on_circle = lambda p: p["x"] ** 2 + p["y"] ** 2 - 1.0
    constraint: Any = {"type": "eq", "fun": on_circle}
    if method == "trust-constr":
        constraint = reference.NonlinearConstraint(on_circle, 0.0, 0.0)
    result = minimize(lambda p: p["x"] + p["y"], {"x": 0.5, "y": -0.5}, method=method, constraints=constraint)
    assert result.x == pytest.approx({"x": -np.sqrt(0.5), "y": -np.sqrt(0.5)}, abs=1e-4)


T = np.linspace(0.0, 2.0, 30)
NOISE = 0.05 * np.random.default_rng(0).standard_normal(T.size)


def decay(p: Any) -> Any:
    return p[0] * np.exp(-p[1] * T) + p[2] - (2.0 * np.exp(-1.5 * T) + 0.5 + NOISE)


def derivative_of_decay(p: Any) -> Any:
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_fits_are_those_with_the_jacobian_written_by_hand(method: str) -> None:
    start = np.array([1.0, 1.0, 0.0])
    ours = least_squares(decay, start, method=method)
    theirs = reference.least_squares(decay, start, derivative_of_decay, method=method)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-8)
    np.testing.assert_allclose(ours.jac, derivative_of_decay(ours.x), rtol=1e-12)
    assert ours.nfev == theirs.nfev


def test_fits_of_containers() -> None:
    def residuals(p: dict[str, Any], weight: float) -> dict[str, Any]:
        return {"data": decay([p["a"], p["rest"][0], p["rest"][1]]), "prior": weight * p["rest"]}

    fit = least_squares(residuals, {"a": 1.0, "rest": np.array([1.0, 0.0])}, (1e-6,), loss="soft_l1")
    plain = least_squares(decay, [1.0, 1.0, 0.0], loss="soft_l1")
    assert type(fit.x["a"]) is float
    np.testing.assert_allclose([fit.x["a"], *fit.x["rest"]], plain.x, rtol=1e-5)
    assert fit.grad.keys() == fit.x.keys()
    assert fit.jac.shape == (T.size + 2, 3)


def test_a_larger_problem_by_products() -> None:
    def chain(x: Any) -> Any:
        return np.sum(np.cosh(x - 1.0)) + 50.0 * np.sum((x[:, 1:] - x[:, :-1]) ** 2)

    x0 = np.random.default_rng(0).standard_normal((50, 40))
    result = minimize(chain, x0, method="trust-krylov")
    assert result.success
    assert result.nit < 30
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)
    assert np.max(np.abs(grad(chain)(result.x))) < 1e-4


ERRORS = {
    "empty": (lambda: minimize(bowl, []), ValueError, "x0 is empty"),
    "empty-array": (lambda: minimize(bowl, {"a": np.zeros((0, 3))}), ValueError, "x0 is empty"),
    "not-scalar": (lambda: minimize(lambda x: x * 2.0, np.ones(3)), TypeError, r"a scalar.*shape \(3,\).*np\.sum"),
    "not-scalar-without-derivative": (
        lambda: minimize(lambda x: x * 2.0, np.ones(3), method="Powell"), TypeError, "a scalar",
    ),
    "nan-start": (lambda: minimize(bowl, np.array([np.nan, 1.0])), ValueError, "1 of 2 elements of x0"),
    "nan-value": (lambda: minimize(lambda x: np.sum(x) * np.nan, np.ones(2)), ValueError, r"fun\(x0\) is nan"),
    "inf-gradient": (
        lambda: minimize(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0])), ValueError, "1 of 2 elements of its grad",
    ),
    "complex": (lambda: minimize(lambda x: np.sum(x) * 1j, np.ones(2)), TypeError, "complex"),
    "complex-x0": (lambda: minimize(bowl, np.ones(2) * 1j), TypeError, "complex"),
    "fit-complex": (lambda: least_squares(lambda x: x * 1j, np.ones(2)), TypeError, "the function gives complex ones"),
    "strings": (lambda: minimize(bowl, ["a", "b"]), TypeError, "cannot be differentiated"),
    "jac": (lambda: minimize(bowl, 1.0, jac=bowl), TypeError, "no jac="),
    "fit-jac": (lambda: least_squares(decay, START[:3], jac=bowl), TypeError, "no jac="),
    "fit-empty": (lambda: least_squares(decay, ()), ValueError, "x0 is empty"),
    "fit-nan": (lambda: least_squares(lambda x: x * np.nan, np.ones(2)), ValueError, "2 of 2 elements of the resid"),
    "fit-inf": (
        lambda: least_squares(np.sqrt, np.array([0.0, 1.0])), ValueError, "1 of 4 elements of the Jacobian",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_and_where(case: str) -> None:
    call, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message):
        call()


def test_importing_the_engine_does_not_import_scipy() -> None:
    program = "import sys, autograd_core; sys.exit(any(m.split('.')[0] == 'scipy' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'autograd-core\[optimize\]'"):
        minimize(bowl, 1.0)


def test_a_function_may_return_an_array_with_one_element_and_depend_on_values_that_are_held() -> None:
    centre = Value(3.0)
    for method in ("BFGS", "Nelder-Mead", "Newton-CG", "trust-exact"):
        result = minimize(lambda x: (x - centre) ** 2, np.zeros(1), method=method)
        np.testing.assert_allclose(result.x, [3.0], atol=1e-4)
    np.testing.assert_allclose(least_squares(lambda x: x - centre, np.zeros(2)).x, [3.0, 3.0], atol=1e-6)


def test_arguments_are_given_as_scipy_has_them() -> None:
    assert abs(minimize(lambda x, a: (x - a) ** 2, 0.0, args=3.0).x - 3.0) < 1e-6
    fit = least_squares(
        lambda p, k=1.0: np.stack([p["a"] - 3.0 * k, p["b"] - 1.0]), {"a": 0.0, "b": 0.0}, kwargs={"k": 2.0},
        bounds=({"a": -1.0, "b": -1.0}, {"a": 5.0, "b": 9.0}),
    )  # fmt: skip
    assert abs(fit.x["a"] - 5.0) < 1e-6
    assert abs(fit.x["b"] - 1.0) < 1e-6
    with pytest.raises(TypeError, match="bounds= is a pair"):
        minimize(lambda p: p["a"] ** 2, {"a": 1.0}, bounds={"a": (0, 1)})
