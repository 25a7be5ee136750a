"""Projecting: exactly once, and only from the log that the checkpoint came from."""

from __future__ import annotations

import asyncio
import json
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import nats
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.projecting import bucket_watch, catching_up, session
from natster_tui.engine.projecting import projector as projector_module
from natster_tui.engine.projecting import writer as projection_writer
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase, ProjectorStatus
from natster_tui.engine.projecting.stored_projection import bucket_of, load_projection
from natster_tui.engine.rebuilding import replay as replay_module
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import ServerError
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER
from natster_tui.events.times import format_timestamp
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.bucket import HEADER_ALLOWANCE, Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.program import busy
from tests.conftest import RECORDINGS, recording, until
from tests.engine.running import (
    assert_stored_is_the_fold,
    bucket_records,
    consumers_of,
    create_reference_stream,
    fresh_log,
    project_to_head,
    projecting,
    stream_state,
)
from tests.folding import fold_all
from tests.jetstream import ask_jetstream
from tests.making_logs import (
    A,
    B,
    C,
    append,
    bound,
    event,
    imported,
    initialized,
    records_in,
    records_of,
    shared,
    stored_events,
    unshared,
)
from tests.reading_buckets import put_value, stored_documents, stored_values
from tests.real_server import RealServer

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)

EVENTS = [
    initialized(A, "Ann"), bound(A), initialized(B), shared(A, B), imported(B, A),
    bound("none"), event("catalog_deleted", A, B, "kevbuzz"), shared(A, C), shared(B, C),
    unshared(A, B), shared(A, B),
]  # fmt: skip


async def wait_for(projector: Projector, phase: Phase, says: str = "") -> None:
    await until(lambda: projector.status.phase is phase and says in projector.status.problem)


# -- committing --------------------------------------------------------------------------------


@every_projection
async def test_the_checkpoint_is_the_contracts_to_the_letter(
    projection: Projection[Any], log: EventLog, settings: ConnectionSettings
) -> None:
    head = await append(log, EVENTS)
    await project_to_head(log, projection)
    last = await log.record_at(head)
    assert last is not None
    parked = {
        "account": '{"count":2,"recent":[{"seq":6,"reason":"token"},'
        '{"seq":7,"reason":"unknown type"}]}',
        "catalog": '{"count":1,"recent":[{"seq":7,"reason":"unknown type"}]}',
    }[projection.name]
    stored = (await stored_values(settings, projection.bucket))[CHECKPOINT_KEY]
    assert stored.decode() == (
        f'{{"seq":{head},"version":{projection.version},"log":{{"stream":"NATSTER_EVENTS",'
        f'"created":"{log.info.created}","time":"{format_timestamp(last.time_ns)}"}},'
        f'"tombstones":"","parked":{parked}}}'
    )
    await assert_stored_is_the_fold(log, settings, projection)


async def test_documents_and_checkpoint_go_in_one_atomic_batch_the_checkpoint_last(
    log: EventLog,
) -> None:
    # One event: of two, one may come in by itself, and be committed by itself.
    await append(log, [shared(A, B)])
    await project_to_head(log)
    records = await bucket_records(log.link, "PROJ_ACCOUNT")
    assert [record.subject.removeprefix("$KV.PROJ_ACCOUNT.") for record in records] == [
        A, B, CHECKPOINT_KEY,
    ]  # fmt: skip
    assert len({record.header("Nats-Batch-Id") for record in records}) == 1
    assert [record.header("Nats-Batch-Sequence") for record in records] == ["1", "2", "3"]
    assert [record.header("Nats-Batch-Commit") for record in records] == [None, None, "1"]
    assert records[-1].header("Nats-Expected-Last-Subject-Sequence") == "0"


