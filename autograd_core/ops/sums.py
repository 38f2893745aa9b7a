"""Sums of products: einsum, convolution, Kronecker and cross products.

einsum contracts two arrays at a time. Before that, each array loses what concerns it alone: an index it has twice
becomes its diagonal, an index that nothing else has is summed. Then every index of x is one of y or of the result, and
the gradient is the same contraction with the letters moved:

    out = einsum("x,y->out", x, y)   ⇒   gx = einsum("out,y->x", g, y),  gy = einsum("x,out->y", x, g).
"""

import math
from typing import Any

import numpy as np

from ..data import as_array, ndim_of, shape_of, size_of
from ..op import PRODUCT, Op, composed, multilinear
from .indexing import diagonal, scatter_add
from .linear import REQUIRED, flip, moveaxis, ravel, reshape, sum, transpose

# Contractions ---------------------------------------------------------------------------------------------------------

SMALL = 4096


def contract(x: Any, y: Any, subscripts: str) -> Any:
    """einsum of two arrays. Large ones become stacks of matrices, whose product is many times quicker."""
    small = size_of(x) + size_of(y) < SMALL
    return np.einsum(subscripts, x, y) if small else as_matrices(x, y, subscripts)


def as_matrices(x: Any, y: Any, subscripts: str) -> Any:
    """einsum of two arrays, each of whose indices the other has or the result, as a product of stacks of matrices."""
    a, b, out = letters_of(subscripts)
    batch = [i for i in a if i in b and i in out]
    summed = [i for i in a if i in b and i not in out]
    rows, columns = [i for i in a if i not in b], [i for i in b if i not in a]
    size = dict(zip(a + b, np.shape(x) + np.shape(y), strict=True))
    x = np.transpose(x, [a.index(i) for i in batch + rows + summed])
    y = np.transpose(y, [b.index(i) for i in batch + summed + columns])
    stacked = [size[i] for i in batch]
    n, k, m = (math.prod(size[i] for i in part) for part in (rows, summed, columns))
    product = np.reshape(x, (*stacked, n, k)) @ np.reshape(y, (*stacked, k, m))
    order = batch + rows + columns
    return np.transpose(np.reshape(product, [size[i] for i in order]), [order.index(i) for i in out])


def letters_of(subscripts: str) -> tuple[str, str, str]:
    """The letters of both arrays and of the result."""
    a, b, out = subscripts.replace("->", ",").split(",")
    return a, b, out


def first_contraction(g: Any, x: Any, y: Any, subscripts: str) -> Any:
    a, b, out = letters_of(subscripts)
    return einsum_pair(g, y, f"{out},{b}->{a}")


def second_contraction(g: Any, x: Any, y: Any, subscripts: str) -> Any:
    a, b, out = letters_of(subscripts)
    return einsum_pair(x, g, f"{a},{out}->{b}")


einsum_pair = multilinear(
    "einsum", contract, settings=dict(subscripts=REQUIRED),
    text="einsum('{subscripts}', {x}, {y})", tex=r"\operatorname{{einsum}}_{{{subscripts}}}({x}, {y})",
    samples=[([(2, 3), (3, 4)], dict(subscripts="ij,jk->ki")), ([(2, 3), (2, 3)], dict(subscripts="bi,bi->b")),
             ([(2, 3, 2), (2, 4, 2)], dict(subscripts="bij,bkj->ikb")), ([(3,), (2,)], dict(subscripts="i,j->ji"))],
    adjoints=(first_contraction, second_contraction),
)  # fmt: skip


def parsed(args: tuple[Any, ...]) -> tuple[list[Any], list[list[Any]], list[Any]]:
    """The operands of einsum, the indices of each, and those of the result; an ellipsis becomes indices (…, k)."""
    if isinstance(args[0], str):
        text, *operands = args
        left, arrow, right = text.replace(" ", "").partition("->")
        inputs = [tokens(part) for part in left.split(",")]
        output = tokens(right) if arrow else None
    else:
        pairs = len(args) // 2
        operands = list(args[: 2 * pairs : 2])
        inputs = [list(part) for part in args[1 : 2 * pairs : 2]]
        output = list(args[-1]) if len(args) % 2 else None
    if len(inputs) != len(operands):
        raise ValueError(f"einsum: {len(inputs)} subscripts for {len(operands)} operands")
    operands = [as_array(x) for x in operands]
    widest = 0
    for k, (x, indices) in enumerate(zip(operands, inputs, strict=True)):
        extra = ndim_of(x) - len([i for i in indices if i is not Ellipsis])
        if extra < 0 or (extra and Ellipsis not in indices):
            raise ValueError(f"einsum: operand {k} has {ndim_of(x)} axes, its subscripts are {len(indices)}")
        inputs[k] = spelled(indices, extra)
        widest = max(widest, extra if Ellipsis in indices else 0)
    every = [i for indices in inputs for i in indices]
    if output is None:
        named = sorted({i for i in every if not isinstance(i, tuple)})
        output = spelled([Ellipsis], widest) + [i for i in named if every.count(i) == 1]
    else:
        output = spelled(output, widest)
    if len(set(output)) < len(output) or not set(output) <= set(every):
        raise ValueError("einsum: the result's subscripts must be different, and each one of an operand's")
    return operands, inputs, output


