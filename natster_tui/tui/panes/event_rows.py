"""The rows of the timeline: number, time and kind of an event, who did it to whom, which catalog.

Names come first. Where they would be cut, the word for the kind gives way to its mark alone, and a
catalog moves from its column to the right. If a row still has no room, its names are cut fairly.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from natster_tui.events.event import Event, Record
from natster_tui.events.natster import EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import NONE, is_usable_token
from natster_tui.projections.account import context_of
from natster_tui.projections.wording import event_phrase
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import row_time
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell, fit
from natster_tui.tui.widgets.fitting import fair_widths
from natster_tui.tui.widgets.virtual_list import Heading

_TIME = 11
_WORD = 11
_LEAST_NUMBER = 5


class EventRows:
    """Makes rows of a width. What they need is found from those seen so far, and only grows."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._phrase = self._catalog = self._both = 0
        """The cells that the longest phrase, catalog and row of both takes."""
        self.version = 0
        """Differs whenever rows may look different."""

    def forget(self) -> None:
        """Other rows are shown from now on."""
        self._phrase = self._catalog = self._both = 0
        self.version += 1

    # -- widths ----------------------------------------------------------------------------

    def _number(self) -> int:
        return max(_LEAST_NUMBER, len(f"{self._view.workspace.follower.head:,}"))

    def _room(self, width: int) -> tuple[int, int]:
        """The width of the word, 0 without it, and that of all that stands behind it."""
        mark = max(1, cell_len(self._view.glyphs.parked))
        rest = width - self._number() - 1 - _TIME - 1 - mark - 1
        word = _WORD if self._both <= rest - _WORD - 1 else 0
        return word, rest - (word + 1 if word else 0)

    def _column(self, room: int) -> int:
        """Where catalogs begin: behind the longest phrase, if the longest catalog fits there."""
        return max(1, min(self._phrase, room - 1 - self._catalog))

    def _see(self, phrase: int, catalog: int) -> None:
        both = phrase + 1 + catalog if catalog else phrase
        if phrase > self._phrase or catalog > self._catalog or both > self._both:
            self._phrase = max(self._phrase, phrase)
            self._catalog = max(self._catalog, catalog)
            self._both = max(self._both, both)
            self.version += 1

    # -- rows ------------------------------------------------------------------------------

    def headings(self, width: int) -> Sequence[Heading]:
        """What stands above the columns."""
        word, room = self._room(width)
        column = self._column(room)
        columns = (
            ("event", self._number(), "the event's sequence in the log", True),
            ("time", _TIME, "when it happened: the time of day, with the date if not today", False),
            ("", 1, "what happened; ? explains the marks", False),
            *([("what", word, "what happened", False)] if word else []),
            (
                plain("who → whom", self._view.glyphs),
                column,
                "the account that did it, and the other one",
                False,
            ),
            ("catalog", max(0, room - 1 - column), "the catalog that it is about", False),
        )
        return [
            Heading(Cell(text, cells, "dim", right), meaning)
            for text, cells, meaning, right in columns
        ]

    def cells(self, seq: int, width: int) -> Sequence[Cell]:
        """The row of an event, or a placeholder until its record is there."""
        view = self._view
        follower = view.workspace.follower
        number = Cell(f"{seq:,}", self._number(), "dim", right=True)
        record = follower.get(seq)
        if record is None:
            known = follower.is_known(seq)
            return [number, Cell("deleted from the log" if known else "…", 0, "dim")]
        event = view.reading(record).event
        when = Cell(row_time(record.event_time, view.now()), _TIME, "dim")
        moment = view.moment
        if moment is not None and seq > moment.seq:
            # Events after the moment that is shown have no colour of their own.
            text = event.value if isinstance(event, ParkReason) else event.kind.word
            return [number, when, Cell(" ", 1), Cell(f"(later) {text}", 0, "dim")]
        parked = view.parked(record)
        if parked is not None:
            return [number, when, *self._parked(record, event, parked, width)]
        assert isinstance(event, Event)
        return [number, when, *self._happened(event, width)]

    def _parked(
        self, record: Record, event: Event | ParkReason, reason: ParkReason, width: int
    ) -> Sequence[Cell]:
        """Who, whom, and why in words."""
        glyphs = self._view.glyphs
        who, why = self._parked_phrase(record, event, reason)
        needs = [cell_len(who), cell_len(why)]
        self._see(needs[0], needs[1])
        word, room = self._room(width)
        mark = Cell(glyphs.parked, max(1, cell_len(glyphs.parked)), "bad")
        what = [Cell("parked", word, "bad")] if word else []
        column = max(needs[0], min(self._column(room), room - 1 - needs[1]))
        if needs[0] + 1 + needs[1] > room:
            column = fair_widths(needs, room - 1)[0]
        return [mark, *what, Cell(who, column), Cell(why, 0, "bad")]

    def _parked_phrase(
        self, record: Record, event: Event | ParkReason, reason: ParkReason
    ) -> tuple[str, str]:
        """Whom a parked event names, as far as its subject can be read, and why it is parked."""
        view = self._view
        names = view.names
        tokens = view.system.tokens_of(record.subject)
        if not tokens:
            return screen_text(record.subject, 200), reason.brief()
        origin, target, catalog = tokens["origin"], tokens["target"], tokens["catalog"]
        who = names.of(origin)
        if target != NONE:
            who = f"{who} {view.glyphs.to} {names.of(target)}"
        if catalog != NONE:
            who = f"{who} {screen_text(catalog, 40)}"
        if isinstance(event, ParkReason):
            return who, reason.brief(screen_text(tokens["event"], 40))
        if reason is ParkReason.TOKEN:
            return who, _unusable(event) or reason.brief()
        return who, reason.brief()

    def _happened(self, event: Event, width: int) -> Sequence[Cell]:
        glyphs, kind = self._view.glyphs, event.kind
        parts, catalog = self._phrase_of(event)
        phrase = sum(map(cell_len, parts))
        self._see(phrase, cell_len(catalog))
        word, room = self._room(width)
        mark = Cell(glyphs.of(kind), max(1, cell_len(glyphs.parked)), kind.style)
        what = [Cell(kind.word, word, kind.style)] if word else []
        if not catalog:
            return [mark, *what, Cell("".join(parts))]
        start = self._column(room)
        needed = cell_len(catalog)
        if phrase + 1 + needed > room:
            who, arrow, whom = parts
            needs = [cell_len(who), cell_len(whom), needed]
            cut = fair_widths(needs, room - 1 - cell_len(arrow))
            who, whom = (
                fit(text, cells, glyphs.ellipsis)
                for text, cells in zip((who, whom), cut, strict=False)
            )
            parts, start = (who, arrow, whom), cut[0] + cell_len(arrow) + cut[1]
        else:
            # Two blanks between them where there is room.
            last = room - 1 - needed
            start = max(min(phrase + 1, last), min(start, last))
        return [mark, *what, Cell("".join(parts), start), Cell(catalog, 0, "strong")]

    def _phrase_of(self, event: Event) -> tuple[tuple[str, str, str], str]:
        """Who, an arrow, whom, and which catalog; what an event does not have is empty."""
        glyphs = self._view.glyphs
        who, whom, catalog = event_phrase(event, self._view.names)
        if event.type is EventType.CONTEXT_BOUND:
            seal, context = event.record.seal, context_of(event)
            if seal is not None and seal.unopened is not None:
                how = f"({seal.closed})"
            else:
                how = "" if context is None else screen_text(context.oauth_id.split("|")[0], 30)
            return (who, f" {glyphs.to} ", f"web {how}".rstrip()), ""
        if not whom:
            return (who, "", ""), catalog
        arrow, _, other = whom.partition(" ")
        return (who, f" {plain(arrow, glyphs)} ", other), catalog


def _unusable(event: Event) -> str:
    """Which token of an event cannot be what it is used as; empty if all can."""
    used = [(event.origin, "account")]
    if event.kind.has_target:
        used.append((event.target, "account"))
    if event.kind.has_catalog:
        used.append((event.catalog, "catalog"))
    for token, noun in used:
        if not is_usable_token(token):
            return f"{screen_text(token, 40)} is no {noun}"
    return ""
