"""What all panes read: the workspace, the glyphs, the clock, and values derived from them.

Panes get a view and never know the application, so each can be read, and shown, alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, Generic, TypeVar

from natster_tui.engine.history.document_story import DocumentStory
from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.log.record_parser import ParsedRecord
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.events.event import Record
from natster_tui.events.filter.completion import Value
from natster_tui.events.filter.filter_field import Values
from natster_tui.events.filter.language import FilterLanguage, filter_language
from natster_tui.events.parking import ParkReason
from natster_tui.events.system import EventSystem
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.community.figures import case_collisions
from natster_tui.projections.community.hubs import hubs_of
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import Past
from natster_tui.projections.projection_sentences import Names, homonyms_of, short_key
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import Clock, row_time
from natster_tui.tui.keys.keymap import AS_DECLARED, Keymap
from natster_tui.tui.theme import Glyphs

_RENAMED_EVERY_S = 5.0
_HUBS_EVERY_S = 1.0
"""Hubs and homonyms seldom change, and finding them takes a pass over all accounts."""

_FOLLOWING = {Phase.CATCHING_UP, Phase.PROJECTING, Phase.WATCHING, Phase.PAUSED}
"""The phases in which a projector's position is one of the log that is shown."""

Found = TypeVar("Found")


class _Cached(Generic[Found]):
    """A value that is computed again when its inputs have changed, but not too often."""

    def __init__(self, value: Found) -> None:
        self._value = value
        self._found_for: object = None
        self._found_at = -inf

    def get(self, version: object, find: Callable[[], Found], pause_s: float = 0.0) -> Found:
        """The value, at most `pause_s` seconds older than `version`."""
        now = time.monotonic()
        if version != self._found_for and now - self._found_at >= pause_s:
            self._value = find()
            self._found_for, self._found_at = version, now
        return self._value


@dataclass(frozen=True, slots=True)
class LastVerify:
    """What the last verify found: whether all is as the log says at a sequence, and its time."""

    good: bool
    seq: int
    when: str

    @property
    def forms(self) -> tuple[str, str, str]:
        """The result in a few words: the longest form first, then shorter ones."""
        word = "verified" if self.good else "DRIFT"
        at = f"{word} at {self.seq:,}"
        return f"{at}, {self.when}", at, word


class KnownStories:
    """The events of the documents that were looked at last, so that they are read once.

    A story is known by its log, its projection and its key.
    """

    KEPT = 3

    def __init__(self) -> None:
        self._stories: dict[tuple[object, ...], DocumentStory] = {}

    def get(self, of: tuple[object, ...]) -> DocumentStory | None:
        """The story of a document, None if it has not been read."""
        return self._stories.get(of)

    def keep(self, of: tuple[object, ...], story: DocumentStory) -> None:
        """Remember a story, and forget the oldest one if there are too many."""
        self._stories.pop(of, None)
        self._stories[of] = story
        if len(self._stories) > self.KEPT:
            del self._stories[next(iter(self._stories))]


