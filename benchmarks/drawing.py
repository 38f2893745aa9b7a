"""Graphs drawn as SVG, from the result to the finished picture: time and memory, beside what draws others' graphs.

The peers are torchviz, torchview, and the code of micrograd's notebook. What they cannot do is in the table too.
"""

import ast
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import autograd_core

from .harness import Report, Target, table

OURS, OURS_DOT = "autograd_core", "autograd_core, by Graphviz's dot"
LIMIT = 120
"""Seconds after which a drawer is stopped."""

ROUNDS = {"expression": 7, "cards": 2, "network": 2, "deep": 1}
AT_MOST = {"expression": 100.0, "cards": 3000.0, "network": 5000.0}
"""Milliseconds."""

WORK = {
    "expression": "an expression of 10 operations",
    "cards": "1,000 cards, unfolded: 499 operations on 500 parameters",
    "network": "a network of 60 layers, recorded as 999,365 operations on single numbers; folded",
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


def network(value: Callable[[float], Any], tanh: Callable[[Any], Any], layers: int = 60, width: int = 91) -> Any:
    """The loss of a network whose units are computed number by number: nearly 2 · layers · width² operations."""
    import numpy as np

    rng = np.random.default_rng(0)
    layer = [value(x) for x in rng.normal(size=width).tolist()]
    for n in [width] * layers + [1]:
        made = []
        for weights in (rng.normal(size=(n, width)) / width**0.5).tolist():
            total = value(0.0)
            for w, x in zip(weights, layer, strict=True):
                total = total + value(w) * x
            made.append(tanh(total))
        layer = made
    return (layer[0] - 1.0) ** 2


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
    elif case == "network":
        out = network(value, tanh)
    else:
        out = deep_chain(value(1.0))
    if case != "deep":
        out.backward()
    return out


# Who draws ------------------------------------------------------------------------------------------------------------


def ours(case: str, renderer: str) -> Callable[[], bytes]:
    import numpy as np

    out = graph(case, autograd_core.Value, np.tanh)
    view = "learn" if case == "cards" else "auto"
    return lambda: autograd_core.draw(out, view=view).render("svg", renderer=renderer)


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
            count = {"expression": 3, "cards": 500}.get(case, 1)
            self.numbers = torch.nn.ParameterList([torch.tensor(0.9 + 0.0001 * k) for k in range(count)])

        def forward(self, x: Any) -> Any:
            first, *others = self.numbers
            if case == "network":
                return network(lambda number: first * x * number, torch.tanh)
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

Found = tuple[float, float, float, str]
"""Milliseconds of processor time, megabytes of the process and of the renderer, and why it failed if it did."""


def usage(who: int) -> tuple[float, float]:
    """Seconds of processor time that this process, or its children together, have had; the most megabytes of one."""
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime, found.ru_maxrss / 1024


def measure(name: str, case: str) -> Found:
    """Draw once for the memory, and then several times for the time, of which the least counts.

    It is the processor's time, of the process and of the renderer that it waits for: on a machine with nothing else to
    do that is how long it takes.
    """
    try:
        draw = DRAWERS[name](case)
        before = usage(resource.RUSAGE_SELF)[1]
        draw()
    except Exception as error:  # a failure is a result
        return 0.0, 0.0, 0.0, f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    own, renderer = usage(resource.RUSAGE_SELF)[1] - before, usage(resource.RUSAGE_CHILDREN)[1]
    times = []
    for _ in range(ROUNDS[case]):
        begin = [usage(who)[0] for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        draw()
        end = [usage(who)[0] for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        times.append(sum(end) - sum(begin))
    return min(times) * 1e3, own, renderer, ""


def limited(name: str, case: str) -> Found:
    """The same in a process of its own, which is stopped with all that it started if it takes too long."""
    code = f"from benchmarks.drawing import measure; print(measure({name!r}, {case!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, error = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 0.0, 0.0, 0.0, f"nothing after {LIMIT} s"
    if process.returncode:
        return 0.0, 0.0, 0.0, f"exit code {process.returncode} {error.strip()[-60:]}"
    found: Found = ast.literal_eval(out.strip().splitlines()[-1])
    return found


def run() -> Report:
    """Each drawer at each graph, in a process of its own."""
    rows, targets = [], []
    for case, work in WORK.items():
        for name in DRAWERS:
            time, own, renderer, failure = limited(name, case)
            shown = [failure, "", ""] if failure else [f"{time:,.0f}", f"{own:.0f}", f"{renderer:.0f}"]
            rows.append([work, name, *shown])
            if name == OURS and case in AT_MOST:
                targets.append(
                    Target(f"{work}, to SVG", "", time if not failure else float("inf"), AT_MOST[case], "ms")
                )
    header = ["graph", "drawn by", "ms of the processor", "MB: the process grew by", "the renderer held"]
    note = "\nWhat a renderer held includes what the process that started it had before it became one.\n"
    return Report("## Drawings, from the result to the SVG\n\n" + table(header, rows) + note, targets)
