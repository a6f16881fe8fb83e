"""Which coding each category gets in each term, so that no column is a combination of others by construction.

A category coded in full spans the constant as well; coded by contrasts it does not. Every term is seen as the sum of
its margins (``a:b`` in full is ``1 + a- + b- + a-:b-`` in contrasts), margins that earlier terms already span are left
out, and what remains is written with as few pieces as possible.

Reference: Chambers, Hastie (1992), "Statistical Models in S", Wadsworth, pp. 37-40; the greedy merge is that of patsy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Piece = dict[str, bool]
"""Category to ``True`` for full coding, ``False`` for contrasts."""


def code_terms(terms: Sequence[tuple[frozenset[str], tuple[str, ...]]]) -> list[list[Piece]]:
    """Codings for each term, given as (its numeric factors, its categories in order).

    Examples
    --------
    >>> none = frozenset()
    >>> code_terms([(none, ()), (none, ("g",))])
    [[{}], [{'g': False}]]
    >>> code_terms([(none, ("g",))])
    [[{'g': True}]]
    """
    spanned: set[tuple[frozenset[str], frozenset[str]]] = set()
    coded = []
    for numeric, categories in terms:
        margins = [
            frozenset(chosen) for size in range(len(categories) + 1) for chosen in combinations(categories, size)
        ]
        fresh = [margin for margin in margins if (numeric, margin) not in spanned]
        spanned.update((numeric, margin) for margin in fresh)
        coded.append(_merge([{category: False for category in categories if category in m} for m in fresh]))
    return coded


def _merge(pieces: list[Piece]) -> list[Piece]:
    """Join ``rest`` and ``rest : a-`` into ``rest : a`` until nothing joins."""
    joined = True
    while joined:
        joined = False
        for small, large in combinations(pieces, 2):
            extra = [category for category in large if category not in small]
            same = all(large.get(category) == full for category, full in small.items())
            if len(extra) == 1 and same and not large[extra[0]]:
                large[extra[0]] = True
                pieces.remove(small)
                joined = True
                break
    return pieces
