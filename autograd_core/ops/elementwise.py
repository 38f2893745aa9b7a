"""Functions that act element by element. Each is its function and its bare local derivatives, and nothing else.

A derivative prefers the output to recomputing (`exp: out`, `tanh: 1 - out * out`). Where there is no derivative, the
subgradient of least norm is taken: 0 for |x| and relu at 0, one half each for the arguments of `maximum` that tie.

Source of the derivatives: Abramowitz and Stegun, *Handbook of Mathematical Functions*, chapters 4 and 6.
"""

import math
import operator
from typing import Any

import numpy as np

from ..data import dtype_of
from ..op import CHOICE, FIRST, ONE, POWER, PRODUCT, SECOND, SUM, UNARY, composed, elementwise, flat
from .activations import sigmoid
from .indexing import choose, over_size

LN2, LN10, RADIANS = math.log(2.0), math.log(10.0), math.pi / 180
INSIDE, POSITIVE = [(-0.9, 0.9)], [(0.3, 2.0)]

# Arithmetic -----------------------------------------------------------------------------------------------------------

add = elementwise(
    "add", operator.add, operator="add", numpy=np.add, text="{x} + {y}", tex="{x} + {y}", precedence=SUM,
    partials=(ONE,
              ONE),
)  # fmt: skip
sub = elementwise(
    "sub", operator.sub, operator="sub", numpy=np.subtract, text="{x} − {y}", tex="{x} - {y}", precedence=SUM,
    partials=(ONE,
              lambda out, x, y: -1.0),
)  # fmt: skip
mul = elementwise(
    "mul", operator.mul, operator="mul", numpy=np.multiply, text="{x} × {y}", tex=r"{x} \, {y}", precedence=PRODUCT,
    partials=(SECOND,
              FIRST),
)  # fmt: skip
div = elementwise(
    "div", operator.truediv, scalar=operator.truediv, operator="truediv", numpy=np.true_divide,
    domain=[(-2, 2), (0.5, 2)], text="{x} / {y}", tex=r"\frac{{{x}}}{{{y}}}", precedence=PRODUCT,
    partials=(lambda out, x, y: 1 / y,
              lambda out, x, y: -out / y),
)  # fmt: skip
mod = elementwise(
    "mod", np.remainder, operator="mod", numpy=np.remainder, domain=[(0.2, 0.9), (1.5, 2)],
    text="{x} mod {y}", tex=r"{x} \bmod {y}", precedence=CHOICE,  # a + b mod c would be read in two ways
    partials=(ONE,
              lambda out, x, y: -np.floor_divide(x, y)),
)  # fmt: skip
neg = elementwise(
    "neg", operator.neg, operator="neg", numpy=np.negative, text="−{x}", tex="-{x}", precedence=UNARY,
    partials=(lambda out, x: -1.0,),
)  # fmt: skip
abs = elementwise(
    "abs", operator.abs, operator="abs", numpy=(np.abs, np.fabs), text="|{x}|", tex=r"\left|{x}\right|",
    partials=(lambda out, x: over_size(np.conj(x), out) if dtype_of(x).kind == "c" else np.sign(x),),
)  # fmt: skip


def real_power(x: float, y: float) -> Any:
    """x ** y of Python floats, where Python turns complex as an error: NumPy says nan."""
    out = x**y
    if type(out) is complex:
        raise ValueError("not real")
    return out


def numpy_base(x: Any) -> Any:
    """x, as NumPy's float if it is a negative Python float: a power of it is nan then, not complex."""
    return np.float64(x) if type(x) is float and x < 0 else x


def one_less(y: Any, x: Any) -> Any:
    """y - 1; but where y and x are 0 it is 1, so that 0**2 has the derivatives 0, 2, 0, ..."""
    return y - 1 if type(y) in (int, float) and y else choose((x == 0) & (y == 0), 1.0, y - 1)


def log_base(out: Any, x: Any) -> Any:
    """x, as a complex number if a power of it is: -2 has a complex logarithm, and no real one."""
    return x + 0j if dtype_of(out).kind == "c" != dtype_of(x).kind else x


