"""Symbols: placeholders that write formulas where numbers would be computed.

A rule of an op that is called with Symbols returns the formula of the derivative, spelled in their names, so a label
cannot disagree with the rule that it stands for. A Symbol carries its number or array too: `where` and comparisons look
at it, as the rule does when it computes.

>>> from autograd_core.registry import OPS
>>> p, z = Symbol("p", 0.75), Symbol("z", 1.0986)
>>> slope = OPS["sigmoid"].rules[0](p, z)
>>> slope.text, slope.data
('p(1−p)', 0.1875)
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..data import NUMBERS, shape_of
from ..methods import ArrayMethods
from ..op import CHOICE, Op
from ..protocols import NumPyProtocols
from ..registry import BY_NUMPY, OPS
from . import terms
from .algebra import ALGEBRA, is_scattered, transposed
from .phrases import Phrase, call, flat_call, name
from .terms import Terms

UNWRITTEN = frozenset(("identity", "broadcast_to", "expand_dims", "squeeze", "astype"))
"""Ops that change the layout of an array only."""

Method = Callable[["Symbol", Any], Any]


def both(op: str) -> tuple[Method, Method]:
    """An operator's method and its reflected method."""
    return lambda x, y: OPS[op](x, y), lambda x, y: OPS[op](y, x)


