"""Rules of your own: a function that the engine cannot look into, with the derivative that you know.

A pullback that is written in NumPy is differentiable itself, to any order; one that calls foreign code serves for first
derivatives, and says so when more is asked of it.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .data import NUMBERS, dtype_of, is_foreign
from .gradcheck import check_gradients
from .op import Op, elementwise
from .ops.several import picked
from .value import Value

Function = Callable[..., Any]


def primitive(
    *,
    pullback: Function | None = None,
    pushforward: Function | None = None,
    partials: Function | Sequence[Function] | None = None,
    check: Sequence[Any] | None = None,
) -> Callable[[Function], Op]:
    """Make a function of plain arrays differentiable, by what you know of its derivative.

    Its positional arguments are the arrays; what is keyword-only is a setting, and reaches the rules by keyword. It
    returns an array or a number, or a tuple of these: then `g`, `out` and tangents are as many. Integers and truth
    values become floats, since a gradient belongs to each result.

    Parameters
    ----------
    pullback
        `pullback(g, out, x, y, ...)`, given the gradient g with respect to the result, returns the gradient with
        respect to the argument, or a tuple with one for each argument, in which None stands for no dependence.
    pushforward
        `pushforward(tangents, out, x, y, ...)` returns the tangent of the result, given a tuple of those of the
        arguments, in which None stands for zero. Without it, forward mode comes from the pullback.
    partials
        Instead of these, for a function that acts element by element: its local derivative `partial(out, x, y, ...)`,
        or a list with one for each argument.
    check
        Arguments at which to compare the rule with central differences at once.

    Raises
    ------
    TypeError
        If there is neither a pullback nor partials, or both; when called, if the function returns no numbers.
    AssertionError
        If the check fails.

    Gradients and tangents are as in `op.py`: the pullback is gₖ = (∂y/∂xₖ)ᵀ g, the pushforward t = Σₖ ∂y/∂xₖ tₖ, and
    each has the shape of what it belongs to.

    >>> @primitive(pullback=lambda g, out, x: g * 3.0 * x**2, check=[2.0])
    ... def cube(x):
    ...     return x**3
    >>> from autograd_core import grad
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (12.0, 12.0)

    The implicit function of a linear system, x with A x = b, by SciPy's sparse solver. Differentiating A x = b gives
    dx = A⁻¹ (db - dA x), so gb = A⁻ᵀ g and gA = -gb xᵀ; of the latter only the elements of the pattern are wanted. The
    pullback solves with a rule again, and so there are derivatives of any order, in both modes.

    >>> from scipy.sparse import csc_array
    >>> from scipy.sparse.linalg import spsolve
    >>> rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> def pullback(g, x, a, b, *, turned):
    ...     gb = solve(a, g, turned=not turned)
    ...     i, j = (columns, rows) if turned else (rows, columns)
    ...     return -gb[i] * x[j], gb
    >>> @primitive(pullback=pullback)
    ... def solve(a, b, *, turned=False):
    ...     matrix = csc_array((a, (rows, columns)))
    ...     return spsolve(matrix.T.tocsc() if turned else matrix, b)
    >>> check_gradients(solve, np.array([2.0, 1.0, 0.5, 3.0]), np.array([1.0, 2.0]), order=2)

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 15.1.
    """
    if (pullback is None) == (partials is None) or (pushforward is not None and pullback is None):
        raise TypeError(
            "primitive takes either pullback= (and, if wanted, pushforward=) or partials=: "
            "@primitive(pullback=lambda g, out, x: g * derivative(x))"
        )

    def declare(function: Function) -> Op:
        signature = inspect.signature(function)
        parameters = signature.parameters.values()
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            raise TypeError(f"{function.__name__} takes *args or **settings: name its arguments, each has its gradient")
        arity = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        settings = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        by_keyword = functools.partial(with_settings, names=tuple(settings))
        record: dict[str, Any] = dict(settings=settings, doc=function.__doc__ or "", text=None)
        name = f"{function.__module__}.{function.__qualname__}"
        if partials is not None:
            rules = [partials] if callable(partials) else list(partials)
            expected(rules, arity, function, "partials")
            op = elementwise(
                name, of_numbers(by_keyword(function), function), partials=tuple(map(by_keyword, rules)), **record
            )
        else:
            assert pullback is not None
            op = Custom(
                name,
                "primitive",
                of_numbers(by_keyword(function), function),
                (by_keyword(pullback),) * arity,  # what is called is `joint`
                joint=by_keyword(one_for_each(pullback, arity, function)),
                pushforward=by_keyword(with_tuple(pushforward, arity)) if pushforward else None,
                **record,
            )
        op.signature = signature
        op.name = op.__name__ = function.__name__  # what pictures show; `key` is what pickles look up
        if check is not None:
            check_gradients(op, *check)
        return op

    return declare


class Custom(Op):
    """An op whose several results, if it has them, are Values of their own."""

    def __call__(self, *args: Any, **settings: Any) -> Any:
        out = super().__call__(*args, **settings)
        return picked(out) if type(out) is Value and type(out._held) is tuple else out


def of_numbers(forward: Function, function: Function) -> Function:
    """A function whose results are floats or complex numbers; of others those in the dtype of its first argument."""

    def number(out: Any, like: Any) -> Any:
        if not isinstance(out, (*NUMBERS, np.ndarray)) and not is_foreign(out):
            raise TypeError(
                f"{function.__name__} returned a {type(out).__name__}: return an array, or a tuple of arrays"
            )
        if dtype_of(out).kind not in "biu":
            return out
        if isinstance(out, (bool, int)):
            return float(out)
        return out.astype(dtype_of(like) if dtype_of(like).kind in "fc" else np.float64)

    def call(*inputs: Any) -> Any:
        out = forward(*inputs)
        return tuple([number(y, inputs[0]) for y in out]) if type(out) is tuple else number(out, inputs[0])

    return call


def with_settings(function: Function, names: tuple[str, ...]) -> Function:
    """A function that takes the last of its arguments, the settings, by keyword."""
    if not names:
        return function

    @functools.wraps(function)
    def call(*inputs: Any) -> Any:
        return function(*inputs[: -len(names)], **dict(zip(names, inputs[-len(names) :], strict=True)))

    return call


def one_for_each(pullback: Function, arity: int, function: Function) -> Function:
    """A pullback that returns a tuple, whatever the number of arguments."""

    def joint(g: Any, out: Any, *args: Any, **settings: Any) -> Any:
        found = pullback(g, out, *args, **settings)
        found = (found,) if arity == 1 and not isinstance(found, tuple) else found
        expected(found, arity, function, "gradients")
        return found

    return joint


def with_tuple(pushforward: Function, arity: int) -> Function:
    """A pushforward that is given its tangents as a tuple."""

    def push(tangents: dict[int, Any], out: Any, *args: Any, **settings: Any) -> Any:
        return pushforward(tuple([tangents.get(k) for k in range(arity)]), out, *args, **settings)

    return push


def expected(found: Any, arity: int, function: Function, what: str) -> None:
    """As many rules or gradients as there are arguments."""
    if not isinstance(found, (tuple, list)) or len(found) != arity:
        number = len(found) if isinstance(found, (tuple, list)) else f"a {type(found).__name__} instead of a tuple of"
        raise TypeError(f"{function.__name__} has {arity} arguments, and its rule gave {number} {what}")
