"""Deciding whether a new event may be published: the checks before an append.

Pure: the decision is made from the two states that the event would change. What it answers is
either the message to append, with the filter under which the append must expect nothing newer,
or one sentence that says why not. Whatever would be parked is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
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
        """The filter whose newest sequence the append expects, so that two writers can't win."""
        if self.kind in CATALOG_TYPES:
            return NATSTER.subject(catalog=self.catalog)
        return NATSTER.subject(origin=self.origin, target=NONE, catalog=NONE)


def state_problem(
    proposal: Proposal,
    accounts: dict[str, AccountState],
    catalogs: dict[str, CatalogState],
) -> str | None:
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


def form_problem(proposal: Proposal) -> str | None:
    """What is wrong with a proposal whatever the state of the log is, or None."""
    if problem := payload_problem(NATSTER.kind_of(proposal.kind), proposal.payload):
        return problem
    if problem := account_key_problem(proposal.origin):
        return f"the origin is not an account key: {problem}"
    if proposal.kind not in CATALOG_TYPES:
        if proposal.target != NONE or proposal.catalog != NONE:
            return f"{proposal.kind} has no target and no catalog"
        return None
    if problem := account_key_problem(proposal.target):
        return f"the target is not an account key: {problem}"
    if not is_usable_token(proposal.catalog):
        return (
            "the catalog's name must be letters, digits, - _ or =, must not begin with _ "
            "and must not be none"
        )
    if proposal.origin == proposal.target:
        return "origin and target are the same account: that would change nothing"
    return None


def _initialize_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> str | None:
    state = accounts.get(proposal.origin)
    if state is None or state.initialized_at == 0:
        return None
    name = announced_name(proposal.payload)
    if name is None or name == state.account_name:
        return "this account is initialized already, and no new name is given"
    return None


def _bind_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> str | None:
    state = accounts.get(proposal.origin)
    if state is None or state.initialized_at == 0:
        return "this account is not initialized: publish natster_initialized first"
    if state.bound_context == read_context(proposal.payload):
        return "this very context is bound already"
    return None


def _share_problem(
    proposal: Proposal, accounts: dict[str, AccountState], catalogs: dict[str, CatalogState]
) -> str | None:
    origin = accounts.get(proposal.origin)
    if origin is None or origin.initialized_at == 0:
        return "the origin is not initialized: publish natster_initialized first"
    if (proposal.catalog, proposal.target) in origin.out_shares:
        return f"{proposal.catalog} is shared with this account already"
    catalog = catalogs.get(proposal.catalog)
    if catalog is not None and catalog.owner != proposal.origin:
        return f"another account has shared a catalog named {proposal.catalog}: choose another name"
    collision = next(
        (
            name
            for name in catalogs
            if name != proposal.catalog and name.lower() == proposal.catalog.lower()
        ),
        None,
    )
    if collision is not None:
        return f"{proposal.catalog} differs from {collision} in letter case only: choose another"
    return None


def _unshare_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> str | None:
    origin = accounts.get(proposal.origin)
    if origin is None or (proposal.catalog, proposal.target) not in origin.out_shares:
        return f"{proposal.catalog} is not shared with this account: there is nothing to unshare"
    return None


def _import_problem(proposal: Proposal, accounts: dict[str, AccountState]) -> str | None:
    importer = accounts.get(proposal.origin)
    share = (proposal.catalog, proposal.target)
    if importer is None or share not in importer.in_shares:
        return f"the target has not shared {proposal.catalog} with the origin"
    if importer.in_shares[share] is not None:
        return f"{proposal.catalog} is imported already"
    return None
