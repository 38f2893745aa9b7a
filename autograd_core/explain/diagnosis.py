"""Two questions that everybody asks of a gradient: where did the nan come from, and why is this one what it is?"""

import math
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from ..backward import has_nan
from ..data import QUIET, dtype_of
from ..debug import CUTS, NOTES, describe_backward, describe_origin, first_nonfinite, is_finite, is_origin, located
from ..exact import passed_on, pull_back_exactly
from ..graph import topological
from ..ops.several import Parts
from ..value import Value, plain
from .forms import stable_form
from .phrases import name, partial


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
    `debug()` it names file and line, too. Of an array the pass begins with ones.

    Returns
    -------
    The answer, which prints itself; `node` is the operation, and `direction` says on which way it was.

    Raises
    ------
    TypeError
        If the loss is no Value.
    RuntimeError
        If data changed after the loss was computed from them.

    >>> x = Value([0.0, 1.0], name="x")
    >>> with np.errstate(all="ignore"):
    ...     loss = np.sum(np.log(x) * x)
    >>> explain_nonfinite(loss)  # doctest: +ELLIPSIS
    log made -inf at (0,) out of finite numbers; its input lies between 0 and 1. The logarithm needs positive numbers...
    """
    check_value(loss, "explain_nonfinite")
    order = topological(loss)
    spared = "; the loss is finite all the same" if is_finite(loss) else ""
    given = None  # what is not finite to begin with; a mask of -inf, or a bound, does no harm
    for node in order:
        if node.op is not None and is_origin(node):
            return Diagnosis(located(node) + describe_origin(node) + spared + advice(node, order), node, "forward")
        if node.op is None and not is_finite(node):
            given = given or Diagnosis(f"the data of {called(node)} are not finite to begin with", node, "forward")
            if not spared:
                return given
    for node in order:
        if any(type(x) is not Value and not is_finite(x) for x in node.inputs):
            said = f"{located(node)}a constant of {node.op.name} is not finite to begin with"
            given = given or Diagnosis(said, node, "forward")
    found = first_nonfinite({loss: ones_of(loss)}) if spared else None
    if found is not None:
        return Diagnosis(located(found[0]) + describe_backward(*found) + advice(found[0], order), found[0], "backward")
    if given is not None:
        spoilt = [node for node in order if has_nan(node.data) and not any(has_nan(plain(x)) for x in node.inputs)]
        if spared:
            rest = "; the loss and its gradients are finite all the same"
        else:
            rest = "".join(f", and {located(x)}{x.op.name} made nan of it" for x in spoilt[:1] if x.op is not None)
        return given._replace(text=given.text + rest)
    return Diagnosis("everything is finite, forward and backward")


def advice(node: Value, order: list[Value]) -> str:
    """The stable form of the expression that an operation stands in."""
    users: dict[Value, list[Value]] = {}
    for y in order:
        for x in y.inputs:
            if type(x) is Value:
                users.setdefault(x, []).append(y)
    return stable_form(node, users)


# Why a gradient is what it is -----------------------------------------------------------------------------------------


def why(x: Value, loss: Any, *, most: int = 5) -> Diagnosis:
    """Along which paths the gradient of a loss reaches x, or why it does not.

    ∂loss/∂x is the sum, over all paths from x to the loss, of the products of the local derivatives along them (Baur
    and Strassen, *The complexity of partial derivatives*, 1983). The paths that carry most are shown, at most `most`,
    each with what it contributes: for scalars that product, for arrays the sum of its magnitudes. (Of many paths
    through arrays these are the most that a search finds which goes by estimates.) If there is no path, the answer says
    where it was cut, as far as that is known, which is further under `debug()`.

    Raises
    ------
    TypeError
        If x is no Value.
    RuntimeError
        If data changed after the loss was computed from them.

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
    if x is loss:
        return Diagnosis(f"{called(x)} is the loss itself, and its derivative with respect to itself is 1", x)
    total, found = QUIET.copy().run(paths, x, loss, nodes, most)
    shown = [f"  {size.replace('-', '−')}: {' → '.join([called(x), *shortened(names)])}" for size, names in found]
    number = str(total) if total < 10**15 else f"about 10^{math.log10(total):.0f}"
    more = f"\n  … and more, of {number} paths" if total > len(found) else ""
    gradient = QUIET.copy().run(pull_back_exactly, {loss: ones_of(loss)}, ends=frozenset([x]))[x]
    size = f", of magnitude {magnitude(gradient):.4g}," if x.shape else f" = {gradient:.4g}".replace("-", "−")
    head = partial(name(loss.name or "loss"), name(x.name or "x")).text + size
    return Diagnosis(f"{head} comes along {number} path{'s' * (total != 1)}:\n" + "\n".join(shown) + more, x)


def shortened(names: list[str], most: int = 12) -> list[str]:
    """The names along a path; of a long one the first and the last."""
    if len(names) <= most:
        return names
    half = most // 2
    return [*names[:half], f"… {len(names) - 2 * half} more …", *names[-half:]]


SPARE = 1000
"""How many steps the search for paths takes after it has found as many as are asked for."""


