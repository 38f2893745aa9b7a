"""Results that are put together of parts, among zeros or side by side, and loops that read such results.

A loop is written for each region of the result in which one part or another is there. So the gradient of
`np.sum((x[1:] - x[:-1]) ** 2)`, the sum of two arrays of a part and zeros, is one pass over memory.
"""

import functools
import itertools
from dataclasses import replace

from ..fuse import Kernel
from ..fuse import expression as computed
from ..ir import Node, Shape, constant, scalar_of
from ..parts import Part, cut_at_ends, parts_of, placed_at
from .code import Code
from .kernels import Find, copy, elementwise, fill
from .place import Place, broadcast, viewed

Index = tuple[int, ...]
Axes = tuple[int, ...]
"""Which axis of a result each axis of an array is."""


def put_together(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """Each part, written in its place."""
    root = kernel.root
    if not root.size:
        return
    if placed_at(root) is not None:
        fill(code, out, 0)
    inside = set(kernel.body)
    for x, place in zip(root.inputs, places_of_parts(root, out), strict=True):
        if x in inside:
            body, reads = computed(x, inside)
            elementwise(code, Kernel(x, None, body, [], reads), find, place)
        else:
            copy(code, find(x), place)


def places_of_parts(node: Node, out: Place) -> list[Place]:
    """Where each part is in a result."""
    index = placed_at(node)
    if index is not None:
        (x,) = node.inputs
        shown = viewed(out, Node("getitem", [node], (index,), shape=x.shape, dtype=x.dtype))
        assert shown is not None
        return [shown]
    return [
        replace(begun(out, part.first), strides=tuple(out.strides[a] for a in part.axes), shape=x.shape)
        for x, part in zip(node.inputs, parts_of(node) or (), strict=False)
    ]


def begun(place: Place, first: Index) -> Place:
    """A place from an index on."""
    return replace(place, offset=place.offset + sum(k * s for k, s in zip(first, place.strides, strict=True)))


def in_regions(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """An elementwise kernel, in one loop, or in one for each region."""
    if parts_of(kernel.root):
        put_together(code, kernel, find, out)
        return
    parted = {node: parts for node in kernel.body if (parts := parts_of(node))}
    if not parted:
        elementwise(code, kernel, find, out)
        return
    find = functools.cache(find)
    for first, shape in regions(kernel.root.shape, parted):
        body, places = expression(kernel, parted, find, first, shape)
        inside = set(body)
        reads = dict.fromkeys(x for node in body for x in node.inputs if x not in inside)
        part = Kernel(body[-1], None, body, [], list(reads))
        elementwise(code, part, places.__getitem__, replace(begun(out, first), shape=shape))


def regions(shape: Shape, parted: dict[Node, list[Part]]) -> list[tuple[Index, Shape]]:
    """The first index and the shape of each region."""
    ends = [{0, n} for n in shape]
    for parts in parted.values():
        cut_at_ends(ends, parts)
    spans = [list(itertools.pairwise(sorted(e))) for e in ends]
    boxes = itertools.product(*spans)
    return [(tuple(a for a, _ in box), tuple(b - a for a, b in box)) for box in boxes]


def expression(
    kernel: Kernel, parted: dict[Node, list[Part]], find: Find, first: Index, shape: Shape
) -> tuple[list[Node], dict[Node, Place]]:
    """What a kernel computes in a region: its operations in the region's shape, in order; and where the parts are of
    what they read. A node goes by where its first element is in the result, for it may be there several times."""
    inside = set(kernel.body)
    made: dict[tuple[Node, Index, Axes], Node] = {}
    body: list[Node] = []
    places: dict[Node, Place] = {}
    pending = [(kernel.root, (0,) * len(shape), tuple(range(len(shape))), kernel.root.shape)]
    while pending:
        node, at, axes, frame = pending[-1]
        parts = parted.get(node)
        if parts:
            needs = [
                (x, part.first, part.axes, x.shape)
                for x, part in zip(node.inputs, parts, strict=True)
                if all(b <= k < b + n for b, k, n in zip(part.first, first, part.shape, strict=True))
            ]
        else:
            needs = [(x, at, axes, frame) for x in node.inputs] if node in inside else []
        missing = [need for need in needs if need[:3] not in made]
        if missing:
            pending += missing
            continue
        pending.pop()
        key = (node, at, axes)
        if key in made:
            continue
        inputs = [made[need[:3]] for need in needs]
        if parts:
            made[key] = inputs[0] if inputs else constant(0.0, node.dtype)
        elif node in inside:
            made[key] = Node(node.op, inputs, node.settings, shape=shape, dtype=node.dtype)
            body.append(made[key])
        elif scalar_of(node) is not None:
            made[key] = node
        else:
            made[key] = Node("input", shape=shape, dtype=node.dtype)
            places[made[key]] = read_in(broadcast(find(node), frame), at, axes, first, shape)
    return body, places


def read_in(place: Place, at: Index, axes: Axes, first: Index, shape: Shape) -> Place:
    """The part of an array that a region reads, with a stride for each axis of the region."""
    strides = [0] * len(shape)
    for stride, axis in zip(place.strides, axes, strict=True):
        strides[axis] = stride
    begin = tuple(k - a for k, a in zip(first, at, strict=True))
    return begun(replace(place, strides=tuple(strides), shape=shape), begin)
