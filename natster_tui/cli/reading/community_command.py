"""`natster-tui community`: the figures of the community, as the dashboard's `m` shows them."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli.moment_options import AT_HELP, at_option, position_of
from natster_tui.cli.options import settings_of, takes_hubs, takes_json, takes_settings, target_of
from natster_tui.cli.outputs.community import Community
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.rebuilding.replay import Replay, replay
from natster_tui.engine.server_source import with_log
from natster_tui.projections.community.hubs import hubs_of
from natster_tui.projections.community.report import CommunityReport, community_report
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text


@click.command()
@click.option("--at", metavar="MOMENT", help=AT_HELP)
@takes_hubs
@takes_settings
@takes_json
@takes_target
def community(at: str | None, hub: tuple[str, ...], as_json: bool, **_given: Any) -> None:
    """Show the community's figures, duplicate catalog names and prize candidates."""
    target = target_of()
    hub = hub or tuple(settings_of().settings.hubs)
    moment = at_option(at)

    async def read(log: EventLog) -> Replay:
        upto = await position_of(log, moment, target.instance)
        upto.print_note()
        return await replay(log, [ACCOUNTS, CATALOGS], upto.seq, target.instance)

    read_in = run(with_log(target.source, target.choice, read))
    accounts = read_in.folds[ACCOUNTS.name].states
    catalogs = read_in.folds[CATALOGS.name].states
    report = community_report(accounts, catalogs, hubs_of(accounts, catalogs, hub))
    if as_json:
        click.echo(output_line(Community.of(report, accounts, read_in.seq)))
    else:
        click.echo(f"as of {read_in.seq:,}")
        _print(report, Names(accounts))


def _print(report: CommunityReport, names: Names) -> None:
    for count, label in report.figures.rows:
        click.echo(f"{count:>8,}  {label}")
    for key in report.hubs:
        click.echo(f"hub         {names.of(key)}  {screen_text(key, 80)}")
    for name, state in report.contested.items():
        others = ", ".join(map(names.of, state.contested_by))
        click.echo(f"duplicate   {screen_text(name, 60)}: {names.of(state.owner)}, also {others}")
    for name, also in report.case_collisions.items():
        others = ", ".join(screen_text(twin, 60) for twin in also)
        click.echo(f"letter case {screen_text(name, 60)}: differs from {others} in that only")
    for key in report.candidates:
        click.echo(f"candidate   {names.of(key)}  {screen_text(key, 80)}")
