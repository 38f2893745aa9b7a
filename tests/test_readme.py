"""The README's examples do what it says, and its links lead somewhere."""

import doctest
import re
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
