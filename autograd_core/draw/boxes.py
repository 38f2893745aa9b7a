"""The boxes of the builder's view: what each part, leaf and group shows."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import shape_of
from ..explain import phrases
from ..explain.digits import inline, shape_text
from ..explain.names import arrays_of, is_shown, settings_of
from ..value import Value, plain
from .fold import Folded, Group
from .measure import arrays, cut_off, remark, rms, shown
from .parts import Leaf, Part, Parts
from .plan import Box, Copy, Fold, Line, all_boxes, clip

MOST_ROWS = 12
"""How many copies the table of a group has."""

LONGEST_FORMULA = 30
"""How many characters the formula of an operation has, if it is shown."""

MOST_OPS = 4
"""How many operations a group is called by, if nothing in it has a name."""


class Boxes:
    """The boxes of a graph in parts, made as they are asked for."""

    def __init__(self, parts: Parts, folding: bool, max_cards: int, opened: frozenset[str] = frozenset()) -> None:
        self.parts = parts
        self.most = max_cards  # parts, of which there will be fewer if they bring many leaves along
        shared = {k for k, leaf in enumerate(parts.leaves) if len(leaf.users) > 1}
        self.shared = shared
        kinds = [self._kind(part) for part in parts.list]
        if parts.place >= 0:
            kinds[parts.place] = ("result",)  # which is drawn by itself, whatever it is equal to
        sources = [[*p.sources, *(-(k + 2) for k in p.leaves if k in shared)] for p in parts.list]
        self.folded = Folded(kinds, sources, [self._weight(part) for part in parts.list], folding)
        for element in list(self.folded.row):
            group = self.folded.group(element)
            if group and self._group_name(group) in opened:
                self.folded.unfold(element)
        self.boxes: dict[str, Box] = {}
        self.leaves: set[int] = set()
        self.gradients: dict[int, float | None] = {}

    # What there is ----------------------------------------------------------------------------------------------------

    def _kind(self, part: Part) -> tuple[Any, ...]:
        """What equal parts have in common, beside their sources."""
        own = tuple(
            (leaf.is_variable, shape_of(plain(leaf.members[0])), len(leaf.members))
            for leaf in (self.parts.leaves[k] for k in part.leaves if k not in self.shared)
        )
        shape = tuple(map(shape_of, arrays(part.out.data)))
        if part.span:
            held = tuple(np.shape(p.data) for _, p in parameters(part))
            return (part.span.type, held, shape, len(part.members), own)
        op = part.out.op
        settings = repr(part.out.inputs[len(part.out.inputs) - len(op.settings) :]) if op.settings else ""
        return (op, settings, shape, len(part.members), own)

    def _weight(self, part: Part) -> int:
        """How many parameters a part has for itself."""
        return sum(size_of(x) for x in self._own(part))

    # What is shown of it ----------------------------------------------------------------------------------------------

    def _emit(self, element: int, *, top: bool = False) -> Fold | None:
        """The boxes of an element; of a group of several, as a fold."""
        group = self.folded.group(element)
        if group is None:
            self._box(element)
            return None
        first = group.copies[0]
        if not top and len(first) == 1 and first[0] < self.folded.size:
            self._box(first[0], repeated=len(group.copies))
            return None
        before = len(self.boxes)
        inner = [self._emit(e) for e in first]
        inside = tuple(box for box in list(self.boxes)[before:] if box[0] == "p")
        folds = tuple(fold for fold in inner if fold)
        taken = {box for fold in folds for box in all_boxes(fold)}
        copies, said = self._copies(group) if top else ((), "")
        of = "parameters" if self._own(self.parts.list[self._main(first)]) else "outputs"
        return Fold(
            f"g{element}",
            f"{self._group_name(group)} × {len(group.copies):,}",
            f"the first of {len(group.copies):,}; grad of {of}",
            tuple(box for box in inside if box not in taken),
            folds,
            copies,
            said,
        )

    def _main(self, copy: list[int]) -> int:
        """The part of a copy that names it: the first with parameters, or the last."""
        firsts = [e for e in copy if e < self.folded.size]
        return next((e for e in firsts if self._own(self.parts.list[e])), self.folded.last(copy[-1]))

    def _group_name(self, group: Group) -> str:
        """The range of the names of modules or results, layers.2..20; or what the operations of a copy are."""
        mains = [self.parts.list[self._main(group.copies[k])] for k in (0, -1)]
        if not all(main.span or self.parts.name(main.out) for main in mains):
            ops = [part.out.op.name for part in map(self.parts.list.__getitem__, self._drawn_in_copy(group.copies[0]))]
            return " → ".join(ops if len(ops) <= MOST_OPS else [*ops[: MOST_OPS - 1], "…", ops[-1]])
        a, b = map(self._called, mains)
        k = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        while k and a[k - 1].isdigit():
            k -= 1
        if a == b or not a[k:].isdigit() or not b[k:].isdigit():
            return a if a == b else f"{clip(a)} to {clip(b)}"
        return f"{a[:k]}{a[k:]}..{b[k:]}"

    def _copies(self, group: Group) -> tuple[tuple[Copy, ...], str]:
        """The rows of a group's table, and what is remarkable about them."""
        mains = [self.parts.list[self._main(copy)] for copy in group.copies]
        lasts = [self.parts.list[self.folded.last(copy[-1])] for copy in group.copies]
        gradients = [self._gradient(main, last) for main, last in zip(mains, lasts, strict=True)]
        largest = max((g for g in gradients if g and math.isfinite(g)), default=0.0)
        count = len(gradients)
        places = range(count)
        if count > MOST_ROWS:
            places = sorted({round(k * (count - 1) / (MOST_ROWS - 1)) for k in range(MOST_ROWS)})  # type: ignore[assignment]
        names = [clip(main.span.name) if main.span else f"copy {k:,}" for k, main in enumerate(mains, start=1)]
        rows = []
        for k in places:
            g = gradients[k]
            heat = g / largest if g is not None and math.isfinite(g) and largest else None
            rows.append(Copy(names[k], shown(rms(results(lasts[k], "data"))), shown(g), heat))
        return tuple(rows), remark(gradients, names)

    def _drawn_in_copy(self, elements: list[int]) -> list[int]:
        """The parts of a copy that have boxes, in order."""
        found, pending = [], elements[::-1]
        while pending:
            group = self.folded.group(element := pending.pop())
            if group:
                pending += group.copies[0][::-1]
            else:
                found.append(element)
        return found

    def _gradient(self, main: Part, last: Part) -> float | None:
        """The size of the gradients of a part's own parameters; if it has none, of the result of its copy."""
        own = self._own(main)
        return rms(p.grad for p in own) if own else rms(results(last, "grad"))

    def _own(self, part: Part) -> list[Value]:
        """The variables that only this part uses, or that its module holds."""
        if part.span:
            return [p for _, p in parameters(part)]
        leaves = [self.parts.leaves[k] for k in part.leaves if k not in self.shared]
        return [x for leaf in leaves if leaf.is_variable for x in leaf.members]

    def _called(self, part: Part) -> str:
        return part.span.name if part.span else self.parts.name(part.out, part.out.op.name)

    def _box(self, place: int, repeated: int = 1) -> None:
        """The box of a part, and those of the leaves that it does not keep to itself."""
        part = self.parts.list[place]
        grouped = place in self.folded.home
        for k in part.leaves:
            leaf = self.parts.leaves[k]
            if k in self.shared or not (leaf.is_variable or grouped):
                self._leaf_box(k)
        lines = [*self._own_lines(part, grouped), *result_lines(part)]
        own = self._own(part)
        if own:
            self.gradients[place] = rms(p.grad for p in own)
            lines.append(Line("parameters' grad", gradient_text(own), "grad"))
        is_root = place == self.parts.place
        name = self.parts.name(part.out, "out") if is_root and not part.span else clip(self._called(part))
        many = repeated * (1 if part.span else len(part.members))
        kind = "output" if is_root else "parameter" if own else "operation"
        op = part.out.op.name
        alone = part.span.word if part.span else self._formula(part.out) or (op if name != op else "operation")
        word = f"× {many:,}" if many > 1 else alone
        self.boxes[f"p{place}"] = Box(f"p{place}", kind, name, word, tuple(lines), None, f"{name}, {word}")

    def _own_lines(self, part: Part, grouped: bool) -> list[Line]:
        """What a part holds or has for itself alone: names and shapes, and how many numbers that is."""
        if part.span:
            held = [(name, [p]) for name, p in parameters(part)]
        else:
            leaves = [self.parts.leaves[k] for k in part.leaves if k not in self.shared]
            held = [(self._leaf_name(x, ""), x.members) for x in leaves if x.is_variable]
        lines = []
        if 0 < len(held) < 3 and all(name for name, _ in held):
            names, shapes = zip(*[(clip(name), sizes_text(members)) for name, members in held], strict=True)
            lines.append(Line(", ".join(names), ", ".join(shapes), "value"))
        if held:
            lines.append(Line("parameters", counted([members for _, members in held])))
        for k in part.leaves:
            leaf = self.parts.leaves[k]
            if grouped and k not in self.shared and not leaf.is_variable:
                named = self._leaf_name(leaf, "constant")
                lines.append(Line(clip(named), shape_text(shape_of(leaf.members[0])), "value"))
        if part.span and len(part.members) > 1:
            lines.append(Line("operations", f"{len(part.members):,}"))
        return lines

    def _formula(self, out: Value) -> str:
        """An operation as a formula of the names and numbers that it takes, dots for what has none; if it is short."""
        names = [self.parts.name(x) if is_shown(x) else phrases.constant(x).text for x in arrays_of(out)]
        if any(names):
            inputs = [phrases.name(clip(name) or "…") if is_shown(x) else phrases.constant(x)
                      for name, x in zip(names, arrays_of(out), strict=True)]  # fmt: skip
            written = phrases.call(out.op, inputs, settings_of(out)).text
            if len(written) <= LONGEST_FORMULA:
                return written
        return ""

    def _leaf_name(self, leaf: Leaf, otherwise: str) -> str:
        """The name of a leaf; of several, that of the first, and dots."""
        name = self.parts.name(leaf.members[0])
        return f"{name}, …" if name and len(leaf.members) > 1 else name or otherwise

    def _leaf_box(self, k: int) -> None:
        if k in self.leaves:
            return
        self.leaves.add(k)
        leaf: Leaf = self.parts.leaves[k]
        first, count = leaf.members[0], len(leaf.members)
        data = plain(first)
        kind = "parameter" if leaf.is_variable else "input"
        name = clip(self._leaf_name(leaf, "parameter" if leaf.is_variable else "constant"))
        lines = [Line("shape", shape_text(shape_of(data)), "value")] if shape_of(data) else []
        value = inline(data) if count == 1 else f"rms {shown(rms(plain(x) for x in leaf.members))}"
        lines.append(Line("value", value, "value"))
        if leaf.is_variable:
            lines.append(Line("grad", gradient_text(leaf.members), "grad"))
        word = f"{count:,} of them" if count > 1 else kind if self._leaf_name(leaf, kind) != kind else ""
        self.boxes[f"x{k}"] = Box(f"x{k}", kind, name, word, tuple(lines), None, f"{name}, {kind}")


