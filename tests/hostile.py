"""Strings that try to take over a terminal, secrets that must not be seen, and a log full of both.

Written as bytes on the wire: no client library would send most of it, and a server takes all of
it. What stands in `HOSTILE` is not made up: each entry is a way in which terminals, Rich or
Textual have been talked into doing something.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from natster_tui.events.account_keys import encode_account_key
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.envelope import MAGIC, VERSION
from natster_tui.store.sealing.values import is_sealable, origin_of
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed

HOSTILE: dict[str, str] = {
    "a colour": "\x1b[5;8mblinking",
    "a cursor movement": "\x1b[1;1H\x1b[2Jgone",
    "the clipboard": "\x1b]52;c;cHduZWQ=\x07",
    "a title": "\x1b]0;pwned\x1b\\",
    "a link": "\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\",
    "a device string": "\x1bP+q544e\x1b\\",
    "a reset": "\x1bc",
    "a colour by C1": "\x9b5;8mC1",
    "the clipboard by C1": "\x9d52;c;cHduZWQ=\x9c",
    "bells and backspaces": "ab\x07\x08\x08\x7f\x0e\x0f",
    "an action in markup": "[@click=app.bell]press[/]",
    "quitting in markup": "[@click=quit]press[/]",
    "markup that ends": "[/x][/][b",
    "a style in markup": "[red on blink]loud[/]",
    "right to left": "abc\u202etxt.exe\u202c",
    "isolates": "\u2067a\u2066b\u2069",
    "no width": "to\u200bk\u200de\ufeffn\u2060",
    "tags": "x\U000e0041\U000e0042",
    "private use": "\ue000\U000f0000",
    "a pile of marks": "a" + "\u0301" * 500,
    "nothing to see": "\u3164\u2800\uffa0",
    "line ends": "one\x0btwo\x0cthree\u2028four\u2029five\x85six",
    "a long line": "L" * 3000,
}  # fmt: skip

INVALID = b"\xff\xfe\x9b5;8m\xc3(\xed\xa0\x80"
"""No UTF-8, with a C1 introducer as a single byte in it."""

EVERYTHING = " ".join(HOSTILE.values())

# -- secrets -----------------------------------------------------------------------------------

SEED = "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJIMFRPUCJ9.c2lnbmF0dXJl-_x"
CREDS = (
    f"-----BEGIN NATS USER JWT-----\n{JWT}\n------END NATS USER JWT------\n\n"
    f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
)

SECRETS: dict[str, str] = {
    "an access token": "tok-3cf1e9",
    "a password in a URL": "hunter2-in-url",
    "a header": "bearer-77aa41",
    "a repeated header": "second-98b0d2",
    "below a secret name": "nested-5d0c77",
    "in a list": "listed-42e6f1",
    "in what is no JSON": "broken-10fe3c",
    "a JWT": JWT.split(".")[1],
    "a seed": SEED[8:20],
}
"""By where it stands: a piece of text that must appear nowhere, revealed or not asked for."""


def secrets_in(text: str) -> list[str]:
    """Where the secrets stood that a text gives away."""
    return [where for where, secret in SECRETS.items() if secret in text]


# -- a log -------------------------------------------------------------------------------------

ANN, BOB = (encode_account_key(bytes([number]) * 32) for number in (1, 2))
CATALOG = "kevbuzz"


def _json(value: object) -> bytes:
    # Not escaped: the characters themselves are to be in the payload.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def context(oauth_id: str, text: str) -> bytes:
    """A binding whose every field is told, with secrets where they belong and where they do not."""
    names = ("team_id", "system_id", "account_id", "account_name", "account_public_key")
    bound: dict[str, object] = {
        **dict.fromkeys(names, text),
        "access_token": SECRETS["an access token"] + text,
        "user_id": f"nats://ada:{SECRETS['a password in a URL']}@host {text}",
        "creds": CREDS,
    }
    return _json(
        {
            "oauth_id": oauth_id,
            "bound_context": bound,
            text[:200]: text,
            "clientSecret": {"deep": [SECRETS["below a secret name"]]},
            "list": [{"apiKey": SECRETS["in a list"]}, JWT, f"use {SEED}"],
        }
    )


Message = tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...]]
"""Subject, payload, headers."""


def _event(origin: bytes, target: bytes, catalog: bytes, kind: bytes) -> bytes:
    return b".".join((b"natster.events", origin, target, catalog, kind))


def _account(key: str, kind: str) -> bytes:
    return _event(key.encode(), b"none", b"none", kind.encode())


def _token(text: str | bytes) -> bytes:
    """As much of a text as a subject's token can hold: no blanks, no dots."""
    raw = text.encode() if isinstance(text, str) else text
    return raw.translate(None, b" \t\r\n.\0")[:900]


