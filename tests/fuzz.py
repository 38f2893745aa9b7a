"""Random programs of up to 30 ops, whose derivatives have to agree: `python tests/fuzz.py 10000 [first seed]`.

A program is Python source, so that one that fails can be read and run. A seed makes it: variables of random shapes and
dtypes, then lines that each apply an op of the registry to earlier results. At generation a line is tried on plain data
and rejected if NumPy refuses it, or if its result is not finite or large; whatever leaves the domain of an op is first
brought into it by a tanh. The checks compare, for the program as a function of all its variables,

- reverse and forward mode, ⟨g, J t⟩ = ⟨Jᵀ g, t⟩, to rounding;
- the gradient and central differences along a direction;
- Hessian-vector products by forward over reverse and by reverse over reverse, to rounding, and by differences;
- dtypes and shapes of gradients with those of the variables, and gradients in float32 with those in float64.

Differences are not asked near kinks: where they change with the step, or between the two sides.
"""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from fuzz_lines import OPS, propose

from autograd_core import Value, grad, jvp, linearize, vjp
from autograd_core.data import dtype_of, shape_of
from autograd_core.ops.several import picked

LONGEST, LARGE = 30, 50.0
CORNERED = ("std'", "var'", "norm", "hypot")
"""Where these are 0, rounding alone decides on the direction of their gradient."""

DEBRIS = 1e-6
"""Elements that are so small beside the largest are what rounding has left of 0, and their roots are arbitrary."""

STEP, STEP2 = 2e-5, 1e-5
"""Steps of the differences of values and of gradients."""


@dataclass
class Program:
    """A straight-line program: its variables by name, its lines as (name, expression), and what it returns."""

    variables: dict[str, Any]
    lines: list[tuple[str, str]] = field(default_factory=list)
    results: tuple[str, ...] = ()

    def function(self) -> Callable[..., Any]:
        """The program as a function of its variables, which returns the list of its results."""
        names: dict[str, Any] = {"np": np, "OPS": OPS, "picked": picked}
        exec(self.definition(), names)
        found: Callable[..., Any] = names["program"]
        return found

    def definition(self) -> str:
        body = "".join(f"    {name} = {expression}\n" for name, expression in self.lines)
        return f"def program({', '.join(self.variables)}):\n{body}    return [{', '.join(self.results)}]\n"

    def source(self) -> str:
        """All that is needed to run it."""
        point = "".join(
            f"{name} = {x!r}\n" if type(x) is float else f"{name} = np.array({x.tolist()!r}, np.{x.dtype})\n"
            for name, x in self.variables.items()
        )
        return (
            "import numpy as np\nfrom autograd_core import grad, jvp, vjp\n"
            "from autograd_core.ops.several import picked\n"
            "from autograd_core.registry import OPS\n\n"
            f"{point}\n{self.definition()}\nprogram({', '.join(self.variables)})\n"
        )

    def only(self, result: str) -> "Program":
        """The same with one result, and without the lines that it does not need."""
        needed, lines = {result}, []
        for name, expression in reversed(self.lines):
            if name in needed:
                needed |= set(identifiers(expression))
                lines.append((name, expression))
        return replace(self, lines=lines[::-1], results=(result,))


def identifiers(expression: str) -> tuple[str, ...]:
    return compile(expression, "", "eval").co_names


def make(seed: int) -> Program:
    """The program of a seed."""
    rng = np.random.default_rng(seed)
    known: dict[str, Any] = {}
    for k in range(rng.integers(1, 4)):
        shape = tuple(rng.integers(1, 4, rng.integers(0, 4)).tolist())
        x = np.asarray(rng.uniform(-1.5, 1.5, shape)).astype(rng.choice([np.float32, np.float64]))
        known[f"x{k}"] = float(x) if not shape and rng.random() < 0.5 else x
    program = Program(dict(known))
    depends = set(known)
    length = int(rng.integers(3, LONGEST + 1))
    for _ in range(20 * length):
        if len(program.lines) >= length:
            break
        expression = propose(rng, known)
        used = set(identifiers(expression)) & known.keys()
        try:
            with np.errstate(all="ignore"):
                out = eval(expression, {"np": np, "OPS": OPS, "picked": picked}, known)
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
            continue  # NumPy does not take these shapes
        if not acceptable(out, expression) or not used & depends:
            continue
        name = f"v{len(program.lines)}"
        known[name] = out
        depends.add(name)
        program.lines.append((name, expression))
    used = {other for _, expression in program.lines for other in identifiers(expression)}
    program.results = tuple(name for name, _ in program.lines if name not in used)
    return program


