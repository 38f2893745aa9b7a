"""What would drop a gradient silently is refused, and the error says what to write instead.

Python and NumPy convert on their own: `math.exp(v)` asks for a float, `a[0] = v` and `np.array([v, w])` for an array.
The result would be a plain number with no memory of where it came from, and its derivative zero.
"""

from typing import Any


class Refusals:
    """The conversions and assignments that a Value does not take part in."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if Refusals not in cls.__bases__:
            raise TypeError(
                "a Value is not subclassed, for the engine knows its nodes by their type: keep it in an attribute"
            )

    def __float__(self) -> float:
        raise TypeError(
            "float(v) and math functions would drop the gradient of a Value: write np.exp(v) instead of math.exp(v), "
            "or v.item() for the plain number"
        )

    def __int__(self) -> int:
        raise TypeError("int(v) would drop the gradient of a Value: write int(v.item()) for the plain number")

    def __complex__(self) -> complex:
        raise TypeError("complex(v) would drop the gradient of a Value: write v.item() for the plain number")

    def __index__(self) -> int:
        raise TypeError("a Value is no index or count, for it is continuous: write int(v.item())")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            "a Value in a plain array would lose its gradient: write v.data for its data, np.stack([v, w]) instead of "
            "np.array([v, w]), and a new array instead of out[i] = v"
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a Value is not written into, or its graph would no longer be true: write v = v.at[i].set(x), which gives "
            "a new Value, or np.where(mask, x, v)"
        )
