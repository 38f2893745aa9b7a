"""The classifier and the regressor beside scikit-learn's own, and in its tools."""

import contextlib
import pickle
import warnings
from unittest import SkipTest

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators are scikit-learn's")
from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from autograd_core import Value
from nn import cross_entropy, load, load_dataset, save
from nn import estimators as ours
from nn.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = dict(hidden_layer_sizes=(10,), max_iter=60, learning_rate_init=0.02)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([MLPClassifier(**QUICK), MLPRegressor(**QUICK)])
def test_scikit_learns_own_checks(estimator, check):
    not_for_us = ("check_array_api_input", "check_classifiers_multilabel_output_format_decision_function")
    with contextlib.suppress(*[SkipTest] * (check.func.__name__ in not_for_us)):
        check(estimator)


# Beside scikit-learn's own --------------------------------------------------------------------------------------------


def iris():
    x, y = load_dataset("iris")
    return (x - x.mean(axis=0)) / x.std(axis=0), y


X, Y = iris()
WEIGHT = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
TARGETS = {
    "classes": ("MLPClassifier", np.array(["setosa", "versicolor", "virginica"])[Y]),
    "two classes": ("MLPClassifier", Y == 1),
    "labels": ("MLPClassifier", np.stack([Y > 0, Y == 1, X[:, 0] > 0], axis=1).astype(int)),
    "a number": ("MLPRegressor", X[:, 0] * X[:, 1]),
    "numbers": ("MLPRegressor", X[:, :2] ** 2),
}
SETTINGS = {
    "sgd": dict(solver="sgd"),
    "sgd without momentum": dict(solver="sgd", momentum=0.0, shuffle=False, activation="identity"),
    "sgd without Nesterov": dict(solver="sgd", nesterovs_momentum=False, batch_size=40, activation="tanh"),
    "invscaling": dict(solver="sgd", learning_rate="invscaling", learning_rate_init=0.5),
    "adaptive": dict(solver="sgd", learning_rate="adaptive", tol=10.0, learning_rate_init=0.1, n_iter_no_change=2),
    "early stopping": dict(solver="sgd", early_stopping=True, learning_rate_init=0.1, activation="logistic", alpha=0.0),
    "two hidden layers": dict(solver="sgd", hidden_layer_sizes=(6, 4), alpha=1.0),
    "no hidden layer": dict(solver="sgd", hidden_layer_sizes=()),
    "warm start": dict(solver="sgd", warm_start=True),
    "stops": dict(solver="sgd", n_iter_no_change=2, tol=0.1),
    "lbfgs": dict(solver="lbfgs", max_iter=8),
    "adam": dict(solver="adam"),
    "adam with another epsilon": dict(solver="adam", epsilon=1e-3, beta_1=0.5, beta_2=0.9, activation="relu"),
}


CASES = [(settings, target) for settings in SETTINGS for target in TARGETS]
CASES.remove(("lbfgs", "numbers"))  # there, what is reported to L-BFGS is not what the gradient is of


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("settings", "target"), CASES)
def test_it_learns_what_scikit_learns_own_learns(settings, target, weighted):
    name, y = TARGETS[target]
    weight = WEIGHT if weighted else None
    parameters = dict(hidden_layer_sizes=(8,), max_iter=12, random_state=0) | SETTINGS[settings]
    a, b = (getattr(package, name)(**parameters) for package in (ours, theirs))
    for estimator in (a, b):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(1 + (settings == "warm start")):
                estimator.fit(X, y, sample_weight=weight)
    atol = 1e-9
    for mine, other in zip([*a.coefs_, *a.intercepts_], [*b.coefs_, *b.intercepts_], strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=atol)
    assert (a.n_iter_, a.t_, a.n_layers_, a.n_outputs_) == (b.n_iter_, b.t_, b.n_layers_, b.n_outputs_)
    assert a.out_activation_ == b.out_activation_
    assert a.n_features_in_ == b.n_features_in_
    np.testing.assert_allclose(a.predict(X) == b.predict(X) if name == "MLPClassifier" else 1, 1)
    assert a.score(X, y) == pytest.approx(b.score(X, y), abs=1e-4)
    if name == "MLPClassifier":
        np.testing.assert_array_equal(a.classes_, b.classes_)
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=atol)
        np.testing.assert_allclose(a.predict_log_proba(X), b.predict_log_proba(X), rtol=1e-3, atol=1e-3)
    if target != "numbers":  # of several numbers the sum is minimised, and the mean is what they report
        assert a.loss_ == pytest.approx(b.loss_, abs=atol)
        if settings != "lbfgs":
            np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, atol=atol)
            assert a.best_loss_ == (None if settings == "early stopping" else pytest.approx(b.best_loss_, abs=atol))
            assert a.validation_scores_ == (
                None if b.validation_scores_ is None else pytest.approx(b.validation_scores_)
            )


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_the_parameters_are_scikit_learns(name):
    mine, other = (getattr(package, name)().get_params() for package in (ours, theirs))
    other.pop("loss", None)
    assert mine.pop("compiled") is None, "the only one of its own"
    assert mine == other


