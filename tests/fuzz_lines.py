"""The lines of random programs: each an expression that applies one op to what is known so far."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.op import FREE, Op
from autograd_core.ops import fft, special  # noqa: F401  they declare the ops that are declared late
from autograd_core.registry import OPS

Rng = np.random.Generator
Known = dict[str, Any]


def is_tabulated(op: Op) -> bool:
    """Whether it is one of SciPy's many functions beyond the elementary ones, which would crowd out all others."""
    modules = [getattr(f, "__module__", None) or "" for f in (*op.rules, op.pushforward)]
    tables = ("declare", "bessel", "integrals", "polynomials", "probability")
    return any(".special." in m and (op.settings or op.form == "primitive" or m.endswith(tables)) for m in modules)


BUILT_IN = {  # rules of one's own have longer keys; eig has real or complex results, as the numbers say
    key: OPS[key] for key in sorted(OPS) if key == OPS[key].name != "eig" and not is_tabulated(OPS[key])
}
"""The ops of the engine, whatever else was imported or registered before: a seed always makes the same program."""

ELEMENTWISE = [op for op in BUILT_IN.values() if op.form == "elementwise"]
REDUCING = [op for op in BUILT_IN.values() if {"axis", "keepdims"} <= op.settings.keys()]
SAMPLED = [op for op in BUILT_IN.values() if op.form != "elementwise" and op.samples]
MATRICES = ("linalg", "decompositions", "singular")
REGULAR = {op.name for op in SAMPLED if (getattr(op.rules[0], "__module__", "") or "").endswith(MATRICES)}
"""Ops whose derivatives need a matrix of full rank, or with distinct eigenvalues."""


def number_of_results(op: Op) -> int:
    """How many arrays an op returns; 1 for those that return the array itself."""
    given, settings = op.samples[0]
    arrays = [np.full(x, 0.5) + np.eye(*x[-2:]) if isinstance(x, tuple) and len(x) > 1 else x for x in given]
    out = op.forward(*arrays, *(op.settings | settings).values()) if op.name in REGULAR else None
    return len(out) if isinstance(out, tuple) else 1


COMPLEX = ("fft", "ifft", "rfft")
SEVERAL = {op.name: n for op in SAMPLED if (n := number_of_results(op)) > 1}

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@"}


def propose(rng: Rng, known: Known) -> str:
    """An expression in what is known; whether NumPy takes it is for the caller to find out."""
    kinds = [elementwise, reduction, shape, index, join, product, choice, composed, sampled]
    chances = np.array([9, 3, 4, 3, 2, 3, 2, 2, 6], float)
    make: Callable[[Rng, Known], str] = kinds[rng.choice(len(kinds), p=chances / chances.sum())]
    return make(rng, known)


def pick(rng: Rng, names: list[str]) -> str:
    """One of them, more likely one of the last."""
    return names[-1 - min(int(rng.exponential(3.0)), len(names) - 1)]


def array(rng: Rng, known: Known, axes: int = 1) -> str | None:
    """A known array with so many axes or more."""
    fitting = [name for name, x in known.items() if np.ndim(x) >= axes]
    return pick(rng, fitting) if fitting else None


def or_scalar(text: str | None, rng: Rng, known: Known) -> str:
    """An expression, or where nothing fits one that makes an array for the next try."""
    return text or f"np.stack([{pick(rng, [*known])}, {pick(rng, [*known])}])"


def elementwise(rng: Rng, known: Known) -> str:
    """An elementwise op of arguments that broadcast, brought into its domain."""
    op: Op = ELEMENTWISE[rng.integers(len(ELEMENTWISE))]
    shape: tuple[int, ...] = ()
    words = []
    for interval in op.domain:
        fitting = [name for name, x in known.items() if broadcasts(np.shape(x), shape)]
        if fitting and (not words or rng.random() < 0.8):
            name = pick(rng, fitting)
            shape = np.broadcast_shapes(shape, np.shape(known[name]))
            words.append(within(name, known[name], *interval))
        else:
            words.append(f"{rng.uniform(*interval):.4f}")
    if op.name in SIGNS and rng.random() < 0.7:
        return SIGNS[op.name].join(f"({word})" for word in words)
    function = op.numpy[0] if op.numpy else None
    spelled = f"np.{function.__name__}" if function is not None and is_in_numpy(function) else f"OPS[{op.name!r}]"
    return f"{spelled}({', '.join(words)})"


def is_in_numpy(function: Any) -> bool:
    return getattr(np, function.__name__, None) is function


