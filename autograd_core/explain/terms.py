"""The algebra of short formulas: sums of products, tidied as a person would while writing them down.

A formula is a tuple of `Term`s that are added, and a term is a coefficient times powers of `Atom`s. That is enough to
write `x·x` as x², `1 * x` as x, `e + e` as 2e and `-1.0 * out / y` as −out/y, and not more: nothing is expanded, and
factors stay in the order in which they came.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from ..op import ELEMENTS, PRODUCT, SUM, UNARY
from .phrases import RAISED, Phrase, constant, raised


class Atom:
    """What products are made of: a name, the value of a function, or a sum (whose terms it keeps).

    Atoms with the same key are the same; one without a key is itself only. Between arrays (`is_array`) a product of
    their elements is written ⊙, since among matrices the mere sequence stands for the matrix product.
    """

    __slots__ = ("is_array", "key", "phrase", "terms")

    def __init__(self, phrase: Phrase, key: Hashable = None, terms: "Terms" = (), is_array: bool = False) -> None:
        self.phrase = phrase
        self.key = object() if key is None else key
        self.terms = terms
        self.is_array = is_array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class Term(NamedTuple):
    """n / d · Π atomᵉ. The coefficient is kept as a quotient, so that 1/3 is written as 1/3."""

    n: Any
    d: Any
    powers: tuple[tuple[Atom, Any], ...] = ()


Terms = tuple[Term, ...]

ZERO: Terms = ()
ONE: Terms = (Term(1, 1),)


def number(x: Any) -> Terms:
    """A constant as a formula."""
    if isinstance(x, complex) and x.imag:
        return (Term(x, 1),)
    x = x.real
    return (Term(int(x) if x == x // 1 else float(x), 1),) if x else ZERO


def variable(phrase: Phrase, key: Hashable = None, *, is_array: bool = False) -> Terms:
    """A name, or the value of a function, as a formula."""
    return (Term(1, 1, ((Atom(phrase, key, is_array=is_array), 1),)),)


def has_array(a: Terms) -> bool:
    """Whether there is an array among the atoms."""
    return any(atom.is_array for term in a for atom, _ in term.powers)


def add(a: Terms, b: Terms) -> Terms:
    """The sum, with like terms taken together."""
    if a == b and len(a) > 1:
        return multiply(number(2), a)
    total = {frozenset(term.powers): term for term in a}
    for term in b:
        like = frozenset(term.powers)
        if like in total:
            n, d, powers = total[like]
            n, d = (n + term.n, d) if d == term.d else (n * term.d + term.n * d, d * term.d)
            term = Term(*lowest(n, d), powers)
        total[like] = term
    return tuple(term for term in total.values() if term.n != 0)


def multiply(a: Terms, b: Terms) -> Terms:
    """The product. Sums are not expanded: they become factors in brackets."""
    if not a or not b:
        return ZERO
    if a == ONE or b == ONE:
        return b if a == ONE else a
    x, y = as_term(a), as_term(b)
    powers = dict(x.powers)
    for atom, exponent in y.powers:
        powers[atom] = powers.get(atom, 0) + exponent
    return tidied(Term(*lowest(x.n * y.n, x.d * y.d), tuple((atom, e) for atom, e in powers.items() if e)))


def tidied(term: Term) -> Terms:
    """A term as a formula: a sum that is alone needs no brackets."""
    if term[:2] == (1, 1) and len(term.powers) == 1 and term.powers[0][1] == 1:
        return term.powers[0][0].terms or (term,)
    return (term,)


def power(a: Terms, exponent: Any) -> Terms | None:
    """The power with a number as exponent; None where it has no simpler form."""
    if exponent == exponent // 1:
        exponent = int(exponent)
    elif len(a) != 1 or a[0][:2] != (1, 1) or [e for _, e in a[0].powers] != [1]:
        return None  # (x²)^0.5 is not x
    if exponent == 0:
        return ONE
    if not a:
        return ZERO if exponent > 0 else None
    n, d, powers = as_term(a)
    if not isinstance(exponent, int):
        return (Term(1, 1, ((powers[0][0], exponent),)),)
    n, d = (n**exponent, d**exponent) if exponent > 0 else (d**-exponent, n**-exponent)
    if isinstance(d, complex):
        n, d = n / d, 1
    return (Term(*lowest(n, d), tuple((atom, e * exponent) for atom, e in powers)),)


def as_term(a: Terms) -> Term:
    """A formula as one term: a sum in brackets counts as one factor."""
    return a[0] if len(a) == 1 else Term(1, 1, ((Atom(write(a), frozenset(a), a, has_array(a)), 1),))


def lowest(n: Any, d: Any) -> tuple[Any, Any]:
    """A quotient with a positive denominator, divided out if it is whole. 2/12 stays: a person wrote 2/n."""
    if d < 0:
        n, d = -n, -d
    if isinstance(n, int) and isinstance(d, int) and n % d == 0:
        n, d = n // d, 1
    return n, d


def divide_out(a: Terms, b: Terms) -> Terms | None:
    """a / b for a single atom b that is a plain factor of every term of a; None if it is not."""
    ((atom, _),) = b[0].powers
    rest = ZERO
    for term in a:
        powers = dict(term.powers)
        if powers.pop(atom, None) != 1:
            return None
        rest = add(rest, tidied(Term(term.n, term.d, tuple(powers.items()))))
    return rest


# Writing --------------------------------------------------------------------------------------------------------------


def write(a: Terms, *, tight: bool = False) -> Phrase:
    """The formula as text and LaTeX; `tight` sets a sum without spaces, if no term is a product of matrices."""
    if not a:
        return constant(0)
    texts, texs = "", ""
    written = [write_term(term) for term in a]
    tight = tight and not any("@" in phrase.text and phrase.precedence <= PRODUCT for _, phrase in written)
    for negative, phrase in written:
        if len(a) > 1:
            phrase = phrase.within(SUM + 1)
        elif not negative:
            return phrase
        sign = "−" if negative else "+" if texts else ""
        gap = " " if texts else ""
        texts += sign + phrase.text if tight else gap + sign + gap + phrase.text
        texs += gap + sign.replace("−", "-") + gap + phrase.tex
    return Phrase(texts, texs, SUM if len(a) > 1 else UNARY)


def write_term(term: Term) -> tuple[bool, Phrase]:
    """Whether a term is negative, and it without its sign."""
    n, d, powers = term
    negative = not isinstance(n, complex) and n < 0
    n = -n if negative else n
    if isinstance(n, complex) and d == 1 and not powers:
        return False, constant(n)
    if any(e < 0 for _, e in powers) and not isinstance(n, complex) and 0 < n < 1 and (1 / n).is_integer():
        n, d = 1, round(1 / n) * d  # 0.5 / x as 1 / (2x)
    if (n, d) == (1, 1) and len(powers) == 1 and powers[0][1] > 0:
        phrase = factor(*powers[0])
        return negative, phrase.within(UNARY) if negative else phrase
    above = [(factor(atom, e).within(UNARY), atom.is_array) for atom, e in powers if e > 0]
    below = [(factor(atom, -e).within(UNARY), atom.is_array) for atom, e in powers if e < 0]
    if n != 1 or not above:
        above.insert(0, (constant(n).within(PRODUCT), False))
    if d != 1:
        below.insert(0, (constant(d), False))
    if not below:
        return negative, product(above)
    text = f"{product(above).within(PRODUCT).text}/{product(below).within(PRODUCT + 1).text}"
    return negative, Phrase(text, rf"\frac{{{bare(above)}}}{{{bare(below)}}}", PRODUCT)


def factor(atom: Atom, exponent: Any) -> Phrase:
    """A power of an atom."""
    phrase = write(atom.terms, tight=True).bracketed() if atom.terms else atom.phrase
    return phrase if exponent == 1 else raised(phrase, constant(exponent))


def product(factors: Sequence[tuple[Phrase, bool]]) -> Phrase:
    """Factors side by side: 2e and p(1−p), but 2·rate and x·y, which would read as one word; of arrays x ⊙ y."""
    (first, was_array), *others = factors
    if not others:
        return first
    text, tex, left = first.text, first.tex, first
    for right, is_array in others:
        numerals = is_numeral(left.text) and is_numeral(right.text)
        grouped = right.text[0] == "(" and (" if " not in right.text or is_number(left.text))
        touch = (is_short(left.text) and grouped) or (is_number(left.text) and is_short(right.text))
        text += (" ⊙ " if was_array and is_array else "" if touch and not numerals else "·") + right.text
        tex += (r" \odot " if was_array and is_array else r" \cdot " if numerals else r" \, ") + right.tex
        left, was_array = right, is_array or was_array
    return Phrase(text, tex, ELEMENTS if "⊙" in text else PRODUCT)


def bare(factors: Sequence[tuple[Phrase, bool]]) -> str:
    """The LaTeX of a product above or below a line, where a single sum needs no brackets."""
    tex = product(factors).tex
    is_sum = len(factors) == 1 and tex.startswith(r"\left(") and tex.endswith(r"\right)")
    return tex.removeprefix(r"\left(").removesuffix(r"\right)") if is_sum else tex


def is_number(text: str) -> bool:
    """Whether a factor is a plain number."""
    return text.replace(".", "").isdecimal()


def is_numeral(text: str) -> bool:
    """Whether a factor is made of numbers only."""
    return text.lstrip("(−")[:1].isdecimal() and not any(c.isalpha() for c in text)


def is_short(text: str) -> bool:
    """Whether a factor is a number or a single letter, perhaps with a power, as in 2e²."""
    return is_number(text) or (text[0].isalpha() and not text[1:].strip(RAISED))
