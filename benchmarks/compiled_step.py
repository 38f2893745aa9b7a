"""Training steps as machine code, many in one call and one by one, beside everything else that computes them."""

import os
import platform
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import matplotlib
import numpy as np
import torch

from autograd_core import jit, scan

from . import steps as ways
from .harness import Report, Target, Timing, compare, processor, table

matplotlib.use("Agg")
import matplotlib.pyplot as plt

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

    @property
    def operations(self) -> int:
        """The multiplications and additions in the products of matrices of a step: for each layer its outputs, the
        gradient of its weights and, but for the first, that of its inputs."""
        pairs = list(pairwise(self.sizes))
        return sum(2 * self.batch * n * m * (3 if k else 2) for k, (n, m) in enumerate(pairs))

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}, {np.dtype(self.dtype).name}"


WORKS = [
    Work((2, 3, 1), 4, np.float64, 20_000, 0.6),
    Work((2, 16, 16, 1), 100, np.float64, 1000, 0.45),
    Work((64, 32, 10), 32, np.float64, 1000, 0.45),
    Work((784, 30, 10), 10, np.float64, 500, 0.4),
    Work((784, 100, 10), 128, np.float64, 20, 0.75),
    Work((784, 100, 10), 128, np.float32, 40, 0.85),
    Work((784, 1024, 1024, 10), 256, np.float32, 1, 0.95),
]
DEEP = [Work((16,) * (layers + 1), 8, np.float64, 1, 1.0) for layers in (20, 100)]
"""Networks of many equal layers, of which only the compiling is measured."""

TORCH_COMPILE = 150
"""The seconds that `torch.compile` has for a work."""

PEERS = (
    "HIPS autograd", "scikit-learn", "PyTorch", "torch.compile", "NumPy by hand", "jax.jit", "jit", "jax scan", "C",
)  # fmt: skip
MANY = ("jax scan", "C", "jit, scan")
"""What takes many steps a call."""


def processor_seconds() -> float:
    """The processor's time so far, with that of compilers that were called."""
    return sum(os.times()[:4])


def our_loop(steps: int, params: Any, x: Any, y: Any, rate: Any) -> Any:
    return scan(lambda p, _: ways.our_step(p, x, y, rate), params, None, steps)


def jax_loop(steps: int, params: Any, x: Any, y: Any, rate: Any) -> Any:
    return jax.lax.scan(lambda p, _: ways.jax_step(p, x, y, rate), params, None, steps)


def agree(got: Any, wanted: Any, what: str, dtype: Any) -> None:
    """Parameters after a step are those of the step by hand; so were the gradients."""
    for pair, right in zip(got, wanted, strict=True):
        for a, b in zip(pair, right, strict=True):
            near = 1e-9 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(np.asarray(a), b, rtol=near, atol=near * 1e-2, err_msg=what)


def given(work: Work) -> tuple[Any, Any, Any]:
    """Parameters and a batch."""
    rng = np.random.default_rng(0)
    x = rng.random((work.batch, work.sizes[0])).astype(work.dtype)
    y = rng.random((work.batch, work.sizes[-1])).astype(work.dtype)
    params = [
        ((rng.standard_normal((n, m)) / np.sqrt(n)).astype(work.dtype), rng.standard_normal(m).astype(work.dtype))
        for n, m in pairwise(work.sizes)
    ]
    return params, x, y


