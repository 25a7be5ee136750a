"""The rules for publishing: whether an event may be appended to a log in its present state. Pure.

`form_problem` and `state_problem` return an objection, or None. Events that would be parked are
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import assert_never

from natster_tui.events.account_keys import account_key_problem
from natster_tui.events.natster import CATALOG_TYPES, NATSTER, EventType
from natster_tui.events.payloads import payload_problem
from natster_tui.events.tokens import NONE, is_usable_token
from natster_tui.projections.account import AccountState, announced_name, read_context
from natster_tui.projections.catalog import CatalogState


@dataclass(frozen=True, slots=True)
class Proposal:
    """An event to be published. `target` and `catalog` are "none" if unused."""

    kind: EventType
    origin: str
    target: str = NONE
    catalog: str = NONE
    payload: bytes = b""

    @property
    def subject(self) -> str:
        """The subject it would be published on."""
        return NATSTER.subject_of(self.kind, self.origin, self.target, self.catalog)

    @property
    def expected_subject(self) -> str:
        """The subject filter whose last sequence the append expects, so that one writer wins."""
        if self.kind in CATALOG_TYPES:
            return NATSTER.subject(catalog=self.catalog)
        return NATSTER.subject(origin=self.origin, target=NONE, catalog=NONE)


@unique
class Reason(Enum):
    """Why an event must not be published. `{0}` in a sentence is the objection's `detail`."""

    PAYLOAD = "{0}"
    ORIGIN_KEY = "the origin is not an account key: {0}"
    TARGET_KEY = "the target is not an account key: {0}"
    TAKES_NO_TARGET = "{0} has no target and no catalog"
    CATALOG_NAME = (
        "the catalog's name must be letters, digits, - _ or =, must not begin with _ "
        "and must not be none"
    )
    SAME_ACCOUNT = "origin and target are the same account: that would change nothing"
    INITIALIZED = "this account is initialized already, and no new name is given"
    NOT_INITIALIZED = "this account is not initialized: publish natster_initialized first"
    BOUND = "this very context is bound already"
    ORIGIN_NOT_INITIALIZED = "the origin is not initialized: publish natster_initialized first"
    SHARED = "{0} is shared with this account already"
    NAME_TAKEN = "another account has shared a catalog named {0}: choose another name"
    NAME_TOO_LIKE = "{0} in letter case only: choose another"
    NOT_SHARED = "{0} is not shared with this account: there is nothing to unshare"
    NOT_OFFERED = "the target has not shared {0} with the origin"
    IMPORTED = "{0} is imported already"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an event must not be published; `detail` fills in the reason's sentence."""

    reason: Reason
    detail: str = ""

    @property
    def sentence(self) -> str:
        """For a person."""
        return self.reason.value.replace("{0}", self.detail)


def state_problem(
    proposal: Proposal,
    accounts: dict[str, AccountState],
    catalogs: dict[str, CatalogState],
) -> Objection | None:
    """Why a well-formed proposal must not be appended to a log with these states, or None."""
    match proposal.kind:
        case EventType.INITIALIZED:
            return _initialize_problem(proposal, accounts)
        case EventType.CONTEXT_BOUND:
            return _bind_problem(proposal, accounts)
        case EventType.SHARED:
            return _share_problem(proposal, accounts, catalogs)
        case EventType.UNSHARED:
            return _unshare_problem(proposal, accounts)
        case EventType.IMPORTED:
            return _import_problem(proposal, accounts)
        case _:
            assert_never(proposal.kind)


def form_problem(proposal: Proposal) -> Objection | None:
    """What is wrong with a proposal regardless of the log's state, or None."""
    if problem := payload_problem(NATSTER.kind_of(proposal.kind), proposal.payload):
        return Objection(Reason.PAYLOAD, problem)
    if problem := account_key_problem(proposal.origin):
        return Objection(Reason.ORIGIN_KEY, problem)
    if proposal.kind not in CATALOG_TYPES:
        if proposal.target != NONE or proposal.catalog != NONE:
            return Objection(Reason.TAKES_NO_TARGET, proposal.kind)
        return None
    if problem := account_key_problem(proposal.target):
        return Objection(Reason.TARGET_KEY, problem)
    if not is_usable_token(proposal.catalog):
        return Objection(Reason.CATALOG_NAME)
    if proposal.origin == proposal.target:
        return Objection(Reason.SAME_ACCOUNT)
    return None


def _initialize_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> Objection | None:
    state = accounts.get(proposal.origin)
    if state is None or state.initialized_at == 0:
        return None
    name = announced_name(proposal.payload)
    if name is None or name == state.account_name:
        return Objection(Reason.INITIALIZED)
    return None


def _bind_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> Objection | None:
    state = accounts.get(proposal.origin)
    if state is None or state.initialized_at == 0:
        return Objection(Reason.NOT_INITIALIZED)
    if state.bound_context == read_context(proposal.payload):
        return Objection(Reason.BOUND)
    return None


def _share_problem(
    proposal: Proposal, accounts: dict[str, AccountState], catalogs: dict[str, CatalogState]
) -> Objection | None:
    name, origin = proposal.catalog, accounts.get(proposal.origin)
    if origin is None or origin.initialized_at == 0:
        return Objection(Reason.ORIGIN_NOT_INITIALIZED)
    if (name, proposal.target) in origin.out_shares:
        return Objection(Reason.SHARED, name)
    catalog = catalogs.get(name)
    if catalog is not None and catalog.owner != proposal.origin:
        return Objection(Reason.NAME_TAKEN, name)
    for other in catalogs:
        if other != name and other.lower() == name.lower():
            return Objection(Reason.NAME_TOO_LIKE, f"{name} differs from {other}")
    return None


def _unshare_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> Objection | None:
    origin = accounts.get(proposal.origin)
    if origin is None or (proposal.catalog, proposal.target) not in origin.out_shares:
        return Objection(Reason.NOT_SHARED, proposal.catalog)
    return None


def _import_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> Objection | None:
    importer = accounts.get(proposal.origin)
    share = (proposal.catalog, proposal.target)
    if importer is None or share not in importer.in_shares:
        return Objection(Reason.NOT_OFFERED, proposal.catalog)
    if importer.in_shares[share] is not None:
        return Objection(Reason.IMPORTED, proposal.catalog)
    return None
