"""Settings of Python's cyclic garbage collector for a program that keeps millions of objects.

A replay makes millions of objects, and its states stay in memory. With Python's defaults the
collector scans all of them each time their number has grown by a quarter. That takes a fifth of
the time of a replay, and the pauses grow with the number of objects. States hold no cycles, so a
scan finds nothing: the collector can run less often, and skip what is loaded. Objects are still
freed when their last reference goes, and cycles made later are still collected. A cycle that
includes loaded objects would never be freed, so code that loads states must not make one.

In the dashboard short pauses matter more than the total time. A collection takes 1.5 microseconds
for each new object, so there the collector runs more often.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 50_000
"""The number of new objects that starts a collection; Python's default is 700."""
IN_SMALL_STEPS = (10_000, 5, 1_000)
"""Thresholds for pauses of a few milliseconds: collect the youngest generation every 10,000 new
objects, the next one every fifth time, and the oldest almost never."""


def collect_rarely() -> None:
    """Run the collector less often. Called once, when the program starts."""
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def collect_in_small_steps() -> None:
    """Keep pauses short. Called once, when the dashboard starts."""
    gc.set_threshold(*IN_SMALL_STEPS)


class _Loads:
    """The number of loads in progress, and the thresholds to restore after the last one."""

    count = 0
    before = gc.get_threshold()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Run the collector less often during a load. Loads may overlap and end in any order."""
    if _Loads.count == 0:
        _Loads.before = gc.get_threshold()
        collect_rarely()
    _Loads.count += 1
    try:
        yield
    finally:
        _Loads.count -= 1
        if _Loads.count == 0:
            gc.set_threshold(*_Loads.before)


def freeze_loaded() -> None:
    """Exclude all objects that exist now from later collections. Called after a load."""
    gc.freeze()
