"""The notebooks run, their asserts hold, and what they show is what is committed."""

import doctest
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

import notebooks.run  # noqa: E402
from notebooks.run import agree, differences, execute, faults, read, text_of  # noqa: E402

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path):
    committed = read(path)
    assert list(faults(committed)) == []
    executed = execute(committed, tmp_path)
    assert list(faults(executed)) == []
    assert list(differences(committed, executed)) == [], f"make notebooks NOTEBOOK={path.stem} writes it anew"


def notebook_of(*sources):
    """A notebook of code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


DRAWING = """from autograd_core import Value, draw
print(0.123456, end=" ", flush=True); print(7)
x = Value(2.0, name="x")
draw(x * 3.0)"""
PLOT = """import matplotlib.pyplot as plt
plt.plot([1, 2]);"""


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return execute(notebook_of(DRAWING, PLOT), tmp_path_factory.mktemp("example"))


def test_a_notebook_without_faults_is_the_same_when_it_is_run_again(example, tmp_path):
    assert list(faults(example)) == []
    shown = {kind for cell in example.cells for output in cell.outputs for kind in output.get("data", {})}
    assert shown == {"image/svg+xml", "image/png", "text/plain"}
    assert text_of(execute(example, tmp_path)) == text_of(example)


def change(notebook, old, new):
    return nbformat.reads(text_of(notebook).replace(old, new), as_version=4)


def changed(notebook, old, new):
    """The notebook with another output."""
    text = text_of(notebook)
    assert text.count(old) == 1
    return nbformat.reads(text.replace(old, new), as_version=4)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.123456 7", "0.123467 7", "cell 1, stdout: '0.123456' as committed, and now '0.123467'"),
        ("0.123456 7", "0.123456 8", "cell 1, stdout: '7' as committed, and now '8'"),
        ("0.123456 7", "0.123456 seven", "cell 1, stdout: '0.123456 7' as committed, and now '0.123456 seven'"),
        (
            ">out = x·3</text>",
            ">out = y·3</text>",
            "cell 1, image/svg+xml: 'out = x·3' as committed, and now 'out = y·3'",
        ),
        ('"image/png"', '"image/gif"', "cell 2 shows ['image/png', 'text/plain'] as committed, and now ['image/gif', "),
    ],
)
def test_what_has_changed_is_told(example, old, new, told):
    (difference,) = differences(example, changed(example, old, new))
    assert difference.startswith(told)


@pytest.mark.parametrize("new", ["0.123456    7", "0.123457 7"])
def test_white_space_and_the_last_digit_do_not_count(example, new):
    assert list(differences(example, changed(example, "0.123456 7", new))) == []


def test_tags_say_what_is_not_the_same_each_time(example):
    for new, tag in (("0.5 s 70", "timed"), ("0.124 7", "approximate")):
        other = changed(example, "0.123456 7", new)
        assert list(differences(example, other)) != []
        tagged = nbformat.from_dict(example)
        tagged.cells[0].metadata["tags"] = [tag]
        assert list(differences(tagged, other)) == []


def test_numbers_agree():
    assert doctest.testmod(notebooks.run).failed == 0
    assert not agree("2.2e-6", "0.0")
    assert agree("2.2e-6", "2.3e-6")  # a unit of the last digit
    assert not agree("2.20e-6", "2.30e-6")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import warnings; warnings.warn('ah')", "cell 1 warns"),
        ("object()", "cell 1 shows '0x"),
        ("from pathlib import Path; Path.cwd()", "cell 1 shows '/tmp"),
    ],
)
def test_what_a_reader_should_not_meet(source, fault, tmp_path):
    assert any(found.startswith(fault) for found in faults(execute(notebook_of(source), tmp_path)))


def test_a_page_that_was_not_executed_in_order(example):
    other = changed(example, '"execution_count": 1,\n   "id"', '"execution_count": 3,\n   "id"')
    assert list(faults(other)) == ["cell 1 is numbered 3: not all cells were executed once, in order"]


def test_a_page_that_was_saved_by_another_program(example):
    other = nbformat.from_dict(example)
    other.cells[0].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    assert list(faults(other)) == ["it is not in the normal form"]


def test_an_error_in_a_cell_is_raised(tmp_path):
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        execute(notebook_of("1 / 0"), tmp_path)
