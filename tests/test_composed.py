"""NumPy's functions that are composed of ops: they give NumPy's numbers, and derivatives of orders 1 and 2."""

from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad

RNG = np.random.default_rng(5)
M, V, C = RNG.uniform(0.5, 2, (3, 4)), RNG.uniform(0.5, 2, 5), RNG.uniform(0.5, 2, (2, 3, 3))
U = RNG.uniform(0.5, 2, 3)
HOLES = np.where(np.eye(3, 4, dtype=bool), np.nan, M)
WIDE = RNG.uniform(-2, 2, (2, 4))
PLACES = np.array([2, 0, 2])

SQUARE = RNG.normal(size=(4, 4))
TAKEN = M > 0.8
SETTINGS: dict[str, list[dict[str, Any]]] = {
    **{name: [dict(where=TAKEN), dict(initial=1.5, where=TAKEN)] for name in ("sum", "prod", "nansum", "nanprod")},
    **{name: [dict(initial=1.2), dict(initial=1.2, where=TAKEN)] for name in ("max", "min", "nanmax", "nanmin")},
    **{name: [dict(where=TAKEN, keepdims=True)] for name in ("mean", "nanmean")},
    **{name: [dict(where=TAKEN), dict(correction=1)] for name in ("var", "std", "nanvar", "nanstd")},
}

