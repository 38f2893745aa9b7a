"""The training loop."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .aliases import Seed
from .callbacks import Callback
from .checkpoint import Keeper
from .checks import precision_of, same_parameters
from .compiled import Compiled
from .executors import Eager, executor, told
from .feed import Arrays, Stream, checked
from .history import NORM, History
from .losses import mse_loss
from .module import Module
from .optim import Optimizer
from .plateau import ReduceLROnPlateau
from .progress import Silence, progress_of
from .run import Run, measure
from .schedules import Schedule
from .settings import described

Loss = Callable[..., Any]
Metric = Callable[[Any, Any], Any]


def fit(
    model: Module,
    x: Any,
    y: Any = None,
    *,
    optimizer: Optimizer,
    epochs: int,
    loss: Loss = mse_loss,
    batch_size: int = 32,
    rng: Seed = None,
    sample_weight: Any = None,
    validation: tuple[Any, ...] | None = None,
    validation_split: float = 0.0,
    metrics: Metric | Mapping[str, Metric] | Sequence[Metric] = (),
    callbacks: Callback | Sequence[Callback] = (),
    schedule: Schedule | Sequence[Schedule] = (),
    clip_norm: float | None = None,
    accumulate: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int | None = None,
    compiled: bool | None = None,
    progress: bool = True,
) -> History:
    """Train a model on mini-batches in random order. It is left in `eval` mode, ready for use.

    Parameters
    ----------
    model, x, y
        `model(x)` is to come close to y. Samples are on the first axis. Floats wider than the model's parameters are
        narrowed to them: a float32 model computes in float32. In place of x and y there may be batches: an iterable of
        pairs (x, y) or triples (x, y, sample_weight), which gives them anew for each epoch; or a function that makes
        the batches of an epoch from a generator, such as `lambda rng: batches(x, y, batch_size=32, rng=rng)`.
    optimizer
        Made with `model.parameters()`.
    epochs, batch_size, rng
        How often each sample is met, how many are met at a time, and the seed or generator for their order.
    loss
        `loss(prediction, target)` of a batch: a scalar, the mean over its samples.
    sample_weight
        A number for each sample; the loss gets those of a batch as `sample_weight=`.
    validation, validation_split
        A pair (x, y) that is not trained on, or a fraction of the data that is set aside at random for this.
    metrics
        Functions `metric(prediction, target)` by name, or one or a list, which bring their own names. Of the
        training data the mean over batches is recorded, while the model learns; of the validation data, as
        "validation_…", that of all at once.
    callbacks
        What to do after each epoch, one or several; see `Callback` and `EarlyStopping`.
    schedule
        One or several schedules of this optimizer, which then multiply; each is stepped after an epoch or after a step,
        as its `interval` says. `ReduceLROnPlateau` gets the validation loss, or the loss if there is none.
    clip_norm
        The norm of all gradients together to clip to.
    accumulate
        How many batches make a step of the optimizer, along the gradient of their common mean.
    checkpoint, every
        A directory for checkpoints, which needs safetensors (extra `files`). One is written at the beginning, after
        each epoch, or after every so many steps, and at the end. **If it holds one, the training goes on from there**,
        and ends as it would have without the pause, bit for bit, on the same machine and with the same versions; other
        ones, or steps that are compiled now and were not then, are announced by a warning. A training that is complete
        returns at once; more `epochs` continue it. If a checkpoint cannot be written, a warning says so, the one before
        it is kept, and the training goes on.
    compiled
        Whether the steps are machine code, many in a call, which needs llvmlite (extra `fast`): True, or else it says
        what prevents it; False; or None, which compiles what is worth it, by the sizes alone. The numbers are those of
        uncompiled steps, to rounding. Model, loss and metrics are then recorded with arrays that have no numbers, as by
        `jit`; what cannot be recorded, or computes anything else in the first two steps, is trained uncompiled, as are
        batches that are made on the way and optimizers without a rule (`Optimizer.update`). After a callback, which may
        have changed anything, the next two steps are compared again (see `Callback.only_looks`). `history.executor`
        says what happened. Parameters are left without a gradient.
    progress
        Whether to show a bar; or lines, if the standard error goes into a file, or tqdm (extra `learn`) is not there.

    Returns
    -------
    The history: for each epoch the loss, the metrics, the learning rate, the norms of the gradients, and the time.

    Raises
    ------
    ValueError
        If there are no data or no epochs, if lengths or shapes do not fit (a layer is named), if the loss or a metric
        is not one number, if the data are not finite, if the optimizer is another model's, or if the checkpoint is
        another training's.
    TypeError
        If the data are no numbers, or something else given is not what is wanted; or if `compiled=True`, and something
        cannot be compiled.
    FloatingPointError
        If the loss or a gradient becomes infinite or NaN: with the operation where that began. The model has the last
        weights that are known to be good: those of before this step, or of the beginning of this epoch, or of at most
        50 steps before that.
    KeyboardInterrupt
        As ever; the model keeps what it has learnt, but for a call of compiled steps, a tenth of a second. The history
        so far is the attribute `history` of both errors.
    OSError
        If the first checkpoint cannot be written.
    ImportError
        If a package is not installed that is needed for what was asked for.

    Warns
    -----
    UserWarning
        If the loss depends on variables that neither the model nor the optimizer has, or if the optimizer has those of
        a layer that was replaced; if a checkpoint goes on with other versions than it was written by.
    RuntimeWarning
        If a checkpoint cannot be written.
    """
    functions, schedules = by_name(metrics), several("schedule", schedule, Schedule)
    callbacks = several("callbacks", callbacks, Callback)
    check(model, optimizer, loss, schedules, callbacks)
    check_numbers(epochs=epochs, batch_size=batch_size, accumulate=accumulate, every=1 if every is None else every)
    precision = precision_of(model)
    feed = feed_of(x, y, sample_weight, batch_size, epochs, precision)
    check_validation(feed, validation, validation_split)
    run = Run(
        model,
        optimizer,
        loss,
        feed,
        np.random.default_rng(rng),
        metrics=functions,
        validation=None if validation is None else checked(*validation, precision=precision, of=" of validation"),
        validation_split=validation_split,
        schedules=schedules,
        callbacks=callbacks,
        clip_norm=clip_norm,
        accumulate=accumulate,
    )
    keeper = None if checkpoint is None else Keeper(checkpoint, described(run, rng))
    saved = keeper.load() if keeper else None
    run.begin(saved)
    if saved is None or compiled:
        run.planned = math.inf if compiled else epochs
    steps = executor(run, compiled, keeper.then.get("executor") if keeper else None, watched=keeper is not None)
    if keeper:
        keeper.announce(steps.name)
    with learning(run, steps, epochs, progress) as bar:
        if keeper and not run.steps:
            keeper.save(run.state_dict())
        for count in steps.train(epochs, every if keeper else None):
            if count is None:
                bar.epoch(run.epoch, run.numbers)
                due = not every or run.epoch == epochs or run.history.stopped is not None
            else:
                bar.batches(count)
                due = every is not None and run.steps % every == 0
            if keeper and due:
                keeper.try_to_save(run.state_dict(), steps.name)
        if run.history.stopped:
            bar.stopped(run.epoch, run.history.stopped)
    for callback in callbacks:
        callback.on_fit_end(run)
    return run.history


def evaluate(model: Module, x: Any, y: Any, *, loss: Loss = mse_loss, sample_weight: Any = None) -> float:
    """The loss of a model on all the data at once, in `eval` mode.

    Raises
    ------
    ValueError
        If there are no data, if the lengths of x and y differ, if they are not finite, or do not fit the model.
    TypeError
        If the data are no numbers.
    """
    return measure(model, *checked(x, y, sample_weight, precision=precision_of(model)), loss=loss, metrics={})["loss"]


@contextmanager
def learning(run: Run, steps: Eager | Compiled, epochs: int, progress: bool) -> Iterator[Silence]:
    """The model in `train` mode, and afterwards, whatever happens, in `eval` mode; and what shows the progress."""
    size = run.feed.size
    met = run.epoch * (size or 0) + run.batch
    bar = progress_of(epochs, run.epoch, size, met) if progress else Silence()
    run.model.train()
    try:
        yield bar
    except (KeyboardInterrupt, FloatingPointError) as error:
        vars(error)["history"] = run.history
        error.add_note(
            f"fit stopped in epoch {run.epoch + 1} of {epochs}. The model keeps what it has learnt, and is ready for "
            "use; the history so far is the attribute `history` of this error"
        )
        raise
    finally:
        run.history.executor = told(run, steps.unfit)
        run.model.eval()
        bar.close()


def feed_of(x: Any, y: Any, sample_weight: Any, batch_size: int, epochs: int, precision: Any) -> Arrays | Stream:
    """Where the batches come from."""
    if isinstance(x, Arrays):
        return x
    if y is None and sample_weight is not None:
        raise ValueError("sample_weight is of x and y; batches have weights of their own: (x, y, sample_weight)")
    return Stream(x, epochs, precision) if y is None else Arrays(x, y, sample_weight, batch_size, precision)


# Checks ---------------------------------------------------------------------------------------------------------------


def several(name: str, given: Any, kind: type) -> list[Any]:
    """One of a kind, or several, as a list."""
    if not isinstance(given, kind) and not hasattr(given, "__iter__"):
        raise TypeError(f"{name}={given!r}: it is a {kind.__name__}, or a list of them; leave it out for none")
    return [given] if isinstance(given, kind) else list(given)


def check(model: Module, optimizer: Optimizer, loss: Any, schedules: Sequence[Any], callbacks: Sequence[Any]) -> None:
    """An error if these are not what they should be, or do not belong together."""
    if not isinstance(model, Module) or not isinstance(optimizer, Optimizer):
        raise TypeError(
            "fit takes a model and its optimizer, as in optimizer=SGD(model.parameters(), lr=0.1), not "
            f"{getattr(model, '__name__', type(model).__name__)} and {optimizer!r}"
        )
    if not callable(loss):
        raise TypeError(f"loss={loss!r}: it is a function of a prediction and its target, such as nn.cross_entropy")
    same_parameters(model, optimizer.parameters)
    for schedule in schedules:
        if not isinstance(schedule, Schedule) or schedule.optimizer is not optimizer:
            raise ValueError(f"{type(schedule).__name__} is no schedule of this optimizer: make it with this one")
        if isinstance(schedule, ReduceLROnPlateau) and schedule.sign < 0:
            raise ValueError("fit gives ReduceLROnPlateau the validation loss, of which less is better: mode='min'")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"a callback is an instance of a subclass of Callback, not a {type(callback).__name__}")


def check_numbers(**numbers: int) -> None:
    """An error for a number of things that is no integer, or less than one."""
    for name, number in numbers.items():
        if not isinstance(number, (int, np.integer)):
            raise TypeError(f"{name}={number!r}: it is an integer")
        if number < 1:
            raise ValueError(f"{name}={number}: it is at least one")


def check_validation(feed: Arrays | Stream, validation: Any, fraction: float) -> None:
    """A ValueError if validation data are asked for twice, or cannot be had."""
    if fraction and (validation is not None or isinstance(feed, Stream)):
        raise ValueError("validation_split sets a part of the arrays x and y aside: give it, or give validation=(x, y)")
    if not 0 <= fraction < 1:
        raise ValueError(f"validation_split={fraction}: it is a fraction of the data, at least 0 and less than 1")
    if validation is not None and (not isinstance(validation, (tuple, list)) or len(validation) != 2):
        raise TypeError("validation is a pair (x, y)")


def by_name(metrics: Any) -> dict[str, Metric]:
    """The metrics, which may be one function, several, or a dict, by the name of their column."""
    metrics = [metrics] if callable(metrics) or isinstance(metrics, str) else metrics
    if metrics is None:
        raise TypeError("metrics=None: it is a function, or a list or dict of them; leave it out for none")
    named = dict(metrics) if isinstance(metrics, Mapping) else {getattr(m, "__name__", ""): m for m in metrics}
    for metric in metrics.values() if isinstance(metrics, Mapping) else metrics:
        if not callable(metric):
            raise TypeError(
                f"a metric is a function of a prediction and its target, such as nn.accuracy, not {metric!r}"
            )
    if len(named) < len(metrics) or {"", "<lambda>"} & named.keys():
        raise ValueError("metrics need a name each: give a dict, such as {'accuracy': nn.accuracy}")
    taken = {"loss", "learning_rate", "seconds"} & named.keys()
    if taken or any(name.startswith(("validation_", NORM)) for name in named):
        raise ValueError(f"the names of metrics {list(named)} collide with other columns of the history")
    return named
