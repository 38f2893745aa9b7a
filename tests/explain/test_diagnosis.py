"""Where nan comes from, and why a gradient is what it is."""

import re
from typing import Any

import numpy as np
import pytest
from scipy import special

from autograd_core import Value, debug, explain_nonfinite, no_grad, softmax, stop_gradient, why
from autograd_core.registry import OPS


@pytest.fixture(autouse=True)
def quiet() -> object:
    with np.errstate(all="ignore"):
        yield


def test_the_first_operation_of_the_forward_pass() -> None:
    x = Value([1.0, 800.0], name="x")
    found = explain_nonfinite(np.sum(np.log(1.0 + np.exp(x))))
    assert found.direction == "forward"
    assert found.node is not None
    assert found.node.op.name == "exp"
    assert "exp made inf at (1,)" in found.text
    assert "between 1 and 800" in found.text


UNSTABLE: dict[str, Any] = {  # what is computed, at which point, and the form that is named
    "softplus": (lambda x: np.log(1.0 + np.exp(x)), 800.0, "Write softplus(x) for log(1 + exp(x))"),
    "softplus by log1p": (lambda x: np.log1p(np.exp(x)), 800.0, "Write softplus(x)"),
    "logaddexp": (lambda x: np.log(np.exp(x) + np.exp(2.0 * x)), 800.0, "Write np.logaddexp(x, y)"),
    "logsumexp": (lambda x: np.log(np.sum(np.exp(x))), 800.0, "Write logsumexp(x) for"),
    "mean of exponentials": (lambda x: np.log(np.mean(np.exp(x))), 800.0, "Write logsumexp(x) - np.log(n)"),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x)), 800.0, "Write softmax(x)"),
    "log_softmax": (lambda x: np.log(OPS["softmax"](np.stack([x[0], -x[0]]))), 800.0, "Write log_softmax(x)"),
    "sigmoid": (lambda x: 1.0 / (1.0 + np.exp(-x)), -800.0, "Write sigmoid(x) for 1 /"),
    "sigmoid by a power": (lambda x: (1.0 + np.exp(-x)) ** -1, -800.0, "Write sigmoid(x) for 1 /"),
    "sigmoid of exp": (lambda x: np.exp(x) / (1.0 + np.exp(x)), 800.0, "Write sigmoid(x) for exp(x)"),
    "log of sigmoid": (lambda x: np.log(x.sigmoid()), -800.0, "Write -softplus(-x)"),
    "log of 1 - sigmoid": (lambda x: np.log(1.0 - x.sigmoid()), 800.0, "Write -softplus(x)"),
    "tanh": (
        lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), 800.0, "Write np.tanh(x)",
    ),
    "log of cosh": (lambda x: np.log(np.cosh(x)), 800.0, "Write np.logaddexp(x, -x) - np.log(2)"),
    "norm": (lambda x: np.sqrt(np.sum(x * x)), 0.0, "Write np.linalg.norm(x)"),
    "norm by squares": (lambda x: np.sqrt(np.sum(np.square(x))), 0.0, "Write np.linalg.norm(x)"),
    "norm by powers": (lambda x: np.sum(x**2) ** 0.5, 0.0, "Write np.linalg.norm(x)"),
    "norm by a product": (lambda x: np.sqrt(x @ x), 0.0, "Write np.linalg.norm(x)"),
    "hypot": (lambda x: np.sqrt(x * x + (2.0 * x) ** 2), 0.0, "Write np.hypot(x, y)"),
    "std": (lambda x: np.sqrt(np.var(x)), 1.0, "Write np.std(x)"),
    "sinc": (lambda x: np.sin(x) / x, 0.0, "Write np.sinc(x / np.pi)"),
    "exprel": (lambda x: (np.exp(x) - 1.0) / x, 0.0, "Write scipy.special.exprel(x)"),
    "a root of a sum": (lambda x: np.sqrt(x + 2.0 * x), 0.0, "The square root has no finite derivative at 0"),
    "a logarithm": (lambda x: x * np.log(x), 0.0, "The logarithm needs positive numbers"),
    "a quotient": (lambda x: 1.0 / x, 0.0, "A division by 0"),
    "a power": (lambda x: x**0.5, 0.0, "Powers of 0"),
    "arccos": (np.arccos, 1.0, "At -1 and 1 arccos"),
    "cbrt": (np.cbrt, 0.0, "The cube root"),
    "exp": (np.exp, 800.0, "Beyond 709 exp overflows"),
    "sinh": (np.sinh, 800.0, "Beyond 710 sinh overflows"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSTABLE)
