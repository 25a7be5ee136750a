"""Exporting the keys of a sealed log together with its events."""

from __future__ import annotations

from natster_tui.events.log.key_lines import encode_key_line
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_bucket import BUCKET
from natster_tui.store.sealing.key_transfer import exported_keys


async def export_key_lines(log: EventLog) -> tuple[list[str], list[str]]:
    """The lines of the wrapped data keys and tombstones, and sentences about them."""
    keyring = log.sealing.keyring
    found = None if keyring is None else await exported_keys(keyring)
    if found is None or not found.lines:
        return [], ["there are no keys to export: nothing was sealed here"]
    sentences = []
    if found.outdated:
        sentences.append(
            f"{found.outdated:,} of the exported keys are wrapped with a key-encryption key that "
            "is being replaced: finish that with natster-tui keys rotate, then export again"
        )
    if found.unknown:
        sentences.append(
            f"{found.unknown:,} entries of {BUCKET} are no keys, and were not exported"
        )
    return [encode_key_line(line) for line in found.lines], sentences
