"""What a picture contains, in which order, and under which names."""

import numpy as np

from autograd_core import Value
from autograd_core.explain.names import read


def test_operations_follow_their_stamps_and_inputs_their_first_use() -> None:
    late, x, w = Value(1.0, name="late"), np.ones(2), Value(2.0, name="w")
    u = w * x
    graph = read((u + late) * u, {"x": x, "u": u})
    assert graph.names == ("w", "x", "u", "late", "v1", "out")


def test_new_data_of_a_leaf_do_not_move_its_card() -> None:
    w, b = Value(1.0, name="w"), Value(2.0, name="b")
    out = w * 2.0 + b
    order = read(out).names
    w.data = 3.0
    assert read(out).names == order == ("w", "v1", "b", "out")


def test_an_array_that_is_used_twice_is_one_node_and_equal_arrays_are_two() -> None:
    w, x, y = Value(1.0, name="w"), np.ones(2), np.ones(2)
    assert read((w * x + x) * y).names == ("w", "c1", "v1", "v2", "c2", "out")


def test_numbers_are_no_nodes() -> None:
    w = Value(1.0, name="w")
    assert read(w * 2 + np.float64(3) - np.array(4.0)).names == ("w", "v1", "v2", "out")


def test_own_names_come_first_and_generated_names_do_not_clash() -> None:
    a, b, v = Value(1.0, name="v1"), Value(2.0), Value(3.0)
    out = a * b + v
    given = {"_": a, "_private": b, "other": a, "v": v, "w": v, "number": 3, 7: b}
    graph = read(out, given)
    assert graph.names == ("v1", "7", "v2", "v", "out")
    assert graph.generated == {"v2", "out"}


def test_an_unnamed_result_is_called_out_unless_something_else_is() -> None:
    assert read(Value(1.0, name="out") * 2.0).names == ("out", "v1")


def test_blank_names_are_none() -> None:
    assert read(Value(1.0, name=" \n") * Value(2.0, name=""), {" ": 1}).names == ("v1", "v2", "out")


def test_a_leaf_alone() -> None:
    assert read(Value(1.0)).names == ("out",)


def test_deep_and_wide_graphs() -> None:
    v = Value(0.0)
    for _ in range(100_000):
        v = v + 1.0
    graph = read(v)
    assert len(graph.nodes) == 100_001
    assert graph.names[-2:] == ("v100000", "out")
    assert len(read(np.stack([Value(0.0)] * 1000 + [Value(1.0) for _ in range(1000)])).nodes) == 1002


def test_values_of_one_name_are_told_apart() -> None:
    weights = [Value(float(k), name="weight") for k in range(3)]
    out = weights[0] * weights[1] * weights[2] * Value(1.0, name="weight²") * Value(2.0, name="b")
    assert [name for name in read(out).names if name[0] in "wb"] == ["weight¹", "weight³", "weight⁴", "weight²", "b"]
