"""Samples of every op of the registry: what the generated tests run on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_core.ops.special  # noqa: F401  it fills the registry, with the ops of SciPy, too
from autograd_core.op import Op
from autograd_core.registry import OPS


@dataclass
class Sample:
    """An op at a point: its variables, and the function of just these."""

    op: Op
    variables: list[np.ndarray]
    function: Callable[..., Any]
    label: str


def draw(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    return np.asarray(rng.uniform(low, high, shape))


def samples_of(op: Op, seed: int = 0) -> list[Sample]:
    """Every sample that the op declares; for elementwise ops shapes that broadcast against each other."""
    found = []
    if op.form == "elementwise":
        shapes = [[(3, 4)] * op.arity, [(4,), (3, 1), (2, 1, 1)][: op.arity], [()] * op.arity]
        declared = [(given, {}) for given in shapes]
        domain = op.domain
    else:
        declared = op.samples
        domain = None
    for k, (given, settings) in enumerate(declared):
        rng = np.random.default_rng(seed + k)
        bounds = domain or [(-2.0, 2.0)] * len(given)
        args = [
            draw(rng, x, *interval) if isinstance(x, tuple) else x for x, interval in zip(given, bounds, strict=True)
        ]
        free = [isinstance(x, tuple) for x in given]

        def function(*variables: Any, args: Any = args, free: Any = free, settings: Any = settings) -> Any:
            rest = iter(variables)
            full = [next(rest) if f else x for x, f in zip(args, free, strict=True)]
            return op(full, **settings) if op.variadic else op(*full, **settings)

        variables = [x for x, f in zip(args, free, strict=True) if f]
        shown = ", ".join(str(x.shape) for x in variables) + "".join(f", {k}={v}" for k, v in settings.items())
        found.append(Sample(op, variables, function, f"{op.name}({shown})".replace(" ", "")))
    return found


EVERY_OP = [
    op for op in OPS.values() if op.name != "pick" and op.key == op.name
]  # which is tested with the ops that return several arrays
EVERY_SAMPLE = [sample for op in EVERY_OP for sample in samples_of(op)]
