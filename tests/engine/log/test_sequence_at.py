"""The sequence of a time: the highest one whose event is not after it."""

from __future__ import annotations

from natster_tui.engine.log.sequence_at import sequence_at
from natster_tui.events.event import OCCURRED_AT
from natster_tui.store.log import EventLog
from tests.engine.running import consumers_of
from tests.making_logs import A, append, initialized


def at(time: str) -> tuple[str, str]:
    return OCCURRED_AT, time


async def test_a_time_is_the_highest_sequence_whose_event_is_not_after_it(log: EventLog) -> None:
    # As an import leaves them: event times need not ascend.
    await append(
        log,
        [
            initialized(A, None, at("2001-01-01T00:00:10Z")),
            initialized(A, None, at("2001-01-01T00:00:30.9Z")),
            initialized(A, None, at("2001-01-01T00:00:20Z")),
            initialized(A, None, at("2001-01-01T00:00:40Z")),
        ],
    )
    ten = 978307210
    assert [
        await sequence_at(log, seconds, "t")
        for seconds in (0, ten - 1, ten, ten + 9, ten + 10, ten + 20, ten + 29, ten + 30, 2**40)
    ] == [0, 0, 1, 1, 3, 3, 3, 4, 4]
    assert await consumers_of(log.link) == set()


async def test_in_an_empty_log_every_time_is_the_beginning(log: EventLog) -> None:
    assert await sequence_at(log, 2**40, "t") == 0
