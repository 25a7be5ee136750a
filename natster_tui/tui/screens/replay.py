"""What the dialogs share that replay the log: a text that grows, progress, a task at a time.

Verifying is all of it: nothing is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import NatsterError
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import KeyChange
from natster_tui.projections.wording import change_line
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.keys.dialogs import REPLAY
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.theme import progress_bar
from natster_tui.tui.view import View
from natster_tui.tui.widgets.alert import SAID_AFTER_S
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field

_CHANGES_SHOWN = 200
_FIELDS_SHOWN = 50
"""Of a key; a hub's document may differ in a hundred thousand."""
_FOUND = {"added": "missing", "removed": "not in the log", "changed": "differs from the log"}
_BAR = 40
WAITS_EVERY_S = 0.5


class ReplayScreen(ModalScreen[None]):
    """What both dialogs share: a text that grows, a progress line, and one task at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REPLAY)]

    def __init__(self, view: View, title: str, projections: Sequence[Projection[Any]]) -> None:
        super().__init__(classes="page")
        self.view = view
        self._title = title
        self.projections = list(projections)
        self._text = Text()
        self._body = Static(id="dialog-text")
        self._progress = Static(id="dialog-progress")
        self._hint = Static(id="dialog-hint")
        self._steps = 0
        self._reporter = Reporter(self.say)
        """Hears what the steps wait for."""
        self._waited_for: set[str] = set()
        self._telling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Text, progress, hint."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = self._title
            with VerticalScroll(id="dialog-scroll"):
                yield self._body
            yield self._progress
            yield Field(id="dialog-input", classes="hidden")
            yield self._hint
        yield KeyLine(self.view.glyphs)

    def say(self, line: str, style: str = "") -> None:
        """Add a line."""
        self._append(line, style)
        self._body.update(self._text)

    def _append(self, line: str, style: str = "") -> None:
        self._text.append(line + "\n", self.app.theme_variables.get(style, style))

    @property
    def said(self) -> str:
        """Everything in the text so far."""
        return self._text.plain

    def clear(self) -> None:
        """Clear the text and start again."""
        self._text = Text()
        self._body.update(self._text)

    def hint(self, text: str) -> None:
        """What the keys do now."""
        self._hint.update(Text(text, "dim"))

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
        # At once, so that a replay that is of no use can be stopped early.
        for trouble in filter(None, [progress.parked_line, *progress.blocked]):
            text.append(f"\n{glyphs.warn} {trouble}", self.app.theme_variables["text-warning"])
        self._progress.update(text)

    def say_repeated_ids(self, progress: ReplayProgress) -> None:
        """Say so if message ids are repeated in what was read."""
        if progress.repeated_ids and (hazard := progress.repeated_ids.hazard):
            self.say(f"{self.view.glyphs.warn} {hazard.sentence}", "text-warning")

    def work(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step instead of the one before; what fails, and what it waits for, is said."""
        if self._telling is None:
            self._telling = self.set_interval(WAITS_EVERY_S, self._say_waits)
        start(self, partial(self._guarded, step), "replay")

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        self._steps += 1
        try:
            with reporting_to(self._reporter):
                await step()
        except NatsterError as error:
            self.say(f"{self.view.glyphs.bad} {error.sentence}", "text-error")
            self.hint("esc closes")
        finally:
            self._steps -= 1
            if self.is_mounted:
                self.refresh_bindings()

    def _say_waits(self) -> None:
        for sentence in self._reporter.waits(SAID_AFTER_S):
            if sentence not in self._waited_for:
                self._waited_for.add(sentence)
                self.say(sentence, "text-warning")

    @property
    def working(self) -> bool:
        """Whether a step runs; one that was cancelled may still be ending beside the next."""
        return self._steps > 0

    def print_changes(self, changes: Sequence[KeyChange], *, verifying: bool = False) -> None:
        """The keys that differ, field by field: what is to be done, or what was found."""
        marks = {"added": "+", "removed": "-", "changed": "~"}
        styles = {"added": "text-success", "removed": "text-error", "changed": "text-warning"}
        names = self.view.names
        for change in changes[:_CHANGES_SHOWN]:
            kind = change.kind
            word = _FOUND[kind] if verifying else kind
            self._append(f"  {marks[kind]} {screen_text(change.key, 100)} {word}", styles[kind])
            fields = change.fields() if kind == "changed" else ()
            for field in islice(fields, _FIELDS_SHOWN):
                self._append(f"      {change_line(field, names=names)}")
            if (more := len(fields) - _FIELDS_SHOWN) > 0:
                self._append(f"      … and {more:,} more fields")
        if len(changes) > _CHANGES_SHOWN:
            self._append(f"  … and {len(changes) - _CHANGES_SHOWN:,} more")
        # Once, because each change lays the whole text out again.
        self._body.update(self._text)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one("#dialog-scroll", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Cancel what runs, and close."""
        self.workers.cancel_node(self)
        self.dismiss()


class VerifyScreen(ReplayScreen):
    """Compares what is stored with the log, and says the result in a line."""

    def __init__(self, view: View, projections: Sequence[Projection[Any]]) -> None:
        super().__init__(view, "Verify", projections)

    def on_mount(self) -> None:
        """Begin at once: nothing is written."""
        self.hint("esc cancels")
        self.work(self._verify)

    async def _verify(self) -> None:
        self.say("Replaying the log, and comparing what is stored with what it says.")
        work = self.view.workspace.rebuild(
            WholeProjections(tuple(self.projections)), self.show_progress
        )
        verdicts = await work.verify()
        self.clear()
        self.say("What is stored, compared with the log:")
        for verdict in verdicts:
            say_verdict(self, verdict)
        self.say_repeated_ids(work.progress)
        self.hint("esc closes")


def say_verdict(
    screen: ReplayScreen, verdict: Verdict, prefix: str = "", *, remember: bool = True
) -> None:
    """A result line, remembered in the projectors pane where it is about all of a projection."""
    glyphs = screen.view.glyphs
    mark, style = (glyphs.good, "text-success") if verdict.good else (glyphs.bad, "text-error")
    screen.say(f"{mark} {prefix}{verdict.sentence}", style)
    screen.print_changes(verdict.listed, verifying=True)
    if remember:
        screen.view.remember_verdict(verdict)
