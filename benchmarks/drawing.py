"""Graphs drawn as SVG, from the result to the finished picture: time and memory, beside what draws others' graphs.

The peers are torchviz, torchview, and the code of micrograd's notebook. What they cannot do is in the table too.
"""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import autograd_core

from .harness import Report, Target, Timing, compare, table

OURS, OURS_DOT = "autograd_core", "autograd_core, by Graphviz's dot"
ROUNDS = {"expression": 9, "cards": 3, "deep": 1}
AT_MOST = {"expression": 100.0, "cards": 3000.0}
"""Milliseconds."""

WORK = {
    "expression": "an expression of 10 operations",
    "cards": "1,000 cards, unfolded: 500 operations on 500 parameters",
    "deep": "a chain of 100,000 operations",
}


# The graphs, in the words of each library -----------------------------------------------------------------------------


def expression(a: Any, b: Any, c: Any, tanh: Callable[[Any], Any]) -> Any:
    """Ten operations on three numbers."""
    d = a * b + c
    return tanh(d * d * 0.05) * 3.0 + a * (a * a) + b


def affine_chain(numbers: list[Any]) -> Any:
    """Two operations for each pair of numbers after the first two."""
    v = numbers[0] * numbers[1]
    for w, b in zip(numbers[2::2], numbers[3::2], strict=True):
        v = v * w + b
    return v


def deep_chain(x: Any) -> Any:
    for _ in range(100_000):
        x = x * 0.9999
    return x


def graph(case: str, value: Callable[[float], Any], tanh: Callable[[Any], Any]) -> Any:
    """The result of a case, differentiated."""
    if case == "expression":
        out = expression(value(2.0), value(-3.0), value(10.0), tanh)
    elif case == "cards":
        out = affine_chain([value(0.9 + 0.0001 * k) for k in range(500)])
    else:
        out = deep_chain(value(1.0))
    if case != "deep":
        out.backward()
    return out


# Who draws ------------------------------------------------------------------------------------------------------------


def ours(case: str, renderer: str) -> Callable[[], bytes]:
    import numpy as np

    out = graph(case, autograd_core.Value, np.tanh)
    return lambda: autograd_core.draw(out).render("svg", renderer=renderer)


def by_torchviz(case: str) -> Callable[[], bytes]:
    import torch
    import torchviz

    out = graph(case, lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True), torch.tanh)
    return lambda: bytes(torchviz.make_dot(out).pipe(format="svg"))


def by_torchview(case: str) -> Callable[[], bytes]:
    """It traces the call of a module: the numbers are its parameters, and an input adds nothing."""
    import torch
    import torchview

    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            count = {"expression": 3, "cards": 500, "deep": 1}[case]
            self.numbers = torch.nn.ParameterList([torch.tensor(0.9 + 0.0001 * k) for k in range(count)])

        def forward(self, x: Any) -> Any:
            first, *others = self.numbers
            if case == "expression":
                return expression(first * x, *others, torch.tanh)
            return affine_chain([first * x, *others]) if case == "cards" else deep_chain(first * x)

    net, x = Net(), torch.tensor(1.0)
    return lambda: bytes(
        torchview.draw_graph(net, input_data=x, expand_nested=True, depth=3).visual_graph.pipe(format="svg")
    )


def by_micrograd(case: str) -> Callable[[], bytes]:
    """The notebook's `trace` and `draw_dot` (trace_graph.ipynb of micrograd 0.1), as they are."""
    import graphviz
    from micrograd.engine import Value

    def trace(root: Any) -> Any:
        nodes, edges = set(), set()

        def build(v: Any) -> None:
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    def draw_dot(root: Any) -> Any:
        nodes, edges = trace(root)
        dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
        for n in nodes:
            dot.node(name=str(id(n)), label=f"{{ data {n.data:.4f} | grad {n.grad:.4f} }}", shape="record")
            if n._op:
                dot.node(name=str(id(n)) + n._op, label=n._op)
                dot.edge(str(id(n)) + n._op, str(id(n)))
        for n1, n2 in edges:
            dot.edge(str(id(n1)), str(id(n2)) + n2._op)
        return dot

    out = graph(case, Value, lambda x: x.relu())  # it has no tanh
    return lambda: bytes(draw_dot(out).pipe())


DRAWERS: dict[str, Callable[[str], Callable[[], bytes]]] = {
    OURS: lambda case: ours(case, "auto"),
    OURS_DOT: lambda case: ours(case, "dot"),
    "micrograd's notebook": by_micrograd,
    "torchviz": by_torchviz,
    "torchview": by_torchview,
}


# Measured -------------------------------------------------------------------------------------------------------------


def megabytes(who: int) -> float:
    """The most that this process, or the largest of its children, has held."""
    return resource.getrusage(who).ru_maxrss / 1024


def memory(name: str, case: str) -> tuple[float, float, str]:
    """Megabytes by which this process grew while it drew, those of the renderer, and why it failed if it did."""
    try:
        draw = DRAWERS[name](case)
        before = megabytes(resource.RUSAGE_SELF)
        draw()
    except Exception as error:  # a failure is a result
        return 0.0, 0.0, f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"
    return megabytes(resource.RUSAGE_SELF) - before, megabytes(resource.RUSAGE_CHILDREN), ""


def times(names: list[str], case: str) -> dict[str, Timing]:
    """Those that can, side by side."""
    return compare({name: DRAWERS[name](case) for name in names}, rounds=ROUNDS[case], seconds=0.0)


def apart(work: Callable[..., Any], *args: Any) -> Any:
    """A call in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def run() -> Report:
    """Memory and failures first, each drawer in its own process; then times, side by side."""
    rows, targets = [], []
    for case, work in WORK.items():
        held = {name: apart(memory, name, case) for name in DRAWERS}
        able = [name for name, (_, _, failure) in held.items() if not failure]
        timings = apart(times, able, case) if able else {}
        for name, (own, renderer, failure) in held.items():
            if failure:
                rows.append([work, name, "–", "–", "–", failure])
                continue
            timing = timings[name]
            ratio = f"{timing.ratio(timings[OURS]):.2f}" if OURS in timings else "–"
            rows.append([work, name, f"{timing.seconds * 1e3:,.0f}", ratio, f"{own:.0f} + {renderer:.0f}", ""])
        if case in AT_MOST:
            targets.append(Target(f"{work}, to SVG", "", timings[OURS].seconds * 1e3, AT_MOST[case], "ms"))
    header = ["graph", "drawn by", "ms", f"× {OURS}", "MB: the process grew + the renderer", "failed with"]
    return Report("## Drawings, from the result to the SVG\n\n" + table(header, rows), targets)
