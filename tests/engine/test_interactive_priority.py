"""Background work waits for the keyboard, but never stops."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine import interactive_priority as module
from natster_tui.engine.interactive_priority import MOMENT_S, PIECE_S, InteractivePriority


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


async def test_work_lets_others_have_their_turn_and_goes_on() -> None:
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    waiting = asyncio.create_task(other())
    await InteractivePriority().yield_turn()
    turns.append("work")
    await waiting
    assert turns == ["other", "work"]


async def test_work_waits_for_the_moment_after_a_key() -> None:
    priority = InteractivePriority()
    priority.claim()
    assert priority.is_claimed
    await priority.yield_turn()
    assert not priority.is_claimed


def test_a_key_held_down_gets_half_of_the_time(clock: _Clock) -> None:
    priority = InteractivePriority()
    claimed = 0
    for _tick in range(1_000):
        priority.claim()
        claimed += priority.is_claimed
        clock.now += MOMENT_S / 10
    assert 400 <= claimed <= 600


def test_a_piece_of_work_is_short(clock: _Clock) -> None:
    pace = InteractivePriority().pace()
    assert not pace.is_over
    clock.now += PIECE_S
    assert pace.is_over


async def test_after_a_rest_the_next_piece_begins(clock: _Clock) -> None:
    pace = InteractivePriority().pace()
    clock.now += PIECE_S
    await pace.rest()
    assert not pace.is_over
