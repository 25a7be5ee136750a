"""Copy and export: a row to the clipboard or a file, the timeline's events to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.app import App

from natster_tui.engine.log.masked_export import export_file
from natster_tui.engine.log.timeline_filter import USUAL_LAG
from natster_tui.engine.row_json import document_json, event_json
from natster_tui.errors import NatsterError, RefusedError
from natster_tui.events.event import Record
from natster_tui.text.counting import counted
from natster_tui.tui.background import notice, start
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.selection import DocumentSelection, EventSelection, ProjectorSelection
from natster_tui.tui.terminal.clipboard import copy_text, fits_clipboard
from natster_tui.tui.view import View
from natster_tui.tui.widgets.prompt import Prompt, Purpose


class CopyExport:
    """Copies and exports what the panes show, with the clipboard, workers and notes of `app`."""

    def __init__(self, view: View, panes: Panes, app: App[None]) -> None:
        self._view = view
        self._panes = panes
        self._app = app

    def copy(self, *, reveal: bool) -> None:
        """Copy what the focused pane shows: a row as JSON on one line, or the inspector's text.

        With `reveal`, secrets are included; they go to the clipboard only, never to a file.
        """
        copied = self._copied(reveal=reveal)
        if copied is None:
            notice(self._app, "there is nothing to copy here")
            return
        what, text = copied
        start(self._app, partial(self._copy, what, text, reveal=reveal), "copy")

    def _copied(self, *, reveal: bool) -> tuple[str, Callable[[], str]] | None:
        """What would be copied: its name and a function that makes its text; None for nothing."""
        inspector, selection = self._panes.inspector, self._panes.selection
        # Not `has_focus`: that follows a little later, and the keys may come in one piece.
        inspects = self._app.focused is inspector
        shows_json = isinstance(selection, DocumentSelection) and inspector.shows_json
        if isinstance(selection, ProjectorSelection) or (inspects and not shows_json):
            # For the same reason it may still show another row, or secrets.
            inspector.inspect(selection)
            if (sheet := inspector.sheet) is None:
                return None
            return "what the inspector shows" if inspects else "the projector", lambda: sheet.text
        match selection:
            case DocumentSelection(projection, key):
                try:
                    document = self._view.fold(projection.name).document(key)
                except NatsterError as error:
                    # A rule made it, and it cannot be stored.
                    sentence = error.sentence
                    return "why it cannot be stored", lambda: sentence
                if document is None:
                    return None
                row = partial(document_json, document, reveal=reveal)
                return f"the {projection.key_noun}", row
            case EventSelection(seq, Record() as record):
                return f"event {seq:,}", partial(event_json, record, reveal=reveal)
            case _:
                return None

    async def _copy(self, what: str, make: Callable[[], str], *, reveal: bool) -> None:
        # In a thread: masking a hub's document takes most of a second, and keys must not wait.
        text = await asyncio.to_thread(make)
        if reveal and not fits_clipboard(text):
            notice(
                self._app,
                f"{what} is too large for the terminal's clipboard, and with its secrets it goes "
                "to no file: hide them first, or use natster-tui show --reveal",
            )
            return
        if reveal:
            self._app.copy_to_clipboard(text)
            notice(self._app, f"copied {what} with its secrets, to the terminal's clipboard only")
            return
        notice(self._app, copy_text(self._app, what, text))

    def export(self, name: str, prompt: Prompt) -> None:
        """Write what the timeline shows to a new file, secrets masked.

        The prompt that asked for its name stays open until that is done.
        """
        if not name.strip():
            key = self._view.keymap.hint("prompt.leave")
            prompt.say(f"type the name of a file, or press {key}", is_problem=True)
            return
        try:
            path = Path(name.strip()).expanduser()
        except RuntimeError:
            prompt.say("there is no such home directory: nothing was exported", is_problem=True)
            return
        prompt.say("exporting …")
        start(self._app, partial(self._export, path, prompt), "export")

    async def _export(self, path: Path, prompt: Prompt) -> None:
        try:
            count = await self._write(path)
        except NatsterError as error:
            if prompt.is_asking(Purpose.EXPORT):
                prompt.say(error.sentence, is_problem=True)
            else:
                notice(self._app, error.sentence)
            return
        if prompt.is_asking(Purpose.EXPORT):
            prompt.close()
            self._panes.focus(self._panes.timeline)
        notice(self._app, f"exported {counted(count, 'event')} to {path}, secrets masked")

    async def _write(self, path: Path) -> int:
        """The number of events in the file. Raises NatsterError."""
        workspace = self._view.workspace
        log, filtered = workspace.opened_log, workspace.timeline_filter.shown
        seqs = None if filtered is None else filtered.seqs
        if filtered is not None and not filtered.is_complete(workspace.follower.head - USUAL_LAG):
            raise RefusedError("the filter is still searching the log: export when it is done")
        return await export_file(log, path, seqs, workspace.options.instance)
