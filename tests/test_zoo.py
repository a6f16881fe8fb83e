"""A zoo of problems with known answers, each put through every method that claims to solve its kind.

A *problem* says what is asked and what the truth is: the point and the verdict, negatives included. A *method* takes a
problem of its kind to an ``Answer``. Every method meets every problem of its kind, and must return the right point and
the right verdict, or one of the honest weaker ones that the problem allows.

To add a problem, append to ``LEAST_SQUARES`` (or to the list of another kind); to add a method, append to ``METHODS``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

import surefoot as sf
from nistdata import NAMES, load
from surefoot import Verdict


@dataclass(frozen=True)
class Answer:
    """What a method found, in the same form whatever the method."""

    point: np.ndarray  # NaN where the method leaves a coordinate out
    verdict: Verdict
    value: float  # of the objective


@dataclass(frozen=True)
class LeastSquares:
    """Minimise ``|y - X b|^2``: rows, the columns' names, and the truth."""

    name: str
    X: np.ndarray
    y: np.ndarray
    verdict: Verdict
    point: np.ndarray  # where unique: the minimiser; else the one with zeros for what later columns could do
    value: float  # the smallest sum of squares
    rel: float = 1e-11
    valley: tuple[tuple[float, ...], ...] = ()  # directions along which nothing changes
    kind: str = field(default="least squares", init=False)

    def objective(self, b: np.ndarray) -> float:
        return float(np.sum((self.y - self.X @ b) ** 2))

    @property
    def scale(self) -> float:
        """What rounding of the value is measured against."""
        return float(self.y @ self.y) or 1.0


@dataclass(frozen=True)
class Method:
    name: str
    kind: str
    run: Callable[..., Answer]
    unique_point: bool = (
        True  # whether it leaves coordinates of a valley out, instead of choosing a point of the valley
    )


def _fit(**options) -> Callable[[LeastSquares], Answer]:
    def run(problem: LeastSquares) -> Answer:
        names = [f"x{j}" for j in range(problem.X.shape[1])]
        data = dict(zip(names, problem.X.T, strict=True)) | {"y": problem.y}
        fit = sf.fit("y ~ 0 + " + " + ".join(names), data, **options)
        return Answer(fit.coef, fit.verdict, fit.statistics.residual_length**2)

    return run


METHODS = [
    Method("QR in one pass", "least squares", _fit(refine=False)),
    Method("QR in one pass, no second look", "least squares", _fit(refine=False, diagnostics=False)),
    Method("QR, row by row", "least squares", _fit(refine=False, batch_rows=1)),
    Method("QR, refined", "least squares", _fit(refine=True)),
    Method("QR, shortest of a valley", "least squares", _fit(rank_deficient="minimum-norm"), unique_point=False),
]


def _least_squares() -> list[LeastSquares]:
    rng = np.random.default_rng(100)
    unique, valley = Verdict.UNIQUE_GLOBAL_MINIMUM, Verdict.GLOBAL_MINIMUM
    ones, t = np.ones(5), np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    base = rng.integers(-9, 10, (30, 3)).astype(float)
    # A residual that is perpendicular to the columns in whole numbers makes the truth exact.
    wave = np.array([1.0, -2.0, 0.0, 2.0, -1.0])  # perpendicular to 1, t and t^2
    hilbert = np.array([[1.0 / (i + j + 1) for j in range(4)] for i in range(8)])
    return [
        LeastSquares("line", np.column_stack([ones, t]), 3 + 2 * t + wave, unique, np.array([3.0, 2.0]), 10.0),
        LeastSquares(
            "parabola", np.column_stack([ones, t, t**2]), 1 - t + 5 * t**2 + wave, unique, np.array([1.0, -1, 5]), 10.0
        ),
        LeastSquares("mean", ones[:, None], t + 7, unique, np.array([7.0]), 10.0),
        LeastSquares("exact fit", np.column_stack([ones, t]), 0.1 * ones + 0.7 * t, unique, np.array([0.1, 0.7]), 0.0),
        LeastSquares("nothing to explain", np.column_stack([ones, t]), 0 * t, unique, np.zeros(2), 0.0),
        LeastSquares(
            "perpendicular response", np.column_stack([t, t**2]), 1e3 * wave, unique, np.array([0.0, 0.0]), 1e7
        ),
        LeastSquares(
            "huge residual", np.column_stack([ones, t]), 3 + 2 * t + 1e6 * wave, unique, np.array([3.0, 2.0]), 1e13,
            rel=1e-8,
        ),
        LeastSquares(
            "units of 1e150 and 1e-150", np.column_stack([1e150 * ones, 1e-150 * t]), 3 + 2 * t + wave, unique,
            np.array([3e-150, 2e150]), 10.0,
        ),
        LeastSquares(
            "Hilbert", hilbert, hilbert @ [1.0, 2.0, 3.0, 4.0], unique, np.array([1.0, 2.0, 3.0, 4.0]), 0.0, rel=1e-9
        ),
        LeastSquares("one observation", np.array([[2.0]]), np.array([6.0]), unique, np.array([3.0]), 0.0),
        LeastSquares(
            "one observation, two columns", np.array([[2.0, 4.0]]), np.array([6.0]), valley, np.array([3.0, np.nan]),
            0.0, valley=((-2.0, 1.0),),
        ),
        LeastSquares(
            "a column twice", np.column_stack([ones, t, t]), 3 + 2 * t + wave, valley, np.array([3.0, 2.0, np.nan]),
            10.0, valley=((0.0, -1.0, 1.0),),
        ),
        LeastSquares(
            "flat valley of dimension two", np.column_stack([t, 2 * t, ones, t - ones]), 3 + 2 * t + wave, valley,
            np.array([2.0, np.nan, 3.0, np.nan]), 10.0, valley=((-2.0, 1.0, 0.0, 0.0), (-1.0, 0.0, 1.0, 1.0)),
        ),
        LeastSquares(
            "a column of zeros", np.column_stack([ones, 0 * t]), 3 + wave, valley, np.array([3.0, np.nan]), 10.0,
            valley=((0.0, 1.0),),
        ),
        LeastSquares(
            "wide", base[:2], base[:2] @ [1.0, 0.0, 0.0], valley, np.array([1.0, 0.0, np.nan]), 0.0,
            valley=(tuple(np.cross(base[0], base[1]) / np.cross(base[0], base[1])[2]),),
        ),
        *(_nist(name) for name in NAMES if name != "Filip"),
    ]  # fmt: skip


