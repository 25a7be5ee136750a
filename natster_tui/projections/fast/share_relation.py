"""The shares of a log as one relation: how a rebuild folds a log from its beginning quickly.

Nearly all events of a log are shares, unshares and imports. Each of them changes one triple:
(origin, target, catalog). The account projection stores a triple twice, as the owner's out-share
and the recipient's in-share. The catalog projection stores it a third time, as a recipient. In a
fold from the first event on, the three always appear and disappear together. So a replay keeps one
ordered dict, from the triple to the time of its import, and the projections make their states from
it once, at the end.

What makes it fast:

- A token is looked up once per event, as the bytes that came from the socket, and gives a small
  number (see `names`); a token is checked, decoded and numbered when it is first seen. A triple of
  numbers is one integer, and hashing that is cheap.
- No record and no event is made for a share, an unshare or an import. Its time is parsed only where
  an import needs it.
- Nothing is written per account or per catalog until the end. The order of documents is kept: an
  account's place is the sequence of the event that created it.

Everything that is not one of these three events with three usable tokens is handed back by `take`,
to be folded by the projections' own rules: initializations and bindings, whose payloads count, and
everything that is parked. No rule about a share needs what they change, but for the order of
accounts, which `place` keeps.

It holds for a fold from the beginning only. States that were read from documents may hold an
out-share without its counterpart, which this cannot express; for them, and for everything live,
there are the rules in `account` and `catalog`. A property test holds both to the same documents,
order and parked tallies for any log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import methodcaller
from typing import Final

from natster_tui.events.event import MARKER_REASON, OCCURRED_AT, StoredMessage
from natster_tui.events.headers import first_header
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.times import parse_occurred_at
from natster_tui.events.tokens import is_usable_token
from natster_tui.projections.fast.names import number_of
from natster_tui.projections.fast.shares import HALF, packed_time

_MASK: Final = (1 << HALF) - 1
_UNUSABLE: Final = -1

_PREFIX: Final = NATSTER.prefix.encode()
_MARKER: Final = MARKER_REASON.encode()
_OCCURRED: Final = OCCURRED_AT.encode()
_KINDS: Final = (EventType.SHARED, EventType.UNSHARED, EventType.IMPORTED)
_SHARED, _UNSHARED = 0, 1
_CODES: Final = {kind.value.encode(): code for code, kind in enumerate(_KINDS)}
"""Kinds are numbers in the loop: an enum member takes ten times as long to hash."""

_is_ours = methodcaller("startswith", _PREFIX)

Share = tuple[int, int, int, int]
"""The numbers of origin, target and catalog, and the packed time of the import."""


class ShareRelation:
    """The active shares of a log, and which accounts and catalogs they created."""

    def __init__(self) -> None:
        self._counts = [0] * len(_KINDS)
        self._numbers: dict[bytes, int] = {}
        self._shares: dict[int, int] = {}
        self._accounts: dict[int, int] = {}
        """Accounts, with the place of what created each: twice its sequence, one more for a
        target, which is created after the origin of the same share."""
        self._owners: dict[int, int] = {}
        self._contested: dict[int, dict[int, None]] = {}

    def take(self, messages: Sequence[StoredMessage]) -> list[StoredMessage]:
        """Fold the messages that are shares, unshares and imports; returns the others, in order."""
        others: list[StoredMessage] = []
        number_of, codes, shares, counts = self._numbers, _CODES, self._shares, self._counts
        # Asked of all messages at once: hardly any log has one of another subject, or a marker.
        odd_subjects = not all(map(_is_ours, [message[2] for message in messages]))
        has_markers = _MARKER in b"".join([message[4] for message in messages])
        for message in messages:
            seq, time_ns, subject, _payload, headers = message
            if odd_subjects and not _is_ours(subject):
                others.append(message)
                continue
            try:
                _, _, name, other_name, catalog_name, kind_name = subject.split(b".")
                code = codes[kind_name]
            except (ValueError, KeyError):
                others.append(message)
                continue
            try:
                origin = number_of[name]
                target = number_of[other_name]
                catalog = number_of[catalog_name]
            except KeyError:
                origin = self._number(name)
                target = self._number(other_name)
                catalog = self._number(catalog_name)
                if origin < 0 or target < 0 or catalog < 0:
                    others.append(message)
                    continue
            if has_markers and first_header(headers, MARKER_REASON) is not None:
                others.append(message)
                continue
            counts[code] += 1
            if origin == target:
                continue
            if code == _SHARED:
                share = (origin << HALF | target) << HALF | catalog
                if share not in shares:
                    shares[share] = 0
                    self._create(seq, origin, target, catalog)
            elif code == _UNSHARED:
                shares.pop((origin << HALF | target) << HALF | catalog, None)
            else:
                share = (target << HALF | origin) << HALF | catalog
                if shares.get(share, 1) == 0:
                    shares[share] = packed_time(_event_time(time_ns, headers))
        return others

    @property
    def counts(self) -> dict[str, int]:
        """How many events of each kind were folded here."""
        return dict(zip(_KINDS, self._counts, strict=True))

    def _number(self, token: bytes) -> int:
        """The number of a token, a new one where it is new; _UNUSABLE if it cannot be a name."""
        number = self._numbers.get(token)
        if number is None:
            text = str(token, "utf-8", "replace")
            if not is_usable_token(text):
                return _UNUSABLE  # not kept: a log may hold any number of them
            number = self._numbers[token] = number_of(text)
        return number

    def _create(self, seq: int, origin: int, target: int, catalog: int) -> None:
        """Create what a share that was not there creates, where it is not there yet."""
        accounts = self._accounts
        if origin not in accounts:
            accounts[origin] = 2 * seq
        if target not in accounts:
            accounts[target] = 2 * seq + 1
        owner = self._owners.setdefault(catalog, origin)
        if owner != origin:
            self._contested.setdefault(catalog, {})[origin] = None

    def close(self) -> None:
        """Free what only more messages would need; there must be none."""
        self._numbers = {}

    def place(self, account: str, seq: int) -> None:
        """Note that the event at `seq`, folded elsewhere, would have created an account."""
        number = self._number(account.encode())
        self._accounts[number] = min(self._accounts.get(number, 2 * seq), 2 * seq)

    def accounts(self) -> list[int]:
        """The accounts in the order in which they were created."""
        return sorted(self._accounts, key=self._accounts.__getitem__)

    def shares(self) -> Iterator[Share]:
        """The active shares, in the order in which they came."""
        for share, imported in self._shares.items():
            yield share >> 2 * HALF, share >> HALF & _MASK, share & _MASK, imported

    def catalogs(self) -> Iterator[tuple[int, int, Iterable[int]]]:
        """Catalog names in the order in which they were created: name, owner, contested by."""
        for catalog, owner in self._owners.items():
            yield catalog, owner, self._contested.get(catalog, ())


def _event_time(time_ns: int, headers: bytes) -> int:
    """See `Record.event_time`."""
    if _OCCURRED in headers:
        occurred = parse_occurred_at(first_header(headers, OCCURRED_AT))
        if occurred is not None:
            return occurred
    return time_ns // 1_000_000_000