CASES: dict[str, tuple[Any, ...]] = {
    # arranging
    "take": (lambda x: np.take(x, PLACES), M),
    "take-axis": (lambda x: np.take(x, [[0, 5], [-1, 2]], axis=1, mode="wrap"), M),
    "take-clip": (lambda x: np.take(x, [9, -3], axis=0, mode="clip"), M),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.array([[0, 3], [1, 1], [2, 0]]), 1), M),
    "take_along_axis-flat": (lambda x: np.take_along_axis(x, np.array([0, 5, 5]), None), M),
    "partition-flat": (lambda x: np.sort(np.partition(x, 4, axis=None)[:4]), M),
    "pad-dict": (lambda x: np.pad(x, {0: 1, -1: (0, 2)}), M),
    "interp-one": (lambda x, f: np.interp(x, [1.0], f), U, U[:1]),
    "dot-number": (np.dot, M, np.float64(2.0)),
    "cov-row": (lambda x: np.cov(x, rowvar=False), V),
    "cov-two": (np.cov, V, V[::-1] ** 2),
    "cov-two-by-columns": (lambda x, y: np.cov(x, y, rowvar=False), M, M[::-1] ** 2),
    "polydiv-whole": (lambda u: np.polydiv(np.polymul(u, [1.0, 2.0, 1.0]), [1.0, 2.0, 1.0])[1], U),
    "polyint-constant": (lambda p: np.polyint(p, 2, 3.0), V),
    "mean-where": (lambda x: np.mean(x, where=True), M),
    "array_split-rows": (lambda x: np.array_split(x, 2)[1], M),
    "diagonal": (np.diagonal, M),
    "compress": (lambda x: np.compress([True, False, True], x, axis=0), M),
    "extract": (lambda x: np.extract(M > 1, x), M),
    "delete": (lambda x: np.delete(x, [1], axis=1), M),
    "insert": (lambda x, y: np.insert(x, [1, 3], y), V, np.array([7.0, 8.0])),
    "running-maximum": (lambda x: np.maximum.accumulate(np.sin(9 * x), axis=1), M),
    "running-logaddexp": (np.logaddexp.accumulate, M),
    "insert-scalar": (lambda x: np.insert(x, 1, 2.0), V),
    "insert-axis": (lambda x, y: np.insert(x, 1, y, axis=1), M, U),
    "windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1), M),
    "rollaxis-negative": (lambda x: np.rollaxis(x, 0, -1), C),
    "vstack-dtype": (lambda x: np.vstack([x, x], dtype=x.dtype), U),
    "trace-dtype": (lambda x: np.trace(x, dtype=x.dtype), M),
    "vecdot-axis": (lambda x, y: np.vecdot(x, y, axis=0), M, M + 1),
    "tensorsolve-axes": (lambda a, b: np.linalg.tensorsolve(a, b, axes=(0,)), SQUARE.reshape(2, 4, 2), V[:4]),
    "pinv-rtol": (lambda a: np.linalg.pinv(a, rtol=1e-3), M),
    "unique": (lambda x: np.unique(np.concatenate([x, x])), V),
    "repeat": (lambda x: np.repeat(x, [1, 0, 2], axis=0), M),
    "repeat-flat": (lambda x: np.repeat(x, 2), M),
    "tile": (lambda x: np.tile(x, (2, 1, 3)), M),
    "tile-short": (lambda x: np.tile(x, 2), M),
    "resize": (lambda x: np.resize(x, (2, 7)), M),
    "pad": (lambda x: np.pad(x, ((1, 0), (2, 3))), M),
    "pad-border": (lambda x: np.pad(x, 1, constant_values=3.0), M),
    **{f"pad-{m}": (lambda x, m=m: np.pad(x, (2, 1), m), M) for m in ("edge", "reflect", "symmetric", "wrap")},
    "fliplr": (np.fliplr, M),
    "flipud": (np.flipud, M),
    **{f"rot90-{k}": (lambda x, k=k: np.rot90(x, k), M) for k in range(-1, 4)},
    "rollaxis": (lambda x: np.rollaxis(x, 2, 1), C),
    "rollaxis-right": (lambda x: np.rollaxis(x, 0, 3), C),
    "matrix_transpose": (np.matrix_transpose, C),
    "atleast_1d": (np.atleast_1d, np.float64(2.0)),
    "atleast_2d": (np.atleast_2d, V),
    "atleast_3d": (lambda x, y: np.sum(np.atleast_3d(x, y)[0] * 2) + np.atleast_3d(y), V, M),
    "append": (np.append, M, V),
    "append-axis": (lambda x, y: np.append(x, y, axis=0), M, WIDE),
    "column_stack": (lambda x, y: np.column_stack([x, y]), U, M),
    "dstack": (lambda x, y: np.dstack([x, y]), M, M + 1),
    "block": (lambda x, y: np.block([[x, np.ones((3, 1))], [y, np.zeros((2, 1))]]), M, WIDE),
    "splits": (lambda x: np.hsplit(x, 2)[1] * np.vsplit(x, [1])[0][:, 2:] + np.dsplit(x[..., None], 1)[0][0, 0], M),
    "broadcast_arrays": (lambda x, y: np.multiply(*np.broadcast_arrays(x, y)), M, U[:, None]),
    "meshgrid": (lambda x, y: np.stack(np.meshgrid(x, y)), U, V),
    "meshgrid-ij": (lambda x, y: np.multiply(*np.meshgrid(x, y, indexing="ij", sparse=True)), U, V),
    "diag": (lambda x: np.diag(x, -1), V),
    "diag-of": (lambda x: np.diag(x, 1), M),
    "diagflat": (lambda x: np.diagflat(x, 1), U),
    "linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=1), C),
    "linalg.trace": (np.linalg.trace, C),
    # sums of products
    "kron": (np.kron, M, C[0]),
    "kron-ndim": (np.kron, C, U),
    "vdot": (np.vdot, M, M + 1),
    "vecdot": (lambda x, y: np.vecdot(x, y) + np.linalg.vecdot(x, y, axis=1), M, M[1:2]),
    "cross": (np.cross, C[0], U),
    "cross-axes": (lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), C[0], C[1]),
    "linalg.cross": (np.linalg.cross, C[0], C[1]),
    "diff": (lambda x: np.diff(x, 2, axis=0), M),
    "diff-ends": (lambda x: np.diff(x, prepend=0.0, append=x[:1]), V),
    "ediff1d": (lambda x: np.ediff1d(x, to_end=x[:2], to_begin=1.0), M),
    "trapezoid": (np.trapezoid, V, np.cumsum(V)),
    "trapezoid-axis": (lambda y: np.trapezoid(y, dx=0.5, axis=0), M),
    # order and statistics
    "sort": (np.sort, M),
    "sort-flat": (lambda x: np.sort(x, axis=None), M),
    "partition": (lambda x: np.partition(x, 1, axis=0)[1], M),
    "ptp": (lambda x: np.ptp(x, axis=1), M),
    "median": (np.median, M),
    "median-axis": (lambda x: np.median(x, axis=0, keepdims=True), M),
    "quantile-q": (lambda x, q: np.quantile(x, q, axis=1), M, np.array([0.1, 0.5001, 0.93])),
    **{
        f"quantile-{m}": (lambda x, m=m: np.quantile(x, [0.2, 0.63], axis=0, method=m), M)
        for m in ("lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased", "normal_unbiased")
    },
    "percentile": (lambda x: np.percentile(x, 30, axis=(0, 2), keepdims=True), C),
    "nanmedian": (lambda x: np.nanmedian(np.where(np.isnan(HOLES), np.nan, x), axis=0), M),
    "nanquantile": (lambda x: np.nanquantile(np.where(np.isnan(HOLES), np.nan, x), 0.3, axis=1), M),
    "average": (np.average, M),
    "average-weights": (lambda x, w: np.average(x, axis=0, weights=w), M, U),
    "average-axes": (lambda x, w: np.average(x, axis=(2, 0), weights=w), C, C[:, 0].T),
    "cov-weights": (lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w), M, M[0]),
    "interp-period": (lambda x, y: np.interp(x, [0.0, 2.5, 1.0], y, period=3.0), V * 4, U),
    **{
        f"{name}-{'-'.join(settings)}": (lambda x, name=name, s=settings: getattr(np, name)(x, axis=0, **s), M)
        for name, every in SETTINGS.items() for settings in every
    },
    "reduce-where": (lambda x: np.add.reduce(x, where=M > 1, initial=2.0, keepdims=True), M),
    "reduce-all": (lambda x: np.add.reduce(x, axis=None) * np.maximum.reduce(x, axis=None, keepdims=True), M),
    "var-mean": (lambda x, m: np.var(x, axis=0, mean=m), M, M[:1]),
    "average-both": (lambda x, w: np.average(x, weights=w, returned=True)[0], M, M + 1),
    "cov": (np.cov, M),
    "corrcoef": (np.corrcoef, M),
    **{
        name: (lambda x, name=name: getattr(np, name)(np.where(np.isnan(HOLES), np.nan, x), axis=0), M)
        for name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nancumsum", "nancumprod")
    },
    # functions by cases and tables
    "ldexp": (lambda x: np.ldexp(x, [1, 2, -1, 0]), M),
    "divmod": (lambda x: np.divmod(x, 0.7)[1], M),
    "modf": (lambda x: np.modf(x)[0], M),
    "nan_to_num": (lambda x: np.nan_to_num(np.where(np.isnan(HOLES), np.nan, x), nan=7.0), M),
    "unwrap": (lambda x: np.unwrap(x * 4), V),
    "angle": (lambda x: np.angle(x * (1 + 2j) + x * x, deg=True), V),
    "select": (lambda x: np.select([x < 1, x < 1.5], [x, x * x], 3.0), M),
    "heaviside": (lambda h: np.heaviside(np.array([0, 1, 0], np.float32), h), U),
    "full_like": (lambda x: np.full_like(x, x[0, 1]), M),
    "full_like-shape": (lambda x: np.full_like(x, x[0], shape=(2, 4)), M),
    "choose": (lambda x, y: np.choose([0, 1, 1, 0, 0], [x, y]), V, V * V),
    "piecewise": (lambda x: np.piecewise(x, [x < 1, x > 1.5], [lambda x: x**2, 4.0, np.sin]), M),
    "interp": (np.interp, np.array([-1.0, 0.3, 2.2, 9.0]), np.array([0.0, 1.0, 2.5]), U),
    "interp-ends": (lambda x: np.interp(x, [0.0, 1.0], [3.0, 5.0], left=0.0, right=1.0), np.array([-1.0, 0.4, 2.0])),
    "bincount": (lambda w: np.bincount([0, 2, 2, 1, 0], w, 5), V),
    "gradient": (lambda x: np.gradient(x, 0.5, axis=1), M),
    "gradient-2": (lambda x: np.stack(np.gradient(x, 0.5, 2.0, edge_order=2)), M),
    "gradient-coordinates": (lambda x, y: np.gradient(y, np.cumsum(x * x)), V, np.sin(V)),
    "gradient-coordinates-2": (
        lambda x, y: np.stack(np.gradient(x, np.cumsum(y * y), 0.5, edge_order=2)), M, np.array([0.5, 1.0, 0.7]),
    ),
    # ranges, running totals, functions along axes
    "linspace": (lambda x, y: np.linspace(x, y, 5), np.float64(1.2), np.float64(-3.4)),
    "linspace-arrays": (lambda x, y: np.linspace(x, y, 4, endpoint=False, axis=1), M, U[:, None]),
    "linspace-step": (lambda x, y: np.linspace(x, y, 4, retstep=True)[1], np.float64(1.2), np.float64(3.4)),
    "linspace-one": (lambda x, y: np.linspace(x, y, 1), np.float64(1.2), np.float64(3.4)),
    "logspace": (lambda x, y, b: np.logspace(x, y, 3, base=b), np.float64(0.2), np.float64(0.9), np.float64(2.5)),
    "geomspace": (lambda x, y: np.geomspace(x, y, 4, axis=-1), U, V[:3]),
    "geomspace-negative": (lambda x, y: np.geomspace(-x, -y, 4), np.float64(1.2), np.float64(3.4)),
    "cumulative_sum": (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), M),
    "cumulative_prod": (lambda x: np.cumulative_prod(x, include_initial=True), V),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda row: np.outer(row, row), 1, x), C),
    "apply_along_axis-number": (lambda x: np.apply_along_axis(np.prod, 0, x), M),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.prod, x, [0, -1]), C),
    "trim_zeros": (lambda x: np.trim_zeros(np.concatenate([np.zeros(2, x.dtype), x, x[:1] * 0])), V),
    "around-zero": (lambda x: x + np.around(x, 1), M),
    "frexp": (lambda x: np.frexp(x)[0], M),
    "nextafter": (lambda x: np.nextafter(x, 3.0), M),
    "i0": (np.i0, M),
    # sets and histograms
    "union1d": (np.union1d, V, U),
    "intersect1d": (lambda x: np.intersect1d(x, x.data[:2] if isinstance(x, Value) else x[:2]), V),
    "setdiff1d": (lambda x: np.setdiff1d(x, x.data[:2] if isinstance(x, Value) else x[:2]), V),
    "setxor1d": (np.setxor1d, V, U),
    "unique_values": (np.unique_values, V),
    "unique_counts": (lambda x: np.unique_counts(x).values, V),
    "unique_inverse": (lambda x: np.unique_inverse(x).values, V),
    "unique_all": (lambda x: np.unique_all(x).values, V),
    "histogram_bin_edges": (lambda x: np.histogram_bin_edges(x, 4), M),
    "histogram": (lambda x: np.histogram(x, 4, density=True)[0], M),
    "histogram-weights": (lambda w: np.histogram(M, 3, (0.6, 1.8), weights=w)[0], M * M),
    "histogram-density": (lambda w: np.histogram(M, [0.5, 1.0, 2.0], weights=w, density=True)[0], M * M),
    "histogram2d": (lambda x, y: np.histogram2d(x, y, 2, density=True)[0], V, V * V),
    "histogramdd": (lambda x: np.histogramdd(x, (2, 3, 2, 2), density=True)[0], M),
    # polynomials
    "polyadd": (np.polyadd, V, U),
    "polysub": (np.polysub, U, V),
    "polymul": (np.polymul, V, U),
    "polymul-zeros": (lambda x: np.polymul(np.concatenate([x[:1] * 0, x]), [0.0, 2.0, 1.0]), U),
    "polydiv": (lambda u, v: np.concatenate(np.polydiv(u, v)), V, U),
    "polydiv-short": (lambda u, v: np.polydiv(u, v)[1], U, V),
    "polyder": (lambda p: np.polyder(p, 2), V),
    "polyint": (lambda p, k: np.polyint(p, 2, k), V, U[:2]),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), np.array([0.1, 0.5, 0.9, 1.6, 2.0]), V),
    "polyfit-weights": (lambda y, w: np.polyfit(np.arange(5.0), np.stack([y, y * y], 1), 1, w=w), V, V[::-1]),
    "polyval": (np.polyval, U, M),
    "vander": (lambda x: np.vander(x, 4), U),
    "copy": (lambda x: np.positive(np.copy(x)), M),
    "correlate": (lambda a, v: np.correlate(a, v), V, U),
    **{
        f"correlate-{m}-{k}": (lambda x, y, m=m: np.correlate(x, y, m), *pair)
        for m in ("full", "same", "valid")
        for k, pair in enumerate([(V, U), (U, V), (V, U[:2]), (U[:2], V), (V[:4], U), (U, V[:4])])
    },
}  # fmt: skip


