"""What would drop a gradient silently is refused, and the error says what to write instead.

Python and NumPy convert on their own: `math.exp(v)` asks for a float, `a[0] = v` and `np.array([v, w])` for an array.
The result would be a plain number with no memory of where it came from, and its derivative zero.
"""

import sys
from typing import Any

import numpy as np

from .registry import BY_NUMPY

OF_SCIPY = {
    "logsumexp": "autograd_core.logsumexp(x, axis)",
    "softmax": "autograd_core.softmax(x, axis)",
    "log_softmax": "autograd_core.log_softmax(x, axis)",
    "polygamma": "(-1.0) ** (n + 1) * math.factorial(n) * scipy.special.zeta(n + 1, x), or of n = 0 digamma(x)",
    "multigammaln": "d * (d - 1) / 4 * np.log(np.pi) + np.sum(scipy.special.gammaln(a - np.arange(d) / 2))",
    "factorial": "scipy.special.gamma(n + 1)",
    "comb": "scipy.special.binom(n, k)",
    **{
        name: f"np.linalg.{name}(...)"
        for name in ("solve", "inv", "pinv", "det", "norm", "eig", "eigh", "eigvals", "eigvalsh", "cholesky", "qr",
                     "svd", "svdvals", "lstsq")
    },
    **{name: f"np.{name}(...)" for name in ("convolve", "correlate", "trapezoid")},
    **dict.fromkeys(("fftconvolve", "oaconvolve"), "np.convolve(a, v, mode)"),
    "cumulative_trapezoid": "np.cumsum((y[1:] + y[:-1]) / 2 * dx)",
    "solve_triangular": "np.linalg.solve(np.triu(a), b), or np.tril(a) if lower=True",
    "cho_factor": "np.linalg.cholesky(a), which is the lower factor",
    "cho_solve": "np.linalg.solve(c @ c.T, b), of the lower factor c",
    "expm": "v * np.exp(w) @ np.linalg.inv(v), with w, v = np.linalg.eig(a)",
    "block_diag": "np.block([[a, zeros], [zeros, b]])",
    "toeplitz": "c[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]",
    "cdist": "np.linalg.norm(x[:, None] - y, axis=-1)",
    "pdist": "np.linalg.norm(x[i] - x[j], axis=-1), with i, j = np.triu_indices(len(x), 1)",
    **dict.fromkeys(("quad", "fixed_quad"), "weights @ f(nodes), with nodes and weights of numpy.polynomial.legendre"),
    **dict.fromkeys(("odeint", "solve_ivp"), "the steps of a method, such as Runge and Kutta's, as a loop"),
    **dict.fromkeys(
        ("root", "root_scalar", "brentq", "newton", "fsolve"),
        "x = root(v.data) and then x - np.linalg.solve(J, f(x, v)), with the Jacobian J of f at the plain root x, "
        "which has the root's derivative",
    ),
    "norm.pdf": "np.exp(-(((x - loc) / scale) ** 2) / 2) / (scale * np.sqrt(2 * np.pi))",
    "norm.logpdf": "-(((x - loc) / scale) ** 2) / 2 - np.log(scale * np.sqrt(2 * np.pi))",
    "norm.cdf": "scipy.special.ndtr((x - loc) / scale)",
    "norm.logcdf": "scipy.special.log_ndtr((x - loc) / scale)",
    "norm.sf": "scipy.special.ndtr((loc - x) / scale)",
    "norm.logsf": "scipy.special.log_ndtr((loc - x) / scale)",
    "multivariate_normal.logpdf":
        "-((x - mean) @ np.linalg.solve(cov, x - mean) + np.linalg.slogdet(2 * np.pi * cov)[1]) / 2",
    "t.logpdf": "scipy.special.gammaln((df + 1) / 2) - scipy.special.gammaln(df / 2) - np.log(df * np.pi) / 2 "
                "- (df + 1) / 2 * np.log1p(x**2 / df)",
    "t.cdf": "scipy.special.stdtr(df, x)",
    "gamma.logpdf": "scipy.special.xlogy(a - 1, x) - x - scipy.special.gammaln(a)",
    "gamma.cdf": "scipy.special.gammainc(a, x)",
    "beta.logpdf": "scipy.special.xlogy(a - 1, x) + scipy.special.xlog1py(b - 1, -x) - scipy.special.betaln(a, b)",
    "beta.cdf": "scipy.special.betainc(a, b, x)",
    "chi2.logpdf": "scipy.special.xlogy(df / 2 - 1, x) - x / 2 - scipy.special.gammaln(df / 2) - df / 2 * np.log(2)",
    "chi2.cdf": "scipy.special.chdtr(df, x)",
    "poisson.logpmf": "scipy.special.xlogy(k, mu) - mu - scipy.special.gammaln(k + 1)",
    "poisson.cdf": "scipy.special.pdtr(k, mu)",
    **{
        f"{half}{name}": f"np.fft.{half}{name}(...)"
        for half in ("", "r", "i", "ir") for name in ("fft", "fft2", "fftn")
    },
}  # fmt: skip
"""What to write instead of a function of SciPy that is not a ufunc, and so does not hand over to its arguments."""

