"""The reference values themselves are checked: every certified number is recomputed in exact arithmetic."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from nistdata import FOLDER, NAMES, digits, load

EXAMPLES = FOLDER.parent.parent / "examples"


def inverse(matrix):
    """Exact inverse by Gauss-Jordan elimination."""
    n = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(n):
            if k != i and rows[k][i] != 0:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def root(value):
    with localcontext(prec=60):
        return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()


@pytest.mark.parametrize("name", NAMES)
def test_certified_values_follow_from_the_data(name):
    nist = load(name)
    X, y = nist.exact_design(), nist.exact_columns["y"]
    bread = inverse([[dot(a, b) for b in X] for a in X])
    moments = [dot(a, y) for a in X]
    coefficients = [dot(row, moments) for row in bread]
    residual_ss = dot(y, y) - dot(coefficients, moments)
    mean = sum(y) / len(y) if nist.r2_is_centred else 0
    total_ss = sum((value - mean) ** 2 for value in y)
    variance = residual_ss / nist.residual_df
    model_ms = (total_ss - residual_ss) / nist.model_df

    assert nist.residual_df == nist.rows - len(nist.terms)
    assert nist.model_df == len(nist.terms) - nist.r2_is_centred
    assert nist.exact == (residual_ss == 0)
    for estimate, certified in zip(coefficients, nist.coefficients, strict=True):
        assert digits(estimate, certified) >= 13
    for i, certified in enumerate(nist.standard_errors):
        assert digits(root(variance * bread[i][i]), certified) >= 13
    assert digits(root(variance), nist.sigma) >= 13
    assert digits(1 - residual_ss / total_ss, nist.r2) >= 13
    assert digits(float("inf") if nist.exact else model_ms / variance, nist.f) >= 13
    assert digits(total_ss - residual_ss, nist.model_ss) >= 13
    assert digits(model_ms, nist.model_ms) >= 13
    assert digits(residual_ss, nist.residual_ss) >= 13
    assert digits(variance, nist.residual_ms) >= 13


def test_all_eleven_sets_are_here():
    assert len(NAMES) == 11
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_design_and_columns_have_one_row_for_each_observation(name):
    nist = load(name)
    assert nist.design().shape == (nist.rows, len(nist.terms))
    assert all(column.dtype == np.float64 for column in nist.columns.values())


def test_the_shipped_example_is_norris():
    with (EXAMPLES / "ozone.csv").open() as file:
        header, *rows = file.read().splitlines()
    assert header == "customer,nist"
    norris = load("Norris")
    assert [tuple(row.split(",")) for row in rows] == list(zip(norris.text["y"], norris.text["x"], strict=True))


@pytest.mark.parametrize(
    ("estimate", "certified", "expected"),
    [
        (1.0, "1.00000000000000", 15.0),
        (1.5, "1.5", 15.0),
        (1.001, "1", 3.0),
        (-0.99, "-1.0", 2.0),
        (np.float64(1.001), "0.100000000000000E+01", 3.0),
        (np.int64(1001), "1000", 3.0),
        (1e-9, "0.000000000000000", 9.0),
        (0.0, "0.000000000000000", 15.0),
        (5.0, "1", 0.0),
        (float("nan"), "1", 0.0),
        (float("inf"), "1", 0.0),
        (float("inf"), "Infinity", 15.0),
        (1e300, "Infinity", 0.0),
        (Fraction(10**14 + 1, 10**14), "1", 14.0),
    ],
)
def test_digits(estimate, certified, expected):
    assert digits(estimate, certified) == pytest.approx(expected, abs=1e-9)


def test_digits_sees_what_doubles_cannot():
    """0.1 as a double is off by 5.55e-18, more than sixteen digits: capped, and yet not equal."""
    assert digits(Fraction(0.1), "0.1") == 15.0
    assert Fraction(0.1) != Fraction("0.1")
    assert digits(Fraction("0.1") + Fraction(1, 10**14), "0.1") == pytest.approx(13.0, abs=1e-9)
