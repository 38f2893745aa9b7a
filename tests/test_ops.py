"""Every op of the registry, at every sample it declares: values, gradients, dtypes, shapes, and edges."""

from typing import Any

import numpy as np
import pytest
from samples import COMPLEX_SAMPLES, EVERY_OP, EVERY_SAMPLE, Sample, samples_of

from autograd_core import Value, check_gradients, grad, hessian, hvp, jacobian, jvp, no_grad, vjp
from autograd_core.batched import push_together
from autograd_core.data import dtype_of, shape_of
from autograd_core.explain.symbols import Symbol
from autograd_core.forward import push_forward
from autograd_core.op import ONE, Op
from autograd_core.registry import OPS

each_sample = pytest.mark.parametrize("sample", EVERY_SAMPLE, ids=lambda s: s.label)
each_op = pytest.mark.parametrize("op", EVERY_OP, ids=lambda op: op.name)


def total(sample: Sample) -> Any:
    return lambda *variables: np.sum(np.sin(sample.function(*variables)))


def test_there_are_samples_of_every_op() -> None:
    assert len(EVERY_OP) >= 60
    assert {s.op.name for s in EVERY_SAMPLE} == {op.name for op in EVERY_OP}


@each_sample
def test_gradients_of_orders_1_and_2_equal_central_differences(sample: Sample) -> None:
    check_gradients(sample.function, *sample.variables, order=2)


@each_sample
def test_a_value_computes_what_plain_data_computes(sample: Sample) -> None:
    plain = sample.function(*sample.variables)
    recorded = sample.function(*[Value(x) for x in sample.variables])
    assert type(recorded) is Value
    np.testing.assert_array_equal(recorded.data, plain)
    with no_grad():
        assert type(sample.function(*[Value(x) for x in sample.variables])) is not Value


@pytest.mark.parametrize(
    "sample", [s for s in EVERY_SAMPLE if s.op.name not in ("astype", "imag")], ids=lambda s: s.label
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_input_is_that_of_the_result_and_the_gradient(sample: Sample, dtype: Any) -> None:
    variables = [Value(x.astype(dtype)) for x in sample.variables]
    out = sample.function(*variables)
    assert out.dtype == dtype
    out.backward(np.ones(out.shape))
    for x in variables:
        assert x.grad.dtype == dtype
        assert x.grad.shape == x.shape


@pytest.mark.parametrize(
    "sample", [s for s in EVERY_SAMPLE if s.op.name not in ("astype", "imag")], ids=lambda s: s.label
)
@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of what float16 cannot hold
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # SciPy's, of counts in float16
def test_half_and_long_precision_are_no_worse_than_numpys(sample: Sample, dtype: Any) -> None:
    """The dtype and value of the result are NumPy's; what NumPy does not compute raises its error; and the gradient has
    the variable's dtype and is that in double precision, as far as the coarser of both can hold it.
    """
    point = [x.astype(dtype) for x in sample.variables]
    try:
        plain = sample.function(*point)
    except TypeError:  # linear algebra, and most of SciPy
        with pytest.raises(TypeError):
            sample.function(*map(Value, point))
        return
    variables, doubles = [Value(x) for x in point], [Value(x.astype(np.float64)) for x in point]
    out = sample.function(*variables)
    assert out.dtype == plain.dtype
    np.testing.assert_array_equal(out.data, plain)
    out.backward(np.ones(out.shape))
    sample.function(*doubles).backward(np.ones(out.shape))
    rtol = 64 * float(max(np.finfo(dtype).eps, np.finfo(np.float64).eps))
    for x, y in zip(variables, doubles, strict=True):
        assert (x.grad.dtype, x.grad.shape) == (dtype, x.shape)
        held = np.abs(y.grad) < np.finfo(dtype).max / 2
        size = 1.0 + np.max(np.abs(y.grad), initial=0.0, where=held)
        np.testing.assert_allclose(np.where(held, x.grad, 0), np.where(held, y.grad, 0), rtol=rtol, atol=rtol * size)
    _, tangent = jvp(sample.function, point, point)
    assert tangent.dtype == out.dtype


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("dtype", "wide"), [(np.float16, np.float64), (np.float64, np.longdouble)])
def test_derivatives_at_the_ends_of_the_range(dtype: Any, wide: Any) -> None:
    """Where a result and its derivative can be held, no square on the way overflows or vanishes."""
    info = np.finfo(dtype)
    if info.max == np.finfo(wide).max:
        pytest.skip("long double is double here")
    sizes = np.array([info.tiny, info.tiny**0.5, 1.0, 300.0, info.max**0.7, info.max / 8], dtype)
    x, y = (a.ravel() for a in np.meshgrid(sizes, sizes))
    functions = [np.arctan2, np.hypot, np.logaddexp, *([OPS["pseudo_huber"]] if dtype is np.float16 else [])]
    for function in functions:  # SciPy has no long double
        for b in (y, -y):
            value, pullback = vjp(function, x, b)
            found = pullback(np.ones_like(value))
            value, pullback = vjp(function, x.astype(wide), b.astype(wide))
            for one, exact in zip(found, pullback(np.ones_like(value)), strict=True):
                held = (np.abs(exact) < info.max / 2) & (np.abs(exact) > 8 * info.tiny)
                np.testing.assert_allclose(one[held].astype(wide), exact[held], rtol=64 * float(info.eps))


