"""`explain(loss, x)`: the chain rule for one variable, step by step."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..op import PRODUCT, SUM
from ..value import Value, plain
from .board import Block, Line, Side, equation, shortened, shown, side
from .chain import Chain
from .expression import definition
from .names import Graph, given_names
from .phrases import Phrase, constant, name, partial
from .symbols import Symbol

MOST_PATHS = 20
"""More paths than these are not written one by one."""

MOST_STEPS = 24
"""Nor are paths through more operations than these."""

LONGEST = 160
"""The length of the longest formula that is written in one piece."""


def derive(graph: Graph, x: Value, names: Mapping[str, Any]) -> tuple[list[Block], Any]:
    """The board for one variable, which `names` may name as well, and its gradient."""
    chain = Chain(graph, [x])
    root = chain.name(graph.root)
    if x is graph.root:
        return [Block("", (equation(partial(root, root), constant(1)),))], chain.gradients[x]
    if graph.root not in chain.users:
        own = name(given_names({id(x): x}, names).get(id(x), "x"))
        why = f"{root.text} does not depend on {own.text}"
        return [Block("", (equation(partial(root, own), constant(0)), why))], np.zeros(x.shape, x.dtype)[()]
    called = partial(root, chain.name(x))
    gradient = np.conj(chain.gradients[x]) if x.dtype.kind == "c" else chain.gradients[x]
    held = conjugated(chain.name(x), gradient) if x.dtype.kind == "c" else []
    blocks = [Block("Forward", tuple(forward(graph, chain.folded)))]
    count = chain.count(x)
    few = count <= MOST_PATHS and len(chain.stations) <= MOST_STEPS + 1
    paths = chain.paths(x) if few else []
    if few and not any(y.shape for y in chain.stations):
        return [*blocks, products(chain, paths, called), *held], gradient
    if few:
        lines = jacobians(chain, x, paths, called)
        blocks += [Block("Chain rule", tuple(lines))] if lines else []
    elif count > MOST_PATHS:
        paths_text = f"{count:,}" if count < 10**6 else "more than a million"
        blocks.append(Block("", (f"{paths_text} paths lead from {chain.name(x).text} to {chain.name(graph.root).text}: "
                                 "step by step instead",)))  # fmt: skip
    return [*blocks, Block("Step by step, from the result back", tuple(steps(chain))), *held], gradient


def conjugated(x: Phrase, gradient: Any) -> list[Block]:
    """What is kept of a complex variable's derivative ∂/∂Re − i ∂/∂Im."""
    said = f"{x.text}.grad is the conjugate, ∂/∂Re + i ∂/∂Im: {shown(gradient).text}"
    return [Block("", (said,))]


def forward(graph: Graph, folded: Collection[Any]) -> list[Line | str]:
    """What was computed: the leaves with their numbers, and the operations with formula and number."""
    nodes = [x for x in graph.nodes if type(x) is not Value or x not in folded]
    return [x if isinstance(x, str) else given(graph, x, folded) for x in shortened(nodes)]


def given(graph: Graph, x: Any, folded: Collection[Any]) -> Line:
    """A node with its formula, if it has one, and its number."""
    called = name(graph.name(x))
    if type(x) is not Value or x.op is None:
        return equation(called, shown(plain(x)))
    return equation(called, definition(graph, x, folded), shown(x.data))


def symbols(chain: Chain, paths: list[list[Value]]) -> list[list[Phrase]]:
    """The sum over all paths of the products of the partial derivatives.

    Where the result takes a variable both directly and through others, its partial derivative holds these.
    """
    terms = [[chain.slope(y, x) for y, x in pairwise(path)] for path in paths]
    if len(terms) > 1:
        terms = [[direct(term[0])] if len(term) == 1 else term for term in terms]
    return terms


def direct(slope: Phrase) -> Phrase:
    """The partial derivative along the one path that has no other node on it."""
    return Phrase(f"{slope.text}|direct", rf"\left.{slope.tex}\right|_{{\text{{direct}}}}")


def jacobians(chain: Chain, x: Value, paths: list[list[Value]], called: Phrase) -> list[Line | str]:
    """The derivative as a sum over paths of products of Jacobians, and, if it is short, as one formula."""
    terms, whole = symbols(chain, paths), nested(chain, x)
    lines: list[Line | str] = [] if texts(terms) == [[called.text]] else [Line(called, (terms,))]
    if len(whole.text) <= LONGEST and (lines or whole.text != called.text):
        lines.append(equation(None if lines else called, whole))
    return lines


def nested(chain: Chain, x: Value) -> Phrase:
    """∂C/∂x as one formula, every local derivative written out."""
    found: dict[Value, Symbol] = {chain.root: chain.start()}
    for node in reversed(chain.stations):
        if node is not chain.root:
            found[node] = chain.formula(node, found.__getitem__)
    return found[x].phrase


def products(chain: Chain, paths: list[list[Value]], called: Phrase) -> Block:
    """Of single numbers: the products along all paths, in symbols, as formulas, as numbers; and their sum."""
    edges = [[*pairwise(path)] for path in paths]
    factors = [[chain.local(*edge) for edge in path] for path in edges]
    carried = [chain.contribution(path) for path in paths]
    stages: list[Side] = [
        symbols(chain, paths),
        [bracketed([chain.factor(y, x) for y, x in path], k > 0) for k, path in enumerate(edges)],
        [bracketed([shown(c) for c in path], k > 0) for k, path in enumerate(factors)],
        [bracketed([shown(c)], k > 0) for k, c in enumerate(carried)],
        side(shown(chain.gradients[paths[0][-1]])),
    ]
    kept = [stage for k, stage in enumerate(stages) if texts(stage) != (texts(stages[k - 1]) if k else [[called.text]])]
    lines: list[Line | str] = [Line(None if k else called, (stage,)) for k, stage in enumerate(kept)]
    with np.errstate(all="ignore"):
        if any(np.isnan(np.prod(np.array(path))) and not np.isnan(c) for path, c in zip(factors, carried, strict=True)):
            lines.append("What leads through a branch that was not taken counts as 0, whatever its other factors are.")
    if any(np.iscomplexobj(c) for path in factors for c in path) and paths[0][-1].dtype.kind != "c":
        lines.append("To a real variable comes the real part of the products.")
    return Block("Chain rule", tuple(lines))


def bracketed(factors: Sequence[Phrase], follows: bool = False) -> list[Phrase]:
    """The factors of a product, which may follow a plus sign, in parentheses where they must be."""
    factors = [x.within(PRODUCT if len(factors) > 1 else SUM) for x in factors]
    return [x.bracketed() if (k or follows) and x.text.startswith("−") else x for k, x in enumerate(factors)]


def texts(terms: Any) -> list[list[str]]:
    """What a side reads like."""
    return [[factor.text for factor in term] for term in terms]


def steps(chain: Chain) -> list[Line | str]:
    """The gradient of every Value on the way, from those of the operations that use it."""
    root = chain.name(chain.root)

    def of(node: Value) -> Symbol:
        return chain.start() if node is chain.root else chain.named(node, partial(root, chain.name(node)))

    lines: list[Line | str] = []
    for node in shortened([node for node in reversed(chain.stations) if node is not chain.root], "steps"):
        if isinstance(node, str):
            lines.append(node)
            continue
        number = shown(chain.gradients[node])
        lines.append(equation(partial(root, chain.name(node)), chain.formula(node, of).phrase, number))
    return lines
