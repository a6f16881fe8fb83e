"""The verbs: what a person asks for, in one call each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.data.design_learning import Request
from surefoot.data.engine import Progress
from surefoot.data.source import Source, open_source
from surefoot.errors import ModelError
from surefoot.models.comparison import Comparison, compare_fits
from surefoot.models.covariance import KINDS
from surefoot.models.fit import Fit, checked_level
from surefoot.models.fitting import Wishes, fit_linear
from surefoot.models.predict_file import Predicted, predict_to_file
from surefoot.models.rows import BATCH
from surefoot.models.saved import load

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
    batch_rows: int = BATCH,
    progress: Report | None = None,
) -> Fit:
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
    batch_rows : int
        Rows read at a time. The answer does not depend on it but for rounding.
    progress : callable, optional
        Called with a ``Progress`` after each batch.

    Returns
    -------
    Fit
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
    arrays = {_ARRAYS[word]: np.asarray(given) for word, given in side.items() if not _is_expression(given)}
    source = _source(data, query, filter, arrays)
    texts = {word: given if _is_expression(given) else f"`{_ARRAYS[word]}`" for word, given in side.items()}
    request = Request(formula, **texts, missing=missing, extra=(groups,) if groups else ())
    fitted = fit_linear(source, request, Wishes(rank_deficient, refine, diagnostics, level, batch_rows), progress)
    return fitted if errors == "classical" else fitted.robust(errors, groups=groups, lags=lags, progress=progress)


def compare(*fits: Fit) -> Comparison:
    """Fits side by side, nested ones tested by F against the next larger.

    Parameters
    ----------
    *fits : Fit
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
    fit: Fit,
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
    fit : Fit
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
    source = open_source(data, query=query, filter=filter)
    level = checked_level(fit.level if level is None else level)
    return predict_to_file(fit, source, None if output is None else Path(output), interval, level, progress)


def _is_expression(given: object) -> bool:
    return given is None or isinstance(given, str)


def _source(data: Any, query: str | None, filter: str | None, arrays: Mapping[str, np.ndarray]) -> Source:
    return open_source(data, query=query, filter=filter, extra=arrays or None)


__all__ = ["compare", "fit", "load", "predict"]
