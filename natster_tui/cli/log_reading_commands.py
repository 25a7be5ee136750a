"""Commands that read the log: tail its events, and why a document is what it is."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import Any

import click

from natster_tui.cli.options import takes_target, target_of
from natster_tui.domain.diff import field_changes
from natster_tui.domain.event_filter import BadFilterError, EventFilter, parse_filter
from natster_tui.domain.event_time import format_seconds
from natster_tui.domain.events import Event, Record, is_usable_token, read_event
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.presentation import VERBS, change_line
from natster_tui.domain.projections import ACCOUNTS, PROJECTIONS, projection_named
from natster_tui.domain.safe_text import safe_text
from natster_tui.engine.key_history import DocumentChange, KeyHistory, key_history
from natster_tui.engine.masked_export import masked_line
from natster_tui.engine.server_source import opened_log, with_log
from natster_tui.errors import NotFoundError, UsageError
from natster_tui.store.log import EventLog
from natster_tui.store.stream_reader import StreamReader

_NAMES = [projection.name for projection in PROJECTIONS]


@click.command()
@click.argument("filters", nargs=-1, metavar="[FILTER]…")
@click.option("--since", default=1, type=click.IntRange(min=1), help="First sequence.")
@click.option("--follow", is_flag=True, help="Go on with events as they come in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, secrets masked.")
@takes_target
def tail(filters: tuple[str, ...], since: int, follow: bool, as_json: bool, **_given: Any) -> None:
    """Print events as lines; FILTER as in the dashboard: type:shared from:… since:2h parked."""
    target = target_of()
    try:
        wanted = parse_filter(" ".join(filters), time.time())
    except BadFilterError as error:
        raise UsageError(str(error)) from error

    async def print_events() -> None:
        async with opened_log(target.source, target.choice) as log:
            printer = _Printer(wanted, as_json=as_json)
            head = (await log.refresh()).last_seq
            first = max(since, wanted.first)
            async with aclosing(
                log.records(first, head, purpose="tail", instance=target.instance)
            ) as batches:
                async for batch in batches:
                    printer.take(batch)
            if follow:
                await _follow(log, max(head + 1, first), target.instance, printer)

    asyncio.run(print_events())


async def _follow(log: EventLog, start: int, instance: str, printer: _Printer) -> None:
    async with (
        StreamReader(
            log.link,
            log.stream,
            start,
            purpose="tail",
            instance=instance,
            created=log.info.created,
        ) as reader,
        aclosing(reader.batches()) as batches,
    ):
        async for batch in batches:
            printer.take(await log.sealing.open_records(batch))


class _Printer:
    """Prints the events that pass, calling accounts by the names they gave up to then."""

    def __init__(self, wanted: EventFilter, *, as_json: bool) -> None:
        self._wanted = wanted
        self._as_json = as_json

    def take(self, records: list[Record]) -> None:
        """Print what passes."""
        for record in records:
            if self._wanted.passes(record, lambda key: key, _parked):
                click.echo(masked_line(record) if self._as_json else _line(record))


def _parked(event: Event) -> str:
    reason = ACCOUNTS.parks(event)
    return "" if reason is None else reason.value


def _line(record: Record) -> str:
    event = read_event(record)
    when = format_seconds(record.event_time)
    if isinstance(event, ParkReason):
        return f"{record.seq}  {when}  parked ({event.value})  {safe_text(record.subject, 300)}"
    said = [VERBS[event.type], safe_text(event.origin, 100)]
    if event.type not in (event.type.INITIALIZED, event.type.CONTEXT_BOUND):
        said += [safe_text(event.target, 100), safe_text(event.catalog, 100)]
    if reason := _parked(event):
        said.append(f"(parked: {reason})")
    return f"{record.seq}  {when}  {' '.join(said)}"


@click.command()
@click.argument("kind", type=click.Choice(_NAMES))
@click.argument("key")
@click.option("--field", default="", metavar="TEXT", help="Only changes of fields like this.")
@click.option("--reveal", is_flag=True, help="Show secrets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_target
def why(kind: str, key: str, field: str, reveal: bool, as_json: bool, **_given: Any) -> None:
    """The events that made a document, newest first, with what each changed."""
    target = target_of()
    projection = projection_named(kind)
    if not is_usable_token(key):
        raise UsageError(
            f"{kind} {safe_text(key, 100)} cannot be: a name has letters, digits, - _ and = only"
        )

    async def look(log: EventLog) -> KeyHistory:
        head = (await log.refresh()).last_seq
        return await key_history(log, projection, key, head, target.instance)

    history = asyncio.run(with_log(target.source, target.choice, look))
    if not history.changes:
        raise NotFoundError(f"nothing in the log has made {kind} {key}")
    if as_json:
        click.echo(json.dumps(_why_json(kind, history, field, reveal=reveal)))
        return
    for change in reversed(history.changes):
        lines = _change_lines(change, field, reveal=reveal)
        if lines:
            click.echo(_line(change.record))
        for line in lines:
            click.echo(f"    {line}")


def _change_lines(change: DocumentChange, field: str, *, reveal: bool) -> list[str]:
    lines = [change_line(one, reveal=reveal) for one in field_changes(change.before, change.after)]
    return [line for line in lines if field.lower() in line.lower()]


def _why_json(kind: str, history: KeyHistory, field: str, *, reveal: bool) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": history.key,
        "at": history.seq,
        "events": [
            {
                "seq": change.record.seq,
                "time": change.record.event_time,
                "subject": change.record.subject,
                "changes": _change_lines(change, field, reveal=reveal),
            }
            for change in reversed(history.changes)
            if _change_lines(change, field, reveal=reveal)
        ],
    }