class View:
    """A workspace as this screen shows it. `now` is for what is shown only."""

    def __init__(
        self,
        workspace: Workspace,
        glyphs: Glyphs,
        now: Clock,
        named_hubs: Sequence[str] = (),
        keymap: Keymap = AS_DECLARED,
    ) -> None:
        self.workspace = workspace
        self.glyphs = glyphs
        self.now = now
        self.keymap = keymap
        """The keys for the commands that hints name."""
        self.verdicts: dict[str, LastVerify] = {}
        """The last verify's result of each projection."""
        self.drifted: set[str] = set()
        """The projections whose last verify found drift."""
        self.moment: Moment | None = None
        """The moment travelled to; None is now."""
        self.stories = KnownStories()
        self._named_hubs = named_hubs
        self._hubs = _Cached[frozenset[str]](frozenset())
        self._homonyms = _Cached[frozenset[str]](frozenset())
        self._homonyms_among = 0
        """The number of accounts when the homonyms were found."""
        self._collisions = _Cached[dict[str, tuple[str, ...]]]({})
        self._collisions_of_names = _Cached[dict[str, tuple[str, ...]]]({})

    # -- now, or then ----------------------------------------------------------------------

    def fold(self, name: str) -> Fold[Any] | Past[Any]:
        """A projection, of the moment travelled to, else of now."""
        if self.moment is not None:
            return self.moment.pasts[name]
        return self.workspace.projectors[name].fold

    @property
    def projections(self) -> tuple[Projection[Any], ...]:
        """The registered projections, in their order."""
        return tuple(each.projection for each in self.workspace.projectors.values())

    @property
    def stored_projections(self) -> tuple[Projection[Any], ...]:
        """Those of them that are stored, not only tried."""
        return tuple(each for each in self.projections if not each.tried_from)

    @property
    def accounts(self) -> Mapping[str, AccountState]:
        """The accounts of the moment travelled to, else of now."""
        return self.fold(ACCOUNTS.name).states

    @property
    def catalogs(self) -> Mapping[str, CatalogState]:
        """The catalogs of the moment travelled to, else of now."""
        return self.fold(CATALOGS.name).states

    @property
    def version(self) -> tuple[object, ...]:
        """A value that changes whenever accounts or catalogs may look different."""
        if self.moment is not None:
            return (self.moment.seq,)
        return tuple(projector.version for projector in self.workspace.projectors.values())

    @property
    def shown_at(self) -> float:
        """The time in unix seconds that ages count back from: of the moment travelled to, or now.

        The moment before the first event has no time, so now counts there, too.
        """
        return self.now() if self.moment is None or not self.moment.time else self.moment.time

    @property
    def names(self) -> Names:
        """The names of accounts, with the short key if several have the same name."""
        return Names(self.accounts, self.homonyms)

    @property
    def homonyms(self) -> frozenset[str]:
        """The names that several accounts have, casefolded."""
        accounts = self.accounts

        def find() -> frozenset[str]:
            self._homonyms_among = len(accounts)
            return homonyms_of(accounts)

        # Few accounts change their names, and a new account changes the number of them.
        is_new = len(accounts) != self._homonyms_among
        pause_s = self._pause_s(_HUBS_EVERY_S if is_new else _RENAMED_EVERY_S)
        return self._homonyms.get(self.version, find, pause_s)

    @property
    def hubs(self) -> frozenset[str]:
        """The keys of the hubs among the accounts that are shown."""

        def find() -> frozenset[str]:
            return hubs_of(self.accounts, self.catalogs, self._named_hubs)

        return self._hubs.get(self.version, find, self._pause_s(_HUBS_EVERY_S))

    def _pause_s(self, usual_s: float) -> float:
        return usual_s if self.moment is None else 0.0

    @property
    def collisions(self) -> dict[str, tuple[str, ...]]:
        """The catalog names that differ from others in letter case only, with those others."""
        catalogs = self.catalogs

        def find() -> dict[str, tuple[str, ...]]:
            # New names are rare, and comparing all of them is slow.
            names = list(catalogs)
            return self._collisions_of_names.get(names, lambda: case_collisions(catalogs))

        return self._collisions.get(self.version, find)

    @property
    def system(self) -> EventSystem:
        """The event system of the log."""
        return self.workspace.options.choice.system

    @cached_property
    def filters(self) -> FilterLanguage:
        """The filter language for its events."""
        return filter_language(self.system)

    def named(self, values: Values) -> Iterator[Value]:
        """The values for a filter's field: catalogs, or accounts by name and by key."""
        if values is Values.CATALOGS:
            names = self.names
            for catalog, owned in self.catalogs.items():
                yield Value(catalog, f"of {names.of(owned.owner)}")
            return
        for key, state in self.accounts.items():
            if state.account_name:
                own = state.account_name
                is_one_of_several = own.casefold() in self.homonyms
                yield Value(f"{own} {short_key(key)}" if is_one_of_several else own, short_key(key))
        for key, state in self.accounts.items():
            yield Value(key, screen_text(state.account_name or "", 40), is_key=True)

    def just_changed(self, projection: str, key: str) -> bool:
        """Whether the event travelled to changed this document."""
        return self.moment is not None and key in self.moment.changed.get(projection, ())

    @property
    def is_connected(self) -> bool:
        """Whether there is a log to look at."""
        return self.workspace.connection is Connection.CONNECTED

    def parsed(self, record: Record) -> ParsedRecord:
        """A record with its event, as it was read when it arrived."""
        return self.workspace.record_parser.parsed(record, self.system)

    def parked(self, record: Record) -> ParkReason | None:
        """Why the first projection that parks a record does so, None if none does."""
        parked = self.parsed(record).parked_by(self.projections)
        return parked[0][1] if parked else None

    @property
    def head(self) -> int:
        """The log's last sequence, as far as it is known here.

        While many events come in, a projector may be ahead of the timeline, which rests for keys.
        """
        workspace = self.workspace
        polled = 0 if workspace.info is None else workspace.info.last_seq
        folded = (
            projector.status.position
            for projector in workspace.stored_projectors
            if projector.status.phase in _FOLLOWING
        )
        return max(workspace.follower.head, polled, *folded)

    def behind(self, projector: Projector) -> int:
        """How many events the stored projection lacks, or the fold if that is behind it.

        The stored projection may be ahead of the fold: if it could not be used (sealed, and the key
        is missing), the fold was started again. A tried projection is never stored.
        """
        status = projector.status
        only_folded = status.stored is None or projector.projection.tried_from
        done = status.position if only_folded else min(status.stored or 0, status.position)
        return max(0, self.head - done)

    def is_stopped(self, name: str) -> bool:
        """Whether a projection has stopped, so that documents may be missing from it.

        Never so during time travel: a moment is complete.
        """
        return self.moment is None and self.workspace.projectors[name].status.phase is Phase.STOPPED

    def is_being_read(self, name: str) -> bool:
        """Whether a projection is not folded to the log's end yet, so that more documents may come.

        Never so during time travel: a moment is complete.
        """
        if self.moment is not None:
            return False
        status = self.workspace.projectors[name].status
        return status.phase is not Phase.STOPPED and status.position < self.head

    def is_only_here(self, projector: Projector) -> bool:
        """Whether a projection is folded in memory, and neither stored nor compared with that."""
        status = projector.status
        return status.phase is Phase.WATCHING and status.stored is None and status.drift is None

    def has_drift(self, projector: Projector) -> bool:
        """Whether what is stored is known to differ from the log, or is not ours to keep."""
        status = projector.status
        theirs = status.drift is not None and bool(status.drift.unexplained)
        return status.has_found_drift or theirs

    def verdict_of(self, projector: Projector) -> LastVerify | None:
        """The last verify's result; None if there is none, or the drift it found is gone."""
        name = projector.projection.name
        if name in self.drifted and not self.has_drift(projector):
            return None
        return self.verdicts.get(name)

    def remember_verdict(self, verdict: Verdict) -> None:
        """Keep a verify's result for the projectors pane."""
        name = verdict.projection.name
        self.workspace.projectors[name].accept(verdict)
        if verdict.drift is not None:
            # Another program's documents are compared continuously, so no result is kept.
            self.drifted.discard(name)
            self.verdicts.pop(name, None)
            return
        if verdict.good:
            self.drifted.discard(name)
        else:
            self.drifted.add(name)
        when = row_time(int(self.now()), self.now()).strip()
        self.verdicts[name] = LastVerify(verdict.good, verdict.seq, when)
