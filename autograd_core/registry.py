"""The table of all ops: by name, and by the NumPy function that each of them differentiates."""

from collections.abc import Callable
from typing import Any

OPS: dict[str, Any] = {}
"""Every op by its name, in the order of declaration; the ops' tests, drawings and documentation are read from it."""

BY_NUMPY: dict[Callable[..., Any], Any] = {}
"""NumPy's function or ufunc -> what computes and records it when a Value is among its arguments."""


def missing(function: Any) -> TypeError:
    """The error for a NumPy function without a rule: it names the function, its nearest neighbours and the way out."""
    import difflib  # only an error needs it

    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or "numpy"
    near = difflib.get_close_matches(name, [getattr(f, "__name__", "") for f in BY_NUMPY], n=3)
    hint = f" The nearest that are: {', '.join('np.' + n for n in near)}." if near else ""
    return TypeError(
        f"{module}.{name} is not differentiable here: no op is declared for it.{hint} "
        "For plain data write v.data; to add it, see 'How to add an op' in CONTRIBUTING.md."
    )
