"""The builder's view: modules as cards, equal parts folded, and what is left out."""

import copy
import gc
import pickle
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

import nn
from autograd_core import Value, draw, no_grad, relu
from autograd_core.draw.fold import Folded
from autograd_core.draw.measure import remark, shown
from autograd_core.draw.plan import Box, Plan


class Residual(nn.Module):
    """Layers around which their input passes."""

    def __init__(self, depth: int) -> None:
        self.blocks = [nn.Linear(4, 4, rng=k) for k in range(depth)]

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = x + relu(block(x))
        return x


def loss_of(model: Any, n_in: int = 2, n_out: int = 1) -> Value:
    rng = np.random.default_rng(0)
    loss: Value = nn.mse_loss(model(rng.normal(size=(8, n_in))), rng.random((8, n_out)))
    loss.backward()
    loss.name = "loss"
    return loss


def plan_of(x: Any, *sample: Any, **settings: Any) -> Plan:
    plan = draw(x, *sample, **({"view": "model"} | settings)).scene
    assert isinstance(plan, Plan)
    return plan


def box(plan: Plan, name: str) -> Box:
    (found,) = [box for box in plan.cards if box.name == name]
    return found


def lines(plan: Plan, name: str) -> dict[str, str]:
    return {line.label: line.text for line in box(plan, name).lines}


def arrows(plan: Plan) -> set[tuple[str, str]]:
    names = {box.id: box.name for box in plan.cards}
    return {(names[arrow.source], names[arrow.target]) for arrow in plan.edges}


def chain(depth: int) -> Value:
    x = Value(0.5, name="x")
    w = Value(0.9, name="w")
    out: Any = x
    for _ in range(depth):
        out = np.tanh(w * out)
    out.backward()
    return out  # type: ignore[no-any-return]


def neurons(sizes: list[int]) -> Value:
    """A network of single numbers."""
    rng = np.random.default_rng(0)
    layer: list[Any] = list(rng.normal(size=sizes[0]))
    for n in sizes[1:]:
        made = []
        for _ in range(n):
            total: Any = Value(rng.normal()) * layer[0]
            for x in layer[1:]:
                total = total + Value(rng.normal()) * x
            made.append(np.tanh(total + Value(0.0)))
        layer = made
    (out,) = layer
    loss: Value = (out - 1.0) ** 2
    loss.backward()
    return loss


# Modules --------------------------------------------------------------------------------------------------------------


def test_a_network_is_drawn_by_its_layers() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    plan = plan_of(loss_of(model))
    assert arrows(plan) >= {
        ("layers.0", "layers.1"),
        ("layers.1", "layers.2"),
        ("layers.2", "layers.3"),
        ("layers.3", "loss"),
    }
    first, weight = lines(plan, "layers.0"), model.parameters()[0]
    assert (first["weight, bias"], first["parameters"]) == ("(2×3), (3)", "9")
    size = np.sqrt(np.mean(np.concatenate([p.grad.ravel() for p in model.parameters()[:2]]) ** 2))
    assert first["parameters' grad"] == f"rms {shown(size)}"
    assert weight.name == "w¹"
    assert plan.title == "MLP 2-3-1 → loss"
    assert [box(plan, f"layers.{k}").word for k in (0, 1)] == ["Linear(2, 3)", "Sigmoid"]
    assert box(plan, "loss").word == "mean_squared_error"
    assert "13 parameters" in plan.subtitle


def test_equal_layers_are_one_group_and_vanishing_gradients_are_remarked() -> None:
    model = nn.MLP([2] + [8] * 8 + [1], rng=0)
    plan = plan_of(loss_of(model))
    (fold,) = plan.folds
    assert fold.title == "layers.2..14 × 7"
    assert len(fold.copies) == 7
    sizes = [float(np.sqrt(np.mean(np.concatenate([p.grad.ravel() for p in model.layers[k].parameters()]) ** 2)))
             for k in range(2, 16, 2)]  # fmt: skip
    assert [copy.gradient for copy in fold.copies] == [shown(x) for x in sizes]
    assert re.fullmatch(r"vanishing: [\d,]+× smaller at layers\.2 than at layers\.14", fold.remark)
    factor = float(re.sub(r"\D", "", fold.remark.partition("×")[0]))
    assert factor == pytest.approx(sizes[-1] / sizes[0], rel=0.005)


def test_gradients_that_vanish_almost_are_told_apart_from_those_that_do_not_arrive() -> None:
    model = nn.MLP([2] + [4] * 300 + [1], rng=0)
    loss = nn.mse_loss(model(np.ones((3, 2))), np.zeros((3, 1)))
    loss.backward()
    assert 0 < np.abs(model.layers[0].weight.grad).max() < 1e-200  # its square is 0
    assert plan_of(loss).folds[0].remark.startswith("vanishing: ")


