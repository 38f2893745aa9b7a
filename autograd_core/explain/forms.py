"""Expressions that overflow, or have no derivative at a point, and the stable forms to write instead.

A pattern is a tree: the name of an op, then patterns for its operands. A number is a constant that equals it, `ANY` is
anything, and `SAME` is the operand before it once more. An op's further operands are free.
"""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np

from ..value import Value

ANY, SAME = object(), object()
Pattern = Any

SQUARE: list[Pattern] = [("mul", ANY, SAME), ("square",), ("pow", ANY, 2)]
SQUARES: list[Pattern] = [*[("sum", s) for s in SQUARE], ("matmul", ANY, SAME), ("einsum", ANY, SAME)]
ONE_AND_EXP: Pattern = ("add", ("exp",), 1)

FORMS: list[tuple[Pattern, str]] = [
    (("log", ONE_AND_EXP), "write softplus(x) for log(1 + exp(x)): it does not overflow"),
    (("log1p", ("exp",)), "write softplus(x) for log1p(exp(x)): it does not overflow"),
    (("log", ("add", ("exp",), ("exp",))), "write np.logaddexp(x, y) for log(exp(x) + exp(y)): it does not overflow"),
    (("log", ("sum", ("exp",))), "write logsumexp(x) for log(sum(exp(x))): it does not overflow"),
    (("log", ("mean", ("exp",))), "write logsumexp(x) - np.log(n) for log(mean(exp(x))): it does not overflow"),
    (("log", ("softmax",)), "write log_softmax(x) for log(softmax(x)): it keeps small probabilities"),
    (("log", ("sub", 1, ("sigmoid",))), "write -softplus(x) for log(1 - sigmoid(x)): it keeps small probabilities"),
    (("log", ("sigmoid",)), "write -softplus(-x) for log(sigmoid(x)): it keeps small probabilities"),
    (("log", ("cosh",)), "write np.logaddexp(x, -x) - np.log(2) for log(cosh(x)): it does not overflow"),
    (("div", ("exp",), ("sum", ("exp",))), "write softmax(x) for exp(x) / sum(exp(x)): it does not overflow"),
    (("div", 1, ONE_AND_EXP), "write sigmoid(x) for 1 / (1 + exp(-x)): it does not overflow"),
    (("reciprocal", ONE_AND_EXP), "write sigmoid(x) for 1 / (1 + exp(-x)): it does not overflow"),
    (("pow", ONE_AND_EXP, -1), "write sigmoid(x) for 1 / (1 + exp(-x)): it does not overflow"),
    (("div", ("exp",), ONE_AND_EXP), "write sigmoid(x) for exp(x) / (1 + exp(x)): it does not overflow"),
    (
        ("div", ("sub", ("exp",), ("exp",)), ("add", ("exp",), ("exp",))),
        "write np.tanh(x) for (exp(x) - exp(-x)) / (exp(x) + exp(-x)): it does not overflow",
    ),
    (("div", ("sub", ("exp",), 1)), "write scipy.special.exprel(x) for (exp(x) - 1) / x: it is 1 at 0"),
    (("div", ("expm1",)), "write scipy.special.exprel(x) for expm1(x) / x: it is 1 at 0"),
    (("div", ("sin",)), "write np.sinc(x / np.pi) for sin(x) / x: it is 1 at 0"),
    *[(("sqrt", s), "write np.linalg.norm(x) for sqrt(sum(x * x)): its derivative at 0 is 0") for s in SQUARES],
    *[(("pow", s, 0.5), "write np.linalg.norm(x) for sum(x * x)**0.5: its derivative at 0 is 0") for s in SQUARES],
    *[
        ((*root, ("add", s, t)), "write np.hypot(x, y) for sqrt(x**2 + y**2): its derivative at 0 is 0")
        for root in [("sqrt",)] for s in SQUARE for t in SQUARE
    ],
    (("sqrt", ("var",)), "write np.std(x) for sqrt(var(x)): its derivative is 0 where all elements are equal"),
    (("log",), "the logarithm needs positive numbers: add a small one, or take log1p"),
    (("exp",), "beyond 709 exp overflows (88 in float32): subtract the largest first, as logsumexp and softmax do"),
    (("sqrt",), "the square root has no finite derivative at 0: add a small number, or select with np.where"),
    (("cbrt",), "the cube root has no finite derivative at 0: select with np.where"),
    (("pow",), "powers of 0 and of negative numbers are not finite, or have no derivative: select with np.where"),
    *[((name,), f"at -1 and 1 {name} has no finite derivative, and beyond no value: np.clip its argument inside")
      for name in ("arcsin", "arccos", "arctanh")],
    *[((name,), f"beyond 710 {name} overflows (89 in float32)") for name in ("sinh", "cosh")],
    (("eigh",), "vectors of equal eigenvalues are arbitrary: for functions of the values alone use np.linalg.eigvalsh"),
    (("svd",), "vectors of equal singular values, or of 0, are arbitrary: for the values alone use np.linalg.svdvals"),
    (("slogdet",), "the matrix is singular, and log 0 is -inf: add a small multiple of the identity"),
    (("qr",), "the first columns of the matrix are linearly dependent, or nearly so"),
    (("div",), "a division by 0: select with np.where, whose other branch contributes nothing"),
]  # fmt: skip
"""What to write instead, the most particular first."""


def stable_form(node: Value, users: dict[Value, list[Value]]) -> str:
    """What to write instead of the expression that an operation stands in, as an end of a sentence; "" if unknown."""
    near = list(surroundings(node, users))
    for pattern, text in FORMS:
        for top in near:
            if any(x is node for x in found(top, pattern) or ()):
                return f". {text[0].upper()}{text[1:]}"
    return ""


def surroundings(node: Value, users: dict[Value, list[Value]], steps: int = 3, most: int = 200) -> Iterator[Value]:
    """An operation, and what was computed from it in a few steps."""
    seen, front = {node}, [node]
    yield node
    for _ in range(steps):
        front = [y for y in dict.fromkeys(user for x in front for user in users.get(x, ())) if y not in seen][:most]
        seen.update(front)
        yield from front


def found(x: Any, pattern: Pattern) -> list[Value] | None:
    """The operations that a pattern names, where it fits x."""
    if pattern is ANY:
        return []
    if isinstance(pattern, (int, float)):
        fits = not isinstance(x, Value) and isinstance(x, (int, float, np.generic, np.ndarray)) and np.all(x == pattern)
        return [] if fits else None
    name, *parts = pattern
    if not isinstance(x, Value) or x.op is None or x.op.name != name:
        return None
    operands = x.inputs[: max(x.op.arity, len(parts))]
    for order in permutations(operands) if name in ("add", "mul") else (operands,):
        nodes = [x]
        for k, (operand, part) in enumerate(zip(order, parts, strict=False)):
            inner = ([] if operand is order[k - 1] else None) if part is SAME else found(operand, part)
            if inner is None:
                break
            nodes += inner
        else:
            return nodes
    return None
