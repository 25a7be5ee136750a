"""Credentials expire, and permissions lack a verb."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import nkeys

from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection
from natster_tui.projections.registry import ACCOUNTS
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import SOON_S, are_at, dashboard, own_server, tell, took
from tests.faults.checker import Checker, plain_client, read_bucket
from tests.faults.results import record

UNLIMITED = {
    "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True,
    "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
}  # fmt: skip

ONE_VERB = """
accounts { a0 { jetstream: enabled, users: [
  { user: u000, password: p0 },
  { user: clipped, password: p0, permissions: { publish: { deny: "$KV.PROJ_CATALOG.>" } } },
] } }
"""


def key_pair(prefix: int) -> tuple[nkeys.KeyPair, str, bytes]:
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    pair = nkeys.from_seed(bytearray(seed))
    return pair, pair.public_key.decode(), bytes(seed)


def jwt(issuer: tuple[nkeys.KeyPair, str, bytes], subject: str, **claims: Any) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    expires = claims.pop("exp", None)
    body = {"jti": os.urandom(8).hex(), "iat": int(time.time()), "iss": issuer[1], "sub": subject}
    if expires is not None:
        body["exp"] = expires
    signed = f"{part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{part({**body, **claims})}"
    signature = base64.urlsafe_b64encode(issuer[0].sign(signed.encode())).decode().rstrip("=")
    return f"{signed}.{signature}"


def creds(path: Path, token: str, seed: bytes) -> None:
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed.decode()}\n------END USER NKEY SEED------\n"
    )


async def test_a_jwt_expires(tmp_path: Path) -> None:
    operator = key_pair(nkeys.PREFIX_BYTE_OPERATOR)
    account, system = (key_pair(nkeys.PREFIX_BYTE_ACCOUNT) for _ in range(2))
    user = key_pair(nkeys.PREFIX_BYTE_USER)
    about = {"limits": UNLIMITED, "type": "account", "version": 2}
    no_store = {name: value for name, value in UNLIMITED.items() if "storage" not in name}
    about_system = {"limits": no_store, "type": "account", "version": 2}
    extra = (
        f"operator: {jwt(operator, operator[1], nats={'type': 'operator', 'version': 2})}\n"
        f"system_account: {system[1]}\nresolver: MEMORY\nresolver_preload: {{\n"
        f"{account[1]}: {jwt(operator, account[1], nats=about)}\n"
        f"{system[1]}: {jwt(operator, system[1], nats=about_system)}\n}}\n"
    )

    def issue(name: str, **more: Any) -> Path:
        may = {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
        claims = {"nats": {**may, "type": "user", "version": 2}, **more}
        creds(tmp_path / name, jwt(account, user[1], **claims), user[2])
        return tmp_path / name

    async with own_server(tmp_path / "jwt", extra) as server:
        lasting = ConnectionSettings(servers=(server.url,), creds=issue("lasting"), origin="flags")
        head = await tell(lasting, 0, 300)
        checker = Checker(lasting)
        await checker.remember()
        expires = int(time.time()) + 2
        short = ConnectionSettings(
            servers=(server.url,), creds=issue("short", exp=expires), origin="flags"
        )
        async with dashboard(short) as workspace:
            await until(lambda: are_at(workspace, head))
            await until(lambda: workspace.connection is Connection.REFUSED, 2 + SOON_S)
            assert time.time() - expires < SOON_S + 1
            assert "refused these credentials" in workspace.sentence
            assert any("expired" in p.sentence for p in workspace.problems), workspace.problems
            head = await tell(lasting, head, 100)
            # Somebody renews the file; nothing of ours is started again.
            issue("short")
            back = await took(lambda: are_at(workspace, head))
        found = await checker.check(at=head)
    record("JWT expires, then is renewed", found, recovered_s=back)
    assert back < SOON_S


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
