"""Hostile strings and secrets in every place there is, and every view of the program on them.

What the program prints in a real terminal is read byte by byte (`printed`): nothing but Textual's
own sequences may be in it. The strings and the places are in `tests/hostile.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.printed import Printed, read_printed
from tests.cli.program import Ended, Program, together
from tests.cli.terminal import ENTER, ESCAPE, Terminal
from tests.hostile import (
    BOB,
    HOSTILE,
    secrets_in,
    write_foreign_entries,
    write_hostile_log,
)
from tests.sealed_logs import sealed_log

STREAM = "[@click=quit]N"
PROJECTED = ("PROJ_ACCOUNT", "PROJ_CATALOG")
TALL = (140, 44)
PAGE_DOWN = "\x1b[6~"
PASTE = "\x1b[200~{}\x1b[201~"
MARKUP = HOSTILE["an action in markup"] + HOSTILE["right to left"]
PASTABLE = " ".join(text[:60] for text in HOSTILE.values() if min(text) >= " ")
"""What a terminal lets through in a paste: they all take the C0 controls out."""
IN_A_FIELD = "to\ufffdk\ufffde\ufffdn\ufffd"
"""How a part of that stands in a field, and nowhere else."""


SEALED_TOO = pytest.mark.parametrize(
    "sealed", [False, pytest.param(True, marks=pytest.mark.full)], ids=["plain", "sealed"]
)
PLAIN_TOO = pytest.mark.parametrize(
    "sealed", [True, pytest.param(False, marks=pytest.mark.full)], ids=["sealed", "plain"]
)


@pytest.fixture
def sealed() -> bool:
    """Whether payloads and documents are sealed."""
    return False


@pytest_asyncio.fixture
async def head(settings: ConnectionSettings, anywhere: Program, sealed: bool) -> int:
    """A hostile log of a hostile name, and its projections; how many events it has."""
    link = await Link.open(settings)
    if sealed:
        log = await sealed_log(link, anywhere.key_file, replace(NATSTER, stream=STREAM))
        count = await write_hostile_log(settings, log)
    else:
        log = await EventLog.create(link, replace(NATSTER, stream=STREAM), LogSettings())
        count = await write_hostile_log(settings)
    await project_until_caught_up(log, PROJECTIONS, "test")
    await link.close()
    return count


@pytest.fixture
def natster(anywhere: Program, settings: ConnectionSettings) -> Program:
    return anywhere.on(settings, "--stream", STREAM)


class Walk:
    """A person who looks at everything, and notes what each view showed."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.seen = ""

    async def look(self, keys: str, *texts: str, gone: str = "") -> None:
        """Press keys, wait for what they bring, and note what stands there then."""
        self.terminal.press(keys)
        await self.terminal.wait_for(*texts, gone=gone)
        self.seen += self.terminal.shown

    async def prompt(self, key: str, says: str, typed: str, *texts: str, gone: str = "") -> None:
        """Open the prompt, type into it, and look."""
        await self.look(key, says)
        await self.look(typed, *texts, gone=gone)

    async def go_to(self, seq: int) -> None:
        """Jump to an event."""
        await self.prompt(":", "an event by its sequence", f"{seq}{ENTER}", f" Event {seq} ")

    async def close(self, gone: str) -> None:
        """Press escape, and wait until the view is gone."""
        await self.look(ESCAPE, gone=gone)

    async def leave(self) -> Printed:
        """Leave, and read all that was printed."""
        self.terminal.press("q")
        assert await self.terminal.wait_for_end() == 0
        assert self.terminal.is_restored
        return read_printed(bytes(self.terminal.printed))


@asynccontextmanager
async def walking(program: Program, *shown: str) -> AsyncIterator[Walk]:
    """A walk, at whose end nothing must have leaked that was not copied on purpose."""
    async with Terminal(program, size=TALL) as terminal:
        await terminal.wait_for(STREAM, *shown)
        walk = Walk(terminal)
        yield walk
        printed = await walk.leave()
    assert secrets_in(walk.seen + printed.text + "".join(printed.copied)) == []


