"""Tables of shares and of history, for the pages of accounts and catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from natster_tui.engine.history.document_story import DocumentStory, Share, StoryEvent
from natster_tui.events.event_kind import Direction
from natster_tui.events.times import ago
from natster_tui.events.tokens import NONE
from natster_tui.projections.fast.shares import Shares
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import full_time, row_time
from natster_tui.tui.places.place import DocumentPlace, EventPlace, account_place
from natster_tui.tui.sheets.sheet import HISTORY, Column, Formatter, Section, Span, Table, Tone

NOT_YET = "reading …"
"""Shown while the key's events are being read."""


class History:
    """The events of a document as of sequence `at`; `story` is None while they are being read.

    `problem` says why it cannot be read; empty if it can. `version` changes whenever names or ages
    may look different.
    """

    def __init__(
        self, story: DocumentStory | None, at: int, problem: str = "", version: object = None
    ) -> None:
        self.story = story
        self.at = at
        self.problem = problem
        self._version = version

    @property
    def basis(self) -> object:
        """Changes whenever more is known."""
        upto = 0 if self.story is None else self.story.upto
        return (id(self.story), upto, self.at, self.problem, self._version)

    def shared_at(self, share: Share, formatter: Formatter) -> Span:
        """When a share was made; the event is a link."""
        if self.story is None:
            return Span("?" if self.problem else NOT_YET, Tone.DIM)
        mark = self.story.shared(share, self.at)
        if mark is None:
            return Span("?", Tone.DIM)
        return Span(row_time(mark.time, formatter.now).strip(), Tone.PLAIN, EventPlace(mark.seq))

    def imported_at(self, share: Share, seconds: int | None, formatter: Formatter) -> Span:
        """When a share was imported, as its document says; the event is a link."""
        if seconds is None:
            return Span("not yet", Tone.DIM)
        mark = None if self.story is None else self.story.imported(share, self.at)
        place = None if mark is None else EventPlace(mark.seq)
        return Span(row_time(seconds, formatter.now).strip(), Tone.GOOD, place)


def since(seconds: int, formatter: Formatter) -> str:
    """A time in full, with its age at the moment that is shown."""
    return f"{full_time(seconds)} ({ago(formatter.now - seconds)})"


def account_span(key: str, formatter: Formatter, tone: Tone = Tone.PLAIN) -> Span:
    """An account by its name; its page is a link."""
    return Span(formatter.names.of(key), tone, account_place(key))


def catalog_span(name: str) -> Span:
    """A catalog; its page is a link."""
    return Span(screen_text(name, 60), Tone.STRONG, DocumentPlace(CATALOGS.name, name))


def add_shares(
    section: Section,
    key: str,
    shares: Shares,
    history: History,
    formatter: Formatter,
    *,
    outgoing: bool,
) -> None:
    """The shares of an account in one direction, the newest first."""
    what, whom = ("shared by it", "with") if outgoing else ("shared with it", "by")
    if not shares:
        section.add("", f"nothing is {what}", Tone.DIM, wide=True)
        return

    def spans(entry: tuple[tuple[str, str], int | None]) -> tuple[Span, ...]:
        (catalog, other), imported = entry
        share = Share(key, other, catalog) if outgoing else Share(other, key, catalog)
        return (
            catalog_span(catalog),
            account_span(other, formatter),
            history.shared_at(share, formatter),
            history.imported_at(share, imported, formatter),
        )

    rows = tuple(shares.items())[::-1]
    headings = (f"{len(rows):,} {what}", whom, "shared at", "imported at")
    columns = tuple(map(Column, headings))
    section.add_table(Table(columns, rows, spans, history.basis))


def add_recipients(
    section: Section,
    catalog: str,
    owner: str,
    recipients: Iterable[str],
    imported_at: Callable[[Share], int | None],
    history: History,
    formatter: Formatter,
) -> None:
    """The accounts that a catalog is shared with and when they imported it, newest first."""
    rows = tuple(recipients)[::-1]
    if not rows:
        section.add("", "shared with no account", Tone.DIM, wide=True)
        return

    def spans(account: str) -> tuple[Span, ...]:
        share = Share(owner, account, catalog)
        return (
            account_span(account, formatter, Tone.STRONG),
            history.shared_at(share, formatter),
            history.imported_at(share, imported_at(share), formatter),
        )

    columns = (
        Column(f"shared with {counted(len(rows), 'account')}"),
        Column("shared at"),
        Column("imported at"),
    )
    section.add_table(Table(columns, rows, spans, history.basis))


def history_section(history: History, formatter: Formatter) -> Section:
    """The events that made a document, the newest first, each a link."""
    section = Section(HISTORY)
    if history.story is None:
        state = history.problem or "history: reading the events of this key …"
        section.add("", state, Tone.BAD if history.problem else Tone.DIM, wide=True)
        return section
    happenings, key = history.story.happenings, history.story.key
    count = history.story.happened(history.at)

    def spans_of(row: int) -> tuple[Span, ...]:
        each = happenings[count - 1 - row]
        catalog = Span("") if each.catalog == NONE else catalog_span(each.catalog)
        spans = (
            Span(f"{each.seq:,}", Tone.DIM, EventPlace(each.seq)),
            Span(row_time(each.time, formatter.now).strip(), Tone.DIM),
            Span(each.kind.word),
            _parties(each, key, formatter),
            catalog,
        )
        return spans[: len(columns)]

    columns = (
        Column("event", right=True),
        Column("time"),
        Column(counted(count, "change")),
        Column("who"),
        # Omitted on a catalog's page, where it would be the same in each row.
        *(() if history.story.projection is CATALOGS else (Column("catalog"),)),
    )
    section.add_table(Table(columns, range(count), spans_of, history.basis))
    return section


def _parties(each: StoryEvent, key: str, formatter: Formatter) -> Span:
    """The two accounts of an event; on an account's page only the other one, which is a link."""
    direction = each.kind.direction
    if direction is None:
        return account_span(each.origin, formatter)
    names = formatter.names
    if key not in (each.origin, each.target):
        parties = f"{names.of(each.origin)} {direction.value} {names.of(each.target)}"
        return Span(parties, Tone.PLAIN, account_place(each.target))
    other = each.target if each.origin == key else each.origin
    # Which way the catalog went: an import takes it from the target.
    source = each.origin if direction is Direction.TO_TARGET else each.target
    arrow = Direction.TO_TARGET if source == key else Direction.FROM_TARGET
    return Span(f"{arrow.value} {names.of(other)}", Tone.PLAIN, account_place(other))
