"""The history, its plots, and what is shown while a model learns."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import MLP, SGD, History, fit

ROOT = Path(__file__).parent.parent.parent

TRAIN = """
import numpy as np
from nn import SGD, Linear, fit
x = np.random.default_rng(0).normal(size=(64, 2))
model = Linear(2, 1, rng=0)
history = fit(model, x, x[:, :1], optimizer=SGD(model.parameters(), 0.1), epochs={epochs}, batch_size=16, rng=0)
"""


@pytest.fixture
def history():
    return History(
        {
            "loss": [4.0, 2.0, 1.0],
            "accuracy": [0.5, 0.6, 0.7],
            "validation_loss": [5.0, 2.5, 3.0],
            "validation_accuracy": [0.4, 0.6, 0.5],
            "learning_rate": [0.1, 0.1, 0.01],
            "seconds": [1.0, 1.0, 1.0],
            "gradient_norm/layers.0": [3.0, 2.0, 1.0],
            "gradient_norm/layers.2": [30.0, 20.0, 1.0],
        }
    )


# History --------------------------------------------------------------------------------------------------------------


def test_columns_are_read_and_not_written(history):
    assert history.loss == history["loss"] == (4.0, 2.0, 1.0)
    assert history.metrics == {"accuracy": (0.5, 0.6, 0.7), "validation_accuracy": (0.4, 0.6, 0.5)}
    assert history.gradient_norm == {"layers.0": (3.0, 2.0, 1.0), "layers.2": (30.0, 20.0, 1.0)}
    copy = history.to_dict()
    copy["loss"].append(0.0)
    assert len(history) == 3
    with pytest.raises(AttributeError):
        history.loss = (1.0,)
    with pytest.raises(TypeError):
        history["loss"] = (1.0,)
    with pytest.raises(KeyError, match="no column 'los' in the history: there are loss, accuracy"):
        history["los"]
    with pytest.raises(ValueError, match="loss has 2, accuracy has 1"):
        History({"loss": [1.0, 2.0], "accuracy": [1.0]})


def test_it_is_a_table(history):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(history.to_dict())
    assert table.shape == (3, 8)
    assert table["validation_loss"].idxmin() == 1


def test_its_repr_says_how_it_went(history):
    history.stopped = "it was time"
    text = repr(history)
    assert text.startswith("History of 3 epochs in 3.0 s, stopped: it was time\n")
    assert "validation_loss       5 → 3, least 2.5 in epoch 2\n" in text
    assert repr(History()) == "History of 0 epochs"


def test_the_gradient_norms_are_those_of_the_layers():
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    model = MLP([2, 3, 1], "tanh", "identity", rng=0)
    history = fit(model, x, y, optimizer=SGD(model.parameters(), 1e-12), epochs=1, progress=False)
    model.zero_grad()
    nn.mse_loss(model(x), y).backward()
    for name, layer in (("layers.0", model.layers[0]), ("layers.2", model.layers[2])):
        grads = np.concatenate([p.grad.ravel() for p in layer.parameters()])
        assert history.gradient_norm[name] == (pytest.approx(np.linalg.norm(grads)),)


# Plots ----------------------------------------------------------------------------------------------------------------


def new_figure():
    return pytest.importorskip("matplotlib.figure").Figure(layout="constrained")


def test_the_history_plots_what_there_is(history):
    figure = history.plot(new_figure())
    panels = {ax.get_title(loc="left"): ax for ax in figure.axes}
    assert list(panels) == ["loss", "accuracy", "learning rate", "gradient norm per layer"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in panels["loss"].get_lines()}
    assert curves["training"] == [[1, 4], [2, 2], [3, 1]]
    assert curves["validation"] == [[1, 5], [2, 2.5], [3, 3]]
    assert curves["least, in epoch 2"] == [[2, 2.5]]
    assert [panels[name].get_yscale() for name in ("loss", "gradient norm per layer")] == ["linear", "log"]
    figure.canvas.draw()
    assert [ax.get_title(loc="left") for ax in History({"loss": [1.0]}).plot(new_figure()).axes] == ["loss"]
    with pytest.raises(ValueError, match="the history is empty"):
        History().plot(new_figure())


def test_without_a_figure_pyplot_makes_one(history):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    figure = history.plot()
    assert plt.fignum_exists(figure.number)
    plt.close(figure)


def test_without_matplotlib_the_plot_says_what_to_install(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[plot\]"'):
        history.plot()


def pixel(figure, ax, point):
    """The colour of a rendered figure at a point of its axes."""
    agg = pytest.importorskip("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    agg.draw()
    picture = np.asarray(agg.buffer_rgba())
    column, row = ax.transData.transform(point)
    return picture[picture.shape[0] - 1 - round(row), round(column), :3].astype(int)


def test_the_decision_boundary_is_where_the_model_says():
    x = np.array([[-2.0, -2.0], [-2.0, 2.0], [2.0, -2.0], [2.0, 2.0]])
    labels = np.array([0, 0, 1, 1])
    for model, y in (
        (lambda points: points[:, :1] + 0.5, labels[:, None]),  # one output: class 1 where x₁ > 0
        (lambda points: points @ [[-1.0, 1.0], [0.0, 0.0]], np.eye(2)[labels]),  # a score for each class
    ):
        figure = new_figure()
        ax = nn.plot_decision_boundary(model, x, y, figure.subplots())
        left, right = pixel(figure, ax, (-0.7, 0.3)), pixel(figure, ax, (0.7, 0.3))
        assert left[2] > left[0], "class 0 is blue"
        assert right[0] > right[2], "class 1 is orange"
        (boundary,) = [path for c in ax.collections for path in c.get_paths() if len(path.vertices) > 100]
        np.testing.assert_allclose(boundary.vertices[:, 0], 0.0, atol=1e-9)
    with pytest.raises(ValueError, match=r"samples of shape \(n, 2\) and n classes are needed, not \(4, 3\)"):
        nn.plot_decision_boundary(model, np.ones((4, 3)), labels)
    with pytest.raises(ValueError, match="give predict_proba instead of predict"):
        nn.plot_decision_boundary(lambda points: np.full(len(points), 2), x, labels)
    with pytest.raises(ValueError, match=r"classes are 0, 1, \.\.\., and one is -1"):
        nn.plot_decision_boundary(model, x, [-1, -1, 1, 1])


def test_the_confusion_matrix_counts():
    pytest.importorskip("sklearn")
    scores = np.eye(3)[[0, 1, 1, 2, 2, 0]]
    ax = nn.plot_confusion_matrix(scores, [0, 1, 2, 2, 2, 0], new_figure().subplots(), names=["a", "b", "c"])
    shown = {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in ax.texts
        if text.get_visible()
    }
    assert shown == {(0, 0): "2", (1, 1): "1", (2, 1): "1", (2, 2): "2"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert ax.get_title(loc="left") == "83.3% of 6 right"
    ax = nn.plot_confusion_matrix([0, 2, 0], [0, 2, 2], new_figure().subplots(), names=["a", "b", "c"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"], "though there is no b"
    with pytest.raises(ValueError, match=r"the classes 0, 1, \.\.\., 1, and there is a class 2"):
        nn.plot_confusion_matrix([1, 2], [1, 2], new_figure().subplots(), names=["b", "c"])
    with pytest.raises(ValueError, match=r"classes are integers: .* write p > 0.5"):
        nn.plot_confusion_matrix([[0.9], [0.2]], [1, 0], new_figure().subplots())
    with pytest.raises(TypeError, match=r"predictions are wanted, not the MLP: write model\(x\)"):
        nn.plot_confusion_matrix(MLP([2, 3]), np.zeros((2, 2)), [1, 0])


# Progress -------------------------------------------------------------------------------------------------------------


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}


def test_a_log_file_gets_plain_lines():
    command = [sys.executable, "-W", "error", "-c"]
    short = subprocess.run([*command, TRAIN.format(epochs=3)], env=environment(), capture_output=True, check=True)
    lines = short.stderr.decode().splitlines()
    assert [re.sub(r"\d\.\d+$", "#", line) for line in lines] == [f"epoch {k}/3: loss #" for k in (1, 2, 3)]
    long = subprocess.run([*command, TRAIN.format(epochs=1000)], env=environment(), capture_output=True, check=True)
    assert b"\r" not in long.stderr
    epochs = [int(re.match(r"epoch +(\d+)/1000: ", line)[1]) for line in long.stderr.decode().splitlines()]
    assert epochs == [1, *range(50, 1001, 50)]


STOPPED = """
from nn import *
class Enough(Callback):
    def on_epoch_end(self, run):
        if run.epoch == 123:
            run.stop("enough")
