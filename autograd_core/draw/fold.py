"""Folding a list of parts: what repeats itself is one group, and groups of groups follow.

Two neighbours at a distance p are equal if they are of the same kind, and if each source of the second is p after that
of the first, or the same one. A run of equal neighbours is what a loop leaves: p parts, over and over. Shorter periods
are folded first, so that what repeats inside of a layer is one element when the layers are compared.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

FEWEST = 3
"""How many copies make a group."""

ARITY = 6
"""How many sources of a part are compared; one with more is equal to none."""

CANDIDATES = 12
"""How many periods are tried at a time: those distances at which most parts are like each other."""

CONTEXTS = (2, 4, 8, 16, 32)
"""How many parts before one are compared with it, where single parts give no period away."""

Ints = np.ndarray[Any, np.dtype[np.int64]]


class Group:
    """Copies of a sequence of elements, of which the first is drawn for all."""

    def __init__(self, copies: list[list[int]]) -> None:
        self.copies = copies


class Folded:
    """Elements: the parts by their places, and groups after them."""

    def __init__(
        self, kinds: Sequence[Any], sources: Sequence[Sequence[int]], weights: Sequence[int], folding: bool = True
    ) -> None:
        """`sources` of each part are places of parts, or below 0 what stands for something outside of the list.

        `weights` are the parameters that each part has: a copy begins with the part that has most.
        """
        self.size = len(kinds)
        self.groups: list[Group] = []
        self.row = list(range(self.size))
        """The elements in order, those in groups left out."""
        self._interned: dict[Any, int] = {}
        self._kinds = [self._intern(kind) for kind in kinds]
        self._sources = [tuple(s) for s in sources]
        self._weights = weights
        self._alias: dict[int, int] = {}
        self.home: dict[int, int] = {}
        """The element of the row that each part in a group belongs to."""
        while folding and self._round():
            pass

    def group(self, element: int) -> Group | None:
        return self.groups[element - self.size] if element >= self.size else None

    def shown(self, part: int) -> int:
        """The part that is drawn for a part: itself, or the one in its place in the first copy."""
        while (other := self._alias.get(part, part)) != part:
            part = other
        return part

    def last(self, element: int) -> int:
        """The last part of an element."""
        while group := self.group(element):
            element = group.copies[-1][-1]
        return element

    def unfold(self, element: int) -> None:
        """Put the copies of a group of the row into its place."""
        group = self.groups[element - self.size]
        at = self.row.index(element)
        self.row[at : at + 1] = [e for copy in group.copies for e in copy]
        for copy in group.copies[1:]:
            for e, _ in self._pairs(copy, group.copies[0]):
                self._alias.pop(e)
        self._settle()

    def _settle(self) -> None:
        self.home = {e: element for element in self.row if element >= self.size for e in self.inside(element)}

    def _pairs(self, copy: list[int], first: list[int]) -> Iterator[tuple[int, int]]:
        """The elements of a copy beside those of the first, and so on within the groups that are drawn."""
        pending = list(zip(copy, first, strict=True))
        while pending:
            element, drawn = pending.pop()
            yield element, drawn
            a, b = self.group(element), self.group(drawn)
            if a and b:
                pending += zip(a.copies[0], b.copies[0], strict=True)

    def inside(self, element: int) -> Iterator[int]:
        """All elements in a group, and in the groups in it."""
        pending = [element]
        while pending:
            if group := self.group(pending.pop()):
                for copy in group.copies:
                    yield from copy
                    pending += [e for e in copy if e >= self.size]

    def _intern(self, kind: Any) -> int:
        return self._interned.setdefault(kind, len(self._interned))

    # One round: the shortest period that there is ---------------------------------------------------------------------

    def _round(self) -> bool:
        kinds: Ints = np.array([self._kinds[e] for e in self.row], np.int64)
        if len(kinds) < FEWEST:
            return False
        sources = self._places()
        for period in candidates(kinds):
            found = runs(kinds, sources, period)
            if found:
                self._replace(period, found)
                return True
        return False

    def _places(self) -> Ints:
        """The sources of each element of the row as places in the row; what is outside is far from everything."""
        where: dict[int, int] = {}
        for place, element in enumerate(self.row):
            where[element] = place
        table = np.full((len(self.row), ARITY), -1 << 31, np.int64)  # no source: at no distance from anything
        for place, element in enumerate(self.row):
            for k, source in enumerate(self._sources[element]):
                if k == ARITY:
                    table[place] = -(2 + place) << 33  # equal to none
                    break
                if source < 0:
                    table[place, k] = source << 32
                else:
                    table[place, k] = where[self.home.get(source, source)]
        return table

    def _replace(self, period: int, found: list[tuple[int, int]]) -> None:
        """Put groups into the row, in the place of runs."""
        row, after = [], 0
        for start, length in found:
            start, copies = self._phase(start, length, period)
            if copies < FEWEST or start < after:
                continue
            row += self.row[after:start]
            members = [self.row[start + c * period : start + (c + 1) * period] for c in range(copies)]
            element = self.size + len(self.groups)
            self.groups.append(Group(members))
            row.append(element)
            after = start + copies * period
            self._describe(members)
        self.row = row + self.row[after:]
        self._settle()

    def _phase(self, start: int, length: int, period: int) -> tuple[int, int]:
        """Where the first copy begins, and how many there are, one less than could be if it begins better then."""
        weights = [self._weights[self._first(e)] for e in self.row[start : start + period]]
        shift = weights.index(max(weights))
        copies = (length - shift) // period
        return (start + shift, copies) if copies >= FEWEST else (start, length // period)

    def _first(self, element: int) -> int:
        while group := self.group(element):
            element = group.copies[0][0]
        return element

    def _describe(self, members: list[list[int]]) -> None:
        """The kind and the sources of a new group, and what is drawn for the parts of its copies."""
        first = members[0]
        self._kinds.append(self._intern(("group", len(members), tuple(self._kinds[e] for e in first))))
        inside = {e for copy in members for e in copy}
        outside = {s: None for e in first for s in self._sources[e] if s < 0 or self.home.get(s, s) not in inside}
        self._sources.append(tuple(outside))
        for copy in members[1:]:
            self._alias.update(self._pairs(copy, first))


def candidates(kinds: Ints) -> Iterator[int]:
    """The distances at which elements of one kind follow each other, the commonest dozen, in ascending order.

    A loop may use an operation several times: mul mul sub mul sub. Each is then nearer to another one than to itself in
    the next turn. So elements are compared along with those before them, too, two by two, four by four, and so on.
    """
    tried: set[int] = set()
    for length in (1, *CONTEXTS):
        if length > 1:
            half = length // 2
            pairs = kinds[half:] * np.int64(1 + kinds.max()) + kinds[:-half]
            kinds = np.unique(pairs, return_inverse=True)[1]
        if len(kinds) < FEWEST * length:
            return
        order = np.argsort(kinds, kind="stable")
        same = kinds[order[1:]] == kinds[order[:-1]]
        gaps, counts = np.unique((order[1:] - order[:-1])[same], return_counts=True)
        common = np.sort(gaps[np.argsort(-counts, kind="stable")[:CANDIDATES]])
        yield from (gap for gap in common.tolist() if gap not in tried)
        tried.update(common.tolist())


def runs(kinds: Ints, sources: Ints, period: int) -> list[tuple[int, int]]:
    """Where a run of this period begins and how many elements it has, of runs of enough copies."""
    if period * FEWEST > len(kinds):
        return []
    moved = sources[period:] - sources[:-period]
    equal = (kinds[period:] == kinds[:-period]) & ((moved == 0) | (moved == period)).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]]).astype(np.int8)))
    found = [(int(a), int(b - a + period)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [(start, length) for start, length in found if length >= FEWEST * period]