OF_NUMPY = {
    "vectorize.__call__": ("np.vectorize", "np.stack([f(x) for x in v])"),
    "AxisConcatenator.__getitem__": ("np.r_ or np.c_", "np.concatenate([v, w]), or np.column_stack([v, w])"),
    "full": ("np.full", "np.broadcast_to(v, shape)"),
    "select": ("np.select, if only its default is one,", "np.where(condition, choice, v)"),
    "ndenumerate.__init__": ("np.ndenumerate", "for i in np.ndindex(v.shape): ... v[i]"),
    "polynomial.ABCPolyBase.__init__": ("a class of np.polynomial", "polyvander(x, n) @ v, of plain points x"),
    "polynomial.polyval": ("np.polynomial.polynomial.polyval", "np.polyval(v[::-1], x)"),
    **{
        f"polynomial.{name}val": (f"np.polynomial's {name}val", f"{name}vander(x, n) @ v, of plain points x")
        for name in ("cheb", "leg", "lag", "herm", "herme")
    },
}  # fmt: skip
"""What to write instead of functions of NumPy, written in Python, that do not hand over to their arguments."""

IN_PLACE = {
    "sort": "it is not written into: write np.sort(v)",
    "partition": "it is not written into: write np.partition(v, kth)",
    "fill": "it is not written into: write np.full_like(v, x)",
    "put": "it is not written into: write v.at[index].set(x)",
    "resize": "it is not written into: write np.resize(v, shape)",
    "view": "write v.reshape(shape), v.astype(dtype) for another dtype, or v.data.view(dtype) for its bytes",
    "detach": "write v.data, or stop_gradient(v), for a constant",
    **dict.fromkeys(("numpy", "cpu"), "write v.data"),
    **dict.fromkeys(("to", "float", "double", "half"), "write v.astype(dtype)"),
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "zero_", "fill_", "copy_", "clamp_"),
                    "it is not written into: write v = v + x and the like, or assign to v.data, if it is a variable"),
    "grad_fn": "v.op is what it was computed by, from v.inputs",
    "is_leaf": "write v.op is None",
    "retain_grad": "results keep their gradients, too: v.grad is there after backward()",
    "register_hook": "change v.grad after backward(), or write a rule of your own with @primitive",
    "contiguous": "leave it out",
    "chunk": "write np.array_split(v, n, axis)",
    "unbind": "write list(v), or list(np.moveaxis(v, axis, 0))",
    "numel": "write v.size",
    "dim": "write v.ndim",
    "unsqueeze": "write np.expand_dims(v, axis)",
    "permute": "write np.transpose(v, axes)",
    "clone": "write v.copy()",
    "clamp": "write v.clip(min, max)",
    "expand": "write np.broadcast_to(v, shape)",
    "masked_fill": "write np.where(mask, x, v)",
    "gather": "write np.take_along_axis(v, indices, axis)",
    "index_select": "write np.take(v, indices, axis)",
    "norm": "write np.linalg.norm(v)",
    "t": "write v.T",
    **dict.fromkeys(("mm", "bmm", "mv"), "write v @ w"),
    **{name: f"write autograd_core.{name}(v)" for name in ("log_softmax", "logsumexp", "softplus")},
    **dict.fromkeys(("zero_grad", "null_grad", "null_gradients"), "write v.grad = None"),
    **dict.fromkeys(("requires_grad_", "requires_grad", "constant"),
                    "every Value is a variable, and plain data are constants"),
    **{
        name: f"write np.{name}(v, ...)"
        for name in ("abs", "pow", "matmul", "outer", "where", "sign", "floor", "ceil", "isnan", "log1p", "expm1",
                     "tan", "maximum", "minimum", "moveaxis", "flip", "roll", "tile", "split", "diag", "tril", "triu")
    },
}  # fmt: skip
"""What to write instead of methods of ndarray that write into it, and of PyTorch's and MyGrad's that are functions or
spelled otherwise here."""


