"""The disk is full, the key is wrong, and the projector is slow with very much behind it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from natster_tui.engine.server_source import EmbeddedSource, LogChoice
from natster_tui.engine.workspace import Connection, Workspace, WorkspaceOptions
from natster_tui.errors import RefusedError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.embedded.server import acquire
from natster_tui.store.embedded.store_watch import StoreProblemKind
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.sealing.key_file import KeyFile, default_key_file
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.faults.arena import (
    are_at,
    dashboard,
    open_or_make,
    own_server,
    process,
    stored_at,
    story,
    tell,
    took,
)
from tests.faults.checker import Checker, plain_client
from tests.faults.proxy import Proxy
from tests.faults.results import record
from tests.jetstream import ask_jetstream

SMALL_DISK = "24m"
BALLAST_BYTES = 8 * 1024**2
ACCOUNT = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
SPACE_S = 10.0
"""Within so many seconds after there is space again, writes must succeed."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, and a small one."""
    at = tmp_path / "small"
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=700", "tmpfs", str(at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


@asynccontextmanager
async def own_dashboard(data: Path) -> AsyncIterator[tuple[Workspace, ConnectionSettings]]:
    """What runs behind a dashboard that owns the embedded server of a directory."""
    source = EmbeddedSource(data)
    workspace = Workspace(
        source, WorkspaceOptions(LogChoice(NATSTER, sealing=SealingChoice(wanted=False)))
    )
    running = asyncio.create_task(workspace.run())
    try:
        await until(lambda: workspace.connection is Connection.CONNECTED)
        yield workspace, await source.settings()
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def fill(settings: ConnectionSettings, first: int, is_full: Callable[[], bool]) -> None:
    """Send events of 100 kB to a log until its server takes no more; it never answers those."""
    async with plain_client(settings) as client:
        for event in story(first, 300):
            headers = dict(event.headers)
            await client.publish(event.subject, event.payload + b" " * 100_000, headers=headers)
        await client.flush()
        await until(is_full)


def log_says(directory: Path, text: bytes) -> bool:
    """Whether some server's log below a directory says a text."""
    return any(text in log.read_bytes() for log in directory.rglob("*.log"))


async def test_the_embedded_servers_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    """Nothing is restarted by hand: the dashboard that owns the server does it."""
    data = small_disk / "data"
    other = Program(tmp_path / "home").with_options(
        "--data-dir", str(data), "--key-file", str(default_key_file())
    )
    async with own_dashboard(data) as (workspace, settings):
        head = await tell(settings, 0, 500)
        await until(lambda: are_at(workspace, head))
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(BALLAST_BYTES))
        await fill(settings, 500, lambda: workspace.store.problem is not None)
        assert workspace.store.problem is not None
        assert workspace.store.problem.kind is StoreProblemKind.FULL
        assert any(f"the disk of {data}" in told.sentence for told in workspace.problems)
        assert any("is full" in hazard for hazard in workspace.hazards)
        status = (await other.succeed("status", "--json")).json
        assert "is full" in status["hazards"][0]
        publish = ("publish", "natster_initialized", "--origin", ACCOUNT)
        refused = await other.run(*publish)
        assert refused.code == 3
        assert refused.sentence.startswith(f"the disk of {data / 'store'} is full ")

        ballast.unlink()
        freed = time.monotonic()
        await until(lambda: workspace.store.problem is None, SPACE_S)
        await until(lambda: workspace.connection is Connection.CONNECTED, SPACE_S)
        await other.succeed(*publish)
        back = time.monotonic() - freed
        assert back < SPACE_S
        link = await Link.open(settings)
        head = (await open_or_make(link)).info.last_seq
        await link.close()
        await until(lambda: are_at(workspace, head))
        more = await tell(settings, 10_000, 20)
        await until(lambda: are_at(workspace, more))
        assert more > 500
        checker = Checker(settings)
        await checker.remember()
        found = await checker.check(at=more)
    record("embedded server's disk full, then space again", found, recovered_s=back)


async def test_a_disk_that_is_full_at_the_start_is_told_and_left_alone(
    small_disk: Path, tmp_path: Path
) -> None:
    data = small_disk / "data"
    other = Program(tmp_path / "home").with_options("--data-dir", str(data))
    await other.succeed("status")
    ballast = small_disk / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(bytes(4_096))
            file.flush()
    assert "is full" in await other.fail(3, "status")
    assert await other.fail(3, "project", "--once")
    ballast.unlink()
    await other.succeed("status")


