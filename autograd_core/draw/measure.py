"""What the builder's view says of a part: how large its values and gradients are, and how much of it is cut off."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..explain.digits import number
from ..value import Value

SATURATED = 0.05
"""A unit is saturated if its local derivative is less than this share of the largest that there is."""

MUCH = 10.0
"""By how much the gradients of the first and the last copy differ before they are said to vanish or to explode."""


def rms(arrays: Iterable[Any]) -> float | None:
    """√(mean of |x|²) over all elements of all arrays; None if there are none, or if one is missing.

    >>> rms([3.0, np.array([4.0, 5.0])]), rms([1.0, None]), rms([])
    (4.08248290463863, None, None)
    """
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
    return math.sqrt(total / count) if count else None


def shown(x: float | None) -> str:
    """A size to three digits, or a dash.

    >>> shown(0.012345), shown(None)
    ('0.0123', '–')
    """
    return "–" if x is None else number(x, 3)


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


def remark(sizes: Sequence[float | None]) -> str:
    """What is remarkable about the gradients of copies, in the order in which they were computed.

    >>> remark([0.001, 0.01, 0.1]), remark([1.0, 1.0]), remark([0.0, 1.0])
    ('vanishing: 100× smaller at copy 1 than at copy 3', '', 'no gradient arrives at copy 1')
    """
    known = [x for x in sizes if x is not None]
    if len(known) < max(2, len(sizes)):
        return ""
    for k in range(len(known), 0, -1):  # where the backward pass meets it first
        if not math.isfinite(known[k - 1]):
            return f"not finite from copy {k} on back"
        if known[k - 1] == 0:
            return f"no gradient arrives at copy {k}" if any(known) else ""
    first, last = known[0], known[-1]
    if last / first > MUCH:
        return f"vanishing: {number(last / first, 3)}× smaller at copy 1 than at copy {len(known)}"
    if first / last > MUCH:
        return f"exploding: {number(first / last, 3)}× larger at copy 1 than at copy {len(known)}"
    return ""
