"""The JSON output of `project`, `verify` and `rebuild`: an entry for each projection."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.fields import FieldDifference, keys_of
from natster_tui.cli.outputs.output import Output, RootOutput
from natster_tui.engine.headless import CaughtUp
from natster_tui.engine.projecting.stored_projection import BucketState
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.projections.diff import KeyChange, Kind
from natster_tui.projections.projection_sentences import change_line
from natster_tui.text.masking import mask_text

_COMPARED = "Documents compared."
_EXPLAINED = "Differences that another program's rules explain, which are not listed."


class ProjectedPosition(Output):
    """How far a projection is."""

    projection: str
    seq: int = Field(description="The sequence it is projected to.")
    keys: int = Field(description="Documents.")
    parked: int = Field(description="Events that it could not use.")

    @classmethod
    def of(cls, done: CaughtUp) -> ProjectedPosition:
        """One projection that caught up."""
        return cls(projection=done.projection, seq=done.seq, keys=done.keys, parked=done.parked)


class Projected(RootOutput[tuple[ProjectedPosition, ...]]):
    """How far each projection is."""


class ChangedKey(Output):
    """A document that differs."""

    key: str
    kind: Kind = Field(
        description="What must happen to the stored document, so that it is as the log says."
    )

    @classmethod
    def of(cls, change: KeyChange) -> ChangedKey:
        """One difference."""
        return cls(key=mask_text(change.key), kind=change.kind)


class ProjectionVerdict(Output):
    """Whether what is stored of a projection is what the log says."""

    projection: str
    seq: int = Field(description="The sequence that was compared at.")
    keys: int = Field(description=_COMPARED)
    match: bool
    standing: BucketState
    drift: tuple[ChangedKey, ...]
    explained: int = Field(description=_EXPLAINED)

    @classmethod
    def of(cls, verdict: Verdict) -> ProjectionVerdict:
        """One verdict."""
        return cls(
            projection=verdict.projection.name,
            seq=verdict.seq,
            keys=verdict.diff.keys,
            match=verdict.good,
            standing=verdict.bucket_state,
            drift=tuple(map(ChangedKey.of, verdict.listed)),
            explained=0 if verdict.drift is None else verdict.drift.explained,
        )


class Verdicts(RootOutput[tuple[ProjectionVerdict, ...]]):
    """Whether what is stored is what the log says, for each projection."""


class PlannedChange(ChangedKey):
    """A document that a rebuild would change."""

    fields: tuple[str, ...] = Field(description="Each field that would change, as one line.")

    @classmethod
    def of(cls, change: KeyChange) -> PlannedChange:
        """One difference, with its fields."""
        lines = tuple(map(change_line, change.fields()))
        return cls(key=mask_text(change.key), kind=change.kind, fields=lines)


class ProjectionPlan(Output):
    """What a rebuild of a projection would change."""

    projection: str
    seq: int = Field(description="The sequence that it would be rebuilt to.")
    keys: int = Field(description=_COMPARED)
    standing: BucketState
    stored_version: int | None = Field(
        description="The version that is stored; null without a checkpoint of ours."
    )
    version: int = Field(description="The version that it would be rebuilt to.")
    fields: tuple[FieldDifference, ...] = Field(
        description="In how many of the changed documents each field differs."
    )
    changes: tuple[PlannedChange, ...]
    explained: int = Field(description="Changes that another program's rules explain.")
    unexplained: tuple[str, ...] | None = Field(
        description="Keys of the other changes; null if no other program wrote."
    )

    @classmethod
    def of(cls, plan: PlannedRebuild) -> ProjectionPlan:
        """One plan."""
        drift = plan.drift
        return cls(
            projection=plan.projection.name,
            seq=plan.seq,
            keys=plan.diff.keys,
            standing=plan.stored.bucket_state,
            stored_version=plan.stored_version,
            version=plan.projection.version,
            fields=tuple(map(FieldDifference.of, plan.fields())),
            changes=tuple(map(PlannedChange.of, plan.diff.changes)),
            explained=0 if drift is None else drift.explained,
            unexplained=None if drift is None else keys_of(drift.unexplained.changes),
        )


class Plans(RootOutput[tuple[ProjectionPlan, ...]]):
    """What a rebuild would change, for each projection."""
