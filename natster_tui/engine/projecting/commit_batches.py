"""Which changes go into one atomic batch, and which the server would refuse.

A batch holds a limited number of messages, each of a limited size. The entries of one document
belong together: a document cannot be read if some of its pages are old and some new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.projections.paging import document_key
from natster_tui.store.bucket import EntryLimit

Changes = Mapping[str, bytes | None]
"""Entries to write, by key; None removes one."""


BATCH_BYTES = 16 * 1024 * 1024
"""The most bytes in one batch. The server takes 130 MB, but needs 3 s to store them."""


def batches(documents: Iterable[Changes], room: int) -> Iterator[dict[str, bytes | None]]:
    """The changes of all documents in batches of at most `room` entries; at least one batch.

    Only a document too large for one batch is split. The caller must mark the bucket as unfinished
    while there are batches to come.
    """
    batch: dict[str, bytes | None] = {}
    size = 0
    for changes in documents:
        added = sum(len(entry) for entry in changes.values() if entry is not None)
        if batch and (len(batch) + len(changes) > room or size + added > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        size += added
        for entry_key, entry in changes.items():
            if len(batch) == room:
                yield batch
                batch = {}
            batch[entry_key] = entry
    yield batch


@dataclass(frozen=True, slots=True)
class TooManyEntries:
    """More entries change at once than fit in one batch."""

    projection: Projection[Any]
    entries: int
    room: int

    @property
    def sentence(self) -> str:
        """What does not fit, and what to do."""
        return (
            f"{self.entries:,} entries of {self.projection.bucket} would change at once, and one "
            f"batch takes {self.room:,}: rebuild {self.projection.name}, which may write in parts"
        )


@dataclass(frozen=True, slots=True)
class OversizedEntry:
    """An entry is larger than its bucket takes. `size` is in bytes."""

    projection: Projection[Any]
    key: str
    size: int
    limit: EntryLimit

    @property
    def sentence(self) -> str:
        """Which document does not fit, and what to do."""
        key = document_key(self.key)
        page = "" if key == self.key else f"page {self.key.removeprefix(key + '/')} of "
        return (
            f"{page}the {self.projection.key_noun} document {key} would be {self.size:,} bytes "
            f"and the server takes {self.limit.size:,}: raise {self.limit.setting}"
        )


def oversized(
    projection: Projection[Any], changes: Changes, limit: EntryLimit
) -> OversizedEntry | None:
    """The first entry that is too large for its bucket."""
    for key, entry in changes.items():
        if entry is not None and len(entry) > limit.size:
            return OversizedEntry(projection, key, len(entry), limit)
    return None


def unfit(
    projection: Projection[Any], changes: Changes, room: int, limit: EntryLimit
) -> TooManyEntries | OversizedEntry | None:
    """Why changes cannot be written in one batch of `room` entries; None if they can be."""
    if len(changes) > room:
        return TooManyEntries(projection, len(changes), room)
    return oversized(projection, changes, limit)
