"""Plots of a training, and of what it led to. They need Matplotlib (extra `plot`)."""

from typing import Any

import numpy as np

from autograd_core import stop_gradient

from .aliases import Array
from .extras import require

TRAINING, VALIDATION = "#1f77b4", "#d95f02"
"""The colours of the two kinds of data in all panels."""

MANY = 10.0
"""A column whose numbers span more than so many times the least is drawn on a logarithmic scale."""

MANY_CURVES = 6
"""The legend of more curves stands beside the panel, where it hides none of them."""


def plot_history(history: Any, figure: Any = None) -> Any:
    """Draw what there is of loss, metrics, learning rate and gradient norms of a `History`, a panel each.

    A learning rate that never changes gets no panel.

    Parameters
    ----------
    figure
        The Matplotlib Figure to draw into; without one, pyplot makes it.

    Raises
    ------
    ValueError
        If there is no epoch to draw.
    ImportError
        If Matplotlib is not installed.
    """
    panels = panels_of(history)
    rows = 1 if len(panels) < 3 else -(-len(panels) // 2)
    columns = -(-len(panels) // rows)
    if figure is None:
        plt = require("matplotlib.pyplot", extra="plot")
        figure = plt.figure(figsize=(5.2 * columns, 3.4 * rows), layout="constrained")
    for place, (title, curves) in enumerate(panels.items(), start=1):
        draw_panel(figure.add_subplot(rows, columns, place), title, curves)
    return figure


def panels_of(history: Any) -> dict[str, dict[str, tuple[float, ...]]]:
    """The curves of each panel by their labels."""
    if not len(history):
        raise ValueError("the history is empty: there is no epoch to draw")
    panels = {"loss": pair(history, "loss")}
    for name in history.metrics:
        training = name.removeprefix("validation_")
        panels.setdefault(training, pair(history, training))
    if len({*history.learning_rate}) > 1:
        panels["learning rate"] = {"": history.learning_rate}
    if history.gradient_norm:
        panels["gradient norm per layer"] = history.gradient_norm
    return panels


def pair(history: Any, name: str) -> dict[str, tuple[float, ...]]:
    """The columns of training and of validation data."""
    names = {"training": name, "validation": f"validation_{name}"}
    return {label: history[column] for label, column in names.items() if column in history}


def draw_panel(ax: Any, title: str, curves: dict[str, tuple[float, ...]]) -> None:
    """Curves over the epochs, with a legend if there are several, and a dot at the least validation loss."""
    depths = require("matplotlib", extra="plot").colormaps["viridis"](np.linspace(0.0, 0.85, len(curves)))
    for depth, (label, numbers) in zip(depths, curves.items(), strict=True):
        colour = {"training": TRAINING, "validation": VALIDATION, "": "#444444"}.get(label, depth)
        epochs = range(1, len(numbers) + 1)
        ax.plot(epochs, numbers, label=label, color=colour, linewidth=1.6, marker="." if len(numbers) < 3 else None)
    if title == "loss" and "validation" in curves:
        losses = curves["validation"]
        best = int(np.argmin(losses))
        ax.plot([best + 1], [losses[best]], "o", color=VALIDATION, label=f"least, in epoch {best + 1}")
    set_scale(ax, np.concatenate([np.asarray(numbers) for numbers in curves.values()]))
    ax.set_title(title, loc="left", fontsize=11)
    ax.set_xlabel("epoch")
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.margins(x=0.02)
    ax.grid(color="#e6e6e6", linewidth=0.7)
    ax.spines[["top", "right"]].set_visible(False)
    if len(curves) > MANY_CURVES:
        ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif len(curves) > 1:
        ax.legend(frameon=False, fontsize=9)


def set_scale(ax: Any, numbers: Array) -> None:
    """A logarithmic scale for numbers of different magnitudes, with plain figures at 1, 2 and 5 if they are few."""
    least, most = float(numbers.min()), float(numbers.max())
    if not 0 < least * MANY < most < np.inf:
        return
    ticker = require("matplotlib.ticker", extra="plot")
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if most < 100 * least else (1.0,)))
    ax.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())


