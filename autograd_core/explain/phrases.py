"""Formulas as they are written: an op and the names of its arguments become text, and LaTeX.

A `Phrase` is a piece of a formula together with how tightly it binds, so that whatever it becomes a part of can put it
in parentheses where they are needed and nowhere else. How an op is written stands in its declaration (`text`, `tex`,
`precedence`): the array arguments are {x}, {y}, {z} in their order, and the settings go by their own names.

>>> from autograd_core.registry import OPS
>>> total = call(OPS["add"], [name("a"), constant(1.0)])
>>> call(OPS["mul"], [total, name("b")]).text
'(a + 1) × b'
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..op import CALL, CHOICE, POWER, PRODUCT, SUM, UNARY, Op
from ..ops.indexing import repeats
from ..ops.linear import REQUIRED
from ..registry import OPS
from .digits import FEW, exact, shape_text

ARRAYS = ("x", "y", "z")
"""What the array arguments are called in a template."""

DIGITS, RAISED = "−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
PRODUCTS = ("×", "·", "@", "/", "mod", r"\,", r"\bmod")
"""What stands between factors, in the templates of sums of products too."""

LOWERED = "₋₀₁₂₃₄₅₆₇₈₉"
WHOLE, EXPONENT, NO_NUMBER = "−?[0-9]+", "e(-?[0-9]+)", "nan|true|false"  # compiled by `re` when they are first used
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
GREEK_TEX = {letter: rf"\{word}" for word, letter in GREEK.items()}
ACCENTS = {"hat": "hat", "bar": "bar", "tilde": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0303": "tilde"}
SYMBOL = (
    rf"(?P<letter>[^\W\d_]|{'|'.join(GREEK)})(?P<accent>[\u0302-\u0304]|_hat|_bar|_tilde)?"
    rf"(?:(?P<low>[0-9]+)|_(?P<index>[0-9A-Za-z]+))?(?P<high>[{RAISED}]*)(?P<lowered>[{LOWERED}]*)(?P<primes>['′]*)"
)
SIGNS = (("[-+−=<>]", SUM), ("[*/×·@]", PRODUCT), ("[\\^⁻⁰¹²³⁴⁵⁶⁷⁸⁹]", POWER))
"""Names that read like a formula, x1*w1, and how tightly they bind."""

WORD = r"(?P<word>[^\W\d_]{2,})_(?P<index>[A-Za-z]?[0-9]+|[A-Za-z])"
TEX_SIGNS = str.maketrans(
    {"−": "{-}", "±": r"\pm ", "×": r"{\times}", "…": r"\ldots ", "∂": r"\partial ", "∞": r"\infty "}
)
TEX_SPECIAL = str.maketrans(
    {c: rf"\{c}" for c in "{}$&#_%"}
    | {"\\": r"\backslash ", "^": r"\hat{\ }", "~": r"\sim "}
    | {letter: f"{tex} " for letter, tex in GREEK_TEX.items()}
    | TEX_SIGNS
)


class Phrase(NamedTuple):
    """A piece of a formula, as text and as LaTeX; `precedence` is how tightly its outermost operator binds."""

    text: str
    tex: str
    precedence: int = CALL

    def within(self, precedence: int) -> "Phrase":
        """This phrase where something that binds as tightly as `precedence` is expected: bracketed if it must be."""
        return self if self.precedence >= precedence else self.bracketed()

    def column(self, k: int) -> str:
        """The text (0) or the LaTeX (1)."""
        return self.tex if k else self.text

    def bracketed(self) -> "Phrase":
        """This phrase in parentheses."""
        return Phrase(f"({self.text})", rf"\left({self.tex}\right)")


@functools.lru_cache(1024)
def name(text: str) -> Phrase:
    """The name of a variable. One letter is set as in mathematics, with its indices; a word is set upright.

    >>> name("w1").tex, name("a²").tex, name("theta_2").tex, name("y_hat").tex, name("hidden_weight").tex
    ('w_{1}', 'a^{2}', '\\\\theta_{2}', '\\\\hat{y}', '\\\\text{hidden}\\\\_\\\\text{weight}')
    >>> name("net_h1").tex
    '\\\\text{net}_{h1}'
    >>> call(OPS["square"], [name("x*w + b")]).text  # micrograd's labels
    '(x*w + b)²'
    """
    precedence = next((tightness for sign, tightness in SIGNS if re.search(sign, text)), CALL)
    symbol = re.fullmatch(SYMBOL, unicodedata.normalize("NFD", text))
    if symbol is None:
        if word := re.fullmatch(WORD, text):
            return Phrase(text, rf"\text{{{word['word']}}}_{{{word['index']}}}", precedence)
        bare = text.rstrip(RAISED)
        high = text[len(bare) :].translate(str.maketrans(RAISED, "-" + DIGITS[1:]))
        return Phrase(text, f"{words(bare)}^{{{high}}}" if bare and high else words(text), precedence)
    letter, accent, low, index, high, lowered, primes = symbol.groups()
    letter = GREEK_TEX.get(GREEK.get(letter, letter), letter)
    if accent:
        letter = rf"\{ACCENTS[accent.removeprefix('_')]}{{{letter}}}"
    if index:
        low = index if len(index) < 3 or index.isdecimal() else words(index)
    high = high.translate(str.maketrans(RAISED, "-" + DIGITS[1:]))
    low = (low or "") + lowered.translate(str.maketrans(LOWERED, "-" + DIGITS[1:]))
    tex = letter + (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "")
    return Phrase(text, f"{{{tex}}}{len(primes) * chr(39)}" if primes else tex, precedence)


def partial(y: Phrase, x: Phrase) -> Phrase:
    """∂y/∂x.

    >>> partial(name("x*w + b"), name("w²")).text
    '∂(x*w + b)/∂w²'
    """
    y, x = y.within(POWER), x.within(POWER)
    return Phrase(f"∂{y.text}/∂{x.text}", rf"\frac{{\partial {y.tex}}}{{\partial {x.tex}}}", POWER)


def words(text: str) -> str:
    """Words in LaTeX, upright; what has a meaning in LaTeX stands outside of \\\\text, where every renderer knows it.

    >>> words("a 5% cut"), words("0 ± 1, −1 to 2")
    ('\\\\text{a 5}\\\\%\\\\text{ cut}', '\\\\text{0 }\\\\pm \\\\text{ 1, }{-}\\\\text{1 to 2}')
    """
    parts = re.split(rf"(->|[{{}}$&#_%\\^~{''.join(map(chr, TEX_SIGNS))}Α-ω])", text)
    return "".join(
        (r"\to " if part == "->" else part.translate(TEX_SPECIAL)) if k % 2 else rf"\text{{{part}}}"
        for k, part in enumerate(parts)
        if part
    )


def constant(x: Any) -> Phrase:
    """A number in a formula."""
    text = exact(x)
    if np.iscomplexobj(x) and x.real:
        return Phrase(text, number_tex(text), SUM)
    return Phrase(text, number_tex(text), UNARY if text[0] == "−" else PRODUCT if re.search(EXPONENT, text) else CALL)


def number_tex(text: str) -> str:
    """A number in LaTeX.

    >>> number_tex("−1.5e-7"), number_tex("nan"), number_tex("true")
    ('-1.5 \\\\cdot 10^{-7}', '\\\\text{nan}', '\\\\text{true}')
    """
    text = re.sub(NO_NUMBER, r"\\text{\g<0>}", text.replace("−", "-"))
    return re.sub(EXPONENT, r" \\cdot 10^{\1}", text).replace("∞", r"\infty")


def raised(base: Phrase, exponent: Phrase) -> Phrase:
    """A power; whole exponents are superscripts.

    >>> raised(name("x"), constant(-2)).text, raised(name("x"), name("y")).text
    ('x⁻²', 'x^y')
    """
    base = base.within(POWER + 1)
    tex = f"{{{base.tex}}}^{{{exponent.tex}}}"
    if re.fullmatch(WHOLE, exponent.text):
        return Phrase(base.text + exponent.text.translate(str.maketrans(DIGITS, RAISED)), tex, POWER)
    return Phrase(f"{base.text}^{exponent.within(POWER).text}", tex, POWER)


def call(op: Op, arrays: Sequence[Phrase], settings: Sequence[Any] = (), *, dense: bool = False) -> Phrase:
    """An op applied to named arrays, as its declaration writes it; `dense` sets products without spaces.

    Settings that the declaration's formula does not mention are written out, in the form `name(x, axis=0)`.

    >>> call(OPS["mean"], [name("q")], [None, False]).text, call(OPS["mean"], [name("q")], [0, False]).text
    ('mean(q)', 'mean(q, axis=0)')
    """
    if op.name == "pow":
        return raised(*arrays)
    given = dict(zip(op.settings, settings, strict=False))
    if op.name == "swapaxes" and {given["axis1"], given["axis2"]} == {-1, -2}:  # the transpose of each matrix
        op, given = OPS["transpose"], {"axes": None}
    chosen = {key: x for key, x in given.items() if key != "keepdims" and not is_default(x, op.settings[key])}
    optional = {key for key in chosen if op.settings[key] is not REQUIRED}
    spelled = {key: setting(x, bare=True) for key, x in given.items()} | {"over": over(chosen.get("axis"))}
    if op.name == "scatter_add" and type(given["shape"]) is tuple and repeats(given["index"], given["shape"]):
        spelled["adding"] = " added up"
    typeset = {
        key: words(x) if key != "over" and any(map(str.isalpha, x)) else x.translate(TEX_SIGNS)
        for key, x in spelled.items()
    }
    text, tex = (
        fill(parts, column, arrays, typeset if column else spelled) if optional <= mentioned(parts) else ""
        for column, parts in enumerate((slots(op.text or "", op.precedence, dense), slots(op.tex or "", op.precedence)))
    )
    details = [f"{key}={setting(x)}" if key in optional else setting(x) for key, x in chosen.items()]
    few = [x.bracketed() if ", " in x.text and x.precedence == CHOICE else x for x in abridged(arrays)]
    precedence = op.precedence if text or tex else CALL
    if not text:
        text = f"{op.name}({', '.join([*[x.text for x in few], *details])})"
    if not tex:
        written = [*[x.tex for x in few], *map(words, details)]
        tex = rf"\operatorname{{{op.name.translate(TEX_SPECIAL)}}}({', '.join(written)})"
    return Phrase(text, tex, precedence)


def over(axis: Any) -> str:
    """The axes that are summed over, as an index in LaTeX."""
    if axis is None:
        return ""
    axes = axis if isinstance(axis, tuple) else (axis,)
    return rf"_{{\text{{ax{'is' if len(axes) == 1 else 'es'} }}{', '.join(map(str, axes))}}}"


def mentioned(parts: "Sequence[Slot]") -> set[str]:
    """The settings that a template writes; {over} writes the axes."""
    return {"axis" if slot.key == "over" else slot.key for slot in parts}


def abridged(arrays: Sequence[Phrase]) -> list[Phrase]:
    """The arguments of an op that takes any number of them: of many, the first and the last."""
    return [*arrays] if len(arrays) <= FEW else [*arrays[: FEW - 1], Phrase("…", r"\ldots"), arrays[-1]]


def is_default(x: Any, default: Any) -> bool:
    """Whether a setting has its default; arrays never have."""
    return x is default or (isinstance(x, (bool, int, float, str)) and type(x) is type(default) and x == default)


def fill(parts: "Sequence[Slot]", column: int, arrays: Sequence[Phrase], settings: dict[str, str]) -> str:
    """A template with its arguments (their column 0 is text, 1 is LaTeX), bracketed where they must be."""
    written = []
    for before, key, lowest, leads in parts:
        word = settings.get(key, "")
        if key in ARRAYS:
            phrase = arrays[ARRAYS.index(key)].within(lowest)
            negative = phrase.text.startswith("−") and lowest > CHOICE and not leads
            word = (phrase.bracketed() if negative else phrase).column(column)
        written.append(before + word)
    return "".join(written)


class Slot(NamedTuple):
    """A place of a template: the text before it, what goes there, how tightly that must bind, whether it comes first.

    The text after the last one is before a slot without a key.
    """

    before: str
    key: str
    lowest: int
    leads: bool


class Marks(dict[str, str]):
    """Marks the fields of a format string, which it then unescapes."""

    def __missing__(self, key: str) -> str:
        return f"\0{key}\0"


@functools.cache
def slots(template: str, precedence: int, dense: bool = False) -> tuple[Slot, ...]:
    """The places of a template. What stands between delimiters needs no brackets, except the base of a power."""
    if dense:
        template = template.replace(" × ", "·").replace(" / ", "/")
    parts = template.format_map(Marks()).split("\0")
    found: list[Slot] = []
    for before, key, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
        leads = not found and not before.strip("{")
        opened = before.rstrip().endswith(("(", "[", "{", "|", ","))
        closed = after.lstrip().startswith((")", "]", "}", "|", ",", r"\right")) and not after.startswith(("}^", "}_"))
        lowest = precedence
        if opened and closed:
            lowest = CHOICE
        elif (opened and after.startswith((" + ", " - ", " − "))) or (
            closed and before.endswith((" + ", " - ", " − "))
        ):
            lowest = SUM if opened or before.endswith("+ ") else SUM + 1
        elif precedence < CALL and leads == (precedence in (POWER, CHOICE)):  # a - (b - c), but (a^b)^c
            lowest += 1
        if after.startswith(("}^", "}_")):
            lowest = CALL
        if not (opened and closed) and after.lstrip().startswith(PRODUCTS):
            lowest = max(lowest, PRODUCT)
        if not (opened and closed) and before.rstrip().endswith(PRODUCTS):
            lowest = max(lowest, PRODUCT + 1)
        found.append(Slot(before, key, lowest, leads))
    return (*found, Slot(parts[-1], "", CHOICE, False))


RELATIONS: dict[Any, tuple[str, str]] = {
    np.greater: ("{} > {}", "{} > {}"),
    np.greater_equal: ("{} ≥ {}", r"{} \ge {}"),
    np.less: ("{} < {}", "{} < {}"),
    np.less_equal: ("{} ≤ {}", r"{} \le {}"),
    np.equal: ("{} = {}", "{} = {}"),
    np.not_equal: ("{} ≠ {}", r"{} \ne {}"),
    np.logical_and: ("{} and {}", r"{} \wedge {}"),
    np.logical_or: ("({} or {})", r"\left({} \vee {}\right)"),
    np.floor_divide: ("{} // {}", r"\left\lfloor {} / {} \right\rfloor"),
}
"""How NumPy's functions without a derivative are written, where it is not as a call."""


