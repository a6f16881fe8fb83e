"""Ctrl-C that a library swallows is heard all the same."""

import gc
import signal
import sys

import numpy as np
import pytest

import surefoot as sf
from surefoot.interruption import listening


def test_an_interruption_in_a_callback_of_the_collector_ends_the_walk_and_prints_nothing(monkeypatch):
    """As in the callback of JAX: what is raised there is printed and lost."""
    lost: list[object] = []
    calls = 0

    def swallowing(phase, info):
        if calls == 20 and phase == "start":
            signal.raise_signal(signal.SIGINT)

    def slope(x):
        nonlocal calls
        calls += 1
        if calls == 20:
            gc.collect()
            calls += 1
        return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])

    def f(x):
        return float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)

    gc.callbacks.append(swallowing)
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    try:
        result = sf.minimize(f, np.array([-1.2, 1.0]), jac=slope, method="steepest", steps="armijo", max_steps=10**6)
    finally:
        gc.callbacks.remove(swallowing)
    assert result.stop.reason.name == "INTERRUPTED" and result.value < 24.2
    assert not lost


def test_an_interruption_in_a_finaliser_is_kept_for_the_next_look(monkeypatch):
    class Last:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    with listening() as interruption:
        last = Last()
        del last
        assert interruption.heard and not lost
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


def test_a_callers_own_handler_stays():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with listening() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert heard == [signal.SIGINT] and not interruption.heard
    finally:
        signal.signal(signal.SIGINT, before)


def test_who_listens_inside_hears_the_same():
    with listening() as outer, listening() as inner:
        assert inner is outer
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
