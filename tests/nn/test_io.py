"""Models in files: what is saved comes back, and what was not saved by us is refused."""

import errno
import json
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import Linear, Module, Sequential, Standardize, load, save
from nn.architecture import DEEPEST, KINDS

pytest.importorskip("safetensors", reason="models are saved with safetensors")
sys.path.insert(0, str(Path(__file__).parent.parent))
import fuzz_files

X = np.random.default_rng(0).normal(size=(5, 4))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def examples():
    """A model for each kind of layer, with settings that are not the usual ones."""
    rng = np.random.default_rng(0)
    trained = nn.BatchNorm1d(4, eps=1e-3, momentum=0.3)
    trained(X)
    frozen = Linear(4, 2, rng=rng)
    frozen.weight = frozen.weight.data
    layers = {
        "MLP": nn.MLP([4, 3, 2], activation=["gelu", "softmax"], rng=rng),
        "MLP in float32": nn.MLP([4, 3, 2], rng=rng, dtype=np.float32),
        "folded": Linear(4, 2, bias="folded", rng=rng),
        "without bias": Linear(4, 2, bias=False, rng=rng),
        "frozen": frozen,
        "BatchNorm1d": trained,
        "Standardize": Standardize(X * 3 + 1),
        "Standardize of one column": Sequential(nn.Flatten(), Standardize(X.ravel())),
        "LeakyReLU": nn.LeakyReLU(0.3),
        "ELU": nn.ELU(2),
        "GELU": nn.GELU("tanh"),
        "Dropout": nn.Dropout(0.25, rng=0),
        "all": fuzz_files.model(),
    }
    return layers | {name: getattr(nn, name)() for name in ("Identity", "ReLU", "Sigmoid", "SiLU", "Softplus", "Tanh")}


@pytest.mark.parametrize("name", examples())
def test_what_is_saved_comes_back(path, name):
    model = examples()[name]
    save(model, path)
    again = load(path)
    assert fuzz_files.same(again, model)
    assert [(p.name, p.dtype) for p in again.parameters()] == [(p.name, p.dtype) for p in model.parameters()]
    assert not again.training
    np.testing.assert_array_equal(np.asarray(data(again, X)), np.asarray(data(model.eval(), X)))


def data(model, x):
    out = model(x)
    return getattr(out, "data", out)


def test_every_layer_can_be_saved():
    layers = {
        name
        for name in nn.__all__
        if isinstance(item := getattr(nn, name), type) and issubclass(item, Module) and item is not Module
    }
    assert layers == set(KINDS)


def test_what_was_loaded_can_be_trained_and_saved_again(path, tmp_path):
    save(nn.MLP([4, 3, 2], rng=0), path)
    model = load(path)
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    nn.fit(model, X, X[:, :2], optimizer=optimizer, epochs=2, rng=0, progress=False)
    save(model, path)
    assert fuzz_files.same(load(path), model)


def test_numbers_of_the_other_byte_order_come_back(path):
    layer = Linear(2, 3, rng=0, dtype=np.dtype(float).newbyteorder())
    save(layer, path)
    np.testing.assert_array_equal(load(path).weight.data, layer.weight.data)


def test_shared_layers_stay_shared(path):
    layer = Linear(4, 4, rng=0)
    save(Sequential(layer, nn.Residual(layer)), path)
    model = load(path)
    assert model.layers[0] is model.layers[1].layers[0]
    assert len(model.parameters()) == 2


# What cannot be saved -------------------------------------------------------------------------------------------------


class Mine(Module):
    def forward(self, x):
        return x


Mine.__name__ = "Linear"


def tied():
    model = Sequential(Linear(2, 2), Linear(2, 2))
    model.layers[1].weight = model.layers[0].weight
    return model


def endless():
    model = Sequential()
    model.layers.append(model)
    return model


