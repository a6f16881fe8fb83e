"""Is S'A'AS nearly the identity? If so, A has full rank, whoever proposed S.

For any square S, with ``B = A S`` and ``G = B'B``: if the smallest eigenvalue of G is positive, A has full column rank
and S is nonsingular. Three roads to a bound, each with the rounding of every product accounted for:

    gram     H = fl(S'(A'A)S):   |H - G|_2 <= (gamma_d + gamma_2n) | |S|'c |^2,  error ~ cond^2 u
    product  B = fl(A S):        |B - AS|_F <= gamma_n | |S|'c |,                error ~ cond u
    sliced   B from A = A1 + A2, S = S1 + S2 + S3 with A1 S1, A1 S2 exact:       error ~ cond 2^-74

where c has the lengths of the columns of A (Cauchy-Schwarz). In the last two, sigma_min(AS) >= sqrt(1 - |I - B'B|) -
|B - AS|. Where S is poor, ``S <- S chol(B'B)^-1`` makes a better one.

Reference: Rump (2010), "Verification methods", Acta Numerica 19, section 10, pp. 353-378; Fukaya, Kannan, Nakatsukasa,
Yamamoto, Yanagisawa (2020), "Shifted Cholesky QR", SIAM J. Sci. Comput. 42(1), pp. A477-A503; Ozaki, Ogita, Oishi, Rump
(2012), "Error-free transformations of matrix multiplication", Numer. Algorithms 59, pp. 95-118.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surefoot.proof.rounding import TINY, UNIT, above, below, gamma, spectral_norm
from surefoot.proof.scaled_rows import ScaledRows, column_squares

_ROUNDS = 4
_LARGEST = 2.0**100
"""Entries of S beyond this would let underflow be seen, and no double has such a condition number."""
_SHIFTS = (0.0, 2.0**-44, 2.0**-34, 2.0**-24)


@dataclass(frozen=True)
class Spectrum:
    """What is proven of G = S'A'AS, in the scaled problem.

    Attributes
    ----------
    S : ndarray (n, n)
        The matrix of the proof.
    smallest : float
        Lower bound of the smallest eigenvalue of G; positive if the rank is proven, else 0 or NaN.
    largest : float
        Upper bound of the 2-norm of AS.
    columns : ndarray (n,)
        Upper bounds of the lengths of the columns of A.
    road : str
        ``"gram"``, ``"product"`` or ``"sliced product"``.
    gramian : ndarray (n, n)
        G as computed.
    """

    S: np.ndarray
    smallest: float
    largest: float
    columns: np.ndarray
    road: str
    gramian: np.ndarray

    @property
    def full_rank(self) -> bool:
        return bool(0.0 < self.smallest <= 1.0)


class Pairwise:
    """A sum of matrices as a balanced tree, so that no term passes through more than a few dozen additions."""

    def __init__(self) -> None:
        self._partial: list[tuple[int, np.ndarray]] = []
        self._count = 0

    def add(self, matrix: np.ndarray) -> None:
        level = 0
        self._count += 1
        while self._partial and self._partial[-1][0] == level:
            matrix = self._partial.pop()[1] + matrix
            level += 1
        self._partial.append((level, matrix))

    def total(self, size: int) -> np.ndarray:
        result = np.zeros((size, size))
        for _, matrix in reversed(self._partial):
            result = result + matrix
        return result

    @property
    def depth(self) -> int:
        """Most additions that a term passes through."""
        return 2 * self._count.bit_length() + 1


def prove_spectrum(rows: ScaledRows, S: np.ndarray | None) -> Spectrum | None:
    """The best bounds that a few rounds of arithmetic give; None if no usable S was found."""
    if S is not None and not _usable(S):
        S = None
    best = None
    if S is None:
        gram, columns, depth = gram_matrix(rows)
        first = inverse_factor(gram)
        if first is None:
            return None
        if (gamma(depth) + gamma(2 * len(columns))) * _reach(first, columns) ** 2 < 0.25:
            best = from_gram(gram, columns, depth, first)
    else:
        first, columns = S, _sampled_columns(rows)
        if (gamma(rows.longest) + gamma(2 * len(columns))) * _reach(first, columns) ** 2 < 0.05:
            best = from_gram(*gram_matrix(rows), first)
    if best is None or not best.smallest > 0.8:
        best = _by_rounds(rows, first, columns, best, _ROUNDS if S is None else 1)
    if S is not None and (best is None or not best.smallest > 0.5):
        own = prove_spectrum(rows, None)
        return own if own is not None and (best is None or own.smallest > best.smallest) else best
    return best


def _by_rounds(
    rows: ScaledRows, S: np.ndarray | None, columns: np.ndarray, best: Spectrum | None, rounds: int
) -> Spectrum | None:
    for _ in range(rounds):
        if S is None or not _usable(S):
            break
        error = gamma(len(columns) + 4) * _reach(S, columns)
        factor = Sliced(S, rows) if error > 0.05 else Plain(S, rows)
        if not factor.error(columns) < 1.0:
            break
        found = from_product(rows, S, factor)
        if best is None or not best.smallest > found.smallest:
            best = found
        if best.smallest > 0.95 or (best.smallest > 0.5 and factor.error(columns) > 0.02):
            break
        S, columns = improved(S, found.gramian), found.columns
    return best


def gram_matrix(rows: ScaledRows) -> tuple[np.ndarray, np.ndarray, int]:
    """A'A, upper bounds of the lengths of the columns, and d: ``|fl(A'A) - A'A| <= gamma_d c c'``."""
    tree = Pairwise()
    for part in rows.mapped_weighted(lambda block: block.T @ block):
        tree.add(part)
    gram = tree.total(rows.A.shape[1])
    depth = rows.longest + tree.depth + (6 if rows.rounded else 0)
    return gram, above(np.sqrt(np.diagonal(gram)), depth) + TINY, depth


def from_gram(gram: np.ndarray, columns: np.ndarray, depth: int, S: np.ndarray) -> Spectrum:
    """The road by the Gram matrix."""
    n = len(S)
    H = S.T @ (gram @ S)
    # 1.03 covers the products of two relative errors: gamma is below 0.01 or infinite.
    slack = 1.03 * (gamma(depth) + gamma(2 * n)) * above(_reach(S, columns) ** 2, 4) + TINY
    alpha = above(spectral_norm(np.eye(n) - H) + slack, 6)
    return Spectrum(S, _one_less(alpha), above(math.sqrt(1.0 + alpha), 4), columns, "gram", H)


def from_product(rows: ScaledRows, S: np.ndarray, factor: Plain | Sliced) -> Spectrum:
    """The roads by B = A S, with the given way to form it."""
    n = len(S)
    tree, squares, count = Pairwise(), np.zeros(n), 0

    def one(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        B = factor.multiply(block)
        return B.T @ B, column_squares(block)

    for part, lengths in rows.mapped_weighted(one):
        tree.add(part)
        squares += lengths
        count += 1
    G = tree.total(n)
    depth = rows.longest + tree.depth
    columns = above(np.sqrt(squares), rows.longest + count + 6) + TINY
    length = above(float(np.trace(G)), depth + n)
    alpha = above(spectral_norm(np.eye(n) - G) + gamma(depth) * length + TINY, 6)
    delta = above(factor.error(columns) + 4.0 * UNIT * math.sqrt(length), 6) + TINY
    least = below(math.sqrt(_one_less(alpha)), 2) - delta
    smallest = below(least * least, 4) if least > 0.0 else 0.0
    return Spectrum(S, smallest, above(math.sqrt(1.0 + alpha) + delta, 6), columns, factor.road, G)


@dataclass(frozen=True)
class Plain:
    """One matrix product in double."""

    S: np.ndarray
    rows: ScaledRows
    road = "product"

    def multiply(self, block: np.ndarray) -> np.ndarray:
        return block @ self.S

    def error(self, columns: np.ndarray) -> float:
        """Bound of ``|fl(AS) - AS|_F`` but for 4 u |B|_F."""
        terms = len(self.S) + (4 if self.rows.rounded else 1)
        return gamma(terms) * _reach(self.S, columns)


class Sliced:
    """A matrix product with the error of about 74 bits, from four in double of which two are exact."""

    road = "sliced product"

    def __init__(self, S: np.ndarray, rows: ScaledRows) -> None:
        n = len(S)
        self.S, self.rows = S, rows
        self.bits = slice_bits(n)
        self.scale = power_above(np.abs(S).max(axis=0))
        first = on_grid(S, self.bits, self.scale)
        second = on_grid(S - first, 2 * self.bits, self.scale)
        self.parts = np.hstack([first, second, (S - first) - second])

    def multiply(self, block: np.ndarray) -> np.ndarray:
        n = len(self.S)
        head = on_grid(block, self.bits, 1.0)
        products = head @ self.parts
        low = products[:, 2 * n :] + (block - head) @ self.S
        return (products[:, :n] + products[:, n : 2 * n]) + low

    def error(self, columns: np.ndarray) -> float:
        """Bound of ``|fl(AS) - AS|_F`` but for 4 u |B|_F.

        ``|A1| <= |A| + 2^-(bits+1)`` and ``|A - A1| <= 2^-(bits+1)``, of which a column of M rows has length sqrt(M)
        times that; ``|S3| <= scale 2^-(2 bits+1)``.
        """
        n = len(self.S)
        rest = math.sqrt(self.rows.count) * 2.0 ** -(self.bits + 1)
        tail = self.scale * 2.0 ** -(2 * self.bits + 1) * (columns.sum() + n * rest)
        reach = tail + rest * np.abs(self.S).sum(axis=0)
        size = above(float(np.sqrt(np.sum(reach * reach))), 4 * n + 8)
        rounded = 4.0 * UNIT * _reach(self.S, columns) if self.rows.rounded else 0.0
        return above((gamma(n + 1) + 8.0 * UNIT) * size + rounded, 6)


def inverse_factor(gram: np.ndarray) -> np.ndarray | None:
    """R^-1 of ``gram ~ R'R`` by Cholesky, of equilibrated columns, shifted as far as it must be; None if it cannot."""
    from scipy.linalg import get_lapack_funcs

    with np.errstate(all="ignore"):
        scale = 1.0 / np.sqrt(np.diagonal(gram))
        matrix = gram * scale[:, None] * scale
    if not np.isfinite(matrix).all():
        return None
    potrf, trtri = get_lapack_funcs(("potrf", "trtri"), dtype=np.float64)
    for shift in _SHIFTS:
        upper, info = potrf(matrix + shift * len(matrix) * np.eye(len(matrix)), lower=0)
        if info == 0:
            inverse, info = trtri(upper, lower=0)
            if info == 0 and np.isfinite(inverse).all():
                return np.ascontiguousarray(scale[:, None] * inverse)
    return None


