"""`python -m benchmarks [scalar_chain] [training_step] [second_order] [surface] ...`: run these, or all of them.

Each runs in a process of its own, so that what one imports or leaves behind costs the others nothing.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .harness import Target, machine, run, table

ALL = (
    "scalar_chain", "training_step", "compiled_step", "compiled_fit", "recurrent", "functions", "compiled_functions",
    "second_order", "surface", "estimators", "memory", "drawing", "import_time",
)  # fmt: skip
RESULTS = Path(__file__).with_name("RESULTS.md")


def verdicts(targets: list[Target]) -> str:
    """The table of what was asked for and what was measured."""
    return table(["work", "against", "target", "measured (quartiles)", "met"], [target.cells() for target in targets])


def main(names: list[str]) -> None:
    unknown = set(names) - set(ALL)
    if unknown:
        sys.exit(f"no benchmark named {', '.join(sorted(unknown))}: there are {', '.join(ALL)}")
    header = f"# Measured\n\n{machine()}\n"
    print(header, flush=True)
    reports = []
    spawn = multiprocessing.get_context("spawn")
    for name in names or ALL:
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            reports.append(pool.submit(run, name).result())
        print(reports[-1].text, flush=True)
    summary = "## Targets\n\n" + verdicts([target for report in reports for target in report.targets])
    print(summary)
    if not names:
        RESULTS.write_text("\n".join([header, summary, *(report.text for report in reports)]), encoding="utf-8")
        print(f"\nWritten to {RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
