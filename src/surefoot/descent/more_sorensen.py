"""The lowest point of a quadratic within a radius, solved exactly.

    minimise g'p + p'H p / 2  over |p| <= radius.

p is that point if and only if there is a shift s >= 0 with

    (H + s I) p = -g,    H + s I positive semidefinite,    s (radius - |p|) = 0,

so that one number is looked for: the root of 1/|p(s)| - 1/radius, which is nearly straight and on which Newton comes in
from the left without ever stepping over. In the hard case g has nothing along the lowest curvature and no shift reaches
the radius: then p goes the rest of the way along that eigenvector. Up to a hundred variables one eigendecomposition
answers for every radius; beyond, a few Cholesky factors are cheaper.

References: More, Sorensen (1983), "Computing a trust region step", SIAM J. Sci. Stat. Comput. 4(3), pp. 553-572; Conn,
Gould, Toint (2000), "Trust-Region Methods", SIAM, section 7.3, pp. 169-200.
"""

from __future__ import annotations

import math

import numpy as np

SETTLED = 1e-8
"""Relative distance of |p| from the radius at which a shift found from eigenvalues counts as the root."""
NEARLY = 0.05
"""The same for a shift found by factoring, where each further digit costs a factor."""
MOST = 100
"""Shifts tried at most."""
EPS = float(np.finfo(float).eps)
TINIEST = float(np.finfo(float).tiny)


class Spectrum:
    """The eigenvalues of H with g in their coordinates: within any radius from one decomposition.

    Parameters
    ----------
    gradient : ndarray, shape (n,)
        g.
    hessian : ndarray, shape (n, n)
        H, symmetric.

    Examples
    --------
    >>> Spectrum(np.array([2.0, 0.0]), np.array([[1.0, 0.0], [0.0, -1.0]])).within(2.0).round(3).tolist()[0]
    -1.0
    """

    def __init__(self, gradient: np.ndarray, hessian: np.ndarray) -> None:
        self.values, self._vectors = np.linalg.eigh(hessian)
        self._unit = float(np.abs(gradient).max()) or 1.0  # squares of tiny gradients would vanish
        self._along = (gradient / self._unit).dot(self._vectors)
        size = float(max(-self.values[0], self.values[-1], 0.0))
        self._tiny = max(EPS * len(gradient) * size, TINIEST)

    @property
    def is_convex(self) -> bool:
        """Whether H is positive semidefinite up to rounding."""
        return bool(self.values[0] >= -self._tiny)

    def within(self, radius: float) -> np.ndarray:
        """The displacement p."""
        with np.errstate(over="ignore", invalid="ignore"):
            radius = max(radius / self._unit, TINIEST)
            return self._unit * self._vectors.dot(self._inner(radius))

    def _inner(self, radius: float) -> np.ndarray:
        lowest, along = float(self.values[0]), self._along
        if lowest > self._tiny:
            inner = -along / self.values
            if radius == np.inf or float(inner.dot(inner)) <= radius * radius:
                return inner
        elif radius == np.inf:
            return -along / np.maximum(np.abs(self.values), self._tiny)  # unbounded: the reflected Newton step
        return self._shifted(self.values - min(lowest, 0.0), radius)

    def _shifted(self, raised: np.ndarray, radius: float) -> np.ndarray:
        """From the left of the root, where |p| is too long, Newton rises to it."""
        along = self._along
        shift = max(abs(float(along[0])) / radius - float(raised[0]), self._tiny if self.values[0] <= self._tiny else 0)
        inner = -along / (raised + shift)
        length = math.sqrt(inner.dot(inner))
        if length < radius:
            return self._hard(inner, radius)
        for _ in range(MOST):
            if length - radius <= SETTLED * radius:
                break
            bent = float(inner.dot(inner / (raised + shift)))
            if not 0 < bent < np.inf:
                break
            shift += length * length / bent * (length - radius) / radius
            inner = -along / (raised + shift)
            length = math.sqrt(inner.dot(inner))
        return inner if length <= radius else inner * (radius / length)

    def _hard(self, inner: np.ndarray, radius: float) -> np.ndarray:
        """The rest of the way along the lowest curvature, downhill where g tells the sides apart."""
        side, rest = -1.0 if self._along[0] > 0 else 1.0, inner.copy()
        rest[0] = 0.0
        rest[0] = side * np.sqrt(max(radius * radius - float(rest @ rest), 0.0))
        return rest