def extended():
    layer = Linear(2, 2)
    layer.mask = np.ones(2)
    return layer


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (Sequential(Linear(1, 1), Mine()), TypeError, r"layers.1 \(Linear\) is no layer of .* np.savez"),
        (Sequential(np.tanh), TypeError, r"layers.0 \(ufunc\) is no layer"),
        (tied(), ValueError, "layers.1.weight is layers.0.weight as well"),
        (endless(), ValueError, "does a part contain itself"),
        (extended(), ValueError, r"the model \(Linear\) has attributes that a Linear has not: mask"),
        (nn.LeakyReLU(float("nan")), ValueError, "negative_slope=nan"),
        (Linear(2, 2, dtype=np.complex128), ValueError, "complex128"),
    ],
)
def test_what_cannot_be_loaded_is_not_saved(path, model, error, message):
    path.write_bytes(b"before")
    with pytest.raises(error, match=message):
        save(model, path)
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_written_as_a_whole_or_stays_as_it_was(path, monkeypatch):
    save(Linear(1, 1, rng=0), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(Linear(9, 9), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_followed_and_the_mode_is_the_usual_one(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere" / "model")
    save(Linear(1, 1, rng=0), path)
    assert path.is_symlink()
    other = tmp_path / "other"
    other.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
    assert isinstance(load(path), Linear)


# What cannot be loaded ------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_or_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load(tmp_path / "model")
    with pytest.raises(FileNotFoundError):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):  # a pipe that nobody writes to would be waited for
        load(tmp_path / "pipe")


def test_a_file_of_somebody_else(path):
    from safetensors.numpy import save_file

    save_file({"0.weight": np.ones((2, 2))}, path)
    with pytest.raises(ValueError, match=r"no model that `save` wrote\. For PyTorch's there is `load_torch`"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Linear"', '"Module"', "layers.0 is a 'Module', which is no layer of this package"),
        ('"Linear"', '"os.system"', "'os.system', which is no layer"),
        ('"folded": false', '"folded": 1', "has folded=1"),
        ('"folded": false', '"folded": false, "init": "f"', "has the settings"),
        ('"p": 0.5', '"p": 1.5', "p=1.5 is the probability"),
        ('"p": 0.5', '"p": Infinity', "p=inf"),
        ('"weight": "w¹"', '"weight": 1', "layers.0.weight is named 1"),
        ('"bias": "b¹"', '"other": "b¹"', "layers.0 has"),
        (', "bias": "b¹"', "", "no place for layers.0.bias"),
        ('"parts": [', '"parts": [{"same": 7}, ', "layers.0 is the same as a part that is not there"),
        ('{"class": "Sequential", ', "[", "describes no model"),
    ],
)
def test_an_architecture_that_save_would_not_write(path, old, new, message):
    save(Sequential(*nn.MLP([2, 1], rng=0).layers, nn.Dropout(0.5)), path)
    rewrite(path, lambda architecture: architecture.replace(old, new))
    with pytest.raises(ValueError, match="describes no model") as error:
        load(path)
    assert message in str(error.value)


def test_layers_that_are_too_deep(path):
    save(Sequential(), path)
    begin, end = '{"class": "Sequential", "settings": {}, "arrays": {}, "parts": [', "]}"
    for depth, well in ((DEEPEST, True), (DEEPEST + 1, False), (20_000, False)):
        rewrite(path, lambda _, depth=depth: begin * (depth + 1) + end * (depth + 1))
        if well:
            assert isinstance(load(path), Sequential)
        else:
            with pytest.raises(ValueError, match="describes no model"):
                load(path)


def rewrite(path, change):
    """Another architecture, with the right checksum."""
    from safetensors.numpy import load_file, save_file

    from nn.io import digest
    from nn.tensors import read_tensors

    architecture = read_tensors(path)[1]["architecture"]
    changed = change(json.dumps(json.loads(architecture), ensure_ascii=False))  # with w¹, not \\u00b9
    tensors = load_file(path)
    save_file(tensors, path, {"nn": "1", "architecture": changed, "sha256": digest(changed, tensors)})


def test_flipped_bits_of_the_weights_are_noticed(path):
    save(Linear(3, 3, rng=0), path)
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="is damaged: what it holds has another checksum"):
        load(path)


def test_mutated_files(tmp_path):
    ends = fuzz_files.fuzz(tmp_path, 240, seed=0)
    assert ends["spoil_bytes", "refused"] > 50
    assert ends["spoil_header", "refused"] > 50
    assert ends["spoil_model", "refused"] > 50
    assert ends["spoil_model", "loaded"] > 0


def test_what_is_given_in_the_wrong_place_or_by_torch_save(tmp_path):
    with pytest.raises(TypeError, match="save takes a model and then a path, and a str is no Module"):
        save("model.safetensors", nn.MLP([2, 1]))
    with pytest.raises(TypeError, match=r"a dict is no Module; of a state_dict write np\.savez"):
        save(nn.MLP([2, 1]).state_dict(), "model.safetensors")
    for begin in (b"PK\x03\x04", b"\x80\x02"):
        (tmp_path / "model.pt").write_bytes(begin + bytes(20))
        with pytest.raises(ValueError, match=r"write again by safetensors\.torch\.save_file"):
            load(tmp_path / "model.pt")


def test_the_state_of_a_model_of_ones_own_in_a_file(tmp_path):
    class Own(Module):
        def __init__(self, rng):
            self.parts = {"a": Linear(2, 3, rng=rng), "b": nn.BatchNorm1d(3)}

    model, again = Own(0), Own(1)
    np.savez(tmp_path / "own.npz", **model.state_dict())
    with np.load(tmp_path / "own.npz") as saved:
        again.load_state_dict(saved)
    np.testing.assert_array_equal(again.parts["a"].weight.data, model.parts["a"].weight.data)
