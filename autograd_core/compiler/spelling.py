"""How a node is written in NumPy: as an expression of its inputs, with the parentheses that it needs."""

import sys
from typing import Any

import numpy as np

from ..ops.running import recur
from ..registry import OPS
from .ir import REDUCTIONS, RUNNING, UFUNCS, Node, Slot

LOOSE, SUM, PRODUCT, MINUS, POWER, TIGHT = range(6)
"""How firmly an expression holds together; one that is read by a firmer one is put in parentheses."""

INFIX = {
    "add": ("+", SUM), "subtract": ("-", SUM), "multiply": ("*", PRODUCT), "divide": ("/", PRODUCT),
    "matmul": ("@", PRODUCT), "power": ("**", POWER), "greater": (">", LOOSE), "greater_equal": (">=", LOOSE),
    "less": ("<", LOOSE), "less_equal": ("<=", LOOSE), "equal": ("==", LOOSE), "not_equal": ("!=", LOOSE),
}  # fmt: skip
WRITTEN_OUT = 64
"""Constants with more elements than this are not spelled out: they are given as globals."""


class Spelling:
    """The names and the expressions of a function."""

    def __init__(self, taken: set[str], around: "Spelling | None") -> None:
        self.taken = taken
        self.shared: dict[str, Any] = {} if around is None else around.shared
        """The names that all functions of the source know: of functions in it None, else what the name stands for."""
        self.imports: dict[str, str] = {} if around is None else around.imports
        """Of what can be imported the line that does."""
        self.names: dict[Node, str] = {}
        self.inside: set[Node] = set()
        """The nodes that are written where they are read."""
        self.counts: dict[str, int] = {}

    @property
    def given(self) -> dict[str, Any]:
        """The globals that the source needs beside np and what it imports."""
        return {name: x for name, x in self.shared.items() if x is not None and name not in self.imports}

    def free(self, name: str) -> str:
        """The name, or if that is taken the next like it."""
        while name in self.taken or name in self.shared:
            self.counts[name] = self.counts.get(name, 0) + 1
            name = f"{name}_{self.counts[name]}"
        return name

    def fresh(self, name: str) -> str:
        """A name of this function's own."""
        name = self.free(name)
        self.taken.add(name)
        return name

    def known(self, name: str, x: Any) -> str:
        """What all functions call a thing; the name is a proposal."""
        for found, other in self.shared.items():
            if other is x and found not in self.taken:
                return found
        name = self.free(name)
        self.shared[name] = x
        return name

    # Operands ---------------------------------------------------------------------------------------------------------

    def name(self, node: Node) -> str:
        """What is written for a node where it is an argument."""
        return self.placed(node, LOOSE)

    def placed(self, node: Node, firmness: int) -> str:
        """What is written for a node beside an operator."""
        if node in self.inside:
            text, own = self.expression(node, "")
            return text if own >= firmness else f"({text})"
        if node not in self.names:
            assert node.op == "constant", node
            self.names[node] = self.constant(node)
        return self.names[node]

    def constant(self, node: Node) -> str:
        return self.array(node.settings[0], "constant" if node.label is None else node.label.name)

    def array(self, data: Any, name: str) -> str:
        """An array as it is written; a large one by its name."""
        kind = data.dtype.name
        if data.size > WRITTEN_OUT:
            return self.known(name, data)
        if not data.size:
            return f"np.zeros({data.shape}, np.{kind})"
        if not data.shape:
            return f"np.{kind if kind != 'bool' else 'bool_'}({number(data.item())})"
        body = repr(data.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        return f"np.array({body}{'' if kind in ('float64', 'int64', 'bool') else f', np.{kind}'})"

    def operand(self, node: Node, others: Any, firmness: int = LOOSE) -> str:
        """An input; a number beside an array is written as one, for it takes the array's dtype."""
        beside = any(x.op != "constant" and x.dtype == node.dtype and len(x.shape) >= len(node.shape) for x in others)
        if beside and node.op == "constant" and node.size == 1 and node.label is None and node.dtype.kind == "f":
            value = node.settings[0].item()
            return number(value) if value >= 0 or firmness == LOOSE else f"({number(value)})"
        return self.placed(node, firmness)

    # Functions --------------------------------------------------------------------------------------------------------

    def function_name(self, function: Any) -> str:
        """How a function is called in the source; one that is not NumPy's is imported, or else given."""
        module = getattr(function, "__module__", "") or ""
        plain = getattr(function, "__name__", "")
        if getattr(np, plain, None) is function:
            return f"np.{plain}"
        path = (module.replace("numpy", "np", 1) + "." + plain).replace("np._core", "np")
        if module.split(".")[0] == "numpy" and "_" not in module and resolved(path) is function:
            return path
        if place := in_registry(function):
            name = self.known("OPS", OPS)
            self.imports[name] = "from autograd_core.registry import OPS" + f" as {name}" * (name != "OPS")
            if home := declared_in(place):
                self.imports[home] = f"import {home}"
            return f"{name}{place}"
        name = self.known(plain if plain.isidentifier() else "helper", function)
        module = module or "scipy.special"  # its ufuncs do not say where they are from
        if getattr(sys.modules.get(module), plain, None) is function and module != "__main__":
            self.imports[name] = f"from {module} import {plain}" + f" as {name}" * (name != plain)
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
        if isinstance(tree, complex) and np.isfinite(tree):
            return repr(tree)
        if isinstance(tree, (np.ndarray, np.generic)) and (
            tree.dtype.kind in "fiub" or (tree.dtype.kind == "c" and np.all(np.isfinite(tree)))
        ):
            return self.array(np.asarray(tree), "given")
        if tree is None or tree is Ellipsis or isinstance(tree, (bool, int, float, str, slice)):
            return number(tree) if isinstance(tree, float) else repr(tree)
        return self.function_name(tree) if callable(tree) else self.known("given", tree)

    def index(self, index: Any, node: Node) -> str:
        """What stands in brackets."""
        parts = index if isinstance(index, tuple) else (index,)
        text = ", ".join(colons(x) if isinstance(x, slice) else self.spelled(x, node) for x in parts) or "()"
        return f"{text}," if len(parts) == 1 and isinstance(parts[0], tuple) else text

    # Expressions ------------------------------------------------------------------------------------------------------

    def expression(self, node: Node, out: str) -> tuple[str, int]:
        """What computes a node, and how firmly it holds together; `out` is its buffer, as a keyword, or nothing."""
        op, inputs = node.op, node.inputs
        if op in INFIX and not out:
            sign, own = INFIX[op]
            others = inputs if op != "matmul" else ()
            left = self.operand(inputs[0], others, own + (own in (LOOSE, POWER)))
            return f"{left} {sign} {self.operand(inputs[1], others, min(own + 1, TIGHT))}", own
        if op == "negative" and not out:
            return f"-{self.operand(inputs[0], inputs, POWER)}", MINUS
        if op == "sigmoid":
            return f"1.0 / (1.0 + np.exp(-{self.placed(inputs[0], POWER)}))", PRODUCT
        if op in ("getitem", "item"):
            text = f"{self.placed(inputs[0], TIGHT)}[{self.index(node.settings[0], node)}]"
            return self.narrowed(text, node, inputs[0].inputs if op == "item" else ()), TIGHT
        if op == "gather":
            return f"{self.placed(inputs[0], TIGHT)}[{self.index(node.settings[0], node)}]", TIGHT
        if op == "transpose" and node.settings[0] == (1, 0):
            return f"{self.placed(inputs[0], TIGHT)}.T", TIGHT
        return self.called(node, out), TIGHT

    def called(self, node: Node, out: str) -> str:
        """A node that is the call of a function."""
        op, settings = node.op, node.settings
        args = [self.operand(x, node.inputs) for x in node.inputs] if node.elementwise else list(
            map(self.name, node.inputs)
        )  # fmt: skip
        if op in UFUNCS or op == "matmul":
            return f"np.{op}({', '.join(args)}{out})"
        if op == "softplus":
            return f"np.logaddexp({args[0]}, 0.0{out})"
        if op == "erf":
            import scipy.special

            return f"{self.function_name(scipy.special.erf)}({args[0]}{out})"
        if op in REDUCTIONS:
            axes, keep = settings
            axis = "" if len(axes) == len(node.inputs[0].shape) else f", axis={axes[0] if len(axes) == 1 else axes}"
            return f"np.{op}({args[0]}{axis}{', keepdims=True' if keep else ''}{out})"
        if op in RUNNING:
            return self.running(node, args, out)
        if op == "where":
            return f"np.where({', '.join(args)})"
        if op == "astype":
            return f"np.asarray({args[0]}).astype(np.{node.dtype.name})"
        if op in ("reshape", "broadcast_to"):
            return f"np.{op}({args[0]}, {node.shape})"
        if op == "transpose":
            return f"np.transpose({args[0]}, {settings[0]})"
        assert op == "call", op
        function, positional, keywords = settings
        parts = [self.spelled(x, node) for x in positional]
        rule, rebuild = getattr(function, "step", (None, None))
        if place := in_registry(rule):  # it decides on numbers: a step of its own, which returns a list
            call = f"{self.function_name(rule)}({', '.join(map(listed, rebuild(parts)))})"  # type: ignore[misc]
            return f"[x for x in {call} if x is not None]" if place.endswith("joint") else f"[{call}]"
        parts += [f"{key}={self.spelled(x, node)}" for key, x in keywords.items()]
        return self.narrowed(f"{self.function_name(function)}({', '.join(parts)})", node, node.inputs)

    def running(self, node: Node, args: list[str], out: str) -> str:
        """A running sum or product, or a recurrence; from the last element on it is one of what is turned round."""
        axis, reverse = node.settings
        if node.op == "recurrence":
            return f"{self.function_name(recur)}({', '.join(args)}, {reverse})"
        if not reverse:
            return f"np.{node.op}({args[0]}, axis={axis}{out})"
        turn = f"[{self.index((slice(None),) * axis + (slice(None, None, -1),), node)}]"
        return f"np.{node.op}({self.placed(node.inputs[0], TIGHT)}{turn}, axis={axis}){turn}"

    def narrowed(self, text: str, node: Node, inputs: Any) -> str:
        """The result of a function in its dtype: what was a Python number when it was recorded gave way to an array's,
        and is a NumPy number now, which does not."""
        wider = [x for x in inputs if x.dtype.kind == node.dtype.kind and x.dtype.itemsize > node.dtype.itemsize]
        if node.dtype.kind == "f" and any(not x.shape for x in wider):
            return f"np.asarray({text}, np.{node.dtype.name})"
        return text


def in_registry(function: Any) -> str:
    """Where the registry of ops has a function of one, if it has."""
    for name, op in OPS.items():
        for place, other in (("forward", op.forward), ("joint", op.joint), *enumerate(op.rules)):
            if other is function is not None:
                return f"[{name!r}].{place if isinstance(place, str) else f'rules[{place}]'}"
    return ""


def declared_in(place: str) -> str:
    """The module that declares an op with @primitive, which has its name within the registry's; "" for one of here."""
    module = place.split("'")[1]
    while module and module not in sys.modules:
        module = module.rpartition(".")[0]
    return "" if module == "__main__" else module


def listed(tree: Any) -> str:
    """A container of what is spelled already."""
    if isinstance(tree, tuple):
        return f"({''.join(f'{listed(x)}, ' for x in tree)})"
    return f"[{', '.join(map(listed, tree))}]" if isinstance(tree, list) else str(tree)


def number(x: Any) -> str:
    """A number as source."""
    return f"float('{x}')" if isinstance(x, float) and not np.isfinite(x) else repr(x)


def colons(x: slice) -> str:
    """A slice as it is written."""
    begin, end, step = ("" if part is None else repr(part) for part in (x.start, x.stop, x.step))
    return f"{begin}:{end}{':' * bool(step)}{step}"


def resolved(path: str) -> Any:
    """What a dotted name below np stands for, or None."""
    found: Any = np
    for part in path.split(".")[1:]:
        found = getattr(found, part, None)
    return found
