"""Other data for variables, for a while: so a function of Values becomes a function of arrays."""

from collections.abc import Iterable, Iterator
from typing import Any

from .blocks import block
from .value import Value, clock


@block
def holding(variables: Iterable[Value], data: Iterable[Any]) -> Iterator[None]:
    """Variables that hold other data within a `with` block, and afterwards, whatever happens, their own again.

    The data are held as they are, not copied: so the parameters of a model become arguments of a function that `jit`
    records. Within the block a variable begins without a gradient; afterwards it has the one that it had.

    Raises
    ------
    ValueError
        If one of them is the result of an op, or if there are more of the ones than of the others.

    >>> w = Value([1.0, 2.0])
    >>> @jit
    ... def predict(data, x):
    ...     with holding([w], [data]):
    ...         return (x @ w).data
    >>> predict(np.array([3.0, 4.0]), np.eye(2)), w.data
    (array([3., 4.]), array([1., 2.]))

    What a variable holds may be a Value: then what leaves the block as `.data` has a derivative by that. So the loss of
    a model becomes a function of its parameters, for `hessian`, `hvp` and the like (in PyTorch, `functional_call`).

    >>> def loss(data):
    ...     with holding([w], [data]):
    ...         return np.sum(w**3).data
    >>> hessian(loss)(np.array([3.0, 4.0]))
    array([[18.,  0.],
           [ 0., 24.]])
    """
    pairs = list(zip(variables, data, strict=True))
    for variable, _ in pairs:
        if variable.op is not None:
            raise ValueError(f"holding takes variables, and one is the result of {variable.op.name}")
    before = [(variable, variable._held, variable.grad) for variable, _ in pairs]
    try:
        for variable, other in pairs:
            put(variable, other, None)
        yield
    finally:
        for variable, held, gradient in before:
            put(variable, held, gradient)


def put(variable: Value, data: Any, gradient: Any) -> None:
    """Give a variable data, unchecked; what was computed from it before is noticed to be out of date."""
    variable._held = data
    variable.grad = gradient
    variable.stamp = next(clock)
