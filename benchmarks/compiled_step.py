"""Training steps as machine code: many in one call and one by one, beside NumPy by hand, PyTorch, and JAX."""

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from autograd_core import jit, mean_squared_error, scan, sigmoid, value_and_grad

from .harness import Report, Target, compare, table

jax.config.update("jax_enable_x64", True)


class Work(NamedTuple):
    """A network, its batch, and what is asked for."""

    sizes: tuple[int, ...]
    batch: int
    dtype: Any
    steps: int
    """How many steps make a call."""
    of_scan: float
    """The target, as a ratio to `jax.lax.scan`."""


WORKS = [
    Work((2, 3, 1), 4, np.float64, 20_000, 0.6),
    Work((2, 16, 16, 1), 100, np.float64, 1000, 0.45),
    Work((64, 32, 10), 32, np.float64, 1000, 0.45),
    Work((784, 30, 10), 10, np.float64, 500, 0.4),
    Work((784, 100, 10), 128, np.float64, 20, 0.75),
    Work((784, 100, 10), 128, np.float32, 40, 0.85),
    Work((784, 1024, 1024, 10), 256, np.float32, 1, 0.95),
]
RATE = 0.1
Array = np.ndarray[Any, Any]


def network(activation: Any, params: Any, x: Any) -> Any:
    for w, b in params:
        x = activation(x @ w + b)
    return x


def by_hand(params: Any, x: Array, y: Array, rate: Any) -> float:
    """Backpropagation as a textbook has it, updating in place."""
    activations = [x]
    for w, b in params:
        activations.append(1 / (1 + np.exp(-(activations[-1] @ w + b))))
    out = activations[-1]
    error = out - y
    delta = (rate.dtype.type(2) / error.size) * error * out * (1 - out)
    for k in range(len(params) - 1, -1, -1):
        (w, b), a = params[k], activations[k]
        back = delta @ w.T if k else None
        w -= rate * (a.T @ delta)
        b -= rate * delta.sum(axis=0)
        if k:
            delta = back * a * (1 - a)
    return float((error * error).mean())


def our_step(params: Any, x: Any, y: Any, rate: Any) -> Any:
    cost, g = value_and_grad(lambda p: mean_squared_error(network(sigmoid, p, x), y))(params)
    return [(w - rate * gw, b - rate * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)], cost


def jax_step(params: Any, x: Any, y: Any, rate: Any) -> Any:
    cost, g = jax.value_and_grad(lambda p: jnp.mean((network(jax.nn.sigmoid, p, x) - y) ** 2))(params)
    return [(w - rate * gw, b - rate * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)], cost


def our_loop(steps: int, params: Any, x: Any, y: Any, rate: Any) -> Any:
    return scan(lambda p, _: our_step(p, x, y, rate), params, None, steps)


def jax_loop(steps: int, params: Any, x: Any, y: Any, rate: Any) -> Any:
    return jax.lax.scan(lambda p, _: jax_step(p, x, y, rate), params, None, steps)


def with_torch(params: Any, x: Array, y: Array) -> Callable[[], Any]:
    """PyTorch, eager, with plain tensors: about the least it can do."""
    tensors = [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in params]
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)
    flat = [p for pair in tensors for p in pair]

    def step() -> Any:
        cost = torch.nn.functional.mse_loss(network(torch.sigmoid, tensors, inputs), target)
        gradients = torch.autograd.grad(cost, flat)
        with torch.no_grad():
            for p, g in zip(flat, gradients, strict=True):
                p.sub_(g, alpha=RATE)
        return tensors

    return step


def copied(params: Any) -> Any:
    return [(w.copy(), b.copy()) for w, b in params]


def agree(got: Any, wanted: Any, what: str, dtype: Any) -> None:
    for pair, right in zip(got, wanted, strict=True):
        for a, b in zip(pair, right, strict=True):
            near = 1e-10 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(np.asarray(a), b, rtol=near, atol=near * 1e-2, err_msg=what)


