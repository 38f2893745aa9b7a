"""A large network of single numbers, folded and drawn."""

import time
from typing import Any

import numpy as np

from autograd_core import Value, draw


def network(layers: int, width: int) -> Value:
    """A loss of neurons that are recorded number by number: 2 · layers · width² operations, nearly."""
    rng = np.random.default_rng(0)
    layer: list[Any] = [Value(float(x)) for x in rng.normal(size=width)]
    for n in [width] * layers + [1]:
        made = []
        for weights in rng.normal(size=(n, width)) / width**0.5:
            total: Any = Value(0.0)
            for w, x in zip(weights.tolist(), layer, strict=True):
                total = total + Value(w) * x
            made.append(np.tanh(total))
        layer = made
    return (layer[0] - 1.0) ** 2  # type: ignore[no-any-return]


def folded(layers: int = 60, width: int = 91) -> tuple[float, str]:
    """The seconds that it takes to draw a million operations as SVG, and what is drawn."""
    loss = network(layers, width)
    loss.backward()
    start = time.perf_counter()
    drawing = draw(loss)
    drawing.render("svg")
    return time.perf_counter() - start, f"{drawing.scene.subtitle}"


if __name__ == "__main__":
    print("{:.2f} s: {}".format(*folded()))
