"""When shares were made and imported, and by which events, as of any sequence."""

from __future__ import annotations

from typing import Any

import pytest

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.history.document_story import DocumentStory, Mark, Share
from natster_tui.events.event import Record
from natster_tui.events.natster import BOUND, INITIALIZED, NATSTER
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from tests.folding import fold_all

DAY = 86_400
NOW = 1_795_429_351
CONTEXT = b'{"oauth_id":"github|aaa","bound_context":{}}'
SONGS = Share("ANNA", "BERT", "songs")


def event(seq: int, subject: str, payload: bytes = b"") -> Record:
    return Record(seq, seq * DAY * 10**9, f"natster.events.{subject}", payload)


LOG = [
    event(1, "ANNA.none.none.natster_initialized"),
    event(2, "ANNA.BERT.songs.catalog_shared"),
    event(3, "ANNA.BERT.songs.catalog_shared"),
    event(4, "BERT.ANNA.songs.catalog_imported"),
    event(5, "ANNA.none.none.context_bound", CONTEXT),
    event(6, "ANNA.BERT.songs.catalog_unshared"),
    event(7, "ANNA.BERT.songs.catalog_shared"),
    event(8, "CARL.BERT.songs.catalog_shared"),
    event(9, "ANNA.ANNA.songs.catalog_shared"),
]


def story_of(projection: Projection[Any], key: str) -> DocumentStory:
    story = DocumentStory(projection, key)
    for record in LOG:
        if story.concerns(NATSTER.read(record)):
            story.add(record, NATSTER.read(record))
    return story


@pytest.mark.parametrize(("projection", "key"), [(ACCOUNTS, "ANNA"), (CATALOGS, "songs")])
def test_a_share_counts_from_the_event_that_made_it_at_each_moment(
    projection: Projection[Any], key: str
) -> None:
    story = story_of(projection, key)
    assert story.shared(SONGS, 1) is None
    assert story.shared(SONGS, 5) == Mark(2, 2 * DAY), "a repeated share changes nothing"
    assert story.imported(SONGS, 5) == Mark(4, 4 * DAY)
    assert story.shared(SONGS, 9) == Mark(7, 7 * DAY)
    assert story.imported(SONGS, 9) is None, "shared again, it was not imported so far"


def test_a_catalog_knows_when_another_account_shared_one_of_its_name() -> None:
    assert story_of(CATALOGS, "songs").shared(Share("CARL", "BERT", "songs"), 9) == Mark(8, 8 * DAY)


def test_only_events_that_changed_something_are_history() -> None:
    story = story_of(ACCOUNTS, "ANNA")
    assert [each.seq for each in story.happenings] == [1, 2, 4, 5, 6, 7]
    assert story.happened(5) == 4
    assert story.first(INITIALIZED, 9) == Mark(1, DAY)
    assert story.last(BOUND, 4) is None
    assert story.last(BOUND, 9) == Mark(5, 5 * DAY)


def test_every_active_share_of_a_community_has_the_event_that_made_it() -> None:
    records = [
        Record(seq, (each.time or NOW) * 10**9, each.subject, each.payload)
        for seq, each in enumerate(DemoCommunity(7).history(400, NOW), 1)
    ]
    accounts: Fold[AccountState] = fold_all(ACCOUNTS, records)
    for key, state in accounts.states.items():
        story = DocumentStory(ACCOUNTS, key)
        for record in records:
            read = NATSTER.read(record)
            if story.concerns(read):
                story.add(record, read)
        for (catalog, other), imported in state.out_shares.items():
            share = Share(key, other, catalog)
            made, taken = story.shared(share, 400), story.imported(share, 400)
            assert made is not None
            assert imported == (None if taken is None else taken.time)
