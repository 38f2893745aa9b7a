"""What the steps of a training change, as lists of arrays: handed to a compiled program, and put back after it."""

import operator
from collections import deque
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from autograd_core import Value

from .aliases import Array
from .feed import fingerprint
from .module import Module, walk

LARGE = MANY = 10_000
"""Arrays of more numbers than that are compared by their identity; and so is what is met after so many things."""

LIBRARIES = ("nn", "autograd_core", "numpy", "scipy", "builtins")


class UnfitError(TypeError):
    """A training that cannot be compiled, and why."""


class State:
    """The parameters, the arrays in the modules, and the optimizer's memory of a run.

    Attributes
    ----------
    leaves
        The variables of the model, and those of the optimizer that are not in it.
    slots
        Where the arrays in the modules are: what holds each, and its name there. A layer may put a new array in place
        of the old one, such as a running mean.
    members
        The optimizer's parameters, each with its memory.
    """

    def __init__(self, run: Any) -> None:
        self.run = run
        found = list(walk(run.model))
        values = [item for _, item, _, _ in found if isinstance(item, Value)]
        self.leaves: list[Value] = list(dict.fromkeys([*values, *run.optimizer.parameters]))
        self.slots = [(holder, place) for _, item, holder, place in found if isinstance(item, np.ndarray)]
        self.members = run.optimizer.every_member()
        self.generators = list({id(g): g for g in run.generators()}.values())
        for p in self.leaves:
            if type(p.data) is not np.ndarray or p.dtype not in (np.float64, np.float32):
                kind = p.dtype if isinstance(p.data, np.ndarray) else type(p.data).__name__
                raise UnfitError(f"its parameters have to be arrays of float64 or float32, and one is {kind}")
        if any(isinstance(holder, tuple) for holder, _ in self.slots):
            raise UnfitError("an array of its modules is in a tuple, where no other can take its place")

    def buffers(self) -> list[Array]:
        """The arrays in the modules."""
        return [holder[place] for holder, place in self.slots]

    def memories(self) -> list[dict[str, Array]]:
        """The arrays in the optimizer's memory."""
        return [{k: x for k, x in memory.items() if isinstance(x, np.ndarray)} for _, memory, *_ in self.members]

    def arrays(self) -> tuple[list[Array], list[dict[str, Array]], list[Array]]:
        """All of it: what a program takes, and returns as it is after some steps."""
        return [p.data for p in self.leaves], self.memories(), self.buffers()

    def put(self, new: Any, others: list[tuple[Any, Any, Any]]) -> None:
        """Take over what a program returned, and other items (holder, key, item) along with it.

        All of it is one call into C, so that Ctrl-C comes before it or after it.
        """
        leaves, memories, buffers = new
        items = [(p.data, ..., array) for p, array in zip(self.leaves, leaves, strict=True)]
        for old, memory in zip(self.memories(), memories, strict=True):
            items += [(old[name], ..., array) for name, array in memory.items()]
        items += [(*slot, array) for slot, array in zip(self.slots, buffers, strict=True)]
        deque(map(operator.setitem, *zip(*items, *others, strict=False)), maxlen=0)
        for p in self.leaves:
            p.data = p.data  # so that a graph from before it is noticed to be out of date
            p.grad = None

    # Going back -------------------------------------------------------------------------------------------------------

    def plan_of(self) -> dict[str, Any]:
        """What planning the steps ahead changes: random states, settings and schedules."""
        return {
            "random": [generator.bit_generator.state for generator in self.generators],
            "groups": [dict(group) for group in self.run.optimizer.param_groups],
            "schedules": [schedule.state_dict() for schedule in self.run.schedules],
        }

    def undo_plan(self, saved: dict[str, Any]) -> None:
        """Go back to what `plan_of` gave."""
        for generator, state in zip(self.generators, saved["random"], strict=True):
            generator.bit_generator.state = state
        for schedule, state in zip(self.run.schedules, saved["schedules"], strict=True):
            schedule.load_state_dict(state)
        for group, settings in zip(self.run.optimizer.param_groups, saved["groups"], strict=True):
            group.update(settings)

    COUNTS = ("batch", "steps", "weight", "samples", "sums", "squares", "good", "good_step")

    def save(self) -> dict[str, Any]:
        """A copy of everything that a step changes."""
        return {
            "leaves": [p.data.copy() for p in self.leaves],
            "memories": [{k: np.array(x) if isinstance(x, np.ndarray) else x for k, x in memory.items()}
                         for _, memory, *_ in self.members],
            "buffers": [(array, array.copy()) for array in self.buffers()],
            "counts": {name: copied(getattr(self.run, name)) for name in self.COUNTS},
            "plan": self.plan_of(),
        }  # fmt: skip

    def restore(self, saved: dict[str, Any]) -> None:
        """Go back to what `save` gave, in the same arrays."""
        for p, array in zip(self.leaves, saved["leaves"], strict=True):
            p.data[...] = array
            p.data, p.grad = p.data, None
        for (_, memory, *_), old in zip(self.members, saved["memories"], strict=True):
            memory.clear()
            memory.update(old)
        for (holder, place), (array, content) in zip(self.slots, saved["buffers"], strict=True):
            array[...] = content
            holder[place] = array
        for name, count in saved["counts"].items():
            setattr(self.run, name, copied(count))
        self.undo_plan(saved["plan"])

    def begin_memory(self, later: dict[str, Any]) -> None:
        """What the optimizer remembers at the time of a later copy, and has not begun to: arrays of zeros, no steps."""
        for (_, memory, *_), others in zip(self.members, later["memories"], strict=True):
            for name, item in others.items():
                memory.setdefault(name, np.zeros_like(item) if isinstance(item, np.ndarray) else 0)

    def agrees(self, new: Any, before: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Whether what a program returned has changed as it should have, but for rounding."""
        leaves, memories, buffers = new
        pairs = [("", *arrays) for arrays in zip(leaves, before["leaves"], wanted["leaves"], strict=True)]
        for found, old, right in zip(memories, before["memories"], wanted["memories"], strict=True):
            pairs += [(name, found[name], old.get(name, 0.0), right[name]) for name in found]
        olds, rights = ([content for _, content in copy["buffers"]] for copy in (before, wanted))
        pairs += [("buffers", *arrays) for arrays in zip(buffers, olds, rights, strict=True)]
        return all(close([arrays for kind, *arrays in pairs if kind == name]) for name in {kind for kind, *_ in pairs})

    def farthest(self, new: Any, before: dict[str, Any], wanted: dict[str, Any]) -> str:
        """The name of the parameter whose change is, in proportion, the least like what it should be."""
        names: dict[int, str] = {id(p): name for name, p in self.run.model.named_parameters()}
        changes = zip(new[0], before["leaves"], wanted["leaves"], strict=True)
        off = [np.linalg.norm(found - right) / (np.linalg.norm(right - old) or 1.0) for found, old, right in changes]
        return names.get(id(self.leaves[int(np.argmax(off))]), "one that is not the model's")


def close(arrays: list[Any]) -> bool:
    """‖found - right‖ ≤ √ε ‖right - old‖ + 100 ε ‖right‖, of all arrays (found, old, right) together: the gradient of
    a single one may be nothing but rounding."""
    eps = max(float(np.finfo(right.dtype).eps) if right.dtype.kind == "f" else 0.0 for *_, right in arrays)
    off_by = partial(np.subtract, dtype=float)  # bools have no difference, and that of bytes is a byte
    parts = [(off_by(found, right), off_by(right, old), right) for found, old, right in arrays]
    off, change, size = (np.sqrt(sum(np.sum(np.square(x, dtype=float)) for x in c)) for c in zip(*parts, strict=True))
    return bool(off <= np.sqrt(eps) * change + 100 * eps * size)


def copied(x: Any) -> Any:
    """A list of its own."""
    return list(x) if isinstance(x, list) else x


# Structure ------------------------------------------------------------------------------------------------------------


def structure(model: Module, *things: Any) -> Any:
    """What a model, and what it is trained by, are, but for the numbers in the model's arrays, to compare and to hash.

    Modules and dataclasses are the same if their classes and settings are, and what is in them; functions and other
    objects if they are the same object, and what they find around them and in themselves is what it was: numbers,
    texts, arrays, and whatever holds such. Of what occurs again, the place where it was met first counts.
    """
    seen: dict[int, int] = {}

    def key(x: Any, known: bool = False) -> Any:
        if x is None or isinstance(x, (bool, int, float, complex, str, bytes, np.dtype, np.generic)):
            return type(x), x
        if id(x) in seen:
            return "again", seen[id(x)]
        seen[id(x)] = len(seen)
        if isinstance(x, Value) or (known and isinstance(x, np.ndarray)):
            return type(x), x.dtype, x.shape
        if isinstance(x, np.ndarray):
            return fingerprint(x) if x.size <= LARGE and x.dtype.kind in "biufc" else (id(x), x.dtype, x.shape)
        if isinstance(x, Module):
            return type(x), around(x), *[(name, key(item, known)) for name, item in vars(x).items()]
        if is_dataclass(x) and not isinstance(x, type):
            return type(x), around(x), *[(field.name, key(getattr(x, field.name))) for field in fields(x)]
        if isinstance(x, (list, tuple)):
            return type(x), *[key(item, known) for item in x]
        if isinstance(x, dict):
            return dict, *[(key(name), key(item, known)) for name, item in x.items()]
        if isinstance(x, np.random.Generator):
            return np.random.Generator
        if isinstance(x, MethodType):
            return key(x.__func__), key(x.__self__)
        if isinstance(x, partial):
            return key(x.func), key(x.args), key(x.keywords)
        try:
            found = ref(x)
            hash(found)
        except TypeError:
            return type(x), id(x)
        if isinstance(x, (type, ModuleType)) or len(seen) > MANY:
            return found
        inside = [(name, key(item)) for name, item in getattr(x, "__dict__", {}).items()]
        return found, around(x), *inside

    def around(x: Any) -> Any:
        """What a function finds around it, or the methods of an object."""
        if isinstance(x, FunctionType):
            return tuple([(name, key(item)) for name, item in surroundings(x).items()])
        own = [vars(cls).values() for cls in type(x).__mro__ if not of_library(cls)]
        return tuple([key(method) for methods in own for method in methods if isinstance(method, FunctionType)])

    return key(model, known=True), *map(key, things)


def of_library(x: Any) -> bool:
    """Whether a class or function is of a library, and not of who trains."""
    return (x.__module__ or "").partition(".")[0] in LIBRARIES


def surroundings(function: FunctionType) -> dict[str, Any]:
    """What a function uses beside its arguments: globals, variables of functions around it, and defaults. Of those of
    libraries nothing: what they find does not change."""
    if of_library(function):
        return {}
    found = {name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # of a variable that has no content yet
            found[name] = cell.cell_contents
    return found | {"defaults": function.__defaults__, "settings": function.__kwdefaults__}
