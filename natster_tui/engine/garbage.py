"""Python's cyclic garbage collector, for a program that keeps millions of small objects for long.

A replay makes objects by the million, and its states stay. By default the collector looks at all
of them again whenever a quarter has been added, a fifth of a replay's time, with pauses that grow
with what is kept. States hold no cycles, so there is nothing to find: it may come more rarely, and
need not look at what has been loaded. Everything is still freed when its last
reference goes; cycles made from then on are still collected.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 50_000
"""New objects from which on the collector looks for garbage; Python's own number is 700."""


def collect_rarely() -> None:
    """Once, when the program starts."""
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def keep_what_is_loaded() -> None:
    """After much has been read in: leave everything there is now out of later collections."""
    gc.freeze()
