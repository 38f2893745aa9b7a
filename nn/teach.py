"""One step of backpropagation as the textbooks print it: a table of everything that is computed by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient, vjp

from .aliases import Array
from .layers import Linear, Sequential, with_ones

MOST_ROWS = 24
"""How many rows of a table are shown."""


@dataclass(frozen=True)
class LayerStep:
    """What one layer of weights computes and changes in a step. Each row of an array is a sample."""

    name: str
    """What the weights are called, such as w¹; the units are those of the layer that they lead to."""

    net: Array
    """The net inputs z = a w + b, where a are the outputs of the layer before, or the inputs x."""

    output: Array
    """The outputs a = f(z)."""

    error: Array
    """∂E/∂a: at the output of the network (a - y) / n, in a hidden layer Σ δ w over the units of the next."""

    delta: Array
    """δ = ∂E/∂z = ∂E/∂a · f'(z)."""

    weight: Array
    """Of a layer whose bias is folded in, the bias is the first row: row 0, with the output a₀ = 1."""

    weight_gradient: Array
    """∂E/∂w = Σ a δ over the samples, with the a of the layer before."""

    weight_change: Array
    """Δw = -lr ∂E/∂w; zero for a frozen weight, which is plain data."""

    bias: Array | None
    bias_gradient: Array | None
    bias_change: Array | None
    folded: bool = False


@dataclass(frozen=True)
class TrainingStep:
    """One step of gradient descent in numbers: `print` it, take its `latex`, or let Jupyter set it."""

    loss: float
    lr: float
    layers: tuple[LayerStep, ...]

    def __str__(self) -> str:
        parts = [f"E = {number(self.loss)}, learning rate {number(self.lr)}"]
        for k, layer in enumerate(self.layers, start=2):
            parts.append("\n".join([f"Layer {k}, forward and backward", *text_table(UNITS, list(unit_rows(layer)))]))
            parts.append("\n".join(["Its weights", *text_table(WEIGHTS, list(weight_rows(layer)))]))
        return "\n\n".join(parts)

    __repr__ = __str__

    @property
    def latex(self) -> str:
        """The tables as LaTeX, without dollar signs."""
        head = rf"E = {number_tex(self.loss)}, \quad \eta = {number_tex(self.lr)}"
        parts = [head]
        for k, layer in enumerate(self.layers, start=2):
            units, weights = latex_table(UNITS, list(unit_rows(layer))), latex_table(WEIGHTS, list(weight_rows(layer)))
            parts.append(rf"\textbf{{Layer {k}, forward and backward}} \\" + "\n" + units)
            parts.append(r"\textbf{Its weights} \\" + "\n" + weights)
        return "\\begin{array}{l}\n" + " \\\\ \\\\\n".join(parts) + "\n\\end{array}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def explain_training_step(model: Sequential, x: Any, y: Any, lr: float) -> TrainingStep:
    """What one step of gradient descent computes, in the order in which one does it by hand.

    The cost is E = 1/(2n) Σ (a - y)², summed over the outputs, for n samples. Forward, every layer has its net inputs
    z = a w + b, from the outputs a of the layer before (at first the inputs x), and its outputs a = f(z). Backward, the
    errors ∂E/∂a become δ = ∂E/∂a · f'(z), then ∂E/∂w = Σ a δ, again with the a of the layer before, and the change of a
    weight is Δw = -lr ∂E/∂w. All layers change at once: the δ are those of the old weights. The model itself is not
    changed, nor its gradients.

    Parameters
    ----------
    model
        An `MLP`, or a `Sequential` of `Linear` layers with functions between them.
    x, y
        A sample (one row) or a batch of them, and the outputs that they should have.
    lr
        The learning rate.

    Raises
    ------
    TypeError
        If the model is something else.
    ValueError
        If the shapes do not fit.

    >>> from nn import MLP
    >>> model = MLP([2, 1], rng=0)
    >>> model.layers[0].weight.data[:] = [[0.5], [-0.5]]
    >>> explain_training_step(model, [1.0, 0.0], [1.0], lr=1.0)
    E = 0.07127, learning rate 1
    <BLANKLINE>
    Layer 2, forward and backward
      unit  net input z  output a  error ∂E/∂a  δ = ∂E/∂z
         1          0.5    0.6225      −0.3775   −0.08872
    <BLANKLINE>
    Its weights
      weight  value  ∂E/∂w = Σ a δ  change Δw      new
        w¹₁₁    0.5       −0.08872    0.08872   0.5887
        w¹₂₁   −0.5              0          0     −0.5
         b¹₁      0       −0.08872    0.08872  0.08872

    Rumelhart, Hinton and Williams, *Learning internal representations by error propagation*, 1986.
    """
    x, y = np.atleast_2d(np.asarray(stop_gradient(x), float)), np.asarray(stop_gradient(y), float)
    stages, outputs = [], x
    for linear, functions in in_layers(model):
        before, net = outputs, np.asarray(stop_gradient(linear(outputs)))
        outputs, back = vjp(through(functions), net)
        stages.append((linear, before, net, outputs, back))
    y = y if y.shape == outputs.shape else np.atleast_2d(y)
    if y.shape != outputs.shape:
        raise ValueError(f"explain_training_step: the outputs have shape {outputs.shape}, and y has {y.shape}")
    error, steps = (outputs - y) / len(y), []
    loss = float(np.sum((outputs - y) ** 2) / (2 * len(y)))
    for k, (linear, before, net, output, back) in reversed([*enumerate(stages, start=1)]):
        (delta,) = back(error)
        steps.append(layer_step(k, linear, before, net, output, error, delta, lr))
        error = (delta @ np.asarray(stop_gradient(linear.weight)).T)[:, linear.folded :]  # no error for a₀ = 1
    return TrainingStep(loss, lr, tuple(reversed(steps)))