def tokens(text: str) -> list[Any]:
    found: list[Any] = list(text.replace("...", "…"))
    return [Ellipsis if i == "…" else i for i in found]


def spelled(indices: list[Any], extra: int) -> list[Any]:
    """Indices with the ellipsis written out; its axes are counted from the last."""
    return [j for i in indices for j in ([("…", k) for k in range(-extra, 0)] if i is Ellipsis else [i])]


def narrowed(x: Any, indices: list[Any], sizes: dict[Any, int]) -> tuple[Any, list[Any]]:
    """The operand without its axes of length 1 that are broadcast."""
    shape = shape_of(x)
    for i, n in zip(indices, shape, strict=True):
        if n not in (1, sizes[i]):
            raise ValueError(f"einsum: the index {i!r} is of length {n} and of length {sizes[i]}")
    kept = [a for a, i in enumerate(indices) if shape[a] == sizes[i]]
    if len(kept) == len(indices):
        return x, indices
    return reshape(x, tuple(shape[a] for a in kept)), [indices[a] for a in kept]


def alone(x: Any, indices: list[Any], needed: set[Any]) -> tuple[Any, list[Any]]:
    """What concerns one operand only: repeated indices as diagonals, private ones summed."""
    for i in dict.fromkeys(indices):
        while indices.count(i) > 1:
            first = indices.index(i)
            second = indices.index(i, first + 1)
            x = diagonal(x, 0, first, second)
            indices = [j for a, j in enumerate(indices) if a not in (first, second)] + [i]
    private = tuple(a for a, i in enumerate(indices) if i not in needed)
    if private:
        x, indices = sum(x, axis=private), [i for i in indices if i in needed]
    return x, indices


@composed(np.einsum)
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """See `np.einsum`, with all of its notation. `optimize` chooses the order in which pairs are contracted."""
    arrays, inputs, output = parsed(operands)
    sizes: dict[Any, int] = {}
    for x, indices in zip(arrays, inputs, strict=True):
        for i, n in zip(indices, shape_of(x), strict=True):
            sizes[i] = n if sizes.get(i, 1) == 1 else sizes[i]
    letters = {i: chr(ord("a") + k) if k < 26 else chr(ord("A") + k - 26) for k, i in enumerate(sizes)}

    def text(indices: list[Any]) -> str:
        return "".join(letters[i] for i in indices)

    steps: list[Any] = [tuple(range(len(arrays)))]
    if optimize is not False and len(arrays) > 2:
        plan = ",".join(map(text, inputs)) + "->" + text(output)
        steps = np.einsum_path(plan, *(np.broadcast_to(0.0, shape_of(x)) for x in arrays), optimize=optimize)[0][1:]
    pending = [narrowed(x, indices, sizes) for x, indices in zip(arrays, inputs, strict=True)]
    for step in steps:
        chosen = [pending.pop(k) for k in sorted(step, reverse=True)][::-1]
        total, have = chosen.pop(0)
        while chosen:
            other, indices = chosen.pop(0)
            later = {i for _, part in (*chosen, *pending) for i in part} | set(output)
            total, have = alone(total, have, later | set(indices))
            other, indices = alone(other, indices, later | set(have))
            result = [i for i in dict.fromkeys(have + indices) if i in later]
            if have and indices:
                total = einsum_pair(total, other, f"{text(have)},{text(indices)}->{text(result)}")
            else:
                total, result = total * other, have + indices
            have = result
        pending.append((total, have))
    ((total, have),) = pending
    total, have = alone(total, have, set(output))
    order = tuple(have.index(i) for i in output if i in have)
    total = total if order == tuple(range(len(order))) else transpose(total, order)
    shape = tuple(sizes[i] for i in output)
    return total if shape_of(total) == shape else reshape(total, shape)


