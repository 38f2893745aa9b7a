"""The processor that code is written for, as far as that makes a difference."""

import functools
from typing import NamedTuple

import llvmlite.binding as llvm


class Target(NamedTuple):
    """A processor."""

    name: str
    features: str
    width: int
    """The bytes of the vectors to use on it."""

    avx512: bool
    """Whether it has 32 registers and not 16, masks, and x · 2ⁿ as an instruction."""

    @property
    def large(self) -> int:
        """Products of more multiplications than this go to BLAS, whose blocking for the caches then pays; measured on
        Zen 3 and Zen 4."""
        return 500_000_000 if self.avx512 else 40_000_000


@functools.cache
def target() -> Target:
    """This processor. Vectors are as wide as it has them, which on Zen 4 was measured to be quicker; but Intel's before
    Sapphire Rapids lower their clock for the widest, which LLVM, too, avoids there."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features()
    avx512 = all(features.get(part) for part in ("avx512f", "avx512vl", "avx512bw", "avx512dq"))
    width = 64 if avx512 and name not in SLOWED else 32 if features.get("avx2") else 16
    return Target(name, features.flatten(), width, avx512)


SLOWED = frozenset((
    "skylake-avx512", "cascadelake", "cooperlake", "cannonlake", "icelake-client", "icelake-server", "rocketlake",
    "tigerlake",
))  # fmt: skip
"""Processors that run slower while they use vectors of 64 bytes."""
