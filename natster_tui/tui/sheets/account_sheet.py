"""The inspector's page of an account: when it joined, its shares, its web login, its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from natster_tui.events.natster import BOUND, INITIALIZED
from natster_tui.projections.account import AccountState
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import Past
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.places.place import DocumentPlace, EventPlace
from natster_tui.tui.sheets.shares import History, add_shares, history_section, since
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone, document_title

AnyFold = Fold[Any] | Past[Any]


def account_sheet(
    key: str,
    fold: AnyFold,
    formatter: Formatter,
    history: History,
    *,
    is_hub: bool,
    warnings: Sequence[tuple[str, str]] = (),
) -> Sheet:
    """An account's page. `warnings` are the catalogs to warn of, each with a sentence."""
    facts = Section("account")
    title = document_title(fold.projection, key, formatter.names)
    facts.add("key", screen_text(key, 100))
    state: AccountState | None = fold.states.get(key)
    if state is None:
        facts.add("", f"there is no such account as of {fold.seq:,}", Tone.DIM)
        return Sheet(title, (facts,))
    _add_joined(facts, state, formatter, history)
    _add_login(facts, state, formatter, history)
    if is_hub:
        facts.add("hub", "shares with most accounts; imports from it make no prize candidate")
    for catalog, sentence in warnings:
        facts.add("contested", sentence, Tone.WARN, DocumentPlace(CATALOGS.name, catalog))
    shares = Section("shares")
    add_shares(shares, key, state.in_shares, history, formatter, outgoing=False)
    shares.add("", "")
    add_shares(shares, key, state.out_shares, history, formatter, outgoing=True)
    shares.add("", "")
    context, events = _context(state, formatter), history_section(history, formatter)
    if formatter.reveal:
        # Secrets are shown for a few seconds only, so they come near the top.
        return Sheet(title, (facts, context, shares, events))
    return Sheet(title, (facts, shares, context, events))


def _add_joined(
    facts: Section, state: AccountState, formatter: Formatter, history: History
) -> None:
    if not state.initialized_at:
        facts.add("joined", "not yet: others have shared with it already")
        return
    mark = None if history.story is None else history.story.first(INITIALIZED, history.at)
    place = None if mark is None else EventPlace(mark.seq)
    facts.add("joined", since(state.initialized_at, formatter), place=place)


def _add_login(facts: Section, state: AccountState, formatter: Formatter, history: History) -> None:
    bound = state.bound_context
    if bound is None:
        facts.add("web login", "none", Tone.DIM)
        return
    login = screen_text(bound.oauth_id, 120, reveal=formatter.reveal)
    mark = None if history.story is None else history.story.last(BOUND, history.at)
    place = None if mark is None else EventPlace(mark.seq)
    facts.add("web login", login, Tone.SECOND)
    if state.bound_at is not None:
        facts.add("bound", since(state.bound_at, formatter), place=place)


def _context(state: AccountState, formatter: Formatter) -> Section:
    section, bound = Section("web context"), state.bound_context
    if bound is not None:
        fields = bound.as_document()["bound_context"]
        section.add("", f"web context, {counted(len(fields), 'field')}", Tone.DIM, wide=True)
        for name, value in fields.items():
            section.add("", f"{name}: {formatter.field(name, value) or '-'}")
        section.add("", "")
    return section
