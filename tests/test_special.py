"""SciPy's functions on Values: conventions at their edges, and that the engine itself does without SciPy."""

import math
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.stats
from scipy import special
from scipy.spatial import distance

from autograd_core import Value, check_gradients, grad, jvp
from autograd_core.refusals import OF_SCIPY

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
    with pytest.raises(TypeError, match="with respect to v"):
        special.jv(Value(1.0), 2.0)


def test_zero_times_a_logarithm() -> None:
    assert grad(special.xlogy, (0, 1))(0.0, 2.0) == (np.log(2.0), 0.0)
    assert grad(special.xlogy, 1)(0.0, 0.0) == 0.0
    assert grad(grad(special.xlogy), 1)(0.0, 2.0) == 0.5


def test_stable_quotients() -> None:
    assert grad(special.log_ndtr)(-1e6) == pytest.approx(1e6, rel=1e-11)
    assert grad(special.log_ndtr)(40.0) == 0.0
    assert grad(special.log_expit)(-1000.0) == 1.0


@pytest.mark.parametrize(("name", "x"), [("powm1", -1.0), ("boxcox", -1.0), ("boxcox1p", -2.0)])
def test_a_power_that_is_nan_has_no_slope(name: str, x: float) -> None:
    """A power of a negative Python float is complex, and its real part no derivative."""
    with np.errstate(invalid="ignore"):
        assert np.isnan(grad(lambda x: getattr(special, name)(x, 0.5))(x))


def test_exprel_is_smooth_at_zero() -> None:
    f: Any = special.exprel
    for k in range(5):
        assert f(0.0) == pytest.approx(1 / (k + 1), rel=1e-13)
        f = grad(f)


def test_a_function_without_a_rule_says_so() -> None:
    with pytest.raises(TypeError, match=r"scipy\.special\.mathieu_a"):
        special.mathieu_a(0, Value(1.0))


def test_a_partial_without_a_closed_form_is_an_error() -> None:
    for call, name in (
        (lambda v: special.gammainc(v, 1.0), "a"),
        (lambda v: special.betainc(2.0, v, 0.5), "b"),
        (lambda v: special.eval_legendre(v, 0.5), "n"),
        (lambda v: special.pbdv(v, 0.5), "v"),
    ):
        with pytest.raises(TypeError, match=f"no derivative with respect to {name} in closed form"):
            call(Value(1.5))


def test_parameters_are_arrays_and_lists_as_well() -> None:
    for x in (np.array(0.4), X / 4):
        check_gradients(lambda x: special.jv(np.arange(3.0)[:, None], x), x, order=2)
    np.testing.assert_array_equal(special.gammainc([1.0, 2.0], Value(0.5)).data, special.gammainc([1.0, 2.0], 0.5))
    narrow = Value(np.float32(0.5))
    assert special.gammainc(2, narrow).dtype == np.float32
    assert special.eval_hermite(2, narrow).dtype == np.float32
    assert special.gammainc(np.array([2.0]), narrow).dtype == np.float64  # as SciPy says


def test_the_first_degrees_of_polynomials() -> None:
    for n in range(3):
        for name in ("legendre", "chebyt", "chebyu", "chebyc", "chebys", "laguerre", "hermite", "hermitenorm"):
            f = lambda x, name=name, n=n: getattr(special, f"eval_{name}")(n, x)
            check_gradients(f, np.array([0.3, 1.0]) if n else np.array([0.3, 0.9]), order=2)
        check_gradients(lambda x, n=n: special.eval_jacobi(n, 0.5, 1.5, x), X / 4, order=2)
        check_gradients(lambda x, n=n: special.eval_gegenbauer(n, 0.5, x), X / 4, order=2)
        check_gradients(lambda x, n=n: special.eval_genlaguerre(n, 0.5, x), X, order=2)


