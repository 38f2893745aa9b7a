"""Ops as they are written: templates, brackets and settings."""

from typing import Any

import numpy as np
import pytest

from autograd_core.explain.phrases import Phrase, call, constant, name, setting
from autograd_core.registry import OPS

A, B, C = name("a"), name("b"), name("c")


def write(op: str, *arrays: Any, **settings: Any) -> Phrase:
    given = (OPS[op].settings | settings).values()
    return call(OPS[op], [x if isinstance(x, Phrase) else constant(x) for x in arrays], [*given])


@pytest.mark.parametrize(
    ("phrase", "text", "tex"),
    [
        (write("sub", A, write("sub", B, C)), "a − (b − c)", r"a - \left(b - c\right)"),
        (write("sub", write("sub", A, B), C), "a − b − c", "a - b - c"),
        (write("mul", write("add", A, B), C), "(a + b) × c", r"\left(a + b\right) \, c"),
        (write("add", write("mul", A, B), C), "a × b + c", r"a \, b + c"),
        (write("div", A, write("mul", B, C)), "a / (b × c)", r"\frac{a}{b \, c}"),
        (write("sub", A, -2), "a − (−2)", r"a - \left(-2\right)"),
        (write("mul", -2, A), "−2 × a", r"-2 \, a"),
        (write("neg", write("add", A, B)), "−(a + b)", r"-\left(a + b\right)"),
        (write("pow", A, 2.0), "a²", "{a}^{2}"),
        (write("pow", write("neg", A), -1), "(−a)⁻¹", r"{\left(-a\right)}^{-1}"),
        (write("pow", A, 0.5), "a^0.5", "{a}^{0.5}"),
        (write("pow", A, write("pow", B, C)), "a^b^c", "{a}^{{b}^{c}}"),
        (write("pow", write("pow", A, B), C), "(a^b)^c", r"{\left({a}^{b}\right)}^{c}"),
        (write("square", write("square", A)), "(a²)²", r"{\left({a}^2\right)}^2"),
        (write("square", write("add", A, B)), "(a + b)²", r"{\left(a + b\right)}^2"),
        (write("abs", write("add", A, B)), "|a + b|", r"\left|a + b\right|"),
        (write("exp", write("add", A, B)), "exp(a + b)", "e^{a + b}"),
        (write("maximum", write("add", A, B), C), "max(a + b, c)", r"\max(a + b, c)"),
        (write("getitem", write("add", A, B), index=0), "(a + b)[0]", r"{\left(a + b\right)}_{0}"),
        (write("transpose", write("matmul", A, B)), "(a @ b)ᵀ", r"{\left(a \, b\right)}^{\top}"),
        (write("transpose", A, axes=(1, 0, 2)), "transpose(a, axes=(1, 0, 2))", None),
        (write("swapaxes", A, axis1=-1, axis2=-2), "aᵀ", r"{a}^{\top}"),
        (write("swapaxes", A, axis1=0, axis2=1), "swapaxes(a, 0, 1)", None),
        (write("affine", write("add", A, B), write("add", A, B), C), "(a + b) @ (a + b) + c", None),
        (write("affine", write("matmul", A, B), write("matmul", A, B), C), "a @ b @ (a @ b) + c", None),
        (write("mean", A, axis=(0, 2), keepdims=True), "mean(a, axis=(0, 2))", None),
        (write("softmax", A), "softmax(a)", r"\operatorname{softmax}(a)"),
        (write("concatenate", A, B), "concatenate(a, b)", None),
        (write("stack", A, B, C, A, B, axis=1), "stack(a, b, c, …, b, axis=1)", None),
        (write("where", A, write("where", A, B, C), 0), "(b if a else c) if a else 0", None),
        (write("where", A, -1, -2), "−1 if a else −2", None),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_brackets_stand_where_they_must_and_nowhere_else(phrase: Phrase, text: str, tex: str | None) -> None:
    assert phrase.text == text
    if tex is not None:
        assert phrase.tex == tex


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_every_op_can_be_written_from_its_declaration(op: Any) -> None:
    names = [A, B, C][: max(op.arity, 1)]
    given = [object() if default.__class__ is object else default for default in op.settings.values()]
    phrase = call(op, names, given)
    for x in names:
        assert x.text in phrase.text
        assert x.tex in phrase.tex
    assert phrase.tex.count("{") == phrase.tex.count("}")
    assert "{x}" not in phrase.text + phrase.tex


def test_a_name_with_an_upper_index_is_bracketed_in_a_power() -> None:
    assert write("pow", name("a¹₁"), 2.0).text == "(a¹₁)²"


def test_dense_sets_products_without_spaces() -> None:
    assert call(OPS["mul"], [A, B], dense=True).text == "a·b"
    assert call(OPS["div"], [A, B], dense=True).text == "a/b"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (np.dtype(np.float32), "float32"),
        ((slice(None), -1), "(:, −1)"),
        ((2,), "(2,)"),
        (None, "None"),
        (True, "True"),
        (np.arange(9), "[0, 1, 2, …]"),
        ([0, 1], "[0, 1]"),
    ],
)
def test_settings(given: Any, text: str) -> None:
    assert setting(given) == text


@pytest.mark.parametrize(
    ("given", "tex"),
    [
        ("x", "x"),
        ("w12", "w_{12}"),
        ("b¹", "b^{1}"),
        ("w2⁻¹", "w_{2}^{-1}"),
        ("a_b", "a_{b}"),
        ("σ", r"\sigma"),
        ("theta_2", r"\theta_{2}"),
        ("delta", r"\delta"),
        ("w²₁₁", "w_{11}^{2}"),
        ("W_out", r"W_{\text{out}}"),
        ("x'", "{x}'"),
        ("ŷ", r"\hat{y}"),
        ("layers.0.weight", r"\text{layers.0.weight}"),
        ("a b_c", r"\text{a b}\_\text{c}"),
    ],
)
def test_names_in_latex(given: str, tex: str) -> None:
    assert name(given).tex == tex
