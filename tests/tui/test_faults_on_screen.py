"""What went wrong stands on the screen, and `status` tells it, as soon as it can be known."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.workspace import Connection
from natster_tui.events.natster import NATSTER
from natster_tui.store.lease import Holder
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from tests.cli.program import Program
from tests.conftest import until
from tests.faults.arena import SOON_S, took
from tests.faults.checker import ask, plain_client
from tests.faults.proxy import Proxy
from tests.tui.running import append, dashboard
from tests.tui.scenes import projected, text_of

WIDE = (240, 40)
INTRUDER = Holder(host="elsewhere", pid=4_711, instance="intruder", since=1)

Said = Callable[[str], Awaitable[None]]


@pytest.fixture
def natster(tmp_path: Path, settings: ConnectionSettings) -> Program:
    return Program(tmp_path).on(settings)


def on_screen(app: Any, *words: str) -> bool:
    screen = " ".join(text_of(app).split())
    return all(word in screen for word in words)


async def status(natster: Program) -> dict[str, Any]:
    return dict(json.loads((await natster.succeed("status", "--json")).out))


async def steal_lease(settings: ConnectionSettings) -> None:
    """Another process holds it from now on, and does nothing."""
    async with plain_client(settings) as client:
        await client.jetstream().publish("$KV.NATSTER_LEASE.projector", INTRUDER.encode())


async def test_a_lost_connection(settings: ConnectionSettings, tmp_path: Path) -> None:
    await projected(settings)
    async with (
        Proxy.before(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as (app, _pilot),
    ):
        await until(lambda: on_screen(app, "projecting", "in sync"))
        proxy.drop(refuse=True)
        gone = await took(
            lambda: on_screen(app, "connection lost") or on_screen(app, "unreachable")
        )
        assert gone < SOON_S
        assert not on_screen(app, "in sync")
        await Program(tmp_path).on(replace(settings, servers=(proxy.url,))).fail(3, "status")
        proxy.accept()
        assert await took(lambda: on_screen(app, "projecting", "in sync")) < 2 * SOON_S


async def test_a_note_that_the_connection_is_lost_ends_when_it_is_back(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dashboard, "NOTIFICATION_TIMEOUT", 600)  # so that time does not end it
    await projected(settings)
    async with (
        Proxy.before(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as (app, pilot),
    ):
        await until(lambda: on_screen(app, "projecting", "in sync"))
        proxy.drop(refuse=True)
        await until(lambda: app.workspace.connection is not Connection.CONNECTED)
        await pilot.press("t")
        await until(lambda: any("connection" in note.message for note in app._notifications))
        proxy.accept()
        await until(lambda: app.workspace.connection is Connection.CONNECTED)
        await until(lambda: not app._notifications)


async def test_a_server_that_says_nothing(settings: ConnectionSettings) -> None:
    """Nothing is lost yet, and it is shown that nothing is heard."""
    await projected(settings)
    async with (
        Proxy.before(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as (app, _pilot),
    ):
        proxy.stall()
        # Silence can be told from a quiet log when two heartbeats a second apart are missing.
        silent = await took(lambda: on_screen(app, "no answer for") or on_screen(app, "lost"))
        assert silent < 2 + SOON_S
        proxy.flow()


async def test_a_lost_lease_and_a_stalled_projector_are_shown(
    settings: ConnectionSettings, natster: Program
) -> None:
    await projected(settings)
    async with dashboard(settings, size=WIDE) as (app, _pilot):
        await until(lambda: on_screen(app, "projecting", "in sync"))
        assert (await status(natster))["projector"]["pid"] == app.workspace.leases["account"].me.pid
        await steal_lease(settings)
        lost = await took(
            lambda: on_screen(app, "release 0.1 projects", "(elsewhere, process 4711)")
        )
        assert lost < SOON_S
        await append(settings, 400, 30)
        # The holder of the lease does not project: what is stored stays where it is.
        stalled = await took(lambda: on_screen(app, "head 430", "30 behind", "400/430", "lag 30"))
        assert stalled < SOON_S
        told = await status(natster)
        assert told["projector"] == {"host": "elsewhere", "pid": 4_711, "since": 1, "version": None}
        assert [report["lag"] for report in told["projections"]] == [30, 30]


async def test_a_log_that_was_replaced(settings: ConnectionSettings, natster: Program) -> None:
    await projected(settings)
    async with dashboard(settings, size=WIDE) as (app, _pilot):
        await until(lambda: on_screen(app, "projecting", "in sync"))
        async with plain_client(settings) as client:
            config = (await ask(client, f"STREAM.INFO.{NATSTER.stream}"))["config"]
            config["metadata"] = {}
            await ask(client, f"STREAM.DELETE.{NATSTER.stream}")
            assert "error" not in await ask(client, f"STREAM.CREATE.{NATSTER.stream}", config)
        replaced = await took(lambda: on_screen(app, "stopped", "ends at 0 but"))
        assert replaced < 2 * SOON_S
        assert not on_screen(app, "in sync")
        # Events in the new log do not make it the one that was.
        await append(settings, 0, 420)
        await until(lambda: on_screen(app, "head 420", "stopped", "20 behind"))
        told = await status(natster)
        assert all("made again" in report["problem"] for report in told["projections"])
