"""Classifier and regressor as scikit-learn has them, on this package's layers, losses, optimizers and `fit`.

Parameters and attributes have the names and the meaning that they have in `sklearn.neural_network`, and one
`random_state` gives the initial weights and the order of the samples that it gives there. So both learn the same, to
rounding.

What differs: there is one parameter more, `compiled`, and `activation` may be any name in `nn.activations`; a regressor
has no `loss`, it minimises the squared error. `model_` is the network, an `nn.MLP` whose outputs are logits: to draw,
explain or save. With several outputs the loss is what is minimised, the sum over the outputs, half their mean square
there; so `tol` is compared with other numbers. `verbose` shows the progress bar of `fit`. Sparse matrices, negative
weights and data of one class are refused, and so are other hidden layers with `warm_start`. `coefs_` and `intercepts_`
are tuples of the network's own arrays.
"""

from typing import Any, Self

import numpy as np

from autograd_core import log_softmax, sigmoid, softmax, softplus

from .aliases import Array
from .binary import binary_cross_entropy_with_logits
from .extras import require
from .losses import cross_entropy, half_mse_loss
from .perceptron import Perceptron

require("sklearn", extra="learn")
from sklearn.base import ClassifierMixin, RegressorMixin  # noqa: E402
from sklearn.metrics import accuracy_score, r2_score  # noqa: E402
from sklearn.utils.metaestimators import available_if  # noqa: E402
from sklearn.utils.multiclass import type_of_target  # noqa: E402


