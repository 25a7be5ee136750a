"""What about a log is dangerous."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.events.log.hazards import (
    Fill,
    Hazard,
    HazardKind,
    Limit,
    hazards_of,
    nearest_limit,
    why_not_publishable,
)
from natster_tui.events.log.info import LogInfo

SAFE = LogInfo(
    stream="NATSTER_EVENTS", created="2026-11-23T03:13:15.1Z", first_seq=1, last_seq=20,
    messages=20, bytes=1, deleted=0, discard="new", max_bytes=0, max_msgs=0,
    max_msgs_per_subject=0, max_age_s=0, deny_delete=True, deny_purge=True, allow_direct=True,
    replicas=1, max_msg_size=0, sealing="off",
)  # fmt: skip


@pytest.mark.parametrize(
    "log",
    [
        SAFE,
        replace(SAFE, first_seq=0, last_seq=0, messages=0),
        replace(SAFE, start=1_000_001, first_seq=1_000_001, last_seq=1_000_020),
        replace(SAFE, start=1_000_001, first_seq=1_000_001, last_seq=1_000_000, messages=0),
        replace(SAFE, in_cluster=True, replicas=3),
        replace(SAFE, max_bytes=1_000, bytes=800),
    ],
    ids=["ours", "empty", "first_seq", "empty with first_seq", "replicated", "at 80 %"],
)
def test_a_log_as_we_make_it_has_none(log: LogInfo) -> None:
    assert hazards_of(log) == ()


@pytest.mark.parametrize(
    ("log", "kind", "says"),
    [
        (
            replace(SAFE, first_seq=6, messages=15),
            HazardKind.HISTORY_LOST,
            "the first event left is 6, so 5 are gone",
        ),
        (
            replace(SAFE, start=11, first_seq=14, messages=7),
            HazardKind.HISTORY_LOST,
            "the first event left is 14, so 3 are gone",
        ),
        (replace(SAFE, deleted=3), HazardKind.EVENTS_DELETED, "3 events were deleted"),
        (replace(SAFE, retention="interest"), HazardKind.RETENTION, "retention is interest"),
        (replace(SAFE, retention="workqueue"), HazardKind.RETENTION, "retention is workqueue"),
        (replace(SAFE, storage="memory"), HazardKind.STORAGE, "storage is memory"),
        (replace(SAFE, discard="old"), HazardKind.DISCARD, "once it has a limit"),
        (replace(SAFE, discard="old", max_msgs=90), HazardKind.DISCARD, "a full log will forget"),
        (
            replace(SAFE, max_msgs_per_subject=1),
            HazardKind.SUBJECT_LIMIT,
            "no more than 1 event of a subject are kept",
        ),
        (
            replace(SAFE, max_msgs_per_subject=2, discard_new_per_subject=True),
            HazardKind.SUBJECT_LIMIT,
            "no more than 2 events (max_msgs_per_subject with discard_new_per_subject): an event "
            "that an account repeats is refused",
        ),
        (replace(SAFE, max_age_s=60.0), HazardKind.MAX_AGE, "older than 60 s are forgotten"),
        (replace(SAFE, allow_msg_ttl=True), HazardKind.MESSAGE_TTL, "allow_msg_ttl"),
        (replace(SAFE, allow_rollup_hdrs=True), HazardKind.ROLLUP, "can erase the log"),
        (replace(SAFE, persist_mode="async"), HazardKind.PERSIST_MODE, "persist_mode is async"),
        (replace(SAFE, in_cluster=True), HazardKind.ONE_REPLICA, "num_replicas"),
        (replace(SAFE, no_ack=True), HazardKind.NO_ACK, "no_ack"),
        (replace(SAFE, is_mirror=True), HazardKind.MIRROR, "is a mirror"),
        (replace(SAFE, is_sealed_stream=True), HazardKind.SEALED_STREAM, "is sealed"),
        (
            replace(SAFE, transform="subject_transform a.> to b.>"),
            HazardKind.SUBJECT_TRANSFORM,
            "under other subjects than they are published on (subject_transform a.> to b.>)",
        ),
        (
            replace(SAFE, takes_all_events=False, subjects=("a.>", "b")),
            HazardKind.SUBJECTS,
            "does not take all events (its subjects: a.>, b)",
        ),
        (replace(SAFE, deny_purge=False), HazardKind.NOT_DENIED, "deny_purge not set"),
        (
            replace(SAFE, max_bytes=1_000, bytes=801, max_msgs=100),
            HazardKind.NEARLY_FULL,
            "80 % full (max_bytes 1,000): raise max_bytes before it refuses",
        ),
        (
            replace(SAFE, max_msgs=20, max_bytes=1_000),
            HazardKind.NEARLY_FULL,
            "100 % full (max_msgs 20): raise max_msgs",
        ),
    ],
)
def test_each_hazard_is_one_value_with_one_sentence(
    log: LogInfo, kind: HazardKind, says: str
) -> None:
    (hazard,) = hazards_of(log)
    assert hazard.kind is kind
    assert says in hazard.sentence


def test_a_full_log_that_discards_old_events_forgets() -> None:
    hazards = hazards_of(replace(SAFE, discard="old", max_bytes=1_000, bytes=990))
    assert hazards[-1] == Hazard(
        HazardKind.NEARLY_FULL,
        "the log is 99 % full (max_bytes 1,000): raise max_bytes before it forgets events",
    )


def test_the_limit_of_the_account_may_be_the_nearest() -> None:
    log = replace(SAFE, max_bytes=1_000, bytes=810, discard="old")
    account = Fill(Limit.ACCOUNT_STORAGE, 900, 1_000)
    assert nearest_limit(log, account) == account
    assert hazards_of(log, account)[-1].sentence == (
        "the account is 90 % full (max_storage 1,000): raise max_storage of the account before "
        "it refuses events"
    )
    assert nearest_limit(log, replace(account, used=800)) == Fill(Limit.MAX_BYTES, 810, 1_000)


def test_a_log_without_limits_has_no_nearest_one() -> None:
    assert nearest_limit(SAFE) is None


def test_events_can_be_published_to_a_log_as_we_make_it() -> None:
    assert why_not_publishable(SAFE) == ""
