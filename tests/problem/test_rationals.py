"""Exact columns against Python's fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import DataError
from surefoot.problem.rationals import MOST_DIGITS, Rationals, decimal

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, max_size=20))
def test_doubles_are_what_they_are(values):
    assert Rationals.from_doubles(np.array(values)).values() == [Fraction(value) for value in values]


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.integers() | FINITE, max_size=20))
def test_decimals_are_what_is_written(values):
    texts = [str(value) for value in values]
    assert Rationals.from_decimals(texts).values() == [Fraction(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)), ("+.5", Fraction(1, 2)), ("-.5", Fraction(-1, 2)), ("5.", 5),
        (" 1.5 ", Fraction(3, 2)),
        ("1_000", 1000), ("1.5_0", Fraction(3, 2)), ("1e3", 1000), ("1E-0003", Fraction(1, 1000)), ("-0", 0),
        ("1e-0000000000000000000005", Fraction(1, 10**5)), ("9007199254740993", 2**53 + 1), ("0e-10000", 0),
        ("1e-320", Fraction(1, 10**320)), ("1e400", 10**400),
    ],
)  # fmt: skip
def test_spellings(text, value):
    assert Rationals.from_decimals([text]).values() == [value] and decimal(text) == value
    assert Rationals.from_decimals([text, "7", "0.25"]).values() == [value, 7, Fraction(1, 4)]


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "-", "+.", "abc", "1.-5", ".-5", "1.+5", "--1", "1.2.3", "1 5", "1. 5", "1,5", "٣", "１", "1e", "e5",
     "nan", "inf", "0x10", "1e5.0", "1-", "_"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text):
    for texts in ([text], ["1", text]):
        with pytest.raises(DataError, match="not a finite decimal"):
            Rationals.from_decimals(texts)


def test_numbers_that_would_fill_the_memory_are_refused():
    for text in ("1e-999999999", "1e999999999999999999999", "1e-10001"):
        with pytest.raises(DataError, match="exponent beyond"):
            Rationals.from_decimals([text])
    for text in ("1" * 5000, "1." + "1" * MOST_DIGITS + "e0"):
        with pytest.raises(DataError, match="more than 4,000 digits"):
            Rationals.from_decimals([text])
    assert Rationals.from_decimals(["1" * MOST_DIGITS]).values() == [int("1" * MOST_DIGITS)]


FRACTIONS = st.lists(st.tuples(st.fractions(max_denominator=99), st.fractions(max_denominator=99)), max_size=6)


@given(FRACTIONS)
def test_arithmetic(pairs):
    a, b = [one for one, _ in pairs], [two for _, two in pairs]
    x, y = Rationals.from_fractions(a), Rationals.from_fractions(b) * Rationals.constant(Fraction(1, 7), len(b))
    b = [two / 7 for two in b]
    assert (x + y).values() == [p + q for p, q in zip(a, b, strict=True)]
    assert (x - y).values() == [p - q for p, q in zip(a, b, strict=True)]
    assert (x * y).values() == [p * q for p, q in zip(a, b, strict=True)]
    assert (-x).values() == [-p for p in a] and abs(x).values() == [abs(p) for p in a]
    quotient, power = x.over(y), x.power(-3)
    assert (quotient is None) == (0 in b) and (power is None) == (0 in a)
    assert quotient is None or quotient.values() == [p / q for p, q in zip(a, b, strict=True)]
    assert power is None or power.values() == [p**-3 for p in a]
    cube = x.power(3)
    assert cube is not None and cube.values() == [p**3 for p in a]


def test_what_would_be_too_long_is_left_to_balls():
    primes = [n for n in range(2, 3000) if all(n % k for k in range(2, int(n**0.5) + 1))]
    x = Rationals.from_integers(primes)
    assert Rationals.constant(Fraction(1), len(primes)).over(x) is None
    assert x.power(1_000_000) is None and x.power(3) is not None
    zero = Rationals.constant(Fraction(0), 2)
    assert zero.power(-1) is None and zero.power(0).values() == [1, 1]
