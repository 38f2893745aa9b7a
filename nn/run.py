"""A training that is under way: one step, one epoch, and all that decides how it goes on.

Whatever the next step depends on is an attribute of `Run`, and `state_dict` gives it: a run that loads it goes on as
the other would have, to the last bit.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np

from autograd_core import Value, explain_nonfinite, stop_gradient

from .aliases import Array
from .checks import raise_with_layer, warn_of_untrained
from .clip import clip_grad_norm
from .feed import Arrays, Batch, Key, Stream
from .history import NORM, History
from .module import Module, contents
from .optim import Optimizer
from .plateau import ReduceLROnPlateau
from .step import one_number, passes

Metrics = Mapping[str, Callable[[Any, Any], Any]]

SNAPSHOT = 50
"""The weights to go back to are copied at the beginning of an epoch, but not before so many steps have passed."""


class Run:
    """A training that is under way, as callbacks see it.

    Attributes
    ----------
    model, optimizer, history
        What is trained, by what, and the numbers of the epochs so far.
    numbers
        Those of the last epoch, by the name of their column.
    epoch, steps
        How many epochs are done, and how many steps of the optimizer in all.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Callable[..., Any],
        feed: Arrays | Stream,
        rng: np.random.Generator,
        *,
        metrics: Metrics,
        validation: Batch | None = None,
        validation_split: float = 0.0,
        schedules: Sequence[Any] = (),
        callbacks: Sequence[Any] = (),
        clip_norm: float | None = None,
        accumulate: int = 1,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.feed = feed
        self.rng = rng
        self.metrics = metrics
        self.validation = validation
        self.validation_split = validation_split
        self.schedules = schedules
        self.callbacks = callbacks
        self.clip_norm = clip_norm
        self.accumulate = accumulate
        self.history = History()
        self.numbers: dict[str, float] = {}
        self.layers = layers_of(model, optimizer)
        self.epoch = 0
        self.steps = 0
        self.compiled = 0
        self.planned = math.inf
        self.good: dict[str, Array] = {}
        self.good_step = 0
        self.begin_epoch()

    def begin(self, saved: Mapping[str, Any] | None = None) -> None:
        """Set validation data aside, and go on from what `state_dict` gave, if it did."""
        if saved is not None:
            self.rng.bit_generator.state = saved["start"]
        self.start: Any = self.rng.bit_generator.state
        if self.validation_split and isinstance(self.feed, Arrays):
            self.validation = self.feed.set_aside(self.validation_split, self.rng)
        for callback in self.callbacks:
            callback.on_fit_begin(self)
        if saved is not None:
            self.load_state_dict(saved)

    def stop(self, why: str) -> None:
        """End the training after this epoch; the reason is kept in the history."""
        self.history.stopped = why

    # An epoch ---------------------------------------------------------------------------------------------------------

    def begin_epoch(self) -> None:
        """Set to nothing what is summed up over an epoch."""
        self.batch = 0
        self.order: Any = None
        self.weight = 0.0
        self.samples = 0
        self.sums = [0.0] * (1 + len(self.metrics))
        self.squares = [0.0] * len(self.optimizer.parameters)
        self.began = perf_counter()

    def groups(self, begin: bool = False) -> Iterator[list[Key]]:
        """The batches of an epoch that are still to come, or of a new one, so many at a time as make a step."""
        keys = self.feed.epoch(self.rng) if begin else self.keys()
        return iter(lambda: list(islice(keys, self.accumulate)), [])

    def keys(self) -> Iterator[Key]:
        """The batches of an epoch that are still to come. The random state that orders them is noted."""
        if not self.batch:
            self.order = self.rng.bit_generator.state
            return self.feed.epoch(self.rng)
        now = self.rng.bit_generator.state
        self.rng.bit_generator.state = self.order
        rest = islice(self.feed.epoch(self.rng), self.batch, None)
        self.rng.bit_generator.state = now
        return rest

    def end_epoch(self) -> None:
        """Validate, write down the numbers, step what steps with epochs, and ask the callbacks."""
        if not self.weight:
            raise ValueError("sample_weight is 0 everywhere: there is nothing to learn from")
        self.epoch += 1
        means = [self.sums[0] / self.weight, *(total / self.samples for total in self.sums[1:])]
        self.numbers = dict(zip(["loss", *self.metrics], means, strict=True))
        if self.validation is not None:
            held_out = measure(self.model, *self.validation, loss=self.loss, metrics=self.metrics)
            self.numbers |= {f"validation_{name}": number for name, number in held_out.items()}
        seconds = perf_counter() - self.began
        self.history._append(
            self.numbers | {"learning_rate": self.optimizer.lr, "seconds": seconds} | self.gradient_norms()
        )
        self.step_schedules("epoch", self.numbers.get("validation_loss", self.numbers["loss"]))
        for callback in self.callbacks:
            callback.on_epoch_end(self)
        if not self.model.training:  # a callback has used it
            self.model.train()
        self.begin_epoch()

    def gradient_norms(self) -> dict[str, float]:
        """For each layer √(mean of ‖∇‖²) over the steps of the epoch."""
        sums: dict[str, float] = {}
        for layer, square in zip(self.layers, self.squares, strict=True):
            sums[layer] = sums.get(layer, 0.0) + square
        steps = -(-self.batch // self.accumulate)
        return {NORM + layer: math.sqrt(total / steps) for layer, total in sums.items()}

    def step_schedules(self, interval: str, monitored: float) -> None:
        """Step the schedules that step at this interval."""
        for schedule in self.schedules:
            if schedule.interval == interval:
                schedule.step(*[monitored] * isinstance(schedule, ReduceLROnPlateau))

    # A step -----------------------------------------------------------------------------------------------------------

    def step(self, keys: list[Key]) -> None:
        """One step of the optimizer, along the mean gradient of some batches."""
        group = [self.feed.batch(key) for key in keys]
        if len(group[0]) > 2:
            group = [batch for batch in group if batch[2].any()]  # what has no weight has no mean, and no say
        if group:
            self.learn(group)
        self.batch += len(keys)
        self.steps += 1

    def learn(self, group: list[Batch]) -> None:
        """Forward, backward and update."""
        for met in passes(self, group):
            value = met.cost.item()
            if not math.isfinite(value):
                raise self.not_finite(met.cost, f"the loss is {value}")
            if not self.good or (not self.batch and self.steps - self.good_step >= SNAPSHOT):
                self.good, self.good_step = self.model.state_dict(), self.steps
            self.add(met.samples, float(met.weight), value, map(float, met.metrics(self)))
        if not self.steps:
            warn_of_untrained(self.model, self.optimizer.parameters, met.cost)
        grads = [p.grad for p in self.optimizer.parameters]
        squares = [0.0 if g is None else float(np.vdot(g, g).real) for g in grads]
        if not math.isfinite(sum(squares)):
            squares = self.wide_squares(met.cost, grads)
        self.squares = [a + b for a, b in zip(self.squares, squares, strict=True)]
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.parameters, self.clip_norm)
        self.optimizer.step()
        if self.schedules:
            self.step_schedules("step", value)

    def add(self, samples: int, weight: float, value: float, metrics: Iterable[float]) -> None:
        """Count a batch in the means of the epoch."""
        self.weight += weight
        self.samples += samples
        self.sums[0] += value * weight
        for k, metric in enumerate(metrics, start=1):
            self.sums[k] += metric * samples

    def wide_squares(self, cost: Value, grads: list[Any]) -> list[float]:
        """The squared norms in float64, if they overflowed in float32; else a FloatingPointError."""
        if not all(g is None or np.isfinite(g).all() for g in grads):
            raise self.not_finite(cost, "the gradient is not finite")
        norms = [0.0 if g is None else float(np.linalg.norm(np.ravel(g).astype(np.complex128))) for g in grads]
        return [norm * norm for norm in norms]

    def not_finite(self, cost: Value, what: str) -> FloatingPointError:
        """The error that stops a training, with the diagnosis; the model gets its last good weights."""
        diagnosis = explain_nonfinite(cost)
        weights = "The weights are those of before this step"
        if "loss" in what and self.good:
            self.model.load_state_dict(self.good)
            weights = f"The weights are again those of after {self.good_step} steps, the last known to be good"
        return FloatingPointError(
            f"{what} in epoch {self.epoch + 1}, after {self.steps} steps: {diagnosis}\n{weights}. If this operation is "
            "right as it is, lower the learning rate"
        )

    # Going on ---------------------------------------------------------------------------------------------------------

    COUNTS = ("epoch", "steps", "compiled", "planned", "batch", "order", "weight", "samples", "sums", "squares")

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the run depends on, and what it has found so far."""
        return {
            "counts": {name: getattr(self, name) for name in self.COUNTS},
            "start": self.start,
            "seconds": perf_counter() - self.began,
            "random": [generator.bit_generator.state for generator in self.generators()],
            "history": self.history.to_dict(),
            "stopped": self.history.stopped,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        for name in self.COUNTS:
            setattr(self, name, saved["counts"][name])
        self.began = perf_counter() - saved["seconds"]
        for generator, state in zip(self.generators(), saved["random"], strict=True):
            generator.bit_generator.state = state
        self.history = History(saved["history"])
        self.history.stopped = saved["stopped"]
        self.model.load_state_dict(saved["model"])
        for part, state in zip(
            [*self.schedules, *self.callbacks], saved["schedules"] + saved["callbacks"], strict=True
        ):
            part.load_state_dict(state)
        self.optimizer.load_state_dict(saved["optimizer"])

    def generators(self) -> list[np.random.Generator]:
        """What random numbers are drawn from: the order of the samples, and in the model what its layers draw."""
        modules = [item for _, item in contents(self.model) if isinstance(item, Module)]
        found = [x for module in modules for x in vars(module).values() if isinstance(x, np.random.Generator)]
        return [self.rng, *found]


def layers_of(model: Module, optimizer: Optimizer) -> list[str]:
    """The dotted name of the layer of each of an optimizer's parameters; the model's own name if it is the layer."""
    names = {id(p): name.rpartition(".")[0] or type(model).__name__ for name, p in model.named_parameters()}
    return [names.get(id(p), "others") for p in optimizer.parameters]


def said(model: Module, x: Array) -> Any:
    """What a model says of samples in `eval` mode; afterwards each of its parts is in the mode that it was in.

    They are given as a Value, for models without parameters that write x.relu(); but integers, which may be indices, as
    plain data.
    """
    modes = [(part, part.training) for _, part in model.named_modules()]
    model.eval()
    try:
        return model(x if x.dtype.kind in "biu" else Value(x))
    finally:
        for part, mode in modes:
            part.training = mode


def measure(
    model: Module, x: Array, y: Array, sample_weight: Any = None, *, loss: Callable[..., Any], metrics: Metrics
) -> dict[str, float]:
    """The loss and the metrics of a model on all the data at once, in `eval` mode."""
    try:
        prediction = said(model, x)
    except (ValueError, TypeError) as error:
        raise_with_layer(model, error)
    cost = loss(prediction, y) if sample_weight is None else loss(prediction, y, sample_weight=sample_weight)
    found = {name: float(one_number(name, metric(stop_gradient(prediction), y))) for name, metric in metrics.items()}
    return {"loss": float(stop_gradient(cost))} | found
