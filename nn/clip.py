"""Clipping: gradients are made smaller, between `backward()` and `step()`, where they would carry too far."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Value


def clip_grad_norm(parameters: Iterable[Value], max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients together by min(1, max_norm / (‖∇‖ + 10⁻⁶)), in place; returns ‖∇‖ as it was.

    The norm is that of all gradients as one vector (`norm_type=math.inf`: its largest element). As in PyTorch; Pascanu,
    Mikolov, Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013, algorithm 1.

    Raises
    ------
    ValueError
        If `max_norm` or `norm_type` is not positive.
    FloatingPointError
        If the norm is infinite or NaN. The gradients are then as they were.

    >>> w = Value([0.0, 0.0])
    >>> w.grad = np.array([3.0, 4.0])
    >>> clip_grad_norm([w], max_norm=1.0)
    5.0
    >>> w.grad.round(6)
    array([0.6, 0.8])
    """
    if not max_norm > 0 or not norm_type > 0:
        raise ValueError(f"clip_grad_norm: max_norm={max_norm} and norm_type={norm_type} are positive numbers")
    found = with_gradients(parameters)
    gradients = [p.grad for p in found]
    with np.errstate(over="ignore"):
        norm = norm_of(gradients, norm_type)
    if not math.isfinite(norm) and math.isfinite(largest := norm_of(gradients, math.inf)):  # only the squares overflow
        norm = largest * norm_of([g / largest for g in gradients], norm_type)
    if not math.isfinite(norm):
        raise FloatingPointError(
            f"clip_grad_norm: the norm of the gradients is {norm}; explain_nonfinite(loss) finds where it began"
        )
    factor = float(shrinking(norm, max_norm))
    if factor < 1:
        for p in found:
            p.grad *= factor
    return norm


def norm_of(gradients: Iterable[Any], norm_type: float) -> float:
    """The norm of all of them as one vector."""
    norms = [float(np.linalg.norm(np.ravel(g), norm_type)) for g in gradients]
    return float(np.linalg.norm(norms, norm_type)) if norms else 0.0


def shrinking(norm: Any, max_norm: float) -> Any:
    """The factor by which gradients of this norm are scaled, min(1, max_norm / (norm + 10⁻⁶))."""
    return np.minimum(max_norm / (norm + 1e-6), 1.0)


def clip_grad_value(parameters: Iterable[Value], clip_value: float) -> None:
    """Bound every element of the gradients by ±clip_value, in place.

    Raises
    ------
    ValueError
        If `clip_value` is not positive.

    >>> w = Value([0.0, 0.0])
    >>> w.grad = np.array([3.0, -0.5])
    >>> clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    if not clip_value > 0:
        raise ValueError(f"clip_grad_value: clip_value={clip_value} is a positive number")
    for p in with_gradients(parameters):
        if isinstance(p.grad, np.ndarray):
            np.clip(p.grad, -clip_value, clip_value, out=p.grad)
        else:
            p.grad = type(p.grad)(min(max(p.grad, -clip_value), clip_value))


def with_gradients(parameters: Iterable[Value]) -> list[Value]:
    """The parameters that have a gradient, or a TypeError for a model in place of its parameters."""
    if hasattr(parameters, "parameters") or isinstance(parameters, Value):
        raise TypeError(f"give a list of parameters, such as model.parameters(), not a {type(parameters).__name__}")
    return [p for p in parameters if p.grad is not None]
