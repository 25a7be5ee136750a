from __future__ import annotations

import asyncio

from natster_tui.engine.retries import LAST_RETRY_S, Retries


async def test_the_next_attempt_is_announced_while_it_is_waited_for() -> None:
    retries = Retries()
    assert retries.seconds_left is None
    waiting = asyncio.create_task(retries.wait(0.0))
    await asyncio.sleep(0)
    assert retries.count == 1
    assert retries.seconds_left is not None
    assert 0 < retries.seconds_left < LAST_RETRY_S
    await waiting
    assert retries.seconds_left is None
    retries.connected()
    assert retries.count == 0
