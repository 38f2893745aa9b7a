"""A program as NumPy source that stands by itself: what a person would write by hand, and the form to read.

A result that has a name, or several readers, has a line; what is read once is written where it is read. Large results
go into buffers that are used again, for the first touch of fresh memory costs more than arithmetic. It is also the form
that runs where there is no compiler.
"""

import inspect
import keyword
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..ops.indexing import add_items, is_basic
from .capture import identifier
from .ir import ELEMENTWISE, REDUCTIONS, RUNNING, UFUNCS, VIEWS, Loop, Node, Program, in_time, users_of
from .memory import Plan, kept_by, plan
from .spelling import WRITTEN_OUT, Spelling

BUFFERED = 1 << 16
"""Results of so many bytes are worth a buffer; smaller ones come from memory that was used a moment ago."""

SHORT = 4
"""So many operations may be written in one line."""


class Writer(Spelling):
    """Writes one function."""

    def __init__(self, program: Program, names: list[str], title: str, around: Spelling | None = None) -> None:
        super().__init__({"np", "work", "float", "range", "slice", "IndexError", *keyword.kwlist}, around)
        self.program = program
        self.title = title
        self.shared |= {title: None, f"{title}_memory": None}
        for node, name in zip(program.inputs, names, strict=True):
            self.names[node] = self.fresh(name)
        nodes = in_time(program)
        self.constants = [n for n in nodes if n.op == "constant" and n.label is not None]
        computed = [n for n in nodes if n.op not in ("input", "constant")]
        self.inside = self.written_inside(computed)
        self.order = [n for root in computed if root not in self.inside for n in self.line_of(root)]
        self.kept = kept_by(computed, program.outputs)
        self.numbers: dict[str, int] = {}
        self.results: dict[Node, list[str]] = {}
        """What the state and outputs of each loop are called."""
        self.loops: list[str] = []
        self.plan: Plan = plan(self.order, program.outputs, self.wants_buffer, lambda n: (n.shape, n.dtype.name))
        self.buffers = [self.fresh(f"t{k}") for k in range(len(self.plan.sizes))]

    # Which results have a line, and which a buffer --------------------------------------------------------------------

    def written_inside(self, order: list[Node]) -> set[Node]:
        """The nodes that are written where they are read."""
        users, outputs = users_of(self.program), set(self.program.outputs)
        inside: set[Node] = set()
        costs: dict[Node, int] = {}
        for node in order:
            costs[node] = (node.op not in VIEWS) + sum(costs[x] for x in node.inputs if x in inside)
            readers = users[node]
            once = len(readers) == 1 and readers[0].inputs.count(node) == 1
            if node in outputs or not once:
                plain = node.op == "transpose" and not costs[node]
            else:
                simple = node.op in ELEMENTWISE | REDUCTIONS | RUNNING | VIEWS or node.op == "matmul"
                chosen = node.label is not None and node.label.chosen
                small = node.op in VIEWS or node.nbytes < BUFFERED
                plain = simple and small and not chosen and costs[node] < self.room_in(readers[0])
            if plain and node not in outputs:
                inside.add(node)
        return inside

    def room_in(self, reader: Node) -> int:
        """How many operations may be written within the line of another."""
        whole = reader.op in ELEMENTWISE | REDUCTIONS | RUNNING | VIEWS
        if reader.nbytes >= BUFFERED and reader.op not in VIEWS:
            return 1
        return SHORT if whole and reader.op not in ("sigmoid", "softplus") else 2 if reader.op == "matmul" else 1

    def line_of(self, root: Node) -> Iterator[Node]:
        """A node, after all that is written within its line."""
        for x in dict.fromkeys(root.inputs):
            if x in self.inside:
                yield from self.line_of(x)
        yield root

    def wants_buffer(self, node: Node) -> bool:
        takes_out = node.op in UFUNCS or node.op in ("sigmoid", "softplus", "matmul", "sum", "erf")
        takes_out |= node.op in ("cumsum", "cumprod") and not node.settings[1]
        return takes_out and node.nbytes >= BUFFERED and node not in self.kept

    # The lines --------------------------------------------------------------------------------------------------------

    def lines(self, node: Node) -> list[str]:
        """What computes a node."""
        if node.op == "scan":
            return self.loop(node)
        if node.op == "item" and node.inputs[0].op == "scan":
            self.names[node] = self.results[node.inputs[0]][node.settings[0]]
            return []
        buffer = self.buffers[self.plan.place[node]] if node in self.plan.place else ""
        out = f", out={buffer}" if buffer else ""
        lines = []
        if node.op == "sigmoid" and out:
            x = self.name(node.inputs[0])
            lines = [f"np.negative({x}{out})", f"np.exp({buffer}{out})", f"np.add(1.0, {buffer}{out})"]
            text = f"np.divide(1.0, {buffer}{out})"
        elif node.op == "call" and node.settings[0] is add_items:
            return self.added(node)
        else:
            text, _ = self.expression(node, out)
        name = self.names[node] = self.fresh(self.called_after(node))
        return [*lines, f"{name} = {text}{self.comment(node)}"]

    def added(self, node: Node) -> list[str]:
        """Zeros, to which something is added at an index: where a part was taken, its gradient goes back to."""
        g, index, shape = node.settings[1]
        name = self.names[node] = self.fresh(self.called_after(node))
        lines = [f"{name} = np.zeros({shape}, np.{node.dtype.name}){self.comment(node)}"]
        if is_basic(index):
            return [*lines, f"{name}[{self.index(index, node)}] = {self.spelled(g, node)}"]
        return [*lines, f"np.add.at({name}, {self.spelled(index, node)}, {self.spelled(g, node)})"]

    def called_after(self, node: Node) -> str:
        """The name of a line's result."""
        if node.label is not None:
            return identifier(node.label.name)
        if node in self.program.outputs and node.op in ("add", "subtract"):
            old = node.inputs[0]
            if old.op == "input" and old.shape == node.shape:
                return f"new_{self.names[old]}"
        self.numbers[node.op] = self.numbers.get(node.op, 0) + 1
        return f"{LONG_NAMES.get(node.op, node.op)}_{self.numbers[node.op]}"

    def comment(self, root: Node) -> str:
        """What a line computes: a gradient, or the results of these ops."""
        if root.label is not None and root.label.name.startswith("grad_"):
            return f"  # {root.label.note}"
        notes = [n.label.note for n in self.line_of(root) if n.label is not None]
        return f"  # {', '.join(dict.fromkeys(notes))}" if notes else ""

    def loop(self, node: Node) -> list[str]:
        """A scan: its step is a function of its own."""
        loop: Loop = node.settings[0]
        title = self.free(identifier(loop.title))
        writer = Writer(loop.body, loop.names, title, self)
        text = writer.source()
        self.loops += [*writer.loops, text]
        inputs = [self.name(x) for x in node.inputs]
        state = [self.fresh(name) for name in loop.names[: loop.carries]]
        outs = [self.fresh(f"{title}_out_{k}") for k in range(len(loop.body.outputs) - loop.carries)]
        self.results[node] = [*state, *outs]
        k = self.fresh("k")
        xs = [f"{x}[{k}]" for x in inputs[loop.carries : loop.carries + loop.arrays]]
        count = inputs.pop() if loop.counted else None
        passed = [*state, *xs, *inputs[loop.carries + loop.arrays :]]
        lines = [f"{x} = {begin}" for x, begin in zip(state, inputs, strict=False)]
        for out, y in zip(outs, loop.body.outputs[loop.carries :], strict=True):
            lines.append(f"{out} = np.{'zeros' if count else 'empty'}({(loop.length, *y.shape)}, np.{y.dtype.name})")
        if count:
            lines += [f"if not 0 <= {count} <= {loop.length}:", "    raise IndexError('scan: a count out of range')"]
        if writer.plan.sizes:
            memory = self.fresh(f"{title}_work")
            lines.append(f"{memory} = {title}_memory()")
            passed.append(memory)
        results = [*state, *[f"{out}[{k}]" for out in outs]]
        into = f"{', '.join(results)} = " * bool(results)
        return [*lines, f"for {k} in range({count or loop.length}):", f"    {into}{title}({', '.join(passed)})"]

    # The function -----------------------------------------------------------------------------------------------------

    def source(self) -> str:
        body: list[str] = []
        for node in self.constants:
            name = self.names[node] = self.constant(node)
            if node.size <= WRITTEN_OUT and node.label is not None:
                self.names[node] = self.fresh(identifier(node.label.name))
                body.append(f"{self.names[node]} = {name}")
        backward = False
        for node in [n for n in self.order if n not in self.inside]:
            lines = self.lines(node)
            if lines and not backward and node.label is not None and node.label.name.startswith("grad_"):
                backward = True
                body += ["", "# The gradients, from the result back"] * bool(body)
            body += lines
        body += [""] * (len(body) > 3)
        results = ", ".join(self.name(y) for y in self.program.outputs)
        buffers = self.buffers
        arguments = [self.names[x] for x in self.program.inputs] + ["work=None"] * bool(buffers)
        head = [f"def {self.title}({', '.join(arguments)}):", *self.docstring()]
        if buffers:
            head.append(f"    {', '.join(buffers)}{',' * (len(buffers) == 1)} = work or {self.title}_memory()")
        lines = [*head, *[f"    {line}" if line else "" for line in body], f"    return {results or '()'}"]
        return "\n".join([*lines, *self.memory()]) + "\n"

    def docstring(self) -> list[str]:
        """What the arguments are."""
        kinds: dict[str, list[str]] = {}
        for x in self.program.inputs:
            kinds.setdefault(x.dtype.name, []).append(f"{self.names[x]} {x.shape}" if x.shape else self.names[x])
        lines = [
            "; ".join(f"{', '.join(found)}: {kind}" for kind, found in kinds.items()) + "."
            if kinds
            else "No arguments."
        ]
        if self.plan.sizes:
            lines.append("`work` is the memory of large results, which may be used again from call to call.")
        if self.given:
            given = [f"{name} {x.shape}" if isinstance(x, np.ndarray) else name for name, x in self.given.items()]
            lines.append(f"Given as globals: {', '.join(given)}.")
        if len(lines) == 1 and len(lines[0]) < 108:
            return [f'    """{lines[0]}"""']
        return ['    """', *[f"    {part}" for line in lines for part in folded(line)], '    """']

    def memory(self) -> list[str]:
        """The function that makes the buffers, if there are any."""
        if not self.plan.sizes:
            return []
        parts = [f"        np.empty({shape}, np.{dtype})," for shape, dtype in self.plan.sizes]
        title = f"def {self.title}_memory():"
        return ["", "", title, '    """The buffers of all large results."""', "    return [", *parts, "    ]"]


