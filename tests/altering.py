"""A proxy before a real server that alters one place of one thing that the server says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from natster_tui.store.settings.connection import ConnectionSettings
from tests.serving import copy, serving

_END = b"\r\n"
_MESSAGES = (b"MSG", b"HMSG")
_NUMBERS: tuple[Any, ...] = (-1, 0, 1, 2**63, 2**64, -(2**63), 10**400, 1.5, 1e308)
_VALUES: tuple[Any, ...] = (
    None, True, "", "x", "\x1b[2J", "9" * 5_000, [], {}, [None], {"a": {"b": 1}}, [[[]]], *_NUMBERS,
)  # fmt: skip
_TOKENS = (b"", b"x", b"-1", b"0", b"18446744073709551616", b"9" * 5_000, b"1.5", b"\xff\xfe")
_NO_JSON = (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"error":{}}')
_SIZES = (b"-5", b"x", b"", b"99999999999", b"9" * 5_000, b"0", b"1", b"1e3")
_STATUS = (
    b"NATS/1.0 999 Nonsense", b"NATS/1.0 abc", b"NATS/1.0 -12", b"NATS/1.0", b"HTTP/1.1 200 OK",
    b"", b"\xff\xfe\x00", b"NATS/1.0 503", b"NATS/1.0 404 No Messages",
    b"NATS/1.0 409 Consumer Deleted", b"NATS/1.0 100 Idle Heartbeat", b"NATS/1.0 " + b"9" * 5_000,
)  # fmt: skip
_LINES = (
    b"PONK", b"", b"-ERR", b"-ERR 'nonsense'", b"-ERR 'Stale Connection'", b"\x00\x01\xff",
    b"INFO {", b"INFO null", b"MSG", b"MSG a", b"HMSG a 1 2", b"PONG", b"+OK", b"x" * 2_000,
)  # fmt: skip


@dataclass(slots=True)
class Frame:
    """One thing that a server says: the words of its line, and the body of a message."""

    words: list[bytes]
    body: bytes | None

    @property
    def header_size(self) -> int:
        return int(self.words[-2]) if self.words[0] == b"HMSG" else 0

    def raw(self) -> bytes:
        line = b" ".join(self.words) + _END
        return line if self.body is None else line + self.body + _END

    def with_body(self, header: bytes, payload: bytes) -> Frame:
        """The same with another body, and sizes that fit it."""
        words = list(self.words)
        words[-1] = b"%d" % (len(header) + len(payload))
        if words[0] == b"HMSG":
            words[-2] = b"%d" % len(header)
        return Frame(words, header + payload)


def altered(frame: Frame, random: Random) -> tuple[str, bytes]:
    """What was done to a frame, and what is sent in its place."""
    match frame.words[0] if frame.words else b"":
        case b"INFO":
            body = b" ".join(frame.words[1:])
            how, body = _altered_payload(body, random)
            return f"INFO {how}", b"INFO " + body + _END
        case b"MSG" | b"HMSG":
            ways: list[Callable[[Frame, Random], tuple[str, bytes]]]
            ways = [_payload, _payload, _payload, _line, _size]
            if frame.words[0] == b"HMSG":
                ways += [_header, _header]
            if len(frame.words) > 4 and frame.words[3].startswith(b"$JS.ACK."):
                ways += [_position, _position]
            return random.choice(ways)(frame, random)
    return f"{frame.words[:1]} replaced", random.choice(_LINES) + _END


def _payload(frame: Frame, random: Random) -> tuple[str, bytes]:
    assert frame.body is not None
    at = frame.header_size
    how, payload = _altered_payload(frame.body[at:], random)
    return f"payload {how}", frame.with_body(frame.body[:at], payload).raw()


def _altered_payload(payload: bytes, random: Random) -> tuple[str, bytes]:
    if not payload.startswith(b"{") or random.random() < 0.15:
        if random.random() < 0.5:
            return "cut", payload[: random.randrange(len(payload) + 1)]
        return "replaced", random.choice(_NO_JSON)
    try:
        value = json.loads(payload)
    except ValueError:
        return "replaced", random.choice(_NO_JSON)
    places = list(_places(value))
    if not places:
        return "replaced", random.choice(_NO_JSON)
    holder, name, path = random.choice(places)
    if random.random() < 0.2:
        del holder[name]
        return f"{path} removed", json.dumps(value).encode()
    before = holder[name]
    numeric = isinstance(before, int) and random.random() < 0.6
    new = holder[name] = random.choice(_NUMBERS if numeric else _VALUES)
    return f"{path} = {str(new)[:20]!r}", _dumped(value)


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def _places(value: Any, path: str = "") -> Any:
    """Every place of a JSON value: what holds it, by which name, and the path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in list(pairs):
        here = f"{path}.{name}"
        yield value, name, here
        if isinstance(each, (dict, list)):
            yield from _places(each, here)


