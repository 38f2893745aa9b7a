"""The demo: it learns, reports and draws."""

import io
import sys

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from nn.demo import main, train_on_digits

FILES = ["confusion.png", "expression.png", "expression.svg", "mlp_loss.png", "mlp_loss.svg", "training.png"]


def test_digits_are_learned():
    result = train_on_digits(seed=0, progress=False)
    train_loss, train_accuracy = result.loss_and_accuracy(*result.train)
    test_loss, test_accuracy = result.loss_and_accuracy(*result.test)
    assert len(result.test[1]) == 359
    assert test_accuracy >= 0.95
    assert train_accuracy > test_accuracy
    assert train_loss < test_loss < 0.01
    assert result.history.validation_loss[-1] == pytest.approx(test_loss)


def test_the_demo_reports_and_draws(tmp_path, capsys):
    main(["--epochs", "2", "--seed", "1", "--out", str(tmp_path / "out")])
    shown = capsys.readouterr().out
    assert "train: loss 0." in shown
    assert "of 359 digits" in shown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    for name in FILES:
        assert str(tmp_path / "out" / name) in shown
        start = (tmp_path / "out" / name).read_bytes()[:300]
        assert start.startswith(b"\x89PNG") if name.endswith("png") else b"<svg" in start or b"<?xml" in start


def test_the_demo_reports_where_the_output_has_no_arrows(tmp_path, monkeypatch):
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="cp1252"))
    main(["--epochs", "1", "--out", str(tmp_path)])
    sys.stdout.flush()
    assert b"training.png" in output.getvalue()
