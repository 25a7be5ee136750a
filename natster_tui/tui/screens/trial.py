"""The dialog that shows how a tried projection differs from what is stored."""

from __future__ import annotations

import time
from typing import Any

from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.trying.trial import read_log, try_projection
from natster_tui.engine.trying.trial_sentences import result_lines, second_fold_line
from natster_tui.projections.api import Projection
from natster_tui.text.safe_text import safe_text
from natster_tui.tui.screens.replay import ReplayScreen
from natster_tui.tui.view import View


class TrialScreen(ReplayScreen):
    """Reads the log and folds it twice with a tried projection, as `natster-tui try` does."""

    def __init__(self, view: View, projection: Projection[Any]) -> None:
        super().__init__(view, f"Difference of {projection.name}", [projection])
        self._shown: ReplayProgress | None = None

    def on_mount(self) -> None:
        """Begin at once: nothing is written."""
        self.hint(closing="cancels")
        self.work(self._try)

    async def _try(self) -> None:
        (projection,) = self.projections
        workspace = self.view.workspace
        instance = workspace.options.instance
        log = workspace.connected_log()
        self.say("Folding the log twice, and comparing the documents with those that are stored.")
        records = await read_log(log, instance, self._show)
        trial = await try_projection(
            log, projection, records, projection.tried_from, instance, self._show
        )
        if self._shown is not None:
            self._shown.finished = time.monotonic()
            self.show_progress(self._shown)
        self.clear()
        self.say(second_fold_line(trial), "text-success" if trial.second is None else "text-error")
        for line in result_lines(trial):
            self.say(line)
        if trial.diff is not None:
            for field in trial.fields():
                name = safe_text(field.field, 100)
                self.say(f"  {field.sign} {name} in {field.documents:,} of {trial.diff.keys:,}")
            self.print_changes(projection.name, trial.diff.changes)
        self.hint()

    def _show(self, seq: int, head: int) -> None:
        shown = self._shown
        if shown is None or seq < shown.seq:  # reading is over, and folding begins
            shown = self._shown = ReplayProgress(1, head, time.monotonic())
        shown.seq = shown.events = seq
        self.show_progress(shown)
