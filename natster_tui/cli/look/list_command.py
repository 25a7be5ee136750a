"""`natster-tui list`: the accounts, or the catalogs, with counts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import combining, east_asian_width

import click

from natster_tui.cli.moments import AT_HELP, Position, asked_at, position_of
from natster_tui.cli.naming import for_output, time_and_age
from natster_tui.cli.options import takes_target, target_of
from natster_tui.cli.outputs.lists import (
    ListedAccount,
    ListedAccounts,
    ListedCatalog,
    ListedCatalogs,
)
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.engine.rebuilding.replay import Replay, replay
from natster_tui.engine.server_source import with_log
from natster_tui.errors import NotFoundError
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import short_key
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text

_WHAT = ("accounts", "catalogs")
_NAME = 40
_KEY = 56
_GAP = 2


@dataclass(frozen=True, slots=True)
class _Table:
    """Headings and rows. The columns in `keys` hold keys, which are shortened to fit a line."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    keys: frozenset[int]
    numbers: frozenset[int]


@click.command("list")
@click.argument("what", type=click.Choice(_WHAT))
@click.argument("filter_text", metavar="[FILTER]", required=False, default="")
@click.option("--at", metavar="MOMENT", help=AT_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_target
def list_(what: str, filter_text: str, at: str | None, as_json: bool, **_given: Any) -> None:
    """Accounts or catalogs, by name, with counts; exit 1 if none passes.

    FILTER is a part of a name, or the beginning of a key. Keys are shortened where the terminal
    is too narrow for them; piped and with --json they are whole.
    """
    target = target_of()
    moment = asked_at(at)

    async def read(log: EventLog) -> tuple[Position, Replay]:
        upto = await position_of(log, moment, target.instance)
        return upto, await replay(log, [ACCOUNTS, CATALOGS], upto.seq, target.instance)

    position, read_in = run(with_log(target.source, target.choice, read))
    position.tell()
    accounts: dict[str, AccountState] = read_in.folds[ACCOUNTS.name].states
    catalogs: dict[str, CatalogState] = read_in.folds[CATALOGS.name].states
    wanted = filter_text.lower()
    listed: ListedAccounts | ListedCatalogs
    if what == "accounts":
        listed = ListedAccounts(at=read_in.seq, accounts=_accounts(accounts, wanted))
        table = _account_table(listed.accounts)
    else:
        found = _catalogs(catalogs, accounts, wanted)
        listed = ListedCatalogs(at=read_in.seq, catalogs=found)
        table = _catalog_table(listed.catalogs)
    if as_json:
        click.echo(output_line(listed))
    elif table.rows:
        for line in _lines(table):
            click.echo(for_output(line))
    if not table.rows:
        passing = f" like {screen_text(filter_text, 60)}" if filter_text else ""
        raise NotFoundError(f"there are no {what}{passing} as of {read_in.seq:,}")


def _accounts(accounts: dict[str, AccountState], wanted: str) -> tuple[ListedAccount, ...]:
    found = [
        ListedAccount(
            key=mask_text(key),
            name=mask_text(state.account_name or ""),
            initialized_at=state.initialized_at,
            bound=state.bound_context is not None,
            shares=len(state.out_shares),
            shared_with_it=len(state.in_shares),
            imported=sum(1 for imported in state.in_shares.values() if imported is not None),
        )
        for key, state in accounts.items()
        if _passes(wanted, key, state.account_name or "")
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
        if wanted in name.lower() or _passes(wanted, state.owner, name_of(state.owner))
    ]
    found.sort(key=lambda each: (each.name.lower(), each.name))
    return tuple(found)


def _passes(wanted: str, key: str, name: str) -> bool:
    return key.lower().startswith(wanted) or wanted in name.lower()


def _account_table(found: Iterable[ListedAccount]) -> _Table:
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
    return _Table(headings, rows, frozenset({1}), frozenset({2, 3, 4}))


def _catalog_table(found: Iterable[ListedCatalog]) -> _Table:
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
    return _Table(headings, rows, frozenset({2}), frozenset({3, 4}))


def _lines(table: _Table) -> list[str]:
    """The table's lines; where a terminal is too narrow the keys are shortened, never a number."""
    rows = [table.headings, *table.rows]
    if sys.stdout.isatty() and sum(_widths(rows)) + _GAP * len(table.headings) > (
        shutil.get_terminal_size().columns
    ):
        rows = [
            tuple(short_key(x) if at in table.keys and len(x) == _KEY else x for at, x in cells)
            for cells in map(tuple, map(enumerate, rows))
        ]
    widths = _widths(rows)
    return [
        (" " * _GAP)
        .join(
            _padded(cell, width, right=at in table.numbers)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in rows
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_cells, column)) for column in zip(*rows, strict=True)]


def _cells(text: str) -> int:
    """How many cells of a terminal a text takes: wide characters two, combining ones none."""
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - _cells(text))
    return blanks + text if right else text + blanks
