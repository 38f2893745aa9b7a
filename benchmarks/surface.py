"""How many functions of NumPy and SciPy can be called on variables, with a right gradient: each one is tried.

A function is one that hands over to its arguments: a ufunc, or one that NumPy dispatches. It is called with the first
arguments of a table that NumPy accepts. Where the result depends on them, the gradient has to be that of central
differences; where it does not (comparisons, indices), a result without one is right. Where there is a gradient, a
result with another, or without any, is silently wrong.
"""

import functools
import inspect
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import mygrad
import numpy as np
import scipy.special

from autograd_core import grad
from autograd_core.value import plain

from .harness import Report, Target, table

RIGHT, PLAIN, WRONG, REFUSED = "gradient", "plain result", "silently wrong", "refused"
STEP = 1e-6

P = np.array([0.31, 0.72, 0.43, 0.58])
Q = np.array([0.27, 0.66, 0.81, 0.39])
M = np.array([[2.1, 0.3, 0.5], [0.4, 1.7, 0.2], [0.6, 0.1, 2.6]])
N = np.array([[0.7, 0.2, 0.9], [0.3, 1.1, 0.4], [0.8, 0.5, 0.6]])
S = M @ M.T
ORDER = np.array([1, 2, 1, 2])
MASK = np.array([True, False, True, True])

GENERIC: list[tuple[Any, ...]] = [
    (P,), (1 + P,), (M,), (P, Q), (M, N), (P, Q, 0.45), (1.0 + P, P, Q + 2.0), ([P, Q],), (P, 2), (M, 1), (P, ORDER),
    (ORDER, P), (P, 0, 0), (M, 0, 1), (ORDER, ORDER, P), (ORDER, ORDER, P, Q), (P, Q, P + Q, Q / 2),
    (ORDER, P, Q), (P, Q, 1 + P, 0.3), (ORDER, ORDER, ORDER, P), (ORDER, P, Q, 1 + P), (P, (2, 2)), (M, N[0]),
    (1.5, 3), (3.5, 0.4, P),
]  # fmt: skip
"""Arguments that are tried in turn."""

