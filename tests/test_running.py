"""Running sums and products, compiled: NumPy's numbers to the last bit, along every axis, and their gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_jit import same

from autograd_core import grad, jit, scan
from autograd_core.registry import OPS

pytest.importorskip("llvmlite", reason="the compiler to machine code is in the extra `fast`")

INF, NAN = np.inf, np.nan
SHAPES = [
    (),
    (0,),
    (1,),
    (2,),
    (7,),
    (33,),
    (130,),
    (3, 5),
    (4, 0),
    (0, 4),
    (1, 9),
    (9, 1),
    (5, 33),
    (33, 17),
    (3, 9, 2),
]
VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x, lambda x: x.T, lambda x: x[::-1] if x.ndim else x, lambda x: x[..., ::-2] if x.ndim else x,
    lambda x: np.broadcast_to(x, (3, *x.shape)), lambda x: (x + x).T,
]  # fmt: skip
BACKENDS = ["numpy", "llvm"]


def quiet(fun: Any, *args: Any) -> Any:
    with np.errstate(all="ignore"):
        return fun(*args)


def equal_to_the_bit(found: Any, expected: Any) -> None:
    """The same numbers with the same signs of zeros; nan where it is nan, whatever its bits."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found) & (found == found), np.signbit(expected) & (expected == expected))


