"""What the builder's view says of a part: how large its values and gradients are, and how much of it is cut off."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..explain.digits import number
from ..ops.several import Parts
from ..value import Value

SATURATED = 0.05
"""A unit is saturated if its local derivative is less than this share of the largest that there is."""

SMALL = 1e-280
"""A sum of squares less than that may have lost digits, or all of them."""

MUCH = 10.0
"""By how much the gradients of the first and the last copy differ before they are said to vanish or to explode."""


def rms(arrays: Iterable[Any]) -> float | None:
    """√(mean of |x|²) over all elements of all arrays; None if there are none, or if one is missing.

    >>> rms([3.0, np.array([4.0, 5.0])]), rms([1.0, None]), rms([]), rms([1e-200])
    (4.08248290463863, None, None, 1e-200)
    """
    arrays = [*arrays]
    total, count = 0.0, 0
    for x in arrays:
        if x is None:
            return None
        if type(x) is float:
            total += x * x if abs(x) < 1e150 else math.inf
            count += 1
        else:
            data = np.abs(np.asarray(x)).astype(np.float64)
            with np.errstate(all="ignore"):
                total += float(np.vdot(data, data))
            count += data.size
    if not SMALL < total < math.inf and count:  # the squares may be too small or too large for a float
        largest = max(float(np.max(np.abs(x), initial=0.0)) for x in arrays)
        if 0 < largest < math.inf:
            return largest * float(rms(x / largest for x in arrays) or 0.0)
    return math.sqrt(total / count) if count else None


def arrays(x: Any) -> list[Any]:
    """The arrays of a result or gradient: of a decomposition several, without those that nothing came back to."""
    parts = x.parts if isinstance(x, Parts) else x if isinstance(x, tuple) else [x]
    return [part for part in parts if part is not None or len(parts) == 1]


def shown(x: float | None) -> str:
    """A size to three digits, small ones with an exponent, so that a column of them can be compared; or a dash.

    >>> shown(0.012345), shown(0.00012345), shown(None)
    ('0.0123', '1.23e−4', '–')
    """
    if x is None:
        return "–"
    if not 0 < x < 0.01:
        return number(x, 3)
    mantissa, exponent = f"{x:.2e}".split("e-")
    return f"{float(mantissa):g}e−{int(exponent)}"


def cut_off(members: Sequence[Value]) -> tuple[str, str] | None:
    """How many units a sigmoid, tanh or ReLU passes hardly any gradient through: what they are called, and the share.

    Of relu, a unit is dead whose output is 0 for every sample; units are on the last axis.
    """
    name = members[0].op.name
    if name not in ("sigmoid", "tanh", "relu"):
        return None
    units = [np.asarray(x.data) for x in members]
    if not sum(x.size for x in units):
        return None
    if name == "relu":
        flags = [(x == 0).reshape(-1, x.shape[-1]).all(axis=0) if x.ndim else x == 0 for x in units]
    elif name == "tanh":
        flags = [1 - x * x < SATURATED for x in units]
    else:
        flags = [4 * x * (1 - x) < SATURATED for x in units]
    share = sum(np.count_nonzero(f) for f in flags) / sum(np.size(f) for f in flags)
    return "dead units" if name == "relu" else "saturated", f"{100 * share:.3g}%"


def remark(sizes: Sequence[float | None], names: Sequence[str] = ()) -> str:
    """What is remarkable about the gradients of copies, in the order in which they were computed.

    >>> remark([0.001, 0.01, 0.1]), remark([1.0, 1.0]), remark([0.0, 1.0], ["layers.0", "layers.1"])
    ('vanishing: 100× smaller at copy 1 than at copy 3', '', 'no gradient arrives at layers.0')
    """
    called = [*names] or [f"copy {k:,}" for k in range(1, len(sizes) + 1)]
    known = [x for x in sizes if x is not None]
    if len(known) < max(2, len(sizes)):
        return ""
    for k in range(len(known), 0, -1):  # where the backward pass meets it first
        if not math.isfinite(known[k - 1]):
            return f"not finite from {called[k - 1]} on back"
        if known[k - 1] == 0:
            return f"no gradient arrives at {called[k - 1]}" if any(known) else ""
    first, last = known[0], known[-1]
    if last / first > MUCH:
        return f"vanishing: {times(last / first)} smaller at {called[0]} than at {called[-1]}"
    if first / last > MUCH:
        return f"exploding: {times(first / last)} larger at {called[0]} than at {called[-1]}"
    return ""


def times(factor: float) -> str:
    """A factor that people can take in: 90×, 446,000×, 1.3e37×."""
    digits = 2 - math.floor(math.log10(factor)) if 0 < factor < math.inf else 0
    return f"{round(factor, min(digits, 0)):,.0f}×" if factor < 1e9 else f"{number(factor, 2)}×"