# In scikit-learn's tools ----------------------------------------------------------------------------------------------


def test_in_a_pipeline_under_a_grid_search():
    x, y = load_dataset("wine")
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((8,), solver="lbfgs", max_iter=15, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1.0]}, cv=2).fit(x, y)
    assert search.best_score_ > 0.95
    assert cross_val_score(search.best_estimator_, x, y, cv=2).min() > 0.9


def test_what_is_missing_in_a_table_of_pandas_is_named():
    pandas = pytest.importorskip("pandas", reason="missing values come from pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c", "d"]).astype("Float64")
    table.iloc[2, 1] = pandas.NA
    with pytest.raises(ValueError, match=r"X is nan in row 2, column 1 \(b\): leave such rows out"):
        MLPClassifier(**QUICK).fit(table, Y)


def test_weights_are_changed_in_place_and_never_in_vain():
    estimator = MLPClassifier(**QUICK, random_state=0).fit(X, Y)
    with pytest.raises(TypeError):
        estimator.coefs_[0] = np.zeros_like(estimator.coefs_[0])
    for array in estimator.coefs_ + estimator.intercepts_:
        array[...] = 0.0
    np.testing.assert_allclose(estimator.predict_proba(X), 1 / len(estimator.classes_))


def test_pandas_names_are_kept_and_checked():
    pandas = pytest.importorskip("pandas", reason="feature names come from pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = MLPClassifier(**QUICK, random_state=0).fit(table, pandas.Series(Y))
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert estimator.score(table, Y) > 0.9
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(table[["b", "a", "c", "d"]])
    table.loc[7, "c"] = np.nan
    with pytest.raises(ValueError, match=r"(?s)Input X contains NaN.*X is nan in row 7, column 2 \(c\)"):
        MLPClassifier().fit(table, Y)


def test_partial_fit_goes_on_also_after_pickling():
    one = MLPClassifier((8,), random_state=0)
    for k in range(3):
        one.partial_fit(X, Y, classes=[0, 1, 2] if not k else None)
    two = pickle.loads(pickle.dumps(one))
    other = theirs.MLPClassifier((8,), random_state=0)
    for _ in range(5):
        other.partial_fit(X, Y, classes=[0, 1, 2])
    for estimator in (one, two):
        estimator.partial_fit(X, Y).partial_fit(X, Y)
    for mine, same, theirs_ in zip(one.coefs_, two.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(mine, same)
        np.testing.assert_allclose(mine, theirs_, atol=1e-12)
    assert len(one.loss_curve_) == 5


def test_partial_fit_needs_to_know_the_classes():
    with pytest.raises(ValueError, match="classes must be passed"):
        MLPClassifier().partial_fit(X, Y)
    estimator = MLPClassifier().partial_fit(X[:5], Y[:5], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="is not the same as before"):
        estimator.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"labels \[0, 1, 2, 3\], and what was learnt are the classes \[0, 1, 2\]"):
        estimator.partial_fit(X, np.arange(len(X)) % 4)
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPClassifier(solver="lbfgs").partial_fit(X, Y)
    for estimator in (MLPClassifier(early_stopping=True), MLPRegressor(early_stopping=True)):
        with pytest.raises(ValueError, match="does not support early_stopping"):
            estimator.partial_fit(X, Y, **({"classes": [0, 1, 2]} if isinstance(estimator, MLPClassifier) else {}))
    estimator = MLPRegressor().partial_fit(X, X[:, :2])
    with pytest.raises(ValueError, match="y has 1 columns, and what was learnt has 2 outputs"):
        estimator.partial_fit(X, Y)


def test_clone_takes_the_parameters_alone():
    estimator = MLPRegressor((3,), random_state=0, max_iter=5).fit(X, Y)
    assert clone(estimator).get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        clone(estimator).predict(X)


def test_any_activation_and_the_network_itself(tmp_path):
    estimator = MLPClassifier((6,), activation="softplus", solver="lbfgs", max_iter=30, random_state=0).fit(X, Y)
    assert estimator.score(X, Y) > 0.95
    pytest.importorskip("safetensors", reason="models are saved with safetensors")
    save(estimator.model_, tmp_path / "iris")
    np.testing.assert_array_equal(load(tmp_path / "iris")(Value(X)).data.argmax(axis=1), estimator.predict(X))


def test_float32_stays_float32():
    estimator = MLPRegressor((3,), random_state=0, max_iter=5).fit(X.astype(np.float32), Y)
    assert {a.dtype for a in [*estimator.coefs_, *estimator.intercepts_]} == {np.dtype(np.float32)}
    assert estimator.predict(X.astype(np.float32)).dtype == np.float32


def test_it_says_when_it_has_not_converged():
    for settings in (dict(solver="adam"), dict(solver="lbfgs", tol=0.0)):
        with pytest.warns(ConvergenceWarning, match="raise max_iter"):
            MLPClassifier(max_iter=3, **settings).fit(X, Y)


def test_control_c_keeps_what_was_learnt(monkeypatch):
    estimator = MLPClassifier((8,), random_state=0, max_iter=50)
    calls = []

    def interrupted(*arguments, **settings):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return cross_entropy(*arguments, **settings)

    monkeypatch.setattr(estimator, "loss_and_factor", lambda: (interrupted, 1))
    with pytest.warns(UserWarning, match="interrupted"):
        estimator.fit(X, Y)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 3
    assert estimator.predict(X).shape == (150,)


# What is refused ------------------------------------------------------------------------------------------------------


def with_hole(data, *place):
    data = np.array(data, dtype=float)
    data[place] = np.nan
    return data


@pytest.mark.parametrize(
    ("estimator", "x", "y", "message"),
    [
        (MLPClassifier(), X, np.zeros(150), r"one class only, \[0.0\]"),
        (MLPClassifier(), X, X[:, 0], "Unknown label type"),
        (MLPClassifier(), X, Y[:-1], "inconsistent numbers of samples"),
        (MLPClassifier(), X[:0], Y[:0], "0 sample"),
        (MLPClassifier(), with_hole(X, 3, 1), Y, "X is nan in row 3, column 1"),
        (MLPRegressor(), X, with_hole(Y, 5), "y is nan in row 5"),
        (MLPClassifier(hidden_layer_sizes=(3, 0)), X, Y, "hidden_layer_sizes must be > 0"),
        (MLPClassifier(hidden_layer_sizes="many"), X, Y, "hidden_layer_sizes"),
        (MLPClassifier(activation="step"), X, Y, "activation='step' is not 'logistic', 'identity'"),
        (MLPClassifier(solver="newton"), X, Y, "solver='newton' is not 'adam'"),
        (MLPClassifier(alpha=-1), X, Y, "alpha=-1 is not a number that is not negative"),
        (MLPClassifier(alpha=np.nan), X, Y, "alpha=nan"),
        (MLPClassifier(max_iter=2.5), X, Y, "max_iter=2.5"),
        (MLPClassifier(max_iter=2.0), X, Y, "max_iter=2.0 is not a positive integer"),
        (MLPClassifier(batch_size="all"), X, Y, "batch_size='all'"),
        (MLPClassifier(early_stopping="no"), X, Y, "early_stopping='no' is not True or False"),
        (MLPClassifier(early_stopping=True, validation_fraction=0.01), X[:60], Y[:60], "holds out 1 sample|should be"),
    ],
)
def test_what_is_refused(estimator, x, y, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(x, y)


def test_sparse_labels_are_refused_as_sparse_samples_are():
    with pytest.raises(TypeError, match=r"Sparse data was passed for y, .* Use '.toarray\(\)'"):
        MLPClassifier().fit(X, sparse.csr_matrix(np.eye(3, dtype=int)[Y]))


@pytest.mark.parametrize(
    ("weight", "message"), [(np.zeros(150), "zero"), (np.ones(3), r"shape \(3,\)"), (-np.ones(150), "negative")]
)
def test_weights_that_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor().fit(X, Y, sample_weight=weight)


def test_a_diverging_training_is_an_error():
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="loss"):
        MLPRegressor((5,), solver="sgd", learning_rate_init=1e200, random_state=0).fit(X, Y)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="loss"),
    ):  # not by its score on held out data
        MLPRegressor((5,), solver="sgd", learning_rate_init=1e3, early_stopping=True, random_state=0).fit(X, Y)


def test_parameters_that_change_before_a_warm_start():
    estimator = MLPClassifier((4,), warm_start=True, random_state=0, max_iter=3).fit(X, Y)
    estimator.set_params(early_stopping=True).fit(X, Y)
    assert len(estimator.validation_scores_) == 3
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\[5\] is not what was trained before"):
        estimator.set_params(hidden_layer_sizes=5).fit(X, Y)


# In machine code ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("kind", ["classes", "two classes", "labels", "numbers"])
def test_compiled_they_learn_the_same(kind, solver):
    pytest.importorskip("llvmlite")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3))
    y = {
        "classes": rng.integers(0, 3, 90),
        "two classes": rng.integers(0, 2, 90),
        "labels": rng.integers(0, 2, (90, 2)),
        "numbers": np.tanh(x @ rng.normal(size=(3, 2))),
    }[kind]
    settings = dict(hidden_layer_sizes=(5,), solver=solver, batch_size=20, max_iter=20, random_state=0)
    make = MLPRegressor if kind == "numbers" else MLPClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        one, other = (make(**settings, compiled=compiled).fit(x, y) for compiled in (False, True))
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
