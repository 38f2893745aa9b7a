"""Frames as one moving picture."""

import io
from collections.abc import Iterable

PAUSE, LAST = 1400, 4000
"""Milliseconds that a frame is shown, and the last one."""

DPI = 96
"""Dots in an inch: of the size that it has in a browser."""

COLOURS = 64
"""A drawing has two dozen colours, and the steps between them at the edges of letters."""


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
    palette = images[len(images) // 2].quantize(COLOURS)
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    pauses = [PAUSE] * len(others) + [LAST]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=pauses, loop=0, optimize=False)
    return out.getvalue()
