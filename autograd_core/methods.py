"""The ndarray's own names on a Value: `v.sum(axis=1)`, `v.reshape(2, 3)`, `v.T`, and the spellings of PyTorch.

Each method looks its op up in the registry when it is called, so this file says *what* a Value can do and nothing of
how; the ops say that. The elementary functions are the exception: their ops are methods themselves, which saves graphs
of scalars a call for each node.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .at import At
from .data import dtype_of, shape_of, size_of
from .registry import BY_NUMPY, OPS


def through(function: Any, x: Any, **settings: Any) -> Any:
    """A function of NumPy on a Value, which takes all of its settings or says what to write instead."""
    return function(x, **settings)


Axis = int | tuple[int, ...] | None


class ArrayMethods:
    """The half of a Value that looks like an ndarray."""

    __slots__ = ()
    data: Any
    op: Any
    name: str | None

    # What an array knows of itself ------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; `()` for a scalar."""
        return shape_of(self.data)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(shape_of(self.data))

    @property
    def size(self) -> int:
        """The number of elements."""
        return size_of(self.data)

    @property
    def dtype(self) -> Any:
        """The dtype of the data; float64 for a Python float."""
        return dtype_of(self.data)

    @property
    def nbytes(self) -> int:
        """How many bytes the data take."""
        return int(self.size * self.dtype.itemsize)

    def item(self, *index: int) -> Any:
        """The single element (or the one at `index`) as a Python number, without its gradient."""
        return np.asarray(self.data).item(*index)

    def tolist(self) -> Any:
        """The data as nested lists of Python numbers, without gradients."""
        return np.asarray(self.data).tolist()

    def argmax(self, axis: int | None = None, **settings: Any) -> Any:
        """Plain indices of the largest elements; see `np.argmax`."""
        return np.argmax(self.data, axis=axis, **settings)

    def argmin(self, axis: int | None = None, **settings: Any) -> Any:
        """Plain indices of the smallest elements; see `np.argmin`."""
        return np.argmin(self.data, axis=axis, **settings)

    def argsort(self, axis: int = -1, **settings: Any) -> Any:
        """Plain indices that sort the elements; see `np.argsort`."""
        return np.argsort(self.data, axis=axis, **settings)

    def all(self, axis: Axis = None, **settings: Any) -> Any:
        """Whether all elements are nonzero, as plain data; see `np.all`."""
        return np.all(self.data, axis=axis, **settings)

    def any(self, axis: Axis = None, **settings: Any) -> Any:
        """Whether any element is nonzero, as plain data; see `np.any`."""
        return np.any(self.data, axis=axis, **settings)

    def searchsorted(self, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        """Plain indices where numbers would be inserted into these, which are in order; see `np.searchsorted`."""
        return np.searchsorted(self.data, v, side=side, sorter=sorter)

    def nonzero(self) -> Any:
        """Plain indices of the elements that are not 0."""
        return np.nonzero(self.data)

    def round(self, decimals: int = 0) -> Any:
        """Rounded, as plain data: the derivative is 0."""
        return np.round(self.data, decimals)

    # Reductions -------------------------------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, *, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.sum`."""
        if settings:
            return through(np.sum, self, axis=axis, keepdims=keepdims, **settings)
        return OPS["sum"].apply(self, axis, keepdims)

    def mean(self, axis: Axis = None, *, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.mean`."""
        if settings:
            return through(np.mean, self, axis=axis, keepdims=keepdims, **settings)
        return OPS["mean"].apply(self, axis, keepdims)

    def var(self, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.var`."""
        return through(np.var, self, axis=axis, ddof=ddof, keepdims=keepdims, **settings)

    def std(self, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.std`."""
        return through(np.std, self, axis=axis, ddof=ddof, keepdims=keepdims, **settings)

    def max(self, axis: Axis = None, *, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.max`; elements that tie share the gradient equally."""
        if settings:
            return through(np.max, self, axis=axis, keepdims=keepdims, **settings)
        return OPS["max"].apply(self, axis, keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.min`; elements that tie share the gradient equally."""
        if settings:
            return through(np.min, self, axis=axis, keepdims=keepdims, **settings)
        return OPS["min"].apply(self, axis, keepdims)

    def prod(self, axis: Axis = None, *, keepdims: bool = False, **settings: Any) -> Any:
        """See `np.prod`; right where elements are zero, too."""
        if settings:
            return through(np.prod, self, axis=axis, keepdims=keepdims, **settings)
        return OPS["prod"].apply(self, axis, keepdims)

    def cumsum(self, axis: int | None = None, **settings: Any) -> Any:
        """See `np.cumsum`."""
        return through(np.cumsum, self, axis=axis, **settings)

    def cumprod(self, axis: int | None = None, **settings: Any) -> Any:
        """See `np.cumprod`."""
        return through(np.cumprod, self, axis=axis, **settings)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
        """See `np.trace`."""
        return BY_NUMPY[np.trace](self, offset, axis1, axis2, dtype)

    @property
    def at(self) -> At:
        """`v.at[index].set(y)`, and `add`, `multiply`, `min`, `max`: a new Value, differentiable in v and y.

        >>> v = Value([1.0, 2.0, 3.0])
        >>> v.at[1:].add(10.0).data
        array([ 1., 12., 13.])
        """
        return At(self)

    # Shape ------------------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """See `np.reshape`; the shape as one tuple or as separate integers."""
        shape = shape[0] if len(shape) == 1 else shape
        return OPS["reshape"].apply(self, shape) if order == "C" else BY_NUMPY[np.reshape](self, shape, order)

    def ravel(self, order: str = "C") -> Any:
        """The elements as one axis; see `np.ravel`."""
        return BY_NUMPY[np.ravel](self, order)

    flatten = ravel

    @property
    def flat(self) -> Any:
        """The elements as one axis, whatever the shape."""
        return self.ravel()

    def transpose(self, *axes: Any) -> Any:
        """See `np.transpose`; the axes as one tuple or as separate integers, reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return OPS["transpose"].apply(self, tuple(order) if order else None)

    @property
    def T(self) -> Any:
        """All axes reversed: the transpose of a matrix."""
        return OPS["transpose"].apply(self, None)

    @property
    def mT(self) -> Any:
        """The last two axes swapped: the transpose of each matrix of a stack."""
        return OPS["swapaxes"].apply(self, -1, -2)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """See `np.swapaxes`."""
        return OPS["swapaxes"].apply(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Any:
        """See `np.squeeze`."""
        return OPS["squeeze"].apply(self, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """See `np.diagonal`."""
        return BY_NUMPY[np.diagonal](self, offset, axis1, axis2)

    def take(self, indices: Any, axis: int | None = None, **settings: Any) -> Any:
        """See `np.take`."""
        return BY_NUMPY[np.take](self, indices, axis, **settings)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """See `np.compress`."""
        return BY_NUMPY[np.compress](condition, self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        """See `np.repeat`."""
        return BY_NUMPY[np.repeat](self, repeats, axis)

    def copy(self, order: str = "C") -> Any:
        """The same data as another Value, whose gradient comes back to this one; the order in memory is left open."""
        return BY_NUMPY[np.copy](self)

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """The data in another floating dtype; the gradient comes back in this one's."""
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"casting={casting!r} forbids to make {np.dtype(dtype)} of {self.dtype}")
        return OPS["astype"].apply(self, np.dtype(dtype))

    # Complex numbers --------------------------------------------------------------------------------------------------

    @property
    def real(self) -> Any:
        """The real part."""
        return OPS["real"].apply(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return OPS["imag"].apply(self)

    def conj(self) -> Any:
        """The complex conjugate."""
        return BY_NUMPY[np.conj](self)

    conjugate = conj

    # Arithmetic by name, as PyTorch and micrograd spell it; the elementary functions are declared with their ops ------

    if TYPE_CHECKING:

        def exp(self) -> Any: ...
        def log(self) -> Any: ...
        def square(self) -> Any: ...
        def sqrt(self) -> Any: ...
        def sin(self) -> Any: ...
        def cos(self) -> Any: ...
        def tanh(self) -> Any: ...
        def sigmoid(self) -> Any: ...
        def relu(self) -> Any: ...

    def dot(self, other: Any) -> Any:
        """See `np.dot`."""
        return BY_NUMPY[np.dot](self, other)

    def clip(self, min: Any = None, max: Any = None, **settings: Any) -> Any:
        """See `np.clip`; the gradient is zero where an element is cut off."""
        return through(np.clip, self, a_min=min, a_max=max, **settings)

    def softmax(self, axis: int = -1) -> Any:
        """exp(x) / sum(exp(x)) along an axis, stable for any x."""
        return OPS["softmax"].apply(self, axis)

    # Text -------------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        op = f", op={self.op.name}" if self.op is not None else ""
        name = f", name={self.name!r}" if self.name is not None else ""
        return f"Value({self.data!r}{op}{name})"

    def __str__(self) -> str:
        return str(self.data)

    def __format__(self, spec: str) -> str:
        if not spec or not shape_of(self.data):
            return format(self.data, spec)
        return np.array2string(self.data, formatter={"all": lambda x: format(x, spec)})

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self.data, digits or 0) if shape_of(self.data) else round(self.data, digits)

    def __trunc__(self) -> Any:
        return math.trunc(self.data)

    def __floor__(self) -> Any:
        return math.floor(self.data)

    def __ceil__(self) -> Any:
        return math.ceil(self.data)