def solver_is_stochastic(estimator: Any) -> bool:
    """Whether there is a `partial_fit`; if not, an AttributeError that says why."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='adam' or 'sgd': lbfgs takes all the data at once")
    return True


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multi-layer perceptron that says which class a sample is of, or which labels it has.

    Two classes have one logistic output, more classes a softmax, and several labels (y of shape (n, k), zeros and ones)
    a logistic output each. The loss is -log p(class), in the mean over the samples.

    Parameters
    ----------
    hidden_layer_sizes, activation
        The numbers of hidden units, and their function: "logistic", or a name in `nn.activations`.
    solver
        "adam", "sgd", or "lbfgs": all the data at once, for small sets.
    alpha
        The penalty alpha / 2 Σ w², divided by the number of samples in the batch.
    batch_size, shuffle, max_iter
        "auto" is min(200, n); whether each epoch has an order of its own; how many epochs, or L-BFGS's steps, at most.
    learning_rate_init, learning_rate, power_t
        The rate; for "sgd" it stays "constant", falls with "invscaling", or is divided by 5 when nothing improves
        ("adaptive").
    momentum, nesterovs_momentum, beta_1, beta_2, epsilon, max_fun
        Of SGD, Adam and L-BFGS.
    tol, n_iter_no_change
        Stop when for so many epochs the loss has not fallen by more than tol.
    early_stopping, validation_fraction
        Look at the score of a part that is held out instead of at the loss, and go back to the best weights.
    random_state, warm_start, verbose
        The seed; whether `fit` goes on from the weights there are, with data of those classes or of some of them
        (scikit-learn wants all); whether there is a progress bar.
    compiled
        Whether steps are machine code (extra `fast`), as in `nn.fit`; scikit-learn has no such parameter. By default,
        in long trainings. True pays where networks of one shape are trained several times, as in a cross-validation:
        their program is compiled once.

    Attributes
    ----------
    model_
        The network.
    classes_, coefs_, intercepts_, out_activation_, n_layers_, n_outputs_, n_features_in_, feature_names_in_
        What was learnt, and its shape.
    loss_, loss_curve_, best_loss_, n_iter_, t_, validation_scores_, best_validation_score_
        How it went.

    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["even", "odd", "odd", "even"]
    >>> MLPClassifier((5,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y).predict(X)
    array(['even', 'odd', 'odd', 'even'], dtype='<U4')
    """

    def encoded(self, y: Array, again: bool, classes: Any) -> Array:
        """Targets as the loss takes them: the number of the class, or zeros and ones in columns."""
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise ValueError(f"Unknown label type: y is {kind}; give classes, or for several labels rows of 0 and 1")
        labels = np.arange(y.shape[1]) if kind == "multilabel-indicator" else np.unique(y)
        if not again:
            self.classes_ = labels if classes is None else np.unique(classes)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y has one class only, {self.classes_.tolist()}: a classifier needs at least two classes"
                )
            self.multilabel_ = kind == "multilabel-indicator"
            binary = len(self.classes_) == 2 and not self.multilabel_
            self.n_outputs_ = 1 if binary else len(self.classes_)
            self.out_activation_ = "logistic" if binary or self.multilabel_ else "softmax"
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown) or self.multilabel_ != (kind == "multilabel-indicator"):
            raise ValueError(
                f"y has labels {labels.tolist()}, and what was learnt are the classes {self.classes_.tolist()}"
            )
        if self.multilabel_:
            return y
        numbers = np.searchsorted(self.classes_, y)
        return numbers[:, None] if self.n_outputs_ == 1 else numbers

    def loss_and_factor(self) -> tuple[Any, float]:
        """-log p(class) in the mean over the samples; of several labels, the sum."""
        softmax = self.out_activation_ == "softmax"
        return (cross_entropy, 1) if softmax else (binary_cross_entropy_with_logits, self.n_outputs_)

    def decided(self, outputs: Array) -> Array:
        """Outputs as targets: what is likeliest."""
        return outputs.argmax(axis=1) if self.out_activation_ == "softmax" else (outputs > 0).astype(int)

    def score_of(self, X: Array, target: Array, sample_weight: Any = None) -> float:
        """The accuracy on checked data."""
        return float(accuracy_score(target, self.decided(self.forward(X)), sample_weight=sample_weight))

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Learn for one epoch, going on from where this is; the first time with all `classes` that will be met.

        Raises
        ------
        ValueError
            As `fit`; or if the classes are missing the first time, or others than then; or with early_stopping.
        """
        again = hasattr(self, "model_")
        if not again and classes is None and not type_of_target(y).startswith("multilabel"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if again and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} is not the same as before, which was {self.classes_!r}")
        return self.learn(X, y, sample_weight, again=again, once=True, classes=classes)

    def predict(self, X: Any) -> Array:
        """The class of each sample, or for several labels rows of zeros and ones."""
        decided = self.decided(self.outputs(X))
        return decided if self.multilabel_ else self.classes_[decided.ravel()]

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class in `classes_`, of shape (n, k); of each label, if there are several."""
        z = self.outputs(X)
        if self.out_activation_ == "softmax":
            return np.asarray(softmax(z))
        return np.asarray(sigmoid(z)) if self.multilabel_ else np.asarray(sigmoid(np.concatenate([-z, z], axis=1)))

    def predict_log_proba(self, X: Any) -> Array:
        """Its logarithm, which is finite where the probability is rounded to 0."""
        z = self.outputs(X)
        if self.out_activation_ == "softmax":
            return np.asarray(log_softmax(z))
        return np.asarray(-softplus(-z)) if self.multilabel_ else np.asarray(-softplus(np.concatenate([z, -z], axis=1)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multi-layer perceptron that says a number for each sample, or several, y being of shape (n,) or (n, k).

    The loss is half the squared error, summed over the outputs, in the mean over the samples. Scale the targets, or
    what is learnt first is how large they are: `sklearn.compose.TransformedTargetRegressor` does that.

    Parameters and attributes are those of `MLPClassifier`, but for `classes_`.

    >>> X, y = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 50) ** 2
    >>> MLPRegressor((20,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y).score(X, y) > 0.99
    True
    """

    out_activation_ = "identity"

    def encoded(self, y: Array, again: bool, classes: Any) -> Array:
        """Targets as the loss takes them: numbers in columns."""
        target = y if y.ndim == 2 else y[:, None]
        if again and target.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {target.shape[1]} columns, and what was learnt has {self.n_outputs_} outputs")
        self.n_outputs_ = target.shape[1]
        return target

    def loss_and_factor(self) -> tuple[Any, float]:
        """Half the squared error."""
        return half_mse_loss, 1

    def score_of(self, X: Array, target: Array, sample_weight: Any = None) -> float:
        """R² on checked data, or nan if what comes out is not finite."""
        outputs = self.forward(X)
        return float(r2_score(target, outputs, sample_weight=sample_weight)) if np.isfinite(outputs).all() else np.nan

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn for one epoch, going on from where this is.

        Raises
        ------
        ValueError
            As `fit`; or with early_stopping.
        """
        return self.learn(X, y, sample_weight, again=hasattr(self, "model_"), once=True)

    def predict(self, X: Any) -> Array:
        """The number for each sample, of shape (n,), or (n, k) for several outputs."""
        outputs = self.outputs(X)
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
