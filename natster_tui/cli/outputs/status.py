"""The JSON output of `status`."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.fields import keys_of
from natster_tui.cli.outputs.output import Output
from natster_tui.engine.foreign.other_projector import OtherProjector
from natster_tui.engine.projecting.stored_projection import BucketState
from natster_tui.engine.status import ProjectionReport, StatusReport
from natster_tui.engine.versions.reporting import VersionReport
from natster_tui.projections.reference_service.drift import Drift
from natster_tui.store.lease import Holder
from natster_tui.text.masking import mask_text


class LogStatus(Output):
    """The log."""

    stream: str
    created: str = Field(description="RFC 3339.")
    first: int = Field(description="The sequence of the first event.")
    head: int = Field(description="The sequence of the last event.")
    events: int
    bytes: int
    fill_percent: int = Field(description="Of the limit that is nearest; 0 without limits.")
    nearest_limit: str | None = Field(description="The setting that limits the log first.")
    sealing: str = Field(description="`on` or `off`.")

    @classmethod
    def of(cls, report: StatusReport) -> LogStatus:
        """The log's part of a report."""
        info, fill = report.info, report.fill
        return cls(
            stream=info.stream,
            created=info.created,
            first=info.first_seq,
            head=info.last_seq,
            events=info.messages,
            bytes=info.bytes,
            fill_percent=0 if fill is None else int(fill.percent),
            nearest_limit=None if fill is None else fill.setting.value,
            sealing=report.sealing,
        )


class LeaseHolder(Output):
    """A process that holds a lease."""

    host: str
    pid: int
    since: int = Field(description="Unix seconds.")
    version: int | None = Field(description="The projection's version; null from release 0.1.")

    @classmethod
    def of(cls, holder: Holder | None) -> LeaseHolder | None:
        """The holder, None for none."""
        if holder is None:
            return None
        return cls(
            host=mask_text(holder.host),
            pid=holder.pid,
            since=holder.since,
            version=holder.version,
        )


class DriftStatus(Output):
    """How another program's documents differ from the log."""

    explained: int = Field(description="Documents whose difference that program's rules explain.")
    unexplained: tuple[str, ...] = Field(description="Keys of the other documents that differ.")

    @classmethod
    def of(cls, drift: Drift | None) -> DriftStatus | None:
        """The drift, None if nothing was compared."""
        if drift is None:
            return None
        return cls(explained=drift.explained, unexplained=keys_of(drift.unexplained.changes))


class OtherProjectorStatus(Output):
    """The consumer of another program that projects into the bucket."""

    consumer: str
    lag: int = Field(description="Events that it has not acknowledged.")
    redelivered: int
    stuck_at: int | None = Field(description="The sequence of an event that it cannot process.")
    waiting: bool = Field(description="Whether a pull request waits, so that it is running.")

    @classmethod
    def of(cls, other: OtherProjector | None) -> OtherProjectorStatus | None:
        """The consumer, None for none."""
        if other is None:
            return None
        return cls(
            consumer=other.name,
            lag=other.lag,
            redelivered=other.redelivered,
            stuck_at=other.stuck_at or None,
            waiting=other.consumer.is_asking,
        )


class VersionStatus(Output):
    """A version that is stored beside a projection."""

    version: int
    bucket: str
    position: int | None = Field(description="The sequence it is projected to.")
    lag: int | None = Field(description="Events not yet projected.")
    lease: LeaseHolder | None = Field(description="The process that projects it.")
    rebuild_lease: LeaseHolder | None = Field(description="The process that rebuilds it.")

    @classmethod
    def of(cls, report: VersionReport) -> VersionStatus:
        """A version as it was found."""
        return cls(
            version=report.version,
            bucket=report.bucket,
            position=None if report.checkpoint is None else report.checkpoint.seq,
            lag=report.lag,
            lease=LeaseHolder.of(report.leases.projector),
            rebuild_lease=LeaseHolder.of(report.leases.rebuild),
        )


class ProjectionStatus(Output):
    """A stored projection against the log's head."""

    projection: str
    bucket: str
    standing: BucketState
    position: int | None = Field(description="The sequence it is projected to.")
    lag: int | None = Field(description="Events not yet projected.")
    keys: int
    parked: int | None = Field(description="Events that it could not use.")
    version: int | None = Field(description="The stored version.")
    version_here: int = Field(description="The version of this program.")
    written_by_others: bool = Field(description="Whether another program wrote to the bucket.")
    problem: str | None
    lease: LeaseHolder | None = Field(description="The process that projects it.")
    rebuild_lease: LeaseHolder | None = Field(description="The process that rebuilds it.")
    beside: tuple[VersionStatus, ...] = Field(description="The versions beside the stored one.")
    drift: DriftStatus | None = Field(description="Only for another program's documents.")
    other_projector: OtherProjectorStatus | None

    @classmethod
    def of(cls, report: ProjectionReport) -> ProjectionStatus:
        """A projection's part of a report."""
        stored, checkpoint = report.stored, report.stored.checkpoint
        return cls(
            projection=report.projection.name,
            bucket=report.projection.bucket,
            standing=stored.bucket_state,
            position=None if checkpoint is None else checkpoint.seq,
            lag=report.lag,
            keys=stored.document_count,
            parked=None if checkpoint is None else checkpoint.parked.count,
            version=None if checkpoint is None else checkpoint.version,
            version_here=report.projection.version,
            written_by_others=stored.touched_by_others,
            problem=report.problem or None,
            lease=LeaseHolder.of(report.holder),
            rebuild_lease=LeaseHolder.of(report.leases.rebuild),
            beside=tuple(map(VersionStatus.of, report.beside)),
            drift=DriftStatus.of(report.drift),
            other_projector=OtherProjectorStatus.of(report.other),
        )


class Status(Output):
    """The log, its projections, and hazards."""

    server: str
    user: str
    server_version: str
    log: LogStatus
    hazards: tuple[str, ...] = Field(description="One sentence each.")
    contested_names: tuple[str, ...] = Field(
        description="Stored catalogs whose name several accounts have shared."
    )
    projector: LeaseHolder | None = Field(
        description="The process that projects the first projection with a lease."
    )
    projections: tuple[ProjectionStatus, ...]

    @classmethod
    def of(cls, report: StatusReport) -> Status:
        """The whole report."""
        return cls(
            server=report.server,
            user=report.user,
            server_version=report.server_version,
            log=LogStatus.of(report),
            hazards=report.hazards,
            contested_names=tuple(map(mask_text, report.contested_names)),
            projector=LeaseHolder.of(report.projector),
            projections=tuple(map(ProjectionStatus.of, report.projections)),
        )
