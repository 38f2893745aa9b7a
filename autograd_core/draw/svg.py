"""The last touches to an SVG: texts as long as they are meant to be, tooltips, colours that follow the reader's."""

import html
import re
from xml.sax.saxutils import escape

from .metrics import taken, width
from .theme import style

TEXT = re.compile(
    r'<text(?: xml:space="preserve")? text-anchor="start" x="([-.0-9]+)" y="([-.0-9]+)" font-family="[^"]*"'
    r'((?: font-weight="bold")?) font-size="([.0-9]+)"([^>]*)>([^<]*)</text>'
)
OPENING = re.compile(r'<svg width="([.0-9]+)pt" height="([.0-9]+)pt"\s+(viewBox="[-. 0-9]+")[^>]*>')
TOOLTIP = re.compile(r'<a xlink:title="([^"]*)">')
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc][ \u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]*(?=.)")
"""Words that would change places with the signs, numbers and words of this kind after them; a mark that is not seen
ends them."""

SMALL = 0.1
"""What the renderers round positions by."""


def finished(svg: str, title: str, *, follow: bool) -> str:
    """A renderer's SVG for a browser with whatever fonts, self-contained; `follow` the reader's light or dark.

    Each text says how long it is (`textLength`), so that no font makes it leave its card. On a narrow page the picture
    shrinks to half its size; then it can be read no more, and the page scrolls.
    """
    svg = COMMENT.sub("", svg)  # a user's "--" and ">" are escaped in a renderer's output: this ends no comment of ours
    begin = OPENING.search(svg)
    if begin is None:
        raise RuntimeError("the renderer's SVG does not begin as expected")
    wide, high, box = begin.groups()
    fit = f"max-width:max(100%,{float(wide) / 2:g}pt);height:auto"
    named = ' class="drawing"' if follow else ""  # on a page with others, whose rules hold for all that have the name
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg"{named} role="img" '
        f'width="{wide}pt" height="{high}pt" {box} style="{fit}" font-family="Helvetica,Arial,sans-serif">\n'
        f"{style() if follow else ''}<title>{escape(title)}</title>\n"
    )
    body = TOOLTIP.sub(r"<a><title>\1</title>", svg[begin.end() :]).replace("<title>computation</title>\n", "", 1)
    return head + laid(body)


def laid(svg: str) -> str:
    """The texts with their lengths. Those that follow each other on a line do so without the renderer's mistakes."""
    before = ("", 0.0, 0.0)  # the line, where the renderer thinks that the last text ends, and where it does

    def text(found: re.Match[str]) -> str:
        nonlocal before
        x, y, bold, size, more, content = found.groups()
        words, points = html.unescape(content).replace("\xa0", " "), float(size)  # as it was: a renderer writes them so
        at = before[2] if before[0] == y and abs(before[1] - float(x)) < SMALL else float(x)
        long = width(words, points, bool(bold))
        before = (y, float(x) + taken(words, points, bool(bold)), at + long)
        length = f' textLength="{long:.2f}" lengthAdjust="spacingAndGlyphs"' if long else ""
        more = f' font-size="{points:g}"{length}{more}'
        content = RIGHT_TO_LEFT.sub("\\g<0>\u200e", content)
        return f'<text xml:space="preserve" x="{at:.2f}" y="{y}"{bold}{more}>{content}</text>'

    return TEXT.sub(text, svg)