SHIFTED: dict[str, Any] = {
    **{name: (lambda x, name=name: getattr(special, f"eval_sh_{name}")(3, x), X / 4)
       for name in ("legendre", "chebyt", "chebyu")},
    "jacobi": (lambda x: special.eval_sh_jacobi(3, 2.5, 1.5, x), X / 4),
    "agm": (special.agm, X, X[::-1] + 0.3),
    "nrdtrimn": (special.nrdtrimn, X / 4, X, X + 1),
    "nrdtrisd": (special.nrdtrisd, X, X / 10 + 0.6, X + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIFTED)
def test_functions_composed_of_others(name: str) -> None:
    function, *args = SHIFTED[name]
    np.testing.assert_allclose(function(*map(Value, args)).data, function(*args), rtol=1e-13)
    check_gradients(function, *args, order=2)


def test_what_is_smooth_where_its_formula_is_not() -> None:
    near = np.array([-0.1, -1e-9, 0.0, 1e-9, 0.15])
    check_gradients(special.ellipk, near, order=3)
    check_gradients(special.ellipe, near, order=3)
    check_gradients(lambda x: special.ellipkm1(1 + x), near, order=2)
    check_gradients(special.ellipkinc, near[:, None] + 0.7, near, order=3, rtol=1e-4)
    check_gradients(special.ellipeinc, near[:, None] + 0.7, near, order=3, rtol=1e-4)
    check_gradients(lambda u, m: special.ellipj(u, m), 0.7, 0.02, order=2, rtol=1e-4)
    check_gradients(lambda x: special.spence(1 + x), near, order=3)
    check_gradients(lambda x: special.sici(x)[0] + special.shichi(x)[0], near, order=3)
    for function in (special.boxcox, special.boxcox1p, special.inv_boxcox, special.inv_boxcox1p):
        check_gradients(function, X, near[:, None], order=3, rtol=1e-4)
    assert grad(special.ellipk)(0.0) == pytest.approx(np.pi / 8, rel=1e-15)
    assert grad(grad(special.ellipk))(0.0) == pytest.approx(9 * np.pi / 64, rel=1e-15)
    assert grad(special.spence)(1.0) == -1.0
    assert grad(grad(special.spence))(1.0) == 0.5
    assert grad(lambda x: np.real(special.lambertw(x)))(0.0) == 1.0


def test_edges_of_distributions() -> None:
    assert grad(lambda x: special.gammainc(1.0, x))(0.0) == 1.0
    assert grad(lambda x: special.gammainc(2.0, x))(0.0) == 0.0
    assert grad(lambda x: special.betainc(1.0, 2.0, x))(0.0) == pytest.approx(2.0)
    assert grad(lambda x: special.pdtr(0, x))(0.0) == -1.0
    assert grad(lambda x: special.expn(3, x))(0.0) == pytest.approx(-1.0)
    check_gradients(lambda x: special.expn(0, x), X, order=2)


def test_scaled_bessel_functions_of_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="not holomorphic"):
        special.ive(1.0, Value(1.0 + 1.0j))
    check_gradients(lambda z: special.kve(1.5, z), 1.0 + 0.5j, order=2)


def test_zeta_and_lambert_arrive_through_their_ufuncs() -> None:
    np.testing.assert_array_equal(special.zeta(2.5, Value(X)).data, special.zeta(2.5, X))
    np.testing.assert_array_equal(special.lambertw(Value(X), -1).data, special.lambertw(X, -1))
    with pytest.raises(TypeError, match="with respect to s"):
        special.zeta(Value(2.0), 1.0)
    with pytest.raises(TypeError, match=r"scipy\.special\.riemann_zeta"):
        special.zeta(Value(2.0))
    assert special.round(Value(2.6)) == 3.0
    assert special.gammasgn(Value(-0.5)) == -1.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda v: special.logsumexp(v), r"scipy\.special\.logsumexp.*write autograd_core\.logsumexp"),
        (lambda v: special.softmax(v), r"scipy\.special\.softmax.*write autograd_core\.softmax"),
        (lambda v: special.polygamma(1, v), r"scipy\.special\.polygamma.*scipy\.special\.zeta\(n \+ 1, x\)"),
        (lambda v: scipy.linalg.solve(np.eye(2), v), r"scipy\.linalg\.solve .*write np\.linalg\.solve"),
        (lambda v: scipy.linalg.expm(v[:, None] * v), r"scipy\.linalg\.expm .*write v \* np\.exp"),
        (lambda v: scipy.linalg.sqrtm(v[:, None] * v), r"scipy\.linalg\.sqrtm .*@autograd_core\.primitive"),
        (lambda v: scipy.linalg.solve_triangular(np.eye(2), v), r"scipy\.linalg\.solve_triangular .*np\.triu"),
        (lambda v: scipy.stats.norm.logpdf(v), r"scipy\.stats\.norm\.logpdf .*write -\(\(\(x - loc\) / scale\)"),
        (lambda v: scipy.stats.norm(0.0, 2.0).sf(v), r"scipy\.stats\.norm\.sf .*write scipy\.special\.ndtr"),
        (lambda v: scipy.stats.multivariate_normal.logpdf(v), r"stats\.multivariate_normal\.logpdf .*linalg\.solve"),
        (lambda v: scipy.stats.laplace.pdf(v), r"scipy\.stats\.laplace\.pdf .*@autograd_core\.primitive"),
        (lambda v: scipy.integrate.odeint(lambda y, t: -y, v, [0.0, 1.0]), r"scipy\.integrate\.odeint"),
        (lambda v: scipy.integrate.quad(lambda x: float(v[0]), 0.0, 1.0), r"^float\(v\) and math functions"),
        (lambda v: np.asarray(v), "^a Value in a plain array"),
        (lambda v: np.vectorize(math.sin)(v), r"^np\.vectorize .*np\.stack\(\[f\(x\) for x in v\]\)"),
        (lambda v: np.r_[v, 1.0], r"^np\.r_ or np\.c_ .*np\.concatenate"),
        (lambda v: np.full(3, v[0]), r"^np\.full .*np\.broadcast_to"),
        (lambda v: np.sum([v[0], v[1]]), r"^np\.sum of a list .*np\.sum\(np\.stack"),
        (lambda v: np.polynomial.chebyshev.chebval(0.3, v), r"chebvander\(x, n\) @ v"),
        (lambda v: np.require(v), "^a Value in a plain array"),
    ],
)  # fmt: skip
def test_functions_of_scipy_that_do_not_hand_over_say_what_to_write(call: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        call(Value([1.0, 2.0]))


def test_what_is_said_to_write_instead_of_polygamma_and_multigammaln() -> None:
    x, n, d = X + 2.0, 2, 3
    instead = lambda x: (-1.0) ** (n + 1) * math.factorial(n) * special.zeta(n + 1, x)
    np.testing.assert_allclose(instead(x), special.polygamma(n, x), rtol=1e-13)
    check_gradients(instead, x, order=2)
    instead = lambda a: d * (d - 1) / 4 * np.log(np.pi) + np.sum(special.gammaln(a - np.arange(d) / 2))
    np.testing.assert_allclose(instead(3.2), special.multigammaln(3.2, d), rtol=1e-13)
    check_gradients(instead, 3.2, order=2)


def test_what_is_said_to_write_instead_of_other_functions_of_scipy() -> None:
    a, x, y = np.array([[2.0, 0.3], [0.4, 1.5]]), np.outer(X, [1.0, -0.5]), np.array([[0.3, 0.7], [1.0, 2.0]])
    cases: dict[str, tuple[Any, dict[str, Any]]] = {
        "expm": (scipy.linalg.expm(a), dict(zip("wv", np.linalg.eig(a), strict=True))),
        "cho_factor": (scipy.linalg.cho_factor(a @ a.T, lower=True)[0] * np.tri(2), dict(a=a @ a.T)),
        "cho_solve": (scipy.linalg.cho_solve((a, True), x.T), dict(c=np.tril(a), b=x.T)),
        "solve_triangular": (scipy.linalg.solve_triangular(a, x.T), dict(a=a, b=x.T)),
        "toeplitz": (scipy.linalg.toeplitz(X), dict(c=X, n=3)),
        "block_diag": (scipy.linalg.block_diag(a, a), dict(a=a, b=a, zeros=np.zeros((2, 2)))),
        "cumulative_trapezoid": (scipy.integrate.cumulative_trapezoid(X, dx=0.5), dict(y=X, dx=0.5)),
        "cdist": (distance.cdist(x, y), dict(x=x, y=y)),
        "pdist": (distance.pdist(x), dict(x=x, i=np.triu_indices(3, 1)[0], j=np.triu_indices(3, 1)[1])),
    }
    for name, (expected, given) in cases.items():
        written = re.split(", with|, which|, or|, of", OF_SCIPY[name])[0]
        np.testing.assert_allclose(eval(written, {"np": np, **given}), expected, rtol=1e-12, err_msg=name)


DISTRIBUTIONS: dict[str, dict[str, Any]] = {
    "norm": dict(x=0.3, loc=0.7, scale=1.7), "t": dict(x=0.3, df=3.5), "gamma": dict(x=0.8, a=2.5),
    "beta": dict(x=0.3, a=2.5, b=1.7), "chi2": dict(x=0.8, df=3.5), "poisson": dict(mu=1.7, k=2),
    "multivariate_normal": dict(x=np.array([0.3, 0.7]), mean=np.array([0.1, -0.2]), cov=np.array([[2, 0.5], [0.5, 1]])),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in OF_SCIPY if "." in name])