pow = elementwise(
    "pow", operator.pow, scalar=real_power, operator="pow", numpy=np.power, domain=[(0.5, 2), (-2, 2)],
    text="{x}^{y}", tex="{{{x}}}^{{{y}}}", precedence=POWER,
    partials=(lambda out, x, y:
              x + x if type(y) in (int, float) and y == 2  # the commonest power, in half the time
              else y * numpy_base(x) ** one_less(y, x),
              lambda out, x, y: out * np.log(choose((x == 0) & (y > 0), 1.0, log_base(out, x)))),  # 0**y is 0
)  # fmt: skip


@composed(np.float_power)
def float_power(x1: Any, x2: Any) -> Any:
    """See `np.float_power`: a power in double precision, whatever the dtypes."""
    return np.power(np.multiply(x1, np.float64(1)), np.multiply(x2, np.float64(1)))


square = elementwise(
    "square", lambda x: x * x, method=True, numpy=np.square, text="{x}²", tex="{{{x}}}^2", precedence=POWER,
    partials=(lambda out, x: x + x,),  # half the time of 2 * x
)  # fmt: skip
sqrt = elementwise(
    "sqrt", np.sqrt, method=True, scalar=math.sqrt, numpy=np.sqrt, domain=POSITIVE, text="√({x})", tex=r"\sqrt{{{x}}}",
    partials=(lambda out, x: 0.5 / out,),
)  # fmt: skip
cbrt = elementwise(
    "cbrt", np.cbrt, numpy=np.cbrt, domain=POSITIVE, tex=r"\sqrt[3]{{{x}}}",
    partials=(lambda out, x: 1 / (3 * out * out),),
)  # fmt: skip
reciprocal = elementwise(
    "reciprocal", lambda x: 1 / x, scalar=lambda x: 1 / x, numpy=np.reciprocal, domain=POSITIVE,
    text="1 / {x}", tex=r"\frac{{1}}{{{x}}}", precedence=PRODUCT,
    partials=(lambda out, x: -out * out,),
)  # fmt: skip

# Exponentials and logarithms ------------------------------------------------------------------------------------------

exp = elementwise(
    "exp", np.exp, method=True, scalar=math.exp, numpy=np.exp, tex="e^{{{x}}}", precedence=POWER,
    text="exp({x})", partials=(lambda out, x: out,),
)  # fmt: skip
exp2 = elementwise(
    "exp2", np.exp2, numpy=np.exp2, tex="2^{{{x}}}", precedence=POWER, partials=(lambda out, x: out * LN2,)
)
expm1 = elementwise(
    "expm1", np.expm1, scalar=math.expm1, numpy=np.expm1, tex="e^{{{x}}} - 1", precedence=SUM, text="exp({x}) − 1",
    partials=(lambda out, x: np.exp(x),),
)  # fmt: skip
log = elementwise(
    "log", np.log, method=True, scalar=math.log, numpy=np.log, domain=POSITIVE, tex=r"\ln({x})",
    partials=(lambda out, x: 1 / x,),
)  # fmt: skip
log2 = elementwise(
    "log2", np.log2, numpy=np.log2, domain=POSITIVE, tex=r"\log_2({x})", partials=(lambda out, x: 1 / (x * LN2),)
)
log10 = elementwise(
    "log10", np.log10, numpy=np.log10, domain=POSITIVE, tex=r"\log_{{10}}({x})",
    partials=(lambda out, x: 1 / (x * LN10),),
)  # fmt: skip
log1p = elementwise(
    "log1p", np.log1p, scalar=math.log1p, numpy=np.log1p, domain=POSITIVE, text="log(1 + {x})", tex=r"\ln(1 + {x})",
    partials=(lambda out, x: 1 / (1 + x),),
)  # fmt: skip


def apart(x: Any, y: Any) -> Any:
    """x - y, and 0 where both are the same infinity."""
    return choose((x == y) & np.isinf(x), 0.0, x - y)


