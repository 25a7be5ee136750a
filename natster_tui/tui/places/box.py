"""The go-to box: type a name, a key, a sequence or a moment, and go there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from natster_tui.events.event import Event
from natster_tui.projections.projection_sentences import event_phrase
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import notice, start
from natster_tui.tui.clock import full_time, row_time
from natster_tui.tui.keys.dialogs import GO_TO_BOX, GO_TO_FIELD
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.panes.columns import DocumentColumns, DocumentRow, arranged, cells_of
from natster_tui.tui.places.lookup import (
    Documents,
    Found,
    Unreachable,
    moments_begun,
    moments_named,
)
from natster_tui.tui.places.navigator import Navigator
from natster_tui.tui.places.place import DocumentPlace, EventPlace, MomentPlace
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field
from natster_tui.tui.widgets.virtual_list import VirtualList

_KIND = 9


class FoundList(VirtualList, can_focus=False):
    """The list of matches. The keyboard stays in the field above; only clicks come here."""

    def __init__(self, view: View, declared: Sequence[DocumentColumns[Any]]) -> None:
        super().__init__(view, "Go to", "found")
        self._declared = {columns.projection.name: columns for columns in declared}
        self._arrangements = {
            name: arranged(columns.columns, identified=True)
            for name, columns in self._declared.items()
        }
        self._found: Sequence[Found] = ()
        self._text = ""

    @property
    def selected(self) -> Found | None:
        """The match under the cursor."""
        return self._found[self.cursor] if self._found else None

    def show(self, text: str, found: Sequence[Found]) -> None:
        """Show what a text finds, best first."""
        if text != self._text:
            self.place_cursor(0)
        self._text, self._found = text, found
        self.set_row_count(len(found))
        self.caption("Go to", f"{len(found):,} found" if found else "")
        self.refresh_rows()

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        match self._found[row]:
            case Unreachable(sentence):
                return [Cell("moment", _KIND, "dim"), Cell(sentence, 0, "warn")]
            case MomentPlace(seconds):
                return [
                    Cell("moment", _KIND, "dim"),
                    Cell(full_time(seconds), 0, "strong"),
                    Cell("the last event up to then", 0, "dim"),
                ]
            case EventPlace(seq):
                return [Cell("event", _KIND, "dim"), *self._event_cells(seq)]
            case DocumentPlace(projection, key):
                return self._document_cells(projection, key)

    def _event_cells(self, seq: int) -> Sequence[Cell]:
        number = Cell(f"{seq:,}", 11, "strong")
        record = self.view.workspace.follower.get(seq)
        if record is None:
            return [number]
        event = self.view.parsed(record).event
        when = Cell(row_time(record.event_time, self.view.now()), 11, "dim")
        if not isinstance(event, Event):
            return [number, when, Cell("parked", 11, "bad"), Cell(event.value, 0, "dim")]
        phrase = " ".join(filter(None, event_phrase(event, self.view.names)))
        return [number, when, Cell(event.kind.word, 11, event.kind.style), Cell(phrase)]

    def _document_cells(self, projection: str, key: str) -> Sequence[Cell]:
        declared = self._declared[projection]
        width = self.scrollable_content_region.width - _KIND - 1
        state = self.view.fold(projection).states.get(key)
        shown: DocumentRow[Any] = DocumentRow(self.view, declared.projection, key, state, width)
        cells = cells_of(declared.columns, shown, self._arrangements[projection])
        return [Cell(projection, _KIND, "dim"), *cells]

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        if self._text.strip():
            return (
                "",
                f" nothing is called {screen_text(self._text.strip(), 40)}, and it is no moment",
            )
        nouns = ", ".join(columns.noun for columns in self._declared.values())
        return (
            "",
            f" a document by its name or key: {nouns}",
            " an event by its sequence: 300",
            " a moment: yesterday, 2d, 09:30, 11-22 10:12, 2026-11-22",
        )

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`: `show` says when anything changed."""
        return ()

    def update_rows(self) -> None:
        """See `VirtualList.update_rows`."""