def test_what_is_said_to_write_instead_of_distributions(name: str) -> None:
    of, _, method = name.partition(".")
    first, *others = DISTRIBUTIONS[of].items()

    def instead(value: Any) -> Any:
        given = {first[0]: value, **dict(others)}
        return eval(OF_SCIPY[name], {"np": np, "scipy": scipy, **given})

    expected = getattr(getattr(scipy.stats, of), method)(**DISTRIBUTIONS[of])
    np.testing.assert_allclose(instead(first[1]), expected, rtol=1e-12)
    check_gradients(instead, first[1], order=2)


def test_scipys_functions_have_their_own_values_also_off_the_beaten_track() -> None:
    assert np.isnan(special.loggamma(Value(-0.5)).data)  # and gammaln has log |Γ| there
    assert special.loggamma(Value(-0.5 + 0.1j)).data == special.loggamma(-0.5 + 0.1j)
    check_gradients(special.loggamma, -0.5 + 0.1j)
    for x in (0.3, np.float64(0.3), np.array([0.3, 2.0])):
        for found, expected in zip(special.kelvin(Value(x)), special.kelvin(x), strict=True):
            np.testing.assert_array_equal(found.data, expected)  # complex, also of Python's numbers
    assert jvp(lambda x: special.kelvin(x)[0], (0.3,), (1.0,))[1] == special.kelvin(0.3)[2]


@pytest.mark.filterwarnings("ignore:floating point number truncated", "ignore:non-integer arg n")
@pytest.mark.parametrize("name", ["kn", "yn", "expn", "nbdtr", "bdtr", "pdtr"])
def test_counts_are_taken_without_what_is_behind_the_point(name: str) -> None:
    given = (1.7, 4.3) if name in ("bdtr", "nbdtr") else (2.6,)
    function = getattr(special, name)
    check_gradients(lambda x: function(*given, x), X / 4)
    check_gradients(lambda x: function(*map(np.array, given), x), X / 4)