def numbers(shape: tuple[int, ...], dtype: Any) -> Any:
    """Some of each kind: zeros of both signs, and infinities."""
    x = np.asarray(np.random.default_rng(0).normal(scale=2.0, size=shape))
    if np.dtype(dtype).kind == "f" and x.size > 6:
        x.flat[[0, x.size // 2, x.size // 3, -1, -2]] = [-0.0, -0.0, 0.0, INF, -INF]
    return x.astype(dtype)


DTYPES: list[Any] = [np.float64, np.float32, np.int64, np.int32, np.bool_, np.uint8]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("function", "dtype"),
    [(f, d) for f in (np.cumsum, np.cumprod, np.prod) for d in DTYPES] + [(np.cumsum, np.float16)],
)
def test_what_runs_along_an_axis_gives_numpys_numbers(function: Any, dtype: Any, backend: str) -> None:
    views = [view for view in VIEWS if dtype is not np.bool_ or view is not VIEWS[-1]]

    def every(x: Any) -> list[Any]:
        return [function(y, axis=a) for view in views for y in [view(x)] for a in (None, *range(-y.ndim, y.ndim))]

    for shape in SHAPES:
        x = numbers(shape, dtype)
        shown = [(view(x), a) for view in views for a in (None, *range(-view(x).ndim, view(x).ndim))]
        for found, expected, (y, a) in zip(jit(every, backend=backend)(x), quiet(every, x), shown, strict=True):
            if function is np.prod and a is None and y.dtype.kind == "f" and not y.flags.c_contiguous:
                np.testing.assert_allclose(found, expected, rtol=100 * np.finfo(dtype).eps)  # NumPy goes by memory
            else:
                equal_to_the_bit(found, expected)


def test_a_product_leaves_the_range_only_where_numpys_does() -> None:
    x = np.array([1e200, 1e-200] * 16)
    assert jit(np.prod)(x) == np.prod(x) == 1.0
    assert jit(lambda x: np.prod(x.reshape(4, 8)[:, ::-1], axis=1))(x).tolist() == [1.0] * 4


POINTS: list[Any] = [
    [2.0, 3.0, 0.5], [2.0, 0.0, 0.5], [0.0, 3.0, 0.0], [-0.0, 4.0, 1.0], [INF, 2.0, 3.0], [1.0, NAN, 2.0],
    [1e200, 1e200, 1e-300], [INF, 0.0, 1.0], [5.0], [],
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_of_products_with_zeros_and_beyond_the_range(backend: str, dtype: Any) -> None:
    weights = np.array([1.0, -2.0, 0.5], dtype)
    every = [
        np.prod, lambda x: np.cumprod(x) @ weights[: x.size], lambda x: np.sum(np.prod(np.stack([x, x + 1]), axis=1)),
        lambda x: np.sum(np.prod(np.stack([x, x + 1, x]), axis=0)), lambda x: np.prod(np.stack([x, x + 1]).T),
        lambda x: np.cumprod(np.stack([x + 1, x]), axis=1)[:, -1:].sum(),
        lambda x: np.nanprod(x) + np.nancumprod(x).sum(),
    ]  # fmt: skip
    for point in POINTS:
        with np.errstate(all="ignore"):
            x = np.array(point, dtype)
        for f in every:
            wanted = quiet(grad(f), x)
            found = jit(grad(f), backend=backend)(x)
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found, wanted, rtol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("function", [np.cumsum, np.cumprod, np.prod, np.nancumsum])
def test_gradients_of_both_orders(function: Any, axis: int | None, backend: str) -> None:
    x = np.random.default_rng(1).uniform(0.5, 1.5, (5, 9))
    first = grad(lambda x: np.sum(np.sin(function(x * x, axis=axis))))
    second = grad(lambda x: np.sum(first(x) * np.arange(9.0)))
    x[1, 2] = 0.0
    for f in (first, second):
        compiled = jit(f, backend=backend)
        same(compiled(x), f(x), 1e-10)
        assert "left to NumPy:" not in compiled.program(x).explain()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrences(reverse: bool, backend: str) -> None:
    rng = np.random.default_rng(2)
    f = lambda a, b: OPS["recurrence"](a, b, reverse=reverse)
    gradient = grad(lambda a, b: np.sum(np.sin(f(a * 0.5, np.exp(b)))), (0, 1))
    for shape in [(0, 2), (1,), (2,), (40,), (6, 33), (33, 2), (3, 2, 5)]:
        a, b = rng.normal(size=(2, *shape))
        expected, total = np.empty(shape), np.zeros(shape[1:])
        for k in range(shape[0])[:: -1 if reverse else 1]:
            expected[k] = total = a[k] * total + b[k]
        np.testing.assert_allclose(f(a, b), expected, rtol=1e-9)
        for fun in (f, gradient):
            same(jit(fun, backend=backend)(a, b), fun(a, b), 1e-11)


@pytest.mark.parametrize("backend", BACKENDS)
def test_recurrences_beyond_the_range_of_numbers(backend: str) -> None:
    a, b = np.full((2, 80), 0.5)
    for k, x, y in [
        (3, 0.0, 1.0),
        (40, 0.0, 0.0),
        (7, 1e300, 1.0),
        (8, 1e-300, 1e300),
        (50, -2.0, np.nan),
        (79, INF, 0.5),
    ]:
        a[k], b[k] = x, y
        expected, total = np.empty(80), 0.0
        for k in range(80):
            expected[k] = total = a[k] * total + b[k]
        found = jit(lambda a, b: OPS["recurrence"](a, b), backend=backend)(a, b)
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_states_of_loops_that_running_sums_read_and_write(backend: str) -> None:
    def f(x: Any, y: Any) -> Any:
        def step(s: Any, _: Any) -> Any:
            x, y, z = s
            x = x - 0.1 * np.cumsum(y[:, ::-1], axis=1)  # may be written where it was
            y = np.cumsum(y, axis=0) * 0.01 + y.T  # may not: it reads what it would have written over
            return (x, y, np.cumsum(np.cumprod(z * 0.9, axis=1) + x, axis=1) - z), z[0]

        return scan(step, (x, y, x), None, 4)

    x, y = np.random.default_rng(3).normal(size=(2, 9, 9))
    same(jit(f, backend=backend)(x, y), f(x, y), 1e-12)


def test_a_running_sum_takes_in_what_is_around_it() -> None:
    def f(x: Any) -> Any:
        return np.exp(np.cumsum(x * 2.0, axis=0)) + 1.0

    x = np.random.default_rng(4).normal(size=(5, 3))
    program = jit(f, backend="numpy").program(x)
    assert "np.exp(np.cumsum(x * 2.0, axis=0)) + 1.0" in program.source
    assert "about 345 floating-point operations" in program.explain()
    gradient = jit(grad(lambda x: np.sum(f(x))), backend="numpy").program(x)
    assert ")[::-1], axis=0)[::-1]" in gradient.source


def test_running_sums_are_explained() -> None:
    x = np.ones((5, 3))
    text = jit(lambda x: np.exp(np.cumsum(x * 2.0, axis=0)) + 1.0).program(x).explain()
    assert "1. cumsum of 5 × 3 elements along axis 0; while reading them multiply; then exp, add" in text
    text = jit(lambda x: np.flip(np.cumprod(np.flip(x, 1), 1), 1)).program(x).explain()
    assert "cumprod of 5 × 3 elements along axis 1, from the last one on" in text
    assert "in 1 kernel;" in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_asked_beyond_that_is_left_to_numpy(backend: str) -> None:
    x = np.arange(6.0).reshape(2, 3)
    for f in (lambda x: np.cumsum(x, 0, np.float32), lambda x: np.add.accumulate(x, 1), lambda x: np.cumsum(x * 1j)):
        equal_to_the_bit(np.real(jit(f, backend=backend)(x)), np.real(f(x)))
    with pytest.raises(np.exceptions.AxisError):
        jit(lambda x: np.cumsum(x, 2), backend=backend)(x)


@pytest.mark.parametrize("backend", [None, "llvm", "numpy"])
def test_a_product_in_range_has_its_gradient_whatever_is_beside_it(backend: str | None) -> None:
    """Products from one end may leave the range of the numbers where those from the other do not."""
    x = np.array([[1e-200, 1e-100, 1e200, 1e200], [0.0, 1.0, 2.0, 3.0]])

    def total(x: Any) -> Any:
        return np.sum(np.prod(x, axis=1) * np.array([1e-100, 1.0]))

    gradient = grad(total) if backend is None else jit(grad(total), backend=backend)
    wanted = [[1e200, 1e100, 1e-200, 1e-200], [6.0, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(gradient(x), wanted, rtol=1e-12)
