"""What the program's connections are called, and credentials that ran out."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest

from tests.cli.program import Program
from tests.cli.terminal import Terminal
from tests.faults.arena import own_server
from tests.real_server import RealServer
from tests.user_jwts import Operator

ACCOUNTS = """
accounts {
  a0 { jetstream: enabled, users: [{user: u000, password: p0}] }
  SYS { users: [{user: sys, password: sys}] }
}
system_account: SYS
"""


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[RealServer]:
    async with own_server(tmp_path / "watched", ACCOUNTS) as server:
        yield server


async def names(server: RealServer) -> set[str]:
    """The names of all open connections, as an operator sees them."""
    client = await nats.connect(server.url, user="sys", password="sys")
    answer = await client.request("$SYS.REQ.SERVER.PING.CONNZ", b"{}", timeout=5)
    await client.close()
    return {each.get("name", "") for each in json.loads(answer.data)["data"]["connections"]}


async def test_a_connection_is_named_after_what_it_is(
    watched: RealServer, anywhere: Program
) -> None:
    natster = anywhere.on(watched.new_account())
    await natster.fail(1, "publish", "context_bound", "--origin", "none", "--create-log")
    process = await natster.start("project")
    async with Terminal(natster):
        seen: set[str] = set()
        deadline = time.monotonic() + 20
        while not {"natster-tui project", "natster-tui dashboard"} <= seen:
            assert time.monotonic() < deadline, seen
            seen = await names(watched)
    process.terminate()
    await process.communicate()


async def test_an_expired_jwt_is_reported_as_expired(anywhere: Program, tmp_path: Path) -> None:
    operator = Operator()
    creds = tmp_path / "a.creds"
    creds.write_text(operator.user_credentials(expires=int(time.time()) - 60))
    async with own_server(tmp_path / "jwt", operator.server_config) as server:
        natster = anywhere.with_options("--server", server.url, "--creds", str(creds))
        sentence = await natster.fail(3, "status")
        assert "refused these credentials (creds a.creds), which expired" in sentence
        assert sentence.endswith("get new ones")
        # One that runs out while connected ends the connection, with the same reason.
        expires = int(time.time()) + 2
        creds.write_text(operator.user_credentials(expires=expires))
        await natster.fail(1, "publish", "context_bound", "--origin", "none", "--create-log")
        process = await natster.start("project")
        assert process.stderr is not None
        told: list[str] = []
        async for line in process.stderr:
            told.append(line.decode())
            if "which expired" in told[-1]:
                break
        assert "which expired" in told[-1], told
        process.terminate()
        await process.communicate()
