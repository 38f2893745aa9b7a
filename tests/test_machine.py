"""Machine code for several processors, over shapes and numbers that are hard; in threads; and freed when it is dropped.

Every processor that this one can stand in for is tested: with all it has, and with less.
"""

import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from test_compiled import BINARY, UNARY, machine, quiet

from autograd_core import grad, jit, scan, value_and_grad
from autograd_core.trees import flatten

llvm = pytest.importorskip("llvmlite.binding", reason="the compiler to machine code is in the extra `fast`")
target = pytest.importorskip("autograd_core.compiler.llvm.target")

PROCESSORS = {
    "this": (),
    "AVX-512 in vectors of 32 bytes": ("slowed",),
    "AVX2": ("avx512",),
    "vectors of 16 bytes": ("avx512", "avx2", "fma"),
}
"""What each lacks."""


@pytest.fixture(params=PROCESSORS)
def processor(request: Any, monkeypatch: Any) -> Iterator[None]:
    llvm.initialize_native_target()
    features, name = llvm.get_host_cpu_features(), llvm.get_host_cpu_name()
    lacking = PROCESSORS[request.param]
    for feature in features:
        if feature.startswith(tuple(part for part in lacking if part != "slowed") or "nothing"):
            features[feature] = False
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: features)
    if "slowed" in lacking:
        monkeypatch.setattr(target, "SLOWED", {name})
    target.target.cache_clear()
    yield
    target.target.cache_clear()


