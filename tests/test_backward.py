"""The backward pass: accumulation, what is kept, what is refused, and graphs of any depth."""

import gc
import os
import platform
import subprocess
import sys
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, grad, sigmoid
from autograd_core.registry import OPS


def test_every_use_of_a_value_adds_to_its_gradient() -> None:
    x = Value(3.0)
    y = x * x + x * 2.0 + x
    y.backward()
    assert x.grad == 2 * 3.0 + 2.0 + 1.0
    z = Value([1.0, 2.0])
    (z + z + z * z).sum().backward()
    np.testing.assert_array_equal(z.grad, 2 + 2 * z.data)


def test_a_diamond_is_visited_once_per_node_not_once_per_path() -> None:
    x = Value(1.0)
    v = x
    for _ in range(60):  # 2**60 paths
        v = v * 0.5 + v * 0.5
    v.backward()
    assert x.grad == 1.0


def test_leaves_accumulate_and_intermediates_are_set() -> None:
    x = Value(2.0)
    u = x * 3.0
    y = u * u
    y.backward()
    assert (x.grad, u.grad, y.grad) == (36.0, 12.0, 1.0)
    y.backward()
    assert (x.grad, u.grad, y.grad) == (72.0, 12.0, 1.0)
    x.grad = 0.0
    y.backward(keep="leaves")
    assert x.grad == 36.0


def test_keep_leaves_keeps_no_others() -> None:
    x = Value([1.0, 2.0])
    u = x * 3.0
    y = u.sum()
    y.backward(keep="leaves")
    assert u.grad is None
    assert y.grad is None
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])
    with pytest.raises(ValueError, match="keep='some'"):
        y.backward(keep="some")


def test_the_gradient_to_begin_with() -> None:
    x = Value([1.0, 2.0])
    (x * x).backward([10.0, 100.0])
    np.testing.assert_array_equal(x.grad, [20.0, 400.0])
    with pytest.raises(ValueError, match=r"shape \(2,\) needs the gradient.*v\.sum\(\)\.backward\(\)"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"has shape \(3,\), and what it belongs to has \(2,\)"):
        (x * x).backward(np.ones(3))
    with pytest.raises(TypeError, match="the gradient is complex, and what it belongs to is real"):
        (x * x).backward([1j, 1.0])
    with pytest.raises(ValueError, match="of a complex Value needs the gradient"):
        Value(1j).backward()
    for v in (x * x, Value(1.0)):
        with pytest.raises(TypeError, match=r"write v\.backward\(g\.data\)"):
            v.backward(Value(np.ones(v.shape)))
    one = Value([[2.0]])
    (one * one).backward()
    np.testing.assert_array_equal(one.grad, [[4.0]])
    scalar = Value(2.0)
    (scalar * scalar).backward(10)
    assert scalar.grad == 40.0
    assert type(scalar.grad) is float


def test_a_leaf_is_its_own_derivative() -> None:
    x = Value([1.0, 2.0])
    given = np.array([3.0, 4.0])
    x.backward(given)
    np.testing.assert_array_equal(x.grad, given)
    assert x.grad is not given
    y = Value(1.0)
    y.backward()
    assert y.grad == 1.0
    z = Value([[1.0]])
    z.backward()
    np.testing.assert_array_equal(z.grad, [[1.0]])
    assert z.grad.shape == (1, 1)


def test_gradients_are_not_shared() -> None:
    a, b = Value([1.0, 2.0]), Value([3.0, 4.0])
    g = np.ones(2)
    out = a + b
    out.backward(g)
    a.grad[0] = 100.0
    np.testing.assert_array_equal(b.grad, [1.0, 1.0])
    np.testing.assert_array_equal(out.grad, [1.0, 1.0])
    np.testing.assert_array_equal(g, [1.0, 1.0])
    h = a * 2.0
    twice = h + h
    p, q = h + b, np.exp(h)  # the gradient of p goes on to h as it is, where that of q is already
    out = twice * 5.0 + p * q
    out.backward(g)
    for node, expected in ((twice, 5.0), (p, q.data), (q, p.data), (h, 10.0 + q.data + p.data * q.data)):
        np.testing.assert_allclose(node.grad, np.broadcast_to(expected, 2), rtol=1e-14)
    h = a * 2.0
    twice = h + h
    (twice * 5.0).backward(g)
    np.testing.assert_array_equal(twice.grad, [5.0, 5.0])
    np.testing.assert_array_equal(h.grad, [10.0, 10.0])
    c = Value([[1.0, 2.0]])
    c.T.reshape(2).backward(g)
    c.grad[0, 0] = 7.0
    np.testing.assert_array_equal(g, [1.0, 1.0])


