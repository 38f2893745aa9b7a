"""NumPy's two protocols: `np.exp(v)` and `array * v` arrive here, and leave as ops of the registry.

NEP 13 (`__array_ufunc__`) and NEP 18 (`__array_function__`) let an argument take over a NumPy call. That makes NumPy
itself the language of this package: users write `np.sum(v)`, and the rules of the ops, written in plain NumPy too, can
be fed with Values and then record the gradient's own graph, which is how derivatives of any order come about.
"""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import BY_NUMPY, OPS, missing

METHODS: dict[str, dict[Any, str]] = {
    "reduce": {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min", np.logaddexp: "logsumexp"},
    "accumulate": {np.add: "cumsum", np.multiply: "cumprod"},
}
"""What the methods of ufuncs are called among the ops."""


DEFAULTS = {"where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True}
"""Settings of ufuncs that say nothing."""


INSTEAD = {
    "where": "select before, as in np.where(mask, v, 0.0).sum()",
    "initial": "put it to the result, as in v.sum() + initial",
    "dtype": "convert with v.astype(dtype) before",
    "out": "it would drop the gradient",
    "mean": "it is computed anyway",
    "correction": "it is called ddof here",
}
"""What to write in the place of a setting that the ops do not have."""


class NumPyProtocols:
    """The half of a Value that NumPy talks to."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        op = BY_NUMPY.get(ufunc) or late(ufunc)
        if settings:
            settings = {key: x for key, x in settings.items() if key not in DEFAULTS or x is not DEFAULTS[key]}
        if op is not None and method == "__call__" and not settings:
            return op(*inputs)
        if "out" in settings:
            raise TypeError(
                f"np.{ufunc.__name__} cannot write a Value into an array: that would drop its gradient. "
                "Instead of 'a += v' or 'out=a' write 'a = a + v'."
            )
        if name := METHODS.get(method, {}).get(ufunc):
            settings.setdefault("axis", 0)  # a ufunc's reduce takes the first axis, np.sum takes all
            return OPS[name](*inputs, **settings)
        if op is None:
            raise missing(ufunc)
        if method == "outer":
            x, y = inputs
            return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y, **settings)
        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} is not differentiable here: spell it with other functions")
        unknown = ", ".join(f"{key}=" for key in settings)
        raise TypeError(f"np.{ufunc.__name__} takes no {unknown} on a Value: use np.where, or .astype on the result")

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        op = BY_NUMPY.get(function)
        if op is None:
            raise missing(function)
        if function is np.reshape and "newshape" in settings:  # what NumPy 2.0 calls it
            settings = {"shape" if key == "newshape" else key: x for key, x in settings.items()}
        if not hasattr(op, "settings"):  # a function of NumPy's own signature, composed of ops
            return op(*args, **settings)
        names = parameters(function)
        if not names:
            return op(*args, **settings)
        given = dict(zip(names, args, strict=False), **settings)
        arrays = [given.pop(name) for name in names[: op.arity] if name in given]
        return op(*arrays, **known(function, op, given))


def late(ufunc: np.ufunc) -> Any:
    """The op of a ufunc of SciPy, which is declared once SciPy has been loaded by who calls it."""
    if "scipy.special" in sys.modules:
        importlib.import_module(".ops.special", __package__)
    return BY_NUMPY.get(ufunc)


@functools.cache
def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a NumPy function's parameters, in order; none where NumPy (before 2.4) does not tell."""
    try:
        names = inspect.signature(function).parameters
    except ValueError:
        return ()
    return tuple("shape" if name == "newshape" else name for name in names)  # what NumPy 2.0 calls it


def known(function: Callable[..., Any], op: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The settings that the op has; any other may only be given at its default."""
    for name in [name for name in given if name not in op.settings]:
        if given.pop(name) is not inspect.signature(function).parameters[name].default:
            has = ", ".join(f"{setting}=" for setting in op.settings) or "no settings"
            advice = f": {INSTEAD[name]}" if name in INSTEAD else ""
            raise TypeError(f"np.{function.__name__} takes no {name}= on a Value; it takes {has}{advice}")
    return given
