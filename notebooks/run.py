"""Execute the notebooks, write them so that running them again changes nothing, and tell what has changed.

    python -m notebooks.run              all of them, in place (`make notebooks`)
    python -m notebooks.run 03 04        those whose names begin so

The outputs are committed, because that is what is read on the web. The tests execute every notebook with this file, and
compare what comes out with what is committed, so that a page cannot go stale. A cell whose output is not the same each
time has a tag in its metadata: `timed`, if it prints times or machine code, which are not compared; `approximate`, if
it prints the outcome of a long training, whose last digits depend on the processor.
"""

import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

FOLDER = Path(__file__).parent

CELL_TIMEOUT = 600
"""Seconds after which a cell hangs; on two cores that do nothing else, all notebooks together take less than 150."""

MOST_BYTES = 1_000_000
"""How large a notebook may be: what a page on the web still shows at once."""

Notebook = nbformat.NotebookNode


# Executing ------------------------------------------------------------------------------------------------------------


class ThisPython(KernelSpecManager):  # type: ignore[misc]
    """The one kernel is the Python that runs this, whatever kernels a user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env={
                "MPLBACKEND": "module://matplotlib_inline.backend_inline",
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger warns of frozen modules
                "PYTHONHASHSEED": "0",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            },
        )


def execute(notebook: Notebook, folder: Path) -> Notebook:
    """The notebook with fresh outputs, run in a folder that it may write into; an error in a cell is raised."""
    fresh = nbformat.from_dict(nbformat.v4.upgrade(notebook))
    with tempfile.TemporaryDirectory() as own:
        manager = AsyncKernelManager(
            kernel_spec_manager=ThisPython(),
            connection_file=str(Path(own) / "kernel.json"),
            transport="tcp" if sys.platform == "win32" else "ipc",
        )
        client = NotebookClient(
            fresh,
            km=manager,
            timeout=CELL_TIMEOUT,
            startup_timeout=CELL_TIMEOUT,
            record_timing=False,
            shutdown_kernel="immediate",
            extra_arguments=[f"--ipython-dir={own}"],
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute(cleanup_kc=True)
    return normalised(fresh)


# The one form in which a notebook is committed ------------------------------------------------------------------------

LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": LANGUAGE,
}


def normalised(notebook: Notebook) -> Notebook:
    """The same notebook without what differs from one machine or moment to the next."""
    cells, met = [], {}
    for cell in notebook.cells:
        kept = {"cell_type": cell.cell_type, "source": cell.source, "metadata": {}}
        if tags := cell.metadata.get("tags"):
            kept["metadata"] = {"tags": tags}
        name = hashlib.sha256(f"{cell.cell_type}:{cell.source}".encode()).hexdigest()[:8]
        met[name] = met.get(name, 0) + 1
        kept["id"] = name if met[name] == 1 else f"{name}-{met[name]}"
        if cell.cell_type == "code":
            kept |= {"execution_count": cell.execution_count, "outputs": joined(cell.outputs)}
        cells.append(kept)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def joined(outputs: list[Any]) -> list[Any]:
    """Outputs in which what was printed in one go is one piece: where a stream was flushed is chance."""
    result: list[Any] = []
    for output in outputs:
        last = result[-1] if result else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            result[-1] = last | {"text": last["text"] + output["text"]}
        else:
            result.append(dict(output))
    return result


def read(path: Path) -> Notebook:
    """The notebook of a file."""
    return nbformat.read(path, as_version=4)


def text_of(notebook: Notebook) -> str:
    """What its file holds."""
    return nbformat.writes(notebook) + "\n"


# What is wrong with a notebook, and what has changed ------------------------------------------------------------------


def faults(notebook: Notebook) -> Iterator[str]:
    """What a reader of the committed page should not meet, each as a sentence."""
    text = text_of(notebook)
    if text != text_of(normalised(notebook)):
        yield "it is not in the normal form"
    if len(text.encode()) > MOST_BYTES:
        yield f"it has {len(text.encode()):,} bytes, more than {MOST_BYTES:,}"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        if cell.execution_count != count:
            yield f"cell {count} is numbered {cell.execution_count}: not all cells were executed once, in order"
        for output in cell.outputs:
            if output["output_type"] == "error":
                yield f"cell {count} ends in {output['ename']}: {output['evalue']}"
            if output.get("name") == "stderr":
                yield f"cell {count} warns, or shows progress (write progress=False): {output['text'].strip()}"
            for kind, words in comparable(output):
                if found := re.search(r"0x[0-9a-f]{6,}|/tmp/\w*|/home/\w*|site-packages", words):
                    yield f"cell {count} shows {found[0]!r}, of this machine or moment, in its {kind}"


def differences(committed: Notebook, executed: Notebook) -> Iterator[str]:
    """Where the outputs of one are not those of the other, each as a sentence."""
    pairs = zip(committed.cells, executed.cells, strict=True)
    code = [(old, new) for old, new in pairs if old.cell_type == "code"]
    for count, (old, new) in enumerate(code, start=1):
        tags = old.metadata.get("tags", [])
        before = [kind for output in old.outputs for kind in kinds(output)]
        after = [kind for output in new.outputs for kind in kinds(output)]
        if before != after:
            yield f"cell {count} shows {before} as committed, and now {after}"
        elif "timed" not in tags:
            tolerance = APPROXIMATE if "approximate" in tags else EXACT
            for was, now in zip(old.outputs, new.outputs, strict=True):
                for (kind, a), (_, b) in zip(comparable(was), comparable(now), strict=True):
                    if place := first_difference(a, b, tolerance):
                        yield f"cell {count}, {kind}: {place[0]!r} as committed, and now {place[1]!r}"


def kinds(output: Any) -> list[str]:
    """What an output consists of: the name of a stream, or the media types of what is shown."""
    return [output["name"]] if output["output_type"] == "stream" else sorted(output.get("data", {}))


def comparable(output: Any) -> Iterator[tuple[str, str]]:
    """The texts of an output. Of the project's drawings, the words and numbers in them; of other pictures, nothing."""
    if output["output_type"] == "stream":
        yield output["name"], output["text"]
    for kind, content in sorted(output.get("data", {}).items()):
        if kind == "image/svg+xml":
            elements = ElementTree.fromstring(content).iter("{http://www.w3.org/2000/svg}text")
            yield kind, "\n".join("".join(element.itertext()) for element in elements)
        elif kind.startswith("text/"):
            yield kind, content


