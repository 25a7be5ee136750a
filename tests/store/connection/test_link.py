"""How a connection fails, and that waiting callers notice it at once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest

from natster_tui.errors import (
    ApiError,
    ConnectionLostError,
    DeniedError,
    ServerError,
    UnreachableError,
)
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening import attempt, login
from natster_tui.store.connection.write_target import PublishedSubject
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import until
from tests.jetstream import ask_jetstream
from tests.making_logs import A, append, initialized
from tests.real_server import RealServer
from tests.serving import serving
from tests.subscribing import until_subscribed

SILENT = PublishedSubject("silent")
AT_ONCE = 1.0
"""Seconds; far below any timeout that would hide a failure."""

ACCOUNTS = """
accounts {
  community {
    jetstream: enabled
    users: [
      {user: admin, password: pw}
      {user: Observer, password: hunter2, permissions: {
        publish: {allow: ["$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.CREATE.>"]}
        subscribe: {allow: ["_INBOX.>"]}
      }}
      {user: deaf, password: pw, permissions: {subscribe: {allow: ["elsewhere.>"]}}}
    ]
  }
  plain { users: [{user: without, password: pw}] }
}
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server with users who may not do everything."""
    real = RealServer(tmp_path_factory.mktemp("strict"), extra=ACCOUNTS)
    real.start()
    yield real
    real.stop()


@pytest.fixture
def short_lived(tmp_path: Path) -> Iterator[RealServer]:
    """A server to be killed."""
    real = RealServer(tmp_path / "nats")
    real.start()
    yield real
    real.stop(signal.SIGKILL)


def user(server: RealServer, name: str, password: str = "pw") -> ConnectionSettings:
    return ConnectionSettings(servers=(server.url,), user=name, password=password, origin="flags")


class Stopwatch:
    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


# -- not getting in ----------------------------------------------------------------------------


async def test_a_server_that_is_down_is_a_sentence_quickly(unused_tcp_port: int) -> None:
    watch = Stopwatch()
    settings = ConnectionSettings(servers=(f"nats://127.0.0.1:{unused_tcp_port}",), origin="flags")
    with pytest.raises(UnreachableError) as caught:
        await Link.open(settings)
    assert watch.seconds < AT_ONCE
    assert f"nats://127.0.0.1:{unused_tcp_port}" in caught.value.sentence
    assert "is the server running, and is --server right?" in caught.value.sentence
    assert caught.value.exit_code == 3


async def test_somebody_who_accepts_and_says_nothing_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.2)

    async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(say_nothing) as port:
        with pytest.raises(UnreachableError, match="does not answer"):
            await Link.open(ConnectionSettings(servers=(f"nats://127.0.0.1:{port}",)))


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"INFO []\r\n", b"INFO {}\r\n", b"INFO 1\r\n"]
)
async def test_somebody_who_speaks_another_protocol_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 1.0)

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with serving(speak) as port:
        with pytest.raises(ServerError, match=f"127.0.0.1:{port}"):
            await Link.open(ConnectionSettings(servers=(f"nats://127.0.0.1:{port}",)))


async def test_a_wrong_password_names_the_user_and_never_the_password(strict: RealServer) -> None:
    watch = Stopwatch()
    with pytest.raises(ServerError) as caught:
        await Link.open(user(strict, "admin", "hunter2"))
    assert watch.seconds < AT_ONCE
    assert not isinstance(caught.value, UnreachableError)
    assert "refused these credentials (admin)" in caught.value.sentence
    assert "hunter2" not in caught.value.sentence


async def test_an_account_without_jetstream_is_a_sentence(strict: RealServer) -> None:
    link = await Link.open(user(strict, "without"))
    try:
        with pytest.raises(ServerError, match="JetStream"):
            await ask_jetstream(link, "INFO")
    finally:
        await link.close()


# -- permissions -------------------------------------------------------------------------------


async def test_a_denied_request_fails_at_once_and_names_the_subject(strict: RealServer) -> None:
    link = await Link.open(user(strict, "Observer", "hunter2"))
    problems: list[str] = []
    link.on_problem = problems.append
    try:
        watch = Stopwatch()
        with pytest.raises(DeniedError) as caught:
            await EventLog.create(link, NATSTER, LogSettings())
        assert watch.seconds < AT_ONCE
        assert "publish to $JS.API.STREAM.CREATE.NATSTER_EVENTS" in caught.value.sentence
        assert "Observer" in caught.value.sentence
        assert "hunter2" not in caught.value.sentence
        assert problems == [caught.value.sentence]
        # What is allowed goes on working.
        with pytest.raises(ServerError, match="there is no log"):
            await EventLog.open(link, NATSTER)
        assert not link.is_lost
    finally:
        await link.close()


async def test_a_denied_publish_without_an_answer_is_reported(strict: RealServer) -> None:
    link = await Link.open(user(strict, "Observer", "hunter2"))
    problems: list[str] = []
    link.on_problem = problems.append
    try:
        await link.publish(PublishedSubject("natster.events.A.none.none.natster_initialized"), b"")
        await until(lambda: problems)
        assert "does not permit Observer to publish to natster.events.A.none" in problems[0]
    finally:
        await link.close()


async def test_who_may_hear_no_answers_is_told_so_at_once_every_time(strict: RealServer) -> None:
    link = await Link.open(user(strict, "deaf"))
    try:
        for _ in range(2):
            watch = Stopwatch()
            with pytest.raises(DeniedError, match="subscribe to _INBOX"):
                await ask_jetstream(link, "INFO")
            assert watch.seconds < AT_ONCE
    finally:
        await link.close()


# -- being lost --------------------------------------------------------------------------------


async def silent_service(settings: ConnectionSettings) -> nats.NATS:
    """Somebody who hears requests on `silent` and never answers."""
    client = await nats.connect(
        list(settings.servers),
        user=settings.user,
        password=revealed(settings.password),
        allow_reconnect=False,
    )
    await client.subscribe("silent")
    await until_subscribed(client)
    return client


async def test_losing_the_server_fails_everything_that_waits_at_once(
    short_lived: RealServer,
) -> None:
    settings = short_lived.new_account()
    service = await silent_service(settings)
    link = await Link.open(settings)
    waiting = [asyncio.create_task(link.request(SILENT, timeout=60)) for _ in range(3)]
    await link.client.flush()
    watch = Stopwatch()
    short_lived.stop(signal.SIGKILL)
    for task in waiting:
        with pytest.raises(ConnectionLostError, match="lost the connection to"):
            await task
    assert watch.seconds < AT_ONCE
    assert link.is_lost
    for late in (link.request(SILENT), link.publish(SILENT, b""), ask_jetstream(link, "INFO")):
        with pytest.raises(ConnectionLostError):
            await late
    assert watch.seconds < AT_ONCE
    await link.close()
    await service.close()


async def test_a_frozen_server_is_a_lost_one(
    short_lived: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "PING_INTERVAL", 0.1)
    settings = short_lived.new_account()
    service = await silent_service(settings)
    link = await Link.open(settings)
    short_lived.signal(signal.SIGSTOP)
    with pytest.raises(ConnectionLostError):
        await link.request(SILENT, timeout=60)
    await link.close()
    short_lived.stop(signal.SIGKILL)
    await service.close()


async def test_closing_fails_everything_that_waits(settings: ConnectionSettings) -> None:
    service = await silent_service(settings)
    link = await Link.open(settings)
    waiting = asyncio.create_task(link.request(SILENT, timeout=60))
    await link.client.flush()
    await link.close()
    with pytest.raises(ConnectionLostError):
        await waiting
    assert link.is_lost
    await service.close()


async def test_a_link_does_not_come_back_by_itself(short_lived: RealServer) -> None:
    link = await Link.open(short_lived.new_account())
    short_lived.stop(signal.SIGKILL)
    await link.lost
    short_lived.start()
    with pytest.raises(ConnectionLostError):
        await ask_jetstream(link, "INFO")
    await link.close()


# -- asking ------------------------------------------------------------------------------------


async def test_an_answer_that_is_an_error_carries_its_code(link: Link) -> None:
    with pytest.raises(ApiError) as caught:
        await ask_jetstream(link, "STREAM.INFO.NOTHING")
    assert caught.value.code == 10059
    assert "STREAM.INFO.NOTHING" in caught.value.sentence


async def test_what_nobody_answered_is_asked_again(settings: ConnectionSettings) -> None:
    """As while a cluster has no leader for a stream: the first question is lost for good."""
    server = await Link.open(settings)
    client = await Link.open(replace(settings, js_api_prefix="lossy.API"))
    asked: list[str] = []

    async def answer(message: Any) -> None:
        asked.append(message.subject)
        if len(asked) > 1:
            await message.respond(b'{"config":{"name":"X"}}')

    await server.client.subscribe("lossy.API.>", cb=answer)
    await until_subscribed(server.client)
    assert (await ask_jetstream(client, "STREAM.INFO.X"))["config"] == {"name": "X"}
    assert asked == ["lossy.API.STREAM.INFO.X"] * 2
    # What changes something is asked once.
    asked.clear()
    with pytest.raises(ServerError, match="did not answer"):
        await ask_jetstream(client, "STREAM.CREATE.X", timeout=1.5)
    assert len(asked) == 1
    await client.close()
    await server.close()


async def test_no_answer_in_time_names_the_subject(
    link: Link, settings: ConnectionSettings
) -> None:
    service = await silent_service(settings)
    with pytest.raises(ServerError, match=r"did not answer silent within 0\.05 s"):
        await link.request(SILENT, timeout=0.05)
    assert not link.is_lost
    await service.close()


async def test_more_than_the_server_takes_is_a_sentence(log: EventLog) -> None:
    with pytest.raises(ServerError, match="bytes at most: raise max_payload on the server"):
        await log.link.request(SILENT, b"x" * (log.link.info.max_payload + 1))
    assert not log.link.is_lost
    await append(log, [initialized(A)])
