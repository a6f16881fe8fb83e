"""Second-order evidence in floating point: what the point of a least squares fit is.

The sum of squares ``f(b) = |W^(1/2)(y - Xb)|^2`` has the constant Hessian ``2 X'WX``, positive semidefinite: every
stationary point is a global minimum, and it is the only one exactly if the smallest curvature is positive.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.1.4, p. 71, and section 9.1.1, p. 458.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from surefoot.proof.certificate import Certificate, Rigour, Verdict

WRONG = 1e-6
"""Share of the gradient that a multiplier of the wrong sign may have: rounding at a bound that hardly holds."""

FEW = 16.0
"""Units of rounding that count as none."""


@dataclass(frozen=True)
class Pins:
    """Bounds and equalities that hold a point.

    Attributes
    ----------
    bounds, equalities : int
        How many coefficients stand at a bound; how many equalities there are.
    wrong_sign : float
        Largest multiplier of a wrong sign (one that would let the sum of squares fall by leaving its bound), relative
        to the length of the gradient.
    """

    bounds: int
    equalities: int
    wrong_sign: float


@dataclass(frozen=True)
class Bowl:
    """What is known of a least squares bowl, columns scaled to length one where nothing else is said.

    Attributes
    ----------
    columns, rank : int
        Number of columns, and of independent ones.
    smallest_singular_value : float
        Of the independent columns scaled to length one.
    tolerance : float
        Rounding of that singular value: below it, it is indistinguishable from zero.
    smallest_curvature : float
        Smallest eigenvalue of the Hessian ``2 X'WX`` over the independent columns, in the units of the data.
    orthogonality : float or None
        Largest cosine between the residual and a column, from a second pass over the rows; None if none was made.
    residual_units : float or None
        Length of the residual in units of its own rounding, from the same pass.
    valley : sequence of mapping
        Flat directions: column name to component.
    is_rank_known : bool
        False where nobody has factored the columns.
    pins : Pins or None
        Constraints, if there are any; ``orthogonality`` is then to the free columns, on the equalities.
    has_arrived : bool
        False where an iteration was stopped before it came to rounding, or to the accuracy asked for.
    """

    columns: int
    rank: int
    smallest_singular_value: float
    tolerance: float
    smallest_curvature: float
    orthogonality: float | None = None
    residual_units: float | None = None
    valley: Sequence[Mapping[str, float]] = ()
    is_rank_known: bool = True
    pins: Pins | None = None
    has_arrived: bool = True

    @property
    def passes_through(self) -> bool:
        """Whether the residual is nothing but rounding: its direction then means nothing, and no sum is smaller."""
        return self.residual_units is not None and self.residual_units <= FEW

    @property
    def is_stationary(self) -> bool:
        """Whether the gradient is as small as rounding allows; True where nobody has looked."""
        if self.orthogonality is None or self.passes_through:
            return True
        # Rounding of the residual turns it by an angle of about one over its length in units of that rounding.
        return self.orthogonality <= max(1e-4, FEW / self.residual_units if self.residual_units else 0.0)


def judge_bowl(bowl: Bowl) -> Certificate:
    """The verdict on a least squares solution, never stronger than its evidence.

    Examples
    --------
    >>> judge_bowl(Bowl(2, 2, 0.5, 1e-14, 28.9)).verdict.value
    'unique global minimum'
    >>> judge_bowl(Bowl(2, 1, 0.5, 1e-14, 28.9, valley=[{"a": 1.0, "b": -1.0}])).verdict.value
    'global minimum'
    """
    verdict, claim = _decide(bowl)
    evidence = {
        "rank": bowl.rank,
        "columns": bowl.columns,
        "smallest_singular_value": bowl.smallest_singular_value,
        "tolerance": bowl.tolerance,
        "smallest_curvature": None if math.isnan(bowl.smallest_curvature) else bowl.smallest_curvature,
        "orthogonality": None if bowl.passes_through else bowl.orthogonality,
        "residual_units": bowl.residual_units,
        "valley": [dict(direction) for direction in bowl.valley],
    }
    if not bowl.is_rank_known:
        evidence |= dict.fromkeys(("rank", "smallest_singular_value", "smallest_curvature"))
    if bowl.pins is not None:
        evidence["constraints"] = asdict(bowl.pins)
    return Certificate(verdict, Rigour.NUMERICAL, claim, tuple(_lines(bowl)), evidence)


def _decide(bowl: Bowl) -> tuple[Verdict, str]:
    if not bowl.has_arrived:
        cosine = "" if bowl.orthogonality is None else f" (cosine of residual and column {bowl.orthogonality:.1e})"
        return Verdict.NOT_STATIONARY, f"The iteration was stopped before the gradient had vanished{cosine}."
    if not bowl.is_stationary:
        return (
            Verdict.INCONCLUSIVE,
            f"The residual is not perpendicular to the columns (cosine {bowl.orthogonality:.1e}): rounding has won.",
        )
    if bowl.pins is not None and bowl.pins.wrong_sign > WRONG:
        return (
            Verdict.INCONCLUSIVE,
            f"A multiplier has the wrong sign ({bowl.pins.wrong_sign:.1e} of the gradient): rounding has won.",
        )
    if not bowl.is_rank_known:
        return (
            Verdict.GLOBAL_MINIMUM,
            "A global minimiser; whether it is the only one is not known, as nothing has factored the columns.",
        )
    if bowl.rank < bowl.columns:
        return (
            Verdict.GLOBAL_MINIMUM,
            f"A flat valley of global minimisers of dimension {bowl.columns - bowl.rank}: "
            "the data cannot tell them apart.",
        )
    if bowl.columns and bowl.smallest_singular_value <= bowl.tolerance:
        return (
            Verdict.INCONCLUSIVE,
            "The bowl is so flat in one direction that rounding hides whether it rises there at all.",
        )
    if bowl.pins is not None:
        return (
            Verdict.UNIQUE_GLOBAL_MINIMUM,
            "The only minimiser on the constraints: the bowl rises wherever they allow.",
        )
    return Verdict.UNIQUE_GLOBAL_MINIMUM, "The only minimiser: the bowl rises in every direction from here."


def _lines(bowl: Bowl) -> list[str]:
    lines = ["The sum of squares is convex: its Hessian 2X'WX is positive semidefinite whatever the data."]
    if bowl.columns and bowl.is_rank_known:
        lines.append(
            f"{bowl.rank} of {bowl.columns} columns are independent; scaled to length one, their smallest singular "
            f"value is {bowl.smallest_singular_value:.3g}, against a rounding of {bowl.tolerance:.1e}."
        )
    if bowl.passes_through:
        lines.append("The residual is no longer than its rounding: the model passes through every row.")
    elif bowl.orthogonality is not None:
        lines.append(
            f"The gradient vanishes: the residual is perpendicular to every "
            f"{'column' if bowl.pins is None else 'direction that the constraints leave free'} "
            f"to {bowl.orthogonality:.0e}."
        )
    if bowl.pins is not None:
        lines.append(
            f"{bowl.pins.bounds} coefficients stand at a bound and {bowl.pins.equalities} equalities hold; every "
            f"multiplier has the sign of a minimum, to {bowl.pins.wrong_sign:.0e} of the gradient: with the bowl "
            "convex and the constraints linear, that is enough."
        )
    return lines
