"""Symbols: the algebra of short formulas, and what NumPy's functions make of placeholders."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_core import sigmoid
from autograd_core.explain.symbols import Symbol

ARRAY = np.array([1.0, -2.0, 3.0])

FORMULAS: list[tuple[Callable[..., Any], str, str]] = [
    (lambda x, y: 2 * x, "2x", r"2 \, x"),
    (lambda x, y: x * 1.0 + 0, "x", "x"),
    (lambda x, y: x**1, "x", "x"),
    (lambda x, y: x**0, "1", "1"),
    (lambda x, y: x * x, "x²", "{x}^{2}"),
    (lambda x, y: x * x * x, "x³", "{x}^{3}"),
    (lambda x, y: (x * x) ** 3, "x⁶", "{x}^{6}"),
    (lambda x, y: x + x, "2x", r"2 \, x"),
    (lambda x, y: x - x, "0", "0"),
    (lambda x, y: x / x, "1", "1"),
    (lambda x, y: x * 0, "0", "0"),
    (lambda x, y: -1.0 * x, "−x", "-x"),
    (lambda x, y: np.negative(-x), "x", "x"),
    (lambda x, y: x * (1 - x), "x(1−x)", r"x \, \left(1 - x\right)"),
    (lambda x, y: 1 - x * x, "1 − x²", "1 - {x}^{2}"),
    (lambda x, y: -x / y, "−x/y", r"-\frac{x}{y}"),
    (lambda x, y: 1 / (x * y), "1/(x·y)", r"\frac{1}{x \, y}"),
    (lambda x, y: 0.5 / x, "1/(2x)", r"\frac{1}{2 \, x}"),
    (lambda x, y: x / 3, "x/3", r"\frac{x}{3}"),
    (lambda x, y: 0.7 * x, "0.7x", r"0.7 \, x"),
    (lambda x, y: (x + y) * (x - y), "(x+y)·(x−y)", r"\left(x + y\right) \, \left(x - y\right)"),
    (lambda x, y: (x + y) ** 2, "(x+y)²", r"{\left(x + y\right)}^{2}"),
    (lambda x, y: (x + y) / (x - y), "(x+y)/(x−y)", r"\frac{x + y}{x - y}"),
    (lambda x, y: -(x + y), "−(x+y)", r"-\left(x + y\right)"),
    (lambda x, y: x - (y - x), "x − (y−x)", r"x - \left(y - x\right)"),
    (lambda x, y: x**-0.5, "1/x^0.5", r"\frac{1}{{x}^{0.5}}"),
    (lambda x, y: x**y, "x^y", "{x}^{y}"),
    (lambda x, y: x ** (y - 1), "x^(y − 1)", "{x}^{y - 1}"),
    (lambda x, y: (x**y) ** 2, "(x^y)²", r"{\left({x}^{y}\right)}^{2}"),
    (lambda x, y: np.exp(x - y) * 2, "2·exp(x − y)", "2 \\, e^{x - y}"),
    (lambda x, y: np.sqrt(1 - x), "√(1 − x)", r"\sqrt{1 - x}"),
    (lambda x, y: sigmoid(x) * x, "σ(x)·x", r"\sigma(x) \, x"),
    (lambda x, y: np.mean(x) * 2, "2·mean(x)", r"2 \, \operatorname{mean}(x)"),
    (lambda x, y: np.sum(x, axis=0), "sum(x, axis=0)", r"\sum_{\text{axis }0}\left(x\right)"),
    (lambda x, y: x @ y, "x @ y", r"x \, y"),
    (lambda x, y: (x + y) @ y, "(x + y) @ y", r"\left(x + y\right) \, y"),
    (lambda x, y: np.sign(x) * y, "sign(x)·y", r"\operatorname{sign}(x) \, y"),
    (lambda x, y: -np.floor_divide(x, y), "−(x // y)", r"-\left(\left\lfloor x / y \right\rfloor\right)"),
    (lambda x, y: np.broadcast_to(x, (2, 3)), "x", "x"),
    (lambda x, y: x.reshape(1, 3), "x", "x"),
    (lambda x, y: np.conj(x), "x", "x"),
    (lambda x, y: x[0], "x[0]", "{x}_{0}"),
    (lambda x, y: x > 0, "x > 0", "x > 0"),
    (lambda x, y: (x > 0) & (y < 0), "x > 0 and y < 0", r"x > 0 \wedge y < 0"),
    (lambda x, y: (x > 0) & True, "x > 0", "x > 0"),
    (lambda x, y: (x > -np.inf) & (x < 1), "x < 1", "x < 1"),
    (
        lambda x, y: (x > 0) * 2,
        "2(1 if x > 0 else 0)",
        r"2 \, \left(\begin{cases}1&x > 0\\0&\text{else}\end{cases}\right)",
    ),
    (lambda x, y: np.where(x > 0, x, y), "x if x > 0 else y", r"\begin{cases}x&x > 0\\y&\text{else}\end{cases}"),
    (lambda x, y: np.where(x > -9, x, y), "x", "x"),
    (lambda x, y: np.where(x > 9, x, y), "y", "y"),
]


@pytest.mark.parametrize(("function", "text", "tex"), FORMULAS, ids=[text for _, text, _ in FORMULAS])
def test_formulas_are_written_as_a_person_writes_them(function: Callable[..., Any], text: str, tex: str) -> None:
    y = np.array([2.0, 5.0, -4.0])
    with np.errstate(all="ignore"):
        formula = function(Symbol("x", ARRAY), Symbol("y", y))
        assert (formula.text, formula.tex) == (text, tex)
        np.testing.assert_array_equal(np.broadcast_to(formula.data, np.shape(function(ARRAY, y))), function(ARRAY, y))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda rate, e: 2 * rate, "2·rate"),
        (lambda rate, e: e * rate, "e·rate"),
        (lambda rate, e: 2 * e, "2e"),
        (lambda rate, e: rate * (1 - e), "rate·(1−e)"),
        (lambda rate, e: e * (1 - e), "e(1−e)"),
    ],
)
def test_only_single_letters_touch(function: Callable[..., Any], text: str) -> None:
    assert function(Symbol("rate", 0.1), Symbol("e", 2.0)).text == text


def test_a_name_with_a_raised_index_is_bracketed_in_a_power() -> None:
    a = Symbol("a²", 0.5)
    assert (a * a).text == "(a²)²"
    assert (a * (1 - a)).text == "a²(1−a²)"


def test_two_symbols_of_one_name_stay_two() -> None:
    assert (Symbol("w", 2.0) * Symbol("w", 3.0)).text == "w·w"


def test_a_symbol_decides_only_what_all_elements_agree_on() -> None:
    x = Symbol("x", ARRAY)
    assert x > -9
    with pytest.raises(TypeError, match=r"x > 0 is true for some elements only"):
        bool(x > 0)


def test_what_has_no_name_or_no_formula_is_refused() -> None:
    x = Symbol("x", ARRAY)
    with pytest.raises(TypeError, match=r"an array of shape \(3,\) without a name"):
        x + ARRAY
    with pytest.raises(TypeError, match="no place in a plain array"):
        np.asarray(x)


def test_symbols_answer_questions_about_their_arrays() -> None:
    x = Symbol("x", ARRAY)
    assert np.shape(x) == x.shape == (3,)
    assert np.all(np.not_equal(x, 0))
    assert (x.ndim, x.size, x.dtype) == (1, 3, np.float64)
