"""The rebuild dialog: choice, preflight, progress, diff, confirmation, result.

Nothing is written before the diff is shown and confirmed by a key of its own; for purging and
taking over, the projection's name must be typed. The dashboard goes on behind the dialog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from natster_tui.engine.foreign.takeover import delete_leftover, leftover_sentence
from natster_tui.engine.rebuilding.confirming import Answer, Confirm, Decision, Refuse, Request
from natster_tui.engine.rebuilding.preflight import Preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.rebuild_sentences import risk_sentence
from natster_tui.engine.rebuilding.scope import OneKey, Scope, WholeProjections
from natster_tui.projections.api import Projection
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.connection.consumers import ConsumerInfo
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.text.safe_text import safe_text
from natster_tui.tui.background import notice
from natster_tui.tui.keys.dialogs import REBUILD, REBUILD_NAME
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.replay import ReplayScreen
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.checks import Check, Checks
from natster_tui.tui.widgets.dialogs.hints import Hint
from natster_tui.tui.widgets.dialogs.page import Page
from natster_tui.tui.widgets.text_field import Field

_PROJECTION, _ONE, _PURGE, _GO = "projection-", "one", "purge", "go"
"""The boxes, by id."""


def named(scope: Scope, names: Names) -> str:
    """What is rebuilt, in words."""
    whole = " and ".join(projection.name for projection in scope.projections)
    if not isinstance(scope, OneKey):
        return whole
    known = scope.projection is ACCOUNTS
    return f"only the {whole} {names.of(scope.key) if known else screen_text(scope.key, 60)}"


class _NameField(Field):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REBUILD_NAME)]


class RebuildScreen(ReplayScreen):
    """Rebuild: choose, preflight, dry run with the diff, confirm, commit, verified result."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REBUILD)]

    def __init__(
        self,
        view: View,
        scope: Scope,
        projections: Sequence[Projection[Any]],
        one: OneKey | None = None,
    ) -> None:
        super().__init__(view, "Rebuild", scope.projections)
        self._scope = scope
        self._offered = list(projections)
        """The projections that can be chosen."""
        self._one = one
        """The document that can be chosen alone."""
        self._checks = Checks(view.glyphs)
        self._name_field = _NameField(id="dialog-input", classes="hidden")
        self._purge = False
        self._rebuild: Rebuild | None = None
        self._preflight: Preflight | None = None
        self._stage = "preflight"
        self._goes_on = False
        """Whether to replay as soon as the preflight is through: Enter came before."""

    def compose_around(self, page: Page) -> ComposeResult:
        """The page, the checkboxes below it, and the field for a name."""
        first, progress, hints = super().compose_around(page)
        yield from (first, self._checks, progress, self._name_field, hints)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: each stage has keys of its own."""
        match action:
            case "replay":
                return self._stage == "preflight"
            case "purge":
                return self._stage == "preflight" and self._is_whole
            case "write":
                return self._may_write
            case "delete_consumers":
                return bool(self._leftover_consumers) and not self.working
            case _:
                return super().check_action(action, parameters)

    def _enter(self, stage: str) -> None:
        self._stage = stage
        chooses = stage == "preflight"
        if not chooses and self._checks.display:
            self.set_focus(self.page)
        self._checks.display = chooses
        self.refresh_bindings()

    @property
    def _is_whole(self) -> bool:
        return not isinstance(self._scope, OneKey)

    @property
    def _leftover_consumers(self) -> tuple[ConsumerInfo, ...]:
        """The other program's consumers, once its projections were taken over."""
        return () if self._rebuild is None else self._rebuild.leftover_consumers

    @property
    def _decision(self) -> Decision:
        """What has to be confirmed before anything is written."""
        assert self._rebuild is not None
        # The dialog asks for the names to take projections over, so it may always propose that.
        read_only = self.view.workspace.read_only
        return self._rebuild.decide(Request(self._purge, take_over=True, read_only=read_only))

    @property
    def _may_write(self) -> bool:
        """Whether a key is enough to write: no name has to be typed."""
        if self._stage != "confirm" or self.working:
            return False
        decision = self._decision
        return isinstance(decision, Confirm) and decision.answer is not Answer.NAMES

    def on_unmount(self) -> None:
        """Release the rebuild: it refers to this screen and would keep it in memory."""
        self._rebuild = None

    def on_mount(self) -> None:
        """Begin with the preflight."""
        self._show_checks()
        self.set_focus(self._checks)
        self._begin()

    # -- choosing --------------------------------------------------------------------------

    def _show_checks(self) -> None:
        names, whole = self.view.names, self._is_whole
        checks = [
            Check(f"{_PROJECTION}{each.name}", each.name, whole and each in self._scope.projections)
            for each in self._offered
        ]
        if self._one is not None:
            checks.append(Check(_ONE, named(self._one, names), not whole))
        if whole:
            checks.append(Check(_PURGE, "purge: remove every entry first", self._purge))
        checks.append(Check(_GO, "replay the log and compare (writes nothing)"))
        self._checks.show(checks)

    def on_checks_pressed(self, message: Checks.Pressed) -> None:
        """Another choice; the last line goes on."""
        match message.check.id:
            case _ if self._stage != "preflight":
                return
            case box if box == _GO:
                self.action_replay()
            case box if box == _PURGE:
                self.action_purge()
            case box if box == _ONE and self._one is not None:
                self._choose(self._one if self._is_whole else WholeProjections((*self._offered,)))
            case box:
                self._toggle(box.removeprefix(_PROJECTION))

    def _toggle(self, name: str) -> None:
        """Check the box of a projection, or uncheck it; one stays checked."""
        before = self._scope.projections if self._is_whole else ()
        chosen = tuple(each for each in self._offered if (each in before) != (each.name == name))
        if chosen:
            self._choose(WholeProjections(chosen))
        else:
            notice(self, "one has to be chosen")

    def _choose(self, scope: Scope) -> None:
        """Run the preflight for another choice; the previous one is cancelled."""
        self._scope = scope
        self.projections = list(scope.projections)
        self._purge = self._purge and self._is_whole
        self._show_checks()
        self._begin()

    # -- preflight -------------------------------------------------------------------------

    def _begin(self) -> None:
        # Now, not when the step starts: the old result belongs to another choice.
        self._preflight, self._goes_on = None, False
        self.work(self._run_preflight)

    async def _run_preflight(self) -> None:
        self._enter("preflight")
        self.clear()
        self.say(f"Rebuild {named(self._scope, self.view.names)} from the log", "bold")
        how = (
            "purge: remove every entry first, then recreate it"
            if self._purge
            else ("write only what differs; readers never see an empty bucket")
        )
        self.say(f"how: {how}\n")
        self._rebuild = self.view.workspace.rebuild(self._scope, self.show_progress)
        self._preflight = await self._rebuild.preflight()
        for line in self._preflight.lines():
            self.say(line)
        self.hint(
            Hint("rebuild.compare", "replay and compare (writes nothing)", "screen.replay"),
            Hint("checks.toggle", "checks a box"),
            closing="cancels",
        )
        if self._goes_on:
            self._enter("replay")
            await self._compare()

    def action_purge(self) -> None:
        """Purge first, or not; what is purged is all of a projection."""
        if self._stage == "preflight" and self._is_whole:
            self._purge = not self._purge
            self._show_checks()
            self._begin()

    # -- dry run ---------------------------------------------------------------------------

    def action_replay(self) -> None:
        """Replay the log and show what would change, once the preflight is done."""
        if self._stage != "preflight":
            return
        if self._preflight is None:
            self._goes_on = True
        else:
            self._enter("replay")
            self.work(self._compare)

    async def _compare(self) -> None:
        self.hint(closing="cancels without a trace")
        self.clear()
        what = named(self._scope, self.view.names)
        self.say(f"Replaying the log for {what}", "bold")
        workspace = self.view.workspace
        if self._rebuild is None or self._rebuild.log is not workspace.log:
            # Connected again since the preflight.
            self._rebuild = workspace.rebuild(self._scope, self.show_progress)
        plans = await self._rebuild.prepare()
        self.clear()
        self.say(f"What is stored of {what}, compared with the log", "bold")
        folds = self._rebuild.folds
        parked = {name: f", parked {fold.parked_count:,}" for name, fold in folds.items()}
        for plan in plans:
            name = plan.projection.name
            keys = counted(plan.diff.keys, "key")
            self.say(
                f"\n{name} at {plan.seq:,}: {plan.summary} ({keys}{parked.get(name, '')})",
                "bold",
            )
            # In a thread: for a hundred thousand differing documents it takes a while.
            for field in await asyncio.to_thread(plan.fields):
                field_name = safe_text(field.field, 100)
                self.say(
                    f"  {field.sign} {field_name} in {field.documents:,} of {plan.diff.keys:,}"
                )
            self.print_changes(name, plan.listed)
        self._enter("confirm")
        self._ask()

    def _ask(self) -> None:
        decision = self._decision
        if isinstance(decision, Refuse):
            self.say("\nread-only: nothing can be written", "text-warning")
            self.hint()
            return
        for risk in decision.risks:
            self.say(f"\n{self.view.glyphs.warn} {risk_sentence(risk)}", "text-warning")
        match decision.answer:
            case Answer.NAMES:
                self._ask_for_names()
            case Answer.YES:
                self.hint(
                    Hint("rebuild.write", "writes these changes", "screen.write"),
                    closing="cancels, nothing was written",
                )
            case Answer.NONE:
                self.say("\nNothing differs; writing renews the checkpoint only.")
                self.hint(
                    Hint("rebuild.write", "writes the checkpoint and verifies", "screen.write")
                )

    def _ask_for_names(self) -> None:
        wanted = self._wanted
        key = self.view.keymap.hint("rebuild.go_on")
        self.hint(Hint("", f"type {wanted} and press {key} to go on"), closing="cancels")
        self._name_field.remove_class("hidden")
        self._name_field.placeholder = wanted
        self._name_field.focus()

    @property
    def _wanted(self) -> str:
        return " ".join(projection.name for projection in self.projections)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The typed name decides."""
        if self._stage == "confirm" and not self.working:
            if event.value.strip() == self._wanted:
                self._write()
            else:
                self.hint(
                    Hint("", f"that is not {self._wanted}: nothing was written"), closing="cancels"
                )

    # -- commit ----------------------------------------------------------------------------

    def action_write(self) -> None:
        """Write, if no name has to be typed."""
        if self._may_write:
            self._write()

    def _write(self) -> None:
        self._enter("commit")
        self._name_field.add_class("hidden")
        self.set_focus(self.page)
        self.work(self._commit)

    async def _commit(self) -> None:
        rebuild, decision = self._rebuild, self._decision
        assert rebuild is not None
        assert isinstance(decision, Confirm)
        self.hint(Hint("", "writing; what is interrupted now is finished on the next start"))
        verdicts = await rebuild.commit(decision.consent)
        self.say("")
        for verdict in verdicts:
            prefix = "rebuilt and verified: " if verdict.good else ""
            # The verdict on one document says nothing about the others.
            self.show_verdict(verdict, prefix, remember=self._is_whole)
        self._enter("done")
        for consumer in self._leftover_consumers:
            self.say(leftover_sentence(rebuild.log, consumer), "text-warning")
        names = " and ".join(consumer.name for consumer in self._leftover_consumers)
        if names:
            delete = Hint(
                "rebuild.delete_consumers",
                f"deletes the consumer {names}",
                "screen.delete_consumers",
            )
            self.hint(delete)
        else:
            self.hint()
        self.page.scroll_end(animate=False)

    def action_delete_consumers(self) -> None:
        """Delete the consumers that the other program left behind."""
        if self._leftover_consumers and not self.working:
            self.work(self._delete_consumers)

    async def _delete_consumers(self) -> None:
        assert self._rebuild is not None
        self.hint()
        left, self._rebuild.leftover_consumers = self._rebuild.leftover_consumers, ()
        for consumer in left:
            await delete_leftover(self._rebuild.log, consumer)
            self.say(f"deleted the consumer {consumer.name} on {self._rebuild.log.stream}")
