"""The JSON output of `try` and `fold`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from natster_tui.cli.outputs.fields import FieldDifference
from natster_tui.cli.outputs.output import Output, RootOutput
from natster_tui.cli.outputs.projecting import ChangedKey
from natster_tui.engine.trying.trial import Trial


class TriedProjection(Output):
    """What a projection of the file gives, and how that differs from what is stored."""

    projection: str
    version: int
    events: int
    documents: int
    parked: int = Field(description="Events that it could not use.")
    seconds: float = Field(description="How long the fold took.")
    compared_at: int | None = Field(
        description="The sequence that was compared at; null if nothing is stored."
    )
    raise_version: bool = Field(
        description="Whether the version must be raised, because it is stored with other documents."
    )
    fields: tuple[FieldDifference, ...]
    changes: tuple[ChangedKey, ...]
    second_fold: str = Field(
        description="`same`, or a sentence about where a fold in another process differed."
    )

    @classmethod
    def of(cls, trial: Trial) -> TriedProjection:
        """One trial."""
        return cls(
            projection=trial.projection.name,
            version=trial.projection.version,
            events=trial.events,
            documents=len(trial.fold.states),
            parked=trial.fold.parked.count,
            seconds=round(trial.seconds, 3),
            compared_at=trial.compared_at,
            raise_version=trial.needs_version,
            fields=tuple(map(FieldDifference.of, trial.fields())),
            changes=() if trial.diff is None else tuple(map(ChangedKey.of, trial.diff.changes)),
            second_fold="same" if trial.second is None else trial.second.sentence,
        )


class Trials(RootOutput[tuple[TriedProjection, ...]]):
    """What each projection of a file gives."""


class Folded(RootOutput[dict[str, dict[str, dict[str, Any]]]]):
    """The documents by projection and key; secrets are masked without --reveal."""