def parameters(part: Part) -> list[tuple[str, Value]]:
    """The parameters of a part's module, with their names in it."""
    method: Callable[[], Any] | None = getattr(part.span.module, "named_parameters", None) if part.span else None
    if method is not None:
        return [(name, p) for name, p in method() if type(p) is Value]
    held = vars(part.span.module).items() if part.span else ()
    return [(name, p) for name, p in held if type(p) is Value and p.op is None]


def counted(held: list[list[Value]]) -> str:
    """How many parameters there are; and in how many arrays, if they are not all told."""
    variables = {id(x): x for members in held for x in members}.values()
    arrays = sum(bool(shape_of(x.data)) for x in variables)
    count = f"{sum(map(size_of, variables)):,}"
    return f"{count} in {arrays:,} arrays" if len(held) > 2 and arrays > 1 else count


def size_of(x: Value) -> int:
    """How many numbers a Value holds."""
    return 1 if type(x.data) is float else int(np.size(x.data))


def sizes_text(members: list[Value]) -> str:
    """The shape of a parameter, and how many there are of it."""
    shape = shape_text(shape_of(members[0].data))
    if len(members) == 1:
        return shape or "a number"
    return f"{len(members):,} × {shape}" if shape else f"{len(members):,} numbers"


def outputs(part: Part) -> list[Value]:
    return [part.out] if part.span else part.members


