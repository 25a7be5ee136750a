"""The rebuild dialog: choice, preflight, progress, diff, confirmation, result.

Nothing is written before the diff was shown and confirmed by a key of its own; purging and
taking over want the projection's name typed. The dashboard goes on behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input

from natster_tui.engine.beside.takeover import (
    delete_left_behind,
    left_behind,
    left_behind_sentence,
    refuse_while_active,
)
from natster_tui.engine.rebuilding.findings import PlannedRebuild
from natster_tui.engine.rebuilding.key_rebuild import KeyRebuild
from natster_tui.engine.rebuilding.preflight import Preflight, read_preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.errors import ConnectionLostError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.projections.wording import Names
from natster_tui.store.connection.consumers import ConsumerInfo
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.dialogs import REBUILD
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.replay import ReplayScreen, say_verdict
from natster_tui.tui.view import View


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

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REBUILD)]

    def __init__(self, view: View, choice: Choice, choices: Sequence[Choice]) -> None:
        super().__init__(view, "Rebuild", choice.projections)
        self._choice = choice
        self._choices = list(choices)
        self._purge = False
        self._rebuild: Rebuild | KeyRebuild | None = None
        self._preflight: Preflight | None = None
        self._plans: list[PlannedRebuild] = []
        self._stage = "preflight"
        self._left_behind: tuple[ConsumerInfo, ...] = ()
        """The other program's consumers, once its projections were taken over."""
        self._goes_on = False
        """Whether to replay as soon as the preflight is through: Enter came before."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: each stage has keys of its own."""
        match action:
            case "replay" | "choose":
                return self._stage == "preflight"
            case "purge":
                return self._stage == "preflight" and self._choice.key is None
            case "write":
                return self._may_write
            case "delete_consumers":
                return bool(self._left_behind) and not self.working
            case _:
                return super().check_action(action, parameters)

    def _enter(self, stage: str) -> None:
        self._stage = stage
        self.refresh_bindings()

    @property
    def _may_write(self) -> bool:
        """Whether a key is enough to write: no name has to be typed."""
        return (
            self._stage == "confirm"
            and not self.working
            and not self._typed_confirmation
            and not self.view.workspace.read_only
        )

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
        self._enter("preflight")
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
            self._enter("replay")
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
            self._enter("replay")
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
                f"\n{name} at {plan.seq:,}: {plan.summary} ({keys}{parked.get(name, '')})",
                "bold",
            )
            self.print_changes(plan.listed)
        self._enter("confirm")
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
        if self._may_write:
            self._write()

    def _write(self) -> None:
        self._enter("commit")
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
        if self._preflight.foreign:
            self._left_behind = await left_behind(self._rebuild.log, self.projections)
        self._enter("done")
        for consumer in self._left_behind:
            self.say(left_behind_sentence(self._rebuild.log, consumer), "text-warning")
        names = " and ".join(consumer.name for consumer in self._left_behind)
        self.hint(f"D deletes the consumer {names} · esc closes" if names else "esc closes")
        self.query_one("#dialog-scroll", VerticalScroll).scroll_end(animate=False)

    def action_delete_consumers(self) -> None:
        """Delete the consumers that the other program left behind."""
        if self._left_behind and not self.working:
            self.work(self._delete_consumers)

    async def _delete_consumers(self) -> None:
        assert self._rebuild is not None
        self.hint("esc closes")
        left, self._left_behind = self._left_behind, ()
        for consumer in left:
            await delete_left_behind(self._rebuild.log, consumer)
            self.say(f"deleted the consumer {consumer.name} on {self._rebuild.log.stream}")
