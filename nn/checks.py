"""What is wrong with data, or with a layer that they do not fit, said before it costs anybody a night."""

import warnings
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

import numpy as np

from autograd_core import Value

from .aliases import Array
from .losses import place
from .module import Module, contents


def numbers(name: str, data: Any, precision: Any = None) -> Array:
    """Data as an array of finite numbers; floats that are wider than the model's parameters are narrowed to theirs.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        If a number is infinite or NaN; the first is named. If there are masked ones.
    """
    if isinstance(data, Value):
        raise TypeError(f"{name} is a Value, and data are constants: give {name}.data")
    if np.ma.is_masked(data):
        raise ValueError(f"{name} has masked values: remove such rows, or fill them in, as with {name}.filled(0.0)")
    if hasattr(data, "toarray"):
        raise TypeError(f"{name} is sparse, and arrays are dense: give {name}.toarray()")
    array: Array = np.asarray(data)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} has dtype {array.dtype}: numbers are wanted, such as {name}.astype(float)")
    if array.dtype.kind == "f" and precision is not None and array.dtype.itemsize > precision.itemsize:
        with np.errstate(over="ignore"):  # what overflows is found below
            array = array.astype(precision)
    if array.dtype.kind in "fc" and not (finite := np.isfinite(array)).all():
        first = place(~finite, np.abs(array) if array.dtype.kind == "c" else array)
        others = array.size - np.count_nonzero(finite) - 1
        raise ValueError(
            f"{name} is {first}{f' ({others} more)' * bool(others)}: remove such rows, or fill in what is missing"
        )
    return array


def precision_of(model: Module) -> Any:
    """The dtype of the parameters, if it is one of real numbers and the same for all; else None."""
    dtypes = {p.dtype for p in model.parameters() if not isinstance(p.data, float)}
    return dtypes.pop() if len(dtypes) == 1 and all(dtype.kind == "f" for dtype in dtypes) else None


def weights(given: Any, n: int, precision: Any = None) -> Array:
    """The weights of n samples, or a ValueError."""
    found = numbers("sample_weight", given, precision)
    if found.shape != (n,):
        raise ValueError(f"sample_weight has shape {found.shape}: it is one number for each of {n} samples")
    if found.min() < 0:
        raise ValueError(f"sample_weight is {place(found < 0, found)}: weights are not negative")
    return found


def same_parameters(model: Module, given: Iterable[Value]) -> None:
    """A ValueError if an optimizer's parameters are not the model's."""
    if {*map(id, given)}.isdisjoint(map(id, model.parameters())):
        raise ValueError("the optimizer has none of this model's parameters: make it with model.parameters()")


def unknown(cost: Value, known: Collection[int]) -> Value | None:
    """A variable that a cost is made of and that is not among those of these ids, if there is one."""
    waiting, met = [cost], {id(cost)}
    while waiting:
        node = waiting.pop()
        if node.op is None and id(node) not in known:
            return node
        for x in node.inputs if node.op else ():
            if isinstance(x, Value) and id(x) not in met:
                met.add(id(x))
                waiting.append(x)
    return None


def warn_of_untrained(model: Module, given: Iterable[Value], cost: Value) -> None:
    """A warning, after the first backward pass, if what the loss depends on is trained by nobody by mistake: a model
    may hold it where it is not found, or may have been changed since the optimizer was made."""
    own, its = {id(p): name for name, p in model.named_parameters()}, {id(p): p for p in given}
    found = unknown(cost, own.keys() | its.keys())
    if found is not None:
        warnings.warn(
            f"the loss depends on a variable {f'{found.name} ' * bool(found.name)}of shape {found.shape} that is "
            "neither the model's nor the optimizer's, and so is not trained. A Module finds what is in its attributes, "
            "and in lists, tuples and dicts there; make it plain data if it is to stay as it is",
            stacklevel=2,
        )
    if own.keys() - its.keys() and any(p.grad is None for k, p in its.items() if k not in own):
        names = ", ".join(name for k, name in own.items() if k not in its)
        warnings.warn(
            f"the optimizer does not have {names} of this model, and has a variable that the loss does not depend on: "
            "make it after the layers are in their places",
            stacklevel=2,
        )


def raise_with_layer(model: Module, error: Exception) -> NoReturn:
    """Raise an error of a model's call again, with the dotted name of the layer that it comes from in front."""
    names = {id(item): name for name, item in contents(model) if isinstance(item, Module)}
    found, trace = "", error.__traceback__
    while trace is not None:  # the frames lead from the model inwards; the last layer among them is the one
        code = trace.tb_frame.f_code
        owner = trace.tb_frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        found = names.get(id(owner), found)
        trace = trace.tb_next
    if not found or type(error) not in (ValueError, TypeError):
        raise error
    raise type(error)(f"{found}: {error}") from error
