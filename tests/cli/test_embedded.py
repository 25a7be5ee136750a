"""Without a server the program runs its own, and leaves nothing behind but its data."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from natster_tui.store.sealing.key_file import KeyFile
from tests.cli.processes import is_running, server_of
from tests.cli.program import Program, busy
from tests.cli.terminal import Terminal
from tests.conftest import RECORDINGS, until

A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
STANDARD = str(RECORDINGS / "01_standard.events.jsonl")


async def read_until(stream: asyncio.StreamReader | None, *told: str) -> str:
    """Read lines until all of `told` were in them."""
    assert stream is not None
    text = ""
    async with asyncio.timeout(20):
        while not all(part in text for part in told):
            line = await stream.readline()
            assert line, text
            text += line.decode()
    return text


PROJECTING = ("account: projecting", "catalog: projecting")


async def test_a_newcomer_needs_nothing_but_the_program(embedded: Program, data: Path) -> None:
    ended = await embedded.succeed("import", STANDARD)
    assert ended.lines == ["imported 10 events into NATSTER_EVENTS, 0 were there already"]
    assert server_of(data) is None
    ended = await embedded.succeed("project", "--once")
    assert ended.lines[0] == "account: at 10, 3 keys, parked 0"
    shown = (await embedded.succeed("show", "catalog", "kevbuzz", "--json")).json
    assert (shown["at"], shown["document"]["owner"]) == (10, A)
    assert server_of(data) is None
    assert not (embedded.home / "data").exists(), "the named directory, not the default one"


async def test_the_default_directory_is_the_users_own(anywhere: Program) -> None:
    told = (await anywhere.succeed("status", "--json")).json
    assert told["log"]["head"] == 0
    assert told["server"].startswith("nats://127.0.0.1:")
    (directory,) = (anywhere.home / "data").iterdir()
    assert directory.name == "natster-tui"
    assert directory.stat().st_mode & 0o077 == 0


async def test_read_only_makes_no_log_no_store_and_no_key(embedded: Program, data: Path) -> None:
    sentence = await embedded.fail(3, "--read-only", "status")
    assert sentence == (
        f"there is no log in {data} yet, and --read-only makes none: start once without it"
    )
    assert not data.exists()
    assert not embedded.key_file.parent.exists()


@pytest.mark.full
async def test_read_only_waits_for_another_process_to_make_the_log(
    embedded: Program, data: Path
) -> None:
    async with Terminal(embedded.with_options("--read-only")) as terminal:
        await terminal.wait_for("no log", "--read-only makes none")
        assert not data.exists()
        await embedded.succeed("import", STANDARD)
        await terminal.wait_for("read-only", "head 10")
        terminal.press("q")
        assert await terminal.wait_for_end() == 0


async def test_processes_that_start_at_once_share_the_server(embedded: Program, data: Path) -> None:
    # The first one owns the server, and the others outlive it.
    await asyncio.gather(
        embedded.succeed("import", STANDARD),
        embedded.succeed("import", STANDARD),
        embedded.succeed("status", "--json"),
    )
    assert server_of(data) is None
    assert (await embedded.succeed("status", "--json")).json["log"]["head"] == 10


async def test_a_command_finds_the_server_of_one_that_runs(embedded: Program, data: Path) -> None:
    projector = await embedded.start("project")
    await read_until(projector.stderr, *PROJECTING)
    running = server_of(data)
    assert running is not None
    await embedded.succeed("import", STANDARD)
    told = (await embedded.succeed("status", "--json")).json
    assert told["server"] == running["url"]
    assert server_of(data) == running, "it is not theirs to stop"
    projector.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(projector.communicate(), 10)
    assert b"Traceback" not in err
    assert server_of(data) is None
    assert not is_running(running["server_pid"])


async def test_when_the_owner_is_killed_the_other_takes_the_server_over(
    embedded: Program, data: Path
) -> None:
    owner = await embedded.start("project")
    await read_until(owner.stderr, *PROJECTING)
    first = server_of(data)
    assert first is not None
    other = await embedded.start("project")
    await read_until(other.stderr, "connection: connected")
    owner.kill()
    began = asyncio.get_running_loop().time()
    await owner.communicate()
    await read_until(other.stderr, "connection: connection lost", "connection: connected")
    assert asyncio.get_running_loop().time() - began < 3 * busy()
    second = server_of(data)
    assert second is not None
    assert second["server_pid"] != first["server_pid"]
    await until(lambda: not is_running(first["server_pid"]))
    await embedded.succeed("import", STANDARD)
    other.kill()
    await other.communicate()
    await until(lambda: not is_running(second["server_pid"]) and server_of(data) is None)
    assert (await embedded.succeed("status", "--json")).json["log"]["head"] == 10


async def test_a_store_with_another_key_is_refused_and_kept(embedded: Program) -> None:
    await embedded.succeed("import", STANDARD)
    key_file = KeyFile(embedded.home / "config" / "natster-tui" / "keys.json")
    kept, key = key_file.path.read_bytes(), key_file.read().store.encode()
    key_file.path.unlink()
    gone = await embedded.fail(1, "status")
    key_file.path.touch(0o600)
    key_file.path.write_bytes(kept.replace(key, b"k" + b"0" * 64))
    wrong = await embedded.fail(1, "import", STANDARD)
    for sentence in (gone, wrong):
        assert "key" in sentence
    key_file.path.write_bytes(kept)
    assert (await embedded.succeed("status", "--json")).json["log"]["head"] == 10


async def test_a_directory_that_is_not_ours_is_a_matter_of_usage_and_stays(
    anywhere: Program, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "run").mkdir(parents=True)
    (project / "run" / "precious.txt").write_text("mine")
    for command in ("status", "import"):
        given = (STANDARD,) if command == "import" else ()
        sentence = await anywhere.fail(2, "--data-dir", str(project), command, *given)
        assert str(project) in sentence
        assert "holds run" in sentence
    assert [path.name for path in project.rglob("*")] == ["run", "precious.txt"]
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    sentence = await anywhere.fail(2, "--data-dir", str(shared), "--read-only", "status")
    assert sentence.startswith(f"others may write to {shared}")
    assert not list(shared.iterdir())
