"""What is written is the user's alone, and no process, log or crash gives a secret away."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path

from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.program import Altered, Program, altered
from tests.cli.terminal import ENTER, Terminal
from tests.conftest import RECORDINGS

STANDARD = str(RECORDINGS / "01_standard.events.jsonl")
SECRET = "hunter2-looks-like-nothing"


# -- files -------------------------------------------------------------------------------------


class OpenHanded(Program):
    """The program as started with a umask that takes nothing away."""

    def command(self, *arguments: str | bytes) -> list[str | bytes]:
        return ["sh", "-c", 'umask 000; exec "$@"', "sh", *super().command(*arguments)]


def readable_by_others(below: Path) -> list[str]:
    """Files and directories that are not the user's alone, with their modes."""
    found = []
    for path in sorted(below.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600) and path != below / "tmp":
            found.append(f"{path.relative_to(below)} {mode:o}")
    return found


async def test_written_files_are_private_with_any_umask(anywhere: Program) -> None:
    program = OpenHanded(anywhere.home)
    await program.succeed("import", STANDARD)
    async with Terminal(program) as terminal:
        await terminal.wait_for("projecting", "in sync", "head 10", " Event 10 ")
        terminal.press("y")
        await terminal.wait_for("copied event")
        terminal.press("o")
        await terminal.wait_for("natster-events.jsonl")
        terminal.press(ENTER)
        await terminal.wait_for("exported 10 events")
        # While the server runs: some files are there only then.
        assert readable_by_others(anywhere.home) == []
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
    assert readable_by_others(anywhere.home) == []
    written = {path.name for path in anywhere.home.rglob("*")}
    assert {"server.token", "server.log", "copied.json", "natster-events.jsonl"} <= written


# -- processes ---------------------------------------------------------------------------------


def command_lines() -> bytes:
    """The arguments of all processes that we may look at."""
    told = b""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told += file.read_bytes() + b"\n"
        except OSError:
            continue  # it has ended
    return told


async def test_no_process_has_a_secret_among_its_arguments(
    anywhere: Program, settings: ConnectionSettings, tmp_path: Path
) -> None:
    link = await Link.open(settings)
    await EventLog.create(link, NATSTER, LogSettings())
    await link.close()
    user, host = settings.user, settings.servers[0].removeprefix("nats://")
    variables = {
        "NATS_URL": f"nats://{user}:{revealed(settings.password)}@{host}",
        "NATS_PASSWORD": SECRET,
    }
    named = anywhere.with_variables({"NATS_URL": variables["NATS_URL"]})
    data = tmp_path / "data"
    embedded = anywhere.with_options("--data-dir", str(data))
    runs = [await named.start("project"), await embedded.start("project")]
    try:
        for run in runs:
            assert run.stderr is not None
            async with asyncio.timeout(30):
                while b"projecting" not in (line := await run.stderr.readline()):
                    assert line, "it ended"
        told = command_lines()
        assert b"natster_tui" in told
        assert b"nats-server" in told
        token = (data / "server.token").read_bytes().strip()
        assert token not in told
        assert f":{revealed(settings.password)}@".encode() not in told
        (key_file,) = anywhere.home.rglob("keys.json")
        keys = re.findall(rb"k[0-9a-f]{64}", key_file.read_bytes())
        assert keys
        assert not any(key in told for key in keys)
        assert token not in (data / "server.log").read_bytes()
    finally:
        for run in runs:
            run.terminate()
            await run.communicate()


# -- crashes -----------------------------------------------------------------------------------


def broken(program: Program, mistake: str) -> Altered:
    """The program with a mistake in it that raises what it works on."""
    return altered(program, f"import asyncio\nSECRET = {SECRET!r}\n{mistake}")


IN_A_COMMAND = """
import natster_tui.cli.reading.status_command as commands

async def read_status(*_given):
    raise ValueError(f"cannot use {SECRET}")

commands.read_status = read_status
"""

IN_THE_BACKGROUND = """
import natster_tui.cli.reading.status_command as commands

async def fail(password):
    raise ValueError(f"cannot use {password}")

class Left:
    def __del__(self):
        raise KeyError(SECRET)

async def read_status(*_given):
    left = Left()
    del left
    asyncio.get_running_loop().create_task(fail(SECRET))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(lambda secret: secret.nothing, SECRET)
    await asyncio.sleep(0)
    raise LookupError(SECRET)

commands.read_status = read_status
"""

ON_THE_SCREEN = """
from natster_tui.tui.panes.timeline import Timeline

def row_cells(self, row):
    password = SECRET
    raise ValueError(f"cannot draw {password}")

Timeline.row_cells = row_cells
"""


async def test_an_internal_error_names_its_place_in_the_code_and_none_of_the_data(
    anywhere: Program, settings: ConnectionSettings
) -> None:
    link = await Link.open(settings)
    await EventLog.create(link, NATSTER, LogSettings())
    await link.close()
    natster = anywhere.on(settings)

    ended = await broken(natster, IN_A_COMMAND).run("status")
    assert ended.code == 1
    assert ended.sentence.startswith("internal error, please report it: ValueError at ")
    assert SECRET not in ended.err

    ended = await broken(natster, IN_THE_BACKGROUND).run("status")
    assert ended.code == 1
    assert SECRET not in ended.out + ended.err
    assert "Traceback" not in ended.err
    kinds = ("KeyError", "ValueError", "AttributeError", "LookupError")
    assert all(f"internal error, please report it: {kind}" in ended.err for kind in kinds)

    async with Terminal(broken(natster.with_options("--create-log"), ON_THE_SCREEN)) as terminal:
        await terminal.wait_for("NATSTER_EVENTS")
        await natster.run("import", STANDARD)
        assert await terminal.wait_for_end(30) == 1
        assert terminal.is_restored
        assert SECRET.encode() not in terminal.printed
        assert b"internal error, please report it: ValueError at " in terminal.printed
