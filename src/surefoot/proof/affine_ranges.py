"""The range of an affine form on a domain, in rational numbers, then rounded outward.

    c'x + d >= sum_i lambda_i b_i + d + min over the box of (c - sum_i lambda_i a_i)'x,      lambda >= 0,

for inequalities ``a_i'x >= b_i``. The multipliers come from linear programming in doubles and are believed as little as
anybody's: any that are not negative give a bound, and this one is computed exactly.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 5.2.1, pp. 224-225 (duals of linear
programs).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from surefoot.problem.domain import Domain, outward
from surefoot.proof.affine_forms import Form

SIMPLE = 1 << 20
"""Largest denominator of a multiplier: those of people's problems are small, and rounded ones would not cancel."""


class Range(NamedTuple):
    """Ends, and whether each is known to be left out."""

    lo: float
    hi: float
    above: bool
    below: bool


def affine_range(form: Form, domain: Domain) -> Range:
    """The range of a form on a domain.

    Examples
    --------
    >>> domain = Domain.of("x > 0, x + y >= 2", ("x", "y"))
    >>> affine_range(Form({0: Fraction(2), 1: Fraction(1)}, Fraction(1)), domain)
    Range(lo=3.0, hi=inf, above=True, below=True)
    """
    if form.rest is None:
        return Range(-math.inf, math.inf, True, True)
    lo, above = _least(form, domain)
    hi, below = _least(form.times(Fraction(-1)), domain)
    return Range(lo, -hi, above, below)


def _least(form: Form, domain: Domain) -> tuple[float, bool]:
    least, strict = _on_box(form, domain)
    if domain.inequalities and form.terms:
        multipliers = _multipliers(form, domain)
        other, other_strict = _by_multipliers(form, domain, multipliers)
        if other is not None and (least is None or other > least or (other == least and other_strict)):
            least, strict = other, other_strict
    if least is None:
        return -math.inf, True
    bound = outward(least, up=False)
    return bound, strict or math.isinf(bound) or Fraction(bound) < least


def _on_box(form: Form, domain: Domain) -> tuple[Fraction | None, bool]:
    """The least value on the bounds alone, None if there is none, and whether it is left out."""
    total, strict = form.rest or Fraction(0), False
    for place, c in form.terms.items():
        end = float(domain.lower[place] if c > 0 else domain.upper[place])
        if math.isinf(end):
            return None, True
        total += c * Fraction(end)
        strict |= bool(domain.above[place] if c > 0 else domain.below[place])
    return total, strict


def _by_multipliers(form: Form, domain: Domain, multipliers: list[Fraction]) -> tuple[Fraction | None, bool]:
    rest, strict = form, False
    for one, multiplier in zip(domain.inequalities, multipliers, strict=True):
        if multiplier > 0:
            rest = rest.plus(Form(dict(one.terms), -one.bound), -multiplier)
            strict |= one.strict
    least, open_end = _on_box(rest, domain)
    return least, strict or open_end


def _multipliers(form: Form, domain: Domain) -> list[Fraction]:
    """Dual values of the inequalities, as simple fractions."""
    from scipy.optimize import linprog

    count = len(domain.inequalities)
    matrix, bounds, cost = np.zeros((count, domain.size)), np.zeros(count), np.zeros(domain.size)
    for row, one in enumerate(domain.inequalities):
        for place, c in one.terms:
            matrix[row, place] = float(c)
        bounds[row] = float(one.bound)
    for place, c in form.terms.items():
        cost[place] = float(c)
    pairs = [
        (None if np.isinf(low) else low, None if np.isinf(high) else high)
        for low, high in zip(domain.lower, domain.upper, strict=True)
    ]
    found = linprog(cost, A_ub=-matrix, b_ub=-bounds, bounds=pairs)
    if found.status != 0:
        return [Fraction(0)] * count
    return [max(Fraction(float(-value)).limit_denominator(SIMPLE), Fraction(0)) for value in found.ineqlin.marginals]
