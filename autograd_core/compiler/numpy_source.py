"""A program as NumPy source that stands by itself: every step a line with a name, its memory given.

This is what a careful programmer writes by hand: no line allocates what an earlier one can lend. It is the form to
read, and it runs where there is no compiler.
"""

import inspect
import keyword
from collections.abc import Callable
from typing import Any

import numpy as np

from .capture import identifier
from .ir import REDUCTIONS, UFUNCS, Loop, Node, Program, Slot
from .memory import Plan, kept_by, plan

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@", "greater": ">",
    "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
WRITTEN_OUT = 64
"""Constants with more elements than this are not spelled out: they are arguments."""


class Writer:
    """Writes one function."""

    def __init__(self, program: Program, names: list[str], title: str) -> None:
        self.program = program
        self.title = title
        self.names: dict[Node, str] = {}
        self.taken: set[str] = {"np", "work", title, *keyword.kwlist}
        self.given: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        for node, name in zip(program.inputs, names, strict=True):
            self.names[node] = self.fresh(name)
        self.order = [n for n in program.nodes() if n.op not in ("input", "constant")]
        self.kept = kept_by(self.order, program.outputs)
        self.loops: list[str] = []
        self.plan: Plan = plan(self.order, program.outputs, self.wants_buffer, lambda n: (n.shape, n.dtype.name))

    def fresh(self, name: str) -> str:
        """The name, or if that is taken the next like it."""
        while name in self.taken:
            self.counts[name] = self.counts.get(name, 0) + 1
            name = f"{name}_{self.counts[name]}"
        self.taken.add(name)
        return name

    def wants_buffer(self, node: Node) -> bool:
        takes_out = node.op in UFUNCS or node.op in ("sigmoid", "softplus", "matmul", "sum", "erf")
        return takes_out and bool(node.shape) and node not in self.kept

    # Expressions ------------------------------------------------------------------------------------------------------

    def name(self, node: Node) -> str:
        if node.op == "constant" and node not in self.names:
            self.names[node] = self.constant(node)
        return self.names[node]

    def constant(self, node: Node) -> str:
        data = node.settings[0]
        if data.size > WRITTEN_OUT:
            name = self.fresh(f"constant_{len(self.given)}")
            self.given[name] = data
            return name
        kind = data.dtype.name
        if not data.shape:
            return f"np.{kind if kind != 'bool' else 'bool_'}({number(data.item())})"
        body = np.array2string(data, separator=", ", threshold=data.size, floatmode="unique", max_line_width=10**6)
        body = body.replace("\n", "").replace("nan", "np.nan").replace("inf", "np.inf")
        return f"np.array({body}, np.{kind})"

    def operand(self, node: Node, others: Any) -> str:
        """An input; a number beside an array is written as one, for it takes the array's dtype."""
        beside = any(x.op != "constant" and x.dtype == node.dtype for x in others)
        if beside and node.op == "constant" and not node.shape and node.dtype.kind == "f":
            return number(node.settings[0].item())
        return self.name(node)

    def operands(self, node: Node) -> list[str]:
        return [self.operand(x, node.inputs) for x in node.inputs]

    def function_name(self, function: Any) -> str:
        """How a function is called in the source; one that is not NumPy's is given."""
        module = getattr(function, "__module__", "") or ""
        plain = getattr(function, "__name__", "")
        if getattr(np, plain, None) is function:
            return f"np.{plain}"
        path = (module.replace("numpy", "np", 1) + "." + getattr(function, "__name__", "")).replace("np._core", "np")
        if module.split(".")[0] == "numpy" and "_" not in module and resolved(path) is function:
            return path
        for name, known in self.given.items():
            if known is function:
                return name
        name = getattr(function, "__name__", "")
        name = self.fresh(name if name.isidentifier() else "helper")
        self.given[name] = function
        return name

    def spelled(self, tree: Any, node: Node) -> str:
        """An argument of a call."""
        if type(tree) is Slot:
            return self.name(node.inputs[tree.k])
        if isinstance(tree, (list, tuple)):
            parts = ", ".join(self.spelled(x, node) for x in tree)
            return f"[{parts}]" if isinstance(tree, list) else f"({parts}{',' * (len(tree) == 1)})"
        if isinstance(tree, dict):
            return "{" + ", ".join(f"{k!r}: {self.spelled(x, node)}" for k, x in tree.items()) + "}"
        if isinstance(tree, np.dtype):
            return f"np.dtype({tree.name!r})"
        if tree is None or tree is Ellipsis or isinstance(tree, (bool, int, float, str, slice)):
            return number(tree) if isinstance(tree, float) else repr(tree)
        name = self.fresh("given")
        self.given[name] = tree
        return name

    def expression(self, node: Node, out: str) -> str:
        """The right side of a node's line; `out` is its buffer, as a keyword, or nothing."""
        op, args = node.op, self.operands(node) if node.elementwise else [self.name(x) for x in node.inputs]
        if op in INFIX and not out:
            return f"{args[0]} {INFIX[op]} {args[1]}"
        if op in UFUNCS or op == "matmul":
            return f"np.{op}({', '.join(args)}{out})"
        if op == "sigmoid":
            minus = f"np.negative({args[0]}{out})"
            if not out:
                return f"1.0 / (1.0 + np.exp(-{args[0]}))"
            return f"np.divide(1.0, np.add(1.0, np.exp({minus}{out}){out}){out})"
        if op == "softplus":
            return f"np.logaddexp({args[0]}, 0.0{out})"
        if op == "erf":
            return f"{self.given_erf()}({args[0]}{out})"
        if op in REDUCTIONS:
            axes, keep = node.settings
            axis = "" if len(axes) == len(node.inputs[0].shape) else f", axis={axes[0] if len(axes) == 1 else axes}"
            return f"np.{op}({args[0]}{axis}{', keepdims=True' if keep else ''}{out})"
        return self.moved(node, args)

    def given_erf(self) -> str:
        import scipy.special

        return self.function_name(scipy.special.erf)

    def moved(self, node: Node, args: list[str]) -> str:
        op, settings = node.op, node.settings
        if op == "where":
            return f"np.where({', '.join(args)})"
        if op == "astype":
            return f"np.asarray({args[0]}).astype(np.{node.dtype.name})"
        if op == "reshape":
            return f"np.reshape({args[0]}, {node.shape})"
        if op == "transpose":
            return f"{args[0]}.T" if settings[0] == (1, 0) else f"np.transpose({args[0]}, {settings[0]})"
        if op == "broadcast_to":
            return f"np.broadcast_to({args[0]}, {node.shape})"
        if op in ("getitem", "gather", "item"):
            return f"{args[0]}[{self.spelled(settings[0], node)}]"
        assert op == "call", op
        function, positional, keywords = settings
        parts = [self.spelled(x, node) for x in positional]
        parts += [f"{key}={self.spelled(x, node)}" for key, x in keywords.items()]
        return f"{self.function_name(function)}({', '.join(parts)})"

    # The function -----------------------------------------------------------------------------------------------------

    def lines(self, node: Node) -> list[str]:
        """What computes a node."""
        if node.op == "scan":
            return self.loop(node)
        line = self.line(node)
        return [f"{line:<72}  # {node.dtype.name} {node.shape}" if node.dtype.kind != "O" else line]

    def loop(self, node: Node) -> list[str]:
        """A scan: its step is a function of its own."""
        loop: Loop = node.settings[0]
        title = self.fresh(identifier(loop.title))
        writer = Writer(loop.body, loop.names, title)
        writer.taken |= {self.title}
        self.loops += [*writer.loops, writer.source()]
        self.given |= writer.given
        name = self.names[node] = self.fresh("scan_1")
        inputs = [self.name(x) for x in node.inputs]
        state = [self.fresh(f"{name}_state_{k}") for k in range(loop.carries)]
        outs = [self.fresh(f"{name}_out_{k}") for k in range(len(loop.body.outputs) - loop.carries)]
        xs = [f"{x}[k]" for x in inputs[loop.carries : loop.carries + loop.arrays]]
        count = inputs.pop() if loop.counted else None
        passed = ", ".join([*state, *xs, *inputs[loop.carries + loop.arrays :]])
        results = [*state, *[f"{out}[k]" for out in outs]]
        lines = [f"{x} = {begin}" for x, begin in zip(state, inputs, strict=False)]
        for out, y in zip(outs, loop.body.outputs[loop.carries :], strict=True):
            lines.append(f"{out} = np.{'zeros' if count else 'empty'}({(loop.length, *y.shape)}, np.{y.dtype.name})")
        if count:
            lines += [f"if not 0 <= {count} <= {loop.length}:", "    raise IndexError('scan: a count out of range')"]
        lines += [f"{name}_work = {title}_memory()", f"for k in range({count or loop.length}):"]
        lines.append(f"    [{', '.join(results)}] = {title}({passed}{', ' * bool(passed)}{name}_work)")
        return [*lines, f"{name} = [{', '.join([*state, *outs])}]"]

    def line(self, node: Node) -> str:
        name = self.names[node] = self.fresh(LONG_NAMES.get(node.op, node.op) + f"_{self.next(node.op)}")
        buffer = self.plan.place.get(node)
        out = f", out=t{buffer}" if buffer is not None else ""
        return f"{name} = {self.expression(node, out)}"

    def next(self, op: str) -> int:
        self.counts[f"#{op}"] = self.counts.get(f"#{op}", 0) + 1
        return self.counts[f"#{op}"]

    def source(self) -> str:
        body = []
        for node in self.order:
            body += [f"    {line}" for line in self.lines(node)]
        results = ", ".join(self.name(y) for y in self.program.outputs)
        arguments = ", ".join(self.names[x] for x in self.program.inputs)
        buffers = [f"t{k}" for k in range(len(self.plan.sizes))]
        head = [f"def {self.title}({arguments}{', ' * bool(arguments)}work=None):"]
        head += ['    """' + self.summary() + '"""']
        if buffers:
            head.append(f"    {', '.join(buffers)}{',' * (len(buffers) == 1)} = work or {self.title}_memory()")
        lines = [*head, *body, f"    return [{results}]", "", "", *self.memory()]
        return "\n".join(lines) + "\n"

    def summary(self) -> str:
        given = f"; {', '.join(self.given)} must be given as globals" if self.given else ""
        return f"{len(self.order)} steps; `work` is memory that may be used again from call to call{given}."

    def memory(self) -> list[str]:
        parts = [f"        np.empty({shape}, np.{dtype})," for shape, dtype in self.plan.sizes]
        return [f"def {self.title}_memory():", '    """The buffers of all steps."""', "    return [", *parts, "    ]"]


