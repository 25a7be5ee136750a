"""`natster-tui event`: one event in full, and what it changed."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli.line_format import event_line, for_output, naming, takes_keys
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.events import EventEffect, ShownEvent
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names
from natster_tui.engine.history.document_history import effects_of
from natster_tui.engine.row_json import event_value
from natster_tui.engine.server_source import with_log
from natster_tui.errors import BlockedEventError, NotFoundError
from natster_tui.events.event import Record
from natster_tui.events.log.info import LogInfo
from natster_tui.projections.history.steps import Effect
from natster_tui.projections.projection_sentences import change_line, payload_lines
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text


@click.command()
@click.argument("seq", type=click.IntRange(min=1))
@click.option("--reveal", is_flag=True, help="Show secrets.")
@takes_keys
@takes_json
@takes_target
def event(seq: int, reveal: bool, whole_keys: bool, as_json: bool, **_given: Any) -> None:
    """Show one event by its sequence: its payload, and what it changed, before and after."""
    target = target_of()
    projections = target.choice.projections.all

    async def read(log: EventLog) -> tuple[Record, list[Effect] | str, dict[str, str]]:
        head = (await log.refresh()).last_seq
        record = await log.record_at(seq) if seq <= head else None
        if record is None:
            raise NotFoundError(f"there is no event {seq:,}: {_why_absent(log.info, seq)}")
        named = not (as_json or whole_keys)
        names = await account_names(log, target.instance) if named else {}
        try:
            return record, await effects_of(log, record, target.instance, projections), names
        except BlockedEventError as error:
            return record, error.sentence, names

    record, effects, names = run(with_log(target.source, target.choice, read))
    if as_json:
        click.echo(output_line(_shown(record, effects, reveal=reveal)))
        return
    called = naming(names, whole_keys=whole_keys)
    click.echo(event_line(record, called))
    for line in payload_lines(record, reveal=reveal, otherwise="--json prints them"):
        click.echo(f"    {line}")
    if isinstance(effects, str):
        click.echo(f"what it changed is not known: {effects}")
        return
    for effect in effects:
        made = " (made by this event)" if effect.made else ""
        key = called.of(effect.key) if effect.key in names else screen_text(effect.key, 100)
        click.echo(for_output(f"{effect.projection.name} {key}{made}"))
        for field in effect.fields:
            click.echo(for_output(f"    {change_line(field, reveal=reveal, names=called)}"))
        if not effect.fields:
            click.echo("    nothing changed")


def _why_absent(info: LogInfo, seq: int) -> str:
    if seq > info.last_seq:
        return f"the log ends at {info.last_seq:,}"
    if seq < info.start:
        return f"the log begins at {info.start:,}"
    return "it was deleted from the log"


def _shown(record: Record, effects: list[Effect] | str, *, reveal: bool) -> ShownEvent:
    changes = (
        EventEffect(
            projection=effect.projection.name,
            key=mask_text(effect.key),
            made=effect.made,
            fields=tuple(change_line(field, reveal=reveal) for field in effect.fields),
        )
        for effect in (() if isinstance(effects, str) else effects)
    )
    problem = effects if isinstance(effects, str) else None
    stored = event_value(record, reveal=reveal)
    return ShownEvent(**stored, changes=tuple(changes), problem=problem)
