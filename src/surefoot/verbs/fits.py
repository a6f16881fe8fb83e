"""The verbs of fitting: what a person asks of data, in one call each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.data.design_learning import Request
from surefoot.data.engine import Progress
from surefoot.data.source import Source, open_source
from surefoot.errors import ModelError
from surefoot.leastsquares.digits import MOST
from surefoot.models.array_fit import ArrayFit
from surefoot.models.array_fitting import beside_other_roads, check_combination, exactly, fit_arrays
from surefoot.models.arrays import read_constraints, read_task
from surefoot.models.base import checked_level
from surefoot.models.comparison import Comparison, compare_fits
from surefoot.models.covariance import KINDS
from surefoot.models.enclosing import CHEAP, unproven, verdict_of
from surefoot.models.fit import FormulaFit
from surefoot.models.fitting import Wishes, fit_linear
from surefoot.models.predict_file import Predicted, predict_to_file
from surefoot.models.rows import BATCH
from surefoot.proof.certificate import Rigour

Report = Callable[[Progress], None]

_ARRAYS = {"weights": "(weights)", "frequencies": "(frequencies)", "offset": "(offset)", "groups": "(groups)"}
"""Names of the columns that hold what was given as an array: no data column can be called so by accident."""


def fit(
    formula: str,
    data: Any,
    *,
    weights: str | Sequence[float] | np.ndarray | None = None,
    frequencies: str | Sequence[int] | np.ndarray | None = None,
    offset: str | Sequence[float] | np.ndarray | None = None,
    filter: str | None = None,
    query: str | None = None,
    missing: str = "drop",
    rank_deficient: str = "drop",
    errors: str = "classical",
    groups: str | None = None,
    lags: int | None = None,
    refine: bool | None = None,
    diagnostics: bool | None = None,
    level: float = 0.95,
    exact: bool = False,
    compare: bool = False,
    explain: bool = False,
    prove: bool | None = None,
    batch_rows: int = BATCH,
    progress: Report | None = None,
) -> FormulaFit:
    """Fit a linear model to a table, a file or a stream of any size.

    Parameters
    ----------
    formula : str
        As in R: ``"y ~ x + log(z)"``, ``"y ~ 0 + a*b"``, ``"y ~ poly(x, 3) + C(g, Treatment('b'))"``. ``^`` is power.
    data
        A path (CSV, TSV, Parquet, JSON lines, .gz too), a glob, a folder, a list of paths; a pandas, polars or pyarrow
        table; a dict of arrays; a database (``postgresql://user@host/database``, ``sqlite:///path``, an SQLite file);
        or what ``open_source`` gave.
    weights : str or array, optional
        Precision weights: an expression over the columns, or (for data in memory) an array. A row of weight 2 has half
        the variance; a row of weight 0 is no row.
    frequencies : str or array, optional
        Counts: a row of frequency 2 is exactly two rows.
    offset : str or array, optional
        A part of the response with coefficient one.
    filter : str, optional
        SQL condition on the rows, as ``"year >= 2000 and region = 'north'"``.
    query : str, optional
        SQL query over the data, which it calls ``data``. In a database it runs there, over the database's own tables.
    missing : {'drop', 'error'}
        Rows with a missing value in a column of the model are left out and counted, or refused.
    rank_deficient : {'drop', 'minimum-norm', 'error'}
        Where columns depend on each other: leave the later ones out, take the shortest solution, or refuse.
    errors : {'classical', 'HC0', 'HC1', 'HC2', 'HC3', 'cluster', 'HAC'}
        Kind of standard errors; ``groups`` names the column of clusters, ``lags`` the reach of HAC.
    refine : bool, optional
        A second pass with residuals in twice the precision. By default taken where it costs next to nothing.
    diagnostics : bool, optional
        Residual quartiles, leverage, Durbin-Watson, Jarque-Bera: further passes. By default taken where they are cheap.
    level : float
        Of the confidence intervals.
    exact : bool
        Read the numbers as they are written, form the columns without rounding and solve in balls until every printed
        digit is proven: slower, and with the verdict PROVEN. ``center``, ``scale``, ``poly`` and ``bs`` are refused.
    compare : bool
        Take other roads to the same answer too (normal equations, QR, SVD, conjugate gradients, gradient descent) and
        report their agreement as ``fit.roads``: a few seconds, and several passes.
    explain : bool
        Predict before the pass what each method would cost, flops, bytes, passes, steps and seconds on this machine,
        and why one is chosen: ``fit.plan``.
    prove : bool, optional
        Prove full rank and enclose the minimiser, of the columns as doubles, in arithmetic rounded outward. By default
        where that takes next to no time; ``exact`` proves more.
    batch_rows : int
        Rows read at a time. The answer does not depend on it but for rounding.
    progress : callable, optional
        Called with a ``Progress`` after each batch.

    Returns
    -------
    FormulaFit
        Coefficients, statistics and the verdict.

    Raises
    ------
    FormulaError
        The formula cannot be understood; the message points at the place.
    DataError
        The data cannot be used; the message names file, row and column.
    ModelError
        These data cannot answer what was asked.

    References
    ----------
    Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.3, pp. 260-265 (least squares by QR).

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
    >>> round(fit["x"].value, 3), round(fit["x"].stderr, 4)
    (1.94, 0.0906)
    """
    if errors not in ("classical", *KINDS):
        raise ModelError(f"errors is one of 'classical', {', '.join(map(repr, KINDS))}, not {errors!r}.")
    side = {"weights": weights, "frequencies": frequencies, "offset": offset}
    given_arrays = {_ARRAYS[word]: given for word, given in side.items() if not _is_expression(given)}
    # A list stays one: an array of its numbers might be of rounded ones.
    arrays = {word: one if isinstance(one, list) else np.asarray(one) for word, one in given_arrays.items()}
    source = _source(data, query, filter, arrays)
    texts = {word: given if _is_expression(given) else f"`{_ARRAYS[word]}`" for word, given in side.items()}
    request = Request(formula, **texts, missing=missing, extra=(groups,) if groups else ())
    wishes = Wishes(rank_deficient, refine, diagnostics, level, batch_rows, compare, explain, prove)
    if exact:
        return _fit_proven(source, request, wishes, errors, progress)
    fitted = fit_linear(source, request, wishes, progress)
    return fitted if errors == "classical" else fitted.robust(errors, groups=groups, lags=lags, progress=progress)


def lstsq(
    A: Any,
    b: Any,
    *,
    method: str = "auto",
    rate: float | None = None,
    weights: Any = None,
    ridge: float = 0.0,
    bounds: tuple[Any, Any] | None = None,
    equalities: tuple[Any, Any] | None = None,
    rank_deficient: str = "minimum-norm",
    names: Sequence[str] | None = None,
    level: float = 0.95,
    prove: bool | None = None,
    exact: bool = False,
    compare: bool = False,
    progress: Report | None = None,
) -> ArrayFit:
    """Least squares of arrays: minimise ``|W^(1/2)(b - A x)|^2 + ridge |x|^2``.

    Parameters
    ----------
    A : array (m, n), table, sparse matrix or operator
        float64, or float32, which is factored in single precision and corrected in double. A pandas or polars table
        gives its columns their names.
    b : array (m,) or (m, k)
        One right-hand side or several.
    method : str
        'auto' climbs from the cheapest method until the backward error is rounding. By name: 'normal' (the normal
        equations as they stand), 'seminormal' (corrected), 'cholesky-qr', 'qr', 'svd' for dense arrays; 'lsmr', 'cg',
        'gram' (LSMR with the factor of the Gram matrix), 'sketch' (with the QR of a sketch) by products with A and its
        transpose; 'gradient' (a fixed learning rate) and 'steepest' (exact line search) on foot, downhill from zero.
    rate : float, optional
        Of method='gradient'; 1/L, measured first, if not given. The bowl is ``|b - A x|^2``, L its largest curvature,
        ``2 |A|^2``: a rate above 2/L is stopped with that explanation.
    weights : array (m,), optional
        Precision weights. A row of weight 0 is no row.
    ridge : float
        Penalty on the squared length of the coefficients.
    bounds : (lower, upper), optional
        Each a number or one for each column; infinite where there is none.
    equalities : (C, d), optional
        Coefficients satisfy ``C x = d``; C dense or sparse. Bounds and equalities take a dense array, a sparse matrix
        or an operator, and every method but those on foot.
    rank_deficient : {'minimum-norm', 'drop', 'error'}
        Where columns depend on each other: the shortest minimiser, later columns left out (NaN), or a refusal.
    names : sequence of str, optional
        Of the columns.
    level : float
        Of the confidence intervals.
    prove : bool, optional
        Prove full rank and enclose the coefficients in arithmetic rounded outward. By default where that takes next
        to no time; it costs a few times the fit.
    exact : bool
        Take every double as the fraction that it is, and solve in balls until every digit that is printed is proven.
    compare : bool
        Take the other roads too (normal equations, QR, SVD, conjugate gradients, gradient descent) and report their
        agreement as ``fit.roads``.
    progress : callable, optional
        Called with a ``Progress`` as the work goes on, where it takes long.

    Returns
    -------
    ArrayFit
        Coefficients, their backward error, what ran, and the verdict.

    Raises
    ------
    DataError
        An argument cannot be used; the message says where and why.
    ModelError
        These arrays cannot answer what was asked.

    References
    ----------
    Bjorck (1987), "Stability analysis of the method of seminormal equations for linear least squares problems",
    Linear Algebra Appl. 88/89, pp. 31-48 (section 5, pp. 43-46); Golub, Van Loan (2013), "Matrix Computations", 4th
    ed., section 5.3, pp. 260-265.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0])
    >>> fit.coef.round(12).tolist(), fit.verdict.value
    ([1.0, 2.0], 'unique global minimum')
    """
    task = read_task(A, b, weights, ridge, names)
    constraints = read_constraints(bounds, equalities, len(task.names))
    check_combination(task, constraints, exact=exact, compare=compare, prove=bool(prove))
    fitted = fit_arrays(task, method, rank_deficient, constraints, checked_level(level), rate, progress)
    if exact:
        fitted = exactly(fitted, progress)
    elif prove or (prove is None and constraints is None and task.is_dense and task.matrix.size <= CHEAP):
        fitted = _proven(fitted)
    return beside_other_roads(fitted) if compare else fitted


def _proven(fitted: ArrayFit) -> ArrayFit:
    """The fit with the judge's proof; where it does not close, the floating point verdict says why."""
    from surefoot.proof.enclosure import certify_least_squares

    start = time.perf_counter()
    task, coef = fitted.task, fitted.coef
    if task.rounded:
        reason = f"Some numbers of {task.rounded} have more digits than a double and were rounded."
        return fitted.with_proof(unproven(fitted.certificate, reason, 0.0), None, 0.0)
    right = task.right[:, 0] if task.is_vector else task.right
    passes = 4 if task.matrix.size <= CHEAP else 1
    found = certify_least_squares(
        task.matrix, right, coef, fitted.inverse_triangle(), task.weights, task.ridge, passes=passes
    )
    seconds = time.perf_counter() - start
    verdict = verdict_of(found, coef, lambda: fitted.certificate, seconds, arrived=fitted.answer.arrived)
    if verdict.rigour is not Rigour.PROVEN:
        return fitted.with_proof(verdict, None, seconds)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = -np.log10(np.where(found.error == 0, 0.0, found.error / np.abs(coef)))
    return fitted.with_proof(verdict, np.clip(np.nan_to_num(digits), 0.0, MOST), seconds)


