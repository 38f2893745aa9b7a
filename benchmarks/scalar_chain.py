"""A chain of scalar operations, `v = relu(v * w + x)`: built and differentiated, against micrograd."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import micrograd.engine
import numpy as np

import autograd_core

from .harness import Report, Target, Timing, compare, table

LENGTHS = {1_000: (0.5, 0.3), 100_000: (0.12, 4.0)}
"""Nodes in the chain -> the target, as a fraction of micrograd's time; the seconds of a sample.

Samples are long, so that each engine pays for the collection of its own garbage, as it does in a program.
"""


def chain(value: Any, nodes: int) -> tuple[Any, Any, Any]:
    """Build a chain of so many results, and differentiate it. The source is the same for both engines."""
    w, x = value(0.9999), value(0.0001)
    v = value(1.0)
    for _ in range(nodes // 3):
        v = (v * w + x).relu()
    v.backward()
    return v, w, x


def check(nodes: int) -> None:
    """The same data and gradients in both engines."""
    (v, w, x), others = chain(autograd_core.Value, nodes), chain(micrograd.engine.Value, nodes)
    np.testing.assert_allclose([v.data, w.grad, x.grad], [others[0].data, others[1].grad, others[2].grad], rtol=1e-9)


def measure() -> dict[int, dict[str, Timing]]:
    """Both engines at every length."""
    found = {}
    for nodes, (_, seconds) in LENGTHS.items():
        check(nodes)
        calls = {
            "micrograd": lambda nodes=nodes: chain(micrograd.engine.Value, nodes),
            "autograd_core": lambda nodes=nodes: chain(autograd_core.Value, nodes),
        }
        found[nodes] = compare(calls, rounds=7, seconds=seconds, collect=True)
    return found


def run() -> Report:
    """Measure on a deep stack: micrograd's backward pass recurses once a node."""
    sys.setrecursionlimit(10 * max(LENGTHS))
    threading.stack_size(512 * 2**20)
    with ThreadPoolExecutor(1) as deep:
        found = deep.submit(measure).result()
    rows, targets = [], []
    for nodes, timings in found.items():
        theirs, ours = timings["micrograd"], timings["autograd_core"]
        microseconds = [f"{timing.seconds / nodes * 1e6:.2f}" for timing in (theirs, ours)]
        rows.append([f"{nodes:,} nodes", *microseconds, f"{ours.ratio(theirs):.2f}"])
        targets.append(Target(f"scalar chain, {nodes:,} nodes", "micrograd", ours.quartiles(theirs), LENGTHS[nodes][0]))
    text = (
        "## A chain of scalar operations: `v = relu(v * w + x)`, built and differentiated\n\n"
        + table(["µs a node", "micrograd", "autograd_core", "ratio"], rows)
        + "\nmicrograd's nodes hold reference cycles, which wake Python's garbage collector again and again.\n"
    )
    return Report(text, targets)
