"""A server's configuration is reloaded under a dashboard: it says what it lost, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import SOON_S, are_at, dashboard, own_server, say, tell, took
from tests.faults.checker import Checker

RECOVERS_S = 12.0
"""It asks again at growing distances, of some five seconds by then."""


def configuration(user: str = "u", jetstream: str = "enabled", denied: str = "[]") -> str:
    permissions = f"permissions: {{ publish: {{ deny: {denied} }} }}"
    return (
        f"accounts {{ X {{ jetstream: {jetstream}, "
        f"users: [{{ user: {user}, password: p, {permissions} }}] }} }}\n"
    )


def tells(workspace: Workspace, words: str) -> bool:
    return words in workspace.sentence or say(workspace, words)


@pytest.mark.parametrize(
    ("changed", "words", "loses_connection"),
    [
        (configuration(user="another"), "refused these credentials", True),
        pytest.param(
            configuration(jetstream="disabled"),
            "JetStream not enabled for account",
            True,
            marks=pytest.mark.full,
        ),
        (configuration(denied='["$KV.>"]'), "does not permit u to publish to $KV.", False),
        pytest.param(
            configuration(denied='["$JS.API.>"]'),
            "does not permit u to publish to $JS.API.",
            False,
            marks=pytest.mark.full,
        ),
    ],
    ids=["user removed", "JetStream off", "entries denied", "JetStream denied"],
)
async def test_what_a_reload_takes_away_is_told_and_used_again_when_it_is_back(
    tmp_path: Path, changed: str, words: str, loses_connection: bool
) -> None:
    async with own_server(tmp_path / "nats", configuration()) as server:
        settings = ConnectionSettings(servers=(server.url,), user="u", password="p", origin="flags")
        head = await tell(settings, 0, 100)
        checker = Checker(settings)
        async with dashboard(settings) as workspace:
            await until(lambda: are_at(workspace, head))
            server.reload(changed)
            said = await took(lambda: tells(workspace, words))
            assert said < 3 * SOON_S
            if loses_connection:
                assert workspace.connection is not Connection.CONNECTED
            server.reload(configuration())
            await until(lambda: are_at(workspace, head), RECOVERS_S)
            head = await tell(settings, head, 50)
            await until(lambda: are_at(workspace, head))
        await checker.remember()
        await checker.check(at=head)
