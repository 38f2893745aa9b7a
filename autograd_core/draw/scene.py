"""What a picture shows, as plain data: cards, the arrows between them, and the pills on the arrows.

A scene holds texts and no arrays. It is made from a graph in one go, so that a drawing shows the numbers as they were
when it was asked for; and whatever turns it into a picture needs to know nothing of the engine.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..explain.derivatives import LocalDerivative, local_derivatives
from ..explain.digits import Summary, inline, shape_text, summary
from ..explain.names import Graph, arrays_of, is_shown, settings_of
from ..explain.phrases import Phrase, call, constant, name, partial
from ..op import CHOICE
from ..registry import OPS
from ..value import Value, plain
from .passing import Total, differs, meaning, totals

LONGEST = {"name": 24, "formula": 44, "pill": 56, "part": 40, "title": 64}
"""How many characters are shown of each kind of text."""

WIDE = 40
"""How many characters stand on one line of a pill."""

MOST_NAMED = 4
"""How many names are listed in the legend."""

THIN, THICK = 1.0, 3.5
"""The width of an arrow that passes back nothing, and of the one that passes back most."""


Note = tuple[tuple[str, str], ...]
"""A line of text in pieces, each with the role that colours it: value, grad or none."""


class Row(NamedTuple):
    """A labelled row of a card: lines of numbers, and details in small print."""

    label: str
    numbers: Summary
    role: str = ""
    """What colours it, if the label does not: value or grad."""
    room: tuple[Summary, ...] = ()
    """What else may stand here, in other frames of the same picture, for which there is to be room."""


class Card(NamedTuple):
    """A Value or an array."""

    id: str
    kind: str
    """parameter, input, operation or output"""
    name: str
    formula: str
    shape: str
    rows: tuple[Row, ...]
    badge: int | None
    """The place of an operation in the backward pass."""
    tooltip: str
    """Everything about it, unabridged."""
    mark: str = ""
    """In a frame of the backward pass: waiting, now or done."""


class Pill(NamedTuple):
    """What stands on an arrow: the local derivative."""

    lines: tuple[str, ...]
    note: str
    tooltip: str
    """The same, unabridged."""


class Edge(NamedTuple):
    """An arrow from an input to the result of an operation; one from a constant has no pill."""

    source: str
    target: str
    pill: Pill | None
    width: float
    total: Summary | None = None
    """What the gradient of the source amounts to once this arrow has passed its part back; None if it is not known."""
    mark: str = ""
    """In a frame of the backward pass: waiting, now or done."""


class Scene(NamedTuple):
    """A whole picture."""

    title: str
    subtitle: str
    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    notes: tuple[Note, ...]
    """The lines of the legend."""
    room: tuple[str, ...] = ()
    """Other subtitles, in other frames, for which there is to be room."""


def rows_passed(scene: Scene) -> int:
    """How many rows of cards the arrows pass, all taken together: what the time of a layout grows with."""
    rows: dict[str, int] = {}
    for arrow in scene.edges:  # in the order of the operations: the row of a source is final
        rows[arrow.target] = max(rows.get(arrow.target, 0), rows.get(arrow.source, 0) + 1)
    leaves: dict[str, int] = {}
    for arrow in scene.edges:  # a leaf stands right before its first use
        if arrow.source not in rows:
            leaves[arrow.source] = min(leaves.get(arrow.source, len(rows)), rows[arrow.target] - 1)
    rows |= leaves
    return sum(rows[arrow.target] - rows[arrow.source] for arrow in scene.edges)


def compose(graph: Graph) -> Scene:
    """The scene of a graph."""
    operations = [x for x in graph.nodes if type(x) is Value and x.op is not None]
    badges = {id(x): len(operations) - k for k, x in enumerate(operations)}
    derivatives = {id(node): local_derivatives(node, graph.name) for node in operations}
    sums = totals(operations, derivatives)
    cards = tuple(card(graph, x, badges.get(id(x)), sums.get(id(x))) for x in graph.nodes)
    arrows = edges(graph, operations, derivatives, sums)
    head = title(graph), subtitle(graph, len(operations))
    return Scene(*head, cards, arrows, notes(graph, cards, arrows))


def is_changed(x: Any, node: Value) -> bool:
    """Whether the data of an input are other ones than those that an operation was computed from."""
    return type(x) is Value and x.stamp > node.stamp


def clip(text: str, kind: str) -> str:
    """A text with its middle left out, if it is too long for its kind.

    >>> clip("a_name_that_nobody_will_ever_want_to_read", "name")
    'a_name_that…want_to_read'
    """
    most = LONGEST[kind]
    return text if len(text) <= most else f"{text[: (most - 1) // 2]}…{text[-(most // 2) :]}"


# Cards ----------------------------------------------------------------------------------------------------------------


def card(graph: Graph, x: Any, badge: int | None, reached: Total | None = None) -> Card:
    """The card of a node; `reached` is what the backward pass passed to it."""
    data, variable = plain(x), type(x) is Value
    formula = written(graph, x).text if badge else ""
    shape = shape_text(data.shape) if hasattr(data, "shape") else ""
    kind = "input" if not variable else "parameter" if not badge else "output" if x is graph.root else "operation"
    rows = [Row("value", summary(data)), *(gradients(x, reached) if variable else [])]
    called = graph.name(x)
    return Card(
        identifier(graph, x),
        kind,
        clip(called, "name"),
        clip(formula, "formula"),
        shape,
        tuple(rows),
        badge,
        f"{called} = {formula}, {kind}" if formula else f"{called}, {kind}",
    )


def gradients(x: Value, reached: Total | None) -> list[Row]:
    """The gradient of this pass, and what `grad` holds if that is something else: the sum over several passes."""
    held = Row("grad", summary(x.grad) if x.grad is not None else Summary((("–",),)))
    if reached is None or reached.gradient is None or not differs(x.grad, reached):
        return [held]
    return [Row("grad", summary(reached.gradient)), held._replace(label=".grad", role="grad")]


def identifier(graph: Graph, x: Any) -> str:
    """The node's id in DOT, from its place: the same in every run."""
    return f"n{graph.places[id(x)]}"


