"""What scikit-learn's perceptrons minimise, their Adam, how they take their batches, and when they stop: what `fit` is
given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .adaptive import Adam
from .aliases import Array
from .callbacks import Callback
from .data import pieces
from .feed import Arrays, Batch, Key
from .layers import MLP
from .penalties import l2_penalty
from .run import Run

LEAST_RATE = 1e-6
"""With learning_rate="adaptive" the rate is divided by 5 until it is no larger than this."""


@dataclass
class Cost:
    """What is minimised: the mean loss over the samples, and alpha / 2 Σ w² divided by their number."""

    model: MLP
    loss: Callable[..., Any]
    factor: float
    """What the loss is multiplied by: scikit-learn sums over several labels."""
    alpha: float

    def __call__(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        m = len(target) if sample_weight is None else sample_weight.sum()
        found = self.loss(prediction, target, sample_weight=sample_weight)
        found = found * self.factor if self.factor != 1 else found
        return found + l2_penalty(self.model, self.alpha, m) if self.alpha else found


class ScikitAdam(Adam):
    """Adam with ε where scikit-learn adds it, to √s and not to √(s / (1 - β₂ᵗ)): the ε̂ of Kingma and Ba, section 2.

    Early in a training, and where gradients are tiny, it damps more: after one step as 31 ε would, with β₂ = 0.999.
    """

    def numbers(self, group: dict[str, Any], t: int) -> tuple[Any, ...]:
        *first, correction, eps, rate = super().numbers(group, t)
        return *first, correction, eps * correction, rate


class Shuffled(Arrays):
    """Batches in the order that scikit-learn takes; without a random state, in the order of the data."""

    def __init__(self, data: list[Array], batch_size: Any, rng: np.random.RandomState | None) -> None:
        self.arrays = data
        self.batch_size = min(200 if batch_size == "auto" else int(batch_size), len(data[0]))
        self.rng = rng
        self.order = np.arange(len(data[0]))

    def epoch(self, rng: np.random.Generator) -> Iterator[Key]:
        if self.rng is not None:
            self.rng.shuffle(self.order)
        return pieces(self.order.copy(), self.batch_size)

    def weight(self, batch: Batch) -> int:
        """As scikit-learn has it: how many samples, also if these have weights of their own."""
        return len(batch[0])


class Watch(Callback):
    """After each epoch: keeps the books, sets the rate, and stops when nothing improves, as scikit-learn does."""

    only_looks = True

    def __init__(self, estimator: Any, samples: int, held_out: list[Array] | None) -> None:
        self.estimator = estimator
        self.samples = samples
        self.held_out = held_out
        self.best: dict[str, Array] | None = None
        self.stopped = False

    def on_epoch_end(self, run: Run) -> None:
        e = self.estimator
        e.n_iter_ += 1
        e.t_ += self.samples
        e.loss_ = run.history.loss[-1]
        e.loss_curve_.append(e.loss_)
        better = self.improved() if self.held_out is None else self.improved_held_out(self.held_out)
        e._without_change = 0 if better else e._without_change + 1
        if e.solver == "sgd" and e.learning_rate == "invscaling":
            set_rate(run.optimizer, e.learning_rate_init / (e.t_ + 1) ** e.power_t)
        if e._without_change > e.n_iter_no_change:
            if e.solver == "sgd" and e.learning_rate == "adaptive" and run.optimizer.lr > LEAST_RATE:
                set_rate(run.optimizer, run.optimizer.lr / 5)
                e._without_change = 0
            else:
                self.stopped = True
                run.stop(f"no improvement by more than tol={e.tol} in {e.n_iter_no_change} epochs")

    def improved(self) -> bool:
        """Whether the loss is less than the best so far by more than tol."""
        e, best = self.estimator, self.estimator.best_loss_
        e.best_loss_ = min(best, e.loss_)
        return not e.loss_ > best - e.tol

    def improved_held_out(self, held_out: list[Array]) -> bool:
        """The same of the score on what was held out; the best weights are kept."""
        e, best = self.estimator, self.estimator.best_validation_score_
        score = e.score_of(*held_out)
        e.validation_scores_.append(score)
        if score > best:
            e.best_validation_score_, self.best = score, e.model_.state_dict()
        return not score < best + e.tol

    def restore(self) -> None:
        """Go back to the best weights, if they were kept."""
        if self.best is not None:
            self.estimator.model_.load_state_dict(self.best)


def set_rate(optimizer: Any, rate: float) -> None:
    """A new rate for the gradients to come. What was gathered at the old one keeps it, as scikit-learn has it: there
    the velocity has the rate within, lr · v in the symbols of `SGD`."""
    state = optimizer.state_dict()
    for name in state:
        if name.endswith(".velocity"):
            state[name] *= optimizer.lr / rate
        elif name.endswith(".lr"):
            state[name] = rate
    optimizer.load_state_dict(state)
