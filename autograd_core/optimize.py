"""SciPy's optimisers with exact derivatives: `minimize` and `least_squares` for functions of arrays and containers.

SciPy searches a vector of floats. Here x0 may be an array of any shape, or a container of arrays; the function gets
what is built like x0, and so are the solution and its gradient. Gradients, Hessian-vector products, Hessians and
Jacobians come from the function itself, so none is ever approximated by differences.

>>> result = minimize(lambda p: (p["a"] - 1.0) ** 2 + np.sum((p["b"] - p["a"]) ** 2), {"a": 0.0, "b": np.zeros(2)})
>>> round(result.x["a"], 6), result.x["b"].round(6)
(1.0, array([1., 1.]))

SciPy is optional: `pip install 'autograd-core[optimize]'`.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .data import NUMBERS, as_variable, shape_of
from .jacobians import hessian, jacobian
from .results import check_scalar
from .transforms import grad, linearize, value_and_grad
from .trees import flatten
from .value import plain

Function = Callable[..., Any]

NO_DERIVATIVE = frozenset(("nelder-mead", "powell", "cobyla", "cobyqa"))
PRODUCTS = frozenset(("newton-cg", "trust-ncg", "trust-krylov", "trust-constr"))
MATRICES = frozenset(("dogleg", "trust-exact"))
"""What SciPy's methods ask for beside the value: nothing, Hessian-vector products, the Hessian; else the gradient."""


def minimize(
    fun: Function,
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    method: Any = None,
    constraints: Any = (),
    callback: Function | None = None,
    **settings: Any,
) -> Any:
    """Minimise a scalar function: `scipy.optimize.minimize` with exact derivatives, for x of any structure.

    Parameters
    ----------
    fun
        A function fun(x, *args) of x as x0 is, that returns a scalar.
    x0
        Where the search begins: a number, an array of any shape, or a container of these. A list or tuple of plain
        numbers counts as an array, as SciPy has it. The search is in float64.
    method
        As SciPy's. Newton-CG, trust-ncg, trust-krylov and trust-constr get Hessian-vector products, dogleg and
        trust-exact the Hessian, those that use no derivative none, and all others the gradient.
    constraints
        As SciPy's; the functions in them take x as x0 is, and get their Jacobians unless they bring their own.
    callback
        As SciPy's; it is called with x as x0 is.
    settings
        Whatever else SciPy takes: `bounds`, `tol`, `options`; `hess`, for a quasi-Newton update in trust-constr.
        `bounds` are those of all elements in order, those of the first leaf first.

    Returns
    -------
    SciPy's OptimizeResult, plain data: Values that `fun` reaches from outside are held. Its `x` and `jac`, the
    gradient, are as x0 is; matrices such as `hess_inv` stay matrices.

    Raises
    ------
    ImportError
        If SciPy is missing.
    TypeError
        If `fun` returns no scalar.
    ValueError
        If x0 is empty, if x0 or fun(x0) is not finite, or if a gradient is not finite where the function is.

    >>> rosenbrock = lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    >>> minimize(rosenbrock, [1.3, 0.7, 0.8], method="trust-ncg", tol=1e-8).x.round(6)
    array([1., 1., 1.])
    """
    if "jac" in settings:
        raise TypeError("minimize takes no jac=: gradients come from fun itself")
    if isinstance(settings.get("bounds"), dict):
        raise TypeError("bounds= is a pair (low, high) for each element of x0 in order, those of its first leaf first")
    optimize = scipy_optimize()
    space = Space(x0)
    args = args if isinstance(args, tuple) else (args,)
    with_args: Function = lambda x: fun(x, *args)
    start = space.vector
    check_start(plain(fun(space.build(start), *args)), fun)

    kind = method.lower() if isinstance(method, str) else ""
    derivatives: dict[str, Any] = {}
    if kind not in NO_DERIVATIVE:
        derivatives["jac"] = True
    if kind in MATRICES and "hess" not in settings:
        derivatives["hess"] = lambda x: space.matrix(hessian(with_args)(space.build(x)), (space.size, space.size))
    elif (kind in PRODUCTS or callable(method)) and not settings.keys() & {"hess", "hessp"}:
        derivatives["hessp"] = Products(with_args, space)
    if constraints != ():
        listed = constraints if isinstance(constraints, (list, tuple)) else [constraints]
        settings["constraints"] = [constraint(c, space, optimize) for c in listed]
    if callback is not None:
        settings["callback"] = reporting(callback, space)
    target = values(with_args, space) if kind in NO_DERIVATIVE else values_and_gradients(with_args, space)
    result = optimize.minimize(target, start, method=method, **derivatives, **settings)
    return structured(result, space, ("x", "jac"))


