"""Machine code computes what NumPy computes: every operation with code of its own, over shapes that are hard."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fuzz_compiled
import numpy as np
import pytest
from test_jit import loss, network, parameters, same, step

from autograd_core import Value, grad, jit, log_softmax, normal_cdf, scan, sigmoid, softplus, to_python, value_and_grad

pytest.importorskip("llvmlite", reason="the compiler to machine code is in the extra `fast`")
special = pytest.importorskip("scipy.special", reason="SciPy is in it, too")

SHAPES = [(), (0,), (1,), (3,), (33,), (3, 5), (4, 0)]
EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e-310, 1e-40, -1e-40, 1.0, -1.0, 0.5, -2.5, 710.0,
         -745.0, 1e308, -1e308, 1e-8, -1e-8, 88.5, -88.5, -103.0, 1e38]  # fmt: skip

UNARY = {
    "negative": np.negative, "absolute": np.abs, "square": np.square, "reciprocal": np.reciprocal, "sqrt": np.sqrt,
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "tanh": np.tanh, "sigmoid": sigmoid,
    "softplus": softplus, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint,
    "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "signbit": np.signbit, "not": np.logical_not,
    "erf": special.erf, "float32": lambda x: x.astype(np.float32), "bool": lambda x: (x > 0.3).astype(np.float64),
    **{f.__name__: f for f in (
        np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.arcsinh, np.arccosh, np.arctanh,
        np.exp2, np.log2, np.log10, np.cbrt,
    )},
    **{f"power {k}": lambda x, k=k: np.power(x, x.dtype.type(k)) for k in (-3, -2, -1.5, -1, -0.5, 0.5, 1.5, 3, 4, 7)},
}  # fmt: skip
BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "maximum": np.maximum,
    "minimum": np.minimum, "fmax": np.fmax, "fmin": np.fmin, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal, "equal": np.equal, "not_equal": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor, "copysign": np.copysign,
    "where": lambda x, y: np.where(x > y, x, y * 2.0), "power": np.power, "logaddexp": np.logaddexp,
    "hypot": np.hypot, "arctan2": np.arctan2, "fmod": np.fmod, "remainder": np.remainder,
}  # fmt: skip


def machine(fun: Any, **options: Any) -> Any:
    return jit(fun, backend="llvm", **options)


def quiet(fun: Any, *args: Any) -> Any:
    with np.errstate(all="ignore"):
        return fun(*args)


def agree(found: Any, expected: Any, dtype: Any) -> None:
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    info = np.finfo(dtype)
    np.testing.assert_allclose(found, expected, rtol=8 * info.eps, atol=4 * float(info.smallest_subnormal))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_unary_operations(name: str, dtype: Any) -> None:
    fun = UNARY[name]
    compiled = machine(fun)
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        edges = np.array(EDGES).astype(dtype)
    for x in [edges, *[rng.standard_normal(s).astype(dtype) for s in SHAPES]]:
        agree(compiled(x), quiet(fun, x), dtype)
    assert "Nothing is left to NumPy" in compiled.program(edges).explain()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [np.sin, np.cos])
def test_sines_near_multiples_of_a_quarter_turn_and_far_out(function: Any, dtype: Any) -> None:
    """To 2 units in the last place; the numbers that are beside a large one in a vector stay the same."""
    near = (np.arange(-63700, 63700) * (np.pi / 2)).astype(dtype)
    x = np.concatenate([near, np.nextafter(near, dtype(np.inf)), np.nextafter(near, dtype(-np.inf)), near * dtype(1e3)])
    compiled = machine(function)
    found, exact = compiled(x), function(x.astype(np.longdouble))
    assert np.max(np.abs(found - exact) / np.spacing(np.abs(exact).astype(dtype))) < 2
    mixed = np.where(np.arange(x.size) % 7 == 3, dtype(1e20), x)
    np.testing.assert_array_equal(compiled(mixed)[mixed == x], found[mixed == x])
    both = lambda x: np.stack([np.sin(x) * 2.0 - np.cos(x), np.cos(x[1]) * np.cos(x) + np.sin(x[1])])
    np.testing.assert_allclose(machine(both)(x), both(x), rtol=0, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
def test_binary_operations(name: str, dtype: Any) -> None:
    fun = BINARY[name]
    compiled = machine(fun)
    rng = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        x, y = (np.array(a).astype(dtype).ravel() for a in np.meshgrid(EDGES, EDGES))
    agree(compiled(x, y), quiet(fun, x, y), dtype)
    pairs = [((3, 5), (5,)), ((4, 1), (1, 7)), ((9,), ()), ((0, 3), (3,)), ((2, 3, 4), (3, 1))]
    for s, t in pairs:
        x, y = rng.standard_normal(s).astype(dtype), np.asarray(rng.standard_normal(t)).astype(dtype)
        agree(compiled(x, y), quiet(fun, x, y), dtype)
        agree(compiled(x.T.copy().T, y), quiet(fun, x, y), dtype)
    x = rng.standard_normal((6, 6)).astype(dtype)
    agree(compiled(x, x), quiet(fun, x, x), dtype)
    agree(compiled(x[::2], x[1::2, ::-1]), quiet(fun, x[::2], x[1::2, ::-1]), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [np.sum, np.mean, np.max, np.min, np.prod])
def test_reductions(function: Any, dtype: Any) -> None:
    rng = np.random.default_rng(2)
    for shape, axes in [((7,), [None]), ((3, 5), [None, 0, 1]), ((2, 3, 33), [None, 1, 2, (0, 2), (0, 1)]),
                        ((20, 17), [0]), ((1, 1), [0]), ((50, 1), [0, 1]), ((), [None])]:  # fmt: skip
        x = rng.uniform(0.8, 1.2, shape).astype(dtype)

        def every(v: Any, axes: Any = axes) -> Any:
            straight = [function(v * v, axis=a, keepdims=k) * 2.0 for a in axes for k in (False, True)]
            return straight + [function(v.T, axis=a) for a in axes]

        for found, expected in zip(machine(every)(x), every(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=50 * np.finfo(dtype).eps)


def test_sums_over_nothing_and_extremes_of_nan() -> None:
    same(machine(lambda x: x.sum(axis=0))(np.zeros((0, 3))), np.zeros(3))
    same(machine(lambda x: x.sum(axis=1))(np.zeros((0, 3))), np.zeros(0))
    x = np.array([1.0, np.nan, 3.0, 2.0, 5.0, 0.0])
    assert np.isnan(machine(np.max)(x))
    assert np.isnan(machine(np.min)(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k", "m"), [(1, 1, 1), (4, 2, 3), (5, 7, 1), (1, 9, 13), (7, 16, 12), (13, 3, 17),
                                     (9, 5, 30), (0, 3, 2), (3, 0, 2), (6, 33, 8), (20, 4, 10)])  # fmt: skip
def test_products_of_matrices(n: int, k: int, m: int, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((n, k), (k, m), (m,)))
    near: Any = dict(rtol=1e-4, atol=1e-5) if dtype == np.float32 else dict(rtol=1e-12, atol=1e-13)

    def every(a: Any, b: Any, c: Any) -> Any:
        return [a @ b, (b.T @ a.T).T, np.tanh(a @ b + c) * 2.0, (a @ b + c) - c, a.T.T @ b * 3.0]

    def turned(a: Any, b: Any, left: Any, right: Any) -> Any:
        return [left.T @ b, a @ right.T, left.T @ right.T, a @ b[:, 0], a[0] @ b if n else a @ b, a[:, :0] @ b[:0]]

    for fun, args in [(every, (a, b, c)), (turned, (a, b, a.T.copy(), b.T.copy()))]:
        for found, expected in zip(machine(fun)(*args), fun(*args), strict=True):
            np.testing.assert_allclose(found, expected, **near)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_that_copy_panels_and_blocks(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((41, 400), (400, 53), (53,)))
    x, y = rng.standard_normal((400, 201)).astype(dtype), rng.standard_normal((53, 400)).astype(dtype)

    def every(a: Any, b: Any, c: Any, x: Any, y: Any) -> Any:
        return [a @ b, np.tanh(a @ b * 0.1 + c), x.T @ b, np.tanh(x.T @ b * 0.1) - c, x.T @ y.T, a @ y.T]

    for found, expected in zip(machine(every)(a, b, c, x, y), every(a, b, c, x, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_products_go_to_blas(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((300, 400), (400, 350), (350,)))

    def every(a: Any, b: Any, c: Any) -> Any:
        turned = [a.reshape(400, 300).T @ b, a @ b.reshape(350, 400).T]
        updates = [b - 0.5 * (a.T @ (a @ b)), c - (a @ b) * c[0]]
        return [a @ b, (b.T @ a.T) * 2.0, np.tanh(a @ b / 20.0 + c), *turned, *updates]

    for found, expected in zip(machine(every)(a, b, c), every(a, b, c), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "inner", "columns"), [(200, 3, 30), (30, 2, 77), (40, 1, 1), (65, 4, 150), (7, 9, 5)])
def test_updates_by_products_of_what_is_small(rows: int, inner: int, columns: int, dtype: Any) -> None:
    rng = np.random.default_rng(6)
    a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((inner, rows), (inner, columns), (rows, columns)))

    def every(a: Any, b: Any, c: Any, rate: Any) -> Any:
        product = (a.T * 2.0) @ b
        columnar = c.T - (b.T @ a) * rate
        return (
            c - rate * (a.T @ b),
            c - 0.125 * (a.T @ b),
            columnar,
            c[:, 0] - rate * (a.T @ b[:, 0]),
            product - rate * product,
        )

    for rate in (dtype(0.3), dtype(0.0), dtype(-2.0)):
        for found, expected in zip(machine(every)(a, b, c, rate), every(a, b, c, rate), strict=True):
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 if dtype == np.float32 else 1e-13)


def test_gathers() -> None:
    x, f = np.arange(12.0).reshape(4, 3), machine(lambda x, i: x[i] * 2.0)
    for index in (np.array([0, 3, -1]), np.array([], int), np.array([1, 1, 2], np.int32)):
        same(f(x, index), x[index] * 2.0)
    with pytest.raises(IndexError, match="out of range"):
        f(x, np.array([0, 4, 0]))
    with pytest.raises(IndexError, match="out of range"):
        f(x, np.array([0, -5, 0]))


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (17, 9), (33, 40)])
@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_places_of_extremes_variances_and_reductions_of_integers(shape: tuple[int, int], backend: str) -> None:
    def f(x: Any, labels: Any, i: Any) -> Any:
        return (
            np.argmax(x, axis=1), np.argmin(x, axis=0), np.argmax(x), np.argmax(x, axis=-1, keepdims=True),
            np.mean(np.argmax(x, axis=1) == labels), np.var(x, axis=0), np.var(x), np.sum(i, axis=0),
            np.max(i, axis=1), np.min(i), np.prod(i, axis=1), np.mean(i, axis=0), np.sum(x > 0), np.argmax(labels),
        )  # fmt: skip

    rng = np.random.default_rng(9)
    x = rng.normal(size=shape).round(1)  # with ties
    labels, i = rng.integers(0, shape[1], shape[0]), rng.integers(-5, 9, shape)
    compiled = jit(f, backend=backend)
    same(compiled(x, labels, i), f(x, labels, i), 1e-12)
    if backend == "llvm":
        assert "Nothing is left to NumPy" in compiled.program(x, labels, i).explain()
    x[:, 0] = np.nan
    assert list(compiled(x, labels, i)[0]) == [0] * shape[0]


COMPOSED = (
    lambda x: np.roll(x, 2), lambda x: np.roll(x, -1, axis=0), lambda x: np.roll(x, 7, 1), lambda x: np.roll(x, 0),
    lambda x: np.roll(x[:0], 1, axis=0), lambda x: np.pad(x, 1), lambda x: np.pad(x, 0), lambda x: np.diff(x),
    lambda x: np.pad(x, ((1, 2), (0, 3)), constant_values=2.5), lambda x: np.diff(x, 2, axis=0), np.tril,
    lambda x: np.triu(x, 1), lambda x: np.tril(x, -2), np.linalg.norm, lambda x: np.linalg.norm(x, axis=1),
    lambda x: np.linalg.norm(x, axis=0, keepdims=True), lambda x: np.vdot(x, x), lambda x: np.inner(x[0], x[1]),
    lambda x: x[1:] * x[:-1], lambda x: x[::-2, 1:-1], lambda x: x[2], lambda x: x[..., None, 0], lambda x: x[1:1],
    lambda x: x[None], lambda x: np.vdot(x[0], np.ones(6, x.dtype)), lambda x: x**3 + x**-2,
    np.diag, lambda x: np.diag(x[1], -2), lambda x: np.diag(x, k=-4), lambda x: np.trace(x, 2),
    lambda x: np.diagonal(x.reshape(5, 3, 2), 1, 2, 0), lambda x: x[..., [1, 3, 5]],
    lambda x: x[[0, 2, 4], np.array([-6, 1, 2])],
)  # fmt: skip
LEFT = (
    lambda x: np.roll(x, (1, 2), axis=(0, 1)), lambda x: np.pad(x, 1, mode="edge"), lambda x: np.linalg.norm(x, 2),
    lambda x: np.pad(x, 1, constant_values=((1, 2), (3, 4))), lambda x: np.diff(x, prepend=0.0), lambda x: np.sort(a=x),
    lambda x: np.linalg.norm(x, "fro"), lambda x: np.inner(x, x), lambda x: np.inner(x[0], 2.0),
    lambda x: np.einsum("ij,jk", x, x.T), lambda x: np.einsum("...i,i->...", x, x[0]), lambda x: x[None] @ x[0],
    lambda x: np.einsum("ij->ji", x), lambda x: np.einsum(x, [0, 1], x, [2, 1], [0, 2]),
    lambda x: x[[3, 1], [0, 2]], lambda x: x[..., [0, 1, 3]], lambda x: x[[1, 1], [2, 2]],
    lambda x: np.diag(x > 0) * x[:, 0], lambda x: np.trace(x > 0) * x, lambda x: np.repeat(x[0, 0], 2),
    lambda x: np.prod(np.reshape(x, (5, 2, 3)), axis=(0, 2)),
)  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("backend", ["llvm", "numpy"])
@pytest.mark.parametrize("f", COMPOSED + LEFT)
def test_functions_that_are_composed_of_others(f: Any, backend: str, dtype: Any) -> None:
    """And what is asked of them beyond that, which is left to NumPy."""
    x = np.random.default_rng(9).standard_normal((5, 6)).astype(dtype)
    gradient = grad(lambda x: np.sum(np.sin(f(x))))
    for fun in (f, gradient):
        compiled = jit(fun, backend=backend)
        found, wanted = compiled(x), fun(x)
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        near = 1e-11 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(found, wanted, rtol=near, atol=near)
        if backend == "llvm" and f in COMPOSED:
            assert "Nothing is left to NumPy" in compiled.program(x).explain()


@pytest.mark.parametrize("backend", ["llvm", "numpy"])
def test_a_python_number_stays_weak_through_what_is_left_to_numpy(backend: str) -> None:
    """So that the dtype is that of the array which it meets."""
    f = lambda v, x: value_and_grad(lambda x: np.sum(v * np.linalg.norm(x) * np.prod(x)))(x)
    v = np.ones(3, np.float32)
    for found, wanted in zip(jit(f, backend=backend)(v, 2.0), f(v, 2.0), strict=True):
        same(found, wanted)


def test_rows_out_of_range_are_refused_where_only_their_gradient_is_computed() -> None:
    f = machine(grad(lambda x, i: np.sum(x[i])))
    x = np.ones((3, 2))
    np.testing.assert_array_equal(f(x, np.array([2, -3, 2])), [[1, 1], [0, 0], [2, 2]])
    with pytest.raises(IndexError):
        f(x, np.array([0, 3]))
    with pytest.raises(IndexError):
        f(x, np.array([0, -4]))


def test_what_has_no_code_is_left_to_numpy_within_loops_too() -> None:
    def f(x: Any) -> Any:
        return scan(lambda c, row: (np.linalg.inv(c + np.eye(2)) + np.sinc(row), np.sort(row)), np.ones((2, 2)), x)

    x = np.random.default_rng(4).standard_normal((5, 2))
    same(machine(f)(x), f(x))
    text = machine(f).program(x).explain()
    assert "Left to NumPy: " in text
    assert "inv (1)" in text
    assert "machine code: 2 operations in 2 kernels" in text, "what is left to NumPy is not machine code"


def test_an_error_in_numpy_is_raised_by_the_program() -> None:
    f = machine(lambda x: np.linalg.inv(x) * 2.0)
    same(f(np.eye(2)), np.eye(2) * 2.0)
    with pytest.raises(np.linalg.LinAlgError):
        f(np.zeros((2, 2)))
    same(f(np.eye(2)), np.eye(2) * 2.0)


def train(params: Any, xs: Any, ys: Any, rate: Any) -> Any:
    return scan(lambda p, batch: step(p, *batch, rate), params, (xs, ys))


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_thousand_steps_in_one_call(backend: str) -> None:
    rng = np.random.default_rng(5)
    params = parameters((2, 5, 1))
    xs, ys = rng.standard_normal((1000, 4, 2)), rng.random((1000, 4, 1))
    found, expected = jit(train, backend=backend)(params, xs, ys, 0.5), train(params, xs, ys, 0.5)
    same(found, expected, 1e-9)


def test_a_state_that_is_swapped_kept_or_returned_twice() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return scan(lambda s, x: ((s[1], s[0] + x, s[2]), (s[0], s[2], x * 2.0)), (a, b, c), np.arange(4.0))

    for backend in ("numpy", "llvm"):
        same(jit(f, backend=backend)(np.ones(3), np.zeros(3), np.float64(7.0)),
             f(np.ones(3), np.zeros(3), np.float64(7.0)))  # fmt: skip


def test_scan_outside_and_its_errors() -> None:
    same(scan(lambda c, _: (c * 2.0, c), 1.0, length=3)[0], np.float64(8.0))
    with pytest.raises(ValueError, match="they give 2, 3"):
        scan(lambda c, x: (c, x), 1.0, np.ones(2), length=3)
    with pytest.raises(ValueError, match="they give none"):
        scan(lambda c, x: (c, x), 1.0)
    for wrong in (lambda c, _: (np.stack([c, c]), None), lambda c, _: (c * 1j, None)):
        twice = lambda x, wrong=wrong: scan(wrong, x, length=2)
        for call in (twice, jit(twice)):
            with pytest.raises(TypeError, match="a state keeps its shapes and dtypes"):
                call(1.0)
    with pytest.raises(TypeError, match="a tuple of length 1 in the place of a tuple of length 2"):
        scan(lambda c, _: ((c[0],), None), (1.0, 2.0), length=2)


def test_a_state_keeps_its_order_its_structure_and_its_dtypes() -> None:
    def turned(s: Any, x: Any) -> Any:
        return {"b": s["b"] + x, "a": s["a"] * x}, None

    for f in (lambda xs: scan(turned, {"a": 1.0, "b": 0.0}, xs), lambda xs: scan(lambda c, x: (c + x, c), 0.0, xs)):
        for xs in (np.array([2.0, 3.0]), np.array([2.0, 3.0], np.float32), np.zeros(0)):
            for backend in ("numpy", "llvm"):
                same(jit(f, backend=backend)(xs), f(xs))
    wrong = {
        "goes into a step as float32 .* and comes out as float64": lambda c, x: (c.astype(np.float32) + x, None),
        "a state keeps its structure; a step returned more than one": lambda c, x: ([c, c], None),
        "a step returns a pair": lambda c, x: c,
    }
    for text, wrongly in wrong.items():
        f = lambda x, wrongly=wrongly: scan(wrongly, np.zeros(2, np.float32), np.stack([x, x]))
        for g in (f, jit(f)):
            with pytest.raises(TypeError, match=text):
                g(np.ones(2))


@pytest.mark.parametrize("shape", [(10**6,), (300_000, 3)])
def test_long_sums_of_float32_stay_near(shape: tuple[int, ...]) -> None:
    x = np.full(shape, 0.1, np.float32)
    exact = np.sum(x, dtype=float)
    for f in (np.sum, lambda x: np.sum(x - np.zeros(x.shape[-1], np.float32)), lambda x: np.sum(np.sum(x, axis=0))):
        assert abs(float(machine(f)(x)) / exact - 1) < 3e-6


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_loop_of_as_many_steps_as_are_asked_for(backend: str) -> None:
    def f(start: Any, xs: Any, count: Any) -> Any:
        return scan(lambda c, x: (c + x[0], (c * x, x > 0.5)), start, xs, count=count)

    xs, start = np.random.default_rng(8).random((5, 3)), np.float64(0.0)
    compiled = jit(f, backend=backend)
    for count in (3, 0, 5, 1):
        found = compiled(start, xs, count)
        same(found, f(start, xs, count))
        assert not found[1][0][count:].any()
    assert len(compiled.programs) == 1
    for count in (6, -1):
        with pytest.raises(IndexError, match="scan: a count"):
            compiled(start, xs, count)
        with pytest.raises(ValueError, match=f"count={count} of 5 steps"):
            f(start, xs, count)


def test_a_derivative_through_a_loop() -> None:
    def f(w: Any, xs: Any) -> Any:
        return grad(lambda v: np.sum(scan(lambda h, x: (np.tanh(x + h @ v), None), np.zeros(2), xs)[0]))(w)

    w, xs = np.random.default_rng(6).standard_normal((2, 2)), np.ones((3, 2))
    same(machine(f)(w, xs), f(w, xs))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.uint64, bool])
def test_outputs_of_a_loop_that_nobody_takes_are_not_kept(dtype: Any) -> None:
    """They were written behind the memory of the program."""

    def step(total: Any, x: Any) -> Any:
        return total + 1.0, (np.tile(x, 100), x)

    xs = np.ones(1000, dtype)
    for count in (None, 0, 700):
        program = jit(lambda xs, n=count: scan(step, 0.0, xs, count=n)[0])
        every = jit(lambda xs, n=count: (lambda end, outs: (end, outs[1]))(*scan(step, 0.0, xs, count=n)))
        taken = 1000 if count is None else count
        assert program(xs) == every(xs)[0] == taken
        assert program.program(xs).execute.size < 8192  # type: ignore[attr-defined]
        np.testing.assert_array_equal(every(xs)[1], np.arange(1000) < taken)
        assert every(xs)[1].dtype == dtype


@pytest.mark.parametrize("backend", ["llvm", "numpy"])
def test_what_follows_a_loop_sees_numbers_that_its_steps_may_give(backend: str) -> None:
    """They were zeros, whose inverse there is not."""

    def f(a: Any) -> Any:
        last, all_ = scan(lambda c, x: (c + x, c), a, np.ones((3, 2, 2)))
        return np.linalg.inv(last), np.linalg.inv(all_)

    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    for found, wanted in zip(jit(f, backend=backend)(a), f(a), strict=True):
        np.testing.assert_allclose(found, wanted)
    np.testing.assert_allclose(jit(lambda a: np.linalg.inv(scan(step_of_none, a, length=0)[0]))(a), np.linalg.inv(a))


def step_of_none(c: Any, x: None) -> Any:
    return c, None


def test_ctrl_c_is_raised_by_a_program_that_calls_numpy() -> None:
    """It comes ahead of the first line of a call, mostly, for machine code does not look for it."""
    code = """
