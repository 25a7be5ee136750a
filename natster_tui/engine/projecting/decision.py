"""What a projector does with a stored projection: continue, rebuild it, or only watch, and why.

A pure function of the facts at the start of a projector. Nothing here talks to a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from natster_tui.engine.leases.waiting import Waiting
from natster_tui.engine.projecting.stored_projection import BucketState


class Reason(Enum):
    """Why a projector only watches."""

    TRIED = "it is only tried"
    READ_ONLY = "--read-only was given"
    DENIED = "a permission is missing, or a write would not reach the bucket"
    OLD_SERVER = "the server has no atomic batches"
    NEEDS_OPERATOR = "what is stored must be rebuilt or taken over, which takes a person"
    NEWER_VERSION = "a newer version of the projection is stored"
    CANNOT_SEAL = "nothing can be sealed here"
    SEALED = "what is stored is sealed, and sealing is off here"
    UNREADABLE_DOCUMENT = "a stored document cannot be read"
    LEASE = "another process may write, or it is not known yet"


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for the lease, then decide again."""


@dataclass(frozen=True, slots=True)
class Write:
    """Continue from what is stored, and write."""


@dataclass(frozen=True, slots=True)
class RebuildFirst:
    """Rebuild the projection from the log, then decide again."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Fold in memory, and write nothing."""

    reason: Reason


Decision = Ask | Write | RebuildFirst | Watch


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts at the start of a projector.

    `stored_version` is that of the stored checkpoint, None without one. `was_ours`: this process
    has projected its own version here before. `lease_decided`: it is known whether the lease is
    ours; `waiting` says why it is not.
    """

    bucket_state: BucketState
    version: int
    stored_version: int | None = None
    is_tried: bool = False
    may_write: bool = True
    denied: bool = False
    has_batches: bool = True
    cannot_seal: bool = False
    seals: bool = False
    is_sealed: bool = False
    auto_rebuild: bool = False
    was_ours: bool = False
    lease_decided: bool = True
    waiting: Waiting | None = None


def decide(facts: Facts) -> Decision:
    """Decide what a projector does next."""
    bucket_state = facts.bucket_state
    if (reason := _permanent_reason(facts)) is not None:
        return Watch(reason)
    if facts.stored_version is not None and facts.stored_version != facts.version:
        if facts.stored_version < facts.version and bucket_state is BucketState.OTHER_VERSION:
            # The older version's process gives the lease up once it sees the newer one.
            return RebuildFirst() if facts.auto_rebuild else Watch(Reason.NEEDS_OPERATOR)
        if facts.stored_version > facts.version and not (facts.auto_rebuild and not facts.was_ours):
            return Watch(Reason.NEWER_VERSION)
    if bucket_state is BucketState.UNREADABLE:
        return Watch(Reason.NEEDS_OPERATOR)
    if not facts.lease_decided:
        return Ask()
    if facts.waiting is not None:
        return Watch(Reason.LEASE)
    if bucket_state in (BucketState.MISSING, BucketState.EMPTY, BucketState.OURS):
        return Write()
    return RebuildFirst()


def _permanent_reason(facts: Facts) -> Reason | None:
    """Why nothing can be written here, whichever process holds the lease."""
    if facts.is_tried:
        return Reason.TRIED
    if not facts.may_write:
        return Reason.READ_ONLY
    if facts.denied:
        return Reason.DENIED
    if not facts.has_batches:
        return Reason.OLD_SERVER
    if facts.bucket_state is BucketState.FOREIGN:
        return Reason.NEEDS_OPERATOR
    if facts.cannot_seal:
        return Reason.CANNOT_SEAL
    if facts.is_sealed and not facts.seals:
        return Reason.SEALED
    return None
