"""Enclosures against rational arithmetic: they contain the truth, print nothing else, and know when they must not."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import exact as oracle
from surefoot.errors import DataError, ModelError
from surefoot.problem.balls import Balls, NotEnclosed
from surefoot.problem.rationals import Rationals
from surefoot.proof.certificate import Rigour, Verdict
from surefoot.proof.enclosed import Enclosed
from surefoot.proof.exact_arrays import exact_lstsq
from surefoot.proof.exact_fit import Shape, fit_exactly
from surefoot.proof.exact_gram import ExactRows


def contains(numbers: Enclosed, k, truth: Fraction) -> bool:
    """The ball of doubles contains the truth, and so does the last place of the proven decimal."""
    text, digits = str(numbers.text[k]), int(numbers.digits[k])
    if truth == 0:
        return is_inside(numbers, k, truth) and text == "0"
    last = Fraction(10) ** (_magnitude(truth) - digits + 1)
    return is_inside(numbers, k, truth) and abs(Fraction(text) - truth) <= last / 2


def is_inside(numbers: Enclosed, k, truth: Fraction) -> bool:
    """The ball of doubles contains the truth."""
    radius = float(numbers.radius[k])
    return math.isinf(radius) or abs(Fraction(float(numbers.value[k])) - truth) <= Fraction(radius)


def _magnitude(number: Fraction) -> int:
    """The power of ten of the first digit of what is not 0."""
    assert number
    guess = round((abs(number.numerator).bit_length() - number.denominator.bit_length()) * math.log10(2)) + 1
    while abs(number) < Fraction(10) ** guess:
        guess -= 1
    return guess


def doubles(low: float, high: float):
    return st.floats(low, high, allow_nan=False, allow_subnormal=True)


@st.composite
def problems(draw):
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(0, 4))
    entry = st.one_of(doubles(-1e3, 1e3), st.integers(-3, 3).map(float), st.sampled_from([1e-300, 1e300, 5e-324, -0.0]))
    A = np.array(draw(st.lists(entry, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    b = np.array(draw(st.lists(entry, min_size=rows, max_size=rows)))
    weights = draw(st.one_of(st.none(), st.lists(doubles(0, 10), min_size=rows, max_size=rows).map(np.array)))
    return A, b, weights


@settings(max_examples=200, deadline=None)
@given(problems())
def test_enclosures_contain_the_rational_solution(problem):
    A, b, weights = problem
    if weights is not None and not np.any(weights > 0):
        with pytest.raises(DataError, match="no rows"):
            exact_lstsq(A, b, weights)
        return
    found = exact_lstsq(A, b, weights)
    kept, rows = list(found.kept), slice(None) if weights is None else weights > 0
    w = None if weights is None else weights[rows]
    assert found.certificate.rigour is Rigour.PROVEN
    assert found.df_residual == found.count - len(kept)
    if kept:
        truth = oracle.solve([list(A[rows][:, j]) for j in kept], b[rows], w)
        assert all(contains(found.coef, j, c) for j, c in zip(kept, truth.coef, strict=True))
        assert contains(found.residual_ss, (), truth.residual_ss)
        if found.df_residual > 0:
            variance = [truth.variance * one for one in truth.bread]
            squares = [Fraction(str(found.stderr.text[j])) ** 2 for j in kept]
            for one, two in zip(squares, variance, strict=True):
                assert one == two == 0 or abs(one / two - 1) < Fraction(1, 10**15)
        else:
            assert np.all(np.isnan(found.stderr.value))
    for one in found.dependences:  # every row says so, exactly
        for row in A[rows].tolist():
            assert Fraction(row[one.column]) == sum((share * Fraction(row[j]) for j, share in one.parts), Fraction(0))
    unique = Verdict.UNIQUE_GLOBAL_MINIMUM if not found.dependences else Verdict.GLOBAL_MINIMUM
    assert found.certificate.verdict is unique
    assert np.linalg.matrix_rank(found.upper) == len(kept) or np.any(np.abs(A) > 1e200) or np.any(np.abs(A) < 1e-3)


def test_every_right_hand_side_is_answered_as_if_alone():
    rng = np.random.default_rng(3)
    A, B = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    both = exact_lstsq(A, B)
    assert both.coef.text.shape == (3, 2) and both.effects.shape == (3, 2)
    for k in range(2):
        one = exact_lstsq(A, B[:, k])
        assert both.coef.text[:, k].tolist() == one.coef.text.tolist()
        assert both.stderr.text[:, k].tolist() == one.stderr.text.tolist()
        assert both.r2.text[k] == one.r2.text
    assert exact_lstsq(A, B[:, :1]).coef.text.shape == (3, 1)


def test_blocks_make_no_difference():
    rng = np.random.default_rng(4)
    A, b, w = rng.normal(size=(50, 3)), rng.normal(size=50), rng.uniform(0, 1, 50)
    whole, cut = exact_lstsq(A, b, w), exact_lstsq(A, b, w, block=7)
    assert whole.coef.text.tolist() == cut.coef.text.tolist()
    assert whole.coef.radius.tolist() == cut.coef.radius.tolist()


def test_scales_at_both_ends_of_the_doubles_in_one_column():
    A = np.array([[1e-300, 1.0], [1e300, 2.0], [3.0, 5e-324], [-2.5, 1e300]])
    b = np.array([1e300, 1.0, 1e-300, 2.0])
    found, truth = exact_lstsq(A, b), oracle.solve(A, b)
    assert all(contains(found.coef, j, c) for j, c in enumerate(truth.coef))
    assert found.digits.tolist() == [17, 17]


def test_a_sum_of_squares_beyond_the_doubles_is_still_known_in_decimals():
    found = exact_lstsq(np.ones((3, 1)), np.array([1e300, -1e300, 1e300]))
    assert math.isinf(found.residual_ss.value) and "e+600" in str(found.residual_ss.text)
    assert math.isfinite(found.residual_length) and math.isfinite(found.sigma.value)


def test_integers_beyond_doubles_are_exact():
    big = 2**60
    found = exact_lstsq(np.array([[big], [big + 1]]), np.array([big, big + 1]))
    assert found.coef.text.tolist() == ["1.0000000000000000"] and found.residual_ss.text == "0"
    as_objects = exact_lstsq(np.array([[10**40], [10**40 + 1]], dtype=object), np.array([Fraction(1, 3), 0], object))
    truth = oracle.solve([[Fraction(10**40), Fraction(10**40 + 1)]], [Fraction(1, 3), Fraction(0)])
    assert contains(as_objects.coef, 0, truth.coef[0])


def test_equal_and_zero_columns_are_named_exactly():
    x = np.array([0.1, 0.2, 0.4, 0.7])
    found = exact_lstsq(np.column_stack([x, x, 3 * x + 1, np.zeros(4), np.ones(4)]), x**2, names=list("abcde"))
    # 3 * x + 1 is rounded, so it is no combination of the others: only exact arithmetic can tell.
    assert [one.column for one in found.dependences] == [1, 3]
    assert found.dependences[0].parts == ((0, Fraction(1)),) and found.dependences[1].parts == ()
    assert any("b = a, in exact arithmetic" in line for line in found.certificate.lines)
    assert any("d = 0, in exact arithmetic" in line for line in found.certificate.lines)
    assert np.isnan(found.digits[[1, 3]]).all() and np.all(found.digits[[0, 2, 4]] == 17)


def test_columns_that_differ_in_the_last_bit_are_independent():
    x = np.arange(1.0, 7.0)
    other = x.copy()
    other[3] = np.nextafter(other[3], 9.0)
    found, truth = exact_lstsq(np.column_stack([x, other]), x**3), oracle.solve(np.column_stack([x, other]), x**3)
    assert found.certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    assert all(contains(found.coef, j, c) for j, c in enumerate(truth.coef))


def test_a_coefficient_a_residual_and_an_r2_of_zero_are_zero():
    A = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]])
    flat = exact_lstsq(A, np.array([1.0, -2.0, 1.0]))  # perpendicular to both columns
    assert flat.coef.text.tolist() == ["0", "0"] and flat.r2.text == "0" and flat.has_constant
    through = exact_lstsq(A, np.array([0.5, 1.0, 1.5]))
    assert through.residual_ss.text == through.sigma.text == "0" and through.stderr.text.tolist() == ["0", "0"]
    assert any("exactly zero" in line for line in through.certificate.lines)
    constant = exact_lstsq(A, np.array([2.0, 2.0, 2.0]))
    assert math.isnan(constant.r2.value)  # the response does not vary
    without = exact_lstsq(A[:, 1:], np.array([1.0, 5.0, 1.0]))
    assert without.has_constant is False and without.r2.text == "0"


def test_one_row_and_no_columns():
    one = exact_lstsq([[0.1]], [0.3])
    assert contains(one.coef, 0, Fraction(0.3) / Fraction(0.1)) and np.isnan(one.stderr.value).all()
    none = exact_lstsq(np.zeros((2, 0)), [1.0, 2.0])
    assert none.coef.value.shape == (0,) and none.residual_ss.text == "5.0000000000000000"
    assert none.certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM


@pytest.mark.parametrize(
    ("A", "b", "weights", "words"),
    [
        (np.zeros((0, 2)), np.zeros(0), None, "no rows"),
        ([[1.0], [np.nan]], [1.0, 2.0], None, r"A\[1, 0\] is nan"),
        ([[1.0], [2.0]], [1.0, np.inf], None, r"b\[1\] is inf"),
        ([[1.0], [2.0]], [1.0], None, r"\(2, 1\) and \(1,\)"),
        ([1.0, 2.0], [1.0, 2.0], None, r"\(2,\)"),
        ([[1.0], [2.0]], [1.0, 2.0], [1.0, -1.0], "not negative"),
        ([[1.0], [2.0]], [1.0, 2.0], [1.0], "one number a row"),
        ([["a"], ["b"]], [1.0, 2.0], None, "not real numbers"),
        ([[1j], [2.0]], [1.0, 2.0], None, "not real numbers"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_in_a_sentence(A, b, weights, words):
    with pytest.raises(DataError, match=words):
        exact_lstsq(A, b, weights)


def test_names_must_be_as_many_as_columns():
    with pytest.raises(ModelError, match="2 names for 1 columns"):
        exact_lstsq([[1.0]], [1.0], names=["a", "b"])


def test_progress_is_told_after_each_block():
    seen = []
    exact_lstsq(np.ones((10, 1)), np.arange(10.0), report=lambda done, total: seen.append((done, total)), block=4)
    assert seen == [(4, 10), (8, 10), (10, 10)]


def _logarithms(bits: int, values=(1, 2, 3, 4, 5), power: int = 1) -> Balls:
    from flint import arb

    return Balls([arb(value).log() * power for value in values])


def test_enclosed_columns_give_proven_digits():
    y = Rationals.from_integers([1, 3, 2, 5, 4])
    ones = Rationals.constant(Fraction(1), 5)
    found = fit_exactly(lambda bits: [ExactRows([ones, _logarithms(bits), y], None, 5)], Shape(("one", "log"), 0))
    assert found.certificate.rigour is Rigour.PROVEN and not found.is_exact
    assert np.all(found.digits == 17)
    x = np.log(np.arange(1.0, 6.0))
    slope = np.polyfit(x, [1, 3, 2, 5, 4], 1)[0]
    assert abs(found.coef.value[1] / slope - 1) < 1e-12


@settings(max_examples=40, deadline=None)
@example((np.ones((1, 1)), np.zeros(1), None), 60)
@given(problems(), st.integers(60, 200))
def test_enclosures_of_enclosed_columns_contain_the_rational_solution(problem, width):
    """Every number is put into a ball that is wider than it need be, and not around its middle."""
    A, b, _ = problem
    exact = exact_lstsq(A, b)
    if exact.dependences or not A.shape[1] or np.any(np.abs(A[A != 0]) > 1e9) or np.any(np.abs(A[A != 0]) < 1e-9):
        return
    truth = oracle.solve(A, b)
    ends = []

    def balls(values, bits) -> Balls:
        from flint import arb

        half = arb(2) ** -max(width, bits - width)
        return Balls([arb(value) * arb(1 + half / 3, half) for value in values.tolist()])

    def read(bits):
        ends.append(bits)
        return [ExactRows([*(balls(column, bits) for column in A.T), balls(b, bits)], None, len(b))]

    names = tuple(f"x{k}" for k in range(A.shape[1]))
    found = fit_exactly(read, Shape(names), most_bits=1024)
    if not found.is_decided:
        return
    for j, value in enumerate(truth.coef):
        assert is_inside(found.coef, j, value)
        assert not str(found.coef.text[j]) or contains(found.coef, j, value)


def test_dependent_enclosed_columns_are_inconclusive_and_say_why():
    y, passes = Rationals.from_integers([1, 3, 2, 5, 4]), []

    def read(bits):
        passes.append(bits)
        return [ExactRows([_logarithms(bits), _logarithms(bits, power=2), y], None, 5)]

    found = fit_exactly(read, Shape(("a", "b")), most_bits=1024)
    assert passes == [256, 512, 1024]
    assert found.certificate.verdict is Verdict.INCONCLUSIVE and found.certificate.rigour is Rigour.NUMERICAL
    assert "1024 bits" in found.certificate.claim and not found.is_decided
    assert np.isnan(found.coef.value).all() and found.coef.text.tolist() == ["", ""]


def test_exact_dependence_is_found_beside_enclosed_columns():
    x, y = Rationals.from_decimals(["0.1", "0.2", "0.3", "0.5", "0.4"]), Rationals.from_integers([1, 3, 2, 5, 4])
    found = fit_exactly(lambda bits: [ExactRows([x, _logarithms(bits), x + x, y], None, 5)], Shape(("x", "l", "xx")))
    assert found.certificate.verdict is Verdict.GLOBAL_MINIMUM and found.certificate.rigour is Rigour.PROVEN
    assert found.dependences[0].column == 2 and found.dependences[0].parts == ((0, Fraction(2)),)


def test_a_saturated_fit_of_enclosed_columns_has_no_residual():
    y = Rationals.from_integers([1, 3])
    found = fit_exactly(lambda bits: [ExactRows([_logarithms(bits, (2, 3)), Rationals.constant(Fraction(1), 2), y],
                                                None, 2)], Shape(("log", "one"), 1))  # fmt: skip
    assert found.residual_ss.text == "0" and np.all(found.digits == 17)


def test_what_is_not_enclosed_is_tried_with_more_precision_and_then_refused():
    tried = []

    def read(bits):
        tried.append(bits)
        if bits < 1024:
            raise NotEnclosed("too wide")
        return [ExactRows([_logarithms(bits), Rationals.from_integers([1, 3, 2, 5, 4])], None, 5)]

    assert fit_exactly(read, Shape(("a",))).is_decided and tried == [256, 512, 1024]
    with pytest.raises(NotEnclosed, match="too wide"):
        fit_exactly(read, Shape(("a",)), most_bits=512)


def test_the_working_precision_is_left_as_it_was():
    from flint import ctx

    before = ctx.prec
    exact_lstsq(np.ones((2, 1)), [1.0, 2.0])
    with pytest.raises(KeyboardInterrupt):
        fit_exactly(_interrupted, Shape(("a",)))
    assert ctx.prec == before


def _interrupted(bits):
    yield ExactRows([Rationals.from_integers([1]), Rationals.from_integers([1])], None, 1)
    raise KeyboardInterrupt


def test_a_bound_that_the_balls_leave_open_is_no_crash():
    A = np.array([[0, 0, 0, 1.25047827], [0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1e300, 1e300]])
    found = exact_lstsq(A, np.zeros(4))
    assert found.certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM and found.coef.value.tolist() == [0.0] * 4
    assert found.certificate.evidence["smallest_eigenvalue_at_least"] >= 0.0
