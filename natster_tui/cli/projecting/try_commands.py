"""Commands for people who write projections: try one on a log, fold an exported log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from natster_tui.cli import completion
from natster_tui.cli.options import key_file_of, projections_of, takes_json, target_of
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.trying import Folded, Trials, TriedProjection
from natster_tui.cli.projecting.printing import (
    draw_line,
    end_progress,
    names_for,
    print_changes,
    print_field_counts,
)
from natster_tui.cli.projecting.projection_names import chosen_projections, takes_projection
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import opened_log
from natster_tui.engine.trying.exported_log import read_exported
from natster_tui.engine.trying.trial import Trial, read_log, try_projection
from natster_tui.engine.trying.trial_sentences import result_lines, second_fold_line
from natster_tui.errors import NatsterError, UsageError
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import diff_documents, same_json
from natster_tui.projections.documents import encode_document, read_document
from natster_tui.projections.fold import Fold
from natster_tui.projections.projection_sentences import Naming
from natster_tui.projections.registering.loading import load_file, saved_at
from natster_tui.store.log import EventLog
from natster_tui.store.settings.files import expand_home
from natster_tui.text.counting import counted
from natster_tui.text.masking import mask_json, screen_text
from natster_tui.text.safe_text import safe_text

POLL_S = 0.2
"""How often --watch checks whether the file was saved."""


@click.command("try")
@click.argument("file", metavar="FILE.py", shell_complete=completion.files)
@click.option("--watch", is_flag=True, help="Try again at each save, until interrupted.")
@takes_json
@takes_target
def try_(file: str, watch: bool, as_json: bool, **_given: Any) -> None:
    """Fold the log with the projections of a file; show what differs from what is stored.

    Nothing is written. Exits 1 if documents differ from the stored ones, or if a second fold, in
    another process with another clock, gives different documents.
    """
    target = target_of()
    path = expand_home(file)
    if watch and as_json:
        raise UsageError("--watch prints for people: leave --json out")

    async def work() -> bool:
        projections = load_file(path)
        watch_rules(projections)
        async with opened_log(target.source, target.choice) as log:
            records = await read_log(log, target.instance, _show_reading)
            end_progress()
            if not watch:
                return await _try_all(log, projections, records, path, target.instance, as_json)
            await _watch(log, records, path, target.instance)
            return False

    if run(work()):
        click.get_current_context().exit(1)


async def _try_all(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    records: Sequence[Record],
    path: Path,
    instance: str,
    as_json: bool,
) -> bool:
    trials = [
        await try_projection(log, projection, records, str(path), instance, _show_folding)
        for projection in projections
    ]
    end_progress()
    if as_json:
        click.echo(output_line(Trials(tuple(map(TriedProjection.of, trials)))))
    else:
        for trial in trials:
            changes = () if trial.diff is None else trial.diff.changes
            _print_trial(trial, await names_for(log, changes, instance))
    return any(trial.differs for trial in trials)


async def _watch(log: EventLog, records: Sequence[Record], path: Path, instance: str) -> None:
    """Try the file at each save; a file that does not load is reported."""
    seen = None
    while True:
        saved = saved_at(path)
        if saved is not None and saved != seen:  # some editors remove it for a moment
            seen = saved
            try:
                projections = load_file(path)
                watch_rules(projections)
                await _try_all(log, projections, records, path, instance, as_json=False)
            except NatsterError as error:
                click.echo(screen_text(error.sentence), err=True)
            click.echo(f"waiting for {safe_text(str(path), 200)} to be saved", err=True)
        await asyncio.sleep(POLL_S)


def _print_trial(trial: Trial, names: Naming | None) -> None:
    for line in result_lines(trial):
        click.echo(line)
    if trial.diff is not None:
        print_field_counts(trial.fields(), trial.diff.keys)
        print_changes(trial.diff.changes, names)
    click.echo(second_fold_line(trial))


@click.command()
@click.argument("file", metavar="LOG.jsonl", shell_complete=completion.files)
@takes_projection
@click.option(
    "--expect",
    metavar="FILE",
    shell_complete=completion.files,
    help="Documents as JSON; exit 1 if they differ.",
)
@click.option("--reveal", is_flag=True, help="Print secrets as they are.")
@takes_target
def fold(file: str, name: str | None, expect: str | None, reveal: bool, **_given: Any) -> None:
    """Fold an exported log and print the documents; needs no server.

    For golden tests, --expect reads what is printed: {"PROJECTION":{"KEY":DOCUMENT}}.
    Sealed events are opened with --key-file, if the log was exported with --keys.
    """
    projections = chosen_projections(projections_of(), name)
    records = read_exported(file, NATSTER, key_file_of())
    events = list(map(NATSTER.read, records))
    folded = {}
    for projection in projections:
        fold = Fold(projection)
        fold.apply_all(records, events)
        folded[projection.name] = fold.documents()
    if expect is None:
        shown: dict[str, Any] = {
            each: {key: read_document(document) for key, document in documents.items()}
            for each, documents in folded.items()
        }
        click.echo(output_line(Folded.model_validate(shown if reveal else mask_json(shown))))
        return
    expected = _expected(expand_home(expect), folded)
    differs = False
    for each, documents in folded.items():
        diff = diff_documents(expected[each], documents, _is_expected)
        differs = differs or bool(diff)
        click.echo(f"{each}: {counted(len(documents), 'document')}, {diff.summary}")
        print_changes(diff.changes)
    if differs:
        click.get_current_context().exit(1)


def _is_expected(expected: bytes, folded: bytes) -> bool:
    """Whether a document is the expected one; the secrets of the expected one may be masked."""
    if same_json(expected, folded):
        return True
    masked = mask_json(read_document(folded))
    return isinstance(masked, dict) and same_json(expected, encode_document(masked))


def _expected(path: Path, folded: dict[str, dict[str, bytes]]) -> dict[str, dict[str, bytes]]:
    """The documents of a file, by projection and key. Raises UsageError."""
    shown = safe_text(str(path), 200)
    other = UsageError(
        f'{shown} is not what fold prints: {{"PROJECTION":{{"KEY":DOCUMENT}}}} in JSON, with '
        f"{', '.join(folded)}"
    )
    try:
        value = Folded.model_validate(read_document(path.read_bytes())).root
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise other from error
    if not folded.keys() <= value.keys():
        raise other
    return {
        name: {key: encode_document(document) for key, document in value[name].items()}
        for name in folded
    }


def _show_reading(seq: int, head: int) -> None:
    draw_line(f"reading {seq:,} of {head:,}")


def _show_folding(seq: int, head: int) -> None:
    draw_line(f"folding {seq:,} of {head:,}")
