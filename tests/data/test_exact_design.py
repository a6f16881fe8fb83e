"""Exact blocks of a design: the columns of the ordinary one, in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import surefoot as sf
from designing import learnt, matrix_of
from surefoot.data.design_learning import Request
from surefoot.data.exact_design import ExactReader, check_enclosable
from surefoot.data.source import open_source
from surefoot.errors import DataError, ModelError
from surefoot.problem.balls import Balls, NotEnclosed, as_balls, precision
from surefoot.problem.rationals import Rationals

TABLE = {
    "x": [0.5, 1.25, -2.0, 4.0, 3.0, 1.0], "z": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "g": ["a", "b", "c", "a", "b", "c"],
    "h": [True, False, False, True, True, False], "y": [1.0, 2.0, 4.0, 8.0, 1.0, 3.0],
    "w": [1.0, 0.0, 2.0, 1.0, 0.5, 3.0],
}  # fmt: skip


def reader_of(formula: str, table=TABLE, **request) -> ExactReader:
    asked = Request(formula, **request)
    return ExactReader(learnt(formula, table, **request), asked, open_source(table))


def blocks_of(reader: ExactReader, rows: int = 100):
    with precision(128):
        return [reader.block(one) for one in reader.frames(rows)]


@pytest.mark.parametrize(
    "formula",
    ["y ~ x", "y ~ 0 + g", "y ~ g*x", "y ~ C(g, Sum):C(z, Helmert)", "y ~ h + I(x^2/4)", "y ~ 0 + x:z + g:h",
     "y ~ g:x:z", "y ~ log(z) + exp(x):g", "y ~ 1"],
)  # fmt: skip
def test_columns_are_those_of_the_ordinary_design(formula):
    reader = reader_of(formula)
    (block,) = blocks_of(reader)
    predictors = block.columns[: len(reader.design.names)]
    with precision(128):
        exact = [[float(ball.mid()) for ball in as_balls(column)] for column in predictors]
    np.testing.assert_allclose(np.array(exact).T, matrix_of(reader.design, TABLE), rtol=1e-14)
    assert len(block.columns) == len(predictors) + 1 + (not reader.design.has_intercept)
    assert all(isinstance(one, Rationals) for one in predictors) == reader.is_rational()


def test_a_model_without_intercept_carries_ones():
    (block,) = blocks_of(reader_of("y ~ 0 + x"))
    assert block.columns[1].values() == [1] * 6 and block.columns[2].values() == [1, 2, 4, 8, 1, 3]


def test_rows_of_weight_zero_are_left_out_and_frequencies_counted():
    (block,) = blocks_of(reader_of("y ~ x", weights="w/3", frequencies="z", offset="x"))
    assert block.count == 1 + 3 + 4 + 5 + 6
    assert block.weights.values() == [Fraction(1, 3), 2, Fraction(4, 3), Fraction(5, 6), 6]
    assert block.columns[-1].values() == [Fraction(1, 2), 6, 4, -2, 2]
    (block,) = blocks_of(reader_of("y ~ x", weights="exp(w) - 1"))
    assert isinstance(block.weights, Balls) and block.count == 5


def test_small_frames_make_the_same_columns():
    whole, cut = blocks_of(reader_of("y ~ g*x")), blocks_of(reader_of("y ~ g*x"), rows=2)
    assert len(cut) == 3
    for k, column in enumerate(whole[0].columns):
        assert column.values() == [value for block in cut for value in block.columns[k].values()]


def test_the_row_is_named():
    with pytest.raises(NotEnclosed, match=r"where x = 4 \(row 4\)"):
        blocks_of(reader_of("y ~ where(x == 4, floor(exp(log(x))), 1)"), rows=3)


def test_calls_that_lean_on_learnt_numbers_are_refused_wherever_they_stand():
    source = open_source(TABLE)
    for formula in (
        "y ~ I(2*center(x))",
        "scale(y) ~ x",
        "y ~ x + offset(center(x))",
        "y ~ g:poly(x, 2)",
        "y ~ bs(x, df=4)",
    ):
        with pytest.raises(ModelError, match="cannot be enclosed"):
            check_enclosable(Request(formula), source)
    check_enclosable(Request("y ~ g*log(x) + offset(z)"), source)


@pytest.mark.parametrize(
    "wide", [[2**53 + 1, 0.5, 1], [2**70 + 1, 1, 2], [Fraction(1, 3), 1, 2], np.array([1, 2, 4], np.longdouble) / 3]
)
def test_numbers_that_were_rounded_on_the_way_in_are_not_read_exactly(wide):
    data = {"x": [1, 2, 4], "y": wide}
    assert sf.fit("y ~ x", data).rank == 2
    with pytest.raises(DataError, match=r"Column y of .* cannot be read exactly"):
        sf.fit("y ~ x", data, exact=True)
    with pytest.raises(DataError, match="cannot be read exactly"):
        sf.fit(
            "x ~ 1",
            {"x": data["x"]},
            weights=list(wide),
            exact=True,
        )
    frame = pd.DataFrame({"x": [1, 2, 4], "y": pd.Series(list(wide), dtype=object)})
    with pytest.raises(DataError, match="cannot be read exactly"):
        sf.fit("y ~ x", frame, exact=True)


@pytest.mark.parametrize(
    "plain", [[2**53, 0.5, 1], [2**62 + 1, 1, 2], [None, 1.5, 2], np.array([1, 2, 4], np.longdouble)]
)
def test_numbers_that_doubles_hold_are_read_exactly(plain):
    assert sf.fit("y ~ 1", {"y": plain}, exact=True).certificate.rigour.value == "proven"
