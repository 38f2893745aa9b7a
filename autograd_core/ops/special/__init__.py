"""SciPy's special functions on Values: `scipy.special.erf(v)` arrives through NumPy's protocol for ufuncs.

SciPy is an extra. Nothing imports this package until a Value meets a ufunc that has no op yet, while SciPy is loaded.
"""

from . import bessel, elementary, errors, gamma, integrals, polynomials, probability

__all__ = ["bessel", "elementary", "errors", "gamma", "integrals", "polynomials", "probability"]
