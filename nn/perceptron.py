"""What the two estimators share: the parameters, their checks, and how they learn."""

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from autograd_core import no_grad

from .activations import ACTIVATIONS
from .aliases import Array
from .checks import weights
from .extras import require
from .full_batch import minimize_loss
from .layers import MLP, Linear
from .losses import place
from .optim import Optimizer
from .sgd import SGD
from .train import fit
from .watch import Cost, ScikitAdam, Shuffled, Watch

require("sklearn", extra="learn")
from sklearn.base import BaseEstimator, is_classifier, is_regressor  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.utils import check_random_state  # noqa: E402
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data  # noqa: E402


def is_integer(x: Any) -> bool:
    """Whether this is an integer, of Python or of NumPy."""
    return isinstance(x, (int, np.integer))


ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("alpha", "tol", "power_t"), (lambda x: 0 <= x < np.inf, "a number that is not negative")),
    **dict.fromkeys(("learning_rate_init", "epsilon"), (lambda x: 0 < x < np.inf, "a positive number")),
    **dict.fromkeys(("beta_1", "beta_2", "validation_fraction"), (lambda x: 0 <= x < 1, "at least 0 and less than 1")),
    **dict.fromkeys(("max_iter", "max_fun"), (lambda x: x >= 1 and is_integer(x), "a positive integer")),
    **dict.fromkeys(
        ("shuffle", "warm_start", "early_stopping", "nesterovs_momentum"),
        (lambda x: isinstance(x, (bool, np.bool_)), "True or False"),
    ),
    "momentum": (lambda x: 0 <= x <= 1, "between 0 and 1"),
    "n_iter_no_change": (lambda x: x >= 1, "at least 1"),
    "batch_size": (lambda x: x == "auto" or (x >= 1 and is_integer(x)), "'auto' or a positive integer"),
    "solver": (lambda x: x in ("adam", "sgd", "lbfgs"), "'adam', 'sgd' or 'lbfgs'"),
    "learning_rate": (lambda x: x in ("constant", "invscaling", "adaptive"), "'constant', 'invscaling' or 'adaptive'"),
    "activation": (lambda x: x == "logistic" or x in ACTIVATIONS, f"'logistic', {', '.join(map(repr, ACTIVATIONS))}"),
}
"""What the parameters may be, and how to say it."""


