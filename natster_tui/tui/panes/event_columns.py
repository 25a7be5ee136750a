"""The rows of the timeline: number, time and kind of an event, who did it to whom, which catalog.

Columns are straight. The width alone decides whether the kind is shown as its mark and its word, as
the word, or as the mark. Names that do not fit are cut, the two accounts and the catalog alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import NONE, is_usable_token
from natster_tui.projections.projection_sentences import event_phrase
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import row_time, short_row_time
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell, fit
from natster_tui.tui.widgets.fitting import fair_widths
from natster_tui.tui.widgets.virtual_list import Heading

_TIME = 11
_SHORT_TIME = 5
_LEAST_NUMBER = 5
_WHO_WHOM = "who → whom"
_CATALOG = "catalog"
_PARKED = "parked"
_ROOM_WITH_BOTH = 54
"""The cells for names from which on the kind is shown as its mark and its word."""
_ROOM_WITH_WORD = 36
"""The same, for its word alone."""
_ROOM_WITH_TIME = 26
"""The same, for a short time beside its mark."""
_ROOM_WITH_CATALOG = 18
"""The same, for a column of catalogs."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of the columns after the number, in cells; 0 for a column that is not shown."""

    time: int
    mark: int
    word: int
    names: int
    """The width of everything after the kind."""


