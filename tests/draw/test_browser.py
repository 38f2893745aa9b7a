"""A real browser opens the pictures: texts stay inside of their cards, colours follow the reader, and nothing runs."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest

from autograd_core import Value, draw
from autograd_core.draw import Drawing

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

LEAVING = """() => {
  const found = [];
  for (const node of document.querySelectorAll('g.node')) {
    const shapes = [...node.querySelectorAll('path, polygon')].map(x => x.getBoundingClientRect());
    const texts = [...node.querySelectorAll('text')].filter(x => x.textContent.trim());
    const left = Math.min(...shapes.map(x => x.left)), right = Math.max(...shapes.map(x => x.right));
    const top = Math.min(...shapes.map(x => x.top)), bottom = Math.max(...shapes.map(x => x.bottom));
    const boxes = texts.map(x => x.getBoundingClientRect());
    const name = node.querySelector('title').textContent;
    for (const [k, box] of boxes.entries()) {
      if (box.left < left || box.right > right || box.top < top - 1 || box.bottom > bottom + 1)
        if (name !== 'legend') found.push([name, texts[k].textContent, 'leaves its card']);
      for (const [j, other] of boxes.entries()) {
        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        if (j < k && across > 1 && down > 0.6 * Math.min(box.height, other.height))
          found.push([name, texts[k].textContent, 'covers ' + texts[j].textContent]);
      }
    }
  }
  return found;
}"""
"""Every text that leaves its card, or covers another one."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def ground(page: Any, selector: str = "polygon") -> str:
    """The colour that the browser fills an element with."""
    return str(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).fill"))


@pytest.mark.parametrize("renderer", ["graphviz-pure", "dot"])
def test_no_text_leaves_its_card(browser: Any, tmp_path: Path, renderer: str) -> None:
    for font, scheme, some in (
        ("Helvetica,Arial,", "light", graphs.GRAPHS),
        ("", "dark", graphs.GRAPHS[:4]),
        ("DejaVu Sans Mono,", "light", graphs.GRAPHS[-4:]),
    ):
        page = browser.new_page(color_scheme=scheme)
        for graph in some:
            value, names = graph()
            drawing = draw(value, names=names)
            frames = [drawing.step(2)] if value.grad is not None and font.startswith("H") else []
            for k, shown in enumerate([drawing, *frames]):
                path = tmp_path / f"{graph.__name__}{k}.svg"
                shown.save(path, renderer=renderer)
                path.write_text(path.read_text("utf-8").replace("Helvetica,Arial,", font), "utf-8")
                page.goto(path.as_uri())
                assert page.evaluate(LEAVING) == [], (graph.__name__, font)
                dark = scheme == "dark"
                assert ground(page) == ("rgb(21, 24, 29)" if dark else "rgb(255, 255, 255)")
                assert ground(page, "g.node text") == ("rgb(243, 244, 246)" if dark else "rgb(0, 0, 0)")
        page.close()


