"""Why a document is what it is: the events that made it, newest first, each with its change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from natster_tui.domain.events import read_event
from natster_tui.domain.masking import screen_text
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.presentation import VERBS, Names, change_line, event_phrase
from natster_tui.domain.projection import Projection
from natster_tui.engine.key_history import KeyHistory, key_history
from natster_tui.errors import NatsterError
from natster_tui.tui.cells import Cell
from natster_tui.tui.clock import row_time
from natster_tui.tui.field import Field
from natster_tui.tui.view import View
from natster_tui.tui.virtual_list import VirtualList


class Reasons(VirtualList):
    """The events, and below each what it changed."""

    def __init__(self, view: View, title: str) -> None:
        super().__init__(view, title, "reasons")
        self._title = title
        self._lines: list[tuple[int, Sequence[Cell]]] = []
        self._said: tuple[str, ...] = ("", " reading the events of this key …")
        self._history: KeyHistory | None = None

    @property
    def selected_seq(self) -> int | None:
        """The event under the cursor."""
        return self._lines[self.cursor][0] if self._lines else None

    def say(self, sentence: str) -> None:
        """Show a sentence instead of rows."""
        self._said = ("", f" {sentence}")
        self.refresh_rows()

    def show(self, history: KeyHistory, field: str = "") -> None:
        """Show a history, or only what changed fields whose line holds a text."""
        self._history = history
        self._lines = []
        shown = 0
        names = Names(self.view.accounts)
        for change in reversed(history.changes):
            record = change.record
            seq = record.seq
            lines = [change_line(one, names=names) for one in change.fields]
            if field:
                lines = [line for line in lines if field.lower() in line.lower()]
                if not lines:
                    continue
            shown += 1
            event = read_event(record)
            phrase, style = screen_text(record.subject, 200), ""
            if not isinstance(event, ParkReason):
                who, whom, catalog = event_phrase(event, names)
                phrase = " ".join(filter(None, (VERBS[event.type], who, whom, catalog)))
                style = "marked"
            when = row_time(record.event_time, self.view.now())
            self._lines.append(
                (seq, [Cell(f"{seq:,}", 9, "dim", right=True), Cell(when, 11, "dim"),
                       Cell(phrase, 0, style)])
            )  # fmt: skip
            self._lines.extend((seq, [Cell("", 21), Cell(line)]) for line in lines)
        self._said = ("", f" nothing in the log has made this as of {history.seq:,}")
        self.set_row_count(len(self._lines))
        total = len(history.changes)
        counted = f"{total:,} events" if not field else f"{shown:,} of {total:,} events"
        self.caption(
            f"{self._title}: {counted}, newest first",
            "enter goes to the event · / one field · esc closes",
        )
        self.refresh_rows()

    def narrow(self, field: str) -> None:
        """Show only what changed a field."""
        if self._history is not None:
            self.show(self._history, field)

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        return self._lines[row][1]

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        return self._said

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`: what is shown here does not change."""
        return ()

    def update_rows(self) -> None:
        """See `VirtualList.update_rows`."""


class WhyScreen(ModalScreen[int | None]):
    """Shows the reasons; its result is the event to go to, if one was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "close"),
        ("q,w", "dismiss(None)", "close"),
        ("slash", "field", "one field"),
    ]

    def __init__(self, view: View, projection: Projection[Any], key: str) -> None:
        super().__init__(classes="page")
        self._view = view
        self._projection = projection
        self._key = key
        name = Names(view.accounts).of(key)
        shown = name if projection.name == "account" else screen_text(key, 60)
        self._field = Field(
            placeholder="a field or a value, such as account_name", classes="hidden", compact=True
        )
        self._reasons = Reasons(view, f"Why {projection.name} {shown}")

    def compose(self) -> ComposeResult:
        """The list in a frame."""
        with Vertical(classes="dialog bare"):
            yield self._reasons
            yield self._field

    def action_field(self) -> None:
        """Ask for a field."""
        self._field.remove_class("hidden")
        self._field.focus()

    def action_leave(self) -> None:
        """Undo the narrowing, or close."""
        if self._field.has_class("hidden"):
            self.dismiss(None)
        else:
            self._field.value = ""
            self._field.add_class("hidden")
            self._reasons.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow as it is typed."""
        event.stop()
        self._reasons.narrow(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the rows."""
        event.stop()
        self._reasons.focus()

    def on_mount(self) -> None:
        """Begin to read."""
        self._reasons.focus()
        self.run_worker(self._read(), exclusive=True)

    async def _read(self) -> None:
        workspace = self._view.workspace
        if workspace.log is None:
            self._reasons.say("not connected")
            return
        try:
            moment = self._view.moment
            head = (await workspace.log.refresh()).last_seq if moment is None else moment.seq
            self._reasons.show(
                await key_history(
                    workspace.log, self._projection, self._key, head, workspace.options.instance
                )
            )
        except NatsterError as error:
            self._reasons.say(error.sentence)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """Enter: go to the event."""
        message.stop()
        self.dismiss(self._reasons.selected_seq)

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Moving in here is nobody else's business."""
        message.stop()
