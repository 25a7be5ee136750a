"""Comparing the document that is shown at two moments, in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.widget import Widget

from natster_tui.engine.history.document_history import key_document
from natster_tui.engine.log.sequence_at import sequence_at
from natster_tui.errors import NatsterError
from natster_tui.events.moments import AtSequence, BadMomentError, Moment, parse_moment
from natster_tui.projections.diff import field_changes
from natster_tui.store.log import EventLog
from natster_tui.tui.background import start
from natster_tui.tui.clock import full_time
from natster_tui.tui.panes.selection import DocumentSelection
from natster_tui.tui.sheets.compare_sheet import Side, compare_sheet
from natster_tui.tui.sheets.sheet import Formatter, Sheet, document_title
from natster_tui.tui.view import View


class Comparison:
    """Compares a document at two moments. `owner` runs the reads, `ready` is called after them."""

    def __init__(self, view: View, owner: Widget, ready: Callable[[], None]) -> None:
        self._view = view
        self._owner = owner
        self._ready = ready
        self._sheet: Callable[[Formatter], Sheet] | None = None
        self._of: tuple[object, ...] = ()
        self.version = 0
        """Changes whenever the sheet does."""

    def begin(self, selection: DocumentSelection, text: str) -> None:
        """Compare a document as of a moment with what is shown. Raises BadMomentError."""
        now = self._view.now()
        if not text.strip():
            raise BadMomentError("name a moment to compare with: yesterday, 2d, 09:30, 4711")
        moment = parse_moment(text, now, local=True)
        shown = self._view.moment
        end = None if shown is None else shown.seq
        self._of = (selection.projection.name, selection.key)
        name = document_title(selection.projection, selection.key, self._view.names)
        title = f"{name}: {'then and now' if end is None else 'two moments'}"
        self._show(partial(compare_sheet, title, None, "reading the events of this key …"))
        start(self._owner, partial(self._compare, selection, title, moment, end), "compare")

    def sheet(self, selection: DocumentSelection, formatter: Formatter) -> Sheet | None:
        """The comparison of a document, None if it was not asked for."""
        if self._sheet is None or self._of != (selection.projection.name, selection.key):
            return None
        return self._sheet(formatter)

    def end(self) -> None:
        """Drop the comparison."""
        self._sheet = None
        self.version += 1

    def _show(self, sheet: Callable[[Formatter], Sheet]) -> None:
        self._sheet = sheet
        self.version += 1
        self._ready()

    async def _compare(
        self, selection: DocumentSelection, title: str, moment: Moment, end: int | None
    ) -> None:
        workspace = self._view.workspace
        instance = workspace.options.instance
        try:
            log = workspace.opened_log
            head = (await log.refresh()).last_seq
            named = await self._sequence_of(log, moment, head)
            shown, word = (head, "now") if end is None else (end, "shown")
            # While travelling, the named moment may be the later one.
            first, last = min(named, shown), max(named, shown)
            words = ("then", word) if named <= shown else (word, "later")
            before, after = [
                await key_document(log, selection.projection, selection.key, seq, instance)
                for seq in (first, last)
            ]
            sides = (
                Side(first, await _label(log, first, words[0]), before is not None),
                Side(last, await _label(log, last, words[1]), after is not None),
            )
        except NatsterError as error:
            self._show(partial(compare_sheet, title, None, error.sentence))
            return
        changes = field_changes(before, after) if before != after else ()
        self._show(partial(compare_sheet, title, sides, changes))

    async def _sequence_of(self, log: EventLog, moment: Moment, last: int) -> int:
        if isinstance(moment, AtSequence):
            return min(moment.seq, last)
        return await sequence_at(log, moment.seconds, self._view.workspace.options.instance)


async def _label(log: EventLog, seq: int, which: str) -> str:
    """A moment in words: its sequence, and the time of the event there."""
    record = await log.record_at(seq) if seq else None
    if record is None:
        return f"{which}: before the first event" if seq == 0 else f"{which}: {seq:,}"
    return f"{which}: {seq:,}, {full_time(record.event_time)}"
