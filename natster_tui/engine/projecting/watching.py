"""The sentence for each reason why a projector only watches."""

from __future__ import annotations

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.stored_projection import Standing, StoredProjection
from natster_tui.errors import ServerError
from natster_tui.events.log.hazards import old_server
from natster_tui.projections.api import Projection
from natster_tui.store.lease import Holder
from natster_tui.store.log import EventLog


def why_watching(
    reason: Reason,
    log: EventLog,
    stored: StoredProjection,
    lease: LeaseKeeper | None,
    denied: ServerError | None,
) -> str:
    """Why nothing of a stored projection is written; empty where that is no problem."""
    if reason is Reason.TRIED:
        return ""
    if reason is Reason.NEWER_VERSION and stored.checkpoint is not None:
        holder = None if lease is None else lease.holder
        return newer_version(stored.projection, stored.checkpoint.version, holder)
    waits = reason is Reason.LEASE and stored.standing is Standing.INTERRUPTED
    if stored.fault and not waits:
        # The process that has the lease finishes a rebuild; all else is for a person to decide.
        return stored.problem
    match reason:
        case Reason.LEASE:
            waiting = None if lease is None else lease.waiting
            return "" if waiting is None else waiting.sentence
        case Reason.DENIED if denied is not None:
            return f"only watching: {denied.sentence}"
        case Reason.OLD_SERVER:
            return old_server(log.link.info.version_described).sentence
        case Reason.LOCKED:
            return f"only watching: {log.sealing.locked}"
        case Reason.SEALED:
            return sealed_sentence(stored)
        case _:
            return "read-only: nothing is written"


def newer_version(projection: Projection[object], stored: int, holder: Holder | None) -> str:
    """That a newer version is stored, and which version projects now, where one does."""
    who = ""
    if holder is not None:
        version = "it" if holder.version is None else f"version {holder.version}"
        who = f"; {holder.described} projects {version}"
    return (
        f"{projection.bucket} holds version {stored} of the {projection.name} "
        f"projection, and this program has version {projection.version}: upgrade it, or rebuild "
        f"{projection.name} to go back{who}"
    )


def sealed_sentence(stored: StoredProjection) -> str:
    """Why no document is written unsealed to a bucket of sealed documents."""
    return (
        f"only watching: {stored.projection.bucket} holds sealed documents, and sealing is off "
        "here: give --sealing on and the key file"
    )
