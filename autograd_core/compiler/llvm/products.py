"""Products of matrices with what follows them: in registers, in a loop of its own, or as a part of the product."""

from typing import Any

from ..fuse import Kernel
from ..ir import Node
from . import blas
from .code import Code
from .kernels import Find, Operands, copy, elementwise
from .layout import is_large, is_long, product_room, small_factor, update_of
from .mathematics import FUNCTIONS
from .matmul import Product
from .place import Place, broadcast, element, whole
from .text import I8


def matmul(code: Code, kernel: Kernel, find: Find, out: Place, room: Any) -> None:
    """root[i, j] = f(Σₚ A[i, p] B[p, j]); a long f follows in a loop of its own, while the product is in the cache."""
    core = kernel.core
    assert core is not None
    if len(core.shape) > 2:
        of_each(code, core, find, out, room)
        return
    if not is_long(kernel.body, core):
        Product(code, *rated(code, kernel, find, room), out, room).emit()
        return
    if updated(code, kernel, find, out, room):
        return
    first, rest = ([], kernel.body) if is_large(core) else split(kernel.body, core)
    middle = first[-1] if first else core
    raw = whole(code.at(room, product_room(core), I8), middle)
    reads = [x for node in (core, *first) for x in node.inputs if x is not core and x not in first]
    Product(code, Kernel(middle, core, first, [], list(dict.fromkeys(reads))), find, raw, room).emit()
    elementwise(
        code,
        Kernel(kernel.root, middle, rest, [], kernel.reads),
        lambda node: raw if node is middle else find(node),
        out,
    )


def of_each(code: Code, core: Node, find: Find, out: Place, room: Any) -> None:
    """The product of each pair of matrices, along the axes before them."""
    pair = [Node("input", shape=x.shape[-2:], dtype=x.dtype) for x in core.inputs]
    product = Node("matmul", pair, shape=core.shape[-2:], dtype=core.dtype)
    places = [broadcast(find(x), (*core.shape[:-2], *x.shape[-2:])) for x in core.inputs]

    def multiply(index: list[Any]) -> None:
        x, y, to = (
            Place(element(code, p, [*index, 0, 0]), 0, p.strides[-2:], p.shape[-2:], p.dtype) for p in (*places, out)
        )
        found = dict(zip(pair, (x, y), strict=True))
        Product(code, Kernel(product, product, [], [], pair), found.__getitem__, to, room).emit()

    if core.size:
        code.nest(core.shape[:-2], multiply)


def split(body: list[Node], core: Node) -> tuple[list[Node], list[Node]]:
    """An epilogue in two: what comes before its first exponential or the like, and the rest, which then is a loop that
    need not care about rows. The rest reads only the last result of the first part; else there is no first part."""
    k = next((k for k, node in enumerate(body) if node.op in FUNCTIONS), 0)
    first, rest = body[:k], body[k:]
    hidden = {core, *first[:-1]}
    if not first or first[-1].dtype != core.dtype or any(x in hidden for node in rest for x in node.inputs):
        return [], body
    return first, rest


def updated(code: Code, kernel: Kernel, find: Find, out: Place, room: Any) -> bool:
    """A large product that is taken, times a rate, from an array: BLAS does it in one pass. Whether it was that."""
    core, update = kernel.core, update_of(kernel)
    if core is None or update is None:
        return False
    rate, before = update
    product = Product(code, Kernel(core, core, [], [], list(core.inputs)), find, out, room)
    if not blas.serves(product.a, product.b, product.out):
        return False
    place = find(before)
    if place.pointer is not out.pointer:
        copy(code, place, out)
    value = Operands(code, [rate], find, ()).read(rate, [], 1)
    blas.gemm(code, product.a, product.b, product.out, code.b.fneg(value))
    return True


def rated(code: Code, kernel: Kernel, find: Find, room: Any) -> tuple[Kernel, Find]:
    """array - rate · (x @ y) as array - x @ (rate · y), if y, or x, is small beside the product: that multiplies less.
    It rounds at another place, which BLAS, too, leaves open.
    """
    core, update, small = kernel.core, update_of(kernel), small_factor(kernel)
    if core is None or update is None or small is None:
        return kernel, find
    rate, before = update
    times = Node("multiply", [small, rate], shape=small.shape, dtype=small.dtype)
    product = core.like([times if x is small else x for x in core.inputs])
    root = kernel.root.like([before, product])
    place = whole(code.at(room, product_room(core), I8), times)
    elementwise(code, Kernel(times, None, [times], [], [small, rate]), find, place)
    reads = [*product.inputs, before]
    return Kernel(root, product, [root], [], reads), lambda node: place if node is times else find(node)
