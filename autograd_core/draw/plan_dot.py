"""A plan in Graphviz's language, DOT: boxes are tables, and groups are clusters with a table of their copies."""

from typing import Any

from .dot import GRAD, KINDS, LINE, QUIET, ROLES, TEXT, cell, quoted, row, table, text
from .metrics import room
from .plan import Box, Copy, Fold, Plan

SWATCHES = KINDS | {"more": (LINE, "#FFFFFF")}

HEAT = ("#FFF3E6", "#FBD9B5", "#F5B27A", "#E8883F", "#B04A0C")
"""The grounds of gradients from small to large; by the logarithm, as they span orders of magnitude."""

INKS = ("#222222", "#222221", "#222220", "#22221F", "#FFFFFC")
"""What is written on each of them; colours apart, since in the dark each has a counterpart of its own."""

SIDE = 2
"""The space at each side of a text."""

BAR = 90
"""The width of the bar that shows a share."""


def dot(plan: Plan) -> str:
    """The DOT source of a plan."""
    import graphviz

    graph = graphviz.Digraph(
        "modules",
        graph_attr={
            "rankdir": "TB",
            "nodesep": "0.3",
            "ranksep": "0.3",
            "bgcolor": "#FFFFFF",
            "pad": "0.2",
            "fontname": "Helvetica",
            "labelloc": "t",
            "label": f"<{heading(plan)}>",
        },
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "12"},
        edge_attr={"color": LINE, "arrowsize": "0.7", "fontname": "Helvetica", "fontsize": "10"},
    )
    boxes = {box.id: box for box in plan.cards}
    grouped: set[str] = set()
    for fold in plan.folds:
        cluster(graph, fold, boxes, grouped)
    for box in plan.cards:
        if box.id not in grouped:
            graph.node(box.id, f"<{box_table(box)}>", tooltip=quoted(box.tooltip))
    for arrow in plan.edges:
        label = f"<{text('  ' + arrow.label, ROLES[''], 10)}>" if arrow.label else ""
        graph.edge(arrow.source, arrow.target, label=label)
    graph.node("legend", f"<{legend(plan)}>", tooltip="legend")
    if plan.cards:
        graph.edge(last_box(plan), "legend", style="invis")
    return str(graph.source)


def said(content: str, colour: str = TEXT, size: int = 12, bold: bool = False, **attributes: object) -> str:
    """A cell with a text, as wide as any font needs it."""
    if not content:
        return cell("", **attributes)
    return cell(text(content, colour, size, bold), width=room(content, size, bold) + 2 * SIDE, **attributes)


def last_box(plan: Plan) -> str:
    """The box that the legend stands below."""
    return next((box.id for box in plan.cards if box.kind == "output"), plan.cards[-1].id)


def heading(plan: Plan) -> str:
    return table(
        row(said(plan.title, size=15, bold=True)),
        row(said(plan.subtitle, QUIET, 10)),
        row(cell("", height=6)),
    )


def box_table(box: Box) -> str:
    """A box: its name and type, and its lines."""
    line, ground = SWATCHES[box.kind]
    head = said(box.name, bold=True, align="left") + cell(
        text("\xa0") + text(box.word, QUIET, 10), width=room(box.word, 10) + 8 * SIDE, align="right"
    )  # a space as high as the name, so that they stand on one line
    rows = [
        row(
            said(x.label, QUIET, 9, align="left"),
            said(x.text, ROLES[x.role], 10, align="right"),
        )
        for x in box.lines
    ]
    if box.share is not None:
        rows.append(row(said("of the largest", QUIET, 9, align="left"), cell(bar(box.share), align="right")))
    rule = "<hr/>" if rows else ""
    ends: dict[str, Any] = {"border": 1, "color": line, "bgcolor": ground, "cellpadding": 3}
    return table(row(head), rule, *rows, style="rounded", **ends)


def bar(share: float) -> str:
    """A share as a bar, and in words."""
    full = min(BAR - 1, max(1, round(BAR * share)))
    size: dict[str, Any] = {"fixedsize": "true", "height": 7}
    cells = cell("", width=full, bgcolor=GRAD, **size) + cell("", width=BAR - full, bgcolor="#E3B899", **size)
    percent = f"{100 * share:.0f}%" if share >= 0.01 else "< 1%"
    return table(row(cells + said(percent, GRAD, 9, align="right")))


def cluster(graph: Any, fold: Fold, boxes: dict[str, Box], grouped: set[str]) -> None:
    """A group as a cluster, with its boxes, the groups in it, and the table of its copies at the side."""
    line = KINDS["parameter"][0]
    title = table(row(said(fold.title, bold=True, align="left")), row(said(fold.subtitle, QUIET, 9, align="left")))
    with graph.subgraph(name=f"cluster_{fold.id}") as inner:
        inner.attr(label=f"<{title}>", labeljust="r", style="rounded,dashed", color=line, penwidth="1.5", margin="12")
        for inside in fold.folds:
            cluster(inner, inside, boxes, grouped)
        for name in fold.boxes:
            inner.node(name, f"<{box_table(boxes[name])}>", tooltip=quoted(boxes[name].tooltip))
            grouped.add(name)
        if fold.copies:
            beside = next(name for name in (*fold.boxes, *grouped))
            inner.node(f"t{fold.id}", f"<{copies_table(fold)}>", tooltip="copies")
            with inner.subgraph() as level:
                level.attr(rank="same")
                level.node(beside)
                level.node(f"t{fold.id}")
            inner.edge(beside, f"t{fold.id}", style="invis")


def copies_table(fold: Fold) -> str:
    """The sizes of outputs and gradients of the copies, and the remark on them."""
    columns = (("copy", QUIET), ("output rms", ROLES["value"]), ("grad rms", ROLES["grad"]))
    rows = [row(*[said(x, colour, 9) for x, colour in columns]), "<hr/>", *map(copy_row, fold.copies)]
    if fold.remark:
        first, than, other = fold.remark.partition(" than ")  # in two lines, which keeps the table narrow
        rows += ["<hr/>", row(said("! " + first, GRAD, 10, bold=True, align="left", colspan=3))]
        rows += [row(said(than.lstrip() + other, GRAD, 10, bold=True, align="left", colspan=3))] if than else []
    frame: dict[str, Any] = {"border": 1, "color": "#8A8A8A", "style": "rounded", "cellpadding": 2, "cellspacing": 1}
    return table(*rows, bgcolor="#FEFEFE", **frame)


def copy_row(copy: Copy) -> str:
    """A row of the table; the darker its gradient's ground, the larger the gradient."""
    name = said(copy.name, QUIET, 9, align="left") + said(copy.output, ROLES["value"], 9)
    if copy.heat is None:
        return row(name + said(copy.gradient, GRAD, 9))
    level = next((k for k, least in enumerate((0.001, 0.01, 0.1, 0.5)) if copy.heat < least), 4)
    return row(name + said(copy.gradient, INKS[level], 9, bgcolor=HEAT[level]))


def legend(plan: Plan) -> str:
    return table(*[row(said(note, ROLES[""], 9, align="left")) for note in plan.notes], cellpadding=1)
