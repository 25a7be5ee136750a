"""A stream that nats-server cannot read when it starts is not lost: the server would delete it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from natster_tui.errors import RefusedError
from natster_tui.store.embedded.kept_streams import ASIDE, KeptStreams
from natster_tui.store.embedded.server import acquire
from tests.store.embedded.test_server import (
    LOG,
    TEXT,
    jetstream,
    make_data_directory,
    read_log,
    record,
)

Damage = Callable[[Path], None]


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data directory with a log of some blocks and a bucket, whose server was stopped."""
    server = await acquire(tmp_path / "data", key_file=tmp_path / "keys.json")
    async with jetstream(server) as js:
        await js.add_stream(name=LOG, subjects=["natster.events.*.*.*.*"])
        await js.add_stream(name="KV_OTHER", subjects=["$KV.OTHER.>"])
        await js.publish("$KV.OTHER.key", b"value")
        await js.publish("natster.events.A.none.none.natster_initialized", TEXT)
        for _ in range(20):
            await js.publish("natster.events.A.none.none.x", os.urandom(1_000_000))
        await record(server, js)
    await server.close()
    return server.data_dir


def messages(data: Path, stream: str = LOG) -> Path:
    return data / "store" / "jetstream" / "$G" / "streams" / stream / "msgs"


def files(data: Path) -> dict[str, bytes]:
    """What the streams consist of, but for what the server writes when it starts and stops."""
    streams = data / "store" / "jetstream"
    return {
        str(path.relative_to(streams)): path.read_bytes()
        for path in streams.rglob("*")
        if path.is_file() and path.name != "index.db"
    }


async def test_an_empty_block_without_its_key_is_no_reason_to_lose_the_log(data: Path) -> None:
    """What a disk leaves that is full just when a block is begun."""
    last = max(int(block.stem) for block in messages(data).glob("*.blk"))
    assert last > 1
    (messages(data) / f"{last + 1}.blk").touch()
    server = await acquire(data, key_file=data.parent / "keys.json")
    try:
        assert await read_log(server) == TEXT
        async with jetstream(server) as js:
            assert (await js.stream_info(LOG)).state.messages == 21
            await js.publish("natster.events.A.none.none.x", b"more")
    finally:
        await server.close()
    assert not (data / "store" / ASIDE).exists()


@pytest.mark.parametrize("stream", [LOG, "KV_OTHER"])
async def test_a_stream_that_the_server_cannot_read_is_put_back(data: Path, stream: str) -> None:
    (messages(data, stream) / "1.key").rename(data.parent / "1.key")
    (messages(data, stream) / "index.db").unlink()  # as after a kill: every block is read
    before = files(data)
    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            await acquire(data, key_file=data.parent / "keys.json")
        assert f"could not read {stream} in " in caught.value.sentence
        assert "they were put back" in caught.value.sentence
        assert files(data) == before
        assert not (data / "store" / ASIDE).exists()
    # With what was missing it is as it was.
    (data.parent / "1.key").rename(messages(data, stream) / "1.key")
    server = await acquire(data, key_file=data.parent / "keys.json")
    try:
        assert await read_log(server) == TEXT
    finally:
        await server.close()


async def test_a_start_that_was_killed_after_the_server_removed_a_stream_is_made_up_for(
    data: Path,
) -> None:
    KeptStreams(data / "store").keep()
    before = files(data)
    for path in sorted((data / "store" / "jetstream").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    server = await acquire(data, key_file=data.parent / "keys.json")
    try:
        assert await read_log(server) == TEXT
    finally:
        await server.close()
    assert set(files(data)) == set(before)


async def test_a_stream_that_is_deleted_while_the_server_runs_stays_deleted(data: Path) -> None:
    server = await acquire(data, key_file=data.parent / "keys.json")
    assert not (data / "store" / ASIDE).exists()
    async with jetstream(server) as js:
        await js.delete_stream("KV_OTHER")
    os.kill(json.loads((data / "server.json").read_bytes())["server_pid"], signal.SIGKILL)
    await asyncio.sleep(0)
    await server.close()
    server = await acquire(data, key_file=data.parent / "keys.json")
    await server.close()
    assert not messages(data, "KV_OTHER").exists()


def test_a_file_system_without_hard_links_keeps_nothing_and_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make_data_directory(tmp_path)
    stream = directory.store / "jetstream" / "$G" / "streams" / "S"
    stream.mkdir(parents=True)
    (stream / "meta.inf").touch()

    def link(_from: Path, _to: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    kept = KeptStreams(directory.store)
    kept.keep()
    assert kept.lost() == []
    assert not (directory.store / ASIDE).exists()