def acceptable(out: Any, expression: str) -> bool:
    """Whether a result is one array of few real numbers that are finite, of moderate size, not at a corner, and no
    remains of rounding.
    """
    if not isinstance(out, (float, np.floating, np.ndarray)) or dtype_of(out).kind != "f":
        return False
    if any(name in expression for name in CORNERED) and np.min(np.abs(out), initial=1.0) < 1e-2:
        return False
    if not 0 < np.size(out) <= 60 or not np.all(np.isfinite(out)):
        return False
    size, largest = np.abs(out), np.max(np.abs(out))
    return bool(largest <= LARGE and not np.any((size > 0) & (size < DEBRIS * largest)))


# Checks ---------------------------------------------------------------------------------------------------------------


class DisagreementError(AssertionError):
    """Two ways to the same derivative differ."""


def check(program: Program, seed: int) -> Counter[str]:
    """Compare everything; the answer counts what was compared."""
    rng = np.random.default_rng([seed, 1])
    point = list(program.variables.values())
    wide = [x if type(x) is float else x.astype(np.float64) for x in point]
    function = program.function()
    weights = [rng.uniform(0.5, 1.5, np.shape(y)) for y in function(*wide)]
    t, u = ([like(x, rng.standard_normal(np.shape(x))) for x in wide] for _ in range(2))

    def total(*variables: Any) -> Any:
        return sum(np.sum(w * y) for w, y in zip(weights, function(*variables), strict=True))

    gradient = grad(total, range(len(wide)))
    counts = Counter[str](programs=1, lines=len(program.lines))
    g = gradient(*wide)
    check_modes(function, wide, weights, t, 1e-10)
    counts["modes"] += 1
    slope = dot(g, t)
    counts += against_differences("order 1", lambda h: float(total(*moved(wide, t, h))), slope, STEP, size(g, t))

    _, forward = jvp(gradient, wide, t)
    backward = vjp(gradient, *wide)[1](tuple(t))
    scale = 1.0 + max(float(np.max(np.abs(x))) for x in (*forward, *backward, *g))
    for a, b in zip(forward, backward, strict=True):
        compare("order 2: forward over reverse, reverse over reverse", a, b, 1e-9 * scale)
    counts["modes of order 2"] += 1
    curve = lambda h: dot(gradient(*moved(wide, t, h)), u)
    counts += against_differences("order 2", curve, dot(forward, u), STEP2, scale * size(u, u))
    check_dtypes(function, point, weights)
    counts["dtypes"] += 1
    if all(np.max(np.abs(a - b)) < 1e-3 * scale for a, b in zip(g, gradient(*moved(wide, t, 1e-5)), strict=True)):
        found = gradient(*point)
        for a, b in zip(g, found, strict=True):
            compare("float64, float32", a, b, 2e-3 * scale)
        counts["float32"] += 1
    return counts


def check_modes(function: Callable[..., Any], point: list[Any], weights: list[Any], t: list[Any], rtol: float) -> None:
    """⟨g, J t⟩ = ⟨Jᵀ g, t⟩, and the same values on the way."""
    values, pullback = vjp(function, *point)
    others, push = linearize(function, *point)
    pushed = push(*t)
    for plain, a, b, c in zip(function(*point), values, others, pushed, strict=True):
        compare("a recorded value, a plain one", a, plain, 1e-12 * (1.0 + float(np.max(np.abs(plain)))))
        compare("values of forward and reverse mode", a, b, 0.0)
        if shape_of(c) != shape_of(a):
            raise DisagreementError(f"a tangent has shape {shape_of(c)}, and its value {shape_of(a)}")
    g = pullback([like(y, w) for y, w in zip(values, weights, strict=True)])
    scale = 1.0 + size(weights, pushed) + size(g, t)
    compare("forward, reverse mode", dot(weights, pushed), dot(g, t), rtol * scale)