def _line(frame: Frame, random: Random) -> tuple[str, bytes]:
    words = list(frame.words)
    at = random.randrange(1, 3)
    words[at] = random.choice((b"elsewhere", b"9999", *_TOKENS))
    return f"word {at} = {words[at][:20]!r}", Frame(words, frame.body).raw()


def _size(frame: Frame, random: Random) -> tuple[str, bytes]:
    words = list(frame.words)
    at = random.choice((-1, -2)) if words[0] == b"HMSG" else -1
    near = b"%d" % (int(words[at]) + random.choice((-1, 1, 2, 1_000)))
    words[at] = random.choice((near, *_SIZES))
    return f"size {words[at][:20]!r}", Frame(words, frame.body).raw()


def _header(frame: Frame, random: Random) -> tuple[str, bytes]:
    assert frame.body is not None
    at = frame.header_size
    header, payload = frame.body[:at], frame.body[at:]
    lines = header.split(_END)
    number = random.randrange(len(lines))
    if number == 0:
        lines[0] = random.choice(_STATUS)
    else:
        name, colon, _ = lines[number].partition(b":")
        lines[number] = random.choice((b"", b":", b"x", name, name + colon, b"\xff: \xfe"))
        if random.random() < 0.5:
            lines[number] = name + b": " + random.choice(_TOKENS)
    return f"header line {number}", frame.with_body(_END.join(lines), payload).raw()


def _position(frame: Frame, random: Random) -> tuple[str, bytes]:
    words = list(frame.words)
    tokens = words[3].split(b".")
    at = random.randrange(2, len(tokens))
    tokens[at] = random.choice(_TOKENS)
    if random.random() < 0.2:
        del tokens[at]
    words[3] = b".".join(tokens)
    return f"position {at}", Frame(words, frame.body).raw()


class AlteringProxy:
    """Passes everything but what it was told to alter."""

    def __init__(self, target: int) -> None:
        self.url = ""
        self.passed = 0
        """Frames that the server sent since `alter` or `pass_all`."""
        self.did = ""
        """What was done to one since then."""
        self.sent: Callable[[Frame], bytes] = Frame.raw
        """What is sent of each frame, apart from those that are altered."""
        self.counts: Counter[str] = Counter()
        self._target = target
        self._at = -1
        self._random = Random(0)
        self._only: Callable[[Frame], bool] = lambda _frame: True
        self._change: Callable[[Frame], Frame | None] | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    def change_one(self, change: Callable[[Frame], Frame | None]) -> None:
        """Send what `change` makes of the first frame for which it does not return None."""
        self._change = change

    def pass_all(self) -> None:
        """Alter nothing, and count from 0."""
        self.passed, self.did, self._at = 0, "", -1

    def alter(
        self, at: int, seed: object, only: Callable[[Frame], bool] = lambda _frame: True
    ) -> None:
        """Alter the frame number `at` from now on, of those that `only` takes."""
        self.pass_all()
        self._at, self._random, self._only = at, Random(str(seed)), only

    def drop(self) -> None:
        """Break every connection."""
        for stream in list(self._streams):
            stream.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onwards = await asyncio.open_connection("127.0.0.1", self._target)
        self._streams |= {writer, onwards}
        up = asyncio.create_task(copy(reader, onwards))
        try:
            await self._answer(there, writer)
        finally:
            up.cancel()
            onwards.transport.abort()
            self._streams -= {writer, onwards}

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            frame = Frame(line.rstrip().split(b" "), None)
            if frame.words[0] in _MESSAGES:
                body = await reader.readexactly(int(frame.words[-1]) + len(_END))
                frame.body = body[: -len(_END)]
            data = self.sent(frame)
            if self._only(frame):
                if self.passed == self._at:
                    self.did, data = altered(frame, self._random)
                    self.counts[self.did.split(" ", 1)[0]] += 1
                self.passed += 1
            if self._change is not None and (changed := self._change(frame)) is not None:
                self._change, data = None, changed.raw()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def altering(settings: ConnectionSettings) -> AsyncIterator[AlteringProxy]:
    """Such a proxy before the server of these settings."""
    proxy = AlteringProxy(int(settings.servers[0].rsplit(":", 1)[1]))
    async with serving(proxy.serve) as port:
        proxy.url = f"nats://127.0.0.1:{port}"
        yield proxy
