"""Writing the events that are shown to a file, with secrets masked.

The lines have the form of `export`, but are marked as masked. An import refuses them: otherwise
masked values would stay in an append-only log for ever. `natster-tui export` writes what is stored.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from natster_tui.errors import UsageError
from natster_tui.events.event import Record
from natster_tui.events.log.lines import MASKED, line_value
from natster_tui.projections.projection_sentences import masked_payload
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_json, mask_text
from natster_tui.text.strict_json import json_line


async def export_file(log: EventLog, path: Path, seqs: Sequence[int] | None, instance: str) -> int:
    """Write events (None: all) to a new file that only its owner can read; returns how many.

    Raises UsageError if the file exists or cannot be written. An incomplete file is removed.
    """
    head = (await log.refresh()).last_seq
    first, last = (1, head) if seqs is None else (seqs[0], seqs[-1]) if seqs else (1, 0)
    wanted = None if seqs is None else frozenset(seqs)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: choose another name") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    count = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            async with aclosing(
                log.records(first, last, purpose="export", instance=instance)
            ) as batches:
                async for batch in batches:
                    for record in batch:
                        if wanted is None or record.seq in wanted:
                            file.write(masked_line(record) + "\n")
                            count += 1
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - in a coroutine, where it is as quick as the writing
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise
    return count


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written ({(error.strerror or '').lower()})")


def masked_line(record: Record) -> str:
    """A record in the exported form, with the secrets in it masked."""
    return json_line(masked_value(record))


def masked_value(record: Record) -> dict[str, Any]:
    """The same as a dict."""
    readable = tuple((name, _readable(value)) for name, value in record.headers)
    shown = Record(
        record.seq, record.time_ns, record.subject, record.payload, readable, record.seal
    )
    line = line_value(shown, masked_payload(record))
    line["subject"] = mask_text(line["subject"])
    line["headers"] = mask_json(line["headers"])
    line[MASKED] = True
    return line


def _readable(value: str) -> str:
    """A header's value as text: a secret in base64 would not be recognised as one."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
