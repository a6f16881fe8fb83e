"""Intervals against Arb: every function, its derivatives and its claims, over random intervals with all their edges."""

from __future__ import annotations

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import draws
from interval_cases import EDGES, by_arb, intervals, members, missed, numbers
from surefoot.proof.arb_elementary import binary, power, unary
from surefoot.proof.arb_reading import precision
from surefoot.proof.elementwise import RULES, power_rule
from surefoot.proof.interval import Interval, Truth, equal, less, less_or_equal, square, tight, whole_power
from surefoot.proof.interval_functions import BINARY

pytestmark = pytest.mark.fuzz

POWERS = ("2", "3", "4", "0", "-1", "-2", "-3", "17", "1/2", "-1/2", "3/2", "1/3", "-1/3", "2/3", "5/2", "-7/3")
EXPONENTS = {f"power {c}": Fraction(c) for c in POWERS} | {"power 0.1": Fraction(0.1), "power -1.1": Fraction(-1.1)}
FUNCTIONS = {name: (rule, unary(name)) for name, rule in RULES.items()} | {
    name: (power_rule(c), power(c)) for name, c in EXPONENTS.items()
}
SLOW = ("lgamma", "digamma")

WIDTHS = {"logistic": 6, "softplus": 6, "log_ndtr": 400, "lgamma": 4, "digamma": 4} | {
    name: 16 for name, c in EXPONENTS.items() if c.denominator > 2
}
"""Units in the last place that a value at a number may be wide; 2 for functions of the library."""


