"""Fitting arrays: choose a road, take it, and say what ran and why."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from surefoot.data.engine import Report, Watch
from surefoot.errors import BreakdownError, ModelError
from surefoot.leastsquares.backward import KARLSON_WALDEN, karlson_walden
from surefoot.leastsquares.constrained import FEW_UNITS, Constraints, Pinned, minimise_on, multipliers, null_space
from surefoot.leastsquares.dense import METHODS, TITLES, DenseSolution, solve_dense
from surefoot.leastsquares.passes import opened
from surefoot.leastsquares.precise import precise_look
from surefoot.leastsquares.rank import length, lengths
from surefoot.leastsquares.solution import power_of_two
from surefoot.leastsquares.system import prepare
from surefoot.leastsquares.within import solve_within
from surefoot.models.array_fit import Answer, ArrayFit, Multipliers
from surefoot.models.array_iterating import ITERATED, WALKED, iterated, iterated_within, walked
from surefoot.models.arrays import Task
from surefoot.wording import counted

VAST = 2e12
"""Flops of a Gram matrix from which a walk is tried first: half a minute of two cores."""

SHARE = 0.25
"""Of the predicted time of the formula that the walk is given."""

RANK_DEFICIENT = ("minimum-norm", "drop", "error")


def check_combination(task: Task, constraints: Constraints | None, *, exact: bool, compare: bool, prove: bool) -> None:
    """Refuse wishes that do not go together, before any work."""
    wishes = [word for word, wanted in (("exact", exact), ("compare", compare), ("prove", prove)) if wanted]
    if wishes and not task.is_dense:
        raise ModelError(f"{wishes[0]}=True needs the entries of A as a dense array: give A.toarray() if it is small.")
    if wishes and constraints is not None:
        raise ModelError(f"{wishes[0]}=True is not offered with bounds or equalities.")
    if exact and task.rounded:
        raise ModelError(
            f"Some numbers of {task.rounded} have more digits than a double, so the answer to them cannot be proven: "
            "give doubles, or fit a table with sf.fit(), which takes whole numbers and decimals as they are."
        )
    if (exact or compare) and task.ridge:
        raise ModelError(f"{wishes[0]}=True is not offered with a ridge penalty; prove=True is.")
    if compare and not task.is_vector:
        raise ModelError("compare=True takes one right-hand side: fit the columns of b one by one.")


def fit_arrays(
    task: Task,
    method: str,
    rank_deficient: str,
    constraints: Constraints | None,
    level: float,
    rate: float | None = None,
    report: Report | None = None,
) -> ArrayFit:
    """Fit by the method asked for, or by the first that answers to rounding.

    Raises
    ------
    DataError, ModelError
        As sentences; see ``surefoot.lstsq``.
    """
    start = time.perf_counter()
    if rank_deficient not in RANK_DEFICIENT:
        raise ModelError(f"rank_deficient is one of {', '.join(map(repr, RANK_DEFICIENT))}, not {rank_deficient!r}.")
    held = None
    if constraints is not None and _is_by_products(task, method):
        answer, held = iterated_within(task, method, rank_deficient, constraints, report)
    else:
        answer = _taken(task, method, rank_deficient, rate, report)
    if rank_deficient == "error" and answer.spectrum is not None and answer.spectrum.rank < len(task.names):
        raise ModelError(
            f"Only {answer.spectrum.rank} of the {len(task.names)} columns are independent, and "
            "rank_deficient='error' was asked for; 'drop' would leave later ones out, 'minimum-norm' spread the effect."
        )
    if constraints is not None and held is None:
        answer, held = constrained(task, answer, constraints.dense())
    return ArrayFit(task, answer, described(answer), level, multipliers=held, seconds=time.perf_counter() - start)


def _is_by_products(task: Task, method: str) -> bool:
    """Whether bounds and equalities are met by products with the matrix alone."""
    if method in WALKED:
        raise ModelError(f"method={method!r} takes no bounds and no equalities: leave the method to 'auto'.")
    return method in ITERATED or (method == "auto" and (not task.is_dense or _is_vast(task)))


def _taken(task: Task, method: str, rank_deficient: str, rate: float | None, report: Report | None) -> Answer:
    """By the road that was asked for, or that suits the matrix."""
    if rate is not None and method != "gradient":
        raise ModelError("A learning rate belongs to method='gradient'.")
    if method in WALKED:
        return walked(task, method, rate, report)
    if method in ITERATED or (method == "auto" and not task.is_dense):
        return iterated(task, method, rank_deficient, report)
    if method not in ("auto", *METHODS):
        known = ("auto", *METHODS, *ITERATED, *WALKED)
        raise ModelError(f"There is no method {method!r}: give one of {', '.join(map(repr, known))}.")
    if not task.is_dense:
        raise ModelError(
            f"method={method!r} takes the entries of a dense array: give A.toarray() if it is small, or take one of "
            f"{', '.join(map(repr, ITERATED))}."
        )
    if method == "auto" and _is_vast(task):
        return _vast_answer(task, rank_deficient, report)
    return dense_answer(task, method, rank_deficient)


def _is_vast(task: Task) -> bool:
    """Whether the Gram matrix takes so long that a walk may well be there before."""
    rows, columns = task.matrix.shape
    return rows >= columns and rows * float(columns) ** 2 >= VAST


def _vast_answer(task: Task, rank_deficient: str, report: Report | None) -> Answer:
    """Conjugate gradients for a share of the time that the formula is predicted to take, and then the formula.

    A step costs 4mn flops, the formula mn^2: with thousands of columns descent overtakes it, unless the condition is
    high, and what the condition is the walk itself finds out.
    """
    from surefoot.models.plan import make_plan

    formula = make_plan(task.rows, len(task.names), 1.0, "not known yet").candidate("seminormal").seconds
    first = iterated(task, "cg", rank_deficient, report, SHARE * formula) if rank_deficient != "drop" else None
    if first is not None and first.arrived:
        return replace(first, detail=f"{first.detail}; the formula was predicted to take {formula:.0f} s")
    found = dense_answer(task, "auto", rank_deficient)
    if first is None:
        return found
    tried = (f"conjugate gradients: {first.stop} (a share of the {formula:.0f} s that the formula would take)",)
    return replace(found, tried=(*tried, *found.tried))


def described(answer: Answer) -> str:
    """What ran, and why what is cheaper did not."""
    name = TITLES.get(answer.method, answer.method)
    ran = f"{name}: {answer.detail}, {answer.passes} passes over the rows"
    return ran + (f" (before it, {' '.join(answer.tried)})" if answer.tried else "")


def dense_answer(task: Task, method: str, rank_deficient: str) -> Answer:
    """By the ladder of dense methods, or by one of its rungs."""
    matrix, right = task.weighted()
    policy = "drop" if rank_deficient == "drop" else "minimum-norm"
    return _answer(solve_dense(matrix, right, method, rank_deficient=policy))


def _answer(found: DenseSolution) -> Answer:
    return Answer(
        coef=found.coef, slope=found.slope, residual=found.residual, response=found.response,
        backward_error=found.backward_error, backward_error_kind=KARLSON_WALDEN, upper=found.upper,
        spectrum=found.spectrum, kept=found.kept, method=found.method, detail=found.detail,
        stop="closed form, nothing to iterate", tried=found.tried, steps=found.steps, passes=found.passes,
        aliased=found.aliased,
    )  # fmt: skip


def constrained(task: Task, free: Answer, constraints: Constraints) -> tuple[Answer, Multipliers]:
    """The minimiser on the constraints: the active set from a triangle, then its free part from the rows again."""
    if free.coef.shape[1] != 1:
        raise ModelError("Bounds and equalities take one right-hand side: fit the columns of b one by one.")
    if len(free.kept) < len(task.names):
        raise ModelError("Bounds and equalities take every column: say rank_deficient='minimum-norm'.")
    root = free.upper if free.upper is not None else _root(free)
    pinned = _pinned(root, free.coef[:, 0], constraints)
    matrix, right = task.weighted()
    matrix = np.asarray(matrix, dtype=np.float64)
    x = _polished(matrix, right, pinned.x, pinned.free, constraints)
    residual = right[:, 0] - matrix @ x
    gradient = matrix.T @ residual
    bounds, prices = multipliers(-2 * gradient, pinned, constraints.matrix)
    # On the equalities only what is not paid for by a multiplier counts as gradient.
    rest = (gradient + constraints.matrix.T @ prices / 2)[:, None]
    rest[~pinned.free] = 0.0
    size, sizes = lengths(residual[:, None]), lengths(matrix)
    slope = rest / np.where(sizes > 0, sizes, 1.0)[:, None]
    free_root = root[:, pinned.free]
    answer = replace(
        free,
        coef=x[:, None],
        slope=slope,
        residual=size,
        backward_error=karlson_walden(
            np.asarray(np.linalg.qr(free_root, mode="r")), x[pinned.free, None], slope[pinned.free], size, free.response
        ),
        detail=f"{free.detail}; then {counted(pinned.steps, 'working set')} of bounds and equalities",
        passes=free.passes + 3,
    )
    paid = np.abs(constraints.matrix.T) @ np.abs(prices)
    rounding = FEW_UNITS * (2 * sizes * (free.response + length(sizes * x)) + paid)
    return answer, Multipliers(bounds, prices, pinned.at_lower, pinned.at_upper, rounding)


def _pinned(root: np.ndarray, centre: np.ndarray, constraints: Constraints) -> Pinned:
    """By working sets, one bound at a time; where these go in circles, by projections of many bounds at a time."""
    try:
        return minimise_on(root, centre, constraints)
    except BreakdownError:
        found = solve_within(prepare(root), root @ centre, constraints)
        if not found.reached:
            raise
        return Pinned(found.coef, found.at_lower, found.at_upper, found.rounds)


def _root(free: Answer) -> np.ndarray:
    assert free.spectrum is not None
    return free.spectrum.root()


def _polished(
    matrix: np.ndarray, right: np.ndarray, x: np.ndarray, free: np.ndarray, constraints: Constraints
) -> np.ndarray:
    """The free coefficients from the rows themselves; the triangle is only as exact as its method."""
    if not np.any(free):
        return x
    wanted = right - (matrix[:, ~free] @ x[~free])[:, None]
    part = matrix[:, free]
    polished = x.copy()
    if len(constraints.matrix):
        along = null_space(constraints.matrix[:, free])
        if not along.shape[1]:
            return x
        found = solve_dense(part @ along, wanted - (part @ x[free])[:, None])
        polished[free] = x[free] + along @ found.coef[:, 0]
    else:
        found = solve_dense(part, wanted)
        polished[free] = found.coef[:, 0]
    inside = np.all((polished >= constraints.lower) & (polished <= constraints.upper))
    return polished if inside else np.clip(polished, constraints.lower, constraints.upper)


def exactly(fitted: ArrayFit, report: Report | None = None) -> ArrayFit:
    """The fit with every number proven, from the doubles as the fractions that they are.

    Raises
    ------
    ModelError
        It would take hours, or the columns depend on each other and the shortest minimiser was asked for.
    """
    from surefoot.models.exact import announce, estimated_seconds
    from surefoot.proof.exact_arrays import exact_lstsq

    task, start = fitted.task, time.perf_counter()
    seconds = estimated_seconds(task.rows, len(task.names), True)
    announce(seconds, task.rows, len(task.names), report)
    watch = Watch(task.rows, report)
    with watch.interruptible():
        blocks = watch.counting(f"proving digits, about {seconds:.0f} s")
        right = task.right[:, 0] if task.is_vector else task.right
        found = exact_lstsq(task.matrix, right, task.weights, blocks, names=task.names)
    if found.dependences:
        raise ModelError(
            f"The columns depend on each other exactly ({task.names[found.dependences[0].column]} on the others), "
            "so there is no one answer to prove: leave such columns out."
        )
    proof = time.perf_counter() - start
    if not found.is_decided:
        return replace(fitted, proven=found.certificate, proof_seconds=proof)
    coef = found.coef.value.reshape(fitted.answer.coef.shape)
    answer = replace(
        fitted.answer,
        coef=coef,
        residual=np.reshape(found.residual_length, -1),
        upper=found.upper,
        spectrum=None,
        kept=found.kept,
        aliased=(),
        method="exact",
        stop="every digit in the table of proven digits is proven",
        tried=(),
        arrived=True,
        **_seen_from(task, coef, found.upper),
    )
    return replace(
        fitted,
        answer=answer,
        method=f"A'WA formed without rounding and solved in balls of {found.bits} bits",
        proven=found.certificate,
        exact=found,
        proven_digits=found.digits,
        proof_seconds=proof,
    )


def _seen_from(task: Task, coef: np.ndarray, upper: np.ndarray) -> dict[str, Any]:
    """The residual along each column, and the backward error, at coefficients that were rounded once to doubles."""
    matrix, right = task.weighted()
    sizes = lengths(upper)
    with opened(np.asarray(matrix, dtype=np.float64), right) as rows:
        seen = precise_look(rows, power_of_two(upper), coef * power_of_two(upper)[:, None])
    slope = seen.gradient * (power_of_two(upper) / sizes)[:, None]
    residual, response = np.sqrt(seen.squares), lengths(right)
    error = karlson_walden(upper, coef, slope, residual, response)
    return {"slope": slope, "backward_error": error, "backward_error_kind": KARLSON_WALDEN}


def beside_other_roads(fitted: ArrayFit) -> ArrayFit:
    """The fit with other methods beside it."""
    from surefoot.models.roads import compare_arrays

    task = fitted.task
    exact = None if fitted.exact is None else fitted.coef
    return replace(fitted, roads=compare_arrays(task.matrix, task.right[:, 0], task.weights, exact=exact))
