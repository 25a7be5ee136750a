"""Publishing: validated against the state, appended under an expectation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from natster_tui.engine.log.publish import publish
from natster_tui.errors import ConflictError, RefusedError, ServerError
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.log.hazards import HazardKind, hazards_of
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.append_rules import Proposal
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import consumers_of, create_reference_stream, stream_state
from tests.folding import fold_all
from tests.jetstream import ask_jetstream
from tests.making_logs import (
    append,
    bound,
    context,
    imported,
    initialized,
    records_in,
    shared,
    unshared,
)

A, B, C = (encode_account_key(bytes([number]) * 32) for number in (1, 2, 3))
CONTEXT = context("github|aaa", user_id="u")

INITIALIZE, BIND = EventType.INITIALIZED, EventType.CONTEXT_BOUND
SHARE, UNSHARE, IMPORT = EventType.SHARED, EventType.UNSHARED, EventType.IMPORTED


async def test_every_kind_of_event_is_appended_with_an_id_and_its_expectation(
    log: EventLog,
) -> None:
    proposals = [
        Proposal(INITIALIZE, A, payload=b'{"account_name":"Ann"}'),
        Proposal(INITIALIZE, B),
        Proposal(BIND, A, payload=CONTEXT),
        Proposal(SHARE, A, B, "kevbuzz"),
        Proposal(IMPORT, B, A, "kevbuzz"),
        Proposal(SHARE, A, C, "kevbuzz"),
        Proposal(UNSHARE, A, B, "kevbuzz"),
    ]
    for seq, proposal in enumerate(proposals, 1):
        assert await publish(log, proposal, "test") == seq
    records = await records_in(log)
    assert [(r.subject, r.payload) for r in records] == [(p.subject, p.payload) for p in proposals]
    assert len({record.header(MESSAGE_ID) for record in records}) == len(proposals)
    # The newest of the kind before each one: of the account, or of the catalog.
    expected = [r.header("Nats-Expected-Last-Subject-Sequence") for r in records]
    assert expected == ["0", "0", "1", "0", "4", "5", "6"]
    assert {r.header("Nats-Expected-Last-Subject-Sequence-Subject") for r in records} == {
        f"natster.events.{A}.none.none.*", f"natster.events.{B}.none.none.*",
        "natster.events.*.*.kevbuzz.*",
    }  # fmt: skip
    assert all(fold_all(p, records).parked.count == 0 for p in PROJECTIONS)
    assert await consumers_of(log.link) == set()


@pytest.mark.parametrize(
    ("proposal", "says"),
    [
        (Proposal(INITIALIZE, A), "initialized already"),
        (Proposal(INITIALIZE, "none"), "origin"),
        (Proposal(INITIALIZE, "AA.*"), "origin"),
        (Proposal(BIND, A, payload=CONTEXT), "bound already"),
        (Proposal(BIND, C, payload=CONTEXT), "not initialized"),
        (Proposal(BIND, A, payload=b"null"), "oauth_id"),
        (Proposal(SHARE, A, A, "kevbuzz"), "same account"),
        (Proposal(SHARE, A, B, "kevbuzz"), "already"),
        (Proposal(SHARE, C, B, "other"), "not initialized"),
        (Proposal(SHARE, B, C, "kevbuzz"), "another account"),
        (Proposal(SHARE, A, B, "KevBuzz"), "letter case"),
        (Proposal(SHARE, A, B, "none"), "name"),
        (Proposal(SHARE, A, B, ">"), "name"),
        (Proposal(SHARE, A, B, "a$b"), "name"),
        (Proposal(SHARE, A, B, "_checkpoint"), "name"),
        (Proposal(SHARE, A, "none", "kevbuzz"), "target"),
        (Proposal(UNSHARE, A, C, "kevbuzz"), "nothing to unshare"),
        (Proposal(IMPORT, B, A, "kevbuzz"), "imported already"),
        (Proposal(IMPORT, C, A, "kevbuzz"), "not shared"),
    ],
)
async def test_what_would_be_parked_or_change_nothing_is_refused_and_not_written(
    proposal: Proposal, says: str, log: EventLog
) -> None:
    await append(
        log,
        [initialized(A, "Ann"), bound(A, CONTEXT), initialized(B), shared(A, B), imported(B, A)],
    )
    before = await stream_state(log.link, NATSTER.stream)
    with pytest.raises(RefusedError, match=says) as caught:
        await publish(log, proposal, "test")
    assert caught.value.sentence.startswith("not published: ")
    assert caught.value.exit_code == 1
    assert await stream_state(log.link, NATSTER.stream) == before


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Proposal(SHARE, A, C, "movies"), Proposal(SHARE, B, C, "movies")),
        (Proposal(SHARE, A, C, "movies"), Proposal(SHARE, A, C, "movies")),
        (Proposal(INITIALIZE, C, payload=b'{"account_name":"x"}'), Proposal(INITIALIZE, C)),
    ],
)
async def test_of_two_publishers_who_decide_on_the_same_state_one_wins(
    one: Proposal, two: Proposal, log: EventLog, settings: ConnectionSettings
) -> None:
    head = await append(log, [initialized(A), initialized(B)])
    other_link = await Link.open(settings)
    other = await EventLog.open(other_link, NATSTER)
    results = await asyncio.gather(
        publish(log, one, "one"), publish(other, two, "two"), return_exceptions=True
    )
    await other_link.close()
    won = [result for result in results if isinstance(result, int)]
    (lost,) = [result for result in results if not isinstance(result, int)]
    assert won == [head + 1]
    # Who came in between the look and the append is a conflict; who looked after it is refused.
    assert isinstance(lost, ConflictError | RefusedError)
    assert (await log.refresh()).last_seq == head + 1


async def test_an_append_under_a_stale_expectation_is_a_conflict_and_writes_nothing(
    log: EventLog,
) -> None:
    await append(log, [shared(A, B), shared(A, C)])
    message = Append(shared(B, C).subject, b"", ((MESSAGE_ID, "late"),))
    with pytest.raises(ConflictError, match="look at what came in, and try again"):
        await log.append(message, expected_last=1, expected_subject="natster.events.*.*.kevbuzz.*")
    assert (await log.refresh()).last_seq == 2
    assert (
        await log.append(message, expected_last=2, expected_subject="natster.events.*.*.kevbuzz.*")
        == 3
    )


async def test_an_append_that_landed_unheard_answers_its_retry_with_its_own_place(
    log: EventLog, settings: ConnectionSettings
) -> None:
    """The server checks the expectation first, so the retry is told of a conflict with itself."""
    message = Append(shared(A, B).subject, b"", ((MESSAGE_ID, "mine"),))
    other_link = await Link.open(settings)
    unheard = await EventLog.open(other_link, NATSTER)
    wanted = {"expected_last": 0, "expected_subject": "natster.events.*.*.kevbuzz.*"}
    assert await unheard.append(message, **wanted) == 1  # type: ignore[arg-type]
    await append(unheard, [bound(B)])
    await other_link.close()
    assert await log.append(message, **wanted) == 1  # type: ignore[arg-type]
    assert (await log.refresh()).last_seq == 2


async def test_other_accounts_and_catalogs_may_be_written_in_between(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [initialized(A), initialized(B)])
    expected = await log.last_of_subject("natster.events.*.*.movies.*")
    await append(log, [shared(B, C, "other"), bound(B)])
    message = Append(shared(A, B, "movies").subject, b"", ((MESSAGE_ID, "m"),))
    assert (
        await log.append(
            message, expected_last=expected, expected_subject="natster.events.*.*.movies.*"
        )
        == 5
    )


async def test_a_full_log_says_so_with_the_limit_and_the_remedy(link: Link) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(max_bytes=2_000))

    async def fill() -> None:
        for number in range(20):
            await publish(log, Proposal(INITIALIZE, encode_account_key(bytes([number]) * 32)), "t")

    with pytest.raises(ServerError) as caught:
        await fill()
    assert "NATSTER_EVENTS is full" in caught.value.sentence
    assert "max_bytes 2,000" in caught.value.sentence
    assert "raise max_bytes" in caught.value.sentence
    assert caught.value.exit_code == 3


async def test_a_subject_that_takes_no_more_is_told_by_the_name_of_its_limit(link: Link) -> None:
    shape = {"discard": "new", "discard_new_per_subject": True, "max_msgs_per_subject": 1}
    log = await log_shaped(link, **shape)
    await append(log, [initialized(A), shared(A, B, "jazz"), unshared(A, B, "jazz")])
    with pytest.raises(ServerError, match="raise max_msgs_per_subject of the stream"):
        await publish(log, Proposal(SHARE, A, B, "jazz"), "t")


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ("natster.events.*.*.*.*", "natster.events.$1.$3.$2.$4"),
        (">", "moved.>"),
        ("natster.>", "natster.>"),
        ("other.>", "natster.>"),
    ],
)
async def test_nothing_is_published_where_it_would_be_stored_as_another_event(
    link: Link, source: str, stored: str
) -> None:
    transform = {"src": source, "dest": stored}
    log = await log_shaped(link, subject_transform=transform)
    if source == stored or source == "other.>":
        assert await publish(log, Proposal(INITIALIZE, A), "t") == 1
        return
    with pytest.raises(ServerError, match="under other subjects than they are published on"):
        await publish(log, Proposal(INITIALIZE, A), "t")
    with pytest.raises(ServerError, match="subject_transform"):
        await log.append_all([initialized(A)], expected_last=None)
    assert (await log.refresh()).last_seq == 0


async def test_a_log_that_does_not_take_all_events_is_a_hazard(link: Link) -> None:
    some = [f"natster.events.{A}.>", f"natster.events.{B}.*.*.natster_initialized"]
    log = await log_shaped(link, subjects=some)
    assert "does not take all events" in hazards_of(log.info)[-1].sentence
    kinds = [f"natster.events.*.*.*.{each.name}" for each in NATSTER.kinds]
    await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
    log = await log_shaped(link, subjects=kinds)
    assert not [each for each in hazards_of(log.info) if each.kind is HazardKind.SUBJECTS]


async def log_shaped(link: Link, **settings: Any) -> EventLog:
    config = {"name": NATSTER.stream, "subjects": [NATSTER.subjects], "num_replicas": 1} | settings
    await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", config)
    return await EventLog.open(link, NATSTER)


async def test_a_log_as_the_reference_makes_it_can_be_published_to(link: Link) -> None:
    await create_reference_stream(link, NATSTER.stream)
    log = await EventLog.open(link, NATSTER)
    await append(log, [initialized(A)])
    assert await publish(log, Proposal(SHARE, A, B, "kevbuzz"), "test") == 2
    assert await publish(log, Proposal(IMPORT, B, A, "kevbuzz"), "test") == 3


@pytest.mark.parametrize("odd", [(">", B), (B, ">"), ("*", B), (">", ">"), ("a$b", B)])
async def test_odd_subjects_of_the_same_name_do_not_stand_in_the_way(
    odd: tuple[str, str], log: EventLog
) -> None:
    """What the server says is the newest of a filter is what it then compares with."""
    await append(log, [initialized(A), shared(A, C), shared(*odd), shared(A, B, "other")])
    assert await publish(log, Proposal(SHARE, A, B, "kevbuzz"), "test") == 5
    assert await publish(log, Proposal(UNSHARE, A, B, "kevbuzz"), "test") == 6
