"""Least squares of exactly known columns, solved in Arb balls until every digit that is printed is proven.

With the Gram matrix ``G`` of ``[X y]``, free of rounding or enclosed in balls, elimination gives

    X'WX = L D L',   L D L' b = X'Wy,   rss = y'Wy - c'c  with  c = D^(-1/2) L^-1 X'Wy.

Forming ``X'WX`` squares the condition number, which costs digits but no truth: a ball that has become too wide is seen,
and the precision is doubled. Pivots ``D > 0`` prove that ``X'WX`` is positive definite, hence that the minimiser is the
only one. Balls alone can never prove that a pivot is zero, so dependence and a residual of zero are decided in exact
rational arithmetic, and where that cannot be had the answer is INCONCLUSIVE.

Reference: Rump (2010), "Verification methods: rigorous results using floating-point arithmetic", Acta Numerica 19,
section 10, pp. 363-375 (linear systems); Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 4.1.2, p. 156
(LDL').
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.errors import DataError
from surefoot.problem.balls import NotEnclosed, precision
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.elimination import Dependence, Eliminated, dependences, eliminate, exact_residual, exact_solution
from surefoot.proof.enclosed import DIGITS, Enclosed, enclosed, proven_digits, root
from surefoot.proof.exact_gram import ExactRows, Gram
from surefoot.proof.exact_words import certify

FIRST_BITS = 256
"""Enough for any data of moderate condition; NIST's most difficult set needs it all."""

MOST_BITS = 4096
"""Where enclosed columns are given up: they are dependent, or as good as."""

ENOUGH_BITS = 1 << 20
"""More than any data in doubles or decimals can ask for once zeros are decided exactly."""


@dataclass(frozen=True)
class Shape:
    """What the columns of the rows are.

    Attributes
    ----------
    names : tuple of str
        Of the predictors, which come first.
    ones : int or None
        The column that is constantly one: a predictor, or the column after them; None if there is none.
    responses : int
        How many columns at the end are responses.
    """

    names: tuple[str, ...]
    ones: int | None = None
    responses: int = 1

    @property
    def predictors(self) -> int:
        return len(self.names)

    @property
    def columns(self) -> int:
        return self.predictors + self.responses + (self.ones is not None and self.ones >= self.predictors)


@dataclass(frozen=True)
class ExactFit:
    """The minimiser, enclosed.

    The shapes are those of one response, where the right-hand side is a matrix of k columns they have k at the end.

    Attributes
    ----------
    coef, stderr : Enclosed, shape (p,)
        Nothing is known (NaN) of the coefficient of a dropped column, nor of standard errors without degrees of
        freedom.
    residual_ss, sigma : Enclosed, shape ()
        The weighted sum of squared residuals, and the residual standard deviation.
    residual_length, total_length : ndarray of float, shape ()
        Square roots of ``residual_ss`` and ``total_ss``, which stay within the range of doubles where these may not.
    total_ss, r2, f : Enclosed, shape ()
        About the mean if a constant lies in the space of the columns (``has_constant``), about zero if not.
    kept : tuple of int
        The independent columns.
    dependences : tuple of Dependence
        The other ones, each an exact combination of kept columns.
    has_constant : bool or None
        None where it could not be decided; then R2 and F are not known.
    count, df_residual : int
        Rows, with their frequencies, and rows less coefficients.
    bits : int
        Precision at which all this was found.
    is_exact : bool
        Whether every column was rational, so that nothing but the last steps was rounded at all.
    is_decided : bool
        Whether the rank is proven; if not, nothing else is known.
    upper, spread, effects : ndarray
        Of the kept columns, rounded to doubles: ``R`` with ``R'R = X'WX``, ``R^-1``, and ``R^-T X'Wy``.
    certificate : Certificate
        The verdict with its evidence.
    """

    coef: Enclosed
    stderr: Enclosed
    residual_ss: Enclosed
    total_ss: Enclosed
    sigma: Enclosed
    r2: Enclosed
    f: Enclosed
    residual_length: np.ndarray
    total_length: np.ndarray
    kept: tuple[int, ...]
    dependences: tuple[Dependence, ...]
    has_constant: bool | None
    count: int
    df_residual: int
    bits: int
    is_exact: bool
    is_decided: bool
    upper: np.ndarray
    spread: np.ndarray
    effects: np.ndarray
    certificate: Certificate

    @property
    def digits(self) -> np.ndarray:
        """Proven digits of each coefficient, NaN for a dropped column."""
        found = self.coef.digits.astype(float)
        found[np.isnan(self.coef.value)] = np.nan
        return found


