"""TLS that is asked for is TLS or nothing, and each failure says why and what to check."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from natster_tui.errors import NatsterError, ServerError, UsageError
from natster_tui.store.connection.answers.servers import AccountInfoAnswer
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening import attempt
from natster_tui.store.connection.opening.servers import ServerPool
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.store.connection.opening.conftest import SECRET, Lab
from tests.store.connection.opening.fakes import (
    answering_with,
    fake_server,
    info,
    with_tls,
)

PROMPTLY_S = 5.0

Options = Callable[[Lab], dict[str, Any]]
CERTIFICATE_WANTED = "check --tls-cert and --tls-key"


def ca(lab: Lab) -> dict[str, Any]:
    return {"tls_ca": lab.ca.file}


def certificate(name: str) -> Options:
    def options(lab: Lab) -> dict[str, Any]:
        pair = getattr(lab, name)
        return {**ca(lab), "tls_cert": pair.certificate, "tls_key": pair.key}

    return options


def ca_and_first(lab: Lab) -> dict[str, Any]:
    return {**ca(lab), "tls_first": True}


async def refusal(settings: ConnectionSettings, pool: ServerPool | None = None) -> NatsterError:
    """The error if no connection is made; it must come promptly and reveal no secret."""
    began = time.monotonic()
    with pytest.raises(NatsterError) as caught:
        await Link.open(settings, pool=pool)
    assert time.monotonic() - began < PROMPTLY_S
    assert SECRET not in caught.value.sentence
    assert "operation not permitted" not in caught.value.sentence
    return caught.value


async def connects(settings: ConnectionSettings) -> bool:
    """Connect and ask something; whether that was over TLS."""
    link = await Link.open(settings)
    await link.ask("INFO", AccountInfoAnswer)
    secure = link.client.is_secure
    await link.close()
    return secure


# -- real servers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "options"),
    [
        ("tls", ca),
        ("client certificate", certificate("client")),
        ("handshake first", ca_and_first),
        ("allow_non_tls", ca),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_was_asked_for_is_what_there_is(lab: Lab, server: str, options: Options) -> None:
    assert await connects(lab.settings(server, **options(lab)))


async def test_tls_by_the_scheme_alone_takes_the_authorities_of_the_system(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.ca.file))
    url = lab.url("allow_non_tls").replace("nats://", "tls://")
    assert await connects(lab.settings(url))


async def test_without_tls_asked_for_a_server_that_does_not_demand_it_is_used_plainly(
    lab: Lab,
) -> None:
    assert not await connects(lab.settings("allow_non_tls"))
    assert not await connects(lab.settings("plain"))


@pytest.mark.parametrize(
    ("server", "options", "reason", "remedy"),
    [
        ("tls", None, "unable to get local issuer certificate", "name its file with --tls-ca"),
        (
            "tls",
            lambda lab: {"tls_ca": lab.other_ca.file},
            "certificate verify failed: unable to get local issuer certificate",
            "check --tls-ca",
        ),
        ("wrong name", ca, "certificate is not valid for '127.0.0.1'", "in --server"),
        ("ended", ca, "certificate verify failed: certificate has expired", "renew the server's"),
        ("client certificate", ca, "certificate", CERTIFICATE_WANTED),
        ("client certificate", certificate("ended_client"), "alert", "--tls-cert, which expired"),
        ("client certificate", certificate("foreign_client"), "alert", CERTIFICATE_WANTED),
        ("handshake first", ca, "closed the connection without a reason", "add --tls-first"),
        ("tls", ca_and_first, "wrong version number", "leave --tls-first out"),
        ("plain", ca_and_first, "wrong version number", "leave --tls-first out"),
        ("plain", ca, "offers no TLS, which --tls-ca asks for", "no credentials were sent"),
    ],
    ids=[
        "private CA not given",
        "wrong CA",
        "wrong name",
        "expired server certificate",
        "client certificate missing",
        "expired client certificate",
        "client certificate of another CA",
        "tls_first not given",
        "tls_first at a server that greets first",
        "tls_first at a plain server",
        "plain server",
    ],
)
async def test_a_server_that_cannot_be_used_is_a_sentence_with_the_reason_and_the_flag(
    lab: Lab, server: str, options: Options | None, reason: str, remedy: str
) -> None:
    error = await refusal(lab.settings(server, **(options(lab) if options else {})))
    assert error.exit_code == 3
    assert reason in error.sentence
    assert remedy in error.sentence
    assert "127.0.0.1:" in error.sentence


async def test_each_scheme_and_option_asks_for_tls(lab: Lab) -> None:
    plain = lab.settings("plain")
    pair = lab.client
    for settings, asked_by in (
        (replace(plain, servers=(plain.servers[0].replace("nats", "tls"),)), "tls://"),
        (replace(plain, tls_ca=lab.ca.file), "--tls-ca"),
        (replace(plain, tls_cert=pair.certificate, tls_key=pair.key), "--tls-cert"),
        # One server of a list with tls:// asks for all of them.
        (replace(plain, servers=(*plain.servers, "tls://127.0.0.1:1")), "tls://"),
    ):
        error = await refusal(settings)
        assert f"offers no TLS, which {asked_by} asks for" in error.sentence


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (certificate("locked"), "--tls-key, has a pass phrase, which natster-tui never asks for"),
        (
            lambda lab: {"tls_cert": lab.client.certificate, "tls_key": lab.foreign_client.key},
            "named by --tls-key, cannot be used (key values mismatch)",
        ),
        (
            lambda lab: {"tls_cert": lab.client.certificate, "tls_key": lab.ca.file},
            "named by --tls-key, cannot be used (it is not in PEM form)",
        ),
        (
            lambda lab: {"tls_cert": lab.client.key, "tls_key": lab.client.key},
            "named by --tls-cert, cannot be used (it is not in PEM form)",
        ),
        (lambda lab: {"tls_ca": lab.client.key}, "named by --tls-ca, cannot be used (no cert"),
        (
            lambda lab: {"tls_ca": lab.directory / "gone.pem"},
            "named by --tls-ca, cannot be used (no such file or directory)",
        ),
    ],
    ids=["pass phrase", "another's key", "no key", "no certificate", "no authority", "no file"],
)
async def test_files_that_cannot_be_used_are_told_before_anything_is_sent(
    lab: Lab, options: Options, words: str
) -> None:
    async with fake_server(info()) as server:
        error = await refusal(lab.settings(server.url, **options(lab)))
        assert isinstance(error, UsageError)
        assert words in error.sentence
        assert server.connections == 0


# -- liars -------------------------------------------------------------------------------------

ASKING: dict[str, Options] = {
    "tls://": lambda _lab: {},
    "--tls-ca": ca,
    "--tls-cert": certificate("client"),
    "--tls-first": ca_and_first,
}
LIES = {
    "no TLS": info(),
    "no TLS, but a login": info(auth_required=True),
    "TLS, and then none": info(tls_required=True),
    "TLS on offer, and then none": info(tls_available=True),
    "no NATS": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nonsense": b"INFO [1]\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("asking", ASKING)
async def test_no_byte_of_a_credential_is_sent_before_the_handshake(
    lab: Lab, asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.2)
    for lie, greeting in LIES.items():
        async with fake_server(greeting) as server:
            url = server.url.replace("nats", "tls") if asking == "tls://" else server.url
            await refusal(lab.settings(url, **ASKING[asking](lab)))
            assert server.connections == 1, lie
            for word in (b"CONNECT", b"ada", SECRET.encode(), b"PING"):
                assert word not in server.received, lie


async def test_a_server_that_is_not_verified_is_sent_no_credential(lab: Lab) -> None:
    """Whoever is in between can do a handshake, too, but not with a certificate that is good."""
    sent: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(lab.wrong_name.certificate, lab.wrong_name.key)
        await writer.start_tls(context)
        sent.append(await reader.read(1000))

    async with fake_server(info(tls_required=True), listen) as server:
        error = await refusal(lab.settings(server.url, **ca(lab)))
        assert "not valid for" in error.sentence
    assert b"".join(sent) == b""


async def test_what_came_before_the_handshake_is_no_part_of_the_conversation(lab: Lab) -> None:
    """Lines that an attacker in between adds to the plain INFO are not the server's."""
    injected = b"PONG\r\n-ERR 'Authorization Violation'\r\n"
    async with fake_server(info(tls_required=True) + injected, with_tls(lab.good)) as server:
        link = await Link.open(lab.settings(server.url, **ca(lab)))
        assert link.client.is_secure
        await link.client.flush()
        await link.close()