def improved(S: np.ndarray, gramian: np.ndarray) -> np.ndarray | None:
    """A better candidate, from the Gram matrix of B = A S."""
    step = inverse_factor(gramian)
    return None if step is None else S @ step


def slice_bits(longest: int) -> int:
    """Bits of a slice so that sums of ``2 longest`` products of two slices are exact."""
    return (52 - max(1, longest - 1).bit_length()) // 2


def on_grid(values: np.ndarray, bits: int, scale: np.ndarray | float) -> np.ndarray:
    """Rounded to multiples of ``scale 2^-bits``; ``scale`` is a power of two, and the values are at most twice that."""
    shift = scale * (1.5 * 2.0 ** (52 - bits))
    result = values + shift
    result -= shift
    return result


def power_above(sizes: np.ndarray) -> np.ndarray:
    """Powers of two above the sizes, and at least 2^-300."""
    return np.ldexp(1.0, np.maximum(np.frexp(sizes)[1], -300))


def _usable(S: np.ndarray) -> bool:
    return bool(S.size and np.isfinite(S).all() and np.abs(S).max() < _LARGEST)


def _reach(S: np.ndarray | None, columns: np.ndarray) -> float:
    """Upper bound of ``| |S|'c |``, the most that |A||S| can be in the Frobenius norm."""
    if S is None:
        return math.inf
    reach = np.abs(S).T @ columns
    return above(float(np.sqrt(reach @ reach)), 2 * len(S) + 4) + TINY


def _one_less(alpha: float) -> float:
    """``1 - alpha`` rounded down; 0 where alpha says nothing."""
    return math.nextafter(1.0 - alpha, -math.inf) if alpha < 1.0 else 0.0


def _sampled_columns(rows: ScaledRows) -> np.ndarray:
    """Lengths of the columns guessed from one block: they choose a road, and prove nothing."""
    for block in rows.weighted():
        return np.sqrt(np.einsum("ij,ij->j", block, block) * (rows.count / len(block))) + TINY
    return np.full(rows.A.shape[1], TINY)
