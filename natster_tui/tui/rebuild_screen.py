"""The rebuild and verify dialogs: preflight, progress, diff, confirmation, result.

Nothing is written before the diff was shown and confirmed by a key of its own; purging and
taking over want the projection's name typed. The dashboard goes on behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from natster_tui.domain.diff import KeyChange
from natster_tui.domain.masking import screen_text
from natster_tui.domain.presentation import Names, change_line
from natster_tui.domain.projection import Projection
from natster_tui.domain.projections import ACCOUNTS
from natster_tui.engine.key_rebuild import KeyRebuild
from natster_tui.engine.preflight import Preflight, read_preflight
from natster_tui.engine.rebuild import PlannedRebuild, Rebuild, Verdict
from natster_tui.engine.replay import ReplayProgress
from natster_tui.engine.takeover import refuse_while_active
from natster_tui.errors import ConnectionLostError, NatsterError
from natster_tui.tui.field import Field
from natster_tui.tui.look import progress_bar
from natster_tui.tui.view import View
from natster_tui.tui.work import start

_CHANGES_SHOWN = 200
_FIELDS_SHOWN = 50
"""Of a key; a hub's document may differ in a hundred thousand."""
_FOUND = {"added": "missing", "removed": "not in the log", "changed": "differs from the log"}
_BAR = 40


