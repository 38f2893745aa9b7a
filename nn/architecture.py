"""A model's architecture as JSON, and back. Nothing but the classes in `KINDS` is ever built.

    {"class": "Linear", "settings": {"folded": false}, "arrays": {"weight": "w¹", "bias": "b¹"}}

An array has the name of its variable in drawings, or null if it is not trained; its numbers, shape and dtype are stored
elsewhere, under its dotted name. Layers that hold others have "parts", a list. A layer that is met again is
`{"same": k}`, where k counts those that are complete by then.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient

from .activations import ELU, GELU, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .aliases import Array
from .data import Standardize
from .dropout import Dropout
from .layers import MLP, Flatten, Linear, Residual, Sequential
from .module import Module
from .normalization import BatchNorm1d

DEEPEST = 50
"""How far parts may hold parts."""


def number(x: Any) -> bool:
    """Whether a setting is a finite number."""
    return type(x) in (int, float) and abs(x) <= sys.float_info.max


def flag(x: Any) -> bool:
    """Whether a setting is True or False."""
    return type(x) is bool


def text(x: Any) -> bool:
    """Whether a setting is a text."""
    return type(x) is str


@dataclass(frozen=True)
class Kind:
    """How layers of a class are written down, and made again."""

    cls: type[Module]

    make: Callable[..., Module]
    """From the parts and the settings, by the class's own constructor, which checks them. The arrays come after."""

    settings: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    """The attributes that are settings, and what they have to be."""

    arrays: Mapping[str, str] = field(default_factory=dict)
    """The attributes that are arrays, and a letter for each axis: equal letters, equal lengths. "*" is any shape."""

    optional: frozenset[str] = frozenset()
    """Those that may be None."""

    holds_parts: bool = False
    """Whether its attribute `layers` is a list of parts."""


def of_layers(cls: type[Sequential]) -> Kind:
    """A kind of Sequential, whose own constructor may make its layers rather than take them."""

    def make(*layers: Module) -> Sequential:
        model = cls.__new__(cls)
        Sequential.__init__(model, *layers)
        return model

    return Kind(cls, make, holds_parts=True)


def linear(folded: bool) -> Linear:
    """A Linear whose arrays are to come."""
    return Linear(1, 1, "folded" if folded else True)


KINDS: dict[str, Kind] = {
    kind.cls.__name__: kind
    for kind in [
        *(Kind(cls, cls) for cls in (Flatten, Identity, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh)),
        Kind(LeakyReLU, LeakyReLU, {"negative_slope": number}),
        Kind(ELU, ELU, {"alpha": number}),
        Kind(GELU, GELU, {"approximate": text}),
        Kind(Dropout, Dropout, {"p": number}),
        Kind(Linear, linear, {"folded": flag}, {"weight": "io", "bias": "o"}, optional=frozenset(["bias"])),
        Kind(
            BatchNorm1d,
            lambda **settings: BatchNorm1d(1, **settings),
            {"eps": number, "momentum": number},
            dict.fromkeys(("weight", "bias", "running_mean", "running_var"), "f"),
        ),
        Kind(Standardize, lambda: Standardize([0.0]), arrays={"mean": "*", "scale": "*"}),
        *(of_layers(cls) for cls in (Sequential, MLP, Residual)),
    ]
}


class Writer:
    """Describes the parts of a model, and collects their arrays by dotted name."""

    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}
        self.names: dict[int, str] = {}
        self.complete: dict[int, int] = {}

    def describe(self, module: Any, place: str = "", depth: int = 0) -> dict[str, Any]:
        """A part, which stands at `place` in the model."""
        name = type(module).__name__
        kind, here = KINDS.get(name), f"{place or 'the model'} ({name})"
        if kind is None or kind.cls is not type(module):
            raise TypeError(
                f"{here} is no layer of this package, and `load` could not build it: write np.savez(path, "
                "**model.state_dict()), and load_state_dict(np.load(path)) of a model that you have built"
            )
        if depth > DEEPEST:
            raise ValueError(f"{here} is within {DEEPEST} others: does a part contain itself?")
        if id(module) in self.complete:
            return {"same": self.complete[id(module)]}
        strange = vars(module).keys() - {"training", "rng", "layers", *kind.settings, *kind.arrays}
        if strange:
            raise ValueError(f"{here} has attributes that a {name} has not: {', '.join(sorted(strange))}")
        found: dict[str, Any] = {
            "class": name,
            "settings": {key: plain(getattr(module, key)) for key in kind.settings},
            "arrays": {key: self.array(getattr(module, key), joined(place, key)) for key in present(module, kind)},
        }
        if kind.holds_parts:
            parts = enumerate(vars(module)["layers"])
            found["parts"] = [self.describe(part, joined(place, f"layers.{k}"), depth + 1) for k, part in parts]
        self.complete[id(module)] = len(self.complete)
        return found

    def array(self, item: Any, name: str) -> str | None:
        """Keep the numbers; the name of a variable, or None."""
        if id(item) in self.names:
            raise ValueError(f"{name} is {self.names[id(item)]} as well: a layer may be shared, a mere array may not")
        self.names[id(item)] = name
        numbers = np.asarray(stop_gradient(item))
        self.tensors[name] = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)  # as it will be read
        return (item.name or name.rpartition(".")[2]) if isinstance(item, Value) else None