ELSEWHERE = {
    "vmap": "write the function for arrays with one axis more, or scan over the first axis; the gradients of many "
            "losses are jacobian(losses), or grad(lambda x: np.sum(f(x))) if each depends on its own x",
    **dict.fromkeys(("elementwise_grad", "egrad"), "write grad(lambda x: np.sum(f(x)))"),
    "jacfwd": 'write jacobian(f, mode="forward")',
    "jacrev": 'write jacobian(f, mode="reverse")',
    "holomorphic_grad": "write jacobian(f)",
    "hessian_vector_product": "write hvp(f, x, v)",
    "make_vjp": "write value, pullback = vjp(f, x)",
    "make_jvp": "write value, tangent = jvp(f, (x,), (t,))",
    **dict.fromkeys(("custom_vjp", "defvjp", "Function"), "write @primitive(pullback=...)"),
    **dict.fromkeys(("custom_jvp", "defjvp"), "write @primitive(pushforward=...)"),
    **dict.fromkeys(("fori_loop", "while_loop", "lax"), "write scan(step, carry, length=n), count= for fewer"),
    **dict.fromkeys(("cond", "switch"), "write np.where, or np.select"),
    "map": "write scan(lambda c, x: (c, f(x)), 0.0, xs)[1]",
    "remat": "write checkpoint(f)",
    "make_jaxpr": "write jit(f).program(*args).explain()",
    "check_grads": "write check_gradients(f, x)",
    **dict.fromkeys(("tensor", "Tensor", "Variable"), "write Value(x)"),
    "numpy": "NumPy's own functions take Values: import numpy as np",
}  # fmt: skip
"""What users of JAX, HIPS autograd and PyTorch look for by another name."""


def function_of_scipy() -> tuple[str, str] | None:
    """The package and the name of the function of SciPy that is making a plain array or number now, if one is."""
    found = None
    frame = sys._getframe(3)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("scipy", "numpy"):
        module, name = frame.f_globals["__name__"], frame.f_code.co_name
        if "wrapper" in name:  # what a decorator made knows the function
            for x in frame.f_locals.values():
                if (getattr(x, "__module__", None) or "").startswith("scipy.") and hasattr(x, "__name__"):
                    module, name = x.__module__, x.__name__
                    break
        parts = module.split(".")
        if parts[0] == "scipy" and parts[1] != "_lib" and not name.startswith(("_", "<")):
            of = f"{distribution(frame.f_locals['self'])}." if parts[1] == "stats" and "self" in frame.f_locals else ""
            found = f"scipy.{parts[1]}", of + name
        frame = frame.f_back  # type: ignore[assignment]
    return found  # whatever called that is the user's own, also where SciPy calls it back


