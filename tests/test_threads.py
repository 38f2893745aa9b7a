"""Threads: different graphs in many threads give what one thread gives."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd_core import Value, grad, hvp, no_grad, sigmoid


def work(seed: int) -> tuple[Any, ...]:
    """A network with a shared weight, second derivatives, and blocks that do not record, in one thread."""
    rng = np.random.default_rng(seed)
    w, v = Value(rng.standard_normal((4, 5))), Value(rng.standard_normal((5, 1)))
    x = rng.standard_normal((6, 4))
    for _ in range(5):
        loss = np.mean(sigmoid(sigmoid(x @ w) @ v) ** 2)
        w.grad = v.grad = None
        loss.backward()
        w.data -= 0.1 * w.grad
        v.data -= 0.1 * v.grad
        with no_grad():
            assert type(w * 2.0) is np.ndarray
    f = lambda a: np.sum(np.tanh(x @ a) ** 3)
    return w.data, v.data, grad(f)(w.data), hvp(f, w.data, np.ones((4, 5)))


def test_threads_do_not_disturb_each_other() -> None:
    alone = [work(seed) for seed in range(48)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(48)))
    for a, b in zip(alone, together, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_threads_may_share_what_a_graph_begins_with() -> None:
    shared = np.exp(Value(np.linspace(0.0, 1.0, 50)))
    gradients: list[Any] = [None] * 8
    barrier = threading.Barrier(8)

    def differentiate(k: int) -> None:
        x = Value(np.full(50, float(k)))
        barrier.wait()
        for _ in range(50):
            x.grad = None
            (shared * x * x).sum().backward(keep="leaves")
        gradients[k] = x.grad

    threads = [threading.Thread(target=differentiate, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, g in enumerate(gradients):
        np.testing.assert_allclose(g, 2.0 * k * shared.data)