IN_DOUBLE = ("angle", "block", "polymul-zeros", "polyfit-weights", "histogram", "histogram-density", "histogram2d",
             "histogramdd", "polydiv-whole", "polyint-constant")  # fmt: skip
"""They divide by counts, or have constants of float64 or complex128 in them."""


@pytest.mark.parametrize("name", CASES)
def test_composed(name: str) -> None:
    function, *args = CASES[name]
    expected = function(*args)
    found = function(*[Value(x) for x in args])
    assert type(found) is Value
    np.testing.assert_allclose(found.data, expected, rtol=1e-13, atol=1e-15)
    assert found.shape == np.shape(expected)
    check_gradients(
        lambda *xs: np.nan_to_num(function(*xs)) if "nan" in name else function(*xs),
        *args,
        order=1 if name == "angle" else 2,
    )
    narrow = [np.asarray(x, np.float32)[()] for x in args]
    if name not in IN_DOUBLE:
        out = function(*[Value(x) for x in narrow])
        assert out.dtype == np.float32
        leaf = Value(narrow[0])
        function(leaf, *narrow[1:]).backward(np.ones(out.shape))
        assert leaf.grad.dtype == np.float32


A, B, D = RNG.uniform(-1, 1, (2, 3)), RNG.uniform(-1, 1, (3, 4)), RNG.uniform(-1, 1, (3, 3, 3))
EINSUMS: list[tuple[Any, ...]] = [
    ("ij,jk", A, B), ("ij,jk->ki", A, B), ("ij->", A), ("ij", A), ("ji", A), ("ii", D[0]), ("ii->i", D[0]),
    ("iii->i", D), ("iij->j", D), ("...ii->...i", D), ("...ij,jk->...ik", D, B), ("i...->...", A),
    ("...,...", D, D[0]), ("ij,ij,ij->j", A, A, A), ("ij,jk,kl->il", A, B, B.T), ("i,i", A[0], A[1]),
    ("i,j", A[0], B[0]), ("ij,kl->", A, B), (",ij", np.float64(2.0), A), (",", np.float64(2.0), np.float64(3.0)),
    ("ab,bc,cd,de->ae", A, B, B.T, B), ("ij,ij->ij", A, A[:1]), ("...i,...i->...", D, D[0, 0]), ("bhi,bhj->bij", D, D),
    ("ii,ij->j", D[0], B), ("ij,jj->i", A, D[0]), (" i j , j k -> i k ", A, B),
    ("ij,jk->ik", A, B[:1]), ("ij,kj->", A[:, :1], A), ("ii,i->i", D[0], B[:1, 0]), ("ij,jk,kl->il", A, B[:1], B.T[:1]),
]  # fmt: skip


