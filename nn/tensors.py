"""Files of arrays in the format safetensors: a header in JSON, then plain numbers. Reading one executes nothing."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .aliases import Array
from .extras import require

FilePath = str | os.PathLike[str]

DTYPES = frozenset(["BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "F16", "F32", "F64", "C64"])
"""The format's element types that NumPy has. (It has no complex128.)"""


def write_tensors(path: FilePath, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write arrays and some text into a file, which is then there as a whole, or as it was before.

    Raises
    ------
    ValueError
        If the format has no such dtype.
    OSError
        If it cannot be written.
    """
    numpy, error = require("safetensors.numpy", extra="files"), require("safetensors", extra="files").SafetensorError
    try:
        data = numpy.save({name: np.asarray(array, order="C") for name, array in tensors.items()}, dict(metadata))
    except (error, KeyError) as reason:
        dtypes = ", ".join(sorted({str(array.dtype) for array in tensors.values()}))
        raise ValueError(f"{path}: safetensors cannot hold arrays of dtype {dtypes} ({reason})") from reason
    write_whole(path, data)


def write_whole(path: FilePath, data: bytes) -> None:
    """Write a file beside its place and move it there when it is complete and on the disk."""
    path = Path(os.path.realpath(path))
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_tensors(path: FilePath) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the text in a file. Its length bounds what is allocated: the header has to agree with it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not of this format, is damaged or cut off, or holds a dtype that NumPy has not.
    """
    path = Path(path)
    if not path.is_file():  # nor is it a pipe, which might never end
        raise FileNotFoundError(f"{path}: there is no such file")
    safetensors = require("safetensors", extra="files")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            foreign = sorted({file.get_slice(name).get_dtype() for name in file.keys()} - DTYPES)  # noqa: SIM118
            if foreign:
                raise ValueError(f"{path} holds numbers of type {', '.join(foreign)}: write them as float32 instead")
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except safetensors.SafetensorError as error:
        with path.open("rb") as file:
            pickled = file.read(2) in (b"PK", b"\x80\x02")
        hint = "; what torch.save wrote, write again by safetensors.torch.save_file(model.state_dict(), path)"
        raise ValueError(f"{path}: no safetensors file, or damaged: {error}{hint * pickled}") from error