logaddexp = elementwise(
    "logaddexp", np.logaddexp, numpy=np.logaddexp, tex=r"\ln(e^{{{x}}} + e^{{{y}}})",
    partials=(lambda out, x, y: sigmoid(apart(x, y)),  # exp(x - out), which is nan at inf
              lambda out, x, y: sigmoid(apart(y, x))),
)  # fmt: skip
logaddexp2 = elementwise(
    "logaddexp2", np.logaddexp2, numpy=np.logaddexp2, tex=r"\log_2(2^{{{x}}} + 2^{{{y}}})",
    partials=(lambda out, x, y: sigmoid(LN2 * apart(x, y)),
              lambda out, x, y: sigmoid(LN2 * apart(y, x))),
)  # fmt: skip

# Trigonometry ---------------------------------------------------------------------------------------------------------

sin = elementwise(
    "sin", np.sin, method=True, scalar=math.sin, numpy=np.sin, tex=r"\sin({x})", partials=(lambda out, x: np.cos(x),)
)
cos = elementwise(
    "cos", np.cos, method=True, scalar=math.cos, numpy=np.cos, tex=r"\cos({x})", partials=(lambda out, x: -np.sin(x),)
)
tan = elementwise(
    "tan", np.tan, scalar=math.tan, numpy=np.tan, domain=[(-1, 1)], tex=r"\tan({x})",
    partials=(lambda out, x: 1 + out * out,),
)  # fmt: skip
arcsin = elementwise(
    "arcsin", np.arcsin, scalar=math.asin, numpy=np.arcsin, domain=INSIDE, tex=r"\arcsin({x})",
    partials=(lambda out, x: 1 / np.sqrt(1 - x * x),),
)  # fmt: skip
arccos = elementwise(
    "arccos", np.arccos, scalar=math.acos, numpy=np.arccos, domain=INSIDE, tex=r"\arccos({x})",
    partials=(lambda out, x: -1 / np.sqrt(1 - x * x),),
)  # fmt: skip
arctan = elementwise(
    "arctan", np.arctan, scalar=math.atan, numpy=np.arctan, tex=r"\arctan({x})",
    partials=(lambda out, x: 1 / (1 + x * x),),
)  # fmt: skip
arctan2 = elementwise(
    "arctan2", np.arctan2, scalar=math.atan2, numpy=np.arctan2, domain=[(0.5, 2), (0.5, 2)],
    tex=r"\operatorname{{atan2}}({x}, {y})",
    partials=(lambda out, x, y: y / (r := np.hypot(x, y)) / r,  # squares leave the range of the dtype
              lambda out, x, y: -(x / (r := np.hypot(x, y)) / r)),
)  # fmt: skip
hypot = elementwise(
    "hypot", np.hypot, scalar=math.hypot, numpy=np.hypot, domain=[(0.5, 2), (0.5, 2)], tex=r"\sqrt{{{x}^2 + {y}^2}}",
    partials=(lambda out, x, y: over_size(x, out),
              lambda out, x, y: over_size(y, out)),
)  # fmt: skip
deg2rad = elementwise("deg2rad", np.deg2rad, numpy=(np.deg2rad, np.radians), partials=(lambda out, x: RADIANS,))
rad2deg = elementwise("rad2deg", np.rad2deg, numpy=(np.rad2deg, np.degrees), partials=(lambda out, x: 1 / RADIANS,))

# Hyperbolic functions -------------------------------------------------------------------------------------------------

