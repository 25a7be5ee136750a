"""The inspector: what stands under the cursor of the pane that was used last, in full."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.binding import BindingType
from textual.strip import Strip
from textual.visual import RichVisual, Visual

from natster_tui.engine.projecting.projector import Projector
from natster_tui.events.event import NONE, Event, Record, read_event
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import Projection
from natster_tui.projections.excerpt import excerpt_of
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import Past
from natster_tui.projections.history.steps import Effect
from natster_tui.projections.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import (
    VERBS,
    Names,
    change_line,
    payload_lines,
    pretty_json,
    seal_line,
)
from natster_tui.text.masking import MASK, is_secret_name, mask_json, mask_text, screen_text
from natster_tui.text.safe_text import safe_block
from natster_tui.tui.clock import age, full_time
from natster_tui.tui.theme import Glyphs, plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.scroll_view import QuietScroll

_LABEL = 12
_ENTRIES_SHOWN = 50
"""Of a list; laying out thousands of lines at every refresh would keep keys waiting."""
_JUST_NOW_S = 60
_CHANGE_STYLES = {"+": "text-success", "-": "text-error", "~": "text-warning"}


class Sheet:
    """Labelled lines, and free text below them; long values wrap beside their label."""

    def __init__(self, theme: dict[str, str], glyphs: Glyphs) -> None:
        self._theme = theme
        self._glyphs = glyphs
        self._rows: list[tuple[str, Text]] = []

    def add(self, label: str, value: str, style: str = "") -> None:
        """A line. `style` is a theme variable or a style."""
        self._rows.append((label, Text(plain(value, self._glyphs), self._theme.get(style, style))))

    @property
    def glyphs(self) -> Glyphs:
        """The marks that the text is written with."""
        return self._glyphs

    @property
    def text(self) -> str:
        """The text and its styles, to tell whether anything looks different."""
        return "\n".join(f"{label} {value.style} {value.plain}" for label, value in self._rows)

    def render(self) -> Table:
        """For the screen."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=_LABEL - 1, style="dim")
        table.add_column(ratio=1, overflow="fold")
        for label, value in self._rows:
            table.add_row(label, value)
        return table


