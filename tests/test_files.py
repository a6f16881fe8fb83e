"""Files that are there whole or not at all, and devices that are written to as they are."""

import os

import pytest

from surefoot.errors import DataError
from surefoot.files import whole_file


def test_what_stood_there_stands_until_all_is_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), whole_file(path, "note") as neighbour:
        neighbour.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    with whole_file(path, "note") as neighbour:
        neighbour.write_text("after")
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "folder").mkdir()
    for place in ("folder", "missing/a.txt"):
        with pytest.raises(DataError, match="note could not be written"), whole_file(tmp_path / place, "note") as path:
            path.write_text("a")
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with whole_file(pipe, "note") as path:
            path.write_text("through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]
