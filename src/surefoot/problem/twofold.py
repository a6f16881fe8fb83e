"""Twice the precision: a number as the unevaluated sum ``high + low`` of two doubles, about 32 digits.

The error of one floating point sum or product is itself a double and can be computed exactly; carrying it along gives
twice the working precision at some twenty times the price. Used for residuals in iterative refinement, and to form
columns such as ``x^10`` without the rounding that would cap the digits of the coefficients.

Reference: Ogita, Rump, Oishi (2005), "Accurate sum and dot product", SIAM J. Sci. Comput. 26(6), pp. 1955-1988
(TwoSum p. 1957, TwoProduct p. 1958).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.problem.floating import evaluate
from surefoot.problem.graph import Apply, Name, Node, Number, fold

_SPLITTER = 134217729.0
"""2^27 + 1: Dekker's constant, which halves a double into two of 26 bits."""

_EXACT = frozenset({"add", "sub", "mul", "div", "neg", "pow"})


@dataclass(frozen=True)
class Twofold:
    """An array of numbers ``high + low`` with ``|low|`` at most half a unit in the last place of ``high``.

    Examples
    --------
    >>> third = Twofold.of(1.0) / Twofold.of(3.0)
    >>> (third * Twofold.of(3.0) - Twofold.of(1.0)).value()
    array(0.)
    """

    high: np.ndarray
    low: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray | float) -> Twofold:
        high = np.asarray(values, dtype=float)
        return cls(high, np.zeros_like(high))

    def value(self) -> np.ndarray:
        """Rounded to one double."""
        return np.asarray(self.high + self.low)

    def __neg__(self) -> Twofold:
        return Twofold(-self.high, -self.low)

    def __add__(self, other: Twofold) -> Twofold:
        high, error = two_sum(self.high, other.high)
        return _renormalised(high, error + (self.low + other.low))

    def __sub__(self, other: Twofold) -> Twofold:
        return self + -other

    def __mul__(self, other: Twofold) -> Twofold:
        high, error = two_product(self.high, other.high)
        return _renormalised(high, error + (self.high * other.low + self.low * other.high))

    def __truediv__(self, other: Twofold) -> Twofold:
        quotient = self.high / other.high
        rest = self - other * Twofold.of(quotient)
        return _renormalised(quotient, rest.value() / other.high)

    def power(self, exponent: int) -> Twofold:
        """A whole power by repeated squaring."""
        result, square, left = Twofold.of(np.ones_like(self.high)), self, abs(exponent)
        while left:
            result = result * square if left & 1 else result
            square, left = square * square, left >> 1
        return result if exponent >= 0 else Twofold.of(np.ones_like(self.high)) / result


def two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``a + b`` rounded, and its exact error."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def two_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``a * b`` rounded, and its exact error (for factors below about 1e290)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _split(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shifted = _SPLITTER * a
    high = shifted - (shifted - a)
    return high, a - high


def _renormalised(high: np.ndarray, low: np.ndarray) -> Twofold:
    total = high + low
    return Twofold(np.asarray(total), np.asarray(low - (total - high)))


def evaluate_twofold(node: Node, columns: Mapping[str, np.ndarray]) -> Twofold:
    """The twofold reading of an expression: arithmetic and whole powers keep both parts, functions round to one double.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse
    >>> x = np.array([1 + 2.0**-30])
    >>> evaluate_twofold(parse("x^2"), {"x": x}).low[0] == 2.0**-60
    np.True_
    """

    def rule(current: Node, operands: Sequence[Twofold]) -> Twofold:
        if isinstance(current, (Name, Number)):
            return Twofold.of(evaluate(current, columns))
        if isinstance(current, Apply) and current.operation in _EXACT:
            return _arithmetic(current, operands)
        return Twofold.of(_rounded(current, operands))

    with np.errstate(all="ignore"):
        return fold(node, rule)


def _arithmetic(node: Apply, operands: Sequence[Twofold]) -> Twofold:
    match node.operation:
        case "add":
            total = operands[0]
            for operand in operands[1:]:
                total = total + operand
            return total
        case "sub":
            return operands[0] - operands[1]
        case "mul":
            product = operands[0]
            for operand in operands[1:]:
                product = product * operand
            return product
        case "div":
            return operands[0] / operands[1]
        case "neg":
            return -operands[0]
    exponent = node.arguments[1]
    if isinstance(exponent, Number) and exponent.value == int(exponent.value) and abs(exponent.value) <= 64:
        return operands[0].power(int(exponent.value))
    return Twofold.of(_rounded(node, operands))


def _rounded(node: Node, operands: Sequence[Twofold]) -> np.ndarray:
    """One operation in ordinary doubles, on operands rounded to doubles."""
    assert isinstance(node, Apply)
    stand_ins = {f"operand{k}": operand.value() for k, operand in enumerate(operands)}
    return evaluate(Apply(node.operation, tuple(Name(name) for name in stand_ins)), stand_ins)
