"""Random programs, seeded: `make fuzz` runs more of them."""

import re
import subprocess
import sys
from pathlib import Path

import fuzz
import fuzz_lines
import pytest

from autograd_core.op import Op


@pytest.mark.parametrize("first", range(0, 300, 10))
def test_derivatives_of_random_programs_agree(first: int) -> None:
    for seed in range(first, first + 10):
        fuzz.run(seed)


def test_programs_are_varied_and_the_same_for_the_same_seed() -> None:
    programs = [fuzz.make(seed) for seed in range(300)]
    assert [p.source() for p in programs[:20]] == [fuzz.make(seed).source() for seed in range(20)]
    assert max(len(p.lines) for p in programs) == fuzz.LONGEST
    text = "\n".join(p.definition() for p in programs)
    missing = {op.name for op in fuzz_lines.SAMPLED + fuzz_lines.REDUCING if f"OPS[{op.name!r}]" not in text}
    assert len(missing) <= len(fuzz_lines.BUILT_IN) / 4
    assert set(fuzz_lines.SEVERAL) == {"eigh", "qr", "slogdet", "svd"}
    assert {name for name in fuzz_lines.SEVERAL if f"picked(OPS[{name!r}]" in text} == set(fuzz_lines.SEVERAL)
    assert {str(getattr(x, "dtype", "weak")) for p in programs for x in p.variables.values()} == {
        "float32", "float64", "weak",
    }  # fmt: skip


def test_most_differences_are_conclusive() -> None:
    counts = sum((fuzz.run(seed) for seed in range(60)), start=fuzz.Counter())
    assert counts["order 1, differences"] > 0.8 * counts["programs"]
    assert counts["order 2, differences"] > 0.7 * counts["programs"]


@pytest.mark.parametrize("name", ["mul", "matmul", "sum", "tanh", "where", "getitem", "softmax"])
def test_a_broken_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op: Op = fuzz_lines.OPS[name]
    broken = tuple(None if rule is None else lambda *args, rule=rule: 1.05 * rule(*args) for rule in op.rules)
    monkeypatch.setattr(op, "rules", broken)
    found = next(found for found in map(fuzz.attempt, range(2000)) if isinstance(found, str))
    assert re.match(r"seed \d+: ", found)
    assert "def program(" in found


def test_programs_do_not_depend_on_what_was_imported_before() -> None:
    """Ops of SciPy are declared when they are first met, and rules of one's own at any time."""
    code = "import sys; sys.path.insert(0, {path!r}); {first}; import fuzz; print(fuzz.make(7).source())"
    sources = [
        subprocess.run(
            [sys.executable, "-c", code.format(path=str(Path(__file__).parent), first=first)],
            capture_output=True, text=True, check=True,
        ).stdout
        for first in ("pass", "import nn.losses, autograd_core.ops.fft, autograd_core.compiler")
    ]  # fmt: skip
    assert sources[0] == sources[1] == fuzz.make(7).source() + "\n"
