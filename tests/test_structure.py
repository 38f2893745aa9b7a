"""The house: imports point one way, files stay small, and the examples in the documentation run."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_core
import nn
from autograd_core.registry import OPS

ROOT = Path(__file__).parent.parent

LAYERS = [
    "data", "trees", "registry", "blocks", "recording", "protocols", "at", "methods", "refusals", "value", "apply",
    "holding", "calls", "graph", "op",
    "ops.linear", "ops.indexing", "ops.several", "ops.matrices", "ops.activations", "ops.elementwise", "ops.primitive",
    "ops.arrange", "ops.sums", "ops.running", "ops.reductions", "ops.statistics", "ops.functions", "ops.ranges",
    "ops.sets", "ops.linalg", "ops.decompositions", "ops.eigen", "ops.singular", "ops.norms", "ops.polynomials",
    "ops.fft", "ops.special.declare", "ops.special.elementary", "ops.special.errors", "ops.special.gamma",
    "ops.special.bessel", "ops.special.integrals", "ops.special.polynomials", "ops.special.probability", "ops.special",
    "ops", "exact", "forward", "batched",
    "backward", "results", "transforms", "checkpointing", "jacobians", "optimize", "gradcheck", "custom", "pickling",
    "debug", "explain", "draw", "compiler",
]  # fmt: skip
"""The files of autograd_core, top first: each imports only from above."""


def layer(module: str) -> int:
    """The place of a module in the list; a package stands for its files."""
    for k, name in enumerate(LAYERS):
        if module == name or (module.startswith(name + ".") and name not in ("ops",)):
            return k
    raise AssertionError(f"autograd_core.{module} has no place in the list of layers")


def imported(path: Path, package: str) -> list[str]:
    """The modules of this project that a file imports, anywhere in it, as dotted names."""
    found = []
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found += [f"{module}.{alias.name}" if not node.module else module for alias in node.names]
    return [name for name in found if name.split(".")[0] == package]


FILES = sorted((ROOT / "autograd_core").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_of_the_engine_imports_only_from_above(path: Path) -> None:
    own = ".".join(path.relative_to(ROOT / "autograd_core").with_suffix("").parts)
    if own == "__init__":
        return
    own = own.removesuffix(".__init__")
    for name in imported(path, "autograd_core"):
        module = name.removeprefix("autograd_core.")
        assert not module.startswith("nn")
        if module.split(".")[0] == own.split(".")[0] and own.split(".")[0] in ("explain", "draw", "compiler"):
            continue  # within a package: tested for cycles below
        assert layer(module) < layer(own) or own == "ops" or own == module.rpartition(".")[0], (
            f"{own} imports {module}, which is not above it"
        )


@pytest.mark.parametrize(
    "package",
    ["autograd_core.explain", "autograd_core.draw", "autograd_core.compiler", "autograd_core.compiler.llvm", "nn"],
)
def test_packages_have_no_import_cycles(package: str) -> None:
    files = {p.stem: p for p in (ROOT / Path(*package.split("."))).glob("*.py")}
    above = {
        name: {m.split(".")[-1] for m in imported(path, package.split(".")[0]) if m.startswith(package + ".")}
        & set(files)
        for name, path in files.items()
    }
    while above:
        free = [name for name, needs in above.items() if not needs - {name}]
        assert free, f"a cycle among {sorted(above)}"
        above = {name: needs - set(free) for name, needs in above.items() if name not in free}


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_nn_needs_nothing_but_the_public_list(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("autograd_core"):
            assert node.module == "autograd_core"
            assert {alias.name for alias in node.names} <= set(autograd_core.__all__)


@pytest.mark.parametrize("path", FILES + sorted((ROOT / "nn").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 350


def modules() -> list[str]:
    found = []
    for package in (autograd_core, nn):
        found.append(package.__name__)
        found += [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    return found


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(
        module, extraglobs={"np": np} | {n: getattr(autograd_core, n) for n in autograd_core.__all__}
    )
    assert failed == 0


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_examples_of_ops(op: object) -> None:
    names = {"np": np} | {n: getattr(autograd_core, n) for n in autograd_core.__all__}
    tests = doctest.DocTestParser().get_doctest(op.__doc__ or "", names, str(op), None, None)
    assert doctest.DocTestRunner().run(tests).failed == 0


def test_the_oldest_numpy_that_is_allowed_will_do() -> None:
    newer = ["astype", "unstack", "cumulative_sum", "cumulative_prod", "matvec", "vecmat"]  # than NumPy 2.0
    code = f"import numpy as np\nfor name in {newer}: vars(np).pop(name, None)\nimport autograd_core, nn"
    code += "\nprint(autograd_core.grad(np.cumsum)(np.array(2.0)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("1.0\n", "")


def test_the_public_list_is_what_the_packages_show() -> None:
    for package in (autograd_core, nn):
        for name in package.__all__:
            assert getattr(package, name).__doc__


@pytest.mark.parametrize("name", sorted(autograd_core.__all__))
def test_what_is_public_is_documented_with_an_example(name: str) -> None:
    text = getattr(autograd_core, name).__doc__
    assert len(text.partition(">>>")[0]) > 100
    assert ">>> " in text
