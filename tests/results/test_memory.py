"""A walk that is resumed goes on as it would have: the same steps, to the last bit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.results import checkpoint
from surefoot.verbs.loading import load

START = np.array([-1.2, 1.0, 0.7, -0.3, 2.0])
WAYS = [
    ("bfgs", None), ("bfgs", "wolfe"), ("bfgs", "exact"), ("l-bfgs", None), ("l-bfgs", "wolfe"), ("cg", None),
    ("cg", "wolfe"), ("cg-pr", None), ("cg-fr", None), ("nesterov", 1e-3), ("momentum", 1e-4), ("adgd", None),
    ("trust-newton", None), ("newton", None), ("steepest", "hager-zhang"),
]  # fmt: skip


def chained(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) + jnp.sum(jnp.cos(x))


def steps_of(result):
    rows = [row for row in result.trace.rows if row.accepted]
    return [
        (row.step, *map(float, (row.value, row.steepness, row.length, row.moved, row.curvature, *row.x)))
        for row in rows
    ]


@pytest.mark.parametrize("method, steps", WAYS)
@pytest.mark.parametrize("halfway", [3, 14])
def test_the_resumed_trace_is_that_of_the_uninterrupted_walk(method, steps, halfway, tmp_path):
    how = {"method": method, "steps": steps}
    whole = sf.minimize(chained, START, max_steps=40, **how)
    half = sf.minimize(chained, START, max_steps=halfway, **how)
    half.save(tmp_path / "half.json")
    for given in (half, tmp_path / "half.json"):
        resumed = sf.minimize(chained, START, max_steps=40 - half.steps, resume=given, **how)
        assert repr(steps_of(resumed)[1:]) == repr(steps_of(whole)[1:])
        assert resumed.value == whole.value and np.array_equal(resumed.flat, whole.flat)
        assert resumed.stop.reason is whole.stop.reason


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg"])
def test_the_same_from_a_checkpoint_written_on_the_way(method, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", -1.0)
    path, states = tmp_path / "walk.json", []

    def keep(row):
        if row.step in (5, 9, 12) and path.stat().st_size > 100:
            states.append(path.read_bytes())

    whole = sf.minimize(chained, START, method=method, max_steps=40)
    sf.minimize(chained, START, method=method, max_steps=40, checkpoint=path, progress=keep)
    assert len(states) >= 3
    monkeypatch.undo()
    for state in states[:: max(1, len(states) // 6)]:
        path.write_bytes(state)
        known = load(path)
        resumed = sf.minimize(chained, START, method=method, max_steps=40 - known.steps, resume=path)
        assert repr(steps_of(resumed)[1:]) == repr(steps_of(whole)[1:])


def test_another_method_begins_with_no_memory():
    half = sf.minimize(chained, START, method="bfgs", max_steps=10)
    for other in ("l-bfgs", "cg", "auto"):
        resumed = sf.minimize(chained, START, method=other, resume=half)
        assert resumed.steps > half.steps and resumed.value <= half.value
        assert resumed.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM


def test_the_memory_is_saved_and_not_shown(tmp_path):
    half = sf.minimize(chained, START, method="bfgs", max_steps=10)
    assert "memory" not in half.to_json() and "memory" not in repr(half) and half.memory is not None
    half.save(tmp_path / "half.json")
    back = load(tmp_path / "half.json")
    assert np.array_equal(back.memory.learnt["inverse"], half.memory.learnt["inverse"])
    assert sf.minimize(chained, START, max_steps=3).memory is None
