"""The exact reading: a graph and exactly known columns -> rational numbers where that is possible, Arb balls where not.

Sums, products, quotients and whole powers of rational numbers are rational and stay exact. Any other function gives a
ball ``[m - r, m + r]`` that contains the true value, as narrow as the working precision allows. Literals are the
decimals that were typed (``0.1`` is a tenth) and ``pi`` is pi. What a ball cannot decide, such as ``floor`` of a ball
around a whole number, is no number (NaN) until a higher precision decides it: nothing is ever guessed.

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub
from typing import Any, TypeAlias

import numpy as np

from surefoot.errors import DataError, ModelError, SurefootError
from surefoot.problem.ball_functions import ENCLOSED
from surefoot.problem.graph import Apply, Name, Node, Number, fold
from surefoot.problem.rationals import Rationals, decimal


@dataclass(frozen=True)
class Balls:
    """A column of enclosures.

    Attributes
    ----------
    values : list of flint.arb
        One ball a row.
    """

    values: list[Any]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Balls:
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Balls([self.values[row] for row in positions.tolist()])


class NotEnclosed(ModelError):
    """An expression has no finite enclosure in some row at this precision; a higher one may decide it."""


Column: TypeAlias = Rationals | Balls
"""A column that is exactly known, or enclosed."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """So many bits for every ball that is made inside."""
    from flint import ctx

    with ctx.workprec(bits):
        yield


def evaluate_exactly(node: Node, columns: Mapping[str, Rationals], rows: int) -> Column:
    """The values of an expression, exactly where they are rational, and enclosed where not.

    Parameters
    ----------
    node : Node
        A graph of numeric operations.
    columns : mapping of str to Rationals
        All of the same length ``rows``.
    rows : int
        How many values are wanted; a constant is repeated.

    Returns
    -------
    Rationals or Balls
        A ball that is not finite stands where the expression is undefined, or not decided at this `precision`.

    Raises
    ------
    DataError
        A name is no column.
    SurefootError
        The graph has an operation without a numeric value.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse
    >>> x = {"x": Rationals.from_decimals(["0.1", "3"])}
    >>> evaluate_exactly(parse("x^2 + 0.2"), x, 2).values()
    [Fraction(21, 100), Fraction(46, 5)]
    >>> with precision(128):
    ...     print(evaluate_exactly(parse("exp(x)"), x, 2).values[0].str(20, radius=False))
    1.1051709180756476248
    """

    def rule(current: Node, operands: Sequence[Column]) -> Column:
        if isinstance(current, Number):
            return Rationals.constant(decimal(current.text), rows)
        if isinstance(current, Name):
            return _named(current.name, columns, rows)
        if not isinstance(current, Apply) or current.keywords or not _is_known(current.operation):
            shown = (
                f"{current.operation}(...)" if isinstance(current, Apply) else repr(getattr(current, "value", current))
            )
            raise SurefootError(f"{shown} cannot be enclosed; only numeric functions can.")
        return _apply(current.operation, operands)

    return fold(node, rule)


def as_balls(column: Column) -> list[Any]:
    """The values as balls of the working precision."""
    if isinstance(column, Balls):
        return column.values
    from flint import arb

    top, bottom = column.unit.as_integer_ratio()
    if bottom == 1:
        return [arb(m * top) for m in column.mantissas.tolist()]
    return [arb(m * top) / bottom for m in column.mantissas.tolist()]


def product(one: Column, other: Column) -> Column:
    """Row by row."""
    return _apply("mul", (one, other))


def difference(one: Column, other: Column) -> Column:
    """Row by row."""
    return _apply("sub", (one, other))


def first_unknown(column: Column) -> int | None:
    """The first row that has no finite enclosure; None where every row has one."""
    if isinstance(column, Rationals):
        return None
    return next((row for row, ball in enumerate(column.values) if not ball.is_finite()), None)


def _named(name: str, columns: Mapping[str, Rationals], rows: int) -> Column:
    if name in columns:
        return columns[name]
    if name == "pi":
        from flint import arb

        return Balls([arb.pi()] * rows)
    raise DataError(f"There is no variable named {name} that is known exactly; check the spelling.")


def _is_known(operation: str) -> bool:
    return operation in _EXACT or operation in ENCLOSED


def _apply(operation: str, operands: Sequence[Column]) -> Column:
    rational = [operand for operand in operands if isinstance(operand, Rationals)]
    if operation in _EXACT and len(rational) == len(operands):
        exact = _EXACT[operation](*rational)
        if exact is not None:
            return exact
    if operation == "pow":
        return _power(operands[0], operands[1])
    rule = ENCLOSED[operation]
    found = [rule(*values) for values in zip(*map(as_balls, operands), strict=True)]
    if operation in _DECISIONS and all(value.is_exact() and value.is_finite() for value in found):
        return Rationals.from_integers([int(value.fmpq().p) for value in found])
    return Balls(found)


def _exact_power(base: Rationals, exponent: Rationals) -> Rationals | None:
    power = _common(exponent)
    return base.power(int(power)) if power is not None and power.denominator == 1 else None


def _common(column: Column) -> Fraction | None:
    """The value that every row has, if there is one and it is known exactly."""
    if not isinstance(column, Rationals) or not len(column) or np.any(column.mantissas != column.mantissas[0]):
        return None
    return column.mantissas[0] * column.unit


def _power(base: Column, exponent: Column) -> Balls:
    """Whole powers also of negative numbers; square roots and positive powers also of zero."""
    common, balls = _common(exponent), as_balls(base)
    if common == Fraction(1, 2):
        return Balls([ball.sqrt() for ball in balls])
    if isinstance(exponent, Rationals):
        values = exponent.values() if common is None else [common] * len(exponent)
        return Balls([_rational_power(ball, power) for ball, power in zip(balls, values, strict=True)])
    return Balls([ball**power for ball, power in zip(balls, exponent.values, strict=True)])


def _rational_power(base: Any, power: Fraction) -> Any:
    from flint import arb, fmpq

    if power.denominator == 1:
        return base ** int(power)
    if power > 0 and base.is_zero():
        return base
    return base ** arb(fmpq(power.numerator, power.denominator))


def _compared(operation: Callable[[Any, Any], Any]) -> Callable[[Rationals, Rationals], Rationals]:
    def read(one: Rationals, other: Rationals) -> Rationals:
        left, right, _ = one.alike(other)
        return Rationals.from_integers(np.asarray(operation(left, right)).astype(int))

    return read


def _logical(operation: Callable[[Any, Any], Any]) -> Callable[..., Rationals]:
    return lambda one, other: Rationals.from_integers(operation(~one.is_zero(), ~other.is_zero()).astype(int))


def _chosen(condition: Rationals, yes: Rationals, no: Rationals) -> Rationals:
    left, right, unit = yes.alike(no)
    return Rationals(np.where(condition.is_zero(), right, left), unit)


def _extreme(pick: Callable[[Any, Any], Any]) -> Callable[[Rationals, Rationals], Rationals]:
    def read(one: Rationals, other: Rationals) -> Rationals:
        left, right, unit = one.alike(other)
        return Rationals(pick(left, right), unit)

    return read


_EXACT: dict[str, Callable[..., Rationals | None]] = {
    "add": add, "sub": sub, "mul": mul, "div": Rationals.over, "neg": Rationals.__neg__, "pow": _exact_power,
    "abs": Rationals.__abs__, "sign": lambda x: Rationals.from_integers(np.sign(x.mantissas)),
    "floor": lambda x: x.map(lambda value: value.__floor__()), "ceil": lambda x: x.map(lambda value: value.__ceil__()),
    "round": lambda x: x.map(round), "minimum": _extreme(np.minimum), "maximum": _extreme(np.maximum),
    "lt": _compared(lt), "le": _compared(le), "gt": _compared(gt), "ge": _compared(ge), "eq": _compared(eq),
    "ne": _compared(ne), "and": _logical(and_), "or": _logical(or_),
    "not": lambda x: Rationals.from_integers(x.is_zero().astype(int)), "where": _chosen,
}  # fmt: skip
"""What rational numbers can do and stay rational; None where the digits would be too many."""

_DECISIONS = frozenset({"sign", "floor", "ceil", "round", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"})
"""What has whole values, or none as long as a ball leaves it open."""
