"""Choosing and building the sheet that the inspector shows, and reading what it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import partial

from textual.widget import Widget

from natster_tui.engine.history.document_history import effects_of
from natster_tui.errors import DocumentRefusedError, NatsterError
from natster_tui.events.event import Record
from natster_tui.projections.history.steps import Effect
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.panes.catalog_columns import catalog_warnings
from natster_tui.tui.panes.selection import (
    DocumentSelection,
    EventSelection,
    ProjectorSelection,
    Selection,
)
from natster_tui.tui.sheets.account_sheet import account_sheet
from natster_tui.tui.sheets.catalog_sheet import catalog_sheet
from natster_tui.tui.sheets.comparison import Comparison
from natster_tui.tui.sheets.document_sheet import document_sheet
from natster_tui.tui.sheets.event_sheet import absent_event_sheet, change_sheet, event_sheet
from natster_tui.tui.sheets.json_sheet import Path, json_sheet
from natster_tui.tui.sheets.lease_sentences import held_since, lease_line
from natster_tui.tui.sheets.projector_sheet import projector_sheet
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone, document_title
from natster_tui.tui.sheets.stories import Stories
from natster_tui.tui.view import View


class DocumentForm(Enum):
    """The form in which the inspector shows a document."""

    PAGE = auto()
    JSON = auto()
    COMPARISON = auto()


class SheetWriter:
    """Builds sheets. `owner` runs the reads for them, `ready` is called after each read."""

    def __init__(self, view: View, owner: Widget, ready: Callable[[], None]) -> None:
        self.shows_change = False
        """Whether an event's change is shown instead of the event."""
        self.form = DocumentForm.PAGE
        self.folded: set[Path] = set()
        """The parts of the JSON that are folded away."""
        self.comparison = Comparison(view, owner, ready)
        self._view = view
        self._owner = owner
        self._ready = ready
        self._stories = Stories(view, owner, ready)
        self._effects: Sequence[Effect] | str | None = None
        self._effects_of: tuple[Record | None, EventLog | None] = (None, None)
        """What the effects were read for. After an erasure the log is opened again, and the
        record, a little later, is another object."""

    def choices(self, selection: Selection, *, reveal: bool) -> object:
        """The user's choices for a sheet; when they change, it is shown at once."""
        shown = (self.form, self.shows_change, frozenset(self.folded), self.comparison.version)
        moment = self._view.moment
        return (selection, shown, None if moment is None else moment.seq, reveal)

    def inputs(self, selection: Selection) -> object:
        """What else a document's sheet depends on; None for a sheet that is built each time.

        The sheet is kept while this is equal: building a hub's sheet takes a tenth of a second, too
        long for each refresh.
        """
        if not isinstance(selection, DocumentSelection):
            return None
        view = self._view
        history = (
            self._stories.history_of(selection).basis if self.form is DocumentForm.PAGE else None
        )
        return (history, view.version, view.hubs, view.homonyms, view.now() // 60)

    def sheet_of(self, selection: Selection, *, reveal: bool) -> Sheet:
        """The sheet of a selection."""
        view = self._view
        formatter = Formatter(view.names, view.shown_at, reveal, view.keymap)
        match selection:
            case DocumentSelection():
                return self._document(selection, formatter)
            case ProjectorSelection(projector):
                workspace = view.workspace
                lease = workspace.leases.get(projector.projection.name)
                failed_s = time.monotonic() - projector.status.failed_at
                line = lease_line(lease, read_only=workspace.read_only)
                since = held_since(lease, read_only=workspace.read_only)
                last = view.verdict_of(projector)
                verdict = "" if last is None else last.forms[0]
                beside = workspace.versions.of(projector.projection.name)
                return projector_sheet(projector, line, since, verdict, failed_s, formatter, beside)
            case EventSelection(seq, None):
                return absent_event_sheet(seq, deleted=view.workspace.follower.is_known(seq))
            case EventSelection(seq, record) if not self.shows_change:
                assert record is not None
                return event_sheet(view.parsed(record), view.parked(record), formatter)
            case EventSelection(seq, record):
                assert record is not None
                return change_sheet(seq, self._effects_by(record), formatter)

    def _document(self, selection: DocumentSelection, formatter: Formatter) -> Sheet:
        """A document's page; of one that a rule made and that cannot be stored, why not."""
        try:
            return self._document_page(selection, formatter)
        except DocumentRefusedError as error:
            section = Section(selection.projection.key_noun)
            section.add("", error.sentence, Tone.BAD, wide=True)
            title = document_title(selection.projection, selection.key, formatter.names)
            return Sheet(title, (section,))

    def _document_page(self, selection: DocumentSelection, formatter: Formatter) -> Sheet:
        view, projection, key = self._view, selection.projection, selection.key
        fold = view.fold(projection.name)
        if self.form is DocumentForm.JSON:
            return json_sheet(key, fold, formatter, self.folded)
        if self.form is DocumentForm.COMPARISON:
            compared = self.comparison.sheet(selection, formatter)
            if compared is not None:
                return compared
        history = self._stories.history_of(selection)
        if projection is ACCOUNTS:
            warnings = tuple(self._contested(key))
            return account_sheet(
                key, fold, formatter, history, is_hub=key in view.hubs, warnings=warnings
            )
        if projection is CATALOGS:
            return catalog_sheet(
                key,
                fold,
                formatter,
                history,
                twins=view.collisions.get(key, ()),
                accounts=view.accounts,
                share=selection.share,
            )
        return document_sheet(key, fold, formatter, history, view.accounts, view.catalogs)

    def _contested(self, account: str) -> Sequence[tuple[str, str]]:
        """Catalogs shared by an account whose names have a warning, each with the warning."""
        view, state = self._view, self._view.accounts.get(account)
        catalogs = [] if state is None else dict.fromkeys(name for name, _other in state.out_shares)
        return [
            (name, f"{screen_text(name, 60)}: {warning}")
            for name in catalogs
            for warning in catalog_warnings(view, name)
        ]

    # -- what an event changed -------------------------------------------------------------

    def _effects_by(self, record: Record) -> Sequence[Effect] | str | None:
        """What an event changed; None at first, while the first call starts reading it."""
        wanted = (record, self._view.workspace.log)
        if self._effects_of != wanted:
            self._effects_of, self._effects = wanted, None
            start(self._owner, partial(self._read_effects, record), "effects")
        return self._effects

    async def _read_effects(self, record: Record) -> None:
        workspace, wanted = self._view.workspace, self._effects_of
        log = workspace.log
        if log is None:
            return
        try:
            effects: list[Effect] | str = await effects_of(
                log, record, workspace.options.instance, self._view.projections
            )
        except NatsterError as error:
            effects = error.sentence
        if self._effects_of == wanted:
            self._effects = effects
            self._ready()