async def test_a_handshake_that_stalls_ends_with_a_sentence(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.3)
    for greeting, options in ((info(tls_required=True), ca(lab)), (b"", ca_and_first(lab))):
        async with fake_server(greeting) as server:
            began = time.monotonic()
            error = await refusal(lab.settings(server.url, **options))
            assert time.monotonic() - began < 0.3 + 0.5
            assert error.exit_code == 3
            assert "the handshake did not end within 0.3 s" in error.sentence


@pytest.mark.parametrize("answer", [b"\x00\x9f\xff random\r\n", b"\x17\x03\x03" * 50, b"+OK\r\n"])
async def test_anything_but_a_pong_is_no_connection(
    lab: Lab, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.3)
    async with fake_server(info(), answering_with(answer)) as server:
        error = await refusal(lab.settings(server.url))
        assert isinstance(error, ServerError)


# -- advertised servers ------------------------------------------------------------------------


async def test_an_advertised_server_gets_no_credential_over_less_protection(lab: Lab) -> None:
    """The server is good, over TLS, and advertises one that has none."""
    async with fake_server(info()) as liar:
        place = f"127.0.0.1:{liar.port}"
        advertising = info(tls_required=True, connect_urls=[place])
        async with fake_server(info(tls_required=True), with_tls(lab.good, advertising)) as good:
            settings = lab.settings(good.url, **ca(lab))
            pool = ServerPool(settings.servers)
            link = await Link.open(settings, pool=pool)
            await until(lambda: len(pool.in_turn()) == 2)
            await link.close()
        error = await refusal(settings, pool)
        assert f"{place} offers no TLS" in error.sentence
        assert liar.connections == 1
        assert not liar.received


