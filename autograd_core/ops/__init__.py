"""The ops: importing this package fills the registry."""

from . import elementwise, linear, primitive

__all__ = ["elementwise", "linear", "primitive"]
