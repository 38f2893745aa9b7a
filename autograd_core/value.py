"""A Value is a number or an array that remembers how it was computed.

Arithmetic on Values records a graph: every result knows the op that made it and the inputs that the op took. Edges
point only from a result to its inputs, so a graph is freed as soon as its result is dropped, without help from the
garbage collector. `backward` walks the same edges to apply the chain rule.

>>> w = Value(0.5, name="w")
>>> loss = (w * 3.0 - 1.0) ** 2
>>> loss.backward()
>>> w.grad
3.0
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .data import as_variable, shape_of
from .methods import ArrayMethods
from .protocols import NumPyProtocols
from .refusals import Refusals
from .registry import OPS
from .trees import flatten

clock = itertools.count(1)
"""The clock that stamps every Value. An op's inputs exist before its result, so descending stamps are a topological
order, and an input that is younger than the result has been changed since."""

FAST = frozenset((float, int))
"""The types of constants that need no check."""


class Value(ArrayMethods, NumPyProtocols, Refusals):
    """A scalar or array that records the operations on it.

    A Value is a variable: `backward()` and `grad` differentiate with respect to it. Anything else, a plain number or
    array, is a constant and costs nothing on the way back.

    Parameters
    ----------
    data
        A number, a NumPy array of floats (copied), a nested list of numbers, or an array of another library that speaks
        NumPy's protocols. A Python float stays one and takes the dtype of what it meets; integers become float64.
    name
        What drawings and error messages call it.

    Raises
    ------
    TypeError
        If the data are not numbers: strings, objects, dates, or a list that contains Values.

    >>> x = Value([1.0, 2.0], name="x")
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4.])
    """

    __slots__ = ("__weakref__", "_held", "_marks", "first", "grad", "op", "second", "stamp")

    grad: Any
    """The derivative with respect to this Value, once `backward()` has run: plain data of its shape and dtype."""

    backward: Callable[..., None]  # given by backward.py, which needs this class to be complete

    def __init__(self, data: Any, name: str | None = None) -> None:
        self._held = as_variable(data)
        self.op: Any = None
        self.first: Any = ()
        self.grad = None
        self._marks: Any = None if name is None else (name, None)
        self.stamp = next(clock)

    # Few Values have a name, or were returned by a module. The two share a slot, which is None for the others: a small
    # node is quicker to build, and to visit for the garbage collector.

    @property
    def name(self) -> str | None:
        """What drawings and error messages call it."""
        return None if self._marks is None else self._marks[0]

    @name.setter
    def name(self, name: str | None) -> None:
        self._marks = name, self.calls

    @property
    def calls(self) -> Any:
        """The calls of modules that returned it; see `calls.py`."""
        return None if self._marks is None else self._marks[1]

    @calls.setter
    def calls(self, calls: Any) -> None:
        self._marks = self.name, calls

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the op took: arrays first, Values and constants, then its settings; () for a leaf.

        A node of an elementwise op has one or two of them in its own slots, and so is one object for the garbage
        collector, not two: graphs of many scalars are built a quarter faster. For all others `first` holds the tuple.
        """
        unrolled = self.op.unrolled if self.op is not None else 0
        if unrolled == 1:
            return (self.first,)
        return (self.first, self.second) if unrolled == 2 else self.first

    @inputs.setter
    def inputs(self, inputs: tuple[Any, ...]) -> None:
        unrolled = self.op.unrolled if self.op is not None else 0
        if unrolled == 1:
            (self.first,) = inputs
        elif unrolled == 2:
            self.first, self.second = inputs
        else:
            self.first = inputs

    def set_data(self, data: Any) -> None:
        if self.op is not None:
            raise ValueError(
                f"this Value is the result of {self.op.name}; other data would contradict how it was computed. "
                "Make a new Value, or rebind the data of the leaf that it came from."
            )
        if type(data) is not ndarray or data is not self._held:
            data = as_variable(data)
        self._held = data
        self.stamp = next(clock)

    data = property(attrgetter("_held"), set_data, doc="The plain number or array. Rebinding it is for leaves only.")

    # Arithmetic: the declaration of an op, as `operator="add"`, gives these their meaning -----------------------------

    if TYPE_CHECKING:

        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __rmod__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        def __abs__(self) -> Any: ...

    def __floordiv__(self, other: Any) -> Any:
        return floor_quotient(self._held, plain(other))

    def __rfloordiv__(self, other: Any) -> Any:
        return floor_quotient(plain(other), self._held)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pos__(self) -> "Value":
        return self

    # Comparisons look at the data and give plain data; the hash is the identity, so Values can be dictionary keys -----

    def __eq__(self, other: object) -> Any:
        return self._held == plain(other)

    def __ne__(self, other: object) -> Any:
        return self._held != plain(other)

    def __lt__(self, other: Any) -> Any:
        return self._held < plain(other)

    def __le__(self, other: Any) -> Any:
        return self._held <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._held > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._held >= plain(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._held)

    # Sequences --------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if not shape_of(self._held):
            raise TypeError("a scalar Value has no len()")
        return len(self._held)

    def __getitem__(self, index: Any) -> Any:
        return OPS["getitem"](self, index)

    def __iter__(self) -> Iterator[Any]:
        if not shape_of(self._held):
            raise TypeError("a scalar Value cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self._held == plain(item)))


def plain(x: Any) -> Any:
    """The data of a Value; anything else as it is."""
    return x._held if type(x) is Value else x


def floor_quotient(x: Any, y: Any) -> Any:
    """x // y; of Python floats where Python raises, as NumPy has it: inf or nan."""
    try:
        return x // y
    except ZeroDivisionError:
        return float(np.float64(x) // np.float64(y))


def leaf(data: Any, name: str | None = None) -> Value:
    """A variable that holds the given data itself, unchecked and not copied."""
    node = blank()
    node._held = data
    node.first = ()
    node.op = node.grad = None
    node._marks = None if name is None else (name, None)
    node.stamp = next(clock)
    return node


blank = partial(object.__new__, Value)
"""A Value with nothing in it: a call that is a quarter quicker than `object.__new__(Value)`."""


def stop_gradient(x: Any) -> Any:
    """The plain data of a Value: a constant for everything computed from it, with y = x and ∂y/∂x = 0.

    Of a container (a list, tuple, dict or dataclass) it is an equal one with the data of its Values. What is no Value
    is returned as it is. An array is the very one that the Value holds, not a copy.

    >>> w = Value(3.0)
    >>> loss = w * stop_gradient(w)
    >>> loss.backward()
    >>> w.grad
    3.0
    """
    if type(x) is Value:
        return x._held
    leaves, rebuild = flatten(x)
    return rebuild([plain(leaf) for leaf in leaves]) if any(type(leaf) is Value for leaf in leaves) else x