def written(graph: Graph, node: Value, *, dense: bool = False) -> Phrase:
    """An operation as a formula of the names of its inputs."""
    arrays = arrays_of(node)
    phrases = [name(graph.name(x)) if is_shown(x) else constant(x) for x in arrays]
    return call(node.op, phrases, settings_of(node), dense=dense)


# Arrows ---------------------------------------------------------------------------------------------------------------


def edges(
    graph: Graph,
    operations: Sequence[Value],
    derivatives: dict[int, list[LocalDerivative]],
    sums: dict[int, Total],
) -> tuple[Edge, ...]:
    """An arrow from every input to every operation that uses it."""
    flows = [d.flow for of in derivatives.values() for d in of if d.flow is not None and math.isfinite(d.flow)]
    most = max(flows, default=0.0)
    uses = Counter(id(d.source) for of in derivatives.values() for d in of)
    found = []
    for node in operations:
        labels = {id(d.source): d for d in derivatives[id(node)]}
        for x in {id(x): x for x in arrays_of(node) if is_shown(x)}.values():
            d = labels.get(id(x))
            total = sums[id(x)].partial.get(id(node)) if d else None
            share = d.flow / most if d and d.flow is not None and math.isfinite(d.flow) and most else 0.0
            found.append(
                Edge(
                    identifier(graph, x),
                    identifier(graph, node),
                    pill(d, graph.name(node), graph.name(x), shared=uses[id(x)] > 1) if d else None,
                    THIN + (THICK - THIN) * share,
                    None if total is None else summary(total),
                )
            )
    return tuple(found)


def pill(d: LocalDerivative, out: str, x: str, *, shared: bool) -> Pill:
    """The local derivative as formula and number; of an input that others use too, the gradient gets an addend."""
    out, x = clip(out, "name"), clip(x, "name")
    head = f"{partial(name(out), name(x)).text} =" if d.is_factor else f"grad({x}) {'+' * shared}="
    number = "" if d.number is None or not np.size(d.number) else inline(d.number)
    if d.formula is None and not number:
        head, formula = f"{head.removesuffix('=').rstrip('+ ')}:", "no short formula"
    else:
        formula = number if d.formula is None else d.formula.text
    whole, formula = formula, clip(formula, "pill")
    lines = [f"{head} {formula}"] if len(head) + len(formula) < WIDE else [head, formula]
    if number not in ("", formula):
        short = " " not in number and d.formula is not None and d.formula.precedence > CHOICE
        if short and len(lines[-1]) + len(number) < WIDE:
            lines[-1] += f" = {number}"
        else:
            lines.append(number)
    note = f"Σ over {d.summed} (broadcast)" if d.summed > 1 else ""
    return Pill(tuple(lines), note, " ".join(lines).replace(formula, whole, 1))


