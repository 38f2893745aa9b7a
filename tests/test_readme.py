"""The README's examples do what it says, its links lead somewhere, and what CONTRIBUTING.md names is there."""

import doctest
import json
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, run = doctest.testfile(str(README), module_relative=False)
    assert failed == 0
    assert run > 30
    for picture in (*tmp_path.glob("*.svg"), *tmp_path.glob("*.gif")):
        begin = {".svg": b"<?xml", ".gif": b"GIF89a"}[picture.suffix]
        assert picture.read_bytes().startswith(begin)
        assert (ROOT / "docs" / "pictures" / picture.name).is_file()


def test_the_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    assert targets
    for target in targets:
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_page_for_contributors_says_what_there_is() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (declaration,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert textwrap.dedent("   " + declaration.lstrip()) in (ROOT / "autograd_core/ops/elementwise.py").read_text()
    targets = set(re.findall(r"`make ([a-z-]+)", text))
    assert len(targets) > 10
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    packages = [ROOT / "autograd_core", ROOT / "nn"]
    for name in re.findall(r"`([a-z_]+\.py)`", text):
        assert any((folder / name).is_file() or (folder / "compiler" / name).is_file() for folder in packages), name


def cells(text: str, row: str) -> list[str]:
    """The cells of the rows of tables that begin so, one after the other."""
    found = re.findall(rf"^\| {re.escape(row)} \|(.*)\|$", text, re.MULTILINE)
    return [cell.strip() for line in found for cell in line.split("|")]


def rounds(said: str, measured: float) -> bool:
    """Whether a number with so many decimals is another, rounded."""
    return abs(float(said) - measured) <= 0.501 * 0.1 ** len(said.partition(".")[2])


@pytest.mark.parametrize("network", ["2-3-1", "2-16-16-1", "64-32-10", "784-30-10", "784-100-10"])
def test_what_it_says_was_measured_is_in_the_results(network: str) -> None:
    text = README.read_text(encoding="utf-8")
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    tried, ours, hips, mygrad = cells(results, "all")
    assert f"Of {tried} functions of NumPy and SciPy, {ours} can be called on a Value" in text
    assert f"on HIPS autograd's boxes {hips}, on MyGrad's tensors {mygrad}." in text
    (batch,) = set(re.findall(rf"^\| {network}, (\d+) \|", text, re.MULTILINE))
    eager, compiled = cells(text, f"{network}, {batch}")[:4], cells(text, f"{network}, {batch}")[4:]
    ratios = [float(x) for x in re.findall(r"\(([\d.]+)\)", " ".join(cells(results, f"{network}, batch {batch}")))]
    assert all(map(rounds, (eager[0], eager[1], eager[3]), (ratios[1], ratios[6], ratios[5])))
    to_scan = cells(results, f"{network}, batch {batch}, float64")[11:21]
    compiling = cells(results, f"{network}, batch {batch}, float64")[21:]
    wanted = [to_scan[k] for k in (7, 9, 2, 3, 4, 8)] + compiling[3:]
    assert len(compiled) == len(wanted)
    assert all(map(rounds, compiled, map(float, wanted)))


def test_what_the_notebook_says_was_measured_is_in_the_results() -> None:
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    lines = json.loads((ROOT / "notebooks" / "09_fast.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in lines if cell["cell_type"] == "markdown")
    names = re.findall(r"^\| ([\d-]+, batch \d+(?:, float32)?) \|", text, re.MULTILINE)
    assert len(names) == 5
    for name in names:
        to_scan = cells(results, name if "float32" in name else f"{name}, float64")[11:21]
        assert cells(text, name) == [to_scan[k] for k in (4, 2, 5, 7)]
