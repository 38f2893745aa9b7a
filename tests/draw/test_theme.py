"""Light and dark: every text can be read on its ground, and the reader's preference decides between them."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import graphs
import pytest

from autograd_core import Value, draw
from autograd_core.draw import Drawing
from autograd_core.draw.theme import COLOUR, DARK, dark

PAPER = "#FFFFFF"


def drawings(graph: Callable[[], tuple[Value, dict[str, Any]]]) -> list[Drawing]:
    """The drawing of a graph, and two frames of it if it can be stepped through."""
    value, names = graph()
    drawing = draw(value, names=names)
    return [drawing] if value.grad is None else [drawing, drawing.step(0), drawing.step(2)]


def labels(source: str) -> Iterator[ElementTree.Element]:
    """The tables of all nodes, as trees."""
    for found in re.findall(r"label=<(<table.*?</table>)>(?: |]|\n)", source):
        yield ElementTree.fromstring(found)


def pairs(table: ElementTree.Element) -> set[tuple[str, str]]:
    """Each colour of a text, with the colour of the ground behind it."""
    found, pending = set(), [(table, PAPER)]
    while pending:
        element, ground = pending.pop()
        ground = element.get("bgcolor", ground)
        if element.tag == "font":
            found.add((element.get("color") or "", ground))
        pending += [(child, ground) for child in element]
    return found


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
def test_every_text_has_contrast_in_both_themes(graph: Callable[[], tuple[Value, dict[str, Any]]]) -> None:
    for drawing in drawings(graph):
        tables = list(labels(drawing.dot))
        assert len(tables) > len(drawing.scene.cards)
        for text, ground in set().union(*map(pairs, tables)):
            assert contrast(text, ground) >= 4.5, (text, ground)
            assert contrast(DARK[text], DARK[ground]) >= 4.5, (text, ground, "in the dark")


@pytest.mark.parametrize("model", graphs.MODELS, ids=lambda model: model.__name__)
def test_every_text_of_the_builders_view_has_contrast_in_both_themes(model: Callable[[], Drawing]) -> None:
    for text, ground in set().union(*map(pairs, labels(model().dot))):
        assert contrast(text, ground) >= 4.5, (text, ground)
        assert contrast(DARK.get(text, text), DARK.get(ground, ground)) >= 4.5, (text, ground, "in the dark")


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
def test_every_colour_has_a_counterpart_of_its_own(graph: Callable[[], tuple[Value, dict[str, Any]]]) -> None:
    for drawing in drawings(graph):
        assert set(COLOUR.findall(drawing.dot)) <= set(DARK)
        assert set(re.findall(r'color="?(?!#)(\w+)', drawing.dot)) <= set()
        assert set(COLOUR.findall(dark(drawing.dot))) <= set(DARK.values())


def test_outlines_and_lines_are_seen() -> None:
    """Graphics need a contrast of 3 to 1 (WCAG 2.1, 1.4.11)."""
    for line in ("#0072B2", "#7A7A7A", "#8A8A8A", "#D55E00", "#8B8B8B"):
        assert contrast(line, PAPER) >= 3
        assert contrast(DARK[line], DARK[PAPER]) >= 3


def test_auto_follows_the_reader_and_the_others_do_not() -> None:
    value, names = graphs.neuron()
    drawing = draw(value, names=names)
    auto, light, night = (drawing.render("svg", theme=theme).decode() for theme in ("auto", "light", "dark"))
    assert "prefers-color-scheme" in auto
    assert "prefers-color-scheme" not in light + night
    assert re.sub(r"<style>.*</style>", "", auto).replace(' class="drawing"', "") == light
    assert 'class="drawing"' not in light + night
    assert "#dcebf7" in light
    assert "#dcebf7" not in night
    assert DARK["#DCEBF7"].lower() in night


def test_pictures_without_a_reader_are_light() -> None:
    value, names = graphs.neuron()
    drawing = draw(value, names=names)
    light = drawing.render("png", theme="light")
    assert drawing.render("png") == light
    assert drawing.render("png", theme="dark") != light
    assert drawing.render("dot", theme="dark").decode() == dark(drawing.dot) != drawing.dot


def test_a_name_that_looks_like_a_colour_is_left_alone() -> None:
    w = Value(1.0, name='color="#000000"')
    picture = draw(w * 2.0).render("svg", theme="dark").decode()
    assert "color=&quot;#000000&quot;" in picture


def test_unknown_themes_are_refused() -> None:
    with pytest.raises(ValueError, match="theme='night': it is 'auto', 'light', 'dark'"):
        draw(Value(1.0) * 2.0).render("svg", theme="night")
