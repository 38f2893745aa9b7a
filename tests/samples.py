"""Samples of every op of the registry: what the generated tests run on.

The generated tests want one real array. Of an op that returns several, the results are joined; of complex ones the real
and imaginary parts are stacked. Of complex singular vectors and eigenvectors only what does not depend on their phases
is taken, since the phases are LAPACK's choice.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning

from autograd_core.data import dtype_of
from autograd_core.op import Op
from autograd_core.ops import fft, special  # noqa: F401  they declare the ops that are declared late
from autograd_core.ops.several import picked
from autograd_core.registry import OPS
from autograd_core.value import plain


@dataclass
class Sample:
    """An op at a point: its variables, and the function of just these."""

    op: Op
    variables: list[np.ndarray]
    function: Callable[..., Any]
    label: str


def draw(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    return np.asarray(rng.uniform(low, high, shape))


def star(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def numbered(x: Any) -> Any:
    """The columns of matrices times 1, 2, 3, ..."""
    return x * np.arange(1.0, x.shape[-1] + 1).astype(x.real.dtype if isinstance(x, np.ndarray) else dtype_of(x))


WITHOUT_PHASES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "eig": lambda w, v: (w, numbered(v) @ star(v)),
    "eigh": lambda w, v: (w, numbered(v) @ star(v)),
    "svd": lambda u, s, vh: (s, numbered(u) @ vh, numbered(u) @ star(u), star(vh) @ star(numbered(star(vh)))),
}


def as_real(x: Any) -> Any:
    return np.stack([np.real(x), np.imag(x)]) if dtype_of(x).kind == "c" else x


def as_one(op: Op, out: Any) -> Any:
    """A result as one real array."""
    if type(plain(out)) is not tuple:
        return as_real(out)
    parts = picked(out)
    if op.name in WITHOUT_PHASES and any(dtype_of(x).kind == "c" for x in parts):
        parts = WITHOUT_PHASES[op.name](*parts)
    return np.concatenate([np.ravel(as_real(x)) for x in parts])


def declared_samples(op: Op) -> list[Any]:
    """Shapes and settings; for elementwise ops shapes that broadcast against each other."""
    if op.form != "elementwise":
        return [*op.samples]
    shapes = [[(3, 4)] * op.arity, [(4,), (3, 1), (2, 1, 1)][: op.arity], [()] * op.arity]
    return [(given, {}) for given in shapes]


def samples_of(op: Op, seed: int = 0, *, as_complex: bool = False) -> list[Sample]:
    """Every sample that the op declares; `as_complex`: with complex arguments, each made of two real variables."""
    found = []
    for k, (given, settings) in enumerate(declared_samples(op)):
        rng = np.random.default_rng(seed + k)
        bounds = op.domain or [(-2.0, 2.0)] * len(given)
        args = [
            draw(rng, x, *interval) if isinstance(x, tuple) else x for x, interval in zip(given, bounds, strict=True)
        ]
        free = [isinstance(x, tuple) for x in given]

        def function(*variables: Any, args: Any = args, free: Any = free, settings: Any = settings) -> Any:
            if as_complex:
                half = len(variables) // 2
                variables = tuple(x + 1j * y for x, y in zip(variables[:half], variables[half:], strict=True))
            rest = iter(variables)
            full = [next(rest) if f else x for x, f in zip(args, free, strict=True)]
            return as_one(op, op(full, **settings) if op.variadic else op(*full, **settings))

        variables = [x for x, f in zip(args, free, strict=True) if f]
        shown = ", ".join(str(x.shape) for x in variables) + "".join(f", {k}={v}" for k, v in settings.items())
        if as_complex:
            variables += [draw(rng, x.shape, 0.1, 0.9) for x in variables]
            shown += ", complex"
        found.append(Sample(op, variables, function, f"{op.name}({shown})".replace(" ", "")))
    return found


def is_complex_function(op: Op) -> bool:
    """Whether NumPy computes the op with complex numbers, and not by their order."""
    if (op.selects and op.form != "linear") or op.name in (
        "psi",
        "gamma",
        "loggamma",
        "rgamma",
    ):  # of which SciPy has no derivative
        return False
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for sample in samples_of(op, as_complex=True):
                sample.function(*sample.variables)
        except (TypeError, ComplexWarning):
            return False
    return True


BUILT_IN = [op for op in OPS.values() if op.key == op.name]  # those of `@primitive` have the key of their function
EVERY_OP = [op for op in BUILT_IN if op.name != "pick"]  # which is tested with the ops that return several arrays
EVERY_SAMPLE = [sample for op in EVERY_OP for sample in samples_of(op)]
COMPLEX_SAMPLES = [s for op in EVERY_OP if is_complex_function(op) for s in samples_of(op, as_complex=True)]