@pytest.mark.parametrize("font", ["Helvetica,Arial,", "DejaVu Sans Mono,"])
@pytest.mark.parametrize("model", graphs.MODELS, ids=lambda model: model.__name__)
def test_no_text_leaves_its_card_in_the_view_of_the_builder(
    browser: Any, tmp_path: Path, model: Callable[[], Drawing], font: str
) -> None:
    path = tmp_path / "x.svg"
    model().save(path)
    path.write_text(path.read_text("utf-8").replace("Helvetica,Arial,", font), "utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.evaluate(LEAVING) == []
    page.close()


def test_a_text_that_leaves_its_card_is_seen(browser: Any, tmp_path: Path) -> None:
    value, names = graphs.neuron()
    path = tmp_path / "x.svg"
    draw(value, names=names).save(path)
    path.write_text(path.read_text("utf-8").replace('font-size="12"', 'font-size="12" dx="20"'), "utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert len(page.evaluate(LEAVING)) > 5
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_that_was_asked_for_stays(browser: Any, tmp_path: Path, theme: str) -> None:
    value, names = graphs.neuron()
    draw(value, names=names).save(tmp_path / "x.svg", theme=theme)
    page = browser.new_page(color_scheme="dark" if theme == "light" else "light")
    page.goto((tmp_path / "x.svg").as_uri())
    assert ground(page) == ("rgb(21, 24, 29)" if theme == "dark" else "rgb(255, 255, 255)")
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_that_was_asked_for_stays_beside_one_that_follows(browser: Any, tmp_path: Path, theme: str) -> None:
    value, names = graphs.neuron()
    both = [draw(value, names=names).render("svg", theme=chosen).decode() for chosen in (theme, "auto")]
    (tmp_path / "x.html").write_text("<!doctype html><meta charset=utf-8>" + "".join(both), "utf-8")
    page = browser.new_page(color_scheme="dark")
    page.goto((tmp_path / "x.html").as_uri())
    texts = "[...document.querySelector('svg').querySelectorAll('text')].map(x => getComputedStyle(x).fill)"
    shown = set(page.evaluate(texts))
    alone = browser.new_page(color_scheme="dark")
    (tmp_path / "y.html").write_text(f"<!doctype html><meta charset=utf-8>{both[0]}", "utf-8")
    alone.goto((tmp_path / "y.html").as_uri())
    assert shown == set(alone.evaluate(texts))
    assert ground(page) == ("rgb(21, 24, 29)" if theme == "dark" else "rgb(255, 255, 255)")
    page.close()
    alone.close()


ATTACKS = [
    "<script>window.hit=1</script>",
    "</text><script>window.hit=1</script>",
    "]]></style><script>window.hit=1</script>",
    '" onload="window.hit=1" x="',
    "' onmouseover='window.hit=1",
    "--><script>window.hit=1</script>",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "&#60;script&#62;window.hit=1&#60;/script&#62;",
    "javascript:window.hit=1",
    "<![CDATA[<script>window.hit=1</script>]]>",
    '<a href="javascript:window.hit=1">x</a>',
    '<foreignObject><body onload="window.hit=1"/></foreignObject>',
    "\x00<script>window.hit=1</script>",
    '\u202e"><svg onload=window.hit=1>',
    '</title><img src=x onerror="window.hit=1">',
]


@pytest.mark.parametrize("renderer", ["graphviz-pure", "dot"])
def test_no_name_runs_as_a_script(browser: Any, tmp_path: Path, renderer: str) -> None:
    total: Any = Value(0.0, name="window.hit=1")
    for name in ATTACKS:
        total = total + Value(1.0, name=name)
    total.name = ATTACKS[0]
    total.backward()
    path = tmp_path / "x.svg"
    draw(total).save(path, renderer=renderer)
    svg = path.read_text("utf-8")
    inline, shown = tmp_path / "x.html", draw(total).step(1).render("svg", renderer=renderer).decode()
    inline.write_text(f"<!doctype html><meta charset=utf-8>{shown}", "utf-8")  # as notebooks show it: read as HTML
    page = browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    for opened in (path, inline):
        page.goto(opened.as_uri())
        for node in page.query_selector_all("g.node")[:20]:
            node.hover(force=True, position={"x": 4, "y": 4})
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.querySelectorAll('script, foreignObject, img, [onload], [href]').length") == 0
    assert said == []
    assert svg.count("&lt;script&gt;") > 5
    page.goto((path).as_uri())
    page.evaluate("window.hit = 1")  # the check can fail
    assert page.evaluate("window.hit") == 1
    page.close()


@pytest.mark.parametrize("inputs", [3, 20])
def test_on_a_phone_a_picture_shrinks_as_far_as_it_can_be_read(browser: Any, inputs: int) -> None:
    svg = draw(np.stack([Value(float(k)) for k in range(inputs)])).render("svg").decode().partition("?>")[2]
    sizes = []
    for wide in (390, 20_000):
        page = browser.new_page(viewport={"width": wide, "height": 800})
        page.set_content(f'<body style="margin: 0">{svg}</body>')
        sizes.append(page.evaluate("document.querySelector('svg').getBoundingClientRect().toJSON()"))
        page.close()
    small, large = sizes
    assert large["width"] > 390
    assert small["width"] == pytest.approx(390 if inputs == 3 else large["width"] / 2, abs=1)
    assert small["height"] / small["width"] == pytest.approx(large["height"] / large["width"], rel=0.01)


def test_right_to_left_names_leave_numbers_where_they_are(browser: Any, tmp_path: Path) -> None:
    """In "∂תוצאה/∂b = שלום = 2" the 2 stands at the end, and signs stand between the words that they stand between."""
    out = Value(2.0, name="שלום") * Value(3.0, name="b")
    out.backward()
    out.name = "תוצאה"
    path, page = tmp_path / "x.svg", browser.new_page()
    draw(out).save(path)
    page.goto(path.as_uri())
    seen = """part => {
      const text = [...document.querySelectorAll('text')].find(x => x.textContent.includes(part));
      const n = text.getNumberOfChars();
      return [...Array(n).keys()].map(k => [text.textContent[k], text.getExtentOfChar(k).x]);
    }"""
    places = page.evaluate(seen, "/∂b")
    assert places[-1][0] == "2"
    assert places[-1][1] == max(x for _, x in places)
    title = page.evaluate(seen, "·b")
    signs = {c: x for c, x in title if c in "=·b"}
    first, second = ([x for c, x in title if c in word] for word in ("תצא", "שלם"))
    assert max(first) < signs["="] < min(second) < max(second) < signs["·"] < signs["b"]
    page.close()
