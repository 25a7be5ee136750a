"""The publish form: what an event would change is shown while it is typed.

Validated against the present state on every key; appended under the account's or the catalog's
expected sequence, so that of two writers who saw the same state one is told of the conflict.
"""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Select, Static

from natster_tui.engine.log.publish import publish
from natster_tui.errors import NatsterError
from natster_tui.events.event import Record
from natster_tui.events.natster import CATALOG_TYPES, EventType
from natster_tui.events.tokens import NONE
from natster_tui.projections.append_rules import Proposal, form_problem, state_problem
from natster_tui.projections.preview import preview_of
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import Names, change_line, key_called
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.keys.dialogs import PUBLISH
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.view import View
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field

_LOOK_S = 0.2
_STYLES = {"+": "text-success", "-": "text-error", "~": "text-warning"}


class PublishScreen(ModalScreen[int | None]):
    """The form. Its result is the sequence of the event that was published, if one was."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PUBLISH)]

    def __init__(self, view: View, kind: EventType, origin: str, target: str, catalog: str) -> None:
        super().__init__(classes="page")
        self._view = view
        self._kind = Select(
            [(f"{each.word} ({each.name})", each.type) for each in view.system.kinds],
            value=kind,
            allow_blank=False,
            id="publish-kind",
        )
        self._kind_chosen = kind
        self._origin = Field(origin, placeholder="origin: an account key", compact=True)
        self._target = Field(target, placeholder="target: an account key", compact=True)
        self._catalog = Field(catalog, placeholder="catalog: a name", compact=True)
        self._data = Field(placeholder="payload: JSON, or nothing", compact=True)
        self._verdict = Static()
        self._hint = Static(Text("ctrl+s publishes · tab next field · esc cancels", "dim"))
        self._busy = False
        self._refused = ""
        """Why the last attempt failed, until something else is typed."""
        self._judged_from: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Fields above, what they would mean below."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = "Publish an event"
            yield self._kind
            for label, field in (
                ("origin, by key or name", self._origin),
                ("target, by key or name", self._target),
                ("catalog", self._catalog),
                ("payload", self._data),
            ):
                yield Label(label)
                yield field
            with VerticalScroll(id="dialog-scroll"):
                yield self._verdict
            yield self._hint
        yield KeyLine(self._view.glyphs)

    def on_mount(self) -> None:
        """Check what is filled in already, and again whenever the log grows."""
        self._origin.focus()
        self._judge()
        self.set_interval(_LOOK_S, self._follow_the_log)

    def on_input_changed(self) -> None:
        """Judge on every key."""
        self._refused = ""
        self._judge()

    def on_select_changed(self) -> None:
        """Another type uses other fields."""
        self._refused = ""
        self._judge()

    def _follow_the_log(self) -> None:
        if self._view.version != self._judged_from and not self._busy:
            self._judge()

    @property
    def _proposal(self) -> Proposal:
        # While it is built or taken down, the list has no value.
        if isinstance(self._kind.value, EventType):
            self._kind_chosen = self._kind.value
        kind = self._kind_chosen
        shares = kind in CATALOG_TYPES
        accounts = self._view.workspace.accounts
        return Proposal(
            kind,
            key_called(self._origin.value.strip(), accounts),
            key_called(self._target.value.strip(), accounts) if shares else NONE,
            self._catalog.value.strip() if shares else NONE,
            self._data.value.strip().encode("utf-8", "replace"),
        )

    def _problem(self, proposal: Proposal) -> str | None:
        workspace = self._view.workspace
        return form_problem(proposal) or state_problem(
            proposal, workspace.accounts, workspace.catalogs
        )

    def _judge(self) -> bool:
        """Show what the event would change, or why it cannot be published; whether it can."""
        self._judged_from = self._view.version
        proposal = self._proposal
        for field in (self._target, self._catalog):
            field.disabled = proposal.kind not in CATALOG_TYPES
        theme = self.app.theme_variables
        text = Text()
        if self._refused:
            text.append(f"{screen_text(self._refused)}\n\n", theme["text-error"])
        if problem := self._problem(proposal):
            text.append(f"cannot be published: {screen_text(problem)}\n", theme["text-error"])
        else:
            text.append("would change\n", "bold")
            names = Names(self._view.workspace.accounts)
            record = Record(1, time.time_ns(), proposal.subject, proposal.payload)
            folds = {n: p.fold for n, p in self._view.workspace.projectors.items()}
            for effect in preview_of(record, self._view.system.read(record), folds):
                shown = screen_text(effect.key, 60)
                if effect.projection.name == "account":
                    shown = names.of(effect.key)
                text.append(f"  {effect.projection.name} {shown}\n", "bold")
                for field_change in effect.fields:
                    line = change_line(field_change, names=names)
                    text.append(f"    {line}\n", theme.get(_STYLES.get(line[0], ""), ""))
        text.append(f"\nsubject: {screen_text(proposal.subject, 300)}", "dim")
        self._verdict.update(text)
        return problem is None

    def action_publish(self) -> None:
        """Append it, if it may be."""
        if not self._busy and self._judge():
            self._busy = True
            start(self, partial(self._publish, self._proposal), "publish")

    async def _publish(self, proposal: Proposal) -> None:
        workspace = self._view.workspace
        try:
            seq = await publish(workspace.opened_log, proposal, workspace.options.instance)
        except NatsterError as error:
            self._refused = error.sentence
            self._judge()
            return
        finally:
            self._busy = False
        if self.is_current:
            self.dismiss(seq)


def proposal_for(panes: Panes, view: View) -> tuple[EventType, str, str, str]:
    """What the form begins with: kind, origin, target and catalog of the row used last."""
    if (event := panes.chosen_event) is not None:
        assert isinstance(event.type, EventType)
        if event.type in CATALOG_TYPES:
            return event.type, event.origin, event.target, event.catalog
        return event.type, event.origin, "", ""
    chosen = panes.chosen_document
    if chosen is not None and chosen.projection is ACCOUNTS:
        return EventType.SHARED, chosen.key, "", ""
    if chosen is not None and chosen.projection is CATALOGS:
        state = view.catalogs.get(chosen.key)
        return EventType.SHARED, "" if state is None else state.owner, "", chosen.key
    return EventType.SHARED, "", "", ""
