"""Numbers as a person reads them: few digits, and a large array as its mean, spread and range."""

from typing import Any, NamedTuple

import numpy as np

from ..ops.several import Parts

FEW = 4
"""An array of at most this many elements is shown in full."""


class Summary(NamedTuple):
    """What is shown of data: lines of numbers, and details about them."""

    lines: tuple[tuple[str, ...], ...]
    details: tuple[str, ...] = ()


def number(x: Any, digits: int = 4) -> str:
    """A number to some significant digits, with the minus sign of formulas.

    >>> number(-0.123456), number(1.5e-7), number(float("-inf")), number(True)
    ('−0.1235', '1.5e−7', '−∞', 'true')
    """
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (complex, np.complexfloating)):
        real, imag = number(x.real, digits), number(x.imag, digits)
        return f"{real}{'' if imag[0] == '−' else '+'}{imag}j"
    text = f"{float(x) + 0.0:.{digits}g}".replace("inf", "∞")  # + 0.0: minus zero is zero
    mantissa, e, exponent = text.partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", "−")


def exact(x: Any) -> str:
    """A constant of a formula: whole numbers in full, others to four digits.

    >>> exact(2.0), exact(-12345), exact(0.123456), exact(1j)
    ('2', '−12345', '0.1235', '1j')
    """
    if isinstance(x, (complex, np.complexfloating)) and not x.real:
        return f"{exact(x.imag)}j"
    is_whole = isinstance(x, (int, float, np.integer, np.floating)) and abs(float(x)) < 1e6 and float(x).is_integer()
    return str(int(x)).replace("-", "−") if is_whole else number(x)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is spoken, "3 by 4"; nothing for a scalar.

    >>> shape_text((3, 4)), shape_text((3,)), shape_text(())
    ('(3×4)', '(3)', '')
    """
    return f"({'×'.join(map(str, shape))})" if shape else ""


def summary(data: Any) -> Summary:
    """A number; a few elements in full, and a small matrix as a matrix; mean ± standard deviation and range of many.

    >>> summary(0.5).lines, summary(np.array([[1.0, 2.0], [3.0, 4.0]])).lines
    ((('0.5',),), (('1', '2'), ('3', '4')))
    >>> summary(np.arange(5.0))
    Summary(lines=(('2 ± 1.41',),), details=('0 to 4',))
    """
    if isinstance(data, (tuple, Parts)):  # an op that returns several arrays
        parts = data.parts if isinstance(data, Parts) else data
        return Summary(tuple(("none" if x is None else shape_text(np.shape(x)) or number(x),) for x in parts))
    array = np.asarray(data)
    if array.size == 1:
        return Summary(((number(array.item()),),))
    if array.size == 0:
        return Summary((("empty",),))
    if array.size <= FEW:
        matrix = array if array.ndim == 2 and 1 not in array.shape else array.reshape(1, -1)
        return Summary(tuple(tuple(number(x, 3) for x in row) for row in matrix))
    if array.dtype == bool:
        return Summary(((f"{np.count_nonzero(array)} true",),), (f"of {array.size}",))
    if is_uniform(array):
        return Summary(((f"all {number(array.flat[0])}",),))
    return statistics(array)


def statistics(array: np.ndarray[Any, Any]) -> Summary:
    """Mean ± standard deviation, smallest to largest, and how many elements are not finite: those are left out."""
    finite = array[np.isfinite(array)]
    missing = (f"{array.size - finite.size} of {array.size} not finite",) if finite.size < array.size else ()
    if finite.size == 0:
        return Summary((("nan",),), missing)
    wide = finite.astype(np.complex128 if finite.dtype.kind == "c" else np.float64)
    with np.errstate(all="ignore"):
        mean, deviation = wide.mean(), wide.std()
    average = mean if abs(mean) > 1e-12 * deviation else 0.0  # 0 but for rounding
    size = np.abs(wide) if wide.dtype.kind == "c" else wide.real
    extent = f"{number(size.min(), 3)} to {number(size.max(), 3)}"
    details = (f"|·| {extent}" if wide.dtype.kind == "c" else extent, *missing)
    return Summary(((f"{number(average, 3)} ± {number(deviation, 3)}",),), details)


def inline(data: Any) -> str:
    """Data in one line: a number, also for an array that has only one, a few elements, or mean ± standard deviation.

    >>> inline(np.full(9, 0.25)), inline(np.array([1.0, -2.0]))
    ('0.25', '1, −2')
    """
    if isinstance(data, (tuple, Parts)):
        return ", ".join(sum(summary(data).lines, ()))
    array = np.asarray(data)
    return number(array.flat[0]) if array.size and is_uniform(array) else ", ".join(sum(summary(array).lines, ()))


def is_uniform(array: np.ndarray[Any, Any]) -> bool:
    """Whether all elements are the same number."""
    return bool(np.all(array == array.flat[0]))
