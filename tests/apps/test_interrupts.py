"""Ctrl-C while libraries are loaded waits until they stand; a process that leaves does so in order."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from surefoot.apps.interrupts import undisturbed


def test_a_signal_inside_is_answered_when_all_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("loaded")
    assert done == ["loaded"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_happens_without_a_signal_nor_in_another_thread():
    with undisturbed():
        pass
    seen = []

    def work():
        with undisturbed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_leaving_runs_what_was_to_be_run_at_the_end_and_keeps_the_code():
    program = (
        "import atexit, sys; from surefoot.apps.interrupts import leave;"
        "atexit.register(lambda: print('closed', flush=True)); print('said'); leave(130)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("said\nclosed\n", "", 130)


def test_an_abandoned_scan_does_not_keep_the_process():
    """A reader that stops in the middle, its iterator still alive: the process ends by itself and in order."""
    program = (
        "import surefoot as sf; source = sf.open_source({'x': list(range(10))}, query='select r.range as x from"
        " data, range(100000000) r'); batches = source.batches(['x']); next(batches); print('read')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("read\n", 0), done.stderr
