"""The comparison of roads in the summary and in JSON: only what was computed, in a table that fits the page."""

import json
import re

import numpy as np
import pytest

import nistdata
import surefoot as sf
from surefoot.apps.cli import run

OZONE = {"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": [2.1, 3.9, 6.2, 7.8, 10.1]}


def table_of(summary):
    """The rows of the table, by the name of the road."""
    lines = summary.splitlines()
    start = next(k for k, line in enumerate(lines) if "digits as" in line)
    rows = lines[start + 2 : start + 2 + lines[start:].index("") - 2]
    return {re.split(r"\s{2,}", row)[0]: re.split(r"\s{2,}", row)[1:] for row in rows}


@pytest.mark.parametrize("name", ["Norris", "Filip", "NoInt1"])
def test_the_table_shows_what_the_records_hold(name):
    data = nistdata.load(name)
    fit = sf.fit(data.formula, data.path, compare=True)
    text = fit.summary()
    assert all(len(line) <= 100 for line in text.splitlines()[1:])
    rows = table_of(text)
    assert tuple(rows) == fit.roads.names
    for road in fit.roads.roads:
        if road.steps is not None:
            assert rows[road.name][-2] == f"{road.steps:,}"
        if road.backward_error is not None:
            assert f"{road.backward_error:.0e}" in rows[road.name]


def test_two_roads_one_valley():
    fit = sf.fit("y ~ x", OZONE, compare=True)
    walked = fit.roads["conjugate gradients"]
    agreed = int(fit.roads.between("QR, refined", "conjugate gradients"))
    flat = " ".join(fit.summary().split())
    assert (
        f"Two roads, one valley: QR, refined and conjugate gradients over the rows ({walked.steps} steps) "
        f"agree to {agreed} digits." in flat
    )
    assert "did not arrive" not in flat and "refused" not in flat


def test_where_a_walk_does_not_arrive_it_says_how_many_steps_the_theory_predicts():
    filip = nistdata.load("Filip")
    fit = sf.fit(filip.formula, filip.path, compare=True)
    flat = " ".join(fit.summary().split())
    assert "Two roads, one valley" not in flat
    assert "conjugate gradients" in flat and "digits only: the condition 5.2e+09 of the columns" in flat
    predicted = f"{fit.roads['gradient descent'].predicted:.1e}"
    assert f"Gradient descent did not arrive (in theory, {predicted} steps in exact arithmetic): the budget of" in flat
    assert "Normal equations refused: Cholesky broke down at pivot" in flat


def test_a_walk_that_had_to_end_early_is_not_called_a_valley():
    from dataclasses import replace

    fit = sf.fit("y ~ x", OZONE, compare=True)
    cut = replace(fit.roads["conjugate gradients"], arrived=False, stop="the budget of time is spent")
    roads = tuple(cut if road.name == cut.name else road for road in fit.roads.roads)
    flat = " ".join(replace(fit, roads=replace(fit.roads, roads=roads)).summary().split())
    assert "Two roads, one valley" not in flat
    assert f"digits after {cut.steps} steps, where the walk had to end. Conjugate gradients did not arrive" in flat


def test_without_the_question_there_is_no_table():
    assert "digits as" not in sf.fit("y ~ x", OZONE).summary()


def test_exact_digits_have_a_column_where_they_are_known():
    from dataclasses import replace

    fit = sf.fit("y ~ x", OZONE, compare=True)
    assert "exact" not in fit.summary()
    measured = tuple(replace(road, exact_digits=13.7) for road in fit.roads.roads)
    text = replace(fit, roads=replace(fit.roads, roads=measured)).summary()
    assert "exact" in text and all("13" in row for row in table_of(text).values())


def test_the_command_line_compares_and_writes_json(tmp_path, capsys):
    rows = np.random.default_rng(3).standard_normal((30, 2))
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in rows.tolist()))
    assert run(["fit", "y ~ x", str(path), "--compare"]) == 0
    assert "conjugate gradients" in capsys.readouterr().out
    assert run(["fit", "y ~ x", str(path), "--compare", "--json"]) == 0
    roads = json.loads(capsys.readouterr().out)["roads"]
    assert roads["roads"][0]["name"] == "normal equations"
    assert roads["agreement"][0][1] > 12 and roads["roads"][-1]["predicted"] > 0
    assert run(["fit", "y ~ x", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["roads"] is None
