"""Reductions with all of NumPy's settings, `where=`, `initial=` and `dtype=`, and those that leave out nan.

What `where` leaves out is replaced, before, by what changes nothing: 0 in a sum, -inf in a maximum. So its derivative
is 0, whatever it is itself; and `nansum` is a sum of the elements where there is a number.

The ops in `linear.py` and `primitive.py` stay short: they come here for settings that they do not have themselves.
"""

from typing import Any

import numpy as np

from ..data import as_array, dtype_of, shape_of, size_of
from ..op import composed
from ..registry import FULL, OPS
from ..value import Value, plain
from .linear import converted, cumsum, in_dtype, mean, sum
from .primitive import var
from .running import cumprod

Axis = int | tuple[int, ...] | None

NEUTRAL = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf, "logsumexp": -np.inf}
"""What an element that is left out counts as."""

JOIN: dict[str, Any] = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "logsumexp": np.logaddexp,
}
"""How `initial` is joined to the result."""


def of_dtype(initial: Any, a: Any) -> Any:
    """What a reduction of a begins with, in the dtype of a; a number of Python's takes it anyway."""
    typed = isinstance(initial, (np.generic, np.ndarray)) or type(initial) is Value
    return in_dtype(initial, dtype_of(a)) if typed else initial


def in_full(name: str) -> None:
    """Give a reduction the settings of NumPy that its op lacks."""
    op = OPS[name]

    def reduction(
        a: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        if where is not True:
            if initial is None and name in ("max", "min"):
                raise ValueError(f"{name} with where= may have nothing to take: give initial=, which counts, too")
            a = np.where(plain(where), a, NEUTRAL[name])
        a = converted(a, dtype)
        initial = of_dtype(initial, a)
        if initial is not None and not size_of(a):  # of nothing there is no maximum
            out = JOIN[name].reduce(plain(a), axis=axis, keepdims=keepdims, initial=NEUTRAL[name])
        else:
            out = op(a, axis=axis, keepdims=keepdims)
        return out if initial is None else JOIN[name](out, initial)

    FULL[name] = reduction


for name in NEUTRAL:
    in_full(name)

FULL["cumsum"] = lambda a, axis=None, dtype=None: cumsum(converted(a, dtype), axis)
FULL["cumprod"] = lambda a, axis=None, dtype=None: cumprod(converted(a, dtype), axis)


def counted(where: Any, a: Any, axis: Axis, keepdims: Any) -> Any:
    """How many elements are taken, in the dtype of a."""
    found = np.sum(np.broadcast_to(where, shape_of(a)), axis=axis, keepdims=keepdims)
    return found.astype(dtype_of(a)) if type(plain(a)) is not float else float(found)


def full_mean(a: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False, where: Any = True) -> Any:
    """See `np.mean`."""
    a = converted(a, dtype)
    if where is True:
        return mean(a, axis=axis, keepdims=keepdims)
    where = plain(where)
    return np.true_divide(sum(np.where(where, a, 0.0), axis=axis, keepdims=keepdims), counted(where, a, axis, keepdims))


def full_var(
    a: Any, axis: Axis = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """See `np.var`; `mean` is a function of a like any other, if it is given."""
    if ddof and correction is not None:
        raise ValueError("ddof and correction are one setting: give one of them")
    a, where = converted(as_array(a), dtype), plain(where)
    ddof = ddof if correction is None else correction
    if where is True and mean is None:
        return converted(var(a, axis=axis, ddof=ddof, keepdims=keepdims), dtype)
    apart = a - (full_mean(a, axis, keepdims=True, where=where) if mean is None else mean)
    apart = np.where(where, apart, 0.0)
    squares = apart * apart if dtype_of(a).kind != "c" else np.real(apart * np.conj(apart))
    n = np.maximum(np.real(counted(where, a, axis, keepdims)) - ddof, 0.0)
    return converted(np.true_divide(sum(squares, axis=axis, keepdims=keepdims), n), dtype)


def root(x: Any) -> Any:
    """The square root of a variance; where that is 0 its derivative is 0."""
    return np.where(x == 0, 0.0, np.sqrt(np.where(x == 0, 1.0, x)))


def full_std(
    a: Any, axis: Axis = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """See `np.std`."""
    return root(full_var(a, axis, dtype, ddof, keepdims, where, mean, correction))


FULL["mean"], FULL["var"], FULL["std"] = full_mean, full_var, full_std

# Without nan: a nan is neither counted nor differentiated -------------------------------------------------------------


def numbers(a: Any, where: Any) -> Any:
    """Which of the elements that `where` takes are numbers."""
    return np.logical_not(np.isnan(plain(a))) & plain(where)


@composed(np.nansum)
def nansum(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """See `np.nansum`."""
    return FULL["sum"](a, axis, dtype, keepdims, initial, numbers(a, where))


@composed(np.nanprod)
def nanprod(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """See `np.nanprod`."""
    return FULL["prod"](a, axis, dtype, keepdims, initial, numbers(a, where))


@composed(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """See `np.nancumsum`."""
    return cumsum(converted(np.where(numbers(a, True), a, 0.0), dtype), axis)


@composed(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """See `np.nancumprod`."""
    return cumprod(converted(np.where(numbers(a, True), a, 1.0), dtype), axis)


def nanextreme(name: str, a: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    """The largest or smallest of the numbers; of none it is nan, or what `initial` says."""
    if initial is not None and not size_of(a):
        return FULL[name](a, axis, keepdims=keepdims, initial=initial)
    if initial is None and where is not True:
        raise ValueError(f"nan{name} with where= may have nothing to take: give initial=, which counts, too")
    where, initial = numbers(a, where), of_dtype(initial, a)
    out = OPS[name](np.where(where, a, NEUTRAL[name]), axis=axis, keepdims=keepdims)
    out = np.where(counted(where, a, axis, keepdims) > 0, out, np.nan)
    return out if initial is None else (np.fmax if name == "max" else np.fmin)(out, initial)


@composed(np.nanmax)
def nanmax(a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """See `np.nanmax`; of nothing but nan it is nan."""
    return nanextreme("max", a, axis, keepdims, initial, where)


@composed(np.nanmin)
def nanmin(a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """See `np.nanmin`; of nothing but nan it is nan."""
    return nanextreme("min", a, axis, keepdims, initial, where)


@composed(np.nanmean)
def nanmean(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Any:
    """See `np.nanmean`."""
    return full_mean(a, axis, dtype, keepdims, numbers(a, where))


@composed(np.nanvar)
def nanvar(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """See `np.nanvar`; of too few numbers it is nan."""
    where = numbers(a, where)
    enough = counted(where, a, axis, keepdims) > (ddof if correction is None else correction)
    return np.where(enough, full_var(a, axis, dtype, ddof, keepdims, where, mean, correction), np.nan)


@composed(np.nanstd)
def nanstd(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """See `np.nanstd`; where all are equal its derivative is 0."""
    return root(nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction))
