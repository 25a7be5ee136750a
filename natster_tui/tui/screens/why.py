"""The why dialog: the events that changed a document, newest first, each with its changes."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from natster_tui.engine.history.document_history import DocumentChange, KeyHistory, key_history
from natster_tui.errors import NatsterError
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import FieldChange
from natster_tui.projections.projection_sentences import change_line, event_phrase
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.clock import row_time
from natster_tui.tui.keys.dialogs import REASONS, WHY
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.sheets.sheet import document_name
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import AskingField
from natster_tui.tui.widgets.virtual_list import VirtualList

_AT_ONCE = 200
"""Events searched for a field before other tasks may run."""

_Reason = tuple[DocumentChange, Sequence[FieldChange]]


class Reasons(VirtualList):
    """The events, and below each what it changed. Rows are made when they are painted."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REASONS)]

    def __init__(self, view: View, title: str) -> None:
        super().__init__(view, title, "reasons")
        self.add_class("closes")
        self._title = title
        self._message: tuple[str, ...] = ("", " reading the events of this key …")
        self._history: KeyHistory | None = None
        self._reasons_shown: list[_Reason] = []
        self._first_rows: list[int] = []

    @property
    def selected_seq(self) -> int | None:
        """The event under the cursor."""
        return self._at(self.cursor)[0][0].record.seq if self._reasons_shown else None

    def _at(self, row: int) -> tuple[_Reason, int]:
        """The change that a row belongs to, and which of the change's rows it is."""
        index = bisect_right(self._first_rows, row) - 1
        return self._reasons_shown[index], row - self._first_rows[index]

    def say(self, sentence: str) -> None:
        """Show a sentence instead of rows."""
        self._message = ("", f" {sentence}")
        self.refresh_rows()

    def show(self, history: KeyHistory) -> None:
        """Show a history."""
        self._history = history
        for _ in self.narrow(""):
            pass

    def narrow(self, field: str) -> Iterator[None]:
        """Show only changes of fields whose line contains `field`; all changes if it is empty.

        A generator to run to its end. It yields now and then so that other tasks can run.
        """
        history = self._history
        if history is None:
            return
        self._message = ("", f" nothing in the log has made this as of {history.seq:,}")
        self._reasons_shown, self._first_rows = [], []
        names, wanted = self.view.names, field.lower()
        rows, total = 0, len(history.changes)
        for number, change in enumerate(reversed(history.changes), 1):
            fields: Sequence[FieldChange] = change.fields
            if wanted:
                fields = [one for one in fields if wanted in change_line(one, names=names).lower()]
            if fields:
                self._reasons_shown.append((change, fields))
                self._first_rows.append(rows)
                rows += 1 + len(fields)
            if wanted and number % _AT_ONCE == 0:
                self._count(
                    rows, f"{len(self._reasons_shown):,} of {counted(total, 'event')} so far"
                )
                yield
        if wanted:
            self._message = ("", f" none of {counted(total, 'event')} changed a field like this")
            self._count(rows, f"{len(self._reasons_shown):,} of {counted(total, 'event')}")
        else:
            self._count(rows, counted(total, "event"))

    def _count(self, rows: int, counted: str) -> None:
        key = self.view.keymap.hint
        self.set_row_count(rows)
        self.caption(
            f"{self._title}: {counted}, newest first",
            f"{key('why.open')} goes to the event · {key('why.field')} one field"
            f" · {key('why.close')} closes",
        )
        self.refresh_rows()

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        (change, fields), line = self._at(row)
        names = self.view.names
        if line > 0:
            return [Cell("", 21), Cell(change_line(fields[line - 1], names=names))]
        record = change.record
        event = self.view.system.read(record)
        phrase, style = screen_text(record.subject, 200), ""
        if not isinstance(event, ParkReason):
            who, whom, catalog = event_phrase(event, names)
            phrase = " ".join(filter(None, (event.kind.word, who, whom, catalog)))
            style = "marked"
        when = row_time(record.event_time, self.view.now())
        return [
            Cell(f"{record.seq:,}", 9, "dim", right=True), Cell(when, 11, "dim"),
            Cell(phrase, 0, style),
        ]  # fmt: skip

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        return self._message

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`: what is shown here does not change."""
        return ()

    def update_rows(self) -> None:
        """See `VirtualList.update_rows`."""


class WhyScreen(Dialog[int | None]):
    """Shows the reasons; its result is the event to go to, if one was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(WHY)]

    def __init__(self, view: View, projection: Projection[Any], key: str) -> None:
        super().__init__()
        self._view = view
        self._projection = projection
        self._key = key
        shown = document_name(projection, key, view.names)
        self._field = AskingField(
            placeholder="a field or a value, such as account_name",
            classes="hidden",
            compact=True,
        )
        self._reasons = Reasons(view, f"Why {projection.name} {shown}")

    def compose(self) -> ComposeResult:
        """The list in a frame."""
        with Vertical(classes="dialog bare"):
            yield self._reasons
            yield self._field
        yield KeyLine(self._view.glyphs)

    def action_field(self) -> None:
        """Ask for a field."""
        self._field.remove_class("hidden")
        self.set_focus(self._field)

    def action_leave(self) -> None:
        """Undo the narrowing, or close."""
        if self._field.has_class("hidden"):
            self.dismiss(None)
        else:
            self._field.value = ""
            self._field.add_class("hidden")
            self.set_focus(self._reasons)

    def _narrow(self, text: str) -> None:
        """Narrow the rows; those that are still being read are narrowed when they arrive."""
        start(self, partial(self._narrowing, text.strip()), "narrow")

    async def _narrowing(self, text: str) -> None:
        for _ in self._reasons.narrow(text):
            await asyncio.sleep(0)

    def on_input_changed(self) -> None:
        """Narrow as it is typed."""
        self._narrow(self._field.value)

    def on_asking_field_answered(self) -> None:
        """Enter: back to the rows."""
        self.set_focus(self._reasons)

    def on_mount(self) -> None:
        """Begin to read."""
        if self._field.has_class("hidden"):
            self.set_focus(self._reasons)
        start(self, self._read, "read")

    async def _read(self) -> None:
        workspace = self._view.workspace
        try:
            log = workspace.opened_log
            moment = self._view.moment
            head = (await log.refresh()).last_seq if moment is None else moment.seq
            history = await key_history(
                log, self._projection, self._key, head, workspace.options.instance
            )
        except NatsterError as error:
            self._reasons.say(error.sentence)
            return
        self._reasons.show(history)
        if self._field.value:
            self._narrow(self._field.value)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """Enter: go to the event."""
        message.stop()
        if self.is_current:  # after a quick second Enter, the screen is closed already
            self.dismiss(self._reasons.selected_seq)

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Keep moves in this list from reaching the panes behind it."""
        message.stop()