OF_ITS_OWN: dict[str, tuple[Any, ...]] = {
    "apply_along_axis": (np.sum, 0, M), "apply_over_axes": (np.sum, M, (0,)), "block": ([[M, N]],),
    "broadcast_arrays": (P, M[:, :1]), "broadcast_to": (P, (2, 4)), "choose": (ORDER - 1, [P, Q]),
    "cholesky": (S,), "clip": (P, 0.35, 0.65), "compress": (MASK, P), "copyto": (), "cross": (M[0], N[0]),
    "delete": (P, 1), "digitize": (P, np.array([0.4, 0.6])), "eigh": (S,), "eigvalsh": (S,),
    "einsum": ("ij,jk->ik", M, N), "einsum_path": ("ij,jk->ik", M, N), "expand_dims": (P, 0),
    "extract": (MASK, P), "fill_diagonal": (), "flip": (M,), "full_like": (P, 2.0), "insert": (P, 1, 0.5),
    "interp": (P, np.array([0.0, 0.5, 1.0]), np.array([1.0, 3.0, 2.0])), "isin": (P, Q), "ix_": (ORDER, ORDER),
    "lexsort": ((P, Q),), "linspace": (0.5, 1.5, 5), "logspace": (0.5, 1.5, 5), "geomspace": (0.5, 1.5, 5),
    "matrix_power": (M, 3), "moveaxis": (M, 0, 1), "nan_to_num": (P,), "pad": (P, 2), "percentile": (P, 40.0),
    "quantile": (P, 0.4), "nanpercentile": (P, 40.0), "nanquantile": (P, 0.4), "partition": (P, 2),
    "piecewise": (P, [P < 0.5, P >= 0.5], [1.0, 2.0]), "place": (), "polyfit": (P, Q, 1), "polyval": (P, Q),
    "put": (), "put_along_axis": (), "putmask": (), "repeat": (P, 2), "reshape": (M, (1, 9)), "resize": (P, (6,)),
    "roll": (P, 1), "rollaxis": (M, 1), "rot90": (M,), "select": ([P < 0.5, P >= 0.5], [P, Q]), "split": (P, 2),
    "array_split": (P, 2), "hsplit": (P, 2), "vsplit": (M, 3), "dsplit": (M.reshape(1, 3, 3), 3), "stack": ([P, Q],),
    "swapaxes": (M, 0, 1), "take": (P, ORDER), "take_along_axis": (P, ORDER, 0), "tensordot": (M, N, 1),
    "tensorinv": (M, 1), "tensorsolve": (M, P[:3]), "tile": (P, 2), "trapezoid": (P,), "unwrap": (5 * P,),
    "unravel_index": (), "vander": (P,), "where": (MASK, P, Q), "multi_dot": ([M, N, M],), "solve": (M, P[:3]),
    "lstsq": (M, P[:3]), "concatenate": ([P, Q],), "full": (), "in1d": (P, Q), "convolve": (P, Q), "ldexp": (P, ORDER),
    "searchsorted": (np.sort(P), Q), "transpose": (M,), "column_stack": ([P, Q],), "dstack": ([P, Q],),
    "hstack": ([P, Q],), "vstack": ([P, Q],), "tril": (M,), "triu": (M,), "diag": (P,), "diagflat": (P,),
    "argpartition": (P, 2), "squeeze": (M[None],), "permute_dims": (M,), "matrix_transpose": (M,), "vecdot": (P, Q),
    "matvec": (M, P[:3]), "vecmat": (P[:3], M), "gradient": (P,), "histogram": (P, 3), "bincount": (ORDER, P),
    "arctan2": (P, Q), "heaviside": (P, 0.5), "cov": (M,), "corrcoef": (M,), "average": (P,), "diff": (P,),
    "ediff1d": (P,),
}  # fmt: skip
"""Arguments of functions that would not get good ones from the list; () leaves a function out."""

NO_MATHEMATICS = frozenset(
    ("save", "savez", "savez_compressed", "savetxt", "copyto", "fill_diagonal", "put", "putmask", "place",
     "array2string", "array_repr", "array_str", "put_along_axis", "busday_count", "busday_offset", "is_busday",
     "datetime_as_string", "einsum_path", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray",
     "asfortranarray", "require", "unravel_index", "ravel_multi_index", "may_share_memory", "shares_memory",
     "empty_like")
)  # fmt: skip

SYMMETRIC = frozenset(("cholesky", "eigh", "eigvalsh"))
"""They read one triangle, so their gradient is one for symmetric matrices."""


def namespaces() -> dict[str, tuple[Any, Callable[[Any], bool]]]:
    """The namespaces, and which of their functions count."""
    dispatcher = type(np.sum)
    dispatched = lambda f: isinstance(f, (np.ufunc, dispatcher))
    return {
        "numpy": (np, dispatched),
        "numpy.linalg": (np.linalg, dispatched),
        "numpy.fft": (np.fft, dispatched),
        "scipy.special": (scipy.special, lambda f: isinstance(f, np.ufunc)),
    }


