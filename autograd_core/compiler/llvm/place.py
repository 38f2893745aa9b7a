"""Where an array is: a pointer, and the strides by which its elements lie. Views cost nothing but other strides."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..ir import Node
from .code import MEMORY, Code, wide
from .text import I8, anything, bytes_of


@dataclass
class Place:
    """An array in memory; offset and strides count elements."""

    pointer: Any
    offset: int
    strides: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def contiguous(self) -> bool:
        return self.strides == contiguous_strides(self.shape)


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in C order; axes of length 1 count as if they were longer."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def whole(pointer: Any, node: Node) -> Place:
    """The place of a result with memory of its own."""
    return Place(pointer, 0, contiguous_strides(node.shape), node.shape, node.dtype)


def viewed(place: Place, node: Node) -> Place | None:
    """What a view shows of a place; None if its elements cannot be reached by strides. NumPy does the arithmetic."""
    strides = tuple(s * 8 for s in place.strides)
    ghost = np.lib.stride_tricks.as_strided(np.zeros(1), place.shape, strides)
    if node.op == "reshape":
        if 0 in node.shape or 0 in place.shape:
            return Place(place.pointer, 0, contiguous_strides(node.shape), node.shape, place.dtype)
        try:
            shown = reshaped(ghost, node.shape)
        except (AttributeError, ValueError):
            return None
    elif node.op == "transpose":
        shown = ghost.transpose(node.settings[0])
    elif node.op == "broadcast_to":
        shown = np.broadcast_to(ghost, node.shape)
    else:
        index = node.settings[0] if isinstance(node.settings[0], tuple) else (node.settings[0],)
        shown = ghost[index if Ellipsis in index else (*index, ...)]  # with an ellipsis it is a view, never a number
    moved = address(shown) - address(ghost)
    return replace(
        place, offset=place.offset + moved // 8, strides=tuple(s // 8 for s in shown.strides), shape=node.shape
    )


def reshaped(array: Any, shape: tuple[int, ...]) -> Any:
    """A view of another shape, or an error: it is never copied."""
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        return np.reshape(array, shape, copy=False)
    shown = array.view()  # NumPy 2.0 has no such setting, and 2.5 deprecates this
    shown.shape = shape
    return shown


def address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


@functools.cache
def memory_type(dtype: Any) -> Any:
    """What a number of a dtype is in memory; complex numbers and others are only moved about, as bytes."""
    return MEMORY.get(dtype.name) or bytes_of(dtype.itemsize)


def broadcast(place: Place, shape: tuple[int, ...]) -> Place:
    """A place as it is read by a loop over a larger shape."""
    extra = len(shape) - len(place.shape)
    strides = tuple(
        0 if a < extra or (place.shape[a - extra] == 1 and n != 1) else place.strides[a - extra]
        for a, n in enumerate(shape)
    )
    return replace(place, strides=strides, shape=shape)


def element(code: Code, place: Place, index: list[Any]) -> Any:
    """The address of an element."""
    offset: Any = place.offset
    for k, stride in zip(index, place.strides, strict=True):
        offset = code.plus(offset, code.scaled(k, stride))
    return code.at(place.pointer, offset, memory_type(place.dtype))


def load(code: Code, place: Place, index: list[Any], lanes: int = 1, axis: int = -1) -> Any:
    """So many elements, beginning at an index, along an axis."""
    t, stride = memory_type(place.dtype), place.strides[axis] if place.strides else 0
    first = element(code, place, index)
    align = place.dtype.itemsize
    if lanes == 1 or stride == 0:
        return code.splat(from_memory(code, code.b.load(t, first, align), place), lanes)
    if stride == 1:
        return from_memory(code, code.load(first, t, lanes, align), place)
    out = anything(wide(t, lanes))
    for k in range(lanes):
        one = code.b.load(t, code.at(first, k * stride, t), align)
        out = code.b.insert_element(out, one, k)
    return from_memory(code, out, place)


def from_memory(code: Code, x: Any, place: Place) -> Any:
    return code.b.icmp("!=", x, code.like(x, 0)) if place.dtype.kind == "b" else x


def store(code: Code, x: Any, place: Place, index: list[Any], lanes: int = 1, axis: int = -1) -> None:
    """Write so many elements."""
    t, stride = memory_type(place.dtype), place.strides[axis] if place.strides else 1
    if place.dtype.kind == "b":
        x = code.b.zext(x, wide(I8, lanes))
    first = element(code, place, index)
    if lanes == 1 or stride == 1:
        code.store(x, first, lanes, place.dtype.itemsize)
        return
    for k in range(lanes):
        code.b.store(code.b.extract_element(x, k), code.at(first, k * stride, t), place.dtype.itemsize)
