"""Functions that make derivatives of functions: `grad(f)` is a function, `grad(grad(f))` its second derivative.

Each call wraps its arguments in fresh Values, runs the function, and pulls the gradient back to exactly these. If the
result depends on other Values as well, those of an outer `grad` or of the caller, the pass is recorded itself: that is
all there is to derivatives of higher order.
"""

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .backward import one, owned, pull_back
from .data import QUIET, as_variable, is_foreign
from .exact import fitted, pull_back_exactly
from .forward import push_forward, zeros
from .ops.linear import identity
from .recording import always_recording, announce_pass, thread
from .results import check_scalar, pair_of, results_of, without_graph
from .trees import aligned, flatten
from .value import Value, clock, leaf, plain

Function = Callable[..., Any]


def grad(fun: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient ∇f of a scalar function f, as a function of the same arguments: (∇f)ₖ = ∂f/∂xₖ.

    Parameters
    ----------
    fun
        A function of numbers, arrays and containers of them (lists, tuples, dicts, dataclasses) that returns a scalar,
        or an array with a single element.
    argnums
        Which positional argument, or which several, to differentiate with respect to.
    has_aux
        `fun` returns a pair (scalar, anything), and the function returned here (gradient, anything).

    Returns
    -------
    A function that returns the derivative with respect to that argument, shaped as the argument is (or, for several, a
    tuple), of the same shape and dtype. It is plain data, or a Value where it depends on Values, so that it can be
    differentiated again. Of a complex argument z = x + iy it is ∂f/∂x - i ∂f/∂y, JAX's convention; `backward()` leaves
    its conjugate in `z.grad`, the direction of steepest ascent, which is PyTorch's.

    Raises
    ------
    TypeError
        If `fun` returns no real scalar (a bool is none), if an argument holds no numbers, or if `argnums` names none.

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 3.2.

    >>> cube = lambda x: x**3
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (12.0, 12.0)
    >>> grad(lambda p: p["w"] * 3.0 + p["b"])({"w": 1.0, "b": 2.0})
    {'w': 3.0, 'b': 1.0}
    """
    both = value_and_grad(fun, argnums, has_aux)  # which checks argnums

    @functools.wraps(fun, updated=())
    def gradient(*args: Any, **settings: Any) -> Any:
        value, found = both(*args, **settings)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(fun: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Like `grad`, but the function returns the pair (f(x), ∇f(x)); it costs no second evaluation.

    Arguments, shapes and errors are those of `grad`.

    With `has_aux=True`, `fun` returns a pair (scalar, anything), and the result is ((scalar, anything), gradient); both
    are plain data, unless the scalar depends on Values from outside.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    chosen, several = numbers_of(argnums)

    @functools.wraps(fun, updated=())
    def value_and_gradient(*args: Any, **settings: Any) -> Any:
        with always_recording() as outside, variables_of(args, chosen) as (variables, rebuild, refill):
            out = fun(*rebuild(variables), **settings)
            out, aux = pair_of(out) if has_aux else (out, None)
            check_scalar(out, fun)
            record = outside and reaches_outside([out], variables)
            value, start = out if record else plain(out), {out: one(out)} if type(out) is Value else {}
            aux = aux if record or not has_aux else without_graph(aux)
            del out  # the pass is the last to hold the graph, and frees it as it goes
            answer = refill(pulled_to(variables, start, record))
        return (value, aux) if has_aux else value, tuple(answer) if several else answer[0]

    return value_and_gradient


def numbers_of(argnums: int | Iterable[int]) -> tuple[tuple[int, ...], bool]:
    """The numbers of the chosen arguments, and whether several were asked for."""
    several = isinstance(argnums, Iterable)
    try:
        return tuple(map(operator.index, argnums if isinstance(argnums, Iterable) else (argnums,))), several
    except TypeError:
        raise TypeError(
            f"argnums={argnums!r}: it is the number of an argument by place, or several in a tuple"
        ) from None


@contextmanager
def variables_of(
    args: Sequence[Any], chosen: Sequence[int], *, later: bool = False
) -> Iterator[tuple[list[Value], Function, Function]]:
    """New variables for the chosen arguments; what puts them into the arguments; what shapes answers like these.

    They are new even where an argument is a Value already: two derivatives taken at one point, one within the other,
    would otherwise be confused. Such a variable is a leaf while its own derivative is taken, and from then on what it
    is for everybody else: the identity of that Value, or of plain data; but if its derivative is taken later, one of
    plain data stays a leaf, for then the quick pass serves.
    """
    for k in chosen:
        if not -len(args) <= k < len(args):
            raise TypeError(f"argnums={k}, but the function was called with {len(args)} positional arguments")
    if len(chosen) > 1 and len({k % len(args) for k in chosen}) < len(chosen):
        raise TypeError(f"argnums={chosen} names an argument twice")
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

    since = thread.since
    thread.since = since or (variables[0].stamp if variables else 0)
    try:
        yield variables, rebuild, refill
    finally:
        thread.since = since
        for variable in [variable for variable, _ in nested] if later else variables:
            variable.first = variable.first or (variable._held,)
            variable.op = identity


def variable_data(x: Any) -> Any:
    """As `as_variable`, but arrays that serve as they are are not copied: the function only sees a Value of them."""
    x = plain(x)
    return x if type(x) is np.ndarray and x.dtype.kind in "fc" and x.dtype.isnative else as_variable(x)


def pulled_to(variables: list[Value], start: dict[Value, Any], record: bool, live: Any = None) -> list[Any]:
    """The gradient for each variable, given those with respect to some results, in a dictionary that is used up."""
    if not variables:
        return []
    oldest = variables[0].stamp
    ends = frozenset(variables)
    announce_pass(start, oldest=oldest, live=live, ends=ends)
    run = QUIET.copy().run
    exact = record or live is not None or any(v.first for v in variables)
    if exact or any(is_foreign(x._held) for x in (*variables, *start)):
        found = run(pull_back_exactly, start, oldest=oldest, record=record, live=live, ends=ends)
    else:
        found = run(pull_back, start, oldest=oldest)
    if record:
        return [found[v] if v in found else zeros(v) for v in variables]
    return [owned(found[v], v._held) if v in found else zeros(v) for v in variables]


def reaches_outside(results: list[Any], variables: list[Value]) -> bool:
    """Whether results depend on Values that were there before their variables: then their derivatives do, too."""
    oldest = variables[0].stamp if variables else next(clock)
    pending = [y for y in results if type(y) is Value]
    seen = set(pending)
    while pending:
        node = pending.pop()
        if node.stamp < oldest:
            return True
        arity = node.op.unrolled if node.op is not None else 0
        for x in (node.first, node.second) if arity == 2 else (node.first,) if arity else node.first:
            if type(x) is Value and x not in seen:
                seen.add(x)
                pending.append(x)
    return False


# Both modes, for functions with any results ---------------------------------------------------------------------------


def vjp(fun: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Reverse mode: the value of a function, and its pullback, g ↦ Jᵀ g, which may be called any number of times.

    `pullback(g)` takes a gradient of the value's structure and shapes, and returns a tuple with the gradient of each
    primal, of its shape and dtype. With `has_aux=True`, `fun` returns a pair (value, anything), and the result is
    (value, pullback, anything).

    Raises
    ------
    TypeError
        If a primal or the value holds no numbers, or g has another structure than the value, or is complex where that
        is real.
    ValueError
        If g has other shapes.

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 3.2.

    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0), pullback(10.0)
    (6.0, (3.0, 2.0), (30.0, 20.0))
    """
    with (
        always_recording() as outside,
        variables_of(primals, range(len(primals)), later=True) as (variables, rebuild, refill),
    ):
        out = fun(*rebuild(variables))
        out, aux = pair_of(out) if has_aux else (out, None)
        results, pack = results_of(out, fun)
        depends = outside and reaches_outside(results, variables)

    def pullback(g: Any) -> tuple[Any, ...]:
        gradients = matching(g, pack(results), results, "gradient")
        record = depends or any(type(part) is Value for part in gradients)
        start: dict[Value, Any] = {}
        for y, part in zip(results, gradients, strict=True):
            if type(y) is Value:
                start[y] = start[y] + part if y in start else part
        return tuple(refill(pulled_to(variables, start, record)))

    value = pack([y if depends else plain(y) for y in results])
    return (value, pullback, aux if depends else without_graph(aux)) if has_aux else (value, pullback)


def jvp(fun: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """Forward mode: the value of a function, and its derivative in the direction of the tangents, J t.

    Parameters
    ----------
    primals, tangents
        The arguments, and their tangents, of the same structures and shapes.
    has_aux
        `fun` returns a pair (value, anything), and the result is (value, tangent, anything).

    Returns
    -------
    The pair (value, tangent), of one structure and with the same shapes; both are plain data unless they depend on
    Values.

    Raises
    ------
    TypeError
        If a primal or the value holds no numbers, or the tangents have another structure than the primals, or are
        complex where those are real.
    ValueError
        If they have other shapes.

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, section 3.1.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            "jvp takes the arguments and their tangents as tuples: jvp(f, (x,), (t,)) or jvp(f, (x, y), (s, t))"
        )
    value, push, *aux = linearize(fun, *primals, has_aux=has_aux)
    return value, push(*tangents), *aux


def linearize(fun: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Forward mode for many directions: the value of a function, and the linear map t ↦ J t at this point.

    The function runs once. `push(*tangents)` takes tangents of the primals' structures and shapes, and returns that of
    the value; errors are those of `jvp`. With `has_aux=True`, `fun` returns a pair (value, anything), and the result is
    (value, push, anything).

    >>> value, push = linearize(np.sin, 0.0)
    >>> value, push(1.0), push(2.0)
    (0.0, 1.0, 2.0)
    """
    with always_recording() as outside, variables_of(primals, range(len(primals))) as (variables, rebuild, _):
        out = fun(*rebuild(variables))
        out, aux = pair_of(out) if has_aux else (out, None)
        results, pack = results_of(out, fun)
        depends = outside and reaches_outside(results, variables)

    def push(*tangents: Any) -> Any:
        parts = matching(tangents, tuple(rebuild(variables)), variables, "tangent")
        return pack(pushed_from(variables, results, parts, depends))

    value = pack([y if depends else plain(y) for y in results])
    return (value, push, aux if depends else without_graph(aux)) if has_aux else (value, push)


def pushed_from(
    variables: list[Value], results: list[Any], tangents: list[Any], depends: bool, live: Any = None
) -> list[Any]:
    """The tangents of results, given those of the variables."""
    record = depends or any(type(t) is Value for t in tangents)
    known = {
        v: (t, None if live is None else live[k]) for k, (v, t) in enumerate(zip(variables, tangents, strict=True))
    }
    oldest = variables[0].stamp if variables else 0
    announce_pass(results)
    return QUIET.copy().run(push_forward, results, known, oldest=oldest, record=record)


def matching(tree: Any, like: Any, others: list[Any], kind: str) -> list[Any]:
    """The leaves of a container of gradients or tangents, each with the shape and dtype of what it belongs to."""
    try:
        parts = aligned(tree, like)
    except TypeError as error:
        raise TypeError(f"a {kind} has the structure of what it belongs to, but here is {error}") from None
    return [fitted(part, y, kind) for part, y in zip(parts, others, strict=True)]
