"""Properties that hold for any shapes, indices and expressions, on random ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core import Value, check_gradients, grad, sigmoid
from autograd_core.backward import pull_back
from autograd_core.exact import pull_back_exactly
from autograd_core.transforms import one

few = settings(max_examples=60, deadline=None, derandomize=True)


@few
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0), st.integers(0, 2**32 - 1))
def test_broadcasting(shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (Value(rng.standard_normal(shape)) for shape in shapes.input_shapes)
    out = x * y
    assert out.shape == shapes.result_shape
    g = rng.standard_normal(out.shape)
    out.backward(g)
    for variable, other in ((x, y), (y, x)):
        full = np.broadcast_to(g * other.data, out.shape)
        expected = np.zeros(variable.shape)
        view = np.broadcast_to(np.arange(variable.size).reshape(variable.shape), out.shape)
        np.add.at(expected.reshape(-1), view.reshape(-1), full.reshape(-1))
        assert variable.grad.shape == variable.shape
        np.testing.assert_allclose(variable.grad, expected, atol=1e-12)


@few
@given(st.data())
def test_indexing(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    index = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            hnp.integer_array_indices(shape),
            hnp.arrays(bool, shape),
        )
    )
    x = np.arange(float(np.prod(shape))).reshape(shape)
    v = Value(x)
    part = v[index]
    np.testing.assert_array_equal(part.data, x[index])
    g = np.random.default_rng(0).standard_normal(np.shape(x[index]))
    part.backward(g)
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    np.testing.assert_allclose(v.grad, expected)


UNARY: list[Callable[[Any], Any]] = [np.sin, np.tanh, np.exp, sigmoid, np.arctan, np.square, np.negative, np.cosh]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1 + b * b),
    lambda a, b: np.hypot(1 + a * a, b),
    lambda a, b: np.where(np.sin(3 * a) > np.cos(2 * b), a, b),
]


@st.composite
def programs(draw: Any) -> Callable[..., Any]:
    """A random straight-line program over three variables: each line applies a function to earlier lines."""
    lines = draw(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(UNARY), st.integers(0, 99)),
                st.tuples(st.sampled_from(BINARY), st.integers(0, 99), st.integers(0, 99)),
            ),
            min_size=1,
            max_size=12,
        )
    )

    def program(*variables: Any) -> Any:
        known = list(variables)
        for function, *places in lines:
            out = function(*[known[-1 - place % len(known)] for place in places])
            known.append(np.tanh(out))  # keeps numbers in range
        return sum(np.sum(line) for line in known[len(variables) :])

    return program


@few
@given(programs(), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 1000))
def test_expressions(program: Callable[..., Any], shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    point = [rng.uniform(-1, 1, s) for s in (shape, shape[-1:], ())]
    try:
        check_gradients(program, *point, order=2, rtol=1e-4, atol=1e-5)
    except AssertionError:
        if not on_a_kink(program, point):
            raise


def on_a_kink(program: Callable[..., Any], point: list[Any]) -> bool:
    """Whether the gradient jumps within the reach of the finite differences."""
    near = [x + 2e-5 for x in point]
    gradient = grad(program, (0, 1, 2))
    return any(np.max(np.abs(a - b)) > 1e-2 for a, b in zip(gradient(*point), gradient(*near), strict=True))


@few
@given(programs(), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 1000))
def test_the_quick_pass_is_the_exact_one(program: Callable[..., Any], shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    variables = [Value(rng.uniform(-1, 1, s)) for s in (shape, shape[-1:], ())]
    out = program(*variables)
    quick, exact = pull_back({out: one(out)}), pull_back_exactly({out: one(out)})
    assert set(quick) == set(exact)
    for x, g in quick.items():
        np.testing.assert_allclose(g, exact[x], rtol=1e-12, atol=1e-14)