async def test_the_bucket_is_made_as_the_contract_says(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    answer = await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT")
    config = answer["config"]
    assert {
        name: config.get(name)
        for name in ("max_msgs_per_subject", "storage", "discard", "max_bytes", "allow_atomic",
                     "allow_direct", "allow_rollup_hdrs", "num_replicas")
    } == {
        "max_msgs_per_subject": 1, "storage": "file", "discard": "new", "max_bytes": -1,
        "allow_atomic": True, "allow_direct": True, "allow_rollup_hdrs": True, "num_replicas": 1,
    }  # fmt: skip
    # The first revision is the time of creation, so that no revision ever comes twice.
    assert 1_700_000_000_000 < answer["state"]["first_seq"] < 10_000_000_000_000


async def test_a_change_set_too_large_for_one_batch_is_cut_by_log_prefix(
    log: EventLog, settings: ConnectionSettings
) -> None:
    # Each event changes the hub's document and one more: over a thousand in one reading.
    members = [f"M{number:04}" for number in range(1_200)]
    await append(log, [shared("HUB", member, "hub") for member in members])
    projector = await project_to_head(log)
    assert projector.status.commits >= 2
    await assert_stored_is_the_fold(log, settings)
    written = [
        (record.header("Nats-Batch-Id"), record.subject.removeprefix("$KV.PROJ_ACCOUNT."))
        for record in await bucket_records(log.link, "PROJ_ACCOUNT")
    ]
    batches = [[key for _, key in group] for _, group in groupby(written, key=lambda each: each[0])]
    assert all(len(batch) <= 1_000 for batch in batches)
    # Every batch is a stretch of the log: the members stand in the order of the events.
    assert [key for batch in batches for key in batch if key.startswith("M")] == members
    assert batches[-1][-1] == CHECKPOINT_KEY


async def test_it_follows_the_log_live(log: EventLog, settings: ConnectionSettings) -> None:
    async with projecting(log) as projector:
        await wait_for(projector, Phase.PROJECTING)
        for upto in range(1, len(EVENTS) + 1):
            head = await append(log, EVENTS[upto - 1 : upto])
            await until(lambda: projector.status.stored == head)  # noqa: B023 - used at once
        assert projector.status.position == len(EVENTS)
        assert projector.status.parked.count == 2
    await assert_stored_is_the_fold(log, settings)
    assert await consumers_of(log.link) == set()


# -- exactly once ------------------------------------------------------------------------------


@every_projection
@hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_stopped_at_any_moment_it_goes_on_without_losing_or_doubling(
    projection: Projection[Any], link: Link, settings: ConnectionSettings, data: st.DataObject
) -> None:
    log = await fresh_log(link)
    for _ in range(3):
        head = await append(log, [initialized(A), *data.draw(stored_events(8))])
        async with projecting(log, projection):
            # Cancelled after some turns of the loop, in the middle of whatever is under way.
            for _turn in range(data.draw(st.integers(0, 120))):
                await asyncio.sleep(0)
    await project_to_head(log, projection)
    await assert_stored_is_the_fold(log, settings, projection)
    checkpoint = json.loads((await stored_values(settings, projection.bucket))[CHECKPOINT_KEY])
    assert checkpoint["seq"] == head


@every_projection
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=stored_events(12), batch=st.integers(4, 8), handed_out=st.integers(1, 9))
async def test_however_the_log_is_cut_into_batches_the_documents_are_the_same(
    projection: Projection[Any],
    link: Link,
    settings: ConnectionSettings,
    events: list[Append],
    batch: int,
    handed_out: int,
) -> None:
    log = await fresh_log(link)
    await append(log, [initialized(A), *events])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection_writer, "BATCH_LIMIT", batch)
        patch.setattr(session, "FOLLOWING_MESSAGES", handed_out)
        await project_to_head(log, projection)
    await assert_stored_is_the_fold(log, settings, projection)
    sizes = Counter(
        record.header("Nats-Batch-Id") for record in await bucket_records(link, projection.bucket)
    )
    assert max(sizes.values()) <= batch