@pytest.mark.parametrize("optimize", [False, True, "optimal"])
@pytest.mark.parametrize(("text", "arrays"), [(c[0], c[1:]) for c in EINSUMS], ids=[c[0] for c in EINSUMS])
def test_einsum(text: str, arrays: Any, optimize: Any) -> None:
    f = lambda *xs: np.einsum(text, *xs, optimize=optimize)
    out = f(*[Value(x) for x in arrays])
    np.testing.assert_allclose(out.data, f(*arrays), rtol=1e-12, atol=1e-14)
    assert out.shape == np.shape(f(*arrays))
    check_gradients(f, *arrays, order=2)


def test_einsum_by_lists_of_indices() -> None:
    f = lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0])
    np.testing.assert_allclose(f(Value(A), Value(B)).data, f(A, B), rtol=1e-14)
    check_gradients(f, A, B, order=2)
    implied = lambda x: np.einsum(x, [..., 0, 0])
    np.testing.assert_allclose(implied(Value(D)).data, implied(D), rtol=1e-14)
    check_gradients(implied, D)


def test_einsum_of_large_arrays_is_numpys() -> None:
    x, y = RNG.normal(size=(5, 20, 30)), RNG.normal(size=(5, 30, 25))
    for text in ("bij,bjk->kib", "bij,bjk->bik", "bij,bjk->ik", "bij,bjk->bijk"):
        np.testing.assert_allclose(np.einsum(text, Value(x), y).data, np.einsum(text, x, y), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("text", ["ij,jk->iq", "i,jk->ik", "ij->ii", "ij"])
def test_einsum_refuses_what_numpy_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="einsum"):
        np.einsum(text, Value(A), B)


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [2.0, 3.0, 0.0]])
def test_running_products_with_zeros(x: Any) -> None:
    check_gradients(np.cumprod, np.array(x), order=2)
    check_gradients(lambda x: np.cumprod(x, axis=0), np.outer(x, [1.0, 2.0]), order=2)


