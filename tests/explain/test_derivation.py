"""Derivations: their numbers are those of the backward pass, and their text is what a textbook would print."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boards import BOARDS, Board, Model, layers, network
from samples import EVERY_OP, samples_of

import nn
from autograd_core import Value, affine, explain, latex, log_softmax, mean_squared_error, primitive, sigmoid, softmax
from autograd_core.explain.chain import Chain
from autograd_core.explain.digits import number
from autograd_core.explain.names import read

GOLDEN = Path(__file__).parent / "golden"


def pairs(board: Board) -> list[tuple[Any, Any]]:
    """What a derivation arrived at, beside what `backward` says."""
    loss, of, derivation = board
    loss.backward()
    if isinstance(of, Value):
        return [(derivation.gradient, of.grad)]
    return [(derivation.gradient[name], p.grad) for name, p in of.named_parameters()]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.__name__)
def test_the_gradient_is_that_of_the_backward_pass(board: Any) -> None:
    for found, expected in pairs(board()):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert np.shape(found) == np.shape(expected)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.__name__)
def test_golden_text(board: Any) -> None:
    """Set UPDATE_GOLDEN=1 to write the files anew, and look at what has changed."""
    text = str(board()[2]) + "\n"
    path = GOLDEN / f"{board.__name__}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def programs(seed: int) -> tuple[Value, list[Value]]:
    """A random expression of a few variables, some of them arrays, with names here and there."""
    rng = np.random.default_rng(seed)
    shape = [(), (3,), (2, 3)][seed % 3]
    leaves = [Value(rng.uniform(0.5, 1.5, s), name=n) for n, s in zip("abc", [shape, (), shape[-1:]], strict=True)]
    values = list(leaves)
    for k in range(8):
        x, y = (values[i] for i in rng.integers(len(values), size=2))
        made = [
            x + y,
            x * y,
            x - y,
            x / (y * y + 1.0),
            np.sin(x),
            sigmoid(x),
            np.maximum(x, y),
            x * x,
            np.sqrt(x * x + 1),
        ]
        values.append(made[rng.integers(len(made))])
        if values[-1].op is not None and k % 3 == seed % 2:
            values[-1].name = f"u{k}"
    return sum((v.sum() if v.shape else v for v in values[-4:]), Value(0.0)) * 0.5, leaves


@pytest.mark.parametrize("seed", range(30))
def test_random_expressions(seed: int) -> None:
    loss, leaves = programs(seed)
    derivations = [explain(loss, x) for x in leaves]
    assert all(x.grad is None for x in leaves)
    loss.backward()
    for x, derivation in zip(leaves, derivations, strict=True):
        expected = np.zeros(x.shape) if x.grad is None else x.grad
        np.testing.assert_allclose(derivation.gradient, expected, rtol=1e-12, atol=1e-15)
        chain = Chain(read(loss), [x])
        if loss in chain.users and chain.count(x) <= 20:  # the paths add up
            total: Any = sum(chain.contribution(path) for path in chain.paths(x))
            np.testing.assert_allclose(total, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("seed", range(0, 30, 3))
def test_the_numbers_on_the_board_multiply_to_the_result(seed: int) -> None:
    loss, (x, *_) = programs(seed)
    text = re.sub(r"\n +(?=[+·])", " ", str(explain(loss, x)))  # rows that were broken, in one
    rows = [
        line.split("= ", 1)[1] for line in re.split("Chain rule|Step by step", text)[-1].splitlines() if "= " in line
    ]
    numbers = [row.replace("−", "-").replace("·", "*") for row in rows if re.fullmatch(r"[-−0-9.e·+() ]+", row)]
    for row in numbers:
        assert eval(row) == pytest.approx(explain(loss, x).gradient, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize(
    "op", [op for op in EVERY_OP if op.form != "elementwise" and op.samples], ids=lambda op: op.name
)
def test_every_op_can_stand_on_the_way(op: Any) -> None:
    for sample in samples_of(op):
        variables = [Value(x) for x in sample.variables]
        node = sample.function(*variables)
        loss = (node * np.cos(node)).sum()
        derivations = [explain(loss, x) for x in variables]
        loss.backward()
        for x, derivation in zip(variables, derivations, strict=True):
            np.testing.assert_allclose(derivation.gradient, x.grad, rtol=1e-10, atol=1e-12)
            assert "∂C/∂" in str(derivation)


def test_one_path_in_layer_notation() -> None:
    text = str(network()[2])
    assert "∂C/∂w¹ = ∂C/∂a³ · ∂a³/∂z³ · ∂z³/∂a² · ∂a²/∂z² · ∂z²/∂w¹" in text
    assert "= xᵀ @ ((((a³−y) ⊙ a³ ⊙ (1−a³)) @ (w²)ᵀ) ⊙ a² ⊙ (1−a²))" in text


def test_the_formula_in_one_piece_is_the_gradient() -> None:
    loss, w1, _ = network()
    loss.backward()
    leaves = {v.name: v.data for v in read(loss).nodes if isinstance(v, Value) and v.name}
    x, y = np.array([[0.5, -1.0], [1.0, 2.0]]), np.array([[1.0], [0.0]])
    a2 = sigmoid(x @ leaves["w¹"] + leaves["b¹"])
    a3 = sigmoid(a2 @ leaves["w²"] + leaves["b²"])
    expected = x.T @ ((((a3 - y) * a3 * (1 - a3)) @ leaves["w²"].T) * a2 * (1 - a2))  # as it stands above
    np.testing.assert_allclose(w1.grad, expected, rtol=1e-12)


def test_elements_evaluate_to_their_numbers() -> None:
    text = str(layers()[2]).split("Element by element\n")[1]
    rows = [line.split(" = ") for line in re.sub(r"\n +(?==)", " ", text).splitlines()]
    assert len(rows) == 3 + 9  # δ³₁, δ²₁, δ²₂ and nine parameters
    for row in rows:
        numbers = [eval(side.replace("−", "-").replace("·", "*")) for side in row[2:]]
        assert len(numbers) in (1, 2)
        assert numbers[0] == pytest.approx(numbers[-1], rel=2e-3)


def test_a_penalty_adds_a_multiple_of_the_weights() -> None:
    model = nn.MLP([2, 2, 1], rng=0)
    loss = nn.mse_loss(model(np.array([[1.0, 0.5]])), np.array([[1.0]])) + nn.l2_penalty(model, 0.1)
    text = str(explain(loss, model))
    assert "∂C/∂w² = 0.1w² + (a²)ᵀ @ δ³ = " in text
    assert "∂C/∂w²₁₁ = 0.1·w²₁₁ + a²₁·δ³₁ = " in text
    assert "δ(" not in text


def test_a_network_of_single_numbers_keeps_the_names_it_was_given() -> None:
    model = Model(u=0.5, w=0.25)
    u, w = model.parameters.values()
    a = np.tanh(u * 2.0)
    a.name = "a¹₁"
    derivation = explain((w * a - 1.0) ** 2 / 2, model)
    assert "= ∂C/∂a¹₁ = (w·a¹₁−1)·w = −0.2024" in str(derivation)
    assert "(1−(a¹₁)²)" in str(derivation)
    assert "z²" not in str(derivation)


def test_no_elements_for_what_is_not_small() -> None:
    model = Model(w=np.ones((8, 8)))
    (w,) = model.parameters.values()
    assert "Element by element" not in str(explain(np.sum(np.tanh(np.ones((2, 8)) @ w)), model))


def test_a_variable_that_is_used_twice_and_a_bias_of_a_batch() -> None:
    w, b = Value([[0.3, 0.1], [0.2, -0.4]], name="w"), Value([0.1, 0.2], name="b")
    x = np.ones((5, 2))
    loss = mean_squared_error(np.tanh(affine(np.tanh(affine(x, w, b)), w, b)), np.zeros((5, 2)))
    derivations = explain(loss, w), explain(loss, b)
    loss.backward()
    np.testing.assert_allclose(derivations[0].gradient, w.grad)
    np.testing.assert_allclose(derivations[1].gradient, b.grad)
    assert "sum(" in str(derivations[1])
    assert "axis=0" in str(derivations[1])
    assert r"\sum_{\text{axis }0}" in derivations[1].latex


def test_a_path_that_begins_with_a_minus_is_bracketed_after_a_plus() -> None:
    x = Value(0.5, name="x")
    u, v = 2.0 * x, 1.0 - x
    text = str(explain(u * v, x, names={"u": u, "v": v}))
    assert "= v · 2 + u · (−1)" in text
    u, v = 1.0 - x, -(x**2)
    text = str(explain((u - 3.0) ** 2 + (v - 3.0) ** 2, x, names={"u": u, "v": v}))
    assert "+ −" not in text


def test_more_than_twenty_paths_are_written_step_by_step() -> None:
    x = Value(1.5, name="x")
    y = x
    for _ in range(5):
        y = y * 0.5 + np.sin(y)
    derivation = explain(y, x)
    assert "32 paths lead from x to C: step by step instead" in str(derivation)
    y.backward()
    assert derivation.gradient == pytest.approx(x.grad, rel=1e-12)


def test_a_deep_chain_is_shortened_and_says_so() -> None:
    x = Value(0.5, name="x")
    y = x
    for _ in range(20_000):
        y = np.sin(y)
    derivation = explain(y, x)
    text = str(derivation)
    assert "… 19,976 more steps …" in text
    assert len(text.splitlines()) < 60
    y.backward()
    assert derivation.gradient == x.grad


def test_a_deep_model_is_shortened() -> None:
    model = Model(w=[0.5])
    (w,) = model.parameters.values()
    y = w
    for _ in range(2000):
        y = np.sin(y * w)
    derivation = explain(y.sum(), model)
    y.sum().backward()
    np.testing.assert_allclose(derivation.gradient["w"], w.grad, rtol=1e-12)
    assert "more steps …" in str(derivation)
    assert " + … + " in str(derivation)


def test_a_branch_not_taken_is_zero_and_nan_shows() -> None:
    x = Value(0.0, name="x")
    root = np.sqrt(x)
    loss = np.where(x > 0, root, 0.0) + 2 * x
    text = str(explain(loss, x, names={"r": root}))
    assert "= 2 + 0 · ∞" in text
    assert "branch that was not taken counts as 0" in text
    assert explain(loss, x).gradient == 2.0
    bad = explain(0.0 * np.sqrt(x), x)
    assert np.isnan(bad.gradient)
    assert str(bad).endswith("= nan")
    assert r"\text{nan}" in bad.latex


def test_what_does_not_depend_and_what_is_itself() -> None:
    x, u = Value(2.0, name="x"), Value([1.0, 2.0], name="u")
    nothing = explain(x * 2, u)
    assert "∂C/∂u = 0" in str(nothing)
    np.testing.assert_array_equal(nothing.gradient, [0.0, 0.0])
    v = Value(3.0)
    assert str(explain(x * 2, v, names={"v": v})) == "∂C/∂v = 0\nC does not depend on v"
    assert explain(x, x).gradient == 1.0
    model = Model(w=1.0, unused=2.0)
    derivation = explain(model.parameters["w"] * 3.0, model)
    assert derivation.gradient == {"w": 3.0, "unused": 0.0}
    assert "C does not depend on unused" in str(derivation)


def test_a_rule_without_a_formula_is_a_named_map() -> None:
    @primitive(pullback=lambda g, out, x: np.asarray(g)[::-1])
    def turn(x: Any) -> Any:
        return x[::-1].copy()

    x = Value([1.0, 2.0, 4.0], name="x")
    u = turn(x)
    loss = (u * np.array([1.0, 10.0, 100.0])).sum()
    derivation = explain(loss, x, names={"u": u})
    assert "∂C/∂u · ∂u/∂x" in str(derivation).split("Step by step")[1]
    np.testing.assert_array_equal(derivation.gradient, [100.0, 10.0, 1.0])


def test_an_intermediate_value_and_a_complex_one() -> None:
    x = Value(0.5, name="x")
    z = 3 * x
    loss = np.exp(z) * z
    assert explain(loss, z).gradient == pytest.approx(np.exp(1.5) * 2.5)
    c = Value(np.array([1 + 2j, 0.5j]), name="c")
    loss = np.sum(np.abs(c) ** 2)
    derivation = explain(loss, c)
    loss.backward()
    np.testing.assert_allclose(derivation.gradient, c.grad)


def test_complex_numbers_are_factors_in_brackets_and_nothing_is_said_to_equal_its_conjugate() -> None:
    z = Value(0.5 + 0.25j, name="z")
    f = z * (2 + 1j) + np.exp(z)
    text = str(explain(f.real**2 + f.imag, z, names={"f": f}))
    slope, local = f.data.real * 2 - 1j, 2 + 1j + np.exp(z.data)
    assert f"∂C/∂z = ∂C/∂f · ∂f/∂z\n        = ({digits(slope)}) · ({digits(local)})" in re.sub(
        r"\n +=.*real.*", "", text
    )
    assert text.endswith(
        f"= {digits(slope * local)}\n\nz.grad is the conjugate, ∂/∂Re + i ∂/∂Im: {digits(np.conj(slope * local))}"
    )
    assert latex(z * (2 + 1j)).text == "z·(2+1j)"


def digits(x: complex) -> str:
    return number(x).replace("-", "−")


def test_nothing_is_changed() -> None:
    loss, w1, _ = network()
    assert all(v.grad is None for v in read(loss).nodes if isinstance(v, Value))
    loss.backward()
    before = w1.grad.copy()
    explain(loss, w1)
    np.testing.assert_array_equal(w1.grad, before)


def test_errors_say_what_to_write_instead() -> None:
    x = Value([1.0, 2.0])
    with pytest.raises(ValueError, match=r"explain\(v.sum\(\), x\)"):
        explain(x * 2, x)
    with pytest.raises(TypeError, match="a float has no graph"):
        explain(1.0, x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"a model with named_parameters\(\); a list is neither"):
        explain(x.sum(), [x])
    with pytest.raises(ValueError, match="has no parameters"):
        explain(x.sum(), Model())
    with pytest.raises(TypeError, match=r"locals\(\)"):
        explain(x.sum(), x, names=["x"])  # type: ignore[arg-type]
    loss = (x * x).sum()
    x.data = [3.0, 4.0]
    with pytest.raises(RuntimeError, match="changed after"):
        explain(loss, x)


def test_softmax_is_written_with_its_sum() -> None:
    x = Value([1.0, 2.0, 3.0], name="x")
    p = softmax(x)
    derivation = explain((p * p).sum(), x, names={"p": p})
    assert "p ⊙ (∂C/∂p−sum(∂C/∂p ⊙ p, axis=−1))" in str(derivation)


def test_a_sum_within_a_product_leaves_spaces_beside_a_product_of_matrices() -> None:
    """Or `a @ b−c` would read as a @ (b − c)."""
    scores, values = Value(np.eye(2), name="S"), Value([[1.0, 2.0], [3.0, 4.0]], name="V")
    derivation = explain(((softmax(scores) @ values) ** 2).sum(), scores)
    assert " @ Vᵀ − sum(" in str(derivation)
    assert " @ Vᵀ−" not in str(derivation)


def test_parameters_of_one_name_are_told_apart() -> None:
    """Two layers that both call their parameters weight and bias."""
    model = nn.Sequential(nn.Linear(2, 2, rng=0), np.tanh, nn.Linear(2, 1, rng=1))
    text = str(explain(np.sum(model(np.ones((1, 2)))), model))
    assert "z² = x @ weight¹ + bias¹" in re.sub(" +", " ", text)
    assert "∂C/∂weight² = (a²)ᵀ" in text
    assert "∂C/∂weight¹₂₁ = x₂·δ²₁" in text


def test_cross_entropy_of_labels_is_softmax_minus_one_at_the_label() -> None:
    w, x, labels = Value(np.eye(3) / 2, name="w"), np.arange(15.0).reshape(5, 3), np.array([0, 1, 2, 1, 0])
    z = x @ w
    loss = nn.cross_entropy(z, labels)
    text = str(explain(loss, w, names={"z": z, "x": x}))
    index = "[[0, 1, 2, …], [0, 1, 2, …]]"
    assert f"xᵀ @ (−(1 at {index}, 0 elsewhere)/5 + softmax(z)/5)" in text
    loss.backward()
    np.testing.assert_allclose(w.grad, x.T @ (softmax(z.data) - np.eye(3)[labels]) / 5, rtol=1e-12)


def test_softmax_of_another_axis_keeps_its_axis() -> None:
    z, y = Value(np.arange(6.0).reshape(3, 2) / 6, name="z"), np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    text = str(explain(-np.sum(log_softmax(z, axis=0) * y), z, names={"y": y}))
    assert "exp(" in text
    assert "softmax(z)" not in text


def test_the_gradient_of_a_matrix_beside_a_vector_is_an_outer_product() -> None:
    x, h, w = np.array([1.0, 2.0, 3.0]), Value([0.5, -1.0], name="h"), Value(np.ones((3, 2)), name="W")
    z = x @ w
    text = str(explain(np.sum(np.tanh(z) * h), w, names={"z": z, "x": x}))
    assert "x ⊗ ∂C/∂z" in text
    y = w @ h
    text = str(explain(np.sum(np.tanh(y) ** 2), w, names={"y": y}))
    assert "∂C/∂W = ∂C/∂y ⊗ h" in text
    assert "⊙ h" not in text


def test_transposed_twice_is_not_transposed() -> None:
    a = Value(np.arange(4.0).reshape(2, 2), name="A")
    s = a @ a.T
    text = re.sub(" +", " ", str(explain(np.sum(s * s), a, names={"S": s})))
    assert "∂C/∂A = ∂C/∂S @ A + (Aᵀ @ ∂C/∂S)ᵀ" in text


def test_the_transpose_or_a_part_of_a_gradient_is_not_the_gradient_of_that() -> None:
    a = Value(np.arange(4.0).reshape(2, 2), name="A")
    text = re.sub(" +", " ", str(explain(np.sum(a @ a.T), a)))
    assert "∂C/∂A = ∂C/∂v2 @ v1ᵀ + (∂C/∂v1)ᵀ" in text
    y = np.stack([a[0, 0] * 2.0, a[0, 1]])
    assert "∂C/∂v2 = (∂C/∂v4)[0]" in re.sub(" +", " ", str(explain(np.sum(y**2), a)))


def test_a_condition_beside_a_name_is_no_call() -> None:
    a, r = np.array([1.0, -1.0, 2.0]), Value([0.5, 1.0, 3.0], name="r")
    text = str(explain(np.sum(np.clip(r, 0.8, 1.2) * a), r, names={"A": a}))
    assert "A·(1 if r > 0.8 and r < 1.2 else 0)" in text


def test_to_a_real_variable_comes_the_real_part_of_complex_factors() -> None:
    angle = Value(0.3, name="θ")
    u = np.exp(1j * angle)
    text = str(explain(np.real(u * (2 - 1j)), angle, names={"u": u}))
    assert "= (2−1j) · (−0.2955+0.9553j)\n" in text
    assert "= 0.3643\n  To a real variable comes the real part of the products." in text


def test_a_network_on_a_single_vector_is_derived_element_by_element() -> None:
    model = nn.MLP([2, 2, 1], rng=0)
    loss = nn.half_mse_loss(model(np.array([0.5, -1.0])), np.array([1.0]))
    text = re.sub(" +", " ", str(explain(loss, model)))
    assert "∂C/∂w² = a² ⊗ δ³ = " in text
    assert "∂C/∂w¹₂₁ = x₂·δ²₁ = (−1)·" in text


def test_results_of_a_decomposition_have_derivatives_with_names() -> None:
    s = Value(np.array([[2.0, 0.5], [0.5, 3.0]]), name="S")
    w, q = np.linalg.eigh(s)
    loss = np.sum(w * q[0] ** 2) * w[0]
    derivation = explain(loss, s, names={"w": w, "Q": q})
    text = re.sub(" +", " ", str(derivation))
    assert "w = eigh(S)[0] = [1.793, 3.207]" in text
    assert "∂C/∂S = ∂C/∂w · ∂w/∂S + ∂C/∂Q · ∂Q/∂S" in text
    loss.backward()
    np.testing.assert_allclose(derivation.gradient, s.grad, rtol=1e-12)
    x = Value(2.0, name="x")
    total = np.sum(np.stack(np.split(np.stack([x, x * x]), 2))) + np.linalg.slogdet(x * np.eye(2))[1]
    text = re.sub(" +", " ", str(explain(total * 2.0, x, names={"total": total})))
    assert "∂slogdet(" in text


def test_a_model_may_decompose_its_weights() -> None:
    model = Model(A=[[1.0, 0.5], [-0.25, 2.0]])
    weight = model.parameters["A"]
    loss = np.sum(np.log(np.linalg.eigh(weight @ weight.T + np.eye(2))[0]))
    derivation = explain(loss, model)
    loss.backward()
    np.testing.assert_allclose(derivation.gradient["A"], weight.grad, rtol=1e-12)
    assert "eigh(" in str(derivation)
