"""`jit`: a function that is recorded once for each structure, shape and dtype of its arguments, then runs compiled."""

import functools
import sys
import threading
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

import numpy as np

from ..data import in_native_order
from ..recording import thread
from ..value import Value
from .capture import Captured, OutsideValueError, capture, handed_out, names_of
from .explain import explained
from .ir import Node, Program, as_recorded
from .memory import memories
from .numpy_source import compiled, numpy_source, parameter_names
from .simplify import simplified
from .static import static_arguments, static_key
from .traced import NUMBERS, Traced, recording

LLVMLITE = 'machine code needs llvmlite, pip install "autograd-core[fast]"'


class Compiled:
    """A recorded function for arguments of one structure, shape and dtype: what it computes, and how."""

    def __init__(self, fun: Callable[..., Any], captured: Captured, fast_math: bool, backend: str | None) -> None:
        self.captured = captured
        self.recorded = captured.program
        self.program: Program = simplified(captured.program, fast_math)
        title = getattr(fun, "__name__", "program")
        self.title = title if title.isidentifier() else "program"
        self.execute: Callable[[list[Any]], list[Any]] = executor(self, backend)

    @functools.cached_property
    def written(self) -> tuple[str, dict[str, Any]]:
        return numpy_source(self.program, self.captured.names, self.title)

    @property
    def source(self) -> str:
        """The program as NumPy: a function that runs without this package."""
        return self.written[0]

    @property
    def assembly(self) -> str:
        """The machine code as text, for the processor that it was written for."""
        machine: Any = self.execute
        if isinstance(machine, NumPyExecutor):
            raise NotImplementedError(f"this program runs as NumPy source, see .source: {LLVMLITE}")
        return str(machine.assembly())

    def explain(self) -> str:
        """What was recorded and how it runs, in plain words."""
        machine = None if isinstance(self.execute, NumPyExecutor) else self.execute
        return explained(self.recorded, self.program, machine, self.source)

    def __call__(self, leaves: list[Any]) -> Any:
        results = self.execute(leaves)
        return self.captured.pack([handed_out(y, kind) for y, kind in zip(results, self.captured.kinds, strict=True)])


def executor(owner: Compiled, backend: str | None) -> Any:
    """What runs a program: machine code where llvmlite is installed, else its NumPy source."""
    if backend != "numpy":
        try:
            from .llvm.engine import Machine

            return Machine(owner.program)
        except ModuleNotFoundError as error:
            if backend is not None:
                raise ImportError(LLVMLITE, name=error.name) from error
        except (ImportError, NotImplementedError):
            if backend is not None:
                raise
    return NumPyExecutor(owner)


class NumPyExecutor:
    """Runs a program's NumPy source, with memory of its own for each thread."""

    def __init__(self, owner: Compiled) -> None:
        self.function, self.memory = compiled(*owner.written, owner.title)
        self.outputs = owner.program.outputs
        order = owner.program.nodes()
        shown = memories(order)
        self.copied = []
        taken: set[Node] = set()
        for y in self.outputs:
            foreign = y.op in ("call", "item") or any(x.op in ("input", "constant") for x in shown[y])
            self.copied.append(foreign or not taken.isdisjoint(shown[y]))
            taken.update(shown[y])
        self.thread = threading.local()

    def __call__(self, leaves: list[Any]) -> list[Any]:
        arguments = [native(x) for x in leaves]
        if self.memory is not None:
            work = getattr(self.thread, "work", None)
            self.thread.work = None  # an interrupted or nested call makes its own
            arguments.append(self.memory() if work is None else work)
        with np.errstate(all="ignore"):
            results = self.function(*arguments)
        if self.memory is not None:
            self.thread.work = arguments[-1]
        if len(self.outputs) == 1:
            results = (results,)
        return [
            as_recorded(y, node)
            if type(y) is np.ndarray and y.flags.writeable and not copied
            else np.array(as_recorded(y, node), node.dtype)
            for y, node, copied in zip(results, self.outputs, self.copied, strict=True)
        ]


def native(x: Any) -> Any:
    """An array in this machine's order of bytes; a Python number as NumPy's, which does not raise at 1 / 0."""
    if type(x) in NUMBERS:
        return np.asarray(x)[()]
    return in_native_order(x) if type(x) is np.ndarray else x


def describe(tree: Any, leaves: list[Any]) -> Any:
    """The structure of an argument as a key; its leaves are added to the list."""
    kind = type(tree)
    if kind is np.ndarray:
        leaves.append(tree)
        return tree.dtype, tree.shape
    if kind in NUMBER_KEYS:
        leaves.append(tree)
        return kind
    if kind is tuple or kind is list:
        return kind, *[describe(x, leaves) for x in tree]
    if kind is dict:
        return kind, tuple(tree), *[describe(x, leaves) for x in tree.values()]
    if tree is None:
        return None
    if isinstance(tree, (list, tuple)):
        return kind, *[describe(x, leaves) for x in tree]
    if isinstance(tree, dict):
        return kind, tuple(tree), *[describe(x, leaves) for x in tree.values()]
    if hasattr(kind, "__dataclass_fields__"):
        return kind, *[describe(getattr(tree, name), leaves) for name in kind.__dataclass_fields__]
    leaves.append(tree)
    return kind, getattr(tree, "dtype", None), getattr(tree, "shape", ())


NUMBER_KEYS = frozenset((float, int, bool, np.float64, np.float32, np.int64, np.bool_))


