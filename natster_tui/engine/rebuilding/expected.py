"""The entries that should be stored according to the log, for a rebuild to compare and write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from natster_tui.engine.projecting.stored_projection import StoredProjection
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.errors import BlockedEventError
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Sent


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit writes to a bucket that holds `stored`.

    `before` is the checkpoint until the last batch is written; None if everything must fit in one
    batch. `final` is the checkpoint in the last batch. `fold` is the source of the documents, and
    `sent` what was written, as the bucket stores it.
    """

    stored: StoredProjection
    fold: Fold[Any]
    of_documents: Iterable[Mapping[str, bytes | None]]
    before: bytes | None
    final: bytes
    sent: Sent = field(default_factory=dict)


class Expected(ABC):
    """The entries that should be stored according to the log, as far as it has been read.

    Several projections may be committed at the same time.
    """

    @property
    @abstractmethod
    def progress(self) -> ReplayProgress:
        """The progress of the current or the last read."""

    @property
    @abstractmethod
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """The projections that end before an event they must not pass, and why."""

    @abstractmethod
    async def plans(self) -> list[PlannedRebuild]:
        """Read the log to its present head, and compare; returns one plan for each projection."""

    @abstractmethod
    async def changes(self, projection: Projection[Any], *, purge: bool, partial: bool) -> Changes:
        """What to write to a bucket in its present state.

        Raises BlockedEventError if the projection is blocked, unless `partial`.
        """

    @abstractmethod
    async def catch_up(self) -> None:
        """Prepare another attempt, because another process wrote to the bucket first."""

    @abstractmethod
    async def verdict(self, projection: Projection[Any], sent: Sent) -> Verdict:
        """Read back what was committed, at the bucket's present position, and compare it.

        Entries that are stored exactly as `sent` need not be decrypted; `verify` decrypts all.
        """

    @abstractmethod
    async def verify(self) -> list[Verdict]:
        """Compare what is stored with the log at the stored position; writes nothing."""
