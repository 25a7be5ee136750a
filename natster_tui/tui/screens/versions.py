"""The stored version of a projection and one beside it, compared, promoted or dropped.

They are compared again and again while the dialog is open. Promoting first shows what would change,
and another key then does it. Dropping asks before it deletes anything.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from natster_tui.engine.rebuilding.confirming import Answer, Refuse, Request
from natster_tui.engine.rebuilding.rebuild_sentences import refusal, risk_sentence
from natster_tui.engine.versions.comparing import compare_versions
from natster_tui.engine.versions.dropping import drop_version
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.engine.versions.side_by_side import SideBySide
from natster_tui.errors import NatsterError
from natster_tui.text.masking import screen_text
from natster_tui.text.safe_text import safe_text
from natster_tui.tui.actions.confirmation import Confirmation
from natster_tui.tui.keys.dialogs import VERSIONS
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.confirm import ConfirmNameScreen, ConfirmScreen
from natster_tui.tui.screens.document_lines import document_lines
from natster_tui.tui.screens.replay import ReplayScreen
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.hints import Hint

_LOOK_S = 0.5
_AGAIN_S = 2.0
"""Seconds between two comparisons, if they are quick."""
_TIMES_AS_LONG = 10
"""The time between two comparisons is at least this many times the duration of the last one."""


_DOCUMENTS_SHOWN = 20


class VersionsScreen(ReplayScreen):
    """Compares, and then promotes or drops. Before promoting it shows what would change."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(VERSIONS)]

    def __init__(
        self, view: View, pairs: Sequence[VersionPair], confirmation: Confirmation
    ) -> None:
        super().__init__(view, f"Versions of {pairs[0].name}", [pairs[0].current])
        self._pairs = list(pairs)
        self._pair = self._pairs[0]
        self._confirmation = confirmation
        self._promotion: Promotion | None = None
        self._compared: SideBySide | None = None
        """The comparison that is shown."""
        self._stage = "compare"
        self._again_at = 0.0
        self._shows_whole = False
        """Whether the documents that differ are shown whole."""
        self._wants_name = False
        """Whether promoting needs the projection's name typed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: each stage has keys of its own."""
        writing = not self.view.workspace.read_only
        match action:
            case "json":
                return self._stage == "compare"
            case "choose":
                return self._stage == "compare" and len(self._pairs) > 1
            case "promote" | "drop":
                return self._stage == "compare" and writing
            case "write":
                return self._stage == "confirm" and not self.working
            case _:
                return super().check_action(action, parameters)

    def _enter(self, stage: str) -> None:
        self._stage = stage
        self.refresh_bindings()

    def on_mount(self) -> None:
        """Compare at once, and again while nothing else is done."""
        self.set_interval(_LOOK_S, self._compare_again)
        self._begin()

    def on_unmount(self) -> None:
        """Release the promotion: it refers to this screen and would keep it in memory."""
        self._promotion = None

    def _begin(self) -> None:
        self._compared = None
        self.hint(Hint("", "comparing"))
        self.work(self._compare)

    # -- comparing -------------------------------------------------------------------------

    def _compare_again(self) -> None:
        if self._stage == "compare" and not self.working and time.monotonic() > self._again_at:
            self.work(self._compare)

    async def _compare(self) -> None:
        workspace, began = self.view.workspace, time.monotonic()
        # Set before the comparison, so that a failed one is not repeated at once.
        self._again_at = began + _AGAIN_S
        try:
            found = await compare_versions(
                workspace.connected_log(), self._pair, workspace.options.instance
            )
        except NatsterError:
            self._compared = None
            self.clear()
            raise
        now = time.monotonic()
        self._again_at = now + max(_AGAIN_S, _TIMES_AS_LONG * (now - began))
        if found != self._compared:
            self._compared, place = found, self.page.scroll_offset.y
            self._show(found)
            self.page.scroll_to(y=place, animate=False)
        hints = [Hint("versions.json", "whole documents", "screen.json")]
        if len(self._pairs) > 1:
            hints.append(Hint("versions.choose", "another version", "screen.choose"))
        if not workspace.read_only:
            hints.append(Hint("versions.promote", "promote", "screen.promote"))
            hints.append(Hint("versions.drop", "drop", "screen.drop"))
        self.hint(*hints)

    def _show(self, found: SideBySide) -> None:
        self.clear()
        self._say_comparison(found, whole=self._shows_whole)

    def _say_comparison(self, found: SideBySide, *, whole: bool = False) -> None:
        for line in found.lines():
            self.say(line)
        for field in found.difference.fields():
            name = safe_text(field.field, 100)
            keys = found.difference.diff.keys
            self.say(f"  {field.sign} {name} in {field.documents:,} of {keys:,}")
        if whole:
            self._say_documents(found)
        else:
            self.print_changes(found.name, found.difference.diff.changes)

    def _say_documents(self, found: SideBySide) -> None:
        """The documents that differ, as each version has them."""
        changes = found.difference.diff.changes
        for change in changes[:_DOCUMENTS_SHOWN]:
            self.say(f"\n{screen_text(change.key, 100)} {change.kind}", "bold")
            sides = ((found.stored, change.before), (found.beside, change.after))
            for side, document in sides:
                if document is not None:
                    self.say(f"  version {side.version}, in {side.bucket}", "dim")
                    self.say("\n".join(f"    {line}" for line in document_lines(document)))
        if len(changes) > _DOCUMENTS_SHOWN:
            self.say(f"  … and {len(changes) - _DOCUMENTS_SHOWN:,} more")

    def action_json(self) -> None:
        """Show the documents that differ as a whole, or again what differs in them."""
        self._shows_whole = not self._shows_whole
        if self._compared is not None:
            self._show(self._compared)

    def action_choose(self) -> None:
        """The next version beside."""
        self._pair = self._pairs[(self._pairs.index(self._pair) + 1) % len(self._pairs)]
        self._begin()

    # -- promoting -------------------------------------------------------------------------

    def action_promote(self) -> None:
        """Show what promoting would change; nothing is written."""
        if self._stage == "compare":
            self._enter("promote")
            self.work(self._prepare)

    async def _prepare(self) -> None:
        workspace, pair = self.view.workspace, self._pair
        self.hint(closing="cancels, nothing was written")
        self.clear()
        self.say(f"Verifying version {pair.version} of {pair.name} against the log", "bold")
        self._promotion = Promotion(
            workspace.connected_log(),
            pair,
            workspace.options.instance,
            self.show_progress,
            pause=workspace.pause,
        )
        plan = await self._promotion.prepare()
        self.clear()
        good = self.view.glyphs.good
        self.say(f"{good} version {pair.version} beside: {plan.candidate.sentence}", "text-success")
        if plan.compared is None:
            self.say("an earlier promotion was interrupted: this one finishes it")
        else:
            self._say_comparison(plan.compared)
        self.say(
            f"\n{pair.current.bucket} at {plan.rebuild.seq:,} would change: {plan.rebuild.summary}",
            "bold",
        )
        decision = self._promotion.decide(Request(read_only=workspace.read_only))
        if isinstance(decision, Refuse):
            self.say(refusal(decision).sentence, "text-warning")
            self.hint()
            return
        for risk in decision.risks:
            self.say(f"{self.view.glyphs.warn} {risk_sentence(risk)}", "text-warning")
        self._wants_name = decision.answer is Answer.NAMES
        self._enter("confirm")
        self.hint(
            Hint("versions.write", f"makes version {pair.version} the stored one", "screen.write"),
            closing="cancels, nothing was written",
        )

    def action_write(self) -> None:
        """Make it the stored version."""
        if self._stage == "confirm":
            self._confirmation.then("promote", self._ask_for_name)

    def _ask_for_name(self) -> None:
        """Ask for the projection's name if there is a risk that the changes do not show."""
        name = self._pair.name
        if not self._wants_name:
            self._write(True)
            return
        question = ConfirmNameScreen(
            f"Make version {self._pair.version} of {name} the stored one?", name, self.view.glyphs
        )
        self.app.push_screen(question, self._write)

    def _write(self, yes: bool | None) -> None:
        if yes:
            self._enter("write")
            self.work(self._commit)

    async def _commit(self) -> None:
        assert self._promotion is not None
        self.hint(Hint("", "writing; what is interrupted now is finished on the next start"))
        verdict = await self._promotion.commit()
        self.show_verdict(verdict, "promoted and verified: " if verdict.good else "")
        self.say(
            f"{self._pair.bucket} is still there: drop it when no process projects it any more"
        )
        self._enter("done")
        self.hint()
        self.page.scroll_end(animate=False)

    # -- dropping --------------------------------------------------------------------------

    def action_drop(self) -> None:
        """Ask, then delete the bucket of the version beside."""
        question = ConfirmScreen(
            f"Delete {self._pair.bucket} with all its documents? The stored version stays.",
            self.view.glyphs,
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._enter("drop")
                self.work(self._drop)

        self._confirmation.then("drop", lambda: self.app.push_screen(question, answered))

    async def _drop(self) -> None:
        workspace = self.view.workspace
        self.hint()
        self.clear()
        await drop_version(workspace.connected_log(), self._pair, workspace.options.instance)
        self.say(f"deleted {self._pair.bucket}")
