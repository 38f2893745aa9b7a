"""Before steps are compiled, the next ones are taken both ways: a program that computes anything else is not used."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient

from .aliases import Array
from .kinds import Found, Kind, made_of
from .recorded import PROGRAMS, step_of
from .run import said
from .state import State, UnfitError, structure
from .tape import Draw, noting

STEPS = 2
"""How many steps are taken both ways."""


class TargetsError(UnfitError):
    """The loss does not take the targets; why is the cause. Uncompiled the first batch with such a one would say so."""


def tried(state: State, data: list[Array], sizes: tuple[int, ...], chunk: Sequence[Any]) -> Kind | None:
    """The kind of the next steps, compiled, and found to compute what they do uncompiled. The state stays as it is.

    None if one of them raises an error uncompiled: taken as it is, it will raise that again, in its place.

    Raises
    ------
    UnfitError
        If it cannot be recorded, or computes anything else, with the reason.
    """
    before, chunk, what = state.save(), chunk[:STEPS], what_is_trained(state.run)
    try:
        try:
            with noting(state.run.model) as notes:
                for step in chunk:
                    state.run.step(step.keys)
        except Exception:
            state.restore(before)
            return None
        if what != what_is_trained(state.run):
            raise UnfitError("its modules or functions change their attributes or variables while they compute")
        return compare(state, data, sizes, chunk, before, notes[: len(notes) // len(chunk)], what)
    except BaseException as error:
        state.restore(before)
        if isinstance(error, UnfitError) or not isinstance(error, Exception):
            raise
        raise UnfitError(f"{type(error).__name__}: {error}") from error


def compare(
    state: State,
    data: list[Array],
    sizes: tuple[int, ...],
    chunk: Sequence[Any],
    before: dict[str, Any],
    notes: list[Draw],
    what: Any,
) -> Kind:
    """The same, after the steps have been taken, of a state that was saved before them."""
    run, wanted = state.run, state.save()
    try:
        check_targets(run, chunk[0].rows[0])
    except Exception as error:
        raise TargetsError(f"{type(error).__name__}: {error}") from error
    state.restore(before)
    counts = [[memory.get("steps") for memory in copy["memories"]] for copy in (before, wanted)]
    if any(was is not None and was == now for was, now in zip(*counts, strict=True)):
        raise UnfitError("one of its parameters does not get a gradient any more")
    state.begin_memory(wanted)
    static = made_of(run.optimizer, 0)[0]
    key = (
        what, sizes, tuple(map(tuple, static)), tuple(map(tuple, state.memories())),
        tuple(repr(note[1:]) for note in notes),
    )  # fmt: skip
    for _ in range(2):  # one that was kept in the process may have been made from other functions than there are now
        kind = Kind(PROGRAMS.get(key), sizes, static, notes)
        recorded = step_of(state, static, notes)
        kind.program.prepare(recorded, (state.arrays(), data, kind.xs, 1))
        found = kind.computed(state, data, [step.rows for step in chunk])
        state.undo_plan(before["plan"])
        if found.steps < len(chunk) or agrees(state, found, before, wanted):
            return kind
        PROGRAMS.drop(key)
    raise UnfitError(
        "compiled, its first steps give other numbers, most of all of the parameter "
        f"{state.farthest(found.state, before, wanted)}: it is not a function of its data alone, or the rounding of a "
        "gradient decides, as of a bias before a batch normalization, or of the keys of an attention, which is better "
        "left out"
    )


def agrees(state: State, found: Found, before: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a program computed what was computed without it."""
    sums = np.subtract(wanted["counts"]["sums"], before["counts"]["sums"])
    samples = wanted["counts"]["samples"] - before["counts"]["samples"]
    means = [(m.mean(axis=0) * samples / m.shape[1]).sum() for m in found.metrics] if found.costs.shape[1] == 1 else []
    costs = (found.costs * found.weights).sum()
    return state.agrees(found.state, before, wanted) and np.allclose([costs, *means], sums[: 1 + len(means)], rtol=1e-3)


def what_is_trained(run: Any) -> Any:
    """Model, loss, metrics, optimizer and the weights of batches as a key."""
    groups = [group["params"] for group in run.optimizer.param_groups]
    parts = structure(run.model, run.loss, list(run.metrics.values()), groups)
    return type(run.optimizer), type(run.feed), run.clip_norm, parts


def check_targets(run: Any, rows: Array) -> None:
    """What the loss checks of the numbers of its targets, done for all of them at once: compiled, it does not."""
    x, y, *weights = run.feed.arrays
    prediction = for_all(said(run.model, x[rows]), len(y))
    run.loss(prediction, y, **({"sample_weight": weights[0]} if weights else {}))


def for_all(some: Any, n: int) -> Any:
    """What a model says of some samples, repeated so as to be of n."""
    if isinstance(some, dict):
        return {name: for_all(item, n) for name, item in some.items()}
    if isinstance(some, (list, tuple)):
        return type(some)([for_all(item, n) for item in some])
    plain = np.asarray(stop_gradient(some))
    return Value(np.resize(plain, (n, *plain.shape[1:])))
