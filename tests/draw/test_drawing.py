"""Drawings: shown, saved, refused; and that to draw changes nothing."""

import os
import pickle
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest
from samples import EVERY_SAMPLE, Sample

from autograd_core import Value, draw
from autograd_core.draw import Drawing, render
from autograd_core.draw.metrics import substituted
from autograd_core.graph import ancestors


@pytest.fixture
def drawing() -> Drawing:
    value, names = graphs.neuron()
    return draw(value, names=names)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a renderer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))


def executable(path: Path, code: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o755)
    return path


def test_it_shows_itself_in_jupyter(drawing: Drawing) -> None:
    bundle = drawing._repr_mimebundle_()
    assert ElementTree.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert bundle["text/plain"] == "<Drawing of L = mean((σ(w·x + b) − y)²): 10 cards, 9 arrows>"


def test_save(drawing: Drawing, tmp_path: Path) -> None:
    drawing.save(tmp_path / "x.svg")
    drawing.save(str(tmp_path / "x.PNG"))
    drawing.save(tmp_path / "x.dot")
    assert ElementTree.fromstring((tmp_path / "x.svg").read_bytes()).tag.endswith("svg")
    assert (tmp_path / "x.PNG").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == drawing.dot


@pytest.mark.parametrize("name", ["x.jpg", "x", "svg"])
def test_other_formats_are_refused(drawing: Drawing, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="only as dot, gif, pdf, png, svg"):
        drawing.save(tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(("x", "kind"), [(3.0, "float"), (np.ones(2), "ndarray"), ([Value(1.0)], "list")])
def test_only_values_have_a_graph(x: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"draw takes a Value.*a {kind} has no graph"):
        draw(x)


def test_names_are_a_dictionary() -> None:
    with pytest.raises(TypeError, match=r"such as locals\(\)"):
        draw(Value(1.0), names=["x"])  # type: ignore[arg-type]


# Renderers ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nowhere")
def test_without_a_renderer_the_error_says_what_to_install_and_the_source_is_there(
    drawing: Drawing, tmp_path: Path
) -> None:
    with pytest.raises(render.MissingRendererError, match=r"pip install graphviz-pure.*save\('graph.dot'\)"):
        drawing.save(tmp_path / "x.svg")
    drawing.save(tmp_path / "x.dot")
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "pip install graphviz-pure" in bundle["text/plain"]
    assert drawing.dot in bundle["text/plain"]


@pytest.mark.usefixtures("nowhere")
def test_the_wheel_is_preferred_and_looked_for_beside_python_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system = executable(tmp_path / "system" / "dot", "")
    monkeypatch.setenv("PATH", str(system.parent))
    assert render.find() == str(system)
    on_path = executable(tmp_path / "system" / "graphviz-pure", "")
    assert render.find() == str(on_path)
    beside = executable(tmp_path / "scripts" / "graphviz-pure", "")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(beside.parent))
    assert render.find() == str(beside)


def test_a_renderer_that_fails_is_quoted(drawing: Drawing, tmp_path: Path) -> None:
    broken = executable(tmp_path / "bin" / "dot", "import sys; sys.exit('no such font')")
    with pytest.raises(RuntimeError, match="exit code 1: no such font"):
        render.render(drawing.dot, "svg", str(broken))


def test_a_renderer_that_hangs_is_stopped(drawing: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "LONGEST", 0.2)
    slow = executable(tmp_path / "bin" / "dot", "import time; time.sleep(60)")
    with pytest.raises(RuntimeError, match=r"stopped after 0\.2 s: draw a part"):
        render.render(drawing.dot, "svg", str(slow))


@pytest.mark.parametrize("renderer", ["auto", "graphviz-pure", "dot"])
def test_a_renderer_may_be_chosen(drawing: Drawing, renderer: str) -> None:
    try:
        render.program_for("svg", renderer)
    except render.MissingRendererError:
        pytest.skip(f"{renderer} is not installed")
    first, second = (drawing.render("svg", renderer=renderer) for _ in range(2))
    assert first == second  # to the byte
    assert b"generated" not in first.lower()


def test_an_unknown_renderer_is_refused(drawing: Drawing) -> None:
    with pytest.raises(ValueError, match="renderer='cairo': it is 'auto', 'graphviz-pure' or 'dot'"):
        drawing.render("svg", renderer="cairo")


def test_pdf_through_the_systems_dot(drawing: Drawing, tmp_path: Path) -> None:
    try:
        render.find(["dot"])
    except render.MissingRendererError:
        pytest.skip("dot is not installed")
    drawing.save(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"graphviz-pure writes no PDF: renderer='dot' does, or save as \.svg"):
        drawing.save(tmp_path / "y.pdf", renderer="graphviz-pure")
    assert not (tmp_path / "y.pdf").exists()


@pytest.mark.usefixtures("nowhere")
def test_without_dot_a_pdf_is_refused_and_an_svg_offered(drawing: Drawing, tmp_path: Path) -> None:
    executable(tmp_path / "graphviz-pure", "")
    with pytest.raises(render.MissingRendererError, match=r"a PDF is written by the system's Graphviz.*save as \.svg"):
        drawing.save(tmp_path / "x.pdf")
    with pytest.raises(render.MissingRendererError, match="renderer='dot': there is no such program"):
        drawing.save(tmp_path / "x.svg", renderer="dot")


# Glyphs ---------------------------------------------------------------------------------------------------------------


def one_glyph(c: str) -> bytes:
    """How graphviz-pure draws a character."""
    source = f'digraph {{ a [shape=plain fixedsize=true width=1 height=1 fontname=Helvetica label="{c}"] }}'
    return render.render(source, "png", render.program_for("png", "graphviz-pure"))