def test_a_list_is_inserted_at_one_place() -> None:
    def insert(x: Any) -> Any:
        return np.insert(x, 1, [7.0, 8.0])

    np.testing.assert_array_equal(insert(Value(V)).data, insert(V))
    check_gradients(insert, V, order=2)
    narrow = V.astype(np.float32)
    assert insert(Value(narrow)).dtype == insert(narrow).dtype == np.float32
    np.testing.assert_array_equal(np.insert(np.array([1, 2]), 1, Value(3.5)).data, [1.0, 3.5, 2.0])


@pytest.mark.parametrize("call", [
    lambda v: np.interp(v, [0.0, 1.0], [0.0, 1.0]), lambda v: np.quantile(v, 0.5), lambda v: np.percentile(v, 50),
    lambda v: np.nanquantile(v, 0.5), lambda v: np.nanpercentile(v, 50), lambda v: np.linalg.outer(v[None], v),
    *([lambda v: np.matvec(v, v), lambda v: np.vecmat(v, v)] if hasattr(np, "matvec") else []),  # NumPy 2.2
])  # fmt: skip
def test_what_numpy_refuses_is_refused(call: Any) -> None:
    z = np.array([1.0 + 2.0j, 3.0, 2.0j])
    for x in (z, Value(z)):
        with pytest.raises(
            (TypeError, ValueError), match=r"complex|Cannot cast|real numbers|vectors|one-|matrix|enough"
        ):
            call(x)


