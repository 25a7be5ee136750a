"""What keeps a projector from writing, as a value, and the sentence for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.stored_projection import BucketState, StoredProjection
from natster_tui.errors import ServerError
from natster_tui.events.log.hazards import old_server
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.store.lease import Holder
from natster_tui.store.log import EventLog


class Obstacle(Protocol):
    """Why nothing is written: one of the values below, a wait for the lease, a hazard, or an error.

    Programs look at the type; `sentence` is for a person.
    """

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Nothing may be written here."""

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return "read-only: nothing is written"


@dataclass(frozen=True, slots=True)
class WriteDenied:
    """The server does not permit the write, or it would not reach the bucket."""

    error: ServerError

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"only watching: {self.error.sentence}"


@dataclass(frozen=True, slots=True)
class NothingSealed:
    """Nothing can be sealed here; `reason` is a sentence about the keys."""

    reason: str

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"only watching: {self.reason}"


@dataclass(frozen=True, slots=True)
class SealedDocuments:
    """The bucket holds sealed documents, so none may be written to it unsealed."""

    bucket: str

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"only watching: {self.fault}"

    @property
    def fault(self) -> str:
        """What is wrong and what to do, for a command that does not watch."""
        return (
            f"{self.bucket} holds sealed documents, and sealing is off here: give --sealing on "
            "and the key file"
        )


@dataclass(frozen=True, slots=True)
class NewerVersion:
    """A newer version of the projection is stored than this program has.

    `holder` is the process that has the lease, None if none was seen. `can_promote`: this program's
    version is stored beside.
    """

    projection: Projection[Any]
    stored: int
    holder: Holder | None = None
    can_promote: bool = False

    @property
    def sentence(self) -> str:
        """See `Obstacle`; also says which version is projected now, if one is."""
        name, who = self.projection.name, ""
        # A process of an older version, perhaps this one, has not given the lease up yet.
        if (holder := self.holder) and holder.version is not None and holder.version >= self.stored:
            who = f"; {holder.described} projects version {holder.version}"
        return (
            f"{self.projection.bucket} holds version {self.stored} of the {name} projection, and "
            f"this program has version {self.projection.version}: upgrade it, or "
            f"{_replaces(self.can_promote)} {name} to go back{who}"
        )


@dataclass(frozen=True, slots=True)
class UnreadableCheckpoint:
    """The stored checkpoint cannot be read."""

    bucket: str
    reason: str

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"the checkpoint in {self.bucket} is unreadable: {self.reason}"


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A projector cannot go on from what is stored: it must be rebuilt or taken over first."""

    projection: Projection[Any]
    bucket_state: BucketState
    checkpoint: Checkpoint | None
    unreadable: str
    """Why the checkpoint cannot be read; empty if it can."""
    can_promote: bool
    made_for_another: bool
    """Whether the bucket should hold a version beside the stored one, and was not made so."""

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"{self.fault}: {self._remedy}"

    @property
    def fault(self) -> str:
        """What is wrong, without the remedy."""
        name, bucket = self.projection.name, self.projection.bucket
        match self.bucket_state:
            case BucketState.FOREIGN if self.made_for_another:
                return f"{bucket} was not made for {name}"
            case BucketState.FOREIGN:
                return f"{bucket} was written by another program"
            case BucketState.UNREADABLE:
                return f"the checkpoint in {bucket} is unreadable ({self.unreadable})"
            case BucketState.INTERRUPTED:
                mark = None if self.checkpoint is None else self.checkpoint.rebuild
                to = "" if mark is None else f" to {mark.to:,}"
                return f"a rebuild of {name}{to} was interrupted"
            case BucketState.OTHER_VERSION:
                beside = ", which is stored beside" if self.can_promote else ""
                return (
                    f"{bucket} is of projector version {self._stored_version}, this is version "
                    f"{self.projection.version}{beside}"
                )
            case _:
                return f"{bucket} is from before an account's keys were erased"

    @property
    def _remedy(self) -> str:
        name, rebuild = self.projection.name, f"rebuild {self.projection.name}"
        match self.bucket_state:
            case BucketState.FOREIGN if self.made_for_another:
                return (
                    "only watching; give this version another number, or delete the stream "
                    f"KV_{self.projection.bucket} yourself"
                )
            case BucketState.FOREIGN:
                return f"only watching; natster-tui {rebuild} --take-over takes it over"
            case BucketState.INTERRUPTED:
                return f"{rebuild} finishes it"
            case BucketState.OTHER_VERSION if self._stored_version > self.projection.version:
                return f"upgrade this program, or {_replaces(self.can_promote)} {name} to go back"
            case BucketState.OTHER_VERSION if self.can_promote:
                return f"promote {name}"
            case _:
                return rebuild

    @property
    def _stored_version(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.version


@dataclass(frozen=True, slots=True)
class FinishingRebuild:
    """The projection is rebuilt before it is projected, because of a fault in what is stored."""

    of: StoredFault

    @property
    def sentence(self) -> str:
        """See `Obstacle`."""
        return f"{self.of.fault}: finishing it"


def _replaces(can_promote: bool) -> str:
    """The command that stores this program's version: a version that is beside is promoted."""
    return "promote" if can_promote else "rebuild"


def fault_of(stored: StoredProjection) -> StoredFault | None:
    """Why a projector cannot go on from what is stored; None if it can."""
    if not stored.needs_operator:
        return None
    return StoredFault(
        stored.projection,
        stored.bucket_state,
        stored.checkpoint,
        "" if stored.unreadable is None else str(stored.unreadable),
        stored.can_promote,
        stored.was_made_for_another,
    )


def obstacle_of(
    reason: Reason,
    log: EventLog,
    stored: StoredProjection,
    lease: LeaseKeeper | None,
    denied: ServerError | None,
) -> Obstacle | None:
    """Why nothing of a stored projection is written; None if that is no problem."""
    if reason is Reason.TRIED:
        return None
    if reason is Reason.NEWER_VERSION and stored.checkpoint is not None:
        holder = None if lease is None else lease.holder
        version = stored.checkpoint.version
        return NewerVersion(stored.projection, version, holder, stored.can_promote)
    # The process that has the lease finishes a rebuild; an operator decides about other faults.
    waits = reason is Reason.LEASE and stored.bucket_state is BucketState.INTERRUPTED
    if not waits and (fault := fault_of(stored)) is not None:
        return fault
    match reason:
        case Reason.LEASE:
            return None if lease is None else lease.waiting
        case Reason.DENIED if denied is not None:
            return WriteDenied(denied)
        case Reason.OLD_SERVER:
            return old_server(log.link.info.version_described)
        case Reason.CANNOT_SEAL:
            return NothingSealed(log.sealing.seal_problem)
        case Reason.SEALED:
            return SealedDocuments(stored.projection.bucket)
        case _:
            return ReadOnly()