class Symbol(ArrayMethods, NumPyProtocols):
    """A name, or a formula made of names, together with the number or array that it amounts to."""

    __slots__ = ("data", "terms")
    data: Any

    def __init__(self, formula: str | Phrase | Terms, data: Any, *, is_array: bool = False) -> None:
        if isinstance(formula, str):
            formula = name(formula)
        self.terms: Terms = terms.variable(formula, is_array=is_array) if isinstance(formula, Phrase) else formula
        self.data = data

    @property
    def phrase(self) -> Phrase:
        """The formula, as a piece of a larger one."""
        return terms.write(self.terms)

    @property
    def text(self) -> str:
        """The formula as text."""
        return self.phrase.text

    @property
    def tex(self) -> str:
        """The formula as LaTeX."""
        return self.phrase.tex

    def __repr__(self) -> str:
        return f"Symbol({self.text!r}, {self.data!r})"

    def apply_op(self, op: Op, arrays: tuple[Any, ...], settings: dict[str, Any]) -> "Symbol":
        """The formula of an op's result: `Op.__call__` hands over to this when it meets a Symbol."""
        given = (op.settings | settings).values()
        symbols = [lift(x) for x in arrays]
        data = op.forward(*[x.data for x in symbols], *given)
        if op.name == "where":
            return choice(data, *symbols)
        symbols = [as_number(x) for x in symbols]
        x = symbols[0]
        if is_unwritten(op, x.data, data):
            return Symbol(x.terms, data)
        if op.name == "sum" and is_uniform(data):
            if x is not arrays[0]:
                return Symbol(terms.number(first(data)), data)  # how often a condition holds is just a number
            if is_scattered(x.terms):  # n/d times how often it is there
                n, d, _ = x.terms[0]
                return Symbol(terms.multiply(((terms.Term(n, d)),), terms.number(round(first(data) * d / n))), data)
        if op.name == "scatter_add" and is_number(x) and x.text != "1":  # c times what is 1 at some places
            ones = self.apply_op(op, (np.ones_like(x.data),), settings)
            return Symbol(terms.multiply(x.terms, ones.terms), data)
        if is_outer(op, symbols):
            op, given = OPS["outer"], {}.values()
        formula = ALGEBRA[op.name](*[x.terms for x in symbols]) if op.name in ALGEBRA else None
        if op.name in ("transpose", "swapaxes") and np.ndim(data) == 2:
            formula = transposed(x.terms)
        if formula is None:
            phrase = call(op, [x.phrase for x in symbols], [*given])
            is_array = bool(shape_of(data)) and any(is_array_term(x) for x in symbols)
            formula = terms.variable(phrase, (op.name, *[x.terms for x in symbols], phrase.text), is_array=is_array)
        return Symbol(formula, data)

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> "Symbol":
        """The same formula, for data of another dtype."""
        return Symbol(as_number(self).terms, np.asarray(self.data).astype(dtype, copy=copy))

    # NumPy's functions that have no derivative; the others become ops, as for a Value -------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if not is_flat(ufunc) or method != "__call__":
            return super().__array_ufunc__(ufunc, method, *inputs, **settings)
        if ufunc is np.not_equal and inputs[0] is inputs[1]:
            return False  # only nan differs from itself, and it is not written
        for x, other in (inputs, inputs[::-1]) if ufunc in (np.logical_and, np.logical_or) else ():
            if isinstance(x, bool):
                return other if x is (ufunc is np.logical_and) else x
        symbols = [lift(x) for x in inputs]
        data = ufunc(*[x.data for x in symbols])
        if is_truth(data) and any(is_infinite(x) for x in symbols):
            return bool(np.all(data))  # nothing is written for a bound that is infinite
        phrase = flat_call(ufunc, [x.phrase for x in symbols], truth=is_truth(data))
        return Symbol(terms.variable(phrase, (ufunc, *[x.terms for x in symbols])), data)

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        if is_flat(function):  # a question about an array: its answer is no formula
            return function(*map(plain, args), **{key: plain(x) for key, x in settings.items()})
        return super().__array_function__(function, types, args, settings)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("a Symbol is a formula, and has no place in a plain array")

    # Operators --------------------------------------------------------------------------------------------------------

    __add__, __radd__ = both("add")
    __sub__, __rsub__ = both("sub")
    __mul__, __rmul__ = both("mul")
    __truediv__, __rtruediv__ = both("div")
    __pow__, __rpow__ = both("pow")
    __mod__, __rmod__ = both("mod")
    __matmul__, __rmatmul__ = both("matmul")

    def __neg__(self) -> Any:
        return OPS["neg"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return OPS["abs"](self)

    def __getitem__(self, index: Any) -> Any:
        return OPS["getitem"](self, index=index)

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __gt__(self, other: Any) -> Any:
        return np.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return np.greater_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return np.less(self, other)

    def __le__(self, other: Any) -> Any:
        return np.less_equal(self, other)

    def __eq__(self, other: object) -> Any:
        return np.equal(self, other)  # type: ignore[call-overload]

    def __ne__(self, other: object) -> Any:
        return np.not_equal(self, other)  # type: ignore[call-overload]

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> Any:
        return np.logical_and(self, other)

    def __or__(self, other: Any) -> Any:
        return np.logical_or(self, other)

    __rand__, __ror__ = __and__, __or__

    def __bool__(self) -> bool:
        if not is_uniform(self.data):
            raise TypeError(f"{self.text} is true for some elements only: write np.where")
        return bool(first(self.data))


def lift(x: Any) -> Symbol:
    """A number, or an array of one number throughout, as a Symbol; any other array would need a name."""
    if isinstance(x, Symbol):
        return x
    if isinstance(x, NUMBERS) or is_uniform(x):
        return Symbol(terms.number(first(x)), x)
    raise TypeError(f"an array of shape {shape_of(x)} without a name cannot be part of a formula")


def plain(x: Any) -> Any:
    """The data of a Symbol; anything else as it is."""
    return x.data if isinstance(x, Symbol) else x


def first(x: Any) -> Any:
    """The first element of an array; a number itself."""
    return x.flat[0] if isinstance(x, np.ndarray) else x


def is_uniform(x: Any) -> bool:
    """Whether data are one number throughout."""
    return not isinstance(x, np.ndarray) or (x.size > 0 and bool(np.all(x == x.flat[0])))


def is_truth(x: Any) -> bool:
    """Whether data are true or false."""
    return isinstance(x, (bool, np.bool_)) or getattr(x, "dtype", None) == np.dtype(bool)


def is_array_term(x: Symbol) -> bool:
    """Whether a formula has an array in it, or is a number that fills one."""
    return terms.has_array(x.terms) or (is_number(x) and bool(shape_of(x.data)))


def is_number(x: Symbol) -> bool:
    """Whether a formula is a plain number."""
    return not any(term.powers for term in x.terms)


def is_infinite(x: Symbol) -> bool:
    """Whether a formula is an infinite number, such as the bound of `np.clip` that is not given."""
    return is_number(x) and bool(np.isinf(first(x.data)))


def is_flat(function: Any) -> bool:
    """Whether a NumPy function has the derivative zero, wherever it has one."""
    return hasattr(BY_NUMPY.get(function), "__wrapped__")


def is_unwritten(op: Op, before: Any, after: Any) -> bool:
    """Whether an op leaves the elements of an array as they are, so that a formula for the elements is the same."""
    if op.name == "reshape":  # which may do no more than add or drop axes of length 1
        return [n for n in np.shape(before) if n != 1] == [n for n in np.shape(after) if n != 1]
    return op.name in UNWRITTEN or (op.name in ("real", "conj") and np.isrealobj(before))


def is_outer(op: Op, factors: Sequence[Symbol]) -> bool:
    """Whether a product is that of a column and a row, whose extra axes of length 1 are not written."""
    if op.name != "mul" or any(map(is_number, factors)):
        return False
    (n, width), (height, m) = ((1, 1, *np.shape(x.data))[-2:] for x in factors)
    return bool(width == height == 1 < n and (m > 1 or np.ndim(factors[1].data) > 1))


def as_number(x: Symbol) -> Symbol:
    """A condition counts as 1 where it holds, and as 0 elsewhere."""
    if not is_truth(x.data) or x.phrase.precedence != CHOICE:
        return x
    return Symbol(written_choice(x, lift(1), lift(0)), np.multiply(x.data, 1.0))


def choice(data: Any, condition: Symbol, x: Symbol, y: Symbol) -> Symbol:
    """`where`: the branch itself if all elements take the same one; x · (1 if condition else 0) if the other is 0."""
    x, y = as_number(x), as_number(y)
    if is_uniform(condition.data):
        return Symbol((x if first(condition.data) else y).terms, data)
    if not y.terms and not is_number(x):
        return Symbol(terms.multiply(x.terms, written_choice(condition, lift(1), lift(0))), data)
    if not x.terms and not is_number(y):
        return Symbol(terms.multiply(y.terms, written_choice(condition, lift(0), lift(1))), data)
    return Symbol(written_choice(condition, x, y), data)


def written_choice(condition: Symbol, x: Symbol, y: Symbol) -> Terms:
    """`x if condition else y` as a formula."""
    phrase = call(OPS["where"], [condition.phrase, x.phrase, y.phrase])
    return terms.variable(phrase, ("where", condition.terms, x.terms, y.terms))