def within(name: str, x: Any, low: float, high: float) -> str:
    """A value as it is if it is inside of an interval, else mapped into it."""
    x = np.asarray(x)
    if (low, high) == FREE:
        low, high = -4.0, 4.0
    if np.min(x) >= low and np.max(x) <= high:
        return name
    return f"{(low + high) / 2:.6g} + {(high - low) / 2.1:.6g} * np.tanh({name})"


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def reduction(rng: Rng, known: Known) -> str:
    """An op that reduces axes: all, one, or several, which stay as axes of length 1 or go."""
    op = REDUCING[rng.integers(len(REDUCING))]
    name = array(rng, known)
    if name is None:
        return f"OPS[{op.name!r}]({pick(rng, [*known])})"
    ndim = np.ndim(known[name])
    several = tuple(rng.permutation(ndim)[: rng.integers(1, ndim + 1)].tolist())
    axis = [None, int(rng.integers(-ndim, ndim)), several][rng.integers(3)]
    return f"OPS[{op.name!r}]({name}, axis={axis}, keepdims={bool(rng.integers(2))})"


def shape(rng: Rng, known: Known) -> str:
    """An op that moves elements about, or repeats them."""
    name = array(rng, known)
    if name is None:
        return or_scalar(None, rng, known)
    x = np.asarray(known[name])
    n, axis, other = x.ndim, int(rng.integers(x.ndim)), int(rng.integers(-x.ndim, 0))
    halves = [k for k in range(1, x.size + 1) if x.size % k == 0]
    made = [
        f"np.reshape({name}, ({(k := int(rng.choice(halves)))}, {x.size // k}))",
        f"np.reshape({name}, -1)",
        f"np.transpose({name}, {tuple(rng.permutation(n).tolist())})",
        f"{name}.T",
        f"np.swapaxes({name}, {axis}, {other})",
        f"np.moveaxis({name}, {axis}, {other})",
        f"np.expand_dims({name}, {axis})",
        f"np.squeeze({name})",
        f"np.broadcast_to({name}, {(2, *x.shape)})",
        f"np.flip({name}, {axis})",
        f"np.roll({name}, {int(rng.integers(-3, 4))}, {axis})",
        f"np.cumsum({name}, axis={axis})",
        f"np.tril({name})" if n > 1 else f"np.flip({name})",
        f"np.triu({name}, 1)" if n > 1 else f"np.roll({name}, 1)",
    ]
    return made[rng.integers(len(made))]


def index(rng: Rng, known: Known) -> str:
    """Basic, integer and boolean indexing."""
    name = array(rng, known)
    if name is None:
        return or_scalar(None, rng, known)
    x = np.asarray(known[name])
    n = x.shape[0]
    some = rng.integers(-n, n, rng.integers(1, 5)).tolist()
    made = [
        f"{name}[{int(rng.integers(-n, n))}]",
        f"{name}[{int(rng.integers(n))}:]",
        f"{name}[::-1]",
        f"{name}[..., None]",
        f"{name}[..., ::2]",
        f"{name}[{some}]",
        f"{name}[..., {rng.integers(x.shape[-1], size=3).tolist()}]",
        f"{name}[np.array({(rng.random(x.shape) < 0.7).tolist()})]",
        f"{name}[{some}, {rng.integers(x.shape[1], size=len(some)).tolist()}]" if x.ndim > 1 else f"{name}[None, :]",
        f"{name}[{some}, ..., 0]" if x.ndim > 1 else f"{name}[:, None]",
    ]
    return made[rng.integers(len(made))]


def join(rng: Rng, known: Known) -> str:
    """Concatenations and stacks."""
    name = array(rng, known)
    if name is None:
        return or_scalar(None, rng, known)
    alike = [other for other, x in known.items() if np.shape(x) == np.shape(known[name])]
    parts = ", ".join([name, *[pick(rng, alike) for _ in range(rng.integers(1, 3))]])
    axis = int(rng.integers(np.ndim(known[name])))
    made = [
        f"np.concatenate([{parts}], axis={axis})",
        f"np.concatenate([{name}, {pick(rng, [*known])}, {name}], axis=None)",
        f"np.stack([{parts}], axis={axis})",
        f"np.vstack([{parts}])",
        f"np.hstack([{parts}])",
        f"np.concatenate([{name}, np.full({np.shape(known[name])}, 0.5)], axis={axis})",
    ]
    return made[rng.integers(len(made))]


def product(rng: Rng, known: Known) -> str:
    """Products of matrices and vectors."""
    name = array(rng, known)
    if name is None:
        return or_scalar(None, rng, known)
    x = np.asarray(known[name])
    fitting = [
        other for other, y in known.items() if np.ndim(y) and x.shape[-1] == np.shape(y)[-2 if np.ndim(y) > 1 else -1]
    ]
    weights = rng.uniform(-1, 1, (x.shape[-1], 2)).round(3).tolist()
    made = [f"{name} @ np.array({weights})", f"np.inner({name}, {name})"]
    if fitting:
        other = pick(rng, fitting)
        made += [f"{name} @ {other}", f"np.matmul({name}, {other})", f"np.dot({name}, {other})"]
    if x.ndim > 1:
        made += [f"{name} @ np.swapaxes({name}, -1, -2)", f"np.tensordot({name}, {name}, axes=([0], [0]))"]
    if x.size <= 6:
        made.append(f"np.outer({name}, {name})")
    return made[rng.integers(len(made))]


