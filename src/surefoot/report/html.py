"""The report of a fit as one self-contained HTML page, and as a small card for notebooks.

Every text from outside (formula, column names, file names) is escaped by the template engine. The page has no script,
and its content security policy forbids it to fetch anything.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.files import whole_file
from surefoot.report import cells
from surefoot.report.captions import NO_ROWS, bowl_caption, data_caption, normal_caption, residual_caption
from surefoot.report.captions_roads import descents_caption, perpendicular_caption, walks_caption
from surefoot.report.cells import decimals_of
from surefoot.report.numbers import DASH, fixed, plain, probability, r_squared, signed, t_value
from surefoot.report.plan import plan_table
from surefoot.report.roads import road_table
from surefoot.report.sentences import digits_sentence
from surefoot.wording import combination, counted

if TYPE_CHECKING:
    from jinja2 import Environment

    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.fit import FormulaFit
    from surefoot.models.picture import Picture

FEW_DIGITS = 6
"""Digits are worth a column of their own only where some coefficient has fewer than this."""

SWITCHES = ("exact", "compare", "explain")
"""Options that are on or off."""

FILES = (".csv", ".tsv", ".txt", ".dat", ".parquet", ".pq", ".json", ".jsonl", ".ndjson", ".gz")


@dataclass(frozen=True)
class Line:
    """One line of the coefficient table, as text; ``note`` says what an aliased column is made of."""

    name: str
    cells: tuple[str, ...]
    digits: str
    note: str


@dataclass(frozen=True)
class Shown:
    """One picture: its heading, the SVG element (safe markup) and the picture in words."""

    title: str
    svg: Any
    caption: str


def page(fit: FormulaFit, picture: Picture | None = None) -> str:
    """The whole report.

    Parameters
    ----------
    fit : FormulaFit
        What was fitted.
    picture : Picture, optional
        The numbers of its pictures, from ``surefoot.models.picture.gather``; without it there are none.
    """
    return render(
        "page.html.j2",
        **_facts(fit),
        pictures=pictures_of(fit, picture),
        no_rows=NO_ROWS if picture is not None and picture.sample is None else "",
        roads=None if fit.roads is None else road_table(fit.roads),
        plan=None if fit.plan is None else plan_table(fit.plan),
        sections=[("Statistics", _statistics(fit)), ("Diagnostics", _diagnostics(fit)), ("Rows", _rows(fit))],
        python=_python(fit),
        command=_command(fit),
        has_file=_is_file(fit),
    )


def card(fit: FormulaFit) -> str:
    """Formula, coefficients and verdict, for a notebook."""
    return render("card.html.j2", **_facts(fit))


def render(template: str, **facts: Any) -> str:
    """A template with its facts, each text escaped."""
    return _templates().get_template(template).render(**facts)


def write_text(path: str | Path, text: str) -> None:
    """Write a page; the file is there whole or not at all.

    Raises
    ------
    DataError
        The file cannot be written; the sentence says why.
    """
    with whole_file(path, "report") as target:
        target.write_text(text, encoding="utf-8")


@cache
def _templates() -> Environment:
    from importlib.resources import files

    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = files("surefoot.report") / "templates"
    made = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["signed"] = signed
    return made


def _facts(fit: FormulaFit) -> dict[str, Any]:
    """What page and card share."""
    certificate, s = fit.certificate, fit.statistics
    spread = (
        f"residual sd {plain(s.sigma)} on {s.df_residual:,} df"
        if s.df_residual > 0
        else "no residual degrees of freedom"
    )
    r2 = "R² undefined: the response is constant" if math.isnan(s.r2) else f"R² {r_squared(s.r2)}"
    return {
        "formula": fit.formula,
        "verdict": certificate.verdict.value,
        "rigour": certificate.rigour.value,
        "claim": " ".join([certificate.claim, *shape_words(fit)]),
        "lines": certificate.lines,
        "digits": digits_sentence(fit),
        "method": fit.method,
        "stop": fit.stop,
        "level": f"{100 * fit.level:g}%",
        "table": table_of(fit),
        "proven": proven_of(fit),
        "show_digits": any(digits < FEW_DIGITS for digits in fit.digits if not math.isnan(digits)),
        "errors": _errors(fit),
        "line": f"{counted(s.rows, 'row')}, {spread}, {r2}",
    }


def shape_words(fit: FormulaFit | ArrayFit) -> list[str]:
    """How the bowl rises, and where it does not."""
    evidence = fit.certificate.evidence
    curvature, valley = evidence.get("smallest_curvature"), evidence.get("valley", ())
    rises = [f"The bowl's smallest curvature is {plain(curvature, 3)}."] if curvature else []
    return rises + [f"It is flat along {combination(direction)}." for direction in valley]


def table_of(fit: FormulaFit | ArrayFit) -> list[Line]:
    """The lines of the coefficient table."""
    texts = [
        [fixed(number, places) for number in numbers]
        for numbers, places in zip(
            zip(fit.coef, fit.stderr, *fit.interval().T, strict=True), decimals_of(fit), strict=True
        )
    ]
    widths = [max((len(row[c]) for row in texts), default=0) for c in (2, 3)]
    lines = []
    for k, (name, (value, error, low, high)) in enumerate(zip(fit.names, texts, strict=True)):
        note = f"= {combination(fit.aliased[name])}" if name in fit.aliased else ""
        interval = DASH if low == DASH else f"[{_padded(low, widths[0])}, {_padded(high, widths[1])}]"
        digits = DASH if math.isnan(fit.digits[k]) else f"{math.floor(fit.digits[k])}"
        lines.append(Line(name, (value, error, t_value(fit.t[k]), probability(fit.p[k]), interval), digits, note))
    return lines


def proven_of(fit: FormulaFit | ArrayFit) -> list[tuple[str, ...]]:
    """The proven decimals: name, coefficient, standard error."""
    if fit.exact is None:
        return []
    with_errors = fit.has_proven_stderr
    return [
        (name, signed(cells.proven(fit.exact.coef, k)),
         signed(cells.proven(fit.exact.stderr, k)) if with_errors else DASH)
        for k, name in enumerate(fit.names) if not math.isnan(fit.coef[k])
    ]  # fmt: skip


def _padded(text: str, width: int) -> str:
    """The text moved right by spaces as wide as a digit."""
    return "\u2007" * (width - len(text)) + text


def _errors(fit: FormulaFit) -> str:
    if fit.covariance.kind == "classical":
        return ""
    detail = f" ({fit.covariance.detail})" if fit.covariance.detail else ""
    return f"Standard errors: {fit.covariance.kind}{detail}, t on {plain(fit.covariance.df)} df."


def pictures_of(fit: Any, picture: Picture | None) -> list[Shown]:
    """Every picture that the numbers allow, drawn; those of the rows need a fit of a formula."""
    if picture is None:
        return []
    from markupsafe import Markup

    from surefoot.report.figures import DESCENTS, RIGHT_ANGLE, TITLES, WALKS, svg
    from surefoot.report.panels import draw_bowl, draw_data, draw_normal, draw_residuals
    from surefoot.report.panels_roads import draw_descents, draw_perpendicular, draw_walks

    shown = []
    if picture.sample is not None:
        shown += [
            (draw_data, "data", TITLES[0], data_caption(fit, picture)),
            (draw_residuals, "residuals", TITLES[1], residual_caption(fit, picture)),
            (draw_normal, "normal", TITLES[2], normal_caption(fit, picture)),
        ]
    if picture.bowl is not None:
        shown.append((draw_bowl, "bowl", TITLES[3], bowl_caption(fit, picture.bowl)))
    if (angle := picture.perpendicular) is not None:
        shown.append((draw_perpendicular, "perpendicular", RIGHT_ANGLE, perpendicular_caption(angle)))
    if picture.walked is not None:
        shown.append((draw_walks, "walks", WALKS, walks_caption(picture.walked)))
    if picture.descents:
        shown.append((draw_descents, "descents", DESCENTS, descents_caption(picture.descents)))
    # The SVG comes from matplotlib, which escapes the names on the axes.
    return [Shown(title, Markup(svg(draw, fit, picture, name)), caption) for draw, name, title, caption in shown]


def _statistics(fit: FormulaFit) -> list[tuple[str, str]]:
    s = fit.statistics
    f, p = _overall(fit)
    about = "" if s.has_constant else " (about zero)"
    return [
        ("residual sd", plain(s.sigma)),
        ("df, model and residual", f"{s.df_model:,} and {s.df_residual:,}"),
        ("R²", r_squared(s.r2) + about),
        ("R², adjusted", r_squared(s.r2_adjusted)),
        ("F, all slopes zero", f),
        ("p of F", p),
        ("log-likelihood", plain(s.log_likelihood, 8)),
        ("AIC", plain(s.aic, 8)),
        ("BIC", plain(s.bic, 8)),
        ("rank", f"{fit.rank} of {len(fit.names)}"),
        ("condition, equilibrated", plain(fit.condition, 3)),
        ("backward error", DASH if fit.backward_error is None else plain(fit.backward_error, 1)),
    ]


def _overall(fit: FormulaFit) -> tuple[str, str]:
    """F and its probability: the classical one is in the statistics, another needs its own standard errors."""
    f, p, df = fit.statistics.f, fit.statistics.f_p, (fit.statistics.df_model, fit.statistics.df_residual)
    if fit.covariance.kind != "classical" and (overall := fit.test_all()) is not None:
        f, p, df = overall.f, overall.p, overall.df
    if not math.isfinite(f):
        return DASH, DASH
    return f"{plain(f)} on {df[0]:,.0f} and {df[1]:,.0f} df", probability(p)


def _rows(fit: FormulaFit) -> list[tuple[str, str]]:
    account, state = fit.account, fit.design.state()
    used = account.rows_read - account.rows_missing - account.rows_weightless
    facts = [
        ("source", account.source),
        ("rows read", f"{account.rows_read:,}"),
        ("left out: a value was missing", f"{account.rows_missing:,}"),
        ("left out: their weight is zero", f"{account.rows_weightless:,}"),
        ("rows used", f"{used:,}" + (f" (counting as {fit.statistics.rows:,})" if used != fit.statistics.rows else "")),
    ]
    facts += [(word, state[word].strip("`")) for word in ("weights", "frequencies", "offset") if state[word]]
    facts.append(("passes over the data", f"{account.passes:,}"))
    facts.append(("time", f"{account.seconds:.2f} s"))
    return facts + [("note", note) for note in account.notes]


def _diagnostics(fit: FormulaFit) -> list[tuple[str, str]]:
    look = fit.look
    if look is None:
        return []
    names = ("smallest", "lower quartile", "median", "upper quartile", "largest")
    facts = [(f"{name} residual", plain(value, 5)) for name, value in zip(names, look.quartiles, strict=True)]
    return [
        *facts,
        ("Durbin-Watson", plain(look.durbin_watson, 4)),
        ("skew", plain(look.skew, 4)),
        ("kurtosis (normal: 3)", plain(look.kurtosis, 4)),
        ("Jarque-Bera", plain(look.jarque_bera, 4)),
        ("p of Jarque-Bera", probability(look.jarque_bera_p)),
        ("largest leverage", f"{plain(look.largest_leverage, 3)} (row {int(look.largest_leverage_row):,})"),
        ("residual against columns, cosine", plain(look.orthogonality, 1)),
    ]


def _is_file(fit: FormulaFit) -> bool:
    return fit.account.source.lower().endswith(FILES)


def _options(fit: FormulaFit) -> dict[str, str]:
    """What was asked beside formula and data, by the names of ``sf.fit``: as text for the command line."""
    state, options = fit.design.state(), {}
    for word in ("weights", "frequencies", "offset"):
        # An offset() in the formula is in the formula already.
        if state[word] and not (word == "offset" and "offset(" in fit.formula):
            options[word] = state[word]
    if fit.aliased and not any(math.isnan(one) for one in fit.coef):
        options["rank_deficient"] = "minimum-norm"
    if fit.covariance.kind != "classical":
        options["errors"] = fit.covariance.kind
        if fit.covariance.kind == "cluster":
            options["groups"] = fit.covariance.detail.partition(" clusters of ")[2]
        if fit.covariance.kind == "HAC":
            options["lags"] = fit.covariance.detail.partition(" ")[0]
    for word in SWITCHES:
        if getattr(fit, "roads" if word == "compare" else "plan" if word == "explain" else word) is not None:
            options[word] = "True"
    if fit.level != 0.95:
        options["level"] = f"{fit.level:g}"
    return options


def _python(fit: FormulaFit) -> str:
    data = repr(fit.account.source) if _is_file(fit) else "data"
    given = [repr(fit.formula), data]
    for word, text in _options(fit).items():
        given.append(f"{word}={text if word in ('level', 'lags', *SWITCHES) else _array_or_text(text)}")
    about = "" if _is_file(fit) else f"  # data: {fit.account.source}"
    return f"import surefoot as sf\n\nfit = sf.fit({', '.join(given)}){about}\nprint(fit)"


def _array_or_text(text: str) -> str:
    """A column that was given as an array is known by its name in brackets."""
    inner = text.strip("`")
    return inner[1:-1] if inner in ("(weights)", "(frequencies)", "(offset)", "(groups)") else repr(text)


def _command(fit: FormulaFit) -> str:
    if not _is_file(fit):
        return ""
    words = ["surefoot", "fit", fit.formula, fit.account.source]
    for word, text in _options(fit).items():
        words += [f"--{word.replace('_', '-')}", *([] if word in SWITCHES else [text])]
    return shlex.join(words)


__all__ = ["card", "page", "write_text"]
