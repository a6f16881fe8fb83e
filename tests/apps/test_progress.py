"""Long scans in a real process: progress in a terminal, silence in a pipe, and one clean sentence after Ctrl-C."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SUREFOOT = [sys.executable, "-m", "surefoot"]
ROWS, COPIES = 2_000_000, 400


@pytest.fixture(scope="module")
def long_data(tmp_path_factory):
    """A folder of 800 million rows that takes the place of two: one file under four hundred names."""
    folder = tmp_path_factory.mktemp("long")
    rng = np.random.default_rng(1)
    table = pa.table({name: rng.normal(size=ROWS) for name in ("x", "y")})
    pq.write_table(table, folder / "one", compression="none", use_dictionary=False)
    (folder / "data").mkdir()
    for k in range(COPIES):
        (folder / "data" / f"part{k:03}.parquet").symlink_to(folder / "one")
    return folder / "data"


def start(arguments, **options):
    return subprocess.Popen([*SUREFOOT, "fit", *map(str, arguments)], text=True, **options)


def in_a_terminal(arguments, until, seconds=60.0, stop=None):
    """What a terminal of 120 columns shows up to a pattern (then ``stop`` is sent) and after, and the exit code."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    process = start(arguments, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment)
    os.close(slave)
    shown, sent, end = "", False, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    part = os.read(master, 65536).decode()
                except OSError:  # the process has closed its side
                    break
                shown += part
            elif process.poll() is not None:
                break
            if not sent and re.search(until, shown):
                sent = True
                if stop is None:
                    break
                process.send_signal(stop)
        if stop is None or not sent:
            process.kill()
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(master)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown), output, process.returncode


def test_progress_in_a_terminal_and_ctrl_c(long_data, tmp_path):
    """The line says rows, speed and time left; Ctrl-C ends in one sentence, code 130, and no file."""
    model = tmp_path / "m.json"
    shown, output, code = in_a_terminal(
        ["y ~ x", long_data, "--save", model], r"rows.*rows/s.* s left", stop=signal.SIGINT
    )
    assert re.search(r"fitting .*[\d,]{9,} rows +[\d,]{7,} rows/s +\d+ s left", shown), shown[-500:]
    assert code == 130
    assert output == ""
    last = shown.strip().splitlines()[-1].strip()
    assert re.fullmatch(
        r"surefoot: Stopped by Ctrl-C after [\d,]+ rows of about 800,000,000, fitting; nothing was written\.", last
    )
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["y ~ x"], ["y ~ bs(x, df=5)"], ["y ~ sum", "--query", "select y, x + r.range as sum from data, range(100000) r"]],
    ids=["fitting", "learning", "query"],
)
def test_ctrl_c_in_a_pipe(arguments, long_data, tmp_path):
    process = start(
        [arguments[0], long_data, *arguments[1:], "--save", tmp_path / "m.json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(2.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    output, complaint = process.communicate(timeout=30)
    assert time.monotonic() - sent < 5
    assert (process.returncode, output) == (130, "")
    assert re.fullmatch(r"\n?surefoot: Stopped by Ctrl-C[^\n]*nothing was written\.\n", complaint), complaint
    assert list(tmp_path.iterdir()) == []


def test_no_progress_in_a_pipe_nor_for_a_short_scan(long_data, tmp_path):
    some = [long_data / f"part{k:03}.parquet" for k in range(8)]
    process = start(["y ~ x", *some], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
    assert "16,000,000 rows" in output
    (tmp_path / "t.csv").write_text("x,y\n1,2\n2,3\n3,5\n")
    shown, output, code = in_a_terminal(["y ~ x", tmp_path / "t.csv"], "never shown", stop=signal.SIGINT)
    assert (shown, code) == ("", 0)
    assert "3 rows" in output