def test_broadcast_gradients_are_summed_to_their_variables_shape() -> None:
    w, b, s = Value(np.ones((3, 1))), Value(np.ones(4)), Value(2.0)
    ((w + b) * s).sum().backward()
    np.testing.assert_array_equal(w.grad, np.full((3, 1), 8.0))
    np.testing.assert_array_equal(b.grad, np.full(4, 6.0))
    assert s.grad == 24.0
    assert type(s.grad) is float


def test_constants_get_no_gradient_and_rules_of_constants_are_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("the derivative with respect to a constant was computed")

    mul = OPS["mul"]
    monkeypatch.setattr(mul, "rules", (mul.rules[0], never))
    x = Value(2.0)
    (x * 3.0).backward()
    assert x.grad == 3.0


def test_nan_shows() -> None:
    x = Value([1.0, np.nan])
    (x * x).sum().backward()
    assert np.isnan(x.grad[1])
    assert x.grad[0] == 2.0


def test_a_gradient_that_is_one_number_everywhere_becomes_an_array_of_its_own() -> None:
    x = Value(np.arange(20000.0))
    (x * 3.0 * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(20000, 6.0))
    assert x.grad.flags.writeable


@pytest.mark.parametrize("f", [np.sum, np.exp, np.ravel, lambda x: x[()], lambda x: np.stack([x, x * 2.0]), np.max])
@pytest.mark.parametrize("x", [np.float32(2.0), np.float64(2.0), np.complex64(2.0), np.array(2.0, np.float32)])
def test_the_gradient_of_a_number_is_a_number_and_of_an_array_an_array(f: Any, x: Any) -> None:
    v = Value(x)
    for _ in range(2):  # added to, too
        np.sum(np.real(f(v))).backward()
        assert type(v.grad) is type(x)
        assert v.grad.dtype == x.dtype
    assert type(grad(lambda x: np.sum(np.real(f(x))))(x)) is type(x)


# Changed data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", ["rebind", "in place"])
def test_data_that_changed_after_recording_are_noticed(update: str) -> None:
    w = Value([2.0, 3.0], name="w")
    loss = (w * w).sum()
    if update == "rebind":
        w.data = np.array([0.0, 0.0])
    else:
        w.data -= 1.0
    with pytest.raises(RuntimeError, match="input 'w' of mul changed after"):
        loss.backward()
    assert w.grad is None
    loss = (w * w).sum()
    loss.backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)


@pytest.mark.parametrize("op", ["exp", "add", "matmul", "affine", "getitem"])
def test_changed_data_are_noticed_by_every_branch_of_the_loop(op: str) -> None:
    w = Value(np.ones((2, 2)))
    x = np.ones((2, 2))
    args = {"exp": (w,), "add": (1.0, w), "matmul": (x, w), "affine": (x, w, np.ones(2)), "getitem": (w, slice(None))}
    out = OPS[op](*args[op])
    w.data -= 1.0
    with pytest.raises(RuntimeError, match=f"input of {op} changed"):
        out.backward(np.ones((2, 2)))


# Interrupted ----------------------------------------------------------------------------------------------------------


def test_an_exception_anywhere_leaves_the_leaves_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> tuple[Value, list[Value]]:
        w, b = Value([[0.5, -0.2]]), Value([0.1, 0.3])
        x = np.array([[1.0], [2.0]])
        return (sigmoid(x @ w + b) * b).mean(), [w, b]

    loss, leaves = build()
    names = {node.op.name for node in _nodes(loss) if node.op is not None}
    for name in names:
        loss, leaves = build()
        for leaf in leaves:
            leaf.grad = np.full(leaf.shape, 7.0)

        def interrupted(*args: Any) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(OPS[name], "rules", (interrupted,) * OPS[name].arity)
            with pytest.raises(KeyboardInterrupt):
                loss.backward()
        for leaf in leaves:
            np.testing.assert_array_equal(leaf.grad, 7.0)


