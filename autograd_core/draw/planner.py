"""The builder's view of a graph: which of its boxes are drawn, the arrows between them, and the texts around them."""

import math
from collections.abc import Iterable

import numpy as np

from ..data import shape_of
from ..explain import phrases
from ..explain.digits import inline, shape_text
from ..explain.names import arrays_of, is_shown, settings_of
from .boxes import Boxes, size_of
from .measure import arrays, rms
from .parts import Part
from .passing import meaning
from .plan import Arrow, Box, Fold, Line, Plan, clip, rest


class Planner(Boxes):
    """Makes the plan of a graph in parts."""

    def plan(self) -> Plan:
        """As many parts as there is room for, with the leaves and the rest that they bring along."""
        allowed, plan = self.most, self._plan()
        while len(plan.cards) > allowed and self.most > 1:
            self.most = max(1, min(self.most - 1, self.most * allowed // len(plan.cards)))
            self.boxes, self.leaves, self.gradients = {}, set(), {}
            plan = self._plan()
        return plan

    def _plan(self) -> Plan:
        row = self._chosen()
        if not row:
            self._leaf_box(0)
        folds = [self._emit(element, top=True) for element in row]
        arrows = self._arrows()
        if len(row) < len(self.folded.row):
            arrows += self._stubs(set(row))
        largest = max((g for g in self.gradients.values() if g and math.isfinite(g)), default=0.0)
        for place, size in self.gradients.items():
            if size is not None and math.isfinite(size) and largest and len(self.gradients) > 1:
                self.boxes[f"p{place}"] = self.boxes[f"p{place}"]._replace(share=size / largest)
        cards = tuple(self.boxes.values())
        found = tuple(fold for fold in folds if fold)
        return Plan(self._title(), self._subtitle(len(cards)), cards, tuple(arrows), found, self._notes(found))

    # What of it is drawn ----------------------------------------------------------------------------------------------

    def _size(self, element: int) -> int:
        """How many boxes an element has."""
        group = self.folded.group(element)
        return sum(self._size(e) for e in group.copies[0]) if group else 1

    def _chosen(self) -> list[int]:
        """The elements of the row that are drawn: all, or those near to the result and to what is remarkable."""
        row, home = self.folded.row, self.folded.home
        sizes = {element: self._size(element) for element in row}
        if sum(sizes.values()) <= self.most or not row:
            return row
        near: dict[int, list[int]] = {element: [] for element in row}
        for element in row:
            for source in self._outside(element):
                other = home.get(source, source)
                if other != element:
                    near[element].append(other)
                    near[other].append(element)
        seeds = [home.get(self.parts.place, self.parts.place), *self._remarkable(row)]
        seen, reached, left = set(seeds), list(dict.fromkeys(seeds)), self.most
        chosen: set[int] = set()
        for element in reached:  # which grows: in the order of distance
            if sizes[element] > left and chosen:
                break
            chosen.add(element)
            left -= sizes[element]
            for other in near[element]:
                if other not in seen:
                    seen.add(other)
                    reached.append(other)
        return [element for element in row if element in chosen]

    def _outside(self, element: int) -> Iterable[int]:
        """The parts that the first copy of an element is computed from."""
        for inner in self._drawn_in(element):
            yield from self.parts.list[inner].sources

    def _remarkable(self, row: list[int]) -> list[int]:
        """The first that is not finite, and those with the largest and the smallest gradients."""
        sizes = {}
        broken: list[int] = []
        for element in row:
            out = self.parts.list[self.folded.last(element)].out
            gradient = rms(arrays(out.grad))
            if not all(np.all(np.isfinite(x)) for x in arrays(out.data)) or not math.isfinite(gradient or 0.0):
                broken.append(element)
            elif gradient is not None:
                sizes[element] = gradient
        ordered = sorted(sizes, key=lambda e: (sizes[e], e))
        return list(dict.fromkeys([*broken[:1], *broken[-1:], *ordered[-2:], *ordered[:2]]))

    # Arrows -----------------------------------------------------------------------------------------------------------

    def _arrows(self) -> list[Arrow]:
        """From source to part, once each; what one copy takes from the one before it is not drawn."""
        found: dict[tuple[str, str], Arrow] = {}
        for box in [*self.boxes]:
            if box[0] != "p":
                continue
            part = self.parts.list[int(box[1:])]
            for k in part.leaves:
                if k in self.leaves:
                    found[f"x{k}", box] = Arrow(f"x{k}", box, "")
            for place in part.sources:
                source = f"p{self.folded.shown(place)}"
                if source in self.boxes and source != box:
                    found[source, box] = Arrow(source, box, flow(self.parts.list[place]))
        return list(found.values())

    def _stubs(self, drawn: set[int]) -> list[Arrow]:
        """Boxes that stand for what is left out, one for each connected region, and the arrows from and to them."""
        home, boss = self.folded.home, {e: e for e in self.folded.row if e not in drawn}
        links = []
        for element in self.folded.row:
            for source in self._outside(element):
                other = home.get(source, source)
                if other in boss and element in boss:
                    boss[top_of(boss, other)] = top_of(boss, element)
                elif other != element and (other in boss or element in boss):
                    links.append((source, element))
        counts: dict[int, int] = {}
        for e in boss:
            counts[top_of(boss, e)] = counts.get(top_of(boss, e), 0) + self._size(e)
        ids = {region: f"m{k}" for k, region in enumerate(counts)}
        for region, count in counts.items():
            lines = (Line("", "max_cards shows more"),)
            self.boxes[ids[region]] = Box(ids[region], "more", rest(count), "", lines, None, rest(count))
        found: dict[tuple[str, str], Arrow] = {}
        for source, element in links:
            other = home.get(source, source)
            a = ids[top_of(boss, other)] if other in boss else f"p{self.folded.shown(source)}"
            if element in boss:
                found.setdefault((a, ids[top_of(boss, element)]), Arrow(a, ids[top_of(boss, element)], ""))
                continue
            for inner in self._drawn_in(element):
                if source in self.parts.list[inner].sources:
                    found.setdefault((a, f"p{inner}"), Arrow(a, f"p{inner}", ""))
        return list(found.values())

    def _drawn_in(self, element: int) -> Iterable[int]:
        """The parts of an element that have boxes."""
        pending = [element]
        while pending:
            group = self.folded.group(element := pending.pop())
            if group:
                pending += group.copies[0]
            else:
                yield element

    # Texts around it --------------------------------------------------------------------------------------------------

    def _title(self) -> str:
        kinds = [span.type + span.sizes() for span in self.parts.top]
        said = [*kinds[:4], *(["…"] if len(kinds) > 4 else [])]
        root = self.parts.root
        if not kinds:
            called = clip(self.parts.name(root, "leaf" if root.op is None else "out"))
            inputs = [phrases.name("…") if is_shown(x) else phrases.constant(x) for x in arrays_of(root)]
            alone = len(inputs) == 1 or any(not is_shown(x) for x in arrays_of(root))
            return f"{called} = {phrases.call(root.op, inputs, settings_of(root)).text}" if alone else called
        if self.parts.top[-1].end < root.stamp:
            said.append(clip(self.parts.name(root, root.op.name)))
        return " → ".join(said)

    def _subtitle(self, cards: int) -> str:
        variables = {id(p): p for part in self.parts.list if part.span for p in self._own(part)}
        variables |= {id(x): x for leaf in self.parts.leaves if leaf.is_variable for x in leaf.members}
        count, operations = sum(map(size_of, variables.values())), self.parts.operations
        root = self.parts.root
        parts = [f"{count:,} parameter{'s' * (count != 1)}"] if count else []
        parts.append(f"{operations:,} operation{'s' * (operations != 1)} in {cards} card{'s' * (cards != 1)}")
        parts.append(f"{clip(self.parts.name(root, 'result'))} = {inline(root.data)}")
        parts.append("no backward pass yet" if root.grad is None else "backward pass done")
        return "; ".join(parts)

    def _notes(self, folds: tuple[Fold, ...]) -> tuple[str, ...]:
        notes = [f"rms = √(mean of squares) over all elements; grad = {meaning(self.parts.root, 'result')}"]
        labels = {line.label for box in self.boxes.values() for line in box.lines}
        if "saturated" in labels:
            notes.append("saturated: a unit whose local derivative is below 5% of the largest possible")
        if "dead units" in labels:
            notes.append("dead unit: 0 for every sample")
        if folds:
            notes.append("dashed frame: equal parts one after the other, of which the first is drawn")
        return tuple(notes)


def top_of(boss: dict[int, int], e: int) -> int:
    """The representative of a set, with the path to it halved."""
    while boss[e] != e:
        boss[e] = boss[boss[e]]
        e = boss[e]
    return e


def flow(part: Part) -> str:
    """What an arrow says: the shape that flows, and how often."""
    shape = ", ".join(map(shape_text, map(shape_of, arrays(part.out.data))))
    many = 1 if part.span else len(part.members)
    return shape if many == 1 else f"{many:,} × {shape}" if shape else f"{many:,}"
