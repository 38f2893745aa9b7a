"""`python -m nn.demo`: learn to read handwritten digits, and draw what was computed.

The data are the 1,797 digits of 8 × 8 pixels that scikit-learn ships (from UCI's *Optical Recognition of Handwritten
Digits*), a fifth of them held out. The network has 64 inputs, 32 hidden and 10 output units, all sigmoid, and learns to
put out 1 at the right digit and 0 elsewhere.
"""

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import Value, draw, sigmoid

from .aliases import Array
from .data import one_hot, split
from .datasets import load_dataset
from .extras import require
from .history import History
from .layers import MLP
from .losses import mse_loss
from .metrics import accuracy
from .plots import plot_confusion_matrix
from .sgd import SGD
from .train import evaluate, fit

RATE = 10.0
"""The learning rate: high, because the mean over 10 outputs makes every gradient a fifth of half_mse_loss's."""


@dataclass
class Result:
    """A trained model with the data that it was trained and tested on."""

    model: MLP
    history: History
    train: tuple[Array, Array]
    test: tuple[Array, Array]

    def loss_and_accuracy(self, x: Array, labels: Array) -> tuple[float, float]:
        """How well the model does on some of the data."""
        return evaluate(self.model, x, one_hot(labels, 10)), accuracy(self.model(x), labels)


def train_on_digits(seed: int = 0, epochs: int = 60, *, progress: bool = True) -> Result:
    """Train the network; the seed decides what is held out, the initial weights and the order of the samples."""
    rng = np.random.default_rng(seed)
    x, x_test, labels, labels_test = split(*load_dataset("digits"), fraction=0.2, rng=rng)
    model = MLP([64, 32, 10], activation="sigmoid", rng=rng)
    history = fit(
        model,
        x,
        one_hot(labels, 10),
        loss=mse_loss,
        optimizer=SGD(model.parameters(), lr=RATE),
        epochs=epochs,
        batch_size=32,
        rng=rng,
        validation=(x_test, one_hot(labels_test, 10)),
        metrics=[accuracy],
        progress=progress,
    )
    return Result(model, history, train=(x, labels), test=(x_test, labels_test))


def draw_neuron() -> Any:
    """The graph of one neuron's cost C = ½ (σ(w x + b) - 1)², with its gradients."""
    w, x, b = Value(0.5, name="w"), Value(2.0, name="x"), Value(-0.5, name="b")
    cost = (sigmoid(w * x + b) - 1.0) ** 2 / 2.0
    cost.backward()
    return draw(cost, names={"C": cost})


def draw_network(result: Result, batch_size: int = 32) -> Any:
    """The graph of the network's cost on one batch, with its gradients."""
    x, labels = (array[:batch_size] for array in result.train)
    y = one_hot(labels, 10)
    result.model.zero_grad()
    cost = mse_loss(result.model(x), y)
    cost.backward()
    return draw(cost, names={"C": cost, "x": x, "y": y}, view="learn")


def plot_training(result: Result, folder: Path) -> list[Path]:
    """Save how the training went, and which digits are taken for which, as pictures."""
    new_figure = require("matplotlib.figure", extra="plot").Figure
    training, confusion = (new_figure(figsize=size, layout="constrained") for size in ((10, 6.5), (5.2, 5)))
    result.history.plot(training)
    x_test, labels = result.test
    plot_confusion_matrix(result.model(x_test), labels, confusion.subplots())
    paths = [folder / "training.png", folder / "confusion.png"]
    for figure, path in zip((training, confusion), paths, strict=True):
        figure.savefig(path, dpi=150)
    return paths


def save_pictures(result: Result, folder: Path) -> list[Path]:
    """Write the plots and the two graphs into a folder; returns where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = plot_training(result, folder)
    for name, drawing in (("expression", draw_neuron()), ("mlp_loss", draw_network(result))):
        for suffix in ("svg", "png"):
            paths.append(folder / f"{name}.{suffix}")
            drawing.save(paths[-1])
    return paths


def main(arguments: list[str] | None = None) -> None:
    """Train, report and draw, as the options say."""
    parser = argparse.ArgumentParser(prog="python -m nn.demo", description="Learn to read handwritten digits.")
    parser.add_argument("--seed", type=int, default=0, help="for the split, the weights and the batches (default: 0)")
    parser.add_argument("--epochs", type=int, default=60, help="how often each digit is met (default: 60)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="the folder for the pictures (default: out)")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an arrow is no reason to stop where the output is not UTF-8

    result = train_on_digits(options.seed, options.epochs)
    for name, part in (("train", result.train), ("test", result.test)):
        loss, correct = result.loss_and_accuracy(*part)
        print(f"{name:>5}: loss {loss:.4f}, accuracy {correct:.1%} of {len(part[1])} digits")
    print(f"\n{result.history}")
    print("\nThe training, the mistakes, and two computation graphs:")
    for path in save_pictures(result, options.out):
        print(f"  {path}")


if __name__ == "__main__":
    main()