def hostile_messages() -> list[Message]:
    """Events of every kind with hostile text in every place that an event has."""
    headers = (
        (b"Authorization", f"Bearer {SECRETS['a header']}".encode()),
        (b"X-Api-Key", SECRETS["a repeated header"].encode()),
        (b"X-Api-Key", SECRETS["a repeated header"].encode() + b"\x1b[5m"),
        (b"X-Note", EVERYTHING.translate({ord("\r"): None, ord("\n"): None}).encode()[:3000]),
        (b"X-Note", INVALID),
        (b"X-[@click=app.bell]\x1b[5m", b"name"),
        (b"X-Jwt", JWT.encode()),
    )
    messages: list[Message] = []
    for number, text in enumerate(HOSTILE.values()):
        key = encode_account_key(bytes([16 + number]) * 32)
        named = _json({"account_name": text, "account_id": text})
        messages.append((_account(key, "natster_initialized"), named, ()))
        messages.append((_account(key, "context_bound"), context(text, text), ()))
        messages.append((_event(_token(text), b"none", b"none", b"natster_initialized"), b"", ()))
    hidden = f'{{"token":"{SECRETS["in what is no JSON"]}", {EVERYTHING}'.encode()
    messages += [
        (_account(ANN, "natster_initialized"), _json({"account_name": JWT}), ()),
        (_account(BOB, "natster_initialized"), _json({"account_name": EVERYTHING}), headers),
        (_account(BOB, "context_bound"), context(f"{JWT}|x", EVERYTHING), headers),
        (_account(BOB, "context_bound"), hidden, headers),
        (_account(BOB, "context_bound"), INVALID, ()),
        (_event(ANN.encode(), BOB.encode(), CATALOG.encode(), b"catalog_shared"), INVALID, headers),
        (_event(BOB.encode(), ANN.encode(), b"KevBuzz", b"catalog_shared"), b"", ()),
        (_event(BOB.encode(), ANN.encode(), CATALOG.encode(), b"catalog_shared"), b"", ()),
        (_event(BOB.encode(), ANN.encode(), CATALOG.encode(), b"catalog_imported"), hidden, ()),
        (_event(SEED.encode(), b"none", b"none", b"natster_initialized"), b"", ()),
        (_event(_token(EVERYTHING), _token(INVALID), b"x", b"catalog_shared"), b"", headers),
        (_event(BOB.encode(), _token(INVALID), _token(EVERYTHING), b"catalog_shared"), b"", ()),
        (_event(BOB.encode(), b"none", b"none", _token("\x1b[5m\u202e[@click=quit]")), b"", ()),
    ]
    return messages


def foreign_entries() -> list[tuple[bytes, bytes]]:
    """What another program might leave in a bucket: keys, and values that are no documents."""
    secret = {"access_token": {"raw": SECRETS["an access token"]}, "x": JWT}
    listed, url = SECRETS["in a list"], f"nats://ada:{SECRETS['a password in a URL']}@host"
    loud = {EVERYTHING[:160]: EVERYTHING, "secret": secret, "tokens": [listed]}
    return [
        (_token(EVERYTHING)[:200] + b"\xff", INVALID),
        (b"[@click=quit]" + _token(HOSTILE["right to left"]), EVERYTHING.encode()),
        (SEED.encode(), b"{}"),
        (ANN.encode(), _json(loud)),
        (BOB.encode(), _json({"list": [{"token": listed}], "note": url, JWT: SEED})),
    ]