@each_sample
def test_gradients_are_owned_writable_and_contiguous(sample: Sample) -> None:
    variables = [Value(np.asfortranarray(x)) for x in sample.variables]
    out = sample.function(*variables)
    out.backward(np.ones(out.shape))
    seen: set[int] = set()
    for x in variables:
        if isinstance(x.data, np.ndarray):
            assert x.grad.flags.owndata
            assert x.grad.flags.writeable
            assert x.grad.flags.c_contiguous
            assert id(x.grad) not in seen
            seen.add(id(x.grad))
    assert id(out.grad) not in seen


@each_sample
def test_non_contiguous_inputs(sample: Sample) -> None:
    strided = [np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x for x in sample.variables]
    expected = grad(total(sample), range(len(strided)))(*sample.variables)
    found = grad(total(sample), range(len(strided)))(*strided)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("sample", COMPLEX_SAMPLES, ids=lambda s: s.label)
def test_complex_arguments(sample: Sample) -> None:
    check_gradients(sample.function, *sample.variables, order=2)
    rng = np.random.default_rng(1)
    tangents = [rng.standard_normal(x.shape) for x in sample.variables]
    value, tangent = jvp(sample.function, sample.variables, tangents)
    np.testing.assert_array_equal(value, sample.function(*sample.variables))
    _, pullback = vjp(sample.function, *sample.variables)
    g = rng.standard_normal(np.shape(value))
    expected = sum(np.sum(t * c) for t, c in zip(tangents, pullback(g), strict=True))
    np.testing.assert_allclose(np.sum(tangent * g), expected, rtol=1e-9, atol=1e-9)


def test_the_complex_samples_are_those_of_most_ops() -> None:
    names = {s.op.name for s in COMPLEX_SAMPLES}
    assert {
        "abs",
        "pow",
        "exp",
        "arcsinh",
        "matmul",
        "inv",
        "solve",
        "det",
        "slogdet",
        "cholesky",
        "pinv",
        "norm",
    } < names
    assert {"eigh", "svd", "qr", "fft", "ifft", "irfft", "sum", "where", "getitem", "concatenate", "var"} < names


@pytest.mark.parametrize("op", [op for op in EVERY_OP if op.form == "elementwise"], ids=lambda op: op.name)
def test_python_floats_stay_python_floats(op: Op) -> None:
    rng = np.random.default_rng(3)
    point = [float(rng.uniform(*interval)) for interval in op.domain]
    out = op(*[Value(x) for x in point])
    assert type(out.data) is float
    assert out.data == pytest.approx(float(op(*[np.asarray(x) for x in point])), rel=1e-14)
    gradients = grad(op, range(op.arity))(*point)
    assert all(type(g) is float for g in gradients)
    arrays = grad(lambda *xs: np.sum(op(*xs)), range(op.arity))(*[np.array([x]) for x in point])
    for g, a in zip(gradients, arrays, strict=True):
        assert g == pytest.approx(a[0], rel=1e-13)


@pytest.mark.parametrize("op", [op for op in EVERY_OP if op.form == "elementwise"], ids=lambda op: op.name)
def test_arrays_of_size_zero(op: Op) -> None:
    variables = [Value(np.zeros((0, 3))) for _ in range(op.arity)]
    out = op(*variables)
    assert out.shape == (0, 3)
    out.sum().backward()
    assert all(x.grad.shape == (0, 3) for x in variables)


