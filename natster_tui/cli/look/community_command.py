"""`natster-tui community`: the figures of the community, as the dashboard's `m` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from natster_tui.cli.moments import AT_HELP, asked_at, position_of
from natster_tui.cli.options import settings_of, takes_hubs, takes_json, takes_settings, target_of
from natster_tui.cli.outputs.community import Community, NamedAccount
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.rebuilding.replay import Replay, replay
from natster_tui.engine.server_source import with_log
from natster_tui.projections.account import AccountState
from natster_tui.projections.community.figures import (
    case_collisions,
    community_figures,
    contested_names,
    prize_candidates,
)
from natster_tui.projections.community.hubs import hubs_of
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import Names
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text


@click.command()
@click.option("--at", metavar="MOMENT", help=AT_HELP)
@takes_hubs
@takes_settings
@takes_json
@takes_target
def community(at: str | None, hub: tuple[str, ...], as_json: bool, **_given: Any) -> None:
    """Accounts, shares, duplicate catalog names and prize candidates, as the log says."""
    target = target_of()
    hub = hub or tuple(settings_of().settings.hubs)
    moment = asked_at(at)

    async def read(log: EventLog) -> Replay:
        upto = await position_of(log, moment, target.instance)
        upto.tell()
        return await replay(log, [ACCOUNTS, CATALOGS], upto.seq, target.instance)

    read_in = run(with_log(target.source, target.choice, read))
    accounts = read_in.folds[ACCOUNTS.name].states
    catalogs = read_in.folds[CATALOGS.name].states
    hubs = hubs_of(accounts, catalogs, hub)
    figures = community_figures(accounts, catalogs, hubs)
    contested = {name: catalogs[name] for name in contested_names(catalogs)}
    twins = case_collisions(catalogs)
    candidates = prize_candidates(accounts, hubs)
    names = Names(accounts)
    if as_json:
        answer = Community(
            at=read_in.seq,
            accounts_initialized=figures.accounts_initialized,
            active_shares=figures.active_shares,
            catalogs=figures.catalogs,
            duplicate_names={
                mask_text(name): tuple(map(mask_text, (state.owner, *state.contested_by)))
                for name, state in contested.items()
            },
            differ_in_case_only={
                mask_text(name): tuple(map(mask_text, others))
                for name, others in sorted(twins.items())
            },
            hubs=_named(sorted(hubs), accounts),
            prize_candidates=_named(candidates, accounts),
        )
        click.echo(output_line(answer))
        return
    click.echo(f"as of {read_in.seq:,}")
    for count, label in figures.rows:
        click.echo(f"{count:>8,}  {label}")
    for key in sorted(hubs):
        click.echo(f"hub         {names.of(key)}  {screen_text(key, 80)}")
    for name, state in contested.items():
        others = ", ".join(map(names.of, state.contested_by))
        click.echo(f"duplicate   {screen_text(name, 60)}: {names.of(state.owner)}, also {others}")
    for name, also in sorted(twins.items()):
        others = ", ".join(screen_text(twin, 60) for twin in also)
        click.echo(f"letter case {screen_text(name, 60)}: differs from {others} in that only")
    for key in candidates:
        click.echo(f"candidate   {names.of(key)}  {screen_text(key, 80)}")


def _named(keys: Iterable[str], accounts: Mapping[str, AccountState]) -> tuple[NamedAccount, ...]:
    return tuple(NamedAccount(account=mask_text(k), name=_name_of(k, accounts)) for k in keys)


def _name_of(key: str, accounts: Mapping[str, AccountState]) -> str:
    state = accounts.get(key)
    return "" if state is None else mask_text(state.account_name or "")
