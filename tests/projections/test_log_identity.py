"""Whether this is still the log that a projection came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.events.log.info import LogInfo
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.projections.log_identity import identity_problem

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
    assert identity_problem(LOG, SEEN, TIME) is None
    assert identity_problem(replace(LOG, last_seq=12), SEEN, TIME) is None
    assert identity_problem(LOG, NOTHING_SEEN, None) is None
    assert identity_problem(replace(LOG, first_seq=13), SEEN, None) is None
    assert identity_problem(replace(LOG, first_seq=0, last_seq=0), NOTHING_SEEN, None) is None


def test_the_event_at_the_checkpoint_may_have_been_deleted_since() -> None:
    assert identity_problem(LOG, SEEN, None) is None
    # All of it, by a purge that forgot nothing that was not projected.
    assert identity_problem(replace(LOG, first_seq=13, last_seq=12), SEEN, None) is None


@pytest.mark.parametrize(
    ("log", "time_at_seq", "says"),
    [
        (replace(LOG, last_seq=11), None, "ends at 11 but the projection has seen 12"),
        (replace(LOG, first_seq=0, last_seq=0), None, "ends at 0"),
        (replace(LOG, created=OTHER), TIME, "deleted and made again"),
        (LOG, OTHER_TIME, "another log of the same name"),
        (replace(LOG, first_seq=14), None, "1 events were lost unseen"),
        (replace(LOG, first_seq=21, last_seq=20), None, "8 events were lost unseen"),
        (replace(LOG, stream="OTHER"), TIME, "from the log NATSTER_EVENTS, not from OTHER"),
    ],
)
def test_each_way_of_being_another_log_has_its_own_sentence_with_a_remedy(
    log: LogInfo, time_at_seq: str | None, says: str
) -> None:
    problem = identity_problem(log, SEEN, time_at_seq)
    assert problem is not None
    assert says in problem
    assert "rebuild" in problem


def test_a_log_whose_beginning_nobody_saw_is_not_taken_for_a_whole_one() -> None:
    problem = identity_problem(replace(LOG, first_seq=3), NOTHING_SEEN, None)
    assert problem is not None
    assert "2 events were lost unseen" in problem
