"""The intermediate form: a program is a list of nodes, each a NumPy function of earlier ones.

There are few kinds, for the engine's own rules have been run already and only NumPy is left of them:

=============  ====================================================================================================
op             what it computes
=============  ====================================================================================================
input          an argument of the program
constant       an array that was there when the program was recorded; `settings` holds it
a ufunc        `add`, `exp`, `greater`, ..., element by element with broadcasting; also `where` and `astype`
a reduction    `sum`, `max`, `min`, `prod`, `all`, `any`, with settings (axes, keepdims)
a running one  `cumsum`, `cumprod`, and `recurrence`, yₖ = aₖ yₖ₋₁ + bₖ, with settings (axis, from the last one on)
a view         `reshape`, `transpose`, `broadcast_to`, `getitem` of slices: the same elements in another order
matmul         the product of matrices and vectors, as NumPy has it
gather         x[index], with an array of integers
call           any other function: settings are the function and its arguments, with a `Slot` for each input
item           one result of a node with several
scan           a loop around a program of its own
=============  ====================================================================================================

All inputs of an elementwise node have the dtype that its loop works in: a conversion is a node of its own.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..ops.running import recur

Shape = tuple[int, ...]

UNARY = (
    "negative", "absolute", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square",
    "reciprocal", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
    "arctanh", "sign", "floor", "ceil", "trunc", "rint", "isnan", "isinf", "isfinite", "signbit", "logical_not",
    "invert",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "fmax", "fmin", "greater",
    "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
    "bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide", "remainder", "fmod", "hypot", "arctan2", "copysign",
    "logaddexp", "logaddexp2", "heaviside",
)  # fmt: skip
UFUNCS: dict[str, Any] = {name: getattr(np, name) for name in (*UNARY, *BINARY)}
ELEMENTWISE = frozenset((*UFUNCS, "where", "astype", "sigmoid", "softplus", "erf"))
REDUCTIONS = frozenset(("sum", "max", "min", "prod", "all", "any"))
RUNNING = frozenset(("cumsum", "cumprod", "recurrence"))
VIEWS = frozenset(("reshape", "transpose", "broadcast_to", "getitem"))

number = itertools.count().__next__


class Label(NamedTuple):
    """What a result is called in source."""

    name: str
    note: str
    """What it is, in words."""

    chosen: bool = False
    """Whether somebody gave it the name, who wants to see it."""


class Node:
    """One operation: its name, inputs and settings, and the shape and dtype of its result."""

    __slots__ = ("dtype", "inputs", "label", "number", "op", "settings", "shape", "when")

    def __init__(
        self, op: str, inputs: Iterable["Node"] = (), settings: tuple[Any, ...] = (), *, shape: Shape, dtype: Any
    ) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.settings = settings
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.number = self.when = number()
        self.label: Label | None = None

    @property
    def size(self) -> int:
        """How many elements the result has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The memory that the result takes."""
        return int(self.size * self.dtype.itemsize)

    @property
    def elementwise(self) -> bool:
        return self.op in ELEMENTWISE

    def like(self, inputs: Iterable["Node"]) -> "Node":
        """The same operation on other inputs."""
        return Node(self.op, inputs, self.settings, shape=self.shape, dtype=self.dtype).instead_of(self)

    def instead_of(self, other: "Node") -> "Node":
        """This node, which takes another's place: its time, also for what was made for it, and its label."""
        pending = [self]
        while pending:
            x = pending.pop()
            if x.when > other.when:
                x.when = other.when
                pending += x.inputs
        if self.label is None and self.op not in ("input", "constant"):
            self.label = other.label
        return self

    def __repr__(self) -> str:
        return f"<{self.op} {self.dtype} {self.shape}>"


class Slot:
    """A place among the arguments of a call, for the input of this number."""

    def __init__(self, k: int) -> None:
        self.k = k

    def __repr__(self) -> str:
        return f"{{{self.k}}}"


def filled(skeleton: Any, inputs: Any) -> Any:
    """The arguments of a call, with inputs in the place of slots."""
    if type(skeleton) is Slot:
        return inputs[skeleton.k]
    if type(skeleton) in (list, tuple):
        return type(skeleton)([filled(x, inputs) for x in skeleton])
    if type(skeleton) is dict:
        return {key: filled(x, inputs) for key, x in skeleton.items()}
    return skeleton


@dataclass
class Loop:
    """What a scan does: a program whose inputs are the state, one x of each array, and what is the same in all steps;
    its outputs are the next state and the outputs. If it is counted, the scan's last input says how many steps are
    taken."""

    body: "Program"
    carries: int
    arrays: int
    length: int
    names: list[str]
    title: str
    counted: bool


@dataclass
class Program:
    """What was recorded: nodes in order, inputs first, and which of them are the results."""

    inputs: list[Node]
    outputs: list[Node]

    def nodes(self) -> list[Node]:
        """All nodes that the results need, each after its inputs; and all inputs."""
        return topological([*self.inputs, *self.outputs])


def topological(roots: Iterable[Node]) -> list[Node]:
    """The roots and all they need, each node once and after its inputs, without recursion."""
    seen: set[Node] = set()
    order: list[Node] = []
    pending: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while pending:
        node, ready = pending.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            pending.append((node, True))
            pending.extend((x, False) for x in reversed(node.inputs) if x not in seen)
    return order


