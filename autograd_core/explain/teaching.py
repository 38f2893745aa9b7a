"""What people ask for: the expression of a Value, and the derivation of a gradient, as text and as LaTeX.

What writes them is imported when it is first asked for, so that `import autograd_core` stays quick.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..value import Value

if TYPE_CHECKING:
    from .board import Block


class Formula(str):
    """LaTeX of an expression; `text` is the same in plain characters. It is set as mathematics in Jupyter."""

    text: str

    @property
    def latex(self) -> str:
        """The LaTeX, without dollar signs."""
        return str(self)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self}$"


class Derivation:
    """A derivation as on a board: `print` it, take its `latex`, or let Jupyter set it.

    `gradient` is the number that it arrives at; of a model, a dictionary of them by the names of the parameters.
    """

    def __init__(self, blocks: "Sequence[Block]", gradient: Any) -> None:
        self.blocks = blocks
        self.gradient = gradient

    def __str__(self) -> str:
        from .board import text_of

        return text_of(self.blocks)

    __repr__ = __str__

    @property
    def latex(self) -> str:
        """The LaTeX, without dollar signs, for any place that takes an equation (amsmath, MathJax, KaTeX)."""
        from .board import latex_of

        return latex_of(self.blocks)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def latex(x: Value, *, names: Mapping[str, Any] | None = None) -> Formula:
    r"""The expression that a Value was computed by, as LaTeX.

    It is written out down to the leaves. In one of more than a hundred operations, those farthest from the result stand
    under their names: `name=`, those in `names`, or v1, v2, ...

    Parameters
    ----------
    x
        A Value.
    names
        What to call Values and arrays that have no name of their own: a dictionary such as `locals()`.

    Returns
    -------
    Formula
        A string, with the same formula in plain characters as its `text`. Jupyter shows it as mathematics.

    Raises
    ------
    TypeError
        If x is not a Value.

    >>> w, x = Value(0.5, name="w1"), Value(2.0, name="x")
    >>> a = sigmoid(w * x)
    >>> latex((a - 1) ** 2 / 2)
    '\\frac{{\\left(\\sigma(w_{1} \\, x) - 1\\right)}^{2}}{2}'
    >>> _.text
    '(σ(w1·x) − 1)²/2'
    """
    from .expression import expression
    from .names import read

    check("latex", x, names)
    phrase = expression(read(x, names))
    formula = Formula(phrase.tex)
    formula.text = phrase.text
    return formula


def explain(loss: Value, of: Any, *, names: Mapping[str, Any] | None = None) -> Derivation:
    """The chain rule for one variable, or for all parameters of a model, as a person writes it on a board.

    For a variable, the sum over all paths from it to the loss of the products of partial derivatives: in symbols, with
    the formula of each local derivative, with numbers, and the result. Of arrays the partial derivatives are Jacobians;
    their product is written with transposes, ⊙ (the product of elements) and sums, and the gradient of every step
    follows from those of the operations that use it: ∂C/∂u = Σ ∂C/∂v · ∂v/∂u. So it does, too, where there are more
    than 20 paths, or long ones. Where some steps have names, those that have none and are used once go into the formula
    of the next. For a model, δ is the gradient of the operations that take its parameters, and every
    formula is in terms of these; for a small one, each element follows.

    Powers and functions of arrays act on each element. Every number is the one that `loss.backward()` would find; every
    formula is what the op's rule says when it is called with symbols. Nothing in the graph is computed or changed.

    Parameters
    ----------
    loss
        A Value that is a single number.
    of
        A Value that it was computed from, or a model: anything that has `named_parameters()`.
    names
        What to call Values and arrays that have no name of their own: a dictionary such as `locals()`.

    Returns
    -------
    Derivation
        Its text is its `str`, `latex` is its LaTeX, `gradient` the number it arrives at, and Jupyter shows it.

    Raises
    ------
    TypeError
        If the loss is not a Value, or `of` neither a Value nor a model.
    ValueError
        If the loss is not a single number, or the model has no parameters.
    RuntimeError
        If data changed after the loss was computed from them.

    >>> w, x = Value(0.5, name="w"), Value(3.0, name="x")
    >>> z = w * x
    >>> C = (z - 1.0) ** 2
    >>> explain(C, w, names=locals())
    Forward
      w = 0.5
      x = 3
      z = w·x = 1.5
      C = (z − 1)² = 0.25
    <BLANKLINE>
    Chain rule
      ∂C/∂w = ∂C/∂z · ∂z/∂w
            = 2(z−1) · x
            = 1 · 3
            = 3

    Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
    """
    from .derivation import derive
    from .names import read

    check("explain", loss, names)
    if loss.shape:
        raise ValueError(
            f"explain needs a single number to differentiate, and this Value has the shape {loss.shape}: "
            "explain(v.sum(), x), or a single element, explain(v[0], x)"
        )
    if type(of) is Value:
        return Derivation(*derive(read(loss, names, result="C"), of, names or {}))
    if not hasattr(of, "named_parameters"):
        raise TypeError(
            f"explain(loss, x) takes a Value x, or a model with named_parameters(); a {type(of).__name__} is neither"
        )
    from .recursion import derive_model

    parameters = dict(of.named_parameters())
    if not parameters:
        raise ValueError(f"this {type(of).__name__} has no parameters: those that are Values are trained")
    return Derivation(*derive_model(loss, parameters, names or {}))


def check(function: str, x: Any, names: Any) -> None:
    """Both take a Value and a dictionary."""
    if type(x) is not Value:
        raise TypeError(
            f"{function} takes a Value, the result of operations on Values; a {type(x).__name__} has no graph"
        )
    if names is not None and not isinstance(names, Mapping):
        raise TypeError("names is a dictionary from names to Values and arrays, such as locals()")