def test_the_stable_form_is_named(name: str) -> None:
    function, point, form = UNSTABLE[name]
    assert f". {form}" in explain_nonfinite(np.sum(function(Value([point, point])))).text


def test_gradients_that_overflow_where_they_come_together() -> None:
    x = Value(0.1, name="x")
    found = explain_nonfinite(1e308 * x + 1e308 * (x * 1.0))
    assert "the gradients that come together at x" in found.text
    assert found.direction == "backward"


def test_a_finite_loss_is_told() -> None:
    x = Value([0.0, 1.0])
    assert (
        "between 0 and 1; the loss is finite all the same."
        in explain_nonfinite(np.where(x.data > 0, np.log(x), 0.0).sum()).text
    )


def test_the_way_back() -> None:
    x = Value([0.0, 4.0], name="x")
    found = explain_nonfinite(np.sqrt(x).sum())
    assert found.direction == "backward"
    assert "derivative of sqrt with respect to x is not finite at (0,), where x is 0" in found.text
    assert explain_nonfinite(np.where(x.data > 0, np.sqrt(x), 0.0).sum()).text == (
        "everything is finite, forward and backward"
    )


def test_what_was_not_finite_to_begin_with() -> None:
    assert "the data of w are not finite" in explain_nonfinite(Value([np.nan], name="w").sum()).text
    assert "a constant of mul is not finite" in explain_nonfinite((Value([1.0]) * np.array([np.inf])).sum()).text


def test_a_mask_of_infinities_hides_nothing() -> None:
    x, mask = Value([[1.0, 2.0], [3.0, 0.5]], name="x"), np.array([[0.0, -np.inf], [0.0, 0.0]])
    loss = np.sum(softmax(x + mask) ** 2)
    spared = "not finite to begin with; the loss and its gradients are finite all the same"
    assert explain_nonfinite(loss).text == f"a constant of add is {spared}"
    assert explain_nonfinite(np.sum(softmax(x + Value(mask, name="m")))).text == f"the data of m are {spared}"
    root = Value(0.0, name="r")
    found = explain_nonfinite(loss + np.sqrt(root))
    assert found.direction == "backward"
    assert found.text.startswith("on the way back, the derivative of sqrt with respect to r is not finite")
    all_masked = np.sum(softmax(x + np.full((2, 2), -np.inf)))
    said = "a constant of add is not finite to begin with, and softmax made nan of it"
    assert explain_nonfinite(all_masked).text == said


def test_an_operation_of_several_results_is_named_and_not_what_takes_one_of_them() -> None:
    singular = Value([[1.0, 2.0], [2.0, 4.0]], name="A")
    found = explain_nonfinite(np.linalg.slogdet(singular)[1])
    assert found.text.startswith(
        "slogdet made -inf out of finite numbers; its input lies between 1 and 4. The matrix is"
    )
    with debug(), pytest.raises(FloatingPointError, match="slogdet made -inf"):
        np.linalg.slogdet(singular)


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_what_is_made_of_nothing() -> None:
    text = "mean made nan out of finite numbers; its input is empty"
    assert explain_nonfinite(np.mean(Value(np.zeros(0)))).text == text


def test_places_are_known_under_debug() -> None:
    with debug(stop_at_nonfinite=False):
        loss = np.log(Value(0.0)) * 2.0
        assert "test_diagnosis.py:" in explain_nonfinite(loss).text


def test_the_paths_that_carry_most() -> None:
    x, w = Value(3.0, name="x"), Value(2.0, name="w")
    found = why(x, (x * w + x) ** 2)
    assert found.text == "∂loss/∂x = 54 comes along 2 paths:\n  36: x → mul → add → pow\n  18: x → add → pow"
    v = x
    for _ in range(40):
        v = v * 0.5 + v * 0.5
    many = why(x, v, most=3)
    assert f"{2**40} paths" in many.text
    assert many.text.count("→ mul") >= 3
    array = Value([1.0, 2.0], name="a")
    assert "of magnitude 6," in why(array, (array * array).sum()).text


