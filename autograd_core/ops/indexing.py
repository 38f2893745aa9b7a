"""Taking parts and putting together: indexing, selection by a condition, joining and splitting. All of it is linear.

Indexing and scattering are each other's adjoints; joining arrays and taking the parts apart are, too.
"""

import builtins
from typing import Any

import numpy as np

from ..data import dtype_of, ndim_of, shape_of, size_of
from ..op import CHOICE, Op, composed, linear
from ..registry import FULL
from ..value import FAST
from .linear import REQUIRED, ROWS, converted, reshape, sum, to_axes

# Indexing and selection -----------------------------------------------------------------------------------------------


def is_basic(index: Any) -> bool:
    """Whether an index only slices, so that it takes no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or (isinstance(part, (slice, int, np.integer)) and not isinstance(part, bool))
        for part in parts
    )


def repeats(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index takes an element several times, as that of an embedding may.

    >>> repeats([1, 1, 3], (4, 2)), repeats([0, 1, 3], (4, 2))
    (True, False)
    """
    times = np.zeros(shape, int)
    if not is_basic(index):
        np.add.at(times, index, 1)
    return bool(times.max(initial=0) > 1)


def take_items(x: Any, index: Any) -> Any:
    try:
        return np.asarray(x)[index] if type(x) is float else x[index]
    except IndexError as error:
        raise IndexError(f"getitem of shape {shape_of(x)}: {error}") from None


def add_items(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with g added at `index`; items that the index takes several times add up."""
    out = np.zeros_like(g, shape=shape, dtype=dtype_of(g))
    if is_basic(index):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


def add_into(total: Any, g: Any, index: Any) -> None:
    """Add g to an array at `index`, in place."""
    if is_basic(index):
        total[index] += g
    else:
        np.add.at(total, index, g)


def take_each(t: Any, index: Any) -> Any:
    """The items at `index` of each part of t along its first axis."""
    return t[all_of(index)] if is_basic(index) else np.stack([x[index] for x in t])


def add_each(t: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """`add_items` of each part of t along its first axis."""
    if is_basic(index):
        return add_items(t, all_of(index), (len(t), *shape))
    return np.stack([add_items(g, index, shape) for g in t])


def all_of(index: Any) -> tuple[Any, ...]:
    """A basic index behind a further first axis, of which all is taken."""
    return (slice(None), *(index if isinstance(index, tuple) else (index,)))


getitem: Op = linear(
    "getitem", take_items, settings=dict(index=REQUIRED), text="{x}[{index}]", tex="{{{x}}}_{{{index}}}",
    samples=[([ROWS], dict(index=1)), ([ROWS], dict(index=(slice(None, None, -2), None, ...))),
             ([ROWS], dict(index=([0, 2, 0], [1, 1, 1]))), ([ROWS], dict(index=np.eye(3, 4, dtype=bool)))],
    adjoints=(lambda g, x, index: scatter_add(g, index, shape_of(x)),), into=add_into, selects=True,
    batched=lambda t, index: take_each(t, index),
)  # fmt: skip
scatter_add: Op = linear(  # ↔ getitem
    "scatter_add", add_items, settings=dict(index=REQUIRED, shape=REQUIRED), precedence=CHOICE,
    text="{x}{adding} at [{index}], 0 elsewhere", tex=r"{x}{adding} \text{{ at }} [{index}]",
    samples=[([(4,)], dict(index=1, shape=ROWS)), ([(3,)], dict(index=([0, 2, 0], [1, 1, 1]), shape=ROWS))],
    adjoints=(lambda g, x, index, shape: getitem(g, index),),
    batched=lambda t, index, shape: add_each(t, index, shape),
)  # fmt: skip


def set_items(x: Any, y: Any, index: Any) -> Any:
    if dtype_of(y).kind == "c" != dtype_of(x).kind:
        raise TypeError(f"complex numbers are not {dtype_of(x)}: take np.real(y), or v.astype(complex) before")
    out = np.array(x)
    out[index] = y
    return out


index_set: Op = linear(
    "index_set", set_items, settings=dict(index=REQUIRED), text="{x} with {y} at [{index}]", precedence=CHOICE,
    tex=r"{x} \text{{ with }} {y} \text{{ at }} [{index}]",
    samples=[([ROWS, (4,)], dict(index=1)), ([ROWS, ()], dict(index=(slice(None), 2))),
             ([ROWS, (2,)], dict(index=([0, 2], [1, 1])))], selects=True,
    adjoints=(lambda g, x, y, index: index_set(g, 0.0, index),
              lambda g, x, y, index: getitem(g, index)),
)  # fmt: skip


def choose(condition: Any, x: Any, y: Any) -> Any:
    """`where` for rules, decided at once if the condition is a plain bool."""
    if type(condition) in (bool, np.bool_):
        return x if condition else y
    return np.where(condition, x, y)


def over_size(x: Any, size: Any) -> Any:
    """x / size, and 0 where the size is 0: at such a kink the subgradient of least norm, whose own derivative is 0."""
    return x / choose(size == 0, np.inf, size)


def select(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; of numbers a number, whose dtype does not depend on which was chosen."""
    if type(condition) is bool and type(x) in FAST and type(y) in FAST:
        return float(x if condition else y)
    out = np.where(condition, x, y)
    return out[()] if type(out) is np.ndarray and not out.shape else out


MASK = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, False]])

