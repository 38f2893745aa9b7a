"""`python tests/endurance.py N`: a training is killed N times at random moments, resumed each time, and loses nothing.

Every training here is run once without a pause, and once with kills (SIGKILL, which no process can catch) at random
moments, the writing of checkpoints among them. What counts is what is left at the end: weights, running averages, the
memory of the optimizer, random states and history have to be the same to the last bit.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
EPOCHS = 8


# The training: one process --------------------------------------------------------------------------------------------


def train(seed: int, directory: Path) -> str:
    """Train with all that has a state, and return a digest of what is left."""
    from nn import (
        Adam,
        BatchNorm1d,
        CosineAnnealingLR,
        Dropout,
        EarlyStopping,
        Linear,
        ReduceLROnPlateau,
        ReLU,
        Sequential,
        accuracy,
        cross_entropy,
        fit,
    )

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 6))
    y = (x[:, :3] + 0.5 * rng.normal(size=(300, 3))).argmax(axis=1)
    noise = np.random.default_rng(seed + 1)
    model = Sequential(Linear(6, 24, rng=rng), BatchNorm1d(24), ReLU(), Dropout(0.3, rng=noise), Linear(24, 3, rng=rng))
    optimizer = Adam(model.parameters(), lr=0.01)
    print("ready", flush=True)
    history = fit(
        model,
        x,
        y,
        optimizer=optimizer,
        epochs=EPOCHS,
        loss=cross_entropy,
        rng=rng,
        validation_split=0.2,
        metrics=[accuracy],
        callbacks=[EarlyStopping(patience=5)],
        schedule=[CosineAnnealingLR(optimizer, T_max=60, interval="step"), ReduceLROnPlateau(optimizer, patience=2)],
        clip_norm=1.0,
        accumulate=2,
        compiled=is_compiled(seed),
        checkpoint=directory,
        every=1,
        progress=False,
    )
    numbers = {name: column for name, column in history.to_dict().items() if name != "seconds"}
    left = [model.state_dict(), optimizer.state_dict(), numbers, history.stopped]
    states = [generator.bit_generator.state for generator in (rng, noise)]
    return digest([*left, states])


def is_compiled(seed: int) -> bool:
    """Every other training is compiled, where there is a compiler."""
    return seed % 2 == 1 and find_spec("llvmlite") is not None


def digest(item: Any) -> str:
    """A hash of numbers, texts, arrays, and containers of them, to the last bit."""
    if isinstance(item, dict):
        return digest([[name, digest(member)] for name, member in item.items()])
    if isinstance(item, (list, tuple)):
        return digest(json.dumps([digest(member) for member in item]))
    if isinstance(item, np.ndarray):
        return digest(f"{item.dtype} {item.shape} {item.tobytes().hex()}")
    return hashlib.blake2b(repr(item).encode(), digest_size=16).hexdigest()


# Killing it -----------------------------------------------------------------------------------------------------------


def start(seed: int, directory: Path) -> subprocess.Popen[str]:
    """The training in a process of its own, which has begun when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", __file__, "train", str(seed), str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> str:
    """What a training that runs to its end leaves."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, f"the training ended with {process.returncode}"
    return out.strip()


def is_complete(directory: Path) -> bool:
    """Whether the newest checkpoint is that of a training that is over: then there is nothing left to kill."""
    newest = max(directory.glob("checkpoint-*"), default=None)
    if newest is None:
        return False
    state = json.loads((newest / "state.json").read_text())["state"]
    return state["counts"]["epoch"] == EPOCHS or state["stopped"] is not None


def endure(kills: int, seed: int, *, report: Any = print) -> int:
    """Kill trainings so many times, each at a random moment; returns how many trainings that took.

    Raises
    ------
    AssertionError
        If one of them did not end as without the kills.
    """
    chance = random.Random(seed)
    done = trainings = 0
    while done < kills:
        folder = Path(tempfile.mkdtemp())
        try:
            began = start(seed + trainings, folder / "whole")
            at = time.perf_counter()
            expected = finish(began)
            longest = time.perf_counter() - at
            here = 0
            while done < kills and not is_complete(folder / "killed"):
                process = start(seed + trainings, folder / "killed")
                time.sleep(chance.uniform(0.0, longest if is_compiled(seed + trainings) else longest / 4))
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done, here = done + 1, here + 1
            found = finish(start(seed + trainings, folder / "killed"))
            assert found == expected, f"after {here} kills the training of seed {seed + trainings} ended otherwise"
            trainings += 1
            report(f"training {trainings}: {here} kills, {done} in all; it ended as without them, bit for bit")
        finally:
            shutil.rmtree(folder)
    return trainings


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        print(train(int(sys.argv[2]), Path(sys.argv[3])))
    else:
        endure(int(sys.argv[1]) if len(sys.argv) > 1 else 100, seed=random.SystemRandom().randrange(10**6))
