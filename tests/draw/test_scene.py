"""The texts of a picture."""

from typing import Any

import graphs
import numpy as np
import pytest

from autograd_core import Value, checkpoint, explain, primitive, relu, softmax, why
from autograd_core.draw import draw
from autograd_core.draw.scene import Card, Edge, Scene, clip, rows_passed


def scene_of(value: Value, **names: Any) -> Scene:
    return draw(value, names=names, view="learn").scene


def card(scene: Scene, name: str) -> Card:
    (found,) = [card for card in scene.cards if card.name == name]
    return found


def arrow(scene: Scene, source: str, target: str) -> Edge:
    ids = card(scene, source).id, card(scene, target).id
    (found,) = [edge for edge in scene.edges if (edge.source, edge.target) == ids]
    return found


def lines(scene: Scene, source: str, target: str) -> tuple[str, ...]:
    pill = arrow(scene, source, target).pill
    assert pill is not None
    return (*pill.lines, *([pill.note] if pill.note else []))


def rows(card: Card) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {row.label: row.numbers.lines for row in card.rows}


def test_the_neuron_reads_as_in_a_textbook() -> None:
    loss, names = graphs.neuron()
    scene = draw(loss, names=names).scene
    assert scene.title == "L = mean((σ(w·x + b) − y)²)"
    assert scene.subtitle == "L = 0.09858; backward pass done, 6 operations"
    assert [(c.name, c.kind, c.badge) for c in scene.cards] == [
        ("w", "parameter", None), ("x", "input", None), ("u", "operation", 6), ("b", "parameter", None),
        ("z", "operation", 5), ("p", "operation", 4), ("y", "input", None), ("e", "operation", 3),
        ("q", "operation", 2), ("L", "output", 1),
    ]  # fmt: skip
    assert [c.formula for c in scene.cards if c.formula] == ["w × x", "u + b", "σ(z)", "p − y", "e²", "mean(q)"]
    assert rows(card(scene, "u")) == {
        "value": (("0.7", "1.4", "−0.7"),),
        "grad": (("−0.0643", "−0.0312", "0.0353"),),
    }
    assert rows(card(scene, "w")) == {"value": (("0.7",),), "grad": (("−0.1619",),)}
    assert rows(card(scene, "x")) == {"value": (("1", "2", "−1"),)}
    assert lines(scene, "w", "u") == ("∂u/∂w = x", "1, 2, −1", "Σ over 3 (broadcast)")
    assert lines(scene, "b", "z") == ("∂z/∂b = 1", "Σ over 3 (broadcast)")
    assert lines(scene, "z", "p") == ("∂p/∂z = p(1−p)", "0.24, 0.187, 0.197")
    assert lines(scene, "e", "q") == ("∂q/∂e = 2e", "−0.803, −0.499, 0.538")
    assert lines(scene, "q", "L") == ("∂L/∂q = 1/3 = 0.3333",)
    assert arrow(scene, "x", "u").pill is None
    assert arrow(scene, "q", "L").width == 3.5
    assert arrow(scene, "w", "u").width == pytest.approx(1 + 2.5 * 0.1619, abs=1e-4)


def test_before_the_backward_pass_gradients_are_dashes() -> None:
    loss, names = graphs.before()
    scene = draw(loss, names=names).scene
    assert scene.subtitle == "L = 0.09858; no backward pass yet, 6 operations"
    assert all(rows(c).get("grad", (("–",),)) == (("–",),) for c in scene.cards)
    assert {edge.width for edge in scene.edges} == {1.0}
    assert lines(scene, "e", "q") == ("∂q/∂e = 2e", "−0.803, −0.499, 0.538")


def test_gradients_that_only_leaves_keep() -> None:
    w = Value(2.0, name="w")
    loss = w * w
    loss.backward(keep="leaves")
    scene = scene_of(loss)
    assert scene.subtitle == "out = 4; gradients of some leaves only, 1 operation"
    assert rows(card(scene, "w"))["grad"] == (("4",),)
    assert rows(card(scene, "out"))["grad"] == (("–",),)


def test_a_zero_gradient_is_a_zero() -> None:
    w = Value(2.0, name="w")
    out = w * 0.0
    out.backward()
    assert rows(card(scene_of(out), "w"))["grad"] == (("0",),)
    assert {edge.width for edge in scene_of(out).edges} == {1.0}


def test_an_input_that_is_used_twice_has_one_arrow_with_the_whole_derivative() -> None:
    e = Value(3.0, name="e")
    assert lines(scene_of(e * e), "e", "out") == ("∂out/∂e = 2e = 6",)


