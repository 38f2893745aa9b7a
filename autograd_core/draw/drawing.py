"""The picture of a graph, to be looked at in a notebook or saved.

What makes the picture is imported when the first one is drawn: `import autograd_core` takes hardly longer than
`import numpy`, whether somebody draws afterwards or not.
"""

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..value import Value
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


def draw(x: Value, *, names: Mapping[str, Any] | None = None) -> Drawing:
    """Draw the graph that a Value was computed with.

    Every operation is a card with its formula, shape, value and gradient; its badge is its place in the backward pass.
    Leaf Values are blue, plain arrays grey, and the result is orange. On each arrow stands the local derivative, as a
    formula and as a number. Before `backward()`, gradients are dashes. Nothing in the graph is computed or changed.

    Parameters
    ----------
    x
        The result, usually a loss.
    names
        What to call Values and arrays that have no name of their own: a dictionary such as `locals()`.

    Returns
    -------
    Drawing
        It shows itself in Jupyter, `save("x.svg")` writes it to a file (.svg, .png or .dot), and `dot` is its source.

    Raises
    ------
    TypeError
        If x is not a Value: plain data have no graph.
    ValueError
        If the graph has more than 10,000 cards.

    >>> w, x = Value(0.7), Value(2.0)
    >>> loss = (w * x - 1.0) ** 2
    >>> draw(loss, names=locals())
    <Drawing of loss = (w·x − 1)²: 5 cards, 4 arrows>
    """
    from ..explain.names import read
    from .scene import compose

    if type(x) is not Value:
        raise TypeError(f"draw takes a Value, the result of operations on Values; a {type(x).__name__} has no graph")
    if names is not None and not isinstance(names, Mapping):
        raise TypeError("names is a dictionary from names to Values and arrays, such as locals()")
    graph = read(x, names)
    check_size(len(graph.nodes), "dot")
    return Drawing(compose(graph))
