"""Taking over another program's buckets: refused while it runs; no entries are lost afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from natster_tui.engine.foreign import takeover
from natster_tui.engine.foreign.other_projector import read_other_projector
from natster_tui.engine.foreign.takeover import (
    delete_leftover,
    leftover_consumers,
    refuse_while_active,
)
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import RefusedError
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.answers.streams import StreamConfig
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.converting import changes_to, conversion_obstacle
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.reference_service import start_consumer
from tests.engine.running import consumers_of
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, append, event, initialized, shared
from tests.reading_buckets import put_value, stored_values

EVENTS = [initialized(A), initialized(B), shared(A, B), event("catalog_deleted", A, B, "kevbuzz")]
QUIET_S = 0.05


@pytest.fixture(autouse=True)
def quiet_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take over without watching the other program for long."""
    monkeypatch.setattr(takeover, "QUIET_S", 0.0)


@pytest.fixture
async def client(settings: ConnectionSettings) -> AsyncIterator[Client]:
    """The other program's connection."""
    made = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    yield made
    await made.close()


async def make_bucket(log: EventLog, bucket: str = "PROJ_CATALOG", **config: Any) -> None:
    made = {
        "name": f"KV_{bucket}", "subjects": [f"$KV.{bucket}.>"], "max_msgs_per_subject": 1,
        "storage": "file", "allow_direct": True, "allow_rollup_hdrs": True, "deny_delete": True,
        "num_replicas": 1,
    } | config  # fmt: skip
    await ask_jetstream(log.link, f"STREAM.CREATE.KV_{bucket}", made)


async def config_of(log: EventLog, bucket: str = "PROJ_CATALOG") -> dict[str, Any]:
    config: dict[str, Any] = (await ask_jetstream(log.link, f"STREAM.INFO.KV_{bucket}"))["config"]
    return config


async def take_over(log: EventLog) -> bool:
    work = Rebuild(log, WholeProjections((CATALOGS,)), "test")
    await work.prepare()
    (verdict,) = await work.commit(Consent(take_over=True))
    return verdict.good


# -- is it at work? ----------------------------------------------------------------------------


async def test_it_is_refused_at_once_while_a_pull_request_waits(
    log: EventLog, client: Client
) -> None:
    await append(log, EVENTS)
    await start_consumer(client, "PROJ_ACCOUNT")
    puller = await client.jetstream().pull_subscribe_bind("PROJ_ACCOUNT", log.stream)
    for message in await puller.fetch(len(EVENTS)):
        await message.ack_sync()
    inbox = await client.subscribe(client.new_inbox())
    await client.publish(
        f"$JS.API.CONSUMER.MSG.NEXT.{log.stream}.PROJ_ACCOUNT",
        json.dumps({"batch": 1, "expires": 60_000_000_000}).encode(),
        reply=inbox.subject,
    )
    await client.flush()
    lines: list[str] = []
    with pytest.raises(RefusedError, match="a program waits for events at the consumer PROJ_ACC"):
        await refuse_while_active(log, [ACCOUNTS], "me", lines.append, quiet_s=QUIET_S)
    assert lines == [], "there is nothing to watch for"
    assert "PROJ_ACCOUNT" in await consumers_of(log.link)
    # Nor is it left behind, whatever was taken over.
    assert await leftover_consumers(log, [ACCOUNTS, CATALOGS]) == ()