def in_layers(model: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The layers of weights, each with the functions that follow it."""
    layers = list(model.layers) if isinstance(model, Sequential) else []
    if not layers or not isinstance(layers[0], Linear):
        raise TypeError(
            f"explain_training_step takes an MLP, or a Sequential that begins with a Linear; not {type(model).__name__}"
        )
    starts = [k for k, layer in enumerate(layers) if isinstance(layer, Linear)]
    for begin, end in zip(starts, [*starts[1:], len(layers)], strict=True):
        yield layers[begin], layers[begin + 1 : end]


def through(functions: list[Any]) -> Any:
    """Functions one after the other, as a function of plain data or Values."""

    def run(z: Any) -> Any:
        for function in functions:
            z = function(z)
        return z

    return run


def layer_step(
    k: int, linear: Linear, before: Array, net: Array, output: Array, error: Array, delta: Array, lr: float
) -> LayerStep:
    """The gradients and changes of one layer."""
    inputs = with_ones(before) if linear.folded else before
    weight, gradient = np.array(stop_gradient(linear.weight)), inputs.T @ delta
    bias = None if linear.bias is None else np.array(stop_gradient(linear.bias))
    sums = None if bias is None else delta.sum(axis=0)
    return LayerStep(
        name=f"w{k}".translate(RAISED),
        net=net,
        output=np.array(output),
        error=error,
        delta=delta,
        weight=weight,
        weight_gradient=gradient,
        weight_change=-lr * gradient * isinstance(linear.weight, Value),
        bias=bias,
        bias_gradient=sums,
        bias_change=None if sums is None else -lr * sums * isinstance(linear.bias, Value),
        folded=linear.folded,
    )


# Tables ---------------------------------------------------------------------------------------------------------------

DIGITS, SUPERSCRIPTS, SUBSCRIPTS = "0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
RAISED, LOWERED = str.maketrans(DIGITS, SUPERSCRIPTS), str.maketrans(DIGITS, SUBSCRIPTS)
PLAIN = dict(zip(SUPERSCRIPTS + SUBSCRIPTS, DIGITS * 2, strict=True))

Heads = tuple[tuple[str, str], ...]
UNITS: Heads = (
    ("unit", r"\text{unit}"),
    ("net input z", r"\text{net input } z"),
    ("output a", r"\text{output } a"),
    ("error ∂E/∂a", r"\text{error } \partial E / \partial a"),
    ("δ = ∂E/∂z", r"\delta = \partial E / \partial z"),
)
WEIGHTS: Heads = (
    ("weight", r"\text{weight}"),
    ("value", r"\text{value}"),
    ("∂E/∂w = Σ a δ", r"\partial E / \partial w = \sum a \, \delta"),
    ("change Δw", r"\text{change } \Delta w"),
    ("new", r"\text{new}"),
)
"""The columns of the two tables, as text and as LaTeX."""

Row = tuple[str, ...]


def unit_rows(layer: LayerStep) -> Iterator[Row]:
    """A row for every unit; of a batch, for every unit of every sample."""
    for i, j in np.ndindex(layer.net.shape):
        place = str(j + 1) if len(layer.net) == 1 else f"{j + 1} of sample {i + 1}"
        yield (place, *(number(a[i, j]) for a in (layer.net, layer.output, layer.error, layer.delta)))


def weight_rows(layer: LayerStep) -> Iterator[Row]:
    """A row for every weight and bias."""
    for i, j in np.ndindex(layer.weight.shape):
        comma = "," if max(layer.weight.shape) > 9 else ""
        place = f"{i + 1 - layer.folded}{comma}{j + 1}".translate(LOWERED)
        parts = layer.weight[i, j], layer.weight_gradient[i, j], layer.weight_change[i, j]
        yield (layer.name + place, *map(number, parts), number(parts[0] + parts[2]))
    if layer.bias is not None and layer.bias_gradient is not None and layer.bias_change is not None:
        for j, (b, g, change) in enumerate(zip(layer.bias, layer.bias_gradient, layer.bias_change, strict=True)):
            called = f"b{layer.name[1:]}" + str(j + 1).translate(LOWERED)
            yield (called, number(b), number(g), number(change), number(b + change))


def shown(rows: list[Row]) -> tuple[list[Row], str]:
    """The rows that there is place for, and a remark about the others."""
    more = len(rows) - MOST_ROWS
    return rows[:MOST_ROWS], f"… and {more:,} more rows" if more > 0 else ""


def text_table(heads: Heads, rows: list[Row]) -> list[str]:
    """The lines of a table, flush right."""
    rows, remark = shown(rows)
    table = [tuple(text for text, _ in heads), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return [*lines, *(["  " + remark] if remark else [])]


def latex_table(heads: Heads, rows: list[Row]) -> str:
    """The table as an array with a line under its head."""
    rows, remark = shown(rows)
    lines = [" & ".join(tex for _, tex in heads) + r" \\ \hline"]
    lines += [" & ".join(map(cell_tex, row)) + r" \\" for row in rows]
    lines += [rf"\text{{{remark}}} \\"] if remark else []
    return f"\\begin{{array}}{{{'r' * len(heads)}}}\n" + "\n".join(lines) + "\n\\end{array}"


def number(x: Any) -> str:
    """A number to four digits, with a real minus sign."""
    mantissa, e, exponent = f"{float(x) + 0.0:.4g}".partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", "−")


def number_tex(x: Any) -> str:
    """The same in LaTeX."""
    return cell_tex(number(x))


def cell_tex(cell: str) -> str:
    """A cell in LaTeX: the name of a weight with its indices, a number, or words."""
    if cell[0] in "wb":
        raised = "".join(PLAIN[c] for c in cell[1:] if c in SUPERSCRIPTS)
        lowered = "".join(PLAIN.get(c, c) for c in cell[1:] if c not in SUPERSCRIPTS)
        return f"{cell[0]}^{{{raised}}}_{{{lowered}}}"
    mantissa, e, exponent = cell.replace("−", "-").partition("e")
    if "sample" in cell:
        return rf"\text{{{cell}}}"
    if mantissa in ("nan", "inf", "-inf"):
        return {"nan": r"\text{nan}", "inf": r"\infty", "-inf": r"-\infty"}[mantissa]
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa
