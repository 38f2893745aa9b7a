"""The builder's view of a graph: modules as cards, what repeats itself folded, and parts opened when asked for."""

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..value import Value
from .drawing import Drawing

if TYPE_CHECKING:
    from .plan import Fold


class ModelDrawing(Drawing):
    """A picture whose cards are modules and groups of equal parts; `expand` opens them."""

    smaller = "fold it (no fold=False, and fewer names opened), or lower max_cards"

    def __init__(
        self, root: Value, names: Mapping[str, Any], folding: bool, max_cards: int, opened: frozenset[str] = frozenset()
    ) -> None:
        from .parts import Parts
        from .planner import Planner

        parts = Parts(root, names, opened, folding)
        self._asked = root, names, folding, max_cards, opened
        self._known = known_names(parts.top)
        super().__init__(Planner(parts, folding, max_cards, opened).plan())  # type: ignore[arg-type]

    @functools.cached_property
    def dot(self) -> str:
        """The source of the picture, in Graphviz's language."""
        from .plan_dot import dot

        return dot(self.scene)  # type: ignore[arg-type]

    def expand(self, name: str) -> "Drawing":
        """The drawing with a module open, or with a group's copies drawn one by one, as the graph is now.

        Raises
        ------
        ValueError
            If there is no module or group of that name; the message lists those that can be opened.
        """
        root, names, folding, max_cards, opened = self._asked
        groups = group_names(self.scene.folds)  # type: ignore[attr-defined]
        if name in groups or name in self._known:
            return ModelDrawing(root, names, folding, max_cards, opened | {name})
        closed = [*groups, *(n for n in self._known if n not in opened)]
        listed = ", ".join(closed[:12]) + (", …" if len(closed) > 12 else "")
        raise ValueError(f"nothing here is called {name!r}; what can be opened: {listed or 'nothing'}")

    def frames(self) -> list["Drawing"]:
        """The steps of the backward pass are steps of operations: `draw(x, view="learn")` shows them."""
        raise ValueError('steps are drawn in the view of the learner: draw(x, view="learn")')


def known_names(spans: Iterable[Any]) -> list[str]:
    """The names of all modules, each once."""
    pending = list(spans)
    found: dict[str, None] = {}
    while pending:
        span = pending.pop(0)
        found[span.name] = None
        pending += span.parts
    return list(found)


def group_names(folds: Iterable["Fold"]) -> list[str]:
    """The names of groups, without the number of their copies."""
    return [fold.title.rpartition(" × ")[0] for fold in folds]