class Inspector(QuietScroll, can_focus=True):
    """A scrolling text.

    It paints lines of its own: a widget inside it would have the whole screen laid out for each
    event that is looked at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("j", "scroll_down"),
        ("k", "scroll_up"),
        ("g", "scroll_home"),
        ("G", "scroll_end"),
    ]

    def __init__(self) -> None:
        super().__init__(id="inspector")
        self.border_title = "5 Inspector"
        self._sheet: Sheet | None = None
        self._shown: tuple[str, str] = ("", "")
        self._lines: list[Strip] = []
        self._base = Style.null()

    def put(self, title: str, sheet: Sheet) -> None:
        """Show a sheet; the scroll position stays when it is about the same thing."""
        said = sheet.text
        if (title, said) == self._shown:
            return
        if title != self._shown[0]:
            self.scroll_home(animate=False)
        self._shown = (title, said)
        self.border_title = Text(plain(f"5 {title}", sheet.glyphs))
        self._sheet = sheet
        self._draw()

    def _draw(self) -> None:
        self._base = self.rich_style
        sheet, width = self._sheet, 0
        # A scroll bar that comes or goes leaves another width, of which no event tells.
        for _ in range(2):
            if sheet is None or width == (width := self.scrollable_content_region.width):
                break
            visual = RichVisual(self, sheet.render())
            self._lines = Visual.to_strips(self, visual, width, None, self.visual_style)
            self.set_line_count(len(self._lines))
        self.refresh(self.scrollable_content_region.size.region)

    def render_line(self, y: int) -> Strip:
        """Paint one visible line."""
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        line = self._lines[at] if at < len(self._lines) else Strip.blank(width, self._base)
        return line.crop_extend(0, width, self._base)

    def on_resize(self) -> None:
        """Wrap at the new width."""
        self._draw()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        if self.rich_style != self._base:
            self._draw()


def stored_time(record: Record) -> str:
    """When the stream stored a record."""
    return full_time(record.time_ns // 1_000_000_000)


class Inspection:
    """Builds the inspector's texts. Everything from outside is made safe on the way."""

    def __init__(self, view: View, theme: dict[str, str], *, reveal: bool) -> None:
        self._view = view
        self._names = Names(view.accounts)
        self._theme = theme
        self._now = view.now()
        self._reveal = reveal

    # -- one event -------------------------------------------------------------------------

    def event(
        self, seq: int, record: Record | None, parked: Callable[[Event], str]
    ) -> tuple[str, Sheet]:
        """An event, decoded."""
        title = f"Event {seq:,}"
        text = Sheet(self._theme, self._view.glyphs)
        if record is None:
            gone = self._view.workspace.follower.is_known(seq)
            text.add("", "it was deleted from the log" if gone else "not at hand yet …", "dim")
            return title, text
        event = read_event(record)
        if isinstance(event, ParkReason):
            text.add("parked", f"{event.value}: {event.explanation}", "text-error")
            text.add("needed", event.needed)
        else:
            text.add("what", VERBS[event.type], "bold")
            self._account_line(text, "origin", event.origin)
            if event.target != NONE:
                self._account_line(text, "target", event.target)
            if event.catalog != NONE:
                text.add("catalog", screen_text(event.catalog, 200))
            if reason := parked(event):
                why = ParkReason(reason)
                text.add("parked", f"{reason}: {why.explanation}", "text-error")
                text.add("needed", why.needed)
        text.add("happened", full_time(record.event_time))
        if record.event_time != record.time_ns // 1_000_000_000:
            text.add("stored", stored_time(record))
        text.add("subject", screen_text(record.subject, 600, reveal=self._reveal), "dim")
        for name, value in record.headers:
            text.add("header", f"{screen_text(name, 60)}: {self._field(name, value)}", "dim")
        text.add("payload", "\n".join(payload_lines(record, reveal=self._reveal)))
        if record.seal is not None:
            text.add("sealed", seal_line(record.seal), "dim")
        return title, text

    def change(self, seq: int, effects: list[Effect] | str | None) -> tuple[str, Sheet]:
        """What an event changed in each projection, before and after, field by field.

        None: that is not known yet; a text: why it cannot be known.
        """
        text = Sheet(self._theme, self._view.glyphs)
        title = f"Change by event {seq:,} · c shows the event"
        if effects is None:
            text.add("", "reading the events of the keys it touched …", "dim")
            return title, text
        if isinstance(effects, str):
            text.add("", effects, "text-error")
            return title, text
        if not effects:
            text.add("", "it is parked: no projection uses it, and nothing changed")
        for effect in effects:
            name = self._names.of(effect.key)
            shown = name if effect.projection.name == "account" else screen_text(effect.key, 60)
            made = " (made by this event)" if effect.made else ""
            text.add(effect.projection.name, f"{shown}{made}", "bold")
            for field in effect.fields:
                line = change_line(field, reveal=self._reveal, names=self._names)
                text.add("", line, _CHANGE_STYLES.get(line[0], ""))
            if not effect.fields:
                text.add("", "nothing changed", "dim")
        return title, text

    def _field(self, name: str, value: str) -> str:
        """The value of a named field, over several lines if it has them."""
        if self._reveal or not value:
            return safe_block(value, 12, 2_000)
        return MASK if is_secret_name(name) else safe_block(mask_text(value), 12, 2_000)

    def _account_line(self, text: Sheet, label: str, key: str) -> None:
        name = self._names.of(key)
        shown = screen_text(key, 100)
        text.add(label, shown if "…" in name or name == shown else f"{name}  {shown}")

    # -- documents -------------------------------------------------------------------------

    def document(
        self, projection: Projection[Any], key: str, warnings: Sequence[str]
    ) -> tuple[str, Sheet]:
        """A document of any projection."""
        if projection is ACCOUNTS:
            return self.account(key)
        if projection is CATALOGS:
            return self.catalog(key, warnings)
        text = Sheet(self._theme, self._view.glyphs)
        text.add(projection.key_noun, screen_text(key, 100))
        for warning in warnings:
            text.add("warning", warning, "text-warning")
        self._document(text, "document", self._view.fold(projection.name), key)
        noun = projection.key_noun
        return f"{noun[:1].upper()}{noun[1:]} {screen_text(key, 60)}", text

    def account(self, key: str) -> tuple[str, Sheet]:
        """An account's projection."""
        state = self._view.accounts.get(key)
        text = Sheet(self._theme, self._view.glyphs)
        title = f"Account {self._names.of(key)}"
        text.add("key", screen_text(key, 100))
        if state is None:
            text.add("", "no longer known", "dim")
            return title, text
        if state.initialized_at:
            ago = age(self._now - state.initialized_at)
            text.add("initialized", f"{full_time(state.initialized_at)} ({ago} ago)")
        else:
            text.add("initialized", "not yet: others have shared with it already")
        text.add("shares", f"{len(state.out_shares):,} out, {len(state.in_shares):,} in")
        if key in self._view.hubs:
            text.add("hub", "shares with most accounts; imports from it make no prize candidate")
        if state.bound_context is not None:
            login = screen_text(state.bound_context.oauth_id, 120, reveal=self._reveal)
            text.add("web login", login, "text-secondary")
            if state.bound_at is not None:
                ago = age(self._now - state.bound_at)
                text.add("bound", f"{full_time(state.bound_at)} ({ago} ago)")
            for name, value in state.bound_context.as_document()["bound_context"].items():
                text.add("", f"{name}: {self._field(name, value) or '-'}")
        self._document(text, "document", self._view.fold("account"), key)
        return title, text

    def catalog(self, name: str, warnings: Sequence[str]) -> tuple[str, Sheet]:
        """A catalog's projection."""
        state = self._view.catalogs.get(name)
        text = Sheet(self._theme, self._view.glyphs)
        if state is None:
            text.add("", "only shared in ways that make no catalog", "dim")
            return f"Catalog {screen_text(name, 60)}", text
        self._account_line(text, "owner", state.owner)
        text.add("shared with", f"{len(state.shared_with):,} accounts")
        for warning in warnings:
            text.add("warning", warning, "text-warning")
        for account in islice(state.shared_with, _ENTRIES_SHOWN):
            imported = self._imported(name, state.owner, account)
            text.add("", f"{self._names.of(account)}{imported}")
        self._document(text, "document", self._view.fold("catalog"), name)
        return f"Catalog {screen_text(name, 60)}", text

    def _imported(self, name: str, owner: str, account: str) -> str:
        state = self._view.accounts.get(account)
        at = None if state is None else state.in_shares.get((name, owner))
        return "" if at is None else f", imported {full_time(at)}"

    def _document(self, text: Sheet, label: str, fold: Fold[Any] | Past[Any], key: str) -> None:
        state = fold.states.get(key)
        if state is None:
            return
        excerpt = excerpt_of(fold.projection, key, state, _ENTRIES_SHOWN)
        shown = excerpt.document if self._reveal else mask_json(excerpt.document)
        text.add(label, f"{excerpt.size}, as of {fold.seq:,}")
        text.add("", pretty_json(shown))

    # -- a projector -----------------------------------------------------------------------

    def projector(self, projector: Projector) -> tuple[str, Sheet]:
        """A projector: position, problems, parked events."""
        status = projector.status
        projection: Projection[Any] = projector.projection
        text = Sheet(self._theme, self._view.glyphs)
        text.add("state", status.phase.value, "bold")
        if status.problem:
            text.add("because", status.problem, "text-warning")
        if status.last_error and status.last_error != status.problem:
            since = time.monotonic() - status.failed_at
            when = "just now" if since < _JUST_NOW_S else f"{age(since)} ago"
            text.add("last error", f"{status.last_error} ({when})", "text-warning")
        text.add("lease", self._lease(projection.name))
        text.add("folded to", f"{status.position:,}, {projector.meter.per_second:,.0f} events/s")
        stored = "no checkpoint of ours" if status.stored is None else f"{status.stored:,}"
        text.add("stored at", f"{stored} in {projection.bucket}")
        text.add("documents", f"{len(projector.fold.states):,}")
        text.add("commits", f"{status.commits:,} here, {status.conflicts:,} conflicts")
        if status.drift is not None:
            text.add("drift", status.drift.summary, "text-warning")
            for change in status.drift.changes[:50]:
                text.add("", f"{screen_text(change.key, 100)} {change.kind}")
        text.add("parked", f"{status.parked.count:,} events")
        for event in reversed(status.parked.recent):
            said = f"{event.seq:,}  {event.reason.value}: {event.reason.explanation}"
            text.add("", said)
        return f"Projector {projection.name}", text

    def _lease(self, projection: str) -> str:
        """Which process may write the projection."""
        workspace = self._view.workspace
        lease = workspace.leases[projection]
        if workspace.read_only:
            return "not asked for: read-only"
        if lease.held:
            return "held by this dashboard"
        holder = lease.holder
        said = "held by no process" if holder is None else f"held by {holder.described}"
        if lease.gave_up:
            return f"given up, {said}"
        if lease.refusal is not None:
            return lease.refusal.sentence
        return said if lease.is_decided else "not asked for"
