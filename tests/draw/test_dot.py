"""DOT: the same text every time, and nothing that a user writes can break it or the picture."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_core import Value, draw
from autograd_core.draw import Drawing, render

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
RENDERERS = ["graphviz-pure", "dot"]


def program(name: str) -> str:
    """The path of a renderer, wherever it is found."""
    try:
        return render.find([name])
    except render.MissingRendererError:
        pytest.skip(f"{name} is not installed")


def svg_of(drawing: Drawing, renderer: str) -> bytes:
    """The finished SVG of a renderer, if that is installed."""
    program(renderer)
    return drawing.render("svg", renderer=renderer)


def contents(svg: bytes) -> dict[str, list[str]]:
    """The texts of every node of a picture, by its title, and of the whole picture."""
    root = ElementTree.fromstring(svg)
    found = {"": texts(root.findall(f"{SVG}g/{SVG}text"))}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") in ("node", "edge"):
            title = group.findtext(f"{SVG}title") or ""
            found[title] = texts(group.iter(f"{SVG}text"))
    return found


def texts(found: Iterable[ElementTree.Element]) -> list[str]:
    """What texts say, without the spaces around it and the marks that keep right-to-left names in their places."""
    return [(x.text or "").replace("\u200e", "").strip() for x in found]


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
def test_golden(graph: Callable[[], tuple[Value, dict[str, Any]]]) -> None:
    """Set UPDATE_GOLDEN=1 to write the files anew, and look at what has changed."""
    value, names = graph()
    source = draw(value, names=names).dot
    path = GOLDEN / f"{graph.__name__}.dot"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("model", graphs.MODELS, ids=lambda model: model.__name__)
def test_golden_in_the_view_of_the_builder(model: Callable[[], Drawing]) -> None:
    source = model().dot
    path = GOLDEN / f"{model.__name__}.dot"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("model", graphs.MODELS, ids=lambda model: model.__name__)
def test_both_renderers_show_the_same_in_the_view_of_the_builder(model: Callable[[], Drawing]) -> None:
    drawing = model()
    first, second = (svg_of(drawing, name) for name in RENDERERS)
    assert contents(first) == contents(second)
    shown = [sorted(texts(ElementTree.fromstring(svg).iter(f"{SVG}text"))) for svg in (first, second)]
    assert shown[0] == shown[1]
    for fold in drawing.scene.folds:  # type: ignore[attr-defined]
        assert fold.title in shown[0]


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
def test_both_renderers_show_the_same(graph: Callable[[], tuple[Value, dict[str, Any]]]) -> None:
    value, names = graph()
    drawing = draw(value, names=names)
    first, second = (contents(svg_of(drawing, name)) for name in RENDERERS)
    assert first == second
    assert {card.id for card in drawing.scene.cards} <= set(first)
    for card in drawing.scene.cards:
        assert first[card.id][0] == card.name.strip()
        assert card.shape in first[card.id] or not card.shape
    for edge in drawing.scene.edges:
        if edge.pill is not None:
            assert first[f"{edge.source}_{edge.target}"] == [*edge.pill.lines, *filter(None, [edge.pill.note])]


def test_the_source_does_not_depend_on_the_run() -> None:
    code = (
        "import graphs; from autograd_core import draw; v, names = graphs.classifier(); print(draw(v, names=names).dot)"
    )
    sources = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(["tests/draw", *sys.path])},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sources) == 1


# Hostile names --------------------------------------------------------------------------------------------------------

ELEMENTS = {"svg", "style", "g", "title", "polygon", "path", "text", "a"}

HOSTILE = [
    "<![CDATA[",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    '" onload="alert(1)',
    "<!-- ",
    "<?xml?>",
    "שלום \u200f",
    '"',
    "'",
    "<b>",
    "</td>",
    "<script>alert(1)</script>",
    "&",
    "&amp;",
    "&nosuch;",
    "&#0;",
    "]",
    "a]]",
    "]]>",
    "-->",
    "\\",
    "\\N",
    "\\G\\L\\T",
    'ends with \\"',
    "\\\\",
    "two\nlines",
    "tab\there",
    "\x00",
    "\x1b[31m",
    "\x85",
    "\ufffe",
    "\ud800",
    "😀",
    "👩‍🔬",
    "名前",
    "\u202eright to left",
    "x" * 500,
    "{record|label}",
    "%d %s {x}",
    "n0",
    "n0:port",
    "a -> b;",
    "}",
    "#c",
    "//",
    "/*",
    "$x$",
]


def pictures(names: list[str]) -> tuple[list[bytes], Any]:
    """Both renderers' pictures of a graph whose Values and arrays have these names."""
    values: list[Any] = [Value(1.0, name=name) for name in names]
    arrays = {f"{name} array": np.ones(2) for name in names}
    total = sum(values) * np.ones(2)
    for array in arrays.values():
        total = total + array
    total.name = names[0]
    drawing = draw(total, names=arrays)
    return [svg_of(drawing, name) for name in RENDERERS], drawing.scene


def check(names: list[str]) -> None:
    svgs, scene = pictures(names)
    shown = []
    for svg in svgs:
        assert b"<script" not in svg
        root = ElementTree.fromstring(svg)
        assert {x.tag.removeprefix(SVG) for x in root.iter()} <= ELEMENTS
        for x in root.iter():  # no link, no script
            assert {key.split("}")[-1] for key in x.attrib}.isdisjoint({"href", "onclick", "onload", "target"})
        found = contents(svg)
        assert {card.id for card in scene.cards} <= set(found)
        shown.append(found)
    assert shown[0] == shown[1]
    for card in scene.cards:
        assert re.sub(r"\s+", " ", shown[0][card.id][0]).strip() == re.sub(r"\s+", " ", card.name).strip()


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_breaks_the_picture(name: str) -> None:
    check([name])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), min_size=1, max_size=6))
def test_no_text_breaks_the_picture(names: list[str]) -> None:
    check(names)


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from("<>&;\"'\\/#nNGx \n{}|lt-!"), min_size=1, max_size=30))
def test_no_markup_breaks_the_picture(name: str) -> None:
    check([name])


def test_dashes_and_widths() -> None:
    value, names = graphs.neuron()
    source = draw(value, names=names).dot
    assert source.count("style=dashed") == 2  # from x and from y
    assert source.count("penwidth=3.50") == 2  # both halves of the arrow into L