where: Op = linear(
    "where", select, numpy=np.where, samples=[([MASK, ROWS, ROWS], {}), ([MASK, ROWS, (4,)], {})],
    precedence=CHOICE, text="{y} if {x} else {z}", tex=r"\begin{{cases}}{y}&{x}\\{z}&\text{{else}}\end{{cases}}",
    selects=True,
    adjoints=(None,
              lambda g, condition, x, y: where(condition, g, 0.0),
              lambda g, condition, x, y: where(condition, 0.0, g)),
)  # fmt: skip

# Joining and splitting ------------------------------------------------------------------------------------------------


def join(*args: Any) -> Any:
    *arrays, axis = args
    return np.concatenate(arrays, axis=axis)


def part(k: int, g: Any, *args: Any) -> Any:
    *arrays, axis = args
    if axis is None:
        start = builtins.sum(size_of(x) for x in arrays[:k])
        return reshape(g[start : start + size_of(arrays[k])], shape_of(arrays[k]))
    start = builtins.sum(shape_of(x)[axis] for x in arrays[:k])
    cut = slice(start, start + shape_of(arrays[k])[axis])
    return g[(slice(None),) * (axis % ndim_of(g)) + (cut,)]


def pile(*args: Any) -> Any:
    *arrays, axis = args
    return np.stack(arrays, axis=axis)


concatenate = linear(
    "concatenate", join, numpy=np.concatenate, variadic=True, settings=dict(axis=0), adjoints=(part,),
    samples=[([(2, 3), (1, 3)], {}), ([(2, 3), (2, 1), (2, 2)], dict(axis=-1)), ([(2, 3), (2,)], dict(axis=None))],
)  # fmt: skip
stack = linear(
    "stack", pile, numpy=np.stack, variadic=True, settings=dict(axis=0),
    samples=[([(2, 3), (2, 3)], {}), ([(2,), (2,), (2,)], dict(axis=-1)), ([(), ()], {})],
    adjoints=(lambda k, g, *args: g[(slice(None),) * (args[-1] % ndim_of(g)) + (k,)],),
)  # fmt: skip


FULL["concatenate"] = lambda arrays, axis=0, dtype=None: concatenate([converted(x, dtype) for x in arrays], axis)
FULL["stack"] = lambda arrays, axis=0, dtype=None: stack([converted(x, dtype) for x in arrays], axis)


@composed(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """See `np.array_split`: each part is a slice of the whole."""
    parts = np.array_split(np.arange(shape_of(ary)[axis]), indices_or_sections)
    before = (slice(None),) * (axis % ndim_of(ary))
    return [ary[(*before, slice(p[0], p[-1] + 1) if p.size else slice(0, 0))] for p in parts]


@composed(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """See `np.split`: as `array_split`, into equal parts if a number of them is given."""
    n = shape_of(ary)[axis]
    if np.ndim(indices_or_sections) == 0 and n % indices_or_sections:
        raise ValueError(f"split: an axis of length {n} does not divide into {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, axis)


@composed(np.vstack)
def vstack(tup: Any, *, dtype: Any = None) -> Any:
    """See `np.vstack`."""
    return FULL["concatenate"]([reshape(x, (1, -1)) if ndim_of(x) < 2 else x for x in tup], 0, dtype)


@composed(np.hstack)
def hstack(tup: Any, *, dtype: Any = None) -> Any:
    """See `np.hstack`."""
    parts = [reshape(x, -1) if ndim_of(x) == 0 else x for x in tup]
    return FULL["concatenate"](parts, 1 if ndim_of(tup[0]) > 1 else 0, dtype)


@composed(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """See `np.diagonal`: the elements a[..., i, i + offset]."""
    a = to_axes(a, (axis1, axis2), (-2, -1))
    rows, columns = shape_of(a)[-2:]
    i = np.arange(max(0, -offset), max(0, min(rows, columns - offset), -offset))
    return a[..., i, i + offset]


@composed(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """See `np.trace`."""
    return sum(converted(diagonal(a, offset, axis1, axis2), dtype), -1)
