"""What a rebuild of a projection would change, and the result of a verify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from natster_tui.engine.projecting.stored_projection import BucketState, StoredProjection
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import Diff, KeyChange
from natster_tui.projections.reference_service.drift import Drift
from natster_tui.projections.versions.comparing import FieldCount, field_counts
from natster_tui.text.counting import counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verifying a projection.

    `seq` is the position that was compared. `revision` is the bucket's newest at that time, or 0
    if only a part of the bucket was compared. `touched`: another program had written to the
    bucket. If another program projects it, `drift` shows what the reference service's rules
    explain. `stored_version` is the version in the stored checkpoint, None without one.
    """

    projection: Projection[Any]
    seq: int
    diff: Diff
    bucket_state: BucketState
    revision: int = 0
    touched: bool = False
    drift: Drift | None = None
    stored_version: int | None = None

    @property
    def listed(self) -> tuple[KeyChange, ...]:
        """Differences to list by key; beside another program, only the unexplained ones."""
        return (self.diff if self.drift is None else self.drift.unexplained).changes

    @property
    def good(self) -> bool:
        """Whether every stored document agrees with the log, whichever program wrote it."""
        whole = self.bucket_state in (BucketState.OURS, BucketState.FOREIGN)
        return not self.diff and (whole or self._expects_nothing)

    @property
    def _expects_nothing(self) -> bool:
        """Whether nothing is stored, and nothing should be, because the log is empty."""
        return self.seq == 0 and self.bucket_state in (BucketState.MISSING, BucketState.EMPTY)

    @property
    def sentence(self) -> str:
        """One line for people."""
        name = self.projection.name
        if self._expects_nothing:
            return f"{name}: nothing has to be stored yet: the log is empty"
        if self.bucket_state in (BucketState.MISSING, BucketState.EMPTY):
            return f"{name}: nothing is stored yet; project or rebuild it"
        if not self.diff:
            whose = "" if self.bucket_state is BucketState.OURS else f" ({self.bucket_state.value})"
            keys = "1 key matches" if self.diff.keys == 1 else f"{self.diff.keys:,} keys match"
            return f"{name}: {keys} the log at {self.seq:,}{whose}"
        if self.bucket_state is BucketState.OTHER_VERSION:
            return self._other_version
        keys = counted(self.diff.keys, "key")
        if self.drift is not None and self.drift.explained:
            return f"{name}: drift at {self.seq:,}, {keys} compared: {self.drift.summary}"
        return (
            f"{name}: drift at {self.seq:,}: {len(self.diff.changes):,} of "
            f"{self.diff.keys:,} keys differ from the log"
        )

    @property
    def _other_version(self) -> str:
        """The sentence if another version of the rule made the stored documents."""
        name, version = self.projection.name, self.projection.version
        return (
            f"{name}: {self.projection.bucket} holds version {self.stored_version}, and this "
            f"program has version {version}: {len(self.diff.changes):,} of {self.diff.keys:,} keys "
            f"differ from what version {version} makes of the log at {self.seq:,}"
        )


@dataclass(frozen=True, slots=True)
class PlannedRebuild:
    """One projection's part of a prepared rebuild: what is stored, and what would change.

    If another program projects it, `drift` shows what the reference service's rules explain.
    """

    stored: StoredProjection
    diff: Diff
    seq: int
    drift: Drift | None = None

    @property
    def listed(self) -> tuple[KeyChange, ...]:
        """Changes to list by key; beside another program, only the unexplained ones."""
        return (self.diff if self.drift is None else self.drift.unexplained).changes

    @property
    def stored_version(self) -> int | None:
        """The version of the projection that is stored; None without a checkpoint of ours."""
        return None if self.stored.checkpoint is None else self.stored.checkpoint.version

    @property
    def summary(self) -> str:
        """One line: what would change, and how much of it is explained."""
        words = self.diff.summary
        if self.drift is not None and self.diff:
            words = f"{words}; {self.drift.summary}"
        if self.stored_version not in (None, self.projection.version):
            words = f"version {self.stored_version} becomes {self.projection.version}; {words}"
        return words

    def fields(self) -> tuple[FieldCount, ...]:
        """In how many of the changed documents each field is added, removed or changed."""
        return field_counts(self.listed)

    @property
    def projection(self) -> Projection[Any]:
        """The projection that is rebuilt."""
        return self.stored.projection

    @property
    def is_forward(self) -> bool:
        """Whether it ends at the stored checkpoint's sequence, or after it."""
        return self.stored.checkpoint is None or self.seq >= self.stored.checkpoint.seq
