"""Fourier transforms. All are linear, and their rules are transposes.

The matrix of the transform of complex numbers is symmetric, so `fft` and `ifft` are their own adjoints, once the array
is cut or padded back to its length. `rfft` and `irfft` are each other's: of the transform of real numbers they keep the
half that is not the conjugate of the other, so that all of its elements but the first (and, of an even number, the
last) stand for two, whose gradients add up.

Transforms of several axes are made of those, as NumPy makes them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import dtype_of, ndim_of, shape_of
from ..op import Op, composed, linear
from .indexing import concatenate
from .linear import roll

SETTINGS: dict[str, Any] = dict(n=None, axis=-1, norm=None)
SAMPLES: list[Any] = [
    ([(5,)], {}), ([(4, 3)], dict(axis=0, norm="ortho")), ([(4,)], dict(n=6, norm="forward")), ([(2, 6)], dict(n=3)),
]  # fmt: skip
OTHER = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm with which the transform back is scaled by what this one is not: 1 for 1/n, and 1/n for 1."""


def resized(x: Any, n: int, axis: int) -> Any:
    """x cut to the length n along an axis, or followed by zeros."""
    m = shape_of(x)[axis]
    if m == n:
        return x
    if m > n:
        return x[(slice(None),) * (axis % ndim_of(x)) + (slice(n),)]
    zeros = [n - m if k == axis % ndim_of(x) else size for k, size in enumerate(shape_of(x))]
    return concatenate([x, np.zeros(zeros, dtype_of(x))], axis)


