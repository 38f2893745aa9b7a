"""A function of NumPy gives on a Value what it gives on the data: the value, the dtype, the shape, and the error."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import special

from autograd_core import Value, check_gradients, grad, jit, jvp
from autograd_core.value import plain

X, W = np.array([0.5, 1.5, 1.0]), np.array([2.0, 1.0, 3.0])
M = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]])
INF = np.inf
F16, F32 = np.float16, np.float32

CALLS: dict[str, tuple[Any, ...]] = {
    "several, 1d": (np.atleast_1d, X, np.float64(2.0)),
    "several, 2d": (np.atleast_2d, X, [1.0]),
    "several, 3d": (np.atleast_3d, X, M),
    "no value for keepdims": (lambda x: np.sum(x, axis=0, keepdims=np._NoValue), M),
    "no value for initial": (lambda x: np.add.reduce(x, initial=np._NoValue), M),
    "no value in quantiles": (lambda x: np.quantile(x, 0.3, axis=0, keepdims=np._NoValue), M),
    "axes (), all": (lambda x: np.all(x, ()), M),
    "axes (), counted": (lambda x: np.count_nonzero(x, ()), M),
    "initial, wider": (lambda x: np.sum(x, initial=np.float64(1.5)), X.astype(F32)),
    "initial, of a weak number": (lambda x: np.max(x, initial=F32(1.5)), 0.5),
    "nanmax of nothing": (lambda x: np.nanmax(x, initial=2.0), np.zeros(0)),
    "var with a mean in float32": (lambda x: np.var(x, mean=X.mean(keepdims=True), dtype=F32), X),
    "var, complex": (lambda x: np.var(x, dtype=complex), X),
    "var of a list with a mean": (lambda m: np.var([1.0, 2.0], mean=m), np.array([1.5])),
    "median of infinities": (np.median, np.array([1.0, INF])),
    "nanmedian of infinities": (np.nanmedian, np.array([-1.0, -INF, np.nan])),
    "quantile near an infinity": (lambda x: np.quantile(x, 0.25), np.array([-INF, 1.0, 2.0])),
    "quantile, the least": (lambda x: np.quantile(x, 0), np.array([-INF, 1.0, 2.0])),
    "quantile at a weak place": (lambda q: np.quantile(X.astype(F32), q), 0.3),
    "average, its weights": (lambda x: np.average(x, weights=[1, 2, 1], returned=True)[1], X),
    "cov of too few": (lambda x: np.cov(x, ddof=2), np.array([[1.0, 2.0], [3.0, 5.0]])),
    "choose a weak number": (lambda x: np.choose([0, 1, 0], (x, 1.0)), F16(0.5)),
    "choose, wrapped": (lambda x: np.choose([3, -1, 0], [x, 2 * x], mode="wrap"), X),
    "choose, clipped": (lambda x: np.choose([3, -1, 0], [x, 2 * x], mode="clip"), X),
    "intersection": (lambda x: np.intersect1d(x, X), X.astype(F32)),
    "edges of a list": (lambda x: np.histogram(x, [0.0, 1.0, 2.0])[1], X),
    "complex in order": (np.sort_complex, np.array([1.0, -INF, 0.5])),
    "complex64 in order": (np.sort_complex, (X - 1j).astype(np.complex64)),
    "unwrapped infinity": (np.unwrap, np.array([[INF, 1.0]])),
    "modf of an infinity": (np.modf, np.array([INF, 1.5, -INF])),
    "i0 of float16": (np.i0, F16(0.0)),
    "running sum of a number": (np.cumulative_sum, 0.5),
    "a list of ends": (lambda x: np.linspace(x, [1.0, 2.0], 5), F16(0.1)),
    "a list of bases": (lambda x: np.logspace(x, 2.0, 5, base=[2.0, 3.0]), 0.5),
    "inner product of nothing": (lambda x: np.inner(x, np.zeros((2, 0))), np.zeros((3, 0))),
    "vecdot along the first axis": (lambda x: np.vecdot(x, np.ones((3, 2)), axis=0), X),
    "slopes at even places": (lambda x: np.gradient(x, [0, 1, 2]), np.array([1.0, np.nan, 2.0])),
    "slopes in the dtype of the values": (lambda h: np.gradient(W.astype(F32), h), X),
    "the number next to infinity": (lambda x: np.nextafter(x, 0.0), np.array([INF, 1.0, 0.0])),
    "nanmin, initial": (lambda x: np.nanmin(x, initial=F32(1.5)), X.astype(F16)),
    "an argument of many": (lambda x: np.broadcast_arrays(x, M)[0], X),
    "the step of a single place": (lambda x: np.linspace(x, 2.0, 1, retstep=True)[1], 0.5),
    "the step of no place": (lambda x: np.linspace(x, 2.0, 0, retstep=True)[1], 0.5),
    "take nothing": (lambda x: np.take(x, []), X),
    "take at bools, which are the places 0 and 1": (lambda x: np.take(x, [True, False, True]), X),
    "take at a bool": (lambda x: np.take(x, True), X),
    "repeat a number along its axis": (lambda x: np.repeat(x, 3, axis=0), 0.5),
    "a shape that is an array": (lambda x: np.reshape(x, np.array([3, 2]), order="F"), M),
    "a polynomial through a list": (lambda y: np.polyfit([0.0, 1.0, 2.0], y, 1), X),
    "einsum, dtype=None": (lambda x: np.einsum("ij->j", x, dtype=None), M),
    "a method of an array": (lambda x: W.clip(x, 2.0), X),
    "clip, out=None": (lambda x: x.clip(0.6, 1.2, out=None), X),
    "trace, dtype": (lambda x: x.trace(dtype=F32), M),
    "a shifted polynomial of a list": (lambda x: special.eval_sh_legendre([1, 2, 3], x), X),
    "pbwa of a list": (lambda x: special.pbwa([0.5, 1.0], x)[0], 0.5),
    "nrdtrisd of float32": (lambda x: special.nrdtrisd(0.5, 0.7, x), X.astype(F32)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_result_is_that_of_the_data(name: str) -> None:
    function, *args = CALLS[name]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of what the test is about
        found, expected = function(*map(Value, args)), function(*args)
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    for x, y in zip(*((r if isinstance(r, tuple) else (r,)) for r in (found, expected)), strict=True):
        np.testing.assert_allclose(plain(x), y, rtol=1e-6, atol=1e-12)
        assert (np.shape(plain(x)), np.asarray(plain(x)).dtype) == (np.shape(y), np.asarray(y).dtype)


REFUSED: dict[str, Any] = {
    "np.tensordot(v, w, 1)": lambda v: np.tensordot(v, np.ones((1, 2)), 1),
    "np.vecdot of different lengths": lambda v: np.vecdot(v, np.ones(1)),
    "np.vecdot of a number": lambda v: np.vecdot(v, 2.0),
    "np.broadcast_to fewer axes": lambda v: np.broadcast_to(v[None], (3,)),
    "np.repeat along an axis too many": lambda v: np.repeat(v, 2, axis=1),
    "np.repeat along an axis too few": lambda v: np.repeat(v, 2, axis=-2),
    "np.repeat by a matrix": lambda v: np.repeat(v, [[2]], axis=0),
    "np.compress by a matrix": lambda v: np.compress([[True], [False]], v),
    "np.reshape in the order kept": lambda v: np.reshape(v, (3, 1), order="K"),
    "np.var, two corrections": lambda v: np.var(v, ddof=1, correction=1),
    "np.linalg.eigh of a third triangle": lambda v: np.linalg.eigh(v[:, None] * v, UPLO="Z"),
    "np.rot90 in one axis": lambda v: np.rot90(v[None], axes=(0, -2)),
    "np.average, no weight": lambda v: np.average(v, weights=[1.0, -1.0, 0.0]),
    "np.nanmax of some": lambda v: np.nanmax(v, where=[True, False, True]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_refused(name: str) -> None:
    errors = (ValueError, ZeroDivisionError)
    for x in (X, Value(X)):
        with pytest.raises(errors):
            REFUSED[name](x)


def test_the_norm_of_float16_does_not_warn() -> None:
    """Where its squares are small is computed in a wider dtype: 10⁶ is inf in float16."""
    x = np.array([3.0, 4.0], F16)
    assert np.linalg.norm(Value(x)) == np.linalg.norm(x) == 5.0
    np.testing.assert_allclose(grad(np.linalg.norm)(x), [0.6, 0.8], rtol=1e-3)


def test_other_products_survive_under_and_overflow() -> None:
    """Π/xᵢ would be 0 where the product has underflowed, and inf/inf at an infinity."""
    for x, others in (([1e-200, 1e-200, 1e250], [1e50, 1e50, 0.0]), ([INF, 3.0, 2.0], [6.0, INF, INF])):
        np.testing.assert_allclose(grad(np.prod)(np.array(x)), others, rtol=1e-12)
        np.testing.assert_allclose(grad(lambda x: np.cumprod(x)[-1])(np.array(x)), others, rtol=1e-12)
    values, tangents = jvp(np.prod, (np.array([INF, 3.0]),), (np.array([1.0, 0.0]),))
    assert (values, tangents) == (INF, 3.0) or np.isnan(tangents)  # 0 · inf is nan


def test_quantiles_and_medians_have_their_derivatives() -> None:
    x = np.array([3.0, -1.0, 2.0, 7.0])
    for q in (0.1, 0.4, 0.6, 0.9):
        check_gradients(lambda x, q=q: np.quantile(x, q), x)
        check_gradients(lambda q: np.quantile(x, q), q)
    check_gradients(np.median, x)
    np.testing.assert_array_equal(grad(np.median)(np.array([1.0, INF])), [0.5, 0.5])


@pytest.mark.parametrize("function", [
    np.nanmean, np.nanstd, np.nanmax, lambda v: np.average(X, weights=v), lambda v: np.sum(np.geomspace(v, 2.0)),
    lambda v: np.sum(np.full_like(v, 2.0) * v), lambda v: np.sum(np.select([X > 1], [v], 0.5)),
])  # fmt: skip
def test_compiled_gradients_agree(function: Any) -> None:
    np.testing.assert_allclose(jit(grad(function))(X), grad(function)(X), rtol=1e-12)
