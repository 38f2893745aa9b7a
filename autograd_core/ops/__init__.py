"""The ops: importing this package fills the registry; those of SciPy follow when they are first met (`special.py`)."""

from . import arrange, elementwise, functions, indexing, linalg, linear, matrices, norms, primitive, statistics, sums

__all__ = [
    "arrange", "elementwise", "functions", "indexing", "linalg", "linear", "matrices", "norms", "primitive",
    "statistics", "sums",
]  # fmt: skip
