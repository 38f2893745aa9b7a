"""`jit`: compiled functions compute what they compute uncompiled, and say what they cannot record."""

import copy
import functools
import gc
import pickle
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import fuzz_compiled
import numpy as np
import pytest
from scipy import special

from autograd_core import (
    Value,
    checkpoint,
    grad,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    log_softmax,
    no_grad,
    relu,
    scan,
    sigmoid,
    softplus,
    stop_gradient,
    value_and_grad,
    vjp,
)
from autograd_core.trees import flatten

RNG = np.random.default_rng(0)


def same(a: Any, b: Any, rtol: float = 1e-12) -> None:
    """Two containers of equal structure, types and numbers."""
    (found, _), (wanted, _) = flatten(a), flatten(b)
    assert len(found) == len(wanted)
    for x, y in zip(found, wanted, strict=True):
        assert type(x) is type(y)
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


def network(params: Any, x: Any) -> Any:
    for w, b in params:
        x = sigmoid(x @ w + b)
    return x


def loss(params: Any, x: Any, y: Any) -> Any:
    return np.mean((network(params, x) - y) ** 2)


def step(params: Any, x: Any, y: Any, rate: Any) -> Any:
    cost, g = value_and_grad(loss)(params, x, y)
    return [(w - rate * gw, b - rate * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)], cost


def parameters(sizes: tuple[int, ...], dtype: Any = np.float64) -> Any:
    return [
        (RNG.standard_normal((n, m)).astype(dtype), RNG.standard_normal(m).astype(dtype)) for n, m in pairwise(sizes)
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_with_its_gradient_inside(dtype: Any) -> None:
    params = parameters((2, 3, 1), dtype)
    x, y = RNG.standard_normal((4, 2)).astype(dtype), RNG.standard_normal((4, 1)).astype(dtype)
    compiled = jit(step)
    for _ in range(3):
        expected = step(params, x, y, 0.5)
        found = compiled(params, x, y, 0.5)
        same(found, expected, 1e-5 if dtype is np.float32 else 1e-12)
        assert found[0][0][0].dtype == dtype
        params = found[0]
    assert len(compiled.programs) == 1


def test_containers_go_in_and_come_out() -> None:
    @dataclass
    class Pair:
        a: Any
        b: Any

    def swapped(p: Any, q: Any, *, scale: Any = 1.0) -> Any:
        return {"pair": Pair(p.b * scale, p.a), "q": (q["x"], [q["x"] + 1, None])}

    found = jit(swapped)(Pair(np.ones(2), 3.0), {"x": np.float32(2)}, scale=2.0)
    expected = swapped(Pair(np.ones(2), 3.0), {"x": np.float32(2)}, scale=2.0)
    same(found["pair"].a, expected["pair"].a)
    assert type(found["pair"].a) is float
    same(found["q"], expected["q"])


def test_new_shapes_dtypes_and_static_values_compile_again() -> None:
    count = []

    @jit
    def f(x: Any) -> Any:
        count.append(1)
        return np.exp(x).sum()

    for x in (np.ones(3), np.zeros(3), np.ones(4), np.ones(3, np.float32), np.float64(1), np.float64(2)):
        same(f(x), np.exp(x).sum(), 1e-6)
    assert len(count) == 4
    power = jit(lambda x, n: x if n == 0 else x * n, static_argnums=1)
    assert power(2.0, 0) == 2.0
    assert power(2.0, 3) == 6.0
    with pytest.raises(TypeError, match="static argument 1 is a list, which is not hashable"):
        power(2.0, [1])


@pytest.mark.parametrize(
    "looks",
    [
        lambda v: v if v > 0 else -v,
        lambda v: v * float(v),
        lambda v: v * int(v),
        lambda v: v * v.item(),
        lambda v: np.ones(3)[v],
        lambda v: np.asarray(v),
        lambda v: np.arange(3.0)[v],
        lambda v: list(range(v)),
        lambda v: v[v > 0],
        lambda v: np.nonzero(v),
        lambda v: np.unique(v),
        lambda v: grad(lambda w: w if w > 0 else -w)(v),
        lambda v: grad(lambda w: w * w.item())(v),
    ],
)
def test_python_that_looks_at_the_numbers_is_told_what_to_write(looks: Any) -> None:
    with pytest.raises((TypeError, IndexError, ValueError)) as caught:
        jit(looks)(2.0)
    text = str(caught.value) + str(caught.value.__cause__)
    assert "np.where" in text
    assert "static_argnums" in text


@pytest.mark.parametrize(
    ("name", "instead"),
    [("data", "plain data already"), ("sort", "np.sort(v)"), ("at", "Value(v).at"), ("flat", "np.ravel"), ("view", "")],
)
def test_attributes_of_values_and_of_memory_say_what_to_write(name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=rf"an array has no '{name}' while jit records \(.*{re.escape(instead)}"):
        jit(lambda v: getattr(v, name))(np.ones(3))


def test_a_plain_table_is_indexed_as_a_value() -> None:
    table = np.array([10.0, 20.0, 30.0])
    with pytest.raises((TypeError, IndexError), match=r"write Value\(a\)\[v\]\.data"):
        jit(lambda i: table[i])(np.array([2, 0]))
    same(jit(lambda i: Value(table)[i].data)(np.array([2, 0])), table[[2, 0]])


def test_what_has_no_derivative_is_recorded_all_the_same() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0, np.sign(x) * x, np.floor(x)), x.argmax(axis=1), np.sort(x, axis=0)[np.argsort(x[:, 0])]

    compiled = jit(f)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal((4, 3))
        same(compiled(x), f(x))


