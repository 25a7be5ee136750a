"""Which changes go into one atomic batch, and what the server does not take at all.

A batch holds a limited number of messages, each of a limited size. The entries of one document
belong together: readers who see one of its pages new and another one old have no document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.projections.paging import document_key
from natster_tui.store.bucket import EntryLimit

Changes = Mapping[str, bytes | None]
"""Entries to write, None for one to remove."""


BATCH_BYTES = 16 * 1024 * 1024
"""Maximum bytes in one batch: the server takes 130 MB, but needs 3 s for it."""


def batches(documents: Iterable[Changes], room: int) -> list[dict[str, bytes | None]]:
    """What changes of each document, in batches of at most `room` entries; at least one batch.

    Only a document that fits in no batch is cut; the caller's mark must stand between batches.
    """
    made: list[dict[str, bytes | None]] = [{}]
    size = 0
    for changes in documents:
        more = sum(len(entry) for entry in changes.values() if entry is not None)
        if made[-1] and (len(made[-1]) + len(changes) > room or size + more > BATCH_BYTES):
            made.append({})
            size = 0
        size += more
        for entry_key, entry in changes.items():
            if len(made[-1]) == room:
                made.append({})
            made[-1][entry_key] = entry
    return made


def oversized(projection: Projection[Any], changes: Changes, limit: EntryLimit) -> str:
    """Why an entry is too large for its bucket; empty when none is."""
    for entry_key, entry in changes.items():
        if entry is not None and len(entry) > limit.size:
            key = document_key(entry_key)
            page = "" if key == entry_key else f"page {entry_key.removeprefix(key + '/')} of "
            return (
                f"{page}the {projection.key_noun} document {key} would be {len(entry):,} bytes "
                f"and the server takes {limit.size:,}: raise {limit.setting}"
            )
    return ""


def unfit(projection: Projection[Any], changes: Changes, room: int, limit: EntryLimit) -> str:
    """Why changes cannot be written in one batch of `room` entries; empty when they can be."""
    if len(changes) > room:
        return (
            f"{len(changes):,} entries of {projection.bucket} would change at once, and one batch "
            f"takes {room:,}: rebuild {projection.name}, which may write in parts"
        )
    return oversized(projection, changes, limit)
