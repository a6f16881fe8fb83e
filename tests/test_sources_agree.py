"""The same rows from every kind of source give the same answer, to the last bit or nearly."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import surefoot as sf
from surefoot.errors import DataError

N = 300
FORMULA = "y ~ x*g + bs(w, df=5) + log(z) + C(k)"


@pytest.fixture(scope="module")
def table():
    """Doubles that need all their digits, a category whose last level comes late, a gap in each column of the model."""
    rng = np.random.default_rng(7)
    x, z = rng.normal(size=N), rng.uniform(0.1, 5, size=N)
    g = np.array(["low", "high", "mid"])[rng.integers(0, 3, N)]
    g[0] = "mid"
    g[-5:] = "zz"
    table = {
        "x": x,
        "z": z,
        "g": g.tolist(),
        "k": rng.integers(1, 4, N).astype(float),
        "y": np.sin(x) + z**2 + 0.1 * rng.normal(size=N),
        "w": rng.uniform(0.5, 2, N),
    }
    x[5], z[17], table["g"][40] = np.nan, np.nan, None
    return table


def as_csv(table, separator=","):
    def cell(value):
        return "" if value is None or value != value else value if isinstance(value, str) else repr(float(value))

    lines = [separator.join(table)]
    lines += [separator.join(map(cell, row)) for row in zip(*table.values(), strict=True)]
    return "\n".join(lines) + "\n"


def as_arrow(table):
    return pa.table(
        {
            name: pa.array([None if value is None or value != value else value for value in values])
            for name, values in table.items()
        }
    )


def part(table, rows):
    return {name: values[rows] for name, values in table.items()}


def csv(table, folder):
    (folder / "t.csv").write_text(as_csv(table))
    return folder / "t.csv"


def tsv(table, folder):
    (folder / "t.tsv").write_text(as_csv(table, "\t"))
    return str(folder / "t.tsv")


def csv_gz(table, folder):
    (folder / "t.csv.gz").write_bytes(gzip.compress(as_csv(table).encode()))
    return folder / "t.csv.gz"


def semicolons(table, folder):
    (folder / "t.csv").write_text(as_csv(table, ";"))
    return folder / "t.csv"


def parquet(table, folder):
    pq.write_table(as_arrow(table), folder / "t.parquet", row_group_size=77)
    return folder / "t.parquet"


def json_lines(table, folder):
    as_pandas(table).to_json(folder / "t.jsonl", orient="records", lines=True, double_precision=15)
    lines = []
    for row in as_arrow(table).to_pylist():
        cells = [f'"{name}": {"null" if v is None else repr(v) if isinstance(v, float) else chr(34) + v + chr(34)}'
                 for name, v in row.items()]  # fmt: skip
        lines.append("{" + ", ".join(cells) + "}\n")
    (folder / "t.jsonl").write_text("".join(lines))
    return folder / "t.jsonl"


def glob_of_csv(table, folder):
    for k, rows in enumerate((slice(0, 100), slice(100, 101), slice(101, N))):
        (folder / f"part{k}.csv").write_text(as_csv(part(table, rows)))
    return str(folder / "part*.csv")


def folder_of_parquet(table, folder):
    for k, rows in enumerate((slice(0, 250), slice(250, N))):
        pq.write_table(as_arrow(part(table, rows)), folder / f"part{k}.parquet")
    return folder


def list_of_files(table, folder):
    glob_of_csv(table, folder)
    return [folder / f"part{k}.csv" for k in range(3)]


def as_pandas(table, folder=None):
    return pd.DataFrame(table)


def pandas_categorical(table, folder):
    return pd.DataFrame(table).astype({"g": pd.CategoricalDtype(["high", "low", "mid", "zz"])})


def as_polars(table, folder):
    return pl.DataFrame({name: values for name, values in table.items()}, nan_to_null=True)


def as_lazy(table, folder):
    return as_polars(table, folder).lazy()


def arrow(table, folder):
    return as_arrow(table)


def arrow_in_chunks(table, folder):
    whole = as_arrow(table)
    return pa.concat_tables([whole.slice(0, 13), whole.slice(13, 200), whole.slice(213)])


def arrow_dictionary(table, folder):
    whole = as_arrow(table)
    return whole.set_column(2, "g", whole["g"].cast(pa.string()).dictionary_encode())


def arrays(table, folder):
    return table


def lists(table, folder):
    return {name: list(values) for name, values in table.items()}


def opened(table, folder):
    return sf.open_source(csv(table, folder))


KINDS = [
    csv, tsv, csv_gz, semicolons, parquet, json_lines, glob_of_csv, folder_of_parquet, list_of_files, as_pandas,
    pandas_categorical, as_polars, as_lazy, arrow, arrow_in_chunks, lists, opened,
]  # fmt: skip


@pytest.fixture(scope="module")
def expected(table):
    return sf.fit(FORMULA, table)


def agrees(fit, expected, tolerance=0.0):
    """The same to the last bit, or to a tolerance where the rows came in other batches."""
    assert fit.names == expected.names
    assert fit.account.rows_read == expected.account.rows_read
    assert fit.account.rows_missing == expected.account.rows_missing
    np.testing.assert_allclose(fit.coef, expected.coef, rtol=tolerance)
    np.testing.assert_allclose(fit.stderr, expected.stderr, rtol=tolerance)
    np.testing.assert_allclose(fit.statistics.r2, expected.statistics.r2, rtol=tolerance)


DIVIDED = (parquet, glob_of_csv, folder_of_parquet, list_of_files, arrow_in_chunks)
"""Files, row groups and chunks of an Arrow table bound the batches, so that rounding may differ in the last digits."""


def tolerance_of(kind):
    return 1e-13 if kind in DIVIDED else 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source(kind, table, expected, tmp_path):
    agrees(sf.fit(FORMULA, kind(table, tmp_path)), expected, tolerance_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_learnt_by_adding_up(kind, table, tmp_path):
    """Centres, deviations and orthogonal polynomials are sums over the rows."""
    formula = "y ~ poly(z, 3) + center(x) + scale(w)"
    agrees(sf.fit(formula, kind(table, tmp_path)), sf.fit(formula, table), tolerance_of(kind))


def test_a_dictionary_keeps_its_order_of_levels_and_the_same_fit(table, expected, tmp_path):
    """Declared levels decide which level is left out; the fitted values are the same."""
    fit = sf.fit(FORMULA, arrow_dictionary(table, tmp_path))
    first = next(one for one in table["g"] if one)
    assert first != "high"
    assert f"g[T.{first}]" not in fit.names
    assert fit.statistics.sigma == pytest.approx(expected.statistics.sigma, rel=1e-12)
    fit = sf.fit(FORMULA.replace("*g", "*C(g, Treatment('high'))"), arrow_dictionary(table, tmp_path))
    value = fit["C(g, Treatment('high'))[T.low]"].value
    assert value == pytest.approx(expected["g[T.low]"].value, rel=1e-10)


def test_a_query_over_files(table, expected, tmp_path):
    agrees(sf.fit(FORMULA, csv(table, tmp_path), query="select * from data"), expected)
    scaled = sf.fit(FORMULA, parquet(table, tmp_path), query="select * exclude y, y * 2 as y from data")
    np.testing.assert_allclose(scaled.coef, 2 * expected.coef, rtol=1e-12)


def test_an_open_source_is_read_twice(table, expected, tmp_path):
    source = opened(table, tmp_path)
    first, second = sf.fit(FORMULA, source), sf.fit(FORMULA, source)
    np.testing.assert_array_equal(first.coef, second.coef)
    agrees(second, expected)


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
@pytest.mark.parametrize("kind", [csv, parquet, arrow, arrays])
def test_every_kind_in_batches_of_any_size(kind, rows, table, expected, tmp_path):
    fit = sf.fit(FORMULA, kind(table, tmp_path), batch_rows=rows)
    assert fit.names == expected.names
    np.testing.assert_allclose(fit.coef, expected.coef, rtol=1e-9)
    np.testing.assert_allclose(fit.stderr, expected.stderr, rtol=1e-9)
    assert fit.look.largest_leverage_row == expected.look.largest_leverage_row


@pytest.mark.parametrize("kind", [csv, csv_gz, parquet, json_lines, glob_of_csv, as_pandas, as_polars, arrays])
def test_a_filter_is_the_filtered_table(kind, table, tmp_path):
    kept = [k for k in range(N) if table["x"][k] > -0.5 and table["g"][k] not in ("zz", None)]
    before = sf.fit(FORMULA, {name: [values[k] for k in kept] for name, values in table.items()})
    # NaN is larger than any number in SQL, so it is said that rows without x are not wanted.
    condition = "x > -0.5 and not isnan(x) and g <> 'zz'"
    fit = sf.fit(FORMULA, kind(table, tmp_path), filter=condition)
    agrees(fit, before, tolerance_of(kind))


@pytest.mark.parametrize("word", ["weights", "frequencies", "offset"])
def test_side_columns_as_column_expression_and_array(word, table, tmp_path):
    data = {**table, "n": np.arange(N) % 3}
    name = "n" if word == "frequencies" else "w"
    column = sf.fit("y ~ x*g", data, **{word: name})
    agrees(sf.fit("y ~ x*g", data, **{word: f"I(2*{name} - {name})"}), column)  # exact in floating point
    agrees(sf.fit("y ~ x*g", data, **{word: data[name]}), column)
    agrees(sf.fit("y ~ x*g", data, **{word: data[name].tolist()}), column)
    agrees(sf.fit("y ~ x*g", pd.DataFrame(data), **{word: pd.Series(data[name])}), column)
    agrees(sf.fit("y ~ x*g", csv(data, tmp_path), **{word: name}), column)
    plain = sf.fit("y ~ x*g", data)
    assert np.abs(column.coef - plain.coef).max() > 1e-3


def test_an_offset_in_the_formula_and_beside_it(table):
    beside = sf.fit("y ~ x", table, offset="log(z)")
    agrees(sf.fit("y ~ x + offset(log(z))", table), beside)
    agrees(sf.fit("y ~ x", table, offset=np.log(table["z"])), beside)


def test_an_array_cannot_be_joined_to_a_file(table, tmp_path):
    with pytest.raises(DataError, match="given as an array cannot be joined to files"):
        sf.fit("y ~ x", csv(table, tmp_path), weights=table["w"])


def test_robust_errors_need_the_same_rows_from_every_source(table, tmp_path):
    expected = sf.fit("y ~ x + z", table, errors="HC3")
    for kind in (csv, parquet, json_lines):
        fit = sf.fit("y ~ x + z", kind(table, tmp_path), errors="HC3")
        np.testing.assert_allclose(fit.stderr, expected.stderr, rtol=1e-13)
