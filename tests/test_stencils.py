"""Functions that slice, join, turn and reshape arrays, compiled: their loops run through views and over regions."""

from typing import Any

import numpy as np
import pytest

from autograd_core import grad, jit, scan, value_and_grad

pytest.importorskip("llvmlite.binding", reason="the compiler to machine code is in the extra `fast`")

FUNCTIONS = (lambda x: x, np.square, np.exp, lambda x: 3.0 * x - 1.0, lambda x: np.where(x > 0, x, 0.1 * x))


def slices(rng: np.random.Generator, shape: tuple[int, ...], size: tuple[int, ...]) -> tuple[Any, ...]:
    """Where an array of some size is in a larger one; often without naming the whole axes, or the last ones."""
    index: list[Any] = []
    for n, m in zip(shape, size, strict=True):
        begin = int(rng.integers(n - m + 1))
        named = slice(None if begin == 0 else begin, None if begin + m == n else begin + m - n)
        index.append(named if rng.random() < 0.7 else slice(begin, begin + m))
    while index and index[-1] == slice(None):
        index.pop()
    if len(index) < len(shape) and rng.random() < 0.5:
        index.append(...)
    return tuple(index)


def stencil(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A function of parts of an array that meet."""
    size = tuple(int(rng.integers(1, n + 1)) for n in shape)
    terms = [(slices(rng, shape, size), FUNCTIONS[rng.integers(len(FUNCTIONS))]) for _ in range(rng.integers(1, 6))]
    padding = [tuple(rng.integers(0, 3, 2).tolist()) for _ in shape]

    def total(x: Any) -> Any:
        met: Any = 0.0
        for index, f in terms:
            met = met * 0.7 + f(x[index])
        around = np.pad(met, padding)
        return np.sum(met * met) + np.sum(np.sin(around) * around) + np.sum(x * x * 0.01)

    return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(60))
def test_gradients_of_slices(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 21, 1 + seed % 3).tolist())
    x = rng.standard_normal(shape).astype(dtype)
    function = stencil(rng, shape)
    for plain in (value_and_grad(function), grad(lambda x: np.sum(grad(function)(x) ** 2))):
        wanted, found = plain(x), jit(plain, backend="llvm")(x)
        for a, b in zip(wanted, found, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=2e3 * np.finfo(dtype).eps, atol=2e3 * np.finfo(dtype).eps)


def at(axis: int, part: Any) -> Any:
    """The index of a part along an axis."""
    return (*(slice(None),) * axis, part)


MOVES = (
    lambda x, axis, k: np.concatenate([x, 0.5 * x], axis),
    lambda x, axis, k: np.concatenate([np.sin(x), x[at(axis, slice(k))], x], axis),
    lambda x, axis, k: np.stack([x, x * x], axis) if x.ndim < 4 else x,
    lambda x, axis, k: np.roll(x, k, axis),
    lambda x, axis, k: np.flip(x, axis) * 2.0,
    lambda x, axis, k: np.tile(x, 2),
    lambda x, axis, k: np.repeat(x, 2, axis),
    lambda x, axis, k: np.moveaxis(x, axis, 0) + 1.0,
    lambda x, axis, k: np.reshape(x * x, (-1, x.shape[axis])),
    lambda x, axis, k: np.ravel(np.tanh(x)),
    lambda x, axis, k: x[at(axis, k)] * 0.3 if x.ndim > 1 else x,
    lambda x, axis, k: x[at(axis, slice(k, None))] - x[at(axis, slice(k, k + 1))],
    lambda x, axis, k: x[at(axis, slice(None, None, 2))],
    lambda x, axis, k: np.diff(x, axis=axis) if x.shape[axis] > 1 else x,
    lambda x, axis, k: x - np.mean(x, axis=axis, keepdims=True),
    lambda x, axis, k: np.expand_dims(x, axis) * 1.5 if x.ndim < 4 else np.squeeze(x[:1], 0),
)


def rearranged(rng: np.random.Generator, x: Any) -> Any:
    """An array whose elements were moved about, repeated or left out, with operations in between."""
    for _ in range(rng.integers(2, 8)):
        axis = int(rng.integers(x.ndim))
        x = MOVES[rng.integers(len(MOVES))](x, axis, int(rng.integers(x.shape[axis])))
        if x.size > 3000:
            x = np.ravel(x)[:700]
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(120))
def test_arrays_that_are_moved_about(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng([seed, 1])
    x = rng.uniform(-1, 1, tuple(rng.integers(1, 7, 1 + seed % 3))).astype(dtype)

    def function(x: Any) -> Any:
        y = rearranged(np.random.default_rng(seed), x)
        return np.sum(y * np.cos(y)), y

    def gradient(x: Any) -> Any:
        (_, y), g = value_and_grad(function, has_aux=True)(x)
        return y, x - 0.1 * g

    for a, b in zip(gradient(x), jit(gradient, backend="llvm")(x), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=2e3 * np.finfo(dtype).eps, atol=2e3 * np.finfo(dtype).eps)


def test_what_is_outside_a_part_is_zero_whatever_is_inside() -> None:
    def gradient(x: Any) -> Any:
        return grad(lambda x: np.sum(np.log(x[1:-1]) * x[2:]))(x)

    x = np.array([-1.0, np.nan, np.inf, -0.0, 2.0, -3.0, 1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(jit(gradient, backend="llvm")(x), gradient(x))


@pytest.mark.parametrize(
    ("function", "loops"),
    [
        (lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2), 1),
        (lambda x: np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2), 1),
        (lambda x: np.sum((x[2:, 1:-1] + x[:-2, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2] - 4.0 * x[1:-1, 1:-1]) ** 2), 2),
        (lambda x: np.sum(np.concatenate([x, 2.0 * x]) ** 2), 1),
        (lambda x: np.sum(np.stack([x, np.roll(x, 1, 1)]) ** 2), 1),
        (lambda x: np.sum(x.T.reshape(-1) ** 2) + x[0, 1] * x[2, 3], 1),
    ],
)
def test_a_descent_is_one_pass(function: Any, loops: int) -> None:
    x = np.random.default_rng(0).uniform(0.2, 0.9, (12, 13))

    def descent(x: Any) -> Any:
        return scan(lambda x, _: (x - 1e-4 * grad(function)(x), None), x, None, 7)[0]

    descended = jit(descent, backend="llvm")
    wanted = x
    for _ in range(7):
        wanted = wanted - 1e-4 * grad(function)(wanted)
    np.testing.assert_allclose(descended(x), wanted, rtol=1e-12)
    story = descended.program(x).explain()
    assert "Nothing is left to NumPy" in story
    assert story.count("\n     ") == loops


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 0), (1, 1)])
def test_arrays_of_no_element_or_one(shape: tuple[int, ...]) -> None:
    def function(x: Any) -> list[Any]:
        joined = np.concatenate([np.ravel(x), np.ravel(x) * 2.0])
        return [joined * 2.0, np.stack([x, x * 2.0]) + 1.0, np.pad(x * 2.0, 1), (x * 2.0).T + 1.0, joined[:0] + 1.0]

    for a, b in zip(jit(function, backend="llvm")(np.ones(shape)), function(np.ones(shape)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.pad(x * 0.5 + 1.0, 0),
        lambda x: np.concatenate([x * 0.5 + 1.0]),
        lambda x: np.pad(x[1:] * 0.5, (1, 0)) + x,
        lambda x: np.concatenate([x[1:] * 2.0, x[:1]]),
        lambda x: np.stack([x[0] * x[1], x[1], x[0] + x[-1], x[2], x[1] * 0.1]),
        lambda x: grad(lambda x: np.sum(x[...] ** 3) + x[0] * x[4])(x) * 0.01,
    ],
)
def test_a_state_that_is_put_together_is_read_before_it_is_written(function: Any) -> None:
    x = wanted = np.arange(1.0, 6.0)
    for _ in range(3):
        wanted = function(wanted)
    found = jit(lambda x: scan(lambda x, _: (function(x), None), x, None, 3)[0], backend="llvm")(x)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("length", range(6))
@pytest.mark.parametrize("counted", [False, True])
def test_states_that_change_places(length: int, counted: bool) -> None:
    """What cannot be updated in place is written beside the old state; what stays as it is is left alone."""

    def step(carry: Any, x: Any) -> Any:
        a, b, same, total = carry
        return (b, a[::-1] + 0.5 * b, same, total + x), (a, total, b[1:] - b[:-1])

    def run(a: Any, b: Any, xs: Any, n: Any) -> Any:
        return scan(step, (a, b, a * 2.0, 0.0), xs, **({"count": n} if counted else {}))

    rng = np.random.default_rng(length)
    a, b, xs = rng.standard_normal(9), rng.standard_normal(9), rng.standard_normal(length)
    n = np.int64(max(0, length - 1))
    found, wanted = jit(run, backend="llvm")(a, b, xs, n), run(a, b, xs, n)
    for one, other in zip((*found[0], *found[1]), (*wanted[0], *wanted[1]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("length", [40, 140])
def test_copies_for_a_reshape_are_made_in_time(length: int) -> None:
    """Also in a program of so many kernels that their calls are written in parts."""

    def function(x: Any) -> Any:
        for _ in range(length):
            x = np.tanh(x - np.sum(x.T.reshape(x.shape), axis=0) / 4)
        return np.sum(x)

    x = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(jit(function, backend="llvm")(x), function(x), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(jit(grad(function), backend="llvm")(x), grad(function)(x), rtol=1e-9, atol=1e-12)
