"""A scene in Graphviz's language, DOT: cards and pills are tables, and a pill is a node in the middle of its arrow."""

from typing import Any

from ..explain.names import printable
from .frames import SO_FAR
from .metrics import room, taken, width
from .scene import Card, Pill, Row, Scene, rows_passed

KINDS = {
    "parameter": ("#0072B2", "#DCEBF7"),
    "input": ("#7A7A7A", "#EFEFEF"),
    "operation": ("#8A8A8A", "#FEFEFE"),
    "output": ("#D55E00", "#FBE6D4"),
}
"""The outline and the ground of each kind of card. The colours are Okabe and Ito's, which colour-blind readers tell
apart; what a card is, its words and its badge say too. Every text has a contrast of at least 4.5 to 1 on its ground, in
the dark too: each colour here has its counterpart in `theme.DARK`."""

PAPER, VALUE, GRAD, QUIET, TEXT, ON_BADGE = "#FFFFFF", "#005A8C", "#A63A00", "#5F5F5F", "#000000", "#FFFEFE"
ROLES = {"value": VALUE, "grad": GRAD, "": "#444444"}
LINE, PILL, PILL_GROUND, BADGE, NOW = "#8B8B8B", "#E3B899", "#FDFDFD", "#A53A00", "#FFE9A8"
ARROWS = {"": ("solid", LINE), "done": ("solid", LINE), "now": ("solid", GRAD), "waiting": ("dotted", LINE)}
"""How an arrow is drawn that has passed its gradient back, does so now, or waits. A dashed one passes none."""

MANY = 40
"""How many columns a cell spans that is to take all spare room: Graphviz deals it out to the columns equally."""

GAP = " " * 2
"""What stands between a name and the small print behind it."""

NUMBER, LEAST, PADDING = 44, 14, 3
"""The least width of a number among others, so that the columns of several cards look alike; of one alone; and the
space around each, which Graphviz counts as part of a cell's width."""


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
            "bgcolor": PAPER,
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
        if edge.pill is None:  # as long as an arrow with a pill, so that cards stay in rows
            graph.edge(edge.source, edge.target, style="dashed", minlen="2")
            continue
        middle = f"{edge.source}_{edge.target}"
        style, colour = ARROWS[edge.mark]
        drawn = {"penwidth": f"{edge.width:.2f}", "style": style, "color": colour}
        graph.node(middle, f"<{pill_table(edge.pill, edge.mark)}>", tooltip=quoted(edge.pill.tooltip))
        graph.edge(edge.source, middle, dir="none", **drawn)
        graph.edge(middle, edge.target, **drawn)
    if scene.notes:
        graph.node("legend", f"<{legend_table(scene)}>", tooltip="legend")
        graph.edge(scene.cards[-1].id, "legend", style="invis")
    return str(graph.source)


# Tables ---------------------------------------------------------------------------------------------------------------


def heading(scene: Scene) -> str:
    """The title and the subtitle."""
    widest = max(room(line, 10) for line in (scene.subtitle, *scene.room))
    held = framed if scene.room else words
    return table(
        row(cell(text(scene.title, TEXT, 15, True), width=room(scene.title, 15, True))),
        row(held(scene.subtitle, QUIET, 10, widest)),
        row(cell("", height=6)),
    )


def card_table(card: Card) -> str:
    """A card: its name, formula and shape, the badge, and its rows."""
    line, ground = KINDS[card.kind]
    columns = max(len(cells) for r in card.rows for cells in r.numbers.lines)
    said = [(card.name, TEXT, 12, True)]
    said += [(f" = {card.formula}", TEXT, 12, False)] if card.formula else [(GAP + card.kind, QUIET, 9, False)]
    said += [(GAP + card.shape, QUIET, 9, False)] if card.shape else []
    wide = sum(room(content, size, bold) for content, _, size, bold in said)
    head = cell("".join(text(*part) for part in said), align="left", colspan=MANY, width=wide)
    if card.badge:
        head += cell("", width=8) + cell(badge(card.badge, card.mark))
    lines = [line for r in card.rows for line in row_lines(r, columns)]
    return table(
        row(cell(table(row(head)), colspan=columns + 1)),
        "<hr/>",
        *lines,
        border=1,
        color=line,
        bgcolor=NOW if card.mark == "now" else ground,
        style="rounded",
        cellpadding=PADDING,
    )


