"""Programs made smaller without changing a result: common subexpressions, constants, and identities of IEEE numbers.

What holds for real numbers need not hold for these: x * 0 is nan where x is, x + 0.0 turns -0 into 0, and sums depend
on their order. Such rules are used with `fast_math=True` only.
"""

from typing import Any

import numpy as np

from .ir import (
    ELEMENTWISE,
    REDUCTIONS,
    RUNNING,
    VIEWS,
    Node,
    Program,
    Slot,
    constant,
    evaluate,
    rewritten,
    scalar_of,
    with_body,
)
from .picking import rows_of_picks
from .running import alone, turned

FOLDED = 1 << 16
"""Constants larger than this many elements are left to be computed when the program runs."""


def simplified(program: Program, fast_math: bool = False) -> Program:
    """The program after all rules, applied until none changes it."""
    program = rewritten(program, lambda node: with_simple_body(node, fast_math))
    for _ in range(8):
        before = len(program.nodes())
        seen: dict[Any, Node] = {}

        def rule(node: Node, seen: dict[Any, Node] = seen) -> Node:
            for attempt in (
                folded, identity_of, alone, turned, named, exact_quotient, product_with_ones, rows_of_picks,
            ):  # fmt: skip
                node = attempt(node) or node
            if fast_math:
                node = real_identity(node) or node
            return seen.setdefault(key_of(node), node)

        again = rewritten(program, rule)
        same = [a is b for a, b in zip(again.outputs, program.outputs, strict=True)]
        program = again
        if all(same) and len(program.nodes()) == before:
            break
    return program


def with_simple_body(node: Node, fast_math: bool) -> Node | None:
    """A loop whose steps are simplified."""
    if node.op != "scan":
        return None
    return with_body(node, lambda body: simplified(body, fast_math))


def key_of(node: Node) -> Any:
    """Nodes with equal keys compute the same."""
    if node.op == "input":
        return node
    if node.op == "constant":
        data = node.settings[0]
        return ("constant", data.dtype, data.shape, data.tobytes()) if data.size <= FOLDED else node
    if node.op in ("call", "scan", "gather", "getitem"):
        settings: Any = repr(node.settings) if node.op == "getitem" else hashable(node.settings)
    else:
        settings = node.settings
    return (node.op, tuple(x.number for x in node.inputs), settings, node.shape, node.dtype)


def hashable(settings: Any) -> Any:
    """Settings as a key: by what they are where that can be told, else by identity."""
    if isinstance(settings, (list, tuple)):
        return tuple(map(hashable, settings))
    if isinstance(settings, dict):
        return tuple((k, hashable(v)) for k, v in settings.items())
    if type(settings) is Slot:
        return ("slot", settings.k)
    if isinstance(settings, (int, float, str, slice, type(None), np.dtype)):
        return (type(settings), repr(settings))
    return id(settings)


def folded(node: Node) -> Node | None:
    """The result of an operation on constants."""
    computed = node.op in ELEMENTWISE | REDUCTIONS | RUNNING | VIEWS or node.op == "matmul"
    if not computed or node.size > FOLDED or not all(x.op == "constant" for x in node.inputs):
        return None
    if node.op in ("broadcast_to", "transpose"):
        return None  # a loop reads the numbers that are there
    with np.errstate(all="ignore"):
        return constant(np.asarray(evaluate(node, [x.settings[0] for x in node.inputs]), node.dtype))


def spread(x: Node, node: Node) -> Node | None:
    """x in the shape of a node that it takes the place of."""
    if x.dtype != node.dtype:
        return None
    return x if x.shape == node.shape else Node("broadcast_to", [x], shape=node.shape, dtype=x.dtype)


