"""`natster-tui diff`: one document at two moments, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.line_format import for_output, naming, takes_keys
from natster_tui.cli.moment_options import Position, moment_option, position_of
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.documents import DocumentDifference
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.projecting.projection_names import chosen_version, names_a_version
from natster_tui.cli.reading.document_commands import is_of_accounts, key_named_by
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names
from natster_tui.engine.history.document_history import key_document
from natster_tui.engine.server_source import with_log
from natster_tui.errors import NotFoundError
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import FieldChange, field_changes
from natster_tui.projections.projection_sentences import Naming, change_line
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text

_FORMS = "4711, 2026-11-23, 09:30, yesterday, 2d"


@dataclass(frozen=True, slots=True)
class _TwoMoments:
    """The document of a key at two positions in the log, None if it did not exist."""

    key: str
    first: Position
    before: bytes | None
    last: Position
    after: bytes | None

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """The fields that differ."""
        return field_changes(self.before, self.after) if self.before != self.after else ()


@click.command()
@click.argument("kind", metavar="PROJECTION", shell_complete=completion.documents)
@click.argument("key", shell_complete=completion.keys)
@click.option(
    "--from", "begin", required=True, metavar="MOMENT", help=f"The first moment: {_FORMS}."
)
@click.option("--to", "end", metavar="MOMENT", help="The second moment; now if not given.")
@click.option("--reveal", is_flag=True, help="Show secrets.")
@takes_keys
@takes_json
@takes_target
def diff(
    kind: str,
    key: str,
    begin: str,
    end: str | None,
    reveal: bool,
    whole_keys: bool,
    as_json: bool,
    **_given: Any,
) -> None:
    """Compare one document at two moments: diff account KEY --from 2d.

    KEY may be the account's name, or the beginning of its key. Times are UTC; a day means its
    first second.
    """
    target = target_of(takes_versions=names_a_version(kind))
    projection = chosen_version(target.choice.projections, kind)
    moments = (moment_option("--from", begin), None if end is None else moment_option("--to", end))

    async def read(log: EventLog) -> tuple[_TwoMoments, dict[str, str]]:
        found = await key_named_by(log, projection, key, target.instance)
        first, last = [await position_of(log, each, target.instance) for each in moments]
        both = await _two_moments(log, projection, found, (first, last), target.instance)
        named = not (as_json or whole_keys)
        return both, await account_names(log, target.instance) if named else {}

    both, names = run(with_log(target.source, target.choice, read))
    both.first.print_note()
    both.last.print_note()
    if both.before is None and both.after is None:
        raise NotFoundError(
            f"there is no {kind} {screen_text(both.key, 100)} as of {both.first.seq:,} or "
            f"{both.last.seq:,}"
        )
    if as_json:
        click.echo(output_line(_difference(kind, both, reveal=reveal)))
        return
    called = naming(names, whole_keys=whole_keys)
    title = called.of(both.key) if is_of_accounts(projection) else screen_text(both.key, 100)
    _print(f"{kind} {title}", both, called, reveal=reveal)


async def _two_moments(
    log: EventLog,
    projection: Projection[Any],
    key: str,
    positions: tuple[Position, Position],
    instance: str,
) -> _TwoMoments:
    first, last = positions
    before = await key_document(log, projection, key, first.seq, instance)
    after = await key_document(log, projection, key, last.seq, instance)
    return _TwoMoments(key, first, before, last, after)


def _difference(kind: str, both: _TwoMoments, *, reveal: bool) -> DocumentDifference:
    return DocumentDifference(
        kind=kind,
        key=mask_text(both.key),
        from_=both.first.seq,
        to=both.last.seq,
        exists=(both.before is not None, both.after is not None),
        fields=tuple(change_line(each, reveal=reveal) for each in both.changes),
    )


def _print(title: str, both: _TwoMoments, called: Naming, *, reveal: bool) -> None:
    first, last, changes = both.first.seq, both.last.seq, both.changes
    if not changes:
        click.echo(for_output(f"{title} is the same as of {first:,} and as of {last:,}"))
        return
    click.echo(for_output(f"{title} from {first:,} to {last:,}"))
    for document, seq in ((both.before, first), (both.after, last)):
        if document is None:
            click.echo(f"    it did not exist as of {seq:,}")
    for each in changes:
        click.echo(for_output(f"    {change_line(each, reveal=reveal, names=called)}"))
