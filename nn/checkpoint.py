"""Checkpoints: directories that are there as a whole or not at all, whenever the power fails.

A checkpoint is written beside the one before it, forced to the disk, and only then given its name; renaming is one
atomic act of the file system. So at every moment the newest `checkpoint-…` is complete. It is two files: `state.json`,
and `arrays.safetensors` with the arrays that the former refers to. Nothing in them is ever executed.
"""

import hashlib
import json
import os
import platform
import shutil
import warnings
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from .aliases import Array
from .extras import require

FORMAT = 3


class Keeper:
    """Keeps the newest checkpoint of one training in a directory.

    Parameters
    ----------
    directory
        Where; it is made if need be.
    settings
        What the training is: data, model and settings by name, as texts and numbers. Another training's checkpoint is
        refused.
    """

    def __init__(self, directory: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.directory = Path(directory)
        self.settings = json.loads(
            json.dumps(settings, default=lambda x: np.asarray(x).tolist())
        )  # as `load` reads them
        self.environment = environment()
        self.then: dict[str, Any] = {}
        """The environment of the checkpoint that was loaded."""
        require("safetensors.numpy", extra="files")

    def load(self) -> dict[str, Any] | None:
        """What the newest checkpoint holds, or None if there is none.

        Raises
        ------
        ValueError
            If it is damaged, or another training's; the message lists what differs.
        """
        written = self.written()
        if not written:
            return None
        found = read(newest := written[-1])
        wrong = differences(found["settings"], self.settings)
        if wrong:
            raise ValueError(
                f"{newest} is the checkpoint of another training:\n  "
                + "\n  ".join(wrong)
                + "\nCall fit as it was called then, or give another directory"
            )
        self.then = found["environment"]
        state: dict[str, Any] = found["state"]
        return state

    def written(self) -> list[Path]:
        """The checkpoints, the newest last; what somebody has put beside them under other names is left alone."""
        numbers = {path: path.name.partition("-")[2] for path in self.directory.glob("checkpoint-*")}
        return sorted((path for path in numbers if numbers[path].isdecimal()), key=lambda path: int(numbers[path]))

    def announce(self, executor: str) -> None:
        """Say how the training goes on: what computes from here on is noted, and compared with what was loaded.

        Warns
        -----
        UserWarning
            If the checkpoint comes from another machine, other versions or another executor: what differs is listed.
        """
        self.environment["executor"] = executor
        changed = differences(self.then, self.environment) if self.then else []
        if changed:
            warnings.warn(
                "the training goes on, but not to the same last bit as it would have:\n  " + "\n  ".join(changed),
                stacklevel=3,
            )

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint and remove the one before it.

        Raises
        ------
        OSError
            If it cannot be written. The one before it is then as it was.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        old = self.written()
        number = int(old[-1].name.partition("-")[2]) + 1 if old else 1
        unfinished = self.directory / f"unfinished-{number:06d}"
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            content = {"format": FORMAT, "environment": self.environment, "settings": self.settings, "state": state}
            write(unfinished, content)
            unfinished.rename(self.directory / f"checkpoint-{number:06d}")
            flush(self.directory)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for path in old:
            shutil.rmtree(path, ignore_errors=True)

    def try_to_save(self, state: Mapping[str, Any], executor: str = "eager") -> None:
        """Write a checkpoint of what this executor computed; if that fails, warn, and let the training go on."""
        self.environment["executor"] = executor
        try:
            self.save(state)
        except OSError as error:
            warnings.warn(
                f"no checkpoint was written: {error}. The one before it is kept, and the training goes on",
                RuntimeWarning,
                stacklevel=3,
            )


# Files ----------------------------------------------------------------------------------------------------------------


def write(folder: Path, content: Mapping[str, Any]) -> None:
    """Write both files into a folder, and force them to the disk."""
    arrays: dict[str, Array] = {}
    packed = pack(content, arrays, "")
    data = require("safetensors.numpy", extra="files").save(arrays)
    packed["digest"] = digest(packed, data)
    for name, text in (("arrays.safetensors", data), ("state.json", json.dumps(packed, indent=1).encode())):
        with open(folder / name, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    flush(folder)


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote, or a ValueError."""
    try:
        content = json.loads((folder / "state.json").read_bytes())
        data = (folder / "arrays.safetensors").read_bytes()
        intact = content.pop("digest") == digest(content, data) and content["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder} is no checkpoint, or damaged: {error}") from error
    if not intact:
        raise ValueError(f"{folder} is damaged, or of another version: its files do not belong together")
    arrays = require("safetensors.numpy", extra="files").load(data)
    found: dict[str, Any] = unpack(content, arrays)
    return found


def digest(packed: dict[str, Any], data: bytes) -> str:
    """A checksum of what is in both files."""
    return hashlib.blake2b(json.dumps(packed).encode() + data).hexdigest()


def flush(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def pack(item: Any, arrays: dict[str, Array], name: str) -> Any:
    """Something as JSON has it; arrays are put aside under the name of their place."""
    if isinstance(item, Mapping) and all(type(key) is str for key in item):
        return {key: pack(member, arrays, f"{name}/{key}") for key, member in item.items()}
    if isinstance(item, (list, tuple)):
        return [pack(member, arrays, f"{name}/{k}") for k, member in enumerate(item)]
    if isinstance(item, np.ndarray):
        kind = item.dtype
        arrays[name] = np.array([item.real, item.imag]) if kind.kind == "c" else np.ascontiguousarray(item)
        return {"array": name, "shape": list(item.shape), "complex": kind.kind == "c"}
    if isinstance(item, np.generic):
        return pack(item.item(), arrays, name)
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    raise TypeError(f"a checkpoint holds numbers, texts, arrays, and lists and dicts of them; {name} is {type(item)}")


def unpack(item: Any, arrays: Mapping[str, Array]) -> Any:
    """What `pack` packed; tuples come back as lists."""
    if isinstance(item, list):
        return [unpack(member, arrays) for member in item]
    if not isinstance(item, dict):
        return item
    if item.keys() == {"array", "shape", "complex"}:
        array = arrays[item["array"]]
        return (array[0] + 1j * array[1] if item["complex"] else array).reshape(item["shape"])
    return {key: unpack(member, arrays) for key, member in item.items()}


# What a run depends on ------------------------------------------------------------------------------------------------


def environment() -> dict[str, Any]:
    """What decides about the last bit, beside the data and the settings."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "executor": "eager",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "autograd-core": version("autograd-core"),
        "BLAS": f"{blas.get('name')} {blas.get('version')}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS"),
    }


def version(package: str) -> str:
    """The version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {names[0] if names else platform.processor()}"


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not the same, a line each."""
    return [
        f"{name}: {then.get(name, 'nothing')} then, {now.get(name, 'nothing')} now"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
