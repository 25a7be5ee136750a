"""The account projection: each account's name, web login, and shares in both directions.

Bucket `PROJ_ACCOUNT`, one document per account.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Self

from natster_tui.events.event import Event
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Unopened
from natster_tui.events.tokens import NONE
from natster_tui.projections.api import PageableList, Projection, unopened_error
from natster_tui.projections.documents import (
    Document,
    encode_document,
    read_document,
    seconds_of,
    text_of,
)
from natster_tui.projections.fast.names import names
from natster_tui.projections.fast.share_relation import ShareRelation
from natster_tui.projections.fast.shares import HALF, Pair, Shares, packed_time, pairs_of
from natster_tui.text.masking import screen_text
from natster_tui.text.strict_json import Json, UnreadableError, read_json

CONTEXT_FIELDS = (
    "team_id",
    "system_id",
    "account_id",
    "account_name",
    "account_public_key",
    "access_token",
    "user_id",
    "creds",
)
"""The fields of a web context, in the order in which documents show them."""


@dataclass(frozen=True, slots=True)
class BoundContext:
    """A web identity bound to an account.

    `details` are the values of CONTEXT_FIELDS as a JSON object: a log may hold a hundred thousand
    contexts, and eight texts take half as much memory again.
    """

    oauth_id: str
    details: bytes

    @classmethod
    def of(cls, oauth_id: str, fields: Iterable[str]) -> Self:
        """The context with these values of CONTEXT_FIELDS."""
        return cls(oauth_id, encode_document(dict(zip(CONTEXT_FIELDS, fields, strict=True))))

    def as_document(self) -> Document:
        """The context as it is in payloads and documents."""
        return {"oauth_id": self.oauth_id, "bound_context": read_document(self.details)}


@dataclass(slots=True)
class AccountState:
    """One account. `initialized_at` is unix seconds, 0 until initialized.

    `bound_at` is the time of the latest binding in unix seconds, None if there is none.
    """

    out_shares: Shares = field(default_factory=Shares)
    in_shares: Shares = field(default_factory=Shares)
    initialized_at: int = 0
    account_name: str | None = None
    bound_at: int | None = None
    bound_context: BoundContext | None = None


def states_with_shares(
    relation: ShareRelation, others: dict[str, AccountState]
) -> dict[str, AccountState]:
    """The accounts of a relation; `others` has their initializations and bindings."""
    given: defaultdict[int, array[int]] = defaultdict(_no_records)
    taken: defaultdict[int, array[int]] = defaultdict(_no_records)
    for origin, target, catalog, imported in relation.shares():
        records = given[origin]
        records.append(catalog << HALF | target)
        records.append(imported)
        records = taken[target]
        records.append(catalog << HALF | origin)
        records.append(imported)
    states: dict[str, AccountState] = {}
    for number in relation.accounts():
        account = names[number]
        state = states[account] = others.get(account) or AccountState()
        if number in given:
            state.out_shares = Shares.of_records(given.pop(number))
        if number in taken:
            state.in_shares = Shares.of_records(taken.pop(number))
    return states


def _no_records() -> array[int]:
    return array("Q")


def _columns(shares: Mapping[Pair, int | None]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Names and values to compare and to encode: numbers where the shares are packed."""
    if isinstance(shares, Shares):
        return shares.columns()
    return list(shares), list(map(packed_time, shares.values()))


def _encode_shares(keys: Sequence[Any], times: Sequence[int]) -> list[Document]:
    pairs: Iterable[Pair] = pairs_of(keys) if keys and type(keys[0]) is int else keys
    return [
        {"catalog": catalog, "account": account, "imported_at": time - 1}
        if time
        else {"catalog": catalog, "account": account}
        for (catalog, account), time in zip(pairs, times, strict=True)
    ]


def _decode_shares(entries: list[Document]) -> Shares:
    shares: dict[Pair, int | None] = {}
    for entry in entries:
        imported = entry.get("imported_at")
        catalog, account = text_of(entry["catalog"]), text_of(entry["account"])
        shares[catalog, account] = None if imported is None else seconds_of(imported)
    if len(shares) != len(entries):
        raise ValueError("not an account document: it has a share twice")
    return Shares(shares)


