"""Batches, splits and one-hot rows."""

import numpy as np
import pytest

from nn import Standardize, batches, one_hot, split

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


@pytest.mark.parametrize(("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (10, [10]), (99, [10]), (1, [1] * 10)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_meet_every_sample_once(batch_size, sizes, shuffle):
    met = list(batches(X, Y, batch_size=batch_size, shuffle=shuffle, rng=0))
    assert [len(x) for x, _ in met] == sizes
    assert all((x[:, 0] == 2 * y).all() for x, y in met)
    order = np.concatenate([y for _, y in met])
    assert sorted(order) == Y.tolist()
    assert np.array_equal(order, Y) is not shuffle


def test_the_seed_decides_the_order_and_a_generator_goes_on():
    def order(rng):
        return next(batches(Y, batch_size=10, rng=rng))[0].tolist()

    rng = np.random.default_rng(0)
    assert order(0) == order(0) == order(rng) != order(rng)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((X, Y[:9]), r"equally many samples on the first axis are needed; the shapes are \(10, 2\), \(9,\)"),
        ((X, 1.0), r"the shapes are \(10, 2\), \(\)"),
        ((), "are needed"),
        ((X, np.ma.array(Y, mask=[True] + [False] * 9)), "there are masked values: "),
        ((X[:0], Y[:0]), r"there are no samples; the shapes are \(0, 2\), \(0,\)"),
    ],
)
def test_bad_arrays_are_refused_at_once(arrays, message):
    with pytest.raises(ValueError, match=message):
        batches(*arrays, batch_size=2)
    with pytest.raises(ValueError, match=message):
        split(*arrays)


def test_a_batch_has_samples():
    with pytest.raises(ValueError, match="batch_size=0"):
        batches(X, batch_size=0)


def test_split_holds_out_a_fraction():
    x, x_test, y, y_test = split(X, Y, fraction=0.3, rng=0)
    assert (x.shape, x_test.shape, y.shape, y_test.shape) == ((7, 2), (3, 2), (7,), (3,))
    assert (x[:, 0] == 2 * y).all()
    assert (x_test[:, 0] == 2 * y_test).all()
    assert sorted([*y, *y_test]) == Y.tolist()
    np.testing.assert_array_equal(split(Y, rng=3)[1], split(Y, rng=3)[1])


@pytest.mark.parametrize("fraction", [0.0, 0.01, 1.0, -0.2, 2.0])
def test_both_parts_of_a_split_have_samples(fraction):
    with pytest.raises(ValueError, match="leaves one of the parts empty"):
        split(X, Y, fraction=fraction)


def test_one_hot():
    assert one_hot([1, 0, 2], 4).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert one_hot(np.array([[1], [0]]), 2).shape == (2, 1, 2)


@pytest.mark.parametrize("labels", [[0, 4], [-1], [0.5], ["a"], [True]])
def test_one_hot_refuses_what_is_no_label(labels):
    with pytest.raises(ValueError, match="labels"):
        one_hot(labels, 4)


def test_standardize_is_fitted_once_and_undone():
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(5.0, [1.0, 100.0, 1e-6], (50, 3)), rng.normal(size=(9, 3))
    standardize = Standardize(x)
    z = standardize(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(z.std(axis=0), 1)
    np.testing.assert_allclose(standardize(x_test), (x_test - x.mean(axis=0)) / x.std(axis=0))
    np.testing.assert_allclose(standardize.inverse(standardize(x_test)), x_test)
    assert standardize.parameters() == []
    assert sorted(standardize.state_dict()) == ["mean", "scale"]


def test_standardize_leaves_constant_columns_and_float32_as_they_are():
    x = np.full((7, 2), 0.1, np.float32)
    assert (Standardize(x)(x) == 0).all()
    assert Standardize(x)(x).dtype == np.float32
    assert (Standardize(np.full((7, 1), 0.1)).scale == 1).all()
    assert Standardize(np.arange(6, dtype=np.uint8)).mean == 2.5


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[1.0, 2.0], [3.0, np.nan]], ValueError, "x is nan in row 1, column 1"),
        ([[np.inf]], ValueError, "x is inf in row 0, column 0"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), ValueError, r"x has masked values: .* x\.filled\(0\.0\)"),
        (np.zeros((0, 2)), ValueError, "there are no samples"),
        ([["a"]], TypeError, "numbers are wanted"),
        ([1j, 2.0], TypeError, "give real numbers"),
    ],
)
def test_standardize_refuses_what_has_no_mean(x, error, message):
    with pytest.raises(error, match=message):
        Standardize(x)


@pytest.mark.parametrize("x", [np.ones((2, 1)), np.ones((2, 3)), np.ones(1), 1.0])
def test_standardize_refuses_other_columns_than_it_was_fitted_on(x):
    layer = Standardize([[0.0, 5.0], [2.0, 7.0]])
    for function in (layer, layer.inverse):
        with pytest.raises(ValueError, match="does not have the columns of what it was fitted on"):
            function(x)
    assert layer([0.0, 5.0]).tolist() == [-1.0, -1.0], "one sample will do"