class Jitted:
    """A function that runs compiled; see `jit`."""

    def __init__(
        self, fun: Callable[..., Any], static: set[int], named: set[str], fast_math: bool, backend: str | None
    ) -> None:
        functools.update_wrapper(self, fun, updated=())
        self.fun = fun
        self.static = static
        self.named = named
        self.fast_math = fast_math
        self.backend = backend
        self.programs: dict[Any, Compiled] = {}
        self.lock = threading.RLock()

    def __call__(self, *args: Any, **settings: Any) -> Any:
        leaves: list[Any] = []
        key = self.key_of(args, settings, leaves) if self.static or settings else describe(args, leaves)
        found = self.programs.get(key)
        if found is None:
            if recording.trace is not None or any(type(x) is Value or type(x) is Traced for x in leaves):
                return self.fun(*args, **settings)  # inside of another derivative or recording: one more part of it
            try:
                found = self.recorded(key, args, settings)
            except OutsideValueError:
                if not thread.since:
                    raise
                return self.fun(*args, **settings)  # a derivative is being taken with respect to what it closes over
        return found(leaves)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """Of a class, a method: `self` is the first argument."""
        return self if owner is None else MethodType(self, owner)

    def __reduce__(self) -> Any:
        """To copy and to pickle: by its name, if it stands there; else by its function. Programs are not copied."""
        found: Any = sys.modules.get(getattr(self, "__module__", ""))
        for name in (path := getattr(self, "__qualname__", "")).split("."):
            found = getattr(found, name, None)
        return path if found is self else (Jitted, (self.fun, self.static, self.named, self.fast_math, self.backend))

    def key_of(self, args: Any, settings: dict[str, Any], leaves: list[Any]) -> Any:
        """The key of a call, static arguments by their value."""
        parts: list[Any] = []
        for k, x in enumerate(args):
            is_static = k in self.static or k - len(args) in self.static
            parts.append(("static", static_key(k, x)) if is_static else describe(x, leaves))
        free = {name: x for name, x in settings.items() if name not in self.named}
        fixed = tuple([(name, static_key(name, x)) for name, x in settings.items() if name in self.named])
        return tuple(parts), describe(free, leaves), fixed

    def program(self, *args: Any, **settings: Any) -> Compiled:
        """The program for such arguments, recorded if it is not there yet; nothing is run."""
        leaves: list[Any] = []
        key = self.key_of(args, settings, leaves) if self.static or settings else describe(args, leaves)
        return self.programs.get(key) or self.recorded(key, args, settings)

    def recorded(self, key: Any, args: Any, settings: dict[str, Any]) -> Compiled:
        """Record and compile for such arguments."""
        with self.lock:
            if key in self.programs:
                return self.programs[key]
            static = {k % len(args) for k in self.static if -len(args) <= k < len(args)}
            free = [k for k in range(len(args)) if k not in static]
            moving = {name: x for name, x in settings.items() if name not in self.named}

            def fun(traced: Any, keywords: Any) -> Any:
                full = list(args)
                for k, x in zip(free, traced, strict=True):
                    full[k] = x
                return self.fun(*full, **settings | keywords)

            fun.__name__ = getattr(self.fun, "__name__", "program")
            called = parameter_names(self.fun, len(args))
            names = [name for k in free for name in names_of(args[k], called[k])]
            names += [name for k, x in moving.items() for name in names_of(x, k)]
            _, captured = capture(fun, [[args[k] for k in free], moving], names)
            self.programs[key] = Compiled(fun, captured, self.fast_math, self.backend)
            return self.programs[key]


def jit(
    fun: Callable[..., Any],
    *,
    static_argnums: int | Iterable[int] = (),
    static_argnames: str | Iterable[str] = (),
    fast_math: bool = False,
    backend: str | None = None,
) -> Jitted:
    """The same function, compiled: recorded when it is first called, and again for other shapes and dtypes.

    The function is run once on traced arrays, and what it does to them becomes a program: the arithmetic of gradients
    that it takes, comparisons and indices included. With llvmlite (extra `fast`) the program runs as machine code,
    which releases the GIL; without, as NumPy source. Neither warns of overflow or invalid numbers.

    Parameters
    ----------
    fun
        A function of arrays, numbers and containers of them (lists, tuples, dicts, dataclasses), which returns such. It
        must do the same whenever it is called: arrays from around it are constants, as they were when it was recorded,
        and random numbers are arguments. Python's integers are computed as int64; complex numbers by NumPy, operation
        by operation. Given Values, within another compiled function, or where a derivative is taken with respect to
        what it closes over, it runs as it is, so that `grad(jit(f))` works.
    static_argnums, static_argnames
        The arguments that Python decides on, by position or by name, however they are given then. They are hashable,
        and each of their values has a program.
    fast_math
        Whether rules of real numbers may be used where floating-point numbers differ, such as x · 0 = 0.
    backend
        `"llvm"` or `"numpy"`; by default the first if it is there.

    Returns
    -------
    A function with a method more: `program(*args)` is the program for such arguments, with `source`, the NumPy that it
    stands for, `explain()`, what became of it in plain words, and `assembly`, the machine code as text.

    Raises
    ------
    ValueError
        If there is no such backend.
    TypeError
        If there is no argument of a static name. When called, if Python looks at numbers while they are recorded
        (`if v > 0`, `v.item()`, `v[mask]`), if an argument is no array, or if the result depends on Values from around
        the function.
    RuntimeError
        When called, if a function that is left to NumPy gives another shape than when it was recorded, or complex
        numbers where there were real ones.

    >>> step = jit(lambda w, x: np.sum(np.tanh(x @ w)))
    >>> float(step(np.ones(2), np.zeros((3, 2))))
    0.0
    """
    if backend not in ("llvm", "numpy", None):
        raise ValueError(
            f"jit: backend={backend!r}: there are 'llvm' and 'numpy', and None takes the first that is there"
        )
    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    return Jitted(fun, *static_arguments(fun, numbers, names), fast_math, backend)
