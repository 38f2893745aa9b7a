"""`draw`: which view of a graph to show, and of a module, what a sample makes of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..recording import always_recording
from ..value import Value
from .drawing import Drawing, check_size

VIEWS = ("auto", "learn", "model")

LARGE = 100
"""From how many operations and variables on a graph is drawn folded, unless somebody asks for another view."""


def draw(
    x: Any,
    *sample: Any,
    names: Mapping[str, Any] | None = None,
    view: str = "auto",
    fold: bool | str = "auto",
    max_cards: int = 200,
) -> Drawing:
    """Draw the graph that a Value was computed with, or the one that a module makes of a sample.

    *The learner's view* has a card for every operation, with its formula, shape, value and gradient; its badge is its
    place in the backward pass. Leaf Values are blue, plain arrays grey, and the result is orange. On each arrow stands
    the local derivative, as a formula and as a number.

    *The builder's view* has a card for every call of a module, with its shapes, its parameters, the size (root mean
    square) of its output and of its gradients, and the share of units that pass hardly any gradient: saturated (sigmoid
    and tanh) or dead (relu). The outermost modules are open, their parts closed; `expand("layers.1")` opens one of
    them. Equal operations that compute in parallel are one card; three or more equal parts one after the other are one
    group, with a table of their gradients, and a remark where these differ by more than a factor of 10.

    Before `backward()`, gradients are dashes. Nothing in the graph is computed or changed.

    Parameters
    ----------
    x
        The result, usually a loss; or a module, which is copied and called.
    *sample
        Of a module, what it is called with.
    names
        What to call Values, arrays and modules that have no name of their own: a dictionary such as `locals()`.
    view
        `"learn"`, `"model"`, or `"auto"`: the builder's view if the graph passes through a call of a module that has
        parts, or has 100 operations and variables or more; the learner's otherwise.
    fold
        In the builder's view, whether equal parts are folded; `False` draws each by itself.
    max_cards
        In the builder's view, how many cards there may be. If there are more, those near to the result are drawn, and
        near to what is remarkable: not finite, or with the largest or smallest gradients. "… 12,431 more" stands for
        the rest.

    Returns
    -------
    Drawing
        It shows itself in Jupyter, `save("x.svg")` writes it to a file (.svg, .png, .pdf, .gif or .dot), and `dot` is
        its source. In the learner's view `step(k)` and `frames()` show the backward pass as it goes.

    Raises
    ------
    TypeError
        If x is neither a Value nor a module that makes one of the sample: plain data have no graph.
    ValueError
        If the graph has more than 10,000 cards in the learner's view, or for an unknown view.

    >>> w, x = Value(0.7), Value(2.0)
    >>> loss = (w * x - 1.0) ** 2
    >>> draw(loss, names=locals())
    <Drawing of loss = (w·x − 1)²: 5 cards, 4 arrows>
    """
    if names is not None and not isinstance(names, Mapping):
        raise TypeError("names is a dictionary from names to Values and arrays, such as locals()")
    if view not in VIEWS:
        raise ValueError(f"view={view!r}: it is {', '.join(map(repr, VIEWS))}")
    if not isinstance(fold, (bool, str)) or fold not in ("auto", True, False):
        raise ValueError(f"fold={fold!r}: it is 'auto', True or False")
    if isinstance(max_cards, bool) or not isinstance(max_cards, (int, np.integer)) or max_cards < 1:
        raise ValueError(f"max_cards={max_cards!r}: it is a whole number, at least 1")
    root = result_of(x, sample)
    names = dict(names or {})
    for k, given in enumerate(sample, start=1):  # what has a name keeps it
        names.setdefault("input" if len(sample) == 1 else f"input {k}", given)
    if view == "model" or (view == "auto" and is_for_builders(root)):
        from .model import ModelDrawing

        return ModelDrawing(root, names, bool(fold), max_cards)
    from ..explain.names import read
    from .scene import compose

    graph = read(root, names)
    check_size(len(graph.nodes), "dot")
    return Drawing(compose(graph))


def result_of(x: Any, sample: tuple[Any, ...]) -> Value:
    """The Value to draw: x itself, or what a copy of the module x makes of the sample."""
    if type(x) is Value:
        if sample:
            raise TypeError("a sample is for a module to be called with; a Value has its graph already")
        return x
    if not hasattr(x, "named_parameters"):
        several = ": draw one of the results, or their sum" if isinstance(x, (list, tuple)) else ""
        raise TypeError(
            f"draw takes a Value, the result of operations on Values; a {type(x).__name__} has no graph{several}"
        )
    if not sample:
        raise TypeError(f"draw(model, x): a sample x is missing, for the {type(x).__name__} to be called with")
    import copy

    with always_recording():
        out = copy.deepcopy(x)(*sample)  # a copy: a call may change running means and random generators
    if type(out) is not Value:
        raise TypeError(
            f"this {type(x).__name__} makes a {type(out).__name__} of the sample, which has no graph to draw: "
            "pass the Value to be drawn, or a module with a parameter that is a Value"
        )
    return out


def is_for_builders(root: Value) -> bool:
    """Whether a graph has 100 operations and variables or more, or passes through a module that has parts."""
    from .spans import outermost

    pending, seen = [root], {root}
    while pending and len(seen) < LARGE:
        for x in pending.pop().inputs:
            if type(x) is Value and x not in seen:
                seen.add(x)
                pending.append(x)
    return len(seen) >= LARGE or any(span.parts for span in outermost(seen, {}))


def _repr_mimebundle_(self: Value, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """What Jupyter shows of a Value: its graph, if it is the result of an operation."""
    shown = {"text/plain": repr(self)}
    if self.op is None:
        return shown
    try:
        return draw(self)._repr_mimebundle_() | shown
    except ValueError:  # too large a graph
        return shown


Value._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]
