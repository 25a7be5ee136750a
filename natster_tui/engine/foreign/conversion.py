"""Converting buckets that are taken over, so that we can commit to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from natster_tui.engine.projecting.stored_projection import StoredProjection
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.together import together
from natster_tui.store.provisioning.converting import bytes_needed

CHECKPOINT_BYTES = 8_192
"""Bytes of a checkpoint with its list of parked events, at most."""
SEALED_BYTES = 128
"""Bytes that sealing adds to a value, at most."""


async def convert_buckets(
    buckets: Mapping[str, Bucket],
    stored: Sequence[StoredProjection],
    entries: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Convert the buckets of these projections; raises RefusedError if one cannot be converted.

    `entries` are those that will be stored, by projection. Nothing is changed unless every bucket
    has room for its entries and loses none.
    """
    checks = []
    for each in stored:
        name = each.projection.name
        bucket = buckets[name]
        overhead = SEALED_BYTES if bucket.sealing.seals else 0
        sizes = {key: len(value) + overhead for key, value in entries[name].items()}
        held = {key: len(entry.value) for key, entry in each.snapshot.documents.items()}
        checks.append(
            bucket.refuse_unconvertible(CHECKPOINT_BYTES + bytes_needed(bucket.name, sizes, held))
        )
    await together(*checks)
    for each in stored:
        await buckets[each.projection.name].convert()