def test_skip_connections_stay_visible() -> None:
    plan = plan_of(loss_of(Residual(5), 4, 4))
    (fold,) = plan.folds
    drawn = arrows(plan)
    assert ("blocks.0", "relu") in drawn
    assert {source for source, target in drawn if target == "add"} >= {"relu"}
    inside = {box.id: box.name for box in plan.cards if box.id in fold.boxes}
    into = {inside[a.target] for a in plan.edges if a.target in inside and a.source not in inside}
    assert {"add"} <= into  # beside the layer, the input goes to the sum


def test_a_different_layer_is_not_folded_into_the_others() -> None:
    model = Residual(9)
    model.blocks[4].bias = None
    plan = plan_of(loss_of(model, 4, 4))
    assert [fold.title for fold in plan.folds] == ["blocks.1..3 × 3", "blocks.5..8 × 4"]


def test_expand_opens_modules_and_groups() -> None:
    drawing = draw(loss_of(nn.MLP([2] + [4] * 6 + [1], rng=0)))
    opened = drawing.expand("layers.2..10")
    assert isinstance(opened.scene, Plan)
    assert [b.name for b in opened.scene.cards if b.name.startswith("layers.")] == [f"layers.{k}" for k in range(14)]
    ops = drawing.expand("layers.1").scene
    assert isinstance(ops, Plan)
    assert box(ops, "sigmoid").word == "operation"
    with pytest.raises(ValueError, match=r"nothing here is called 'layer'; what can be opened: layers\.2\.\.10, MLP, "):
        drawing.expand("layer")
    with pytest.raises(ValueError, match="learner's view"):
        draw(Value(1.0) * 2).expand("layers.1")


def test_fold_false_draws_every_copy() -> None:
    loss = loss_of(nn.MLP([2] + [4] * 6 + [1], rng=0))
    plan = plan_of(loss, fold=False)
    assert not plan.folds
    assert len([b for b in plan.cards if b.name.startswith("layers.")]) == 14


def test_saturated_and_dead_units_are_counted() -> None:
    x = np.array([[8.0, -8.0, 0.0, 1.0]])
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.ReLU(), nn.Sigmoid())
    model.layers[0].weight.data = np.eye(4)
    plan = plan_of(model, x)
    assert lines(plan, "layers.1")["dead units"] == "50%"  # -8 and 0
    assert lines(plan, "layers.2")["saturated"] == "25%"  # sigmoid(8)


def test_a_module_is_drawn_with_a_sample_and_not_changed() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    before = pickle.dumps(model)
    drawing = draw(model, np.ones((1, 2)))
    assert pickle.dumps(model) == before
    with no_grad():
        assert draw(model, np.ones((1, 2))).dot == drawing.dot
    plan = drawing.scene
    assert isinstance(plan, Plan)
    assert [(b.name, b.word) for b in plan.cards if b.kind == "input"] == [("input", "")]
    x = np.ones((1, 2))
    assert [b.name for b in plan_of(model, x, names={"x": x}).cards if b.kind == "input"] == ["x"]
    with pytest.raises(TypeError, match="a sample x is missing"):
        draw(model)
    with pytest.raises(TypeError, match="a Value has its graph already"):
        draw(Value(1.0), 2.0)
    with pytest.raises(TypeError, match="makes a float"):
        draw(nn.Sigmoid(), 0.0)


@pytest.mark.parametrize("settings", [{"view": "both"}, {"fold": "no"}, {"max_cards": 0}])
def test_unknown_settings_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        draw(Value(1.0) * 2.0, **settings)


def test_auto_chooses_by_modules_and_size() -> None:
    assert isinstance(draw(loss_of(nn.MLP([2, 3, 1], rng=0))).scene, Plan)
    assert not isinstance(draw(nn.Linear(2, 1, rng=0)(np.ones((1, 2)))).scene, Plan)
    assert isinstance(draw(chain(49)).scene, Plan)  # 98 operations on two variables
    assert not isinstance(draw(chain(48)).scene, Plan)
    single: Any = sum((Value(k / 10) * Value(1.0) for k in range(25)), Value(0.0))
    assert isinstance(draw(np.tanh(single)).scene, Plan)  # 51 operations on 51 variables


# Without modules ------------------------------------------------------------------------------------------------------


def test_an_unrolled_loop_is_one_group() -> None:
    plan = plan_of(chain(1000))
    (fold,) = plan.folds
    assert fold.title == "tanh → mul × 999"
    assert len(plan.cards) <= 6
    assert fold.remark.startswith("vanishing")


