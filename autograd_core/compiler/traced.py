"""Arrays that write down what is done to them: what a function sees while `jit` records it.

A traced array goes wherever an array of NumPy's goes, and through NumPy's own protocols (NEP 13, NEP 18) it notes every
function that it meets. The engine runs on it unchanged: its rules are NumPy, so recording a function that calls `grad`
records the gradient's arithmetic, with its comparisons, masks and indices, which have no derivative but are computed
all the same. It holds the numbers of one example as well, from which NumPy itself finds each result's shape and dtype.
Nobody may look at them: what Python decided on them would be true for the example only.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import NoNumbersError
from ..value import Value
from .ir import Node, Slot, constant, example

NUMBERS = (bool, int, float, complex)


class Recording(threading.local):
    """What this thread records."""

    trace: "Trace | None" = None


recording = Recording()


class Trace:
    """A recording in progress. A scan's step has one of its own, whose parent is the function around it.

    What becomes of each function of NumPy is for `lowering.py` to say, which completes this class, as `scan.py` does.
    """

    ufunc: Callable[..., Any]
    function: Callable[..., Any]
    taken: Callable[..., Any]
    cast: Callable[..., Any]
    each: Callable[..., Any]

    def __init__(self, parent: "Trace | None" = None) -> None:
        self.parent = parent
        self.inputs: list[Traced] = []
        self.results: list[Any] = []
        self.lifted: dict[Node, Traced] = {}
        self.ended = False

    def input(self, value: Any) -> "Traced":
        """A new argument, with an example of it."""
        data = np.asarray(value)
        traced = Traced(self, Node("input", shape=data.shape, dtype=data.dtype), value)
        self.inputs.append(traced)
        return traced

    def own(self, x: "Traced") -> "Traced":
        """x in this recording: what belongs to a recording around it is one more argument."""
        if x.recorder is self and not self.ended:
            return x
        if self.parent is None:
            raise NoNumbersError(
                "this array belongs to another recording of jit: a traced array is not kept from one call to another; "
                "return it from the function instead"
            )
        x = self.parent.own(x)
        if x.node not in self.lifted:
            self.lifted[x.node] = Traced(self, Node("input", shape=x.node.shape, dtype=x.node.dtype), x.value)
        return self.lifted[x.node]

    def node(self, x: Any) -> Node:
        """The node of an argument; what is not traced is a constant."""
        return self.own(x).node if type(x) is Traced else constant(x)

    def wrap(self, node: Node, value: Any) -> "Traced":
        return Traced(self, node, value)

    def call(self, function: Callable[..., Any], args: Any, keywords: Any, *, op: str = "call") -> Any:
        """Record any function of arrays as one node; traced arrays are its inputs, all else is as it is."""
        inputs: list[Traced] = []
        skeleton = self.skeleton([args, keywords], inputs)
        value = example(function, untraced(args), untraced(keywords))
        nodes = [x.node for x in inputs]
        settings = (function, skeleton[0], skeleton[1])
        if isinstance(value, (tuple, list)):
            whole = Node(op, nodes, settings, shape=(), dtype=object)
            parts = [self.wrap(item_of(whole, k, part), part) for k, part in enumerate(value)]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if not isinstance(value, (np.ndarray, np.generic, *NUMBERS)):
            raise no_numbers(f"{getattr(function, '__name__', function)}(v)")
        data = np.asarray(value)
        return self.wrap(Node(op, nodes, settings, shape=data.shape, dtype=data.dtype), value)

    def skeleton(self, tree: Any, inputs: "list[Traced]") -> Any:
        """Arguments with a slot in the place of each traced array, which is added to the inputs."""
        if type(tree) is Traced:
            inputs.append(self.own(tree))
            return Slot(len(inputs) - 1)
        if isinstance(tree, (list, tuple)):
            parts = [self.skeleton(x, inputs) for x in tree]
            return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
        if isinstance(tree, dict):
            return {key: self.skeleton(x, inputs) for key, x in tree.items()}
        return tree.copy() if isinstance(tree, np.ndarray) else tree


def item_of(whole: Node, k: int, value: Any) -> Node:
    data = np.asarray(value)
    return Node("item", [whole], (k,), shape=data.shape, dtype=data.dtype)


def untraced(tree: Any) -> Any:
    """Arguments with the example's numbers in the place of traced arrays."""
    if type(tree) is Traced:
        return tree.value
    if isinstance(tree, (list, tuple)):
        parts = [untraced(x) for x in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        return {key: untraced(x) for key, x in tree.items()}
    return tree


def trace_of(tree: Any) -> Trace | None:
    """The innermost recording among some arguments."""
    if type(tree) is Traced:
        return tree.recorder
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        found = [t for t in map(trace_of, tree) if t is not None]
        return max(found, key=depth) if found else None
    return None


def depth(trace: Trace | None) -> int:
    n = 0
    while trace is not None:
        trace, n = trace.parent, n + 1
    return n


DECISIONS = (
    "Instead of 'if v > 0: a else: b' write np.where(v > 0, a, b), instead of np.array([v, w]) np.stack([v, w]), "
    "instead of np.full(n, v) np.broadcast_to(v, n); keep what you would print among the results; an argument that "
    "Python has to decide on is made static: jit(f, static_argnums=(1,))"
)
PLAIN_ARRAYS = (
    "To look something up in a plain table write Value(a)[v].data, or give the table to the function as an argument; "
    "a product is np.dot(a, v). "
)

INSTEAD = {
    "data": "it is plain data already, not a Value", "at": "write Value(v).at[i].set(x).data",
    "backward": "take gradients inside with value_and_grad(loss)(v)", "flat": "write np.ravel(v)",
    "fill": "write np.full_like(v, x)", "put": "write Value(v).at[i].set(x).data",
}  # fmt: skip
"""What to write instead of attributes of Values, and of arrays that can be written into."""


def no_numbers(what: str, instead: str = "") -> NoNumbersError:
    """The error for Python that asks a traced array for its numbers."""
    return NoNumbersError(
        f"{what} asks for the numbers of an array while jit records, when there are none yet. {instead}{DECISIONS}"
    )


def no_writing(function: Any) -> TypeError:
    """The error for writing into an array, which would be done once, while jit records."""
    return TypeError(
        f"np.{function.__name__} cannot write into an array while jit records: instead of 'a += v', 'out=a' "
        "or 'v += a' write 'a = a + v'"
    )


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of a recording: its node, and an example's numbers."""

    __slots__ = ("node", "recorder", "value")

    def __init__(self, trace: Trace, node: Node, value: Any) -> None:
        self.recorder = trace
        self.node = node
        self.value = value

    # What is known while recording ------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return self.node.size

    @property
    def dtype(self) -> Any:
        return self.node.dtype

    @property
    def weak(self) -> bool:
        """Whether it stands for a Python float, whose dtype gives way to an array's."""
        return type(self.value) is float

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a number")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Traced({self.dtype}, shape {self.shape})"

    def __format__(self, spec: str) -> str:
        return repr(self)

    __hash__ = object.__hash__

    def __copy__(self) -> "Traced":
        return self

    def __deepcopy__(self, memo: Any) -> "Traced":
        return self

    # What is recorded -------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if any(type(x) is Value for x in inputs):
            return NotImplemented  # the engine first, then its rules come here
        if "out" in settings and type(inputs[0]) is Traced and not isinstance(inputs[0].value, np.ndarray):
            settings.pop("out")  # x += y of a number makes a new one, in NumPy as well
        if "out" in settings:
            raise no_writing(ufunc)
        trace = trace_of(inputs) or trace_of(settings)
        assert trace is not None
        return trace.ufunc(ufunc, method, inputs, settings)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, settings: Any) -> Any:
        if Value in types:
            return NotImplemented
        if settings.get("out") is not None:
            raise no_writing(function)
        trace = trace_of(args) or trace_of(settings)
        assert trace is not None
        return trace.function(function, args, settings)

    def record_whole(self, function: Callable[..., Any], args: Any) -> Any:
        """The result of a function that cannot be looked into: unless it has a rule, it is called when the program
        runs."""
        trace = trace_of(args)
        assert trace is not None
        return trace.function(function, args, {})

    def __getitem__(self, index: Any) -> Any:
        trace = trace_of([self, index])
        assert trace is not None
        return trace.taken(self, index)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        x = Traced(self.recorder, self.node, np.asarray(self.value)[()]) if type(self.value) in NUMBERS else self
        return self.recorder.cast(x, np.dtype(dtype))

    def weakened(self) -> Any:
        """The same number as if it had come from a Python float."""
        return Traced(self.recorder, self.recorder.cast(self, np.dtype(float)).node, float(self.value))

    def reshape(self, *shape: Any, **settings: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **settings)

    def transpose(self, *axes: Any) -> Any:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, tuple(order) if order else None)

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        return np.real(self)

    @property
    def imag(self) -> Any:
        return np.imag(self)

    def __getattr__(self, name: str) -> Any:
        instead = INSTEAD.get(name) or (f"write np.{name}(v)" if hasattr(np, name) else "it has no memory yet")
        raise AttributeError(f"an array has no {name!r} while jit records ({instead})", name=name, obj=self)

    # What would look at the numbers -----------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        raise no_numbers("bool(v)")

    def __float__(self) -> float:
        raise no_numbers("float(v)")

    def __int__(self) -> int:
        raise no_numbers("int(v)")

    def __complex__(self) -> complex:
        raise no_numbers("complex(v)")

    def __index__(self) -> int:
        raise no_numbers("a count or index v")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise no_numbers("np.asarray(v), a[v] or a.dot(v) of a plain array a,", PLAIN_ARRAYS)

    def item(self, *index: int) -> Any:
        raise no_numbers("v.item()")

    def tolist(self) -> Any:
        raise no_numbers("v.tolist()")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a traced array is not written into: write np.where(mask, x, v), or v.at[i].set(x) on a Value, "
            "which give a new array"
        )


def method(name: str) -> Any:
    """An array's method, which is the function of NumPy of the same name."""
    function = getattr(np, name)

    def call(self: Traced, *args: Any, **settings: Any) -> Any:
        return function(self, *args, **settings)

    call.__name__ = name
    return call


for _name in (
    "sum", "mean", "max", "min", "prod", "var", "std", "all", "any", "argmax", "argmin", "argsort", "clip", "cumsum",
    "cumprod", "dot", "ravel", "repeat", "round", "squeeze", "swapaxes", "take", "trace", "copy", "diagonal", "conj",
):  # fmt: skip
    setattr(Traced, _name, method(_name))
Traced.flatten = Traced.ravel  # type: ignore[attr-defined]