class Factors:
    """The same by Cholesky factors of H + s I, each shift a factor.

    Examples
    --------
    >>> p = Factors(np.array([2.0, 0.0]), np.array([[1.0, 0.0], [0.0, 3.0]])).within(5.0)
    >>> p[0]
    np.float64(-2.0)
    """

    def __init__(self, gradient: np.ndarray, hessian: np.ndarray) -> None:
        self._unit = float(np.max(np.abs(gradient), initial=0.0)) or 1.0
        self._gradient, self._hessian = gradient / self._unit, hessian
        self._steepness = float(np.linalg.norm(self._gradient))
        self._diagonal = np.diagonal(hessian).copy()
        rows = np.sum(np.abs(hessian), axis=1) - np.abs(self._diagonal)
        self._size = float(np.max(rows + np.abs(self._diagonal), initial=0.0))
        self._floor = max(0.0, -float(np.min(self._diagonal)))  # shifts below are indefinite for sure
        self._ceiling = max(0.0, float(np.max(rows - self._diagonal)))  # and from here on definite (Gershgorin)
        self._newton: np.ndarray | None = None
        self._convex: bool | None = None
        self._random = np.random.default_rng(len(gradient))

    @property
    def is_convex(self) -> bool:
        """Whether H has a factor, once that was tried."""
        return self._convex is not False

    def within(self, radius: float) -> np.ndarray:
        """The displacement p."""
        with np.errstate(over="ignore", invalid="ignore"):
            radius, newton = max(radius / self._unit, np.finfo(float).tiny), self._inner()
            if newton is not None and (radius == np.inf or float(np.linalg.norm(newton)) <= radius):
                return self._unit * newton
            if radius == np.inf:
                radius = self._steepness / max(self._size, np.finfo(float).tiny)
            return self._unit * self._shifted(radius)

    def _inner(self) -> np.ndarray | None:
        """The Newton step, where H is positive definite."""
        if self._convex is None:
            factor = _cholesky(self._hessian, self._diagonal, 0.0) if self._floor == 0 else None
            self._convex = factor is not None
            self._newton = None if factor is None else -_solve(factor, self._gradient)
        return self._newton

    def _shifted(self, radius: float) -> np.ndarray:
        low = max(self._floor, self._steepness / radius - self._size, 0.0)
        high = self._steepness / radius + self._ceiling
        tiny = max(EPS * self._size, np.finfo(float).tiny)
        high = max(high, low + tiny)
        shift = low if self._convex else max(np.sqrt(low * high), low + 0.01 * (high - low))
        best = None
        for _ in range(MOST):
            factor = _cholesky(self._hessian, self._diagonal, shift)
            if factor is None:
                low = max(low, shift)
                if high - low <= 4 * tiny:
                    high = low + 8 * tiny
                shift = max(np.sqrt(low * high), low + 0.01 * (high - low))
                continue
            step = -_solve(factor, self._gradient)
            length = float(np.linalg.norm(step))
            if abs(length - radius) <= NEARLY * radius:
                return step * min(1.0, radius / length) if length > 0 else step
            raised = shift
            if length > 0:
                back = _back(factor, step)
                raised = shift + (length / float(np.linalg.norm(back))) ** 2 * (length - radius) / radius
            if length > radius:
                low, shift = max(low, shift), raised
                continue
            # Too short: the hard case, or not yet. A vector of lowest curvature goes the rest of the way.
            flat, curved = self._flattest(factor)
            onward = _to_radius(step, flat, radius, self._gradient)
            best = step + onward * flat
            energy = float(step @ (self._hessian @ step)) + shift * length**2 + shift * radius**2
            if onward**2 * curved <= NEARLY * max(energy, 0.0) or high - low <= 16 * tiny:
                return best
            high, low = min(high, shift), max(low, shift - curved)
            shift = raised if low < raised < high else max(np.sqrt(low * high), low + 0.01 * (high - low))
        return best if best is not None else -self._gradient * (radius / self._steepness)

    def _flattest(self, factor: np.ndarray) -> tuple[np.ndarray, float]:
        """Nearly the eigenvector of the lowest curvature, by inverse iteration, and its curvature under the shift."""
        one = self._random.standard_normal(len(self._gradient))
        curved = np.inf
        for _ in range(3):
            one = _solve(factor, one / np.linalg.norm(one))
            curved = 1 / float(np.linalg.norm(one))
        return one / np.linalg.norm(one), curved


def _cholesky(hessian: np.ndarray, diagonal: np.ndarray, shift: float) -> np.ndarray | None:
    """The factor of H + s I, or None where it is not positive definite."""
    from scipy.linalg import lapack

    raised = hessian.copy(order="F")
    np.fill_diagonal(raised, diagonal + shift)
    factor, failed = lapack.dpotrf(raised, lower=True, overwrite_a=True, clean=False)  # pyright: ignore[reportAttributeAccessIssue]
    return None if failed else factor


def _solve(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.linalg import lapack

    return lapack.dpotrs(factor, right, lower=True)[0]  # pyright: ignore[reportAttributeAccessIssue]


def _back(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    """L^-1 times a vector."""
    from scipy.linalg import lapack

    return lapack.dtrtrs(factor, right, lower=True)[0]  # pyright: ignore[reportAttributeAccessIssue]


def _to_radius(step: np.ndarray, way: np.ndarray, radius: float, gradient: np.ndarray) -> float:
    """How far along a unit vector the radius is met, on the side where f is lower to first order."""
    along, short = float(step @ way), max(radius**2 - float(step @ step), 0.0)
    root = float(np.sqrt(along**2 + short))
    if along == 0:
        return -root if float(gradient @ way) > 0 else root
    return short / (along + (root if along > 0 else -root))  # the nearer one, without cancellation
