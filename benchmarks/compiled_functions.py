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

SHAPE, STEPS, RATE = (32, 32), 50, 1e-4


def descent(function: Callable[[Any, Any], Any], n: Any, grad: Any, scan: Any) -> Callable[[Any], Any]:
    """Some steps down the gradient of a function: the same source for both."""
    slope = grad(lambda x: function(n, x))
    return lambda x: scan(lambda x, _: (x - RATE * slope(x), None), x, None, STEPS)[0]


def run() -> Report:
    """Measure every function that both have."""
    x = np.random.default_rng(0).uniform(0.2, 0.9, SHAPE)
    on_device, rows = jax.device_put(x), []
    for name, function in FUNCTIONS.items():
        ours = jit(descent(function, np, grad, scan))
        theirs = jax.jit(descent(function, jnp, jax.grad, jax.lax.scan))
        np.testing.assert_allclose(ours(x), theirs(on_device), rtol=1e-6, atol=1e-9, err_msg=name)
        calls = {
            "ours": lambda f=ours: f(x),
            "jax": lambda f=theirs: jax.block_until_ready(f(on_device)),
        }
        t = compare(calls, rounds=7, seconds=0.01, clock=time.process_time)
        left = "" if "Nothing is left" in ours.program(x).explain() else "yes"
        microseconds = [f"{t[k].seconds / STEPS * 1e6:.2f}" for k in ("ours", "jax")]
        rows.append([name, *microseconds, f"{t['ours'].ratio(t['jax']):.2f}", left])
    ratios = [float(row[3]) for row in rows]
    slower = sum(ratio > 1 for ratio in ratios)
    text = (
        f"## Gradients of {len(rows)} functions of NumPy, compiled, as a ratio to JAX's\n\n"
        f"Steps of gradient descent on an array of {SHAPE[0]} × {SHAPE[1]}, {STEPS} in a call (`jit` and `scan`, "
        f"`jax.jit` and `jax.lax.scan`). The median ratio is {statistics.median(ratios):.2f}; {slower} are slower here."
        "\n\n" + table(["gradient of", "µs a step", "JAX", "ratio", "calls NumPy"], rows)
    )
    return Report(text, [])
