"""Optimizers: they change parameters by their gradients. Here is what they share.

An optimizer is a rule, `update`: arithmetic on arrays, which is written once and serves twice. In a step it works in
place, with work arrays for each parameter that are allocated once: a fresh array of the size of a large weight in every
step costs more than the arithmetic, in page faults. While `fit` records a step for the compiler, which plans memory
itself, nothing is written into, and the same lines give new arrays.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import Value

from .aliases import Array
from .module import check_saved, misfits, refuse

LIMITS = {"lr": math.inf, "momentum": math.inf, "weight_decay": math.inf, "eps": math.inf, "alpha": 1.0, "betas": 1.0}
"""Each of these settings is at least 0 and below its limit."""


def check_range(name: str, value: Any) -> None:
    """A ValueError for a setting that is out of its range. A schedule may well bring a rate down to 0."""
    if name in LIMITS and not all(0 <= x < LIMITS[name] for x in np.atleast_1d(value)):
        raise ValueError(f"{name}={value}: it is at least 0, and less than {LIMITS[name]:g}")


class Setting:
    """A setting of an optimizer as an attribute: it reads the first group's, and is assigned to all groups."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        return self if optimizer is None else optimizer.param_groups[0][self.name]

    def __set__(self, optimizer: Any, value: Any) -> None:
        check_range(self.name, value)
        for group in optimizer.param_groups:
            group[self.name] = value


