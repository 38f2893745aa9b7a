"""Two questions that everybody asks of a gradient: where did the nan come from, and why is this one what it is?"""

from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from ..backward import pull_back
from ..data import QUIET
from ..debug import NOTES, describe_origin, is_finite, is_origin
from ..exact import passed_on
from ..graph import topological
from ..ops.several import Parts
from ..transforms import one
from ..value import Value, plain


class Diagnosis(NamedTuple):
    """An answer in words, with what it is about."""

    text: str
    node: Value | None = None
    """The operation in question, if there is one."""

    direction: str = ""
    """"forward" or "backward": on which way it happened."""

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


# Where nan and inf begin ----------------------------------------------------------------------------------------------


def explain_nonfinite(loss: Value) -> Diagnosis:
    """Find the first operation, forward or backward, that made nan or inf out of finite numbers.

    The answer names the elements, the range of the inputs, and the stable form to use where there is one. Under
    `debug()` it names file and line, too.

    >>> x = Value([0.0, 1.0], name="x")
    >>> with np.errstate(all="ignore"):
    ...     loss = np.sum(np.log(x) * x)
    >>> explain_nonfinite(loss)  # doctest: +ELLIPSIS
    log made -inf at (0,) out of finite numbers; its input lies between 0 and 1. The logarithm needs positive numbers...
    """
    check_value(loss, "explain_nonfinite")
    order = topological(loss)
    for node in order:
        if node.op is not None and is_origin(node):
            return Diagnosis(located(node) + describe_origin(node) + advice(node), node, "forward")
        if node.op is None and not is_finite(node):
            return Diagnosis(f"the data of {called(node)} are not finite to begin with", node, "forward")
    for node in order:
        for x in node.inputs:
            if type(x) is not Value and not is_finite(x):
                return Diagnosis(
                    f"{located(node)}a constant of {node.op.name} is not finite to begin with", node, "forward"
                )
    return QUIET.copy().run(first_in_backward, loss)


def first_in_backward(loss: Value) -> Diagnosis:
    """The operation whose local derivative makes nan or inf out of finite numbers."""
    gradient: dict[Value, tuple[Any, Any]] = {loss: (np.ones(loss.shape, loss.dtype)[()], None)}
    for node in reversed(topological(loss)):
        if node.op is None or node not in gradient:
            continue
        g, live = gradient[node]
        for x, c, mask in passed_on(node, g, live, 0, record=False):
            if is_finite(g) and not is_finite(c):
                bad = np.argwhere(~np.isfinite(np.asarray(c)))[0]
                where = f" at {tuple(int(i) for i in bad)}" if np.shape(c) else ""
                text = (
                    f"{located(node)}on the way back, the derivative of {node.op.name} with respect to {called(x)} is "
                    f"not finite{where}, where {called(x)} is {np.asarray(x.data)[tuple(bad)]:.4g}{advice(node)}"
                )
                return Diagnosis(text, node, "backward")
            old, old_mask = gradient.get(x, (None, None))
            both = None if mask is None or (old is not None and old_mask is None) else mask
            gradient[x] = (c, mask) if old is None else (old + c, both if both is None else both | old_mask)
    return Diagnosis("everything is finite, forward and backward")


FORMS = {
    ("log", "add", "exp"): "log(1 + exp(x)) is softplus(x), which does not overflow",
    ("log", "sum", "exp"): "log(sum(exp(x))) is logsumexp(x), which does not overflow",
    ("log", "softmax"): "log(softmax(x)) is log_softmax(x)",
    ("log", "sigmoid"): "log(sigmoid(x)) is -softplus(-x)",
    ("sqrt", "sum", "mul"): "sqrt(sum(x * x)) is np.linalg.norm(x), whose derivative at 0 is 0",
    ("sqrt", "sum", "square"): "sqrt(sum(x**2)) is np.linalg.norm(x), whose derivative at 0 is 0",
    ("sqrt", "sum", "pow"): "sqrt(sum(x**2)) is np.linalg.norm(x), whose derivative at 0 is 0",
    ("sqrt", "add"): "for sqrt(x**2 + y**2) there is np.hypot(x, y), whose derivative at 0 is 0",
    ("div", "exp"): "exp(x) / sum(exp(x)) is softmax(x), and 1 / (1 + exp(-x)) is sigmoid(x); neither overflows",
    ("div", "add", "exp"): "1 / (1 + exp(-x)) is sigmoid(x), which does not overflow",
    ("div", "sin"): "sin(x) / x is np.sinc(x / pi)",
    ("sub", "exp"): "exp(x) - 1 is np.expm1(x)",
    ("log",): "the logarithm needs positive numbers: add a small one, or take log1p",
    ("exp",): "exp overflows beyond 709 (88 in float32): subtract the largest first, as logsumexp and softmax do",
    ("sqrt",): "the square root has no finite derivative at 0: add a small number, or select with np.where",
    ("eigh",): "vectors of equal eigenvalues are arbitrary: for functions of the values alone use np.linalg.eigvalsh",
    ("svd",): "vectors of equal singular values, or of 0, are arbitrary: for the values alone use np.linalg.svdvals",
    ("qr",): "the first columns of the matrix are linearly dependent, or nearly so",
    ("div",): "a division by 0: select with np.where, whose other branch contributes nothing",
}
"""Chains of ops, each an input of the one before, and what to write instead."""


def advice(node: Value) -> str:
    """The stable form of what was computed; of several the most particular one."""
    paths = chains(node, 3)
    for form in sorted(FORMS, key=len, reverse=True):
        if form in paths:
            return f". {FORMS[form][0].upper()}{FORMS[form][1:]}"
    return ""