def cases(name: str) -> int:
    return draws(150, 1500) if name in SLOW else draws(400, 3500)


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(sum(map(ord, name)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives_contain_what_arb_says(name: str) -> None:
    rule, oracle = FUNCTIONS[name]
    rng = seeded(name)
    boxes = intervals(rng, cases(name))
    points = members(rng, boxes)
    truths = by_arb(oracle, points, bits=300)
    with np.errstate(all="ignore"):
        value = rule.value(boxes)
        found = (value, rule.first(boxes, value), rule.second(boxes, value))
        defined = np.broadcast_to(rule.defined(boxes), boxes.shape)
    for part, enclosure in enumerate(found):
        assert np.all((enclosure.lo <= enclosure.hi) | (np.isnan(enclosure.lo) & np.isnan(enclosure.hi)))
        bad = missed(enclosure, [None if truth is None else truth[part] for truth in truths])
        assert not bad, [(boxes[k], points[k], enclosure[k], str(truths[k][part])) for k in bad[:3]]
    wrong = [
        k
        for k, truth in enumerate(truths)
        if defined[k] and truth is not None and not truth[0].is_finite() and abs(points[k]) < 1e6
    ]
    assert not wrong, [(boxes[k], points[k]) for k in wrong[:3]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_at_numbers_they_are_tight(name: str) -> None:
    """An enclosure that is all of the reals contains everything: it must not be that."""
    rule, oracle = FUNCTIONS[name]
    rng = seeded(name)
    points = np.round(rng.uniform(-3.0, 3.0, 60), 3) + 0.0005
    truths = by_arb(oracle, points)
    at = Interval.of(points)
    with np.errstate(all="ignore"):
        value = rule.value(at)
        found = (value, rule.first(at, value), rule.second(at, value))
    units = WIDTHS.get(name, 2)
    for part, enclosure in enumerate(found):
        for k, truth in enumerate(truths):
            if not truth[part].is_finite():
                continue
            width = enclosure.hi[k] - enclosure.lo[k]
            size = abs(float(truth[part].mid()))
            assert width <= (units if part == 0 else 2000) * 2.0**-52 * size + 1e-18, (points[k], part, enclosure[k])


TURNING = ("tanh", "arctan", "arcsinh", "logistic", "softplus", "erf", "erfc", "sin", "cos", "cosh", "log_ndtr", "abs")


@pytest.mark.parametrize("name", TURNING)
def test_over_wide_boxes_they_are_the_range(name: str) -> None:
    """The extremes between the ends are met, and no more than met."""
    rule, oracle = FUNCTIONS[name]
    rng = seeded(name)
    for _ in range(draws(12, 200)):
        lo, hi = np.sort(rng.uniform(-4.0, 4.0, 2))
        boxes = Interval.of([lo]).hull(Interval.of([hi]))
        samples = by_arb(oracle, np.linspace(lo, hi, 300))
        value = rule.value(boxes)
        for part, found in enumerate((value, rule.first(boxes, value), rule.second(boxes, value))):
            seen = [float(sample[part].mid()) for sample in samples if sample[part].is_finite()]
            slack = 4e-3 * (max(seen) - min(seen)) + 1e-12
            if name in ("tanh", "erf", "erfc", "log_ndtr", "cosh", "abs", "softplus", "logistic", "arctan", "arcsinh"):
                assert max(seen) <= found.hi[0] <= max(seen) + slack + (2.0 if name == "abs" and part else 0.0)
                assert min(seen) >= found.lo[0] >= min(seen) - slack - (2.0 if name == "abs" and part else 0.0)
            else:
                assert found.lo[0] <= min(seen) and max(seen) <= found.hi[0] <= max(seen) + slack


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_smaller_box_gives_a_smaller_enclosure(name: str) -> None:
    """But for roundings: those of the library's functions are the tightest doubles, so for them without any."""
    rule, _ = FUNCTIONS[name]
    rng = seeded(name)
    outer = intervals(rng, cases(name) // 2)
    one, other = members(rng, outer), members(rng, outer)
    inner = Interval(np.minimum(one, other), np.maximum(one, other))
    with np.errstate(all="ignore"):
        small, large = rule.value(inner), rule.value(outer)
        parts = [(small, large, 0.0 if name not in WIDTHS else 2e-14)]
        parts += [(getattr(rule, which)(inner, small), getattr(rule, which)(outer, large), 1e-10) for which in SLOPES]
        for less_wide, wide, slack in parts:
            known = ~np.isnan(less_wide.lo) & ~np.isnan(wide.lo)
            low = np.where(np.isinf(wide.lo), wide.lo, wide.lo - slack * np.abs(wide.lo) - (1e-300 if slack else 0.0))
            high = np.where(np.isinf(wide.hi), wide.hi, wide.hi + slack * np.abs(wide.hi) + (1e-300 if slack else 0.0))
            bad = known & ~((less_wide.lo >= low) & (less_wide.hi <= high))
            assert not bad.any(), (outer[bad][:2], inner[bad][:2], less_wide[bad][:2], wide[bad][:2])


SLOPES = ("first", "second")


@pytest.mark.parametrize("name", [name for name in BINARY if name != "pow"])
def test_functions_of_two_contain_what_arb_says(name: str) -> None:
    rng = seeded(name)
    u, v = intervals(rng, draws(600, 6000)), intervals(rng, draws(600, 6000))
    x, y = members(rng, u), members(rng, v)
    same = rng.random(len(x)) < 0.1
    y = np.where(same & ~np.isnan(x), x, y)
    v = v.hull(Interval.of(np.where(same, x, np.nan)))
    truths = by_arb(lambda a, b: binary(name)(a, b)[0], x, y, bits=300)
    with np.errstate(all="ignore"):
        found = BINARY[name](u, v)
    assert not (bad := missed(found, truths)), [(u[k], v[k], x[k], y[k], found[k]) for k in bad[:3]]


def test_powers_with_intervals_for_exponents_contain_what_arb_says() -> None:
    rng = seeded("pow")
    count = draws(600, 6000)
    u, v = intervals(rng, count), intervals(rng, count)
    x, y = members(rng, u), members(rng, v)
    truths = by_arb(lambda a, b: binary("pow")(a, b)[0] if a > 0 else arb.nan(), x, y, bits=300)
    found = BINARY["pow"](u, v)
    assert not (bad := missed(found, truths)), [(u[k], v[k], x[k], y[k], found[k]) for k in bad[:3]]


@pytest.mark.parametrize(("compared", "by"), [(less, operator.lt), (less_or_equal, operator.le), (equal, operator.eq)])
def test_conditions_never_rule_out_what_happens(compared, by) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    u, v = intervals(rng, 2000), intervals(rng, 2000)
    x, y = members(rng, u), members(rng, v)
    shared = (rng.random(2000) < 0.3) & ~np.isnan(x)
    y = np.where(shared, x, y)
    v = v.hull(Interval.of(np.where(shared, x, np.nan)))
    known = ~np.isnan(x) & ~np.isnan(y)
    found, happened = compared(u, v), by(x, y)
    assert np.all(found.can_hold[known & happened])
    assert np.all(found.can_fail[known & ~happened])
    # And they do decide: apart, there is one answer only.
    apart = (u.hi < v.lo) | (v.hi < u.lo)
    assert np.all(found.decided[apart])
    turned = ~found
    assert np.array_equal(turned.surely, found.never) and np.array_equal(turned.never, found.surely)


def test_conditions_join_as_logic_does() -> None:
    yes, no, open_ = (
        Truth(*np.array([[True], [False]])),
        Truth(*np.array([[False], [True]])),
        Truth(*np.ones((2, 1), bool)),
    )
    for one in (yes, no, open_):
        for other in (yes, no, open_):
            both, either = one & other, one | other
            assert bool(both.surely[0]) == bool(one.surely[0] and other.surely[0])
            assert bool(both.never[0]) == bool(one.never[0] or other.never[0])
            assert bool(either.surely[0]) == bool(one.surely[0] or other.surely[0])
            assert bool(either.never[0]) == bool(one.never[0] and other.never[0])


INF, NAN, MAX = math.inf, math.nan, 1.7976931348623157e308


@pytest.mark.parametrize(
    ("found", "lo", "hi"),
    [
        (Interval.of(0.0) * Interval.entire(), 0.0, 0.0),
        (Interval(0.0, 1.0) * Interval(0.0, INF), 0.0, INF),
        (Interval(-1.0, 2.0) * Interval(-3.0, 4.0), -6.0, 8.0),
        (square(Interval(-1.0, 2.0)), 0.0, 4.0),
        (whole_power(Interval(-2.0, 1.0), 3), -8.0, 1.0),
        (whole_power(Interval(0.0, 0.0), 0), 1.0, 1.0),
        (whole_power(Interval(-1.0, 2.0), -1), -INF, INF),
        (Interval.of(1.0) / Interval(0.0, 2.0), 0.5, INF),
        (Interval.of(1.0) / Interval(-0.0, 2.0), 0.5, INF),
        (Interval.of(1.0) / Interval(-2.0, 0.0), -INF, -0.5),
        (Interval.of(1.0) / Interval(-1.0, 1.0), -INF, INF),
        (Interval.of(0.0) / Interval(-1.0, 1.0), 0.0, 0.0),
        (Interval.of(1.0) / Interval.of(0.0), NAN, NAN),
        (Interval.of(1.0) / Interval(1.0, INF), 0.0, 1.0),
        (Interval.of(MAX) + Interval.of(MAX), MAX, INF),
        (Interval.of(5e-324) / 2.0, 0.0, 5e-324),
        (Interval(-INF, 1.0) - Interval(-INF, 1.0), -INF, INF),
        (tight("log", Interval(-1.0, 1.0)), -INF, 0.0),
        (tight("log", Interval(-2.0, 0.0)), NAN, NAN),
        (tight("sqrt", Interval(-4.0, 4.0)), 0.0, 2.0),
        (tight("sin", Interval(0.0, 100.0)), -1.0, 1.0),
        (tight("exp", Interval(-INF, 0.0)), 0.0, 1.0),
        (tight("exp", Interval.of(1000.0)), MAX, INF),
        (tight("atan2", Interval.of(0.0), Interval.of(0.0)), NAN, NAN),
        (tight("roundeven", Interval(0.5, 1.5)), 0.0, 2.0),
        (tight("pow", Interval(0.0, 2.0), Interval.of(0.5)), 0.0, math.sqrt(2.0)),
        (abs(Interval(-3.0, 2.0)), 0.0, 3.0),
        (-Interval(-3.0, 2.0), -2.0, 3.0),
        (Interval.empty() + 1.0, NAN, NAN),
        (2.0 - Interval(0.0, 1.0), 1.0, 2.0),
    ],
)
def test_edges(found: Interval, lo: float, hi: float) -> None:
    assert np.array_equal(found.lo, lo, equal_nan=True)
    assert np.array_equal(found.hi, hi, equal_nan=True)


def test_middles_radii_and_widths_cover_every_interval() -> None:
    rng = np.random.default_rng(1)
    boxes = intervals(rng, 3000)
    boxes = boxes[~boxes.is_empty]
    middle, radius, width = boxes.mid, boxes.rad, boxes.width
    assert np.all(np.isfinite(middle)) and np.all(boxes.contains(middle))
    for lo, hi, mid, rad, wide in zip(boxes.lo, boxes.hi, middle, radius, width, strict=True):
        if math.isfinite(lo) and math.isfinite(hi):
            assert math.isinf(rad) or Fraction(mid) - Fraction(rad) <= Fraction(lo)
            assert math.isinf(rad) or Fraction(mid) + Fraction(rad) >= Fraction(hi)
            assert math.isinf(wide) or Fraction(hi) - Fraction(lo) <= Fraction(wide)
        else:
            assert math.isinf(rad) and math.isinf(wide)


def test_sets_of_numbers() -> None:
    box = Interval([0.0, 1.0, -INF], [1.0, 1.0, INF])
    assert box.contains([0.0, 1.0, 5.0]).all()
    assert not box.contains([1.5, np.nextafter(1.0, 0.0), INF]).any()
    assert box.inside(Interval([-1.0, 1.0, -INF], [2.0, 1.0, INF])).tolist() == [True, False, True]
    assert not box[:1].inside(Interval([0.0], [2.0])).any()
    assert not box[:1].inside(Interval([-1.0], [1.0])).any()
    assert box.within(box).all() and box.within(Interval.entire((3,))).all()
    assert not Interval.entire((1,)).within(box[:1]).any()
    joined = box.hull(Interval.of([5.0, NAN, 0.0]))
    assert joined.lo.tolist() == [0.0, 1.0, -INF] and joined.hi.tolist() == [5.0, 1.0, INF]
    met = box.meet(Interval([0.5, 2.0, 0.0], [3.0, 3.0, 0.0]))
    assert met.lo[0] == 0.5 and met.hi[0] == 1.0 and met.is_empty.tolist() == [False, True, False]


@given(st.fractions(), st.fractions())
def test_exact_numbers_lie_between_their_doubles(one: Fraction, other: Fraction) -> None:
    around = Interval.around(one)
    assert Fraction(float(around.lo)) <= one <= Fraction(float(around.hi))
    assert float(around.hi) <= np.nextafter(float(around.lo), np.inf)
    for operation in (operator.add, operator.sub, operator.mul):
        found = operation(Interval.around(one), Interval.around(other))
        exact = operation(one, other)
        assert float(found.lo) == -INF or Fraction(float(found.lo)) <= exact
        assert float(found.hi) == INF or exact <= Fraction(float(found.hi))


def test_infinitely_wide_operands_and_shapes_spread() -> None:
    column = Interval(np.zeros((3, 1)), np.ones((3, 1)))
    row = Interval.of(np.arange(4.0))
    found = column * row
    assert found.shape == (3, 4) and found.hi[0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert (np.ones(4) + row).lo.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (row / np.full(4, 2.0)).hi.tolist() == [0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize("name", ["log_ndtr", "softplus", "logistic"])
def test_far_tails_are_known(name: str) -> None:
    at = np.array([-1e10, -1e3, -40.0, -35.5, 35.5, 40.0, 700.0, 1e10])
    truths = by_arb(lambda x: unary(name)(x)[0], at, bits=2000)
    found = RULES[name].value(Interval.of(at))
    assert not missed(found, truths)
    with precision(200):
        for k, truth in enumerate(truths):
            if truth.is_finite():
                size = abs(float(truth.mid()))
                assert found.hi[k] - found.lo[k] <= 1e-12 * size + 1e-300


def test_edges_are_among_the_cases() -> None:
    drawn = numbers(np.random.default_rng(0), 5000)
    assert {float(edge) for edge in EDGES} <= set(drawn.tolist())
    boxes = intervals(np.random.default_rng(0), 5000)
    assert boxes.is_empty.any() and np.isinf(boxes.lo).any() and (boxes.lo == boxes.hi).any()
    assert ((boxes.lo < 0.0) & (boxes.hi > 0.0)).any()
