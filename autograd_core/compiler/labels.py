"""What results are called in source: they after the ops of the engine, and gradients after what they belong to."""

from collections import Counter
from typing import Any

from ..value import Value, clock, plain
from .ir import Label, Node
from .traced import Traced


class Labels:
    """A watcher of a function that is being recorded (`recording.watched_by`), which labels the nodes, and notices a
    Value that was there before."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.gradients: dict[Value, Node] = {}
        self.begun = next(clock)
        self.outside: Value | None = None

    def notice(self, inputs: Any) -> None:
        """Remember a Value from before the recording: what it holds is no argument, and would be a constant."""
        for x in inputs:
            if type(x) is Value and x.stamp < self.begun and type(plain(x)) is not Traced:
                self.outside = x

    def recorded(self, value: Value) -> None:
        """Label the result of an op."""
        self.notice(value.inputs)
        name = value.op.name
        if (node := node_of(value)) is not None and node.label is None:
            self.counts[name] += 1
            node.label = Label(f"{name}_{self.counts[name]}", name)

    def pulled(self, node: Value, g: Any, x: Value, c: Any, total: Any) -> None:
        """Label a gradient; what was taken for all of it before is a part of it."""
        of, gradient = node_of(x), node_of(total)
        if of is None or of.label is None or gradient is None:
            return
        before = self.gradients.get(x)
        if before is not None and before is not gradient:
            before.label = None
        if gradient.label is None:
            name, _, chosen = of.label
            gradient.label = Label(f"grad_{name}", f"the gradient with respect to {name}", chosen)
            self.gradients[x] = gradient

    def dropped(self, op: Any, out: Any, inputs: Any) -> None:
        """What is not recorded has no gradient either."""
        self.notice(inputs)

    def before_pass(self, start: Any, **settings: Any) -> None:
        """The steps of the pass are told one by one."""


def node_of(x: Any) -> Node | None:
    """The node of a traced array, also within a Value."""
    data = plain(x)
    return data.node if type(data) is Traced else None


def label(x: Any, name: str, note: str) -> None:
    """Give a traced array the name that somebody chose for it."""
    if (node := node_of(x)) is not None:
        node.label = Label(name, note, chosen=True)
