"""Every direction with every step that goes with it, on the zoo; names, and pairs that make no sense."""

import math

import numpy as np
import pytest

from grounds import CASES, NARROW, ROSENBROCK, ROUND, SINGULAR, SOFT, Formula, quadratic, rosenbrock
from surefoot.descent.conjugate import NonlinearConjugateGradients
from surefoot.descent.directions import ConjugateGradients, HeavyBall, SteepestDescent
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import StrongWolfe
from surefoot.descent.loop import Budget, walk
from surefoot.descent.methods import METHODS, STEPS, method_named, paired
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.schedules import Polyak, Silver
from surefoot.descent.steps import FixedRate
from surefoot.descent.stop import ENDS, Reason
from surefoot.errors import ModelError

BUILT = [method for method in METHODS if not method.place.startswith("newton:")]
PAIRS = [(method.name, steps) for method in BUILT for steps in method.steps if steps != "silver"]
FAST = [("bfgs", None), ("l-bfgs", None), ("bfgs", "wolfe"), ("l-bfgs", "wolfe"), ("bfgs", "armijo"), ("cg", None),
        ("cg-pr", None), ("cg-hs", None), ("cg-fr", None), ("cg-dy", None), ("nelder-mead", None)]  # fmt: skip


def go(method, steps, case, **more):
    ground = case.make()
    start = np.array(case.start)
    here = ground.see(start)
    chosen = Polyak(case.lowest) if steps == "polyak" else steps
    return walk(ground, *paired(method, chosen, ground, here), start=start, **more)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("method", "steps"), PAIRS)
def test_every_pair_arrives_or_says_why_not(method, steps, case):
    walked = go(method, steps, case, budget=Budget(2000, evaluations=6000))
    start = case.make().height(np.array(case.start))
    assert walked.here.value <= start and math.isfinite(walked.here.value)
    assert walked.here.value >= case.lowest - 1e-12 * (1 + abs(case.lowest))
    if walked.stop.reason is Reason.NOISE or (walked.stop.reason is Reason.STALLED and steps not in ("fixed", "full")):
        assert walked.here.value - case.lowest <= 1e-9 * (1 + abs(case.lowest))
    elif walked.stop.reason not in ENDS:
        assert any(digit in str(walked.stop) for digit in "0123456789")


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("method", "steps"), FAST)
def test_the_good_ones_arrive(method, steps, case):
    walked = go(method, steps, case, budget=Budget(evaluations=8000), tolerance=1e-9)
    assert walked.stop.reason in ENDS, str(walked.stop)
    assert walked.here.value - case.lowest <= (1e-9 if case is SINGULAR else 1e-10) * (1 + abs(case.lowest))


@pytest.mark.parametrize(("method", "steps"), [pair for pair in PAIRS if pair[1] != "simplex"])
def test_the_trace_tells_every_evaluation_once(method, steps):
    walked = go(method, steps, ROUND, budget=Budget(25))
    trace = walked.trace
    assert len(trace) == walked.passes + (walked.passes == 0)
    assert trace.steps()["step"].tolist() == list(range(walked.steps + 1))


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg", "cg-pr", "cg-hs", "steepest", "nelder-mead"])
@pytest.mark.parametrize("power", [-900, -300, 300, 900])
def test_the_scale_of_f_changes_nothing(method, power):
    """By a power of two nothing rounds: until numbers leave the doubles every step is the same to the last bit."""
    scale = 2.0**power
    plain = rosenbrock()
    scaled = Formula(2, lambda x: scale * plain._value(x), lambda x: scale * plain._gradient(x))
    walks = []
    for ground in (plain, scaled):
        start = np.array([-1.2, 1.0])
        direction, step = paired(method, "hager-zhang" if method != "nelder-mead" else None, ground, ground.see(start))
        walks.append(walk(ground, direction, step, start=start, budget=Budget(30), tolerance=0.0))
    both = min(len(one.trace) for one in walks)
    assert both > 25
    assert walks[1].trace["x"][:both] == pytest.approx(walks[0].trace["x"][:both], rel=1e-9)


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg", "steepest"])
@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e30, 1e100])
def test_the_scale_of_x_does_no_harm(method, scale):
    plain = quadratic(np.diag([1.0, 2.0]), [1.0, -2.0])
    scaled = Formula(2, lambda x: plain._value(x / scale), lambda x: plain._gradient(x / scale) / scale)
    start = scale * np.array([4.0, 4.0])
    direction, step = paired(method, "hager-zhang", scaled, scaled.see(start))
    walked = walk(scaled, direction, step, start=start, budget=Budget(400))
    assert walked.x / scale == pytest.approx([1.0, -2.0], rel=1e-9)


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs"])
def test_badly_scaled_starts_are_survived(method):
    stretch = np.array([1e-6, 1.0, 1e6])
    ground = quadratic(np.diag(stretch), [1.0, 2.0, 3.0])
    direction, step = paired(method, None, ground, ground.see(np.zeros(3)))
    walked = walk(ground, direction, step, start=np.array([1e3, -1e3, 1e-3]), budget=Budget(3000))
    assert walked.here.value < 1e-9


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg", "steepest", "adgd", "nelder-mead"])
def test_functions_that_fall_without_end_are_said_to(method):
    ground = Formula(2, lambda x: x[0] - x[1] ** 3, lambda x: np.array([1.0, -3 * x[1] ** 2]))
    direction, step = paired(method, None, ground, ground.see(np.ones(2)))
    walked = walk(ground, direction, step, start=np.ones(2), budget=Budget(3000))
    assert walked.stop.reason is Reason.UNBOUNDED, str(walked.stop)
    assert math.isfinite(walked.here.value) and walked.here.value < 0


