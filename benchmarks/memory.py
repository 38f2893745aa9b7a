"""What a graph and a training step take, what comes back, and what is left for the garbage collector."""

import ctypes
import gc
import multiprocessing
import os
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from autograd_core import Value

from .harness import Report, Target, table
from .training_step import CANDIDATES, OURS, REFERENCE, begin, candidates

NODES, AT_MOST = 1_000_000, 256
STEPS, SIZES, BATCH = 1_000, (2, 3, 1), 4
WIDE, WIDE_BATCH, MEBIBYTE = (784, 1024, 1024, 10), 256, 1 << 20
PEERS = ("PyTorch nn", "MyGrad")
DATA = sys.getsizeof(1.0)
"""The bytes that a node's data take: its number. Its gradient counts as the graph's."""


def chain() -> Any:
    """A million results in a row: each is one Python float, with a float as its gradient."""
    v, w, x = Value(1.0), Value(0.9999), Value(0.0001)
    for _ in range(NODES // 2):
        v = v * w + x
    return v


def resident() -> int:
    """Bytes of memory that the process holds (0 where the system does not tell)."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def requested() -> int:
    """Bytes that Python's objects have asked for and not given back, while tracemalloc counts them."""
    return tracemalloc.get_traced_memory()[0]


def phases(held: Callable[[], int]) -> list[tuple[float, float]]:
    """Bytes a node, and seconds, after the graph is recorded, then differentiated, then dropped."""
    found = []
    gc.collect()
    before, begin = held(), perf_counter()
    v = chain()
    found.append(((held() - before) / NODES, perf_counter() - begin))
    begin = perf_counter()
    v.backward()
    found.append(((held() - before) / NODES, perf_counter() - begin))
    begin = perf_counter()
    del v
    found.append(((held() - before) / NODES, perf_counter() - begin))
    return found


def left_over(step: Callable[[], object]) -> int:
    """Objects that only the cycle collector can free, after so many steps."""
    step()
    gc.collect()
    gc.disable()
    for _ in range(STEPS):
        step()
    found = gc.collect()
    gc.enable()
    return found


def step_peak(name: str) -> float:
    """MiB by which the process grows at most over five steps of the wide network: gradients, activations and the rest.

    Data and parameters are there before. The kernel keeps the peak, and forgets it when it is told to.
    """
    torch.set_num_threads(1)
    candidate = CANDIDATES[name](WIDE, *begin(WIDE, WIDE_BATCH))
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before would be used again, unseen
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident()
    for _ in range(5):
        candidate.step()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return (peak - before) / MEBIBYTE


def step_peaks() -> dict[str, float]:
    """The same for all engines, each in a process of its own."""
    found = {}
    for name in CANDIDATES:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found[name] = pool.submit(step_peak, name).result()
    return found


def run() -> Report:
    """Measure the chain twice (counting every allocation makes it slow), then what training takes and leaves."""
    real = phases(resident)
    tracemalloc.start()
    counted = phases(requested)
    peak = tracemalloc.get_traced_memory()[1] / NODES - DATA
    tracemalloc.stop()
    rows = [
        [phase, f"{seconds:.2f}", f"{asked:.0f}", f"{max(asked - DATA, 0):.0f}", f"{held:.0f}"]
        for phase, (held, seconds), (asked, _) in zip(("built", "differentiated", "freed"), real, counted, strict=True)
    ]
    left = {name: left_over(candidate.step) for name, candidate in candidates(SIZES, BATCH).items()}
    text = (
        f"## A chain of {NODES:,} scalar operations\n\n"
        + table(["then", "seconds", "bytes a node", "beside its number", "resident"], rows)
        + "\nBytes are what Python's objects ask for (tracemalloc): the node with all it holds, its gradient included, "
        "and its\nnumber, which is the data. Resident is what the process grew by, with the allocator's rounding.\n"
        f"At the peak, within the backward pass, {peak:.0f} bytes stood beside the number.\n"
        f"\n## Objects left for the cycle collector after {STEPS:,} training steps\n\n"
        + table(["engine", "objects"], [[name, f"{count:,}"] for name, count in left.items()])
    )
    peaks = step_peaks()
    text += (
        f"\n## Memory of a training step, {'-'.join(map(str, WIDE))}, batch {WIDE_BATCH}\n\n"
        + table(
            ["engine", "MiB at the peak", f"× {REFERENCE}"],
            [[name, f"{peak:.0f}", f"{peak / peaks[REFERENCE]:.2f}"] for name, peak in peaks.items()],
        )
        + "\nBy how much the process grows over five steps, beyond data and parameters.\n"
    )
    wide = [peaks[OURS] / peaks[name] for name in PEERS]
    chain_of = f"chain of {NODES:,} scalar operations"
    return Report(
        text,
        [
            Target(f"{chain_of}, beside its data, at the peak", "", peak, AT_MOST, "bytes a node"),
            Target(f"{chain_of}, after it was dropped", "", counted[-1][0], 1, "bytes a node"),
            Target(f"left for the cycle collector after {STEPS:,} training steps", "", left[OURS], 0, "objects"),
            *(
                Target("memory of a training step 784-1024-1024-10, batch 256", name, ratio, 1.0)
                for name, ratio in zip(PEERS, wide, strict=True)
            ),
        ],
    )
