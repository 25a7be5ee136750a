from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.demo.community import DemoCommunity, DemoEvent
from natster_tui.demo.history_times import HISTORY_SECONDS
from natster_tui.demo.story import HUB_CATALOG, HUB_NAME
from natster_tui.events.account_keys import account_key_problem
from natster_tui.events.event import Event, Record
from natster_tui.events.natster import CATALOG_TYPES, NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.projections.account import CONTEXT_FIELDS, AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from tests.folding import fold_all

END = 1_795_403_396
SEEDS = range(16)

seeds = st.integers(-(2**63), 2**63)


@cache
def history(seed: int, count: int = 400, end: int = END) -> tuple[DemoEvent, ...]:
    return tuple(DemoCommunity(seed).history(count, end))


def records(events: tuple[DemoEvent, ...]) -> list[Record]:
    return [
        Record(seq, (event.time or 0) * 1_000_000_000, event.subject, event.payload)
        for seq, event in enumerate(events, 1)
    ]


@cache
def folds(seed: int, count: int = 400) -> tuple[Fold[AccountState], Fold[CatalogState]]:
    log = records(history(seed, count))
    return fold_all(ACCOUNTS, log), fold_all(CATALOGS, log)


def usable_events(seed: int, count: int = 400) -> list[Event]:
    read = [NATSTER.read(record) for record in records(history(seed, count))]
    return [event for event in read if isinstance(event, Event) and event.usable]


def facts(events: tuple[DemoEvent, ...] | list[DemoEvent]) -> list[tuple[str, bytes]]:
    return [(event.subject, event.payload) for event in events]


# The same story each time


@given(seeds, st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=30)
def test_live_events_continue_the_history(seed: int, past: int, live: int) -> None:
    community = DemoCommunity(seed)
    told = facts(community.history(past, END))
    told += facts([community.next_live() for _ in range(live)])
    assert told == facts(DemoCommunity(seed).history(past + live, END + 12_345))


def test_a_long_story_is_the_same_however_it_is_cut() -> None:
    community = DemoCommunity(11)
    told = facts(community.history(700, END))
    told += facts([community.next_live() for _ in range(800)])
    assert told == facts(history(11, 1_500))


def test_a_long_history_can_be_made_with_pauses() -> None:
    parts = list(DemoCommunity(3).history_in_parts(4_500, END))
    assert [len(part) for part in parts if part] == [1_000] * 4 + [500]
    assert len([part for part in parts if not part]) >= 9  # while thinking, and finding times
    told = [event for part in parts for event in part]
    assert told == DemoCommunity(3).history(4_500, END)


def test_other_seeds_tell_other_stories() -> None:
    assert len({history(seed)[0].subject for seed in (*SEEDS, -7)}) == len(SEEDS) + 1


