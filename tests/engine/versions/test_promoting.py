"""Making the version beside the stored one, on a real server."""

from __future__ import annotations

import pytest

from natster_tui.engine.erasure import erase_account
from natster_tui.engine.projecting.stored_projection import BucketState, load_projection
from natster_tui.engine.rebuilding.confirming import Answer, Confirm, Refusal, Refuse, Request
from natster_tui.engine.rebuilding.expected_whole import ExpectedWhole
from natster_tui.engine.versions import promoting
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.errors import RefusedError, UsageError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import CHECKPOINT_KEY
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.envelope import is_sealed
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import assert_stored_is_the_fold, project_to_head
from tests.engine.versions.activities import (
    BOTH,
    FIRST,
    ONLY_FIRST,
    ONLY_SECOND,
    SECOND,
    project_all,
)
from tests.jetstream import ask_jetstream
from tests.making_logs import append, imported, initialized, shared
from tests.reading_buckets import put_value, stored_documents, stored_values

EVENTS = [initialized("AA"), shared("AA", "BB"), imported("BB", "AA"), shared("CC", "AA")]


@pytest.mark.parametrize("pair", [BOTH, ONLY_SECOND], ids=["both", "new"])
async def test_it_becomes_the_stored_version_and_is_verified(
    log: EventLog, settings: ConnectionSettings, pair: VersionPair
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    before = await stored_values(settings, "PROJ_ACTIVITY_v2")
    promotion = Promotion(log, pair, "test")
    plan = await promotion.prepare()
    assert plan.candidate.good
    assert plan.compared is not None
    assert [change.key for change in plan.compared.difference.only_stored] == ["BB"]
    assert plan.rebuild.summary.startswith("version 1 becomes 2; ")
    assert (await stored_documents(settings, "PROJ_ACTIVITY")).keys() == {"AA", "BB", "CC"}
    verdict = await promotion.commit()
    assert verdict.good
    await assert_stored_is_the_fold(log, settings, SECOND)
    assert await stored_values(settings, "PROJ_ACTIVITY_v2") == before
    # Promoting once more changes no document.
    again = Promotion(log, pair, "test")
    assert not (await again.prepare()).rebuild.diff
    assert (await again.commit()).good


async def test_the_way_back_is_the_same(log: EventLog, settings: ConnectionSettings) -> None:
    await append(log, EVENTS)
    await project_all(log, SECOND, placed_beside(FIRST))
    promotion = Promotion(log, VersionPair((SECOND, FIRST), 1), "test")
    await promotion.prepare()
    assert (await promotion.commit()).good
    await assert_stored_is_the_fold(log, settings, FIRST)


@pytest.mark.parametrize("late", [FIRST, placed_beside(SECOND)], ids=["stored", "beside"])
async def test_it_is_refused_while_one_of_them_lags(
    log: EventLog, monkeypatch: pytest.MonkeyPatch, late: object
) -> None:
    monkeypatch.setattr(promoting, "REACH_S", 0.0)
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    await append(log, [shared("AA", "DD")])
    await project_all(log, placed_beside(SECOND) if late is FIRST else FIRST)
    name = "PROJ_ACTIVITY" if late is FIRST else "PROJ_ACTIVITY_v2"
    with pytest.raises(RefusedError, match=f"{name} is behind the log, .* at 5, and it is at 4"):
        await Promotion(log, BOTH, "test").prepare()


async def test_it_is_refused_where_the_version_beside_does_not_verify(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    await put_value(settings, "PROJ_ACTIVITY_v2", "AA", b'{"events":9,"last":"x"}')
    before = await stored_values(settings, "PROJ_ACTIVITY")
    with pytest.raises(RefusedError, match="version 2 of activity is not promoted: it does not"):
        await Promotion(log, BOTH, "test").prepare()
    assert await stored_values(settings, "PROJ_ACTIVITY") == before


async def test_without_its_rule_or_its_bucket_nothing_is_promoted(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promoting, "REACH_S", 0.0)
    await append(log, EVENTS)
    await project_all(log, FIRST)
    with pytest.raises(UsageError, match="version 2 of activity is not loaded here"):
        Promotion(log, ONLY_FIRST, "test")
    with pytest.raises(RefusedError, match="PROJ_ACTIVITY_v2 was not made by project activity"):
        await Promotion(log, BOTH, "test").prepare()


async def test_a_version_beside_nothing_stored_is_not_promoted(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promoting, "REACH_S", 0.0)
    await append(log, EVENTS)
    await project_all(log, placed_beside(SECOND))
    with pytest.raises(RefusedError, match=r"PROJ_ACTIVITY is behind .* nothing is stored in it"):
        await Promotion(log, BOTH, "test").prepare()


async def test_a_log_that_lost_events_is_confirmed_by_a_person_as_for_any_rebuild(
    link: Link,
) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(deny_delete=False))
    await append(log, EVENTS)
    await project_all(log, FIRST)
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": 2})
    await project_all(log, placed_beside(SECOND))
    promotion = Promotion(log, BOTH, "test")
    assert (await promotion.prepare()).candidate.good
    unasked = promotion.decide(Request(can_ask=False))
    assert isinstance(unasked, Refuse)
    assert unasked.reason is Refusal.NEEDS_OPERATOR
    asked = promotion.decide(Request())
    assert isinstance(asked, Confirm)
    assert asked.answer is Answer.NAMES


async def test_sealed_documents_are_sealed_for_the_bucket_they_are_stored_in(
    sealed: EventLog, settings: ConnectionSettings
) -> None:
    newer = type("Newer", (AccountProjection,), {"version": ACCOUNTS.version + 1})()
    await project_all(sealed, ACCOUNTS, placed_beside(newer))
    promotion = Promotion(sealed, VersionPair((newer,), newer.version), "test")
    plan = await promotion.prepare()
    assert plan.compared is not None
    assert not plan.compared.difference
    assert (await promotion.commit()).good
    places = ("PROJ_ACCOUNT", placed_beside(newer).bucket)
    stored, other = [await stored_values(settings, bucket) for bucket in places]
    for key in stored.keys() - {CHECKPOINT_KEY}:
        assert is_sealed(stored[key])
        assert is_sealed(other[key])
        assert stored[key] != other[key]
    # A sealed document that is copied from one bucket to the other opens nowhere.
    await put_value(settings, "PROJ_ACCOUNT", "AA", other["AA"])
    bucket = Bucket(sealed.link, "PROJ_ACCOUNT", "test", sealed.sealing)
    assert (await bucket.load()).documents["AA"].unopened


async def test_a_promotion_that_was_interrupted_is_begun_again(
    log: EventLog, link: Link, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    await _interrupt(log, settings)
    stored = await load_projection(Bucket(link, "PROJ_ACTIVITY", "test"), FIRST)
    assert stored.bucket_state is BucketState.INTERRUPTED
    promotion = Promotion(log, BOTH, "test")
    plan = await promotion.prepare()
    assert plan.compared is None
    assert (await promotion.commit()).good
    await assert_stored_is_the_fold(log, settings, SECOND)


async def test_the_projector_of_either_version_finishes_an_interrupted_one(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    for version in (FIRST, SECOND):
        await _interrupt(log, settings)
        await project_to_head(log, version)
        await assert_stored_is_the_fold(log, settings, version)


async def _interrupt(log: EventLog, settings: ConnectionSettings) -> None:
    """Leave the stored bucket as a promotion does that ended after its first batch."""
    bucket = Bucket(log.link, "PROJ_ACTIVITY", "test")
    expected = ExpectedWhole(log, [SECOND], {SECOND.name: bucket}, "test")
    await expected.plans()
    changes = await expected.changes(SECOND, purge=False, partial=False)
    assert changes.before is not None
    (first, *_rest) = list(changes.of_documents)
    revision = changes.stored.snapshot.checkpoint_revision
    await bucket.commit(first, changes.before, revision, changes.fold)


async def test_an_erasure_names_the_versions_beside_that_it_does_not_rebuild(
    sealed: EventLog,
) -> None:
    newer = type("Newer", (AccountProjection,), {"version": ACCOUNTS.version + 1})()
    placed = placed_beside(newer)
    await project_all(sealed, *PROJECTIONS, placed)
    notices: list[str] = []
    with reporting_to(Reporter(notices.append)):
        await erase_account(sealed, "AA", PROJECTIONS, "erase")
    assert notices == [
        f"{placed.bucket} may still hold what was erased: "
        f"project or rebuild {placed.name}, or drop account"
    ]
    # Its projector makes it again without what was erased.
    await project_all(sealed, placed)
    bucket = Bucket(sealed.link, placed.bucket, "test", sealed.sealing)
    assert b"github" not in (await bucket.load()).documents["AA"].value
