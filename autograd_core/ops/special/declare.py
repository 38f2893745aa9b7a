"""How ufuncs of SciPy are declared: by their local derivatives, with parameters that have none, with several results.

A partial derivative that has no closed form is an error that says so, and never a silent zero: such an argument is a
setting of the op, and the function that SciPy's name arrives at refuses a Value in its place.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...data import dtype_of
from ...op import CALL, Op, composed, elementwise, primitive
from ...value import Value
from ..several import picked

POSITIVE, BOTH, CHANCE = [(0.4, 3)], [(0.4, 2), (0.4, 2)], [(0.1, 0.9)]

LETTERS = ("x", "y", "z")


def of_scipy(
    name: str,
    *partials: Callable[..., Any],
    domain: Any = (),
    tex: str | None = None,
    precedence: int = CALL,
    function: Any = None,
    parameters: dict[str, Any] | None = None,
    real: bool = False,
) -> Any:
    """Declare a ufunc of scipy.special by its local derivatives, `partial(out, *arrays, *parameters)`.

    `parameters` are the arguments that SciPy takes first and that have no derivative in closed form, with the values
    that the tests give them. `real` says that the function is not holomorphic, and so is refused complex numbers.
    """
    function = function or getattr(special, name)
    if tex is None:
        arguments = [*(f"{{{p}}}" for p in parameters or ()), *(f"{{{x}}}" for x in LETTERS[: len(partials)])]
        spelled = name.replace("_", r"\_")
        tex = rf"\operatorname{{{{{spelled}}}}}({', '.join(arguments)})"
    if not parameters:
        forward = function if len(partials) < 3 else lambda *xs: function(*xs)
        return elementwise(name, forward, numpy=function, partials=partials, domain=domain, tex=tex,
                           precedence=precedence)  # fmt: skip
    text = f"{name}({', '.join([*(f'{{{p}}}' for p in parameters), '{x}'])})"
    op = elementwise(
        name, parameters_first(name, function, real), partials=partials, domain=domain, tex=tex, text=text,
        precedence=precedence, settings=parameters, numpy=function,
    )  # fmt: skip
    composed(function)(taking(op, name, parameters))
    return op


def parameters_first(name: str, function: Any, real: bool = False) -> Any:
    """A ufunc that takes its parameters behind x; those that are Python's numbers do not widen the dtype of x.

    Where they are counts, SciPy's loop in float32 would take them for fractions.
    """
    counts = any(loop.startswith("l") or loop[1] == "l" for loop in getattr(function, "types", ()))

    def forward(x: Any, *parameters: Any) -> Any:
        dtype = dtype_of(x)
        if real and dtype.kind == "c":
            raise TypeError(
                f"scipy.special.{name} of complex numbers is not holomorphic: multiply the function without the e in "
                "its name by the factor that SciPy documents"
            )
        out = function(*parameters, x.astype(float) if counts and dtype == np.float32 else x)
        given = [p.dtype for p in parameters if hasattr(p, "dtype") and p.dtype.kind == "f"]
        if dtype.kind not in "fc" or type(x) is float:
            return out
        dtype = np.result_type(dtype, *given, *([np.complex64] if dtype_of(out).kind == "c" else []))
        return out if out.dtype == dtype else out.astype(dtype)

    return forward


def taking(op: Op, name: str, parameters: Iterable[str]) -> Any:
    """What is called with SciPy's arguments: the parameters, which are plain, and x."""

    def call(*args: Any) -> Any:
        *given, x = args
        for p, value in zip(parameters, given, strict=True):
            if type(value) is Value:
                raise TypeError(
                    f"scipy.special.{name} has no derivative with respect to {p} in closed form: pass plain data"
                )
        return op(x, *[np.asarray(p) if isinstance(p, (list, tuple)) else p for p in given])

    return call


def of_several(
    name: str, *partials: Callable[..., tuple[Any, ...]], domain: Any = (), parameters: dict[str, Any] | None = None
) -> Op:
    """Declare a ufunc with several results by the derivatives of all, `partial(outs, *arrays, *parameters)`."""
    function = getattr(special, name)
    settings, letters = parameters or {}, LETTERS[: len(partials)]

    def forward(*args: Any) -> tuple[Any, ...]:
        arrays, given = args[: len(partials)], args[len(partials) :]
        outs: tuple[Any, ...] = function(*given, *arrays)
        weak = all(type(x) is float for x in arrays)
        return tuple([float(y) if weak and np.isrealobj(y) and not np.ndim(y) else y for y in outs])

    def pullback(k: int, g: Any, outs: Any, *args: Any) -> Any:
        slopes = partials[k](outs, *args)
        return sum(part * slope for part, slope in zip(g, slopes, strict=True) if part is not None)

    def pushforward(tangents: Any, outs: Any, *args: Any) -> tuple[Any, ...]:
        slopes = [(partials[k](outs, *args), t) for k, t in tangents.items()]
        return tuple([sum(slope[j] * t for slope, t in slopes) for j in range(len(outs))])

    op = primitive(
        name, forward, numpy=function, settings=settings, domain=domain, pushforward=pushforward,
        pullbacks=tuple([functools.partial(pullback, k) for k in range(len(partials))]),
        samples=[([(3, 4)] * len(partials), {}), ([(4,), (3, 1)][: len(partials)], {}), ([()] * len(partials), {})],
        text=f"{name}({', '.join(f'{{{x}}}' for x in (*settings, *letters))})",
        doc=f"See `scipy.special.{name}`: several results.",
    )  # fmt: skip
    call = taking(op, name, settings) if settings else op
    composed(function)(lambda *args: picked(call(*args)))
    return op


def whole(n: Any) -> Any:
    """A count as SciPy takes it, without what is behind the point."""
    return int(n) if isinstance(n, (int, float)) else np.trunc(n)


def polynomial(coefficients: list[float], x: Any) -> Any:
    """Σ cₖ xᵏ, by Horner's scheme."""
    out: Any = 0.0
    for c in reversed(coefficients):
        out = out * x + c
    return out
