"""PyTorch's weights, from a file that torch 2.13.0 wrote (`golden/torch_weights.py`), and back."""

import json
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import Linear, Module, Sequential, load_torch, save_torch

pytest.importorskip("safetensors", reason="PyTorch's weights come in its files")
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parent / "golden" / "torch_weights.safetensors"
NUMBERS = json.loads(GOLDEN.with_suffix(".json").read_text())


def model(bias=True):
    inner = Sequential(Linear(5, 4, bias=False), nn.Sigmoid())
    return Sequential(Linear(3, 5, bias), nn.BatchNorm1d(5), nn.Tanh(), inner, Linear(4, 2, bias))


@pytest.mark.parametrize("bias", [True, "folded"])
def test_with_pytorchs_weights_the_output_is_pytorchs(bias):
    net = model(bias)
    load_torch(net, GOLDEN)
    out = net.eval()(np.array(NUMBERS["x"])).data
    np.testing.assert_allclose(out, NUMBERS["out"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("bias", [True, "folded"])
def test_what_is_written_is_what_pytorch_wrote(tmp_path, bias):
    net = model(bias)
    load_torch(net, GOLDEN)
    save_torch(net, tmp_path / "ours")
    ours, theirs = load_file(tmp_path / "ours"), load_file(GOLDEN)
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(ours[name], array)
        assert (ours[name].shape, ours[name].dtype) == (array.shape, array.dtype)


class Net(Module):
    """As one would write it there."""

    def __init__(self):
        self.fc1 = Linear(2, 3, rng=0)
        self.act = nn.ReLU()
        self.head = nn.MLP([3, 2, 1], rng=0, dtype=np.float32)


def test_attributes_of_a_module_of_ones_own_keep_their_names(tmp_path):
    one, two = Net(), Net()
    for p in one.parameters():
        p.data = p.data + 1
    save_torch(one, tmp_path / "net")
    names = {"fc1.weight", "fc1.bias", "head.0.weight", "head.0.bias", "head.2.weight", "head.2.bias"}
    assert load_file(tmp_path / "net").keys() == names
    load_torch(two, tmp_path / "net")
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert p.dtype == q.dtype


class Lists(Module):
    def __init__(self):
        self.blocks = [Linear(2, 3, rng=0), nn.Tanh(), {"mean": Linear(3, 1, rng=1)}]


def test_lists_and_dicts_are_module_lists_and_dicts(tmp_path):
    one, two = Lists(), Lists()
    for p in one.parameters():
        p.data = p.data + 1
    save_torch(one, tmp_path / "net")
    names = {f"blocks.{name}.{kind}" for name in ("0", "2.mean") for kind in ("weight", "bias")}
    assert load_file(tmp_path / "net").keys() == names
    load_torch(two, tmp_path / "net")
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(tmp_path):
    net = Sequential(Linear(3, 5, rng=0), nn.BatchNorm1d(4), Linear(9, 9, rng=0))
    before = net.state_dict()
    with pytest.raises(ValueError, match="does not fit this Sequential; nothing was loaded") as error:
        load_torch(net, GOLDEN)
    assert "1.running_var: of shape (5,) in the file, while the layer here takes (4,)" in str(error.value)
    assert "2.weight: missing from the file" in str(error.value)
    assert "3.0.weight: in the file, but no layer here has it" in str(error.value)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_parts_that_pytorch_has_not(tmp_path):
    with pytest.raises(TypeError, match=r"no layer that holds layers.0.mean, layers.0.scale of this Sequential"):
        save_torch(Sequential(nn.Standardize(np.ones((2, 2))), Linear(2, 1)), tmp_path / "x")
    with pytest.raises(TypeError, match=r"layers\.0\.weight"):
        save_torch(nn.Residual(Linear(2, 2)), tmp_path / "x")


def test_types_that_numpy_has_not(tmp_path):
    header = b'{"0.weight":{"dtype":"BF16","shape":[1,1],"data_offsets":[0,2]}}'
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ValueError, match="holds numbers of type BF16: write them as float32"):
        load_torch(Sequential(Linear(1, 1, bias=False)), tmp_path / "x")


def test_float32_weights_go_into_a_float64_model(tmp_path):
    save_file({"weight": np.float32([[0.1, 0.2]]), "bias": np.float32([3])}, tmp_path / "x")
    layer = Linear(2, 1)
    load_torch(layer, tmp_path / "x")
    assert layer.weight.dtype == np.float64
    assert layer.weight.data.tolist() == [[float(np.float32(0.1))], [float(np.float32(0.2))]]
