"""Functions of real numbers that go by cases or tables: select, piecewise, interpolation, sinc."""

import functools
import math
from typing import Any

import numpy as np

from ..data import as_array, as_constant, dtype_of, is_weak, ndim_of, shape_of, size_of
from ..op import composed, elementwise, flat
from ..registry import BY_NUMPY
from ..value import Value, plain
from .indexing import choose, concatenate, getitem, scatter_add
from .linear import broadcast_to, imag, in_dtype, real

# Element by element ---------------------------------------------------------------------------------------------------

copysign = elementwise(
    "copysign", np.copysign, scalar=math.copysign, numpy=np.copysign, domain=[(0.3, 2), (0.3, 2)],
    partials=(lambda out, x, y: np.sign(x) * np.sign(out),
              lambda out, x, y: 0.0),
)  # fmt: skip
fmod = elementwise(
    "fmod", np.fmod, scalar=math.fmod, numpy=np.fmod, domain=[(1.6, 1.9), (0.9, 1.2)],
    partials=(lambda out, x, y: 1.0,
              lambda out, x, y: -np.trunc(x / y)),
)  # fmt: skip

SERIES = [(-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 14)]
"""sin(u)/u = Σ (-1)ᵏ u²ᵏ / (2k+1)!; these are the coefficients of the derivative."""


def slope_of_sinc(out: Any, x: Any) -> Any:
    """π d/du sin(u)/u at u = πx. The quotient (cos u - sin(u)/u) / u loses its digits near 0; the series does not."""
    small = np.abs(x) < 0.4
    u = math.pi * choose(small, x, 0.0)
    series, square = 0.0, u * u
    for coefficient in reversed(SERIES):
        series = series * square + coefficient
    return choose(small, math.pi * series * u, (np.cos(math.pi * x) - out) / choose(small, 1.0, x))


sinc = elementwise(
    "sinc", np.sinc, scalar=lambda x: float(np.sinc(x)), numpy=np.sinc, domain=[(0.6, 0.9)],
    tex=r"\operatorname{{sinc}}({x})",
    partials=(slope_of_sinc,),
)  # fmt: skip


@composed(np.ldexp)
def ldexp(x1: Any, x2: Any) -> Any:
    """See `np.ldexp`: x 2ⁱ, with the integers i plain."""
    return x1 * np.ldexp(np.ones((), dtype_of(x1)), plain(x2))


@composed(np.divmod)
def divmod(x1: Any, x2: Any) -> Any:
    """See `np.divmod`: a quotient that is plain, and a remainder."""
    return np.floor_divide(plain(x1), plain(x2)), np.remainder(x1, x2)


@composed(np.modf)
def modf(x: Any) -> Any:
    """See `np.modf`: a fraction, and an integer part that is plain."""
    part, whole = np.modf(plain(x))
    return np.where(np.isinf(whole), part, x - whole), whole


@composed(np.frexp)
def frexp(x: Any) -> Any:
    """See `np.frexp`: a mantissa, and an exponent that is plain."""
    exponent = np.frexp(plain(x))[1]
    return ldexp(x, -exponent), exponent


@composed(np.nextafter)
def nextafter(x1: Any, x2: Any) -> Any:
    """See `np.nextafter`: x1 and a unit of rounding, which is plain."""
    out = np.nextafter(plain(x1), plain(x2))
    return np.where(np.isinf(plain(x1)), out, x1 + (out - plain(x1)))


@composed(np.i0)
def i0(x: Any) -> Any:
    """See `np.i0`; its derivative, the Bessel function I₁, is SciPy's."""
    try:
        from scipy import special  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise TypeError("np.i0 of a Value needs SciPy for its derivative: pip install scipy") from error
    return in_dtype(special.i0(x), dtype_of(x))


