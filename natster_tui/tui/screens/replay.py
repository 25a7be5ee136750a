"""The base of dialogs that replay the log: a growing page, progress, one task at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Static

from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.errors import NatsterError
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import FieldChange, KeyChange
from natster_tui.projections.projection_sentences import Names, change_line
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import notice, start
from natster_tui.tui.places.place import DocumentPlace, Place
from natster_tui.tui.screens.pages.page_dialog import PageDialog
from natster_tui.tui.theme import progress_bar
from natster_tui.tui.view import View
from natster_tui.tui.widgets.alert import SHOWN_AFTER_S
from natster_tui.tui.widgets.dialogs.hints import Hint, Hints
from natster_tui.tui.widgets.dialogs.page import Lines, Page

_CHANGES_SHOWN = 200
_FIELDS_SHOWN = 50
"""For each key: the document of a hub may differ in a hundred thousand fields."""
_FOUND = {
    "added": "is not stored",
    "removed": "is stored, but not in the log",
    "changed": "differs from the log",
}
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_STYLES = {"added": "text-success", "removed": "text-error", "changed": "text-warning"}
_BAR = 24
WAITS_EVERY_S = 0.5


class ReplayScreen(PageDialog):
    """A dialog with a growing page and a progress line, which runs one task at a time."""

    def __init__(self, view: View, title: str, projections: Sequence[Projection[Any]]) -> None:
        super().__init__(view, title)
        self.projections = list(projections)
        self._progress = Static(id="dialog-progress")
        self._progress_width = 0
        """Cells of the longest progress line so far, so that the frame does not shrink with it."""
        self._hints = Hints(view)
        self._shown_lines: list[str] = []
        self._steps = 0
        self._reporter = Reporter(self.say)
        """Receives what the steps wait for."""
        self._waited_for: set[str] = set()
        self._wait_timer: Timer | None = None

    def compose_around(self, page: Page) -> ComposeResult:
        """The page, the progress and the hints."""
        yield page
        yield self._progress
        yield self._hints

    def say(self, line: str, style: str = "") -> None:
        """Add a line."""
        lines = Lines()
        self._add(lines, line, style)
        self.page.append(lines.lines)

    def _add(self, lines: Lines, line: str, style: str = "") -> None:
        self._shown_lines.append(line)
        for each in line.split("\n"):
            lines.add(each, self.app.theme_variables.get(style, style))

    @property
    def shown_text(self) -> str:
        """Everything on the page so far."""
        return "\n".join(self._shown_lines)

    def clear(self) -> None:
        """Clear the page and start again."""
        self._shown_lines = []
        self.page.show(())

    def hint(self, *hints: Hint, closing: str = "closes") -> None:
        """Show what can be done now, and what closing the dialog means."""
        self._hints.show(*hints)
        self._hints.display = bool(hints)
        self.hint_closing(closing)

    @property
    def widest(self) -> int:
        """See `PageDialog.widest`."""
        return max(super().widest, self._progress_width)

    def show_progress(self, progress: ReplayProgress) -> None:
        """Events done and total, rate and time left."""
        glyphs = self.view.glyphs
        width = min(_BAR, max(10, self.size.width - 60))
        left = progress.seconds_left
        about = "" if left is None or progress.finished else f", {left:,.0f} s left"
        text = Text(
            f"{progress_bar(progress.fraction, width, glyphs)} {progress.seq:,} of "
            f"{progress.last:,}, {progress.rate:,.0f}/s{about}"
        )
        self._progress_width = max(self._progress_width, text.cell_len)
        # Shown at once, so that the user can stop a replay that is of no use.
        for trouble in filter(None, [progress.parked_line, *progress.blocked]):
            text.append(f"\n{glyphs.warn} {trouble}", self.app.theme_variables["text-warning"])
        self._progress.update(text)

    def warn_of_repeated_ids(self, progress: ReplayProgress) -> None:
        """Show a warning if the events that were read repeat message ids."""
        if progress.repeated_ids and (hazard := progress.repeated_ids.hazard):
            self.say(f"{self.view.glyphs.warn} {hazard.sentence}", "text-warning")

    def work(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step instead of the previous one, and show its failures and what it waits for."""
        if self._wait_timer is None:
            self._wait_timer = self.set_interval(WAITS_EVERY_S, self._show_waits)
        start(self, partial(self._guarded, step), "replay")

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        self._steps += 1
        try:
            with reporting_to(self._reporter):
                await step()
        except NatsterError as error:
            self.say(f"{self.view.glyphs.bad} {error.sentence}", "text-error")
            self.hint()
        finally:
            self._steps -= 1
            if self.is_mounted:
                self.refresh_bindings()

    def _show_waits(self) -> None:
        for sentence in self._reporter.waits(SHOWN_AFTER_S):
            if sentence not in self._waited_for:
                self._waited_for.add(sentence)
                self.say(sentence, "text-warning")

    @property
    def working(self) -> bool:
        """Whether a step runs; one that was cancelled may still be ending beside the next."""
        return self._steps > 0

    @property
    def ends_outside(self) -> bool:
        """See `Dialog.ends_outside`: not while a step runs, which may be writing."""
        return not self.working

    def show_verdict(self, verdict: Verdict, prefix: str = "", *, remember: bool = True) -> None:
        """Show a verdict; with `remember`, the projectors pane shows it as well."""
        glyphs = self.view.glyphs
        mark, style = (glyphs.good, "text-success") if verdict.good else (glyphs.bad, "text-error")
        self.say(f"{mark} {prefix}{verdict.sentence}", style)
        self.print_changes(verdict.projection.name, verdict.listed, verifying=True)
        if remember:
            self.view.remember_verdict(verdict)

    def print_changes(
        self, name: str, changes: Sequence[KeyChange], *, verifying: bool = False
    ) -> None:
        """The keys of a projection that differ: what is to be done, or what was found."""
        lines = Lines()
        for change in changes[:_CHANGES_SHOWN]:
            self._add_change(lines, name, change, verifying=verifying)
        if len(changes) > _CHANGES_SHOWN:
            self._add(lines, f"  … and {len(changes) - _CHANGES_SHOWN:,} more")
        self.page.append(lines.lines)

    def _add_change(self, lines: Lines, name: str, change: KeyChange, *, verifying: bool) -> None:
        """A key as a link, and below it each field that differs."""
        kind, names = change.kind, self.view.names
        word = _FOUND[kind] if verifying else kind
        key = screen_text(change.key, 100)
        self._shown_lines.append(f"  {_MARKS[kind]} {key} {word}")
        style = self.app.theme_variables[_STYLES[kind]]
        place = DocumentPlace(name, change.key)
        lines.link(key, place, before=f"  {_MARKS[kind]} ", after=f" {word}", style=style)
        fields = change.fields() if kind == "changed" else ()
        for field in islice(fields, _FIELDS_SHOWN):
            for line in _sides(field, names) if verifying else (change_line(field, names=names),):
                self._add(lines, f"      {line}")
        if (more := len(fields) - _FIELDS_SHOWN) > 0:
            self._add(lines, f"      … and {more:,} more fields")

    def follow(self, place: Place) -> None:
        """See `PageDialog.follow`: only when no step runs, because leaving would cancel it."""
        if self.working:
            key = self.view.keymap.hint("page.close")
            notice(self, f"this goes there when the work is done, or after {key}")
        else:
            super().follow(place)

    def action_enter(self) -> None:
        """See `PageDialog.action_enter`: ignored, it may have been meant for an earlier step."""

    def action_close(self) -> None:
        """Cancel what runs, and close."""
        self.workers.cancel_node(self)
        self.dismiss(None)


def _sides(field: FieldChange, names: Names) -> Iterator[str]:
    """Two lines for a field that differs: the stored value, and the value by the log."""
    if field.before is not None:
        stored = change_line(replace(field, after=None), names=names)
        yield f"stored   {stored.removeprefix('- ')}"
    if field.after is not None:
        of_log = change_line(replace(field, before=None), names=names)
        yield f"the log  {of_log.removeprefix('+ ')}"
