"""Packages that only some functions need are imported where they are used; here is what happens if one is missing."""

import importlib
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import an optional package, or say what to install.

    Raises
    ------
    ImportError
        If it is not installed, with the name of the extra that brings it.

    >>> require("json", extra="learn").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:  # it is there; what it needs is not
            raise
        raise ImportError(f'this needs {package}: pip install "autograd-core[{extra}]"', name=package) from error
