"""Chords of doubles against functions of one affine number that is known in pieces, in rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.exact_doubles import doubles, fraction, rational
from surefoot.proof.forms import Affine
from surefoot.proof.quadratic import chord
from surefoot.proof.rational_pieces import Line, Pieces, value_at
from surefoot.proof.segments import inner_points


def chord_against(
    domain: Domain, rows: Affine, pieces: Pieces, line: Line, near: Fraction, head: str
) -> Finding | None:
    """Doubles between which the function does not stay below its chord, looked for near a place of t."""
    direction, base = _direction(rows, domain, near)
    for x in base:
        size = 1.0
        while size > 1e-18:
            step = size * direction
            size /= 8.0
            for ends in ((x - step, x + step), (x, x + step), (x - step, x)):
                if not (domain.contains(ends[0]) and domain.contains(ends[1])):
                    continue
                for share in (Fraction(1, 2), Fraction(1, 16), Fraction(15, 16)):
                    bulge = _bulge(rows, pieces, line, ends, share)
                    if bulge is not None and bulge > 0:
                        told = f"At {share} of the way the function is {float(bulge):.3g} above its chord, exactly."
                        return Finding(Curvature.NOT_CONVEX, (head, told), chord(*ends, share))
    return None


def _direction(rows: Affine, domain: Domain, near: Fraction) -> tuple[np.ndarray, list[np.ndarray]]:
    """A direction in which t changes, and points with t about as asked."""
    slope = doubles(rows.plain().dense(domain.size))[0]
    offset = float(doubles(rows.plain().offset)[0])
    free = domain.lower < domain.upper
    direction = np.where(free, slope, 0.0)
    if not np.any(direction):
        return direction, []
    points = []
    for x in inner_points(domain, 6, np.random.default_rng(0)):
        step = (float(near) - offset - float(slope @ x)) / float(direction @ direction)
        moved = np.clip(x + step * direction, domain.lower, domain.upper)
        points += [moved, x]
    return direction / np.abs(direction).max() * max(1.0, abs(float(near))), points


def _bulge(
    rows: Affine, pieces: Pieces, line: Line, ends: tuple[np.ndarray, np.ndarray], share: Fraction
) -> Fraction | None:
    """By how much the function is above its chord, in rational numbers."""
    p, q = (_at(rows, end) for end in ends)
    values = [value_at(pieces, line, t) for t in (p, (1 - share) * p + share * q, q)]
    first, middle, last = values
    if first is None or middle is None or last is None:
        return None
    return middle - (1 - share) * first - share * last


def _at(rows: Affine, x: np.ndarray) -> Fraction:
    """The value of the first row at a point of doubles."""
    plain = rows.plain()
    total = rational(plain.offset[0])
    for coefficient, value in zip(plain.dense(len(x))[0], x, strict=True):
        total += rational(coefficient) * rational(float(value))
    return fraction(total)
