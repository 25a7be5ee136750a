"""Parsing in bulk gives the same as nats-py's own parser, however the bytes are cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from natster_tui.store.connection import wire
from natster_tui.store.connection.delivery_parser import (
    LONGEST_LINE,
    Delivery,
    DeliveryParser,
    replace_parser,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.wire import WireClient
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.making_logs import append, records_in
from tests.store.connection.test_wire import a_log_of_all_kinds

RAW = 7
"""The subscription whose messages go to a sink; the others are nats-py's."""


class RecordingClient:
    """Stands for the client behind a parser, and records what it receives."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        self.received.append((sid, (bytes(subject), bytes(reply), data, headers)))

    async def _process_ping(self) -> None:
        self.received.append("ping")

    async def _process_pong(self) -> None:
        self.received.append("pong")

    async def _process_err(self, message: str) -> None:
        # nats-py lower-cases it, and we do not.
        self.received.append(message.lower())

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.received.append(info)

    def sink(self, arrived: list[Delivery]) -> None:
        assert arrived
        self.received += [(RAW, delivery) for delivery in arrived]


def parsed_by(
    parser: Parser, client: RecordingClient, stream: bytes, cuts: list[int]
) -> tuple[Any, ...]:
    """What a parser makes of bytes that come in pieces, and what it keeps for later."""

    async def feed() -> None:
        at = 0
        for cut in [*sorted({cut % (len(stream) + 1) for cut in cuts}), len(stream)]:
            await parser.parse(stream[at:cut])
            at = cut

    try:
        asyncio.run(feed())
    except ProtocolError:
        # The connection ends here; what is kept does not matter.
        return [*client.received, "protocol error"], b"", 0
    return client.received, bytes(parser.buf), parser.state


def both_ways(stream: bytes, cuts: list[int]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    theirs, ours = RecordingClient(), RecordingClient()
    return (
        parsed_by(Parser(theirs), theirs, stream, cuts),
        parsed_by(DeliveryParser(ours, {RAW: ours.sink}), ours, stream, cuts),
    )


def message(subject: str, sid: int, reply: str, headers: bytes, payload: bytes) -> bytes:
    words = [subject, str(sid), *([reply] if reply else [])]
    sizes = [*([len(headers)] if headers else []), len(headers) + len(payload)]
    verb = "HMSG" if headers else "MSG"
    line = " ".join([verb, *words, *map(str, sizes)])
    return line.encode() + b"\r\n" + headers + payload + b"\r\n"


_messages = st.builds(
    message,
    st.sampled_from(["a", "natster.events.AA.é.k.x", "HMSG"]),
    st.sampled_from([RAW, RAW, RAW, 8, 12]),
    st.sampled_from(["", "$JS.ACK.S.c.1.42.7.5.3", "_INBOX.x"]),
    st.sampled_from([b"", b"NATS/1.0\r\n\r\n", b"NATS/1.0 100 Idle\r\nX: MSG a 7 b 3\r\n\r\n"]),
    st.sampled_from([b"", b"null", b"\r\n", b"MSG a 7 3\r\nxxx\r\n", b"PING\r\n", b"x" * 100]),
)
INFO = b'INFO {"server_id":"N","version":"2.15.1","max_payload":1048576}\r\n'
_others = st.sampled_from(
    [b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'Permissions Violation'\r\n", INFO]
)
_odd = st.sampled_from([b"MSG  a   7 b  0\r\n\r\n", b"NONSENSE\r\n", b"HMSG a 7 r x 12\r\n"])
streams = st.lists(st.one_of(_messages, _messages, _others, _odd), max_size=12).map(b"".join)


@given(streams, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_bytes_in_any_pieces_mean_what_they_mean_to_nats_py(
    stream: bytes, cuts: list[int]
) -> None:
    theirs, ours = both_ways(stream, cuts)
    assert ours == theirs


def test_every_cut_of_a_stream_is_put_together_again() -> None:
    stream = b"".join(
        [
            message("a", RAW, "$JS.ACK.S.c.1.1.1.5.3", b"NATS/1.0\r\nX: y\r\n\r\n", b"null"),
            message("b", 8, "", b"", b"stock"),
            b"PING\r\n",
            message("a", RAW, "$JS.ACK.S.c.1.2.2.5.2", b"", b"MSG a 7 1\r\n"),
        ]
    )
    for cut in range(len(stream) + 1):
        theirs, ours = both_ways(stream, [cut, cut + 30])
        assert ours == theirs
        assert len(ours[0]) == 4


def test_a_subject_may_hold_what_nats_py_takes_for_a_blank() -> None:
    headers = b"NATS/1.0\r\nX: y\r\n\r\n"
    subject = "natster.events.a\x0bb\x0cc.none.none.x"
    stream = message(subject, RAW, "$JS.ACK.S.c.1.1.1.5.3", headers, b"null") + message(
        subject, RAW, "$JS.ACK.S.c.1.2.2.5.2", b"", b""
    )
    for cut in range(len(stream) + 1):
        ours = RecordingClient()
        received, kept, _state = parsed_by(
            DeliveryParser(ours, {RAW: ours.sink}), ours, stream, [cut, cut + 9]
        )
        assert [delivery[0].decode() for _sid, delivery in received] == [subject, subject]
        assert [delivery[3] for _sid, delivery in received] == [headers, None]
        assert kept == b""


NONSENSE = {
    b"MSG a 7 r x\r\nabc\r\n": "a message whose size is no number",
    b"MSG a 7 r -5\r\nabc\r\n": "a message whose size is no number",
    b"MSG a 7 r +3\r\nabc\r\n": "a message whose size is no number",
    b"MSG a 7 r 1_0\r\n0123456789\r\n": "a message whose size is no number",
    b"MSG a 7 r " + b"9" * 5_000 + b"\r\n": "a message whose size is no number",
    b"HMSG a 7 r -1 3\r\nabc\r\n": "a message whose size is no number",
    b"HMSG a 7 r 4 3\r\nabc\r\n": "a message that is shorter than its headers",
    b"MSG a 7 r 2\r\nabc\r\n": "a message that does not end where its size says",
    b"MSG a 7 r 4\r\nabc\r\nPING\r\n": "a message that does not end where its size says",
    b"MSG a 7 r 99999999999\r\n": "a message of 99,999,999,999 bytes",
    b"INFO {}\r\n": "an INFO that makes no sense (server_id: field required)",
    b"INFO [1]\r\n": "an INFO that makes no sense",
    INFO.replace(b"1048576", b"-1"): "an INFO that makes no sense (max_payload: ",
    b"-ERR \r\n": "what is not the NATS protocol",
    b"\r\n": "what is not the NATS protocol",
    b"  \r\n": "what is not the NATS protocol",
    b"x" * 8_000 + b"\r\n": "what is not the NATS protocol",
}


@pytest.mark.parametrize("sid", [b"7", b"8"], ids=["in bulk", "nats-py"])
@pytest.mark.parametrize("stream", NONSENSE, ids=lambda stream: repr(stream[:30]))
def test_what_cannot_be_the_protocol_is_refused_however_it_is_cut(
    stream: bytes, sid: bytes
) -> None:
    sent = b"PING\r\n" + stream.replace(b"MSG a 7", b"MSG a " + sid)
    for cuts in ([], [3], [len(sent) // 2], list(range(20)), [len(sent) - 3]):
        client = RecordingClient()
        parser = DeliveryParser(client, {RAW: client.sink})
        assert parsed_by(parser, client, sent, cuts)[0] == ["ping", "protocol error"]
        assert parser.problem.startswith(f"the server sent {NONSENSE[stream]}")


def test_an_error_comes_in_the_letters_of_the_server() -> None:
    errors: list[str] = []

    class Client(RecordingClient):
        async def _process_err(self, message: str) -> None:
            errors.append(message)

    line = b"-ERR 'Permissions Violation for Publish to \"$JS.API.x\"'\r\nPING\r\n"
    for cut in range(len(line)):
        client = Client()
        parsed_by(DeliveryParser(client, {}), client, line, [cut])
        assert client.received == ["ping"]
    assert set(errors) == {"'Permissions Violation for Publish to \"$JS.API.x\"'"}


def test_a_line_without_an_end_is_refused_before_it_takes_memory() -> None:
    client = RecordingClient()
    parser = DeliveryParser(client, {RAW: client.sink})
    fed = 0

    async def feed() -> int:
        nonlocal fed
        while True:
            await parser.parse(b"MSG " + b"x" * 32_768)
            fed += 32_768

    with pytest.raises(ProtocolError):
        asyncio.run(feed())
    assert fed < 2 * LONGEST_LINE


def test_a_message_may_be_larger_than_what_may_be_published() -> None:
    # Stored when the limit was another, or quoted in base64.
    client = RecordingClient()
    parser = DeliveryParser(client, {RAW: client.sink})
    asyncio.run(parser.parse(INFO + message("a", RAW, "r", b"", b"x" * 3_000_000)))
    assert client.received[-1] == (RAW, (b"a", b"r", b"x" * 3_000_000, None))


def test_this_nats_py_is_one_that_we_read_from_in_bulk() -> None:
    assert WireClient().reads_in_bulk


def test_a_parser_with_other_internals_is_left_alone() -> None:
    client = WireClient()
    client._ps = Parser(client)
    del client._ps.needed
    assert not replace_parser(client, {})
    assert type(client._ps) is Parser


async def test_a_whole_log_read_in_bulk_and_by_the_stock_parser_is_the_same(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, a_log_of_all_kinds() * 20)
    in_bulk = await records_in(log)
    monkeypatch.setattr(wire, "replace_parser", lambda _client, _sinks: False)
    link = await Link.open(settings)
    try:
        assert not link.client.reads_in_bulk
        assert await records_in(await EventLog.open(link, log.system)) == in_bulk
    finally:
        await link.close()