@pytest.mark.parametrize("f", [
    lambda x: np.take(x, [1, 0]), lambda x: np.take(x, [[1], [0]], axis=-1), lambda x: np.full_like(x, 2.0) * x,
    lambda x: np.full_like(x, x[0, 1]), lambda x: (x.mT, x.transpose(1, 0), x.real, x.imag), lambda x: list(x)[1] * 2.0,
    lambda x: (np.dot(x, 2.0), np.power(x, 2.0)), lambda x: (x.astype(bool), x.astype(np.int32).astype(np.int64)),
    lambda x: np.reshape(x, (3, 2), order="F"), lambda x: np.add.reduce(x), lambda x: x.max(axis=0, keepdims=True),
    lambda x: (np.var(x, ddof=1), np.mean(x > 0.5)), lambda x: (np.negative(-x), (x - 0.0) + 0.0, x.astype(x.dtype)),
])  # fmt: skip
def test_functions_and_methods_of_arrays(f: Any) -> None:
    x = RNG.standard_normal((2, 3))
    same(jit(f)(x), f(x))


def test_gathers_by_indices_that_are_inputs() -> None:
    def f(x: Any, index: Any) -> Any:
        return grad(lambda v: np.sum(np.sin(v[index]) * 2.0))(x), x[index, index % 2]

    compiled = jit(f)
    x = RNG.standard_normal((5, 3))
    for _ in range(3):
        index = RNG.integers(0, 5, 4)
        same(compiled(x, index), f(x, index))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: grad(lambda v: np.sum(np.where(v > 0, np.sqrt(v), 0.0)))(x),
        lambda x: grad(lambda v: np.sum(relu(v) * np.maximum(v, 0.5) + softplus(v)))(x),
        lambda x: grad(lambda v: np.prod(v) + np.max(v))(x),
        lambda x: grad(lambda v: np.linalg.norm(v) + np.std(v))(x),
        lambda x: grad(lambda v: np.sum(log_softmax(v.reshape(2, 3))[[0, 1], [1, 2]]))(x),
        lambda x: hvp(lambda v: np.sum(np.tanh(v) ** 3), x, x * 2.0),
        lambda x: grad(checkpoint(lambda v: np.sum(np.sin(np.cos(v)))))(x),
        lambda x: grad(lambda v: np.linalg.det(v.reshape(2, 3) @ v.reshape(3, 2)))(x),
        lambda x: (Value(x) ** 2.0).sum().data + (3.0 * x)[::-1].mean(),
    ],
)
def test_derivatives_within(f: Any) -> None:
    compiled = jit(f)
    for x in (np.arange(6.0) - 2.0, np.array([0.3, -1.0, 0.5, 2.0, -0.7, 1.1])):
        with np.errstate(all="ignore"):
            expected = f(x)
        same(compiled(x), expected, 1e-10)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: np.prod(v) * np.sum(np.cumprod(v) ** 2),
        lambda v: np.linalg.det(v.reshape(2, 3) @ v.reshape(3, 2)),
        lambda v: np.sum(np.linalg.eigh(v.reshape(2, 3) @ v.reshape(2, 3).T)[1][:, 0] ** 4),
        lambda v: np.sum(np.linalg.svd(v.reshape(2, 3), full_matrices=False)[0] ** 4 * [1.0, 2.0]),
        lambda v: np.sum(np.linalg.qr(v.reshape(3, 2))[0] ** 3),
        lambda v: np.sum(np.real(np.linalg.eig(v[:4].reshape(2, 2) ** 2)[0]) ** 3),
        lambda v: np.sum(special.ellipkinc(v, v**2 / 9)) + np.sum(special.ellipj(v, v**2 / 9)[0]),
        lambda v: np.sum(relu(v) * np.maximum(v, 0.5) * np.fmin(v, v[::-1])),
    ],
    ids=["products", "det", "eigh", "svd", "qr", "eig", "elliptic", "selections"],
)
@pytest.mark.parametrize(
    "derivative",
    [
        lambda f, x, t: grad(f)(x),
        lambda f, x, t: jvp(f, (x,), (t,)),
        lambda f, x, t: hvp(f, x, t),
        lambda f, x, t: jvp(grad(f), (x,), (t,))[1],
        lambda f, x, t: grad(lambda x: jvp(f, (x,), (t,))[1])(x),
        lambda f, x, t: grad(lambda x: np.sum(hvp(f, x, t) ** 2))(x),
    ],
    ids=["reverse", "forward", "reverse-reverse", "forward-reverse", "reverse-forward", "third"],
)
def test_derivatives_of_rules_that_decide_on_numbers(f: Any, derivative: Any) -> None:
    compiled = jit(lambda x, t: derivative(f, x, t), backend="numpy")
    for x in (np.array([0.3, -1.0, 0.5, 2.0, -0.7, 1.1]), np.array([1.3, 0.4, -0.5, 0.8, 0.7, -1.1])):
        same(compiled(x, x[::-1] * 2.0), derivative(f, x, x[::-1] * 2.0), 1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda w, x: np.einsum("ij,kj->ik", x, w),
        lambda w, x: np.einsum("ij,ij,kj->k", x, w, x, optimize=True),
        lambda w, x: np.concatenate([np.dstack([x, w]), np.atleast_3d(x, w)[1]], axis=2),
        lambda w, x: np.block([[x, w], [w, np.insert(x[:, :2], 1, w[:, 0], axis=1)]]),
        lambda w, x: np.average(w, weights=x) * np.trapezoid(w, x) * np.sum(np.polyval(w[0], x)),
        lambda w, x: np.ediff1d(w, to_end=x) * np.sum(np.interp(x[0], np.arange(3.0), w[0])),
    ],
)
def test_derivatives_of_functions_of_a_variable_and_of_data(f: Any) -> None:
    """The data are an argument of what is compiled, and have no numbers while it is recorded."""
    gradient = value_and_grad(lambda w, x: np.sum(f(w, x) ** 2))
    w, x = np.random.default_rng(5).uniform(0.5, 1.5, (2, 2, 3))
    for found, wanted in zip(jit(gradient)(w, x), gradient(w, x), strict=True):
        same(found, wanted, 1e-12)


