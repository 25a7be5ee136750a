"""`tail --follow` while the server is stopped, started again, and another one in its place."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from natster_tui.events.natster import NATSTER
from tests.cli.program import Program
from tests.faults.arena import own_server, tell
from tests.faults.checker import ask, plain_client


async def sequences(stream: asyncio.StreamReader, upto: int) -> list[int]:
    """Those of the printed events, up to the one that is waited for."""
    found: list[int] = []
    async with asyncio.timeout(20):
        while not found or found[-1] < upto:
            found.append(json.loads(await stream.readline())["seq"])
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
async def test_following_goes_on_after_a_restart_with_every_event_once(
    anywhere: Program, tmp_path: Path, how: signal.Signals
) -> None:
    async with own_server(tmp_path / "nats") as server:
        settings = server.new_account()
        head = await tell(settings, 0, 20)
        following = await anywhere.on(settings).start("tail", "--follow", "--json")
        assert following.stdout is not None
        assert following.stderr is not None
        try:
            assert await sequences(following.stdout, head) == [*range(1, head + 1)]
            for begin in (100, 200):
                await asyncio.to_thread(server.stop, how)
                async with asyncio.timeout(10):
                    said = (await following.stderr.readline()).decode()
                assert "waiting for the server" in said
                assert f"event {head + 1}" in said
                await asyncio.to_thread(server.start)
                more = await tell(settings, begin, 20)
                assert await sequences(following.stdout, more) == [*range(head + 1, more + 1)]
                head = more
        finally:
            following.kill()
            await following.communicate()


async def test_following_ends_when_the_log_was_replaced(anywhere: Program, tmp_path: Path) -> None:
    async with own_server(tmp_path / "nats") as server:
        settings = server.new_account()
        head = await tell(settings, 0, 20)
        following = await anywhere.on(settings).start("tail", "--follow", "--json")
        assert following.stdout is not None
        await sequences(following.stdout, head)
        # While it is stopped it sees nothing of what happens to the log.
        following.send_signal(signal.SIGSTOP)
        async with plain_client(settings) as client:
            await ask(client, f"STREAM.DELETE.{NATSTER.stream}")
        await tell(settings, 0, 40)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        following.send_signal(signal.SIGCONT)
        _out, err = await asyncio.wait_for(following.communicate(), 20)
        assert following.returncode == 1
        assert b"not the log that was being followed" in err
