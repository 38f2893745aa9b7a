"""The ops: importing this package fills the registry."""

from . import elementwise, indexing, linear, matrices, primitive

__all__ = ["elementwise", "indexing", "linear", "matrices", "primitive"]
