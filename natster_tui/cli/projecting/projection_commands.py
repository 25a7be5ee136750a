"""`natster-tui project` and `verify`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import click

from natster_tui.cli.options import takes_json, target_of, writable_target
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.projecting import (
    Projected,
    ProjectedPosition,
    ProjectionVerdict,
    Verdicts,
)
from natster_tui.cli.projecting.printing import (
    end_progress,
    names_for,
    print_changes,
    progress_line,
    report_repeated_ids,
)
from natster_tui.cli.projecting.projection_names import (
    chosen_projections,
    names_a_version,
    takes_projection,
)
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.cli.signals import until_stopped
from natster_tui.cli.target import Target
from natster_tui.engine.headless import (
    CaughtUp,
    project_until_caught_up,
    project_until_stopped,
)
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import with_log
from natster_tui.engine.versions.finding import newest_loaded
from natster_tui.engine.versions.projecting import refuse_stored_version
from natster_tui.engine.workspace import WorkspaceOptions
from natster_tui.errors import UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.projection_sentences import Naming
from natster_tui.projections.registering.registry import Registry
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted


@click.command()
@takes_projection
@click.option("--once", is_flag=True, help="Stop when caught up with the current head.")
@click.option("--beside", is_flag=True, help="Use a bucket of its own, beside the stored version.")
@click.option("--auto-rebuild", is_flag=True, help="Rebuild projections of another version.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print JSON.")
@takes_target
def project(
    name: str | None, once: bool, beside: bool, auto_rebuild: bool, as_json: bool, **_given: Any
) -> None:
    """Project without a screen: all projections, or one of them."""
    if as_json and not once:
        raise UsageError("--json prints the final positions: add --once")
    if beside and name is None:
        raise UsageError("--beside needs the name of one projection")
    target = writable_target(
        "projecting writes the projections", takes_versions=beside or names_a_version(name)
    )
    # Before the command's name, the option belongs to the program.
    rebuilds = auto_rebuild or click.get_current_context().find_root().params["auto_rebuild"]
    chosen = chosen_projections(target.choice.projections, name)
    if beside and not names_a_version(name):
        chosen = (_placed_beside(target, chosen[0].name),)
    choice = replace(target.choice, projections=Registry(chosen))
    if not once:
        options = WorkspaceOptions(choice, rebuilds, target.instance)
        asyncio.run(until_stopped(project_until_stopped(target.source, options, _say)))
        return

    async def catch_up(log: EventLog) -> list[CaughtUp]:
        return await project_until_caught_up(log, chosen, target.instance, auto_rebuild=rebuilds)

    done = run(with_log(target.source, choice, catch_up))
    if as_json:
        positions = tuple(map(ProjectedPosition.of, done))
        click.echo(output_line(Projected(positions)))
        return
    for each in done:
        click.echo(
            f"{each.projection}: at {each.seq:,}, {counted(each.keys, 'key')}, "
            f"parked {each.parked:,}"
        )


def _placed_beside(target: Target, name: str) -> Projection[Any]:
    """The version to project beside the stored one, after checking that it differs from it."""
    pair = newest_loaded(target.choice.projections, name)

    async def check(log: EventLog) -> None:
        await refuse_stored_version(log, pair)

    run(with_log(target.source, target.choice, check))
    placed = pair.beside
    watch_rules([*pair.loaded, placed])
    return placed


def _say(line: str) -> None:
    click.echo(line, err=True)


@click.command()
@takes_projection
@takes_json
@takes_target
def verify(name: str | None, as_json: bool, **_given: Any) -> None:
    """Replay the log and compare what is stored with it; exit 1 on drift."""
    target = target_of(takes_versions=names_a_version(name))

    chosen = chosen_projections(target.choice.projections, name)

    async def compare(log: EventLog) -> tuple[list[Verdict], ReplayProgress, Naming | None]:
        work = Rebuild(log, WholeProjections(chosen), target.instance, progress_line())
        found = await work.verify()
        changes = [change for verdict in found for change in verdict.listed]
        return found, work.progress, await names_for(log, changes, target.instance)

    verdicts, progress, names = run(with_log(target.source, target.choice, compare))
    end_progress()
    report_repeated_ids(progress)
    if as_json:
        click.echo(output_line(Verdicts(tuple(map(ProjectionVerdict.of, verdicts)))))
    else:
        for verdict in verdicts:
            click.echo(verdict.sentence)
            print_changes(verdict.listed, names)
    if not all(verdict.good for verdict in verdicts):
        click.get_current_context().exit(1)
