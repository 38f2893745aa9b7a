"""The LaTeX is what renderers take: matplotlib's for single formulas, and a parser of LaTeX for whole boards."""

from typing import Any

import numpy as np
import pytest
from boards import BOARDS, Model
from samples import BUILT_IN

from autograd_core import Value, explain, latex, relu, sigmoid
from autograd_core.explain.phrases import number_tex

W, X, A = Value(0.5, name="w1"), Value(2.0, name="x"), Value(np.eye(2), name="A")
U, V = Value([1.0, 2.0], name="u"), Value([3.0, 4.0], name="v")

EXPRESSIONS = [
    (lambda: (W + X) * W - X / 2, r"\left(w_{1} + x\right) \, w_{1} - \frac{x}{2}"),
    (lambda: sigmoid(W * X) ** 2, r"{\sigma(w_{1} \, x)}^{2}"),
    (lambda: X * X, r"{x}^2"),
    (lambda: X * 3.0, r"3 \, x"),
    (lambda: np.exp(-X) / (1 + W), r"\frac{e^{-x}}{1 + w_{1}}"),
    (lambda: U * V, r"u \odot v"),
    (lambda: U @ V, r"u \cdot v"),
    (lambda: A @ A @ (U * V), r"A \, A \, \left(u \odot v\right)"),
    (lambda: A.T @ U, r"{A}^{\top} \, u"),
    (lambda: np.sum(A, axis=0), r"\sum_{\text{axis }0}\left(A\right)"),
    (lambda: relu(U)[0], r"{\operatorname{relu}(u)}_{0}"),
    (lambda: np.linalg.norm(U), r"\left\|u\right\|"),
    (lambda: 1.5e-7 * X, r"1.5 \cdot 10^{-7} \, x"),
]


@pytest.mark.parametrize(("make", "tex"), EXPRESSIONS, ids=[tex for _, tex in EXPRESSIONS])
def test_expressions(make: Any, tex: str) -> None:
    assert latex(make()) == tex


@pytest.mark.parametrize(("make", "tex"), EXPRESSIONS, ids=[tex for _, tex in EXPRESSIONS])
def test_expressions_are_rendered_by_matplotlib(make: Any, tex: str) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parsed = mathtext.MathTextParser("path").parse(f"${latex(make())}$")
    assert parsed.width > 0


def test_elements_of_a_name_with_an_index_keep_it_apart() -> None:
    model = Model(w1=[[0.5], [0.25]])
    (w1,) = model.parameters.values()
    assert "{w_{1}}_{11}" in explain(np.sum(np.tanh(np.array([[1.0, 2.0]]) @ w1)), model).latex


def test_a_formula_is_a_string_that_shows_itself() -> None:
    formula = latex(W * X)
    assert isinstance(formula, str)
    assert formula.latex == str(formula) == r"w_{1} \, x"
    assert formula.text == "w1·x"
    assert formula._repr_latex_() == r"$\displaystyle w_{1} \, x$"


def test_a_long_expression_ends_in_names() -> None:
    x = Value(1.01, name="x")
    for _ in range(60):
        x = x * x  # 2⁶⁰ factors
    formula = latex(x)
    assert len(formula) < 3000
    assert "x" not in formula.replace(r"\text", "")
    with pytest.raises(TypeError, match="latex takes a Value"):
        latex(3.0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def convert() -> Any:
    return pytest.importorskip("latex2mathml.converter").convert


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.__name__)
def test_boards_are_parsed(board: Any, convert: Any) -> None:
    derivation = board()[2]
    balanced(derivation.latex)
    assert "<mtable" in convert(derivation.latex)
    assert derivation._repr_latex_() == f"$$\n{derivation.latex}\n$$"
    assert repr(derivation) == str(derivation)


@pytest.mark.parametrize("op", [op for op in BUILT_IN if op.form == "elementwise"], ids=lambda op: op.name)
def test_every_elementwise_op_is_parsed(op: Any, convert: Any) -> None:
    rng = np.random.default_rng(2)
    args = [Value(rng.uniform(*interval, 3), name=f"{n}¹") for interval, n in zip(op.domain, "abc", strict=False)]
    loss = np.sum(op(*args) ** 2) if op.name != "pick" else args[0]
    for text in (latex(loss), explain(loss, args[0]).latex):
        balanced(text)
        assert convert(text).startswith("<math")


def balanced(tex: str) -> None:
    """Braces, environments and delimiters come in pairs, and no index stands twice."""
    plain = tex.replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for c in plain:
        depth += {"{": 1, "}": -1}.get(c, 0)
        assert depth >= 0
    assert depth == 0
    for before, after in ((r"\left", r"\right"), (r"\begin", r"\end")):
        assert tex.replace(r"\leftarrow", "").count(before) == tex.count(after)
    assert "−" not in tex.replace("axis=−1", "")


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("false", r"\text{false}"),
        ("−∞", r"-\infty"),
        ("1.5e-7+2e8j", r"1.5 \cdot 10^{-7}+2 \cdot 10^{8}j"),
        ("nan−1j", r"\text{nan}-1j"),
    ],
)
def test_truth_values_and_the_parts_of_complex_numbers_are_no_powers_of_ten(text: str, tex: str) -> None:
    assert number_tex(text) == tex


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.__name__)
def test_boards_have_no_character_that_plain_latex_does_not_know(board: Any) -> None:
    assert board()[2].latex.isascii()


def test_signs_and_greek_letters_in_words_and_in_indices_are_latex() -> None:
    x, scale = Value(np.arange(20.0), name="x"), Value(0.5, name="logσ")
    text = explain(np.sum(np.exp(scale) * x[:-1][-2]), scale, names={"y": x}).latex
    assert text.isascii()
    assert r"\text{log}\sigma" in text