# -- sealed ------------------------------------------------------------------------------------

KEY_IDS = (
    *(text.encode()[:200] for text in HOSTILE.values()),
    b"[@click=quit]",
    INVALID,
    b"",
)
"""What stands where an envelope names its key."""


def envelope_naming(key_id: bytes) -> bytes:
    """A sealed value, some of which can never be opened."""
    return MAGIC + bytes((VERSION, len(key_id))) + key_id + bytes(60)


async def sealed_messages(log: EventLog) -> list[Message]:
    """The events of `hostile_messages`, sealed by us, after some with envelopes of no good."""
    account = _account(BOB, "context_bound")
    messages: list[Message] = [(account, envelope_naming(key_id), ()) for key_id in KEY_IDS]
    messages += [(account, MAGIC, ()), (account, MAGIC + bytes((VERSION,)) + INVALID * 40, ())]
    for subject, payload, headers in hostile_messages():
        name = subject.decode("utf-8", "replace")
        if is_sealable(payload) and name.encode() == subject:
            await log.sealing.ready_for([origin_of(name)])
            payload = log.sealing.seal_payload(name, "", payload)
        messages.append((subject, payload, headers))
    return messages


def key_entries() -> list[tuple[bytes, bytes]]:
    """What an attacker might write into the keys' bucket."""
    texts: list[str | bytes] = [EVERYTHING, *HOSTILE.values(), INVALID, SEED]
    names = [_token(text)[:200] for text in texts]
    wrapped = [(b"%s.%s" % (name, name), envelope_naming(name)) for name in names]
    tombstones = [(b"_tombstone." + name, envelope_naming(name)) for name in names]
    unlike = [(BOB.encode() + b"." + name, EVERYTHING.encode()) for name in names]
    return wrapped + tombstones + unlike


# -- the wire ----------------------------------------------------------------------------------


class Wire:
    """A connection that sends what it is given, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def publish(
        self, subject: bytes, payload: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Have a stream store a message; it must be stored."""
        block = b"NATS/1.0\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in headers) + b"\r\n"
        sizes = b"%d %d" % (len(block), len(block) + len(payload))
        self._writer.write(b"HPUB %s answer %s\r\n%s%s\r\n" % (subject, sizes, block, payload))
        line = await self._line(b"MSG ")
        answer = json.loads(await self._reader.readexactly(int(line.split()[-1])))
        assert "error" not in answer, (subject, answer)

    async def _line(self, start: bytes) -> bytes:
        async with asyncio.timeout(10):
            while not (line := await self._reader.readline()).startswith(start):
                assert line, "the server closed the connection"
                assert not line.startswith(b"-ERR"), line
        return line


@asynccontextmanager
async def wire(settings: ConnectionSettings) -> AsyncIterator[Wire]:
    """A connection of a user with a password."""
    url = urlsplit(settings.servers[0])
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        login = {"user": settings.user, "pass": revealed(settings.password), "headers": True}
        login |= {"verbose": False, "pedantic": False, "no_responders": True}
        writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\nSUB answer 1\r\n")
        yield Wire(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def write_hostile_log(settings: ConnectionSettings, log: EventLog | None = None) -> int:
    """Fill a log that exists, sealed as `log` seals; returns how many events it got."""
    messages = hostile_messages() if log is None else await sealed_messages(log)
    async with wire(settings) as connection:
        for subject, payload, headers in messages:
            await connection.publish(subject, payload, headers)
    return len(messages)


async def write_foreign_entries(settings: ConnectionSettings, *buckets: str) -> None:
    """Put hostile entries into buckets that exist."""
    for bucket in buckets:
        await write_entries(settings, bucket, foreign_entries())


async def write_entries(
    settings: ConnectionSettings, bucket: str, entries: Iterable[tuple[bytes, bytes]]
) -> None:
    """Put entries into a bucket that exists."""
    async with wire(settings) as connection:
        for key, value in entries:
            await connection.publish(b"$KV.%s.%s" % (bucket.encode(), key), value)
