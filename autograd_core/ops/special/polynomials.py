"""Orthogonal polynomials and hypergeometric functions: SciPy's ufuncs. Degrees and parameters are plain data.

Source of the derivatives: *NIST Digital Library of Mathematical Functions* (DLMF), chapters 13 to 15 and 18; the
numbers are those of its equations.
"""

from typing import Any

import numpy as np
import scipy.special as special  # type: ignore[import-untyped, unused-ignore]

from ...op import composed
from .declare import POSITIVE, of_scipy

# Orthogonal polynomials: 18.9.15 (Jacobi), 18.9.19 (Gegenbauer), 18.9.21, 18.9.23 (Laguerre), 18.9.25, 18.9.27 --------

DEGREE: dict[str, Any] = dict(n=3)


def less(n: Any) -> Any:
    """n - 1, and 0 for 0: the degree of a derivative, which is multiplied by 0 then."""
    return np.maximum(n, 1) - 1


of_scipy("eval_jacobi", lambda out, x, n, a, b: (n + a + b + 1) / 2 * special.eval_jacobi(n - 1, a + 1, b + 1, x),
         parameters=dict(n=3, a=0.5, b=1.5), domain=[(-0.9, 0.9)])  # fmt: skip
of_scipy("eval_legendre", lambda out, x, n: (n + 1) / 2 * special.eval_jacobi(n - 1, 1.0, 1.0, x), parameters=DEGREE,
         domain=[(-0.9, 0.9)], tex="P_{{{n}}}({x})")  # fmt: skip
of_scipy("eval_gegenbauer", lambda out, x, n, a: 2 * a * special.eval_gegenbauer(n - 1, a + 1, x),
         parameters=dict(n=3, a=0.5), domain=[(-0.9, 0.9)])  # fmt: skip
of_scipy("eval_chebyt", lambda out, x, n: n * special.eval_chebyu(n - 1, x), parameters=DEGREE, domain=[(-0.9, 0.9)],
         tex="T_{{{n}}}({x})")  # fmt: skip
of_scipy("eval_chebyu", lambda out, x, n: 2 * special.eval_gegenbauer(n - 1, 2.0, x), parameters=DEGREE,
         domain=[(-0.9, 0.9)], tex="U_{{{n}}}({x})")  # fmt: skip
of_scipy("eval_chebyc", lambda out, x, n: n * special.eval_chebys(n - 1, x), parameters=DEGREE)  # 2 Tₙ(x/2)
of_scipy("eval_chebys", lambda out, x, n: special.eval_gegenbauer(n - 1, 2.0, x / 2), parameters=DEGREE)  # Uₙ(x/2)
of_scipy("eval_genlaguerre", lambda out, x, n, a: -special.eval_genlaguerre(n - 1, a + 1, x),
         parameters=dict(n=3, a=0.5))  # fmt: skip
of_scipy("eval_laguerre", lambda out, x, n: -special.eval_genlaguerre(n - 1, 1.0, x), parameters=DEGREE,
         tex="L_{{{n}}}({x})")  # fmt: skip
of_scipy("eval_hermite", lambda out, x, n: 2 * n * special.eval_hermite(less(n), x), parameters=DEGREE,
         tex="H_{{{n}}}({x})")  # fmt: skip
of_scipy("eval_hermitenorm", lambda out, x, n: n * special.eval_hermitenorm(less(n), x), parameters=DEGREE,
         tex=r"\mathit{{He}}_{{{n}}}({x})")  # fmt: skip
of_scipy("lpmv",  # 14.10.5
         lambda out, x, m, v: (v * x * out - (v + m) * special.lpmv(m, v - 1, x)) / (x * x - 1),
         parameters=dict(m=1, v=2.5), domain=[(-0.8, 0.8)], tex="P_{{{v}}}^{{{m}}}({x})")  # fmt: skip


def shifted(name: str) -> None:
    """The polynomial at 2x - 1."""
    function = getattr(special, f"eval_{name}")
    composed(getattr(special, f"eval_sh_{name}"))(lambda n, x: function(n, np.multiply(2, x) - 1))


for name in ("legendre", "chebyt", "chebyu"):
    shifted(name)


@composed(special.eval_sh_jacobi)
def shifted_jacobi(n: Any, p: Any, q: Any, x: Any) -> Any:
    """See `scipy.special.eval_sh_jacobi`: a Jacobi polynomial at 2x - 1, divided by a binomial coefficient."""
    x = np.multiply(2, x) - 1
    return special.eval_jacobi(n, np.subtract(p, q), np.subtract(q, 1), x) / special.binom(np.multiply(2, n) + p - 1, n)


# Hypergeometric functions ---------------------------------------------------------------------------------------------

of_scipy("hyp0f1", lambda out, x, b: special.hyp0f1(b + 1, x) / b, parameters=dict(b=1.5), tex="{{}}_0F_1({b}; {x})")
of_scipy("hyp1f1", lambda out, x, a, b: a / b * special.hyp1f1(a + 1, b + 1, x),  # 13.3.15
         parameters=dict(a=0.7, b=1.5), tex="{{}}_1F_1({a}; {b}; {x})")  # fmt: skip
of_scipy("hyp2f1", lambda out, x, a, b, c: a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, x),  # 15.5.1
         parameters=dict(a=0.7, b=0.4, c=1.5), domain=[(-0.8, 0.7)], tex="{{}}_2F_1({a}, {b}; {c}; {x})")  # fmt: skip
of_scipy("hyperu", lambda out, x, a, b: -a * special.hyperu(a + 1, b + 1, x),  # 13.3.22
         parameters=dict(a=0.7, b=1.5), domain=POSITIVE, tex="U({a}, {b}, {x})")  # fmt: skip
of_scipy("wright_bessel", lambda out, x, a, b: special.wright_bessel(a, a + b, x),  # 10.46.1, term by term
         parameters=dict(a=0.7, b=1.5), domain=POSITIVE)  # fmt: skip
of_scipy("log_wright_bessel", lambda out, x, a, b: np.exp(special.log_wright_bessel(a, a + b, x) - out),
         parameters=dict(a=0.7, b=1.5), domain=POSITIVE)  # fmt: skip
