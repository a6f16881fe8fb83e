"""Sums and contractions of intervals against exact rational arithmetic, by every path they can take."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from fuzzing import draws
from interval_cases import by_arb, intervals, missed
from surefoot.proof import interval_sums as sums
from surefoot.proof.interval import Interval

pytestmark = pytest.mark.fuzz


def drawn(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> Interval:
    """Numbers or intervals of mixed sizes; ``wild`` ones of every size there is, but bounded."""
    if kind == "wild":
        boxes = intervals(rng, int(np.prod(shape)))
        lo = np.clip(np.nan_to_num(boxes.lo), -1e300, 1e300)
        hi = np.clip(np.nan_to_num(boxes.hi), -1e300, 1e300)
        return Interval(np.minimum(lo, hi).reshape(shape), np.maximum(lo, hi).reshape(shape))
    middle = rng.normal(size=shape) * 10.0 ** rng.integers(-8, 9, shape)
    if kind == "numbers":
        return Interval.of(middle)
    spread = np.abs(middle) * 10.0 ** rng.uniform(-17, 1, shape)
    return Interval(middle - spread, middle + spread)


def exactly(u: Interval) -> tuple[np.ndarray, np.ndarray]:
    turn = np.frompyfunc(Fraction, 1, 1)
    return turn(u.lo), turn(u.hi)


def exact_product(u: Interval, v: Interval) -> tuple[np.ndarray, np.ndarray]:
    """The exact range of a product of matrices of intervals."""
    (a, b), (c, d) = exactly(u), exactly(v)
    lo = np.empty((u.shape[0], v.shape[1]), dtype=object)
    hi = np.empty_like(lo)
    for i in range(u.shape[0]):
        for j in range(v.shape[1]):
            corners = [(a[i] * c[:, j]), (a[i] * d[:, j]), (b[i] * c[:, j]), (b[i] * d[:, j])]
            lo[i, j] = sum(min(entry) for entry in zip(*corners, strict=True))
            hi[i, j] = sum(max(entry) for entry in zip(*corners, strict=True))
    return lo, hi


def encloses(found: Interval, lo: np.ndarray, hi: np.ndarray) -> bool:
    for a, b, c, d in zip(found.lo.ravel(), found.hi.ravel(), np.ravel(lo), np.ravel(hi), strict=True):
        if not (a == -np.inf or Fraction(a) <= c) or not (b == np.inf or Fraction(b) >= d):
            return False
    return True


@pytest.mark.parametrize("kind", ["numbers", "intervals", "wild"])
@pytest.mark.parametrize("path", ["one by one", "by BLAS"])
def test_products_of_matrices_enclose_the_exact_ones(kind: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if path == "by BLAS":
        monkeypatch.setattr(sums, "FEW", 0)
        monkeypatch.setattr(sums, "BLOCK", 3)
    rng = np.random.default_rng(len(kind))
    for _ in range(draws(25, 400)):
        rows, terms, columns = rng.integers(1, 6, 3)
        u, v = drawn(rng, (rows, terms), kind), drawn(rng, (terms, columns), rng.choice([kind, "numbers"]))
        lo, hi = exact_product(u, v)
        found = sums.matrix_product(u, v)
        assert encloses(found, lo, hi)
        if kind != "wild":  # and no wider than Rump's factor of 1.5 and rounding
            scale = exact_product(abs(u), abs(v))[1]
            for width, low, high, size in zip(found.width.ravel(), lo.ravel(), hi.ravel(), scale.ravel(), strict=True):
                assert width <= float(high - low) * (1.0 if path == "one by one" else 2.0) + 1e-14 * float(size)


def test_cancellation_does_not_fool_a_product() -> None:
    """The terms nearly cancel: what is left is smaller than the roundings, and still enclosed."""
    rng = np.random.default_rng(5)
    u = rng.normal(size=(40, 3000)) * 10.0 ** rng.integers(-3, 4, (40, 3000))
    v = rng.normal(size=(3000, 2))
    v[-1] = 0.0
    u[:, -1] = 1.0
    v[-1] = -(u @ v)[0]
    found = sums.matrix_product(Interval.of(u), Interval.of(v))
    for column in range(2):
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(u[0], v[:, column], strict=True))
        assert Fraction(found.lo[0, column]) <= exact <= Fraction(found.hi[0, column])
    assert found.width.max() < 1e-7


def test_what_is_not_bounded_is_nothing_known() -> None:
    wide = np.full((300, 300), 1.0)
    wide[0, 0] = np.inf
    u = Interval(np.ones((300, 300)), wide)
    found = sums.matrix_product(u, Interval.of(np.random.default_rng(0).normal(size=(300, 2))))
    assert np.all(found.lo[0] == -np.inf) and np.all(found.hi[0] == np.inf) and np.isfinite(found.lo[1:]).all()
    eye = np.eye(300)
    picked = sums.matrix_product(u, Interval.of(eye))
    assert not np.isnan(picked.lo).any() and np.all(picked.hi[0, 0] == np.inf)
    huge = Interval.of(np.full((300, 300), 1e200))
    over = sums.matrix_product(huge, huge)
    assert np.all(over.hi == np.inf)


def test_picking_columns_is_exact() -> None:
    rng = np.random.default_rng(2)
    u = drawn(rng, (500, 300), "intervals")
    order = rng.permutation(300)
    found = sums.matrix_product(u, Interval.of(np.eye(300)[:, order]))
    assert np.array_equal(found.lo, u.lo[:, order]) and np.array_equal(found.hi, u.hi[:, order])
    same = sums.matrix_product(u, Interval.of(np.eye(300)))
    assert np.array_equal(same.lo, u.lo) and np.array_equal(same.hi, u.hi)


@pytest.mark.parametrize(
    ("left", "right", "contract", "batch", "subscripts"),
    [
        ((3,), (3,), ((0,), (0,)), ((), ()), "a,a->"),
        ((2, 3), (3,), ((1,), (0,)), ((), ()), "ab,b->a"),
        ((3, 2), (3, 4), ((0,), (0,)), ((), ()), "ab,ac->bc"),
        ((4, 2, 3), (4, 3, 5), ((2,), (1,)), ((0,), (0,)), "abc,acd->abd"),
        ((2, 3, 4), (4, 3), ((1, 2), (1, 0)), ((), ()), "abc,cb->a"),
        ((2, 4), (5, 4, 2), ((), ()), ((1, 0), (1, 2)), "ab,cba->bac"),
        ((2,), (3,), ((), ()), ((), ()), "a,b->ab"),
    ],
)
def test_contractions_are_those_of_einsum(left, right, contract, batch, subscripts) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    u, v = rng.integers(-9, 9, left).astype(float), rng.integers(-9, 9, right).astype(float)
    found = sums.contraction(Interval.of(u), Interval.of(v), contract, batch)
    exact = np.einsum(subscripts, u, v)
    assert np.array_equal(found.lo, exact) and np.array_equal(found.hi, exact)
    ahead = sums.contraction(Interval.of(np.stack([u, 2 * u])), Interval.of(v[None]), contract, batch, lead=1)
    assert np.array_equal(ahead.lo, np.stack([exact, 2 * exact]))


@pytest.mark.parametrize("kind", ["numbers", "intervals", "wild"])
def test_sums_running_sums_and_products_enclose_the_exact_ones(kind: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(draws(20, 300)):
        length = int(rng.integers(1, 40))
        u = drawn(rng, (length, 2), kind)
        lo, hi = exactly(u)
        assert encloses(sums.total(u, (0,)), lo.sum(axis=0), hi.sum(axis=0))
        for reverse in (False, True):
            turned = slice(None, None, -1 if reverse else 1)
            running = sums.running(u, 0, reverse)
            assert encloses(running, np.cumsum(lo[turned], axis=0)[turned], np.cumsum(hi[turned], axis=0)[turned])
        few = Interval(u.lo[:6], u.hi[:6])
        corners = [
            np.prod(np.where(np.array(pick)[:, None], *exactly(few)), axis=0)
            for pick in np.ndindex(*[2] * min(length, 6))
        ]
        found = sums.product(few, (0,))
        assert encloses(found, np.min(corners, axis=0), np.max(corners, axis=0))
        assert np.array_equal(sums.largest(u, (0,)).lo, u.lo.max(axis=0))
        assert np.array_equal(sums.smallest(u, (0,)).hi, u.hi.min(axis=0))


def test_many_equal_terms_add_up_with_few_roundings() -> None:
    tenths = Interval.of(np.full(100_000, 0.1))
    found = sums.total(tenths, (0,))
    exact = 100_000 * Fraction(0.1)
    assert Fraction(float(found.lo)) <= exact <= Fraction(float(found.hi))
    assert float(found.width) < 40 * 1e4 * 2.0**-52


def test_nothing_to_add() -> None:
    none = Interval.of(np.zeros((0, 3)))
    assert sums.total(none, (0,)).lo.tolist() == [0.0] * 3
    assert sums.product(none, (0,)).lo.tolist() == [1.0] * 3
    assert sums.matrix_product(Interval.of(np.zeros((2, 0))), none).hi.tolist() == [[0.0] * 3] * 2


def test_log_sum_exp_contains_what_arb_says() -> None:
    rng = np.random.default_rng(4)
    for _ in range(draws(40, 500)):
        length = int(rng.integers(1, 6))
        middle = rng.normal(size=length) * 10.0 ** rng.uniform(-2, 3)
        spread = 10.0 ** rng.uniform(-16, 1) * rng.random(length)
        u = Interval(middle - spread, middle + spread)
        at = u.lo + rng.random(length) * (u.hi - u.lo)
        at = np.clip(at, u.lo, u.hi)
        truth = by_arb(lambda *x: sum((entry.exp() for entry in x), arb(0)).log(), *at[:, None], bits=3000)
        found = sums.logsumexp(u, (0,))
        assert not missed(found[None], truth)
        number = sums.logsumexp(Interval.of(at), (0,))
        assert float(number.width) <= 1e-14 * (1.0 + np.abs(at).max())


def test_log_sum_exp_without_bounds() -> None:
    u = Interval([-np.inf, 0.0], [1.0, 2.0])
    found = sums.logsumexp(u, (0,))
    assert found.lo <= 0.0 <= found.lo + 1e-300 and found.hi >= np.log(np.exp(1) + np.exp(2))
    assert sums.logsumexp(Interval([0.0, 0.0], [1.0, np.inf]), (0,)).hi == np.inf
    assert sums.logsumexp(Interval.entire((3,)), (0,)).lo == -np.inf


@pytest.mark.alone
def test_a_long_product_takes_well_under_a_second() -> None:
    rng = np.random.default_rng(0)
    matrix, x = Interval.of(rng.normal(size=(100_000, 50))), rng.normal(size=50)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = sums.contraction(matrix, Interval(x - 1e-9, x + 1e-9), ((1,), (0,)))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5
    assert np.all(found.contains(matrix.lo @ x))
