"""What stands on an edge is what the rule computes: as numbers, and as a formula that gives these numbers."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from samples import BUILT_IN
from scipy import special

import autograd_core.ops.special  # noqa: F401  the ops of SciPy, too
from autograd_core import Value, sigmoid
from autograd_core.explain.derivatives import LocalDerivative, local_derivatives
from autograd_core.op import Op, elementwise, primitive
from autograd_core.ops.linear import sum_to
from autograd_core.registry import OPS

ELEMENTWISE = [op for op in BUILT_IN if op.form == "elementwise"]
OTHERS = [op for op in BUILT_IN if op.form != "elementwise" and op.name not in ("rfft", "irfft")]  # without a formula
SHAPES: list[list[tuple[int, ...]]] = [[(), (), ()], [(3,), (3,), (3,)], [(3,), (2, 1), (1,)]]


def record(op: Op, args: list[Any], **settings: Any) -> Value:
    node = op(args, **settings) if op.variadic else op(*args, **settings)
    assert isinstance(node, Value)
    return node


def derivatives(node: Value) -> list[LocalDerivative]:
    """The local derivatives of a node called o, with inputs called x, y, z."""
    names = {id(x): name for x, name in zip(node.inputs, "xyzabc", strict=False)} | {id(node): "o"}
    return local_derivatives(node, lambda x: names[id(x)])


def evaluate(formula: str, **names: float) -> float:
    """The number that a formula amounts to, read as a person reads it."""
    code = (
        formula.translate(str.maketrans("−·^", "-*!"))
        .replace("!", "**")
        .replace("√", "sqrt")
        .replace("≥", ">=")
        .replace("≤", "<=")
    )
    code = re.sub(
        "([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"**({m[1].translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))})", code
    )
    code = re.sub(r"(?<![a-z0-9])([0-9.]+)(?=(?!e-)[a-z(])", r"\1*", code)  # 2x, 2(x−y), but not 2e-3
    code = re.sub(r"(?<![a-z0-9])([xyzo])(?=\()", r"\1*", code)  # o(1−o)
    code = re.sub(r"(\*\*\(-?\d+\))(?=\()", r"\1*", code)  # x²(1+y²)
    code = re.sub(r"(?<![<>=])=(?!=)", "==", code)
    names_used = re.findall("[a-z][a-z0-9_]+", code)
    functions = {name: getattr(m, name) for m in (special, np) for name in names_used if hasattr(m, name)}
    return float(eval(code, {"__builtins__": {}}, functions | {"σ": sigmoid} | names))


def arguments(op: Op, shapes: list[tuple[int, ...]]) -> list[Value]:
    rng = np.random.default_rng(7)
    return [Value(rng.uniform(*interval, shape)) for interval, shape in zip(op.domain, shapes, strict=False)]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_numbers_of_elementwise_ops_are_those_of_their_rules(op: Op, shapes: list[tuple[int, ...]]) -> None:
    args = arguments(op, shapes)
    node = record(op, args)
    for x, rule, label in zip(args, op.rules, derivatives(node), strict=True):
        assert label.source is x
        assert label.is_factor
        assert label.summed == max(node.size // x.size, 1)
        expected = np.asarray(rule(node.data, *[a.data for a in args], *op.defaults), dtype=float)  # type: ignore[misc]
        shape = np.broadcast_shapes(expected.shape, np.shape(label.number))
        np.testing.assert_array_equal(np.broadcast_to(label.number, shape), np.broadcast_to(expected, shape))


@pytest.mark.parametrize(
    "op",
    [op for op in ELEMENTWISE if op.name != "voigt_profile"],
    ids=lambda op: op.name,  # of complex numbers
)
def test_formulas_of_elementwise_ops_give_the_numbers_of_their_rules(op: Op) -> None:
    args = arguments(op, [(3,)] * 3)
    node = record(op, args)
    names = dict(zip("xyz", [x.data for x in args], strict=False)) | {"o": node.data}
    for label in derivatives(node):
        assert label.formula is not None
        for k, expected in enumerate(np.broadcast_to(label.number, (3,))):
            here = {name: float(data[k]) for name, data in names.items()}
            assert evaluate(label.formula.text, **here) == pytest.approx(expected, rel=2e-3), label.formula.text


SAMPLES = [
    pytest.param(op, shapes, settings, id=f"{op.name}-{k}")
    for op in OTHERS
    for k, (shapes, settings) in enumerate(op.samples)
]


@pytest.mark.parametrize(("op", "shapes", "settings"), SAMPLES)
def test_labels_of_other_ops_agree_with_the_backward_pass(op: Op, shapes: list[Any], settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(7)
    bounds = op.domain or [(-2.0, 2.0)] * len(shapes)
    args = [Value(rng.uniform(*b, s)) if isinstance(s, tuple) else s for s, b in zip(shapes, bounds, strict=True)]
    node = record(op, args, **settings)
    if type(node.data) is tuple:
        assert {label.formula for label in derivatives(node)} == {None}
        return
    node.backward(np.ones(node.shape))
    labels = derivatives(node)
    assert [label.source for label in labels] == [x for x in args if isinstance(x, Value)]
    for label in labels:
        x = label.source
        assert label.formula is not None
        assert label.flow == pytest.approx(np.abs(x.grad).sum())
        if not label.is_factor:
            assert "grad(o)" in label.formula.text
        elif label.number.dtype.kind != "c":  # where the gradient is 1, the factor is all that there is
            np.testing.assert_allclose(np.reshape(sum_to(label.number, x.shape), x.shape), x.grad)


@pytest.mark.parametrize(
    ("function", "label"),
    [
        (lambda x, w: x @ w, ["grad(x) = grad(o) @ wᵀ", "grad(w) = xᵀ @ grad(o)"]),
        (lambda x, w: x[0] @ w[:, 0], ["∂o/∂x = y", "∂o/∂y = x"]),
        (lambda x, w: x.mean(axis=1), ["∂o/∂x = 1/3"]),
        (lambda x, w: x.T, ["grad(x) = grad(o)ᵀ"]),
        (lambda x, w: x * x, ["∂o/∂x = 2x"]),
        (lambda x, w: x / x, ["∂o/∂x = 1/x − o/x"]),
        (lambda x, w: x**3, ["∂o/∂x = 3x²"]),
        (lambda x, w: x**1, ["∂o/∂x = 1"]),
        (lambda x, w: x**0, ["∂o/∂x = 0"]),
        (lambda x, w: 2.0**x, ["∂o/∂x = o·log(2)"]),
        (lambda x, w: np.float64(3) - x, ["∂o/∂x = −1"]),
        (lambda x, w: x / 3.0, ["∂o/∂x = 1/3"]),
        (lambda x, w: np.clip(x, None, 1.0), ["∂o/∂x = 1 if x < 1 else 0"]),
        (lambda x, w: np.where(x.data > 0, x, 0.0), ["∂o/∂x = 1 if c else 0"]),
        (lambda x, w: np.maximum(x, 100.0), ["∂o/∂x = 0"]),
        (lambda x, w: np.stack([x, x]), ["grad(x) = grad(o)[0] + grad(o)[1]"]),
        (lambda x, w: np.max(x), ["∂o/∂x = 1 if x = o else 0"]),
        (lambda x, w: np.var(x, axis=0), ["∂o/∂x = x − mean(x, axis=0)"]),
        (lambda x, w: np.var(x, axis=1), ["∂o/∂x = 2(x−mean(x, axis=1))/3"]),
        (lambda x, w: x[1], ["grad(x) = grad(o) at [1], 0 elsewhere"]),
        (lambda x, w: x[[1, 0, 1]], ["grad(x) = grad(o) added up at [[1, 0, 1]], 0 elsewhere"]),
    ],
)
def test_labels_a_textbook_would_have(function: Any, label: list[str]) -> None:
    x, w = Value(np.arange(-2.0, 4.0).reshape(2, 3) + 0.5), Value(np.ones((3, 2)))
    node = function(x, w)
    names = {id(x): "x", id(w): "w", id(node): "o"}
    spare = iter("xyz") if node.inputs[0] is not x and isinstance(node.inputs[0], Value) else iter("c")
    for other in node.inputs:
        if isinstance(other, (Value, np.ndarray)) and id(other) not in names:
            names[id(other)] = next(spare)
    found = []
    for d in local_derivatives(node, lambda x: names[id(x)]):
        assert d.formula is not None
        called = names[id(d.source)]
        found.append(f"∂o/∂{called} = {d.formula.text}" if d.is_factor else f"grad({called}) = {d.formula.text}")
    assert found == label


def test_nothing_is_recorded_or_changed() -> None:
    x, y = Value([1.0, 2.0]), np.array([3.0, 4.0])
    node = np.hypot(x, y)
    before = Value(0.0).stamp
    derivatives(node)
    assert Value(0.0).stamp == before + 1
    assert x.grad is None
    assert node.grad is None


@pytest.fixture
def unwritable() -> Iterator[Op]:
    """An op whose rule asks for what only numbers can answer."""
    yield elementwise("half_up", lambda x: x / 2, partials=(lambda out, x: np.asarray(x) * 0 + 0.5,))
    del OPS["half_up"]


def test_a_rule_that_cannot_be_written_shows_its_numbers(unwritable: Op) -> None:
    (label,) = derivatives(unwritable(Value([1.0, 2.0])))
    assert label.formula is None
    assert label.is_factor
    np.testing.assert_array_equal(label.number, [0.5, 0.5])


@pytest.fixture
def opaque() -> Iterator[Op]:
    yield primitive("turn", lambda x: x[::-1], pullbacks=(lambda g, out, x: np.asarray(g)[::-1],))
    del OPS["turn"]


def test_a_pullback_that_cannot_be_written_shows_numbers_only_if_they_are_the_derivative(opaque: Op) -> None:
    (label,) = derivatives(opaque(Value([1.0, 2.0])))
    assert (label.formula, label.number) == (None, None)
    (label,) = derivatives(opaque(Value([1.0])))
    np.testing.assert_array_equal(label.number, [1.0])
