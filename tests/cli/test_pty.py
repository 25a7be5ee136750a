"""The dashboard in a real terminal, and prompts as a person answers them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.import_events import import_records
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.processes import is_running, server_of
from tests.cli.program import Program
from tests.cli.raw_jetstream import everything
from tests.cli.terminal import CTRL_C, ENTER, ESCAPE, SMALL, WIDE, Terminal
from tests.conftest import recording, until
from tests.reading_buckets import put_value
from tests.real_server import RealServer

DEMO = ("demo", "--seed", "7", "--history", "120", "--rate", "5")
WRONG = b'{"catalog_name":"kevbuzz","owner":"mallory","shared_with":[]}'


def demo_server(program: Program) -> int:
    """The process of the throw-away server that the demo runs on."""
    (data,) = (program.home / "tmp").glob("natster-*")
    running = server_of(data / "data")
    assert running is not None
    return int(running["server_pid"])


@pytest.mark.parametrize("size", [WIDE, pytest.param(SMALL, marks=pytest.mark.full)])
async def test_a_newcomer_watches_rebuilds_verifies_and_leaves(
    anywhere: Program, size: tuple[int, int]
) -> None:
    async with Terminal(anywhere, *DEMO, size=size, from_nothing=True) as terminal:
        await terminal.wait_for("Timeline", "projecting")
        assert NATSTER.stream in terminal.top
        server = demo_server(anywhere)
        assert is_running(server)
        if size == WIDE:
            await terminal.wait_for("Accounts", "Known catalogs", "Projectors")
        await terminal.wait_for("head 12", "in sync")  # the whole history, and traffic after it

        # Everything by keyboard: another pane, down, in, and out again.
        terminal.press("2")
        await terminal.wait_for("Known catalogs of Natster Hub")
        terminal.press("j")
        await terminal.wait_for("Known catalogs of ", gone="Known catalogs of Natster Hub")
        terminal.press(ENTER)
        await terminal.wait_for("5 Catalog ")
        terminal.press("?")
        await terminal.wait_for("In this pane: Known catalogs")
        terminal.press(ESCAPE)
        await terminal.wait_for("Known catalogs of ", gone="In this pane")

        # The action that the dashboard exists for, while traffic runs.
        terminal.press("r")
        await terminal.wait_for("Rebuild account and catalog from the log", "reading them takes")
        terminal.press(ENTER)
        await terminal.wait_for("w writes")
        terminal.press("w")
        await terminal.wait_for("rebuilt and verified", "match the log at", "esc closes")
        terminal.press(ESCAPE)
        await terminal.wait_for("projecting", gone="rebuilt and verified")
        terminal.press("v")
        await terminal.wait_for("account: ", "match the log at", "esc closes")
        assert "differ" not in terminal.shown
        terminal.press(ESCAPE)
        await terminal.wait_for("projecting", gone="match the log at")

        terminal.press("q")
        assert await terminal.wait_for_end() == 0
        assert terminal.is_restored
    await until(lambda: not is_running(server))
    assert not list((anywhere.home / "tmp").iterdir())


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_from_a_question_to_its_answer_and_back_by_keyboard(
    anywhere: Program, size: tuple[int, int]
) -> None:
    demo = ("demo", "--seed", "7", "--history", "400", "--rate", "0")
    async with Terminal(anywhere, *demo, size=size) as terminal:
        await terminal.wait_for("projecting", "in sync", "head 400")

        # Filter, and go to an event that passes.
        terminal.press("/type:shared from:farid" + ENTER)
        await terminal.wait_for("type:shared from:farid (", " of 400)", "Farid Nazhand")
        terminal.press(ESCAPE)
        await terminal.wait_for("Timeline (400)")
        terminal.press("n" + ":300" + ENTER)
        await terminal.wait_for(" 300 ", "G follows")

        # Inspect it, and what it changed.
        terminal.press("5")
        await terminal.wait_for("Event 300", "what ", "origin")
        terminal.press("c")
        await terminal.wait_for("Change by event 300", "+ ")
        terminal.press("c1")
        await terminal.wait_for("Timeline (400)", gone="Change by")

        # Why is the account so? Go to the event that answers it, and come back.
        terminal.press("w")
        await terminal.wait_for("newest first")
        terminal.press("j" + ENTER)
        await terminal.wait_for("Timeline (400)", gone="newest first")
        terminal.press("b5")
        await terminal.wait_for("Event 300")
        terminal.press("1")

        # Travel there, a step back, and return.
        terminal.press("t")
        await terminal.wait_for("AS OF 300")
        terminal.press("[")
        await terminal.wait_for("AS OF 299", "(later)")
        terminal.press("t")
        await terminal.wait_for("Timeline (400)", gone="AS OF")

        # Rebuild, which finds nothing to write, and leave.
        terminal.press("r")
        await terminal.wait_for("reading them takes")
        terminal.press(ENTER)
        await terminal.wait_for("Nothing differs")
        terminal.press(ESCAPE)
        await terminal.wait_for("Timeline", gone="Nothing differs")
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
        assert terminal.is_restored


async def test_keys_typed_ahead_reach_the_right_widget(anywhere: Program) -> None:
    async with Terminal(anywhere, "demo", "--seed", "7", "--history", "120", "--rate", "0") as it:
        await it.wait_for("projecting", "in sync", "head 120")
        it.press("2j")  # as they come in one piece over a slow line
        await it.wait_for("Known catalogs of ")
        it.press("?")
        await it.wait_for("In this pane: Accounts")
        it.press(ESCAPE)
        await it.wait_for("Known catalogs of ", gone="In this pane")
        await it.wait_for("Known catalogs of ", gone="Known catalogs of Natster Hub")


async def test_a_demo_that_is_killed_leaves_no_server_and_no_data(anywhere: Program) -> None:
    async with Terminal(anywhere, *DEMO) as terminal:
        await terminal.wait_for("projecting")
        server = demo_server(anywhere)
        terminal.kill(signal.SIGKILL)
        assert await terminal.wait_for_end() == -signal.SIGKILL
    await until(lambda: not is_running(server))
    await until(lambda: not list((anywhere.home / "tmp").iterdir()))


async def test_commands_join_a_demo_by_the_directory_that_it_shows(anywhere: Program) -> None:
    demo = ("demo", "--seed", "7", "--history", "120", "--rate", "0")
    async with Terminal(anywhere, *demo) as terminal:
        await terminal.wait_for("Commands join it: natster-tui --data-dir", "head 120", "in sync")
        (directory,) = (anywhere.home / "tmp").glob("natster-*")
        listed = await anywhere.succeed("list", "accounts", "--data-dir", str(directory), "--json")
        assert any(each["name"] for each in listed.json["accounts"])
        assert (listed.json["at"], listed.json["accounts"][0]["bound"]) == (120, True)
        assert not anywhere.key_file.exists()


async def test_a_stopped_demo_leaves_the_terminal_as_it_was(
    anywhere: Program,
) -> None:
    async with Terminal(anywhere, *DEMO) as terminal:
        await terminal.wait_for("projecting")
        terminal.kill(signal.SIGTERM)
        assert await terminal.wait_for_end() == 0
        assert terminal.is_restored
    assert not list((anywhere.home / "tmp").iterdir())


async def test_the_dashboard_opens_while_the_server_is_down_and_connects_when_it_comes(
    anywhere: Program, tmp_path: Path
) -> None:
    real = RealServer(
        tmp_path / "nats",
        extra="accounts { A { jetstream: enabled, users: [{user: u, password: p}] } }",
    )
    real.start()
    real.stop()
    settings = ConnectionSettings(servers=(real.url,), user="u", password="p", origin="flags")
    down = anywhere.on(settings, "--create-log")
    async with Terminal(down) as terminal:
        await terminal.wait_for("cannot reach", "unreachable", seconds=5)
        assert real.url in terminal.top
        real.start()
        try:
            await terminal.wait_for("projecting", gone="cannot reach")
            await terminal.wait_for("head 0")
            real.stop(signal.SIGKILL)
            await terminal.wait_for("cannot reach", gone="projecting", seconds=5)
            terminal.press("q")
            assert await terminal.wait_for_end() == 0
        finally:
            real.stop()
        assert terminal.is_restored


async def test_ctrl_c_at_a_prompt_ends_it_at_once_and_nothing_is_written(
    natster: Program, settings: ConnectionSettings
) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    await import_records(log, recording("01"), "test")
    await project_until_caught_up(log, PROJECTIONS, "test")
    await link.close()
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    before = await everything(settings)
    async with Terminal(natster, "rebuild") as terminal:
        await terminal.wait_for("Write these changes? [y/N]:")
        await terminal.wait_until_it_reads()
        terminal.press(CTRL_C)
        assert await terminal.wait_for_end() == 130
        assert "natster-tui: interrupted" in terminal.shown
        assert "Traceback" not in terminal.shown
    assert await everything(settings) == before
    async with Terminal(natster, "rebuild") as terminal:
        await terminal.wait_for("Write these changes? [y/N]:")
        terminal.press("y\r")
        assert await terminal.wait_for_end() == 0
        assert "rebuilt and verified: catalog: 2 keys match the log at 10" in terminal.shown
