"""`natster-tui diff`: what is different in a document between two moments."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completing
from natster_tui.cli.look.document_commands import is_of_accounts, key_meant
from natster_tui.cli.moments import Position, asked, position_of
from natster_tui.cli.naming import for_output, naming, takes_keys
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.documents import DocumentDifference
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.projecting.projection_names import chosen_version, names_a_version
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.account_names import account_names
from natster_tui.engine.history.document_history import key_document
from natster_tui.engine.server_source import with_log
from natster_tui.errors import NotFoundError
from natster_tui.projections.diff import field_changes
from natster_tui.projections.wording import change_line
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text

_FORMS = "4711, 2026-11-23, 09:30, yesterday, 2d"


@click.command()
@click.argument("kind", metavar="PROJECTION", shell_complete=completing.documents)
@click.argument("key", shell_complete=completing.keys)
@click.option("--from", "begin", required=True, metavar="MOMENT", help=f"As of then: {_FORMS}.")
@click.option("--to", "end", metavar="MOMENT", help="As of then; now if not given.")
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
    """One document at two moments, field by field: diff account KEY --from 2d.

    KEY may be the account's name, or the beginning of its key. Times are UTC; a day means its
    first second.
    """
    target = target_of(takes_versions=names_a_version(kind))
    projection = chosen_version(target.choice.projections, kind)
    first = asked("--from", begin)
    last = None if end is None else asked("--to", end)

    async def look(
        log: EventLog,
    ) -> tuple[str, tuple[Position, bytes | None], tuple[Position, bytes | None], dict[str, str]]:
        meant = await key_meant(log, projection, key, target.instance)
        sides = []
        for moment in (first, last):
            position = await position_of(log, moment, target.instance)
            document = await key_document(log, projection, meant, position.seq, target.instance)
            sides.append((position, document))
        named = not (as_json or whole_keys)
        names = await account_names(log, target.instance) if named else {}
        return meant, sides[0], sides[1], names

    found, (from_, before), (to, after), names = run(with_log(target.source, target.choice, look))
    from_.tell()
    to.tell()
    called = naming(names, whole_keys=whole_keys)
    title = called.of(found) if is_of_accounts(projection) else screen_text(found, 100)
    if before is None and after is None:
        raise NotFoundError(
            f"there is no {kind} {screen_text(found, 100)} as of {from_.seq:,} or {to.seq:,}"
        )
    changes = field_changes(before, after) if before != after else ()
    if as_json:
        difference = DocumentDifference(
            kind=kind,
            key=mask_text(found),
            from_=from_.seq,
            to=to.seq,
            exists=(before is not None, after is not None),
            fields=tuple(change_line(each, reveal=reveal) for each in changes),
        )
        click.echo(output_line(difference))
        return
    if not changes:
        click.echo(
            for_output(f"{kind} {title} is the same as of {from_.seq:,} and as of {to.seq:,}")
        )
        return
    click.echo(for_output(f"{kind} {title} from {from_.seq:,} to {to.seq:,}"))
    for stored, position in ((before, from_), (after, to)):
        if stored is None:
            click.echo(f"    it did not exist as of {position.seq:,}")
    for each in changes:
        click.echo(for_output(f"    {change_line(each, reveal=reveal, names=called)}"))