# Products -------------------------------------------------------------------------------------------------------------


@composed(np.kron)
def kron(a: Any, b: Any) -> Any:
    """See `np.kron`: every axis of a times the same axis of b."""
    ndim = max(ndim_of(a), ndim_of(b))
    m, n = ((1,) * (ndim - ndim_of(x)) + shape_of(x) for x in (a, b))
    a = reshape(a, tuple(k for i in m for k in (i, 1)))
    b = reshape(b, tuple(k for i in n for k in (1, i)))
    return reshape(a * b, tuple(i * k for i, k in zip(m, n, strict=True)))


@composed(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """See `np.vdot`."""
    a, b = (x if ndim_of(x) == 1 else ravel(x) for x in (a, b))
    return np.dot(np.conj(a), b)


@composed(np.vecdot, np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """See `np.vecdot`."""
    x1, x2 = (x if axis == -1 else moveaxis(x, axis, -1) for x in (x1, x2))
    if () in (shape_of(x1), shape_of(x2)) or shape_of(x1)[-1] != shape_of(x2)[-1]:
        raise ValueError(f"np.vecdot takes vectors of the same length, not of shapes {shape_of(x1)} and {shape_of(x2)}")
    return sum(np.conj(x1) * x2, axis=-1)


def needs_axes(function: str, k: int, matrix: Any) -> None:
    """A ValueError for an argument that is to be a matrix, or a stack of them, and has not the axes for it."""
    if ndim_of(matrix) < 2:
        raise ValueError(f"{function} takes a matrix as its argument {k}, and here it has shape {shape_of(matrix)}")


if hasattr(np, "matvec"):  # NumPy 2.2

    @composed(np.matvec)
    def matvec(x1: Any, x2: Any) -> Any:
        """See `np.matvec`."""
        needs_axes("np.matvec", 0, x1)
        return (x1 @ x2[..., None])[..., 0]

    @composed(np.vecmat)
    def vecmat(x1: Any, x2: Any) -> Any:
        """See `np.vecmat`."""
        needs_axes("np.vecmat", 1, x2)
        return (np.conj(x1)[..., None, :] @ x2)[..., 0, :]


@composed(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """See `np.cross`, of vectors of three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if shape_of(a)[-1] != 3 or shape_of(b)[-1] != 3:
        raise ValueError("np.cross takes vectors of 3 elements; of 2 write out a₀ b₁ - a₁ b₀")
    left, right = [1, 2, 0], [2, 0, 1]
    out = a[..., left] * b[..., right] - a[..., right] * b[..., left]
    return out if axisc in (-1, ndim_of(out) - 1) else moveaxis(out, -1, axisc)


@composed(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """See `np.linalg.cross`."""
    return cross(x1, x2, axis=axis)


# Convolution ----------------------------------------------------------------------------------------------------------


def in_full(g: Any, x: Any, y: Any, mode: str) -> Any:
    """The gradient of a part of a convolution as that of the whole: zeros outside."""
    n, m = size_of(x), size_of(y)
    low = min(n, m) - 1
    start = {"full": 0, "same": low // 2, "valid": low}[mode]
    return g if mode == "full" else scatter_add(g, slice(start, start + size_of(g)), (n + m - 1,))


convolve: Op = multilinear(
    "convolve", np.convolve, numpy=np.convolve, settings=dict(mode="full"),
    samples=[([(5,), (3,)], {}), ([(5,), (2,)], dict(mode="same")), ([(2,), (5,)], dict(mode="valid")),
             ([(3,), (4,)], dict(mode="same"))],
    text="{x} ∗ {y}", tex="{x} * {y}", precedence=PRODUCT,
    adjoints=(lambda g, x, y, mode: convolve(in_full(g, x, y, mode), flip(y), "valid"),
              lambda g, x, y, mode: convolve(in_full(g, x, y, mode), flip(x), "valid")),
)  # fmt: skip


@composed(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """See `np.correlate`: the convolution with the other turned round."""
    out = convolve(a, flip(np.conj(v)), "full")
    n, m = size_of(a), size_of(v)
    if mode == "full":
        return out
    low, high = min(n, m), max(n, m)
    if mode == "valid":
        return out[low - 1 : high]
    if mode != "same":
        raise ValueError("correlate: the mode is 'full', 'same' or 'valid'")
    start = (low - 1) // 2 if n >= m else low // 2
    return out[start : start + high]
