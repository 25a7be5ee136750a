"""The findings before a rebuild: how much it reads, what it affects, and what blocks it.

Events are counted by type by asking the server how many match each type's filter; none is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.log.hazard_watch import HazardWatch
from natster_tui.engine.log.repeated_ids import RepeatedIds
from natster_tui.engine.projecting.obstacles import fault_of
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    load_projections,
)
from natster_tui.engine.rebuilding.rebuild_sentences import incomplete_history
from natster_tui.errors import ApiError, ServerError
from natster_tui.events.log.hazards import Hazard
from natster_tui.events.log.info import LogInfo
from natster_tui.projections.api import Projection
from natster_tui.store.connection.api_codes import CONSUMER_REFUSED
from natster_tui.store.connection.consumers import ConsumerInfo, count_matching, list_consumers
from natster_tui.store.connection.together import together
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted

EXPECTED_RATE = 40_000
"""Events per second assumed for the estimate before anything was measured."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The findings.

    `own_consumers` are the names of the projections that this process reads the log for.
    """

    info: LogInfo
    by_type: dict[str, int]
    stored: tuple[StoredProjection, ...]
    other_projectors: tuple[ConsumerInfo, ...]
    own_consumers: tuple[str, ...]
    hazards: tuple[Hazard, ...] = ()

    @property
    def foreign(self) -> tuple[str, ...]:
        """The buckets that another program wrote."""
        return tuple(
            stored.projection.bucket
            for stored in self.stored
            if stored.bucket_state is BucketState.FOREIGN
        )

    @property
    def estimated_seconds(self) -> float:
        """The estimated time of the replay."""
        return self.info.messages / EXPECTED_RATE

    def lines(self) -> list[str]:
        """The findings in words, one a line."""
        info = self.info
        types = ", ".join(
            f"{count:,} {'of no known type' if name == 'other' else name}"
            for name, count in self.by_type.items()
            if count
        )
        lines = [
            f"log: {counted(info.messages, 'event')}, {info.first_seq:,} to {info.last_seq:,}"
            + (f" ({types})" if types else ""),
            f"reading them takes about {max(1, round(self.estimated_seconds)):,} s",
        ]
        for stored in self.stored:
            lines += self._lines_of(stored)
        for consumer in self.other_projectors:
            # A consumer of ours may only watch: the lease says which process projects.
            does = "following the log" if consumer.is_ours else "projecting"
            lines.append(f"also {does}: {consumer.name} ({consumer.described})")
        lines += [f"hazard: {hazard.sentence}" for hazard in self.hazards]
        if info.lost:
            lines.append(f"blocked: {incomplete_history(info.lost)}")
        return lines

    def _lines_of(self, stored: StoredProjection) -> list[str]:
        projection, place = stored.projection, "no checkpoint"
        if stored.checkpoint is not None:
            place = f"stored at {stored.checkpoint.seq:,}"
            if stored.checkpoint.parked.count:
                place += f", parked {stored.checkpoint.parked.count:,}"
            place += f", version {stored.checkpoint.version}"
            if stored.checkpoint.version != projection.version:
                place += f" (here {projection.version})"
        keys = counted(stored.document_count, "key")
        lines = [f"{projection.name}: {keys} in {projection.bucket}, {place}"]
        if projection.name in self.own_consumers:
            lines.append("  our consumer of the log for it is deleted, and made again afterwards")
        if (fault := fault_of(stored)) is not None:
            lines.append(f"  {fault.sentence}")
        if stored.bucket_state is BucketState.FOREIGN:
            lines.append(
                f"  the bucket {projection.bucket} will be converted: atomic batches on, nothing "
                "that forgets; its size limit stays"
            )
        return lines


async def read_preflight(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    repeated_ids: RepeatedIds | None = None,
) -> Preflight:
    """Read the settings and sizes of the log and the buckets; writes nothing.

    `repeated_ids` are those found so far; None if nothing has read the log.
    """
    # Read before the log, so that no stored position is ahead of the reported head.
    buckets = {each.name: bucket_of(log, each, instance) for each in projections}
    stored = await load_projections(buckets, projections)
    watch = HazardWatch(projections, repeated_ids)
    info, by_type, (others, own), _ = await together(
        log.refresh(), _counts(log), _consumers(log, projections, instance), watch.refresh(log)
    )
    if by_type:
        by_type["other"] = max(0, info.messages - sum(by_type.values()))
    return Preflight(info, by_type, stored, others, own, watch.hazards(log))


async def _counts(log: EventLog) -> dict[str, int]:
    """How many events of each type there are; empty if the stream refuses to count them."""
    counting = [
        count_matching(log.link, log.stream, log.system.subject(event=kind.name))
        for kind in log.system.kinds
    ]
    try:
        counts = await together(*counting)
    except ApiError as error:
        if error.code not in CONSUMER_REFUSED:
            raise
        return {}
    return {kind.name: count for kind, count in zip(log.system.kinds, counts, strict=True)}


async def _consumers(
    log: EventLog, projections: Sequence[Projection[Any]], instance: str
) -> tuple[tuple[ConsumerInfo, ...], tuple[str, ...]]:
    """Other consumers for these projections, and the names of those that have one of ours."""
    try:
        consumers = await list_consumers(log.link, log.stream)
    except ServerError:
        # Listing may be denied. That must not stop a rebuild: the commit is safe without it.
        return (), ()
    ours = tuple(f"natster-tui-{projection.name}-" for projection in projections)
    buckets = {projection.bucket for projection in projections}
    others = tuple(
        consumer
        for consumer in consumers
        if consumer.name in buckets
        or (consumer.name.startswith(ours) and f"-{instance}-" not in consumer.name)
    )
    own = tuple(
        projection.name
        for projection in projections
        if any(
            each.name.startswith(f"natster-tui-{projection.name}-{instance}-") for each in consumers
        )
    )
    return others, own
