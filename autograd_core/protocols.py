"""NumPy's two protocols: `np.exp(v)` and `array * v` arrive here, and leave as ops of the registry.

NEP 13 (`__array_ufunc__`) and NEP 18 (`__array_function__`) let an argument take over a NumPy call. That makes NumPy
itself the language of this package: users write `np.sum(v)`, and the rules of the ops, written in plain NumPy too, can
be fed with Values and then record the gradient's own graph, which is how derivatives of any order come about.
"""

import functools
import importlib
import inspect
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import BY_NUMPY, FULL, LATE, OPS, full_name, missing

METHODS: dict[str, dict[Any, str]] = {
    "reduce": {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min", np.logaddexp: "logsumexp"},
    "accumulate": {np.add: "cumsum", np.multiply: "cumprod"},
}
"""What the methods of ufuncs are called among the ops."""


NOT_GIVEN: Any = np._NoValue
"""What NumPy's own default stands for an argument that is not given; who wraps its functions passes it on."""

LAYOUT = frozenset(("order", "subok", "casting"))
"""Settings that say how an array is to be stored, or which conversions to refuse: no result depends on them."""

INSTEAD = {
    "out": "to write a Value into an array would drop its gradient: write a = {name}(...)",
    "where": "what it leaves out would be unset: write np.where(mask, {name}(...), otherwise)",
    "dtype": "convert before, with v.astype(dtype)",
    "overwrite_input": "a Value is not written into",
    "axes": "move the axes before, with np.moveaxis",
    "signature": "give dtype=",
}
"""What to write in the place of a setting that the ops do not have."""


class NumPyProtocols:
    """The half of a Value that NumPy talks to."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        op = BY_NUMPY.get(ufunc) or late(ufunc)
        if op is not None and method == "__call__" and not settings:
            return op(*inputs)
        if settings.get("out") is not None:
            raise TypeError(
                f"{full_name(ufunc)} cannot write a Value into an array: that would drop its gradient. "
                f"Instead of 'a += v' or 'out=a' write 'a = a + v' or 'a = {full_name(ufunc)}(...)'."
            )
        settings = {
            key: x
            for key, x in settings.items()
            if not (
                key in LAYOUT
                or (key in ("dtype", "out") and x is None)
                or (key == "where" and x is True)
                or x is NOT_GIVEN
            )
        }
        if name := METHODS.get(method, {}).get(ufunc):
            settings.setdefault("axis", 0)  # a ufunc's reduce takes the first axis, np.sum takes all
            return with_settings(OPS[name], f"{full_name(ufunc)}.{method}", inputs, settings)
        if op is None:
            raise missing(ufunc)
        if method == "at":
            raise TypeError(
                f"{full_name(ufunc)}.at writes into an array: write v = v.at[index].add(x), or set, multiply, min, max"
            )
        if method == "outer":
            x, y = inputs
            return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y, **settings)
        if method == "accumulate" and settings.keys() <= {"axis"}:
            return accumulated(ufunc, *inputs, **settings)
        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} is not differentiable here: spell it with other functions")
        if "dtype" in settings:
            dtype = np.dtype(settings.pop("dtype"))
            inputs = tuple([OPS["astype"](x, dtype) for x in inputs])
        return with_settings(op, full_name(ufunc), inputs, settings)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        op = BY_NUMPY.get(function) or late(function)
        if op is None:
            raise missing(function)
        names = parameters(function)
        if settings:
            settings = {key: x for key, x in settings.items() if x is not NOT_GIVEN}
        if "newshape" in settings and function is np.reshape:  # what NumPy 2.0 calls it
            settings = {"shape" if key == "newshape" else key: x for key, x in settings.items()}
        if function is np.where and len(args) == 1:
            return np.nonzero(*args)
        if not names:
            return op(*args, **settings)
        if hasattr(op, "settings"):
            given = dict(zip(names, args, strict=False), **settings)
            arrays = [given.pop(name) for name in names[: op.arity] if name in given]
        else:  # a function of NumPy's own signature, composed of ops
            places = taken(op).places
            arrays, given = [*args[:places]], dict(zip(names[places:], args[places:], strict=False), **settings)
        if lacking(op, given):
            return with_settings(op, full_name(function), arrays, telling(function, op, given))
        return op(*arrays, **given)


def accumulated(ufunc: np.ufunc, x: Any, axis: int = 0) -> Any:
    """The running result of a ufunc along an axis, y₁ = x₁ and yₖ = f(yₖ₋₁, xₖ)."""
    parts = itertools.accumulate(np.moveaxis(x, axis, 0), ufunc)
    return np.moveaxis(np.stack(list(parts)), 0, axis) if x.shape[axis] else x


def late(function: Callable[..., Any]) -> Any:
    """The op of a function of SciPy, or of NumPy's Fourier transforms: declared once who calls it has loaded those."""
    for package, ops in LATE.items():
        if package in sys.modules:
            importlib.import_module(ops, __package__)
    return BY_NUMPY.get(function)


@functools.cache
def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a NumPy function's parameters, in order; none where NumPy (before 2.4) does not tell."""
    try:
        names = inspect.signature(function).parameters
    except ValueError:
        return ()
    return tuple("shape" if name == "newshape" else name for name in names)  # what NumPy 2.0 calls it


class Taken:
    """What an op or a function of this package takes."""

    def __init__(self, function: Any) -> None:
        self.places = sys.maxsize  # how many arguments may be given by place
        self.others = False  # whether it looks itself at any further names
        if hasattr(function, "settings"):
            self.settings = tuple(function.settings)
            self.names = frozenset(self.settings)
            return
        found = inspect.signature(function).parameters.values()
        kinds = [p.kind.name for p in found]
        self.settings = tuple(p.name for p in found if p.default is not p.empty)  # those with a default, in order
        self.names = frozenset(p.name for p in found if p.kind.name != "POSITIONAL_ONLY")  # those to be given by name
        self.others = "VAR_KEYWORD" in kinds
        if "VAR_POSITIONAL" not in kinds:
            self.places = sum(kind.startswith("POSITIONAL") for kind in kinds)


taken = functools.cache(Taken)


def lacking(op: Any, given: dict[str, Any]) -> list[str]:
    """The settings that an op does not take."""
    known = taken(op)
    return [] if known.others else [name for name in given if name not in known.names]


def telling(function: Callable[..., Any], op: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The settings without those that say nothing: the op does not take them, and they are as NumPy has them anyway."""
    own = inspect.signature(function).parameters
    defaults = {name: p.default for name, p in own.items()}
    nothing = [n for n in lacking(op, given) if n in LAYOUT or given[n] is defaults.get(n)]
    return {name: x for name, x in given.items() if name not in nothing}


def with_settings(op: Any, name: str, arrays: Any, given: dict[str, Any]) -> Any:
    """An op with settings; those that it does not take are those of a longer function, or are refused."""
    if lacking(op, given):
        op = FULL.get(getattr(op, "name", ""), op)
        for setting in lacking(op, given):
            others = f" (but {', '.join(f'{n}=' for n in taken(op).settings)})" if taken(op).settings else ""
            advice = f"; {INSTEAD[setting].format(name=name)}" if setting in INSTEAD else ""
            raise TypeError(f"{name} takes no {setting}= on a Value{others}{advice}")
    return op(*arrays, **given)