def functions(module: Any, counts: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """The functions of a namespace, each once."""
    seen = set()
    for name in sorted(dir(module)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = getattr(module, name)
        if counts(function) and not name.startswith("_") and name not in NO_MATHEMATICS and id(function) not in seen:
            seen.add(id(function))
            yield name, function


# One function ---------------------------------------------------------------------------------------------------------


def of_symmetric(function: Any) -> Any:
    """A function of the symmetric part of a matrix."""
    return lambda x: function((x + x.T) / 2)


def arguments(name: str, function: Any) -> tuple[Any, ...] | None:
    """The first arguments that NumPy accepts, and answers with finite numbers."""
    for args in [OF_ITS_OWN[name]] if name in OF_ITS_OWN else GENERIC:
        if isinstance(function, np.ufunc) and len(args) != function.nin:
            continue
        try:
            found = flat(function(*args))
        except Exception:
            continue
        if args and found and all(np.all(np.isfinite(y)) for y in found):
            return args
    return None


def flat(out: Any) -> list[Any]:
    """The arrays in a result."""
    if isinstance(out, (list, tuple)):
        return [y for part in out for y in flat(part)]
    return [out] if np.asarray(out).dtype.kind in "biufc" else []


def variables(args: tuple[Any, ...]) -> list[tuple[int, ...]]:
    """The places of the arrays of floats among the arguments, also in lists."""
    found: list[tuple[int, ...]] = []
    for k, x in enumerate(args):
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            found.append((k,))
        elif isinstance(x, list):
            found += [(k, j) for j, y in enumerate(x) if isinstance(y, np.ndarray) and y.dtype.kind == "f"]
        elif isinstance(x, float):
            found.append((k,))
    return found


def at(args: tuple[Any, ...], place: tuple[int, ...], x: Any) -> list[Any]:
    """The arguments with another one at a place."""
    changed = [list(arg) if isinstance(arg, list) else arg for arg in args]
    if len(place) == 1:
        changed[place[0]] = x
    else:
        changed[place[0]][place[1]] = x
    return changed


def total(xp: Any, function: Any, args: list[Any]) -> Any:
    """A number that depends on every element of a result."""
    out, result = function(*args), 0.0
    pending, parts = [out], []
    while pending:
        y = pending.pop(0)
        if isinstance(y, (list, tuple)):
            pending = [*y, *pending]
        else:
            parts.append(y)
    for y in parts:
        weights = 1.0 + np.arange(np.size(data_of(y))).reshape(np.shape(data_of(y))) / 7.0
        if np.iscomplexobj(data_of(y)):
            result = result + xp.sum(weights * xp.real(y)) - xp.sum(weights**2 * xp.imag(y))
        elif np.asarray(data_of(y)).dtype.kind == "f":
            result = result + xp.sum(weights * y)
    return result


def data_of(y: Any) -> Any:
    """The plain data of any engine's variable."""
    return y.data if isinstance(y, mygrad.Tensor) else getattr(y, "_value", plain(y))


def differences(function: Any, args: tuple[Any, ...], place: tuple[int, ...]) -> Any:
    """The gradient by central differences."""
    x = np.asarray(functools.reduce(lambda part, k: part[k], place, args), float)
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        h = np.zeros(x.shape)
        h[index] = STEP
        up, down = (total(np, function, at(args, place, (x + s * h)[()])) for s in (1, -1))
        found[index] = (up - down) / (2 * STEP)
    return found


# Engines: the gradient of `total` at one place ------------------------------------------------------------------------


def ours(name: str, space: str, function: Any, args: tuple[Any, ...], place: tuple[int, ...]) -> Any:
    x = functools.reduce(lambda part, k: part[k], place, args)
    return grad(lambda v: total(np, function, at(args, place, v)))(x)


def of_autograd(name: str, space: str, function: Any, args: tuple[Any, ...], place: tuple[int, ...]) -> Any:
    """Its users call the functions of `autograd.numpy`."""
    module = asp if space == "scipy.special" else functools.reduce(getattr, space.split(".")[1:], anp)
    wrapped = getattr(module, name)
    wrapped = of_symmetric(wrapped) if name in SYMMETRIC else wrapped
    x = functools.reduce(lambda part, k: part[k], place, args)
    return autograd.grad(lambda v: total(anp, wrapped, at(args, place, v)))(x)


def of_mygrad(name: str, space: str, function: Any, args: tuple[Any, ...], place: tuple[int, ...]) -> Any:
    """Its users call NumPy's functions, or those of `mygrad`."""
    home = functools.reduce(lambda part, key: getattr(part, key, None), space.split(".")[1:], mygrad)
    if space == "scipy.special" or name in SYMMETRIC:
        home = None
    x = mygrad.tensor(functools.reduce(lambda part, k: part[k], place, args), dtype=float)
    result = total(mygrad, getattr(home, name, function), at(args, place, x))
    if not isinstance(result, mygrad.Tensor):
        return np.zeros(x.shape)
    result.backward()
    return np.zeros(x.shape) if x.grad is None else x.grad


ENGINES = {"autograd_core": ours, "HIPS autograd": of_autograd, "MyGrad": of_mygrad}


def verdict(engine: Any, name: str, space: str, function: Any, args: tuple[Any, ...], expected: dict[Any, Any]) -> str:
    """What becomes of a function: right with respect to one argument at least, and wrong for none."""
    found = set()
    for place, numeric in expected.items():
        try:
            gradient = engine(name, space, function, args, place)
        except Exception:
            found.add(REFUSED)
            continue
        close = np.shape(gradient) == np.shape(numeric) and np.allclose(gradient, numeric, rtol=1e-4, atol=1e-6)
        found.add((RIGHT if np.any(np.abs(numeric) > 1e-9) else PLAIN) if close else WRONG)
    return next((kind for kind in (WRONG, RIGHT, PLAIN) if kind in found), REFUSED)


def survey() -> dict[str, dict[str, dict[str, str]]]:
    """Namespace, engine, function: what becomes of it."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for space, (module, counts) in namespaces().items():
        found[space] = {engine: {} for engine in ENGINES}
        for name, function in functions(module, counts):
            args = arguments(name, function)
            if args is None or not variables(args):
                continue
            if name in SYMMETRIC:
                function = of_symmetric(function)
            try:
                expected = {place: differences(function, args, place) for place in variables(args)}
            except Exception:
                continue
            for engine, call in ENGINES.items():
                found[space][engine][name] = verdict(call, name, space, function, args, expected)
    return found


def run() -> Report:
    """Try everything."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = survey()
    rows, callable_ = [], Counter[str]()
    for space, engines in found.items():
        cells = []
        for engine, verdicts in engines.items():
            tally = Counter(verdicts.values())
            callable_[engine] += tally[RIGHT] + tally[PLAIN]
            silent = f", {tally[WRONG]} silently wrong" if tally[WRONG] else ""
            cells.append(f"{tally[RIGHT] + tally[PLAIN]} ({tally[RIGHT]} with a gradient{silent})")
        rows.append([f"`{space}`", str(len(engines["autograd_core"])), *cells])
    rows.append(["all", str(sum(int(row[1]) for row in rows)), *[str(callable_[engine]) for engine in ENGINES]])
    missing = [
        f"`{space}`: " + ", ".join(names)
        for space, engines in found.items()
        if (names := [name for name, kind in engines["autograd_core"].items() if kind in (REFUSED, WRONG)])
    ]
    wrong = [
        f"{engine}: " + ", ".join(f"`{name}`" for name in names)
        for engine in ENGINES
        if (names := [name for engines in found.values() for name, kind in engines[engine].items() if kind == WRONG])
    ]
    text = (
        "## Functions that can be called on a variable\n\n"
        + table(["namespace", "tried", *ENGINES], rows)
        + f"\n{inspect.cleandoc(__doc__ or '').partition(chr(10) * 2)[2]}\n\nSilently wrong, of "
        + "; of ".join(wrong)
        + ".\n\nNot to be called on a `Value`, of "
        + "; of ".join(missing)
        + ".\n"
    )  # fmt: skip
    others = max(callable_["HIPS autograd"], callable_["MyGrad"])
    share = others / max(callable_["autograd_core"], 1)
    return Report(text, [Target("functions that can be called", "the larger of the others", share * 100, 100, "%")])
