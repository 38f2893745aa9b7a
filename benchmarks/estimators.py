"""The two estimators beside scikit-learn's own, on its toy sets: the same settings, ten seeds each.

A seed decides what is held out, the initial weights and the order of the samples, in both alike. The optimizers differ
in the place of Adam's epsilon, and in nothing else.
"""

import statistics
import warnings
from time import perf_counter
from typing import Any

from sklearn import neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_linnerud, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from nn import estimators as ours

from .harness import Report, Target, Timing, table

SEEDS = range(10)
CLASSES = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer, "digits": load_digits}
NUMBERS = {"diabetes": load_diabetes, "linnerud": load_linnerud}
SOLVERS: dict[str, dict[str, Any]] = {
    "adam": dict(solver="adam"),
    "sgd": dict(solver="sgd", learning_rate_init=0.05),
    "lbfgs": dict(solver="lbfgs"),
}
SETTINGS: dict[str, Any] = dict(hidden_layer_sizes=(32,), max_iter=100)


def split(load: Any, seed: int) -> list[Any]:
    """Standardised data, a quarter of them held out."""
    x, y = load(return_X_y=True)
    numbers = load in NUMBERS.values()
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=None if numbers else y)
    scaler = StandardScaler().fit(x)
    x, x_test = scaler.transform(x), scaler.transform(x_test)
    if numbers:
        width = y.std(axis=0)
        y, y_test = (y - y.mean(axis=0)) / width, (y_test - y.mean(axis=0)) / width
    return [x, x_test, y, y_test]


def once(package: Any, name: str, settings: dict[str, Any], data: list[Any], seed: int) -> tuple[float, float]:
    """The score on what was held out, and the seconds of the fit."""
    x, x_test, y, y_test = data
    estimator = getattr(package, name)(**SETTINGS, **settings, random_state=seed)
    begin = perf_counter()
    estimator.fit(x, y)
    seconds = perf_counter() - begin
    return estimator.score(x_test, y_test), seconds


def measure(name: str, load: Any, settings: dict[str, Any]) -> tuple[list[float], list[float], Timing, Timing]:
    """The scores and times of ours and of theirs, which take turns."""
    scores: tuple[list[float], list[float]] = ([], [])
    times = (Timing([]), Timing([]))
    for seed in SEEDS:
        data = split(load, seed)
        for package, found, timing in zip((ours, theirs), scores, times, strict=True):
            score, seconds = once(package, name, settings, data, seed)
            found.append(score)
            timing.samples.append(seconds)
    return *scores, *times


def run() -> Report:
    """All sets with all solvers."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    warmed = split(load_iris, 0)
    for package in (ours, theirs):
        once(package, "MLPClassifier", {}, warmed, 0)
    rows, worst = [], 0.0
    for name, sets in (("MLPClassifier", CLASSES), ("MLPRegressor", NUMBERS)):
        for title, load in sets.items():
            for solver, settings in SOLVERS.items():
                mine, other, time, reference = measure(name, load, settings)
                spread = statistics.stdev(other)
                lag = statistics.mean(other) - statistics.mean(mine)
                worst = max(worst, lag / spread if spread else float(lag > 0))
                rows.append([title, solver, shown(mine), shown(other), f"{lag:+.5f}", *timed(time, reference)])
    text = (
        "## Estimators beside scikit-learn's, on its toy sets\n\n"
        + table(["set", "solver", "here", "scikit-learn", "behind by", "seconds here", "× scikit-learn"], rows)
        + "\nAccuracy, for diabetes and linnerud R², on a quarter that is held out: the mean over ten seeds ± the\n"
        "standard deviation. 32 hidden units, 100 epochs at most, otherwise the defaults; SGD at a rate of 0.05.\n"
        "Times are those of `fit`, and their ratio is the median over the seeds.\n"
    )
    target = Target("mean score behind, the worst of all sets and solvers", "scikit-learn's MLPs", worst, 1, "sd")
    return Report(text, [target])


def shown(scores: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.mean(scores):.3f} ± {statistics.stdev(scores):.3f}"


def timed(time: Timing, reference: Timing) -> list[str]:
    """Seconds, and the ratio."""
    return [f"{time.seconds:.3f}", f"{time.ratio(reference):.2f}"]