class Perceptron(BaseEstimator):  # type: ignore[misc]
    """What the two share."""

    model_: MLP
    n_outputs_: int
    out_activation_: str
    loss_and_factor: Callable[[], tuple[Any, float]]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        compiled: bool | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.compiled = compiled

    # What has been learnt ---------------------------------------------------------------------------------------------

    @property
    def coefs_(self) -> tuple[Array, ...]:
        """The weights of each layer, of shape (n_in, n_out). To change them, write into the arrays."""
        return tuple([layer.weight.data for layer in self.linear])

    @property
    def intercepts_(self) -> tuple[Array, ...]:
        """The biases of each layer."""
        return tuple([layer.bias.data for layer in self.linear])

    @property
    def linear(self) -> list[Any]:
        """The layers that have parameters."""
        return [layer for layer in self.model_.layers if isinstance(layer, Linear)]

    # Learning ---------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from samples X of shape (n, n_features), their targets y, and how much each of them counts.

        Raises
        ------
        ValueError
            If a parameter is out of range, or if the data are empty, do not fit, or are not finite (row and column are
            named); a classifier's, if they are of one class only.
        FloatingPointError
            If the loss becomes infinite or NaN, with the operation where that began.
        """
        return self.learn(X, y, sample_weight, again=self.warm_start and hasattr(self, "model_"))

    def learn(
        self, X: Any, y: Any, sample_weight: Any, *, again: bool, once: bool = False, classes: Any = None
    ) -> Self:
        """Check everything, make a network or go on with the one there is, and train it, or for one epoch only."""
        if once and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: one epoch has nothing to stop")
        sizes = self.check_parameters()
        X, y = self.checked(X, y, reset=not again)
        if sample_weight is not None:
            sample_weight = weights(sample_weight, len(X), X.dtype)
            if not sample_weight.any():
                raise ValueError("sample_weight: all weights are zero, so no sample counts")
        target = self.encoded(y, again=again, classes=classes)
        if self.out_activation_ != "softmax":  # of classes it takes the numbers, which are integers
            target = target.astype(X.dtype)
        rng = check_random_state(self.random_state)
        if again and [len(w) for w in self.coefs_[1:]] != sizes:
            raise ValueError(f"hidden_layer_sizes={sizes} is not what was trained before: warm_start goes on with that")
        if not again:
            self.begin([X.shape[1], *sizes, self.n_outputs_], X.dtype, rng)
        if self.solver == "lbfgs":
            self.search(X, target, sample_weight)
        else:
            self.descend(X, target, sample_weight, rng, once)
        return self

    def check_parameters(self) -> list[int]:
        """The sizes of the hidden layers; a ValueError for a parameter that is out of range."""
        for name, (fits, what) in ALLOWED.items():
            value = getattr(self, name)
            try:
                good = bool(fits(value))
            except (TypeError, ValueError, OverflowError):
                good = False
            if not good:
                raise ValueError(f"{type(self).__name__}: {name}={value!r} is not {what}")
        sizes: list[int] = np.ravel(self.hidden_layer_sizes).tolist()
        if any(type(size) is not int or size < 1 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}: hidden_layer_sizes must be > 0, integers"
            )
        return sizes

    def checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        """The data as arrays of numbers; what is not finite is named with its place."""
        settings = dict(multi_output=True, dtype=(np.float64, np.float32), y_numeric=is_regressor(self))
        try:
            X_found, y_found = validate_data(self, X, y, reset=reset, **settings)
        except ValueError as error:
            for name, data in (("X", X), ("y", y)):
                if f"Input {name} contains" in str(error):
                    raise ValueError(f"{error}\n{first_that_is_not_finite(name, data)}") from error
            raise
        if not isinstance(y_found, np.ndarray):
            raise TypeError("Sparse data was passed for y, but dense data is required. Use '.toarray()' to convert it")
        if y_found.ndim == 2 and y_found.shape[1] == 1:
            y_found = column_or_1d(y_found, warn=True)
        return X_found, y_found

    def begin(self, sizes: list[int], dtype: Any, rng: np.random.RandomState) -> None:
        """A network with scikit-learn's initial weights: Glorot's, and biases from the same distribution."""
        name = "sigmoid" if self.activation == "logistic" else self.activation
        self.model_ = MLP(sizes, activation=name, output="identity", dtype=dtype)
        for layer in self.linear:
            n_in, n_out = layer.weight.shape
            bound = np.sqrt((2 if name == "sigmoid" else 6) / (n_in + n_out))
            layer.weight.data = rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype)
            layer.bias.data = rng.uniform(-bound, bound, n_out).astype(dtype)
        self.n_layers_ = len(sizes)
        self.t_ = 0
        self.begin_books()

    def begin_books(self) -> None:
        """The attributes that tell how it goes."""
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else np.inf
        self._without_change = 0

    def cost(self) -> Cost:
        """What is minimised."""
        loss, factor = self.loss_and_factor()
        return Cost(self.model_, loss, factor, self.alpha)

    def search(self, X: Array, target: Array, sample_weight: Any) -> None:
        """L-BFGS on all the data."""
        cost = self.cost()
        result = minimize_loss(
            lambda: cost(self.model_(X), target, sample_weight),
            self.model_.parameters(),
            options=dict(maxiter=self.max_iter, maxfun=self.max_fun, gtol=self.tol),
        )
        self.loss_, self.n_iter_ = float(result.fun), min(int(result.nit), self.max_iter)
        if not result.success:
            self.has_not_converged(f"lbfgs stopped after {self.n_iter_} iterations: {result.message}")

    def descend(self, X: Array, target: Array, sample_weight: Any, rng: np.random.RandomState, once: bool) -> None:
        """Mini-batches, through `fit`."""
        if not (once and hasattr(self, "_optimizer")):
            self._optimizer = self.optimizer()
        data = [X, target] if sample_weight is None else [X, target, sample_weight]
        if bool(self.early_stopping) is (self.validation_scores_ is None):  # it was set in between
            self.begin_books()
        held_out = None
        if self.early_stopping:
            data, held_out = self.split(data, rng)
        watch = Watch(self, len(data[0]), held_out)
        self.n_iter_ = 0
        try:
            fit(
                self.model_,
                Shuffled(data, self.batch_size, rng if self.shuffle else None),
                optimizer=self._optimizer,
                epochs=1 if once else self.max_iter,
                loss=self.cost(),
                callbacks=[watch],
                compiled=self.compiled,
                progress=bool(self.verbose),
            )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        watch.restore()
        if self.n_iter_ == self.max_iter and not watch.stopped and not once:
            self.has_not_converged(f"after max_iter={self.max_iter} epochs the loss is still falling")

    def has_not_converged(self, what: str) -> None:
        """scikit-learn's warning."""
        warnings.warn(
            f"{type(self).__name__}: {what}; raise max_iter, or scale the data", ConvergenceWarning, stacklevel=5
        )

    def optimizer(self) -> Optimizer:
        """The one that `solver` names."""
        parameters = self.model_.parameters()
        if self.solver == "adam":
            betas = (self.beta_1, self.beta_2)
            return ScikitAdam(parameters, lr=self.learning_rate_init, betas=betas, eps=self.epsilon)
        nesterov = self.nesterovs_momentum and self.momentum > 0
        return SGD(parameters, lr=self.learning_rate_init, momentum=self.momentum, nesterov=nesterov)

    def split(self, data: list[Array], rng: np.random.RandomState) -> tuple[list[Array], list[Array]]:
        """What is trained on, and what is held out to decide when to stop."""
        two_classes = is_classifier(self) and self.n_outputs_ == 1
        parts = train_test_split(
            *data, random_state=rng, test_size=self.validation_fraction, stratify=data[1] if two_classes else None
        )
        if len(parts[1]) < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} holds out {len(parts[1])} sample: raise it"
            )
        return parts[::2], parts[1::2]

    def forward(self, X: Any) -> Array:
        """The outputs for checked data: logits, or numbers."""
        with no_grad():
            return np.asarray(self.model_(X))

    def outputs(self, X: Any) -> Array:
        """The outputs for data as they come."""
        check_is_fitted(self)
        return self.forward(validate_data(self, X, reset=False, dtype=(np.float64, np.float32)))


def first_that_is_not_finite(name: str, data: Any) -> str:
    """Where in a table it is."""
    table = np.asarray(data.astype(np.float64) if hasattr(data, "astype") else data, np.float64)  # also pandas.NA
    wrong = ~np.isfinite(table)
    label = f" ({data.columns[np.argwhere(wrong)[0][1]]})" if hasattr(data, "columns") else ""
    return f"{name} is {place(wrong, table)}{label}: leave such rows out, or fill in what is missing"
