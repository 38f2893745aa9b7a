"""SciPy's functions on Values: conventions at their edges, and that the engine itself does without SciPy."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import special

from autograd_core import Value, check_gradients, grad

X = np.array([0.3, 1.2, 2.5])


def test_the_engine_does_not_import_scipy() -> None:
    code = (
        "import sys, autograd_core, numpy as np; v = autograd_core.Value(0.5); np.sin(v)\n"
        "assert 'scipy' not in sys.modules\n"
        "from scipy import special\n"
        "w = special.erf(v); w.backward(); assert abs(v.grad - 0.8787825789354449) < 1e-15"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["digamma", "loggamma", "log1p", "expm1", "exp2", "cbrt"])
def test_other_names(name: str) -> None:
    function = getattr(special, name)
    np.testing.assert_allclose(function(Value(X)).data, function(X), rtol=1e-15)
    check_gradients(function, X, order=2)


def test_third_derivative_of_gammaln() -> None:
    third = grad(grad(grad(special.gammaln)))
    assert third(1.7) == pytest.approx(float(special.polygamma(2, 1.7)), rel=1e-14)


def test_bessel_functions_have_plain_orders() -> None:
    np.testing.assert_allclose(special.jv(2, Value(X)).data, special.jv(2, X))
    check_gradients(lambda x: special.iv([0, 1, 2], x), X, order=2)
    with pytest.raises(TypeError, match="order"):
        special.jv(Value(1.0), 2.0)


def test_zero_times_a_logarithm() -> None:
    assert grad(special.xlogy, (0, 1))(0.0, 2.0) == (np.log(2.0), 0.0)
    assert grad(special.xlogy, 1)(0.0, 0.0) == 0.0
    assert grad(grad(special.xlogy), 1)(0.0, 2.0) == 0.5


def test_stable_quotients() -> None:
    assert grad(special.log_ndtr)(-1e6) == pytest.approx(1e6, rel=1e-11)
    assert grad(special.log_ndtr)(40.0) == 0.0
    assert grad(special.log_expit)(-1000.0) == 1.0


def test_exprel_is_smooth_at_zero() -> None:
    f: Any = special.exprel
    for k in range(5):
        assert f(0.0) == pytest.approx(1 / (k + 1), rel=1e-13)
        f = grad(f)


def test_a_function_without_a_rule_says_so() -> None:
    with pytest.raises(TypeError, match="struve"):
        special.struve(0, Value(1.0))
