"""The expression that a Value was computed by, written out as far as a reader can follow it."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from ..op import ELEMENTS, PRODUCT
from ..registry import OPS
from ..value import Value
from .names import Graph, arrays_of, is_shown, settings_of
from .phrases import Phrase, call, constant, name

MOST_OPERATIONS = 100
"""How many operations an expression has; what is before them stands under its name."""

MOST_FOLDED = 5
"""How many operations without a name are written inside of the formula that uses them."""


def expression(graph: Graph, *, expand: int = MOST_OPERATIONS) -> Phrase:
    """The root in terms of its leaves, or of what lies so many operations back.

    >>> from .names import read
    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> expression(read((a + b) * a - b / 2)).text
    '(a + b)·a − b/2'
    """
    places: list[tuple[Any, list[int]]] = [(graph.root, [])]  # a tree of occurrences: each with those of its inputs
    for x, parts in places:  # which grows while it is walked
        if type(x) is Value and x.op is not None and expand > 0:
            expand -= 1
            for y in arrays_of(x):
                parts.append(len(places))
                places.append((y, []))
    phrases: list[Phrase] = [Phrase("", "")] * len(places)
    for k in range(len(places) - 1, -1, -1):
        x, parts = places[k]
        if parts:
            phrases[k] = operation(x, [phrases[part] for part in parts])
        else:
            phrases[k] = name(graph.name(x)) if is_shown(x) else constant(x)
    return phrases[0]


def folds(graph: Graph) -> set[Any]:
    """The operations that a person would not name: used once, without a name, where others have one.

    What uses them is written with their formulas in it, as long as that stays short.
    """
    operations = [x for x in graph.nodes if type(x) is Value and x.op is not None]
    unnamed = {x for x in operations if graph.name(x) in graph.generated and x is not graph.root}
    if len(unnamed) >= len(operations) - 1:
        return set()
    uses = Counter(id(y) for x in operations for y in arrays_of(x) if type(y) is Value)
    size: dict[int, int] = {}
    folded = set()
    for x in operations:
        size[id(x)] = 1 + sum(size[id(y)] for y in arrays_of(x) if id(y) in size)
        if x in unnamed and uses[id(x)] == 1 and size[id(x)] <= MOST_FOLDED:
            folded.add(x)
        else:
            size[id(x)] = 0
    return folded


def definition(graph: Graph, node: Value, folded: Collection[Any] = frozenset()) -> Phrase:
    """An operation in terms of the names of its inputs, and of the formulas of those that are folded."""
    parts = []
    for x in arrays_of(node):
        if type(x) is Value and x in folded:
            parts.append(definition(graph, x, folded))
        else:
            parts.append(name(graph.name(x)) if is_shown(x) else constant(x))
    return operation(node, parts)


def operation(node: Value, parts: list[Phrase]) -> Phrase:
    """An operation on formulas. Among matrices, a product of their elements is written ⊙."""
    arrays = arrays_of(node)
    if node.op.name == "mul":
        if arrays[0] is arrays[1]:
            return call(OPS["square"], parts[:1])
        if all(is_array(x) for x in arrays):
            return joined(parts, " ⊙ ", r" \odot ", ELEMENTS)
        if is_number(parts[1]) and not is_number(parts[0]):
            parts = parts[::-1]
    if node.op.name == "matmul" and all(len(x.shape) == 1 for x in arrays):
        return joined(parts, " @ ", r" \cdot ", PRODUCT)
    return call(node.op, parts, settings_of(node), dense=type(node.data) is not tuple and node.size == 1)


def joined(parts: list[Phrase], text: str, tex: str, precedence: int) -> Phrase:
    """Factors with a sign between them."""
    x, y = parts[0].within(precedence), parts[1].within(precedence + 1)
    return Phrase(x.text + text + y.text, x.tex + tex + y.tex, precedence)


def is_array(x: Any) -> bool:
    """Whether an input has elements."""
    return bool(getattr(x, "shape", ()))


def is_number(phrase: Phrase) -> bool:
    """Whether a formula is a number, which stands before what it multiplies."""
    return phrase.text.replace(".", "").isdecimal()
