"""What a function that is differentiated has returned: numbers, and if it says so, something beside them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .data import NUMBERS, dtype_of, is_foreign, shape_of, size_of
from .trees import flatten
from .value import Value, plain

Function = Callable[..., Any]

SCALARS = frozenset((float, np.float64, np.float32))
"""The types of nearly all results that there is a gradient of."""


def pair_of(out: Any) -> tuple[Any, Any]:
    """What a function returns that returns something beside its value."""
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError("with has_aux=True the function returns a pair (value, anything), and here it did not")
    return out[0], out[1]


def without_graph(aux: Any) -> Any:
    """What a function returned beside its value, with plain data in the place of Values."""
    parts, pack = flatten(aux)
    return pack([plain(x) for x in parts]) if any(type(x) is Value for x in parts) else aux


def results_of(out: Any, fun: Function) -> tuple[list[Any], Function]:
    """The results of a function, and what packs others like them; a TypeError for one that is no number."""
    results, pack = flatten(out)
    for y in results:
        if not is_number(y):
            raise TypeError(
                f"{called(fun)} returned a {type(y).__name__}, which has no derivative: return numbers, arrays and "
                "containers of them, and what else there is beside them, with has_aux=True"
            )
    return results, pack


def check_scalar(out: Any, fun: Function) -> None:
    """A gradient is that of a single number."""
    if type(plain(out)) in SCALARS:
        return
    kind = dtype_of(out).kind if is_number(out) else None
    if kind == "c":
        raise TypeError(
            "grad needs a real function, and this one returned a complex number: take np.real or np.abs of it, or the "
            "complex derivative of a holomorphic one, jacobian(f)"
        )
    if kind == "b":
        raise TypeError(
            "grad needs a function that returns a number, and this one returned a bool, which has no derivative: "
            "return what is compared, or (a > b) * 1.0 if the gradient is meant to be 0"
        )
    if out is None:
        raise TypeError(f"grad needs a function that returns a scalar, and {called(fun)} returned None")
    if kind is None or size_of(out) != 1:
        found = f"an array of shape {shape_of(out)}" if kind else f"a {type(out).__name__}"
        raise TypeError(
            f"grad needs a function that returns a scalar, and {called(fun)} returned {found}: reduce it, for example "
            "with np.sum or np.mean"
        )


def is_number(x: Any) -> bool:
    """Whether this is a number or an array of numbers, plain or recorded."""
    data = plain(x)
    return is_foreign(data) or (isinstance(data, (*NUMBERS, np.ndarray)) and dtype_of(data).kind in "biufc")


def called(fun: Function) -> str:
    """What to call a function in a sentence."""
    return getattr(fun, "__name__", "the function")
