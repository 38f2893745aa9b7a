"""Functions that networks and statistics use and NumPy does not have: sigmoid, softplus, relu, the normal distribution.

They take plain numbers and arrays too, and then return these.
"""

import math
from typing import Any

import numpy as np

from ..data import QUIET, as_floats, dtype_of
from ..op import Op, elementwise

ROOT_2, ROOT_2PI = math.sqrt(2), math.sqrt(2 * math.pi)

UNITS = {kind: np.ones((), kind) for kind in "fd"}
"""1 as a 0-d array, by the letter of its dtype: NumPy adds it in half the time of a Python number."""


def stable_sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)). Where exp(-x) overflows to inf, the quotient 0 is right: only the warning has to go."""
    if type(x) is not np.ndarray or x.dtype.char not in UNITS:
        x = as_floats(x)
    out = QUIET.copy().run(np.exp, -x)
    if type(out) is not np.ndarray or out.dtype.char not in UNITS:
        return 1 / (1 + out)
    one = UNITS[out.dtype.char]
    np.add(out, one, out)
    return np.divide(one, out, out)


sigmoid: Op = elementwise(
    "sigmoid", stable_sigmoid, method=True, scalar=lambda x: 1 / (1 + math.exp(-x)), text="σ({x})", tex=r"\sigma({x})",
    partials=(lambda out, x: out * (1 - out),),
    doc="""The logistic function σ(x) = 1 / (1 + e⁻ˣ), for any x without overflow; σ' = σ (1 - σ).

    Of any shape, which is the result's; what holds no numbers is a TypeError. Source: Bishop, *Pattern Recognition and
    Machine Learning*, 2006, eq. 4.59 and 4.88.

    >>> sigmoid(0.0)
    0.5
    >>> sigmoid(np.array([-1000.0, 1000.0]))
    array([0., 1.])
    """,
)  # fmt: skip
softplus = elementwise(
    "softplus", lambda x: np.logaddexp(as_floats(x), 0),
    scalar=lambda x: math.log1p(math.exp(-math.fabs(x))) + max(x, 0.0),
    text="softplus({x})", tex=r"\operatorname{{softplus}}({x})",
    partials=(lambda out, x: sigmoid(x),),
    doc="""log(1 + eˣ), for any x without overflow; its derivative is σ(x), the sigmoid.

    Of any shape, which is the result's; what holds no numbers is a TypeError. Source: Glorot, Bordes and Bengio, *Deep
    sparse rectifier neural networks*, AISTATS 2011.

    >>> softplus(1000.0)
    1000.0
    """,
)  # fmt: skip


def normal_probability(x: Any) -> Any:
    """Φ(x) = erfc(-x / √2) / 2, element by element: NumPy has no error function, and Python's is right to the end."""
    x = as_floats(x)
    z = np.ravel(x) * (-1 / ROOT_2)
    halves = 0.5 * np.fromiter(map(math.erfc, z.tolist()), np.float64, z.size)
    return halves.reshape(np.shape(x)).astype(dtype_of(x), copy=False)[()]


normal_cdf = elementwise(
    "normal_cdf", normal_probability, scalar=lambda x: math.erfc(-x / ROOT_2) / 2, text="Φ({x})", tex=r"\Phi({x})",
    partials=(lambda out, x: np.exp(x * x * -0.5) * (1 / ROOT_2PI),),
    doc="""Φ(x) = erfc(-x / √2) / 2, the probability of a standard normal variable below x; Φ'(x) = e^(-x²/2) / √(2π).

    Of any shape, which is the result's; what holds no numbers is a TypeError. Source: Abramowitz and Stegun, *Handbook
    of Mathematical Functions*, 26.2.2 and 7.1.1.

    >>> normal_cdf(np.array([-1.96, 1.96])).round(3)
    array([0.025, 0.975])
    """,
)  # fmt: skip
relu = elementwise(
    "relu", lambda x: (0.0 if x <= 0 else x) if type(x) is float else np.maximum(x, 0),
    method=True, tex=r"\operatorname{{relu}}({x})", selects=True, domain=[(0.2, 2)],
    partials=(lambda out, x: (x > 0) | (x != x),),
    doc="""max(x, 0), with the derivative 1 above 0, else 0; and 1 at nan, which goes through, so that it shows.

    Of any shape, which is the result's; what holds no numbers is a TypeError. Source: Nair and Hinton, *Rectified
    linear units improve restricted Boltzmann machines*, ICML 2010.

    >>> relu(-3.0), relu(3.0)
    (0.0, 3.0)
    """,
)  # fmt: skip
