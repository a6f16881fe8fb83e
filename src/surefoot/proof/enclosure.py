"""Proven digits for dense arrays in double: where the minimiser of a sum of squares is, and that there is only one.

With any S for which ``G = S'A'WAS + lambda S'S`` is proven near the identity, and any candidate z,

    x* - z = S G^-1 s,   s = S'(A'W(b - Az) - lambda z),
    |x* - z - S s|_i <= |S_i,:|_2 (1/(1 - alpha) - 1) |s|_2,   lambda_min(G) >= 1 - alpha > 0,

so ``z + S s`` is the centre and the rest the radius, with every rounding bounded (alpha in ``spectrum.py``, s in
``slope.py``) and every bound rounded upward. S and x come from whoever fitted; neither is believed.

Reference: Rump (2010), "Verification methods: rigorous results using floating-point arithmetic", Acta Numerica 19,
section 10.8, pp. 375-378 (least squares); Boyd, Vandenberghe (2004), "Convex Optimization", section 9.1.1, p. 458.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from surefoot.errors import DataError
from surefoot.problem.twofold import two_sum
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.rounding import (
    ASSUMPTION,
    TINY,
    UNIT,
    above,
    at_least,
    at_most,
    below,
    gamma,
    rounds_to_nearest,
    spectral_norm,
)
from surefoot.proof.scaled_rows import ScaledRows, are_doubles, scale_rows
from surefoot.proof.slope import Centre, enclose_slope, slope_bits
from surefoot.proof.spectrum import Spectrum, prove_spectrum

_LEAST = 2.0**-1073
"""More than the rounding of a number that becomes subnormal."""


@dataclass(frozen=True)
class Enclosure:
    """What is proven of the minimiser of ``sum w (b - Ax)^2 + lambda |x|^2``.

    Attributes
    ----------
    centre, radius : ndarray (n,) or (n, p)
        The minimiser differs from the centre by at most the radius, each coefficient; NaN and infinity where nothing is
        proven.
    error : ndarray (n,) or (n, p)
        Upper bounds of the distance of the point that was given from the minimiser, each coefficient.
    rank_proven : bool
        The minimiser is unique: ``[W^(1/2) A; lambda^(1/2) I]`` has full column rank.
    alpha : float
        ``1 - alpha`` is a lower bound of the smallest eigenvalue of G; below 1 exactly if the rank is proven, else NaN.
    smallest_singular_value : float
        Lower bound for the columns of ``[W^(1/2) A; lambda^(1/2) I]``, scaled to length one; 0 if none is proven.
    smallest_curvature : float
        Lower bound of the smallest eigenvalue of the Hessian ``2 (A'WA + lambda I)``, in the units of the data.
    residual_norm : tuple of ndarray (p,), or of float
        Bounds of the root of the smallest sum of squares, penalty included.
    road : str
        How the bound alpha was found: ``"gram"``, ``"product"`` or ``"sliced product"``.
    passes : int
        Passes over the rows for the centre.
    reason : str
        Why nothing, or not all, is proven; empty if all is.
    """

    centre: np.ndarray
    radius: np.ndarray
    error: np.ndarray
    rank_proven: bool = False
    alpha: float = math.nan
    smallest_singular_value: float = 0.0
    smallest_curvature: float = 0.0
    residual_norm: tuple[np.ndarray | float, np.ndarray | float] = (0.0, math.inf)
    road: str = ""
    passes: int = 0
    reason: str = ""

    @property
    def proven(self) -> bool:
        """Whether there is one minimiser, and it is enclosed."""
        return self.rank_proven and not self.reason

    @property
    def bounded(self) -> bool:
        """Whether the residual norm has finite bounds."""
        return bool(np.isfinite(np.asarray(self.residual_norm)).all())

    @property
    def digits(self) -> float:
        """Digits of the centre that are proven, in the worst coefficient: -log10 of the relative radius, 0 at least."""
        with np.errstate(all="ignore"):
            relative = self.radius / np.abs(self.centre)
            worst = np.max(np.where(np.isnan(relative), 1.0, relative), initial=UNIT)
            return max(0.0, -math.log10(worst)) if np.isfinite(worst) else 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """The argument, a step a line."""
        lines = ["The sum of squares is convex: its Hessian is positive semidefinite whatever the data."]
        if self.rank_proven and self.centre.size:
            lines += [
                f"The columns are independent: with the S of this proof, the smallest eigenvalue of S'A'AS is at least "
                f"1 - {at_most(self.alpha)} (by the {_ROADS[self.road]}), every rounding bounded; so the smallest "
                f"curvature is at least {at_least(self.smallest_curvature, 3)}.",
            ]
        if self.proven and self.centre.size:
            lines.append(
                "The minimiser lies within the radius of the centre in each coefficient, at most "
                f"{at_most(float(self.radius.max()))}."
            )
            if np.isfinite(self.error).all():
                lines.append(f"The given point differs from it by at most {at_most(float(self.error.max()))}.")
        if self.reason:
            lines.append(self.reason)
        return (*lines, ASSUMPTION)

    def certificate(self) -> Certificate:
        """The verdict: unique global minimum, proven, if everything closed; inconclusive, with the reason, if not."""
        evidence = {
            "alpha": None if math.isnan(self.alpha) else self.alpha,
            "rank_proven": self.rank_proven,
            "smallest_singular_value": self.smallest_singular_value,
            "smallest_curvature": self.smallest_curvature,
            "centre": self.centre.tolist(),
            "radius": self.radius.tolist(),
            "digits": self.digits,
            "residual_norm": [np.asarray(bound).tolist() for bound in self.residual_norm] if self.bounded else None,
            "road": self.road,
            "assumption": ASSUMPTION,
        }
        if self.proven:
            claim = "The only minimiser lies within the radius of the centre: the bowl rises in every direction."
            return Certificate(Verdict.UNIQUE_GLOBAL_MINIMUM, Rigour.PROVEN, claim, self.lines, evidence)
        if not np.isfinite(self.radius).all():
            evidence |= {"centre": None, "radius": None}
        return Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, self.reason, self.lines, evidence)


_ROADS = {
    "gram": "Gram matrix in double",
    "product": "product A S in double",
    "sliced product": "product A S in 74 bits",
}


def certify_least_squares(
    A: np.ndarray,
    b: np.ndarray,
    x: np.ndarray | None = None,
    S: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    ridge: float = 0.0,
    *,
    passes: int = 4,
) -> Enclosure:
    """Enclose the minimiser of ``sum w (b - Ax)^2 + ridge |x|^2`` and prove that it is the only one.

    Parameters
    ----------
    A : ndarray (m, n)
        Dense; doubles, or numbers that are doubles (float32, integers up to 2^53).
    b : ndarray (m,) or (m, p)
        Right-hand sides.
    x : ndarray (n,) or (n, p), optional
        A candidate. It is not believed: a poor one costs passes, never truth.
    S : ndarray (n, n), optional
        A candidate with ``S'(A'WA + ridge I)S ~ I``, such as the inverse of the triangle of a QR factorisation. It is
        not believed; without one that serves, it is made here.
    weights : ndarray (m,), optional
        Not negative. A row of weight zero is no row.
    ridge : float
        Penalty, not negative.
    passes : int
        Corrections of the candidate at the most, each a pass: one tells how far the candidate is from the minimiser,
        further ones make the radius about the centre smaller.

    Returns
    -------
    Enclosure
        With a reason instead of a proof where the numbers allow none.

    Raises
    ------
    DataError
        If shapes do not agree, or weights or the penalty are negative or not finite.

    References
    ----------
    Rump (2010), "Verification methods", Acta Numerica 19, pp. 287-449; section 10.8, pp. 375-378.

    Examples
    --------
    >>> A = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> found = certify_least_squares(A, np.array([1.0, 2.0, 4.0]))
    >>> found.certificate().rigour.value, bool(abs(found.centre[1] - 1.5) <= found.radius[1] < 1e-15)
    ('proven', True)
    """
    A, b, weights = _arrays(A, b, weights, ridge)
    columns, given = b[:, None] if b.ndim == 1 else b, None if x is None else np.asarray(x)
    if given is not None:
        fits = given.shape == (A.shape[1], *b.shape[1:]) and given.dtype.kind in "fiu"
        given = given if fits and are_doubles(given) else None
    with np.errstate(all="ignore"):
        start = np.full((A.shape[1], columns.shape[1]), np.nan)
        if given is not None:
            start = given.astype(float).reshape(start.shape)
        found = _certify(A, columns, start, S, weights, float(ridge), max(1, passes))
    shape = (A.shape[1], *b.shape[1:])
    bounds = found.residual_norm
    if b.ndim == 1:
        bounds = tuple(float(np.asarray(bound).reshape(-1)[0]) for bound in bounds)
    parts = {name: getattr(found, name).reshape(shape) for name in ("centre", "radius", "error")}
    return replace(found, residual_norm=bounds, **parts)


def _arrays(A: np.ndarray, b: np.ndarray, weights: np.ndarray | None, ridge: float) -> tuple:
    A, b = np.asarray(A), np.asarray(b)
    weights = None if weights is None else np.asarray(weights)
    for name, array in (("A", A), ("b", b), ("weights", weights)):
        if array is not None and array.dtype.kind not in "fiub":
            raise DataError(f"{name} has numbers of type {array.dtype}; give real numbers.")
    if A.ndim != 2 or b.ndim not in (1, 2) or len(b) != len(A):
        raise DataError(f"A has shape {A.shape} and b {b.shape}; give A as (m, n) and b as (m,) or (m, p).")
    if weights is not None and weights.shape != (len(A),):
        raise DataError(f"The weights have shape {weights.shape}; give one for each of the {len(A)} rows of A.")
    if weights is not None and not np.all((weights >= 0) & np.isfinite(weights)):
        worst = int(np.argmin((weights >= 0) & np.isfinite(weights)))
        raise DataError(f"The weight of row {worst} (counted from 0) is {weights[worst]}; give 0 or a positive number.")
    if not 0.0 <= ridge < math.inf or float(ridge) != ridge:
        raise DataError(f"The penalty is {ridge}; give a double that is not negative.")
    return A, b, weights


def _certify(
    A: np.ndarray, b: np.ndarray, x: np.ndarray, S: np.ndarray | None, weights: np.ndarray | None, ridge: float,
    most: int,
) -> Enclosure:  # fmt: skip
    (m, n), p = A.shape, b.shape[1]
    nothing = Enclosure(np.full((n, p), np.nan), np.full((n, p), np.inf), np.full((n, p), np.inf))
    nothing = replace(nothing, residual_norm=(np.zeros(p), np.full(p, np.inf)))
    if not rounds_to_nearest():
        return replace(nothing, reason="This thread does not round to nearest or flushes subnormal numbers to zero.")
    used = m if weights is None else int(np.count_nonzero(weights))
    if used < n and not ridge:
        return replace(nothing, reason=f"{used} rows cannot determine {n} coefficients: the minimiser is not unique.")
    rows = scale_rows(A, b, weights, ridge)
    if rows.reason:
        return replace(nothing, reason=rows.reason)
    if n == 0:
        return replace(nothing, rank_proven=True, alpha=0.0)
    spectrum = prove_spectrum(rows, _scaled_candidate(S, rows, n))
    if spectrum is None or not spectrum.full_rank:
        return replace(nothing, reason=_open(spectrum))
    proven = _with_rank(nothing, rows, spectrum)
    return _enclosed(proven, rows, spectrum, x, most)


def _open(spectrum: Spectrum | None) -> str:
    tried = "" if spectrum is None else f" (the best try: the {_ROADS[spectrum.road]})"
    return (
        f"Full rank could not be proven in double precision{tried}: the columns are dependent, or so nearly that "
        "rounding hides it. Exact arithmetic can decide."
    )


def _scaled_candidate(S: np.ndarray | None, rows: ScaledRows, n: int) -> np.ndarray | None:
    """The candidate for the scaled problem; rounding here is harmless, for what counts is the matrix that comes out."""
    S = None if S is None else np.asarray(S)
    if S is None or S.shape != (n, n) or S.dtype.kind not in "fiu":
        return None
    return np.ldexp(S.astype(float), (rows.column_exponents + rows.row_exponent)[:, None])


def _with_rank(nothing: Enclosure, rows: ScaledRows, spectrum: Spectrum) -> Enclosure:
    """Full rank, with the lower bounds of singular value and curvature that come with it."""
    n = len(spectrum.S)
    least = below(math.sqrt(spectrum.smallest), 2)
    scaled = below(least / spectral_norm(spectrum.columns[:, None] * spectrum.S), 6)
    # sigma_min(A) >= sigma_min(AS) / |S|_2, with S in the units of the data: rows 2^-e_j, and 2^f for the whole.
    exponents = -rows.column_exponents
    largest = int(np.max(np.frexp(np.abs(spectrum.S).max(axis=1))[1] + exponents))
    norm = spectral_norm(np.ldexp(spectrum.S, (exponents - largest)[:, None]))
    curvature = below(2.0 * below(least / norm, n + 6) ** 2, 4)
    with_units = float(np.ldexp(curvature, 2 * (rows.row_exponent - largest)))
    return replace(
        nothing,
        rank_proven=True,
        alpha=math.nextafter(1.0 - spectrum.smallest, math.inf),
        smallest_singular_value=min(1.0, scaled),
        smallest_curvature=min(max(0.0, math.nextafter(with_units, 0.0)), float(np.finfo(float).max)),
        road=spectrum.road,
    )


def _enclosed(proven: Enclosure, rows: ScaledRows, spectrum: Spectrum, x: np.ndarray, most: int) -> Enclosure:
    """Correct the candidate until the radius is a rounding or no longer shrinks."""
    exponents = rows.rhs_exponents - rows.column_exponents[:, None]
    best = found = _corrected(rows, spectrum, np.ldexp(x, -exponents), np.zeros(x.shape))
    widest, passes = math.inf, 1
    while True:
        natural = np.maximum(np.abs(found.high), 1e-3 * np.abs(found.high).max(axis=0, initial=0.0)) + TINY
        width = float(np.max(found.error / natural, initial=0.0))
        done = width <= 2.0 * UNIT or not (passes == 1 or width <= 0.1 * widest)
        if width < widest:
            best, widest = found, width
        settled = bool(np.all(found.error <= np.maximum(4.0 * found.floor, 2.0 * UNIT * natural)))
        if done or settled or passes >= most:
            break
        found, passes = _corrected(rows, spectrum, found.high, found.low), passes + 1
    centre, radius, norms = best.high, best.radius, best.norms
    return _in_units(replace(proven, passes=passes), rows, exponents, centre, radius, norms, x)


@dataclass(frozen=True)
class _Corrected:
    """The corrected centre ``high + low``, with the radii (n, p) about ``high`` and, ``error``, about both.

    ``floor`` is what a better candidate would leave of the error, and ``norms`` are bounds of the residual norm.
    """

    high: np.ndarray
    low: np.ndarray
    radius: np.ndarray
    error: np.ndarray
    floor: np.ndarray
    norms: tuple[np.ndarray, np.ndarray]


def _corrected(rows: ScaledRows, spectrum: Spectrum, high: np.ndarray, low: np.ndarray) -> _Corrected:
    """One pass over the rows."""
    n = len(spectrum.S)
    S, size = spectrum.S, np.abs(spectrum.S)
    centre = Centre.near(high, low, slope_bits(rows))
    slope = enclose_slope(rows, spectrum, centre)
    step = S @ slope.value
    length = above(np.sqrt(np.sum(slope.value**2, axis=0)), n + 4) + TINY
    gain = above(1.0 / spectrum.smallest, 2)
    # 1/smallest - 1 with a subtraction that cancels: the quotient is rounded upward first, by its own 12 u at most.
    wide = above(gain * slope.error + (gain - 1.0) * length, 8)
    lengths = above(np.sqrt(np.sum(size * size, axis=1)), n + 4)[:, None]
    error = above(gamma(n) * (size @ np.abs(slope.value)) + lengths * wide, n + 8) + TINY
    total, lost = two_sum(centre.head, step)
    rest = lost + centre.third
    error += 2.0 * UNIT * np.abs(rest) + TINY
    total, rest = two_sum(total, rest)
    radius = above(np.abs(rest) + error, 4)
    # |A(z - x*)|^2 = s'G^-1 s: what the sum of squares at z is above the smallest.
    excess = above((length + slope.error) ** 2 * gain, 8)
    lower, upper = slope.residual
    lower = np.sqrt(np.maximum(below(lower * lower, 4) - excess, 0.0))
    return _Corrected(total, rest, radius, above(error, 2), lengths * slope.floor, (below(lower, 8), upper))


def _in_units(
    proven: Enclosure,
    rows: ScaledRows,
    exponents: np.ndarray,
    centre: np.ndarray,
    radius: np.ndarray,
    norms: tuple[np.ndarray, np.ndarray],
    x: np.ndarray,
) -> Enclosure:
    """Back to the units of the data, outward."""
    centre, radius = np.ldexp(centre, exponents), np.ldexp(radius, exponents) * (1.0 + 4.0 * UNIT) + _LEAST
    if not (np.isfinite(centre).all() and np.isfinite(radius).all()):
        return replace(proven, reason="The numbers leave the range of doubles: the minimiser could not be enclosed.")
    error = above(np.abs(x - centre) + radius, 4) + _LEAST
    shift = rows.rhs_exponents + rows.row_exponent
    lower, upper = (np.ldexp(bound, shift) for bound in norms)
    return replace(
        proven,
        centre=centre,
        radius=radius,
        error=np.where(np.isnan(error), np.inf, error),
        residual_norm=(np.maximum(np.nextafter(lower, -np.inf), 0.0), np.nextafter(upper, np.inf)),
    )
