"""Derivatives of loops: compiled, they are loops themselves, and the numbers are those of the steps one by one."""

from typing import Any

import numpy as np
import pytest

from autograd_core import (
    Value,
    checkpoint,
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    scan,
    sigmoid,
    value_and_grad,
    vjp,
)
from autograd_core.compiler.ir import topological
from autograd_core.trees import flatten

BACKENDS = ("numpy", "llvm")
RNG = np.random.default_rng(3)
XS, H = RNG.standard_normal((6, 2)), RNG.standard_normal(3)
PARAMS = {"w": RNG.standard_normal((3, 3)), "u": RNG.standard_normal((2, 3)), "b": RNG.standard_normal(3)}


def close(found: Any, wanted: Any, near: float = 1e-9) -> None:
    found, wanted = flatten(found)[0], flatten(wanted)[0]
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=near, atol=near)


def loops(program: Any) -> list[Any]:
    """The loops of a program, not those within them."""
    return [x.settings[0] for x in topological(program.program.outputs) if x.op == "scan"]


def net(p: Any, h: Any, xs: Any) -> Any:
    """A recurrent network, of whose states all count, and the last once more."""

    def step(h: Any, x: Any) -> Any:
        h = np.tanh(h @ p["w"] + x @ p["u"] + p["b"])
        return h, {"out": h * x[0], "same": h}

    last, outs = scan(step, h, xs)
    return np.sum(np.sin(last)) + np.sum(outs["out"] ** 2) + np.sum(outs["same"][::2])


def lstm(p: Any, h: Any, xs: Any) -> Any:
    """Gates, a state of two arrays, an integer that counts, and a closure that was computed from variables."""
    w = np.concatenate([p["w"], p["u"]]) * np.exp(p["b"])

    def step(state: Any, x: Any) -> Any:
        h, c, k = state["h"], state["c"], state["k"]
        z = np.concatenate([h, x]) @ w
        c = sigmoid(z + 1.0) * c + sigmoid(z) * np.tanh(z)
        return {"h": sigmoid(z - 1.0) * np.tanh(c), "c": c, "k": k + 1}, (k, np.sum(c) > 0.0)

    end, (counts, _) = scan(step, {"h": h, "c": h * 0.5, "k": 0}, xs)
    return np.sum(end["h"] * end["c"]) * np.sum(counts)


def masked(p: Any, h: Any, xs: Any) -> Any:
    """A branch that is not taken, whose derivative is inf."""

    def step(c: Any, x: Any) -> Any:
        return np.where(c > 0.0, np.sqrt(np.abs(c)), 0.0) + p["b"] * np.maximum(x[0], 0.0), None

    return np.sum(scan(step, h * 0.0, np.concatenate([xs[:1] * 0.0, xs]))[0])


def nested(p: Any, h: Any, xs: Any) -> Any:
    """A loop in a loop, a derivative in a step, and one that is computed again on the way back."""

    def inner(c: Any, x: Any) -> Any:
        return c * 0.5 + np.sin(x) @ p["u"], np.sum(c)

    @checkpoint
    def energy(c: Any) -> Any:
        return np.sum(np.cos(c @ p["w"]))

    def step(c: Any, x: Any) -> Any:
        c, sums = scan(inner, c, np.stack([x, x * x]))
        return c - 0.1 * grad(energy)(c), sums

    end, sums = scan(step, h, xs)
    return np.sum(end) + np.sum(sums * sums)