def fit_exactly(read: Callable[[int], Iterable[ExactRows]], shape: Shape, *, most_bits: int = MOST_BITS) -> ExactFit:
    """Solve ``min sum w (y - X b)^2`` for columns that are exactly known or enclosed.

    Parameters
    ----------
    read : callable
        ``read(bits)`` starts a pass over the rows in blocks, with balls of so many bits. Rational columns are read
        once; enclosed ones again whenever the precision is doubled.
    shape : Shape
        What the columns are.
    most_bits : int
        Where to stop doubling for enclosed columns; rational ones come to an end by themselves.

    Raises
    ------
    DataError
        There are no rows.
    NotEnclosed
        From ``read``, where ``most_bits`` do not help either.

    Examples
    --------
    >>> from surefoot.problem.rationals import Rationals
    >>> x = Rationals.from_decimals(["0.1", "0.2", "0.4"])
    >>> ones, y = Rationals.from_integers([1, 1, 1]), Rationals.from_decimals(["1.1", "1.2", "1.4"])
    >>> found = fit_exactly(lambda bits: [ExactRows([ones, x, y], None, 3)], Shape(("1", "x"), ones=0))
    >>> found.coef.text.tolist(), found.residual_ss.text.tolist(), found.certificate.rigour.value
    (['1.0000000000000000', '1.0000000000000000'], '0', 'proven')
    """
    bits, gram = FIRST_BITS, None
    while True:
        with precision(bits):
            if gram is None or not gram.is_exact:
                try:
                    gram = _summed(read(bits), shape)
                except NotEnclosed:
                    if bits >= most_bits:
                        raise
                    bits, gram = 2 * bits, None
                    continue
            if not gram.count:
                raise DataError("There are no rows of positive weight, so there is nothing to fit.")
            answer = _attempt(gram, shape, bits)
            if answer.is_tight or bits >= (ENOUGH_BITS if gram.is_exact else most_bits):
                return _finished(answer, gram, shape, bits)
        bits *= 2


def _summed(blocks: Iterable[ExactRows], shape: Shape) -> Gram:
    gram = Gram.empty(shape.columns)
    for rows in blocks:
        gram = gram.merge(Gram.of(rows))
    return gram


@dataclass(frozen=True)
class _Attempt:
    """What one precision gives, as balls: coefficients (p x k, None where dropped), errors, and so on."""

    eliminated: Eliminated | None
    dependences: tuple[Dependence, ...]
    kept: tuple[int, ...]
    coef: list[list[Any]]
    stderr: list[list[Any]]
    residual: list[Any]
    sigma: list[Any]
    total: list[Any]
    r2: list[Any]
    f: list[Any]
    has_constant: bool | None = None

    @property
    def is_tight(self) -> bool:
        """Whether every number that will be printed is known to `DIGITS` digits."""
        numbers = [ball for row in (*self.coef, *self.stderr) for ball in row]
        numbers += [*self.residual, *self.sigma, *self.r2]
        return self.eliminated is not None and all(_is_tight(ball) for ball in numbers if ball is not None)


def _is_tight(ball: Any) -> bool:
    """A ball so narrow that more precision would not change what is printed; 17 digits may lie on a tie for ever."""
    return proven_digits(ball) >= DIGITS or ball.rel_accuracy_bits() > 200


def _attempt(gram: Gram, shape: Shape, bits: int) -> _Attempt:
    """Eliminate at this precision; ask for exact dependences where a pivot may be zero."""
    kept: tuple[int, ...] = tuple(range(shape.predictors))
    found: tuple[Dependence, ...] = ()
    eliminated = eliminate(gram.enclosed(), kept)
    if eliminated is None:
        known = tuple(j for j in kept if j in gram.known)
        found = dependences(gram.among(known), known)
        kept = tuple(j for j in kept if j not in {one.column for one in found})
        eliminated = eliminate(gram.enclosed(), kept) if found else None
    if eliminated is None:
        return _Attempt(None, found, kept, [], [], [], [], [], [], [])
    coef, residual = _solved(eliminated, gram, shape)
    return _with_statistics(eliminated, found, coef, residual, gram, shape)


def _solved(eliminated: Eliminated, gram: Gram, shape: Shape) -> tuple[list[list[Any]], list[Any]]:
    """Coefficients of the kept columns and the residual sum of squares; zeros decided exactly where that can be."""
    from flint import arb

    coef, residual = [], []
    for k in range(gram.size - shape.responses, gram.size):
        values, squares = eliminated.coefficients(k), eliminated.rest(k)
        if any(ball.contains(0) for ball in (*values, squares)) and gram.knows((*eliminated.kept, k)):
            values = exact_solution(gram, eliminated.kept, k)
            squares = arb(exact_residual(gram, eliminated.kept, k))
        if gram.count == len(eliminated.kept):
            squares = arb(0)  # as many independent columns as rows: the model passes through every one
        coef.append(values)
        residual.append(squares.nonnegative_part())
    return coef, residual