import os, signal, sys, threading, time
import numpy as np
from autograd_core import jit, scan
sys.unraisablehook = lambda unraisable: None
a = np.random.default_rng(0).normal(size=(150, 150)) / 20
f = jit(lambda c: scan(lambda c, x: (np.sort(np.tanh(a @ (a @ c)), axis=0) + c, None), c, length=150)[0])
c = np.full((150, 150), 0.1)
wanted = f(c)
begin = time.perf_counter()
f(c)
seconds = time.perf_counter() - begin
for k in range(8):
    timer = threading.Timer(seconds * 0.1 * k, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        found = f(c)
        timer.join()
        time.sleep(0.1)
        assert np.array_equal(found, wanted), "Ctrl-C was lost, and what it ended is not there"
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("Ctrl-C was lost")
assert np.array_equal(f(c), wanted)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_momentum_and_adam_in_a_loop() -> None:
    def adam(state: Any, batch: Any) -> Any:
        params, m, v, t = state
        cost, g = value_and_grad(loss)(params, *batch)
        t = t + 1.0
        new = []
        for (w, b), (gw, gb), mk, vk in zip(params, g, m, v, strict=True):
            pair, ms, vs = [], [], []
            for p, q, a, c in ((w, gw, mk[0], vk[0]), (b, gb, mk[1], vk[1])):
                a, c = 0.9 * a + 0.1 * q, 0.999 * c + 0.001 * q * q
                pair.append(p - 0.01 * (a / (1 - 0.9**t)) / (np.sqrt(c / (1 - 0.999**t)) + 1e-8))
                ms.append(a)
                vs.append(c)
            new.append((tuple(pair), tuple(ms), tuple(vs)))
        return ([n[0] for n in new], [n[1] for n in new], [n[2] for n in new], t), cost

    rng = np.random.default_rng(7)
    params = parameters((3, 4, 2))
    zeros = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]
    batches = rng.standard_normal((20, 6, 3)), rng.random((20, 6, 2))
    f = lambda p, x, y: scan(adam, (p, zeros, zeros, 0.0), (x, y))
    (found, *_), costs = machine(f)(params, *batches)
    (expected, *_), wanted = f(params, *batches)
    same(found, expected, 1e-9)
    same(costs, wanted, 1e-9)


