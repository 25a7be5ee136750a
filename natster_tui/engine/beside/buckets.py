"""Making the buckets that are taken over fit for our commits, all of them before the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from natster_tui.engine.projecting.stored_projection import StoredProjection
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.together import together
from natster_tui.store.provisioning.converting import bytes_needed

CHECKPOINT_BYTES = 8_192
"""Room for a checkpoint with its list of parked events."""
SEALED_BYTES = 128
"""What sealing adds to a value, at most."""


async def convert_buckets(
    buckets: Mapping[str, Bucket],
    stored: Sequence[StoredProjection],
    entries: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Convert the buckets of these projections; raises RefusedError where one cannot be.

    `entries` has what will be stored, by projection. Nothing is changed unless every bucket has
    room for its entries and loses none.
    """
    checks = []
    for each in stored:
        name = each.projection.name
        bucket = buckets[name]
        more = SEALED_BYTES if bucket.sealing.seals else 0
        sizes = {key: len(value) + more for key, value in entries[name].items()}
        held = {key: len(entry.value) for key, entry in each.snapshot.documents.items()}
        checks.append(
            bucket.refuse_unconvertible(CHECKPOINT_BYTES + bytes_needed(bucket.name, sizes, held))
        )
    await together(*checks)
    for each in stored:
        await buckets[each.projection.name].convert()
