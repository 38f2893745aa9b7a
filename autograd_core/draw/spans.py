"""The calls of modules in a graph: nested intervals of stamps, each with its module and its dotted name."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from ..calls import calls_of
from ..data import shape_of
from ..explain.names import printable
from ..value import Value

MOST_TOLD = 16
"""How many characters of a module's settings are shown."""


class Span:
    """One call of a module."""

    def __init__(self, module: Any, start: int, end: int) -> None:
        self.module, self.start, self.end = module, start, end
        self.parts: list[Span] = []
        self.name = ""

    @property
    def type(self) -> str:
        return type(self.module).__name__

    @property
    def word(self) -> str:
        """The type, with what the module's repr says of its settings, if that is short: Linear(2, 16)."""
        told = getattr(self.module, "extra_repr", str)() if not self.parts else ""
        return f"{self.type}({told})" if told and len(told) < MOST_TOLD else self.type

    def sizes(self) -> str:
        """Of layers one after the other, their widths, 2-16×9-1."""
        if all(kind.__name__ != "Sequential" for kind in type(self.module).__mro__):
            return ""
        weights = [p.data.shape for _, p in named(self.module, "named_parameters") if len(shape_of(p.data)) == 2]
        if len(weights) < 2 or any(one[1] != other[0] for one, other in pairwise(weights)):
            return ""
        widths = [weights[0][0], *[n for _, n in weights]]
        runs = [(width, len(list(same))) for width, same in groupby(widths)]
        return " " + "-".join(f"{n}×{many}" if many > 2 else "-".join([f"{n}"] * many) for n, many in runs)

    def held(self) -> dict[int, str]:
        """What the module and its parts hold, by identity, with its dotted name."""
        found: dict[int, str] = {}
        for prefix, module in named(self.module, "named_modules") or [("", self.module)]:
            for name, item in getattr(module, "__dict__", {}).items():
                found.setdefault(id(item), f"{prefix}.{name}" if prefix else name)
        return {id(p): name for name, p in named(self.module, "named_parameters")} | found


def named(module: Any, method: str) -> list[tuple[str, Any]]:
    """What `named_parameters()` or `named_modules()` of a module yields; nothing if it has no such method."""
    yields = getattr(module, method, None)
    return [(str(name), item) for name, item in yields()] if callable(yields) else []


def outermost(operations: Iterable[Value], names: Mapping[str, Any]) -> list[Span]:
    """The calls that no other call contains, each with those inside of it, in the order in which they began."""
    found: dict[tuple[int, int], Span] = {}
    for node in operations:
        if node.calls is not None:
            for module, start in calls_of(node):
                span = found.setdefault((id(module), start), Span(module, start, node.stamp))
                span.end = max(span.end, node.stamp)
    top: list[Span] = []
    around: list[Span] = []
    for span in sorted(found.values(), key=lambda s: (s.start, -s.end)):
        while around and around[-1].end < span.end:
            around.pop()
        (around[-1].parts if around else top).append(span)
        around.append(span)
    christen(top, names)
    return top


def christen(top: Sequence[Span], names: Mapping[str, Any]) -> None:
    """Give each call the dotted name of its module, within the one outermost module or behind that module's name."""
    modules = {id(span.module): span.module for span in top}
    given = {id(x): name for name, x in reversed(list(names.items())) if id(x) in modules and not name.startswith("_")}
    dotted: dict[int, str] = {}
    for count, (key, module) in enumerate(modules.items()):
        own = given.get(key, type(module).__name__ + (f"_{count + 1}" if len(modules) > 1 else ""))
        for name, part in named(module, "named_modules") or [("", module)]:
            full = own if not name else name if len(modules) == 1 else f"{own}.{name}"
            dotted.setdefault(id(part), printable(full))
    pending = list(top)
    while pending:
        span = pending.pop()
        span.name = dotted.get(id(span.module), span.type)
        pending += span.parts


def closed(top: Sequence[Span], opened: frozenset[str]) -> list[Span]:
    """The calls to be drawn as one card: the outermost modules are open, and those that somebody opened."""
    found: list[Span] = []
    pending = [(span, bool(span.parts)) for span in reversed(top)]
    while pending:
        span, is_open = pending.pop()
        if is_open or span.name in opened:
            pending += [(part, False) for part in reversed(span.parts)]
        else:
            found.append(span)
    return sorted(found, key=lambda s: s.start)