def function_of_numpy() -> tuple[str, str] | None:
    """The function of NumPy, written in Python, that is making a plain array now, if one is, and what to write instead.
    If it is one that hands over to its arguments, Values came in a list.
    """
    name = ""
    frame = sys._getframe(3)
    while frame is not None and (module := frame.f_globals.get("__name__", "")).startswith("numpy."):
        name = ("polynomial." if module.startswith("numpy.polynomial.") else "") + frame.f_code.co_qualname
        frame = frame.f_back  # type: ignore[assignment]
    if name not in OF_NUMPY and getattr(np, name, None) in BY_NUMPY:
        return f"np.{name} of a list", f"np.{name}(np.stack([v, w]))"
    return OF_NUMPY.get(name)


def distribution(owner: Any) -> str:
    """What scipy.stats calls a distribution, be it as it is or with fixed parameters."""
    kind = getattr(owner, "dist", owner)
    return getattr(kind, "name", None) or type(kind).__name__.removesuffix("_gen").removesuffix("_frozen")


def refused(otherwise: str) -> TypeError:
    """The error for a conversion; one that SciPy or NumPy asked for says what to write instead of their function."""
    function = function_of_scipy()
    if function is None:
        if called := function_of_numpy():
            otherwise = f"{called[0]} makes a plain array of a Value, which would lose its gradient: write {called[1]}"
        return TypeError(otherwise)
    package, name = function
    instead = OF_SCIPY.get(name)
    write = f"write {instead}" if instead else (
        "write it with functions of NumPy, or give it a rule: @autograd_core.primitive(pullback=...)"
    )  # fmt: skip
    return TypeError(
        f"{package}.{name} makes a plain array of a Value, which would lose its gradient, for SciPy hands over to "
        f"Values only in the ufuncs of scipy.special: {write}; or pass v.data for plain results"
    )


class Refusals:
    """The conversions and assignments that a Value does not take part in."""

    __slots__ = ()

    _held: Any

    def __init_subclass__(cls) -> None:
        if Refusals not in cls.__bases__:
            raise TypeError(
                "a Value is not subclassed, for the engine knows its nodes by their type: keep it in an attribute"
            )

    def __float__(self) -> float:
        raise refused(
            "float(v) and math functions would drop the gradient of a Value: write np.exp(v) instead of math.exp(v), "
            "np.stack of all items instead of out[i] = v, or v.item() for the plain number"
        )

    def __int__(self) -> int:
        raise TypeError("int(v) would drop the gradient of a Value: write int(v.item()) for the plain number")

    def __complex__(self) -> complex:
        raise TypeError("complex(v) would drop the gradient of a Value: write v.item() for the plain number")

    def __index__(self) -> int:
        raise TypeError("a Value is no index or count, for it is continuous: write int(v.item())")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if sys._getframe(1).f_globals.get("__name__", "").startswith("numpy.testing"):
            return np.asarray(self._held, dtype)  # its functions compare and keep nothing, as np.allclose(v, w) does
        raise refused(
            "a Value in a plain array would lose its gradient: write v.data for its data, np.stack([v, w]) instead of "
            "np.array([v, w]), a new array instead of out[i] = v, and a @ v instead of a.dot(v) of a plain array a"
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a Value is not written into, or its graph would no longer be true: write v = v.at[i].set(x), which gives "
            "a new Value, or np.where(mask, x, v)"
        )


def refusing(name: str, instead: str) -> property:
    """An attribute that a Value does not have: who asks is told what to write instead. It is a property, and there is
    no `__getattr__`, with which Python would read all other attributes more slowly: a training step took 7 % longer.
    """

    def refuse(self: Any) -> Any:
        raise AttributeError(f"a Value has no attribute {name!r} ({instead})", name=name, obj=self)

    return property(refuse)


for name, instead in IN_PLACE.items():
    setattr(Refusals, name, refusing(name, instead))