def plot_decision_boundary(model: Any, x: Any, y: Any, ax: Any = None, *, threshold: float = 0.5) -> Any:
    """Where in the plane a model sees which class, with the samples of the data.

    Parameters
    ----------
    model
        A function of points of shape (n, 2): its largest output is the class; a single output, of shape (n, 1) or
        (n,), says class 1 where it is above the threshold.
    x, y
        Samples of shape (n, 2), and their classes: labels, a column of them, or one-hot rows.
    ax
        Matplotlib's Axes to draw into; without them, pyplot makes some.
    threshold
        For a single output: 0.5 for probabilities, 0 for logits.

    Returns
    -------
    The Axes.

    Raises
    ------
    ValueError
        If the samples do not have two columns, if there are not as many classes as samples, if these are not 0, 1, ...;
        or if the model says classes, as scikit-learn's `predict` does: give it `predict_proba`.
    """
    x, labels = np.asarray(x), classes_of(y)
    if x.ndim != 2 or x.shape[1] != 2 or len(labels) != len(x):
        raise ValueError(
            f"plot_decision_boundary: samples of shape (n, 2) and n classes are needed, not {x.shape} and {np.shape(y)}"
        )
    if labels.min() < 0:
        raise ValueError(f"plot_decision_boundary: classes are 0, 1, ..., and one is {labels.min()}")
    if ax is None:
        _, ax = require("matplotlib.pyplot", extra="plot").subplots(figsize=(5.2, 4.4), layout="constrained")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1.0)
    first, second = (np.linspace(a, b, 250) for a, b in zip(low - margin, high + margin, strict=True))
    points = (
        np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2).astype(x.dtype if x.dtype.kind == "f" else float)
    )
    out = np.asarray(stop_gradient(model(points))).reshape(len(points), -1)
    if out.shape[1] == 1 and out.dtype.kind not in "bf" and not np.isin(out, (0, 1)).all():
        raise ValueError(
            "plot_decision_boundary: the model says which class, and how sure it is of each is wanted: give "
            "predict_proba instead of predict"
        )
    colours = np.array(require("matplotlib", extra="plot").colormaps["tab10"].colors)
    scores = out if out.shape[1] > 1 else np.hstack([threshold - out, out - threshold])
    shade_regions(ax, first, second, scores, colours)
    for label in np.unique(labels):
        chosen = x[labels == label]
        ax.scatter(
            *chosen.T,
            s=22,
            color=colours[label % len(colours)],
            edgecolors="white",
            linewidths=0.6,
            label=f"class {label}",
        )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))
    ax.legend(loc="best", fontsize=9)
    return ax


def shade_regions(ax: Any, first: Array, second: Array, scores: Array, colours: Array) -> None:
    """Colour each point of a grid by the class of its largest score, and draw the lines where two of them are equal."""
    shape = (len(second), len(first))
    predicted = scores.argmax(axis=1)
    mixed = 1 - 0.28 * (1 - colours[predicted % len(colours)])
    extent = (first[0], first[-1], second[0], second[-1])
    ax.imshow(mixed.reshape(*shape, 3), extent=extent, origin="lower", aspect="auto", interpolation="nearest")
    for k in np.unique(predicted)[1:] if scores.shape[1] == 2 else np.unique(predicted):
        lead = scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)
        if lead.min() < 0 < lead.max():
            ax.contour(first, second, lead.reshape(shape), levels=[0.0], colors="#444444", linewidths=1.1)


def plot_confusion_matrix(prediction: Any, labels: Any, ax: Any = None, *, names: Any = None) -> Any:
    """How often a class (a row) was taken for which (a column), by scikit-learn's ConfusionMatrixDisplay.

    Parameters
    ----------
    prediction
        The outputs, of shape (n, k), whose largest is the class; or classes of shape (n,).
    labels
        The true classes: labels, or one-hot rows.
    ax
        Matplotlib's Axes to draw into; without them, pyplot makes some.
    names
        What to call the classes 0, 1, ...; without them, only classes that occur are shown.

    Returns
    -------
    The Axes.

    Raises
    ------
    ValueError
        If a class is no integer, or has no name.
    TypeError
        If a model is given, and not its predictions.
    ImportError
        If Matplotlib or scikit-learn (extra `learn`) is not installed.
    """
    pyplot, metrics = require("matplotlib.pyplot", extra="plot"), require("sklearn.metrics", extra="learn")
    truth, predicted = classes_of(labels), classes_of(stop_gradient(prediction))
    classes = None if names is None else np.arange(len(names))
    unnamed: Any = [] if classes is None else np.setdiff1d(np.concatenate([truth, predicted]), classes)
    if len(unnamed):
        raise ValueError(
            f"names are those of the classes 0, 1, ..., {len(names) - 1}, and there is a class {unnamed[0]}"
        )
    if ax is None:
        _, ax = pyplot.subplots(figsize=(5.2, 4.6), layout="constrained")
    shown = metrics.ConfusionMatrixDisplay.from_predictions(
        truth, predicted, labels=classes, display_labels=names, ax=ax, cmap="Blues", colorbar=False
    )
    for (row, column), count in np.ndenumerate(shown.confusion_matrix):
        if not count:
            shown.text_[row, column].set_visible(False)  # zeros would hide the mistakes
        elif row != column:
            shown.text_[row, column].set(color="#c0392b", fontweight="bold")
    right = float(np.mean(truth == predicted))
    ax.set_title(f"{right:.1%} of {len(truth)} right", loc="left", fontsize=11)
    ax.set(xlabel="predicted", ylabel="true")
    return ax


def classes_of(given: Any) -> Array:
    """Classes as integers: one-hot rows, and outputs, by their largest; a column as the numbers in it."""
    if callable(given) or callable(getattr(given, "predict", None)):
        raise TypeError(f"predictions are wanted, not the {type(given).__name__}: write model(x), or its predict(x)")
    array: Array = np.asarray(given)
    if array.ndim == 2 and array.shape[1] > 1:
        return np.asarray(array.argmax(axis=1))
    if array.dtype.kind not in "biuf" or (array != (classes := array.astype(int))).any():
        raise ValueError(
            "classes are integers: of a single output's probabilities p write p > 0.5, of names their numbers"
        )
    return classes.reshape(len(array))
