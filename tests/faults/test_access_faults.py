"""Credentials expire, and permissions lack a verb."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from natster_tui.engine.leases.keeper import REFUSED_S
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.byte_sizes import MIB
from tests.conftest import until
from tests.faults.arena import SOON_S, are_at, dashboard, own_server, say, tell, took
from tests.faults.checker import Checker, plain_client, read_bucket
from tests.faults.results import record
from tests.user_jwts import Operator

LIMITED = """
accounts { a0 { jetstream: { max_file: 2GB, max_streams: 4, max_bytes_required: true }, users: [
  { user: u000, password: p0 },
] } }
"""
SPARE = ("spare", "other")
ONE_VERB = """
accounts { a0 { jetstream: enabled, users: [
  { user: u000, password: p0 },
  { user: clipped, password: p0, permissions: { publish: { deny: "$KV.PROJ_CATALOG.>" } } },
] } }
"""


async def test_a_jwt_expires(tmp_path: Path) -> None:
    operator = Operator()

    def issue(name: str, expires: int | None = None) -> Path:
        path = tmp_path / name
        path.write_text(operator.user_credentials(expires=expires))
        return path

    async with own_server(tmp_path / "jwt", operator.server_config) as server:
        lasting = ConnectionSettings(servers=(server.url,), creds=issue("lasting"), origin="flags")
        head = await tell(lasting, 0, 300)
        checker = Checker(lasting)
        await checker.remember()
        expires = int(time.time()) + 2
        short = ConnectionSettings(
            servers=(server.url,), creds=issue("short", expires), origin="flags"
        )
        async with dashboard(short) as workspace:
            await until(lambda: are_at(workspace, head))
            await until(lambda: workspace.connection is Connection.REFUSED, 2 + SOON_S)
            assert time.time() - expires < SOON_S + 1
            assert "refused these credentials" in workspace.sentence
            assert any("expired" in p.sentence for p in workspace.problems), workspace.problems
            head = await tell(lasting, head, 100)
            # The file is renewed; nothing of ours is started again.
            issue("short")
            back = await took(lambda: are_at(workspace, head))
        found = await checker.check(at=head)
    record("JWT expires, then is renewed", found, recovered_s=back)
    assert back < SOON_S


async def test_an_account_with_limits(tmp_path: Path) -> None:
    """The account has no stream left for the buckets until others are removed."""
    async with own_server(tmp_path / "limits", LIMITED) as server:
        settings = server.new_account()
        head = await tell(settings, 0, 300)
        checker = Checker(settings)
        await checker.remember()
        async with plain_client(settings) as client:
            # Two: of two buckets that are made at the same time the server counts none.
            for name in SPARE:
                await client.jetstream().add_stream(name=name, subjects=[name], max_bytes=MIB)
            async with dashboard(settings) as workspace:
                said = await took(
                    lambda: say(workspace, "maximum number of streams reached", "raise max_streams")
                )
                assert said < SOON_S
                for name in SPARE:
                    await client.jetstream().delete_stream(name)
                back = await took(lambda: are_at(workspace, head))
        found = await checker.check(at=head)
    record("the account with limits", found, recovered_s=back)
    assert back < REFUSED_S + SOON_S


async def test_one_verb_is_denied(tmp_path: Path) -> None:
    """Everything is permitted, but publishing to one of the two buckets."""
    async with own_server(tmp_path / "denied", ONE_VERB) as server:
        full = server.new_account()
        head = await tell(full, 0, 300)
        async with dashboard(full) as first:
            await until(lambda: are_at(first, head))
        checker = Checker(full)
        await checker.remember()
        head = await tell(full, head, 100)
        clipped = ConnectionSettings(
            servers=(server.url,), user="clipped", password="p0", origin="flags"
        )
        async with dashboard(clipped) as workspace:
            account, catalog = workspace.projectors["account"], workspace.projectors["catalog"]
            await until(lambda: account.status.stored == head)
            said = await took(
                lambda: (
                    catalog.status.phase is Phase.WATCHING
                    and "does not permit" in catalog.status.problem
                )
            )
            assert said < SOON_S
            await until(lambda: catalog.status.position == head)
            # Denied, it must not ask again and again.
            version = catalog.version
            commits = catalog.status.commits
            await asyncio.wait_for(tell(full, head, 10), 10)
            await until(lambda: catalog.status.position == head + 10)
            await until(lambda: account.status.stored == head + 10)
            assert catalog.version - version < 40
            assert catalog.status.commits == commits == 0
        found = await checker.check(at=head + 10, projections=[ACCOUNTS])
        async with plain_client(full) as client:
            stored = await read_bucket(client, "PROJ_CATALOG")
            assert stored.checkpoint is not None
            assert stored.checkpoint["seq"] == 300
        async with dashboard(full) as again:
            back = await took(lambda: are_at(again, head + 10))
        whole = await checker.check(at=head + 10)
    record("permission denied for one verb", found, whole, recovered_s=back)