def paths(x: Value, loss: Value, nodes: set[Value], most: int) -> tuple[int, list[tuple[str, list[str]]]]:
    """How many paths lead from x to the loss, and those that carry most, the largest first.

    The search is best-first, from the loss, by what a path would carry if it went on along its best continuation (A*,
    Hart, Nilsson and Raphael, 1968); of equals it follows the newest, so that a million equal paths do no harm. What a
    path of arrays would carry is an estimate, so the search goes on for a while: few paths are compared all.
    """
    counts, gain = {x: 1}, {x: 1.0}
    for node in sorted((n for n in nodes if n.op is not None and n is not x), key=lambda n: n.stamp):
        counts[node] = sum(counts.get(y, 0) for y in node.inputs if type(y) is Value)
        if counts[node]:
            ones = ones_of(node)
            found = passed_on(node, ones, None, 0, record=False)
            gain[node] = max(magnitude(c) / max(magnitude(ones), 1) * gain[y] for y, c, _ in found if y in gain)
    newest = count(0, -1)
    waiting: list[Any] = [(0.0, next(newest), loss, ones_of(loss), None, ())]
    best: list[tuple[float, str, list[str]]] = []
    spare = SPARE
    while waiting and (len(best) < most or spare):
        _, _, node, g, live, trail = heappop(waiting)
        spare -= len(best) >= most
        if node is x:
            names = []
            while trail:
                op, trail = trail
                names.append(op)
            best.append((promise(g, 1.0), f"{magnitude(g) if x.shape else g:.4g}", names))
            continue
        for y, c, mask in passed_on(node, g, live, 0, record=False) if node.op is not None else ():
            if y in gain:
                heappush(waiting, (-promise(c, gain[y]), next(newest), y, c, mask, (node.op.name, trail)))
    best.sort(key=lambda found: -found[0])
    return counts[loss], [found[1:] for found in best[:most]]


def promise(c: Any, gain: float) -> float:
    """What a gradient would bring along its best continuation: of 0 nothing, and nan, which is looked for, most."""
    size = magnitude(c)
    found = size * gain if size else 0.0
    return math.inf if math.isnan(found) else found


def ones_of(node: Value) -> Any:
    """Ones in place of the gradient of a result, or of each where an op returns several."""
    data = plain(node)
    if type(data) is tuple:
        return Parts([np.ones(np.shape(y), dtype_of(y))[()] for y in data])
    return np.ones(node.shape, node.dtype)[()]


def magnitude(c: Any) -> float:
    """The sum of the magnitudes of the elements."""
    if type(c) is Parts:
        return sum(magnitude(g) for g in c.parts if g is not None)
    return float(np.sum(np.abs(c)))


HINT = ". Under `debug()` the places where operations were recorded are known, and `why` names them"


def unconnected(x: Value, order: list[Value]) -> Diagnosis:
    """Why x is not in the graph of a loss: its data, or those of what was computed from it, may be there as constants.

    What was computed from x is known under `debug()` only.
    """
    known = descendants(x)
    for node in order:
        for k, constant in enumerate(node.inputs):
            if type(constant) is Value or not isinstance(constant, (float, np.ndarray)):
                continue
            source = next((y for y in known if shares(constant, plain(y))), None)
            cut = CUTS.get(id(constant))
            if source is not None:
                owner = "its" if source is x else f"{located(source)}{called(source)}'s"
                what = f"{owner} plain data (v.data, stop_gradient(v), or a result under no_grad())"
            elif cut is not None and any(y is not None and y in known for y in [ref() for ref in cut.inputs]):
                what = f"what {cut.name} made of it under no_grad() at {cut.where}"
            else:
                continue
            where = f"{located(node)}{node.op.name} took {what} as its argument {k}"
            return Diagnosis(f"the loss does not depend on {called(x)}: {where}", node)
    variables = sum(n.op is None for n in order)
    return Diagnosis(
        f"the loss does not depend on {called(x)}: it is not among the {variables} variables of its graph, nor are its "
        "data. A copy may have been taken, or np.sign, a comparison or no_grad() have cut it off"
        + ("" if any(id(n) in NOTES for n in order) else HINT)
    )


def descendants(x: Value) -> dict[Value, None]:
    """x, and whatever was computed from it under `debug()` and is alive."""
    known = {x: None}
    nodes = [node for note in list(NOTES.values()) if (node := note.node()) is not None]
    for node in sorted(nodes, key=lambda y: y.stamp):
        if any(type(y) is Value and y in known for y in node.inputs):
            known[node] = None
    return known


def shares(constant: Any, data: Any) -> bool:
    """Whether a constant is the data of a Value: the same memory, or the very same number."""
    if isinstance(constant, np.ndarray):
        return isinstance(data, np.ndarray) and np.shares_memory(constant, data)
    return constant is data


def called(x: Value) -> str:
    """What to call a Value in a sentence."""
    return x.name or ("a variable" if x.op is None else f"the result of {x.op.name}")


def check_value(x: Any, function: str) -> None:
    """These questions are about Values."""
    if type(x) is not Value:
        raise TypeError(f"{function} takes a Value, and a {type(x).__name__} has no graph")
