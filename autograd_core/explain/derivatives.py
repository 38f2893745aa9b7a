"""What each edge of a graph passes back: the local derivative as a formula and as numbers, from the op's own rule.

>>> from autograd_core import Value
>>> e = Value([0.5, -1.0], name="e")
>>> (edge,) = local_derivatives(e**2, name_of=lambda x: x.name or "q")
>>> edge.formula.text, edge.number
('2e', array([ 1., -2.]))
"""

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data import dtype_of, shape_of
from ..op import Op
from ..ops.linear import sum_to
from ..registry import OPS
from ..value import Value, plain
from .names import arrays_of, is_shown, settings_of
from .phrases import Phrase, call, name
from .symbols import Symbol, as_number, lift
from .terms import divide_out, write

LONGEST = 160
"""The length of the longest formula that says more than its number, were all names of one letter: series are longer."""


class LocalDerivative(NamedTuple):
    """How the gradient of an operation's result becomes that of one of its inputs, over all of its uses there."""

    source: Value
    """The input."""
    formula: Phrase | None
    """What the rule says; None if it cannot be written in symbols, or not in a few."""
    is_factor: bool
    """True: the formula is the factor ∂out/∂x, element by element; False: it is the gradient of x, from grad(out)."""
    number: Any
    """What the factor amounts to, or None."""
    summed: int
    """How many elements of the result share one of x, which was broadcast, so that their gradients are added up."""
    flow: float | None
    """Σ |gradient| that passes along this edge; None before a backward pass."""
    passed: Any
    """The gradient that passes along this edge, of the shape of the input; None before a backward pass."""


def local_derivatives(node: Value, name_of: Callable[[Any], str]) -> list[LocalDerivative]:
    """What the rules of an operation say for each variable among its inputs. Nothing is recorded or changed."""
    if any(type(plain(x)) is tuple for x in (node, *arrays_of(node))):  # several arrays: a formula for one of them only
        one = [gradient(name_of(node))], [*settings_of(node), None]
        formula = call(OPS["scatter_add"], *one) if node.op.name == "pick" else None
        return [LocalDerivative(x, formula, False, None, 1, None, None) for x in rules_of(node)]
    spelled = spell(node, lambda x: Symbol(name_of(x), plain(x)))
    numbers = (node.data, *map(plain, node.inputs))
    g = Symbol(gradient(name_of(node)), ones(node.data))
    with np.errstate(all="ignore"):
        return [local_derivative(node, x, rules, g, spelled, numbers) for x, rules in rules_of(node).items()]


def rules_of(node: Value) -> dict[Value, list[Any]]:
    """The rules of an operation for each variable among its inputs, one for each use of it."""
    op, uses = node.op, dict[Value, list[Any]]()
    rules = op.each(node.inputs) if op.variadic else op.rules
    if op.joint is not None:
        rules = joint_rules(op.joint, op.arity)
    for x, rule in zip(arrays_of(node), rules, strict=True):
        if type(x) is Value and rule is not None:
            uses.setdefault(x, []).append(rule)
    return uses


def joint_rules(joint: Callable[..., Any], arity: int) -> list[Any]:
    """A rule for each argument, of one that answers for all of them at once: it is called once, too."""
    known: dict[tuple[int, ...], Any] = {}

    def rule(k: int, *args: Any) -> Any:
        key = tuple(map(id, args))
        if key not in known:
            known[key] = args, joint(*args)  # with what was given, so that no identity is there twice
        c = known[key][1][k]
        return np.zeros(shape_of(args[k + 2]))[()] if c is None else c

    return [functools.partial(rule, k) for k in range(arity)]


def spell(node: Value, symbol: Callable[[Any], Any]) -> tuple[Any, ...]:
    """What to call a rule with for its formula: the result and the arrays as symbols, numbers lifted, and settings."""
    symbols: dict[int, Any] = {}  # by identity: an array that is used twice is one symbol
    for x in arrays_of(node):
        if id(x) not in symbols:
            symbols[id(x)] = symbol(x) if is_shown(x) else lift(x)
    return (symbol(node), *[symbols[id(x)] for x in arrays_of(node)], *settings_of(node))


def local_derivative(
    node: Value, x: Value, rules: Sequence[Any], g: Symbol, spelled: tuple[Any, ...], numbers: tuple[Any, ...]
) -> LocalDerivative:
    """The same for one input, of which `rules` are. The result and the inputs come as Symbols and as numbers."""
    op = node.op
    formula, number, shape = None, None, node.shape
    try:
        label = as_number(lift(pulled(op, rules, g, spelled)))
    except Exception:  # the rule asks for what only numbers can answer
        if op.elementwise or node.size == 1:
            number = pulled(op, rules, g.data, numbers)
    else:
        factor = label.terms if op.elementwise else divide_out(label.terms, g.terms)
        formula = write(label.terms if factor is None else factor)
        formula = None if is_long(formula, (g, *spelled)) else formula
        number = label.data if factor is not None else None  # where g is 1, what it is multiplied by is what it becomes
        shape = shape if op.elementwise else label.shape
    flow = reaching = None
    if node.grad is not None:
        passed = pulled(op, rules, node.grad, numbers)
        passed = node.grad * passed if op.elementwise else passed
        shape = shape_of(passed)
        reaching = sum_to(passed, x.shape)
        reaching = reaching if dtype_of(x).kind == "c" else np.real(reaching)
        flow = float(np.sum(np.abs(reaching)))
    if any(type(y) is Value and y.stamp > node.stamp for y in node.inputs):
        number = flow = reaching = None  # the data changed since: what the rule says now is not what was computed
    summed = math.prod(shape) // x.size if x.size else 1
    return LocalDerivative(x, formula, formula is None or number is not None, number, summed, flow, reaching)


def is_long(formula: Phrase, parts: Sequence[Any]) -> bool:
    """Whether a formula of some symbols is too long to be read."""
    text = formula.text
    for part in parts:
        text = text.replace(part.text, "x") if isinstance(part, Symbol) else text
    return len(text) > LONGEST


def pulled(op: Op, rules: Sequence[Any], g: Any, args: tuple[Any, ...]) -> Any:
    """What the rules return, added up; `args` are the result, the inputs and the settings of the operation."""
    if not op.elementwise:
        parts = [rule(g, *args[not op.uses_out :]) for rule in rules]
    else:
        try:
            parts = [rule(*args) for rule in rules]
        except ArithmeticError:  # of Python floats at a pole; NumPy's numbers have inf or nan there
            parts = [rule(*[np.float64(x) if type(x) is float else x for x in args]) for rule in rules]
    return functools.reduce(operator.add, parts)


def gradient(of: str) -> Phrase:
    """How the gradient of a result is written."""
    return Phrase(f"grad({of})", rf"\operatorname{{grad}}({name(of).tex})")


def ones(data: Any) -> Any:
    """Ones of the shape and kind of data."""
    return 1.0 if type(data) is float else np.ones_like(data)
