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
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub, truediv
from typing import Any, TypeAlias

import numpy as np

from surefoot.errors import DataError, ModelError, SurefootError
from surefoot.problem.graph import Name, Node, Number, Text, fold
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
    ...     print(evaluate_exactly(parse("exp(x)"), x, 2).values[0].str(20))
    [1.1051709180756476248 +/- 1.17e-20]
    """

    def rule(current: Node, operands: Sequence[Column]) -> Column:
        if isinstance(current, Number):
            return Rationals.constant(decimal(current.text), rows)
        if isinstance(current, Name):
            return _named(current.name, columns, rows)
        if isinstance(current, Text) or current.keywords or not _is_known(current.operation):
            shown = repr(current.value) if isinstance(current, Text) else f"{current.operation}(...)"
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
    return operation in _EXACT or operation in _ENCLOSED


def _apply(operation: str, operands: Sequence[Column]) -> Column:
    rational = [operand for operand in operands if isinstance(operand, Rationals)]
    if operation in _EXACT and len(rational) == len(operands):
        exact = _EXACT[operation](*rational)
        if exact is not None:
            return exact
    if operation == "pow":
        return _power(operands[0], operands[1])
    rule = _ENCLOSED[operation]
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


def _unknown() -> Any:
    from flint import arb

    return arb.nan()


def _truth(yes: bool, no: bool) -> Any:
    """One, zero, or not decided."""
    from flint import arb

    return arb(1) if yes else arb(0) if no else _unknown()


def _is_true(ball: Any) -> bool | None:
    return True if ball > 0 or ball < 0 else False if ball.is_zero() else None


def _both(one: Any, other: Any) -> Any:
    first, second = _is_true(one), _is_true(other)
    return _unknown() if first is None or second is None else _truth(first and second, True)


def _either(one: Any, other: Any) -> Any:
    first, second = _is_true(one), _is_true(other)
    return _unknown() if first is None or second is None else _truth(first or second, True)


def _equal(one: Any, other: Any) -> tuple[bool, bool]:
    """Surely equal, surely not."""
    return one.is_exact() and other.is_exact() and one == other, bool(one < other or one > other)


def _whole(ball: Any) -> Any:
    """A ball that contains one whole number and has to be one, as that number."""
    from flint import arb

    number = ball.unique_fmpz() if ball.is_finite() else None
    return _unknown() if number is None else arb(number)


def _rounded(ball: Any) -> Any:
    """To the nearest, ties to even, as NumPy has it."""
    from flint import arb

    above = ball + arb(0.5)
    number = _whole(above.floor())
    if above.is_exact() and above.is_integer() and number.is_finite() and int(number.unique_fmpz()) % 2:
        return number - 1
    return number


def _selected(condition: Any, yes: Any, no: Any) -> Any:
    decided = _is_true(condition)
    return _unknown() if decided is None else yes if decided else no


def _cube_root(ball: Any) -> Any:
    if ball < 0:
        return -((-ball).root(3))
    return ball if ball.is_zero() else ball.root(3)


def _log_gamma(ball: Any) -> Any:
    return ball.lgamma() if ball > 0 else abs(ball.gamma()).log()


def _from_two(ball: Any) -> Any:
    from flint import arb

    return arb(2) ** ball


_ENCLOSED: dict[str, Callable[..., Any]] = {
    "add": add, "sub": sub, "mul": mul, "div": truediv, "neg": lambda x: -x, "pow": pow, "abs": abs,
    "exp": lambda x: x.exp(), "exp2": _from_two, "expm1": lambda x: x.expm1(), "log": lambda x: x.log(),
    "log2": lambda x: x.log_base(2), "log10": lambda x: x.log_base(10), "log1p": lambda x: x.log1p(),
    "sqrt": lambda x: x.sqrt(), "cbrt": _cube_root, "sin": lambda x: x.sin(), "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(), "arcsin": lambda x: x.asin(), "arccos": lambda x: x.acos(), "arctan": lambda x: x.atan(),
    "sinh": lambda x: x.sinh(), "cosh": lambda x: x.cosh(), "tanh": lambda x: x.tanh(), "arcsinh": lambda x: x.asinh(),
    "arccosh": lambda x: x.acosh(), "arctanh": lambda x: x.atanh(), "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(), "gammaln": _log_gamma, "logit": lambda x: (x / (1 - x)).log(),
    "expit": lambda x: 1 / (1 + (-x).exp()), "arctan2": lambda y, x: type(y).atan2(y, x),
    "hypot": lambda x, y: (x * x + y * y).sqrt(), "minimum": lambda x, y: x.min(y), "maximum": lambda x, y: x.max(y),
    "where": _selected, "sign": lambda x: x.sgn() if _is_true(x) is not None else _unknown(),
    "floor": lambda x: _whole(x.floor()), "ceil": lambda x: _whole(x.ceil()), "round": _rounded,
    "lt": lambda x, y: _truth(x < y, x >= y), "le": lambda x, y: _truth(x <= y, x > y),
    "gt": lambda x, y: _truth(x > y, x <= y), "ge": lambda x, y: _truth(x >= y, x < y),
    "eq": lambda x, y: _truth(*_equal(x, y)), "ne": lambda x, y: _truth(*reversed(_equal(x, y))),
    "and": _both, "or": _either, "not": lambda x: _unknown() if _is_true(x) is None else _truth(not _is_true(x), True),
}  # fmt: skip
"""Every numeric operation on balls: the result contains the true value, or is NaN."""
