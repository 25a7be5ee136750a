"""The JSON output of `compare` and `promote`, about two versions of a projection."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.fields import FieldDifference, keys_of
from natster_tui.cli.outputs.output import Output
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.versions.side_by_side import Side, SideBySide
from natster_tui.projections.projection_sentences import change_line
from natster_tui.store.lease import Holder
from natster_tui.text.masking import mask_text


class SideProjector(Output):
    """The process that projects a version."""

    host: str
    pid: int

    @classmethod
    def of(cls, holder: Holder | None) -> SideProjector | None:
        """The process that holds the lease, None for none."""
        return None if holder is None else cls(host=mask_text(holder.host), pid=holder.pid)


class ComparedSide(Output):
    """One of two versions."""

    version: int
    bucket: str
    position: int = Field(description="The sequence that it is stored up to.")
    lag: int = Field(description="Events that it is behind the head of the log.")
    documents: int
    projector: SideProjector | None = Field(description="Null if no process projects it.")

    @classmethod
    def of(cls, side: Side) -> ComparedSide:
        """A side as it was found."""
        return cls(
            version=side.version,
            bucket=side.bucket,
            position=side.position,
            lag=side.lag,
            documents=side.documents,
            projector=SideProjector.of(side.holder),
        )


class ChangedDocument(Output):
    """A document that both versions have, and that differs."""

    key: str
    fields: tuple[str, ...] = Field(description="Each field that differs, as one line.")


class ComparedVersions(Output):
    """The stored version of a projection, and the one beside it."""

    projection: str
    seq: int = Field(description="The sequence at which both are compared.")
    head: int = Field(description="The head of the log.")
    stored: ComparedSide
    beside: ComparedSide
    refolded: int | None = Field(
        description="The version whose documents at that sequence were made from the log."
    )
    equal: int = Field(description="Documents that are the same in both.")
    fields: tuple[FieldDifference, ...]
    changed: tuple[ChangedDocument, ...]
    only_stored: tuple[str, ...] = Field(description="Keys that only the stored version has.")
    only_beside: tuple[str, ...] = Field(description="Keys that only the version beside has.")

    @classmethod
    def of(cls, found: SideBySide) -> ComparedVersions:
        """A comparison, secrets masked."""
        difference = found.difference
        return cls(
            projection=found.name,
            seq=found.seq,
            head=found.head,
            stored=ComparedSide.of(found.stored),
            beside=ComparedSide.of(found.beside),
            refolded=found.refolded or None,
            equal=difference.equal,
            fields=tuple(map(FieldDifference.of, difference.fields())),
            changed=tuple(
                ChangedDocument(
                    key=mask_text(change.key), fields=tuple(map(change_line, change.fields()))
                )
                for change in difference.changed
            ),
            only_stored=keys_of(difference.only_stored),
            only_beside=keys_of(difference.only_beside),
        )


class PromotedVersion(Output):
    """A promotion that was done, and what verifying it found."""

    projection: str
    version: int = Field(description="The version that is stored now.")
    bucket: str
    seq: int = Field(description="The sequence up to which it was verified.")
    keys: int = Field(description="Documents that were compared with the log.")
    match: bool = Field(description="Whether all of them are what the log says.")
    beside: str = Field(description="The bucket beside, which drop deletes.")

    @classmethod
    def of(cls, verdict: Verdict, beside: str) -> PromotedVersion:
        """What verifying the promoted version found."""
        return cls(
            projection=verdict.projection.name,
            version=verdict.projection.version,
            bucket=verdict.projection.bucket,
            seq=verdict.seq,
            keys=verdict.diff.keys,
            match=verdict.good,
            beside=beside,
        )
