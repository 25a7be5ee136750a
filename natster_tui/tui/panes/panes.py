"""The panes of the main screen, and the selection: the current row of the pane that was used last.

Commands such as "why", "copy" and "publish" are about the selection. All of them get it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.widget import Widget

from natster_tui.events.event import Event, Record
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.tui.panes.account_columns import ACCOUNT_COLUMNS
from natster_tui.tui.panes.catalog_columns import CATALOG_COLUMNS
from natster_tui.tui.panes.columns import DocumentColumns
from natster_tui.tui.panes.documents import DocumentsPane
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.panes.model_columns import model_columns
from natster_tui.tui.panes.projectors import Projectors
from natster_tui.tui.panes.selection import (
    DocumentSelection,
    EventSelection,
    ProjectorSelection,
    Selection,
)
from natster_tui.tui.panes.timeline import Timeline
from natster_tui.tui.view import View
from natster_tui.tui.widgets.virtual_list import VirtualList

_DECLARED: dict[str, DocumentColumns[Any]] = {
    columns.projection.name: columns for columns in (ACCOUNT_COLUMNS, CATALOG_COLUMNS)
}
_NUMBERS = {ACCOUNTS.name: "2", CATALOGS.name: "3"}
_FURTHER_NUMBERS = "6789"
"""Keys that go to the documents of further projections, in the order of registration."""


def declared_columns(projection: Projection[Any]) -> DocumentColumns[Any]:
    """How the documents of a projection are shown, unless the settings say otherwise."""
    return _DECLARED.get(projection.name) or model_columns(projection)


class Panes:
    """The timeline, a documents pane for each projection, the projectors and the inspector.

    They are kept here instead of being queried: a dialog may be on top, and a last refresh may come
    after the screen is gone. `columns` are the headings that the user chose, by projection.
    """

    def __init__(
        self,
        view: View,
        projections: Sequence[Projection[Any]],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        self.timeline = Timeline(view)
        numbers = iter(_FURTHER_NUMBERS)
        self.documents: dict[str, DocumentsPane] = {}
        for projection in projections:
            number = _NUMBERS.get(projection.name) or next(numbers, "")
            declared = declared_columns(projection)
            if projection.name in columns:
                declared = declared.with_columns(columns[projection.name])
            pane = DocumentsPane(view, declared, number)
            pane.set_class(projection.name not in _NUMBERS, "further")
            self.documents[projection.name] = pane
        self.projectors = Projectors(view)
        self.projectors.set_class(len(self.documents) > len(_DECLARED), "several")
        self.inspector = Inspector(view)
        self.last_used: VirtualList = self.timeline
        """The pane whose row commands are about."""
        self._asked_for: Widget = self.timeline
        self._follower = view.workspace.follower

    @property
    def accounts(self) -> DocumentsPane:
        """The documents of the account projection."""
        return self.documents[ACCOUNTS.name]

    @property
    def catalogs(self) -> DocumentsPane:
        """The documents of the catalog projection."""
        return self.documents[CATALOGS.name]

    @property
    def lists(self) -> Iterator[VirtualList]:
        """The panes with rows."""
        yield from (self.timeline, *self.documents.values(), self.projectors)

    @property
    def further_numbers(self) -> Iterator[str]:
        """The number keys that only further projections use."""
        for pane in self.documents.values():
            if pane.number and pane.number in _FURTHER_NUMBERS:
                yield pane.number

    def numbered(self, number: int) -> Widget | None:
        """The pane that a number key goes to."""
        by_number: dict[str, Widget] = {pane.number: pane for pane in self.documents.values()}
        by_number |= {"1": self.timeline, "4": self.projectors, "5": self.inspector}
        return by_number.get(str(number))

    def narrowed_by(self, pane: VirtualList) -> Iterator[DocumentsPane]:
        """The panes that show only what the row of another one links to."""
        if isinstance(pane, DocumentsPane):
            for other in self.documents.values():
                narrowing = other.declared.narrowing
                if narrowing is not None and narrowing.by == pane.projection.name:
                    yield other

    def narrow_by(self, pane: VirtualList) -> None:
        """Narrow other panes to what the row of this one links to."""
        if isinstance(pane, DocumentsPane):
            for narrowed in self.narrowed_by(pane):
                narrowed.show(pane.selected_key)

    def sortable(self, focused: Widget | None) -> DocumentsPane:
        """The pane that is sorted: the one with the focus, or the accounts."""
        return focused if isinstance(focused, DocumentsPane) else self.accounts

    def toggle_narrowing(self) -> None:
        """Let narrowed panes show all documents, or narrow them again."""
        for pane in self.documents.values():
            if pane.is_narrowed:
                pane.show_all()

    def show_inspector(self) -> None:
        """Go to the inspector."""
        self.mark_in_use(self.inspector)
        self.focus(self.inspector)

    def mark_in_use(self, pane: Widget) -> None:
        """Mark the pane that is in use, on which the layout depends."""
        if pane.has_class("here"):
            return
        screen = pane.screen
        # Restyling every widget takes as long as painting, so do it only if the look depends on it.
        # A later zoom or resize restyles them anyway.
        matters = screen.has_class("zoomed") or screen.has_class("-narrow")
        for each in (*self.lists, self.inspector):
            each.set_class(each is pane, "here", update=matters)
        at_left = pane in (self.timeline, self.inspector)
        for name, is_so in (
            ("at-left", at_left),
            ("at-right", not at_left),
            ("at-timeline", pane is self.timeline),
            ("at-inspector", pane is self.inspector),
        ):
            screen.set_class(is_so, name, update=matters)

    def focus(self, pane: Widget) -> None:
        """Give a pane the keyboard, and make it the one that commands are about."""
        if isinstance(pane, VirtualList):
            self.last_used = pane
        self._asked_for = pane
        if pane.focusable:
            # Not `pane.focus()`, which is deferred: keys typed ahead are meant for this pane.
            pane.screen.set_focus(pane)
        else:
            # A pane that zoom or a narrow terminal hides can take the focus once it is shown.
            pane.app.call_after_refresh(self._focus_shown, pane)

    def _focus_shown(self, pane: Widget) -> None:
        if pane is self._asked_for:  # else a later key has asked for another one
            pane.screen.set_focus(pane)

    @property
    def chosen_document(self) -> DocumentSelection | None:
        """The document, when a documents pane was used last."""
        pane = self.last_used
        if not isinstance(pane, DocumentsPane) or pane.selected_key is None:
            return None
        return DocumentSelection(pane.projection, pane.selected_key, pane.selected_share)

    @property
    def chosen_event(self) -> Event | None:
        """The event, when the timeline was used last, and it is one of ours."""
        return self.timeline.selected_event if self.last_used is self.timeline else None

    @property
    def selection(self) -> Selection | None:
        """The row of the pane that was used last."""
        if (chosen := self.chosen_document) is not None:
            return chosen
        if self.last_used is self.projectors and self.projectors.selected is not None:
            return ProjectorSelection(self.projectors.selected)
        seq = self.timeline.selected_seq
        return None if seq is None else EventSelection(seq, self.record)

    @property
    def record(self) -> Record | None:
        """The record under the timeline's cursor, if it is loaded."""
        seq = self.timeline.selected_seq
        return None if seq is None else self._follower.get(seq)
