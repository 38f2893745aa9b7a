"""The page of ops is what the registry says now, and its tables are tables."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def ops() -> Any:
    spec = importlib.util.spec_from_file_location("docs_ops", ROOT / "docs" / "ops.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(ops: Any) -> None:
    assert ops.PAGE.read_text(encoding="utf-8") == ops.page(), "run `make ops-page`"


def test_every_op_of_the_package_has_its_line(ops: Any) -> None:
    lines = re.findall(r"^\| `(\w+)` \|", ops.page(), re.MULTILINE)
    assert sorted(lines) == sorted(name for name, op in ops.OPS.items() if ops.home(op))
    assert {"add", "where", "concatenate", "matmul", "softmax"} <= set(lines)


def test_every_line_of_a_table_has_as_many_cells_as_its_head(ops: Any) -> None:
    width = 0
    for line in ops.page().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        found = len(list(ops.cells(line)))
        width = width or found
        assert found == width, line
        for formula in re.findall(r"\$`(.*?)`\$", line):
            assert not set("|<>") & set(formula), formula
            assert formula.count("{") - formula.count(r"\{") == formula.count("}") - formula.count(r"\}"), formula
            assert r"\operatorname" not in formula
            assert not re.search(r"\\mathrm\{[^}]* ", formula), f"spaces are not set in a formula: {formula}"


def test_bars_are_spelled_so_that_they_do_not_end_a_cell(ops: Any) -> None:
    assert ops.math(r"\left|{x}\right| > \|y\|") == r"$`\left \vert {x}\right \vert \gt \Vert y \Vert`$"
    assert list(ops.cells(ops.table(["a"], [[ops.code("x | y")]]).splitlines()[2])) == [r"`x \| y`"]


def test_formulas_come_from_the_rules(ops: Any) -> None:
    page = ops.page()
    assert r"$`\frac{\partial q}{\partial x} = 1 - {q}^{2}`$" in page  # tanh
    assert r"$`g_y = {x}^{\top} \, g`$" in page  # matmul
    assert r"$`\overline{x}`$ | $`g_x = \overline{g}`$" in page  # conj, of complex numbers
    assert "| `grad(np.abs)(0.0)` | `0.0` |" in page