sinh = elementwise(
    "sinh", np.sinh, scalar=math.sinh, numpy=np.sinh, tex=r"\sinh({x})", partials=(lambda out, x: np.cosh(x),)
)
cosh = elementwise(
    "cosh", np.cosh, scalar=math.cosh, numpy=np.cosh, tex=r"\cosh({x})", partials=(lambda out, x: np.sinh(x),)
)
tanh = elementwise(
    "tanh", np.tanh, method=True, scalar=math.tanh, numpy=np.tanh, tex=r"\tanh({x})",
    partials=(lambda out, x: 1 - out * out,),
)  # fmt: skip
arcsinh = elementwise(
    "arcsinh", np.arcsinh, scalar=math.asinh, numpy=np.arcsinh, tex=r"\operatorname{{arsinh}}({x})",
    partials=(lambda out, x: 1 / (np.sqrt(1 + x * x) if dtype_of(x).kind == "c" else np.hypot(1.0, x)),),
)  # fmt: skip
arccosh = elementwise(
    "arccosh", np.arccosh, scalar=math.acosh, numpy=np.arccosh, domain=[(1.3, 3)],
    tex=r"\operatorname{{arcosh}}({x})",
    partials=(lambda out, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
)  # fmt: skip
arctanh = elementwise(
    "arctanh", np.arctanh, scalar=math.atanh, numpy=np.arctanh, domain=INSIDE,
    tex=r"\operatorname{{artanh}}({x})",
    partials=(lambda out, x: 1 / (1 - x * x),),
)  # fmt: skip

# Selection: ties share the gradient equally ---------------------------------------------------------------------------


def larger(x: Any, y: Any) -> Any:
    """1 where x > y, a half where they tie, else 0."""
    return choose(x > y, 1.0, choose(x == y, 0.5, 0.0))


def chosen(x: Any, y: Any) -> Any:
    """As `larger`, and 1 where x is nan, which is what `maximum` and `minimum` then are."""
    return choose(x != x, 1.0, larger(x, y))


maximum = elementwise(
    "maximum", np.maximum, numpy=np.maximum, text="max({x}, {y})", tex=r"\max({x}, {y})",
    selects=True, doc="The larger of both; those that tie share the gradient, and a nan gets it.",
    partials=(lambda out, x, y: chosen(x, y),
              lambda out, x, y: chosen(y, x)),
)  # fmt: skip
minimum = elementwise(
    "minimum", np.minimum, numpy=np.minimum, text="min({x}, {y})", tex=r"\min({x}, {y})",
    selects=True, doc="The smaller of both; those that tie share the gradient, and a nan gets it.",
    partials=(lambda out, x, y: choose(x != x, 1.0, larger(y, x)),
              lambda out, x, y: choose(y != y, 1.0, larger(x, y))),
)  # fmt: skip
fmax = elementwise(
    "fmax", np.fmax, numpy=np.fmax, selects=True, doc="As maximum, but of a number and nan it takes the number.",
    partials=(lambda out, x, y: choose(y != y, 1.0, larger(x, y)),
              lambda out, x, y: choose(x != x, 1.0, larger(y, x))),
)  # fmt: skip
fmin = elementwise(
    "fmin", np.fmin, numpy=np.fmin, selects=True, doc="As minimum, but of a number and nan it takes the number.",
    partials=(lambda out, x, y: choose(y != y, 1.0, larger(y, x)),
              lambda out, x, y: choose(x != x, 1.0, larger(x, y))),
)  # fmt: skip
clip_between = elementwise(
    "clip", np.clip, domain=[(-2, 2), (-1.5, -0.5), (0.5, 1.5)], tex=r"\operatorname{{clip}}({x}, {y}, {z})",
    numpy=getattr(np._core.umath, "clip", ()), selects=True,  # type: ignore[attr-defined]  # of `array.clip(v, w)`
    partials=(lambda out, x, low, high: ((x > low) & (x < high)) | (x != x),
              lambda out, x, low, high: (x <= low) & (low < high),
              lambda out, x, low, high: (x >= high) | (low >= high)),
)  # fmt: skip


@composed(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """See `np.clip`: the derivative is 1 between the bounds, and 0 on and outside of them."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return clip_between(a, -math.inf if low is None else low, math.inf if high is None else high)


flat(
    np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide, np.isnan, np.isinf, np.isfinite,
    np.signbit, np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.logical_and,
    np.logical_or, np.logical_not, np.logical_xor, np.spacing,
)  # fmt: skip
