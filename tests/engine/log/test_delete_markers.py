"""A log that removes messages by their time to live, and the markers that the server leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from natster_tui.engine.projecting.stored_projection import bucket_of, load_projection
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.events.event import MARKER_REASON
from natster_tui.events.log.info import LogInfo
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import project_to_head
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, append, initialized, records_in, shared, unshared
from tests.reading_buckets import stored_documents

SECOND = 1_000_000_000


async def forgetful_log(link: Link) -> EventLog:
    """A log whose messages may expire, with a marker that lives a second."""
    config = {
        "name": NATSTER.stream,
        "subjects": [NATSTER.subjects],
        "storage": "file",
        "allow_msg_ttl": True,
        "allow_rollup_hdrs": True,
        "subject_delete_marker_ttl": SECOND,
    }
    await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", config)
    return await EventLog.open(link, NATSTER)


async def until_info(log: EventLog, condition: Callable[[LogInfo], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition(await log.refresh()):  # noqa: ASYNC110 - only asking can tell
            await asyncio.sleep(0.02)


async def test_an_expired_share_is_not_shared_again_and_verify_does_not_mind_its_marker(
    link: Link, settings: ConnectionSettings
) -> None:
    log = await forgetful_log(link)
    await append(log, [initialized(A), initialized(B)])
    await link.request(link.target.stored(shared(A, B).subject), b"", {"Nats-TTL": "1s"})
    await append(log, [unshared(A, B), shared(A, B, "movies")])

    await until_info(log, lambda info: info.last_seq == 6)
    # All read it at the same time: it lives a second.
    records, accounts, catalogs = await asyncio.gather(
        records_in(log), project_to_head(log, ACCOUNTS), project_to_head(log, CATALOGS)
    )
    marker = records[-1]
    assert (marker.subject, marker.header(MARKER_REASON)) == (shared(A, B).subject, "MaxAge")
    for projector in (accounts, catalogs):
        assert [(e.seq, e.reason.value) for e in projector.status.parked.recent] == [(6, "marker")]
    documents = await stored_documents(settings, ACCOUNTS.bucket)
    assert [share["catalog"] for share in documents[A]["out_shares"]] == ["movies"]
    work = Rebuild(log, WholeProjections(PROJECTIONS), "test")
    assert all(verdict.good for verdict in await work.verify())

    # The marker expires, too: the checkpoint counts a parked event that the log no longer holds.
    await until_info(log, lambda info: info.messages == 4)
    assert all(
        verdict.good
        for verdict in await Rebuild(log, WholeProjections(PROJECTIONS), "test").verify()
    )


async def test_a_delete_marker_in_a_bucket_is_a_removal(log: EventLog, link: Link) -> None:
    await append(log, [initialized(A), initialized(B)])
    await project_to_head(log)
    entry = link.target.stored(f"$KV.{ACCOUNTS.bucket}.{A}")
    await link.request(entry, b"", {MARKER_REASON: "MaxAge"})
    bucket = bucket_of(log, ACCOUNTS, "test")
    assert await bucket.read(A) is None
    stored = await load_projection(bucket, ACCOUNTS)
    assert stored.entries.keys() == {B}
    (verdict,) = await Rebuild(log, WholeProjections((ACCOUNTS,)), "test").verify()
    assert [(change.key, change.kind) for change in verdict.diff.changes] == [(A, "added")]
    assert json.loads(verdict.diff.changes[0].after or b"")["out_shares"] == []
