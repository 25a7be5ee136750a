"""Commands for a version of a projection that is stored beside the stored one."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completing
from natster_tui.cli.options import takes_target, target_of
from natster_tui.cli.projecting.printing import print_changes, print_field_counts
from natster_tui.cli.projecting.projection_commands import confirm
from natster_tui.cli.projecting.projection_names import chosen_projection
from natster_tui.cli.running import run
from natster_tui.engine.server_source import opened_log, with_log
from natster_tui.engine.versions.comparing import compare_versions
from natster_tui.engine.versions.dropping import drop_version
from natster_tui.engine.versions.finding import version_beside
from natster_tui.engine.versions.side_by_side import SideBySide
from natster_tui.errors import RefusedError
from natster_tui.store.log import EventLog
from natster_tui.text.strict_json import json_line

_version = click.option(
    "--version",
    "version",
    type=click.IntRange(min=1),
    metavar="N",
    help="Which version beside, where there are several.",
)
_name = click.argument("name", metavar="PROJECTION", shell_complete=completing.projections)


@click.command()
@_name
@_version
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_target
def compare(name: str, version: int | None, as_json: bool, **_given: Any) -> None:
    """Compare the stored version of a projection with the one beside it.

    Both are compared at the same event, while both are projected. Exits 1 where they differ.
    """
    target = target_of(takes_versions=True)
    registry = target.choice.projections
    chosen_projection(registry, name)

    async def work(log: EventLog) -> SideBySide:
        pair = await version_beside(log.link, registry, name, version)
        return await compare_versions(log, pair, target.instance)

    found = run(with_log(target.source, target.choice, work))
    if as_json:
        click.echo(json_line(found.as_json()))
    else:
        print_comparison(found)
    if found.difference:
        click.get_current_context().exit(1)


def print_comparison(found: SideBySide) -> None:
    """Print two versions side by side: the counts, the fields, and the first documents."""
    for line in found.lines():
        click.echo(line)
    print_field_counts(found.difference.fields(), found.difference.diff.keys)
    print_changes(found.difference.diff.changes, against=f"version {found.stored.version}")


@click.command()
@_name
@_version
@click.option("--yes", is_flag=True, help="Do not ask.")
@takes_target
def drop(name: str, version: int | None, yes: bool, **_given: Any) -> None:
    """Delete the bucket of the version beside a projection; the stored version stays."""
    target = target_of(takes_versions=True)
    registry = target.choice.projections
    chosen_projection(registry, name)
    if target.choice.read_only:
        raise RefusedError("--read-only: dropping deletes a bucket")

    async def work() -> str:
        async with opened_log(target.source, target.choice) as log:
            pair = await version_beside(log.link, registry, name, version)
            if not yes:
                confirm(
                    f"Delete {pair.bucket} with all its documents?",
                    "not confirmed: nothing was deleted",
                )
            await drop_version(log, pair, target.instance)
            return pair.bucket

    click.echo(f"deleted {run(work())}")
