"""The ops that the algebra of short formulas can absorb; any other is written as its declaration has it."""

from collections.abc import Callable
from typing import Any

from ..registry import OPS
from . import terms
from .phrases import call
from .terms import Terms


def power(a: Terms, b: Terms) -> Terms | None:
    """a ** b where b is a number."""
    if not b:
        return terms.ONE
    return terms.power(a, b[0].n / b[0].d) if len(b) == 1 and not b[0].powers else None


def divide(a: Terms, b: Terms) -> Terms | None:
    """a / b, unless b is 0."""
    inverse = terms.power(b, -1)
    return None if inverse is None else terms.multiply(a, inverse)


def is_scattered(a: Terms) -> bool:
    """Whether a formula is a number at some places, and 0 elsewhere."""
    return len(a) == 1 and [key[:2] for key in keys(a)] == [("scatter_add", terms.ONE)]


def keys(formula: Terms) -> list[Any]:
    """The keys of the atoms of a formula that is one term; a key says which op of which formulas an atom is."""
    return [atom.key if isinstance(atom.key, tuple) else (None,) for term in formula for atom, _ in term.powers]


def exponential(a: Terms) -> Terms | None:
    """exp(log_softmax(x)) is softmax(x), along the last axis."""
    if len(a) != 1 or [key[0] for key in keys(a)] != ["log_softmax"]:
        return None
    ((atom, _),) = a[0].powers
    inner = terms.write(atom.key[1])  # type: ignore[index]
    if terms.write(a).text != call(OPS["log_softmax"], [inner]).text:  # times something, or along another axis
        return None
    phrase = call(OPS["softmax"], [inner])
    return terms.variable(phrase, ("softmax", atom.key[1], phrase.text), is_array=atom.is_array)  # type: ignore[index]


def transposed(a: Terms) -> Terms | None:
    """What a formula is the transpose of, if that is all it is: (Aᵀ)ᵀ is A."""
    if len(a) != 1 or a[0].n != a[0].d or [e for _, e in a[0].powers] != [1]:
        return None
    op, *inner = keys(a)[0]
    return inner[0] if op in ("transpose", "swapaxes") and inner[-1].endswith("ᵀ") else None


MINUS = terms.number(-1)

ALGEBRA: dict[str, Callable[..., Terms | None]] = {
    "add": terms.add,
    "sub": lambda a, b: terms.add(a, terms.multiply(MINUS, b)),
    "mul": terms.multiply,
    "div": divide,
    "neg": lambda a: terms.multiply(MINUS, a),
    "pow": power,
    "square": lambda a: terms.power(a, 2),
    "reciprocal": lambda a: terms.power(a, -1),
    "exp": exponential,
}
"""What is written for an op of such formulas; None where there is nothing simpler than its template."""
