"""Functions that are neither elementwise nor linear: extremes, spreads and the softmax family.

Each declares its pullback: given g, the gradient with respect to the output, it returns the gradient with respect to an
input. Stable forms are used throughout (logsumexp subtracts the maximum), so that gradients do not overflow either.
"""

from typing import Any

import numpy as np

from ..data import as_floats, dtype_of, size_of
from ..op import primitive
from .indexing import choose, over_size
from .linear import REDUCTIONS, ROWS, count, keep_axes

AXIS = [([ROWS], {}), ([ROWS], dict(axis=0)), ([(5,)], {})]
KEEP = dict(axis=None, keepdims=False)

# Extremes -------------------------------------------------------------------------------------------------------------


def extremes(out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Which elements are the extreme: nan, if there is one."""
    return np.equal(x, keep_axes(out, x, axis, keepdims)) | np.not_equal(x, x)


def share(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of an extreme goes to the element that is the extreme; elements that tie share it equally."""
    ties = extremes(out, x, axis, keepdims)
    shares = ties / np.sum(ties, axis=axis, keepdims=True)
    return keep_axes(g, x, axis, keepdims) * shares.astype(dtype_of(x), copy=False)


max = primitive(
    "max", lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims), numpy=(np.max, np.amax), settings=KEEP,
    samples=REDUCTIONS, tex=r"\max{over}({x})", selects=(extremes,), pullbacks=(share,),
    doc="Elements that tie share the gradient; a nan is the largest, and gets it.",
)  # fmt: skip
min = primitive(
    "min", lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims), numpy=(np.min, np.amin), settings=KEEP,
    samples=REDUCTIONS, tex=r"\min{over}({x})", selects=(extremes,), pullbacks=(share,),
    doc="Elements that tie share the gradient; a nan is the smallest, and gets it.",
)  # fmt: skip

# Spreads --------------------------------------------------------------------------------------------------------------


def deviation(x: Any, axis: Any, ddof: float) -> Any:
    """(x - mean) / (n - ddof), what the derivatives of variance and standard deviation are made of."""
    d = (x - np.mean(x, axis=axis, keepdims=True)) / (count(x, axis) - ddof)
    return np.conj(d) if dtype_of(d).kind == "c" else d


SPREADS = [*REDUCTIONS[:-1], ([ROWS], dict(axis=1, ddof=1))]

var = primitive(
    "var", lambda x, axis, ddof, keepdims: np.var(x, axis=axis, ddof=ddof, keepdims=keepdims), numpy=np.var,
    settings=dict(axis=None, ddof=0, keepdims=False), samples=SPREADS, tex=r"\operatorname{{var}}{over}({x})",
    pullbacks=(lambda g, out, x, axis, ddof, keepdims:
               keep_axes(g, x, axis, keepdims) * (2 * deviation(x, axis, ddof)),),
)  # fmt: skip
std = primitive(  # at a constant x the subgradient of least norm, 0
    "std", lambda x, axis, ddof, keepdims: np.std(x, axis=axis, ddof=ddof, keepdims=keepdims), numpy=np.std,
    settings=dict(axis=None, ddof=0, keepdims=False), samples=SPREADS, tex=r"\operatorname{{std}}{over}({x})",
    pullbacks=(lambda g, out, x, axis, ddof, keepdims:
               keep_axes(g, x, axis, keepdims)
               * over_size(deviation(x, axis, ddof), keep_axes(out, x, axis, keepdims)),),
)  # fmt: skip

# The softmax family ---------------------------------------------------------------------------------------------------


def stable_logsumexp(x: Any, axis: Any, keepdims: Any) -> Any:
    if not size_of(x):
        with np.errstate(divide="ignore"):
            return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):  # the sum over nothing but exp(-inf) is 0, and its logarithm -inf
        out = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis=axis)[()]


def shifted_exp(x: Any, axis: Any) -> tuple[Any, Any]:
    x = as_floats(x)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted, np.exp(shifted)


def stable_softmax(x: Any, axis: Any) -> Any:
    _, e = shifted_exp(x, axis)
    return e / np.sum(e, axis=axis, keepdims=True)


def stable_log_softmax(x: Any, axis: Any) -> Any:
    shifted, e = shifted_exp(x, axis)
    return shifted - np.log(np.sum(e, axis=axis, keepdims=True))


def finite(out: Any) -> Any:
    """A logsumexp of nothing but -inf is -inf; the weights exp(x - out) are then 0, not nan."""
    return choose(out == -np.inf, 0.0, out)


logsumexp = primitive(
    "logsumexp", stable_logsumexp, settings=KEEP, samples=REDUCTIONS, tex=r"\ln\left(\sum{over} e^{{{x}}}\right)",
    pullbacks=(lambda g, out, x, axis, keepdims:
               keep_axes(g, x, axis, keepdims) * np.exp(x - keep_axes(finite(out), x, axis, keepdims)),),
    doc="""log Σ exp(x) over `axis` (None: over all), for any x without overflow; its gradient is the softmax.

    `axis` is an integer, a tuple or None, and `keepdims` leaves axes of length 1, as for `np.sum`; an axis that x does
    not have is an AxisError. The largest x is subtracted first. Source: Blanchard, Higham and Higham, *Accurately
    computing the log-sum-exp and softmax functions*, IMA Journal of Numerical Analysis 41, 2021.

    >>> logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    >>> logsumexp(np.zeros((2, 3)), axis=1).round(4)
    array([1.0986, 1.0986])
    """,
)  # fmt: skip
softmax = primitive(
    "softmax", stable_softmax, settings=dict(axis=-1), samples=AXIS, tex=r"\operatorname{{softmax}}{over}({x})",
    pullbacks=(lambda g, out, x, axis: out * (g - np.sum(g * out, axis=axis, keepdims=True)),),
    doc="""s = exp(x) / Σ exp(x) along `axis`: positive numbers that sum to 1; ∂sᵢ/∂xⱼ = sᵢ (δᵢⱼ - sⱼ).

    The result has the shape and dtype of x; an axis that x does not have is an AxisError. The largest x is subtracted
    first, so that nothing overflows. Source: Bridle, *Probabilistic interpretation of feedforward classification
    network outputs*, 1990.

    >>> softmax([0.0, 0.0])
    array([0.5, 0.5])
    >>> softmax(np.array([[1000.0, 0.0], [1.0, 1.0]]), axis=1)
    array([[1. , 0. ],
           [0.5, 0.5]])
    """,
)  # fmt: skip
log_softmax = primitive(
    "log_softmax", stable_log_softmax, settings=dict(axis=-1), samples=AXIS,
    tex=r"\ln\left(\operatorname{{softmax}}{over}({x})\right)",
    pullbacks=(lambda g, out, x, axis: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),),
    doc="""l = log softmax(x) along `axis`, without the loss of small probabilities; ∂lᵢ/∂xⱼ = δᵢⱼ - exp(lⱼ).

    The result has the shape and dtype of x; an axis that x does not have is an AxisError. Source: Blanchard, Higham and
    Higham, *Accurately computing the log-sum-exp and softmax functions*, IMA Journal of Numerical Analysis 41, 2021.

    >>> log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """,
)  # fmt: skip
