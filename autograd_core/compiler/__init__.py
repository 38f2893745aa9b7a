"""The compiler: record a function, make its program small, and write it as NumPy source or machine code."""

from .python import to_python
from .run import jit
from .scan import scan

__all__ = ["jit", "scan", "to_python"]