def test_a_loop_that_uses_an_operation_several_times_is_one_group() -> None:
    v: Any = Value(0.1, name="v")
    for _ in range(40):
        v = v - 0.1 * (2 * v * v - 1.0)  # each product is nearer to the next than to itself in the next turn
    v.backward()
    plan = plan_of(v)
    (fold,) = plan.folds
    assert fold.title == "mul → mul → sub → … → sub × 38"
    assert box(plan, "out").kind == "output"  # the result is no copy of anything
    assert [b.word for b in plan.cards if b.id in fold.boxes] == [
        "2 × …", "operation", "… − 1", "0.1 × …", "operation"
    ]  # fmt: skip


def test_the_same_operations_in_no_order_are_not_folded() -> None:
    rng, v = np.random.default_rng(0), Value(0.5)
    for k in rng.integers(0, 3, size=60):
        v = (np.tanh, np.sin, np.exp)[k](v)
    plan = plan_of(v)
    folded = sum(int(fold.title.rpartition(" × ")[2]) for fold in plan.folds)
    assert len(plan.cards) >= 60 - folded


def test_operations_show_the_names_and_numbers_that_they_take() -> None:
    w, x = Value([1.0, 2.0], name="w"), np.array([3.0, 4.0])
    out = np.tanh(w * x) * 2.0
    plan = plan_of(np.tanh(out).sum(), names={"x": x})
    assert [(b.name, b.word) for b in plan.cards if b.id[0] == "p"] == [
        ("mul", "w × x"), ("tanh", "operation"), ("mul", "… × 2"), ("tanh", "operation"), ("out", "sum"),
    ]  # fmt: skip
    assert plan.title == "out = sum(…)"
    assert {b.name: b.word for b in plan.cards if b.kind == "input"} == {"x": "input"}


def test_unnamed_variables_and_arrays_are_called_what_they_are() -> None:
    plan = plan_of((Value([1.0, 2.0]) * np.array([3.0, 4.0])).sum())
    assert lines(plan, "mul")["parameters"] == "2"
    assert (box(plan, "constant").kind, box(plan, "constant").word) == ("input", "")


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([1.0, 1.0, 5.0], ""),
        ([1.0], ""),
        ([1.0, None], ""),
        ([0.0, 0.0], ""),
        ([1e-40, 1.0], "vanishing: 1e40× smaller at copy 1 than at copy 2"),
        ([3.0, 0.1, 0.02], "exploding: 150× larger at copy 1 than at copy 3"),
        ([1.0, np.nan, 1.0], "not finite from copy 2 on back"),
        ([1.0, 0.0, 1.0], "no gradient arrives at copy 2"),
    ],
)
def test_remarks(sizes: list[Any], said: str) -> None:
    assert remark(sizes) == said


def test_parallel_neurons_and_layers_fold_by_structure() -> None:
    plan = plan_of(neurons([6] + [6] * 6 + [1]))
    assert len(plan.cards) < 30
    assert any(fold.title.endswith("× 5") for fold in plan.folds)
    products = [b for b in plan.cards if b.name == "mul"]
    assert "× 36" in {b.word for b in products}


def test_a_deep_chain_is_drawn_without_recursion() -> None:
    x: Any = Value(1.0)
    for _ in range(20_000):
        x = x * 1.0
    plan = plan_of(x)
    assert "20,000 operations" in plan.subtitle
    assert len(plan.cards) <= 4


def test_past_max_cards_the_rest_is_counted() -> None:
    x: Any = Value(1.0)
    for k in range(300):
        x = np.sin(x) if k % 7 in (1, 3) else np.exp(-x) if k * k % 11 < 4 else np.tanh(x)
    plan = plan_of(x, fold=False, max_cards=20)
    more = [b.name for b in plan.cards if b.kind == "more"]
    counted = sum(int(re.sub(r"\D", "", name)) for name in more)
    drawn = len([b for b in plan.cards if b.id[0] == "p"])
    assert drawn <= len(plan.cards) <= 20
    assert drawn + counted == int(re.search(r"(\d+) operations", plan.subtitle)[1])  # type: ignore[index]


def test_what_is_not_finite_is_never_left_out() -> None:
    x: Any = Value(2.0)
    with np.errstate(divide="ignore"):
        for k in range(400):
            x = np.log(x - x) if k == 100 else np.tanh(x) + float(k)
    plan = plan_of(x, fold=False, max_cards=30)
    assert any(b.name == "log" for b in plan.cards)