def test_one_program_in_many_threads() -> None:
    params, rng = parameters((8, 16, 4)), np.random.default_rng(8)
    f = machine(lambda p, x: network(p, x).sum(axis=0))
    points = [rng.standard_normal((20, 8)) for _ in range(4)]
    expected = [f(params, x) for x in points]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(200):
            if not np.array_equal(f(params, points[k]), expected[k]):
                wrong.append(k)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert not wrong


def test_fast_math_is_asked_for() -> None:
    x = np.array([np.nan, 1.0])
    assert np.isnan(machine(lambda v: v * 0.0)(x)).any()
    same(machine(lambda v: v * 0.0, fast_math=True)(x), np.zeros(2))


def test_a_graph_as_python() -> None:
    w, x = Value([[0.5], [-1.0]], name="w¹"), np.array([[1.0, 2.0], [3.0, 4.0]])
    cost = (sigmoid(x @ w) ** 2).sum()
    cost.backward()
    names: dict[str, Any] = {}
    text = to_python(cost, gradient=True)
    exec(text, names)
    value, gradient = names["program"](w.data)
    same(np.float64(value), np.float64(cost.data))
    same(gradient, w.grad)
    assert "def program(w1)" in text
    with pytest.raises(TypeError, match="this is a float"):
        to_python(1.0)  # type: ignore[arg-type]


