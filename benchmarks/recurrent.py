"""Derivatives through a loop: the loss of a recurrent network and its gradient, by `jit` and `scan`, and by others.

The network is hₖ₊₁ = tanh(hₖ W + xₖ U + b), and the loss the mean square of its last state.
"""

import time
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from autograd_core import grad, jit, jvp, scan, value_and_grad

from .harness import Report, Target, compare, table

jax.config.update("jax_enable_x64", True)


class Work(NamedTuple):
    """A recurrent network, and how long it runs."""

    steps: int
    width: int
    batch: int

    @property
    def name(self) -> str:
        return f"{self.steps:,} steps, {self.width} wide, batch {self.batch}"


WORKS = (Work(100, 4, 8), Work(100, 64, 32), Work(1_000, 16, 8), Work(10_000, 8, 4))


def loss(scan: Any, n: Any, p: Any, h: Any, xs: Any) -> Any:
    """The same source for every engine with a scan; n is its NumPy."""

    def step(h: Any, x: Any) -> Any:
        return n.tanh(h @ p["w"] + x @ p["u"] + p["b"]), None

    return n.mean(scan(step, h, xs)[0] ** 2)


def torch_loss(p: Any, h: Any, xs: Any) -> Any:
    for x in xs:
        h = torch.tanh(h @ p["w"] + x @ p["u"] + p["b"])
    return torch.mean(h**2)


def with_torch(p: Any, h: Any, xs: Any) -> Any:
    """PyTorch, eager, step by step."""
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in p.items()}
    h, xs = torch.from_numpy(h), torch.from_numpy(xs)

    def call() -> Any:
        value = torch_loss(tensors, h, xs)
        return value.detach().numpy(), dict(zip(p, torch.autograd.grad(value, list(tensors.values())), strict=True))

    return call


def product(gradient: Any, jvp: Any) -> Any:
    """A Hessian-vector product, forward over reverse."""
    return lambda p, h, xs: jvp(lambda p: gradient(p, h, xs), (p,), (p,))[1]


def first(call: Any) -> tuple[float, Any]:
    """The seconds of the processor until the first result, and the result."""
    begin = time.process_time()
    found = call()
    return time.process_time() - begin, found


def same(found: Any, wanted: Any) -> None:
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-8, atol=1e-12)


def given(work: Work) -> tuple[Any, Any, Any]:
    """Parameters, a first state, and what the steps are given."""
    rng, width = np.random.default_rng(0), work.width
    p = {
        "w": rng.standard_normal((width, width)) / np.sqrt(width),
        "u": rng.standard_normal((3, width)),
        "b": rng.standard_normal(width),
    }
    return p, np.zeros((work.batch, width)), rng.standard_normal((work.steps, work.batch, 3))


def measured(name: str, ours: Any, theirs: Any, args: Any, by_torch: Any = None) -> tuple[list[str], list[Target]]:
    """A line of the table, and its targets: a function compiled here, by JAX, and perhaps run by PyTorch."""
    compiled, jax_compiled, on_device = jit(ours), jax.jit(theirs), jax.device_put(args)
    calls = {"ours": lambda: compiled(*args), "jax": lambda: jax.block_until_ready(jax_compiled(*on_device))}
    (our_seconds, found), (jax_seconds, wanted) = first(calls["ours"]), first(calls["jax"])
    same(found, wanted)
    if by_torch:
        calls["torch"] = by_torch
        same(by_torch(), wanted)
    t = compare(calls, rounds=11, seconds=0.05, clock=time.process_time)
    ratio, compiling = t["ours"].quartiles(t["jax"]), our_seconds / jax_seconds
    microseconds = [f"{t[k].seconds * 1e6:,.0f}" if k in t else "—" for k in ("ours", "jax", "torch")]
    to_torch = f"{t['ours'].ratio(t['torch']):.3f}" if by_torch else "—"
    seconds = [f"{our_seconds:.2f}", f"{jax_seconds:.2f}", f"{compiling:.2f}"]
    targets = [
        Target(f"{name}, a call", "jax.lax.scan", ratio, 1.0),
        Target(f"{name}, compiling", "JAX", compiling, 1.0),
    ]
    return [name, *microseconds, f"{ratio[1]:.2f}", to_torch, *seconds], targets


def run() -> Report:
    """Measure the gradient of every work, and of the first a Hessian-vector product."""
    rows, targets = [], []
    ours, theirs = partial(loss, scan, np), partial(loss, jax.lax.scan, jnp)
    for work in WORKS:
        args = given(work)
        gradients = value_and_grad(ours), jax.value_and_grad(theirs)
        found = [measured(f"gradient, {work.name}", *gradients, args, with_torch(*args))]
        if work is WORKS[0]:
            products = product(grad(ours), jvp), product(jax.grad(theirs), jax.jvp)
            found.append(measured(f"Hessian · vector, {work.name}", *products, args))
        for row, asked in found:
            rows.append(row)
            targets += asked
    header = ["", "µs a call", "JAX", "PyTorch", "to JAX", "to PyTorch", "s to the first result", "JAX", "ratio"]
    text = (
        "## Derivatives through loops: a recurrent network by `jit` and `scan`\n\n"
        + table(header, rows)
        + "\nThe derivative of a loop is a loop here and in JAX (`jax.lax.scan`), and takes as long to compile for "
        "10,000 steps as for 100. PyTorch, eager, records every step. Gradients agreed before anything was timed.\n"
    )
    return Report(text, targets)
