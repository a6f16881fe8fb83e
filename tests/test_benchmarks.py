"""What the comparisons of minimisers count is worked out by hand here; what they judge has a known answer."""

import json
import sys

import numpy as np
import pytest
from benchmarks import profiles, runner, surveys
from benchmarks.cutest_problems import Problem, known

import surefoot as sf

EASY, HARD, ENDLESS = "ROSENBR", "POWERSUM", "TENFOLDTRLS"
BEST = {EASY: 0.0, HARD: 2.0, ENDLESS: -np.inf}


def run(problem, solver, value, claim="success", walking=1.0, stated=None, **judged):
    told = {"value": value, "gradient": 0.0, "length": 0.0, "spread": 0.0, **judged}
    counts = {"looks": 10, "products": 0, "hessians": 0, "compiling": 0.5, "walking": walking}
    return {"problem": problem, "n": 2, "solver": solver, "ended": "judged", "claim": claim, "stated": stated,
            "judged": told, **counts}  # fmt: skip


def test_reached_is_absolute_below_one_and_relative_above():
    assert profiles.reached(run(EASY, "a", 9e-7), BEST)
    assert not profiles.reached(run(EASY, "a", 1.1e-6), BEST)
    assert profiles.reached(run(HARD, "a", 2 + 1.9e-6), BEST)
    assert not profiles.reached(run(HARD, "a", 2 + 2.1e-6), BEST)
    assert not profiles.reached(run(EASY, "a", None), BEST)


def test_where_there_is_no_least_value_only_a_claim_is_wrong():
    assert profiles.reached(run(ENDLESS, "a", -1e18, "UNBOUNDED_BELOW"), BEST)
    assert not profiles.reached(run(ENDLESS, "a", -1e18), BEST)
    assert profiles.falsities(run(ENDLESS, "a", -1e18), BEST) == ["unbounded"]


def test_false_claims():
    assert profiles.falsities(run(EASY, "BFGS", 0.0, stated=1e-8, gradient=1.1e-8), BEST) == ["gradient"]
    assert profiles.falsities(run(EASY, "BFGS", 0.0, stated=1e-8, gradient=1.1e-8, spread=1e-9), BEST) == []
    assert profiles.falsities(run(EASY, "surefoot", 0.0, "LOCAL_MINIMUM", stated=1e-8, length=1e-7), BEST) == [
        "gradient"
    ]
    assert profiles.falsities(run(EASY, "BFGS", 0.0, least=-1e-3, norm=1.0, bend=0.0), BEST) == ["curvature"]
    assert profiles.falsities(run(EASY, "BFGS", 0.0, least=-1e-16, norm=1.0, bend=0.0), BEST) == []
    assert profiles.falsities(run(EASY, "BFGS", 0.0, least=-1e-3, norm=1.0, bend=1e-3), BEST) == []
    assert profiles.falsities(run(HARD, "surefoot", 2.1, "UNIQUE_GLOBAL_MINIMUM"), BEST) == ["global"]
    assert profiles.falsities(run(HARD, "surefoot", 2.1, "STRICT_LOCAL_MINIMUM"), BEST) == []
    assert profiles.falsities(run(EASY, "surefoot", 0.0, "SADDLE", least=-1.0, norm=1.0, bend=0.0), BEST) == []


def test_profile_by_hand():
    runs = [run(EASY, "a", 0.0, walking=1.0), run(EASY, "b", 0.0, walking=3.0),
            run(HARD, "a", 3.0, walking=1.0), run(HARD, "b", 2.0, walking=8.0)]  # fmt: skip
    over = profiles.ratios(runs, BEST, profiles.COSTS["seconds of the walk"])
    assert over["a"].tolist() == [1.0, np.inf]
    assert over["b"].tolist() == [3.0, 1.0]
    assert profiles.profile(over, (1.0, 3.0)) == [["a", "0.50", "0.50"], ["b", "0.50", "1.00"]]


def test_a_line_that_was_cut_is_left_out_and_the_later_counts(tmp_path):
    path = tmp_path / "runs.jsonl"
    lines = [json.dumps(run(EASY, "a", value)) for value in (1.0, 0.0)]
    path.write_text("\n".join([*lines, lines[0][:40]]))
    assert [one["judged"]["value"] for one in runner.read([path])] == [0.0]


WORKER = """
import json, sys, time
print(json.dumps({"event": "ready"}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    print(json.dumps({"event": "walking"}), flush=True)
    if task["problem"] == "hangs":
        while True: pass
    if task["problem"] == "dies":
        sys.exit(3)
    print(json.dumps({"event": "walked", "claim": "success"}), flush=True)
    print(json.dumps({"event": "judged", "judged": {"value": 1.0}}), flush=True)
"""


def test_what_hangs_is_ended_and_the_next_runs(monkeypatch):
    monkeypatch.setattr(runner, "GRACE", 0.2)
    worker = runner.Worker([sys.executable, "-c", WORKER])
    try:
        assert worker.run("hangs", "a", 0.1)["ended"] == "hung"
        assert worker.run("fine", "a", 0.1) == {"ended": "judged", "claim": "success", "judged": {"value": 1.0}}
        died = worker.run("dies", "a", 0.1)
        assert died == {"ended": "died", "message": "its process ended with code 3"}
        assert worker.run("fine", "a", 0.1)["ended"] == "judged"
    finally:
        worker.end()


def test_the_judge_sees_a_saddle():
    pytest.importorskip("jax")
    import jax
    from benchmarks.judging import judged
    from benchmarks.walkers import Programs

    with jax.enable_x64(True):
        told = judged(Programs(Problem("saddle", lambda x: x[0] ** 2 - 3 * x[1] ** 2, np.zeros(2))), np.zeros(2), True)
    assert told["gradient"] == 0.0
    assert told["least"] == -6.0
    assert told["norm"] == 6.0
    assert told["lower"] == pytest.approx(-3.0)


def test_the_table_has_all_small_problems():
    assert sum(one.size <= 1_000 for one in known().values()) == 131


@pytest.mark.parametrize(("name", "least"), [
    ("six-hump camel", -1.0316285), ("Himmelblau", 0.0), ("Branin", 0.3978874), ("Goldstein-Price", 3.0),
    ("Styblinski-Tang, 2", -78.3323314), ("Rastrigin, 2", 0.0), ("Shubert, 2", -186.7309088),
    ("Hartmann, 3", -3.8627798), ("Rosenbrock, 4", 0.0), ("Styblinski-Tang, 4", -156.6646628),
    ("Hartmann, 6, minimum alone", -3.3223680),
])  # fmt: skip
def test_the_functions_that_are_surveyed_have_their_published_minimum(name, least):
    asked = next(one for one in surveys.ASKED if one.name == name)
    assert sf.survey(asked.f, asked.box, only="minimum").global_minimum.value == pytest.approx(least, abs=6e-8)