def present(module: Module, kind: Kind) -> list[str]:
    """The arrays that are not None."""
    return [key for key in kind.arrays if getattr(module, key) is not None]


class Reader:
    """Builds the parts of a model from their description and the arrays."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self.tensors = dict(tensors)
        self.complete: list[Module] = []

    def model(self, found: Any) -> Module:
        """The whole model, or a ValueError."""
        module = self.build(found, "", 0)
        check(not self.tensors, "the model", f"has no place for {', '.join(sorted(self.tensors))}")
        return module

    def build(self, found: Any, place: str, depth: int) -> Module:
        """A part, which stands at `place` in the model."""
        check(isinstance(found, dict) and depth <= DEEPEST, place, "is not described")
        if found.keys() == {"same"}:
            k = found["same"]
            check(type(k) is int and 0 <= k < len(self.complete), place, "is the same as a part that is not there")
            same: Module = self.complete[k]
            return same
        kind = KINDS.get(str(found.get("class")))
        if kind is None:
            raise ValueError(f"{place or 'the model'} is a {found.get('class')!r}, which is no layer of this package")
        parts = [("parts", list)] if kind.holds_parts else []
        for key, type_ in [("settings", dict), ("arrays", dict), *parts]:
            check(isinstance(found.get(key), type_), place, f"has no {key}")
        check(len(found) == 3 + len(parts), place, f"has {', '.join(sorted(found))}, some of which mean nothing")
        settings = found["settings"]
        check(settings.keys() == kind.settings.keys(), place, f"has the settings {sorted(settings)}")
        for key, fits in kind.settings.items():
            check(fits(settings[key]), place, f"has {key}={settings[key]!r}")
        layers = enumerate(found.get("parts", ()))
        made = [self.build(part, joined(place, f"layers.{k}"), depth + 1) for k, part in layers]
        module = kind.make(*made, **settings)
        self.fill(module, kind, found["arrays"], place)
        self.complete.append(module)
        return module

    def fill(self, module: Module, kind: Kind, names: dict[str, Any], place: str) -> None:
        """Give a part its arrays, if they are there and their shapes fit."""
        check(kind.arrays.keys() - kind.optional <= names.keys() <= kind.arrays.keys(), place, f"has {sorted(names)}")
        for key in kind.arrays.keys() - names.keys():
            setattr(module, key, None)
        lengths: dict[str, Any] = {}
        for key, name in names.items():
            array = self.tensors.pop(joined(place, key), None)
            here = joined(place, key)
            if array is None:
                raise ValueError(f"{here} is not among the arrays")
            check(name is None or isinstance(name, str), here, f"is named {name!r}")
            check(array.dtype.kind in "fc", here, f"is of dtype {array.dtype}, which is no layer's")
            axes, letters = (array.shape, kind.arrays[key]) if kind.arrays[key] != "*" else ([array.shape], "*")
            fits = len(axes) == len(letters) and array.size > 0
            fits = fits and all(lengths.setdefault(letter, n) == n for letter, n in zip(letters, axes, strict=True))
            check(fits, here, f"has the shape {array.shape}, which does not fit")
            setattr(module, key, array if name is None else Value(array, name=name))


def plain(setting: Any) -> Any:
    """A number of Python's for one of NumPy's."""
    return setting.item() if isinstance(setting, np.generic) else setting


def joined(place: str, key: str) -> str:
    """A dotted name."""
    return f"{place}.{key}" if place else key


def check(holds: bool, place: str, what: str) -> None:
    """A ValueError unless it holds."""
    if not holds:
        raise ValueError(f"{place or 'the model'} {what}")
