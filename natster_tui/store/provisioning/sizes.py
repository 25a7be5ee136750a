"""The size limits of a new log and of each missing bucket, if the account or the user wants them.

Pure: it takes what the account has left, and returns sizes or the reason why they are too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from natster_tui.store.provisioning.specs import BucketSpec, Kind
from natster_tui.text.byte_sizes import GIB, MIB

WANTED_LOG = GIB
"""The size of a new log, if the account has room for it and for the buckets."""
LEAST_LOG = 16 * MIB
"""The smallest size of a new log, unless the user asks for less."""
LEAST_PROJECTION = 16 * MIB
"""The smallest limit for a projection, unless the user asks for less."""
_WANTED = {Kind.LEASE: MIB, Kind.KEYS: 64 * MIB}
_LEAST_KEYS = MIB


@dataclass(frozen=True, slots=True)
class Room:
    """The room that an account has left for streams on disk, in bytes; None for no limit.

    `storage` is the account's limit and `left` what is not reserved of it. Each byte of a bucket
    counts `replicas` times. `sizes_required`: each stream must have a size.
    """

    per_stream: int | None = None
    storage: int | None = None
    left: int | None = None
    replicas: int = 1
    sizes_required: bool = False

    def at_most(self, size: int) -> int:
        """A size within the limit of a stream."""
        return size if self.per_stream is None else min(size, self.per_stream)

    @property
    def left_for_buckets(self) -> int | None:
        """What all missing buckets may take together."""
        return None if self.left is None else max(0, self.left) // max(1, self.replicas)


class TooSmallError(Exception):
    """A bucket would get less than it needs: `size` bytes, where `least` are needed.

    `asked`: the user asked for this size, and there is less.
    """

    def __init__(self, bucket: BucketSpec, size: int, least: int, *, asked: bool) -> None:
        super().__init__(bucket.name)
        self.bucket = bucket
        self.size = size
        self.least = least
        self.asked = asked


def plan_sizes(
    missing: Sequence[BucketSpec], log_limit: int, room: Room, asked: int | None = None
) -> dict[str, int]:
    """The limit of each missing bucket, by name; raises TooSmallError.

    `log_limit` is the log's own max_bytes, 0 for none. `asked` is the size of a projection that the
    user asked for. The rest is shared: no bucket gets more than it wants, and what one does not
    need goes to the others.
    """
    wanted = {
        spec.name: room.at_most(_WANTED.get(spec.kind, asked or log_limit or GIB))
        for spec in missing
    }
    if asked is not None:
        return _as_asked(missing, wanted, asked, room)
    shares = _shared(wanted, room.left_for_buckets)
    least = min(LEAST_PROJECTION, log_limit or LEAST_PROJECTION)
    for spec in missing:
        needed = least if spec.kind is Kind.PROJECTION else min(_LEAST_KEYS, wanted[spec.name])
        if shares[spec.name] < needed:
            raise TooSmallError(spec, shares[spec.name], needed, asked=False)
    return shares


class NoRoomForLogError(Exception):
    """A new log would get only `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def plan_log(missing: Sequence[BucketSpec], room: Room, asked: int | None = None) -> int:
    """The size of a new log that leaves room for its buckets; raises NoRoomForLogError.

    `missing` are its buckets that have to be made, and `asked` is the size of a projection that the
    user asked for. Where the log cannot have all that it wants, it gets as much as a projection.
    """
    if room.at_most(WANTED_LOG) == WANTED_LOG and _leaves_room(WANTED_LOG, missing, room, asked):
        return WANTED_LOG
    wanted = {
        spec.name: room.at_most(_WANTED.get(spec.kind, asked or WANTED_LOG)) for spec in missing
    }
    left = room.left_for_buckets
    if left is not None and asked is not None:
        projections = [spec.name for spec in missing if spec.kind is Kind.PROJECTION]
        left = max(0, left - sum(wanted.pop(name) for name in projections))
    size = _shared(wanted | {_LOG: room.at_most(WANTED_LOG)}, left)[_LOG]
    # Shares are rounded, and the log may get what its buckets need beside it.
    while size >= LEAST_LOG and not _leaves_room(size, missing, room, asked):
        size -= MIB
    if size < LEAST_LOG:
        raise NoRoomForLogError(size)
    return size


_LOG = ""
"""The log's name among those of buckets."""


def _leaves_room(log: int, missing: Sequence[BucketSpec], room: Room, asked: int | None) -> bool:
    """Whether each missing bucket gets what it needs beside a log of this size."""
    if room.left is None:
        return True
    left = room.left - log * max(1, room.replicas)
    if left < 0:
        return False
    try:
        plan_sizes(missing, log, replace(room, left=left), asked)
    except TooSmallError:
        return False
    return True


def _as_asked(
    missing: Sequence[BucketSpec], wanted: dict[str, int], asked: int, room: Room
) -> dict[str, int]:
    """The projections get the size asked for, the others share the rest."""
    projections = {spec.name: asked for spec in missing if spec.kind is Kind.PROJECTION}
    left = room.left_for_buckets
    for spec in missing:
        if spec.kind is Kind.PROJECTION:
            there = room.at_most(asked if left is None else min(asked, left // len(projections)))
            if there < asked:
                raise TooSmallError(spec, there, asked, asked=True)
    others = {name: size for name, size in wanted.items() if name not in projections}
    remains = None if left is None else left - sum(projections.values())
    shares = _shared(others, remains)
    for spec in missing:
        needed = min(_LEAST_KEYS, wanted[spec.name])
        if spec.kind is not Kind.PROJECTION and shares[spec.name] < needed:
            raise TooSmallError(spec, max(0, shares[spec.name]), needed, asked=True)
    return projections | shares


def _shared(wanted: dict[str, int], left: int | None) -> dict[str, int]:
    """Each one's share of what is left; in whole MiB if it is less than it wants."""
    if left is None:
        return wanted
    shares: dict[str, int] = {}
    for name, size in sorted(wanted.items(), key=lambda each: each[1]):
        share = left // (len(wanted) - len(shares))
        shares[name] = size if size <= share else share // MIB * MIB
        left -= shares[name]
    return shares
