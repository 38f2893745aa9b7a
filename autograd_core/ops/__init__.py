"""The ops: importing this package fills the registry; those of SciPy and of `fft.py` follow when they are first met."""

from . import (
    activations,
    arrange,
    decompositions,
    eigen,
    elementwise,
    functions,
    indexing,
    linalg,
    linear,
    matrices,
    norms,
    polynomials,
    primitive,
    ranges,
    reductions,
    running,
    sets,
    several,
    singular,
    statistics,
    sums,
)

__all__ = [
    "activations", "arrange", "decompositions", "eigen", "elementwise", "functions", "indexing", "linalg",
    "linear", "matrices", "norms", "polynomials", "primitive", "ranges", "reductions", "running", "sets", "several",
    "singular", "statistics", "sums",
]  # fmt: skip
