"""The gradient of one NumPy function after the other, compiled, beside JAX: many steps of descent in one call."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from autograd_core import grad, jit, scan

from .functions import FUNCTIONS
from .harness import Report, compare, table

jax.config.update("jax_enable_x64", True)

SIZES, RATE = {32: 50, 300: 10}, 1e-4
"""The rows and columns of the arrays, and how many steps of descent a call takes."""


def descent(function: Callable[[Any, Any], Any], n: Any, grad: Any, scan: Any, steps: int) -> Callable[[Any], Any]:
    """Some steps down the gradient of a function: the same source for both."""
    slope = grad(lambda x: function(n, x))
    return lambda x: scan(lambda x, _: (x - RATE * slope(x), None), x, None, steps)[0]


def measure(name: str, size: int, steps: int) -> tuple[list[str], float, str]:
    """Microseconds a step, ours and JAX's, their ratio, and whether NumPy is called."""
    x = np.random.default_rng(0).uniform(0.2, 0.9, (size, size))
    on_device, function = jax.device_put(x), FUNCTIONS[name]
    ours = jit(descent(function, np, grad, scan, steps))
    theirs = jax.jit(descent(function, jnp, jax.grad, jax.lax.scan, steps))
    np.testing.assert_allclose(ours(x), theirs(on_device), rtol=1e-6, atol=1e-9, err_msg=name)
    calls = {"ours": lambda: ours(x), "jax": lambda: jax.block_until_ready(theirs(on_device))}
    t = compare(calls, rounds=7, seconds=0.01, clock=time.process_time)
    left = "" if "Nothing is left" in ours.program(x).explain() else "yes"
    return [f"{t[k].seconds / steps * 1e6:.3g}" for k in ("ours", "jax")], t["ours"].ratio(t["jax"]), left


def run() -> Report:
    """Measure every function that both have."""
    rows = []
    ratios: dict[int, list[float]] = {size: [] for size in SIZES}
    for name in FUNCTIONS:
        row, left = [name], ""
        for size, steps in SIZES.items():
            microseconds, ratio, left = measure(name, size, steps)
            ratios[size].append(ratio)
            row += [*microseconds, f"{ratio:.2f}"]
        rows.append([*row, left])
    found = "; ".join(
        f"of {size} × {size} the median ratio is {statistics.median(r):.2f}, and {sum(x > 1 for x in r)} are slower"
        for size, r in ratios.items()
    )
    header = ["gradient of", *[part for n in SIZES for part in (f"{n} × {n}: µs", "JAX", "ratio")], "calls NumPy"]
    text = (
        f"## Gradients of {len(rows)} functions of NumPy, compiled, as a ratio to JAX's\n\n"
        "Steps of gradient descent on a square array, some in a call (`jit` and `scan`, `jax.jit` and `jax.lax.scan`): "
        f"{found}.\n\n" + table(header, rows)
    )
    return Report(text, [])
