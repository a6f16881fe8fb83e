"""Passes over rows: results in order, a tree that does not depend on threads, progress, and a clean stop."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.engine import Progress, Watch, map_in_order, reduce_in_tree, workers
from surefoot.errors import Interrupted


@given(st.lists(st.integers(), max_size=60))
def test_the_tree_keeps_the_order(items):
    assert reduce_in_tree([[item] for item in items], lambda left, right: left + right, []) == items


@given(st.integers(1, 300))
def test_the_tree_is_as_flat_as_it_can_be(count):
    """Depth grows with the logarithm: that is what keeps rounding small."""
    depth = reduce_in_tree([0] * count, lambda left, right: max(left, right) + 1, 0)
    assert depth <= (count - 1).bit_length()


def test_the_tree_holds_few_items_at_a_time():
    held = most = 0

    def items():
        nonlocal held, most
        for _ in range(1000):
            held += 1
            most = max(most, held)
            yield 1

    def merge(left, right):
        nonlocal held
        held -= 1
        return left + right

    assert reduce_in_tree(items(), merge, 0) == 1000
    assert most <= 11


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    def slow(item):
        time.sleep(0.002 * (item % 3))
        return -item

    if threads is None:
        assert list(map_in_order(slow, range(30))) == [-item for item in range(30)]
        return
    with ThreadPoolExecutor(threads) as executor:
        assert list(map_in_order(slow, range(30), executor)) == [-item for item in range(30)]


def test_few_items_are_read_ahead():
    read = []

    def items():
        for item in range(100):
            read.append(item)
            yield item

    with ThreadPoolExecutor(2) as executor:
        results = map_in_order(lambda item: item, items(), executor)
        assert next(results) == 0
        assert len(read) <= 6
        list(results)


def test_an_error_in_a_worker_reaches_the_caller_and_ends_the_threads():
    def fails(item):
        if item == 3:
            raise ValueError("item 3")
        return item

    with pytest.raises(ValueError, match="item 3"), workers() as executor:
        list(map_in_order(fails, range(100), executor))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("surefoot") and thread.is_alive()]


def test_progress_counts_the_rows_of_each_item():
    seen = []
    assert list(Watch(24, seen.append).over([3, 4, 5], int, "fitting")) == [3, 4, 5]
    assert [(one.task, one.rows, one.expected) for one in seen] == [("fitting", n, 24) for n in (3, 7, 12)]
    assert all(one.seconds >= 0 for one in seen)
    assert list(Watch(None, None).over([3], int, "fitting")) == [3]


def test_speed_and_time_left():
    progress = Progress("fitting", 50, 200, 2.0)
    assert (progress.rows_a_second, progress.seconds_left) == (25.0, 6.0)
    assert Progress("fitting", 50, None, 2.0).seconds_left is None
    assert Progress("fitting", 0, 200, 2.0).seconds_left is None
    assert Progress("fitting", 0, None, 0.0).rows_a_second == 0.0
    assert Progress("fitting", 300, 200, 2.0).seconds_left == 0.0


def test_ctrl_c_becomes_a_sentence_that_says_how_far_it_was():
    def items():
        yield 1000
        yield 500
        raise KeyboardInterrupt

    watch = Watch(4000, None)
    with pytest.raises(Interrupted) as caught, watch.interruptible():
        list(watch.over(items(), int, "fitting"))
    assert str(caught.value) == "Stopped by Ctrl-C after 1,500 rows of about 4,000, fitting; nothing was written."
    assert isinstance(caught.value, KeyboardInterrupt)
    assert not isinstance(caught.value, Exception)
    assert caught.value.__suppress_context__
