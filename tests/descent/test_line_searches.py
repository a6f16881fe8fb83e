"""Line searches alone: what they accept, and what they do on rays that are bad on purpose."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grounds import CASES, Formula, quadratic
from surefoot.descent.conjugate import NonlinearConjugateGradients
from surefoot.descent.directions import Way
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import Armijo, StrongWolfe
from surefoot.descent.loop import walk
from surefoot.descent.profile import TRIALS
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError

SEARCHES = [HagerZhang(), HagerZhang(flattening=0.1), Armijo(), StrongWolfe(), StrongWolfe(flattening=0.1), ExactStep()]
CLOSING = [rule for rule in SEARCHES if not isinstance(rule, Armijo)]
names = pytest.mark.parametrize("rule", SEARCHES, ids=lambda rule: f"{rule.name} {getattr(rule, 'flattening', '')}")
closing = pytest.mark.parametrize("rule", CLOSING, ids=lambda rule: f"{rule.name} {getattr(rule, 'flattening', '')}")


def line(value, slope):
    """A ground of one variable."""
    return Formula(1, lambda x: value(x[0]), lambda x: np.array([slope(x[0])]))


def go(rule, ground, x=0.0, p=None, natural=None):
    """A step on a line; the direction is downhill with the length of the slope unless given."""
    here = ground.see(np.atleast_1d(np.asarray(x, float)))
    vector = -here.gradient if p is None else np.atleast_1d(np.asarray(p, float))
    trials = []
    with np.errstate(all="ignore"):
        outcome = rule.take(Ray(ground, here, Way(vector, natural), None, trials.append))
    assert len(trials) <= TRIALS
    return outcome, here, trials


@names
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("first", [1e-9, 1e-3, 1.0, 1e6])
def test_what_is_accepted_satisfies_its_conditions(rule, case, first):
    taken, here, _ = go(rule, case.make(), case.start, natural=first)
    assert isinstance(taken, Taken)
    slope = float(here.gradient @ taken.direction)
    end = float(taken.there.gradient @ taken.direction)
    fall = taken.there.value - here.value
    if isinstance(rule, Armijo):
        assert fall <= rule.decrease * taken.length * slope
    elif isinstance(rule, StrongWolfe):
        assert fall <= rule.decrease * taken.length * slope and abs(end) <= rule.flattening * abs(slope)
    elif isinstance(rule, HagerZhang):
        assert fall < 0 and end >= rule.flattening * slope
    else:
        sizes = np.linalg.norm(taken.there.gradient) * np.linalg.norm(taken.direction)
        assert fall < 0 and abs(end) <= 1e-9 * sizes


@closing
def test_a_first_length_that_is_far_too_short_or_long_costs_few_looks(rule):
    square = line(lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1))
    quartic = line(lambda x: (x - 1) ** 2 + x**4, lambda x: 2 * (x - 1) + 4 * x**3)
    waves = line(lambda x: (x - 1) ** 2 + math.sin(9 * x), lambda x: 2 * (x - 1) + 9 * math.cos(9 * x))
    for ground in (square, quartic, waves):
        for first in (1e-100, 1e-30, 1e-8, 1e8, 1e30, 1e60):
            taken, here, trials = go(rule, ground, p=1.0 if ground is not waves else -1.0, natural=first)
            assert isinstance(taken, Taken), first
            assert taken.there.value < here.value and len(trials) <= 45, (first, len(trials))
            if isinstance(rule, StrongWolfe):
                slope = abs(here.gradient[0])
                assert abs(taken.there.gradient[0]) <= rule.flattening * slope, first


@names
def test_undefined_ground_farther_on_is_stepped_back_from_and_said(rule):
    ground = line(
        lambda x: -math.log(1 - x) - 3 * x if x < 1 else math.nan, lambda x: 1 / (1 - x) - 3 if x < 1 else math.nan
    )
    taken, here, _ = go(rule, ground, natural=100.0)
    assert isinstance(taken, Taken) and taken.there.value < here.value and taken.there.x[0] < 1
    assert "stepped back: f is not finite farther on" in taken.remark


@names
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_hole_of_undefined_values_in_the_middle_is_survived(rule, bad):
    ground = line(lambda x: bad if 0.4 < x < 0.9 else (x - 2) ** 2, lambda x: 2 * (x - 2))
    for first in (1e-3, 0.1, 0.125, 1.0):
        taken, here, _ = go(rule, ground, natural=first)
        assert isinstance(taken, Taken) and taken.there.value < here.value


@closing
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e290])
def test_a_ray_that_falls_without_end_is_refused_with_its_numbers(rule, scale):
    refusal, *_ = go(rule, line(lambda x: -scale * x, lambda x: -scale), p=1.0)
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.UNBOUNDED
    end = "minus infinity in double precision at |x| =" if scale > 1 else "still falls there, where the doubles end"
    assert end in refusal.explanation


@names
def test_minus_infinity_on_the_way_is_unbounded(rule):
    ground = line(lambda x: math.log(1 - x) if x < 1 else -math.inf, lambda x: -1 / (1 - x) if x < 1 else math.nan)
    refusal, *_ = go(rule, ground, natural=2.0)
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.UNBOUNDED


@names
def test_at_a_kink_no_point_is_lower(rule):
    refusal, *_ = go(rule, line(abs, lambda x: 1.0 if x >= 0 else -1.0))
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.NO_DECREASE
    assert "lower" in refusal.explanation


@names
def test_a_kink_on_the_way_is_crossed_or_met(rule):
    taken, here, _ = go(rule, line(abs, lambda x: math.copysign(1.0, x)), x=1.0)
    assert isinstance(taken, Taken) and taken.there.value < here.value


@names
@pytest.mark.parametrize("direction", [0.0, 1.0, math.nan])
def test_a_direction_that_does_not_fall_is_refused(rule, direction):
    refusal, _, trials = go(rule, quadratic(np.eye(1), [-1.0]), p=direction)
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.NO_DECREASE and not trials


@names
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_the_scale_of_f_changes_nothing(rule, scale):
    """Powers of ten round: the steps agree to a few digits, and exist at all."""
    plain = line(lambda x: (x - 1) ** 4 + (x - 1) ** 2, lambda x: 4 * (x - 1) ** 3 + 2 * (x - 1))
    scaled = line(lambda x: scale * ((x - 1) ** 4 + (x - 1) ** 2), lambda x: scale * (4 * (x - 1) ** 3 + 2 * (x - 1)))
    one, *_ = go(rule, plain, natural=0.01)
    other, *_ = go(rule, scaled, natural=0.01 / scale)
    assert isinstance(one, Taken) and isinstance(other, Taken)
    assert other.there.x == pytest.approx(one.there.x, rel=1e-9)
    assert other.there.x == pytest.approx(other.length * other.direction, rel=1e-9)


@names
@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e100, 1e150])
def test_the_scale_of_x_changes_nothing(rule, scale):
    scaled = line(lambda x: (x / scale - 1) ** 2, lambda x: 2 * (x / scale - 1) / scale)
    taken, *_ = go(rule, scaled)
    assert isinstance(taken, Taken) and taken.there.value < 1
    if not isinstance(rule, Armijo):
        assert taken.there.x[0] > 0.01 * scale


@closing
def test_the_last_digits_are_found_where_values_are_only_rounding(rule):
    """At 1e-9 from the lowest point of 1 + x^2 all values are 1: slopes alone can tell, and do."""
    ground = line(lambda x: 1 + x * x, lambda x: 2 * x)
    taken, *_ = go(rule, ground, x=1e-9, natural=0.3)
    assert isinstance(taken, Taken) and abs(taken.there.x[0]) < 0.95e-9


@settings(deadline=None, max_examples=200)
@example(
    ExactStep(),
    [(2.8973790615946253, 2.875, 1.84375), (-1.5, 7.662109375, 0.0), (-1.5, 7.660180792750832, 0.0)],
    0.0,
    136.0,
)
@example(ExactStep(), [(2.0, 6.9375, 5.5), (-3.0, 8.0, 6.25)], 1.0, 214.0)
@given(
    st.sampled_from(SEARCHES),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.1, 9), st.floats(0, 6.3)), min_size=1, max_size=4),
    st.floats(-5, 5),
    st.floats(1e-6, 1e3),
)
def test_wavy_ground_gives_a_lower_point_or_a_sentence(rule, waves, x, first):
    def value(t):
        return 0.05 * t * t + sum(a * math.sin(w * t + b) for a, w, b in waves)

    def slope(t):
        return 0.1 * t + sum(a * w * math.cos(w * t + b) for a, w, b in waves)

    outcome, here, _ = go(rule, line(value, slope), x, natural=first)
    if isinstance(outcome, Taken):
        assert outcome.there.value <= here.value + 1e3 * 8 * 2**-53 * abs(here.value)
        if isinstance(rule, ExactStep):
            assert abs(outcome.there.gradient[0]) <= 1e-9 * (1 + sum(abs(a) * w * w for a, w, _ in waves)) * (
                1 + abs(x)
            )
    else:
        assert outcome.reason is Reason.NO_DECREASE and abs(here.gradient[0]) < 1e-5


def test_noise_in_the_values_does_not_stop_the_approximate_conditions():
    """Values rounded to 14 digits: differences are noise below 1e-14, slopes are exact."""
    ground = line(lambda x: float(f"{1 + x * x:.14g}"), lambda x: 2 * x)
    taken, *_ = go(HagerZhang(), ground, x=3e-8, natural=0.4)
    assert isinstance(taken, Taken) and abs(taken.there.x[0]) < 2e-8


@pytest.mark.parametrize(
    "make",
    [lambda: HagerZhang(decrease=0.6), lambda: HagerZhang(flattening=1.0), lambda: Armijo(0.0),
     lambda: Armijo(math.nan), lambda: StrongWolfe(0.5, 0.1)],
)  # fmt: skip
def test_conditions_that_cannot_be_met_are_refused_in_a_sentence(make):
    with pytest.raises(ModelError, match="not"):
        make()


@pytest.mark.parametrize("weight", [10.0, 100.0, 1e4])
@pytest.mark.parametrize("start", [(3.0, 1.0), (1.5, 7.0), (-2.0, 0.3)])
def test_looks_so_near_that_rounding_hides_the_fall_do_not_end_a_search(weight, start):
    """At 1e-12 of the answer the first looks are far too far, and those that come back are too near to show a fall."""
    bowl = quadratic(np.diag([2.0, 2 * weight]), [0.0, -2.0])
    walked = walk(bowl, NonlinearConjugateGradients.named("hz"), StrongWolfe(flattening=0.4), start=np.array(start))
    assert walked.stop.reason in (Reason.NOISE, Reason.STALLED) and walked.steps < 60
    assert walked.x == pytest.approx([0.0, -2.0], abs=1e-12)
