"""A TLS handshake stalls, and a certificate is replaced: the dashboard goes on by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from natster_tui.engine.workspace import Connection
from natster_tui.store.connection.opening import attempt
from tests.certificates import Authority, Pair
from tests.conftest import until
from tests.faults.arena import FEW_ACCOUNTS, SOON_S, are_at, dashboard, own_server, tell, took
from tests.faults.checker import Checker
from tests.faults.proxy import Proxy
from tests.faults.results import record


def with_tls(pair: Pair) -> str:
    tls = f'tls {{ cert_file: "{pair.certificate}", key_file: "{pair.key}" }}\n'
    return f"{FEW_ACCOUNTS}\n{tls}allow_non_tls: true\n"


async def test_a_tls_handshake_stalls(tmp_path: Path) -> None:
    ca = Authority(tmp_path / "ca")
    async with own_server(tmp_path / "n", with_tls(ca.signed("good", "127.0.0.1"))) as server:
        plain = replace(server.new_account(), servers=(f"nats://127.0.0.1:{server.port}",))
        head = await tell(plain, 0, 300)
        checker = Checker(plain)
        await checker.remember()
        async with Proxy.before(plain) as proxy:
            # What follows the server's INFO: the first bytes of the handshake.
            proxy.mute_after(b"\x16\x03")
            guarded = replace(plain, servers=(proxy.url,), tls_ca=ca.file)
            async with dashboard(guarded) as workspace:
                limit = attempt.CONNECT_TIMEOUT + SOON_S
                await until(lambda: workspace.sentence, limit)
                assert "the handshake did not end within" in workspace.sentence
                proxy.flow()
                back = await took(lambda: are_at(workspace, head))
        found = await checker.check(at=head)
    record("TLS handshake stalls", found, recovered_s=back)


async def test_a_certificate_is_replaced(tmp_path: Path) -> None:
    ca = Authority(tmp_path / "ca")
    ended = with_tls(ca.signed("ended", "127.0.0.1", ended_days_ago=1))
    async with own_server(tmp_path / "n", ended) as server:
        plain = replace(server.new_account(), servers=(f"nats://127.0.0.1:{server.port}",))
        head = await tell(plain, 0, 20)
        async with dashboard(replace(plain, tls_ca=ca.file)) as workspace:
            await until(lambda: workspace.connection is Connection.REFUSED, 5)
            assert "certificate has expired" in workspace.sentence
            await asyncio.to_thread(server.stop)
            server.extra = with_tls(ca.signed("good", "127.0.0.1"))
            await asyncio.to_thread(server.start)
            await until(lambda: are_at(workspace, head))
