"""Frames as one moving picture."""

import io
from collections.abc import Iterable
from typing import Any

PAUSE, LAST = 1400, 4000
"""Milliseconds that a frame is shown, and the last one."""

DPI = 96
"""Dots in an inch: of the size that it has in a browser."""

COLOURS = 256
"""As many as a GIF can have. A drawing has two dozen, and the steps between them at the edges of letters."""


def gif(pictures: Iterable[bytes]) -> bytes:
    """An endless GIF of PNGs of one size, which are made only if there is Pillow to join them.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ImportError('this needs Pillow: pip install "autograd-core[plot]"', name="PIL") from error
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in common(images[len(images) // 2]) for part in colour])
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    pauses = [PAUSE] * len(others) + [LAST]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=pauses, loop=0, optimize=False)
    return out.getvalue()


def common(image: Any) -> list[tuple[int, ...]]:
    """The most frequent colours of a picture; of those that Pillow would mix up, one."""
    chosen: list[tuple[int, ...]] = []
    for _, colour in sorted(image.getcolors(1 << 24), reverse=True):
        if all(max(abs(a - b) for a, b in zip(colour, other, strict=True)) > 8 for other in chosen):
            chosen.append(colour)
        if len(chosen) == COLOURS:
            break
    return chosen
