"""The formulas of single elements, for networks small enough to be done by hand: ∂C/∂w²₁₁ = a²₁ δ³₁.

The rules are plain NumPy, and so work on arrays of Symbols as they do on arrays of numbers: what comes out is the
formula of each element. Run once more with numbers for names, they show the numbers in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from ..data import shape_of
from ..value import Value, plain
from .board import Line, equation, shown
from .chain import Chain, inputs_among
from .derivatives import pulled, rules_of
from .names import arrays_of, is_shown, settings_of
from .phrases import Phrase, name, partial
from .symbols import Symbol

MOST_ARRAYS, MOST_PARAMETERS, MOST_ELEMENTS = 60, 30, 32
"""How many arrays a small network has, how many elements its parameters have together, and any one array."""

LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Namer = Callable[[Any, tuple[int, ...]], Phrase]


def element_lines(
    chain: Chain, steps: list[Value], deltas: Mapping[Value, Phrase], wanted: Mapping[Value, Any]
) -> list[Line]:
    """The gradients of all elements of the δ and the parameters; none if they are too many, or not to be had."""
    arrays = [
        x for node in chain.stations for part in chain.inside[node] for x in (part, *arrays_of(part)) if is_shown(x)
    ]
    if (
        chain.several  # no formula says what their elements are
        or len(arrays) > MOST_ARRAYS
        or sum(p.size for p in wanted) > MOST_PARAMETERS
        or any(np.size(plain(x)) > MOST_ELEMENTS for x in arrays)
    ):
        return []

    def symbolic(x: Any, index: tuple[int, ...]) -> Phrase:
        return indexed(deltas[x[0]] if isinstance(x, tuple) else chain.name(x), x, index, wanted)

    def numeric(x: Any, index: tuple[int, ...]) -> Phrase:
        data = chain.gradients[x[0]] if isinstance(x, tuple) else plain(x)
        number = shown(np.asarray(data)[index])
        return number.bracketed() if number.text.startswith("−") else number

    try:
        with np.errstate(all="ignore"):
            formulas, numbers = (run(chain, steps, deltas, wanted, namer) for namer in (symbolic, numeric))
    except Exception:  # a rule that takes no arrays of Symbols
        return []
    lines = []
    for node in steps:
        if node in formulas:
            total = np.asarray(wanted.get(node, chain.gradients[node]))
            for index in np.ndindex(total.shape):
                called = symbolic((node,), index) if node in deltas else symbolic(node, index)
                left = called if node in deltas else partial(chain.name(chain.root), called)
                result, sums = shown(total[index]), written(numbers[node], index)
                sums = result if sums.text.strip("()") == result.text else sums
                lines.append(equation(left, written(formulas[node], index), sums, result))
    return lines


def run(
    chain: Chain, steps: list[Value], deltas: Mapping[Value, Phrase], wanted: Mapping[Value, Any], namer: Namer
) -> dict[Value, Any]:
    """The gradient of every δ and parameter, as an array of Symbols."""
    known: dict[int, Any] = {}

    def symbols(x: Any) -> Any:
        if not is_shown(x):
            return x
        if id(x) not in known:
            folded = chain.is_folded(x) and shape_of(x.data)
            known[id(x)] = x.op.forward(*arguments(x)) if folded else spread(x, plain(x), namer)
        return known[id(x)]

    def arguments(node: Value) -> list[Any]:
        return [*map(symbols, arrays_of(node)), *settings_of(node)]

    found: dict[Value, Any] = {chain.root: 1.0}
    shown: dict[Value, Any] = {}
    for node in chain.order:
        if node in wanted or node in deltas:
            shown[node] = found[node]
        if node in deltas:
            found[node] = spread((node,), plain(node), namer)
        if node.op is None or node in wanted:
            continue
        args = (symbols(node), *arguments(node))
        for x in inputs_among(node, chain.users):
            c = pulled(node.op, rules_of(node)[x], found[node], args)
            c = added_up(found[node] * c if node.op.elementwise else c, x.shape)
            found[x] = found[x] + c if x in found else c
    return shown


def spread(x: Any, data: Any, namer: Namer) -> Any:
    """An array of Symbols, one for each element; of a single number a Symbol."""
    shape = shape_of(data)
    if not shape:
        return Symbol(namer(x, ()), data)
    symbols = np.empty(shape, object)
    for index in np.ndindex(shape):
        symbols[index] = Symbol(namer(x, index), plain(data)[index])
    return symbols


def added_up(c: Any, shape: tuple[int, ...]) -> Any:
    """A gradient in the shape of its variable."""
    if isinstance(c, ndarray) and c.ndim >= len(shape):
        extra = c.ndim - len(shape)
        axes = (*range(extra), *[extra + a for a, n in enumerate(shape) if n == 1 and c.shape[extra + a] != 1])
        c = np.add.reduce(c, axes) if axes else c
    if isinstance(c, ndarray) and c.size == np.prod(shape, dtype=int):
        return c.reshape(shape)[()]
    filled = np.empty(shape, object)
    filled.fill(c[()] if isinstance(c, ndarray) else c)
    return filled[()]


def written(symbols: Any, index: tuple[int, ...]) -> Phrase:
    """The formula of one element."""
    found = symbols[index] if shape_of(symbols) and isinstance(symbols, ndarray) else symbols
    return found.phrase if isinstance(found, Symbol) else shown(found)


def indexed(called: Phrase, x: Any, index: tuple[int, ...], wanted: Mapping[Value, Any]) -> Phrase:
    """The name of an element, w²₁₁; the place of a sample is left out if there is only one."""
    data = plain(x[0] if isinstance(x, tuple) else x)
    if len(index) == 2 and data.shape[0] == 1 and not (type(x) is Value and x in wanted):
        index = index[1:]
    if not index:
        return called
    places = [str(k + 1) for k in index]
    text = ",".join(places) if any(len(k) > 1 for k in places) else "".join(places)
    phrase = name(called.text + text.translate(LOWERED))
    if phrase.tex.startswith(r"\text") or "_" in called.tex:
        return Phrase(phrase.text, rf"{{{called.tex}}}_{{{text}}}", phrase.precedence)
    return phrase
