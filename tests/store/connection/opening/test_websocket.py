"""NATS over a WebSocket, with the extra package and without it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from natster_tui.errors import NatsterError
from natster_tui.store.connection.answers.servers import AccountInfoAnswer
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.store.connection.opening.conftest import SECRET, Lab

WITHOUT = "import sys; sys.modules['aiohttp'] = None; from natster_tui.cli.main import run; run()"


async def test_without_the_extra_it_is_a_sentence_before_connecting(tmp_path: Path) -> None:
    program = Program(tmp_path)
    for scheme in ("ws", "wss"):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", WITHOUT, "status", "--server", f"{scheme}://127.0.0.1:1"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=program.environment,
        )
        out, err = await process.communicate()
        assert (process.returncode, out) == (2, b"")
        assert b'pip install "natster-tui[websocket]"' in err


async def refused(settings: ConnectionSettings) -> str:
    with pytest.raises(NatsterError) as caught:
        await Link.open(settings)
    assert SECRET not in caught.value.sentence
    return caught.value.sentence


async def test_a_websocket_is_as_protected_as_was_asked_for(lab: Lab) -> None:
    pytest.importorskip("aiohttp", reason="the extra `websocket` is not installed")
    authority = {"tls_ca": lab.ca.file}
    for settings, secure in (
        (lab.settings("wss", **authority), True),
        (lab.settings("ws"), False),
    ):
        link = await Link.open(settings)
        await link.ask("INFO", AccountInfoAnswer)
        assert link.client.is_secure is secure
        await link.close()
    assert "unable to get local issuer certificate" in await refused(lab.settings("wss"))
    assert "write wss:// instead" in await refused(lab.settings("ws", **authority))
    plain = lab.url("plain").replace("nats://", "wss://")
    assert "wrong version number" in await refused(lab.settings(plain, **authority))
    no_http = lab.url("plain").replace("nats://", "ws://")
    assert "does not speak the NATS protocol" in await refused(lab.settings(no_http))
