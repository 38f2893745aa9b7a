"""Recording a function: it is run once on traced arrays, and what they noted is its program."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import in_native_order, reject_dtype
from ..recording import always_recording, watched_by
from ..trees import flatten
from ..value import Value
from . import composites, running  # noqa: F401  which complete what a recording knows
from .ir import Node, Program
from .labels import Labels, label
from .lowering import Recording
from .traced import NUMBERS, Trace, Traced, recording

ARRAYS = (np.ndarray, np.generic, *NUMBERS)


class OutsideValueError(TypeError):
    """A recorded function depends on variables that are not its arguments."""

    def __init__(self, fun: Any) -> None:
        name = getattr(fun, "__name__", "the function")
        super().__init__(
            f"jit: {name} computes with Values from outside of it, whose data would be frozen into the program: pass "
            "w.data as an argument, and take gradients inside with value_and_grad(loss)(w); or pass the data of a "
            "model's parameters, and let these hold it: with holding(parameters, data): ..."
        )


@dataclass
class Captured:
    """A recorded function."""

    program: Program
    names: list[str]
    """What the inputs are called."""

    kinds: list[str]
    """What each result is: an "array", a NumPy "scalar", or a Python "number"."""

    pack: Callable[[list[Any]], Any]
    """What puts results into the containers that the function returned."""


def capture(fun: Callable[..., Any], args: Any, names: list[str], parent: Trace | None = None) -> tuple[Any, Captured]:
    """Record `fun(*args)` with every array and number among the arguments as an input.

    Returns the recording, whose `lifted` says what it took from a recording around it, and whose `results` what the
    example gave; and what was captured.
    """
    leaves, rebuild = flatten(args)
    trace, labels = Recording(parent), Labels()
    recording.trace, before = trace, recording.trace
    try:
        with np.errstate(all="ignore"), always_recording(), watched_by(labels):
            traced = [trace.input(as_example(x)) for x in leaves]
            for x, name in zip(traced, names, strict=False):
                label(x, name, "an argument")
            results, pack = flatten(fun(*rebuild(traced)))
            trace.results = results
        if labels.outside is not None and parent is None:
            raise OutsideValueError(fun)
        outputs = [result_node(trace, y, fun) for y in results]
    finally:
        recording.trace = before
        trace.ended = True
    kinds = [kind_of(y) for y in results]
    pack = flatten(pack([0.0] * len(kinds)))[1]  # which holds no arrays: a program may outlive those it was made with
    inputs = [*[x.node for x in traced], *[x.node for x in trace.lifted.values()]]
    program = Program(inputs, outputs)
    return trace, Captured(program, names, kinds, pack)


def as_example(x: Any) -> Any:
    """The numbers of an argument, of a traced one those of its example."""
    if type(x) is Traced:
        return x.value
    if isinstance(x, np.ndarray):
        reject_dtype(x)
        if x.dtype.kind in "fiubc":
            return in_native_order(x)
    elif isinstance(x, ARRAYS) and np.asarray(x).dtype.kind in "fiubc":
        return x
    dtype = f" of dtype {x.dtype}" if isinstance(x, np.ndarray) else ""
    raise TypeError(
        f"jit takes arrays, numbers and containers of them, and an argument is a {type(x).__name__}{dtype}: "
        "make it static, jit(f, static_argnums=(k,)), or close over it"
    )


def result_node(trace: Trace, y: Any, fun: Any) -> Node:
    """The node of a result."""
    name = getattr(fun, "__name__", "the function")
    if type(y) is Value:
        raise OutsideValueError(fun)
    if not isinstance(y, (Traced, *ARRAYS)):
        raise TypeError(f"jit: {name} returned a {type(y).__name__}; it may return arrays and containers of them")
    return trace.node(y)


def kind_of(y: Any) -> str:
    """What a result is to be when it is handed out."""
    data = y.value if type(y) is Traced else y
    return "number" if type(data) in NUMBERS else "array" if isinstance(data, np.ndarray) else "scalar"


def handed_out(y: Any, kind: str) -> Any:
    """A result as NumPy would return it."""
    if kind == "array":
        return y
    return y.item() if kind == "number" else y[()]


# Names ----------------------------------------------------------------------------------------------------------------


def names_of(tree: Any, name: str) -> list[str]:
    """What the leaves of an argument are called: `params_w1` for params["w1"]."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [found for key, x in tree.items() for found in names_of(x, f"{name}_{key}")]
    if isinstance(tree, (list, tuple)):
        fields = getattr(tree, "_fields", range(len(tree)))
        return [found for key, x in zip(fields, tree, strict=True) for found in names_of(x, f"{name}_{key}")]
    if hasattr(type(tree), "__dataclass_fields__"):
        return [
            found for key in type(tree).__dataclass_fields__ for found in names_of(getattr(tree, key), f"{name}_{key}")
        ]
    return [identifier(name)]


def identifier(name: str) -> str:
    """A name that Python accepts.

    >>> identifier("w²"), identifier("θ"), identifier("a b"), identifier("1st")
    ('w2', 'θ', 'a_b', 'x1st')
    """
    text = "".join(c if f"_{c}".isidentifier() else "_" for c in unicodedata.normalize("NFKC", name))
    return text if text.isidentifier() else f"x{text}"
