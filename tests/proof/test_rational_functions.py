"""Signs of polynomials on intervals, against their factors."""

from fractions import Fraction
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_poly
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.rational_functions import Rational, negative_point, roots_between

roots = st.lists(st.fractions(min_value=-3, max_value=3, max_denominator=6), max_size=5)
ends = st.none() | st.fractions(min_value=-4, max_value=4, max_denominator=4)


def product(zeros, squares, lead):
    """lead (x - zeros)... ((x - c)^2 + 1)..."""
    found = fmpq_poly([lead])
    for zero in zeros:
        found *= fmpq_poly([-fmpq(zero.numerator, zero.denominator), 1])
    for c in squares:
        found *= fmpq_poly([c * c + 1, -2 * c, 1])
    return found


def value(zeros, lead, x):
    found = Fraction(lead)
    for zero in zeros:
        found *= x - zero
    return found


@given(roots, st.lists(st.integers(-2, 2), max_size=2), st.sampled_from([-1, 1]), ends, ends)
@settings(max_examples=300, deadline=None)
def test_a_point_where_a_polynomial_is_negative_is_found_if_and_only_if_there_is_one(zeros, squares, lead, low, high):
    assume(low is None or high is None or low < high)
    p = product(zeros, squares, lead)
    cuts = sorted({zero for zero in zeros if (low is None or zero > low) and (high is None or zero < high)})
    inner = [low if low is not None else min([*cuts, high or 0, 0]) - 2, *cuts]
    inner.append(high if high is not None else max([*cuts, inner[0], 0]) + 2)
    samples = [(a + b) / 2 for a, b in pairwise(inner)]
    found = negative_point(p, low, high)
    assert (found is not None) == any(value(zeros, lead, x) < 0 for x in samples)
    if found is not None:
        assert value(zeros, lead, found) < 0
        assert (low is None or found > low) and (high is None or found < high)
    assert roots_between(p, low, high) == cuts


def test_roots_that_touch_and_roots_that_are_near_are_told_apart():
    assert negative_point(fmpq_poly([0, 0, -12]), None, None) is not None  # -12 x^2
    assert negative_point(fmpq_poly([0, 0, 12]), None, None) is None
    tiny = fmpq(1, 10**30)
    assert negative_point(fmpq_poly([-tiny, 0, 1]), None, None) is not None  # x^2 - 1e-30
    assert negative_point(fmpq_poly([tiny, 0, 1]), None, None) is None
    near = fmpq_poly([-1, 1]) * fmpq_poly([-1 - tiny, 1])
    point = negative_point(near, Fraction(0), Fraction(2))
    assert point is not None and 1 < point < 1 + Fraction(1, 10**30)


def test_roots_that_are_not_rational_are_refused_where_they_matter():
    assert roots_between(fmpq_poly([-2, 0, 1]), Fraction(2), None) == []
    with pytest.raises(TooMuchError, match="not rational"):
        roots_between(fmpq_poly([-2, 0, 1]), Fraction(0), None)


def test_arithmetic_of_quotients_cancels_what_is_common():
    x, one = Rational.variable(), Rational.constant(1)
    assert (x * x / x - x).is_zero
    quotient = one / (one + x * x)
    assert quotient.at(Fraction(2)) == Fraction(1, 5) and (one / x).at(Fraction(0)) is None
    bend = quotient.derivative().derivative()  # (6 x^2 - 2)/(1 + x^2)^3
    assert bend.at(Fraction(1)) == Fraction(4, 8) and bend.is_never_negative(Fraction(1), None)
    assert not bend.is_never_negative(Fraction(1, 2), None)
