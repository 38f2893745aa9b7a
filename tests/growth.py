"""The memory that compiled programs leave behind when they are dropped: `python tests/growth.py 10000`."""

import gc
import sys

import numpy as np
import psutil

from autograd_core import jit


def compile_some(count: int) -> int:
    """Compile, run and drop so many different programs; the bytes in use afterwards."""
    for k in range(count):
        jit(lambda x, k=k: x * float(k), backend="llvm")(np.ones(3))
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    count = int(sys.argv[1])
    before = compile_some(300)  # what the first ones set up once and for all
    for part in range(10):
        after = compile_some(count // 10)
        print(f"after {(part + 1) * (count // 10):6,} programs: {(after - before) / 1024:+8.0f} KiB", flush=True)
