"""Checkpoints: a training that was stopped at any moment ends as the one that was not."""

import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")

from nn import MLP, SGD, Adam, Callback, EarlyStopping, Linear, StepLR, batches, fit
from nn.checkpoint import FORMAT, Keeper, read, write

sys.path.insert(0, str(Path(__file__).parent.parent))
from endurance import digest, endure

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X @ [[2.0], [-3.0]] + 1.0


class StopError(Exception):
    pass


class StopAfter(Callback):
    """Raises after so many epochs: a process that dies, as far as the checkpoint can tell."""

    def __init__(self):
        self.epochs = 10**9

    def state_dict(self):
        return {"epochs": 0}  # so that it is no setting

    def load_state_dict(self, saved):
        pass

    def on_epoch_end(self, run):
        if run.epoch == self.epochs:
            raise StopError


def train(directory=None, *, stop=10**9, seed=0, data=(X, Y), **settings):
    model = MLP([2, 4, 1], "tanh", "identity", rng=seed)
    optimizer = Adam(model.parameters(), lr=0.05)
    killer = StopAfter()
    killer.epochs = stop
    settings = {"epochs": 6, "batch_size": 16, "rng": 1, "progress": False} | settings
    callbacks = [killer, EarlyStopping(3, "loss")]
    history = fit(model, *data, optimizer=optimizer, callbacks=callbacks, checkpoint=directory, **settings)
    numbers = {name: column for name, column in history.to_dict().items() if name != "seconds"}
    return digest([model.state_dict(), optimizer.state_dict(), numbers, history.stopped])


@pytest.mark.parametrize(("seed", "kills"), [(0, 5), (1, 3)], ids=["eager", "compiled"])
def test_random_kills_lose_nothing(seed, kills):
    assert endure(kills, seed=seed, report=lambda line: None) >= 1


@pytest.mark.parametrize("every", [None, 2, 7])
@pytest.mark.parametrize("data", [(X, Y), (list(batches(X, Y, batch_size=16, rng=3)),)], ids=["arrays", "batches"])
def test_a_training_that_failed_goes_on(tmp_path, every, data):
    expected = train(data=data)
    with pytest.raises(StopError):
        train(tmp_path, stop=3, every=every, data=data)
    assert train(tmp_path, every=every, data=data) == expected
    assert train(tmp_path, every=every, data=data) == expected, "a training that is over is over"


def test_batches_made_from_a_generator_go_on_where_they_were(tmp_path):
    def make(rng):
        return batches(X, Y, batch_size=16, rng=rng)

    data = (make,)
    expected = train(data=data)
    with pytest.raises(StopError):
        train(tmp_path, stop=3, every=2, data=data)
    assert train(tmp_path, every=2, data=data) == expected


def test_more_epochs_go_on(tmp_path):
    expected = train(epochs=9)
    train(tmp_path, epochs=4)
    assert train(tmp_path, epochs=9) == expected


def test_settings_may_be_numbers_of_numpys(tmp_path):
    def run(rate):
        model = Linear(2, 1, rng=0)
        optimizer = SGD(model.parameters(), lr=rate, nesterov=np.bool_(True), momentum=np.float32(0.5))
        settings = dict(batch_size=np.int64(16), accumulate=np.int64(2), clip_norm=np.float32(1), progress=False)
        fit(model, X, Y, optimizer=optimizer, epochs=2, rng=0, checkpoint=tmp_path, **settings)
        return model.state_dict()["weight"]

    np.testing.assert_array_equal(run(np.float32(0.5)), run(np.array(0.5)))
    with pytest.raises(ValueError, match=r"optimizer\.groups\.0\.lr: 0\.5 then, 0\.25 now"):
        run(np.array(0.25))


