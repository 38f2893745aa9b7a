"""One training step, forward, mean squared error, backward, update, as it is written for each engine."""

import ctypes
import functools
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch._inductor.config
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from autograd_core import mean_squared_error, sigmoid, value_and_grad

torch._inductor.config.compile_threads = 1  # there is one core, and no process is to stay behind

RATE = 0.1
Array = np.ndarray[Any, Any]
Step = Callable[[], Any]
"""A step, or several, on parameters of its own; it returns them."""


def network(activation: Any, params: Any, x: Any) -> Any:
    for w, b in params:
        x = activation(x @ w + b)
    return x


def copied(params: Any) -> Any:
    return [(w.copy(), b.copy()) for w, b in params]


def by_hand(params: Any, x: Array, y: Array, rate: Any) -> float:
    """Backpropagation as a textbook has it, updating in place."""
    activations = [x]
    for w, b in params:
        activations.append(1 / (1 + np.exp(-(activations[-1] @ w + b))))
    out = activations[-1]
    error = out - y
    delta = (rate.dtype.type(2) / error.size) * error * out * (1 - out)
    for k in range(len(params) - 1, -1, -1):
        (w, b), a = params[k], activations[k]
        back = delta @ w.T if k else None
        w -= rate * (a.T @ delta)
        b -= rate * delta.sum(axis=0)
        if k:
            delta = back * a * (1 - a)
    return float((error * error).mean())


def our_step(params: Any, x: Any, y: Any, rate: Any) -> Any:
    cost, g = value_and_grad(lambda p: mean_squared_error(network(sigmoid, p, x), y))(params)
    return [(w - rate * gw, b - rate * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)], cost


def jax_step(params: Any, x: Any, y: Any, rate: Any) -> Any:
    cost, g = jax.value_and_grad(lambda p: jnp.mean((network(jax.nn.sigmoid, p, x) - y) ** 2))(params)
    return [(w - rate * gw, b - rate * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)], cost


def with_autograd(params: Any, x: Array, y: Array, rate: Any) -> Step:
    """HIPS autograd."""

    def loss(params: Any) -> Any:
        return anp.mean((network(lambda z: 1 / (1 + anp.exp(-z)), params, x) - y) ** 2)

    gradient, params = autograd.value_and_grad(loss), copied(params)

    def step() -> Any:
        _, g = gradient(params)
        for (w, b), (gw, gb) in zip(params, g, strict=True):
            w -= rate * gw
            b -= rate * gb
        return params

    return step


def with_torch(params: Any, x: Array, y: Array) -> Step:
    """PyTorch, eager, with plain tensors: about the least it can do."""
    tensors = [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in params]
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)
    flat = [p for pair in tensors for p in pair]

    def step() -> Any:
        cost = torch.nn.functional.mse_loss(network(torch.sigmoid, tensors, inputs), target)
        gradients = torch.autograd.grad(cost, flat)
        with torch.no_grad():
            for p, g in zip(flat, gradients, strict=True):
                p.sub_(g, alpha=RATE)
        return [[p.detach().numpy() for p in pair] for pair in tensors]

    return step


def with_torch_compile(params: Any, x: Array, y: Array) -> Step:
    """The whole step, gradients and update, through `torch.compile`."""
    torch._dynamo.reset()
    tensors = [(torch.tensor(w), torch.tensor(b)) for w, b in params]
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)

    def loss(params: Any, x: Any, y: Any) -> Any:
        return torch.nn.functional.mse_loss(network(torch.sigmoid, params, x), y)

    @torch.compile
    def update(params: Any, x: Any, y: Any) -> Any:
        g = torch.func.grad(loss)(params, x, y)
        return [(w - RATE * gw, b - RATE * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)]

    state = tensors

    def step() -> Any:
        nonlocal state
        state = update(state, inputs, target)
        return [[p.numpy() for p in pair] for pair in state]

    return step


def with_sklearn(params: Any, x: Array, y: Array) -> Step:
    """`partial_fit` of scikit-learn's network, whose output is not squashed for regression: one sigmoid less."""
    model = MLPRegressor(
        hidden_layer_sizes=[len(b) for _, b in params[:-1]], activation="logistic", solver="sgd", alpha=0.0,
        momentum=0.0, batch_size=len(x), learning_rate_init=RATE * 2 / y.shape[1], random_state=0,
    )  # fmt: skip
    target = y if y.shape[1] > 1 else y.ravel()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.partial_fit(x, target)
    for k, (w, b) in enumerate(params):
        model.coefs_[k][...], model.intercepts_[k][...] = w, b

    def step() -> Any:
        model.partial_fit(x, target)
        return list(zip(model.coefs_, model.intercepts_, strict=True))

    return step


def by_hand_unsquashed(params: Any, x: Array, y: Array, rate: Any) -> None:
    """What scikit-learn computes: the last layer is linear."""
    *hidden, (w, b) = params
    activations = [x]
    for v, c in hidden:
        activations.append(1 / (1 + np.exp(-(activations[-1] @ v + c))))
    delta = (rate.dtype.type(2) / y.size) * (activations[-1] @ w + b - y)
    for (w, b), a in zip(params[::-1], activations[::-1], strict=True):
        back = delta @ w.T
        w -= rate * (a.T @ delta)
        b -= rate * delta.sum(axis=0)
        delta = back * a * (1 - a)


@functools.cache
def c_library(dtype: Any) -> Any:
    """`step.c`, compiled, for numbers of this dtype; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "step.so"
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-std=c11", "-shared", "-fPIC"]
        single = ["-DSINGLE"] * (dtype == np.float32)
        source = Path(__file__).with_name("step.c")
        subprocess.run([compiler, *flags, *single, "-o", str(library), str(source), "-lm"], check=True)
        return ctypes.CDLL(str(library))


def multiplying_and_adding(dtype: Any) -> tuple[Callable[[], Any], int] | None:
    """A call that only multiplies and adds, as fast as the processor can, and how many of these operations it does."""
    library = c_library(np.dtype(dtype))
    if library is None:
        return None
    function = library.multiply_and_add
    function.restype = ctypes.c_int64
    numbers = np.random.default_rng(0).random((3, 16)).astype(dtype)
    call = partial(function, ctypes.c_int64(20_000), ctypes.c_void_p(numbers.ctypes.data))
    return call, call()


def with_c(params: Any, x: Array, y: Array, steps: int) -> Step | None:
    """`step.c`, if there is a compiler; many steps a call."""
    library = c_library(x.dtype)
    if library is None:
        return None
    train, real = library.train, ctypes.c_float if x.dtype == np.float32 else ctypes.c_double
    train.restype = real
    params = copied(params)
    sizes = [x.shape[1], *[len(b) for _, b in params]]
    room = len(x) * (sum(sizes) + 2 * max(sizes)) + max(n * m for n, m in pairwise(sizes))
    work = np.empty(room, x.dtype)

    def pointers(arrays: list[Array]) -> Any:
        return (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])

    tables = pointers([w for w, _ in params]), pointers([b for _, b in params])
    layers = (ctypes.c_int * len(sizes))(*sizes)
    arrays = (x, y, work)

    def step() -> Any:
        data = [ctypes.c_void_p(a.ctypes.data) for a in arrays]
        train(steps, len(params), layers, len(x), real(RATE), *tables, *data)
        return params

    return step


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """An error after so many seconds."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
