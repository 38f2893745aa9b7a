"""One step of gradient descent on a sigmoid network: forward, mean squared error, backward, update."""

from collections.abc import Callable
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import autograd
import autograd.numpy
import autograd.scipy.special
import mygrad
import numpy as np
import torch
from mygrad.nnet.activations import sigmoid as mygrad_sigmoid

import nn
from autograd_core import Value, sigmoid

from .harness import Report, Target, compare, table

SIZES = {
    (2, 3, 1): (4, 1.9),
    (2, 16, 16, 1): (100, 1.7),
    (64, 32, 10): (32, 1.7),
    (784, 30, 10): (10, 1.6),
    (784, 100, 10): (128, 1.1),
}
"""The layers, the size of a batch, and the target against NumPy by hand."""

RATE = 0.1
Array = np.ndarray[Any, Any]


class Candidate(NamedTuple):
    """One way to write the step."""

    gradients: Callable[[], list[Array]]
    """The gradients of the parameters as they are: w¹, b¹, w², b², ..."""
    step: Callable[[], object]


def layers(parameters: list[Any]) -> list[tuple[Any, Any]]:
    """[w¹, b¹, w², b², ...] in pairs."""
    return list(zip(parameters[::2], parameters[1::2], strict=True))


def by_hand(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """Backpropagation as a careful textbook has it (Nielsen, chapter 2, on whole batches), updating in place."""
    pairs = layers(parameters)

    def backprop() -> tuple[float, list[Array]]:
        activations = [x]
        for w, b in pairs:
            activations.append(1 / (1 + np.exp(-(activations[-1] @ w + b))))
        out = activations[-1]
        error = out - y
        loss = (error * error).mean()
        delta = (2 / error.size) * error * out * (1 - out)
        gradients = [activations[-2].T @ delta, delta.sum(axis=0)]
        for k in range(len(pairs) - 1, 0, -1):
            a = activations[k]
            delta = (delta @ pairs[k][0].T) * a * (1 - a)
            gradients[:0] = [activations[k - 1].T @ delta, delta.sum(axis=0)]
        return loss, gradients

    def step() -> float:
        loss, gradients = backprop()
        for p, g in zip(parameters, gradients, strict=True):
            p -= RATE * g
        return loss

    return Candidate(lambda: backprop()[1], step)


def with_engine(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """This engine alone, as the README writes it."""
    values = [Value(p) for p in parameters]
    pairs = layers(values)

    def loss() -> Any:
        a: Any = x
        for w, b in pairs:
            a = sigmoid(a @ w + b)
        return ((a - y) ** 2).mean()

    def gradients() -> list[Array]:
        for p in values:
            p.grad = None
        loss().backward(keep="leaves")
        return [p.grad for p in values]

    def step() -> Any:
        c = loss()
        for p in values:
            p.grad = None
        c.backward(keep="leaves")
        for p in values:
            p.data -= RATE * p.grad
        return c

    return Candidate(gradients, step)


def with_nn(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """This engine through its `nn`."""
    model = nn.MLP(sizes, activation="sigmoid")
    optimizer = nn.SGD(model.parameters(), lr=RATE)
    values = list(model.parameters())
    for value, p in zip(values, parameters, strict=True):
        value.data = p

    def step() -> Any:
        loss = nn.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward(keep="leaves")
        optimizer.step()
        return loss

    def gradients() -> list[Array]:
        optimizer.zero_grad()
        nn.mse_loss(model(x), y).backward(keep="leaves")
        return [p.grad for p in values]

    return Candidate(gradients, step)


def with_torch(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """PyTorch, eager, as its tutorials write it."""
    model = torch.nn.Sequential()
    for n_in, n_out in pairwise(sizes):
        model.extend([torch.nn.Linear(n_in, n_out, dtype=torch.float64), torch.nn.Sigmoid()])
    with torch.no_grad():
        for tensor, p in zip(model.parameters(), parameters, strict=True):
            tensor.copy_(torch.from_numpy(p.T))
    mse = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)

    def step() -> Any:
        loss = mse(model(inputs), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def gradients() -> list[Array]:
        optimizer.zero_grad()
        mse(model(inputs), target).backward()
        return [p.grad.numpy().T for p in model.parameters()]

    return Candidate(gradients, step)


def with_tensors(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """PyTorch, eager, without its `nn`: about the least it can do."""
    tensors = [torch.tensor(p, requires_grad=True) for p in parameters]
    pairs = layers(tensors)
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)

    def loss() -> Any:
        a = inputs
        for w, b in pairs:
            a = torch.sigmoid(torch.addmm(b, a, w))
        return torch.nn.functional.mse_loss(a, target)

    def gradients() -> list[Array]:
        return [g.numpy() for g in torch.autograd.grad(loss(), tensors)]

    def step() -> Any:
        c = loss()
        c.backward()
        with torch.no_grad():
            for p in tensors:
                p.sub_(p.grad, alpha=RATE)
                p.grad = None
        return c

    return Candidate(gradients, step)


def with_hips(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """HIPS autograd: the gradient of a function, and an update in place."""
    numpy, expit = autograd.numpy, autograd.scipy.special.expit  # as one op, quicker than 1 / (1 + exp(-z))

    def loss(*parameters: Any) -> Any:
        a: Any = x
        for w, b in layers(parameters):
            a = expit(numpy.dot(a, w) + b)
        return numpy.mean((a - y) ** 2)

    value_and_grad = autograd.value_and_grad(loss, argnum=tuple(range(len(parameters))))

    def step() -> Any:
        c, gradients = value_and_grad(*parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= RATE * g
        return c

    return Candidate(lambda: list(value_and_grad(*parameters)[1]), step)


def with_mygrad(sizes: tuple[int, ...], parameters: list[Array], x: Array, y: Array) -> Candidate:
    """MyGrad, with the guard of its arrays' memory off, which halves its time for small arrays."""
    mygrad.turn_memory_guarding_off()
    tensors = [mygrad.tensor(p) for p in parameters]
    pairs = layers(tensors)

    def loss() -> Any:
        a: Any = x
        for w, b in pairs:
            a = mygrad_sigmoid(mygrad.matmul(a, w) + b)
        return mygrad.mean((a - y) ** 2)

    def gradients() -> list[Array]:
        loss().backward()
        return [p.grad for p in tensors]

    def step() -> Any:
        c = loss()
        c.backward()
        for p in tensors:
            p.data -= RATE * p.grad
        return c

    return Candidate(gradients, step)


REFERENCE, OURS, ALONE = "NumPy by hand", "nn", "engine alone"
CANDIDATES: dict[str, Callable[..., Candidate]] = {
    REFERENCE: by_hand,
    OURS: with_nn,
    ALONE: with_engine,
    "PyTorch nn": with_torch,
    "PyTorch tensors": with_tensors,
    "HIPS autograd": with_hips,
    "MyGrad": with_mygrad,
}


def begin(sizes: tuple[int, ...], batch: int) -> tuple[list[Array], Array, Array]:
    """Parameters to begin with, inputs and targets."""
    rng = np.random.default_rng(0)
    x, y = rng.random((batch, sizes[0])), rng.random((batch, sizes[-1]))
    parameters = []
    for n_in, n_out in pairwise(sizes):
        parameters += [rng.standard_normal((n_in, n_out)) / np.sqrt(n_in), rng.standard_normal(n_out)]
    return parameters, x, y


def candidates(sizes: tuple[int, ...], batch: int) -> dict[str, Candidate]:
    """Every way to write the step, on the same data; their gradients agree before a first step and after it."""
    torch.set_num_threads(1)
    parameters, x, y = begin(sizes, batch)
    built = {name: make(sizes, [p.copy() for p in parameters], x, y) for name, make in CANDIDATES.items()}
    for steps in range(2):
        right = built[REFERENCE].gradients()
        for name, candidate in built.items():
            for got, wanted in zip(candidate.gradients(), right, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-9, err_msg=f"{name}, {sizes}, after {steps} steps")
        for candidate in built.values():
            candidate.step()
    return built


def run() -> Report:
    """Measure every candidate at every size."""
    rows, targets = [], []
    peers = [name for name in CANDIDATES if name not in (REFERENCE, OURS, ALONE)]
    worst = {name: [0.0, 0.0, 0.0] for name in peers}
    for sizes, (batch, at_most) in SIZES.items():
        network = f"{'-'.join(map(str, sizes))}, batch {batch}"
        calls = {name: candidate.step for name, candidate in candidates(sizes, batch).items()}
        timings = compare(calls, rounds=41)
        hand, ours = timings[REFERENCE], timings[OURS]
        rows.append([network, *[f"{t.seconds * 1e6:.0f} ({t.ratio(hand):.2f})" for t in timings.values()]])
        targets.append(Target(f"training step {network}", REFERENCE, ours.quartiles(hand), at_most))
        worst = {name: max(worst[name], ours.quartiles(timings[name]), key=itemgetter(1)) for name in peers}
    targets += [Target("the least favourable of the five steps", name, ratio, 1.0) for name, ratio in worst.items()]
    text = (
        "## A training step of a sigmoid network: forward, mean squared error, backward, update\n\n"
        + table([f"µs (× {REFERENCE})", *CANDIDATES], rows)
        + "\nAll gradients agreed to 1e-9 before anything was timed. `nn` is this project's; `engine alone` spells "
        "the same\nstep out in Values.\n"
    )
    return Report(text, targets)
