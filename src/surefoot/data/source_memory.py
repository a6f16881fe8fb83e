"""Tables in memory as Arrow (pandas, polars, pyarrow, dicts, NumPy), without copying float64 numbers."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any

from surefoot.data.source_parts import Column, unique_names
from surefoot.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


_ROUNDED = b"surefoot.rounded"
"""In the metadata of a table: positions of columns whose numbers became the nearest doubles on the way in."""


def to_arrow(data: Any) -> tuple[pa.Table, str]:
    """The data as an Arrow table, and what to call it.

    Raises
    ------
    DataError
        Nothing that is known, or columns that do not make a table.

    Examples
    --------
    >>> table, name = to_arrow({"x": [1.0, 2.0], "g": ["a", "b"]})
    >>> table.num_rows, name
    (2, 'dict of arrays')
    """
    import pyarrow as pa

    package = type(data).__module__.partition(".")[0]
    if isinstance(data, pa.Table):
        table, name = data, "Arrow table"
    elif isinstance(data, pa.RecordBatch):
        table, name = pa.Table.from_batches([data]), "Arrow batch"
    elif isinstance(data, pa.RecordBatchReader):
        table, name = data.read_all(), "Arrow table"
    elif package == "pandas":
        table, name = _from_pandas(data), "pandas table"
    elif package == "polars":
        table, name = _from_polars(data), "polars table"
    elif isinstance(data, Mapping):
        table, name = _from_mapping(data), "dict of arrays"
    elif package == "numpy":
        table, name = _from_numpy(data), "NumPy array"
    elif hasattr(data, "__arrow_c_stream__"):
        table, name = pa.table(data), f"{package} table"
    else:
        raise DataError(
            f"Cannot read rows from a {type(data).__name__}. Pass a path, a pandas, polars or pyarrow table, "
            "a dict of arrays, or a 2-D NumPy array."
        )
    if not table.num_columns:
        raise DataError(f"The {name} has no columns: give at least one.")
    named = table.rename_columns(unique_names(table.column_names, fold=False))
    return _marked(named, rounded_columns(table)), name


def rounded_columns(table: pa.Table) -> tuple[int, ...]:
    """Positions of columns of which some numbers were rounded to doubles: nothing can be proven of them."""
    return tuple(map(int, ((table.schema.metadata or {}).get(_ROUNDED) or b"").split()))


def _marked(table: pa.Table, rounded: Sequence[int]) -> pa.Table:
    return table.replace_schema_metadata({_ROUNDED: " ".join(map(str, rounded)).encode()} if rounded else None)


def _is_rounded(values: Any, array: pa.Array | pa.ChunkedArray) -> bool:
    """Whether numbers that are no doubles became doubles."""
    import numpy as np
    import pyarrow as pa

    if array.type != pa.float64() or isinstance(values, (pa.Array, pa.ChunkedArray)):
        return False
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return dtype.itemsize > 8 and bool(np.any((values == values) & (values != values.astype(np.float64))))
    if dtype is not None and getattr(dtype, "kind", "") != "O":
        return False
    plain = (one.item() if isinstance(one, np.generic) else one for one in values if not isinstance(one, float))
    return any(isinstance(one, Number) and one == one and one != float(one) for one in plain)  # type: ignore[arg-type]


def with_extra(table: pa.Table, name: str, extra: Mapping[str, Any]) -> pa.Table:
    """The table with further arrays as columns; their length and names are checked."""
    for column, values in extra.items():
        array = one_column(column, values)
        if len(array) != table.num_rows:
            raise DataError(
                f"{column} has {len(array):,} values and the {name} has {table.num_rows:,} rows: "
                + "they must be equal."
            )
        if column in table.column_names:
            raise DataError(f"The {name} already has a column {column}: rename one of them.")
        rounded = rounded_columns(table) + (table.num_columns,) * _is_rounded(values, array)
        table = _marked(table.append_column(column, array), rounded)
    return table


def dictionaries(table: pa.Table) -> dict[str, tuple[str, ...]]:
    """The levels of dictionary columns, in order; chunks may have dictionaries of their own."""
    import pyarrow as pa

    found = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_dictionary(field.type):
            values = [str(one) for chunk in column.chunks for one in chunk.dictionary.to_pylist() if one is not None]
            found[field.name] = tuple(dict.fromkeys(values))
    return found


def batches_of(table: pa.Table, columns: Sequence[Column], rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Batches straight from Arrow: no SQL, no copy of a float64 column."""
    import pyarrow as pa

    wanted = table.select([column.name for column in columns])
    for batch in wanted.to_batches(max_chunksize=rows):
        if batch.num_rows:
            arrays = [_as_wanted(one, column.kind) for one, column in zip(batch.columns, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _as_wanted(array: pa.Array, kind: str) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if kind in ("number", "boolean"):
        return array if array.type == pa.float64() else array.cast(pa.float64(), safe=False)
    return array.cast(pa.string()) if kind == "category" and array.type != pa.string() else array


def one_column(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    """One array of any library, or a list, as an Arrow array."""
    import numpy as np
    import pyarrow as pa

    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, (list, tuple, range)):
        return _from_objects(name, list(values))
    if type(values).__module__.partition(".")[0] in ("pandas", "polars"):
        array = values.to_arrow() if hasattr(values, "to_arrow") else pa.array(values, from_pandas=True)
        return array
    array = np.ma.asarray(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if array.ndim != 1:
        shape = " x ".join(map(str, array.shape))
        what = f"is {array.ndim}-D ({shape})" if array.ndim else f"is a single value ({type(values).__name__})"
        raise DataError(f"Column {name} {what}, and a column must be 1-D: give each column its own name.")
    if array.dtype.kind == "c":
        raise DataError(f"Column {name} holds complex numbers: pass its real and imaginary part as two columns.")
    if array.dtype.kind not in "biufOSUMmT":
        raise DataError(f"Column {name} has the NumPy type {array.dtype}, which is no number, text or date.")
    if isinstance(array, np.ma.MaskedArray):
        return pa.array(array.data, mask=np.ma.getmaskarray(array))
    if array.dtype.kind in "iuf" and array.dtype.itemsize <= 8:
        # From the buffer itself: pa.array(ndarray) would import pandas.
        native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        return pa.Array.from_buffers(pa.from_numpy_dtype(native.dtype), len(native), [None, pa.py_buffer(native)])
    if array.dtype.kind == "f":
        return one_column(name, array.astype(np.float64))
    return pa.array(array) if array.dtype.kind in "bMm" else _from_objects(name, array.tolist())


def _from_objects(name: str, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    values = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    try:  # large integers beside floats, which Arrow refuses
        return pa.array([None if one is None else float(one) for one in values], pa.float64())
    except (TypeError, ValueError, OverflowError):
        first = next(one for one in values if one is not None)
        row, odd = next(
            ((n, one) for n, one in enumerate(values, 1) if one is not None and type(one) is not type(first)),
            (1, first),
        )
        raise DataError(
            f"Column {name} mixes kinds of values: row {row} is {str(odd)[:40]!r} ({type(odd).__name__}), "
            f"the first value a {type(first).__name__}. Make it all numbers or all text."
        ) from None


def _from_mapping(data: Mapping[Any, Any]) -> pa.Table:
    import pyarrow as pa

    arrays = {str(name): one_column(str(name), values) for name, values in data.items()}
    if not arrays:
        raise DataError("The dict has no columns: give at least one, such as {'x': x, 'y': y}.")
    first = next(iter(arrays))
    for name, array in arrays.items():
        if len(array) != len(arrays[first]):
            raise DataError(
                f"The columns have unequal lengths: {first} has {len(arrays[first]):,} values "
                f"and {name} has {len(array):,}."
            )
    pairs = zip(data.values(), arrays.values(), strict=False)
    return _marked(pa.table(arrays), [n for n, pair in enumerate(pairs) if _is_rounded(*pair)])


def _from_numpy(data: Any) -> pa.Table:
    if data.dtype.names:
        return _from_mapping({name: data[name] for name in data.dtype.names})
    if data.ndim != 2:
        raise DataError(
            f"The NumPy array is {data.ndim}-D, and a table is 2-D: pass a dict such as {{'x': x, 'y': y}}, "
            "which also names the columns."
        )
    return _from_mapping({f"x{n}": data[:, n] for n in range(data.shape[1])})


def _from_pandas(data: Any) -> pa.Table:
    import pyarrow as pa

    if not hasattr(data, "columns"):
        raise DataError(f"A pandas {type(data).__name__} is not a table: pass a DataFrame (series.to_frame()).")
    columns = [data.iloc[:, n] for n in range(data.shape[1])]
    arrays = []
    for name, column in zip(data.columns, columns, strict=True):
        try:
            arrays.append(pa.array(column, from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            missing = column.isna()
            values = [None if gone else one for one, gone in zip(column.tolist(), missing, strict=True)]
            arrays.append(_from_objects(str(name), values))
    names = [" ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in data.columns]
    rounded = [n for n, pair in enumerate(zip(columns, arrays, strict=True)) if _is_rounded(*pair)]
    return _marked(pa.Table.from_arrays(arrays, names=names), rounded)


def _from_polars(data: Any) -> pa.Table:
    if hasattr(data, "collect"):
        data = data.collect()
    if not hasattr(data, "columns"):
        raise DataError("A polars Series is not a table: pass a DataFrame (series.to_frame()).")
    return data.to_arrow()
