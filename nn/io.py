"""Models in files: the arrays as safetensors, and the architecture as JSON in the file's metadata.

A file is data and stays data: reading one executes nothing that is in it, see `architecture.py`.
"""

import hashlib
import json
from collections.abc import Mapping

from .aliases import Array
from .architecture import Reader, Writer
from .module import Module
from .tensors import FilePath, read_tensors, write_tensors

FORMAT = "1"
"""The version of what is written."""


def save(model: Module, path: FilePath) -> None:
    """Write a model into a file, as a whole or not at all: its layers, their settings and their arrays.

    Raises
    ------
    TypeError
        If it is no model, or has parts of other classes than this package's, which `load` could not build.
    ValueError
        If a part has attributes that its class has not, or shares an array with another.
    ImportError
        If safetensors is not installed (extra `files`).

    >>> import tempfile
    >>> from nn import MLP
    >>> model = MLP([2, 3, 1], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/xor.safetensors")
    ...     again = load(f"{folder}/xor.safetensors")
    >>> np.array_equal(again(np.eye(2)).data, model(np.eye(2)).data)
    True
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"save takes a model and then a path, and a {type(model).__name__} is no Module; of a state_dict write "
            "np.savez(path, **state)"
        )
    writer = Writer()
    described = writer.describe(model)
    Reader(writer.tensors).model(described)  # what is written can be read
    architecture = json.dumps(described)
    checksum = digest(architecture, writer.tensors)
    write_tensors(path, writer.tensors, {"nn": FORMAT, "architecture": architecture, "sha256": checksum})


def load(path: FilePath) -> Module:
    """The model in a file that `save` wrote, in `eval` mode. What is random in a layer (`Dropout`) begins anew.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or cut off, or says something else than `save` would.
    ImportError
        If safetensors is not installed (extra `files`).
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("nn") != FORMAT or not {"architecture", "sha256"} <= metadata.keys():
        raise ValueError(f"{path} holds arrays, but no model that `save` wrote. For PyTorch's there is `load_torch`")
    if digest(metadata["architecture"], tensors) != metadata["sha256"]:
        raise ValueError(f"{path} is damaged: what it holds has another checksum than what was written")
    try:
        return Reader(tensors).model(json.loads(metadata["architecture"])).eval()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} describes no model: {error}") from error


def digest(architecture: str, tensors: Mapping[str, Array]) -> str:
    """A checksum of all that makes a model."""
    sha = hashlib.sha256(architecture.encode())
    for name, array in sorted(tensors.items()):
        sha.update(repr((name, array.dtype.str, array.shape)).encode())
        sha.update(array.tobytes())
    return sha.hexdigest()