FUNCTIONS = (net, lstm, masked, nested)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_gradients_of_all_that_a_loop_takes(f: Any, backend: str) -> None:
    both = value_and_grad(f, (0, 1, 2))
    close(jit(both, backend=backend)(PARAMS, H, XS), both(PARAMS, H, XS))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_derivatives_of_derivatives_in_both_modes(f: Any, backend: str) -> None:
    t = {"w": np.cos(PARAMS["w"]), "u": PARAMS["u"], "b": -PARAMS["b"]}

    def every(p: Any, h: Any, xs: Any) -> Any:
        gradient = grad(lambda p: f(p, h, xs))
        return (
            jvp(lambda p, h: f(p, h, xs), (p, h), (t, h)),
            jvp(gradient, (p,), (t,))[1],
            grad(lambda p: sum(np.sum(np.sin(g)) for g in flatten(gradient(p))[0]))(p),
            grad(lambda p: jvp(lambda p: f(p, h, xs), (p,), (t,))[1])(p),
            hessian(lambda h: f(p, h, xs))(h),
        )

    close(jit(every, backend=backend)(PARAMS, H, XS), every(PARAMS, H, XS), near=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pullback_and_jacobians_of_all_states(backend: str) -> None:
    def every(p: Any, h: Any, xs: Any) -> Any:
        states = lambda h, xs: scan(lambda h, x: (np.tanh(h @ p["w"] + x @ p["u"]), h), h, xs)
        (end, before), pullback = vjp(states, h, xs)
        reverse, forward = (
            jacobian(lambda h, xs=xs: states(h, xs)[1], mode=mode)(h) for mode in ("reverse", "forward")
        )
        return pullback((end, 2.0 * before)), reverse, forward

    close(jit(every, backend=backend)(PARAMS, H, XS), every(PARAMS, H, XS))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("steps", [0, 1])
def test_loops_of_no_step_and_of_one(steps: int, backend: str) -> None:
    both = value_and_grad(net, (0, 1, 2))
    close(jit(both, backend=backend)(PARAMS, H, XS[:steps]), both(PARAMS, H, XS[:steps]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_as_states_keep_their_dtypes(backend: str) -> None:
    def f(rate: Any, x: Any) -> Any:
        return scan(lambda c, x: (c * rate + np.sum(x), None), 0.0, x)[0]

    x = np.linspace(-1.0, 1.0, 8).reshape(4, 2)
    close(jit(grad(f, (0, 1)), backend=backend)(0.5, x), grad(f, (0, 1))(0.5, x))
    single = x.astype(np.float32)
    one = lambda w, x: np.sum(scan(lambda c, x: (c * w + x, c * c), np.zeros(2, np.float32), x)[1])
    w = np.float32(0.5)
    close(jit(grad(one, (0, 1)), backend=backend)(w, single), grad(one, (0, 1))(w, single), near=1e-5)


def test_a_state_that_is_a_variable_itself_and_one_that_nothing_depends_on() -> None:
    def f(w: Any, v: Any) -> Any:
        (a, b, _), _ = scan(lambda c, _: ((w, c[0] * c[1], c[2]), None), (v, v, v), length=3)
        return np.sum(a * b)

    w, v = np.array([2.0, 3.0]), np.array([0.5, 1.5])
    close(jit(grad(f, (0, 1)))(w, v), grad(f, (0, 1))(w, v))


def test_the_program_has_loops_however_many_steps_there_are() -> None:
    f = value_and_grad(lambda p, h, xs: net(p, h, xs))
    compiled = jit(f, backend="numpy")
    few, many = (compiled.program(PARAMS, H, np.resize(XS, (n, 2))) for n in (6, 3000))
    assert [loop.length for loop in loops(few)] == [6, 6]
    assert [loop.length for loop in loops(many)] == [3000, 3000]
    assert len(topological(few.program.outputs)) == len(topological(many.program.outputs))
    hessian_product = jit(lambda p, h, xs: jvp(lambda h: grad(net, 1)(p, h, xs), (h,), (h,))[1], backend="numpy")
    assert len(loops(hessian_product.program(PARAMS, H, XS))) <= 4


@pytest.mark.parametrize("pick", [
    lambda x, i, j: x[j, :, 0] * x[j],
    lambda x, i, j: x[..., i],
    lambda x, i, j: x[j, i, i],
    lambda x, i, j: x[1, ::-1, i] * x[:, 1:, i].sum(),
    lambda x, i, j: np.take(x[0], i, axis=1) * x[j, ..., i],
])  # fmt: skip
def test_what_a_step_picks_by_numbers_needs_no_numpy(pick: Any) -> None:
    x, numbers = RNG.standard_normal((2, 3, 3)), (np.array([2, 0, -1, 2, -3]), np.array([0, -1, 1, 0, 0]))
    picked = lambda x, numbers: scan(lambda c, ij: (c, np.sin(pick(x, *ij))), 0.0, numbers)[1]
    total = value_and_grad(lambda x, numbers: np.sum(picked(x, numbers)))
    for f in (picked, total, lambda x, numbers: jacobian(picked)(x, numbers)):
        for backend in BACKENDS:
            close(jit(f, backend=backend)(x, numbers), f(x, numbers))
    assert "Nothing is left to NumPy" in jit(total).program(x, numbers).explain()
    mixed = lambda x, i: x[[[0, 1]], i] * x[:, [2, 0], i].sum() * x[np.array([True, False]), i]
    close(jit(mixed)(x, 1), mixed(x, 1))
    with pytest.raises(IndexError):
        jit(picked)(x, (numbers[0] + 9, numbers[1] + 9))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [
    lambda x: scan(lambda c, row: (c, np.cumsum(row)), 0.0, x.T),
    lambda x: scan(lambda c, row: (c, np.sort(row)), 0.0, x[::-1, ::2]),
    lambda x: scan(lambda c, row, a=x.T @ x, b=(x @ x.T).T: (c + np.sort(b, axis=0), row), x @ x.T, x),
    lambda x: scan(lambda c, row, a=x[:3].T: (c, np.linalg.solve(a, row)), 0.0, x),
    lambda x: scan(lambda c, row, a=x.T: (c, scan(lambda c, b: (c, np.cumprod(a, axis=1) * b), c, row)[1]), 0.0, x),
])  # fmt: skip
def test_what_lies_in_another_order_is_handed_to_numpy_as_it_is(f: Any, backend: str) -> None:
    x = RNG.standard_normal((4, 3))
    close(jit(f, backend=backend)(x), f(x))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_matrix_whose_rows_a_loop_made_is_inverted_and_decomposed(backend: str) -> None:
    rows = lambda x: scan(lambda c, x: (c, np.sin(x)), 0.0, x)[1]
    f = lambda x: np.sum(np.linalg.inv(rows(x))) + np.sum(np.linalg.slogdet(rows(x) @ rows(x).T)[1])
    x = RNG.standard_normal((3, 3))
    close(jit(value_and_grad(f), backend=backend)(x), value_and_grad(f)(x))
    with pytest.raises(np.linalg.LinAlgError):
        jit(f, backend=backend)(np.zeros((3, 3)))


def test_steps_that_count_are_taken_one_by_one_where_a_derivative_is_taken() -> None:
    f = lambda w, x: np.sum(scan(lambda c, x: (c * w + x, c), np.zeros(2), x, count=3)[1])
    w = np.array([0.5, -1.0])
    close(jit(grad(f))(w, XS), grad(f)(w, XS))
    power = lambda x, n: scan(lambda c, _: (c * x, None), 1.0, None, length=9, count=n)[0]
    assert jit(grad(power), static_argnums=(1,))(2.0, 3) == 12.0
    with pytest.raises(TypeError, match=r"count= is known while jit records: make it static, .*or let each step"):
        jit(grad(power))(2.0, 3)


@pytest.mark.parametrize("f", [
    lambda x: np.real(np.sum(scan(lambda c, x: (c * 1j + x, None), x + 0j, XS)[0] ** 2)),
    lambda x: np.sum(np.abs(scan(lambda c, _: (c * 0.5, np.fft.fft(c)), x, length=4)[1])),
    lambda x: np.sum(scan(lambda c, _: (np.abs(np.exp(1j * c)) * c, np.angle(c + 1j)), x, length=4)[1]),
])  # fmt: skip
def test_complex_numbers(f: Any) -> None:
    x = np.array([0.5, -1.5])
    close(jit(f)(x), f(x))
    close(jit(grad(f))(x), grad(f)(x))


def test_results_that_nothing_comes_back_from_have_no_part_in_a_gradient() -> None:
    """Their derivatives are inf here, and 0 · inf is nan."""

    def step(c: Any, x: Any) -> Any:
        h, unused, seen = c
        return (np.sin(h * x), np.sqrt(unused * h), seen + h), (np.log(h * 0.0), h)

    f = lambda x: np.sum(scan(step, (x, x * 0.0, x), XS)[0][2])
    x = np.array([0.5, -1.5])
    with np.errstate(all="ignore"):
        wanted = grad(f)(x)
    assert np.isfinite(wanted).all()
    close(jit(grad(f))(x), wanted)
    program = jit(grad(f), backend="numpy").program(x)
    assert [loop.carries for loop in loops(program)] == [3, 2]


@pytest.mark.parametrize("within", [False, True])
def test_a_step_that_draws_random_numbers_has_no_derivative(within: bool) -> None:
    rng = np.random.default_rng(0)

    def step(c: Any, x: Any) -> Any:
        if within:
            return scan(lambda c, x: (c * rng.random(2), None), c, length=2)[0], None
        return c * rng.random(2) + x, None

    f = jit(grad(lambda w: np.sum(scan(step, w, XS)[0])))
    with pytest.raises(RuntimeError, match="give them to it among the xs"):
        f(np.ones(2))


def test_outside_of_jit_the_graph_has_every_step() -> None:
    w = Value(0.5)
    end, _ = scan(lambda c, x: (c * w + x, None), 0.0, XS[:, 0])
    end.backward()
    assert w.grad == pytest.approx(grad(lambda w: scan(lambda c, x: (c * w + x, None), 0.0, XS[:, 0])[0])(0.5))
