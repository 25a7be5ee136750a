"""The reference service's accounts: the documents that its rules make of the log.

An account exists from its first initialization on. Earlier shares, unshares and bindings are tried
again until they succeed, in an unknown order. A share is appended each time, and an unshare removes
all of its entries. Imports and names are not kept. Times come from the service's clock.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from natster_tui.events.event import Record
from natster_tui.events.natster import EventType
from natster_tui.projections.documents import Document
from natster_tui.projections.reference_service.rules import (
    binding_of,
    in_order,
    is_key,
    same,
    tokens_of,
)

_NAMES = (
    "out_shares",
    "in_shares",
    "initialized_at",
    "account_name",
    "bound_at",
    "bound_context",
)
_KEPT_NOWHERE = ("account_name", "bound_at")

Pair = tuple[str, str]
"""Catalog and the other account."""


class _Shares:
    """A list of shares, possibly with repetitions, in the order in which they were appended."""

    def __init__(self) -> None:
        self._numbers: dict[Pair, list[int]] = {}
        self._appended = 0
        self.late: dict[Pair, range] = {}
        """How many entries there may be of a share that did not succeed at first."""

    def append(self, pair: Pair) -> None:
        self._appended += 1
        self._numbers.setdefault(pair, []).append(self._appended)

    def remove(self, pair: Pair) -> None:
        self._numbers.pop(pair, None)

    def pairs(self) -> list[Pair]:
        numbered = ((number, pair) for pair, each in self._numbers.items() for number in each)
        return [pair for _number, pair in sorted(numbered)]


@dataclass(slots=True)
class _Account:
    """One account.

    `bindings` are those that may be the latest one; the first `late` of them came before the
    account was initialized.
    """

    touched: int
    bindings: list[Document]
    late: int
    out_shares: _Shares = field(default_factory=_Shares)
    in_shares: _Shares = field(default_factory=_Shares)


class _Change(NamedTuple):
    """A share, or an unshare."""

    origin: str
    target: str
    catalog: str
    adds: bool


class ReferenceAccounts:
    """See `drift.Reference`."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._waiting: dict[str, list[_Change]] = {}
        self._unbound: dict[str, list[Document]] = {}
        self._tried: dict[tuple[str, str, str], tuple[int, int]] = {}
        """How often each share was shared, and unshared."""

    def take(self, record: Record) -> None:
        """See `drift.Reference`."""
        tokens = tokens_of(record.subject)
        if tokens is None:
            return
        origin, target, catalog, kind = tokens
        match kind:
            case EventType.INITIALIZED:
                self._initialize(origin, record)
            case EventType.CONTEXT_BOUND:
                self._bind(origin, record)
            case EventType.SHARED | EventType.UNSHARED if origin != target:
                change = _Change(origin, target, catalog, kind == EventType.SHARED)
                shares, unshares = self._tried.get(change[:3], (0, 0))
                self._tried[change[:3]] = (shares + change.adds, unshares + (not change.adds))
                self._apply(change, record.seq)

    def _initialize(self, key: str, record: Record) -> None:
        if not is_key(key):
            return
        if (known := self._accounts.get(key)) is not None:
            known.touched = record.seq
            return
        bindings = self._unbound.pop(key, [])
        self._accounts[key] = _Account(record.seq, bindings, len(bindings))
        for change in self._waiting.pop(key, ()):
            self._apply(change, record.seq, late=True)

    def _bind(self, key: str, record: Record) -> None:
        binding = binding_of(record.stored)
        if binding is None:
            return
        account = self._accounts.get(key)
        if account is None:
            self._unbound.setdefault(key, []).append(binding)
            return
        account.bindings[account.late :] = [binding]
        account.touched = record.seq

    def _apply(self, change: _Change, seq: int, *, late: bool = False) -> None:
        missing = next((key for key in change[:2] if key not in self._accounts), None)
        if missing is not None:
            self._waiting.setdefault(missing, []).append(change)
            return
        origin, target = self._accounts[change.origin], self._accounts[change.target]
        origin.touched = target.touched = seq
        sides = (
            (origin.out_shares, (change.catalog, change.target)),
            (target.in_shares, (change.catalog, change.origin)),
        )
        for shares, pair in sides:
            if change.adds:
                shares.append(pair)
            else:
                shares.remove(pair)
            if late or pair in shares.late:
                shared, unshared = self._tried[change[:3]]
                shares.late[pair] = range(0 if unshared else shared, shared + 1)

    def has(self, key: str) -> bool:
        """See `drift.Reference`."""
        return key in self._accounts

    def touched(self, key: str) -> int:
        """See `drift.Reference`."""
        return self._accounts[key].touched if key in self._accounts else 0

    def nearest(self, key: str, stored: Document, ours: Document | None) -> Document:
        """See `drift.Reference`."""
        account, log = self._accounts[key], ours or {}
        theirs: Document = {}
        for name, shares in (("out_shares", account.out_shares), ("in_shares", account.in_shares)):
            found = stored.get(name)
            if name in log and same(found, log[name]):
                theirs[name] = found
            else:
                theirs[name] = _nearest_list(found, shares)
        theirs["initialized_at"] = _nearest_time(stored.get("initialized_at"), log)
        for name in _KEPT_NOWHERE:
            if name in stored and name in log:
                theirs[name] = log[name]
        bound = stored.get("bound_context")
        possible = [*account.bindings, *([log["bound_context"]] if "bound_context" in log else [])]
        if any(same(bound, binding) for binding in possible):
            theirs["bound_context"] = bound
        elif account.bindings:
            theirs["bound_context"] = account.bindings[-1]
        return in_order(theirs, _NAMES)


def _nearest_time(stored: Any, log: Document) -> Any:
    """Any time may be right: the service takes it from its clock when it reads the event."""
    is_time = type(stored) is int and stored > 0
    return stored if is_time else log.get("initialized_at", 0)


def _entry(pair: Pair) -> Document:
    return {"catalog": pair[0], "account": pair[1]}


def _nearest_list(stored: Any, shares: _Shares) -> list[Document]:
    """The list nearest to the stored one among those that the service may have stored.

    If shares came before the initialization, their number may differ, and the order is unknown.
    """
    expected = shares.pairs()
    if not shares.late or not isinstance(stored, list):
        return [_entry(pair) for pair in expected]
    found = list(_pairs(stored))
    have, want = Counter(found), Counter(expected)
    for pair, possible in shares.late.items():
        want[pair] = min(max(have[pair], possible.start), possible.stop - 1)
    kept = []
    for pair in (*found, *want.elements()):
        if want[pair] > 0:
            want[pair] -= 1
            kept.append(pair)
    return [_entry(pair) for pair in kept]


def _pairs(stored: Iterable[Any]) -> Iterable[Pair]:
    """The entries of a stored list that are shares and nothing else."""
    for entry in stored:
        if (
            isinstance(entry, dict)
            and isinstance(entry.get("catalog"), str)
            and isinstance(entry.get("account"), str)
            and json.dumps(entry) == json.dumps(_entry((entry["catalog"], entry["account"])))
        ):
            yield entry["catalog"], entry["account"]
