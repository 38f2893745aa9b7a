"""A scene in Graphviz's language, DOT: cards and pills are tables, and a pill is a node in the middle of its arrow."""

from typing import Any

from ..explain.names import printable
from .scene import Card, Pill, Row, Scene, rows_passed

KINDS = {
    "parameter": ("#0072B2", "#DCEBF7"),
    "input": ("#7A7A7A", "#EFEFEF"),
    "operation": ("#8A8A8A", "#FFFFFF"),
    "output": ("#D55E00", "#FBE6D4"),
}
"""The outline and the ground of each kind of card. The colours are Okabe and Ito's, which colour-blind readers tell
apart; what a card is, its words and its badge say too. Every text has a contrast of at least 4.5 to 1 on its ground."""

VALUE, GRAD, QUIET, TEXT, WHITE = "#005A8C", "#A63A00", "#5F5F5F", "#000000", "#FFFFFF"
ROLES = {"value": VALUE, "grad": GRAD, "": "#444444"}
LINE, PILL = "#8A8A8A", "#E3B899"
SPACE = "&#160;"

MANY = 40
"""How many columns a cell spans that is to take all spare room: Graphviz deals it out to the columns equally."""

NUMBER = 50
"""The least width of a number among others, so that the columns of several cards look alike."""


def dot(scene: Scene) -> str:
    """The DOT source of a scene."""
    import graphviz  # here, because to import it takes as long as a tenth of NumPy

    quick = {"nslimit": "1", "nslimit1": "1"} if rows_passed(scene) > 1000 else {}  # less search for the best layout
    graph = graphviz.Digraph(
        "computation",
        graph_attr={
            "rankdir": "TB",
            "nodesep": "0.25",
            "ranksep": "0.24",
            "bgcolor": "white",
            "pad": "0.2",
            "fontname": "Helvetica",
            "labelloc": "t",
            "label": f"<{heading(scene)}>",
        }
        | quick,
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "12"},
        edge_attr={"color": LINE, "arrowsize": "0.7"},
    )
    for card in scene.cards:
        graph.node(card.id, f"<{card_table(card)}>", tooltip=quoted(card.tooltip))
    for edge in scene.edges:
        width = f"{edge.width:.2f}"
        if edge.pill is None:  # as long as an arrow with a pill, so that cards stay in rows
            graph.edge(edge.source, edge.target, style="dashed", minlen="2")
            continue
        middle = f"{edge.source}_{edge.target}"
        graph.node(middle, f"<{pill_table(edge.pill)}>", tooltip=quoted(" ".join(edge.pill.lines)))
        graph.edge(edge.source, middle, dir="none", penwidth=width)
        graph.edge(middle, edge.target, penwidth=width)
    if scene.notes:
        graph.node("legend", f"<{legend_table(scene)}>", tooltip="legend")
        graph.edge(scene.cards[-1].id, "legend", style="invis")
    return str(graph.source)


# Tables ---------------------------------------------------------------------------------------------------------------


def heading(scene: Scene) -> str:
    """The title and the subtitle."""
    return table(
        row(cell(f"<b>{text(scene.title, size=15)}</b>")),
        row(cell(text(scene.subtitle, QUIET, 10))),
        row(cell("", height=6)),
    )


def card_table(card: Card) -> str:
    """A card: its name, formula and shape, the badge, and its rows."""
    line, ground = KINDS[card.kind]
    columns = max(len(cells) for r in card.rows for cells in r.numbers.lines)
    name = f"<b>{text(card.name)}</b>"
    word = text(f" = {card.formula}") if card.formula else SPACE + text(card.kind, QUIET, 9)
    shape = SPACE + text(card.shape, QUIET, 9) if card.shape else ""
    head = cell(name + word + shape, align="left", colspan=MANY)
    if card.badge:
        head += cell("", width=8) + cell(badge(card.badge))
    lines = [line for r in card.rows for line in row_lines(r, columns)]
    return table(
        row(cell(table(row(head)), colspan=columns + 1)),
        "<hr/>",
        *lines,
        border=1,
        color=line,
        bgcolor=ground,
        style="rounded",
        cellpadding=3,
    )


