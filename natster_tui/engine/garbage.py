"""Python's cyclic garbage collector, for a program that keeps millions of small objects for long.

A replay makes objects by the million, and its states stay. By default the collector looks at all
of them again whenever a quarter has been added, a fifth of a replay's time, with pauses that grow
with what is kept. States hold no cycles, so there is nothing to find: it may come more rarely, and
need not look at what has been loaded. Everything is still freed when its last
reference goes; cycles made from then on are still collected. A cycle that holds what was loaded
would stay for good: whoever reads in must not refer to itself.

Where somebody looks on, a pause is what counts: it lasts a microsecond and a half for each new
object, so there the collector comes more often.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 50_000
"""New objects from which on the collector looks for garbage; Python's own number is 700."""
IN_SMALL_STEPS = (10_000, 5, 1_000)
"""Where nothing may stand still for more than a few milliseconds: a look at so many new objects,
every fifth time at those that were new lately, and next to never at all there are."""


def collect_rarely() -> None:
    """Once, when the program starts."""
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def collect_in_small_steps() -> None:
    """Once, when somebody begins to look on."""
    gc.set_threshold(*IN_SMALL_STEPS)


class _Reading:
    """How many are reading in, and what to go back to after the last of them."""

    count = 0
    before = gc.get_threshold()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """While much is read in; several may do so at once, and end in any order."""
    if _Reading.count == 0:
        _Reading.before = gc.get_threshold()
        collect_rarely()
    _Reading.count += 1
    try:
        yield
    finally:
        _Reading.count -= 1
        if _Reading.count == 0:
            gc.set_threshold(*_Reading.before)


def keep_what_is_loaded() -> None:
    """After much has been read in: leave everything there is now out of later collections."""
    gc.freeze()