def test_the_story_does_not_depend_on_the_process() -> None:
    script = (
        "import hashlib; from natster_tui.demo.community import DemoCommunity;"
        f"print(hashlib.sha256(repr(DemoCommunity(5).history(1500, {END})).encode()).hexdigest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashlib.sha256(repr(list(history(5, 1_500))).encode()).hexdigest()
    assert elsewhere.stdout.strip() == here


# Times


@given(seeds, st.integers(1, 200))
@settings(max_examples=30)
def test_times_run_up_to_the_end_and_never_back(seed: int, count: int) -> None:
    times = [event.time for event in DemoCommunity(seed).history(count, END)]
    assert all(isinstance(time, int) for time in times)
    assert times == sorted(time for time in times if time is not None)
    assert times[-1] == END
    assert times[0] is not None
    assert times[0] >= END - HISTORY_SECONDS


@pytest.mark.parametrize("count", [1, 3, 400])
def test_distances_to_the_end_are_the_same_for_every_end(count: int) -> None:
    early = [(event.time or 0) - END for event in history(3, count)]
    late = [(event.time or 0) - 1_900_000_001 for event in history(3, count, 1_900_000_001)]
    assert early == late


def test_a_history_reaches_back_three_weeks_and_comes_in_bursts() -> None:
    times = [event.time or 0 for event in history(1)]
    assert END - times[0] == HISTORY_SECONDS
    by_hour = Counter((END - time) // 3_600 for time in times)
    assert max(by_hour.values()) >= 6
    assert len(by_hour) < HISTORY_SECONDS // 3_600 // 2
    assert len({age // 24 for age in by_hour}) >= 18


def test_nights_are_quiet() -> None:
    ages = [END - (event.time or 0) for event in history(2, 5_000)]
    hour_before_evening = Counter(age // 3_600 % 24 for age in ages)
    evening = sum(hour_before_evening[hour] for hour in range(6))
    night = sum(hour_before_evening[hour] for hour in range(14, 20))
    assert evening > 5 * night


def test_live_events_have_no_time() -> None:
    assert DemoCommunity(1).next_live().time is None


def test_no_history_at_all() -> None:
    community = DemoCommunity(9)
    assert community.history(0, END) == []
    assert community.next_live().subject.endswith(".none.none.natster_initialized")


# The hub


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hub_comes_first_and_greets_every_account_at_once(seed: int) -> None:
    events = history(seed)
    first = json.loads(events[0].payload)
    assert first["account_name"] == HUB_NAME
    hub = first["account_key"]
    welcomed: set[str] = set()
    for event, following in pairwise(events):
        _, _, origin, _, _, kind = event.subject.split(".")
        if kind == EventType.INITIALIZED and origin not in welcomed:
            welcomed.add(origin)
            greeting = f"natster.events.{hub}.{origin}.{HUB_CATALOG}.catalog_shared"
            assert following == DemoEvent(greeting, b"", following.time)
            if following is not events[-1]:
                assert 0 <= (following.time or 0) - (event.time or 0) <= 2


# What the projections make of it


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_of_400_shows_everything_there_is_to_see(seed: int) -> None:
    accounts, catalogs = folds(seed)
    named = [state for state in accounts.states.values() if state.account_name]
    assert 24 <= len(named) <= 60
    assert len({state.account_name for state in named}) == len(named)
    assert sum(state.initialized_at == 0 for state in accounts.states.values()) <= 1
    assert sum(state.bound_context is not None for state in named) >= 12
    imported = [state for state in named if any(state.in_shares.values())]
    assert len(imported) >= 15
    assert any(time is None for state in named for time in state.in_shares.values())

    contested = [name for name, state in catalogs.states.items() if state.contested_by]
    assert len(contested) == 1
    folded = Counter(name.casefold() for name in catalogs.states)
    assert sorted(folded.values())[-2:] == [1, 2]
    assert 15 <= len(catalogs.states) <= 80

    assert accounts.parked.count == 4
    assert catalogs.parked.count == 3
    assert {event.reason for event in accounts.parked.recent} == {
        ParkReason.UNKNOWN_TYPE,
        ParkReason.PAYLOAD,
        ParkReason.TOKEN,
    }
    kinds = Counter(event.type for event in usable_events(seed))
    assert kinds[EventType.UNSHARED] >= 1
    assert kinds[EventType.IMPORTED] >= 60


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_that_sees_a_contested_catalog_sees_both(seed: int) -> None:
    events = usable_events(seed)
    _, catalogs = folds(seed)
    shares = {(e.catalog, e.origin, e.target) for e in events if e.type is EventType.SHARED}
    for name, state in catalogs.states.items():
        for rival in state.contested_by:
            to_rivals = {target for shared, by, target in shares if (shared, by) == (name, rival)}
            assert any((name, state.owner, target) in shares for target in to_rivals)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_event_has_an_effect_but_the_odd_ones(seed: int) -> None:
    """So every import is of an active share, every unshare ends one, every bind is news."""
    fold = Fold(ACCOUNTS)
    idle = []
    for record in records(history(seed, 4_000)):
        event = NATSTER.read(record)
        parked = fold.parked.count
        changed = fold.apply(record, event)
        if fold.parked.count > parked:
            continue
        assert isinstance(event, Event)
        if not changed:
            idle.append(event.seq)
        elif event.type in CATALOG_TYPES:
            assert set(changed) == {event.origin, event.target}
    assert idle == [2], "only the hub's greeting to itself changes nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_accounts_are_initialized_before_anything_else_but_an_invitation(seed: int) -> None:
    initialized: set[str] = set()
    invited: set[str] = set()
    for event in usable_events(seed, 1_000):
        if event.type is EventType.INITIALIZED:
            initialized.add(event.origin)
        assert event.origin in initialized
        if event.type in CATALOG_TYPES and event.target not in initialized:
            assert event.type in (EventType.SHARED, EventType.UNSHARED)
            invited.add(event.target)
    assert len(invited) <= 3
    assert len(invited - initialized) <= 1, "at most the last guest is still on the way"


def test_shares_are_withdrawn_and_given_again() -> None:
    withdrawn: set[tuple[str, str, str]] = set()
    again = 0
    for event in usable_events(1, 2_000):
        triple = (event.origin, event.target, event.catalog)
        if event.type is EventType.UNSHARED:
            withdrawn.add(triple)
        elif event.type is EventType.SHARED and triple in withdrawn:
            again += 1
    assert again >= 10


def test_an_account_is_renamed_and_another_signs_in_again() -> None:
    names: dict[str, set[str]] = {}
    tokens: dict[str, set[str]] = {}
    identities: dict[str, set[str]] = {}
    for event in usable_events(1):
        if event.type is EventType.INITIALIZED:
            value = json.loads(event.payload)
            assert list(value) == ["account_id", "account_name", "account_key"]
            assert value["account_key"] == event.origin
            names.setdefault(event.origin, set()).add(value["account_name"])
    for account, state in folds(1, 1_500)[0].states.items():
        if state.bound_context:
            fields = state.bound_context.as_document()["bound_context"]
            assert list(fields) == list(CONTEXT_FIELDS)
            assert fields["account_public_key"] == account
            assert all(fields.values())
            assert re.match(r"(github|google-oauth2)\|\d+$", state.bound_context.oauth_id)
    for event in usable_events(1, 1_500):
        if event.type is EventType.CONTEXT_BOUND and event.payload.endswith(b"}}"):
            value = json.loads(event.payload)
            tokens.setdefault(event.origin, set()).add(value["bound_context"]["access_token"])
            identities.setdefault(event.origin, set()).add(value["oauth_id"])
    assert sum(len(each) == 2 for each in names.values()) == 1
    assert any(len(each) > 1 for each in tokens.values())
    assert all(len(each) == 1 for each in identities.values())


# However long it gets


def test_names_and_keys_stay_usable_in_a_long_history() -> None:
    accounts, catalogs = folds(4, 12_000)
    assert len(accounts.states) > 250
    names = [state.account_name for state in accounts.states.values() if state.account_name]
    assert len(set(names)) == len(names) >= len(accounts.states) - 1
    assert all(account_key_problem(key) is None for key in accounts.states)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) for name in catalogs.states)
    # Rare, but not only at the beginning.
    assert 10 <= accounts.parked.count <= 60
    assert accounts.parked.recent[-1].seq > 11_000
    assert all("\x00" not in event.subject and " " not in event.subject for event in history(4))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 21, 34])
def test_short_histories_fold_without_oddities(count: int) -> None:
    for seed in SEEDS:
        accounts, catalogs = folds(seed, count)
        assert accounts.parked.count == catalogs.parked.count == 0
        assert len(history(seed, count)) == count