def chains(node: Value, depth: int) -> set[tuple[str, ...]]:
    """The names of the ops along all paths of so many steps that lead to an operation."""
    if node.op is None or not depth:
        return {()}
    deeper = {chain for x in node.inputs if type(x) is Value for chain in chains(x, depth - 1)} | {()}
    return {(node.op.name, *chain)[:k] for chain in deeper for k in range(1, depth + 1)}


# Why a gradient is what it is -----------------------------------------------------------------------------------------


def why(x: Value, loss: Any, *, most: int = 5) -> Diagnosis:
    """Along which paths the gradient of a loss reaches x, or why it does not.

    The paths that carry most are shown, at most so many, each with what it contributes: for scalars the product of its
    local derivatives, for arrays the sum of the magnitudes.

    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> print(why(x, (x * w + x) ** 2))
    ∂loss/∂x = 54 comes along 2 paths:
      36: x → mul → add → pow
      18: x → add → pow
    """
    check_value(x, "why")
    if type(loss) is not Value:
        return Diagnosis(
            f"the loss is plain data ({type(loss).__name__}): what it was computed from is not recorded" + HINT
        )
    order = topological(loss)
    nodes = set(order)
    if x not in nodes:
        return unconnected(x, order)
    total, found = QUIET.copy().run(paths, x, loss, nodes, most)
    shown = [f"  {size}: {called(x)} → {' → '.join(names)}" for size, names in found]
    more = f"\n  … and more, of {total} paths" if total > len(found) else ""
    gradient = sum_of(x, loss)
    size = f" = {gradient:.4g}" if not x.shape else f", of magnitude {gradient:.4g},"
    head = f"∂{loss.name or 'loss'}/∂{called(x)}{size}"
    return Diagnosis(f"{head} comes along {total} path{'s' * (total != 1)}:\n" + "\n".join(shown) + more, x)


def sum_of(x: Value, loss: Value) -> float:
    """The gradient of a scalar, or the sum of the magnitudes of an array's."""
    g = pull_back({loss: np.ones(loss.shape, loss.dtype) if loss.shape else one(loss)})
    return float(np.sum(np.abs(g[x]))) if x.shape else float(g[x])


def paths(x: Value, loss: Value, nodes: set[Value], most: int) -> tuple[int, list[tuple[str, list[str]]]]:
    """How many paths lead from x to the loss, and those that carry most, the largest first.

    The search is best-first, from the loss, by what a path would carry if it went on along its best continuation (A*,
    Hart, Nilsson and Raphael, 1968); of equals it follows the newest, so that a million equal paths do no harm.
    """
    counts, gain = {x: 1}, {x: 1.0}
    for node in sorted((n for n in nodes if n.op is not None), key=lambda n: n.stamp):
        counts[node] = sum(counts.get(y, 0) for y in node.inputs if type(y) is Value)
        if counts[node]:
            ones = ones_of(node)
            found = passed_on(node, ones, None, 0, record=False)
            gain[node] = max(magnitude(c) / max(magnitude(ones), 1) * gain[y] for y, c, _ in found if y in gain)
    newest = count(0, -1)
    waiting: list[Any] = [(0.0, next(newest), loss, ones_of(loss), [])]
    best: list[tuple[str, list[str]]] = []
    while waiting and len(best) < most:
        _, _, node, g, names = heappop(waiting)
        if node is x:
            best.append((f"{float(g) if not x.shape else magnitude(g):.4g}", names[::-1]))
            continue
        for y, c, _ in passed_on(node, g, None, 0, record=False) if node.op is not None else ():
            if y in gain:
                heappush(waiting, (-magnitude(c) * gain[y], next(newest), y, c, [*names, node.op.name]))
    return counts[loss], best


def ones_of(node: Value) -> Any:
    """Ones in place of the gradient of a result, or of each where an op returns several."""
    data = plain(node)
    if type(data) is tuple:
        return Parts([np.ones(np.shape(y), y.dtype)[()] for y in data])
    return np.ones(node.shape, node.dtype)[()]


def magnitude(c: Any) -> float:
    """The sum of the magnitudes of the elements."""
    if type(c) is Parts:
        return sum(magnitude(g) for g in c.parts if g is not None)
    return float(np.sum(np.abs(c)))


HINT = ". Under `debug()` the places where operations were recorded are known, and `why` names them"


def unconnected(x: Value, order: list[Value]) -> Diagnosis:
    """Why x is not in the graph of a loss: its data may be there as a constant."""
    data = plain(x)
    for node in order:
        for k, constant in enumerate(node.inputs):
            if isinstance(constant, np.ndarray) and isinstance(data, np.ndarray) and np.shares_memory(constant, data):
                return Diagnosis(
                    f"the loss does not depend on {called(x)}: {located(node)}{node.op.name} took its plain data "
                    f"(v.data, stop_gradient(v), or a result under no_grad()) as its argument {k}",
                    node,
                )
    variables = sum(n.op is None for n in order)
    return Diagnosis(
        f"the loss does not depend on {called(x)}: it is not among the {variables} variables of its graph, nor are its "
        "data. A copy may have been taken, or np.sign, a comparison or no_grad() have cut it off"
        + ("" if NOTES else HINT)
    )


def called(x: Value) -> str:
    """What to call a Value in a sentence."""
    return x.name or ("a variable" if x.op is None else f"the result of {x.op.name}")


def located(node: Value) -> str:
    """File and line of an operation, if they are known."""
    note = NOTES.get(id(node))
    return f"{note.where}: " if note is not None else ""


def check_value(x: Any, function: str) -> None:
    """These questions are about Values."""
    if type(x) is not Value:
        raise TypeError(f"{function} takes a Value, and a {type(x).__name__} has no graph")
