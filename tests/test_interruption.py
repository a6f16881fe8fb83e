"""Ctrl-C that a library swallows is heard all the same."""

import gc
import signal
import sys

import numpy as np

import surefoot as sf
from surefoot.interruption import listening


def test_an_interruption_that_a_callback_swallowed_ends_the_walk(monkeypatch):
    """As in the callback of JAX that runs with the collection of garbage: what is raised there is printed and lost."""
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
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: None)
    try:
        result = sf.minimize(f, np.array([-1.2, 1.0]), jac=slope, method="steepest", steps="armijo", max_steps=10**6)
    finally:
        gc.callbacks.remove(swallowing)
    assert result.stop.reason.name == "INTERRUPTED" and result.value < 24.2


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