NUMBER = re.compile(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")

EXACT, APPROXIMATE = 1e-6, 0.05
"""How far numbers may be apart, relatively. Sums in another order differ in their last digits."""

RESIDUE = 1e-9
"""Numbers below this are the rounding errors of a comparison: they agree if both are."""


def first_difference(a: str, b: str, tolerance: float) -> tuple[str, str] | None:
    """The first words or numbers in which two texts differ; white space, which aligns numbers, does not count."""
    if "".join(NUMBER.sub("", a).split()) != "".join(NUMBER.sub("", b).split()):
        lines = zip(a.splitlines() + [""], b.splitlines() + [""], strict=False)
        return next(((x, y) for x, y in lines if NUMBER.sub("", x).split() != NUMBER.sub("", y).split()), (a, b))
    numbers = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return next(((x, y) for x, y in numbers if not agree(x, y, tolerance)), None)


def agree(a: str, b: str, tolerance: float = EXACT) -> bool:
    """Whether two printed numbers are the same: integers exactly, others to the tolerance or a unit of the last digit.

    >>> agree("0.2984", "0.2983"), agree("0.2984", "0.2974"), agree("120", "121"), agree("2.2e-16", "0.0")
    (True, False, False, True)
    """
    x, y = (float(token.replace("−", "-")) for token in (a, b))
    if tolerance == EXACT and a.lstrip("+-−").isdigit() and b.lstrip("+-−").isdigit():
        return x == y
    unit = min(last_digit(a) or last_digit(b), last_digit(b) or last_digit(a))
    slack = max(tolerance * max(abs(x), abs(y)), 1.001 * unit)
    return abs(x - y) <= slack or max(abs(x), abs(y)) < RESIDUE


def last_digit(token: str) -> float:
    """What one unit of the last printed digit is worth; nothing, in an integer."""
    mantissa, _, exponent = token.partition("e")
    decimals = mantissa.partition(".")[2]
    return 10.0 ** (int(exponent or 0) - len(decimals)) if "." in mantissa or exponent else 0.0


def main(names: list[str]) -> None:
    """Execute notebooks in place."""
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.name.startswith(tuple(names) or "")]
    if not paths:
        raise SystemExit(f"no notebook in {FOLDER.name} begins with {' or '.join(names)}")
    faulty = False
    for path in paths:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            notebook = execute(read(path), Path(folder))
        path.write_text(text_of(notebook), encoding="utf-8")
        print(f"{path.stem}: {time.perf_counter() - start:.1f} s, {path.stat().st_size / 1000:,.0f} kB", flush=True)
        for fault in faults(notebook):
            print(f"  {fault}", flush=True)
            faulty = True
    sys.exit(faulty)


if __name__ == "__main__":
    main([Path(name).name for name in sys.argv[1:]])