class Misnomer:
    """What others call a setting: an error with its name here, in place of an attribute that nobody would read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        raise AttributeError(f"the setting is called {self.name} here: write optimizer.{self.name}")

    def __set__(self, optimizer: Any, value: Any) -> None:
        self.__get__(optimizer)


class Memory(dict[str, Any]):
    """What an optimizer remembers of one parameter: arrays of its shape and dtype, which begin at 0, and numbers."""

    def __init__(self, like: Array) -> None:
        self.like = like

    def __missing__(self, name: str) -> Array:
        self[name] = np.zeros(self.like.shape, self.like.dtype)
        found: Array = self[name]
        return found


class Optimizer:
    """What all optimizers share: parameters, their settings, the memory of past gradients, and how this is saved.

    Parameters
    ----------
    parameters
        Leaf Values, such as `model.parameters()`. One whose `grad` is None is left as it is by a step. Or a list of
        dicts, the groups: "params" are a group's parameters, and the rest are settings that differ for it, as in
        `[{"params": weights, "weight_decay": 0.1}, {"params": biases}]`.
    lr, settings
        The learning rate, and what else the update is made of, for all groups that do not say otherwise.

    Attributes
    ----------
    param_groups
        The groups as dicts, with all settings, which may be changed at any time. As attributes (`optimizer.lr`) they
        are those of the first group, and are assigned to all.
    parameters
        All parameters, each once.
    """

    lr = Setting()
    learning_rate = Misnomer("lr")
    remembers: tuple[str, ...] = ()
    """What there may be in a parameter's memory: arrays, and "steps", a number, if the rule counts them."""

    def __init__(self, parameters: Iterable[Any], lr: float, **settings: Any) -> None:
        defaults = {"lr": lr} | settings
        self.settings = tuple(defaults)
        self.param_groups = groups(parameters, defaults)
        self.parameters: list[Value] = [p for group in self.param_groups for p in group["params"]]
        if len({*map(id, self.parameters)}) < len(self.parameters):
            raise ValueError("a parameter is in two groups: it belongs to one of them")
        for group in self.param_groups:
            self.check(group)
        self.members = [[with_memory(p) for p in group["params"]] for group in self.param_groups]

    def check(self, group: dict[str, Any]) -> None:
        """A ValueError for a setting that is out of its range."""
        if not 0 < group["lr"] < math.inf:
            raise ValueError(f"lr={group['lr']}: the learning rate is a positive number")
        for name in self.settings:
            check_range(name, group[name])

    def __repr__(self) -> str:
        groups = [", ".join(f"{name}={group[name]!r}" for name in self.settings) for group in self.param_groups]
        return f"{type(self).__name__}({' | '.join(groups)})"

    # A step -----------------------------------------------------------------------------------------------------------

    def numbers(self, group: dict[str, Any], t: int) -> tuple[Any, ...]:
        """What the t-th step of a group is made of, for `update`: numbers, None for a term that is left out, and bools.

        Where the rule counts no steps, t is 0.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: define numbers(self, group, t), and update()")

    def update(
        self, p: Any, g: Any, memory: dict[str, Any], numbers: tuple[Any, ...], work: Any = None, spare: Any = None
    ) -> Any:
        """The rule: the parameter after a step along its gradient g. What it remembers is put into `memory`.

        With two arrays to work in, p and what is in the memory are written into, and g is left as it is.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: define update(), in this form")

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        counts, update = "steps" in self.remembers, self.update
        for group, members in zip(self.param_groups, self.members, strict=True):
            t, numbers = 0, () if counts else self.numbers(group, 0)
            for p, memory, work, spare in members:
                g = p.grad
                if g is None:
                    continue
                if counts:
                    steps = memory["steps"] = memory.get("steps", 0) + 1
                    if steps != t:
                        t, numbers = steps, self.numbers(group, steps)
                data = update(p.data, g, memory, numbers, work, spare)
                p.data = data if type(data) is ndarray else type(p.data)(data)  # a Python float stays one

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next `backward()` does not add to them.

        Without it they accumulate: k small batches, each with its loss divided by k, make one large batch.
        """
        for p in self.parameters:
            p.grad = None

    def every_member(self) -> list[Any]:
        """The parameters of all groups in order, each with its memory and work arrays."""
        return [member for members in self.members for member in members]

    # Saving and loading -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that a step depends on beside parameters and gradients, as copies.

        "groups.0.lr" and the like are the settings, which are numbers, or lists of numbers, and "groups.0.initial_lr"
        is the rate that a schedule began with, if there is one; "parameters.0.velocity" and the like are what is
        remembered of each parameter, in the order of `parameters`: arrays and numbers.
        """
        state: dict[str, Any] = {}
        for k, group in enumerate(self.param_groups):
            for name in (*self.settings, *{"initial_lr"} & group.keys()):
                state[f"groups.{k}.{name}"] = np.asarray(group[name]).tolist()
        for k, (_, memory, *_) in enumerate(self.every_member()):
            for name, item in memory.items():
                state[f"parameters.{k}.{name}"] = np.array(item) if isinstance(item, np.ndarray) else item
        return state

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved: the next steps are then, bit for bit, those that would have followed.

        Raises
        ------
        TypeError
            If it is no dict.
        ValueError
            If it is that of another kind of optimizer, or of other parameters. All that is wrong is listed, and nothing
            is loaded then.

        >>> from nn import SGD
        >>> SGD([Value([1.0, 2.0])], lr=0.1).load_state_dict(SGD([Value(1.0)], lr=0.1, momentum=0.9).state_dict())
        >>> SGD([Value([1.0, 2.0])], lr=0.1).load_state_dict({"groups.0.lr": 0.1})
        Traceback (most recent call last):
            ...
        ValueError: the saved state does not fit this SGD; nothing was loaded:
          groups.0.momentum: missing from the saved state
          groups.0.nesterov: missing from the saved state
          groups.0.weight_decay: missing from the saved state
        """
        check_saved(saved)
        memories = {f"parameters.{k}": Memory(work) for k, (_, _, work, _) in enumerate(self.every_member())}
        own = {f"groups.{k}.{name}": group for k, group in enumerate(self.param_groups) for name in self.settings}
        wrong = [f"{name}: missing from the saved state" for name in own if name not in saved]
        begun = {f"groups.{k}.initial_lr": group for k, group in enumerate(self.param_groups)}
        own |= {name: group for name, group in begun.items() if name in saved}
        for name, item in saved.items():
            if name in own:
                wrong += unlike(name, item, own[name].get(name.rpartition(".")[2], 0.0))
            else:
                wrong += self.remember(memories, name, item)
        refuse(self, wrong)
        for name, group in own.items():
            item = saved[name]
            group[name.rpartition(".")[2]] = tuple(item) if isinstance(item, list) else item
        for (_, memory, *_), new in zip(self.every_member(), memories.values(), strict=True):
            memory.clear()
            memory.update(new)

    def remember(self, memories: dict[str, Memory], name: str, item: Any) -> Iterable[str]:
        """Put one saved item into the memory that it belongs to; the reasons, if any, why it belongs to none."""
        place, _, kind = name.rpartition(".")
        memory = memories.get(place)
        if memory is None or kind not in self.remembers:
            return [f"{name}: saved, but there is nothing of that name here"]
        if kind == "steps":
            memory[kind] = item
            return unlike(name, item, 0)
        array = np.asarray(item)
        wrong = list(misfits(name, array, memory.like))
        memory[kind] = None if wrong else array.astype(memory.like.dtype)
        return wrong


def into(x: Any) -> Any:
    """Where the next x goes: into its own memory, if it is an array, and into fresh memory if it is a number, or being
    recorded."""
    return x if type(x) is ndarray else None


def groups(parameters: Iterable[Any], defaults: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of parameters, each with all settings."""
    if not isinstance(parameters, (list, tuple)) or not any(isinstance(group, dict) for group in parameters):
        parameters = [{"params": parameters}]
    found = []
    for group in parameters:
        if not isinstance(group, dict) or "params" not in group or group.keys() - defaults.keys() - {"params"}:
            given = ", ".join(map(str, group)) if isinstance(group, dict) else f"a {type(group).__name__}"
            raise TypeError(f"a group of parameters is a dict of {', '.join(['params', *defaults])}, not {given}")
        found.append(defaults | group | {"params": leaves(group["params"])})
    return found


