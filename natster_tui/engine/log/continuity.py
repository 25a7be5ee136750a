"""Whether the log continues where a fold ends, and which missing events were deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from natster_tui.engine.log.record_parser import ParsedRecord
from natster_tui.errors import LogChangedError
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.projections.fold import Fold
from natster_tui.projections.log_identity import changed_log
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader


async def check_continuity(log: EventLog, fold: Fold[Any], parsed: Sequence[ParsedRecord]) -> None:
    """Raise LogChangedError if a jump in the sequence means that events were lost."""
    if parsed[-1].record.seq - fold.seq == len(parsed):
        return
    await _refuse_lost_events(log, fold)


async def gap_end(log: EventLog, fold: Fold[Any], reader: StreamReader) -> int | None:
    """The log's head, if all events from the fold up to it were deleted; None if not yet known.

    Raises ServerError if they exist and are not delivered, LogChangedError if the log is another
    one or was cut.
    """
    await _refuse_lost_events(log, fold)
    head = log.info.last_seq
    return head if await reader.has_all(head) else None


async def _refuse_lost_events(log: EventLog, fold: Fold[Any]) -> None:
    info = await log.refresh()
    here = Checkpoint(fold.seq, fold.projection.version, info.stream, info.created, "")
    if changed := changed_log(info, here, None):
        raise LogChangedError(changed.sentence)
