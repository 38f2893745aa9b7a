"""Training on all data at once, by the optimisers of SciPy: quasi-Newton methods and conjugate gradients."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_core import Value, minimize, primitive

from .aliases import Array
from .optim import leaves


def minimize_loss(
    loss: Callable[[], Any], parameters: Iterable[Value], *, method: str = "L-BFGS-B", **settings: Any
) -> Any:
    """Change parameters until a loss of all the data is least: `autograd_core.minimize` for a model.

    For problems of a few thousand parameters this needs no learning rate, and far fewer steps than descent on batches.

    Parameters
    ----------
    loss
        A function of nothing that returns the loss, such as `lambda: mse_loss(model(x), y)`. It is called at many
        points, and always gives the same at the same one: no batches, no dropout.
    parameters
        Leaf Values, such as `model.parameters()`.
    method
        "L-BFGS-B" (Liu, Nocedal, *On the limited memory BFGS method for large scale optimization*, 1989), "CG"
        (Polak and Ribière's nonlinear conjugate gradients), "BFGS", or another of SciPy's that takes gradients.
    settings
        What SciPy takes beside: `tol`, `callback`, `options=dict(maxiter=200)`.

    Returns
    -------
    SciPy's OptimizeResult: `fun` is the loss, `nit` counts the steps, `success` and `message` say why it ended; `x` are
    the parameters as one vector, which they now have.

    Raises
    ------
    ImportError
        If SciPy is missing (extra `optimize`).
    ValueError
        If the loss is not finite at the beginning, or is random.
    TypeError
        If the loss does not depend on the parameters, or if these are no leaf Values.
    BaseException
        Whatever else ends the search, Ctrl-C among it; the parameters are then the best that were met.

    >>> w = Value([3.0, -4.0])
    >>> result = minimize_loss(lambda: np.sum((w - [1.0, 2.0]) ** 2), [w])
    >>> w.data.round(6)
    array([1., 2.])
    """
    search = Search(loss, parameters)
    try:
        result = minimize(lambda x: loss_at(x, search=search), search.start, method=method, **settings)
    except BaseException:
        search.put(search.best)
        raise
    search.put(result.x)
    return result


class Search:
    """The loss as a function of one vector of all parameters."""

    def __init__(self, loss: Callable[[], Any], parameters: Iterable[Value]) -> None:
        self.loss = loss
        self.parameters = leaves(parameters)
        self.start: Array = np.concatenate([np.ravel(p.data) for p in self.parameters])
        self.gradient = np.zeros(self.start.shape)
        self.at_start, self.lowest, self.best = math.nan, math.inf, self.start

    def put(self, x: Array) -> None:
        """Give the parameters the values of a vector; each keeps its dtype, and has no gradient."""
        begin = 0
        for p in self.parameters:
            part = x[begin : (begin := begin + math.prod(p.shape))]
            p.data = part.reshape(p.shape).astype(p.dtype) if isinstance(p.data, np.ndarray) else type(p.data)(part[0])
            p.grad = None

    def value(self, x: Array) -> float:
        """The loss at a vector; its gradient is kept."""
        self.put(x)
        cost = self.loss()
        if not isinstance(cost, Value):
            raise TypeError(f"the loss is a {type(cost).__name__} that does not depend on these parameters")
        cost.backward(keep="leaves")
        found: float = cost.item()
        self.gradient = np.concatenate(
            [np.ravel(p.grad if p.grad is not None else 0 * p.data) for p in self.parameters]
        )
        if np.array_equal(x, self.start):
            if found != self.at_start and not math.isnan(self.at_start):
                raise ValueError(
                    f"the loss is random: {self.at_start:.6g} and {found:.6g} at the same parameters; "
                    "call model.eval() before, if it is dropout's doing"
                )
            self.at_start = found
        if found < self.lowest:
            self.lowest, self.best = found, np.array(x)
        return found


@primitive(pullback=lambda g, out, x, search: g * search.gradient)
def loss_at(x: Array, *, search: Any) -> Any:
    """The loss at a vector of parameters, as one op: the model differentiates itself."""
    return search.value(x)