@every_projection
async def test_two_projectors_on_one_log_both_end_right(
    projection: Projection[Any],
    log: EventLog,
    settings: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projector_module, "RETRY_S", 0.05)
    other_link = await Link.open(settings)
    other_log = await EventLog.open(other_link, NATSTER)
    async with (
        projecting(log, projection, "one") as one,
        projecting(other_log, projection, "two") as two,
    ):
        while one.status.conflicts + two.status.conflicts < 3:
            # Toggled, so that an event applied twice or left out shows in what is stored.
            head = await append(log, [shared(A, B), bound("none"), unshared(A, B), shared(A, C)])
            await until(lambda: one.status.stored == two.status.stored == head)  # noqa: B023 - used at once
        head = await append(log, [*EVENTS, shared(A, B)])
        await until(lambda: one.status.stored == two.status.stored == head)
        assert one.fold.documents() == two.fold.documents()
    await other_link.close()
    await assert_stored_is_the_fold(log, settings, projection)


async def test_a_stale_writer_loses_its_whole_batch(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    async with projecting(log) as projector:
        await until(lambda: projector.status.stored == len(EVENTS))
        # Another client moves the checkpoint under it (to where it is, so nothing else changes).
        values = await stored_values(settings, "PROJ_ACCOUNT")
        await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, values[CHECKPOINT_KEY])
        head = await append(log, [unshared(A, C)])
        await until(lambda: projector.status.stored == head)
        assert projector.status.conflicts == 1
    await assert_stored_is_the_fold(log, settings)