def test_what_has_no_glyph_in_a_png_is_substituted() -> None:
    """A character without a glyph is drawn as a box, the same for all of them."""
    box = one_glyph("名")
    assert {one_glyph(c) for c in "∇⊙∈😀"} == {box}
    for c in "Σσ∂−±×·…∞√≤≥≠²⁻⁴ᵀ►–éЖλŷ₁":
        assert substituted(c) == c
        assert one_glyph(c) != box
    assert substituted("∇f ⊙ x ∈ 名前") == "gradf (·) x  in  U+540D U+524D"


def test_a_name_in_any_script_is_drawn() -> None:
    drawing = draw(Value(1.0, name="名前") * Value(2.0, name="∇"))
    assert "名前" in drawing.render("svg").decode()  # a browser has fonts of its own
    boxes, letters = (render.render(source, "png") for source in (drawing.dot, substituted(drawing.dot)))
    assert drawing.render("png") == letters != boxes


# Values in Jupyter ----------------------------------------------------------------------------------------------------


def test_a_value_shows_its_graph_in_jupyter() -> None:
    x = Value(2.0, name="x")
    y = x * x
    before = pickle.dumps(y)
    bundle = y._repr_mimebundle_()  # type: ignore[attr-defined]
    assert bundle["text/plain"] == repr(y)
    assert b">x<" in bundle["image/svg+xml"].encode()
    assert pickle.dumps(y) == before


def test_a_value_that_nothing_computed_shows_as_text() -> None:
    x = Value(2.0)
    assert x._repr_mimebundle_() == {"text/plain": repr(x)}  # type: ignore[attr-defined]


def test_a_value_with_a_large_graph_shows_itself_folded() -> None:
    v = chain(2_000)
    shown = v._repr_mimebundle_()  # type: ignore[attr-defined]
    assert shown["text/plain"] == repr(v)
    assert "× 1,998" in shown["image/svg+xml"]


@pytest.mark.usefixtures("nowhere")
def test_a_value_without_a_renderer_shows_as_text() -> None:
    v = Value(2.0) * 3.0
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}  # type: ignore[attr-defined]


def test_ipython_shows_a_value() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(Value(2.0, name="x") * 3.0)
    assert set(shown) == {"text/plain", "image/svg+xml"}


# Sizes ----------------------------------------------------------------------------------------------------------------


def chain(n: int) -> Value:
    v = Value(1.0)
    for _ in range(n):
        v = v + 1.0
    return v


def test_deep_chains_are_drawn_without_recursion_and_refused_before_rendering() -> None:
    drawing = draw(chain(3000), view="learn")
    assert drawing.dot.count("class=") == 0
    assert len(drawing.scene.cards) == 3001
    with pytest.raises(
        ValueError, match=r"3,001 cards, too many for svg, up to 1,000 \(dot up to 10,000\): view=\"model\" folds"
    ):
        drawing.render("svg")
    assert "too many for svg" in drawing._repr_mimebundle_()["text/plain"]
    with pytest.raises(ValueError, match=r"100,001 cards, too many for dot, up to 10,000: view=\"model\" folds"):
        draw(chain(100_000), view="learn")


def test_a_png_holds_fewer_cards(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"301 cards, too many for png, up to 250 \(dot up to 10,000, svg up to 1,000, pdf"
    ):
        draw(chain(300), view="learn").save(tmp_path / "x.png")


def test_arrows_that_pass_too_many_rows_are_refused() -> None:
    v, w = Value(1.0), Value(0.5)
    for _ in range(150):
        v = v * w
    with pytest.raises(ValueError, match="too many and too long"):
        draw(v, view="learn").render("svg")


# What drawing leaves alone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("graph", graphs.GRAPHS, ids=lambda graph: graph.__name__)
def test_drawing_changes_nothing(graph: Any) -> None:
    value, names = graph()
    before = pickle.dumps((value, names))
    stamp = Value(0.0).stamp
    with np.errstate(all="raise"):
        first = draw(value, names=names)
        assert first.dot == draw(value, names=names).dot
    assert Value(0.0).stamp == stamp + 1  # nothing was recorded
    assert pickle.dumps((value, names)) == before


WITHOUT_FORMULA = ("rfft", "irfft")
"""Ops whose rules weigh elements by an array that has no name. So have those of several results, which see them all."""


@pytest.mark.parametrize("sample", EVERY_SAMPLE, ids=lambda sample: sample.label)
def test_every_op_is_drawn(sample: Sample) -> None:
    out = sample.function(*[Value(x) for x in sample.variables])
    assert "no backward pass yet" in draw(out).dot
    out.backward(np.ones(out.shape))
    drawing = draw(out)
    assert "backward pass done" in drawing.dot
    without = [line for edge in drawing.scene.edges if edge.pill for line in edge.pill.lines if "without" in line]
    several = any(type(x.data) is tuple for x in ancestors([out]))
    assert not without or several or sample.op.name in WITHOUT_FORMULA


def test_a_drawing_keeps_the_numbers_of_its_time() -> None:
    w = Value(2.0, name="w")
    loss = w * w
    drawing = draw(loss)
    loss.backward()
    assert "no backward pass yet" in drawing.dot
    assert "backward pass done" in draw(loss).dot


def test_what_draws_is_imported_when_it_is_used() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import autograd_core; new = set(sys.modules) - before; "
        "print(sorted(new & {'graphviz', 'subprocess', 'shutil', 'autograd_core.explain.symbols', "
        "'autograd_core.draw.dot'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[]"