def weights(n: int, axis: int, x: Any) -> Any:
    """How many elements of the transform of n real numbers each of the kept half stands for."""
    kept = np.full(n // 2 + 1, 2.0, np.finfo(dtype_of(x)).dtype)
    kept[0] = 1.0
    if n % 2 == 0:
        kept[-1] = 1.0
    return kept.reshape((-1,) + (1,) * (ndim_of(x) - 1 - axis % ndim_of(x)))


def of_real(g: Any, x: Any, n: int | None, axis: int, norm: str | None) -> Any:
    """The adjoint of rfft: Re Σₖ gₖ exp(-2πi jk/n), as a transform back of the conjugates."""
    n = shape_of(x)[axis] if n is None else n
    return resized(irfft(np.conj(g) / weights(n, axis, g), n, axis, OTHER[norm]), shape_of(x)[axis], axis)


def to_real(g: Any, x: Any, n: int | None, axis: int, norm: str | None) -> Any:
    """The adjoint of irfft."""
    n = shape_of(g)[axis]
    back = np.conj(rfft(g, n, axis, OTHER[norm])) * weights(n, axis, g)
    return resized(back, shape_of(x)[axis], axis)


fft: Op = linear(
    "fft", np.fft.fft, numpy=np.fft.fft, settings=SETTINGS, samples=SAMPLES, gathers=False,
    adjoints=(lambda g, x, n, axis, norm: resized(fft(g, None, axis, norm), shape_of(x)[axis], axis),),
    doc="Σⱼ xⱼ exp(-2πi jk/n), the discrete Fourier transform along an axis; its own adjoint.",
)  # fmt: skip
ifft: Op = linear(
    "ifft", np.fft.ifft, numpy=np.fft.ifft, settings=SETTINGS, samples=SAMPLES, gathers=False,
    adjoints=(lambda g, x, n, axis, norm: resized(ifft(g, None, axis, norm), shape_of(x)[axis], axis),),
    doc="1/n Σₖ xₖ exp(2πi jk/n), the transform back; its own adjoint.",
)  # fmt: skip
rfft: Op = linear(  # ↔ irfft
    "rfft", np.fft.rfft, numpy=np.fft.rfft, settings=SETTINGS, samples=SAMPLES, gathers=False, adjoints=(of_real,),
    doc="The first half of `fft` of real numbers.",
)  # fmt: skip
irfft: Op = linear(  # ↔ rfft
    "irfft", np.fft.irfft, numpy=np.fft.irfft, settings=SETTINGS, gathers=False, adjoints=(to_real,),
    samples=[([(3,)], {}), ([(3,)], dict(n=5)), ([(4, 3)], dict(axis=0, norm="ortho")), ([(3, 2)], dict(n=6, axis=0))],
    doc="`ifft` to real numbers, from the first half.",
)  # fmt: skip

# Of several axes ------------------------------------------------------------------------------------------------------

Shape = Sequence[int] | None


def lengths(a: Any, s: Shape, axes: Shape) -> list[tuple[int | None, int]]:
    """The length and the number of each axis that is transformed."""
    if axes is None:
        axes = range(-(ndim_of(a) if s is None else len(s)), 0)
    if s is not None and len(s) != len(axes):
        raise ValueError(f"a transform of the axes {tuple(axes)} needs as many lengths, and s has {len(s)}")
    if s is None:
        return [(None, axis) for axis in axes]
    return [(shape_of(a)[axis] if n == -1 else n, axis) for n, axis in zip(s, axes, strict=True)]


def each_axis(op: Op, a: Any, pairs: list[tuple[int | None, int]], norm: str | None) -> Any:
    """One transform after the other, the last axis first."""
    for n, axis in reversed(pairs):
        a = op(a, n, axis, norm)
    return a


@composed(np.fft.fftn)
def fftn(a: Any, s: Shape = None, axes: Shape = None, norm: str | None = None) -> Any:
    """See `np.fft.fftn`."""
    return each_axis(fft, a, lengths(a, s, axes), norm)


@composed(np.fft.ifftn)
def ifftn(a: Any, s: Shape = None, axes: Shape = None, norm: str | None = None) -> Any:
    """See `np.fft.ifftn`."""
    return each_axis(ifft, a, lengths(a, s, axes), norm)


@composed(np.fft.rfftn)
def rfftn(a: Any, s: Shape = None, axes: Shape = None, norm: str | None = None) -> Any:
    """See `np.fft.rfftn`: the last axis is that of real numbers."""
    *others, (n, axis) = lengths(a, s, axes)
    return each_axis(fft, rfft(a, n, axis, norm), others, norm)


@composed(np.fft.irfftn)
def irfftn(a: Any, s: Shape = None, axes: Shape = None, norm: str | None = None) -> Any:
    """See `np.fft.irfftn`."""
    *others, (n, axis) = lengths(a, s, axes)
    return irfft(each_axis(ifft, a, others, norm), n, axis, norm)


@composed(np.fft.fft2)
def fft2(a: Any, s: Shape = None, axes: Shape = (-2, -1), norm: str | None = None) -> Any:
    """See `np.fft.fft2`."""
    return fftn(a, s, axes, norm)


@composed(np.fft.ifft2)
def ifft2(a: Any, s: Shape = None, axes: Shape = (-2, -1), norm: str | None = None) -> Any:
    """See `np.fft.ifft2`."""
    return ifftn(a, s, axes, norm)


@composed(np.fft.rfft2)
def rfft2(a: Any, s: Shape = None, axes: Shape = (-2, -1), norm: str | None = None) -> Any:
    """See `np.fft.rfft2`."""
    return rfftn(a, s, axes, norm)


@composed(np.fft.irfft2)
def irfft2(a: Any, s: Shape = None, axes: Shape = (-2, -1), norm: str | None = None) -> Any:
    """See `np.fft.irfft2`."""
    return irfftn(a, s, axes, norm)


@composed(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """See `np.fft.hfft`: the transform of an array that is the conjugate of itself turned round."""
    return irfft(np.conj(a), n, axis, OTHER[norm])


@composed(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """See `np.fft.ihfft`."""
    return np.conj(rfft(a, n, axis, OTHER[norm]))


@composed(np.fft.fftshift)
def fftshift(x: Any, axes: int | Shape = None) -> Any:
    """See `np.fft.fftshift`: the element of frequency 0 in the middle."""
    axes = tuple(range(ndim_of(x))) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return roll(x, tuple(shape_of(x)[k] // 2 for k in axes), axes)


@composed(np.fft.ifftshift)
def ifftshift(x: Any, axes: int | Shape = None) -> Any:
    """See `np.fft.ifftshift`: what undoes `fftshift`."""
    axes = tuple(range(ndim_of(x))) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return roll(x, tuple(-(shape_of(x)[k] // 2) for k in axes), axes)
