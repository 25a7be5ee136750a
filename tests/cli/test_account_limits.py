"""Accounts that limit streams, storage or sizes: it is done, or refused with reason and remedy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from natster_tui.errors import ApiError, ServerError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.together import together
from natster_tui.store.lease import Holder, Lease
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.provisioning.maker import LEASES, BucketMaker, projection_spec
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.byte_sizes import MIB
from tests.cli.program import Program
from tests.cli.raw_jetstream import jetstream, stream_names
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared
from tests.real_server import RealServer

LIMITS = {
    "sized": "max_file: 1GB, max_bytes_required: true",
    "sealed": "max_file: 1GB, max_bytes_required: true, disk_max_stream_bytes: 128MB",
    "tight": "max_file: 130MB, max_bytes_required: true",
    "streams": "max_streams: 2",
    "storage": "max_file: 100MB",
    "large": "max_file: 1GB, disk_max_stream_bytes: 128MB",
    "free": "max_file: 1GB",
    "nearly": "max_file: 1MB",
}
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
HOLDER = Holder(host="here", pid=1, instance="x", since=1)
LOG = LogSettings(max_bytes=100 * MIB)
EVENTS = [initialized("AA", "Ann"), initialized("BB"), bound("AA"), shared("AA", "BB")]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    accounts = "\n".join(
        f"{name} {{ jetstream: {{ {limits} }}, users: [{{ user: {name}, password: x }}] }}"
        for name, limits in LIMITS.items()
    )
    server = RealServer(tmp_path_factory.mktemp("limits"), f"accounts {{\n{accounts}\n}}\n")
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def account(
    limited: RealServer, name: str, log: LogSettings = LOG
) -> AsyncIterator[tuple[ConnectionSettings, Link]]:
    """An account with a log in it and nothing else."""
    settings = ConnectionSettings(servers=(limited.url,), user=name, password="x", origin="flags")
    link = await Link.open(settings)
    try:
        for stream in await stream_names(settings):
            await ask_jetstream(link, f"STREAM.DELETE.{stream}")
        await append(await EventLog.create(link, NATSTER, log), EVENTS)
        yield settings, link
    finally:
        await link.close()


async def limits_of(settings: ConnectionSettings) -> dict[str, int]:
    listed: dict[str, Any] = await jetstream(settings, "STREAM.LIST")
    return {
        stream["config"]["name"]: stream["config"]["max_bytes"] // MIB
        for stream in listed["streams"]
        if stream["config"]["name"] != NATSTER.stream
    }


async def test_buckets_get_the_size_that_the_account_requires(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "sized") as (settings, _link):
        natster = Program(tmp_path).on(settings)
        ended = await natster.run("project", "--once")
        assert ended.code == 0, ended
        assert ended.sentence == (
            "the account requires a size for each bucket: NATSTER_LEASE 1 MiB, PROJ_ACCOUNT "
            "100 MiB, PROJ_CATALOG 100 MiB; --bucket-bytes sets another"
        )
        sizes = {"KV_NATSTER_LEASE": 1, "KV_PROJ_ACCOUNT": 100, "KV_PROJ_CATALOG": 100}
        assert await limits_of(settings) == sizes
        await natster.succeed("rebuild", "--purge", "--yes", "--json")
        await natster.succeed("verify")
        assert await limits_of(settings) == sizes


async def test_buckets_that_are_made_at_the_same_time_all_get_their_size(
    limited: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with account(limited, "sized") as (settings, link):
        maker = BucketMaker(link, log_limit=100 * MIB, projections=PROJECTIONS)
        lease_is_made = asyncio.Event()
        ask = link.ask

        async def ask_late(verb: str, *rest: Any, **named: Any) -> Any:
            try:
                return await ask(verb, *rest, **named)
            except ApiError:
                if verb == "STREAM.CREATE.KV_PROJ_ACCOUNT":
                    # The refusal arrives after all sizes were chosen for the lease.
                    await lease_is_made.wait()
                raise

        async def make_lease() -> None:
            await maker.make(LEASES)
            lease_is_made.set()

        monkeypatch.setattr(link, "ask", ask_late)
        await together(make_lease(), maker.make(projection_spec("PROJ_ACCOUNT")))
        assert await limits_of(settings) == {"KV_NATSTER_LEASE": 1, "KV_PROJ_ACCOUNT": 100}


async def test_keys_get_one_as_well_and_the_limit_of_a_stream_is_kept(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "sealed") as (settings, link):
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        sealed = LogSettings(max_bytes=120 * MIB, sealing="on")
        await EventLog.create(link, NATSTER, sealed)
        natster = Program(tmp_path).on(settings, "--bucket-bytes", "32MiB")
        initialize = ("publish", "natster_initialized", "--origin", A)
        await natster.succeed(*initialize, "--data", '{"account_name":"A"}')
        assert await limits_of(settings) == {"KV_NATSTER_KEYS": 64}
        await natster.succeed("project", "--once")
        assert await limits_of(settings) == {
            "KV_NATSTER_KEYS": 64,
            "KV_NATSTER_LEASE": 1,
            "KV_PROJ_ACCOUNT": 32,
            "KV_PROJ_CATALOG": 32,
        }
        await natster.succeed("keys", "rotate")
        await natster.succeed("keys", "erase", A, "--yes")


async def test_too_little_room_is_refused_with_figures_before_anything_is_made(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "tight") as (settings, _link):
        natster = Program(tmp_path).on(settings)
        for command in (("project", "--once"), ("rebuild", "--yes", "--json")):
            sentence = await natster.fail(3, *command)
            assert "PROJ_" in sentence
            assert "30 MiB of the account's 130 MiB are not reserved" in sentence
            assert "--bucket-bytes SIZE" in sentence
            assert await stream_names(settings) == [NATSTER.stream]
        asked = natster.with_options("--bucket-bytes", "20M")
        sentence = await asked.fail(3, "project", "--once")
        assert "cannot have 20 MiB: the account has 15 MiB for it" in sentence
        assert await stream_names(settings) == [NATSTER.stream]
        await natster.with_options("--bucket-bytes", "10M").succeed("project", "--once")
        assert (await limits_of(settings))["KV_PROJ_ACCOUNT"] == 10


async def test_a_limit_of_streams_is_reported(limited: RealServer, tmp_path: Path) -> None:
    async with account(limited, "streams") as (settings, _link):
        natster = Program(tmp_path).on(settings)
        ended = await natster.run("project", "--once")
        assert ended.code == 3
        assert "cannot be made (maximum number of streams reached)" in ended.sentence
        assert "raise max_streams of the account" in ended.sentence
        assert (await natster.run("rebuild", "--yes", "--json")).code == 3
        await natster.succeed("status")


async def test_missing_storage_is_reported(limited: RealServer, tmp_path: Path) -> None:
    async with account(limited, "storage") as (settings, link):
        # The log has reserved all that there is.
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        await EventLog.create(link, NATSTER, LogSettings(max_bytes=100 * MIB))
        natster = Program(tmp_path).on(settings)
        for command in (("project", "--once"), ("rebuild", "--yes", "--json")):
            sentence = await natster.fail(3, *command)
            assert "cannot be made (insufficient storage resources available)" in sentence
            assert "all of the storage is reserved (100 MiB are the log's)" in sentence
            assert "raise the storage limit of the account" in sentence
            assert "--bucket-bytes" not in sentence


@pytest.mark.parametrize(
    ("name", "log", "lacking"),
    [
        ("storage", 100, "0 bytes of the account's 100 MiB are not reserved"),
        ("storage", 99, ""),
        ("tight", 110, "20 MiB of the account's 130 MiB are not reserved"),
        ("tight", 60, ""),
    ],
)
async def test_too_little_storage_for_the_missing_buckets_is_a_hazard(
    limited: RealServer, tmp_path: Path, name: str, log: int, lacking: str
) -> None:
    async with account(limited, name, LogSettings(max_bytes=log * MIB)) as (settings, _link):
        natster = Program(tmp_path).on(settings)
        shown = (await natster.succeed("status")).out
        missing = "PROJ_ACCOUNT and PROJ_CATALOG, not created yet"
        hazard = f"the account has no room for {missing} ({lacking})"
        assert (hazard in shown) == bool(lacking), shown
        assert ("no room" in shown) == bool(lacking)
        assert (await natster.run("project", "--once")).code == (3 if lacking else 0)
        if not lacking:
            assert "no room" not in (await natster.succeed("status")).out


@pytest.mark.parametrize(
    ("name", "size", "buckets"),
    [
        # 130 MiB for the log, keys, two projections and a lease.
        ("tight", 33, [1, 32, 32, 32]),
        # Buckets without a limit reserve nothing, but need room.
        ("storage", 25, [-1, -1, -1, -1]),
        ("sealed", 128, [1, 64, 128, 128]),
    ],
)
async def test_a_log_of_no_given_size_leaves_room_for_its_buckets(
    limited: RealServer, tmp_path: Path, name: str, size: int, buckets: list[int]
) -> None:
    async with account(limited, name) as (settings, link):
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        natster = Program(tmp_path).on(settings, "--create-log")
        initialize = ("publish", "natster_initialized", "--origin", A)
        ended = await natster.run(*initialize, "--data", '{"account_name":"A"}')
        assert ended.code == 0, ended
        assert (
            f"the account's limits leave the log NATSTER_EVENTS {size} MiB instead of 1 GiB, "
            "beside its buckets; --log-setting max_bytes=SIZE sets another size"
        ) in ended.said
        assert (await natster.run("project", "--once")).code == 0
        made = await ask_jetstream(link, f"STREAM.INFO.{NATSTER.stream}")
        assert made["config"]["max_bytes"] // MIB == size
        assert sorted((await limits_of(settings)).values()) == buckets


async def test_a_log_leaves_room_for_buckets_of_the_size_that_was_asked_for(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "tight") as (settings, link):
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        natster = Program(tmp_path).on(settings, "--create-log", "--sealing", "off")
        asked = natster.with_options("--bucket-bytes", "20MiB")
        ended = await asked.run("project", "--once")
        assert (ended.code, "89 MiB instead of 1 GiB" in ended.said) == (0, True), ended
        assert sorted((await limits_of(settings)).values()) == [1, 20, 20]


async def test_a_log_too_large_for_the_account_is_reported_with_the_option_for_its_size(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "nearly", LogSettings(max_bytes=-1)) as (settings, link):
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        sentence = await Program(tmp_path).on(settings, "--create-log").fail(3, "status")
        assert sentence == (
            "the log NATSTER_EVENTS cannot be made: beside its buckets it would get 1 MiB, less "
            "than 16 MiB (1 MiB of the account's 1 MiB are not reserved); raise the account's "
            "limits, or accept smaller sizes with --log-setting max_bytes=SIZE and --bucket-bytes "
            "SIZE"
        )
        assert await stream_names(settings) == []
    async with account(limited, "tight") as (settings, link):
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        natster = Program(tmp_path).on(settings, "--create-log")
        large = natster.with_options("--log-setting", "max_bytes=1GiB")
        sentence = await large.fail(3, "project", "--once")
        assert sentence.startswith("the log NATSTER_EVENTS cannot be made (insufficient storage")
        assert "it would have 1 GiB" in sentence
        assert "--log-setting max_bytes=SIZE" in sentence
        unlimited = natster.with_options("--log-setting", "max_bytes=-1")
        sentence = await unlimited.fail(3, "project", "--once")
        assert sentence.endswith("give it a size with --log-setting max_bytes=SIZE")
        assert await stream_names(settings) == []
        sized = natster.with_options("--log-setting", "max_bytes=20MiB", "--sealing", "off")
        assert (await sized.run("project", "--once")).code == 0


async def test_a_size_above_the_limit_of_a_stream_is_reported(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "large") as (settings, _link):
        natster = Program(tmp_path).on(settings, "--bucket-bytes", "1GiB")
        sentence = await natster.fail(3, "project", "--once")
        assert "cannot have 1 GiB" in sentence
        assert "128 MiB is the most for a stream" in sentence
        assert await stream_names(settings) == [NATSTER.stream]


async def test_a_full_bucket_is_reported(limited: RealServer, tmp_path: Path) -> None:
    async with account(limited, "free") as (settings, link):
        natster = Program(tmp_path).on(settings)
        await natster.succeed("project", "--once")
        config = (await ask_jetstream(link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["config"]
        config.update(max_bytes=2_000, metadata={})
        del config["first_seq"]
        await ask_jetstream(link, "STREAM.UPDATE.KV_PROJ_ACCOUNT", config)
        log = await EventLog.open(link, NATSTER)
        await append(log, [initialized(f"AC{number:04}", "x" * 100) for number in range(30)])
        for command in (("project", "--once"), ("rebuild", "account", "--yes", "--json")):
            sentence = await natster.fail(3, *command)
            assert "PROJ_ACCOUNT takes no more (maximum bytes exceeded)" in sentence
            assert "raise max_bytes or max_msgs of the stream KV_PROJ_ACCOUNT" in sentence


@pytest.mark.parametrize("of_account", [False, True])
async def test_storage_that_is_used_up_is_told_by_whose_limit_it_is(
    tmp_path: Path, of_account: bool
) -> None:
    limit = "{ max_file: 1MB }" if of_account else "enabled"
    accounts = f"accounts {{ X {{ jetstream: {limit}, users: [{{ user: u, password: p }}] }} }}"
    server = RealServer(tmp_path / "nats", accounts, max_file_store="1PB" if of_account else "1MB")
    server.start()
    settings = ConnectionSettings(servers=(server.url,), user="u", password="p", origin="flags")
    link = await Link.open(settings)
    try:
        log = await EventLog.create(link, NATSTER, LogSettings(max_bytes=-1))
        remedy = "raise the storage limit of the account" if of_account else "raise max_file_store"
        with pytest.raises(ServerError, match=rf"NATSTER_EVENTS takes no more .*: .*{remedy}"):
            await append(log, [initialized(f"A{n:03}", "x" * 50_000) for n in range(30)])
        bucket = Bucket(link, ACCOUNTS.bucket, "test")
        await bucket.create(log.buckets)
        with pytest.raises(ServerError, match=rf"PROJ_ACCOUNT takes no more .*: .*{remedy}"):
            await bucket.commit({f"A{n}": b"x" * 50_000 for n in range(30)}, b"{}", 0)
        if of_account:
            sentence = await Program(tmp_path).on(settings).fail(3, "project", "--once")
            assert remedy in sentence
        else:
            await log.buckets.make(LEASES)
            with pytest.raises(ServerError, match=remedy):
                await Lease(link).put(HOLDER, 0)
    finally:
        await link.close()
        server.stop()


async def test_the_storage_of_the_account_may_be_the_nearest_limit(
    limited: RealServer, tmp_path: Path
) -> None:
    async with account(limited, "nearly", LogSettings(max_bytes=-1)) as (settings, link):
        natster = Program(tmp_path).on(settings)
        assert "max_storage" not in (await natster.succeed("status")).out
        log = await EventLog.open(link, NATSTER)
        await append(log, [initialized("AD", "x" * 900_000)])
        for command in (("status",), ("rebuild", "--dry-run")):
            assert (
                "the account is 86 % full (max_storage 1,048,576): "
                "raise max_storage of the account before it refuses events"
            ) in (await natster.succeed(*command)).out


@pytest.mark.parametrize("size", ["", "much", "-1", "1023KiB", "2000T", "1.5G"])
async def test_a_size_that_is_none_is_a_usage_error(tmp_path: Path, size: str) -> None:
    natster = Program(tmp_path).with_options("--bucket-bytes", size)
    assert "--bucket-bytes" in await natster.fail(2, "project", "--once")
