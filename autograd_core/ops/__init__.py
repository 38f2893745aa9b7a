"""The ops: importing this package fills the registry; those of SciPy follow when they are first met (`special.py`)."""

from . import (
    arrange,
    decompositions,
    elementwise,
    fft,
    functions,
    indexing,
    linalg,
    linear,
    matrices,
    norms,
    primitive,
    several,
    singular,
    statistics,
    sums,
)

__all__ = [
    "arrange", "decompositions", "elementwise", "fft", "functions", "indexing", "linalg", "linear", "matrices", "norms",
    "primitive", "several", "singular", "statistics", "sums",
]  # fmt: skip
