"""How everything here is timed, and how it is written down."""

import datetime
import gc
import importlib
import platform
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from time import perf_counter


@dataclass
class Target:
    """What the project asks of itself, and what was measured; of a ratio, the three quartiles over the rounds."""

    work: str
    against: str
    measured: float | list[float]
    at_most: float
    unit: str = "×"

    def cells(self) -> list[str]:
        """The line in the table of targets."""
        if isinstance(self.measured, list):
            low, value, high = self.measured
            found = f"{value:.2f} {self.unit} ({low:.2f}–{high:.2f})"
        else:
            value = self.measured
            found = f"{value:,.{2 if 0.005 <= value < 10 and value != int(value) else 0}f} {self.unit}"
        met = "yes" if value <= self.at_most else "**no**"
        return [self.work, self.against, f"≤ {self.at_most:g} {self.unit}", found, met]


@dataclass
class Report:
    """What one benchmark found: a section of Markdown and its lines in the table of targets."""

    text: str
    targets: list[Target]


def run(name: str) -> Report:
    """The report of the benchmark in the module of this name."""
    report: Report = importlib.import_module(f"benchmarks.{name}").run()
    return report


@dataclass
class Timing:
    """Seconds a call, a sample of each round."""

    samples: list[float]

    @property
    def seconds(self) -> float:
        return statistics.median(self.samples)

    def quartiles(self, other: "Timing") -> list[float]:
        """The quartiles of the ratio to another, taken round by round."""
        ratios = [a / b for a, b in zip(self.samples, other.samples, strict=True)]
        return statistics.quantiles(ratios, n=4, method="inclusive")

    def ratio(self, other: "Timing") -> float:
        """The median of the ratio to another."""
        return self.quartiles(other)[1]


def compare(
    calls: dict[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: float = 0.02,
    collect: bool = False,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Timing]:
    """Time calls side by side: so many samples of each, in each of which it is repeated for some seconds.

    A machine's clock drifts by more than what is to be measured. So the candidates take turns, a sample each (A B C A B
    C ...), each round gives the ratios of neighbours in time, and the medians count. The garbage collector is on, as
    users have it; `collect` empties it before each sample, where somebody would pay for another's garbage.
    `process_time` as the clock counts the processor's time of all threads, where others share the processor.
    """
    repeats = {name: calibrate(call, seconds, clock) for name, call in calls.items()}
    timings = {name: Timing([]) for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            if collect:
                gc.collect()
            timings[name].samples.append(sample(call, repeats[name], clock))
    return timings


def sample(call: Callable[[], object], repeats: int, clock: Callable[[], float] = perf_counter) -> float:
    """Seconds a call, over so many calls."""
    begin = clock()
    for _ in range(repeats):
        call()
    return (clock() - begin) / repeats


def calibrate(call: Callable[[], object], seconds: float, clock: Callable[[], float] = perf_counter) -> int:
    """How often a call fits into a sample; this warms it up as well."""
    repeats, once = 1, sample(call, 1, clock)
    while once * repeats < seconds / 2:
        repeats *= 2
        once = sample(call, repeats, clock)
    return max(1, round(seconds / once))


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown: numbers to the right, but for the first column."""
    rows = list(rows)
    numbers = [k > 0 and all(row[k][:1].isdigit() for row in rows) for k in range(len(header))]
    align = ["--:" if number else ":--" for number in numbers]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, align, *rows]) + "\n"


def machine() -> str:
    """The processor, the versions and the date."""
    versions = ", ".join(
        f"{name} {metadata.version(name)}"
        for name in ("numpy", "torch", "jax", "llvmlite", "autograd", "mygrad", "micrograd")
    )
    return (
        f"{datetime.date.today()}, {processor()}, one core, float64. "
        f"{platform.python_implementation()} {platform.python_version()}, {versions}."
    )


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
