"""The time of `import autograd_core`, against NumPy's, which it contains."""

import os
import subprocess
import sys

from .harness import Report, Target, Timing, table

ROUNDS, AT_MOST = 41, 1.3
STATEMENTS = ("import numpy", "import autograd_core", "import nn")
PROGRAM = "from time import perf_counter as now; begin = now(); {}; print(now() - begin)"


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With byte code kept from one import to the next, as pip leaves it with what it installs."""


def seconds(statement: str) -> float:
    """One import in a new process, without the start of the interpreter."""
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    return float(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)


def run() -> Report:
    """Import each in turn; the first time compiles to byte code and does not count."""
    for statement in STATEMENTS:
        seconds(statement)
    timings = {statement: Timing([]) for statement in STATEMENTS}
    for _ in range(ROUNDS):
        for statement, timing in timings.items():
            timing.samples.append(seconds(statement))
    reference = timings["import numpy"]
    rows = [
        [f"`{statement}`", f"{timing.seconds * 1e3:.1f}", f"{timing.ratio(reference):.2f}"]
        for statement, timing in timings.items()
    ]
    text = "## Import, in a new process\n\n" + table(["statement", "ms", "× NumPy"], rows)
    quartiles = timings["import autograd_core"].quartiles(reference)
    return Report(text, [Target("`import autograd_core`", "`import numpy`", quartiles, AT_MOST)])