model = MLP([1, 2, 1], rng=0)
optimizer = SGD(model.parameters(), 0.1)
fit(model, [[0.0], [1.0]], [[0.0], [1.0]], optimizer=optimizer, epochs=1000, rng=0, callbacks=[Enough()])
"""


def test_the_last_line_before_a_training_stopped_is_there():
    command = [sys.executable, "-W", "error", "-c", STOPPED]
    found = subprocess.run(command, env=environment(), capture_output=True, check=True)
    lines = [line.partition(": ")[0] for line in found.stderr.decode().splitlines()]
    assert lines == ["epoch    1/1000", "epoch   50/1000", "epoch  100/1000", "epoch  123/1000", "stopped"]


def test_a_bar_stands_where_it_stopped(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = nn.progress.Bar(30, 0, 10, 0)
    bar.batches(10)
    bar.epoch(1, {"loss": 0.5})
    bar.stopped(1, "enough")
    bar.close()
    last = sys.stderr.getvalue().rstrip().rpartition("\r")[2]
    assert "stopped: enough" in sys.stderr.getvalue()
    assert last.startswith("epoch 1/30:   3%")


def test_a_legend_of_many_layers_hides_no_curve():
    history = nn.History({"loss": [1.0, 0.5]} | {f"gradient_norm/{k}": [1.0, 2.0] for k in range(9)})
    _, ax = nn.plots.plot_history(history, new_figure()).axes
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


def test_a_terminal_gets_a_bar():
    pytest.importorskip("tqdm")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows and columns
    process = subprocess.Popen([sys.executable, "-c", TRAIN.format(epochs=3)], env=environment(), stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # the other end is closed
    assert process.wait() == 0
    os.close(ours)
    last = shown.decode().rstrip().rpartition("\r")[2]
    assert re.match(r"epoch 3/3: 100%\|█{12}\| .*, loss \d\.\d+$", last)


def test_a_notebook_gets_a_bar(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("tqdm")
    cell = nbformat.v4.new_code_cell("import warnings; warnings.simplefilter('ignore')\n" + TRAIN.format(epochs=3))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute(
        env=environment()
    )
    shown = "".join(str(output) for output in notebook.cells[0].outputs)
    assert "epoch 3/3: 100%" in shown
    assert "epoch 3/3" in shown


def test_without_tqdm_a_terminal_gets_lines(monkeypatch, capsys):
    monkeypatch.setattr(nn.progress, "find_spec", {}.get)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    nn.progress.progress_of(2, 0, 1, 0).epoch(1, {"loss": 0.5})
    assert capsys.readouterr().err == "epoch 1/2: loss 0.5\n"


def test_without_a_standard_error_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert type(nn.progress.progress_of(2, 0, 1, 0)) is nn.progress.Silence


def test_a_package_that_is_broken_itself_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import a_package_that_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'a_package_that_it_needs'"):
        nn.extras.require("broken_package", extra="learn")
