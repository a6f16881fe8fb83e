"""Frozen dataclasses made quickly are what they were: equal, frozen, replaced and shown alike."""

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import numpy as np
import pytest

from surefoot.descent.ground import Here
from surefoot.descent.quick import quick
from surefoot.descent.trace import Row


def plain():
    @dataclass(frozen=True)
    class Triple:
        here: int
        own: str = "a"
        other: float = 2.5

    return Triple


Slow, Fast = plain(), quick(plain())


@pytest.mark.parametrize(("given", "named"), [((1,), {}), ((1, "b"), {}), ((), {"here": 1, "other": 3.0})])
def test_fields_and_defaults_are_those_of_the_dataclass(given, named):
    one, other = Slow(*given, **named), Fast(*given, **named)
    assert repr(one) == repr(other) and vars(one) == vars(other)
    assert other == Fast(*given, **named) and hash(other) == hash(Fast(*given, **named))
    assert [f.name for f in fields(other)] == ["here", "own", "other"]


def test_it_is_frozen_and_can_be_replaced():
    one = Fast(1)
    with pytest.raises(FrozenInstanceError):
        one.here = 2
    assert replace(one, here=3) == Fast(3) and one.here == 1
    with pytest.raises(TypeError):
        Fast()
    with pytest.raises(TypeError):
        Fast(1, unknown=2)


def test_a_default_that_could_be_written_to_is_refused():
    @dataclass(frozen=True)
    class Shared:
        rows: list = field(default_factory=lambda: [1])

    with pytest.raises(TypeError, match="cannot be shared"):
        quick(Shared)


def test_rows_and_places_compute_what_they_compute_once():
    here = Here(np.zeros(2), 1.0, np.array([3.0, 4.0]))
    assert here.steepness == 5.0 and here.seen and here.whole is here.gradient
    row = Row(0, 1.0, 5.0, 0.0, 0.0, float("nan"), float("nan"), 0.0, 1)
    assert row.accepted and row.there.size == 0 and replace(row, step=4).step == 4