def _shares(eliminated: Eliminated, gram: Gram, shape: Shape, residual: list[Any], total: list[Any]) -> list[Any]:
    """R2 of each response; exactly zero where it is, None where the response does not vary or is not known."""
    from flint import arb

    found = []
    for k, squares, about in zip(range(gram.size - shape.responses, gram.size), residual, total, strict=True):
        if about is None or about.is_zero():
            found.append(None)
            continue
        share = 1 - squares / about
        if len(eliminated.kept) == 1 and eliminated.kept[0] == shape.ones:
            share = arb(0)
        elif share.contains(0) and gram.is_exact:
            ones = () if shape.ones is None or not _spans_constant(eliminated, gram, shape) else (shape.ones,)
            whole = exact_residual(gram, ones, k)
            share = arb(1 - exact_residual(gram, eliminated.kept, k) / whole)
        found.append(share)
    return found


def _with_statistics(
    eliminated: Eliminated,
    found: tuple[Dependence, ...],
    coef: list[list[Any]],
    residual: list[Any],
    gram: Gram,
    shape: Shape,
) -> _Attempt:
    """Standard errors, sigma, R2 and F of each response."""
    place = {j: k for k, j in enumerate(eliminated.kept)}
    df = gram.count - len(eliminated.kept)
    bread = eliminated.bread()
    sigma = [root(squares / df) if df > 0 else None for squares in residual]
    has_constant, total = _totals(eliminated, gram, shape)
    df_model = len(eliminated.kept) - bool(has_constant)
    r2, f = _shares(eliminated, gram, shape, residual, total), []
    for squares, about in zip(residual, total, strict=True):
        varies = about is not None and not about.is_zero()
        tested = varies and df > 0 and df_model > 0 and not squares.contains(0)
        f.append((about - squares) / df_model / (squares / df) if tested else None)

    def spread_out(columns: list[list[Any]]) -> list[list[Any]]:
        return [[one[place[j]] if j in place else None for one in columns] for j in range(shape.predictors)]

    errors = [[None if s is None else s * b.sqrt() for b in bread] for s in sigma]
    return _Attempt(
        eliminated, found, eliminated.kept, spread_out(coef), spread_out(errors), residual, sigma, total, r2, f,
        has_constant,
    )  # fmt: skip


def _totals(eliminated: Eliminated, gram: Gram, shape: Shape) -> tuple[bool | None, list[Any]]:
    """Whether a constant lies in the space of the kept columns, and the sum of squares about it, or about zero."""
    from flint import arb

    responses = range(gram.size - shape.responses, gram.size)
    has_constant = _spans_constant(eliminated, gram, shape)
    if has_constant is None:
        return None, [None] * shape.responses
    if not has_constant:
        return False, [eliminated.matrix[k, k] for k in responses]
    ones = shape.ones
    assert ones is not None
    total = []
    for k in responses:
        if gram.knows((ones, k)):
            total.append(arb(exact_residual(gram, (ones,), k)))
        else:
            matrix = eliminated.matrix
            total.append((matrix[k, k] - matrix[ones, k] * matrix[ones, k] / matrix[ones, ones]).nonnegative_part())
    return True, total


def _spans_constant(eliminated: Eliminated, gram: Gram, shape: Shape) -> bool | None:
    if shape.ones is None:
        return False
    if shape.ones < shape.predictors:
        return True
    if eliminated.rest(shape.ones) > 0:
        return False
    if gram.knows((*eliminated.kept, shape.ones)):
        return exact_residual(gram, eliminated.kept, shape.ones) == 0
    return None


def _finished(answer: _Attempt, gram: Gram, shape: Shape, bits: int) -> ExactFit:
    """Balls to doubles, radii and decimals."""
    single = shape.responses == 1

    def numbers(balls: list[Any]) -> Enclosed:
        return enclosed(balls[0] if single else balls)

    def columns(balls: list[list[Any]]) -> Enclosed:
        balls = balls or [[None] * shape.responses for _ in range(shape.predictors)]
        found = enclosed([row[0] for row in balls] if single else balls)
        if not shape.predictors:
            size = (0,) if single else (0, shape.responses)
            found = Enclosed(
                *(values.reshape(size) for values in (found.value, found.radius, found.text, found.digits))
            )
        return found

    def roots(balls: list[Any]) -> np.ndarray:
        return numbers([None if ball is None else root(ball) for ball in balls]).value

    nothing = [None] * shape.responses
    eliminated = answer.eliminated
    doubles = eliminated.doubles(shape.responses) if eliminated else (np.zeros((0, 0)),) * 3
    found = ExactFit(
        columns(answer.coef), columns(answer.stderr), numbers(answer.residual or nothing),
        numbers(answer.total or nothing), numbers(answer.sigma or nothing), numbers(answer.r2 or nothing),
        numbers(answer.f or nothing),
        roots(answer.residual or nothing), roots(answer.total or nothing), answer.kept, answer.dependences,
        answer.has_constant, gram.count,
        gram.count - len(answer.kept), bits, gram.is_exact, eliminated is not None, *doubles,
        certificate=Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, ""),
    )  # fmt: skip
    facts = None if eliminated is None else eliminated.facts()
    return replace(found, certificate=certify(found, shape.names, facts))