def test_sums_over_nothing() -> None:
    x = Value(np.zeros((0, 3)))
    out = x.sum()
    out.backward()
    assert out.data == 0.0
    assert x.grad.shape == (0, 3)
    y = Value(np.zeros((0, 3)))
    assert y.sum(axis=0).shape == (3,)


BREAKS = {  # factors whose square is not 1, since the check itself adds and multiplies
    "sign": lambda rule: lambda *args: -1.25 * rule(*args),
    "factor": lambda rule: lambda *args: 1.5 * rule(*args),
}


@pytest.mark.parametrize("op", [op for op in EVERY_OP if op.name != "imag"], ids=lambda op: op.name)  # 0 for reals
@pytest.mark.parametrize("kind", BREAKS)
def test_a_rule_broken_on_purpose_is_caught(op: Op, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = samples_of(op)[0]
    broken = tuple(None if rule is None else BREAKS[kind](rule) for rule in op.rules)
    monkeypatch.setattr(op, "rules", broken)
    monkeypatch.setattr(op, "into", None)  # which says the same as the rule
    with pytest.raises(AssertionError, match="by central differences"):
        check_gradients(sample.function, *sample.variables)


@pytest.mark.parametrize("op", [op for op in EVERY_OP if op.into is not None], ids=lambda op: op.name)
def test_an_adjoint_added_in_place_is_the_rule(op: Op) -> None:
    for sample in samples_of(op):
        out = sample.function(*map(Value, sample.variables))
        (x, *settings), g = out.inputs, np.random.default_rng(0).standard_normal(out.shape)
        total = np.ones(x.shape)
        op.into(total, g, *settings)
        np.testing.assert_array_equal(total, 1.0 + op.rules[0](g, x.data, *settings))


@pytest.mark.parametrize("op", [op for op in EVERY_OP if op.batched is not None], ids=lambda op: op.name)
def test_many_tangents_at_once_are_each_of_them(op: Op) -> None:
    rng = np.random.default_rng(0)
    for sample in samples_of(op):
        variables = [Value(x) for x in sample.variables]
        out = sample.function(*variables)
        for v in variables:
            tangents = rng.standard_normal((3, *v.shape))
            (together,) = push_together([out], v, tangents, oldest=0) or [None]
            for t, found in zip(tangents, together, strict=True):
                (expected,) = push_forward([out], {v: (t[()], None)}, oldest=0)
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "op", [op for op in EVERY_OP if op.arity == 2 and op.rules[0] is not op.rules[1]], ids=lambda op: op.name
)
def test_swapped_rules_are_caught(op: Op, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = samples_of(op)[0]
    monkeypatch.setattr(op, "rules", op.rules[::-1])
    with pytest.raises((AssertionError, ValueError)):
        check_gradients(sample.function, *sample.variables)


def test_a_derivative_of_one_hands_the_gradient_on() -> None:
    assert OPS["add"].rules == (ONE, ONE)


def test_conventions_where_there_is_no_derivative() -> None:
    assert grad(np.abs)(0.0) == 0.0
    assert grad(OPS["relu"])(0.0) == 0.0
    assert grad(np.maximum, (0, 1))(1.0, 1.0) == (0.5, 0.5)
    assert grad(np.hypot, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    np.testing.assert_array_equal(grad(np.max)(np.array([3.0, 1.0, 3.0])), [0.5, 0.0, 0.5])
    np.testing.assert_array_equal(grad(np.std)(np.array([2.0, 2.0])), [0.0, 0.0])


@pytest.mark.parametrize(
    ("function", "point"),
    [
        (np.linalg.norm, np.zeros(2)),
        (lambda x: np.hypot(x[0], x[1]), np.zeros(2)),
        (lambda x: np.abs(x[0] + 1j * x[1]), np.zeros(2)),
        (np.std, np.ones(2)),
        (lambda x: np.sum(np.abs(x)), np.zeros(2)),
    ],
)
def test_where_a_size_is_0_its_derivatives_are_0_and_not_an_arbitrary_number(function: Any, point: Any) -> None:
    np.testing.assert_array_equal(grad(function)(point), np.zeros(2))
    for mode in ("forward", "reverse"):
        np.testing.assert_array_equal(jacobian(grad(function), mode=mode)(point), np.zeros((2, 2)))
        np.testing.assert_array_equal(jacobian(function, mode=mode)(point), np.zeros(2))
    np.testing.assert_array_equal(hvp(function, point, np.ones(2)), np.zeros(2))


def test_powers_at_zero_are_right_to_order_4() -> None:
    for n in range(5):
        f: Any = lambda x, n=n: x**n
        for order in range(5):
            coefficient = np.prod([n - k for k in range(order)]) if order <= n else 0
            expected = float(coefficient) if order == n else 0.0
            assert f(0.0) == expected, (n, order)
            f = grad(f)
    assert grad(lambda y: 0.0**y)(2.0) == 0.0


@pytest.mark.parametrize("zeros", [1, 2])
def test_products_with_zeros(zeros: int) -> None:
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[:zeros] = 0.0
    check_gradients(np.prod, x, order=2)
    check_gradients(lambda x: np.prod(x, axis=(0, 2)), np.stack([x, x]).reshape(2, 2, 2), order=2)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.uint64])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "normal_cdf", "softmax", "log_softmax"])
