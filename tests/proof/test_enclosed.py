"""Proven decimals: what is printed is the rounding of every number in the ball."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.balls import precision
from surefoot.proof.enclosed import DIGITS, Enclosed, enclosed


def ball(low: Fraction, high: Fraction) -> arb:
    def point(value: Fraction) -> arb:
        return arb(fmpq(value.numerator, value.denominator))

    with precision(3000):
        return point(low).union(point(high))


@given(st.fractions(), st.integers(1, 40), st.integers(-320, 320))
def test_both_ends_round_to_the_text(number, width, scale):
    number *= Fraction(10) ** scale
    half = abs(number) / Fraction(10) ** width
    seen = enclosed(ball(number - half, number + half))
    text = str(seen.text)
    if number == 0:
        assert text == "0"
        return
    if not text:
        assert seen.digits == 0
        return
    assert 1 <= seen.digits <= DIGITS
    context = Context(prec=int(seen.digits), rounding=ROUND_HALF_EVEN)
    for end in (number - half, number + half):
        assert context.divide(Decimal(end.numerator), Decimal(end.denominator)) == Decimal(text)
    if math.isfinite(seen.value):
        for end in (number - half, number + half):
            assert abs(Fraction(float(seen.value)) - end) <= Fraction(float(seen.radius))


def test_texts_are_plain_where_that_is_short():
    numbers = [arb(1), arb(-1234567), arb("0.001953125"), arb(2) ** 100, arb(2) ** -40, arb(0), arb(0, 1)]
    assert enclosed(numbers).text.tolist() == [
        "1.0000000000000000", "-1234567.0000000000", "0.0019531250000000000", "1.2676506002282294e+30",
        "9.0949470177292824e-13", "0", "",
    ]  # fmt: skip


def test_a_tie_for_ever_gives_the_digits_that_agree():
    tie = Fraction(10**17 + 5, 10**17)  # its 18th digit is a five and nothing follows
    seen = enclosed(ball(tie - Fraction(1, 10**30), tie + Fraction(1, 10**30)))
    assert seen.digits == 16 and str(seen.text) == "1.000000000000000"


def test_what_is_not_known_is_not_a_number():
    seen = enclosed([None, arb.nan()])
    assert np.isnan(seen.value).all() and np.isinf(seen.radius).all() and seen.text.tolist() == ["", ""]


def test_states_read_back():
    seen = enclosed([[arb(1) / 3, arb(0)]])
    again = Enclosed.from_state(seen.state())
    assert again.text.tolist() == seen.text.tolist() and again.value.tolist() == seen.value.tolist()
    assert again.radius.tolist() == seen.radius.tolist() and again.digits.tolist() == seen.digits.tolist()
