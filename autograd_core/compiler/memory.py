"""Where results live: buffers that are used again as soon as nobody needs what is in them.

Fresh memory costs more than arithmetic: the first touch of each of its pages is a fault. So every result that does not
leave the program gets a place in memory that is allocated once, and an operation whose input is needed no longer
writes over it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .ir import ELEMENTWISE, VIEWS, Node


@dataclass
class Plan:
    """The buffer of each node that has one, and what the buffers are."""

    place: dict[Node, int] = field(default_factory=dict)
    sizes: list[Any] = field(default_factory=list)
    """The kind of each buffer: what `kind_of` said of the node that it was made for."""


def memories(order: list[Node]) -> dict[Node, tuple[Node, ...]]:
    """For each node those whose memory it may show: of a view its input's, of a call possibly any input's."""
    found: dict[Node, tuple[Node, ...]] = {}
    for node in order:
        shown: tuple[Node, ...] = ()
        if node.op in VIEWS or may_show(node):
            shown = tuple(dict.fromkeys(y for x in node.inputs for y in found.get(x, (x,))))
        found[node] = shown if node.op in VIEWS else (node, *shown)
    return found


def may_show(node: Node) -> bool:
    """Whether a node that is no view may be one, to NumPy: a call, a loop, and x[i] of a single i."""
    return node.op in ("call", "item", "scan") or (node.op == "gather" and not any(x.shape for x in node.inputs[1:]))


def last_uses(order: list[Node], kept: list[Node]) -> dict[Node, int]:
    """For each node the last step that reads its memory; those that are kept are read to the end."""
    last: dict[Node, int] = {}
    shown = memories(order)
    for step, node in enumerate(order):
        for x in node.inputs:
            last.update(dict.fromkeys(shown.get(x, (x,)), step))
    for node in kept:
        last.update(dict.fromkeys(shown.get(node, (node,)), len(order)))
    return last


def plan(order: list[Node], outputs: list[Node], wants: Callable[[Node], bool], kind_of: Callable[[Node], Any]) -> Plan:
    """Give a buffer to every node that wants one; nodes of one kind may share it, one after the other.

    `order` is the order of execution. A result may take the buffer of an input that it is the last to read, if it is
    elementwise and both have one shape: each element is read before it is written.
    """
    found = Plan()
    last = last_uses(order, outputs)
    free: dict[Any, list[int]] = {}
    ending: dict[int, list[Node]] = {}
    for node, step in last.items():
        ending.setdefault(step, []).append(node)
    for step, node in enumerate(order):
        dying = [x for x in ending.get(step, ()) if x in found.place]
        if wants(node):
            kind = kind_of(node)
            own = [x for x in dying if node.op in ELEMENTWISE and direct(node, x) and kind_of(x) == kind]
            if own:
                found.place[node] = found.place[own[0]]
                dying.remove(own[0])
            elif free.get(kind):
                found.place[node] = free[kind].pop()
            else:
                found.place[node] = len(found.sizes)
                found.sizes.append(kind)
            if node not in last:
                free.setdefault(kind, []).append(found.place[node])
        for x in dying:
            free.setdefault(kind_of(x), []).append(found.place[x])
    return found


def kept_by(order: list[Node], outputs: list[Node]) -> set[Node]:
    """The nodes whose memory the results may show."""
    shown = memories(order)
    return {x for y in outputs for x in shown.get(y, (y,))}


def direct(node: Node, x: Node) -> bool:
    """Whether a node reads the memory of x only as x itself, element by element in its own shape."""
    return x.shape == node.shape and all(y is x or not shows(y, x) for y in node.inputs)


def shows(node: Node, x: Node) -> bool:
    """Whether a node may show the memory of x."""
    while node.op in VIEWS:
        node = node.inputs[0]
    return node is x or (may_show(node) and any(shows(y, x) for y in node.inputs))
