"""Where a function is considered: a convex set of points, bounds and linear inequalities, strict or not.

    lower <= x <= upper  (or <),    a'x >= b  (or >)    for each inequality

Numbers are the exact doubles that they are. All of R^n is the domain without bounds. Whatever is claimed of a function
on a domain is claimed of every point in it, so bounds here are never rounded inwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.errors import ModelError, OptionError
from surefoot.problem.box import Box

MOST_SHOWN = 4


@dataclass(frozen=True)
class Inequality:
    """``a'x >= bound``, or ``>`` if it is strict, in rational numbers.

    Attributes
    ----------
    terms : tuple of (int, Fraction)
        Places of variables and their coefficients, none of them 0, in order.
    bound : Fraction
        The right-hand side.
    strict : bool
        Whether the bound itself is left out.

    Examples
    --------
    >>> Inequality(((0, Fraction(1)), (1, Fraction(-2))), Fraction(3), True).told(("x", "y"))
    'x - 2*y > 3'
    """

    terms: tuple[tuple[int, Fraction], ...]
    bound: Fraction
    strict: bool = False

    def holds(self, x: np.ndarray) -> bool:
        """Whether it holds at a point of doubles, in rational arithmetic."""
        value = sum((c * Fraction(float(x[place])) for place, c in self.terms), Fraction(0))
        return value > self.bound if self.strict else value >= self.bound

    def told(self, names: Sequence[str]) -> str:
        """As text: ``x - 2*y > 3``, turned round where all coefficients are negative."""
        turned = all(c < 0 for _, c in self.terms)
        sign = ("<" if turned else ">") + ("" if self.strict else "=")
        text = ""
        for place, c in self.terms:
            c = -c if turned else c
            size = "" if abs(c) == 1 else f"{told_number(abs(c))}*"
            joint = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
            text += f"{joint}{size}{names[place]}"
        return f"{text} {sign} {told_number(-self.bound if turned else self.bound)}"


@dataclass(frozen=True)
class Domain:
    """A convex set of points x in R^n.

    Attributes
    ----------
    names : tuple of str
        The n variables.
    lower, upper : ndarray, shape (n,)
        Doubles, infinite where there is no bound.
    above, below : ndarray of bool, shape (n,)
        Where the lower, the upper bound itself is left out; True where it is infinite.
    inequalities : tuple of Inequality
        What bounds cannot say.

    Examples
    --------
    >>> domain = Domain.of("x > 0, x + y <= 3", ("x", "y"))
    >>> str(domain), domain.contains([1.0, 2.0]), domain.contains([0.0, 2.0])
    ('x > 0, x + y <= 3', True, False)
    >>> str(Domain.of(None, ("x", "y")))
    'all of R^2'
    """

    names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    above: np.ndarray
    below: np.ndarray
    inequalities: tuple[Inequality, ...] = ()

    @classmethod
    def everything(cls, names: Sequence[str]) -> Domain:
        """All of R^n."""
        n = len(names)
        return cls(tuple(names), np.full(n, -np.inf), np.full(n, np.inf), np.full(n, True), np.full(n, True))

    @classmethod
    def of(cls, given: Any, names: Sequence[str]) -> Domain:
        """Read a domain as people write it.

        Parameters
        ----------
        given : None, str, sequence of str, Domain, Box, pairs, mapping or object with ``lb`` and ``ub``
            Text: ``"x > 0, x + 2*y <= 3"``, ``"0 < x < 1"``, ``"x=-1..1"``; what is said of a whole vector holds for
            each element. Or bounds as `Box.of` reads them, which include their ends; or ``scipy.optimize``'s
            ``LinearConstraint``. None is all of R^n.
        names : sequence of str
            Of the variables.

        Raises
        ------
        ExpressionError, OptionError, ModelError
            It cannot be read, is not linear, names what is no variable, or no point is left.
        """
        if isinstance(given, Domain):
            if given.names != tuple(names):
                raise OptionError(
                    f"The domain has the variables {', '.join(given.names[:6])}, the function has others."
                )
            return given
        if given is None:
            return cls.everything(names)
        if isinstance(given, str) or (isinstance(given, list | tuple) and given and isinstance(given[0], str)):
            from surefoot.problem.domain_text import read_conditions

            return cls._bounded_by(names, read_conditions(given, tuple(names)))
        if hasattr(given, "A") and hasattr(given, "lb"):
            return cls._bounded_by(names, _rows(given, len(names)))
        box = Box.of(given, names)
        return cls(
            tuple(names), np.array(box.lower, float), np.array(box.upper, float), np.isinf(box.lower),
            np.isinf(box.upper),
        )  # fmt: skip

    @classmethod
    def _bounded_by(cls, names: Sequence[str], conditions: Sequence[Inequality]) -> Domain:
        return cls.everything(names).within(conditions)

    def within(self, conditions: Sequence[Inequality]) -> Domain:
        """The part of it where more inequalities hold; those of one variable become bounds if a double can say them.

        Raises
        ------
        ModelError
            No point is left.
        """
        lower, upper = self.lower.copy(), self.upper.copy()
        above, below = self.above.copy(), self.below.copy()
        kept = list(self.inequalities)
        for one in conditions:
            if len(one.terms) != 1:
                kept.append(one)
                continue
            (place, c), *_ = one.terms
            bound = one.bound / c
            near = outward(bound, up=c < 0)
            if Fraction(near) != bound:
                kept.append(one)
            ends, opened = (lower, above) if c > 0 else (upper, below)
            if (near > ends[place]) if c > 0 else (near < ends[place]):
                ends[place], opened[place] = near, False
            if near == ends[place] and Fraction(near) == bound:
                opened[place] |= one.strict
        found = Domain(self.names, lower, upper, above, below, tuple(dict.fromkeys(kept)))
        found._check()
        return found

    @property
    def size(self) -> int:
        """The number of variables."""
        return len(self.names)

    @cached_property
    def is_everything(self) -> bool:
        """Whether it is all of R^n."""
        return self.is_box and bool(np.all(np.isinf(self.lower)) and np.all(np.isinf(self.upper)))

    @property
    def is_box(self) -> bool:
        """Whether bounds say all of it, strict ones included."""
        return not self.inequalities

    @cached_property
    def is_bounded_box(self) -> bool:
        """Whether it is a box with both ends for every variable."""
        return self.is_box and bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))

    def contains(self, x: Any) -> bool:
        """Whether a point of doubles lies in it, without rounding."""
        x = np.asarray(x, dtype=float)
        low = np.where(self.above, x > self.lower, x >= self.lower)
        high = np.where(self.below, x < self.upper, x <= self.upper)
        return bool(np.all(np.isfinite(x)) and np.all(low) and np.all(high)) and all(
            one.holds(x) for one in self.inequalities
        )

    def __str__(self) -> str:
        """As text; bounds first."""
        if self.is_everything:
            return f"all of R^{self.size}" if self.size > 1 else "all of R"
        parts = _alike_bounds(self) or [
            told
            for name, *ends in zip(self.names, self.lower, self.upper, self.above, self.below, strict=True)
            if (told := _interval(name, *ends))
        ]
        parts += [one.told(self.names) for one in self.inequalities]
        more = len(parts) - 2 * MOST_SHOWN
        return ", ".join(parts[: 2 * MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values, all exact."""
        return {
            "names": list(self.names),
            "lower": [float(v).hex() for v in self.lower],
            "upper": [float(v).hex() for v in self.upper],
            "above": self.above.tolist(),
            "below": self.below.tolist(),
            "inequalities": [
                {"terms": [[place, str(c)] for place, c in one.terms], "bound": str(one.bound), "strict": one.strict}
                for one in self.inequalities
            ],
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Domain:
        """The domain that ``to_json`` wrote."""
        inequalities = tuple(
            Inequality(
                tuple((int(place), Fraction(c)) for place, c in one["terms"]), Fraction(one["bound"]), one["strict"]
            )
            for one in state["inequalities"]
        )
        ends = [np.array([float.fromhex(v) for v in state[side]]) for side in ("lower", "upper")]
        open_ends = [np.array(state[side], dtype=bool) for side in ("above", "below")]
        return cls(tuple(state["names"]), ends[0], ends[1], open_ends[0], open_ends[1], inequalities)

    def _check(self) -> None:
        empty = (self.lower > self.upper) | ((self.lower == self.upper) & (self.above | self.below))
        if np.any(empty):
            name = self.names[int(np.argmax(empty))]
            raise ModelError(f"No point is in the domain: its conditions on {name} exclude each other.")
        if self.inequalities and _is_infeasible(self):
            raise ModelError("No point is in the domain: its inequalities exclude each other.")


def outward(number: Fraction, *, up: bool) -> float:
    """The nearest double on one side of a rational number.

    Examples
    --------
    >>> outward(Fraction(1, 3), up=True) > Fraction(1, 3) > outward(Fraction(1, 3), up=False)
    True
    """
    try:
        near = float(number)
    except OverflowError:
        near = math.inf if number > 0 else -math.inf
    if math.isinf(near):
        return near if (near > 0) == up else math.copysign(float(np.finfo(float).max), near)
    if up and Fraction(near) < number:
        return math.nextafter(near, math.inf)
    return math.nextafter(near, -math.inf) if not up and Fraction(near) > number else near


def told_number(number: Fraction) -> str:
    """As short as it can be told without loss: ``3``, ``0.1`` (the double), ``1/3``."""
    if number.denominator == 1 and abs(number) < 10**17:
        return str(number.numerator)
    near = outward(number, up=True)
    return repr(near) if math.isfinite(near) and Fraction(near) == number else str(number)


def _interval(name: str, low: float, high: float, above: bool, below: bool) -> str:
    first, second = told_number(Fraction(low)) if np.isfinite(low) else "", ""
    second = told_number(Fraction(high)) if np.isfinite(high) else ""
    if first and second:
        return f"{first} {'<' if above else '<='} {name} {'<' if below else '<='} {second}"
    if first:
        return f"{name} {'>' if above else '>='} {first}"
    return f"{name} {'<' if below else '<='} {second}" if second else ""


def _alike_bounds(domain: Domain) -> list[str]:
    """One phrase for a whole vector whose elements have the same bounds."""
    ends = {*zip(domain.lower, domain.upper, domain.above, domain.below, strict=True)}
    wholes = {name.partition("[")[0] for name in domain.names}
    if len(ends) == 1 and len(wholes) == 1 and domain.size > MOST_SHOWN:
        phrase = _interval(next(iter(wholes)), *next(iter(ends)))
        return [f"{phrase} (each element)"] if phrase else []
    return []


def _rows(given: Any, n: int) -> list[Inequality]:
    """SciPy's ``lb <= A x <= ub``."""
    matrix = given.A.toarray() if hasattr(given.A, "toarray") else np.asarray(given.A, dtype=float)
    matrix = np.atleast_2d(matrix)
    if matrix.shape[1] != n or not np.all(np.isfinite(matrix)):
        raise OptionError(f"The matrix of the linear inequalities has finite numbers and {n} columns, one a variable.")
    found = []
    for row, low, high in zip(
        matrix, *(np.broadcast_to(side, (len(matrix),)) for side in (given.lb, given.ub)), strict=True
    ):
        terms = tuple((int(k), Fraction(float(row[k]))) for k in np.flatnonzero(row))
        for bound, sign in ((low, 1), (high, -1)):
            if np.isfinite(bound):
                found.append(Inequality(tuple((k, sign * c) for k, c in terms), sign * Fraction(float(bound))))
    for one in found:
        if not one.terms:
            raise OptionError("A row of the linear inequalities is zero; leave it out.")
    return found


def _is_infeasible(domain: Domain) -> bool:
    """Whether linear programming finds no point at all (only for a sentence: no proof leans on it)."""
    from scipy.optimize import linprog

    matrix = np.zeros((len(domain.inequalities), domain.size))
    bounds = np.zeros(len(domain.inequalities))
    for row, one in enumerate(domain.inequalities):
        for place, c in one.terms:
            matrix[row, place] = float(c)
        bounds[row] = float(one.bound)
    pairs = [
        (None if np.isinf(low) else low, None if np.isinf(high) else high)
        for low, high in zip(domain.lower, domain.upper, strict=True)
    ]
    return linprog(np.zeros(domain.size), A_ub=-matrix, b_ub=-bounds, bounds=pairs).status == 2