async def test_servers_that_are_advertised_before_the_handshake_are_not_believed(lab: Lab) -> None:
    advertising = info(tls_required=True, connect_urls=["evil.example:4222"])
    async with fake_server(advertising, with_tls(lab.good)) as server:
        settings = lab.settings(server.url, **ca(lab))
        pool = ServerPool(settings.servers)
        link = await Link.open(settings, pool=pool)
        await link.close()
        assert [address.url for address in pool.in_turn()] == [server.url]


# -- the command line --------------------------------------------------------------------------


async def test_the_command_line_says_why_and_ends(lab: Lab, tmp_path: Path) -> None:
    program = Program(tmp_path).with_options("--user", "ada", "--password", SECRET)
    authority = ("--tls-ca", str(lab.ca.file))
    locked = ("--tls-cert", str(lab.locked.certificate), "--tls-key", str(lab.locked.key))
    url = lab.url("tls")
    unknown, needs_phrase, first = await asyncio.gather(
        program.fail(3, "status", "--server", url),
        program.fail(2, "status", "--server", url, *authority, *locked),
        program.fail(
            3, "status", "--server", lab.url("handshake first"), *authority, "--tls-first"
        ),
    )
    assert unknown == (
        f"TLS with {url} failed (certificate verify failed: unable to get local issuer "
        "certificate): if the server has a private authority, name its file with --tls-ca"
    )
    assert "never asks for" in needs_phrase
    assert first.startswith("there is no log"), first


async def test_a_connection_without_tls_reads_no_certificates(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's authorities take longer to read than everything else that a connection does."""

    def read(**_arguments: object) -> None:
        raise AssertionError("read the authorities")

    monkeypatch.setattr(ssl, "create_default_context", read)
    link = await Link.open(settings)
    await link.close()


def test_a_connection_without_tls_files_does_not_load_the_reader_of_certificates() -> None:
    imported = "import sys, natster_tui.store.connection.link"
    look = f"{imported}; sys.exit('cryptography.x509' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