# Texts around it ------------------------------------------------------------------------------------------------------


def title(graph: Graph) -> str:
    """The expression of the result, in which parts that are too long go by their names, or by those of their inputs."""
    root = graph.root
    phrases: dict[int, Phrase] = {}
    for x in graph.nodes:
        choices = [name(graph.name(x))]
        if type(x) is Value and x.op is not None:
            whole, last = expanded(x, phrases), written(graph, x, dense=True)
            choices = [whole, last, *choices] if x is root or graph.name(x) in graph.generated else [whole, *choices]
        most = LONGEST["title" if x is root else "part"]
        phrases[id(x)] = next((phrase for phrase in choices if len(phrase.text) <= most), choices[-1])
    called = clip(graph.name(root), "name")
    return f"{called} = {clip(phrases[id(root)].text, 'title')}" if root.op is not None else called


def expanded(node: Value, phrases: dict[int, Phrase]) -> Phrase:
    """An operation as a formula of the formulas of its inputs."""
    arrays = arrays_of(node)
    parts = [phrases[id(x)] if is_shown(x) else constant(x) for x in arrays]
    if node.op.name == "mul" and arrays[0] is arrays[1]:
        return call(OPS["square"], parts[:1])
    return call(node.op, parts, settings_of(node), dense=True)


def subtitle(graph: Graph, operations: int) -> str:
    """The result, and how far the backward pass has come."""
    value = f"{clip(graph.name(graph.root), 'name')} = {inline(graph.root.data)}"
    if not operations:
        return f"{value}; no operation"
    state = "no backward pass yet"
    if graph.root.grad is not None:
        state = "backward pass done"
    elif any(type(x) is Value and x.grad is not None for x in graph.nodes):
        state = "gradients of some leaves only"
    return f"{value}; {state}, {operations} operation{'s' * (operations > 1)}"


def notes(graph: Graph, cards: Sequence[Card], arrows: Sequence[Edge]) -> tuple[Note, ...]:
    """What the rows, the badges, the pills and the lines mean."""
    if not arrows:
        return ()
    root, last = clip(graph.name(graph.root), "name"), max(card.badge or 0 for card in cards)
    done = graph.root.grad is not None
    some = any(type(x) is Value and x.grad is not None for x in graph.nodes)
    waits = "a dash where none is kept" if some else "a dash until the backward pass"
    order = f"filled backward in badge order 1 to {last}" if done else waits
    thick = "; thicker line = more gradient" if done else ""
    lines: list[Note] = [
        (
            ("value", "value"),
            (" computed forward, ", ""),
            ("grad", "grad"),
            (f" = {meaning(graph.root, root)}, {order}", ""),
        ),
        (("pill", "grad"), (f" = local derivative; grad(input) = Σ grad(result) × pill{thick}", "")),
    ]
    if any(arrow.pill is None for arrow in arrows):
        lines.append((("dashed line = from a constant, to which no gradient flows", ""),))
    if any(type(x) is Value and x.dtype.kind == "c" for x in graph.nodes):
        lines.append(
            (("complex: ∂ = ∂/∂Re − i ∂/∂Im; real inputs take the real part, a parameter's grad is conjugated", ""),)
        )
    operations = [x for x in graph.nodes if type(x) is Value and x.op is not None]
    changed = {clip(graph.name(y), "name"): None for x in operations for y in arrays_of(x) if is_changed(y, x)}
    if changed:
        named = ", ".join([*changed][:MOST_NAMED]) + ", …" * (len(changed) > MOST_NAMED)
        lines.append((("value", "value"), (f" of {named}: as it is now, changed after the result was computed", "")))
    rows = [row for card in cards for row in card.rows]
    if any(row.label == ".grad" for row in rows):
        lines.append(((".grad", "grad"), (" = what is held now, where it is not this pass's alone", "")))
    if any(row.numbers.details for row in rows):
        lines.append((("many elements: mean ± standard deviation, smallest to largest", ""),))
    return tuple(lines)