async def test_the_disk_of_another_server_is_full(small_disk: Path) -> None:
    """It is not ours to restart."""
    store = small_disk / "server" / "js"
    store.mkdir(parents=True)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST_BYTES))
    async with own_server(store.parent) as server:
        settings = server.new_account()
        head = await tell(settings, 0, 500)
        async with dashboard(settings) as workspace:
            await until(lambda: are_at(workspace, head))
            await fill(settings, 500, lambda: log_says(store.parent, b"no space left on device"))
            # What the server took before it was full may be projected, or not.
            await asyncio.to_thread(server.stop, signal.SIGKILL)
            ballast.unlink()
            await asyncio.to_thread(server.start)
            back = await took(lambda: workspace.connection is Connection.CONNECTED)
            async with plain_client(settings) as client:
                info = await client.jetstream().stream_info(NATSTER.stream)
                head = info.state.last_seq
            checker = Checker(settings)
            await checker.remember()
            await until(lambda: are_at(workspace, head))
            more = await tell(settings, 10_000, 20)
            await until(lambda: are_at(workspace, more))
        assert head > 500
        found = await checker.check(at=more)
    record("disk full, then space and a restart", found, recovered_s=back)


async def test_the_embedded_store_is_opened_with_a_wrong_key(tmp_path: Path) -> None:
    """Refused before a server starts; the log and its projections are as they were."""
    data, other = tmp_path / "data", tmp_path / "other.key"
    source = EmbeddedSource(data)
    workspace = Workspace(
        source, WorkspaceOptions(LogChoice(NATSTER, sealing=SealingChoice(wanted=False)))
    )
    running = asyncio.create_task(workspace.run())
    await until(lambda: workspace.log is not None and are_at(workspace, 0) is not None)
    settings = await source.settings()
    head = await tell(settings, 0, 200)
    await until(lambda: are_at(workspace, head))
    before = Checker(settings)
    state = await before.remember()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    KeyFile(other).create()
    for _ in range(2):
        with pytest.raises(RefusedError, match="was not made with this key"):
            await acquire(data, key_file=other)
    server = await acquire(data)
    try:
        again = Checker(
            ConnectionSettings(servers=(server.url,), token=server.token, origin="flags")
        )
        assert await again.remember() == state
        found = await again.check(at=head)
    finally:
        await server.close()
    record("embedded store opened with a wrong key", found, injected=2)


def peak_memory_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


async def fall_behind(settings: ConnectionSettings, home: Path, events: int) -> None:
    """Project a long log of small events slowly; memory must not grow with what waits.

    What it may need is what the same log takes to be projected at full speed, when nothing waits:
    the documents themselves.
    """
    link = await Link.open(settings)
    log = await open_or_make(link)
    people = 500
    for first in range(0, events, 50_000):
        count = min(50_000, events - first)
        await log.append_all(list(story(first, count, people)), expected_last=None)
    in_time = 50 + events / 2_000
    async with process(home, settings, "project") as quick:
        await stored_at(settings, events, in_time)
        needed_kib = peak_memory_kib(quick.pid)
    for projection in PROJECTIONS:
        await ask_jetstream(link, f"STREAM.DELETE.KV_{projection.bucket}", timeout=30.0)
    await link.close()
    async with Proxy.before(settings) as proxy:
        # Every commit takes a while to get there, and the log comes as fast as it can.
        proxy.slow_down(0.005)
        async with process(home, settings, "project", url=proxy.url) as slow:
            back = await stored_at(settings, events, in_time)
            peak_kib = peak_memory_kib(slow.pid)
    assert peak_kib < 1.2 * needed_kib, f"{peak_kib / 1024:.0f} of {needed_kib / 1024:.0f} MiB"
    checker = Checker(settings)
    await checker.remember()
    found = await checker.check(at=events, log_damaged=True)
    record(
        f"slow projector, {events:,} events behind (peak {peak_kib / 1024:.0f} MiB, "
        f"{needed_kib / 1024:.0f} at full speed)",
        found,
        recovered_s=back,
    )


@pytest.mark.full
async def test_a_slow_projector_with_much_behind_it(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    await fall_behind(settings, tmp_path, 50_000)


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_a_slow_projector_with_very_much_behind_it(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    await fall_behind(settings, tmp_path, 1_000_000)