_Rule = Callable[[dict[str, AccountState], Event], tuple[str, ...] | ParkReason]


class AccountProjection(Projection[AccountState]):
    """Accounts from all five event types."""

    name = "account"
    bucket = "PROJ_ACCOUNT"
    version = 3
    key_noun = "account"
    uses = frozenset(EventType)
    pageable = MappingProxyType(
        {
            "out_shares": PageableList(attrgetter("out_shares"), _encode_shares, _columns),
            "in_shares": PageableList(attrgetter("in_shares"), _encode_shares, _columns),
        }
    )

    fast_form = staticmethod(states_with_shares)

    def __init__(self) -> None:
        self._rules: dict[StrEnum, _Rule] = {
            EventType.INITIALIZED: self._initialize,
            EventType.CONTEXT_BOUND: self._bind,
            EventType.SHARED: self._share,
            EventType.UNSHARED: self._unshare,
            EventType.IMPORTED: self._import,
        }

    def apply(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...] | ParkReason:
        """See `Projection.apply`."""
        if not event.usable:
            return ParkReason.TOKEN
        return self._rules[event.type](states, event)

    def parks(self, event: Event) -> ParkReason | None:
        """See `Projection.parks`. An event whose key is missing stops the fold instead."""
        if not event.usable or event.type is not EventType.CONTEXT_BOUND:
            return super().parks(event)
        seal = event.record.seal
        match None if seal is None else seal.unopened:
            case Unopened.ERASED:
                return ParkReason.ERASED
            case Unopened.UNAVAILABLE:
                return None
            case _:
                return ParkReason.PAYLOAD if context_of(event) is None else None

    def _initialize(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...]:
        _unopened(event)  # erased or unreadable: it still counts, without a name
        state = states.get(event.origin)
        changed = state is None
        if state is None:
            state = states[event.origin] = AccountState()
        if state.initialized_at == 0:
            state.initialized_at = event.time
            changed = True
        name = announced_name(event.payload)
        if name is not None and name != state.account_name:
            state.account_name = name
            changed = True
        return (event.origin,) if changed else ()

    def _bind(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...] | ParkReason:
        if _unopened(event) is Unopened.ERASED:
            return ParkReason.ERASED
        context = context_of(event)
        if context is None:
            return ParkReason.PAYLOAD
        state = states.get(event.origin)
        if state is None:
            state = states[event.origin] = AccountState()
        elif state.bound_context == context and state.bound_at == event.time:
            return ()
        state.bound_at = event.time
        state.bound_context = context
        return (event.origin,)

    def _share(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...]:
        origin, target, catalog = event.origin, event.target, event.catalog
        if origin == target:
            return ()
        owner = states.get(origin)
        if owner is None:
            owner = states[origin] = AccountState()
        recipient = states.get(target)
        if recipient is None:
            recipient = states[target] = AccountState()
        given, taken = (catalog, target), (catalog, origin)
        changed: tuple[str, ...] = ()
        if given not in owner.out_shares:
            owner.out_shares[given] = None
            changed = (origin,)
        if taken not in recipient.in_shares:
            recipient.in_shares[taken] = None
            changed = (*changed, target)
        return changed

    def _unshare(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...]:
        origin, target, catalog = event.origin, event.target, event.catalog
        if origin == target:
            return ()
        changed = []
        owner = states.get(origin)
        if owner is not None and (catalog, target) in owner.out_shares:
            del owner.out_shares[catalog, target]
            changed.append(origin)
        recipient = states.get(target)
        if recipient is not None and (catalog, origin) in recipient.in_shares:
            del recipient.in_shares[catalog, origin]
            changed.append(target)
        return tuple(changed)

    def _import(self, states: dict[str, AccountState], event: Event) -> tuple[str, ...]:
        importer, owner, catalog = event.origin, event.target, event.catalog
        time = event.time
        changed = []
        state = states.get(importer)
        if state is not None and state.in_shares.get((catalog, owner), 0) is None:
            state.in_shares[catalog, owner] = time
            changed.append(importer)
        state = states.get(owner)
        if state is not None and state.out_shares.get((catalog, importer), 0) is None:
            state.out_shares[catalog, importer] = time
            changed.append(owner)
        return tuple(changed)

    def keys_of(self, event: Event) -> tuple[str, ...]:
        """See `Projection.keys_of`."""
        if event.target == NONE or not event.kind.has_target:
            return (event.origin,)
        return (event.origin, event.target)

    def key_filters(self, key: str) -> tuple[str, ...]:
        """See `Projection.key_filters`.

        The first is `KEY.>` and not `KEY.*.*.*`: an initialization counts whatever its target
        token says, and the narrower filter leaves out subjects with a literal `>` in it.
        """
        return (NATSTER.of_origin(key), NATSTER.subject(target=key))

    def copy(self, state: AccountState) -> AccountState:
        """See `Projection.copy`; only the shares are ever changed in place."""
        return replace(
            state, out_shares=Shares(state.out_shares), in_shares=Shares(state.in_shares)
        )

    def document(self, key: str, state: AccountState, lists: Mapping[str, Any]) -> Document:
        """See `Projection.document`."""
        document: Document = {
            "out_shares": lists["out_shares"],
            "in_shares": lists["in_shares"],
            "initialized_at": state.initialized_at,
        }
        if state.account_name is not None:
            document["account_name"] = state.account_name
        if state.bound_context is not None:
            document["bound_at"] = state.bound_at
            document["bound_context"] = state.bound_context.as_document()
        return document

    def state_of(self, document: Document) -> AccountState:
        """See `Projection.state_of`."""
        try:
            bound = document.get("bound_context")
            bound_at, context = None, None
            if bound is not None:
                bound_at = seconds_of(document["bound_at"])
                fields = bound["bound_context"]
                context = BoundContext.of(
                    text_of(bound["oauth_id"]),
                    tuple(text_of(fields[name]) for name in CONTEXT_FIELDS),
                )
            name = document.get("account_name")
            return AccountState(
                _decode_shares(document["out_shares"]),
                _decode_shares(document["in_shares"]),
                seconds_of(document["initialized_at"]),
                None if name is None else text_of(name),
                bound_at,
                context,
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not an account document: {error!r}") from error


def _unopened(event: Event) -> Unopened | None:
    """Why a payload did not open, if so; raises UnopenedEventError if its key is missing."""
    seal = event.record.seal
    if seal is not None and seal.unopened is Unopened.UNAVAILABLE:
        raise unopened_error(event, seal)
    return None if seal is None else seal.unopened


def announced_name(payload: bytes) -> str | None:
    """The account name that a `natster_initialized` payload announces, if it is readable."""
    if not payload:
        return None
    try:
        value = read_json(payload)
    except UnreadableError:
        return None
    if not isinstance(value, dict):
        return None
    return _text(value.get("account_name")) or None


def context_of(event: Event) -> BoundContext | None:
    """The context that a `context_bound` event binds, None if it must be parked.

    It is decoded once for each event, however many projections and panes ask.
    """
    try:
        context: BoundContext | None = event.decoded
    except AttributeError:
        context = event.decoded = read_context(event.payload)
    return context


def login_of(event: Event) -> str | None:
    """Who vouches for the web login that a `context_bound` event binds, such as `github`.

    In brackets, why that cannot be read; empty if the event must be parked. None for other events.
    """
    if event.type is not EventType.CONTEXT_BOUND:
        return None
    seal = event.record.seal
    if seal is not None and seal.unopened is not None:
        return f"({seal.closed})"
    context = context_of(event)
    return "" if context is None else screen_text(context.oauth_id.split("|")[0], 30)


def read_context(payload: bytes) -> BoundContext | None:
    """The context that a `context_bound` payload holds, or None if it must be parked."""
    try:
        value = read_json(payload)
    except UnreadableError:
        return None
    if not isinstance(value, dict):
        return None
    oauth_id = _text(value.get("oauth_id"))
    fields = value.get("bound_context")
    if not oauth_id or not isinstance(fields, dict):
        return None
    texts = []
    for name in CONTEXT_FIELDS:
        text = _text(fields.get(name, ""))
        if text is None:
            return None
        texts.append(text)
    return BoundContext.of(oauth_id, texts)


def _text(value: Json) -> str | None:
    """The value if it is a JSON string. Numbers are a subclass of str: the type must be exact."""
    return value if type(value) is str else None
