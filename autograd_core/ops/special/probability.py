"""Probabilities and quantiles of distributions, by their densities: SciPy's ufuncs. Degrees and counts are plain data.

The derivative of a distribution function is its density, and that of a quantile 1 / density; of counts, see Abramowitz
and Stegun, *Handbook of Mathematical Functions*, section 26.5.
"""

from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from .declare import CHANCE, POSITIVE, of_scipy, whole
from .gamma import beta_density, gamma_density

FREEDOM: dict[str, Any] = dict(v=3.5)
FREEDOMS: dict[str, Any] = dict(v=3.5, w=4.5)


def student_density(v: Any, x: Any) -> Any:
    """Γ((v + 1)/2) / (√(πv) Γ(v/2)) (1 + x²/v)^(-(v + 1)/2)."""
    return np.exp(-np.log1p(x * x / v) * ((v + 1) / 2) - special.betaln(v / 2, 0.5) - np.log(v) / 2)


def f_density(v: Any, w: Any, x: Any) -> Any:
    """That of the ratio of χ²/v and χ²/w, of v and w degrees of freedom."""
    y = v * x / (v * x + w)
    return beta_density(v / 2, w / 2, y) * (1 - y) * v / (v * x + w)


def last_success(k: Any, n: Any, x: Any) -> Any:
    """-∂/∂p of the chance of at most k successes of n: n times the chance of k successes of n - 1 (26.5.24)."""
    k, n = k // 1, whole(n)
    return np.exp(special.xlogy(k, x) + special.xlog1py(n - 1 - k, -x) - special.betaln(k + 1, n - k))


def last_failure(k: Any, n: Any, x: Any) -> Any:
    """∂/∂p of the chance of at most k failures before n successes (26.5.26)."""
    return beta_density(whole(n), whole(k) + 1, x)


def poisson(k: Any, x: Any) -> Any:
    """The chance of k events where x are expected."""
    return gamma_density(k // 1 + 1, x)


# Of real numbers ------------------------------------------------------------------------------------------------------

of_scipy("stdtr", lambda out, x, v: student_density(v, x), parameters=FREEDOM)
of_scipy("stdtrit", lambda out, x, v: 1 / student_density(v, out), parameters=FREEDOM, domain=CHANCE)
of_scipy("chdtr", lambda out, x, v: gamma_density(v / 2, x / 2) / 2, parameters=FREEDOM, domain=POSITIVE)
of_scipy("chdtrc", lambda out, x, v: -gamma_density(v / 2, x / 2) / 2, parameters=FREEDOM, domain=POSITIVE)
of_scipy("chdtri", lambda out, x, v: -2 / gamma_density(v / 2, out / 2), parameters=FREEDOM, domain=CHANCE)
of_scipy("fdtr", lambda out, x, v, w: f_density(v, w, x), parameters=FREEDOMS, domain=POSITIVE)
of_scipy("fdtrc", lambda out, x, v, w: -f_density(v, w, x), parameters=FREEDOMS, domain=POSITIVE)
of_scipy("fdtri", lambda out, x, v, w: 1 / f_density(v, w, out), parameters=FREEDOMS, domain=CHANCE)
of_scipy("gdtr", lambda out, x, a, b: a * gamma_density(b, a * x), parameters=dict(a=1.5, b=2.5), domain=POSITIVE)
of_scipy("gdtrc", lambda out, x, a, b: -a * gamma_density(b, a * x), parameters=dict(a=1.5, b=2.5), domain=POSITIVE)

# Of counts ------------------------------------------------------------------------------------------------------------

COUNTS: dict[str, Any] = dict(k=2.0, n=5)

of_scipy("bdtr", lambda out, x, k, n: -last_success(k, n, x), parameters=COUNTS, domain=CHANCE)
of_scipy("bdtrc", lambda out, x, k, n: last_success(k, n, x), parameters=COUNTS, domain=CHANCE)
of_scipy("bdtri", lambda out, x, k, n: -1 / last_success(k, n, out), parameters=COUNTS, domain=CHANCE)
of_scipy("nbdtr", lambda out, x, k, n: last_failure(k, n, x), parameters=dict(k=2, n=5), domain=CHANCE)
of_scipy("nbdtrc", lambda out, x, k, n: -last_failure(k, n, x), parameters=dict(k=2, n=5), domain=CHANCE)
of_scipy("nbdtri", lambda out, x, k, n: 1 / last_failure(k, n, out), parameters=dict(k=2, n=5), domain=CHANCE)
of_scipy("pdtr", lambda out, x, k: -poisson(k, x), parameters=dict(k=2), domain=POSITIVE)
of_scipy("pdtrc", lambda out, x, k: poisson(k, x), parameters=dict(k=2), domain=POSITIVE)
of_scipy("pdtri", lambda out, x, k: -1 / poisson(k, out), parameters=dict(k=2), domain=CHANCE)
