"""The derivations that several tests look at."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value, affine, explain, log_softmax, sigmoid
from autograd_core.explain.teaching import Derivation


class Model:
    """The least that `explain` needs of a model."""

    def __init__(self, **parameters: Any) -> None:
        self.parameters = {name: Value(data) for name, data in parameters.items()}

    def named_parameters(self) -> Any:
        return self.parameters.items()


Board = tuple[Value, Any, Derivation]
"""A loss, what it is explained for, and the derivation."""


def neuron() -> Board:
    """Single numbers, every step of which has a name but the error."""
    w, b, x = Value(0.5, name="w"), Value(-0.25, name="b"), 3.0
    z = w * x + b
    a = sigmoid(z)
    cost = (a - 1.0) ** 2 / 2
    return cost, w, explain(cost, w, names={"z": z, "a": a})


def joins() -> Board:
    """Three paths, and no names."""
    w, x = Value(0.5, name="w"), Value(3.0, name="x")
    d = w * x
    cost = d * d + np.sin(w) * d / 2
    return cost, w, explain(cost, w)


def network(samples: int = 2) -> Board:
    """The first weights of a 2-3-1 network, on a batch."""
    x, y = np.array([[0.5, -1.0], [1.0, 2.0]])[:samples], np.array([[1.0], [0.0]])[:samples]
    w1, b1 = Value([[0.4, -0.6, 0.1], [0.2, 0.5, -0.3]], name="w¹"), Value([0.0, 0.1, -0.1], name="b¹")
    w2, b2 = Value([[0.7], [-0.4], [0.9]], name="w²"), Value([0.2], name="b²")
    z2 = x @ w1 + b1
    a2 = sigmoid(z2)
    z3 = a2 @ w2 + b2
    a3 = sigmoid(z3)
    cost = np.sum((a3 - y) ** 2) / 2
    return cost, w1, explain(cost, w1, names={"x": x, "y": y, "z²": z2, "a²": a2, "z³": z3, "a³": a3, "C": cost})


def layers() -> Board:
    """All parameters of a small network and of one sample."""
    model = Model(w1=[[0.4, -0.6], [0.2, 0.5]], b1=[0.0, 0.1], w2=[[0.7], [-0.4]], b2=[0.2])
    w1, b1, w2, b2 = model.parameters.values()
    x, y = np.array([[0.5, -1.0]]), np.array([[1.0]])
    a2 = sigmoid(affine(x, w1, b1))
    cost = np.sum((sigmoid(affine(a2, w2, b2)) - y) ** 2) / 2
    return cost, model, explain(cost, model)


def classifier() -> Board:
    """Softmax and cross-entropy, with a penalty on the weights."""
    model = Model(w=[[0.4, -0.6, 0.1], [0.2, 0.5, -0.3]], b=[0.0, 0.1, -0.1])
    w, b = model.parameters.values()
    x, y = np.array([[0.5, -1.0], [1.0, 2.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    cost = -(log_softmax(x @ w + b) * y).sum() / 2 + 0.05 * (w * w).sum()
    return cost, model, explain(cost, model)


BOARDS: list[Callable[[], Board]] = [neuron, joins, network, layers, classifier]
