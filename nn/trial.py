"""Before steps are compiled, the next ones are taken both ways: a program that computes anything else is not used."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import Value, stop_gradient

from .aliases import Array
from .kinds import Found, Kind, made_of
from .recorded import PROGRAMS, step_of
from .state import State, UnfitError, structure
from .tape import noting

STEPS = 2
"""How many steps are taken both ways."""


def tried(state: State, data: list[Array], sizes: tuple[int, ...], chunk: Sequence[Any]) -> Kind:
    """The kind of the next steps, compiled, and found to compute what they do uncompiled. The state stays as it is.

    Raises
    ------
    UnfitError
        If it cannot be recorded, or computes anything else, with the reason.
    """
    before = state.save()
    try:
        return compare(state, data, sizes, chunk[:STEPS], before)
    except Exception as error:
        state.restore(before)
        what = "" if isinstance(error, UnfitError) else f"{type(error).__name__}: "
        raise UnfitError(f"{what}{error}") from error


def compare(
    state: State, data: list[Array], sizes: tuple[int, ...], chunk: Sequence[Any], before: dict[str, Any]
) -> Kind:
    """The same, for a state that has been saved."""
    run, what = state.run, what_is_trained(state.run)
    with noting(run.model) as notes:
        for step in chunk:
            run.step(step.keys)
    if what != what_is_trained(run):
        raise UnfitError("its modules change their attributes while they compute")
    wanted = state.save()
    check_targets(run, chunk[0].rows[0])
    state.restore(before)
    state.begin_memory(wanted)
    notes = notes[: len(notes) // len(chunk)]
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
    raise UnfitError("compiled, its first steps give other numbers: it is not a function of its data alone")


def agrees(state: State, found: Found, before: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a program computed what was computed without it."""
    sums = np.subtract(wanted["counts"]["sums"], before["counts"]["sums"])
    samples = wanted["counts"]["samples"] - before["counts"]["samples"]
    means = [(m.mean(axis=0) * samples / m.shape[1]).sum() for m in found.metrics] if found.costs.shape[1] == 1 else []
    costs = (found.costs * found.weights).sum()
    return state.agrees(found.state, before, wanted) and np.allclose([costs, *means], sums[: 1 + len(means)], rtol=1e-3)


def what_is_trained(run: Any) -> Any:
    """Model, loss, metrics and optimizer as a key."""
    groups = [group["params"] for group in run.optimizer.param_groups]
    parts = structure(run.model, run.loss, list(run.metrics.values()), groups)
    return type(run.optimizer), run.clip_norm, parts


def check_targets(run: Any, rows: Array) -> None:
    """What the loss checks of the numbers of its targets, done for all of them at once: compiled, it does not."""
    x, y, *weights = run.feed.arrays
    run.model.eval()
    some = np.asarray(stop_gradient(run.model(Value(x[rows]))))
    prediction = Value(np.resize(some, (len(y), *some.shape[1:])))
    run.loss(prediction, y, **({"sample_weight": weights[0]} if weights else {}))
    run.model.train()
