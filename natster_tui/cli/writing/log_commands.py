"""Commands that write to the log or copy it: publish, export, import."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.messages import say
from natster_tui.cli.moment_options import first_since, since_option
from natster_tui.cli.options import takes_json, target_of, writable_target
from natster_tui.cli.outputs.log import Imported, Published
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names, resolve_account
from natster_tui.engine.log.export_events import ExportReport, NotOpened, export_lines
from natster_tui.engine.log.import_events import ImportResult, import_records
from natster_tui.engine.log.import_file import ImportFile
from natster_tui.engine.log.publish import publish as publish_event
from natster_tui.engine.server_source import opened_log, with_log
from natster_tui.errors import UsageError
from natster_tui.events.account_keys import account_key_problem
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.tokens import NONE
from natster_tui.projections.append_rules import Proposal
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text

_NAMES = [kind.name for kind in NATSTER.kinds]
_WORDS = [kind.word for kind in NATSTER.kinds]
_READ_ONLY = "nothing may be written to the log"


@click.command(
    help=f"""Append one event, validated against the present state.

    EVENT is one of {", ".join(_WORDS)}, or a kind's whole name. An account may be given by a part
    of its name or the beginning of its key, if only one fits.
    """
)
@click.argument("event", metavar="EVENT", type=click.Choice([*_NAMES, *_WORDS]))
@click.option(
    "--origin",
    required=True,
    metavar="ACCOUNT",
    shell_complete=completion.accounts,
    help="The account that did it, by name or key.",
)
@click.option(
    "--target",
    "recipient",
    default=NONE,
    metavar="ACCOUNT",
    shell_complete=completion.accounts,
    help="The other account, by name or key.",
)
@click.option(
    "--catalog",
    default=NONE,
    metavar="NAME",
    shell_complete=completion.catalogs,
    help="The catalog's name.",
)
@click.option("--data", default="", metavar="JSON", help="The payload.")
@takes_json
@takes_target
def publish(
    event: str,
    origin: str,
    recipient: str,
    catalog: str,
    data: str,
    as_json: bool,
    **_given: Any,
) -> None:
    """Append one event, validated against the present state."""
    target = writable_target(_READ_ONLY)
    try:
        payload = data.encode()
    except UnicodeEncodeError as error:
        raise UsageError("--data is not UTF-8 text") from error
    kind = EventType(next(k.type for k in NATSTER.kinds if event in (k.name, k.word)))

    async def append() -> tuple[int, Proposal, Mapping[str, str]]:
        async with opened_log(target.source, target.choice) as log:
            by = await _account_key(log, origin, target.instance)
            to = await _account_key(log, recipient, target.instance)
            # Before the event is published: a read that fails must not hide that it was.
            was_short = (by, to) != (origin, recipient)
            names = await account_names(log, target.instance) if was_short else {}
            proposal = Proposal(kind, by, to, catalog, payload)
            return await publish_event(log, proposal, target.instance), proposal, names

    seq, done, names = run(append())
    if as_json:
        click.echo(output_line(Published(seq=seq)))
        return
    click.echo(f"published {kind.value} as {seq:,}")
    for text, key in ((origin, done.origin), (recipient, done.target)):
        if text != key:
            name = screen_text(names.get(key, ""), 60)
            called = f"{name}, " if name and name != text else ""
            click.echo(f"    {screen_text(text, 60)} is {called}{key}")


async def _account_key(log: EventLog, text: str, instance: str) -> str:
    """The key of the account that a text names; raises UsageError if several match."""
    if text == NONE or account_key_problem(text) is None:
        return text
    return await resolve_account(log, text, instance) or text


@click.command()
@click.option(
    "--since", metavar="MOMENT", help="The first moment: 4711, 2026-11-23, yesterday, 2d."
)
@click.option(
    "--open", "opened", is_flag=True, help="Open sealed payloads; secrets in them are readable."
)
@click.option(
    "--keys", "with_keys", is_flag=True, help="Print the wrapped data keys first, for a backup."
)
@takes_target
def export(since: str | None, opened: bool, with_keys: bool, **_given: Any) -> None:
    """Print the log as JSON lines, payloads as stored.

    With --keys, the lines and the key file together are a backup that import can read.
    """
    target = target_of()
    first = since_option(since)
    report = ExportReport(NotOpened() if opened else None)

    async def write() -> None:
        async with opened_log(target.source, target.choice) as log:
            start = await first_since(log, first, target.instance)
            start.print_note()
            async with aclosing(
                export_lines(log, start.seq, target.instance, report, with_keys=with_keys)
            ) as lines:
                async for line in lines:
                    click.echo(line)

    run(write())
    for sentence in report.sentences:
        say(sentence)


@click.command("import")
@click.argument("file", shell_complete=completion.files)
@takes_json
@takes_target
def import_(file: str, as_json: bool, **_given: Any) -> None:
    """Append the events of an exported FILE ("-": standard input); a second time adds nothing.

    Keys that export --keys has written are added first.
    """
    target = writable_target(_READ_ONLY)
    given = ImportFile.read(file, NATSTER)

    async def append(log: EventLog) -> tuple[str, ImportResult]:
        return log.stream, await import_records(log, given.events, target.instance, given.keys)

    stream, result = run(with_log(target.source, target.choice, append))
    if as_json:
        click.echo(output_line(Imported.of(result)))
    else:
        click.echo(
            f"imported {counted(result.appended, 'event')} into {stream}, "
            f"{result.present:,} were there already"
        )
    for sentence in result.sentences:
        say(sentence)