IN_ORDER = ("projecting", "in sync")


@PLAIN_TOO
async def test_a_first_look(natster: Program, settings: ConnectionSettings, head: int) -> None:
    """The short one; the `full` ones below leave nothing out."""
    async with walking(natster, *IN_ORDER, f"head {head}") as walk:
        await walk.go_to(head - 10)
        await walk.look("c", f"Change by event {head - 10} ", gone="reading the events")
        await walk.look("y", "copied event")
        await walk.look("2j", "5 Account")
        await write_foreign_entries(settings, *PROJECTED)
        await walk.look("v", "drift at", "esc closes")
        await walk.close(gone="drift at")
        await walk.look("p", "Publish an event")
        await walk.close(gone="Publish an event")


@SEALED_TOO
@pytest.mark.full
async def test_events_what_they_changed_and_why(natster: Program, head: int) -> None:
    async with walking(natster, *IN_ORDER, f"head {head}") as walk:
        for seq in range(head, head - 13, -1):
            await walk.look("k" if seq < head else "", f" Event {seq} ")
        await walk.look("g", " Event 1 ")
        for seq in range(2, 13):
            await walk.look("j", f" Event {seq} ")
        for seq in (head - 10, head - 7):
            await walk.go_to(seq)
            await walk.look("c", f"Change by event {seq} ", gone="reading the events")
            await walk.look("c", f" Event {seq} ")
        await walk.look("w", "Why account", "newest first")
        await walk.prompt("/", "a field or a value", PASTE.format(MARKUP), "0 of ")
        await walk.look(ESCAPE, gone="0 of ")
        await walk.close(gone="Why account")
        await walk.look("!", "1 Timeline parked")
        await walk.look("!", gone="1 Timeline parked")
        await walk.go_to(head - 10)
        await walk.look("t", f"AS OF {head - 10}")
        await walk.look("[", f"AS OF {head - 11}")
        await walk.look("2j", "5 Account")
        await walk.look("t", gone="AS OF")


@SEALED_TOO
@pytest.mark.full
async def test_accounts_catalogs_and_figures(natster: Program, head: int) -> None:
    async with walking(natster, *IN_ORDER, f"head {head}") as walk:
        await walk.look("2", "5 Account")
        await walk.look("s", "by name")
        await walk.look("g", "5 Account ␛[1;1H␛[2Jgone")
        for name in ("␛[5;8m", "␛[5;8m", "␛]0;pw", "␛]52;c", "␛]8;;f", "␛c"):
            await walk.look("j", f"5 Account {name}")
        await walk.look("w", "Why account ␛c")
        await walk.close(gone="Why account")
        await walk.prompt("/", "find an account", "[@click", "2 Accounts (3 of ")
        await walk.look(ENTER, "/[@click")
        await walk.look(ESCAPE, gone="2 Accounts (3 of ")
        await walk.look("3", "5 Catalog")
        await walk.look("a", "3 Known catalogs (2)")
        await walk.look("j", "5 Catalog kevbuzz", "duplicate name", "letter case only")
        await walk.look("w", "Why catalog kevbuzz", "newest first")
        await walk.close(gone="Why catalog")
        await walk.prompt("/", "find a catalog", PASTE.format(MARKUP), "no catalog matches")
        await walk.look(ESCAPE, "3 Known catalogs (2)")
        await walk.look("4", "Projector account", "a token cannot be")
        await walk.look("m", "Prize candidates", "at most")
        await walk.close(gone="Prize candidates")
        await walk.look("?", "In this pane")
        await walk.close(gone="In this pane")


