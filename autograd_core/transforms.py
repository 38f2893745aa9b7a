"""Functions that make derivatives of functions: `grad(f)` is a function, `grad(grad(f))` its second derivative.

Each call wraps its arguments in fresh Values, runs the function, and pulls the gradient back to exactly these. If the
result depends on other Values as well, those of an outer `grad` or of the caller, the pass is recorded itself: that is
all there is to derivatives of higher order.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .backward import pull_back
from .data import NUMBERS, QUIET, as_variable, shape_of
from .exact import pull_back_exactly
from .ops.linear import identity
from .recording import always_recording
from .trees import flatten
from .value import Value, leaf, plain

Function = Callable[..., Any]


def grad(fun: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The gradient of a scalar function, as a function of the same arguments.

    Parameters
    ----------
    fun
        A function of numbers, arrays and containers of them (lists, tuples, dicts, dataclasses) that returns a scalar.
    argnums
        Which positional argument, or which several, to differentiate with respect to.

    Returns
    -------
    A function that returns the derivative with respect to that argument, shaped as the argument is (or, for several, a
    tuple). It is plain data, or a Value where it depends on Values, so that it can be differentiated again.

    Raises
    ------
    TypeError
        If `fun` returns no scalar.

    >>> cube = lambda x: x**3
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (12.0, 12.0)
    >>> grad(lambda p: p["w"] * 3.0 + p["b"])({"w": 1.0, "b": 2.0})
    {'w': 3.0, 'b': 1.0}
    """
    both = value_and_grad(fun, argnums)

    @functools.wraps(fun, updated=())
    def gradient(*args: Any, **settings: Any) -> Any:
        return both(*args, **settings)[1]

    return gradient


def value_and_grad(fun: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Like `grad`, but the function returns the pair (value, gradient); it costs no second evaluation.

    With `has_aux=True`, `fun` returns a pair (scalar, anything), and the result is ((scalar, anything), gradient).

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    @functools.wraps(fun, updated=())
    def value_and_gradient(*args: Any, **settings: Any) -> Any:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        with always_recording() as outside, variables_of(args, chosen) as (variables, rebuild, refill):
            out = fun(*rebuild(variables), **settings)
            out, aux = out if has_aux else (out, None)
            check_scalar(out, fun)
            out, gradients = gradients_of(out, variables, outside)
        answer = refill(gradients)
        return (out, aux) if has_aux else out, answer[0] if isinstance(argnums, int) else tuple(answer)

    return value_and_gradient


@contextmanager
def variables_of(args: tuple[Any, ...], chosen: tuple[int, ...]) -> Iterator[tuple[list[Value], Function, Function]]:
    """New variables for the chosen arguments; what puts them into the arguments; what shapes answers like these.

    They are new even where an argument is a Value already: two derivatives taken at one point, one within the other,
    would otherwise be confused. Such a variable is a leaf while its own derivative is taken, and from then on what it
    is for everybody else: the identity of that Value.
    """
    for k in chosen:
        if not -len(args) <= k < len(args):
            raise TypeError(f"argnums={k}, but the function was called with {len(args)} positional arguments")
    leaves, refill = flatten([args[k] for k in chosen])
    variables = [leaf(variable_data(x)) for x in leaves]
    nested = [(variable, x) for variable, x in zip(variables, leaves, strict=True) if type(x) is Value]
    for variable, x in nested:
        variable.inputs = (x,)

    def rebuild(others: list[Value]) -> list[Any]:
        new = list(args)
        for k, part in zip(chosen, refill(others), strict=True):
            new[k] = part
        return new

    try:
        yield variables, rebuild, refill
    finally:
        for variable, _ in nested:
            variable.op = identity


def variable_data(x: Any) -> Any:
    """As `as_variable`, but arrays that serve as they are are not copied: the function only sees a Value of them."""
    x = plain(x)
    return x if type(x) is np.ndarray and x.dtype.kind in "fc" else as_variable(x)


def check_scalar(out: Any, fun: Function) -> None:
    """A gradient is that of a single number."""
    if shape_of(out) != () or not isinstance(plain(out), (*NUMBERS, np.ndarray)):
        found = f"an array of shape {shape_of(out)}" if shape_of(out) else f"a {type(out).__name__}"
        raise TypeError(
            f"grad needs a function that returns a scalar, and {getattr(fun, '__name__', 'this one')} returned "
            f"{found}: reduce it, for example with np.sum or np.mean"
        )


def gradients_of(out: Any, variables: list[Value], outside: bool) -> tuple[Any, list[Any]]:
    """The value of a result and its gradient for each variable: recorded if something outside needs that."""
    oldest = min([v.stamp for v in variables], default=0)
    if not variables or type(out) is not Value or out.stamp < oldest:
        return out if outside else plain(out), [zeros(v) for v in variables]
    record = outside and reaches_outside(out, oldest)
    run = QUIET.copy().run
    if record:
        found = run(pull_back_exactly, out, one(out), oldest=oldest, record=True)
    else:
        found = run(pull_back, out, one(out), oldest=oldest)
    return out if record else out._data, [found[v] if v in found else zeros(v) for v in variables]


def one(x: Value) -> Any:
    """The gradient of a scalar with respect to itself."""
    return 1.0 if type(x._data) is float else x.dtype.type(1)


def zeros(x: Value) -> Any:
    """The gradient of what does not depend on x."""
    return 0.0 if type(x._data) is float else np.zeros(x.shape, x.dtype)[()]


def reaches_outside(out: Value, oldest: int) -> bool:
    """Whether a result depends on Values that were there before its variables: then its gradient does, too."""
    seen = {out}
    pending = [out]
    while pending:
        for x in pending.pop().inputs:
            if type(x) is Value and x not in seen:
                if x.stamp < oldest:
                    return True
                seen.add(x)
                pending.append(x)
    return False