def _nist(name: str) -> LeastSquares:
    nist = load(name)
    least = {"Longley": 1e-9, "Wampler4": 1e-6, "Wampler5": 1e-4}.get(name, 1e-7)
    point = np.array([float(value) for value in nist.coefficients])
    y = nist.columns["y"]
    return LeastSquares(
        name, nist.design(), y, Verdict.UNIQUE_GLOBAL_MINIMUM, point, float(nist.residual_ss), rel=least
    )


LEAST_SQUARES = _least_squares()
PROBLEMS = [*LEAST_SQUARES]
MEETINGS = [(method, problem) for problem in PROBLEMS for method in METHODS if method.kind == problem.kind]


def meeting(value) -> str:
    return value.name


@pytest.mark.parametrize("method, problem", MEETINGS, ids=meeting)
def test_point_and_verdict(method, problem):
    answer = method.run(problem)
    assert answer.verdict is problem.verdict
    assert answer.value == pytest.approx(problem.value, rel=1e-8, abs=1e-14 * problem.scale)
    if method.unique_point or not problem.valley:
        # A coordinate that is zero in truth is zero in the scale of the response.
        zero = 1e-13 * np.sqrt(problem.scale)
        assert answer.point == pytest.approx(problem.point, rel=problem.rel, abs=zero, nan_ok=True)
    else:
        step = answer.point - np.nan_to_num(problem.point)
        across, _ = np.linalg.qr(np.array(problem.valley).T)
        assert step - across @ (across.T @ step) == pytest.approx(0 * step, abs=1e-9 * np.linalg.norm(problem.y))
        # And of all its points the valley's nearest to the origin.
        assert np.array(problem.valley) @ answer.point == pytest.approx(0, abs=1e-9 * np.linalg.norm(problem.y))


@pytest.mark.parametrize("problem", LEAST_SQUARES, ids=meeting)
def test_the_zoo_itself_tells_the_truth(problem):
    """No method is asked here: the known answer must be a minimiser, unique or not as it says."""
    point = np.nan_to_num(problem.point)
    units = np.linalg.norm(problem.X / np.abs(problem.X).max(axis=0, initial=1e-300), axis=0)
    units = np.where(units > 0, units, 1.0) * np.maximum(np.abs(problem.X).max(axis=0), 1e-300)
    residual = problem.y - problem.X @ point
    rounding = 1e-12 * (np.linalg.norm(problem.y) + np.linalg.norm(np.abs(problem.X) @ np.abs(point)))
    assert np.abs((problem.X / units).T @ residual).max() <= rounding
    assert problem.objective(point) == pytest.approx(problem.value, rel=1e-6, abs=rounding**2)
    for direction in problem.valley:
        assert problem.X @ np.array(direction) == pytest.approx(0 * problem.y, abs=1e-10)
    assert (problem.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM) == (not problem.valley)


def test_every_method_meets_a_problem_and_every_problem_a_method():
    assert {method.name for method, _ in MEETINGS} == {method.name for method in METHODS}
    assert {problem.name for _, problem in MEETINGS} == {problem.name for problem in PROBLEMS}
    assert {problem.verdict for problem in PROBLEMS} >= {Verdict.UNIQUE_GLOBAL_MINIMUM, Verdict.GLOBAL_MINIMUM}