def check_dtypes(function: Callable[..., Any], point: list[Any], weights: list[Any]) -> None:
    """A gradient has its variable's shape and dtype, and a Python float's is one."""
    variables = [Value(x) for x in point]
    for y, w in zip(function(*variables), weights, strict=True):
        if type(y) is Value:
            y.backward(w.astype(y.dtype))
    for x, v in zip(point, variables, strict=True):
        if v.grad is not None and (type(v.grad) is float) != (type(x) is float):
            raise DisagreementError(f"the gradient of a {type(x).__name__} is a {type(v.grad).__name__}")
        if v.grad is not None and (dtype_of(v.grad), np.shape(v.grad)) != (v.dtype, v.shape):
            raise DisagreementError(f"a gradient of {dtype_of(v.grad)} {np.shape(v.grad)} for {v.dtype} {v.shape}")


def against_differences(what: str, f: Callable[[float], float], found: float, h: float, scale: float) -> Counter[str]:
    """A slope and the central difference, unless that is in doubt: it depends on the step, or on the side."""
    middle, points = f(0.0), [f(k * h) for k in (-2, -1, 1, 2)]
    near, far = (points[2] - points[1]) / (2 * h), (points[3] - points[0]) / (4 * h)
    left, right = (middle - points[1]) / h, (points[2] - middle) / h
    tolerance = 1e-4 * (1.0 + scale)
    if not abs(near - far) < 0.1 * tolerance or not abs(left - right) < 10 * tolerance:
        return Counter({f"{what}, kinks": 1})
    if not abs(found - near) <= tolerance:
        raise DisagreementError(f"{what}: {found:.10g} by the rules, {near:.10g} by differences")
    return Counter({f"{what}, differences": 1})


def compare(what: str, a: Any, b: Any, atol: float) -> None:
    if np.shape(a) != np.shape(b) or not np.all(np.abs(np.subtract(a, b)) <= atol):
        raise DisagreementError(f"{what}: {a!r} and {b!r}, which may differ by {atol:.1e}")


def like(x: Any, t: Any) -> Any:
    return float(t) if type(x) is float else np.asarray(t, dtype_of(x))


def moved(point: list[Any], t: list[Any], h: float) -> list[Any]:
    return [x + h * s for x, s in zip(point, t, strict=True)]


def dot(a: Any, b: Any) -> float:
    return float(sum(np.sum(np.multiply(x, y)) for x, y in zip(a, b, strict=True)))


def size(a: Any, b: Any) -> float:
    """The size of the terms of ⟨a, b⟩, which is that of its rounding."""
    return float(sum(np.sum(np.abs(np.multiply(x, y))) for x, y in zip(a, b, strict=True)))


# Running --------------------------------------------------------------------------------------------------------------


def run(seed: int) -> Counter[str]:
    """Make and check the program of a seed; a failure names the smallest part of it that fails, as source."""
    program = make(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        try:
            return check(program, seed)
        except Exception as error:
            small, cause = smallest(program, seed, error)
    raise AssertionError(f"seed {seed}: {type(cause).__name__}: {cause}\n\n{small.source()}") from cause


def smallest(program: Program, seed: int, error: Exception) -> tuple[Program, Exception]:
    """The first line that fails by itself, with what it needs."""
    for name, _ in program.lines:
        part = program.only(name)
        try:
            check(part, seed)
        except Exception as found:
            return part, found
    return program, error


def attempt(seed: int) -> Counter[str] | str:
    try:
        return run(seed)
    except AssertionError as error:
        return str(error)


def main(count: int, first: int = 0) -> int:
    """Run so many seeds on all cores; the answer is the number of failures."""
    counts, failures = Counter[str](), 0
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None) as pool:
        for found in pool.map(attempt, range(first, first + count), chunksize=20):
            if isinstance(found, str):
                failures += 1
                print(found, flush=True)
            else:
                counts += found
    print(f"{count} programs, {failures} disagreements; compared: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    return failures


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or ["10000"])) != 0)