def calls_of(work: Work) -> tuple[dict[str, Callable[[], Any]], float, float]:
    """Every way to do the work, which agree after a step; and the seconds to compile ours and JAX's."""
    sizes, batch, dtype, steps, _ = work
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, y = rng.random((batch, sizes[0])).astype(dtype), rng.random((batch, sizes[-1])).astype(dtype)
    params = [
        ((rng.standard_normal((n, m)) / np.sqrt(n)).astype(dtype), rng.standard_normal(m).astype(dtype))
        for n, m in pairwise(sizes)
    ]
    rate = dtype(RATE)
    right = copied(params)
    by_hand(right, x, y, rate)

    begin = time.perf_counter()
    one = jit(our_step)
    found = one(params, x, y, rate)[0]
    ours = time.perf_counter() - begin
    agree(found, right, "jit", dtype)
    begin = time.perf_counter()
    jax_one = jax.jit(jax_step)
    jx, jy, jp, jr = jax.device_put((x, y, params, rate))
    found = jax.block_until_ready(jax_one(jp, jx, jy, jr))[0]
    theirs = time.perf_counter() - begin
    agree(found, right, "jax.jit", dtype)
    agree([[p.detach().numpy() for p in pair] for pair in with_torch(params, x, y)()], right, "PyTorch", dtype)

    loop, jax_many = jit(partial(our_loop, steps)), jax.jit(partial(jax_loop, steps))
    agree(loop(params, x, y, rate)[0], jax.block_until_ready(jax_many(jp, jx, jy, jr))[0], "scan", dtype)
    hand = copied(params)
    return (
        {
            "NumPy by hand": lambda: by_hand(hand, x, y, rate),
            "PyTorch": with_torch(params, x, y),
            "jax.jit": lambda: jax.block_until_ready(jax_one(jp, jx, jy, jr)),
            "jit": lambda: one(params, x, y, rate),
            "jax scan": lambda: jax.block_until_ready(jax_many(jp, jx, jy, jr)),
            "jit, scan": lambda: loop(params, x, y, rate),
        },
        ours,
        theirs,
    )


def run(rounds: int = 41) -> Report:
    """Measure every work."""
    rows, ratios, targets = [], [], []
    for work in WORKS:
        calls, ours, theirs = calls_of(work)
        name = f"{'-'.join(map(str, work.sizes))}, batch {work.batch}, {np.dtype(work.dtype).name}"
        timings = compare(calls, rounds=rounds, seconds=0.02)
        per_step = [t.seconds / (work.steps if "scan" in key else 1) for key, t in timings.items()]
        rows.append([name, *[f"{s * 1e6:.3g}" for s in per_step], f"{ours:.2f}", f"{theirs:.2f}"])
        ratios.append(
            [
                name,
                f"{timings['jit, scan'].ratio(timings['jax scan']):.2f}",
                f"{timings['jit'].ratio(timings['jax.jit']):.2f}",
                *[f"{timings['jit, scan'].ratio(timings[k]) / work.steps:.3f}" for k in ("PyTorch", "NumPy by hand")],
                f"{ours / theirs:.2f}",
            ]
        )
        ratio = timings["jit, scan"].quartiles(timings["jax scan"])
        targets.append(Target(f"compiled steps {name}", "jax.lax.scan", ratio, work.of_scan))
        if work.sizes == (2, 16, 16, 1):
            ratio = timings["jit"].quartiles(timings["jax.jit"])
            targets.append(Target(f"one call a step, {name}", "jax.jit", ratio, 0.35))
        targets.append(Target(f"compiling a step, {name}", "JAX", [ours / theirs] * 3, 1.0))
    header = ["µs a step", "NumPy by hand", "PyTorch", "jax.jit", "jit", "jax scan", "jit, scan"]
    text = (
        "## Compiled training steps: forward, mean squared error, backward, update\n\n"
        + table([*header, "compile, s", "JAX's"], rows)
        + "\n"
        + table(["ratios", "scan to JAX's", "jit to JAX's", "scan to PyTorch", "to NumPy by hand", "compiling"], ratios)
        + "\nThe parameters after a step agreed before anything was timed. `scan` runs many steps in one call.\n"
    )
    return Report(text, targets)
