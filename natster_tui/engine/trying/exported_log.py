"""The events of an exported log, for a fold without a server."""

from __future__ import annotations

from pathlib import Path

from natster_tui.engine.log.import_file import ImportFile
from natster_tui.errors import RefusedError, UsageError
from natster_tui.events.event import Record
from natster_tui.events.system import EventSystem
from natster_tui.store.sealing.envelope import is_sealed
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_transfer import OfferedKeys
from natster_tui.store.sealing.values import open_record


def read_exported(path: str, system: EventSystem, key_file: Path | None) -> list[Record]:
    """All events of a file that `export` wrote, sealed payloads opened ("-": standard input).

    An export with keys (`export --keys`) is opened with `key_file`. An event whose key is missing
    or was erased says so, and each projection decides what that means for it.

    Raises UsageError for a line that is wrong, and where sealed events have no usable keys.
    """
    file = ImportFile.read(path, system)
    records = list(file.events)
    sealed = next((record for record in records if is_sealed(record.payload)), None)
    if sealed is None:
        return records
    if not file.keys:
        raise UsageError(
            f"event {sealed.seq:,} is sealed, and the file holds no keys: write it with export "
            "--keys and name the key file with --key-file, or write it with export --open"
        )
    try:
        keys = OfferedKeys.of(file.keys, None if key_file is None else KeyFile(key_file)).table
    except RefusedError as error:
        raise UsageError(error.sentence) from error
    return [open_record(keys, each) if is_sealed(each.payload) else each for each in records]
