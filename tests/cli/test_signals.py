"""Closing the terminal, stopping the process and suspending it, as a person or a system does."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from natster_tui.engine.rule_alarm import LONGEST_S
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program, altered
from tests.cli.terminal import Terminal
from tests.conftest import until
from tests.faults.arena import own_server, tell
from tests.projections import activity

CTRL_Z = "\x1a"
ENDS_S = 7.0
"""Within so many seconds it must have ended, however blocked it is."""


@pytest.mark.parametrize("is_ignored", [False, True], ids=["hup", "hup-ignored"])
async def test_the_end_of_the_terminal_is_the_end_of_the_dashboard(
    natster: Program, settings: ConnectionSettings, is_ignored: bool
) -> None:
    await tell(settings, 0, 20)
    async with Terminal(natster, ignores_hangup=is_ignored) as terminal:
        await terminal.wait_for("projecting", "head 20")
        terminal.close()
        assert await terminal.wait_for_exit(ENDS_S) == 0
    assert (await natster.succeed("status", "--json")).json["projector"] is None


@pytest.mark.full
async def test_a_terminal_that_reads_no_more_does_not_keep_it_from_ending(
    anywhere: Program,
) -> None:
    demo = ("demo", "--seed", "7", "--history", "120", "--rate", "200")
    async with Terminal(anywhere, *demo) as terminal:
        await terminal.wait_for("projecting")
        terminal.freeze()
        await until(lambda: terminal.is_full)
        terminal.kill(signal.SIGTERM)
        await terminal.wait_for_exit(ENDS_S)


@pytest.mark.parametrize("keys", ["?", "r", "r\r", "p", ":"])
async def test_a_stop_signal_ends_it_with_any_dialog_open(
    natster: Program, settings: ConnectionSettings, keys: str
) -> None:
    await tell(settings, 0, 20)
    async with Terminal(natster) as terminal:
        await terminal.wait_for("projecting", "head 20")
        before = terminal.shown
        terminal.press(keys)
        await until(lambda: terminal.shown != before)
        terminal.kill(signal.SIGTERM)
        assert await terminal.wait_for_end(ENDS_S) == 0, terminal.shown
        assert terminal.is_restored
    assert (await natster.succeed("status", "--json")).json["projector"] is None


async def test_a_stop_signal_ends_it_while_the_server_is_dead(
    anywhere: Program, tmp_path: Path
) -> None:
    async with own_server(tmp_path / "nats") as server:
        settings = server.new_account()
        await tell(settings, 0, 20)
        async with Terminal(anywhere.on(settings)) as terminal:
            await terminal.wait_for("projecting", "head 20")
            server.signal(signal.SIGSTOP)
            try:
                await terminal.wait_for("no answer")
                terminal.kill(signal.SIGTERM)
                assert await terminal.wait_for_end(ENDS_S) == 0
                assert terminal.is_restored
            finally:
                server.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    "how", [CTRL_Z, signal.SIGTSTP, signal.SIGSTOP], ids=["key", "tstp", "stop"]
)
async def test_it_paints_everything_when_it_comes_to_the_foreground(
    natster: Program, settings: ConnectionSettings, how: str | signal.Signals
) -> None:
    await tell(settings, 0, 20)
    async with Terminal(natster, under_shell=True) as terminal:
        await terminal.wait_for("projecting", "head 20")
        if isinstance(how, str):
            terminal.press(how)
        else:
            terminal.kill(how)
        await terminal.wait_for("Stopped")
        terminal.press("clear\r")
        await terminal.wait_for(gone="head 20")
        terminal.press("fg\r")
        await terminal.wait_for("Timeline", "projecting", "head 20", "Known catalogs")
        terminal.press("?")
        await terminal.wait_for("esc closes")
        terminal.press("\x1b")
        await terminal.wait_for("Timeline", gone="esc closes")
        terminal.press("q")
        await until(lambda: b"shell$" in terminal.printed.rpartition(b"\x1b[?1049h")[2])
        terminal.press("exit\r")
        assert await terminal.wait_for_end() == 0


async def test_a_rule_that_hangs_does_not_keep_it_from_ending(
    natster: Program, settings: ConnectionSettings, tmp_path: Path
) -> None:
    """The watch over slow rules uses the same alarm, and must not take its signal."""
    await tell(settings, 0, 20)
    file, reached = tmp_path / "activity.py", tmp_path / "reached"
    text, rule = Path(activity.__file__).read_text(), "        if document is None:"
    assert rule in text
    hang = "import pathlib, time\n        pathlib.Path({!r}).touch()\n        time.sleep(60)\n"
    file.write_text(text.replace(rule, f"        {hang.format(str(reached))}{rule}"))
    quick = altered(natster, "from natster_tui.cli import signals\nsignals.LEAVE_WITHIN_S = 1")
    process = await quick.start("project", "--projection", str(file))
    try:
        await until(reached.exists)
        process.terminate()
        # Before the rule is interrupted.
        await asyncio.wait_for(process.communicate(), LONGEST_S - 1)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == -signal.SIGALRM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_projector_stopped_by_a_signal_releases_its_lease(
    natster: Program, settings: ConnectionSettings, number: signal.Signals
) -> None:
    await tell(settings, 0, 20)
    process = await natster.start("project")
    assert process.stderr is not None
    async with asyncio.timeout(15):
        while b"catalog: projecting" not in await process.stderr.readline():
            pass
    process.send_signal(number)
    await asyncio.wait_for(process.communicate(), ENDS_S)
    assert process.returncode == 0
    assert (await natster.succeed("status", "--json")).json["projector"] is None