def identity_of(node: Node) -> Node | None:
    """Operations that change nothing, and views of views; all of them keep every bit."""
    op, inputs = node.op, node.inputs
    if op == "constant" and node.size > 1 and is_uniform(node.settings[0]):
        return Node("broadcast_to", [constant(node.settings[0].flat[0])], shape=node.shape, dtype=node.dtype)
    if op in ("reshape", "broadcast_to") and inputs[0].shape == node.shape:
        return inputs[0]
    if op in ("reshape", "broadcast_to") and inputs[0].op == op:
        return Node(op, inputs[0].inputs, shape=node.shape, dtype=node.dtype)
    if op == "transpose" and node.settings[0] == tuple(range(len(node.shape))):
        return inputs[0]
    if op == "transpose" and inputs[0].op == "transpose":
        order = tuple(inputs[0].settings[0][k] for k in node.settings[0])
        return Node(op, inputs[0].inputs, (order,), shape=node.shape, dtype=node.dtype)
    if op == "astype" and inputs[0].dtype == node.dtype:
        return inputs[0]
    if op in REDUCTIONS and not node.settings[0]:
        return inputs[0]
    if op in ("multiply", "divide") and scalar_of(inputs[1]) == 1 and node.dtype.kind == "f":
        return spread(inputs[0], node)
    if op == "multiply" and scalar_of(inputs[0]) == 1 and node.dtype.kind == "f":
        return spread(inputs[1], node)
    if op == "multiply" and node.dtype.kind == "f":
        for x, y in (inputs, inputs[::-1]):
            if scalar_of(x) == -1 and y.shape == node.shape:
                return Node("negative", [y], shape=node.shape, dtype=node.dtype)
    if op == "negative" and inputs[0].op == "negative":
        return inputs[0].inputs[0]
    if op == "subtract" and scalar_of(inputs[1]) == 0 and not np.signbit(scalar_of(inputs[1])):
        return spread(inputs[0], node)
    if op == "not_equal" and scalar_of(inputs[1]) == 0 and inputs[0].op == "astype":
        truth = inputs[0].inputs[0]
        return spread(truth, node) if truth.dtype.kind == "b" else None
    if op == "where" and scalar_of(inputs[0]) is not None:
        return spread(inputs[1] if scalar_of(inputs[0]) else inputs[2], node)
    if op == "where" and inputs[1] is inputs[2]:
        return spread(inputs[1], node)
    if op in ("bitwise_and", "bitwise_or", "logical_and", "logical_or") and all(x.dtype.kind == "b" for x in inputs):
        for x, y in (inputs, inputs[::-1]):
            if (known := scalar_of(x)) is not None:
                return spread(y if known == op.endswith("and") else x, node)
    if op == "power":
        return small_power(node)
    if op in ELEMENTWISE:
        return narrowed(node)
    return None


def is_uniform(data: Any) -> bool:
    """Whether all elements of an array are the same number, to the last bit."""
    return bool(data.tobytes() == data.flat[0].tobytes() * data.size)


LARGEST_POWER = 16


def small_power(node: Node) -> Node | None:
    """xⁿ for a small whole n, and that times √x: products, by squaring, of 1/x for n < 0. NumPy, too, computes x² and
    √x so; the others differ from its by some roundings, and take a tenth of its time.

    With the root x is made what it is in a power at -0, where that is 0, and at -inf, where that is inf.
    """
    x, exponent = node.inputs[0], scalar_of(node.inputs[1])
    if node.dtype.kind != "f" or x.shape != node.shape or exponent is None or abs(exponent) > LARGEST_POWER:
        return None
    if exponent == 0 or 2 * exponent % 1:
        return None

    def new(op: str, *inputs: Node, dtype: Any = node.dtype) -> Node:
        return Node(op, inputs, shape=node.shape, dtype=dtype)

    if exponent == 0.5:
        return new("sqrt", x)
    whole, half = divmod(abs(exponent), 1)
    base = new("add", x, constant(0.0, node.dtype)) if half else x
    found = new("sqrt", base) if half else None
    factor = base
    if exponent < 0:
        factor = new("reciprocal", base)
        found = found and new("reciprocal", found)
    while whole:
        if whole % 2:
            found = factor if found is None else new("multiply", factor, found)
        whole //= 2
        factor = new("multiply", factor, factor) if whole else factor
    if half and found is not None:
        far = new("equal", x, constant(-np.inf, node.dtype), dtype=bool)
        return new("where", far, constant(np.inf if exponent > 0 else 0.0, node.dtype), found)
    return found