def test_the_path_of_an_array_that_carries_most_is_found_where_estimates_mislead() -> None:
    x = Value([1.0, 2.0, 3.0], name="x")
    loss = (x * np.array([0.0, 0.0, 30.0]))[2] + (x * 12.0)[2]
    assert "\n  30: x → mul → getitem → add" in why(x, loss, most=1).text


def test_paths_from_results_from_the_loss_itself_and_of_complex_numbers() -> None:
    x = Value(3.0, name="x")
    y = x * 2.0
    assert why(y, y * y).text.startswith("∂loss/∂x = 12 comes along 2 paths:\n  6: the result of mul → mul")
    assert why(x, x).text == "x is the loss itself, and its derivative with respect to itself is 1"
    z = Value(3.0 + 4.0j, name="z")
    assert why(z, np.abs(z)).text == "∂loss/∂z = 0.6−0.8j comes along 1 path:\n  0.6−0.8j: z → abs"


def test_a_path_through_a_branch_not_taken_carries_nothing() -> None:
    x = Value([0.0, 4.0], name="x")
    text = why(x, np.where(x > 0, np.sqrt(x), x * 3.0).sum()).text
    assert text == (
        "∂loss/∂x, of magnitude 3.25, comes along 2 paths:\n  3: x → mul → where → sum\n  0.25: x → sqrt → where → sum"
    )
    root = Value(0.0, name="r")
    assert why(root, np.where(root > 0, np.sqrt(root), 0.0)).text.endswith("1 path:\n  0: r → sqrt → where")
    assert why(root, np.sqrt(root) * 0.0).text.endswith("1 path:\n  nan: r → sqrt → mul")


def test_long_paths_and_many_are_shortened() -> None:
    x = Value(0.5, name="x")
    y = x
    for _ in range(20000):
        y = y * 0.5 + y * 0.5
    text = why(x, y, most=2).text
    assert "comes along about 10^6021 paths:" in text
    assert "x → mul → add → mul → add → mul → add → … 39988 more … → mul → add" in text


def test_places_where_it_was_cut_off_are_known_under_debug() -> None:
    x, y = Value([1.0, 2.0], name="x"), Value([1.0, 1.0], name="y")
    with debug():
        hidden = np.exp(x)
        loss = (y * hidden.data).sum()
        with no_grad():
            plain = x * 2.0
        other = (y * plain).sum()
    place = r"\S+test_diagnosis\.py:\d+: "
    assert re.search(rf"{place}mul took {place}the result of exp's plain data .* as its argument 1", why(x, loss).text)
    assert re.search(rf"{place}mul took what mul made of it under no_grad\(\) at .*test_diag", why(x, other).text)
    number = Value(2.5, name="n")
    assert "mul took its plain data" in why(number, y[0] * number.data).text


def test_what_cut_it_off() -> None:
    x, y = Value([1.0, 2.0], name="x"), Value([1.0, 1.0], name="y")
    assert "mul took its plain data" in why(x, (y * stop_gradient(x)).sum()).text
    assert "not among the 1 variables" in why(x, y.sum()).text
    assert "under `debug()`" in why(x, y.sum()).text.lower()
    assert "plain data" in why(x, 3.0).text
    with pytest.raises(TypeError, match="explain_nonfinite takes a Value"):
        explain_nonfinite(3.0)


def test_numbers_that_an_operation_is_given_are_said_as_such() -> None:
    with np.errstate(divide="ignore"):
        pole = Value(1.0) / Value(0.0)
    assert "its inputs lie at 1 and at 0." in str(explain_nonfinite(pole))
    x = Value(3.0)
    assert str(why(x, x * 2.0)).startswith("∂loss/∂x = 2 comes along 1 path:\n  2: a variable → mul")


def test_paths_lead_through_an_operation_of_several_numbers() -> None:
    x = Value(0.5, name="x")
    ai, aip, *_ = special.airy(x)
    direct, curved = aip.item() ** 2, 0.5 * ai.item() ** 2  # Ai″ = x Ai
    assert str(why(x, ai * aip)) == (
        f"∂loss/∂x = {direct + curved:.4g} comes along 2 paths:\n"
        f"  {direct:.4g}: x → airy → pick → mul\n  {curved:.4g}: x → airy → pick → mul"
    )
