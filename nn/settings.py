"""What a training is, in words and numbers: by this a checkpoint knows whether it belongs to a training."""

import re
from typing import Any

import numpy as np

from .aliases import Seed
from .feed import fingerprint
from .module import state
from .run import Run


def described(run: Run, seed: Seed) -> dict[str, Any]:
    """The data, the model and the settings of a run that has not begun, by name."""
    return {
        **run.feed.described(),
        "validation": [fingerprint(array) for array in run.validation or ()],
        "validation_split": run.validation_split,
        "model": text(run.model),
        **{f"model.{name}": f"{item.dtype} {item.shape}" for name, item in state(run.model).items()},
        "loss": text(run.loss),
        "metrics": [f"{name}: {text(metric)}" for name, metric in run.metrics.items()],
        **optimizer_settings(run.optimizer),
        **{f"schedule.{k}": summary(schedule) for k, schedule in enumerate(run.schedules)},
        **{f"callback.{k}": summary(callback) for k, callback in enumerate(run.callbacks)},
        "clip_norm": run.clip_norm,
        "accumulate": run.accumulate,
        "rng": f"{type(run.rng.bit_generator).__name__} {seed if isinstance(seed, (int, np.integer)) else ''}".strip(),
    }


def optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """The settings of an optimizer as they were before any schedule."""
    found = {"optimizer": type(optimizer).__name__}
    for k, group in enumerate(optimizer.param_groups):
        now = {name: group[name] for name in optimizer.settings} | {"lr": group.get("initial_lr", group["lr"])}
        found |= {f"optimizer.groups.{k}.{name}": setting for name, setting in now.items()}
    return found


def summary(part: Any) -> str:
    """The class of a schedule or callback, and its settings: the simple attributes that are not part of its state."""
    changing = part.state_dict()
    settings = {name: item for name, item in vars(part).items() if name not in changing and is_simple(item)}
    return f"{type(part).__name__}({', '.join(f'{name}={item!r}' for name, item in settings.items())})"


def is_simple(item: Any) -> bool:
    """Whether this is a number, a text, or a list of such."""
    if isinstance(item, (list, tuple)):
        return all(map(is_simple, item))
    return item is None or isinstance(item, (bool, int, float, str))


def text(thing: Any) -> str:
    """The repr of a model or function without the addresses in it, which another process would not have."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))
