"""The picture of a graph, to be looked at in a notebook or saved.

What makes the picture is imported when the first one is drawn: `import autograd_core` takes hardly longer than
`import numpy`, whether somebody draws afterwards or not.
"""

import functools
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .render import MissingRendererError, program_for, render

if TYPE_CHECKING:
    from .scene import Scene

MOST_CARDS = {"dot": 10_000, "svg": 1000, "pdf": 1000, "png": 250, "gif": 60}
"""How many cards are drawn: a layout takes seconds beyond that, and the memory of a PNG grows with its area."""

MOST_ROWS = 10_000
"""How many rows of cards the arrows may pass, all taken together: 100 uses of one weight in a row of 100 operations."""

SMALLER = (
    'view="model" folds what is equal and shows what is near to the result; or draw a part of it, such as an '
    "intermediate Value"
)
"""What to draw of a graph that is too large."""


class Drawing:
    """The picture of a graph as it was when it was drawn. It shows itself in Jupyter.

    >>> w = Value(3.0, name="w")
    >>> loss = (w - 1.0) ** 2
    >>> loss.backward()
    >>> drawing = draw(loss)
    >>> print(drawing.step(1).scene.subtitle)
    step 1 of 2: out passes its gradient on to v1
    """

    smaller = SMALLER

    def __init__(self, scene: "Scene", whole: "Scene | None" = None) -> None:
        self.scene = scene
        self.whole = scene if whole is None else whole  # what a frame is a frame of

    @functools.cached_property
    def dot(self) -> str:
        """The source of the picture, in Graphviz's language and in light colours."""
        from .dot import dot

        return dot(self.scene)

    def step(self, k: int) -> "Drawing":
        """The picture after k steps of the backward pass: what has not been reached by then is a dash.

        Each step is one operation, which passes its gradient on to its inputs; it is marked. A Value that several
        operations use shows the sum of what has arrived so far.

        Raises
        ------
        ValueError
            If no backward pass has run, or it has fewer steps.
        """
        frames = self.frames()
        if not isinstance(k, (int, np.integer)) or not 0 <= k < len(frames):
            raise ValueError(f"step {k!r}: the backward pass has steps 0 (before it) to {len(frames) - 1} (the last)")
        return frames[k]

    def frames(self) -> list["Drawing"]:
        """The pictures before the backward pass and after each of its steps; nothing moves from one to the next.

        Raises
        ------
        ValueError
            If no backward pass has run.
        """
        from .frames import frames

        return [Drawing(scene, self.whole) for scene in frames(self.whole)]

    def render(self, form: str, *, renderer: str = "auto", theme: str = "auto") -> bytes:
        """The picture as the bytes of an `svg`, `png`, `pdf`, `gif` or `dot` file; see `save`."""
        from .metrics import substituted
        from .scene import rows_passed
        from .svg import finished
        from .theme import THEMES, dark

        if form not in MOST_CARDS:
            raise ValueError(f"a drawing cannot be saved as {form!r}, only as {', '.join(sorted(MOST_CARDS))}")
        if theme not in THEMES:
            raise ValueError(f"theme={theme!r}: it is {', '.join(map(repr, THEMES))}")
        if form == "dot":
            return (dark(self.dot) if theme == "dark" else self.dot).encode()
        check_size(len(self.scene.cards), form, self.smaller)
        if rows_passed(self.scene) > MOST_ROWS:
            raise ValueError(f"the arrows of the graph are too many and too long for a picture: {self.smaller}")
        if form == "gif":
            from .animation import DPI, gif

            program = program_for("png", renderer)
            sources = [dark(frame.dot) if theme == "dark" else frame.dot for frame in self.frames()]
            return gif(render(substituted(source), "png", program, DPI) for source in sources)
        program = program_for(form, renderer)
        source = dark(self.dot) if theme == "dark" else self.dot
        if form != "svg":
            return render(substituted(source), form, program)
        svg = render(source, form, program).decode()
        return finished(svg, f"{self.scene.title}. {self.scene.subtitle}", follow=theme == "auto").encode()

    def save(self, path: str | os.PathLike[str], *, renderer: str = "auto", theme: str = "auto") -> None:
        """Write the picture to a file; its suffix says in which format.

        Parameters
        ----------
        path
            `.svg` and `.png`; `.pdf`, which needs the system's `dot`; `.gif`, the backward pass step by step, which
            needs Pillow; or `.dot`, the source.
        renderer
            `"graphviz-pure"`, the program that comes with this package; `"dot"`, the system's Graphviz; or `"auto"`,
            the first of them that is there.
        theme
            `"light"`, `"dark"`, or `"auto"`: an SVG then follows what its reader prefers, anything else is light.

        Raises
        ------
        MissingRendererError
            If there is no program to draw with; `.dot` needs none.
        ValueError
            For another format, renderer or theme, or if the graph is too large for a picture.
        ImportError
            For a GIF without Pillow.
        """
        form = os.path.splitext(path)[1].removeprefix(".").lower()
        picture = self.render(form, renderer=renderer, theme=theme)
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
        except (ValueError, RuntimeError) as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return f"<Drawing of {self.scene.title}: {len(self.scene.cards)} cards, {len(self.scene.edges)} arrows>"


def check_size(cards: int, form: str, smaller: str = SMALLER) -> None:
    """Refuse what no renderer can lay out."""
    if cards > MOST_CARDS[form]:
        larger = [f"{kind} up to {most:,}" for kind, most in MOST_CARDS.items() if most >= cards]
        hint = f" ({', '.join(larger)})" if larger else ""
        raise ValueError(
            f"the graph has {cards:,} cards, too many for {form}, up to {MOST_CARDS[form]:,}{hint}: {smaller}"
        )
