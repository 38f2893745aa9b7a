"""Jacobians and Hessians: all derivatives of all results, row by row or column by column over one recorded graph."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .backward import has_nan
from .batched import go_together, push_together
from .data import QUIET, dtype_of, is_foreign, shape_of, size_of
from .forward import push_forward, zeros
from .ops.linear import in_dtype
from .recording import always_recording, announce_pass
from .results import pair_of, results_of, without_graph
from .transforms import grad, numbers_of, pulled_to, reaches_outside, variables_of, vjp
from .value import Value, plain

Function = Callable[..., Any]

UNROLLED = 16
"""So many rows or columns are written out one by one in a compiled program; more are a loop of it."""


def jacobian(fun: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, *, mode: str = "auto") -> Function:
    """The matrix of all first derivatives of a function, Jᵢⱼ = ∂yᵢ/∂xⱼ, as a function of the same arguments.

    Parameters
    ----------
    fun
        A function of numbers, arrays and containers, whose results are such, too.
    argnums
        Which positional argument, or which several, to differentiate with respect to.
    has_aux
        `fun` returns a pair (value, anything), and the function returned here (Jacobian, anything).
    mode
        "reverse" takes a pass for each element of the results, "forward" one for each element of the arguments; "auto"
        takes the fewer, or "forward" if these go through the graph together, up to twice as many.

    Returns
    -------
    A function that returns, for each result of shape s and each argument of shape t, an array of shape s + t, in the
    dtype of the argument and nested as the results are, and in them as the arguments are (JAX's convention). Complex
    results of real arguments have complex derivatives. Of complex arguments z = x + iy a real result u has
    ∂u/∂x - i ∂u/∂y, as in `grad`, and a complex one its complex derivative. Where `jit` records, many rows or columns
    are one loop of its program.

    Raises
    ------
    ValueError
        For an unknown mode; or if a complex result has no complex derivative, since it is not holomorphic.
    TypeError
        If an argument or a result holds no numbers, or `argnums` names none.

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"mode={mode!r}: it is 'auto', 'forward' or 'reverse'")

    chosen, several = numbers_of(argnums)

    @functools.wraps(fun, updated=())
    def matrix(*args: Any, **settings: Any) -> Any:
        with always_recording() as outside, variables_of(args, chosen) as (variables, rebuild, refill):
            out = fun(*rebuild(variables), **settings)
            out, aux = pair_of(out) if has_aux else (out, None)
            results, pack = results_of(out, fun)
            record = outside and reaches_outside(results, variables)
            by_rows = mode == "reverse" or (mode == "auto" and rows_are_less(results, variables, record))
            blocks = (rows if by_rows else columns)(results, variables, record)
        shaped = [refill(row) for row in blocks]
        found = pack([tuple(row) if several else row[0] for row in shaped])
        return (found, aux if record else without_graph(aux)) if has_aux else found

    return matrix


def rows_are_less(results: list[Any], variables: list[Value], record: bool) -> bool:
    """Whether the rows of a Jacobian take less time than its columns, of which twice as many do if they go together."""
    across, down = sum(map(size_of, variables)), sum(map(size_of, results))
    if down <= across < 2 * down and not record:
        return not go_together(results, variables)
    return down <= across


def rows(results: list[Any], variables: list[Value], record: bool) -> list[list[Any]]:
    """The blocks of a Jacobian, a reverse pass for each row; for one of a complex result two, since a real variable
    gets the real part of its gradient: Re J from 1, and Im J from -i.
    """
    blocks = []
    for y in results:
        found = rows_of(y, variables, record, 1)
        if is_complex(y):
            found = joined(found, rows_of(y, variables, record, -1j), -1j, variables)
        blocks.append(found)
    return blocks


def rows_of(y: Any, variables: list[Value], record: bool, unit: complex) -> list[Any]:
    """What comes back to each variable from each element of one result, given that unit."""
    if type(y) is Value and (loop := loop_for(y, record)) is not None:
        found = loop(lambda g: pulled_to(variables, {y: g}, False, g != 0), all_units(y, unit))
        return [np.reshape(g, (*shape_of(y), *v.shape)) for g, v in zip(found, variables, strict=True)]
    passes = [row(variables, y, g, record) for g in units(y, unit)]
    return [block([p[k] for p in passes], y, v) for k, v in enumerate(variables)]


def row(variables: list[Value], y: Any, g: Any, record: bool) -> list[Any]:
    """A reverse pass from one element; exactly so where the zeros beside it meet a derivative that is inf."""
    live = np.asarray(g) != 0
    if type(y) is not Value:
        return [zeros(v) for v in variables]
    if record or is_foreign(y._held):
        return pulled_to(variables, {y: g}, record, live)
    found = pulled_to(variables, {y: g}, record)
    return pulled_to(variables, {y: g}, record, live) if any(map(has_nan, found)) else found


def columns(results: list[Any], variables: list[Value], record: bool) -> list[list[Any]]:
    """The blocks of a Jacobian, a direction of forward mode for each column."""
    announce_pass(results)
    by_variable = [columns_for(v, results, variables, record, 1) for v in variables]
    for k, v in enumerate(variables):
        if is_complex(v):
            by_variable[k] = joined(by_variable[k], columns_for(v, results, variables, record, 1j), 1j, results)
    return [
        [as_block(found[i], y, v) for found, v in zip(by_variable, variables, strict=True)]
        for i, y in enumerate(results)
    ]