def test_a_value_is_not_added_to_in_place() -> None:
    with pytest.raises(TypeError, match=r"np.add.at writes into an array: write v = v.at\[index\].add\(x\)"):
        np.add.at(Value([1.0, 2.0]), [0, 0], 1.0)


def test_sinc_is_smooth_at_zero() -> None:
    f: Any = np.sinc
    derivatives = []
    for _ in range(5):
        derivatives.append(f(0.0))
        f = grad(f)
    np.testing.assert_allclose(derivatives, [1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5], atol=1e-12)


def test_functions_in_a_piece_see_only_their_elements() -> None:
    x = np.array([-1.0, 4.0])
    np.testing.assert_array_equal(grad(lambda x: np.piecewise(x, [x > 0], [np.sqrt, 0.0]).sum())(x), [0.0, 0.25])


@pytest.mark.parametrize(("call", "words"), [
    (lambda v: np.vsplit(v, 3), "vsplit"), (lambda v: np.take_along_axis(v[None], np.array([0]), 1), "take_along_axis"),
    (lambda v: np.meshgrid(v, v, indexing="yx"), "meshgrid"), (lambda v: np.diag(v[None, None]), "diag"),
    (lambda v: np.select([v > 1.0], [v, v]), "select"), (lambda v: np.choose([0, 1, 5], [v, v]), "choose"),
    (lambda v: np.piecewise(v, [v > 1.0, v > 2.0], [1.0]), "piecewise"),
    (lambda v: np.gradient(v, edge_order=3), "edge_order"), (lambda v: np.gradient(v, [0.0, 1.0]), "coordinates"),
    (lambda v: np.gradient(v[:2], edge_order=2), "at least 3 elements"),
    (lambda v: np.split(v, 2), "split"), (lambda v: np.split(v, np.int64(2)), "split"),
    (lambda v: np.einsum("i,i", v, np.ones(2)), "einsum"), (lambda v: np.correlate(v, v, "middle"), "correlate"),
    (lambda v: np.diff(v, -1), "diff"), (lambda v: np.diff(v[0]), "axis -1 is out of bounds"),
    (lambda v: np.linalg.norm(v, "nuc"), "norm"), (lambda v: np.linalg.norm(v[None, None], axis=(0, 1, 2)), "norm"),
    (lambda v: np.quantile(v, 2.0), "quantiles are between 0 and 1"),
    (lambda v: np.quantile(v, 0.5, method="middle"), "no method 'middle'"),
    (lambda v: np.average(v[None], axis=0, weights=np.ones(2)), "np.average takes weights"),
])  # fmt: skip
def test_arguments_that_do_not_fit_are_refused_as_numpy_does(call: Any, words: str) -> None:
    x = np.array([3.0, 1.0, 2.0])
    with pytest.raises((ValueError, TypeError)):
        call(x)
    with pytest.raises((ValueError, TypeError), match=words):
        call(Value(x))


