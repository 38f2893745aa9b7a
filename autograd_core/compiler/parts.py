"""Results that are put together: arrays that are joined, and the gradients of slices, which are a part among zeros."""

from typing import Any, NamedTuple

import numpy as np

from ..ops.indexing import add_items, is_basic
from .ir import Node, Slot


def joined_along(node: Node) -> int | None:
    """The axis, if a call of np.concatenate or np.stack joins its inputs in their order and as they are; else None."""
    function, args, settings = node.settings
    joins = function in (np.concatenate, np.stack) and 0 < len(args) < 3 and not settings.keys() > {"axis"}
    if not joins or not node.inputs:
        return None
    parts, *rest = args
    axis = rest[0] if rest else settings.get("axis", 0)
    slots = [getattr(x, "k", None) for x in parts] if type(parts) in (list, tuple) else []
    if slots != [*range(len(node.inputs))] or type(axis) is not int or any(x.dtype != node.dtype for x in node.inputs):
        return None
    return axis % len(node.shape)


def placed_at(node: Node) -> tuple[Any, ...] | None:
    """The index, if a call puts its input into zeros at slices: the gradient of slices; else None."""
    function, args, _ = node.settings
    if function is not add_items or type(args[0]) is not Slot or not is_basic(args[1]):
        return None
    if node.dtype.name not in ("float64", "float32") or node.inputs[0].dtype != node.dtype:
        return None
    return args[1] if isinstance(args[1], tuple) else (args[1],)


def by_axis(index: Any, axes: int) -> list[Any] | None:
    """An index of slices and numbers, with a part for each axis; None if it adds axes."""
    index = index if isinstance(index, tuple) else (index,)
    if any(part is None for part in index):
        return None
    at = next((k for k, part in enumerate(index) if part is Ellipsis), len(index))
    rest = axes - len(index) + (at < len(index))
    return [*index[:at], *[slice(None)] * rest, *index[at + 1 :]]


class Part(NamedTuple):
    """Where an input is in a result that is put together."""

    first: tuple[int, ...]
    """The index of its first element."""

    shape: tuple[int, ...]
    """What it takes of each axis of the result."""

    axes: tuple[int, ...]
    """Which axis of the result each of its own is; along others it is at one index."""


def cut_at_ends(cuts: list[set[int]], parts: list[Part]) -> None:
    """Add to the places where each axis is cut where parts begin and end."""
    for part in parts:
        for cut, begin, n in zip(cuts, part.first, part.shape, strict=True):
            cut |= {begin, begin + n}


def parts_of(node: Node) -> list[Part] | None:
    """Where each input is, if a node joins its inputs, or puts one into zeros at slices of steps of one; else None."""
    if node.op != "call" or not node.size:
        return None
    axis = joined_along(node)
    if axis is None:
        return placed_part(node)
    parts, begin, axes = [], 0, range(len(node.shape))
    for x in node.inputs:
        stacked = len(x.shape) < len(axes)
        n = 1 if stacked else x.shape[axis]
        first = tuple(begin if a == axis else 0 for a in axes)
        shape = tuple(n if a == axis else node.shape[a] for a in axes)
        parts.append(Part(first, shape, tuple(a for a in axes if a != axis or not stacked)))
        begin += n
    return parts


def placed_part(node: Node) -> list[Part] | None:
    """Where the input is, if a node puts it into zeros."""
    index = by_axis(placed_at(node), len(node.shape))
    if index is None:
        return None
    spans = [
        range(*k.indices(n)) if type(k) is slice else range(k % n, k % n + 1)
        for k, n in zip(index, node.shape, strict=True)
    ]
    axes = tuple(a for a, k in enumerate(index) if type(k) is slice)
    if any(span.step != 1 or not span for span in spans):
        return None
    if tuple(len(spans[a]) for a in axes) != node.inputs[0].shape:
        return None  # a number that is spread
    return [Part(tuple(span.start for span in spans), tuple(map(len, spans)), axes)]
