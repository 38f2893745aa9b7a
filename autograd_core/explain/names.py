"""The graph of a result in a fixed order, and what everything in it is called: in pictures and in derivations."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..data import shape_of
from ..graph import ancestors
from ..value import Value

UPPER = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Graph(NamedTuple):
    """Everything that a result was computed from."""

    root: Value
    nodes: tuple[Any, ...]
    """Values and plain arrays, each after its inputs: the inputs of an operation stand right before it."""
    places: dict[int, int]
    """The place of each node, by its identity."""
    names: tuple[str, ...]
    """The name of each node."""
    generated: frozenset[str]
    """The names that nobody gave."""

    def name(self, x: Any) -> str:
        """What a Value or an array is called."""
        return self.names[self.places[id(x)]]


def arrays_of(node: Value) -> tuple[Any, ...]:
    """The inputs of an operation without its settings."""
    return node.inputs[: len(node.inputs) - len(node.op.settings)] if node.op is not None else ()


def settings_of(node: Value) -> tuple[Any, ...]:
    """The settings of an operation."""
    return node.inputs[len(arrays_of(node)) :]


def is_shown(x: Any) -> bool:
    """Whether an input is a node of its own; plain numbers are written inside of formulas."""
    return type(x) is Value or bool(shape_of(x))


def read(root: Value, names: Mapping[str, Any] | None = None, *, result: str = "out") -> Graph:
    """The graph of a result, which is called `result` if it has no name.

    Stamps order the operations, and inputs follow the operation that uses them first.

    >>> x, w = Value(2.0, name="x"), Value(3.0)
    >>> read(x * w + 1.0, {"w": w}).names
    ('x', 'w', 'v1', 'out')
    """
    seen = ancestors([root])
    nodes: dict[int, Any] = {}
    for operation in sorted((x for x in seen if x.op is not None), key=lambda x: x.stamp):
        for x in arrays_of(operation):
            if is_shown(x):
                nodes.setdefault(id(x), x)
        nodes[id(operation)] = operation
    nodes.setdefault(id(root), root)
    places = {key: place for place, key in enumerate(nodes)}
    given = told_apart(given_names(nodes, names or {}), nodes)
    generated = generated_names(
        root, {key: x for key, x in nodes.items() if key not in given}, set(given.values()), result
    )
    called = given | generated
    return Graph(
        root, tuple(nodes.values()), places, tuple(called[key] for key in nodes), frozenset(generated.values())
    )


def given_names(nodes: dict[int, Any], names: Mapping[str, Any]) -> dict[int, str]:
    """What the user calls the nodes: a Value's own name, or the first that a node has in `names`.

    Names with an underscore in front are passed over, as those that Jupyter keeps its results under.
    """
    given: dict[int, str] = {}
    for name, x in ((printable(str(name)).strip(), x) for name, x in names.items()):
        if id(x) in nodes and name and not name.startswith("_"):
            given.setdefault(id(x), name)
    own = {key: printable(str(x.name or "")).strip() for key, x in nodes.items() if type(x) is Value}
    return given | {key: name for key, name in own.items() if name}


def told_apart(given: dict[int, str], nodes: Iterable[int]) -> dict[int, str]:
    """The same names, with an upper index where several nodes have one: weight¹, weight², ... in their order.

    >>> told_apart({1: "w", 2: "w", 3: "b"}, [1, 2, 3])
    {1: 'w¹', 2: 'w²', 3: 'b'}
    """
    counts = Counter(given.values())
    if len(counts) == len(given):
        return given
    found = dict(given)
    used: dict[str, int] = {}
    for key in nodes:
        name = given.get(key, "")
        while counts[name] > 1 and (found[key] == name or found[key] in counts):
            used[name] = used.get(name, 0) + 1
            found[key] = name + str(used[name]).translate(UPPER)
    return found


def generated_names(root: Value, nodes: dict[int, Any], taken: set[str], result: str) -> dict[int, str]:
    """Names that clash with none: v1, v2, ... for Values, c1, c2, ... for arrays, and `result` for the result."""
    called = {id(root): result} if id(root) in nodes and result not in taken else {}
    counts = {"v": 0, "c": 0}
    for key, x in nodes.items():
        letter = "v" if type(x) is Value else "c"
        while key not in called:
            counts[letter] += 1
            name = f"{letter}{counts[letter]}"
            if name not in taken:
                called[key] = name
    return called


JOINER = "\u200d"
"""The zero-width joiner that emoji are made with."""


def printable(text: str) -> str:
    """A text in one line, with a replacement character for what XML forbids and what no font can show.

    >>> printable("two\\nlines"), printable("\\x00")
    ('two lines', '�')
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == JOINER else " " if c.isspace() else "\ufffd" for c in text)
    return text
