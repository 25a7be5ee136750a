"""Closing ends within its limit, and a loss is noticed, whatever the other side does."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from natster_tui.errors import ConnectionLostError
from natster_tui.store.connection import link as link_module
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening import login
from natster_tui.store.connection.opening.limits import within
from tests.store.connection.opening.conftest import Lab
from tests.store.connection.opening.fakes import answering_with, fake_server, info

LIMIT = link_module.CLOSE_TIMEOUT + 1.0
"""Seconds: what closing may take, and what a busy machine adds."""


@pytest.fixture
def thawed(lab: Lab) -> Iterator[None]:
    """Whatever a test freezes runs again afterwards."""
    yield
    for server in lab.servers.values():
        server.signal(signal.SIGCONT)


@pytest.mark.usefixtures("thawed")
async def test_closing_does_not_wait_for_a_server_that_is_frozen(lab: Lab) -> None:
    for name in ("tls", "plain"):
        link = await Link.open(lab.settings(name, tls_ca=lab.ca.file if name == "tls" else None))
        lab.server(name).signal(signal.SIGSTOP)
        # More than the system's buffers take.
        for _ in range(60):
            await link.client._send_command(b"PUB x 100000\r\n" + bytes(100_000) + b"\r\n")
        began = time.monotonic()
        await link.close()
        assert time.monotonic() - began < LIMIT
        assert link.is_lost


@pytest.mark.usefixtures("thawed")
async def test_a_frozen_server_is_a_lost_one_over_tls_too(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "PING_INTERVAL", 0.1)
    link = await Link.open(lab.settings("tls", tls_ca=lab.ca.file))
    lab.server("tls").signal(signal.SIGSTOP)
    began = time.monotonic()
    await asyncio.wait_for(asyncio.shield(link.lost), LIMIT)
    with pytest.raises(ConnectionLostError):
        await link.request(link.target.request("INFO"))
    await link.close()
    assert time.monotonic() - began < LIMIT


@pytest.mark.parametrize(
    "nonsense", [b"\x00\x01\x02 nonsense\r\n", b"MSG a 1 -5\r\n", b"INFO {}\r\n"], ids=repr
)
async def test_nonsense_behind_the_login_ends_the_connection(lab: Lab, nonsense: bytes) -> None:
    async with fake_server(info(), answering_with(b"PONG\r\n" + nonsense)) as server:
        link = await Link.open(lab.settings(server.url))
        await asyncio.wait_for(asyncio.shield(link.lost), LIMIT)
        began = time.monotonic()
        await link.close()
        assert time.monotonic() - began < LIMIT


async def test_opening_can_be_cancelled_at_any_moment(lab: Lab) -> None:
    """As when the dashboard is left while it connects: nothing is left open."""
    settings = lab.settings("tls", tls_ca=lab.ca.file)
    for number in range(12):
        task = asyncio.create_task(Link.open(settings))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        [result] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(result, Link):
            await result.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not others


async def test_a_limit_holds_for_work_that_swallows_its_cancellation() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await within(0.05, stubborn())
    assert time.monotonic() - began < LIMIT


async def test_an_error_after_the_limit_is_not_left_for_nobody() -> None:
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: unhandled.append(context)
    )

    async def fails_late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("late")

    with pytest.raises(TimeoutError):
        await within(0.05, fails_late())
    assert not unhandled
