"""The sentence for each reason why a projector only watches."""

from __future__ import annotations

from typing import Any

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.stored_projection import BucketState, StoredProjection
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
        return newer_version(
            stored.projection,
            stored.checkpoint.version,
            holder,
            can_promote=stored.can_promote,
        )
    waits = reason is Reason.LEASE and stored.bucket_state is BucketState.INTERRUPTED
    if stored.needs_operator and not waits:
        # The process that has the lease finishes a rebuild; all else is for a person to decide.
        return problem_of(stored)
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


def newer_version(
    projection: Projection[Any], stored: int, holder: Holder | None, *, can_promote: bool = False
) -> str:
    """That a newer version is stored, and which version projects now, where one does."""
    who = ""
    # A process of an older version, perhaps this one, has not given the lease up yet.
    if holder is not None and holder.version is not None and holder.version >= stored:
        who = f"; {holder.described} projects version {holder.version}"
    return (
        f"{projection.bucket} holds version {stored} of the {projection.name} "
        f"projection, and this program has version {projection.version}: upgrade it, or "
        f"{_replaces(can_promote)} {projection.name} to go back{who}"
    )


def _replaces(can_promote: bool) -> str:
    """The command that stores this program's version: a version that is beside is promoted."""
    return "promote" if can_promote else "rebuild"


def sealed_sentence(stored: StoredProjection) -> str:
    """Why no document is written unsealed to a bucket of sealed documents."""
    return (
        f"only watching: {stored.projection.bucket} holds sealed documents, and sealing is off "
        "here: give --sealing on and the key file"
    )


def problem_of(stored: StoredProjection) -> str:
    """What is wrong with what is stored, and what to do; empty where nothing is."""
    if not stored.needs_operator:
        return ""
    return f"{fault_of(stored)}: {_remedy_for(stored)}"


def fault_of(stored: StoredProjection) -> str:
    """What is wrong with what is stored; empty where nothing is."""
    name, bucket = stored.projection.name, stored.projection.bucket
    checkpoint = stored.checkpoint
    match stored.bucket_state:
        case BucketState.FOREIGN if stored.was_made_for_another:
            return f"{bucket} was not made for {name}"
        case BucketState.FOREIGN:
            return f"{bucket} was written by another program"
        case BucketState.UNREADABLE:
            return f"the checkpoint in {bucket} is unreadable ({stored.unreadable})"
        case BucketState.INTERRUPTED:
            mark = None if checkpoint is None else checkpoint.rebuild
            to = "" if mark is None else f" to {mark.to:,}"
            return f"a rebuild of {name}{to} was interrupted"
        case BucketState.OTHER_VERSION:
            version = 0 if checkpoint is None else checkpoint.version
            beside = ", which is stored beside" if stored.can_promote else ""
            return (
                f"{bucket} is of projector version {version}, this is version "
                f"{stored.projection.version}{beside}"
            )
        case BucketState.BEFORE_ERASURE:
            return f"{bucket} is from before an account's keys were erased"
        case _:
            return ""


def _remedy_for(stored: StoredProjection) -> str:
    rebuild = f"rebuild {stored.projection.name}"
    match stored.bucket_state:
        case BucketState.FOREIGN if stored.was_made_for_another:
            return (
                "only watching; give this version another number, or delete the stream "
                f"KV_{stored.projection.bucket} yourself"
            )
        case BucketState.FOREIGN:
            return f"only watching; natster-tui {rebuild} --take-over takes it over"
        case BucketState.INTERRUPTED:
            return f"{rebuild} finishes it"
        case BucketState.OTHER_VERSION if stored.is_newer:
            replaces = f"{_replaces(stored.can_promote)} {stored.projection.name}"
            return f"upgrade this program, or {replaces} to go back"
        case BucketState.OTHER_VERSION if stored.can_promote:
            return f"promote {stored.projection.name}"
        case _:
            return rebuild
