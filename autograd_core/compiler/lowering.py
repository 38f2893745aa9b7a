"""What becomes of each function of NumPy while `jit` records: the few kinds of nodes that the program is made of.

A function that is not named here is recorded whole, as a call: it runs between compiled loops, and nothing is lost but
speed. Shapes and dtypes come from NumPy, which computes the example along the way.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..ops.indexing import is_basic
from .ir import REDUCTIONS, UFUNCS, Node, constant
from .spaced import as_slice
from .traced import NUMBERS, Trace, Traced, no_numbers, trace_of, untraced

Rule = Callable[..., Any]

STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.zeros_like, np.ones_like,
    np.empty_like, np.common_type, np.min_scalar_type, np.can_cast,
}  # fmt: skip
"""Functions whose answer depends on shapes and dtypes alone."""

COMPARISONS = frozenset(("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"))

SHAPED_BY_DATA = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d,
    np.trim_zeros, np.allclose, np.array_equal, np.array_equiv, np.array_repr, np.array_str, np.array2string,
    np.may_share_memory, np.shares_memory,
}  # fmt: skip
"""Functions whose result has a shape, or is a Python object, that depends on the numbers."""

SHAPED_BY_THE_FIRST = {np.bincount, np.compress, np.extract}
"""Functions of which the first argument decides on the shape: the indices, or the condition."""


def shaped_by_data(function: Any, args: Any, settings: dict[str, Any]) -> bool:
    """Whether the shape of a result depends on numbers that are not there yet."""
    if function in SHAPED_BY_DATA:
        return True
    if function is np.where:
        return len(args) == 1
    if function is np.repeat:
        return trace_of([*args[1:], settings]) is not None
    return function in SHAPED_BY_THE_FIRST and trace_of(args[:1] or settings) is not None


RULES: dict[Any, Rule] = {}


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """Declare how functions of NumPy are recorded; a rule that returns NotImplemented leaves them to a call."""

    def declare(found: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, found))
        return found

    return declare


@functools.cache
def signatures(function: Any) -> tuple[inspect.Signature, inspect.Signature]:
    """Of a function, and of its rule behind the recording, which also stands in where NumPy tells none."""
    own = inspect.signature(functools.partial(RULES[function], None))
    try:
        return inspect.signature(function), own
    except ValueError:  # of what is written in C, before NumPy 2.4
        return own, own


def named(function: Any, args: Any, settings: Any) -> tuple[Any, dict[str, Any]] | None:
    """The first argument of a call, and by their names all others that are not what they are by default; None if its
    rule does not know one of them."""
    its, own = signatures(function)
    (_, first), *others = its.bind(*args, **settings).arguments.items()
    found = {name: x for name, x in others if x is not its.parameters[name].default}
    return (first, found) if "settings" in own.parameters or found.keys() <= own.parameters.keys() else None


def weakened(value: Any, args: Any) -> Any:
    """A scalar made from Python numbers only stays one, as in a Value."""
    weak = all(type(x) in NUMBERS for x in args) and np.ndim(value) == 0
    return np.asarray(value).item() if weak else value


class Recording(Trace):
    """A trace that knows NumPy."""

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: Any, settings: dict[str, Any]) -> Any:
        """Record a ufunc, or one of its methods."""
        name = ufunc.__name__
        if name == "pow":
            name = "power"
        if method == "reduce" and name in REDUCE and set(settings) <= {"axis", "keepdims"}:
            return self.function(REDUCE[name], inputs, {"axis": 0, **settings})
        if method != "__call__" or settings:
            return self.call(getattr(ufunc, method), inputs, settings)
        if name == "conjugate" and inputs[0].dtype.kind in "fiu":
            return inputs[0]
        if name == "matmul":
            return self.matmul(*inputs)
        if name == "erf" or (UFUNCS.get(name) is ufunc and all(map(is_number, map(untraced, inputs)))):
            return self.elementwise(ufunc, name, inputs)
        out = self.call(ufunc, inputs, {})
        if type(out) is Traced:
            out.value = weakened(out.value, untraced(inputs))
        return out

    def elementwise(self, ufunc: np.ufunc, name: str, inputs: Any) -> Any:
        """Record a ufunc with its inputs in the dtypes of the loop that NumPy chooses."""
        args = [untraced(x) for x in inputs]
        kinds = [type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype for x in args]
        if name in COMPARISONS and all(kind is int or (kind not in NUMBERS and kind.kind in "iub") for kind in kinds):
            if not all(abs(x) < 1 << 63 for x in args if type(x) is int):
                return self.call(ufunc, inputs, {})
            kinds = [np.dtype(np.int64) if kind is int else kind for kind in kinds]  # it need not fit the other's dtype
        *loop, out = ufunc.resolve_dtypes((*kinds, None))
        if any(d.kind == "O" for d in loop):
            return self.call(ufunc, inputs, {})
        value = weakened(ufunc(*args), args)
        nodes = [cast_node(self.node(x), d) for x, d in zip(inputs, loop, strict=True)]
        if out.kind == "c" or any(d.kind == "c" for d in loop):
            return self.call(ufunc, inputs, {})
        return self.wrap(Node(name, nodes, shape=np.shape(value), dtype=out), value)

    def function(self, function: Any, args: Any, settings: dict[str, Any]) -> Any:
        """Record a function of NumPy."""
        if function in STATIC:
            return function(*untraced(args), **untraced(settings))
        if shaped_by_data(function, args, settings):
            raise no_numbers(f"np.{function.__name__}, whose result has a shape that depends on the data,")
        if function in RULES and (known := named(function, args, settings)) is not None:
            first, others = known
            out = RULES[function](self, first, **others)
            if out is not NotImplemented:
                return out
        return self.call(function, args, settings)

    def matmul(self, x: Any, y: Any) -> Any:
        a, b = untraced(x), untraced(y)
        value = np.matmul(a, b)
        dtype = np.asarray(value).dtype
        if dtype.kind != "f" or dtype.itemsize < 4:
            return self.call(np.matmul, (x, y), {})
        nodes = [cast_node(self.node(x), dtype), cast_node(self.node(y), dtype)]
        return self.wrap(Node("matmul", nodes, shape=np.shape(value), dtype=dtype), value)

    def taken(self, x: Any, index: Any) -> Any:
        """x[index]: slices are a view, an array of integers gathers, and a mask has no shape yet."""
        parts = index if isinstance(index, tuple) else (index,)
        if any(type(p) is Traced and p.dtype.kind == "b" for p in parts):
            raise no_numbers("v[mask], whose result has a shape that depends on the data,")
        value = weakened(np.asarray(untraced(x))[untraced(index)], [untraced(x)])
        if type(x) is not Traced:
            x = self.wrap(constant(x), x)
        if is_basic(index):
            return self.view("getitem", x, value, index)
        if (even := as_slice(index, x.shape)) is not None:
            return np.reshape(x, even[0])[even[1]]
        inputs: list[Traced] = []
        skeleton = self.skeleton([x, self.rows(index)], inputs)
        nodes = [t.node for t in inputs]
        return self.wrap(Node("gather", nodes, (skeleton[1],), shape=np.shape(value), dtype=x.dtype), value)

    def rows(self, index: Any) -> Any:
        """An index; one of known numbers of rows is recorded as one that is an argument."""
        known = isinstance(index, (list, np.ndarray)) and np.ndim(index) == 1 and np.asarray(index).dtype.kind == "i"
        return self.wrap(constant(index, np.int64), np.asarray(index)) if known else index

    def cast(self, x: Any, dtype: Any) -> Any:
        if dtype.kind not in "fiub":
            return self.call(np.astype, (x, dtype), {})
        value = np.asarray(x.value).astype(dtype)[()]
        return self.wrap(cast_node(self.node(x), dtype), value)

    def view(self, op: str, x: Traced, value: Any, *settings: Any) -> Any:
        return self.wrap(Node(op, [self.node(x)], settings, shape=np.shape(value), dtype=x.dtype), value)


REDUCE = {
    "add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min, "logical_and": np.all,
    "logical_or": np.any,
}  # fmt: skip


def is_number(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "fiub"


def cast_node(node: Node, dtype: Any) -> Node:
    """A node in another dtype."""
    if node.dtype == dtype:
        return node
    if node.op == "constant":
        with np.errstate(all="ignore"):
            return constant(node.settings[0].astype(dtype))
    return Node("astype", [node], shape=node.shape, dtype=dtype)


# Rules ----------------------------------------------------------------------------------------------------------------


@rule(np.where)
def where(trace: Recording, condition: Any, x: Any, y: Any) -> Any:
    args = untraced([condition, x, y])
    value = np.where(*args)
    if value.dtype.kind not in "fiub":
        return NotImplemented
    nodes = [cast_node(trace.node(condition), bool), *[cast_node(trace.node(z), value.dtype) for z in (x, y)]]
    out = trace.wrap(Node("where", nodes, shape=value.shape, dtype=value.dtype), value)
    out.value = weakened(value, args[1:]) if np.ndim(args[0]) == 0 else value
    return out


@rule(np.clip)
def clip(trace: Recording, a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    given = [x for x in untraced([a, a_min, a_max]) if x is not None]
    if not all(type(x) in NUMBERS for x in given):  # the dtypes of all three count at once
        first = np.asarray(given[0])
        if first.dtype.kind in "iu":  # Python's integers out of its range are no bounds
            ends = np.iinfo(first.dtype)
            a_min = None if type(a_min) is int and a_min <= ends.min else a_min
            a_max = None if type(a_max) is int and a_max >= ends.max else a_max
        dtype = np.result_type(first, *given[1:])
        a = a.astype(dtype) if type(a) is Traced else first.astype(dtype)
    a = a if a_min is None else np.maximum(a, a_min)
    return a if a_max is None else np.minimum(a, a_max)


def reducing(function: Any, op: str) -> None:
    def reduce(trace: Recording, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        x = untraced(a)
        if type(a) is not Traced or not is_number(x):
            return NotImplemented
        value = weakened(function(x, axis=axis, keepdims=keepdims), [x])
        dtype = np.asarray(value).dtype
        node = cast_node(trace.node(a), dtype)
        axes = range(a.ndim) if axis is None or not a.ndim else [k % a.ndim for k in np.atleast_1d(axis).tolist()]
        settings = (tuple(sorted(axes)), bool(keepdims))
        return trace.wrap(Node(op, [node], settings, shape=np.shape(value), dtype=dtype), value)

    rule(function)(reduce)


for _op in REDUCTIONS:
    reducing(getattr(np, _op), _op)
reducing(np.amax, "max")
reducing(np.amin, "min")


@rule(np.mean)
def mean(trace: Recording, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    if type(a) is not Traced or a.dtype.kind not in "fiub" or (a.dtype.kind == "f" and a.dtype.itemsize < 4):
        return NotImplemented
    if a.dtype.kind != "f":
        a = a.astype(np.float64)
    total = np.sum(a, axis=axis, keepdims=keepdims)
    out = np.divide(total, np.asarray(a.size // max(total.size, 1), a.dtype))
    out.value = weakened(out.value, [a.value])
    return out


@rule(np.var)
def var(trace: Recording, a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    if type(a) is not Traced or a.dtype.kind != "f" or ddof:
        return NotImplemented
    return np.mean(np.square(a - np.mean(a, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims)


def choosing(function: Any, extreme: Any) -> None:
    """The first place of an extreme, or of nan, as NumPy has it."""

    def choose(trace: Recording, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        if type(a) is not Traced or not a.size:
            return NotImplemented
        if axis is None or (not a.ndim and axis in (0, -1)):
            a, axis = np.ravel(a), 0
            if keepdims:
                return NotImplemented
        axis = normalize_axis_index(axis, a.ndim)
        n = a.shape[axis]
        places = np.arange(n).reshape((n,) + (1,) * (a.ndim - axis - 1))
        found = np.logical_or(a == extreme(a, axis=axis, keepdims=True), a != a)
        return np.min(np.where(found, places, n), axis=axis, keepdims=keepdims)

    rule(function)(choose)


choosing(np.argmax, np.max)
choosing(np.argmin, np.min)


def viewing(function: Any, op: str, *, axes: bool = False) -> None:
    def view(trace: Recording, x: Any, **settings: Any) -> Any:
        if trace_of(settings) is not None:
            raise no_numbers(f"np.{function.__name__} to a shape that is data")
        value = weakened(function(x.value, **settings), [x.value])
        if settings.get("order", "C") != "C":
            return NotImplemented
        if not axes:
            return trace.view(op, x, value)
        strides = np.lib.stride_tricks.as_strided(np.zeros(()), (1,) * x.ndim, tuple(range(1, x.ndim + 1)))
        order = tuple(s - 1 for s in function(strides, **settings).strides)
        return trace.view(op, x, value, order)

    rule(function)(view)


SHAPES: tuple[Any, ...] = (np.reshape, np.ravel, np.squeeze, np.expand_dims)
ORDERS: tuple[Any, ...] = (np.transpose, np.swapaxes, np.moveaxis, np.matrix_transpose, np.rollaxis)
for _function in SHAPES:
    viewing(_function, "reshape")
viewing(np.broadcast_to, "broadcast_to")
for _function in ORDERS:
    viewing(_function, "transpose", axes=True)


@rule(np.real, np.copy)
def same(trace: Recording, x: Any) -> Any:
    return x if x.dtype.kind in "fiub" else NotImplemented


@rule(np.dot)
def dot(trace: Recording, a: Any, b: Any) -> Any:
    if not np.ndim(untraced(a)) or not np.ndim(untraced(b)):
        return np.multiply(a, b)
    return trace.matmul(a, b) if np.ndim(untraced(b)) <= 2 else NotImplemented


@rule(np.full_like)
def full_like(trace: Recording, a: Any, fill_value: Any) -> Any:
    if trace_of([fill_value]) is None:
        return np.full_like(untraced(a), fill_value)
    return np.broadcast_to(fill_value.astype(a.dtype), a.shape)