def row_lines(r: Row, columns: int) -> list[str]:
    """A row of a card: its label, the lines of its numbers, and the details below them."""
    colour, width = ROLES[r.label], NUMBER if columns > 1 else 1
    label = text(r.label, colour, 10)
    lines = []
    for cells in r.numbers.lines:
        first, *others = [text(x, colour) for x in cells]
        spanned = cell(first, align="right", colspan=columns - len(others), width=width)
        lines.append(row(cell(label, align="left"), spanned, *[cell(x, align="right", width=width) for x in others]))
        label = ""
    small = [text(x, colour, 9) for x in r.numbers.details]
    return lines + [row(cell(""), cell(x, align="right", colspan=columns)) for x in small]


def badge(number: int) -> str:
    """The place in the backward pass, white on the colour of gradients."""
    size: dict[str, Any] = {"fixedsize": "true", "width": 20 + 6 * (number > 99), "height": 14}
    inner = row(cell(f"<b>{text(str(number), WHITE, 9)}</b>", **size))
    return table(inner, bgcolor=GRAD, style="rounded", **size)


def pill_table(pill: Pill) -> str:
    """A pill: the formula, the numbers, and a note."""
    lines = [pill_line(line, GRAD, 10) for line in pill.lines] + ([pill_line(pill.note, QUIET, 9)] if pill.note else [])
    edge = row(cell("", height=2))
    return table(edge, *lines, edge, border=1, color=PILL, bgcolor=WHITE, style="rounded")


def pill_line(content: str, colour: str, size: int) -> str:
    """A line in the middle of a pill, with the room to its right that graphviz-pure is mistaken about left out."""
    shift = min(4.0, surplus(printable(content)) * size / 2)
    left, right = (cell("", width=round(7 + by)) for by in (shift, -shift))
    return row(cell(table(row(left + cell(text(content, colour, size)) + right)), cellpadding=1))


def legend_table(scene: Scene) -> str:
    """The kinds of cards that there are, and the notes."""
    kinds = [kind for kind in KINDS if any(card.kind == kind for card in scene.cards)]
    swatches = []
    for kind in kinds:
        line, ground = KINDS[kind]
        size: dict[str, Any] = {"fixedsize": "true", "width": 18, "height": 11}
        swatch = table(row(cell("")), border=1, color=line, bgcolor=ground, style="rounded", **size)
        swatches += [cell(swatch), cell(text(kind, ROLES[""], 9), align="left", colspan=MANY)]
    lines = [
        row(cell("".join(text(part, ROLES[role], 9) for part, role in note), align="left")) for note in scene.notes
    ]
    return table(row(cell(table(row(*swatches), cellpadding=2), align="left")), *lines, cellpadding=1)


# Graphviz's HTML ------------------------------------------------------------------------------------------------------


def table(*rows: str, border: int = 0, **attributes: object) -> str:
    """A table without lines between its cells."""
    given = {"border": border, "cellborder": 0, "cellspacing": 0, "cellpadding": 0} | attributes
    return f"<table{written(given)}>{''.join(rows)}</table>"


def row(*cells: str) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def cell(content: str, **attributes: object) -> str:
    return f"<td{written(attributes)}>{content}</td>"


def written(attributes: dict[str, object]) -> str:
    return "".join(f' {key}="{value}"' for key, value in attributes.items())


def text(content: str, colour: str = TEXT, size: int = 12) -> str:
    """Coloured text of some size, safe in DOT and in SVG."""
    return f'<font color="{colour}" point-size="{size}">{escaped(content)}</font>'


def surplus(content: str) -> float:
    """By how many em graphviz-pure takes a text for wider than it is: it counts the bytes of what is not ASCII."""
    return sum(0.28 * len(c.encode()) - 0.5 for c in content if not c.isascii())


ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\\": "\\" * 2, "]": "&#93;"})
"""What XML or Graphviz would take for a command: a backslash, and in Graphviz 2 a bracket at the end of a text."""


def escaped(content: str) -> str:
    """Text with everything made harmless that would not show as itself.

    >>> print(escaped('<b>"A" & B</b>'))
    &lt;b&gt;&quot;A&quot; &amp; B&lt;/b&gt;
    """
    return printable(content).translate(ESCAPES)


def quoted(content: str) -> str:
    """Text for a tooltip, in which Graphviz resolves backslashes twice and character references once."""
    return printable(content)[:1000].replace("&", "&amp;").replace("\\", "\\" * 4)
