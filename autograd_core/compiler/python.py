"""A recorded graph as a program of NumPy that anybody can read, run and change."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..apply import apply
from ..graph import topological
from ..transforms import value_and_grad
from ..value import Value
from .capture import capture, identifier
from .ir import Label, constant
from .labels import label
from .numpy_source import numpy_source
from .simplify import simplified
from .traced import recording


def to_python(result: Value, *, gradient: bool = False, names: Mapping[str, Any] | None = None) -> str:
    """The computation of a Value as the source of a function of its variables, in NumPy.

    It stands by itself, but for arrays of more than 64 elements that are no variables, which its docstring names as
    globals to be given (`names` says what they are called), and for functions that are not NumPy's: it imports SciPy's,
    and rules of this package that are more than a formula.

    Parameters
    ----------
    result
        Any Value. With `gradient=True` a scalar: the function then returns it with its gradients, in the order of its
        arguments: backpropagation, written out.
    names
        What variables, constant arrays and results on the way are called that have no name of their own; `locals()`
        will do.

    Raises
    ------
    TypeError
        If `result` is no Value, or a variable is complex.

    >>> w, b = Value(2.0, name="w"), Value(1.0, name="b")
    >>> z = w * 3.0 + b
    >>> print(to_python(z * z, gradient=True, names={"z": z}).partition("def ")[2])
    program(w, b):
        \"\"\"w, b: float64.\"\"\"
        z = w * 3.0 + b  # mul, add
        mul_2 = z * z  # mul
    <BLANKLINE>
        # The gradients, from the result back
        grad_z = z + z  # the gradient with respect to z
        grad_w = grad_z * 3.0  # the gradient with respect to w
    <BLANKLINE>
        return mul_2, grad_w, grad_z
    <BLANKLINE>
    """
    if type(result) is not Value:
        raise TypeError(f"to_python writes down how a Value was computed, and this is a {type(result).__name__}")
    graph = topological(result)
    leaves = [x for x in graph if x.op is None]
    known = {id(x): name for name, x in (names or {}).items() if isinstance(x, (Value, np.ndarray))}
    if any(x.dtype.kind == "c" for x in leaves):
        raise TypeError("to_python writes down what is done to real variables, and one of these is complex")
    called = [identifier(x.name or known.get(id(x)) or f"x{k}") for k, x in enumerate(leaves)]

    def again(*variables: Any) -> Any:
        """The same operations on other variables, with the names that everything has."""
        found = dict(zip(leaves, variables, strict=True))
        constants = {
            key: traced_constant(x, name)
            for node in graph
            for x in node.inputs
            if type(x) is np.ndarray and (name := known.get(key := id(x)))
        }
        for node in graph:
            if node.op is not None:
                args = [found[x] if type(x) is Value else constants.get(id(x), x) for x in node.inputs]
                found[node] = apply(node.op, tuple(args))
                if name := node.name or known.get(id(node)):
                    label(found[node], identifier(name), node.op.name)
        return found[result]

    fun = value_and_grad(again, range(len(leaves))) if gradient else again
    _, captured = capture(fun, [x.data for x in leaves], called)
    return numpy_source(simplified(captured.program), called)[0]


def traced_constant(x: Any, name: str) -> Any:
    """An array of a recording that is a constant with a name."""
    assert recording.trace is not None
    node = constant(x)
    node.label = Label(identifier(name), "a constant", chosen=True)
    return recording.trace.wrap(node, x)
