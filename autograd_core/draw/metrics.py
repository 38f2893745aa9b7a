"""How wide a text is: Helvetica's widths, so that cells fit their texts with whatever renderer and font.

The renderers disagree on what is not ASCII, and a browser may have another font than either. So a cell is given the
width of its text here, and an SVG says how long each text is to be.
"""

import functools
import re
import unicodedata
from math import ceil

PLAIN = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 "
    "278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 "
    "667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 "
    "556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 "
    "333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 "
    "667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 "
    "611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
"""The widths of the characters from space to tilde, in thousandths of the size (Adobe's metrics of Helvetica)."""

WIDTHS = [dict(zip(map(chr, range(32, 127)), map(int, table.split()), strict=True)) for table in (PLAIN, BOLD)]

SIGNS = {
    333: "²³¹·", 430: "⁰⁴⁵⁶⁷⁸⁹⁻ᵀᴴ", 494: "∂", 549: "±√≤≥≠≈", 556: "–", 584: "−×¬", 604: "●○", 713: "∞∑", 990: "►",
    1000: "…—→←",
}  # fmt: skip
for table in WIDTHS:
    table |= {sign: width for width, signs in SIGNS.items() for sign in signs}

UNKNOWN, FULL = 610, 1000
SLACK = 1.05
"""How much wider than its text a cell is."""


@functools.lru_cache(4096)
def width(content: str, size: float, bold: bool = False) -> float:
    """How wide a text of some size is, in points.

    >>> width("grad", 10), width("grad", 10, bold=True)
    (20.01, 21.67)
    """
    known = WIDTHS[bold]
    return round(sum(known[c] if c in known else guess(c, known) for c in content) * size / 1000, 2)


def guess(c: str, known: dict[str, int]) -> int:
    """The width of a character that is in no table: that of its letter without accents, or what its script has."""
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(c) in "WF":
        return FULL
    return known.get(unicodedata.normalize("NFKD", c)[0], UNKNOWN)


def room(content: str, size: float, bold: bool = False) -> int:
    """The width of a cell for a text."""
    return ceil(width(content, size, bold) * SLACK)


def taken(content: str, size: float, bold: bool = False) -> float:
    """How wide graphviz-pure takes a text for: it counts the bytes of what is not ASCII."""
    known = WIDTHS[bold]
    return sum(known[c] if c.isascii() and c in known else 278 * len(c.encode()) for c in content) * size / 1000


# Glyphs ---------------------------------------------------------------------------------------------------------------

MISSING = re.compile(
    r"[^\n\t -~\xa0-ʯʰ-˿Ͱ-ͷͺ-ͿΆΈ-ΊΌΎ-ΡΣ-ԯא-תᴀ-ᶿḀ-ḟ‐-‧‰-⁞⁰ⁱ⁴-₎ₐ-ₜ₠-₾℀-⅏⅓⅔⅛-⅞←-↕∂∆∏∑−∕∙√∞∟∩∫≈≉≠-≢≤≥■□▪-▬▲►▼◄◊○●◦�]+"
)
"""What the font that pictures without fonts of their own are drawn with has no glyph for."""

SUBSTITUTES = {
    "⊙": "(·)",
    "⊗": "(×)",
    "∇": "grad",
    "∈": " in ",
    "∘": "°",
    "∧": " and ",
    "∨": " or ",
    "⌊": "floor(",
    "⌋": ")",
}
SUBSTITUTES |= dict(zip("\u0302\u0303\u0304\u0307\u0308", "ˆ˜ˉ˙¨", strict=True))  # accents, each behind its letter


def substituted(content: str) -> str:
    """A text, or the source of a picture, in characters that every renderer has glyphs for.

    >>> print(substituted("∇f ⊙ x ∈ 名前, ẋ"))
    gradf (·) x  in  U+540D U+524D, x˙
    """
    return MISSING.sub(lambda found: " ".join(map(stand_in, found[0])), content)


def stand_in(c: str) -> str:
    """What is written for a character: a word, the letter with its accent behind it, or its number."""
    letter, *accents = [*unicodedata.normalize("NFD", c)]
    if accents and all(x in SUBSTITUTES for x in accents) and not MISSING.match(letter):
        return letter + "".join(SUBSTITUTES[x] for x in accents)
    return SUBSTITUTES.get(c, f"U+{ord(c):04X}")
