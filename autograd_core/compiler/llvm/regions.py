"""Arrays with a part placed among zeros, which gradients of slices are, and loops that read such arrays.

A loop is written for each region of the result in which a part is there, or is not. So the gradient of
`np.sum((x[1:] - x[:-1]) ** 2)`, the sum of two such arrays, is one pass over memory.
"""

import functools
import itertools
from dataclasses import replace

from ..fuse import Kernel
from ..ir import Node, Shape, constant, scalar_of
from .code import Code
from .kernels import Find, copy, elementwise, fill
from .layout import corner_of, placed_at
from .place import Place, broadcast, viewed

Index = tuple[int, ...]


def among_zeros(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """Zeros, and then the part in its place."""
    (x,) = kernel.root.inputs
    fill(code, out, 0)
    part = viewed(out, Node("getitem", [kernel.root], (placed_at(kernel.root),), shape=x.shape, dtype=x.dtype))
    assert part is not None
    body = [node for node in kernel.body if node is not kernel.root]
    if body:
        elementwise(code, Kernel(x, None, body, [], kernel.reads), find, part)
    else:
        copy(code, find(x), part)


def in_regions(code: Code, kernel: Kernel, find: Find, out: Place) -> None:
    """An elementwise kernel, in one loop, or in one for each region."""
    if all(corner_of(node) is None for node in kernel.body):
        elementwise(code, kernel, find, out)
        return
    if corner_of(kernel.root) is not None:
        among_zeros(code, kernel, find, out)
        return
    find = functools.cache(find)
    for first, shape in regions(kernel):
        body, places = expression(kernel, find, first, shape)
        computed = set(body)
        reads = dict.fromkeys(x for node in body for x in node.inputs if x not in computed)
        part = Kernel(body[-1], None, body, [], list(reads))
        elementwise(code, part, places.__getitem__, part_of(out, first, shape))


def regions(kernel: Kernel) -> list[tuple[Index, Shape]]:
    """The first index and the shape of each region."""
    ends = [{0, n} for n in kernel.root.shape]
    for node in kernel.body:
        for axis, begin in enumerate(corner_of(node) or ()):
            ends[axis] |= {begin, begin + node.inputs[0].shape[axis]}
    spans = [list(itertools.pairwise(sorted(e))) for e in ends]
    boxes = itertools.product(*spans)
    return [(tuple(a for a, _ in box), tuple(b - a for a, b in box)) for box in boxes]


def part_of(place: Place, first: Index, shape: Shape) -> Place:
    """A part of an array, from an index on."""
    offset = place.offset + sum(k * stride for k, stride in zip(first, place.strides, strict=True))
    return replace(place, offset=offset, shape=shape)


def expression(kernel: Kernel, find: Find, first: Index, shape: Shape) -> tuple[list[Node], dict[Node, Place]]:
    """What a kernel computes in a region: its operations in the region's shape, in order; and where the parts are of
    what they read. A node is known by where its first element is in the result, for it may be placed twice."""
    inside = set(kernel.body)
    made: dict[tuple[Node, Index], Node] = {}
    body: list[Node] = []
    places: dict[Node, Place] = {}
    pending = [(kernel.root, (0,) * len(shape), kernel.root.shape)]
    while pending:
        node, at, frame = pending[-1]
        corner = corner_of(node) if node in inside else None
        if node not in inside:
            needs = []
        elif corner is None:
            needs = [(x, at, frame) for x in node.inputs]
        else:
            (x,) = node.inputs
            begins = tuple(a + b for a, b in zip(at, corner, strict=True))
            there = all(b <= k < b + n for b, k, n in zip(begins, first, x.shape, strict=True))
            needs = [(x, begins, x.shape)] if there else []
        missing = [need for need in needs if need[:2] not in made]
        if missing:
            pending += missing
            continue
        pending.pop()
        if (node, at) in made:
            continue
        inputs = [made[x, begins] for x, begins, _ in needs]
        if corner is not None:
            made[node, at] = inputs[0] if inputs else constant(0.0, node.dtype)
        elif node in inside:
            made[node, at] = Node(node.op, inputs, node.settings, shape=shape, dtype=node.dtype)
            body.append(made[node, at])
        elif scalar_of(node) is not None:
            made[node, at] = node
        else:
            read = made[node, at] = Node("input", shape=shape, dtype=node.dtype)
            begin = tuple(k - a for k, a in zip(first, at, strict=True))
            places[read] = part_of(broadcast(find(node), frame), begin, shape)
    return body, places
