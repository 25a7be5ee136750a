"""A server that takes too few subscriptions: its reason is told, not a missing answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.engine.running import running
from tests.faults.arena import are_at, tell
from tests.real_server import RealServer

ROOMY = "accounts { X { jetstream: enabled, users: [{ user: u, password: p }] } }\n"
NARROW = ROOMY + "max_subscriptions: 1\n"
REASON = (
    "the server takes no more subscriptions: raise max_subscriptions of the server, or max_subs "
    "of the account"
)


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[RealServer]:
    server = RealServer(tmp_path / "nats", ROOMY)
    server.start()
    yield server
    server.stop()


def user(server: RealServer) -> ConnectionSettings:
    return ConnectionSettings(servers=(server.url,), user="u", password="p", origin="flags")


async def test_commands_tell_the_reason_and_a_dashboard_recovers(
    limited: RealServer, tmp_path: Path
) -> None:
    head = await tell(user(limited), 0, 20)
    async with running(user(limited)) as workspace:
        await until(lambda: are_at(workspace, head))
        limited.stop()
        limited.extra = NARROW
        limited.start()
        natster = Program(tmp_path).on(user(limited))
        for command in (("status",), ("tail",), ("project", "--once"), ("verify",)):
            assert REASON in await natster.fail(3, *command)
        await until(lambda: REASON in workspace.sentence)
        limited.stop()
        limited.extra = ROOMY
        limited.start()
        await until(lambda: are_at(workspace, head))