def test_names_that_read_like_formulas_are_bracketed_where_they_would_be_misread() -> None:
    x, w, b = Value(2.0, name="x1"), Value(-3.0, name="w1"), Value(8.0, name="b")
    product, y = x * w, Value(1.0, name="y")
    product.name = "x1*w1"  # as micrograd labels its neuron
    total = product + b
    total.name = "x1*w1 + b"
    out = total * y
    out.backward()
    scene = scene_of(out)
    assert lines(scene, "x1", "x1*w1") == ("∂(x1*w1)/∂x1 = w1 = −3",)
    assert lines(scene, "x1*w1", "x1*w1 + b") == ("∂(x1*w1 + b)/∂(x1*w1) = 1",)
    assert card(scene, "x1*w1 + b").formula == "x1*w1 + b"
    assert card(scene, "out").formula == "(x1*w1 + b) × y"
    assert "∂(x1*w1 + b)/∂x1 = ∂(x1*w1 + b)/∂(x1*w1) · ∂(x1*w1)/∂x1" in str(explain(total, x))
    assert why(x, total).text.startswith("∂(x1*w1 + b)/∂x1 = −3 comes along 1 path")
    assert "grad = ∂(x1*w1 + b)/∂(this)" in legend(scene_of(total))[0]


def test_the_number_of_a_choice_stands_below_it() -> None:
    z = Value(3.0, name="z")
    assert lines(scene_of(relu(z)), "z", "out") == ("∂out/∂z = 1 if z > 0 else 0", "1")


def test_products_of_matrices_pass_gradients_on_in_products() -> None:
    x, w = np.ones((5, 2)), Value(np.ones((2, 3)), name="w")
    h = x @ w
    scene = scene_of((h * h).sum() + (w * 2.0).sum(), h=h, x=x)
    assert lines(scene, "w", "h") == ("grad(w) += xᵀ @ grad(h)",)
    assert card(scene, "h").shape == "(5×3)"


def test_a_long_label_takes_two_lines() -> None:
    z = Value(np.zeros(3), name="z")
    assert lines(scene_of(softmax(z), p=z), "z", "out") == ("grad(z) =", "out·(grad(out)−sum(grad(out)·out, axis=−1))")


def test_numbers_that_are_not_finite_are_shown_and_leave_widths_alone() -> None:
    x = Value([1.0, 0.0], name="x")
    with np.errstate(divide="ignore", invalid="ignore"):
        out = (np.log(x) * 0.0).sum()
        out.backward()
    scene = scene_of(out)
    assert rows(card(scene, "x"))["grad"] == (("0", "nan"),)
    assert all(1.0 <= edge.width <= 3.5 for edge in scene.edges)


def test_long_names_and_formulas_are_clipped_and_whole_in_the_tooltip() -> None:
    long = "a_name_that_nobody_will_ever_want_to_read"
    x = Value(1.0, name=long)
    (first, second) = scene_of(x + x).cards
    assert first.name == "a_name_that…want_to_read"
    assert second.formula == "a_name_that_nobody_wi…will_ever_want_to_read"
    assert f"{long} + {long}" in second.tooltip


def test_a_long_expression_names_its_parts() -> None:
    v = Value(1.0, name="start")
    for _ in range(50):
        v = np.tanh(v) + 1.0
    assert scene_of(v).title == "out = tanh(v97 + 1) + 1"


def test_an_expression_that_shares_parts_does_not_explode() -> None:
    v = Value(1.0, name="x")
    for _ in range(60):
        v = v + v
    assert len(scene_of(v).title) < 80


def test_a_leaf_alone_has_no_legend() -> None:
    scene = scene_of(Value(3.0, name="w"))
    assert (scene.title, scene.subtitle, scene.notes) == ("w", "w = 3; no operation", ())


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (Value(np.float32(0.5)), (("0.5",),)),
        (Value(np.zeros((0, 3))), (("empty",),)),
        (Value(np.eye(2)), (("1", "0"), ("0", "1"))),
        (Value(np.arange(5.0)), (("2 ± 1.41",),)),
        (Value(1 + 2j), (("1+2j",),)),
    ],
)
def test_all_kinds_of_data_are_shown(value: Value, lines: Any) -> None:
    scene = scene_of(value * 1.0)
    assert rows(scene.cards[0])["value"] == lines


def test_rows_passed_counts_long_arrows() -> None:
    w = Value(1.0)
    v = w * 1.0  # w's arrow is one row long
    for _ in range(3):
        v = v * w  # 2, 3 and 4 rows; each product's own arrow is one row long
    assert rows_passed(scene_of(v)) == 1 + (2 + 3 + 4) + 3


def legend(scene: Scene) -> list[str]:
    return ["".join(part for part, _ in note) for note in scene.notes]


def test_the_legend_says_what_a_gradient_is() -> None:
    x = Value([1.0, 2.0], name="x")
    y = x**2
    assert legend(scene_of(y, y=y))[0].endswith("grad = ∂y/∂(this), a dash until the backward pass")
    y.backward(np.array([1.0, -1.0]))
    assert "grad = Σ grad(y) · ∂y/∂(this), filled" in legend(scene_of(y, y=y))[0]
    z = Value(1.0, name="v") * 2.0
    z.backward(keep="leaves")
    assert legend(scene_of(z, z=z))[0].endswith("grad = ∂z/∂(this), a dash where none is kept")
    c = Value(1 + 2j, name="c")
    out = np.abs(c) ** 2
    out.backward()
    assert rows(card(scene_of(out), "c"))["grad"] == (("2+4j",),)
    assert "a parameter's grad is conjugated" in legend(scene_of(out))[2]


