"""The chain rule along a graph: the paths from a result to its variables, with their gradients and their formulas.

For a result C and a variable x that the operations u, v, ... use directly,

    ∂C/∂x  =  ∂C/∂u · ∂u/∂x  +  ∂C/∂v · ∂v/∂x  +  ...,

and so on for u and v: written out to the end it is a sum over all paths from x to C of the products of the local
derivatives along them (Bauer, *Computational graphs and rounding error*, SIAM J. Numer. Anal. 11, 1974). Numbers come
from the backward pass, formulas from the same rules called with symbols. Nothing in the graph is changed.
"""

import functools
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..backward import one
from ..data import QUIET, shape_of
from ..exact import passed_on
from ..graph import topological
from ..op import POWER, PRODUCT, SUM
from ..registry import OPS
from ..value import Value, plain
from .derivatives import is_long, ones, pulled, rules_of, spell
from .expression import definition, folds
from .names import Graph, arrays_of, is_shown, settings_of
from .phrases import Phrase, name, partial
from .symbols import Symbol, as_number, first, is_number, lift
from .terms import number

MANY = 10**6
"""Paths are counted up to here: a chain of squares has two to the power of its length."""

MOST_TERMS = 20
"""Of a sum over more uses of a variable than these, the first two and the last are written."""


class Chain:
    """The part of a graph through which a result depends on some variables."""

    def __init__(self, graph: Graph, targets: Iterable[Value]) -> None:
        self.graph = graph
        self.root = graph.root
        targets = set(targets)
        order = topological(self.root)
        active = leading_to(order, targets)
        self.several = {x for x in active if type(x.data) is tuple}
        """What returns several arrays is part of the formula of each result: s = svd(A)[1]."""
        self.order = active[::-1]
        self.folded = (folds(graph) - {x for y in self.several for x in y.inputs if type(x) is Value}) | self.several
        self.folded -= targets
        self.stations = [x for x in active if x not in self.folded]
        self.inside: dict[Value, list[Value]] = {x: [x] for x in self.stations}
        users: dict[Value, dict[Value, None]] = {x: {} for x in active}
        for node in reversed(active):
            for station in users[node] if node in self.folded else (node,):
                if node is not station:
                    self.inside[station].append(node)
                for x in inputs_among(node, users):
                    users[x][station] = None
        self.users = {x: sorted(found, key=lambda y: -y.stamp) for x, found in users.items()}
        self.gradients = QUIET.copy().run(gradients, self.root, order, self.users)

    # Names --------------------------------------------------------------------------------------------------------

    def name(self, x: Any) -> Phrase:
        """What a Value or an array is called; of a folded one the formula."""
        return self.symbol(x).phrase if self.is_folded(x) else name(self.graph.name(x))

    def is_folded(self, x: Any) -> bool:
        """Whether a node stands for its formula."""
        return type(x) is Value and x in self.folded

    def slope(self, y: Any, x: Any) -> Phrase:
        """∂y/∂x, in the names of both."""
        return partial(self.name(y), self.name(x))

    # Paths --------------------------------------------------------------------------------------------------------

    def count(self, x: Value) -> int:
        """How many paths lead from x to the result, up to a million."""
        counts = {self.root: 1}
        for node in reversed(self.stations):
            if node is not self.root:
                counts[node] = min(sum(counts[user] for user in self.users[node]), MANY)
        return counts[x]

    def paths(self, x: Value) -> list[list[Value]]:
        """All paths from the result to x, the only variable, each from the result on."""
        below: dict[Value, list[Value]] = {y: [] for y in self.stations}
        for y in self.stations:
            for user in self.users[y]:
                below[user].append(y)
        found, waiting = [], [[self.root]]
        while waiting:
            path = waiting.pop()
            if path[-1] is x:
                found.append(path)
            else:
                waiting += [[*path, y] for y in reversed(below[path[-1]])]
        return found

    def contribution(self, path: Sequence[Value]) -> Any:
        """What comes to the variable along one path; exactly 0 through a branch that was not taken."""
        return QUIET.copy().run(self.carried, path, one(path[0]))

    def local(self, y: Value, x: Value) -> Any:
        """∂y/∂x as a number. To a real x comes the real part of g · ∂y/∂x: with g = -i that is the imaginary part."""
        c = self.contribution([y, x])
        is_split = y.dtype.kind == "c" != x.dtype.kind
        return c + 1j * QUIET.copy().run(self.carried, [y, x], -1j * one(y)) if is_split else c

    def carried(self, path: Sequence[Value], g: Any) -> Any:
        """The gradient that one path carries, which begins with g."""
        live = None
        for y, x in pairwise(path):
            found = {y: (g, live)}
            for node in self.inside[y]:
                arrivals(node, found, {x, *self.inside[y]})
            g, live = found[x]
        return g

    # Formulas -----------------------------------------------------------------------------------------------------

    def formula(self, x: Value, of: Callable[[Value], Symbol]) -> Symbol:
        """∂C/∂x as a formula of the gradients of the operations that use x, which are given as symbols."""
        users = self.users[x]
        shown = users if len(users) <= MOST_TERMS else [*users[:2], users[-1]]
        parts = [self.passed(user, x, of(user)) for user in shown]
        if shown is not users:  # an abridged sum
            begin, end = ([part.phrase.within(SUM + 1).column(k) for part in parts] for k in (0, 1))
            phrase = Phrase(" + ".join([*begin[:2], "…", begin[2]]), " + ".join([*end[:2], r"\dots", end[2]]), SUM)
            return Symbol(phrase, ones(x.data), is_array=bool(x.shape))
        with np.errstate(all="ignore"):
            return functools.reduce(operator.add, parts)

    def passed(self, y: Value, x: Value, g: Symbol) -> Symbol:
        """What y passes back to x, through the operations that are folded into y, as a formula of g."""
        found = {y: g}
        for node in self.inside[y]:
            for z in inputs_among(node, self.users) if node not in self.several else ():
                if z in self.several:  # of which node is one result
                    if x not in inputs_among(z, self.users):
                        continue
                    z, c = x, unwritten(found[node], self.slope(node, x), x)
                elif z is x or z in self.folded:
                    c = self.pulled(node, z, found[node])
                else:
                    continue
                found[z] = found[z] + c if z in found else c
        return found[x]

    def factor(self, y: Value, x: Value) -> Phrase:
        """∂y/∂x as a formula."""
        return self.passed(y, x, Symbol(number(1), ones(y.data))).phrase

    def pulled(self, y: Value, x: Value, g: Symbol) -> Symbol:
        """What one operation passes back; where its rule has no formula, a product with the map ∂y/∂x."""
        try:
            with np.errstate(all="ignore"):
                parts = spell(y, self.symbol)
                c = as_number(lift(pulled(y.op, rules_of(y)[x], g, parts)))
                if not is_long(c.phrase, (g, *parts)):
                    return summed(g * c if y.op.elementwise else c, x.shape)
        except Exception:  # the rule asks for what only numbers can answer
            pass
        return unwritten(g, self.slope(y, x), x)

    def symbol(self, x: Any) -> Symbol:
        """A node as a symbol: its name, or, if it is folded, its formula."""
        data = plain(x)
        if self.is_folded(x):
            phrase = definition(self.graph, x, self.folded)
            try:
                with np.errstate(all="ignore"):
                    parts = [self.symbol(y) if is_shown(y) else y for y in arrays_of(x)]
                    return Symbol(x.op(*parts, *settings_of(x)).terms, data)
            except Exception:  # it takes any number of arrays, or has no formula of this kind
                pass
        else:
            phrase = name(self.graph.name(x))
        return Symbol(phrase, data, is_array=bool(shape_of(data)))

    def start(self) -> Symbol:
        """∂C/∂C = 1."""
        return Symbol(number(1), ones(self.root.data))

    def named(self, x: Value, called: Phrase) -> Symbol:
        """The gradient of a node under a name."""
        return Symbol(called, ones(x.data), is_array=bool(shape_of(x.data)))