def test_integers_are_numbers_and_do_not_wrap_around(name: str, dtype: Any) -> None:
    x = np.array([1, 0, 100]).astype(dtype)
    np.testing.assert_array_equal(OPS[name](x), OPS[name](x.astype(float)), strict=True)
    np.testing.assert_array_equal(OPS[name](x.reshape(3, 1)[1, 0:1]), OPS[name](np.zeros(1)), strict=True)


def test_stable_forms_do_not_overflow() -> None:
    x = np.array([-1000.0, 0.0, 1000.0])
    np.testing.assert_array_equal(OPS["sigmoid"](x), [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(OPS["softplus"](x), [0.0, np.log(2.0), 1000.0])
    np.testing.assert_array_equal(grad(lambda x: OPS["softplus"](x).sum())(x), [0.0, 0.5, 1.0])
    assert OPS["logsumexp"](x) == 1000.0
    np.testing.assert_array_equal(grad(OPS["logsumexp"])(x), [0.0, 0.0, 1.0])
    assert OPS["logsumexp"](np.array([-np.inf, -np.inf])) == -np.inf
    assert OPS["sigmoid"](-700.0) == pytest.approx(np.exp(-700.0), rel=1e-12)
    np.testing.assert_allclose(OPS["sigmoid"](np.array([-700.0, -40.0])), np.exp([-700.0, -40.0]), rtol=1e-12)


@each_op
def test_every_op_documents_itself(op: Op) -> None:
    assert op.__doc__
    assert op.form in ("elementwise", "linear", "multilinear", "primitive")
    assert OPS[op.name] is op


@each_sample
def test_shapes_of_results_are_numpys(sample: Sample) -> None:
    out = sample.function(*sample.variables)
    assert shape_of(out) == np.shape(out)
    assert dtype_of(out).kind in "fc"


def test_real_and_imaginary_parts() -> None:
    x = np.array([1.0, -2.0])
    w = 2.0 - 3.0j
    check_gradients(lambda x: np.real(w * x * x) + np.imag(w * np.exp(x)) + np.real(np.conj(w * x)), x, order=2)
    z = Value(np.array([1.0 + 2.0j]))
    np.real(z * np.conj(z)).sum().backward()
    np.testing.assert_array_equal(z.grad, [2.0 + 4.0j])  # 2 z, as PyTorch has it: z - rate * grad descends


# nan, infinity, and what NumPy lets one say ---------------------------------------------------------------------------


def test_a_nan_takes_the_gradient_of_an_extreme() -> None:
    x = np.array([1.0, np.nan, 2.0, np.nan])
    for function in (np.max, np.min):
        np.testing.assert_array_equal(grad(function)(x), [0.0, 0.5, 0.0, 0.5])
        np.testing.assert_array_equal(jvp(function, (x,), (np.array([0.0, 3.0, 9.0, 1.0]),))[1], 2.0)
    y = np.array([np.nan, 5.0, 2.0, 0.0])
    for function in (np.maximum, np.minimum):
        first, second = grad(lambda x, y, f=function: np.sum(f(x, y)), (0, 1))(x, y)
        np.testing.assert_array_equal(first, [0.0, 1.0, 0.5, 1.0])
        np.testing.assert_array_equal(second, [1.0, 0.0, 0.5, 0.0])
    first, second = grad(lambda x, y: np.sum(np.fmax(x, y)), (0, 1))(x, y)
    np.testing.assert_array_equal(first, [1.0, 0.0, 0.5, 0.0])
    np.testing.assert_array_equal(second, [0.0, 1.0, 0.5, 1.0])
    np.testing.assert_array_equal(
        grad(lambda x: np.sum(OPS["relu"](x)))(np.array([np.nan, -1.0, 0.0, 2.0])), [1, 0, 0, 1]
    )
    assert grad(OPS["relu"])(np.nan) == 1.0
    z = np.array([1.0, np.nan, 7.0, -3.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.clip(x, 0.0, 5.0)))(z), [1.0, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(grad(np.median)(z), [0.0, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.quantile(x, [0.1, 0.9])))(z), [0.0, 2.0, 0.0, 0.0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own, of inf - inf
def test_logaddexp_at_infinity() -> None:
    x, y = np.array([np.inf, -np.inf, 1.0, np.inf]), np.array([-np.inf, 1.0, -np.inf, np.inf])
    for function in (np.logaddexp, np.logaddexp2):
        first, second = grad(lambda x, y, f=function: np.sum(f(x, y)), (0, 1))(x, y)
        np.testing.assert_array_equal(first, [1.0, 0.0, 1.0, 0.5])
        np.testing.assert_array_equal(second, [0.0, 1.0, 0.0, 0.5])
        check_gradients(function, np.array([0.3, 40.0]), np.array([0.3, -40.0]), order=2)


def test_complex_powers_of_negative_numbers() -> None:
    for x in (-2.0, np.array([-2.0, 0.5, -1.0])):
        check_gradients(lambda y, x=x: x**y, 0.3 + 0.7j, order=2)
        check_gradients(lambda x, y: x**y, x, 0.3 + 0.7j, order=2)
    assert grad(lambda y: np.real(np.float32(-2.0) ** y))(np.complex64(1j)).dtype == np.complex64


def test_second_derivatives_of_complex_absolute_values() -> None:
    """|z|² has the Hessian 2 I in the real and imaginary parts, and |z| one of trace 1/|z|; at 0 its gradient is 0."""
    squared = lambda x, y: np.abs(x + 1j * y) ** 2
    for function, expected in (
        (squared, [[2.0, 0.0], [0.0, 2.0]]),
        (lambda x, y: np.abs(x + 1j * y), [[16 / 125, -12 / 125], [-12 / 125, 9 / 125]]),
    ):
        np.testing.assert_allclose(hessian(function, (0, 1))(3.0, 4.0), expected, atol=1e-14)
    assert grad(lambda x: np.abs(x * (1 + 1j)))(0.0) == 0.0
    direction = lambda x, y: np.real(np.sign(x + 1j * y)) + 2.0 * np.imag(np.sign(x + 1j * y))
    check_gradients(direction, 3.0, 4.0, order=2)
    assert np.sign(Value([-2.0, 0.0, 3.0])).tolist() == [-1.0, 0.0, 1.0]


def test_float_power_is_in_double_precision() -> None:
    x = Value(np.array([1.0, 2.0], np.float32))
    out = np.float_power(x, 2)
    assert out.dtype == np.float64
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, np.array([2.0, 4.0], np.float32))
    assert x.grad.dtype == np.float32
    assert np.float_power(np.float32(2.0), x).dtype == np.float64


def test_settings_that_say_nothing_are_taken() -> None:
    x = Value([1.0, 2.0])
    np.testing.assert_array_equal(np.add(x, 1.0, where=True, casting="same_kind", dtype=None).data, [2.0, 3.0])
    with pytest.raises(TypeError, match="takes no where="):
        np.add(x, 1.0, where=np.array([True, False]))
    assert x.__array_function__(np.reshape, (), (x,), {"newshape": (2, 1)}).shape == (2, 1)  # as NumPy 2.0 passes it on


@pytest.mark.parametrize(
    ("function", "label"),
    [
        (lambda x, y: (x % 2) * y, "(x mod 2)·y"),
        (lambda x, y: x % 2 + y, "(x mod 2) + y"),
        (lambda x, y: (x + y) % (x * y), "(x + y) mod (x·y)"),
    ],
)
def test_a_remainder_is_bracketed(function: Any, label: str) -> None:
    assert function(Symbol("x", 3.0), Symbol("y", 2.0)).text == label


def test_a_derivative_with_respect_to_one_argument_takes_masks_as_the_other() -> None:
    check_gradients(lambda y: np.arctan2(y, np.array([True, True])), np.array([0.5, -2.0]), order=2)
