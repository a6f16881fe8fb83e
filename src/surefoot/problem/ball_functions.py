"""Every numeric operation on Arb balls: the result contains the true value, or is NaN where it is not decided.

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add, mul, sub, truediv
from typing import Any


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


ENCLOSED: dict[str, Callable[..., Any]] = {
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
"""By the names of `graph.OPERATIONS`."""
