"""The graphs that several tests draw."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Value, affine, draw, relu, sigmoid
from autograd_core.draw import Drawing
from nn import MLP, Linear, Residual, Sequential, mse_loss


def neuron(*, done: bool = True) -> tuple[Value, dict[str, Any]]:
    """L = mean((σ(w·x + b) − y)²), every step of it named."""
    w, b = Value(0.7), Value(-0.3)
    x, y = np.array([1.0, 2.0, -1.0]), np.array([1.0, 1.0, 0.0])
    u = w * x
    z = u + b
    p = sigmoid(z)
    e = p - y
    q = e**2
    loss = q.mean()
    if done:
        loss.backward()
    return loss, {"w": w, "b": b, "x": x, "y": y, "u": u, "z": z, "p": p, "e": e, "q": q, "L": loss}


def before() -> tuple[Value, dict[str, Any]]:
    """The same before a backward pass."""
    return neuron(done=False)


def expression() -> tuple[Value, dict[str, Any]]:
    """Single numbers, of which one is used several times."""
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    d = relu(a * b + c)
    out = np.tanh(d * d / 20.0) * 3 + a * a**3
    out.backward()
    return out, {}


def network() -> tuple[Value, dict[str, Any]]:
    """A 2-3-1 network on a batch of five."""
    x, y = np.arange(10.0).reshape(5, 2) / 10, np.ones((5, 1))
    w1, b1 = Value(np.arange(6.0).reshape(2, 3) / 10 - 0.2, name="w¹"), Value(np.zeros(3), name="b¹")
    w2, b2 = Value(np.array([[0.5], [-0.25], [1.0]]), name="w²"), Value(np.zeros(1), name="b²")
    a2 = sigmoid(affine(x, w1, b1))
    a3 = sigmoid(affine(a2, w2, b2))
    cost = ((a3 - y) ** 2).sum() / 2
    cost.backward()
    return cost, {"x": x, "y": y, "C": cost}


def classifier() -> tuple[Value, dict[str, Any]]:
    """Softmax regression with a penalty: products of matrices, indexing, and a parameter used twice."""
    x, labels = np.arange(12.0).reshape(4, 3) / 10 - 0.5, np.array([0, 1, 1, 0])
    w, b = Value(np.array([[0.5, -0.5], [0.25, 0.0], [-1.0, 1.0]])), Value(np.zeros(2))
    logp = ac.log_softmax(x @ w + b)
    loss = -logp[np.arange(4), labels].mean() + 0.01 * (w * w).sum()
    loss.backward()
    return loss, {"x": x, "W": w, "b": b, "loss": loss, "logp": logp}


def selection() -> tuple[Value, dict[str, Any]]:
    """Shapes, choices, a plain array of truth values, joining and extremes."""
    v, m = Value([1.0, -2.0, 0.5], name="v"), Value([[1.0, 2.0], [3.0, 4.0]], name="M")
    kept = np.where(v.data > 0, v * 2.0, 0.0)
    joined = np.concatenate([kept, (m @ m.T)[0]])
    out = np.maximum(joined, 0.5).max() + np.var(v) + np.abs(v[1:]).sum()
    out.backward()
    return out, {"kept": kept, "joined": joined}


def several_passes() -> tuple[Value, dict[str, Any]]:
    """Two backward passes: the leaves hold twice the gradient of each."""
    w, b, x = Value([[0.5], [-0.25]], name="w"), Value(0.1, name="b"), np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    z = x @ w + b
    loss = (z * z).mean() + 0.5 * (w * w).sum()
    loss.backward()
    loss.backward()
    return loss, {"x": x, "z": z, "loss": loss}


def spectrum() -> tuple[Value, dict[str, Any]]:
    """Complex numbers, and an op of several results."""
    v, m = Value([1.0, -0.5, 0.25], name="v"), Value([[2.0, 1.0], [1.0, 3.0]], name="M")
    f = v * np.array([1 + 2j, 2j, -1.0])
    values, vectors = np.linalg.eigh(m)
    out = (np.abs(f) ** 2).sum() + np.log(values).sum() + vectors[0, 0] ** 2
    out.backward()
    return out, {"f": f, "λ": values, "out": out}


def branches() -> tuple[Value, dict[str, Any]]:
    """A branch that is not taken, in which a derivative is infinite; and numbers that are none."""
    x, y = Value([0.0, 4.0], name="x"), Value([1.0, 0.0], name="y")
    with np.errstate(all="ignore"):
        root = np.where(x.data > 0, np.sqrt(x), 0.0)
        out = root.sum() + (np.log(y) * 0.0).sum()
        out.backward()
    return out, {"root": root, "out": out}


def hostile() -> tuple[Value, dict[str, Any]]:
    """Names that would like to be markup."""
    script = "<script>alert(1)</script>"
    a, b = Value(2.0, name=script), Value(3.0, name='"]]> & \\N\n</svg>')
    c, d = Value(1.0, name="名前 ∇⊙"), Value(0.5, name="\u202eשלום\x00")
    out = np.tanh(a * b + c) * d
    out.name = "javascript:alert(1)"
    out.backward()
    return out, {}


def lengthy() -> tuple[Value, dict[str, Any]]:
    """Names that are longer than can be shown, with signs in them that renderers are mistaken about."""
    a = Value(np.ones((3, 3)), name="a matrix with a name that is far too long to be read")
    out = np.mean((a * Value(2.0, name="the_learning_rate_of_the_outer_optimizer_²")) ** 2)
    out.backward()
    return out, {}


GRAPHS: list[Callable[[], tuple[Value, dict[str, Any]]]] = [
    neuron, before, expression, network, classifier, selection,
    several_passes, spectrum, branches, lengthy, hostile,
]  # fmt: skip


def perceptron() -> Drawing:
    """A deep network whose gradients vanish, folded."""
    model = MLP([4, *[6] * 8, 2], rng=0)
    loss = mse_loss(model(np.ones((3, 4))), np.zeros((3, 2)))
    loss.backward()
    return draw(loss, names=dict(model=model))


def residual() -> Drawing:
    """A part that is opened, with a connection around it."""
    model = Sequential(Residual(Linear(3, 3, rng=0), np.tanh), Linear(3, 1, rng=1))
    loss = np.mean(model(np.ones((2, 3))) ** 2)
    loss.backward()
    return draw(loss).expand("layers.0")  # type: ignore[attr-defined, no-any-return]


def loop() -> Drawing:
    """A loop that is unrolled, without modules."""
    v, w = Value(0.5, name="v"), Value(0.9, name="w")
    for _ in range(100):
        v = np.tanh(v * w + 0.1)
    v.backward()
    return draw(v)


def crowd() -> Drawing:
    """More different parts than there may be cards."""
    total: Any = Value(0.0)
    for k in range(40):
        total = total * Value(1.0 + k) if k % 3 else np.sin(total) + Value(np.ones(k + 1)).sum()
    return draw(total, view="model", max_cards=8)


MODELS: list[Callable[[], Drawing]] = [perceptron, residual, loop, crowd]
