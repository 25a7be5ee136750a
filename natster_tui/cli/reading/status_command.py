"""`natster-tui status`: the log, its projections, and hazards."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.status import Status
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.server_source import with_log
from natster_tui.engine.status import ProjectionReport, StatusReport, read_status
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text

_NAMES_SHOWN = 10
_KEYS_SHOWN = 20


@click.command()
@takes_json
@takes_target
def status(as_json: bool, **_given: Any) -> None:
    """Show the log, its projections with their lag and parked events, and hazards."""
    target = target_of(takes_versions=True)
    registry = target.choice.projections

    async def read(log: EventLog) -> StatusReport:
        report = await read_status(log, registry.all, target.instance, registry.versions)
        store = await target.source.store_problem()
        return report if store is None else report.with_hazard(store.sentence)

    report = run(with_log(target.source, target.choice, read))
    if as_json:
        click.echo(output_line(Status.of(report)))
        return
    _print_report(report)


def _print_report(report: StatusReport) -> None:
    info = report.info
    click.echo(f"server      {report.server} ({report.user}), nats-server {report.server_version}")
    click.echo(
        f"log         {info.stream}: {counted(info.messages, 'event')}, {info.first_seq:,} to "
        f"{info.last_seq:,}, {info.bytes:,} bytes, sealing {report.sealing}"
    )
    click.echo(f"projector   {report.projecting}")
    for projection in report.projections:
        _print_projection(projection)
    if report.contested_names:
        shown = ", ".join(screen_text(name, 60) for name in report.contested_names[:_NAMES_SHOWN])
        more = ", …" if report.contested_names[_NAMES_SHOWN:] else ""
        names = counted(len(report.contested_names), "catalog name")
        click.echo(f"contested   {names}: {shown}{more}")
    for hazard in report.hazards:
        click.echo(f"hazard      {hazard}")
    click.echo("not checked repeated message ids: verify reads the whole log, and looks for them")


def _print_projection(report: ProjectionReport) -> None:
    click.echo(f"{report.projection.name:<12}{report.stored_sentence}")
    for line in report.leases.lines():
        click.echo(f"{'':<12}{line}")
    for version in report.beside:
        click.echo(f"{'':<12}{version.sentence}")
        for line in version.leases.lines():
            click.echo(f"{'':<14}{line}")
    if report.other is not None:
        click.echo(f"{'':<12}consumer {report.other.name}: {report.other.figures}")
    if report.drift is not None:
        click.echo(f"{'':<12}drift: {report.drift.summary}")
        for change in report.drift.unexplained.changes[:_KEYS_SHOWN]:
            click.echo(f"{'':<14}{screen_text(change.key, 100)}")
        if (left := len(report.drift.unexplained.changes) - _KEYS_SHOWN) > 0:
            click.echo(f"{'':<14}… and {left:,} more: verify lists all of them")
    if report.problem:
        click.echo(f"{'':<12}! {report.problem}")
    if report.stored.touched_by_others:
        click.echo(
            f"{'':<12}! something else wrote to {report.projection.bucket}: "
            f"verify {report.projection.name} shows whether it matters, "
            f"rebuild {report.projection.name} puts it right"
        )
