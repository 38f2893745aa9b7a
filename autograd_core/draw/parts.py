"""A graph in parts, for the builder's view: each call of a module is one, and so are operations of equal structure.

Two operations are of equal structure if they are the same function, of the same settings, of parts that are equal: the
hundred products of a layer that was recorded number by number are one part, and so are its hundred sums. A part depends
only on parts before it, so the list of them is a graph again, and a smaller one.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from ..data import shape_of
from ..explain.names import is_shown, printable
from ..graph import ancestors
from ..value import Value
from .spans import Span, closed, outermost


class Leaf:
    """Variables or arrays that take the same place in the same part."""

    def __init__(self, first: Any) -> None:
        self.members = [first]
        self.users: dict[int, None] = {}

    @property
    def is_variable(self) -> bool:
        return type(self.members[0]) is Value


class Part:
    """A call of a module, or operations of equal structure."""

    def __init__(self, span: Span | None, first: Value) -> None:
        self.span = span
        self.members = [first]
        """The operations; of a module, all of them."""
        self.sources: dict[int, None] = {}
        """The places of the parts that this one is computed from."""
        self.leaves: dict[int, None] = {}
        """The places of its leaves, without what its module holds."""

    @property
    def out(self) -> Value:
        """The result of a module, or the first of equal operations."""
        return self.members[-1] if self.span else self.members[0]


class Parts:
    """The parts of a graph, each after those that it depends on, and its leaves."""

    def __init__(self, root: Value, names: Mapping[str, Any], opened: frozenset[str], folding: bool) -> None:
        self.root = root
        self.list: list[Part] = []
        self.leaves: list[Leaf] = []
        given = [(printable(str(n)).strip(), x) for n, x in names.items()]
        self.names = {id(x): name for name, x in reversed(given) if not name.startswith("_")}
        operations = [x for x in ancestors([root]) if x.op is not None]
        operations.sort(key=attrgetter("stamp"))
        self.operations = len(operations)
        self.top = outermost(operations, names)
        self._home: dict[Value, int] = {}
        self._leaf: dict[int, int] = {}
        self._slots: dict[tuple[int, int], int] = {}
        if root.op is None:
            self.leaves.append(Leaf(root))
        self._fill(operations, closed(self.top, opened), folding)
        self.place = self._home.get(root, -1)
        """The part that the result belongs to."""
        del self._home, self._slots, self._leaf

    def name(self, x: Any, otherwise: str = "") -> str:
        """What a Value or an array is called."""
        own = printable(str(x.name or "")).strip() if type(x) is Value else ""
        return own or self.names.get(id(x), otherwise)

    def _fill(self, operations: list[Value], spans: list[Span], folding: bool) -> None:
        structures: dict[Any, int] = {}
        after, span, place, held = iter(spans), None, -1, {}
        span = next(after, None)
        for node in operations:
            while span is not None and node.stamp > span.end:
                span, place = next(after, None), -1
            if span is not None and node.stamp > span.start:
                if place < 0:
                    place, held = self._add(span, node), span.held()
                else:
                    self.list[place].members.append(node)
                self._home[node] = place
                self._connect(node, place, held)
                continue
            key, leaves = self._structure(node) if folding else (node, ())
            known = structures.get(key)
            if known is None:
                known = structures[key] = self._add(None, node)
                self._connect(node, known, {})
            else:
                self.list[known].members.append(node)
                for k, x in leaves:
                    self._use(x, known, k)
            self._home[node] = known

    def _add(self, span: Span | None, node: Value) -> int:
        self.list.append(Part(span, node))
        return len(self.list) - 1

    def _structure(self, node: Value) -> tuple[Any, list[tuple[int, Any]]]:
        """What equal operations have in common, and the leaves among the inputs with their places.

        Of a million operations, this is most of the time that their drawing takes.
        """
        op, home = node.op, self._home
        key: list[Any] = [op]
        if op.unrolled == 2 and not op.settings:
            inputs: tuple[Any, ...] = (node.first, node.second)
        else:
            inputs = node.inputs
            if op.settings:
                arrays = len(inputs) - len(op.settings)
                key.append(repr(inputs[arrays:]))
                inputs = inputs[:arrays]
        leaves = []
        for k, x in enumerate(inputs):
            if type(x) is Value:
                if x.op is not None:
                    key.append(home[x])
                    continue
                key.append(getattr(x._held, "shape", ()))
            else:
                shape = shape_of(x)
                key.append(("array", shape))
                if not shape:
                    continue
            leaves.append((k, x))
        return tuple(key), leaves

    def _connect(self, node: Value, place: int, held: dict[int, str]) -> None:
        """Note what a new part is computed from."""
        part, home = self.list[place], self._home
        for k, x in enumerate(node.inputs[: len(node.inputs) - len(node.op.settings)]):
            if type(x) is Value and x.op is not None:
                if home[x] != place:
                    part.sources[home[x]] = None
            elif is_shown(x) and id(x) not in held:
                self._use(x, place, k)

    def _use(self, x: Any, place: int, k: int) -> None:
        """Note that a part has a leaf as its argument k."""
        at = self._leaf.get(id(x))
        if at is None:
            self._leaf[id(x)] = at = self._slots.setdefault((place, k), len(self.leaves))
            if at < len(self.leaves):
                self.leaves[at].members.append(x)
                return  # a place whose leaves the part is known to have
            self.leaves.append(Leaf(x))
        self.leaves[at].users[place] = None
        self.list[place].leaves[at] = None
