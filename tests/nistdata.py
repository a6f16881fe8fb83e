"""NIST's linear reference sets as the tests use them, and the count of correct digits.

    norris = load("Norris")
    digits(estimate, norris.coefficients[0])

Certified values stay decimal strings: ``digits`` compares against the decimal, not the double next to it.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "nist"
MOST_DIGITS = 15.0  # NIST certifies no more


@dataclass(frozen=True)
class NistSet:
    """One set: the data, the model in Surefoot's syntax, and what NIST certifies, as decimal strings."""

    name: str
    reference: str
    observed: bool  # measured, or generated to be difficult
    path: Path
    formula: str
    terms: tuple[str, ...]  # in the order of the coefficients
    text: dict[str, tuple[str, ...]]  # the columns as NIST wrote them
    coefficients: tuple[str, ...]
    standard_errors: tuple[str, ...]
    sigma: str
    r2: str
    r2_is_centred: bool
    f: str  # "Infinity" where the fit is exact
    model_df: int
    residual_df: int
    model_ss: str
    model_ms: str
    residual_ss: str
    residual_ms: str

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The columns in double precision, fresh arrays at each call."""
        return {name: np.array([float(value) for value in values]) for name, values in self.text.items()}

    @property
    def exact_columns(self) -> dict[str, list[Fraction]]:
        """The columns as the decimals that NIST wrote."""
        return {name: [Fraction(value) for value in values] for name, values in self.text.items()}

    @property
    def rows(self) -> int:
        return len(self.text["y"])

    @property
    def exact(self) -> bool:
        """Whether the model passes through every point."""
        return Decimal(self.sigma) == 0

    def design(self) -> np.ndarray:
        """The columns of the model in double precision, in the order of ``terms``; powers are raw."""
        return np.column_stack([_term(term, self.columns, np.ones(self.rows)) for term in self.terms])

    def exact_design(self) -> list[list[Fraction]]:
        """The columns of the model as exact numbers: a list for each of ``terms``."""
        columns = {name: np.array(values, dtype=object) for name, values in self.exact_columns.items()}
        ones = np.array([Fraction(1)] * self.rows, dtype=object)
        return [list(_term(term, columns, ones)) for term in self.terms]


def _term(term: str, columns: dict[str, Any], ones: np.ndarray) -> np.ndarray:
    if term == "(Intercept)":
        return ones
    name, _, power = term.removeprefix("I(").removesuffix(")").partition("^")
    return columns[name] ** int(power or 1)


@cache
def _certified() -> dict[str, dict[str, Any]]:
    return json.loads((FOLDER / "certified.json").read_text())


NAMES: tuple[str, ...] = tuple(_certified())


@cache
def load(name: str) -> NistSet:
    """Return the set of that name; ``NAMES`` has all eleven, from easy to difficult."""
    facts = dict(_certified()[name])
    path = FOLDER / f"{name}.csv"
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert len(rows) == facts.pop("rows"), path
    for key in ("terms", "coefficients", "standard_errors"):
        facts[key] = tuple(facts[key])
    text = dict(zip(header, zip(*rows, strict=True), strict=True))
    return NistSet(name=name, path=path, text=text, **facts)


def digits(estimate: float | int | str | Fraction | Decimal, certified: str) -> float:
    """Correct digits: -log10 of the relative error, of the absolute error where 0 is certified, from 0 to 15.

    The difference is exact, so the count is right even where a difference of doubles would be all rounding.
    An estimate that is not a finite number has no correct digit, unless infinity is what is certified.
    """
    if Decimal(certified).is_infinite():
        return MOST_DIGITS if float(estimate) == float(certified) else 0.0
    if isinstance(estimate, np.generic):
        estimate = estimate.item()
    if isinstance(estimate, float) and not math.isfinite(estimate):
        return 0.0
    truth = Fraction(certified)
    error = abs(Fraction(estimate) - truth) / (abs(truth) or 1)
    if error == 0:
        return MOST_DIGITS
    with localcontext(prec=40):
        lost = (Decimal(error.numerator) / Decimal(error.denominator)).log10()
    return min(MOST_DIGITS, max(0.0, -float(lost)))