async def test_paused_it_holds_nothing_and_writes_nothing_and_then_goes_on(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    async with projecting(log) as projector:
        await wait_for(projector, Phase.PROJECTING)
        async with projector.paused():
            assert await consumers_of(log.link) == set()
            before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
            head = await append(log, [shared(C, A)])
            await wait_for(projector, Phase.PAUSED)
            assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before
        await until(lambda: projector.status.stored == head)
    await assert_stored_is_the_fold(log, settings)


# -- not writing -------------------------------------------------------------------------------


@every_projection
async def test_read_only_makes_nothing_and_still_shows_the_fold(
    projection: Projection[Any], log: EventLog
) -> None:
    head = await append(log, EVENTS)
    async with projecting(log, projection, may_write=False) as projector:
        await until(lambda: projector.status.position == head)
        head = await append(log, [shared(B, A, "late")])
        await until(lambda: projector.status.position == head)
        await wait_for(projector, Phase.WATCHING, "read-only")
        expected = fold_all(projection, await records_in(log))
        assert projector.fold.documents() == expected.documents()
        assert projector.status.stored is None
    assert (await ask_jetstream(log.link, "STREAM.NAMES"))["streams"] == [NATSTER.stream]


async def test_read_only_leaves_our_own_bucket_as_it_is(
    log: EventLog, settings: ConnectionSettings
) -> None:
    stored = await append(log, EVENTS)
    await project_to_head(log)
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    head = await append(log, [shared(B, A, "late")])
    async with projecting(log, may_write=False) as projector:
        await until(lambda: projector.status.position == head)
        assert projector.fold.documents() == fold_all(ACCOUNTS, await records_in(log)).documents()
        assert projector.status.stored == stored
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before
    await assert_stored_is_the_fold(log, settings)


async def put_foreign_documents(settings: ConnectionSettings, recorded: str) -> None:
    """What the reference service stored, with a plain client."""
    path = next(RECORDINGS.glob(f"{recorded}*.reference.json"))
    for bucket, documents in json.loads(path.read_text())["documents"].items():
        for key, document in documents.items():
            await put_value(settings, bucket, key, json.dumps(document).encode())


@pytest.fixture(params=["made with nats-py", "made by the reference service"])
async def foreign(
    request: pytest.FixtureRequest, link: Link, settings: ConnectionSettings
) -> EventLog:
    """Recording 05 beside the projections that another program wrote from it."""
    if request.param == "made with nats-py":
        log = await EventLog.create(link, NATSTER, LogSettings())
        client = await nats.connect(
            list(settings.servers), user=settings.user, password=revealed(settings.password)
        )
        for projection in PROJECTIONS:
            await client.jetstream().create_key_value(bucket=projection.bucket)
        await client.close()
    else:
        for stream in (NATSTER.stream, "KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG"):
            await create_reference_stream(link, stream)
        log = await EventLog.open(link, NATSTER)
    await import_records(log, recording("05"), "test")
    await put_foreign_documents(settings, "05")
    return log


@every_projection
async def test_another_programs_documents_are_only_watched_and_their_drift_is_reported(
    projection: Projection[Any], foreign: EventLog
) -> None:
    before = await stream_state(foreign.link, f"KV_{projection.bucket}")
    async with projecting(foreign, projection) as projector:
        await until(lambda: projector.status.drift is not None)
        await wait_for(projector, Phase.WATCHING, "another program")
        drift = projector.status.drift
        assert drift is not None
        if projection is CATALOGS:
            # The hub and a share to oneself in catalogs: that is how the reference service is.
            assert (drift.explained, drift.unexplained.changes) == (2, ())
        expected = fold_all(projection, await records_in(foreign))
        assert projector.fold.documents() == expected.documents()
        # It goes on showing the log, and goes on writing nothing.
        head = await append(foreign, [shared(A, B)])
        await until(lambda: projector.status.position == head)
    assert await stream_state(foreign.link, f"KV_{projection.bucket}") == before


async def test_drift_is_looked_for_once_every_event_in_the_log_is_folded(
    foreign: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_watch, "POLL_S", 0.0)
    # What was known of the head is from before the events came in.
    assert foreign.info.last_seq == 0
    bucket, status = bucket_of(foreign, CATALOGS, "test"), ProjectorStatus()
    watch = bucket_watch.BucketWatch(bucket, CATALOGS, status)
    watch.begin(await load_projection(bucket, CATALOGS), unusable=False)
    records = await records_in(foreign)
    watch.follow(records)
    await watch.poll(foreign, fold_all(CATALOGS, records[:-1]))
    assert status.drift is None
    await watch.poll(foreign, fold_all(CATALOGS, records))
    assert status.drift is not None
    assert status.drift.explained == 2


async def test_documents_that_say_the_same_in_another_spelling_are_no_drift(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [shared(A, B)])
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    store = await client.jetstream().create_key_value(bucket="PROJ_CATALOG")
    await store.put(
        "kevbuzz", b'{ "catalog_name": "kevbuzz", "owner": "AA", "shared_with": ["BB"]}'
    )
    await client.close()
    async with projecting(log, CATALOGS) as projector:
        await until(lambda: projector.status.drift is not None)
        assert not projector.status.drift


async def test_an_empty_bucket_that_cannot_take_atomic_batches_is_not_ours_either(
    link: Link, log: EventLog
) -> None:
    await append(log, EVENTS)
    await create_reference_stream(link, "KV_PROJ_ACCOUNT")
    async with projecting(log) as projector:
        await wait_for(projector, Phase.WATCHING, "another program")
        await until(lambda: projector.status.position == len(EVENTS))
    assert (await ask_jetstream(link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["state"]["messages"] == 0


async def test_what_others_write_into_our_bucket_is_noticed_at_the_next_start(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    projector = await project_to_head(log)
    assert not projector.status.touched_by_others
    await put_value(settings, "PROJ_ACCOUNT", A, b"{}")
    async with projecting(log, may_write=False) as projector:
        await until(lambda: projector.status.phase is Phase.WATCHING)
        assert projector.status.touched_by_others


@pytest.mark.parametrize("may_write", [True, False])
async def test_found_drift_is_over_once_the_right_document_is_stored_again(
    log: EventLog, settings: ConnectionSettings, may_write: bool
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    right = (await stored_values(settings, "PROJ_ACCOUNT"))[A]
    wrong = right.replace(b"Ann", b"Mallory")
    await put_value(settings, "PROJ_ACCOUNT", A, wrong)
    async with projecting(log, may_write=may_write) as projector:
        await until(lambda: projector.status.position == len(EVENTS))
        # It began from the wrong document.
        assert projector.fold.states[A].account_name == "Mallory"
        [verdict] = await Rebuild(log, WholeProjections((ACCOUNTS,)), "test").verify()
        projector.accept(verdict)
        assert projector.status.has_found_drift
        await put_value(settings, "PROJ_ACCOUNT", A, right)
        began = time.monotonic()
        await until(lambda: not projector.status.has_found_drift)
        assert time.monotonic() - began < 2 * busy()
        await until(lambda: projector.fold.states[A].account_name == "Ann")
        # What is wrong elsewhere is for the next verify to find.
        assert projector.status.touched_by_others


# -- versions and interrupted rebuilds ---------------------------------------------------------


async def change_checkpoint(
    settings: ConnectionSettings, bucket: str = "PROJ_ACCOUNT", **changes: Any
) -> None:
    checkpoint = json.loads((await stored_values(settings, bucket))[CHECKPOINT_KEY])
    checkpoint.update(changes)
    await put_value(settings, bucket, CHECKPOINT_KEY, json.dumps(checkpoint).encode())


async def test_another_version_is_watched_until_it_is_rebuilt_on_request(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await change_checkpoint(settings, version=7)
    await put_value(settings, "PROJ_ACCOUNT", A, b'{"of":"another version"}')
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    async with projecting(log) as projector:
        await wait_for(projector, Phase.WATCHING, "version 7")
        assert "rebuild account" in projector.status.problem
        await until(lambda: projector.status.position == len(EVENTS))
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before
    await project_to_head(log, auto_rebuild=True)
    await assert_stored_is_the_fold(log, settings)
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
    assert checkpoint["version"] == ACCOUNTS.version


async def test_an_interrupted_rebuild_is_finished_at_the_start(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    # As a purge leaves it when it is interrupted: a mark, and some of the documents.
    await change_checkpoint(settings, rebuild={"to": 5, "id": "cafe"})
    await put_value(settings, "PROJ_ACCOUNT", A, None)
    await put_value(settings, "PROJ_ACCOUNT", "SURPLUS", b"{}")
    await project_to_head(log)
    await assert_stored_is_the_fold(log, settings)


async def test_an_interrupted_rebuild_is_left_alone_by_who_may_not_write(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await change_checkpoint(settings, rebuild={"to": 5, "id": "cafe"})
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    async with projecting(log, may_write=False) as projector:
        await wait_for(projector, Phase.WATCHING, "interrupted")
        await until(lambda: projector.status.position == len(EVENTS))
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before


@pytest.mark.parametrize("changes", [{"version": 7}, {"rebuild": {"to": 11, "id": "cafe"}}])
async def test_nothing_is_rebuilt_by_itself_from_another_log(
    link: Link, settings: ConnectionSettings, changes: dict[str, Any]
) -> None:
    """Never silently start over: what is stored may be all that is left of the old log."""
    log = await fresh_log(link)
    await append(log, EVENTS)
    await project_to_head(log)
    await change_checkpoint(settings, **changes)
    await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
    log = await EventLog.create(link, NATSTER, LogSettings())
    await append(log, [initialized(C)])
    before = await stream_state(link, "KV_PROJ_ACCOUNT")
    async with projecting(log, auto_rebuild=True) as projector:
        await wait_for(projector, Phase.STOPPED, "rebuild")
    assert await stream_state(link, "KV_PROJ_ACCOUNT") == before


async def test_an_unreadable_checkpoint_is_watched_and_named(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, b"{not json")
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    async with projecting(log) as projector:
        await wait_for(projector, Phase.WATCHING, "unreadable")
        await until(lambda: projector.status.position == len(EVENTS))
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before


async def test_a_document_that_is_none_stops_the_writing_and_is_named(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await put_value(settings, "PROJ_ACCOUNT", A, b"\x00garbage")
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    async with projecting(log) as projector:
        await until(lambda: f"entry {A}" in projector.status.problem)
        assert "rebuild account" in projector.status.problem
        await append(log, [shared(A, B, "more")])
        await until(lambda: projector.status.position == len(EVENTS) + 1)
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before


# -- the wrong log -----------------------------------------------------------------------------


async def test_a_log_deleted_and_made_again_stops_the_projector_at_the_start(
    log: EventLog,
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
    await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
    again = await EventLog.create(log.link, NATSTER, LogSettings())
    await append(again, [*EVENTS, *EVENTS])
    async with projecting(again) as projector:
        await wait_for(projector, Phase.STOPPED, "deleted and made again")
    assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before


@pytest.mark.usefixtures("frequent_looks")
async def test_a_log_deleted_and_made_again_while_it_projects_stops_it(log: EventLog) -> None:
    await append(log, EVENTS)
    async with projecting(log) as projector:
        await until(lambda: projector.status.stored == len(EVENTS))
        before = await stream_state(log.link, "KV_PROJ_ACCOUNT")
        await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
        again = await EventLog.create(log.link, NATSTER, LogSettings())
        await append(again, [*EVENTS, *EVENTS])
        await wait_for(projector, Phase.STOPPED, "made again")
        assert await stream_state(log.link, "KV_PROJ_ACCOUNT") == before


async def test_a_log_shorter_than_the_checkpoint_stops_the_projector(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await change_checkpoint(settings, seq=40)
    async with projecting(log) as projector:
        await wait_for(projector, Phase.STOPPED, "ends at 11 but the projection has seen 40")


async def test_another_event_at_the_checkpoints_place_stops_the_projector(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    place = {"stream": NATSTER.stream, "created": log.info.created, "time": "2021-03-04T05:06:07Z"}
    await change_checkpoint(settings, log=place)
    async with projecting(log) as projector:
        await wait_for(projector, Phase.STOPPED, "another log of the same name")


@pytest.fixture
async def loose_log(link: Link) -> EventLog:
    """A log from which events may be removed."""
    return await EventLog.create(link, NATSTER, LogSettings(deny_delete=False, deny_purge=False))


async def test_events_lost_before_they_were_seen_stop_the_projector(
    loose_log: EventLog, settings: ConnectionSettings
) -> None:
    await append(loose_log, EVENTS[:4])
    await project_to_head(loose_log)
    await append(loose_log, EVENTS[4:])
    await ask_jetstream(loose_log.link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 8})
    before = await stream_state(loose_log.link, "KV_PROJ_ACCOUNT")
    async with projecting(loose_log) as projector:
        await wait_for(projector, Phase.STOPPED, "3 events were lost before")
    assert await stream_state(loose_log.link, "KV_PROJ_ACCOUNT") == before


async def test_events_lost_while_it_was_paused_stop_the_projector(loose_log: EventLog) -> None:
    await append(loose_log, EVENTS[:4])
    async with projecting(loose_log) as projector:
        await wait_for(projector, Phase.PROJECTING)
        async with projector.paused():
            await append(loose_log, EVENTS[4:])
            await ask_jetstream(loose_log.link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 8})
        await wait_for(projector, Phase.STOPPED, "3 events were lost before")


async def test_a_log_whose_beginning_is_gone_is_not_projected_as_if_it_were_whole(
    loose_log: EventLog,
) -> None:
    await append(loose_log, EVENTS)
    await ask_jetstream(loose_log.link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 4})
    async with projecting(loose_log) as projector:
        await wait_for(projector, Phase.STOPPED, "3 events were lost before")


async def test_a_hole_is_passed(loose_log: EventLog, settings: ConnectionSettings) -> None:
    await append(loose_log, EVENTS[:4])
    async with projecting(loose_log) as projector:
        await until(lambda: projector.status.stored == 4)
        async with projector.paused():
            await append(loose_log, EVENTS[4:])
            for seq in (2, 4, 6, 7, 9):  # before the checkpoint, at it, and after it
                await ask_jetstream(
                    loose_log.link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq}
                )
        await until(lambda: projector.status.stored == len(EVENTS))
    # What was projected before it was deleted stays projected.
    assert (await stored_documents(settings, "PROJ_ACCOUNT"))[A]["bound_context"]


@pytest.mark.usefixtures("frequent_looks")
async def test_a_rebuild_elsewhere_lets_a_stopped_projector_go_on(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    good = (await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY]
    await change_checkpoint(settings, seq=40)
    async with projecting(log) as projector:
        await wait_for(projector, Phase.STOPPED, "has seen 40")
        await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, good)
        await wait_for(projector, Phase.PROJECTING)
        head = await append(log, [shared(C, A)])
        await until(lambda: projector.status.stored == head)
    await assert_stored_is_the_fold(log, settings)


# -- documents too large for the server --------------------------------------------------------


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[RealServer]:
    real = RealServer(tmp_path / "nats", max_payload="4KB")
    real.start()
    yield real
    real.stop()


@every_projection
async def test_it_stops_before_the_event_that_makes_a_document_too_large(
    projection: Projection[Any], narrow: RealServer
) -> None:
    settings = narrow.new_account()
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    limit = link.info.max_payload - HEADER_ALLOWANCE
    key = {"account": "HUB", "catalog": "hub"}[projection.name]
    members = [encode_account_key(bytes([number]) * 32) for number in range(100)]
    events = [initialized("HUB"), *(shared("HUB", member, "hub") for member in members)]
    records = records_of(*events)
    sizes = [len(fold_all(projection, records[:upto]).document(key) or b"") for upto in range(101)]
    good = next(upto for upto, size in enumerate(sizes) if size > limit) - 1
    await append(log, events)
    sentence = (
        f"stopped before event {good + 1}: the {projection.key_noun} document {key} would be "
        f"{sizes[good + 1]:,} bytes and the server takes {limit:,}"
    )
    async with projecting(log, projection) as projector:
        await wait_for(projector, Phase.STOPPED, sentence)
        assert "max_payload" in projector.status.problem
        assert projector.status.stored == good
    await assert_stored_is_the_fold(log, settings, projection)
    # Begun again it stops at the same place, and nothing is truncated.
    async with projecting(log, projection) as projector:
        await wait_for(projector, Phase.STOPPED, sentence)
    await assert_stored_is_the_fold(log, settings, projection)
    await link.close()
    # The remedy that it names works.
    narrow.stop()
    narrow.max_payload = "8MB"
    narrow.start()
    link = await Link.open(settings)
    log = await EventLog.open(link, NATSTER)
    await project_to_head(log, projection)
    await assert_stored_is_the_fold(log, settings, projection)
    await link.close()


async def test_documents_and_events_larger_than_a_pull_are_projected_and_loaded(
    log: EventLog, settings: ConnectionSettings
) -> None:
    huge = json.dumps({"account_name": "x" * 5_000_000}).encode()
    await append(log, [event("natster_initialized", A, payload=huge), initialized(B)])
    await project_to_head(log)
    head = await append(log, [shared(A, B)])
    await project_to_head(log)
    await assert_stored_is_the_fold(log, settings)
    assert head == 3


# -- permissions -------------------------------------------------------------------------------

RESTRICTED = """
accounts {
  community {
    jetstream: enabled
    users: [
      {user: admin, password: pw}
      {user: observer, password: pw, permissions: {
        publish: {deny: ["$KV.>", "$JS.API.STREAM.CREATE.>"]}
      }}
      {user: blind, password: pw, permissions: {
        publish: {deny: ["$JS.API.CONSUMER.CREATE.KV_PROJ_ACCOUNT.>"]}
      }}
    ]
  }
}
"""


@pytest.fixture
def restricted(tmp_path: Path) -> Iterator[RealServer]:
    real = RealServer(tmp_path / "nats", extra=RESTRICTED)
    real.start()
    yield real
    real.stop()


async def test_who_may_not_write_watches_and_is_told_why(restricted: RealServer) -> None:
    def user(name: str) -> ConnectionSettings:
        return ConnectionSettings(servers=(restricted.url,), user=name, password="pw")

    admin, observer, blind = [
        await Link.open(user(name)) for name in ("admin", "observer", "blind")
    ]
    log = await EventLog.create(admin, NATSTER, LogSettings())
    await append(log, EVENTS)
    # There is no bucket yet, and the observer may not make one.
    async with projecting(await EventLog.open(observer, NATSTER)) as projector:
        await wait_for(projector, Phase.WATCHING, "does not permit observer")
        await until(lambda: projector.status.position == len(EVENTS))
    await project_to_head(log)
    head = await append(log, [shared(B, A)])
    # There is one, and the observer may not write to it.
    async with projecting(await EventLog.open(observer, NATSTER)) as projector:
        await wait_for(projector, Phase.WATCHING, "does not permit observer")
        await until(lambda: projector.status.position == head)
        assert projector.status.stored == len(EVENTS)
    # Who may not even look cannot show anything: it stops, says why, and does not spin.
    async with projecting(await EventLog.open(blind, NATSTER)) as projector:
        await wait_for(projector, Phase.STOPPED, "does not permit blind")
        looks = projector.version
        await ask_jetstream(admin, "INFO")
        assert projector.version - looks < 5
    for link in (admin, observer, blind):
        await link.close()


async def test_what_is_folded_is_noted_as_changed_before_it_is_committed(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*_arguments: Any, **_options: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with projecting(log) as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        mark = projector.changes.mark
        monkeypatch.setattr(projection_writer.ProjectionWriter, "_commit", never)
        await append(log, [initialized(A)])
        await reached.wait()
        # As when the link is lost here: the screen needs to know which states differ.
        assert A in projector.fold.states
        assert list(projector.changes.since(mark) or ()) == [A]


async def test_catching_up_that_had_to_wait_goes_on_where_it_was(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "FAR_BEHIND", 5)
    head = await append(log, [initialized(A), *[shared(A, f"M{each}") for each in range(40)]])
    begun: list[Rebuild] = []
    prepare, reached = Rebuild.prepare, asyncio.Event()

    async def prepared(rebuild: Rebuild) -> Any:
        begun.append(rebuild)
        if len(begun) == 1:
            assert rebuild._whole is not None
            await rebuild._whole._replay.advance(30)
            reached.set()
            await asyncio.Event().wait()
        return await prepare(rebuild)

    monkeypatch.setattr(Rebuild, "prepare", prepared)
    async with projecting(log) as projector:
        await reached.wait()
        async with projector.paused():
            pass
        await until(lambda: projector.status.stored == head)
    assert begun[0] is begun[1]
    assert begun[0].progress.events == head, "no event was read twice"
    await assert_stored_is_the_fold(log, settings)


async def test_nothing_of_a_rebuild_is_kept_once_it_is_over(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is loaded is taken from the collector's sight: a cycle would stay for good."""
    monkeypatch.setattr(catching_up, "FAR_BEHIND", 5)
    monkeypatch.setattr(replay_module, "FREEZE_AT_END", 1)
    head = await append(log, [initialized(A), *[shared(A, f"M{each}") for each in range(40)]])
    kept: list[weakref.ref[Rebuild]] = []
    prepare = Rebuild.prepare

    async def prepared(rebuild: Rebuild) -> Any:
        kept.append(weakref.ref(rebuild))
        return await prepare(rebuild)

    monkeypatch.setattr(Rebuild, "prepare", prepared)
    async with projecting(log) as projector:
        await until(lambda: projector.status.stored == head)
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        assert [each() for each in kept] == [None]


@pytest.mark.usefixtures("frequent_looks")
async def test_a_watching_projector_says_what_is_so_and_not_what_was(
    foreign: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with projecting(foreign) as projector:
        await until(lambda: "another program" in projector.status.problem)
        read = Bucket.read

        async def unanswered(_bucket: Bucket, _key: str) -> None:
            raise ServerError("the server did not answer")

        monkeypatch.setattr(Bucket, "read", unanswered)
        await until(lambda: projector.status.problem == "the server did not answer")
        monkeypatch.setattr(Bucket, "read", read)
        await until(lambda: "another program" in projector.status.problem)


@pytest.mark.usefixtures("frequent_looks")
async def test_a_watching_projector_sees_that_the_bucket_is_gone(log: EventLog) -> None:
    head = await append(log, EVENTS)
    await project_to_head(log)
    async with projecting(log, may_write=False) as projector:
        await until(lambda: projector.status.stored == head)
        await ask_jetstream(log.link, "STREAM.DELETE.KV_PROJ_ACCOUNT")
        await until(lambda: projector.status.stored is None)
