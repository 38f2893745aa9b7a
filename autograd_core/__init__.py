"""Reverse-mode automatic differentiation whose graph is recorded, differentiated, drawn and explained.

>>> from autograd_core import Value
>>> x, y = Value(2.0), Value(3.0)
>>> z = x * y + np.sin(x)
>>> z.backward()
>>> x.grad == 3.0 + np.cos(2.0)
np.True_
"""

from typing import TYPE_CHECKING, Any

from . import backward, ops, pickling  # noqa: F401  they complete Value and fill the registry
from .calls import drawn_as_one
from .checkpointing import checkpoint
from .custom import primitive
from .debug import debug
from .draw import draw
from .explain.diagnosis import explain_nonfinite, why
from .explain.teaching import explain, latex
from .gradcheck import check_gradients
from .holding import holding
from .jacobians import hessian, hvp, jacobian
from .ops.activations import normal_cdf, relu, sigmoid, softplus
from .ops.matrices import affine, mean_squared_error
from .ops.primitive import log_softmax, logsumexp, softmax
from .optimize import least_squares, minimize
from .recording import no_grad
from .refusals import ELSEWHERE
from .transforms import grad, jvp, linearize, value_and_grad, vjp
from .value import Value, stop_gradient

if TYPE_CHECKING:
    from .compiler import jit, scan, to_python

__all__ = [
    "Value",
    "affine",
    "check_gradients",
    "checkpoint",
    "debug",
    "draw",
    "drawn_as_one",
    "explain",
    "explain_nonfinite",
    "grad",
    "hessian",
    "holding",
    "hvp",
    "jacobian",
    "jit",
    "jvp",
    "latex",
    "least_squares",
    "linearize",
    "log_softmax",
    "logsumexp",
    "mean_squared_error",
    "minimize",
    "no_grad",
    "normal_cdf",
    "primitive",
    "relu",
    "scan",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
    "to_python",
    "value_and_grad",
    "vjp",
    "why",
]


def __getattr__(name: str) -> Any:
    """The compiler is loaded by who uses it; what has another name elsewhere is named."""
    if name in ("jit", "scan", "to_python"):  # loading it would take as long again as all the rest
        from . import compiler

        return getattr(compiler, name)
    instead = f" ({ELSEWHERE[name]})" if name in ELSEWHERE else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{instead}", name=name)
