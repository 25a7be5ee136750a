"""Deleting the bucket of a version that is stored beside a projection."""

from __future__ import annotations

from natster_tui.engine.leases.holding import holding
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.errors import RefusedError
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.version_buckets import delete_beside

HELD_S = 5.0
"""How long to wait for the lease; the entry of a process that was killed expires sooner."""


async def drop_version(log: EventLog, pair: VersionPair, instance: str) -> bool:
    """Delete the bucket of the version beside; returns whether it was there.

    The version's lease is held for this, so no process projects into the bucket and creates it
    again. Raises RefusedError if another process projects it, or if the bucket does not carry our
    mark.
    """
    beside = pair.beside
    keeper = LeaseKeeper(beside, instance)

    def refusal() -> RefusedError:
        holder = keeper.holder
        who = "another process" if holder is None else holder.described
        return RefusedError(
            f"{beside.name} is projected by {who}: stop that process, then drop it again; "
            "nothing was deleted"
        )

    async with holding(log, keeper, HELD_S, refusal):
        return await delete_beside(log.link, beside.bucket, beside.beside)
