"""How another program's documents differ: explained ones are counted, others listed by key."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from natster_tui.engine.foreign.drift_watch import DriftWatch
from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.projecting.bucket_watch import POLL_S
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.reference_service import recorded_documents
from tests.conftest import recording, until
from tests.engine.running import create_reference_stream, projecting, stream_state
from tests.making_logs import append, initialized
from tests.reading_buckets import put_value

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
BUCKETS = ("PROJ_ACCOUNT", "PROJ_CATALOG")


def hub(*recipients: str) -> bytes:
    theirs = recorded_documents("01")["PROJ_CATALOG"]["synadiahub"]
    kept = [each for each in theirs["shared_with"] if each not in recipients]
    return json.dumps(theirs | {"shared_with": kept}).encode()


@pytest.fixture
async def beside(log: EventLog, settings: ConnectionSettings) -> EventLog:
    """Recording 01 beside the documents that the reference service stored of it."""
    await import_records(log, recording("01"), "test")
    for bucket in BUCKETS:
        await create_reference_stream(log.link, f"KV_{bucket}")
        for key, document in recorded_documents("01")[bucket].items():
            await put_value(settings, bucket, key, json.dumps(document).encode())
    return log


async def test_verify_counts_what_is_explained_and_tells_the_rest_key_by_key(
    beside: EventLog, settings: ConnectionSettings
) -> None:
    accounts, _ = await Rebuild(beside, WholeProjections((ACCOUNTS, CATALOGS)), "test").verify()
    assert (accounts.good, accounts.listed) == (False, ())
    assert accounts.sentence == (
        "account: drift at 10, 3 keys compared: 3 keys differ only as the reference service's "
        "rules explain"
    )
    lost = next(each for each in json.loads(hub())["shared_with"] if each != HUB)
    await put_value(settings, "PROJ_CATALOG", "synadiahub", hub(lost))
    await put_value(settings, "PROJ_CATALOG", "planted", b"{}")
    (verdict,) = await Rebuild(beside, WholeProjections((CATALOGS,)), "test").verify()
    assert verdict.sentence == "catalog: drift at 10: 2 of 3 keys differ from the log"
    assert {each.key: [field.path for field in each.fields()] for each in verdict.listed} == {
        "planted": ["(form)"],
        "synadiahub": [f"shared_with[{lost}]"],
    }
    (plan,) = await Rebuild(beside, WholeProjections((CATALOGS,)), "test").prepare()
    assert plan.listed == verdict.listed
    assert len(plan.diff.changes) == 2


async def test_drift_that_was_put_right_is_gone_within_two_seconds(
    beside: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: Counter[int] = Counter()
    poll = DriftWatch.poll

    async def counted(watch: DriftWatch, log: EventLog, fold: Fold[Any]) -> None:
        if watch._projection is CATALOGS:
            looks[id(watch)] += 1
        await poll(watch, log, fold)

    before = await stream_state(beside.link, "KV_PROJ_ACCOUNT")
    async with (
        projecting(beside, CATALOGS, "one") as one,
        projecting(beside, CATALOGS, "two") as two,
        projecting(beside, ACCOUNTS, "three") as three,
    ):
        statuses = (one.status, two.status)
        await until(lambda: all(each.drift is not None for each in (*statuses, three.status)))
        assert all(each.drift and each.drift.explained == 1 for each in statuses)
        await put_value(settings, "PROJ_CATALOG", "kevbuzz", b"{}")
        await until(lambda: all(each.drift and each.drift.unexplained for each in statuses))
        right = json.dumps(recorded_documents("01")["PROJ_CATALOG"]["kevbuzz"]).encode()
        await put_value(settings, "PROJ_CATALOG", "kevbuzz", right)
        monkeypatch.setattr(DriftWatch, "poll", counted)
        await until(lambda: not any(each.drift and each.drift.unexplained for each in statuses))
        # The next look sees it, less than a second later; on a busy machine one or two may rest.
        assert max(looks.values()) <= 3
        assert POLL_S < 1
        # An account that it has not heard of yet is drift once nothing explains that.
        await append(beside, [initialized("NEW")])
        await until(lambda: bool(three.status.drift and three.status.drift.unexplained))
    assert await stream_state(beside.link, "KV_PROJ_ACCOUNT") == before
