"""Checking that this is still the log that a projection was derived from.

Every start and every reconnect checks it. Each difference has a sentence of its own, and none makes
a projector start over silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from natster_tui.events.log.info import LogInfo
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.text.counting import counted_was
from natster_tui.text.masking import screen_text

_REMEDY = "check the log, and rebuild if it is the right one"


class Difference(Enum):
    """How a log differs from the one that a checkpoint was derived from."""

    NAME = "it has another name"
    END = "it ends before the checkpoint"
    CREATION = "it was created at another time"
    EVENT = "another event is at the checkpoint's sequence"
    LOST_EVENTS = "events after the checkpoint are missing from its beginning"


@dataclass(frozen=True, slots=True)
class ChangedLog:
    """A log on which a projection must not go on from a checkpoint.

    `time_at_seq` is the stream time of the event at the checkpoint's sequence, None if that
    event no longer exists.
    """

    difference: Difference
    info: LogInfo
    checkpoint: Checkpoint
    time_at_seq: str | None

    @property
    def sentence(self) -> str:
        """What has changed, and what to do."""
        info, checkpoint = self.info, self.checkpoint
        match self.difference:
            case Difference.NAME:
                what = (
                    "the projection was derived from the log "
                    f"{screen_text(checkpoint.log_stream, 100)}, not from {info.stream}: "
                )
            case Difference.END:
                what = (
                    f"{info.stream} ends at {info.last_seq:,} but the projection has seen "
                    f"{checkpoint.seq:,}: the log was shrunken, restored or replaced; "
                )
            case Difference.CREATION:
                what = (
                    f"{info.stream} was created at {info.created}, but the projection comes from a "
                    f"log created at {screen_text(checkpoint.log_created, 40)}: the log was "
                    "deleted and made again; "
                )
            case Difference.EVENT:
                what = (
                    f"event {checkpoint.seq:,} of {info.stream} is from {self.time_at_seq}, but "
                    f"the projection saw one from {screen_text(checkpoint.log_time, 40)}: this is "
                    "another log of the same name; "
                )
            case Difference.LOST_EVENTS:
                lost = info.first_seq - _next_after(info, checkpoint)
                what = (
                    f"{info.stream} begins at {info.first_seq:,}, but the projection is at "
                    f"{checkpoint.seq:,}: {counted_was(lost, 'event')} "
                    "lost before being projected; "
                )
        return what + _REMEDY


def changed_log(
    info: LogInfo, checkpoint: Checkpoint, time_at_seq: str | None
) -> ChangedLog | None:
    """Why projecting must not go on from `checkpoint`, or None if it may.

    For `time_at_seq` see `ChangedLog`.
    """
    difference = _difference(info, checkpoint, time_at_seq)
    return None if difference is None else ChangedLog(difference, info, checkpoint, time_at_seq)


def _difference(
    info: LogInfo, checkpoint: Checkpoint, time_at_seq: str | None
) -> Difference | None:
    if checkpoint.log_stream != info.stream:
        return Difference.NAME
    if checkpoint.seq > 0:
        if info.last_seq < checkpoint.seq:
            return Difference.END
        if checkpoint.log_created != info.created:
            return Difference.CREATION
        if time_at_seq is not None and time_at_seq != checkpoint.log_time:
            return Difference.EVENT
    expected = _next_after(info, checkpoint)
    if info.last_seq >= expected and info.first_seq > expected:
        return Difference.LOST_EVENTS
    return None


def _next_after(info: LogInfo, checkpoint: Checkpoint) -> int:
    """The sequence of the first event after a checkpoint."""
    return max(checkpoint.seq + 1, info.start)
