"""The table of all ops: by name, and by the NumPy function that each of them differentiates."""

from collections.abc import Callable
from typing import Any

import numpy as np

OPS: dict[str, Any] = {}
"""Every op by its name, in the order of declaration; the ops' tests, drawings and documentation are read from it."""

BY_NUMPY: dict[Callable[..., Any], Any] = {}
"""NumPy's function or ufunc -> what computes and records it when a Value is among its arguments."""


def full_name(function: Any) -> str:
    """What a user writes for a function of NumPy or SciPy."""
    written: str = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or ""
    if not module and written not in vars(np):  # a ufunc does not say; those that are not NumPy's are SciPy's
        module = "scipy.special"
    module, _, rest = module.partition(".")
    return ".".join(filter(None, ("np" if module in ("numpy", "") else module, rest, written.lstrip("_"))))


def missing(function: Any) -> TypeError:
    """The error for a NumPy function without a rule: it names the function, its nearest neighbours and the way out."""
    import difflib  # only an error needs it

    name = full_name(function)
    known = {full_name(f).rpartition(".")[2]: full_name(f) for f in BY_NUMPY}
    near = difflib.get_close_matches(name.rpartition(".")[2], known, n=3)
    hint = f" The nearest that are: {', '.join(known[n] for n in near)}." if near else ""
    return TypeError(
        f"{name} is not differentiable here: no op is declared for it.{hint} "
        "For plain data write v.data; to add it, see 'How to add an op' in CONTRIBUTING.md."
    )
