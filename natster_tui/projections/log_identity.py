"""Whether this is still the log that a projection was derived from.

Checked on every start and after every reconnect. Each reason for "no" has its own sentence, and
none of them makes a projector silently start over.
"""

from __future__ import annotations

from natster_tui.events.log.info import LogInfo
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.text.masking import screen_text

_REMEDY = "look at the log, and rebuild when this is the log you mean"


def identity_problem(info: LogInfo, checkpoint: Checkpoint, time_at_seq: str | None) -> str | None:
    """Why projecting must not go on from `checkpoint`, or None if it may.

    `time_at_seq` is the stream time of the event at the checkpoint's sequence, None if that
    event no longer exists.
    """
    if checkpoint.log_stream != info.stream:
        return (
            f"the projection was derived from the log {screen_text(checkpoint.log_stream, 100)}, "
            f"not from {info.stream}: {_REMEDY}"
        )
    if checkpoint.seq == 0:
        return _lost_unseen(info, checkpoint)
    if info.last_seq < checkpoint.seq:
        return (
            f"{info.stream} ends at {info.last_seq:,} but the projection has seen "
            f"{checkpoint.seq:,}: the log was shrunken, restored or replaced; {_REMEDY}"
        )
    if checkpoint.log_created != info.created:
        return (
            f"{info.stream} was created at {info.created}, but the projection comes from a log "
            f"created at {screen_text(checkpoint.log_created, 40)}: the log was deleted and made "
            f"again; {_REMEDY}"
        )
    if time_at_seq is not None and time_at_seq != checkpoint.log_time:
        return (
            f"event {checkpoint.seq:,} of {info.stream} is from {time_at_seq}, but the projection "
            f"saw one from {screen_text(checkpoint.log_time, 40)}: this is another log of the "
            f"same name; {_REMEDY}"
        )
    return _lost_unseen(info, checkpoint)


def _lost_unseen(info: LogInfo, checkpoint: Checkpoint) -> str | None:
    expected = max(checkpoint.seq + 1, info.start)
    if info.last_seq >= expected and info.first_seq > expected:
        return (
            f"{info.stream} begins at {info.first_seq:,}, but the projection stands at "
            f"{checkpoint.seq:,}: {info.first_seq - expected:,} events were lost "
            f"unseen; {_REMEDY}"
        )
    return None
