"""The builder's view as plain data: boxes for parts and leaves, arrows, and groups with a table of their copies."""

from typing import NamedTuple

LONGEST = 28
"""How many characters of a name are shown."""


class Line(NamedTuple):
    """A line of a box: a label and what it says, coloured by its role: value, grad or none."""

    label: str
    text: str
    role: str = ""


class Box(NamedTuple):
    """A module, operations of equal structure, a leaf, or what is left out."""

    id: str
    kind: str
    """parameter (a module), input, operation, output or more"""
    name: str
    word: str
    lines: tuple[Line, ...]
    share: float | None
    """The size of its parameters' gradients, as a share of the largest in the picture."""
    tooltip: str


class Arrow(NamedTuple):
    """What flows from one box to another, and its shape."""

    source: str
    target: str
    label: str


class Copy(NamedTuple):
    """A row of a group's table: a name, the sizes of output and gradient, and the latter as a share of the largest."""

    name: str
    output: str
    gradient: str
    heat: float | None


class Fold(NamedTuple):
    """A group: its boxes and the groups in it are drawn once for all copies."""

    id: str
    title: str
    subtitle: str
    boxes: tuple[str, ...]
    folds: tuple["Fold", ...]
    copies: tuple[Copy, ...]
    remark: str


class Plan(NamedTuple):
    """A whole picture of the builder's view."""

    title: str
    subtitle: str
    cards: tuple[Box, ...]
    edges: tuple[Arrow, ...]
    folds: tuple[Fold, ...]
    notes: tuple[str, ...]


def clip(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 + 1 :]}"


def rest(count: int) -> str:
    """What stands for so many cards."""
    return f"… {count:,} more"


def all_boxes(fold: Fold) -> list[str]:
    return [*fold.boxes, *(box for inner in fold.folds for box in all_boxes(inner))]