def results(part: Part, what: str) -> list[Any]:
    """The arrays that a part results in, or those of their gradients: what is `data` or `grad`."""
    return [x for out in outputs(part) for x in arrays(getattr(out, what))]


def gradient_text(variables: list[Value]) -> str:
    """The gradient of one number, or the size of several."""
    size = rms(x.grad for x in variables)
    if size is None:
        return "–"
    return inline(variables[0].grad) if sum(map(size_of, variables)) == 1 else f"rms {shown(size)}"


def result_lines(part: Part) -> list[Line]:
    """The result of a part and its gradient, and how much of it is cut off."""
    outs, data = outputs(part), results(part, "data")
    if len(data) == 1 and np.size(data[0]) == 1:
        lines = [Line("output", inline(data[0]), "value")]
    else:
        shape = ", ".join(map(shape_text, map(shape_of, arrays(outs[0].data))))
        lines = [Line("output", f"{shape} rms {shown(rms(data))}".strip(), "value")]
    size = rms(results(part, "grad"))
    number = len(data) == 1 and np.size(data[0]) == 1 and size is not None
    gradient = inline(outs[0].grad) if number else shown(size) if size is None else f"rms {shown(size)}"
    lines.append(Line("output's grad", gradient, "grad"))
    if found := cut_off(outs if not part.span else [part.out]):
        lines.append(Line(*found))
    return lines