def test_sources_with_indices_and_with_functions_that_are_not_numpys() -> None:
    v, m = Value(np.arange(6.0) + 0.5, name="v"), Value(np.arange(9.0).reshape(3, 3) + np.eye(3), name="m")
    large = np.linspace(0.0, 1.0, 300).reshape(3, 100)
    for make in (
        lambda: log_softmax(m)[[0, 1, 2], [2, 1, 1]].sum(),
        lambda: np.sum(v[::2] * v[np.int64(1)]) + np.sum(v[np.array([0, 0, 3])] ** 2) + v[v.data > 2.0].sum(),
        lambda: np.sum(special.erf(v)) + np.linalg.norm(m) + np.sum(np.sort(v) * np.arange(6.0)),
        lambda: np.einsum("ij,jk->", m, m) + np.convolve(v, np.array([1.0, -1.0]))[2],
        lambda: np.sum(m @ large),
    ):
        result = make()
        result.backward()
        text = to_python(result, gradient=True, names={"large": large})
        leaves = [x for x in (v, m) if f"{x.name} (" in text]
        names: dict[str, Any] = {"large": large}
        exec(text, names)
        same(names["program"](*[x.data for x in leaves]), (result.data, *[x.grad for x in leaves]))
        assert ("Given as globals: large (3, 100)." in text) == ("large" in text)
        v.grad = m.grad = None
    with pytest.raises(TypeError, match="one of these is complex"):
        to_python(Value(1j) * 2.0)