SIZES = (0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 61, 67)
HARD = (0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -1e-310, 1e-40, -1e-45, 710.0, -745.0, 88.5, -103.0)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Random numbers with some hard ones among them."""
    with np.errstate(all="ignore"):
        hard = rng.choice(np.array(HARD), shape)
        return np.asarray(np.where(rng.random(shape) < 0.2, hard, 2.0 * rng.standard_normal(shape))).astype(dtype)


VIEWS = (
    lambda x: x, np.transpose, lambda x: x[..., ::-1], lambda x: x[..., 1::2], lambda x: x + x[..., :1],
    lambda x: np.broadcast_to(x, (3, *x.shape)),
)  # fmt: skip


def alike(name: str, found: Any, expected: Any, dtype: Any) -> None:
    info = np.finfo(dtype)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    # NumPy's 1 / (1 + exp(-x)) is 0 where the sigmoid is denormal
    near = float(info.tiny if name == "sigmoid" else 4 * info.smallest_subnormal)
    np.testing.assert_allclose(found, expected, rtol=8 * info.eps, atol=near, err_msg=name)
    if expected.dtype.kind == "f" and name not in ("maximum", "minimum", "fmax", "fmin"):  # there 0 and -0 are equal
        zeros = (expected == 0) & (found == 0)
        assert np.array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(2))
def test_every_operation_over_random_shapes(seed: int, dtype: Any, processor: None) -> None:
    rng = np.random.default_rng([seed, np.dtype(dtype).itemsize])
    for _ in range(3):
        shape = tuple(rng.choice(SIZES, rng.integers(1, 4)).tolist()) if seed else (int(rng.choice(SIZES)),)
        shape = shape if np.prod(shape) < 5000 else shape[:1]
        view = VIEWS[rng.integers(len(VIEWS))]
        x, y = numbers(rng, shape, dtype), numbers(rng, shape, dtype)

        def every(x: Any, y: Any, view: Any = view) -> Any:
            one = [fun(view(x)) for fun in UNARY.values()]
            return one + [fun(view(x), view(y)) for fun in BINARY.values()] + [fun(x, x) for fun in BINARY.values()]

        found, expected = machine(every)(x, y), quiet(every, x, y)
        names = [*UNARY, *BINARY, *BINARY]
        for name, a, b in zip(names, found, expected, strict=True):
            alike(name, np.asarray(a), np.asarray(b), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_and_reductions_over_random_shapes(dtype: Any, processor: None) -> None:
    rng = np.random.default_rng(np.dtype(dtype).itemsize)
    near: Any = dict(rtol=1e-3, atol=1e-4) if dtype == np.float32 else dict(rtol=1e-11, atol=1e-12)
    for _ in range(6):
        n, k, m = (int(s) for s in rng.choice(SIZES, 3))
        a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((n, k), (k, m), (m,)))

        def every(a: Any, b: Any, c: Any) -> Any:
            product = np.tanh(a @ b + c)
            back = [a.T @ product, product @ b.T, (b.T @ a.T).T - product, product.T @ product]
            sums = [v.sum(axis=axis) for v in (a, b.T, product * product) for axis in (None, 0, 1)]
            runs = [np.cumsum(product - c, axis=axis) * 2.0 for axis in (None, 0, 1)]
            runs += [np.cumprod(v * 0.5, axis)[:, ::-1] for v in (a, a[::-1, ::-1], b.T) for axis in (0, 1)]
            return [product, *back, *sums, *runs]

        for found, expected in zip(machine(every)(a, b, c), every(a, b, c), strict=True):
            np.testing.assert_allclose(found, expected, **near)


@pytest.mark.parametrize("columns", [1, 3, 9, 13, 30, 31, 55, 100])
def test_an_array_is_updated_in_place_once_where_vectors_overlap(columns: int, processor: None) -> None:
    rng = np.random.default_rng(columns)
    x, w, d = (rng.standard_normal(s) for s in ((10, 37), (37, columns), (10, columns)))

    def step(w: Any, _: Any) -> Any:
        return w - 0.1 * (x.T @ (d + x @ w)), None

    found, _ = machine(lambda w: scan(step, w, None, 3))(w)
    for _ in range(3):
        w, _ = step(w, None)
    np.testing.assert_allclose(found, w, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("n", "k", "m"), [(21, 700, 203), (21, 1100, 1003), (50, 10, 700), (3, 2000, 70)])
def test_products_that_are_large(n: int, k: int, m: int, processor: None) -> None:
    """Those whose operands are copied in parts, and those that are just not."""
    rng = np.random.default_rng(n)
    x, w = rng.standard_normal((n, k)), rng.standard_normal((k, m))
    found = machine(lambda x, w: (x @ w, x.T @ (x @ w), w.T @ w[:, :19]))(x, w)
    for got, expected in zip(found, (x @ w, x.T @ (x @ w), w.T @ w[:, :19]), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_, np.int64])
def test_transposed_copies(dtype: Any, processor: None) -> None:
    rng = np.random.default_rng(5)
    for shape in ((16, 16), (35, 50), (8, 200), (3, 17, 33)):
        x = (rng.standard_normal(shape) * 9).astype(dtype)
        assert np.array_equal(machine(lambda x: x.T)(x), x.T)
        assert np.array_equal(
            machine(lambda x: np.swapaxes(x, -1, -2)[..., ::-1])(x), np.swapaxes(x, -1, -2)[..., ::-1]
        )


def test_other_threads_run_while_a_program_does() -> None:
    f = machine(lambda x: scan(lambda c, _: (np.tanh(c * 1.5), None), x, None, 100_000)[0])
    x = np.linspace(-1.0, 1.0, 64)
    f(x)
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        f(x)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    turns = 0
    while not ended.is_set():
        turns += 1
    thread.join()
    assert turns > 1000  # were the lock of the interpreter held, there would be next to none


def test_programs_leave_no_memory_behind() -> None:
    pytest.importorskip("psutil", reason="it tells the memory in use")
    from growth import compile_some

    before = compile_some(100)
    assert compile_some(300) - before < 300 * 2000


JOINED = {
    "rows": lambda x, y: np.concatenate([x, y]),
    "columns": lambda x, y: np.concatenate((x, y, x), axis=-1),
    "views": lambda x, y: np.concatenate([x[::-1, 1:], np.broadcast_to(x[:, :1], (4, 3)), y.T[:4].T[:, ::2]], axis=1),
    "stacked": lambda x, y: np.stack([x, y, np.where(x > y, x, y)]),
    "stacked last": lambda x, y: np.stack([x.T, y.T], axis=-1),
    "numbers": lambda x, y: np.stack([x[0, 0], y[1, 2], x[3, 4]]),
    "empty": lambda x, y: np.concatenate([x[:0], y, x[:0]]),
    "known": lambda x, y: np.concatenate([np.ones((1, 5), x.dtype), x, np.arange(10).reshape(2, 5) < y[:2]]),
    "dtypes": lambda x, y: np.stack([x, np.arange(20.0).reshape(4, 5), y > 3], 1),
}


@pytest.mark.parametrize("name", JOINED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.bool_])
def test_arrays_are_joined_without_numpy(name: str, dtype: Any, processor: None) -> None:
    x, y = np.random.default_rng(0).integers(0, 9, (2, 4, 5)).astype(dtype)
    found = machine(JOINED[name])(x, y)
    np.testing.assert_array_equal(found, JOINED[name](x, y))
    assert found.dtype == JOINED[name](x, y).dtype
    assert "Nothing is left to NumPy" in machine(JOINED[name]).program(x, y).explain()


def test_what_else_is_joined_is_left_to_numpy() -> None:
    x, y = np.ones((2, 3)), np.ones((2, 3), np.float32)
    for f in (
        lambda x, y: np.concatenate([x, x], axis=None),
        lambda x, y: np.stack([x, y * 1j]),
        lambda x, y: np.concatenate([y, y], dtype=np.float64),
    ):
        found, expected = machine(f)(x, y), f(x, y)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        assert "Left to NumPy" in machine(f).program(x, y).explain()


def kernels_of(program: Any) -> int:
    """How many functions the machine code has, beside the one that calls them."""
    return len(re.findall(r"^_?(?:matmul|reduce|elementwise)_\d+:", program.assembly, re.MULTILINE))


def test_equal_layers_are_compiled_once(processor: None) -> None:
    def step(p: Any, x: Any) -> Any:
        def loss(p: Any) -> Any:
            y = x
            for w, b in p:
                y = np.tanh(y @ w + b)
            return np.mean(y**2)

        value, g = value_and_grad(loss)(p)
        return [(w - 0.1 * u, b - 0.1 * v) for (w, b), (u, v) in zip(p, g, strict=True)], value

    def functions(layers: int) -> int:
        rng = np.random.default_rng(0)
        p = [(rng.normal(size=(5, 5)), rng.normal(size=5)) for _ in range(layers)]
        x = rng.normal(size=(3, 5))
        (compiled, value), (eager, expected) = machine(step)(p, x), step(p, x)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for (w, b), (u, v) in zip(compiled, eager, strict=True):
            np.testing.assert_allclose(w, u, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(b, v, rtol=1e-10, atol=1e-12)
        return kernels_of(machine(step).program(p, x))

    few = functions(4)
    assert 4 <= few <= 14
    assert functions(16) == few


def test_equal_steps_on_the_rows_of_an_array_are_compiled_once(processor: None) -> None:
    def last(xs: Any, w: Any) -> Any:
        h = np.zeros(5)
        for x in xs:
            h = np.tanh(h @ w + x)
        return h

    w = np.random.default_rng(0).normal(size=(5, 5))
    few, many = (np.random.default_rng(1).normal(size=(n, 5)) for n in (6, 18))
    np.testing.assert_allclose(machine(last)(many, w), last(many, w), rtol=1e-12)
    assert kernels_of(machine(last).program(few, w)) == kernels_of(machine(last).program(many, w)) <= 4
    # In the gradient for w the products of all steps are added up, each to the sum before it.
    slope = grad(lambda w, xs: np.sum(last(xs, w)))
    np.testing.assert_allclose(machine(slope)(w, many), slope(w, many), rtol=1e-10)
    assert kernels_of(machine(slope).program(w, few)) == kernels_of(machine(slope).program(w, many)) <= 20


def test_programs_of_many_kernels_are_written_in_parts(processor: None) -> None:
    """LLVM took a time that grew with the square of the calls in a function."""

    def f(x: Any, w: Any, index: Any) -> Any:
        kept = []
        for k in range(240):
            x = np.tanh(x @ w + k)
            if k % 70 == 69:
                x = np.sort(x, axis=0)[::-1] * x[index]
                kept.append(x)
        return x, kept

    rng = np.random.default_rng(5)
    x, w, index = rng.standard_normal((4, 3)), rng.standard_normal((3, 3)), np.array([3, 1, 0, 0])
    compiled = machine(f)
    for found, wanted in zip(flatten(compiled(x, w, index))[0], flatten(f(x, w, index))[0], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11)
    assert len(set(re.findall(r"^(part_\d+):", compiled.program(x, w, index).assembly, re.MULTILINE))) >= 4
    with pytest.raises(IndexError, match="out of range"):
        compiled(x, w, index + 1)


def test_the_machine_code_can_be_read(processor: None) -> None:
    width = target.target().width
    text = machine(lambda x, y: x * y - 0.5).program(np.ones(1000), np.ones(1000)).assembly
    lines = [line.strip() for line in text.splitlines()]
    assert "run:" in lines
    if llvm.get_default_triple().startswith("x86_64"):
        product = next(line for line in lines if "mulpd" in line)
        assert {64: "zmm", 32: "ymm", 16: "xmm"}[width] in product
    with pytest.raises(NotImplementedError, match="runs as NumPy source"):
        _ = jit(np.sin, backend="numpy").program(np.ones(3)).assembly
