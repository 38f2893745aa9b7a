"""A Value as its users meet it: arithmetic, NumPy, text, copies, and what it refuses."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad, holding, no_grad, softmax, stop_gradient
from autograd_core.value import leaf

# Data -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "dtype"),
    [
        (2.0, float, np.float64),
        (2, float, np.float64),
        (True, float, np.float64),
        (np.float32(2), np.float32, np.float32),
        (np.float64(2), np.float64, np.float64),
        (np.int64(2), np.float64, np.float64),
        ([1, 2], np.ndarray, np.float64),
        ([[1.5], [2.5]], np.ndarray, np.float64),
        (np.ones(3, np.float32), np.ndarray, np.float32),
        (np.arange(3), np.ndarray, np.float64),
        (np.array(2.0), np.ndarray, np.float64),
        ([], np.ndarray, np.float64),
        (1j, np.complex128, np.complex128),
    ],
)
def test_what_a_value_holds(given: Any, kind: type, dtype: Any) -> None:
    v = Value(given)
    assert type(v.data) is kind
    assert v.dtype == dtype
    assert v.shape == np.shape(given)
    np.testing.assert_array_equal(v.data, given)


def test_arrays_are_copied() -> None:
    a = np.ones(3)
    v = Value(a)
    a[0] = 5.0
    assert v.data[0] == 1.0


@pytest.mark.parametrize("bad", ["text", None, {}, ["a"], np.array(["a"]), np.array([object()]), np.datetime64("2020")])
def test_what_is_no_number_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="cannot be differentiated: give numbers"):
        Value(bad)


def test_a_value_of_a_value_is_refused() -> None:
    v = Value(1.0)
    with pytest.raises(TypeError, match="a Value already"):
        Value(v)
    with pytest.raises(TypeError, match=r"np\.stack"):
        Value([v, v])


def test_scalars_are_weak_and_float32_stays() -> None:
    x = np.ones(2, np.float32)
    for out in (Value(2.0) * x, np.exp(Value(2.0)) * x, Value(x) * 2.0, Value(x) + 1, np.sin(Value(1.0)).tanh() * x):
        assert out.dtype == np.float32
    w = Value(2.0)
    (w * x).sum().backward()
    assert type(w.grad) is float
    assert (Value(np.float64(2.0)) * x).dtype == np.float64


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_pythons_math_raises_numpy_answers() -> None:
    zero = Value(0.0)
    assert (1.0 / zero).data == math.inf
    assert (Value(-1.0) / zero).data == -math.inf
    assert np.exp(Value(1000.0)).data == math.inf
    assert np.log(zero).data == -math.inf
    assert math.isnan(np.log(Value(-1.0)).data)
    assert math.isnan(np.sin(Value(math.inf)).data)
    assert math.isnan((Value(-8.0) ** (1 / 3)).data)
    assert (zero**-1).data == math.inf
    assert (Value(10.0) ** 400).data == math.inf
    x = Value(0.0)
    np.log(x).backward()
    assert x.grad == math.inf
    for out in (1.0 / zero, np.exp(Value(1000.0)), Value(-8.0) ** (1 / 3)):
        assert type(out.data) is float


# Arithmetic -----------------------------------------------------------------------------------------------------------

OPERATORS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a**b,
    lambda a, b: a % b,
]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "other", [3.0, 3, np.float64(3.0), np.float32(3), np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0], np.array([1, 2, 3])]
)
def test_operators_with_constants_on_either_side(operator: Any, other: Any) -> None:
    x = np.array([1.5, 2.5, 3.5])
    constant = np.asarray(other) if isinstance(other, list) else other
    for recorded, plain in (
        (operator(Value(x), other), operator(x, constant)),
        (operator(other, Value(x)), operator(constant, x)),
    ):
        assert type(recorded) is Value
        assert recorded.dtype == plain.dtype
        np.testing.assert_array_equal(recorded.data, plain)


def test_unary_operators_and_floor_division() -> None:
    v = Value(-2.5)
    assert (-v).data == 2.5
    assert +v is v
    assert abs(v).data == 2.5
    assert v // 2 == -2.0
    assert 2 // v == -1.0
    assert round(v) == -2
    assert math.trunc(v) == -2


def test_matrix_products() -> None:
    a, b = np.ones((2, 3)), np.arange(6.0).reshape(3, 2)
    for product in (Value(a) @ b, a @ Value(b), Value(a) @ Value(b), np.matmul(a, Value(b)), np.dot(Value(a), b)):
        assert type(product) is Value
        np.testing.assert_array_equal(product.data, a @ b)


def test_comparisons_are_plain_and_the_hash_is_the_identity() -> None:
    v, w = Value([1.0, 2.0]), Value([1.0, 3.0])
    np.testing.assert_array_equal(v == w, [True, False])
    np.testing.assert_array_equal(v != 1.0, [False, True])
    for found in (v < w, v <= w, v > w, v >= w):
        assert type(found) is np.ndarray
    assert {v: "v", w: "w"}[v] == "v"
    assert Value(1.0) == 1.0
    assert Value(2.0) > Value(1.0)
    assert not Value(0.0)
    assert 2.0 in v
    with pytest.raises(ValueError, match="ambiguous"):
        bool(v)


def test_what_is_no_operand() -> None:
    for other in ("text", None, {}):
        with pytest.raises(TypeError, match="unsupported operand"):
            Value(1.0) + other
    with pytest.raises(TypeError, match="cannot be differentiated"):
        Value(1.0) + np.array(["a", None], dtype=object)


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"add of shapes \(3,\) and \(4,\)"):
        Value(np.ones(3)) + Value(np.ones(4))
    with pytest.raises(ValueError, match=r"matmul of shapes \(2, 3\) and \(2, 3\)"):
        Value(np.ones((2, 3))) @ np.ones((2, 3))


# NumPy ----------------------------------------------------------------------------------------------------------------


def test_numpy_functions_record() -> None:
    v = Value([[1.0, -2.0], [3.0, 4.0]], name="v")
    calls = [
        np.exp(v),
        np.sum(v, axis=1),
        np.sum(v, 1),
        np.sum(a=v, keepdims=True),
        np.ones(2) * v,
        np.ones((2, 2)) @ v,
        np.float64(2) * v,
        np.where(v > 0, v, 0),
        np.concatenate([v, np.ones((1, 2))], axis=0),
        np.stack((v, v), axis=-1),
        np.split(v, 2, axis=1)[0],
        np.vstack([v, v]),
        np.hstack([v, v]),
        np.reshape(v, (4,)),
        np.transpose(v),
        np.mean(v, axis=(0, 1)),
        np.max(v),
        np.clip(v, 0, None),
        np.add.reduce(v),
        np.trace(v),
        np.diagonal(v, 1),
        np.outer(v, v),
        np.tensordot(v, v, 1),
        np.inner(v, v),
        np.dot(v, v),
        np.ravel(v),
    ]
    for out in calls:
        assert type(out) is Value
    assert np.shape(v) == (2, 2)
    assert type(np.isnan(v)) is np.ndarray
    assert type(np.sign(v)) is np.ndarray
    assert np.allclose(v, v.data)
    assert np.argmax(a=v) == 3


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: np.multiply.outer(x, y),
        lambda x, y: np.subtract.outer(x, x),
        lambda x, y: np.hypot.outer([1.0, 2.0], y),
        lambda x, y: np.add.outer(x[0, 0], y),
        lambda x, y: np.logaddexp.reduce(x),
        lambda x, y: np.logaddexp.reduce(x, axis=(0, 1), keepdims=True),
        lambda x, y: np.maximum.reduce(x, axis=1),
        lambda x, y: np.add.accumulate(x),
        lambda x, y: np.multiply.accumulate(x, axis=1),
    ],
)
def test_methods_of_ufuncs(function: Callable[..., Any]) -> None:
    x, y = np.array([[0.5, 2.0], [-1.0, 3.0], [0.3, 0.7]]), np.array([1.5, 0.4])
    out = function(Value(x), Value(y))
    np.testing.assert_allclose(out.data, function(x, y), rtol=1e-14)
    assert out.shape == np.shape(function(x, y))
    check_gradients(function, x, y, order=2)


@pytest.mark.parametrize(
    ("function", "plain"),
    [
        (lambda v: np.dot(v, 2.0), lambda x: np.dot(x, 2.0)),
        (lambda v: np.dot(v, np.ones((2, 3, 4))), lambda x: np.dot(x, np.ones((2, 3, 4)))),
        (lambda v: np.inner(v, np.ones((4, 3))), lambda x: np.inner(x, np.ones((4, 3)))),
        (
            lambda v: np.tensordot(v, np.ones((3, 2)), ([1, 0], [0, 1])),
            lambda x: np.tensordot(x, np.ones((3, 2)), ([1, 0], [0, 1])),
        ),
        (lambda v: np.array_split(v, 2, axis=1)[1], lambda x: np.array_split(x, 2, axis=1)[1]),
        (lambda v: np.split(v, [1, 2], axis=1)[2], lambda x: np.split(x, [1, 2], axis=1)[2]),
        (lambda v: np.trace(v, 1), lambda x: np.trace(x, 1)),
    ],
)
def test_composed_functions_equal_numpys(function: Any, plain: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(function(Value(x)).data, plain(x))


def test_a_function_without_a_rule_is_named_with_its_neighbours() -> None:
    with pytest.raises(TypeError, match=r"np\.einsum_path is not differentiable here"):
        np.einsum_path("ij->i", Value([[1.0]]))
    with pytest.raises(TypeError, match=r"np\.einsum\..*v\.data.*How to add an op"):
        np.einsum_path("ij->i", Value([[1.0]]))
    with pytest.raises(TypeError, match=r"np\.put_along_axis writes plain data.*v\.at\[index\]\.set"):
        np.put_along_axis(Value([1.0, 2.0]), np.array([0]), 3.0, 0)
    with pytest.raises(TypeError, match=r"np.exp takes no where=.*write np.where\(mask, np.exp"):
        np.exp(Value([1.0]), where=np.array([True]))
    with pytest.raises(TypeError, match=r"np.median takes no overwrite_input= on a Value \(but axis=, keepdims=\)"):
        np.median(Value([1.0]), overwrite_input=True)
    with pytest.raises(TypeError, match=r"np.save writes plain data.*pickle.dump"):
        np.save("unused", Value([1.0]))
    with pytest.raises(AttributeError, match=r"'sort' \(it is not written into: write np.sort\(v\)\)"):
        Value([1.0]).sort()
    with pytest.raises(AttributeError, match=r"'clone' \(write v.copy\(\)\)"):
        Value([1.0]).clone()
    with pytest.raises(AttributeError, match=r"'matmul' \(write np.matmul\(v, \.\.\.\)\)"):
        Value([1.0]).matmul(2.0)
    with pytest.raises(AttributeError, match=r"'view' \(write v.reshape\(shape\)"):
        Value([1.0]).view(-1)
    with pytest.raises(AttributeError, match=r"'add_' \(it is not written into: write v = v \+ x"):
        Value([1.0]).add_(2.0)
    with pytest.raises(TypeError, match=r"np.select, if only its default is one, .*write np.where"):
        np.select([np.array([True])], [np.ones(1)], Value([1.0]))


def test_attributes_are_read_without_detours() -> None:
    assert not hasattr(Value, "__getattr__")
    assert Value.__getattribute__ is object.__getattribute__
    assert not hasattr(Value([1.0]), "requires_grad")


def test_settings_at_their_defaults_are_no_settings() -> None:
    v = Value([1.0, 4.0, 2.0])
    assert np.median(v, None, None, False).data == np.median(v, out=None, overwrite_input=False).data == 2.0
    assert np.exp(v, dtype=np.float32, order="F").dtype == np.sum(v, dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match=r"np\.real"):
        np.sum(v * 1j, dtype=float)


def test_methods_and_properties_are_the_ndarrays() -> None:
    x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]])
    v = Value(x)
    assert (v.shape, v.ndim, v.size, v.dtype, len(v)) == (x.shape, x.ndim, x.size, x.dtype, len(x))
    for name, args in {
        "sum": [(), (0,)], "mean": [(), (1,)], "var": [(), (0,)], "std": [(), (1,)], "max": [(), (0,)],
        "min": [(), (1,)],
        "prod": [(), (0,)], "cumsum": [(), (1,)], "reshape": [(3, 2), ((3, 2),), (-1,)], "ravel": [()], "flatten": [()],
        "transpose": [(), (1, 0), ((1, 0),)], "swapaxes": [(0, 1)], "clip": [(0, 4), (0,)], "astype": [(np.float32,)],
        "dot": [(np.ones((3, 2)),)], "argmax": [(), (1,)], "argmin": [()], "argsort": [()], "all": [()], "any": [()],
        "item": [(2,)], "tolist": [()],
    }.items():  # fmt: skip
        for a in args:
            found = getattr(v, name)(*a)
            expected = getattr(x, name)(*a)
            np.testing.assert_array_equal(found.data if type(found) is Value else found, expected, err_msg=name)
    np.testing.assert_array_equal(v.T.data, x.T)
    np.testing.assert_array_equal(v.mT.data, x.mT)
    np.testing.assert_array_equal(Value(x[None]).squeeze(0).data, x)
    positive = Value(np.abs(x))
    for name in ("exp", "log", "sqrt", "square", "sin", "cos", "tanh", "sigmoid", "relu", "softmax"):
        assert type(getattr(positive, name)()) is Value
    assert Value(3.0).item() == 3.0


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("x", [np.arange(12.0).reshape(3, 4), np.asfortranarray(np.arange(12.0).reshape(3, 4))])
def test_the_order_of_elements_is_numpys(order: Any, x: Any) -> None:
    v = leaf(x)  # as it is stored; Value(x) keeps the order, too
    g = np.arange(12.0)
    for record, expected in [
        (v.ravel(order), x.ravel(order)),
        (v.flatten(order), x.flatten(order)),
        (np.ravel(v, order=order), np.ravel(x, order=order)),
    ]:
        np.testing.assert_array_equal(record.data, expected)
        v.grad = None
        record.backward(g)
        np.testing.assert_array_equal(v.grad.ravel(order if order in "CF" else "F" if x.flags.fnc else "C"), g)
    if order != "K":  # of which reshape knows nothing
        for shape in ((2, 6), (-1, 3), 12):
            expected = np.reshape(x, shape, order=order)
            np.testing.assert_array_equal(np.reshape(v, shape, order=order).data, expected)
            np.testing.assert_array_equal(v.reshape(shape, order=order).data, expected)
        np.testing.assert_array_equal(v.reshape(2, 6, order=order).data, x.reshape(2, 6, order=order))


def test_settings_of_the_ndarrays_methods() -> None:
    x = np.arange(12.0).reshape(3, 4)
    v = Value(x)
    for name in ("argmax", "argmin", "all", "any"):
        np.testing.assert_array_equal(getattr(v, name)(axis=1, keepdims=True), getattr(x, name)(axis=1, keepdims=True))
    np.testing.assert_array_equal(v.argsort(axis=0, stable=True), x.argsort(axis=0, stable=True))
    for name in ("sum", "prod", "mean", "max", "min", "var", "std"):
        with pytest.raises(TypeError, match=rf"np.{name} takes no out= on a Value \(but axis=.*write a = np.{name}\("):
            getattr(v, name)(axis=0, out=np.zeros(4))
        given = {"initial": 1.5} if name in ("max", "min") else {}
        np.testing.assert_allclose(
            getattr(v, name)(axis=0, where=x > 2, **given).data, getattr(x, name)(axis=0, where=x > 2, **given)
        )
    with pytest.raises(ValueError, match="give initial="):
        v.max(where=x > 2)
    with pytest.raises(ValueError, match="order='X'"):
        v.ravel("X")
    with pytest.raises(TypeError, match="stored with gaps"):
        leaf(x[:, ::2]).ravel("K")


def test_floor_division_by_zero_is_numpys() -> None:
    for x, y in [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (7.0, 2.0)]:
        with np.errstate(all="ignore"):
            expected = np.float64(x) // np.float64(y)
            for found in (Value(x) // y, x // Value(y), Value(x) // Value(y)):
                assert type(found) is float
                np.testing.assert_equal(found, float(expected))


def test_indexing_takes_all_of_numpys_kinds() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for index in (
        0, -1, slice(1, None), (0, 1), (..., 2), (None, 1), (slice(None), [0, 2]), ([0, 1], [1, 1], [2, 2]),
        x > 5, (0, np.array([True, False, True])), np.array([0, 0, 1]), (slice(None, None, -1), np.int64(1)),
    ):  # fmt: skip
        v = Value(x)
        part = v[index]
        np.testing.assert_array_equal(part.data, x[index])
        part.sum().backward()
        expected = np.zeros_like(x)
        np.add.at(expected, index, 1.0)
        np.testing.assert_array_equal(v.grad, expected)
    rows = list(Value(x))
    assert len(rows) == 2
    assert all(type(row) is Value for row in rows)
    first, second = Value([1.0, 2.0])
    assert (first.data, second.data) == (1.0, 2.0)
    with pytest.raises(IndexError, match=r"getitem of shape \(2, 3, 4\).*out of bounds"):
        Value(x)[5]


# What would lose a gradient -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "advice"),
    [
        (lambda v: float(v), r"v\.item\(\)"),
        (lambda v: math.exp(v), r"np\.exp\(v\)"),
        (lambda v: int(v), r"int\(v\.item\(\)\)"),
        (lambda v: complex(v), r"v\.item\(\)"),
        (lambda v: [1, 2][v], r"int\(v\.item\(\)\)"),
        (lambda v: np.asarray(v), r"v\.data"),
        (lambda v: np.array([v, v]), r"np\.stack"),
        (lambda v: np.array(v), r"v\.data"),
        (lambda v: np.add(np.ones(1), v, out=np.ones(1)), r"a = a \+ v"),
        (lambda v: Value([1.0, 2.0])[v], r"settings \(index\) are no variables"),
        (lambda v: len(v), "scalar Value has no len"),
        (lambda v: list(v), "scalar Value cannot be iterated over"),
        (lambda v: softmax(v, dim=0), "settings it takes: axis="),
        (lambda v: np.frompyfunc(abs, 1, 1)(v), r"np\.frompyfunc\(abs, \.\.\.\) is not differentiable"),
        (lambda v: v.astype(np.float32, casting="safe"), "casting='safe' forbids"),
    ],
)
def test_silent_conversions_raise_and_say_what_to_write(act: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        act(Value(1.0))


def test_assignments_raise() -> None:
    v = Value(1.0)
    a = np.zeros(3)
    with pytest.raises((TypeError, ValueError)) as caught:
        a[0] = v
    assert isinstance(caught.value, TypeError) or "would drop the gradient" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match=r"a = a \+ v"):
        a += v
    with pytest.raises(TypeError, match=r"np\.where"):
        Value([1.0, 2.0])[0] = 3.0
    np.testing.assert_array_equal(a, 0.0)


def test_items_are_replaced_in_a_copy() -> None:
    x = np.arange(6.0).reshape(2, 3)
    v, y = Value(x), Value([10.0, 20.0])
    index = (slice(None), 1)
    cases = {
        "set": [[0.0, 10.0, 2.0], [3.0, 20.0, 5.0]],
        "add": [[0.0, 11.0, 2.0], [3.0, 24.0, 5.0]],
        "multiply": [[0.0, 10.0, 2.0], [3.0, 80.0, 5.0]],
        "min": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        "max": [[0.0, 10.0, 2.0], [3.0, 20.0, 5.0]],
    }
    for name, expected in cases.items():
        np.testing.assert_array_equal(getattr(v.at[index], name)(y).data, expected)
        check_gradients(lambda v, y, name=name: getattr(as_value(v).at[index], name)(y) ** 2, x, y.data, order=2)
    np.testing.assert_array_equal(v.data, x)
    np.testing.assert_array_equal(v.at[[0, 0]].add(1.0).data, x + [[2.0], [0.0]])
    for y in (1.5, np.float64(1.5), np.ones(3), Value(1.5)):
        assert v.astype(np.float32).at[0].add(y).dtype == np.float32
    with pytest.raises(IndexError, match="takes an item twice"):
        v.at[[0, 0]].set(1.0)
    for name in ("set", "add", "multiply", "min", "max"):  # NumPy would drop the imaginary part
        with pytest.raises(TypeError, match="complex numbers are not float64"):
            getattr(v.at[0], name)(2.0j)


def as_value(x: Any) -> Value:
    return x if type(x) is Value else Value(x)


def test_only_leaves_are_rebound() -> None:
    v = Value(1.0)
    out = v * 2.0
    with pytest.raises(ValueError, match="result of mul"):
        out.data = 3.0
    with pytest.raises(ValueError, match="one is the result of mul"), holding([v, out], [0.0, 0.0]):
        pass
    v.data = 4
    assert v.data == 4.0


# Text, copies ---------------------------------------------------------------------------------------------------------


def test_text() -> None:
    v = Value(2.0, name="w")
    assert repr(v) == "Value(2.0, name='w')"
    assert repr(v * 1.5) == "Value(3.0, op=mul)"
    assert repr(Value([1.0, 2.0])) == "Value(array([1., 2.]))"
    assert str(v) == "2.0"
    assert f"{v:.3f} {v}" == "2.000 2.0"
    assert f"{Value([1.0, 2.5]):.2f}" == "[1.00 2.50]"
    assert f"{np.float64(1.5) * v:5.1f}" == "  3.0"
    assert round(Value(2.345), 1) == 2.3


def test_lists_are_arrays_for_composed_functions_too() -> None:
    v = Value([1.0, 2.0])
    assert np.dot([1.0, 2.0], v).data == 5.0
    assert v.dot([1.0, 2.0]).data == 5.0
    assert np.inner([1.0, 2.0], v).data == 5.0
    np.testing.assert_array_equal(np.vstack(([[3.0, 4.0]], v)).data, [[3.0, 4.0], [1.0, 2.0]])


def test_the_comparisons_of_numpy_testing_look_at_the_data() -> None:
    v, data = Value([1.0, 2.0]), np.array([1.0, 2.0])
    for compare in (
        np.testing.assert_allclose,
        np.testing.assert_array_equal,
        np.testing.assert_equal,
        np.testing.assert_array_almost_equal,
    ):
        compare(v, data)
        compare(data, v)
        with pytest.raises(AssertionError, match="Mismatch"):
            compare(v, data + 1.0)
    np.testing.assert_array_less(v, data + 1.0)
    np.testing.assert_allclose(v, v)
    np.testing.assert_allclose(Value(2.0), 2.0)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_masked_arrays_matrices_and_subclasses_are_refused(tmp_path: Path) -> None:
    v = Value([1.0, 2.0])
    for other in (np.ma.array([1.0, 2.0], mask=[True, False]), np.matrix([1.0, 2.0])):
        with pytest.raises(TypeError, match="does not follow an array's rules"):
            v * other
        with pytest.raises(TypeError, match="does not follow an array's rules"):
            Value(other)
    on_disk = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=(2,))
    np.testing.assert_array_equal((v * on_disk).data, [0.0, 0.0])
    with pytest.raises(TypeError, match="not subclassed"):
        type("Parameter", (Value,), {})


# Not recording --------------------------------------------------------------------------------------------------------


def test_no_grad_gives_plain_data() -> None:
    w = Value([3.0])
    with no_grad():
        assert type(w * 2.0) is np.ndarray
        assert type(np.exp(w)) is np.ndarray
        assert type(w.sum()) is np.float64
        with no_grad():
            pass
        assert type(w + 1.0) is np.ndarray
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert type(grad(lambda x: (x * w).sum())(3.0)) is float
    assert type(w * 2.0) is Value

    @no_grad()
    def predict(x: Any) -> Any:
        return w * x

    assert type(predict(2.0)) is np.ndarray


def test_no_grad_ends_with_an_exception_and_is_of_one_thread() -> None:
    from concurrent.futures import ThreadPoolExecutor

    w = Value(3.0)
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert type(w * 2.0) is Value
    with no_grad(), ThreadPoolExecutor(1) as pool:
        assert type(pool.submit(lambda: w * 2.0).result()) is Value


def test_stop_gradient_makes_a_constant() -> None:
    w = Value(3.0)
    loss = w * stop_gradient(w * 2.0)
    loss.backward()
    assert w.grad == 6.0
    assert stop_gradient(5.0) == 5.0
    fixed = lambda p: stop_gradient(p)["w"][0] * p["w"][0] * stop_gradient(p)["b"]
    assert grad(fixed)({"w": (3.0, None), "b": 2.0}) == {"w": (6.0, None), "b": 0.0}
    plain = {"b": [1.0]}
    assert stop_gradient(plain) is plain


@pytest.mark.parametrize("size", [(), (3,)])
def test_data_are_in_this_machines_order_of_bytes(size: tuple[int, ...]) -> None:
    x = np.full(size, 2.0, ">f4")
    v = Value(x)
    np.sum(v * v).backward()
    assert v.dtype.isnative
    assert v.dtype == v.grad.dtype == grad(lambda x: np.sum(x * x))(x).dtype == np.float32
    np.testing.assert_array_equal(v.grad, np.full(size, 4.0))
    v.data = x
    assert v.data.dtype.isnative


def test_a_number_that_is_chosen_is_a_float() -> None:
    v = Value(1.5)
    for chosen in (np.where(v > 0, 2, v), np.where(v < 0, v, 2)):
        assert type(chosen.data) is float
        assert type((chosen * 2).data) is float
    assert grad(lambda x: np.exp(np.where(x > 0, 0, x)) * x)(1.5) == 1.0
    assert type(np.where(v > 0, 0, v).astype(np.float32).data) is np.float32


@pytest.mark.parametrize("call", [
    lambda x: x.cumprod(axis=1), lambda x: x.cumprod(), lambda x: x.trace(1), lambda x: x.diagonal(-1),
    lambda x: x.take([2, 0, 0], 1), lambda x: x.take([5, 1]), lambda x: x.compress([True, False, True], axis=1),
    lambda x: x.repeat(2, axis=0), lambda x: x.copy(), lambda x: x.conj(), lambda x: x.conjugate(), lambda x: x.real,
])  # fmt: skip
def test_methods_of_arrays_are_numpys(call: Any) -> None:
    x = np.array([[1.0, 2.0, -3.0], [0.5, 4.0, 6.0]])
    out = call(Value(x))
    assert type(out) is Value
    np.testing.assert_array_equal(out.data, call(x))
    check_gradients(call, x, order=2)


def test_parts_of_complex_values_and_what_is_plain() -> None:
    z = np.array([1.0 + 2.0j, 3.0 - 1.0j])
    check_gradients(lambda z: z.real * z.imag + (z * z.conj()).real, z, order=2)
    x = Value([0.0, 1.26, -2.0])
    np.testing.assert_array_equal(x.nonzero()[0], [1, 2])
    np.testing.assert_array_equal(x.round(1), [0.0, 1.3, -2.0])
    y = x.copy()
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.52, -4.0])


@pytest.mark.parametrize("condition", [True, False, np.True_, np.False_])
def test_the_dtype_of_a_choice_does_not_depend_on_what_is_chosen(condition: Any) -> None:
    single = Value(np.float32(2.0))
    for out in (np.where(condition, 1.0, single), np.where(condition, single, 1.0)):
        assert out.dtype == np.float32
        assert (out * np.ones(1, np.float32)).dtype == np.float32
    assert np.where(condition, Value(1.0), np.float64(2.0)).data.dtype == np.float64
    assert type(np.where(condition, Value(1.0), 2.0).data) is float


def test_numbers_are_divided_with_remainder_and_rounded() -> None:
    v = Value(7.5, name="v")
    quotient, remainder = divmod(v, 2.0)
    assert (quotient, remainder.data, math.floor(v), math.ceil(v), math.trunc(v)) == (3.0, 1.5, 7, 8, 7)
    assert divmod(20.0, v)[1].data == 5.0
    places = np.where(Value([0.0, 2.0]))
    np.testing.assert_array_equal(places, [[1]])