def test_derivatives_of_reductions_with_settings_and_of_tables() -> None:
    holes = np.array([0.3, np.nan, 0.5, 2.0])
    for f in (
        lambda x: np.nanmax(x) + np.nanmin(x) * np.nanmean(x) + np.nanstd(x) * np.nanvar(x),
        lambda x: np.mean(x, where=x > 0.4) + np.nansum(x * np.full_like(x, 2.0)),
        lambda x: np.nansum(np.bincount([1, 0, 2, 1], x) ** 2) + np.nansum(np.compress([True, False, True, True], x)),
        lambda x: np.nanquantile(x, np.nanmin(x)) * np.sum(np.geomspace(x[0], x[2], 4)),
    ):
        same(jit(f)(holes), f(holes))
        same(jit(grad(f))(holes), grad(f)(holes), 1e-12)


def test_derivatives_by_plain_variables_of_what_is_recorded() -> None:
    def f(w: Any) -> Any:
        inner = lambda v: np.sum(np.sin(v * w) + v[1] * w[0]) + w @ v + np.sum(v[::-1] * w)
        return (
            grad(inner)(np.ones(2)),
            hvp(inner, np.ones(2), w),
            hessian(inner)(np.ones(2)),
            jacobian(lambda v: np.tanh(v * w))(np.ones(2)),
            vjp(inner, np.ones(2))[1](1.0),
        )

    w = np.array([0.5, 0.7])
    same(jit(f)(w), f(w))


@pytest.mark.parametrize("x", [0.7, np.float32(0.7), np.array([0.7, 0.2], np.float32)])
@pytest.mark.parametrize("low", [0.5, np.array([0.5, 1.0], np.float32)])
def test_a_number_between_arrays_has_the_dtype_that_numpy_gives_it(x: Any, low: Any) -> None:
    wanted = np.clip(x, low, 2.0)
    for found in (jit(lambda x: np.clip(x, low, 2.0))(x), jit(lambda low: np.clip(x, low, 2.0))(low)):
        np.testing.assert_array_equal(found, wanted)
        assert np.asarray(found).dtype == wanted.dtype


def test_copies_of_what_is_recorded_are_what_they_are_copies_of() -> None:
    same(
        jit(lambda p: np.sum(copy.deepcopy(p)["w"] * copy.copy(p["w"])))({"w": np.array([2.0, 3.0])}), np.float64(13.0)
    )


def test_numbers_are_updated_by_operators_that_make_new_ones() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for k in range(3):
            total += np.sum(x**k)
        before = total
        total *= 2.0
        total -= x[0]
        return total / before

    same(jit(f)(np.array([1.0, 2.0])), f(np.array([1.0, 2.0])))

    def writes(x: Any) -> Any:
        x += 1.0
        return x

    with pytest.raises(TypeError, match="write 'a = a"):
        jit(writes)(np.array([1.0, 2.0]))


