"""Derivatives of the Rosenbrock function: its gradient, Hessian-vector products and Hessian, against other engines."""

from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import torch
from scipy import optimize

from autograd_core import grad, hessian, hvp, linearize, value_and_grad

from .harness import Report, Target, compare, table

LARGE, SMALL = 100_000, 50
GRADIENT, PRODUCT = 4.0, 5.0
"""At most so many times the function, and so many times the gradient."""


def rosenbrock(x: Any) -> Any:
    """Σ 100 (xₖ₊₁ - xₖ²)² + (1 - xₖ)². The source is the same for every engine."""
    a, b = x[1:], x[:-1]
    return (100.0 * (a - b * b) ** 2 + (1.0 - b) ** 2).sum()


def with_autograd(x: Any) -> Any:
    """The same: HIPS autograd's boxes have no method `sum`."""
    a, b = x[1:], x[:-1]
    return anp.sum(100.0 * (a - b * b) ** 2 + (1.0 - b) ** 2)


def large() -> Report:
    """The gradient and the products in many dimensions."""
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, LARGE))
    product_of_autograd = autograd.hessian_vector_product(with_autograd)
    tx, tv = torch.from_numpy(x), torch.from_numpy(v)
    leaf = tx.clone().requires_grad_()
    _, push = linearize(grad(rosenbrock), x)
    calls: dict[str, Callable[[], Any]] = {
        "function": lambda: rosenbrock(x),
        "gradient": lambda: grad(rosenbrock)(x),
        "value and gradient": lambda: value_and_grad(rosenbrock)(x),
        "Hessian-vector product": lambda: hvp(rosenbrock, x, v),
        "a further product, `linearize(grad(f), x)`": lambda: push(v),
        "HIPS autograd: gradient": lambda: autograd.grad(with_autograd)(x),
        "HIPS autograd: product": lambda: product_of_autograd(x, v),
        "PyTorch: gradient": lambda: torch.autograd.grad(rosenbrock(leaf), leaf),
        "PyTorch: product": lambda: torch.autograd.functional.hvp(rosenbrock, tx, tv),
    }
    np.testing.assert_allclose(calls["gradient"](), optimize.rosen_der(x), rtol=1e-9, atol=1e-9)
    for name in ("Hessian-vector product", "a further product, `linearize(grad(f), x)`", "HIPS autograd: product"):
        np.testing.assert_allclose(calls[name](), optimize.rosen_hess_prod(x, v), rtol=1e-9, atol=1e-6)
    found = compare(calls, rounds=21, seconds=0.1)  # long enough to forget whose arrays were in the cache
    rows = [
        [name, f"{t.seconds * 1e3:.3f}", f"{t.ratio(found['function']):.2f}", f"{t.ratio(found['gradient']):.2f}"]
        for name, t in found.items()
    ]
    where = f"Rosenbrock in {LARGE:,} dimensions"
    gradient = found["gradient"].quartiles(found["function"])
    product = found["Hessian-vector product"].quartiles(found["gradient"])
    return Report(
        f"## {where}\n\n" + table(["what", "ms", "× function", "× gradient"], rows),
        [
            Target(f"{where}, gradient", "the function", gradient, GRADIENT),
            Target(f"{where}, Hessian-vector product", "the gradient", product, PRODUCT),
        ],
    )


def small() -> Report:
    """The Hessian in some dimensions."""
    x = np.random.default_rng(0).standard_normal(SMALL)
    tensor = torch.from_numpy(x)
    ours, autograds, compiled = hessian(rosenbrock), autograd.hessian(with_autograd), torch.func.hessian(rosenbrock)
    calls: dict[str, Callable[[], Any]] = {
        "autograd_core": lambda: ours(x),
        "HIPS autograd": lambda: autograds(x),
        "torch.autograd.functional.hessian": lambda: torch.autograd.functional.hessian(rosenbrock, tensor),
        "the same, vectorize=True": lambda: torch.autograd.functional.hessian(rosenbrock, tensor, vectorize=True),
        "torch.func.hessian": lambda: compiled(tensor),
    }
    for call in calls.values():
        np.testing.assert_allclose(call(), optimize.rosen_hess(x), rtol=1e-9, atol=1e-9)
    found = compare(calls, rounds=21)
    mine = found.pop("autograd_core")
    rows = [["autograd_core", f"{mine.seconds * 1e3:.2f}", "1.00"]]
    rows += [[name, f"{t.seconds * 1e3:.2f}", f"{t.ratio(mine):.2f}"] for name, t in found.items()]
    where = f"Hessian of Rosenbrock in {SMALL} dimensions"
    return Report(
        f"## {where}\n\n" + table(["engine", "ms", "× autograd_core"], rows),
        [Target(where, name, mine.quartiles(t), 1.0) for name, t in found.items()],
    )


def run() -> Report:
    """Both."""
    reports = [large(), small()]
    return Report("\n".join(report.text for report in reports), [t for report in reports for t in report.targets])
