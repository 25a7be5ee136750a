"""`natster-tui tail`: the log's events as lines."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import click

from natster_tui.cli.line_format import event_line, naming, takes_keys
from natster_tui.cli.messages import say
from natster_tui.cli.moment_options import moment_option
from natster_tui.cli.options import target_of
from natster_tui.cli.outputs.events import TailedEvent
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.reading.following import PASSING, Following
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names, record_name
from natster_tui.engine.history.newest_first import records_newest_first
from natster_tui.engine.log.masked_export import masked_value
from natster_tui.engine.server_source import opened_log
from natster_tui.errors import UsageError
from natster_tui.events.event import Record
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.filter.field_table import since_bounds
from natster_tui.events.filter.filter_field import BadFilterError
from natster_tui.events.filter.language import EventFilter, filter_language
from natster_tui.events.moments import Use
from natster_tui.events.natster import NATSTER
from natster_tui.events.times import format_seconds
from natster_tui.projections.registering.registry import parked_reason
from natster_tui.store.log import EventLog

_FILTERS = filter_language(NATSTER)


@click.command(
    help=f"Print events as lines. FILTER as in the dashboard: {_FILTERS.summary}, or any text."
)
@click.argument("filters", nargs=-1, metavar="[FILTER]…")
@click.option(
    "--since", metavar="MOMENT", help="The first moment: 4711, 2026-11-23, yesterday, 2d."
)
@click.option(
    "--last",
    "-n",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the last N events that pass.",
)
@click.option(
    "--follow",
    is_flag=True,
    help="Keep printing new events; waits while the server is away.",
)
@takes_keys
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, secrets masked.")
@takes_target
def tail(
    filters: tuple[str, ...],
    since: str | None,
    last: int | None,
    follow: bool,
    whole_keys: bool,
    as_json: bool,
    **_given: Any,
) -> None:
    """Print the events that pass, oldest first, and new ones with --follow."""
    target = target_of()
    wanted = _parsed(filters, since)

    async def work() -> None:
        following: Following | None = None
        try:
            async with opened_log(target.source, target.choice) as log:
                named = wanted.asks_for_names or not (as_json or whole_keys)
                names = await account_names(log, target.instance) if named else {}
                printer = _Printer(wanted, names, as_json=as_json, whole_keys=whole_keys)
                head = (await log.refresh()).last_seq
                if head and not follow and (why := _past_the_end(wanted.bounds, head, time.time())):
                    say(why)
                await _print_stored(log, wanted, printer, head, last, target.instance)
                if follow:
                    start = max(head + 1, wanted.first)
                    following = Following(log, start, target.instance, printer.take)
                    await following.follow(log)
        except PASSING as error:
            if following is None:
                raise
            await following.go_on(target, error)

    run(work())


async def _print_stored(
    log: EventLog,
    wanted: EventFilter,
    printer: _Printer,
    head: int,
    last: int | None,
    instance: str,
) -> None:
    """Print the events up to the head that pass, or the last ones of them."""
    first, end = wanted.first, min(head, wanted.last or head)
    if last is None:
        async with aclosing(log.records(first, end, purpose="tail", instance=instance)) as batches:
            async for batch in batches:
                printer.take(batch)
    else:
        newest = records_newest_first(log, first, end, purpose="tail", instance=instance)
        for record in reversed(await _first_passing(newest, printer, last)):
            printer.print(record)


def _parsed(filters: tuple[str, ...], since: str | None) -> EventFilter:
    try:
        wanted = _FILTERS.parse(" ".join(filters), time.time())
    except BadFilterError as error:
        raise UsageError(str(error)) from error
    if since is None:
        return wanted
    start = since_bounds(moment_option("--since", since, Use.SINCE).moment)
    return wanted.within(start)


def _past_the_end(bounds: Bounds, head: int, now: float) -> str:
    """Why no event can pass yet; empty if some can."""
    if bounds.first > head:
        return f"nothing to print: the log ends at {head:,}, and {bounds.first:,} was asked for"
    if bounds.since is not None and bounds.since > now:
        return f"nothing to print: {format_seconds(bounds.since)} UTC is in the future"
    return ""


async def _first_passing(
    records: AsyncGenerator[Record], printer: _Printer, count: int
) -> list[Record]:
    """The first `count` records that pass."""
    found: list[Record] = []
    async with aclosing(records):
        async for record in records:
            if printer.passes(record):
                found.append(record)
                if len(found) == count:
                    break
    return found


class _Printer:
    """Prints the events that pass; it keeps `names`, the accounts' names, up to date."""

    def __init__(
        self, wanted: EventFilter, names: dict[str, str], *, as_json: bool, whole_keys: bool
    ) -> None:
        self._wanted = wanted
        self._names = names
        self._as_json = as_json
        self._naming = naming(names, whole_keys=whole_keys)

    def take(self, records: list[Record]) -> None:
        """Print the records that pass."""
        for record in records:
            record_name(self._names, record, NATSTER)
            if self.passes(record):
                self.print(record)

    def passes(self, record: Record) -> bool:
        """Whether a record passes the filter."""
        return self._wanted.passes(record, lambda key: self._names.get(key) or key, parked_reason)

    def print(self, record: Record) -> None:
        """Print one record."""
        if self._as_json:
            click.echo(output_line(TailedEvent(**masked_value(record))))
        else:
            click.echo(event_line(record, self._naming))
