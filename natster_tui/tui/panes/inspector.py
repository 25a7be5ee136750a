"""The inspector pane: the selected row in full."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.main_screen import INSPECTOR, SEARCHED_TEXT
from natster_tui.tui.keys.moving import SCROLLED
from natster_tui.tui.panes.reveal_timer import RevealTimer
from natster_tui.tui.panes.selection import DocumentSelection, Selection
from natster_tui.tui.panes.sheet_view import SheetView
from natster_tui.tui.places.place import Place
from natster_tui.tui.sheets.sheet import Fold, Target
from natster_tui.tui.sheets.writer import DocumentForm, SheetWriter
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View

_EVERY_S = 0.3
"""While many events come in, not each is shown: making and laying out a sheet is expensive."""
REST = 10
"""The pause between two builds of a sheet, as a multiple of the time of the last build."""


class Inspector(SheetView):
    """Shows the sheet of the selection, kept current, in the form that the user chose."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SCROLLED, SEARCHED_TEXT)]

    KEYS: ClassVar[tuple[Key, ...]] = INSPECTOR

    class Followed(Message):
        """A text that names something was clicked, or chosen with Enter."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self, view: View) -> None:
        super().__init__("inspector", view.glyphs)
        self.border_title = "5 Inspector"
        self.writer = SheetWriter(view, self, self._inspect_again)
        self._view = view
        self._selection: Selection | None = None
        self._choices: object = None
        self._inputs: object = None
        """The inputs that the sheet was built from."""
        self._rests_until = 0.0
        self._reveal_timer = RevealTimer(self._inspect_again)
        self._inspected_at = 0.0
        self._path = ""

    @property
    def shows_change(self) -> bool:
        """Whether an event's change is shown instead of the event."""
        return self.writer.shows_change

    @shows_change.setter
    def shows_change(self, wanted: bool) -> None:
        self.writer.shows_change = wanted

    @property
    def shows_json(self) -> bool:
        """Whether a document is shown as JSON."""
        return self.writer.form is DocumentForm.JSON

    @property
    def is_open(self) -> bool:
        """Whether the layout gives it room for more than its title."""
        return bool(self.display) and self.scrollable_content_region.height > 0

    @property
    def selection(self) -> Selection | None:
        """The row that the sheet is about."""
        return self._selection

    @property
    def reveals(self) -> bool:
        """Whether secrets are shown just now."""
        return self._reveal_timer.is_on

    def toggle_reveal(self) -> None:
        """Show secrets for a while, or hide them again."""
        self._reveal_timer.toggle(self)

    @property
    def _counted(self) -> str:
        if not self.search:
            return self._path
        lines = counted(len(self.found), "line")
        return f"/{screen_text(self.search, 20)} · {lines}"

    def _show_subtitle(self) -> None:
        text = " · ".join(filter(None, (self._reveal_timer.countdown, self._counted)))
        self.border_subtitle = Text(plain(text, self._view.glyphs))

    def toggle_json(self, selection: DocumentSelection) -> None:
        """Show a document as JSON, or its page again."""
        writer = self.writer
        writer.form = DocumentForm.PAGE if writer.form is DocumentForm.JSON else DocumentForm.JSON
        writer.folded.clear()
        self.inspect(selection)

    def compare(self, selection: DocumentSelection, text: str) -> None:
        """Compare a document as of a moment with what is shown. Raises BadMomentError."""
        self._selection = selection
        self.writer.comparison.begin(selection, text)
        self.writer.form = DocumentForm.COMPARISON
        self._inspect_again()

    def show_page(self) -> bool:
        """Leave JSON, a comparison or an event's change; False if none of them is shown."""
        writer = self.writer
        if isinstance(self._selection, DocumentSelection):
            left, writer.form = writer.form is not DocumentForm.PAGE, DocumentForm.PAGE
        else:
            left, writer.shows_change = writer.shows_change, False
        if left:
            writer.comparison.end()
            self._inspect_again()
        return left

    def show_path(self, path: str) -> None:
        """Show in the frame the path by which the user came here; empty for none."""
        if path != self._path:
            self._path = path
            self._show_subtitle()

    def inspect(self, selection: Selection | None, *, calmly: bool = False) -> None:
        """Show a selection as it is now; `calmly` skips an event if one was shown a moment ago.

        Another document is shown at once, because the user asked for it.
        """
        now = time.monotonic()
        document, before = _document_of(selection), _document_of(self._selection)
        is_new = document not in (None, before)
        if calmly and not is_new and now - self._inspected_at <= _EVERY_S:
            return
        self._inspected_at = now
        if document != before:
            # Another document is shown as its page, or as JSON if the one before was.
            self.writer.folded.clear()
            if self.writer.form is DocumentForm.COMPARISON:
                self.writer.form = DocumentForm.PAGE
        self._selection = selection
        if selection is None:
            return
        choices = self.writer.choices(selection, reveal=self.reveals)
        if choices == self._choices and now < self._rests_until:
            return
        inputs = self.writer.inputs(selection)
        if inputs is None or (choices, inputs) != (self._choices, self._inputs):
            self._choices, self._inputs = choices, inputs
            sheet = self.writer.sheet_of(selection, reveal=self.reveals)
            if self.show_sheet(sheet):
                self.border_title = Text(plain(f"5 {sheet.title}", self._view.glyphs))
            ended = time.monotonic()
            self._rests_until = ended + REST * (ended - now)

    def _inspect_again(self) -> None:
        self._rests_until = 0.0
        self.inspect(self._selection)
        self._show_subtitle()

    def find(self, text: str) -> None:
        """See `SheetView.find`; what is folded is searched, too."""
        if text and self.writer.folded:
            self.writer.folded.clear()
            self._inspect_again()
        super().find(text)
        self._show_subtitle()

    def follow(self, target: Target) -> None:
        """See `SheetView.follow`."""
        match target:
            case Fold(path):
                self.writer.folded.symmetric_difference_update({path})
                self._inspect_again()
            case place:
                self.post_message(self.Followed(place))


def _document_of(selection: Selection | None) -> tuple[str, str] | None:
    if isinstance(selection, DocumentSelection):
        return selection.projection.name, selection.key
    return None
