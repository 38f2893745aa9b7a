"""`explain(loss, model)`: every parameter's gradient in layer notation, by the recursion of the δ.

δ of an operation is the gradient of the loss with respect to it. For the layers z² = x w¹ + b¹, a² = f(z²), ... of a
network, δ at the output follows from the cost, δ of a layer from that of the next, and the parameters' gradients from
the δ of their layer (Rumelhart, Hinton and Williams, Nature 323, 1986):

    δ³ = ∂C/∂a³ ⊙ f'(z³),   δ² = δ³ w²ᵀ ⊙ f'(z²),   ∂C/∂w² = a²ᵀ δ³,   ∂C/∂b² = Σ δ³ over the samples.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..value import Value
from .board import Block, Line, equation, shortened, shown, side
from .chain import Chain
from .derivation import forward
from .elements import element_lines
from .names import UPPER, arrays_of, is_shown, read
from .phrases import Phrase, constant, name, partial
from .symbols import Symbol, is_number

LONGEST = 80
"""A gradient whose formula is longer than this gets a δ of its own."""

MOST_STATIONS = 500
"""In a graph of more operations each has a δ of its own: only those that are shown are then written at all."""


def derive_model(loss: Value, parameters: Mapping[str, Value], names: Mapping[str, Any]) -> tuple[list[Block], Any]:
    """The board for all parameters, and their gradients by name."""
    names = {**names, **{own: p for own, p in parameters.items() if all(p is not x for x in names.values())}}
    graph = read(loss, {**names, **textbook_names(loss, [*parameters.values()], names)}, result="C")
    chain = Chain(graph, parameters.values())
    blocks = [Block("Forward", tuple(forward(graph, chain.folded)))]
    gradients: dict[str, Any] = {}
    for own, p in parameters.items():
        g = chain.gradients.get(p, np.zeros(p.shape, p.dtype)[()])
        gradients[own] = np.conj(g) if p.dtype.kind == "c" else g
    wanted = {p: gradients[own] for own, p in parameters.items()}
    steps = in_order(chain, wanted)
    deltas: dict[Value, Phrase] = {}
    lines = [*layers(chain, steps, wanted, deltas)]
    for own, p in parameters.items():
        if p not in chain.gradients:
            called, root = name(own), chain.name(loss)
            lines += [Line(partial(root, called), (side(constant(0)),)), f"{root.text} does not depend on {own}"]
    blocks.append(Block("Backward, from the result to the parameters", tuple(lines)))
    elements = element_lines(chain, steps, deltas, wanted)
    if elements:
        blocks.append(Block("Element by element", tuple(elements)))
    return blocks, gradients


def in_order(chain: Chain, wanted: Mapping[Value, Any]) -> list[Value]:
    """The operations from the result back, each parameter after the last of them that passes something to it."""
    last: dict[Value, list[Value]] = {}
    for p in wanted:
        if p in chain.gradients and p is not chain.root:
            last.setdefault(chain.users[p][-1], []).append(p)
    return [x for node in reversed(chain.stations) if node not in wanted for x in (node, *last.get(node, []))]


def layers(
    chain: Chain, steps: list[Value], wanted: Mapping[Value, Any], deltas: dict[Value, Phrase]
) -> Iterator[Line | str]:
    """The δ of the operations that take parameters, which are put into `deltas`, and the parameters' gradients."""
    root = chain.name(chain.root)
    many = len(chain.stations) > MOST_STATIONS
    found: dict[Value, Symbol] = Everything(chain) if many else {}
    found[chain.root] = chain.start()
    for node in shortened(steps, "steps") if many else steps:
        if isinstance(node, str):
            yield node
            continue
        if node is chain.root:
            continue
        total = chain.formula(node, found.__getitem__)
        slope = partial(root, chain.name(node))
        is_one_number = is_number(total) and not node.shape  # of a penalty: it needs no name
        if node in wanted:
            yield equation(slope, total.phrase, shown(wanted[node]))
        elif many or (takes_one_of(chain, node, wanted) and not is_one_number) or len(total.text) > LONGEST:
            deltas[node] = delta(chain, node)
            found[node] = chain.named(node, deltas[node])
            yield equation(deltas[node], slope, total.phrase, shown(chain.gradients[node]))
        else:
            found[node] = total


class Everything(dict[Value, Symbol]):
    """The δ of any operation, made when it is asked for."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.chain = chain

    def __missing__(self, node: Value) -> Symbol:
        return self.chain.named(node, delta(self.chain, node))


def takes_one_of(chain: Chain, node: Value, chosen: Any) -> bool:
    """Whether an operation, with those folded into it, takes one of the chosen Values directly."""
    return any(type(x) is Value and x in chosen for part in chain.inside[node] for x in part.inputs)


def delta(chain: Chain, node: Value) -> Phrase:
    """δ³ for the gradient of z³, and δ(u) for that of u."""
    called = chain.graph.name(node)
    if called[0] == "z" and (tail := name("δ" + called[1:])).tex.startswith(r"\delta"):
        return tail
    return Phrase(f"δ({called})", rf"\delta_{{{name(called).tex}}}")


# Names ----------------------------------------------------------------------------------------------------------------


def textbook_names(loss: Value, parameters: list[Value], names: Mapping[str, Any]) -> dict[str, Any]:
    """Names for what has none: x, z², a², z³, ... and y, as in z² = x w¹ + b¹, a² = f(z²).

    They are given where no operation has a name yet, and to arrays only: a single number is not a layer.
    """
    graph = read(loss, names)
    taken = {own for own in graph.names if own not in graph.generated}
    unnamed = {id(x) for x in graph.nodes if graph.name(x) in graph.generated and x is not loss}
    wanted = {id(p) for p in parameters}
    operations = [x for x in graph.nodes if type(x) is Value and x.op is not None and x is not loss]
    if any(id(x) not in unnamed for x in operations):
        return {}
    found: dict[str, Any] = {}
    layer, last = 1, None  # the number of the layer, and its net input
    arrays = [x for x in graph.nodes if type(x) is not Value and id(x) in unnamed]
    for node in operations:
        if type(node.data) is tuple or not node.shape:
            continue
        inputs = [x for x in arrays_of(node) if is_shown(x)]
        own = [id(x) in wanted for x in inputs]
        if any(own) and not all(own):  # a product or a sum with something else: no penalty
            given = [x for x in inputs if any(x is y for y in arrays)]
            if layer == 1 and len(given) == 1:
                found["x"] = given[0]
            if not any(x is last for x in inputs):
                layer += 1
            last = node
            found["z" + str(layer).translate(UPPER)] = node
        elif [*map(id, inputs)] == [id(last)] and (node.op.elementwise or node.op.name == "softmax"):
            found["a" + str(layer).translate(UPPER)] = node
    targets = [x for x in arrays if all(x is not y for y in found.values())]
    if len(targets) == 1:
        found["y"] = targets[0]
    return {own: x for own, x in found.items() if id(x) in unnamed and own not in taken}
