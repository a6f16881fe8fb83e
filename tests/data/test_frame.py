"""Arrow batches as NumPy arrays: slices, missing values, dictionaries, and no pandas."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.frame import Coded, read_frame

NUMBERS = st.lists(st.none() | st.floats(-9, 9), max_size=40)
TEXTS = st.lists(st.none() | st.sampled_from(["a", "b", "", "größe"]), max_size=40)


def decoded(values):
    return [None if code < 0 else values.labels[code] for code in values.codes]


@given(NUMBERS, st.integers(0, 10), st.integers(0, 40))
def test_numbers_of_any_slice(values, start, length):
    """Offsets that are no multiple of eight shift the bits of the validity map."""
    array = pa.array(values, pa.float64()).slice(start, length)
    frame = read_frame(pa.RecordBatch.from_arrays([array], ["x"]))
    expected = [np.nan if value is None else value for value in values[start : start + length]]
    np.testing.assert_array_equal(frame.numbers("x"), np.array(expected, float))
    assert frame.rows == len(expected)
    np.testing.assert_array_equal(frame.missing(), np.isnan(np.array(expected, float)))


@given(TEXTS, st.integers(0, 10), st.integers(0, 40), st.booleans())
def test_texts_of_any_slice(values, start, length, encoded):
    array = pa.array(values, pa.string())
    array = (array.dictionary_encode() if encoded else array).slice(start, length)
    frame = read_frame(pa.RecordBatch.from_arrays([array], ["g"]))
    found = frame.columns["g"]
    assert isinstance(found, Coded)
    assert decoded(found) == values[start : start + length]
    assert frame.missing().tolist() == [value is None for value in values[start : start + length]]


def test_a_number_without_missing_values_is_not_copied():
    values = np.arange(5.0)
    array = pa.Array.from_buffers(pa.float64(), 5, [None, pa.py_buffer(values)])
    found = read_frame(pa.RecordBatch.from_arrays([array], ["x"])).numbers("x")
    assert np.shares_memory(found, values)


def test_nan_counts_as_missing():
    frame = read_frame(pa.RecordBatch.from_pydict({"x": [1.0, float("nan"), None], "g": ["a", "b", "c"]}))
    assert frame.missing().tolist() == [False, True, True]


def test_rows_know_where_they_were():
    frame = read_frame(pa.RecordBatch.from_pydict({"x": [0.0, 1.0, 2.0, 3.0], "g": ["a", None, "b", "a"]}), 100)
    assert frame.row_numbers().tolist() == [101, 102, 103, 104]
    some = frame.take(np.array([False, True, True, True])).take(np.array([2, 0]))
    assert some.row_numbers().tolist() == [104, 102]
    assert some.rows == 2
    assert some.numbers("x").tolist() == [3.0, 1.0]
    assert decoded(some.columns["g"]) == ["a", None]
    assert some.take(np.zeros(2, bool)).rows == 0


def test_an_empty_batch():
    schema = pa.schema([("x", pa.float64()), ("g", pa.string())])
    frame = read_frame(pa.RecordBatch.from_pydict({"x": [], "g": []}, schema=schema))
    assert (frame.rows, frame.missing().tolist(), len(frame.numbers("x"))) == (0, [], 0)
