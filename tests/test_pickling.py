"""Pickles and copies of graphs."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import Value, checkpoint, grad, hessian, jvp, pickling, vjp
from autograd_core.op import named
from autograd_core.registry import OPS


def chain(n: int) -> Value:
    v = Value(1.0)
    for _ in range(n):
        v = v * 0.5 + 1.0
    return v


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_of_deep_graphs(duplicate: Any) -> None:
    v = chain(30_000)
    twin = duplicate(v)
    assert twin is not v
    assert twin.data == v.data
    v.backward()
    twin.backward()
    depth, node = 0, twin
    while node.op is not None:
        node, depth = node.inputs[0], depth + 1
    assert depth == 60_000
    assert node.grad == 0.5**30_000


def test_a_pickle_keeps_shared_leaves_shared() -> None:
    w = Value(2.0, name="w")
    w.grad = 7.0
    a, b = pickle.loads(pickle.dumps([w * 3.0, np.exp(w)]))
    assert a.inputs[0] is b.inputs[0]
    assert a.inputs[0].name == "w"
    assert a.inputs[0].grad == 7.0
    assert a.op is OPS["mul"]
    shallow = copy.copy(w)
    assert shallow is not w
    assert shallow.data == 2.0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_pickle_holds_each_node_once(duplicate: Any) -> None:
    w = Value(np.ones(1000), name="w")
    hidden = np.exp(w)
    loss = (hidden * hidden).sum()
    found = duplicate({"loss": loss, "hidden": [hidden], "w": w})
    (twin,) = found["hidden"]
    assert found["loss"].inputs[0].inputs[0] is found["loss"].inputs[0].inputs[1] is twin
    assert twin.inputs[0] is found["w"]
    found["loss"].backward()
    np.testing.assert_allclose(found["w"].grad, 2.0 * np.exp(2.0))
    nodes = [w]
    for _ in range(20):
        nodes.append(nodes[-1] * 1.5)
    assert len(pickle.dumps(nodes)) < 1.1 * len(pickle.dumps(nodes[-1]))
    assert not pickling.ROWS


def test_a_shallow_copy_has_the_same_inputs() -> None:
    out = np.exp(Value([1.0, 2.0], name="x"))
    twin = copy.copy(out)
    assert twin is not out
    assert twin.inputs[0] is out.inputs[0]
    twin.sum().backward()
    assert out.inputs[0].grad is not None


def test_a_pickle_imports_what_it_needs(tmp_path: Path) -> None:
    """Of ops that are declared late the file, of a rule of one's own the module."""
    special = pytest.importorskip("scipy.special")
    (tmp_path / "own_rule.py").write_text(
        "from autograd_core import primitive\n\n"
        "@primitive(pullback=lambda g, out, x: 3.0 * g)\ndef triple(x):\n    return 3.0 * x\n"
    )
    code = "import sys, pickle; sys.path.insert(0, sys.argv[1]); "
    make = "import own_rule; from autograd_core import Value; v = own_rule.triple(Value(0.0)); "
    environment = dict(capture_output=True, check=True)
    own = subprocess.run(
        [sys.executable, "-c", code + make + "sys.stdout.buffer.write(pickle.dumps(v))", str(tmp_path)], **environment
    ).stdout
    read = code + "v = pickle.loads(sys.stdin.buffer.read()); v.backward(); print(repr(v), v.inputs[0].grad)"
    for written, expected in (
        (own, "Value(0.0, op=triple) 3.0"),
        (pickle.dumps(special.erf(Value(0.0))), "Value(0.0, op=erf) 1.1283791670955126"),
        (pickle.dumps(np.fft.irfft(Value([2.0]), 1).sum()), "Value(np.float64(2.0), op=sum) [1.]"),
    ):
        found = subprocess.run([sys.executable, "-c", read, str(tmp_path)], input=written, **environment)
        assert found.stdout.decode().strip() == expected


def test_what_has_no_name_is_copied_but_not_pickled() -> None:
    out = checkpoint(np.sin)(Value(0.0))
    twin = copy.deepcopy(out)
    twin.backward()
    assert twin.inputs[0].grad == 1.0
    with pytest.raises(TypeError, match="checkpoint has no name to be found by"):
        pickle.dumps(out)
    with pytest.raises(LookupError, match=r"no op is called 'nowhere\.declared'"):
        named("nowhere.declared")


def test_a_graph_whose_leaf_was_updated_is_not_copied() -> None:
    w = Value([2.0], name="w")
    out = w * 3.0
    w.data -= 1.0
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):  # a copy would have forgotten that it is out of date
        with pytest.raises(RuntimeError, match="input 'w' of mul changed"):
            duplicate(out)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_variable_whose_derivative_is_taken_is_not_copied(duplicate: Any) -> None:
    x, w = np.ones(3), Value([1.0, 2.0, 3.0])

    def of_itself(v: Any) -> Any:
        return np.sum(v * duplicate(v))

    def of_what_follows(v: Any) -> Any:
        return np.sum(v * duplicate(np.sin(v)))

    for f in (of_itself,) if duplicate is copy.copy else (of_itself, of_what_follows):
        for derivative in (
            lambda f: grad(f)(x),
            lambda f: hessian(f)(x),
            lambda f: vjp(f, x),
            lambda f: jvp(f, (x,), (x,)),
            lambda f: checkpoint(f)(w),
            lambda f: grad(lambda v: grad(f)(x) @ v)(x),
        ):
            with pytest.raises(TypeError, match=r"write v\.copy\(\) for a copy that follows"):
                derivative(f)
    np.testing.assert_array_equal(grad(lambda v: np.sum(copy.copy(v * 2.0)))(x), 2.0)  # it keeps its inputs
    assert grad(lambda v: np.sum(v * 2.0) + len(repr(duplicate(w))))(x).tolist() == [2.0] * 3  # it was there before
    duplicate(w)