def choice(rng: Rng, known: Known) -> str:
    """Selection by a condition that depends on values, or by a mask; also of a branch that is not valid."""
    name = pick(rng, [*known])
    x = np.asarray(known[name])
    fitting = [other for other, y in known.items() if broadcasts(np.shape(y), x.shape)]
    other = pick(rng, fitting)
    mask = (rng.random(x.shape) < 0.5).tolist()
    made = [
        f"np.where({name} > {float(np.median(x)) + 0.01:.3f}, {name}, {other})",
        f"np.where(np.array({mask}), {other}, {name})",
        f"np.where({name} > 0, {other}, 0.5)",
        f"np.where({name} > 0, np.sqrt({name}), 0.0)",
        f"np.where(np.abs({name}) < 0.01, 1.0, np.sin({name}) / {name})",
        f"np.where({name} > 0.1, np.log({name}), {name})",
    ]
    return made[rng.integers(len(made))]


def composed(rng: Rng, known: Known) -> str:
    """Functions that are made of ops."""
    name = array(rng, known)
    if name is None:
        return or_scalar(None, rng, known)
    x = np.asarray(known[name])
    axis = int(rng.integers(x.ndim))
    made = [
        f"np.array_split({name}, 2, axis={axis})[0]",
        f"np.split({name}, {x.shape[axis]}, axis={axis})[-1]",
        f"np.clip({name}, -0.5, 0.75)",
        f"np.ravel({name})",
        f"np.diagonal({name})" if x.ndim > 1 else f"np.clip({name}, None, 0.3)",
        f"np.trace({name})" if x.ndim > 1 else f"np.clip({name}, -0.3)",
    ]
    return made[rng.integers(len(made))]


def sampled(rng: Rng, known: Known) -> str:
    """Any op that is not elementwise, at one of its samples; known values are cut and repeated to the shapes."""
    op = SAMPLED[rng.integers(len(SAMPLED))]
    given, settings = op.samples[rng.integers(len(op.samples))]
    words = [fitted(rng, known, x) if isinstance(x, tuple) else literal(x) for x in given]
    if op.name in REGULAR:
        words = [
            regular(word, x) if isinstance(x, tuple) and len(x) > 1 else word
            for word, x in zip(words, given, strict=True)
        ]
    details = [f"{key}={literal(x)}" for key, x in settings.items()]
    arrays = f"[{', '.join(words)}]" if op.variadic else ", ".join(words)
    made = f"OPS[{op.name!r}]({', '.join([arrays, *details])})"
    if op.name in SEVERAL:
        made = f"picked({made})[{rng.integers(SEVERAL[op.name])}]"
    if op.name in COMPLEX:
        return f"np.real({made} * (0.7 - 1j))"
    if op.name == "qr":
        return f"{made} + 0.3"  # products of orthonormal columns are 0 but for rounding
    return f"{made}**2" if op.name in ("eigh", "svd") else made  # the signs of vectors depend on the precision


def fitted(rng: Rng, known: Known, shape: tuple[int, ...]) -> str:
    """A known value in a given shape."""
    alike = [name for name, x in known.items() if np.shape(x) == shape]
    if alike and rng.random() < 0.7:
        return pick(rng, alike)
    name = pick(rng, [*known])
    x, size = np.asarray(known[name]), int(np.prod(shape))
    if x.ndim == 0:
        return f"np.broadcast_to({name}, {shape})"
    if x.size == size:
        return f"np.reshape({name}, {shape})"
    return f"np.reshape(np.reshape({name}, -1)[{(rng.permutation(size) % x.size).tolist()}], {shape})"


def regular(word: str, shape: tuple[int, ...]) -> str:
    """Matrices near a diagonal one with distinct elements."""
    diagonal = np.eye(*shape[-2:]) * (1.0 + 1.2 * np.arange(shape[-1]))
    return f"np.array({diagonal.round(1).tolist()}) + 0.2 * np.tanh({word})"


def literal(x: Any) -> str:
    """A setting as source."""
    if isinstance(x, np.ndarray):
        return f"np.array({x.tolist()}, np.dtype({x.dtype.str!r}))"
    if isinstance(x, np.dtype):
        return f"np.dtype({x.str!r})"
    if isinstance(x, tuple):
        return f"({''.join(literal(part) + ', ' for part in x)})"
    if isinstance(x, list):
        return f"[{', '.join(map(literal, x))}]"
    return repr(x)