def row_lines(r: Row, columns: int) -> list[str]:
    """A row of a card: its label, the lines of its numbers, and the details below them.

    In a frame, a cell has room for whatever stands there in the others, and its size is fixed: the renderers measure
    texts in ways of their own.
    """
    colour, least, states = ROLES[r.role or r.label], NUMBER if columns > 1 else LEAST, (r.numbers, *r.room)
    held = framed if r.room else words
    labelled = max(room(x, 10) for x in ((r.label, SO_FAR) if r.room else (r.label,)))
    label, lines = r.label, []
    for k, cells in enumerate(r.numbers.lines):
        numbers = ""
        for j, x in enumerate(cells):
            wide = max([least, *[room(s.lines[k][j], 12) for s in states]])
            span = {"colspan": columns - len(cells) + 1} if j == 0 else {}
            numbers += held(x, colour, 12, wide, align="right", **span)
        lines.append(row(held(label, colour, 10, labelled, align="left") + numbers))
        label = ""
    for k, x in enumerate(r.numbers.details):
        wide = max(room(s.details[k], 9) for s in states)
        lines.append(row(cell("") + held(x, colour, 9, wide, align="right", colspan=columns)))
    return lines


def badge(number: int, mark: str) -> str:
    """The place in the backward pass: on the colour of gradients, or while it waits for its turn in a frame of it."""
    size: dict[str, Any] = {"fixedsize": "true", "width": 20 + 6 * (number > 99) + 10 * bool(mark), "height": 14}
    waits = mark == "waiting"
    shown = text(f"► {number}" if mark == "now" else str(number), GRAD if waits else ON_BADGE, 9, True)
    inner = row(cell(shown, **size))
    ground: dict[str, Any] = {"border": 1, "color": BADGE} if waits else {"bgcolor": BADGE}
    return table(inner, style="rounded", **ground, **size)


def pill_table(pill: Pill, mark: str) -> str:
    """A pill: the formula, the numbers, and a note."""
    lines = [pill_line(line, GRAD, 10) for line in pill.lines] + ([pill_line(pill.note, QUIET, 9)] if pill.note else [])
    edge = row(cell("", height=2))
    ground = NOW if mark == "now" else PILL_GROUND
    return table(edge, *lines, edge, border=1, color=PILL, bgcolor=ground, style="rounded")


def pill_line(content: str, colour: str, size: int) -> str:
    """A line in the middle of a pill, with the room to its right that graphviz-pure is mistaken about left out."""
    mistake = taken(printable(content), size) - width(printable(content), size)
    left, right = (cell("", width=round(7 + by)) for by in (mistake / 2, max(-mistake / 2, -7.0)))
    return row(
        cell(table(row(left + cell(text(content, colour, size), width=room(content, size)) + right)), cellpadding=1)
    )


def legend_table(scene: Scene) -> str:
    """The kinds of cards that there are, and the notes."""
    kinds = [kind for kind in KINDS if any(card.kind == kind for card in scene.cards)]
    swatches = []
    for kind in kinds:
        line, ground = KINDS[kind]
        size: dict[str, Any] = {"fixedsize": "true", "width": 18, "height": 11}
        swatch = table(row(cell("")), border=1, color=line, bgcolor=ground, style="rounded", **size)
        swatches += [cell(swatch), words(kind, ROLES[""], 9, room(kind, 9), align="left", colspan=MANY)]
    lines = [
        row(
            cell(
                "".join(text(part, ROLES[role], 9) for part, role in note),
                align="left",
                width=sum(room(part, 9) for part, _ in note),
            )
        )
        for note in scene.notes
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


def words(content: str, colour: str, size: int, wide: int, **attributes: object) -> str:
    """A cell that is at least so wide, beside what is around its text."""
    return cell(text(content, colour, size), width=wide + 2 * PADDING, **attributes)


def framed(content: str, colour: str, size: int, wide: int, **attributes: object) -> str:
    """A cell that is exactly so wide. (Graphviz 2 misplaces texts in cells of a fixed size that others stretch.)"""
    fixed: dict[str, Any] = {"fixedsize": "true", "width": wide, "height": size + 3}
    aligned: dict[str, Any] = {"align": attributes["align"]} if "align" in attributes else {}
    return cell(table(row(cell(text(content, colour, size), **fixed, **aligned)), **fixed, **aligned), **attributes)


def text(content: str, colour: str = TEXT, size: int = 12, bold: bool = False) -> str:
    """Coloured text of some size, safe in DOT and in SVG."""
    if not content:
        return ""
    shown = f'<font color="{colour}" point-size="{size}">{escaped(content)}</font>'
    return f"<b>{shown}</b>" if bold else shown


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