@pytest.mark.parametrize(("method", "steps"), FAST[:-1])
def test_a_start_where_f_is_zero_is_a_start_like_any_other(method, steps):
    ground = quadratic(np.diag([1.0, 5.0]), [1.0, 0.0], offset=-0.5)
    here = ground.see(np.zeros(2))
    assert here.value == 0
    walked = walk(ground, *paired(method, steps, ground, here), start=np.zeros(2))
    assert walked.here.value == pytest.approx(-0.5, abs=1e-12)


@pytest.mark.parametrize(("method", "steps"), FAST[:-1])
def test_a_kink_ends_the_walk_without_a_claim_of_noise(method, steps):
    ground = Formula(2, lambda x: abs(x[0]) + 2 * abs(x[1]), lambda x: np.where(x >= 0, 1.0, -1.0) * [1.0, 2.0])
    start = np.array([1.3, -0.7])
    walked = walk(ground, *paired(method, steps, ground, ground.see(start)), start=start, budget=Budget(500))
    assert walked.stop.reason is not Reason.NOISE and walked.here.value < 2.7


def test_scipys_spellings_are_understood():
    for name, meant in [("CG", "cg"), ("BFGS", "bfgs"), ("L-BFGS-B", "l-bfgs"), ("Nelder-Mead", "nelder-mead"),
                        ("heavy ball", "momentum"), ("heavy_ball", "momentum")]:  # fmt: skip
        assert method_named(name).name == meant
    for name in ("Newton-CG", "trust-exact", "trust-ncg", "trust-krylov"):
        assert method_named(name).name == "trust-newton"


def test_no_name_means_two_things():
    names = [name for method in METHODS for name in (method.name, *method.also)]
    assert len(names) == len(set(names))
    assert all(steps in STEPS for method in METHODS for steps in method.steps)


@pytest.mark.parametrize(
    ("method", "steps", "sentence"),
    [
        ("bfsg", None, "There is no method named 'bfsg'. Did you mean 'bfgs'?"),
        ("bfgs", "wolf", "There is no step rule named 'wolf'. Did you mean 'wolfe'?"),
        ("momentum", "exact", "momentum may point uphill for a while"),
        ("cg", 0.1, "The method 'cg' does not go with 'fixed' steps"),
        ("cg", "adaptive", "each step ending near the lowest point of its line"),
        ("steepest", "trust-region", "the gradient carries no model"),
        ("nelder-mead", "wolfe", "It goes with 'simplex'."),
        ("steepest", "polyak", "the lowest value of f"),
        ("steepest", "silver", "the largest curvature"),
        ("steepest", -1.0, "A learning rate is a finite number above 0; -1 is not."),
        (HeavyBall(0.9), HagerZhang(), "The method 'momentum' does not go with 'hager-zhang' steps"),
        (BFGS(), "adaptive", "'bfgs' does not go with 'adaptive'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(method, steps, sentence):
    ground = quadratic(np.eye(2), [1.0, 1.0])
    with pytest.raises(ModelError) as refused:
        paired(method, steps, ground, ground.see(np.zeros(2)))
    assert sentence in str(refused.value)


def test_objects_names_and_numbers_come_to_the_same():
    ground = quadratic(np.eye(2), [1.0, 1.0])
    here = ground.see(np.zeros(2))
    assert paired("steepest", 0.5, ground, here) == (SteepestDescent(), FixedRate(0.5))
    assert paired(SteepestDescent(), "wolfe", ground, here)[1] == StrongWolfe()
    assert paired(NonlinearConjugateGradients(), None, ground, here)[1] == HagerZhang(flattening=0.4)
    assert paired(ConjugateGradients(), "exact", ground, here)[1].name == "exact line search"
    assert paired(LBFGS(5), None, ground, here)[0].name == "L-BFGS (5 pairs)"
    assert paired("steepest", Silver(1.0), ground, here)[1].name == "silver steps"
    own = paired(_Own(), None, ground, here)
    assert own[1].name == HagerZhang().name


class _Own(SteepestDescent):
    """A direction that a person wrote."""


FEW = [
    (ROSENBROCK, "bfgs", 70),
    (ROSENBROCK, "l-bfgs", 75),
    (SOFT, "bfgs", 30),
    (NARROW, "bfgs", 30),
    (SINGULAR, "bfgs", 90),
]


@pytest.mark.parametrize(("case", "method", "most"), FEW)
def test_evaluations_stay_few(case, method, most):
    assert go(method, None, case, tolerance=1e-7).passes <= most
