"""A rule that makes what its model refuses: nothing of it is stored, and nothing else is harmed."""

from __future__ import annotations

import gc
import weakref

import pytest
from pydantic import BaseModel, ConfigDict

from natster_tui.engine.projecting import bucket_watch
from natster_tui.engine.projecting.catching_up import CatchUp
from natster_tui.engine.projecting.status import Phase, StatusReporter
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import BlockedEventError, RuleFailedError
from natster_tui.events.event import Event
from natster_tui.events.natster import EventType
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.store.bucket import Bucket, StoredEntry
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import assert_stored_is_the_fold, projecting
from tests.folding import fold_all
from tests.making_logs import append, records_of, shared
from tests.reading_buckets import stored_documents, stored_values

EVENTS = [shared("AA", "BB"), shared("AA", "CC", "odd"), shared("BB", "DD")]
SENTENCE = (
    "the rule of last failed at event 2: the document of account AA cannot be stored: its model "
    "refuses it: number: Input should be a valid integer, "
    "unable to parse string as an integer; correct it, then try again"
)


class Last(BaseModel):
    model_config = ConfigDict(frozen=True)
    number: int


class LastProjection(KeyedProjection[Last]):
    """Makes a document at each event named odd that its model refuses."""

    name, bucket, version, key_noun = "last", "PROJ_LAST", 1, "account"
    uses = frozenset(EventType)
    model = Last

    def rule(self, document: Last | None, event: Event, key: str) -> Last:
        number = "odd" if event.catalog == "odd" else event.seq
        return Last.model_construct(number=number)


LAST = LastProjection()


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
async def test_a_projector_stops_before_the_event_and_stores_what_was_before(
    log: EventLog, settings: ConnectionSettings, at_once: bool
) -> None:
    if at_once:
        await append(log, EVENTS)
    async with projecting(log, LAST) as projector, projecting(log, CATALOGS) as other:
        if not at_once:
            for event in EVENTS:
                await append(log, [event])
        await until(lambda: projector.status.phase is Phase.STOPPED)
        assert projector.status.problem == SENTENCE
        await until(lambda: other.status.stored == 3)
    assert await stored_documents(settings, LAST.bucket) == {"AA": {"number": 1}}
    await assert_stored_is_the_fold(log, settings, CATALOGS)


async def test_a_rebuild_and_a_verify_say_it_and_write_nothing(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS[:1])
    async with projecting(log, LAST) as projector:
        await until(lambda: projector.status.stored == 1)
    before = await stored_values(settings, LAST.bucket)
    await append(log, EVENTS[1:2])
    rebuild = Rebuild(log, WholeProjections((LAST,)), "test")
    with pytest.raises(RuleFailedError) as failure:
        await rebuild.prepare()
    assert failure.value.sentence == SENTENCE
    assert await stored_values(settings, LAST.bucket) == before


class FormerProjection(LastProjection):
    """The version before, whose rule has no fault."""

    def rule(self, document: Last | None, event: Event, key: str) -> Last:
        return Last(number=event.seq)


class RefusedProjection(LastProjection):
    version = 2


class RaisingProjection(LastProjection):
    version = 2

    def rule(self, document: Last | None, event: Event, key: str) -> Last:
        if event.catalog == "odd":
            raise ArithmeticError
        return Last(number=event.seq)


@pytest.mark.parametrize(
    "projection",
    [RefusedProjection(), RaisingProjection()],
    ids=["a document is refused", "the rule raises"],
)
async def test_a_rebuild_at_the_start_that_fails_is_not_repeated_until_something_is_stored(
    log: EventLog, monkeypatch: pytest.MonkeyPatch, projection: LastProjection
) -> None:
    await append(log, EVENTS)
    async with projecting(log, FormerProjection()) as projector:
        await until(lambda: projector.status.stored == 3)
    rebuilds, looks = 0, 0
    rebuild, read = CatchUp.rebuild, Bucket.read

    async def counted_rebuild(self: CatchUp, log: EventLog) -> BlockedEventError | None:
        nonlocal rebuilds
        rebuilds += 1
        return await rebuild(self, log)

    async def counted_read(self: Bucket, key: str) -> StoredEntry | None:
        nonlocal looks
        looks += 1
        return await read(self, key)

    monkeypatch.setattr(CatchUp, "rebuild", counted_rebuild)
    monkeypatch.setattr(Bucket, "read", counted_read)
    monkeypatch.setattr(bucket_watch, "POLL_S", 0.01)
    async with projecting(log, projection, auto_rebuild=True) as projector:
        await until(lambda: projector.status.phase is Phase.STOPPED)
        assert "event 2" in projector.status.problem
        before = looks
        await until(lambda: looks > before + 3)
        assert rebuilds == 1


def test_the_error_of_a_refused_document_keeps_no_states_in_memory() -> None:
    fold = fold_all(LAST, records_of(*EVENTS))
    kept = weakref.ref(fold)
    reporter = StatusReporter(lambda: None)
    try:
        fold.documents()
    except RuleFailedError as error:
        reporter.failed(error)
    assert reporter.status.last_error == SENTENCE
    del fold
    gc.collect()
    assert kept() is None