def test_only_the_newest_is_kept_and_leftovers_are_no_harm(tmp_path):
    (tmp_path / "unfinished-000001").mkdir()
    (tmp_path / "unfinished-000001" / "state.json").write_text("{")
    train(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000007"]
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["arrays.safetensors", "state.json"]


def test_another_training_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    for settings, difference in [
        ({"batch_size": 8}, "batch_size: 16 then, 8 now"),
        ({"data": (X + 1, Y)}, r"data\.x: float64 \(40, 2\) \w+ then, float64 \(40, 2\) \w+ now"),
        ({"rng": 2}, "rng: PCG64 1 then, PCG64 2 now"),
        ({"accumulate": 2}, "accumulate: 1 then, 2 now"),
        ({"validation_split": 0.2}, "validation_split: 0.0 then, 0.2 now"),
        ({"loss": lambda p, t: ((p - t) ** 2).mean()}, "loss: <function mse_loss> then, <function .*<lambda>> now"),
    ]:
        with pytest.raises(ValueError, match=f"is the checkpoint of another training:\n  {difference}\nCall fit as"):
            train(tmp_path, **settings)
    model = MLP([2, 5, 1], "tanh", "identity", rng=0)
    with pytest.raises(ValueError, match=r"(?s)model\.layers\.0\.weight: .*optimizer: Adam then, SGD now"):
        fit(model, X, Y, optimizer=SGD(model.parameters(), 0.1), epochs=1, checkpoint=tmp_path, progress=False)


def test_schedules_do_not_make_it_another_training(tmp_path):
    model = Linear(2, 1, rng=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    schedule = StepLR(optimizer, step_size=1, gamma=0.5)
    settings = {"optimizer": optimizer, "schedule": schedule, "checkpoint": tmp_path, "progress": False, "rng": 0}
    fit(model, X, Y, epochs=3, **settings)
    history = fit(model, X, Y, epochs=5, **settings)  # with the objects as the first call left them
    assert history.learning_rate == (0.1, 0.05, 0.025, 0.0125, 0.00625)


def test_another_executor_or_version_is_announced(tmp_path):
    keeper = Keeper(tmp_path, {"a": 1})
    keeper.save({"x": 1})
    keeper = Keeper(tmp_path, {"a": 1})
    assert keeper.load() == {"x": 1}
    with pytest.warns(UserWarning, match="not to the same last bit.*\n  executor: eager then, other now"):
        keeper.announce("other")
    keeper.announce("eager")


def test_what_is_written_is_read(tmp_path):
    state = {
        "floats": [0.1, float("inf"), -0.0, 5e-324],
        "large": 2**127 + 1,
        "arrays": {
            "a": np.arange(6.0).reshape(2, 3).T,
            "b": np.array(1, np.float32),
            "c": np.array([1 + 2j]),
            "d": np.zeros((0, 2)),
        },
        "others": [None, True, "ω", np.float64(0.1), np.int64(3)],
    }
    write(tmp_path, {"format": FORMAT, "state": state})
    found = read(tmp_path)["state"]
    assert digest(found["arrays"]) == digest(state["arrays"])
    assert digest(found["floats"] + [found["large"]]) == digest(state["floats"] + [state["large"]])
    assert found["others"] == [None, True, "ω", 0.1, 3]
    with pytest.raises(TypeError, match="/state/x is <class 'set'>"):
        write(tmp_path, {"state": {"x": {1}}})


def test_damaged_files_are_named(tmp_path):
    train(tmp_path, epochs=1)
    (newest,) = tmp_path.iterdir()
    whole = {path.name: path.read_bytes() for path in newest.iterdir()}
    for name, data in whole.items():
        for wrong in (data[: len(data) // 2], b"", data[:-9] + b"x" + data[-8:]):
            (newest / name).write_bytes(wrong)
            with pytest.raises(ValueError, match=newest.name):
                train(tmp_path, epochs=2)
        (newest / name).unlink()
        with pytest.raises(ValueError, match="is no checkpoint, or damaged"):
            train(tmp_path, epochs=2)
        (newest / name).write_bytes(data)
    text = whole["state.json"].replace(b'"steps": 3', b'"steps": 7')  # one bit, and still JSON
    assert text != whole["state.json"]
    (newest / "state.json").write_bytes(text)
    with pytest.raises(ValueError, match="its files do not belong together"):
        train(tmp_path, epochs=2)
    (newest / "state.json").write_bytes(whole["state.json"])
    assert train(tmp_path, epochs=2) == train(epochs=2)


def test_copies_under_other_names_are_left_alone(tmp_path):
    expected = train()
    train(tmp_path, epochs=1)
    (newest,) = tmp_path.iterdir()
    newest.rename(tmp_path / "checkpoint-999999")
    shutil.copytree(tmp_path / "checkpoint-999999", tmp_path / "checkpoint-best")
    train(tmp_path, epochs=2)
    assert train(tmp_path) == expected
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-best", "checkpoint-1000004"}


# Where nothing can be written -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system that holds 300 kB and can be made read-only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting a small disk needs the rights to do so")
    yield disk
    subprocess.run(["umount", disk], check=True)


class After(Callback):
    """Does something once, after so many epochs."""

    def __init__(self, epoch, action):
        self.epoch = epoch
        self.action = action

    def on_epoch_end(self, run):
        if run.epoch == self.epoch:
            self.action()


def line(directory, callback, epochs=5):
    """Train on a line; returns the weights."""
    model = Linear(2, 1, rng=0)
    optimizer = SGD(model.parameters(), 0.1)
    settings = {"epochs": epochs, "rng": 0, "progress": False, "callbacks": [callback]}
    fit(model, X, Y, optimizer=optimizer, checkpoint=directory, **settings)
    return model.weight.data.tolist()


def test_a_full_disk_leaves_the_checkpoint_before_and_the_training_goes_on(small_disk):
    def fill():
        with suppress(OSError), open(small_disk / "ballast", "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    expected = line(None, After(0, fill))
    with pytest.warns(RuntimeWarning, match=r"no checkpoint was written.*No space left.*the training goes on"):
        assert line(small_disk / "run", After(3, fill)) == expected
    (kept,) = (small_disk / "run").iterdir()
    assert read(kept)["state"]["counts"]["epoch"] == 2
    (small_disk / "ballast").unlink()
    assert line(small_disk / "run", After(3, list)) == expected


def test_a_disk_that_becomes_read_only_does_no_harm(small_disk):
    def lock():
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    expected = line(None, After(0, lock))
    with pytest.warns(RuntimeWarning, match=r"no checkpoint was written.*Read-only file system"):
        assert line(small_disk / "run", After(3, lock)) == expected
    (kept,) = (small_disk / "run").iterdir()
    assert read(kept)["state"]["counts"]["epoch"] == 2
    with pytest.raises(OSError, match="Read-only"):
        train(small_disk / "other")


def test_a_limit_on_the_size_of_files_leaves_the_checkpoint_before(tmp_path):
    keeper = Keeper(tmp_path, {})
    keeper.save({"x": np.zeros(10)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.warns(RuntimeWarning, match="File too large"):
            keeper.try_to_save({"x": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000001"]
    assert len(keeper.load()["x"]) == 10


def test_a_place_where_nothing_can_be_written_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        train(tmp_path / "file" / "run")


def test_without_safetensors_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.delitem(sys.modules, "safetensors.numpy", raising=False)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[files\]"'):
        train(tmp_path)


def test_nothing_is_pickled(tmp_path):
    train(tmp_path)
    (newest,) = tmp_path.iterdir()
    assert json.loads((newest / "state.json").read_text())["environment"]["numpy"] == np.__version__
    import safetensors.numpy

    arrays = safetensors.numpy.load_file(newest / "arrays.safetensors")
    assert {name.split("/")[2] for name in arrays} >= {"model", "optimizer", "callbacks"}
    assert os.path.getsize(newest / "state.json") < 20_000