def compare(*fits: FormulaFit) -> Comparison:
    """Fits side by side, nested ones tested by F against the next larger.

    Parameters
    ----------
    *fits : FormulaFit
        At least two, of the same response and the same rows.

    Raises
    ------
    ModelError
        The fits are of different rows or responses.

    References
    ----------
    Draper, Smith (1998), "Applied Regression Analysis", 3rd ed., Wiley, section 6.1, pp. 149-153 (extra sum of
    squares).

    Examples
    --------
    >>> import surefoot as sf
    >>> data = {"x": [1, 2, 3, 4, 5], "y": [2.1, 3.9, 6.2, 7.8, 10.1]}
    >>> comparison = sf.compare(sf.fit("y ~ 1", data), sf.fit("y ~ x", data))
    >>> comparison.tests[0].df
    (1.0, 3.0)
    """
    return compare_fits(fits)


def predict(
    fit: FormulaFit,
    data: Any,
    output: str | Path | None = None,
    *,
    interval: str | None = None,
    level: float | None = None,
    filter: str | None = None,
    query: str | None = None,
    progress: Report | None = None,
) -> Predicted:
    """Predict every row of a source of any size into a file; ``Fit.predict`` is for rows that fit in memory.

    Parameters
    ----------
    fit : FormulaFit
        From ``sf.fit`` or ``sf.load``.
    data
        Whatever ``sf.fit`` reads.
    output : path, optional
        Parquet or CSV by its ending. Without it, CSV to standard output.
    interval : {'confidence', 'prediction'}, optional
        For the mean, or for a new observation.
    level : float, optional
        Of the interval; the level of the fit if not given.
    filter, query : str, optional
        As for ``fit``.
    progress : callable, optional
        Called with a ``Progress`` after each batch.

    Raises
    ------
    DataError
        The data lack a column, or the output cannot be written; nothing is left half written.
    """
    if not isinstance(fit, FormulaFit):
        raise ModelError("A fit of arrays knows no table: predict new rows of an array with fit.predict(A).")
    source = open_source(data, query=query, filter=filter)
    level = checked_level(fit.level if level is None else level)
    return predict_to_file(fit, source, None if output is None else Path(output), interval, level, progress)


def _fit_proven(source: Source, request: Request, wishes: Wishes, errors: str, progress: Report | None) -> FormulaFit:
    from surefoot.models.exact import fit_proven

    if errors != "classical":
        raise ModelError(f"exact=True proves classical standard errors, not {errors!r}: leave one of the two out.")
    return fit_proven(source, request, wishes, progress)


def _is_expression(given: object) -> bool:
    return given is None or isinstance(given, str)


def _source(data: Any, query: str | None, filter: str | None, arrays: Mapping[str, Any]) -> Source:
    return open_source(data, query=query, filter=filter, extra=arrays or None)


__all__ = ["compare", "fit", "lstsq", "predict"]