def test_sources_find_rules_that_decide_on_numbers_and_spell_complex_constants() -> None:
    m, v, angle = Value(np.eye(3) + 0.1, name="m"), Value(np.arange(1.0, 4.0), name="v"), Value([0.3], name="θ")
    for make, leaf in (
        (lambda: np.linalg.svd(m)[1].sum() + np.linalg.eigh(m)[0][0] + np.linalg.det(m), m),
        (lambda: np.prod(v) + np.sum(normal_cdf(v)), v),
        (lambda: np.sum(np.real(np.exp(1j * angle) * (2 - 1j))), angle),
    ):
        result = make()
        result.backward()
        text = to_python(result, gradient=True)
        assert "Given as globals" not in text
        assert f"def program({leaf.name})" in text
        names: dict[str, Any] = {}
        exec(text, names)
        same(names["program"](leaf.data), (result.data, leaf.grad))


def test_the_source_of_a_network_is_that_of_a_textbook() -> None:
    x, y = np.array([[0.5, -1.0]]), np.array([[1.0]])
    w1, b1 = Value([[0.4, -0.6, 0.1], [0.2, 0.5, -0.3]], name="w¹"), Value([0.0, 0.1, -0.1], name="b¹")
    w2, b2 = Value([[0.7], [-0.4], [0.9]], name="w²"), Value([0.2], name="b²")
    z2 = x @ w1 + b1
    a2 = sigmoid(z2)
    z3 = a2 @ w2 + b2
    a3 = sigmoid(z3)
    e = a3 - y
    C = np.sum(e * e)
    text = to_python(C, gradient=True, names=locals())
    assert text == TEXTBOOK
    C.backward()
    names: dict[str, Any] = {}
    exec(text, names)
    found = names["program"](w1.data, b1.data, w2.data, b2.data)
    same(found, (C.data, w1.grad, b1.grad, w2.grad, b2.grad))


