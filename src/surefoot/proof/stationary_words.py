"""The claim of a proof about a point, and its argument, in words.

Nothing but the numbers that were proven, rounded so that what is printed is proven as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.proof.certificate import Curvature, Verdict
from surefoot.proof.rounding import at_least, at_most
from surefoot.wording import counted

SHOWN = 4
"""Most variables of a point that a sentence gives."""

Argument = Mapping[str, Any]

_ARTICLES = {
    Verdict.UNIQUE_GLOBAL_MINIMUM: "The unique global minimum",
    Verdict.GLOBAL_MINIMUM: "A global minimum",
    Verdict.STRICT_LOCAL_MINIMUM: "A strict local minimum",
    Verdict.LOCAL_MINIMUM: "A local minimum",
    Verdict.SADDLE: "A saddle",
    Verdict.LOCAL_MAXIMUM: "A strict local maximum",
    Verdict.DEGENERATE: "A degenerate stationary point",
}


def claim_of(argument: Argument, names: Sequence[str]) -> str:
    """The verdict as a sentence."""
    kind, verdict = argument["kind"], Verdict[argument["verdict"]]
    if kind == "open":
        return f"Nothing is proven of this point. {argument['reason']}"
    if kind == "slope":
        low, high = argument["slope"]
        return f"Not stationary: the slope in {names[argument['variable']]} is {_between(low, high)}."
    if kind == "recession":
        return _recession_claim(argument, names)
    if kind == "curve":
        return f"Unbounded below: f falls without end along {_curve(argument['path'], names)}."
    where = f"{_ARTICLES[verdict]} {_place(argument, names)}{_bounded(argument)}"
    if kind == "floor":
        return f"{where}, with the value {_number(argument['level'])} at most."
    lower = argument.get("lower_point")
    fall = "" if lower is None else f" f is at most {at_most(lower['value'], 6)} at {_point(lower['at'], names)}."
    return f"{where}, and f is {_between(*argument['value'])} there.{fall}"


def lines_of(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    """The argument, a step a line."""
    steps = {"open": lambda *_: (), "point": _point_lines, "floor": _floor_lines, "ball": _ball_lines,
             "slope": _slope_lines, "recession": _recession_lines, "curve": _curve_lines}  # fmt: skip
    return steps[argument["kind"]](argument, names)


def _place(argument: Argument, names: Sequence[str]) -> str:
    distance = argument["distance"]
    if argument["kind"] != "ball" and argument.get("exact", True):
        if argument["at"] == argument["x"]:
            return "at this point itself"
        return f"lies at {_point(argument['at'], names)}, at most {at_most(distance)} from this point"
    return f"lies at most {at_most(distance)} from this point"


def _bounded(argument: Argument) -> str:
    limited = any(math.isfinite(_end(one)) for one in (*argument["lower"], *argument["upper"]))
    return " (among the points within the bounds)" if limited else ""


def _end(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.inf


def _point_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    lines = []
    free, held = len(argument["free"]), argument["held"]
    if argument["exact"]:
        lines.append(
            f"At {_point(argument['at'], names)} the gradient is exactly 0"
            + (" in the variables that may move" if free < len(names) else "")
            + ", in intervals, and f is twice continuously differentiable in a box around it."
        )
    elif free:
        lines.append(
            f"A box around {_point(argument['at'], names)}, at most {at_most(max(argument['radius']))} to each side, "
            "holds exactly one zero of the gradient"
            + (" in the variables that may move" if free < len(names) else "")
            + ", by Krawczyk's operator; "
            f"it lies within {at_most(max(argument['reach']))} of the middle, in each variable."
        )
    for j, side in held.items():
        slope = at_least(argument["multipliers"][j])
        lines.append(f"The {side} bound holds {names[int(j)]}: f rises inward with a slope of at least {slope}.")
    if free:
        lines.append(_signs(argument, free < len(names)))
    else:
        lines.append("Every variable is held by a bound, so f rises in every direction that the bounds allow.")
    if argument.get("floor_radius") is not None:
        lines.append(
            f"f is nowhere below {_number(argument['level'])} within {at_least(_widest(argument['floor_radius']))} of "
            "it, in each variable."
        )
    if argument.get("lower_point") is not None:
        low = argument["lower_point"]
        lines.append(
            f"f is at most {at_most(low['value'], 10)} at {_point(low['at'], names, 17)}, less than it is here: in "
            "intervals."
        )
    return (*lines, *_global_lines(argument.get("global")))


def _widest(radii: Sequence[float]) -> float:
    return max(radii)


def _signs(argument: Argument, reduced: bool) -> str:
    where = "The Hessian" + (" in the variables that may move" if reduced else "")
    negative, zero, positive = argument["negative"], argument["zero"], argument["positive"]
    if zero:
        return (
            f"{where} is singular there, exactly: {counted(negative, 'negative eigenvalue')}, {zero} zero and "
            f"{positive} positive."
        )
    which = "there" if argument["exact"] else "everywhere in the box"
    if not negative:
        least = argument.get("least_curvature")
        size = f", and its smallest eigenvalue is at least {at_least(least)}" if least else ""
        return f"{where} is positive definite {which}{size}."
    if not positive:
        return f"{where} is negative definite {which}."
    return f"{where} has {counted(negative, 'negative eigenvalue')} and {positive} positive {which}."


def _global_lines(found: Argument | None) -> tuple[str, ...]:
    if found is None:
        return ()
    if found.get("by") == "floor":
        return (f"f is nowhere below {_number(found['floor'])}, where it is defined at all.",)
    curvature = Curvature[found["curvature"]]
    modulus = "" if found.get("modulus") is None else f", with modulus {found['modulus']}"
    return (*found["lines"], f"f is {curvature.value}{modulus}, so the minimum is global.")


def _floor_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    level = _number(argument["level"])
    if argument["radius"] is None:
        where = "anywhere that f is defined" + (" within the bounds" if _bounded(argument) else "")
    else:
        where = f"within {at_least(_widest(argument['radius']))} of it, in each variable"
    return (
        f"f is at most {level} at {_point(argument['at'], names, 17)}, and not below it {where}: in intervals.",
        *_global_lines(argument.get("global")),
    )


def _ball_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    return (
        f"At {_point(argument['at'], names)} the gradient, but for slopes that press against a bound, is at most "
        f"{at_most(argument['slope'])} long.",
        *_global_lines(argument["global"]),
        f"So it has one minimum, at most {at_most(argument['radius'])} from there.",
    )


def _slope_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    low, high = argument["slope"]
    lines = [f"The slope in {names[argument['variable']]} is {_between(low, high)} in a box around the point."]
    if argument["lower_point"] is not None:
        lower = argument["lower_point"]
        lines.append(f"f is at most {at_most(lower['value'], 10)} at {_point(lower['at'], names, 17)}, which is lower.")
    return tuple(lines)


def _recession_claim(argument: Argument, names: Sequence[str]) -> str:
    direction = _point(argument["direction"], names)
    if Verdict[argument["verdict"]] is Verdict.UNBOUNDED_BELOW:
        return f"Unbounded below: f falls without end along ({direction})."
    return (
        f"The infimum is not attained: f falls from every point along ({direction}), and is nowhere below "
        f"{at_least(argument['floor'], 6)}."
    )


def _recession_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    direction = _point(argument["direction"], names, 17)
    if Verdict[argument["verdict"]] is Verdict.UNBOUNDED_BELOW:
        start = _point(argument["start"], names, 17)
        return (
            f"On the ray from ({start}) along ({direction}), f is defined and its slope along it is at most "
            f"{at_most(argument['slope'])}.",
        )
    return (
        f"Wherever f is defined its slope along ({direction}) is less than 0, so no point is a minimum.",
        f"f is nowhere below {at_least(argument['floor'], 6)}, in intervals, so it has an infimum.",
    )


def _curve_lines(argument: Argument, names: Sequence[str]) -> tuple[str, ...]:
    begin = f"t >= {argument['begin']:.17g}"
    if argument["how"] == "limits":
        return (f"On it, for {begin}, f is defined, and goes to -inf by its operations, polynomials in t exactly.",)
    return (
        f"On it, for {begin}, the second derivative of f by t is nowhere above 0, in intervals, and at the beginning "
        "the first is below 0: so f falls at least as fast ever after.",
    )


def _curve(path: Sequence[Sequence[float]], names: Sequence[str]) -> str:
    """``x = 1 + 2 t, y = t^2``, t to infinity."""
    parts = []
    for j, name in enumerate(names):
        terms = [(row[j], "" if k == 0 else "t" if k == 1 else f"t^{k}") for k, row in enumerate(path) if row[j]]
        text = ""
        for size, power in terms:
            number = f"{abs(size):.17g}"
            one = power if power and number == "1" else f"{number} {power}".strip()
            text += f"{' - ' if size < 0 else ' + '}{one}" if text else f"{'-' if size < 0 else ''}{one}"
        parts.append(f"{name} = {text or '0'}")
    shown = ", ".join(parts[:SHOWN]) + (", ..." if len(parts) > SHOWN else "")
    return f"({shown}), t to infinity"


def _point(values: Sequence[float], names: Sequence[str], digits: int = 10) -> str:
    shown = ", ".join(
        f"{name} = {value:.{digits}g}" for name, value in zip(names[:SHOWN], values[:SHOWN], strict=False)
    )
    return shown + (", ..." if len(values) > SHOWN else "")


def _between(low: float, high: float) -> str:
    """An enclosure in words, rounded outward."""
    if low == high:
        return f"{low:.17g}"
    return f"between {at_least(low, 10)} and {at_most(high, 10)}"


def _number(value: float) -> str:
    return f"{value:.17g}"
