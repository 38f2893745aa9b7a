"""Write docs/ops.md, the page of all ops, from the registry: `make ops-page`.

Every formula comes from the rule that it describes, called with Symbols in place of numbers, so the page cannot
disagree with the code. GitHub sets what stands in $`...`$; what it would refuse there, or take for the edge of a cell,
is spelled in another way.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core
from autograd_core.explain.phrases import call, name
from autograd_core.explain.symbols import Symbol, as_number, lift
from autograd_core.op import FREE, Op
from autograd_core.ops import fft, special  # noqa: F401  they declare the ops that are declared late
from autograd_core.registry import BY_NUMPY, LATE, OPS, full_name

PAGE = Path(__file__).with_name("ops.md")
LETTERS = ("x", "y", "z", "u", "v", "w")

HEADER = """# The ops

Generated from the registry by `make ops-page`: every formula is what the rule itself says when it is called with names
in place of numbers. $`x, y, z`$ are the arrays that an op takes, $`q`$ is its result, and $`g`$ the gradient of the
loss with respect to $`q`$.

- **elementwise**: the derivative is the factor ∂q/∂x, and the gradient of x is g times that.
- **linear**, **multilinear**, **primitive**: the derivative is the gradient of x itself, made of g. Numbers and
  settings in it are those of a sample, mostly of an array of shape 3 × 4: of `mean`, 12 is the number of elements.
- What was broadcast is summed over afterwards, and what was summed is broadcast: neither is written.
- But for `real`, `imag` and `conj`, formulas are those of real numbers. Of complex ones $`g`$ is ∂/∂Re − i ∂/∂Im, and
  the rules of what is not holomorphic, such as `abs` and `norm`, have conjugates, too.

Every op has reverse and forward mode, of any order. Forward mode of the first three forms follows from the declaration;
of a primitive it comes from the pullback, which is transposed, unless the table says that it is declared.
"""

LONGEST = 600
"""How long a formula may be in LaTeX; one that is longer, with a power series in it, is better read in the code."""

SPELLED = ((r"\\\|", r"\Vert"), (r"\|", r"\vert"), ("<", r"\lt"), (">", r"\gt"),
           (r"\b1j\b", "i"))  # fmt: skip
"""What LaTeX has a macro for, where Markdown would take the sign for its own."""

EDGES = [
    "grad(np.abs)(0.0)",
    "grad(relu)(0.0)",
    "grad(np.maximum, (0, 1))(1.0, 1.0)",
    "grad(np.max)(np.array([3.0, 1.0, 3.0]))",
    "grad(np.hypot, (0, 1))(0.0, 0.0)",
    "grad(np.linalg.norm)(np.zeros(2))",
    "grad(np.std)(np.array([2.0, 2.0]))",
    "grad(np.prod)(np.array([0.0, 3.0, 5.0]))",
    "grad(lambda x: x**2)(0.0)",
    "grad(grad(lambda x: x**2))(0.0)",
    "grad(lambda y: 0.0**y)(2.0)",
    "grad(lambda x: np.clip(x, 0.0, 1.0))(1.0)",
    "grad(np.sqrt)(0.0)",
    "grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))(0.0)",
    "grad(logsumexp)(np.array([-np.inf, 0.0]))",
]
"""What is asked at points where there is no derivative, or where a formula needs care; the answers are computed."""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    sections: dict[str, list[Op]] = {}
    for op in sorted(OPS.values(), key=lateness):
        if home(op):
            sections.setdefault(home(op), []).append(op)
    parts = [HEADER]
    for module in sections:
        title, _, _ = (sys.modules[module].__doc__ or module).partition("\n")
        title = title.partition(":")[0].partition(". ")[0].rstrip(".")
        head = ["op", "NumPy", "form", "formula", "derivative", "where, and conventions"]
        rows = [[f"`{op.name}`", numpy_names(op), form(op), math(formula(op)), derivative(op), notes(op)]
                for op in sections[module]]  # fmt: skip
        parts.append(f"## {title}\n\n`{module.replace('.', '/')}.py`\n\n{table(head, rows)}")
    parts.append("## At the edges\n\nWhere there is no derivative, the subgradient of least norm.\n\n" + table(
        ["asked", "answer"], [[code(asked), code(answer(asked))] for asked in EDGES if answer(asked)]
    ))  # fmt: skip
    declared = {f for op in OPS.values() for f in op.numpy}
    composed = sorted({full_name(f) for f, found in BY_NUMPY.items() if is_composed(found) and f not in declared})
    parts.append("## Composed of these\n\nThey need no rule of their own: " + ", ".join(map(code, composed)) + ".\n")
    flat = sorted({full_name(f) for f, found in BY_NUMPY.items() if hasattr(found, "__wrapped__")})
    parts.append(
        "## Plain results\n\nTheir derivative is zero wherever there is one, so they return plain data: "
        + ", ".join(map(code, flat)) + ".\n"
    )  # fmt: skip
    return "\n".join(parts)


def lateness(op: Op) -> int:
    """The place of an op's package among those that are loaded in whichever order they are used; 0 for all others."""
    packages = [f"autograd_core{module}" for module in LATE.values()]
    return next((k for k, package in enumerate(packages, 1) if home(op).startswith(package)), 0)


def home(op: Op) -> str:
    """The module of `ops` that declares an op; none for those that users add, and for what only projects results."""
    if op.name == "pick":
        return ""
    for module, content in sys.modules.items():
        if module.startswith("autograd_core.ops.") and any(x is op for x in vars(content).values()):
            return module
    found = (getattr(rule, "__module__", None) or "" for rule in op.rules)
    return next((module for module in found if module.startswith("autograd_core.ops.")), "")


