"""What a point is where f has a kink: the slopes around it decide, not those at it.

With g_1, ..., g_m the gradients at points next to x, as of f = max_k f_k,

    stationary        0 = sum l_k g_k,  l_k > 0,  sum l_k = 1
    rises             max_k g_k'd > 0 for every d of V, which the differences of the g_k span, if all l_k > 0
    curves upwards    sum l_k H_k, on what is perpendicular to V

Where the shortest vector of the hull of slopes is not zero, f should fall against it, which is tried. A minimum is
claimed only where the slopes allow it *and* f itself rises from x along every line that it was looked at on, at least
half as fast as the slopes say (they say nothing of functions like -|x|, where f does not). A cusp has no slopes to go
by: of one variable it is a minimum if f rises to both sides.

References: Clarke (1983), "Optimization and Nonsmooth Analysis", Wiley, section 2.3, pp. 38-52; Burke, Lewis, Overton
(2005), "A robust gradient sampling algorithm for nonsmooth, nonconvex optimization", SIAM J. Optim. 15(3), pp. 751-779.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surefoot.problem.kinks import Jump, jump_at, jump_of_values, sizes
from surefoot.proof.certificate import Verdict
from surefoot.proof.finding import Finding, along, descent, plain
from surefoot.proof.nearby import Change
from surefoot.proof.witness import Witness, length_of
from surefoot.wording import counted

MOST = 100
"""Variables up to which slopes are gathered around a kink."""
SAMPLES, EACH = 16, 4
"""Slopes that are gathered: so many, and so many more for each variable; as many lines f is looked at on."""
WIDER = 64.0
"""They are gathered at so many times the distance at which the jump shows."""
REACH = 1e-4
"""Share of the size of x within which no bound may lie: at bounds other things decide."""
SHARE = 1e-6
"""A hull of slopes has zero inside if each of them can have at least this share of a balance, over their number."""
SAME = 1e-6
"""Slopes that differ by less, as a share of the largest difference, are the same."""
BEYOND, DECADES = 1e3, 6
"""f is looked at from so many times the distance at which the jump shows, over so many decades."""
CLOSE = 4.0
"""How far away the kink may lie, in units of the distance at which it shows."""
ROUNDINGS = 64.0
"""Roundings of a value that a change may be made of."""


@dataclass(frozen=True)
class _Hull:
    """Slopes around a point and how they balance.

    Attributes
    ----------
    slopes : ndarray, shape (m, n)
        The gradients.
    across : ndarray, shape (n, r)
        An orthonormal basis of V, along which they differ.
    rest : ndarray, shape (n, n - r)
        And of what is perpendicular to it.
    shares : ndarray, shape (m,)
        The l_k.
    inside : bool
        Whether zero lies inside the hull, as far as V goes.
    shortest : ndarray, shape (n,)
        The shortest vector of the hull: ``sum l_k g_k``.
    """

    slopes: np.ndarray
    across: np.ndarray
    rest: np.ndarray
    shares: np.ndarray
    inside: bool
    shortest: np.ndarray


def judge_kink(witness: Witness, x: np.ndarray, span: np.ndarray | float, rng: np.random.Generator) -> Finding | None:
    """The verdict on a point next to which the slope jumps; None where it does not, as far as can be seen.

    Parameters
    ----------
    witness : Witness
        The function.
    x : ndarray, shape (n,)
        The point.
    span : ndarray, shape (n,), or float
        Sizes of the variables where the way to x began.
    rng : Generator
        For the ways that are looked along.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> vee = SimpleNamespace(size=1, names=("x",), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
    ...     value=lambda x: abs(x[0]), see=lambda x: (abs(x[0]), np.sign(x)),
    ...     look=lambda x: (abs(x[0]), np.sign(x), np.zeros((1, 1))))
    >>> judge_kink(Witness(vee), np.zeros(1), 1.0, np.random.default_rng(0)).claim
    'A strict local minimum at a kink: the slope in x jumps from -1 to 1 between two points ... apart.'
    """
    size = sizes(x, span)
    moving = (x - REACH * size >= witness.lower) & (x + REACH * size <= witness.upper)
    exact = witness.function.exact_gradient
    if exact:
        jump = jump_at(witness.see, x, np.where(moving, size, 0.0), witness.unit, rng)
    else:
        jump = _jump_of_values(witness, x, size, moving)
    if jump is None:
        return None
    names = tuple(witness.function.names)
    words = jump.words(names)
    told = {"kink": plain(jump.apart), "slopes": [plain(jump.before), plain(jump.after)], "contradiction": words}
    if witness.size == 1:
        return _of_one(witness, x, size, jump, words, told)
    if jump.is_cusp or not exact or witness.size > MOST or not np.all(moving):
        said = f"f has a kink here: {words}. Derivatives decide nothing."
        return Finding(Verdict.INCONCLUSIVE, said, (), told)
    return _of_many(witness, x, size, jump, words, told, rng)


def _jump_of_values(witness: Witness, x: np.ndarray, size: np.ndarray, moving: np.ndarray) -> Jump | None:
    for j in np.flatnonzero(moving)[:MOST].tolist():
        found = jump_of_values(witness.height, x, j, float(size[j]), witness.unit)
        if found is not None:
            return found
    return None


def _of_one(witness: Witness, x: np.ndarray, size: np.ndarray, jump: Jump, words: str, told: dict) -> Finding:
    """Of one variable there are two ways to go, and f is looked at on both."""
    ways = np.array([[1.0], [-1.0]])
    lower = _lowest(witness, x, ways, jump.apart)
    if lower is not None:
        line = f"Evaluated: {lower.value:.10g} lies {lower.length:.2g} away, {-lower.change:.3g} lower."
        said = f"No minimum, though f has a kink here: {words}. {line}"
        return Finding(Verdict.NOT_STATIONARY, said, (), told | descent(lower, x))
    if jump.before[0] < 0 < jump.after[0] and all(_rises(witness, x, way, jump.apart) for way in ways):
        line = f"f rises to both sides, at distances from {BEYOND * jump.apart:.1e} on."
        return Finding(Verdict.STRICT_LOCAL_MINIMUM, f"A strict local minimum at a kink: {words}.", (line,), told)
    return Finding(Verdict.INCONCLUSIVE, f"f has a kink here, and derivatives decide nothing: {words}.", (), told)


def _of_many(
    witness: Witness, x: np.ndarray, size: np.ndarray, jump: Jump, words: str, told: dict, rng: np.random.Generator
) -> Finding:
    count = SAMPLES + EACH * witness.size
    near = WIDER * jump.apart / float(np.linalg.norm(size))
    places = x + near * size * rng.uniform(-1, 1, (count, witness.size))
    slopes = np.array([witness.see(place)[1] for place in places])
    if not np.all(np.isfinite(slopes)):
        return Finding(Verdict.INCONCLUSIVE, f"f has a kink here: {words}; slopes next to it are not finite.", (), told)
    hull, names = _balanced(slopes), tuple(witness.function.names)
    axes = np.eye(witness.size)
    ways = np.concatenate([axes, -axes, rng.standard_normal((count, witness.size))]) * size
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    short = length_of(hull.shortest)
    if short > 0:
        ways = np.concatenate([[-hull.shortest / short], ways])
    lower = _lowest(witness, x, ways, jump.apart)
    told |= {"shortest_slope": plain(short), "gathered": count}
    if lower is not None:
        way = along(names, lower.direction)
        line = f"Evaluated: {lower.value:.10g} lies {lower.length:.2g} away along {way}."
        said = f"No minimum: f has a kink here ({words}), and falls beside it. {line}"
        return Finding(Verdict.NOT_STATIONARY, said, (), told | descent(lower, x))
    undecided = Finding(
        Verdict.INCONCLUSIVE,
        f"f has a kink here: {words}. No lower value lies along the {len(ways):,} lines that were looked along, which "
        "does not make it a minimum.",
        (), told,
    )  # fmt: skip
    if not hull.inside or not _rises_as_said(witness, x, ways, hull, jump.apart):
        return undecided
    lines = [
        f"Of {counted(count, 'slope')} next to it the balanced mean is {short:.1g} long, and along "
        f"{counted(hull.across.shape[1], 'direction')} zero lies inside them.",
        f"Along {len(ways):,} lines f rises at least half as fast as the steepest of these slopes says.",
    ]
    if hull.rest.shape[1]:
        smallest = _curvature(witness, places, hull)
        scale, steepest = float(np.linalg.norm(size)), float(np.max(np.abs(hull.slopes)))
        if not smallest > math.sqrt(witness.unit) * steepest / scale:
            return undecided
        # What is left of the mean moves the lowest point by short/c: no farther than the slopes were gathered, or
        # by so little that f does not show it.
        hidden = short**2 / (2 * smallest) <= ROUNDINGS * witness.unit * abs(witness.height(x))
        if not hidden and short / smallest > CLOSE * near * scale:
            return undecided
        told["smallest_curvature"] = plain(smallest)
        lines.append(
            f"Along the other {counted(hull.rest.shape[1], 'direction')} the balanced curvature is at least "
            f"{smallest:.3g}; the lowest point of the kink lies about {short / smallest:.1g} away."
        )
    return Finding(
        Verdict.LOCAL_MINIMUM,
        f"A local minimum at a kink, as far as the slopes around it show: {words}.",
        tuple(lines),
        told,
    )


def _balanced(slopes: np.ndarray) -> _Hull:
    """How the slopes balance: first along what they differ in, then what is left of their mean."""
    from scipy.optimize import linprog, nnls

    count, n = slopes.shape
    middle = slopes.mean(axis=0)
    _, sizes_, rows = np.linalg.svd(slopes - middle, full_matrices=True)
    rank = int(np.sum(sizes_ > SAME * max(float(sizes_[0]), np.finfo(float).tiny)))
    across, rest = rows[:rank].T, rows[rank:].T
    inner = slopes @ across
    unit = float(np.max(np.abs(inner), initial=0.0)) or 1.0
    # Largest t with sum l_k g_k = 0 along V, sum l_k = 1, l_k >= t.
    balance = np.column_stack([np.vstack([inner.T / unit, np.ones(count)]), np.zeros(rank + 1)])
    below = np.column_stack([-np.eye(count), np.ones(count)])
    found = linprog(np.append(np.zeros(count), -1.0), A_ub=below, b_ub=np.zeros(count), A_eq=balance,
                    b_eq=np.append(np.zeros(rank), 1.0), bounds=[(0, 1)] * count + [(None, 1)])  # fmt: skip
    if found.status == 0 and found.x[-1] > SHARE / count:
        shares = found.x[:-1]
        inside = True
    else:  # the shortest vector of the hull: nonnegative least squares with a heavy last row
        heavy = 1e3 * unit
        shares, _ = nnls(np.vstack([slopes.T, heavy * np.ones(count)]), np.append(np.zeros(n), heavy))
        shares = shares / max(float(shares.sum()), np.finfo(float).tiny)
        inside = False
    shortest = shares @ slopes
    if inside:  # along V it is zero but for the rounding of the program
        shortest = rest @ (rest.T @ shortest)
    return _Hull(slopes, across, rest, shares, inside, shortest)


def _change(witness: Witness, x: np.ndarray, step: np.ndarray) -> tuple[float, float, float]:
    """The value at a step from x, how much it differs, and what rounding makes of that."""
    value, there = witness.height(x), witness.height(x + step)
    return there, there - value, ROUNDINGS * witness.unit * max(abs(value), abs(there))


def _lowest(witness: Witness, x: np.ndarray, ways: np.ndarray, apart: float) -> Change | None:
    """The lowest value seen along lines, if it is lower than that of x by more than rounding."""
    best = None
    for length in (BEYOND * apart * 10.0**power for power in range(DECADES)):
        for way in ways:
            if not witness.holds(x + length * way):
                continue
            seen, change, doubt = _change(witness, x, length * way)
            if math.isfinite(seen) and change < -doubt and (best is None or seen < best.value):
                best = Change(length, seen, change, math.nan, way)
    return best


def _rises(witness: Witness, x: np.ndarray, way: np.ndarray, apart: float) -> bool:
    """Whether f rises along a line at the nearest distances at which that shows, and never falls."""
    changes = [_change(witness, x, BEYOND * apart * 10.0**power * way)[1:] for power in range(DECADES)]
    return any(change > doubt for change, doubt in changes) and all(change >= -doubt for change, doubt in changes)


def _rises_as_said(witness: Witness, x: np.ndarray, ways: np.ndarray, hull: _Hull, apart: float) -> bool:
    """Whether f rises along each line half as fast as the steepest slope says or faster, where that is not noise."""
    seen, largest = 0, float(np.max(np.abs(hull.slopes)))
    for length in (BEYOND * apart * 10.0**power for power in range(DECADES // 2)):
        for way in ways:
            promised = length * float(np.max(hull.slopes @ way))
            _, change, doubt = _change(witness, x, length * way)
            doubt += CLOSE * largest * apart
            if promised <= 4 * doubt:
                continue
            seen += 1
            if not change >= 0.5 * promised - doubt:
                return False
    return seen > 0


def _curvature(witness: Witness, places: np.ndarray, hull: _Hull) -> float:
    """The smallest curvature of the balanced Hessian on what is perpendicular to V."""
    matrix = sum(share * witness.hessian(place) for share, place in zip(hull.shares, places, strict=True) if share > 0)
    inner = hull.rest.T @ np.asarray(matrix) @ hull.rest
    return float(np.linalg.eigvalsh(inner)[0]) if np.all(np.isfinite(inner)) else math.nan
