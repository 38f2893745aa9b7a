"""The picture of a graph, to be looked at in a notebook or saved.

What makes the picture is imported when the first one is drawn: `import autograd_core` takes hardly longer than
`import numpy`, whether somebody draws afterwards or not.
"""

import functools
import os
from typing import TYPE_CHECKING, Any

from .render import MissingRendererError, render

if TYPE_CHECKING:
    from .scene import Scene

MOST_CARDS = {"dot": 10_000, "svg": 1000, "png": 250}
"""How many cards are drawn: a layout takes seconds beyond that, and the memory of a PNG grows with its area."""

MOST_ROWS = 10_000
"""How many rows of cards the arrows may pass, all taken together: 100 uses of one weight in a row of 100 operations."""

SMALLER = "draw a part of it, such as an intermediate Value, or compute with arrays instead of single numbers"


class Drawing:
    """The picture of a graph as it was when it was drawn. It shows itself in Jupyter."""

    def __init__(self, scene: "Scene") -> None:
        self.scene = scene

    @functools.cached_property
    def dot(self) -> str:
        """The source of the picture, in Graphviz's language."""
        from .dot import dot

        return dot(self.scene)

    def render(self, form: str) -> bytes:
        """The picture as the bytes of an `svg`, `png` or `dot` file.

        Raises
        ------
        MissingRendererError
            If there is no program to draw with; `dot` needs none.
        ValueError
            For another format, or if the graph is too large for a picture.
        """
        from .scene import rows_passed

        if form not in MOST_CARDS:
            raise ValueError(f"a drawing cannot be saved as {form!r}, only as {', '.join(sorted(MOST_CARDS))}")
        if form == "dot":
            return self.dot.encode()
        check_size(len(self.scene.cards), form)
        if rows_passed(self.scene) > MOST_ROWS:
            raise ValueError(f"the arrows of the graph are too many and too long for a picture: {SMALLER}")
        return render(self.dot, form)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its suffix, .svg, .png or .dot, says in which format."""
        picture = self.render(os.path.splitext(path)[1].removeprefix(".").lower())
        with open(path, "wb") as file:
            file.write(picture)

    def expand(self, name: str) -> "Drawing":
        """In the builder's view, the drawing with a module or a group opened; the learner's view has none."""
        raise ValueError('nothing is folded in the learner\'s view: draw(x, view="model") shows modules and groups')

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        except MissingRendererError as error:
            return {"text/plain": f"{self!r}\n{error}\n\n{self.dot}"}
        except ValueError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return f"<Drawing of {self.scene.title}: {len(self.scene.cards)} cards, {len(self.scene.edges)} arrows>"


def check_size(cards: int, form: str) -> None:
    """Refuse what no renderer can lay out."""
    if cards > MOST_CARDS[form]:
        larger = [f"{kind} up to {most:,}" for kind, most in MOST_CARDS.items() if most >= cards]
        hint = f" ({', '.join(larger)})" if larger else ""
        raise ValueError(
            f"the graph has {cards:,} cards, too many for {form}, up to {MOST_CARDS[form]:,}{hint}: {SMALLER}"
        )
