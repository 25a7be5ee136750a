"""Drift that a verify found in a projection of ours, and whether it is still stored.

Drift ends with a rebuild by any process, or if another program repairs the documents that it had
changed. So while drift is known, the bucket is read again after each write to it. The longer a read
takes, the longer the pause before the next one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    load_projection,
)
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import diff_entries
from natster_tui.projections.paging import document_key
from natster_tui.store.bucket import Bucket

CHECK_EVERY_S = 0.9
REST_PER_WORK = 4
"""The pause after a read of the bucket is at least this many times its duration."""


@dataclass(frozen=True, slots=True)
class FoundDrift:
    """The documents that differed from the log, by key, as the log has them (None: not at all).

    `revision` is the bucket's newest at that time, and `touched` says whether another program had
    written to the bucket.
    """

    documents: Mapping[str, bytes | None]
    revision: int
    touched: bool

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """The drift in a verdict."""
        documents = {change.key: change.after for change in verdict.diff.changes}
        return cls(documents, verdict.revision, verdict.touched)

    def is_stored_in(self, stored: StoredProjection) -> bool:
        """Whether any of these documents still differs.

        A document that events have changed since counts as different: only a verify can tell.
        """
        if stored.bucket_state is not BucketState.OURS:
            return True
        wanted = self.documents
        expected = {key: document for key, document in wanted.items() if document is not None}
        entries = {
            key: entry for key, entry in stored.entries.items() if document_key(key) in wanted
        }
        unsealed = stored.unsealed & entries.keys()
        return any(
            # A paged document is compared as a whole.
            change.problem or change.unsealed or change.before != change.after
            for change in diff_entries(stored.projection, entries, expected, unsealed).changes
        )


class DriftCheck:
    """Checks whether drift that was found in a projection's bucket is still stored."""

    def __init__(self, bucket: Bucket, projection: Projection[Any]) -> None:
        self._bucket = bucket
        self._projection = projection
        self._found: FoundDrift | None = None
        self._revision = 0
        self._next = 0.0

    async def is_over(self, found: FoundDrift) -> bool:
        """Whether the drift is no longer stored; asks the server at most once a second."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + CHECK_EVERY_S
        if found is not self._found:
            self._found, self._revision = found, found.revision
        if (await self._bucket.info()).last_revision == self._revision:
            return False
        stored = await load_projection(self._bucket, self._projection)
        self._revision = stored.snapshot.last_revision
        took = time.monotonic() - now
        self._next = now + max(CHECK_EVERY_S, (1 + REST_PER_WORK) * took)
        return not found.is_stored_in(stored)
