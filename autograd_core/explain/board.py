"""A derivation as it stands on a board: equations in blocks, as text and as LaTeX.

A line reads `left = side = side = …`, a side is a sum of products, and a product is a sequence of factors: what is too
wide for a line is broken before an equals sign, a plus, or a factor, as one would by hand.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data import shape_of
from ..op import CALL, SUM
from . import digits
from .phrases import Phrase, number_tex, words

Side = Sequence[Sequence[Phrase]]
"""A sum of products."""

WIDE = 108
"""How many characters a line may have."""

MOST_NUMBERS = 16
"""An array of at most this many elements is written in full."""

MOST_LINES = 24
"""How many lines of a block are shown: the first and the last half of them."""


class Line(NamedTuple):
    """An equation; one without a left side continues the one before it."""

    left: Phrase | None
    sides: tuple[Side, ...]


class Block(NamedTuple):
    """A few lines under a title."""

    title: str
    lines: tuple[Line | str, ...]
    """Equations, and remarks."""


def side(*factors: Phrase) -> Side:
    """One product."""
    return [factors]


def equation(left: Phrase | None, *sides: Phrase) -> Line:
    """An equation whose sides are formulas; a side that says the same as what is before it is left out."""
    kept = [x for before, x in zip((left, *sides), sides, strict=False) if before is None or x.text != before.text]
    return Line(left, tuple(map(side, kept)))


def shown(data: Any) -> Phrase:
    """Data as numbers: few of them in full, of many the mean, the standard deviation and the range.

    >>> shown(np.array([[1.0, -2.0]])).text, shown(-0.5).text
    ('[[1, −2]]', '−0.5')
    """
    if not isinstance(data, (bool, int, float, complex, np.generic, np.ndarray)):
        return Phrase("(several arrays)", r"\text{(several arrays)}")
    array = np.asarray(data)
    if not array.shape:
        text = digits.number(array.item())
        return Phrase(text, number_tex(text), SUM if array.dtype.kind == "c" else CALL)
    if array.size and array.ndim <= 2 and array.size <= MOST_NUMBERS:
        rows = [[digits.number(x) for x in row] for row in np.atleast_2d(array)]
        text = ", ".join(f"[{', '.join(row)}]" for row in rows)
        body = r" \\ ".join(" & ".join(map(number_tex, row)) for row in rows)
        text = text if array.ndim == 1 else f"[{text}]"
        tex = rf"\begin{{pmatrix}}{body}\end{{pmatrix}}"
        return Phrase(text if len(text) < WIDE - 16 else summed_up(array), tex)
    text = summed_up(array)
    return Phrase(text, words(text))


def summed_up(array: np.ndarray[Any, Any]) -> str:
    """Many numbers as their mean, standard deviation and range."""
    lines, details = digits.summary(array)
    return f"{', '.join(sum(lines, ()))}{''.join(f', {x}' for x in details)} {digits.shape_text(shape_of(array))}"


def shortened(lines: Sequence[Any], kind: str = "lines") -> list[Any]:
    """The first and the last of many; a remark stands for the others.

    >>> shortened(range(100))[11:14]
    [11, '… 76 more lines …', 88]
    """
    if len(lines) <= MOST_LINES:
        return [*lines]
    half = MOST_LINES // 2
    return [*lines[:half], f"… {len(lines) - 2 * half:,} more {kind} …", *lines[-half:]]


# Text -----------------------------------------------------------------------------------------------------------------


def text_of(blocks: Sequence[Block]) -> str:
    """The whole board as text."""
    return "\n\n".join(
        "\n".join([block.title, *lines_of(block)] if block.title else lines_of(block)) for block in blocks
    )


def lines_of(block: Block) -> list[str]:
    """The lines of a block, with the equals signs of those that belong together under each other."""
    indent = "  " if block.title else ""
    margin = max((len(x.left.text) for x in block.lines if isinstance(x, Line) and x.left is not None), default=0)
    margin = min(margin, WIDE // 4)
    found: list[str] = []
    for line in block.lines:
        if isinstance(line, str):
            found.append(indent + line)
            continue
        head = indent + (line.left.text if line.left is not None else "").ljust(margin)
        for row in broken(line, WIDE - margin, 0):
            found.append(f"{head} {row}".rstrip())
            head = " " * (len(indent) + margin)
    return found


def broken(line: Line, width: int, column: int) -> list[str]:
    """The right side of a line in rows that are no wider than that; column 0 is text, 1 LaTeX."""
    rows: list[str] = []
    used = 0
    longest = max(sum(cost(factor, column) for term in one for factor in term) for one in line.sides)
    for kind, factor, rest in pieces(line, column):
        length = cost(factor, column)
        whole = longest if kind == "=" else rest  # a side, or a term, begins a row of its own if it does not fit
        if not rows or used + (whole if whole <= width else length) > width:
            sign = f"{kind} " if kind == "=" else f"  {kind} " if column == 0 else rf"\quad {sign_tex(kind)} "
            rows.append("")
            used = 0
        else:
            sign = f" {kind} " if kind != "·" or column == 0 else r" \cdot "
        rows[-1] += sign + factor.column(column)
        used += length
    return rows


def cost(factor: Phrase, column: int) -> int:
    """How much of a row a factor takes; a fraction is half as wide as its text."""
    length = len(factor.text)
    return (length // 2 if column and factor.text.startswith("∂") else length) + 3


def sign_tex(kind: str) -> str:
    """A sign at the beginning of a row in LaTeX."""
    return r"{}\cdot{}" if kind == "·" else f"{{}}{kind}"


def pieces(line: Line, column: int) -> list[tuple[str, Phrase, int]]:
    """The factors of a line, each with the sign before it, and with the length of its term from there on."""
    found = []
    for one in line.sides:
        for k, term in enumerate(one):
            for i, factor in enumerate(term):
                rest = sum(cost(x, column) for x in term[i:]) if not i else 0
                found.append(("·" if i else "+" if k else "=", factor, rest or cost(factor, column)))
    return found


# LaTeX ----------------------------------------------------------------------------------------------------------------


def latex_of(blocks: Sequence[Block]) -> str:
    """The whole board as LaTeX, for an equation: `aligned` blocks, one under the other."""
    parts = [(rf"\textbf{{{block.title}}} \\[4pt]" + "\n" if block.title else "") + aligned(block) for block in blocks]
    return "\\begin{array}{l}\n" + " \\\\ \\\\\n".join(parts) + "\n\\end{array}"


def aligned(block: Block) -> str:
    """A block of equations."""
    rows = []
    for line in block.lines:
        if isinstance(line, str):
            rows.append(rf"& {words(line)}")
            continue
        head = line.left.tex if line.left is not None else ""
        for row in broken(line, WIDE + 12, 1):
            rows.append(f"{head} &{row}")
            head = ""
    return "\\begin{aligned}\n" + " \\\\[3pt]\n".join(rows) + "\n\\end{aligned}"
