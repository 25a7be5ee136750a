"""What about a log is dangerous, DESIGN section 2: "its hazards are shown"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.events.log.info import LogInfo, hazards_of

SAFE = LogInfo(
    stream="NATSTER_EVENTS", created="2026-11-23T03:13:15.1Z", first_seq=1, last_seq=20,
    messages=20, bytes=1, deleted=0, discard="new", max_bytes=0, max_msgs=0,
    max_msgs_per_subject=0, max_age_s=0, deny_delete=True, deny_purge=True, allow_direct=True,
    replicas=1, max_msg_size=0, sealing="off",
)  # fmt: skip


def test_a_log_as_we_make_it_has_none() -> None:
    assert hazards_of(SAFE) == ()
    assert hazards_of(replace(SAFE, first_seq=0, last_seq=0, messages=0)) == ()


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (replace(SAFE, first_seq=6, messages=15), "the first event left is 6, so 5 are gone"),
        (replace(SAFE, deleted=3), "3 events were deleted from the middle"),
        (replace(SAFE, discard="old"), "discard is old: once it has a limit"),
        (replace(SAFE, discard="old", max_msgs=90), "discard is old: a full log will forget"),
        (replace(SAFE, max_msgs_per_subject=1), "only the last 1 events of a subject are kept"),
        (replace(SAFE, max_age_s=60.0), "events older than 60 s are forgotten"),
        (replace(SAFE, deny_purge=False), "deny_purge not set"),
        (replace(SAFE, max_bytes=1_000, bytes=801), "80 % full: raise max_bytes before it refuses"),
        (replace(SAFE, max_msgs=20), "100 % full"),
    ],
)
def test_each_hazard_is_one_sentence(log: LogInfo, says: str) -> None:
    (hazard,) = hazards_of(log)
    assert says in hazard


def test_at_eighty_percent_it_is_not_over_it() -> None:
    assert hazards_of(replace(SAFE, max_bytes=1_000, bytes=800)) == ()


def test_a_full_log_that_discards_old_events_forgets() -> None:
    full = replace(SAFE, discard="old", max_bytes=1_000, bytes=990)
    assert "99 % full: raise max_bytes before it forgets events" in hazards_of(full)[-1]
