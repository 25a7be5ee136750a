"""The status of a log and its projections, for `natster-tui status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from natster_tui.engine.foreign.comparing import compare_with_log
from natster_tui.engine.foreign.other_projector import OtherProjector, read_other_projector
from natster_tui.engine.log.hazard_watch import HazardWatch
from natster_tui.engine.projecting.obstacles import fault_of
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    check_identity_now,
    load_projections,
)
from natster_tui.engine.rebuilding.replay import Replay
from natster_tui.engine.versions.reporting import (
    Leases,
    VersionReport,
    read_leases,
    read_versions,
)
from natster_tui.events.log.hazards import Fill
from natster_tui.events.log.info import LogInfo
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import read_document
from natster_tui.projections.reference_service.drift import Drift
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.together import for_each, together
from natster_tui.store.lease import Holder
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted

EVENTS_COMPARED = 100_000
"""The most events of a log that is read to compare another program's documents with it."""


@dataclass(frozen=True, slots=True)
class ProjectionReport:
    """A stored projection, compared with the log's head."""

    projection: Projection[Any]
    stored: StoredProjection
    head: int
    problem: str
    leases: Leases
    """Which processes hold its leases."""
    other: OtherProjector | None = None
    """The consumer with which another program projects it; None if there is none."""
    drift: Drift | None = None
    """How another program's documents differ from the log; None if not compared."""
    beside: tuple[VersionReport, ...] = ()
    """The versions that are stored beside it."""

    @property
    def holder(self) -> Holder | None:
        """Which process projects it; None if none does."""
        return self.leases.projector

    @property
    def lag(self) -> int | None:
        """Events not yet projected; None if nothing was projected."""
        if self.stored.checkpoint is None:
            return None
        return max(0, self.head - self.stored.checkpoint.seq)

    @property
    def stored_sentence(self) -> str:
        """What is stored, and who stored it."""
        stored = self.stored
        keys = counted(stored.document_count, "key")
        if stored.checkpoint is not None:
            here, version = self.projection.version, stored.checkpoint.version
            other = "" if version == here else f" (here {here})"
            return (
                f"at {stored.checkpoint.seq:,}, lag {self.lag:,}, {keys}, "
                f"parked {stored.checkpoint.parked.count:,}, version {version}{other}"
            )
        match stored.bucket_state:
            case BucketState.FOREIGN:
                return f"{keys}, stored by another program"
            case BucketState.UNREADABLE:
                return f"{keys}, with a checkpoint that cannot be read"
            case _:
                return "not stored"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What `natster-tui status` shows."""

    server: str
    user: str
    server_version: str
    info: LogInfo
    sealing: str
    hazards: tuple[str, ...]
    projections: tuple[ProjectionReport, ...]
    contested_names: tuple[str, ...]
    """The stored catalogs whose name more than one account has shared."""
    fill: Fill | None = None
    """How full the log is against its nearest limit; None if it has none."""

    @property
    def projector(self) -> Holder | None:
        """The process that projects, None if none does."""
        return next((each.holder for each in self.projections if each.holder), None)

    @property
    def projecting(self) -> str:
        """Which processes project, in words."""
        named = {each.projection.name: _described(each) for each in self.projections}
        if len(set(named.values())) == 1:
            return next(iter(named.values()))
        return "; ".join(f"{name}: {holder}" for name, holder in named.items())

    def with_hazard(self, sentence: str) -> StatusReport:
        """The same with one more hazard, before the others."""
        return replace(self, hazards=(sentence, *self.hazards))


async def read_status(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    versions: Sequence[Projection[Any]] = (),
) -> StatusReport:
    """Read the status; writes nothing.

    `versions` are further versions of the projections that are loaded here.
    """
    buckets = {each.name: bucket_of(log, each, instance) for each in projections}
    watch = HazardWatch(projections)
    info, _, stored, leases, beside = await together(
        log.refresh(),
        watch.refresh(log),
        load_projections(buckets, projections),
        for_each(partial(read_leases, log), buckets),
        read_versions(log, projections, versions),
    )
    problems = await for_each(partial(_problem_of, log), stored)
    foreign = await _compare_foreign(log, stored, buckets, instance)
    reports = [
        ProjectionReport(
            each.projection,
            each,
            info.last_seq,
            problem,
            held,
            *foreign.get(each.projection.name, (None, None)),
            beside[each.projection.name],
        )
        for each, problem, held in zip(stored, problems, leases, strict=True)
    ]
    return _report(log, info, watch, reports)


def _report(
    log: EventLog, info: LogInfo, watch: HazardWatch, reports: Sequence[ProjectionReport]
) -> StatusReport:
    settings = log.link.settings
    return StatusReport(
        log.link.target.described_at(settings.described),
        settings.user_described,
        log.link.info.version_described,
        info,
        "on" if log.sealing.seals else "off",
        tuple(hazard.sentence for hazard in watch.hazards(log)),
        tuple(reports),
        tuple(name for report in reports for name in _contested_names(report.stored)),
        watch.fill(log),
    )


async def _compare_foreign(
    log: EventLog,
    stored: Sequence[StoredProjection],
    buckets: Mapping[str, Bucket],
    instance: str,
) -> dict[str, tuple[OtherProjector | None, Drift | None]]:
    """Another program's consumer, and how its documents differ from the log.

    A long log is not read for this; use `verify`.
    """
    foreign = [each.projection for each in stored if each.bucket_state is BucketState.FOREIGN]
    found: dict[str, tuple[OtherProjector | None, Drift | None]] = {}
    replay = Replay(log, foreign, instance)
    for projection in foreign:
        if log.info.messages > EVENTS_COMPARED:
            found[projection.name] = (await read_other_projector(log, projection.bucket), None)
            continue
        compared = await compare_with_log(
            log, buckets[projection.name], projection, replay, instance
        )
        # At an event that must not be passed, the documents after it are not known.
        drift = None if projection.name in replay.blocked else compared.drift
        found[projection.name] = (compared.other, drift)
    return found


async def _problem_of(log: EventLog, stored: StoredProjection) -> str:
    """What is wrong with a stored projection, in a sentence; empty if nothing is."""
    if (fault := fault_of(stored)) is not None:
        return fault.sentence
    if stored.checkpoint is not None and (
        changed := await check_identity_now(log, stored.checkpoint)
    ):
        return changed.sentence
    if stored.bucket_state in (BucketState.MISSING, BucketState.EMPTY):
        remedy = "project or rebuild it" if log.info.last_seq else "the log is empty"
        return f"nothing is stored yet: {remedy}"
    return ""


def _contested_names(stored: StoredProjection) -> list[str]:
    if stored.projection.name != CATALOGS.name or stored.bucket_state is BucketState.FOREIGN:
        return []
    return [
        key
        for key, entry in stored.entries.items()
        if (document := read_document(entry)) is not None and document.get("contested_by")
    ]


def _described(report: ProjectionReport) -> str:
    if report.holder is not None:
        return report.holder.described
    if report.other is not None and report.other.consumer.is_asking:
        return "another program"
    return "no process"
