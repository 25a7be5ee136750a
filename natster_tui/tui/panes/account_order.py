"""The order in which accounts stand in their pane, kept from one look to the next.

Sorting ten thousand accounts takes as long as a whole step through time may. One event changes
two of them at most, so between neighbouring moments, and now between two looks, only those that
changed find a new place.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.projections.account import AccountState
from natster_tui.projections.registry import ACCOUNTS

_NOT_YET = 1 << 62
"""Accounts that others shared with before they joined stand last."""

MANY = 4
"""Where one account in so many moved, sorting all is as quick as finding their places."""
MOST = 1_000
"""In a long list each of them moves all that stand behind it, too."""

_Place = tuple[Any, str]
"""What an account is sorted by, then its key: no two places are the same."""

SORTS: tuple[tuple[str, Callable[[str, AccountState], Any]], ...] = (
    ("joined", lambda _key, state: state.initialized_at or _NOT_YET),
    ("name", lambda key, state: (state.account_name or key).lower()),
    ("newest", lambda _key, state: -state.initialized_at),
    ("shares", lambda _key, state: -len(state.out_shares)),
    ("received", lambda _key, state: -len(state.in_shares)),
)
"""The orders that a person can choose, by name."""


class AccountOrder:
    """The keys of all accounts, in one of the orders."""

    def __init__(self) -> None:
        self._by = -1
        self._places: list[_Place] = []
        self._place_of: dict[str, _Place] = {}
        self._moment: Moment | None = None
        self._mark: int | None = None

    def keys(
        self,
        accounts: Mapping[str, AccountState],
        sort: int,
        moment: Moment | None,
        changes: RecentChanges | None = None,
    ) -> list[str]:
        """The keys in an order, as of a moment; None is now, whose `changes` are noted."""
        # Looked at before the moment is kept: it tells what differs from the one before.
        changed = self._changed(moment, changes) if sort == self._by else None
        self._by, self._moment = sort, moment
        self._mark = changes.mark if moment is None and changes is not None else None
        if changed is None:
            self._begin(accounts.items())
        else:
            self._move(changed, accounts)
        return [key for _value, key in self._places]

    def _changed(
        self, moment: Moment | None, changes: RecentChanges | None
    ) -> Collection[str] | None:
        """The accounts that differ from when the keys were last asked for, None if unknown."""
        before = self._moment
        if moment is before is None and self._mark is not None and changes is not None:
            return changes.since(self._mark)
        if moment is None or before is None or abs(moment.seq - before.seq) > 1:
            return None
        here, there = moment.pasts[ACCOUNTS.name].states, before.pasts[ACCOUNTS.name].states
        if not here.is_beside(there):
            return None
        if moment.seq == before.seq:
            return ()
        return max(moment, before, key=lambda each: each.seq).changed[ACCOUNTS.name]

    def _begin(self, accounts: Iterable[tuple[str, AccountState]]) -> None:
        of = SORTS[self._by][1]
        self._place_of = {key: (of(key, state), key) for key, state in accounts}
        self._places = sorted(self._place_of.values())

    def _move(self, changed: Iterable[str], accounts: Mapping[str, AccountState]) -> None:
        of, left, taken = SORTS[self._by][1], [], []
        for key in changed:
            state = accounts.get(key)
            place = None if state is None else (of(key, state), key)
            before = self._place_of.get(key)
            if place == before:
                continue
            if before is not None:
                left.append(before)
                del self._place_of[key]
            if place is not None:
                taken.append(place)
                self._place_of[key] = place
        if len(taken) > MOST or len(taken) * MANY > len(self._places):
            self._places = sorted(self._place_of.values())
            return
        for place in left:
            del self._places[bisect_left(self._places, place)]
        for place in taken:
            insort(self._places, place)
