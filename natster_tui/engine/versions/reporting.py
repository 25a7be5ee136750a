"""What is stored beside a projection, for `status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from natster_tui.engine.projecting.stored_projection import stored_checkpoint
from natster_tui.engine.versions.finding import VersionPair, all_versions_stored
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.store.connection.together import for_each, together
from natster_tui.store.lease import Holder, projecting, rebuilding_now
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class Leases:
    """The processes that hold the leases of a projection, each None if none does."""

    name: str
    projector: Holder | None = None
    rebuild: Holder | None = None

    def lines(self) -> list[str]:
        """A line for each lease that is held."""
        held = (("projector", self.projector), ("rebuild", self.rebuild))
        return [
            f"lease {kind}.{self.name}: {holder.described}{_version(holder)}"
            for kind, holder in held
            if holder is not None
        ]


def _version(holder: Holder) -> str:
    return "" if holder.version is None else f", version {holder.version}"


@dataclass(frozen=True, slots=True)
class VersionReport:
    """A version that is stored beside a projection; `checkpoint` None before its first commit."""

    version: int
    bucket: str
    checkpoint: Checkpoint | None
    head: int
    leases: Leases

    @property
    def lag(self) -> int | None:
        """Events not yet projected; None if nothing was projected."""
        return None if self.checkpoint is None else max(0, self.head - self.checkpoint.seq)

    @property
    def sentence(self) -> str:
        """The position and the bucket, in one line."""
        where = "not stored yet"
        if self.checkpoint is not None:
            where = f"at {self.checkpoint.seq:,}, lag {self.lag:,}"
        return f"version {self.version} beside, in {self.bucket}: {where}"


async def read_leases(log: EventLog, name: str) -> Leases:
    """Who projects and who rebuilds a projection."""
    projector, rebuild = await together(projecting(log.link, name), rebuilding_now(log.link, name))
    return Leases(name, projector, rebuild)


async def read_versions(
    log: EventLog, projections: Sequence[Projection[Any]], versions: Sequence[Projection[Any]]
) -> dict[str, tuple[VersionReport, ...]]:
    """The versions beside each projection, by its name.

    `versions` are more versions of the projections that are loaded here.
    """
    groups = [
        (current, *(each for each in versions if each.name == current.name))
        for current in projections
    ]
    found = await all_versions_stored(log.link, groups)
    pairs = [
        [VersionPair(loaded, number) for number in numbers]
        for loaded, numbers in zip(groups, found, strict=True)
    ]
    reports = await for_each(partial(for_each, partial(_read, log)), pairs)
    return {current.name: each for current, each in zip(projections, reports, strict=True)}


async def _read(log: EventLog, pair: VersionPair) -> VersionReport:
    beside = pair.beside
    checkpoint, leases = await together(
        stored_checkpoint(log.link, beside), read_leases(log, beside.name)
    )
    return VersionReport(pair.version, beside.bucket, checkpoint, log.info.last_seq, leases)
