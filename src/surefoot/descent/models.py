"""Quadratic models of the ground around a point, and their lowest point within a radius.

    m(p) = g'p + p'H p / 2    over    |D p| <= radius

D scales the variables: where one is measured in millions and another in millionths, a ball in the variables' own units
is a needle to the function. ``DenseModel`` has the Hessian as a matrix, ``ProductModel`` only its products: Lanczos
vectors span the space that conjugate gradients would search, and the problem is solved exactly within it (GLTR), so
that a smaller radius after a rejected step costs no further product.

References: Conn, Gould, Toint (2000), "Trust-Region Methods", SIAM, section 7.5.4, pp. 221-228 (GLTR); Gould, Lucidi,
Roma, Toint (1999), SIAM J. Optim. 9(2), pp. 504-525.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surefoot.descent.more_sorensen import Factors, Spectrum
from surefoot.descent.norms import length_of

FEW = 100
"""Variables up to which an eigendecomposition is cheaper than several factors."""
SPACE = 300
"""Lanczos vectors kept at most."""
EPS = float(np.finfo(float).eps)


class DenseModel:
    """A model whose Hessian is a matrix.

    Parameters
    ----------
    gradient : ndarray, shape (n,)
        g.
    hessian : ndarray, shape (n, n)
        H, symmetric and finite.
    scale : ndarray, shape (n,), or None
        Diagonal of D, positive; 1 if None.

    Examples
    --------
    >>> model = DenseModel(np.array([2.0, 0.0]), np.diag([1.0, 4.0]))
    >>> [float(part) for part in model.within(1.0)[0]], model.within(1.0)[1]
    ([-1.0, 0.0], 1.5)
    """

    def __init__(self, gradient: np.ndarray, hessian: np.ndarray, scale: np.ndarray | None = None) -> None:
        self._gradient, self._hessian, self._scale = gradient, hessian, scale
        self._solver: Spectrum | Factors | None = None

    @property
    def steepness(self) -> float:
        """Length of the scaled gradient."""
        return length_of(self._gradient if self._scale is None else self._gradient / self._scale)

    def length(self, step: np.ndarray) -> float:
        """|D p|, which is held against the radius."""
        return length_of(step if self._scale is None else self._scale * step)

    def within(self, radius: float) -> tuple[np.ndarray, float]:
        """The lowest point of the model within a radius, and the decrease that it predicts."""
        inner = self._solved().within(radius)
        step = inner if self._scale is None else inner / self._scale
        return step, self.decrease(step)

    @property
    def is_convex(self) -> bool:
        """Whether H is positive semidefinite up to rounding, as far as solving has told."""
        return self._solver is None or self._solver.is_convex

    def decrease(self, step: np.ndarray) -> float:
        """-m(p)."""
        return -float(self._gradient.dot(step)) - 0.5 * float(step.dot(self._hessian.dot(step)))

    def _solved(self) -> Spectrum | Factors:
        if self._solver is None:
            g, H, D = self._gradient, self._hessian, self._scale
            if D is not None:
                g, H = g / D, H / D[:, None] / D
            self._solver = Spectrum(g, H) if len(g) <= FEW else Factors(g, H)
        return self._solver


class ProductModel:
    """A model whose Hessian is only known by its products with vectors.

    Parameters
    ----------
    gradient : ndarray, shape (n,)
        g; where it is zero there is no way to go.
    bend : callable
        A vector to H times it.
    tolerance : float
        Residual of the Newton equation, relative to |g|, at which no more products are made.
    most : int
        Products at most.

    Examples
    --------
    >>> curvature = np.array([1.0, 4.0])
    >>> model = ProductModel(np.array([2.0, 4.0]), lambda v: curvature * v, 1e-10)
    >>> model.within(10.0)[0].round(12).tolist(), model.products
    ([-2.0, -1.0], 2)
    """

    def __init__(
        self, gradient: np.ndarray, bend: Callable[[np.ndarray], np.ndarray], tolerance: float, most: int = SPACE
    ) -> None:
        self._gradient, self._bend, self._tolerance = gradient, bend, tolerance
        self._most = min(most, len(gradient))
        self._size = float(np.linalg.norm(gradient))
        self._basis = np.empty((min(32, self._most), len(gradient)))
        self._diagonal: list[float] = []
        self._beside: list[float] = []
        self._rest = self._size
        self._is_convex = True
        self._next: np.ndarray | None = gradient / self._size if self._size > 0 else None

    @property
    def steepness(self) -> float:
        """Length of the gradient."""
        return self._size

    @property
    def products(self) -> int:
        """Made so far."""
        return len(self._diagonal)

    def lowest(self) -> tuple[float, np.ndarray, float]:
        """The smallest curvature in the space of ``most`` products, its direction, the largest's size."""
        while self._next is not None and self.products < self._most:
            self._extend()
        if not np.all(np.isfinite(self._diagonal)):
            return float("nan"), self._gradient, float("nan")
        values, vectors = np.linalg.eigh(self._matrix())
        vector = vectors[:, 0] @ self._basis[: self.products]
        largest = float(max(abs(values[0]), abs(values[-1])))
        return float(values[0]), vector / np.linalg.norm(vector), largest

    @property
    def is_convex(self) -> bool:
        """Whether H is positive semidefinite up to rounding in the space spanned so far."""
        return self._is_convex

    def length(self, step: np.ndarray) -> float:
        """|p|."""
        return length_of(step)

    def within(self, radius: float) -> tuple[np.ndarray, float]:
        """The lowest point of the model within a radius, and the decrease that it predicts.

        Lanczos vectors are added until the residual is small enough; the problem in their span is solved at each power
        of 1.2, for that costs as much as a product.
        """
        if self._size == 0:
            return np.zeros_like(self._gradient), 0.0
        look = 1
        while True:
            while self.products < look and self._next is not None and self.products < self._most:
                self._extend()
            inner = self._solved(radius)
            rest = self._rest * abs(float(inner[-1])) if self._next is not None else 0.0
            if self._next is None or self.products >= self._most or rest <= self._tolerance * self._size:
                break
            look = max(self.products + 1, int(1.2 * self.products))
        step = inner @ self._basis[: self.products]
        return step, -self._size * float(inner[0]) - 0.5 * float(inner @ self._product(inner))

    def _extend(self) -> None:
        """One more Lanczos vector, orthogonalised twice against all."""
        k = self.products
        if k == len(self._basis):
            self._basis = np.concatenate([self._basis, np.empty_like(self._basis)])[: self._most]
        self._basis[k] = self._next
        image = self._bend(self._basis[k])
        self._diagonal.append(float(self._basis[k] @ image))
        known = self._basis[: k + 1]
        for _ in range(2):
            image = image - (known @ image) @ known
        self._rest = float(np.linalg.norm(image))
        size = max(abs(one) for one in self._diagonal) + max(self._beside, default=0.0)
        exhausted = k + 1 == len(self._gradient) or not self._rest > 64 * EPS * size
        self._next = None if exhausted else image / self._rest
        self._beside.append(self._rest)

    def _solved(self, radius: float) -> np.ndarray:
        first = np.zeros(self.products)
        first[0] = self._size
        solver = Spectrum(first, self._matrix())
        self._is_convex = solver.is_convex
        return solver.within(radius)

    def _matrix(self) -> np.ndarray:
        beside = self._beside[: self.products - 1]
        return np.diag(self._diagonal) + np.diag(beside, 1) + np.diag(beside, -1)

    def _product(self, inner: np.ndarray) -> np.ndarray:
        image = np.array(self._diagonal) * inner
        beside = np.array(self._beside[: len(inner) - 1])
        image[:-1] += beside * inner[1:]
        image[1:] += beside * inner[:-1]
        return image