def narrowed(node: Node) -> Node | None:
    """An elementwise operation of an array that was broadcast takes the array itself, where its own shape stays."""
    inputs = [x.inputs[0] if x.op == "broadcast_to" else x for x in node.inputs]
    if inputs == list(node.inputs):
        return None
    shape = np.broadcast_shapes(*[x.shape for x in inputs])
    if shape == node.shape:
        return node.like(inputs)
    return Node("broadcast_to", [Node(node.op, inputs, node.settings, shape=shape, dtype=node.dtype)],
                shape=node.shape, dtype=node.dtype)  # fmt: skip


def named(node: Node) -> Node | None:
    """The sigmoid and the softplus, which have loops of their own."""
    if node.dtype.kind != "f" or node.dtype.itemsize < 4:
        return None
    if node.op == "divide" and scalar_of(node.inputs[0]) == 1 and node.inputs[1].op == "add":
        for one, e in (node.inputs[1].inputs, node.inputs[1].inputs[::-1]):
            if scalar_of(one) == 1 and e.op == "exp" and e.inputs[0].op == "negative" and e.shape == node.shape:
                return Node("sigmoid", e.inputs[0].inputs, shape=node.shape, dtype=node.dtype)
    if node.op == "logaddexp" and scalar_of(node.inputs[1]) == 0 and node.inputs[0].shape == node.shape:
        return Node("softplus", [node.inputs[0]], shape=node.shape, dtype=node.dtype)
    return None


def exact_quotient(node: Node) -> Node | None:
    """A division by a power of two is a multiplication, to the last bit."""
    if node.op != "divide" or node.dtype.kind != "f" or node.dtype.itemsize < 4:
        return None
    y = scalar_of(node.inputs[1])
    if y is None or y == 0 or not np.isfinite(y) or abs(np.frexp(y)[0]) != 0.5 or not 1e-30 < abs(y) < 1e30:
        return None
    return Node("multiply", [node.inputs[0], constant(1 / y, node.dtype)], shape=node.shape, dtype=node.dtype)


def product_with_ones(node: Node) -> Node | None:
    """A product with ones is a sum, and the same for each row or column: masks are carried back by such products."""
    if node.op != "matmul" or any(len(x.shape) != 2 for x in node.inputs) or node.dtype.kind != "f":
        return None
    for k, (ones, other) in enumerate((node.inputs, node.inputs[::-1])):
        if scalar_of(ones) == 1:
            shape = (1, node.shape[1]) if k == 0 else (node.shape[0], 1)
            total = Node("sum", [other], ((k,), True), shape=shape, dtype=node.dtype)
            return Node("broadcast_to", [total], shape=node.shape, dtype=node.dtype)
    return None


def real_identity(node: Node) -> Node | None:
    """What holds for real numbers."""
    op, inputs = node.op, node.inputs
    if node.dtype.kind != "f":
        return None
    if op == "add":
        for x, y in (inputs, inputs[::-1]):
            if scalar_of(x) == 0:
                return spread(y, node)
    if op == "multiply" and any(scalar_of(x) == 0 for x in inputs):
        return Node("broadcast_to", [constant(0, node.dtype)], shape=node.shape, dtype=node.dtype)
    if op == "divide" and scalar_of(inputs[1]):
        return Node("multiply", [inputs[0], constant(1 / scalar_of(inputs[1]), node.dtype)],
                    shape=node.shape, dtype=node.dtype)  # fmt: skip
    return None
