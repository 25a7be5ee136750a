"""What the commands about projections print: differences, and progress while they read the log."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence

import click

from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.projections.diff import KeyChange
from natster_tui.projections.versions.comparing import FieldCount
from natster_tui.projections.wording import change_line
from natster_tui.text.masking import screen_text
from natster_tui.text.safe_text import safe_text

_CHANGES_SHOWN = 50
_CLEAR = "\r\x1b[K"


def print_changes(changes: Sequence[KeyChange], *, against: str) -> None:
    """Print the first documents that differ, field by field; `against` says from what."""
    for change in changes[:_CHANGES_SHOWN]:
        click.echo(f"  {screen_text(change.key, 100)} {change.kind}")
        if change.kind == "changed":
            for field in change.fields():
                click.echo(f"    {change_line(field)}")
    if len(changes) > _CHANGES_SHOWN:
        click.echo(f"  … and {len(changes) - _CHANGES_SHOWN:,} more that differ from {against}")


def print_field_counts(fields: Sequence[FieldCount], documents: int) -> None:
    """Print which fields differ, and in how many of all documents."""
    for field in fields:
        name = safe_text(field.field, 100)
        click.echo(f"  {field.sign} {name} in {field.documents:,} of {documents:,}")


def progress_line() -> Callable[[ReplayProgress], None] | None:
    """Draws a replay's progress on one line of stderr; None where that is no terminal."""
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
        # What wraps is not cleared by what follows.
        sys.stderr.write(f"{_CLEAR}{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()


def end_progress() -> None:
    """Clear the line of progress."""
    draw_line("")


def tell_repeated_ids(progress: ReplayProgress) -> None:
    """Say on stderr if message ids are repeated in what was read."""
    if progress.repeated_ids and (hazard := progress.repeated_ids.hazard):
        click.echo(f"natster-tui: hazard: {hazard.sentence}", err=True)