def first(step: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    """The seconds that the first call of a compiled step takes, and the parameters that come out."""
    begin = processor_seconds()
    found = jax.block_until_ready(step(*args))[0]
    return processor_seconds() - begin, found


def compiled_deep(work: Work) -> list[float]:
    """The seconds until a step of many equal layers is compiled, ours and JAX's."""
    params, x, y = given(work)
    ours, found = first(jit(ways.our_step), params, x, y, ways.RATE)
    theirs, right = first(jax.jit(ways.jax_step), *jax.device_put((params, x, y, ways.RATE)))
    agree(found, [[np.asarray(a) for a in pair] for pair in right], "jit", work.dtype)
    return [ours, theirs]


class Contest:
    """All ways to do a work, which agree after a step."""

    def __init__(self, work: Work) -> None:
        torch.set_num_threads(1)
        self.work = work
        self.calls: dict[str, Callable[[], object]] = {}
        self.failed: list[str] = []
        params, x, y = given(work)
        rate = work.dtype(ways.RATE)
        self.right = ways.copied(params)
        ways.by_hand(self.right, x, y, rate)
        hand = ways.copied(params)
        self.calls["NumPy by hand"] = lambda: ways.by_hand(hand, x, y, rate)
        self.compilers(params, x, y, rate)
        self.enter("HIPS autograd", ways.with_autograd(params, x, y, rate))
        self.enter("PyTorch", ways.with_torch(params, x, y))
        begin = processor_seconds()
        try:
            with ways.at_most(TORCH_COMPILE):
                self.enter("torch.compile", ways.with_torch_compile(params, x, y))
        except Exception as error:
            self.failed.append(f"torch.compile, {work.name}: {type(error).__name__}: {str(error).splitlines()[0]}")
        self.torch_seconds = processor_seconds() - begin
        unsquashed = ways.copied(params)
        ways.by_hand_unsquashed(unsquashed, x, y, rate)
        self.enter("scikit-learn", ways.with_sklearn(params, x, y), unsquashed)
        if (one := ways.with_c(params, x, y, 1)) and (many := ways.with_c(params, x, y, work.steps)):
            self.enter("C", one)
            self.calls["C"] = many
        self.most = ways.multiplying_and_adding(work.dtype)
        if self.most:
            self.calls["limit"] = self.most[0]

    def enter(self, name: str, step: ways.Step, right: Any = None) -> None:
        """One more, if its first step is right."""
        agree(step(), self.right if right is None else right, name, self.work.dtype)
        self.calls[name] = step

    def compilers(self, params: Any, x: Any, y: Any, rate: Any) -> None:
        """Ours and JAX's: a step a call, and many; and how long the first takes to be there."""
        one, jax_one = jit(ways.our_step), jax.jit(ways.jax_step)
        jx, jy, jp, jr = jax.device_put((x, y, params, rate))
        self.our_seconds, found = first(one, params, x, y, rate)
        agree(found, self.right, "jit", self.work.dtype)
        self.jax_seconds, found = first(jax_one, jp, jx, jy, jr)
        agree(found, self.right, "jax.jit", self.work.dtype)
        loop, jax_many = jit(partial(our_loop, self.work.steps)), jax.jit(partial(jax_loop, self.work.steps))
        there = jax.block_until_ready(jax_many(jp, jx, jy, jr))[0]
        agree(loop(params, x, y, rate)[0], there, "scan", self.work.dtype)
        self.calls |= {
            "jax.jit": lambda: jax.block_until_ready(jax_one(jp, jx, jy, jr)),
            "jit": lambda: one(params, x, y, rate),
            "jax scan": lambda: jax.block_until_ready(jax_many(jp, jx, jy, jr)),
            "jit, scan": lambda: loop(params, x, y, rate),
        }

    def timings(self, rounds: int) -> dict[str, Timing]:
        """Seconds a step."""
        found = compare(self.calls, rounds=rounds, seconds=0.02, clock=time.process_time)
        calls = dict.fromkeys(MANY, self.work.steps)  # steps a call
        if self.most:
            calls["limit"] = self.most[1] / self.work.operations
        return {name: Timing([s / calls.get(name, 1) for s in t.samples]) for name, t in found.items()}


def run(rounds: int = 31) -> Report:
    """Measure every work."""
    rows, ratios, compiling, targets, failed = [], [], [], [], []
    plotted: dict[str, dict[str, float]] = {}
    for work in WORKS:
        contest = Contest(work)
        t = contest.timings(rounds)
        ours = t["jit, scan"]
        order = [*PEERS, "jit, scan", "limit"]
        rows.append([work.name, *[f"{t[k].seconds * 1e6:.3g}" if k in t else "—" for k in order]])
        ratios.append([work.name, *[f"{ours.ratio(t[k]):.2g}" if k in t else "—" for k in PEERS],
                       f"{t['jit'].ratio(t['jax.jit']):.2f}"])  # fmt: skip
        plotted[work.name] = {k: t[k].ratio(ours) for k in PEERS if k in t}
        seconds = [contest.our_seconds, contest.jax_seconds, contest.torch_seconds]
        compiling.append([work.name, *[f"{s:.2f}" for s in seconds], f"{seconds[0] / seconds[1]:.2f}"])
        failed += contest.failed
        targets.append(
            Target(f"compiled steps {work.name}", "jax.lax.scan", ours.quartiles(t["jax scan"]), work.of_scan)
        )
        if work.sizes == (2, 16, 16, 1):
            ratio = t["jit"].quartiles(t["jax.jit"])
            targets.append(Target(f"one call a step, {work.name}", "jax.jit", ratio, 0.35))
        targets.append(Target(f"compiling a step, {work.name}", "JAX", seconds[0] / seconds[1], 1.0))
        if work.sizes == (784, 100, 10):
            targets.append(Target(f"capture and compile, {work.name}", "itself", seconds[0], 0.3, "s"))
    for work in DEEP:
        ours_seconds, theirs = compiled_deep(work)
        name = f"{len(work.sizes) - 1} layers of 16, batch {work.batch}, float64"
        compiling.append([name, f"{ours_seconds:.2f}", f"{theirs:.2f}", "—", f"{ours_seconds / theirs:.2f}"])
        targets.append(Target(f"compiling a step, {name}", "JAX", ours_seconds / theirs, 1.0))
    plot(plotted)
    text = (
        "## Compiled training steps: forward, mean squared error, backward, update\n\n"
        + table(["µs a step", *PEERS, "jit, scan", "limit"], rows)
        + "\n"
        + table(["`scan` to", *PEERS, "`jit` to `jax.jit`"], ratios)
        + "\n"
        + table(["seconds to the first result", "jit", "jax.jit", "torch.compile", "jit to JAX"], compiling)
        + f"\nMeasured on {processor()} ({platform.machine()}), in seconds of the processor. The parameters after a "
        "step agreed before anything was timed. `scan`, JAX's and the C program (`step.c`, -O3 -march=native) take "
        "many steps in one call. The limit is what the products of matrices alone take if this core does nothing but "
        "multiply and add, in vectors, as fast as it was measured to in the same rounds. scikit-learn's network has no "
        "sigmoid at the output, so its step is a little less.\n"
        + "".join(f"\nNot measured: {line}.\n" for line in failed)
    )
    return Report(text, targets)


MARKS = dict(zip(PEERS, "vP^>ohd*s", strict=True))


def plot(ratios: dict[str, dict[str, float]]) -> None:
    """How many times as long as `scan` each of the others takes."""
    figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
    names = list(ratios)
    for k, peer in enumerate(PEERS):
        at = [(ratios[name][peer], row) for row, name in enumerate(names) if peer in ratios[name]]
        axes.plot(*zip(*at, strict=True), MARKS[peer], color=f"C{k}", label=peer, markersize=7, alpha=0.85)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", yticks=range(len(names)), yticklabels=names, xlabel="time a step, as a multiple of `scan`'s")
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda x, _: f"{x:g}"))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axes.set_title("Training steps beside compiled ones, many a call")
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
