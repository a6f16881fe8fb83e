"""The command line of data: ``surefoot fit`` and ``surefoot predict``, and how every command ends. It calls verbs.

Exit code 0: answered. 1: the honest answer is a refusal (the data cannot be used). 2: the call was wrong.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

from cyclopts import App, Parameter

from surefoot import __version__
from surefoot.apps import cli_certify, cli_convexity, cli_minima, cli_residuals, cli_survey
from surefoot.apps.common import print_tested, write_files
from surefoot.apps.interrupts import STOPPED, leave, undisturbed
from surefoot.errors import Interrupted, OptionError, SurefootError, TextError
from surefoot.interruption import listening
from surefoot.wording import counted

app = App(
    name="surefoot",
    version=__version__,
    help="Fit models to data, minimise functions, and say truthfully what the answer is.",
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # we say how far it had come
)

Errors = Literal["classical", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC"]


@app.command
def fit(
    formula: str,
    data: Annotated[list[str], Parameter(negative=())],
    *,
    weights: str | None = None,
    frequencies: str | None = None,
    offset: str | None = None,
    filter: str | None = None,
    query: str | None = None,
    missing: Literal["drop", "error"] = "drop",
    rank_deficient: Literal["drop", "minimum-norm", "error"] = "drop",
    errors: Errors = "classical",
    groups: str | None = None,
    lags: int | None = None,
    test: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    refine: bool | None = None,
    diagnostics: bool | None = None,
    level: float = 0.95,
    exact: Annotated[bool, Parameter(negative=())] = False,
    compare: Annotated[bool, Parameter(negative=())] = False,
    explain: Annotated[bool, Parameter(negative=())] = False,
    prove: bool | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    report: Path | None = None,
    save: Path | None = None,
) -> int:
    """Fit a linear model to a file and print what to believe of it.

    Parameters
    ----------
    formula
        As in R: "y ~ x + log(z)"; ^ is power.
    data
        Files (CSV, TSV, Parquet, JSON lines, .gz), a glob or a folder; or a database: an SQLite file, sqlite:///path,
        postgresql://user@host/database.
    weights
        Precision weights: a column or an expression.
    frequencies
        Counts: a row of frequency 2 is two rows.
    offset
        A part of the response with coefficient one.
    filter
        SQL condition on the rows, as "year >= 2000".
    query
        SQL query over the data, which it calls data; in a database, over its own tables.
    missing
        Leave rows with a missing value out, or refuse them.
    rank_deficient
        Where columns depend on each other: leave later ones out, take the shortest solution, or refuse.
    errors
        Kind of standard errors.
    groups
        Column of the clusters, with --errors cluster.
    lags
        Reach of --errors HAC.
    test
        A linear hypothesis, as "x1 = x2"; may be given several times.
    refine
        A second pass with residuals in twice the precision; by default where it is cheap.
    diagnostics
        Residual quartiles, Durbin-Watson and so on; by default where they are cheap.
    level
        Of the intervals.
    exact
        Read the numbers as they are written, and prove every digit that is printed.
    compare
        Take other roads to the answer too, formulas and walks, and say how far they agree.
    explain
        Say first what each method would cost on this machine, and why one is chosen.
    prove
        Insist on a proof of the verdict, or with --no-prove skip it; by default it is tried where it is cheap.
    json
        Print everything as JSON instead.
    report
        Write a one-file HTML report.
    save
        Write the model as JSON, for surefoot predict.
    """
    from surefoot.apps.progress import shown

    verbs = _loaded_verbs()

    with shown() as progress:
        fitted = verbs.fit(
            formula, data[0] if len(data) == 1 else data, weights=weights, frequencies=frequencies, offset=offset,
            filter=filter, query=query, missing=missing, rank_deficient=rank_deficient, errors=errors, groups=groups,
            lags=lags, refine=refine, diagnostics=diagnostics, level=level, exact=exact, compare=compare,
            explain=explain, prove=prove, progress=progress,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    print_tested(fitted, test or [], as_json=json)
    write_files([("Model", save, fitted.save), ("Report", report, fitted.to_html)], quiet=json)
    return 0


@app.command
def predict(
    model: Path,
    data: Annotated[list[str], Parameter(negative=())],
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    interval: Literal["confidence", "prediction"] | None = None,
    level: float | None = None,
    filter: str | None = None,
    query: str | None = None,
) -> int:
    """Predict new rows with a saved model, streaming: the columns of the data, with the predictions beside them.

    Parameters
    ----------
    model
        Written by surefoot fit --save.
    data
        Files or a database with the predictors' columns.
    output
        Parquet or CSV by its ending; without it, CSV to standard output.
    interval
        For the mean (confidence) or for a new observation (prediction).
    level
        Of the interval.
    filter
        SQL condition on the rows.
    query
        SQL query over the data, which it calls data; in a database, over its own tables.
    """
    from surefoot.apps.progress import shown

    verbs = _loaded_verbs()
    from surefoot.verbs.loading import load

    with shown() as progress:
        outcome = verbs.predict(
            load(model), data[0] if len(data) == 1 else data, output, interval=interval, level=level,
            filter=filter, query=query, progress=progress,
        )  # fmt: skip
    for remark in outcome.remarks:
        print(remark, file=sys.stderr)
    if output is not None:
        print(f"{counted(outcome.rows, 'row')} written to {output}.")
    return 0


cli_minima.register(app)
cli_residuals.register(app)
cli_convexity.register(app)
cli_certify.register(app)
cli_survey.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; sentences instead of tracebacks."""
    code = run(arguments)
    if code == STOPPED:
        leave(code)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """The exit code of a call."""
    try:
        with listening():  # so that a library's callbacks print nothing of a Ctrl-C
            code = int(app(arguments, exit_on_error=False, print_error=True) or 0)
        # What is still in the buffer is written here, where a reader who has gone can be answered.
        sys.stdout.flush()
        return code
    except (TextError, OptionError) as error:
        print(f"surefoot: {error}", file=sys.stderr)
        return 2
    except SurefootError as error:
        print(f"surefoot: {error}", file=sys.stderr)
        return 1
    except Interrupted as stopped:
        print(f"\nsurefoot: {stopped}", file=sys.stderr)
        return STOPPED
    except KeyboardInterrupt:
        print("\nsurefoot: Stopped by Ctrl-C; nothing was written.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough. Python would complain when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"surefoot: The output could not be written: {error.strerror}.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if type(error).__module__.startswith("cyclopts"):
            return 2
        raise


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that every one of them needs."""
    with undisturbed():
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401
        import scipy.linalg.lapack  # noqa: F401

        from surefoot.verbs import fits as verbs
    return verbs
