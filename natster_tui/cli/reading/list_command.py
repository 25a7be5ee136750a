"""`natster-tui list`: the accounts, the catalogs, or the documents of a projection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.line_format import for_output, time_and_age
from natster_tui.cli.moment_options import AT_HELP, Position, at_option, position_of
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.lists import (
    ListedAccount,
    ListedAccounts,
    ListedCatalog,
    ListedCatalogs,
)
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.projecting.projection_names import chosen_version, names_a_version
from natster_tui.cli.reading.document_listing import documents_listing
from natster_tui.cli.reading.listing import Found, Listing, States, passes
from natster_tui.cli.reading.table import Table, table_lines
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.cli.target import Target
from natster_tui.engine.rebuilding.replay import Replay, replay
from natster_tui.engine.server_source import with_log
from natster_tui.errors import NotFoundError
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.fast.shares import imported_count
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text

_NAME = 40


@click.command("list")
@click.argument("what", metavar="accounts|catalogs|PROJECTION", shell_complete=completion.lists)
@click.argument("filter_text", metavar="[FILTER]", required=False, default="")
@click.option("--at", metavar="MOMENT", help=AT_HELP)
@takes_json
@takes_target
def list_(what: str, filter_text: str, at: str | None, as_json: bool, **_given: Any) -> None:
    """List accounts or catalogs with counts, or the documents of a projection.

    FILTER is a part of a name, or the beginning of a key; exits 1 if nothing matches. Keys are
    shortened if the terminal is too narrow; in a pipe and with --json they are whole.
    """
    target = target_of(takes_versions=names_a_version(what))
    listing = _listing(target, what)
    moment = at_option(at)

    async def read(log: EventLog) -> tuple[Position, Replay]:
        upto = await position_of(log, moment, target.instance)
        return upto, await replay(log, listing.projections, upto.seq, target.instance)

    position, read_in = run(with_log(target.source, target.choice, read))
    position.print_note()
    states = {name: fold.states for name, fold in read_in.folds.items()}
    found = listing.find(read_in.seq, states, filter_text.lower())
    if as_json:
        click.echo(output_line(found.output))
    elif found.table.rows:
        for line in table_lines(found.table):
            click.echo(for_output(line))
    if not found.table.rows:
        passing = f" like {screen_text(filter_text, 60)}" if filter_text else ""
        raise NotFoundError(f"there are no {listing.noun}{passing} as of {read_in.seq:,}")


def _listing(target: Target, what: str) -> Listing:
    """The list that was asked for. Raises UsageError with the names of all projections."""
    if what in ("accounts", ACCOUNTS.name):
        return Listing("accounts", (ACCOUNTS,), _find_accounts)
    if what in ("catalogs", CATALOGS.name):
        return Listing("catalogs", (ACCOUNTS, CATALOGS), _find_catalogs)
    return documents_listing(chosen_version(target.choice.projections, what))


def _find_accounts(at: int, states: States, wanted: str) -> Found:
    found = _accounts(states[ACCOUNTS.name], wanted)
    return Found(ListedAccounts(at=at, accounts=found), _account_table(found))


def _find_catalogs(at: int, states: States, wanted: str) -> Found:
    found = _catalogs(states[CATALOGS.name], states[ACCOUNTS.name], wanted)
    return Found(ListedCatalogs(at=at, catalogs=found), _catalog_table(found))


def _accounts(accounts: dict[str, AccountState], wanted: str) -> tuple[ListedAccount, ...]:
    found = [
        ListedAccount(
            key=mask_text(key),
            name=mask_text(state.account_name or ""),
            initialized_at=state.initialized_at,
            bound=state.bound_context is not None,
            shares=len(state.out_shares),
            shared_with_it=len(state.in_shares),
            imported=imported_count(state.in_shares),
        )
        for key, state in accounts.items()
        if passes(wanted, key, state.account_name or "")
    ]
    found.sort(key=lambda each: (each.name == "", each.name.lower(), each.key))
    return tuple(found)


def _catalogs(
    catalogs: dict[str, CatalogState], accounts: dict[str, AccountState], wanted: str
) -> tuple[ListedCatalog, ...]:
    def name_of(key: str) -> str:
        state = accounts.get(key)
        return "" if state is None else state.account_name or ""

    found = [
        ListedCatalog(
            name=mask_text(name),
            owner=mask_text(state.owner),
            owner_name=mask_text(name_of(state.owner)),
            shared_with=len(state.shared_with),
            contested_by=len(state.contested_by),
        )
        for name, state in catalogs.items()
        if wanted in name.lower() or passes(wanted, state.owner, name_of(state.owner))
    ]
    found.sort(key=lambda each: (each.name.lower(), each.name))
    return tuple(found)


def _account_table(found: Iterable[ListedAccount]) -> Table:
    rows = [
        (
            screen_text(each.name, _NAME) or "-",
            screen_text(each.key, 100),
            f"{each.shares:,}",
            f"{each.shared_with_it:,}",
            f"{each.imported:,}",
            time_and_age(each.initialized_at) if each.initialized_at else "not initialized",
        )
        for each in found
    ]
    headings = ("NAME", "KEY", "SHARES", "HAS", "IMPORTED", "SINCE")
    return Table(headings, rows, frozenset({1}), frozenset({2, 3, 4}))


def _catalog_table(found: Iterable[ListedCatalog]) -> Table:
    rows = [
        (
            screen_text(each.name, 60),
            screen_text(each.owner_name, _NAME) or "-",
            screen_text(each.owner, 100),
            f"{each.shared_with:,}",
            f"{each.contested_by:,}" if each.contested_by else "",
        )
        for each in found
    ]
    headings = ("NAME", "OWNER", "OWNER'S KEY", "SHARED WITH", "ALSO USED BY")
    return Table(headings, rows, frozenset({2}), frozenset({3, 4}))