def leaves(parameters: Iterable[Any]) -> tuple[Value, ...]:
    """The parameters, each once; a TypeError for what is none, a ValueError if there are none."""
    if hasattr(parameters, "parameters"):
        raise TypeError(f"parameters are wanted, not the {type(parameters).__name__}: write model.parameters()")
    if isinstance(parameters, Value):
        raise TypeError("an optimizer takes a list of Values: write [v] for a single one")
    found = tuple(dict.fromkeys(map(leaf, parameters)))
    if not found:
        raise ValueError("there are no parameters to optimize: is the model frozen, or the iterator used up?")
    return found


def leaf(p: Any) -> Value:
    """A parameter, or a TypeError."""
    if not isinstance(p, Value) or p.op is not None:
        what = f"the result of {p.op.name}" if isinstance(p, Value) else f"a {type(p).__name__}"
        raise TypeError(f"an optimizer takes Values that are variables, such as model.parameters(), not {what}")
    return p


def with_memory(p: Value) -> tuple[Value, Memory, Array, Array]:
    """A parameter with what an update needs: an empty memory, and two arrays to work in."""
    work = np.empty_like(p.data, subok=False)
    return p, Memory(work), work, np.empty_like(work)


def unlike(name: str, item: Any, old: Any) -> Iterable[str]:
    """The reason, if any, why a saved setting cannot take the place of an old one: a number, or a tuple of numbers."""
    if isinstance(old, tuple):
        fits = isinstance(item, (list, tuple)) and len(item) == len(old) and all(map(is_number, item))
    else:
        fits = is_number(item)
    if not fits:
        yield f"{name}: saved as {item!r}, and here it is {old!r}"


def is_number(x: Any) -> bool:
    """Whether this is a plain number, or True or False."""
    return isinstance(x, (bool, int, float))