def in_time(program: Program) -> list[Node]:
    """All nodes, each after its inputs, and else in the order in which they were recorded."""
    users = users_of(program)
    missing = {node: len(set(node.inputs)) for node in users}
    ready = [(node.when, node.number, node) for node, count in missing.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        *_, node = heapq.heappop(ready)
        order.append(node)
        for u in users[node]:
            missing[u] -= 1
            if not missing[u]:
                heapq.heappush(ready, (u.when, u.number, u))
    return order


def users_of(program: Program) -> dict[Node, list[Node]]:
    """For each node those that take it as an input."""
    found: dict[Node, list[Node]] = {node: [] for node in program.nodes()}
    for node in found:
        for x in dict.fromkeys(node.inputs):
            found[x].append(node)
    return found


def rewritten(program: Program, rule: Callable[[Node], Node | None]) -> Program:
    """The program with every node replaced by what a rule makes of it; None leaves it."""
    new: dict[Node, Node] = {}
    for node in program.nodes():
        inputs = [new[x] for x in node.inputs]
        same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
        again = node if same else node.like(inputs)
        found = rule(again)
        new[node] = again if found is None or found is again else found.instead_of(node)
    return Program([new[x] for x in program.inputs], [new[x] for x in program.outputs])


def with_body(node: Node, rewrite: Callable[[Program], Program]) -> Node:
    """A scan whose step is rewritten."""
    loop: Loop = node.settings[0]
    settings = (replace(loop, body=rewrite(loop.body)),)
    return Node("scan", node.inputs, settings, shape=node.shape, dtype=node.dtype).instead_of(node)


def constant(data: Any, dtype: Any = None) -> Node:
    """A node for an array that does not change; it is copied."""
    array = np.array(data, dtype, order="C")
    array.flags.writeable = False
    return Node("constant", (), (array,), shape=array.shape, dtype=array.dtype)


def scalar_of(node: Node) -> Any:
    """The number of a constant with one value throughout, else None."""
    if node.op == "broadcast_to":
        return scalar_of(node.inputs[0])
    if node.op != "constant" or not node.size:
        return None
    first = node.settings[0].flat[0]
    return first if node.size == 1 or (node.settings[0] == first).all() else None


def example(function: Callable[..., Any], args: Any, keywords: Any) -> Any:
    """What a function returns for an example, of which the shapes have to be right: that of a loop has the numbers of
    its first step in all of them, and so may be singular."""
    try:
        return function(*args, **keywords)
    except np.linalg.LinAlgError:
        return function(*units(args), **keywords)


def units(tree: Any) -> Any:
    """Arguments with unit matrices in the place of all others."""
    if isinstance(tree, (list, tuple)):
        return type(tree)([units(x) for x in tree])
    if isinstance(tree, np.ndarray) and tree.ndim > 1:
        return np.broadcast_to(np.eye(*tree.shape[-2:], dtype=tree.dtype), tree.shape)
    return tree


def as_recorded(found: Any, node: Node) -> Any:
    """What NumPy computed, if it is as it was when it was recorded: of this shape, and real if it was real."""
    array = np.asarray(found)
    if array.shape != node.shape or not np.can_cast(array.dtype, node.dtype, "same_kind"):
        raise RuntimeError(
            f"{node.op} gave {array.dtype} of shape {array.shape}, and {node.dtype} of shape {node.shape} when it was "
            "recorded: jit needs functions whose results have shapes and dtypes that do not depend on the data"
        )
    return array


def run_along(op: str, inputs: Any, axis: int, reverse: bool) -> Any:
    """A running sum or product, or a recurrence, along an axis."""
    if op == "recurrence":
        return recur(inputs[0], inputs[1], reverse)
    part = (slice(None),) * axis + (slice(None, None, -1 if reverse else 1),)
    return getattr(np, op)(inputs[0][part], axis=axis)[part]


def evaluate(node: Node, inputs: Any) -> Any:
    """The result of a node by NumPy: what a program means."""
    op, settings = node.op, node.settings
    if op in UFUNCS:
        return UFUNCS[op](*inputs)
    if op == "where":
        return np.where(*inputs)
    if op == "astype":
        return np.asarray(inputs[0]).astype(node.dtype)
    if op == "sigmoid":
        return 1 / (1 + np.exp(-inputs[0]))
    if op == "softplus":
        return np.logaddexp(inputs[0], np.zeros((), node.dtype))
    if op == "erf":
        import scipy.special

        return scipy.special.erf(inputs[0])
    if op in REDUCTIONS:
        return getattr(np, op)(inputs[0], axis=settings[0], keepdims=settings[1])
    if op in RUNNING:
        return run_along(op, inputs, *settings)
    if op == "reshape":
        return np.reshape(inputs[0], node.shape)
    if op == "transpose":
        return np.transpose(inputs[0], settings[0])
    if op == "broadcast_to":
        return np.broadcast_to(inputs[0], node.shape)
    if op == "getitem":
        return inputs[0][settings[0]]
    if op == "matmul":
        return np.matmul(*inputs)
    if op == "gather":
        return inputs[0][filled(settings[0], inputs)]
    if op == "call":
        function, args, keywords = settings
        return function(*filled(args, inputs), **filled(keywords, inputs))
    if op == "item":
        return inputs[0][settings[0]]
    raise AssertionError(f"{op} has no meaning in NumPy")