def test_shared_sources_are_the_same_for_all_copies() -> None:
    folded = Folded(["a"] * 5, [(-2,), (0, -2), (1, -2), (2, -2), (3, -2)], [0] * 5)
    assert [folded.group(e) is None for e in folded.row] == [True, False]
    assert folded.shown(4) == 1
    apart = Folded(["a"] * 5, [(-2,), (0, -2), (1, -3), (2, -4), (3, -5)], [0] * 5)
    assert apart.row == [0, 1, 2, 3, 4]


# Rendered, and left alone ---------------------------------------------------------------------------------------------


def test_the_renderer_shows_every_card_and_remark() -> None:
    drawing = draw(loss_of(nn.MLP([2] + [8] * 8 + [1], rng=0)))
    svg = ElementTree.fromstring(drawing.render("svg"))
    shown = " ".join(svg.itertext()).replace("\xa0", " ")
    assert isinstance(drawing.scene, Plan)
    for card in drawing.scene.cards:
        assert card.name in shown
    assert "vanishing" in shown
    assert drawing.render("png")[:4] == b"\x89PNG"


def test_a_leaf_alone_is_one_card() -> None:
    plan = plan_of(Value(2.0, name="w"))
    assert [(b.name, b.kind) for b in plan.cards] == [("w", "parameter")]


def test_a_module_shows_its_parameters_in_jupyter() -> None:
    model = nn.Linear(2, 1, rng=0)
    model.weight.data, model.weight.grad = np.array([[3.0], [4.0]]), np.array([[1.0], [1.0]])
    assert "<tr><td>weight</td><td>2×1</td><td>3.54</td><td>1</td></tr>" in model._repr_html_()
    assert "<td>bias</td><td>1</td><td>0</td><td>–</td>" in model._repr_html_()


def test_hostile_names_are_texts() -> None:
    x = Value(1.0, name='<b>"&\\N]</b>')
    drawing = draw(x * x, view="model")
    assert '<b>"&\\N]</b>' in " ".join(ElementTree.fromstring(drawing.render("svg")).itertext())


def test_the_same_graph_gives_the_same_bytes() -> None:
    first, second = (draw(loss_of(Residual(6), 4, 4)).dot for _ in range(2))
    assert first == second


def test_drawing_changes_no_graph() -> None:
    loss = loss_of(nn.MLP([2, 3, 1], rng=0))
    before = pickle.dumps(loss)
    draw(loss).expand("layers.0")
    assert pickle.dumps(loss) == before


def test_marks_make_no_cycles_and_are_not_copied() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    loss_of(model)
    gc.collect()
    loss = loss_of(model)
    copied = copy.deepcopy(loss)
    assert not plan_of(copied).title.startswith("MLP")
    del loss, copied
    assert gc.collect() == 0


def test_a_result_that_is_passed_on_is_not_marked() -> None:
    x = Value([1.0])
    assert nn.Identity()(x).calls is None
    y = x * 2.0
    assert nn.Identity()(y).calls is None


def test_a_module_may_return_several_results() -> None:
    class Both(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2.0, x

    x = Value([1.0])
    twice, same = Both()(x)
    assert same is x
    assert x.calls is None
    plan = plan_of(twice.sum())
    assert [box.name for box in plan.cards if box.name == "Both"] == ["Both"]


def test_decompositions_are_drawn_with_all_their_results() -> None:
    u, s, v = np.linalg.svd(Value(np.diag([3.0, 2.0]), name="M"))
    out = (s * s).sum() + u[0, 0]
    out.backward()
    plan = plan_of(out)
    assert lines(plan, "svd")["output"] == "(2×2), (2), (2×2) rms 1.3"  # √(17/10)
    assert lines(plan, "svd")["output's grad"].startswith("rms ")
    assert {arrow.label for arrow in plan.edges if arrow.source == box(plan, "svd").id} == {"(2×2), (2), (2×2)"}
    assert v.shape == (2, 2)
    assert draw(out, view="model").render("svg")


def test_what_is_too_large_says_how_it_becomes_smaller() -> None:
    v: Any = Value(0.5)
    for k in range(600):
        v = np.sin(v) + float(k)
    drawing = draw(v, view="model", fold=False, max_cards=2000)
    with pytest.raises(ValueError, match=r"too many for png.*fold it .* or lower max_cards"):
        drawing.render("png")
    assert "too many for svg" in drawing._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fold": np.ones(3)}, "fold=array.*it is 'auto', True or False"),
        ({"fold": 2}, "fold=2"),
        ({"max_cards": True}, "max_cards=True: it is a whole number"),
        ({"max_cards": 2.5}, "max_cards=2.5: it is a whole number"),
        ({"view": None}, "view=None: it is 'auto', 'learn', 'model'"),
    ],
)
def test_settings_of_another_kind_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0) * 2.0, **settings)
