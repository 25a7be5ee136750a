"""`natster-tui show` and `why`: one document, and the events that changed it."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.line_format import event_line, for_output, naming, takes_keys
from natster_tui.cli.moment_options import AT_HELP, Position, at_option, position_of
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.documents import DocumentOrigin, MakingEvent, ShownDocument
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.projecting.projection_names import chosen_version, names_a_version
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names, resolve_account
from natster_tui.engine.history.document_history import (
    DocumentChange,
    KeyHistory,
    key_document,
    key_history,
)
from natster_tui.engine.server_source import with_log
from natster_tui.errors import NotFoundError, UsageError
from natster_tui.events.account_keys import account_key_problem
from natster_tui.events.tokens import is_usable_token
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import read_document
from natster_tui.projections.keyed import KeyedProjection, Part
from natster_tui.projections.projection_sentences import Naming, change_line, pretty_json
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.projections.versions.naming import name_in_use
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_json, mask_text, screen_text


@click.command()
@click.argument("kind", metavar="PROJECTION", shell_complete=completion.documents)
@click.argument("key", shell_complete=completion.keys)
@click.option("--at", metavar="MOMENT", help=AT_HELP)
@click.option("--reveal", is_flag=True, help="Show secrets.")
@takes_json
@takes_target
def show(
    kind: str,
    key: str,
    at: str | None,
    reveal: bool,
    as_json: bool,
    **_given: Any,
) -> None:
    """Show one document as the log says it: show account KEY, show catalog NAME.

    KEY may be the account's name, or the beginning of its key.
    """
    target = target_of(takes_versions=names_a_version(kind))
    projection = chosen_version(target.choice.projections, kind)
    moment = at_option(at)

    async def read(log: EventLog) -> tuple[Position, str, bytes | None]:
        upto = await position_of(log, moment, target.instance)
        stored = await key_document(log, projection, key, upto.seq, target.instance)
        if stored is None and (named := await _key_by_name(log, projection, key, target.instance)):
            stored = await key_document(log, projection, named, upto.seq, target.instance)
            return upto, named, stored
        return upto, key, stored

    position, found, stored = run(with_log(target.source, target.choice, read))
    seq = position.seq
    if stored is None:
        note = f" ({position.note})" if position.note else ""
        raise NotFoundError(f"there is no {kind} {screen_text(found, 100)} as of {seq:,}{note}")
    position.print_note()
    document = read_document(stored)
    shown = document if reveal else mask_json(document)
    if as_json:
        assert isinstance(shown, dict)
        click.echo(output_line(ShownDocument(kind=kind, key=found, at=seq, document=shown)))
    else:
        click.echo(f"{kind} {found} as of {seq:,}")
        click.echo(pretty_json(shown))


def is_of_accounts(projection: Projection[Any]) -> bool:
    """Whether a projection's keys are accounts, so that a name may be given instead."""
    if isinstance(projection, KeyedProjection):
        return Part.CATALOG not in projection.keys
    return name_in_use(projection) == ACCOUNTS.name


async def key_named_by(log: EventLog, projection: Projection[Any], key: str, instance: str) -> str:
    """The key that a text names, which may be the key itself. Raises UsageError."""
    if is_of_accounts(projection) and account_key_problem(key) is None:
        return key
    return await _key_by_name(log, projection, key, instance) or key


async def _key_by_name(
    log: EventLog, projection: Projection[Any], key: str, instance: str
) -> str | None:
    """The key of the account that the text names; None if it names none.

    Raises UsageError if the text cannot be a key either.
    """
    may_be_named = is_of_accounts(projection)
    named = await resolve_account(log, key, instance) if may_be_named else None
    if named is None and not is_usable_token(key):
        no_account = ", and no account has that name" if may_be_named else ""
        raise UsageError(
            f"there can be no {projection.name} {screen_text(key, 100)}: a key has letters, "
            f"digits, - _ and = only{no_account}"
        )
    return named


@click.command()
@click.argument("kind", metavar="PROJECTION", shell_complete=completion.documents)
@click.argument("key", shell_complete=completion.keys)
@click.option("--field", default="", metavar="TEXT", help="Only changes whose line contains TEXT.")
@click.option("--reveal", is_flag=True, help="Show secrets.")
@takes_keys
@takes_json
@takes_target
def why(
    kind: str,
    key: str,
    field: str,
    reveal: bool,
    whole_keys: bool,
    as_json: bool,
    **_given: Any,
) -> None:
    """List the events that changed a document, newest first, each with its changes."""
    target = target_of(takes_versions=names_a_version(kind))
    projection = chosen_version(target.choice.projections, kind)

    async def read(log: EventLog) -> tuple[KeyHistory, dict[str, str]]:
        named = not (as_json or whole_keys)
        names = await account_names(log, target.instance) if named else {}
        head = (await log.refresh()).last_seq
        history = await key_history(log, projection, key, head, target.instance)
        if not history.changes and (
            by_name := await _key_by_name(log, projection, key, target.instance)
        ):
            history = await key_history(log, projection, by_name, head, target.instance)
        return history, names

    history, names = run(with_log(target.source, target.choice, read))
    if not history.changes:
        raise NotFoundError(f"no event in the log changed {kind} {screen_text(key, 100)}")
    if as_json:
        click.echo(output_line(_origin(kind, history, field, reveal=reveal)))
        return
    called = naming(names, whole_keys=whole_keys)
    for change in reversed(history.changes):
        lines = _change_lines(change, field, reveal=reveal, names=called)
        if lines:
            click.echo(event_line(change.record, called))
        for line in lines:
            click.echo(for_output(f"    {line}"))


def _change_lines(
    change: DocumentChange, field: str, *, reveal: bool, names: Naming | None = None
) -> list[str]:
    wanted = field.lower()
    lines = []
    for each in change.fields:
        with_keys = change_line(each, reveal=reveal)
        line = with_keys if names is None else change_line(each, reveal=reveal, names=names)
        if wanted in line.lower() or wanted in with_keys.lower():
            lines.append(line)
    return lines


def _origin(kind: str, history: KeyHistory, field: str, *, reveal: bool) -> DocumentOrigin:
    events = (
        MakingEvent(
            seq=change.record.seq,
            time=change.record.event_time,
            subject=mask_text(change.record.subject),
            changes=tuple(lines),
        )
        for change in reversed(history.changes)
        if (lines := _change_lines(change, field, reveal=reveal))
    )
    return DocumentOrigin(kind=kind, key=history.key, at=history.seq, events=tuple(events))
