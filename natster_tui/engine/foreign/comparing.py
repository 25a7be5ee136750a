"""Comparing another program's documents with the log, and explaining the differences."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.foreign.other_projector import OtherProjector, read_other_projector
from natster_tui.engine.projecting.stored_projection import StoredProjection, load_projection
from natster_tui.engine.rebuilding.replay import Replay, encoded_documents
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import Diff, diff_documents, same_json
from natster_tui.projections.reference_service.drift import Drift, Reference, explain, reference_of
from natster_tui.store.bucket import Bucket
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is stored, all differences from the log, and the unexplained ones among them."""

    stored: StoredProjection
    diff: Diff
    drift: Drift
    other: OtherProjector | None


async def compare_with_log(
    log: EventLog, bucket: Bucket, projection: Projection[Any], replay: Replay, instance: str
) -> Comparison:
    """Compare another program's documents as they are now; moves the replay to the log's head.

    The order of the reads matters: the other program's position, then the bucket, then the log's
    head. This way nothing that it writes in between counts as drift.
    """
    other = await read_other_projector(log, projection.bucket)
    stored = await load_projection(bucket, projection)
    await replay.advance((await log.refresh()).last_seq)
    expected = await encoded_documents(replay.folds[projection.name])
    diff = diff_documents(stored.entries, expected, same_json)
    reference = await _reference(log, projection, replay.seq, instance) if diff else None
    return Comparison(stored, diff, explained(diff, reference, other), other)


def explained(diff: Diff, reference: Reference | None, other: OtherProjector | None) -> Drift:
    """Split a difference by the reference service's rules and its position in the log."""
    return explain(diff, reference, None if other is None else other.complete_to)


async def _reference(
    log: EventLog, projection: Projection[Any], upto: int, instance: str
) -> Reference | None:
    """The documents that the reference service would make; reads the log once more."""
    reference = reference_of(projection.name)
    if reference is None:
        return None
    reading = log.records(1, upto, purpose="explain", instance=instance)
    async with aclosing(reading) as batches:
        async for batch in batches:
            for record in batch:
                reference.take(record)
    return reference
