"""PyTorch's weights, in and out through safetensors. PyTorch itself is not needed.

There, `safetensors.torch.save_file(model.state_dict(), path)` writes, and
`model.load_state_dict(safetensors.torch.load_file(path))` reads. The names are those of `torch.nn`:

=======================  ======================================  =====================================================
here                     in PyTorch                              stored
=======================  ======================================  =====================================================
`Linear`                 `Linear`                                `weight` of shape (n_out, n_in), transposed; `bias`
`BatchNorm1d`            `BatchNorm1d`                           `weight`, `bias`, `running_mean`, `running_var`, and
                                                                 `num_batches_tracked`, which is 0 here
`Sequential`, `MLP`      `Sequential`                            its layers under 0, 1, ...
a Module of yours        a Module with the same attributes       its attributes that are Modules, under their names
a list, a dict of these  `ModuleList`, `ModuleDict`              what is in it, under 0, 1, ..., or the keys
others without arrays    the same                                nothing
=======================  ======================================  =====================================================
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .aliases import Array
from .architecture import joined
from .layers import MLP, Linear, Sequential
from .module import Module, named_members
from .normalization import BatchNorm1d
from .tensors import FilePath, read_tensors, write_tensors


def save_torch(model: Module, path: FilePath) -> None:
    """Write the weights of a model as the PyTorch model of the same layers names them.

    Raises
    ------
    TypeError
        If a part has arrays that PyTorch has no layer for.
    ImportError
        If safetensors is not installed (extra `files`).
    """
    write_tensors(path, stored(model), {"format": "pt"})


def load_torch(model: Module, path: FilePath) -> None:
    """Copy PyTorch's weights into a model of the same layers, each parameter of which keeps its dtype.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or does not fit: all that is missing, unexpected or of another shape is listed, and nothing
        is loaded then.
    TypeError, ImportError
        As for `save_torch`.
    """
    saved, _ = read_tensors(path)
    expected = stored(model)
    wrong = [f"{name}: missing from the file" for name in expected.keys() - saved.keys()]
    wrong += [f"{name}: in the file, but no layer here has it" for name in saved.keys() - expected.keys()]
    wrong += [
        f"{name}: of shape {saved[name].shape} in the file, while the layer here takes {expected[name].shape}"
        for name in saved.keys() & expected.keys()
        if saved[name].shape != expected[name].shape
    ]
    if wrong:
        listed = "\n  ".join(sorted(wrong))
        raise ValueError(f"{path} does not fit this {type(model).__name__}; nothing was loaded:\n  {listed}")
    new: dict[str, Array] = {}
    for ours, theirs, layer in layers(model):
        arrays = {key: saved[joined(theirs, key)] for key in written(layer)}
        new |= {joined(ours, key): array for key, array in read(layer, arrays).items()}
    own = model.state_dict()
    model.load_state_dict({name: new[name] for name in own})


def stored(model: Module) -> dict[str, Array]:
    """The state dict of the PyTorch model."""
    found = {joined(theirs, key): a for _, theirs, layer in layers(model) for key, a in written(layer).items()}
    ours = {joined(ours, key) for ours, _, layer in layers(model) for key in layer.state_dict()}
    foreign = [name for name in model.state_dict() if name not in ours]
    if foreign:
        raise TypeError(f"PyTorch has no layer that holds {', '.join(foreign)} of this {type(model).__name__}")
    return found


def layers(module: Any, ours: str = "", theirs: str = "") -> Iterator[tuple[str, str, Any]]:
    """The layers that have arrays, with their names here and in PyTorch."""
    if isinstance(module, (Linear, BatchNorm1d)):
        yield ours, theirs, module
    elif type(module) in (Sequential, MLP):
        for k, layer in enumerate(module.layers):
            yield from layers(layer, joined(ours, f"layers.{k}"), joined(theirs, str(k)))
    elif isinstance(module, (Module, list, tuple, dict)) and not isinstance(module, Sequential):
        for name, part in named_members(module):
            yield from layers(part, joined(ours, str(name)), joined(theirs, str(name)))


def written(layer: Any) -> dict[str, Array]:
    """A layer's arrays as PyTorch has them."""
    arrays: dict[str, Array] = layer.state_dict()
    if isinstance(layer, BatchNorm1d):
        return arrays | {"num_batches_tracked": np.array(0)}
    weight = arrays["weight"]
    if layer.folded:
        return {"weight": weight[1:].T, "bias": weight[0]}
    return arrays | {"weight": weight.T}


def read(layer: Any, arrays: dict[str, Array]) -> dict[str, Array]:
    """The reverse: PyTorch's arrays as this layer has them."""
    if isinstance(layer, BatchNorm1d):
        return {key: array for key, array in arrays.items() if key != "num_batches_tracked"}
    weight = arrays["weight"].T
    if layer.folded:
        return {"weight": np.concatenate([arrays["bias"][None], weight])}
    return arrays | {"weight": weight}
