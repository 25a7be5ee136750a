"""The most urgent problem, in the line above the footer."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.tui.theme import Glyphs

SHOWN_AFTER_S = 2.0
"""A wait is shown after so many seconds."""


def alert_of(workspace: Workspace) -> str:
    """A sentence, or nothing."""
    if workspace.sentence and workspace.connection is not Connection.CONNECTED:
        return workspace.sentence
    for projector in workspace.projectors.values():
        status = projector.status
        stopped = status.phase is Phase.STOPPED
        # Watching is no problem with --read-only, or while another process projects.
        watching = status.phase is Phase.WATCHING and not workspace.read_only
        waits = status.waiting is not None and not status.waiting.needs_operator
        if status.problem and (stopped or (watching and not waits)):
            return f"{projector.projection.name}: {status.problem}"
    waited_for = workspace.reporter.waits(SHOWN_AFTER_S)
    return waited_for[0] if waited_for else ""


class Alert(Static):
    """Shows the alert while there is one."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="alert")
        self._glyphs = glyphs
        self._shown = ""

    def show(self, workspace: Workspace) -> None:
        """Show the most urgent problem, if there is one."""
        sentence = alert_of(workspace)
        if sentence != self._shown:
            self._shown = sentence
            self.set_class(bool(sentence), "shown")
            self.update(Text(f"{self._glyphs.warn} {sentence}" if sentence else ""))
