"""Rebuild, dry run and verify on a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest

from natster_tui.engine.foreign import takeover
from natster_tui.engine.foreign.takeover import refuse_while_active
from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    bucket_of,
    load_projections,
)
from natster_tui.engine.rebuilding import expected_whole
from natster_tui.engine.rebuilding import rebuild as rebuild_module
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.preflight import read_preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.errors import LogChangedError, ProjectorStoppedError, RefusedError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.checkpoint import decode_checkpoint
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.reading import stream_reader
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import RECORDINGS, recording, until
from tests.engine.running import (
    assert_stored_is_the_fold,
    bucket_records,
    consumers_of,
    create_reference_stream,
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
    shared,
    unshared,
)
from tests.projections import activity
from tests.reading_buckets import put_value, stored_documents, stored_values
from tests.real_server import RealServer

EVENTS = [
    initialized(A, "Ann"), bound(A), initialized(B), shared(A, B), imported(B, A), bound("none"),
    shared(A, C), shared(B, C), unshared(A, B), shared(A, B, "movies"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def quiet_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take over without watching the other program for long."""
    monkeypatch.setattr(takeover, "QUIET_S", 0.0)


def rebuild(log: EventLog, *projections: Projection[Any], **options: Any) -> Rebuild:
    return Rebuild(log, WholeProjections(projections or (ACCOUNTS,)), "rebuilder", **options)


async def rebuilt(
    log: EventLog, *projections: Projection[Any], **options: Any
) -> tuple[list[PlannedRebuild], list[Verdict]]:
    work = rebuild(log, *projections)
    return await work.prepare(), await work.commit(Consent(**options))


async def buckets_state(link: Link) -> dict[str, Any]:
    """Everything that would show that a bucket was touched, or made."""
    names = (await ask_jetstream(link, "STREAM.NAMES"))["streams"]
    return {name: await stream_state(link, name) for name in names if name.startswith("KV_")}


async def verified(log: EventLog, *projections: Projection[Any]) -> list[str]:
    return [verdict.sentence for verdict in await rebuild(log, *projections).verify()]


async def tamper(settings: ConnectionSettings, bucket: str = "PROJ_ACCOUNT") -> None:
    """One document changed, one gone, one too many."""
    documents = await stored_values(settings, bucket)
    changed = documents[A].replace(b'"Ann"', b'"Eve"')
    assert changed != documents[A]
    await put_value(settings, bucket, A, changed)
    await put_value(settings, bucket, B, None)
    await put_value(settings, bucket, "ZZ", b'{"out_shares":[],"in_shares":[],"initialized_at":1}')


# -- dry run and verify ------------------------------------------------------------------------


async def test_a_dry_run_writes_nothing_and_makes_nothing(log: EventLog) -> None:
    await append(log, EVENTS)
    before = await stream_state(log.link, NATSTER.stream)
    plans = await rebuild(log, *PROJECTIONS).prepare()
    assert [plan.diff.count("added") for plan in plans] == [3, 2]
    assert [plan.seq for plan in plans] == [len(EVENTS)] * 2
    assert (await ask_jetstream(log.link, "STREAM.NAMES"))["streams"] == [NATSTER.stream]
    assert await stream_state(log.link, NATSTER.stream) == before
    assert await consumers_of(log.link) == set()


