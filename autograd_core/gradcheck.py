"""Derivatives against finite differences, for any function.

The central difference (f(x + h) − f(x − h)) / 2h has an error of order h² from the series and of order ε/h from
rounding; h = ε^(1/3) balances them (Press et al., *Numerical Recipes*, 3rd ed., section 5.7). Order 2 checks the
gradient of a random projection of the gradient in the same way, and so on.
"""

from __future__ import annotations  # NumPy imports np.random only where it is used

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .data import dtype_of, shape_of
from .transforms import grad
from .trees import flatten
from .value import leaf, plain

STEP = float(np.finfo(np.float64).eps ** (1 / 3))
MANY = 200
"""Arguments with more elements are checked along random directions instead of element by element."""


def check_gradients(
    fun: Callable[..., Any],
    *args: Any,
    order: int = 1,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    rng: int | np.random.Generator | None = 0,
) -> None:
    """Compare the derivatives of a function, up to `order`, with central differences in double precision.

    Parameters
    ----------
    fun
        A function of numbers, arrays and containers of them; its result is a number, an array, or a container.
    args
        The point at which to check. It should not lie on a kink or a jump. Of complex numbers both parts, the real and
        the imaginary, are moved.
    order
        Up to which order of derivatives; order 2 checks the gradient of a random projection of the gradient, and so on.
    rtol, atol
        How far they may differ, beside their size and absolutely; atol is ten times as much for each further order.
    rng
        Draws the projection of results that are not one real number, and the directions in large arguments.

    Raises
    ------
    AssertionError
        If they differ, naming the order, the argument, the element and both numbers.
    ValueError
        If there is nothing to check.

    Press et al., *Numerical Recipes*, 3rd ed., Cambridge 2007, section 5.7.

    >>> check_gradients(np.tanh, np.array([0.1, -2.0]), order=2)
    """
    rng = np.random.default_rng(rng)
    leaves, rebuild = flatten(list(args))
    point = [np.asarray(x, complex if dtype_of(x).kind == "c" else float)[()] for x in map(plain, leaves)]
    results = flatten(fun(*rebuild([leaf(x) for x in point])))[0]
    if order < 1 or not leaves or not results:
        raise ValueError("nothing to check: give a function that returns numbers, its arguments, and order >= 1")
    alone = len(results) == 1 and not shape_of(results[0]) and dtype_of(results[0]).kind != "c"
    weights = [1.0] if alone else [random_like(r, rng) for r in results]

    def function(*variables: Any) -> Any:
        return projection(flatten(fun(*rebuild(list(variables))))[0], weights)

    for k in range(1, order + 1):
        compare(function, point, k, rtol, atol, rng)
        function = projected_gradient(function, [random_like(x, rng) for x in point])


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """Random numbers of a shape, complex if x is."""
    out = rng.standard_normal(shape_of(x))
    return out + 1j * rng.standard_normal(shape_of(x)) if dtype_of(x).kind == "c" else out


def projection(results: Iterable[Any], weights: list[Any]) -> Any:
    """Re Σ w y, a real number that depends on all results y."""
    total: Any = 0.0
    for y, w in zip(results, weights, strict=True):
        part = np.sum(w * y)
        total = total + (np.real(part) if dtype_of(part).kind == "c" else part)
    return total


def projected_gradient(function: Callable[..., Any], directions: list[Any]) -> Callable[..., Any]:
    """x ↦ Σ ⟨∇f(x), direction⟩, a scalar function whose gradient holds the next derivatives."""
    gradient = grad(function, range(len(directions)))
    return lambda *variables: projection(gradient(*variables), directions)


def compare(
    function: Callable[..., Any], point: list[Any], order: int, rtol: float, atol: float, rng: np.random.Generator
) -> None:
    """The gradient of a scalar function of arrays against central differences."""
    gradients = grad(function, tuple(range(len(point))))(*point)

    def at(k: int, shift: Any) -> float:
        moved = [*point[:k], point[k] + shift, *point[k + 1 :]]
        return float(plain(function(*map(leaf, moved))))

    for k, x in enumerate(point):
        exact = np.asarray(gradients[k])
        for where, t in directions(x, rng):
            h = STEP * max(1.0, float(np.max(np.abs(x))))
            numeric = (at(k, h * t) - at(k, -h * t)) / (2 * h)
            found = float(np.real(np.sum(exact * t)))
            if not abs(found - numeric) <= atol * 10 ** (order - 1) + rtol * max(abs(found), abs(numeric)):
                raise AssertionError(
                    f"order {order}: the derivative with respect to argument {k}, {where}, is {found:.10g} "
                    f"by the rules and {numeric:.10g} by central differences"
                )


def directions(x: Any, rng: np.random.Generator) -> Any:
    """Each element by itself, with its name; for large arrays a few random directions."""
    if np.size(x) > MANY:
        for k in range(8):
            t = random_like(x, rng)
            yield f"along random direction {k}", t / np.linalg.norm(t)
        return
    for index in np.ndindex(np.shape(x)):
        where = f"element {index}" if index else "a scalar"
        t = np.zeros(np.shape(x), dtype_of(x))
        t[index] = 1.0
        yield where, t
        if dtype_of(x).kind == "c":
            yield f"the imaginary part of {where}", 1j * t
