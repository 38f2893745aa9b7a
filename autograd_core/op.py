"""An op is declared once: its function, its derivative, its label and its test samples stand together.

Four forms of declaration cover all of mathematics that is needed here; the derivative itself chooses which. Write
y = f(x₁, x₂, ...), g for the gradient of the loss with respect to y, and t for a tangent:

=============  ============================================  =======================================================
form           what is declared                              reverse mode                forward mode
=============  ============================================  =======================================================
elementwise    the local derivatives ∂y/∂xₖ                  gₖ = g · ∂y/∂xₖ             t = Σₖ ∂y/∂xₖ · tₖ
linear         the adjoint of a map linear in its arguments  gₖ = adjointₖ(g)            t = f(t₁, t₂, ...)
multilinear    an adjoint for each argument                  gₖ = adjointₖ(g, x)         t = Σₖ f(x₁, .., tₖ, .., xₙ)
primitive      a pullback                                    gₖ = pullbackₖ(g, y, x)     from the pullback
=============  ============================================  =======================================================

Rules never mention broadcasting, accumulation or which inputs need a gradient: the loop in `backward.py` does that once
for all of them. They are plain NumPy and call other ops, so that a rule fed with Values records its own graph.
"""

import contextlib
import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .apply import apply, binary, unary
from .data import as_constant, shape_of
from .registry import BY_NUMPY, LATE, OPS
from .value import FAST, Value, plain

ONE: Any = lambda *args: 1.0
"""The local derivative 1, known by identity: the loop passes the gradient on without multiplying."""

FIRST: Any = lambda out, x, y: x
SECOND: Any = lambda out, x, y: y
"""Those of a product, known by identity: the loop takes the factor that it has at hand without a call."""

CALL, POWER, UNARY, PRODUCT, ELEMENTS, SUM, CHOICE = 6, 5, 4, 3, 2, 1, 0
"""How tightly a label binds; an operand that binds less tightly is put in parentheses. A product of elements (⊙) binds
less tightly than one of matrices, which has no sign in LaTeX."""

FREE = (-2.0, 2.0)
"""The interval that test samples are drawn from where an op is defined everywhere."""

Rule = Callable[..., Any]


