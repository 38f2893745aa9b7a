"""The error of compiled exp, log, tanh, ... against mpmath; `python -m benchmarks.accuracy [points]` writes it down.

Points are spread over every bit pattern, and over where each function is hard; the error is in units in the last place
of the exact result. Most points are first compared with the same function in a wider type (float64 for float32, the
extended type of the processor for float64), and only those that could be the worst by mpmath, which is exact and slow.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import scipy.special

from autograd_core import jit, sigmoid, softplus
from autograd_core.compiler.llvm.target import target

from .harness import table

Array = np.ndarray[Any, Any]

mpmath.mp.prec = 160

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], tuple[float, float]]] = {
    "exp": (np.exp, np.exp, mpmath.exp, (-746, 710)),
    "expm1": (np.expm1, np.expm1, mpmath.expm1, (-45, 710)),
    "log": (np.log, np.log, mpmath.log, (0, 4)),
    "log1p": (np.log1p, np.log1p, mpmath.log1p, (-1, 4)),
    "tanh": (np.tanh, np.tanh, mpmath.tanh, (-25, 25)),
    "sigmoid": (
        sigmoid,
        lambda x: np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x))),
        lambda x: 1 / (1 + mpmath.exp(-x)),
        (-746, 40),
    ),
    "sin": (np.sin, np.sin, mpmath.sin, (-1e5, 1e5)),
    "cos": (np.cos, np.cos, mpmath.cos, (-1e5, 1e5)),
    "sqrt": (np.sqrt, np.sqrt, mpmath.sqrt, (0, 4)),
    "erf": (
        scipy.special.erf,
        lambda x: scipy.special.erf(x.astype(np.float64)).astype(np.longdouble),
        mpmath.erf,
        (-6, 6),
    ),
    "softplus": (
        softplus,
        lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
        lambda x: mpmath.log1p(mpmath.exp(x)),
        (-746, 40),
    ),
}


def points(dtype: Any, count: int, low: float, high: float, rng: np.random.Generator) -> Array:
    """Half of them of random bits, a quarter each within bounds and near 0 and 1."""
    bits = {8: np.uint64, 4: np.uint32}[np.dtype(dtype).itemsize]
    raw = rng.integers(0, np.iinfo(bits).max, count // 2, bits).view(dtype)
    inside = rng.uniform(low, high, count // 4).astype(dtype)
    near = (rng.integers(0, 2, count // 4) + rng.uniform(-0.5, 0.5, count // 4)).astype(dtype)
    return np.concatenate([raw, inside, near])


def ulp(y: Any, dtype: Any) -> Any:
    """The distance of neighbouring numbers at |y|."""
    info = np.finfo(dtype)
    size = np.maximum(np.abs(y), np.asarray(info.tiny, np.longdouble))
    return np.ldexp(np.longdouble(1), np.frexp(size)[1] - info.nmant - 1)


def worst(name: str, dtype: Any, count: int, exact: int = 200) -> tuple[float, float]:
    """The largest error in units in the last place, and where."""
    function, wide, precise, (low, high) = FUNCTIONS[name]
    compiled = jit(function, backend="llvm")
    found = (0.0, 0.0)
    rng = np.random.default_rng(0)
    for _ in range(-(-count // 1_000_000)):
        x = points(dtype, min(count, 1_000_000), low, high, rng)
        with np.errstate(all="ignore"):
            y, about = compiled(x), wide(x.astype(np.longdouble))
            finite = np.isfinite(about) & (np.abs(about) <= np.finfo(dtype).max)
            assert np.array_equal(np.isnan(y), np.isnan(about)), f"{name}: nan in other places"
            beyond = ~finite & ~np.isnan(about)
            assert np.array_equal(y[beyond], about[beyond].astype(dtype)), f"{name}: not inf beyond the range"
            x, y, about = x[finite], y[finite], about[finite]
            error = np.where(np.isfinite(y), np.abs(y - about) / ulp(about, dtype), 0.0)
            assert np.all(np.isfinite(y) | (np.abs(about) > np.finfo(dtype).max * (1 - np.finfo(dtype).eps)))
        for k in np.argsort(error)[-exact:] if dtype == np.float64 else np.argsort(error)[-50:]:
            right = precise(mpmath.mpf(float(x[k])))
            off = float(abs(mpmath.mpf(float(y[k])) - right) / mpmath.mpf(float(ulp(np.longdouble(right), dtype))))
            if off > found[0]:
                found = off, float(x[k])
    return found


def main(count: int) -> None:
    cpu = target()
    lines = []
    for name in FUNCTIONS:
        cells = []
        for dtype in (np.float32, np.float64):
            error, where = worst(name, dtype, count)
            assert error <= 2, f"{name} of {np.dtype(dtype).name} is {error} ulp off at {where!r}"
            cells += [f"{error:.3f}", f"{where!r}"]
        lines.append([name, *cells])
        print(*lines[-1], flush=True)
    rows = table(["function", "float32, ulp", "at", "float64, ulp", "at"], lines)
    text = f"""# How exact the compiled functions are

The largest error in units in the last place of the exact result (mpmath, {mpmath.mp.prec} bits), over {count:,} points
each: half of them random bits, a quarter each where the function is not constant and near 0 and 1. The results are nan
where the exact ones are, infinite beyond the range of the type, and denormal numbers count like others. What exceeds 2
units stops the script, `python -m benchmarks.accuracy`. The code was for {cpu.name}, in vectors of {cpu.width} bytes.

{rows}"""
    (Path(__file__).parent / "ACCURACY.md").write_text(text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
