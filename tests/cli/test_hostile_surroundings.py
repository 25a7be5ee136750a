"""Hostile text from unexpected places: servers, leases, the keys' bucket, nats contexts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.api_codes import NO_MESSAGE_FOUND, STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import BUCKET, FORMER_KEY, Holder
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.sealing.key_bucket import BUCKET as KEYS
from natster_tui.store.sealing.key_bucket import KEYRING_ENTRY
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.lying_server import Lies, lying
from tests.cli.printed import read_printed
from tests.cli.program import Ended, Program, together
from tests.cli.terminal import Terminal
from tests.hostile import EVERYTHING, HOSTILE, INVALID, key_entries, write_entries
from tests.making_logs import A, append, initialized
from tests.sealed_logs import sealed_log

IN_A_LINE = EVERYTHING.translate({ord("\r"): None, ord("\n"): None})


def assert_printable(ended: Ended) -> None:
    """Nothing but lines of text on both outputs, and no traceback."""
    read_printed(f"{ended.out}{ended.err}".encode())
    assert "Traceback" not in ended.err


# -- servers -----------------------------------------------------------------------------------


def refused(_subject: str) -> dict[str, Any]:
    return {"error": {"code": 500, "err_code": 10_000, "description": EVERYTHING}}


def hostile_stream(subject: str) -> dict[str, Any]:
    """A stream of which every text is hostile, wherever there may be one."""
    if not subject.endswith(f"STREAM.INFO.{NATSTER.stream}"):
        missing = STREAM_NOT_FOUND if "STREAM.INFO" in subject else NO_MESSAGE_FOUND
        return {"error": {"code": 404, "err_code": missing, "description": EVERYTHING}}
    return {
        "config": {
            "name": NATSTER.stream,
            "subjects": [EVERYTHING],
            "discard": EVERYTHING,
            "metadata": {"natster-sealing": EVERYTHING, EVERYTHING: EVERYTHING},
        },
        "created": EVERYTHING,
        "state": {"first_seq": 1, "last_seq": 0, "messages": 0, "bytes": 0},
    }


ERR = b"-ERR '%s'"
LINE = IN_A_LINE.encode()
LIES: Mapping[str, Lies] = {
    "a refused login": Lies(after_connect=ERR % (b"Authorization Violation " + LINE)),
    "any error": Lies(after_connect=ERR % LINE),
    "an error that is no text": Lies(after_connect=ERR % INVALID),
    "markup": Lies(after_connect=ERR % HOSTILE["quitting in markup"].encode()),
    "a denied publish": Lies(
        after_publish=ERR % (b'Permissions Violation for Publish to "%s"' % LINE[:900])
    ),
    "a denied subscription": Lies(
        after_publish=ERR % (b'Permissions Violation for Subscription to "_INBOX.%s"' % LINE[:900])
    ),
    "a description": Lies(answer=refused),
    "a stream": Lies(answer=hostile_stream),
    "a version": Lies(greeting={"version": EVERYTHING, "server_name": EVERYTHING}),
    "a greeting": Lies(info=LINE),
    "a greeting that is no text": Lies(info=b"INFO " + INVALID),
}
SHORT = ("any error", "a description", "a stream")


@pytest.mark.parametrize(
    "names", [SHORT, pytest.param([*LIES], marks=pytest.mark.full)], ids=["some", "all"]
)
async def test_what_a_server_says_is_one_harmless_sentence(
    anywhere: Program, names: list[str]
) -> None:
    async def run(name: str) -> Ended:
        async with lying(LIES[name]) as url:
            return await anywhere.run("status", "--server", url)

    for name, ended in zip(names, await together(*map(run, names)), strict=True):
        # A stream's settings may be text of any kind, or no answer that can be read.
        assert ended.code in ((0, 3) if name == "a stream" else (3,)), name
        assert ended.code == 0 or ended.sentence
        assert_printable(ended)


@pytest.mark.full
@pytest.mark.parametrize("name", LIES)
async def test_what_a_server_says_on_the_screen(anywhere: Program, name: str) -> None:
    async with (
        lying(LIES[name]) as url,
        Terminal(anywhere.with_options("--server", url)) as terminal,
    ):
        await terminal.wait_for("natster", NATSTER.stream)
        terminal.press("e")
        await terminal.wait_for("Hazards of the log")
        terminal.press("\x1b")
        await terminal.wait_for(gone="Hazards of the log")
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
        read_printed(bytes(terminal.printed))


# -- leases ------------------------------------------------------------------------------------


async def hold_lease(settings: ConnectionSettings) -> None:
    """A process of a hostile name projects, and never ends."""
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    await append(log, [initialized(A, "Ada")])
    await log.buckets.make(LEASES)
    await link.close()
    holder = Holder(host=IN_A_LINE, pid=4_711, instance=EVERYTHING, since=1).encode()
    await write_entries(settings, BUCKET, [(FORMER_KEY.encode(), holder)])


async def test_who_projects_is_named_harmlessly(
    natster: Program, settings: ConnectionSettings
) -> None:
    await hold_lease(settings)
    commands = (("status",), ("status", "--json"))
    runs = await together(*(natster.run(*command) for command in commands))
    for ended in runs:
        assert_printable(ended)
    assert "␛[5;8mblinking" in runs[0].out


@pytest.mark.full
async def test_the_name_of_a_lease_holder_is_sanitised_on_screen(
    natster: Program, settings: ConnectionSettings
) -> None:
    await hold_lease(settings)
    async with Terminal(natster) as terminal:
        await terminal.wait_for("watching", "built-in projections (␛[5;8mblin")
        terminal.press("4")
        await terminal.wait_for("5 Projector account")
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
        read_printed(bytes(terminal.printed))


# -- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [None, pytest.param({"id": EVERYTHING, "kek": EVERYTHING}, marks=pytest.mark.full)],
    ids=["entries", "keyring"],
)
async def test_hostile_keys_are_listed_harmlessly(
    natster: Program, settings: ConnectionSettings, head: dict[str, str] | None
) -> None:
    link = await Link.open(settings)
    log = await sealed_log(link, natster.key_file)
    await append(log, [initialized(A, "Ada")])
    await link.close()
    entries = key_entries()
    if head is not None:
        entries.append((KEYRING_ENTRY.encode(), json.dumps(head).encode()))
    await write_entries(settings, KEYS, entries)
    commands = [("keys", "list"), ("keys", "list", "--json")]
    if head is not None:
        commands += [("keys", "rotate"), ("keys", "erase", EVERYTHING.replace("\0", ""), "--yes")]
    for ended in await together(*(natster.run(*command) for command in commands)):
        assert ended.code == 1
        assert_printable(ended)
        assert head is not None or A in ended.out


# -- contexts ----------------------------------------------------------------------------------


CONTEXT = IN_A_LINE.replace("/", "").replace("..", "")[:60]
SELECTED = ""


@pytest.mark.parametrize(
    "names",
    [
        (CONTEXT, "missing", SELECTED),
        pytest.param(("url", "user", "list", "noise"), marks=pytest.mark.full),
    ],
    ids=["names", "content"],
)
async def test_contexts_of_hostile_names_and_content(
    anywhere: Program, names: tuple[str, ...]
) -> None:
    contexts = anywhere.home / "config" / "nats" / "context"
    contexts.mkdir(parents=True)
    told = dict.fromkeys(("description", "user", "password", "token", "creds"), EVERYTHING)
    (contexts / f"{CONTEXT}.json").write_text(json.dumps(told | {"url": "nats://127.0.0.1:1"}))
    (contexts / "url.json").write_text(json.dumps({"url": f"nats://{EVERYTHING}"}))
    (contexts / "user.json").write_text(
        json.dumps({"url": "nats://127.0.0.1:1", "user": EVERYTHING, "description": EVERYTHING})
    )
    (contexts / "list.json").write_text(json.dumps({"url": [EVERYTHING]}))
    (contexts / "noise.json").write_bytes(INVALID)
    (contexts.parent / "context.txt").write_text(f"{IN_A_LINE[:80]}\n")
    given = [() if name == SELECTED else ("--context", name) for name in names]
    runs = await together(*(anywhere.run("status", *each) for each in given))
    for name, ended in zip(names, runs, strict=True):
        assert ended.code in (2, 3), (name, ended)
        assert ended.sentence
        assert_printable(ended)