@pytest.mark.full
async def test_any_typed_or_pasted_text_is_harmless(natster: Program, head: int) -> None:
    pasted = PASTE.format(PASTABLE)
    async with walking(natster, *IN_ORDER, f"head {head}") as walk:
        await walk.prompt("/", "filter: type:", pasted + ENTER, f" of {head})")
        await walk.look(ESCAPE, gone=f" of {head})")
        await walk.prompt("/", "filter: type:", f"type:{pasted}{ENTER}", "is none of initialized")
        await walk.look("", IN_A_FIELD)  # once the note has gone from before it
        await walk.look(ESCAPE, gone=IN_A_FIELD)
        await walk.prompt(":", "an event by its sequence", pasted + ENTER, "nothing is called")
        await walk.look(ESCAPE, gone="Go to")
        await walk.prompt("o", "natster-events.jsonl", "\x15", "export to: a file")
        await walk.look(f"/no/such/{PASTE.format(MARKUP)}{ENTER}", "cannot be written")
        await walk.go_to(head - 2)
        await walk.look("p", "Publish an event", "not an account key")
        for _ in range(5):
            await walk.look(f"{pasted}\t", "cannot be published")
        await walk.look("\x13", "cannot be published")
        await walk.close(gone="Publish an event")
        await walk.look("\x10", "Leave the dashboard")
        await walk.look(pasted, gone="Leave the dashboard")
        await walk.look("\x15rebuild", "Rebuild projections from the log")
        # Not its list: that one goes and comes while it looks for what was typed.
        await walk.close(gone="🔎")


@pytest.mark.full
async def test_what_another_program_left_in_the_buckets(
    natster: Program, settings: ConnectionSettings, head: int
) -> None:
    async with walking(natster, *IN_ORDER, f"head {head}") as walk:
        await write_foreign_entries(settings, *PROJECTED)
        await walk.look("v", "drift at", "esc closes")
        for _ in range(6):
            await walk.look(PAGE_DOWN, "esc closes")
        await walk.close(gone="drift at")
        await walk.look("r", "reading them takes")
        await walk.look(ENTER, "w writes")
        for _ in range(6):
            await walk.look(PAGE_DOWN, "w writes")
        await walk.close(gone="w writes")
        await walk.look("4", "DRIFT")
        await walk.look("e", "Hazards of the log")
        await walk.close(gone="Hazards of the log")
    async with walking(natster, "watching", "is not a document of ours") as walk:
        await walk.look("4", "Projector account", "is not a document of ours")
        await walk.look("e", "Hazards of the log", "is not a document of ours")
        await walk.close(gone="Hazards of the log")


# -- commands ----------------------------------------------------------------------------------


def assert_printable(ended: Ended) -> None:
    """Nothing but lines of text on both outputs."""
    read_printed(f"{ended.out}{ended.err}".encode())


@SEALED_TOO
async def test_no_command_prints_a_control_character_or_a_secret(
    natster: Program, settings: ConnectionSettings, head: int
) -> None:
    await write_foreign_entries(settings, *PROJECTED)
    commands = (
        ("status",),
        ("tail",),
        ("tail", "--json"),
        ("show", "account", BOB),
        ("show", "account", BOB, "--json"),
        ("why", "account", BOB),
        ("why", "account", BOB, "--json"),
        ("verify",),
        ("verify", "--json"),
        ("rebuild", "--dry-run"),
        ("rebuild", "--dry-run", "--json"),
        ("project", "--once"),
    )
    runs = await together(*(natster.run(*command) for command in commands))
    for command, ended in zip(commands, runs, strict=True):
        assert ended.code in (0, 1), (command, ended.err)
        assert secrets_in(ended.out + ended.err) == [], command
        assert_printable(ended)
    by_command = dict(zip(commands, runs, strict=True))
    assert "(parked: token)" in by_command["tail",].out
    assert "␛[5;8mblinking" in by_command["tail",].out
    assert "[@click=quit]abc‹202E›" in by_command["verify",].out
    assert "the entry [@click=quit]" in by_command["project", "--once"].sentence
    assert len(by_command["tail", "--json"].lines) == head


@pytest.mark.full
async def test_asked_to_reveal_a_command_prints_secrets_and_still_no_control_character(
    natster: Program, head: int
) -> None:
    for command in ("show", "why"):
        for form in ((), ("--json",)):
            ended = await natster.succeed(command, "account", BOB, "--reveal", *form)
            assert "a JWT" in secrets_in(ended.out)
            assert_printable(ended)