class EventRows:
    """Makes rows for a width. The columns grow with the rows seen so far, and never shrink."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.version = 0
        """Differs whenever rows may look different."""
        kinds = view.system.kinds
        self._long = max(len(_PARKED), *(len(kind.word) for kind in kinds))
        # The word of a kind that names one account only may reach into the next column.
        others = [len(kind.word) for kind in kinds if kind.has_target or kind.has_catalog]
        self._short = max(len(_PARKED), *others, 0)
        self._needs: dict[str, int] = {}
        """The cells that the longest text of each column takes."""
        self.forget()

    def forget(self) -> None:
        """Other rows are shown from now on."""
        self._needs = {"phrase": len(_WHO_WHOM), "catalog": len(_CATALOG)}
        self.version += 1

    # -- widths ----------------------------------------------------------------------------

    def _number(self) -> int:
        return max(_LEAST_NUMBER, len(f"{self._view.workspace.follower.head:,}"))

    def _columns(self, width: int) -> _Columns:
        mark = max(1, cell_len(self._view.glyphs.parked))
        rest = width - self._number() - 1
        timed = rest - _TIME - 1
        if (names := timed - mark - 1 - self._long - 1) >= _ROOM_WITH_BOTH:
            return _Columns(_TIME, mark, self._long, names)
        if (names := timed - self._short - 1) >= _ROOM_WITH_WORD:
            return _Columns(_TIME, 0, self._short, names)
        if (names := rest - _SHORT_TIME - 1 - mark - 1) >= _ROOM_WITH_TIME:
            return _Columns(_SHORT_TIME, mark, 0, names)
        return _Columns(0, mark, 0, max(1, rest - mark - 1))

    def _phrase_width(self, room: int) -> int:
        """The width of the column for both accounts; what is left of `room` is the catalog's."""
        phrase, catalog = self._needs["phrase"], self._needs["catalog"]
        if room < _ROOM_WITH_CATALOG:
            return room
        if phrase + 2 + catalog <= room:
            return phrase + 1
        names = [self._needs.get(each, 0) for each in ("who", "whom", "catalog")]
        catalog = fair_widths(names, room - 1 - self._arrow)[2]
        return max(1, min(phrase, room - 1 - catalog))

    def _parked_width(self, room: int) -> int:
        """The width of the column for whom parked events name; the reason is behind it."""
        phrase, reason = self._needs["parked"], self._needs["reason"]
        return min(phrase + 1, fair_widths([phrase, reason], room - 1)[0])

    @property
    def _are_all_parked(self) -> bool:
        """Whether only parked events were seen."""
        return "parked" in self._needs and "who" not in self._needs

    @property
    def _arrow(self) -> int:
        return cell_len(f" {self._view.glyphs.to} ")

    def _see(self, **needs: int) -> None:
        for column, need in needs.items():
            if need > self._needs.get(column, 0):
                self._needs[column] = need
                self.version += 1

    # -- rows ------------------------------------------------------------------------------

    def headings(self, width: int) -> Sequence[Heading]:
        """The headings of the columns."""
        columns = self._columns(width)
        phrase = self._phrase_width(columns.names)
        last, meaning = _CATALOG, "the catalog that it is about"
        if self._are_all_parked:
            phrase = self._parked_width(columns.names)
            last, meaning = "why", "why no rule could use it"
        mark = "what happened; ? explains the marks" if not columns.word else ""
        shown = (
            ("event", self._number(), "the event's sequence in the log", True),
            ("time", columns.time, "when it happened: the time of day, or the date", False),
            ("", columns.mark, mark, False),
            ("what", columns.word, "what happened", False),
            (
                plain(_WHO_WHOM, self._view.glyphs),
                phrase,
                "the account that did it, and the other one",
                False,
            ),
            (last, columns.names - 1 - phrase, meaning, False),
        )
        return [
            Heading(Cell(text, cells, "dim", right), meaning)
            for text, cells, meaning, right in shown
            if cells > 0
        ]

    def _kind(self, columns: _Columns, mark: str, word: str, style: str) -> Sequence[Cell]:
        """What happened, as its mark, its word, or both."""
        marked = [Cell(mark, columns.mark, style)] if columns.mark else []
        worded = [Cell(word, max(columns.word, len(word)), style)] if columns.word else []
        return [*marked, *worded]

    def cells(self, seq: int, width: int) -> Sequence[Cell]:
        """The row of an event, or a placeholder until its record is there."""
        view = self._view
        follower = view.workspace.follower
        number = Cell(f"{seq:,}", self._number(), "dim", right=True)
        record = follower.get(seq)
        if record is None:
            known = follower.is_known(seq)
            return [number, Cell("deleted from the log" if known else "…", 0, "dim")]
        event = view.parsed(record).event
        columns = self._columns(width)
        when = self._time(record, columns)
        moment = view.moment
        if moment is not None and seq > moment.seq:
            # Events after the moment that is shown have no colour of their own.
            text = event.value if isinstance(event, ParkReason) else event.kind.word
            return [number, *when, Cell(f"(later) {text}", 0, "dim")]
        parked = view.parked(record)
        if parked is not None:
            return [number, *when, *self._parked(record, event, parked, columns)]
        assert isinstance(event, Event)
        return [number, *when, *self._happened(event, columns)]

    def _time(self, record: Record, columns: _Columns) -> Sequence[Cell]:
        if not columns.time:
            return []
        shown = row_time if columns.time == _TIME else short_row_time
        return [Cell(shown(record.event_time, self._view.now()), columns.time, "dim")]

    def _parked(
        self, record: Record, event: Event | ParkReason, reason: ParkReason, columns: _Columns
    ) -> Sequence[Cell]:
        """Who, whom, and why in words; why begins where catalogs do, if it fits there."""
        room = columns.names
        who, why = self._parked_phrase(record, event, reason)
        needs = cell_len(who), cell_len(why)
        self._see(parked=needs[0], reason=needs[1])
        start = self._phrase_width(room)
        if self._are_all_parked or needs[0] > start or start + 1 + needs[1] > room:
            start = self._parked_width(room)
        kind = self._kind(columns, self._view.glyphs.parked, _PARKED, "bad")
        return [*kind, Cell(who, max(1, start)), Cell(why, 0, "bad")]

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

    def _happened(self, event: Event, columns: _Columns) -> Sequence[Cell]:
        glyphs = self._view.glyphs
        kind = self._kind(columns, glyphs.of(event.kind), event.kind.word, event.kind.style)
        parts, catalog = self._phrase_of(event)
        if not catalog:
            return [*kind, Cell("".join(parts))]
        who, arrow, whom = parts
        needs = [cell_len(who), cell_len(whom)]
        phrase = sum(needs) + cell_len(arrow)
        self._see(phrase=phrase, who=needs[0], whom=needs[1], catalog=cell_len(catalog))
        room = self._phrase_width(columns.names)
        if phrase > room:
            cut = fair_widths(needs, room - cell_len(arrow))
            who, whom = (
                fit(text, cells, glyphs.ellipsis)
                for text, cells in zip((who, whom), cut, strict=True)
            )
        return [*kind, Cell(f"{who}{arrow}{whom}", room), Cell(catalog, 0, "strong")]

    def _phrase_of(self, event: Event) -> tuple[tuple[str, str, str], str]:
        """Who, an arrow, whom, and which catalog; what an event does not have is empty."""
        who, whom, catalog = event_phrase(event, self._view.names)
        if not whom:
            return (who, "", ""), catalog
        arrow, _, other = whom.partition(" ")
        return (who, f" {plain(arrow, self._view.glyphs)} ", other), catalog


def _unusable(event: Event) -> str:
    """The token that makes an event unusable, in words; empty if all tokens are usable."""
    used = [(event.origin, "account")]
    if event.kind.has_target:
        used.append((event.target, "account"))
    if event.kind.has_catalog:
        used.append((event.catalog, "catalog"))
    for token, noun in used:
        if not is_usable_token(token):
            return f"{screen_text(token, 40)} is no {noun}"
    return ""
