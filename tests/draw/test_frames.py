"""The backward pass step by step."""

import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest

from autograd_core import Value, draw
from autograd_core.draw import Drawing
from autograd_core.draw.scene import Card, Scene

SVG = "{http://www.w3.org/2000/svg}"


def gradient(scene: Scene, name: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The row of a card's gradient: its label and its numbers."""
    (card,) = [card for card in scene.cards if card.name == name]
    (row,) = [row for row in card.rows if row.label != "value"]
    return row.label, row.numbers.lines


def marks(scene: Scene) -> dict[str, str]:
    return {card.name: card.mark for card in scene.cards if card.badge}


def drawn(value: Value, names: dict[str, Any]) -> Drawing:
    return draw(value, names=names)


def test_gradients_appear_as_they_are_reached() -> None:
    drawing = drawn(*graphs.neuron())
    scene = drawing.step(3).scene
    assert scene.subtitle == "step 3 of 6: e passes its gradient on to p"
    assert marks(scene) == {"u": "waiting", "z": "waiting", "p": "waiting", "e": "now", "q": "done", "L": "done"}
    assert gradient(scene, "p") == ("grad", (("−0.268", "−0.166", "0.179"),))
    assert gradient(scene, "z") == ("grad", (("–", "–", "–"),))
    assert gradient(scene, "w") == ("grad", (("–",),))
    assert {(e.source, e.target): e.mark for e in scene.edges if e.mark in ("now", "done")} == {
        ("n5", "n7"): "now", ("n7", "n8"): "done", ("n8", "n9"): "done",
    }  # fmt: skip


def test_a_gradient_that_several_operations_add_to_grows() -> None:
    a, b = Value(2.0, name="a"), Value(5.0, name="b")
    loss = a * b + a**3 + a
    loss.backward()
    seen = [gradient(frame.scene, "a") for frame in draw(loss).frames()]
    dash = ("grad", (("–",),))
    assert seen == [dash, ("so far", (("1",),)), ("so far", (("1",),)), ("so far", (("13",),)), ("grad", (("18",),))]


def test_the_first_frame_has_no_gradients_and_the_last_has_all() -> None:
    drawing = drawn(*graphs.expression())
    first, *_, last = drawing.frames()
    assert all(gradient(first.scene, card.name) == ("grad", (("–",),)) for card in first.scene.cards)
    assert set(marks(first.scene).values()) == {"waiting"}
    for card in last.scene.cards:
        assert [row.numbers for row in card.rows] == [row.numbers for row in whole(drawing, card).rows]


def whole(drawing: Drawing, card: Card) -> Card:
    (found,) = [x for x in drawing.scene.cards if x.id == card.id]
    return found


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
@pytest.mark.parametrize("renderer", ["graphviz-pure", "dot"])
def test_nothing_moves_between_frames(graph: Any, renderer: str) -> None:
    if graph is graphs.before:
        return
    frames = drawn(*graph()).frames()
    shown = [*frames[:2], *frames[2:-1:4], frames[-1]]
    assert len({layout(frame.render("svg", renderer=renderer)) for frame in shown}) == 1


def layout(svg: bytes) -> tuple[Any, ...]:
    """The size of a picture, and where each of its cards, pills and arrows is, to the last digit."""
    root = ElementTree.fromstring(svg)
    places: list[Any] = [root.get("viewBox")]
    for group in root.iter(f"{SVG}g"):
        if group.get("class") in ("node", "edge"):
            shapes = [x.get("d") or x.get("points") or "" for x in group.iter() if x.tag != f"{SVG}text"]
            numbers = [float(number) for number in re.findall(r"-?[0-9.]+", " ".join(shapes))]
            x, y = numbers[::2], numbers[1::2]
            places.append((group.findtext(f"{SVG}title"), min(x), max(x), min(y), max(y)))
    return tuple(places)


def test_what_happens_is_not_told_by_colour_alone() -> None:
    drawing = drawn(*graphs.neuron())
    source = drawing.step(3).dot
    assert source.count("► 3") == 1
    assert source.count("style=dotted") == 8  # both halves of four arrows that wait
    assert "►" not in drawing.dot


def test_frames_of_frames_are_those_of_the_whole() -> None:
    drawing = drawn(*graphs.neuron())
    assert drawing.step(2).step(4).dot == drawing.step(4).dot
    assert [f.dot for f in drawing.step(1).frames()] == [f.dot for f in drawing.frames()]


def test_without_a_backward_pass_there_are_no_steps() -> None:
    with pytest.raises(ValueError, match="no backward pass to step through"):
        drawn(*graphs.before()).step(1)
    with pytest.raises(ValueError, match="no backward pass to step through"):
        draw(Value(1.0)).frames()


@pytest.mark.parametrize("k", [-1, 7])
def test_steps_that_there_are_not(k: int) -> None:
    with pytest.raises(ValueError, match=rf"step {k}: .*steps 0 \(before it\) to 6"):
        drawn(*graphs.neuron()).step(k)


def test_a_large_array_keeps_its_place() -> None:
    """Its sums so far are mean ± deviation with a range, or all the same number without one."""
    x = Value(np.arange(10.0), name="x")
    loss = (x * x).sum() + x.sum()
    loss.backward()
    rows = [[r for card in f.scene.cards for r in card.rows][1] for f in draw(loss).frames()]
    assert [r.numbers.lines for r in rows] == [(("–",),), (("–",),), (("all 1",),), (("all 1",),), (("10 ± 5.74",),)]
    assert {len(r.numbers.details) for r in rows} == {1}


def test_two_passes_show_the_gradient_of_one_and_what_is_held() -> None:
    scene = drawn(*graphs.several_passes()).scene
    (w,) = [card for card in scene.cards if card.name == "w"]
    assert [row.label for row in w.rows] == ["value", "grad", ".grad"]
    one, held = (np.array([float(x.replace("−", "-")) for x in row.numbers.lines[0]]) for row in w.rows[1:])
    np.testing.assert_allclose(2 * one, held, rtol=1e-2)
    assert [row.label for card in scene.cards if card.badge for row in card.rows].count(".grad") == 0
    assert any(note[0][0] == ".grad" for note in scene.notes)


def test_a_gradient_that_was_cleared_is_a_dash_beside_that_of_the_pass() -> None:
    w = Value(3.0, name="w")
    loss = w * w
    loss.backward()
    w.grad = None
    rows = {row.label: row.numbers.lines for row in draw(loss).scene.cards[0].rows}
    assert rows == {"value": (("3",),), "grad": (("6",),), ".grad": (("–",),)}


def test_rounding_where_gradients_cancel_is_no_second_pass() -> None:
    x = Value(0.99999, name="x")
    out = x / (x * x + 1.0)  # 0.5 - 0.499995
    out.backward()
    assert not [row for card in draw(out).scene.cards for row in card.rows if row.label == ".grad"]


@pytest.mark.parametrize("graph", [graphs.branches, graphs.spectrum, graphs.selection, graphs.classifier])
def test_one_pass_is_shown_once(graph: Any) -> None:
    """Branches that were not taken, complex numbers, ops of several results: what adds up is what is held."""
    scene = drawn(*graph()).scene
    assert not [row for card in scene.cards for row in card.rows if row.label == ".grad"]


def test_gif(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    w = Value(3.0, name="w")
    loss = (w - 1.0) ** 2
    loss.backward()
    drawing = draw(loss)
    drawing.save(tmp_path / "x.gif", theme="dark")
    with image.open(io.BytesIO((tmp_path / "x.gif").read_bytes())) as picture:
        assert picture.n_frames == 3
        shown = []
        for k in range(3):
            picture.seek(k)
            shown.append(picture.convert("RGB").tobytes())
        assert len(set(shown)) == 3
        assert picture.convert("RGB").getpixel((1, 1))[0] < 40
    assert drawing.render("gif") == drawing.render("gif")


def test_a_gif_needs_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'this needs Pillow: pip install "autograd-core\[plot\]"'):
        drawn(*graphs.neuron()).render("gif")


@pytest.mark.parametrize("k", [-1, 7, 1.0, "1", None])
def test_steps_that_there_are_not_are_refused(k: Any) -> None:
    with pytest.raises(ValueError, match=r"the backward pass has steps 0 \(before it\) to 6"):
        drawn(*graphs.neuron()).step(k)
