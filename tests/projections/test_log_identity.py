"""Whether this is still the log that a projection came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.events.log.info import LogInfo
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.projections.log_identity import Difference, changed_log

CREATED, OTHER = "2026-11-23T03:13:15.1Z", "2026-11-24T03:13:15.1Z"
TIME, OTHER_TIME = "2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z"

LOG = LogInfo(
    stream="NATSTER_EVENTS", created=CREATED, first_seq=1, last_seq=20, messages=20, bytes=1,
    deleted=0, discard="new", max_bytes=0, max_msgs=0, max_msgs_per_subject=0, max_age_s=0,
    deny_delete=True, deny_purge=True, allow_direct=True, replicas=1, max_msg_size=0, sealing="off",
)  # fmt: skip
SEEN = Checkpoint(12, 1, "NATSTER_EVENTS", CREATED, TIME)
NOTHING_SEEN = Checkpoint(0, 1, "NATSTER_EVENTS", CREATED, "")


def test_the_same_log_with_more_events_is_fine() -> None:
    assert changed_log(LOG, SEEN, TIME) is None
    assert changed_log(replace(LOG, last_seq=12), SEEN, TIME) is None
    assert changed_log(LOG, NOTHING_SEEN, None) is None
    assert changed_log(replace(LOG, first_seq=13), SEEN, None) is None
    assert changed_log(replace(LOG, first_seq=0, last_seq=0), NOTHING_SEEN, None) is None


def test_the_event_at_the_checkpoint_may_have_been_deleted_since() -> None:
    assert changed_log(LOG, SEEN, None) is None
    # All of it, by a purge that forgot nothing that was not projected.
    assert changed_log(replace(LOG, first_seq=13, last_seq=12), SEEN, None) is None


@pytest.mark.parametrize(
    ("log", "time_at_seq", "difference", "says"),
    [
        (
            replace(LOG, last_seq=11),
            None,
            Difference.END,
            "the projection has seen 12",
        ),
        (replace(LOG, first_seq=0, last_seq=0), None, Difference.END, "ends at 0"),
        (replace(LOG, created=OTHER), TIME, Difference.CREATION, "deleted and made again"),
        (LOG, OTHER_TIME, Difference.EVENT, "another log of the same name"),
        (replace(LOG, first_seq=14), None, Difference.LOST_EVENTS, "1 event was lost before"),
        (
            replace(LOG, first_seq=21, last_seq=20),
            None,
            Difference.LOST_EVENTS,
            "8 events were lost",
        ),
        (
            replace(LOG, stream="OTHER"),
            TIME,
            Difference.NAME,
            "NATSTER_EVENTS, not from OTHER",
        ),
    ],
)
def test_each_way_of_being_another_log_has_its_own_sentence_with_a_remedy(
    log: LogInfo, time_at_seq: str | None, difference: Difference, says: str
) -> None:
    changed = changed_log(log, SEEN, time_at_seq)
    assert changed is not None
    assert changed.difference is difference
    assert says in changed.sentence
    assert "rebuild" in changed.sentence


def test_a_log_whose_first_events_are_missing_is_not_taken_for_a_whole_one() -> None:
    changed = changed_log(replace(LOG, first_seq=3), NOTHING_SEEN, None)
    assert changed is not None
    assert changed.difference is Difference.LOST_EVENTS
    assert "2 events were lost before" in changed.sentence
