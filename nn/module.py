"""A Module is a function with parameters: the attributes that are Values.

Nothing has to be registered. What a module holds is read from its attributes when somebody asks, so that assigning,
sharing, replacing or deleting one simply works:

===============================  =====================================================================================
an attribute that is             counts as
===============================  =====================================================================================
a Value                          a parameter: trained, saved
an array                         state that is not trained (a frozen weight, a running mean): saved
a Module                         a part, with all that it holds
a list, tuple or dict of these   what is in it
anything else                    a setting: neither trained nor saved
===============================  =====================================================================================

The conventions (`forward`, dotted names, `state_dict`, the nested repr) are those of `torch.nn.Module`.
"""

import html
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from autograd_core import Value, drawn_as_one, stop_gradient

from .aliases import Array
from .elsewhere import OF_MODULES, Missing


class Module:
    """The base of all layers and models: a subclass assigns its parameters and defines `forward`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Value(2.0)
    ...         self.offset = Value(1.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).item()
    7.0
    >>> line.parameters()
    [Value(2.0, name='slope'), Value(1.0, name='offset')]

    A parameter is frozen by making it plain data, and trained again by making it a Value, with an optimizer that is
    made after that:

    >>> line.offset = line.offset.data
    >>> line.parameters(), sorted(line.state_dict())
    ([Value(2.0, name='slope')], ['offset', 'slope'])
    """

    training = True
    """Whether layers that behave differently while they are trained should do so now."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Call the module itself, `model(x)`, to run it."""
        raise NotImplementedError(f"{type(self).__name__} computes nothing yet: define its method forward(self, x)")

    __call__ = drawn_as_one(forward)

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        if vars(cls).get("__slots__"):
            raise TypeError(f"{cls.__name__}: what is in __slots__ would not be found as a parameter; leave them out")
        if getattr(cls.__call__, "__wrapped__", cls.forward) is not cls.forward:  # not one of its own
            cls.__call__ = drawn_as_one(cls.forward)  # type: ignore[method-assign]  # the mark, and no other detour

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign an attribute; a Value without a name gets the attribute's, for drawings and error messages."""
        if isinstance(value, Value) and value.name is None:
            value.name = name
        elif isinstance(old := vars(self).get(name), Value):
            if isinstance(value, np.ndarray):
                value = np.array(value)  # frozen: data of its own, not those that an optimizer still holds
            elif isinstance(value, (int, float, complex, np.generic)):
                value = np.full(old.shape, value, np.result_type(old.dtype, value))  # an array, not a setting
        super().__setattr__(name, value)

    # What it holds ----------------------------------------------------------------------------------------------------

    def parameters(self) -> list[Value]:
        """All variables of this module and its parts, in order of assignment, each once."""
        return [value for _, value in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """All variables with their dotted names, such as `layers.0.weight`; a shared one has the name met first.

        `draw(loss, names=dict(model.named_parameters()))` labels a drawing with them.
        """
        return ((name, item) for name, item in contents(self) if isinstance(item, Value))

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """This module and all its parts with their dotted names, such as `layers.0`; its own is empty."""
        return ((name, item) for name, item in contents(self) if isinstance(item, Module))

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.parameters():
            p.grad = None

    # Saving and loading -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Copies of the data of all parameters and arrays, by dotted name."""
        return {name: np.array(stop_gradient(item)) for name, item in state(self).items()}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Copy saved data into the parameters and arrays, each of which keeps its own dtype.

        Raises
        ------
        TypeError
            If it is no dict.
        ValueError
            If a name is missing or unexpected, or if a shape or dtype does not fit. All that is wrong is listed, and
            nothing is loaded then.

        >>> class Scale(Module):
        ...     def __init__(self):
        ...         self.factor = Value([1.0, 1.0])
        >>> Scale().load_state_dict({"factor": [1.0, 2.0, 3.0]})
        Traceback (most recent call last):
            ...
        ValueError: the saved state does not fit this Scale; nothing was loaded:
          factor: saved with shape (3,), here it has shape (2,)
        """
        check_saved(saved)
        own = state(self)
        new = {name: np.asarray(stop_gradient(data)) for name, data in saved.items()}
        wrong = [f"{name}: missing from the saved state" for name in own if name not in new]
        wrong += [f"{name}: saved, but there is nothing of that name here" for name in new if name not in own]
        for name in own.keys() & new.keys():
            wrong += misfits(name, new[name], own[name])
        refuse(self, wrong)
        for name, item in own.items():
            if not isinstance(item, Value):
                item[...] = new[name]
            elif isinstance(item.data, np.ndarray):
                item.data = new[name].astype(item.dtype)
            else:
                item.data = type(item.data)(new[name])  # a scalar stays a Python float, or of NumPy's type

    # Modes ------------------------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all parts; returns the module."""
        for _, item in contents(self):
            if isinstance(item, Module):
                item.training = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`: the model is used, not trained."""
        return self.train(False)

    # Text -------------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of the repr of a module without parts; for subclasses to define."""
        return ""

    def _repr_html_(self) -> str:
        """What Jupyter shows: every parameter with its shape, its size, and that of its gradient, if there is one."""
        rows = [("parameter", "shape", "rms", "rms of grad")]
        for name, p in self.named_parameters():
            sizes = (rms(stop_gradient(p)), "–" if p.grad is None else rms(p.grad))
            rows.append((name, "×".join(map(str, p.shape)) or "a number", *sizes))
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(x)}</td>' for x in row)}</tr>" for row in rows)
        return f"<pre>{html.escape(repr(self))}</pre><table>{body}</table>"

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        parts = [f"  ({name}): {part!r}".replace("\n", "\n  ") for name, part in parts_of(self)]
        inside = "\n" + "\n".join(parts) + "\n" if parts else self.extra_repr()
        return f"{type(self).__name__}({inside})"


for _name in OF_MODULES:
    setattr(Module, _name, Missing(Module, _name))


def rms(x: Any) -> str:
    """√(mean of |x|²), to three digits."""
    return f"{np.sqrt(np.mean(np.abs(x) ** 2)):.3g}" if np.size(x) else "empty"


def contents(root: Module) -> Iterator[tuple[str, Any]]:
    """The module and every Module, variable and array in it by dotted name, in order of assignment, each once."""
    return ((name, item) for name, item, _, _ in walk(root))


def walk(root: Module) -> Iterator[tuple[str, Any, Any, Any]]:
    """The same, each with where it stands: the attributes, list, tuple or dict that holds it, and its name there."""
    seen: set[int] = set()  # shared objects count once, and a part may know its parent
    pending: list[tuple[str, Any, Any, Any]] = [("", root, None, None)]
    while pending:
        name, item, holder, place = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, HOLDERS):
            prefix, inside = f"{name}." if name else "", vars(item) if isinstance(item, Module) else item
            members = [(key, member) for key, member in named_members(item) if isinstance(member, WALKED)]
            pending += [(f"{prefix}{key}", member, inside, key) for key, member in reversed(members)]
        if isinstance(item, Module) or is_state(item):
            yield name, item, holder, place


HOLDERS = (Module, list, tuple, dict)
WALKED = (*HOLDERS, Value, np.ndarray)
"""What holds variables and arrays, and what a walk looks at."""


def parts_of(module: Module) -> Iterator[tuple[str, Any]]:
    """The modules among the attributes, and the members of each list that has modules in it, for the repr."""
    for name, item in vars(module).items():
        if isinstance(item, Module):
            yield name, item
        elif isinstance(item, (list, tuple, dict)):
            members = list(named_members(item))
            if any(isinstance(member, Module) for _, member in members):
                yield from ((f"{name}.{key}", member) for key, member in members)


def named_members(holder: Any) -> Iterator[tuple[Any, Any]]:
    """The attributes of a module, or the members of a list, tuple or dict, with their names or positions."""
    if isinstance(holder, (list, tuple)):
        return enumerate(holder)
    return iter((vars(holder) if isinstance(holder, Module) else holder).items())


def is_state(item: Any) -> bool:
    """Whether this is a variable or an array of numbers. A Value that was computed is a result, not a variable."""
    if isinstance(item, Value):
        return item.op is None
    return isinstance(item, np.ndarray) and item.dtype.kind in "biufc"


def state(root: Module) -> dict[str, Any]:
    """What a state dict holds: the variables and arrays in a module, or a ValueError if two have one name."""
    found: dict[str, Any] = {}
    for name, item in contents(root):
        if name in found:
            raise ValueError(f"two arrays of this {type(root).__name__} are called {name!r}: rename a key of its dicts")
        if not isinstance(item, Module):
            found[name] = item
    return found


def check_saved(saved: Any) -> None:
    """A TypeError for what no `state_dict` returned."""
    if not isinstance(saved, Mapping):
        raise TypeError(f"load_state_dict takes what state_dict() returned, not a {type(saved).__name__}")


def refuse(this: Any, wrong: list[str]) -> None:
    """A ValueError with all that is wrong with a saved state, if anything is."""
    if wrong:
        raise ValueError(
            f"the saved state does not fit this {type(this).__name__}; nothing was loaded:\n  "
            + "\n  ".join(sorted(wrong))
        )


def misfits(name: str, new: Array, old: Any) -> Iterator[str]:
    """The reasons, if any, why an array cannot be copied into a parameter or array."""
    if new.shape != old.shape:
        yield f"{name}: saved with shape {new.shape}, here it has shape {old.shape}"
    if not np.can_cast(new.dtype, old.dtype, "same_kind"):
        yield f"{name}: saved with dtype {new.dtype}, which does not fit in {old.dtype}"
    if isinstance(old, np.ndarray) and not old.flags.writeable:
        yield f"{name}: the array here is read-only"