def test_a_plain_array_says_how_it_is_looked_up() -> None:
    table = np.array([2.0, 3.0])
    same(jit(lambda i: np.take_along_axis(table, i, 0))(np.array([1, 0])), table[::-1])
    with pytest.raises(TypeError, match=r"a @ v instead of a\.dot"):
        table.dot(Value(table))
    with pytest.raises(TypeError, match="depends on the data"):
        jit(lambda x: np.compress(condition=x > 0, a=x))(table)


def test_derivatives_of_what_the_data_put_in_order() -> None:
    weights = RNG.normal(size=(4, 3))
    for f in (
        lambda x: np.sum(np.sort(x, axis=0) * weights),
        lambda x: np.sum(np.partition(x, 1)[:, :2] ** 2),
        lambda x: np.sum(np.take_along_axis(x, np.argsort(x, 0), 0) * weights),
        lambda x: np.sum(np.median(x, axis=1) ** 2) + np.quantile(x, 0.3),
        lambda x: np.sum(np.interp(x, np.array([-1.0, 0.0, 2.0]), weights[0])),
    ):
        compiled = jit(grad(f))
        for _ in range(3):
            x = RNG.normal(size=(4, 3))
            same(compiled(x), grad(f)(x))


def test_a_compiled_function_is_differentiated_and_recorded_as_what_it_is() -> None:
    f = jit(lambda x: np.sum(x**3))
    same(grad(f)(np.array([1.0, 2.0])), np.array([3.0, 12.0]))
    same(jit(lambda x: f(x) * 2.0)(np.array([1.0, 2.0])), np.float64(18.0))


def test_values_from_outside_are_refused() -> None:
    w = Value([1.0, 2.0])
    with pytest.raises(TypeError, match=r"pass w\.data as an argument"):
        jit(lambda x: w * x)(2.0)
    for frozen in (lambda x: (w * x).data, lambda x: stop_gradient(np.sin(w)) * x, no_grad()(lambda x: w * x)):
        with pytest.raises(TypeError, match=r"computes with Values from outside of it.* with holding\("):
            jit(frozen)(2.0)
    same(jit(lambda x: w.data * x + (Value(1.0) + x).data)(2.0), np.array([5.0, 7.0]))
    with pytest.raises(TypeError, match="returned a str"):
        jit(lambda x: "text")(2.0)
    with pytest.raises(TypeError, match="make it static"):
        jit(lambda x, kind: x)(2.0, "text")
    kept: list[Any] = []
    jit(lambda x: kept.append(x) or x)(1.0)
    with pytest.raises(TypeError, match="another recording"):
        jit(lambda x: x * kept[0])(1.0)
    with pytest.raises(TypeError, match="another recording"):
        kept[0] + 1.0
    with pytest.raises(TypeError, match=r"a = a \+ v"):
        jit(lambda x: np.add(x, x, out=np.ones(3)))(np.ones(3))


def test_nothing_is_written_while_a_function_is_recorded() -> None:
    kept = np.zeros(())
    for f in (
        lambda x: np.sum(x, out=kept),
        lambda x: np.concatenate([x, x], out=np.ones(6)),
        lambda x: np.exp(x, kept),
    ):
        with pytest.raises(TypeError, match="cannot write into an array while jit records"):
            jit(f)(np.ones(3))
    assert kept == 0.0


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="backend='gpu': there are 'llvm' and 'numpy'"):
        jit(np.sin, backend="gpu")
    step = lambda c, _: (c + 1.0, c)
    for wrap in (lambda f: f, jit):
        with pytest.raises(TypeError, match="integer"):
            wrap(lambda n: scan(step, 0.0, length=5, count=n))(2.5)
        with pytest.raises(ValueError, match="length=-1"):
            wrap(lambda x: scan(step, x, length=-1))(0.0)


def test_arrays_around_the_function_are_constants_as_they_were() -> None:
    c = np.array([1.0, 2.0])
    f = jit(lambda x: x * c)
    f(1.0)
    c[:] = 0.0
    same(f(2.0), np.array([2.0, 4.0]))


@pytest.mark.parametrize("backend", ["numpy", None])
def test_results_of_all_kinds(backend: str | None) -> None:
    def j(fun: Any) -> Any:
        return jit(fun, backend=backend)

    x = np.arange(4.0)
    same(j(lambda: np.ones(3) * 2)(), np.full(3, 2.0))
    assert j(lambda x: None)(x) is None
    same(j(lambda x: (x > 0, x.argmax(), np.any(x > 1)))(x), (x > 0, x.argmax(), np.any(x > 1)))
    same(j(lambda x, n: (x * n, n + 1))(np.ones(2, np.float32), 3), (np.full(2, 3, np.float32), 4))
    same(j(lambda x: (x, 2.0, 1))(1.5), (1.5, 2.0, 1))
    same(j(lambda x, i: x[i])(x, 2), np.float64(2))
    same(j(lambda x: Value(x).at[1:].add(2.0).data)(x), np.array([0.0, 3.0, 4.0, 5.0]))
    assert j(lambda x: x / 0.0)(1.0) == np.inf