@pytest.mark.parametrize("call", [
    lambda v: np.sort(v, order="f"), lambda v: np.partition(v, 1, order="f"), lambda v: np.add.reduceat(v, [0, 1]),
    lambda v: np.pad(v, 1, "maximum"), lambda v: np.quantile(v, 0.5, weights=v),
    lambda v: np.choose([0], [v, v], out=v), lambda v: np.pad(v, 1, constant_values=v[0]),
    lambda v: np.gradient(v, 1.0, 2.0), lambda v: np.cumprod(v, dtype=int),
    lambda v: np.nansum(v, out=np.zeros(())),
])  # fmt: skip
def test_settings_that_are_not_supported_raise(call: Any) -> None:
    with pytest.raises(TypeError):
        call(Value([1.0, 2.0, 3.0]))


def test_a_number_takes_the_dtype_of_the_arrays_that_it_is_joined_with() -> None:
    x = np.array([1.0, 2.0], np.float32)
    for join in (lambda x, y: np.concatenate([x, y], axis=None), np.append):
        out = join(Value(x), Value(0.5))
        assert out.dtype == np.concatenate([x, 0.5], axis=None).dtype == np.float32
        assert type(grad(lambda y, join=join: np.sum(join(x, y)))(0.5)) is float


def test_functions_that_select_by_plain_data_return_plain_indices_and_counts() -> None:
    x = Value([3.0, 1.0, 3.0, 2.0])
    values, first, second = np.intersect1d(x, [2.0, 3.0, 9.0], return_indices=True)
    np.testing.assert_array_equal(values.data, [2.0, 3.0])
    np.testing.assert_array_equal(first, [3, 0])
    np.testing.assert_array_equal(second, [0, 1])
    found = np.unique_all(x)
    np.testing.assert_array_equal(found.counts, [1, 1, 2])
    np.testing.assert_array_equal(found.inverse_indices, [2, 0, 2, 1])
    np.testing.assert_array_equal(np.unique_counts(x).counts, [1, 1, 2])
    n, edges = np.histogram(x, 2)
    assert type(n) is np.ndarray
    np.testing.assert_array_equal(edges.data, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.histogram(x, [0.0, 2.5, 4.0])[0], [2, 2])
    assert type(np.around(x)) is np.ndarray
    mantissa, exponent = np.frexp(Value(6.0))
    assert (mantissa.data, exponent) == (0.75, 3)
    assert np.nextafter(Value(1.0), 2.0).data == np.nextafter(1.0, 2.0)


@pytest.mark.parametrize("call", [
    lambda v: np.polyfit(v, v, 1, full=True), lambda v: np.geomspace(v[0], 1j, 3),
    lambda v: np.trim_zeros(v[None]), lambda v: np.histogram2d([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 2, weights=v),
])  # fmt: skip
def test_what_is_not_supported_of_these_raises(call: Any) -> None:
    with pytest.raises(TypeError, match=r"np\."):
        call(Value([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="vectors of 3 elements"):
        np.cross(Value([1.0, 2.0]), Value([1.0, 2.0]))
    with pytest.raises(ValueError, match="both ends"):
        np.geomspace(Value(-1.0), 2.0)
    with pytest.raises(ValueError, match="axis="):
        np.cumulative_sum(Value([[1.0]]))


def test_a_number_is_not_sorted() -> None:
    for function in (np.sort, lambda v: np.partition(v, 0)):
        with pytest.raises(np.exceptions.AxisError, match="dimension 0"):
            function(Value(1.0))


def test_the_median_of_nothing_is_nan() -> None:
    found = np.median(Value(np.zeros((0, 3))), axis=0)
    assert found.shape == (3,)
    assert np.isnan(found.data).all()
    with pytest.raises(np.exceptions.AxisError):
        np.median(Value(M), axis=2)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_a_reduction_of_nothing_is_its_initial_value(name: str) -> None:
    function, first = getattr(np, name), Value(1.5)
    out = function(Value(np.zeros((2, 0))), axis=1, initial=first)
    np.testing.assert_array_equal(out.data, [1.5, 1.5])
    np.sum(out).backward()
    assert first.grad == 2.0
