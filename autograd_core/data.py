"""What can be differentiated, and what may stand beside it as a constant.

A `Value` holds one of three kinds of data: a Python `float` (a scalar whose precision is *weak*, as NumPy's NEP 50 has
it: it takes the dtype of whatever it meets), a NumPy scalar or array of a floating or complex dtype, or an array of
another library that speaks NumPy's protocols. The functions here turn what a user wrote into one of these, or say why
they cannot.
"""

import contextvars
from contextlib import suppress
from typing import Any

import numpy as np

QUIET = contextvars.copy_context()
QUIET.run(np.seterr, all="ignore")
"""A context in which NumPy does not warn: `QUIET.copy().run(f, x)` costs a tenth of `with np.errstate(...)`. Passes run
in it: a derivative that is inf says so itself, and one that is not used has nothing to say."""


def keep_freed_memory() -> None:
    """Have the C library keep what a pass frees, for the next pass: up to 64 MiB at the top of its heap.

    glibc gives the top of the heap back to the system as soon as twice the largest array that was ever freed lies free
    there; a moment later the next pass asks for it again, and every page that it touches first is a fault. The gradient
    of the Rosenbrock function in 10⁵ dimensions spent six sevenths of its time like that. The limit grows with what is
    freed, and a block just under 32 MiB, which nobody writes to, takes it as far as it goes. Limits that are set in the
    environment count (`MALLOC_TRIM_THRESHOLD_`, mallopt(3)); other C libraries pay this no attention.
    """
    with suppress(MemoryError):
        np.empty(2**25 - 2**13, np.uint8)


keep_freed_memory()

OWN = frozenset((float, np.ndarray, np.float64, np.float32))
"""The types of nearly all data."""

NUMBERS = (int, float, complex, np.number, np.bool_)


def as_variable(data: Any) -> Any:
    """The data of a new variable: floats stay floats, integers become float64, arrays and lists are copied, in this
    machine's order of bytes, in which NumPy computes.
    """
    if isinstance(data, (bool, int, float)) and not isinstance(data, np.generic):
        return float(data)
    reject_graph(data)
    if isinstance(data, np.ndarray):
        reject_dtype(data)
    if hasattr(data, "__array_function__") and not isinstance(data, (np.ndarray, np.generic)):
        return as_floats(data)  # an array of another library
    array = np.array(data)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    reject_dtype(array)
    array = in_native_order(array)
    return array if isinstance(data, np.ndarray) or array.ndim else array[()]


def in_native_order(array: Any) -> Any:
    """An array in this machine's order of bytes."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def as_constant(data: Any) -> Any:
    """An operand that is not differentiated: numbers and arrays as they are, lists as arrays."""
    if type(data) is np.ndarray and data.dtype.kind in "fiubc":
        return data
    if isinstance(data, np.ndarray):
        reject_dtype(data)
        return data
    if isinstance(data, NUMBERS) or hasattr(data, "__array_function__"):
        return data
    array = np.asarray(reject_graph(data))
    reject_dtype(array)
    return array


def as_array(x: Any, dtype: Any = None) -> Any:
    """A number or a list as an array; a Value, and an array of whatever library or of a recording, as it is."""
    return x if hasattr(x, "__array_function__") else np.asarray(x, dtype)


def operand(x: Any) -> Any:
    """A constant that an operator was given; what is none is left to Python's own error and to the other's class."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub":
        return x
    if isinstance(x, (*NUMBERS, np.ndarray, list, tuple)) or hasattr(x, "__array_function__"):
        return as_constant(x)
    return NotImplemented


def failure(op: Any, data: Any, error: Exception) -> Exception:
    """NumPy's complaint with what it lacks: the op and all shapes."""
    shapes = " and ".join(str(shape_of(x)) for x in data if isinstance(x, NUMBERS) or hasattr(x, "shape"))
    return type(error)(f"{op.name} of shapes {shapes}: {error}")


class NoNumbersError(TypeError):
    """Python asked an array for its numbers while it has none: the compiler is recording."""


def holds(condition: Any) -> bool:
    """Whether something holds that allows of a shorter way; while the compiler records nobody knows, and the way that
    always leads there is taken."""
    try:
        return bool(condition)
    except NoNumbersError:
        return False


def recovered(op: Any, data: Any, error: Exception) -> Any:
    """The result of an op that failed on arrays without numbers, as one step of the program that is being recorded."""
    if isinstance(error, NoNumbersError) or isinstance(error.__cause__, NoNumbersError):
        for x in [part for given in data for part in (given if isinstance(given, tuple) else (given,))]:
            if hasattr(x, "record_whole"):
                out = x.record_whole(op.forward, data)
                numbers = data[op.leading : len(data) - len(op.settings)]
                weak = all(isinstance(given, (float, int)) or getattr(given, "weak", False) for given in numbers)
                weak = weak and not isinstance(out, tuple) and not out.shape and out.dtype.kind == "f"
                return out.weakened() if weak else out
    raise failure(op, data[: len(data) - len(op.settings)], error) from error


def is_foreign(x: Any) -> bool:
    """Whether an array is another library's, or one that the compiler records."""
    return type(x) not in OWN and hasattr(x, "__array_function__") and not isinstance(x, np.ndarray)


def is_weak(x: Any) -> bool:
    """Whether a number is a Python float, whose dtype gives way to an array's, or stands for one."""
    return type(x) is float or getattr(x, "weak", False)


def reject_dtype(array: Any) -> None:
    """Numbers have derivatives; strings, dates and arbitrary objects have none. Masks would be forgotten."""
    if isinstance(array, (np.ma.MaskedArray, np.matrix)):
        kind, write = type(array).__name__, "np.asarray(x)"
        write = write if kind == "matrix" else f"x.filled(0.0) or {write}, as is meant"
        raise TypeError(f"a {kind} does not follow an array's rules: write {write}")
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"data of dtype {array.dtype} cannot be differentiated: give numbers, or convert them first with "
            "np.asarray(data, dtype=float)"
        )


def reject_graph(data: Any) -> Any:
    """Refuse a Value, or a list with Values in it, where plain data is wanted: NumPy would drop the gradients."""
    pending = [data]
    while pending:
        item = pending.pop()
        if isinstance(item, (list, tuple)):
            pending.extend(item)
        elif hasattr(item, "op") and hasattr(item, "inputs"):
            raise TypeError(
                "a list that contains Values is not an array: write np.stack([v, w]), which is differentiable, or "
                "[v.data, w.data] for their plain data"
                if item is not data
                else "this is a Value already: use it as it is, or v.data for its plain data"
            )
    return data


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a Value, an array or a number, without NumPy's conversion of Python scalars."""
    return np.shape(x) if isinstance(x, (list, tuple)) else getattr(x, "shape", ())


def ndim_of(x: Any) -> int:
    """The number of axes of a Value, an array or a number."""
    return len(shape_of(x))


def size_of(x: Any) -> int:
    """The number of elements of a Value, an array or a number."""
    size: int = np.size(x) if isinstance(x, (list, tuple)) else getattr(x, "size", 1)
    return size


def as_floats(x: Any) -> Any:
    """Plain data as they are, and integers as float64: -1 is 255 in bytes, and NumPy's exp of them float16."""
    return x * 1.0 if dtype_of(x).kind in "biu" else x


def dtype_of(x: Any) -> Any:
    """The dtype of a Value, an array or a number; a Python float counts as float64."""
    return getattr(x, "dtype", None) or np.dtype(type(x))
