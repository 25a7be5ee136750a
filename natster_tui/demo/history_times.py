"""Times for the events of a demo history.

Events come in sittings: an account signs in and does several things within minutes. Sittings begin
when people are awake, and some hours are much busier than others.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from enum import Enum
from itertools import accumulate
from random import Random
from typing import Never

HISTORY_SECONDS = 21 * 86_400
"""How far back a history reaches."""

PART = 1_000
"""Events handled between two pauses, so that the caller's event loop stays responsive."""

_BUSY_BY_HOUR = (3, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 12, 10, 9, 10, 12, 14, 17, 20, 22, 20, 14, 7)
_LAST_HOUR = 20


class Pace(Enum):
    """How soon an event follows the one before it; the values are seconds, shortest and longest."""

    AT_ONCE = (0, 2)
    SAME_SITTING = (8, 200)
    LATER = (0, 0)
    """Begins a sitting of its own, at any time."""


def ages(paces: list[Pace], seed: int) -> Generator[Sequence[Never], None, list[int]]:
    """The ages in seconds of a history's events; the last one happens just now.

    Yields an empty list after each `PART` events, so that the caller can pause, and returns the
    ages. A sitting takes minutes, or less if the next one is near.
    """
    if not paces:
        return []
    draw = Random(f"times {seed} {len(paces)}")  # noqa: S311 - a story, not a secret
    offsets: list[list[int]] = []
    for number, pace in enumerate(paces, 1):
        if number % PART == 0:
            yield []
        if pace is Pace.LATER or not offsets:
            offsets.append([0])
        else:
            offsets[-1].append(offsets[-1][-1] + draw.randint(*pace.value))
    last_start = HISTORY_SECONDS - offsets[-1][-1]
    starts = sorted(min(start, last_start) for start in _sitting_starts(len(offsets), draw))
    if len(starts) > 1:
        starts[0] = 0
    starts[-1] = last_start
    ages: list[int] = []
    for number, (start, next_start, sitting) in enumerate(
        zip(starts, [*starts[1:], HISTORY_SECONDS], offsets, strict=True), 1
    ):
        if number % PART == 0:
            yield []
        room, length = next_start - start, sitting[-1]
        for offset in sitting:
            fitting = offset if length <= room else offset * room // length
            ages.append(HISTORY_SECONDS - start - fitting)
    return ages


def _sitting_starts(count: int, draw: Random) -> list[int]:
    """The times at which sittings begin, in seconds from the beginning of a history."""
    hours = HISTORY_SECONDS // 3_600
    # A history ends in the evening wherever it is shown: only then is its end a busy hour on
    # every clock, and the distances to the end are the same for every end.
    weights = accumulate(
        _BUSY_BY_HOUR[(_LAST_HOUR - hours + 1 + hour) % 24]
        * (0.7 + 0.6 * hour / hours)
        * (0.15 + draw.expovariate(1.0))
        for hour in range(hours)
    )
    chosen = draw.choices(range(hours), cum_weights=list(weights), k=count)
    return [hour * 3_600 + draw.randrange(3_600) for hour in chosen]