class Op:
    """One differentiable operation: what is recorded in a graph, and the only thing that its readers need to know.

    Calling an op on Values records it; called on plain data only, it returns plain data.

    Beside what the forms below declare, `numpy` names the functions of NumPy that it differentiates, `operator` the
    operator of Python that records it, and `settings` its arguments that are no arrays, with their defaults. `text`,
    `tex` and `precedence` are its label; `domain` or `samples` are where the tests try it. `selects` says that it takes
    some elements and leaves others (see `exact.py`): True if the latter are those whose partial or adjoint is 0, or a
    function for each argument. `gathers=False` says that a linear op has coefficients below 0, so that its adjoint
    cannot tell what is live. `into(total, g, *settings)` adds the adjoint of a linear op that takes few of many
    elements to a gradient in place. `batched(t, *settings)` applies a linear op of one array to each part of t along
    its first axis, and `batched(k, t, *inputs)` the derivative of any other op for its argument k. For primitives only:
    `joint` is a pullback that returns the gradients of all arguments at once, `within(g, live, out, *inputs)` one that
    returns each with its mask, and `pushforward(tangents, out, *inputs)` a rule for forward mode.
    """

    def __init__(
        self,
        name: str,
        form: str,
        forward: Rule,
        rules: tuple[Rule | None, ...],
        *,
        numpy: Rule | tuple[Rule, ...] = (),
        operator: str | None = None,
        settings: dict[str, Any] | None = None,
        variadic: bool = False,
        selects: bool | tuple[Rule | None, ...] = False,
        gathers: bool = True,
        into: Rule | None = None,
        batched: Rule | None = None,
        joint: Rule | None = None,
        within: Rule | None = None,
        pushforward: Rule | None = None,
        registered: bool = True,
        tex: str | None = None,
        text: str | None = None,
        precedence: int = CALL,
        samples: Sequence[Any] = (),
        domain: Sequence[tuple[float, float]] = (),
        doc: str = "",
    ) -> None:
        self.key = self.name = self.__name__ = name
        self.form = form
        self.elementwise = form == "elementwise"
        self.uses_out = form == "primitive"
        self.forward = forward
        self.rules = rules
        self.arity = len(rules)
        self.leading = next((k for k, rule in enumerate(rules) if rule is not None), 0)  # the first that has a rule
        self.settings = settings or {}
        self.defaults = tuple(self.settings.values())
        self.unrolled = self.arity if self.elementwise and self.arity <= 2 and not settings else 0
        self.variadic = variadic
        self.selects = bool(selects)
        self.masks = self.selects or within is not None  # whether dead branches may begin here
        self.selections = selects if isinstance(selects, tuple) else rules
        if self.unrolled == 1:
            self.apply = unary(self)  # type: ignore[method-assign]
        self.gathers = gathers
        self.into = into
        self.batched = batched
        self.joint = joint
        self.within = within
        self.signature: Any = None
        self.pushforward = pushforward
        self.tex = tex
        self.text = text
        self.precedence = precedence
        self.samples = samples
        self.domain = domain
        self.__doc__ = doc or f"{name}, differentiable."
        if registered:
            OPS[name] = self
        self.numpy = numpy if isinstance(numpy, tuple) else (numpy,)
        for function in self.numpy:
            BY_NUMPY[function] = self
        if operator:
            self.give(operator)

    def give(self, operator: str) -> None:
        """Let one of Python's operators on Values record this op."""
        if self.arity == 1:
            setattr(Value, f"__{operator}__", unary(self))
        else:
            straight, reflected = binary(self)
            straight.__qualname__ = f"Value.__{operator}__"
            setattr(Value, f"__{operator}__", straight)
            setattr(Value, f"__r{operator}__", reflected)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        if self.unrolled == 1 and len(args) == 1 and type(args[0]) is Value and not settings:
            return self.apply(args[0])  # the commonest call, made short
        arrays: tuple[Any, ...]
        rest: tuple[Any, ...] = ()
        if self.variadic:
            arrays, rest = (*args[0],), args[1:]
        elif len(args) == self.arity:
            arrays = args
        else:
            arrays, rest = args[: self.arity], args[self.arity :]
            if len(arrays) < self.arity:
                if self.signature is not None:  # of a function: arguments by keyword, and defaults
                    given = self.signature.bind(*args, **settings)
                    given.apply_defaults()
                    return self(*given.args, **given.kwargs)
                raise TypeError(f"{self.name} takes {self.arity} arrays, {len(arrays)} given")
        for x in arrays:
            t = type(x)
            if t is not Value and t not in FAST and (t is not ndarray or x.dtype.kind not in "fiub"):
                for y in arrays:
                    if hasattr(type(y), "apply_op"):  # a placeholder that writes formulas instead of computing
                        return y.apply_op(self, arrays, dict(zip(self.settings, rest, strict=False)) | settings)
                arrays = tuple([x if type(x) is Value else as_constant(x) for x in arrays])
                break
        if rest or settings:
            return apply(self, (*arrays, *self.chosen(rest, settings)))
        return apply(self, arrays + self.defaults)

    def chosen(self, args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[Any, ...]:
        """The value of every setting, in order, from those given by place and by name."""
        n = len(args)
        names = [*self.settings][n:] if settings else ()
        if n > len(self.settings) or (settings and not settings.keys() <= set(names)):
            known = ", ".join(f"{name}=" for name in self.settings) or "none"
            raise TypeError(f"{self.name}: unknown or repeated settings; the settings it takes: {known}")
        given = [settings.get(name, self.settings[name]) for name in names] if settings else self.defaults[n:]
        found = (*args, *given)
        if Value in map(type, found):
            named = ", ".join(self.settings)
            raise TypeError(f"{self.name}: its settings ({named}) are no variables: pass plain data")
        return found

    def apply(self, *inputs: Any) -> Any:
        """Compute and record with all inputs given: arrays first, then every setting in its order, unchecked."""
        return apply(self, inputs)

    def each(self, inputs: tuple[Any, ...]) -> list[Rule]:
        """A variadic op's one rule for each of its arrays."""
        (rule,) = self.rules
        assert rule is not None
        return [functools.partial(rule, k) for k in range(len(inputs) - len(self.settings))]

    def selected(self, k: int, out: Any, *args: Any) -> Any:
        """Which elements of argument k the result depends on, of an op that `selects`: by default, where ∂y/∂xₖ ≠ 0."""
        selection = self.selections[k]
        assert selection is not None
        found = np.not_equal(selection(out, *args), 0)
        if self.elementwise and shape_of(found) != shape_of(out):  # a number may decide for all elements: nan in fmax
            return np.broadcast_to(found, shape_of(out))
        return found

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if OPS.get(self.key) is not self:
            raise TypeError(f"{self.name} has no name to be found by, so a graph with it is not pickled")
        return named, (self.key,)

    def __deepcopy__(self, memo: Any) -> "Op":
        return self


def named(key: str) -> Any:
    """The op of a name: what a pickled op becomes. Who declares it is imported, as pickles import classes."""
    declared_in = [*LATE.values()] if "." not in key else [key[:k] for k, c in enumerate(key) if c == "."]
    for module in declared_in[::-1]:
        if key in OPS:
            break
        with contextlib.suppress(ImportError):
            importlib.import_module(module, __package__)
    if key not in OPS:
        raise LookupError(f"no op is called {key!r}: import the module that declares it; SciPy's ops need SciPy")
    return OPS[key]


def elementwise(
    name: str,
    forward: Rule,
    *,
    partials: tuple[Rule, ...],
    scalar: Rule | None = None,
    domain: Sequence[tuple[float, float]] = (),
    method: bool = False,
    **record: Any,
) -> Op:
    """Declare y = f(x₁, x₂, ...) element by element, with the local derivatives `partial(out, x₁, x₂, ...)`.

    `scalar` is the function of Python's `math` that computes f on Python floats; where it raises (a pole, an overflow),
    `forward` answers as NumPy does, with inf or nan.
    """
    if scalar is None and isinstance(forward, np.ufunc):
        scalar = in_float(forward)
    if scalar is not None:
        forward = on_floats(scalar, forward, len(partials))
    op = Op(name, "elementwise", forward, partials, domain=domain or (FREE,) * len(partials), **record)
    if method:
        setattr(Value, name, op.apply)
    return op


def linear(name: str, forward: Rule, *, adjoints: tuple[Rule | None, ...], **record: Any) -> Op:
    """Declare a map that is linear in its array arguments together, with the adjoints `adjoint(g, *inputs)`.

    The adjoint of a linear map A is the map with ⟨A x, g⟩ = ⟨x, Aᵀ g⟩. None stands for an argument that is never
    differentiated. With `variadic=True` there is one rule, `adjoint(k, g, *inputs)`.
    """
    return Op(name, "linear", forward, adjoints, **record)


def multilinear(name: str, forward: Rule, *, adjoints: tuple[Rule, ...], **record: Any) -> Op:
    """Declare a map that is linear in each argument while the others are held, with `adjoint(g, *inputs)` for each."""
    return Op(name, "multilinear", forward, adjoints, **record)


def primitive(name: str, forward: Rule, *, pullbacks: tuple[Rule, ...], **record: Any) -> Op:
    """Declare any other map by its pullbacks `pullback(g, out, *inputs)`, one for each array argument.

    Of a map with several results `forward` returns a tuple, and g is the list of their gradients, with None for one
    that nothing came back to; see `ops/several.py`.
    """
    return Op(name, "primitive", forward, pullbacks, **record)


def flat(*functions: Rule) -> None:
    """Declare NumPy functions whose derivative is zero wherever they have one: their results are plain data."""
    for function in functions:
        BY_NUMPY[function] = on_plain(function)


def on_plain(function: Rule) -> Rule:
    """The function on the plain data of its arguments."""

    @functools.wraps(function, updated=())
    def call(*args: Any, **settings: Any) -> Any:
        parts = [type(arg)(map(plain, arg)) if type(arg) in (list, tuple) else plain(arg) for arg in args]
        return function(*parts, **{name: plain(x) for name, x in settings.items()})

    return call


def composed(*numpy: Rule) -> Callable[[Rule], Rule]:
    """Declare a function written in terms of ops. It needs no rule: the chain rule goes through its parts."""

    def declare(function: Rule) -> Rule:
        for other in numpy:
            BY_NUMPY[other] = function
        return function

    return declare


def in_float(function: np.ufunc) -> Rule:
    """A ufunc whose result is a Python float."""
    return lambda *args: float(function(*args))


def on_floats(scalar: Rule, forward: Rule, arity: int) -> Rule:
    """`scalar` where all arguments are Python floats and it does not raise; `forward`, NumPy's answer, elsewhere."""
    raised = (ValueError, OverflowError, ZeroDivisionError)

    def unary(x: Any) -> Any:
        if type(x) is not float:
            return forward(x)
        try:
            return scalar(x)
        except raised:
            return float(forward(np.float64(x)))

    def binary(x: Any, y: Any) -> Any:
        if type(x) not in FAST or type(y) not in FAST:
            return forward(x, y)
        try:
            return scalar(x, y)
        except raised:
            return float(forward(np.float64(x), np.float64(y)))

    return unary if arity == 1 else binary
