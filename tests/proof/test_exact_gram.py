"""Gram matrices of exact and enclosed columns, merged in any mixture."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.balls import Balls, as_balls, precision
from surefoot.problem.rationals import Rationals
from surefoot.proof.elimination import dependences, eliminate
from surefoot.proof.enclosed import ends
from surefoot.proof.exact_arrays import exact_lstsq
from surefoot.proof.exact_gram import ExactRows, Gram

NUMBERS = st.fractions(min_value=-9, max_value=9, max_denominator=12)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.booleans()), min_size=1, max_size=8))
def test_blocks_of_either_kind_add_up(rows):
    """Each row is a block of its own; in some the second column is only enclosed."""
    total, exact = Gram.empty(3), [[Fraction(0)] * 3 for _ in range(3)]
    with precision(200):
        for *values, weight in ((*row[:3], row[3]) for row in rows):
            columns = [Rationals.from_fractions([value]) for value in values]
            if weight:
                columns[1] = Balls(as_balls(columns[1]))
            weights = Rationals.from_fractions([Fraction(2, 3)])
            total = total.merge(Gram.of(ExactRows(columns, weights, 1)))
            exact = [[exact[i][j] + values[i] * values[j] * Fraction(2, 3) for j in range(3)] for i in range(3)]
        found = total.enclosed()
    mixed = any(row[3] for row in rows)
    assert total.known == ((0, 2) if mixed else (0, 1, 2)) and total.is_exact == (not mixed)
    assert total.count == len(rows)
    for i in range(3):
        for j in range(3):
            truth = fmpq(exact[i][j].numerator, exact[i][j].denominator)
            low, high = ends(found[i, j])
            assert low <= exact[i][j] <= high
            if i in total.known and j in total.known:
                place = [total.known.index(i), total.known.index(j)]
                assert total.exact[place[0], place[1]] == truth


def test_weights_in_balls_leave_nothing_exact():
    with precision(100):
        rows = ExactRows([Rationals.from_integers([1, 2])], Balls([arb(2).log(), arb(3).log()]), 2)
        gram = Gram.of(rows)
        assert gram.known == () and gram.enclosed()[0, 0].overlaps(arb(2).log() + 4 * arb(3).log())


def test_elimination_stops_where_a_pivot_may_be_zero():
    columns = [Rationals.from_integers([1, 2]), Rationals.from_integers([2, 4]), Rationals.from_integers([0, 0])]
    with precision(100):
        gram = Gram.of(ExactRows(columns, None, 2))
        assert eliminate(gram.enclosed(), (0, 1)) is None and eliminate(gram.enclosed(), (2,)) is None
        assert eliminate(gram.enclosed(), (0,)) is not None
        found = dependences(gram.exact, (0, 1, 2))
    assert [(one.column, one.parts) for one in found] == [(1, ((0, Fraction(2)),)), (2, ())]


@pytest.mark.parametrize("seed", range(4))
def test_bounds_are_bounds_as_printed_too(seed):
    A = np.random.default_rng(seed).normal(size=(9, 3)) * [1.0, 1e-2, 1e3]
    found = exact_lstsq(A, np.ones(9))
    smallest = np.linalg.eigvalsh(A.T @ A)[0]
    evidence = found.certificate.evidence
    assert smallest / 4 < evidence["smallest_eigenvalue_at_least"] < smallest * (1 + 1e-6)
    line = next(line for line in found.certificate.lines if "at least" in line)
    pivot, eigenvalue = (float(word.split()[0].rstrip(".,")) for word in line.split("at least ")[1:])
    assert 0 < pivot <= evidence["smallest_pivot_at_least"] <= 1
    assert 0 < eigenvalue <= evidence["smallest_eigenvalue_at_least"]
