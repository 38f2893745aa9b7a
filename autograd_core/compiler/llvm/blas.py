"""Large products of matrices by SciPy's BLAS, called from machine code through its Cython interface."""

import ctypes
import functools
from typing import Any

from .code import Code
from .place import Place, element
from .target import target
from .text import F32, F64, I8, I32, VOID, Value, constant


@functools.cache
def address(name: str) -> int | None:
    """The address of a function of SciPy's `cython_blas`; None if there is none with the arguments expected here."""
    try:
        from scipy.linalg import cython_blas  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    capsule = cython_blas.__pyx_capi__.get(name)
    if capsule is None:
        return None
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    signature = api.PyCapsule_GetName(capsule)
    number = "__pyx_t_5scipy_6linalg_11cython_blas_" + name[0] + " *"
    names = ["char *"] * 2 + ["int *"] * 3 + [number] * 2 + ["int *", number, "int *", number, number, "int *"]
    if signature.decode() != f"void ({', '.join(names)})":
        return None
    found: int | None = api.PyCapsule_GetPointer(capsule, signature)
    return found


def leading(place: Place) -> tuple[str, int] | None:
    """How BLAS, which thinks in columns, reads a matrix's transpose: the letter, and the step between its lines."""
    (rows, columns), (s, t) = place.shape, place.strides
    if t == 1 and (s >= columns or rows == 1):
        return "N", max(s, columns, 1)
    if s == 1 and (t >= rows or columns == 1):
        return "T", max(t, rows, 1)
    return None


def serves(a: Place, b: Place, out: Place) -> bool:
    """Whether a product is for BLAS."""
    (m, k), n = a.shape, b.shape[1]
    name = {"float64": "dgemm", "float32": "sgemm"}[out.dtype.name]
    return bool(
        m * n * k >= target().large and leading(a) and leading(b) and (leading(out) or "T")[0] == "N" and address(name)
    )


def gemm(code: Code, a: Place, b: Place, out: Place, factor: Any = None) -> None:
    """out = a @ b, or with a factor out += factor · a @ b; in columns, outᵀ = bᵀ aᵀ."""
    double = out.dtype.name == "float64"
    real = F64 if double else F32
    function = address("dgemm" if double else "sgemm")
    right, left, result = leading(b), leading(a), leading(out)
    assert function is not None
    assert right is not None
    assert left is not None
    assert result is not None
    (m, k), n = a.shape, b.shape[1]

    def number(t: Any, value: Any) -> Any:
        with code.b.in_entry():
            slot = code.b.alloca(t)
        code.b.store(value if isinstance(value, Value) else constant(t, value), slot)
        return slot

    args = [number(I8, ord(right[0])), number(I8, ord(left[0])), number(I32, n), number(I32, m), number(I32, k)]
    first = number(real, 1.0 if factor is None else factor)
    args += [first, element(code, b, [0, 0]), number(I32, right[1])]
    args += [element(code, a, [0, 0]), number(I32, left[1]), number(real, float(factor is not None))]
    args += [element(code, out, [0, 0]), number(I32, result[1])]
    code.b.call_address(function, VOID, args)