@pytest.mark.parametrize("backend", ["numpy", None])
def test_arrays_of_any_layout_and_dtype(backend: str | None) -> None:
    f = jit(lambda x: (np.tanh(x) * 2.0, x.sum(axis=0)), backend=backend)
    x = np.arange(12.0).reshape(3, 4) / 7.0
    read_only = x.copy()
    read_only.flags.writeable = False
    layouts = [x, x.T, x[::-1, ::2], x.astype(">f8"), x.astype(np.float32), read_only, x[:0], np.asfortranarray(x)]
    for y in [*layouts, x.astype(np.int64), x > 1.0, x.astype(np.float16)]:
        found, expected = f(y), (np.tanh(y) * 2.0, y.sum(axis=0))
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-2 if b.dtype == np.float16 else 1e-6)
    with pytest.raises(TypeError, match="MaskedArray"):
        f(np.ma.masked_array(x, x > 1.0))


def test_results_are_their_owners_own() -> None:
    f = jit(lambda x, y: (x, x.T, y[0], x + 0.0, (x * 2.0).T, x * 2.0))
    x = np.arange(6.0).reshape(2, 3)
    first = f(x, x)
    copies = [np.array(r) for r in first]
    for r in first:
        r[...] = 7.0
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(2, 3))
    for a, b in zip(f(x, x), copies, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_program_runs_in_several_threads_at_once() -> None:
    f = jit(lambda x: np.exp(np.sin(x * 2.0) + 1.0).sum(axis=0) * 2.0)
    points = [RNG.standard_normal((50, 20)) for _ in range(4)]
    expected = [f(x) for x in points]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(100):
            if not np.array_equal(f(points[k]), expected[k]):
                wrong.append(k)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert not wrong


def test_the_source_runs_by_itself() -> None:
    params, x, y = parameters((2, 3, 1)), RNG.standard_normal((4, 2)), RNG.standard_normal((4, 1))
    program = jit(step).program(params, x, y, 0.1)
    names: dict[str, Any] = {}
    exec(program.source, names)
    assert "autograd_core" not in program.source
    found = names["step"](*flatten(params)[0], x, y, 0.1)
    same(found, flatten(step(params, x, y, 0.1))[0])


def test_without_llvmlite_programs_run_as_numpy_source() -> None:
    text = """
import sys
sys.modules["llvmlite"] = None
import numpy as np
from autograd_core import jit
f = jit(lambda x, w: np.tanh(x @ w).sum(axis=0))
x, w = np.ones((4, 2)), np.full((2, 3), 0.25)
assert np.allclose(f(x, w), np.tanh(x @ w).sum(axis=0))
assert "It runs as NumPy source" in f.program(x, w).explain()
try:
    jit(np.sin, backend="llvm")(x)
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert run.stdout == 'machine code needs llvmlite, pip install "autograd-core[fast]"\n', run.stderr


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (np.sum(x, 0, np.float32), np.mean(x, 0, None, None, True), np.max(x, 1, None, True)),
        lambda x: (np.var(x, 0, None, None, 1), np.argmax(x, 1, None, keepdims=True), np.copy(x, "C")),
        lambda x: (np.reshape(x, (4, 3), "F"), x.reshape(4, 3, order="F"), np.ravel(x, "F"), x.flatten("F")),
        lambda x: (np.take(x, (0, 1)), np.take(x, [7, 9], 0, None, "wrap"), x.trace()),
        lambda x: np.full_like(x, x[0, 0], np.float32),
        lambda x: np.mean(x[:0], axis=1),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", None])
def test_arguments_by_position_and_by_name(f: Any, backend: str | None) -> None:
    x = RNG.normal(size=(3, 4))
    with np.errstate(all="ignore"):
        same(jit(f, backend=backend)(x), f(x), 1e-6)


@pytest.mark.parametrize("f", [lambda x: np.flip(x, 5), lambda x: np.take(x, [0], 5), lambda x: x.argmax(5)])
def test_axes_that_are_not_there(f: Any) -> None:
    with pytest.raises(np.exceptions.AxisError):
        jit(f)(np.ones((2, 3)))


@pytest.mark.parametrize("backend", ["numpy", None])
@pytest.mark.parametrize(
    "f",
    [
        lambda b, i, u, f: (np.isfinite(b), np.isnan(b), np.isinf(b), np.conj(b)),
        lambda b, i, u, f: [function(f[0], axis=0) for function in (np.sum, np.max, np.all, np.argmax)],
        lambda b, i, u, f: (np.mean(i, axis=()), np.mean(f[:0]), np.mean(f[None], axis=(0, -1), keepdims=True)),
        lambda b, i, u, f: (np.clip(b, 0, np.int32(3)), np.clip(u, -1, 5), np.clip(u, None, 300), np.clip(u, 1, f[0])),
        lambda b, i, u, f: (np.clip(i, 0.5, np.float32(3)), np.clip(i, -200, 2), np.clip(f, 0, np.float64(1))),
        lambda b, i, u, f: np.full_like(np.square(f), f[0] * 2),
    ],
)
def test_dtypes_and_axes_as_numpy_has_them(f: Any, backend: str | None) -> None:
    args = np.array([True, False]), np.array([-5, 3], np.int8), np.array([3, 200], np.uint8), np.array([1.5, -2])
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        found, wanted = flatten(jit(f, backend=backend)(*args))[0], flatten(f(*args))[0]
    for x, y in zip(found, wanted, strict=True):
        assert (np.shape(x), x.dtype) == (np.shape(y), y.dtype)
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("backend", ["numpy", None])
def test_a_part_that_is_taken_by_a_number_stays_when_the_whole_is_written_over(backend: str | None) -> None:
    def f(a: Any, i: Any) -> Any:
        whole = a * 2.0
        part = whole[i]
        return part + np.sqrt(whole)

    a = np.arange(40000.0).reshape(200, 200)
    np.testing.assert_array_equal(jit(f, backend=backend)(a, 3), f(a, 3))
    x = np.ones((3, 4))
    assert not np.shares_memory(jit(lambda x, i: x[i], backend=backend)(x, 1), x)


@pytest.mark.parametrize("backend", ["numpy", None])
def test_results_can_be_written_into(backend: str | None) -> None:
    def f(x: Any) -> Any:
        return np.broadcast_to(x[0] * 2, (3, 2)), np.full_like(x, x[0] + 1)

    for y in jit(f, backend=backend)(np.ones(2)):
        y[0] += 1.0
        assert y.sum() == y.size * 2 + np.size(y[0])


@pytest.mark.parametrize("backend", ["numpy", None])
def test_a_compiled_function_within_another_may_use_its_arrays(backend: str | None) -> None:
    @functools.partial(jit, backend=backend)
    def outer(x: Any) -> Any:
        return jit(lambda y: x * y, backend=backend)(np.full(3, 2.0)), jit(lambda: x + 1.0, backend=backend)()

    x = np.arange(3.0)
    for found, wanted in zip(outer(x), (2.0 * x, x + 1.0), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("backend", ["numpy", None])
def test_integers_are_compared_with_any_others(backend: str | None) -> None:
    x = np.array([1, 200], np.uint8)
    f = lambda a, n: (a < 300, a > -1, a != 2**70, a == n, n < 3, n == n)
    compiled = jit(f, backend=backend)
    for n in (200, 456):
        same(compiled(x, n), f(x, n))


def test_quotients_of_half_precision_stay_quotients() -> None:
    x = np.array([0.0, 1e-7, 1.0], np.float16)
    with np.errstate(over="ignore"):
        same(jit(lambda x: x / 2.0**-20)(x), x / 2.0**-20)


def test_extended_precision() -> None:
    x = np.arange(4.0, dtype=np.longdouble).reshape(2, 2)
    same(jit(lambda x: x @ x)(x), x @ x)


@pytest.mark.parametrize("backend", ["numpy", None])
def test_numpy_may_not_become_complex(backend: str | None) -> None:
    f = jit(np.emath.sqrt, backend=backend)  # as np.linalg.eigvals before NumPy 2.5
    same(f(np.ones(2)), np.ones(2))
    with pytest.raises(RuntimeError, match=r"gave complex128 of shape \(2,\), and float64 of shape \(2,\) when it was"):
        f(np.array([1.0, -1.0]))


Z = RNG.normal(size=4) + 1j * RNG.normal(size=4)


@pytest.mark.parametrize("backend", ["numpy", None])
@pytest.mark.parametrize("z", [Z, Z.astype(np.complex64), Z[0], 1 - 2j], ids=["array", "single", "number", "Python"])
@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.sum(np.abs(z**3 + 2 * z) ** 2),
        lambda z: np.sum(np.angle(z) + np.imag(np.tanh(z)) - np.real(np.sqrt(z) / np.log(z))),
        lambda z: np.real(np.sum(np.where(np.abs(z) > 1, z**2, np.conj(z)) * np.exp(1j * np.angle(z)))),
        lambda z: np.linalg.norm(np.outer(z, z)) + np.log(np.abs(np.prod(z))),
        lambda z: np.sum(np.abs(scan(lambda c, _: (c * 1j * z, np.conj(c)), z, length=3)[1])),
    ],
)
def test_complex_arguments(f: Any, z: Any, backend: str | None) -> None:
    near = 1e-5 if np.asarray(z).dtype == np.complex64 else 1e-12
    for g in (value_and_grad(f), jacobian(lambda z: np.exp(z) * z)):
        found, wanted = (flatten(h(z))[0] for h in (jit(g, backend=backend), g))
        same([np.asarray(x) for x in found], [np.asarray(x) for x in wanted], near)
        assert [np.asarray(x).dtype for x in found] == [np.asarray(x).dtype for x in wanted]


@pytest.mark.parametrize("backend", ["numpy", None])
def test_items_are_replaced_at_numbers_that_are_arguments(backend: str | None) -> None:
    def f(x: Any, i: Any) -> Any:
        return np.sum(x.at[i].set(x[0] * 2.0).at[1:, i].multiply(x[1, i]).at[..., i].max(0.5) ** 2)

    x = RNG.normal(size=(3, 3))
    for i in (1, np.int64(-1)):
        same(jit(value_and_grad(f), backend=backend)(x, i), value_and_grad(f)(x, i))
    with pytest.raises(IndexError):
        jit(grad(f), backend=backend)(x, 3)


@pytest.mark.parametrize("x", [2, True, np.int64(3), np.arange(3), np.array([1, 200], np.uint8)])
def test_integers_are_variables_as_floats(x: Any) -> None:
    f = lambda x: np.sum(np.sin(x) * x**2)
    same(jit(value_and_grad(f))(x), value_and_grad(f)(x))
    same(jit(hessian(f))(x), hessian(f)(x))


@pytest.mark.parametrize("backend", ["numpy", None])
def test_results_share_no_memory(backend: str | None) -> None:
    found = jit(lambda x: ((x * 2.0).T, x * 2.0, (x * 2.0)[0], np.diagonal(x * 2.0)), backend=backend)(np.ones((2, 2)))
    assert not any(np.shares_memory(a, b) for k, a in enumerate(found) for b in found[:k])


def test_names_that_the_source_uses_itself() -> None:
    def step(c: Any, x: Any, k: Any) -> Any:
        return c + x * k, c

    f = lambda k, range, t0, float: (
        scan(lambda c, x: step(c, x, k), 0.0, range),
        k * np.inf + float,
        np.sum(np.tanh(t0) @ np.exp(t0 * 2.0) + 1.0) + np.sum(t0),
    )
    args = 3.0, np.arange(4.0), RNG.normal(size=(200, 200)), 1.0
    same(jit(f, backend="numpy")(*args), f(*args), 1e-9)


def test_loops_within_loops_have_names_of_their_own() -> None:
    a, b, c = RNG.normal(size=(3, 9, 9)) / 9

    def f(x: Any, xs: Any) -> Any:
        def halved(x: Any, y: Any) -> Any:
            def step(d: Any, z: Any) -> Any:
                return d * 0.5 + a @ z, np.linalg.inv(a)[0]

            return scan(step, x, y)[0], None

        def doubled(x: Any, y: Any) -> Any:
            def step(d: Any, z: Any) -> Any:
                return d * 2.0 - b @ z, np.sort(d)

            return scan(step, x, y)[0], None

        return scan(halved, x, xs), scan(doubled, x, xs), c @ x, np.sort(x)

    args = np.ones(9), RNG.normal(size=(3, 2, 9))
    for backend in ("numpy", None):
        same(jit(f, backend=backend)(*args), f(*args), 1e-9)


def test_empty_constants_keep_their_shape() -> None:
    f = lambda x: np.concatenate([x, np.zeros((0, 3), np.float32)])
    same(jit(f, backend="numpy")(np.ones((1, 3))), f(np.ones((1, 3))))


def test_static_arguments_are_told_apart_exactly() -> None:
    f = jit(lambda x, s: x * s[0], static_argnums=1)
    assert [type(f(2, s)) for s in ((1,), (1.0,), (2.5,))] == [int, float, float]
    sign = jit(np.copysign, static_argnums=1)
    assert [sign(1.0, 0.0), sign(1.0, -0.0), sign(1.0, 0.0)] == [1.0, -1.0, 1.0]
    sign(1.0, float("nan")), sign(1.0, float("nan"))
    assert len(sign.programs) == 3


def test_static_arguments_by_name() -> None:
    recorded = []

    def f(x: Any, n: int, *, negative: bool = False) -> Any:
        recorded.append(n)
        return -(x**n) if negative else x**n

    for power in (jit(f, static_argnames=("n", "negative")), jit(f, static_argnums=1, static_argnames="negative")):
        recorded.clear()
        for _ in range(2):
            assert power(2.0, 3) == power(2.0, n=3) == power(x=2.0, n=3) == 8.0
            assert power(2.0, 3, negative=True) == power(2.0, n=3, negative=True) == -8.0
        assert recorded == [3] * 5
        assert power.program(2.0, n=3)([2.0]) == 8.0
        assert pickle.loads(pickle.dumps(jit(np.add, static_argnums=1)))(1.0, 2.0) == 3.0
        with pytest.raises(TypeError, match="static argument n is a list"):
            power(2.0, n=[1])
    assert jit(lambda **kinds: kinds["a"] * 2.0, static_argnames="b")(a=1.0, b="text") == 2.0
    with pytest.raises(TypeError, match="f has no argument m to be static"):
        jit(f, static_argnames=["n", "m"])


def test_a_function_that_closes_over_what_is_differentiated_runs_as_it_is() -> None:
    def line(w: Any) -> Any:
        slope = jit(lambda x: w * x)
        return slope(4.0) + slope(5.0)

    assert grad(line)(2.0) == 9.0
    assert jvp(line, (2.0,), (1.0,)) == (18.0, 9.0)
    assert grad(grad(lambda w: line(w) ** 2))(2.0) == 162.0
    assert jit(grad(line))(2.0) == 9.0


@jit
def decorated(x: Any) -> Any:
    return x * 3.0


def test_compiled_functions_are_copied_and_pickled() -> None:
    for f in (decorated, jit(loss)):
        for again in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
            assert again.fun is f.fun
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert copy.deepcopy(decorated)(2.0) == 6.0


def test_a_compiled_method() -> None:
    class Scaled:
        w = 2.0

        @functools.partial(jit, static_argnums=0)
        def times(self, x: Any) -> Any:
            return x * self.w

    assert Scaled().times(3.0) == 6.0
    assert type(Scaled.times).__name__ == "Jitted"


def test_variables_are_not_frozen_where_nothing_is_recorded() -> None:
    w = Value([1.0, 2.0])
    f = jit(lambda x: np.sum(w * x))
    with no_grad(), pytest.raises(TypeError, match=r"pass w\.data as an argument"):
        f(np.ones(2))


def test_a_dropped_function_is_freed() -> None:
    before = len(gc.get_objects())
    for _ in range(3):
        jit(lambda x: np.exp(x) * 2.0)(np.ones(3))
    gc.collect()
    assert len(gc.get_objects()) - before < 500


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.complex128, np.longdouble])
def test_compiled_constants_of_any_dtype(dtype: Any) -> None:
    found = jit(lambda x: (np.ones(3, dtype), x))(np.ones(2))[0]
    np.testing.assert_array_equal(found, np.ones(3, dtype))
    assert found.dtype == dtype


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_random_programs_compiled_agree(first: int) -> None:
    for seed in range(first, first + 10):
        fuzz_compiled.run(seed, "numpy")


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_a_jacobian_of_many_rows_or_columns_is_a_loop(mode: str) -> None:
    rng = np.random.default_rng(0)
    w, x, b = rng.standard_normal((19, 18)), rng.standard_normal(18), rng.standard_normal((5, 4))

    def function(given: Any) -> Any:
        x, b = given["x"], given["b"]
        inner, _ = scan(lambda c, t: (np.tanh(c * t), None), x[:4], b)
        return w @ np.sin(x) * np.sum(b), {"i": np.where(x > 0, np.sqrt(np.maximum(x, 0.0)), 0.0), "j": inner * x[4:8]}

    derivative = jacobian(function, mode=mode)
    given = {"x": np.where(np.arange(18) == 3, 0.0, x), "b": b}  # there the root's derivative is inf, and not used
    wanted, found = derivative(given), jit(derivative)(given)
    for k, shape in (("x", (18,)), ("b", (5, 4))):
        assert found[0][k].shape == (19, *shape)
        np.testing.assert_allclose(found[0][k], wanted[0][k], rtol=1e-12, atol=1e-14)
        for part in ("i", "j"):
            np.testing.assert_allclose(found[1][part][k], wanted[1][part][k], rtol=1e-12, atol=1e-14)


def test_a_hessian_of_many_variables_is_compiled_as_quickly_as_one_of_few() -> None:
    def rosenbrock(x: Any) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    compiled = jit(hessian(rosenbrock))
    for n in (20, 300):
        x = np.random.default_rng(n).uniform(-1, 1, n)
        np.testing.assert_allclose(compiled(x), hessian(rosenbrock)(x), rtol=1e-12, atol=1e-10)
    sizes = [len(compiled.program(np.ones(n)).source.splitlines()) for n in (20, 300)]
    assert sizes[0] == sizes[1] < 60


def test_a_jacobian_within_a_compiled_gradient_is_written_out() -> None:
    def roughness(x: Any) -> Any:
        return np.sum(jacobian(lambda x: np.sin(x) * x[::-1])(x) ** 2)

    x = np.linspace(-1.0, 2.0, 20)
    np.testing.assert_allclose(jit(grad(roughness))(x), grad(roughness)(x), rtol=1e-12)