class GoToField(Field):
    """The text. Enter and the arrows act on the list below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(GO_TO_FIELD)]


class GoToBox(Dialog[None]):
    """Lists what the text finds as it is typed. `navigator` goes where Enter says."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(GO_TO_BOX)]

    def __init__(
        self,
        view: View,
        declared: Sequence[DocumentColumns[Any]],
        documents: Documents,
        navigator: Navigator,
    ) -> None:
        super().__init__()
        self._view = view
        self._documents = documents
        self._navigator = navigator
        self._taking = iter(()) if documents.is_current else documents.take()
        self.field = GoToField(
            placeholder="a name, a key, a sequence, or a moment such as yesterday",
            compact=True,
            select_on_focus=False,
        )
        self.found = FoundList(view, declared)

    def compose(self) -> ComposeResult:
        """The field above the list."""
        with Vertical(classes="dialog bare"):
            yield self.field
            yield self.found
        yield KeyLine(self._view.glyphs)

    def on_mount(self) -> None:
        """Read the names, and list what is found meanwhile."""
        start(self, self._take_names, "names")
        self.set_interval(0.5, self._look)
        self._look()

    async def _take_names(self) -> None:
        for _ in self._taking:
            await asyncio.sleep(0)
        self._look()

    def on_input_changed(self) -> None:
        """Another text."""
        self._look()

    def _look(self) -> None:
        """List what the text finds now."""
        text, follower = self.field.value, self._view.workspace.follower
        moments = moments_named(text, self._view.now(), follower.first, follower.head)
        for found in moments:
            if isinstance(found, EventPlace):
                follower.want(found.seq, found.seq)
        # Behind the documents: their names may begin like the word of a moment.
        begun = moments_begun(text, self._view.now())
        self.found.show(text, [*moments, *self._documents.find(text), *begun])

    # -- keys ------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Up or down in the list."""
        self.found.action_cursor(step)

    def action_page(self, direction: int) -> None:
        """A page up or down in the list."""
        self.found.action_page(direction)

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Stop it here: the dashboard would take the list for one of its panes."""
        message.stop()

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """A double click opens."""
        message.stop()
        self.action_open()

    def action_open(self) -> None:
        """Go to what the cursor is on."""
        self._go(travelling=False)

    def action_travel(self) -> None:
        """Travel to the moment that the cursor is on."""
        self._go(travelling=True)

    def _go(self, *, travelling: bool) -> None:
        if not self.is_current:
            return  # a key before this one has closed it
        # Keys that were typed ahead may come before the names are read.
        for _ in self._taking:
            pass
        self._look()
        match self.found.selected:
            case None:
                if self.field.value.strip():
                    notice(self, f"nothing is called {self.field.value.strip()}")
            case Unreachable(sentence):
                notice(self, sentence)
            case DocumentPlace() if travelling:
                key = self._view.keymap.hint
                travels, opens = key("go_to.travel"), key("go_to.open")
                notice(self, f"{travels} travels to events and moments; {opens} opens this")
            case MomentPlace(seconds):
                self._look_up(seconds, travelling=travelling)
            case DocumentPlace() as place:
                self.dismiss()
                self._navigator.open_page(place)
            case EventPlace() as place:
                self.dismiss()
                self._navigator.open(place, travelling=travelling)

    def _look_up(self, seconds: int, *, travelling: bool) -> None:
        """Find the moment's event; the box stays open until it is found, and if there is none."""
        self.found.caption("Go to", "looking for it in the log …")

        async def look_up() -> None:
            found = await self._navigator.event_at(seconds, travelling=travelling)
            if isinstance(found, Unreachable):
                self._look()
                notice(self, found.sentence)
            else:
                self.dismiss()
                self._navigator.open(found, travelling=travelling)

        start(self, look_up, "moment")
