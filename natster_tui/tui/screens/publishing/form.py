"""The publish form, which shows what an event would change while it is typed.

Each key validates the event against the present state. It is appended with the expected sequence of
the account or the catalog, so one of two writers who saw the same state gets a conflict.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Select, Static

from natster_tui.engine.log.publish import publish
from natster_tui.errors import ConnectionLostError, NatsterError
from natster_tui.events.account_keys import account_key_problem
from natster_tui.events.event import Record
from natster_tui.events.filter.filter_field import Values
from natster_tui.events.natster import CATALOG_TYPES, EventType
from natster_tui.events.tokens import NONE
from natster_tui.projections.account_lookup import matching_accounts
from natster_tui.projections.append_rules import Proposal, form_problem, state_problem
from natster_tui.projections.preview import preview_of
from natster_tui.projections.projection_sentences import change_line
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.keys.dialogs import PUBLISH
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.screens.publishing.form_row import FormField, FormRow
from natster_tui.tui.screens.publishing.payload_fields import (
    Path,
    PayloadField,
    payload_fields,
    payload_of,
)
from natster_tui.tui.sheets.sheet import document_name
from natster_tui.tui.view import View
from natster_tui.tui.widgets.choices import Choice, Choices
from natster_tui.tui.widgets.dialogs.hints import Hint, Hints, at_the_edge
from natster_tui.tui.widgets.key_line import KeyLine

_LOOK_S = 0.2
_LISTED = 20
_STYLES = {"+": "text-success", "-": "text-error", "~": "text-warning"}
_NOTHING_LISTED = "a part of a name or of a key is enough"


class PublishScreen(Dialog[int | None]):
    """The form. Its result is the sequence of the event that was published, if one was."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PUBLISH)]

    def __init__(self, view: View, kind: EventType, origin: str, target: str, catalog: str) -> None:
        super().__init__()
        self._view = view
        self._kind = Select(
            [(f"{each.word} ({each.name})", each.type) for each in view.system.kinds],
            value=kind,
            allow_blank=False,
            id="publish-kind",
            compact=True,
        )
        self._kind_chosen = kind
        self._names: Mapping[str, str] = {}
        self._names_of: object = None
        origin, target = self._readable(origin), self._readable(target)
        self._origin = FormField(origin, Values.ACCOUNTS, placeholder="an account: name or key")
        self._target = FormField(target, Values.ACCOUNTS, placeholder="an account: name or key")
        self._catalog = FormField(catalog, Values.CATALOGS, placeholder="a catalog's name")
        self._began_with = (kind, origin, target, catalog)
        self._payload: dict[str, dict[Path, FormField]] = {}
        self._rows_of: dict[str, list[FormRow]] = {}
        self._choices = Choices(view.glyphs, _NOTHING_LISTED)
        self._verdict = Static()
        self._hints = Hints(view)
        self._busy = False
        self._refused = ""
        """Why the last attempt failed, until something else is typed."""
        self._validated_for: tuple[object, ...] = ()

    # -- the form --------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Fields above, what they would mean below."""
        self._target_row = FormRow("target", self._target)
        self._catalog_row = FormRow("catalog", self._catalog)
        with Vertical(classes="dialog form") as frame:
            frame.border_title = "Publish an event"
            frame.border_subtitle = at_the_edge(self._view, Hint("publish.cancel_typed", "closes"))
            with VerticalScroll(id="form-rows", can_focus=False):
                yield FormRow("what", self._kind)
                yield FormRow("origin", self._origin)
                yield self._target_row
                yield self._catalog_row
                yield from self._payload_rows()
            yield self._choices
            with VerticalScroll(id="dialog-scroll", can_focus=False):
                yield self._verdict
            with Horizontal(id="form-end"):
                yield Button("Publish", id="publish", compact=True)
                yield self._hints
        yield KeyLine(self._view.glyphs)

    def _payload_rows(self) -> ComposeResult:
        for kind in self._view.system.kinds:
            fields = self._payload[kind.type] = {}
            rows = self._rows_of[kind.type] = []
            for each in payload_fields(kind):
                fields[each.path] = field = FormField(
                    placeholder=_placeholder(each), password=each.is_secret
                )
                rows.append(FormRow(each.name, field))
            yield from rows

    def on_mount(self) -> None:
        """Check what is filled in already, and again whenever the log grows."""
        self._hints.show(
            Hint("publish.publish_typed", "publishes", "screen.publish"),
            Hint("publish.next", "next field"),
        )
        self._show_rows()
        empty = [f for f in (self._origin, self._target, self._catalog) if not f.value]
        self._go_to(next((f for f in empty if f.parent and f.parent.display), self._origin))
        self._validate()
        self.set_interval(_LOOK_S, self._follow_the_log)

    def _go_to(self, field: FormField) -> None:
        """Take the keyboard to a field; what is typed replaces what is there."""
        self.set_focus(field)
        field.select_all()

    def _show_rows(self) -> None:
        """The rows that the kind uses."""
        chosen = self._kind_chosen
        self._target_row.display = self._catalog_row.display = chosen in CATALOG_TYPES
        for kind, rows in self._rows_of.items():
            for row in rows:
                row.display = kind == chosen

    @property
    def ends_outside(self) -> bool:
        """See `Dialog.ends_outside`: not once something was typed."""
        now = (
            self._kind_chosen,
            self._origin.value,
            self._target.value,
            self._catalog.value,
        )
        return now == self._began_with and not self._payload_typed

    def on_input_changed(self) -> None:
        """Validate on every key."""
        self._refused = ""
        self._list()
        self._validate()

    def on_select_changed(self) -> None:
        """Another type uses other fields."""
        self._refused = ""
        # While it is built or taken down, the list has no value.
        if isinstance(self._kind.value, EventType):
            self._kind_chosen = self._kind.value
        self._show_rows()
        self._validate()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """List what the field may name."""
        self._list()

    # -- what a field may name -------------------------------------------------------------

    @property
    def _accounts(self) -> Mapping[str, str]:
        """The accounts' names by key; an account that others shared with may have none."""
        if self._names_of != (version := self._view.version):
            accounts = self._view.workspace.accounts
            self._names = {key: state.account_name or "" for key, state in accounts.items()}
            self._names_of = version
        return self._names

    def _readable(self, key: str) -> str:
        """An account's name if no other account has it; else its key."""
        name = self._accounts.get(key, "")
        return name if name and name.casefold() not in self._view.homonyms else key

    def _list(self) -> None:
        field = self.focused
        values = field.values if isinstance(field, FormField) else Values.ANY
        self._choices.display = values is not Values.ANY
        if not isinstance(field, FormField):
            return
        typed = field.value.strip().lower()
        if values is Values.ACCOUNTS:
            self._choices.show(self._account_choices(typed))
        elif values is Values.CATALOGS:
            catalogs = self._view.workspace.catalogs
            found = [name for name in catalogs if typed in name.lower() and name != field.value]
            self._choices.show([Choice(name, name) for name in sorted(found)[:_LISTED]])

    def _account_choices(self, typed: str) -> list[Choice]:
        found: list[Choice] = []
        for key, name in self._accounts.items():
            if typed in (key.lower(), name.lower()):
                continue  # it is there already
            if typed in name.lower() or key.lower().startswith(typed):
                # A name is readable, but if several accounts have it, the key is needed.
                found.append(Choice(self._readable(key), name or key, key if name else ""))
                if len(found) == _LISTED:
                    break
        return found

    def action_choose(self, step: int) -> None:
        """Down into what the field may name, and up again."""
        self._choices.move(step)

    def action_next_field(self) -> None:
        """Enter: take what was chosen, and go on to the next field."""
        field, chosen = self.focused, self._choices.chosen
        if isinstance(field, FormField) and chosen is not None:
            field.value = chosen.text
            field.action_end()
        after = self.focus_next()
        if isinstance(after, FormField):
            after.select_all()

    def on_choices_picked(self, message: Choices.Picked) -> None:
        """A click takes it."""
        field = self.focused
        if isinstance(field, FormField):
            field.value = message.choice.text
            field.action_end()

    # -- validating ------------------------------------------------------------------------

    def _follow_the_log(self) -> None:
        if self._view.version != self._validated_for and not self._busy:
            self._validate()

    def _key_of(self, field: FormField) -> str:
        """The key of the one account that a field means; else the text as it is."""
        text = field.value.strip()
        if not text or account_key_problem(text) is None:
            return text
        found = matching_accounts(text, self._accounts)
        return found[0] if len(found) == 1 else text

    def _account_problem(self, label: str, field: FormField) -> str | None:
        """Why a field means no account, if nothing or a part of several names is in it."""
        text = field.value.strip()
        if not text:
            return f"the {label} is not given yet"
        if account_key_problem(text) is None:
            return None
        found = matching_accounts(text, self._accounts)
        if len(found) < 2:
            return None
        return (
            f"the {label} could be any of {len(found):,} accounts: "
            "type more of its name, or choose one in the list"
        )

    @property
    def _payload_typed(self) -> dict[Path, str]:
        fields = self._payload.get(self._kind_chosen, {})
        typed = {path: field.value for path, field in fields.items()}
        return typed if any(typed.values()) else {}

    @property
    def _proposal(self) -> Proposal:
        kind = self._kind_chosen
        shares = kind in CATALOG_TYPES
        return Proposal(
            kind,
            self._key_of(self._origin),
            self._key_of(self._target) if shares else NONE,
            self._catalog.value.strip() if shares else NONE,
            payload_of(self._payload_typed),
        )

    def _problem(self, proposal: Proposal) -> str | None:
        workspace = self._view.workspace
        targets = proposal.kind in CATALOG_TYPES
        unclear = self._account_problem("origin", self._origin) or (
            self._account_problem("target", self._target) if targets else None
        )
        if unclear:
            return unclear
        objection = form_problem(proposal) or state_problem(
            proposal, workspace.accounts, workspace.catalogs
        )
        return None if objection is None else objection.sentence

    def _validate(self) -> bool:
        """Show what the event would change, or why it cannot be published; whether it can."""
        self._validated_for = self._view.version
        proposal = self._proposal
        theme = self.app.theme_variables
        text = Text()
        if self._refused:
            text.append(f"{screen_text(self._refused)}\n\n", theme["text-error"])
        if problem := self._problem(proposal):
            text.append(f"cannot be published: {screen_text(problem)}\n", theme["text-error"])
        else:
            self._append_effects(text, proposal)
        for label, field, key in (
            ("origin", self._origin, proposal.origin),
            ("target", self._target, proposal.target),
        ):
            if key != NONE and key != field.value.strip():
                name = screen_text(self._accounts.get(key, ""), 40)
                text.append(f"\n{label}: {name} {screen_text(key, 80)}", "dim")
        text.append(f"\nsubject: {screen_text(proposal.subject, 300)}", "dim")
        self._verdict.update(text)
        return problem is None

    def _append_effects(self, text: Text, proposal: Proposal) -> None:
        view, theme = self._view, self.app.theme_variables
        text.append("would change\n", "bold")
        record = Record(1, time.time_ns(), proposal.subject, proposal.payload)
        folds = {n: p.fold for n, p in view.workspace.projectors.items()}
        for effect in preview_of(record, view.system.read(record), folds):
            shown = document_name(effect.projection, effect.key, view.names)
            text.append(f"  {effect.projection.name} {shown}\n", "bold")
            for field_change in effect.fields:
                line = change_line(field_change, names=view.names)
                text.append(f"    {line}\n", theme.get(_STYLES.get(line[0], ""), ""))

    # -- publishing ------------------------------------------------------------------------

    def on_button_pressed(self) -> None:
        """The button below the form."""
        self.action_publish()

    def action_publish(self) -> None:
        """Append the event, if it is valid."""
        if not self._busy and self._validate():
            self._busy = True
            start(self, partial(self._publish, self._proposal), "publish")

    async def _publish(self, proposal: Proposal) -> None:
        workspace = self._view.workspace
        try:
            if workspace.log is None:
                raise ConnectionLostError("not connected: nothing was published")
            seq = await publish(workspace.log, proposal, workspace.options.instance)
        except NatsterError as error:
            self._refused = error.sentence
            self._validate()
            return
        finally:
            self._busy = False
        if self.is_current:
            self.dismiss(seq)


def _placeholder(field: PayloadField) -> str:
    if not field.path:
        return "JSON, or nothing"
    return "needed" if field.is_required else "may be left empty"