def inputs_among(node: Value, chosen: Any) -> dict[Value, None]:
    """The variables that an operation takes and that are among the chosen ones, each once."""
    if node.op is None:
        return {}
    return {x: None for x in node.inputs if type(x) is Value and x in chosen}


def leading_to(order: Sequence[Value], targets: Iterable[Value]) -> list[Value]:
    """The Values that some targets lead to, and the targets that there are, inputs before results."""
    wanted = set(targets)
    found: dict[Value, None] = {}
    for node in order:
        if node in wanted or inputs_among(node, found):
            found[node] = None
    return [*found]


def gradients(root: Value, order: Sequence[Value], wanted: Any) -> dict[Value, Any]:
    """The gradients of all wanted Values: the backward pass (`exact.py`) without a trace in the graph."""
    adjoint: dict[Value, tuple[Any, Any]] = {root: (one(root), None)}
    for node in reversed(order):
        if node.op is None or node not in adjoint:
            continue
        arrivals(node, adjoint, wanted)
    return {x: total for x, (total, _) in adjoint.items()}


def arrivals(node: Value, adjoint: dict[Value, tuple[Any, Any]], wanted: Collection[Value]) -> None:
    """Add what an operation passes on to the gradients and masks of those of its inputs that are wanted."""
    g, live = adjoint[node]
    for x, c, mask in passed_on(node, g, live, 0, record=False):
        if x in wanted:
            total, other = adjoint.get(x, (None, mask))
            both = None if other is None or mask is None else other | mask
            adjoint[x] = (c if total is None else total + c), both


def summed(c: Symbol, shape: tuple[int, ...]) -> Symbol:
    """A gradient in the shape of its variable: what was broadcast is summed."""
    grown = shape_of(c.data)
    extra = len(grown) - len(shape)
    if extra < 0:
        return c  # a number that stands for all elements
    axes = (*range(extra), *[extra + a for a, n in enumerate(shape) if n == 1 and grown[extra + a] != 1])
    if any(grown[a] != 1 for a in axes):
        total = np.sum(c.data, axis=axes)
        c = (
            Symbol(number(first(total)), total)
            if is_number(c)
            else OPS["sum"](c, axis=axes[0] if len(axes) == 1 else axes)
        )
    return c if shape_of(c.data) == shape else OPS["reshape"](c, shape)


def unwritten(g: Symbol, slope: Phrase, x: Value) -> Symbol:
    """g times a map that has a name and no formula."""
    if not (is_number(g) and g.text == "1"):
        before = g.phrase.within(POWER)
        slope = Phrase(f"{before.text} · {slope.text}", rf"{before.tex} \cdot {slope.tex}", PRODUCT)
    return Symbol(slope, ones(x.data), is_array=bool(shape_of(x.data)))
