"""What became of a function, in plain words."""

from collections import Counter
from typing import Any

from ..ops.indexing import add_items
from .fuse import Kernel
from .ir import ELEMENTWISE, REDUCTIONS, RUNNING, VIEWS, Loop, Node, Program

HARD = frozenset(("exp", "expm1", "log", "log1p", "sigmoid", "tanh", "softplus", "erf", "power", "sin", "cos"))
"""Operations that take some twenty of the simple ones."""


def flops(node: Node) -> int:
    """About how many additions and multiplications a node takes."""
    if node.op == "matmul":
        return 2 * node.size * (node.inputs[0].shape[-1])
    if node.op == "scan":
        loop: Loop = node.settings[0]
        return loop.length * sum(map(flops, loop.body.nodes()))
    if node.op in REDUCTIONS | RUNNING:
        return node.inputs[0].size * (1 + (node.op == "recurrence"))
    if node.op in ELEMENTWISE:
        return node.size * (20 if node.op in HARD else 1)
    return 0


def described(kernel: Kernel) -> str:
    """One kernel."""
    shape = " × ".join(map(str, kernel.root.shape)) or "one number"
    steps = ", ".join(dict.fromkeys(called(n) for n in kernel.body))
    if kernel.kind == "matmul":
        assert kernel.core is not None
        k = kernel.core.inputs[0].shape[-1]
        after = f"; then, while it is at hand, {steps}" if steps else ""
        return f"matrix product to {shape}, summing over {k}{after}"
    if kernel.kind in ("reduce", "running"):
        assert kernel.core is not None
        before = ", ".join(dict.fromkeys(n.op for n in kernel.prologue))
        over = " × ".join(map(str, kernel.core.inputs[0].shape))
        parts = [f"{kernel.core.op} of {over} elements"]
        if kernel.kind == "running":
            axis, reverse = kernel.core.settings
            parts[0] += f" along axis {axis}" + ", from the last one on" * reverse
        parts += [f"while reading them {before}"] * bool(before) + [f"then {steps}"] * bool(steps)
        return "; ".join(parts)
    if kernel.kind == "gather":
        return f"rows taken by an index, {shape}"
    if kernel.kind == "call":
        return f"{called(kernel.root)}, {shape}"
    return f"one loop over {shape}: {steps}"


def called(node: Node) -> str:
    """What a kernel does at a node."""
    if node.op != "call":
        return node.op
    return "parts put into zeros" if node.settings[0] is add_items else "arrays joined"


def lines_of(program: Program, kernels: list[Kernel], by_numpy: set[Node], layout: Any, indent: str) -> list[str]:
    """The kernels of a program, and of the loops in it."""
    lines = []
    for k, kernel in enumerate(kernels, start=1):
        if kernel.kind == "scan":
            loop: Loop = kernel.root.settings[0]
            inner = layout.loops[kernel.root]
            count = len(layout.in_place[kernel.root])
            lines.append(
                f"{indent}{k}. a loop of {'at most ' * loop.counted}{loop.length} steps; of {loop.carries} arrays "
                f"of its state {count} are updated in place; each step:"
            )
            found = {n.root for n in inner.kernels if n.root in by_numpy}
            lines += lines_of(loop.body, inner.kernels, by_numpy | found, inner, indent + "   ")
        elif kernel.root in by_numpy:
            lines.append(f"{indent}{k}. left to NumPy: {name_of(kernel.root)}")
        else:
            lines.append(f"{indent}{k}. {described(kernel)}")
    return lines


def name_of(node: Node) -> str:
    """What a node that has no machine code is called."""
    if node.op != "call":
        return f"{node.op} of {node.dtype.name}"
    return str(getattr(node.settings[0], "__name__", node.settings[0]))


def operations(program: Program) -> list[Node]:
    """What a program computes, with what the steps of its loops do."""
    nodes = [n for n in program.nodes() if n.op not in ("input", "constant", "item")]
    return [m for n in nodes for m in (operations(n.settings[0].body) if n.op == "scan" else [n])]


def kernels_of(layout: Any) -> int:
    """How many kernels there are, with those of loops."""
    return sum(kernels_of(layout.loops[k.root]) if k.kind == "scan" else 1 for k in layout.kernels)


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def explained(recorded: Program, program: Program, machine: Any, source: str) -> str:
    """The whole story: what was recorded, what is left of it, and how it runs."""
    nodes, before = operations(program), len(operations(recorded))
    work = sum(map(flops, program.nodes()))
    moved = sum(x.nbytes for x in program.inputs) + sum(y.nbytes for y in program.outputs)
    verb = "is" if len(nodes) == 1 else "are"
    lines = [
        f"Recorded {counted(before, 'operation')}; {len(nodes)} {verb} left after common ones were merged and "
        "constants computed.",
        f"It takes about {counted(work, 'floating-point operation')}; arguments and results are {moved:,} bytes.",
    ]
    if machine is None:
        buffers = sum(line.lstrip().startswith("np.empty(") for line in source.splitlines())
        shared = f", with {counted(buffers, 'buffer')}, which large results share" if buffers else ""
        lines.append(f"It runs as NumPy source{shared}.")
        return "\n".join(lines)
    left = Counter(name_of(node) for node, _, _ in machine.host.calls)
    views, calls = sum(n.op in VIEWS for n in nodes), left.total()
    lines.append(
        f"It runs as machine code: {counted(len(nodes) - views - calls, 'operation')} in "
        f"{counted(kernels_of(machine.layout) - calls, 'kernel')}; {views} more are only another way to index. What is "
        f"computed on the way takes {machine.size:,} bytes in all."
    )
    lines.append(
        "Left to NumPy: " + ", ".join(f"{name} ({n})" for name, n in left.items()) + "." if left
        else "Nothing is left to NumPy."
    )  # fmt: skip
    by_numpy = {node for node, _, _ in machine.host.calls}
    return "\n".join([*lines, *lines_of(program, machine.layout.kernels, by_numpy, machine.layout, "  ")])