def _nodes(root: Value) -> list[Value]:
    seen, pending = {root}, [root]
    while pending:
        for x in pending.pop().inputs:
            if type(x) is Value and x not in seen:
                seen.add(x)
                pending.append(x)
    return list(seen)


# Size -----------------------------------------------------------------------------------------------------------------


def test_a_chain_of_a_hundred_thousand_operations() -> None:
    w, v = Value(1.0), Value(1.0)
    root = v
    for _ in range(100_000):
        v = v * w
    v.backward()
    assert root.grad == 1.0
    assert w.grad == 100_000.0
    last = weakref.ref(v)
    del v
    assert last() is None


def test_a_node_takes_at_most_256_bytes_beside_its_data() -> None:
    gc_header, gradient = 16, sys.getsizeof(1.0)
    for v in (Value(1.5) * Value(2.5), np.exp(Value(1.5)), Value([1.5]).sum()):
        node = sys.getsizeof(v) + gc_header + sys.getsizeof(v.stamp) + gradient
        if v.first is v.inputs:
            node += sys.getsizeof(v.inputs) + gc_header
        assert node <= 256


def test_graphs_leave_nothing_to_the_garbage_collector() -> None:
    w, b, x = Value(np.ones((3, 2))), Value(np.zeros(2)), np.ones((4, 3))
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            loss = (sigmoid(x @ w + b) - 0.5).square().mean()
            w.grad = b.grad = None
            loss.backward()
            w.data -= 0.1 * w.grad
        del loss
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_parts_of_an_array_and_the_whole_add_up_in_any_order() -> None:
    x = Value(np.arange(1.0, 5.0))
    loss = x[1] * 10 + (x * x).sum() + x[[1, 1, 2]].sum() + x[:2].sum() + x.reshape(2, 2)[1, 0] + x[1]
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data + [1, 1 + 10 + 2 + 1, 1 + 1, 0])


def test_an_array_that_is_read_element_by_element_costs_no_array_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(np.ones(100))
    loss = sum((x[k] for k in range(0, 100, 10)), start=0.0)
    monkeypatch.setattr(OPS["getitem"], "rules", (lambda *args: pytest.fail("its rule makes an array of zeros"),))
    loss.backward(keep="leaves")
    np.testing.assert_array_equal(x.grad, np.arange(100) % 10 == 0)


def test_grad_frees_the_graph_on_the_way() -> None:
    size, sizes = 100_000, []

    def chain(x: Any) -> Any:
        for _ in range(20):
            x = np.sin(x)
        sizes.append(tracemalloc.get_traced_memory()[0])
        return x.sum()

    tracemalloc.start()
    grad(chain)(np.ones(size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < sizes[0] + 5 * 8 * size  # the gradients take the place of what was recorded


FAULTS = """
import resource, sys
import numpy as np
from autograd_core import grad
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
gradient, x = grad(lambda x: np.sum(np.tanh(x * x + 1.0) ** 3)), np.linspace(0.0, 1.0, 100_000)
for _ in range(5):
    gradient(x)
before = faults()
for _ in range(20):
    gradient(x)
print((faults() - before) / 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library has another way to keep memory")
def test_a_pass_finds_the_memory_that_the_last_one_freed() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    faults = [
        float(subprocess.run([sys.executable, "-c", FAULTS], env=environment | limit, stdout=-1, check=True).stdout)
        for limit in ({}, {"MALLOC_TRIM_THRESHOLD_": "131072"})
    ]
    assert faults[0] < 20 < 500 < faults[1]  # an array has 196 pages; what the environment says still counts


def test_a_nan_below_a_selection_is_decided_exactly_although_the_graph_above_is_gone() -> None:
    def fun(x: Any) -> Any:
        root = np.sqrt(x)
        return np.exp(np.where(x > 0, root, 0.0)).sum() * 2.0

    np.testing.assert_array_equal(grad(fun)(np.array([0.0, 4.0])), [0.0, 2 * np.exp(2.0) / 4])
