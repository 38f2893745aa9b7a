"""Drawing: graph → scene (cards, arrows, pills as plain data) → DOT → SVG or PNG.

The learner's view is a `scene`, the builder's a `plan`: graph → spans, parts → folded → plan → DOT.
"""

from .drawing import Drawing
from .view import draw

__all__ = ["Drawing", "draw"]