def as_block(found: Any, y: Any, v: Value) -> Any:
    """Derivatives of y, with the axes of v first, as those of a reverse pass: with these axes last, in the dtype of v,
    or if only y is complex, in the complex one of that precision.
    """
    ndim = len(v.shape)
    found = np.moveaxis(found, range(ndim), range(-ndim, 0)) if ndim else found
    return in_dtype(found, np.result_type(v.dtype, np.complex64) if is_complex(y) else v.dtype)


def columns_for(v: Value, results: list[Any], variables: list[Value], record: bool, unit: complex) -> list[Any]:
    """The derivatives of all results by one variable, whose axes come first, in the direction of the unit: all
    elements together, if that is exact, else one by one.
    """
    oldest = variables[0].stamp
    if not record and v.shape and v.size and not any(is_foreign(plain(y)) for y in (v, *results)):
        try:
            together = QUIET.copy().run(push_together, results, v, all_units(v, unit), oldest=oldest)
        except ArithmeticError:  # a pole of a function of Python floats
            together = None
        if together is not None and not any(has_nan(t) for t in together):
            return [t.reshape(*v.shape, *shape_of(y)) for t, y in zip(together, results, strict=True)]

    def column(t: Any, live: Any) -> list[Any]:
        return push_forward(results, {v: (t, live)}, oldest=oldest, record=record)

    if (loop := loop_for(v, record)) is not None:
        pushed = loop(lambda t: column(t, t != 0), all_units(v, unit))
        return [np.reshape(t, (*v.shape, *shape_of(y))) for t, y in zip(pushed, results, strict=True)]
    found = [QUIET.copy().run(column, t, np.asarray(t) != 0) for t in units(v, unit)]
    return [block([p[i] for p in found], v, y) for i, y in enumerate(results)]


def loop_for(x: Any, record: bool) -> Callable[..., Any] | None:
    """What runs a function of each unit array of x in one loop, if the compiler records, and they are many."""
    return None if record or size_of(x) <= UNROLLED else getattr(getattr(plain(x), "recorder", None), "each", None)


def all_units(x: Any, unit: complex) -> Any:
    """The unit arrays of x as one, with an axis in front."""
    return (np.eye(size_of(x), dtype=dtype_of(x)) * unit).reshape(size_of(x), *shape_of(x))


def units(x: Any, unit: complex) -> Iterator[Any]:
    """For each element of x the array of its shape that is the unit there, and else 0."""
    if type(plain(x)) is float:
        yield 1.0
        return
    for index in np.ndindex(shape_of(x)):
        array = np.zeros(shape_of(x), dtype_of(x))
        array[index] = unit
        yield array[()]


def is_complex(x: Any) -> bool:
    """Whether a result or a variable has complex numbers."""
    return bool(dtype_of(x).kind == "c")


def joined(found: list[Any], turned: list[Any], unit: complex, others: list[Any]) -> list[Any]:
    """Derivatives for the unit 1 and for i or -i as one, where either their other side is real, or they have to agree.
    The inverse of such a unit is its negative.
    """
    parts = zip(found, [-unit * q for q in turned], others, strict=True)
    return [holomorphic(p, q) if is_complex(x) else p + q for p, q, x in parts]


def holomorphic(p: Any, q: Any) -> Any:
    """The derivative along the real axis, if that along the imaginary axis is the same (Cauchy and Riemann)."""
    a, b = plain(p), plain(q)
    if not is_foreign(a):
        largest = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0))
        if np.any(np.abs(a - b) > np.sqrt(np.finfo(dtype_of(a)).eps) * largest):
            raise ValueError(
                "jacobian: the function, of a hessian the gradient, is complex and not holomorphic, so it has no "
                "complex derivative: take that of its parts, jacobian(lambda z: np.real(f(z))) and np.imag, or "
                "products with it, by jvp and vjp; and hessian(lambda x, y: f(x + 1j * y), (0, 1))(z.real, z.imag)"
            )
    return p


def block(parts: list[Any], outer: Any, inner: Any) -> Any:
    """Derivatives of shape `inner`, one for each element of `outer`, as one array."""
    if not shape_of(outer):
        return parts[0]
    if not parts:
        return np.zeros((*shape_of(outer), *shape_of(inner)), dtype_of(inner))
    return np.reshape(np.stack(parts), (*shape_of(outer), *shape_of(inner)))


def hessian(fun: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The matrix of all second derivatives of a scalar function, Hᵢⱼ = ∂²f/∂xᵢ∂xⱼ, as a function of its arguments.

    It is the Jacobian of the gradient, which is recorded once. For arguments of shapes s and t its block has the shape
    s + t, nested as `jacobian` nests. Errors are those of `grad`; and of complex arguments the gradient is to be
    holomorphic, as in `jacobian`. With `has_aux=True`, `fun` returns a pair (scalar, anything), and the function
    returned here (Hessian, anything).

    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 5.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(fun, argnums, has_aux), argnums, has_aux, mode="forward")


def hvp(fun: Function, x: Any, v: Any) -> Any:
    """The product of a scalar function's Hessian at x with a vector v, which needs no matrix.

    It is the gradient of ⟨∇f(x), v⟩ (Pearlmutter, *Fast exact multiplication by the Hessian*, 1994), and costs a few
    evaluations of the function, whatever its dimension. x and v are arrays or containers of one structure and of the
    same shapes, and so is the result.

    Raises
    ------
    TypeError
        If the function returns no real scalar, or v has another structure than x.
    ValueError
        If v has other shapes.

    >>> hvp(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """
    _, pullback = vjp(grad(fun), x)
    return pullback(v)[0]