TEXTBOOK = '''import numpy as np


def program(w1, b1, w2, b2):
    """w1 (2, 3), b1 (3,), w2 (3, 1), b2 (1,): float64."""
    x = np.array([[0.5, -1.0]])
    y = np.array([[1.0]])
    z2 = x @ w1 + b1  # matmul, add
    a2 = 1.0 / (1.0 + np.exp(-z2))  # sigmoid
    z3 = a2 @ w2 + b2  # matmul, add
    a3 = 1.0 / (1.0 + np.exp(-z3))  # sigmoid
    e = a3 - y  # sub
    C = np.sum(e * e)  # mul, sum

    # The gradients, from the result back
    grad_e = e + e  # the gradient with respect to e
    grad_z3 = grad_e * (a3 * (1.0 - a3))  # the gradient with respect to z3
    grad_b2 = np.sum(grad_z3, axis=0)  # the gradient with respect to b2
    grad_a2 = grad_z3 @ w2.T  # the gradient with respect to a2
    grad_w2 = a2.T @ grad_z3  # the gradient with respect to w2
    grad_z2 = grad_a2 * (a2 * (1.0 - a2))  # the gradient with respect to z2
    grad_b1 = np.sum(grad_z2, axis=0)  # the gradient with respect to b1
    grad_w1 = x.T @ grad_z2  # the gradient with respect to w1

    return C, grad_w1, grad_b1, grad_w2, grad_b2
'''


def test_large_results_of_the_source_are_in_buffers() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sum(sigmoid(x * y + 1.0) @ np.tanh(y))

    x, y = np.random.default_rng(9).standard_normal((2, 200, 200))
    program = jit(f, backend="numpy").program(x, y)
    assert "def f(x, y, work=None):" in program.source
    assert program.source.count("np.empty(") == 3
    same(jit(f, backend="numpy")(x, y), f(x, y), 1e-9)


@pytest.mark.parametrize("first", range(0, 9, 3))
def test_random_programs_as_machine_code_agree(first: int) -> None:
    for seed in range(first, first + 3):
        fuzz_compiled.run(seed, "llvm")