class ReplayScreen(ModalScreen[None]):
    """What both dialogs share: a text that grows, a progress line, and one task at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "cancel"),
        ("j,down", "scroll(1)"),
        ("k,up", "scroll(-1)"),
        ("pagedown", "scroll(10)"),
        ("pageup", "scroll(-10)"),
    ]

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

    def compose(self) -> ComposeResult:
        """Text, progress, hint."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = self._title
            with VerticalScroll(id="dialog-scroll"):
                yield self._body
            yield self._progress
            yield Field(id="dialog-input", classes="hidden")
            yield self._hint

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
        """Begin the text anew."""
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
        # As they come: nobody should have to wait for the end to see that it is of no use.
        for trouble in filter(None, [progress.parked_line, *progress.blocked]):
            text.append(f"\n{glyphs.warn} {trouble}", self.app.theme_variables["text-warning"])
        self._progress.update(text)

    def work(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step instead of the one before; what fails is said in the text."""
        start(self, partial(self._guarded, step), "replay")

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        self._steps += 1
        try:
            await step()
        except NatsterError as error:
            self.say(f"{self.view.glyphs.bad} {error.sentence}", "text-error")
            self.hint("esc closes")
        finally:
            self._steps -= 1

    @property
    def working(self) -> bool:
        """Whether a step runs; one that was cancelled may still be ending beside the next."""
        return self._steps > 0

    def print_changes(self, changes: Sequence[KeyChange], *, verifying: bool = False) -> None:
        """The keys that differ, field by field: what is to be done, or what was found."""
        marks = {"added": "+", "removed": "-", "changed": "~"}
        styles = {"added": "text-success", "removed": "text-error", "changed": "text-warning"}
        names = Names(self.view.accounts)
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
        # Once: each time the whole text is laid out anew.
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
        work = self.view.workspace.rebuild(self.projections, self.show_progress)
        for verdict in await work.verify():
            say_verdict(self, verdict)
        self.hint("esc closes")


def say_verdict(
    screen: ReplayScreen, verdict: Verdict, prefix: str = "", *, remember: bool = True
) -> None:
    """A result line, remembered in the projectors pane where it is about all of a projection."""
    glyphs = screen.view.glyphs
    mark, style = (glyphs.good, "text-success") if verdict.good else (glyphs.bad, "text-error")
    screen.say(f"{mark} {prefix}{verdict.sentence}", style)
    screen.print_changes(verdict.diff.changes, verifying=True)
    if remember:
        screen.view.remember_verdict(verdict)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to rebuild: whole projections, or one document of one."""

    projections: tuple[Projection[Any], ...]
    key: str | None = None

    def named(self, names: Names) -> str:
        """In words."""
        whole = " and ".join(projection.name for projection in self.projections)
        if self.key is None:
            return whole
        known = self.projections[0] is ACCOUNTS
        return f"only the {whole} {names.of(self.key) if known else screen_text(self.key, 60)}"


class RebuildScreen(ReplayScreen):
    """Rebuild: choose, preflight, dry run with the diff, confirm, commit, verified result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter", "replay", "replay and compare"),
        ("space", "choose", "choose what"),
        ("P", "purge", "purge first"),
        ("w", "write", "write the changes"),
    ]

    def __init__(self, view: View, choice: Choice, choices: Sequence[Choice]) -> None:
        super().__init__(view, "Rebuild", choice.projections)
        self._choice = choice
        self._choices = list(choices)
        self._purge = False
        self._rebuild: Rebuild | KeyRebuild | None = None
        self._preflight: Preflight | None = None
        self._plans: list[PlannedRebuild] = []
        self._stage = "preflight"
        self._goes_on = False
        """Whether to replay as soon as the preflight is through: Enter came before."""

    def on_unmount(self) -> None:
        """Let go of what was folded, which tells us of its progress, and so would keep us."""
        self._rebuild, self._plans = None, []

    def on_mount(self) -> None:
        """Look before anything else."""
        self._begin()

    # -- preflight -------------------------------------------------------------------------

    def _begin(self) -> None:
        # At once, and not when the step has its turn: what was known is of another choice.
        self._preflight, self._goes_on = None, False
        self.work(self._look)

    async def _look(self) -> None:
        self._stage = "preflight"
        self.clear()
        self.say(f"Rebuild {self._choice.named(Names(self.view.accounts))} from the log", "bold")
        how = (
            "purge: remove every entry first, then recreate it"
            if self._purge
            else ("write only what differs; readers never see an empty bucket")
        )
        self.say(f"how: {how}\n")
        log = self.view.workspace.log
        if log is None:
            raise ConnectionLostError("not connected: wait for the connection, then try again")
        self._preflight = await read_preflight(
            log, self.projections, self.view.workspace.options.instance
        )
        for line in self._preflight.lines():
            self.say(line)
        self.hint(
            "enter replay and compare (writes nothing) · space which projections"
            + (" or only the chosen row" if any(each.key for each in self._choices) else "")
            + ("" if self._choice.key else " · P purge or not")
            + " · esc cancel"
        )
        if self._goes_on:
            self._stage = "replay"
            await self._compare()

    def action_choose(self) -> None:
        """The next choice of what to rebuild; looking at the one before ends."""
        if self._stage == "preflight":
            self._choice = self._choices[
                (self._choices.index(self._choice) + 1) % len(self._choices)
            ]
            self.projections = list(self._choice.projections)
            self._purge = self._purge and self._choice.key is None
            self._begin()

    def action_purge(self) -> None:
        """Purge first, or not; what is purged is all of a projection."""
        if self._stage == "preflight" and self._choice.key is None:
            self._purge = not self._purge
            self._begin()

    # -- dry run ---------------------------------------------------------------------------

    def action_replay(self) -> None:
        """Replay the log and show what would change, as soon as what there is was looked at."""
        if self._stage != "preflight":
            return
        if self._preflight is None:
            self._goes_on = True
        else:
            self._stage = "replay"
            self.work(self._compare)

    async def _compare(self) -> None:
        self.hint("esc cancels without a trace")
        self.clear()
        workspace, key = self.view.workspace, self._choice.key
        self.say(f"Replaying the log for {self._choice.named(Names(self.view.accounts))}", "bold")
        parked: dict[str, str] = {}
        if key is not None:
            self._rebuild = workspace.rebuild_key(self.projections[0], key)
            self._plans = await self._rebuild.prepare()
        else:
            self._rebuild = work = workspace.rebuild(self.projections, self.show_progress)
            self._plans = await work.prepare()
            parked = {n: f", parked {fold.parked_count:,}" for n, fold in work.folds.items()}
        for plan in self._plans:
            name = plan.projection.name
            keys = f"{plan.diff.keys:,} key{'' if plan.diff.keys == 1 else 's'}"
            self.say(
                f"\n{name} at {plan.seq:,}: {plan.diff.summary} ({keys}{parked.get(name, '')})",
                "bold",
            )
            self.print_changes(plan.diff.changes)
        self._stage = "confirm"
        self._ask()

    def _ask(self) -> None:
        if self.view.workspace.read_only:
            self.say("\nread-only: nothing can be written", "text-warning")
            self.hint("esc closes")
        elif self._typed_confirmation:
            wanted = self._wanted
            for reason in self._reasons:
                self.say(f"\n{self.view.glyphs.warn} {reason}", "text-warning")
            self.hint(f"type {wanted} and press enter to go on · esc cancel")
            field = self.query_one("#dialog-input", Input)
            field.remove_class("hidden")
            field.placeholder = wanted
            field.focus()
        elif any(plan.diff for plan in self._plans):
            self.hint("w writes these changes · esc cancels, nothing was written")
        else:
            self.say("\nNothing differs; writing renews the checkpoint only.")
            self.hint("w writes the checkpoint and verifies · esc closes")

    @property
    def _reasons(self) -> list[str]:
        assert self._preflight is not None
        reasons = list(self._preflight.blockers)
        reasons += [
            f"{error.sentence}; going on ends the projection before that event"
            for error in (self._rebuild.blocked if self._rebuild else {}).values()
        ]
        if self._preflight.foreign:
            reasons.append(
                f"{' and '.join(self._preflight.foreign)} was written by another program: "
                "going on takes it over"
            )
        if self._purge:
            keys = sum(plan.stored.document_count for plan in self._plans)
            reasons.append(f"{keys:,} stored documents are removed first")
        return reasons

    @property
    def _typed_confirmation(self) -> bool:
        return bool(self._reasons)

    @property
    def _wanted(self) -> str:
        return " ".join(projection.name for projection in self.projections)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The typed name decides."""
        if self._stage == "confirm" and not self.working:
            if event.value.strip() == self._wanted:
                self._write()
            else:
                self.hint(f"that is not {self._wanted}: nothing was written · esc cancel")

    # -- commit ----------------------------------------------------------------------------

    def action_write(self) -> None:
        """Write, where no typed name is asked for."""
        if (
            self._stage == "confirm"
            and not self.working
            and not self._typed_confirmation
            and not self.view.workspace.read_only
        ):
            self._write()

    def _write(self) -> None:
        self._stage = "commit"
        self.query_one("#dialog-input", Input).add_class("hidden")
        self.work(self._commit)

    async def _commit(self) -> None:
        assert self._rebuild is not None
        assert self._preflight is not None
        workspace = self.view.workspace
        self.hint("writing; what is interrupted now is finished on the next start")
        if self._preflight.foreign:
            await refuse_while_active(
                self._rebuild.log, self.projections, workspace.options.instance, self.say
            )
        verdicts = await self._rebuild.commit(
            workspace.pause,
            purge=self._purge,
            take_over=bool(self._preflight.foreign),
            partial=bool(self._rebuild.blocked),
        )
        self.say("")
        for verdict in verdicts:
            prefix = "rebuilt and verified: " if verdict.good else ""
            # Of the other documents one that was rebuilt says nothing.
            say_verdict(self, verdict, prefix, remember=self._choice.key is None)
        self._stage = "done"
        self.hint("esc closes")
        self.query_one("#dialog-scroll", VerticalScroll).scroll_end(animate=False)
