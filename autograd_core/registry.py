"""The table of all ops: by name, and by the NumPy function that each of them differentiates."""

from collections.abc import Callable
from typing import Any

import numpy as np

OPS: dict[str, Any] = {}
"""Every op by its name, in the order of declaration; the ops' tests, drawings and documentation are read from it."""

BY_NUMPY: dict[Callable[..., Any], Any] = {}
"""NumPy's function or ufunc -> what computes and records it when a Value is among its arguments."""

FULL: dict[str, Callable[..., Any]] = {}
"""An op by its name -> the function that has more of NumPy's settings than the op itself; see `ops/reductions.py`."""

LATE = {"numpy.fft": ".ops.fft", "scipy.special": ".ops.special"}
"""Packages that only who uses them loads -> where the ops of their functions are declared, once they are loaded."""


def full_name(function: Any) -> str:
    """What a user writes for a function of NumPy or SciPy."""
    written: str = getattr(function, "__name__", str(function))
    if written.endswith(" (vectorized)"):
        return f"np.frompyfunc({written.removesuffix(' (vectorized)')}, ...)"
    module = getattr(function, "__module__", None) or ""
    if not module and written not in vars(np):  # a ufunc does not say; those that are not NumPy's are SciPy's
        module = "scipy.special"
    module, _, rest = module.partition(".")
    return ".".join(filter(None, ("np" if module in ("numpy", "") else module, rest, written.lstrip("_"))))


WRITERS = {
    **dict.fromkeys(("put", "putmask", "place", "put_along_axis"), "np.where(mask, y, v), or v.at[index].set(y)"),
    "copyto": "np.broadcast_to(v, shape) for np.full_like(a, v), or np.where(mask, v, a)",
    "fill_diagonal": "np.where(np.eye(len(v), dtype=bool), y, v)",
    **{name: f"np.{name}(file, v.data), or pickle.dump(v, file), which keeps the graph"
       for name in ("save", "savez", "savez_compressed", "savetxt")},
}  # fmt: skip
"""What to write instead of functions that write plain data."""


def missing(function: Any) -> TypeError:
    """The error for a NumPy function without a rule: it names the function, its nearest neighbours and the way out."""
    import difflib  # only an error needs it

    name = full_name(function)
    if instead := WRITERS.get(name.removeprefix("np.")):
        return TypeError(f"{name} writes plain data, without gradients: write {instead}")
    known = {full_name(f).rpartition(".")[2]: full_name(f) for f in BY_NUMPY}
    near = difflib.get_close_matches(name.rpartition(".")[2], known, n=3)
    hint = f" The nearest that are: {', '.join(known[n] for n in near)}." if near else ""
    return TypeError(
        f"{name} is not differentiable here: no op is declared for it.{hint} "
        "For plain data write v.data; to add it, see 'How to add an op' in CONTRIBUTING.md."
    )
