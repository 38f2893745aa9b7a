"""Whole trainings: `fit` uncompiled and compiled, a loop in PyTorch, and the estimator beside scikit-learn's.

`fit` writes down losses and gradient norms, and looks out for nan; the loop in PyTorch does nothing but train.
"""

import warnings
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import nn
from nn import estimators as ours

from .harness import Report, Target, compare, table


class Work(NamedTuple):
    """A training."""

    sizes: tuple[int, ...]
    samples: int
    batch: int
    epochs: int


WORKS = [Work((2, 16, 16, 1), 1000, 100, 50), Work((64, 32, 10), 1437, 32, 10), Work((784, 30, 10), 2000, 10, 2)]
RATE = 1.0
ROUNDS = 11


def data_of(work: Work) -> tuple[Any, Any]:
    """Digits where they fit, else random numbers."""
    if work.sizes[0] == 64:
        x, labels = load_digits(return_X_y=True)
        return x[: work.samples] / 16, nn.one_hot(labels[: work.samples], 10)
    rng = np.random.default_rng(0)
    return rng.random((work.samples, work.sizes[0])), rng.random((work.samples, work.sizes[-1]))


def with_nn(work: Work, x: Any, y: Any, compiled: bool) -> list[Any]:
    """The parameters after a training through `fit`."""
    model = nn.MLP(work.sizes, activation="sigmoid", rng=0)
    optimizer = nn.SGD(model.parameters(), lr=RATE)
    settings = dict(epochs=work.epochs, batch_size=work.batch, rng=0, compiled=compiled, progress=False)
    nn.fit(model, x, y, optimizer=optimizer, **settings)
    return [p.data for p in model.parameters()]


def with_torch(work: Work, x: Any, y: Any) -> list[Any]:
    """The same in PyTorch, eager, with the same initial parameters and the same order of the samples."""
    model = torch.nn.Sequential()
    for n_in, n_out in pairwise(work.sizes):
        model.extend([torch.nn.Linear(n_in, n_out, dtype=torch.float64), torch.nn.Sigmoid()])
    begin = nn.MLP(work.sizes, activation="sigmoid", rng=0).parameters()
    with torch.no_grad():
        for tensor, p in zip(model.parameters(), begin, strict=True):
            tensor.copy_(torch.from_numpy(p.data.T))
    optimizer, mse = torch.optim.SGD(model.parameters(), lr=RATE), torch.nn.MSELoss()
    inputs, targets, rng = torch.from_numpy(x), torch.from_numpy(y), np.random.default_rng(0)
    for _ in range(work.epochs):
        for rows in torch.from_numpy(rng.permutation(len(x))).split(work.batch):
            loss = mse(model(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [p.detach().numpy().T for p in model.parameters()]


def first_time(train: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds of a call, and its result."""
    begin = perf_counter()
    found = train()
    return perf_counter() - begin, found


def run() -> Report:
    """Measure every training."""
    torch.set_num_threads(1)
    rows, targets = [], []
    for work in WORKS:
        x, y = data_of(work)
        calls: dict[str, Callable[[], Any]] = {
            "fit": partial(with_nn, work, x, y, False),
            "fit, compiled": partial(with_nn, work, x, y, True),
            "PyTorch": partial(with_torch, work, x, y),
        }
        right, (first, found) = calls["PyTorch"](), first_time(calls["fit, compiled"])
        for other in (found, calls["fit"](), calls["fit, compiled"]()):
            for a, b in zip(other, right, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
        timings = compare(calls, rounds=ROUNDS)
        name = f"{'-'.join(map(str, work.sizes))}, batch {work.batch}"
        compiled = timings["fit, compiled"]
        steps = work.epochs * -(-work.samples // work.batch)
        rows.append(
            [name, *[f"{t.seconds / steps * 1e6:.1f}" for t in timings.values()], f"{first - compiled.seconds:.2f}"]
            + [f"{compiled.ratio(timings[peer]):.2f}" for peer in ("fit", "PyTorch")]
        )
        targets.append(Target(f"fit, compiled, {name}", "PyTorch", compiled.quartiles(timings["PyTorch"]), 1.0))
    header = ["µs a step", "`fit`", "`fit`, compiled", "PyTorch", "compiling, s", "compiled to not", "to PyTorch"]
    text = "## Whole trainings, compiled\n\n" + table(header, rows) + "\n" + estimators()
    return Report(text, targets)


def estimators() -> str:
    """The classifier on the digits, when its program is there."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    x, y = load_digits(return_X_y=True)
    settings: dict[str, Any] = dict(hidden_layer_sizes=(32,), max_iter=20, random_state=0)
    calls = {
        "MLPClassifier": lambda: ours.MLPClassifier(**settings, compiled=False).fit(x / 16, y),
        "compiled": lambda: ours.MLPClassifier(**settings, compiled=True).fit(x / 16, y),
        "scikit-learn": lambda: theirs.MLPClassifier(**settings).fit(x / 16, y),
    }
    curves = [call().loss_curve_ for call in calls.values()]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-9)
    np.testing.assert_allclose(curves[2], curves[0], rtol=1e-2)  # whose Adam has its epsilon elsewhere
    timings = compare(calls, rounds=ROUNDS)
    row = ["digits, adam, 20 epochs", *[f"{t.seconds * 1e3:.0f}" for t in timings.values()]]
    row += [f"{timings[name].ratio(timings['scikit-learn']):.2f}" for name in ("MLPClassifier", "compiled")]
    return table(["ms", *calls, "not compiled to scikit-learn's", "compiled to scikit-learn's"], [row]) + (
        "\nThe numbers agreed before anything was timed. Programs are compiled once for networks of one shape.\n"
    )