async def test_a_dry_run_over_a_stored_projection_leaves_its_revisions_alone(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await tamper(settings)
    before = await buckets_state(log.link)
    await rebuild(log).prepare()
    await rebuild(log).verify()
    assert await buckets_state(log.link) == before


async def test_a_projector_ahead_of_the_other_makes_no_difference_in_a_dry_run(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await project_to_head(log, CATALOGS)

    async def load_later(*args: Any) -> Any:
        """An event comes after the log was read, and one projector is faster than the other."""
        await append(log, [shared(C, A, "late")])
        await project_to_head(log)
        return await load_projections(*args)

    monkeypatch.setattr(expected_whole, "load_projections", load_later)
    plans = await rebuild(log, *PROJECTIONS).prepare()
    assert [plan.seq for plan in plans] == [len(EVENTS) + 1, len(EVENTS)]
    assert [plan.diff.summary for plan in plans] == ["no differences"] * 2


async def test_the_diff_says_what_was_added_changed_and_removed_field_by_field(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    assert not (await rebuild(log).prepare())[0].diff
    await tamper(settings)
    (plan,) = await rebuild(log).prepare()
    assert [(change.key, change.kind) for change in plan.diff.changes] == [
        (A, "changed"), (B, "added"), ("ZZ", "removed"),
    ]  # fmt: skip
    assert plan.diff.summary == "1 added, 1 changed, 1 removed"
    (field,) = plan.diff.changes[0].fields()
    assert (field.path, field.before, field.after) == ("account_name", "Eve", "Ann")


async def test_verify_says_in_one_line_that_all_is_well_or_which_keys_are_not(
    log: EventLog, settings: ConnectionSettings
) -> None:
    assert await verified(log) == ["account: nothing has to be stored yet: the log is empty"]
    await append(log, EVENTS)
    assert await verified(log) == ["account: nothing is stored yet; project or rebuild it"]
    await project_to_head(log)
    await project_to_head(log, CATALOGS)
    assert await verified(log, *PROJECTIONS) == [
        f"account: 3 keys match the log at {len(EVENTS)}",
        f"catalog: 2 keys match the log at {len(EVENTS)}",
    ]
    await tamper(settings)
    (verdict,) = await rebuild(log).verify()
    assert not verdict.good
    assert [change.key for change in verdict.diff.changes] == [A, B, "ZZ"]
    assert verdict.sentence == f"account: drift at {len(EVENTS)}: 3 of 4 keys differ from the log"


async def test_verify_compares_at_the_stored_position_and_not_at_the_head(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await append(log, [shared(C, A), bound(B)])
    assert await verified(log) == [f"account: 3 keys match the log at {len(EVENTS)}"]


async def test_verify_of_a_log_that_ends_before_the_checkpoint_says_so(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
    checkpoint["seq"] = 40
    await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, json.dumps(checkpoint).encode())
    with pytest.raises(LogChangedError, match="ends at 10, and 40"):
        await rebuild(log).verify()


# -- putting right -----------------------------------------------------------------------------


@pytest.mark.parametrize("purge", [False, True])
async def test_a_rebuild_puts_right_what_was_tampered_with(
    purge: bool, log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    await tamper(settings)
    before = await stream_state(log.link, NATSTER.stream)
    plans, verdicts = await rebuilt(log, purge=purge)
    assert plans[0].diff
    assert [verdict.sentence for verdict in verdicts] == [
        f"account: 3 keys match the log at {len(EVENTS)}"
    ]
    assert verdicts[0].good
    await assert_stored_is_the_fold(log, settings)
    assert await stream_state(log.link, NATSTER.stream) == before
    assert await consumers_of(log.link) == set()


async def test_purging_and_comparing_leave_the_same_documents(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await rebuilt(log, *PROJECTIONS)
    compared = {p.name: await stored_values(settings, p.bucket) for p in PROJECTIONS}
    await rebuilt(log, *PROJECTIONS, purge=True)
    purged = {p.name: await stored_values(settings, p.bucket) for p in PROJECTIONS}
    assert purged == compared
    # And nothing is left of what was removed, not even marks of removal.
    assert len(await bucket_records(log.link, "PROJ_ACCOUNT")) == len(purged["account"])


async def test_a_rebuild_writes_only_what_differs(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    before = {r.subject: r.seq for r in await bucket_records(log.link, "PROJ_ACCOUNT")}
    await put_value(settings, "PROJ_ACCOUNT", A, b"{}")
    await rebuilt(log)
    after = {r.subject: r.seq for r in await bucket_records(log.link, "PROJ_ACCOUNT")}
    changed = {subject.rsplit(".", 1)[1] for subject in after if after[subject] != before[subject]}
    assert changed == {A, CHECKPOINT_KEY}


async def test_garbage_in_the_bucket_is_put_right(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    for key, value in ((A, b"\xff\x00"), (B, b""), ("ZZ", b"[]"), (CHECKPOINT_KEY, b"{")):
        await put_value(settings, "PROJ_ACCOUNT", key, value)
    plans, (verdict,) = await rebuilt(log)
    assert plans[0].stored.bucket_state is BucketState.UNREADABLE
    assert verdict.good
    await assert_stored_is_the_fold(log, settings)


async def test_a_rebuild_ends_at_the_checkpoint_or_later_and_the_projector_goes_on_from_there(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    head = await append(log, [shared(C, A)])
    await rebuilt(log)
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
    assert checkpoint["seq"] == head
    await append(log, [shared(C, B)])
    await project_to_head(log)
    await assert_stored_is_the_fold(log, settings)


async def test_one_read_serves_all_projections_and_progress_is_told(log: EventLog) -> None:
    await append(log, EVENTS)
    reported: list[tuple[int, int, float]] = []

    def note(progress: ReplayProgress) -> None:
        reported.append((progress.seq, progress.events, progress.fraction))

    work = rebuild(log, *PROJECTIONS, on_progress=note)
    await work.prepare()
    assert reported[-1] == (len(EVENTS), len(EVENTS), 1.0)
    assert work.progress.events == len(EVENTS)
    assert work.progress.by_type["catalog_shared"] == 4


# -- many documents ----------------------------------------------------------------------------


def members(count: int) -> list[str]:
    return [f"M{number:04}" for number in range(count)]


@pytest.mark.parametrize("purge", [False, True])
async def test_more_than_a_thousand_changes_go_in_several_batches(
    purge: bool, log: EventLog
) -> None:
    await append(log, [initialized(member) for member in members(2_500)])
    _, (verdict,) = await rebuilt(log, purge=purge)
    assert verdict.sentence == "account: 2,500 keys match the log at 2,500"
    records = await bucket_records(log.link, "PROJ_ACCOUNT")
    assert len(records) == 2_501
    batches = {record.header("Nats-Batch-Id") for record in records}
    assert len(batches) == 3
    assert b'"rebuild"' not in records[-1].payload
    assert await verified(log) == ["account: 2,500 keys match the log at 2,500"]


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("batches", [1, 2])
async def test_interrupted_between_batches_it_is_found_and_finished_at_the_next_start(
    batches: int, replaced: bool, purge: bool, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "BATCH_LIMIT", 50)
    await append(log, [initialized(member) for member in members(120)])
    if replaced:
        # The projection is of another log, and a person decided for this one.
        await append(log, [initialized("OLD")])
        await project_to_head(log)
        await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
        log = await EventLog.create(log.link, NATSTER, LogSettings())
        await append(log, [initialized("NEW"), *(bound(member) for member in members(120))])
    commit, done = Bucket.commit, 0

    async def killed_on_the_way(*arguments: Any) -> int:
        nonlocal done
        if done == batches:
            raise asyncio.CancelledError
        done += 1
        return await commit(*arguments)

    work = rebuild(log)
    await work.prepare()
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "commit", killed_on_the_way)
        with pytest.raises(asyncio.CancelledError):
            await work.commit(Consent(purge=purge))
    (verdict,) = await rebuild(log).verify()
    assert verdict.bucket_state is BucketState.INTERRUPTED
    assert not verdict.good
    await project_to_head(log)
    head = log.info.last_seq
    assert await verified(log) == [f"account: {head:,} keys match the log at {head:,}"]


# -- beside a projector ------------------------------------------------------------------------


@pytest.fixture
async def elsewhere(settings: ConnectionSettings, log: EventLog) -> AsyncIterator[EventLog]:
    """The same log over another connection, as another process has it."""
    link = await Link.open(settings)
    yield await EventLog.open(link, log.system)
    await link.close()


@asynccontextmanager
async def projecting_with_lease(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Projector]:
    """A projector as another process has it: with a lease, so that it pauses for a rebuild."""
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.05)
    lease = LeaseKeeper(ACCOUNTS, "test")
    keeping = asyncio.create_task(lease.run(log))
    try:
        async with projecting(log, lease=lease) as projector:
            await until(lambda: projector.status.stored)
            yield projector
        if keeping.done():
            keeping.result()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def until_it_stores_more(projector: Projector) -> None:
    before = projector.status.commits
    await until(lambda: projector.status.commits > before)


@asynccontextmanager
async def appending(log: EventLog, events: list[Append]) -> AsyncIterator[None]:
    """These events are appended again and again. At the end all that were sent are stored."""
    stopping = False

    async def write() -> None:
        while not stopping:
            await append(log, events)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        stopping = True  # not cancelled: an event on its way could arrive after the head was read
        await writing


@pytest.mark.parametrize("purge", [pytest.param(False, marks=pytest.mark.full), True])
async def test_a_rebuild_beside_another_projector_and_arriving_events_ends_verified(
    purge: bool,
    log: EventLog,
    elsewhere: EventLog,
    settings: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await append(log, EVENTS)
    positions: list[int] = []

    arriving = [shared(A, B), bound("none"), unshared(A, B), shared(C, A)]

    async def watch() -> None:
        while True:
            entry = await bucket_of(elsewhere, ACCOUNTS, "w").read(CHECKPOINT_KEY)
            if entry is not None:
                positions.append(json.loads(entry.value)["seq"])

    async with projecting_with_lease(elsewhere, monkeypatch) as projector:
        watching = asyncio.create_task(watch())
        try:
            async with appending(elsewhere, arriving):
                for _ in range(3):
                    await until_it_stores_more(projector)
                    _, (verdict,) = await rebuilt(log, purge=purge)
                    assert verdict.good, verdict.sentence
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        head = (await log.refresh()).last_seq
        await until(lambda: projector.status.stored == head)
    # Never ahead of the documents, and never back either.
    assert positions == sorted(positions)
    await assert_stored_is_the_fold(log, settings)


async def test_a_commit_long_after_the_replay_folds_on_to_where_the_projector_is(
    log: EventLog, elsewhere: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    work = rebuild(log)
    await work.prepare()
    head = await append(elsewhere, [shared(C, A), shared(C, B)])
    await project_to_head(elsewhere)
    await tamper(settings)
    (verdict,) = await work.commit()
    assert verdict.good
    assert verdict.seq == head
    await assert_stored_is_the_fold(log, settings)


async def test_the_projector_in_the_same_process_is_paused_only_while_its_bucket_is_rewritten(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    async with projecting(log) as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING)

        def pause(_projection: Projection[Any]) -> Any:
            return projector.paused()

        work = rebuild(log, pause=pause)
        await work.prepare()
        head = await append(log, [shared(C, A)])
        await until(lambda: projector.status.stored == head)
        await tamper(settings)
        (verdict,) = await work.commit()
        assert verdict.good
        head = await append(log, [unshared(A, C)])
        await until(lambda: projector.status.stored == head)
    await assert_stored_is_the_fold(log, settings)


# -- cancelling --------------------------------------------------------------------------------


async def test_cancelled_while_it_replays_it_leaves_no_trace(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reader, "SLICE", 20)
    await append(log, [initialized(member) for member in members(200)])
    before = await stream_state(log.link, NATSTER.stream)
    reached = asyncio.Event()

    def note(progress: ReplayProgress) -> None:
        if 0 < progress.fraction < 1:
            reached.set()

    work = asyncio.create_task(rebuild(log, on_progress=note).prepare())
    await reached.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert work.cancelled()
    assert await consumers_of(log.link) == set()
    assert (await ask_jetstream(log.link, "STREAM.NAMES"))["streams"] == [NATSTER.stream]
    assert await stream_state(log.link, NATSTER.stream) == before


# -- one key -----------------------------------------------------------------------------------


def touched(checkpoint: bytes) -> bytes:
    return replace(decode_checkpoint(checkpoint), touched=True).encode()


async def test_one_key_is_rebuilt_to_the_checkpoints_own_position(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    stored = await stored_values(settings, "PROJ_ACCOUNT")
    # Events that are not projected yet must not come in: the other documents are not there yet.
    await append(log, [shared(A, C, "later"), bound(A)])
    await tamper(settings)
    work = Rebuild(log, OneKey(ACCOUNTS, A), "rebuilder")
    (plan,) = await work.prepare()
    assert [change.key for change in plan.diff.changes] == [A]
    (verdict,) = await work.commit()
    assert verdict.good
    assert verdict.sentence == f"account: 1 key matches the log at {len(EVENTS)}"
    after = await stored_values(settings, "PROJ_ACCOUNT")
    assert after[A] == stored[A]
    # The others were not asked for, and stay known as written by others.
    assert after[CHECKPOINT_KEY] == touched(stored[CHECKPOINT_KEY])
    assert B not in after
    assert "ZZ" in after


@pytest.mark.parametrize("key", ["ZZ", B, "NOBODY"])
async def test_one_surplus_missing_or_unknown_key(
    key: str, log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log)
    expected = await stored_values(settings, "PROJ_ACCOUNT")
    await tamper(settings)
    (verdict,) = await Rebuild(log, OneKey(ACCOUNTS, key), "rebuilder").commit()
    assert verdict.good
    after = await stored_values(settings, "PROJ_ACCOUNT")
    assert after.get(key) == expected.get(key)
    assert after[CHECKPOINT_KEY] == touched(expected[CHECKPOINT_KEY])


async def test_one_key_beside_a_projector_at_work(
    log: EventLog,
    elsewhere: EventLog,
    settings: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await append(log, EVENTS)
    async with projecting_with_lease(elsewhere, monkeypatch) as projector:
        async with appending(elsewhere, [shared(A, B), unshared(A, B)]):
            for _ in range(3):
                await until_it_stores_more(projector)
                (verdict,) = await Rebuild(log, OneKey(ACCOUNTS, A), "rebuilder").commit()
                assert verdict.good, verdict.sentence
        head = (await log.refresh()).last_seq
        await until(lambda: projector.status.stored == head)
    await assert_stored_is_the_fold(log, settings)


async def test_one_key_of_a_projection_that_is_not_whole_is_refused(log: EventLog) -> None:
    await append(log, EVENTS)
    with pytest.raises(RefusedError, match="rebuild account as a whole"):
        await Rebuild(log, OneKey(ACCOUNTS, A), "rebuilder").prepare()


# -- what must not be stored -------------------------------------------------------------------


@pytest.mark.parametrize("purge", [False, True])
async def test_a_document_too_large_for_the_server_is_refused_before_anything_is_written(
    purge: bool, tmp_path: Path
) -> None:
    server = RealServer(tmp_path / "nats", max_payload="4KB")
    server.start()
    try:
        settings = server.new_account()
        link = await Link.open(settings)
        log = await EventLog.create(link, NATSTER, LogSettings())
        await append(log, EVENTS)
        await project_to_head(log)
        await append(log, [shared(A, f"M{number}", "x" * 100) for number in range(100)])
        before = await stored_values(settings, "PROJ_ACCOUNT")
        with pytest.raises(ProjectorStoppedError, match="the account document AA would be"):
            await rebuilt(log, purge=purge)
        assert await stored_values(settings, "PROJ_ACCOUNT") == before
        await link.close()
    finally:
        server.stop()


# -- another program's projections -------------------------------------------------------------


async def put_reference_documents(settings: ConnectionSettings, recorded: str) -> None:
    path = next(RECORDINGS.glob(f"{recorded}*.reference.json"))
    for bucket, documents in json.loads(path.read_text())["documents"].items():
        for key, document in documents.items():
            await put_value(settings, bucket, key, json.dumps(document).encode())


@pytest.fixture
async def adopted(link: Link, settings: ConnectionSettings) -> EventLog:
    """A deployment of the reference service: its stream, its buckets, its documents."""
    for stream in (NATSTER.stream, "KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG"):
        await create_reference_stream(link, stream)
    log = await EventLog.open(link, NATSTER)
    await import_records(log, recording("05"), "test")
    await put_reference_documents(settings, "05")
    return log


async def test_another_programs_projection_is_compared_but_not_rewritten_unless_asked(
    adopted: EventLog,
) -> None:
    before = await buckets_state(adopted.link)
    plans = await rebuild(adopted, *PROJECTIONS).prepare()
    assert [plan.stored.bucket_state for plan in plans] == [BucketState.FOREIGN] * 2
    assert [(c.key, c.kind) for c in plans[1].diff.changes] == [
        ("kevbuzz", "removed"), ("synadiahub", "changed"),
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="taking it over must be asked for explicitly"):
        await rebuilt(adopted)
    assert await buckets_state(adopted.link) == before


@pytest.mark.parametrize("purge", [False, True])
async def test_taking_over_converts_the_bucket_and_makes_the_documents_ours(
    purge: bool, adopted: EventLog, settings: ConnectionSettings
) -> None:
    log_before = await stream_state(adopted.link, NATSTER.stream)
    _, verdicts = await rebuilt(adopted, *PROJECTIONS, take_over=True, purge=purge)
    assert [verdict.good for verdict in verdicts] == [True, True], verdicts
    for projection in PROJECTIONS:
        await assert_stored_is_the_fold(adopted, settings, projection)
        config = (await ask_jetstream(adopted.link, f"STREAM.INFO.KV_{projection.bucket}"))[
            "config"
        ]
        assert config["allow_atomic"] is True
        assert (config["max_bytes"], config["max_msg_size"]) == (1_073_741_824, -1)
        assert (config["discard"], config["max_msgs_per_subject"]) == ("new", 1)
    assert await stream_state(adopted.link, NATSTER.stream) == log_before
    # From here on it is projected like any other.
    head = await append(adopted, [shared(A, B)])
    await project_to_head(adopted, CATALOGS)
    checkpoint = json.loads((await stored_values(settings, "PROJ_CATALOG"))[CHECKPOINT_KEY])
    assert checkpoint["seq"] == head


async def test_taking_over_documents_in_another_spelling_ends_verified(
    log: EventLog, settings: ConnectionSettings
) -> None:
    """Equal as JSON is no drift while it is another's, but our own must be ours to the byte."""
    await append(log, [shared(A, B)])
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    store = await client.jetstream().create_key_value(bucket="PROJ_CATALOG")
    await store.put("kevbuzz", b'{ "catalog_name": "kevbuzz", "owner":"AA", "shared_with":["BB"] }')
    await client.close()
    (theirs,) = await rebuild(log, CATALOGS).verify()
    assert (theirs.good, theirs.bucket_state) == (True, BucketState.FOREIGN)
    assert theirs.sentence == "catalog: 1 key matches the log at 1 (another program's)"
    plans, (verdict,) = await rebuilt(log, CATALOGS, take_over=True)
    assert not plans[0].diff
    assert verdict.good, verdict.sentence
    await assert_stored_is_the_fold(log, settings, CATALOGS)


@pytest.mark.parametrize("purge", [False, True])
async def test_a_checkpoint_that_was_deleted_by_hand_can_be_made_again(
    purge: bool, log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log, CATALOGS)
    await put_value(settings, "PROJ_CATALOG", CHECKPOINT_KEY, None)
    _, (verdict,) = await rebuilt(log, CATALOGS, take_over=True, purge=purge)
    assert verdict.good, verdict.sentence
    await assert_stored_is_the_fold(log, settings, CATALOGS)


async def test_a_bucket_whose_every_key_was_deleted_is_projected_again(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_to_head(log, CATALOGS)
    for key in sorted(await stored_values(settings, "PROJ_CATALOG")):
        await put_value(settings, "PROJ_CATALOG", key, None)
    projector = await project_to_head(log, CATALOGS)
    assert not projector.status.touched_by_others
    await assert_stored_is_the_fold(log, settings, CATALOGS)


async def test_taking_over_is_refused_while_another_program_writes_documents(
    adopted: EventLog,
) -> None:
    with pytest.raises(RefusedError, match="another program wrote to PROJ_ACCOUNT within"):
        await refuse_while_active(adopted, [ACCOUNTS], "me", quiet_s=30)


async def test_taking_over_is_refused_while_the_others_consumer_moves(
    adopted: EventLog, settings: ConnectionSettings
) -> None:
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    # The reference's consumer, pulled from as the reference does.
    consumer = await client.jetstream().pull_subscribe(
        "natster.events.*.*.*.*", durable="PROJ_ACCOUNT", stream=NATSTER.stream
    )

    stopped = False

    async def go_on() -> None:
        while not stopped:
            await append(adopted, [bound("none")])
            for message in await consumer.fetch(1, timeout=5):
                await message.ack()

    going = asyncio.create_task(go_on())
    lines: list[str] = []
    try:
        # The documents are older than this, so that only the consumer can tell.
        quiet_s = 0.05
        await until_older_than(adopted.link, "PROJ_ACCOUNT", quiet_s)
        with pytest.raises(RefusedError, match="the consumer PROJ_ACCOUNT on NATSTER_EVENTS"):
            await refuse_while_active(adopted, [ACCOUNTS], "me", lines.append, quiet_s=quiet_s)
    finally:
        stopped = True  # not cancelled: nats-py may swallow that
        await going
        await client.close()
    assert "PROJ_ACCOUNT" in lines[0]
    # It is never ours to delete.
    assert "PROJ_ACCOUNT" in await consumers_of(adopted.link)


async def until_older_than(link: Link, bucket: str, seconds: float) -> None:
    last = max(record.time_ns for record in await bucket_records(link, bucket))
    await until(lambda: time.time_ns() - last > seconds * 1e9)


async def test_taking_over_is_allowed_once_all_is_quiet(
    adopted: EventLog, settings: ConnectionSettings
) -> None:
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    consumer = await client.jetstream().pull_subscribe(
        "natster.events.*.*.*.*", durable="PROJ_ACCOUNT", stream=NATSTER.stream
    )
    await consumer.fetch(1, timeout=5)
    await client.close()
    await until_older_than(adopted.link, "PROJ_ACCOUNT", 0.05)
    await refuse_while_active(adopted, [ACCOUNTS], "me", quiet_s=0.05)


# -- preflight ---------------------------------------------------------------------------------


async def test_the_preflight_tells_what_there_is_and_what_is_in_the_way(link: Link) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(deny_delete=False, deny_purge=False))
    await append(log, [*EVENTS, event("catalog_deleted", A, B, "kevbuzz")])
    findings = await read_preflight(log, PROJECTIONS, "me")
    assert findings.by_type == {
        "natster_initialized": 2, "context_bound": 2, "catalog_shared": 4, "catalog_unshared": 1,
        "catalog_imported": 1, "other": 1,
    }  # fmt: skip
    assert not any(line.startswith("blocked") for line in findings.lines())
    assert findings.foreign == ()
    assert [stored.bucket_state for stored in findings.stored] == [BucketState.MISSING] * 2
    async with projecting(log, instance="other") as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        (other,) = (await read_preflight(log, PROJECTIONS, "me")).other_projectors
        assert other.name.startswith("natster-tui-account-other")
        assert (await read_preflight(log, PROJECTIONS, "other")).other_projectors == ()
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": 3})
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 2})
    (blocker,) = [
        line
        for line in (await read_preflight(log, PROJECTIONS, "me")).lines()
        if line.startswith("blocked")
    ]
    assert "2 events are missing" in blocker
    assert await consumers_of(link) == set()


async def test_a_rebuild_of_what_is_left_of_a_log_is_projected_on(
    link: Link, settings: ConnectionSettings
) -> None:
    """The preflight blocks it; overridden, it counts, and live projecting goes on from it."""
    log = await EventLog.create(link, NATSTER, LogSettings(deny_delete=False, deny_purge=False))
    await append(log, EVENTS)
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 4})
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": len(EVENTS)})
    await log.refresh()
    _, (verdict,) = await rebuilt(log)
    assert verdict.sentence == f"account: 3 keys match the log at {len(EVENTS)}"
    await append(log, [shared(C, A)])
    await project_to_head(log)
    await assert_stored_is_the_fold(log, settings)
    assert (await stored_documents(settings, "PROJ_ACCOUNT"))[A]["initialized_at"] == 0
    expected = fold_all(ACCOUNTS, await records_in(log)).documents()
    assert await verified(log) == [f"account: {len(expected)} keys match the log at 11"]


async def test_a_log_that_is_purged_after_the_preflight_is_not_rebuilt_from(
    link: Link, settings: ConnectionSettings
) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(deny_purge=False))
    await append(log, EVENTS)
    await project_to_head(log)
    before = await stored_documents(settings, "PROJ_ACCOUNT")
    findings = await read_preflight(log, [ACCOUNTS], "me")
    assert not any(line.startswith("blocked") for line in findings.lines())
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 4})
    with pytest.raises(LogChangedError, match="history was lost while"):
        await rebuilt(log)
    assert await stored_documents(settings, "PROJ_ACCOUNT") == before


@pytest.mark.usefixtures("frequent_looks")
async def test_a_projector_that_was_never_told_finds_the_rebuilt_bucket(
    log: EventLog, settings: ConnectionSettings
) -> None:
    """A projector that only watched because of another version begins once it was rebuilt."""
    await append(log, EVENTS)
    await project_to_head(log)
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
    checkpoint["version"] = 7
    await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, json.dumps(checkpoint).encode())
    async with projecting(log) as projector:
        await until(lambda: projector.status.phase is Phase.WATCHING)
        await rebuilt(log)
        await until(lambda: projector.status.phase is Phase.PROJECTING)
    assert isinstance(projector, Projector)


async def test_a_projection_that_is_only_tried_is_never_written(log: EventLog) -> None:
    await append(log, [initialized(A), shared(A, B)])
    (tried,) = TriedFile(Path(activity.__file__)).projections
    rebuild = Rebuild(log, WholeProjections((tried,)), "test")
    await rebuild.prepare()
    with pytest.raises(RefusedError, match=r"activity\.try is only tried"):
        await rebuild.commit()
    assert not (await bucket_of(log, tried, "test").info()).exists
