"""Printing differences between documents, and progress while the log is read."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Sequence

import click

from natster_tui.cli.line_format import NamesAndKeys, for_output
from natster_tui.cli.messages import say
from natster_tui.engine.account_names import account_names
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.events.account_keys import account_key_problem
from natster_tui.projections.diff import KeyChange
from natster_tui.projections.projection_sentences import Naming, change_line
from natster_tui.projections.versions.comparing import FieldCount
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text
from natster_tui.text.safe_text import safe_text

_SHOWN = 10
"""How many documents, and fields of one, are printed: a question after them must stay in view."""
_CLEAR = "\r\x1b[K"


async def names_for(log: EventLog, changes: Collection[KeyChange], instance: str) -> Naming | None:
    """The accounts' names for printing these changes; None if there are no changes."""
    return NamesAndKeys(await account_names(log, instance)) if changes else None


def print_changes(changes: Sequence[KeyChange], names: Naming | None = None) -> None:
    """Print the first documents that differ, field by field; accounts by whole keys if no names."""
    for change in changes[:_SHOWN]:
        click.echo(for_output(f"  {_called(change.key, names)} {change.kind}"))
        fields = change.fields() if change.kind == "changed" else ()
        for field in fields[:_SHOWN]:
            click.echo(for_output(f"    {change_line(field, names=names)}"))
        if len(fields) > _SHOWN:
            click.echo(for_output(f"    … and {len(fields) - _SHOWN:,} more"))
    if len(changes) > _SHOWN:
        click.echo(for_output(f"  … and {len(changes) - _SHOWN:,} more"))


def _called(key: str, names: Naming | None) -> str:
    """How a document is named: an account by name and short key, any other by its whole key."""
    is_account = account_key_problem(key) is None
    return screen_text(key, 100) if names is None or not is_account else names.of(key)


def print_field_counts(fields: Sequence[FieldCount], documents: int) -> None:
    """Print which fields differ, and in how many of all documents."""
    for field in fields:
        name = safe_text(field.field, 100)
        click.echo(f"  {field.sign} {name} in {field.documents:,} of {documents:,}")


def progress_line() -> Callable[[ReplayProgress], None] | None:
    """Draws a replay's progress on one line of stderr; None if that is no terminal."""
    if not sys.stderr.isatty():
        return None

    shown: list[str] = []

    def draw(progress: ReplayProgress) -> None:
        for sentence in progress.blocked[len(shown) :]:
            shown.append(sentence)
            sys.stderr.write(f"{_CLEAR}{sentence}\n")
        left = progress.seconds_left
        about = "" if left is None else f", {left:.0f} s left"
        parked = progress.parked_line and f", {progress.parked_line}"
        done = f"{progress.seq:,} of {progress.last:,}"
        draw_line(f"replaying {done}, {progress.rate:,.0f}/s{about}{parked}")

    return draw


def draw_line(line: str) -> None:
    """Replace the line of progress on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        # A wrapped line would not be cleared by the next one.
        sys.stderr.write(f"{_CLEAR}{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()


def end_progress() -> None:
    """Clear the line of progress."""
    draw_line("")


def report_repeated_ids(progress: ReplayProgress) -> None:
    """Report on stderr if the events that were read repeat message ids."""
    if progress.repeated_ids and (hazard := progress.repeated_ids.hazard):
        say(f"hazard: {hazard.sentence}")