def is_composed(found: Any) -> bool:
    return not isinstance(found, Op) and not hasattr(found, "__wrapped__")


def numpy_names(op: Op) -> str:
    return ", ".join(code(full_name(function)) for function in op.numpy)


def form(op: Op) -> str:
    """The form, and what is unusual about the modes."""
    declared = op.form == "primitive" and any(getattr(op, name, None) for name in ("pushforwards", "pushforward"))
    return op.form + (", forward mode declared" if declared else "")


# Formulas -------------------------------------------------------------------------------------------------------------


def point(op: Op) -> tuple[list[Any], dict[str, Any]]:
    """The arrays and settings of the op's first sample; with zeros and ties, so that a rule shows every case it has."""
    rng = np.random.default_rng(0)
    if op.elementwise:
        arrays = [rng.uniform(*interval, (3, 4)) for interval in op.domain]
        for x, edges in zip(arrays, ([0.0, 0.0, 0.5, 0.5], [0.0, 0.5, 0.0, 0.5], [0.0, 0.5, 0.5, 0.0]), strict=False):
            x[0] = edges
        return arrays, {}
    given, settings = op.samples[0]
    unit = 1 + 1j if op.name in ("real", "imag", "conj") else 1
    return [unit * rng.uniform(-2, 2, x) if isinstance(x, tuple) else x for x in given], settings


def formula(op: Op) -> str:
    """The op itself, with the settings of the sample."""
    arrays, settings = point(op)
    return call(op, [name(letter) for letter in LETTERS[: len(arrays)]], [*(op.settings | settings).values()]).tex


def derivative(op: Op) -> str:
    """What the rule of each argument says."""
    arrays, settings = point(op)
    found = []
    for k, letter in enumerate(LETTERS[: len(arrays)]):
        rule = (op.rules * len(arrays))[k] if op.variadic else op.rules[k]
        if rule is None:
            continue
        written = rule_in_symbols(op, k, arrays, settings)
        symbol = rf"\partial {letter}" if op.elementwise else f"g_{letter}"
        if written:
            found.append(
                math(rf"\frac{{\partial q}}{{{symbol}}} = {written}" if op.elementwise else f"{symbol} = {written}")
            )
        else:
            found.append(f"{math(symbol)}: " + code(rule_name(op, rule)))
    return ", ".join(dict.fromkeys(found))


def rule_in_symbols(op: Op, k: int, arrays: list[Any], settings: dict[str, Any]) -> str:
    """The rule of argument k as LaTeX; nothing if it asks for what only numbers can answer, or is long."""
    chosen = list((op.settings | settings).values())
    symbols = [Symbol(letter, x) for letter, x in zip(LETTERS, arrays, strict=False)]
    rule: Any = op.each((*arrays, *chosen))[k] if op.variadic else op.rules[k]
    with np.errstate(all="ignore"):
        try:
            out = op.forward(*arrays, *chosen)
            g = Symbol("g", np.random.default_rng(1).uniform(1, 2, np.shape(out)) * (1j if np.iscomplexobj(out) else 1))
            before = [Symbol("q", out)] if op.elementwise or op.uses_out else []
            label = rule(*([] if op.elementwise else [g]), *before, *symbols, *chosen)
            written = as_number(lift(label)).phrase.tex
            return written if len(written) < LONGEST else ""
        except Exception:
            return ""


def rule_name(op: Op, rule: Any) -> str:
    """Where to read a rule that cannot be written in symbols."""
    written = getattr(rule, "__name__", "")
    return f"{home(op).rpartition('.')[2]}.py: {op.name if written in ('', '<lambda>') else written}"


# Notes ----------------------------------------------------------------------------------------------------------------


def notes(op: Op) -> str:
    """Where an op is tested, if that is not everywhere, and what its declaration says of it."""
    found = []
    if op.elementwise and any(tuple(interval) != FREE for interval in op.domain):
        within = [rf"{letter} \in [{low:g}, {high:g}]" for letter, (low, high) in zip(LETTERS, op.domain, strict=False)]
        found.append("tested for " + ", ".join(map(math, within)))
    if op.selects:
        found.append("selects: what it does not take gets an exact zero")
    doc = inspect.cleandoc(op.__doc__ or "")
    if doc != f"{op.name}, differentiable.":
        found.append(" ".join(doc.partition("\n\n")[0].partition(">>>")[0].split()).replace("|", r"\|").rstrip("."))
    return "; ".join(found)


def answer(asked: str) -> str:
    """What an expression evaluates to; nothing if there is no op for it yet."""
    names = {"np": np} | {n: getattr(autograd_core, n) for n in autograd_core.__all__}
    try:
        found = eval(asked, names)  # the expressions are those above
    except (TypeError, AttributeError):
        return ""
    return str(tuple(np.asarray(x).tolist() for x in found) if isinstance(found, tuple) else np.asarray(found).tolist())


# Markdown -------------------------------------------------------------------------------------------------------------


def math(tex: str) -> str:
    r"""LaTeX as GitHub takes it in a table.

    A bar would end the cell, and \operatorname is not among its macros.
    """
    tex = tex.replace(r"\operatorname", r"\mathrm")
    for sign, macro in SPELLED:
        tex = re.sub(rf" *{sign} *", lambda _, macro=macro: f" {macro} ", tex)  # type: ignore[misc]
    return f"$`{tex.strip()}`$"


def code(text: str) -> str:
    return "`" + text.replace("|", r"\|") + "`"


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, [":--"] * len(head), *rows]) + "\n"


def cells(line: str) -> Iterator[str]:
    """The cells of a table's line, as Markdown splits it."""
    return (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1])


if __name__ == "__main__":
    main()