LONG_NAMES = {"matmul": "product", "getitem": "part", "broadcast_to": "spread", "call": "result", "astype": "cast"}


def number(x: Any) -> str:
    """A number as source."""
    return f"float('{x}')" if isinstance(x, float) and not np.isfinite(x) else repr(x)


def resolved(path: str) -> Any:
    """What a dotted name below np stands for, or None."""
    found: Any = np
    for part in path.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def numpy_source(program: Program, names: list[str], title: str = "program") -> tuple[str, dict[str, Any]]:
    """The source of a program as a function, and the globals that it needs beside np."""
    writer = Writer(program, names, title)
    text = writer.source()
    return "import numpy as np\n\n\n" + "\n\n".join([*writer.loops, text]), writer.given


def compiled(source: str, given: dict[str, Any], title: str) -> tuple[Callable[..., Any], Callable[[], Any]]:
    """The function of a source, and what makes its memory."""
    names = {"np": np, **given}
    exec(compile(source, f"<{title}, compiled>", "exec"), names)
    return names[title], names[f"{title}_memory"]


def parameter_names(fun: Callable[..., Any], count: int) -> list[str]:
    """What the positional arguments of a function are called."""
    try:
        found = list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        return [f"x{k}" for k in range(count)]
    names = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in found if p.kind is p.VAR_POSITIONAL), "x")
    return [*names, *[f"{rest}_{k}" for k in range(count)]][:count]
