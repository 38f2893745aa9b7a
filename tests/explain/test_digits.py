"""Numbers as texts."""

from typing import Any

import numpy as np
import pytest

from autograd_core.explain.digits import Summary, exact, inline, number, summary


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0985812, "0.09858"),
        (-0.0, "0"),
        (1e-300, "1e−300"),
        (123456.0, "1.235e5"),
        (np.float32(0.1), "0.1"),
        (float("nan"), "nan"),
        (1 - 2j, "1−2j"),
        (np.True_, "true"),
    ],
)
def test_number(x: Any, text: str) -> None:
    assert number(x) == text


@pytest.mark.parametrize(
    ("x", "text"), [(12345, "12345"), (-1.0, "−1"), (1e9, "1e9"), (2**70, "1.181e21"), (1j, "1j"), (2 - 1j, "2−1j")]
)
def test_exact(x: Any, text: str) -> None:
    assert exact(x) == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.float64(0.5), Summary((("0.5",),))),
        (np.array([[0.12345]]), Summary((("0.1235",),))),
        (np.array([0.12345, -1.0]), Summary((("0.123", "−1"),))),
        (np.eye(2), Summary((("1", "0"), ("0", "1")))),
        (np.ones((4, 1)), Summary((("1", "1", "1", "1"),))),
        (np.array([]), Summary((("empty",),))),
        (np.full(9, 0.25), Summary((("all 0.25",),))),
        (np.arange(10.0), Summary((("4.5 ± 2.87",),), ("0 to 9",))),
        (np.arange(10) > 6, Summary((("3 true",),), ("of 10",))),
        (np.array([0.0, 1, 2, 3, 4, np.nan]), Summary((("2 ± 1.41",),), ("0 to 4", "1 of 6 not finite"))),
        (np.full(5, np.inf) * [1, -1, 1, 1, 1], Summary((("nan",),), ("5 of 5 not finite",))),
        (np.array([1j, 2j, 3j, 4j, 5j]), Summary((("0+3j ± 1.41",),), ("|·| 1 to 5",))),
    ],
)
def test_summary(data: Any, expected: Summary) -> None:
    assert summary(data) == expected


def test_large_float16_arrays_do_not_overflow() -> None:
    assert summary(np.array([65504, 65504, 0, 65504, 65504], np.float16)).lines == (("5.24e4 ± 2.62e4",),)


def test_inline() -> None:
    assert inline(np.eye(2)) == "1, 0, 0, 1"
    assert inline(np.array([])) == "empty"
    assert inline(np.arange(5.0)) == "2 ± 1.41"