def least_squares(
    fun: Function,
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str = "trf",
    kwargs: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Minimise half the sum of the squares of residuals: `scipy.optimize.least_squares` with the exact Jacobian.

    Parameters
    ----------
    fun
        A function fun(x, *args, **kwargs) of x as x0 is, that returns the residuals: an array, or a container of them.
    x0
        Where the search begins, as for `minimize`.
    method, settings
        As SciPy's: "trf", "dogbox" or "lm"; `bounds`, `loss`, `f_scale`, `xtol`, `max_nfev`, ... The lower and the
        upper bounds may be as x0 is.

    Returns
    -------
    SciPy's OptimizeResult, plain data: Values that `fun` reaches from outside are held. Its `x` and `grad` are as x0
    is; `fun` is the vector of all residuals, and `jac` the matrix of their derivatives, which is what covariances are
    made of.

    Raises
    ------
    ImportError
        If SciPy is missing.
    TypeError
        If the residuals are complex.
    ValueError
        If x0 is empty, or if x0, the residuals at x0 or a Jacobian are not finite.

    >>> t = np.linspace(0.0, 1.0, 8)
    >>> measured = 2.0 * np.exp(-3.0 * t)
    >>> model = lambda p: p["a"] * np.exp(-p["rate"] * t) - measured
    >>> fit = least_squares(model, {"a": 1.0, "rate": 1.0})
    >>> round(fit.x["a"], 6), round(fit.x["rate"], 6)
    (2.0, 3.0)
    """
    if "jac" in settings:
        raise TypeError("least_squares takes no jac=: the Jacobian comes from fun itself")
    optimize = scipy_optimize()
    space = Space(x0)
    args = args if isinstance(args, tuple) else (args,)
    with_args: Function = lambda x: fun(x, *args, **(kwargs or {}))
    if isinstance(settings.get("bounds"), (tuple, list)):
        settings["bounds"] = [b if isinstance(b, NUMBERS) else joined(flatten(b)[0]) for b in settings["bounds"]]

    def residuals(x: Any) -> Any:
        return joined(flatten(with_args(space.build(x)))[0])

    first = residuals(space.vector)
    if not np.all(np.isfinite(first)):
        raise ValueError(f"{count_bad(first)} of the residuals at x0 are not finite: begin where all of them are")

    def derivative(x: Any) -> Any:
        found = space.matrix(jacobian(with_args)(space.build(x)), (first.size, space.size))
        if not np.all(np.isfinite(found)):
            raise ValueError(f"{count_bad(found)} of the Jacobian are not finite, where the residuals are")
        return found

    result = optimize.least_squares(residuals, space.vector, derivative, method=method, **settings)
    return structured(result, space, ("x", "grad"))


def scipy_optimize() -> Any:
    """SciPy's optimisers, which are loaded only when they are asked for."""
    try:
        import scipy.optimize
    except ImportError as error:
        raise ImportError("optimisation needs SciPy: pip install 'autograd-core[optimize]'") from error
    return scipy.optimize


class Space:
    """A container of numbers and arrays as a vector of float64, and back."""

    def __init__(self, x0: Any) -> None:
        if isinstance(x0, (list, tuple)) and not hasattr(x0, "_fields") and all(isinstance(x, NUMBERS) for x in x0):
            x0 = np.array(x0)
        leaves, self.refill = flatten(x0)
        leaves = [as_variable(plain(x)) for x in leaves]
        if any(np.iscomplexobj(x) for x in leaves):
            raise TypeError("x0 is complex, and the search is in real numbers: give the real and imaginary parts")
        self.weak = [type(x) is float for x in leaves]
        self.shapes = [shape_of(x) for x in leaves]
        self.ends = np.cumsum([math.prod(shape) for shape in self.shapes]).tolist()
        self.size = self.ends[-1] if leaves else 0
        if not self.size:
            raise ValueError("x0 is empty: there is nothing to search")
        self.vector = joined(leaves)
        if not np.all(np.isfinite(self.vector)):
            raise ValueError(f"{count_bad(self.vector)} of x0 are not finite: begin at finite numbers")

    def build(self, vector: Any) -> Any:
        """A container like x0 from a vector. It shares no memory with the vector, which SciPy overwrites."""
        vector = np.array(vector, dtype=np.float64)
        starts = [0, *self.ends]
        leaves = [
            float(vector[a]) if weak else vector[a:b].reshape(shape)
            for a, b, weak, shape in zip(starts, self.ends, self.weak, self.shapes, strict=False)
        ]
        return self.refill(leaves)

    def matrix(self, blocks: Any, shape: tuple[int, int]) -> Any:
        """One matrix of the blocks of a Jacobian: those for each result and each leaf of x0, in order."""
        parts = [plain(x) for x in flatten(blocks)[0]]
        across = len(self.shapes)
        lines = []
        for k in range(0, len(parts), across):
            line = [np.reshape(b, (-1, math.prod(s))) for b, s in zip(parts[k : k + across], self.shapes, strict=True)]
            lines.append(np.concatenate(line, axis=1))
        return np.concatenate(lines).astype(np.float64).reshape(shape)


def joined(leaves: list[Any]) -> Any:
    """All elements of some numbers and arrays as one vector of float64."""
    if any(np.iscomplexobj(plain(x)) for x in leaves):
        raise TypeError("the search is in real numbers, and the function gives complex ones: take np.abs or both parts")
    return np.concatenate([np.zeros(0), *[np.ravel(np.asarray(plain(x), dtype=np.float64)) for x in leaves]])


def check_start(value: Any, fun: Function) -> None:
    """The function has to be a finite real number where the search begins."""
    check_scalar(value, fun)
    if np.iscomplexobj(value):
        raise TypeError("the function returned a complex number, and there is no least one: take np.abs or np.real")
    if not np.isfinite(number(value)):
        raise ValueError(f"fun(x0) is {number(value)}: begin where the function is finite")


def number(value: Any) -> float:
    """What the function returned, a number or an array with a single element, as a float."""
    return float(np.asarray(plain(value)).item())


def count_bad(x: Any) -> str:
    """How many elements are not finite."""
    return f"{np.count_nonzero(~np.isfinite(x))} of {np.size(x)} elements"


def values(fun: Function, space: Space) -> Function:
    """x ↦ f(x), for a vector."""
    return lambda x: number(fun(space.build(x)))


def values_and_gradients(fun: Function, space: Space) -> Function:
    """x ↦ (f(x), ∇f(x)), for a vector."""
    both = value_and_grad(fun)

    def call(x: Any) -> tuple[float, Any]:
        value, gradient = both(space.build(x))
        value = number(value)
        slope = joined(flatten(gradient)[0])
        if np.isfinite(value) and not np.all(np.isfinite(slope)):
            raise ValueError(
                f"the function is {value:.6g} and {count_bad(slope)} of its gradient are not finite: "
                "the search left the region where it has a derivative; bound it, or write the function in a stable form"
            )
        return value, slope

    return call


class Products:
    """(x, v) ↦ ∇²f(x) v. The gradient is recorded once for each x, and serves all products there."""

    def __init__(self, fun: Function, space: Space) -> None:
        self.gradient = grad(fun)
        self.space = space
        self.x: Any = None
        self.push: Function = lambda v: v

    def __call__(self, x: Any, v: Any, *args: Any) -> Any:
        if self.x is None or not np.array_equal(x, self.x):
            _, self.push = linearize(self.gradient, self.space.build(x))
            self.x = np.array(x)
        return joined(flatten(self.push(self.space.build(v)))[0])


def constraint(given: Any, space: Space, optimize: Any) -> Any:
    """A constraint of SciPy's, on vectors and with a Jacobian, of one on what x0 is."""
    linear = isinstance(given, optimize.LinearConstraint)
    if linear or not (isinstance(given, (dict, optimize.NonlinearConstraint))):
        return given
    record = dict(given) if isinstance(given, dict) else dict(vars(given))
    fun, args = record["fun"], record.get("args", ())

    def value(x: Any, *_: Any) -> Any:
        return joined(flatten(fun(space.build(x), *args))[0])

    def derivative(x: Any, *_: Any) -> Any:
        blocks = jacobian(lambda p: fun(p, *args))(space.build(x))
        return space.matrix(blocks, (-1, space.size))

    own = record.get("jac")
    jac = (lambda x, *_: own(space.build(x), *args)) if callable(own) else derivative
    if isinstance(given, dict):
        return {"type": record["type"], "fun": value, "jac": jac}
    return optimize.NonlinearConstraint(
        value, given.lb, given.ub, jac, given.hess, given.keep_feasible, given.finite_diff_rel_step
    )


def reporting(callback: Function, space: Space) -> Function:
    """A callback that SciPy calls with a vector, for one that takes x as x0 is."""
    if [*inspect.signature(callback).parameters] == ["intermediate_result"]:

        def report(intermediate_result: Any) -> Any:
            return callback(
                intermediate_result=structured(type(intermediate_result)(intermediate_result), space, ("x",))
            )

        return report

    @functools.wraps(callback)
    def call(x: Any, *rest: Any) -> Any:
        return callback(space.build(x), *rest)

    return call


def structured(result: Any, space: Space, names: tuple[str, ...]) -> Any:
    """A result of SciPy's with these of its vectors as x0 is."""
    for name in names:
        if result.get(name) is not None and np.size(result[name]) == space.size:
            result[name] = space.build(np.ravel(result[name]))
    return result
