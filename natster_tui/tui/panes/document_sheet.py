"""A document for the inspector: an account, a catalog, or that of any other projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from natster_tui.events.times import age
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.excerpt import excerpt_of
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import Past
from natster_tui.projections.wording import pretty_json
from natster_tui.text.counting import counted
from natster_tui.text.masking import mask_json, screen_text
from natster_tui.tui.clock import full_time
from natster_tui.tui.panes.sheet import Manner, Section, Sheet, Tone
from natster_tui.tui.places.place import account_place

_ENTRIES_SHOWN = 50
"""Of a list: laying out thousands of lines at every refresh would keep keys waiting."""

AnyFold = Fold[Any] | Past[Any]


def account_sheet(key: str, fold: AnyFold, manner: Manner, *, is_hub: bool) -> Sheet:
    """An account's projection."""
    facts = Section("account")
    title = f"Account {manner.names.of(key)}"
    facts.add("key", screen_text(key, 100))
    state: AccountState | None = fold.states.get(key)
    if state is None:
        facts.add("", "no longer known", Tone.DIM)
        return Sheet(title, (facts,))
    if state.initialized_at:
        facts.add("initialized", _since(state.initialized_at, manner))
    else:
        facts.add("initialized", "not yet: others have shared with it already")
    facts.add("shares", f"{len(state.out_shares):,} out, {len(state.in_shares):,} in")
    if is_hub:
        facts.add("hub", "shares with most accounts; imports from it make no prize candidate")
    return Sheet(title, (facts, _binding(state, manner), _document(key, fold, manner)))


def catalog_sheet(
    name: str,
    fold: AnyFold,
    manner: Manner,
    warnings: Sequence[str],
    accounts: Mapping[str, AccountState],
) -> Sheet:
    """A catalog's projection; `accounts` says when a recipient imported it."""
    facts = Section("catalog")
    title = f"Catalog {screen_text(name, 60)}"
    state: CatalogState | None = fold.states.get(name)
    if state is None:
        facts.add("", "only shared in ways that make no catalog", Tone.DIM)
        return Sheet(title, (facts,))
    facts.add("owner", manner.account(state.owner), place=account_place(state.owner))
    for warning in warnings:
        facts.add("warning", warning, Tone.WARN)
    facts.add("shared with", counted(len(state.shared_with), "account"))
    for account in islice(state.shared_with, _ENTRIES_SHOWN):
        recipient = accounts.get(account)
        at = None if recipient is None else recipient.in_shares.get((name, state.owner))
        imported = "" if at is None else f", imported {full_time(at)}"
        facts.add("", f"{manner.names.of(account)}{imported}", place=account_place(account))
    return Sheet(title, (facts, _document(name, fold, manner)))


def document_sheet(key: str, fold: AnyFold, manner: Manner) -> Sheet:
    """A document of any projection."""
    noun = fold.projection.key_noun
    facts = Section(noun)
    facts.add(noun, screen_text(key, 100))
    if fold.states.get(key) is None:
        facts.add("", "no longer known", Tone.DIM)
    title = f"{noun[:1].upper()}{noun[1:]} {screen_text(key, 60)}"
    return Sheet(title, (facts, _document(key, fold, manner)))


def _since(seconds: int, manner: Manner) -> str:
    return f"{full_time(seconds)} ({age(manner.now - seconds)} ago)"


def _binding(state: AccountState, manner: Manner) -> Section:
    section, bound = Section("web login"), state.bound_context
    if bound is not None:
        login = screen_text(bound.oauth_id, 120, reveal=manner.reveal)
        section.add("web login", login, Tone.SECOND)
        if state.bound_at is not None:
            section.add("bound", _since(state.bound_at, manner))
        for name, value in bound.as_document()["bound_context"].items():
            section.add("", f"{name}: {manner.field(name, value) or '-'}")
    return section


def _document(key: str, fold: AnyFold, manner: Manner) -> Section:
    section, state = Section("document"), fold.states.get(key)
    if state is not None:
        excerpt = excerpt_of(fold.projection, key, state, _ENTRIES_SHOWN)
        shown = excerpt.document if manner.reveal else mask_json(excerpt.document)
        section.add("document", f"{excerpt.size}, as of {fold.seq:,}")
        section.add("", pretty_json(shown))
    return section
