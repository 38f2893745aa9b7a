"""Drawing: graph → scene (cards, arrows, pills as plain data) → DOT → SVG or PNG."""

from .drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
