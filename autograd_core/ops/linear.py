"""Maps that are linear in their arrays: sums, means, and whatever only moves elements about.

The adjoint of a linear map A is the map Aᵀ with ⟨A x, g⟩ = ⟨x, Aᵀ g⟩, and they come in pairs: the adjoint of a sum is a
broadcast, that of a transposition the transposition back. Each comment names the partner.
"""

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import normalize_axis_tuple

from ..data import dtype_of, is_weak, ndim_of, shape_of, size_of
from ..op import POWER, Op, composed, flat, linear
from ..value import Value, plain

REQUIRED = object()
"""Marks a setting that has no default."""

ROWS = (3, 4)
REDUCTIONS = [
    ([ROWS], dict(axis=None)),
    ([ROWS], dict(axis=0)),
    ([ROWS], dict(axis=-1, keepdims=True)),
    ([(2, 3, 2)], dict(axis=(0, 2))),
    ([()], {}),
]
"""Samples for everything that reduces axes: the shapes of the arrays, and the settings."""

# Sums and broadcasts --------------------------------------------------------------------------------------------------


def keep_axes(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g, reduced from x over `axis`, with the reduced axes back as axes of length 1."""
    if keepdims or axis is None or ndim_of(g) == ndim_of(x):
        return g
    ndim = ndim_of(x)
    reduced = {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    g = np.asarray(g) if type(g) is float else g
    return g.reshape(tuple(1 if a in reduced else n for a, n in enumerate(shape_of(x))))


def count(x: Any, axis: Any) -> int:
    """How many elements of x a reduction over `axis` takes together."""
    if axis is None:
        return size_of(x)
    shape, n = shape_of(x), 1
    for a in axis if isinstance(axis, tuple) else (axis,):
        n *= shape[a]
    return n


add_up: Any = np.add.reduce


def sum_array(x: Any, axis: Any, keepdims: Any) -> Any:
    if type(x) is ndarray:
        return add_up(x, axis, None, None, keepdims)  # what np.sum does, without its detour
    return np.sum(x, axis=axis, keepdims=keepdims)


def mean_array(x: Any, axis: Any, keepdims: Any) -> Any:
    if type(x) is ndarray and x.shape and x.size and x.dtype != np.float16:  # NumPy adds float16 up in float32
        return add_up(x, axis, None, None, keepdims) / count(x, axis)
    return np.mean(x, axis=axis, keepdims=keepdims)


def broadcast_array(x: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(x, (float, np.generic, np.ndarray)):
        filled = np.empty(shape, dtype_of(x))
        if filled.size < 16384 and ndim_of(x) <= filled.ndim:  # to fill is then quicker than NumPy's view
            filled.fill(x) if ndim_of(x) == 0 else np.copyto(filled, x)
            return filled
    return np.broadcast_to(x, shape)


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g, reduced from x over `axis`, broadcast back to the shape of x."""
    g = keep_axes(g, x, axis, keepdims)
    return broadcast_to.apply(g, shape_of(x)) if type(g) is Value else broadcast_array(g, shape_of(x))


def each_of(axis: Any) -> tuple[int, ...]:
    """Axes or lengths, as a tuple: NumPy takes a number, and for most functions any sequence."""
    return tuple(axis) if np.iterable(axis) else (axis,)


def behind(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of an array that stand behind a further first axis, of ndim axes in all."""
    return tuple(range(1, ndim)) if axis is None else tuple([a + 1 if a >= 0 else a for a in each_of(axis)])


sum: Op = linear(
    "sum", sum_array, numpy=np.sum, settings=dict(axis=None, keepdims=False), samples=REDUCTIONS,
    text="sum({x})", tex=r"\sum{over}\left({x}\right)",
    adjoints=(spread,), batched=lambda t, axis, keepdims: sum_array(t, behind(axis, t.ndim), keepdims),
)  # fmt: skip
mean = linear(
    "mean", mean_array, numpy=np.mean, settings=dict(axis=None, keepdims=False), samples=REDUCTIONS,
    text="mean({x})", tex=r"\operatorname{{mean}}{over}({x})",
    adjoints=(lambda g, x, axis, keepdims: spread(g / count(x, axis), x, axis, keepdims),),
    batched=lambda t, axis, keepdims: mean_array(t, behind(axis, t.ndim), keepdims),
)  # fmt: skip
broadcast_to: Op = linear(  # ↔ sum
    "broadcast_to", broadcast_array, numpy=np.broadcast_to, settings=dict(shape=REQUIRED),
    samples=[([(3, 1)], dict(shape=(2, 3, 4))), ([()], dict(shape=(2, 2)))],
    adjoints=(lambda g, x, shape: sum_to(g, shape_of(x)),),
    batched=lambda t, shape: broadcast_behind(t, each_of(shape)),
)  # fmt: skip


def broadcast_behind(t: Any, shape: tuple[int, ...]) -> Any:
    """Each part of t along its first axis, broadcast to a shape."""
    grown = t.reshape(len(t), *(1,) * (len(shape) + 1 - t.ndim), *t.shape[1:])
    return np.broadcast_to(grown, (len(t), *shape))


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum g over the axes along which an array of `shape` was broadcast: the adjoint of broadcasting."""
    if type(g) is ndarray and g.shape[1:] == shape:
        return add_up(g, 0)  # a bias under a batch
    extra = ndim_of(g) - len(shape)
    grown = shape_of(g)[max(extra, 0) :]
    if extra < 0 or any(n != m and n != 1 for n, m in zip(shape, grown, strict=True)):
        raise ValueError(f"a gradient of shape {shape_of(g)} cannot come from a variable of shape {shape}")
    axes = (*range(extra), *[extra + a for a, n in enumerate(shape) if n == 1 and grown[a] != 1])
    if axes:
        g = sum.apply(g, axes, False)
    return g if shape_of(g) == shape else reshape.apply(g, shape)


# Shape: each of these only moves elements, and its adjoint moves them back --------------------------------------------

identity = linear(
    "identity", lambda x: x, text="{x}", tex="{x}", samples=[([ROWS], {})],
    adjoints=(lambda g, x: g,), batched=lambda t: t,
)  # fmt: skip
reshape: Op = linear(
    "reshape", np.reshape, numpy=np.reshape, settings=dict(shape=REQUIRED),
    samples=[([ROWS], dict(shape=(2, 6))), ([ROWS], dict(shape=-1)), ([()], dict(shape=(1, 1)))],
    adjoints=(lambda g, x, shape: reshape(g, shape_of(x)),),
    batched=lambda t, shape: t.reshape(len(t), *each_of(shape)),
)  # fmt: skip


def back(axes: Any) -> tuple[int, ...]:
    """The order of axes that undoes another."""
    order: list[int] = np.argsort([axis % len(axes) for axis in axes]).tolist()
    return tuple(order)


transpose: Op = linear(
    "transpose", np.transpose, numpy=np.transpose, settings=dict(axes=None),
    samples=[([ROWS], {}), ([(2, 3, 4)], dict(axes=(1, 2, 0))), ([(2, 2, 2)], dict(axes=(-1, 0, -2)))],
    text="{x}ᵀ", tex=r"{{{x}}}^{{\top}}", precedence=POWER,
    adjoints=(lambda g, x, axes: transpose(g, None if axes is None else back(axes)),),
    batched=lambda t, axes: np.transpose(t, (0, *(range(t.ndim - 1, 0, -1) if axes is None else behind(axes, t.ndim)))),
)  # fmt: skip
swapaxes: Op = linear(
    "swapaxes", np.swapaxes, numpy=np.swapaxes, settings=dict(axis1=REQUIRED, axis2=REQUIRED),
    samples=[([(2, 3, 4)], dict(axis1=0, axis2=-1))],
    adjoints=(lambda g, x, axis1, axis2: swapaxes(g, axis1, axis2),),
)  # fmt: skip
moveaxis: Op = linear(
    "moveaxis", np.moveaxis, numpy=np.moveaxis, settings=dict(source=REQUIRED, destination=REQUIRED),
    samples=[([(2, 3, 4)], dict(source=0, destination=-1))],
    adjoints=(lambda g, x, source, destination: moveaxis(g, destination, source),),
)  # fmt: skip


def to_axes(x: Any, source: tuple[int, ...], destination: tuple[int, ...]) -> Any:
    """`moveaxis`, of which nothing is recorded if the axes are there already."""
    same = normalize_axis_tuple(source, ndim_of(x)) == normalize_axis_tuple(destination, ndim_of(x))
    return x if same else moveaxis(x, source, destination)


squeeze = linear(
    "squeeze", np.squeeze, numpy=np.squeeze, settings=dict(axis=None),
    samples=[([(1, 3, 1)], {}), ([(1, 3, 1)], dict(axis=0))],
    adjoints=(lambda g, x, axis: reshape(g, shape_of(x)),),
)  # fmt: skip
expand_dims = linear(
    "expand_dims", np.expand_dims, numpy=np.expand_dims, settings=dict(axis=REQUIRED),
    samples=[([ROWS], dict(axis=1)), ([ROWS], dict(axis=(0, 3)))],
    adjoints=(lambda g, x, axis: reshape(g, shape_of(x)),),
)  # fmt: skip
flip: Op = linear(
    "flip", np.flip, numpy=np.flip, settings=dict(axis=None), samples=[([ROWS], {}), ([ROWS], dict(axis=1))],
    adjoints=(lambda g, x, axis: flip(g, axis),),
)  # fmt: skip
roll: Op = linear(
    "roll", np.roll, numpy=np.roll, settings=dict(shift=REQUIRED, axis=None),
    samples=[([ROWS], dict(shift=2)), ([ROWS], dict(shift=(1, -1), axis=(0, 1)))],
    adjoints=(lambda g, x, shift, axis: roll(g, tuple(np.negative(shift)) if np.ndim(shift) else -shift, axis),),
)  # fmt: skip
tril: Op = linear(
    "tril", np.tril, numpy=np.tril, settings=dict(k=0), samples=[([ROWS], {}), ([ROWS], dict(k=-1))],
    adjoints=(lambda g, x, k: tril(g, k),), selects=True,
)  # fmt: skip
triu: Op = linear(
    "triu", np.triu, numpy=np.triu, settings=dict(k=0), samples=[([ROWS], {}), ([ROWS], dict(k=1))],
    adjoints=(lambda g, x, k: triu(g, k),), selects=True,
)  # fmt: skip


cumsum: Op = linear(  # its adjoint runs from the other end
    "cumsum", np.cumsum, numpy=np.cumsum, settings=dict(axis=None),
    samples=[([ROWS], dict(axis=1)), ([ROWS], dict(axis=None))],
    adjoints=(lambda g, x, axis: reshape(flip(cumsum(flip(g, axis), axis), axis), shape_of(x)),),
)  # fmt: skip


def cast(x: Any, dtype: Any) -> Any:
    if dtype is float:
        return x.weakened() if hasattr(x, "weakened") else float(x)  # a Python float, whose precision is weak
    if dtype.kind not in "fc":
        raise TypeError(f"a Value has no derivative as {dtype}; write v.data.astype('{dtype}') for plain data")
    if dtype_of(x).kind == "c" != dtype.kind:
        raise TypeError(f"complex numbers are not {dtype}: take np.real(v) or np.abs(v) before")
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


astype: Op = linear(
    "astype", cast, settings=dict(dtype=REQUIRED),
    samples=[([ROWS], dict(dtype=np.dtype(np.float64))), ([ROWS], dict(dtype=np.dtype(np.complex128)))],
    adjoints=(lambda g, x, dtype: in_dtype(g, dtype_of(x)),),
)  # fmt: skip


def in_dtype(x: Any, dtype: Any) -> Any:
    """x in a dtype: of a complex gradient a real variable takes the real part."""
    if dtype_of(x).kind == "c" != dtype.kind:
        x = real(x)
    return x if dtype_of(x) == dtype else astype.apply(x, dtype)


def in_dtype_of(x: Any, y: Any) -> Any:
    """x in the dtype of y, or as a Python float if y is one."""
    if not is_weak(plain(y)):
        return in_dtype(x, dtype_of(y))
    return x if is_weak(plain(x)) else astype.apply(real(x) if dtype_of(x).kind == "c" else x, float)


def converted(x: Any, dtype: Any) -> Any:
    """x in the dtype that a function of NumPy was told to compute in, if it was: where NumPy converts by itself."""
    return x if dtype is None else astype(x, np.dtype(dtype))


if hasattr(np, "astype"):  # NumPy 2.1

    @composed(np.astype)
    def array_astype(x: Any, dtype: Any, /, *, copy: bool = True, device: str | None = None) -> Any:
        """See `np.astype`."""
        return astype(x, np.dtype(dtype))


# Complex numbers; gradients are transposes here, and are conjugated once at the leaf ----------------------------------

real = linear(
    "real", np.real, numpy=np.real, tex=r"\operatorname{{Re}}({x})", samples=[([ROWS], {})], adjoints=(lambda g, x: g,)
)
imag = linear(
    "imag",
    np.imag,
    numpy=np.imag,
    gathers=False,
    tex=r"\operatorname{{Im}}({x})",
    samples=[([ROWS], {})],
    adjoints=(lambda g, x: g * -1j,),
)
conj: Op = linear(
    "conj", np.conjugate, numpy=np.conjugate, samples=[([ROWS], {})], text="{x}*", tex=r"\overline{{{x}}}",
    precedence=POWER,
    adjoints=(lambda g, x: conj(g),),
)  # fmt: skip


def is_by_columns(x: Any, order: str, name: str) -> bool:
    """Whether elements are read with the first index changing fastest: Fortran's order."""
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"{name}: order={order!r}; it is 'C', 'F', 'A' or 'K'")
    flags = getattr(plain(x), "flags", None)
    if order == "K" and flags is not None and not (flags.c_contiguous or flags.f_contiguous):
        raise TypeError(f"{name}: the order 'K' of a Value that is stored with gaps is left to chance: say 'C' or 'F'")
    return order == "F" or (order in ("A", "K") and flags is not None and flags.fnc)


@composed(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    """See `np.ravel`; of an array that is stored by columns, the orders "A" and "K" are "F", and else "C"."""
    return reshape(transpose(a) if is_by_columns(a, order, "ravel") else a, -1)


@composed(np.reshape)
def reshape_in_order(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """See `np.reshape`: in Fortran's order it is that of the transpose, with the lengths from the last."""
    if order == "K":
        raise ValueError("reshape: order='K'; it is 'C', 'F' or 'A'")
    if not is_by_columns(a, order, "reshape"):
        return reshape(a, shape)
    return transpose(reshape(transpose(a), each_of(shape)[::-1]))


# Questions about an array have plain answers --------------------------------------------------------------------------

flat(
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.result_type,
    np.iscomplexobj, np.isrealobj, np.iscomplex, np.isreal, np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero,
    np.flatnonzero, np.count_nonzero, np.all, np.any, np.allclose, np.isclose, np.array_equal, np.array_repr,
    np.array_str, np.array2string, np.searchsorted, np.may_share_memory, np.shares_memory, np.lexsort,
)  # fmt: skip
