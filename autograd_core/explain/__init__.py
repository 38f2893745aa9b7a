"""Formulas: what an operation computes and what its rules say, as text and as LaTeX."""

from .derivatives import LocalDerivative, local_derivatives
from .phrases import Phrase, call, name
from .symbols import Symbol

__all__ = ["LocalDerivative", "Phrase", "Symbol", "call", "local_derivatives", "name"]
