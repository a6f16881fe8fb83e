"""What one way of deciding convexity found: the verdict on a function, and the argument for it.

strongly convex with modulus mu:    f(x) - mu/2 |x|^2 is convex,    mu > 0 rational
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from surefoot.proof.certificate import Curvature

_MIRRORED = {
    Curvature.STRONGLY_CONVEX: Curvature.STRONGLY_CONCAVE,
    Curvature.STRICTLY_CONVEX: Curvature.STRICTLY_CONCAVE,
    Curvature.CONVEX: Curvature.CONCAVE,
}
_MIRRORED |= {other: one for one, other in _MIRRORED.items()}


@dataclass(frozen=True)
class Finding:
    """A proven curvature.

    A layer that can prove nothing gives None and no finding, so there is no undecided one.

    Attributes
    ----------
    curvature : Curvature
        What the function is on the domain.
    lines : tuple of str
        The argument, a step a line.
    evidence : mapping
        The numbers that the argument leans on, as JSON takes them; fractions as text.
    modulus : Fraction or None
        For strongly convex and strongly concave: a proven mu > 0, else None.

    Examples
    --------
    >>> Finding(Curvature.STRONGLY_CONVEX, ("x^2 has the second derivative 2.",), {}, Fraction(2)).modulus
    Fraction(2, 1)
    """

    curvature: Curvature
    lines: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    modulus: Fraction | None = None

    def __post_init__(self) -> None:
        strong = self.curvature in (Curvature.STRONGLY_CONVEX, Curvature.STRONGLY_CONCAVE)
        if strong != (self.modulus is not None) or (self.modulus is not None and self.modulus <= 0):
            raise ValueError(f"A finding of {self.curvature.value} with the modulus {self.modulus}.")


def mirrored(curvature: Curvature) -> Curvature | None:
    """What -f is if f is this; None if that does not follow.

    Examples
    --------
    >>> mirrored(Curvature.STRICTLY_CONVEX).value, mirrored(Curvature.NOT_CONVEX)
    ('strictly concave', None)
    """
    return Curvature.AFFINE if curvature is Curvature.AFFINE else _MIRRORED.get(curvature)
