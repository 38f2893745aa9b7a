"""A recorded graph as a program of NumPy that anybody can read, run and change."""

from collections.abc import Mapping
from typing import Any

from ..graph import topological
from ..transforms import value_and_grad
from ..value import Value, apply
from .capture import capture, identifier
from .numpy_source import numpy_source
from .simplify import simplified


def to_python(result: Value, *, gradient: bool = False, names: Mapping[str, Any] | None = None) -> str:
    """The computation of a Value as the source of a function of its variables, in NumPy alone.

    Parameters
    ----------
    result
        Any Value. With `gradient=True` a scalar: the function then returns it with its gradients, in the order of its
        arguments: backpropagation, written out.
    names
        What variables are called that have no name of their own; `locals()` will do.

    Raises
    ------
    TypeError
        If `result` is no Value.

    >>> w = Value(2.0, name="w")
    >>> print(to_python(w * w + 1.0).partition("    return")[0])
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def program(w, work=None):
        \"\"\"2 steps; `work` is memory that may be used again from call to call.\"\"\"
        multiply_1 = w * w                                                        # float64 ()
        add_1 = multiply_1 + 1.0                                                  # float64 ()
    <BLANKLINE>
    """
    if type(result) is not Value:
        raise TypeError(f"to_python writes down how a Value was computed, and this is a {type(result).__name__}")
    graph = topological(result)
    leaves = [x for x in graph if x.op is None]
    known = {id(x): name for name, x in (names or {}).items() if type(x) is Value}
    called = [identifier(x.name or known.get(id(x)) or f"x{k}") for k, x in enumerate(leaves)]

    def again(*variables: Any) -> Any:
        """The same operations on other variables."""
        found = dict(zip(leaves, variables, strict=True))
        for node in graph:
            if node.op is not None:
                found[node] = apply(node.op, tuple([found[x] if type(x) is Value else x for x in node.inputs]))
        return found[result]

    fun = value_and_grad(again, range(len(leaves))) if gradient else again
    _, captured = capture(fun, [x.data for x in leaves], called)
    return numpy_source(simplified(captured.program), called)[0]
