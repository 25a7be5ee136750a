"""Finding documents that a bucket has lost because of its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import RefusedError
from natster_tui.events.log.hazards import HazardKind
from natster_tui.projections.api import Projection
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.retention import read_bucket_hazards
from natster_tui.text.counting import counted_is


async def refuse_if_documents_lost(
    log: EventLog, projections: Sequence[Projection[Any]], instance: str
) -> None:
    """Raise RefusedError with the number of documents that a bucket has lost.

    A projector continues from the stored documents and cannot see that some are missing. So the
    log is replayed, but only for buckets with settings that lose documents.
    """
    for projection in projections:
        hazards = await read_bucket_hazards(log.link, projection.bucket) or ()
        lossy = [each for each in hazards if each.kind is HazardKind.BUCKET_FORGETS]
        if not lossy:
            continue
        (plan,) = await Rebuild(log, WholeProjections((projection,)), instance).prepare()
        if gone := plan.diff.count("added"):
            raise RefusedError(
                f"{projection.name}: {counted_is(gone, 'document')} gone from what is stored: "
                f"{lossy[0].sentence}"
            )