@composed(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """See `np.nan_to_num`: what is replaced has the derivative 0."""
    return np.where(np.isfinite(plain(x)), x, np.nan_to_num(plain(x), nan=nan, posinf=posinf, neginf=neginf))


@composed(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """See `np.angle`."""
    out = np.arctan2(imag(z), real(z))
    return np.rad2deg(out) if deg else out


@composed(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """See `np.real_if_close`."""
    return real(a) if dtype_of(a).kind == "c" and not np.iscomplexobj(np.real_if_close(plain(a), tol)) else a


@composed(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """See `np.unwrap`: whole periods are added, which changes no derivative."""
    data = plain(p)
    out = np.unwrap(data, discont, axis, period=period)
    return p + np.where(out == data, 0, out - data)  # inf - inf is nan


# By cases -------------------------------------------------------------------------------------------------------------


def weak_or_dtype(x: Any) -> Any:
    """What NumPy asks for the dtype of a result: a Python number, which gives way, or else the dtype."""
    data = plain(x)
    if is_weak(data):
        return 0.0
    return data if type(data) in (int, complex) else dtype_of(np.asarray(data) if isinstance(data, list) else data)


@composed(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """See `np.select`: a chain of `where`."""
    if len(condlist) != len(choicelist):
        raise ValueError("select: as many conditions as choices are needed")
    dtype = np.result_type(*[weak_or_dtype(x) for x in (*choicelist, default)])
    out = default if type(default) is Value else np.asarray(default, dtype)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = np.where(plain(condition), choice, out)
    return in_dtype(out, dtype)


@composed(np.choose)
def choose_from(a: Any, choices: Any, *, mode: str = "raise") -> Any:
    """See `np.choose`."""
    a = np.asarray(plain(a))
    if mode != "raise":
        a = np.mod(a, len(choices)) if mode == "wrap" else np.clip(a, 0, len(choices) - 1)
    if np.any((a < 0) | (a >= len(choices))):
        raise ValueError("choose: an index is out of range")
    return select([a == k for k in range(len(choices))], list(choices))


@composed(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **settings: Any) -> Any:
    """See `np.piecewise`: each function sees only the elements where its condition is the last that holds."""
    conditions = [np.broadcast_to(plain(c), shape_of(x)) for c in (condlist if isinstance(condlist, (list, tuple))
                  and np.ndim(plain(condlist[0])) == ndim_of(x) else [condlist])]  # fmt: skip
    if len(funclist) == len(conditions) + 1:
        conditions.append(np.logical_not(np.logical_or.reduce(conditions)))
    if len(funclist) != len(conditions):
        raise ValueError(f"piecewise: {len(conditions)} conditions take as many functions, or one more")
    out: Any = np.zeros(shape_of(x), dtype_of(x))
    taken = np.zeros(shape_of(x), bool)
    for condition, function in reversed(list(zip(conditions, funclist, strict=True))):
        mine = condition & ~taken
        taken = taken | mine
        if callable(function):
            if mine.any():
                out = out + scatter_add(function(x[mine], *args, **settings), mine, shape_of(x))
        else:
            out = np.where(mine, function, out)
    return out


@composed(np.heaviside)
def heaviside(x1: Any, x2: Any) -> Any:
    """See `np.heaviside`: plain, but for what x2 says of x1 = 0 if that is a Value."""
    step = np.heaviside(plain(x1), plain(x2))
    return step + np.where(np.equal(plain(x1), 0), x2 - plain(x2), 0.0) if type(x2) is Value else step


@composed(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, *, shape: Any = None, **more: Any
) -> Any:
    """See `np.full_like`: plain, unless what it is filled with is a Value."""
    if type(fill_value) is not Value:
        return np.full_like(plain(a), fill_value, dtype=dtype, order=order, subok=subok, shape=shape, **more)
    shape = shape_of(a) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    return in_dtype(broadcast_to(fill_value, shape), dtype_of(a) if dtype is None else np.dtype(dtype))


# By tables ------------------------------------------------------------------------------------------------------------


@composed(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """See `np.interp`: differentiable in x, xp and fp; at a knot the slope is that on its right."""
    dtype = dtype_of(next(y for y in (x, xp, fp) if type(y) is Value))
    x, xp, fp = (as_array(y, dtype) for y in (x, xp, fp))
    if "c" in (dtype_of(x).kind, dtype_of(xp).kind):
        raise TypeError("np.interp: complex coordinates have no order, so x and xp are real (fp may be complex)")
    if period is not None:  # one knot more on either side
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(plain(xp))
        order = np.concatenate([order[-1:], order, order[:1]])
        turn = np.zeros(order.size, dtype_of(xp))
        turn[0], turn[-1] = -abs(period), abs(period)
        xp, fp, left, right = xp[order] + turn, fp[order], None, None
    n = size_of(xp)
    at, knots = as_constant(plain(x)), plain(xp)
    if n == 1:
        inside = fp[0] + x * 0
    else:
        k = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, n - 2)
        low, high, start, end = (getitem(y, m) for y in (xp, fp) for m in (k, k + 1))
        inside = (end - start) / (high - low) * (x - low) + start
    out = np.where(at < knots[0], fp[0] if left is None else left, inside)
    out = np.where(at > knots[-1], fp[-1] if right is None else right, out)
    return np.where(at == knots[-1], fp[-1] if n == 1 else inside, out)


@composed(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """See `np.bincount`: the indices are plain, the weights are differentiated."""
    x = plain(x)
    if weights is None:
        return np.bincount(x, minlength=minlength)
    return scatter_add(weights, np.asarray(x), (max(minlength, int(np.max(x, initial=-1)) + 1),))


@composed(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """See `np.gradient`: along an axis the elements are a step apart, or lie at coordinates, which may be Values."""
    axes = tuple(range(ndim_of(f))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    dtype = dtype_of(f) if dtype_of(f).kind in "fc" else np.dtype(float)
    given = tuple([h if type(h) is Value else np.asarray(h, dtype)[()] for h in varargs])
    steps = given * len(axes) if len(given) == 1 else given or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise TypeError(f"gradient: one step for all axes or one for each of {len(axes)}, and not {len(steps)}")
    if edge_order not in (1, 2):
        raise ValueError("gradient: edge_order is 1 or 2")
    found = []
    for a, h in zip(axes, steps, strict=True):
        y = np.moveaxis(f, a, 0)
        if shape_of(y)[0] < edge_order + 1:
            raise ValueError(f"gradient: axis {a} needs at least {edge_order + 1} elements")
        if ndim_of(h) and shape_of(h) != shape_of(y)[:1]:
            raise ValueError(
                f"gradient: axis {a} has {shape_of(y)[0]} elements, and coordinates of shape {shape_of(h)}"
            )
        gaps: Any = np.diff(h) if isinstance(h, np.ndarray) else ()
        if len(gaps) and np.all(gaps == gaps[0]):
            h = gaps[0]
        slopes = uneven_slopes(y, h, edge_order) if ndim_of(h) else even_slopes(y, edge_order) / h
        found.append(in_dtype(np.moveaxis(slopes, 0, a), dtype))
    return found[0] if len(found) == 1 else tuple(found)


def even_slopes(y: Any, edge_order: int) -> Any:
    """The slopes of y at points that are 1 apart."""
    if edge_order == 1:
        first, last = y[1:2] - y[:1], y[-1:] - y[-2:-1]
    else:
        first = -1.5 * y[:1] + 2.0 * y[1:2] - 0.5 * y[2:3]
        last = 1.5 * y[-1:] - 2.0 * y[-2:-1] + 0.5 * y[-3:-2]
    return concatenate([first, (y[2:] - y[:-2]) / 2, last])


def uneven_slopes(y: Any, x: Any, edge_order: int) -> Any:
    """The slopes at the points x of the parabolas through y at each point and its two neighbours.

    Between the chords s on the left and t on the right, of widths h and k, the slope is (k s + h t) / (h + k); at the
    left end of the first parabola it is s + h (s - t) / (h + k), and so on the right.
    """
    width = np.reshape(np.diff(x), (-1, *(1,) * (ndim_of(y) - 1)))
    chord = np.diff(y, axis=0) / width
    inside = (width[1:] * chord[:-1] + width[:-1] * chord[1:]) / (width[:-1] + width[1:])
    first, last = chord[:1], chord[-1:]
    if edge_order == 2:
        first = first + width[:1] * (first - chord[1:2]) / (width[:1] + width[1:2])
        last = last + width[-1:] * (last - chord[-2:-1]) / (width[-1:] + width[-2:-1])
    return concatenate([first, inside, last])


# What has the derivative zero wherever it has one -------------------------------------------------------------------


def sign(x: Any) -> Any:
    """See `np.sign`: of real numbers plain, for its derivative is 0; of complex ones x / |x|."""
    if dtype_of(x).kind != "c":
        return np.sign(plain(x))
    size = np.abs(x)
    return x / choose(size == 0, 1.0, size)


BY_NUMPY[np.sign] = functools.wraps(np.sign, updated=())(sign)  # as one of the flat functions below

flat(
    np.unravel_index, np.triu_indices_from, np.tril_indices_from, np.diag_indices_from, np.isin, np.digitize,
    np.argpartition, np.array_equiv, np.isneginf, np.isposinf, np.fix, np.common_type, np.min_scalar_type,
    np.linalg.matrix_rank, np.nanargmax, np.nanargmin, np.around,
)  # fmt: skip
