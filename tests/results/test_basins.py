"""Many starts: budgets, callbacks and what is said of ends that settle together or walk on by themselves."""

import numpy as np
import pytest

import surefoot as sf
from surefoot.descent.stop import Reason
from surefoot.proof.certificate import Verdict
from surefoot.results import basins

BOX = [(-5, 5), (-5, 5)]


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def summary(starts):
    return [(one.verdict, one.count, one.inside) for one in sorted(starts.minima, key=lambda one: tuple(one.x))]


@pytest.mark.parametrize(
    ("f", "box"),
    [("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "x=-5..5, y=-5..5"), ("cos(x) + x^2/50", "x=-12..12"),
     ("(x^2 - 1)^2 + y^4", "x=-2..2, y=-1..1"), ("sin(3*x) + y^2", "x=-3..3, y=-1..1")],
)  # fmt: skip
def test_judged_together_or_one_by_one_the_answer_is_the_same(f, box, monkeypatch):
    together = sf.minimize(f, None, starts=60, box=box)
    monkeypatch.setattr(basins, "COMPILED", ())
    alone = sf.minimize(f, None, starts=60, box=box)
    assert together.starts is not None and alone.starts is not None
    assert summary(together.starts) == summary(alone.starts)
    order = [sorted(one.x.tolist() for one in starts.minima) for starts in (together.starts, alone.starts)]
    np.testing.assert_allclose(order[0], order[1], rtol=0, atol=1e-4 if "y^4" in f else 1e-12)
    assert together.verdict is alone.verdict and together.value == pytest.approx(alone.value, abs=1e-12)


def test_minima_at_bounds_are_walked_to_and_judged_by_themselves():
    result = sf.minimize(himmelblau, np.zeros(2), starts=200, box=BOX, bounds=[(-5, 2.5), (None, None)])
    assert result.starts is not None
    held = [one for one in result.starts.minima if one.x[0] == 2.5]
    assert held and all(one.x[0] <= 2.5 for one in result.starts.minima)
    assert all(one.verdict is Verdict.STRICT_LOCAL_MINIMUM for one in result.starts.minima)


def test_evaluations_are_a_budget_for_all_lanes():
    result = sf.minimize(himmelblau, np.zeros(2), starts=300, box=BOX, max_evaluations=1000)
    assert result.stop.reason is Reason.EVALUATIONS and "all lanes" in str(result.stop)
    assert result.starts is not None and "no rest" in result.starts.sentence
    few = sf.minimize(himmelblau, np.zeros(2), starts=300, box=BOX, max_evaluations=40)
    assert few.stop.reason is Reason.EVALUATIONS and np.isfinite(few.value)
    values = [himmelblau(x) for x in np.random.default_rng(0).uniform(-5, 5, (300, 2))[:40]]
    assert few.value <= min(values) * (1 + 1e-12)


def test_progress_and_callback_are_told_of_every_step_of_the_lanes():
    rows, seen = [], []
    result = sf.minimize(himmelblau, np.zeros(2), starts=100, box=BOX, progress=rows.append, callback=seen.append)
    assert [row.step for row in rows] == list(range(len(rows))) and len(rows) > 10
    values = [row.value for row in rows]
    assert values == sorted(values, reverse=True) and result.value <= values[-1]
    assert len(seen) == len(rows) - 1 and himmelblau(seen[-1]) == pytest.approx(values[-1], abs=1e-12)
    assert rows[-1].passes > 100


def test_a_callback_ends_the_lanes():
    result = sf.minimize(himmelblau, np.zeros(2), starts=100, box=BOX, callback=lambda x: True)
    assert result.stop.reason is Reason.ASKED and result.starts is not None and len(result.starts.minima) == 1


def test_the_lanes_and_the_judge_are_timed_apart():
    result = sf.minimize(himmelblau, np.zeros(2), starts=100, box=BOX)
    starts = result.starts
    assert starts is not None and 0 < starts.walk_seconds < starts.seconds
    assert 0 < starts.proof_seconds < starts.seconds and "The walks took" in str(result)
    again = type(starts).from_json(starts.to_json())
    assert (again.walk_seconds, again.proof_seconds) == (starts.walk_seconds, starts.proof_seconds)
    older = starts.to_json()
    del older["walk_seconds"], older["proof_seconds"]
    assert np.isnan(type(starts).from_json(older).walk_seconds)