def flat_call(function: np.ufunc, arrays: Sequence[Phrase], *, truth: bool) -> Phrase:
    """A NumPy function without a derivative applied to named arrays; `truth` says that it is a condition.

    >>> flat_call(np.greater, [name("x"), constant(0)], truth=True).text
    'x > 0'
    """
    if function not in RELATIONS:
        text, tex = (", ".join(x.column(k) for x in arrays) for k in (0, 1))
        operator = function.__name__.translate(TEX_SPECIAL)
        return Phrase(f"{function.__name__}({text})", rf"\operatorname{{{operator}}}({tex})", CHOICE if truth else CALL)
    arrays = arrays if truth else [x.within(PRODUCT + 1) for x in arrays]
    text, tex = (form.format(*[x.column(k) for x in arrays]) for k, form in enumerate(RELATIONS[function]))
    return Phrase(text, tex, CHOICE if truth else PRODUCT)


def setting(x: Any, *, bare: bool = False) -> str:
    """A setting as Python writes it, arrays in brief; `bare`: a tuple without its parentheses.

    >>> setting((slice(1, None, 2), None, ...)), setting(np.arange(3)), setting(np.zeros((5, 5), bool))
    ('(1::2, None, …)', '[0, 1, 2]', 'mask (5×5)')
    """
    if isinstance(x, tuple):
        inner = ", ".join(map(setting, x))
        return inner if bare else f"({inner}{',' * (len(x) == 1)})"
    if isinstance(x, slice):
        parts = ["" if part is None else setting(part) for part in (x.start, x.stop, x.step)]
        return ":".join(parts if parts[2] else parts[:2])
    if x is Ellipsis:
        return "…"
    if isinstance(x, (int, float, np.number)):
        return exact(x) if not isinstance(x, bool) else str(x)
    if isinstance(x, (list, np.ndarray)):
        array = np.asarray(x)
        if array.ndim == 1 and array.size <= FEW:
            return f"[{', '.join(map(setting, array.tolist()))}]"
        if array.ndim == 1 and array.dtype.kind in "iu":
            return f"[{', '.join(map(setting, array[: FEW - 1].tolist()))}, …]"
        return f"{'mask' if array.dtype == bool else 'array'} {shape_text(array.shape)}".strip()
    return repr(x) if isinstance(x, str) and not bare else str(x)
