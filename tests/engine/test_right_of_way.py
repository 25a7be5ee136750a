"""Background work gives way to the keyboard, and never for good."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine import right_of_way as module
from natster_tui.engine.right_of_way import MOMENT_S, PIECE_S, RightOfWay


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
    await RightOfWay().give()
    turns.append("work")
    await waiting
    assert turns == ["other", "work"]


async def test_work_waits_for_the_moment_after_a_key() -> None:
    way = RightOfWay()
    way.take()
    assert way.is_taken
    await way.give()
    assert not way.is_taken


def test_a_key_held_down_gets_half_of_the_time(clock: _Clock) -> None:
    way = RightOfWay()
    taken = 0
    for _tick in range(1_000):
        way.take()
        taken += way.is_taken
        clock.now += MOMENT_S / 10
    assert 400 <= taken <= 600


def test_a_piece_of_work_is_short(clock: _Clock) -> None:
    pace = RightOfWay().pace()
    assert not pace.is_over
    clock.now += PIECE_S
    assert pace.is_over


async def test_after_a_rest_the_next_piece_begins(clock: _Clock) -> None:
    pace = RightOfWay().pace()
    clock.now += PIECE_S
    await pace.rest()
    assert not pace.is_over