def test_a_pole_of_a_number_is_drawn_after_the_backward_pass() -> None:
    x = Value(0.0, name="x")
    with np.errstate(divide="ignore"):
        y = 1 / x
        y.backward()
    assert lines(scene_of(y, y=y), "x", "y") == ("∂y/∂x = −y/x = −∞",)


def test_nothing_has_no_number() -> None:
    y = Value(np.zeros((0, 3)), name="y")
    total = y.sum()
    total.backward()
    assert lines(scene_of(total, total=total), "y", "total") == ("∂total/∂y = 1",)


def test_one_pullback_for_all_arguments_is_asked_once_for_each() -> None:
    calls = []

    def pullback(g: Any, out: Any, a: Any, b: Any, c: Any) -> tuple[Any, ...]:
        calls.append(type(g).__name__)
        return g * b, g * a + 2 * g, None

    product = primitive(pullback=pullback)(lambda a, b, c: a * b + 2 * b)
    a, b, c = Value([1.0, 2.0], name="a"), Value([3.0, 4.0], name="b"), Value(5.0, name="c")
    out = product(a, b, c).sum()
    out.backward()
    del calls[:]
    scene = scene_of(out)
    assert lines(scene, "a", "v1") == ("∂v1/∂a = b", "3, 4")
    assert lines(scene, "b", "v1") == ("∂v1/∂b = a + 2", "3, 4")
    assert lines(scene, "c", "v1") == ("∂v1/∂c = 0",)
    assert sorted(calls) == ["Symbol", "ndarray"]


def test_what_is_recomputed_has_an_arrow_with_its_derivative() -> None:
    x = Value([1.0, 2.0], name="x")
    y = checkpoint(lambda x: np.exp(np.sin(x)))(x)
    y.sum().backward()
    assert lines(scene_of(y, y=y), "x", "y") == ("∂y/∂x = exp(sin(x))·cos(x)", "1.25, −1.03")


def test_a_rule_without_a_formula_is_said_to_be_one_and_a_long_formula_is_whole_in_the_tooltip() -> None:
    x, k = Value(np.arange(5.0), name="x"), np.array([1.0, 0.0, -1.0])
    y = np.convolve(x, k, mode="valid")
    pill = arrow(scene_of(y, y=y, k=k), "x", "y").pill
    assert pill is not None
    assert "…" in "".join(pill.lines)
    assert pill.tooltip == "grad(x) = convolve((grad(y) at [2:5], 0 elsewhere), flip(k), mode='valid')"
    spectrum = np.fft.rfft(x)
    assert lines(scene_of(spectrum, f=spectrum), "x", "f") == ("∂f/∂x: no short formula",)
    values, vectors = np.linalg.eigh(Value(np.eye(2), name="A"))
    scene = scene_of(np.sum(values) + np.sum(vectors), values=values, both=values.inputs[0])
    assert lines(scene, "A", "both") == ("grad(A): no short formula",)
    assert lines(scene, "both", "values") == ("grad(both) +=", "grad(values) at [0], 0 elsewhere")


def test_a_formula_that_nobody_can_read_gives_way_to_its_number() -> None:
    x = Value(0.3, name="x" * 60)
    y = np.sinc(x)  # whose derivative is a series near 0
    y.backward()
    pill = arrow(scene_of(y, y=y), clip("x" * 60, "name"), "y").pill
    assert pill is not None
    assert pill.lines[-1].endswith("−0.902")
    assert "(" not in pill.tooltip
    assert str(explain(y, x)).endswith(f"∂C/∂{'x' * 60} = −0.902")
    z = np.exp(x) * x  # long because of the name
    pill = arrow(scene_of(z), clip("x" * 60, "name"), "v1").pill
    assert pill is not None
    assert pill.tooltip.endswith("= v1 = 1.35")
    a = Value([1.0, 0.0, 2.0], name="a")
    assert str(explain(np.prod(a), a)).endswith("Step by step, from the result back\n  ∂C/∂a = [0, 2, 0]")


def test_data_that_changed_since_are_said_to_be_other_ones() -> None:
    w, b = Value([1.0, 2.0], name="w"), Value(1.0, name="b")
    loss = (w * w + b).sum()
    loss.backward()
    before = scene_of(loss)
    w.data -= 0.5 * w.grad
    after = scene_of(loss)
    assert legend(after) == [*legend(before), "value of w: as it is now, changed after the result was computed"]


def test_what_a_vector_passes_to_a_matrix_is_an_outer_product() -> None:
    x, w = np.array([1.0, 2.0, 3.0]), Value(np.ones((3, 2)), name="W")
    y = x @ w
    y.backward(np.ones(2))
    assert lines(scene_of(y, y=y, x=x), "W", "y") == ("grad(W) = x ⊗ grad(y)",)
    z = w @ np.array([1.0, 2.0])
    assert lines(scene_of(z, z=z), "W", "z")[0].startswith("grad(W) = grad(z) ⊗ ")
