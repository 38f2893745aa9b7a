"""The README's examples do what it says, its links lead somewhere, and what CONTRIBUTING.md names is there."""

import doctest
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
