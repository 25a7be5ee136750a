"""Filtering the timeline, searching the lists, and going from match to match.

The prompt asks for the text, and this module decides what it means.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TypeAlias

from textual.app import App

from natster_tui.events.filter.filter_field import BadFilterError
from natster_tui.tui.background import notice
from natster_tui.tui.panes.documents import DocumentsPane
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.projectors import Projectors
from natster_tui.tui.view import View
from natster_tui.tui.widgets.prompt import Prompt, Purpose

_Searched: TypeAlias = DocumentsPane | Projectors | Inspector


class Search:
    """Searches and filters the panes with what the prompt asks for; notes are shown by `app`."""

    def __init__(self, view: View, panes: Panes, prompt: Prompt, app: App[None]) -> None:
        self._view = view
        self._workspace = view.workspace
        self._panes = panes
        self._prompt = prompt
        self._app = app
        self._searching: _Searched | None = None
        self.filter_to_offer = ""
        """The filter that the prompt offers the first time, if nothing is filtered."""

    # -- lists -----------------------------------------------------------------------------

    @property
    def _searched(self) -> _Searched | None:
        """The list, or the inspector, that the prompt searches just now."""
        return self._searching if self._prompt.purpose is Purpose.FIND else None

    def ask(self) -> None:
        """Search the pane that has the focus; the timeline is filtered."""
        # Not `has_focus`: that follows a little later, and the keys may come in one piece.
        panes, focused = self._panes, self._app.focused
        if focused is panes.inspector:
            self._searching = panes.inspector
            key = self._view.keymap.hint
            further = f"{key('inspector.next_found')} and {key('inspector.previous_found')} go on"
            hint = f"a text in what is shown; {further}"
            self._prompt.open(Purpose.FIND, panes.inspector.search, hint=hint)
            return
        for pane, hint in self._lists:
            if focused is pane:
                self._searching = pane
                self._prompt.open(Purpose.FIND, pane.search, hint=hint)
                break
        else:
            offered, self.filter_to_offer = self.filter_to_offer, ""
            self._prompt.open(Purpose.FILTER, panes.timeline.filter_text or offered)

    @property
    def _lists(self) -> Iterator[tuple[DocumentsPane | Projectors, str]]:
        """The lists that are searched, each with what the prompt says of it."""
        for pane in self._panes.documents.values():
            yield pane, pane.declared.search_hint
        yield self._panes.projectors, self._panes.projectors.search_hint

    def typed(self, text: str) -> None:
        """A search narrows as it is typed."""
        if (searched := self._searched) is not None:
            _search(searched, text.strip())

    def answered(self, text: str) -> None:
        """Enter: keep a search, or set a filter."""
        match self._prompt.purpose:
            case Purpose.FILTER:
                self.set_filter(text)
            case Purpose.NAME:
                self._prompt.name_filter(text)
            case _:
                self._close_prompt()

    def give_up(self) -> bool:
        """Escape: end the prompt or a search; False if there was neither."""
        if self._prompt.is_asking(Purpose.NAME):
            self._prompt.back_to_filter()
            return True
        if self._prompt.is_open:
            if self._searched is not None:
                _search(self._searched, "")
            self._close_prompt()
            return True
        searched: list[_Searched] = [pane for pane, _hint in self._lists if pane.search]
        if self._panes.inspector.search:
            searched.append(self._panes.inspector)
        for pane in searched:
            _search(pane, "")
        return bool(searched)

    def _close_prompt(self) -> None:
        self._prompt.close()
        is_about_row = self._prompt.purpose is Purpose.COMPARE
        self._panes.focus(
            self._searched or (self._panes.last_used if is_about_row else self._panes.timeline)
        )

    # -- the log ---------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Show the events that pass only; all of them when the text is empty."""
        try:
            wanted = self._view.filters.parse(text, self._view.now()) if text.strip() else None
        except BadFilterError as error:
            self._prompt.say(str(error), is_problem=True)
            return
        self._workspace.timeline_filter.set(wanted)
        if wanted is not None and self._prompt.is_open:
            self._prompt.use(text.strip())
        self._prompt.close()
        self._panes.focus(self._panes.timeline)

    def clear_filter(self) -> bool:
        """Show all events again; False if there was no filter."""
        if self._workspace.timeline_filter.shown is None:
            return False
        self._workspace.timeline_filter.set(None)
        return True

    def toggle_parked(self) -> None:
        """Show parked events only, or all events again."""
        filtered = self._workspace.timeline_filter.shown
        only_parked = filtered is not None and filtered.wanted.text == "parked"
        self.set_filter("" if only_parked else "parked")

    def walk_matches(self, step: int) -> None:
        """The next or previous event that passes the last filter."""
        timeline, matches = self._panes.timeline, self._workspace.timeline_filter.matches
        seq = timeline.selected_seq
        if matches is None:
            key = self._view.keymap.hint("timeline.filter")
            notice(self._app, f"nothing was filtered for yet: press {key} in the timeline first")
            return
        if seq is None or not matches.seqs:
            notice(self._app, "no event passes the last filter")
            return
        at = bisect_right(matches.seqs, seq) if step > 0 else bisect_left(matches.seqs, seq) - 1
        if 0 <= at < len(matches.seqs):
            timeline.jump_to(matches.seqs[at])
        else:
            notice(self._app, "no more matches in this direction")


def _search(searched: _Searched, text: str) -> None:
    if isinstance(searched, Inspector):
        searched.find(text)
    else:
        searched.search = text
        searched.update_rows()
