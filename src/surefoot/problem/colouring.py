"""Sparse Jacobians from few products: columns that share no row are found together, in one product.

    J (e_1 + e_7 + e_9) shows the columns 1, 7 and 9 if no row has entries in two of them,

which is a colouring of the graph whose edges join columns with a common row. The pattern itself is found by halving:
a block of columns that a row depends on is split in two, and one product for each colour of the blocks tells which half
matters, so that n columns cost about log2(n) times as many products as colours.

References: Curtis, Powell, Reid (1974), "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13(1),
pp. 117-119; Gebremedhin, Manne, Pothen (2005), "What color is your Jacobian?", SIAM Review 47(4), pp. 629-705, section
3 (colouring); Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, chapter 8 (compression).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Matrix = Any
"""A ``scipy.sparse.csc_matrix``, whose attributes type checkers do not know."""
Products = Callable[[np.ndarray], np.ndarray]
"""Directions as rows (k, n) to their images J v as rows (k, m)."""


def colours_of(pattern: Matrix) -> np.ndarray:
    """A colour for each column, shape (n,), such that columns of one colour share no row.

    Columns with many entries first, each with the lowest colour that is free.

    Examples
    --------
    >>> from scipy.sparse import csc_matrix
    >>> colours_of(csc_matrix([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])).tolist()
    [1, 0, 1, 0]
    """
    taken = [0] * pattern.shape[0]  # of each row the colours of its columns, as bits
    starts, rows = pattern.indptr.tolist(), pattern.indices.tolist()
    found = np.zeros(pattern.shape[1], dtype=np.int64)
    order = np.argsort(-np.diff(pattern.indptr), kind="stable").tolist()
    for column in order:
        mine, used = rows[starts[column] : starts[column + 1]], 0
        for row in mine:
            used |= taken[row]
        free = ~used & (used + 1)
        for row in mine:
            taken[row] |= free
        found[column] = free.bit_length() - 1
    return found


@dataclass(frozen=True)
class Compression:
    """A pattern with its colours.

    Attributes
    ----------
    pattern : csc_matrix of bool, shape (m, n)
        Where entries may be.
    colours : ndarray, shape (n,)
        Of the columns.
    """

    pattern: Matrix
    colours: np.ndarray

    @classmethod
    def of(cls, pattern: Any) -> Compression:
        """The colouring of a pattern: any matrix, whose entries that are not zero count."""
        from scipy.sparse import csc_matrix

        kept = csc_matrix(pattern, dtype=bool)
        kept.sum_duplicates()
        kept.eliminate_zeros()
        kept.sort_indices()
        return cls(kept, colours_of(kept))

    @property
    def count(self) -> int:
        """Products that a Jacobian takes."""
        return int(self.colours.max(initial=-1)) + 1

    def seeds(self) -> np.ndarray:
        """The directions, shape (count, n): sums of unit vectors of one colour."""
        found = np.zeros((self.count, self.pattern.shape[1]))
        found[self.colours, np.arange(self.pattern.shape[1])] = 1.0
        return found

    def spread(self, images: np.ndarray) -> Matrix:
        """The Jacobian from the images of the seeds, shape (count, m)."""
        from scipy.sparse import csc_matrix

        columns = np.repeat(np.arange(self.pattern.shape[1]), np.diff(self.pattern.indptr))
        entries = images[self.colours[columns], self.pattern.indices]
        return csc_matrix((entries, self.pattern.indices, self.pattern.indptr), shape=self.pattern.shape)

    def widened(self, more: Matrix) -> Compression:
        """With the entries of another pattern too."""
        return Compression.of(self.pattern + more)


def find_pattern(products: Products, rows: int, columns: int, most: int, random: np.random.Generator) -> Any:
    """Where the Jacobian has entries, found by halving blocks of columns.

    Parameters
    ----------
    products : callable
        Directions (k, n) to images (k, m), at one point.
    rows, columns : int
        m and n.
    most : int
        Products of one level above which the pattern is not sparse.
    random : Generator
        Entries of directions are random, so that no sum is zero by chance.

    Returns
    -------
    csc_matrix of bool or None
        None where the pattern is not sparse.

    Examples
    --------
    >>> matrix = np.eye(50) + np.eye(50, k=1)
    >>> found = find_pattern(lambda V: V @ matrix.T, 50, 50, 25, np.random.default_rng(0))
    >>> bool(np.array_equal(found.toarray(), matrix != 0))
    True
    """
    from scipy.sparse import csc_matrix

    width = 1 << max(0, (columns - 1).bit_length())  # of a block, and a power of two
    shown = products(np.ones((1, columns)))[0] != 0 if columns == 1 else np.ones(rows, dtype=bool)
    blocks = csc_matrix(shown[:, None])
    while width > 1:
        width //= 2
        halves = -(-columns // width)
        colours = colours_of(blocks)
        count = 2 * (int(colours.max(initial=-1)) + 1)
        if count > most:
            return None
        owner = np.arange(columns) // width  # the half that each column is in
        seeds = np.zeros((count, columns))
        seeds[2 * colours[owner // 2] + owner % 2, np.arange(columns)] = random.uniform(1.0, 2.0, columns)
        images = products(seeds) != 0  # NaN counts as an entry
        coarse = blocks.tocoo()
        found_rows, found_halves = [], []
        for side in (0, 1):
            half = 2 * coarse.col + side
            inside = half < halves
            there = images[2 * colours[coarse.col[inside]] + side, coarse.row[inside]]
            found_rows.append(coarse.row[inside][there])
            found_halves.append(half[inside][there])
        at = np.concatenate(found_rows), np.concatenate(found_halves)
        blocks = csc_matrix((np.ones(len(at[0]), dtype=bool), at), shape=(rows, halves))
    return blocks
