"""Whether the log goes on where a fold ends: what does not arrive was deleted, or is late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from natster_tui.engine.log.readings import Reading
from natster_tui.errors import LogChangedError
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.projections.fold import Fold
from natster_tui.projections.log_identity import changed_log
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader


async def check_continuity(log: EventLog, fold: Fold[Any], readings: Sequence[Reading]) -> None:
    """Raise LogChangedError where a jump in the sequence means a log that was cut under us."""
    if readings[-1].record.seq - fold.seq == len(readings):
        return
    await _refuse_lost_events(log, fold)


async def hole_end(log: EventLog, fold: Fold[Any], reader: StreamReader) -> int | None:
    """Where the events before the head that do not arrive end, if all of them were deleted.

    Raises ServerError when they exist and are not delivered, LogChangedError when the log is
    another one or was cut.
    """
    await _refuse_lost_events(log, fold)
    head = log.info.last_seq
    return head if await reader.has_all(head) else None


async def _refuse_lost_events(log: EventLog, fold: Fold[Any]) -> None:
    info = await log.refresh()
    here = Checkpoint(fold.seq, fold.projection.version, info.stream, info.created, "")
    if changed := changed_log(info, here, None):
        raise LogChangedError(changed.sentence)