async def test_it_is_refused_when_a_document_is_written_while_it_is_watched(
    log: EventLog, client: Client, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await make_bucket(log)
    await start_consumer(client, "PROJ_CATALOG")
    writing: list[asyncio.Task[None]] = []

    def write(_line: str) -> None:
        writing.append(asyncio.create_task(put_value(settings, "PROJ_CATALOG", "kevbuzz", b"{}")))

    with pytest.raises(RefusedError, match="another program wrote to PROJ_CATALOG"):
        await refuse_while_active(log, [CATALOGS], "me", write, quiet_s=1.0)
    await asyncio.gather(*writing)
    assert writing


# -- what it leaves ----------------------------------------------------------------------------


async def test_a_consumer_that_is_left_is_named_and_deleted_only_when_asked(
    log: EventLog, client: Client, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await make_bucket(log)
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", b"{}")
    await start_consumer(client, "PROJ_CATALOG")
    await start_consumer(client, "PROJ_ACCOUNT")
    assert await take_over(log)
    assert {"PROJ_CATALOG", "PROJ_ACCOUNT"} <= await consumers_of(log.link)
    (consumer,) = await leftover_consumers(log, [CATALOGS])
    assert consumer.name == "PROJ_CATALOG"
    await delete_leftover(log, consumer)
    assert "PROJ_CATALOG" not in await consumers_of(log.link)
    assert "PROJ_ACCOUNT" in await consumers_of(log.link)
    await delete_leftover(log, consumer)  # gone already: no matter


async def test_a_consumer_that_moves_after_all_is_not_deleted(
    log: EventLog, client: Client
) -> None:
    await append(log, EVENTS)
    await start_consumer(client, "PROJ_CATALOG")
    (consumer,) = await leftover_consumers(log, [CATALOGS])
    puller = await client.jetstream().pull_subscribe_bind("PROJ_CATALOG", log.stream)
    await puller.fetch(1)
    with pytest.raises(RefusedError, match="PROJ_CATALOG on NATSTER_EVENTS is at work"):
        await delete_leftover(log, consumer)
    assert "PROJ_CATALOG" in await consumers_of(log.link)


async def test_lag_redeliveries_and_the_event_it_is_stuck_at_are_seen(
    log: EventLog, client: Client
) -> None:
    await append(log, [*EVENTS, shared(A, B, "more")])
    assert await read_other_projector(log, "PROJ_ACCOUNT") is None
    await start_consumer(client, "PROJ_ACCOUNT")
    puller = await client.jetstream().pull_subscribe_bind("PROJ_ACCOUNT", log.stream)
    for message in await puller.fetch(4):
        if message.subject.endswith("catalog_deleted"):
            await message.nak()
        else:
            await message.ack_sync()
    seen: set[int] = set()
    while seen != {4, 5}:
        seen |= {message.metadata.sequence.stream for message in await puller.fetch(1)}
    other = await read_other_projector(log, "PROJ_ACCOUNT")
    assert other is not None
    assert other.figures == "lag 2, 1 redelivered, stuck at event 4 (catalog_deleted)"


# -- the bucket --------------------------------------------------------------------------------


async def test_a_bucket_that_would_forget_is_converted_and_keeps_its_size_limit(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await make_bucket(
        log, max_age=3_600_000_000_000, duplicate_window=60_000_000_000, max_msgs_per_subject=5,
        discard="old", allow_msg_ttl=True, subject_delete_marker_ttl=3_600_000_000_000,
        max_bytes=1 << 20, max_msg_size=1_024, max_msgs=10_000, allow_atomic=True,
    )  # fmt: skip
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", b"{}")
    assert await take_over(log)
    config = await config_of(log)
    assert config.get("max_age", 0) == config.get("subject_delete_marker_ttl", 0) == 0
    assert config["max_msgs_per_subject"] == 1
    assert (config["discard"], config["max_bytes"]) == ("new", 1 << 20)
    assert config["max_msgs"] == config["max_msg_size"] == -1
    assert changes_to(StreamConfig.model_validate_json(json.dumps(config))) == {}


async def test_one_in_memory_is_refused_by_name_before_any_bucket_is_changed(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await make_bucket(log, storage="memory")
    await make_bucket(log, "PROJ_ACCOUNT")
    for bucket in ("PROJ_CATALOG", "PROJ_ACCOUNT"):
        await put_value(settings, bucket, "kevbuzz", b"{}")
    before = [await config_of(log, bucket) for bucket in ("PROJ_CATALOG", "PROJ_ACCOUNT")]
    work = Rebuild(log, WholeProjections((ACCOUNTS, CATALOGS)), "test")
    await work.prepare()
    with pytest.raises(RefusedError, match=r"its storage is memory.*delete the stream KV_PROJ_CAT"):
        await work.commit(Consent(take_over=True))
    assert [await config_of(log, b) for b in ("PROJ_CATALOG", "PROJ_ACCOUNT")] == before
    assert (await stored_values(settings, "PROJ_ACCOUNT")).keys() == {"kevbuzz"}


async def test_one_that_is_too_small_is_refused_with_both_figures(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [shared(A, f"R{number:03}") for number in range(500)])
    await make_bucket(log, max_bytes=4_096, discard="old")
    await put_value(settings, "PROJ_CATALOG", "other", b"{}")
    work = Rebuild(log, WholeProjections((CATALOGS,)), "test")
    await work.prepare()
    with pytest.raises(
        RefusedError, match=r"4,096 bytes \(max_bytes\), and needs about 1\d,\d\d\d"
    ):
        await work.commit(Consent(take_over=True))
    assert (await stored_values(settings, "PROJ_CATALOG")).keys() == {"other"}
    config = {name: value for name, value in (await config_of(log)).items() if name != "metadata"}
    await ask_jetstream(log.link, "STREAM.UPDATE.KV_PROJ_CATALOG", config | {"max_bytes": 20_000})
    (verdict,) = await work.commit(Consent(take_over=True))
    assert verdict.good


def test_sealed_streams_and_mirrors_are_refused() -> None:
    config = StreamConfig(name="KV_X", sealed=True)
    assert "the stream KV_X is sealed" in conversion_obstacle("X", config, 0)
    config = StreamConfig(name="KV_X", mirror={"name": "Y"})
    assert "the stream KV_X is a mirror" in conversion_obstacle("X", config, 0)
    config = StreamConfig(name="KV_X", subjects=("$KV.X.>",), max_bytes=10)
    assert conversion_obstacle("X", config, 10) == ""
