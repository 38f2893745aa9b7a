"""The gradient of one NumPy function after the other, beside HIPS autograd: on arrays where calls cost, and arithmetic.

The same source serves both; `n` is NumPy here, and autograd's wrapper of it there.
"""

import statistics
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as theirs
import numpy as np

from autograd_core import grad

from .harness import Report, compare, table

SHAPES = ((3, 4), (100, 100))

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    # element by element
    "exp": lambda n, x: n.sum(n.exp(x)),
    "tanh": lambda n, x: n.sum(n.tanh(x)),
    "sin · cos": lambda n, x: n.sum(n.sin(x) * n.cos(x)),
    "square": lambda n, x: n.sum(x**2),
    "power": lambda n, x: n.sum((x**2 + 1.0) ** 1.5),
    "sqrt": lambda n, x: n.sum(n.sqrt(x**2 + 1.0)),
    "divide": lambda n, x: n.sum(1.0 / (1.0 + x**2)),
    "logistic": lambda n, x: -n.sum(n.log(1.0 / (1.0 + n.exp(-x)))),
    "logaddexp": lambda n, x: n.sum(n.logaddexp(x, 0.0)),
    "arctan2": lambda n, x: n.sum(n.arctan2(x, 2.0)),
    "abs": lambda n, x: n.sum(n.abs(x)),
    "maximum": lambda n, x: n.sum(n.maximum(x, 0.0)),
    "clip": lambda n, x: n.sum(n.clip(x, -0.5, 0.5)),
    "where": lambda n, x: n.sum(n.where(x > 0, x**2, x)),
    "five factors": lambda n, x: n.sum(x * x * x * x * x),
    "rosenbrock": lambda n, x: n.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
    # reductions
    "mean": lambda n, x: n.sum(n.mean(x, axis=0) ** 2),
    "centred": lambda n, x: n.sum((x - n.mean(x, axis=1, keepdims=True)) ** 2),
    "var": lambda n, x: n.sum(n.var(x, axis=1)),
    "std": lambda n, x: n.sum(n.std(x, axis=1)),
    "max": lambda n, x: n.sum(n.max(x, axis=1)),
    "min": lambda n, x: n.min(x),
    "prod": lambda n, x: n.sum(n.prod(x[:, :5], axis=1)),
    "cumsum": lambda n, x: n.sum(n.cumsum(x, axis=0) ** 2),
    "sort": lambda n, x: n.sum(n.sort(x[0]) ** 2),
    "norm": lambda n, x: n.linalg.norm(x),
    # shapes and places
    "slices": lambda n, x: n.sum(x[1:] * x[:-1]),
    "index": lambda n, x: n.sum(x[np.array([0, 1, 1, 2])] ** 2),
    "mask": lambda n, x: n.sum(x[np.eye(*x.shape) > 0]),
    "elements": lambda n, x: x[0, 0] * x[1, 1] + x[0, 1] * x[1, 0],
    "concatenate": lambda n, x: n.sum(n.concatenate([x, 2.0 * x]) ** 2),
    "stack": lambda n, x: n.sum(n.stack([x, 2.0 * x]) ** 2),
    "split": lambda n, x: sum(n.sum(part**2) for part in n.array_split(x, 3)),
    "reshape": lambda n, x: n.sum(n.reshape(x, (-1,)) ** 2),
    "transpose": lambda n, x: n.sum(x.T**2),
    "pad": lambda n, x: n.sum(n.pad(x, 1, "constant") ** 2),
    "roll": lambda n, x: n.sum(n.roll(x, 1, axis=0) * x),
    "tile": lambda n, x: n.sum(n.tile(x, (2, 1)) ** 2),
    "repeat": lambda n, x: n.sum(n.repeat(x, 2, axis=0) ** 2),
    "diff": lambda n, x: n.sum(n.diff(x, axis=0) ** 2),
    "triu": lambda n, x: n.sum(n.triu(x) ** 2),
    "diag": lambda n, x: n.sum(n.diag(x @ x.T) ** 2),
    "trace": lambda n, x: n.trace(x @ x.T),
    # matrices
    "matmul": lambda n, x: n.sum(x @ x.T),
    "einsum": lambda n, x: n.sum(n.einsum("ij,kj->ik", x, x)),
    "tensordot": lambda n, x: n.sum(n.tensordot(x, x.T, 1)),
    "outer": lambda n, x: n.sum(n.outer(x[0], x[1])),
    "kron": lambda n, x: n.sum(n.kron(x[:2, :2], x[:3, :3])),
    "inv": lambda n, x: n.sum(n.linalg.inv(gram(n, x))),
    "solve": lambda n, x: n.sum(n.linalg.solve(gram(n, x), x)),
    "slogdet": lambda n, x: n.linalg.slogdet(gram(n, x))[1],
    "cholesky": lambda n, x: n.sum(n.linalg.cholesky(gram(n, x))),
    "eigh": lambda n, x: n.sum(n.linalg.eigh(gram(n, x))[0] ** 2),
    "svd": lambda n, x: n.sum(n.linalg.svd(x, full_matrices=False)[1] ** 3),
    "fft": lambda n, x: n.sum(n.abs(n.fft.fft(x)) ** 2),
}
"""Scalar functions of a matrix with at least three rows, four columns, and no more rows than columns."""


def gram(n: Any, x: Any) -> Any:
    """A symmetric matrix whose eigenvalues are positive and apart."""
    return x @ x.T + n.diag(n.arange(len(x)) + 1.0)


def measure(shape: tuple[int, ...]) -> dict[str, float]:
    """The ratio of the times, ours to theirs, for each function; the gradients are compared before."""
    x = np.random.default_rng(0).normal(size=shape)
    found = {}
    for name, function in FUNCTIONS.items():
        ours = grad(lambda x, function=function: function(np, x))
        other = autograd.grad(lambda x, function=function: function(theirs, x))
        np.testing.assert_allclose(ours(x), other(x), rtol=1e-6, atol=1e-8)
        timings = compare({"ours": lambda f=ours: f(x), "theirs": lambda f=other: f(x)}, rounds=7, seconds=0.005)
        found[name] = timings["ours"].ratio(timings["theirs"])
    return found


def run() -> Report:
    """All functions, on all shapes."""
    rows = []
    for shape in SHAPES:
        found = measure(shape)
        order = sorted(found, key=lambda name: found[name])
        ends = [", ".join(f"{name} {found[name]:.2f}" for name in part) for part in (order[:4], order[:-5:-1])]
        slower = sum(ratio > 1 for ratio in found.values())
        rows.append([" × ".join(map(str, shape)), f"{statistics.median(found.values()):.2f}", f"{slower}", *ends])
    text = (
        f"## Gradients of {len(FUNCTIONS)} functions of NumPy, as a ratio to HIPS autograd's\n\n"
        + table(["array", "median", "slower than theirs", "most favourable", "least favourable"], rows)
    )  # fmt: skip
    return Report(text, [])
