"""The pictures of roads and of the right-angled residual in words, with their numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.numbers import plain, r_squared
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.perpendicular import Perpendicular
    from surefoot.models.walked import Descent, WalkedBowl

NO_TRIANGLE = (
    "There is no right-angled triangle to draw: nothing of the response is left to explain, no column explains it, no "
    "factor of the columns is at hand, or a penalty or constraint tilts the residual."
)
FLATTEST, STEEPEST = 20.0, 72.0
"""Angles in degrees beyond which one side of the triangle could not be seen at its true length."""


def drawn_angle(found: Perpendicular) -> float:
    """The angle at the origin as it is drawn, in degrees: the true one where both sides can be seen."""
    if not found.residual or not found.fitted:
        return found.angle
    return min(max(found.angle, FLATTEST), STEEPEST)


def side_names(found: Perpendicular) -> tuple[str, str, str]:
    """Response, fitted values and residual, as the picture calls them."""
    about = " − mean" if found.centred else ""
    return f"response{about}", f"fitted{about}", "residual"


def perpendicular_caption(found: Perpendicular) -> str:
    """The triangle: lengths, angle, R2."""
    response, fitted, residual = plain(found.response), plain(found.fitted), plain(found.residual)
    about = " about the mean" if found.centred else ""
    if not found.residual:
        return (
            f"The response lies in the space of the columns: its length{about} and that of the fitted values are "
            f"{response}, and the residual is no more than rounding. {_ground(found)}"
        )
    if not found.fitted:
        return (
            f"The response{about} stands at a right angle on the space of the columns: of its length {response} "
            f"nothing but rounding is explained. {_ground(found)}"
        )
    square = "R²" if found.centred else "the share of the response's sum of squares that is explained"
    share = r_squared(math.cos(math.radians(found.angle)) ** 2)
    return (
        "The fitted values are the shadow of the response on the space of the columns, and the residual stands on it "
        f"at a right angle. Lengths{about}: response {response}, fitted {fitted}, residual {residual}. The angle "
        f"between response and fitted values is {plain(found.angle, 4)}°, and its cosine squared, {share}, is "
        f"{square}. {_scale(found)} {_ground(found)}"
    )


def _scale(found: Perpendicular) -> str:
    angle = drawn_angle(found)
    if angle == found.angle:
        return "Lengths and angles are drawn true, in parallel projection."
    times = math.tan(math.radians(angle)) / math.tan(math.radians(found.angle))
    if times > 1:
        return f"To be seen at all, the residual is drawn {plain(times, 3)} times as long as it is."
    return f"To be seen at all, the fitted values are drawn {plain(1 / times, 3)} times as long as they are."


def _ground(found: Perpendicular) -> str:
    names = [name for name, _ in found.columns]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    if found.dimension == 1:
        return f"The line is that of {listed}."
    if found.dimension == 2:
        return f"The plane is that of {listed}, shown as directions."
    return (
        f"Of the {found.dimension} dimensions of the columns the plane shows two: that of the fitted values, and the "
        f"one that {listed} adds, the column with the largest part in them, shown as a direction."
    )


def walks_caption(bowl: WalkedBowl) -> str:
    """The walks on the bowl."""
    first, second = bowl.names
    place = " and ".join(f"{name} = {plain(at)}" for name, at in zip(bowl.names, bowl.answer, strict=True))
    walks = "; ".join(_track_words(track.name, track.steps, track.shown) for track in bowl.tracks)
    if bowl.stretch:
        axes = (
            f"The axes run along the valley and across it, in units of the response's length from the answer; across, "
            f"the picture is {plain(bowl.stretch, 3)} times wider than it should be, so right angles do not look right."
        )
    else:
        axes = (
            "The axes are scaled so that both columns are of one length, as they are for the walks: right angles look "
            "right."
        )
    return (
        f"The sum of squares over {first} and {second}, and the walks on it from zero to the formula's answer, "
        f"{place}. {walks[:1].upper()}{walks[1:]}. The contours, {plain(bowl.condition, 3)} times longer than wide, "
        "are those where the square root of the rise above the bottom is a sixth, two sixths, ... of that at the "
        f"start. {axes}"
    )


def _track_words(name: str, steps: int, shown: int) -> str:
    text = f"{name} took {counted(steps, 'step')}"
    turns = ", each perpendicular to the last" if name == "steepest descent" and steps > 1 else ""
    return f"{text}{turns}" + (f" (the first {shown:,} are drawn)" if shown < steps else "")


def descents_caption(descents: tuple[Descent, ...]) -> str:
    """The slopes of the walks."""
    walks = "; ".join(_descent_words(one) for one in descents)
    return (
        "Length of the gradient along each walk, relative to the first, both scales logarithmic; the formula's answer "
        "is where it is zero. A triangle ends a walk that arrived, a cross one that had to end. "
        f"{walks[:1].upper()}{walks[1:]}."
    )


def _descent_words(one: Descent) -> str:
    theory = "" if one.predicted is None else f", where theory allows {_count(one.predicted)} in exact arithmetic"
    return f"{one.name} {counted(one.steps, 'step')} to {plain(float(one.slope[-1]), 2)}{theory}"


def _count(steps: int) -> str:
    return f"{steps:,}" if steps < 10_000_000 else plain(float(steps), 2)


__all__ = ["NO_TRIANGLE", "descents_caption", "drawn_angle", "perpendicular_caption", "side_names", "walks_caption"]