LONG_NAMES = {"matmul": "product", "getitem": "part", "broadcast_to": "spread", "call": "result", "astype": "cast"}


def folded(line: str) -> list[str]:
    """A line of prose, in lines that fit."""
    return textwrap.wrap(line, 108)


def numpy_source(program: Program, names: list[str], title: str = "program") -> tuple[str, dict[str, Any]]:
    """The source of a program as a function, and the globals that it needs beside np."""
    writer = Writer(program, names, title)
    text = writer.source()
    head = "\n".join(["import numpy as np", *writer.imports.values()])
    return "\n\n\n".join([head, "\n\n".join([*writer.loops, text])]), writer.given


def compiled(source: str, given: dict[str, Any], title: str) -> tuple[Callable[..., Any], Callable[[], Any] | None]:
    """The function of a source, and what makes its memory, if it needs any."""
    names = {"np": np, **given}
    exec(compile(source, f"<{title}, compiled>", "exec"), names)
    return names[title], names.get(f"{title}_memory")


def parameter_names(fun: Callable[..., Any], count: int) -> list[str]:
    """What the positional arguments of a function are called."""
    try:
        found = list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        return [f"x{k}" for k in range(count)]
    names = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in found if p.kind is p.VAR_POSITIONAL), "x")
    return [*names, *[f"{rest}_{k}" for k in range(count)]][:count]
